/* SPDX-License-Identifier: BSD-2-Clause */
/* Network cards of virtio's, alike on all boards. */
#ifndef BULKHEAD_MACHINE_VIRTIO_NICS_H
#define BULKHEAD_MACHINE_VIRTIO_NICS_H

#include "devices/virtio_net.h"
#include "machine/virtio_board.h"

/*
 * The card that is config->nics[index], at devfn; with rom as its expansion
 * ROM, or NULL.  The caller adds nic->device to the board's list.  -EINVAL:
 * queues or longest packet that cannot be; and as virtio_init().
 */
int __must_check virtio_nic_init(struct virtio_net *nic,
				 const struct virtio_wiring *wiring,
				 unsigned index, uint8_t devfn,
				 const struct machine_blob *rom);

#endif
