/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several requests of a service's disk at a time (machine/disk_service.c), and
 * those that clear.
 */
#include "tests/unit/disk_service_ask.h"

static void submit_to_first(unsigned place)
{
	bench.disk[0]->submit(bench.disk[0]->ctx, &asked[place].request);
	service_read();
}

/* They end in the order that disk likes. */
static void test_several(void **state)
{
	(void)state;
	bench_open(1);
	assert_int_equal(bench.disk[0]->depth, DISK_SERVICE_DEPTH);
	for (unsigned i = 0; i < 3; i++) {
		segment_add(prepare(i, BLOCK_READ, 8 * i),
			    bench.window + 4096 * i, 4096);
		submit_to_first(i);
	}
	assert_int_equal(bench.count, 3);
	service_answer(1, 0, 0);
	event();
	expect(&asked[1], 0, BLOCK_UNKNOWN);
	expect_running(&asked[0]);
	service_answer(1, -EIO, 18);
	event();
	expect(&asked[2], -EIO, 18);
	answer(0, 0);
	expect(&asked[0], 0, BLOCK_UNKNOWN);
	for (unsigned i = 0; i < 2; i++)
		assert_memory_equal(bench.window + 4096 * i,
				    medium_of(0, 8 * i), 4096);
}

/* The bounce area is for one at a time; who needs none does not wait. */
static void test_bounce_is_taken(void **state)
{
	(void)state;
	bench_open(1);
	for (unsigned i = 0; i < 3; i++) {
		segment_add(prepare(i, BLOCK_READ, 8 * i),
			    i == 2 ? bench.window : bench.outside + 4096 * i,
			    4096);
		submit_to_first(i);
	}
	assert_int_equal(bench.count, 2);
	assert_int_equal(bench.taken[1].sector, 16);
	answer(0, 0);
	expect(&asked[0], 0, BLOCK_UNKNOWN);
	assert_int_equal(bench.count, 2);
	/* A third that waits is taken back. */
	segment_add(prepare(0, BLOCK_WRITE, 0), bench.outside, 512);
	submit_to_first(0);
	assert_int_equal(bench.count, 2);
	bench.disk[0]->cancel(bench.disk[0]->ctx, &asked[0].request);
	expect(&asked[0], -ECANCELED, BLOCK_UNKNOWN);
	answer(0, 0);
	answer(0, 0);
	expect(&asked[1], 0, BLOCK_UNKNOWN);
	assert_memory_equal(bench.outside + 4096, medium_of(0, 8), 4096);
	/* When disk is gone, those that waited are sent with the others. */
	for (unsigned i = 0; i < 2; i++) {
		segment_add(prepare(i, BLOCK_READ, 8 * i),
			    bench.outside + 4096 * i, 512);
		submit_to_first(i);
	}
	service_die();
	event();
	service_start();
	event();
	service_read();
	assert_int_equal(bench.count, 1);
	answer(0, 0);
	answer(0, 0);
	expect(&asked[0], 0, BLOCK_UNKNOWN);
	expect(&asked[1], 0, BLOCK_UNKNOWN);
}

static void test_clear(void **state)
{
	(void)state;
	bench_open(1);
	assert_true(bench.disk[0]->can_clear);
	prepare(0, BLOCK_DISCARD, 100)->request.clear_count = 50;
	submit_to_first(0);
	prepare(1, BLOCK_ZEROES, 200)->request.clear_count = 8192;
	submit_to_first(1);
	assert_int_equal(bench.count, 2);
	assert_int_equal(bench.taken[0].op, DISK_OP_DISCARD);
	assert_int_equal(bench.taken[0].sector, 100);
	assert_int_equal(bench.taken[0].sector_count, 50);
	assert_int_equal(bench.taken[0].segment_count, 0);
	assert_int_equal(bench.taken[1].op, DISK_OP_WRITE_ZEROES);
	assert_int_equal(bench.taken[1].sector_count, 8192);
	answer(-EROFS, 0);
	expect(&asked[0], -EROFS, BLOCK_UNKNOWN);
	answer(-ENOSPC, 0);
	expect(&asked[1], -EIO, BLOCK_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_bounce_is_taken),
		cmocka_unit_test(test_clear),
	};

	return cmocka_run_group_tests_name("disk_service_depth", tests, NULL,
					   NULL);
}
