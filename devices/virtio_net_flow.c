/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows: frames of one connection have one number, those that answer the same.
 */
#include "devices/virtio_net_internal.h"

/* Of two ends the order does not matter. */
static uint32_t mix(const uint8_t *one, const uint8_t *other, uint32_t length)
{
	uint32_t hash = 0;

	for (uint32_t i = 0; i < length; i += 2)
		hash = hash * 31 + (net_get16(one + i) ^ net_get16(other + i));
	return hash;
}

unsigned virtio_net_flow(const uint8_t *header, uint32_t length)
{
	struct net_packet packet;
	uint32_t addresses, size, hash;

	if (!net_packet_parse(header, length, NET_TYPE_VLAN, &packet)) {
		hash = mix(header, header + NET_MAC_LENGTH, NET_MAC_LENGTH);
		return (hash ^ hash >> 8 ^ hash >> 16) % VIRTIO_NET_FLOWS;
	}
	size = packet.is_ipv4 ? 4 : 16;
	addresses = packet.ip + (packet.is_ipv4 ? 12 : 8);
	hash = mix(header + addresses, header + addresses + size, size);
	if ((packet.protocol == NET_PROTOCOL_TCP ||
	     packet.protocol == NET_PROTOCOL_UDP) &&
	    packet.transport + 4 <= MIN(packet.end, NET_HEADERS_MAX))
		hash = hash * 31 + mix(header + packet.transport,
				       header + packet.transport + 2, 2);
	return (hash ^ hash >> 8 ^ hash >> 16) % VIRTIO_NET_FLOWS;
}
