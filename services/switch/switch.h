/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The core of the service `switch`: ports, networks, and who gets a frame.
 *
 * A network is all ports that name it; nothing leads from one to another.  In
 * it a switch learns behind which port an address is, forgets that after
 * SWITCH_AGE_NS without a frame, and sends to all ports what is for many or for
 * nobody it knows.
 *
 * VLANs (IEEE 802.1Q).  A port with a VLAN is an access port: its frames have
 * no tag, and it reaches ports of its VLAN only.  One without is a trunk: it
 * has all VLANs of the network by their tags, and frames without a tag with the
 * other trunks.
 *
 * A mirror has a copy of every frame that a port of its network may send, with
 * its tag and its time.  It is no member of a VLAN, has no address and sends
 * nothing; what it does not read in time is dropped.
 *
 * Packets of which something is left undone (include/net.h) go as they are to
 * ports that accept that; for all others, mirrors among them, they are finished
 * here: they get their checksum, or are cut into frames.
 *
 * A port has its turn for SWITCH_TURN frames, what a packet is cut into being
 * counted, then others have theirs.  With a
 * limit its ring is not read before its time has come, so that its machine
 * waits and nothing is lost.
 *
 * Pure: it reaches the world by struct switch_ops.  One thread.
 */
#ifndef BULKHEAD_SERVICES_SWITCH_SWITCH_H
#define BULKHEAD_SERVICES_SWITCH_SWITCH_H

#include "include/net.h"
#include "include/switch.h"
#include "lib/user/net_segments.h"
#include "services/rate.h"

#define SWITCH_AGE_NS	 (300 * NSEC_PER_SEC)
#define SWITCH_ADDRESSES 1024 /* of all networks: a power of two */
#define SWITCH_TURN	 16
#define SWITCH_ROUNDS	 16 /* that one call makes */

struct switch_ops {
	void (*doorbell)(void *ctx, unsigned slot);
	void (*log)(void *ctx, const char *text);
};

/*
 *          add               the machine breaks its rings
 *   FREE -------> OPEN ------------------------------------> BROKEN
 *    ^             | removed                                  | removed
 *    +-------------+------------------------------------------+
 */
enum switch_port_state { PORT_FREE, PORT_OPEN, PORT_BROKEN };

struct switch_port {
	enum switch_port_state state;
	bool is_ready; /* its ring may have frames */
	bool is_bell;  /* its machine is to be rung */
	bool is_mirror;
	bool is_wide;  /* as SWITCH_WIDE */
	bool is_left;  /* the packet that is forwarded has to be finished for it
			*/
	uint16_t vlan; /* 0: a trunk */
	uint32_t network; /* index */
	struct ring in, out;
	struct switch_channel *channel;
	struct rate rate;
	struct switch_counters counters;
	char name[SWITCH_PORT_SIZE];
};

struct switch_network {
	char name[SWITCH_NAME_SIZE];
	unsigned ports;	  /* 0: there is none of this index */
	unsigned mirrors; /* of them */
};

/* Behind which port an address is. */
struct switch_address {
	uint64_t key;	  /* address, VLAN; 0: none */
	uint64_t seen_ns; /* when it last sent */
	uint32_t network;
	uint32_t slot;
};

struct switch_core {
	const struct switch_ops *ops;
	void *ctx;
	uint64_t now_ns;
	uint64_t base_ns;     /* the host's clock when now_ns was 0 */
	bool is_again;	      /* there is more to do */
	uint64_t deadline_ns; /* of a port with a limit */
	unsigned slot_end;    /* behind the last one that ever had a port */
	struct switch_port port[SWITCH_SLOTS];
	struct switch_network network[SWITCH_SLOTS];
	struct switch_address address[SWITCH_ADDRESSES];
	bool has_left; /* any port .is_left */
	/* The one that is forwarded; and how it is cut. */
	struct switch_packet packet;
	struct net_segments segments;
};

void switch_init(struct switch_core *core, const struct switch_ops *ops,
		 void *ctx);
/* message: SWITCH_ADD, not believed; -EINVAL: it makes no sense. */
int __must_check switch_add(struct switch_core *core,
			    const struct switch_message *message,
			    struct switch_channel *channel);
/* Fills counters; also of a slot that is free. */
void switch_remove(struct switch_core *core, unsigned slot,
		   struct switch_counters *counters);
/* The channel's event has come. */
void switch_ring(struct switch_core *core, unsigned slot);
/* Events of channels have come, bit 0 that of slot 0. */
void switch_events(struct switch_core *core, uint64_t events);
/* Forwards what there is, as far as a call may; rings. */
void switch_run(struct switch_core *core, uint64_t now_ns);
/* When switch_run() is to be called again; UINT64_MAX: after an event. */
uint64_t switch_deadline(const struct switch_core *core);

#endif
