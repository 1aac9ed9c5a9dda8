/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of virtio's sockets share. */
#ifndef BULKHEAD_DEVICES_VIRTIO_VSOCK_INTERNAL_H
#define BULKHEAD_DEVICES_VIRTIO_VSOCK_INTERNAL_H

#include "devices/virtio_vsock.h"

#define VSOCK_QUEUE_RX	  0
#define VSOCK_QUEUE_TX	  1
#define VSOCK_QUEUE_EVENT 2
#define VSOCK_QUEUES	  3

extern const struct state_description virtio_vsock_description;

/* ---- virtio_vsock.c ------------------------------------------------------ */

void virtio_vsock_fail(struct virtio_vsock *vsock,
		       enum virtio_vsock_error error);
/* What is left of this call's work is done in a while. */
void virtio_vsock_later(struct virtio_vsock *vsock);

/* ---- virtio_vsock_tx.c, virtio_vsock_rx.c -------------------------------- */

/* What the driver has for its peers, as far as a call may. */
void virtio_vsock_tx_run(struct virtio_vsock *vsock);
/* What the driver is to have: resets, then packets of peers in their turn. */
void virtio_vsock_rx_run(struct virtio_vsock *vsock);
/* The peer's packet that waits, if one does, is lost. */
void virtio_vsock_drop(struct virtio_vsock *vsock, unsigned peer);

/* ---- virtio_vsock_connections.c ------------------------------------------ */

/* Of that row; NULL: there is none. */
struct vsock_connection *vsock_find(struct virtio_vsock *vsock, unsigned row,
				    uint32_t own_port, uint32_t port);
/* A new one; NULL: there is no place. */
struct vsock_connection *vsock_add(struct virtio_vsock *vsock, unsigned row,
				   uint32_t cid, uint32_t own_port,
				   uint32_t port);
/* One to whose driver a reset is owed; NULL: none. */
struct vsock_connection *vsock_owed(struct virtio_vsock *vsock);
/* It is open. */
void vsock_owe(struct virtio_vsock *vsock, struct vsock_connection *connection);
/* All that are open with that peer are owed one. */
void vsock_lose(struct virtio_vsock *vsock, unsigned peer);
/* There is none any more; their other ends are told, where there is room. */
void vsock_forget(struct virtio_vsock *vsock);

#endif
