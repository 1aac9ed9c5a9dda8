/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client has written to a drive whose contents stay as they are: sectors
 * in memory, over those of the drive, lost when the service ends.
 *
 * A radix tree of pages of 512 entries; an entry of the last level is 8 sectors
 * of 512 bytes: the address of their page, 0 while none has contents, and in
 * its low bits which of them are here at all.  One that is here without a page
 * is all zero.  So a write never reads the drive, and what is discarded gives
 * its page back.
 *
 *	level 3 (optional) -> ... -> level 0: entries -> page of 8 sectors
 *
 * Pure; pages come by a function, bounded in number, tables included.
 */
#ifndef BULKHEAD_SERVICES_DISK_OVERLAY_H
#define BULKHEAD_SERVICES_DISK_OVERLAY_H

#include "include/disk.h"

#define OVERLAY_LEVELS 4 /* 2^36 entries: 2^39 sectors */

struct overlay_ops {
	/* A page of 4 KiB, aligned, any contents; NULL: none is left. */
	void *(*page_take)(void *ctx);
	void (*page_give)(void *ctx, void *page);
};

/* Moves bytes at offset of what the client has asked for; 0, or -errno: its
 * memory cannot be reached. */
struct overlay_copy {
	int (*from_client)(void *ctx, uint64_t offset, void *bytes,
			   uint32_t length);
	int (*to_client)(void *ctx, uint64_t offset, const void *bytes,
			 uint32_t length);
	void *ctx;
};

struct overlay {
	const struct overlay_ops *ops;
	void *ctx;
	uint64_t sector_count;
	uint64_t pages, pages_max;
	unsigned levels;
	uint64_t *root;
};

/* -ERANGE: the drive is too large. */
int __must_check overlay_init(struct overlay *overlay,
			      const struct overlay_ops *ops, void *ctx,
			      uint64_t sector_count, uint64_t pages_max);
/* Gives all pages back; it may be called of one that is all zero. */
void overlay_fini(struct overlay *overlay);

/*
 * How many sectors from sector on, of count at most, are all here, or all not;
 * not 0.  Looks at 512 entries and no more.
 */
uint32_t overlay_run(const struct overlay *overlay, uint64_t sector,
		     uint32_t count, bool *is_here);
/* Sectors that are here, as overlay_run() said, to the client. */
int __must_check overlay_read(const struct overlay *overlay, uint64_t sector,
			      uint32_t count, const struct overlay_copy *copy);
/* From the client.  -ENOSPC; *done is how many sectors were written. */
int __must_check overlay_write(struct overlay *overlay, uint64_t sector,
			       uint32_t count, const struct overlay_copy *copy,
			       uint32_t *done);
/*
 * They are zero from now on.  -ENOSPC, *done likewise.  is_discard: what they
 * hold is open, and where there is no table yet they stay as they are, so that
 * it takes none.
 */
int __must_check overlay_clear(struct overlay *overlay, uint64_t sector,
			       uint32_t count, bool is_discard, uint32_t *done);

#endif
