/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's end of the face, with a board of the test's own and a seat that
 * asks, reads slowly, comes and goes, or lies.
 */
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
	struct display_rectangle dirty[DISPLAY_DIRTY];
	unsigned dirty_count, changes, watches, inputs, syncs, renders;
	uint32_t colour;
	uint16_t cell[DISPLAY_TEXT_COLUMNS * DISPLAY_TEXT_ROWS];
	void (*changed)(void *ctx);
	void *changed_ctx;
	struct input_event input;
	uint32_t command, unit;
	/* The machine. */
	unsigned bells, agains, resets, nmis;
	bool is_watched;
	/* What seat has got, and the screen that it has put together. */
	uint32_t screen[WIDTH * HEIGHT];
	uint8_t record[FACE_RECORD_MAX] __aligned(8);
	long length;
} b;

/* ---- The board and the machine ------------------------------------------ */

static void picture(void *board, struct display_picture *out)
{
	(void)board;
	*out = b.picture;
}

static int render(void *board, const struct display_rectangle *r,
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

static const uint16_t *cells(void *board, int32_t *cursor)
{
	(void)board;
	*cursor = 81;
	return b.picture.mode == DISPLAY_TEXT ? b.cell : NULL;
}

static void watch(void *board, void (*changed)(void *ctx), void *ctx)
{
	(void)board;
	b.watches++;
	b.changed = changed;
	b.changed_ctx = ctx;
}

static unsigned changes(void *board, unsigned height,
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

static bool board_input(void *board, const struct input_event *event)
{
	(void)board;
	b.inputs++;
	if (event->kind == INPUT_SYNC)
		b.syncs++;
	else
		b.input = *event;
	return event->code != 999;
}

static int board_command(void *board, uint32_t command, uint32_t unit)
{
	(void)board;
	b.command = command;
	b.unit = unit;
	return command == FACE_EJECT ? -ENODEV : 0;
}

static const struct board_screen screen = {
	.picture = picture,
	.render = render,
	.cells = cells,
	.watch = watch,
	.changes = changes,
};

static const struct board_ops board_ops = {
	.input = board_input,
	.command = board_command,
	.screen = &screen,
};

static const struct board board = { .ops = &board_ops };
static const struct board_ops blind_ops;
static const struct board blind = { .ops = &blind_ops };

static void bell(void *ctx)
{
	(void)ctx;
	b.bells++;
}

static void again(void *ctx)
{
	(void)ctx;
	b.agains++;
}

static void reset(void *ctx)
{
	(void)ctx;
	b.resets++;
}

static void nmi(void *ctx)
{
	(void)ctx;
	b.nmis++;
}

static void watched(void *ctx, bool is_watched)
{
	(void)ctx;
	b.is_watched = is_watched;
}

static const struct face_ops ops = { bell, again, reset, nmi, watched };

static void face_start(const struct board *of)
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

static int setup(void **state)
{
	(void)state;
	face_start(&board);
	return 0;
}

static void text_mode(void)
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

static void touch(uint32_t left, uint32_t top, uint32_t right, uint32_t bottom)
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
static bool ask(const void *record, size_t length)
{
	bool is_wanted = false;

	assert_int_equal(
		ring_put(&b.requests, record, (uint32_t)length, &is_wanted),
		length);
	return is_wanted;
}

static void ask_kind(unsigned kind, uint32_t tag)
{
	const struct face_record record = { .kind = (uint16_t)kind,
					    .tag = tag };

	(void)ask(&record, sizeof(record));
}

static void ask_frame(uint32_t tag, uint32_t flags)
{
	const struct face_frame record = {
		.head = { .kind = FACE_FRAME, .tag = tag }, .flags = flags
	};

	(void)ask(&record, sizeof(record));
}

static void ask_command(uint32_t tag, uint32_t command, uint32_t unit)
{
	const struct face_command record = {
		.head = { .kind = FACE_COMMAND, .tag = tag },
		.command = command,
		.unit = unit,
	};

	(void)ask(&record, sizeof(record));
}

/* The next record's kind, or 0. */
static unsigned get_quietly(bool *is_wanted)
{
	b.length = ring_get(&b.answers, b.record, sizeof(b.record), is_wanted);
	assert_true(b.length >= 0);
	return b.length ? ((struct face_record *)b.record)->kind : 0;
}

/* And the machine hears of it if it wants to. */
static unsigned get(void)
{
	bool is_wanted = false;
	unsigned kind = get_quietly(&is_wanted);

	if (is_wanted)
		face_visit(&b.face);
	return kind;
}

static uint32_t tag(void)
{
	return ((struct face_record *)b.record)->tag;
}

static void expect(unsigned kind, uint32_t with)
{
	assert_int_equal(get(), kind);
	assert_int_equal(tag(), with);
}

static void expect_answer(uint32_t with, int error)
{
	expect(FACE_ANSWER, with);
	assert_int_equal(((struct face_answer *)b.record)->error, error);
}

/* Reads a frame, with visits as doorbells and .again have them; pixels. */
static size_t frame_read(uint32_t with)
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

static void expect_screen(uint32_t colour)
{
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			assert_int_equal(b.screen[y * WIDTH + x],
					 colour + y * 4096 + x);
}

/* ---- Frames -------------------------------------------------------------- */

static void test_first_frame(void **state)
{
	const struct face_mode *mode = (const void *)b.record;

	(void)state;
	assert_false(b.is_watched);
	ask_frame(7, 0);
	face_visit(&b.face);
	assert_true(b.is_watched);
	expect(FACE_MODE, 7);
	assert_int_equal(mode->mode, DISPLAY_GRAPHICS);
	assert_int_equal(mode->width, WIDTH);
	assert_int_equal(mode->height, HEIGHT);
	assert_int_equal(mode->depth, 32);
	assert_int_equal(frame_read(7), WIDTH * HEIGHT);
	expect_screen(0);
	/* Nothing has changed: neither mode nor pixels. */
	b.renders = 0;
	ask_frame(8, 0);
	face_visit(&b.face);
	expect(FACE_FRAME_END, 8);
	assert_int_equal(get(), 0);
	assert_int_equal(b.renders, 0);
	/* What has, and what seat wants besides. */
	touch(3, 4, 5, 7);
	ask_frame(9, 0);
	face_visit(&b.face);
	assert_int_equal(frame_read(9), 2 * 3);
	{
		const struct face_frame also = {
			.head = { .kind = FACE_FRAME, .tag = 10 },
			.also = { 630, 470, 9999, 0xffffffff },
		};

		(void)ask(&also, sizeof(also));
	}
	face_visit(&b.face);
	assert_int_equal(frame_read(10), 100);
	ask_frame(11, FACE_FRAME_ALL);
	face_visit(&b.face);
	expect(FACE_MODE, 11);
	assert_int_equal(frame_read(11), WIDTH * HEIGHT);
}

/* A visit draws no more than there is room for, and never more than so much. */
static void test_bounded(void **state)
{
	bool is_wanted = false;

	(void)state;
	ask_frame(1, 0);
	face_visit(&b.face);
	assert_in_range(b.renders, 1, 4);
	/* Nobody reads: it fills the ring, then does nothing. */
	for (unsigned i = 0; i < 10; i++)
		face_visit(&b.face);
	assert_in_range(b.renders, 3, 4);
	b.agains = 0;
	face_visit(&b.face);
	assert_int_equal(b.agains, 0);
	/* A seat that empties the ring at once gets no more a visit. */
	while (get_quietly(&is_wanted))
		continue;
	assert_true(is_wanted);
	b.renders = 0;
	face_visit(&b.face);
	assert_in_range(b.renders, 1, 4);
	assert_in_range(frame_read(1), WIDTH, WIDTH * (HEIGHT - 9));
}

/* What changes while a frame is drawn is the next one's. */
static void test_changed_meanwhile(void **state)
{
	(void)state;
	ask_frame(1, FACE_FRAME_NOTIFY);
	face_visit(&b.face);
	touch(0, 0, WIDTH, 1);
	(void)frame_read(1);
	expect(FACE_CHANGED, 1);
	assert_int_equal(get(), 0);
	ask_frame(2, FACE_FRAME_NOTIFY);
	face_visit(&b.face);
	assert_int_equal(frame_read(2), WIDTH);
	assert_int_equal(get(), 0);
	/* And behind it: once. */
	b.bells = 0;
	touch(0, 0, 1, 1);
	expect(FACE_CHANGED, 2);
	touch(0, 1, 1, 2);
	assert_int_equal(get(), 0);
	/* A frame without the flag. */
	ask_frame(3, 0);
	face_visit(&b.face);
	assert_int_equal(frame_read(3), 2);
	touch(0, 0, 1, 1);
	assert_int_equal(get(), 0);
}

/* Another mode in the middle of a frame. */
static void test_mode_changes(void **state)
{
	(void)state;
	ask_frame(1, 0);
	face_visit(&b.face);
	expect(FACE_MODE, 1);
	expect(FACE_PIXELS, 1);
	b.picture.height = 100;
	for (unsigned kind = FACE_PIXELS; kind != FACE_MODE; kind = get()) {
		assert_true(!b.length || kind == FACE_PIXELS);
		if (!b.length)
			face_visit(&b.face);
	}
	assert_int_equal(((struct face_mode *)b.record)->height, 100);
	assert_int_equal(frame_read(1), WIDTH * 100);
	b.picture = (struct display_picture){ .mode = DISPLAY_OFF };
	ask_frame(2, 0);
	face_visit(&b.face);
	expect(FACE_MODE, 2);
	expect(FACE_FRAME_END, 2);
	/* Larger than a face can be. */
	b.picture = (struct display_picture){ .mode = DISPLAY_GRAPHICS,
					      .width = 16000,
					      .height = 12000 };
	ask_frame(3, 0);
	face_visit(&b.face);
	expect(FACE_MODE, 3);
	assert_int_equal(((struct face_mode *)b.record)->width, FACE_WIDTH_MAX);
	assert_int_equal(((struct face_mode *)b.record)->height,
			 FACE_HEIGHT_MAX);
	expect(FACE_PIXELS, 3);
	assert_int_equal(((struct face_pixels *)b.record)->width,
			 FACE_WIDTH_MAX);
}

static void test_text(void **state)
{
	const struct face_cells *record = (const void *)b.record;

	(void)state;
	text_mode();
	b.cell[5] = 0x1741;
	ask_frame(1, FACE_FRAME_TEXT);
	face_visit(&b.face);
	expect(FACE_MODE, 1);
	assert_int_equal(((struct face_mode *)b.record)->columns, 80);
	expect(FACE_CELLS, 1);
	assert_int_equal(record->columns, 80);
	assert_int_equal(record->rows, 25);
	assert_int_equal(record->cursor, 81);
	assert_int_equal(record->cell[5], 0x1741);
	assert_int_equal(b.length, sizeof(*record) + 80 * 25 * 2);
	expect(FACE_FRAME_END, 1);
	ask_frame(2, FACE_FRAME_TEXT);
	face_visit(&b.face);
	expect(FACE_FRAME_END, 2);
	touch(0, 0, 8, 16);
	ask_frame(3, FACE_FRAME_TEXT);
	face_visit(&b.face);
	expect(FACE_CELLS, 3);
	expect(FACE_FRAME_END, 3);
	/* What went out as cells is still owed as pixels; and once. */
	ask_frame(4, 0);
	face_visit(&b.face);
	assert_int_equal(frame_read(4), WIDTH * 400 + 8 * 16);
	ask_frame(5, 0);
	face_visit(&b.face);
	expect(FACE_FRAME_END, 5);
	/* And the other way round. */
	touch(0, 0, 8, 16);
	ask_frame(6, 0);
	face_visit(&b.face);
	assert_int_equal(frame_read(6), 8 * 16);
	ask_frame(7, FACE_FRAME_TEXT);
	face_visit(&b.face);
	expect(FACE_CELLS, 7);
	expect(FACE_FRAME_END, 7);
	/* No cells in graphics. */
	b.picture = (struct display_picture){ .mode = DISPLAY_GRAPHICS,
					      .width = WIDTH,
					      .height = HEIGHT };
	ask_frame(8, FACE_FRAME_TEXT);
	face_visit(&b.face);
	expect(FACE_MODE, 8);
	expect(FACE_FRAME_END, 8);
}

/* As much as a text can be; and what is owed as pixels all that while. */
static void test_text_largest(void **state)
{
	(void)state;
	text_mode();
	b.picture.columns = DISPLAY_TEXT_COLUMNS;
	b.picture.rows = DISPLAY_TEXT_ROWS;
	for (unsigned i = 0; i < 200; i++) {
		touch(0, 0, 8, 16);
		ask_frame(i, FACE_FRAME_TEXT);
		face_visit(&b.face);
		if (i == 0)
			expect(FACE_MODE, i);
		expect(FACE_CELLS, i);
		assert_int_equal(b.length,
				 sizeof(struct face_cells) + 132 * 60 * 2);
		expect(FACE_FRAME_END, i);
	}
	ask_frame(1, 0);
	face_visit(&b.face);
	assert_in_range(frame_read(1), WIDTH * 400, WIDTH * 400 + 34 * 128);
}

/* Asked for before another is done. */
static void test_frame_again(void **state)
{
	(void)state;
	ask_frame(1, 0);
	face_visit(&b.face);
	while (get() == FACE_MODE || (b.length && tag() == 1 && b.renders < 3))
		continue;
	ask_frame(2, 0);
	face_visit(&b.face);
	for (;;) {
		unsigned kind = get();

		if (kind == FACE_FRAME_END)
			break;
		assert_int_equal(kind, FACE_PIXELS);
	}
	assert_int_equal(tag(), 1);
	assert_in_range(frame_read(2), WIDTH, WIDTH * HEIGHT);
}

/* ---- Watching ------------------------------------------------------------ */

static void test_unwatch(void **state)
{
	(void)state;
	/* A picture of all, and nothing more. */
	ask_frame(1, FACE_FRAME_ALL);
	face_visit(&b.face);
	(void)frame_read(1);
	assert_false(b.is_watched);
	ask_frame(2, FACE_FRAME_NOTIFY);
	face_visit(&b.face);
	(void)frame_read(2);
	assert_true(b.is_watched);
	ask_kind(FACE_UNWATCH, 3);
	face_visit(&b.face);
	assert_false(b.is_watched);
	assert_null(b.changed);
	assert_int_equal(get(), 0);
	ask_frame(4, FACE_FRAME_NOTIFY);
	face_visit(&b.face);
	(void)frame_read(4);
	face_peer_gone(&b.face);
	assert_false(b.is_watched);
}

/* The notice where there was no room for it comes when there is. */
static void test_notice_waits(void **state)
{
	(void)state;
	ask_frame(1, FACE_FRAME_NOTIFY);
	face_visit(&b.face);
	(void)frame_read(1);
	/* Answers that nobody reads. */
	for (unsigned i = 0; i < 200; i++) {
		for (unsigned j = 0; j < 10; j++)
			ask_kind(FACE_STATISTICS, j);
		face_visit(&b.face);
		if (ring_space(&b.requests) < 1000)
			break;
	}
	touch(0, 0, 1, 1);
	for (unsigned i = 0; i < 1000; i++)
		if (get() == FACE_CHANGED)
			return;
	fail();
}

/* ---- Other requests ------------------------------------------------------ */

static void test_input(void **state)
{
	struct {
		struct face_input head;
		struct input_event event[40];
	} record = { .head.head = { .kind = FACE_INPUT } };

	(void)state;
	record.event[0] = (struct input_event){ INPUT_KEY, 30, 1 };
	record.event[1] = (struct input_event){ INPUT_KEY, 999, 1 };
	(void)ask(&record, sizeof(record.head) + 2 * sizeof(*record.event) + 7);
	face_visit(&b.face);
	assert_int_equal(b.inputs, 3);
	assert_int_equal(b.syncs, 1);
	ask_kind(FACE_STATISTICS, 5);
	face_visit(&b.face);
	expect(FACE_STATISTICS, 5);
	assert_int_equal(((struct face_statistics *)b.record)->keys, 1);
	assert_int_equal(((struct face_statistics *)b.record)->vcpus, 3);
	/* No more than a record may have. */
	b.inputs = 0;
	(void)ask(&record, sizeof(record));
	face_visit(&b.face);
	assert_int_equal(b.inputs, FACE_EVENTS_MAX + 1);
}

static void test_commands(void **state)
{
	(void)state;
	ask_command(1, FACE_PAUSE, 0);
	face_visit(&b.face);
	expect_answer(1, 0);
	assert_true(b.face.is_paused);
	ask_command(2, FACE_RESUME, 0);
	ask_command(3, FACE_RESET, 0);
	ask_command(4, FACE_NMI, 0);
	ask_command(5, FACE_EJECT, 3);
	ask_command(6, FACE_POWER_BUTTON, 0);
	face_visit(&b.face);
	assert_false(b.face.is_paused);
	assert_int_equal(b.resets, 1);
	assert_int_equal(b.nmis, 1);
	for (uint32_t i = 2; i < 7; i++)
		expect_answer(i, i == 5 ? -ENODEV : 0);
	assert_int_equal(b.command, FACE_POWER_BUTTON);
}

static void test_blind_board(void **state)
{
	(void)state;
	face_start(&blind);
	ask_frame(1, FACE_FRAME_NOTIFY);
	ask_command(2, FACE_EJECT, 0);
	ask_frame(3, FACE_FRAME_TEXT | FACE_FRAME_ALL);
	face_visit(&b.face);
	expect_answer(2, -ENOSYS);
	expect(FACE_FRAME_END, 1);
	expect(FACE_MODE, 3);
	expect(FACE_FRAME_END, 3);
	assert_false(b.is_watched);
}

/* ---- A seat that lies -----------------------------------------------------
 */

static void test_nonsense(void **state)
{
	const struct face_record shorts[] = {
		{ .kind = FACE_FRAME, .tag = 1 },
		{ .kind = FACE_COMMAND, .tag = 2 },
	};
	static uint8_t large[FACE_REQUESTS_SIZE - 4];

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		(void)ask(&shorts[i], sizeof(shorts[i]));
	(void)ask("x", 1);
	face_visit(&b.face);
	expect_answer(1, -EINVAL);
	expect_answer(2, -EINVAL);
	ask_kind(FACE_MODE, 3);
	ask_kind(0, 4);
	ask_kind(0xffff, 5);
	ask_kind(FACE_DEBUG, 6);
	face_visit(&b.face);
	for (uint32_t i = 3; i < 7; i++)
		expect_answer(i, -ENOSYS);
	ask_command(7, 0xffffffff, 0xffffffff);
	face_visit(&b.face);
	expect_answer(7, 0); /* the board's to say */
	(void)ask(large, sizeof(large));
	face_visit(&b.face);
	expect_answer(0, -ENOSYS);
	assert_int_equal(get(), 0);
	assert_int_equal(b.face.state, FACE_IDLE);
}

/* A ring that makes no sense: no face, no pause, no watching any more. */
static void expect_off(void)
{
	assert_int_equal(b.face.state, FACE_OFF);
	assert_false(b.face.is_paused);
	assert_false(b.is_watched);
	b.agains = 0;
	face_visit(&b.face);
	face_peer_gone(&b.face);
	face_open(&b.face, &b.shared);
	assert_int_equal(b.face.state, FACE_OFF);
	assert_int_equal(b.agains, 0);
}

static void test_broken_rings(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		face_start(&board);
		ask_frame(1, FACE_FRAME_NOTIFY);
		ask_command(2, FACE_PAUSE, 0);
		face_visit(&b.face);
		assert_true(b.face.is_paused && b.is_watched);
		if (i == 0)
			b.shared.requests.produced += 0x10000;
		else if (i == 1)
			b.shared.answers.consumed -= 5;
		else {
			uint32_t length = 0x7fffffff;
			bool is_wanted;

			assert_int_equal(
				ring_write(&b.requests, &length, 4, &is_wanted),
				4);
		}
		face_visit(&b.face);
		expect_off();
	}
	/* In the middle of an access of the guest's. */
	face_start(&board);
	ask_frame(1, FACE_FRAME_NOTIFY);
	face_visit(&b.face);
	(void)frame_read(1);
	b.shared.answers.consumed += 99;
	touch(0, 0, 1, 1);
	expect_off();
}

/* Whatever stands in the rings' memory: bounded work, nothing outside. */
static void test_random(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		if (b.face.state == FACE_OFF || i % 100 == 0)
			face_start(&board);
		if (i % 7 == 0)
			text_mode();
		for (unsigned j = 0; j < 40; j++) {
			uint8_t record[64];

			for (unsigned k = 0; k < sizeof(record); k++) {
				seed = seed * 1664525 + 1013904223;
				record[k] = (uint8_t)(seed >> 24);
			}
			record[0] = record[0] % 9;
			record[1] = 0;
			if (ring_space(&b.requests) >= 68)
				(void)ask(record, 8 + seed % 56);
		}
		if (seed % 50 == 0)
			b.shared.requests_data[seed / 64 %
					       FACE_REQUESTS_SIZE] ^= 0x55;
		b.renders = 0;
		face_visit(&b.face);
		assert_in_range(b.renders, 0, 4);
		touch(seed % 600, 1, seed % 600 + 1, 2);
		for (unsigned j = seed >> 8 & 3; j; j--)
			(void)get();
	}
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_first_frame),
		TEST(test_bounded),
		TEST(test_changed_meanwhile),
		TEST(test_mode_changes),
		TEST(test_text),
		TEST(test_text_largest),
		TEST(test_frame_again),
		TEST(test_unwatch),
		TEST(test_notice_waits),
		TEST(test_input),
		TEST(test_commands),
		TEST(test_blind_board),
		TEST(test_nonsense),
		TEST(test_broken_rings),
		TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
