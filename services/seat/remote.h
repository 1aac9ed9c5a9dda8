/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A conversation by the control protocol with one client on one carrier:
 * docs/control.md.  What it asks of machines goes through faces.h, of init
 * through asks.h, of consoles through mux.h.
 *
 *	link.c		frames
 *	request.c	JSON to requests
 *	remote.c	hello, verbs, serial ports
 *	remote_screen.c	pictures
 *
 * A client that does not read finds its frames waiting in the link's buffer:
 * requests wait there, pictures in their machine's ring, and what serial ports
 * write is lost behind REMOTE_TAP bytes.  Nothing that anybody does holds a
 * guest up.
 *
 * Pure; not locked: one thread.
 */
#ifndef BULKHEAD_SERVICES_SEAT_REMOTE_H
#define BULKHEAD_SERVICES_SEAT_REMOTE_H

#include "services/seat/asks.h"
#include "services/seat/faces.h"
#include "services/seat/link.h"
#include "services/seat/mux.h"
#include "services/seat/request.h"

#define REMOTE_VERSION 1
#define REMOTE_TAPS    8
#define REMOTE_TAP     4096 /* a power of two */
#define REMOTE_TEXT    768  /* a JSON object to the client */

/* What a carrier may do; the manifest says which. */
enum remote_right {
	REMOTE_WATCH = BIT(0),
	REMOTE_TYPE = BIT(1),
	REMOTE_STEER = BIT(2),
	REMOTE_DEBUG = BIT(3),
};
#define REMOTE_RIGHTS (REMOTE_WATCH | REMOTE_TYPE | REMOTE_STEER | REMOTE_DEBUG)

/* A console's output on its way to the client; or the log's. */
struct remote_tap {
	uint32_t id;   /* 0: unused */
	unsigned slot; /* MUX_SLOTS: the log */
	uint32_t head, tail, lost;
	char bytes[REMOTE_TAP];
};

struct remote {
	struct mux *mux;
	struct faces *faces;
	struct asks *asks;
	uint32_t rights;
	bool is_greeted;
	bool has_begun; /* the event that says so is out */
	bool is_again;
	uint32_t buttons; /* of the pointer, as the client has them */
	struct link link;
	struct remote_tap tap[REMOTE_TAPS];
};

void remote_init(struct remote *remote, struct mux *mux, struct faces *faces,
		 struct asks *asks, uint32_t rights);

/* After bytes came, and after room has come: frames and taps, a bounded number.
 */
void remote_run(struct remote *remote, uint64_t now_ns);

/* What a console has written, or with slot MUX_SLOTS the log. */
void remote_heard(struct remote *remote, unsigned slot, const char *bytes,
		  size_t length);
/* The console in slot has ended. */
void remote_gone(struct remote *remote, unsigned slot);

/* ---- Within ------------------------------------------------------------- */

/* A JSON object of its own; the caller has made sure that there is room. */
void remote_say(struct remote *remote, const char *format, ...) __printf(2, 3);
void remote_refuse(struct remote *remote, uint32_t id, const char *error,
		   const char *what, const char *hint);
/* -errno of faces_*() as an answer. */
void remote_answer(struct remote *remote, uint32_t id, int error,
		   const char *what);
void remote_binary(struct remote *remote, uint32_t id, uint8_t what,
		   uint32_t length);

enum remote_binary {
	REMOTE_SERIAL = 1,
	REMOTE_PIXELS,
	REMOTE_CELLS,
	REMOTE_GDB
};

/* remote_screen.c: the verb; -EPIPE, -EBUSY, 0: its answer will come. */
int remote_screen(struct remote *remote, const struct request *request,
		  unsigned slot);

#endif
