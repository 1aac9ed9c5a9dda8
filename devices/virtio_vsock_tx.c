/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest's driver sends to its peers.
 *
 * A packet that cannot go now stays in the driver's queue, and how much of its
 * payload has gone is remembered.
 */
#include "devices/virtio_vsock_internal.h"

#define BUDGET	    64 /* packets of a call */
#define PATIENCE_NS (10 * NSEC_PER_SEC)

static bool is_sensible(const struct virtio_vsock *vsock,
			const struct virtio_chain *chain,
			const struct vsock_header *header)
{
	return chain->out_length >= sizeof(*header) &&
	       header->from == vsock->config.backend->cid &&
	       header->type == VSOCK_STREAM &&
	       header->operation >= VSOCK_REQUEST &&
	       header->operation < VSOCK_OPERATIONS &&
	       header->length <= chain->out_length - sizeof(*header) &&
	       header->length <= VSOCK_PACKET_MAX &&
	       (!header->length || header->operation == VSOCK_DATA);
}

/* Its number, or VSOCK_NOBODY. */
static unsigned peer_of(const struct virtio_vsock *vsock, uint64_t cid)
{
	const struct vsock_backend *backend = vsock->config.backend;

	for (unsigned i = 0; i < backend->peer_count; i++)
		if (backend->peer[i] == cid)
			return i;
	return VSOCK_NOBODY;
}

/* It is answered by a reset, as by someone who has no such socket.  False: so
 * many are owed that the driver has to take some first. */
static bool refuse(struct virtio_vsock *vsock,
		   const struct vsock_header *header)
{
	struct vsock_connection *at;

	if (header->operation == VSOCK_RESET)
		return true;
	at = vsock_add(vsock, VSOCK_NOBODY, (uint32_t)header->to,
		       header->from_port, header->to_port);
	if (!at)
		return false;
	vsock_owe(vsock, at);
	return true;
}

/* What is left of it, in pieces.  VSOCK_FULL: the rest waits. */
static enum vsock_sent pieces_send(struct virtio_vsock *vsock, unsigned peer,
				   const struct virtio_chain *chain,
				   const struct vsock_header *header)
{
	const struct vsock_backend *backend = vsock->config.backend;
	uint32_t *sent = &vsock->state.sent;
	struct vsock_header piece = *header;
	enum vsock_sent result;

	do {
		piece.length = MIN(header->length - MIN(*sent, header->length),
				   (uint32_t)VSOCK_PAYLOAD_MAX);
		virtio_chain_read(chain, sizeof(piece) + *sent, vsock->payload,
				  piece.length);
		result = backend->send(backend->ctx, peer, &piece,
				       vsock->payload);
		if (result != VSOCK_SENT)
			break;
		*sent += piece.length;
	} while (*sent < header->length);
	if (result != VSOCK_FULL)
		*sent = 0;
	return result;
}

/* The peer's ring is full. */
static void wait_for(struct virtio_vsock *vsock, unsigned peer)
{
	vsock->waiting = peer;
	if (!vsock->patience.is_armed)
		clock_timer_arm(vsock->config.clock, &vsock->patience,
				clock_now(vsock->config.clock) + PATIENCE_NS);
}

/* Of a connection that is known.  False: it waits. */
static bool forward(struct virtio_vsock *vsock, unsigned peer,
		    struct vsock_connection *at,
		    const struct virtio_chain *chain,
		    const struct vsock_header *header)
{
	enum vsock_sent result = pieces_send(vsock, peer, chain, header);

	if (result == VSOCK_FULL && !(vsock->state.stuck & BIT(peer))) {
		wait_for(vsock, peer);
		return false;
	}
	if (header->operation == VSOCK_RESET)
		at->state = VSOCK_FREE;
	else if (result != VSOCK_SENT)
		vsock_owe(vsock, at);
	if (result == VSOCK_FULL)
		vsock->state.sent = 0;
	return true;
}

/* False: it waits, and is to be taken again. */
static bool packet_send(struct virtio_vsock *vsock,
			const struct virtio_chain *chain)
{
	struct vsock_header header = { 0 };
	struct vsock_connection *at;
	unsigned peer;

	virtio_chain_read(chain, 0, &header, sizeof(header));
	if (!is_sensible(vsock, chain, &header)) {
		virtio_vsock_fail(vsock, VIRTIO_VSOCK_ERROR_DRIVER);
		return true;
	}
	peer = peer_of(vsock, header.to);
	if (peer == VSOCK_NOBODY && header.to == VSOCK_CID_HOST &&
	    header.operation == VSOCK_REQUEST)
		virtio_vsock_fail(vsock, VIRTIO_VSOCK_ERROR_HOST);
	if (peer == VSOCK_NOBODY)
		return refuse(vsock, &header);
	at = vsock_find(vsock, peer, header.from_port, header.to_port);
	if (at && at->state == VSOCK_OWED)
		/* It will hear of its end; a new one begins after that. */
		return header.operation != VSOCK_REQUEST;
	if (!at && header.operation == VSOCK_REQUEST)
		at = vsock_add(vsock, peer, (uint32_t)header.to,
			       header.from_port, header.to_port);
	return at ? forward(vsock, peer, at, chain, &header)
		  : refuse(vsock, &header);
}

void virtio_vsock_tx_run(struct virtio_vsock *vsock)
{
	struct virtio *virtio = &vsock->virtio;
	struct virtio_chain *chain = &vsock->chain;
	unsigned budget = BUDGET, owed;
	bool is_waiting = false;
	int taken = 1;

	/* What ends comes before what begins anew. */
	if (vsock->owed)
		virtio_vsock_rx_run(vsock);
	owed = vsock->owed;
	while (budget && taken > 0 && virtio_is_running(virtio)) {
		taken = virtio_queue_take(virtio, VSOCK_QUEUE_TX, chain);
		if (taken > 0) {
			budget--;
			if (!packet_send(vsock, chain)) {
				virtio_queue_untake(virtio, VSOCK_QUEUE_TX,
						    chain);
				virtio_queue_watch(&vsock->virtio,
						   VSOCK_QUEUE_TX, false);
				is_waiting = true;
				break;
			}
			virtio_queue_return(virtio, chain, 0);
		} else if (!taken &&
			   virtio_queue_watch(virtio, VSOCK_QUEUE_TX, true)) {
			taken = 1;
		}
	}
	virtio_queue_flush(virtio, VSOCK_QUEUE_TX);
	if (vsock->owed > owed) {
		owed = vsock->owed;
		virtio_vsock_rx_run(vsock);
	}
	if (!budget || (is_waiting && vsock->owed < owed))
		virtio_vsock_later(vsock);
}
