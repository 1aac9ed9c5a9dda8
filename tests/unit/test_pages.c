/* SPDX-License-Identifier: BSD-2-Clause */
/* The page allocator, on addresses that nobody dereferences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "include/errno.h"
#include "mm/pages.h"
#include "mm/phys.h"
#include "tests/unit/fake_phys.h"

#define TOP MIB(64)

struct fixture {
	struct pages pages;
	struct mem_account account;
	void *metadata;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->metadata = malloc(pages_metadata_size(TOP));
	pages_init(&f->pages, f->metadata, TOP);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->metadata);
	free(f);
	return 0;
}

static void test_empty(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(pages_alloc(&f->pages, NULL, 0), 0);
	assert_int_equal(pages_alloc(&f->pages, NULL, PAGES_ORDER_MAX), 0);
}

static void test_partial_pages_are_dropped(void **state)
{
	struct fixture *f = *state;

	pages_add(&f->pages, MIB(2) + 1, 3 * PAGE_SIZE);
	assert_int_equal(f->pages.free, 2);
	assert_int_equal(pages_alloc(&f->pages, NULL, 0), MIB(2) + PAGE_SIZE);
	assert_int_equal(pages_alloc(&f->pages, NULL, 0),
			 MIB(2) + 2 * PAGE_SIZE);
	assert_int_equal(pages_alloc(&f->pages, NULL, 0), 0);
}

/* Every run is aligned, inside what was added, and handed out once. */
static void test_orders(void **state)
{
	struct fixture *f = *state;
	uint8_t *taken = calloc(TOP / PAGE_SIZE, 1);
	uint64_t count = 0;

	pages_add(&f->pages, MIB(1), TOP - MIB(1));
	for (unsigned i = 0;; i++) {
		unsigned order = i * 7 % (PAGES_ORDER_MAX + 1);
		hpa_t hpa = pages_alloc(&f->pages, &f->account, order);

		if (!hpa)
			break;
		assert_true(IS_ALIGNED(hpa, PAGE_SIZE << order));
		assert_true(hpa >= MIB(1) && hpa + (PAGE_SIZE << order) <= TOP);
		for (unsigned p = 0; p < 1U << order; p++)
			assert_int_equal(taken[hpa / PAGE_SIZE + p]++, 0);
		count += 1U << order;
	}
	assert_int_equal(f->account.pages, count);
	assert_int_equal(f->pages.free, f->pages.total - count);
	free(taken);
}

static void test_small_runs_spare_whole_blocks(void **state)
{
	struct fixture *f = *state;
	hpa_t page;

	pages_add(&f->pages, MIB(2), MIB(8));
	page = pages_alloc(&f->pages, NULL, 0);
	for (unsigned i = 1; i < PAGES_PER_BLOCK; i++)
		assert_int_equal(
			ALIGN_DOWN(pages_alloc(&f->pages, NULL, 0), PAGE_2M),
			ALIGN_DOWN(page, PAGE_2M));
	for (unsigned i = 0; i < 3; i++)
		assert_int_not_equal(
			pages_alloc(&f->pages, NULL, PAGES_ORDER_MAX), 0);
	assert_int_equal(pages_alloc(&f->pages, NULL, 0), 0);
}

static void test_freed_pages_merge(void **state)
{
	struct fixture *f = *state;
	hpa_t page[PAGES_PER_BLOCK];

	pages_add(&f->pages, MIB(4), PAGE_2M);
	for (unsigned i = 0; i < PAGES_PER_BLOCK; i++)
		page[i] = pages_alloc(&f->pages, &f->account, 0);
	assert_int_equal(pages_alloc(&f->pages, NULL, 0), 0);
	for (unsigned i = 0; i < PAGES_PER_BLOCK; i++) {
		assert_int_equal(pages_alloc(&f->pages, NULL, PAGES_ORDER_MAX),
				 0);
		pages_free(&f->pages, &f->account,
			   page[(i * 37) % PAGES_PER_BLOCK], 0);
	}
	assert_int_equal(f->account.pages, 0);
	assert_int_equal(f->account.peak, PAGES_PER_BLOCK);
	assert_int_equal(pages_alloc(&f->pages, NULL, PAGES_ORDER_MAX), MIB(4));
}

/* Random work against a simple model. */
static void test_random(void **state)
{
	struct fixture *f = *state;
	struct {
		hpa_t hpa;
		unsigned order;
	} held[256] = { 0 };
	uint64_t expected;

	pages_add(&f->pages, MIB(3), MIB(20));
	expected = f->pages.free;
	srand(1);
	for (unsigned i = 0; i < 20000; i++) {
		unsigned at = (unsigned)rand() % 256;

		if (held[at].hpa) {
			pages_free(&f->pages, &f->account, held[at].hpa,
				   held[at].order);
			expected += 1U << held[at].order;
			held[at].hpa = 0;
			continue;
		}
		held[at].order = (unsigned)rand() % 6;
		held[at].hpa =
			pages_alloc(&f->pages, &f->account, held[at].order);
		if (held[at].hpa)
			expected -= 1U << held[at].order;
		assert_int_equal(f->pages.free, expected);
	}
	for (unsigned at = 0; at < 256; at++)
		if (held[at].hpa)
			pages_free(&f->pages, &f->account, held[at].hpa,
				   held[at].order);
	assert_int_equal(f->pages.free, f->pages.total);
	assert_int_equal(f->account.pages, 0);
}

static void test_zeroed(void **state)
{
	struct fixture *f = *state;
	uint8_t *page;

	fake_phys_init();
	memset(phys_to_virt(MIB(2)), 0xaa, PAGE_2M);
	pages_add(&f->pages, MIB(2), PAGE_2M);
	page = pages_alloc_zeroed(&f->pages, &f->account, 1);
	assert_non_null(page);
	for (unsigned i = 0; i < 2 * PAGE_SIZE; i++)
		assert_int_equal(page[i], 0);
	assert_int_equal(page[2 * PAGE_SIZE], 0xaa);
	pages_free_virt(&f->pages, &f->account, page, 1);
	assert_int_equal(f->account.pages, 0);
	fake_phys_fini();
}

/* An account at its limit gets nothing, whatever is free; others do. */
static void test_limit(void **state)
{
	struct fixture *f = *state;
	struct mem_account other = { 0 };
	hpa_t page;

	pages_add(&f->pages, MIB(2), PAGE_2M);
	f->account.limit = 5;
	assert_true(pages_alloc(&f->pages, &f->account, 2));
	page = pages_alloc(&f->pages, &f->account, 0);
	assert_true(page);
	assert_int_equal(pages_alloc(&f->pages, &f->account, 0), 0);
	assert_true(pages_alloc(&f->pages, &other, 0));
	pages_free(&f->pages, &f->account, page, 0);
	assert_int_equal(pages_alloc(&f->pages, &f->account, 1), 0);
	assert_true(pages_alloc(&f->pages, &f->account, 0));
	assert_int_equal(f->account.pages, 5);
}

static void test_wanted(void **state)
{
	struct fixture *f = *state;
	struct mem_account other = { 0 };
	hpa_t page;

	pages_add(&f->pages, MIB(2), MIB(18));
	assert_true(pages_are_free(&f->pages, MIB(2), MIB(18)));
	assert_false(pages_are_free(&f->pages, 0, MIB(2)));
	assert_false(pages_are_free(&f->pages, MIB(18), MIB(4)));
	assert_false(pages_are_free(&f->pages, TOP - PAGE_2M, MIB(4)));
	assert_int_equal(pages_alloc_2m(&f->pages, &f->account, MIB(8)),
			 MIB(8));
	assert_false(pages_are_free(&f->pages, MIB(6), MIB(4)));
	/* Taken, partly taken, no RAM, beyond its end, none: any other. */
	page = pages_alloc(&f->pages, &other, 0);
	for (unsigned i = 0; i < 5; i++) {
		const hpa_t wanted[] = { MIB(8), ALIGN_DOWN(page, PAGE_2M),
					 MIB(30), TOP + GIB(5), 0 };
		hpa_t hpa = pages_alloc_2m(&f->pages, &f->account, wanted[i]);

		assert_true(hpa && hpa != MIB(8));
		assert_int_not_equal(hpa, ALIGN_DOWN(page, PAGE_2M));
	}
	f->account.limit = f->account.pages + PAGES_PER_BLOCK - 1;
	assert_int_equal(pages_alloc_2m(&f->pages, &f->account, MIB(2)), 0);
}

static void test_move(void **state)
{
	struct fixture *f = *state;
	struct mem_account other = { .limit = 3 };

	pages_add(&f->pages, MIB(2), PAGE_2M);
	assert_true(pages_alloc(&f->pages, &f->account, 2));
	assert_int_equal(pages_move(&f->pages, &f->account, &other, 4),
			 -ENOMEM);
	assert_int_equal(f->account.pages, 4);
	assert_int_equal(other.pages, 0);
	assert_int_equal(pages_move(&f->pages, &f->account, &other, 3), 0);
	assert_int_equal(f->account.pages, 1);
	assert_int_equal(other.pages, 3);
	assert_int_equal(other.peak, 3);
	assert_int_equal(f->pages.free, f->pages.total - 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_partial_pages_are_dropped,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_orders, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_small_runs_spare_whole_blocks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_freed_pages_merge, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zeroed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wanted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_move, setup, teardown),
	};

	return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
