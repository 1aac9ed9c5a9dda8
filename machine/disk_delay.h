/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk that is not too fast: between a device and its medium, which may be
 * any, it tells of a request's end no sooner than a time after its beginning.
 * Systems of a time when all disks turned have been seen to lose track of
 * requests that end before the instruction after they began.
 *
 * Like the medium it has room for one request.  One that is cancelled while
 * only its end is waited for ends at once.  As everything of a board it is
 * called with the machine's lock held.
 */
#ifndef BULKHEAD_MACHINE_DISK_DELAY_H
#define BULKHEAD_MACHINE_DISK_DELAY_H

#include "include/block.h"
#include "include/device.h"

struct disk_delay {
	struct block_backend backend;
	struct block_backend *below;
	struct clock *clock;
	struct clock_timer timer;
	uint64_t delay_ns;

	/* The request in hand, and what is asked of the medium for it. */
	struct block_request *request;
	struct block_request below_request;
	uint64_t end_ns;
	int status;
	bool is_below_done;
};

/* The backend to use in place of the one below. */
struct block_backend *disk_delay_init(struct disk_delay *delay,
				      struct block_backend *below,
				      struct clock *clock, uint32_t delay_us);

#endif
