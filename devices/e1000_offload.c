/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checksums and headers that the controllers write into frames which they send:
 * a context says where.
 *
 * References: the manual's chapters 3.3.6, 3.5 and 3.6.
 */
#include "devices/e1000_internal.h"

#include "lib/user/net_packet.h"

/* .end is the last byte. */
static void sum_put(struct e1000_tx_state *tx, const struct e1000_sum *where,
		    bool is_zero_none)
{
	net_sum_put(tx->buffer, tx->length, where->start,
		    where->end ? where->end + 1U : 0, where->offset,
		    is_zero_none);
}

static void segment_update(struct e1000_tx_state *tx)
{
	const struct e1000_context *context = &tx->segmentation;
	const struct net_cut cut = {
		.ip = context->ip.start,
		.transport = context->transport.start,
		.sum = context->transport.offset,
		.header_length = context->header_length,
		.is_ipv4 = context->is_ipv4,
		.is_tcp = context->is_tcp,
		.has_sum = tx->has_sum,
		.is_last = tx->is_last,
		.segments = tx->segments,
		.sent = tx->sent,
	};

	net_segment_update(tx->buffer, tx->length, &cut);
}

void e1000_frame_finish(struct e1000_tx_state *tx)
{
	const struct e1000_context *context =
		tx->is_segmented ? &tx->segmentation : &tx->checksum;

	if (tx->is_segmented)
		segment_update(tx);
	if (tx->is_legacy_sum)
		sum_put(tx, &tx->legacy, false);
	if (tx->has_ip_sum)
		sum_put(tx, &context->ip, false);
	if (tx->has_sum)
		sum_put(tx, &context->transport, true);
}
