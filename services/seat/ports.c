/* SPDX-License-Identifier: BSD-2-Clause */
/* See ports.h. */
#include "services/seat/ports.h"

#include "lib/string.h"

void ports_init(struct ports *ports, const struct ports_ops *ops, void *ctx,
		struct asks *asks)
{
	memset(ports, 0, sizeof(*ports));
	ports->ops = ops;
	ports->ctx = ctx;
	ports->asks = asks;
}

/* ---- Opening and closing ------------------------------------------------- */

static bool port_attach(struct ports *ports, struct port *port, unsigned slot)
{
	struct switch_channel *channel = NULL;

	if (slot >= SEAT_PORT_SLOT && slot < SEAT_PORT_SLOT + SEAT_PORTS)
		channel = ports->ops->channel(ports->ctx, slot);
	if (!channel)
		return false;
	port->slot = slot;
	port->channel = channel;
	switch_rings_init(channel, false, false, &port->in, &port->out);
	port->state = PORT_OPEN;
	return true;
}

static void opened(struct ports *ports, struct port *port,
		   const struct seat_message *message)
{
	struct seat_message answer = *message;
	void *owner = port->owner;

	port->state = PORT_FREE;
	if (!message->text[0] && !port_attach(ports, port, message->slot))
		memcpy(answer.text, "has no channel", sizeof("has no channel"));
	if (owner)
		port->told(owner, port->id, &answer);
	if (port->state == PORT_OPEN && !port->owner)
		ports_close(ports, port);
}

static void told(void *ctx, uint32_t index, const struct seat_message *message)
{
	struct ports *ports = ctx;
	struct port *port = &ports->port[index];

	if (port->state == PORT_ASKING)
		opened(ports, port, message);
	else if (port->state == PORT_CLOSING)
		port->state = PORT_FREE;
}

static int ask_add(struct ports *ports, const struct port *port, uint32_t verb,
		   struct ask ask)
{
	ask.told = told;
	ask.ctx = ports;
	ask.id = (uint32_t)(port - ports->port);
	ask.verb = verb;
	return asks_add(ports->asks, &ask);
}

int ports_open(struct ports *ports, const struct port *like,
	       const struct ask *ask)
{
	for (unsigned i = 0; i < SEAT_PORTS; i++) {
		struct port *port = &ports->port[i];
		int error;

		if (port->state != PORT_FREE)
			continue;
		error = ask_add(ports, port, like->verb, *ask);
		if (error)
			return error;
		*port = *like;
		port->state = PORT_ASKING;
		return 0;
	}
	return -EBUSY;
}

struct port *ports_find(struct ports *ports, const void *owner, uint32_t id)
{
	for (unsigned i = 0; i < SEAT_PORTS; i++) {
		struct port *port = &ports->port[i];

		if (port->owner == owner && port->id == id &&
		    (port->state == PORT_ASKING || port->state == PORT_OPEN))
			return port;
	}
	return NULL;
}

void ports_close(struct ports *ports, struct port *port)
{
	port->owner = NULL;
	if (port->state != PORT_OPEN)
		return;
	/* The slot is free before init may use it again. */
	ports->ops->detach(ports->ctx, port->slot);
	port->channel = NULL;
	port->state = PORT_CLOSING;
	port->is_said = false;
}

void ports_forget(struct ports *ports, const void *owner)
{
	for (unsigned i = 0; i < SEAT_PORTS; i++)
		if (ports->port[i].owner == owner)
			ports_close(ports, &ports->port[i]);
}

/* ---- Frames -------------------------------------------------------------- */

long ports_receive(struct ports *ports, struct port *port,
		   struct port_frame *frame)
{
	uint32_t head =
		port->verb == SEAT_CAPTURE ? sizeof(struct switch_copy) : 0;
	long n;

	do {
		n = ring_get(&port->in, ports->record.bytes,
			     sizeof(ports->record), &port->is_bell);
	} while (!n && !ring_sleep(&port->in));
	if (n < 0 || (n && n <= (long)head))
		return -EPROTO;
	frame->bytes = ports->record.bytes + head;
	frame->length = (uint32_t)n - (n ? head : 0);
	frame->lost = (uint32_t)__atomic_load_n(&port->channel->dropped,
						__ATOMIC_RELAXED);
	frame->time_ns = head ? ports->record.copy.time_ns
			      : ports->ops->time_ns(ports->ctx);
	return frame->length;
}

long ports_send(struct port *port, const void *bytes, uint32_t length)
{
	long n;

	if (port->verb != SEAT_JOIN)
		return -EINVAL;
	do {
		n = ring_put(&port->out, bytes, length, &port->is_bell);
	} while (!n && !ring_sleep(&port->out));
	return n;
}

void ports_run(struct ports *ports)
{
	for (unsigned i = 0; i < SEAT_PORTS; i++) {
		struct port *port = &ports->port[i];
		const struct ask ask = { .slot = port->slot };

		if (port->state == PORT_OPEN && port->is_bell)
			ports->ops->doorbell(ports->ctx, port->slot);
		port->is_bell = false;
		/* Where there is no room for it, an answer makes some. */
		if (port->state == PORT_CLOSING && !port->is_said)
			port->is_said = !ask_add(ports, port, SEAT_LEAVE, ask);
	}
}
