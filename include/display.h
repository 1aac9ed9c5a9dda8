/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A screen: what a display device offers to whoever shows it.
 *
 * The device owns the pixels; they lie in video memory and change under the
 * reader's hands, which shows in the next frame.  The reader asks at its own
 * pace, so that an unwatched screen costs nothing.
 */
#ifndef BULKHEAD_DISPLAY_H
#define BULKHEAD_DISPLAY_H

#include "include/compiler.h"

enum display_mode {
	DISPLAY_OFF,
	DISPLAY_TEXT,	  /* cells */
	DISPLAY_GRAPHICS, /* pixels */
};

/* Names say the bytes of a pixel in memory, first to last. */
enum display_format {
	DISPLAY_FORMAT_NONE,
	DISPLAY_BGRX8888, /* 4 bytes; the fourth says nothing */
	DISPLAY_BGR888,	  /* 3 bytes */
	DISPLAY_RGB565,	  /* a little-endian word, red on top */
	DISPLAY_RGB555,	  /* the same, bit 15 says nothing */
	DISPLAY_INDEXED8, /* a byte into the palette */
};

#define DISPLAY_TEXT_COLUMNS 132
#define DISPLAY_TEXT_ROWS    60
#define DISPLAY_PALETTE	     256
#define DISPLAY_DIRTY	     16

/* Pixels in graphics modes, cells in text modes; right and bottom excluded. */
struct display_rectangle {
	uint32_t left, top, right, bottom;
};

/* What a picture is like, whoever draws it. */
struct display_picture {
	enum display_mode mode; /* DISPLAY_OFF: all of the rest is 0 */
	uint32_t width, height; /* pixels, of text also */
	uint32_t columns, rows; /* DISPLAY_TEXT, as cells' size in pixels */
	uint32_t cell_width, cell_height;
	uint32_t depth; /* bits a pixel, as the guest has it */
};

struct display_surface {
	enum display_mode mode;
	enum display_format format; /* DISPLAY_GRAPHICS */
	uint32_t width, height;	    /* pixels or cells */
	uint32_t stride;	    /* bytes from line to line */
	/*
	 * DISPLAY_GRAPHICS: stride * height bytes from the first line on, all
	 * inside the device's memory, valid until the mode changes.
	 * DISPLAY_TEXT: width * height cells, character in the low byte,
	 * attribute in the high one, valid until the next call.
	 */
	const void *data;
	int32_t cursor;	       /* DISPLAY_TEXT: the cell, or -1 */
	uint32_t mode_changes; /* counts up at each change of the above */
	/* DISPLAY_INDEXED8 and DISPLAY_TEXT (the first 16): 0x00rrggbb. */
	uint32_t palette[DISPLAY_PALETTE];
	/*
	 * What has changed since the call before; they may overlap and hold
	 * more than that.  A change of mode makes all of it dirty.
	 */
	uint32_t dirty_count;
	struct display_rectangle dirty[DISPLAY_DIRTY];
};

/* Called with the machine's lock held. */
struct display_source {
	void (*surface_get)(void *dev, struct display_surface *surface);
	void *dev;
};

#endif
