/* SPDX-License-Identifier: BSD-2-Clause */
/* Pictures for a client: docs/control.md, "screen". */
#include "include/errno.h"
#include "lib/string.h"
#include "services/seat/remote.h"

#define PIXEL	 4
#define RUN_MAX	 255
#define RUN_SIZE 4 /* a count, B, G, R */
#define RUNS_TRIED                                                \
	64 /* if that many make less than an eighth less, no more \
	    */
#define PLACE_SIZE  12
#define ENCODING_AT 8

enum encoding { ENCODING_RAW, ENCODING_RUNS };

static bool has_room(struct face_watch *watch)
{
	return remote_has_room(watch->ctx, REMOTE_PICTURE_QUEUE);
}

static void mode(struct face_watch *watch, const struct face_mode *mode)
{
	static const char *const names[] = { "off", "text", "graphics" };

	remote_say(watch->ctx,
		   "{\"id\":%u,\"event\":\"mode\",\"mode\":\"%s\","
		   "\"width\":%u,\"height\":%u,\"columns\":%u,\"rows\":%u,"
		   "\"cell_width\":%u,\"cell_height\":%u,\"depth\":%u,"
		   "\"pointer\":\"%s\"}",
		   watch->id, names[mode->mode], mode->width, mode->height,
		   mode->columns, mode->rows, mode->cell_width,
		   mode->cell_height, mode->depth,
		   mode->takes_places ? "absolute" : "relative");
}

/* ---- Runs ---------------------------------------------------------------- */

static uint32_t pixel_at(const struct face_pixels *pixels, uint32_t i)
{
	uint32_t value;

	/* Not a call, for a word. */
	__builtin_memcpy(&value, pixels->pixel + (size_t)i * PIXEL,
			 sizeof(value));
	return value & 0xffffff; /* the fourth byte says nothing */
}

/* Of pixels from i on that are alike. */
static uint32_t run_length(const struct face_pixels *pixels, uint32_t i,
			   uint32_t count)
{
	uint32_t value = pixel_at(pixels, i), n = 1;

	while (n < RUN_MAX && i + n < count && pixel_at(pixels, i + n) == value)
		n++;
	return n;
}

/*
 * Puts count pixels as runs into to, which has room for as many bytes as the
 * pixels have.  How many bytes the runs have; 0: they do not pay, or did not at
 * their beginning.
 */
static uint32_t runs_make(uint8_t *to, const struct face_pixels *pixels,
			  uint32_t count)
{
	uint32_t runs = 0, n;

	for (uint32_t i = 0; i < count; i += n, runs++) {
		uint32_t run;

		if (runs == RUNS_TRIED && i < RUNS_TRIED + RUNS_TRIED / 8)
			return 0;
		n = run_length(pixels, i, count);
		run = n | pixel_at(pixels, i) << 8;
		__builtin_memcpy(to + (size_t)runs * RUN_SIZE, &run,
				 sizeof(run));
	}
	return runs < count ? runs * RUN_SIZE : 0;
}

/* ---- Frames -------------------------------------------------------------- */

static void pixels(struct face_watch *watch, const struct face_pixels *pixels)
{
	struct remote *remote = watch->ctx;
	uint32_t count = (uint32_t)pixels->width * pixels->height;
	uint32_t size = runs_make(remote->runs, pixels, count);
	uint8_t place[PLACE_SIZE] = { 0 };
	const uint8_t *bytes = size ? remote->runs : pixels->pixel;

	memcpy(place, &pixels->left, ENCODING_AT);
	place[ENCODING_AT] = size ? ENCODING_RUNS : ENCODING_RAW;
	if (!size)
		size = count * PIXEL;
	remote_binary(remote, watch->id, REMOTE_PIXELS, PLACE_SIZE + size);
	link_add(&remote->link, place, sizeof(place));
	link_add(&remote->link, bytes, size);
	link_end(&remote->link);
}

static void cells(struct face_watch *watch, const struct face_cells *cells)
{
	struct remote *remote = watch->ctx;
	uint32_t length = sizeof(*cells) - sizeof(cells->head) +
			  2U * cells->columns * cells->rows;

	remote_binary(remote, watch->id, REMOTE_CELLS, length);
	link_add(&remote->link, &cells->columns, length);
	link_end(&remote->link);
}

static void end(struct face_watch *watch, int error)
{
	if (error)
		remote_answer(watch->ctx, watch->id, error, "the picture");
	else if (watch->is_wanted)
		remote_say(watch->ctx, "{\"id\":%u,\"ok\":true,\"parts\":%u}",
			   watch->id, watch->parts);
}

static const struct face_watch_ops watch_ops = {
	.has_room = has_room,
	.mode = mode,
	.pixels = pixels,
	.cells = cells,
	.end = end,
};

int remote_screen(struct remote *remote, const struct request *request,
		  unsigned slot)
{
	struct face_watch like = {
		.ops = &watch_ops,
		.ctx = remote,
		.id = request->id,
		.slot = slot,
		.is_text = !strcmp(request->as, "text"),
	};
	struct face_watch *watch =
		faces_watch_find(remote->faces, remote, request->id);

	if (watch && (watch->slot != slot || watch->is_text != like.is_text)) {
		faces_unwatch(remote->faces, watch);
		watch = NULL;
	}
	if (!watch)
		watch = faces_watch(remote->faces, &like);
	if (!watch)
		return faces_is_open(remote->faces, slot) ? -EBUSY : -EPIPE;
	faces_want(remote->faces, watch, request->all);
	return 0;
}
