/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of the LSI 53C895A: saved and restored between any two accesses,
 * with SCRIPTS, commands and connections in progress, requests that complete
 * late, resets meanwhile.  Damaged images are the fuzzer's: seven targets take
 * too long here.
 */
#include "tests/unit/state_media.h"

#include "devices/lsi.h"
#include "devices/lsi_internal.h"

#define MMIO	  0xf0000000U
#define SRAM	  0xf0002000U
#define DEVFN	  PCI_DEVFN(9, 0)
#define RAM_BYTES 0x10000
#define SCRIPT	  0x1000
#define TABLE	  0x2000 /* at DSA */
#define MESSAGES  0x3000
#define COMMANDS  0x3100
#define DATA	  0x4000
#define SECTORS	  64
#define DRIVES	  2 /* a disk, ID 0; a CD-ROM drive, ID 1 */

struct memory {
	uint8_t ram[RAM_BYTES];
	uint8_t media[DRIVES][SECTORS * BLOCK_SECTOR];
};

struct model {
	struct pci_bus pci;
	struct lsi lsi;
	struct guest_ram ram;
	struct medium medium[DRIVES];
};

/* ---- The rig ------------------------------------------------------------ */

static void intx_set(void *ctx, uint8_t devfn, unsigned pin, bool level)
{
	(void)devfn;
	rig_line(ctx, pin, level);
}

static void bars_set(struct model *model, unsigned command)
{
	pci_config_write(&model->pci, DEVFN, 0x14, 4, MMIO);
	pci_config_write(&model->pci, DEVFN, 0x18, 4, SRAM);
	pci_config_write(&model->pci, DEVFN, PCI_COMMAND, 2, command);
}

static struct device *build(struct rig *rig)
{
	struct model *model = rig->model;
	struct memory *memory = rig->memory;
	struct lsi_config config = {
		.pci = &model->pci,
		.devfn = DEVFN,
		.ram = &model->ram,
		.clock = &rig->b.clock,
		.drive = { { .backend = &model->medium[0].backend },
			   { .backend = &model->medium[1].backend,
			     .is_cdrom = true } },
	};

	assert_int_equal(
		pci_bus_init(&model->pci, &rig->b.ports, &rig->b.memory), 0);
	model->pci.intx_set = intx_set;
	model->pci.intx_ctx = rig;
	model->pci.window[0] = (struct pci_window){ 0xe0000000, 0x1f000000 };
	model->ram.count = 1;
	model->ram.range[0] =
		(struct guest_ram_range){ 0, RAM_BYTES, memory->ram };
	for (unsigned i = 0; i < DRIVES; i++)
		medium_init(&model->medium[i], memory->media[i],
			    sizeof(memory->media[i]));
	model->medium[1].backend.is_read_only = true;
	assert_int_equal(lsi_init(&model->lsi, &config), 0);
	return &model->lsi.device;
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

static void reg_write(struct rig *rig, unsigned offset, uint8_t size,
		      uint32_t value)
{
	struct io_access io = { .offset = MMIO + offset,
				.size = size,
				.data = value,
				.is_write = true };

	bus_access(&rig->b.memory, &io);
}

static void put(struct rig *rig, uint32_t at, uint32_t value)
{
	struct memory *memory = rig->memory;

	memcpy(memory->ram + at, &value, sizeof(value));
}

static void messages_make(struct rig *rig)
{
	static const uint8_t kinds[] = { 0x80, 0xc0, 0xc0, 0xc0, 0x81,
					 0x06, 0x0d, 0x0c, 0x08, 0x23 };
	struct memory *memory = rig->memory;
	uint32_t random = rig_random(rig);
	uint8_t *at = memory->ram + MESSAGES;
	unsigned count = 1;

	at[0] = kinds[random % sizeof(kinds)];
	if (random >> 4 & 1) {
		at[1] = (uint8_t)(0x20 + (random >> 5 & 3));
		at[2] = (uint8_t)(random >> 7 & 7);
		count = 3;
	}
	if ((random >> 10 & 7) == 0) {
		memcpy(at + count, "\x01\x03\x01\x05\x3f", 5);
		count += random >> 13 & 1 ? 5 : 3;
	}
	put(rig, TABLE + 8, count);
	put(rig, TABLE + 12, MESSAGES);
}

static void command_make(struct rig *rig)
{
	static const uint8_t opcodes[] = { 0x00, 0x03, 0x08, 0x0a, 0x12, 0x1a,
					   0x25, 0x28, 0x28, 0x2a, 0x2a, 0x35,
					   0x43, 0x55, 0x5a, 0xa0, 0xbe };
	struct memory *memory = rig->memory;
	uint32_t random = rig_random(rig);
	uint8_t *at = memory->ram + COMMANDS;

	memset(at, 0, 16);
	at[0] = opcodes[random % sizeof(opcodes)];
	at[4] = at[0] & 0xe0 ? 0 : 8;
	at[5] = at[0] & 0xe0 ? (uint8_t)(random >> 8 & 63) : 0;
	at[8] = (uint8_t)(random >> 14 & 63);
	put(rig, TABLE + 16, at[0] & 0xe0 ? 10 : 6);
	put(rig, TABLE + 20, COMMANDS);
	put(rig, TABLE + 24, random >> 20 & 0xfff);
	put(rig, TABLE + 28, DATA);
}

/* Of instructions that belong together, in some order. */
static void script_make(struct rig *rig)
{
	static const uint32_t rows[][2] = {
		{ 0x47000000, SCRIPT },
		{ 0x1e000000, 8 },
		{ 0x1a000000, 16 },
		{ 0x18000000, 24 },
		{ 0x19000000, 24 },
		{ 0x03000001, DATA },
		{ 0x07000001, DATA },
		{ 0x07000003, DATA },
		{ 0x50000000, SCRIPT },
		{ 0x48000000, 0 },
		{ 0x60000040, 0 },
		{ 0x58000008, 0 },
		{ 0x870b0000, SCRIPT + 8 },
		{ 0x800b0000, SCRIPT + 24 },
		{ 0x98080000, 1 },
		{ 0x98180000, 2 },
		{ 0x7e000100 | 0x34 << 16, 0 },
		{ 0xf1000004 | 0x34 << 16, 8 },
		{ 0xe0000004 | 0x34 << 16, DATA },
		{ 0xc0000040, DATA },
	};
	uint32_t random;

	for (unsigned i = 0; i < 24; i++) {
		const uint32_t *row;

		random = rig_random(rig);
		row = i < 3 && random >> 16 & 7
			      ? rows[i]
			      : rows[random % ARRAY_SIZE(rows)];
		put(rig, SCRIPT + 8 * i, row[0]);
		put(rig, SCRIPT + 8 * i + 4, row[1]);
	}
	put(rig, SCRIPT + 8 * 24, 0x98080000);
}

static void start(struct rig *rig)
{
	struct model *model = rig->model;
	uint32_t random = rig_random(rig);

	bars_set(model, random & 7 ? 7 : 3);
	reg_write(rig, 0x40, 2, random >> 3 & 1 ? 0x048f : 0);
	reg_write(rig, 0x39, 1, random >> 4 & 1 ? 0x7d : 0);
	reg_write(rig, 0x10, 4, TABLE);
	reg_write(rig, 0xa8, 4, 0);
	reg_write(rig, 0x38, 1, 0);
	put(rig, TABLE, (random >> 5 & 3) << 16);
	if (random >> 7 & 1)
		messages_make(rig);
	if (random >> 8 & 1)
		command_make(rig);
	if (random >> 9 & 1)
		script_make(rig);
	reg_write(rig, 0x2c, 4, SCRIPT + 8 * (random >> 12 & 3));
}

static void input(struct rig *rig)
{
	struct model *model = rig->model;
	uint32_t random = rig_random(rig);

	switch (random % 8) {
	case 0:
	case 1:
		medium_complete(&model->medium[random >> 8 & 1]);
		break;
	case 2:
		model->medium[random >> 8 & 1].is_async = random >> 9 & 1;
		break;
	case 3:
		memory_note(rig, sizeof(struct memory));
		break;
	case 4:
		script_make(rig);
		break;
	default:
		start(rig);
	}
}

static const struct subject_region regions[] = {
	{ .base = MMIO, .length = 0x60, .size = 1, .is_memory = true },
	{ .base = MMIO, .length = 0xe0, .size = 4, .is_memory = true },
	{ .base = SRAM, .length = 0x100, .size = 4, .is_memory = true },
};

static const struct subject subjects[] = { {
	.name = "lsi53c895a",
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

static void refuse(struct rig *rig, const struct lsi_state *saved)
{
	assert_false(lsi_ops.is_valid(rig->device->dev, saved, 0));
}

/* A level that nothing asks for; a connection to nobody, or with a task that
 * is not there; commands of nobody; a message without bytes. */
static void test_contradictions(void **state)
{
	struct rig *rig = rig_new(subjects, 0, 0);
	struct model *model = rig->model;
	struct lsi_state *saved = malloc(sizeof(*saved));
	const struct lsi_state *good = &model->lsi.state;

	(void)state;
	*saved = *good;
	assert_true(lsi_ops.is_valid(rig->device->dev, saved, 0));
	saved->pci.intx_level = true;
	refuse(rig, saved);
	*saved = *good;
	saved->bus.phase = LSI_BUS_COMMAND;
	assert_true(lsi_ops.is_valid(rig->device->dev, saved, 0));
	saved->bus.target = 5;
	refuse(rig, saved);
	*saved = *good;
	saved->bus.phase = LSI_BUS_DATA;
	saved->bus.has_task = true;
	refuse(rig, saved);
	*saved = *good;
	saved->bus.phase = LSI_BUS_MESSAGE_IN;
	refuse(rig, saved);
	*saved = *good;
	saved->target[3].count = 1;
	refuse(rig, saved);
	*saved = *good;
	saved->target[0].is_active = true;
	refuse(rig, saved);
	*saved = *good;
	saved->target[0].drive.disk.left = BLOCK_SECTOR;
	refuse(rig, saved);
	*saved = *good;
	saved->target[1].drive.cdrom.selected = 1;
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

	return cmocka_run_group_tests_name("state_lsi", tests, NULL, NULL);
}
