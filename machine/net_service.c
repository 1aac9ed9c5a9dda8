/* SPDX-License-Identifier: BSD-2-Clause */
/* A network card's cable: net_service.h. */
#include "machine/net_service.h"

#include "include/errno.h"
#include "lib/user/gate_calls.h"
#include "lib/user/shared.h"

#define LOSES_MAX 4

static void broken(struct net_cable *cable)
{
	if (cable->is_broken)
		return;
	cable->is_broken = true;
	gate_log(GATE_LOG_ERROR, "network: the switch breaks its ring");
}

static void cable_attach(void *ctx, const struct net_device *device)
{
	struct net_cable *cable = ctx;

	cable->device = device ? *device : (struct net_device){ 0 };
}

static bool is_connected(const struct net_cable *cable)
{
	return gate_channel_state(cable->slot) == GATE_CHANNEL_OPEN;
}

/* A record, or 0: there is no room. */
static long put(struct net_cable *cable, const struct ring_part *part,
		unsigned count)
{
	bool bell = false;
	long n;

	do {
		n = ring_put_parts(&cable->sent, part, count, &bell);
	} while (!n && !ring_sleep(&cable->sent));
	if (bell)
		gate_doorbell(cable->slot);
	return n;
}

static bool cable_send_packet(void *ctx, const struct net_offload *offload,
			      const struct net_segment *segment, unsigned count)
{
	struct net_cable *cable = ctx;
	struct ring_part part[1 + NET_PIECES_MAX];
	unsigned first = 1 - cable->is_wide;
	long n;

	if (count > NET_PIECES_MAX || cable->is_broken || !cable->is_up ||
	    cable->is_pulled)
		return true;
	part[0] = (struct ring_part){ offload, sizeof(*offload) };
	for (unsigned i = 0; i < count; i++)
		part[1 + i] = (struct ring_part){ segment[i].host,
						  segment[i].length };
	n = put(cable, part + first, 1 + count - first);
	if (n < 0)
		broken(cable);
	cable->is_full = n == 0 && is_connected(cable);
	return !cable->is_full;
}
_Static_assert(1 + NET_PIECES_MAX <= RING_PARTS_MAX, "a ring takes them");

static bool cable_send(void *ctx, const struct net_segment *segment,
		       unsigned count)
{
	static const struct net_offload none;

	return cable_send_packet(ctx, &none, segment, count);
}

static void cable_accept(void *ctx, unsigned undone)
{
	struct net_cable *cable = ctx;

	__atomic_store_n(&cable->channel->accepts, undone, __ATOMIC_RELAXED);
}

/* A packet where it lies, with what is said of it copied; -EPROTO. */
static long packet_look(struct net_cable *cable, const uint8_t **frame,
			bool *bell)
{
	const uint32_t head = sizeof(cable->offload);
	const void *record;
	long n = ring_look(&cable->received, sizeof(cable->copy), &record);

	if (n <= 0)
		return n;
	if (n <= (long)head)
		return -EPROTO;
	if (record) {
		shared_copy_in(&cable->offload, record, head);
		cable->held = (uint32_t)n;
		*frame = (const uint8_t *)record + head;
		return n - head;
	}
	n = ring_get(&cable->received, &cable->copy, sizeof(cable->copy), bell);
	cable->offload = cable->copy.offload;
	*frame = cable->copy.frame;
	return n > 0 ? n - (long)head : n;
}

static long frame_get(struct net_cable *cable, const uint8_t **frame,
		      bool *bell)
{
	*frame = cable->copy.frame;
	return cable->is_wide ? packet_look(cable, frame, bell)
			      : ring_get(&cable->received, cable->copy.frame,
					 NET_FRAME_MAX, bell);
}

static const void *cable_receive(void *ctx, uint32_t *length)
{
	struct net_cable *cable = ctx;
	const uint8_t *frame = NULL;
	bool bell = false;
	long n = 0;

	while (!cable->is_pulled && !n) {
		n = frame_get(cable, &frame, &bell);
		if (!n && ring_sleep(&cable->received))
			break;
	}
	if (bell)
		gate_doorbell(cable->slot);
	if (n < 0)
		broken(cable);
	*length = n > 0 ? (uint32_t)n : 0;
	return n > 0 ? frame : NULL;
}

static void lose(struct net_cable *cable);

static void cable_release(void *ctx)
{
	struct net_cable *cable = ctx;
	uint32_t held = cable->held;
	bool bell = false;

	if (!held)
		return;
	cable->held = 0;
	ring_done(&cable->received, held, &bell);
	if (bell)
		gate_doorbell(cable->slot);
	if (cable->is_losing)
		lose(cable);
}

void net_cable_init(struct net_cable *cable, unsigned slot,
		    const struct machine_nic_config *config)
{
	cable->channel = gate_channel(slot);
	cable->slot = slot;
	cable->is_wide = config->model == MACHINE_NIC_VIRTIO;
	cable->backend = (struct net_backend){
		.attach = cable_attach,
		.send = cable_send,
		.receive = cable_receive,
		.release = cable_release,
		.ctx = cable,
	};
	__builtin_memcpy(cable->backend.mac, config->mac, NET_MAC_LENGTH);
	if (cable->is_wide) {
		cable->backend.send_packet = cable_send_packet;
		cable->backend.accept = cable_accept;
		cable->backend.offload = &cable->offload;
	}
	switch_rings_init(cable->channel, cable->is_wide, false,
			  &cable->received, &cable->sent);
	cable->is_up = is_connected(cable);
	cable->backend.is_link_up = cable->is_up;
}

/* All that is in the ring: whole frames, but for a switch that lies. */
static bool lose_once(struct net_cable *cable, bool *bell)
{
	if (ring_skip(&cable->received, bell) < 0)
		broken(cable);
	return ring_sleep(&cable->received);
}

/*
 * What has come while the cable was out.  A switch that goes on putting more in
 * has that wait, for the next event or until the cable is in.  What the device
 * holds in the ring has come before, and goes first.
 */
static void lose(struct net_cable *cable)
{
	bool bell = false;

	cable->is_losing = cable->held;
	if (cable->held)
		return;
	for (unsigned i = 0; i < LOSES_MAX; i++)
		if (lose_once(cable, &bell))
			break;
	if (bell)
		gate_doorbell(cable->slot);
}

void net_cable_event(struct net_cable *cable)
{
	const struct net_device *device = &cable->device;
	bool was_up = cable->is_up;

	if (!device->dev)
		return;
	cable->is_up = was_up || is_connected(cable);
	if (!was_up && cable->is_up && !cable->is_pulled)
		device->link_changed(device->dev, true);
	if (cable->is_full) {
		cable->is_full = false;
		device->writable(device->dev);
	}
	if (cable->is_pulled)
		lose(cable);
	else
		device->received(device->dev);
}

void net_cable_plug(struct net_cable *cable, bool is_in)
{
	const struct net_device *device = &cable->device;

	if (cable->is_pulled != is_in)
		return;
	lose(cable); /* at either end of the time: nothing of it arrives */
	cable->is_pulled = !is_in;
	if (!device->dev)
		return;
	if (cable->is_up)
		device->link_changed(device->dev, is_in);
	net_cable_event(cable);
}
