/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the controllers say of a received frame's checksums.  IXSM stands where
 * neither was looked at: of other protocols, of fragments and where RXCSUM says
 * so.
 *
 * References: the manual's chapter 3.2.9.
 */
#include "devices/e1000_internal.h"

#include "lib/user/net_packet.h"
#include "lib/string.h"

static uint64_t packet_check(const struct e1000_core *nic, const uint8_t *frame,
			     uint32_t length)
{
	uint32_t rxcsum = nic->state->chip.reg.rxcsum;
	uint8_t header[NET_HEADERS_MAX] = { 0 };
	struct net_packet packet;
	uint64_t bits = 0;

	memcpy(header, frame, MIN(length, NET_HEADERS_MAX));
	if (!net_packet_parse(header, length,
			      (uint16_t)nic->state->chip.reg.vet, &packet))
		return E1000_RXD_IXSM;
	if (packet.is_ipv4 && rxcsum & E1000_RXCSUM_IPOFL)
		bits |= net_ip_is_good(header, &packet)
				? E1000_RXD_IPCS
				: E1000_RXD_IPCS | E1000_RXD_IPE;
	if (rxcsum & E1000_RXCSUM_TUOFL &&
	    (packet.is_ipv4 || rxcsum & E1000_RXCSUM_IPV6OFL) &&
	    net_transport_has_sum(frame, &packet)) {
		bits |= E1000_RXD_TCPCS;
		if (!net_transport_is_good(header, frame, &packet))
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
	sum = net_sum_fold(net_sum_bytes(frame + start, length - start, 0));
	return bits |
	       FIELD_PUT(E1000_RXD_CHECKSUM, (uint64_t)__builtin_bswap16(sum));
}
