/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways to peers with sockets: vsock_ways.h. */
#include "lib/user/vsock_ways.h"

#include "lib/user/gate_calls.h"

static void broken(struct vsock_way *way)
{
	if (!way->is_broken)
		gate_log(GATE_LOG_ERROR, "vsock: a peer breaks its ring");
	way->is_broken = true;
}

static void ways_attach(void *ctx, const struct vsock_device *device)
{
	struct vsock_ways *ways = ctx;

	ways->device = device ? *device : (struct vsock_device){ 0 };
}

static unsigned slot_of(const struct vsock_ways *ways, unsigned peer)
{
	return ways->slot + peer;
}

static enum vsock_sent ways_send(void *ctx, unsigned peer,
				 const struct vsock_header *header,
				 const void *payload)
{
	struct vsock_ways *ways = ctx;
	struct vsock_way *way = &ways->way[peer];
	const struct ring_part parts[] = {
		{ header, sizeof(*header) },
		{ payload, header->length },
	};
	bool bell = false;
	long n;

	if (!way->is_open || way->is_broken)
		return VSOCK_GONE;
	do {
		n = ring_put_parts(&way->sent, parts, ARRAY_SIZE(parts), &bell);
	} while (!n && !ring_sleep(&way->sent));
	if (bell)
		gate_doorbell(slot_of(ways, peer));
	if (n < 0) {
		broken(way);
		return VSOCK_GONE;
	}
	way->is_full = n == 0;
	return n ? VSOCK_SENT : VSOCK_FULL;
}

static const uint8_t *ways_receive(void *ctx, unsigned peer, uint32_t *length)
{
	struct vsock_ways *ways = ctx;
	struct vsock_way *way = &ways->way[peer];
	bool bell = false;
	long n = 0;

	while (way->is_open && !way->is_broken && !n) {
		n = ring_get(&way->received, way->record, sizeof(way->record),
			     &bell);
		if (!n && ring_sleep(&way->received))
			break;
	}
	if (bell)
		gate_doorbell(slot_of(ways, peer));
	if (n < 0)
		broken(way);
	*length = n > 0 ? (uint32_t)n : 0;
	return n > 0 ? way->record : NULL;
}

/* It is in memory of this program's own. */
static void ways_release(void *ctx, unsigned peer)
{
	(void)ctx;
	(void)peer;
}

/* What a former machine's guest was to get. */
static void skip(struct vsock_way *way)
{
	bool bell = false; /* the peer is rung anyway */

	if (ring_skip(&way->received, &bell) < 0)
		broken(way);
}

static void way_init(struct vsock_way *way, unsigned slot, unsigned end)
{
	struct vsock_channel *channel = gate_channel(slot);
	uint32_t *lives = &channel->lives[end];

	way->channel = channel;
	way->end = end;
	ring_init(&way->sent, &channel->sent[end], channel->data[end],
		  VSOCK_RING_SIZE, true, true);
	ring_init(&way->received, &channel->sent[!end], channel->data[!end],
		  VSOCK_RING_SIZE, false, true);
	skip(way);
	__atomic_store_n(lives, __atomic_load_n(lives, __ATOMIC_RELAXED) + 1,
			 __ATOMIC_SEQ_CST);
	(void)gate_doorbell(slot); /* nobody may be there yet */
}

void vsock_ways_init(struct vsock_ways *ways, unsigned slot, uint32_t cid)
{
	ways->slot = slot;
	ways->backend = (struct vsock_backend){
		.attach = ways_attach,
		.send = ways_send,
		.receive = ways_receive,
		.release = ways_release,
		.ctx = ways,
		.cid = cid,
	};
}

void vsock_ways_add(struct vsock_ways *ways, uint32_t cid, unsigned end)
{
	unsigned peer = ways->backend.peer_count;

	if (peer == VSOCK_PEERS_MAX)
		return;
	ways->backend.peer[peer] = cid;
	ways->backend.peer_count++;
	way_init(&ways->way[peer], slot_of(ways, peer), end & 1);
}

/* Whether the program that was there is not, or is another one. */
static bool look(struct vsock_way *way, unsigned slot)
{
	uint32_t life = __atomic_load_n(&way->channel->lives[!way->end],
					__ATOMIC_SEQ_CST);
	bool is_there = gate_channel_state(slot) == GATE_CHANNEL_OPEN;
	bool is_lost = way->is_open &&
		       (!is_there || life != way->life || way->is_broken);

	/* One that has died is not there again before it counts on. */
	if (is_there && life != way->life)
		way->is_open = true;
	else if (is_lost)
		way->is_open = false;
	way->life = life;
	return is_lost;
}

void vsock_ways_event(struct vsock_ways *ways, unsigned peer)
{
	const struct vsock_device *device = &ways->device;
	struct vsock_way *way = &ways->way[peer];
	bool is_lost;

	if (!device->dev)
		return;
	is_lost = look(way, slot_of(ways, peer));
	if (is_lost)
		device->lost(device->dev, peer);
	if (way->is_full) {
		way->is_full = false;
		device->writable(device->dev, peer);
	}
	device->received(device->dev);
}
