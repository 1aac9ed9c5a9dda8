/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports of networks for clients of the control protocol: one that has joined a
 * network is a port of its switch, one that captures has a copy of each frame
 * (include/switch.h).
 *
 *          open()           init: here is its channel     close()
 *   FREE -------> ASKING ------------------------> OPEN ----------> CLOSING
 *    ^              | init: no                                         |
 *    +--------------+--------------------------------------------------+
 *                                                       init: it is gone
 *
 * A port without an owner is closed as soon as it is open.  What its owner has
 * no room for waits in the ring, where the switch drops what comes behind it.
 *
 * Pure; not locked: one thread.
 */
#ifndef BULKHEAD_SERVICES_SEAT_PORTS_H
#define BULKHEAD_SERVICES_SEAT_PORTS_H

#include "include/switch.h"
#include "services/seat/asks.h"

struct ports_ops {
	/* What is attached in a slot; NULL: nothing. */
	struct switch_channel *(*channel)(void *ctx, unsigned slot);
	void (*detach)(void *ctx, unsigned slot);
	void (*doorbell)(void *ctx, unsigned slot);
	/* The host's clock, as struct switch_copy has it. */
	uint64_t (*time_ns)(void *ctx);
};

/* init has answered: message.text says why not, or nothing.  The port is the
 * owner's by then, or is not any more. */
typedef void (*port_told_fn)(void *owner, uint32_t id,
			     const struct seat_message *message);

enum port_state { PORT_FREE, PORT_ASKING, PORT_OPEN, PORT_CLOSING };

struct port {
	enum port_state state;
	bool is_said;  /* CLOSING: init has been asked */
	bool is_stuck; /* it took nothing of what was sent last */
	bool is_bell;  /* the switch is to be rung */
	void *owner;   /* NULL: it has gone */
	uint32_t id;   /* the owner's */
	uint32_t verb; /* SEAT_JOIN, SEAT_CAPTURE */
	unsigned slot; /* OPEN */
	port_told_fn told;
	const struct switch_channel *channel;
	struct ring in, out;
};

struct ports {
	const struct ports_ops *ops;
	void *ctx;
	struct asks *asks;
	struct port port[SEAT_PORTS];
	union {
		struct switch_copy copy;
		uint8_t bytes[SWITCH_COPY_MAX];
	} record;
};

/* A frame that came. */
struct port_frame {
	const uint8_t *bytes; /* until the next ports_receive() */
	uint32_t length;
	uint32_t lost; /* by this port, so far, modulo 2^32 */
	uint64_t time_ns;
};

void ports_init(struct ports *ports, const struct ports_ops *ops, void *ctx,
		struct asks *asks);

/*
 * .owner, .id, .verb and .told of *like.  ask: name and vlan.  0: told() will
 * be called; -EBUSY.
 */
int __must_check ports_open(struct ports *ports, const struct port *like,
			    const struct ask *ask);
/* The owner's port of that id; NULL: none that is ASKING or OPEN. */
struct port *ports_find(struct ports *ports, const void *owner, uint32_t id);
void ports_close(struct ports *ports, struct port *port);
/* All that the owner has. */
void ports_forget(struct ports *ports, const void *owner);

/* Of one that is open: its length, 0: none, and there will be an event.
 * -EPROTO: the switch breaks its ring. */
long __must_check ports_receive(struct ports *ports, struct port *port,
				struct port_frame *frame);
/* length; 0: no room now, and there will be an event; -errno: never. */
long __must_check ports_send(struct port *port, const void *bytes,
			     uint32_t length);
/* After all else of an event. */
void ports_run(struct ports *ports);

#endif
