/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's driver receives: resets that the device makes, and the packets
 * of its peers, a packet of each in turn. */
#include "devices/virtio_vsock_internal.h"

#include "lib/string.h"

#define BUDGET 64 /* buffers of a call */

/* ---- The driver's buffers ------------------------------------------------ */

/* In vsock->chain, with room for a header and room more bytes, or fewer but not
 * none of these.  False: there is none now. */
static bool buffer_take(struct virtio_vsock *vsock, uint32_t room)
{
	struct virtio *virtio = &vsock->virtio;
	struct virtio_chain *chain = &vsock->chain;

	if (virtio_queue_take_or_watch(virtio, VSOCK_QUEUE_RX, chain) <= 0)
		return false;
	if (chain->in_length >= sizeof(struct vsock_header) + !!room)
		return true;
	virtio_break(virtio, "a receive buffer that has no room for a packet");
	return false;
}

static void buffer_give(struct virtio_vsock *vsock,
			const struct vsock_header *header, const void *payload)
{
	const struct virtio_chain *chain = &vsock->chain;

	virtio_chain_write(chain, 0, header, sizeof(*header));
	virtio_chain_write(chain, sizeof(*header), payload, header->length);
	virtio_queue_return(&vsock->virtio, chain,
			    (uint32_t)sizeof(*header) + header->length);
}

/* ---- Resets -------------------------------------------------------------- */

/* False: there is none to be given, or no buffer for it. */
static bool reset_give(struct virtio_vsock *vsock)
{
	struct vsock_connection *at = vsock_owed(vsock);

	if (!at || !buffer_take(vsock, 0))
		return false;
	buffer_give(vsock,
		    &(struct vsock_header){ .from = at->cid,
					    .to = vsock->config.backend->cid,
					    .from_port = at->port,
					    .to_port = at->own_port,
					    .type = VSOCK_STREAM,
					    .operation = VSOCK_RESET },
		    NULL);
	at->state = VSOCK_FREE;
	vsock->owed--;
	return true;
}

/* A peer's packet has no connection here.  Where the peer's ring is full it is
 * not told. */
static void peer_refuse(struct virtio_vsock *vsock, unsigned peer,
			const struct vsock_header *header)
{
	const struct vsock_backend *backend = vsock->config.backend;
	const struct vsock_header reset = {
		.from = header->to,
		.to = header->from,
		.from_port = header->to_port,
		.to_port = header->from_port,
		.type = VSOCK_STREAM,
		.operation = VSOCK_RESET,
	};

	if (header->operation != VSOCK_RESET)
		(void)backend->send(backend->ctx, peer, &reset, NULL);
}

/* ---- Packets ------------------------------------------------------------- */

static bool is_sensible(const struct virtio_vsock *vsock, unsigned peer,
			const struct vsock_header *header, uint32_t length)
{
	const struct vsock_backend *backend = vsock->config.backend;

	return length >= sizeof(*header) &&
	       header->length == length - sizeof(*header) &&
	       header->from == backend->peer[peer] &&
	       header->to == backend->cid && header->type == VSOCK_STREAM &&
	       header->operation >= VSOCK_REQUEST &&
	       header->operation < VSOCK_OPERATIONS &&
	       (!header->length || header->operation == VSOCK_DATA);
}

/* The connection that it is of, or begins.  False: it has none. */
static bool is_known(struct virtio_vsock *vsock, unsigned peer,
		     const struct vsock_header *header)
{
	struct vsock_connection *at =
		vsock_find(vsock, peer, header->to_port, header->from_port);

	if (!at && header->operation == VSOCK_REQUEST)
		at = vsock_add(vsock, peer, (uint32_t)header->from,
			       header->to_port, header->from_port);
	return at && at->state == VSOCK_OPEN;
}

void virtio_vsock_drop(struct virtio_vsock *vsock, unsigned peer)
{
	const struct vsock_backend *backend = vsock->config.backend;

	if (vsock->held[peer].record)
		backend->release(backend->ctx, peer);
	vsock->held[peer].record = NULL;
}

/* The next one of that peer's.  False: there is none. */
static bool hold(struct virtio_vsock *vsock, unsigned peer)
{
	const struct vsock_backend *backend = vsock->config.backend;
	struct vsock_held *held = &vsock->held[peer];
	uint32_t length;

	if (held->record)
		return true;
	held->record = backend->receive(backend->ctx, peer, &length);
	if (!held->record)
		return false;
	held->header = (struct vsock_header){ 0 };
	held->given = 0;
	memcpy(&held->header, held->record,
	       MIN(length, (uint32_t)sizeof(held->header)));
	if (!is_sensible(vsock, peer, &held->header, length))
		virtio_vsock_fail(vsock, VIRTIO_VSOCK_ERROR_PEER);
	else if (!is_known(vsock, peer, &held->header))
		peer_refuse(vsock, peer, &held->header);
	else
		return true;
	virtio_vsock_drop(vsock, peer);
	return true; /* and another one next time */
}

static void held_end(struct virtio_vsock *vsock, unsigned peer)
{
	struct vsock_held *held = &vsock->held[peer];
	struct vsock_connection *at;

	if (held->header.operation == VSOCK_RESET) {
		at = vsock_find(vsock, peer, held->header.to_port,
				held->header.from_port);
		if (at && at->state == VSOCK_OPEN)
			at->state = VSOCK_FREE;
	}
	virtio_vsock_drop(vsock, peer);
}

/* False: that peer has nothing, or there is no buffer for it. */
static bool packet_give(struct virtio_vsock *vsock, unsigned peer)
{
	struct vsock_held *held = &vsock->held[peer];
	struct vsock_header header;

	if (!hold(vsock, peer))
		return false;
	if (!held->record)
		return true;
	header = held->header;
	header.length -= held->given;
	if (!buffer_take(vsock, header.length))
		return false;
	header.length = MIN(header.length,
			    vsock->chain.in_length - (uint32_t)sizeof(header));
	buffer_give(vsock, &header,
		    held->record + sizeof(header) + held->given);
	held->given += header.length;
	if (held->given == held->header.length)
		held_end(vsock, peer);
	return true;
}

/* False: no peer has anything that can be given. */
static bool turn_give(struct virtio_vsock *vsock)
{
	unsigned count = vsock->config.backend->peer_count;

	for (unsigned i = 0; i < count; i++) {
		unsigned peer = vsock->turn++ % count;

		if (packet_give(vsock, peer))
			return true;
	}
	return false;
}

/* Without a driver nobody is there to talk to.  False: nothing has come. */
static bool turn_refuse(struct virtio_vsock *vsock)
{
	const struct vsock_backend *backend = vsock->config.backend;
	struct vsock_header header = { 0 };
	const uint8_t *record = NULL;
	uint32_t length;

	for (unsigned i = 0; !record && i < backend->peer_count; i++) {
		virtio_vsock_drop(vsock, i);
		record = backend->receive(backend->ctx, i, &length);
		if (!record)
			continue;
		memcpy(&header, record, MIN(length, (uint32_t)sizeof(header)));
		if (is_sensible(vsock, i, &header, length))
			peer_refuse(vsock, i, &header);
		backend->release(backend->ctx, i);
	}
	return record;
}

void virtio_vsock_rx_run(struct virtio_vsock *vsock)
{
	unsigned budget = BUDGET;

	while (budget && virtio_is_running(&vsock->virtio) &&
	       (reset_give(vsock) || (!vsock->owed && turn_give(vsock))))
		budget--;
	while (budget && !virtio_is_running(&vsock->virtio) &&
	       turn_refuse(vsock))
		budget--;
	virtio_queue_flush(&vsock->virtio, VSOCK_QUEUE_RX);
	if (!budget)
		virtio_vsock_later(vsock);
}
