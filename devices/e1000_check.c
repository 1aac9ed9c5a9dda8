/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the controllers say of a received frame's checksums.  IXSM stands where
 * neither was looked at: of other protocols, of fragments and where RXCSUM says
 * so.
 *
 * References: the manual's chapter 3.2.9; RFC 791, 768, 8200.
 */
#include "devices/e1000_internal.h"

#include "lib/string.h"

#define TYPE_OFFSET   12
#define TYPE_IPV4     0x0800
#define TYPE_IPV6     0x86dd
#define IPV4_HEADER   20
#define IPV6_HEADER   40
#define HEADERS_MAX   (18 + 60) /* Ethernet with a tag, IPv4 with options */
#define PROTOCOL_TCP  6
#define PROTOCOL_UDP  17
#define FRAGMENT_BITS 0x3fff /* offset, more fragments */

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* A packet in a frame; offsets from the frame's begin. */
struct packet {
	uint32_t ip, transport, end;
	uint8_t protocol; /* 0: none that is looked into */
	bool is_ipv4;
};

/* header: HEADERS_MAX bytes of the frame, or all of it. */
static bool packet_parse(const struct e1000_core *nic, const uint8_t *header,
			 uint32_t length, struct packet *packet)
{
	uint32_t at = TYPE_OFFSET;
	uint16_t type = get16(header + at);
	const uint8_t *ip;

	if (type == nic->state->chip.reg.vet) {
		at += NET_VLAN_TAG;
		type = get16(header + at);
	}
	packet->ip = at + 2;
	packet->is_ipv4 = type == TYPE_IPV4;
	ip = header + packet->ip;
	if (packet->is_ipv4) {
		packet->transport = packet->ip + (ip[0] & 15) * 4U;
		packet->end = packet->ip + get16(ip + 2);
		packet->protocol = get16(ip + 6) & FRAGMENT_BITS ? 0 : ip[9];
		return packet->transport >= packet->ip + IPV4_HEADER &&
		       packet->transport <= packet->end &&
		       packet->end <= length && ip[0] >> 4 == 4;
	}
	packet->transport = packet->ip + IPV6_HEADER;
	packet->end = packet->transport + get16(ip + 4);
	packet->protocol = ip[6];
	return type == TYPE_IPV6 && packet->end <= length && ip[0] >> 4 == 6;
}

/* Addresses, protocol and length, and all that follows. */
static bool transport_is_good(const uint8_t *header, const uint8_t *frame,
			      const struct packet *packet)
{
	uint32_t length = packet->end - packet->transport;
	uint32_t addresses = packet->is_ipv4 ? 12 : 8;
	uint32_t sum = packet->protocol + length;

	sum = e1000_sum_bytes(header + packet->ip + addresses,
			      packet->is_ipv4 ? 8 : 32, sum);
	sum = e1000_sum_bytes(frame + packet->transport, length, sum);
	return e1000_sum_fold(sum) == 0xffff;
}

/* Whether there is a checksum at all. */
static bool has_transport_sum(const uint8_t *frame, const struct packet *packet)
{
	uint32_t length = packet->end - packet->transport;

	if (packet->protocol == PROTOCOL_TCP)
		return length >= 20;
	return packet->protocol == PROTOCOL_UDP && length >= 8 &&
	       get16(frame + packet->transport + 6);
}

static uint64_t ip_check(const struct packet *packet, const uint8_t *header)
{
	uint32_t sum = e1000_sum_bytes(header + packet->ip,
				       packet->transport - packet->ip, 0);

	return e1000_sum_fold(sum) == 0xffff ? E1000_RXD_IPCS
					     : E1000_RXD_IPCS | E1000_RXD_IPE;
}

static uint64_t packet_check(const struct e1000_core *nic, const uint8_t *frame,
			     uint32_t length)
{
	uint32_t rxcsum = nic->state->chip.reg.rxcsum;
	uint8_t header[HEADERS_MAX] = { 0 };
	struct packet packet;
	uint64_t bits = 0;

	memcpy(header, frame, MIN(length, HEADERS_MAX));
	if (!packet_parse(nic, header, length, &packet))
		return E1000_RXD_IXSM;
	if (packet.is_ipv4 && rxcsum & E1000_RXCSUM_IPOFL)
		bits |= ip_check(&packet, header);
	if (rxcsum & E1000_RXCSUM_TUOFL &&
	    (packet.is_ipv4 || rxcsum & E1000_RXCSUM_IPV6OFL) &&
	    has_transport_sum(frame, &packet)) {
		bits |= E1000_RXD_TCPCS;
		if (!transport_is_good(header, frame, &packet))
			bits |= E1000_RXD_TCPE;
	}
	return bits ? bits : E1000_RXD_IXSM;
}

uint64_t e1000_rx_check(const struct e1000_core *nic, const uint8_t *frame,
			uint32_t length)
{
	uint32_t rxcsum = nic->state->chip.reg.rxcsum;
	uint32_t start = (uint32_t)FIELD_GET(E1000_RXCSUM_PCSS, rxcsum);
	uint64_t bits = E1000_RXD_IXSM;
	uint16_t sum;

	if (rxcsum & (E1000_RXCSUM_IPOFL | E1000_RXCSUM_TUOFL))
		return packet_check(nic, frame, length);
	/* The sum of a packet is for drivers that want no other. */
	if (!start || start >= length)
		return bits;
	sum = e1000_sum_fold(e1000_sum_bytes(frame + start, length - start, 0));
	return bits |
	       FIELD_PUT(E1000_RXD_CHECKSUM, (uint64_t)__builtin_bswap16(sum));
}
