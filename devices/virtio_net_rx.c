/* SPDX-License-Identifier: BSD-2-Clause */
/* How virtio's network card receives: filters, buffers, what is said of
 * checksums. */
#include "devices/virtio_net_internal.h"

#include "include/errno.h"
#include "lib/string.h"
#include "lib/user/shared.h"

#define RX_QUEUES 0x55555555U

/* ---- Buffers ------------------------------------------------------------- */

enum room {
	ROOM_NONE, /* the driver has too few buffers just now */
	ROOM_NEVER,
	ROOM_FOUND,
};

/* A buffer that the frame's bytes have gone to. */
struct virtio_net_buffer {
	uint16_t id, descriptors;
	uint32_t written;
};

/*
 * A frame on its way into a queue's buffers.  It is written while they are
 * taken, so that no more than the first chain and the last have to be kept:
 * what lies in buffers that go back untouched is nothing to their driver.
 */
struct delivery {
	unsigned queue, count;
	const uint8_t *frame;
	uint32_t left; /* bytes of it */
	struct virtio_net_buffer buffer[VIRTIO_NET_BUFFERS];
};

/* As the transport wants it to be named: the first is kept, others are not. */
static struct virtio_chain *
chain_of(struct virtio_net *nic, const struct delivery *delivery, unsigned n)
{
	const struct virtio_net_buffer *buffer = &delivery->buffer[n];
	struct virtio_chain *chain = &nic->chain[n ? 1 : 0];

	chain->id = buffer->id;
	chain->descriptors = buffer->descriptors;
	if (n)
		chain->in_length = buffer->written;
	return chain;
}

/* Back they go, the last one first. */
static void buffers_untake(struct virtio_net *nic,
			   const struct delivery *delivery)
{
	for (unsigned n = delivery->count; n--;)
		virtio_queue_untake(&nic->virtio, delivery->queue,
				    chain_of(nic, delivery, n));
}

/* The next buffer gets what it has room for. */
static enum room buffer_fill(struct virtio_net *nic, struct delivery *delivery)
{
	struct virtio_chain *chain = &nic->chain[delivery->count ? 1 : 0];
	uint32_t head = net_header_size(nic);
	uint32_t skip = delivery->count ? 0 : head, n;
	int taken = virtio_queue_take_or_watch(&nic->virtio, delivery->queue,
					       chain);

	if (taken <= 0)
		return taken ? ROOM_NEVER : ROOM_NONE;
	if (chain->in_length < head) {
		virtio_break(&nic->virtio,
			     "a receive buffer that has no room for a header");
		return ROOM_NEVER;
	}
	n = virtio_chain_write(chain, skip, delivery->frame, delivery->left);
	delivery->buffer[delivery->count++] = (struct virtio_net_buffer){
		.id = chain->id,
		.descriptors = chain->descriptors,
		.written = skip + n,
	};
	delivery->frame += n;
	delivery->left -= n;
	return ROOM_FOUND;
}

static enum room buffers_fill(struct virtio_net *nic, struct delivery *delivery)
{
	bool is_mergeable = virtio_has(&nic->virtio, NET_F_MRG_RXBUF);
	unsigned most = is_mergeable ? VIRTIO_NET_BUFFERS : 1;
	enum room room = ROOM_FOUND;

	while (room == ROOM_FOUND && delivery->left && delivery->count < most)
		room = buffer_fill(nic, delivery);
	if (room == ROOM_FOUND && delivery->left) {
		virtio_net_fail(nic, VIRTIO_NET_ERROR_RX_LENGTH);
		room = ROOM_NEVER;
	}
	if (room != ROOM_FOUND && virtio_is_running(&nic->virtio))
		buffers_untake(nic, delivery);
	return room;
}

/* The first has room for the header, and the driver does not see any of them
 * before the next flush. */
static void buffers_return(struct virtio_net *nic,
			   const struct delivery *delivery,
			   struct net_header *header)
{
	const struct virtio_chain *chain = &nic->chain[0];
	const struct virtio_segment *first = &chain->segment[chain->out_count];
	uint32_t size = net_header_size(nic);

	header->buffers = (uint16_t)delivery->count;
	if (likely(size == sizeof(*header) && first->length >= size))
		shared_copy_out(first->host, header, sizeof(*header));
	else
		virtio_chain_write(chain, 0, header, size);
	for (unsigned n = 0; n < delivery->count; n++)
		virtio_queue_return(&nic->virtio, chain_of(nic, delivery, n),
				    delivery->buffer[n].written);
}

/* ---- What is said of a frame --------------------------------------------- */

/* NET_HEADER_DATA_VALID where there is a checksum and it is right. */
static uint8_t flags_of(const struct virtio_net *nic, const uint8_t *header,
			const uint8_t *frame, uint32_t length)
{
	struct net_packet packet;

	if (!virtio_has(&nic->virtio, NET_F_GUEST_CSUM) ||
	    !net_packet_parse(header, length, NET_TYPE_VLAN, &packet) ||
	    !net_transport_has_sum(frame, &packet) ||
	    !net_transport_is_good(header, frame, &packet))
		return 0;
	return NET_HEADER_DATA_VALID;
}

/* Whether what is left undone makes sense, and its driver takes it: header is
 * filled in. */
static bool offload_take(const struct virtio_net *nic,
			 const struct net_offload *offload,
			 const uint8_t *frame, uint32_t length,
			 struct net_header *header)
{
	struct net_segments segments;

	if (offload->undone & ~virtio_net_takes(nic) ||
	    !net_offload_check(offload, length))
		return false;
	header->flags = NET_HEADER_NEEDS_CSUM;
	header->csum_start = offload->sum_start;
	header->csum_offset = offload->sum_offset;
	if (!(offload->undone & NET_UNDONE_CUT))
		return true;
	memcpy(segments.header, frame, MIN(length, NET_SEGMENTS_HEADER));
	if (!net_segments_begin(&segments, offload, length))
		return false;
	header->gso_type = offload->undone & NET_UNDONE_TCP4 ? NET_GSO_TCPV4
							     : NET_GSO_TCPV6;
	header->gso_size = offload->mss;
	header->header_length = (uint16_t)segments.cut.header_length;
	return true;
}

/* Of the frame that the backend has given; false: it is to be dropped. */
static bool header_make(const struct virtio_net *nic, const uint8_t *first,
			const uint8_t *frame, uint32_t length,
			struct net_header *header)
{
	const struct net_backend *net = nic->config.nic.net;
	struct net_offload offload = { 0 };

	if (net->offload)
		offload = *net->offload;
	*header = (struct net_header){ 0 };
	if (unlikely(offload.undone))
		return offload_take(nic, &offload, frame, length, header);
	header->flags = flags_of(nic, first, frame, length);
	return length <= NET_FRAME_MAX;
}

/* ---- Frames -------------------------------------------------------------- */

/* The pair of queues that a frame comes to. */
static unsigned pair_of(const struct virtio_net *nic, const uint8_t *first,
			uint32_t length)
{
	unsigned pair = 0;

	if (nic->state.pairs > 1)
		pair = nic->state.pair_of[virtio_net_flow(first, length)];
	return pair < nic->state.pairs ? pair : 0;
}

/* A frame has NET_FRAME_MIN bytes at least; what it has not is zero. */
static void first_read(uint8_t first[NET_HEADERS_MAX], const uint8_t *frame,
		       uint32_t length)
{
	const uint32_t rest = NET_HEADERS_MAX - NET_FRAME_MIN;

	__builtin_memcpy(first, frame, NET_FRAME_MIN);
	first += NET_FRAME_MIN;
	frame += NET_FRAME_MIN;
	length -= NET_FRAME_MIN;
	if (length >= rest) {
		__builtin_memcpy(first, frame, rest);
		return;
	}
	__builtin_memset(first, 0, rest);
	if (length)
		memcpy(first, frame, length);
}

/* Whether the card is done with it; false: there is no room. */
static bool take(struct virtio_net *nic, const uint8_t *frame, uint32_t length)
{
	uint8_t first[NET_HEADERS_MAX];
	struct delivery delivery;
	struct net_header header;
	enum room room;

	if (!virtio_is_running(&nic->virtio) || !nic->state.is_cable_up)
		return true;
	first_read(first, frame, length);
	if (!virtio_net_is_wanted(nic, first) ||
	    !header_make(nic, first, frame, length, &header))
		return true;
	delivery.queue = 2 * pair_of(nic, first, length);
	delivery.count = 0;
	delivery.frame = frame;
	delivery.left = length;
	room = buffers_fill(nic, &delivery);
	if (room == ROOM_FOUND) {
		buffers_return(nic, &delivery, &header);
		nic->unflushed |= (uint32_t)BIT(delivery.queue);
		virtio_net_tx_answered(nic, delivery.queue / 2);
	}
	return room != ROOM_NONE;
}

static bool arrive(void *dev, const uint8_t *frame, uint32_t length)
{
	return length < NET_FRAME_MIN || length > NET_PACKET_MAX ||
	       take(dev, frame, length);
}

void virtio_net_rx_run(struct virtio_net *nic)
{
	if (!net_port_run(&nic->port, arrive, nic))
		virtio_net_later(nic);
	for (unsigned queue = 0; nic->unflushed & RX_QUEUES; queue += 2) {
		if (nic->unflushed & BIT(queue))
			virtio_queue_flush(&nic->virtio, queue);
		nic->unflushed &= ~(uint32_t)BIT(queue);
	}
}
