/* SPDX-License-Identifier: BSD-2-Clause */
/* devices/vga*.c: registers, window, dispi, PCI, what is on the screen. */
#include "tests/unit/vga_test.h"

#include "devices/vga_internal.h"

/* ---- Registers --------------------------------------------------------- */

static void test_index_pairs(void **state)
{
	(void)state;
	reg(0x3c4, 2, 0xff);
	assert_int_equal(inb(0x3c4), 2);
	assert_int_equal(inb(0x3c5), 0x0f);
	reg(0x3ce, 5, 0xff);
	assert_int_equal(inb(0x3cf), 0x7b);
	reg(0x3d4, 0x0e, 0x12);
	assert_int_equal(inb(0x3d5), 0x12);
	/* Colour: nobody is at 0x3b4; monochrome: the other way round. */
	assert_int_equal(inb(0x3b5), 0xff);
	outb(0x3c2, 0x66);
	assert_int_equal(inb(0x3cc), 0x66);
	assert_int_equal(inb(0x3b5), 0x12);
	assert_int_equal(inb(0x3d5), 0xff);
}

static void test_crtc_protect(void **state)
{
	(void)state;
	reg(0x3d4, 1, 0x4f);
	reg(0x3d4, 7, 0x1f);
	reg(0x3d4, 0x11, 0x80);
	reg(0x3d4, 1, 0x27);
	assert_int_equal(inb(0x3d5), 0x4f);
	reg(0x3d4, 7, 0x00);
	assert_int_equal(inb(0x3d5), 0x0f);
	reg(0x3d4, 8, 0x05);
	assert_int_equal(inb(0x3d5), 0x05);
}

static void test_attributes(void **state)
{
	(void)state;
	attr(0x03, 0x15);
	attr(0x10, 0xff);
	inb(0x3da);
	outb(0x3c0, 0x03);
	assert_int_equal(inb(0x3c1), 0x15);
	inb(0x3da);
	outb(0x3c0, 0x30);
	assert_int_equal(inb(0x3c1), 0xef);
	inb(0x3da);
	assert_int_equal(inb(0x3c0), 0x30);
	outb(0x3c0, 0x1f); /* an index that is not there */
	outb(0x3c0, 0xff);
	assert_int_equal(inb(0x3c1), 0);
}

static void test_dac(void **state)
{
	(void)state;
	outb(0x3c8, 254);
	for (unsigned i = 0; i < 9; i++)
		outb(0x3c9, (uint8_t)(0xc0 + i));
	assert_int_equal(inb(0x3c8), 1); /* wrapped */
	outb(0x3c7, 254);
	assert_int_equal(inb(0x3c7), 3);
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(inb(0x3c9), i);
	outb(0x3c8, 0);
	assert_int_equal(inb(0x3c7), 0);
	dispi(4, 0x20); /* 8 bits */
	outb(0x3c9, 0xff);
	outb(0x3c7, 0);
	assert_int_equal(inb(0x3c9), 0xff);
	outb(0x3c6, 0x0f);
	assert_int_equal(inb(0x3c6), 0x0f);
}

static void test_retrace(void **state)
{
	unsigned retraces = 0, blanks = 0;
	uint8_t last = 0;

	(void)state;
	for (t.now = 0; t.now < NSEC_PER_SEC; t.now += 3000) {
		uint8_t status = inb(0x3da);

		retraces += status & 8 && !(last & 8);
		blanks += status & 1;
		if (status & 8)
			assert_true(status & 1);
		last = status;
	}
	assert_in_range(retraces, 69, 71);
	assert_in_range(blanks, 60000, 150000);
}

/* ---- The window -------------------------------------------------------- */

static void test_window_maps(void **state)
{
	static const struct {
		uint8_t map;
		uint32_t first, last;
	} rows[] = { { 0, 0, 0x1ffff },
		     { 1, 0, 0xffff },
		     { 2, 0x10000, 0x17fff },
		     { 3, 0x18000, 0x1ffff } };

	(void)state;
	reg(0x3c4, 2, 0x0f);
	reg(0x3c4, 4, 0x0e); /* chained: every fourth offset of a plane */
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		reg(0x3ce, 6, (uint8_t)(rows[i].map << 2));
		poke(rows[i].first, 0x5a);
		assert_int_equal(peek(rows[i].first), 0x5a);
		assert_int_equal(t.vram[0], 0x5a);
		poke(rows[i].last, 0xa5);
		assert_int_equal(
			plane_byte(3, (rows[i].last - rows[i].first) & 0xfffc),
			0xa5);
		if (rows[i].first)
			assert_int_equal(peek(rows[i].first - 1), 0xff);
		if (rows[i].last < 0x1ffff)
			assert_int_equal(peek(rows[i].last + 1), 0xff);
	}
	outb(0x3c2, 0x65); /* RAM off */
	assert_int_equal(peek(0x18000), 0xff);
	poke(0x18000, 0);
	assert_int_equal(t.vram[0], 0x5a);
}

static void test_window_widths(void **state)
{
	(void)state;
	reg(0x3c4, 2, 0x0f);
	reg(0x3c4, 4, 0x0e);
	reg(0x3ce, 6, 0x04);
	bus_write(&t.memory, 0xa0010, 8, 0x1122334455667788);
	assert_int_equal(bus_read(&t.memory, 0xa0010, 8), 0x1122334455667788);
	assert_int_equal(bus_read(&t.memory, 0xa0012, 4), 0x33445566);
	assert_int_equal(plane_byte(0, 0x10), 0x88);
	assert_int_equal(plane_byte(3, 0x14), 0x11);
	/* Across the mapping's end. */
	bus_write(&t.memory, 0xafffe, 4, 0xaabbccdd);
	assert_int_equal(bus_read(&t.memory, 0xafffe, 4), 0xffffccdd);
	/* Chained writes obey the map mask. */
	reg(0x3c4, 2, 0x02);
	bus_write(&t.memory, 0xa0020, 4, 0xffffffff);
	reg(0x3c4, 2, 0x0f);
	assert_int_equal(bus_read(&t.memory, 0xa0020, 4), 0x0000ff00);
}

static void test_write_modes(void **state)
{
	(void)state;
	planar();
	/* Mode 0: map mask, then set/reset, rotation, bit mask, functions. */
	reg(0x3c4, 2, 0x05);
	poke(1, 0xf0);
	expect_planes(1, 0x00ffffff, 0x00f000f0);
	reg(0x3c4, 2, 0x0f);
	reg(0x3ce, 0, 0x02);
	reg(0x3ce, 1, 0x03); /* plane 0: 0, plane 1: 1, 2 and 3: the byte */
	reg(0x3ce, 3, 0x04); /* rotated by 4 */
	poke(2, 0xa1);
	expect_planes(2, 0x00ffffff, 0x001aff00);
	reg(0x3ce, 1, 0);
	reg(0x3ce, 3, 0x18); /* XOR with the latches */
	poke_latched(2, 2, 0xff);
	expect_planes(2, 0x00ffff00, 0x00e50000);
	reg(0x3ce, 3, 0x08); /* AND */
	poke_latched(2, 3, 0x0f);
	expect_planes(3, 0x00ff0000, 0x00050000);
	reg(0x3ce, 3, 0x10); /* OR */
	poke_latched(2, 3, 0x0f);
	expect_planes(3, 0x00ff0000, 0x00ef0000);
	reg(0x3ce, 3, 0);
	reg(0x3ce, 8, 0x0f);
	poke_latched(3, 4, 0x00);
	expect_planes(4, 0x00ff0000, 0x00e00000);
	/* Mode 1: latches. */
	reg(0x3ce, 5, 1);
	poke_latched(3, 5, 0x12);
	expect_planes(5, 0x00ff0000, 0x00ef0000);
	/* Mode 2: a colour through the bit mask. */
	reg(0x3ce, 5, 2);
	reg(0x3ce, 8, 0x80);
	poke_latched(6, 6, 0x09);
	expect_planes(6, 0xff00ffff, 0x80000080);
	/* Mode 3: the byte is a mask, set/reset the colour. */
	reg(0x3ce, 5, 3);
	reg(0x3ce, 0, 0x04);
	reg(0x3ce, 8, 0xf0);
	poke_latched(7, 7, 0x3c);
	expect_planes(7, 0x00ff00ff, 0x00300000);
}

static void test_read_mode_1(void **state)
{
	(void)state;
	planar();
	for (uint8_t i = 0; i < 4; i++) {
		reg(0x3c4, 2, (uint8_t)(1 << i));
		poke(9, (uint8_t)(0x11 << i));
	}
	reg(0x3ce, 5, 8);
	reg(0x3ce, 2, 0x02);
	assert_int_equal(peek(9), 0x22);
	reg(0x3ce, 7, 0x01); /* only plane 0 is cared for */
	assert_int_equal(peek(9), 0xee);
	reg(0x3ce, 7, 0x00);
	assert_int_equal(peek(9), 0xff);
}

static void test_odd_even(void **state)
{
	(void)state;
	mode_text();
	bus_write(&t.memory, 0xb8000, 2, 0x1f41);
	bus_write(&t.memory, 0xb8002, 1, 0x42);
	bus_write(&t.memory, 0xb8003, 1, 0x2e);
	assert_memory_equal(t.vram, "A\x1f\0\0\0\0\0\0B\x2e", 10);
	assert_int_equal(bus_read(&t.memory, 0xb8000, 4), 0x2e421f41);
	bus_write(&t.memory, 0xb8001, 2, 0x7788);
	assert_int_equal(bus_read(&t.memory, 0xb8000, 4), 0x2e778841);
}

/* ---- dispi and PCI ----------------------------------------------------- */

static void test_dispi(void **state)
{
	unsigned width, height;

	(void)state;
	assert_int_equal(dispi_get(0), 0xb0c5);
	dispi(0, 0xb0c0);
	assert_int_equal(dispi_get(0), 0xb0c0);
	dispi(0, 0x1234);
	assert_int_equal(dispi_get(0), 0xb0c0);
	assert_int_equal(dispi_get(10), VRAM_BYTES >> 16);
	assert_int_equal(dispi_get(11), 0);
	dispi(4, 2);
	assert_int_equal(dispi_get(1), 16000);
	assert_int_equal(dispi_get(3), 32);
	memset(t.vram, 0xee, VRAM_BYTES);
	dispi(4, 0);
	dispi(1, 800);
	dispi(2, 600);
	dispi(3, 32);
	dispi(4, 0x41);
	vga_size(&t.vga, &width, &height);
	assert_int_equal(width, 800);
	assert_int_equal(height, 600);
	assert_int_equal(dispi_get(6), 800);
	assert_int_equal(dispi_get(7), VRAM_BYTES / 3200);
	assert_int_equal(t.vram[800 * 600 * 4 - 1], 0);
	assert_int_equal(t.vram[800 * 600 * 4], 0xee);
	dispi(9, 600);
	assert_int_equal(dispi_get(9), 600);
	dispi(9, 800); /* no memory for that */
	assert_int_equal(dispi_get(9), 0);
	/* Banks of 64 KiB. */
	dispi(5, 3);
	poke(5, 0x77);
	assert_int_equal(t.vram[3 * 65536 + 5], 0x77);
	dispi(5, 0xffff);
	poke(0xffff, 0x66);
	assert_int_equal(t.vram[VRAM_BYTES - 1], 0x66);
	/* Not cleared. */
	dispi(4, 0);
	memset(t.vram, 0xee, 16);
	dispi(4, 0xc1);
	assert_int_equal(t.vram[0], 0xee);
	assert_int_equal(dispi_get(4), 0x41);
}

static void test_dispi_extremes(void **state)
{
	static const uint16_t values[] = { 0,	  1,	 7,    8,    15,
					   16,	  32,	 640,  4095, 16000,
					   16001, 32767, 65535 };
	uint32_t seed = 7;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		unsigned width, height;

		seed = seed * 1664525 + 1013904223;
		dispi(1 + (seed >> 8) % 9,
		      values[(seed >> 16) % ARRAY_SIZE(values)]);
		dispi(4, 0xc1);
		vga_size(&t.vga, &width, &height);
		assert_in_range(width, 8, 16000);
		assert_in_range(height, 1, 12000);
		poke(seed % 0x10000, 1);
		dispi(4, seed >> 24 & 1 ? 0x80 : 0xc1);
	}
}

static void test_pci(void **state)
{
	(void)state;
	assert_int_equal(pci_config_read(&t.pci, DEVFN, 0, 4), 0x11111234);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, 8, 4), 0x03000002);
	pci_config_write(&t.pci, DEVFN, 0x10, 4, 0xffffffff);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, 0x10, 4), 0xffc00008);
	pci_config_write(&t.pci, DEVFN, 0x30, 4, 0xfffffffe);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, 0x30, 4), 0xfffff000);
	pci_config_write(&t.pci, DEVFN, 0x10, 4, LFB);
	pci_config_write(&t.pci, DEVFN, 0x18, 4, MMIO);
	pci_config_write(&t.pci, DEVFN, 0x30, 4, ROM | 1);
	assert_false(t.lfb_on);
	pci_config_write(&t.pci, DEVFN, 4, 2, 3);
	assert_true(t.lfb_on);
	assert_int_equal(t.lfb, LFB);
}

static void test_rom_and_mmio(void **state)
{
	uint32_t word;

	(void)state;
	pci_config_write(&t.pci, DEVFN, 0x18, 4, MMIO);
	pci_config_write(&t.pci, DEVFN, 0x30, 4, ROM | 1);
	pci_config_write(&t.pci, DEVFN, 4, 2, 3);
	memcpy(&word, t.rom + 4, 4);
	assert_int_equal(bus_read(&t.memory, ROM + 4, 4), word);
	assert_int_equal(bus_read(&t.memory, ROM + 2999, 1), t.rom[2999]);
	assert_int_equal(bus_read(&t.memory, ROM + 3000, 1), 0);
	assert_int_equal(bus_read(&t.memory, MMIO + 0x500, 2), 0xb0c5);
	bus_write(&t.memory, MMIO + 0x502, 2, 1024);
	assert_int_equal(dispi_get(1), 1024);
	bus_write(&t.memory, MMIO + 0x404, 2, 0x0702); /* 0x3c4, 0x3c5 */
	assert_int_equal(inb(0x3c4), 2);
	assert_int_equal(inb(0x3c5), 7);
	assert_int_equal(bus_read(&t.memory, MMIO + 0x600, 4), 8);
	assert_int_equal(bus_read(&t.memory, MMIO + 0x604, 4), 0x1e1e1e1e);
	assert_int_equal(bus_read(&t.memory, MMIO, 4), 0);
	vga_reset(&t.vga);
	assert_int_equal(dispi_get(1), 0);
	assert_int_equal(bus_read(&t.memory, ROM + 4, 4), 0xffffffff);
}

/* ---- The screen -------------------------------------------------------- */

static void test_text(void **state)
{
	(void)state;
	assert_false(vga_text_get(&t.vga, &text, false));
	assert_int_equal(vga_render(&t.vga, rgb, sizeof(rgb)), -ENODEV);
	mode_text();
	bus_write(&t.memory, 0xb8000 + 2 * (80 * 2 + 5), 2, 0x1e58);
	reg(0x3d4, 0x0e, 0);
	reg(0x3d4, 0x0f, 81);
	text_take();
	assert_int_equal(text.columns, 80);
	assert_int_equal(text.rows, 25);
	assert_int_equal(text.cursor, 81);
	assert_int_equal(text.cell[2 * 80 + 5], 0x1e58);
	/* Scrolled by a line through the start address. */
	start_set(80);
	text_take();
	assert_int_equal(text.cell[80 + 5], 0x1e58);
	assert_int_equal(text.cursor, 1);
	reg(0x3d4, 0x0a, 0x20);
	text_take();
	assert_int_equal(text.cursor, -1);
	/* A glyph: 'X', line 3, dots 1010....; yellow on blue. */
	t.vram[(0x58 * 32 + 3) * 4 + 2] = 0xa0;
	picture_take(720, 400);
	assert_int_equal(vga_render(&t.vga, rgb, 720 * 400 * 3 - 1), -ERANGE);
	assert_int_equal(vga_render(&t.vga, rgb, 720 * 400 * 3), 0);
	{
		const uint8_t *at = rgb + ((16 + 3) * 720 + 5 * 9) * 3;
		const uint8_t front[3] = { 56 << 2 | 56 >> 4, 14 << 2, 255 };
		const uint8_t back[3] = { 4 << 2, 1 << 2, 255 };

		assert_memory_equal(at, front, 3);
		assert_memory_equal(at + 3, back, 3);
		assert_memory_equal(at + 6, front, 3);
		assert_memory_equal(at + 24, back, 3);
	}
}

static void test_graphics(void **state)
{
	(void)state;
	mode_13h();
	outb(0x3c8, 0x33);
	outb(0x3c9, 1);
	outb(0x3c9, 2);
	outb(0x3c9, 3);
	poke(320 * 100 + 7, 0x33);
	picture_take(320, 200);
	assert_memory_equal(rgb + (320 * 100 + 7) * 3, "\x04\x08\x0c", 3);
	/* 640x480, 16 colours. */
	planar();
	reg(0x3d4, 9, 0x40);
	reg(0x3d4, 0x14, 0);
	reg(0x3d4, 0x17, 0xe3);
	reg(0x3d4, 7, 0x3e);
	reg(0x3d4, 0x12, 0xdf);
	reg(0x3ce, 5, 0);
	reg(0x3c4, 2, 0x0a);
	poke(80 * 479 + 79, 0x01);
	picture_take(640, 480);
	assert_int_equal(rgb[(640 * 480 - 1) * 3], 40 << 2 | 40 >> 4);
	/* CGA, 320x200 in four colours: two fields. */
	reg(0x3c4, 2, 0x03);
	reg(0x3c4, 4, 0x02);
	reg(0x3ce, 5, 0x30);
	reg(0x3ce, 6, 0x0f);
	reg(0x3d4, 1, 0x27);
	reg(0x3d4, 7, 0x1f);
	reg(0x3d4, 9, 0xc1);
	reg(0x3d4, 0x12, 0x8f);
	reg(0x3d4, 0x13, 0x14);
	reg(0x3d4, 0x17, 0xa2);
	memset(t.vram, 0, VRAM_BYTES);
	bus_write(&t.memory, 0xb8000 + 0x2000 + 80 * 3 + 1, 1, 0x0c);
	picture_take(320, 200);
	assert_int_equal(rgb[(320 * 7 + 6) * 3], 12 << 2);
	assert_int_equal(rgb[(320 * 7 + 5) * 3], 0);
}

static void test_linear(void **state)
{
	static const struct {
		uint16_t bpp;
		uint8_t pixel[4];
		const char *rgb;
	} rows[] = {
		{ 15, { 0x1f, 0x7c }, "\xff\x00\xff" },
		{ 16, { 0xe0, 0x07 }, "\x00\xff\x00" },
		{ 24, { 1, 2, 3 }, "\x03\x02\x01" },
		{ 32, { 4, 5, 6, 7 }, "\x06\x05\x04" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned bytes = (rows[i].bpp + 7) / 8;

		dispi(4, 0);
		dispi(1, 64);
		dispi(2, 4);
		dispi(3, rows[i].bpp);
		dispi(4, 0x41);
		memcpy(t.vram + (64 * 2 + 9) * bytes, rows[i].pixel, bytes);
		picture_take(64, 4);
		assert_memory_equal(rgb + (64 * 2 + 9) * 3, rows[i].rgb, 3);
		assert_int_equal(rgb[(64 * 2 + 10) * 3], 0);
		dispi(9, 1); /* panned down by a line */
		picture_take(64, 4);
		assert_memory_equal(rgb + (64 + 9) * 3, rows[i].rgb, 3);
	}
}

/* ---- Parts of it -------------------------------------------------------- */

/* A part of the picture is that part of the whole one, of which rgb is. */
static void expect_part(unsigned width, const struct display_rectangle *r)
{
	static uint32_t pixels[720 * 480 + 1];
	const uint32_t *pixel = pixels;
	size_t count = (size_t)(r->right - r->left) * (r->bottom - r->top);

	pixels[count] = 0x12345678;
	assert_int_equal(vga_render_rectangle(&t.vga, r, pixels), 0);
	for (unsigned y = r->top; y < r->bottom; y++)
		for (unsigned x = r->left; x < r->right; x++, pixel++) {
			const uint8_t *want = rgb + (y * width + x) * 3;

			assert_int_equal(*pixel & 0xffffff,
					 want[0] << 16 | want[1] << 8 |
						 want[2]);
		}
	assert_int_equal(pixels[count], 0x12345678);
}

static void expect_parts(enum display_mode mode, unsigned width,
			 unsigned height, unsigned depth)
{
	struct display_rectangle bad = { 0, 0, width + 1, 1 };
	struct display_picture info;

	vga_picture_get(&t.vga, &info);
	assert_int_equal(info.mode, mode);
	assert_int_equal(info.width, width);
	assert_int_equal(info.height, height);
	assert_int_equal(info.depth, depth);
	picture_take(width, height);
	expect_part(width, &(struct display_rectangle){ 0, 0, width, height });
	expect_part(width, &(struct display_rectangle){ 7, 3, 7, 3 });
	for (unsigned i = 1; i < 30; i++)
		expect_part(width, &(struct display_rectangle){
					   i, i, width - 2 * i, i + 3 });
	assert_int_equal(vga_render_rectangle(&t.vga, &bad, NULL), -ERANGE);
	bad = (struct display_rectangle){ 0, height, 1, height + 1 };
	assert_int_equal(vga_render_rectangle(&t.vga, &bad, NULL), -ERANGE);
	bad = (struct display_rectangle){ 2, 0, 1, 1 };
	assert_int_equal(vga_render_rectangle(&t.vga, &bad, NULL), -ERANGE);
}

static void vram_fill(void)
{
	uint32_t seed = 5;

	for (unsigned i = 0; i < VRAM_BYTES; i++) {
		seed = seed * 1664525 + 1013904223;
		t.vram[i] = (uint8_t)(seed >> 24);
	}
}

static void test_parts(void **state)
{
	static const uint16_t depths[] = { 4, 8, 15, 16, 24, 32 };
	const struct display_rectangle none = { 0 };
	struct display_picture info;

	(void)state;
	vga_picture_get(&t.vga, &info);
	assert_int_equal(info.mode, DISPLAY_OFF);
	assert_int_equal(vga_render_rectangle(&t.vga, &none, NULL), -ENODEV);
	vram_fill();
	mode_text();
	reg(0x3d4, 0x0e, 0);
	reg(0x3d4, 0x0f, 0);
	attr(0x33, 3); /* panned */
	expect_parts(DISPLAY_TEXT, 720, 400, 4);
	vga_picture_get(&t.vga, &info);
	assert_int_equal(info.columns, 80);
	assert_int_equal(info.rows, 25);
	assert_int_equal(info.cell_width, 9);
	assert_int_equal(info.cell_height, 16);
	mode_13h();
	expect_parts(DISPLAY_GRAPHICS, 320, 200, 8);
	reg(0x3ce, 5, 0x00);
	expect_parts(DISPLAY_GRAPHICS, 640, 200, 4);
	reg(0x3ce, 5, 0x20);
	expect_parts(DISPLAY_GRAPHICS, 640, 200, 4);
	for (unsigned i = 0; i < ARRAY_SIZE(depths); i++) {
		dispi(4, 0);
		dispi(1, 640);
		dispi(2, 400);
		dispi(3, depths[i]);
		dispi(4, 0xc1);
		dispi(9, 2);
		expect_parts(DISPLAY_GRAPHICS, 640, 400, depths[i]);
	}
}

/* Cursor and what blinks are there when a screen would have them dark. */
static void test_parts_are_lit(void **state)
{
	const struct display_rectangle r = { 0, 13, 18, 14 };
	uint32_t then[18], now[18];

	(void)state;
	mode_text();
	reg(0x3d4, 0x0e, 0);
	reg(0x3d4, 0x0f, 0);
	bus_write(&t.memory, 0xb8000, 4, 0x9f580720);
	t.vram[(0x58 * 32 + 13) * 4 + 2] = 0xff;
	assert_int_equal(vga_render_rectangle(&t.vga, &r, then), 0);
	assert_int_equal(then[0], 0x711cff);
	assert_int_equal(then[9] >> 8 & 0xff, 15 << 2);
	picture_take(720, 400);
	assert_int_equal(rgb[13 * 720 * 3 + 9 * 3 + 1], 15 << 2);
	t.now = 24 * 449 * 31778ULL; /* frames */
	picture_take(720, 400);
	assert_int_equal(rgb[13 * 720 * 3 + 1], 0);
	assert_int_equal(rgb[13 * 720 * 3 + 9 * 3 + 1], 1 << 2);
	assert_int_equal(vga_render_rectangle(&t.vga, &r, now), 0);
	assert_memory_equal(then, now, sizeof(then));
}

/* Random registers and accesses: nothing may reach outside. */
static void test_noise(void **state)
{
	uint8_t *large = malloc(2100 * 2100 * 3);
	uint32_t seed = 3;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		seed = seed * 1664525 + 1013904223;
		outb(0x3b0 + (seed >> 8) % 48, (uint8_t)(seed >> 16));
		inb(0x3b0 + (seed >> 24) % 48);
		if (seed & 0x80)
			bus_write(&t.memory, 0xa0000 + (seed >> 4) % 0x1fff8, 8,
				  seed);
		else
			bus_read(&t.memory, 0xa0000 + (seed >> 4) % 0x1fff8, 8);
		if (i % 1000 == 0) {
			if (vga_text_get(&t.vga, &text, false))
				assert_in_range(text.rows, 0, 60);
			assert_int_not_equal(
				vga_render(&t.vga, large, 2100 * 2100 * 3),
				-EINVAL);
		}
	}
	free(large);
}

/* A run of writes leaves what the writes one by one do, whatever the mode. */
static void run_compare(uint32_t seed)
{
	static uint8_t before[VRAM_BYTES], after[VRAM_BYTES];
	struct io_access io = { .size = 1U << seed % 4, .is_write = true };
	uint32_t count = 2 + (seed >> 8) % 64;
	uint8_t items[66 * 8];

	io.offset = 0xa0000 + ((seed >> 12) % 0x20000 & ~(io.size - 1U));
	for (unsigned i = 0; i < sizeof(items); i++)
		items[i] = (uint8_t)(seed >> i % 24 ^ i);
	memcpy(before, t.vram, VRAM_BYTES);
	bus_write_run(&t.memory, &io, items, count);
	memcpy(after, t.vram, VRAM_BYTES);
	memcpy(t.vram, before, VRAM_BYTES);
	for (unsigned i = 0; i < count; i++) {
		uint64_t value = 0;

		memcpy(&value, items + i * io.size, io.size);
		bus_write(&t.memory, io.offset + i * io.size, io.size, value);
	}
	assert_memory_equal(t.vram, after, VRAM_BYTES);
}

static void test_runs(void **state)
{
	uint16_t cells[80] = { 0x1e58 };
	struct io_access io = { .offset = 0x18000,
				.size = 2,
				.is_write = true };
	uint32_t seed = 11;

	(void)state;
	mode_text();
	assert_int_equal(vga_window_run(&t.vga, &io, cells, 80), 80);
	io.offset = 0x1ffff;
	assert_int_equal(vga_window_run(&t.vga, &io, cells, 80), 0);
	for (unsigned i = 0; i < 600; i++) {
		if (i == 150)
			mode_13h();
		if (i == 300)
			dispi(4, 0x41); /* banks of 64 KiB */
		if (i >= 300 && i < 450)
			dispi(5, (uint16_t)(seed >> 9) % 70);
		if (i > 450) /* whatever mode that is */
			reg(i & 1 ? 0x3c4 : 0x3ce, (uint8_t)(seed >> 3) % 9,
			    (uint8_t)(seed >> 16));
		seed = seed * 1664525 + 1013904223;
		run_compare(seed >> 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_index_pairs),	  TEST(test_crtc_protect),
		TEST(test_attributes),	  TEST(test_dac),
		TEST(test_retrace),	  TEST(test_window_maps),
		TEST(test_window_widths), TEST(test_write_modes),
		TEST(test_read_mode_1),	  TEST(test_odd_even),
		TEST(test_dispi),	  TEST(test_dispi_extremes),
		TEST(test_pci),		  TEST(test_rom_and_mmio),
		TEST(test_text),	  TEST(test_graphics),
		TEST(test_linear),	  TEST(test_parts),
		TEST(test_parts_are_lit), TEST(test_noise),
		TEST(test_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
