/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver of virtio's network card, for its tests. */
#ifndef BULKHEAD_TESTS_UNIT_VIRTIO_NET_TEST_H
#define BULKHEAD_TESTS_UNIT_VIRTIO_NET_TEST_H

#include "tests/unit/nic_test.h"
#include "tests/unit/virtio_test.h"

#include "devices/virtio_net_internal.h"

#define F(number)   BIT(NET_F_##number)
#define HEADER	    ((uint32_t)sizeof(struct net_header))
#define TX	    1
#define CONTROL	    2
#define QUEUE	    64
#define TCP_HEADERS (14 + 20 + 20)

static struct virtio_net card;
/* What the network of the next card carries beside frames: .send_packet,
 * .accept and .offload. */
static struct net_backend nic_packets;

static inline void build(unsigned pairs, bool is_transitional)
{
	const struct virtio_net_config config = {
		.nic = { .pci = &v.pci,
			 .devfn = VT_DEVFN,
			 .ram = &v.ram,
			 .clock = &v.b.clock,
			 .net = &t.net,
			 .log = { test_print, NULL } },
		.pairs = pairs,
		.mtu = 1500,
		.is_transitional = is_transitional,
	};

	vt_begin();
	nic_bench_init(""); /* the transport says things, too */
	t.net.send_packet = nic_packets.send_packet;
	t.net.accept = nic_packets.accept;
	t.net.offload = nic_packets.offload;
	v.b.now_ns = NSEC_PER_SEC;
	assert_int_equal(virtio_net_init(&card, &config), 0);
	vt_plug();
}

static inline void start(unsigned pairs, uint64_t features)
{
	build(pairs, false);
	vt_handshake(features | VT_DEFAULT);
	for (unsigned i = 0; i <= 2 * pairs; i++)
		vt_queue_setup(i, QUEUE);
	vt_driver_ok();
}

/* Bytes of guest memory. */
static inline uint8_t *data(unsigned n)
{
	return v.bytes + VT_DATA + n * 0x4000;
}

/* ---- Frames -------------------------------------------------------------- */

/* header and frame in memory, header apart; kicked. */
static inline uint16_t transmit(unsigned queue, const struct net_header *header,
				const uint8_t *frame, uint32_t length)
{
	uint16_t id;

	memcpy(data(0), header, sizeof(*header));
	memcpy(data(1), frame, length);
	vt_out(VT_DATA, HEADER);
	vt_out(VT_DATA + 0x4000, length);
	id = vt_add(queue);
	vt_kick(queue);
	return id;
}

static inline uint16_t buffer(unsigned queue, unsigned n, uint32_t length)
{
	uint16_t id;

	memset(data(n), 0xee, length);
	vt_in(VT_DATA + n * 0x4000, length);
	id = vt_add(queue);
	vt_kick(queue);
	return id;
}

/* It is told that it has been sent, in a while. */
static inline uint32_t gone(unsigned queue, uint16_t id)
{
	bench_step(&v.b, VIRTIO_NET_SHOW_NS);
	return vt_expect(queue, id);
}

/* An IPv4 or IPv6 TCP packet with all flags; its length. */
static inline uint32_t tcp_make(uint8_t *frame, bool is_ipv6, uint32_t payload)
{
	uint32_t ip = is_ipv6 ? 40 : 20;

	if (!is_ipv6) {
		frame_make(frame, other_mac, 6, 20 + payload);
	} else {
		frame_make(frame, other_mac, 6, 40 + payload);
		be16_put(frame + 12, 0x86dd);
		memset(frame + 14, 0, 40);
		frame[14] = 0x60;
		frame[20] = 6;
		frame[37] = 1;
		frame[53] = 2;
	}
	memset(frame + 14 + ip, 0, 20);
	be16_put(frame + 14 + ip, 1000);
	be16_put(frame + 14 + ip + 4, 0xffff); /* the sequence goes round */
	be16_put(frame + 14 + ip + 6, 0xff00);
	frame[14 + ip + 12] = 0x50;
	frame[14 + ip + 13] = 0xff;
	for (uint32_t i = 0; i < payload; i++)
		frame[34 + ip + i] = (uint8_t)(i * 13 + 5);
	return 34 + ip + payload;
}

#endif
