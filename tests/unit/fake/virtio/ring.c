/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fake/virtio/ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESC_NEXT     1
#define DESC_WRITE    2
#define DESC_INDIRECT 4

struct desc {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

void fake_virtio_failed(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: %s does not hold\n", file, line, condition);
	abort();
}

void *fake_memory_at(const struct fake_memory *memory, uint64_t address,
		     uint64_t length)
{
	for (unsigned i = 0; i < memory->count; i++) {
		const struct fake_region *region = &memory->region[i];

		if (address >= region->address && length <= region->size &&
		    address - region->address <= region->size - length)
			return region->host + (address - region->address);
	}
	MUST(!"memory that the device may reach");
}

static uint16_t *available_word(const struct fake_ring *ring, unsigned i)
{
	MUST(ring->available % 2 == 0);
	return (uint16_t *)fake_memory_at(ring->memory, ring->available,
					  6 + 2ULL * ring->size) +
	       i;
}

static uint8_t *used_byte(const struct fake_ring *ring, unsigned i)
{
	MUST(ring->used % 4 == 0);
	return (uint8_t *)fake_memory_at(ring->memory, ring->used,
					 6 + 8ULL * ring->size) +
	       i;
}

uint16_t *fake_ring_used_index(const struct fake_ring *ring)
{
	return (uint16_t *)used_byte(ring, 2);
}

uint32_t *fake_ring_used_element(const struct fake_ring *ring, uint16_t at)
{
	return (uint32_t *)used_byte(ring, 4 + 8U * (at % ring->size));
}

/* ---- Chains -------------------------------------------------------------- */

static void add_part(struct fake_chain *chain, const struct desc *desc)
{
	struct fake_part *part = &chain->part[chain->count++];

	MUST(desc->length);
	*part = (struct fake_part){ desc->address, desc->length,
				    desc->flags & DESC_WRITE };
	if (part->is_writable) {
		MUST(chain->writable_bytes + part->length >= part->length);
		chain->writable_bytes += part->length;
	} else {
		/* Those that the device reads come first. */
		MUST(!chain->writable_bytes);
		chain->readable++;
	}
}

/* No longer than the queue has descriptors, so without a loop. */
static void walk(const struct fake_ring *ring, const struct desc *table,
		 unsigned size, unsigned at, struct fake_chain *chain)
{
	for (;;) {
		MUST(at < size && chain->count < ring->size);
		MUST(!(table[at].flags &
		       ~(DESC_NEXT | DESC_WRITE | DESC_INDIRECT)));
		if (table[at].flags & DESC_INDIRECT)
			break;
		add_part(chain, &table[at]);
		if (!(table[at].flags & DESC_NEXT))
			return;
		at = table[at].next;
	}
	MUST(!chain->is_indirect && ring->has_indirect && !chain->count);
	MUST(!(table[at].flags & DESC_NEXT) && table[at].length % 16 == 0);
	chain->is_indirect = true;
	walk(ring,
	     fake_memory_at(ring->memory, table[at].address, table[at].length),
	     table[at].length / 16, 0, chain);
}

unsigned fake_ring_waiting(const struct fake_ring *ring)
{
	uint16_t waiting =
		(uint16_t)(*available_word(ring, 1) - ring->last_available);

	MUST(waiting <= ring->size);
	MUST(*available_word(ring, 0) <= (ring->has_event_index ? 0 : 1));
	return waiting;
}

bool fake_ring_pop(struct fake_ring *ring, struct fake_chain *chain)
{
	if (!fake_ring_waiting(ring))
		return false;
	memset(chain, 0, offsetof(struct fake_chain, part));
	chain->head =
		*available_word(ring, 2U + ring->last_available % ring->size);
	ring->last_available++;
	MUST(ring->descriptors % 16 == 0);
	walk(ring,
	     fake_memory_at(ring->memory, ring->descriptors,
			    16ULL * ring->size),
	     ring->size, chain->head, chain);
	fake_ring_listen(ring, !ring->is_deaf);
	return true;
}

bool fake_ring_push(struct fake_ring *ring, uint32_t id, uint32_t length)
{
	uint32_t *element = fake_ring_used_element(ring, ring->used_index);
	uint16_t old = ring->used_index++;

	element[0] = id;
	element[1] = length;
	*fake_ring_used_index(ring) = ring->used_index;
	if (ring->has_event_index)
		return *available_word(ring, 2U + ring->size) == old;
	return !*available_word(ring, 0);
}

void fake_ring_listen(struct fake_ring *ring, bool listen)
{
	uint16_t *flags = (uint16_t *)used_byte(ring, 0);
	uint16_t *avail_event =
		(uint16_t *)used_byte(ring, 4 + 8U * ring->size);

	ring->is_deaf = !listen;
	if (!ring->has_event_index)
		*flags = !listen;
	else
		*avail_event =
			(uint16_t)(ring->last_available - (listen ? 0 : 1));
}
