/* SPDX-License-Identifier: BSD-2-Clause */
/* The keyboard controller. */
#include "tests/unit/i8042_test.h"

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
	/* Halves of the same in the status, until there is another command. */
	command(0xc2);
	assert_int_equal(status() & ~1, 0x8c);
	command(0xc1);
	assert_int_equal(status() & ~1, 0x0c);
	command(0xae);
	assert_int_equal(status(), 0x1c);
	command(0xc2);
	data(0xf4); /* to the keyboard, which answers */
	assert_int_equal(status(), 0x15);
	assert_bytes("fa");
	command(0xa4); /* no password */
	assert_bytes("f1");
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

/* The answer to a command comes first; what was waiting is not lost. */
static void test_command_with_data(void **state)
{
	(void)state;
	mode(0x43);
	key(0x1e);
	assert_true(status() & OBF);
	command(0x20);
	assert_int_equal(status() & (OBF | MOUSE), OBF);
	assert_int_equal(inb(&bench.b, 0x60), 0x43);
	bench.b.rises[1] = 0;
	assert_int_equal(status() & OBF, OBF);
	assert_int_equal(inb(&bench.b, 0x60), 0x1e);
	assert_bytes("9e");
	assert_int_equal(bench.b.rises[1], 1);
	/* Two commands in a row answer in their order. */
	key(0x1e);
	command(0x20);
	command(0xaa);
	assert_int_equal(inb(&bench.b, 0x60), 0x43);
	assert_int_equal(next(), 0x1e);
	assert_int_equal(next(), 0x55);
	assert_bytes("9e");
	/* A mouse's byte stays the mouse's. */
	to_mouse(0xf4);
	assert_int_equal(status() & (OBF | MOUSE), OBF | MOUSE);
	assert_int_equal(bench.b.level, BIT(12));
	command(0xd0);
	assert_int_equal(bench.b.level, BIT(1));
	assert_int_equal(inb(&bench.b, 0x60) & 0x03, 0x03);
	assert_int_equal(status() & (OBF | MOUSE), OBF | MOUSE);
	assert_int_equal(bench.b.level, BIT(12));
	assert_bytes("fa");
	/* Commands without an answer take nothing away. */
	i8042_key(&bench.kbc, 0x1e, true);
	command(0xa8);
	assert_bytes("1e");
	/* However many: the oldest bytes are there. */
	i8042_key(&bench.kbc, 0x1f, true);
	for (unsigned i = 0; i < 100; i++)
		command(0x20);
	assert_int_equal(inb(&bench.b, 0x60), 0x47);
	assert_int_equal(next(), 0x1f);
	assert_int_equal(next(), 0x47);
}

static void test_interrupts_and_pace(void **state)
{
	(void)state;
	mode(0x41);
	i8042_key(&bench.kbc, 0x1e, true);
	i8042_key(&bench.kbc, 0x1e, false);
	assert_int_equal(bench.b.level, BIT(1));
	assert_int_equal(i8042_unread(&bench.kbc), 3); /* of set 2 */
	assert_int_equal(inb(&bench.b, 0x60), 0x1e);
	assert_int_equal(i8042_unread(&bench.kbc), 2);
	assert_int_equal(bench.b.level, 0);
	/* Read again, it is still the same. */
	assert_int_equal(inb(&bench.b, 0x60), 0x1e);
	assert_int_equal(status() & OBF, 0);
	bench_step(&bench.b, NSEC_PER_MS);
	assert_int_equal(bench.b.rises[1], 2);
	assert_int_equal(inb(&bench.b, 0x60), 0x9e);
	assert_int_equal(i8042_unread(&bench.kbc), 0);
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
		TEST(test_translation),
		TEST(test_command_with_data),
		TEST(test_interrupts_and_pace),
		TEST(test_reset),
		TEST(test_noise),
	};

	return cmocka_run_group_tests_name("i8042", tests, NULL, NULL);
}
