/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How virtio's network card sends.
 *
 * A frame goes from where the driver has it, and so does what a backend takes
 * with its checksum or its segmentation left undone.  Else a frame that wants a
 * checksum is put together first, and so is each segment of a packet that is to
 * be cut.  When the backend is full the chain goes back to its queue, and how
 * many of its segments have been sent is remembered, so that nothing is in
 * flight but what the state tells of: a driver that changes the packet
 * meanwhile has segments of either.
 */
#include "devices/virtio_net_internal.h"

#include "lib/string.h"
#include "lib/user/shared.h"

#define BUDGET	   256 /* frames of a call, of each queue */
#define KICKS	   2   /* from so many in a row on a queue is polled */
#define UNSHOWN	   64  /* frames, at most */
#define TX_QUEUES  0xaaaaaaaaU
#define PIECES	   NET_PIECES_MAX
#define PACKET_MAX 65535

/* ---- Frames -------------------------------------------------------------- */

/* False: the backend is full. */
static bool hand_over(struct virtio_net *nic, const struct net_segment *piece,
		      unsigned count)
{
	const struct net_backend *net = nic->config.nic.net;

	return net->send(net->ctx, piece, count);
}

static bool packet_hand_over(struct virtio_net *nic,
			     const struct net_offload *offload,
			     const struct net_segment *piece, unsigned count)
{
	const struct net_backend *net = nic->config.nic.net;

	return net->send_packet(net->ctx, offload, piece, count);
}

/* What has been put together. */
static bool frame_send(struct virtio_net *nic, uint32_t length)
{
	const struct net_segment whole = {
		nic->frame,
		MAX(length, (uint32_t)NET_FRAME_MIN),
	};

	if (length < NET_FRAME_MIN)
		memset(nic->frame + length, 0, NET_FRAME_MIN - length);
	return hand_over(nic, &whole, 1);
}

/* From byte skip on, where the driver has it, padded; 0: too many pieces. */
static unsigned pieces_of(const struct virtio_chain *chain, uint32_t skip,
			  struct net_segment piece[PIECES])
{
	static const uint8_t zeros[NET_FRAME_MIN];
	uint32_t length = chain->out_length - skip;
	unsigned count = 0;

	/* Nearly all lie in one piece behind their header. */
	if (likely(chain->out_count == 1 && length >= NET_FRAME_MIN)) {
		piece[0] = (struct net_segment){ chain->segment[0].host + skip,
						 length };
		return 1;
	}
	for (unsigned i = 0; i < chain->out_count; i++) {
		const struct virtio_segment *segment = &chain->segment[i];

		if (segment->length <= skip) {
			skip -= segment->length;
			continue;
		}
		if (count == PIECES - 1)
			return 0;
		piece[count++] = (struct net_segment){ segment->host + skip,
						       segment->length - skip };
		skip = 0;
	}
	if (length < NET_FRAME_MIN)
		piece[count++] =
			(struct net_segment){ zeros, NET_FRAME_MIN - length };
	return count;
}

/* What the backend need not do of a frame; false: it has to have its checksum.
 */
static bool frame_offload(const struct virtio_net *nic,
			  const struct net_header *header, uint32_t length,
			  struct net_offload *offload)
{
	*offload = (struct net_offload){ 0 };
	if (!(header->flags & NET_HEADER_NEEDS_CSUM))
		return true;
	*offload = (struct net_offload){
		.undone = NET_UNDONE_SUM,
		.sum_start = header->csum_start,
		.sum_offset = header->csum_offset,
	};
	return nic->config.nic.net->send_packet &&
	       net_offload_check(offload, length);
}

static bool simple_send(struct virtio_net *nic,
			const struct virtio_chain *chain, uint32_t skip,
			const struct net_header *header)
{
	uint32_t length = chain->out_length - skip;
	struct net_segment piece[PIECES];
	struct net_offload offload;
	unsigned count;

	if (length > NET_FRAME_MAX) {
		virtio_net_fail(nic, VIRTIO_NET_ERROR_TX_LENGTH);
		return true;
	}
	if (frame_offload(nic, header, length, &offload)) {
		count = pieces_of(chain, skip, piece);
		if (count && offload.undone)
			return packet_hand_over(nic, &offload, piece, count);
		if (count)
			return hand_over(nic, piece, count);
	}
	length = virtio_chain_read(chain, skip, nic->frame, length);
	if (header->flags & NET_HEADER_NEEDS_CSUM)
		net_sum_put(nic->frame, length, header->csum_start, 0,
			    (uint32_t)header->csum_start + header->csum_offset,
			    true);
	return frame_send(nic, length);
}

/* ---- Packets that are cut ------------------------------------------------ */

/* False: it cannot be cut.  *segments is what it is cut into. */
static bool packet_look(const struct virtio_net *nic,
			const struct virtio_chain *chain, uint32_t skip,
			const struct net_header *header,
			struct net_offload *offload,
			struct net_segments *segments)
{
	uint8_t type = header->gso_type & (uint8_t)~NET_GSO_ECN;
	uint32_t length = chain->out_length - skip;
	bool is_ipv4 = type == NET_GSO_TCPV4;

	if ((!is_ipv4 && type != NET_GSO_TCPV6) ||
	    !virtio_has(&nic->virtio,
			is_ipv4 ? NET_F_HOST_TSO4 : NET_F_HOST_TSO6) ||
	    !(header->flags & NET_HEADER_NEEDS_CSUM) || length > PACKET_MAX)
		return false;
	*offload = (struct net_offload){
		.undone = NET_UNDONE_SUM |
			  (is_ipv4 ? NET_UNDONE_TCP4 : NET_UNDONE_TCP6),
		.mss = header->gso_size,
		.sum_start = header->csum_start,
		.sum_offset = NET_TCP_SUM,
	};
	virtio_chain_read(chain, skip, segments->header, NET_SEGMENTS_HEADER);
	if (!net_segments_begin(segments, offload, length))
		return false;
	segments->cut.has_cwr = header->gso_type & NET_GSO_ECN;
	return true;
}

/* Segment n; its length. */
static uint32_t segment_make(struct virtio_net *nic,
			     const struct virtio_chain *chain, uint32_t skip,
			     struct net_segments *segments, uint32_t n)
{
	uint32_t head = segments->cut.header_length, from;
	uint32_t length = net_segments_payload(segments, n, &from);

	virtio_chain_read(chain, skip + from, nic->frame + head, length);
	net_segments_header(segments, n, nic->frame + head, length, nic->frame);
	return head + length;
}

/* False: not all of it has been sent. */
static bool packet_cut(struct virtio_net *nic, uint16_t *sent,
		       const struct virtio_chain *chain, uint32_t skip,
		       struct net_segments *segments)
{
	uint32_t count = net_segments_count(segments);

	for (; *sent < count; ++*sent, nic->budget--)
		if (!nic->budget ||
		    !frame_send(nic, segment_make(nic, chain, skip, segments,
						  *sent)))
			return false;
	nic->budget++; /* the caller counts a frame, too */
	*sent = 0;
	return true;
}

/*
 * A packet goes whole where the backend takes it, but for one whose first
 * segment alone is to tell of congestion (ECN): who has a part of it sent
 * already goes on cutting it.  False: not all of it has been sent.
 */
static bool packet_send(struct virtio_net *nic, unsigned pair,
			const struct virtio_chain *chain, uint32_t skip,
			const struct net_header *header)
{
	uint16_t *sent = &nic->state.sent[pair];
	struct net_segment piece[PIECES];
	struct net_segments segments;
	struct net_offload offload;
	unsigned count;

	if (!packet_look(nic, chain, skip, header, &offload, &segments)) {
		virtio_net_fail(nic, VIRTIO_NET_ERROR_TX_SEGMENT);
		*sent = 0;
		return true;
	}
	if (nic->config.nic.net->send_packet && !*sent &&
	    !segments.cut.has_cwr && segments.length >= NET_FRAME_MIN &&
	    net_offload_check(&offload, segments.length) &&
	    net_segments_count(&segments) <= NET_SEGMENTS_MAX) {
		count = pieces_of(chain, skip, piece);
		if (count)
			return packet_hand_over(nic, &offload, piece, count);
	}
	return packet_cut(nic, sent, chain, skip, &segments);
}

/* ---- The queue ----------------------------------------------------------- */

/* Answers to it shall come to the same pair. */
static void flow_note(struct virtio_net *nic, unsigned pair,
		      const struct virtio_chain *chain, uint32_t skip)
{
	uint8_t header[NET_HEADERS_MAX] = { 0 };

	virtio_chain_read(chain, skip, header, sizeof(header));
	nic->state.pair_of[virtio_net_flow(header, chain->out_length - skip)] =
		(uint8_t)pair;
}

/* It lies in the first piece of nearly all; there are as many bytes. */
static void header_read(const struct virtio_chain *chain, uint32_t size,
			struct net_header *header)
{
	const struct virtio_segment *first = &chain->segment[0];

	if (likely(first->length >= sizeof(*header)))
		shared_copy_in(header, first->host, sizeof(*header));
	else
		virtio_chain_read(chain, 0, header, size);
}

/* False: not all of it has been sent. */
static bool chain_send(struct virtio_net *nic, unsigned pair,
		       const struct virtio_chain *chain)
{
	uint32_t skip = net_header_size(nic);
	struct net_header header;

	if (chain->out_length < skip + NET_TYPE_OFFSET + 2) {
		virtio_net_fail(nic, VIRTIO_NET_ERROR_TX_LENGTH);
		return true;
	}
	if (!nic->state.is_cable_up) {
		nic->state.sent[pair] = 0;
		return true;
	}
	header_read(chain, skip, &header);
	if (nic->state.pairs > 1)
		flow_note(nic, pair, chain, skip);
	if (header.gso_type != NET_GSO_NONE)
		return packet_send(nic, pair, chain, skip, &header);
	return simple_send(nic, chain, skip, &header);
}

enum drained {
	DRAIN_EMPTY,
	DRAIN_LATER, /* the backend says when it has room, or a timer runs */
	DRAIN_BROKEN,
};

/* *sent counts on. */
static enum drained drain(struct virtio_net *nic, unsigned pair, unsigned *sent)
{
	struct virtio_chain *chain = &nic->chain[0];
	unsigned queue = 2 * pair + 1;

	while (nic->budget) {
		int taken = virtio_queue_take(&nic->virtio, queue, chain);

		if (taken <= 0)
			return taken ? DRAIN_BROKEN : DRAIN_EMPTY;
		if (!chain_send(nic, pair, chain)) {
			virtio_queue_untake(&nic->virtio, queue, chain);
			break;
		}
		virtio_queue_return(&nic->virtio, chain, 0);
		nic->budget--;
		++*sent;
	}
	if (!nic->budget)
		virtio_net_later(nic);
	return DRAIN_LATER;
}

/* At least so soon. */
static void poll_arm(struct virtio_net *nic, uint64_t ns)
{
	uint64_t at_ns = clock_now(nic->config.nic.clock) + ns;

	if (!nic->poll.is_armed || nic->poll.deadline_ns > at_ns)
		clock_timer_arm(nic->config.nic.clock, &nic->poll, at_ns);
}

/* Sent frames are shown later, but for so many that the driver may want their
 * places. */
static void show_later(struct virtio_net *nic, unsigned queue, unsigned sent)
{
	if (!sent)
		return;
	nic->unflushed |= (uint32_t)BIT(queue);
	nic->unshown += sent;
	if (nic->unshown < UNSHOWN)
		poll_arm(nic, VIRTIO_NET_SHOW_NS);
	else
		virtio_net_tx_show(nic);
}

void virtio_net_tx_show(struct virtio_net *nic)
{
	for (unsigned queue = 1; nic->unflushed & TX_QUEUES; queue += 2) {
		if (nic->unflushed & BIT(queue))
			virtio_queue_flush(&nic->virtio, queue);
		nic->unflushed &= ~(uint32_t)BIT(queue);
	}
	nic->unshown = 0;
}

/*
 * Until nothing comes any more.  From the KICKS-th kick on with frames and no
 * answer between, a queue is polled: it is left unwatched, and a timer looks at
 * it until there is nothing.
 */
static void run(struct virtio_net *nic, unsigned pair, bool is_kicked)
{
	uint8_t *kicks = &nic->state.kicks[pair];
	bool is_polled = *kicks + is_kicked >= KICKS;
	unsigned queue = 2 * pair + 1, sent = 0;
	enum drained drained;

	if (!virtio_is_running(&nic->virtio))
		return;
	nic->budget = BUDGET;
	virtio_queue_watch(&nic->virtio, queue, false);
	do {
		drained = drain(nic, pair, &sent);
	} while (drained == DRAIN_EMPTY && !(is_polled && sent) &&
		 virtio_queue_watch(&nic->virtio, queue, true));
	if (drained == DRAIN_EMPTY && !sent)
		*kicks = 0;
	else
		*kicks += is_kicked && *kicks < KICKS;
	show_later(nic, queue, sent);
	if (drained == DRAIN_EMPTY && is_polled && sent)
		poll_arm(nic, VIRTIO_NET_POLL_NS);
}

void virtio_net_tx_run(struct virtio_net *nic, unsigned pair)
{
	run(nic, pair, false);
}

void virtio_net_tx_kicked(struct virtio_net *nic, unsigned pair)
{
	run(nic, pair, true);
}

void virtio_net_tx_answered(struct virtio_net *nic, unsigned pair)
{
	if (nic->state.kicks[pair] < KICKS)
		nic->state.kicks[pair] = 0;
}

void virtio_net_tx_poll(struct virtio_net *nic)
{
	for (unsigned i = 0; i < nic->config.pairs; i++)
		if (nic->state.kicks[i] >= KICKS)
			run(nic, i, false);
	virtio_net_tx_show(nic);
}
