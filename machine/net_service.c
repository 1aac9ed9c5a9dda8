/* SPDX-License-Identifier: BSD-2-Clause */
/* A network card's cable: net_service.h. */
#include "machine/net_service.h"

#include "lib/user/gate_calls.h"

#define PARTS_MAX 4

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

/* A frame, or 0: there is no room. */
static long put(struct net_cable *cable, const struct net_segment *segment,
		unsigned count)
{
	struct ring_part parts[PARTS_MAX];
	bool bell = false;
	long n;

	for (unsigned i = 0; i < count; i++)
		parts[i] = (struct ring_part){ segment[i].host,
					       segment[i].length };
	do {
		n = ring_put_parts(&cable->sent, parts, count, &bell);
	} while (!n && !ring_sleep(&cable->sent));
	if (bell)
		gate_doorbell(cable->slot);
	return n;
}

static bool cable_send(void *ctx, const struct net_segment *segment,
		       unsigned count)
{
	struct net_cable *cable = ctx;
	long n;

	if (count > PARTS_MAX || cable->is_broken || !cable->is_up)
		return true;
	n = put(cable, segment, count);
	if (n < 0)
		broken(cable);
	cable->is_full = n == 0 && is_connected(cable);
	return !cable->is_full;
}

static const void *cable_receive(void *ctx, uint32_t *length)
{
	struct net_cable *cable = ctx;
	bool bell = false;
	long n;

	do {
		n = ring_get(&cable->received, cable->frame,
			     sizeof(cable->frame), &bell);
	} while (!n && !ring_sleep(&cable->received));
	if (bell)
		gate_doorbell(cable->slot);
	if (n < 0)
		broken(cable);
	*length = n > 0 ? (uint32_t)n : 0;
	return n > 0 ? cable->frame : NULL;
}

/* It is in memory of this program's own. */
static void cable_release(void *ctx)
{
	(void)ctx;
}

void net_cable_init(struct net_cable *cable, unsigned slot,
		    const struct machine_nic_config *config)
{
	struct switch_channel *channel = gate_channel(slot);

	cable->slot = slot;
	cable->backend = (struct net_backend){
		.attach = cable_attach,
		.send = cable_send,
		.receive = cable_receive,
		.release = cable_release,
		.ctx = cable,
	};
	__builtin_memcpy(cable->backend.mac, config->mac, NET_MAC_LENGTH);
	ring_init(&cable->sent, &channel->sent, channel->sent_data,
		  SWITCH_SENT_SIZE, true, false);
	ring_init(&cable->received, &channel->received, channel->received_data,
		  SWITCH_RECEIVED_SIZE, false, false);
	cable->is_up = is_connected(cable);
	cable->backend.is_link_up = cable->is_up;
}

void net_cable_event(struct net_cable *cable)
{
	const struct net_device *device = &cable->device;

	if (!device->dev)
		return;
	if (!cable->is_up && is_connected(cable)) {
		cable->is_up = true;
		device->link_changed(device->dev, true);
	}
	if (cable->is_full) {
		cable->is_full = false;
		device->writable(device->dev);
	}
	device->received(device->dev);
}
