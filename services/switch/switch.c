/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports, addresses, forwarding: switch.h.
 *
 * References: IEEE 802.1D-2004, 7.7 to 7.9 (forwarding, learning, filtering
 * database); IEEE 802.1Q.
 */
#include "services/switch/switch.h"

#include "include/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

#define MAC_LENGTH   6
#define MACS_LENGTH  12
#define TAG_TYPE     0x8100
#define VLAN_ID	     0x0fff
#define TEXT_SIZE    120
#define HASH_FACTOR  0x9e3779b97f4a7c15ULL /* 2^64 by the golden ratio */
#define KEY_VLAN_BIT 48

/* A frame in core->frame, without the tag that it may have had. */
struct frame {
	uint32_t length; /* as it came */
	bool is_tagged;
	uint16_t vlan; /* in which it is forwarded */
	uint8_t tag[NET_VLAN_TAG];
};

/* ---- Networks ----------------------------------------------------------- */

/* There are as many as ports: one is free. */
static uint32_t network_find(struct switch_core *core, const char *name)
{
	uint32_t at = 0, i;

	for (i = 0; i < SWITCH_SLOTS; i++) {
		struct switch_network *network = &core->network[i];

		if (!network->ports)
			at = i;
		else if (!strcmp(network->name, name))
			return i;
	}
	memcpy(core->network[at].name, name, SWITCH_NAME_SIZE);
	return at;
}

static void addresses_forget(struct switch_core *core, unsigned slot)
{
	for (unsigned i = 0; i < SWITCH_ADDRESSES; i++)
		if (core->address[i].slot == slot)
			core->address[i].key = 0;
}

/* ---- Ports -------------------------------------------------------------- */

void switch_init(struct switch_core *core, const struct switch_ops *ops,
		 void *ctx)
{
	memset(core, 0, sizeof(*core));
	core->ops = ops;
	core->ctx = ctx;
	core->deadline_ns = UINT64_MAX;
}

static bool is_text(const char *text, size_t size)
{
	return text[0] && memchr(text, 0, size);
}

int switch_add(struct switch_core *core, const struct switch_message *message,
	       struct switch_channel *channel)
{
	struct switch_port *port;

	if (!message->slot || message->slot >= SWITCH_SLOTS ||
	    message->vlan > SWITCH_VLAN_MAX ||
	    message->flags & ~(uint32_t)SWITCH_MIRROR ||
	    !is_text(message->network, SWITCH_NAME_SIZE) ||
	    !is_text(message->port, SWITCH_PORT_SIZE))
		return -EINVAL;
	port = &core->port[message->slot];
	if (port->state != PORT_FREE)
		return -EINVAL;
	memset(port, 0, sizeof(*port));
	port->state = PORT_OPEN;
	port->is_mirror = message->flags & SWITCH_MIRROR;
	port->is_ready = !port->is_mirror;
	port->vlan = (uint16_t)message->vlan;
	port->channel = channel;
	memcpy(port->name, message->port, SWITCH_PORT_SIZE);
	rate_init(&port->rate, (uint64_t)message->kib_limit * KIB(1), 0);
	port->network = network_find(core, message->network);
	core->network[port->network].ports++;
	core->network[port->network].mirrors += port->is_mirror;
	ring_init(&port->in, &channel->sent, channel->sent_data,
		  SWITCH_SENT_SIZE, false, true);
	ring_init(&port->out, &channel->received, channel->received_data,
		  SWITCH_RECEIVED_SIZE, true, true);
	return 0;
}

void switch_remove(struct switch_core *core, unsigned slot,
		   struct switch_counters *counters)
{
	struct switch_port *port = &core->port[slot];

	*counters = port->counters;
	if (port->state == PORT_FREE)
		return;
	addresses_forget(core, slot);
	core->network[port->network].ports--;
	core->network[port->network].mirrors -= port->is_mirror;
	memset(port, 0, sizeof(*port));
}

static void port_break(struct switch_core *core, struct switch_port *port)
{
	char text[TEXT_SIZE];

	port->state = PORT_BROKEN;
	(void)snprintf(text, sizeof(text), "%s breaks its ring: it is cut off",
		       port->name);
	core->ops->log(core->ctx, text);
}

/* ---- Addresses ---------------------------------------------------------- */

static uint64_t mac_of(const uint8_t *bytes)
{
	uint64_t mac = 0;

	for (unsigned i = 0; i < MAC_LENGTH; i++)
		mac = mac << 8 | bytes[i];
	return mac;
}

static bool is_group(const uint8_t *mac)
{
	return mac[0] & 1;
}

/* Its place: another address that has it is forgotten, which costs no more than
 * frames to all. */
static struct switch_address *address_at(struct switch_core *core, uint64_t key,
					 uint32_t network)
{
	uint64_t hash = (key ^ (uint64_t)network << 40) * HASH_FACTOR;

	return &core->address[hash >> 32 & (SWITCH_ADDRESSES - 1)];
}

static void learn(struct switch_core *core, unsigned slot, uint64_t key)
{
	uint32_t network = core->port[slot].network;
	struct switch_address *address = address_at(core, key, network);

	*address = (struct switch_address){ key, core->now_ns, network, slot };
}

/* 0: it is not known. */
static unsigned lookup(struct switch_core *core, uint64_t key, uint32_t network)
{
	const struct switch_address *address = address_at(core, key, network);

	if (address->key != key || address->network != network ||
	    core->now_ns - address->seen_ns > SWITCH_AGE_NS)
		return 0;
	return address->slot;
}

/* ---- Forwarding --------------------------------------------------------- */

static bool is_member(const struct switch_port *port, uint32_t network,
		      uint16_t vlan)
{
	return port->state == PORT_OPEN && !port->is_mirror &&
	       port->network == network && (!port->vlan || port->vlan == vlan);
}

/* What of the port's ring has become of it, n being ring_put_parts()'s. */
static void delivered(struct switch_core *core, struct switch_port *port,
		      long n)
{
	if (n > 0) {
		port->counters.received++;
		port->counters.received_bytes += (uint64_t)n;
	} else if (n == -EPROTO) {
		port_break(core, port);
	} else {
		port->counters.dropped++;
		__atomic_store_n(&port->channel->dropped,
				 port->counters.dropped, __ATOMIC_RELAXED);
	}
}

/*
 * As the port has it: with a tag or without.  One that would be too long with
 * its tag is dropped, one that would be too short without is padded: whoever
 * reads the ring may count on its limits.
 */
static void deliver(struct switch_core *core, struct switch_port *port,
		    const struct frame *frame)
{
	static const uint8_t zeros[NET_VLAN_TAG];
	const struct switch_copy copy = { .time_ns = core->base_ns +
						     core->now_ns };
	uint32_t skip = MACS_LENGTH + (frame->is_tagged ? NET_VLAN_TAG : 0);
	bool has_tag = !port->vlan && (frame->is_tagged || frame->vlan);
	uint32_t length = frame->length - skip + MACS_LENGTH +
			  (has_tag ? NET_VLAN_TAG : 0);
	uint32_t pad = length < NET_FRAME_MIN ? NET_FRAME_MIN - length : 0;
	const struct ring_part parts[] = {
		{ &copy, port->is_mirror ? sizeof(copy) : 0 },
		{ core->frame, MACS_LENGTH },
		{ frame->tag, has_tag ? NET_VLAN_TAG : 0 },
		{ core->frame + skip, frame->length - skip },
		{ zeros, pad },
	};
	long n = 0;

	if (port->is_mirror || length <= NET_FRAME_MAX)
		n = ring_put_parts(&port->out, parts, ARRAY_SIZE(parts),
				   &port->is_bell);
	delivered(core, port, n);
}

/* To those that see all of the network's. */
static void mirror(struct switch_core *core, uint32_t network,
		   const struct frame *frame)
{
	if (!core->network[network].mirrors)
		return;
	for (unsigned slot = 1; slot < SWITCH_SLOTS; slot++) {
		struct switch_port *port = &core->port[slot];

		if (port->is_mirror && port->network == network &&
		    port->state == PORT_OPEN)
			deliver(core, port, frame);
	}
}

static void forward(struct switch_core *core, unsigned from,
		    const struct frame *frame)
{
	uint32_t network = core->port[from].network;
	uint64_t vlan_key = (uint64_t)frame->vlan << KEY_VLAN_BIT;
	unsigned slot = 0;

	mirror(core, network, frame);
	learn(core, from, mac_of(core->frame + MAC_LENGTH) | vlan_key);
	if (!is_group(core->frame))
		slot = lookup(core, mac_of(core->frame) | vlan_key, network);
	if (slot) {
		if (slot != from &&
		    is_member(&core->port[slot], network, frame->vlan))
			deliver(core, &core->port[slot], frame);
		return;
	}
	for (slot = 1; slot < SWITCH_SLOTS; slot++)
		if (slot != from &&
		    is_member(&core->port[slot], network, frame->vlan))
			deliver(core, &core->port[slot], frame);
}

/* What the port may send: false is refused. */
static bool frame_parse(const struct switch_core *core,
			const struct switch_port *port, struct frame *frame)
{
	const uint8_t *bytes = core->frame;
	uint16_t tci = (uint16_t)(bytes[14] << 8 | bytes[15]);

	if (frame->length < NET_FRAME_MIN || is_group(bytes + MAC_LENGTH))
		return false;
	frame->is_tagged = (bytes[12] << 8 | bytes[13]) == TAG_TYPE;
	if (port->vlan && frame->is_tagged)
		return false;
	if (port->vlan)
		tci = port->vlan;
	else if (!frame->is_tagged)
		tci = 0;
	frame->vlan = tci & VLAN_ID;
	frame->tag[0] = TAG_TYPE >> 8;
	frame->tag[1] = TAG_TYPE & 0xff;
	frame->tag[2] = (uint8_t)(tci >> 8);
	frame->tag[3] = (uint8_t)tci;
	return true;
}

/* False: there is none, or not yet. */
static bool port_frame(struct switch_core *core, unsigned slot)
{
	struct switch_port *port = &core->port[slot];
	uint64_t wait_ns = rate_wait(&port->rate, 1, core->now_ns);
	struct frame frame = { 0 };
	long n;

	if (wait_ns) {
		core->deadline_ns = MIN(core->deadline_ns, wait_ns);
		return false;
	}
	n = ring_get(&port->in, core->frame, sizeof(core->frame),
		     &port->is_bell);
	if (n < 0)
		port_break(core, port);
	if (n <= 0) {
		/* What comes from now on rings. */
		port->is_ready = n == 0 && !ring_sleep(&port->in);
		return false;
	}
	frame.length = (uint32_t)n;
	rate_take(&port->rate, frame.length, core->now_ns);
	if (!frame_parse(core, port, &frame)) {
		port->counters.refused++;
		return true;
	}
	port->counters.sent++;
	port->counters.sent_bytes += frame.length;
	forward(core, slot, &frame);
	return true;
}

/* Each port's turn; whether any had something. */
static bool round_run(struct switch_core *core)
{
	bool has_run = false;

	for (unsigned slot = 1; slot < SWITCH_SLOTS; slot++) {
		struct switch_port *port = &core->port[slot];
		unsigned turn = SWITCH_TURN;

		if (port->state != PORT_OPEN || !port->is_ready)
			continue;
		while (turn && port_frame(core, slot))
			turn--;
		has_run |= turn != SWITCH_TURN;
	}
	return has_run;
}

static void bells_ring(struct switch_core *core)
{
	for (unsigned slot = 1; slot < SWITCH_SLOTS; slot++) {
		struct switch_port *port = &core->port[slot];

		if (!port->is_bell)
			continue;
		port->is_bell = false;
		core->ops->doorbell(core->ctx, slot);
	}
}

void switch_ring(struct switch_core *core, unsigned slot)
{
	if (slot < SWITCH_SLOTS)
		core->port[slot].is_ready = !core->port[slot].is_mirror;
}

void switch_run(struct switch_core *core, uint64_t now_ns)
{
	unsigned rounds = 0;

	core->now_ns = now_ns;
	core->deadline_ns = UINT64_MAX;
	while (rounds < SWITCH_ROUNDS && round_run(core))
		rounds++;
	core->is_again = rounds == SWITCH_ROUNDS;
	bells_ring(core);
}

uint64_t switch_deadline(const struct switch_core *core)
{
	return core->is_again ? 0 : core->deadline_ns;
}
