/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's end of its face (include/face.h): takes what seat asks, draws
 * frames a piece at a time as the ring of answers has room, says once when
 * something has changed.
 *
 *	               FRAME                        nothing left
 *	  FACE_IDLE ────────────► FACE_DRAWING ───────────────────► FACE_IDLE
 *	                            │      ▲        (FRAME_END)
 *	                            └──────┘ FRAME, or another mode: anew
 *
 * A visit does a bounded amount of work and never waits.  Where it stops for
 * want of room, the doorbell brings the next visit; where it stops because it
 * has done enough, .again does.  A peer that breaks the rings loses its face,
 * and with it the pause and a dump.
 *
 * Locking: the machine's lock.
 */
#ifndef BULKHEAD_MACHINE_FACE_H
#define BULKHEAD_MACHINE_FACE_H

#include "include/face.h"
#include "include/held.h"
#include "include/ring.h"
#include "include/seat.h"
#include "machine/board.h"
#include "machine/elf_core.h"

/* What a face wants of the machine. */
struct face_ops {
	void (*bell)(void *ctx);
	/* Another visit soon, but not before the guest has had its turn. */
	void (*again)(void *ctx);
	void (*reset)(void *ctx);
	void (*nmi)(void *ctx);
	/* A network card's cable is pulled or put in, which may be as it is
	 * already.  0, or -ENODEV: there is no such card.  NULL: there are
	 * none. */
	int (*cable)(void *ctx, unsigned nic, bool is_in);
	/* The screen begins, or ceases, to be watched. */
	void (*watched)(void *ctx, bool is_watched);
	/* Adds what the machine has counted.  NULL: nothing. */
	void (*statistics)(void *ctx, struct face_statistics *to);
	/* From a debugger, and to it, as many bytes as there are.  NULL: there
	 * are none. */
	void (*debug)(void *ctx, const void *data, size_t size);
	size_t (*debug_output)(void *ctx, void *data, size_t size);
	void (*debug_close)(void *ctx);
	/* All vCPUs are to stand while face_holds(), from soon on. */
	void (*hold)(void *ctx);
	/* They do, and the caller may look at them. */
	bool (*is_held)(void *ctx);
	/* A vCPU's, of those that are held: struct elf_core_source. */
	const struct x86_state *(*state)(void *ctx, unsigned vcpu);
};

enum face_state {
	FACE_NONE, /* no channel, so far */
	FACE_IDLE,
	FACE_DRAWING,
	FACE_OFF, /* the peer broke a ring */
};

/*
 *	       FACE_DUMP           all stand              nothing left
 *	  NONE ─────────► WANTED ───────────► RUNNING ────────────────► NONE
 *	                    │ resumed, reset     │      (DUMP_END said)  ▲
 *	                    └────────────────────┴──► OVER ──────────────┘
 */
enum face_dump_state {
	FACE_DUMP_NONE,
	FACE_DUMP_WANTED,
	FACE_DUMP_RUNNING,
	FACE_DUMP_OVER, /* its end is yet to be said: the guest goes on */
};

struct face_dump {
	enum face_dump_state state;
	enum face_dump_reason reason; /* FACE_DUMP_OVER */
	uint32_t tag;
	uint32_t sent, granted; /* FACE_COREs */
	unsigned empty;		/* pieces of zeros since the last of those */
	struct elf_core core;
};

struct face_config {
	const struct board *board;
	const struct face_ops *ops;
	void *ctx; /* of ops */
	uint32_t vcpus;
};

/* What has changed for two frames, and what seat wanted besides. */
#define FACE_PARTS (2 * DISPLAY_DIRTY + 3)

struct face {
	struct face_config config;
	enum face_state state;
	struct ring requests, answers;
	bool is_paused;
	bool is_watched;
	bool wants_notice; /* at the next change, if no frame comes before */
	bool owes_notice;  /* there was no room for it */
	bool must_bell;
	bool has_changed; /* since the frame's changes were taken */
	/* The frame, or the last one. */
	uint32_t tag, flags;
	bool must_tell_mode;
	/* What frames as cells, and as pixels, have not shown yet. */
	bool has_cells, is_cells_again; /* FACE_AGAIN */
	struct display_picture picture;
	bool takes_places; /* the board, as mode says */
	struct display_rectangle part[FACE_PARTS];
	bool is_again[FACE_PARTS]; /* of each part: FACE_AGAIN */
	unsigned part_count;
	uint32_t keys;
	struct held held; /* of what seat has pressed */
	uint64_t frames, pixels;
	struct face_dump dump;
	/* The record that is being made, and the request that is served. */
	uint8_t record[FACE_RECORD_MAX] __aligned(8);
	uint8_t request[FACE_RECORD_MAX] __aligned(8);
};

void face_init(struct face *face, const struct face_config *config);
/* The channel is there; its counters are taken over. */
void face_open(struct face *face, struct seat_console *shared);
/* Seat is gone: nobody watches, and nobody presses a key.  One that comes goes
 * on with the rings. */
void face_peer_gone(struct face *face);
/* The guest is to stand: it is paused, or a core of it is made. */
static inline bool face_holds(const struct face *face)
{
	return face->is_paused || face->dump.state == FACE_DUMP_WANTED ||
	       face->dump.state == FACE_DUMP_RUNNING;
}
/* As the verb pause. */
void face_pause(struct face *face);
/* The machine has been reset. */
void face_was_reset(struct face *face);
/* After the channel's event, and after .again. */
void face_visit(struct face *face);

#endif
