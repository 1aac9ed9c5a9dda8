/* SPDX-License-Identifier: BSD-2-Clause */
/* The keyboard controller, the keyboard and the mouse. */
#include "tests/unit/device_test.h"

#include "devices/i8042.h"

#define OBF   0x01
#define MOUSE 0x20

static struct {
	struct bench b;
	struct i8042 kbc;
	unsigned resets;
} bench;

static void reset(void *ctx)
{
	(void)ctx;
	bench.resets++;
}

static int setup(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench_init(&bench.b);
	assert_int_equal(i8042_init(&bench.kbc, &bench.b.ports, &bench.b.clock,
				    bench_irq(&bench.b, 1),
				    bench_irq(&bench.b, 12), reset, NULL),
			 0);
	return 0;
}

static uint8_t status(void)
{
	return inb(&bench.b, 0x64);
}

/* The next byte, or -1 if none comes within a while. */
static int next(void)
{
	if (!(status() & OBF))
		bench_step(&bench.b, NSEC_PER_MS);
	return status() & OBF ? inb(&bench.b, 0x60) : -1;
}

static void command(uint8_t byte)
{
	outb(&bench.b, 0x64, byte);
}

static void data(uint8_t byte)
{
	outb(&bench.b, 0x60, byte);
}

static void to_mouse(uint8_t byte)
{
	command(0xd4);
	data(byte);
}

static void assert_bytes(const char *hex)
{
	unsigned byte;
	int used;

	while (sscanf(hex, " %x%n", &byte, &used) == 1) {
		assert_int_equal(next(), byte);
		hex += used;
	}
	assert_int_equal(next(), -1);
}

static void mode(uint8_t value)
{
	command(0x60);
	data(value);
}

static void test_controller(void **state)
{
	(void)state;
	assert_int_equal(status() & ~0x08, 0x10);
	command(0xaa);
	assert_int_equal(status(), 0x1d);
	assert_bytes("55");
	command(0xab);
	assert_bytes("00");
	command(0xa9);
	assert_bytes("00");
	command(0xe0);
	assert_bytes("00");
	command(0xc0);
	assert_bytes("80");
	mode(0x47);
	command(0x20);
	assert_bytes("47");
	command(0xad);
	command(0xa7);
	command(0x20);
	assert_bytes("77");
	command(0xae);
	command(0xa8);
	command(0x20);
	assert_bytes("47");
	/* Its own memory. */
	command(0x7f);
	data(0x99);
	command(0x3f);
	assert_bytes("99");
	/* Nonsense is ignored. */
	command(0x00);
	command(0xb5);
	assert_int_equal(next(), -1);
}

static void test_output_port(void **state)
{
	(void)state;
	command(0xd0);
	assert_bytes("03");
	command(0xd1);
	data(0x01);
	command(0xd0);
	assert_bytes("01");
	assert_int_equal(inb(&bench.b, 0x92), 0);
	command(0xdf);
	assert_int_equal(inb(&bench.b, 0x92), 2);
	command(0xdd);
	command(0xd0);
	assert_bytes("01");
	outb(&bench.b, 0x92, 2);
	command(0xd0);
	assert_bytes("03");
	assert_int_equal(bench.resets, 0);
	command(0xfe);
	assert_int_equal(bench.resets, 1);
	command(0xff);
	assert_int_equal(bench.resets, 1);
	command(0xd1);
	data(0x02);
	assert_int_equal(bench.resets, 2);
	outb(&bench.b, 0x92, 3);
	assert_int_equal(bench.resets, 3);
}

static void test_loops(void **state)
{
	(void)state;
	mode(0x33); /* both ports off, interrupts on */
	command(0xd3);
	data(0x5a);
	assert_int_equal(status() & (OBF | MOUSE), OBF | MOUSE);
	assert_int_equal(bench.b.level, BIT(12));
	assert_bytes("5a");
	assert_int_equal(bench.b.level, 0);
	command(0xd2);
	data(0xa5);
	assert_int_equal(status() & (OBF | MOUSE), OBF);
	assert_int_equal(bench.b.level, BIT(1));
	assert_bytes("a5");
}

static void test_keyboard_commands(void **state)
{
	(void)state;
	mode(0x00);
	data(0xff);
	assert_bytes("fa aa");
	data(0xf2);
	assert_bytes("fa ab 83");
	data(0xee);
	assert_bytes("ee");
	data(0xed);
	assert_bytes("fa");
	data(0x07);
	assert_bytes("fa");
	data(0xf3);
	assert_bytes("fa");
	data(0x20);
	assert_bytes("fa");
	data(0xf0);
	assert_bytes("fa");
	data(0x00);
	assert_bytes("fa 02");
	data(0xf0);
	assert_bytes("fa");
	data(0x03);
	assert_bytes("fe");
	data(0xfe);
	assert_bytes("fe");
	data(0xfa);
	assert_bytes("fa");
	data(0x00);
	assert_bytes("fe");
	/* A command in place of a parameter is a command. */
	data(0xed);
	assert_bytes("fa");
	data(0xf2);
	assert_bytes("fa ab 83");
	/* Translated, the identity looks different. */
	mode(0x40);
	data(0xf2);
	assert_bytes("fa ab 41");
}

static void test_keys(void **state)
{
	(void)state;
	mode(0x00);
	i8042_key(&bench.kbc, 0x1e, true); /* A */
	i8042_key(&bench.kbc, 0x1e, false);
	assert_bytes("1c f0 1c");
	i8042_key(&bench.kbc, I8042_KEY_EXTENDED | 0x48, true); /* Up */
	i8042_key(&bench.kbc, I8042_KEY_EXTENDED | 0x48, false);
	assert_bytes("e0 75 e0 f0 75");
	i8042_key(&bench.kbc, 0x41, true); /* F7 */
	assert_bytes("83");
	i8042_key(&bench.kbc, I8042_KEY_PAUSE, true);
	i8042_key(&bench.kbc, I8042_KEY_PAUSE, false);
	assert_bytes("e1 14 77 e1 f0 14 f0 77");
	i8042_key(&bench.kbc, I8042_KEY_PRINT, true);
	i8042_key(&bench.kbc, I8042_KEY_PRINT, false);
	assert_bytes("e0 12 e0 7c e0 f0 7c e0 f0 12");
	/* Set 1, straight. */
	data(0xf0);
	assert_bytes("fa");
	data(1);
	assert_bytes("fa");
	i8042_key(&bench.kbc, 0x1e, true);
	i8042_key(&bench.kbc, 0x1e, false);
	assert_bytes("1e 9e");
	/* Off, on. */
	data(0xf5);
	assert_bytes("fa");
	i8042_key(&bench.kbc, 0x1e, true);
	assert_int_equal(next(), -1);
	data(0xf4);
	assert_bytes("fa");
	i8042_key(&bench.kbc, 0x1e, true);
	assert_bytes("1c");
}

static void test_translation(void **state)
{
	unsigned key;

	(void)state;
	mode(0x40);
	/* Every make code comes out as it went in. */
	for (key = 1; key < 0x59; key++) {
		if (key == 0x55 || key == 0x56)
			continue;
		i8042_key(&bench.kbc, key, true);
		assert_int_equal(next(), key);
		i8042_key(&bench.kbc, key, false);
		assert_int_equal(next(), key | 0x80);
		assert_int_equal(next(), -1);
	}
	i8042_key(&bench.kbc, I8042_KEY_EXTENDED | 0x53, true);
	i8042_key(&bench.kbc, I8042_KEY_EXTENDED | 0x53, false);
	assert_bytes("e0 53 e0 d3");
	i8042_key(&bench.kbc, I8042_KEY_PAUSE, true);
	assert_bytes("e1 1d 45 e1 9d c5");
	/* Codes there are none are no keys. */
	i8042_key(&bench.kbc, 0, true);
	assert_int_equal(next(), -1);
}

static void test_interrupts_and_pace(void **state)
{
	(void)state;
	mode(0x41);
	i8042_key(&bench.kbc, 0x1e, true);
	i8042_key(&bench.kbc, 0x1e, false);
	assert_int_equal(bench.b.level, BIT(1));
	assert_int_equal(inb(&bench.b, 0x60), 0x1e);
	assert_int_equal(bench.b.level, 0);
	/* Read again, it is still the same. */
	assert_int_equal(inb(&bench.b, 0x60), 0x1e);
	assert_int_equal(status() & OBF, 0);
	bench_step(&bench.b, NSEC_PER_MS);
	assert_int_equal(bench.b.rises[1], 2);
	assert_int_equal(inb(&bench.b, 0x60), 0x9e);
	/* A port that is off holds its bytes back. */
	command(0xad);
	i8042_key(&bench.kbc, 0x1f, true);
	assert_int_equal(next(), -1);
	command(0xae);
	assert_bytes("1f");
	/* More keys than the queue holds: the early ones count. */
	for (unsigned i = 0; i < 200; i++)
		i8042_key(&bench.kbc, 0x20, true);
	assert_int_equal(next(), 0x20);
	data(0xf6); /* a command sweeps them away */
	assert_bytes("fa");
}

static void test_mouse_commands(void **state)
{
	(void)state;
	mode(0x02);
	to_mouse(0xff);
	assert_int_equal(status() & (OBF | MOUSE), OBF | MOUSE);
	assert_int_equal(bench.b.level, BIT(12));
	assert_bytes("fa aa 00");
	to_mouse(0xf2);
	assert_bytes("fa 00");
	to_mouse(0xe9);
	assert_bytes("fa 00 02 64");
	to_mouse(0xe8);
	assert_bytes("fa");
	to_mouse(3);
	assert_bytes("fa");
	to_mouse(0xe7);
	assert_bytes("fa");
	to_mouse(0xf4);
	assert_bytes("fa");
	to_mouse(0xe9);
	assert_bytes("fa 30 03 64");
	to_mouse(0xf6);
	assert_bytes("fa");
	to_mouse(0x00);
	assert_bytes("fe");
	to_mouse(0xfe);
	assert_bytes("fe");
	/* Wrap: an echo of everything but its end and reset. */
	to_mouse(0xee);
	assert_bytes("fa");
	to_mouse(0xf4);
	assert_bytes("f4");
	to_mouse(0xec);
	assert_bytes("fa");
	/* Remote: movement on demand. */
	to_mouse(0xf0);
	assert_bytes("fa");
	i8042_mouse(&bench.kbc, 5, -3, 0, 0);
	assert_int_equal(next(), -1);
	to_mouse(0xeb);
	assert_bytes("fa 28 05 fd");
}

static void rates(uint8_t a, uint8_t b, uint8_t c)
{
	const uint8_t rate[3] = { a, b, c };

	for (unsigned i = 0; i < 3; i++) {
		to_mouse(0xf3);
		assert_bytes("fa");
		to_mouse(rate[i]);
		assert_bytes("fa");
	}
	to_mouse(0xf2);
}

static void test_mouse_reports(void **state)
{
	(void)state;
	mode(0x00);
	i8042_mouse(&bench.kbc, 1, 1, 0, 0);
	assert_int_equal(next(), -1); /* nobody asked */
	to_mouse(0xf4);
	assert_bytes("fa");
	i8042_mouse(&bench.kbc, 1, 2, 0, I8042_BUTTON_LEFT);
	assert_bytes("09 01 02");
	i8042_mouse(&bench.kbc, -1, -2, 0, 0);
	assert_bytes("38 ff fe");
	i8042_mouse(&bench.kbc, 0, 0, 3, 0); /* no wheel yet */
	assert_int_equal(next(), -1);
	/* More than a report holds comes in several. */
	i8042_mouse(&bench.kbc, 300, -300, 0, I8042_BUTTON_RIGHT);
	assert_bytes("2a ff 01 2a 2d d3");
	/* What gathers while one is on its way is one report. */
	i8042_mouse(&bench.kbc, 1, 0, 0, 0);
	i8042_mouse(&bench.kbc, 1, 0, 0, 0);
	i8042_mouse(&bench.kbc, 1, 0, 0, I8042_BUTTON_MIDDLE);
	assert_bytes("08 01 00 0c 02 00");
	/* The wheel, then five buttons. */
	rates(200, 100, 80);
	assert_bytes("fa 03");
	i8042_mouse(&bench.kbc, 0, 0, -1, 0);
	assert_bytes("08 00 00 ff");
	rates(200, 200, 80);
	assert_bytes("fa 04");
	i8042_mouse(&bench.kbc, 0, 0, 1, I8042_BUTTON_5);
	assert_bytes("08 00 00 21");
	to_mouse(0xff);
	assert_bytes("fa aa 00");
	/* Absurd movement. */
	to_mouse(0xf4);
	assert_bytes("fa");
	i8042_mouse(&bench.kbc, INT32_MAX, INT32_MIN, INT32_MAX, 0xff);
	i8042_mouse(&bench.kbc, INT32_MAX, INT32_MIN, INT32_MAX, 0xff);
	assert_int_equal(next(), 0x2f);
}

static void test_reset(void **state)
{
	(void)state;
	mode(0x43);
	i8042_key(&bench.kbc, 0x1e, true);
	assert_int_equal(bench.b.level, BIT(1));
	i8042_reset(&bench.kbc);
	assert_int_equal(bench.b.level, 0);
	assert_int_equal(next(), -1);
}

/* Whatever software writes, nothing breaks. */
static void test_noise(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		seed = seed * 1664525 + 1013904223;
		switch (seed >> 29) {
		case 0:
			command((uint8_t)(seed >> 8));
			break;
		case 1:
		case 2:
			data((uint8_t)(seed >> 8));
			break;
		case 3:
			i8042_key(&bench.kbc, seed >> 8 & 0x3ff, seed & 0x80);
			break;
		case 4:
			i8042_mouse(&bench.kbc, (int)seed, (int)(seed << 7),
				    (int)(seed << 9), (uint8_t)(seed >> 8));
			break;
		default:
			(void)next();
		}
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_controller),
		TEST(test_output_port),
		TEST(test_loops),
		TEST(test_keyboard_commands),
		TEST(test_keys),
		TEST(test_translation),
		TEST(test_interrupts_and_pace),
		TEST(test_mouse_commands),
		TEST(test_mouse_reports),
		TEST(test_reset),
		TEST(test_noise),
	};

	return cmocka_run_group_tests_name("i8042", tests, NULL, NULL);
}
