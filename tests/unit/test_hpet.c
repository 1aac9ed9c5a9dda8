/* SPDX-License-Identifier: BSD-2-Clause */
/* The HPET. */
#include "tests/unit/device_test.h"

#include "devices/hpet.h"

#define CONFIG	 0x10
#define STATUS	 0x20
#define COUNTER	 0xf0
#define TIMER(n) (0x100 + 0x20 * (n))

static struct {
	struct bench b;
	struct hpet hpet;
	int legacy; /* last told; -1: never */
} bench;

static void legacy_changed(void *ctx, bool is_legacy)
{
	(void)ctx;
	bench.legacy = is_legacy;
}

static int setup(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench_init(&bench.b);
	bench.legacy = -1;
	assert_int_equal(hpet_init(&bench.hpet, &bench.b.memory, &bench.b.clock,
				   bench_irq(&bench.b, 0), legacy_changed,
				   NULL),
			 0);
	return 0;
}

static uint64_t get(unsigned offset, unsigned size)
{
	return bus_in(&bench.b.memory, HPET_BASE + offset, size);
}

static void set(unsigned offset, uint64_t value, unsigned size)
{
	bus_out(&bench.b.memory, HPET_BASE + offset, value, size);
}

static unsigned rises(unsigned pin)
{
	return bench.b.rises[pin];
}

static void test_registers(void **state)
{
	(void)state;
	assert_int_equal(get(0, 8), 0x009896808086a201);
	assert_int_equal(get(0, 4), 0x8086a201);
	assert_int_equal(get(4, 4), 10000000);
	assert_int_equal(get(2, 2), 0x8086);
	set(0, 0, 8);
	assert_int_equal(get(0, 4), 0x8086a201);
	set(CONFIG, ~0ULL, 8);
	assert_int_equal(get(CONFIG, 8), 3);
	assert_int_equal(bench.legacy, 1);
	set(CONFIG, 0, 4);
	assert_int_equal(bench.legacy, 0);
	assert_int_equal(get(TIMER(0), 8), 0x00ff000000000030);
	set(TIMER(0), ~0ULL, 8);
	/* A route that there is not does not read back. */
	assert_int_equal(get(TIMER(0), 8), 0x00ff00000000017e);
	set(TIMER(0), 23 << 9, 8);
	set(TIMER(0), 24 << 9, 8);
	assert_int_equal(get(TIMER(0), 8), 0x00ff000000000030 | 23 << 9);
	assert_int_equal(get(TIMER(1) + 8, 8), UINT64_MAX);
	assert_int_equal(get(TIMER(3), 8), 0);
	assert_int_equal(get(0x3f8, 8), 0);
	/* Odd accesses. */
	assert_int_equal(get(COUNTER + 4, 8), UINT64_MAX);
	set(CONFIG, 1, 1);
	assert_int_equal(get(CONFIG, 4), 0);
}

static void test_counter(void **state)
{
	(void)state;
	bench_step(&bench.b, 1000);
	assert_int_equal(get(COUNTER, 8), 0);
	set(COUNTER, 0x1fffffff0, 8);
	assert_int_equal(get(COUNTER, 8), 0x1fffffff0);
	set(CONFIG, 1, 4);
	bench_step(&bench.b, 150);
	assert_int_equal(get(COUNTER, 8), 0x1ffffffff);
	bench_step(&bench.b, 10);
	assert_int_equal(get(COUNTER, 8), 0x200000000);
	assert_int_equal(get(COUNTER + 4, 4), 2);
	/* It stands while disabled and goes on from there. */
	set(CONFIG, 0, 4);
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_int_equal(get(COUNTER, 8), 0x200000000);
	set(CONFIG, 1, 4);
	bench_step(&bench.b, 100);
	assert_int_equal(get(COUNTER, 8), 0x20000000a);
	/* Half by half. */
	set(CONFIG, 0, 4);
	set(COUNTER, 5, 4);
	set(COUNTER + 4, 6, 4);
	assert_int_equal(get(COUNTER, 8), 0x600000005);
}

static void test_one_shot(void **state)
{
	(void)state;
	set(TIMER(2), 20 << 9 | 4, 4); /* pin 20, edge */
	set(TIMER(2) + 8, 1000, 8);
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_int_equal(rises(20), 0);
	set(CONFIG, 1, 4);
	bench_step(&bench.b, 9999);
	assert_int_equal(rises(20), 0);
	bench_step(&bench.b, 1);
	assert_int_equal(rises(20), 1);
	assert_int_equal(bench.b.level, 0);
	assert_int_equal(get(STATUS, 4), 0);
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_int_equal(rises(20), 1);
	/* Late: at once rather than never. */
	set(TIMER(2) + 8, 1000, 8);
	bench_step(&bench.b, 2000);
	assert_int_equal(rises(20), 2);
	/* Not enabled, not fired. */
	set(TIMER(2), 20 << 9, 4);
	set(TIMER(2) + 8, get(COUNTER, 8) + 500, 8);
	bench_step(&bench.b, NSEC_PER_MS);
	assert_int_equal(rises(20), 2);
	/* To pins there are none. */
	set(TIMER(2), 3 << 9 | 4, 4);
	set(TIMER(2) + 8, get(COUNTER, 8) + 500, 8);
	set(TIMER(0), 4, 4);
	set(TIMER(0) + 8, get(COUNTER, 8) + 500, 8);
	bench_step(&bench.b, NSEC_PER_MS);
	assert_int_equal(rises(3), 0);
	assert_int_equal(rises(0), 0);
}

static void test_periodic(void **state)
{
	(void)state;
	set(CONFIG, 1, 4);
	bench_step(&bench.b, 12340);
	set(TIMER(0), 16 << 9 | 0x4c, 4); /* periodic, set */
	set(TIMER(0) + 8, 1234 + 1000, 8);
	set(TIMER(0) + 8, 1000, 8);
	assert_int_equal(get(TIMER(0), 4) & 0x40, 0);
	bench_step(&bench.b, 9999);
	assert_int_equal(rises(16), 0);
	bench_step(&bench.b, 1);
	assert_int_equal(rises(16), 1);
	assert_int_equal(get(TIMER(0) + 8, 8), 3234);
	bench_step(&bench.b, 100 * NSEC_PER_US);
	assert_int_equal(rises(16), 11);
	/* Late by many: one at once, the others soon after, then in phase. */
	bench.b.now_ns += 55 * NSEC_PER_US;
	clock_run(&bench.b.clock);
	assert_int_equal(rises(16), 12);
	bench_step(&bench.b, 14 * NSEC_PER_US);
	assert_int_equal(rises(16), 17);
	bench_step(&bench.b, 1 * NSEC_PER_US);
	assert_int_equal(rises(16), 18);
	/* Faster than sense. */
	set(TIMER(0), 16 << 9 | 0x4c, 4);
	set(TIMER(0) + 8, 1, 8);
	bench_step(&bench.b, NSEC_PER_MS);
	assert_in_range(rises(16), 500, 1100);
	/* A period of nothing is no period. */
	set(TIMER(0), 16 << 9 | 0x4c, 4);
	set(TIMER(0) + 8, 0, 8);
	bench_step(&bench.b, NSEC_PER_MS);
}

/* Halves of a 64-bit comparator, by who has no 64-bit writes. */
static void test_periodic_halves(void **state)
{
	(void)state;
	set(CONFIG, 1, 4);
	set(TIMER(0), 16 << 9 | 0x4c, 4);
	set(TIMER(0) + 8, 1000, 8);
	bench_step(&bench.b, 105000);
	assert_int_equal(rises(16), 10);
	/* At 10,500 a new period: it begins with the next match. */
	set(TIMER(0) + 8, 2000, 4);
	set(TIMER(0) + 12, 0, 4);
	assert_int_equal(get(TIMER(0) + 8, 8), 11000);
	bench_step(&bench.b, 5000);
	assert_int_equal(rises(16), 11);
	assert_int_equal(get(TIMER(0) + 8, 8), 13000);
	bench_step(&bench.b, 39999);
	assert_int_equal(rises(16), 12);
	bench_step(&bench.b, 1);
	assert_int_equal(rises(16), 13);
	/* The accumulator's halves: TIMER_SET is good for one write. */
	set(CONFIG, 0, 4);
	set(COUNTER, 0x1fffffff0, 8);
	set(TIMER(0), 16 << 9 | 0x4c, 4);
	set(TIMER(0) + 8, 0x100, 4);
	assert_int_equal(get(TIMER(0), 4) & 0x40, 0);
	set(TIMER(0), 16 << 9 | 0x4c, 4);
	set(TIMER(0) + 12, 2, 4);
	assert_int_equal(get(TIMER(0) + 8, 8), 0x200000100);
	set(TIMER(0) + 8, 5000, 8);
	set(CONFIG, 1, 4);
	bench_step(&bench.b, 2719);
	assert_int_equal(rises(16), 13);
	bench_step(&bench.b, 1);
	assert_int_equal(rises(16), 14);
	bench_step(&bench.b, 50000);
	assert_int_equal(rises(16), 15);
	/* A one-shot's high half alone. */
	set(TIMER(2), 20 << 9 | 4, 4);
	set(TIMER(2) + 8, 0x300000000, 8);
	set(TIMER(2) + 12, 4, 4);
	assert_int_equal(get(TIMER(2) + 8, 8), 0x400000000);
}

/* 32 bits match whenever the counter's low half comes by. */
static void test_32_bits_again(void **state)
{
	const uint64_t wrap_ns = 10ULL << 32;

	(void)state;
	set(CONFIG, 1, 4);
	set(TIMER(1), 17 << 9 | 0x104, 4);
	set(TIMER(1) + 8, 1000, 4);
	bench_step(&bench.b, 10000);
	assert_int_equal(rises(17), 1);
	bench_step(&bench.b, wrap_ns - 1);
	assert_int_equal(rises(17), 1);
	bench_step(&bench.b, 1);
	assert_int_equal(rises(17), 2);
	bench_step(&bench.b, 3 * wrap_ns);
	assert_int_equal(rises(17), 5);
	/* 64 bits do not. */
	set(TIMER(1), 17 << 9 | 4, 4);
	set(TIMER(1) + 8, get(COUNTER, 8) + 1000, 8);
	bench_step(&bench.b, 10 * wrap_ns);
	assert_int_equal(rises(17), 6);
}

/* A match is an equality: a counter that jumps over it does not meet it. */
static void test_counter_jumps(void **state)
{
	(void)state;
	set(CONFIG, 1, 4);
	set(TIMER(2), 20 << 9 | 4, 4);
	set(TIMER(2) + 8, 1000, 8);
	bench_step(&bench.b, 10000);
	assert_int_equal(rises(20), 1);
	/* Back before it: again. */
	set(CONFIG, 0, 4);
	set(COUNTER, 0, 8);
	set(CONFIG, 1, 4);
	bench_step(&bench.b, 10000);
	assert_int_equal(rises(20), 2);
	/* Beyond it: not. */
	set(TIMER(2) + 8, 5000, 8);
	set(COUNTER, 6000, 8);
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_int_equal(rises(20), 2);
	/* Nor a standing one that is set behind it. */
	set(CONFIG, 0, 4);
	set(COUNTER, 6000, 8);
	set(TIMER(2) + 8, 5000, 8);
	set(CONFIG, 1, 4);
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_int_equal(rises(20), 2);
	/* Periods that were jumped over are not owed. */
	set(TIMER(0), 16 << 9 | 0x4c, 4);
	set(TIMER(0) + 8, get(COUNTER, 8) + 1000, 8);
	set(TIMER(0) + 8, 1000, 8);
	set(COUNTER, BIT(40), 8);
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_int_equal(rises(16), 0);
}

/* With its interrupt off a timer goes on, and in level mode shows matches. */
static void test_quiet(void **state)
{
	(void)state;
	set(CONFIG, 1, 4);
	set(TIMER(1), 18 << 9 | 2, 4);
	set(TIMER(1) + 8, 1000, 8);
	bench_step(&bench.b, 9999);
	assert_int_equal(get(STATUS, 4), 0);
	bench_step(&bench.b, 1);
	assert_int_equal(get(STATUS, 4), 2);
	assert_int_equal(bench.b.level, 0);
	set(STATUS, 2, 4);
	assert_int_equal(get(STATUS, 4), 0);
	set(TIMER(0), 16 << 9 | 0x48, 4);
	set(TIMER(0) + 8, 2000, 8);
	bench_step(&bench.b, 55000);
	assert_int_equal(get(TIMER(0) + 8, 8), 8000);
	/* Nothing is owed of what was not wanted. */
	set(TIMER(0), 16 << 9 | 0xc, 4);
	assert_int_equal(rises(16), 0);
	bench_step(&bench.b, 15000);
	assert_int_equal(rises(16), 1);
}

static void test_32_bits(void **state)
{
	(void)state;
	set(COUNTER, 0xfffffff0, 8);
	set(CONFIG, 1, 4);
	set(TIMER(1), 17 << 9 | 0x104, 4);
	set(TIMER(1) + 8, 0x100, 4); /* beyond the wrap */
	assert_int_equal(get(TIMER(1) + 8, 8), 0x100);
	bench_step(&bench.b, 0x10f * 10);
	assert_int_equal(rises(17), 0);
	bench_step(&bench.b, 10);
	assert_int_equal(rises(17), 1);
}

/* A period of more than half of the counter's range is one all the same. */
static void test_32_bits_long_period(void **state)
{
	const uint64_t period = 0xc0000000;

	(void)state;
	set(CONFIG, 1, 4);
	set(TIMER(1), 17 << 9 | 0x14c, 4);
	set(TIMER(1) + 8, 1000, 4);
	set(TIMER(1) + 8, period, 4);
	bench_step(&bench.b, 1000 * 10);
	assert_int_equal(rises(17), 1);
	bench_step(&bench.b, 10000);
	assert_int_equal(rises(17), 1);
	bench_step(&bench.b, (period - 1) * 10 - 10000);
	assert_int_equal(rises(17), 1);
	bench_step(&bench.b, 10);
	assert_int_equal(rises(17), 2);
	assert_int_equal(get(TIMER(1) + 8, 8), (uint32_t)(1000 + 2 * period));
	/* Programmed anew on its way. */
	bench_step(&bench.b, 5000);
	set(TIMER(1), 18 << 9 | 0x10c, 4);
	bench_step(&bench.b, period * 10 - 5000 - 10);
	assert_int_equal(rises(18), 0);
	bench_step(&bench.b, 10);
	assert_int_equal(rises(18), 1);
}

static void test_level(void **state)
{
	(void)state;
	set(CONFIG, 1, 4);
	set(TIMER(1), 18 << 9 | 6, 4);
	set(TIMER(1) + 8, 1000, 8);
	bench_step(&bench.b, 10000);
	assert_int_equal(bench.b.level, BIT(18));
	assert_int_equal(get(STATUS, 4), 2);
	set(STATUS, 1, 4);
	assert_int_equal(bench.b.level, BIT(18));
	set(TIMER(1), 19 << 9 | 6, 4); /* moved while it pulls */
	assert_int_equal(bench.b.level, BIT(19));
	set(TIMER(1), 19 << 9 | 2, 4);
	assert_int_equal(bench.b.level, 0);
	set(TIMER(1), 19 << 9 | 6, 4);
	assert_int_equal(bench.b.level, BIT(19));
	set(STATUS, 2, 4);
	assert_int_equal(bench.b.level, 0);
	assert_int_equal(get(STATUS, 4), 0);
}

static void test_legacy(void **state)
{
	(void)state;
	set(CONFIG, 3, 4);
	assert_int_equal(bench.legacy, 1);
	set(TIMER(0), 20 << 9 | 4, 4);
	set(TIMER(0) + 8, 1000, 8);
	set(TIMER(1), 4, 4);
	set(TIMER(1) + 8, 2000, 8);
	bench_step(&bench.b, 20000);
	assert_int_equal(rises(0), 1);
	assert_int_equal(rises(8), 1);
	assert_int_equal(rises(20), 0);
	/* What the 8259s have not acknowledged stays high, until the next. */
	assert_int_equal(bench.b.level, BIT(0) | BIT(8));
	set(TIMER(0) + 8, 3000, 8);
	bench_step(&bench.b, 10000);
	assert_int_equal(rises(0), 2);
	set(TIMER(1), 0, 4);
	assert_int_equal(bench.b.level, BIT(0));
	set(CONFIG, 1, 4);
	assert_int_equal(bench.b.level, 0);
	hpet_reset(&bench.hpet);
	assert_int_equal(bench.legacy, 0);
	assert_int_equal(get(COUNTER, 8), 0);
	assert_int_equal(get(CONFIG, 8), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_registers),	  TEST(test_counter),
		TEST(test_one_shot),	  TEST(test_periodic),
		TEST(test_32_bits),	  TEST(test_level),
		TEST(test_legacy),	  TEST(test_periodic_halves),
		TEST(test_32_bits_again), TEST(test_counter_jumps),
		TEST(test_quiet),	  TEST(test_32_bits_long_period),
	};

	return cmocka_run_group_tests_name("hpet", tests, NULL, NULL);
}
