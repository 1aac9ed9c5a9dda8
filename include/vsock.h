/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets between guests: the channel by which two machines carry their guests'
 * packets, and what stands between a device and it.
 *
 * init makes a channel for each pair of guests that name each other in the
 * manifest, with the first of the two, and closes it when both have ended; with
 * no channel there is no way.  A packet is a record of a ring, header and
 * payload of up to VSOCK_PAYLOAD_MAX bytes; longer ones are several.  Either
 * machine may die at any time.  The next one at the same end takes the rings
 * over, throws away what waits for the former, counts its end's `lives` on,
 * and rings; by that the other machine knows that all connections are over.
 *
 * References: VIRTIO 1.2, 5.10.
 */
#ifndef BULKHEAD_VSOCK_H
#define BULKHEAD_VSOCK_H

#include "include/domain.h"
#include "include/ring.h"

/* A machine's slots: of the channel with its n-th peer, + n. */
#define VSOCK_CLIENT_SLOT 4
#define VSOCK_PEERS_MAX	  4
#define VSOCK_RING_SIZE	  16384
#define VSOCK_PAYLOAD_MAX 4096

/* The host's: the control protocol of the service `seat`, for guests that the
 * manifest gives it; and addresses that guests may have. */
#define VSOCK_CID_HOST 2
#define VSOCK_CID_MIN  3
#define VSOCK_CID_MAX  0xfffffffe

/* Before each packet, in rings of virtio's and in channels. */
struct vsock_header {
	uint64_t from, to; /* CIDs */
	uint32_t from_port, to_port;
	uint32_t length; /* bytes of payload */
	uint16_t type;
#define VSOCK_STREAM 1
	uint16_t operation; /* enum vsock_operation */
	uint32_t flags;
	uint32_t room, taken; /* credit: buf_alloc, fwd_cnt */
} __packed;
ASSERT_SIZE(struct vsock_header, 44);

enum vsock_operation {
	VSOCK_REQUEST = 1,
	VSOCK_RESPONSE,
	VSOCK_RESET,
	VSOCK_SHUTDOWN,
	VSOCK_DATA,
	VSOCK_CREDIT,
	VSOCK_CREDIT_WANTED,
	VSOCK_OPERATIONS,
};

#define VSOCK_RECORD_MAX (sizeof(struct vsock_header) + VSOCK_PAYLOAD_MAX)

/* Of a pair: end 0 is that of the guest which the manifest has first. */
struct vsock_channel {
	struct ring_shared sent[2]; /* by the machine at that end */
	uint32_t lives[2];	    /* machines at that end; it counts */
	uint8_t data[2][VSOCK_RING_SIZE] __aligned(4096);
};
ASSERT_OFFSET(struct vsock_channel, data, 4096);
#define VSOCK_CHANNEL_PAGES (sizeof(struct vsock_channel) / PAGE_SIZE)

/* ---- For devices --------------------------------------------------------- */

/* What the backend tells the device, with the machine's lock held. */
struct vsock_device {
	/* receive() returned NULL before and would not now. */
	void (*received)(void *dev);
	/* VSOCK_FULL was said before and would not be now. */
	void (*writable)(void *dev, unsigned peer);
	/* The peer is gone, or another: all connections with it are over. */
	void (*lost)(void *dev, unsigned peer);
	void *dev;
};

enum vsock_sent {
	VSOCK_SENT,
	VSOCK_FULL, /* writable() will follow */
	VSOCK_GONE, /* there is no such machine now */
};

struct vsock_backend {
	/* Who is told; NULL is nobody. */
	void (*attach)(void *ctx, const struct vsock_device *device);
	/* header->length bytes of payload, VSOCK_PAYLOAD_MAX at most; copied.
	 */
	enum vsock_sent (*send)(void *ctx, unsigned peer,
				const struct vsock_header *header,
				const void *payload);
	/*
	 * The oldest packet of that peer's, in memory of this program's own,
	 * and its length with its header; or NULL.  It stays valid until
	 * release(), which must follow before the next receive().  Nothing in
	 * it has been looked at.
	 */
	const uint8_t *(*receive)(void *ctx, unsigned peer, uint32_t *length);
	void (*release)(void *ctx, unsigned peer);
	void *ctx;
	uint32_t cid; /* the guest's */
	unsigned peer_count;
	uint32_t peer[VSOCK_PEERS_MAX]; /* their CIDs */
};

#endif
