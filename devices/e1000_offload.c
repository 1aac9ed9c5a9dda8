/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checksums and headers that the controllers write into frames which they send.
 * A context says where; what lies outside of the frame is left undone.
 *
 * Of a segment the driver's headers get: lengths of IP and UDP, IP's next
 * identification, TCP's sequence number, and FIN and PSH in the last one only.
 * Its checksum field holds that of the pseudo header without the length.
 *
 * References: the manual's chapters 3.3.6, 3.5 and 3.6; RFC 1071.
 */
#include "devices/e1000_internal.h"

#include "lib/string.h"

#define IPV4_LENGTH	    2
#define IPV4_IDENTIFICATION 4
#define IPV6_PAYLOAD	    4
#define IPV6_HEADER	    40
#define TCP_SEQUENCE	    4
#define TCP_FLAGS	    13
#define TCP_FIN_PSH	    0x09
#define UDP_LENGTH	    4

/* ---- Sums --------------------------------------------------------------- */

/* Four bytes at a time into 64 bits, whose order in memory does not matter. */
uint32_t e1000_sum_bytes(const uint8_t *bytes, uint32_t length, uint32_t sum)
{
	uint64_t total = 0;
	uint32_t words[4];
	uint16_t half;

	for (; length >= 16; length -= 16) {
		__builtin_memcpy(words, bytes, sizeof(words));
		total += words[0];
		total += words[1];
		total += words[2];
		total += words[3];
		bytes += 16;
	}
	for (; length >= 2; length -= 2, bytes += 2) {
		__builtin_memcpy(&half, bytes, sizeof(half));
		total += half;
	}
	if (length)
		total += *bytes; /* and a zero */
	total = (total & 0xffffffff) + (total >> 32);
	total = (total & 0xffff) + (total >> 16 & 0xffff) + (total >> 32);
	total = (total & 0xffff) + (total >> 16);
	total = (total & 0xffff) + (total >> 16);
	return sum + __builtin_bswap16((uint16_t)total);
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

/* Over what the field holds, too. */
static void sum_put(struct e1000_tx_state *tx, const struct e1000_sum *where,
		    bool is_zero_none)
{
	uint32_t end = tx->length;
	uint16_t sum;

	if (where->end && where->end < end)
		end = where->end + 1U;
	if (where->start >= end || where->offset + 2U > tx->length)
		return;
	sum = (uint16_t)~e1000_sum_fold(e1000_sum_bytes(
		tx->buffer + where->start, end - where->start, 0));
	/* In UDP zero means that there is no checksum. */
	put16(tx->buffer + where->offset, !sum && is_zero_none ? 0xffff : sum);
}

/* ---- Segments ----------------------------------------------------------- */

static void ip_update(struct e1000_tx_state *tx)
{
	const struct e1000_context *context = &tx->segmentation;
	uint8_t *ip = tx->buffer + context->ip.start;
	uint32_t length = tx->length - context->ip.start;

	if (context->is_ipv4) {
		put16(ip + IPV4_LENGTH, length);
		put16(ip + IPV4_IDENTIFICATION,
		      get16(ip + IPV4_IDENTIFICATION) + tx->segments);
	} else {
		put16(ip + IPV6_PAYLOAD, length - IPV6_HEADER);
	}
}

static void transport_update(struct e1000_tx_state *tx)
{
	const struct e1000_context *context = &tx->segmentation;
	uint8_t *transport = tx->buffer + context->transport.start;
	uint8_t *sum = tx->buffer + context->transport.offset;
	uint32_t length = tx->length - context->transport.start;

	if (context->is_tcp) {
		put32(transport + TCP_SEQUENCE,
		      get32(transport + TCP_SEQUENCE) + tx->sent);
		if (!tx->is_last)
			transport[TCP_FLAGS] &= (uint8_t)~TCP_FIN_PSH;
	} else {
		put16(transport + UDP_LENGTH, length);
	}
	if (tx->has_sum)
		put16(sum, e1000_sum_fold(get16(sum) + length));
}

/* Whether all fields that change lie within the headers. */
static bool has_headers(const struct e1000_context *context)
{
	uint32_t ip_end = context->ip.start + (context->is_ipv4 ? 20U : 40U);
	uint32_t end = context->transport.start + (context->is_tcp ? 20U : 8U);

	return ip_end <= context->header_length &&
	       end <= context->header_length &&
	       context->transport.offset + 2U <= context->header_length;
}

void e1000_frame_finish(struct e1000_tx_state *tx)
{
	const struct e1000_context *context =
		tx->is_segmented ? &tx->segmentation : &tx->checksum;

	if (tx->is_segmented && has_headers(context)) {
		ip_update(tx);
		transport_update(tx);
	}
	if (tx->is_legacy_sum)
		sum_put(tx, &tx->legacy, false);
	if (tx->has_ip_sum)
		sum_put(tx, &context->ip, false);
	if (tx->has_sum)
		sum_put(tx, &context->transport, true);
}
