/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel/log_ring.c: who sends the log's lines, that the UART is waited for
 * only where nothing else can be done, and what becomes of lines that nobody
 * takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "include/errno.h"
#include "include/log.h"
#include "kernel/log.h"

#define PORT	   0x3f8
#define LSR	   5
#define LSR_EMPTY  0x60
#define SCRATCH	   7
#define FIFO	   16
#define ROW_BEGIN  "\x18\x1b\\\r\n"
#define LINE_BYTES 64

static struct log log_;

/* A UART that takes FIFO bytes a tick. */
static struct {
	char sent[1 << 17];
	size_t length;
	unsigned room; /* until the next tick */
	bool is_dead, is_instant, is_absent;
	uint8_t scratch;
	unsigned inits; /* of the divisor */
	bool is_drain_armed;
	unsigned told;
} host;

static uint8_t fake_read(void *ctx, uint16_t port)
{
	(void)ctx;
	if (port == PORT + SCRATCH)
		return host.is_absent ? 0xff : host.scratch;
	if (port != PORT + LSR || host.is_dead)
		return 0;
	if (host.is_instant)
		host.room = FIFO;
	return host.room == FIFO ? LSR_EMPTY : 0;
}

static void fake_write(void *ctx, uint16_t port, uint8_t value)
{
	(void)ctx;
	if (port == PORT + SCRATCH)
		host.scratch = value;
	if (port == PORT + 3 && value & 0x80)
		host.inits++;
	/* The divisor's byte is 1. */
	if (port != PORT || value == 1)
		return;
	assert_true(host.room > 0);
	host.room--;
	host.sent[host.length++] = (char)value;
}

static void fake_write_string(void *ctx, uint16_t port, const char *bytes,
			      size_t length)
{
	for (size_t i = 0; i < length; i++)
		fake_write(ctx, port, (uint8_t)bytes[i]);
}

static const struct port_ops ports = {
	.read = fake_read,
	.write = fake_write,
	.write_string = fake_write_string,
};

uint64_t time_ns_to_tsc(uint64_t ns)
{
	return ns;
}

void timer_arm(struct timer *timer, uint64_t deadline_tsc)
{
	(void)deadline_tsc;
	assert_ptr_equal(timer, &log_.drain);
	host.is_drain_armed = true;
}

static void tick(void)
{
	size_t before = host.length;

	host.room = FIFO;
	if (!host.is_drain_armed)
		return;
	host.is_drain_armed = false;
	log_.drain.fn(log_.drain.ctx);
	assert_true(host.length - before <= FIFO);
}

static void drain(void)
{
	while (host.is_drain_armed)
		tick();
}

static void told(void *ctx)
{
	assert_ptr_equal(ctx, &host);
	host.told++;
}

static void write_line(const char *text)
{
	log_write(&log_, text, strlen(text));
}

static void expect_sent(const char *text)
{
	assert_int_equal(host.length, strlen(text));
	assert_memory_equal(host.sent, text, strlen(text));
	host.length = 0;
}

static int setup(void **state)
{
	(void)state;
	memset(&host, 0, sizeof(host));
	host.room = FIFO;
	log_init(&log_, &ports, PORT);
	return 0;
}

/* A line that is one of many alike. */
static void write_numbered(unsigned n)
{
	char line[LINE_BYTES + 1];

	snprintf(line, sizeof(line), "line %5u %*s\n", n, LINE_BYTES - 12, "");
	log_write(&log_, line, LINE_BYTES);
}

/* ---- The monitor's own ----------------------------------------------------
 */

static void early_lines_go_out_at_once(void **state)
{
	(void)state;
	host.is_instant = true;
	write_line("[    0.000000] a line that is longer than a FIFO\n");
	expect_sent("[    0.000000] a line that is longer than a FIFO\r\n");
	assert_false(host.is_drain_armed);
}

static void a_host_without_uart_runs(void **state)
{
	(void)state;
	host.is_absent = true;
	log_init(&log_, &ports, PORT);
	write_line("unseen\n");
	log_start(&log_);
	write_line("unseen\n");
	log_flush(&log_);
	expect_sent("");
}

static void lines_are_paced(void **state)
{
	(void)state;
	log_start(&log_);
	write_line("a line that is longer than one FIFO\n");
	assert_int_equal(host.length, FIFO);
	write_line("and one that waits\n");
	assert_int_equal(host.length, FIFO);
	drain();
	expect_sent("a line that is longer than one FIFO\r\n"
		    "and one that waits\r\n");
}

static void full_ring_counts_lines(void **state)
{
	unsigned fit = LOG_RING / LINE_BYTES;

	(void)state;
	log_start(&log_);
	host.room = 0;
	for (unsigned i = 0; i < fit + 3; i++)
		write_numbered(i);
	drain();
	host.length = 0;
	write_line("next\n");
	drain();
	expect_sent("--- 3 lines of the log were lost ---\r\nnext\r\n");
}

static void dead_uart_holds_nobody(void **state)
{
	unsigned ticks = 0;

	(void)state;
	log_start(&log_);
	host.is_dead = true;
	log_.uart.room = 0;
	for (unsigned i = 0; i < LOG_RING / LINE_BYTES; i++)
		write_numbered(i);
	while (host.is_drain_armed && ticks++ < 10000)
		tick();
	assert_true(ticks < 1000);
	/* It comes back to life. */
	host.is_dead = false;
	host.room = FIFO;
	write_line("seen\n");
	drain();
	expect_sent("seen\r\n");
	/* Where it is waited for it is given up. */
	host.is_dead = true;
	log_.uart.room = 0;
	write_line("lost\n");
	log_flush(&log_);
	expect_sent("");
}

/* ---- A reader -------------------------------------------------------------
 */

static void reader_takes_whole_lines(void **state)
{
	char text[64];

	(void)state;
	log_start(&log_);
	log_reader_set(&log_, told, &host);
	write_line("first\n");
	write_line("second\n");
	assert_int_equal(host.told, 2);
	assert_int_equal(log_take(&log_, text, 5), 0);
	assert_int_equal(log_take(&log_, text, 12), 6);
	assert_memory_equal(text, "first\n", 6);
	assert_int_equal(log_take(&log_, text, sizeof(text)), 7);
	assert_memory_equal(text, "second\n", 7);
	assert_int_equal(log_take(&log_, text, sizeof(text)), 0);
	expect_sent("");
}

static void line_that_has_begun_is_finished(void **state)
{
	char text[64];

	(void)state;
	log_start(&log_);
	write_line("a line that is longer than one FIFO\n");
	write_line("the reader's\n");
	host.is_instant = true;
	log_reader_set(&log_, told, &host);
	expect_sent("a line that is longer than one FIFO\r\n");
	drain();
	expect_sent("");
	assert_int_equal(log_take(&log_, text, sizeof(text)), 13);
	assert_memory_equal(text, "the reader's\n", 13);
}

/* What the reader has done to the UART, and not taken. */
static void monitor_goes_on_after_the_reader(void **state)
{
	unsigned inits = host.inits;

	(void)state;
	log_start(&log_);
	log_reader_set(&log_, told, &host);
	write_line("not taken\n");
	log_reader_set(&log_, NULL, NULL);
	assert_true(host.inits > inits);
	drain();
	expect_sent(ROW_BEGIN "not taken\r\n");
	write_line("next\n");
	drain();
	expect_sent("next\r\n");
	assert_int_equal(host.told, 1);
	/* The next reader's. */
	log_reader_set(&log_, told, &host);
	write_line("for it\n");
	assert_int_equal(host.told, 2);
	drain();
	expect_sent("");
}

static void host_end_sends_all(void **state)
{
	(void)state;
	log_start(&log_);
	log_reader_set(&log_, told, &host);
	write_line("not taken\n");
	host.is_instant = true;
	log_flush(&log_);
	expect_sent(ROW_BEGIN "not taken\r\n");
	write_line("it is now safe to turn off\n");
	expect_sent("it is now safe to turn off\r\n");
	assert_int_equal(host.told, 1);
	/* All was taken: the terminal stays as the reader left it. */
	setup(state);
	log_start(&log_);
	log_reader_set(&log_, told, &host);
	log_flush(&log_);
	expect_sent("");
}

static void panic_gets_through(void **state)
{
	(void)state;
	log_start(&log_);
	log_reader_set(&log_, told, &host);
	write_line("not taken\n");
	log_.level = LOG_ERROR;
	spin_lock(&log_.lock);
	host.is_instant = true;
	log_panic(&log_);
	write_line("monitor panic\n");
	expect_sent(ROW_BEGIN "not taken\r\nmonitor panic\r\n");
	assert_int_equal(log_.level, LOG_DEBUG);
	/* In the middle of a change. */
	log_.head = log_.tail + 3 * LOG_RING;
	log_panic(&log_);
	write_line("again\n");
	expect_sent("again\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(early_lines_go_out_at_once, setup),
		cmocka_unit_test_setup(a_host_without_uart_runs, setup),
		cmocka_unit_test_setup(lines_are_paced, setup),
		cmocka_unit_test_setup(full_ring_counts_lines, setup),
		cmocka_unit_test_setup(dead_uart_holds_nobody, setup),
		cmocka_unit_test_setup(reader_takes_whole_lines, setup),
		cmocka_unit_test_setup(line_that_has_begun_is_finished, setup),
		cmocka_unit_test_setup(monitor_goes_on_after_the_reader, setup),
		cmocka_unit_test_setup(host_end_sends_all, setup),
		cmocka_unit_test_setup(panic_gets_through, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
