/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cable of a network card: a channel with the service `switch`
 * (include/switch.h), as a card's device model wants it (include/net.h).
 *
 * The cable is plugged in when a switch is first there.  While there is none,
 * later, what is sent is lost, as on a network.  An operator may pull it and
 * put it in again: the device sees its link go, and what is sent either way is
 * lost.
 *
 * Locking: the machine's lock.
 */
#ifndef BULKHEAD_MACHINE_NET_SERVICE_H
#define BULKHEAD_MACHINE_NET_SERVICE_H

#include "include/machine_config.h"
#include "include/net.h"
#include "include/switch.h"

struct net_cable {
	unsigned slot; /* the channel's */
	struct switch_channel *channel;
	struct net_backend backend;
	struct net_device device; /* .dev NULL: none is attached */
	struct ring sent, received;
	bool is_up;	/* there has been a switch */
	bool is_pulled; /* by an operator */
	bool is_full;	/* the device has been refused */
	bool is_broken; /* the switch lies, and it has been said */
	bool is_wide;	/* as the port: packets go by it */
	bool is_losing; /* once the device has released what it holds */
	/* Bytes of the record that the device has where it lies in the ring. */
	uint32_t held;
	struct net_offload offload; /* of the frame that the device has */
	struct switch_packet copy;  /* which it has, where it is not held */
};

/* The channel is attached in slot; it is new. */
void net_cable_init(struct net_cable *cable, unsigned slot,
		    const struct machine_nic_config *config);
/* The channel's event has come. */
void net_cable_event(struct net_cable *cable);
/* It is put in or pulled; nothing where it is as is wanted. */
void net_cable_plug(struct net_cable *cable, bool is_in);

#endif
