/* SPDX-License-Identifier: BSD-2-Clause */
/* See picture.h. */
#include "scripts/vnc/picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PLACE_SIZE  12 /* left, top, width, height, encoding, 0 */
#define ENCODING_AT 8
#define RUN_SIZE    4 /* a count, B, G, R */

enum encoding { ENCODING_RAW, ENCODING_RUNS };

int picture_resize(struct picture *picture, uint32_t width, uint32_t height)
{
	uint8_t *pixels = NULL;

	if (width > PICTURE_SIDE_MAX || height > PICTURE_SIDE_MAX ||
	    !width != !height)
		return -EINVAL;
	if (width) {
		pixels = calloc((size_t)width * height, PICTURE_PIXEL);
		if (!pixels)
			return -ENOMEM;
	}
	free(picture->pixels);
	picture->pixels = pixels;
	picture->width = width;
	picture->height = height;
	picture->damage[0] = (struct picture_rect){ 0, 0, width, height };
	picture->damage_count = 1;
	return 0;
}

void picture_clean(struct picture *picture)
{
	picture->damage_count = 0;
}

void picture_free(struct picture *picture)
{
	free(picture->pixels);
	picture->pixels = NULL;
	picture->width = picture->height = 0;
}

/* Where the list is full the last entry grows to hold the new one, too. */
static void damage_add(struct picture *picture, const struct picture_rect *rect)
{
	struct picture_rect *last;

	if (picture->damage_count < PICTURE_DAMAGES_MAX) {
		picture->damage[picture->damage_count++] = *rect;
		return;
	}
	last = &picture->damage[PICTURE_DAMAGES_MAX - 1];
	last->left = MIN(last->left, rect->left);
	last->top = MIN(last->top, rect->top);
	last->right = MAX(last->right, rect->right);
	last->bottom = MAX(last->bottom, rect->bottom);
}

static uint8_t *pixel_at(struct picture *picture, uint32_t x, uint32_t y)
{
	return picture->pixels +
	       ((size_t)y * picture->width + x) * PICTURE_PIXEL;
}

static void raw_draw(struct picture *picture, const struct picture_rect *rect,
		     const uint8_t *data)
{
	size_t line = (size_t)(rect->right - rect->left) * PICTURE_PIXEL;

	for (uint32_t y = rect->top; y < rect->bottom; y++) {
		memcpy(pixel_at(picture, rect->left, y), data, line);
		data += line;
	}
}

static bool runs_are_whole(const uint8_t *data, size_t length, size_t count)
{
	size_t pixels = 0;

	if (length % RUN_SIZE)
		return false;
	for (size_t at = 0; at < length; at += RUN_SIZE) {
		if (!data[at])
			return false;
		pixels += data[at];
	}
	return pixels == count;
}

/* The runs are whole: as many pixels as the rectangle has. */
static void runs_draw(struct picture *picture, const struct picture_rect *rect,
		      const uint8_t *data)
{
	unsigned left = data[0];

	for (uint32_t y = rect->top; y < rect->bottom; y++) {
		uint8_t *to = pixel_at(picture, rect->left, y);

		for (uint32_t x = rect->left; x < rect->right; x++) {
			if (!left) {
				data += RUN_SIZE;
				left = data[0];
			}
			memcpy(to, data + 1, 3);
			to[3] = 0;
			to += PICTURE_PIXEL;
			left--;
		}
	}
}

int picture_draw(struct picture *picture, const uint8_t *rest, size_t length)
{
	struct picture_rect rect;
	uint16_t place[4];
	size_t count;

	if (length < PLACE_SIZE)
		return -EINVAL;
	memcpy(place, rest, sizeof(place));
	rect = (struct picture_rect){ place[0], place[1],
				      (uint32_t)place[0] + place[2],
				      (uint32_t)place[1] + place[3] };
	count = (size_t)place[2] * place[3];
	if (!count || rect.right > picture->width ||
	    rect.bottom > picture->height)
		return -EINVAL;
	length -= PLACE_SIZE;
	switch (rest[ENCODING_AT]) {
	case ENCODING_RAW:
		if (length != count * PICTURE_PIXEL)
			return -EINVAL;
		raw_draw(picture, &rect, rest + PLACE_SIZE);
		break;
	case ENCODING_RUNS:
		if (!runs_are_whole(rest + PLACE_SIZE, length, count))
			return -EINVAL;
		runs_draw(picture, &rect, rest + PLACE_SIZE);
		break;
	default:
		return -EINVAL;
	}
	damage_add(picture, &rect);
	return 0;
}
