/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's virtio console, as both boards have it: port 0 is the guest's
 * console, port 1 its second serial port if the manifest has `serial1`.
 */
#ifndef BULKHEAD_MACHINE_VIRTIO_CONSOLES_H
#define BULKHEAD_MACHINE_VIRTIO_CONSOLES_H

#include "devices/virtio_console.h"
#include "machine/virtio_board.h"

struct virtio_consoles {
	bool is_there;
	struct virtio_console console;
};

/*
 * If the board is `pv` or the manifest has it; in the list of devices then.
 * has_uart: the board has serial ports with the same input and output, which
 * get what is typed until the guest has written to a port here.  consoles is
 * zeroed.  -EEXIST; -ENOSPC: the list is full.
 */
int __must_check virtio_consoles_init(struct virtio_consoles *consoles,
				      const struct virtio_wiring *wiring,
				      bool has_uart);
/* board_ops.console_input(). */
void virtio_consoles_input(struct virtio_consoles *consoles);
/* board_ops.command() with FACE_TERMINAL: -ENODEV: there is none. */
int virtio_consoles_size(struct virtio_consoles *consoles, uint32_t size);
/* What is typed for serial port 0 or 1 is for the port here. */
bool virtio_consoles_has_input(const struct virtio_consoles *consoles,
			       unsigned port);

#endif
