/* SPDX-License-Identifier: BSD-2-Clause */
/* States of virtio's console, entropy device, balloon and persistent memory. */
#include "tests/unit/state_virtio.h"

#include "devices/virtio_balloon.h"
#include "devices/virtio_console.h"
#include "devices/virtio_pmem.h"
#include "devices/virtio_rng.h"

#define DEVFN PCI_DEVFN(25, 0)

struct model {
	struct pci_bus pci;
	struct guest_ram ram;
	union {
		struct virtio_console console;
		struct virtio_rng rng;
		struct virtio_balloon balloon;
		struct virtio_pmem pmem;
	};
	uint8_t waiting; /* bytes that were typed */
};

static void intx(void *ctx, uint8_t devfn, unsigned pin, bool level)
{
	(void)devfn;
	rig_line(ctx, pin, level);
}

static void message(void *ctx, uint64_t address, uint32_t data)
{
	rig_note(ctx, address);
	rig_note(ctx, data);
}

static struct model *board(struct rig *rig)
{
	struct model *model = rig->model;

	model->ram = (struct guest_ram){ 1, { { 0, SV_MEMORY, rig->memory } } };
	assert_int_equal(
		pci_bus_init(&model->pci, &rig->b.ports, &rig->b.memory), 0);
	model->pci.window[0] = (struct pci_window){ 0xe0000000, 0x1f000000 };
	model->pci.intx_set = intx;
	model->pci.intx_ctx = rig;
	model->pci.message = message;
	model->pci.message_ctx = rig;
	return model;
}

static void copy(struct rig *to, const struct rig *from)
{
	struct model *target = to->model;
	const struct model *source = from->model;

	target->pci.state = source->pci.state;
	target->waiting = source->waiting;
}

static void drive(struct rig *rig, unsigned queues, uint32_t features)
{
	struct model *model = rig->model;
	const struct sv_driver driver = { &model->pci, DEVFN, queues,
					  features,    0,     0 };

	switch (rig_random(rig) % 8) {
	case 0:
	case 1:
		sv_start(rig, &driver);
		break;
	case 2:
		sv_plug(rig, &driver);
		break;
	case 3:
		sv_chain(rig, rig_random(rig) % queues,
			 SV_DATA + rig_random(rig) % 256,
			 1 + rig_random(rig) % 64, rig_random(rig) & 2);
		break;
	default:
		sv_chains_make(rig, &driver);
	}
}

/* ---- The console --------------------------------------------------------- */

static void console_write(void *ctx, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	while (length--)
		rig_note(ctx, *bytes++);
}

static size_t console_read(void *ctx, void *data, size_t size)
{
	struct model *model = ((struct rig *)ctx)->model;
	size_t n = MIN(size, (size_t)model->waiting);

	memset(data, 'x', n);
	model->waiting -= (uint8_t)n;
	return n;
}

static struct device *console_build(struct rig *rig)
{
	struct model *model = board(rig);
	const struct virtio_console_config config = {
		.pci = &model->pci,
		.ram = &model->ram,
		.clock = &rig->b.clock,
		.devfn = DEVFN,
		.is_transitional = true,
		.port_count = 2,
		.port = { { .output = { console_write, rig },
			    .input = console_read },
			  { .name = "log",
			    .output = { console_write, rig },
			    .input = console_read,
			    .is_second = true } },
	};

	assert_int_equal(virtio_console_init(&model->console, &config), 0);
	return &model->console.device;
}

static void console_input(struct rig *rig)
{
	struct model *model = rig->model;
	uint32_t random = rig_random(rig);

	if (random & 7) {
		drive(rig, 6, BIT(1) | BIT(2));
		return;
	}
	model->waiting = random >> 3 & 0x1f;
	virtio_console_input(&model->console, random >> 8 & 1);
}

/* ---- The entropy device -------------------------------------------------- */

static void entropy(void *ctx, void *to, size_t size)
{
	(void)ctx;
	memset(to, 0x5a, size);
}

static struct device *rng_build(struct rig *rig)
{
	struct model *model = board(rig);
	const struct virtio_rng_config config = {
		.pci = &model->pci,
		.ram = &model->ram,
		.clock = &rig->b.clock,
		.devfn = DEVFN,
		.is_transitional = true,
		.entropy = entropy,
	};

	assert_int_equal(virtio_rng_init(&model->rng, &config), 0);
	return &model->rng.device;
}

static void rng_input(struct rig *rig)
{
	drive(rig, 1, 0);
}

/* ---- The balloon --------------------------------------------------------- */

/* What is counted is no part of the state. */
static void balloon_release(void *ctx, const uint8_t *host, uint64_t length)
{
	(void)ctx;
	(void)host;
	assert_int_equal(length % BALLOON_PIECE, 0);
}

static struct device *balloon_build(struct rig *rig)
{
	struct model *model = board(rig);
	const struct virtio_balloon_config config = {
		.pci = &model->pci,
		.ram = &model->ram,
		.clock = &rig->b.clock,
		.devfn = DEVFN,
		.is_transitional = true,
		.base = rig->memory,
		.release = balloon_release,
	};

	assert_int_equal(virtio_balloon_init(&model->balloon, &config), 0);
	return &model->balloon.device;
}

/* Without statistics: a chain that is kept for them is none of the state's. */
static void balloon_input(struct rig *rig)
{
	struct model *model = rig->model;

	if (rig_random(rig) & 7)
		drive(rig, 5, BIT(2) | BIT(5));
	else
		virtio_balloon_target(&model->balloon, rig_random(rig));
}

/* ---- Persistent memory --------------------------------------------------- */

static struct device *pmem_build(struct rig *rig)
{
	struct model *model = board(rig);
	const struct virtio_pmem_config config = {
		.pci = &model->pci,
		.ram = &model->ram,
		.devfn = DEVFN,
		.clock = &rig->b.clock,
		.layout = { .start = GIB(4), .size = MIB(4) },
	};

	assert_int_equal(virtio_pmem_init(&model->pmem, &config), 0);
	return &model->pmem.device;
}

static void pmem_input(struct rig *rig)
{
	drive(rig, 1, 0);
}

static const struct subject_region regions[] = { SV_REGIONS };

#define SUBJECT(kind)                                                    \
	{                                                                \
		.name = "virtio-" #kind, .size = sizeof(struct model),   \
		.memory_size = SV_MEMORY, .build = kind##_build,         \
		.regions = regions, .region_count = ARRAY_SIZE(regions), \
		.step_shift = 20, .input = kind##_input, .copy = copy,   \
	}

static const struct subject subjects[] = {
	SUBJECT(console),
	SUBJECT(rng),
	SUBJECT(balloon),
	SUBJECT(pmem),
};

int main(void)
{
	return subjects_run("state_virtio_small", subjects,
			    ARRAY_SIZE(subjects), NULL, 0);
}
