/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio block device with a disk in memory.  Commands are fetched, checked
 * against the specification and what the device offers, and wait until they are
 * told to finish, in any order and in any way.
 */
#ifndef BULKHEAD_TESTS_FAKE_VIRTIO_BLK_H
#define BULKHEAD_TESTS_FAKE_VIRTIO_BLK_H

#include "tests/unit/fake/virtio/device.h"

#define FAKE_SECTORS 256
#define FAKE_WAITING 512
/* What fake_blk_finish() takes for "as many as were written". */
#define FAKE_LENGTH  UINT32_MAX

struct fake_command {
	unsigned queue;
	struct fake_chain chain;
	uint32_t type;
	uint64_t sector;
	uint64_t bytes; /* of data */
	uint64_t range_sector;
	uint32_t range_count, range_flags;
};

struct fake_blk {
	struct fake_virtio device; /* first */
	uint8_t *disk;		   /* FAKE_SECTORS of 512 bytes */
	const char *serial;
	unsigned count;
	struct fake_command *waiting; /* FAKE_WAITING */
	unsigned commands, flushes;   /* since it was made */
};

void fake_blk_init(struct fake_blk *blk);
void fake_blk_fini(struct fake_blk *blk);

/* A field of the device's configuration. */
void fake_blk_config(struct fake_blk *blk, unsigned offset, unsigned size,
		     uint64_t value);

/* Takes over what the driver has shown it; how many wait. */
unsigned fake_blk_fetch(struct fake_blk *blk);
/* Does what is asked, OK, and finishes it. */
void fake_blk_do(struct fake_blk *blk, unsigned i);
/* All that wait and are shown meanwhile, in order. */
void fake_blk_do_all(struct fake_blk *blk);
/* Does nothing of it; status 0xff is not written. */
void fake_blk_finish(struct fake_blk *blk, unsigned i, uint8_t status,
		     uint32_t length);

#endif
