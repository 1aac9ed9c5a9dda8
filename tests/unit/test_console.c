/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel/console.c: turns, waiting, prompts, what a guest alone may do, and
 * that nothing is lost at an end.
 */
#include "tests/unit/console_test.h"

/* ---- Alone -------------------------------------------------------------- */

static void alone_passes_every_byte(void **state)
{
	char bytes[4096];

	(void)state;
	guests_add(1);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 + i / 256);
	write_bytes(0, bytes, sizeof(bytes));
	drain();
	assert_int_equal(host.length, sizeof(bytes));
	assert_memory_equal(host.sent, bytes, sizeof(bytes));
	assert_true(host.blocked > 0);
}

static void alone_monitor_line_ends_a_string(void **state)
{
	(void)state;
	guests_add(1);
	write_text(0, "\x1b]0;swallow");
	drain();
	monitor_print(NULL, "seen");
	drain();
	expect_sent("\x1b]0;swallow\x18\x1b\\\r\n[    1.234567] seen\r\n");
}

static void second_guest_resets_the_terminal(void **state)
{
	(void)state;
	guests_add(1);
	write_text(0, "\x1b[8m\x1b[5;1Hx\x1b[3");
	drain();
	host.length = 0;
	assert_int_equal(console_add_guest(&console, &guest[1]), 0);
	(void)snprintf(guest[1].name, sizeof(guest[1].name), "evil");
	write_text(0, "1mrest\n");
	drain();
	expect_sent("\x18\x1b\\\x1b"
		    "c[good]+rest\r\n");
}

static void plain_text_needs_no_reset(void **state)
{
	(void)state;
	guests_add(1);
	write_text(0, "login: ");
	guests_add(2);
	console.guest_count = 2;
	console.guest[1] = &guest[1];
	host.room = FIFO;
	write_text(0, "me\n");
	drain();
	expect_sent("login: \r\n[good]+me\r\n");
}

static void who_is_left_owns_the_terminal(void **state)
{
	(void)state;
	guests_add(2);
	write_text(1, "last words");
	write_text(0, "held ");
	console_remove_guest(&console, &guest[1], &self);
	write_text(0, "\x1b[1mraw");
	drain();
	expect_sent("[evil] last words\r\nheld \x1b[1mraw");
}

/* ---- Shared ------------------------------------------------------------- */

static void lines_are_tagged(void **state)
{
	(void)state;
	guests_add(2);
	write_text(0, "one\r\ntwo\n\n");
	write_text(1, "three\n");
	drain();
	assert_true(was_sent("[good] one\r\n"));
	assert_true(was_sent("[good] two\r\n"));
	assert_true(was_sent("[good] \r\n"));
	assert_true(was_sent("[evil] three\r\n"));
	screen_check(host.sent, host.length);
}

static void prompts_show_and_go_on(void **state)
{
	(void)state;
	guests_add(2);
	write_text(0, "# ");
	drain();
	assert_int_equal(host.length, 0);
	prompt_fire();
	drain();
	expect_sent("[good] # ");
	host.room = FIFO;
	write_text(0, "l");
	expect_sent("[good] # l");
	write_text(1, "x\n");
	drain();
	write_text(0, "s\n");
	drain();
	expect_sent("[good] # l\r\n[evil] x\r\n[good]+s\r\n");
}

/* Another's prompt is due, this one may only have lost its processor. */
static void a_line_just_begun_is_not_due(void **state)
{
	(void)state;
	guests_add(2);
	write_text(0, "bea");
	guest[0].held_tsc = UINT64_MAX / 2;
	host.is_prompt_armed = false;
	console.prompt.fn(console.prompt.ctx);
	assert_int_equal(host.length, 0);
	assert_true(host.is_prompt_armed);
	write_text(0, "t\n");
	drain();
	expect_sent("[good] beat\r\n");
}

/* Its row was ended by another's while it had more to say. */
static void what_is_held_back_shows_soon(void **state)
{
	(void)state;
	guests_add(2);
	write_text(0, "# ");
	prompt_fire();
	drain();
	host.room = 0;
	write_text(1, "first\n");
	write_text(0, "l");
	console.turn = 1;
	drain();
	if (host.is_prompt_armed)
		prompt_fire();
	drain();
	expect_sent("[good] # \r\n[evil] first\r\n[good]+l");
}

static void lines_can_be_edited(void **state)
{
	(void)state;
	guests_add(2);
	write_text(0, "# ab");
	prompt_fire();
	drain();
	host.length = 0;
	write_text(0, "\b \b\b\b\b\b\b\b");
	drain();
	expect_sent("\b \b\b\b\b");
	host.length = 0;
	write_text(0, "abc\x1b[2D\x1b[C\x1b[J");
	drain();
	expect_sent("abc\x1b[2D\x1b[1C\x1b[K");
	host.length = 0;
	write_text(0, "\r# x");
	drain();
	expect_sent("\r[good] # x");
}

static void a_line_ends_every_sequence(void **state)
{
	(void)state;
	guests_add(2);
	write_text(0, "\x1b]0;title\na\x1b[12\r\n\x1bPq\rb\n");
	drain();
	assert_false(guest[0].newlines);
	expect_sent("[good] \r\n[good] a\r\n[good] b\r\n");
}

static void long_lines_go_on_in_tagged_rows(void **state)
{
	char line[201];

	(void)state;
	guests_add(2);
	memset(line, 'A', 200);
	line[200] = 0;
	write_text(0, line);
	write_text(0, "\n");
	drain();
	screen_check(host.sent, host.length);
	assert_true(was_sent("\r\n[good]+A"));
	assert_int_equal(host.length, 200 + 3 * (strlen("[good] ") + 2));
}

/* ---- Turns -------------------------------------------------------------- */

/* The owner of each row, in order; the monitor is -1. */
static unsigned rows_read(int *owner, unsigned max)
{
	unsigned count = 0;
	char *row;

	host.sent[host.length] = 0;
	for (row = strtok(host.sent, "\r\n"); row && count < max;
	     row = strtok(NULL, "\r\n")) {
		owner[count] = -1;
		for (int i = 0; i < GUESTS; i++)
			if (!strncmp(row + 1, names[i], strlen(names[i])) &&
			    row[1 + strlen(names[i])] == ']')
				owner[count] = i;
		count++;
	}
	return count;
}

static void flood(unsigned guests, bool has_log)
{
	char bytes[CONSOLE_RING];

	guests_add(guests);
	for (unsigned t = 0; t < 4000; t++) {
		for (unsigned i = 0; i < guests; i++) {
			size_t n = 256;

			memset(bytes, mark(i), sizeof(bytes));
			if (i % 2) /* the others send no newlines at all */
				bytes[50] = '\n';
			while (n)
				n = console_write(&console, &guest[i], bytes,
						  n) == n
					    ? n
					    : 0;
		}
		if (has_log)
			monitor_print(NULL, "log");
		tick();
	}
}

static void floods_take_turns(void **state)
{
	static int owner[8192];
	unsigned rows, last[GUESTS] = { 0 };

	(void)state;
	flood(GUESTS, false);
	rows = rows_read(owner, ARRAY_SIZE(owner));
	assert_true(rows > 500);
	for (unsigned i = 0; i < rows - 1; i++) {
		assert_true(owner[i] >= 0);
		assert_true(i - last[owner[i]] <= GUESTS);
		last[owner[i]] = i;
	}
	for (unsigned i = 0; i < GUESTS; i++)
		assert_true(rows - last[i] <= GUESTS + 1);
}

static void log_does_not_starve_guests(void **state)
{
	static int owner[8192];
	unsigned rows, guests = 0;

	(void)state;
	flood(2, true);
	rows = rows_read(owner, ARRAY_SIZE(owner));
	for (unsigned i = 0; i < rows - 1; i++) {
		guests += owner[i] >= 0;
		assert_true(owner[i] >= 0 || owner[i + 1] >= 0);
	}
	assert_true(guests > rows / 3 && guests < rows);
}

/* The UART may be as fast as it likes. */
static void work_is_bounded(void **state)
{
	char bytes[256];
	size_t before;

	(void)state;
	guests_add(2);
	host.per_tick = 1 << 20;
	memset(bytes, 'x', sizeof(bytes));
	for (unsigned i = 60; i < sizeof(bytes); i += 60)
		bytes[i] = '\n';
	for (unsigned i = 0; i < 200; i++) {
		host.room = host.per_tick;
		before = host.length;
		(void)!console_write(&console, &guest[i % 2], bytes,
				     sizeof(bytes));
		assert_true(host.length - before <= CALL_BYTES);
		if (i % 20 == 0)
			tick();
	}
}

/* A sequence without an end shows nothing and holds nobody up. */
static void silent_bytes_are_bounded(void **state)
{
	char bytes[1024];

	(void)state;
	guests_add(2);
	memset(bytes, ';', sizeof(bytes));
	memcpy(bytes, "\x1b]", 2);
	write_bytes(1, bytes, sizeof(bytes));
	assert_true(host.is_drain_armed);
	assert_true(guest[1].out.tail <= 4 * CONSOLE_LINE_MAX);
	drain();
	prompt_fire();
	assert_int_equal(guest[1].out.tail, sizeof(bytes));
	assert_int_equal(host.length, 0);
}

/* ---- Waiting ------------------------------------------------------------ */

static void full_ring_holds_the_writer(void **state)
{
	char bytes[CONSOLE_RING];
	size_t taken = 0, n;

	(void)state;
	guests_add(2);
	host.room = 0;
	memset(bytes, mark(1), sizeof(bytes));
	while ((n = console_write(&console, &guest[1], bytes, 1000)))
		taken += n;
	/* And one row that is on its way. */
	assert_in_range(taken, CONSOLE_RING - CONSOLE_RESERVE,
			CONSOLE_RING - CONSOLE_RESERVE + TERMINAL_COLUMNS);
	while (!console_write(&console, &guest[1], bytes, 1))
		console_wait(&console, &guest[1], &self);
	assert_true(host.woken >= 1 && host.blocked >= 256 / FIFO);
	assert_true(list_is_empty(&guest[1].waiters));
	console_wait(&console, &guest[1], &self);
	write_text(0, "a short one\n");
	drain();
	assert_true(was_sent("[good] a short one\r\n"));
}

/* A report waits for its turn, and none of the log is lost by it. */
static void full_log_holds_reports(void **state)
{
	static const char line[] = "[    1.000000] a line of a long report\n";

	(void)state;
	guests_add(2);
	host.room = 0;
	for (unsigned report = 0; report < 20; report++) {
		console_wait_log(&console, &self);
		for (unsigned i = 0; i < 50; i++)
			console_print(&console, NULL, line, sizeof(line) - 1);
	}
	assert_true(host.blocked > 0);
	assert_int_equal(console.log_lost, 0);
	assert_true(list_is_empty(&console.log_waiters));
	drain();
	assert_false(was_sent("lines of the log were lost"));
}

static void last_words_are_not_lost(void **state)
{
	static char lines[1500];
	size_t count = 0;

	(void)state;
	guests_add(3);
	memset(lines, mark(1), sizeof(lines));
	host.room = 0;
	write_bytes(1, lines, sizeof(lines));
	monitor_print(&guest[1], "stopped: it ended");
	console_remove_guest(&console, &guest[1], &self);
	monitor_print(NULL, "all guests have stopped");
	drain();
	assert_true(host.blocked > 0);
	for (size_t i = 0; i < host.length; i++)
		count += host.sent[i] == mark(1);
	assert_int_equal(count, sizeof(lines));
	assert_true(was_sent("$\r\n[    1.234567] stopped: it ended\r\n"
			     "[    1.234567] all guests have stopped\r\n"));
	assert_int_equal(console_write(&console, &guest[1], "x", 1), 1);
	assert_false(was_sent("x"));
}

static void lines_about_a_guest_come_in_order(void **state)
{
	(void)state;
	guests_add(1);
	host.room = 0;
	write_text(0, "before\r\n");
	monitor_print(&guest[0], "about");
	monitor_print(NULL, "other");
	write_text(0, "after");
	drain();
	assert_true(was_sent("before\r\n[    1.234567] about\r\nafter"));
	assert_true(was_sent("[    1.234567] other\r\n"));
}

static void full_log_says_so(void **state)
{
	(void)state;
	host.room = 0;
	for (unsigned i = 0; i < 1000; i++)
		monitor_print(NULL, "a line like the others before and after");
	drain();
	monitor_print(NULL, "last");
	drain();
	assert_true(was_sent("lines of the log were lost ---\r\n"
			     "[    1.234567] last\r\n"));
	assert_true(host.length > CONSOLE_LOG - 100);
}

/* ---- Ends --------------------------------------------------------------- */

static void flush_sends_all(void **state)
{
	(void)state;
	guests_add(2);
	host.room = 0;
	write_text(0, "a\nunfinished");
	write_text(1, "b\n");
	monitor_print(NULL, "log");
	console_flush(&console);
	assert_true(was_sent("[good] a\r\n"));
	assert_true(was_sent("[good] unfinished"));
	assert_true(was_sent("[evil] b\r\n"));
	assert_true(was_sent("[    1.234567] log\r\n"));
	monitor_print(NULL, "safe");
	assert_true(was_sent("safe\r\n"));
	screen_check(host.sent, host.length);
}

static void panic_gets_through(void **state)
{
	(void)state;
	guests_add(2);
	host.room = 20;
	monitor_print(NULL, "a line that is half out");
	monitor_print(NULL, "waits");
	write_text(0, "a guest's\n");
	(void)spin_lock_irqsave(&console.lock);
	guest[0].out.head += 100000; /* in the middle of anything */
	console_break_lock(&console);
	monitor_print(NULL, "monitor panic");
	expect_sent("[    1.234567] a line that is half out\r\n"
		    "[    1.234567] waits\r\n"
		    "[    1.234567] monitor panic\r\n");
}

static void early_lines_go_out_at_once(void **state)
{
	(void)state;
	console_init(&console, 0x3f8);
	host.room = 0;
	monitor_print(NULL, "early");
	expect_sent("[    1.234567] early\r\n");
}

static void dead_uart_holds_nobody(void **state)
{
	char bytes[CONSOLE_RING];
	unsigned ticks = 0;

	(void)state;
	guests_add(2);
	memset(bytes, 'A', sizeof(bytes));
	host.room = host.per_tick = 0;
	(void)!console_write(&console, &guest[0], bytes, sizeof(bytes));
	monitor_print(NULL, "lost");
	while (host.is_drain_armed && ticks++ < 1000)
		tick();
	assert_in_range(ticks, 600, 800); /* a second */
	write_bytes(0, bytes, sizeof(bytes));
	assert_false(host.is_drain_armed);
	console_remove_guest(&console, &guest[1], &self);
	host.room = host.per_tick = FIFO;
	write_text(0, "back\n");
	drain();
	assert_true(was_sent("back\n"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(alone_passes_every_byte),
		TEST(alone_monitor_line_ends_a_string),
		TEST(second_guest_resets_the_terminal),
		TEST(plain_text_needs_no_reset),
		TEST(who_is_left_owns_the_terminal),
		TEST(lines_are_tagged),
		TEST(prompts_show_and_go_on),
		TEST(a_line_just_begun_is_not_due),
		TEST(what_is_held_back_shows_soon),
		TEST(lines_can_be_edited),
		TEST(a_line_ends_every_sequence),
		TEST(long_lines_go_on_in_tagged_rows),
		TEST(floods_take_turns),
		TEST(log_does_not_starve_guests),
		TEST(work_is_bounded),
		TEST(silent_bytes_are_bounded),
		TEST(full_ring_holds_the_writer),
		TEST(full_log_holds_reports),
		TEST(last_words_are_not_lost),
		TEST(lines_about_a_guest_come_in_order),
		TEST(full_log_says_so),
		TEST(flush_sends_all),
		TEST(panic_gets_through),
		TEST(early_lines_go_out_at_once),
		TEST(dead_uart_holds_nobody),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, teardown);
}
