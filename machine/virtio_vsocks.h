/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio's sockets between guests, alike on all boards. */
#ifndef BULKHEAD_MACHINE_VIRTIO_VSOCKS_H
#define BULKHEAD_MACHINE_VIRTIO_VSOCKS_H

#include "devices/virtio_vsock.h"
#include "machine/virtio_board.h"

/* Adds the device to wiring->devices, if the guest has it; as virtio_init()
 * and device_list_add(). */
int __must_check virtio_vsock_add(struct virtio_vsock *vsock,
				  const struct virtio_wiring *wiring);

#endif
