/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's images in persistent memory, as both boards have them.
 *
 * The guest is shown the boot module's own pages, read-only: all that have the
 * image have the same, and what one has read is in the processor's caches for
 * the others.  A write of the guest's exits, and is a write to where no device
 * is: it has no effect, and is logged.  Devices do not reach it by DMA.
 */
#ifndef BULKHEAD_MACHINE_VIRTIO_PMEMS_H
#define BULKHEAD_MACHINE_VIRTIO_PMEMS_H

#include "devices/virtio_pmem.h"
#include "machine/virtio_board.h"

#define VIRTIO_PMEMS 2

struct virtio_pmems {
	unsigned count;
	struct virtio_pmem pmem[VIRTIO_PMEMS];
	const uint8_t *image[VIRTIO_PMEMS];
};

/* Where PCI may have addresses from on: behind RAM's end and the images, if
 * there are any. */
gpa_t virtio_pmems_end(const struct machine_config *machine, gpa_t ram_end);
/*
 * Those of the machine's disks that are on the bus MACHINE_DISK_PMEM, shown to
 * the guest behind ram_end, the devices in the list.  pmems is zeroed.
 * -ERANGE: the guest's addresses end before them; -EINVAL: an image's unit or
 * size; -ENOSPC: the list is full.
 */
int __must_check virtio_pmems_init(struct virtio_pmems *pmems,
				   const struct virtio_wiring *wiring,
				   gpa_t ram_end);
/* board_ops.ram_at() for reading: NULL: no image is there. */
const void *virtio_pmems_at(const struct virtio_pmems *pmems, gpa_t gpa,
			    size_t length);

#endif
