/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of services/seat share: a UART that takes 16 bytes a tick, a
 * log, programs at the other ends of the consoles' rings, and a small terminal
 * at the other end of the line.
 *
 * The terminal fails a test when anything but a tag of seat's is written to the
 * beginning of a row, when a program's mark appears in a row that is not that
 * program's, when the cursor gets into a tag or to the end of a row, and at
 * every sequence but three.
 */
#ifndef BULKHEAD_TESTS_SEAT_TEST_H
#define BULKHEAD_TESTS_SEAT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "include/errno.h"
#include "services/seat/mux_inner.h"

#define GUESTS	   8
#define FIFO	   16
#define SENT_MAX   (1 << 22)
#define CALL_BYTES 512
#define LOG_MAX	   (1 << 17)
#define INPUT_SIZE 4096

/* A program's end of its console. */
struct program {
	struct seat_console memory;
	struct ring output, debug, e9, input, output1, input1, printer;
	unsigned bells; /* that seat rang */
};

static struct mux mux;
static struct program program[GUESTS + 1]; /* by slot; 0: init's */

static struct {
	char *sent;
	size_t length;
	unsigned room; /* what the UART takes until the next tick */
	unsigned per_tick;
	uint64_t now_ns;
	unsigned blocked; /* ticks that programs waited */
	unsigned runs;
	/* What GATE_LOG_READ gives. */
	char log[LOG_MAX];
	size_t log_length, log_read;
	void (*on_log_read)(void);
	char received[INPUT_SIZE]; /* waits in the UART */
	size_t received_length, received_read;
	bool is_idle;
} host;

/* ---- What seat stands on ------------------------------------------------ */

static inline size_t fake_send(void *ctx, const char *text, size_t length)
{
	size_t n = MIN(MIN(length, host.room), FIFO);

	(void)ctx;
	assert_true(host.length + n <= SENT_MAX);
	memcpy(host.sent + host.length, text, n);
	host.length += n;
	host.room -= (unsigned)n;
	return n;
}

static inline int fake_receive(void *ctx)
{
	(void)ctx;
	if (host.received_read == host.received_length)
		return -1;
	return (uint8_t)host.received[host.received_read++];
}

static inline bool fake_is_idle(void *ctx)
{
	(void)ctx;
	return host.is_idle;
}

/* Whole lines only. */
static inline long fake_log_read(void *ctx, char *text, size_t size)
{
	const char *from = host.log + host.log_read;
	size_t n = MIN(size, host.log_length - host.log_read);

	(void)ctx;
	while (n && from[n - 1] != '\n')
		n--;
	memcpy(text, from, n);
	host.log_read += n;
	if (n && host.on_log_read)
		host.on_log_read();
	return (long)n;
}

static inline void fake_doorbell(void *ctx, unsigned slot)
{
	(void)ctx;
	program[slot].bells++;
}

static const struct mux_ops fake_ops = {
	.uart_send = fake_send,
	.uart_read = fake_receive,
	.uart_is_idle = fake_is_idle,
	.log_read = fake_log_read,
	.doorbell = fake_doorbell,
};

/* One wake-up, and those that seat wants at once. */
static inline void run(void)
{
	unsigned runs = 0;

	do {
		size_t before = host.length;

		mux_run(&mux, host.now_ns);
		host.runs++;
		assert_true(host.length - before <= CALL_BYTES);
		assert_true(runs++ < 200);
	} while (mux_deadline(&mux) <= host.now_ns);
}

/* The time of a FIFO passes. */
static inline void tick(void)
{
	host.room = host.per_tick;
	host.now_ns += MUX_PERIOD_NS;
	run();
}

static inline void drain(void)
{
	while (mux.is_draining)
		tick();
}

static inline void prompt_fire(void)
{
	assert_true(mux.is_prompt_expected);
	host.now_ns += 51 * NSEC_PER_MS;
	run();
}

/* ---- The terminal ------------------------------------------------------- */

/* Program n's name, and its mark, which nobody else writes. */
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
	int owner; /* of the row; -1: the monitor or seat, -2: not known yet */
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
	if (length == 15 && tag[0] == '[' && tag[6] == '.' && tag[13] == ']')
		screen->owner = -1;
	if (length == 4 && !strncmp(tag, "--- ", 4))
		screen->owner = -1;
	if (screen->owner == -2 && length > 28)
		fail_msg("no tag: %.*s", (int)length, tag);
}

static inline void screen_put(struct screen *screen, uint8_t byte,
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
		screen_put(screen, byte, 1);
	} else if (byte >= 0xc0) {
		screen->rest = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
	} else if (screen->rest && !--screen->rest) {
		/* Of two bytes: never two columns wide. */
		screen_put(screen, byte, screen->width);
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

/* Program n, from 0, has slot n + 1. */
static inline struct program *guest(unsigned n)
{
	return &program[n + 1];
}

static inline struct mux_console *console(unsigned n)
{
	return &mux.console[n + 1];
}

static inline void program_attach(struct program *who)
{
	ring_init(&who->output, &who->memory.output, who->memory.output_data,
		  SEAT_OUTPUT_SIZE, true, true);
	ring_init(&who->debug, &who->memory.debug, who->memory.debug_data,
		  SEAT_DEBUG_SIZE, true, true);
	ring_init(&who->e9, &who->memory.e9, who->memory.e9_data,
		  SEAT_DEBUG_SIZE, true, true);
	ring_init(&who->printer, &who->memory.printer, who->memory.printer_data,
		  SEAT_PRINTER_SIZE, true, true);
	ring_init(&who->output1, &who->memory.output1, who->memory.output1_data,
		  SEAT_OUTPUT1_SIZE, true, true);
	ring_init(&who->input, &who->memory.input, who->memory.input_data,
		  SEAT_INPUT_SIZE, false, true);
	ring_init(&who->input1, &who->memory.input1, who->memory.input1_data,
		  SEAT_INPUT_SIZE, false, true);
}

static inline void guest_add(unsigned n)
{
	assert_int_equal(mux_add(&mux, n + 1, names[n], &guest(n)->memory), 0);
	run();
}

static inline void guests_add(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		guest_add(i);
}

static inline void guest_remove(unsigned n)
{
	assert_int_equal(mux_remove(&mux, n + 1), 0);
	run();
	while (console(n)->state == MUX_LEAVING)
		tick();
	assert_int_equal(mux_gone(&mux), n + 1);
}

static inline int setup(void **state)
{
	(void)state;
	memset(program, 0, sizeof(program));
	host.sent = host.sent ? host.sent : malloc(SENT_MAX + 16);
	host.length = 0;
	host.room = host.per_tick = FIFO;
	host.now_ns = NSEC_PER_SEC;
	host.blocked = host.runs = 0;
	host.log_length = host.log_read = 0;
	host.on_log_read = NULL;
	host.received_length = host.received_read = 0;
	host.is_idle = true;
	for (unsigned i = 0; i <= GUESTS; i++)
		program_attach(&program[i]);
	mux_init(&mux, &fake_ops, NULL);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	free(host.sent);
	host.sent = NULL;
	return 0;
}

/* Into one of its rings what there is room for; seat wakes if it asked. */
static inline size_t write_some(unsigned n, struct ring *ring,
				const char *bytes, size_t length)
{
	bool is_wanted = false;
	long done = ring_write(ring, bytes, (uint32_t)length, &is_wanted);

	assert_true(done >= 0);
	if (is_wanted) {
		mux_ring(&mux, n + 1);
		run();
	}
	return (size_t)done;
}

/* All of it, sleeping as a program does; seat must ring then. */
static inline void write_ring(unsigned n, struct ring *ring, const char *bytes,
			      size_t length)
{
	while (length) {
		size_t taken = write_some(n, ring, bytes, length);
		unsigned bells = guest(n)->bells;

		bytes += taken;
		length -= taken;
		if (taken || !ring_sleep(ring))
			continue;
		while (guest(n)->bells == bells) {
			assert_true(mux_deadline(&mux) != UINT64_MAX);
			host.blocked++;
			tick();
		}
	}
}

static inline void write_bytes(unsigned n, const char *bytes, size_t length)
{
	write_ring(n, &guest(n)->output, bytes, length);
}

static inline void write_text(unsigned n, const char *text)
{
	write_bytes(n, text, strlen(text));
}

/* A line of the monitor's log, about a program or (-1) none. */
static inline void monitor_print(int about, const char *text)
{
	int n;

	assert_true(host.log_length + 300 < LOG_MAX);
	n = about < 0 ? sprintf(host.log + host.log_length,
				"[    1.234567] %s\n", text)
		      : sprintf(host.log + host.log_length,
				"[    1.234567] [%s] %s\n", names[about], text);
	host.log_length += (size_t)n;
	mux_log(&mux);
	run();
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
