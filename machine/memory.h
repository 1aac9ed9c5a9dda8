/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's RAM that is not all there: by `populate = "lazy"` until it is
 * touched, or given back by way of the balloon.
 *
 * The monitor makes a piece of 2 MiB when the machine touches it in its window.
 * What the guest touches exits; the machine touches it and has it shown from
 * then on, in one go for the whole piece.  A piece is hidden while its bit is
 * set: then GATE_MAP is not asked for it, and an exit there is one of these.
 * Pieces that are not RAM as a whole, at one place, are never hidden: video
 * memory, ROM, where the segments below 1 MiB or a hole is.
 *
 * Locking: the machine's lock.
 */
#ifndef BULKHEAD_MACHINE_MEMORY_H
#define BULKHEAD_MACHINE_MEMORY_H

#include "include/gate.h"
#include "include/machine_config.h"

#define MACHINE_PIECES_MAX (GIB(512) / PAGE_2M) /* as the monitor has them */

struct machine_memory {
	bool is_given;	   /* pieces come and go; else the rest is unused */
	uint8_t *window;   /* as the gate has it */
	uint64_t ram_size; /* bytes */
	uint64_t hidden[MACHINE_PIECES_MAX / 64];
	/* Never hidden: not shown as a whole, at one place. */
	uint64_t parted[MACHINE_PIECES_MAX / 64];
};

/* True: pieces come and go. */
bool machine_memory_init(struct machine_memory *memory,
			 const struct machine_config *config, uint8_t *window);
/* board_host_ops.map(). */
void machine_memory_map(struct machine_memory *memory, gpa_t gpa,
			uint64_t length, uint64_t offset, enum gate_map kind);
/* board_host_ops.release(). */
void machine_memory_release(struct machine_memory *memory, uint64_t offset,
			    uint64_t length);
/*
 * The guest has exited within 2 MiB at gpa, of which host is where they are if
 * they are RAM, else NULL.  True: they were hidden, and are not any longer.
 */
bool machine_memory_show(struct machine_memory *memory, gpa_t gpa,
			 const void *host);
/* RAM is zero. */
void machine_memory_clear(struct machine_memory *memory);
/* length bytes into the window, at to; into what is not there yet at its
 * making. */
void machine_memory_fill(struct machine_memory *memory, void *to,
			 const void *from, uint64_t length);

#endif
