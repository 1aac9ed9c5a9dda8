/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk behind a device: what a device model asks for sectors.
 */
#ifndef BULKHEAD_BLOCK_H
#define BULKHEAD_BLOCK_H

#include "include/compiler.h"

#define BLOCK_SECTOR   512 /* bytes: the unit of all positions */
#define BLOCK_SEGMENTS 64

enum block_op { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH };

struct block_segment {
	void *host;
	uint32_t length; /* bytes, a multiple of 512 but for ATAPI's tails */
};

/*
 * A request: consecutive sectors between the medium and up to BLOCK_SEGMENTS
 * pieces of memory, in their order; BLOCK_FLUSH has none.  The caller owns it,
 * the memory too, and leaves both alone from submit() to done().
 */
struct block_request {
	enum block_op op;
	uint64_t sector;
	uint32_t segment_count;
	struct block_segment segment[BLOCK_SEGMENTS];
	/*
	 * Called once, perhaps before submit() returns, with the machine's
	 * lock held.  status: 0, or -EIO, -EROFS, -ERANGE (beyond the end),
	 * -EAGAIN (too much in flight).
	 */
	void (*done)(void *dev, struct block_request *req, int status);
	void *dev;
};

struct block_backend {
	void (*submit)(void *ctx, struct block_request *req);
	void *ctx;
	uint64_t sector_count;
	bool is_read_only;
};

#endif
