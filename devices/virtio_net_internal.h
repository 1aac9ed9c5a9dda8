/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of virtio's network card share. */
#ifndef BULKHEAD_DEVICES_VIRTIO_NET_INTERNAL_H
#define BULKHEAD_DEVICES_VIRTIO_NET_INTERNAL_H

#include "devices/virtio_net.h"
#include "lib/user/net_segments.h"

/* clang-format off */
/* Features: numbers of bits. */
#define NET_F_CSUM		0
#define NET_F_GUEST_CSUM	1
#define NET_F_MTU		3
#define NET_F_MAC		5
#define NET_F_GUEST_TSO4	7
#define NET_F_GUEST_TSO6	8
#define NET_F_HOST_TSO4		11
#define NET_F_HOST_TSO6		12
#define NET_F_HOST_ECN		13
#define NET_F_MRG_RXBUF		15
#define NET_F_STATUS		16
#define NET_F_CTRL_VQ		17
#define NET_F_CTRL_RX		18
#define NET_F_CTRL_VLAN		19
#define NET_F_CTRL_RX_EXTRA	20
#define NET_F_GUEST_ANNOUNCE	21
#define NET_F_MQ		22
#define NET_F_CTRL_MAC_ADDR	23
#define NET_F_VERSION_1		32 /* as of all kinds */
#define NET_F_SPEED_DUPLEX	63

/* The header before each packet, in either direction. */
struct net_header {
	uint8_t flags;
#define NET_HEADER_NEEDS_CSUM	BIT(0)
#define NET_HEADER_DATA_VALID	BIT(1)
	uint8_t gso_type;
#define NET_GSO_NONE		0
#define NET_GSO_TCPV4		1
#define NET_GSO_TCPV6		4
#define NET_GSO_ECN		BIT(7)
	uint16_t header_length;	/* a hint, not used */
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;	/* from there */
	uint16_t buffers;	/* not in the legacy one without MRG_RXBUF */
} __packed;
ASSERT_SIZE(struct net_header, 12);
#define NET_HEADER_LEGACY	10
/* clang-format on */

static inline uint32_t net_header_size(const struct virtio_net *nic)
{
	return virtio_has(&nic->virtio, NET_F_VERSION_1) ||
			       virtio_has(&nic->virtio, NET_F_MRG_RXBUF)
		       ? sizeof(struct net_header)
		       : NET_HEADER_LEGACY;
}

extern const struct state_description virtio_net_description;
bool virtio_net_is_valid(const void *dev, const void *saved, uint64_t now_ns);

/* ---- virtio_net.c -------------------------------------------------------- */

/* Counts it, and says so. */
void virtio_net_fail(struct virtio_net *nic, enum virtio_net_error error);
/* What of a packet its driver takes undone: enum net_undone. */
unsigned virtio_net_takes(const struct virtio_net *nic);
/* What is left of this call's work is done in a while. */
void virtio_net_later(struct virtio_net *nic);

/* ---- virtio_net_tx.c, virtio_net_rx.c ------------------------------------ */

/* Sends what there is in that pair's queue, as far as a call may. */
void virtio_net_tx_run(struct virtio_net *nic, unsigned pair);
/* The same, and the driver has kicked that queue. */
void virtio_net_tx_kicked(struct virtio_net *nic, unsigned pair);
/* Something has come for that pair. */
void virtio_net_tx_answered(struct virtio_net *nic, unsigned pair);
/* Looks at queues whose drivers need not kick, and shows what was sent. */
void virtio_net_tx_poll(struct virtio_net *nic);
/* The driver is told of what was sent. */
void virtio_net_tx_show(struct virtio_net *nic);
/* Receives what there is, as far as a call may. */
void virtio_net_rx_run(struct virtio_net *nic);

/* ---- virtio_net_control.c ------------------------------------------------ */

/* As a driver finds it that has said nothing yet. */
void virtio_net_filter_reset(struct virtio_net *nic);
/* Does the driver want a frame with these headers (NET_HEADERS_MAX bytes)? */
bool virtio_net_is_wanted(const struct virtio_net *nic, const uint8_t *header);
/* The queue's number. */
unsigned virtio_net_control_queue(const struct virtio_net *nic);
void virtio_net_control_run(struct virtio_net *nic);

/* ---- virtio_net_flow.c --------------------------------------------------- */

/* The number, below VIRTIO_NET_FLOWS, of the flow that a frame of length bytes
 * with these headers (NET_HEADERS_MAX bytes) belongs to; alike both ways. */
unsigned virtio_net_flow(const uint8_t *header, uint32_t length);

#endif
