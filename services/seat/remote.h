/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A conversation by the control protocol with one client on one carrier:
 * docs/control.md.  What it asks of machines goes through faces.h, of init
 * through asks.h, of consoles through mux.h.
 *
 *	link.c		frames
 *	request.c	JSON to requests
 *	remote.c	hello, verbs, what is typed
 *	remote_tap.c	serial ports, debug ports, printers, the log
 *	remote_input.c	keys and pointers
 *	remote_screen.c	pictures
 *	remote_dump.c	cores of guests
 *	remote_network.c	frames of networks
 *	remote_statistics.c	what machines have counted
 *
 * A client that does not read finds its frames waiting in the link's buffer:
 * then its requests wait where they come from, pictures and a debugger's bytes
 * in their machine's ring, frames in their port's, and what serial ports write
 * is lost behind REMOTE_TAP bytes.  Answers are never lost: what may still come
 *of all that was taken on has room.  Nothing that anybody does holds a guest up
 *but a dump, for which it stands: that ends when the client takes nothing of it
 *for REMOTE_DUMP_NS.
 *
 * A guest that does not read what is typed holds up the client, for there may
 *be more on its way to it; but not for long, as the same client may have to
 * reset it.
 *
 * Pure; not locked: one thread.
 */
#ifndef BULKHEAD_SERVICES_SEAT_REMOTE_H
#define BULKHEAD_SERVICES_SEAT_REMOTE_H

#include "include/manifest.h"
#include "services/seat/asks.h"
#include "services/seat/faces.h"
#include "services/seat/link.h"
#include "services/seat/mux.h"
#include "services/seat/ports.h"
#include "services/seat/request.h"

#define REMOTE_VERSION 1
#define REMOTE_TAPS    8
#define REMOTE_TAP     4096 /* a power of two */
#define REMOTE_TEXT    3584 /* the longest JSON object to the client */
#define REMOTE_LINE    320  /* all but statistics */
#define REMOTE_GUESTS  MANIFEST_GUESTS_MAX /* of init's list */
#define REMOTE_COUNTS  8 /* statistics that machines are asked for */

/* So much is queued for the client at most when ... is taken on. */
#define REMOTE_PICTURE_QUEUE                                                 \
	16384			   /* a piece of a picture: a second's worth \
				    */
#define REMOTE_TAP_QUEUE     24576 /* a serial port's output */
#define REMOTE_REQUEST_QUEUE 32768 /* a request of its */
/* Frames of a dump that its machine may send at a time, and that may be on
 * their way to the client; and what it may take to take the first of them. */
#define REMOTE_DUMP_BATCH    2
#define REMOTE_DUMP_WINDOW   16
#define REMOTE_DUMP_NS	     (20 * NSEC_PER_SEC)
/* And behind that come at most the last of them and all answers. */
#define REMOTE_FRAME(length) ((length) + LINK_HEAD + LINK_TAIL)
#define REMOTE_ANSWERS                                                   \
	(SEAT_ASKS * (REMOTE_GUESTS + 1) * REMOTE_FRAME(REMOTE_LINE) +   \
	 FACES_ASKS * REMOTE_FRAME(REMOTE_LINE) +                        \
	 REMOTE_COUNTS * REMOTE_FRAME(REMOTE_TEXT) +                     \
	 FACES_WATCHES * 2 * REMOTE_FRAME(REMOTE_LINE) +                 \
	 FACES_SLOTS * REMOTE_FRAME(REMOTE_LINE) +                       \
	 REMOTE_DUMP_BATCH * REMOTE_FRAME(32 + FACE_CORE_MAX) +          \
	 SEAT_PORTS * REMOTE_FRAME(64) + 2 * REMOTE_FRAME(REMOTE_LINE) + \
	 REMOTE_TAPS * (2 * REMOTE_TAP + 2 * REMOTE_FRAME(REMOTE_LINE)))
_Static_assert(REMOTE_REQUEST_QUEUE + FACE_RECORD_MAX + REMOTE_FRAME(64) +
			       REMOTE_ANSWERS <=
		       LINK_SEND_BUFFER,
	       "no answer is lost");

/* What is typed and not taken keeps a client waiting so long. */
#define REMOTE_TYPE_NS (2 * NSEC_PER_SEC)
/* A frame that a switch does not take, so long. */
#define REMOTE_SEND_NS (100 * NSEC_PER_MS)

/* A console's output on its way to the client; or the log's. */
struct remote_tap {
	uint32_t id; /* 0: unused */
	/* MUX_SERIAL1_OF(): the second serial port; MUX_DEBUG_OF(),
	 * MUX_E9_OF(): a debug port; MUX_PRINTER_OF(): its printer, of which
	 * nothing is kept here; MUX_SLOTS: the log.  Both debug ports are
	 * one tap's, everything else is alike. */
	unsigned slot, also;
	bool is_stuck; /* it took nothing of what was typed last */
	uint32_t head, tail, lost;
	uint64_t poll_ns; /* a printer's: nothing is read before */
	char bytes[REMOTE_TAP];
};

/* A binary frame of the client's that has not been taken whole: no other frame
 * of its is looked at before. */
struct remote_typed {
	uint32_t at, length; /* alike: none */
	uint32_t id;
	uint8_t what; /* REMOTE_SERIAL, REMOTE_GDB, REMOTE_NETWORK */
	uint64_t deadline_ns;
	uint8_t bytes[LINK_RECEIVE_MAX];
};

/* One at a time. */
struct remote_dump {
	uint32_t id; /* 0: there is none */
	unsigned slot;
	bool has_begun;
	/* Frames: that its machine may send, that were sent, and taken. */
	uint32_t granted, sent, taken;
	uint64_t deadline_ns; /* for the client to take some; 0: not set */
};

struct remote {
	struct mux *mux;
	struct faces *faces;
	struct asks *asks;
	struct ports *ports;
	uint32_t rights; /* enum seat_right */
	bool is_greeted;
	bool has_begun; /* the event that says so is out */
	bool is_again;
	bool is_waiting; /* for room in the link */
	unsigned counts; /* statistics that machines are asked for */
	/* Of each guest's pointer, as its machine has been told. */
	uint8_t buttons[MUX_SLOTS];
	struct held held[MUX_SLOTS];
	struct link link;
	struct remote_typed typed;
	struct remote_dump dump;
	struct remote_tap tap[REMOTE_TAPS];
	uint8_t runs[FACE_RECORD_MAX]; /* of a piece of a picture */
};

void remote_init(struct remote *remote, struct mux *mux, struct faces *faces,
		 struct asks *asks, struct ports *ports);

/* The client is gone for good: all that it has asked for ends, what was to be
 * sent is not, and the next one begins anew, with the same rights. */
void remote_end(struct remote *remote);

/* After bytes came, and after room has come: frames and taps, a bounded number.
 */
void remote_run(struct remote *remote, uint64_t now_ns);
/* When remote_run() wants to be called; UINT64_MAX: after the next event. */
uint64_t remote_deadline(const struct remote *remote, uint64_t now_ns);

/* What a console has written: slots as mux_ops.heard has them. */
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
/* No more than that is queued. */
bool remote_has_room(const struct remote *remote, uint32_t queue);

enum remote_binary {
	REMOTE_SERIAL = 1,
	REMOTE_PIXELS,
	REMOTE_CELLS,
	REMOTE_GDB,
	REMOTE_CORE,
	REMOTE_NETWORK
};

/* remote_tap.c */
/* One with that id, 0: that is unused; or NULL. */
struct remote_tap *remote_tap_find(struct remote *remote, uint32_t id);
/* From now on the client hears slot, and also also.  -EBUSY: as many as can be
 * are open. */
int __must_check remote_tap_begin(struct remote *remote, uint32_t id,
				  unsigned slot, unsigned also);
/* From now on it has what the guest in slot prints.  -EBUSY the same; -ENODEV:
 * the guest has no parallel port; -EEXIST: somebody has it already. */
int __must_check remote_printer_begin(struct remote *remote, uint32_t id,
				      unsigned slot);
/* tap may be unused. */
void remote_tap_end(struct remote *remote, struct remote_tap *tap);
/* Passes on what there is. */
void remote_taps_run(struct remote *remote, uint64_t now_ns);
uint64_t remote_taps_deadline(const struct remote *remote);

/* remote_screen.c: the verb; -EPIPE, -EBUSY, 0: its answer will come. */
int remote_screen(struct remote *remote, const struct request *request,
		  unsigned slot);
/* remote_input.c: the verbs, with their answers, now or later. */
void remote_keys(struct remote *remote, const struct request *request,
		 unsigned slot);
void remote_pointer(struct remote *remote, const struct request *request,
		    unsigned slot);
/* remote_statistics.c: as remote_screen(). */
int remote_statistics(struct remote *remote, const struct request *request);

/* remote_network.c: the verbs SEAT_JOIN and SEAT_CAPTURE, whose answer comes
 * now or later. */
void remote_network(struct remote *remote, const struct request *request,
		    uint32_t verb);
/* id may be of none. */
void remote_network_close(struct remote *remote, uint32_t id);
/* A frame of the client's, as ports_send(); *is_stuck is the port's. */
long remote_network_send(struct remote *remote, uint32_t id, const void *bytes,
			 uint32_t length, bool **is_stuck);
/* Passes frames on. */
void remote_network_run(struct remote *remote);

/* remote_dump.c: the verb, whose answer comes now or later. */
void remote_dump(struct remote *remote, const struct request *request,
		 unsigned slot);
/* A binary frame of the client's, behind its head: how many frames of the dump
 * it has taken. */
void remote_dump_taken(struct remote *remote, uint32_t id, const uint8_t *bytes,
		       uint32_t length);
/* The client wants no more of it; id may be of none. */
void remote_dump_close(struct remote *remote, uint32_t id);
/* Lets more come, or ends it. */
void remote_dump_run(struct remote *remote, uint64_t now_ns);

#endif
