/* SPDX-License-Identifier: BSD-2-Clause */
/* See screen.h. */
#include "services/seat/screen.h"

#include "lib/string.h"

#define PIXEL 4

void screen_fill(const struct framebuffer *fb, uint32_t left, uint32_t top,
		 uint32_t width, uint32_t height, uint32_t colour)
{
	for (uint32_t y = top; y < MIN(top + height, fb->height); y++) {
		uint32_t *at = framebuffer_at(fb, left, y);

		for (uint32_t x = left; x < MIN(left + width, fb->width); x++)
			*at++ = colour;
	}
}

/* ---- Text ---------------------------------------------------------------- */

static void glyph(const struct framebuffer *fb, uint32_t left, uint32_t top,
		  char character, uint32_t front, uint32_t back)
{
	uint8_t rows[FONT_HEIGHT] = { 0 };

	(void)font_glyph((uint8_t)character, rows);
	for (uint32_t y = 0; y < FONT_HEIGHT; y++) {
		uint32_t *at = framebuffer_at(fb, left, top + y);

		for (unsigned x = 0; x < FONT_WIDTH; x++)
			*at++ = rows[y] & 0x80 >> x ? front : back;
	}
}

void screen_text(const struct framebuffer *fb, uint32_t column, uint32_t row,
		 const char *text, uint32_t columns, uint32_t front,
		 uint32_t back)
{
	if (row >= screen_rows(fb))
		return;
	for (; columns-- && column < screen_columns(fb); column++) {
		glyph(fb, column * FONT_WIDTH, row * FONT_HEIGHT,
		      *text ? *text : ' ', front, back);
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
		memcpy(framebuffer_at(fb, place->left + pixels->left,
				      place->top + pixels->top + y),
		       from, (size_t)pixels->width * PIXEL);
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
static void pixels_smaller(const struct framebuffer *fb,
			   const struct screen_place *place,
			   const struct face_pixels *pixels)
{
	uint32_t right = shown_from((uint32_t)pixels->left + pixels->width,
				    place->width, place->source_width);
	uint32_t bottom = shown_from((uint32_t)pixels->top + pixels->height,
				     place->height, place->source_height);
	uint32_t y =
		shown_from(pixels->top, place->height, place->source_height);

	for (; y < bottom; y++) {
		uint32_t line =
			source_of(y, place->height, place->source_height) -
			pixels->top;
		uint32_t x = shown_from(pixels->left, place->width,
					place->source_width);

		for (; x < right; x++) {
			uint32_t column = source_of(x, place->width,
						    place->source_width) -
					  pixels->left;

			memcpy(framebuffer_at(fb, place->left + x,
					      place->top + y),
			       pixels->pixel +
				       ((size_t)line * pixels->width + column) *
					       PIXEL,
			       PIXEL);
		}
	}
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
