/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is in a frame, for cards that do the work of IP, TCP and UDP: where
 * their headers are, checksums of frames that have come and of those that go,
 * header fields of the segments that a long packet is cut into.
 *
 * Nothing of a frame is believed: what points outside of it is left undone.
 *
 * References: RFC 791, 768, 9293, 8200, 1071.
 */
#ifndef BULKHEAD_LIB_USER_NET_PACKET_H
#define BULKHEAD_LIB_USER_NET_PACKET_H

#include "include/compiler.h"

/* Of a frame, as much as net_packet_parse() wants: Ethernet with a tag, IPv4
 * with options. */
#define NET_HEADERS_MAX (18 + 60)

#define NET_TYPE_OFFSET 12
#define NET_TYPE_IPV4	0x0800
#define NET_TYPE_IPV6	0x86dd
#define NET_TYPE_VLAN	0x8100

#define NET_IPV4_HEADER 20
#define NET_IPV6_HEADER 40
#define NET_TCP_HEADER	20
#define NET_UDP_HEADER	8

#define NET_PROTOCOL_TCP 6
#define NET_PROTOCOL_UDP 17

static inline uint16_t net_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline void net_put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* Of two addresses. */
static inline bool net_mac_is(const uint8_t *a, const uint8_t *b)
{
	uint32_t x, y;
	uint16_t z, w;

	__builtin_memcpy(&x, a, sizeof(x));
	__builtin_memcpy(&y, b, sizeof(y));
	__builtin_memcpy(&z, a + sizeof(x), sizeof(z));
	__builtin_memcpy(&w, b + sizeof(y), sizeof(w));
	return x == y && z == w;
}

/* ---- Sums ---------------------------------------------------------------- */

/* The sum that checksums are made of, of bytes from an even place on, added to
 * sum. */
uint32_t net_sum_bytes(const uint8_t *bytes, uint32_t length, uint32_t sum);
/* In 16 bits, in the order of the network. */
static inline uint16_t net_sum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum + (sum >> 16));
}

/*
 * The checksum of bytes [start, end) of a frame of length bytes, over what
 * its field holds, too, into the field at offset.  end 0, or beyond the frame:
 * to its end.  is_zero_none: zero would say that there is no checksum, as in
 * UDP.
 */
void net_sum_put(uint8_t *frame, uint32_t length, uint32_t start, uint32_t end,
		 uint32_t offset, bool is_zero_none);

/* ---- Frames that have come ----------------------------------------------- */

/* A packet in a frame; offsets from the frame's begin. */
struct net_packet {
	uint32_t ip, transport, end;
	uint8_t protocol; /* 0: none that is looked into, as a fragment's */
	bool is_ipv4;
};

/*
 * header: NET_HEADERS_MAX bytes, of the frame what it has and then zeros;
 * tag_type is the EtherType of tags.  False: no IP, or one that contradicts
 * itself or the frame's length.
 */
bool net_packet_parse(const uint8_t *header, uint32_t length, uint16_t tag_type,
		      struct net_packet *packet);
/* Whether there is a checksum of TCP's or UDP's at all. */
bool net_transport_has_sum(const uint8_t *frame,
			   const struct net_packet *packet);
/* ... and whether it is right; header as above. */
bool net_transport_is_good(const uint8_t *header, const uint8_t *frame,
			   const struct net_packet *packet);
/* IPv4's. */
bool net_ip_is_good(const uint8_t *header, const struct net_packet *packet);

/* ---- Segments that go ---------------------------------------------------- */

/*
 * A segment begins with the packet's headers, which stand for all of them:
 * this is what is different in each.  Its checksum field holds the sum of the
 * pseudo header without the length.
 */
struct net_cut {
	uint32_t ip, transport;
	uint32_t sum;		/* where the transport's checksum is */
	uint32_t header_length; /* of all headers together */
	bool is_ipv4, is_tcp;
	bool has_sum; /* of the transport */
	bool is_last;
	bool has_cwr; /* that the first segment alone tells of (RFC 3168) */
	uint32_t segments; /* before this one */
	uint32_t sent;	   /* bytes of payload in them */
};

/*
 * Lengths of IP and UDP, IP's next identification, TCP's sequence number, FIN
 * and PSH in the last segment only, and the length in the checksum's field, of
 * a frame of length bytes.  Nothing where a field lies outside of the headers.
 */
void net_segment_update(uint8_t *frame, uint32_t length,
			const struct net_cut *cut);

#endif
