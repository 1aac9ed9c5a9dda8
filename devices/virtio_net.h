/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio's network card.
 *
 * Models: up to eight pairs of queues, of which the driver says how many it
 * uses; packets that are sent go on with their checksums and their segmentation
 * left undone, as their driver leaves them, where the network carries such, and
 * else get the ones and are cut into TCP segments here; the same of received
 * ones is left to a driver that takes it, checksums that are there are checked,
 * and they lie in as many buffers as they need; filters by address, group
 * and VLAN; an address that the driver sets; link changes, and the wish for an
 * announcement when a cable has been put in again; the longest packet (MTU),
 * speed and duplex.
 *
 * Does not model: received packets with ECN's bits to be cut (GUEST_ECN: the
 * sender's card cuts those), UDP's segmentation, RSS and hashes in headers, the
 * control queue's offloads, standby.  Who sends from a pair has what answers
 * that flow in the same one; a flow is told by addresses and ports, 256 of
 * them.
 *
 * That a frame has been sent is of little interest, so that the driver is told
 * of many at once, after VIRTIO_NET_SHOW_NS at most.  Nor need it kick for
 * each: from its second kick in a row on, with nothing received between, its
 * queue is looked at by a timer, until nothing is found there.
 *
 * A frame for which the driver has no buffer waits in the backend, where frames
 * are lost; one for which its buffers are too small is dropped here.  Work is
 * bounded: a call moves so many frames, and the rest waits for a timer.
 *
 * References: Virtual I/O Device (VIRTIO) Version 1.2, OASIS, 5.1.
 */
#ifndef BULKHEAD_DEVICES_VIRTIO_NET_H
#define BULKHEAD_DEVICES_VIRTIO_NET_H

#include "devices/net_port.h"
#include "devices/virtio.h"

#define VIRTIO_NET_MACS	   64 /* that the filter has room for, in all */
#define VIRTIO_NET_BUFFERS 64 /* of a received packet, at most */
#define VIRTIO_NET_FLOWS   256
#define VIRTIO_NET_SHOW_NS 200000
#define VIRTIO_NET_POLL_NS 100000

/* What a driver did that makes no sense, or that cannot be done. */
enum virtio_net_error {
	VIRTIO_NET_ERROR_NONE,
	VIRTIO_NET_ERROR_TX_LENGTH,  /* a frame too short or too long */
	VIRTIO_NET_ERROR_TX_SEGMENT, /* a packet that cannot be cut */
	VIRTIO_NET_ERROR_RX_LENGTH,  /* buffers too small for a frame */
	VIRTIO_NET_ERROR_CONTROL,    /* a command that is refused */
	VIRTIO_NET_ERRORS,
};

/* What the driver wants to receive. */
struct virtio_net_filter {
	bool is_promiscuous;
	bool has_all_groups, has_all_others; /* addresses of either kind */
	bool no_groups, no_own, no_broadcast;
	/* The table did not have room for all of that kind, and has none. */
	bool is_own_over, is_group_over;
	uint8_t own_count, group_count; /* of the table, in this order */
	uint8_t reserved[2];
	uint8_t mac[VIRTIO_NET_MACS][NET_MAC_LENGTH];
	uint32_t vlan[4096 / 32]; /* a bit each */
};

struct virtio_net_state {
	struct virtio_state virtio;
	bool is_cable_up;
	bool is_announcing; /* the driver has not acknowledged it yet */
	uint8_t mac[NET_MAC_LENGTH];
	struct virtio_net_filter filter;
	/* Segments of the packet that is the next of each queue that have been
	 * sent, when the backend was full. */
	uint16_t sent[NET_PAIRS_MAX];
	uint8_t pair_of[VIRTIO_NET_FLOWS];
	uint8_t kicks[NET_PAIRS_MAX]; /* in a row, with nothing received */
	uint16_t pairs;		      /* in use */
	uint8_t reserved[2];
	uint64_t more_ns, poll_ns;
};

struct virtio_net_config {
	struct nic_config nic;
	unsigned pairs;	      /* 1 to NET_PAIRS_MAX */
	uint16_t mtu;	      /* bytes, NET_MTU_MIN to NET_MTU_MAX */
	bool is_transitional; /* with the legacy interface */
};

struct virtio_net {
	struct device device;
	struct virtio_net_config config;
	struct virtio virtio;
	struct clock_timer more, poll;
	struct net_port port;
	struct virtio_net_state state;
	uint32_t unflushed; /* queues, a bit each */
	unsigned unshown;   /* frames sent since they were flushed */
	unsigned budget;    /* frames that this call may still send */
	struct virtio_chain chain[2];
	uint8_t frame[NET_FRAME_MAX]; /* that is put together */
	uint64_t errors[VIRTIO_NET_ERRORS];
};

extern const struct device_ops virtio_net_ops;

/* -EINVAL: pairs or mtu; and as virtio_init(). */
int __must_check virtio_net_init(struct virtio_net *nic,
				 const struct virtio_net_config *config);
void virtio_net_reset(struct virtio_net *nic);

#endif
