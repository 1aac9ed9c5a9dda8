/* SPDX-License-Identifier: BSD-2-Clause */
/* The VM's consoles: machine/console.h. */
#include "machine/console.h"

#include "lib/user/gate_calls.h"
#include "machine/wait.h"

#define EVENT	    GATE_EVENT_CHANNEL_BIT(SEAT_CONSOLE_SLOT)
#define PATIENCE_NS (2 * NSEC_PER_SEC)

/* Own counters are taken over: of a channel that outlived another machine. */
void machine_console_open(struct machine_console *console)
{
	struct seat_console *shared = gate_channel(SEAT_CONSOLE_SLOT);

	if (console->state != CONSOLE_NONE ||
	    gate_channel_state(SEAT_CONSOLE_SLOT) == GATE_CHANNEL_NONE)
		return;
	ring_init(&console->output[CONSOLE_SERIAL], &shared->output,
		  shared->output_data, SEAT_OUTPUT_SIZE, true, true);
	ring_init(&console->output[CONSOLE_DEBUG], &shared->debug,
		  shared->debug_data, SEAT_DEBUG_SIZE, true, true);
	ring_init(&console->output[CONSOLE_E9], &shared->e9, shared->e9_data,
		  SEAT_DEBUG_SIZE, true, true);
	ring_init(&console->output[CONSOLE_SERIAL1], &shared->output1,
		  shared->output1_data, SEAT_OUTPUT1_SIZE, true, true);
	ring_init(&console->output[CONSOLE_PRINTER], &shared->printer,
		  shared->printer_data, SEAT_PRINTER_SIZE, true, true);
	ring_init(&console->input[0], &shared->input, shared->input_data,
		  SEAT_INPUT_SIZE, false, true);
	ring_init(&console->input[1], &shared->input1, shared->input1_data,
		  SEAT_INPUT_SIZE, false, true);
	console->state = CONSOLE_SEAT;
}

static void give_up(struct machine_console *console)
{
	console->state = CONSOLE_OFF;
	gate_log(GATE_LOG_WARNING,
		 "the console's channel is broken: no console any more");
}

static void bell(bool is_wanted)
{
	/* -EPIPE: whoever comes next looks at the rings first. */
	if (is_wanted)
		(void)gate_doorbell(SEAT_CONSOLE_SLOT);
}

/* With the events routed to the caller's thread. */
static bool wait_routed(struct machine_console *console,
			enum console_stream stream, uint64_t until_ns)
{
	if (gate_channel_state(SEAT_CONSOLE_SLOT) != GATE_CHANNEL_OPEN)
		return false;
	if (gate_now_ns() >= until_ns) {
		console->is_stuck[stream] = true;
		gate_log(GATE_LOG_WARNING,
			 "nobody reads the console: what it shows is lost");
		return false;
	}
	if (ring_sleep(&console->output[stream]))
		machine_wait(until_ns);
	return true;
}

/* The ring is full.  False: nobody is there to empty it, or nobody does. */
static bool wait_room(struct machine_console *console, unsigned thread,
		      enum console_stream stream, uint64_t until_ns)
{
	bool is_worth_it;

	if (console->is_stuck[stream])
		return false;
	machine_wait_begin(EVENT, thread);
	is_worth_it = wait_routed(console, stream, until_ns);
	machine_wait_end(EVENT, console->timer_ns);
	return is_worth_it;
}

static void write_ring(struct machine_console *console, unsigned thread,
		       enum console_stream stream, const uint8_t *data,
		       size_t length)
{
	uint64_t until_ns = 0;

	while (length) {
		bool is_wanted = false;
		long n = ring_write(&console->output[stream], data,
				    (uint32_t)length, &is_wanted);

		bell(is_wanted);
		if (n < 0) {
			give_up(console);
			return;
		}
		if (n > 0)
			console->is_stuck[stream] = false;
		if (n > 0)
			until_ns = 0;
		else if (!until_ns)
			until_ns = gate_now_ns() + PATIENCE_NS;
		if (n == 0 && !wait_room(console, thread, stream, until_ns))
			return;
		data += n;
		length -= (size_t)n;
	}
}

void machine_console_write(struct machine_console *console, unsigned thread,
			   enum console_stream stream, const void *data,
			   size_t length)
{
	if (console->state == CONSOLE_SEAT)
		write_ring(console, thread, stream, data, length);
}

bool machine_console_print(struct machine_console *console, uint8_t byte)
{
	struct ring *printer = &console->output[CONSOLE_PRINTER];
	bool is_wanted = false;
	long n;

	if (console->state != CONSOLE_SEAT)
		return false;
	do
		n = ring_write(printer, &byte, 1, &is_wanted);
	while (n == 0 && !ring_sleep(printer));
	bell(is_wanted);
	if (n < 0)
		give_up(console);
	return n > 0;
}

size_t machine_console_read(struct machine_console *console, unsigned port,
			    void *data, size_t size)
{
	struct ring *input = &console->input[port];
	bool is_wanted = false;
	long n;

	if (console->state != CONSOLE_SEAT)
		return 0;
	do
		n = ring_read(input, data, (uint32_t)size, &is_wanted);
	while (n == 0 && !ring_sleep(input));
	bell(is_wanted);
	if (n < 0)
		give_up(console);
	return n > 0 ? (size_t)n : 0;
}
