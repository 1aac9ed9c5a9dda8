/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8042 of a PC with a PS/2 keyboard and mouse, as a user's hands: what is
 * done to them comes out as events (include/input.h).
 *
 * The keyboard is read in scan set 1, as the controller translates it.  The
 * mouse is asked for its wheel by IntelliMouse's sequence of sample rates.  A
 * device that does not answer is not there; none is waited for longer than
 * PS2_ANSWER_READS reads of the status.
 *
 * Pure: no gate, no globals.  Not locked: one thread.
 */
#ifndef BULKHEAD_DRIVERS_PS2_H
#define BULKHEAD_DRIVERS_PS2_H

#include "drivers/uart16550.h" /* struct port_ops */
#include "include/input.h"

#define PS2_DATA	 0x60
#define PS2_STATUS	 0x64
#define PS2_ANSWER_READS 20000
#define PS2_EVENTS	 9 /* that a byte makes at most */

struct ps2 {
	const struct port_ops *ops;
	void *ctx;
	bool is_there, has_mouse, has_wheel;
	uint8_t prefix;	 /* of a key: E0h, E1h, or 0 */
	uint8_t skip;	 /* bytes of Pause that are yet to come */
	uint8_t buttons; /* of the mouse, as it said last */
	uint8_t packet[4];
	unsigned packet_length;
	unsigned byte_count; /* of .packet that have come */
};

/* -ENODEV: nothing answers.  Without a mouse it is 0. */
int __must_check ps2_init(struct ps2 *ps2, const struct port_ops *ops,
			  void *ctx);

/*
 * What has come: takes bytes until one makes events, which are put into event.
 * How many; 0: nothing is left to read.
 */
unsigned ps2_read(struct ps2 *ps2, struct input_event event[PS2_EVENTS]);

#endif
