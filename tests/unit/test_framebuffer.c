/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/framebuffer.c: pixels in the formats that screens have, and no byte
 * beside them; drivers/vga_text.c on registers of the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "drivers/framebuffer.h"
#include "drivers/vga_text.h"
#include "include/errno.h"

#define WIDTH  150 /* more than is converted at a time */
#define HEIGHT 3
#define STRIDE (WIDTH * 4 + 12)

static uint8_t memory[STRIDE * HEIGHT];

/* B, G, R, and a byte that says nothing. */
static const uint8_t samples[][4] = {
	{ 0, 0, 0, 0 },	      { 0xff, 0xff, 0xff, 0 }, { 0xff, 0, 0, 0x99 },
	{ 0, 0xff, 0, 0xff }, { 0, 0, 0xff, 1 },       { 0x12, 0x84, 0xa7, 7 },
};

static const struct format {
	struct framebuffer fb;
	uint32_t pixel[ARRAY_SIZE(samples)];
} formats[] = {
	/* 5:6:5 */
	{ { .pixel_bytes = 2, .channel = { { 11, 5 }, { 5, 6 }, { 0, 5 } } },
	  { 0, 0xffff, 0x001f, 0x07e0, 0xf800, 0xa422 } },
	/* 5:5:5 */
	{ { .pixel_bytes = 2, .channel = { { 10, 5 }, { 5, 5 }, { 0, 5 } } },
	  { 0, 0x7fff, 0x001f, 0x03e0, 0x7c00, 0x5202 } },
	/* 24 bits, and with red at the bottom */
	{ { .pixel_bytes = 3, .channel = { { 16, 8 }, { 8, 8 }, { 0, 8 } } },
	  { 0, 0xffffff, 0x0000ff, 0x00ff00, 0xff0000, 0xa78412 } },
	{ { .pixel_bytes = 3, .channel = { { 0, 8 }, { 8, 8 }, { 16, 8 } } },
	  { 0, 0xffffff, 0xff0000, 0x00ff00, 0x0000ff, 0x1284a7 } },
	/* 32 bits, red at the bottom; 10 bits a colour */
	{ { .pixel_bytes = 4, .channel = { { 0, 8 }, { 8, 8 }, { 16, 8 } } },
	  { 0, 0xffffff, 0xff0000, 0x00ff00, 0x0000ff, 0x1284a7 } },
	{ { .pixel_bytes = 4,
	    .channel = { { 20, 10 }, { 10, 10 }, { 0, 10 } } },
	  { 0, 0x3fcff3fc, 0x000003fc, 0x000ff000, 0x3fc00000, 0x29c84048 } },
};

static uint32_t pixel_at(const struct framebuffer *fb, uint32_t x, uint32_t y)
{
	uint32_t value = 0;

	memcpy(&value, memory + y * STRIDE + x * fb->pixel_bytes,
	       fb->pixel_bytes);
	return value;
}

static struct framebuffer begin(const struct format *format)
{
	struct framebuffer fb = format->fb;

	memset(memory, 0xee, sizeof(memory));
	fb.kind = FRAMEBUFFER_PACKED;
	fb.pixels = memory;
	fb.width = WIDTH;
	fb.height = HEIGHT;
	fb.stride = STRIDE;
	return fb;
}

static void formats_are_written(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
		struct framebuffer fb = begin(&formats[i]);
		uint32_t n = ARRAY_SIZE(samples);
		uint32_t from = STRIDE + 5 * fb.pixel_bytes;
		uint32_t end = from + n * fb.pixel_bytes;

		framebuffer_write(&fb, 5, 1, samples, n);
		for (uint32_t x = 0; x < n; x++)
			assert_int_equal(pixel_at(&fb, 5 + x, 1),
					 formats[i].pixel[x]);
		for (uint32_t at = 0; at < sizeof(memory); at++)
			if (at < from || at >= end)
				assert_int_equal(memory[at], 0xee);
	}
}

/* Of any length, from anywhere. */
static void lines_are_written(void **state)
{
	static uint8_t line[WIDTH][4];

	(void)state;
	for (uint32_t x = 0; x < WIDTH; x++)
		memcpy(line[x], samples[x % ARRAY_SIZE(samples)], 4);
	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++)
		for (uint32_t n = 0; n <= WIDTH; n++) {
			struct framebuffer fb = begin(&formats[i]);

			framebuffer_write(&fb, WIDTH - n, HEIGHT - 1, line, n);
			for (uint32_t x = 0; x < n; x++)
				assert_int_equal(
					pixel_at(&fb, WIDTH - n + x,
						 HEIGHT - 1),
					formats[i].pixel[x %
							 ARRAY_SIZE(samples)]);
			if (n < WIDTH)
				assert_int_equal(
					memory[(HEIGHT - 1) * STRIDE +
					       (WIDTH - n) * fb.pixel_bytes -
					       1],
					0xee);
			assert_int_equal(memory[(HEIGHT - 1) * STRIDE +
						WIDTH * fb.pixel_bytes],
					 0xee);
		}
}

static void guests_own_pixels_stay(void **state)
{
	struct framebuffer fb = begin(&formats[0]);

	(void)state;
	fb.kind = FRAMEBUFFER_BGRX;
	framebuffer_write(&fb, 2, 1, samples, ARRAY_SIZE(samples));
	assert_memory_equal(memory + STRIDE + 8, samples, sizeof(samples));
	assert_int_equal(memory[STRIDE + 7], 0xee);
	assert_int_equal(memory[STRIDE + 8 + sizeof(samples)], 0xee);
}

/* ---- A VGA --------------------------------------------------------------- */

static struct {
	bool is_there;
	uint8_t index[2], graphics[16], crtc[32];
	unsigned writes; /* of data */
} vga;

static uint8_t vga_read(void *ctx, uint16_t port)
{
	(void)ctx;
	assert_in_range(port, VGA_TEXT_PORT,
			VGA_TEXT_PORT + VGA_TEXT_PORTS - 1);
	if (!vga.is_there)
		return 0xff;
	switch (port) {
	case 0x3ce:
		return vga.index[0];
	case 0x3cf:
		return vga.graphics[vga.index[0] % 16];
	case 0x3d4:
		return vga.index[1];
	case 0x3d5:
		return vga.crtc[vga.index[1] % 32];
	default:
		fail_msg("read of port %x", port);
		return 0;
	}
}

static void vga_write(void *ctx, uint16_t port, uint8_t value)
{
	(void)ctx;
	assert_in_range(port, VGA_TEXT_PORT,
			VGA_TEXT_PORT + VGA_TEXT_PORTS - 1);
	if (port == 0x3ce)
		vga.index[0] = value;
	else if (port == 0x3d4)
		vga.index[1] = value;
	else if (port == 0x3d5)
		vga.crtc[vga.index[1] % 32] = value;
	else
		fail_msg("write to port %x", port);
	vga.writes += port == 0x3d5;
}

static const struct port_ops ports = { .read = vga_read, .write = vga_write };

static void a_text_mode_is_known(void **state)
{
	static const struct {
		uint8_t misc;
		int error;
	} rows[] = {
		{ 0x0e, 0 },	   { 0x0c, 0 },	      /* B8000h, cells */
		{ 0x05, -ERANGE }, { 0x0f, -ERANGE }, /* pixels */
		{ 0x0a, -ERANGE }, { 0x06, -ERANGE }, /* B0000h, A0000h */
		{ 0x02, -ERANGE },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(&vga, 0, sizeof(vga));
		vga.is_there = true;
		vga.graphics[6] = rows[i].misc;
		vga.crtc[10] = 0x0d;
		assert_int_equal(vga_text_start(&ports, NULL), rows[i].error);
		/* The cursor goes, and nothing else changes. */
		assert_int_equal(vga.crtc[10], rows[i].error ? 0x0d : 0x2d);
		assert_int_equal(vga.writes, !rows[i].error);
	}
	memset(&vga, 0, sizeof(vga));
	assert_int_equal(vga_text_start(&ports, NULL), -ENODEV);
	assert_int_equal(vga.writes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_are_written),
		cmocka_unit_test(lines_are_written),
		cmocka_unit_test(guests_own_pixels_stay),
		cmocka_unit_test(a_text_mode_is_known),
	};

	return cmocka_run_group_tests_name("framebuffer", tests, NULL, NULL);
}
