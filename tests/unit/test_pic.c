/* SPDX-License-Identifier: BSD-2-Clause */
/* The 8259 pair. */
#include "tests/unit/device_test.h"

#include "devices/pic.h"

#define SPECIFIC_EOI 0x60
#define EOI	     0x20
#define READ_IRR     0x0a
#define READ_ISR     0x0b

struct pic_bench {
	struct bench b;
	struct pic pic;
};

static struct pic_bench bench;

static void raise(unsigned pin)
{
	pic_irq_set(&bench.pic, pin, true);
}

static void lower(unsigned pin)
{
	pic_irq_set(&bench.pic, pin, false);
}

/* An edge; the line stays high, as every source's does. */
static void edge(unsigned pin)
{
	lower(pin);
	raise(pin);
}

static bool intr(void)
{
	return bench.b.level & 1;
}

static void program(uint8_t icw4_master, uint8_t icw4_slave)
{
	struct bench *b = &bench.b;

	outb(b, 0x20, 0x11);
	outb(b, 0x21, 0x33); /* the low bits do not count */
	outb(b, 0x21, 0x04);
	outb(b, 0x21, icw4_master);
	outb(b, 0xa0, 0x11);
	outb(b, 0xa1, 0x38);
	outb(b, 0xa1, 0x02);
	outb(b, 0xa1, icw4_slave);
}

static int setup(void **state)
{
	(void)state;
	bench_init(&bench.b);
	assert_int_equal(
		pic_init(&bench.pic, &bench.b.ports, bench_irq(&bench.b, 0)),
		0);
	program(1, 1);
	return 0;
}

static uint8_t read_register(uint16_t port, uint8_t which)
{
	outb(&bench.b, port, which);
	return inb(&bench.b, port);
}

static void test_init(void **state)
{
	(void)state;
	outb(&bench.b, 0x21, 0xa5);
	assert_int_equal(inb(&bench.b, 0x21), 0xa5);
	/* ICW1 clears the mask and requests; ICW4 may be absent. */
	edge(3);
	outb(&bench.b, 0x20, 0x10);
	assert_int_equal(read_register(0x20, READ_IRR), 0);
	outb(&bench.b, 0x21, 0x40);
	outb(&bench.b, 0x21, 0x04);
	outb(&bench.b, 0x21, 0x01); /* OCW1 already */
	assert_int_equal(inb(&bench.b, 0x21), 0x01);
	/* Single mode leaves ICW3 out, too. */
	outb(&bench.b, 0x20, 0x12);
	outb(&bench.b, 0x21, 0x40);
	outb(&bench.b, 0x21, 0x02);
	assert_int_equal(inb(&bench.b, 0x21), 0x02);
	edge(0);
	assert_true(intr());
	assert_int_equal(pic_ack(&bench.pic), 0x40);
	outb(&bench.b, 0x20, EOI);
	/* And its pin 2 then is one like the others. */
	edge(12);
	assert_int_equal(pic_ack(&bench.pic), 0x42);
	assert_int_equal(read_register(0xa0, READ_IRR), 0x10);
	assert_int_equal(read_register(0xa0, READ_ISR), 0);
}

static void test_edge(void **state)
{
	(void)state;
	assert_false(intr());
	raise(1);
	assert_true(intr());
	assert_int_equal(read_register(0x20, READ_IRR), 0x02);
	assert_int_equal(pic_ack(&bench.pic), 0x31);
	assert_false(intr());
	assert_int_equal(read_register(0x20, READ_ISR), 0x02);
	assert_int_equal(read_register(0x20, READ_IRR), 0x00);
	/* Still high: no new edge. */
	outb(&bench.b, 0x20, EOI);
	assert_false(intr());
	lower(1);
	raise(1);
	assert_true(intr());
	lower(1);
}

/*
 * "The IR input must remain high until after the falling edge of the first
 * INTA", else the request is gone, and who acknowledges gets IR7's vector
 * without its bit in the ISR.
 */
static void test_edge_gone(void **state)
{
	(void)state;
	raise(6);
	assert_true(intr());
	lower(6);
	assert_false(intr());
	assert_int_equal(read_register(0x20, READ_IRR), 0);
	assert_int_equal(pic_ack(&bench.pic), 0x37);
	assert_int_equal(read_register(0x20, READ_ISR), 0);
	/* While masked. */
	outb(&bench.b, 0x21, 0x40);
	raise(6);
	assert_int_equal(read_register(0x20, READ_IRR), 0x40);
	lower(6);
	outb(&bench.b, 0x21, 0);
	assert_false(intr());
	/* Behind one in service. */
	raise(3);
	assert_int_equal(pic_ack(&bench.pic), 0x33);
	edge(5);
	lower(5);
	outb(&bench.b, 0x20, EOI);
	assert_false(intr());
	/* A real one is told from a spurious one by its bit in the ISR. */
	raise(7);
	assert_int_equal(pic_ack(&bench.pic), 0x37);
	assert_int_equal(read_register(0x20, READ_ISR), 0x80);
}

static void test_slave_edge_gone(void **state)
{
	(void)state;
	raise(14);
	assert_true(intr());
	lower(14);
	assert_false(intr());
	assert_int_equal(read_register(0x20, READ_IRR), 0);
	assert_int_equal(read_register(0xa0, READ_IRR), 0);
	/* The cycle had begun: the master serves the slave, which has none. */
	assert_int_equal(pic_ack(&bench.pic), 0x3f);
	assert_int_equal(read_register(0x20, READ_ISR), 0x04);
	assert_int_equal(read_register(0xa0, READ_ISR), 0);
	outb(&bench.b, 0x20, EOI);
	/* Once; what comes later is the master's. */
	assert_int_equal(pic_ack(&bench.pic), 0x37);
	edge(14);
	lower(14);
	edge(1);
	lower(1);
	assert_int_equal(pic_ack(&bench.pic), 0x37);
	/* Another pin of the slave keeps INTR up. */
	edge(14);
	edge(10);
	lower(10);
	assert_true(intr());
	assert_int_equal(pic_ack(&bench.pic), 0x3e);
}

static void test_priority(void **state)
{
	(void)state;
	edge(4);
	assert_int_equal(pic_ack(&bench.pic), 0x34);
	edge(5); /* lower: waits */
	assert_false(intr());
	edge(0); /* higher: nests */
	assert_true(intr());
	assert_int_equal(pic_ack(&bench.pic), 0x30);
	assert_int_equal(read_register(0x20, READ_ISR), 0x11);
	outb(&bench.b, 0x20, EOI);
	assert_int_equal(read_register(0x20, READ_ISR), 0x10);
	assert_false(intr());
	outb(&bench.b, 0x20, EOI);
	assert_true(intr());
	assert_int_equal(pic_ack(&bench.pic), 0x35);
	outb(&bench.b, 0x20, SPECIFIC_EOI | 5);
	assert_int_equal(read_register(0x20, READ_ISR), 0);
}

static void test_mask(void **state)
{
	(void)state;
	outb(&bench.b, 0x21, 0x08);
	edge(3);
	assert_false(intr());
	assert_int_equal(read_register(0x20, READ_IRR), 0x08);
	outb(&bench.b, 0x21, 0x00);
	assert_true(intr());
	/* Masked between INTR and acknowledge: spurious, not in service. */
	outb(&bench.b, 0x21, 0x08);
	assert_int_equal(pic_ack(&bench.pic), 0x37);
	assert_int_equal(read_register(0x20, READ_ISR), 0);
}

static void test_cascade(void **state)
{
	(void)state;
	edge(12);
	assert_true(intr());
	assert_int_equal(read_register(0x20, READ_IRR), 0x04);
	assert_int_equal(pic_ack(&bench.pic), 0x3c);
	assert_int_equal(read_register(0x20, READ_ISR), 0x04);
	assert_int_equal(read_register(0xa0, READ_ISR), 0x10);
	edge(8); /* higher at the slave, but the master's pin 2 is busy */
	assert_false(intr());
	outb(&bench.b, 0x20, EOI);
	assert_true(intr());
	assert_int_equal(pic_ack(&bench.pic), 0x38);
	outb(&bench.b, 0xa0, EOI);
	outb(&bench.b, 0xa0, EOI);
	outb(&bench.b, 0x20, EOI);
	/* Spurious at the slave: the master still serves its pin 2. */
	outb(&bench.b, 0xa1, 0xff);
	edge(9);
	assert_false(intr());
	/* The cascade pin is no input. */
	edge(2);
	edge(16);
	assert_false(intr());
}

static void test_nested(void **state)
{
	(void)state;
	program(0x11, 0x01);
	edge(12);
	assert_int_equal(pic_ack(&bench.pic), 0x3c);
	edge(8);
	assert_true(intr());
	assert_int_equal(pic_ack(&bench.pic), 0x38);
	/* The master's own pins below the slave wait, those above do not. */
	edge(4);
	assert_false(intr());
	edge(1);
	assert_int_equal(pic_ack(&bench.pic), 0x31);
	outb(&bench.b, 0x20, EOI);
	/* The driver asks the slave whether it was its last. */
	outb(&bench.b, 0xa0, EOI);
	assert_int_equal(read_register(0xa0, READ_ISR), 0x10);
	outb(&bench.b, 0xa0, EOI);
	assert_int_equal(read_register(0xa0, READ_ISR), 0);
	assert_false(intr());
	outb(&bench.b, 0x20, EOI);
	assert_int_equal(pic_ack(&bench.pic), 0x34);
}

static void test_level(void **state)
{
	(void)state;
	outb(&bench.b, 0x4d0, 0xff);
	outb(&bench.b, 0x4d1, 0xff);
	assert_int_equal(inb(&bench.b, 0x4d0), 0xf8);
	assert_int_equal(inb(&bench.b, 0x4d1), 0xde);
	raise(11);
	assert_int_equal(pic_ack(&bench.pic), 0x3b);
	outb(&bench.b, 0xa0, EOI);
	outb(&bench.b, 0x20, EOI);
	assert_true(intr()); /* asks again for as long as it is high */
	lower(11);
	assert_false(intr());
	assert_int_equal(read_register(0xa0, READ_IRR), 0);
	/* Gone before the acknowledge. */
	raise(5);
	lower(5);
	assert_int_equal(pic_ack(&bench.pic), 0x37);
	/* A line that is high when its mode changes. */
	outb(&bench.b, 0x4d0, 0);
	raise(6);
	(void)pic_ack(&bench.pic);
	outb(&bench.b, 0x20, EOI);
	outb(&bench.b, 0x4d0, 0x40);
	assert_true(intr());
}

static void test_auto_eoi(void **state)
{
	(void)state;
	program(0x03, 0x03);
	edge(0);
	edge(1);
	assert_int_equal(pic_ack(&bench.pic), 0x30);
	assert_int_equal(read_register(0x20, READ_ISR), 0);
	assert_true(intr());
	assert_int_equal(pic_ack(&bench.pic), 0x31);
	edge(14);
	assert_int_equal(pic_ack(&bench.pic), 0x3e);
	assert_false(intr());
	/* Rotating: the one just served becomes the lowest. */
	outb(&bench.b, 0x20, 0x80);
	edge(0);
	assert_int_equal(pic_ack(&bench.pic), 0x30);
	edge(0);
	edge(1);
	assert_int_equal(pic_ack(&bench.pic), 0x31);
	assert_int_equal(pic_ack(&bench.pic), 0x30);
	outb(&bench.b, 0x20, 0x00);
}

static void test_rotate(void **state)
{
	(void)state;
	edge(3);
	assert_int_equal(pic_ack(&bench.pic), 0x33);
	outb(&bench.b, 0x20, 0xa0); /* rotate on non-specific EOI */
	edge(3);
	edge(4);
	assert_int_equal(pic_ack(&bench.pic), 0x34);
	outb(&bench.b, 0x20, 0xe4); /* and on specific EOI */
	assert_int_equal(read_register(0x20, READ_ISR), 0);
	outb(&bench.b, 0x20, 0xc7); /* set priority: 7 lowest, 0 highest */
	edge(0);
	assert_int_equal(pic_ack(&bench.pic), 0x30);
}

static void test_special_mask(void **state)
{
	(void)state;
	edge(1);
	assert_int_equal(pic_ack(&bench.pic), 0x31);
	edge(4);
	assert_false(intr());
	outb(&bench.b, 0x21, 0x02);
	outb(&bench.b, 0x20, 0x68);
	assert_true(intr());
	assert_int_equal(pic_ack(&bench.pic), 0x34);
	/* The non-specific EOI passes the hidden one by. */
	outb(&bench.b, 0x20, EOI);
	assert_int_equal(read_register(0x20, READ_ISR), 0x02);
	outb(&bench.b, 0x20, EOI);
	assert_int_equal(read_register(0x20, READ_ISR), 0x02);
	outb(&bench.b, 0x20, 0x48);
	edge(4);
	assert_false(intr());
}

static void test_poll(void **state)
{
	(void)state;
	outb(&bench.b, 0x20, 0x0c);
	assert_int_equal(inb(&bench.b, 0x20), 0x00);
	edge(6);
	outb(&bench.b, 0x20, 0x0c);
	assert_int_equal(inb(&bench.b, 0x21), 0x86);
	assert_false(intr());
	assert_int_equal(read_register(0x20, READ_ISR), 0x40);
	assert_int_equal(inb(&bench.b, 0x21), 0x00);
	edge(13);
	outb(&bench.b, 0xa0, 0x0c);
	assert_int_equal(inb(&bench.b, 0xa0), 0x85);
}

static void test_reset(void **state)
{
	(void)state;
	raise(1);
	raise(10);
	pic_reset(&bench.pic);
	assert_false(intr());
	program(1, 1);
	assert_false(intr());
	lower(1);
	raise(1);
	assert_true(intr());
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_init),      TEST(test_edge),
		TEST(test_priority),  TEST(test_mask),
		TEST(test_cascade),   TEST(test_nested),
		TEST(test_level),     TEST(test_auto_eoi),
		TEST(test_rotate),    TEST(test_special_mask),
		TEST(test_poll),      TEST(test_reset),
		TEST(test_edge_gone), TEST(test_slave_edge_gone),
	};

	return cmocka_run_group_tests_name("pic", tests, NULL, NULL);
}
