/* SPDX-License-Identifier: BSD-2-Clause */
/* See screen.h. */
#include "services/seat/screen.h"

#include "lib/string.h"

#define PIXEL	   4
#define FILL_PIECE 64

/* ---- Cells --------------------------------------------------------------- */

/* The nearest of the 8 colours that a cell's ground may have. */
static unsigned vga_colour(uint32_t colour)
{
	const uint32_t half = 0x60;

	return ((colour >> 16 & 0xff) >= half) << 2 |
	       ((colour >> 8 & 0xff) >= half) << 1 | ((colour & 0xff) >= half);
}

static uint16_t cell_of(char character, uint32_t front, uint32_t back)
{
	return (uint16_t)(vga_colour(back) << 12 | vga_colour(front) << 8 |
			  (uint8_t)character);
}

/* Of so many cells in a line, with room for fewer, the one to begin with: the
 * cursor's is seen. */
static uint32_t first_shown(uint32_t cursor, uint32_t count, uint32_t room)
{
	if (count <= room || cursor < room)
		return 0;
	return cursor - room + 1;
}

/* Front and back change places. */
static uint16_t cell_inverted(uint16_t cell)
{
	return (uint16_t)((cell & 0x00ff) | (cell & 0x7000) >> 4 |
			  (cell & 0x0700) << 4);
}

void screen_cells(const struct framebuffer *fb, const struct face_cells *cells)
{
	uint32_t columns = cells->columns, rows = cells->rows;
	uint32_t width = MIN(columns, fb->width);
	uint32_t height = MIN(rows, fb->height);
	bool has_cursor =
		cells->cursor >= 0 && (uint32_t)cells->cursor < columns * rows;
	uint32_t cursor = has_cursor ? (uint32_t)cells->cursor : 0;
	uint32_t first;

	if (!columns)
		return;
	first = first_shown(cursor / columns, rows, fb->height) * columns +
		first_shown(cursor % columns, columns, fb->width);
	for (uint32_t y = 0; y < height; y++) {
		uint32_t from = first + y * columns;
		uint16_t *to = framebuffer_cell(fb, (fb->width - width) / 2,
						(fb->height - height) / 2 + y);

		for (uint32_t x = 0; x < width; x++, from++)
			to[x] = has_cursor && from == cursor
					? cell_inverted(cells->cell[from])
					: cells->cell[from];
	}
}

/* ---- Text ---------------------------------------------------------------- */

void screen_fill(const struct framebuffer *fb, uint32_t left, uint32_t top,
		 uint32_t width, uint32_t height, uint32_t colour)
{
	uint32_t right = MIN(left + width, fb->width);
	uint32_t piece[FILL_PIECE];

	for (unsigned i = 0; i < FILL_PIECE; i++)
		piece[i] = colour;
	for (uint32_t y = top; y < MIN(top + height, fb->height); y++)
		for (uint32_t x = left, n; x < right; x += n) {
			n = MIN(right - x, (uint32_t)FILL_PIECE);
			framebuffer_write(fb, x, y, piece, n);
		}
}

void screen_clear(const struct framebuffer *fb)
{
	if (fb->kind != FRAMEBUFFER_TEXT) {
		screen_fill(fb, 0, 0, fb->width, fb->height, SCREEN_BLACK);
		return;
	}
	for (uint32_t row = 0; row < fb->height; row++)
		screen_text(fb, 0, row, "", fb->width, SCREEN_WHITE,
			    SCREEN_BLACK);
}

static void glyph(const struct framebuffer *fb, uint32_t left, uint32_t top,
		  char character, uint32_t front, uint32_t back)
{
	uint8_t rows[FONT_HEIGHT] = { 0 };

	(void)font_glyph((uint8_t)character, rows);
	for (uint32_t y = 0; y < FONT_HEIGHT; y++) {
		uint32_t line[FONT_WIDTH];

		for (unsigned x = 0; x < FONT_WIDTH; x++)
			line[x] = rows[y] & 0x80 >> x ? front : back;
		framebuffer_write(fb, left, top + y, line, FONT_WIDTH);
	}
}

void screen_text(const struct framebuffer *fb, uint32_t column, uint32_t row,
		 const char *text, uint32_t columns, uint32_t front,
		 uint32_t back)
{
	if (row >= screen_rows(fb))
		return;
	for (; columns-- && column < screen_columns(fb); column++) {
		char character = *text ? *text : ' ';

		if (fb->kind == FRAMEBUFFER_TEXT)
			*framebuffer_cell(fb, column, row) =
				cell_of(character, front, back);
		else
			glyph(fb, column * FONT_WIDTH, row * FONT_HEIGHT,
			      character, front, back);
		text += *text != '\0';
	}
}

/* ---- Pictures ------------------------------------------------------------ */

void screen_place(struct screen_place *place, const struct framebuffer *fb,
		  uint32_t width, uint32_t height)
{
	*place = (struct screen_place){
		.source_width = width,
		.source_height = height,
		.width = width,
		.height = height,
	};
	if (width > fb->width || height > fb->height) {
		/* As large as it can be with its sides' proportion. */
		place->width = fb->width;
		place->height =
			(uint32_t)((uint64_t)height * fb->width / width);
		if (place->height > fb->height) {
			place->height = fb->height;
			place->width = (uint32_t)((uint64_t)width * fb->height /
						  height);
		}
	}
	place->left = (fb->width - place->width) / 2;
	place->top = (fb->height - place->height) / 2;
}

static void pixels_as_they_are(const struct framebuffer *fb,
			       const struct screen_place *place,
			       const struct face_pixels *pixels)
{
	const uint8_t *from = pixels->pixel;

	for (uint32_t y = 0; y < pixels->height; y++) {
		framebuffer_write(fb, place->left + pixels->left,
				  place->top + pixels->top + y, from,
				  pixels->width);
		from += (size_t)pixels->width * PIXEL;
	}
}

/* The first shown pixel whose source is at or behind `at`. */
static uint32_t shown_from(uint32_t at, uint32_t shown, uint32_t source)
{
	return (uint32_t)DIV_ROUND_UP((uint64_t)at * shown, source);
}

static uint32_t source_of(uint32_t at, uint32_t shown, uint32_t source)
{
	return (uint32_t)((uint64_t)at * source / shown);
}

/* Every pixel shown is one of the picture's. */
static void line_smaller(const struct framebuffer *fb,
			 const struct screen_place *place,
			 const struct face_pixels *pixels, uint32_t y)
{
	uint32_t right = shown_from((uint32_t)pixels->left + pixels->width,
				    place->width, place->source_width);
	uint32_t line =
		source_of(y, place->height, place->source_height) - pixels->top;
	const uint8_t *from =
		pixels->pixel + (size_t)line * pixels->width * PIXEL;
	uint32_t x =
		shown_from(pixels->left, place->width, place->source_width);
	uint32_t piece[FILL_PIECE], n;

	for (; x < right; x += n) {
		for (n = 0; n < FILL_PIECE && x + n < right; n++) {
			uint32_t column = source_of(x + n, place->width,
						    place->source_width) -
					  pixels->left;

			memcpy(&piece[n], from + (size_t)column * PIXEL, PIXEL);
		}
		framebuffer_write(fb, place->left + x, place->top + y, piece,
				  n);
	}
}

static void pixels_smaller(const struct framebuffer *fb,
			   const struct screen_place *place,
			   const struct face_pixels *pixels)
{
	uint32_t bottom = shown_from((uint32_t)pixels->top + pixels->height,
				     place->height, place->source_height);
	uint32_t y =
		shown_from(pixels->top, place->height, place->source_height);

	for (; y < bottom; y++)
		line_smaller(fb, place, pixels, y);
}

void screen_pixels(const struct framebuffer *fb,
		   const struct screen_place *place,
		   const struct face_pixels *pixels)
{
	if ((uint32_t)pixels->left + pixels->width > place->source_width ||
	    (uint32_t)pixels->top + pixels->height > place->source_height)
		return;
	if (place->width == place->source_width)
		pixels_as_they_are(fb, place, pixels);
	else
		pixels_smaller(fb, place, pixels);
}
