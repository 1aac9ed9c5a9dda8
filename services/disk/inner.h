/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the core have of one another: clients.c, rings and what
 * comes from them; schedule.c, whose turn it is; requests.c, a request's parts;
 * disk.c, setting up and the loop.
 */
#ifndef BULKHEAD_SERVICES_DISK_INNER_H
#define BULKHEAD_SERVICES_DISK_INNER_H

#include "services/disk/disk.h"

/* ---- clients.c ----------------------------------------------------------- */

/* Takes what its ring has, as far as there is room; says HELLO when it is due.
 */
void client_run(struct disk *disk, struct disk_client *client);
/* What the unit is, into the channel. */
void client_info(struct disk *disk, struct disk_client *client,
		 unsigned number);
/* It has ended, and is answered if somebody waits. */
void client_reply(struct disk *disk, struct disk_client *client,
		  struct disk_work *work, int status, uint64_t sector);
/* What was BUSY and is stale has ended. */
void client_drop(struct disk_client *client, struct disk_work *work);
/* Drops all that is QUEUED; what is BUSY becomes stale. */
void client_abandon(struct disk *disk, struct disk_client *client);

/* ---- schedule.c ---------------------------------------------------------- */

/* Something of the client's has left the drive: it may have more for it. */
void flow_resume(struct disk *disk, struct disk_client *client, unsigned drive);
void queue_put_last(struct disk *disk, struct disk_client *client,
		    struct disk_work *work);
void queue_put_first(struct disk *disk, struct disk_client *client,
		     struct disk_work *work);
void schedule_run(struct disk *disk);
/* When a limit lets something pass; UINT64_MAX. */
uint64_t schedule_deadline(const struct disk *disk);

/* ---- requests.c ---------------------------------------------------------- */

/*
 * Begins the next part of a request that is out of its queue.  False: the drive
 * has no room, and nothing has changed; else it is BUSY, QUEUED again or has
 * ended, and *bytes is how many the part moves.
 */
bool __must_check part_begin(struct disk *disk, struct disk_client *client,
			     struct disk_work *work, uint64_t *bytes);

/* Something in the drive has not ended in DISK_TIMEOUT_NS. */
bool drive_is_late(struct disk *disk, unsigned number);

static inline struct disk_unit *unit_of(struct disk_client *client,
					const struct disk_work *work)
{
	return &client->unit[work->request.drive];
}

static inline struct disk_drive *drive_of(struct disk *disk,
					  const struct disk_unit *unit)
{
	return &disk->drive[unit->drive];
}

static inline bool op_is_write(uint32_t op)
{
	return op == DISK_OP_WRITE || op == DISK_OP_DISCARD ||
	       op == DISK_OP_WRITE_ZEROES;
}

static inline bool op_has_data(uint32_t op)
{
	return op == DISK_OP_READ || op == DISK_OP_WRITE;
}

/* Its parts move bytes between memory and the drive: of zeroes, too, if the
 * drive has no command for them. */
static inline bool work_moves_data(struct disk *disk,
				   struct disk_client *client,
				   const struct disk_work *work)
{
	const struct disk_unit *unit = unit_of(client, work);

	return op_has_data(work->request.op) ||
	       (work->request.op == DISK_OP_WRITE_ZEROES &&
		!unit->has_overlay &&
		!drive_of(disk, unit)->info.has_write_zeroes);
}

#endif
