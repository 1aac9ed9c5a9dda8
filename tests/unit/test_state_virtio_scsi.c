/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of the virtio SCSI host: saved and restored between any two
 * accesses of a driver that mostly keeps to the rules, with requests that end
 * late, task management, and media that are changed.  Damaged images are the
 * fuzzer's: eight targets take too long here.
 */
#include "tests/unit/state_media.h"
#include "tests/unit/state_virtio.h"

#include "devices/virtio_scsi.h"

#define DEVFN	PCI_DEVFN(24, 0)
#define HEADERS 4U
#define QUEUES	4U
#define SECTORS 64U
#define DRIVES	2 /* a disk, target 0; a CD-ROM drive, target 1 */

struct memory {
	uint8_t ram[SV_MEMORY] __attribute__((aligned(16)));
	uint8_t media[DRIVES][SECTORS * BLOCK_SECTOR];
};

struct model {
	struct pci_bus pci;
	struct guest_ram ram;
	struct virtio_scsi scsi;
	struct medium medium[DRIVES];
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

static struct device *build(struct rig *rig)
{
	struct model *model = rig->model;
	struct memory *memory = rig->memory;
	const struct virtio_scsi_config config = {
		.pci = &model->pci,
		.devfn = DEVFN,
		.ram = &model->ram,
		.clock = &rig->b.clock,
		.is_transitional = true,
		.queues = QUEUES - VIRTIO_SCSI_REQUESTS,
		.drive = { { .backend = &model->medium[0].backend },
			   { .backend = &model->medium[1].backend,
			     .is_cdrom = true } },
	};

	model->ram = (struct guest_ram){ 1, { { 0, SV_MEMORY, memory->ram } } };
	assert_int_equal(
		pci_bus_init(&model->pci, &rig->b.ports, &rig->b.memory), 0);
	model->pci.window[0] = (struct pci_window){ 0xe0000000, 0x1f000000 };
	model->pci.intx_set = intx_set;
	model->pci.intx_ctx = rig;
	model->pci.message = message;
	model->pci.message_ctx = rig;
	for (unsigned i = 0; i < DRIVES; i++)
		medium_init(&model->medium[i], memory->media[i],
			    sizeof(memory->media[i]));
	model->medium[1].backend.is_read_only = true;
	assert_int_equal(virtio_scsi_init(&model->scsi, &config), 0);
	return &model->scsi.device;
}

static void drain(struct rig *rig)
{
	struct model *model = rig->model;

	for (unsigned i = 0; i < DRIVES; i++)
		while (model->medium[i].pending)
			medium_complete(&model->medium[i]);
}

static void copy(struct rig *to, const struct rig *from)
{
	struct model *target = to->model;
	const struct model *source = from->model;

	target->pci.state = source->pci.state;
	for (unsigned i = 0; i < DRIVES; i++)
		target->medium[i].is_async = source->medium[i].is_async;
}

/* ---- What a driver does ------------------------------------------------- */

static void headers_make(struct rig *rig)
{
	static const uint8_t opcodes[] = { 0x00, 0x03, 0x12, 0x1a, 0x1b, 0x1e,
					   0x25, 0x28, 0x28, 0x2a, 0x2a, 0x35,
					   0x43, 0x55, 0x5a, 0xa0 };

	for (unsigned i = 0; i < HEADERS; i++) {
		uint32_t random = rig_random(rig);
		uint8_t bytes[19 + VIRTIO_SCSI_CDB_SIZE] = {
			1,
			random & 1,
			VIRTIO_SCSI_FLAT,
			(random & 0x1e) == 0,
		};

		bytes[8] = (uint8_t)i;
		bytes[16] = random >> 5 & 3;
		bytes[19] = opcodes[random >> 7 & 15];
		bytes[19 + 4] = bytes[19] & 0xe0 ? 0 : random >> 11 & 31;
		bytes[19 + 5] = bytes[19] & 0xe0 ? random >> 16 & 63 : 0;
		bytes[19 + 8] = random >> 22 & 3;
		sv_put(rig, SV_DATA + 64 * i, bytes, sizeof(bytes));
	}
}

/* Task management, notifications: in both of its parts a piece each. */
static void control(struct rig *rig)
{
	uint32_t random = rig_random(rig);
	const struct virtio_scsi_tmf tmf = {
		.type = random & 3,
		.function = random >> 2 & 7,
		.lun = { 1, random >> 5 & 1, VIRTIO_SCSI_FLAT },
		.tag = { random >> 6 & 3 },
	};
	const struct virtq_desc answer = { SV_DATA + 0x700, 5, VIRTQ_WRITE, 0 };
	const uint8_t *ram = ((struct memory *)rig->memory)->ram;
	struct virtq_desc desc = { SV_DATA + 0x600, sizeof(tmf), VIRTQ_NEXT,
				   3 };
	uint16_t index, slot = 0;

	sv_put(rig, SV_DATA + 0x600, &tmf, sizeof(tmf));
	if (tmf.type) /* it is shorter */
		sv_put(rig, SV_DATA + 0x604, tmf.lun, sizeof(tmf.lun));
	sv_put(rig, SV_RINGS, &desc, sizeof(desc));
	sv_put(rig, SV_RINGS + 16 * 3, &answer, sizeof(answer));
	memcpy(&index, ram + SV_RINGS + 0x402, sizeof(index));
	for (unsigned i = 0; i < 8; i++)
		sv_put(rig, SV_RINGS + 0x404 + 2 * i, &slot, sizeof(slot));
	index++;
	sv_put(rig, SV_RINGS + 0x402, &index, sizeof(index));
	bus_out(&rig->b.memory, SV_NOTIFY, 0, 2);
}

static void medium_act(struct rig *rig)
{
	struct model *model = rig->model;
	uint32_t random = rig_random(rig);
	struct medium *medium = &model->medium[random & 1];

	if (random & 2)
		medium->is_async = random >> 2 & 1;
	medium_complete(medium);
	if (!(random & 0x38))
		assert_int_equal(
			virtio_scsi_medium_change(&model->scsi, 1,
						  &model->medium[1].backend),
			0);
}

static void input(struct rig *rig)
{
	struct model *model = rig->model;
	const struct sv_driver driver = {
		.pci = &model->pci,
		.devfn = DEVFN,
		.queues = QUEUES,
		.headers = HEADERS,
		.header_size = 19 + VIRTIO_SCSI_CDB_SIZE,
	};

	switch (rig_random(rig) % 10) {
	case 0:
		sv_start(rig, &driver);
		break;
	case 1:
	case 2:
		medium_act(rig);
		break;
	case 3:
		sv_plug(rig, &driver);
		headers_make(rig);
		break;
	case 4:
		memory_note(rig, sizeof(struct memory));
		break;
	case 5:
		control(rig);
		break;
	case 6:
		sv_chain(rig, VIRTIO_SCSI_EVENTS, SV_DATA + 0x400,
			 8 + rig_random(rig) % 16, VIRTQ_WRITE);
		break;
	default:
		sv_chains_make(rig, &driver);
	}
}

static const struct subject_region regions[] = {
	SV_REGIONS,
	{ .base = SV_BAR + 0x2014, .length = 8, .size = 1, .is_memory = true },
};

static const struct subject subjects[] = { {
	.name = "virtio-scsi",
	.size = sizeof(struct model),
	.memory_size = sizeof(struct memory),
	.build = build,
	.regions = regions,
	.region_count = ARRAY_SIZE(regions),
	.step_shift = 20,
	.input = input,
	.drain = drain,
	.copy = copy,
} };

/* ---- Tests -------------------------------------------------------------- */

static void test_table(void **state)
{
	struct rig *rig = rig_new(subjects, 0, 0);
	char why[200];

	(void)state;
	if (state_check(rig->device->ops->state, why, sizeof(why)))
		fail_msg("%s", why);
	rig_free(rig);
}

static void test_restore(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++)
		subject_test_restore(subjects, seed * 0x9e3779b97f4a7c15ULL);
}

static void test_reset(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++)
		subject_test_reset(subjects, seed * 0x9e3779b97f4a7c15ULL);
}

static void refuse(struct rig *rig, const struct virtio_scsi_state *saved)
{
	assert_false(virtio_scsi_ops.is_valid(rig->device->dev, saved, 0));
}

/* A subscription to a disk's media; drives at work on nothing. */
static void test_contradictions(void **state)
{
	struct rig *rig = rig_new(subjects, 0, 0);
	const struct model *model = rig->model;
	struct virtio_scsi_state *saved = malloc(sizeof(*saved));
	const struct virtio_scsi_state *good = &model->scsi.state;

	(void)state;
	*saved = *good;
	saved->subscribed = 2;
	assert_true(virtio_scsi_ops.is_valid(rig->device->dev, saved, 0));
	saved->subscribed = 1;
	refuse(rig, saved);
	*saved = *good;
	saved->drive[0].disk.left = BLOCK_SECTOR;
	refuse(rig, saved);
	*saved = *good;
	saved->drive[1].cdrom.selected = 1;
	refuse(rig, saved);
	*saved = *good;
	saved->virtio.isr = VIRTIO_EVENT_QUEUE;
	refuse(rig, saved);
	free(saved);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_contradictions),
	};

	return cmocka_run_group_tests_name("state_virtio_scsi", tests, NULL,
					   NULL);
}
