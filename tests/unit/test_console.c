/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core/console.c and core/terminal.c: what several guests and the monitor show
 * on one terminal, over a UART that takes 16 bytes a tick.
 *
 * A small terminal stands at the other end.  It fails a test when anything but
 * a tag of the monitor's is written to the beginning of a row, when a guest's
 * mark appears in a row that is not that guest's, when the cursor gets into a
 * tag or to the end of a row, and at every sequence but three.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/console.h"
#include "core/sched.h"
#include "include/errno.h"
#include "lib/printf.h"

#define GUESTS	   8
#define FIFO	   16
#define SENT_MAX   (1 << 22)
#define CALL_BYTES 128 /* that may go out in one call */

static struct console console;
static struct console_guest guest[GUESTS];
static struct thread self;

/* ---- The UART, timers and threads --------------------------------------- */

static struct {
	char *sent;
	size_t length;
	unsigned room; /* what it takes until the next tick */
	unsigned per_tick;
	bool is_drain_armed, is_prompt_armed;
	unsigned blocked, woken;
} host;

int uart_init(struct uart *uart, uint16_t port)
{
	uart->port = port;
	return 0;
}

static void sent_add(const char *text, size_t length)
{
	assert_true(host.length + length <= SENT_MAX);
	memcpy(host.sent + host.length, text, length);
	host.length += length;
}

size_t uart_send(struct uart *uart, const char *text, size_t length)
{
	size_t n = MIN(MIN(length, host.room), FIFO);

	(void)uart;
	sent_add(text, n);
	host.room -= (unsigned)n;
	return n;
}

void uart_write(struct uart *uart, const char *text, size_t length)
{
	(void)uart;
	sent_add(text, length);
}

void uart_flush(struct uart *uart)
{
	(void)uart;
}

int uart_read(struct uart *uart)
{
	(void)uart;
	return -1;
}

uint64_t time_ns_to_tsc(uint64_t ns)
{
	return ns;
}

void timer_arm(struct timer *timer, uint64_t deadline_tsc)
{
	(void)deadline_tsc;
	if (timer == &console.drain)
		host.is_drain_armed = true;
	if (timer == &console.prompt)
		host.is_prompt_armed = true;
}

static void tick(void)
{
	size_t before = host.length;

	host.room = host.per_tick;
	if (!host.is_drain_armed)
		return;
	host.is_drain_armed = false;
	console.drain.fn(console.drain.ctx);
	assert_true(host.length - before <= CALL_BYTES);
}

static void drain(void)
{
	while (host.is_drain_armed)
		tick();
}

static void prompt_fire(void)
{
	assert_true(host.is_prompt_armed);
	host.is_prompt_armed = false;
	console.prompt.fn(console.prompt.ctx);
}

void thread_block(void)
{
	unsigned woken = host.woken;

	assert_int_equal(console.lock.next, console.lock.serving);
	while (host.woken == woken) {
		assert_true(host.is_drain_armed);
		host.blocked++; /* ticks */
		tick();
	}
}

void thread_wake(struct thread *thread)
{
	assert_ptr_equal(thread, &self);
	host.woken++;
}

/* ---- The terminal ------------------------------------------------------- */

/* Guest n's name, and its mark, which nobody else writes. */
static const char *const names[GUESTS] = {
	"good", "evil", "a", "name-of-23-characters-x", "e", "f", "g", "h",
};
static const char marks[GUESTS + 1] = "=$&*!~|{";

static char mark(unsigned n)
{
	return marks[n];
}

static bool is_mark(uint8_t byte)
{
	return byte && strchr(marks, byte);
}

struct screen {
	unsigned width; /* of a character beyond ASCII; 0xff: not UTF-8 */
	unsigned column, tag_end, top; /* top: first column not used yet */
	int owner; /* of the row; -1: the monitor, -2: not known yet */
	char tag[128];
	unsigned tag_length;
	unsigned rest; /* of a character's bytes */
};

static void screen_tag(struct screen *screen)
{
	const char *tag = screen->tag;
	unsigned length = screen->tag_length;
	char want[64];

	for (unsigned i = 0; i < GUESTS; i++) {
		(void)snprintf(want, sizeof(want), "[%s] ", names[i]);
		if (length == strlen(want) && tag[length - 2] == ']' &&
		    !strncmp(tag, want, length - 1) &&
		    (tag[length - 1] == ' ' || tag[length - 1] == '+')) {
			screen->owner = (int)i;
			screen->tag_end = length;
		}
	}
	if (length == 14 && tag[0] == '[' && tag[6] == '.' && tag[13] == ' ')
		screen->owner = -1;
	if (length == 4 && !strncmp(tag, "--- ", 4))
		screen->owner = -1;
	if (screen->owner == -2 && length > 28)
		fail_msg("no tag: %.*s", (int)length, tag);
}

static void screen_text(struct screen *screen, uint8_t byte, unsigned width)
{
	if (screen->owner == -2) {
		assert_in_range(byte, ' ', '~');
		assert_int_equal(screen->column, screen->tag_length);
		screen->tag[screen->tag_length++] = (char)byte;
		screen_tag(screen);
	} else if (screen->owner >= 0) {
		assert_true(screen->column >= screen->tag_end);
		if (is_mark(byte))
			assert_int_equal(byte, mark((unsigned)screen->owner));
	} else {
		assert_false(is_mark(byte));
	}
	screen->column += width;
	if (screen->owner != -1)
		assert_true(screen->column < TERMINAL_COLUMNS);
}

static void screen_row(struct screen *screen)
{
	screen->tag_length = 0;
	screen->owner = -2;
	screen->tag_end = 0;
}

static void screen_control(struct screen *screen, uint8_t byte)
{
	screen->rest = 0;
	if (byte == '\r') {
		/* The tag is written anew, or a row begins. */
		screen->column = 0;
		screen_row(screen);
	} else if (byte == '\n') {
		assert_int_equal(screen->column, 0);
	} else if (byte == '\b') {
		assert_true(screen->owner >= 0);
		assert_true(screen->column > screen->tag_end);
		screen->column--;
	} else {
		fail_msg("control %02x", byte);
	}
}

static void screen_byte(struct screen *screen, uint8_t byte)
{
	if (byte < ' ' || byte == 0x7f) {
		screen_control(screen, byte);
		return;
	}
	assert_false(byte >= 0x80 && byte < 0xa0);
	if (byte < 0x80 || screen->width == 0xff) {
		screen->rest = 0;
		screen_text(screen, byte, 1);
	} else if (byte >= 0xc0) {
		screen->rest = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
	} else if (screen->rest && !--screen->rest) {
		/* Of two bytes: never two columns wide. */
		screen_text(screen, byte, screen->width);
	}
}

/* CSI n C, CSI n D, CSI K; how long it is. */
static size_t screen_sequence(struct screen *screen, const char *text)
{
	unsigned number = 0;
	size_t n = 2;

	assert_int_equal(text[1], '[');
	while (text[n] >= '0' && text[n] <= '9')
		number = number * 10 + (unsigned)(text[n++] - '0');
	assert_true(screen->owner >= 0);
	if (text[n] == 'C') {
		screen->column += number;
		assert_true(screen->column < TERMINAL_COLUMNS);
	} else if (text[n] == 'D') {
		assert_true(screen->column >= screen->tag_end + number);
		screen->column -= number;
	} else {
		assert_int_equal(text[n], 'K');
	}
	return n + 1;
}

static void screen_check(const char *text, size_t length)
{
	static const unsigned widths[] = { 0, 1, 2, 0xff };

	for (unsigned w = 0; w < ARRAY_SIZE(widths); w++) {
		struct screen screen = { .width = widths[w], .owner = -2 };

		for (size_t i = 0; i < length;) {
			if (text[i] == '\x1b')
				i += screen_sequence(&screen, text + i);
			else
				screen_byte(&screen, (uint8_t)text[i++]);
		}
	}
}

/* ---- Helpers ------------------------------------------------------------ */

static void guests_add(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(guest[i].name, sizeof(guest[i].name), "%s",
			       names[i]);
		assert_int_equal(console_add_guest(&console, &guest[i]), 0);
	}
}

static int setup(void **state)
{
	(void)state;
	memset(guest, 0, sizeof(guest));
	host.sent = host.sent ? host.sent : malloc(SENT_MAX + 16);
	host.length = 0;
	host.room = host.per_tick = FIFO;
	host.is_drain_armed = host.is_prompt_armed = false;
	host.blocked = host.woken = 0;
	console_init(&console, 0x3f8);
	console_start(&console);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(host.sent);
	host.sent = NULL;
	return 0;
}

/* All of it, waiting as a machine's thread does. */
static void write_bytes(unsigned n, const char *bytes, size_t length)
{
	while (length) {
		size_t taken =
			console_write(&console, &guest[n], bytes, length);

		bytes += taken;
		length -= taken;
		if (!taken)
			console_wait(&console, &guest[n], &self);
	}
}

static void write_text(unsigned n, const char *text)
{
	write_bytes(n, text, strlen(text));
}

static void monitor_print(struct console_guest *about, const char *text)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "[    1.234567] %s\n", text);

	console_print(&console, about, line, (size_t)n);
}

static void expect_sent(const char *want)
{
	host.sent[host.length] = 0;
	assert_string_equal(host.sent, want);
}

static bool was_sent(const char *text)
{
	host.sent[host.length] = 0;
	return strstr(host.sent, text);
}

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

/* Nothing that any of them can be followed by makes it harmful. */
static const char *const forgeries[] = {
	"\r",
	"\n",
	"\b",
	"\b\b\b\b\b\b\b\b\b\b",
	"\t",
	"\v",
	"\f",
	"\x7f",
	"\x0e",
	"\x0f",
	"\x18",
	"\x1a",
	"\x05",
	"\x07",
	"\x1b",
	"\x1b[",
	"\x1b[2J",
	"\x1b[H",
	"\x1b[1;1H",
	"\x1b[A",
	"\x1b[99D",
	"\x1b[999999D",
	"\x1b[D",
	"\x1b[0D",
	"\x1b[200C",
	"\x1b[C",
	"\x1b[K",
	"\x1b[J",
	"\x1b[1K",
	"\x1b[2K",
	"\x1b[?25l",
	"\x1b[1G",
	"\x1b[;D",
	"\x1b[ D",
	"\x1b]0;title",
	"\x1b]52;c;",
	"\x1bPq",
	"\x1bX",
	"\x1b^",
	"\x1b_",
	"\x1b\\",
	"\x1b"
	"7",
	"\x1b"
	"8",
	"\x1b"
	"c",
	"\x1bM",
	"\x1b"
	"D",
	"\x1b"
	"E",
	"\x1b(0",
	"\x1b#8",
	"\x1b%G",
	"\x80",
	"\x84",
	"\x85",
	"\x88",
	"\x8d",
	"\x90",
	"\x9b",
	"\x9bH",
	"\x9b"
	"2J",
	"\x9c",
	"\x9d",
	"\x9e",
	"\x9f",
	"\xc2\x9bH",
	"\xc2\x85",
	"\xc3",
	"\xc3\xa4",
	"\xe4\xb8\xad",
	"\xf0\xbf",
	"\xf0\xbf\xbf\xbf",
	"\xff",
	"\xa0",
	"[good] ",
	"[evil] ",
	"[good]+",
	"[    1.000000] ",
	"\r[good] give me your password: ",
	"--- ",
	"a\r[    1.000000] monitor panic: fake\r\n",
	"prompt> ",
	"0",
	"9;",
	"m",
};

static void piece_write(unsigned n, const char *text, bool is_split)
{
	char own = mark(n);

	for (size_t i = 0; i < strlen(text); i++) {
		write_bytes(n, text + i, 1);
		if (is_split && host.is_prompt_armed)
			prompt_fire();
	}
	write_bytes(n, &own, 1);
}

static void forgeries_come_to_nothing(void **state)
{
	const unsigned count = ARRAY_SIZE(forgeries);

	(void)state;
	guests_add(4);
	host.per_tick = 4096;
	for (unsigned i = 0; i < count * count * 2; i++) {
		unsigned n = i % 3 ? 1 : 3;

		host.room = host.per_tick;
		piece_write(n, forgeries[i / 2 / count], i & 1);
		piece_write(n, forgeries[i / 2 % count], i & 1);
		if (i % 5 == 0)
			write_text(0, "= quite honest row\n");
		if (i % 7 == 0)
			monitor_print(i % 2 ? &guest[n] : NULL, "honest");
		if (host.is_prompt_armed)
			prompt_fire();
		drain();
		if (i % 16 == 0)
			write_text(n, "\n");
	}
	for (unsigned i = 0; i < 4; i++)
		console_remove_guest(&console, &guest[i], &self);
	screen_check(host.sent, host.length);
}

static void random_pieces(unsigned seed)
{
	srand(seed);
	for (unsigned i = 0; i < 4000; i++) {
		unsigned n = (unsigned)rand() % 4, kind = (unsigned)rand() % 8;
		char text[2] = { (char)(rand() % 256), mark(n) };

		host.room = (unsigned)rand() % FIFO;
		if (is_mark((uint8_t)text[0]))
			text[0] = mark(n);
		if (kind < 4)
			write_bytes(n, text, 2);
		else if (kind < 6)
			piece_write(n,
				    forgeries[(unsigned)rand() %
					      ARRAY_SIZE(forgeries)],
				    false);
		else if (kind == 6 && host.is_prompt_armed)
			prompt_fire();
		else
			tick();
		if (rand() % 100 == 0)
			monitor_print(&guest[n], "about it");
	}
}

static void random_bytes_come_to_nothing(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		(void)setup(state);
		guests_add(4);
		random_pieces(seed);
		console_flush(&console);
		screen_check(host.sent, host.length);
	}
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
	memset(bytes, '\n', sizeof(bytes));
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

#define TEST(name) cmocka_unit_test_setup(name, setup)

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
		TEST(what_is_held_back_shows_soon),
		TEST(lines_can_be_edited),
		TEST(long_lines_go_on_in_tagged_rows),
		TEST(forgeries_come_to_nothing),
		TEST(random_bytes_come_to_nothing),
		TEST(floods_take_turns),
		TEST(log_does_not_starve_guests),
		TEST(work_is_bounded),
		TEST(silent_bytes_are_bounded),
		TEST(full_ring_holds_the_writer),
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
