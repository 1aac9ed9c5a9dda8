/* SPDX-License-Identifier: BSD-2-Clause */
/* The real-time clock. */
#include "tests/unit/device_test.h"

#include "devices/rtc.h"

static struct {
	struct bench b;
	struct rtc rtc;
} bench;

#define EPOCH 1704067195ULL /* Sunday 2023-12-31 23:59:55 */

static int setup(void **state)
{
	(void)state;
	bench_init(&bench.b);
	bench.b.clock.epoch_s = EPOCH;
	assert_int_equal(rtc_init(&bench.rtc, &bench.b.ports, &bench.b.clock,
				  bench_irq(&bench.b, 8)),
			 0);
	return 0;
}

static uint8_t get(uint8_t index)
{
	outb(&bench.b, 0x70, index);
	return inb(&bench.b, 0x71);
}

static void set(uint8_t index, uint8_t value)
{
	outb(&bench.b, 0x70, index);
	outb(&bench.b, 0x71, value);
}

static bool irq(void)
{
	return bench.b.level & BIT(8);
}

static void assert_time(const uint8_t want[7])
{
	static const uint8_t index[7] = { 0, 2, 4, 6, 7, 8, 9 };
	unsigned i;

	for (i = 0; i < 7; i++)
		assert_int_equal(get(index[i]), want[i]);
}

static void set_time(const uint8_t value[7])
{
	static const uint8_t index[7] = { 0, 2, 4, 6, 7, 8, 9 };
	unsigned i;

	for (i = 0; i < 7; i++)
		set(index[i], value[i]);
}

static void test_time(void **state)
{
	static const uint8_t before[7] = {
		0x55, 0x59, 0x23, 1, 0x31, 0x12, 0x23
	};
	static const uint8_t after[7] = { 0, 0, 0, 2, 1, 1, 0x24 };

	(void)state;
	assert_time(before);
	assert_int_equal(get(0x32), 0x20);
	bench_step(&bench.b, 4999 * NSEC_PER_MS);
	assert_int_equal(get(0), 0x59);
	bench_step(&bench.b, NSEC_PER_MS);
	assert_time(after);
	assert_int_equal(get(0x0d), 0x80);
	assert_int_equal(inb(&bench.b, 0x70), 0xff);
	/* Bit 7 of the index is not part of it. */
	outb(&bench.b, 0x70, 0x89);
	assert_int_equal(inb(&bench.b, 0x71), 0x24);
}

static void test_encodings(void **state)
{
	(void)state;
	set(0x0b, 0x06); /* binary, 24 hours */
	assert_int_equal(get(0), 55);
	assert_int_equal(get(4), 23);
	assert_int_equal(get(0x32), 20);
	set(0x0b, 0x00);		/* BCD, 12 hours */
	assert_int_equal(get(4), 0x91); /* 11 p.m. */
	bench_step(&bench.b, 5 * NSEC_PER_SEC);
	assert_int_equal(get(4), 0x12); /* midnight */
	set(0x0b, 0x04);
	set(4, 0x80 | 12); /* noon */
	set(0x0b, 0x02);
	assert_int_equal(get(4), 0x12);
	set(0x0b, 0x00);
	assert_int_equal(get(4), 0x92);
}

static void test_dates(void **state)
{
	static const struct {
		uint8_t century, from[7], to[7];
	} rows[] = {
		/* Leap years: 2024, 2000; not 2100, 2023. */
		{ 0x20,
		  { 0x59, 0x59, 0x23, 4, 0x28, 2, 0x24 },
		  { 0, 0, 0, 5, 0x29, 2, 0x24 } },
		{ 0x20,
		  { 0x59, 0x59, 0x23, 5, 0x29, 2, 0x24 },
		  { 0, 0, 0, 6, 1, 3, 0x24 } },
		{ 0x20,
		  { 0x59, 0x59, 0x23, 2, 0x28, 2, 0x00 },
		  { 0, 0, 0, 3, 0x29, 2, 0x00 } },
		{ 0x21,
		  { 0x59, 0x59, 0x23, 1, 0x28, 2, 0x00 },
		  { 0, 0, 0, 2, 1, 3, 0x00 } },
		{ 0x20,
		  { 0x59, 0x59, 0x23, 3, 0x28, 2, 0x23 },
		  { 0, 0, 0, 4, 1, 3, 0x23 } },
		{ 0x20,
		  { 0x59, 0x59, 0x23, 7, 0x30, 4, 0x99 },
		  { 0, 0, 0, 1, 1, 5, 0x99 } },
		{ 0x19,
		  { 0x59, 0x59, 0x23, 6, 0x31, 0x12, 0x99 },
		  { 0, 0, 0, 7, 1, 1, 0x00 } },
		/* A weekday that is wrong stays as wrong as it was. */
		{ 0x20,
		  { 0x59, 0x59, 0x23, 7, 0x31, 0x12, 0x23 },
		  { 0, 0, 0, 1, 1, 1, 0x24 } },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		set(0x0b, 0x82);
		set(0x32, rows[i].century);
		set_time(rows[i].from);
		set(0x0b, 0x02);
		assert_time(rows[i].from);
		bench_step(&bench.b, NSEC_PER_SEC);
		assert_time(rows[i].to);
	}
	assert_int_equal(get(0x32), 0x20);
}

static void test_nonsense(void **state)
{
	static const uint8_t ones[7] = { 0xff, 0xff, 0xff, 0xff,
					 0xff, 0xff, 0xff };
	static const uint8_t zeros[7] = { 0 };
	unsigned mode;

	(void)state;
	for (mode = 0; mode < 8; mode += 2) {
		set(0x0b, (uint8_t)(0x80 | mode));
		set(0x32, 0xff);
		set_time(ones);
		set(0x0b, (uint8_t)mode);
		bench_step(&bench.b, NSEC_PER_SEC);
		(void)get(9);
		set(0x0b, (uint8_t)(0x80 | mode));
		set(0x32, 0);
		set_time(zeros);
		set(0x0b, (uint8_t)mode);
		bench_step(&bench.b, NSEC_PER_SEC);
		(void)get(9);
	}
}

static void test_set(void **state)
{
	(void)state;
	set(0x0b, 0x92); /* SET drops UIE */
	assert_int_equal(get(0x0b), 0x82);
	bench_step(&bench.b, 3 * NSEC_PER_SEC);
	assert_int_equal(get(0), 0x55);
	assert_int_equal(get(0x0c) & 0x10, 0);
	set(0, 0x30);
	set(0x0b, 0x02);
	assert_int_equal(get(0), 0x30);
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_int_equal(get(0), 0x31);
	/* Without SET, a write is effective in the same second. */
	bench_step(&bench.b, 900 * NSEC_PER_MS);
	set(0, 0x10);
	bench_step(&bench.b, 99 * NSEC_PER_MS);
	assert_int_equal(get(0), 0x10);
	bench_step(&bench.b, NSEC_PER_MS);
	assert_int_equal(get(0), 0x11);
	/* The divider's reset: half a second to the first update. */
	set(0x0a, 0x76);
	bench_step(&bench.b, 10 * NSEC_PER_SEC);
	assert_int_equal(get(0), 0x11);
	set(0x0a, 0x26);
	bench_step(&bench.b, 499 * NSEC_PER_MS);
	assert_int_equal(get(0), 0x11);
	bench_step(&bench.b, NSEC_PER_MS);
	assert_int_equal(get(0), 0x12);
}

static void test_divider_at_zero(void **state)
{
	(void)state;
	/* Less than half a second after power-on. */
	set(0x0a, 0x66);
	set(0x0a, 0x26);
	assert_int_equal(get(0), 0x55);
	bench_step(&bench.b, 500 * NSEC_PER_MS);
	assert_int_equal(get(0), 0x56);
}

static void test_update(void **state)
{
	(void)state;
	assert_int_equal(get(0x0a), 0x26);
	/* Announced for 244 us, then it takes 1984 us. */
	bench_step(&bench.b, NSEC_PER_SEC - 2229 * NSEC_PER_US);
	assert_int_equal(get(0x0a), 0x26);
	bench_step(&bench.b, NSEC_PER_US);
	assert_int_equal(get(0x0a), 0xa6);
	assert_int_equal(get(0), 0x55);
	bench_step(&bench.b, 2227 * NSEC_PER_US);
	assert_int_equal(get(0x0a), 0xa6);
	assert_int_equal(get(0x0c), 0x40);
	bench_step(&bench.b, NSEC_PER_US);
	assert_int_equal(get(0x0a), 0x26);
	assert_int_equal(get(0), 0x56);
	/* The flag shows without the interrupt, once. */
	assert_int_equal(get(0x0c) & 0x90, 0x10);
	assert_int_equal(get(0x0c), 0);
	set(0x0b, 0x12);
	assert_false(irq());
	bench_step(&bench.b, 999 * NSEC_PER_MS);
	assert_false(irq());
	bench_step(&bench.b, NSEC_PER_MS);
	assert_true(irq());
	bench_step(&bench.b, 5 * NSEC_PER_SEC);
	assert_int_equal(bench.b.rises[8], 1);
	assert_int_equal(get(0x0c) & 0x90, 0x90);
	assert_false(irq());
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_true(irq());
	assert_int_equal(bench.b.rises[8], 2);
	/* An interrupt that is enabled with its flag up comes at once. */
	set(0x0b, 0x02);
	assert_false(irq());
	set(0x0b, 0x12);
	assert_true(irq());
}

static void test_alarm(void **state)
{
	static const struct {
		uint8_t hour, minute, second;
		unsigned after; /* seconds from 23:59:55 */
	} rows[] = {
		{ 0x23, 0x59, 0x58, 3 },
		{ 0xff, 0xff, 0xff, 1 },
		{ 0xff, 0xff, 0x00, 5 },
		{ 0xc0, 0x30, 0x00, 5 + 1800 },
		{ 0x00, 0x00, 0x00, 5 },
		{ 0x01, 0xff, 0xff, 5 + 3600 },
		{ 0x23, 0x59, 0x55, 86400 },
		{ 0xff, 0x59, 0xff, 1 },
		{ 0xff, 0x00, 0x10, 15 },
		{ 0x23, 0xff, 0x54, 5 + 82854 },
		{ 0x12, 0x34, 0x56, 5 + 45296 },
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)setup(state);
		set(5, rows[i].hour);
		set(3, rows[i].minute);
		set(1, rows[i].second);
		set(0x0b, 0x22);
		bench_step(&bench.b, rows[i].after * NSEC_PER_SEC - 1);
		assert_false(irq());
		bench_step(&bench.b, 1);
		assert_true(irq());
		assert_int_equal(get(0x0c) & 0xa0, 0xa0);
	}
	/* Times there are none never come. */
	(void)setup(state);
	set(5, 0x24);
	set(3, 0x60);
	set(1, 0x99);
	set(0x0b, 0x22);
	bench_step(&bench.b, 3 * 86400 * NSEC_PER_SEC);
	assert_false(irq());
	/* The flag alone, hours later. */
	set(0x0b, 0x02);
	set(5, 0xff);
	set(3, 0x30);
	set(1, 0x00);
	(void)get(0x0c);
	bench_step(&bench.b, 1700 * NSEC_PER_SEC);
	assert_int_equal(get(0x0c) & 0x20, 0);
	bench_step(&bench.b, 200 * NSEC_PER_SEC);
	assert_int_equal(get(0x0c) & 0x20, 0x20);
}

static void test_periodic(void **state)
{
	static const struct {
		uint8_t rate;
		unsigned hz;
	} rows[] = { { 1, 256 },  { 2, 128 }, { 3, 8192 },
		     { 6, 1024 }, { 13, 8 },  { 15, 2 } };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned count = 0;
		uint64_t end;

		(void)setup(state);
		set(0x0a, 0x20 | rows[i].rate);
		set(0x0b, 0x42);
		end = bench.b.now_ns + 2 * NSEC_PER_SEC;
		while (bench.b.clock.first &&
		       bench.b.clock.first->deadline_ns <= end) {
			bench_step(&bench.b, bench.b.clock.first->deadline_ns -
						     bench.b.now_ns);
			assert_true(irq());
			assert_int_equal(get(0x0c) & 0xc0, 0xc0);
			assert_false(irq());
			count++;
		}
		assert_int_equal(count, 2 * rows[i].hz);
	}
	/* Rate 0 is off; without acknowledgement there is one only. */
	(void)setup(state);
	set(0x0a, 0x20);
	set(0x0b, 0x42);
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_false(irq());
	set(0x0a, 0x26);
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_int_equal(bench.b.rises[8], 1);
	/* The flag shows without the interrupt. */
	set(0x0b, 0x02);
	(void)get(0x0c);
	bench_step(&bench.b, NSEC_PER_MS);
	assert_int_equal(get(0x0c), 0x40);
}

/* A divider that is held gives neither updates nor periods; SET stops updates.
 */
static void test_divider_held(void **state)
{
	(void)state;
	set(0x0a, 0x76);
	set(0x0b, 0x42);
	(void)get(0x0c);
	bench_step(&bench.b, 3 * NSEC_PER_SEC);
	assert_false(irq());
	assert_int_equal(get(0x0c), 0);
	assert_int_equal(get(0x0a), 0x76);
	set(0x0a, 0x26);
	bench_step(&bench.b, NSEC_PER_MS);
	assert_true(irq());
	set(0x0b, 0xc2);
	(void)get(0x0c);
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_int_equal(get(0x0c), 0xc0);
}

static void test_alarm_12_hours(void **state)
{
	static const struct {
		uint8_t mode, hour;
		unsigned after; /* seconds from 23:59:55, at :00:00 */
	} rows[] = {
		{ 0x20, 0x12, 5 },	       /* midnight is 12 a.m. */
		{ 0x20, 0x01, 5 + 3600 },      /* 1 a.m. */
		{ 0x20, 0x92, 5 + 12 * 3600 }, /* noon is 12 p.m. */
		{ 0x20, 0x91, 5 + 23 * 3600 }, /* 11 p.m. */
		{ 0x24, 0x8b, 5 + 23 * 3600 }, /* the same in binary */
		{ 0x24, 0x0c, 5 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)setup(state);
		set(0x0b, rows[i].mode);
		set(5, rows[i].hour);
		set(3, 0);
		set(1, 0);
		bench_step(&bench.b, rows[i].after * NSEC_PER_SEC - 1);
		assert_false(irq());
		bench_step(&bench.b, 1);
		assert_true(irq());
	}
}

static void test_memory(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0x0e; i < 0x80; i++)
		if (i != RTC_CENTURY)
			set((uint8_t)i, (uint8_t)(i ^ 0xa5));
	for (i = 0x0e; i < 0x80; i++)
		if (i != RTC_CENTURY)
			assert_int_equal(get((uint8_t)i), i ^ 0xa5);
	rtc_cell_set(&bench.rtc, 0x34, 0x77);
	assert_int_equal(get(0x34), 0x77);
	assert_int_equal(rtc_cell_get(&bench.rtc, 0x35), 0x35 ^ 0xa5);
	rtc_cell_set(&bench.rtc, 0x0b, 0xff);
	assert_int_equal(get(0x0b), 0x02);
	/* The second bank, by its own ports. */
	for (i = 0; i < 0x80; i++) {
		outb(&bench.b, 0x72, (uint8_t)i);
		outb(&bench.b, 0x73, (uint8_t)(i ^ 0x3c));
	}
	for (i = 0; i < 0x80; i++) {
		outb(&bench.b, 0x72, (uint8_t)(i | 0x80));
		assert_int_equal(inb(&bench.b, 0x73), i ^ 0x3c);
		assert_int_equal(rtc_cell_get(&bench.rtc, (uint8_t)(i + 0x80)),
				 i ^ 0x3c);
	}
	assert_int_equal(inb(&bench.b, 0x72), 0xff);
	assert_int_equal(get(0x34), 0x77);
	/* Memory and time outlive a reset, interrupts do not. */
	set(0x0b, 0x52);
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_true(irq());
	rtc_reset(&bench.rtc);
	assert_false(irq());
	assert_int_equal(get(0x0b), 0x02);
	assert_int_equal(get(0x34), 0x77);
	assert_int_equal(get(0), 0x56);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_time),	 TEST(test_encodings),
		TEST(test_dates),	 TEST(test_nonsense),
		TEST(test_set),		 TEST(test_divider_at_zero),
		TEST(test_update),	 TEST(test_alarm),
		TEST(test_periodic),	 TEST(test_memory),
		TEST(test_divider_held), TEST(test_alarm_12_hours),
	};

	return cmocka_run_group_tests_name("rtc", tests, NULL, NULL);
}
