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

/* What is forwarded: the packet that has come, or a frame of those that it is
 * cut into. */
struct frame {
	/* All of it; or a segment's headers, and rest is its payload. */
	const uint8_t *bytes;
	const uint8_t *rest;
	uint32_t length, rest_length; /* of either, as they came */
	struct net_offload offload;
	bool is_finished; /* it was left undone, and is not any more */
	bool is_tagged;
	uint16_t vlan;		   /* in which it is forwarded */
	uint8_t tag[NET_VLAN_TAG]; /* that it has there */
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
	    message->flags & ~(uint32_t)(SWITCH_MIRROR | SWITCH_WIDE) ||
	    message->flags == (SWITCH_MIRROR | SWITCH_WIDE) ||
	    !is_text(message->network, SWITCH_NAME_SIZE) ||
	    !is_text(message->port, SWITCH_PORT_SIZE))
		return -EINVAL;
	port = &core->port[message->slot];
	if (port->state != PORT_FREE)
		return -EINVAL;
	memset(port, 0, sizeof(*port));
	port->state = PORT_OPEN;
	core->slot_end = MAX(core->slot_end, message->slot + 1);
	port->is_mirror = message->flags & SWITCH_MIRROR;
	port->is_wide = message->flags & SWITCH_WIDE;
	port->is_ready = !port->is_mirror;
	port->vlan = (uint16_t)message->vlan;
	port->channel = channel;
	memcpy(port->name, message->port, SWITCH_PORT_SIZE);
	rate_init(&port->rate, (uint64_t)message->kib_limit * KIB(1), 0);
	port->network = network_find(core, message->network);
	core->network[port->network].ports++;
	core->network[port->network].mirrors += port->is_mirror;
	switch_rings_init(channel, port->is_wide, true, &port->in, &port->out);
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
	uint32_t high;
	uint16_t low;

	__builtin_memcpy(&high, bytes, sizeof(high));
	__builtin_memcpy(&low, bytes + sizeof(high), sizeof(low));
	return (uint64_t)__builtin_bswap32(high) << 16 | __builtin_bswap16(low);
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

/* A frame that gets a tag, or loses it, may have been or become too short; who
 * reads the ring may count on its limits. */
static uint32_t pad_of(uint32_t length)
{
	return length < NET_FRAME_MIN ? NET_FRAME_MIN - length : 0;
}

/* As the port has it: with a tag or without.  One that would be too long with
 * its tag is dropped, one that would be too short without is padded. */
static __noinline long parts_put(struct switch_core *core,
				 struct switch_port *port,
				 const struct frame *frame, bool has_tag)
{
	static const uint8_t zeros[NET_FRAME_MIN];
	const struct switch_copy copy = { .time_ns = core->base_ns +
						     core->now_ns };
	uint32_t skip = MACS_LENGTH + (frame->is_tagged ? NET_VLAN_TAG : 0);
	uint32_t length = frame->length + frame->rest_length - skip +
			  MACS_LENGTH + (has_tag ? NET_VLAN_TAG : 0);
	struct net_offload offload = frame->offload;
	const struct ring_part parts[] = {
		{ &copy, port->is_mirror ? sizeof(copy) : 0 },
		{ &offload, port->is_wide ? sizeof(offload) : 0 },
		{ frame->bytes, MACS_LENGTH },
		{ frame->tag, has_tag ? NET_VLAN_TAG : 0 },
		{ frame->bytes + skip, frame->length - skip },
		{ frame->rest, frame->rest_length },
		{ zeros, pad_of(length) },
	};

	if (offload.undone)
		offload.sum_start =
			(uint16_t)(offload.sum_start + length - frame->length);
	if (!port->is_mirror && !net_offload_check(&offload, length))
		return 0;
	return ring_put_parts(&port->out, parts, ARRAY_SIZE(parts),
			      &port->is_bell);
}

static void deliver(struct switch_core *core, struct switch_port *port,
		    const struct frame *frame)
{
	bool has_tag = !port->vlan && (frame->is_tagged || frame->vlan);
	long n;

	/* Nearly all are as they came. */
	if (frame->is_tagged || has_tag || port->is_mirror ||
	    frame->bytes != core->packet.frame)
		n = parts_put(core, port, frame, has_tag);
	else if (port->is_wide)
		n = ring_put(&port->out, &core->packet,
			     sizeof(frame->offload) + frame->length,
			     &port->is_bell);
	else
		n = ring_put(&port->out, core->packet.frame, frame->length,
			     &port->is_bell);
	delivered(core, port, n);
}

/* What is left undone of what may go to the port as it is. */
static unsigned accepts(const struct switch_port *port)
{
	return port->is_wide ? __atomic_load_n(&port->channel->accepts,
					       __ATOMIC_RELAXED)
			     : 0;
}

/* A packet goes to the port at once, or is kept for when it is finished. */
static void offer(struct switch_core *core, struct switch_port *port,
		  const struct frame *frame)
{
	if (frame->offload.undone) {
		port->is_left = frame->offload.undone & ~accepts(port);
		core->has_left |= port->is_left;
		if (port->is_left)
			return;
	} else if (frame->is_finished && !port->is_left) {
		return;
	}
	deliver(core, port, frame);
}

/* To those that see all of the network's. */
static void mirror(struct switch_core *core, uint32_t network,
		   const struct frame *frame)
{
	if (!core->network[network].mirrors)
		return;
	for (unsigned slot = 1; slot < core->slot_end; slot++) {
		struct switch_port *port = &core->port[slot];

		if (port->is_mirror && port->network == network &&
		    port->state == PORT_OPEN)
			offer(core, port, frame);
	}
}

/* To the port in that slot, 0: to all but the one that it has come from. */
static void spread(struct switch_core *core, unsigned from, unsigned to,
		   const struct frame *frame)
{
	uint32_t network = core->port[from].network;
	unsigned first = to ? to : 1, end = to ? to + 1 : core->slot_end;

	mirror(core, network, frame);
	for (unsigned slot = first; slot < end; slot++)
		if (slot != from &&
		    is_member(&core->port[slot], network, frame->vlan))
			offer(core, &core->port[slot], frame);
}

/* The frames that core->segments says. */
static void cut(struct switch_core *core, unsigned from, unsigned to,
		struct frame *frame)
{
	struct net_segments *segments = &core->segments;
	uint32_t count = net_segments_count(segments), at;
	uint8_t header[NET_SEGMENTS_HEADER];

	frame->bytes = header;
	frame->length = segments->cut.header_length;
	for (uint32_t n = 0; n < count; n++) {
		frame->rest_length = net_segments_payload(segments, n, &at);
		frame->rest = core->packet.frame + at;
		net_segments_header(segments, n, frame->rest,
				    frame->rest_length, header);
		spread(core, from, to, frame);
	}
}

/* For those that do not accept it as it is. */
static void finish(struct switch_core *core, unsigned from, unsigned to,
		   struct frame *frame)
{
	const struct net_offload offload = frame->offload;

	frame->offload = core->packet.offload = (struct net_offload){ 0 };
	frame->is_finished = true;
	if (offload.undone & NET_UNDONE_CUT) {
		cut(core, from, to, frame);
		return;
	}
	net_sum_put(core->packet.frame, frame->length, offload.sum_start, 0,
		    (uint32_t)offload.sum_start + offload.sum_offset, true);
	spread(core, from, to, frame);
}

static void forward(struct switch_core *core, unsigned from,
		    struct frame *frame)
{
	const uint8_t *macs = core->packet.frame;
	uint32_t network = core->port[from].network;
	uint64_t vlan_key = (uint64_t)frame->vlan << KEY_VLAN_BIT;
	unsigned to = 0;

	learn(core, from, mac_of(macs + MAC_LENGTH) | vlan_key);
	if (!is_group(macs))
		to = lookup(core, mac_of(macs) | vlan_key, network);
	core->has_left = false;
	spread(core, from, to, frame);
	if (core->has_left)
		finish(core, from, to, frame);
}

/* ---- What comes ---------------------------------------------------------- */

/* What the port may send: false is refused. */
static bool frame_parse(const struct switch_core *core,
			const struct switch_port *port, struct frame *frame)
{
	const uint8_t *bytes = core->packet.frame;
	uint16_t tci = (uint16_t)(bytes[14] << 8 | bytes[15]);

	if (frame->length < NET_FRAME_MIN || is_group(bytes + MAC_LENGTH))
		return false;
	frame->bytes = bytes;
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

/* Whether what is said of a packet is so: *count is how many frames it is. */
static bool offload_parse(struct switch_core *core, struct frame *frame,
			  uint32_t *count)
{
	struct net_segments *segments = &core->segments;

	*count = 1;
	if (!net_offload_check(&frame->offload, frame->length))
		return false;
	if (!(frame->offload.undone & NET_UNDONE_CUT))
		return true;
	memcpy(segments->header, core->packet.frame,
	       MIN(frame->length, NET_SEGMENTS_HEADER));
	if (!net_segments_begin(segments, &frame->offload, frame->length))
		return false;
	*count = net_segments_count(segments);
	return *count <= NET_SEGMENTS_MAX;
}

/* As ring_get(), and what is next of the port is in core->packet. */
static long packet_get(struct switch_core *core, struct switch_port *port)
{
	const long head = sizeof(core->packet.offload);
	long n;

	if (port->is_wide) {
		n = ring_get(&port->in, &core->packet, sizeof(core->packet),
			     &port->is_bell);
		return n > 0 && n <= head ? -EPROTO : n - (n > 0 ? head : 0);
	}
	core->packet.offload = (struct net_offload){ 0 };
	return ring_get(&port->in, core->packet.frame, NET_FRAME_MAX,
			&port->is_bell);
}

/* How many frames the port has had forwarded; 0: there is none, or not yet. */
static uint32_t port_frame(struct switch_core *core, unsigned slot)
{
	struct switch_port *port = &core->port[slot];
	uint64_t wait_ns = rate_wait(&port->rate, 1, core->now_ns);
	struct frame frame;
	uint32_t count = 1;
	long n;

	if (wait_ns) {
		core->deadline_ns = MIN(core->deadline_ns, wait_ns);
		return 0;
	}
	n = packet_get(core, port);
	if (n < 0)
		port_break(core, port);
	if (n <= 0) {
		/* What comes from now on rings. */
		port->is_ready = n == 0 && !ring_sleep(&port->in);
		return 0;
	}
	frame.length = (uint32_t)n;
	frame.rest = NULL;
	frame.rest_length = 0;
	frame.is_finished = false;
	frame.offload = core->packet.offload;
	rate_take(&port->rate, frame.length, core->now_ns);
	if (!frame_parse(core, port, &frame) ||
	    !offload_parse(core, &frame, &count)) {
		port->counters.refused++;
		return 1;
	}
	port->counters.sent++;
	port->counters.sent_bytes += frame.length;
	forward(core, slot, &frame);
	return count;
}

/* Each port's turn; whether any had something. */
static bool round_run(struct switch_core *core)
{
	bool has_run = false;

	for (unsigned slot = 1; slot < core->slot_end; slot++) {
		struct switch_port *port = &core->port[slot];
		uint32_t turn = 0, n = 1;

		if (port->state != PORT_OPEN || !port->is_ready)
			continue;
		for (; turn < SWITCH_TURN && n; turn += n)
			n = port_frame(core, slot);
		has_run |= turn;
	}
	return has_run;
}

static void bells_ring(struct switch_core *core)
{
	for (unsigned slot = 1; slot < core->slot_end; slot++) {
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

void switch_events(struct switch_core *core, uint64_t events)
{
	for (; events; events &= events - 1)
		for (unsigned slot = (unsigned)__builtin_ctzll(events);
		     slot < core->slot_end; slot += GATE_CHANNEL_EVENTS)
			switch_ring(core, slot);
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
