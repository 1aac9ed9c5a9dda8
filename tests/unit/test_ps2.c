/* SPDX-License-Identifier: BSD-2-Clause */
/* The keyboard and the mouse behind their controller. */
#include "tests/unit/i8042_test.h"

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
	data(0x04);
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

static void set3(void)
{
	mode(0x00);
	data(0xf0);
	assert_bytes("fa");
	data(0x03);
	assert_bytes("fa");
}

/* clang-format off */
static const struct {
	uint16_t key;
	const char *bytes;
} set3_keys[] = {
	{ 0x1e, "1c" }, { 0x10, "15" }, { 0x01, "08" }, { 0x3b, "07" },
	{ 0x44, "4f" }, { 0x57, "56" }, { 0x58, "5e" }, { 0x1c, "5a" },
	{ 0x2b, "5c" }, { 0x1d, "11 f0 11" }, { 0x2a, "12 f0 12" },
	{ 0x36, "59 f0 59" }, { 0x38, "19 f0 19" }, { 0x3a, "14 f0 14" },
	{ 0x11c, "79" }, { 0x11d, "58" }, { 0x138, "39" }, { 0x148, "63" },
	{ 0x150, "60" }, { 0x14b, "61" }, { 0x14d, "6a" }, { 0x152, "67" },
	{ 0x153, "64" }, { 0x147, "6e" }, { 0x14f, "65" }, { 0x149, "6f" },
	{ 0x151, "6d" }, { 0x45, "76" }, { 0x135, "77" }, { 0x37, "7e" },
	{ 0x4a, "84" }, { 0x4e, "7c" }, { 0x15b, "8b" }, { 0x56, "13" },
	{ I8042_KEY_PRINT, "57" }, { I8042_KEY_PAUSE, "62" }, { 0x46, "5f" },
	{ 0x55, "" }, { 0x100, "" },
};
/* clang-format on */

/* One code a key, no prefixes; a break where the key is to have one. */
static void test_set3(void **state)
{
	(void)state;
	set3();
	for (unsigned i = 0; i < ARRAY_SIZE(set3_keys); i++) {
		key(set3_keys[i].key);
		assert_bytes(set3_keys[i].bytes);
	}
	data(0xf0);
	assert_bytes("fa");
	data(0x00);
	assert_bytes("fa 03");
	/* The controller translates what it gets as if it were set 2. */
	mode(0x40);
	key(0x1d);
	assert_bytes("38 b8");
	/* Defaults bring set 2 back. */
	data(0xf6);
	assert_bytes("fa");
	key(0x1d);
	assert_bytes("1d 9d");
	mode(0x00);
	key(0x1d);
	assert_bytes("14 f0 14");
}

/* No two keys have one code, but for the two faces of Print Screen. */
static void test_set3_codes(void **state)
{
	uint8_t seen[256] = { 0 };

	(void)state;
	set3();
	for (unsigned k = 1; k < 0x160; k++) {
		int byte;

		i8042_key(&bench.kbc, k, true);
		byte = next();
		i8042_key(&bench.kbc, k, false);
		while (next() >= 0)
			;
		if (byte >= 0 && !(k & 0x80))
			seen[byte]++;
	}
	for (unsigned i = 0; i < sizeof(seen); i++)
		assert_int_equal(seen[i] > (i == 0x57 ? 2 : 1), false);
}

/* What software makes of keys, all or one by one. */
static void test_set3_kinds(void **state)
{
	(void)state;
	set3();
	data(0xf8); /* make and break */
	assert_bytes("fa");
	key(0x1e);
	assert_bytes("1c f0 1c");
	data(0xf9); /* make */
	assert_bytes("fa");
	key(0x1d);
	assert_bytes("11");
	data(0xfc); /* some: make and break */
	assert_bytes("fa");
	data(0x11);
	assert_bytes("fa");
	data(0x58);
	assert_bytes("fa");
	data(0x99); /* no key's */
	assert_bytes("fe");
	data(0xf4);
	assert_bytes("fa");
	key(0x1d);
	assert_bytes("11 f0 11");
	key(0x11d);
	assert_bytes("58 f0 58");
	key(0x1e);
	assert_bytes("1c");
	data(0xfd); /* make */
	assert_bytes("fa");
	data(0x11);
	assert_bytes("fa");
	data(0xee);
	assert_bytes("ee");
	key(0x1d);
	assert_bytes("11");
	/* Who repeats: typematic ones, and those of FAh. */
	i8042_key(&bench.kbc, 0x1e, true);
	assert_bytes("1c");
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_int_equal(next(), -1);
	data(0xfb);
	assert_bytes("fa");
	data(0x1c);
	assert_bytes("fa");
	i8042_key(&bench.kbc, 0x1e, true);
	assert_bytes("1c");
	bench_step(&bench.b, NSEC_PER_SEC);
	assert_int_equal(next(), 0x1c);
	i8042_key(&bench.kbc, 0x1e, false);
	data(0xfa);
	assert_bytes("fa");
	i8042_key(&bench.kbc, 0x1e, true);
	assert_bytes("1c");
	bench_step(&bench.b, 505 * NSEC_PER_MS);
	i8042_key(&bench.kbc, 0x1e, false);
	assert_bytes("1c f0 1c");
	/* A reset forgets it all. */
	data(0xff);
	assert_bytes("fa aa");
	key(0x1e);
	assert_bytes("1c f0 1c");
}

/* Codes that come in a time. */
static unsigned count_codes(uint8_t code, uint64_t ms)
{
	unsigned count = 0;

	while (ms--) {
		bench_step(&bench.b, NSEC_PER_MS);
		if (!(status() & OBF))
			continue;
		assert_int_equal(inb(&bench.b, 0x60), code);
		count++;
	}
	return count;
}

static void rate(uint8_t value)
{
	data(0xf3);
	assert_bytes("fa");
	data(value);
	assert_bytes("fa");
}

static void test_typematic(void **state)
{
	(void)state;
	mode(0x40);
	/* 500 ms, then 10.9 a second. */
	i8042_key(&bench.kbc, 0x1e, true);
	assert_int_equal(count_codes(0x1e, 499), 1);
	assert_int_equal(count_codes(0x1e, 3), 1);
	assert_int_equal(count_codes(0x1e, 10000), 109);
	i8042_key(&bench.kbc, 0x1e, false);
	assert_bytes("9e");
	assert_int_equal(count_codes(0, 2000), 0);
	/* The fastest and the slowest. */
	rate(0x00);
	i8042_key(&bench.kbc, 0x1e, true);
	assert_int_equal(count_codes(0x1e, 249), 1);
	assert_int_equal(count_codes(0x1e, 10000), 300);
	rate(0x7f);
	i8042_key(&bench.kbc, 0x1e, true);
	assert_int_equal(count_codes(0x1e, 999), 1);
	assert_int_equal(count_codes(0x1e, 10000), 20);
	/* The last key pressed repeats, until it is up, not another. */
	rate(0x00);
	i8042_key(&bench.kbc, 0x1f, true);
	assert_bytes("1f");
	i8042_key(&bench.kbc, 0x1e, false);
	assert_bytes("9e");
	assert_true(count_codes(0x1f, 1000) > 20);
	/* A host that repeats by itself is not doubled. */
	for (unsigned i = 0; i < 20; i++) {
		i8042_key(&bench.kbc, 0x1f, true);
		assert_int_equal(count_codes(0x1f, 50), 1);
	}
	/* Pause has no repetitions, nor has a keyboard that is off. */
	i8042_key(&bench.kbc, I8042_KEY_PAUSE, true);
	assert_bytes("e1 1d 45 e1 9d c5");
	assert_int_equal(count_codes(0, 1000), 0);
	i8042_key(&bench.kbc, 0x1f, true);
	assert_bytes("1f");
	data(0xf5);
	assert_bytes("fa");
	assert_int_equal(count_codes(0, 1000), 0);
	data(0xf4);
	assert_bytes("fa");
	/* Print Screen without its Shift. */
	rate(0x00);
	i8042_key(&bench.kbc, I8042_KEY_PRINT, true);
	assert_bytes("e0 2a e0 37");
	bench_step(&bench.b, 251 * NSEC_PER_MS);
	assert_int_equal(next(), 0xe0);
	assert_int_equal(next(), 0x37);
	assert_int_equal(next(), -1);
}

/* Keys that nobody reads: the first that is lost leaves a mark. */
static void test_overrun(void **state)
{
	unsigned count = 0;
	int byte, last = -1;

	(void)state;
	mode(0x00);
	for (unsigned i = 0; i < 100; i++)
		i8042_key(&bench.kbc, 0x1e, true);
	while ((byte = next()) >= 0) {
		last = byte;
		count += byte == 0x1c;
	}
	assert_int_equal(last, 0x00);
	assert_in_range(count, 16, 60);
	i8042_key(&bench.kbc, 0x1e, true);
	assert_int_equal(next(), 0x1c);
	mode(0x40);
	for (unsigned i = 0; i < 100; i++)
		i8042_key(&bench.kbc, 0x1e, true);
	while ((byte = next()) >= 0)
		last = byte;
	assert_int_equal(last, 0xff);
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

/* A wrong parameter may be corrected once; a command cancels it. */
static void test_mouse_parameters(void **state)
{
	static const uint8_t good[] = { 10, 20, 40, 60, 80, 100, 200 };

	(void)state;
	mode(0x00);
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		to_mouse(0xf3);
		assert_bytes("fa");
		to_mouse(good[i]);
		assert_bytes("fa");
	}
	to_mouse(0xf3);
	assert_bytes("fa");
	to_mouse(30);
	assert_bytes("fe");
	to_mouse(40);
	assert_bytes("fa");
	to_mouse(0xe8);
	assert_bytes("fa");
	to_mouse(4);
	assert_bytes("fe");
	to_mouse(5);
	assert_bytes("fc");
	to_mouse(0xe9);
	assert_bytes("fa 00 02 28");
	to_mouse(0xf3);
	assert_bytes("fa");
	to_mouse(0xff);
	assert_bytes("fa aa 00");
	to_mouse(0xe9);
	assert_bytes("fa 00 02 64");
}

/* 2:1 scaling is the stream's. */
static void test_mouse_scaling(void **state)
{
	static const struct {
		int moved;
		uint8_t first, reported;
	} rows[] = { { 1, 0x08, 1 },	 { 2, 0x08, 1 },     { 3, 0x08, 3 },
		     { 4, 0x08, 6 },	 { 5, 0x08, 9 },     { 6, 0x08, 12 },
		     { 100, 0x08, 200 }, { -2, 0x18, 0xff }, { -4, 0x18, 0xfa },
		     { -7, 0x18, 0xf2 } };

	(void)state;
	mode(0x00);
	to_mouse(0xe7);
	assert_bytes("fa");
	to_mouse(0xf4);
	assert_bytes("fa");
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		i8042_mouse(&bench.kbc, rows[i].moved, 0, 0, 0);
		assert_int_equal(next(), rows[i].first);
		assert_int_equal(next(), rows[i].reported);
		assert_int_equal(next(), 0);
		assert_int_equal(next(), -1);
	}
	to_mouse(0xf0);
	assert_bytes("fa");
	i8042_mouse(&bench.kbc, 4, 0, 0, 0);
	to_mouse(0xeb);
	assert_bytes("fa 08 04 00");
	to_mouse(0xea);
	assert_bytes("fa");
	to_mouse(0xe6);
	assert_bytes("fa");
	i8042_mouse(&bench.kbc, 4, 0, 0, 0);
	assert_bytes("08 04 00");
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
	/* Five buttons at once, without the wheel's knock before. */
	rates(200, 200, 80);
	assert_bytes("fa 04");
	to_mouse(0xf4);
	assert_bytes("fa");
	i8042_mouse(&bench.kbc, 0, 0, -2, I8042_BUTTON_4);
	assert_bytes("08 00 00 1e");
	to_mouse(0xff);
	assert_bytes("fa aa 00");
	/* Absurd movement. */
	to_mouse(0xf4);
	assert_bytes("fa");
	i8042_mouse(&bench.kbc, INT32_MAX, INT32_MIN, INT32_MAX, 0xff);
	i8042_mouse(&bench.kbc, INT32_MAX, INT32_MIN, INT32_MAX, 0xff);
	assert_int_equal(next(), 0x2f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_keyboard_commands),
		TEST(test_keys),
		TEST(test_set3),
		TEST(test_set3_codes),
		TEST(test_set3_kinds),
		TEST(test_typematic),
		TEST(test_overrun),
		TEST(test_mouse_commands),
		TEST(test_mouse_parameters),
		TEST(test_mouse_scaling),
		TEST(test_mouse_reports),
	};

	return cmocka_run_group_tests_name("ps2", tests, NULL, NULL);
}
