/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines that lie to services/seat in the rings of their faces: who waits for
 * one is told, and everybody else goes on.
 */
#include "tests/unit/screen_test.h"

/* ---- Machines that lie --------------------------------------------------- */

static void lie_kind(void)
{
	machine_says(0, 99, tag);
}

static void lie_request(void)
{
	machine_says(0, FACE_INPUT, tag);
}

static void lie_short(void)
{
	machine_puts(0, &(uint32_t){ FACE_FRAME_END }, 4);
}

static void lie_answer(void)
{
	machine_says(0, FACE_ANSWER, tag);
}

static void lie_statistics(void)
{
	machine_says(0, FACE_STATISTICS, tag);
}

static void lie_long(void)
{
	static const uint8_t record[FACE_RECORD_MAX + 1] = { FACE_DEBUG };

	machine_puts(0, record, sizeof(record));
}

static void lie_counter(void)
{
	guest(0)->memory.answers.produced += FACE_ANSWERS_SIZE + 1;
	faces_ring(&faces, 1);
	wake();
}

static void lie_requests_counter(void)
{
	guest(0)->memory.requests.consumed += FACE_REQUESTS_SIZE;
	say("{\"id\":9,\"verb\":\"nmi\",\"guest\":\"good\"}");
}

static void lie_mode_length(void)
{
	struct face_mode mode = mode_of(DISPLAY_TEXT);

	machine_puts(0, &mode, sizeof(mode) - 4);
}

#define LIE_MODE(member, value)                                \
	static void lie_mode_##member(void)                    \
	{                                                      \
		struct face_mode mode = mode_of(DISPLAY_TEXT); \
                                                               \
		mode.member = (value);                         \
		machine_puts(0, &mode, sizeof(mode));          \
	}

LIE_MODE(mode, 3)
LIE_MODE(width, FACE_WIDTH_MAX + 1)
LIE_MODE(height, UINT32_MAX)
LIE_MODE(columns, DISPLAY_TEXT_COLUMNS + 1)
LIE_MODE(rows, DISPLAY_TEXT_ROWS + 1)
LIE_MODE(cell_width, UINT32_MAX)
LIE_MODE(cell_height, UINT32_MAX)
LIE_MODE(depth, 33)
LIE_MODE(takes_places, 2)

#define LIE_PIXELS(name, left, top, width, height, more)                \
	static void lie_pixels_##name(void)                             \
	{                                                               \
		size_t n = pixels_make(left, top, width, height, true); \
                                                                        \
		machine_puts(0, &pixels, n + (more));                   \
	}

LIE_PIXELS(right, 600, 0, 41, 1, 0)
LIE_PIXELS(below, 0, 479, 1, 2, 0)
LIE_PIXELS(far, 65535, 0, 1, 1, 0)
LIE_PIXELS(empty, 0, 0, 0, 1, 0)
LIE_PIXELS(flat, 0, 0, 1, 0, 0)
LIE_PIXELS(more, 0, 0, 4, 4, 4)
LIE_PIXELS(odd, 0, 0, 4, 4, 1)
LIE_PIXELS(less, 0, 0, 4, 4, (size_t)-4)

static void lie_pixels_huge(void)
{
	(void)pixels_make(0, 0, 1, 1, true);
	/* 4 * width * height is 0 in 32 bits. */
	pixels.head.width = pixels.head.height = 0x8000;
	machine_puts(0, &pixels, sizeof(pixels.head));
}

static void lie_pixels_head(void)
{
	(void)pixels_make(0, 0, 1, 1, true);
	machine_puts(0, &pixels, sizeof(pixels.head) - 2);
}

static void (*const lies[])(void) = {
	lie_kind,
	lie_request,
	lie_short,
	lie_answer,
	lie_statistics,
	lie_long,
	lie_counter,
	lie_requests_counter,
	lie_mode_length,
	lie_mode_mode,
	lie_mode_width,
	lie_mode_height,
	lie_mode_columns,
	lie_mode_rows,
	lie_mode_cell_width,
	lie_mode_cell_height,
	lie_mode_depth,
	lie_mode_takes_places,
	lie_pixels_right,
	lie_pixels_below,
	lie_pixels_far,
	lie_pixels_empty,
	lie_pixels_flat,
	lie_pixels_more,
	lie_pixels_odd,
	lie_pixels_less,
	lie_pixels_huge,
	lie_pixels_head,
};

/* Its watches and requests end, its console and the other guest go on. */
static void expect_broken(void)
{
	watch(5, 0, "");
	expect_error(5, "not running", "good");
	say("{\"id\":6,\"verb\":\"keys\",\"guest\":\"good\",\"keys\":[1]}");
	expect_error(6, "not running", "good");
	say("{\"id\":7,\"verb\":\"keys\",\"guest\":\"evil\",\"keys\":[1]}");
	expect_ok(7);
	machine_expects(1, FACE_INPUT);
	host.length = 0;
	write_text(0, "= still here\n");
	pass(NSEC_PER_SEC);
	assert_true(was_sent("[good] = still here"));
}

static void machines_that_lie(void **state)
{
	for (unsigned i = 0; i < ARRAY_SIZE(lies); i++) {
		(void)setup_remote(state);
		first_picture(2);
		change();
		watch(2, 0, "");
		expect_frame(0, 0, 0);
		say("{\"id\":3,\"verb\":\"power\",\"guest\":\"good\"}");
		lies[i]();
		expect_error(2, "refused", "the picture");
		expect_error(3, "refused", "the machine");
		if (lies[i] == lie_requests_counter)
			expect_error(9, "not running", "good");
		expect_nothing();
		expect_broken();
		/* The next of that name is believed again. */
		guest_ends(0);
		guest_begins(0);
		first_picture(4);
	}
}

static void lies_of_cells(void **state)
{
	static const struct {
		uint16_t columns, rows;
		int32_t cursor;
		size_t length;
	} rows[] = {
		{ 80, 24, -1, 80 * 24 },     { 40, 50, -1, 40 * 50 },
		{ 80, 25, -2, 80 * 25 },     { 80, 25, 2000, 80 * 25 },
		{ 80, 25, -1, 80 * 24 },     { 80, 25, -1, 0 },
		{ 80, 25, -1, 80 * 25 + 1 }, { 0, 0, -1, 0 },
		{ 0x8000, 0x8000, -1, 0 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)setup_remote(state);
		watch(2, 0, TEXT);
		expect_frame(0, FACE_FRAME_ALL | FACE_FRAME_TEXT, 0);
		put_mode(0, DISPLAY_TEXT);
		expect(MODE_EVENT("2", "80", "25"));
		cells.head = (struct face_cells){
			.head = { .kind = FACE_CELLS, .tag = tag },
			.columns = rows[i].columns,
			.rows = rows[i].rows,
			.cursor = rows[i].cursor,
		};
		machine_puts(0, &cells,
			     sizeof(cells.head) + 2 * rows[i].length);
		expect_error(2, "refused", "the picture");
		expect_nothing();
		expect_broken();
	}
}

/* Records that nobody asked for are no lies: somebody had, maybe. */
static void what_nobody_asked_for(void **state)
{
	(void)state;
	tag = 12345;
	put_mode(0, DISPLAY_TEXT);
	put_pixels(0, 0, 5, 0);
	put_cells(0, 0);
	put_end(0);
	change();
	machine_says(0, FACE_DEBUG, 0);
	expect_nothing();
	first_picture(2);
}

#undef TEST
static unsigned modes;

static bool count_room(struct face_watch *watch)
{
	(void)watch;
	return true;
}

static void count_mode(struct face_watch *watch, const struct face_mode *mode)
{
	(void)watch;
	(void)mode;
	modes++;
}

/* Each clears somebody's screen: they come one at a turn. */
static void modes_without_end(void **state)
{
	static const struct face_watch_ops ops = { .has_room = count_room,
						   .mode = count_mode };
	const struct face_watch like = { .ops = &ops,
					 .ctx = &modes,
					 .slot = 1 };
	struct face_watch *watch = faces_watch(&faces, &like);
	struct face_mode mode;
	bool is_wanted;

	(void)state;
	assert_non_null(watch);
	faces_want(&faces, watch, false);
	faces_run(&faces);
	expect_frame(0, FACE_FRAME_ALL, 0);
	for (unsigned i = 0; i < 10; i++) {
		mode = mode_of(i & 1 ? DISPLAY_TEXT : DISPLAY_GRAPHICS);
		assert_true(ring_put(&machine[0].answers, &mode, sizeof(mode),
				     &is_wanted) > 0);
	}
	faces_ring(&faces, 1);
	for (modes = 0; modes < 10;) {
		unsigned before = modes;

		faces_run(&faces);
		assert_int_equal(modes, before + 1);
		assert_true(faces.is_again);
	}
	faces_unwatch(&faces, watch);
}

#define TEST(name) cmocka_unit_test_setup(name, setup_remote)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(modes_without_end),
		TEST(machines_that_lie),
		TEST(lies_of_cells),
		TEST(what_nobody_asked_for),
	};

	return cmocka_run_group_tests_name("seat lies", tests, NULL, teardown);
}
