/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What init asks of seat: include/seat.h's messages.  An answer that finds its
 * ring full waits here, so that init need not read while it writes.
 *
 * Pure; not locked: one thread.
 */
#ifndef BULKHEAD_SERVICES_SEAT_CONTROL_H
#define BULKHEAD_SERVICES_SEAT_CONTROL_H

#include "services/seat/asks.h"
#include "services/seat/mux.h"

#define CONTROL_FLUSHES 8

struct control_ops {
	/* The memory of the console in that slot; NULL: there is none. */
	struct seat_console *(*channel)(void *ctx, unsigned slot);
	void (*detach)(void *ctx, unsigned slot);
	void (*doorbell)(void *ctx, unsigned slot);
	/* A console has come, with its memory, or is gone; NULL: nobody
	 * cares. */
	void (*opened)(void *ctx, unsigned slot, struct seat_console *memory);
	void (*closed)(void *ctx, unsigned slot);
	/* A guest's power button; NULL: nobody cares. */
	void (*button)(void *ctx, unsigned slot);
	/* SEAT_RIGHTS; NULL: nobody cares. */
	void (*rights)(void *ctx, const struct seat_message *message);
};

struct control {
	const struct control_ops *ops;
	void *ctx;
	struct mux *mux;
	struct ring in, out;
	struct asks asks;	 /* what clients want of init */
	bool removed[MUX_SLOTS]; /* slots whose answer waits */
	unsigned flush_count;	 /* asked for and not answered */
	uint32_t flush_tag[CONTROL_FLUSHES];
	bool is_flushed; /* those wait for room only */
	bool is_said;	 /* that init's ring is broken */
	bool is_again;	 /* more to do at once */
};

/* Takes the operator's console, too, and what a former seat left. */
void control_init(struct control *control, const struct control_ops *ops,
		  void *ctx, struct mux *mux, struct seat_control *memory);

/* Messages of init's, a bounded number; before mux_run(). */
void control_read(struct control *control);
/* Answers that are due; after mux_run(). */
void control_answer(struct control *control);

#endif
