/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's consoles on a gate of the test's own, whose other end is a seat
 * that reads when the machine waits, goes away, comes anew, or breaks the
 * rings.
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
#include "lib/user/gate_calls.h"
#include "machine/console.h"

#define THREAD 3
#define EVENT  GATE_EVENT_CHANNEL_BIT(SEAT_CONSOLE_SLOT)

static struct {
	struct machine_console console;
	struct seat_console shared;
	enum gate_channel_state channel;
	/* The seat's ends, and what it got. */
	struct ring output, debug, e9, input, output1, input1, printer;
	char shown[3 * SEAT_OUTPUT_SIZE], shown_debug[SEAT_DEBUG_SIZE];
	size_t shown_count, debug_count;
	size_t per_wait;     /* bytes that it reads when it is waited for */
	unsigned goes_after; /* waits, then it is gone; 0: never */
	bool is_liar;
	bool is_asleep; /* reads nothing, and the timer's event comes */
	bool is_quick;	/* reads as soon as it is asked to ring */
	bool has_rung;	/* and the event came to the thread that waits */
	uint64_t now_ns, timer_ns;
	unsigned waits, bells, logs, routed, timer_routed;
} bench;

/* ---- The seat ------------------------------------------------------------ */

static void seat_start(void)
{
	struct seat_console *s = &bench.shared;

	ring_init(&bench.output, &s->output, s->output_data, SEAT_OUTPUT_SIZE,
		  false, true);
	ring_init(&bench.debug, &s->debug, s->debug_data, SEAT_DEBUG_SIZE,
		  false, true);
	ring_init(&bench.e9, &s->e9, s->e9_data, SEAT_DEBUG_SIZE, false, true);
	ring_init(&bench.input, &s->input, s->input_data, SEAT_INPUT_SIZE, true,
		  true);
	ring_init(&bench.output1, &s->output1, s->output1_data,
		  SEAT_OUTPUT1_SIZE, false, true);
	ring_init(&bench.input1, &s->input1, s->input1_data, SEAT_INPUT_SIZE,
		  true, true);
	ring_init(&bench.printer, &s->printer, s->printer_data,
		  SEAT_PRINTER_SIZE, false, true);
	bench.channel = GATE_CHANNEL_OPEN;
}

static void seat_read(size_t most)
{
	bool is_wanted = false;
	long n = ring_read(
		&bench.output, bench.shown + bench.shown_count,
		(uint32_t)MIN(most, sizeof(bench.shown) - bench.shown_count),
		&is_wanted);

	assert_true(n >= 0);
	bench.shown_count += (size_t)n;
	n = ring_read(&bench.debug, bench.shown_debug + bench.debug_count,
		      (uint32_t)(sizeof(bench.shown_debug) - bench.debug_count),
		      &is_wanted);
	assert_true(n >= 0);
	bench.debug_count += (size_t)n;
}

/* On a processor of its own: between any two calls of the machine's. */
static void seat_runs(void)
{
	if (!bench.is_quick || !bench.shared.output.producer_sleeps)
		return;
	seat_read(SEAT_OUTPUT_SIZE);
	bench.has_rung = bench.routed == THREAD;
}

static void seat_type(const char *text)
{
	bool is_wanted = false;

	assert_int_equal(ring_write(&bench.input, text, (uint32_t)strlen(text),
				    &is_wanted),
			 strlen(text));
}

/* ---- The gate ------------------------------------------------------------ */

void *gate_channel(unsigned slot)
{
	assert_int_equal(slot, SEAT_CONSOLE_SLOT);
	return &bench.shared;
}

long gate_channel_state(unsigned slot)
{
	assert_int_equal(slot, SEAT_CONSOLE_SLOT);
	return bench.channel;
}

long gate_doorbell(unsigned slot)
{
	assert_int_equal(slot, SEAT_CONSOLE_SLOT);
	bench.bells++;
	return bench.channel == GATE_CHANNEL_OPEN ? 0 : -EPIPE;
}

long gate_event_route(unsigned event, unsigned thread)
{
	seat_runs();
	if (event == GATE_EVENT_TIMER_BIT) {
		bench.timer_routed = thread;
		return 0;
	}
	assert_int_equal(event, EVENT);
	bench.routed = thread;
	return 0;
}

void gate_timer(uint64_t deadline_ns)
{
	seat_runs();
	bench.timer_ns = deadline_ns;
}

uint64_t gate_now_ns(void)
{
	return bench.now_ns;
}

/* The event comes to the thread that waits, and to no other. */
uint64_t gate_wait(void)
{
	assert_int_equal(bench.routed, THREAD);
	assert_int_equal(bench.channel, GATE_CHANNEL_OPEN);
	assert_int_equal(bench.timer_routed, THREAD);
	bench.waits++;
	assert_true(bench.waits < 100);
	if (bench.is_quick) {
		seat_runs();
		assert_true(bench.has_rung);
		bench.has_rung = false;
		return 0;
	}
	if (bench.is_asleep) {
		/* Woken for something else first. */
		bench.now_ns += (bench.timer_ns - bench.now_ns + 1) / 2;
		return 0;
	}
	if (bench.is_liar)
		bench.shared.output.consumed += 2 * SEAT_OUTPUT_SIZE;
	else if (bench.waits == bench.goes_after)
		bench.channel = GATE_CHANNEL_ALONE;
	else
		seat_read(bench.per_wait);
	return 0;
}

void gate_log(unsigned level, const char *format, ...)
{
	(void)level;
	(void)format;
	bench.logs++;
}

/* ---- Tests --------------------------------------------------------------- */

static int setup(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench.per_wait = SEAT_OUTPUT_SIZE;
	return 0;
}

static void say(const char *text)
{
	machine_console_write(&bench.console, THREAD, CONSOLE_SERIAL, text,
			      strlen(text));
}

static char pattern(size_t i)
{
	return (char)('a' + i % 23);
}

static void say_pattern(size_t length)
{
	char *text = malloc(length);

	for (size_t i = 0; i < length; i++)
		text[i] = pattern(i);
	machine_console_write(&bench.console, THREAD, CONSOLE_SERIAL, text,
			      length);
	free(text);
}

static void check_shown(size_t length)
{
	assert_int_equal(bench.shown_count, length);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(bench.shown[i], pattern(i));
}

/* Nobody to see it; a seat comes later. */
static void test_none(void **state)
{
	char typed[4] = "";

	(void)state;
	machine_console_open(&bench.console);
	say_pattern(2 * SEAT_OUTPUT_SIZE);
	assert_int_equal(machine_console_read(&bench.console, 0, typed, 3), 0);
	assert_int_equal(bench.waits + bench.bells, 0);
	seat_start();
	machine_console_open(&bench.console);
	say("to the seat");
	seat_read(100);
	assert_memory_equal(bench.shown, "to the seat", 11);
}

static void test_streams(void **state)
{
	bool is_wanted = false;
	char typed[8];

	(void)state;
	seat_start();
	machine_console_open(&bench.console);
	say("serial");
	machine_console_write(&bench.console, THREAD, CONSOLE_DEBUG, "debug",
			      5);
	seat_read(100);
	assert_memory_equal(bench.shown, "serial", 6);
	assert_memory_equal(bench.shown_debug, "debug", 5);
	machine_console_write(&bench.console, THREAD, CONSOLE_E9, "e9", 2);
	assert_int_equal(ring_read(&bench.e9, typed, 8, &is_wanted), 2);
	assert_memory_equal(typed, "e9", 2);
	machine_console_write(&bench.console, THREAD, CONSOLE_SERIAL1, "2nd",
			      3);
	assert_int_equal(ring_read(&bench.output1, typed, 8, &is_wanted), 3);
	assert_memory_equal(typed, "2nd", 3);
	assert_int_equal(ring_write(&bench.input1, "c", 1, &is_wanted), 1);
	assert_int_equal(machine_console_read(&bench.console, 1, typed, 8), 1);
	assert_int_equal(machine_console_read(&bench.console, 1, typed, 8), 0);
	assert_int_equal(typed[0], 'c');
	assert_int_equal(bench.bells, 0); /* nobody asked */
	assert_true(ring_sleep(&bench.output));
	say("!");
	assert_int_equal(bench.bells, 1);
	assert_int_equal(machine_console_read(&bench.console, 0, typed, 8), 0);
	/* It has asked for a doorbell. */
	assert_int_equal(bench.shared.input.consumer_sleeps, 1);
	seat_type("ab");
	assert_int_equal(machine_console_read(&bench.console, 0, typed, 1), 1);
	assert_int_equal(machine_console_read(&bench.console, 0, typed + 1, 7),
			 1);
	assert_memory_equal(typed, "ab", 2);
}

/* More than the ring holds: waits, without loss, for a slow seat. */
static void test_full(void **state)
{
	(void)state;
	seat_start();
	machine_console_open(&bench.console);
	bench.per_wait = 1000;
	say_pattern(2 * SEAT_OUTPUT_SIZE);
	assert_true(bench.waits >= 4);
	assert_int_equal(bench.routed, 0);
	while (bench.shown_count < 2 * SEAT_OUTPUT_SIZE)
		seat_read(1000);
	check_shown(2 * SEAT_OUTPUT_SIZE);
}

/* A doorbell that comes before the wait begins is not another vCPU's. */
static void test_quick(void **state)
{
	(void)state;
	seat_start();
	machine_console_open(&bench.console);
	bench.is_quick = true;
	say_pattern(2 * SEAT_OUTPUT_SIZE + 100);
	assert_true(bench.waits >= 1);
	assert_int_equal(bench.routed, 0);
	seat_read(SEAT_OUTPUT_SIZE);
	check_shown(2 * SEAT_OUTPUT_SIZE + 100);
}

/* The seat dies while it is waited for; the next one goes on. */
static void test_alone(void **state)
{
	(void)state;
	seat_start();
	machine_console_open(&bench.console);
	bench.goes_after = 1;
	say_pattern(SEAT_OUTPUT_SIZE + 100);
	assert_int_equal(bench.waits, 1);
	say("is lost");
	assert_int_equal(bench.waits, 1);
	assert_int_equal(bench.console.state, CONSOLE_SEAT);
	seat_start();
	seat_read(SEAT_OUTPUT_SIZE);
	check_shown(SEAT_OUTPUT_SIZE);
	say("is not");
	seat_read(10);
	assert_memory_equal(bench.shown + SEAT_OUTPUT_SIZE, "is not", 6);
	assert_int_equal(bench.logs, 0);
}

static void test_liar(void **state)
{
	char typed[4];

	(void)state;
	seat_start();
	machine_console_open(&bench.console);
	bench.is_liar = true;
	say_pattern(SEAT_OUTPUT_SIZE + 100);
	assert_int_equal(bench.console.state, CONSOLE_OFF);
	say("nothing");
	assert_int_equal(machine_console_read(&bench.console, 0, typed, 4), 0);
	assert_int_equal(bench.waits, 1);
	assert_int_equal(bench.logs, 1);
	/* The input ring as well. */
	setup(state);
	seat_start();
	machine_console_open(&bench.console);
	bench.shared.input.produced = SEAT_INPUT_SIZE + 1;
	assert_int_equal(machine_console_read(&bench.console, 0, typed, 4), 0);
	assert_int_equal(bench.console.state, CONSOLE_OFF);
	machine_console_open(&bench.console);
	assert_int_equal(bench.console.state, CONSOLE_OFF);
	assert_int_equal(bench.logs, 1);
}

/* The seat is there and takes nothing: nobody waits for it for ever. */
static void test_asleep(void **state)
{
	unsigned waits;

	(void)state;
	seat_start();
	machine_console_open(&bench.console);
	bench.console.timer_ns = 123;
	bench.is_asleep = true;
	say_pattern(SEAT_OUTPUT_SIZE + 100);
	assert_int_equal(bench.now_ns, 2 * NSEC_PER_SEC);
	assert_int_equal(bench.logs, 1);
	/* All is as it was. */
	assert_int_equal(bench.timer_ns, 123);
	assert_int_equal(bench.timer_routed, 0);
	assert_int_equal(bench.routed, 0);
	waits = bench.waits;
	say("is lost at once");
	assert_int_equal(bench.waits, waits);
	/* It takes something again, and may have its time again. */
	bench.is_asleep = false;
	seat_read(SEAT_OUTPUT_SIZE);
	check_shown(SEAT_OUTPUT_SIZE);
	say("is not");
	seat_read(10);
	assert_memory_equal(bench.shown + SEAT_OUTPUT_SIZE, "is not", 6);
	bench.shown_count = 0;
	say_pattern(2 * SEAT_OUTPUT_SIZE);
	assert_true(bench.waits > waits);
	assert_int_equal(bench.logs, 1);
}

/* Nobody waits for a printer, and nothing is lost. */
static void test_printer(void **state)
{
	char bytes[SEAT_PRINTER_SIZE];
	bool is_wanted = false;
	unsigned n = 0;

	(void)state;
	machine_console_open(&bench.console);
	assert_false(machine_console_print(&bench.console, 'x'));
	seat_start();
	machine_console_open(&bench.console);
	while (machine_console_print(&bench.console, (uint8_t)pattern(n)))
		n++;
	assert_int_equal(n, SEAT_PRINTER_SIZE);
	assert_int_equal(bench.waits + bench.bells + bench.logs, 0);
	assert_true(bench.shared.printer.producer_sleeps);
	assert_int_equal(
		ring_read(&bench.printer, bytes, sizeof(bytes), &is_wanted),
		sizeof(bytes));
	assert_true(is_wanted);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(bytes[i], pattern(i));
	assert_true(ring_sleep(&bench.printer));
	assert_true(machine_console_print(&bench.console, 'y'));
	assert_int_equal(bench.bells, 1);
	bench.shared.printer.consumed += SEAT_PRINTER_SIZE + 1;
	assert_false(machine_console_print(&bench.console, 'z'));
	assert_int_equal(bench.console.state, CONSOLE_OFF);
	assert_int_equal(bench.logs, 1);
	assert_false(machine_console_print(&bench.console, 'z'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_none, setup),
		cmocka_unit_test_setup(test_streams, setup),
		cmocka_unit_test_setup(test_printer, setup),
		cmocka_unit_test_setup(test_full, setup),
		cmocka_unit_test_setup(test_quick, setup),
		cmocka_unit_test_setup(test_alone, setup),
		cmocka_unit_test_setup(test_liar, setup),
		cmocka_unit_test_setup(test_asleep, setup),
	};

	return cmocka_run_group_tests_name("machine-console", tests, NULL,
					   NULL);
}
