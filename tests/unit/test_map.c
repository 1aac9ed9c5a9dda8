/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring 3's half of an address space: which pages are the space's own, which
 * are borrowed, which are copied on write; and what is freed with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "include/errno.h"
#include "include/panic.h"
#include "include/spinlock.h"
#include "include/x86.h"
#include "mm/map.h"
#include "tests/unit/fake_phys.h"

#define POOL MIB(2) /* where pages come from: 2 to 8 MiB */
#define VA   GIB(5)
#define HPA  GIB(9) /* of nobody's that is ever freed */
#define RW   (MAP_READ | MAP_WRITE)
#define COW  (MAP_READ | MAP_COW)
#define OWN  (RW | MAP_OWNED)

FAKE_X86_DEFINE;

void monitor_panic(const char *format, ...)
{
	fail_msg("%s", format);
	abort();
}

/* One CPU: nobody to wait for. */
void fake_lock_wait(struct spinlock *lock)
{
	(void)lock;
	abort();
}

void fake_lock_taken(struct spinlock *lock)
{
	(void)lock;
}

void fake_lock_tried(struct spinlock *lock)
{
	(void)lock;
}

void fake_lock_released(struct spinlock *lock)
{
	(void)lock;
}

struct fixture {
	struct pages pages;
	struct mem_account account;
	struct kernel_map kernel;
	struct address_space space;
	uint64_t empty; /* pages of a space without anything in it */
	void *metadata;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *root;

	fake_phys_init();
	f->metadata = malloc(pages_metadata_size(FAKE_PHYS_SIZE));
	pages_init(&f->pages, f->metadata, FAKE_PHYS_SIZE);
	pages_add(&f->pages, POOL, 3 * PAGE_2M);
	root = pages_alloc_zeroed(&f->pages, NULL, 0);
	f->kernel.table.pages = &f->pages;
	f->kernel.table.root = virt_to_phys(root);
	assert_int_equal(address_space_init(&f->space, &f->kernel, &f->account),
			 0);
	f->empty = f->account.pages;
	*state = f;
	return 0;
}

/* Tables go with the space; pages went before. */
static int teardown(void **state)
{
	struct fixture *f = *state;

	address_space_fini(&f->space);
	assert_int_equal(f->account.pages, 0);
	free(f->metadata);
	fake_phys_fini();
	free(f);
	return 0;
}

static void map(struct fixture *f, uint64_t va, hpa_t hpa, uint64_t length,
		unsigned prot)
{
	assert_int_equal(address_space_map(&f->space, va, hpa, length, prot),
			 0);
}

static hpa_t map_own(struct fixture *f, uint64_t va)
{
	hpa_t page = pages_alloc(&f->pages, &f->account, 0);

	assert_int_not_equal(page, 0);
	map(f, va, page, PAGE_SIZE, OWN);
	return page;
}

static void expect(struct fixture *f, uint64_t va, hpa_t hpa, uint64_t size,
		   unsigned prot)
{
	struct table_leaf leaf;

	assert_true(table_query(&f->space.table, va, &leaf));
	assert_int_equal(leaf.pa, hpa);
	assert_int_equal(leaf.size, size);
	assert_int_equal(leaf.prot, prot | MAP_USER);
}

static bool is_mapped(struct fixture *f, uint64_t va)
{
	struct table_leaf leaf;

	return table_query(&f->space.table, va, &leaf);
}

/* All of [va, end), in pieces; how many pieces it took. */
static unsigned release(struct fixture *f, uint64_t va, uint64_t end)
{
	unsigned pieces = 0;

	while (va < end) {
		uint64_t before = va;

		table_release_some(&f->space.table, &va, end);
		assert_true(va > before);
		pieces++;
	}
	return pieces;
}

/* Owned pages of all sorts of neighbours, and nothing else. */
static void test_release_frees_what_is_owned(void **state)
{
	struct fixture *f = *state;
	uint64_t tables, free_pages;

	map(f, VA, HPA, 3 * PAGE_2M, COW);
	map(f, VA + GIB(1), HPA, 5 * PAGE_SIZE, MAP_READ);
	for (unsigned i = 0; i < 7; i++)
		(void)map_own(f, VA + PAGE_2M + (uint64_t)i * i * PAGE_SIZE);
	(void)map_own(f, VA + GIB(1) + 2 * PAGE_SIZE);
	(void)map_own(f, 0);
	(void)map_own(f, USER_END - PAGE_SIZE);
	tables = f->space.table.table_pages;
	assert_int_equal(f->account.pages, tables + 10);
	free_pages = f->pages.free;
	/* Next to nothing in 128 TiB: not one piece for each hole. */
	assert_in_range(release(f, 0, USER_END), 1, 100);
	assert_int_equal(f->account.pages, tables);
	assert_int_equal(f->pages.free, free_pages + 10);
	assert_int_equal(f->space.table.table_pages, tables);
	assert_false(table_is_mapped(&f->space.table, 0, USER_END));
}

/* The page before the range and the one behind it stay. */
static void test_release_keeps_to_its_range(void **state)
{
	struct fixture *f = *state;
	hpa_t page[5];

	for (unsigned i = 0; i < 5; i++)
		page[i] = map_own(f, VA + i * PAGE_SIZE);
	(void)release(f, VA + PAGE_SIZE, VA + 4 * PAGE_SIZE);
	expect(f, VA, page[0], PAGE_SIZE, OWN);
	expect(f, VA + 4 * PAGE_SIZE, page[4], PAGE_SIZE, OWN);
	for (unsigned i = 1; i < 4; i++)
		assert_false(is_mapped(f, VA + i * PAGE_SIZE));
	assert_int_equal(f->account.pages, f->space.table.table_pages + 2);
	(void)release(f, 0, USER_END);
	assert_int_equal(f->account.pages, f->space.table.table_pages);
}

/* A piece is short: no more than some dozens of leaves are taken out. */
static void test_release_comes_in_pieces(void **state)
{
	struct fixture *f = *state;
	uint64_t va = VA, before;

	for (unsigned i = 0; i < TABLE_ENTRIES; i++)
		(void)map_own(f, VA + i * PAGE_SIZE);
	while (va < VA + PAGE_2M) {
		before = f->account.pages;
		table_release_some(&f->space.table, &va, VA + PAGE_2M);
		assert_in_range(before - f->account.pages, 1, 64);
	}
	assert_int_equal(va, VA + PAGE_2M);
	assert_int_equal(f->account.pages, f->space.table.table_pages);
}

/* Registers, which no cache may hold, beside memory. */
static void test_device(void **state)
{
	struct fixture *f = *state;
	struct table_leaf leaf;

	map(f, VA, HPA, PAGE_2M, MAP_READ | MAP_WRITE | MAP_DEVICE);
	map(f, VA + PAGE_2M, HPA, PAGE_SIZE, MAP_READ | MAP_WRITE);
	expect(f, VA, HPA, PAGE_2M, MAP_READ | MAP_WRITE);
	assert_true(table_query(&f->space.table, VA, &leaf));
	assert_int_equal(leaf.type, MAP_UNCACHED);
	assert_true(table_query(&f->space.table, VA + PAGE_2M, &leaf));
	assert_int_equal(leaf.type, MAP_WRITE_BACK);
}

static void test_is_mapped(void **state)
{
	struct fixture *f = *state;
	struct page_table *table = &f->space.table;

	assert_false(table_is_mapped(table, 0, USER_END));
	map(f, VA + 3 * PAGE_SIZE, HPA, PAGE_SIZE, MAP_READ);
	assert_true(table_is_mapped(table, 0, USER_END));
	assert_true(table_is_mapped(table, VA + 3 * PAGE_SIZE, PAGE_SIZE));
	assert_true(table_is_mapped(table, VA, 4 * PAGE_SIZE));
	assert_false(table_is_mapped(table, VA, 3 * PAGE_SIZE));
	assert_false(table_is_mapped(table, VA + 4 * PAGE_SIZE, GIB(1)));
	assert_false(table_is_mapped(table, VA + 3 * PAGE_SIZE, 0));
	/* In the middle of a large leaf, and with its last page alone. */
	map(f, VA + PAGE_2M, HPA, PAGE_2M, MAP_READ);
	assert_true(table_is_mapped(table, VA + 2 * PAGE_2M - PAGE_SIZE,
				    2 * PAGE_SIZE));
	assert_false(table_is_mapped(table, VA + 2 * PAGE_2M, GIB(100)));
	/* Tables that are there, with nothing in them. */
	assert_int_equal(
		address_space_unmap(&f->space, VA + 3 * PAGE_SIZE, PAGE_SIZE),
		0);
	assert_false(table_is_mapped(table, VA, PAGE_2M));
}

/* What the first write to a page of a large module's does. */
static void test_copy_splits_a_large_leaf(void **state)
{
	struct fixture *f = *state;
	const unsigned copied = 77;
	hpa_t page;

	map(f, VA, HPA, 2 * PAGE_2M, COW);
	expect(f, VA, HPA, PAGE_2M, COW);
	page = map_own(f, VA + copied * PAGE_SIZE);
	for (unsigned i = 0; i < TABLE_ENTRIES; i++)
		if (i != copied)
			expect(f, VA + i * PAGE_SIZE, HPA + i * PAGE_SIZE,
			       PAGE_SIZE, COW);
	expect(f, VA + copied * PAGE_SIZE, page, PAGE_SIZE, OWN);
	expect(f, VA + PAGE_2M, HPA + PAGE_2M, PAGE_2M, COW);
	/* One page comes back; the module's 1023 are not freed. */
	assert_int_equal(f->account.pages, f->space.table.table_pages + 1);
	(void)release(f, VA, VA + 2 * PAGE_2M);
	assert_int_equal(f->account.pages, f->space.table.table_pages);
}

/* Without a page for the table nothing has changed. */
static void test_no_memory_for_the_split(void **state)
{
	struct fixture *f = *state;
	hpa_t page = pages_alloc(&f->pages, &f->account, 0);

	map(f, VA, HPA, PAGE_2M, COW);
	f->account.limit = f->account.pages;
	assert_int_equal(address_space_map(&f->space, VA, page, PAGE_SIZE, OWN),
			 -ENOMEM);
	expect(f, VA, HPA, PAGE_2M, COW);
	pages_free(&f->pages, &f->account, page, 0);
	(void)release(f, VA, VA + PAGE_2M);
}

/* One page again and again, also where both are aligned as a large leaf is. */
static void test_the_same_page(void **state)
{
	struct fixture *f = *state;

	map(f, VA - PAGE_SIZE, HPA, PAGE_2M + 3 * PAGE_SIZE, COW | MAP_SAME);
	for (int i = -1; i < TABLE_ENTRIES + 2; i++)
		expect(f, VA + i * PAGE_SIZE, HPA, PAGE_SIZE, COW);
	assert_false(table_is_mapped(&f->space.table,
				     VA + PAGE_2M + 2 * PAGE_SIZE, GIB(1)));
	(void)map_own(f, VA + PAGE_SIZE);
	expect(f, VA, HPA, PAGE_SIZE, COW);
	expect(f, VA + 2 * PAGE_SIZE, HPA, PAGE_SIZE, COW);
	(void)release(f, VA - PAGE_SIZE, VA + 2 * PAGE_2M);
	assert_int_equal(f->account.pages, f->space.table.table_pages);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_release_frees_what_is_owned),
		TEST(test_release_keeps_to_its_range),
		TEST(test_release_comes_in_pieces),
		TEST(test_device),
		TEST(test_is_mapped),
		TEST(test_copy_splits_a_large_leaf),
		TEST(test_no_memory_for_the_split),
		TEST(test_the_same_page),
	};

	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
