/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A screen in memory.  Whoever has found or made it (bochs_display.h, the boot
 * loader) hands it to whoever draws.
 *
 * Not there: palettes, planes.
 *
 * Pure; not locked: one thread.
 */
#ifndef BULKHEAD_DRIVERS_FRAMEBUFFER_H
#define BULKHEAD_DRIVERS_FRAMEBUFFER_H

#include "include/compiler.h"

enum framebuffer_kind {
	FRAMEBUFFER_BGRX,   /* 4 bytes: B, G, R and one that says nothing */
	FRAMEBUFFER_PACKED, /* pixels of .pixel_bytes, colours as .channel */
	FRAMEBUFFER_TEXT,   /* cells as a VGA has them: 2 bytes */
};

enum { FRAMEBUFFER_RED, FRAMEBUFFER_GREEN, FRAMEBUFFER_BLUE, FRAMEBUFFER_RGB };

struct framebuffer {
	uint8_t *pixels;	/* the top left one; NULL: there is no screen */
	uint32_t width, height; /* pixels, or cells */
	uint32_t stride;	/* bytes from line to line */
	enum framebuffer_kind kind;
	/* FRAMEBUFFER_PACKED */
	uint32_t pixel_bytes; /* 2 to 4, the lowest bits first */
	struct {
		uint8_t at, bits; /* lowest bit, how many: 1 to 16 */
	} channel[FRAMEBUFFER_RGB];
};

/* Of FRAMEBUFFER_BGRX. */
static inline void *framebuffer_at(const struct framebuffer *fb, uint32_t x,
				   uint32_t y)
{
	return fb->pixels + (uint64_t)y * fb->stride + (uint64_t)x * 4;
}

/* Of FRAMEBUFFER_TEXT. */
static inline uint16_t *framebuffer_cell(const struct framebuffer *fb,
					 uint32_t column, uint32_t row)
{
	return (uint16_t *)(fb->pixels + (uint64_t)row * fb->stride) + column;
}

/*
 * Pixels of FRAMEBUFFER_BGRX into a screen of pixels of any kind, from x on in
 * line y; the caller sees to it that they lie in it.
 */
void framebuffer_write(const struct framebuffer *fb, uint32_t x, uint32_t y,
		       const void *pixels, uint32_t count);

#endif
