/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of the AHCI controller: saved and restored between any two
 * accesses, with commands in progress on a disk and a CD-ROM drive, queued
 * ones, requests that complete late, resets meanwhile.  Damaged images are the
 * fuzzer's: six ports of them take too long here.
 */
#include "tests/unit/state_media.h"

#include "devices/ahci.h"
#include "devices/ahci_internal.h"

#define ABAR	  0xf0000000U
#define DEVFN	  PCI_DEVFN(8, 0)
#define RAM_BYTES 0x10000
#define LISTS	  0x0000 /* 1 KiB a port */
#define FISES	  0x1000 /* 256 bytes a port */
#define TABLES	  0x2000 /* 256 bytes each, 16 a port */
#define DATA	  0x8000
#define SECTORS	  64
#define PORTS	  2 /* a disk, a CD-ROM drive */

struct memory {
	uint8_t ram[RAM_BYTES];
	uint8_t media[PORTS][SECTORS * BLOCK_SECTOR];
};

struct model {
	struct pci_bus pci;
	struct ahci ahci;
	struct guest_ram ram;
	struct medium medium[PORTS];
};

/* ---- The rig ------------------------------------------------------------- */

static void intx_set(void *ctx, uint8_t devfn, unsigned pin, bool level)
{
	(void)devfn;
	rig_line(ctx, pin, level);
}

static struct device *build(struct rig *rig)
{
	struct model *model = rig->model;
	struct memory *memory = rig->memory;
	struct ahci_config config = {
		.pci = &model->pci,
		.devfn = DEVFN,
		.ram = &model->ram,
		.clock = &rig->b.clock,
		.drive = { { .kind = IDE_DISK,
			     .backend = &model->medium[0].backend },
			   { .kind = IDE_CDROM,
			     .backend = &model->medium[1].backend } },
	};

	assert_int_equal(
		pci_bus_init(&model->pci, &rig->b.ports, &rig->b.memory), 0);
	model->pci.intx_set = intx_set;
	model->pci.intx_ctx = rig;
	model->pci.window[0] = (struct pci_window){ 0xe0000000, 0x1f000000 };
	model->ram.count = 1;
	model->ram.range[0] =
		(struct guest_ram_range){ 0, RAM_BYTES, memory->ram };
	for (unsigned i = 0; i < PORTS; i++)
		medium_init(&model->medium[i], memory->media[i],
			    sizeof(memory->media[i]));
	model->medium[1].backend.is_read_only = true;
	assert_int_equal(ahci_init(&model->ahci, &config), 0);
	return &model->ahci.device;
}

static void drain(struct rig *rig)
{
	struct model *model = rig->model;

	for (unsigned i = 0; i < PORTS; i++)
		while (model->medium[i].pending)
			medium_complete(&model->medium[i]);
}

static void copy(struct rig *to, const struct rig *from)
{
	struct model *target = to->model;
	const struct model *source = from->model;

	target->pci.state = source->pci.state;
	for (unsigned i = 0; i < PORTS; i++)
		target->medium[i].is_async = source->medium[i].is_async;
}

/* ---- What a driver does ---------------------------------------------------
 */

static void port_write(struct rig *rig, unsigned port, unsigned offset,
		       uint32_t value)
{
	struct io_access io = { .offset = ABAR + 0x100 + port * 0x80 + offset,
				.size = 4,
				.data = value,
				.is_write = true };

	bus_access(&rig->b.memory, &io);
}

static void fis_make(struct rig *rig, uint8_t *table, unsigned port,
		     unsigned slot)
{
	static const uint8_t commands[] = {
		0x20, 0x24, 0x25, 0x25, 0x2f, 0x30, 0x34, 0x35, 0x60,
		0x60, 0x61, 0x61, 0xc5, 0xc8, 0xca, 0xe7, 0xec, 0xef
	};
	static const uint8_t opcodes[] = { 0x00, 0x03, 0x12, 0x25, 0x28,
					   0x28, 0x43, 0x5a, 0xbe };
	uint32_t random = rig_random(rig);

	table[0] = random % 64 ? 0x27 : 0x34;
	table[1] = random >> 6 & 15 ? 0x80 : 0;
	table[2] = port ? 0xa0 : commands[(random >> 10) % sizeof(commands)];
	table[3] = (uint8_t)(random >> 16 & 7);
	table[4] = (uint8_t)(random >> 20 & 63);
	table[7] = random >> 26 & 1 ? 0xc0 : 0x40;
	table[12] = (uint8_t)(table[2] >> 1 == 0x30 ? slot << 3 : table[3]);
	table[15] = random >> 27 & 4;
	random = rig_random(rig);
	memset(table + 0x40, 0, 16);
	table[0x40] = opcodes[random % sizeof(opcodes)];
	table[0x44] = table[0x40] == 0x12 ? 36 : 0;
	table[0x45] = (uint8_t)(random >> 8 & 15);
	table[0x48] = (uint8_t)(random >> 12 & 7);
	table[0x49] = random >> 15 & 1 ? 0x10 : 0xf8;
}

static void slot_make(struct rig *rig, unsigned port)
{
	struct memory *memory = rig->memory;
	uint32_t random = rig_random(rig);
	unsigned slot = random & 15, regions = random >> 4 & 7;
	uint32_t at = TABLES + port * 0x1000 + slot * 256;
	uint32_t header[4] = { 5 | regions << 16, 0, at, 0 };

	memset(memory->ram + at, 0, 128);
	fis_make(rig, memory->ram + at, port, slot);
	for (unsigned i = 0; i < regions; i++) {
		uint32_t bits = rig_random(rig);
		uint32_t region[4] = { DATA + (bits & 0x7ffe), 0, 0,
				       bits >> 16 & 1 ? 511
						      : bits >> 17 & 0xfff };

		memcpy(memory->ram + at + 0x80 + 16 * i, region, 16);
	}
	memcpy(memory->ram + LISTS + port * 1024 + slot * 32, header, 16);
	if (random >> 8 & 1)
		port_write(rig, port, 0x34, 1U << slot);
	port_write(rig, port, 0x38, 1U << slot);
}

static void port_start(struct rig *rig, unsigned port)
{
	struct model *model = rig->model;

	pci_config_write(&model->pci, DEVFN, 0x24, 4, ABAR);
	pci_config_write(&model->pci, DEVFN, PCI_COMMAND, 2,
			 rig_random(rig) & 7 ? 7 : 3);
	port_write(rig, port, 0x18, 0);
	port_write(rig, port, 0x00, LISTS + port * 1024);
	port_write(rig, port, 0x04, 0);
	port_write(rig, port, 0x08, FISES + port * 256);
	port_write(rig, port, 0x0c, 0);
	port_write(rig, port, 0x2c, 0);
	port_write(rig, port, 0x18, 0x18);
	port_write(rig, port, 0x18, 0x11);
	port_write(rig, port, 0x14, UINT32_MAX);
}

static void input(struct rig *rig)
{
	struct model *model = rig->model;
	uint32_t random = rig_random(rig);
	unsigned port = random >> 8 & 1;

	switch (random % 8) {
	case 0:
		medium_complete(&model->medium[port]);
		break;
	case 1:
		port_start(rig, port);
		break;
	case 2:
		model->medium[port].is_async = random >> 9 & 1;
		break;
	case 3:
		memory_note(rig, sizeof(struct memory));
		break;
	default:
		slot_make(rig, port);
	}
}

static const struct subject_region regions[] = {
	{ .base = ABAR, .length = 0x10, .size = 4, .is_memory = true },
	{ .base = ABAR + 0x110, .length = 0x2c, .size = 4, .is_memory = true },
	{ .base = ABAR + 0x190, .length = 0x2c, .size = 4, .is_memory = true },
};

static const struct subject subjects[] = { {
	.name = "ich9-ahci",
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

/* ---- Tests ------------------------------------------------------------- */

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

/* A level of the line that nothing asks for; a command without a drive. */
static void test_contradiction(void **state)
{
	struct rig *rig = rig_new(subjects, 0, 0);
	struct model *model = rig->model;
	struct ahci_state *saved = malloc(sizeof(*saved));

	(void)state;
	*saved = model->ahci.state;
	assert_true(ahci_state_is_valid(&model->ahci, saved, 0));
	saved->pci.intx_level = true;
	assert_false(ahci_state_is_valid(&model->ahci, saved, 0));
	*saved = model->ahci.state;
	saved->port[3].activity = AHCI_COMMAND;
	assert_false(ahci_state_is_valid(&model->ahci, saved, 0));
	free(saved);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_contradiction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
