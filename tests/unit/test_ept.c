/* SPDX-License-Identifier: BSD-2-Clause */
/* Intel's nested table format: the very bits, and the walker on top. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "include/errno.h"
#include "mm/ept.h"
#include "tests/unit/fake_phys.h"

#define RW   (MAP_READ | MAP_WRITE)
#define RWX  (MAP_READ | MAP_WRITE | MAP_EXEC)
#define RX   (MAP_READ | MAP_EXEC)
#define POOL MIB(2)
#define GPA  GIB(5)
#define HPA  GIB(9)

struct fixture {
	struct pages pages;
	struct mem_account account;
	struct page_table table;
	void *metadata;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fake_phys_init();
	f->metadata = malloc(pages_metadata_size(FAKE_PHYS_SIZE));
	pages_init(&f->pages, f->metadata, FAKE_PHYS_SIZE);
	pages_add(&f->pages, POOL, PAGE_2M);
	assert_int_equal(
		table_init(&f->table, &ept_format, &f->pages, &f->account), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	table_fini(&f->table, TABLE_ENTRIES);
	assert_int_equal(f->account.pages, 0);
	free(f->metadata);
	fake_phys_fini();
	free(f);
	return 0;
}

/* SDM, "Format of an EPT Page-Table Entry that Maps a 4-KByte Page". */
static void test_bits(void **state)
{
	static const struct {
		unsigned prot;
		enum map_type type;
		unsigned level;
		uint64_t entry;
	} rows[] = {
		{ RWX, MAP_WRITE_BACK, 1, 0x37 },
		{ RX, MAP_WRITE_BACK, 1, 0x35 },
		{ RW, MAP_WRITE_BACK, 1, 0x33 },
		{ MAP_READ, MAP_WRITE_BACK, 1, 0x31 },
		{ RWX, MAP_WRITE_BACK, 2, 0xb7 },
		{ RWX, MAP_WRITE_BACK, 3, 0xb7 },
		{ RW, MAP_UNCACHED, 1, 0x03 },
		/* Writable but not readable would be a misconfiguration. */
		{ MAP_WRITE, MAP_WRITE_BACK, 1, 0x33 },
		{ MAP_EXEC, MAP_WRITE_BACK, 1, 0x35 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t entry = ept_format.leaf(rows[i].prot, rows[i].type,
						 rows[i].level);

		assert_int_equal(entry, rows[i].entry);
		assert_int_equal(ept_format.prot(entry),
				 rows[i].prot | MAP_READ | MAP_USER);
		assert_int_equal(ept_format.type(entry, rows[i].level),
				 rows[i].type);
	}
	/* Tables allow everything and have no memory type. */
	assert_int_equal(ept_format.table, 7);
}

static void expect(struct fixture *f, uint64_t gpa, uint64_t pa, uint64_t size,
		   unsigned prot)
{
	struct table_leaf leaf;

	assert_true(table_query(&f->table, gpa, &leaf));
	assert_int_equal(leaf.pa, pa);
	assert_int_equal(leaf.size, size);
	assert_int_equal(leaf.prot, prot | MAP_USER);
	assert_int_equal(leaf.type, MAP_WRITE_BACK);
}

/* What is mapped by leaves that have all of the marks; a look at each. */
static uint64_t bytes_of(struct fixture *f, uint64_t marks)
{
	struct table_leaf leaf;
	uint64_t bytes = 0;

	for (uint64_t va = 0; va >> 48 == 0; va += leaf.size)
		if (table_query(&f->table, va, &leaf) &&
		    (leaf.marks & marks) == marks)
			bytes += leaf.size;
	return bytes;
}

static void test_split(void **state)
{
	struct fixture *f = *state;
	uint64_t middle = GPA + 5 * PAGE_SIZE;
	struct table_leaf leaf;

	assert_int_equal(
		table_map(&f->table, GPA, HPA, PAGE_2M, RWX, MAP_WRITE_BACK),
		0);
	expect(f, middle, HPA + 5 * PAGE_SIZE, PAGE_2M, RWX);
	assert_int_equal(table_map(&f->table, middle, HPA + 5 * PAGE_SIZE,
				   PAGE_SIZE, RX, MAP_WRITE_BACK),
			 0);
	expect(f, GPA, HPA, PAGE_SIZE, RWX);
	expect(f, middle, HPA + 5 * PAGE_SIZE, PAGE_SIZE, RX);
	assert_int_equal(table_unmap(&f->table, middle, PAGE_SIZE), 0);
	assert_false(table_query(&f->table, middle, &leaf));
	expect(f, GPA + PAGE_2M - 1, HPA + PAGE_2M - 1, PAGE_SIZE, RWX);
}

static void test_1g(void **state)
{
	struct fixture *f = *state;
	uint64_t middle = GPA + MIB(700), *root, *leaf;
	struct table_leaf found;

	/* A first page makes the tables above the leaf. */
	assert_int_equal(table_map(&f->table, GPA - PAGE_SIZE, HPA, PAGE_SIZE,
				   RW, MAP_WRITE_BACK),
			 0);
	root = phys_to_virt(f->table.root);
	leaf = phys_to_virt(root[0] & MASK(51, 12));
	leaf[GPA / GIB(1)] =
		HPA | ept_format.leaf(RWX, MAP_WRITE_BACK, 3) | EPT_ACCESSED;
	expect(f, middle, HPA + MIB(700), GIB(1), RWX);
	assert_int_equal(bytes_of(f, 0), GIB(1) + PAGE_SIZE);
	assert_int_equal(bytes_of(f, EPT_ACCESSED), GIB(1));

	/* Part of it changes: 2 MiB around it come in pages of 4 KiB. */
	assert_int_equal(table_map(&f->table, middle, HPA + MIB(700), PAGE_SIZE,
				   RX, MAP_WRITE_BACK),
			 0);
	expect(f, middle, HPA + MIB(700), PAGE_SIZE, RX);
	expect(f, middle + PAGE_SIZE, HPA + MIB(700) + PAGE_SIZE, PAGE_SIZE,
	       RWX);
	expect(f, GPA, HPA, PAGE_2M, RWX);
	expect(f, GPA + GIB(1) - 1, HPA + GIB(1) - 1, PAGE_2M, RWX);
	assert_int_equal(table_unmap(&f->table, GPA, GIB(1)), 0);
	assert_false(table_query(&f->table, middle, &found));
	assert_int_equal(bytes_of(f, 0), PAGE_SIZE);
}

/* A GiB, piece by piece as guests' memory is mapped; at hole, nothing. */
static void map_1g(struct fixture *f, uint64_t gpa, uint64_t hpa, uint64_t hole,
		   unsigned prot)
{
	for (uint64_t at = 0; at < PAGE_1G; at += PAGE_2M)
		if (at != hole)
			assert_int_equal(table_map(&f->table, gpa + at,
						   hpa + at, PAGE_2M, prot,
						   MAP_WRITE_BACK),
					 0);
	table_merge(&f->table, gpa);
}

static void test_merge(void **state)
{
	struct fixture *f = *state;
	uint64_t part = GPA + MIB(700), tables;

	table_merge(&f->table, GPA); /* nothing there */
	tables = f->table.table_pages;
	assert_int_equal(table_split(&f->table, GPA + PAGE_1G * 600), 0);
	assert_int_equal(f->table.table_pages, tables);
	map_1g(f, GPA, HPA, UINT64_MAX, RWX);
	expect(f, part, HPA + MIB(700), PAGE_1G, RWX);
	table_merge(&f->table, GPA); /* once more */
	table_reap(&f->table);
	assert_int_equal(f->table.table_pages, tables);

	/* The same memory by 2 MiB, and one piece that goes. */
	assert_int_equal(table_split(&f->table, part), 0);
	expect(f, part, HPA + MIB(700), PAGE_2M, RWX);
	table_merge(&f->table, GPA);
	expect(f, part, HPA + MIB(700), PAGE_1G, RWX);
	assert_int_equal(table_unmap(&f->table, part, PAGE_2M), 0);
	expect(f, part + PAGE_2M, HPA + MIB(702), PAGE_2M, RWX);
	expect(f, part - 1, HPA + MIB(700) - 1, PAGE_2M, RWX);
	assert_int_equal(bytes_of(f, 0), PAGE_1G - PAGE_2M);
}

/* What is not the same all over stays in pieces. */
static void test_no_merge(void **state)
{
	struct fixture *f = *state;
	const struct {
		uint64_t hpa, hole, at, length;
		unsigned prot;
	} rows[] = {
		{ HPA, MIB(1022), 0, 0, 0 },
		{ HPA, 0, 0, 0, 0 },
		{ HPA + PAGE_2M, UINT64_MAX, 0, 0, 0 },
		{ HPA, UINT64_MAX, MIB(512), PAGE_2M, RX },
		{ HPA, UINT64_MAX, 0, PAGE_2M, RX },
		{ HPA, UINT64_MAX, MIB(512), PAGE_SIZE, RWX },
		{ HPA, UINT64_MAX, 0, PAGE_SIZE, RWX },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t gpa = GPA + i * PAGE_1G;
		uint64_t at = rows[i].at;

		map_1g(f, gpa, rows[i].hpa, rows[i].hole, RWX);
		if (rows[i].length)
			assert_int_equal(table_map(&f->table, gpa + at,
						   rows[i].hpa + at,
						   rows[i].length, rows[i].prot,
						   MAP_WRITE_BACK),
					 0);
		table_merge(&f->table, gpa);
		expect(f, gpa + MIB(2), rows[i].hpa + MIB(2), PAGE_2M, RWX);
	}
}

/* Marks do not keep pieces apart. */
static void test_merge_marked(void **state)
{
	struct fixture *f = *state;
	uint64_t *at = phys_to_virt(f->table.root);

	map_1g(f, GPA, HPA, MIB(2), RWX);
	for (unsigned level = 3; level >= 2; level--)
		at = phys_to_virt(at[GPA >> (12 + 9 * level) & 511] &
				  MASK(51, 12));
	at[7] |= EPT_ACCESSED | EPT_DIRTY;
	at[0] |= EPT_ACCESSED;
	/* Another's is left alone. */
	map_1g(f, GPA + PAGE_1G, HPA, MIB(2), RWX);
	assert_int_equal(table_map(&f->table, GPA + MIB(2), HPA + MIB(2),
				   PAGE_2M, RWX, MAP_WRITE_BACK),
			 0);
	table_merge(&f->table, GPA);
	expect(f, GPA, HPA, PAGE_1G, RWX);
	expect(f, GPA + PAGE_1G, HPA, PAGE_2M, RWX);
}

/* Where no large leaf may be executed, the GiB's others are not either. */
static void test_merged_executable(void **state)
{
	struct fixture *f = *state;
	uint64_t part = GPA + MIB(700), pages;

	map_1g(f, GPA, HPA, UINT64_MAX, RW);
	expect(f, part, HPA + MIB(700), PAGE_1G, RW);
	table_reap(&f->table);
	pages = f->account.pages;
	assert_int_equal(table_make_executable(&f->table, part), 0);
	assert_int_equal(f->account.pages, pages + 2);
	expect(f, part, HPA + MIB(700), PAGE_SIZE, RWX);
	expect(f, part + PAGE_2M, HPA + MIB(702), PAGE_2M, RW);
	expect(f, GPA, HPA, PAGE_2M, RW);

	/* With memory for one table only, nothing may be executed. */
	map_1g(f, GPA + PAGE_1G, HPA, UINT64_MAX, RW);
	table_reap(&f->table);
	f->account.limit = f->account.pages + 1;
	part += PAGE_1G;
	assert_int_equal(table_make_executable(&f->table, part), -ENOMEM);
	expect(f, part, HPA + MIB(700), PAGE_2M, RW);
}

/* What the processor has marked stays with every part of a split leaf. */
static void test_marks(void **state)
{
	struct fixture *f = *state;
	uint64_t *at;

	assert_int_equal(
		table_map(&f->table, GPA, HPA, 2 * PAGE_2M, RW, MAP_WRITE_BACK),
		0);
	assert_int_equal(bytes_of(f, EPT_ACCESSED), 0);
	at = phys_to_virt(f->table.root);
	for (unsigned level = 3; level >= 2; level--)
		at = phys_to_virt(at[GPA >> (12 + 9 * level) & 511] &
				  MASK(51, 12));
	at[GPA >> 21 & 511] |= EPT_ACCESSED | EPT_DIRTY;
	at[(GPA >> 21 & 511) + 1] |= EPT_ACCESSED;
	assert_int_equal(bytes_of(f, EPT_ACCESSED), 2 * PAGE_2M);
	assert_int_equal(bytes_of(f, EPT_DIRTY), PAGE_2M);
	assert_int_equal(table_unmap(&f->table, GPA, PAGE_SIZE), 0);
	assert_int_equal(bytes_of(f, EPT_DIRTY), PAGE_2M - PAGE_SIZE);
	assert_int_equal(bytes_of(f, EPT_ACCESSED), 2 * PAGE_2M - PAGE_SIZE);
	/* A new mapping has not been used. */
	assert_int_equal(
		table_map(&f->table, GPA, HPA, PAGE_2M, RW, MAP_WRITE_BACK), 0);
	assert_int_equal(bytes_of(f, EPT_DIRTY), 0);
}

/* Large leaves that may not be executed, until somebody does. */
static void test_make_executable(void **state)
{
	struct fixture *f = *state;
	uint64_t pages = f->account.pages;

	assert_int_equal(table_make_executable(&f->table, GPA), -ENOENT);
	assert_int_equal(f->account.pages, pages);
	assert_int_equal(
		table_map(&f->table, GPA, HPA, 2 * PAGE_2M, RW, MAP_WRITE_BACK),
		0);
	pages = f->account.pages;
	assert_int_equal(table_make_executable(&f->table, GPA + 0x7123), 0);
	assert_int_equal(f->account.pages, pages + 1);
	expect(f, GPA, HPA, PAGE_SIZE, RWX);
	expect(f, GPA + 0x7123, HPA + 0x7123, PAGE_SIZE, RWX);
	expect(f, GPA + PAGE_2M - 1, HPA + PAGE_2M - 1, PAGE_SIZE, RWX);
	expect(f, GPA + PAGE_2M, HPA + PAGE_2M, PAGE_2M, RW);

	/* Of small leaves just the one; what it may else stays. */
	assert_int_equal(table_map(&f->table, GPA, HPA, 2 * PAGE_SIZE, MAP_READ,
				   MAP_WRITE_BACK),
			 0);
	assert_int_equal(table_make_executable(&f->table, GPA + PAGE_SIZE), 0);
	assert_int_equal(f->account.pages, pages + 1);
	expect(f, GPA, HPA, PAGE_SIZE, MAP_READ);
	expect(f, GPA + PAGE_SIZE, HPA + PAGE_SIZE, PAGE_SIZE, RX);

	/* Nothing else is left behind where a table cannot be had. */
	f->account.limit = f->account.pages;
	assert_int_equal(table_make_executable(&f->table, GPA + PAGE_2M),
			 -ENOMEM);
	expect(f, GPA + PAGE_2M, HPA + PAGE_2M, PAGE_2M, RW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bits),
		cmocka_unit_test_setup_teardown(test_split, setup, teardown),
		cmocka_unit_test_setup_teardown(test_1g, setup, teardown),
		cmocka_unit_test_setup_teardown(test_marks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_merge, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_merge, setup, teardown),
		cmocka_unit_test_setup_teardown(test_merged_executable, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_merge_marked, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_make_executable, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("ept", tests, NULL, NULL);
}
