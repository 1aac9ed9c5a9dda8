/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys and pointers that a client of services/seat presses and moves. */
#define _GNU_SOURCE /* memmem() */
#include "tests/unit/remote_test.h"

static void expect_event(unsigned at, uint32_t kind, uint16_t code,
			 int32_t value)
{
	assert_int_equal(request.input.event[at].kind, kind);
	assert_int_equal(request.input.event[at].code, code);
	assert_int_equal(request.input.event[at].value, value);
}

static void keys_arrive(void **state)
{
	(void)state;
	say("{\"id\":2,\"verb\":\"keys\",\"guest\":\"good\",\"keys\":[29,46,-"
	    "46,"
	    "-29,767]}");
	expect_ok(2);
	machine_is_asked_nothing(1);
	machine_expects(0, FACE_INPUT);
	expect_event(0, INPUT_KEY, 29, 1);
	expect_event(1, INPUT_KEY, 46, 1);
	expect_event(2, INPUT_KEY, 46, 0);
	expect_event(3, INPUT_KEY, 29, 0);
	expect_event(4, INPUT_KEY, 767, 1);
	say("{\"id\":3,\"verb\":\"keys\",\"guest\":\"good\",\"keys\":[1,768]}");
	expect_error(3, "bad request", "keys");
	say("{\"id\":4,\"verb\":\"keys\",\"guest\":\"good\",\"keys\":[0]}");
	expect_error(4, "bad request", "keys");
	say("{\"id\":5,\"verb\":\"keys\",\"guest\":\"good\",\"keys\":"
	    "[-2147483647]}");
	expect_error(5, "bad request", "keys");
	machine_is_asked_nothing(0);
}

static void pointers_arrive(void **state)
{
	(void)state;
	say("{\"id\":2,\"verb\":\"pointer\",\"guest\":\"good\",\"dx\":-3,"
	    "\"dy\":"
	    "4,\"wheel\":1,\"buttons\":5}");
	expect_ok(2);
	machine_expects(0, FACE_INPUT);
	expect_event(0, INPUT_RELATIVE, INPUT_X, -3);
	expect_event(1, INPUT_RELATIVE, INPUT_Y, 4);
	expect_event(2, INPUT_RELATIVE, INPUT_WHEEL, 1);
	expect_event(3, INPUT_KEY, INPUT_BUTTON_LEFT, 1);
	expect_event(4, INPUT_KEY, INPUT_BUTTON_MIDDLE, 1);
	expect_event(5, INPUT_SYNC, 0, 0);
	say("{\"id\":3,\"verb\":\"pointer\",\"guest\":\"good\",\"y\":40000,"
	    "\"dx\":2,\"x\":7}");
	machine_expects(0, FACE_INPUT);
	expect_event(0, INPUT_RELATIVE, INPUT_X, 2);
	expect_event(1, INPUT_ABSOLUTE, INPUT_X, 7);
	expect_event(2, INPUT_ABSOLUTE, INPUT_Y, INPUT_ABSOLUTE_MAX);
	expect_event(3, INPUT_SYNC, 0, 0);
	/* Without "buttons" they are as they were; another guest's are its. */
	say("{\"id\":3,\"verb\":\"pointer\",\"guest\":\"good\",\"dx\":1}");
	machine_expects(0, FACE_INPUT);
	expect_event(0, INPUT_RELATIVE, INPUT_X, 1);
	expect_event(1, INPUT_SYNC, 0, 0);
	say("{\"id\":4,\"verb\":\"pointer\",\"guest\":\"evil\",\"buttons\":1}");
	machine_expects(1, FACE_INPUT);
	expect_event(0, INPUT_KEY, INPUT_BUTTON_LEFT, 1);
	/* What a client had pressed is let go of when the next one comes. */
	hello();
	for (unsigned n = 0; n < 2; n++) {
		machine_expects(n, FACE_INPUT);
		expect_event(0, INPUT_KEY, INPUT_BUTTON_LEFT, 0);
	}
	say("{\"id\":5,\"verb\":\"pointer\",\"guest\":\"good\",\"buttons\":0}");
	machine_expects(0, FACE_INPUT);
	expect_event(0, INPUT_SYNC, 0, 0);
}

/* And keys, those that were not released, in the guest they were pressed in. */
static void hello_releases_keys(void **state)
{
	(void)state;
	say("{\"id\":2,\"verb\":\"keys\",\"guest\":\"good\",\"keys\":[29,46,-"
	    "46]}");
	machine_expects(0, FACE_INPUT);
	say("{\"id\":3,\"verb\":\"keys\",\"guest\":\"evil\",\"keys\":[767,1]}");
	machine_expects(1, FACE_INPUT);
	hello();
	assert_int_equal(machine_takes(0), sizeof(struct face_input) +
						   sizeof(struct input_event));
	expect_event(0, INPUT_KEY, 29, 0);
	machine_expects(1, FACE_INPUT);
	expect_event(0, INPUT_KEY, 1, 0);
	expect_event(1, INPUT_KEY, 767, 0);
	hello();
	machine_is_asked_nothing(0);
	machine_is_asked_nothing(1);
}

/* Where there is no room it is done as soon as there is, and before all else.
 */
static void releases_wait_for_room(void **state)
{
	unsigned n = 0;

	(void)state;
	say("{\"id\":2,\"verb\":\"keys\",\"guest\":\"good\",\"keys\":[29]}");
	do
		say("{\"id\":3,\"verb\":\"pointer\",\"guest\":\"good\",\"dx\":"
		    "1}");
	while (++n < 200);
	hello();
	client.from_done = client.from_length;
	for (n = 0; machine_takes(0); n++) {
		wake();
		if (request.input.event[0].code == 29 &&
		    request.input.event[0].kind == INPUT_KEY &&
		    !request.input.event[0].value)
			break;
	}
	assert_true(n > 10);
	assert_int_equal(request.input.event[0].code, 29);
	machine_is_asked_nothing(0);
}

/* A machine that does not read: the client is told, and what was not said does
 * not count as said. */
static void keys_without_room(void **state)
{
	unsigned taken = 0;
	bool is_pressed = false;
	uint8_t kind;
	uint32_t length;
	const uint8_t *text;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		say("{\"id\":%u,\"verb\":\"pointer\",\"guest\":\"good\",\"dx\":"
		    "1,\"buttons\":%u}",
		    i + 2, i / 2 % 2);
	while ((text = client_hears(&kind, &length)))
		taken += !memmem(text, length, "busy", 4);
	assert_in_range(taken, 20, 80);
	for (unsigned i = 0; i < taken; i++) {
		machine_expects(0, FACE_INPUT);
		if (request.input.event[1].kind != INPUT_KEY)
			continue;
		is_pressed = !is_pressed;
		expect_event(1, INPUT_KEY, INPUT_BUTTON_LEFT, is_pressed);
	}
	machine_is_asked_nothing(0);
	say("{\"id\":200,\"verb\":\"pointer\",\"guest\":\"good\",\"buttons\":%"
	    "u}",
	    !is_pressed);
	expect_ok(200);
	machine_expects(0, FACE_INPUT);
	expect_event(0, INPUT_KEY, INPUT_BUTTON_LEFT, !is_pressed);
}

#define TEST_REMOTE(name) cmocka_unit_test_setup(name, setup_remote)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST_REMOTE(keys_arrive),
		TEST_REMOTE(pointers_arrive),
		TEST_REMOTE(hello_releases_keys),
		TEST_REMOTE(releases_wait_for_room),
		TEST_REMOTE(keys_without_room),
	};

	return cmocka_run_group_tests_name("seat keys", tests, NULL, teardown);
}
