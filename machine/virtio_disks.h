/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's disks on virtio, as both boards have them: block devices, and what
 * is at the SCSI host. */
#ifndef BULKHEAD_MACHINE_VIRTIO_DISKS_H
#define BULKHEAD_MACHINE_VIRTIO_DISKS_H

#include "devices/virtio_blk.h"
#include "devices/virtio_scsi.h"
#include "machine/virtio_board.h"

#define VIRTIO_DISKS (VIRTIO_SLOT_SCSI - VIRTIO_SLOT_DISK)
_Static_assert(MACHINE_DISKS_MAX <= VIRTIO_DISKS, "each has a slot");

struct virtio_disks {
	unsigned count;
	struct virtio_blk disk[VIRTIO_DISKS];
	bool has_scsi;
	struct virtio_scsi scsi;
};

/*
 * Those of the machine's disks that are on the buses MACHINE_DISK_VIRTIO and
 * MACHINE_DISK_VIRTIO_SCSI, in the list of devices then.  disks is zeroed.
 * -EINVAL, -EEXIST: a disk's unit; -ENOSPC: the list is full.
 */
int __must_check virtio_disks_init(struct virtio_disks *disks,
				   const struct virtio_wiring *wiring);

#endif
