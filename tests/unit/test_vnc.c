/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The viewer's end of the control protocol: what a host may send, and when the
 * viewer asks again.  Time is the test's.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scripts/vnc/control.h"
#include "scripts/vnc/object.h"

#define SECOND NSEC_PER_SEC

/* ---- Pictures ------------------------------------------------------------ */

struct piece {
	uint16_t left, top, width, height;
	uint8_t encoding, zero[3];
	uint8_t data[32];
};

static void test_pictures_that_are_none_change_nothing(void **state)
{
	static const struct {
		struct piece piece;
		size_t length; /* of data */
	} bad[] = {
		{ { 0, 0, 2, 1, 0, { 0 }, { 0 } }, 7 },
		{ { 0, 0, 2, 1, 0, { 0 }, { 0 } }, 9 },
		{ { 3, 0, 2, 1, 0, { 0 }, { 0 } }, 8 },
		{ { 0, 3, 2, 1, 0, { 0 }, { 0 } }, 8 },
		{ { 65535, 65535, 2, 1, 0, { 0 }, { 0 } }, 8 },
		{ { 0, 0, 0, 1, 0, { 0 }, { 0 } }, 0 },
		{ { 0, 0, 0, 0, 1, { 0 }, { 0 } }, 0 },
		{ { 0, 0, 2, 1, 2, { 0 }, { 0 } }, 8 },
		/* Runs: too few pixels, too many, one of none, one that is cut.
		 */
		{ { 0, 0, 2, 1, 1, { 0 }, { 1, 9, 9, 9 } }, 4 },
		{ { 0, 0, 2, 1, 1, { 0 }, { 3, 9, 9, 9 } }, 4 },
		{ { 0, 0, 2, 1, 1, { 0 }, { 2, 9, 9, 9, 0, 9, 9, 9 } }, 8 },
		{ { 0, 0, 2, 1, 1, { 0 }, { 2, 9, 9 } }, 3 },
		{ { 0, 0, 2, 1, 1, { 0 }, { 0 } }, 0 },
	};
	struct picture picture = { 0 };
	uint8_t black[4 * 3 * PICTURE_PIXEL] = { 0 };

	(void)state;
	assert_int_equal(picture_resize(&picture, 4, 3), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		picture_clean(&picture);
		assert_int_equal(picture_draw(&picture,
					      (const uint8_t *)&bad[i].piece,
					      12 + bad[i].length),
				 -EINVAL);
		assert_int_equal(picture.damage_count, 0);
		assert_memory_equal(picture.pixels, black, sizeof(black));
	}
	for (size_t length = 0; length < 12; length++)
		assert_int_equal(picture_draw(&picture, black, length),
				 -EINVAL);
	picture_free(&picture);
}

static void test_runs_go_on_from_line_to_line(void **state)
{
	const struct piece piece = {
		1, 1, 2, 2, 1, { 0 }, { 3, 1, 2, 3, 1, 4, 5, 6 }
	};
	static const uint8_t row[2][8] = { { 1, 2, 3, 0, 1, 2, 3, 0 },
					   { 1, 2, 3, 0, 4, 5, 6, 0 } };
	struct picture picture = { 0 };

	(void)state;
	assert_int_equal(picture_resize(&picture, 4, 3), 0);
	picture_clean(&picture);
	assert_int_equal(
		picture_draw(&picture, (const uint8_t *)&piece, 12 + 8), 0);
	assert_memory_equal(picture.pixels + 4 * (4 + 1), row[0], 8);
	assert_memory_equal(picture.pixels + 4 * (8 + 1), row[1], 8);
	assert_int_equal(picture.pixels[4 * (4 + 3)], 0);
	assert_int_equal(picture.damage_count, 1);
	assert_int_equal(picture.damage[0].left, 1);
	assert_int_equal(picture.damage[0].bottom, 3);
	/* However many there are, all of it is known to have changed. */
	for (unsigned i = 0; i < PICTURE_DAMAGES_MAX + 1; i++)
		assert_int_equal(
			picture_draw(&picture, (const uint8_t *)&piece, 12 + 8),
			0);
	assert_int_equal(picture.damage_count, PICTURE_DAMAGES_MAX);
	assert_int_equal(picture_resize(&picture, PICTURE_SIDE_MAX + 1, 1),
			 -EINVAL);
	assert_int_equal(picture_resize(&picture, 0, 1), -EINVAL);
	assert_int_equal(picture.width, 4);
	picture_free(&picture);
}

/* ---- Objects ------------------------------------------------------------- */

static void test_objects_of_any_kind_are_survived(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{}",
		"7",
		"{\"id\"}",
		"{\"id\":}",
		"{\"id\":[1",
		"{\"id\":-1}",
		"{\"id\":99999999999}",
		"{\"id\":4294967296}",
		"{\"id\":\"1\"}",
		"{\"id\":1e3}",
		"{\"x\":{\"id\":1}}",
		"{\"x\":[\"id\",1]}",
		"\"id\":1",
		"{\"id\":{\"id\":1}}",
	};
	char word[4];
	uint32_t value;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
		assert_false(object_number(texts[i], strlen(texts[i]), "id",
					   &value));
	assert_true(object_number("{\"a\":[1,2],\"id\":4294967295}", 29, "id",
				  &value));
	assert_int_equal(value, 4294967295);
	assert_true(
		object_text("{\"a\":\"abcdef\"}", 14, "a", word, sizeof(word)));
	assert_string_equal(word, "abc");
	assert_true(object_is_true("{\"ok\":true}", 11, "ok"));
	assert_false(object_is_true("{\"ok\":\"true\"}", 13, "ok"));
}

/* ---- The conversation ---------------------------------------------------- */

static struct control control;
static struct link host;
static int host_fd;

static int set_up(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	host_fd = ends[1];
	link_init(&host);
	control_init(&control, ends[0], "dos", 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	picture_free(&control.picture);
	close(control.fd);
	close(host_fd);
	return 0;
}

/* The next request the viewer has sent; "" if there is none. */
static const char *asked(void)
{
	static char text[LINK_RECEIVE_MAX + 1];
	struct link_frame frame;
	uint8_t bytes[1024];
	ssize_t n = recv(host_fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		link_received(&host, bytes, (size_t)n);
	if (!link_next(&host, &frame, 0))
		return "";
	memcpy(text, frame.payload, frame.length);
	text[frame.length] = '\0';
	return text;
}

static void say(const char *text)
{
	const void *bytes;
	size_t length;

	link_begin(&host, LINK_JSON, (uint32_t)strlen(text));
	link_add(&host, text, strlen(text));
	link_end(&host);
	while (bytes = link_pending(&host, &length), length) {
		assert_int_equal(write(host_fd, bytes, length), length);
		link_sent(&host, length);
	}
}

static void answer(uint32_t id, const char *rest)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "{\"id\":%u,%s}", id, rest);
	say(text);
}

static void assert_asked(const char *verb)
{
	char quoted[32];

	(void)snprintf(quoted, sizeof(quoted), "\"verb\":\"%s\"", verb);
	assert_non_null(strstr(asked(), quoted));
}

static void greet(void)
{
	control_run(&control, false, false, 0);
	assert_asked("hello");
	answer(control.last_id, "\"ok\":true,\"version\":1");
	control_run(&control, false, false, 0);
	assert_true(control.is_greeted);
}

static void test_hello_is_said_until_it_is_answered(void **state)
{
	(void)state;
	control_run(&control, true, true, 0);
	assert_asked("hello");
	control_run(&control, true, true, SECOND);
	assert_string_equal(asked(), "");
	control_run(&control, true, true, 2 * SECOND);
	assert_asked("hello");
	answer(control.last_id, "\"ok\":true,\"version\":2");
	control_run(&control, true, true, 2 * SECOND);
	assert_true(control.is_over);
}

static void test_a_watch_follows_the_viewers(void **state)
{
	uint32_t id;

	(void)state;
	greet();
	assert_string_equal(asked(), "");
	control_run(&control, true, true, 0);
	assert_asked("screen");
	id = control.watch_id;
	answer(id, "\"event\":\"mode\",\"mode\":\"text\",\"width\":720,"
		   "\"height\":400");
	answer(id, "\"ok\":true");
	control_run(&control, true, false, SECOND);
	assert_int_equal(control.picture.width, 720);
	/* Who waits for nothing is drawn nothing. */
	assert_string_equal(asked(), "");
	control_run(&control, true, true, SECOND);
	assert_asked("screen");
	assert_int_equal(control.watch_id, id);
	/* Without a word for ten seconds the same is asked again. */
	control_run(&control, true, true, 10 * SECOND);
	assert_string_equal(asked(), "");
	control_run(&control, true, true, 11 * SECOND);
	assert_asked("screen");
	assert_int_equal(control.watch_id, id);
	control_run(&control, false, false, 11 * SECOND);
	assert_asked("close");
	assert_int_equal(control.picture.width, 0);
	control_run(&control, true, true, 11 * SECOND);
	assert_asked("screen");
	assert_int_not_equal(control.watch_id, id);
}

static void test_a_picture_of_which_something_is_lost_comes_again(void **state)
{
	static const char mode[] = "\"event\":\"mode\",\"mode\":\"text\","
				   "\"width\":720,\"height\":400";
	uint32_t id;

	(void)state;
	greet();
	control_run(&control, true, true, 0);
	assert_null(strstr(asked(), "\"all\""));
	id = control.watch_id;
	answer(id, mode);
	answer(id, "\"ok\":true,\"parts\":2");
	control_run(&control, true, true, SECOND);
	assert_non_null(strstr(asked(), "\"all\":true"));
	assert_int_equal(control.watch_id, id);
	answer(id, mode);
	answer(id, "\"ok\":true,\"parts\":1");
	control_run(&control, true, true, 2 * SECOND);
	assert_null(strstr(asked(), "\"all\""));
}

static void test_a_refusal_is_tried_again(void **state)
{
	uint32_t id;

	(void)state;
	greet();
	control_run(&control, true, true, 0);
	assert_asked("screen");
	id = control.watch_id;
	answer(id, "\"ok\":false,\"error\":\"not running\",\"hint\":\"wait\"");
	control_run(&control, true, true, 0);
	assert_string_equal(control.trouble, "not running: wait");
	assert_string_equal(asked(), "");
	control_run(&control, true, true, SECOND);
	assert_asked("screen");
	assert_int_not_equal(control.watch_id, id);
	/* A host that has begun anew has forgotten all. */
	answer(control.watch_id, "\"ok\":false,\"error\":\"say hello first\"");
	control_run(&control, true, true, 4 * SECOND);
	assert_asked("hello");
}

static void point(int dx, int dy, int wheel, unsigned buttons)
{
	const struct control_input input = {
		.dx = dx, .dy = dy, .wheel = wheel, .buttons = buttons
	};

	control_pointer(&control, &input);
}

/* A place goes along with movement; of several in a row the last. */
static void test_places(void **state)
{
	struct control_input input = { .dx = 1, .has_place = true, .x = 5 };

	(void)state;
	greet();
	control_pointer(&control, &input);
	input.x = 32767;
	input.y = 7;
	control_pointer(&control, &input);
	point(2, 3, 0, 0);
	control_run(&control, false, false, 0);
	assert_non_null(strstr(asked(), "\"dx\":4,\"dy\":3,\"x\":32767,"
					"\"y\":7,\"wheel\":0"));
	/* Whether the guest takes it is the mode's to say. */
	assert_false(control.takes_places);
	control_run(&control, true, true, 0);
	answer(control.watch_id,
	       "\"event\":\"mode\",\"mode\":\"text\",\"width\":720,"
	       "\"height\":400,\"pointer\":\"absolute\"");
	control_run(&control, true, true, 0);
	assert_true(control.takes_places);
	answer(control.watch_id, "\"event\":\"mode\",\"mode\":\"off\","
				 "\"pointer\":\"relative\"");
	control_run(&control, true, true, 0);
	assert_false(control.takes_places);
}

static void test_input_is_paced_and_in_order(void **state)
{
	(void)state;
	greet();
	for (unsigned i = 0; i < 5; i++) {
		control_key(&control, 30, true);
		control_key(&control, 30, false);
	}
	point(3, 4, 0, 1);
	point(-1, 2, 1, 1);
	point(0, 0, 0, 0);
	control_run(&control, false, false, 0);
	assert_non_null(
		strstr(asked(), "\"keys\":[30,-30,30,-30,30,-30,30,-30]"));
	control_run(&control, false, false, SECOND);
	assert_string_equal(asked(), "");
	answer(control.input_id, "\"ok\":true");
	control_run(&control, false, false, SECOND);
	assert_string_equal(asked(), "");
	control_run(&control, false, false, SECOND + SECOND / 10);
	assert_non_null(strstr(asked(), "\"keys\":[30,-30]"));
	/* An answer that got lost holds nothing up for ever. */
	control_run(&control, false, false, 4 * SECOND);
	assert_non_null(strstr(asked(), "\"dx\":2,\"dy\":6,\"wheel\":1,"
					"\"buttons\":1"));
	answer(control.input_id, "\"ok\":true");
	control_run(&control, false, false, 5 * SECOND);
	control_run(&control, false, false, 6 * SECOND);
	assert_non_null(strstr(asked(), "\"dx\":0,\"dy\":0,\"wheel\":0,"
					"\"buttons\":0"));
	/* What is too much is lost, not what is after it. */
	for (unsigned i = 0; i < 2 * CONTROL_INPUTS; i++)
		control_key(&control, 31, true);
	assert_int_equal(control.head - control.tail, CONTROL_INPUTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pictures_that_are_none_change_nothing),
		cmocka_unit_test(test_runs_go_on_from_line_to_line),
		cmocka_unit_test(test_objects_of_any_kind_are_survived),
		cmocka_unit_test_setup_teardown(
			test_hello_is_said_until_it_is_answered, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_watch_follows_the_viewers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_picture_of_which_something_is_lost_comes_again,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_refusal_is_tried_again,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_places, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_input_is_paced_and_in_order, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
