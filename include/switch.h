/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Channels of the service `switch`, virtual Ethernet: one for each network card
 * of a machine (a port), by which frames go both ways, some for seat, whose
 * clients join a network or capture its frames, and one with init.
 *
 * A frame is a record of a ring, without FCS, NET_FRAME_MIN to NET_FRAME_MAX
 * bytes (include/net.h); of a wide port it is a packet, and has a few bytes
 * before it.  The machine waits for room where its ring is full.
 * The switch waits for nobody: what does not fit into a machine's ring is
 * dropped, and counted.
 *
 * Either program may die at any time.  A later switch takes the rings over as
 * they are (include/ring.h): what was in them is forwarded, what the former one
 * had in hand is lost.  A machine that is started again has a new channel.
 */
#ifndef BULKHEAD_SWITCH_H
#define BULKHEAD_SWITCH_H

#include "include/domain.h"
#include "include/net.h"
#include "include/ring.h"

/* A machine's slot for the channel of its first card; end 0 is the machine's,
 * end 1 the switch's. */
#define SWITCH_CLIENT_SLOT   2
#define SWITCH_SENT_SIZE     16384
#define SWITCH_RECEIVED_SIZE 32768

/* Of a port, as its machine sees it: 13 pages. */
struct switch_channel {
	struct ring_shared sent, received;
	/* Frames that the received ring had no room for, ever; the switch
	 * writes it. */
	uint64_t dropped;
	/* enum net_undone: what packets may be left with that go to a wide
	 * port; its machine writes it. */
	uint32_t accepts;
	uint8_t sent_data[SWITCH_SENT_SIZE] __aligned(4096);
	uint8_t received_data[SWITCH_RECEIVED_SIZE] __aligned(4096);
};
ASSERT_OFFSET(struct switch_channel, received_data, 20480);
#define SWITCH_CHANNEL_PAGES (sizeof(struct switch_channel) / PAGE_SIZE)

/*
 * Of a port with SWITCH_WIDE: 49 pages, which begin as the others do.  Its
 * records, both ways, are a struct switch_packet: a packet may have its
 * checksum and its segmentation left undone, and be as long as the rings allow.
 * The switch finishes those that go to ports which do not accept them.
 */
#define SWITCH_WIDE_SENT_SIZE	  65536
#define SWITCH_WIDE_RECEIVED_SIZE 131072
struct switch_wide_channel {
	uint8_t head[4096] __aligned(4096);
	uint8_t sent_data[SWITCH_WIDE_SENT_SIZE];
	uint8_t received_data[SWITCH_WIDE_RECEIVED_SIZE];
};
#define SWITCH_WIDE_PAGES (sizeof(struct switch_wide_channel) / PAGE_SIZE)
ASSERT_OFFSET(struct switch_channel, sent_data, 4096);

struct switch_packet {
	struct net_offload offload;
	uint8_t frame[NET_PACKET_MAX];
};
_Static_assert(sizeof(uint32_t) + sizeof(struct switch_packet) <=
		       SWITCH_WIDE_SENT_SIZE,
	       "a record of the longest one");

/* Either side's views of a port's rings: `in` is what the caller consumes. */
static inline void switch_rings_init(struct switch_channel *channel,
				     bool is_wide, bool is_switch,
				     struct ring *in, struct ring *out)
{
	struct switch_wide_channel *wide = (void *)channel;

	ring_init(is_switch ? in : out, &channel->sent,
		  is_wide ? wide->sent_data : channel->sent_data,
		  is_wide ? SWITCH_WIDE_SENT_SIZE : SWITCH_SENT_SIZE,
		  !is_switch, is_switch);
	ring_init(is_switch ? out : in, &channel->received,
		  is_wide ? wide->received_data : channel->received_data,
		  is_wide ? SWITCH_WIDE_RECEIVED_SIZE : SWITCH_RECEIVED_SIZE,
		  is_switch, is_switch);
}

/*
 * What a port with SWITCH_MIRROR receives: each frame of its network, with its
 * tag, behind one of these.
 */
struct switch_copy {
	uint64_t time_ns; /* gate_host_ns() when it was forwarded */
};
/* Its frame may have got a tag beside. */
#define SWITCH_COPY_MAX \
	(sizeof(struct switch_copy) + NET_FRAME_MAX + NET_VLAN_TAG)

/* ---- With init ---------------------------------------------------------- */

/* Slot SWITCH_CONTROL_SLOT of the switch, end 0 is init's. */
#define SWITCH_CONTROL_SLOT 0
#define SWITCH_CONTROL_SIZE 4096
#define SWITCH_SLOTS	    117 /* 0: init; then ports */
#define SWITCH_NAME_SIZE    24	/* of networks */
#define SWITCH_PORT_SIZE    48	/* "web/nic0" */
#define SWITCH_VLAN_MAX	    4094

enum switch_message_kind {
	/*
	 * init: the channel in slot, attached, is a port of that network.  It
	 * is the first thing that is said of the slot, or REMOVED was.
	 */
	SWITCH_ADD = 1,
	/* init: its machine has ended.  Answered by REMOVED, when the slot is
	 * free. */
	SWITCH_REMOVE,

	SWITCH_REMOVED = 64, /* and what its counters were */
};

enum switch_flag {
	/* A copy of each frame goes there; what it sends is not read. */
	SWITCH_MIRROR = BIT(0),
	/* Its channel is a struct switch_wide_channel.  Not of a mirror. */
	SWITCH_WIDE = BIT(1),
};

struct switch_counters {
	uint64_t sent, sent_bytes;	   /* by the machine */
	uint64_t received, received_bytes; /* put into its ring */
	uint64_t dropped;		   /* its ring was full */
	uint64_t refused; /* it sent what is no frame, or not of its VLAN */
};

struct switch_message {
	uint32_t kind; /* enum switch_message_kind */
	uint32_t slot;
	uint32_t vlan;	    /* ADD; 0: all of the network's */
	uint32_t kib_limit; /* ADD; a second, of what it sends; 0: none */
	uint32_t flags;	    /* ADD; enum switch_flag */
	uint32_t reserved;
	char port[SWITCH_PORT_SIZE];
	char network[SWITCH_NAME_SIZE];
	struct switch_counters counters; /* REMOVED */
};
ASSERT_SIZE(struct switch_message, 144);

struct switch_control {
	struct ring_shared to_switch, from_switch; /* records: switch_message */
	uint8_t to_switch_data[SWITCH_CONTROL_SIZE];
	uint8_t from_switch_data[SWITCH_CONTROL_SIZE];
};
#define SWITCH_CONTROL_PAGES \
	DIV_ROUND_UP(sizeof(struct switch_control), PAGE_SIZE)

/* At GATE_ARGUMENT_VA of the switch. */
struct switch_argument {
	uint32_t version; /* SWITCH_VERSION */
	uint32_t start;	  /* how often init has started it: from 1 */
};
#define SWITCH_VERSION 3

#endif
