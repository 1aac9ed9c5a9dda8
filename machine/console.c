/* SPDX-License-Identifier: BSD-2-Clause */
/* The VM's consoles: machine/console.h. */
#include "machine/console.h"

#include "lib/user/gate_calls.h"

#define EVENT GATE_EVENT_CHANNEL_BIT(SEAT_CONSOLE_SLOT)

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
	ring_init(&console->input, &shared->input, shared->input_data,
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

/* The ring is full.  False: nobody is there to empty it. */
static bool wait_room(struct ring *ring, unsigned thread)
{
	bool is_there;

	(void)gate_event_route(EVENT, thread);
	is_there = gate_channel_state(SEAT_CONSOLE_SLOT) == GATE_CHANNEL_OPEN;
	if (is_there && ring_sleep(ring))
		(void)gate_wait();
	(void)gate_event_route(EVENT, 0);
	return is_there;
}

static void write_ring(struct machine_console *console, unsigned thread,
		       struct ring *ring, const uint8_t *data, size_t length)
{
	while (length) {
		bool is_wanted = false;
		long n = ring_write(ring, data, (uint32_t)length, &is_wanted);

		bell(is_wanted);
		if (n < 0) {
			give_up(console);
			return;
		}
		if (n == 0 && !wait_room(ring, thread))
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
		write_ring(console, thread, &console->output[stream], data,
			   length);
}

size_t machine_console_read(struct machine_console *console, void *data,
			    size_t size)
{
	bool is_wanted = false;
	long n;

	if (console->state != CONSOLE_SEAT)
		return 0;
	do
		n = ring_read(&console->input, data, (uint32_t)size,
			      &is_wanted);
	while (n == 0 && !ring_sleep(&console->input));
	bell(is_wanted);
	if (n < 0)
		give_up(console);
	return n > 0 ? (size_t)n : 0;
}
