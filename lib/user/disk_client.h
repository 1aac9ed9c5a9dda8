/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine's side of its channel with the service `disk`: what is in flight,
 * sent again when disk has been started anew (include/disk.h).
 *
 * Not locked: the machine's devices' lock.
 */
#ifndef BULKHEAD_LIB_USER_DISK_CLIENT_H
#define BULKHEAD_LIB_USER_DISK_CLIENT_H

#include "include/disk.h"

struct disk_client_ops {
	/* The answer to a request: its id, status and, of -EIO, sector.  It may
	 * submit others. */
	void (*done)(void *ctx, uint64_t id, int status, uint64_t sector);
	void (*doorbell)(void *ctx);
	/* A HELLO has come: what the channel says of drives counts from now on.
	 * Nothing is SENT.  May be NULL. */
	void (*hello)(void *ctx);
};

/*
 *   FREE --submit--> WAITING --put into the ring--> SENT --reply--> FREE
 *	 <--cancel----'  ^---- HELLO, disk is gone ---' |
 *							cancel
 *							v
 *			     FREE <--reply, HELLO, gone-- CANCELLED
 */
enum disk_flight_state {
	FLIGHT_FREE,
	FLIGHT_WAITING,
	FLIGHT_SENT,
	FLIGHT_CANCELLED, /* SENT, and not to be sent again */
};

struct disk_flight {
	enum disk_flight_state state;
	uint64_t order; /* of its submission */
	struct disk_request request;
};

struct disk_client_link {
	const struct disk_client_ops *ops;
	void *ctx;
	struct ring requests, replies;
	uint64_t hello;	     /* this program's */
	uint64_t generation; /* 0: its HELLO is not answered yet */
	bool is_hello_due;
	bool is_alone;	/* no disk since, until the next HELLO */
	bool is_broken; /* disk lies: nothing is answered any more */
	uint64_t order;
	unsigned count;	  /* not FREE */
	unsigned waiting; /* WAITING */
	struct disk_flight flight[DISK_IN_FLIGHT];
};

/* hello: not 0, and no former program of this channel had it: the time. */
void disk_client_init(struct disk_client_link *link,
		      struct disk_channel *channel, uint64_t hello,
		      const struct disk_client_ops *ops, void *ctx);

/*
 * All of request but generation; its id is not in flight.  -EAGAIN: as much is
 * in flight as can be.  It is sent by disk_client_run().
 */
int __must_check disk_client_submit(struct disk_client_link *link,
				    const struct disk_request *request);

/*
 * Nobody wants it any more.  True: disk does not have it, and its id is free;
 * there is no done().  False: disk may have it, and a device may use its
 * memory; done() comes with disk's answer, or with -ECANCELED when disk has
 * died.
 */
bool disk_client_cancel(struct disk_client_link *link, uint64_t id);

/* Answers, then what is to be sent.  After submit() and at each event of the
 * channel's; asks for the next. */
void disk_client_run(struct disk_client_link *link);

/*
 * The same when the channel had no peer (GATE_CHANNEL_ALONE) a moment ago.  By
 * then disk has ended and its devices have been stopped, so it has no request
 * any more that it has not answered.  is_alone is false afterwards if a HELLO
 * was found, a successor's or the dead one's: look at the channel again.
 */
void disk_client_alone(struct disk_client_link *link);

#endif
