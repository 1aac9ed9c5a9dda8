/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks of the service `disk` (include/disk.h): block requests become pieces in
 * the channel's ring.
 *
 * A piece's segments in the VM's RAM are named as they are, and the device
 * reads and writes them itself.  What is elsewhere, a device model's buffer
 * say, and all data of a drive whose service copies (DISK_DRIVE_BOUNCE), goes
 * by way of the channel's bounce area, of which each disk has a part of its
 * own, for one request at a time.  A request that does not fit is done in
 * pieces, one at a time and in order, so that the sectors before the first that
 * failed have been moved, and no other.  Requests wait for room in the channel,
 * and for the bounce area, here.
 *
 * disk may die at any time.  Its successor is sent again what had no answer; it
 * may look different, and a drive that is another now fails.  What is cancelled
 * (include/block.h) is not sent any more.
 *
 *	no disk (ALONE): nothing is with a device any more; requests wait
 *	none for DISK_SERVICE_AWAY_NS: all fail, -EIO, and new ones at once
 *	a HELLO: they work again
 *	disk breaks the rings: all fail, for good
 *
 * There is no time limit for a disk that lives: a device may still use the
 * memory, and the guest may not be told that it is free.  disk has its own.
 *
 * Locking: the machine's lock; disk_service_open() comes before all others.
 */
#ifndef BULKHEAD_MACHINE_DISK_SERVICE_H
#define BULKHEAD_MACHINE_DISK_SERVICE_H

#include "include/block.h"
#include "include/device.h"
#include "include/machine_config.h"
#include "lib/user/disk_client.h"

#define DISK_SERVICE_AWAY_NS  (60 * NSEC_PER_SEC)
/* disk resets a drive that does not answer three times, after 5 s each. */
#define DISK_SERVICE_DRAIN_NS (150 * NSEC_PER_SEC)

#define DISK_SERVICE_DEPTH 8 /* requests of a disk at a time */

/* A request in hand, and its piece that is in flight, or waits. */
struct service_request {
	struct service_disk *disk;
	struct block_request *block; /* NULL: there is none */
	bool is_cancelled;
	bool is_waiting;	   /* the piece is not sent yet */
	uint64_t left;		   /* sectors, with the piece's */
	uint32_t segment;	   /* of the request: where the piece begins */
	uint32_t offset;	   /* bytes of that segment */
	struct disk_request piece; /* one segment for each of the request's */
};

struct service_disk {
	struct disk_service *service;
	struct block_backend backend;
	const struct machine_disk_config *config;
	bool is_gone;	  /* as the last HELLO had it */
	bool must_bounce; /* likewise: all its data */
	uint32_t bounce_at, bounce_size;

	/* Whose piece is in the bounce area; NULL: nobody's. */
	struct service_request *bouncing;
	struct service_request request[DISK_SERVICE_DEPTH];
};

struct disk_service {
	struct disk_channel *channel;
	struct disk_client_link link;
	uint8_t *window; /* the VM's RAM */
	uint64_t window_size;
	struct clock *clock;
	struct clock_timer away; /* since when there is no disk */
	bool has_given_up;	 /* it has expired */
	bool is_running; /* disk_client_run() is on the stack: it sends */
	bool is_broken;	 /* and it has been said */
	uint64_t id;	 /* the last one given to a piece */
	unsigned count;
	struct service_disk disk[MACHINE_DISKS_MAX];
};

struct disk_service_config {
	struct disk_channel *channel;
	uint8_t *window;
	uint64_t window_size;
	struct clock *clock; /* not used before disk_service_open() is over */
	uint64_t hello;	     /* disk_client_init() */
};

void disk_service_init(struct disk_service *service,
		       const struct disk_service_config *config);
/* config lives as long; what the backend is disk_service_open() says. */
struct block_backend *
disk_service_add(struct disk_service *service,
		 const struct machine_disk_config *config);
/*
 * Waits for disk, on thread 0, which has all events.  -ENODEV, and why has been
 * said: it does not answer, or does not have one of the drives.
 */
int __must_check disk_service_open(struct disk_service *service);
/* The channel's event has come. */
void disk_service_event(struct disk_service *service);
/*
 * All requests have been cancelled: until none is in flight any more.  thread:
 * the caller's.  False: disk does not answer, and a device may still write into
 * the VM's memory.
 */
bool __must_check disk_service_drain(struct disk_service *service,
				     unsigned thread);

#endif
