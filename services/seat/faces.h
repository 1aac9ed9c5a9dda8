/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The faces of machines (include/face.h) as seat has them: who watches which
 * screen, what was asked of which machine and for whom, keys on their way.
 *
 * A machine remembers once what of its picture has changed, but several may
 * watch.  So what one watch got, the others on the same guest are still owed:
 * each has a rectangle that holds all of it, and asks for that beside what has
 * changed since.  One frame at a time is under way for a guest; pixels go
 * straight from the machine's ring to the watch that asked, which says whether
 * it has room; while it has none, the ring is full, and nobody else waits but
 * other watches of the same guest.
 *
 * Pure; not locked: one thread.
 */
#ifndef BULKHEAD_SERVICES_SEAT_FACES_H
#define BULKHEAD_SERVICES_SEAT_FACES_H

#include "include/face.h"
#include "include/held.h"
#include "include/seat.h"

#define FACES_SLOTS   GATE_CHANNELS_MAX
#define FACES_WATCHES 32
#define FACES_ASKS    32 /* commands and statistics under way */

struct faces;
struct face_watch;

/* What a watch is told; watch->ctx is its owner's.  None may call faces_*(). */
struct face_watch_ops {
	/* A record of FACE_RECORD_MAX can be taken. */
	bool (*has_room)(struct face_watch *watch);
	void (*mode)(struct face_watch *watch, const struct face_mode *mode);
	void (*pixels)(struct face_watch *watch,
		       const struct face_pixels *pixels);
	void (*cells)(struct face_watch *watch, const struct face_cells *cells);
	/* The frame that was wanted is complete.  error: -EPIPE, the guest has
	 * ended, and so has the watch; -EPROTO, its machine lies. */
	void (*end)(struct face_watch *watch, int error);
};

struct face_watch {
	const struct face_watch_ops *ops; /* NULL: unused */
	void *ctx;
	uint32_t id; /* the owner's */
	unsigned slot;
	bool is_text;
	bool is_wanted; /* a frame, and it is not complete */
	bool is_new;	/* answered also if nothing has changed */
	bool has_any;	/* the frame under way has brought something */
	bool is_told;	/* .mode is what it was told last */
	bool owes_all;	/* all of the picture is owed to it */
	struct display_rectangle owed;
	struct face_mode mode;
	uint32_t parts; /* of the picture under way, until .end is called */
};

/* An answer of a machine's; its kind is FACE_ANSWER or FACE_STATISTICS. */
typedef void (*face_answer_fn)(void *ctx, uint32_t id,
			       const struct face_record *answer, int error);

struct face_ask {
	face_answer_fn answer; /* NULL: unused */
	void *ctx;
	uint32_t id, tag;
	unsigned slot;
	enum face_kind kind; /* of the answer */
	uint32_t command;    /* enum face_command_kind, or 0 */
	uint64_t note[2];    /* the owner's: faces->note when it is answered */
	char medium[FACE_MEDIUM_SIZE]; /* FACE_INSERT's; "" is none */
};

/* A debugger; ctx and id are its owner's. */
struct face_debug_ops {
	/* A record of FACE_DEBUG can be taken. */
	bool (*has_room)(void *ctx);
	/* length 0: the guest has ended. */
	void (*bytes)(void *ctx, uint32_t id, const void *bytes, size_t length);
};

/* A core of a guest (include/face.h, FACE_DUMP); ctx and id are its owner's. */
struct face_dump_ops {
	/* The guest stands.  The file will have so many bytes. */
	void (*begin)(void *ctx, uint32_t id, uint64_t size);
	/* Some of them; length 0: it has come as far as that. */
	void (*core)(void *ctx, uint32_t id, const struct face_core *core,
		     size_t length);
	/* enum face_dump_reason; or before begin() what faces_dump() may say,
	 * -ENOSYS; or -EPIPE, the guest has ended; or -EPROTO, its machine
	 * lies. */
	void (*end)(void *ctx, uint32_t id, int reason);
};

/* The last may be over, and its machine yet to be told. */
struct face_dump {
	const struct face_dump_ops *ops; /* NULL: there is none */
	void *ctx;
	uint32_t id, tag;
	bool has_begun, must_close;
	uint64_t size, next;   /* of the file; nothing before .next will come */
	uint32_t came;	       /* FACE_COREs */
	uint32_t wanted, told; /* so many may; its machine knows of .told */
};

struct face {
	bool is_open, is_broken;
	bool is_active; /* no doorbell was asked for: look */
	bool is_bell_due;
	bool is_clean;	   /* nothing has changed since its last frame */
	bool is_paused;	   /* as its machine has answered */
	bool must_close;   /* its debugger has left: it is yet to be told */
	bool must_release; /* what a former seat had pressed: the same */
	struct face_watch *framed; /* whose frame is under way */
	bool is_framing;	   /* .framed may have gone meanwhile */
	uint32_t frame_tag;	   /* of the frame that is under way */
	unsigned turn;		   /* the watch whose it is to be framed */
	/* Of its last request.  It begins where no former seat has been: each
	 * record is longer than one byte. */
	uint32_t tag;
	struct ring requests, answers;
	const struct face_debug_ops *debug; /* NULL: there is no debugger */
	void *debug_ctx;
	uint32_t debug_id;
	struct face_dump dump;
	struct held released; /* to be sent when there is room */
	bool is_touched;      /* there is something to do */
	bool is_button_due;   /* the power button is to be pressed */
};

struct faces {
	void (*doorbell)(void *ctx, unsigned slot);
	void *ctx;
	/* More to do at once.  Whoever makes room at a watch or a debugger
	 * sets it, too. */
	bool is_again;
	unsigned watch_count;
	struct face face[FACES_SLOTS];
	struct face_watch watch[FACES_WATCHES];
	struct face_ask ask[FACES_ASKS];
	uint64_t note[2]; /* of the ask whose answer() runs */
	uint8_t record[FACE_RECORD_MAX] __aligned(8);
};

void faces_init(struct faces *faces, void (*doorbell)(void *ctx, unsigned slot),
		void *ctx);

/* The channel's memory is there, until faces_close(). */
void faces_open(struct faces *faces, unsigned slot,
		struct seat_console *memory);
void faces_close(struct faces *faces, unsigned slot);

/* The peer of slot rang. */
void faces_ring(struct faces *faces, unsigned slot);
/* After any event. */
void faces_run(struct faces *faces);

/* Events of keys and pointers.  -EPIPE: no machine; -EBUSY: it does not take
 * them now. */
int __must_check faces_input(struct faces *faces, unsigned slot,
			     const struct input_event *event, unsigned count);

/* All of *held are released, now or when there is room, before other events. */
void faces_release(struct faces *faces, unsigned slot, struct held *held);

/* command 0: FACE_STATISTICS.  -EPIPE, -EBUSY; else answer() comes. */
int __must_check faces_ask(struct faces *faces, unsigned slot, uint32_t command,
			   uint32_t unit, struct face_ask *ask);

/* A machine is there, and is trusted. */
bool faces_is_open(const struct faces *faces, unsigned slot);

/* A watch with ops, ctx, id, slot, is_text of *like; NULL: there are too many,
 * or no machine. */
struct face_watch *faces_watch(struct faces *faces,
			       const struct face_watch *like);
struct face_watch *faces_watch_find(struct faces *faces, const void *ctx,
				    uint32_t id);
/* A frame, of all or of what has changed; ops->end() says when. */
void faces_want(struct faces *faces, struct face_watch *watch, bool all);
void faces_unwatch(struct faces *faces, struct face_watch *watch);
/* All that ctx has asked for, its debuggers and dumps. */
void faces_forget(struct faces *faces, const void *ctx);

/* -EPIPE; -EBUSY: somebody else debugs it. */
/* init's: its power button is pressed as soon as its machine takes it. */
void faces_button(struct faces *faces, unsigned slot);
int __must_check faces_debug(struct faces *faces, unsigned slot,
			     const struct face_debug_ops *ops, void *ctx,
			     uint32_t id);
/* The slot of ctx's debugger of that id.  -ENOENT. */
int __must_check faces_debug_find(const struct faces *faces, const void *ctx,
				  uint32_t id);
/* How many of the bytes there was room for.  -EPIPE. */
long __must_check faces_debug_send(struct faces *faces, unsigned slot,
				   const void *bytes, size_t length);
void faces_debug_close(struct faces *faces, unsigned slot);

/* faces_dump.c.  -EPIPE; -EEXIST: there is one; -EBUSY: later. */
int __must_check faces_dump(struct faces *faces, unsigned slot,
			    const struct face_dump_ops *ops, void *ctx,
			    uint32_t id);
/* So many records may have come since its beginning: there is room for them. */
void faces_dump_more(struct faces *faces, unsigned slot, uint32_t count);
/* The guest goes on; end() is not called. */
void faces_dump_close(struct faces *faces, unsigned slot);

#endif
