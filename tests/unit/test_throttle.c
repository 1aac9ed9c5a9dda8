/* SPDX-License-Identifier: BSD-2-Clause */
/* How long a guest rests that runs for a part of its time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "machine/throttle.h"

#define MS 1000000ULL

static void test_rest(void **state)
{
	/* clang-format off */
	static const struct {
		uint32_t percent;
		uint64_t elapsed, idle, rest; /* us */
	} rows[] = {
		/* Busy all the time. */
		{ 50, 2000, 0, 2000 }, { 25, 1000, 0, 3000 },
		{ 75, 3000, 0, 1000 }, { 1, 40, 0, 3960 }, { 99, 3960, 0, 40 },
		{ 100, 4000, 0, 0 },
		/* What it idled away it has rested. */
		{ 50, 2000, 500, 1000 }, { 50, 2000, 1000, 0 },
		{ 25, 1000, 700, 200 }, { 25, 1000, 750, 0 },
		{ 50, 2000, 2000, 0 },
		/* Counts that were read one after the other. */
		{ 50, 2000, 2100, 0 },
		/* After a stop of seconds nobody owes them. */
		{ 50, 5000000, 0, 2000 }, { 1, 5000000, 0, 3960 },
		{ 1, UINT64_MAX / 1000, 0, 3960 },
	};
	/* clang-format on */

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t credit = 0;

		assert_int_equal(throttle_rest_ns(rows[i].percent,
						  rows[i].elapsed * 1000,
						  rows[i].idle * 1000, &credit),
				 rows[i].rest * 1000);
	}
}

/* Idle turns pay for a busy one, but no more than that. */
static void test_credit(void **state)
{
	uint64_t credit = 0;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(throttle_rest_ns(25, MS, MS, &credit), 0);
	assert_int_equal(credit, 3 * MS);
	assert_int_equal(throttle_rest_ns(25, MS, 0, &credit), 0);
	assert_int_equal(credit, 0);
	assert_int_equal(throttle_rest_ns(25, MS, 0, &credit), 3 * MS);
	assert_int_equal(throttle_rest_ns(25, MS, MS / 2, &credit), MS);
}

/* Turn and rest of one that never idles are a period. */
static void test_period(void **state)
{
	(void)state;
	for (uint32_t percent = 1; percent <= 100; percent++) {
		uint64_t run = throttle_run_ns(percent), credit = 0;

		assert_true(run > 0);
		assert_int_equal(
			run + throttle_rest_ns(percent, run, 0, &credit),
			4 * MS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_credit),
		cmocka_unit_test(test_period),
	};

	return cmocka_run_group_tests_name("throttle", tests, NULL, NULL);
}
