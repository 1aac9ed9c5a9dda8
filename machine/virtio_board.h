/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio devices as both boards have them: what they are wired to, and where
 * they are on the PCI bus. */
#ifndef BULKHEAD_MACHINE_VIRTIO_BOARD_H
#define BULKHEAD_MACHINE_VIRTIO_BOARD_H

#include "devices/virtio.h"
#include "machine/board.h"

/* PCI slots, function 0, alike on both boards; network cards have theirs. */
#define VIRTIO_SLOT_DISK    16 /* and up: eight disks */
#define VIRTIO_SLOT_SCSI    24
#define VIRTIO_SLOT_CONSOLE 25
#define VIRTIO_SLOT_RNG	    26
#define VIRTIO_SLOT_BALLOON 27
#define VIRTIO_SLOT_VSOCK   28
#define VIRTIO_SLOT_PMEM    29 /* and up: two */

struct virtio_wiring {
	const struct board_config *config;
	struct pci_bus *pci;
	const struct guest_ram *ram;
	struct device_list *devices;
	const struct device_log *log;
	bool is_transitional; /* of board pc */
};

#endif
