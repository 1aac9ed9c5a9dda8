/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio's sockets between guests: virtio_vsocks.h. */
#include "machine/virtio_vsocks.h"

int virtio_vsock_add(struct virtio_vsock *vsock,
		     const struct virtio_wiring *wiring)
{
	const struct board_config *board = wiring->config;
	const struct virtio_vsock_config config = {
		.pci = wiring->pci,
		.devfn = PCI_DEVFN(VIRTIO_SLOT_VSOCK, 0),
		.ram = wiring->ram,
		.clock = board->clock,
		.backend = board->vsock,
		.log = wiring->log,
	};
	int error;

	if (!board->vsock)
		return 0;
	error = virtio_vsock_init(vsock, &config);
	return error ? error : device_list_add(wiring->devices, &vsock->device);
}
