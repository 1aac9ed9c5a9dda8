/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drawing on the host's screen: text in seat's own letters, and pictures of
 * guests, centred, or made smaller where they are larger than the screen.
 *
 * A screen of cells (FRAMEBUFFER_TEXT) shows text, in its own letters, and
 * cells of guests; of those that it has no room for the ones around the cursor.
 */
#ifndef BULKHEAD_SERVICES_SEAT_SCREEN_H
#define BULKHEAD_SERVICES_SEAT_SCREEN_H

#include "drivers/framebuffer.h"
#include "include/face.h"
#include "lib/font.h"

/* 0x00rrggbb. */
#define SCREEN_BLACK 0x000000
#define SCREEN_WHITE 0xd0d0d0
#define SCREEN_GREY  0x808080
#define SCREEN_BLUE  0x203a6b

/* Where a picture of so many pixels is shown. */
struct screen_place {
	uint32_t source_width, source_height;
	uint32_t left, top, width, height;
};

/* Cells of text. */
static inline uint32_t screen_columns(const struct framebuffer *fb)
{
	return fb->kind == FRAMEBUFFER_TEXT ? fb->width
					    : fb->width / FONT_WIDTH;
}

static inline uint32_t screen_rows(const struct framebuffer *fb)
{
	return fb->kind == FRAMEBUFFER_TEXT ? fb->height
					    : fb->height / FONT_HEIGHT;
}

/* Of pixels. */
void screen_fill(const struct framebuffer *fb, uint32_t left, uint32_t top,
		 uint32_t width, uint32_t height, uint32_t colour);
/* All of it, of either kind: black. */
void screen_clear(const struct framebuffer *fb);
/* A line of text that fills columns cells, cut or with blanks behind it. */
void screen_text(const struct framebuffer *fb, uint32_t column, uint32_t row,
		 const char *text, uint32_t columns, uint32_t front,
		 uint32_t back);

/* Of pixels. */
void screen_place(struct screen_place *place, const struct framebuffer *fb,
		  uint32_t width, uint32_t height);
void screen_pixels(const struct framebuffer *fb,
		   const struct screen_place *place,
		   const struct face_pixels *pixels);
/* All of a guest's cells, onto a screen of cells that was cleared. */
void screen_cells(const struct framebuffer *fb, const struct face_cells *cells);

#endif
