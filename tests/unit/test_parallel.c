/* SPDX-License-Identifier: BSD-2-Clause */
/* The parallel port: registers, a byte's way, the interrupt, a busy printer. */
#include "tests/unit/device_test.h"

#include "devices/parallel.h"
#include "include/errno.h"

#define PORT	0x378
#define DATA	PORT
#define STATUS	(PORT + 1)
#define CONTROL (PORT + 2)
#define IRQ	7

/* Selected, no error, nothing of an interrupt. */
#define IDLE	     0xdc
#define BUSY	     0x5c
#define ACKNOWLEDGED 0x9c

static struct {
	struct bench b;
	struct parallel parallel;
	char printed[64];
	unsigned count, room, asked;
} bench;

static bool take(void *ctx, uint8_t byte)
{
	assert_ptr_equal(ctx, &bench);
	bench.asked++;
	if (bench.count == bench.room)
		return false;
	bench.printed[bench.count++] = (char)byte;
	return true;
}

static int setup(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench_init(&bench.b);
	bench.room = sizeof(bench.printed);
	assert_int_equal(
		parallel_init(&bench.parallel, &bench.b.ports, PORT,
			      bench_irq(&bench.b, IRQ),
			      (struct parallel_backend){ take, &bench }),
		0);
	return 0;
}

static void put(uint16_t port, uint8_t value)
{
	bus_out(&bench.b.ports, port, value, 1);
}

static uint8_t get(uint16_t port)
{
	return (uint8_t)bus_in(&bench.b.ports, port, 1);
}

static bool line(void)
{
	return bench.b.level & BIT(IRQ);
}

static void strobe(uint8_t byte, uint8_t control)
{
	put(DATA, byte);
	put(CONTROL, control | 1);
	put(CONTROL, control);
}

/* What a BIOS and Linux' parport_pc write to find out what is there. */
static void test_registers(void **state)
{
	static const uint8_t written[] = { 0x0c, 0x0e, 0x00, 0x37, 0xf7 };

	(void)state;
	assert_int_equal(get(CONTROL), 0xcc);
	assert_int_equal(get(STATUS), IDLE);
	put(DATA, 0xaa);
	assert_int_equal(get(DATA), 0xaa);
	put(DATA, 0x55);
	assert_int_equal(get(DATA), 0x55);
	for (unsigned i = 0; i < ARRAY_SIZE(written); i++) {
		put(CONTROL, written[i]);
		assert_int_equal(get(CONTROL), written[i] | 0xc0);
	}
	/* The data lines are inputs, and then outputs again. */
	assert_int_equal(get(DATA), 0xff);
	put(DATA, 0x12);
	assert_int_equal(get(DATA), 0xff);
	put(CONTROL, 0x0c);
	assert_int_equal(get(DATA), 0x12);
	put(STATUS, 0xff);
	assert_int_equal(get(STATUS), IDLE);
	/* Neither EPP nor a fourth port; wide accesses are three. */
	assert_int_equal(get(PORT + 3), 0xff);
	assert_int_equal(bus_in(&bench.b.ports, PORT, 4), 0xffccdc12);
	assert_int_equal(bench.asked, 0);
}

static void test_bytes(void **state)
{
	(void)state;
	put(DATA, 'A');
	put(CONTROL, 0x0d);
	assert_int_equal(get(STATUS), BUSY);
	/* The printer has it since the strobe began. */
	put(DATA, 'z');
	put(CONTROL, 0x0d);
	assert_int_equal(bench.count, 0);
	put(CONTROL, 0x0c);
	assert_int_equal(bench.count, 1);
	assert_int_equal(get(STATUS), ACKNOWLEDGED);
	assert_int_equal(get(STATUS), IDLE);
	/* Whoever does not look at the status prints all the same. */
	strobe('B', 0x0e);
	strobe('C', 0x0c);
	assert_memory_equal(bench.printed, "ABC", 4);
	assert_int_equal(get(STATUS), ACKNOWLEDGED);
	assert_false(line());
	assert_int_equal(bench.b.rises[IRQ], 0);
}

/* Not selected, or with nINIT low, it hears no strobe. */
static void test_select_and_init(void **state)
{
	(void)state;
	strobe('A', 0x04);
	assert_int_equal(bench.asked, 0);
	/* A select during the strobe makes no edge of it. */
	put(CONTROL, 0x05);
	put(CONTROL, 0x0d);
	put(CONTROL, 0x0c);
	assert_int_equal(bench.asked, 0);
	put(CONTROL, 0x08);
	assert_int_equal(get(STATUS), BUSY);
	strobe('B', 0x08);
	assert_int_equal(bench.asked, 0);
	put(CONTROL, 0x0c);
	assert_int_equal(get(STATUS), IDLE);
	/* It forgets what it has not passed on. */
	bench.room = 0;
	strobe('C', 0x0c);
	assert_int_equal(get(STATUS), BUSY);
	put(CONTROL, 0x08);
	put(CONTROL, 0x0c);
	assert_int_equal(get(STATUS), IDLE);
	bench.room = 8;
	parallel_room(&bench.parallel);
	assert_int_equal(bench.count, 0);
}

static void test_interrupt(void **state)
{
	(void)state;
	strobe('A', 0x1c);
	assert_true(line());
	assert_int_equal(get(STATUS), ACKNOWLEDGED & ~4);
	assert_false(line());
	assert_int_equal(get(STATUS), IDLE);
	/* Each byte is an edge, whether the status is read or not. */
	strobe('B', 0x1c);
	strobe('C', 0x1c);
	assert_int_equal(bench.b.rises[IRQ], 3);
	assert_true(line());
	put(CONTROL, 0x0c);
	assert_false(line());
	put(CONTROL, 0x1c);
	assert_false(line());
	/* It comes when the byte is taken. */
	bench.room = bench.count;
	strobe('D', 0x1c);
	assert_false(line());
	bench.room++;
	parallel_room(&bench.parallel);
	assert_true(line());
	device_reset(&bench.parallel.device);
	assert_false(line());
	assert_int_equal(get(CONTROL), 0xcc);
	assert_int_equal(get(STATUS), IDLE);
}

/* Nothing is lost while the far end is behind but what software forces. */
static void test_busy(void **state)
{
	(void)state;
	bench.room = 1;
	strobe('A', 0x0c);
	strobe('B', 0x0c);
	assert_int_equal(bench.asked, 2);
	assert_int_equal(get(STATUS), BUSY);
	assert_int_equal(bench.asked, 3);
	strobe('c', 0x0c);
	assert_int_equal(get(STATUS), BUSY);
	parallel_room(&bench.parallel);
	assert_int_equal(get(STATUS), BUSY);
	/* Told, or asked. */
	bench.room = 2;
	assert_int_equal(get(STATUS), ACKNOWLEDGED);
	assert_int_equal(get(STATUS), IDLE);
	strobe('C', 0x0c);
	bench.room = 8;
	parallel_room(&bench.parallel);
	assert_memory_equal(bench.printed, "ABC", 4);
	assert_int_equal(get(STATUS), ACKNOWLEDGED);
	parallel_room(&bench.parallel);
	assert_int_equal(bench.count, 3);
}

static void test_two(void **state)
{
	struct parallel second;
	const struct parallel_backend backend = { take, &bench };

	(void)state;
	assert_int_equal(parallel_init(&second, &bench.b.ports, PORT + 2,
				       bench_irq(&bench.b, 5), backend),
			 -EEXIST);
	assert_int_equal(parallel_init(&second, &bench.b.ports, 0x278,
				       bench_irq(&bench.b, 5), backend),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_registers, setup),
		cmocka_unit_test_setup(test_bytes, setup),
		cmocka_unit_test_setup(test_select_and_init, setup),
		cmocka_unit_test_setup(test_interrupt, setup),
		cmocka_unit_test_setup(test_busy, setup),
		cmocka_unit_test_setup(test_two, setup),
	};

	return cmocka_run_group_tests_name("parallel", tests, NULL, NULL);
}
