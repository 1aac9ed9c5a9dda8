/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's side of a split virtqueue, and the memory that it reaches.  What
 * the driver puts there is checked against the specification at every step; a
 * test, or a fuzzer, ends there if it is wrong.
 */
#ifndef BULKHEAD_TESTS_FAKE_VIRTIO_RING_H
#define BULKHEAD_TESTS_FAKE_VIRTIO_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ends the program: the driver has done what it must not do. */
#define MUST(condition)                                                     \
	do {                                                                \
		if (!(condition))                                           \
			fake_virtio_failed(__FILE__, __LINE__, #condition); \
	} while (0)

__attribute__((noreturn)) void fake_virtio_failed(const char *file, int line,
						  const char *condition);

#define FAKE_REGIONS 4
#define FAKE_PARTS   130

struct fake_memory {
	unsigned count;
	struct fake_region {
		uint8_t *host;
		uint64_t address, size;
	} region[FAKE_REGIONS];
};

/* All of length bytes lie in one region, or the program ends. */
void *fake_memory_at(const struct fake_memory *memory, uint64_t address,
		     uint64_t length);

struct fake_ring {
	const struct fake_memory *memory;
	uint16_t size;
	uint64_t descriptors, available, used;
	bool has_indirect, has_event_index;
	uint16_t last_available; /* chains that were taken */
	uint16_t used_index;
	bool is_deaf; /* wants no notifications */
};

struct fake_part {
	uint64_t address;
	uint32_t length;
	bool is_writable;
};

struct fake_chain {
	uint16_t head;
	bool is_indirect;
	unsigned count, readable;
	uint32_t writable_bytes;
	struct fake_part part[FAKE_PARTS];
};

/* The next chain, if there is one. */
bool fake_ring_pop(struct fake_ring *ring, struct fake_chain *chain);
/* How many wait. */
unsigned fake_ring_waiting(const struct fake_ring *ring);
/* Whether the driver wants an interrupt for it. */
bool fake_ring_push(struct fake_ring *ring, uint32_t id, uint32_t length);
/* Whether the driver must notify when it adds one more chain. */
void fake_ring_listen(struct fake_ring *ring, bool listen);

/* The two words that a lying device writes. */
uint16_t *fake_ring_used_index(const struct fake_ring *ring);
uint32_t *fake_ring_used_element(const struct fake_ring *ring, uint16_t at);

#endif
