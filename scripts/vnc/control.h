/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The viewer's end of the control protocol (docs/control.md): follows one
 * guest's screen while somebody looks, and types and points there.
 *
 * The watch:
 *
 *	IDLE --looking--> ASKED --answer--> DRAWN --looking--> ASKED
 *			    |			(the same id: what has changed)
 *			    +--refused, lost--> LATER --a second--> ASKED
 *							(a new id: all of it)
 *	any state --nobody looks--> IDLE (the id is closed at the host)
 *
 * Keys and pointer share one queue, so that their order is kept; one request of
 * it is on its way at a time, and the next waits a little, for a keyboard's
 * buffer is small.
 *
 * Of a pointer that has a place the host is told both, place and movement:
 *which of the two the guest takes may change meanwhile.
 *
 * Pure but for the descriptor; one thread.
 */
#ifndef BULKHEAD_VNC_CONTROL_H
#define BULKHEAD_VNC_CONTROL_H

#include "scripts/vnc/picture.h"
#include "services/seat/link.h"

#define CONTROL_INPUTS 256 /* that wait; a power of two */
#define CONTROL_TEXT   128
#define CONTROL_PLACES 32768 /* on either axis */

enum control_watch { WATCH_IDLE, WATCH_ASKED, WATCH_DRAWN, WATCH_LATER };

struct control_input {
	int key; /* a code, negative: released; 0: the pointer */
	int dx, dy, wheel;
	bool has_place;
	unsigned x, y; /* below CONTROL_PLACES */
	unsigned buttons;
};

struct control {
	int fd;
	const char *guest;
	bool is_greeted;
	bool is_over; /* the connection has ended, or the host's version is
			 another */
	uint32_t last_id;
	uint64_t hello_due_ns;
	struct link link;

	enum control_watch watch;
	uint32_t watch_id;
	uint64_t asked_ns;	    /* the last request */
	uint64_t watch_due_ns;	    /* ASKED, DRAWN, LATER: the next request */
	bool has_mode;		    /* of this watch_id */
	bool takes_places;	    /* the guest, as the mode says */
	bool wants_all;		    /* some of the last picture were lost */
	uint32_t parts;		    /* of the next picture, so far */
	char trouble[CONTROL_TEXT]; /* why there is no picture; or empty */
	struct picture picture;

	uint32_t input_id; /* on its way; 0: none */
	uint64_t input_due_ns;
	uint32_t head, tail; /* of input; they run freely */
	struct control_input input[CONTROL_INPUTS];
};

void control_init(struct control *control, int fd, const char *guest,
		  uint64_t now_ns);

/* What the queue has no room for is lost, as with a keyboard. */
void control_key(struct control *control, unsigned code, bool is_down);
/* input->key is 0. */
void control_pointer(struct control *control,
		     const struct control_input *input);

/*
 * Reads, answers, asks and writes as far as it goes without waiting.
 * is_looking: somebody wants to see the screen at all; is_ready: and what comes
 * next can be shown.
 */
void control_run(struct control *control, bool is_looking, bool is_ready,
		 uint64_t now_ns);
/* When control_run() should be called though nothing came. */
uint64_t control_deadline(const struct control *control, bool is_ready);
bool control_wants_to_write(const struct control *control);

#endif
