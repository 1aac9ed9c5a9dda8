/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VM's consoles: COM1, COM2, firmware's debug ports and LPT1 out, keys in.
 * They are rings in a channel that the service `seat` has the other end of
 * (include/seat.h).  While there is no such channel what is written is dropped.
 *
 * Output waits while its ring is full: the guest's serial port is as fast as
 * what shows it.  The vCPU's thread that waits holds the machine's lock, so it
 * has the channel's event come to itself meanwhile: vCPU 0, which has it
 * otherwise, may be waiting for that lock.  Where nobody is at the other end,
 * or nobody has taken anything for two seconds, what does not fit is dropped,
 * until there is room again; a seat that comes later shows what is in the ring
 * and goes on from there.  A peer that breaks the rings loses the console.
 *
 * The printer's bytes wait nowhere: what finds no room stays with the port, and
 * the channel's event says when to try again.
 *
 * Locking: the machine's lock.
 */
#ifndef BULKHEAD_MACHINE_CONSOLE_H
#define BULKHEAD_MACHINE_CONSOLE_H

#include "include/ring.h"
#include "include/seat.h"

enum console_state {
	CONSOLE_NONE, /* no channel, so far */
	CONSOLE_SEAT,
	CONSOLE_OFF, /* the peer broke a ring */
};

enum console_stream {
	CONSOLE_SERIAL,
	CONSOLE_DEBUG, /* firmware's debug ports: 402h */
	CONSOLE_E9,
	CONSOLE_SERIAL1, /* COM2 */
	CONSOLE_PRINTER, /* machine_console_print() */
	CONSOLE_STREAM_COUNT,
};

struct machine_console {
	enum console_state state;
	struct ring output[CONSOLE_STREAM_COUNT];
	bool is_stuck[CONSOLE_STREAM_COUNT]; /* nobody waits for room */
	struct ring input[2];		     /* of COM1, of COM2 */
	uint64_t timer_ns; /* what the machine's timer is set to */
};

/* Before all others, and when the channel's event has come. */
void machine_console_open(struct machine_console *console);
/* All of it, but for what nobody is there to see; thread: the caller's. */
void machine_console_write(struct machine_console *console, unsigned thread,
			   enum console_stream stream, const void *data,
			   size_t length);
/* A byte for the printer.  False: no room, or nobody is there; once there is
 * some: the channel's event. */
bool machine_console_print(struct machine_console *console, uint8_t byte);
/*
 * At most size bytes that were typed for serial port 0 or 1.  After 0, once
 * there are some: the channel's event.
 */
size_t machine_console_read(struct machine_console *console, unsigned port,
			    void *data, size_t size);

#endif
