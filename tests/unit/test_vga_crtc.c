/* SPDX-License-Identifier: BSD-2-Clause */
/* devices/vga_memory.c and vga_render.c: from an address to a dot. */
#include "tests/unit/vga_test.h"

/* mode_text() has a colour's number in its green. */
static uint8_t dot(unsigned width, unsigned x, unsigned y)
{
	return rgb[(y * width + x) * 3 + 1] >> 2;
}

/* 640 by 200, one colour: the lines in two fields unless mode says else. */
static void mode_bits(uint8_t mode)
{
	mode_text();
	planar();
	reg(0x3ce, 6, 0x0d);
	reg(0x3d4, 9, 0xc0);
	reg(0x3d4, 0x13, 0x28);
	reg(0x3d4, 0x17, mode);
}

/* ---- The window --------------------------------------------------------- */

/* Sequential writes through the text window, read back by odd/even. */
static void test_sequential_write(void **state)
{
	(void)state;
	reg(0x3c4, 4, 0x06);
	reg(0x3c4, 2, 0x04);
	reg(0x3ce, 5, 0x10);
	reg(0x3ce, 6, 0x0e);
	bus_write(&t.memory, 0xb8000, 1, 0x77);
	assert_int_equal(plane_byte(2, 0), 0x77);
	assert_int_equal(plane_byte(0, 0), 0);
	bus_write(&t.memory, 0xb8002, 2, 0x5566);
	/* Bit 0 of the offset is the page bit, not the address's. */
	assert_int_equal(plane_byte(2, 2), 0x55);
	reg(0x3ce, 4, 2);
	assert_int_equal(bus_read(&t.memory, 0xb8000, 1), 0x77);
	reg(0x3ce, 5, 0);
	assert_int_equal(bus_read(&t.memory, 0xb8000, 1), 0x77);
}

/* Odd/even: the map mask's planes 0 and 2, or 1 and 3; both halves of it. */
static void test_odd_even_planes(void **state)
{
	(void)state;
	mode_text();
	reg(0x3c4, 2, 0x0f);
	bus_write(&t.memory, 0xb8010, 2, 0x2211);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(plane_byte(i, 0x10), i & 1 ? 0x22 : 0x11);
	reg(0x3c4, 2, 0x0c);
	bus_write(&t.memory, 0xb8010, 2, 0x4433);
	assert_int_equal(bus_read(&t.memory, 0xb8010, 2), 0x2211);
	reg(0x3ce, 4, 2);
	assert_int_equal(bus_read(&t.memory, 0xb8010, 2), 0x4433);
	/* The graphics controller is in the way here as anywhere. */
	reg(0x3ce, 4, 0);
	reg(0x3c4, 2, 0x03);
	reg(0x3ce, 8, 0x0f);
	assert_int_equal(bus_read(&t.memory, 0xb8010, 1), 0x11);
	bus_write(&t.memory, 0xb8020, 2, 0xabcd);
	assert_int_equal(plane_byte(0, 0x20), 0x1d);
	assert_int_equal(plane_byte(1, 0x20), 0x2b);
	reg(0x3ce, 8, 0xff);
	/* The page bit: odd offsets. */
	outb(0x3c2, 0x47);
	bus_write(&t.memory, 0xb8010, 2, 0x9988);
	assert_int_equal(plane_byte(0, 0x11), 0x88);
	assert_int_equal(plane_byte(1, 0x11), 0x99);
	assert_int_equal(plane_byte(0, 0x10), 0x11);
	outb(0x3c2, 0x67);
	assert_int_equal(bus_read(&t.memory, 0xb8010, 2), 0x2211);
	/* 128 KiB: A16 is the page. */
	reg(0x3ce, 6, 0x02);
	bus_write(&t.memory, 0xb0010, 2, 0x7766);
	assert_int_equal(plane_byte(0, 0x11), 0x66);
	assert_int_equal(bus_read(&t.memory, 0xa0010, 2), 0x2211);
	/* Without the graphics controller's chain the address has its bit 0. */
	reg(0x3ce, 6, 0x0c);
	bus_write(&t.memory, 0xb8031, 1, 0x31);
	assert_int_equal(plane_byte(1, 0x31), 0x31);
	assert_int_equal(bus_read(&t.memory, 0xb8031, 1), 0x31);
}

static void test_chain4(void **state)
{
	(void)state;
	mode_13h();
	for (unsigned i = 0; i < 8; i++)
		poke(i, (uint8_t)(0x10 + i));
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(peek(i), 0x10 + i);
		assert_int_equal(plane_byte(i & 3, i & 4), 0x10 + i);
	}
	poke(0xffff, 0x99);
	assert_int_equal(plane_byte(3, 0xfffc), 0x99);
	/* Unchained, the same offsets. */
	reg(0x3c4, 4, 0x06);
	assert_int_equal(plane(1, 4), 0x15);
	assert_int_equal(plane(1, 1), 0x00);
	reg(0x3c4, 4, 0x0e);
	/* Reads load the latches, writes go through the controller. */
	peek(5);
	reg(0x3ce, 8, 0x0f);
	poke(0x21, 0x2a);
	assert_int_equal(plane_byte(1, 0x20), 0x1a);
	reg(0x3ce, 5, 0x41);
	peek(4);
	poke(0x22, 0xff);
	assert_int_equal(plane_byte(2, 0x20), 0x16);
	assert_int_equal(plane_byte(3, 0x20), 0);
}

/* 64 KiB a plane: the second half of the large window is the first. */
static void test_plane_wrap(void **state)
{
	(void)state;
	planar();
	reg(0x3ce, 6, 0x01);
	poke(0x10005, 0x5a);
	assert_int_equal(peek(0x00005), 0x5a);
	assert_int_equal(plane_byte(0, 5), 0x5a);
	poke(0x0ffff, 0xa5);
	assert_int_equal(peek(0x1ffff), 0xa5);
	/* With Bochs' interface there is more: no wrap. */
	dispi(1, 640);
	dispi(2, 480);
	dispi(3, 4);
	dispi(4, 0xc1);
	planar();
	reg(0x3ce, 6, 0x01);
	poke(0x10005, 0x77);
	assert_int_equal(peek(0x00005), 0x5a);
	assert_int_equal(plane_byte(0, 0x10005), 0x77);
}

/* The set/reset register's planes; the functions with a mask. */
static void test_set_reset(void **state)
{
	(void)state;
	planar();
	reg(0x3ce, 0, 0x05);
	reg(0x3ce, 1, 0x0f);
	reg(0x3ce, 8, 0x3c);
	poke_latched(0, 0, 0x00);
	expect_planes(0, 0x00ffffff, 0x003c003c);
	/* Mode 2 and a function: XOR in place. */
	reg(0x3ce, 5, 2);
	reg(0x3ce, 3, 0x18);
	reg(0x3ce, 8, 0xff);
	poke_latched(0, 0, 0x03);
	expect_planes(0, 0x00ffffff, 0x003cffc3);
	/* Mode 3 rotates its mask. */
	reg(0x3ce, 5, 3);
	reg(0x3ce, 3, 0x01);
	reg(0x3ce, 0, 0x08);
	poke_latched(0x100, 0x100, 0x03);
	expect_planes(0x100, 0xff000000, 0x81000000);
}

/* ---- The CRTC ----------------------------------------------------------- */

/* What maximum scan line 0 means to the row bits: they are 0. */
static void test_row_bits(void **state)
{
	(void)state;
	mode_bits(0xe2);
	reg(0x3d4, 9, 0x40);
	reg(0x3d4, 0x13, 0x14);
	poke(0x18000 + 40, 0x80);
	poke(0x18000 + 0x2000, 0x40);
	picture_take(640, 400);
	assert_int_equal(dot(640, 0, 1), 15);
	assert_int_equal(dot(640, 1, 1), 0);
	/* Two lines a row: the second is 2000h further on. */
	mode_bits(0xc2);
	reg(0x3d4, 9, 0xc1);
	reg(0x3d4, 0x13, 0x28);
	picture_take(640, 200);
	assert_int_equal(dot(640, 1, 1), 15);
	assert_int_equal(dot(640, 320, 0), 15);
	/* Four: bit 1 of the line is bit 14. */
	poke(0x18000 + 0x6000, 0x20);
	mode_bits(0xe0);
	reg(0x3d4, 9, 0x43);
	picture_take(640, 400);
	assert_int_equal(dot(640, 1, 1), 15);
	assert_int_equal(dot(640, 2, 3), 15);
	assert_int_equal(dot(640, 2, 1), 0);
	/* Both bits from the counter: rows of four equal lines. */
	mode_bits(0xe3);
	reg(0x3d4, 9, 0x43);
	picture_take(640, 100);
}

static void test_text_wrap(void **state)
{
	(void)state;
	mode_text();
	bus_write(&t.memory, 0xb8000, 2, 0x1741);
	bus_write(&t.memory, 0xbfffe, 2, 0x175a);
	start_set(0x3fff);
	text_take();
	assert_int_equal(text.cell[0], 0x175a);
	assert_int_equal(text.cell[1], 0x1741);
	/* 8,192 words, as with 64 KiB of memory. */
	bus_write(&t.memory, 0xbbffe, 2, 0x1759);
	reg(0x3d4, 0x17, 0x83);
	start_set(0x1fff);
	text_take();
	assert_int_equal(text.cell[0], 0x1759);
	assert_int_equal(text.cell[1], 0x1741);
}

/* The start address is that of the last vertical retrace. */
static void test_start_at_retrace(void **state)
{
	const uint64_t line = FRAME_NS / 449, retrace = 412 * line;

	(void)state;
	mode_text();
	for (unsigned i = 0; i < 4; i++)
		bus_write(&t.memory, 0xb8000 + 2 * 80 * i, 2, 0x0741 + i);
	/* Half a frame before it, in two steps. */
	t.now = 5 * FRAME_NS + 200 * line;
	reg(0x3d4, 0x0d, 80);
	text_take();
	assert_int_equal(text.cell[0], 0x0741);
	reg(0x3d4, 0x0d, 160);
	assert_int_equal(inb(0x3d5), 160);
	t.now = 5 * FRAME_NS + retrace - 1;
	text_take();
	assert_int_equal(text.cell[0], 0x0741);
	t.now++;
	text_take();
	assert_int_equal(text.cell[0], 0x0743);
	/* Behind it: a whole frame, and then some. */
	reg(0x3d4, 0x0d, 240);
	t.now += FRAME_NS - 1;
	text_take();
	assert_int_equal(text.cell[0], 0x0743);
	t.now++;
	text_take();
	assert_int_equal(text.cell[0], 0x0744);
	t.now += 1000 * FRAME_NS;
	text_take();
	assert_int_equal(text.cell[0], 0x0744);
	/* Where the retrace bit begins. */
	t.now = 9 * FRAME_NS + retrace - 1;
	assert_int_equal(inb(0x3da) & 8, 0);
	t.now++;
	assert_int_equal(inb(0x3da) & 8, 8);
	/* Nothing is in force before a reset that is after it. */
	reg(0x3d4, 0x0d, 80);
	vga_reset(&t.vga);
	outb(0x3c2, 0x67);
	mode_text();
	text_take();
	assert_int_equal(text.cell[0], 0x0741);
}

static void test_graphics_wrap(void **state)
{
	(void)state;
	mode_bits(0xe3);
	reg(0x3ce, 6, 0x05);
	poke(0, 0x80);
	poke(0xffff, 0x01);
	start_set(0xffff);
	picture_take(640, 200);
	assert_int_equal(dot(640, 7, 0), 15);
	assert_int_equal(dot(640, 8, 0), 15);
	assert_int_equal(dot(640, 9, 0), 0);
	/* Doublewords. */
	mode_13h();
	memset(t.vram, 0, VRAM_BYTES);
	poke(0, 3);
	poke(0xfffc, 4);
	start_set(0x3fff);
	reg(0x3d4, 0x17, 0xa3);
	picture_take(320, 200);
	assert_int_equal(dot(320, 0, 0), 4);
	start_set(0);
	picture_take(320, 200);
	assert_int_equal(dot(320, 0, 0), 3);
	/* Unchained: byte mode, four planes a column. */
	reg(0x3c4, 4, 0x06);
	reg(0x3d4, 0x14, 0);
	reg(0x3d4, 0x17, 0xe3);
	reg(0x3c4, 2, 0x02);
	poke(80 * 2 + 1, 9);
	picture_take(320, 200);
	assert_int_equal(dot(320, 5, 2), 9);
	assert_int_equal(dot(320, 4, 2), 0);
}

static void test_line_compare(void **state)
{
	(void)state;
	mode_13h();
	poke(0, 1);	   /* the lower picture's first */
	poke(320, 2);	   /* and second line */
	poke(320 * 50, 3); /* the upper one's first */
	start_set(80 * 50);
	/* Scan lines, two a line: 0 to 99 are above. */
	reg(0x3d4, 0x18, 99);
	reg(0x3d4, 0x07, 0x0f);
	reg(0x3d4, 0x09, 0x01);
	picture_take(320, 200);
	assert_int_equal(dot(320, 0, 0), 3);
	assert_int_equal(dot(320, 0, 49), 0);
	assert_int_equal(dot(320, 0, 50), 1);
	assert_int_equal(dot(320, 0, 51), 2);
	/* Bits 8 and 9 are in other registers. */
	reg(0x3d4, 0x07, 0x1f);
	picture_take(320, 200);
	assert_int_equal(dot(320, 0, 50), 0);
	assert_int_equal(dot(320, 0, (99 + 256 + 1) / 2), 1);
	reg(0x3d4, 0x09, 0x41);
	picture_take(320, 200);
	assert_int_equal(dot(320, 0, (99 + 256 + 1) / 2), 0);
	/* Text. */
	mode_text();
	memset(t.vram, 0, VRAM_BYTES);
	bus_write(&t.memory, 0xb8000, 2, 0x0741);
	bus_write(&t.memory, 0xb8000 + 160 * 30, 2, 0x0742);
	start_set(80 * 30);
	reg(0x3d4, 0x18, 16 * 20 - 1 - 256);
	reg(0x3d4, 0x09, 0x0f);
	reg(0x3d4, 0x0e, 0);
	reg(0x3d4, 0x0f, 0);
	text_take();
	assert_int_equal(text.cell[0], 0x0742);
	assert_int_equal(text.cell[80 * 20], 0x0741);
	assert_int_equal(text.cursor, 80 * 20);
}

static void test_panning(void **state)
{
	(void)state;
	mode_bits(0xe3);
	reg(0x3ce, 6, 0x05);
	poke(0, 0x08);
	poke(80, 0x01); /* the right edge of row 0 is the left of row 1 */
	for (uint8_t i = 0; i < 5; i++) {
		attr(0x13, i);
		attr(0x33, i);
		picture_take(640, 200);
		assert_int_equal(dot(640, 4 - i, 0), 15);
	}
	attr(0x33, 7);
	picture_take(640, 200);
	assert_int_equal(dot(640, 0, 1), 15);
	/* Byte panning: a column more. */
	attr(0x33, 0);
	poke(1, 0x80);
	reg(0x3d4, 8, 0x20);
	picture_take(640, 200);
	assert_int_equal(dot(640, 0, 0), 15);
	reg(0x3d4, 8, 0x00);
	/* 256 colours: by twos; 8 is none. */
	mode_13h();
	memset(t.vram, 0, VRAM_BYTES);
	poke(3, 5);
	attr(0x33, 6);
	picture_take(320, 200);
	assert_int_equal(dot(320, 0, 0), 5);
	attr(0x33, 8);
	picture_take(320, 200);
	assert_int_equal(dot(320, 3, 0), 5);
}

/* Nine dots: 8 is none and 0 is one. The lower picture may be left alone. */
static void test_text_panning(void **state)
{
	(void)state;
	mode_text();
	bus_write(&t.memory, 0xb8000, 4, 0x0f200f58);
	t.vram[0x58 * 32 * 4 + 2] = 0x40;
	attr(0x33, 8);
	picture_take(720, 400);
	assert_int_equal(dot(720, 1, 0), 15);
	attr(0x33, 0);
	picture_take(720, 400);
	assert_int_equal(dot(720, 0, 0), 15);
	assert_int_equal(dot(720, 1, 0), 0);
	reg(0x3d4, 0x18, 16 * 20 - 1 - 256);
	reg(0x3d4, 0x09, 0x0f);
	picture_take(720, 400);
	assert_int_equal(dot(720, 0, 16 * 20), 15);
	attr(0x30, 0x2c);
	picture_take(720, 400);
	assert_int_equal(dot(720, 0, 0), 15);
	assert_int_equal(dot(720, 0, 16 * 20), 0);
	assert_int_equal(dot(720, 1, 16 * 20), 15);
	/* Preset row scan: rows begin with their third line, above. */
	attr(0x33, 8);
	t.vram[(0x58 * 32 + 2) * 4 + 2] = 0x20;
	reg(0x3d4, 8, 2);
	picture_take(720, 400);
	assert_int_equal(dot(720, 2, 0), 15);
	assert_int_equal(dot(720, 1, 0), 0);
	assert_int_equal(dot(720, 1, 16 * 20), 15);
}

/* ---- Text --------------------------------------------------------------- */

static void test_fonts(void **state)
{
	static const struct {
		uint8_t select;
		uint16_t a, b; /* offsets: attribute bit 3 set, and clear */
	} rows[] = {
		{ 0x00, 0x0000, 0x0000 }, { 0x01, 0x0000, 0x4000 },
		{ 0x02, 0x0000, 0x8000 }, { 0x03, 0x0000, 0xc000 },
		{ 0x10, 0x0000, 0x2000 }, { 0x04, 0x4000, 0x0000 },
		{ 0x0c, 0xc000, 0x0000 }, { 0x2f, 0xe000, 0xc000 },
	};

	(void)state;
	mode_text();
	reg(0x3d4, 0x0a, 0x20);
	bus_write(&t.memory, 0xb8000, 4, 0x0f410741);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		for (unsigned j = 0; j < 0x10000; j++)
			t.vram[j * 4 + 2] = 0;
		t.vram[(rows[i].b + 0x41u * 32) * 4 + 2] |= 0x80;
		t.vram[(rows[i].a + 0x41u * 32) * 4 + 2] |= 0x40;
		reg(0x3c4, 3, rows[i].select);
		picture_take(720, 400);
		assert_int_equal(dot(720, 0, 0), 7);
		assert_int_equal(dot(720, 9 + 1, 0), 15);
		if (rows[i].a != rows[i].b)
			assert_int_equal(dot(720, 1, 0), 0);
	}
	/* Eight dots a character. */
	reg(0x3c4, 1, 0x01);
	picture_take(640, 400);
	assert_int_equal(dot(640, 8 + 1, 0), 15);
}

static void test_blink(void **state)
{
	(void)state;
	mode_text();
	reg(0x3d4, 0x0a, 0x20);
	bus_write(&t.memory, 0xb8000, 2, 0x9f58);
	t.vram[0x58 * 32 * 4 + 2] = 0x80;
	picture_take(720, 400);
	assert_int_equal(dot(720, 0, 0), 15);
	assert_int_equal(dot(720, 1, 0), 1);
	t.now = 16 * FRAME_NS;
	picture_take(720, 400);
	assert_int_equal(dot(720, 0, 0), 1);
	t.now = 32 * FRAME_NS;
	picture_take(720, 400);
	assert_int_equal(dot(720, 0, 0), 15);
	/* Off: the bit is the background's. */
	attr(0x30, 0x04);
	t.now = 16 * FRAME_NS;
	picture_take(720, 400);
	assert_int_equal(dot(720, 0, 0), 15);
	assert_int_equal(dot(720, 1, 0), 9);
}

static void test_cursor(void **state)
{
	(void)state;
	mode_text();
	bus_write(&t.memory, 0xb8000, 4, 0x07200720);
	reg(0x3d4, 0x0e, 0);
	reg(0x3d4, 0x0f, 0);
	picture_take(720, 400);
	for (unsigned y = 0; y < 16; y++)
		assert_int_equal(dot(720, 8, y), y == 13 || y == 14 ? 7 : 0);
	t.now = 8 * FRAME_NS;
	picture_take(720, 400);
	assert_int_equal(dot(720, 0, 13), 0);
	t.now = 16 * FRAME_NS;
	reg(0x3d4, 0x0b, 0x2e); /* skew */
	picture_take(720, 400);
	assert_int_equal(dot(720, 0, 13), 0);
	assert_int_equal(dot(720, 9, 13), 7);
	/* The end before the start: none. */
	reg(0x3d4, 0x0b, 0x03);
	picture_take(720, 400);
	for (unsigned y = 0; y < 16; y++)
		assert_int_equal(dot(720, 0, y), 0);
	/* Underlines, where the line is inside of the character. */
	reg(0x3d4, 0x14, 0x0c);
	bus_write(&t.memory, 0xb8000, 2, 0x0920);
	picture_take(720, 400);
	assert_int_equal(dot(720, 3, 12), 9);
	assert_int_equal(dot(720, 3, 11), 0);
}

static void test_colours(void **state)
{
	(void)state;
	mode_text();
	reg(0x3d4, 0x0a, 0x20);
	bus_write(&t.memory, 0xb8000, 2, 0x0f58);
	t.vram[0x58 * 32 * 4 + 2] = 0x80;
	for (unsigned i = 0; i < 256; i++) {
		outb(0x3c8, (uint8_t)i);
		outb(0x3c9, 0);
		outb(0x3c9, (uint8_t)(i & 0x3f));
		outb(0x3c9, (uint8_t)(i >> 6));
	}
	attr(0x0f, 0x2a);
	attr(0x34, 0x00);
	picture_take(720, 400);
	assert_int_equal(dot(720, 0, 0), 0x2a);
	/* Color select: bits 7 and 6 always, 5 and 4 when told to. */
	attr(0x34, 0x0d);
	picture_take(720, 400);
	assert_int_equal(dot(720, 0, 0), 0x2a);
	assert_int_equal(rgb[2] >> 2, 3);
	attr(0x30, 0x8c);
	picture_take(720, 400);
	assert_int_equal(dot(720, 0, 0), 0x1a);
	/* The pixel mask, and planes that are not shown. */
	outb(0x3c6, 0x0f);
	picture_take(720, 400);
	assert_int_equal(dot(720, 0, 0), 0x0a);
	attr(0x32, 0x07);
	picture_take(720, 400);
	assert_int_equal(dot(720, 0, 0), 0x07);
	/* Off by the sequencer, off by the attribute controller. */
	reg(0x3c4, 1, 0x20);
	assert_int_equal(vga_render(&t.vga, rgb, sizeof(rgb)), -ENODEV);
	reg(0x3c4, 1, 0x00);
	inb(0x3da);
	outb(0x3c0, 0x14);
	assert_int_equal(vga_render(&t.vga, rgb, sizeof(rgb)), -ENODEV);
}

static void test_video_feedback(void **state)
{
	uint8_t first, second;

	(void)state;
	first = inb(0x3da) & 0x30;
	second = inb(0x3da) & 0x30;
	assert_int_equal(first ^ second, 0x30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sequential_write),
		TEST(test_odd_even_planes),
		TEST(test_chain4),
		TEST(test_plane_wrap),
		TEST(test_set_reset),
		TEST(test_row_bits),
		TEST(test_text_wrap),
		TEST(test_start_at_retrace),
		TEST(test_graphics_wrap),
		TEST(test_line_compare),
		TEST(test_panning),
		TEST(test_text_panning),
		TEST(test_fonts),
		TEST(test_blink),
		TEST(test_cursor),
		TEST(test_colours),
		TEST(test_video_feedback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
