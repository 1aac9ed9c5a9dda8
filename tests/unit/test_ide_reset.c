/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resets of devices/ide.c: which drive is selected then and what it shows, with
 * none, one and two drives of both kinds, idle, half done and at work.
 */
#include "tests/unit/ide_test.h"

enum path {
	PATH_SOFTWARE,
	PATH_DIAGNOSTIC,
	PATH_HARDWARE,
	PATH_COUNT,
};

static const enum ide_kind kinds[][IDE_DRIVES] = {
	{ IDE_NONE, IDE_NONE },	 { IDE_DISK, IDE_NONE },
	{ IDE_CDROM, IDE_NONE }, { IDE_DISK, IDE_DISK },
	{ IDE_DISK, IDE_CDROM }, { IDE_CDROM, IDE_DISK },
	{ IDE_NONE, IDE_DISK },	 { IDE_NONE, IDE_CDROM },
};

static void start(const enum ide_kind kind[IDE_DRIVES])
{
	const enum ide_kind both[IDE_CHANNELS][IDE_DRIVES] = {
		{ kind[0], kind[1] },
	};

	setup_kinds(both);
}

static void reset(enum path path)
{
	switch (path) {
	case PATH_SOFTWARE:
		outb(0x3f6, 4);
		outb(0x1f6, 0xb0); /* not heard */
		outb(0x3f6, 0);
		break;
	case PATH_DIAGNOSTIC:
		outb(0x1f7, 0x90);
		break;
	default:
		ide_reset(&t.ide);
	}
}

static void expect_signature(enum ide_kind kind)
{
	bool is_cd = kind == IDE_CDROM;

	assert_int_equal(inb(0x3f6), kind == IDE_DISK ? READY : 0);
	assert_int_equal(inb(0x1f1), 1);
	assert_int_equal(inb(0x1f2), 1);
	assert_int_equal(inb(0x1f3), 1);
	assert_int_equal(inb(0x1f4), is_cd ? 0x14 : 0);
	assert_int_equal(inb(0x1f5), is_cd ? 0xeb : 0);
	assert_int_equal(in(0x1f0, 2), 0xffff);
}

static void expect_reset(const enum ide_kind kind[IDE_DRIVES], enum path path)
{
	bool has_irq = path == PATH_DIAGNOSTIC && kind[0] != IDE_NONE;

	if (kind[0] == IDE_NONE && kind[1] == IDE_NONE) {
		for (unsigned port = 0x1f1; port <= 0x1f7; port++)
			assert_int_equal(inb(port), 0);
		assert_false(t.irq[0]);
		return;
	}
	assert_int_equal(t.irq[0], has_irq);
	assert_int_equal(inb(0x1f6), 0xa0);
	if (kind[0] != IDE_NONE)
		expect_signature(kind[0]);
	assert_int_equal(inb(0x1f7), kind[0] == IDE_DISK ? READY : 0);
	assert_false(t.irq[0]);
	outb(0x1f6, 0xb0);
	if (kind[1] != IDE_NONE)
		expect_signature(kind[1]);
	assert_false(t.irq[0]);
}

/* Registers full of something else, either drive selected. */
static void test_idle(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		for (unsigned path = 0; path < PATH_COUNT; path++)
			for (unsigned slave = 0; slave < 2; slave++) {
				start(kinds[i]);
				for (unsigned port = 0x1f1; port < 0x1f6;
				     port++)
					outb(port, 0x77);
				outb(0x1f6, slave ? 0xff : 0xef);
				reset(path);
				expect_reset(kinds[i], path);
			}
}

/* Data wait to be read, of a sector or of the packet's reply. */
static void test_half_read(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		for (unsigned path = 0; path < PATH_COUNT; path++)
			for (unsigned slave = 0; slave < 2; slave++) {
				start(kinds[i]);
				outb(0x1f6, slave ? 0xf0 : 0xe0);
				outb(0x1f7,
				     kinds[i][slave] == IDE_DISK ? 0x20 : 0xa1);
				in(0x1f0, 2);
				reset(path);
				expect_reset(kinds[i], path);
			}
}

/* A request of the selected drive is in flight. */
static void test_in_flight(void **state)
{
	(void)state;
	for (unsigned path = 0; path < PATH_COUNT; path++)
		for (unsigned slave = 0; slave < 2; slave++) {
			const enum ide_kind *kind = kinds[3];

			start(kind);
			t.disk.is_async = true;
			outb(0x1f6, slave ? 0xf0 : 0xe0);
			outb(0x1f7, 0x20);
			reset(path);
			assert_int_equal(inb(0x3f6), BSY);
			medium_complete(&t.disk);
			if (path == PATH_DIAGNOSTIC) {
				/* It was busy: the command was not heard. */
				expect_end(DRQ);
				continue;
			}
			expect_reset(kind, path);
		}
}

/* DEVICE RESET is of one drive, which stays selected; a disk has none. */
static void test_device_reset(void **state)
{
	(void)state;
	for (unsigned slave = 0; slave < 2; slave++) {
		start(kinds[slave ? 4 : 5]);
		outb(0x1f6, slave ? 0xb0 : 0xa0);
		outb(0x1f1, 3);
		outb(0x1f2, 0x42);
		outb(0x1f7, 0xef);
		expect_end(READY);
		outb(0x1f7, 0xa1);
		in(0x1f0, 2);
		outb(0x1f7, 0x08);
		assert_false(t.irq[0]);
		assert_int_equal(inb(0x1f6), slave ? 0xb0 : 0xa0);
		expect_signature(IDE_CDROM);
		/* What has been set is not forgotten for that. */
		assert_int_equal(
			t.ide.state.channel[0].drive[slave].transfer_mode,
			0x42);
		outb(0x1f6, slave ? 0xa0 : 0xb0);
		outb(0x1f7, 0x08);
		expect_error(ABRT);
	}
}

/* A software reset forgets settings, a diagnostic does not. */
static void test_settings(void **state)
{
	(void)state;
	outb(0x1f6, 0xa0);
	outb(0x1f2, 2);
	outb(0x1f7, 0xc6);
	expect_end(READY);
	outb(0x1f7, 0x90);
	expect_end(READY);
	assert_int_equal(t.ide.state.channel[0].drive[0].multiple, 2);
	outb(0x3f6, 4);
	outb(0x3f6, 0);
	assert_int_equal(t.ide.state.channel[0].drive[0].multiple, 16);
	/* While SRST is set it is busy, whichever was selected. */
	outb(0x1f6, 0xb0);
	outb(0x3f6, 4);
	assert_int_equal(inb(0x3f6), BSY);
	outb(0x3f6, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_idle),      TEST(test_half_read),
		TEST(test_in_flight), TEST(test_device_reset),
		TEST(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
