/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8254 and port 0x61. */
#include "tests/unit/device_test.h"

#include "devices/pit.h"

#define NS_PER_TICK (1e9 / PIT_HZ)

static struct {
	struct bench b;
	struct pit pit;
} bench;

static int setup(void **state)
{
	(void)state;
	bench_init(&bench.b);
	assert_int_equal(pit_init(&bench.pit, &bench.b.ports, &bench.b.clock,
				  bench_irq(&bench.b, 0)),
			 0);
	return 0;
}

/* To the middle of input clock n, from time 0. */
static void to_tick(uint64_t n)
{
	uint64_t target = (uint64_t)(((double)n + 0.5) * NS_PER_TICK);

	assert_true(target >= bench.b.now_ns);
	bench_step(&bench.b, target - bench.b.now_ns);
}

static void control(uint8_t value)
{
	outb(&bench.b, 0x43, value);
}

static void count16(unsigned channel, uint16_t count)
{
	outb(&bench.b, (uint16_t)(0x40 + channel), (uint8_t)count);
	outb(&bench.b, (uint16_t)(0x40 + channel), (uint8_t)(count >> 8));
}

static uint16_t latched(unsigned channel)
{
	uint8_t low;

	control((uint8_t)(channel << 6));
	low = inb(&bench.b, (uint16_t)(0x40 + channel));
	return (uint16_t)(low | inb(&bench.b, (uint16_t)(0x40 + channel)) << 8);
}

static uint8_t status(unsigned channel)
{
	control((uint8_t)(0xe0 | 1 << (channel + 1)));
	return inb(&bench.b, (uint16_t)(0x40 + channel));
}

static bool out2(void)
{
	return inb(&bench.b, 0x61) & 0x20;
}

static bool irq(void)
{
	return bench.b.level & 1;
}

static void test_mode0(void **state)
{
	(void)state;
	to_tick(10);
	control(0x30);
	assert_false(irq());
	assert_int_equal(status(0), 0x70); /* null count */
	count16(0, 1000);
	assert_int_equal(status(0), 0x30);
	assert_int_equal(latched(0), 1000);
	to_tick(509);
	assert_int_equal(latched(0), 501);
	to_tick(1009);
	assert_false(irq());
	assert_int_equal(latched(0), 1);
	to_tick(1010);
	assert_true(irq());
	assert_int_equal(status(0), 0xb0);
	assert_int_equal(latched(0), 0);
	to_tick(1011);
	assert_int_equal(latched(0), 0xffff);  /* counts on */
	assert_int_equal(bench.b.rises[0], 2); /* reset's, and this one */
	/* The first byte of a new count stops it, the second starts anew. */
	outb(&bench.b, 0x40, 5);
	assert_false(irq());
	to_tick(2000);
	assert_false(irq());
	outb(&bench.b, 0x40, 0);
	to_tick(2004);
	assert_false(irq());
	to_tick(2005);
	assert_true(irq());
}

static void test_mode2(void **state)
{
	unsigned i;

	(void)state;
	control(0x34);
	count16(0, 100);
	bench.b.rises[0] = 0;
	assert_int_equal(latched(0), 100);
	to_tick(99);
	assert_int_equal(latched(0), 1);
	assert_int_equal(status(0), 0x34); /* low for the last clock */
	to_tick(100);
	assert_int_equal(latched(0), 100);
	assert_int_equal(status(0), 0xb4);
	assert_int_equal(bench.b.rises[0], 1);
	for (i = 2; i <= 20; i++) {
		to_tick(100 * i - 1);
		assert_int_equal(bench.b.rises[0], i - 1);
		to_tick(100 * i);
		assert_int_equal(bench.b.rises[0], i);
	}
	/* A new count waits for the end of the period. */
	to_tick(2050);
	count16(0, 60);
	assert_int_equal(status(0) & 0x40, 0x40);
	assert_int_equal(latched(0), 50);
	to_tick(2099);
	assert_int_equal(latched(0), 1);
	to_tick(2100);
	assert_int_equal(latched(0), 60);
	assert_int_equal(status(0) & 0x40, 0);
	assert_int_equal(bench.b.rises[0], 21);
	to_tick(2160);
	assert_int_equal(bench.b.rises[0], 22);
	/*
	 * The host was late by many periods: one interrupt at once, the others
	 * soon after, and then in phase.
	 */
	bench.b.now_ns = (uint64_t)(2160 + 60 * 10 + 30.5) * NS_PER_TICK;
	clock_run(&bench.b.clock);
	assert_int_equal(bench.b.rises[0], 23);
	to_tick(2160 + 60 * 11 - 1);
	assert_in_range(bench.b.rises[0], 25, 27);
	to_tick(2160 + 60 * 15);
	assert_int_equal(bench.b.rises[0], 37);
	to_tick(2160 + 60 * 16 - 1);
	assert_int_equal(bench.b.rises[0], 37);
	to_tick(2160 + 60 * 16);
	assert_int_equal(bench.b.rises[0], 38);
}

static void test_mode3(void **state)
{
	(void)state;
	control(0xb6);
	outb(&bench.b, 0x61, 1);
	count16(2, 10);
	assert_true(out2());
	assert_int_equal(latched(2), 10);
	to_tick(1);
	assert_int_equal(latched(2), 8);
	to_tick(4);
	assert_true(out2());
	assert_int_equal(latched(2), 2);
	to_tick(5);
	assert_false(out2());
	assert_int_equal(latched(2), 10);
	to_tick(9);
	assert_false(out2());
	to_tick(10);
	assert_true(out2());
	/* An odd count is high for one clock more. */
	control(0xb6);
	count16(2, 5);
	to_tick(12);
	assert_true(out2());
	to_tick(13);
	assert_false(out2());
	to_tick(15);
	assert_true(out2());
	/* Sound. */
	assert_int_equal(pit_speaker_hz(&bench.pit), 0);
	outb(&bench.b, 0x61, 3);
	count16(2, 1193);
	to_tick(30);
	(void)out2();
	assert_int_equal(pit_speaker_hz(&bench.pit), 1000);
}

/* A new count is loaded at the end of the half that it was written in. */
static void test_mode3_new_count(void **state)
{
	(void)state;
	control(0x36);
	count16(0, 100);
	bench.b.rises[0] = 0;
	to_tick(10);
	count16(0, 40);
	assert_int_equal(status(0), 0xf6); /* null count, high */
	to_tick(49);
	assert_int_equal(status(0) & 0xc0, 0xc0);
	to_tick(50);
	assert_int_equal(status(0) & 0xc0, 0x00);
	assert_int_equal(latched(0), 40);
	to_tick(69);
	assert_int_equal(bench.b.rises[0], 0);
	assert_int_equal(status(0) & 0x80, 0);
	to_tick(70);
	assert_int_equal(bench.b.rises[0], 1);
	assert_int_equal(status(0) & 0x80, 0x80);
	to_tick(89);
	assert_int_equal(status(0) & 0x80, 0x80);
	to_tick(90);
	assert_int_equal(status(0) & 0x80, 0);
	to_tick(110);
	assert_int_equal(bench.b.rises[0], 2);
	/* In the low half: at the rise.  Odd: its high half is the longer. */
	to_tick(135);
	count16(0, 101);
	to_tick(149);
	assert_int_equal(bench.b.rises[0], 2);
	to_tick(150);
	assert_int_equal(bench.b.rises[0], 3);
	to_tick(200);
	assert_int_equal(status(0) & 0x80, 0x80);
	to_tick(201);
	assert_int_equal(status(0) & 0x80, 0);
	/* Of two the last counts; the host is late for the half and more. */
	to_tick(252);
	count16(0, 500);
	count16(0, 11);
	bench.b.rises[0] = 0;
	to_tick(301);
	assert_int_equal(status(0) & 0xc0, 0xc0);
	to_tick(302 + 4);
	assert_int_equal(bench.b.rises[0], 0);
	to_tick(302 + 5);
	assert_int_equal(bench.b.rises[0], 1);
	to_tick(302 + 16);
	assert_int_equal(bench.b.rises[0], 2);
}

/* Longer than the VM has been there: its high half began before time 0. */
static void test_mode3_early(void **state)
{
	(void)state;
	control(0x36);
	count16(0, 4);
	bench.b.rises[0] = 0;
	count16(0, 1000);
	to_tick(2);
	assert_int_equal(status(0), 0x36);
	assert_int_equal(latched(0), 1000);
	to_tick(501);
	assert_int_equal(bench.b.rises[0], 0);
	to_tick(502);
	assert_int_equal(bench.b.rises[0], 1);
}

/* 1 is illegal in modes 2 and 3. */
static void test_count_1(void **state)
{
	static const uint8_t words[] = { 0x34, 0x36, 0x35, 0x37 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		control(words[i]);
		count16(0, 100);
		count16(0, 1);
		bench_step(&bench.b, NSEC_PER_MS);
		bench.b.rises[0] = 0;
		bench_step(&bench.b, NSEC_PER_MS);
		assert_in_range(bench.b.rises[0], 0, 1200);
		bench.b.now_ns += NSEC_PER_SEC;
		clock_run(&bench.b.clock);
	}
}

/* Null count: until what was written is in the counting element. */
static void test_status(void **state)
{
	static const uint8_t words[] = { 0x9e, 0x9c, 0xae, 0xbf, 0xb1 };

	(void)state;
	/* "Exactly as written", bits that are not decoded included. */
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		control(words[i]);
		assert_int_equal(status(2) & 0x3f, words[i] & 0x3f);
	}
	outb(&bench.b, 0x61, 0);
	control(0xb2);
	count16(2, 20);
	assert_int_equal(status(2), 0xf2); /* waits for the trigger */
	outb(&bench.b, 0x61, 1);
	assert_int_equal(status(2), 0x32);
	count16(2, 20); /* the same once more is a new one, too */
	assert_int_equal(status(2), 0x72);
	outb(&bench.b, 0x61, 0);
	outb(&bench.b, 0x61, 1);
	assert_int_equal(status(2), 0x32);
	control(0xb4);
	count16(2, 20);
	assert_int_equal(status(2), 0xb4);
	count16(2, 20);
	assert_int_equal(status(2), 0xf4);
	to_tick(20);
	assert_int_equal(status(2), 0xb4);
}

static void test_frequency(void **state)
{
	static const uint32_t counts[] = { 2, 3, 1193, 11932, 0 };
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		uint32_t count = counts[i] ? counts[i] : 0x10000;
		uint64_t want;

		if (counts[i] == 2 || counts[i] == 3)
			continue; /* too many to step through */
		control(0x34);
		count16(0, (uint16_t)counts[i]);
		bench.b.rises[0] = 0;
		bench_step(&bench.b, 10 * NSEC_PER_SEC);
		want = 10ULL * PIT_HZ / count;
		assert_in_range(bench.b.rises[0], want - 1, want + 1);
	}
	/* The fastest there is must not stop the world. */
	control(0x34);
	count16(0, 1);
	bench.b.rises[0] = 0;
	bench_step(&bench.b, NSEC_PER_MS);
	assert_in_range(bench.b.rises[0], 590, 600);
}

static void test_gate(void **state)
{
	(void)state;
	/* Mode 0 stands while the gate is low. */
	control(0xb0);
	count16(2, 100);
	to_tick(50);
	assert_int_equal(latched(2), 100);
	outb(&bench.b, 0x61, 1);
	to_tick(80);
	assert_int_equal(latched(2), 70);
	outb(&bench.b, 0x61, 0);
	to_tick(200);
	assert_int_equal(latched(2), 70);
	outb(&bench.b, 0x61, 1);
	to_tick(269);
	assert_false(out2());
	to_tick(270);
	assert_true(out2());
	/* Mode 2 restarts at a rising gate, and is high while it is low. */
	outb(&bench.b, 0x61, 0);
	control(0xb4);
	count16(2, 10);
	assert_true(out2());
	to_tick(300);
	outb(&bench.b, 0x61, 1);
	to_tick(309);
	assert_false(out2());
	outb(&bench.b, 0x61, 0);
	assert_true(out2());
	to_tick(315);
	outb(&bench.b, 0x61, 1);
	to_tick(323);
	assert_true(out2());
	to_tick(324);
	assert_false(out2());
}

static void test_one_shots(void **state)
{
	(void)state;
	/* Mode 1: low from trigger to the end, retriggerable. */
	control(0xb2);
	count16(2, 20);
	to_tick(50);
	assert_true(out2());
	outb(&bench.b, 0x61, 1);
	assert_false(out2());
	to_tick(60);
	outb(&bench.b, 0x61, 0);
	outb(&bench.b, 0x61, 1);
	to_tick(79);
	assert_false(out2());
	to_tick(80);
	assert_true(out2());
	/* A count written meanwhile is for the next trigger. */
	outb(&bench.b, 0x61, 0);
	outb(&bench.b, 0x61, 1);
	count16(2, 7);
	to_tick(99);
	assert_false(out2());
	to_tick(100);
	assert_true(out2());
	outb(&bench.b, 0x61, 0);
	outb(&bench.b, 0x61, 1);
	to_tick(106);
	assert_false(out2());
	to_tick(107);
	assert_true(out2());
	/* Mode 4: a strobe of one clock. */
	control(0xb8);
	count16(2, 10);
	to_tick(116);
	assert_true(out2());
	to_tick(117);
	assert_false(out2());
	to_tick(118);
	assert_true(out2());
	/* Mode 5: the same, by the gate. */
	control(0xba);
	count16(2, 10);
	to_tick(140);
	assert_true(out2());
	outb(&bench.b, 0x61, 0);
	outb(&bench.b, 0x61, 1);
	to_tick(150);
	assert_false(out2());
	to_tick(151);
	assert_true(out2());
}

static void test_mode4_interrupt(void **state)
{
	(void)state;
	control(0x38);
	count16(0, 10);
	bench.b.rises[0] = 0;
	to_tick(10);
	assert_int_equal(bench.b.rises[0], 0);
	to_tick(11);
	assert_int_equal(bench.b.rises[0], 1);
	to_tick(100000);
	assert_int_equal(bench.b.rises[0], 1);
}

static void test_bcd(void **state)
{
	(void)state;
	control(0x31);
	count16(0, 0x1234);
	to_tick(35);
	assert_int_equal(latched(0), 0x1199);
	to_tick(1235);
	assert_int_equal(latched(0), 0x9999);
	control(0x31);
	count16(0, 0); /* 10000 */
	to_tick(1236);
	assert_int_equal(latched(0), 0x9999);
	to_tick(11234);
	assert_false(irq());
	to_tick(11235);
	assert_true(irq());
}

static void test_access_modes(void **state)
{
	(void)state;
	control(0x10); /* low byte only */
	outb(&bench.b, 0x40, 0x40);
	to_tick(0x10);
	assert_int_equal(inb(&bench.b, 0x40), 0x30);
	assert_int_equal(inb(&bench.b, 0x40), 0x30);
	control(0x20); /* high byte only */
	outb(&bench.b, 0x40, 0x12);
	to_tick(0x20);
	assert_int_equal(inb(&bench.b, 0x40), 0x11);
	/* Both, unlatched: low, high, low, ... of the running count. */
	control(0x30);
	count16(0, 0x1234);
	assert_int_equal(inb(&bench.b, 0x40), 0x34);
	assert_int_equal(inb(&bench.b, 0x40), 0x12);
	assert_int_equal(inb(&bench.b, 0x40), 0x34);
	/* The write-only control register. */
	assert_int_equal(inb(&bench.b, 0x43), 0xff);
}

static void test_latches(void **state)
{
	(void)state;
	control(0x34);
	count16(0, 0x5000);
	to_tick(0x100);
	control(0x00);
	to_tick(0x200);
	control(0x00); /* the second latch counts for nothing */
	assert_int_equal(inb(&bench.b, 0x40), 0x00);
	assert_int_equal(inb(&bench.b, 0x40), 0x4f);
	assert_int_equal(inb(&bench.b, 0x40), 0x00);
	assert_int_equal(inb(&bench.b, 0x40), 0x4e);
	/* Read-back of count and status: status comes first. */
	control(0xc2);
	assert_int_equal(inb(&bench.b, 0x40), 0xb4);
	assert_int_equal(inb(&bench.b, 0x40), 0x00);
	assert_int_equal(inb(&bench.b, 0x40), 0x4e);
	/* Of several channels at once. */
	control(0xb0);
	outb(&bench.b, 0x61, 1);
	count16(2, 0x300);
	control(0xda); /* counts of 0 and 2 */
	to_tick(0x240);
	assert_int_equal(inb(&bench.b, 0x42), 0x00);
	assert_int_equal(inb(&bench.b, 0x42), 0x03);
	assert_int_equal(inb(&bench.b, 0x40), 0x00);
	assert_int_equal(inb(&bench.b, 0x40), 0x4e);
	/* Nobody selected. */
	control(0xc0);
}

static void test_port61(void **state)
{
	uint8_t before;
	unsigned toggles = 0, i;

	(void)state;
	outb(&bench.b, 0x61, 0xff);
	assert_int_equal(inb(&bench.b, 0x61) & 0x0f, 0x0f);
	assert_int_equal(inb(&bench.b, 0x61) & 0xc0, 0);
	before = inb(&bench.b, 0x61) & 0x10;
	for (i = 0; i < 1000; i++) {
		uint8_t now;

		bench_step(&bench.b, NSEC_PER_US);
		now = inb(&bench.b, 0x61) & 0x10;
		toggles += now != before;
		before = now;
	}
	assert_in_range(toggles, 65, 67); /* every 15.09 us */
}

static void test_late(void **state)
{
	(void)state;
	/* After a year the arithmetic still holds. */
	bench.b.now_ns = 365ULL * 86400 * NSEC_PER_SEC;
	clock_run(&bench.b.clock);
	control(0x34);
	count16(0, 11932);
	bench.b.rises[0] = 0;
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_in_range(bench.b.rises[0], 99, 100);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_mode0),
		TEST(test_mode2),
		TEST(test_mode3),
		TEST(test_mode3_new_count),
		TEST(test_mode3_early),
		TEST(test_count_1),
		TEST(test_status),
		TEST(test_frequency),
		TEST(test_gate),
		TEST(test_one_shots),
		TEST(test_mode4_interrupt),
		TEST(test_bcd),
		TEST(test_access_modes),
		TEST(test_latches),
		TEST(test_port61),
		TEST(test_late),
	};

	return cmocka_run_group_tests_name("pit", tests, NULL, NULL);
}
