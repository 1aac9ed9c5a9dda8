/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/uart16550.c on a small UART: how it is set up beside bytes that still
 * go out or have come in, and how few accesses a burst takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "drivers/uart16550.h"
#include "include/errno.h"

#define PORT 0x3f8

/* The device: what the data sheet says of the registers that are used. */
static struct {
	bool is_absent, is_dead;
	uint8_t ier, lcr, mcr, fcr, scratch;
	uint8_t divisor;
	unsigned waiting;   /* bytes in the transmit FIFO */
	unsigned busy_left; /* reads of LSR until one of them is out */
	char sent[256];
	unsigned sent_count;
	char received[32];
	unsigned received_count, read_count;
	unsigned reads, writes, strings;
} device;

static void shift(void)
{
	if (device.is_dead || !device.waiting)
		return;
	if (device.busy_left) {
		device.busy_left--;
		return;
	}
	device.waiting--;
	device.busy_left = 5;
}

static uint8_t device_read(void *ctx, uint16_t port)
{
	uint8_t value;

	assert_ptr_equal(ctx, &device);
	device.reads++;
	if (device.is_absent)
		return 0xff;
	switch (port - PORT) {
	case 0:
		assert_true(device.read_count < device.received_count);
		return (uint8_t)device.received[device.read_count++];
	case 5:
		shift();
		value = device.read_count < device.received_count;
		if (!device.waiting)
			value |= BIT(5) | BIT(6);
		return value;
	case 7:
		return device.scratch;
	}
	fail_msg("read of %x", port);
	return 0;
}

static void data_write(uint8_t value)
{
	if (device.lcr & BIT(7)) {
		device.divisor = value;
		return;
	}
	/* More than the FIFO holds is lost. */
	assert_true(device.waiting < UART16550_FIFO);
	device.waiting++;
	device.sent[device.sent_count++ % sizeof(device.sent)] = (char)value;
}

static void fcr_write(uint8_t value)
{
	/* Bits 1 and 2 clear the FIFOs, and so does a change of bit 0. */
	if (value & BIT(1) || (value ^ device.fcr) & 1)
		device.received_count = device.read_count = 0;
	if (value & BIT(2) || (value ^ device.fcr) & 1)
		device.waiting = 0;
	device.fcr = value & 0xc9;
}

static void device_write(void *ctx, uint16_t port, uint8_t value)
{
	assert_ptr_equal(ctx, &device);
	device.writes++;
	switch (port - PORT) {
	case 0:
		data_write(value);
		break;
	case 1:
		if (!(device.lcr & BIT(7)))
			device.ier = value;
		break;
	case 2:
		fcr_write(value);
		break;
	case 3:
		/* Not while a byte is on the wire. */
		assert_true(device.is_dead || !device.waiting);
		device.lcr = value;
		break;
	case 4:
		device.mcr = value;
		break;
	case 7:
		device.scratch = value;
		break;
	default:
		fail_msg("write of %x", port);
	}
}

static void device_write_string(void *ctx, uint16_t port, const char *bytes,
				size_t length)
{
	assert_ptr_equal(ctx, &device);
	assert_int_equal(port, PORT);
	assert_in_range(length, 2, UART16550_FIFO);
	device.strings++;
	for (size_t i = 0; i < length; i++)
		data_write((uint8_t)bytes[i]);
}

static const struct port_ops ops = {
	.read = device_read,
	.write = device_write,
	.write_string = device_write_string,
};

static struct uart16550 uart;

static int setup(void **state)
{
	(void)state;
	memset(&device, 0, sizeof(device));
	device.fcr = 1;
	return 0;
}

static void begin(void)
{
	assert_int_equal(uart16550_init(&uart, &ops, &device, PORT), 0);
}

static void it_is_set_up(void **state)
{
	(void)state;
	begin();
	assert_int_equal(device.divisor, 1);
	assert_int_equal(device.lcr, 3);
	assert_int_equal(device.mcr, 0x0b);
	assert_int_equal(device.ier, 1);
	assert_int_equal(device.fcr, 1);
}

/* The monitor's last bytes are still in the FIFO, and a key was pressed. */
static void nothing_is_lost_at_the_beginning(void **state)
{
	(void)state;
	device.waiting = UART16550_FIFO;
	device.received[device.received_count++] = 'k';
	begin();
	assert_int_equal(device.waiting, 0);
	assert_int_equal(uart16550_read(&uart), 'k');
	assert_int_equal(uart16550_read(&uart), -1);
}

static void a_dead_one_is_not_waited_for(void **state)
{
	(void)state;
	device.waiting = UART16550_FIFO;
	device.is_dead = true;
	begin();
	assert_true(device.reads < 100000);
	assert_int_equal(uart16550_send(&uart, "x", 1), 0);
	assert_false(uart16550_is_idle(&uart));
}

static void none_takes_everything(void **state)
{
	(void)state;
	device.is_absent = true;
	assert_int_equal(uart16550_init(&uart, &ops, &device, PORT), -ENODEV);
	device.writes = 0;
	assert_int_equal(uart16550_send(&uart, "abc", 3), 3);
	assert_int_equal(uart16550_read(&uart), -1);
	assert_true(uart16550_is_idle(&uart));
	assert_int_equal(device.writes, 0);
}

static void a_burst_takes_two_accesses_a_fifo(void **state)
{
	char text[64];
	size_t at = 0;

	(void)state;
	begin();
	memset(text, 'x', sizeof(text));
	device.reads = device.writes = 0;
	while (at < sizeof(text)) {
		at += uart16550_send(&uart, text + at, sizeof(text) - at);
		device.waiting = 0; /* its time has passed */
	}
	assert_int_equal(device.strings, 4);
	assert_int_equal(device.reads, 4);
	assert_int_equal(device.writes, 0);
	assert_int_equal(device.sent_count, sizeof(text));
}

/* Room that is known is used without another look. */
static void room_is_remembered(void **state)
{
	(void)state;
	begin();
	device.reads = 0;
	for (unsigned i = 0; i < UART16550_FIFO; i++)
		assert_int_equal(uart16550_send(&uart, "y", 1), 1);
	assert_int_equal(device.reads, 1);
	assert_int_equal(uart16550_send(&uart, "z", 1), 0);
	assert_int_equal(device.sent_count, UART16550_FIFO);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(it_is_set_up),
		TEST(nothing_is_lost_at_the_beginning),
		TEST(a_dead_one_is_not_waited_for),
		TEST(none_takes_everything),
		TEST(a_burst_takes_two_accesses_a_fifo),
		TEST(room_is_remembered),
	};

	return cmocka_run_group_tests_name("uart16550", tests, NULL, NULL);
}
