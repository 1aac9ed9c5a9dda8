/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * services/seat's mux: turns, waiting, prompts, what a console alone may do,
 * and that nothing is lost at an end.
 */
#include "tests/unit/seat_test.h"

/* ---- Alone -------------------------------------------------------------- */

static void alone_passes_every_byte(void **state)
{
	char bytes[16384];

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
	monitor_print(-1, "seen");
	prompt_fire();
	drain();
	expect_sent("\x1b]0;swallow\x18\x1b\\\r\n[    1.234567] seen\r\n");
}

/* A line that is on its way ends first. */
static void alone_row_stays_whole(void **state)
{
	(void)state;
	guests_add(1);
	write_text(0, "EN");
	run();
	monitor_print(-1, "log");
	host.now_ns += 40 * NSEC_PER_MS;
	run();
	write_text(0, "D");
	run();
	host.now_ns += 40 * NSEC_PER_MS;
	write_text(0, "\n");
	drain();
	expect_sent("END\n[    1.234567] log\r\n");
}

static void write_two_lines_half(void)
{
	bool bell;

	host.on_log_read = NULL;
	assert_int_equal(ring_write(&guest(0)->output, "two\nTH", 6, &bell), 6);
}

/* What is about a program that writes meanwhile is behind a whole line of it.
 */
static void notice_stands_between_lines(void **state)
{
	(void)state;
	guests_add(1);
	write_text(0, "one\n");
	drain();
	host.on_log_read = write_two_lines_half;
	monitor_print(0, "about");
	write_text(0, "REE\n");
	drain();
	expect_sent("one\ntwo\n[    1.234567] [good] about\r\nTHREE\n");
}

/* However long it is, and though more come. */
static void alone_long_row_stays_whole(void **state)
{
	char row[302];

	(void)state;
	guests_add(1);
	write_text(0, ">");
	drain();
	host.length = 0;
	memset(row, 'x', 300);
	memcpy(row + 300, "\n", 2);
	for (unsigned i = 0; i < 4; i++)
		write_text(0, row);
	monitor_print(-1, "log");
	drain();
	host.sent[host.length] = 0;
	assert_memory_equal(host.sent, row, 301);
	assert_true(strstr(host.sent, "x\n[    1.234567] log\r\nx"));
}

/* One that never ends keeps nothing from the log. */
static void alone_endless_row_is_cut(void **state)
{
	(void)state;
	guests_add(1);
	write_text(0, ".");
	run();
	monitor_print(-1, "log");
	for (unsigned i = 0; i < 60; i++) {
		host.now_ns += 10 * NSEC_PER_MS;
		write_text(0, ".");
		run();
		if (i < 40)
			assert_false(was_sent("log"));
	}
	drain();
	assert_true(was_sent(".\r\n[    1.234567] log\r\n."));
}

static void second_guest_resets_the_terminal(void **state)
{
	(void)state;
	guests_add(1);
	write_text(0, "\x1b[8m\x1b[5;1Hx\x1b[3");
	drain();
	host.length = 0;
	guest_add(1);
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
	drain();
	guest_add(1);
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
	guest_remove(1);
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
	write_text(0, "l");
	expect_sent("[good] # l");
	drain();
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
	write_text(1, "# ");
	host.now_ns += 40 * NSEC_PER_MS;
	write_text(0, "bea");
	host.now_ns += 20 * NSEC_PER_MS;
	run();
	drain();
	expect_sent("[evil] # ");
	assert_true(mux.is_prompt_expected);
	write_text(0, "t\n");
	drain();
	expect_sent("[evil] # \r\n[good] beat\r\n");
}

/* Its row was ended by another's while it had more to say. */
static void what_is_held_back_shows_soon(void **state)
{
	(void)state;
	guests_add(2);
	write_text(0, "# ");
	prompt_fire();
	drain();
	host.room = host.per_tick = 0;
	write_text(1, "first\n");
	write_text(0, "l");
	mux.turn = 1;
	host.per_tick = FIFO;
	drain();
	if (mux.is_prompt_expected)
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
	assert_false(console(0)->newlines);
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

/* The firmware's debug port and the serial port do not mix within a line. */
static void two_streams_change_at_line_ends(void **state)
{
	(void)state;
	guests_add(2);
	host.room = host.per_tick = 0;
	write_text(1, "all that follows waits\n");
	write_ring(0, &guest(0)->debug, "debug one\ndebug", 15);
	write_ring(0, &guest(0)->output, "serial one\nserial two\n", 22);
	write_ring(0, &guest(0)->debug, " two\n", 5);
	host.per_tick = FIFO;
	drain();
	assert_true(was_sent("[good] debug one\r\n"));
	assert_true(was_sent("[good] serial one\r\n"));
	assert_true(was_sent("[good] debug two\r\n"));
	screen_check(host.sent, host.length);
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
	char bytes[256];

	guests_add(guests);
	for (unsigned t = 0; t < 4000; t++) {
		for (unsigned i = 0; i < guests; i++) {
			memset(bytes, mark(i), sizeof(bytes));
			if (i % 2) /* the others send no newlines at all */
				bytes[50] = '\n';
			while (write_some(i, &guest(i)->output, bytes,
					  sizeof(bytes)) == sizeof(bytes))
				;
			/* And rings without end. */
			mux_ring(&mux, i + 1);
			run();
		}
		if (has_log)
			monitor_print(-1, "log");
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

/* The UART may be as fast as it likes: run() counts what goes out. */
static void work_is_bounded(void **state)
{
	char bytes[256];

	(void)state;
	guests_add(2);
	host.room = host.per_tick = 1 << 20;
	memset(bytes, 'x', sizeof(bytes));
	for (unsigned i = 60; i < sizeof(bytes); i += 60)
		bytes[i] = '\n';
	for (unsigned i = 0; i < 200; i++) {
		(void)!write_some(i % 2, &guest(i % 2)->output, bytes,
				  sizeof(bytes));
		if (i % 20 == 0)
			tick();
	}
	assert_true(host.length > 0);
}

/* A sequence without an end shows nothing and holds nobody up. */
static void silent_bytes_are_bounded(void **state)
{
	char bytes[4000];

	(void)state;
	guests_add(2);
	memset(bytes, ';', sizeof(bytes));
	memcpy(bytes, "\x1b]", 2);
	assert_int_equal(write_some(1, &guest(1)->output, bytes, 4000), 4000);
	assert_true(mux.is_draining);
	assert_true(console(1)->out.tail <= 4 * MUX_TURN_MAX);
	drain();
	assert_true(console(1)->out.tail > 3000);
	if (mux.is_prompt_expected)
		prompt_fire();
	assert_int_equal(console(1)->out.tail, sizeof(bytes));
	assert_int_equal(host.length, 0);
}

/* ---- Bells -------------------------------------------------------------- */

/* Bytes that come one by one wake seat once a FIFO, not once a byte. */
static void single_bytes_do_not_ring(void **state)
{
	unsigned runs, asked = 0;

	(void)state;
	guests_add(1);
	write_text(0, "a");
	runs = host.runs;
	for (unsigned i = 0; i < FIFO - 1; i++)
		write_text(0, "b");
	assert_int_equal(host.runs, runs);
	drain();
	expect_sent("abbbbbbbbbbbbbbb");
	asked += guest(0)->memory.output.consumer_sleeps;
	asked += guest(0)->memory.debug.consumer_sleeps;
	asked += guest(0)->memory.e9.consumer_sleeps;
	assert_int_equal(asked, 3);
	assert_int_equal(mux_deadline(&mux), UINT64_MAX);
}

static void bells_ring_only_who_asked(void **state)
{
	char bytes[SEAT_OUTPUT_SIZE];

	(void)state;
	guests_add(2);
	memset(bytes, 'x', sizeof(bytes));
	write_bytes(0, bytes, sizeof(bytes) / 2);
	drain();
	assert_int_equal(guest(0)->bells, 0);
	host.room = host.per_tick = 0;
	while (write_some(0, &guest(0)->output, bytes, sizeof(bytes)))
		;
	assert_true(ring_sleep(&guest(0)->output));
	host.per_tick = FIFO;
	drain();
	assert_int_equal(guest(0)->bells, 1);
	assert_int_equal(guest(1)->bells, 0);
}

/* ---- Waiting ------------------------------------------------------------ */

static void full_ring_holds_the_writer(void **state)
{
	char bytes[SEAT_OUTPUT_SIZE];
	size_t taken = 0, n;

	(void)state;
	guests_add(2);
	host.room = 0;
	memset(bytes, mark(1), sizeof(bytes));
	while ((n = write_some(1, &guest(1)->output, bytes, 1000)))
		taken += n;
	assert_in_range(taken, SEAT_OUTPUT_SIZE,
			SEAT_OUTPUT_SIZE + MUX_BUFFER + TERMINAL_COLUMNS);
	write_bytes(1, bytes, 1);
	assert_true(guest(1)->bells >= 1 && host.blocked >= 256 / FIFO);
	write_text(0, "a short one\n");
	drain();
	assert_true(was_sent("[good] a short one\r\n"));
}

/* A report of the monitor's waits there, and none of it is lost. */
static void full_log_waits(void **state)
{
	unsigned lines = 0;

	(void)state;
	guests_add(2);
	host.room = host.per_tick = 0;
	for (unsigned i = 0; i < 1000; i++)
		monitor_print(i % 3 ? -1 : 1, "a line of a long report");
	assert_true(host.log_read <= MUX_LOG + MUX_BUFFER + MUX_TEXT);
	host.per_tick = FIFO;
	drain();
	host.sent[host.length] = 0;
	for (char *at = host.sent; (at = strstr(at, "a long report\r\n")); at++)
		lines++;
	assert_int_equal(lines, 1000);
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
	monitor_print(1, "stopped: it ended");
	guest_remove(1);
	monitor_print(-1, "all guests have stopped");
	drain();
	for (size_t i = 0; i < host.length; i++)
		count += host.sent[i] == mark(1);
	assert_int_equal(count, sizeof(lines));
	assert_true(was_sent("$\r\n[    1.234567] [evil] stopped: it ended\r\n"
			     "[    1.234567] all guests have stopped\r\n"));
}

/* Written while seat had not asked for a doorbell. */
static void words_without_a_bell_are_not_lost(void **state)
{
	unsigned runs;

	(void)state;
	guests_add(2);
	host.per_tick = 1000;
	tick();
	write_text(0, "first\n");
	assert_true(mux.is_draining);
	runs = host.runs;
	write_text(0, "last\n");
	assert_int_equal(host.runs, runs);
	guest_remove(0);
	drain();
	expect_sent("[good] first\r\n[good] last\r\n");
}

static void lines_about_a_guest_come_in_order(void **state)
{
	(void)state;
	guests_add(1);
	host.room = 0;
	write_text(0, "before\r\n");
	monitor_print(0, "about");
	monitor_print(-1, "other");
	write_text(0, "after");
	drain();
	prompt_fire();
	drain();
	assert_true(was_sent("before\r\n[    1.234567] [good] about\r\nafter"));
	assert_true(was_sent("[    1.234567] other\r\n"));
}

/* More than the buffer holds is before it, and more comes behind. */
static void a_notice_keeps_its_place(void **state)
{
	char line[1001];

	(void)state;
	guests_add(2);
	host.room = host.per_tick = 0;
	memset(line, '=', 1000);
	for (unsigned i = 49; i < 1000; i += 50)
		line[i] = '\n';
	line[1000] = 0;
	write_text(0, line);
	monitor_print(0, "about");
	write_text(0, "after\n");
	write_ring(0, &guest(0)->debug, "debug\n", 6);
	host.per_tick = FIFO;
	drain();
	assert_true(was_sent("=\r\n[    1.234567] [good] about\r\n[good] "));
	assert_true(strstr(host.sent, "[good] after") >
		    strstr(host.sent, "about"));
	assert_null(strstr(strstr(host.sent, "about"), "="));
	assert_true(was_sent("[good] debug\r\n"));
}

/* What a program logs may be long; no row of it begins with its words. */
static void logged_lines_are_cut(void **state)
{
	char text[201], row[128];

	(void)state;
	guests_add(2);
	memset(text, 'x', 200);
	memcpy(text + 80 - strlen("[    1.234567] [evil] "), "[good] lie ", 11);
	text[200] = 0;
	monitor_print(1, text);
	drain();
	screen_check(host.sent, host.length);
	(void)snprintf(row, sizeof(row), "[    1.234567] [evil] %.57s\r\n",
		       text);
	assert_true(was_sent(row));
	(void)snprintf(row, sizeof(row), "[    1.234567] [evil] %.57s\r\n",
		       text + 57);
	assert_true(was_sent(row));
}

static void log_bytes_are_printable(void **state)
{
	(void)state;
	guests_add(2);
	monitor_print(-1, "a\x1b[2Jb\rc\x9b");
	write_text(1, "first\n");
	monitor_print(1, "a\x1b[2Jb\rc\x9b");
	drain();
	assert_true(was_sent("[    1.234567] a?[2Jb?c?\r\n"));
	assert_true(was_sent("[    1.234567] [evil] a?[2Jb?c?\r\n"));
	screen_check(host.sent, host.length);
}

/* ---- Ends --------------------------------------------------------------- */

static void flush_sends_all(void **state)
{
	(void)state;
	guests_add(2);
	host.room = 0;
	host.is_idle = false;
	write_text(0, "a\nunfinished");
	write_text(1, "b\n");
	monitor_print(-1, "log");
	mux_flush(&mux);
	run();
	for (unsigned i = 0; i < 20; i++) {
		assert_false(mux_is_flushed(&mux));
		tick();
	}
	/* The last byte is still in the transmitter. */
	assert_true(was_sent("[good] unfinished"));
	assert_false(mux_is_flushed(&mux));
	host.is_idle = true;
	assert_true(mux_deadline(&mux) != UINT64_MAX);
	tick();
	assert_true(mux_is_flushed(&mux));
	assert_true(was_sent("[good] a\r\n"));
	assert_true(was_sent("[evil] b\r\n"));
	assert_true(was_sent("[    1.234567] log\r\n"));
	screen_check(host.sent, host.length);
	drain();
	assert_int_equal(mux_deadline(&mux), UINT64_MAX);
}

/* What comes meanwhile does not hold it up, nor that the UART is never idle. */
static void flush_beside_a_flood(int log_about)
{
	char bytes[512];
	unsigned ticks = 0;

	guests_add(2);
	memset(bytes, 'x', sizeof(bytes));
	(void)!write_some(1, &guest(1)->output, bytes, sizeof(bytes));
	write_text(0, "mine\n");
	host.is_idle = false;
	mux_flush(&mux);
	run();
	while (!mux_is_flushed(&mux)) {
		(void)!write_some(1, &guest(1)->output, bytes, sizeof(bytes));
		if (ticks % 8 == 0)
			monitor_print(log_about, "talks on");
		tick();
		assert_true(ticks++ < 2000);
	}
	assert_true(was_sent("[good] mine\r\n"));
}

static void flush_ends_beside_floods(void **state)
{
	flush_beside_a_flood(-1);
	(void)setup(state);
	flush_beside_a_flood(1);
}

static void dead_uart_holds_nobody(void **state)
{
	char bytes[SEAT_OUTPUT_SIZE];
	unsigned ticks = 0;

	(void)state;
	guests_add(2);
	memset(bytes, 'A', sizeof(bytes));
	host.room = host.per_tick = 0;
	(void)!write_some(0, &guest(0)->output, bytes, sizeof(bytes));
	monitor_print(-1, "lost");
	host.is_idle = false;
	while (mux.is_draining && ticks++ < 1000)
		tick();
	assert_in_range(ticks, 600, 800); /* a second */
	write_bytes(0, bytes, sizeof(bytes));
	assert_false(mux.is_draining);
	mux_flush(&mux);
	run();
	assert_true(mux_is_flushed(&mux));
	drain();
	guest_remove(1);
	host.room = host.per_tick = FIFO;
	write_text(0, "back\n");
	drain();
	assert_true(was_sent("back\n"));
}

/* Nothing to send, but the transmitter never says that it is empty. */
static void flush_gives_a_dead_transmitter_up(void **state)
{
	unsigned ticks = 0;

	(void)state;
	guests_add(1);
	write_text(0, "x");
	host.is_idle = false;
	mux_flush(&mux);
	run();
	while (!mux_is_flushed(&mux)) {
		tick();
		assert_true(ticks++ < 1000);
	}
	assert_in_range(ticks, 600, 800);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(alone_passes_every_byte),
		TEST(alone_monitor_line_ends_a_string),
		TEST(alone_row_stays_whole),
		TEST(notice_stands_between_lines),
		TEST(alone_long_row_stays_whole),
		TEST(alone_endless_row_is_cut),
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
		TEST(two_streams_change_at_line_ends),
		TEST(floods_take_turns),
		TEST(log_does_not_starve_guests),
		TEST(work_is_bounded),
		TEST(silent_bytes_are_bounded),
		TEST(single_bytes_do_not_ring),
		TEST(bells_ring_only_who_asked),
		TEST(full_ring_holds_the_writer),
		TEST(full_log_waits),
		TEST(last_words_are_not_lost),
		TEST(words_without_a_bell_are_not_lost),
		TEST(lines_about_a_guest_come_in_order),
		TEST(a_notice_keeps_its_place),
		TEST(logged_lines_are_cut),
		TEST(log_bytes_are_printable),
		TEST(flush_sends_all),
		TEST(flush_ends_beside_floods),
		TEST(dead_uart_holds_nobody),
		TEST(flush_gives_a_dead_transmitter_up),
	};

	return cmocka_run_group_tests_name("seat mux", tests, NULL, teardown);
}
