/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pictures for clients of services/seat: who is sent what when several watch
 * one guest, frames that end early, clients that do not read, a seat that is
 * started anew.  Machines that lie: test_seat_lies.c.
 */
#include "tests/unit/screen_test.h"

/* ---- One that watches ---------------------------------------------------- */

static void text_comes(void **state)
{
	uint32_t n;
	const uint8_t *payload;
	static const int32_t cursor = 81;

	(void)state;
	watch(2, 0, TEXT);
	expect_frame(0, FACE_FRAME_ALL | FACE_FRAME_TEXT, 0);
	put_mode(0, DISPLAY_TEXT);
	expect(MODE_EVENT("2", "80", "25"));
	put_cells(0, 0);
	payload = expect_binary(2, REMOTE_CELLS, &n);
	assert_int_equal(n, 8 + 2 * 80 * 25);
	assert_memory_equal(payload, "\x50\0\x19\0", 4);
	assert_memory_equal(payload + 4, &cursor, 4);
	assert_memory_equal(payload + 8, cells.cell, 2UL * 80 * 25);
	expect_nothing();
	put_end(0);
	expect_shown(2);
	machine_is_asked_nothing(0);
}

static void pixels_come(void **state)
{
	uint32_t n, at = 0, length;
	const uint8_t *payload;

	(void)state;
	first_picture(2);
	/* Long runs of few colours: 255 + 45 of one, 255 * 5 + 25 of the next.
	 */
	watch(2, 0, ALL);
	expect_frame(0, FACE_FRAME_ALL, 0);
	length = (uint32_t)pixels_make(0, 0, 400, 4, true);
	machine_puts(0, &pixels, length);
	put_end(0);
	payload = expect_binary(2, REMOTE_PIXELS, &n);
	assert_int_equal(payload[8], 1);
	assert_int_equal(n, 12 + 4 * 8);
	for (uint32_t i = 12; i < n; i += 4)
		for (unsigned k = 0; k < payload[i]; k++)
			assert_memory_equal(payload + i + 1,
					    &pixels.pixel[at++], 3);
	assert_int_equal(at, 1600);
	expect_shown(2);
}

/* The answer waits for a change, and looks again when there is one. */
static void only_changes_come(void **state)
{
	(void)state;
	first_picture(2);
	watch(2, 0, "");
	machine_is_asked_nothing(0);
	/* One that was none. */
	change();
	expect_frame(0, 0, 0);
	put_end(0);
	expect_nothing();
	machine_is_asked_nothing(0);
	change();
	expect_frame(0, 0, 0);
	put_pixels(0, 5, 9, 0);
	put_end(0);
	expect_pixels(2, 5, 9);
	expect_shown(2);
	/* It changes while nobody asks: at once then. */
	change();
	machine_is_asked_nothing(0);
	watch(2, 0, "");
	expect_frame(0, 0, 0);
	put_end(0);
	/* All, though nothing has changed. */
	watch(2, 0, ALL);
	expect_frame(0, FACE_FRAME_ALL, 0);
	put_mode(0, DISPLAY_GRAPHICS);
	put_end(0);
	expect(GRAPHICS_EVENT("2"));
	expect_shown(2);
}

static void the_mode_changes_in_mid_frame(void **state)
{
	(void)state;
	first_picture(2);
	change();
	watch(2, 0, "");
	expect_frame(0, 0, 0);
	put_pixels(0, 600, 640, 0);
	put_mode(0, DISPLAY_TEXT);
	put_pixels(0, 700, 720, 0);
	put_end(0);
	expect_pixels(2, 600, 640);
	expect(MODE_EVENT("2", "80", "25"));
	expect_pixels(2, 700, 720);
	expect_shown(2);
	/* Off is a mode, too. */
	change();
	watch(2, 0, "");
	expect_frame(0, 0, 0);
	{
		struct face_mode off = { .head = { .kind = FACE_MODE,
						   .tag = tag } };

		machine_puts(0, &off, sizeof(off));
	}
	put_end(0);
	expect("{\"id\":2,\"event\":\"mode\",\"mode\":\"off\",\"width\":0,"
	       "\"height\":0,\"columns\":0,\"rows\":0,\"cell_width\":0,"
	       "\"cell_height\":0,\"depth\":0,\"pointer\":\"relative\"}");
	expect_shown(2);
}

/* That the guest takes places comes alone, whatever it shows. */
static void the_pointer_changes(void **state)
{
	struct face_mode mode = mode_of(DISPLAY_TEXT);

	(void)state;
	first_picture(2);
	watch(2, 0, "");
	change();
	expect_frame(0, 0, 0);
	put_mode(0, DISPLAY_TEXT);
	put_end(0);
	expect(MODE_EVENT("2", "80", "25"));
	expect_shown(2);
	watch(2, 0, "");
	change();
	expect_frame(0, 0, 0);
	mode.head.tag = tag;
	mode.takes_places = 1;
	machine_puts(0, &mode, sizeof(mode));
	put_end(0);
	expect("{\"id\":2,\"event\":\"mode\",\"mode\":\"text\",\"width\":720,"
	       "\"height\":400,\"columns\":80,\"rows\":25,\"cell_width\":9,"
	       "\"cell_height\":16,\"depth\":4,\"pointer\":\"absolute\"}");
	expect_shown(2);
}

static void closed_in_mid_frame(void **state)
{
	(void)state;
	first_picture(2);
	change();
	watch(2, 0, "");
	expect_frame(0, 0, 0);
	put_pixels(0, 5, 9, 0);
	expect_pixels(2, 5, 9);
	say("{\"id\":3,\"verb\":\"close\",\"of\":2}");
	expect_ok(3);
	machine_expects(0, FACE_UNWATCH);
	put_pixels(0, 9, 15, 0);
	/* A new one waits for the end of that frame. */
	watch(4, 0, "");
	machine_is_asked_nothing(0);
	put_end(0);
	expect_nothing();
	expect_frame(0, FACE_FRAME_ALL, 0);
}

static void gone_in_mid_frame(void **state)
{
	(void)state;
	first_picture(2);
	change();
	watch(2, 0, "");
	expect_frame(0, 0, 0);
	put_pixels(0, 5, 9, 0);
	expect_pixels(2, 5, 9);
	guest_ends(0);
	expect_error(2, "not running", "the picture");
	expect_nothing();
	watch(2, 0, "");
	expect_error(2, "not running", "good");
	/* The next of that name is another one. */
	guest_begins(0);
	watch(2, 0, "");
	expect_frame(0, FACE_FRAME_ALL, 0);
}

/* The same id for another guest, or as another thing, is another watch. */
static void an_id_is_used_again(void **state)
{
	(void)state;
	first_picture(2);
	watch(2, 1, "");
	machine_expects(0, FACE_UNWATCH);
	expect_frame(1, FACE_FRAME_ALL, 0);
	put_end(1);
	expect_shown(2);
	watch(2, 1, TEXT);
	machine_expects(1, FACE_UNWATCH);
	expect_frame(1, FACE_FRAME_ALL | FACE_FRAME_TEXT, 0);
}

static void too_many_watches(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < FACES_WATCHES; i++)
		watch(2 + i, 0, "");
	watch(100, 1, "");
	expect_error(100, "busy", "evil");
	say("{\"id\":101,\"verb\":\"close\",\"of\":5}");
	expect_ok(101);
	watch(100, 1, "");
	expect_frame(1, FACE_FRAME_ALL, 0);
}

/* ---- Several ------------------------------------------------------------- */

/* Two watches of good's, 2 and 3, both at rest. */
static void two_watch(void)
{
	first_picture(2);
	watch(3, 0, "");
	expect_frame(0, FACE_FRAME_ALL, 0);
	put_mode(0, DISPLAY_GRAPHICS);
	put_pixels(0, 0, 100, FACE_AGAIN);
	put_end(0);
	expect(GRAPHICS_EVENT("3"));
	expect_pixels(3, 0, 100);
	expect_shown(3);
	/* The first has been owed nothing by that. */
	watch(2, 0, "");
	watch(3, 0, "");
	machine_is_asked_nothing(0);
	expect_nothing();
}

/* What one was sent the other is owed, once. */
static void two_share_changes(void **state)
{
	unsigned first;

	(void)state;
	two_watch();
	change();
	expect_frame(0, 0, 0);
	put_pixels(0, 5, 9, 0);
	put_pixels(0, 20, 30, 0);
	first = client.from[client.from_done + 8] == 2 ? 2 : 3;
	put_end(0);
	expect_pixels(first, 5, 9);
	expect_pixels(first, 20, 30);
	expect_shown(first);
	expect_frame(0, 0, 30);
	assert_int_equal(request.frame.also.left, 5);
	assert_int_equal(request.frame.also.top, 7);
	assert_int_equal(request.frame.also.bottom, 8);
	put_pixels(0, 5, 30, FACE_AGAIN);
	put_end(0);
	expect_pixels(5 - first, 5, 30);
	expect_shown(5 - first);
	/* Nothing is owed any more. */
	watch(2, 0, "");
	watch(3, 0, "");
	machine_is_asked_nothing(0);
	expect_nothing();
}

/* A change that comes with what was owed is owed in its turn. */
static void two_and_a_change_between(void **state)
{
	unsigned first;

	(void)state;
	two_watch();
	change();
	expect_frame(0, 0, 0);
	put_pixels(0, 5, 9, 0);
	first = client.from[client.from_done + 8] == 2 ? 2 : 3;
	put_end(0);
	expect_frame(0, 0, 9);
	put_pixels(0, 5, 9, FACE_AGAIN);
	put_pixels(0, 50, 60, 0);
	put_end(0);
	client.from_done = client.from_length;
	watch(first, 0, "");
	expect_frame(0, 0, 60);
	assert_int_equal(request.frame.also.left, 50);
}

static void two_and_a_new_mode(void **state)
{
	(void)state;
	two_watch();
	change();
	expect_frame(0, 0, 0);
	put_mode(0, DISPLAY_TEXT);
	put_end(0);
	/* The other has to be told, and that tells the first nothing new. */
	expect_frame(0, FACE_FRAME_ALL, 0);
	put_mode(0, DISPLAY_TEXT);
	put_pixels(0, 0, 720, FACE_AGAIN);
	put_end(0);
	client.from_done = client.from_length;
	watch(2, 0, "");
	watch(3, 0, "");
	machine_is_asked_nothing(0);
}

/* In a graphics mode text is nothing, but its frames take changes. */
static void text_and_pixels(void **state)
{
	(void)state;
	first_picture(2);
	watch(3, 0, TEXT);
	expect_frame(0, FACE_FRAME_ALL | FACE_FRAME_TEXT, 0);
	put_mode(0, DISPLAY_GRAPHICS);
	put_end(0);
	expect(GRAPHICS_EVENT("3"));
	expect_shown(3);
	change();
	watch(3, 0, TEXT);
	expect_frame(0, FACE_FRAME_TEXT, 0);
	put_pixels(0, 5, 9, 0);
	put_end(0);
	expect_nothing();
	watch(2, 0, "");
	expect_frame(0, 0, 9);
	put_pixels(0, 5, 9, FACE_AGAIN);
	put_end(0);
	expect_pixels(2, 5, 9);
	expect_shown(2);
	/* Cells are all of it. */
	change();
	expect_frame(0, FACE_FRAME_TEXT, 0);
	put_mode(0, DISPLAY_TEXT);
	put_end(0);
	expect(MODE_EVENT("3", "80", "25"));
	expect_shown(3);
	watch(3, 0, TEXT);
	watch(2, 0, "");
	machine_expects(0, FACE_FRAME);
	assert_int_equal(request.frame.flags,
			 FACE_FRAME_NOTIFY | FACE_FRAME_ALL);
}

/* ---- Who does not read --------------------------------------------------- */

/* Its pictures wait in the machine's ring, all of them come, and the other
 * guest is served meanwhile. */
static void a_client_that_does_not_read(void **state)
{
	unsigned put = 0, got = 0;
	uint32_t n;

	(void)state;
	watch(2, 0, "");
	expect_frame(0, FACE_FRAME_ALL, 0);
	put_mode(0, DISPLAY_GRAPHICS);
	client.is_asleep = true;
	for (;; put++) {
		size_t length = pixels_make(0, (uint16_t)put, 640, 3, false);

		if (!machine_tries(0, &pixels, length))
			break;
	}
	assert_in_range(put, 4, 10);
	assert_true(link_queued(&remote.link) <=
		    REMOTE_PICTURE_QUEUE + FACE_RECORD_MAX + 64);
	say("{\"id\":9,\"verb\":\"keys\",\"guest\":\"evil\",\"keys\":[1]}");
	machine_expects(1, FACE_INPUT);
	say("{\"id\":10,\"verb\":\"keys\",\"guest\":\"good\",\"keys\":[1]}");
	machine_expects(0, FACE_INPUT);
	client.is_asleep = false;
	wake();
	expect(GRAPHICS_EVENT("2"));
	while (got < put) {
		uint8_t kind;
		const uint8_t *frame = client_hears(&kind, &n);

		assert_non_null(frame);
		if (kind == 'J')
			continue;
		assert_int_equal(frame[10], got++);
	}
	put_end(0);
	expect_shown(2);
	expect_nothing();
}

/* ---- Seat is started anew ------------------------------------------------ */

static void a_new_seat(void **state)
{
	uint32_t old, reset;
	const struct face_answer answer = { .head.kind = FACE_ANSWER };
	struct face_answer late = answer;

	(void)state;
	first_picture(2);
	change();
	watch(2, 0, "");
	expect_frame(0, 0, 0);
	old = tag;
	say("{\"id\":3,\"verb\":\"nmi\",\"guest\":\"good\"}");
	machine_expects(0, FACE_COMMAND);
	reset = request.head.tag;
	client.to_length = client.to_done = 0;
	seat_begins();
	init_allows(SEAT_RIGHTS_ALL);
	init_says(SEAT_ADD, 1, "good");
	/* The former one's watch, debugger and dump end. */
	machine_expects(0, FACE_UNWATCH);
	machine_expects(0, FACE_DEBUG_CLOSE);
	machine_expects(0, FACE_DUMP_CLOSE);
	machine_expects(0, FACE_RELEASE);
	machine_is_asked_nothing(0);
	expect("{\"event\":\"begin\",\"version\":1}");
	hello();
	watch(2, 0, "");
	say("{\"id\":3,\"verb\":\"nmi\",\"guest\":\"good\"}");
	client.from_done = client.from_length;
	/* What the machine says of the former one's frame and command. */
	tag = old;
	put_pixels(0, 5, 9, 0);
	put_end(0);
	late.head.tag = reset;
	machine_puts(0, &late, sizeof(late));
	expect_nothing();
	expect_frame(0, FACE_FRAME_ALL, 0);
	assert_true(tag != old && tag != reset);
	machine_expects(0, FACE_COMMAND);
	late.head.tag = request.head.tag;
	assert_true(late.head.tag != old && late.head.tag != reset);
	machine_puts(0, &late, sizeof(late));
	expect_ok(3);
	put_mode(0, DISPLAY_GRAPHICS);
	put_end(0);
	expect(GRAPHICS_EVENT("2"));
	expect_shown(2);
}

/* What the former seat has not got through the ring is before the release, and
 * the new one's keys are behind it. */
static void a_new_seat_without_room(void **state)
{
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		say("{\"id\":2,\"verb\":\"keys\",\"guest\":\"good\","
		    "\"keys\":[29]}");
	client.to_length = client.to_done = 0;
	seat_begins();
	init_allows(SEAT_RIGHTS_ALL);
	init_says(SEAT_ADD, 1, "good");
	hello();
	client.from_done = client.from_length;
	say("{\"id\":3,\"verb\":\"keys\",\"guest\":\"good\",\"keys\":[30]}");
	expect_error(3, "busy", "good");
	for (; machine_takes(0) && request.head.kind == FACE_INPUT; n++)
		wake();
	assert_true(n > 20);
	assert_int_equal(request.head.kind, FACE_RELEASE);
	say("{\"id\":4,\"verb\":\"keys\",\"guest\":\"good\",\"keys\":[31]}");
	expect_ok(4);
	machine_expects(0, FACE_INPUT);
	assert_int_equal(request.input.event[0].code, 31);
	machine_is_asked_nothing(0);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, setup_remote)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(text_comes),
		TEST(pixels_come),
		TEST(only_changes_come),
		TEST(the_mode_changes_in_mid_frame),
		TEST(the_pointer_changes),
		TEST(closed_in_mid_frame),
		TEST(gone_in_mid_frame),
		TEST(an_id_is_used_again),
		TEST(too_many_watches),
		TEST(two_share_changes),
		TEST(two_and_a_change_between),
		TEST(two_and_a_new_mode),
		TEST(text_and_pixels),
		TEST(a_client_that_does_not_read),
		TEST(a_new_seat),
		TEST(a_new_seat_without_room),
	};

	return cmocka_run_group_tests_name("seat screen", tests, NULL,
					   teardown);
}
