/* SPDX-License-Identifier: BSD-2-Clause */
/* See console.h. */
#include "machine/console.h"

#include "include/seat.h"
#include "lib/user/gate_calls.h"

#define EVENT GATE_EVENT_CHANNEL_BIT(SEAT_CONSOLE_SLOT)

void machine_console_init(struct machine_console *console)
{
	struct seat_console *memory = gate_channel(SEAT_CONSOLE_SLOT);

	console->is_there =
		gate_channel_state(SEAT_CONSOLE_SLOT) > GATE_CHANNEL_NONE;
	if (!console->is_there)
		return;
	ring_init(&console->output, &memory->output, memory->output_data,
		  SEAT_OUTPUT_SIZE, true, false);
	ring_init(&console->debug, &memory->debug, memory->debug_data,
		  SEAT_DEBUG_SIZE, true, false);
	ring_init(&console->input, &memory->input, memory->input_data,
		  SEAT_INPUT_SIZE, false, false);
	/* What is there already has set the event. */
	(void)!ring_sleep(&console->input);
}

static void bell(bool is_wanted)
{
	/* -EPIPE: seat is not there; the next one looks by itself. */
	if (is_wanted)
		(void)gate_doorbell(SEAT_CONSOLE_SLOT);
}

/* The event comes to this thread, which is not in the guest, while it waits. */
static void wait_for_room(struct ring *ring)
{
	(void)gate_event_route(EVENT, gate_thread());
	while (ring_sleep(ring) && !ring->is_broken)
		gate_wait();
	(void)gate_event_route(EVENT, 0);
}

void machine_console_write(struct ring *ring, const uint8_t *bytes,
			   size_t length)
{
	while (length) {
		bool is_wanted = false;
		long n = ring_write(ring, bytes, (uint32_t)length, &is_wanted);

		bell(is_wanted);
		if (n < 0)
			return;
		bytes += n;
		length -= (size_t)n;
		if (length)
			wait_for_room(ring);
	}
}

size_t machine_console_read(struct machine_console *console, void *bytes,
			    size_t size)
{
	bool is_wanted = false;
	size_t done = 0;
	long n;

	do {
		n = ring_read(&console->input, (uint8_t *)bytes + done,
			      (uint32_t)(size - done), &is_wanted);
		done += n > 0 ? (size_t)n : 0;
	} while (n >= 0 && done < size && !ring_sleep(&console->input));
	bell(is_wanted);
	return done;
}
