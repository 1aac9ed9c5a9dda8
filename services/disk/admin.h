/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What init asks of disk: include/disk.h's messages.  A message is read only
 * when there is room for its answer; what needs more room than that waits here.
 *
 * Pure; not locked: one thread.
 */
#ifndef BULKHEAD_SERVICES_DISK_ADMIN_H
#define BULKHEAD_SERVICES_DISK_ADMIN_H

#include "services/disk/sources.h"

struct admin_ops {
	/* The memory of the channel in that slot; NULL: there is none. */
	struct disk_channel *(*channel)(void *ctx, unsigned slot);
	/* Where the client's memory and its bounce area are.  0 or -errno. */
	int (*window)(void *ctx, unsigned slot,
		      struct dma_window window[WINDOWS]);
	void (*detach)(void *ctx, unsigned slot);
	void (*doorbell)(void *ctx, unsigned slot);
};

struct admin {
	const struct admin_ops *ops;
	void *ctx;
	struct disk *disk;
	struct sources *sources;
	struct ring in, out;
	uint32_t start;
	bool has_begun; /* init's BEGIN for this program was read */
	bool is_said;	/* that init's ring is broken */
	bool is_again;	/* more to do at once */
	bool is_bell_due;
	/* What a LIST is at, if there is one. */
	bool is_listing;
	unsigned list_drive, list_index;
	uint64_t removed;		/* slots whose answer waits */
	uint64_t leaving;		/* slots that init has said REMOVE of */
	uint64_t cut;			/* slots that were, and it waits */
	const char *broken[DISK_SLOTS]; /* of these: why */
};

void admin_init(struct admin *admin, const struct admin_ops *ops, void *ctx,
		struct disk *disk, struct sources *sources,
		struct disk_control *memory, uint32_t start);

/* Messages of init's, a bounded number; before disk_run(). */
void admin_read(struct admin *admin);
/* Answers that are due; after disk_run(). */
void admin_answer(struct admin *admin);
/* For disk_ops.broken; why stays. */
void admin_broken(struct admin *admin, unsigned slot, const char *why);

#endif
