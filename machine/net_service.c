/* SPDX-License-Identifier: BSD-2-Clause */
/* A network card's cable: net_service.h. */
#include "machine/net_service.h"

#include "lib/user/gate_calls.h"

#define PARTS_MAX    4
#define LOST_AT_ONCE 256 /* bytes */
#define LOSES_MAX    4

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

	if (count > PARTS_MAX || cable->is_broken || !cable->is_up ||
	    cable->is_pulled)
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
	long n = 0;

	while (!cable->is_pulled && !n) {
		n = ring_get(&cable->received, cable->frame,
			     sizeof(cable->frame), &bell);
		if (!n && ring_sleep(&cable->received))
			break;
	}
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

/* All that is in the ring, which are whole frames, but for a switch that lies.
 * Not by way of .frame, which may be the device's. */
static bool lose_once(struct net_cable *cable, bool *bell)
{
	uint8_t bytes[LOST_AT_ONCE];
	long left = ring_space(&cable->received), n = 1;

	for (; left > 0 && n > 0; left -= n)
		n = ring_read(&cable->received, bytes,
			      (uint32_t)MIN(left, (long)sizeof(bytes)), bell);
	if (left < 0 || n < 0)
		broken(cable);
	return ring_sleep(&cable->received);
}

/* What has come while the cable was out.  A switch that goes on putting more in
 * has that wait, for the next event or until the cable is in. */
static void lose(struct net_cable *cable)
{
	bool bell = false;

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
