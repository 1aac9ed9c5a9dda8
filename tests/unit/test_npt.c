/* SPDX-License-Identifier: BSD-2-Clause */
/* The page table walker, in the nested format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "include/errno.h"
#include "mm/npt.h"
#include "tests/unit/fake_phys.h"

#define RWX   (MAP_READ | MAP_WRITE | MAP_EXEC)
#define RX    (MAP_READ | MAP_EXEC)
#define POOL  MIB(2) /* where tables come from: 2 to 4 MiB */
#define GPA   GIB(5)
#define HPA   GIB(9)
#define NPT_P BIT(0)

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
		table_init(&f->table, &npt_format, &f->pages, &f->account), 0);
	*state = f;
	return 0;
}

/* Whatever a test did, all tables must be found and freed. */
static int teardown(void **state)
{
	struct fixture *f = *state;

	table_fini(&f->table, TABLE_ENTRIES);
	assert_int_equal(f->account.pages, 0);
	assert_int_equal(f->table.table_pages, 0);
	free(f->metadata);
	fake_phys_fini();
	free(f);
	return 0;
}

static void expect(struct fixture *f, uint64_t gpa, uint64_t pa, uint64_t size,
		   unsigned prot)
{
	struct table_leaf leaf;

	assert_true(table_query(&f->table, gpa, &leaf));
	assert_int_equal(leaf.pa, pa);
	assert_int_equal(leaf.size, size);
	assert_int_equal(leaf.prot, prot | MAP_USER);
}

static void expect_hole(struct fixture *f, uint64_t gpa)
{
	struct table_leaf leaf;

	assert_false(table_query(&f->table, gpa, &leaf));
}

static void test_sizes(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(table_map(&f->table, GPA - PAGE_SIZE, HPA - PAGE_SIZE,
				   PAGE_2M + 2 * PAGE_SIZE, RWX,
				   MAP_WRITE_BACK),
			 0);
	expect_hole(f, GPA - PAGE_SIZE - 1);
	expect(f, GPA - 1, HPA - 1, PAGE_SIZE, RWX);
	expect(f, GPA + 5, HPA + 5, PAGE_2M, RWX);
	expect(f, GPA + PAGE_2M, HPA + PAGE_2M, PAGE_SIZE, RWX);
	expect_hole(f, GPA + PAGE_2M + PAGE_SIZE);
}

static void test_unaligned_target_takes_small_pages(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(table_map(&f->table, GPA, HPA + PAGE_SIZE, PAGE_2M,
				   RWX, MAP_WRITE_BACK),
			 0);
	expect(f, GPA + PAGE_2M - 1, HPA + PAGE_2M + PAGE_SIZE - 1, PAGE_SIZE,
	       RWX);
}

static void test_bad_arguments(void **state)
{
	struct fixture *f = *state;
	struct page_table *t = &f->table;

	assert_int_equal(table_map(t, 1, HPA, PAGE_SIZE, RWX, MAP_WRITE_BACK),
			 -EINVAL);
	assert_int_equal(table_map(t, GPA, 8, PAGE_SIZE, RWX, MAP_WRITE_BACK),
			 -EINVAL);
	assert_int_equal(table_map(t, GPA, HPA, 100, RWX, MAP_WRITE_BACK),
			 -EINVAL);
	assert_int_equal(table_map(t, GPA, HPA, PAGE_SIZE, 0, MAP_WRITE_BACK),
			 -EINVAL);
	assert_int_equal(table_map(t, ~(PAGE_SIZE - 1), HPA, 2 * PAGE_SIZE, RWX,
				   MAP_WRITE_BACK),
			 -EINVAL);
	assert_int_equal(table_unmap(t, 7, PAGE_SIZE), -EINVAL);
}

static void test_unmap_splits(void **state)
{
	struct fixture *f = *state;
	uint64_t hole = GPA + 17 * PAGE_SIZE;

	assert_int_equal(
		table_map(&f->table, GPA, HPA, 2 * PAGE_2M, RWX, MAP_UNCACHED),
		0);
	assert_int_equal(table_unmap(&f->table, hole, PAGE_SIZE), 0);
	expect_hole(f, hole);
	expect(f, hole - 1, HPA + 17 * PAGE_SIZE - 1, PAGE_SIZE, RWX);
	expect(f, hole + PAGE_SIZE, HPA + 18 * PAGE_SIZE, PAGE_SIZE, RWX);
	expect(f, GPA + PAGE_2M, HPA + PAGE_2M, PAGE_2M, RWX);
}

static void test_split_keeps_type(void **state)
{
	struct fixture *f = *state;
	struct table_leaf leaf;

	assert_int_equal(
		table_map(&f->table, GPA, HPA, PAGE_2M, RWX, MAP_UNCACHED), 0);
	assert_int_equal(table_unmap(&f->table, GPA, PAGE_SIZE), 0);
	assert_true(table_query(&f->table, GPA + PAGE_SIZE, &leaf));
	assert_int_equal(leaf.type, MAP_UNCACHED);
}

static void test_unmap_over_holes(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		table_map(&f->table, GPA, HPA, PAGE_SIZE, RWX, MAP_WRITE_BACK),
		0);
	assert_int_equal(table_map(&f->table, GPA + GIB(3), HPA, PAGE_2M, RWX,
				   MAP_WRITE_BACK),
			 0);
	assert_int_equal(table_unmap(&f->table, 0, GIB(600)), 0);
	expect_hole(f, GPA);
	expect_hole(f, GPA + GIB(3));
}

/* Fewer rights for a part of a leaf. */
static void test_remap_part(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		table_map(&f->table, GPA, HPA, PAGE_2M, RWX, MAP_WRITE_BACK),
		0);
	assert_int_equal(table_map(&f->table, GPA + KIB(768), HPA + KIB(768),
				   KIB(256), RX, MAP_WRITE_BACK),
			 0);
	expect(f, GPA + KIB(768) - 1, HPA + KIB(768) - 1, PAGE_SIZE, RWX);
	expect(f, GPA + KIB(768), HPA + KIB(768), PAGE_SIZE, RX);
	expect(f, GPA + MIB(1) - 1, HPA + MIB(1) - 1, PAGE_SIZE, RX);
	expect(f, GPA + MIB(1), HPA + MIB(1), PAGE_SIZE, RWX);
	expect_hole(f, GPA + PAGE_2M);
}

static void test_remap(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		table_map(&f->table, GPA, HPA, PAGE_2M, RWX, MAP_WRITE_BACK),
		0);
	/* A small page into a large one, then the large one over it again. */
	assert_int_equal(table_map(&f->table, GPA + PAGE_SIZE, HPA + GIB(1),
				   PAGE_SIZE, RX, MAP_WRITE_BACK),
			 0);
	expect(f, GPA, HPA, PAGE_SIZE, RWX);
	expect(f, GPA + PAGE_SIZE, HPA + GIB(1), PAGE_SIZE, RX);
	expect(f, GPA + 2 * PAGE_SIZE, HPA + 2 * PAGE_SIZE, PAGE_SIZE, RWX);
	assert_int_equal(table_map(&f->table, GPA, HPA + GIB(2), PAGE_2M, RX,
				   MAP_WRITE_BACK),
			 0);
	expect(f, GPA, HPA + GIB(2), PAGE_SIZE, RX);
	expect(f, GPA + PAGE_2M - 1, HPA + GIB(2) + PAGE_2M - 1, PAGE_SIZE, RX);
}

/* Out of pages at each possible moment: an error, and nothing lost. */
static void test_no_memory(void **state)
{
	struct fixture *f = *state;
	hpa_t taken[PAGES_PER_BLOCK];
	unsigned count = 0, spare;

	for (spare = 0; spare < 3; spare++) {
		while ((taken[count] = pages_alloc(&f->pages, NULL, 0)) != 0)
			count++;
		for (unsigned i = 0; i < spare && count; i++)
			pages_free(&f->pages, NULL, taken[--count], 0);
		assert_int_equal(table_map(&f->table, GPA + GIB(512) * spare,
					   HPA, PAGE_SIZE, RWX, MAP_WRITE_BACK),
				 -ENOMEM);
		expect_hole(f, GPA + GIB(512) * spare);
	}
	while (count)
		pages_free(&f->pages, NULL, taken[--count], 0);
	assert_int_equal(
		table_map(&f->table, GPA, HPA, PAGE_2M, RWX, MAP_WRITE_BACK),
		0);
	while ((taken[count] = pages_alloc(&f->pages, NULL, 0)) != 0)
		count++;
	assert_int_equal(table_unmap(&f->table, GPA, PAGE_SIZE), -ENOMEM);
	expect(f, GPA, HPA, PAGE_2M, RWX);
	while (count)
		pages_free(&f->pages, NULL, taken[--count], 0);
}

/* A random sequence against an array that holds what each page should be. */
static void test_random(void **state)
{
	enum { PAGES = 4 * 512, ROUNDS = 400 };
	static uint64_t pa[PAGES];
	static unsigned prot[PAGES];
	struct fixture *f = *state;

	memset(pa, 0, sizeof(pa));
	srand(2);
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned first = (unsigned)rand() % PAGES;
		unsigned count = 1 + (unsigned)rand() % (PAGES - first);
		uint64_t at = GPA + first * PAGE_SIZE;
		unsigned kind = (unsigned)rand() % 3;

		if (rand() % 2)
			count = MIN(count, 8);
		if (kind == 0)
			assert_int_equal(
				table_unmap(&f->table, at, count * PAGE_SIZE),
				0);
		else
			assert_int_equal(table_map(&f->table, at,
						   HPA + first * PAGE_SIZE,
						   count * PAGE_SIZE,
						   kind == 1 ? RX : RWX,
						   MAP_WRITE_BACK),
					 0);
		for (unsigned i = first; i < first + count; i++) {
			pa[i] = kind ? HPA + i * PAGE_SIZE : 0;
			prot[i] = kind == 1 ? RX : RWX;
		}
		for (unsigned i = 0; i < PAGES; i += 13) {
			struct table_leaf leaf;
			bool is_mapped = table_query(
				&f->table, GPA + i * PAGE_SIZE, &leaf);

			assert_int_equal(is_mapped, pa[i] != 0);
			if (!is_mapped)
				continue;
			assert_int_equal(leaf.pa, pa[i]);
			assert_int_equal(leaf.prot, prot[i] | MAP_USER);
		}
	}
}

/* Unmaps [va, end) in pieces, as GATE_MAP does; how many pieces it took. */
static unsigned unmap_in_pieces(struct fixture *f, uint64_t va, uint64_t end)
{
	unsigned pieces = 0;

	while (va < end) {
		uint64_t before = va;

		assert_int_equal(table_unmap_some(&f->table, &va, end), 0);
		assert_true(va > before && va <= end);
		assert_true(f->table.dead_count <= TABLE_DEAD_MAX);
		if (table_is_reap_due(&f->table))
			table_reap(&f->table);
		pieces++;
	}
	table_reap(&f->table);
	return pieces;
}

/* Tables in every corner of the address space: all come back. */
static void test_empty_tables_come_back(void **state)
{
	struct fixture *f = *state;
	uint64_t tables = f->table.table_pages;

	for (unsigned i = 0; i < 120; i++)
		assert_int_equal(table_map(&f->table,
					   ((uint64_t)i << 38) + i * MIB(6),
					   HPA, PAGE_SIZE, RWX, MAP_WRITE_BACK),
				 0);
	assert_true(f->table.table_pages > tables + 250);
	assert_true(unmap_in_pieces(f, 0, 1ULL << 46) < 4000);
	assert_false(table_has_small(&f->table, GPA));
	assert_int_equal(f->table.table_pages, tables);
	assert_int_equal(f->account.pages, tables);
	expect_hole(f, 0);
}

/* One page that stays keeps its tables, and its neighbours' go. */
static void test_used_tables_stay(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(table_map(&f->table, GPA, HPA, 4 * PAGE_2M, RWX,
				   MAP_WRITE_BACK),
			 0);
	assert_int_equal(table_map(&f->table, GPA + GIB(1), HPA, PAGE_SIZE, RWX,
				   MAP_WRITE_BACK),
			 0);
	assert_int_equal(table_map(&f->table, GPA, HPA + PAGE_SIZE, PAGE_SIZE,
				   RWX, MAP_WRITE_BACK),
			 0);
	assert_true(table_has_small(&f->table, GPA));
	assert_false(table_has_small(&f->table, GPA + PAGE_2M));
	/* 1 root, 1 of 512 GiB, 2 of 1 GiB, 2 of 2 MiB. */
	assert_int_equal(f->table.table_pages, 6);
	(void)unmap_in_pieces(f, GPA + PAGE_SIZE, GPA + GIB(2));
	expect(f, GPA, HPA + PAGE_SIZE, PAGE_SIZE, RWX);
	expect_hole(f, GPA + PAGE_SIZE);
	expect_hole(f, GPA + GIB(1));
	assert_int_equal(f->table.table_pages, 4);
}

/* What was taken out is not freed before it is said to be forgotten. */
static void test_dead_tables_wait(void **state)
{
	struct fixture *f = *state;
	uint64_t va = GPA, before;

	assert_int_equal(
		table_map(&f->table, GPA, HPA, PAGE_SIZE, RWX, MAP_WRITE_BACK),
		0);
	before = f->account.pages;
	assert_int_equal(table_unmap_some(&f->table, &va, GPA + PAGE_SIZE), 0);
	assert_int_equal(va, GPA + PAGE_SIZE);
	assert_int_equal(f->account.pages, before);
	table_reap(&f->table);
	assert_int_equal(f->account.pages, before - 3);
}

static void test_no_room_in_the_account(void **state)
{
	struct fixture *f = *state;

	f->account.limit = f->account.pages + 3;
	assert_int_equal(
		table_map(&f->table, GPA, HPA, PAGE_SIZE, RWX, MAP_WRITE_BACK),
		0);
	assert_int_equal(table_map(&f->table, GPA + PAGE_2M, HPA, PAGE_SIZE,
				   RWX, MAP_WRITE_BACK),
			 -ENOMEM);
	expect(f, GPA, HPA, PAGE_SIZE, RWX);
	(void)unmap_in_pieces(f, GPA, GPA + PAGE_SIZE);
	assert_int_equal(table_map(&f->table, GPA + PAGE_2M, HPA, PAGE_SIZE,
				   RWX, MAP_WRITE_BACK),
			 0);
}

/* Each entry carries the bits that the processor wants on a nested walk. */
static void test_format(void **state)
{
	(void)state;
	assert_int_equal(npt_format.leaf(RWX, MAP_WRITE_BACK, 1), 0x67);
	assert_int_equal(npt_format.leaf(RX, MAP_WRITE_BACK, 2), 0xe5);
	assert_int_equal(npt_format.leaf(MAP_READ | MAP_WRITE, MAP_UNCACHED, 1),
			 0x7f | BIT(63));
	assert_int_equal(npt_format.table & 7, 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sizes),
		TEST(test_unaligned_target_takes_small_pages),
		TEST(test_bad_arguments),
		TEST(test_unmap_splits),
		TEST(test_split_keeps_type),
		TEST(test_unmap_over_holes),
		TEST(test_remap_part),
		TEST(test_remap),
		TEST(test_no_memory),
		TEST(test_random),
		TEST(test_empty_tables_come_back),
		TEST(test_used_tables_stay),
		TEST(test_dead_tables_wait),
		TEST(test_no_room_in_the_account),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests_name("npt", tests, NULL, NULL);
}
