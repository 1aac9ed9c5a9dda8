/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * services/disk/partitions.c and gpt.c on tables that are good, bad and
 * malicious.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/gpt_image.h"

static struct image image;
static struct partition_table table;

static void read_it(void)
{
	const struct table_reader reader = image_reader(&image);

	image.reads = 0;
	assert_int_equal(partition_table_read(&table, &reader), 0);
	/* Whatever it says: nothing outside the drive. */
	for (uint32_t i = 0; i < table.count; i++) {
		const struct partition *p = &table.partition[i];

		if (!p->refused)
			assert_true(p->count &&
				    p->first + p->count <=
					    image.block_count *
						    image.block_size / 512);
	}
	assert_true(image.reads < 20000);
}

static int setup(void **state)
{
	(void)state;
	image_init(&image, 512);
	return 0;
}

/* ---- GPT ----------------------------------------------------------------- */

static void gpt_check(bool is_backup, uint32_t sectors)
{
	assert_int_equal(table.kind, TABLE_GPT);
	assert_null(table.reason);
	assert_int_equal(table.is_backup, is_backup);
	assert_int_equal(table.count, 2);
	assert_null(table.partition[0].refused);
	assert_int_equal(table.partition[0].number, 1);
	assert_int_equal(table.partition[0].first, 100 * sectors);
	assert_int_equal(table.partition[0].count, 100 * sectors);
	assert_string_equal(table.partition[0].label, "root");
	assert_string_equal(table.partition[0].uuid,
			    "03020100-0504-0706-0809-0a0b0c0d0e0f");
	assert_string_equal(table.partition[1].label, "swap");
	assert_string_equal(table.uuid, "d5d5d5d5-d5d5-d5d5-d5d5-d5d5d5d5d5d5");
}

static void test_gpt(void **state)
{
	(void)state;
	for (uint32_t size = 512; size <= 4096; size *= 2)
		for (uint32_t entry = 128; entry <= 4096; entry *= 2) {
			struct gpt_layout layout;

			image_init(&image, size);
			layout = gpt_layout(&image);
			layout.entry_size = entry;
			layout.entry_count = 16384 / entry;
			if (layout.entry_count < 8)
				memset(layout.range[4], 0,
				       sizeof(layout.range[4]) * 4);
			gpt_make(&image, &layout);
			read_it();
			gpt_check(false, size / 512);
		}
}

/* A bit of the primary header or of its entries: the backup is read; of both:
 * none is. */
static void test_gpt_bits(void **state)
{
	struct gpt_layout layout = gpt_layout(&image);
	uint64_t last = image.block_count - 1;

	(void)state;
	gpt_make(&image, &layout);
	for (unsigned bit = 0; bit < 92 * 8; bit++) {
		image.bytes[512 + bit / 8] ^= 1 << bit % 8;
		read_it();
		gpt_check(true, 1);
		image.bytes[last * 512 + bit / 8] ^= 1 << bit % 8;
		read_it();
		assert_string_equal(table.reason,
				    "both copies of its GPT are bad");
		assert_int_equal(table.count, 0);
		image.bytes[512 + bit / 8] ^= 1 << bit % 8;
		image.bytes[last * 512 + bit / 8] ^= 1 << bit % 8;
	}
	for (unsigned bit = 0; bit < 16384 * 8; bit += 41) {
		image.bytes[1024 + bit / 8] ^= 1 << bit % 8;
		read_it();
		gpt_check(true, 1);
		image.bytes[1024 + bit / 8] ^= 1 << bit % 8;
	}
	image.bad_block = 1;
	read_it();
	gpt_check(true, 1);
	image.bad_block = 10;
	read_it();
	gpt_check(true, 1);
}

/* Checksums that are right over bounds that are not. */
static void test_gpt_bounds(void **state)
{
	static const struct {
		uint32_t size, count;
		uint64_t entries, first, last;
	} row[] = {
		{ 64, 128, 2, 34, 2000 },
		{ 0, 128, 2, 34, 2000 },
		{ 129, 128, 2, 34, 2000 },
		{ 192, 128, 2, 34, 2000 },
		{ 8192, 8, 2, 34, 2000 },
		{ 0x80000000, 2, 2, 34, 2000 },
		{ 128, 1025, 2, 300, 2000 },
		{ 128, 0xffffffff, 2, 34, 2000 },
		{ 128, 128, 0, 34, 2000 },
		{ 128, 128, 1, 34, 2000 },
		{ 128, 128, 2047, 34, 2000 },
		{ 128, 128, 2048, 34, 2000 },
		{ 128, 128, UINT64_MAX, 34, 2000 },
		{ 128, 128, UINT64_MAX - 8, 34, 2000 },
		{ 128, 128, 2, 0, 2000 },
		{ 128, 128, 2, 33, 2000 },
		{ 128, 128, 2, 34, 33 },
		{ 128, 128, 2, 34, 2047 },
		{ 128, 128, 2, 34, UINT64_MAX },
		{ 128, 128, 100, 34, 2000 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		struct gpt_layout layout;

		image_init(&image, 512);
		layout = gpt_layout(&image);
		gpt_make(&image, &layout);
		layout.entry_size = row[i].size;
		layout.entry_count = row[i].count;
		layout.first_usable = row[i].first;
		layout.last_usable = row[i].last;
		gpt_header(&image, &layout, 1, 2047, row[i].entries);
		read_it();
		assert_true(table.is_backup);
		assert_int_equal(table.count, 2);
	}
}

static void test_gpt_entries(void **state)
{
	static const struct {
		uint64_t first, last;
		bool is_good;
	} row[] = {
		{ 300, 300, true },
		{ 34, 34, true },
		{ 33, 40, false },
		{ 1, 1, false },
		{ 2014, 2014, true },
		{ 2014, 2015, false },
		{ 2015, 2015, false },
		{ 500, 499, false },
		{ 500, 0, false },
		{ 500, UINT64_MAX, false },
		{ UINT64_MAX, UINT64_MAX, false },
		{ UINT64_MAX - 1, 10, false },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		struct gpt_layout layout = gpt_layout(&image);

		layout.range[2][0] = row[i].first;
		layout.range[2][1] = row[i].last;
		image_init(&image, 512);
		gpt_make(&image, &layout);
		read_it();
		assert_int_equal(table.count, 3);
		assert_int_equal(!table.partition[2].refused, row[i].is_good);
		assert_null(table.partition[0].refused);
		if (!row[i].is_good)
			assert_int_equal(table.partition[2].count, 0);
	}
}

static void test_gpt_overlap(void **state)
{
	struct gpt_layout layout = gpt_layout(&image);

	(void)state;
	layout.range[2][0] = 150;
	layout.range[2][1] = 160;
	layout.range[3][0] = 400;
	layout.range[3][1] = 400;
	gpt_make(&image, &layout);
	read_it();
	assert_string_equal(table.partition[0].refused, "it overlaps another");
	assert_null(table.partition[1].refused);
	assert_string_equal(table.partition[2].refused, "it overlaps another");
	assert_null(table.partition[3].refused);
}

static void test_gpt_label(void **state)
{
	struct gpt_layout layout = gpt_layout(&image);
	uint8_t *name = image.bytes + 1024 + 56;

	(void)state;
	gpt_make(&image, &layout);
	put32(name, 'a' | 0x1b << 16);
	put32(name + 4, 0xe9 | 0x20acu << 16);
	put32(name + 8, 0xd800 | 0u << 16);
	gpt_header(&image, &layout, 1, 2047, 2);
	read_it();
	assert_string_equal(table.partition[0].label,
			    "a?\xc3\xa9\xe2\x82\xac?");
	/* 36 of three bytes each, and no end. */
	for (unsigned i = 0; i < 36; i++) {
		name[2 * i] = 0xac;
		name[2 * i + 1] = 0x20;
	}
	gpt_header(&image, &layout, 1, 2047, 2);
	read_it();
	assert_int_equal(strlen(table.partition[0].label), 108);
}

/* More entries than are kept. */
static void test_gpt_many(void **state)
{
	struct gpt_layout layout = gpt_layout(&image);

	(void)state;
	layout.entry_count = 256;
	layout.first_usable = 66;
	for (unsigned i = 0; i < 256; i++) {
		uint8_t *entry = image.bytes + 1024 + i * 128;

		entry[0] = 1;
		put64(entry + 32, 66 + i * 3);
		put64(entry + 40, 68 + i * 3);
	}
	mbr_entry(&image, 0, 0, 0xee, 1, 2047);
	gpt_header(&image, &layout, 1, 2047, 2);
	read_it();
	assert_int_equal(table.count, PARTITIONS_MAX);
	assert_non_null(table.reason);
	assert_null(table.partition[127].refused);
}

static void test_small(void **state)
{
	(void)state;
	mbr_entry(&image, 0, 0, 0xee, 1, 1);
	for (unsigned i = 0; i < 4; i++) {
		image.block_count = i;
		read_it();
		assert_int_equal(table.count, 0);
	}
}

/* ---- MBR ----------------------------------------------------------------- */

static void test_mbr(void **state)
{
	(void)state;
	put32(image.bytes + 440, 0x1234abcd);
	mbr_entry(&image, 0, 0, 0x83, 100, 100);
	mbr_entry(&image, 0, 1, 0x05, 1000, 1000);
	mbr_entry(&image, 0, 3, 0x07, 200, 50);
	/* Three logical ones, of which the second table holds none. */
	mbr_entry(&image, 1000, 0, 0x83, 10, 90);
	mbr_entry(&image, 1000, 1, 0x05, 100, 10);
	mbr_entry(&image, 1100, 1, 0x0f, 500, 10);
	mbr_entry(&image, 1500, 0, 0x83, 1, 499);
	read_it();
	assert_int_equal(table.kind, TABLE_MBR);
	assert_null(table.reason);
	assert_int_equal(table.count, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_null(table.partition[i].refused);
	assert_string_equal(table.partition[0].uuid, "1234abcd-01");
	assert_int_equal(table.partition[1].number, 5);
	assert_int_equal(table.partition[1].first, 1010);
	assert_int_equal(table.partition[1].count, 90);
	assert_int_equal(table.partition[2].number, 7);
	assert_int_equal(table.partition[2].first, 1501);
	assert_int_equal(table.partition[2].count, 499);
	assert_int_equal(table.partition[3].number, 4);
}

static void test_mbr_bounds(void **state)
{
	static const struct {
		uint32_t first, count;
		bool is_good;
	} row[] = {
		{ 1, 2047, true },	    { 0, 10, false },
		{ 1, 2048, false },	    { 2047, 1, true },
		{ 2048, 1, false },	    { 0xffffffff, 0xffffffff, false },
		{ 100, 0xffffffff, false },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		image_init(&image, 512);
		mbr_entry(&image, 0, 2, 0x83, row[i].first, row[i].count);
		read_it();
		assert_int_equal(table.count, 1);
		assert_int_equal(!table.partition[0].refused, row[i].is_good);
	}
}

static void test_mbr_chains(void **state)
{
	(void)state;
	/* To itself; to an earlier one; out; without end. */
	mbr_entry(&image, 0, 0, 0x05, 1000, 500);
	mbr_entry(&image, 1000, 0, 0x83, 1, 1);
	mbr_entry(&image, 1000, 1, 0x05, 0, 1);
	read_it();
	assert_string_equal(table.reason, "its extended partitions are a loop");
	assert_int_equal(table.count, 1);
	mbr_entry(&image, 1000, 1, 0x05, 100, 1);
	mbr_entry(&image, 1100, 1, 0x05, 50, 1);
	mbr_entry(&image, 1050, 1, 0x05, 100, 1);
	read_it();
	assert_string_equal(table.reason, "its extended partitions are a loop");
	mbr_entry(&image, 1050, 1, 0x05, 500, 1);
	read_it();
	assert_string_equal(table.reason,
			    "an extended partition is out of bounds");
	mbr_entry(&image, 1050, 1, 0x05, 300, 1);
	read_it();
	assert_string_equal(table.reason, "an extended partition has no table");
	for (unsigned i = 0; i < 200; i++)
		mbr_entry(&image, 1000 + i, 1, 0x05, i + 1, 1);
	read_it();
	assert_string_equal(table.reason,
			    "it has too many extended partitions");
	image.bad_block = 1000;
	read_it();
	assert_string_equal(table.reason,
			    "an extended partition cannot be read");
}

/* A logical one outside its extended one, or over a primary one. */
static void test_mbr_logical(void **state)
{
	(void)state;
	mbr_entry(&image, 0, 0, 0x05, 1000, 500);
	mbr_entry(&image, 0, 1, 0x83, 1400, 200);
	mbr_entry(&image, 1000, 0, 0x83, 1, 500);
	mbr_entry(&image, 1000, 1, 0x05, 10, 1);
	mbr_entry(&image, 1010, 0, 0x83, 380, 20);
	read_it();
	assert_int_equal(table.count, 3);
	assert_string_equal(table.partition[0].refused,
			    "it is not within the drive's bounds");
	assert_string_equal(table.partition[1].refused, "it overlaps another");
	assert_string_equal(table.partition[2].refused, "it overlaps another");
}

static void test_none(void **state)
{
	(void)state;
	read_it();
	assert_int_equal(table.kind, TABLE_NONE);
	/* A boot sector with code where a table has active flags. */
	mbr_entry(&image, 0, 0, 0x83, 100, 100);
	image.bytes[446 + 32] = 0x33;
	read_it();
	assert_int_equal(table.kind, TABLE_NONE);
	image.bad_block = 0;
	assert_int_equal(
		partition_table_read(&table,
				     &(const struct table_reader){
					     image_read, &image, 512, 2048 }),
		-EIO);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_gpt),		TEST(test_gpt_bits),
		TEST(test_gpt_bounds),	TEST(test_gpt_entries),
		TEST(test_gpt_overlap), TEST(test_gpt_label),
		TEST(test_gpt_many),	TEST(test_small),
		TEST(test_mbr),		TEST(test_mbr_bounds),
		TEST(test_mbr_chains),	TEST(test_mbr_logical),
		TEST(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
