/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VM's serial console and debug port as rings in the channel to seat
 * (include/seat.h).
 */
#ifndef BULKHEAD_MACHINE_CONSOLE_H
#define BULKHEAD_MACHINE_CONSOLE_H

#include "include/ring.h"

struct machine_console {
	bool is_there; /* init has made a channel */
	struct ring output, debug, input;
};

void machine_console_init(struct machine_console *console);

/*
 * The following with the machine's lock.  Write waits while the ring is full:
 * a guest is held at the terminal's speed.
 */
void machine_console_write(struct ring *ring, const uint8_t *bytes,
			   size_t length);
/* How many bytes; what comes later is an event of the channel's. */
size_t machine_console_read(struct machine_console *console, void *bytes,
			    size_t size);

#endif
