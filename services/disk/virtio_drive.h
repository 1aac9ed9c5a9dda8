/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio block device as one of the host's drives: drivers/virtio_blk fitted
 * to drive.h.
 *
 *   NONE --start--> STARTING --disk_drive_add()--> WORKS --> DEAD
 *			`-- refused --> NONE	     ^--'
 *						breaks: reset
 *
 * A device that breaks its queues, or says that it is broken, is reset here;
 * one that says nothing by the core (drive_ops.reset).  Either way the core
 * does again what was in flight.  One that cannot be reset, that comes back as
 * another, or breaks over and over without having done anything, is dead: it is
 * kept from memory, and all that is asked of it fails.
 *
 * Of the device's memory the first page is zeroes, the second for what the
 * service reads itself, before it has clients; the rest the driver's.
 */
#ifndef BULKHEAD_SERVICES_DISK_VIRTIO_DRIVE_H
#define BULKHEAD_SERVICES_DISK_VIRTIO_DRIVE_H

#include "drivers/virtio_blk.h"
#include "include/grant.h"
#include "services/disk/disk.h"
#include "services/disk/partitions.h"

/* Vector 0 is for changes of the configuration. */
#define VIRTIO_DRIVE_QUEUES   (GATE_DEVICE_VECTORS - 1)
/* All that is read of a drive at its start, and each command of it. */
#define VIRTIO_DRIVE_START_NS (5 * NSEC_PER_SEC)
#define VIRTIO_DRIVE_SYNC_NS  (2 * NSEC_PER_SEC)
/* In a row, without anything that it has done. */
#define VIRTIO_DRIVE_RESETS   16

struct virtio_drive_ops {
	/* Until an interrupt, which has come to virtio_drive_interrupt() then,
	 * or deadline_ns; may be less. */
	void (*wait)(void *ctx, uint64_t deadline_ns);
	/* The device reaches memory, and nothing can be done about it: only the
	 * end of the program, and all that hangs on it, is left. */
	void (*runaway)(void *ctx);
};

struct virtio_drive_config {
	const struct virtio_drive_ops *ops;
	void *ctx;
	uint16_t address; /* struct gate_device's */
	struct pci_access pci;
	struct dma_region memory; /* DISK_DMA_PAGES */
};

enum virtio_drive_state {
	VIRTIO_DRIVE_NONE,
	VIRTIO_DRIVE_STARTING,
	VIRTIO_DRIVE_WORKS,
	VIRTIO_DRIVE_DEAD,
};

struct virtio_drive_slot {
	bool is_busy;
	uint64_t cookie;
	struct virtio_blk_request request;
	struct virtio_blk_segment segment[VIRTIO_BLK_SEGMENTS];
};

struct virtio_drive {
	enum virtio_drive_state state;
	struct virtio_drive_config config;
	struct disk *disk;
	unsigned number; /* the core's, once it WORKS */
	struct virtio_blk blk;
	struct virtio_blk_info info; /* before the last reset */
	uint32_t ready;		     /* queues that are to be polled */
	uint32_t unkicked;	     /* queues that were given something */
	unsigned next_queue;
	unsigned resets;
	uint64_t start_end_ns;
	struct dma_region zeroes, page;
	struct virtio_drive_slot sync; /* is_busy: it has not come back */
	int sync_status;
	struct virtio_drive_slot slot[DISK_DEPTH];
};

extern const struct drive_ops virtio_drive_ops; /* ctx: struct virtio_drive */

/*
 * Makes it a drive of disk's, and reads its partition table: its number, or
 * -errno, with a line in the log; then the device is left alone, and reaches no
 * memory.
 */
int __must_check virtio_drive_start(struct virtio_drive *drive,
				    const struct virtio_drive_config *config,
				    struct disk *disk,
				    struct partition_table *table);

/* Its interrupt, of those vectors; INTx: BIT(0). */
void virtio_drive_interrupt(struct virtio_drive *drive, uint64_t vectors);
/* Takes what has come back.  True: there is more. */
bool virtio_drive_poll(struct virtio_drive *drive);

#endif
