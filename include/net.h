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
 */
#ifndef BULKHEAD_NET_H
#define BULKHEAD_NET_H

#include "include/compiler.h"

#define NET_MAC_LENGTH	6
#define NET_FRAME_MIN	60
#define NET_FRAME_USUAL 1514 /* of an Ethernet without jumbo frames */
#define NET_FRAME_MAX	9728 /* 9.5 KiB, a VLAN tag among them */
#define NET_VLAN_TAG	4

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
	 * One frame, gathered from count segments; it is copied before the
	 * call returns, so that the memory is the caller's again.  False: no
	 * room, nothing was sent, writable() will follow.
	 */
	bool (*send)(void *ctx, const struct net_segment *segment,
		     unsigned count);
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
