/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of virtio's transport, by a device that has nothing else, and of
 * block devices: saved and restored between any two accesses of a driver that
 * mostly keeps to the rules, requests that end late.
 */
#include "tests/unit/state_media.h"
#include "tests/unit/state_virtio.h"

#include "devices/virtio_blk.h"

#include "tests/unit/virtio_echo.h"

#define DEVFN	  PCI_DEVFN(16, 0)
#define RAM_BYTES SV_MEMORY
#define HEADERS	  4U /* of block requests, 64 bytes apart at SV_DATA */
#define SECTORS	  64U

struct memory {
	uint8_t ram[RAM_BYTES] __attribute__((aligned(16)));
	uint8_t media[SECTORS * BLOCK_SECTOR];
};

struct model {
	struct pci_bus pci;
	struct guest_ram ram;
	struct virtio *virtio; /* of one of these */
	struct echo echo;
	struct virtio_blk blk;
	struct medium medium;
};

static void intx_set(void *ctx, uint8_t devfn, unsigned pin, bool level)
{
	(void)devfn;
	rig_line(ctx, pin, level);
}

static void message(void *ctx, uint64_t address, uint32_t data)
{
	rig_note(ctx, address);
	rig_note(ctx, data);
}

static void bus_build(struct rig *rig)
{
	struct model *model = rig->model;
	struct memory *memory = rig->memory;

	assert_int_equal(
		pci_bus_init(&model->pci, &rig->b.ports, &rig->b.memory), 0);
	model->pci.intx_set = intx_set;
	model->pci.intx_ctx = rig;
	model->pci.message = message;
	model->pci.message_ctx = rig;
	model->pci.window[0] = (struct pci_window){ 0xe0000000, 0x1f000000 };
	model->ram.count = 1;
	model->ram.range[0] =
		(struct guest_ram_range){ 0, RAM_BYTES, memory->ram };
}

static struct device *echo_build(struct rig *rig)
{
	struct model *model = rig->model;

	bus_build(rig);
	assert_int_equal(
		echo_init(&model->echo, &model->pci, DEVFN, &model->ram, true),
		0);
	model->virtio = &model->echo.virtio;
	return &model->echo.device;
}

static struct device *blk_build(struct rig *rig)
{
	struct model *model = rig->model;
	struct memory *memory = rig->memory;
	const struct virtio_blk_config config = {
		.pci = &model->pci,
		.devfn = DEVFN,
		.ram = &model->ram,
		.clock = &rig->b.clock,
		.is_transitional = true,
		.backend = &model->medium.backend,
		.serial = "serial",
		.queues = ECHO_QUEUES,
	};

	bus_build(rig);
	medium_init(&model->medium, memory->media, sizeof(memory->media));
	assert_int_equal(virtio_blk_init(&model->blk, &config), 0);
	model->virtio = &model->blk.virtio;
	return &model->blk.device;
}

static void drain(struct rig *rig)
{
	struct model *model = rig->model;

	while (model->medium.pending)
		medium_complete(&model->medium);
}

static void copy(struct rig *to, const struct rig *from)
{
	struct model *target = to->model;
	const struct model *source = from->model;

	target->pci.state = source->pci.state;
	target->medium.is_async = source->medium.is_async;
}

/* ---- What a driver does ------------------------------------------------- */

static void headers_make(struct rig *rig)
{
	static const uint32_t types[] = { 0, 0, 1, 1, 4, 8, 11, 13 };

	for (unsigned i = 0; i < HEADERS; i++) {
		uint32_t random = rig_random(rig);
		const struct virtio_blk_header header = {
			.type = types[random & 7],
			.sector = random >> 3 & (2 * SECTORS - 1),
		};

		sv_put(rig, SV_DATA + 64 * i, &header, sizeof(header));
	}
}

static struct sv_driver driver_of(struct rig *rig)
{
	struct model *model = rig->model;

	return (struct sv_driver){ .pci = &model->pci,
				   .devfn = DEVFN,
				   .queues = ECHO_QUEUES,
				   .headers = HEADERS,
				   .header_size =
					   sizeof(struct virtio_blk_header) };
}

static void input(struct rig *rig)
{
	const struct sv_driver driver = driver_of(rig);
	struct model *model = rig->model;
	uint32_t random;

	switch (rig_random(rig) % 8) {
	case 0:
		sv_start(rig, &driver);
		break;
	case 1:
		random = rig_random(rig);
		if (random & 1)
			model->medium.is_async = random >> 1 & 1;
		medium_complete(&model->medium);
		break;
	case 2:
		virtio_config_changed(model->virtio);
		break;
	case 3:
		sv_plug(rig, &driver);
		headers_make(rig);
		break;
	case 4:
		memory_note(rig, sizeof(struct memory));
		break;
	default:
		sv_chains_make(rig, &driver);
	}
}

static const struct subject_region regions[] = { SV_REGIONS };

/* clang-format off */
#define SUBJECT(subject_name, builder) {		\
		.name = subject_name,			\
		.size = sizeof(struct model),		\
		.memory_size = sizeof(struct memory),	\
		.build = builder,			\
		.regions = regions,			\
		.region_count = ARRAY_SIZE(regions),	\
		.step_shift = 20,			\
		.input = input,				\
		.drain = drain,				\
		.copy = copy,				\
	}

static const struct subject subjects[] = {
	SUBJECT("virtio-echo", echo_build),
	SUBJECT("virtio-blk", blk_build),
};
/* clang-format on */

int main(void)
{
	return subjects_run("state_virtio", subjects, ARRAY_SIZE(subjects),
			    NULL, 0);
}
