/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tests of drivers/virtio_blk*.c share: a device, the driver on it, memory
 * for both, requests that count how often they come back.
 */
#ifndef BULKHEAD_TESTS_VIRTIO_BLK_TEST_H
#define BULKHEAD_TESTS_VIRTIO_BLK_TEST_H

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "drivers/virtio_blk.h"
#include "include/errno.h"
#include "tests/unit/fake/virtio/blk.h"

#define DMA_AT	 0x7654000ULL
#define RAM_AT	 0x1200000000ULL
#define RAM_SIZE KIB(256)
#define REQUESTS 256

/* A request and what came of it. */
struct item {
	struct virtio_blk_request request;
	struct virtio_blk_segment segment[100];
	unsigned done; /* how often */
	unsigned order;
	int status;
};

static uint8_t dma[MIB(2)] __aligned(4096);
static uint8_t ram[RAM_SIZE];

static struct bench {
	struct fake_blk fake;
	struct virtio_blk blk;
	struct virtio_blk_config config;
	struct item item[REQUESTS];
	unsigned done, resized;
	/* Called from done(). */
	void (*on_done)(struct item *item);
} bench;

static void done(void *ctx, struct virtio_blk_request *request, int status)
{
	struct item *item = request->cookie;

	assert_ptr_equal(ctx, &bench);
	assert_ptr_equal(request, &item->request);
	item->done++;
	item->order = bench.done++;
	item->status = status;
	if (bench.on_done)
		bench.on_done(item);
}

static void resized(void *ctx)
{
	assert_ptr_equal(ctx, &bench);
	bench.resized++;
}

static const struct virtio_blk_ops ops = { done, resized };

static int teardown(void **state)
{
	(void)state;
	fake_blk_fini(&bench.fake);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	teardown(NULL);
	memset(&bench, 0, sizeof(bench));
	memset(dma, 0xee, sizeof(dma));
	memset(ram, 0xaa, sizeof(ram));
	bench.fake.device.memory = (struct fake_memory){
		.count = 2,
		.region = { { dma, DMA_AT, sizeof(dma) },
			    { ram, RAM_AT, sizeof(ram) } },
	};
	fake_blk_init(&bench.fake);
	bench.config = (struct virtio_blk_config){
		.pci = &bench.fake.device.access,
		.ops = &ops,
		.ctx = &bench,
		.memory = { dma, DMA_AT, sizeof(dma) },
		.queues = 1,
		.depth = 16,
	};
	return 0;
}

static __maybe_unused int start(void)
{
	int error = virtio_blk_init(&bench.blk, &bench.config);

	return error ? error : virtio_blk_start(&bench.blk);
}

static __maybe_unused void started(void)
{
	assert_int_equal(start(), 0);
	assert_string_equal(virtio_blk_why(&bench.blk), "works");
}

static __maybe_unused struct virtio_blk_request *
make(unsigned i, enum virtio_blk_op op, uint64_t sector, uint64_t count)
{
	struct item *item = &bench.item[i];

	item->done = 0;
	item->request = (struct virtio_blk_request){
		.op = op,
		.sector = sector,
		.sector_count = count,
		.segment = item->segment,
		.cookie = item,
	};
	return &item->request;
}

static __maybe_unused void add_segment(unsigned i, uint64_t ram_offset,
				       uint32_t length)
{
	struct item *item = &bench.item[i];

	item->segment[item->request.segment_count++] =
		(struct virtio_blk_segment){ RAM_AT + ram_offset, length };
}

/* One of data in one piece. */
static __maybe_unused struct virtio_blk_request *
data(unsigned i, enum virtio_blk_op op, uint64_t sector, uint64_t ram_offset,
     uint32_t length)
{
	make(i, op, sector, 0);
	add_segment(i, ram_offset, length);
	return &bench.item[i].request;
}

static __maybe_unused int submit(unsigned i)
{
	return virtio_blk_submit(&bench.blk, 0, &bench.item[i].request);
}

/* Submitted, shown, fetched by the device: how many commands wait there. */
static __maybe_unused unsigned send(unsigned i)
{
	assert_int_equal(submit(i), 0);
	virtio_blk_kick(&bench.blk, 0);
	return fake_blk_fetch(&bench.fake);
}

static __maybe_unused void came_back(unsigned i, int status)
{
	assert_int_equal(bench.item[i].done, 1);
	assert_int_equal(bench.item[i].status, status);
}

/* The device does all there is, the driver sees it. */
static __maybe_unused void run(void)
{
	do {
		fake_blk_do_all(&bench.fake);
		for (unsigned i = 0; i < bench.blk.queue_count; i++)
			assert_true(virtio_blk_poll(&bench.blk, i) >= 0);
	} while (fake_blk_fetch(&bench.fake));
}

static __maybe_unused void did(unsigned i, int status)
{
	bench.item[i].done = 0;
	assert_int_equal(submit(i), 0);
	virtio_blk_kick(&bench.blk, 0);
	run();
	came_back(i, status);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
