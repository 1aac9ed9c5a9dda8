/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of kernel/console.c share: a UART that takes 16 bytes a tick,
 * the timers, a thread, and a small terminal at the other end.
 *
 * The terminal fails a test when anything but a tag of the monitor's is written
 * to the beginning of a row, when a guest's mark appears in a row that is not
 * that guest's, when the cursor gets into a tag or to the end of a row, and at
 * every sequence but three.
 */
#ifndef BULKHEAD_TESTS_CONSOLE_TEST_H
#define BULKHEAD_TESTS_CONSOLE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/console.h"
#include "kernel/sched.h"
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

static inline void sent_add(const char *text, size_t length)
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

static inline void tick(void)
{
	size_t before = host.length;

	host.room = host.per_tick;
	if (!host.is_drain_armed)
		return;
	host.is_drain_armed = false;
	console.drain.fn(console.drain.ctx);
	assert_true(host.length - before <= CALL_BYTES);
}

static inline void drain(void)
{
	while (host.is_drain_armed)
		tick();
}

static inline void prompt_fire(void)
{
	assert_true(host.is_prompt_armed);
	host.is_prompt_armed = false;
	for (unsigned i = 0; i < GUESTS; i++)
		guest[i].held_tsc = 0; /* long ago */
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

static inline char mark(unsigned n)
{
	return marks[n];
}

static inline bool is_mark(uint8_t byte)
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

static inline void screen_tag(struct screen *screen)
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

static inline void screen_text(struct screen *screen, uint8_t byte,
			       unsigned width)
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

static inline void screen_row(struct screen *screen)
{
	screen->tag_length = 0;
	screen->owner = -2;
	screen->tag_end = 0;
}

static inline void screen_control(struct screen *screen, uint8_t byte)
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

static inline void screen_byte(struct screen *screen, uint8_t byte)
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
static inline size_t screen_sequence(struct screen *screen, const char *text)
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

static inline void screen_check(const char *text, size_t length)
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

static inline void guests_add(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(guest[i].name, sizeof(guest[i].name), "%s",
			       names[i]);
		assert_int_equal(console_add_guest(&console, &guest[i]), 0);
	}
}

static inline int setup(void **state)
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

static inline int teardown(void **state)
{
	(void)state;
	free(host.sent);
	host.sent = NULL;
	return 0;
}

/* All of it, waiting as a machine's thread does. */
static inline void write_bytes(unsigned n, const char *bytes, size_t length)
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

static inline void write_text(unsigned n, const char *text)
{
	write_bytes(n, text, strlen(text));
}

static inline void monitor_print(struct console_guest *about, const char *text)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "[    1.234567] %s\n", text);

	console_print(&console, about, line, (size_t)n);
}

static inline void expect_sent(const char *want)
{
	host.sent[host.length] = 0;
	assert_string_equal(host.sent, want);
}

static inline bool was_sent(const char *text)
{
	host.sent[host.length] = 0;
	return strstr(host.sent, text);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

#endif
