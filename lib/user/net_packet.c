/* SPDX-License-Identifier: BSD-2-Clause */
/* What is in a frame: net_packet.h. */
#include "lib/user/net_packet.h"

#include "include/net.h"

#define IPV4_LENGTH	    2
#define IPV4_IDENTIFICATION 4
#define IPV4_FRAGMENT	    6
#define IPV4_PROTOCOL	    9
#define IPV4_ADDRESSES	    12
#define IPV6_PAYLOAD	    4
#define IPV6_NEXT	    6
#define IPV6_ADDRESSES	    8
#define FRAGMENT_BITS	    0x3fff /* offset, more fragments */
#define TCP_SEQUENCE	    4
#define TCP_FLAGS	    13
#define TCP_FIN_PSH	    0x09
#define TCP_CWR		    0x80
#define UDP_LENGTH	    4
#define UDP_SUM		    6

/* ---- Sums ---------------------------------------------------------------- */

/* Four bytes at a time into 64 bits, whose order in memory does not matter. */
uint32_t net_sum_bytes(const uint8_t *bytes, uint32_t length, uint32_t sum)
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

void net_sum_put(uint8_t *frame, uint32_t length, uint32_t start, uint32_t end,
		 uint32_t offset, bool is_zero_none)
{
	uint16_t sum;

	if (!end || end > length)
		end = length;
	if (start >= end || offset + 2U > length)
		return;
	sum = (uint16_t)~net_sum_fold(
		net_sum_bytes(frame + start, end - start, 0));
	net_put16(frame + offset, !sum && is_zero_none ? 0xffff : sum);
}

/* ---- Frames that have come ----------------------------------------------- */

bool net_packet_parse(const uint8_t *header, uint32_t length, uint16_t tag_type,
		      struct net_packet *packet)
{
	uint32_t at = NET_TYPE_OFFSET;
	uint16_t type = net_get16(header + at);
	const uint8_t *ip;

	if (type == tag_type) {
		at += NET_VLAN_TAG;
		type = net_get16(header + at);
	}
	if (type != NET_TYPE_IPV4 && type != NET_TYPE_IPV6)
		return false;
	packet->ip = at + 2;
	packet->is_ipv4 = type == NET_TYPE_IPV4;
	ip = header + packet->ip;
	if (packet->is_ipv4) {
		packet->transport = packet->ip + (ip[0] & 15) * 4U;
		packet->end = packet->ip + net_get16(ip + IPV4_LENGTH);
		packet->protocol = net_get16(ip + IPV4_FRAGMENT) & FRAGMENT_BITS
					   ? 0
					   : ip[IPV4_PROTOCOL];
		return packet->transport >= packet->ip + NET_IPV4_HEADER &&
		       packet->transport <= packet->end &&
		       packet->end <= length && ip[0] >> 4 == 4;
	}
	packet->transport = packet->ip + NET_IPV6_HEADER;
	packet->end = packet->transport + net_get16(ip + IPV6_PAYLOAD);
	packet->protocol = ip[IPV6_NEXT];
	return packet->end <= length && ip[0] >> 4 == 6;
}

bool net_transport_has_sum(const uint8_t *frame,
			   const struct net_packet *packet)
{
	uint32_t length = packet->end - packet->transport;

	if (packet->protocol == NET_PROTOCOL_TCP)
		return length >= NET_TCP_HEADER;
	return packet->protocol == NET_PROTOCOL_UDP &&
	       length >= NET_UDP_HEADER &&
	       net_get16(frame + packet->transport + UDP_SUM);
}

/* Addresses, protocol and length, and all that follows. */
bool net_transport_is_good(const uint8_t *header, const uint8_t *frame,
			   const struct net_packet *packet)
{
	uint32_t length = packet->end - packet->transport;
	uint32_t addresses = packet->is_ipv4 ? IPV4_ADDRESSES : IPV6_ADDRESSES;
	uint32_t sum = packet->protocol + length;

	sum = net_sum_bytes(header + packet->ip + addresses,
			    packet->is_ipv4 ? 8 : 32, sum);
	sum = net_sum_bytes(frame + packet->transport, length, sum);
	return net_sum_fold(sum) == 0xffff;
}

bool net_ip_is_good(const uint8_t *header, const struct net_packet *packet)
{
	return net_sum_fold(net_sum_bytes(header + packet->ip,
					  packet->transport - packet->ip, 0)) ==
	       0xffff;
}

/* ---- Segments that go ---------------------------------------------------- */

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)net_get16(at) << 16 | net_get16(at + 2);
}

static void put32(uint8_t *at, uint32_t value)
{
	net_put16(at, value >> 16);
	net_put16(at + 2, value);
}

static void ip_update(uint8_t *ip, uint32_t length, const struct net_cut *cut)
{
	if (cut->is_ipv4) {
		net_put16(ip + IPV4_LENGTH, length);
		net_put16(ip + IPV4_IDENTIFICATION,
			  net_get16(ip + IPV4_IDENTIFICATION) + cut->segments);
	} else {
		net_put16(ip + IPV6_PAYLOAD, length - NET_IPV6_HEADER);
	}
}

static void transport_update(uint8_t *frame, uint32_t length,
			     const struct net_cut *cut)
{
	uint8_t *transport = frame + cut->transport;
	uint8_t *sum = frame + cut->sum;

	length -= cut->transport;
	if (cut->is_tcp) {
		put32(transport + TCP_SEQUENCE,
		      get32(transport + TCP_SEQUENCE) + cut->sent);
		if (!cut->is_last)
			transport[TCP_FLAGS] &= (uint8_t)~TCP_FIN_PSH;
		if (cut->has_cwr && cut->segments)
			transport[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
	} else {
		net_put16(transport + UDP_LENGTH, length);
	}
	if (cut->has_sum)
		net_put16(sum, net_sum_fold(net_get16(sum) + length));
}

/* Whether all fields that change lie within the headers. */
static bool has_headers(const struct net_cut *cut)
{
	uint32_t ip_end =
		cut->ip + (cut->is_ipv4 ? NET_IPV4_HEADER : NET_IPV6_HEADER);
	uint32_t end = cut->transport +
		       (cut->is_tcp ? NET_TCP_HEADER : NET_UDP_HEADER);

	return ip_end <= cut->header_length && end <= cut->header_length &&
	       cut->sum + 2U <= cut->header_length;
}

void net_segment_update(uint8_t *frame, uint32_t length,
			const struct net_cut *cut)
{
	if (!has_headers(cut) || length < cut->header_length)
		return;
	ip_update(frame + cut->ip, length - cut->ip, cut);
	transport_update(frame, length, cut);
}
