/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's end of the face, with a board of the test's own and a seat that
 * asks, reads slowly, comes and goes, or lies.
 */
#ifndef BULKHEAD_TESTS_UNIT_FACE_TEST_H
#define BULKHEAD_TESTS_UNIT_FACE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/errno.h"
#include "machine/face.h"

#define WIDTH  640
#define HEIGHT 480

static struct {
	struct face face;
	struct seat_console shared;
	struct ring requests, answers; /* seat's ends */
	/* The board: pixels are what they were when last drawn. */
	struct display_picture picture;
	bool takes_places;
	struct display_rectangle dirty[DISPLAY_DIRTY];
	unsigned dirty_count, changes, watches, inputs, syncs, renders;
	uint32_t colour;
	uint16_t cell[DISPLAY_TEXT_COLUMNS * DISPLAY_TEXT_ROWS];
	void (*changed)(void *ctx);
	void *changed_ctx;
	struct input_event input;
	bool is_down[1024]; /* keys */
	uint32_t command, unit;
	char medium[FACE_MEDIUM_SIZE];
	/* The machine. */
	unsigned bells, agains, resets, nmis;
	bool is_in[2]; /* of cards, their cables */
	bool is_watched;
	unsigned holds;
	bool is_held;
	struct x86_state state[3];
	/* What seat has got, and the screen that it has put together. */
	uint32_t screen[WIDTH * HEIGHT];
	uint8_t record[FACE_RECORD_MAX] __aligned(8);
	long length;
} b;

/* ---- The board and the machine ------------------------------------------ */

static __maybe_unused void picture(void *board, struct display_picture *out)
{
	(void)board;
	*out = b.picture;
}

static __maybe_unused int render(void *board, const struct display_rectangle *r,
				 uint32_t *pixels)
{
	(void)board;
	b.renders++;
	if (b.picture.mode == DISPLAY_OFF)
		return -ENODEV;
	assert_true(r->left < r->right && r->right <= b.picture.width);
	assert_true(r->top < r->bottom && r->bottom <= b.picture.height);
	for (uint32_t y = r->top; y < r->bottom; y++)
		for (uint32_t x = r->left; x < r->right; x++)
			*pixels++ = b.colour + y * 4096 + x;
	return 0;
}

static __maybe_unused const uint16_t *cells(void *board, int32_t *cursor)
{
	(void)board;
	*cursor = 81;
	return b.picture.mode == DISPLAY_TEXT ? b.cell : NULL;
}

static __maybe_unused void watch(void *board, void (*changed)(void *ctx),
				 void *ctx)
{
	(void)board;
	b.watches++;
	b.changed = changed;
	b.changed_ctx = ctx;
}

static __maybe_unused unsigned
changes(void *board, unsigned height,
	struct display_rectangle dirty[DISPLAY_DIRTY])
{
	unsigned count = b.dirty_count;

	(void)board;
	assert_int_equal(height, MIN(b.picture.height, FACE_HEIGHT_MAX));
	b.changes++;
	memcpy(dirty, b.dirty, count * sizeof(*dirty));
	b.dirty_count = 0;
	return count;
}

static __maybe_unused bool board_input(void *board,
				       const struct input_event *event)
{
	(void)board;
	b.inputs++;
	if (event->kind == INPUT_SYNC)
		b.syncs++;
	else
		b.input = *event;
	if (event->kind == INPUT_KEY)
		b.is_down[event->code % ARRAY_SIZE(b.is_down)] = event->value;
	return event->code != 999;
}

static __maybe_unused int board_command(void *board, uint32_t command,
					uint32_t unit, const char *medium)
{
	(void)board;
	memcpy(b.medium, medium, sizeof(b.medium));
	b.command = command;
	b.unit = unit;
	return command == FACE_EJECT ? -ENODEV : 0;
}

static __maybe_unused void board_statistics(void *board,
					    struct face_statistics *to)
{
	(void)board;
	to->disks = BIT(2);
	to->disk[2].requests = 77;
}

static const struct board_screen screen = {
	.picture = picture,
	.render = render,
	.cells = cells,
	.watch = watch,
	.changes = changes,
};

static __maybe_unused bool board_takes_places(void *board)
{
	(void)board;
	return b.takes_places;
}

static const struct board_ops board_ops = {
	.input = board_input,
	.takes_places = board_takes_places,
	.command = board_command,
	.statistics = board_statistics,
	.screen = &screen,
};

static const struct board board = { .ops = &board_ops };
static const struct board_ops blind_ops;
static const struct board blind = { .ops = &blind_ops };

static __maybe_unused void bell(void *ctx)
{
	(void)ctx;
	b.bells++;
}

static __maybe_unused void again(void *ctx)
{
	(void)ctx;
	b.agains++;
}

static __maybe_unused void reset(void *ctx)
{
	(void)ctx;
	b.resets++;
}

static __maybe_unused void nmi(void *ctx)
{
	(void)ctx;
	b.nmis++;
}

static __maybe_unused void watched(void *ctx, bool is_watched)
{
	(void)ctx;
	b.is_watched = is_watched;
}

static __maybe_unused void hold(void *ctx)
{
	(void)ctx;
	b.holds++;
}

static __maybe_unused bool is_held(void *ctx)
{
	(void)ctx;
	return b.is_held;
}

static __maybe_unused const struct x86_state *vcpu_state(void *ctx,
							 unsigned vcpu)
{
	(void)ctx;
	assert_true(b.is_held && vcpu < ARRAY_SIZE(b.state));
	return &b.state[vcpu];
}

static __maybe_unused int cable(void *ctx, unsigned nic, bool is_in)
{
	(void)ctx;
	b.is_in[nic % ARRAY_SIZE(b.is_in)] = is_in;
	return nic < ARRAY_SIZE(b.is_in) ? 0 : -ENODEV;
}

static const struct face_ops ops = { .bell = bell,
				     .again = again,
				     .reset = reset,
				     .nmi = nmi,
				     .cable = cable,
				     .watched = watched,
				     .hold = hold,
				     .is_held = is_held,
				     .state = vcpu_state };

static __maybe_unused void face_start(const struct board *of)
{
	const struct face_config config = { .board = of,
					    .ops = &ops,
					    .vcpus = 3 };

	memset(&b, 0, sizeof(b));
	face_init(&b.face, &config);
	face_visit(&b.face); /* there is no channel yet: nothing */
	face_open(&b.face, &b.shared);
	ring_init(&b.requests, &b.shared.requests, b.shared.requests_data,
		  FACE_REQUESTS_SIZE, true, true);
	ring_init(&b.answers, &b.shared.answers, b.shared.answers_data,
		  FACE_ANSWERS_SIZE, false, true);
	b.picture = (struct display_picture){ .mode = DISPLAY_GRAPHICS,
					      .width = WIDTH,
					      .height = HEIGHT,
					      .depth = 32 };
	face_visit(&b.face);
}

static __maybe_unused int setup(void **state)
{
	(void)state;
	face_start(&board);
	return 0;
}

static __maybe_unused void text_mode(void)
{
	b.picture = (struct display_picture){
		.mode = DISPLAY_TEXT,
		.width = WIDTH,
		.height = 400,
		.columns = 80,
		.rows = 25,
		.cell_width = 8,
		.cell_height = 16,
		.depth = 4,
	};
}

static __maybe_unused void touch(uint32_t left, uint32_t top, uint32_t right,
				 uint32_t bottom)
{
	if (b.dirty_count == DISPLAY_DIRTY)
		b.dirty_count--;
	b.dirty[b.dirty_count++] =
		(struct display_rectangle){ left, top, right, bottom };
	if (b.dirty_count == 1 && b.changed)
		b.changed(b.changed_ctx);
}

/* ---- The seat ------------------------------------------------------------ */

/* True: the machine wants to hear of it. */
static __maybe_unused bool ask(const void *record, size_t length)
{
	bool is_wanted = false;

	assert_int_equal(
		ring_put(&b.requests, record, (uint32_t)length, &is_wanted),
		length);
	return is_wanted;
}

static __maybe_unused void ask_kind(unsigned kind, uint32_t tag)
{
	const struct face_record record = { .kind = (uint16_t)kind,
					    .tag = tag };

	(void)ask(&record, sizeof(record));
}

static __maybe_unused void ask_frame(uint32_t tag, uint32_t flags)
{
	const struct face_frame record = {
		.head = { .kind = FACE_FRAME, .tag = tag }, .flags = flags
	};

	(void)ask(&record, sizeof(record));
}

static __maybe_unused void ask_command(uint32_t tag, uint32_t command,
				       uint32_t unit)
{
	const struct face_command record = {
		.head = { .kind = FACE_COMMAND, .tag = tag },
		.command = command,
		.unit = unit,
	};

	(void)ask(&record, sizeof(record));
}

/* The next record's kind, or 0. */
static __maybe_unused unsigned get_quietly(bool *is_wanted)
{
	b.length = ring_get(&b.answers, b.record, sizeof(b.record), is_wanted);
	assert_true(b.length >= 0);
	return b.length ? ((struct face_record *)b.record)->kind : 0;
}

/* And the machine hears of it if it wants to. */
static __maybe_unused unsigned get(void)
{
	bool is_wanted = false;
	unsigned kind = get_quietly(&is_wanted);

	if (is_wanted)
		face_visit(&b.face);
	return kind;
}

static __maybe_unused uint32_t tag(void)
{
	return ((struct face_record *)b.record)->tag;
}

static __maybe_unused void expect(unsigned kind, uint32_t with)
{
	assert_int_equal(get(), kind);
	assert_int_equal(tag(), with);
}

static __maybe_unused void expect_answer(uint32_t with, int error)
{
	expect(FACE_ANSWER, with);
	assert_int_equal(((struct face_answer *)b.record)->error, error);
}

/* Reads a frame, with visits as doorbells and .again have them; pixels. */
static __maybe_unused size_t frame_read(uint32_t with)
{
	const struct face_pixels *p = (const void *)b.record;
	size_t count = 0;

	for (unsigned i = 0;; i++) {
		unsigned kind = get();

		assert_in_range(i, 0, 3000);
		if (!kind) { /* it must have asked for another visit */
			assert_true(b.agains);
			b.agains = 0;
			face_visit(&b.face);
			continue;
		}
		assert_int_equal(tag(), with);
		if (kind == FACE_FRAME_END)
			return count;
		if (kind != FACE_PIXELS)
			continue;
		count += (size_t)p->width * p->height;
		assert_int_equal(b.length,
				 sizeof(*p) + 4u * p->width * p->height);
		for (unsigned y = 0; y < p->height; y++)
			memcpy(b.screen + (p->top + y) * WIDTH + p->left,
			       p->pixel + 4 * y * p->width, p->width * 4u);
	}
}

static __maybe_unused void expect_screen(uint32_t colour)
{
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			assert_int_equal(b.screen[y * WIDTH + x],
					 colour + y * 4096 + x);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

#endif
