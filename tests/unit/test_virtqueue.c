/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/virtqueue.c with the device's side of the ring: what it is shown, in
 * which order, what comes back and in which order, and each way of lying.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "drivers/virtqueue.h"
#include "include/errno.h"
#include "tests/unit/fake/virtio/include/dma_access.h"
#include "tests/unit/fake/virtio/ring.h"

#define SIZE	 8
#define RING_AT	 0x7000ULL
#define DATA_AT	 0x1234500000ULL
#define ACCESSES 4096

static uint8_t ring_memory[KIB(8)] __aligned(4096);
static uint8_t
	table_memory[SIZE][VIRTQUEUE_PARTS * VIRTQUEUE_DESC] __aligned(16);

static struct bench {
	struct virtqueue queue;
	struct fake_memory memory;
	struct fake_ring ring;
	/* The device acts before an access of the driver's. */
	void (*device)(void);
	struct {
		const void *at; /* NULL: a fence */
		bool is_store;
	} access[ACCESSES];
	unsigned access_count;
	unsigned notified;
	uint64_t random;
} bench;

/* ---- Accesses ------------------------------------------------------------ */

static void note(const void *at, bool is_store)
{
	assert_true(bench.access_count < ACCESSES);
	bench.access[bench.access_count].at = at;
	bench.access[bench.access_count++].is_store = is_store;
}

static void inside(const void *at, unsigned size)
{
	const uint8_t *byte = at;
	const uint8_t *tables = table_memory[0];

	assert_int_equal((uintptr_t)at % size, 0);
	if (byte >= ring_memory && byte < ring_memory + sizeof(ring_memory))
		assert_true(byte + size <= ring_memory + sizeof(ring_memory));
	else
		assert_true(byte >= tables &&
			    byte + size <= tables + sizeof(table_memory));
}

uint64_t fake_dma_load(const void *at, unsigned size)
{
	uint64_t value = 0;

	inside(at, size);
	note(at, false);
	if (bench.device)
		bench.device();
	memcpy(&value, at, size);
	return value;
}

void fake_dma_store(void *at, unsigned size, uint64_t value)
{
	inside(at, size);
	note(at, true);
	if (bench.device)
		bench.device();
	memcpy(at, &value, size);
}

void dma_fence(void)
{
	note(NULL, false);
}

/* ---- Set-up -------------------------------------------------------------- */

static void build(uint16_t size, bool has_event_index)
{
	struct dma_region memory = { ring_memory, RING_AT,
				     sizeof(ring_memory) };

	memset(&bench, 0, sizeof(bench));
	memset(ring_memory, 0xa5, sizeof(ring_memory));
	bench.random = 0x9e3779b97f4a7c15;
	assert_int_equal(
		virtqueue_init(&bench.queue, size, has_event_index, &memory),
		0);
	assert_int_equal(memory.size,
			 sizeof(ring_memory) - virtqueue_dma_size(size));
	bench.memory = (struct fake_memory){
		.count = 2,
		.region = { { ring_memory, RING_AT, sizeof(ring_memory) },
			    { table_memory[0], DATA_AT,
			      sizeof(table_memory) } },
	};
	bench.ring = (struct fake_ring){
		.memory = &bench.memory,
		.size = size,
		.descriptors = bench.queue.descriptors.address,
		.available = bench.queue.available.address,
		.used = bench.queue.used.address,
		.has_indirect = true,
		.has_event_index = has_event_index,
	};
}

static int setup(void **state)
{
	(void)state;
	build(SIZE, false);
	return 0;
}

static uint32_t random_below(uint32_t below)
{
	bench.random ^= bench.random << 13;
	bench.random ^= bench.random >> 7;
	bench.random ^= bench.random << 17;
	return (uint32_t)(bench.random >> 16) % below;
}

static int add(uintptr_t cookie, unsigned readable, unsigned writable)
{
	struct virtqueue_part part[VIRTQUEUE_PARTS];
	const struct virtqueue_chain chain = {
		.part = part,
		.readable = readable,
		.writable = writable,
		.cookie = (void *)cookie,
	};

	for (unsigned i = 0; i < MIN(readable + writable, VIRTQUEUE_PARTS); i++)
		part[i] = (struct virtqueue_part){ 0x1000ULL * cookie + i,
						   i + 1 };
	return virtqueue_add(&bench.queue, &chain);
}

static int add_table(uintptr_t cookie, unsigned readable, unsigned writable,
		     unsigned slot)
{
	struct virtqueue_part part[VIRTQUEUE_PARTS];
	const struct dma_region table = {
		.va = table_memory[slot],
		.address = DATA_AT + slot * sizeof(table_memory[0]),
		.size = sizeof(table_memory[0]),
	};
	const struct virtqueue_chain chain = {
		.part = part,
		.readable = readable,
		.writable = writable,
		.table = &table,
		.cookie = (void *)cookie,
	};

	for (unsigned i = 0; i < readable + writable; i++)
		part[i] = (struct virtqueue_part){ 0x1000ULL * cookie + i,
						   i + 1 };
	return virtqueue_add(&bench.queue, &chain);
}

/* Where it does not matter whether the device wants to be told. */
static void publish(void)
{
	if (virtqueue_publish(&bench.queue))
		bench.notified++;
}

static void took(uintptr_t cookie, uint32_t length)
{
	struct virtqueue_used used;

	assert_int_equal(virtqueue_take(&bench.queue, &used), 1);
	assert_int_equal((uintptr_t)used.cookie, cookie);
	assert_int_equal(used.length, length);
}

static void took_none(void)
{
	struct virtqueue_used used;

	assert_int_equal(virtqueue_take(&bench.queue, &used), 0);
}

/* It is broken, says why, and stays so. */
static void broke(const char *why)
{
	struct virtqueue_used used;

	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(virtqueue_take(&bench.queue, &used), -EPROTO);
	assert_non_null(strstr(bench.queue.broken, why));
	assert_int_equal(add(99, 1, 0), -EPROTO);
	assert_false(virtqueue_publish(&bench.queue));
	assert_true(virtqueue_sleep(&bench.queue));
}

static unsigned publish_one(uintptr_t cookie)
{
	struct fake_chain chain;

	assert_int_equal(add(cookie, 1, 1), 0);
	publish();
	assert_true(fake_ring_pop(&bench.ring, &chain));
	return chain.head;
}

/* ---- A device that keeps to the rules ------------------------------------ */

static void test_sizes(void **state)
{
	static const uint16_t bad[] = { 0, 1, 3, 7, 9, 300, 512 };
	static struct virtqueue queue;
	struct dma_region memory = { ring_memory, RING_AT,
				     sizeof(ring_memory) };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(virtqueue_init(&queue, bad[i], false, &memory),
				 -EINVAL);
	memory.size = virtqueue_dma_size(16) - 1;
	assert_int_equal(virtqueue_init(&queue, 16, false, &memory), -ENOMEM);
	for (uint16_t size = 2; size <= VIRTQUEUE_SIZE_MAX;
	     size = (uint16_t)(size * 2)) {
		memory.size = virtqueue_dma_size(size);
		assert_int_equal(virtqueue_init(&queue, size, true, &memory),
				 0);
		assert_int_equal(memory.size, 0);
		memory = (struct dma_region){ ring_memory, RING_AT,
					      sizeof(ring_memory) };
	}
}

static void test_cut(void **state)
{
	struct dma_region piece, from = { ring_memory + 5, RING_AT + 5, 100 };

	(void)state;
	assert_int_equal(dma_cut(&from, 16, 16, &piece), 0);
	assert_ptr_equal(piece.va, ring_memory + 16);
	assert_int_equal(piece.address, RING_AT + 16);
	assert_int_equal(from.address, RING_AT + 32);
	assert_int_equal(from.size, 73);
	assert_int_equal(dma_cut(&from, 74, 1, &piece), -ENOMEM);
	assert_int_equal(dma_cut(&from, 1, 4096, &piece), -ENOMEM);
	assert_int_equal(dma_cut(&from, UINT64_MAX, 1, &piece), -ENOMEM);
	assert_int_equal(dma_cut(&from, 73, 1, &piece), 0);
	assert_int_equal(from.size, 0);
}

static void test_chain(void **state)
{
	struct fake_chain chain;

	(void)state;
	assert_int_equal(add(7, 2, 3), 0);
	assert_int_equal(fake_ring_waiting(&bench.ring), 0);
	assert_true(virtqueue_publish(&bench.queue));
	assert_true(fake_ring_pop(&bench.ring, &chain));
	assert_false(chain.is_indirect);
	assert_int_equal(chain.count, 5);
	assert_int_equal(chain.readable, 2);
	assert_int_equal(chain.writable_bytes, 3 + 4 + 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(chain.part[i].address, 0x7000 + i);
		assert_int_equal(chain.part[i].length, i + 1);
	}
	assert_false(fake_ring_pop(&bench.ring, &chain));
	took_none();
	assert_true(fake_ring_push(&bench.ring, chain.head, 12));
	took(7, 12);
	took_none();
	assert_int_equal(virtqueue_outstanding(&bench.queue), 0);
}

static void test_table(void **state)
{
	struct fake_chain chain;

	(void)state;
	build(128, false);
	/* Each takes one descriptor. */
	for (unsigned i = 0; i < SIZE; i++)
		assert_int_equal(add_table(i + 1, 3, VIRTQUEUE_PARTS - 3, i),
				 0);
	assert_true(virtqueue_publish(&bench.queue));
	for (unsigned i = 0; i < SIZE; i++) {
		assert_true(fake_ring_pop(&bench.ring, &chain));
		assert_true(chain.is_indirect);
		assert_int_equal(chain.count, VIRTQUEUE_PARTS);
		assert_int_equal(chain.readable, 3);
		assert_int_equal(chain.part[65].address, 0x1000 * (i + 1) + 65);
		(void)fake_ring_push(&bench.ring, chain.head, 4);
		took(i + 1, 4);
	}
	assert_int_equal(bench.queue.free_count, 128);
}

static void test_refused(void **state)
{
	struct virtqueue_part part = { 0x1000, 0 };
	struct dma_region table = { table_memory[0], DATA_AT, 31 };
	struct virtqueue_chain chain = { .part = &part,
					 .readable = 1,
					 .cookie = &part };

	(void)state;
	assert_int_equal(add(1, 0, 0), -EINVAL);
	assert_int_equal(add(0, 1, 0), -EINVAL);
	assert_int_equal(add(1, SIZE, 1), -EINVAL);
	/* An empty part. */
	assert_int_equal(virtqueue_add(&bench.queue, &chain), -EINVAL);
	/* A table that is too short. */
	struct virtqueue_part two[] = { { 1, 1 }, { 2, UINT32_MAX } };

	chain = (struct virtqueue_chain){
		.part = two, .readable = 2, .table = &table, .cookie = two
	};
	two[1].length = 1;
	assert_int_equal(virtqueue_add(&bench.queue, &chain), -EINVAL);
	table.size = 32;
	assert_int_equal(virtqueue_add(&bench.queue, &chain), 0);
	/* 4 GiB. */
	two[1].length = UINT32_MAX;
	assert_int_equal(virtqueue_add(&bench.queue, &chain), -EINVAL);
	build(128, false);
	assert_int_equal(add(1, VIRTQUEUE_PARTS, 1), -EINVAL);
	assert_int_equal(virtqueue_outstanding(&bench.queue), 0);
}

static void test_full(void **state)
{
	struct fake_chain chain;

	(void)state;
	assert_int_equal(add(1, 1, 2), 0);
	assert_int_equal(add(2, 1, 2), 0);
	assert_int_equal(add(3, 1, 2), -EAGAIN);
	assert_int_equal(add(3, 1, 1), 0);
	assert_int_equal(add_table(4, 1, 1, 0), -EAGAIN);
	publish();
	assert_true(fake_ring_pop(&bench.ring, &chain));
	(void)fake_ring_push(&bench.ring, chain.head, 0);
	took(1, 0);
	assert_int_equal(add_table(4, 1, 1, 0), 0);
	assert_int_equal(add(5, 1, 1), 0);
	assert_int_equal(add(6, 1, 0), -EAGAIN);
}

/* Chains of any length come back in any order, round the ring's end and the
 * index's: each once, with its cookie, and no descriptor is lost. */
static void reorder(bool has_event_index)
{
	struct fake_chain held[SIZE];
	uintptr_t cookie[SIZE];
	unsigned count = 0;
	uintptr_t next = 1;

	build(SIZE, has_event_index);
	for (unsigned round = 0; round < 300000; round++) {
		unsigned i;

		bench.access_count = 0;
		if (random_below(2)) {
			unsigned readable = 1 + random_below(3);
			int error = random_below(2)
					    ? add(next, readable, 1)
					    : add_table(next, readable, 1, 0);

			if (error == -EAGAIN)
				continue;
			assert_int_equal(error, 0);
			publish();
			cookie[count] = next++;
			assert_true(fake_ring_pop(&bench.ring, &held[count++]));
		} else if (count) {
			i = random_below(count);
			(void)fake_ring_push(&bench.ring, held[i].head,
					     held[i].writable_bytes);
			took(cookie[i], held[i].writable_bytes);
			held[i] = held[--count];
			cookie[i] = cookie[count];
		}
		assert_int_equal(virtqueue_outstanding(&bench.queue), count);
	}
	assert_true(next > 70000);
}

static void test_reordered(void **state)
{
	(void)state;
	reorder(false);
	reorder(true);
}

/* ---- Notifications and interrupts ---------------------------------------- */

static void test_flags(void **state)
{
	struct fake_chain chain;

	(void)state;
	assert_false(virtqueue_publish(&bench.queue)); /* nothing to show */
	publish_one(1);
	publish_one(2);
	fake_ring_listen(&bench.ring, false);
	assert_int_equal(add(3, 1, 1), 0);
	assert_false(virtqueue_publish(&bench.queue));
	fake_ring_listen(&bench.ring, true);
	assert_int_equal(add(4, 1, 1), 0);
	assert_true(virtqueue_publish(&bench.queue));
	virtqueue_wake(&bench.queue);
	assert_true(fake_ring_pop(&bench.ring, &chain));
	assert_false(fake_ring_push(&bench.ring, chain.head, 0));
	/* One came back while it asked. */
	assert_false(virtqueue_sleep(&bench.queue));
	took(3, 0);
	assert_true(virtqueue_sleep(&bench.queue));
	assert_true(fake_ring_pop(&bench.ring, &chain));
	assert_true(fake_ring_push(&bench.ring, chain.head, 0));
}

static void test_event_index(void **state)
{
	unsigned head[3];
	struct fake_chain chain;

	(void)state;
	build(SIZE, true);
	head[0] = publish_one(1);
	fake_ring_listen(&bench.ring, false);
	assert_int_equal(add(2, 1, 0), 0);
	assert_false(virtqueue_publish(&bench.queue));
	assert_true(fake_ring_pop(&bench.ring, &chain));
	head[1] = chain.head;
	/* The event lies in the middle of what is published at once. */
	fake_ring_listen(&bench.ring, true);
	assert_int_equal(add(3, 1, 0), 0);
	assert_int_equal(add(4, 1, 0), 0);
	assert_true(virtqueue_publish(&bench.queue));
	assert_true(fake_ring_push(&bench.ring, head[0], 0));
	/* The driver is awake. */
	assert_false(fake_ring_push(&bench.ring, head[1], 0));
	took(1, 0);
	assert_false(virtqueue_sleep(&bench.queue));
	took(2, 0);
	assert_true(virtqueue_sleep(&bench.queue));
	assert_true(fake_ring_pop(&bench.ring, &chain));
	assert_true(fake_ring_push(&bench.ring, chain.head, 0));
	/* What the device writes there is no harm. */
	memset(fake_memory_at(&bench.memory, bench.ring.used + 4 + 8 * SIZE, 2),
	       0x77, 2);
	assert_int_equal(add(5, 1, 0), 0);
	assert_false(virtqueue_publish(&bench.queue));
}

/* ---- Order --------------------------------------------------------------- */

static unsigned last_access(const void *from, uint64_t size)
{
	const uint8_t *begin = from;

	for (unsigned i = bench.access_count; i--;) {
		const uint8_t *at = bench.access[i].at;

		if (at >= begin && at < begin + size)
			return i;
	}
	fail_msg("never accessed");
	return 0;
}

/* The accesses that were made are: all of it, the index, a fence, a look. */
static void test_order(void **state)
{
	uint8_t *available = bench.queue.available.va;
	unsigned index, events;

	(void)state;
	assert_int_equal(add_table(1, 2, 2, 0), 0);
	assert_int_equal(add(2, 2, 2), 0);
	events = bench.access_count;
	for (unsigned i = 0; i < events; i++)
		assert_true(bench.access[i].is_store);
	assert_true(virtqueue_publish(&bench.queue));
	index = last_access(available + 2, 2);
	assert_true(last_access(available + 4, 2 * SIZE) < index);
	assert_true(last_access(bench.queue.descriptors.va, 16 * SIZE) < index);
	assert_true(last_access(table_memory[0], 64) < index);
	assert_int_equal(bench.access_count, index + 3);
	assert_null(bench.access[index + 1].at);
	assert_int_equal(last_access(bench.queue.used.va, 2), index + 2);

	bench.access_count = 0;
	assert_true(virtqueue_sleep(&bench.queue));
	assert_int_equal(last_access(available, 2), 0);
	assert_null(bench.access[1].at);
	assert_int_equal(last_access((uint8_t *)bench.queue.used.va + 2, 2), 2);
	assert_int_equal(bench.access_count, 3);
}

/* Each word of the used ring once, the index first. */
static void test_read_once(void **state)
{
	uint8_t *used = bench.queue.used.va;
	unsigned head = publish_one(1);

	(void)state;
	(void)fake_ring_push(&bench.ring, head, 1);
	bench.access_count = 0;
	took(1, 1);
	assert_int_equal(bench.access_count, 3);
	assert_int_equal(last_access(used + 2, 2), 0);
	assert_int_equal(last_access(used + 4, 4), 1);
	assert_int_equal(last_access(used + 8, 4), 2);
}

/* ---- A device that lies ---------------------------------------------------
 */

static void test_index_ahead(void **state)
{
	(void)state;
	publish_one(1);
	publish_one(2);
	*fake_ring_used_index(&bench.ring) = 3;
	broke("beyond");
}

static void test_index_back(void **state)
{
	unsigned head = publish_one(1);

	(void)state;
	(void)fake_ring_push(&bench.ring, head, 0);
	took(1, 0);
	*fake_ring_used_index(&bench.ring) = 0;
	broke("beyond");
}

static void test_index_idle(void **state)
{
	(void)state;
	*fake_ring_used_index(&bench.ring) = 1;
	broke("beyond");
}

/* Added, but never shown: the device cannot have it. */
static void test_unpublished(void **state)
{
	unsigned head;

	(void)state;
	assert_int_equal(add(1, 1, 1), 0);
	(void)fake_ring_push(&bench.ring, 0, 0);
	broke("beyond");

	build(SIZE, false);
	publish_one(1);
	assert_int_equal(add(2, 1, 1), 0);
	(void)fake_ring_push(&bench.ring, 2, 0);
	broke("not in flight");

	/* Nor when it had the descriptor once before. */
	build(SIZE, false);
	head = publish_one(1);
	publish_one(2);
	(void)fake_ring_push(&bench.ring, head, 0);
	took(1, 0);
	assert_int_equal(add(3, 1, 1), 0);
	(void)fake_ring_push(&bench.ring, head, 0);
	broke("not in flight");
}

static void test_id_range(void **state)
{
	static const uint32_t bad[] = { SIZE, 0xffff, 0x10000, UINT32_MAX };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		build(SIZE, false);
		publish_one(1);
		(void)fake_ring_push(&bench.ring, bad[i], 0);
		broke("out of range");
	}
}

static void test_id_free(void **state)
{
	(void)state;
	publish_one(1);
	(void)fake_ring_push(&bench.ring, SIZE - 1, 0);
	broke("not in flight");
}

/* In the middle of a chain. */
static void test_id_inner(void **state)
{
	unsigned head = publish_one(1);

	(void)state;
	assert_int_equal(head, 0);
	(void)fake_ring_push(&bench.ring, 1, 0);
	broke("not in flight");
}

static void test_id_twice(void **state)
{
	unsigned head = publish_one(1);

	(void)state;
	publish_one(2);
	(void)fake_ring_push(&bench.ring, head, 0);
	took(1, 0);
	(void)fake_ring_push(&bench.ring, head, 0);
	broke("not in flight");
}

static void test_length(void **state)
{
	unsigned head = publish_one(1);

	(void)state;
	(void)fake_ring_push(&bench.ring, head, 2);
	took(1, 2); /* part 1 has two bytes */
	head = publish_one(2);
	(void)fake_ring_push(&bench.ring, head, 3);
	broke("length");
}

/* Whatever it writes, at whatever instant, to all that it can write. */
static void scribble(void)
{
	uint8_t *used = bench.queue.used.va;
	uint8_t *descriptors = bench.queue.descriptors.va;

	if (random_below(4))
		return;
	used[random_below(6 + 8 * SIZE)] = (uint8_t)random_below(256);
	if (!random_below(3))
		used[2] = (uint8_t)random_below(SIZE);
	used[3] = 0;
	/* It can also write to what it should only read. */
	descriptors[random_below(16 * SIZE)] = (uint8_t)random_below(256);
}

static void wild_step(uint8_t *given, uintptr_t *next)
{
	struct virtqueue_used used;
	unsigned parts;

	bench.access_count = 0;
	switch (random_below(4)) {
	case 0:
		parts = 1 + random_below(3);
		if (add(*next, parts, random_below(2)) == 0)
			given[(*next)++] = 1;
		break;
	case 1:
		publish();
		break;
	case 2:
		virtqueue_wake(&bench.queue);
		if (virtqueue_sleep(&bench.queue))
			break;
		break;
	default:
		if (virtqueue_take(&bench.queue, &used) == 1)
			assert_int_equal(given[(uintptr_t)used.cookie]--, 1);
	}
}

static void test_wild(void **state)
{
	unsigned took_any = 0, broken = 0;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		uint8_t given[128] = { 0 };
		uintptr_t next = 1;
		uint64_t random = bench.random;

		build(SIZE, round & 1);
		bench.random = random ^ round << 20;
		bench.device = scribble;
		for (unsigned i = 0; i < 100; i++)
			wild_step(given, &next);
		took_any += bench.queue.taken;
		broken += bench.queue.broken != NULL;
	}
	assert_true(took_any > 100 && broken > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sizes, setup),
		cmocka_unit_test_setup(test_cut, setup),
		cmocka_unit_test_setup(test_chain, setup),
		cmocka_unit_test_setup(test_table, setup),
		cmocka_unit_test_setup(test_refused, setup),
		cmocka_unit_test_setup(test_full, setup),
		cmocka_unit_test_setup(test_reordered, setup),
		cmocka_unit_test_setup(test_flags, setup),
		cmocka_unit_test_setup(test_event_index, setup),
		cmocka_unit_test_setup(test_order, setup),
		cmocka_unit_test_setup(test_read_once, setup),
		cmocka_unit_test_setup(test_index_ahead, setup),
		cmocka_unit_test_setup(test_index_back, setup),
		cmocka_unit_test_setup(test_index_idle, setup),
		cmocka_unit_test_setup(test_unpublished, setup),
		cmocka_unit_test_setup(test_id_range, setup),
		cmocka_unit_test_setup(test_id_free, setup),
		cmocka_unit_test_setup(test_id_inner, setup),
		cmocka_unit_test_setup(test_id_twice, setup),
		cmocka_unit_test_setup(test_length, setup),
		cmocka_unit_test_setup(test_wild, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
