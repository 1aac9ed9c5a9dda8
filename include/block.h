/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk behind a device: what a device model asks for sectors.
 */
#ifndef BULKHEAD_BLOCK_H
#define BULKHEAD_BLOCK_H

#include "include/compiler.h"

#define BLOCK_SECTOR   512 /* bytes: the unit of all positions */
#define BLOCK_SHIFT    9
#define BLOCK_SEGMENTS 64
#define BLOCK_UNKNOWN  UINT64_MAX /* no sector */

/*
 * BLOCK_FLUSH: what writes have completed before it survives a power cut.
 * BLOCK_DISCARD: nobody wants what the sectors hold.  BLOCK_ZEROES: they hold
 * zeros.  Both only if can_clear, at most BLOCK_CLEAR_MAX.
 */
enum block_op {
	BLOCK_READ,
	BLOCK_WRITE,
	BLOCK_FLUSH,
	BLOCK_DISCARD,
	BLOCK_ZEROES,
};

#define BLOCK_CLEAR_MAX 8192 /* sectors */

struct block_segment {
	void *host;
	uint32_t length; /* bytes, a multiple of 512 but for ATAPI's tails */
};

/*
 * A request: consecutive sectors between the medium and up to BLOCK_SEGMENTS
 * pieces of memory, in their order; others than READ and WRITE have none.  The
 * caller owns it, the memory too, and leaves both alone from submit() to
 * done(): a device may use the memory until then, whoever waits for it.  A
 * caller that no longer wants it says so by cancel(), and waits for done() all
 * the same.  Every request has an end, if need be with an error; the backend
 * has room for block_backend.depth of them at a time, which end in any order.
 */
struct block_request {
	enum block_op op;
	/* BLOCK_WRITE: as if a flush followed.  Only if has_fua. */
	bool is_fua;
	uint64_t sector;
	uint32_t clear_count; /* sectors: BLOCK_DISCARD, BLOCK_ZEROES */
	uint32_t segment_count;
	struct block_segment segment[BLOCK_SEGMENTS];
	/*
	 * With an error: the first sector that could not be moved, or flushed;
	 * those of the request before it have been.  The caller sets it to
	 * BLOCK_UNKNOWN, the backend changes it if it knows.
	 */
	uint64_t failed_sector;
	/*
	 * Called once, perhaps before submit() returns, with the machine's
	 * lock held.  status: 0, or -EIO (the medium), -EROFS, -ERANGE (beyond
	 * the end), -ENODEV (the medium is gone), -ECANCELED (by cancel()).
	 */
	void (*done)(void *dev, struct block_request *req, int status);
	void *dev;
};

struct block_backend {
	void (*submit)(void *ctx, struct block_request *req);
	/*
	 * The caller has no use for the request any more.  What has not begun
	 * is not begun: done() may be called before cancel() returns.  What has
	 * begun ends as it would have.  With a request that has ended: nothing.
	 * NULL: there is never anything to take back.
	 */
	void (*cancel)(void *ctx, struct block_request *req);
	/*
	 * Until done() has been called: nothing else of the VM goes on, for it
	 * has the machine's lock.  It may give up; then the request has not
	 * ended.  NULL: a request is done when submit() returns.
	 */
	void (*wait)(void *ctx, const struct block_request *req);
	void *ctx;
	uint64_t sector_count;
	bool is_read_only;
	bool has_fua;	/* knows block_request.is_fua */
	bool can_clear; /* knows BLOCK_DISCARD and BLOCK_ZEROES */
	uint8_t depth;	/* requests at a time; 0: one */
};

#endif
