/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio block device, over any disk (include/block.h).
 *
 * A request is a chain: a header, data to or from, a byte of status.  It gets
 * one of VIRTIO_BLK_REQUESTS places, of which the disk below has room for some;
 * while all are taken the queues wait, and nobody is kicked.  Requests end in
 * any order; queues that wait take turns.  What the driver writes and does not
 * ask to be flushed may be lost in a power cut; of a driver that cannot ask (no
 * F_FLUSH) every write stays.
 *
 *	notified -> take -> begin -> the disk -> done -> return, flush
 *		      ^					   |
 *		      '--- queues that waited for a place <'
 *
 * A driver that resets the device is not told that it is through before the
 * disk has given back all memory: virtio_ops.is_stopping().
 *
 * Does not model: write cache mode (CONFIG_WCE), geometry, lifetime, secure
 * erase, zones; SCSI commands of legacy drivers.
 *
 * References: VIRTIO 1.2, 5.2.
 */
#ifndef BULKHEAD_DEVICES_VIRTIO_BLK_H
#define BULKHEAD_DEVICES_VIRTIO_BLK_H

#include "devices/virtio.h"
#include "include/block.h"
#include "include/virtio_blk.h"

#define VIRTIO_BLK_REQUESTS    16 /* at a time */
#define VIRTIO_BLK_QUEUES_MAX  16
#define VIRTIO_BLK_SEGMENT_MAX KIB(64)
/* Sectors of a request: work that is done at once has to end. */
#define VIRTIO_BLK_SECTORS_MAX 8192

struct virtio_blk_config {
	struct pci_bus *pci;
	uint8_t devfn;
	const struct guest_ram *ram;
	const struct device_log *log;
	struct clock *clock;
	bool is_transitional;
	struct block_backend *backend;
	const char *serial;  /* 20 characters count; NULL: none */
	uint16_t queues;     /* 0: one */
	uint16_t block_size; /* bytes, 512 or 4096; 0: 512 */
};

struct virtio_blk_state {
	struct virtio_state virtio;
	uint64_t more_ns; /* requests wait for it; or CLOCK_NEVER */
};

struct virtio_blk;

struct virtio_blk_request {
	struct virtio_blk *blk;
	struct virtio_chain chain;
	struct block_request block;
};

struct virtio_blk {
	struct device device;
	struct virtio_blk_state state;
	struct virtio virtio;
	struct block_backend *backend;
	struct virtio_blk_layout layout;
	char serial[VIRTIO_BLK_ID_SIZE];
	uint16_t queues;
	uint16_t turn;	   /* the queue from which on who waits is next */
	uint32_t free;	   /* places, a bit each */
	uint32_t places;   /* that there are */
	uint32_t waiting;  /* queues that found none, a bit each */
	uint32_t returned; /* queues of which the driver has something to see */
	uint32_t budget;   /* requests that may begin before others' turn */
	bool is_in_run;
	struct clock *clock;
	struct clock_timer more;
	struct virtio_blk_request request[VIRTIO_BLK_REQUESTS];
};

/* May be saved while no request is in flight. */
extern const struct device_ops virtio_blk_ops;

/* -EINVAL: a disk without sectors, or queues or blocks that there are not;
 * -EEXIST: the place is taken. */
int __must_check virtio_blk_init(struct virtio_blk *blk,
				 const struct virtio_blk_config *config);

#endif
