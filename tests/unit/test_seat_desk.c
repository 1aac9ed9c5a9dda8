/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The person at the machine (services/seat/desk*.c): whom keys belong to, the
 * hot key, the menu, the console, guests that come and go.
 */
#include "tests/unit/remote_test.h"

#include "services/seat/desk.h"

#define WIDTH  1024
#define HEIGHT 768
#define ENTER  28
#define S      31
#define R      19
#define CTRL   29
#define SHIFT  42
#define A      30
#define F5     63
#define C      46
#define ESCAPE 1

static struct desk desk;
static uint32_t screen[WIDTH * HEIGHT];

static void heard(unsigned slot, const char *bytes, size_t length)
{
	desk_heard(&desk, slot, bytes, length);
}

static int setup_desk(void **state)
{
	const struct framebuffer fb = {
		.pixels = (uint8_t *)screen,
		.width = WIDTH,
		.height = HEIGHT,
		.stride = WIDTH * 4,
	};

	(void)setup_remote(state);
	memset(screen, 0xee, sizeof(screen));
	desk_init(&desk, &mux, &faces, &control.asks, &fb);
	also_heard = heard;
	return 0;
}

static void turn(void)
{
	desk_run(&desk, host.now_ns);
	wake();
}

static void key(unsigned code, int32_t value)
{
	const struct input_event event = { INPUT_KEY, (uint16_t)code, value };

	desk_input(&desk, &event, 1, host.now_ns);
	turn();
}

static void press(unsigned code)
{
	key(code, 1);
	key(code, 0);
}

static void hot_key(void)
{
	press(DESK_KEY);
	press(DESK_KEY);
}

/* The next key that its guest is told of. */
static void expect_key(unsigned n, unsigned code, int32_t value)
{
	do
		if (!machine_takes(n))
			fail_msg("no key, but %u is %d", code, value);
	while (request.head.kind != FACE_INPUT);
	assert_int_equal(request.input.event[0].kind, INPUT_KEY);
	assert_int_equal(request.input.event[0].code, code);
	assert_int_equal(request.input.event[0].value, value);
}

static void expect_no_key(unsigned n)
{
	while (machine_takes(n))
		if (request.head.kind == FACE_INPUT)
			fail_msg("key %u", request.input.event[0].code);
}

/* init is asked for that; its tag. */
static uint32_t expect_ask(enum seat_verb verb, const char *name)
{
	struct seat_message message;

	do
		if (!init_takes(&message))
			fail_msg("init is not asked for %u", verb);
	while (message.kind != SEAT_ASK || message.verb != (uint32_t)verb);
	assert_string_equal(message.name, name);
	return message.tag;
}

static void expect_no_ask(void)
{
	struct seat_message message;

	while (init_takes(&message))
		if (message.kind == SEAT_ASK)
			fail_msg("init is asked for %u", message.verb);
}

static void tell_guest(uint32_t ask, const char *name)
{
	struct seat_message message = { .kind = SEAT_GUEST, .tag = ask };

	(void)snprintf(message.name, sizeof(message.name), "%s", name);
	(void)snprintf(message.text, sizeof(message.text), "running");
	init_puts(&message);
}

static void tell_end(uint32_t ask)
{
	const struct seat_message message = { .kind = SEAT_TOLD, .tag = ask };

	init_puts(&message);
	turn();
}

static void menu_of_two(void)
{
	uint32_t ask;

	hot_key();
	assert_int_equal(desk.view, DESK_MENU);
	ask = expect_ask(SEAT_LIST, "");
	tell_guest(ask, names[0]);
	tell_guest(ask, names[1]);
	tell_end(ask);
	assert_int_equal(desk.guest_count, 2);
}

/* ---- The hot key --------------------------------------------------------- */

static void first_guest_has_the_screen(void **state)
{
	(void)state;
	turn();
	assert_int_equal(desk.view, DESK_CONSOLE);
	desk_opened(&desk, 1);
	desk_opened(&desk, 2);
	turn();
	assert_int_equal(desk.view, DESK_GUEST);
	machine_expects(0, FACE_FRAME);
	press(A);
	expect_key(0, A, 1);
	expect_key(0, A, 0);
	expect_no_key(1);
}

static void hot_key_once(void **state)
{
	(void)state;
	desk_opened(&desk, 1);
	press(DESK_KEY);
	expect_key(0, DESK_KEY, 1);
	expect_key(0, DESK_KEY, 0);
	assert_int_equal(desk.view, DESK_GUEST);
	/* Late. */
	host.now_ns += NSEC_PER_SEC + 1;
	press(DESK_KEY);
	assert_int_equal(desk.view, DESK_GUEST);
	expect_key(0, DESK_KEY, 1);
}

static void hot_key_held(void **state)
{
	(void)state;
	desk_opened(&desk, 1);
	for (unsigned i = 0; i < 5; i++)
		key(DESK_KEY, 1); /* it repeats */
	assert_int_equal(desk.view, DESK_GUEST);
	key(DESK_KEY, 0);
	key(DESK_KEY, 1);
	assert_int_equal(desk.view, DESK_MENU);
	expect_key(0, DESK_KEY, 1);
}

/* ---- Whom keys belong to ------------------------------------------------- */

static void keys_are_released_where_they_were_pressed(void **state)
{
	(void)state;
	desk_opened(&desk, 1);
	key(CTRL, 1);
	key(A, 1);
	key(A, 0);
	expect_key(0, CTRL, 1);
	expect_key(0, A, 1);
	expect_key(0, A, 0);
	menu_of_two();
	expect_key(0, DESK_KEY, 1);
	expect_key(0, DESK_KEY, 0);
	expect_key(0, CTRL, 0);
	press(INPUT_KEY_DOWN);
	key(ENTER, 1);
	assert_int_equal(desk.view, DESK_GUEST);
	assert_int_equal(desk.slot, 2);
	expect_no_key(0);
	expect_no_key(1);
	press(A);
	expect_key(1, A, 1);
	expect_no_key(0);
}

/* What is typed for init does not go to a guest that happens to start. */
static void no_guest_takes_the_screen(void **state)
{
	(void)state;
	press(A);
	assert_int_equal(desk.view, DESK_CONSOLE);
	desk_opened(&desk, 1);
	assert_int_equal(desk.view, DESK_CONSOLE);
	menu_of_two();
	press(ENTER);
	assert_int_equal(desk.view, DESK_GUEST);
	desk_gone(&desk, 1);
	assert_int_equal(desk.view, DESK_CONSOLE);
	desk_opened(&desk, 1);
	assert_int_equal(desk.view, DESK_CONSOLE);
}

static void shown_guest_goes(void **state)
{
	(void)state;
	desk_opened(&desk, 1);
	key(A, 1);
	desk_gone(&desk, 1);
	guest_ends(0);
	assert_int_equal(desk.view, DESK_CONSOLE);
	assert_null(desk.watch);
	guest_begins(0);
	desk_opened(&desk, 1);
	turn();
	/* The next one knows of no key. */
	assert_int_equal(desk.view, DESK_GUEST);
	key(A, 0);
	desk_show(&desk, DESK_CONSOLE, 0);
	expect_key(0, A, 0);
	expect_no_key(0);
}

/* Its machine lies, and is not shown any more. */
static void shown_machine_lies(void **state)
{
	(void)state;
	desk_opened(&desk, 1);
	turn();
	machine_expects(0, FACE_FRAME);
	machine_says(0, 99, 0);
	turn();
	assert_int_equal(desk.view, DESK_CONSOLE);
	assert_null(desk.watch);
	press(A);
}

/* ---- The menu ------------------------------------------------------------ */

static void menu_asks_init(void **state)
{
	uint32_t ask;

	(void)state;
	menu_of_two();
	press(S);
	tell_end(expect_ask(SEAT_STOP, names[0]));
	ask = expect_ask(SEAT_LIST, "");
	tell_guest(ask, names[0]);
	tell_guest(ask, names[1]);
	tell_end(ask);
	press(INPUT_KEY_DOWN);
	press(R);
	(void)expect_ask(SEAT_RESTART, names[1]);
	/* One that does not run. */
	press(F5);
	ask = expect_ask(SEAT_LIST, "");
	tell_guest(ask, "sleeping");
	tell_end(ask);
	press(INPUT_KEY_UP);
	press(ENTER);
	(void)expect_ask(SEAT_START, "sleeping");
	assert_int_equal(desk.view, DESK_MENU);
	for (unsigned i = 0; i < 9; i++)
		press(INPUT_KEY_DOWN);
	/* Not by one key, nor by two with something between them. */
	press(ENTER);
	press(INPUT_KEY_DOWN);
	press(ENTER);
	assert_non_null(strstr(desk.said, "once more"));
	expect_no_ask();
	press(ENTER);
	(void)expect_ask(SEAT_OFF, "the host");
}

/* Two lists at a time are not one. */
static void menu_lists_twice(void **state)
{
	uint32_t first, second;

	(void)state;
	menu_of_two();
	press(F5);
	first = expect_ask(SEAT_LIST, "");
	tell_guest(first, names[0]);
	press(F5);
	second = expect_ask(SEAT_LIST, "");
	tell_guest(first, names[1]);
	tell_end(first);
	tell_guest(second, names[0]);
	tell_guest(second, names[1]);
	tell_end(second);
	assert_int_equal(desk.guest_count, 2);
	assert_string_equal(desk.guest[0].name, names[0]);
	assert_string_equal(desk.guest[1].name, names[1]);
}

static void menu_of_too_many(void **state)
{
	uint32_t ask;

	(void)state;
	hot_key();
	ask = expect_ask(SEAT_LIST, "");
	for (unsigned i = 0; i < DESK_GUESTS + 5; i++)
		tell_guest(ask, "many");
	tell_end(ask);
	assert_int_equal(desk.guest_count, DESK_GUESTS);
}

/* ---- The console --------------------------------------------------------- */

static void console_types(void **state)
{
	struct seat_console *memory = &init.memory.operator;
	struct ring input;
	bool is_wanted = false;
	char bytes[8];

	(void)state;
	ring_init(&input, &memory->input, memory->input_data, SEAT_INPUT_SIZE,
		  false, false);
	press(A);
	key(SHIFT, 1);
	press(A);
	key(SHIFT, 0);
	key(CTRL, 1);
	press(C);
	key(CTRL, 0);
	press(ENTER);
	press(INPUT_KEY_UP); /* has no character */
	assert_int_equal(ring_read(&input, bytes, sizeof(bytes), &is_wanted),
			 4);
	assert_memory_equal(bytes, "aA\x03\r", 4);
	/* A shift that is held when the view changes is not held for ever. */
	key(SHIFT, 1);
	menu_of_two();
	key(SHIFT, 0);
	press(ESCAPE);
	assert_int_equal(desk.view, DESK_CONSOLE);
	press(A);
	assert_int_equal(ring_read(&input, bytes, sizeof(bytes), &is_wanted),
			 1);
	assert_int_equal(bytes[0], 'a');
}

/* With one guest alone the operator's console has no rows on the serial port:
 * what is typed reaches init all the same, and its answer the screen. */
static void console_is_hidden(void **state)
{
	struct seat_console *memory = &init.memory.operator;
	struct ring input, output;
	bool is_wanted = false;
	unsigned bells = program[SEAT_CONTROL_SLOT].bells;
	char bytes[8];

	(void)state;
	guest_ends(1);
	ring_init(&input, &memory->input, memory->input_data, SEAT_INPUT_SIZE,
		  false, false);
	assert_true(ring_sleep(&input));
	ring_init(&output, &memory->output, memory->output_data,
		  SEAT_OUTPUT_SIZE, true, true);
	press(A);
	assert_true(program[SEAT_CONTROL_SLOT].bells > bells);
	assert_int_equal(ring_read(&input, bytes, sizeof(bytes), &is_wanted),
			 1);
	for (unsigned i = 0; i < 3; i++) {
		is_wanted = false;
		assert_int_equal(ring_write(&output, "echo\r\n", 6, &is_wanted),
				 6);
		/* It waits for the next, and asked to be told. */
		assert_true(is_wanted);
		mux_ring(&mux, SEAT_CONTROL_SLOT);
		wake();
		assert_string_equal(desk.text[i], "echo");
	}
}

static void console_shows_what_is_heard(void **state)
{
	static const char text[] = "\x1b[1mone\r\ntwo\bO";
	bool has_any = false;

	(void)state;
	desk_heard(&desk, SEAT_CONTROL_SLOT, text, sizeof(text) - 1);
	assert_string_equal(desk.text[0], "one");
	assert_string_equal(desk.text[1], "twO");
	desk_heard(&desk, 3, "not a guest's", 5);
	assert_string_equal(desk.text[1], "twO");
	turn();
	for (unsigned i = 0; i < WIDTH * 16; i++)
		has_any |= screen[(HEIGHT - 32) * WIDTH + i] != 0;
	assert_true(has_any);
	assert_true(desk_deadline(&desk) == UINT64_MAX);
	/* Whatever is heard, it stays in its lines. */
	srand(2);
	for (unsigned i = 0; i < 200000; i++) {
		char byte = (char)rand();

		desk_heard(&desk, i & 1 ? SEAT_CONTROL_SLOT : MUX_SLOTS, &byte,
			   1);
		assert_true(desk.column <= DESK_COLUMNS);
	}
}

/* ---- A screen that has text alone ---------------------------------------- */

#define COLUMNS 80
#define ROWS	25

static uint16_t cells[COLUMNS * ROWS];

static int setup_text(void **state)
{
	const struct framebuffer fb = {
		.pixels = (uint8_t *)cells,
		.width = COLUMNS,
		.height = ROWS,
		.stride = COLUMNS * 2,
		.kind = FRAMEBUFFER_TEXT,
	};

	(void)setup_remote(state);
	memset(cells, 0, sizeof(cells));
	desk_init(&desk, &mux, &faces, &control.asks, &fb);
	also_heard = heard;
	return 0;
}

/* Whether a row has it. */
static bool is_shown(const char *words)
{
	char row[COLUMNS + 1] = "";

	for (unsigned y = 0; y < ROWS; y++) {
		for (unsigned x = 0; x < COLUMNS; x++)
			row[x] = (char)cells[y * COLUMNS + x];
		if (strstr(row, words))
			return true;
	}
	return false;
}

static void mode_says(enum display_mode kind, uint32_t tag)
{
	const struct face_mode mode = {
		.head = { .kind = FACE_MODE, .tag = tag },
		.mode = kind,
		.width = 640,
		.height = 400,
		.columns = kind == DISPLAY_TEXT ? 40 : 0,
		.rows = kind == DISPLAY_TEXT ? 2 : 0,
		.cell_width = kind == DISPLAY_TEXT ? 16 : 0,
		.cell_height = kind == DISPLAY_TEXT ? 200 : 0,
		.depth = 4,
	};

	machine_puts(0, &mode, sizeof(mode));
}

static void cells_say(const char *words, uint32_t tag)
{
	struct {
		struct face_cells head;
		uint16_t cell[80];
	} record = { .head = { .head = { .kind = FACE_CELLS, .tag = tag },
			       .columns = 40,
			       .rows = 2,
			       .cursor = -1 } };

	for (unsigned i = 0; i < 80; i++)
		record.cell[i] = (uint16_t)(0x0700 | ' ');
	for (unsigned i = 0; words[i]; i++)
		record.cell[i] = (uint16_t)(0x0700 | (uint8_t)words[i]);
	machine_puts(0, &record, sizeof(record.head) + 80 * sizeof(uint16_t));
}

static void text_guest_in_cells(void **state)
{
	(void)state;
	turn();
	assert_true(is_shown("ScrollLock twice is the menu"));
	desk_opened(&desk, 1);
	turn();
	assert_false(is_shown("ScrollLock"));
	machine_expects(0, FACE_FRAME);
	assert_true(request.frame.flags & FACE_FRAME_TEXT);
	mode_says(DISPLAY_TEXT, request.head.tag);
	cells_say("C:\\>dir", request.head.tag);
	machine_says(0, FACE_FRAME_END, request.head.tag);
	assert_true(is_shown("C:\\>dir"));
	menu_of_two();
	host.now_ns += NSEC_PER_SEC;
	turn();
	assert_false(is_shown("C:\\>dir"));
	assert_true(is_shown(names[1]));
	assert_true(is_shown("Shut the host down"));
}

/* It is said what it needs, and it costs no more than a look now and then,
 * until it shows text. */
static void graphics_guest_in_cells(void **state)
{
	uint64_t then;

	(void)state;
	desk_opened(&desk, 1);
	turn();
	machine_expects(0, FACE_FRAME);
	mode_says(DISPLAY_GRAPHICS, request.head.tag);
	machine_says(0, FACE_FRAME_END, request.head.tag);
	assert_true(is_shown("graphics, 640 x 400 pixels"));
	then = host.now_ns;
	machine_says(0, FACE_CHANGED, request.head.tag);
	turn();
	machine_is_asked_nothing(0);
	assert_in_range(desk_deadline(&desk), then + NSEC_PER_MS,
			then + NSEC_PER_SEC);
	host.now_ns = desk_deadline(&desk);
	turn();
	machine_expects(0, FACE_FRAME);
	assert_true(desk_deadline(&desk) == UINT64_MAX);
	mode_says(DISPLAY_TEXT, request.head.tag);
	cells_say("text again", request.head.tag);
	machine_says(0, FACE_FRAME_END, request.head.tag);
	assert_true(is_shown("text again"));
	assert_false(is_shown("graphics"));
	machine_says(0, FACE_CHANGED, request.head.tag);
	turn();
	machine_expects(0, FACE_FRAME); /* at once */
}

static void menu_longer_than_the_screen(void **state)
{
	char name[8];
	uint32_t ask;

	(void)state;
	hot_key();
	ask = expect_ask(SEAT_LIST, "");
	for (unsigned i = 0; i < DESK_GUESTS; i++) {
		(void)snprintf(name, sizeof(name), "<%u>", i);
		tell_guest(ask, name);
	}
	tell_end(ask);
	for (unsigned i = 0; i < DESK_GUESTS; i++) {
		host.now_ns += NSEC_PER_SEC;
		turn();
		(void)snprintf(name, sizeof(name), "<%u>", i);
		assert_true(is_shown(name));
		press(INPUT_KEY_DOWN);
	}
	press(INPUT_KEY_DOWN);
	host.now_ns += NSEC_PER_SEC;
	turn();
	assert_true(is_shown("Shut the host down"));
	assert_true(is_shown("Enter: show"));
	assert_false(is_shown("<0>"));
}

#define DESK_TEST(name) cmocka_unit_test_setup(name, setup_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(first_guest_has_the_screen),
		DESK_TEST(hot_key_once),
		DESK_TEST(hot_key_held),
		DESK_TEST(keys_are_released_where_they_were_pressed),
		DESK_TEST(no_guest_takes_the_screen),
		DESK_TEST(shown_guest_goes),
		DESK_TEST(shown_machine_lies),
		DESK_TEST(menu_asks_init),
		DESK_TEST(menu_lists_twice),
		DESK_TEST(menu_of_too_many),
		DESK_TEST(console_types),
		DESK_TEST(console_is_hidden),
		DESK_TEST(console_shows_what_is_heard),
		cmocka_unit_test_setup(text_guest_in_cells, setup_text),
		cmocka_unit_test_setup(graphics_guest_in_cells, setup_text),
		cmocka_unit_test_setup(menu_longer_than_the_screen, setup_text),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
