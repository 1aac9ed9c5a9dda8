/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues of a virtio device: chains, and split rings.  See virtio.h.
 *
 * Order of accesses, as a driver on another processor must see them: an
 * element of the used ring, then its index; the index, a fence, then what the
 * driver says of interrupts.  The wish to be kicked, a fence, the available
 * index.  That index, then the ring's element and what it leads to.
 *
 * References: VIRTIO 1.2, 2.7.
 */
#include "devices/virtio_internal.h"

#include "lib/user/shared.h"

/* ---- Chains ------------------------------------------------------------- */

static struct virtq_desc desc_read(const struct virtq_desc *table,
				   unsigned index)
{
	struct virtq_desc desc;

	shared_copy_in(&desc, (const uint8_t *)&table[index], sizeof(desc));
	return desc;
}

/* From head to the end, in a table of count; no more than max descriptors. */
static bool walk_linked(struct virtio_walk *walk,
			const struct virtq_desc *table, unsigned count,
			unsigned at, bool is_indirect)
{
	for (unsigned n = 0; n < count; n++) {
		struct virtq_desc desc;

		if (at >= count) {
			walk->why = "a descriptor beyond the table's end";
			return false;
		}
		desc = desc_read(table, (unsigned)index_nospec(at, count));
		if (desc.flags & VIRTQ_INDIRECT) {
			if (!is_indirect && !(desc.flags & VIRTQ_NEXT))
				return virtio_walk_table(walk, desc.address,
							 desc.length);
			walk->why = "a table that is not a chain's end";
			return false;
		}
		if (!virtio_walk_add(walk, desc.address, desc.length,
				     desc.flags))
			return false;
		if (!(desc.flags & VIRTQ_NEXT))
			return true;
		at = desc.next;
	}
	walk->why = "a chain without an end";
	return false;
}

/* One after the other, all of them. */
static bool walk_packed(struct virtio_walk *walk,
			const struct virtq_desc *table, unsigned count)
{
	for (unsigned n = 0; n < count; n++) {
		struct virtq_desc desc = desc_read(table, n);
		struct virtq_packed_desc packed;

		_Static_assert(sizeof(desc) == sizeof(packed), "descriptors");
		memcpy(&packed, &desc, sizeof(packed));
		if (!virtio_walk_add(walk, packed.address, packed.length,
				     packed.flags))
			return false;
	}
	return true;
}

bool virtio_walk_table(struct virtio_walk *walk, uint64_t address,
		       uint32_t length)
{
	const struct guest_ram *ram = walk->virtio->config.ram;
	uint32_t count = length / (uint32_t)sizeof(struct virtq_desc);
	const struct virtq_desc *table = NULL;

	if (walk->queue->has_indirect && IS_ALIGNED(address, 8) && length &&
	    !(length % sizeof(*table)))
		table = guest_ram_at(ram, address, length);
	if (unlikely(!table)) {
		walk->why = "a table that makes no sense";
		return false;
	}
	return walk->queue->is_packed
		       ? walk_packed(walk, table, count)
		       : walk_linked(walk, table, count, 0, true);
}

/* In segments [first, end) of the chain; how many bytes there were. */
static uint32_t chain_move(const struct virtio_chain *chain, unsigned first,
			   unsigned end, uint32_t offset, uint8_t *bytes,
			   uint32_t length, bool to_chain)
{
	uint32_t moved = 0;

	for (unsigned i = first; i < end && moved < length; i++) {
		const struct virtio_segment *segment = &chain->segment[i];
		uint32_t n;

		if (offset >= segment->length) {
			offset -= segment->length;
			continue;
		}
		n = MIN(segment->length - offset, length - moved);
		if (to_chain)
			shared_copy_out(segment->host + offset, bytes + moved,
					n);
		else
			shared_copy_in(bytes + moved, segment->host + offset,
				       n);
		moved += n;
		offset = 0;
	}
	return moved;
}

/* Where so many bytes of the segment are; NULL: there are not so many. */
static uint8_t *in_segment(const struct virtio_segment *segment,
			   uint32_t offset, uint32_t length)
{
	return offset <= segment->length && length <= segment->length - offset
		       ? segment->host + offset
		       : NULL;
}

/* Headers, and most of what follows them, lie in the first segment. */
uint32_t virtio_chain_read(const struct virtio_chain *chain, uint32_t offset,
			   void *to, uint32_t length)
{
	const uint8_t *from = chain->out_count ? in_segment(&chain->segment[0],
							    offset, length)
					       : NULL;

	if (likely(from)) {
		shared_copy_in(to, from, length);
		return length;
	}
	return chain_move(chain, 0, chain->out_count, offset, to, length,
			  false);
}

uint32_t virtio_chain_write(const struct virtio_chain *chain, uint32_t offset,
			    const void *from, uint32_t length)
{
	uint8_t *to = chain->in_count
			      ? in_segment(&chain->segment[chain->out_count],
					   offset, length)
			      : NULL;

	/* What has no bytes may have no address. */
	if (likely(to && length)) {
		shared_copy_out(to, from, length);
		return length;
	}
	return chain_move(chain, chain->out_count,
			  chain->out_count + (unsigned)chain->in_count, offset,
			  (uint8_t *)(uintptr_t)from, length, true);
}

/* ---- Split rings -------------------------------------------------------- */

static uint16_t slot(const struct virtio_queue *queue, uint16_t position)
{
	return position & (uint16_t)(queue->size - 1);
}

static int split_take(struct virtio_walk *walk)
{
	const struct virtio_queue *queue = walk->queue;
	const struct virtq_available *available = queue->driver;
	struct virtio_queue_state *state = queue->state;
	uint16_t waiting =
		(uint16_t)(dma_load16(&available->index) - state->taken);
	uint16_t head;

	if (!waiting)
		return 0;
	if (waiting > queue->size) {
		walk->why = "more is available than the queue has";
		return -EPROTO;
	}
	head = dma_load16(&available->ring[slot(queue, state->taken)]);
	walk->chain->id = head;
	walk->chain->descriptors = 1;
	if (!walk_linked(walk, queue->descriptors, queue->size, head, false))
		return -EPROTO;
	state->taken++;
	return 1;
}

static void split_return(struct virtio_queue *queue,
			 const struct virtio_chain *chain, uint32_t written)
{
	struct virtq_used *used = queue->device;
	struct virtq_used_element *element =
		&used->ring[slot(queue, queue->state->used)];

	dma_store32(&element->id, chain->id);
	dma_store32(&element->length, written);
	queue->state->used++;
	queue->unseen++;
}

static bool split_flush(struct virtio_queue *queue)
{
	const struct virtq_available *available = queue->driver;
	struct virtq_used *used = queue->device;
	uint16_t now = queue->state->used;
	uint16_t old = (uint16_t)(now - queue->unseen);

	dma_store16(&used->index, now);
	dma_fence();
	if (queue->has_event_index)
		return virtq_has_passed(
			dma_load16(&available->ring[queue->size]), old, now);
	return !(dma_load16(&available->flags) & VIRTQ_NO_INTERRUPT);
}

static bool split_watch(struct virtio_queue *queue, bool on)
{
	const struct virtq_available *available = queue->driver;
	struct virtq_used *used = queue->device;
	uint16_t *event = (uint16_t *)&used->ring[queue->size];

	/* With event indices the one that was asked for has passed. */
	if (!queue->has_event_index)
		dma_store16(&used->flags, on ? 0 : (uint16_t)VIRTQ_NO_NOTIFY);
	else if (on)
		dma_store16(event, queue->state->taken);
	if (!on)
		return false;
	dma_fence();
	return dma_load16(&available->index) != queue->state->taken;
}

/* ---- Both --------------------------------------------------------------- */

int virtio_queue_take(struct virtio *virtio, unsigned queue,
		      struct virtio_chain *chain)
{
	struct virtio_walk walk = {
		.virtio = virtio,
		.queue = &virtio->queue[queue],
		.chain = chain,
	};
	int found;

	if (unlikely(!walk.queue->descriptors))
		return 0;
	chain->queue = (uint16_t)queue;
	chain->era = walk.queue->era;
	chain->out_count = chain->in_count = 0;
	chain->out_length = chain->in_length = 0;
	found = walk.queue->is_packed ? virtio_packed_take(&walk)
				      : split_take(&walk);
	if (unlikely(found < 0))
		virtio_break(virtio, walk.why);
	return found;
}

void virtio_queue_untake(struct virtio *virtio, unsigned queue,
			 const struct virtio_chain *chain)
{
	struct virtio_queue *from = &virtio->queue[queue];

	if (virtio_chain_is_void(virtio, chain))
		return;
	if (from->is_packed)
		virtio_packed_untake(from, chain);
	else
		from->state->taken--;
}

void virtio_queue_return(struct virtio *virtio,
			 const struct virtio_chain *chain, uint32_t written)
{
	struct virtio_queue *queue = &virtio->queue[chain->queue];

	if (unlikely(virtio_chain_is_void(virtio, chain)))
		return;
	written = MIN(written, chain->in_length);
	if (queue->is_packed)
		virtio_packed_return(queue, chain, written);
	else
		split_return(queue, chain, written);
}

void virtio_queue_flush(struct virtio *virtio, unsigned queue)
{
	struct virtio_queue *shown = &virtio->queue[queue];
	bool is_wanted;

	if (!shown->unseen)
		return;
	is_wanted = shown->is_packed ? virtio_packed_flush(shown)
				     : split_flush(shown);
	shown->unseen = 0;
	if (is_wanted)
		virtio_interrupt(virtio, VIRTIO_EVENT_QUEUE,
				 shown->state->vector);
}

bool virtio_queue_watch(struct virtio *virtio, unsigned queue, bool on)
{
	struct virtio_queue *watched = &virtio->queue[queue];

	if (!watched->descriptors)
		return false;
	return watched->is_packed ? virtio_packed_watch(watched, on)
				  : split_watch(watched, on);
}

int virtio_queue_take_or_watch(struct virtio *virtio, unsigned queue,
			       struct virtio_chain *chain)
{
	int taken;

	do {
		taken = virtio_queue_take(virtio, queue, chain);
	} while (!taken && virtio_queue_watch(virtio, queue, true));
	return taken;
}
