/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network behind a device: Ethernet frames to and fro.
 *
 * Frames are without preamble and FCS, NET_FRAME_MIN to NET_FRAME_MAX bytes;
 * the device pads shorter ones before it sends them.  Whoever cannot take a
 * frame says so, and is the one who calls later; nothing is dropped on the way
 * but by the network itself.  Both directions fit a ring of single producer and
 * single consumer: a frame is copied in by send(), and read where it lies until
 * release().
 *
 * Packets.  A backend that has send_packet() also carries what a driver leaves
 * to its card: a TCP packet of many frames' length, and a checksum that is not
 * there yet.  Such goes as it is to a card that has said that its driver takes
 * it (accept()); whoever carries it finishes it for all others.
 */
#ifndef BULKHEAD_NET_H
#define BULKHEAD_NET_H

#include "include/compiler.h"

#define NET_MAC_LENGTH	6
#define NET_FRAME_MIN	60
#define NET_FRAME_USUAL 1514 /* of an Ethernet without jumbo frames */
#define NET_FRAME_MAX	9728 /* 9.5 KiB, a VLAN tag among them */
#define NET_VLAN_TAG	4
/* Longest packets; what fits into a frame beside Ethernet's header and a tag.
 */
#define NET_MTU_MIN	68 /* IPv4's */
#define NET_MTU_USUAL	1500
#define NET_MTU_MAX	(NET_FRAME_MAX - 18)
#define NET_PIECES_MAX	22 /* in which a card hands a packet over */
#define NET_PAIRS_MAX	8  /* of queues, of a card that has several */

/*
 * The longest packet with segmentation left undone, a VLAN tag among it: with
 * what stands before it in a ring it fits into 64 KiB.  Into how many frames it
 * may have to be cut, at most.
 */
#define NET_PACKET_MAX	 65496
#define NET_SEGMENTS_MAX 128

/* What is left undone of a packet. */
enum net_undone {
	NET_UNDONE_SUM = BIT(0),  /* the transport's checksum */
	NET_UNDONE_TCP4 = BIT(1), /* it is cut, of IPv4; then the sum is, too */
	NET_UNDONE_TCP6 = BIT(2), /* of IPv6 */
	NET_UNDONE_CUT = NET_UNDONE_TCP4 | NET_UNDONE_TCP6,
	NET_UNDONE_ALL = NET_UNDONE_SUM | NET_UNDONE_CUT,
};

/* How it is to be finished; all zero is a frame like others. */
struct net_offload {
	uint16_t undone; /* enum net_undone */
	uint16_t mss;	 /* bytes of payload in a segment */
	/* SUM: of bytes [sum_start, end), into the two bytes at sum_start +
	 * sum_offset, which hold the pseudo header's. */
	uint16_t sum_start, sum_offset;
};
ASSERT_SIZE(struct net_offload, 8);

struct net_segment {
	const void *host;
	uint32_t length; /* bytes */
};

/* What the backend tells the device, with the machine's lock held. */
struct net_device {
	/* receive() returned NULL before and would not now. */
	void (*received)(void *dev);
	/* send() was refused before and would not be now. */
	void (*writable)(void *dev);
	/* The cable was plugged in or pulled out. */
	void (*link_changed)(void *dev, bool is_up);
	void *dev;
};

struct net_backend {
	/* Who is told; NULL (at the device's end of life) is nobody. */
	void (*attach)(void *ctx, const struct net_device *device);
	/*
	 * One frame, gathered from count segments, NET_PIECES_MAX at most; it
	 * is copied before the
	 * call returns, so that the memory is the caller's again.  False: no
	 * room, nothing was sent, writable() will follow.
	 */
	bool (*send)(void *ctx, const struct net_segment *segment,
		     unsigned count);
	/*
	 * The same of a packet, of at most NET_FRAME_MAX bytes, or
	 * NET_PACKET_MAX if it is to be cut, whose offload
	 * net_offload_check() has found good.  NULL: frames only.
	 */
	bool (*send_packet)(void *ctx, const struct net_offload *offload,
			    const struct net_segment *segment, unsigned count);
	/* From now on receive() may leave that (enum net_undone) undone; at
	 * first nothing.  NULL where send_packet is. */
	void (*accept)(void *ctx, unsigned undone);
	/* Of what receive() gave last, not believed.  NULL where send_packet
	 * is. */
	const struct net_offload *offload;
	/*
	 * The oldest frame that waits and its length in bytes, or NULL.  It
	 * may change while it is read (shared memory: copy first, then look)
	 * and stays valid until release(), which must follow before the next
	 * receive().
	 */
	const void *(*receive)(void *ctx, uint32_t *length);
	void (*release)(void *ctx);
	void *ctx;
	uint8_t mac[NET_MAC_LENGTH]; /* of the device, unicast */
	bool is_link_up;	     /* when the device is built */
};

#endif
