/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets that are cut into frames: net_segments.h. */
#include "lib/user/net_segments.h"

#include "lib/string.h"

#define IPV4_SUM       10
#define IPV4_ADDRESSES 12
#define IPV6_ADDRESSES 8
#define TCP_OFFSET     12 /* of the header's length, in upper four bits */

/* Where IP's header is and ends.  False: it is not of that version. */
static bool ip_find(struct net_segments *segments)
{
	struct net_cut *cut = &segments->cut;
	uint32_t at = NET_TYPE_OFFSET;
	const uint8_t *ip;

	if (net_get16(segments->header + at) == NET_TYPE_VLAN)
		at += NET_VLAN_TAG;
	cut->ip = at + 2;
	ip = segments->header + cut->ip;
	segments->ip_end =
		cut->ip + (cut->is_ipv4 ? (ip[0] & 15) * 4U : NET_IPV6_HEADER);
	return ip[0] >> 4 == (cut->is_ipv4 ? 4 : 6) &&
	       segments->ip_end >= cut->ip + NET_IPV4_HEADER &&
	       segments->ip_end <= cut->transport;
}

/* The pseudo header's sum without the length, whatever the driver has put
 * there; and nothing where IPv4's goes. */
static void sums_prepare(struct net_segments *segments)
{
	const struct net_cut *cut = &segments->cut;
	uint8_t *ip = segments->header + cut->ip;
	uint32_t sum = cut->is_ipv4 ? net_sum_bytes(ip + IPV4_ADDRESSES, 8, 0)
				    : net_sum_bytes(ip + IPV6_ADDRESSES, 32, 0);

	if (cut->is_ipv4)
		net_put16(ip + IPV4_SUM, 0);
	net_put16(segments->header + cut->sum,
		  net_sum_fold(sum + NET_PROTOCOL_TCP));
}

bool net_segments_begin(struct net_segments *segments,
			const struct net_offload *offload, uint32_t length)
{
	uint32_t transport = offload->sum_start;
	struct net_cut *cut = &segments->cut;

	*cut = (struct net_cut){
		.is_ipv4 = offload->undone & NET_UNDONE_TCP4,
		.is_tcp = true,
		.has_sum = true,
		.transport = transport,
		.sum = transport + NET_TCP_SUM,
	};
	segments->length = length;
	segments->mss = offload->mss;
	if (!segments->mss ||
	    transport + NET_TCP_HEADER > MIN(length, NET_SEGMENTS_HEADER))
		return false;
	cut->header_length =
		transport +
		(segments->header[transport + TCP_OFFSET] >> 4) * 4U;
	if (cut->header_length < transport + NET_TCP_HEADER ||
	    cut->header_length > MIN(length, NET_SEGMENTS_HEADER) ||
	    cut->header_length + segments->mss > NET_FRAME_MAX ||
	    !ip_find(segments))
		return false;
	sums_prepare(segments);
	return true;
}

/* One without payload goes as it is. */
uint32_t net_segments_count(const struct net_segments *segments)
{
	uint32_t payload = segments->length - segments->cut.header_length;

	return MAX(DIV_ROUND_UP(payload, segments->mss), 1U);
}

uint32_t net_segments_payload(const struct net_segments *segments, uint32_t n,
			      uint32_t *from)
{
	*from = segments->cut.header_length + n * segments->mss;
	return MIN(segments->mss, segments->length - *from);
}

void net_segments_header(struct net_segments *segments, uint32_t n,
			 const uint8_t *payload, uint32_t length,
			 uint8_t *header)
{
	struct net_cut *cut = &segments->cut;
	uint32_t transport = cut->transport, head = cut->header_length;
	uint32_t sum;

	cut->segments = n;
	cut->sent = n * segments->mss;
	cut->is_last = head + cut->sent + length == segments->length;
	memcpy(header, segments->header, head);
	net_segment_update(header, head + length, cut);
	if (cut->is_ipv4)
		net_sum_put(header, head, cut->ip, segments->ip_end,
			    cut->ip + IPV4_SUM, false);
	/* TCP's header has words of four bytes: the payload begins evenly. */
	sum = net_sum_bytes(header + transport, head - transport, 0);
	sum = (uint16_t)~net_sum_fold(net_sum_bytes(payload, length, sum));
	net_put16(header + cut->sum, sum ? sum : 0xffff);
}

/* A sum does not reach into Ethernet's header: by that a frame has gone its way
 * when it is put in. */
bool net_undone_check(const struct net_offload *offload, uint32_t length)
{
	uint32_t undone = offload->undone;

	if (!(undone & NET_UNDONE_SUM) || undone & ~(uint32_t)NET_UNDONE_ALL ||
	    offload->sum_start < NET_TYPE_OFFSET + 2 ||
	    offload->sum_start >= length ||
	    (uint32_t)offload->sum_start + offload->sum_offset + 2 > length)
		return false;
	if (!(undone & NET_UNDONE_CUT))
		return length <= NET_FRAME_MAX;
	return (undone & NET_UNDONE_CUT) != NET_UNDONE_CUT &&
	       offload->sum_offset == NET_TCP_SUM && length <= NET_PACKET_MAX;
}
