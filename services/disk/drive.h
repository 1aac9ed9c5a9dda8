/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A drive of the host's, as the service asks for sectors: what a driver is
 * fitted to.  Not locked: one thread.
 */
#ifndef BULKHEAD_SERVICES_DISK_DRIVE_H
#define BULKHEAD_SERVICES_DISK_DRIVE_H

#include "include/compiler.h"

#define DRIVE_SERIAL_SIZE 21  /* with its 0: virtio's and ATA's have 20 */
#define DRIVE_SEGMENTS	  128 /* of a request; a driver may take less */

enum drive_op {
	DRIVE_READ = 1,
	DRIVE_WRITE,
	DRIVE_FLUSH,
	DRIVE_DISCARD,
	DRIVE_WRITE_ZEROES,
};

/* Of physical memory that stays until the request has ended. */
struct drive_segment {
	hpa_t address;
	uint32_t length; /* bytes, any but 0 */
};

struct drive_request {
	enum drive_op op;
	bool is_fua;	 /* only where info.has_fua */
	uint64_t sector; /* of 512 bytes, whole blocks */
	uint32_t sector_count;
	uint32_t segment_count; /* READ and WRITE: they add up to the sectors */
	const struct drive_segment *segment; /* only until submit() returns */
	uint64_t cookie;
};

/* What the device says of itself; checked by the service. */
struct drive_info {
	uint64_t sector_count; /* of 512 bytes */
	uint32_t block_size;   /* 512 to 4096, a power of two */
	uint32_t depth;	       /* requests at a time */
	uint32_t segments_max; /* of a request, not 0 */
	uint32_t sectors_max;  /* of a READ or WRITE; 0: no limit */
	uint32_t clear_max; /* sectors of a DISCARD or WRITE_ZEROES; 0: none */
	bool is_read_only;
	bool has_flush; /* else what is written is permanent when it ends */
	bool has_fua;
	bool has_discard, has_write_zeroes;
	/* A page that is zero and stays it, where the drive can reach it: for
	 * one without write_zeroes. */
	hpa_t zeroes;
	char serial[DRIVE_SERIAL_SIZE];
};

/*
 * A request ends by disk_complete() with its cookie, once, in any order, later
 * than its submit(): 0, or -EIO, -EROFS, -ERANGE, -EINVAL; of WRITE_ZEROES
 * -ENOSYS, too: the drive has no such command, whatever it said.
 */
struct drive_ops {
	void (*query)(void *ctx, struct drive_info *info);
	/* 0: it is in flight.  -EAGAIN: no room, try after something ended.
	 * Others: it has ended with that. */
	int (*submit)(void *ctx, const struct drive_request *request);
	/* The device is told of what was submitted. */
	void (*kick)(void *ctx);
	/*
	 * On return nothing is in flight: no request ends any more and the
	 * device reaches no memory but the driver's.  A negative number: the
	 * device is dead, and reaches none.
	 */
	int (*reset)(void *ctx);
};

/* Sectors as text: in KiB where it would be 0 MiB. */
#define SECTORS_FORMAT "%llu %s"
#define SECTORS_TEXT(sectors)                                              \
	(unsigned long long)((sectors) >> ((sectors) < BIT(11) ? 1 : 11)), \
		(sectors) < BIT(11) ? "KiB" : "MiB"

#endif
