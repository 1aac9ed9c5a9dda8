/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The core of the service `disk`: requests from the rings of clients, in turns
 * and within their limits, to drives, and the answers back.
 *
 *	client's ring -> request -> unit's queue --.
 *	client's ring -> request -> unit's queue --+-- flow -.
 *	client's ring -> request -> unit's queue ---- flow --+-> drive
 *
 * A unit is what a client calls drive: all or a part of one of the host's
 * drives, maybe under an overlay.  A flow is all that one client wants of one
 * drive.  Flows that want something take turns by deficit round robin, over
 * bytes and a cost of each request's own (schedule.c): a client has its share
 * whatever the others ask for, and one unit that is held by its limits does not
 * hold another.
 *
 * A request is done in parts, one at a time, so that it neither holds up others
 * nor needs more segments than the drive takes:
 *
 *   FREE --taken--> QUEUED --turn--> BUSY --ended--> (all done) --reply--> FREE
 *		       ^		     |
 *		       '---- more parts, ----'
 *			     FUA's flush, once more after a reset
 *
 * A client:
 *
 *   FREE --add--> ADDED --start--> GREETING --nothing busy--> OPEN
 *				     ^---------- HELLO ----------'
 *   any --lies--> BROKEN;  any --remove--> LEAVING --nothing busy--> FREE
 *
 * Requests of one that is not OPEN are dropped, at once those that are QUEUED
 * and when they end those that are BUSY; the memory of a client that is FREE is
 * reached by no drive.
 *
 * References: Shreedhar and Varghese, "Efficient Fair Queuing using Deficit
 * Round Robin", 1995.
 *
 * Pure; not locked: one thread.
 */
#ifndef BULKHEAD_SERVICES_DISK_DISK_H
#define BULKHEAD_SERVICES_DISK_DISK_H

#include "include/disk.h"
#include "lib/list.h"
#include "services/disk/drive.h"
#include "services/disk/overlay.h"
#include "services/rate.h"

#define DISK_HOST_DRIVES 8
#define DISK_CLIENTS	 (DISK_SLOTS - 1)
#define DISK_DEPTH	 16 /* requests in a drive: more would only wait there */
/* A flow begins nothing with so much of its own in the drive, where another had
 * a turn lately: drives take what they have in their own order, so what may be
 * in there is shared, too, and one with a request at a time waits for less. */
#define DISK_COST_SHARED (DISK_PART_MAX * DISK_SECTOR)
#define DISK_SHARED_NS	 (100 * NSEC_PER_MS)
#define DISK_PART_MAX	 512	 /* sectors: 256 KiB */
#define DISK_COST	 KIB(16) /* of a part, in bytes: its own, beside them */
#define DISK_QUANTUM	 KIB(64)
#define DISK_RETRIES	 2 /* resets that a request lives through */
/* A drive that does not end something for so long is reset.  The last reset, 15
 * seconds from the first try, fails it: before the machine's own drive, in
 * devices/, gives up. */
#define DISK_TIMEOUT_NS	 (5 * NSEC_PER_SEC)

struct disk_ops {
	void (*doorbell)(void *ctx, unsigned slot);
	/* A line of the log, without its newline.  Limited here. */
	void (*log)(void *ctx, const char *text);
	/* The client in slot has broken the protocol. */
	void (*broken)(void *ctx, unsigned slot, const char *why);
	/*
	 * Overlays: between bytes and a client's memory at where, which is
	 * checked.  -EFAULT: the program cannot reach it.
	 */
	int (*copy_in)(void *ctx, unsigned slot, uint64_t where, void *bytes,
		       uint32_t length);
	int (*copy_out)(void *ctx, unsigned slot, uint64_t where,
			const void *bytes, uint32_t length);
};

/* ---- The host's drives --------------------------------------------------- */

struct disk_drive {
	const struct drive_ops *ops; /* NULL: none */
	void *ctx;
	struct drive_info info;
	bool is_dead;
	bool is_full; /* until something ends */
	bool is_kick_due;
	unsigned in_flight;
	uint64_t check_ns;  /* in_flight: when to look for what is late */
	struct list active; /* flows that may want something */
	const struct disk_flow *last; /* that had a turn */
	uint64_t shared_ns;	      /* no other has, from then on */
};

/* ---- Clients ------------------------------------------------------------- */

enum disk_request_state { REQUEST_FREE, REQUEST_QUEUED, REQUEST_BUSY };

struct disk_work {
	enum disk_request_state state;
	bool is_stale;	      /* BUSY: nobody waits for it */
	bool is_flush;	      /* BUSY: the part is a flush */
	bool is_lost;	      /* a flush failed meanwhile: it is done again */
	uint8_t resets;	      /* and such failures that it lived through */
	uint8_t next;	      /* in its unit's queue */
	uint32_t serial;      /* of its part: no other has its cookie */
	uint32_t done;	      /* sectors */
	uint32_t part;	      /* BUSY: sectors */
	uint64_t cost;	      /* BUSY */
	uint64_t begin_ns;    /* BUSY */
	uint32_t part_max;    /* less after a failure, to find the sector */
	uint64_t write_count; /* flush: writes of the unit it covers */
	struct disk_request request;
};

/* Positions in client->work, linked by next. */
struct disk_queue {
	uint8_t count, first, last;
};

struct disk_unit {
	bool is_there;
	bool is_read_only;
	bool has_overlay;
	bool is_flush_lost; /* writes may be lost, and it was not told */
	unsigned drive;
	uint64_t first, count; /* sectors of the drive */
	struct disk_queue queue;
	struct rate requests, bytes;
	uint64_t write_count, flushed_count; /* ended; of them permanent */
	uint64_t lost_count;		     /* is_flush_lost: of which it is */
	struct overlay overlay;
};

struct disk_flow {
	struct list link; /* of drive->active, or of itself */
	struct disk_client *client;
	uint64_t in_flight; /* cost of what is in the drive */
	uint64_t deficit;   /* bytes */
	bool is_new;	    /* active, and first in the round */
	uint64_t wake_ns;   /* its units wait for their limits; 0: none does */
	unsigned turn;	    /* unit */
};

enum disk_client_state {
	CLIENT_FREE,
	CLIENT_ADDED,
	CLIENT_GREETING,
	CLIENT_OPEN,
	CLIENT_BROKEN,
	CLIENT_LEAVING,
};

enum { WINDOW_MEMORY, WINDOW_BOUNCE, WINDOWS };

struct disk_client {
	enum disk_client_state state;
	unsigned slot;
	char name[GATE_NAME_SIZE];
	struct disk_channel *channel;
	struct ring in, out;
	struct dma_window window[WINDOWS];
	uint64_t generation; /* given last */
	uint64_t hello;	     /* id that the next one answers */
	bool is_active;	     /* no doorbell was asked for: look */
	bool is_bell_due;
	unsigned used, busy; /* requests not FREE; BUSY */
	struct disk_unit unit[DISK_DRIVES];
	struct disk_flow flow[DISK_HOST_DRIVES];
	struct disk_work work[DISK_IN_FLIGHT];
};

struct disk {
	const struct disk_ops *ops;
	void *ctx;
	const struct overlay_ops *overlay_ops;
	uint64_t now_ns;
	bool is_again; /* more to do at once */
	uint32_t serial;
	struct rate log_rate;
	uint32_t log_lost;
	/* Those behind are not there, and never were. */
	unsigned drive_end, client_end;
	struct disk_drive drive[DISK_HOST_DRIVES];
	struct disk_client client[DISK_CLIENTS]; /* by slot - 1 */
};

/* ---- Setting up: admin.c and main.c -------------------------------------- */

/* *disk is all zero: a program's data from its start on, whose pages are not
 * all touched.  Both tables of functions get ctx. */
void disk_init(struct disk *disk, const struct disk_ops *ops,
	       const struct overlay_ops *overlay_ops, void *ctx);

/* A drive, asked what it is: its number; -ENOSPC; -EINVAL: it says nonsense. */
int __must_check disk_drive_add(struct disk *disk, const struct drive_ops *ops,
				void *ctx);

/*
 * Rings that were used go on where they are.  start: the number of this start
 * of disk.  -EINVAL: no such slot; -EEXIST: it is taken.
 */
int __must_check disk_client_add(struct disk *disk, unsigned slot,
				 const char *name, uint32_t start,
				 struct disk_channel *channel,
				 const struct dma_window window[WINDOWS]);

struct disk_unit_spec {
	unsigned drive; /* the host's */
	uint64_t first, count;
	bool is_read_only, has_overlay;
	uint64_t overlay_pages;
	struct disk_limits limits;
};

/* Before start.  -ENOENT, -EEXIST, -ERANGE (not within the drive), -EINVAL (not
 * whole blocks; limits above RATE_MAX), -ENODEV, -EROFS (the drive is). */
int __must_check disk_unit_add(struct disk *disk, unsigned slot,
			       unsigned number,
			       const struct disk_unit_spec *spec);
/* -ENOENT. */
int __must_check disk_client_start(struct disk *disk, unsigned slot);
/* -ENOENT. */
int __must_check disk_client_remove(struct disk *disk, unsigned slot);
/* The slot of one that has left, FREE from now on; 0: none. */
unsigned disk_client_gone(struct disk *disk);

/* DISK_DRIVE_*. */
uint32_t unit_flags(const struct disk *disk, const struct disk_unit *unit);

/* ---- Running ------------------------------------------------------------- */

/* The peer of slot rang. */
void disk_ring(struct disk *disk, unsigned slot);
/* From drivers: drive.h.  False: nothing in flight has it. */
bool disk_complete(struct disk *disk, uint64_t cookie, int status);
/*
 * The driver has reset drive by itself, or found it gone (is_dead): what was in
 * flight is done again, up to DISK_RETRIES times, or fails.
 */
void disk_drive_reset(struct disk *disk, unsigned drive, bool is_dead);
/* It has so many sectors now: what clients have of it stays as it is. */
void disk_drive_resized(struct disk *disk, unsigned drive,
			uint64_t sector_count);
/* After each event and when the deadline has passed. */
void disk_run(struct disk *disk, uint64_t now_ns);
/* When disk_run() wants to be called; UINT64_MAX: after the next event. */
uint64_t disk_deadline(const struct disk *disk);

/* "disk: " and a line, limited in number. */
void disk_log(struct disk *disk, const char *format, ...) __printf(2, 3);

#endif
