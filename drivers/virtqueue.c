/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Not there: packed rings, in-order use, chains of which only a part is in a
 * table of its own.
 *
 * Order of accesses, as the device must see them: a chain's descriptors and
 * table, its number in the available ring, then the ring's index
 * (virtqueue_publish(): stores, in program order); the index, then a load of
 * what the device says of notifications (a fence: a load may overtake a store).
 * Likewise the wish for an interrupt, a fence, the used index
 * (virtqueue_sleep()).  The used index, then its elements, then what the device
 * wrote before (virtqueue_take(): loads).
 *
 * References: VIRTIO 1.2, Split Virtqueues.
 */
#include "drivers/virtqueue.h"

#include "include/dma_access.h"
#include "include/errno.h"
#include "include/virtio.h"
#include "lib/string.h"

static struct virtq_available *available_of(const struct virtqueue *queue)
{
	return queue->available.va;
}

static const struct virtq_used *used_of(const struct virtqueue *queue)
{
	return queue->used.va;
}

static int break_queue(struct virtqueue *queue, const char *why)
{
	queue->broken = why;
	return -EPROTO;
}

uint64_t virtqueue_dma_size(uint16_t size)
{
	return VIRTQ_DESCRIPTORS_SIZE(size) +
	       ALIGN_UP(VIRTQ_AVAILABLE_SIZE(size), 16) +
	       ALIGN_UP(VIRTQ_USED_SIZE(size), 16);
}

int virtqueue_init(struct virtqueue *queue, uint16_t size, bool has_event_index,
		   struct dma_region *memory)
{
	struct dma_region all;
	int error;

	if (size < 2 || size > VIRTQUEUE_SIZE_MAX || size & (size - 1))
		return -EINVAL;
	error = dma_cut(memory, virtqueue_dma_size(size), 16, &all);
	if (error)
		return error;
	*queue = (struct virtqueue){
		.size = size,
		.free_count = size,
		.has_event_index = has_event_index,
	};
	for (uint16_t i = 0; i < size; i++)
		queue->slot[i].next = (uint16_t)(i + 1);
	/* No device has it yet. */
	memset(all.va, 0, all.size);
	error = dma_cut(&all, VIRTQ_DESCRIPTORS_SIZE(size), 16,
			&queue->descriptors);
	if (!error)
		error = dma_cut(&all, VIRTQ_AVAILABLE_SIZE(size), 2,
				&queue->available);
	if (!error)
		error = dma_cut(&all, VIRTQ_USED_SIZE(size), 16, &queue->used);
	return error;
}

/* ---- To the device ------------------------------------------------------- */

static void put_desc(struct virtq_desc *desc, const struct virtqueue_part *part,
		     uint64_t flags, uint16_t next)
{
	dma_store64(&desc->address, part->address);
	dma_store32(&desc->length, part->length);
	dma_store16(&desc->flags, (uint16_t)flags);
	dma_store16(&desc->next, next);
}

static uint64_t part_flags(const struct virtqueue_chain *chain, unsigned i)
{
	bool is_last = i + 1 == chain->readable + chain->writable;

	return (i >= chain->readable ? VIRTQ_WRITE : 0) |
	       (is_last ? 0 : VIRTQ_NEXT);
}

static void fill_table(const struct virtqueue_chain *chain)
{
	struct virtq_desc *table = chain->table->va;
	unsigned count = chain->readable + chain->writable;

	for (unsigned i = 0; i < count; i++)
		put_desc(&table[i], &chain->part[i], part_flags(chain, i),
			 (uint16_t)(i + 1 == count ? 0 : i + 1));
}

/* In the order of the list of free ones. */
static void fill_own(struct virtqueue *queue,
		     const struct virtqueue_chain *chain)
{
	struct virtq_desc *desc = queue->descriptors.va;
	unsigned count = chain->readable + chain->writable;
	uint16_t at = queue->free_first;

	for (unsigned i = 0; i < count; i++) {
		uint16_t next = queue->slot[at].next;

		put_desc(&desc[at], &chain->part[i], part_flags(chain, i),
			 i + 1 == count ? 0 : next);
		at = next;
	}
}

static void take_free(struct virtqueue *queue, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		queue->free_first = queue->slot[queue->free_first].next;
	queue->free_count = (uint16_t)(queue->free_count - count);
}

/* Bytes that the device may write, or -EINVAL. */
static int chain_check(const struct virtqueue *queue,
		       const struct virtqueue_chain *chain, uint32_t *writable)
{
	unsigned count = chain->readable + chain->writable;
	uint64_t all = 0, written = 0;

	if (!count || count > MIN(VIRTQUEUE_PARTS, queue->size) ||
	    !chain->cookie)
		return -EINVAL;
	if (chain->table && chain->table->size < count * VIRTQUEUE_DESC)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++) {
		if (!chain->part[i].length)
			return -EINVAL;
		all += chain->part[i].length;
		if (i >= chain->readable)
			written += chain->part[i].length;
	}
	*writable = (uint32_t)written;
	return all > UINT32_MAX ? -EINVAL : 0;
}

int virtqueue_add(struct virtqueue *queue, const struct virtqueue_chain *chain)
{
	unsigned count = chain->readable + chain->writable;
	unsigned parts = chain->table ? 1 : count;
	struct virtqueue_slot *slot;
	uint32_t writable;
	uint16_t head;

	if (queue->broken)
		return -EPROTO;
	if (chain_check(queue, chain, &writable))
		return -EINVAL;
	if (parts > queue->free_count)
		return -EAGAIN;
	head = queue->free_first;
	if (chain->table) {
		struct virtq_desc *desc = queue->descriptors.va;
		const struct virtqueue_part table = {
			.address = chain->table->address,
			.length = count * VIRTQUEUE_DESC,
		};

		fill_table(chain);
		put_desc(&desc[head], &table, VIRTQ_INDIRECT, 0);
	} else {
		fill_own(queue, chain);
	}
	take_free(queue, parts);
	slot = &queue->slot[head];
	slot->cookie = chain->cookie;
	slot->writable = writable;
	slot->parts = (uint16_t)parts;
	slot->is_published = false;
	queue->ring[queue->added % queue->size] = head;
	queue->added++;
	return 0;
}

static bool wants_notification(const struct virtqueue *queue, uint16_t old)
{
	const struct virtq_used *used = used_of(queue);
	const uint16_t *avail_event;

	if (!queue->has_event_index)
		return !(dma_load16(&used->flags) & VIRTQ_NO_NOTIFY);
	avail_event = (const uint16_t *)&used->ring[queue->size];
	return virtq_has_passed(dma_load16(avail_event), old, queue->published);
}

bool virtqueue_publish(struct virtqueue *queue)
{
	struct virtq_available *available = available_of(queue);
	uint16_t old = queue->published;

	if (queue->broken || old == queue->added)
		return false;
	while (queue->published != queue->added) {
		unsigned at = queue->published++ % queue->size;
		uint16_t head = queue->ring[at];

		dma_store16(&available->ring[at], head);
		queue->slot[head].is_published = true;
	}
	dma_store16(&available->index, queue->published);
	dma_fence();
	return wants_notification(queue, old);
}

/* ---- From the device ----------------------------------------------------- */

unsigned virtqueue_outstanding(const struct virtqueue *queue)
{
	return (uint16_t)(queue->added - queue->taken);
}

static void give_back(struct virtqueue *queue, uint16_t head)
{
	struct virtqueue_slot *slot = &queue->slot[head];
	uint16_t last = head;

	for (unsigned i = 1; i < slot->parts; i++)
		last = queue->slot[last].next;
	queue->slot[last].next = queue->free_first;
	queue->free_first = head;
	queue->free_count = (uint16_t)(queue->free_count + slot->parts);
	slot->cookie = NULL;
}

int virtqueue_take(struct virtqueue *queue, struct virtqueue_used *used)
{
	const struct virtq_used_element *element =
		&used_of(queue)->ring[queue->taken % queue->size];
	struct virtqueue_slot *slot;
	uint16_t index;
	uint32_t id;

	if (queue->broken)
		return -EPROTO;
	index = dma_load16(&used_of(queue)->index);
	if (index == queue->taken)
		return 0;
	if ((uint16_t)(index - queue->taken) >
	    (uint16_t)(queue->published - queue->taken))
		return break_queue(queue,
				   "used index beyond what is in flight");
	id = dma_load32(&element->id);
	if (id >= queue->size)
		return break_queue(queue, "used id out of range");
	slot = &queue->slot[index_nospec(id, queue->size)];
	if (!slot->cookie || !slot->is_published)
		return break_queue(queue, "used id that is not in flight");
	used->length = dma_load32(&element->length);
	if (used->length > slot->writable)
		return break_queue(queue,
				   "used length above what it may write");
	used->cookie = slot->cookie;
	give_back(queue, (uint16_t)id);
	queue->taken++;
	return 1;
}

void virtqueue_wake(struct virtqueue *queue)
{
	/* With event indices the last one that was asked for has passed. */
	if (!queue->has_event_index)
		dma_store16(&available_of(queue)->flags, VIRTQ_NO_INTERRUPT);
}

bool virtqueue_sleep(struct virtqueue *queue)
{
	struct virtq_available *available = available_of(queue);

	if (queue->broken)
		return true;
	if (queue->has_event_index)
		dma_store16(&available->ring[queue->size], queue->taken);
	else
		dma_store16(&available->flags, 0);
	dma_fence();
	return dma_load16(&used_of(queue)->index) == queue->taken;
}
