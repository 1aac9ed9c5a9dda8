/* SPDX-License-Identifier: BSD-2-Clause */
/* The face: frames, notices, input and commands. */
#include "tests/unit/face_test.h"

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

/* That the guest takes places is a part of the mode, and news by itself. */
static void test_takes_places(void **state)
{
	(void)state;
	ask_frame(1, FACE_FRAME_NOTIFY);
	face_visit(&b.face);
	expect(FACE_MODE, 1);
	assert_int_equal(((struct face_mode *)b.record)->takes_places, 0);
	assert_int_equal(frame_read(1), WIDTH * HEIGHT);
	b.takes_places = true;
	b.changed(b.changed_ctx);
	expect(FACE_CHANGED, 1);
	ask_frame(2, FACE_FRAME_NOTIFY);
	face_visit(&b.face);
	expect(FACE_MODE, 2);
	assert_int_equal(((struct face_mode *)b.record)->takes_places, 1);
	assert_int_equal(frame_read(2), WIDTH * HEIGHT);
	/* In the midst of a frame. */
	ask_frame(3, FACE_FRAME_ALL);
	face_visit(&b.face);
	expect(FACE_MODE, 3);
	b.takes_places = false;
	for (unsigned kind = FACE_PIXELS; kind != FACE_MODE; kind = get())
		if (!b.length)
			face_visit(&b.face);
	assert_int_equal(((struct face_mode *)b.record)->takes_places, 0);
	assert_int_equal(frame_read(3), WIDTH * HEIGHT);
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
	const struct face_pixels *pixels = (const void *)b.record;

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
	assert_int_equal(record->head.flags, 0);
	expect(FACE_FRAME_END, 1);
	ask_frame(2, FACE_FRAME_TEXT);
	face_visit(&b.face);
	expect(FACE_FRAME_END, 2);
	touch(0, 0, 8, 16);
	ask_frame(3, FACE_FRAME_TEXT);
	face_visit(&b.face);
	expect(FACE_CELLS, 3);
	assert_int_equal(record->head.flags, 0);
	expect(FACE_FRAME_END, 3);
	/* What went out as cells is still owed as pixels, as known; and once.
	 */
	ask_frame(4, 0);
	face_visit(&b.face);
	expect(FACE_PIXELS, 4);
	assert_int_equal(record->head.flags, FACE_AGAIN);
	assert_int_equal(pixels->width * pixels->height + frame_read(4),
			 WIDTH * 400 + 8 * 16);
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
	assert_int_equal(record->head.flags, FACE_AGAIN);
	expect(FACE_FRAME_END, 7);
	/* In graphics pixels, for those who watch them. */
	b.picture = (struct display_picture){ .mode = DISPLAY_GRAPHICS,
					      .width = WIDTH,
					      .height = HEIGHT };
	ask_frame(8, FACE_FRAME_TEXT);
	face_visit(&b.face);
	expect(FACE_MODE, 8);
	assert_int_equal(frame_read(8), WIDTH * HEIGHT);
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
	assert_int_equal(((struct face_statistics *)b.record)->disks, BIT(2));
	assert_int_equal(((struct face_statistics *)b.record)->disk[2].requests,
			 77);
	/* No more than a record may have. */
	b.inputs = 0;
	(void)ask(&record, sizeof(record));
	face_visit(&b.face);
	assert_int_equal(b.inputs, FACE_EVENTS_MAX + 1);
}

static unsigned keys_down(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(b.is_down); i++)
		count += b.is_down[i];
	return count;
}

static void press(uint16_t code, int32_t value)
{
	struct {
		struct face_input head;
		struct input_event event[1];
	} record = { .head.head = { .kind = FACE_INPUT } };

	record.event[0] = (struct input_event){ INPUT_KEY, code, value };
	(void)ask(&record, sizeof(record));
}

static void test_keys_are_released(void **state)
{
	(void)state;
	press(30, 1);
	press(31, 1);
	press(30, 0);
	press(INPUT_BUTTON_LEFT, 1);
	face_visit(&b.face);
	assert_int_equal(keys_down(), 2);
	b.inputs = 0;
	ask_kind(FACE_RELEASE, 1);
	face_visit(&b.face);
	assert_int_equal(keys_down(), 0);
	assert_int_equal(b.inputs, 4);
	ask_kind(FACE_RELEASE, 2);
	face_visit(&b.face);
	assert_int_equal(b.inputs, 4);
	/* Seat ends, and what it has said before is done all the same. */
	press(30, 1);
	face_visit(&b.face);
	assert_int_equal(keys_down(), 1);
	press(31, 1);
	face_peer_gone(&b.face);
	assert_int_equal(keys_down(), 0);
	ask_kind(FACE_RELEASE, 3);
	face_visit(&b.face);
	assert_int_equal(keys_down(), 0);
	assert_int_equal(get(), 0);
}

/* From the start: what seat has said by then ends it. */
static void test_paused_from_the_start(void **state)
{
	(void)state;
	ask_command(1, FACE_RESUME, 0);
	face_pause(&b.face);
	assert_true(face_holds(&b.face));
	assert_int_equal(b.holds, 1);
	face_visit(&b.face);
	expect_answer(1, 0);
	assert_false(face_holds(&b.face));
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

static void test_cables(void **state)
{
	(void)state;
	ask_command(1, FACE_PLUG, 1);
	face_visit(&b.face);
	expect_answer(1, 0);
	assert_false(b.is_in[0]);
	assert_true(b.is_in[1]);
	ask_command(2, FACE_UNPLUG, 1);
	ask_command(3, FACE_PLUG, 2);
	ask_command(4, FACE_UNPLUG, ~0u);
	face_visit(&b.face);
	expect_answer(2, 0);
	expect_answer(3, -ENODEV);
	expect_answer(4, -ENODEV);
	assert_false(b.is_in[1]);
}

/* As long as it is said, and no longer. */
static void test_media(void **state)
{
	struct face_command record = {
		.head = { .kind = FACE_COMMAND },
		.command = FACE_INSERT,
		.unit = 2,
	};
	char expected[FACE_MEDIUM_SIZE];

	(void)state;
	memset(record.medium, 'x', sizeof(record.medium));
	for (size_t length = sizeof(record) + 1; length-- > FACE_COMMAND_MIN;) {
		size_t name =
			MIN(length - FACE_COMMAND_MIN, sizeof(expected) - 1);

		memset(expected, 0, sizeof(expected));
		memset(expected, 'x', name);
		record.head.tag = (uint32_t)length;
		(void)ask(&record, length);
		face_visit(&b.face);
		expect_answer((uint32_t)length, 0);
		assert_int_equal(b.command, FACE_INSERT);
		assert_int_equal(b.unit, 2);
		assert_memory_equal(b.medium, expected, sizeof(expected));
	}
	record.head.tag = 1;
	(void)ask(&record, FACE_COMMAND_MIN - 1);
	face_visit(&b.face);
	expect_answer(1, -EINVAL);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_first_frame),
		TEST(test_bounded),
		TEST(test_changed_meanwhile),
		TEST(test_mode_changes),
		TEST(test_text),
		TEST(test_takes_places),
		TEST(test_text),
		TEST(test_text_largest),
		TEST(test_frame_again),
		TEST(test_unwatch),
		TEST(test_notice_waits),
		TEST(test_input),
		TEST(test_keys_are_released),
		TEST(test_commands),
		TEST(test_cables),
		TEST(test_paused_from_the_start),
		TEST(test_media),
		TEST(test_blind_board),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
