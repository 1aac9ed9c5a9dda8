/* SPDX-License-Identifier: BSD-2-Clause */
/* See framebuffer.h. */
#include "drivers/framebuffer.h"

#include "lib/string.h"

#define BGRX_BYTES 4
#define PIECE	   64 /* pixels that are converted before they are written */

static uint32_t channel(const struct framebuffer *fb, unsigned n, uint8_t value)
{
	unsigned bits = fb->channel[n].bits;
	uint32_t scaled = bits <= 8 ? (uint32_t)value >> (8 - bits)
				    : (uint32_t)value << (bits - 8);

	return scaled << fb->channel[n].at;
}

/* The screen's memory may be slow: it is written once, and never read. */
static void packed_write(const struct framebuffer *fb, uint8_t *to,
			 const uint8_t *from, uint32_t count)
{
	uint8_t packed[PIECE * sizeof(uint32_t)];

	for (uint32_t i = 0; i < count; i++, from += BGRX_BYTES) {
		uint32_t pixel = channel(fb, FRAMEBUFFER_RED, from[2]) |
				 channel(fb, FRAMEBUFFER_GREEN, from[1]) |
				 channel(fb, FRAMEBUFFER_BLUE, from[0]);

		memcpy(packed + i * fb->pixel_bytes, &pixel, fb->pixel_bytes);
	}
	memcpy(to, packed, (size_t)count * fb->pixel_bytes);
}

void framebuffer_write(const struct framebuffer *fb, uint32_t x, uint32_t y,
		       const void *pixels, uint32_t count)
{
	const uint8_t *from = pixels;
	uint8_t *line = fb->pixels + (uint64_t)y * fb->stride;

	if (fb->kind == FRAMEBUFFER_BGRX) {
		memcpy(line + (uint64_t)x * BGRX_BYTES, from,
		       (size_t)count * BGRX_BYTES);
		return;
	}
	while (count) {
		uint32_t n = MIN(count, (uint32_t)PIECE);

		packed_write(fb, line + (uint64_t)x * fb->pixel_bytes, from, n);
		from += (size_t)n * BGRX_BYTES;
		x += n;
		count -= n;
	}
}
