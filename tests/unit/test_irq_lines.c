/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sources of interrupts on the 8259 pair, whose requests go with their lines:
 * what a source has raised is there until it has been served or taken back, and
 * not a moment only.
 */
#include "tests/unit/device_test.h"

#include "devices/hpet.h"
#include "devices/i8042.h"
#include "devices/pic.h"
#include "devices/pit.h"
#include "devices/rtc.h"
#include "devices/uart.h"

#define EOI 0x20

static struct {
	struct bench b;
	struct pic pic;
	struct pit pit;
	struct hpet hpet;
	struct rtc rtc;
	struct uart uart;
	struct i8042 kbc;
} bench;

static void legacy_changed(void *ctx, bool is_legacy)
{
	(void)ctx;
	(void)is_legacy;
}

static struct irq_line line(unsigned irq)
{
	return (struct irq_line){ pic_irq_set, &bench.pic, irq };
}

static int setup(void **state)
{
	static const uint16_t bases[] = { 0x20, 0xa0 };
	struct bench *b = &bench.b;

	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench_init(b);
	assert_int_equal(pic_init(&bench.pic, &b->ports, bench_irq(b, 0)), 0);
	assert_int_equal(pit_init(&bench.pit, &b->ports, &b->clock, line(0)),
			 0);
	assert_int_equal(rtc_init(&bench.rtc, &b->ports, &b->clock, line(8)),
			 0);
	assert_int_equal(uart_init(&bench.uart, &b->ports, 0x3f8, &b->clock,
				   line(4), (struct char_backend){ 0 }),
			 0);
	assert_int_equal(i8042_init(&bench.kbc, &b->ports, &b->clock, line(1),
				    line(12), NULL, NULL),
			 0);
	for (unsigned i = 0; i < ARRAY_SIZE(bases); i++) {
		outb(b, bases[i], 0x11);
		outb(b, bases[i] + 1, i ? 0x70 : 0x08);
		outb(b, bases[i] + 1, i ? 2 : 4);
		outb(b, bases[i] + 1, 1);
	}
	return 0;
}

static uint8_t irr(unsigned chip)
{
	uint16_t port = chip ? 0xa0 : 0x20;

	outb(&bench.b, port, 0x0a);
	return inb(&bench.b, port);
}

/* Expired while masked; then a control word makes OUT low. */
static void test_pit_reprogrammed(void **state)
{
	struct bench *b = &bench.b;

	(void)state;
	outb(b, 0x21, 0x01);
	outb(b, 0x43, 0x30);
	assert_int_equal(irr(0), 0);
	outb(b, 0x40, 100);
	outb(b, 0x40, 0);
	bench_step(b, NSEC_PER_MS);
	assert_int_equal(irr(0), 1);
	outb(b, 0x43, 0x30);
	assert_int_equal(irr(0), 0);
	outb(b, 0x21, 0);
	assert_false(b->level);
	assert_int_equal(pic_ack(&bench.pic), 0x0f);
	/* Into a mode whose OUT is high at once: an edge, as on a PC. */
	outb(b, 0x43, 0x34);
	assert_int_equal(irr(0), 1);
}

/* Ticks wait behind a mask, for long. */
static void test_pit_periodic(void **state)
{
	static const uint8_t words[] = { 0x34, 0x36, 0x38 };
	struct bench *b = &bench.b;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		outb(b, 0x43, 0x30);
		outb(b, 0x43, words[i]);
		(void)pic_ack(&bench.pic);
		outb(b, 0x20, EOI);
		outb(b, 0x21, 0x01);
		outb(b, 0x40, 100);
		outb(b, 0x40, 0);
		bench_step(b, 10 * NSEC_PER_MS);
		assert_int_equal(irr(0), 1);
		outb(b, 0x21, 0);
		assert_int_equal(pic_ack(&bench.pic), 0x08);
		outb(b, 0x20, EOI);
	}
}

static void test_hpet(void **state)
{
	struct bench *b = &bench.b;
	const uint64_t timer = HPET_BASE + 0x100;

	(void)state;
	assert_int_equal(hpet_init(&bench.hpet, &b->memory, &b->clock, line(0),
				   legacy_changed, NULL),
			 0);
	bench.hpet.out.set = pic_irq_set;
	outb(b, 0x43, 0x30); /* the 8254 is silent */
	outb(b, 0xa1, 0xff);
	bus_out(&b->memory, HPET_BASE + 0x10, 3, 8);
	for (unsigned i = 0; i < 2; i++) {
		bus_out(&b->memory, timer + 0x20 * i, 4, 8);
		bus_out(&b->memory, timer + 0x20 * i + 8, 1000, 8);
	}
	bench_step(b, NSEC_PER_SEC);
	assert_int_equal(irr(0), 1);
	assert_int_equal(irr(1), 1);
	assert_int_equal(pic_ack(&bench.pic), 0x08);
	outb(b, 0x20, EOI);
	assert_false(b->level);
	/* And once more, by the next edge. */
	bus_out(&b->memory, timer + 8, bus_in(&b->memory, HPET_BASE + 0xf0, 8),
		8);
	bench_step(b, NSEC_PER_MS);
	assert_int_equal(irr(0), 1);
}

static void test_rtc(void **state)
{
	struct bench *b = &bench.b;

	(void)state;
	outb(b, 0xa1, 0x01);
	outb(b, 0x70, 0x0b);
	outb(b, 0x71, 0x42);
	bench_step(b, NSEC_PER_SEC);
	assert_int_equal(irr(1), 1);
	outb(b, 0x70, 0x0c);
	assert_int_equal(inb(b, 0x71) & 0xc0, 0xc0);
	assert_int_equal(irr(1), 0);
}

/* An edge for each reason, also for one after the other. */
static void test_uart(void **state)
{
	struct bench *b = &bench.b;

	(void)state;
	outb(b, 0x43, 0x30);
	outb(b, 0x3f9, 2);
	assert_int_equal(irr(0), 0x10);
	assert_int_equal(pic_ack(&bench.pic), 0x0c);
	outb(b, 0x20, EOI);
	outb(b, 0x3f8, 'x'); /* the transmitter has been full for a moment */
	assert_int_equal(irr(0), 0x10);
	assert_int_equal(inb(b, 0x3fa), 0x02);
	assert_int_equal(irr(0), 0);
}

static void test_keyboard(void **state)
{
	struct bench *b = &bench.b;

	(void)state;
	outb(b, 0x43, 0x30);
	outb(b, 0x21, 0x02);
	i8042_key(&bench.kbc, 0x1e, true);
	assert_int_equal(irr(0), 2);
	(void)inb(b, 0x60);
	assert_int_equal(irr(0), 0);
	outb(b, 0x64, 0xd4);
	outb(b, 0x60, 0xf4);
	bench_step(b, NSEC_PER_MS);
	assert_int_equal(irr(1), 0x10);
	assert_int_equal(inb(b, 0x60), 0xfa);
	assert_int_equal(irr(1), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_pit_reprogrammed),
		TEST(test_pit_periodic),
		TEST(test_hpet),
		TEST(test_rtc),
		TEST(test_uart),
		TEST(test_keyboard),
	};

	return cmocka_run_group_tests_name("irq_lines", tests, NULL, NULL);
}
