/* SPDX-License-Identifier: BSD-2-Clause */
/* devices/ata.c: commands that run over the end or into another; modes. */
#include "tests/unit/ide_test.h"

#define LAST (SECTORS - 1)

static uint8_t data[64 * 512];

/* Where the registers are: CHS, LBA28 or LBA48. */
static uint64_t position(uint8_t device)
{
	uint64_t low = inb(0x1f3) | inb(0x1f4) << 8 | inb(0x1f5) << 16;

	if (!(device & 0x40))
		return ((uint64_t)(low >> 8) * 16 + (inb(0x1f6) & 0xf)) * 63 +
		       (low & 0xff) - 1;
	return low | (uint64_t)(inb(0x1f6) & 0xf) << 24;
}

static void issue(uint8_t device, uint64_t sector, uint8_t count,
		  uint8_t command)
{
	uint64_t at = sector;

	if (!(device & 0x40)) {
		at = sector % 63 + 1;
		at |= sector / 63 / 16 << 8;
		device |= sector / 63 % 16;
	}
	outb(0x1f6, device);
	for (unsigned hob = 2; hob--;) {
		outb(0x1f2, hob ? 0 : count);
		outb(0x1f3, (uint8_t)(hob ? at >> 24 : at));
		outb(0x1f4, (uint8_t)(hob ? 0 : at >> 8));
		outb(0x1f5, (uint8_t)(hob ? 0 : at >> 16));
	}
	outb(0x1f7, command);
}

static void expect_bad(uint8_t device)
{
	expect_error(IDNF);
	assert_int_equal(position(device), SECTORS);
	assert_int_equal(inb(0x1f2), 3);
	assert_int_equal(in(0x1f0, 2), 0xffff);
}

static const struct row {
	uint8_t device, command;
	bool is_multiple;
} reads[] = {
	{ 0xa0, 0x20, false }, { 0xe0, 0x20, false }, { 0xe0, 0x24, false },
	{ 0xa0, 0xc4, true },  { 0xe0, 0xc4, true },  { 0xe0, 0x29, true },
}, writes[] = {
	{ 0xa0, 0x30, false }, { 0xe0, 0x30, false }, { 0xe0, 0x34, false },
	{ 0xe0, 0xc5, true },  { 0xe0, 0x39, true },  { 0xe0, 0xce, true },
}, moves[] = {
	{ 0xa0, 0xc8, false }, { 0xe0, 0xc8, false }, { 0xe0, 0x25, false },
	{ 0xa0, 0xca, true },  { 0xe0, 0xca, true },  { 0xe0, 0x35, true },
	{ 0xe0, 0x3d, true },
};

/* Five sectors are there, three are not. */
static void test_read_over_end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(reads); i++) {
		issue(reads[i].device, SECTORS - 5, 8, reads[i].command);
		for (unsigned j = 0; j < (reads[i].is_multiple ? 1 : 5); j++) {
			expect_end(DRQ);
			insw(0x1f0, data + j * 512,
			     reads[i].is_multiple ? 5 * 256 : 256);
		}
		assert_memory_equal(data, sector(SECTORS - 5), 5 * 512);
		expect_bad(reads[i].device);
	}
	/* With nothing there nothing moves. */
	issue(0xe0, SECTORS, 3, 0x20);
	expect_bad(0xe0);
}

static void test_write_over_end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(writes); i++) {
		memset(data, 0x40 + (int)i, sizeof(data));
		issue(writes[i].device, SECTORS - 5, 8, writes[i].command);
		assert_int_equal(inb(0x3f6), DRQ);
		for (unsigned j = 0; j < (writes[i].is_multiple ? 1 : 5); j++) {
			assert_int_equal(inb(0x1f7), DRQ);
			outsw(0x1f0, data,
			      writes[i].is_multiple ? 5 * 256 : 256);
		}
		expect_bad(writes[i].device);
		assert_memory_equal(sector(SECTORS - 5), data, 5 * 512);
	}
}

static void test_dma_over_end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(moves); i++)
		for (unsigned cut = 0; cut < 2; cut++) {
			bool is_write = moves[i].is_multiple;

			/* Whole sectors, and regions that share one. */
			memset(t.ram_bytes + 0x10000, 0x30 + (int)i, 8 * 512);
			prd(0, 0x10000, cut ? 700 : 512, false);
			prd(1, 0x10000 + (cut ? 700 : 512),
			    8 * 512 - (cut ? 700 : 512), true);
			issue(moves[i].device, SECTORS - 5, 8,
			      moves[i].command);
			master_start(0, !is_write);
			expect_bad(moves[i].device);
			assert_memory_equal(t.ram_bytes + 0x10000,
					    sector(SECTORS - 5), 5 * 512);
			assert_int_equal(t.ram_bytes[0x10000 + 5 * 512],
					 0x30 + i);
			/* The bus master has regions left. */
			assert_int_equal(inb(MASTER + 2), 5);
			outb(MASTER, 0);
		}
}

static void test_verify_over_end(void **state)
{
	(void)state;
	issue(0xa0, SECTORS - 5, 8, 0x40);
	expect_bad(0xa0);
	issue(0xe0, SECTORS - 5, 8, 0x40);
	expect_bad(0xe0);
	issue(0xe0, SECTORS - 5, 8, 0x42);
	expect_bad(0xe0);
	issue(0xe0, SECTORS - 5, 5, 0x42);
	expect_end(READY);
	assert_int_equal(position(0xe0), LAST);
}

/* A command while another still has data: that is given up. */
static void test_command_in_command(void **state)
{
	static const uint8_t before[] = { 0x20, 0x24, 0xc4, 0x30,
					  0xc5, 0xec, 0xc8, 0xca };

	(void)state;
	for (unsigned i = 0; i < sizeof(before); i++) {
		unsigned requests = t.disk.requests;

		issue(0xe0, 10, 4, before[i]);
		inb(0x1f7);
		if (before[i] < 0xc8) {
			in(0x1f0, 2);
			out(0x1f0, 2, 0);
		}
		assert_int_equal(inb(0x3f6), DRQ);
		issue(0xe0, 700 + i, 1, 0x20);
		expect_end(DRQ);
		insw(0x1f0, data, 256);
		assert_memory_equal(data, sector(700 + i), 512);
		assert_int_equal(inb(0x1f7), READY);
		/* Not a word of the write has arrived. */
		assert_in_range(t.disk.requests - requests, 1, 2);
	}
	assert_int_equal(sector(10)[0], (uint8_t)(10 * 512 * 7 + 10 * 13));
}

/* The other drive is selected: it is heard, and the first has nothing left. */
static void test_other_drive(void **state)
{
	const enum ide_kind kind[IDE_CHANNELS][IDE_DRIVES] = {
		{ IDE_DISK, IDE_CDROM },
	};

	(void)state;
	setup_kinds(kind);
	issue(0xe0, 10, 2, 0x20);
	in(0x1f0, 2);
	outb(0x1f6, 0xb0);
	assert_int_equal(inb(0x3f6), 0);
	assert_int_equal(in(0x1f0, 2), 0xffff);
	outb(0x1f7, 0xa1);
	expect_end(DRQ);
	insw(0x1f0, data, 256);
	assert_int_equal(word(data, 0), 0x85c0);
	outb(0x1f6, 0xe0);
	assert_int_equal(inb(0x3f6), READY);
}

static uint8_t features(uint8_t feature, uint8_t count)
{
	outb(0x1f6, 0xe0);
	outb(0x1f1, feature);
	outb(0x1f2, count);
	outb(0x1f7, 0xef);
	return inb(0x1f7) & 1 ? inb(0x1f1) : 0;
}

static void test_transfer_modes(void **state)
{
	static const struct {
		uint8_t mode;
		bool is_good;
		uint16_t word63, word88;
	} rows[] = {
		{ 0x00, true, 0x0007, 0x203f },
		{ 0x01, true, 0x0007, 0x203f },
		{ 0x02, false, 0x0007, 0x203f },
		{ 0x08, true, 0x0007, 0x203f },
		{ 0x0c, true, 0x0007, 0x203f },
		{ 0x0d, false, 0x0007, 0x203f },
		{ 0x20, true, 0x0107, 0x003f },
		{ 0x22, true, 0x0407, 0x003f },
		{ 0x23, false, 0x0407, 0x003f },
		{ 0x40, true, 0x0007, 0x013f },
		{ 0x45, true, 0x0007, 0x203f },
		{ 0x46, false, 0x0007, 0x203f },
		{ 0x10, false, 0x0007, 0x203f },
		{ 0x42, true, 0x0007, 0x043f },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(features(3, rows[i].mode),
				 rows[i].is_good ? 0 : ABRT);
		outb(0x1f7, 0xec);
		insw(0x1f0, data, 256);
		assert_int_equal(word(data, 63), rows[i].word63);
		assert_int_equal(word(data, 88), rows[i].word88);
	}
	assert_int_equal(features(0x99, 0), ABRT);
}

static void test_power(void **state)
{
	static const struct {
		uint8_t command, power;
	} rows[] = {
		{ 0xe0, 0x00 }, { 0xe1, 0xff }, { 0xe2, 0x00 },
		{ 0xe3, 0xff }, { 0x94, 0x00 }, { 0x95, 0xff },
		{ 0x96, 0x00 }, { 0x97, 0xff }, { 0xe6, 0x00 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		issue(0xe0, 0, 0, rows[i].command);
		expect_end(READY);
		issue(0xe0, 0, 7, i & 1 ? 0x98 : 0xe5);
		expect_end(READY);
		assert_int_equal(inb(0x1f2), rows[i].power);
	}
	/* Media access wakes it. */
	issue(0xe0, LAST, 1, 0x40);
	expect_end(READY);
	issue(0xe0, 0, 7, 0xe5);
	assert_int_equal(inb(0x1f2), 0xff);
}

/* A block size that there is not disables what it is for. */
static void test_set_multiple(void **state)
{
	static const uint8_t wrong[] = { 3, 32, 0 };

	(void)state;
	for (unsigned i = 0; i < sizeof(wrong); i++) {
		issue(0xe0, 0, 4, 0xc6);
		expect_end(READY);
		issue(0xe0, 0, wrong[i], 0xc6);
		if (wrong[i])
			expect_error(ABRT);
		else
			expect_end(READY);
		issue(0xe0, 0, 1, 0xc4);
		expect_error(ABRT);
		issue(0xe0, 0, 1, 0xec);
		insw(0x1f0, data, 256);
		assert_int_equal(word(data, 59), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read_over_end),      TEST(test_write_over_end),
		TEST(test_dma_over_end),       TEST(test_verify_over_end),
		TEST(test_command_in_command), TEST(test_other_drive),
		TEST(test_transfer_modes),     TEST(test_power),
		TEST(test_set_multiple),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
