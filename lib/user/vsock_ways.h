/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways to peers with sockets: channels (include/vsock.h) as a device wants
 * them, and as the service `seat` does.
 *
 * A peer that breaks its ring is one that is gone.
 *
 * Locking: a machine's lock; in a program of one thread none.
 */
#ifndef BULKHEAD_LIB_USER_VSOCK_WAYS_H
#define BULKHEAD_LIB_USER_VSOCK_WAYS_H

#include "include/vsock.h"

struct vsock_way {
	struct vsock_channel *channel;
	unsigned end; /* of the channel, that is this program's */
	struct ring sent, received;
	uint32_t life;	/* the peer's `lives` */
	bool is_open;	/* that life is there */
	bool is_full;	/* the device has been refused */
	bool is_broken; /* the peer lies, and it has been said */
	uint8_t record[VSOCK_RECORD_MAX]; /* the device's until release() */
};

struct vsock_ways {
	struct vsock_backend backend;
	unsigned slot;		    /* the first peer's */
	struct vsock_device device; /* .dev NULL: none is attached */
	struct vsock_way way[VSOCK_PEERS_MAX];
};

/* No peers yet; channels with them are in the slots from that one on; cid is
 * this end's own. */
void vsock_ways_init(struct vsock_ways *ways, unsigned slot, uint32_t cid);
/* The next peer, VSOCK_PEERS_MAX at most, whose channel is attached: its CID,
 * and which end of the channel is this program's. */
void vsock_ways_add(struct vsock_ways *ways, uint32_t cid, unsigned end);
/* A channel's event has come, or may have. */
void vsock_ways_event(struct vsock_ways *ways, unsigned peer);

#endif
