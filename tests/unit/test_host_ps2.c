/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/ps2.c on an 8042 of the test's own: what is there and what is not,
 * keys, packets of the mouse, and noise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "drivers/ps2.h"
#include "include/errno.h"

#define QUEUE	   4096
#define READS_MAX  (12 * PS2_ANSWER_READS)
#define FROM_MOUSE 0x100

static struct {
	bool is_there, has_mouse, has_wheel;
	uint16_t queue[QUEUE]; /* bytes to the host, FROM_MOUSE or not */
	unsigned head, tail;
	uint8_t expects; /* the command whose byte comes next; 0: none */
	uint8_t command; /* the controller's */
	uint8_t rates[3], expects_rate;
	bool is_reporting;
	unsigned reads;
} port;

static struct ps2 ps2;

/* ---- The controller ------------------------------------------------------ */

static void queue(unsigned what)
{
	assert_true(port.head - port.tail < QUEUE);
	port.queue[port.head++ % QUEUE] = (uint16_t)what;
}

static void mouse_answers(uint8_t byte)
{
	bool is_magic = port.rates[0] == 200 && port.rates[1] == 100 &&
			port.rates[2] == 80;

	if (!port.has_mouse)
		return;
	queue(FROM_MOUSE | 0xfa);
	if (port.expects_rate) {
		port.rates[0] = port.rates[1];
		port.rates[1] = port.rates[2];
		port.rates[2] = byte;
		port.expects_rate = false;
		return;
	}
	port.expects_rate = byte == 0xf3;
	if (byte == 0xf2)
		queue(FROM_MOUSE | (port.has_wheel && is_magic ? 3 : 0));
	if (byte == 0xf4)
		port.is_reporting = true;
}

static uint8_t port_read(void *ctx, uint16_t at)
{
	uint16_t next = port.queue[port.tail % QUEUE];

	(void)ctx;
	port.reads++;
	if (!port.is_there)
		return 0xff;
	if (at == PS2_STATUS) {
		if (port.tail == port.head)
			return 0;
		return next & FROM_MOUSE ? 0x21 : 0x01;
	}
	assert_int_equal(at, PS2_DATA);
	assert_true(port.tail != port.head); /* nothing is read for nothing */
	port.tail++;
	return (uint8_t)next;
}

static void port_write(void *ctx, uint16_t at, uint8_t value)
{
	(void)ctx;
	assert_true(port.is_there);
	if (at == PS2_STATUS) {
		port.expects = value;
		if (value == 0x20)
			queue(port.command);
		return;
	}
	assert_int_equal(at, PS2_DATA);
	if (port.expects == 0x60)
		port.command = value;
	else if (port.expects == 0xd4)
		mouse_answers(value);
	else
		fail_msg("%02x to the keyboard", value);
	port.expects = 0;
}

static const struct port_ops ops = { .read = port_read, .write = port_write };

static int setup(void **state)
{
	(void)state;
	memset(&port, 0, sizeof(port));
	port.is_there = true;
	port.command = 0x30; /* both off, no interrupts */
	return 0;
}

static void begin(bool has_mouse, bool has_wheel)
{
	port.has_mouse = has_mouse;
	port.has_wheel = has_wheel;
	assert_int_equal(ps2_init(&ps2, &ops, NULL), 0);
	assert_int_equal(port.head, port.tail);
}

static void expect_none(void)
{
	struct input_event event[PS2_EVENTS];

	assert_int_equal(ps2_read(&ps2, event), 0);
}

static void expect_key(uint16_t code, int32_t value)
{
	struct input_event event[PS2_EVENTS];

	assert_int_equal(ps2_read(&ps2, event), 1);
	assert_int_equal(event[0].kind, INPUT_KEY);
	assert_int_equal(event[0].code, code);
	assert_int_equal(event[0].value, value);
}

/* ---- What is there ------------------------------------------------------- */

static void without_anything(void **state)
{
	(void)state;
	port.is_there = false;
	assert_int_equal(ps2_init(&ps2, &ops, NULL), -ENODEV);
	assert_true(port.reads < 10);
	port.is_there = true;
	queue(0x1e);
	expect_none();
}

static void without_a_mouse(void **state)
{
	(void)state;
	queue(0x77); /* from before */
	begin(false, false);
	assert_true(port.reads < READS_MAX);
	assert_false(ps2.has_mouse);
	/* The keyboard is on, translated, with its interrupt and no other. */
	assert_int_equal(port.command & 0x53, 0x41);
	queue(0x1e);
	expect_key(0x1e, 1);
	queue(FROM_MOUSE | 0x08);
	expect_none();
}

static void with_a_mouse(void **state)
{
	(void)state;
	begin(true, false);
	assert_true(ps2.has_mouse && !ps2.has_wheel && port.is_reporting);
	assert_int_equal(port.command & 0x73, 0x43);
	(void)setup(NULL);
	begin(true, true);
	assert_true(ps2.has_mouse && ps2.has_wheel && port.is_reporting);
}

/* ---- Keys ---------------------------------------------------------------- */

static void keys(void **state)
{
	static const struct {
		uint8_t code;
		uint16_t key;
	} extended[] = {
		{ 0x1c, INPUT_KEY_KEYPAD_ENTER }, { 0x48, INPUT_KEY_UP },
		{ 0x5b, INPUT_KEY_LEFT_META },	  { 0x37, INPUT_KEY_PRINT },
		{ 0x1d, INPUT_KEY_RIGHT_CTRL },
	};

	(void)state;
	begin(false, false);
	for (uint8_t code = 1; code < INPUT_KEY_SAME_AS_SET_1; code++) {
		queue(code);
		queue(code | 0x80);
		expect_key(code, 1);
		expect_key(code, 0);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(extended); i++) {
		queue(0xe0);
		queue(extended[i].code);
		queue(0xe0);
		queue(extended[i].code | 0x80);
		expect_key(extended[i].key, 1);
		expect_key(extended[i].key, 0);
	}
	/* Print begins with a shift of its own, which is no key. */
	queue(0xe0);
	queue(0x2a);
	queue(0xe0);
	queue(0x37);
	expect_key(INPUT_KEY_PRINT, 1);
	expect_none();
	queue(0x7f); /* no keyboard has it */
	queue(0x00);
	expect_none();
}

static void pause_key(void **state)
{
	static const uint8_t bytes[] = { 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5 };
	struct input_event event[PS2_EVENTS];

	(void)state;
	begin(false, false);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		queue(bytes[i]);
	queue(0x1e);
	assert_int_equal(ps2_read(&ps2, event), 2);
	assert_int_equal(event[0].code, INPUT_KEY_PAUSE);
	assert_int_equal(event[0].value, 1);
	assert_int_equal(event[1].code, INPUT_KEY_PAUSE);
	assert_int_equal(event[1].value, 0);
	expect_key(0x1e, 1);
}

/* ---- The mouse ----------------------------------------------------------- */

static void packet(uint8_t head, uint8_t x, uint8_t y)
{
	queue(FROM_MOUSE | head);
	queue(FROM_MOUSE | x);
	queue(FROM_MOUSE | y);
}

static void expect_move(int32_t x, int32_t y)
{
	struct input_event event[PS2_EVENTS];

	assert_int_equal(ps2_read(&ps2, event), 3);
	assert_int_equal(event[0].code, INPUT_X);
	assert_int_equal(event[0].value, x);
	assert_int_equal(event[1].code, INPUT_Y);
	assert_int_equal(event[1].value, y);
	assert_int_equal(event[2].kind, INPUT_SYNC);
}

static void mouse_moves(void **state)
{
	struct input_event event[PS2_EVENTS];

	(void)state;
	begin(true, false);
	packet(0x08, 5, 7); /* upwards */
	expect_move(5, -7);
	packet(0x38, 0xff, 0xfe);
	expect_move(-1, 2);
	packet(0x18, 0x00, 0x01); /* the sign alone is 256 */
	expect_move(-256, -1);
	packet(0x0d, 0, 0); /* left and middle */
	assert_int_equal(ps2_read(&ps2, event), 3);
	assert_int_equal(event[0].code, INPUT_BUTTON_LEFT);
	assert_int_equal(event[0].value, 1);
	assert_int_equal(event[1].code, INPUT_BUTTON_MIDDLE);
	packet(0x09, 0, 0);
	assert_int_equal(ps2_read(&ps2, event), 2);
	assert_int_equal(event[0].code, INPUT_BUTTON_MIDDLE);
	assert_int_equal(event[0].value, 0);
	packet(0x09, 0, 0); /* nothing has changed */
	expect_none();
}

static void mouse_wheel(void **state)
{
	struct input_event event[PS2_EVENTS];

	(void)state;
	begin(true, true);
	packet(0x08, 0, 0);
	queue(FROM_MOUSE | 0xff);
	assert_int_equal(ps2_read(&ps2, event), 2);
	assert_int_equal(event[0].code, INPUT_WHEEL);
	assert_int_equal(event[0].value, 1); /* away from the user */
}

/* Without a byte the next packets are looked for by their first's mark. */
static void mouse_loses_bytes(void **state)
{
	(void)state;
	begin(true, false);
	queue(FROM_MOUSE | 0x00);
	queue(FROM_MOUSE | 0x07);
	packet(0x08, 5, 7);
	expect_move(5, -7);
	/* Keys in between belong to nobody's packet. */
	queue(FROM_MOUSE | 0x08);
	queue(0x1e);
	queue(FROM_MOUSE | 1);
	queue(FROM_MOUSE | 2);
	expect_key(0x1e, 1);
	expect_move(1, -2);
}

static void noise(void **state)
{
	struct input_event event[PS2_EVENTS];

	(void)state;
	srand(1);
	for (unsigned run = 0; run < 2000; run++) {
		unsigned reads = 0, n;

		(void)setup(NULL);
		begin(run & 1, run & 2);
		for (unsigned i = 0; i < 300; i++)
			queue((unsigned)rand() & 0x1ff);
		do {
			n = ps2_read(&ps2, event);
			assert_in_range(n, 0, PS2_EVENTS);
			for (unsigned i = 0; i < n; i++) {
				assert_in_range(event[i].kind, INPUT_KEY,
						INPUT_SYNC);
				assert_in_range(event[i].code, 0, 0x2ff);
			}
			assert_true(reads++ < 700);
		} while (n || port.head != port.tail);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_anything),
		TEST(without_a_mouse),
		TEST(with_a_mouse),
		TEST(keys),
		TEST(pause_key),
		TEST(mouse_moves),
		TEST(mouse_wheel),
		TEST(mouse_loses_bytes),
		TEST(noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
