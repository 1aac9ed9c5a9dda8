/* SPDX-License-Identifier: BSD-2-Clause */
/* devices/vga_damage.c: what is said to have changed, and what is not. */
#include "tests/unit/vga_test.h"

static unsigned told;
static struct display_rectangle dirty[DISPLAY_DIRTY];

static void changed(void *ctx)
{
	assert_ptr_equal(ctx, &told);
	told++;
}

static void watch(void)
{
	told = 0;
	vga_watch(&t.vga, changed, &told);
}

static unsigned take(void)
{
	return vga_damage_take(&t.vga, 2048, dirty);
}

static void expect(unsigned left, unsigned top, unsigned right, unsigned bottom)
{
	assert_int_equal(dirty[0].left, left);
	assert_int_equal(dirty[0].top, top);
	assert_int_equal(dirty[0].right, right);
	assert_int_equal(dirty[0].bottom, bottom);
}

/* One change was told of, and it is this rectangle. */
static void expect_one(unsigned left, unsigned top, unsigned right,
		       unsigned bottom)
{
	assert_int_equal(told, 1);
	told = 0;
	assert_int_equal(take(), 1);
	expect(left, top, right, bottom);
	assert_int_equal(take(), 0);
}

static void expect_nothing(void)
{
	(void)take();
	told = 0;
	assert_int_equal(take(), 0);
}

static void test_text_cells(void **state)
{
	(void)state;
	mode_text();
	watch();
	assert_int_equal(take(), 1);
	expect(0, 0, 720, 400);
	assert_int_equal(told, 0);
	bus_write(&t.memory, 0xb8000 + 2 * (80 * 3 + 7), 2, 0x0741);
	expect_one(7 * 9, 3 * 16, 8 * 9, 4 * 16);
	/* The same once more: nothing to see, though it was told of. */
	bus_write(&t.memory, 0xb8000 + 2 * (80 * 3 + 7), 2, 0x0741);
	expect_nothing();
	/* Behind the screen. */
	bus_write(&t.memory, 0xb8000 + 2 * 80 * 26, 2, 0x0741);
	expect_nothing();
	/* Reads. */
	bus_read(&t.memory, 0xb8000, 2);
	inb(0x3da);
	assert_int_equal(told, 0);
	/* The cursor: where it was and where it is. */
	reg(0x3d4, 0x0f, 5);
	expect_one(0, 0, 6 * 9, 16);
	reg(0x3d4, 0x0f, 80 + 5);
	expect_one(5 * 9, 0, 6 * 9, 32);
	/* Two places that do not touch. */
	bus_write(&t.memory, 0xb8000, 2, 0x0742);
	bus_write(&t.memory, 0xb8000 + 2 * 80 * 9, 2, 0x0742);
	assert_int_equal(take(), 2);
	/* Scrolled by the start address. */
	reg(0x3d4, 0x0d, 80);
	assert_int_equal(told, 2);
	assert_int_equal(take(), 2);
	expect(0, 0, 8 * 9, 4 * 16);
}

static void test_text_many(void **state)
{
	(void)state;
	mode_text();
	reg(0x3d4, 0x09, 0x41); /* rows of two lines: 60 of them */
	watch();
	(void)take();
	for (unsigned i = 0; i < 60; i += 2)
		bus_write(&t.memory, 0xb8000 + 160 * i, 2, 0x0742);
	assert_int_equal(take(), DISPLAY_DIRTY);
	assert_int_equal(dirty[DISPLAY_DIRTY - 1].bottom, 59 * 2);
	/* Panned: cells are not where they seem. */
	attr(0x33, 3);
	told = 0;
	(void)take();
	bus_write(&t.memory, 0xb8000, 2, 0x0743);
	assert_int_equal(take(), 1);
	expect(0, 0, 720, 120);
	/* Not below what is asked for. */
	bus_write(&t.memory, 0xb8000, 2, 0x0744);
	assert_int_equal(vga_damage_take(&t.vga, 10, dirty), 1);
	expect(0, 0, 720, 10);
}

static void test_registers(void **state)
{
	(void)state;
	mode_text();
	watch();
	(void)take();
	/* A colour, and then the same. */
	outb(0x3c8, 7);
	assert_int_equal(told, 0);
	outb(0x3c9, 33);
	expect_one(0, 0, 720, 400);
	outb(0x3c8, 7);
	outb(0x3c9, 33);
	assert_int_equal(told, 0);
	outb(0x3c6, 0x7f);
	expect_one(0, 0, 720, 400);
	attr(0x31, 1);
	attr(0x21, 9);
	expect_one(0, 0, 720, 400);
	/* What the window does is no picture's business. */
	reg(0x3c4, 2, 0x0f);
	reg(0x3ce, 8, 0x0f);
	reg(0x3ce, 8, 0xff);
	assert_int_equal(told, 0);
	/* A glyph. */
	planar();
	reg(0x3ce, 6, 0);
	reg(0x3c4, 2, 0x04);
	(void)take();
	told = 0;
	poke(0x41 * 32, 0xff);
	expect_one(0, 0, 720, 400);
	vga_reset(&t.vga);
	assert_int_equal(told, 1);
	assert_int_equal(take(), 0); /* it is off */
}

static void test_graphics(void **state)
{
	(void)state;
	mode_13h();
	watch();
	assert_int_equal(take(), 1);
	expect(0, 0, 320, 200);
	/* 4 KiB are 3.2 lines. */
	poke(320 * 100, 1);
	expect_one(0, 99, 320, 103);
	bus_write(&t.memory, 0xa0000, 4, 1);
	poke(320 * 199 + 319, 1);
	assert_int_equal(take(), 2);
	expect(0, 0, 320, 4);
	assert_int_equal(dirty[1].bottom, 200);
	/* Another start: all. */
	reg(0x3d4, 0x0d, 1);
	told = 0;
	assert_int_equal(take(), 1);
	expect(0, 0, 320, 200);
	/* Its lines are elsewhere then. */
	reg(0x3d4, 0x0c, 0x20);
	(void)take();
	poke(320, 1);
	assert_int_equal(take(), 1);
	assert_in_range(dirty[0].top, 90, 105);
}

static void test_linear(void **state)
{
	(void)state;
	dispi(1, 640);
	dispi(2, 480);
	dispi(3, 32);
	dispi(4, 0x41);
	watch();
	assert_int_equal(take(), 1);
	expect(0, 0, 640, 480);
	vga_damage_mark(&t.vga, 640 * 4 * 16, 1);
	expect_one(0, 16, 640, 18);
	vga_damage_mark(&t.vga, 640 * 4 * 16 + 4095, 2);
	expect_one(0, 16, 640, 20);
	vga_damage_mark(&t.vga, VRAM_BYTES - 1, 1);
	expect_nothing();
	/* The bank's window. */
	dispi(5, 1);
	assert_int_equal(told, 0);
	poke(0, 1);
	expect_one(0, 25, 640, 28);
	/* Shown from elsewhere. */
	dispi(9, 10);
	expect_one(0, 0, 640, 480);
	poke(0, 2);
	expect_one(0, 15, 640, 18);
	/* By BAR 2, which comes to be mapped while somebody watches. */
	pci_config_write(&t.pci, DEVFN, 0x18, 4, MMIO);
	pci_config_write(&t.pci, DEVFN, 4, 2, 3);
	bus_write(&t.memory, MMIO + 0x500 + 2 * 9, 2, 11);
	expect_one(0, 0, 640, 480);
	vga_watch(&t.vga, NULL, NULL);
	bus_write(&t.memory, MMIO + 0x500 + 2 * 9, 2, 12);
	assert_int_equal(told, 0);
}

static void test_unwatched(void **state)
{
	(void)state;
	mode_13h();
	watch();
	(void)take();
	vga_watch(&t.vga, NULL, NULL);
	poke(0, 1);
	outb(0x3c6, 0x7f);
	vga_reset(&t.vga);
	assert_int_equal(told, 0);
	/* Again: all. */
	outb(0x3c2, 0x67);
	mode_13h();
	watch();
	assert_int_equal(take(), 1);
	expect(0, 0, 320, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_text_cells), TEST(test_text_many),
		TEST(test_registers),  TEST(test_graphics),
		TEST(test_linear),     TEST(test_unwatched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
