/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the controllers transmit: enum e1000_tx_stage is its state machine.
 * Frames are gathered in tx.buffer, which is where they wait for a backend that
 * is full.  A chip with two queues transmits from either in its turn, with a
 * state and contexts for each.
 *
 * References: the manual's chapter 3.3 (descriptors), 3.4 (ring), 3.5
 * (segmentation).
 */
#include "devices/e1000_internal.h"

#include "lib/string.h"

/* Stages that one call goes through, of each queue. */
#define BUDGET 1024

/* ---- The ring ----------------------------------------------------------- */

/* Where the descriptor at the head is. */
static gpa_t descriptor_at(const struct e1000_ring *ring)
{
	return e1000_ring_base(ring) +
	       (uint64_t)*ring->head * E1000_DESCRIPTOR_SIZE;
}

static bool can_fetch(struct e1000_core *nic, struct e1000_ring *ring)
{
	uint32_t size = e1000_ring_size(ring);

	if (*ring->is_broken || *ring->head == *ring->tail)
		return false;
	if (*ring->head < size && *ring->tail < size)
		return true;
	*ring->is_broken = true;
	e1000_fail(nic, E1000_ERROR_TX_RING);
	return false;
}

/* ---- Descriptors -------------------------------------------------------- */

static bool is_context(uint64_t descriptor)
{
	return descriptor & E1000_TXD_DEXT &&
	       FIELD_GET(E1000_TXD_TYPE, descriptor) == E1000_TXD_CONTEXT;
}

static bool is_data(uint64_t descriptor)
{
	return descriptor & E1000_TXD_DEXT &&
	       FIELD_GET(E1000_TXD_TYPE, descriptor) == E1000_TXD_DATA;
}

static struct e1000_sum sum_of(uint32_t bits)
{
	return (struct e1000_sum){
		.start = (uint8_t)bits,
		.offset = (uint8_t)(bits >> 8),
		.end = (uint16_t)(bits >> 16),
	};
}

/* With TSE it is the context of segmentation, else that of checksums. */
static void context_take(struct e1000_core *nic, struct e1000_tx_state *tx,
			 uint64_t low, uint64_t high)
{
	bool is_segmentation = high & E1000_TXD_TSE;
	struct e1000_context *context =
		is_segmentation ? &tx->segmentation : &tx->checksum;

	/* It may not change under a packet that uses it. */
	if (is_segmentation && tx->is_open && tx->is_segmented) {
		e1000_fail(nic, E1000_ERROR_TX_SEGMENT);
		return;
	}
	context->ip = sum_of((uint32_t)low);
	context->transport = sum_of((uint32_t)(low >> 32));
	context->payload_length =
		(uint32_t)FIELD_GET(E1000_TXD_DATA_LENGTH, high);
	context->header_length = (uint8_t)FIELD_GET(E1000_TXD_HDRLEN, high);
	context->mss = (uint16_t)FIELD_GET(E1000_TXD_MSS, high);
	context->is_tcp = high & E1000_TXD_TUCMD_TCP;
	context->is_ipv4 = high & E1000_TXD_TUCMD_IP;
	if (is_segmentation)
		e1000_count(nic, E1000_TSCTC);
}

static void drop(struct e1000_core *nic, struct e1000_tx_state *tx,
		 enum e1000_error error)
{
	tx->is_dropped = true;
	tx->is_segmented = false;
	tx->length = 0;
	e1000_fail(nic, error);
}

static bool can_segment(const struct e1000_context *context)
{
	return context->header_length && context->mss &&
	       context->header_length + context->mss <= NET_FRAME_MAX;
}

/* The first descriptor of a packet says what is done with all of it. */
static void packet_open(struct e1000_core *nic, struct e1000_tx_state *tx,
			uint64_t high)
{
	tx->is_open = true;
	tx->is_dropped = false;
	tx->is_segmented = is_data(high) && high & E1000_TXD_TSE;
	tx->has_ip_sum = is_data(high) && high & E1000_TXD_IXSM;
	tx->has_sum = is_data(high) && high & E1000_TXD_TXSM;
	tx->is_legacy_sum = false;
	tx->is_last = false;
	tx->segments = 0;
	tx->sent = 0;
	tx->length = 0;
	if (tx->is_segmented && !can_segment(&tx->segmentation))
		drop(nic, tx, E1000_ERROR_TX_SEGMENT);
}

static void legacy_take(struct e1000_tx_state *tx, uint64_t high)
{
	if (!(high & E1000_TXD_IC))
		return;
	tx->is_legacy_sum = true;
	tx->legacy = (struct e1000_sum){
		.start = (uint8_t)FIELD_GET(E1000_TXD_CSS, high),
		.offset = (uint8_t)FIELD_GET(E1000_TXD_CSO, high),
	};
}

/* Reads the descriptor at the head. */
static void fetch(struct e1000_core *nic, struct e1000_tx_queue *queue)
{
	struct e1000_tx_state *tx = queue->tx;
	uint64_t words[2];

	guest_ram_read(nic->config.ram, descriptor_at(&queue->ring), words,
		       sizeof(words));
	tx->address = words[0];
	tx->descriptor = words[1];
	tx->left = 0;
	tx->stage = E1000_TX_END;
	if (is_context(words[1])) {
		context_take(nic, tx, words[0], words[1]);
		return;
	}
	if (words[1] & E1000_TXD_DEXT && !is_data(words[1])) {
		e1000_fail(nic, E1000_ERROR_TX_TYPE);
		return;
	}
	if (!tx->is_open)
		packet_open(nic, tx, words[1]);
	if (is_data(words[1])) {
		tx->left = (uint32_t)FIELD_GET(E1000_TXD_DATA_LENGTH, words[1]);
	} else {
		tx->left = (uint32_t)FIELD_GET(E1000_TXD_LENGTH, words[1]);
		legacy_take(tx, words[1]);
	}
	tx->stage = E1000_TX_DATA;
}

/* ---- Data --------------------------------------------------------------- */

static void take(struct e1000_core *nic, struct e1000_tx_state *tx,
		 uint32_t length)
{
	guest_ram_read(nic->config.ram, tx->address, tx->buffer + tx->length,
		       length);
	tx->length += length;
	tx->address += length;
	tx->left -= length;
}

/* The headers in the buffer's begin are those of all segments. */
static void header_keep(struct e1000_tx_state *tx)
{
	memcpy(tx->header, tx->buffer, tx->segmentation.header_length);
}

static void segment_data(struct e1000_core *nic, struct e1000_tx_state *tx)
{
	const struct e1000_context *context = &tx->segmentation;
	uint32_t header = context->header_length;
	uint32_t payload;

	if (tx->length < header) {
		take(nic, tx, MIN(header - tx->length, tx->left));
		if (tx->length == header)
			header_keep(tx);
	}
	if (tx->length >= header)
		take(nic, tx,
		     MIN(header + context->mss - tx->length, tx->left));
	if (tx->length <= header)
		return;
	payload = tx->length - header;
	if (payload == context->mss)
		tx->stage = E1000_TX_SEND;
	tx->is_last = tx->sent + payload >= context->payload_length;
}

static void data(struct e1000_core *nic, struct e1000_tx_state *tx)
{
	bool is_end = tx->descriptor & E1000_TXD_EOP;

	tx->stage = E1000_TX_END;
	if (tx->is_dropped) {
		tx->left = 0;
		return;
	}
	if (tx->is_segmented) {
		segment_data(nic, tx);
		if (tx->stage == E1000_TX_SEND || tx->left || !is_end)
			return;
		if (tx->length > tx->segmentation.header_length) {
			tx->is_last = true;
			tx->stage = E1000_TX_SEND;
		}
		return;
	}
	if (tx->left > NET_FRAME_MAX - tx->length) {
		drop(nic, tx, E1000_ERROR_TX_LENGTH);
		return;
	}
	take(nic, tx, tx->left);
	if (is_end && tx->length)
		tx->stage = E1000_TX_SEND;
}

/* ---- Frames ------------------------------------------------------------- */

/* After the checksums, which do not see the tag that is inserted. */
static bool frame_hand_over(struct e1000_core *nic,
			    const struct e1000_tx_state *tx)
{
	const struct e1000_registers *reg = &nic->state->chip.reg;
	uint16_t tci = (uint16_t)FIELD_GET(E1000_TXD_SPECIAL, tx->descriptor);
	const uint8_t tag[NET_VLAN_TAG] = {
		(uint8_t)(reg->vet >> 8),
		(uint8_t)reg->vet,
		(uint8_t)(tci >> 8),
		(uint8_t)tci,
	};
	const struct net_segment segments[] = {
		{ tx->buffer, NET_MACS_LENGTH },
		{ tag, sizeof(tag) },
		{ tx->buffer + NET_MACS_LENGTH, tx->length - NET_MACS_LENGTH },
	};
	const struct net_segment whole = { tx->buffer, tx->length };
	const struct net_backend *net = nic->config.net;

	if (reg->ctrl & E1000_CTRL_VME && tx->descriptor & E1000_TXD_VLE &&
	    tx->length + NET_VLAN_TAG <= NET_FRAME_MAX)
		return net->send(net->ctx, segments, ARRAY_SIZE(segments));
	return net->send(net->ctx, &whole, 1);
}

static void frame_pad(struct e1000_tx_state *tx)
{
	if (tx->length >= NET_FRAME_MIN)
		return;
	memset(tx->buffer + tx->length, 0, NET_FRAME_MIN - tx->length);
	tx->length = NET_FRAME_MIN;
}

/* A segment begins with the headers; a frame is the only one of its packet. */
static void frame_done(struct e1000_tx_state *tx)
{
	tx->stage = tx->left ? E1000_TX_DATA : E1000_TX_END;
	if (!tx->is_segmented) {
		tx->length = 0;
		return;
	}
	tx->sent += tx->segmentation.mss;
	tx->segments++;
	tx->length = tx->segmentation.header_length;
	memcpy(tx->buffer, tx->header, tx->length);
}

/* False: the backend is full. */
static bool frame_send(struct e1000_core *nic, struct e1000_tx_state *tx,
		       bool is_fresh)
{
	uint32_t length;

	if (is_fresh) {
		e1000_frame_finish(tx);
		/* Without IFCS the last bytes are the driver's FCS. */
		if (!(tx->descriptor & E1000_TXD_IFCS) && !tx->is_segmented)
			tx->length -= MIN(tx->length, NET_FCS_LENGTH);
		frame_pad(tx);
	}
	length = tx->length;
	if (e1000_is_loopback(nic))
		e1000_rx_loop(nic, tx->buffer, length);
	else if (e1000_is_link_up(nic) && !frame_hand_over(nic, tx))
		return false;
	e1000_count_sent(nic, tx->buffer, length);
	frame_done(tx);
	return true;
}

/* ---- The end of a descriptor -------------------------------------------- */

/* RS asks for it; what it causes, TXDW and maybe later, is returned. */
static uint32_t write_back(struct e1000_core *nic,
			   const struct e1000_tx_queue *queue)
{
	uint64_t word = queue->tx->descriptor | E1000_TXD_DD;

	if (!(word & (E1000_TXD_RS | E1000_TXD_RPS)))
		return 0;
	guest_ram_write(nic->config.ram, descriptor_at(&queue->ring) + 8, &word,
			sizeof(word));
	if (e1000_has_message(nic, &queue->ring))
		return E1000_CAUSE_TXDW | queue->ring.cause;
	if (word & E1000_TXD_IDE && nic->state->chip.reg.tidv)
		e1000_tx_raise_later(nic);
	else
		return E1000_CAUSE_TXDW;
	return 0;
}

static uint32_t descriptor_end(struct e1000_core *nic,
			       struct e1000_tx_queue *queue)
{
	struct e1000_ring *ring = &queue->ring;
	struct e1000_tx_state *tx = queue->tx;
	uint32_t causes = write_back(nic, queue);

	if (!is_context(tx->descriptor) && tx->descriptor & E1000_TXD_EOP) {
		if (tx->is_segmented && !tx->is_dropped)
			e1000_count(nic, E1000_TSCTFC);
		tx->is_open = false;
		tx->is_segmented = false;
	}
	tx->stage = E1000_TX_FETCH;
	if (++*ring->head >= e1000_ring_size(ring))
		*ring->head = 0;
	return *ring->head == *ring->tail ? causes | E1000_CAUSE_TXQE : causes;
}

/* ---- The machine -------------------------------------------------------- */

static bool can_run(const struct e1000_core *nic)
{
	return !nic->is_running && e1000_is_master(nic) &&
	       nic->state->chip.reg.tctl & E1000_TCTL_EN;
}

/* One stage.  False: there is nothing to do, or it cannot be done now. */
static bool step(struct e1000_core *nic, struct e1000_tx_queue *queue,
		 uint32_t *causes)
{
	struct e1000_tx_state *tx = queue->tx;

	switch (tx->stage) {
	case E1000_TX_FETCH:
		if (!can_fetch(nic, &queue->ring))
			return false;
		fetch(nic, queue);
		return true;
	case E1000_TX_DATA:
		data(nic, tx);
		return tx->stage != E1000_TX_SEND || frame_send(nic, tx, true);
	case E1000_TX_SEND:
		return frame_send(nic, tx, false);
	default:
		*causes |= descriptor_end(nic, queue);
		return true;
	}
}

void e1000_tx_run(struct e1000_core *nic)
{
	uint32_t causes = 0;
	bool has_more = false;

	if (!can_run(nic))
		return;
	nic->is_running = true;
	for (unsigned i = 0; i < nic->model->queues; i++) {
		unsigned budget = BUDGET;

		while (budget && step(nic, &nic->tx[i], &causes))
			budget--;
		has_more |= !budget;
	}
	nic->is_running = false;
	if (has_more)
		clock_timer_arm(nic->config.clock, &nic->more,
				clock_now(nic->config.clock) +
					NET_PORT_MORE_NS);
	if (causes)
		e1000_raise(nic, causes);
}
