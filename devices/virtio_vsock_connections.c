/* SPDX-License-Identifier: BSD-2-Clause */
/* The connections that virtio's sockets know of, and the state's fields. */
#include "devices/virtio_vsock_internal.h"

#include "lib/string.h"

#define VSOCK_PLACES (VSOCK_ROWS * VSOCK_CONNECTIONS)

static struct vsock_connection *row_of(struct virtio_vsock *vsock, unsigned row)
{
	return vsock->connection + row * VSOCK_CONNECTIONS;
}

struct vsock_connection *vsock_find(struct virtio_vsock *vsock, unsigned row,
				    uint32_t own_port, uint32_t port)
{
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct vsock_connection *at = &row_of(vsock, row)[i];

		if (at->state != VSOCK_FREE && at->own_port == own_port &&
		    at->port == port)
			return at;
	}
	return NULL;
}

struct vsock_connection *vsock_add(struct virtio_vsock *vsock, unsigned row,
				   uint32_t cid, uint32_t own_port,
				   uint32_t port)
{
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct vsock_connection *at = &row_of(vsock, row)[i];

		if (at->state != VSOCK_FREE)
			continue;
		*at = (struct vsock_connection){ .cid = cid,
						 .own_port = own_port,
						 .port = port,
						 .state = VSOCK_OPEN };
		return at;
	}
	return NULL;
}

struct vsock_connection *vsock_owed(struct virtio_vsock *vsock)
{
	struct vsock_connection *at = vsock->connection;

	for (unsigned i = 0; vsock->owed && i < VSOCK_PLACES; i++, at++)
		if (at->state == VSOCK_OWED)
			return at;
	return NULL;
}

void vsock_lose(struct virtio_vsock *vsock, unsigned peer)
{
	for (unsigned i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct vsock_connection *at = &row_of(vsock, peer)[i];

		if (at->state == VSOCK_OPEN)
			vsock_owe(vsock, at);
	}
}

void vsock_owe(struct virtio_vsock *vsock, struct vsock_connection *connection)
{
	connection->state = VSOCK_OWED;
	vsock->owed++;
}

static void peer_reset(struct virtio_vsock *vsock, unsigned peer,
		       const struct vsock_connection *at)
{
	const struct vsock_backend *backend = vsock->config.backend;
	const struct vsock_header header = {
		.from = backend->cid,
		.to = at->cid,
		.from_port = at->own_port,
		.to_port = at->port,
		.type = VSOCK_STREAM,
		.operation = VSOCK_RESET,
	};

	(void)backend->send(backend->ctx, peer, &header, NULL);
}

void vsock_forget(struct virtio_vsock *vsock)
{
	for (unsigned i = 0; i < VSOCK_NOBODY * VSOCK_CONNECTIONS; i++)
		if (vsock->connection[i].state == VSOCK_OPEN)
			peer_reset(vsock, i / VSOCK_CONNECTIONS,
				   &vsock->connection[i]);
	memset(vsock->connection, 0, sizeof(vsock->connection));
	vsock->owed = 0;
}

/* ---- State --------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_STRUCT(struct virtio_vsock_state, virtio, &virtio_description),
	STATE_VALUE(struct virtio_vsock_state, sent, .max = VSOCK_PACKET_MAX),
	STATE_VALUE(struct virtio_vsock_state, stuck),
	STATE_VALUE(struct virtio_vsock_state, is_event_owed),
	STATE_RESERVED(struct virtio_vsock_state, reserved),
	STATE_VALUE(struct virtio_vsock_state, more_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct virtio_vsock_state, patience_ns,
		    .reset = CLOCK_NEVER),
};

const struct state_description virtio_vsock_description =
	STATE_DESCRIPTION(struct virtio_vsock_state, fields);
