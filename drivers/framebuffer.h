/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A screen of 32-bit pixels in memory: B, G, R and a byte that says nothing.
 * Whoever has found or made it (bochs_display.h) hands it to whoever draws.
 */
#ifndef BULKHEAD_DRIVERS_FRAMEBUFFER_H
#define BULKHEAD_DRIVERS_FRAMEBUFFER_H

#include "include/compiler.h"

struct framebuffer {
	uint8_t *pixels; /* the top left one; NULL: there is no screen */
	uint32_t width, height;
	uint32_t stride; /* bytes from line to line */
};

static inline void *framebuffer_at(const struct framebuffer *fb, uint32_t x,
				   uint32_t y)
{
	return fb->pixels + (uint64_t)y * fb->stride + (uint64_t)x * 4;
}

#endif
