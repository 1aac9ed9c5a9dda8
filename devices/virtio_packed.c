/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packed rings.  See virtio.h.
 *
 * A descriptor is the device's when its bits VIRTQ_PACKED_AVAILABLE and _USED
 * are 1 and 0 on the ring's first time around, 0 and 1 on its second, and so
 * on; it is the driver's again when they are alike.  What is read of one comes
 * after its flags, and what is written of it before them: of a batch the first
 * flags are written last, so that the driver sees all of it or nothing.
 *
 * References: VIRTIO 1.2, 2.8.
 */
#include "devices/virtio_internal.h"

#define WRAP  VIRTQ_PLACE_WRAP
#define INDEX (VIRTQ_PLACE_WRAP - 1)

/* count places on, or back, in a ring of that size. */
static uint16_t place_add(uint16_t place, unsigned count, unsigned size)
{
	unsigned index = (place & INDEX) + count;
	uint16_t wrap = place & (uint16_t)WRAP;

	if (index >= size) {
		index -= size;
		wrap ^= (uint16_t)WRAP;
	}
	return (uint16_t)(index | wrap);
}

static uint16_t place_sub(uint16_t place, unsigned count, unsigned size)
{
	unsigned index = place & INDEX;
	uint16_t wrap = place & (uint16_t)WRAP;

	if (index < count) {
		index += size;
		wrap ^= (uint16_t)WRAP;
	}
	return (uint16_t)((index - count) | wrap);
}

/* Has the driver made it available on this round? */
static bool is_available(uint16_t flags, uint16_t place)
{
	bool available = flags & VIRTQ_PACKED_AVAILABLE;
	bool used = flags & VIRTQ_PACKED_USED;

	return available != used && available == !!(place & WRAP);
}

/* ---- From the driver ---------------------------------------------------- */

static bool walk_ring(struct virtio_walk *walk, uint16_t place)
{
	const struct virtio_queue *queue = walk->queue;
	const struct virtq_packed_desc *ring = queue->descriptors;
	struct virtio_chain *chain = walk->chain;

	for (unsigned n = 1; n <= queue->size; n++) {
		const struct virtq_packed_desc *desc = &ring[place & INDEX];
		uint16_t flags = dma_load16(&desc->flags);
		uint64_t address = dma_load64(&desc->address);
		uint32_t length = dma_load32(&desc->length);

		chain->descriptors = (uint16_t)n;
		chain->id = dma_load16(&desc->id);
		if (likely(n == 1 && !(flags & (VIRTQ_INDIRECT | VIRTQ_NEXT))))
			return virtio_walk_only(walk, address, length, flags);
		if (flags & VIRTQ_INDIRECT) {
			if (!(flags & VIRTQ_NEXT))
				return virtio_walk_table(walk, address, length);
			walk->why = "a table that is not a chain's end";
			return false;
		}
		if (!virtio_walk_add(walk, address, length, flags))
			return false;
		if (!(flags & VIRTQ_NEXT))
			return true;
		place = place_add(place, 1, queue->size);
	}
	walk->why = "a chain longer than the ring";
	return false;
}

static bool has_more(const struct virtio_queue *queue)
{
	const struct virtq_packed_desc *ring = queue->descriptors;
	uint16_t place = queue->state->taken;

	return is_available(dma_load16(&ring[place & INDEX].flags), place);
}

int virtio_packed_take(struct virtio_walk *walk)
{
	struct virtio_queue_state *state = walk->queue->state;

	if (!has_more(walk->queue))
		return 0;
	if (!walk_ring(walk, state->taken))
		return -EPROTO;
	state->taken = place_add(state->taken, walk->chain->descriptors,
				 walk->queue->size);
	return 1;
}

void virtio_packed_untake(struct virtio_queue *queue,
			  const struct virtio_chain *chain)
{
	queue->state->taken =
		place_sub(queue->state->taken, chain->descriptors, queue->size);
}

/* ---- To the driver ------------------------------------------------------ */

void virtio_packed_return(struct virtio_queue *queue,
			  const struct virtio_chain *chain, uint32_t written)
{
	struct virtq_packed_desc *ring = queue->descriptors;
	uint16_t place = queue->state->used;
	struct virtq_packed_desc *desc = &ring[place & INDEX];
	uint64_t flags = written ? VIRTQ_WRITE : 0;

	if (place & WRAP)
		flags |= VIRTQ_PACKED_AVAILABLE | VIRTQ_PACKED_USED;
	dma_store16(&desc->id, chain->id);
	dma_store32(&desc->length, written);
	if (queue->unseen) {
		dma_store16(&desc->flags, (uint16_t)flags);
	} else {
		queue->first_index = place & INDEX;
		queue->first_flags = (uint16_t)flags;
	}
	queue->state->used = place_add(place, chain->descriptors, queue->size);
	queue->unseen = (uint16_t)(queue->unseen + chain->descriptors);
}

/* Has the place that the driver wants to hear of been passed just now? */
static bool event_passed(const struct virtio_queue *queue, uint16_t wanted)
{
	uint16_t place = queue->state->used;
	uint16_t now = place & INDEX, event = wanted & INDEX;

	/* Of the round before. */
	if ((place ^ wanted) & WRAP)
		event = (uint16_t)(event - queue->size);
	return virtq_has_passed(event, (uint16_t)(now - queue->unseen), now);
}

bool virtio_packed_flush(struct virtio_queue *queue)
{
	const struct virtq_packed_event *driver = queue->driver;
	struct virtq_packed_desc *ring = queue->descriptors;
	uint16_t flags, wanted;

	dma_store16(&ring[queue->first_index].flags, queue->first_flags);
	dma_fence();
	flags = dma_load16(&driver->flags);
	wanted = dma_load16(&driver->place);
	if (flags == VIRTQ_EVENT_AT && queue->has_event_index)
		return event_passed(queue, wanted);
	return flags != VIRTQ_EVENT_NEVER;
}

bool virtio_packed_watch(struct virtio_queue *queue, bool on)
{
	struct virtq_packed_event *device = queue->device;

	if (!on) {
		dma_store16(&device->flags, VIRTQ_EVENT_NEVER);
		return false;
	}
	if (queue->has_event_index) {
		dma_store16(&device->place, queue->state->taken);
		dma_store16(&device->flags, VIRTQ_EVENT_AT);
	} else {
		dma_store16(&device->flags, VIRTQ_EVENT_ALWAYS);
	}
	dma_fence();
	return has_more(queue);
}
