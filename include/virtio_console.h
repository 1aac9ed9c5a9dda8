/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio console as driver and device see it.
 *
 * References: VIRTIO 1.2, 5.3 "Console Device".
 */
#ifndef BULKHEAD_VIRTIO_CONSOLE_LAYOUT_H
#define BULKHEAD_VIRTIO_CONSOLE_LAYOUT_H

#include "include/compiler.h"

/* Features, by their bits' numbers. */
enum virtio_console_feature {
	VIRTIO_CONSOLE_F_SIZE,
	VIRTIO_CONSOLE_F_MULTIPORT,
	VIRTIO_CONSOLE_F_EMERG_WRITE,
};

struct virtio_console_layout {
	uint16_t columns, rows; /* SIZE */
	uint32_t port_count;	/* MULTIPORT: at most */
	uint32_t emergency;	/* EMERG_WRITE: a byte to show, at once */
};
ASSERT_SIZE(struct virtio_console_layout, 12);

enum virtio_console_queue {
	VIRTIO_CONSOLE_RECEIVE, /* of port 0 */
	VIRTIO_CONSOLE_TRANSMIT,
	VIRTIO_CONSOLE_CONTROL_RECEIVE,
	VIRTIO_CONSOLE_CONTROL_TRANSMIT,
	VIRTIO_CONSOLE_RECEIVE_1, /* of port 1; two for each that follows */
	VIRTIO_CONSOLE_TRANSMIT_1,
};

/* With MULTIPORT: a message by the queues of control; a name follows it. */
struct virtio_console_control {
	uint32_t port;
	uint16_t event;
#define VIRTIO_CONSOLE_DEVICE_READY 0
#define VIRTIO_CONSOLE_PORT_ADD	    1
#define VIRTIO_CONSOLE_PORT_REMOVE  2
#define VIRTIO_CONSOLE_PORT_READY   3
#define VIRTIO_CONSOLE_CONSOLE_PORT 4
#define VIRTIO_CONSOLE_RESIZE	    5
#define VIRTIO_CONSOLE_PORT_OPEN    6
#define VIRTIO_CONSOLE_PORT_NAME    7
	uint16_t value;
};
ASSERT_SIZE(struct virtio_console_control, 8);

/* Behind it, of RESIZE. */
struct virtio_console_resize {
	uint16_t columns, rows;
};
ASSERT_SIZE(struct virtio_console_resize, 4);

#endif
