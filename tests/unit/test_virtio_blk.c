/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/virtio_blk*.c on a device that keeps to the specification: what it
 * says of itself, each kind of request, limits and how they are kept to,
 * completions in any order on several queues.
 */
#include "tests/unit/virtio_blk_test.h"

/* ---- What the device says -------------------------------------------------
 */

static void test_plain(void **state)
{
	const struct virtio_blk_info *info = &bench.blk.info;

	(void)state;
	bench.fake.device.offered = VIRTIO_F_VERSION_1;
	started();
	assert_int_equal(info->sectors, FAKE_SECTORS);
	assert_int_equal(info->block_size, 512);
	assert_int_equal(info->physical_block_size, 512);
	assert_false(info->is_read_only || info->has_flush ||
		     info->has_write_cache || info->can_discard ||
		     info->can_write_zeroes || info->can_set_write_cache);
	assert_int_equal(bench.blk.queue[0].segments, 1);
	assert_int_equal(bench.blk.queue_count, 1);
}

static void test_info(void **state)
{
	const struct virtio_blk_info *info = &bench.blk.info;

	(void)state;
	bench.fake.device.offered |= BIT(5) | BIT(6) | BIT(10) | BIT(11);
	fake_blk_config(&bench.fake, 0, 8, 0x123456789a);
	fake_blk_config(&bench.fake, 20, 4, 4096);
	fake_blk_config(&bench.fake, 24, 1, 3);
	fake_blk_config(&bench.fake, 25, 1, 2);
	fake_blk_config(&bench.fake, 26, 2, 5);
	fake_blk_config(&bench.fake, 28, 4, 7);
	started();
	assert_int_equal(info->sectors, 0x123456789a);
	assert_int_equal(info->block_size, 4096);
	assert_int_equal(info->physical_block_size, 32768);
	assert_int_equal(info->alignment, 8192);
	assert_int_equal(info->io_min, 5 * 4096);
	assert_int_equal(info->io_best, 7 * 4096);
	assert_true(info->is_read_only && info->has_flush);
	assert_true(info->can_set_write_cache && !info->has_write_cache);
}

/* Features that nobody asked for are not taken. */
static void test_features(void **state)
{
	(void)state;
	bench.fake.device.offered = UINT64_MAX;
	fake_blk_config(&bench.fake, 8, 4, 512);
	started();
	assert_int_equal(bench.fake.device.accepted,
			 BIT(1) | BIT(2) | BIT(5) | BIT(6) | BIT(9) | BIT(10) |
				 BIT(11) | BIT(12) | BIT(13) | BIT(14) |
				 BIT(28) | BIT(29) | BIT(32) | BIT(33) |
				 BIT(36));
}

static void test_memory(void **state)
{
	(void)state;
	bench.config.queues = 4;
	bench.config.depth = VIRTIO_BLK_DEPTH;
	bench.fake.device.offered |= BIT(12);
	fake_blk_config(&bench.fake, 34, 2, 4);
	bench.fake.device.queue_count = 4;
	for (unsigned i = 0; i < 4; i++)
		bench.fake.device.queue[i].max = 1024;
	bench.config.memory.size = virtio_blk_dma_size(4, VIRTIO_BLK_DEPTH);
	assert_true(bench.config.memory.size <= sizeof(dma));
	started();
	bench.config.memory.size -= KIB(8);
	assert_int_equal(start(), -ENOMEM);
	assert_non_null(strstr(virtio_blk_why(&bench.blk), "memory"));
	bench.config.memory.size = 100;
	assert_int_equal(start(), -ENOMEM);
}

static void test_bad_config(void **state)
{
	(void)state;
	bench.config.depth = 0;
	assert_int_equal(start(), -EINVAL);
	bench.config.depth = VIRTIO_BLK_DEPTH + 1;
	assert_int_equal(start(), -EINVAL);
	bench.config.depth = 1;
	bench.config.queues = VIRTIO_BLK_QUEUES + 1;
	assert_int_equal(start(), -EINVAL);
	bench.config.queues = 0;
	assert_int_equal(start(), -EINVAL);
	bench.config.queues = 1;
	bench.config.memory.address++;
	assert_int_equal(start(), -EINVAL);
}

/* ---- Requests --------------------------------------------------------------
 */

static void test_read_write(void **state)
{
	(void)state;
	started();
	for (unsigned i = 0; i < 4096; i++)
		ram[i] = (uint8_t)(i * 7);
	data(0, VIRTIO_BLK_WRITE, 5, 0, 4096);
	did(0, 0);
	assert_memory_equal(bench.fake.disk + 5 * 512, ram, 4096);
	assert_int_equal(bench.fake.disk[4 * 512 + 511], 0);
	assert_int_equal(bench.fake.disk[13 * 512], 0);
	data(1, VIRTIO_BLK_READ, 6, 0x8000, 1024);
	did(1, 0);
	assert_memory_equal(ram + 0x8000, ram + 512, 1024);
	assert_int_equal(ram[0x8000 + 1024], 0xaa);
	assert_int_equal(bench.fake.commands, 2);
}

/* Pieces of any length: only all of them are whole sectors. */
static void test_pieces(void **state)
{
	static const uint32_t lengths[] = { 1, 510, 2, 1000, 23, 512 };
	uint32_t at = 0;

	(void)state;
	started();
	for (unsigned i = 0; i < FAKE_SECTORS * 512; i++)
		bench.fake.disk[i] = (uint8_t)(i * 11 + i / 512);
	make(0, VIRTIO_BLK_READ, 3, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++)
		add_segment(0, i * 0x2000U + i, lengths[i]);
	did(0, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		assert_memory_equal(ram + i * 0x2000 + i,
				    bench.fake.disk + 3 * 512 + at, lengths[i]);
		at += lengths[i];
		assert_int_equal(ram[i * 0x2000 + i + lengths[i]], 0xaa);
	}
	assert_int_equal(bench.fake.commands, 1);
}

static void test_refused(void **state)
{
	static const struct {
		uint64_t sector;
		uint32_t length;
		int error;
	} cases[] = {
		{ 0, 511, -EINVAL },
		{ 0, 513, -EINVAL },
		{ 0, 0, -EINVAL },
		{ FAKE_SECTORS, 512, -ERANGE },
		{ FAKE_SECTORS - 1, 1024, -ERANGE },
		{ FAKE_SECTORS + 1, 512, -ERANGE },
		{ UINT64_MAX, 512, -ERANGE },
		{ UINT64_MAX - 1, 2048, -ERANGE },
		{ FAKE_SECTORS - 1, 512, 0 },
		{ 0, FAKE_SECTORS * 512, 0 },
	};

	(void)state;
	started();
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		data(i, VIRTIO_BLK_READ, cases[i].sector, 0, cases[i].length);
		assert_int_equal(submit(i), cases[i].error);
	}
	make(20, VIRTIO_BLK_WRITE, 0, 0);
	assert_int_equal(submit(20), -EINVAL);
	data(20, VIRTIO_BLK_WRITE, 0, 0, 512);
	add_segment(20, 0, 0);
	assert_int_equal(submit(20), -EINVAL);
	make(20, (enum virtio_blk_op)77, 0, 0);
	assert_int_equal(submit(20), -EINVAL);
	data(20, VIRTIO_BLK_READ, 0, 0, 512);
	assert_int_equal(
		virtio_blk_submit(&bench.blk, 1, &bench.item[20].request),
		-EINVAL);
	assert_int_equal(bench.done, 0);
	virtio_blk_kick(&bench.blk, 0);
	virtio_blk_kick(&bench.blk, 1);
	run();
	assert_int_equal(bench.done, 2);
}

static void test_read_only(void **state)
{
	(void)state;
	bench.fake.device.offered |= BIT(5) | BIT(13) | BIT(14);
	fake_blk_config(&bench.fake, 36, 4, 100);
	fake_blk_config(&bench.fake, 40, 4, 1);
	fake_blk_config(&bench.fake, 48, 4, 100);
	fake_blk_config(&bench.fake, 52, 4, 1);
	started();
	assert_false(bench.blk.info.can_discard);
	data(0, VIRTIO_BLK_WRITE, 0, 0, 512);
	assert_int_equal(submit(0), -EROFS);
	make(1, VIRTIO_BLK_DISCARD, 0, 1);
	assert_int_equal(submit(1), -EROFS);
	make(2, VIRTIO_BLK_WRITE_ZEROES, 0, 1);
	assert_int_equal(submit(2), -EROFS);
	data(3, VIRTIO_BLK_READ, 0, 0, 512);
	did(3, 0);
	make(4, VIRTIO_BLK_FLUSH, 0, 0);
	did(4, 0);
}

static void test_flush(void **state)
{
	(void)state;
	started();
	assert_true(bench.blk.info.has_write_cache);
	make(0, VIRTIO_BLK_FLUSH, 99, 0);
	did(0, 0);
	assert_int_equal(bench.fake.flushes, 1);
	setup(NULL);
	bench.fake.device.offered &= ~BIT(9);
	started();
	assert_false(bench.blk.info.has_write_cache);
	make(0, VIRTIO_BLK_FLUSH, 0, 0);
	assert_int_equal(submit(0), 0);
	came_back(0, 0);
	assert_int_equal(virtio_blk_oldest_ns(&bench.blk), UINT64_MAX);
	run();
	assert_int_equal(bench.fake.commands, 0);
}

static void test_no_such(void **state)
{
	(void)state;
	started();
	make(0, VIRTIO_BLK_DISCARD, 0, 1);
	assert_int_equal(submit(0), -ENOSYS);
	make(0, VIRTIO_BLK_WRITE_ZEROES, 0, 1);
	assert_int_equal(submit(0), -ENOSYS);
	/* Offered, but with limits of nothing. */
	bench.fake.device.offered |= BIT(13) | BIT(14);
	started();
	assert_false(bench.blk.info.can_discard ||
		     bench.blk.info.can_write_zeroes);
}

static void ranges(uint32_t discard, uint32_t align, uint32_t zeroes,
		   uint8_t unmap)
{
	bench.fake.device.offered |= BIT(13) | BIT(14);
	fake_blk_config(&bench.fake, 36, 4, discard);
	fake_blk_config(&bench.fake, 40, 4, 1);
	fake_blk_config(&bench.fake, 44, 4, align);
	fake_blk_config(&bench.fake, 48, 4, zeroes);
	fake_blk_config(&bench.fake, 52, 4, 4);
	fake_blk_config(&bench.fake, 56, 1, unmap);
	started();
}

static void test_discard(void **state)
{
	static const uint32_t expected[][2] = {
		{ 5, 43 }, { 48, 48 }, { 96, 48 }, { 144, 22 }
	};

	(void)state;
	ranges(50, 16, 1000, 0);
	make(0, VIRTIO_BLK_DISCARD, 5, 0);
	assert_int_equal(submit(0), -EINVAL);
	make(0, VIRTIO_BLK_DISCARD, 5, FAKE_SECTORS - 4);
	assert_int_equal(submit(0), -ERANGE);
	make(0, VIRTIO_BLK_DISCARD, UINT64_MAX, 2);
	assert_int_equal(submit(0), -ERANGE);
	make(0, VIRTIO_BLK_DISCARD, 5, 161);
	bench.item[0].request.may_unmap = true;
	assert_int_equal(send(0), ARRAY_SIZE(expected));
	/* Cut where the alignment is. */
	for (unsigned i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_int_equal(bench.fake.waiting[i].range_sector,
				 expected[i][0]);
		assert_int_equal(bench.fake.waiting[i].range_count,
				 expected[i][1]);
	}
	run();
	came_back(0, 0);
	for (unsigned i = 0; i < FAKE_SECTORS; i++)
		assert_int_equal(bench.fake.disk[i * 512],
				 i >= 5 && i < 166 ? 0xdd : 0);
}

/* An alignment above the limit does not keep it from going on. */
static void test_discard_align(void **state)
{
	(void)state;
	ranges(10, 64, 1000, 0);
	make(0, VIRTIO_BLK_DISCARD, 3, 25);
	assert_int_equal(send(0), 3);
	run();
	came_back(0, 0);
}

static void test_write_zeroes(void **state)
{
	(void)state;
	for (unsigned unmap = 0; unmap < 2; unmap++) {
		setup(NULL);
		ranges(0, 0, 7, (uint8_t)unmap);
		assert_false(bench.blk.info.can_discard);
		memset(bench.fake.disk, 0x55, FAKE_SECTORS * 512);
		make(0, VIRTIO_BLK_WRITE_ZEROES, 9, 20);
		bench.item[0].request.may_unmap = true;
		assert_int_equal(send(0), 3);
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(bench.fake.waiting[i].range_flags,
					 unmap);
		run();
		came_back(0, 0);
		for (unsigned i = 0; i < FAKE_SECTORS; i++)
			assert_int_equal(bench.fake.disk[i * 512],
					 i >= 9 && i < 29 ? 0 : 0x55);
		make(1, VIRTIO_BLK_WRITE_ZEROES, 9, 1);
		assert_int_equal(send(1), 1);
		assert_int_equal(bench.fake.waiting[0].range_flags, 0);
	}
}

static void test_serial(void **state)
{
	static const struct {
		const char *serial, *expected;
	} cases[] = {
		{ "ABC-1", "ABC-1" },
		{ "12345678901234567890", "12345678901234567890" },
		{ "123456789012345678901", "12345678901234567890" },
		{ "", "" },
		{ "a\x1b[31m\xff~ ", "a?[31m?~ " },
	};

	(void)state;
	started();
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		bench.fake.serial = cases[i].serial;
		make(i, VIRTIO_BLK_GET_SERIAL, 7, 0);
		did(i, 0);
		assert_string_equal(bench.blk.serial, cases[i].expected);
	}
}

/* ---- Limits ----------------------------------------------------------------
 */

/* Pieces of every sort, written and read back with these limits. */
static void limited(uint32_t seg_max, uint32_t size_max, uint16_t queue_size,
		    uint64_t hidden)
{
	static uint8_t before[RAM_SIZE];
	uint32_t length, total = 0, at = 100;

	setup(NULL);
	bench.fake.device.offered |= BIT(1) | BIT(2);
	bench.fake.device.offered &= ~hidden;
	bench.fake.device.queue[0].max = queue_size;
	fake_blk_config(&bench.fake, 8, 4, size_max);
	fake_blk_config(&bench.fake, 12, 4, seg_max);
	started();
	make(0, VIRTIO_BLK_WRITE, 2, 0);
	for (unsigned i = 0; i < 60; i++) {
		length = 300 + i * 37;
		if (i == 59)
			length = 512 - total % 512;
		add_segment(0, at, length);
		at += length + 3;
		total += length;
	}
	for (unsigned i = 0; i < RAM_SIZE; i++)
		ram[i] = (uint8_t)(i * 5 + i / 253);
	memcpy(before, ram, RAM_SIZE);
	did(0, 0);
	make(0, VIRTIO_BLK_READ, 2, 0);
	bench.item[0].request.segment_count = 60;
	memset(ram, 0xcc, RAM_SIZE);
	did(0, 0);
	for (unsigned i = 0; i < 60; i++) {
		const struct virtio_blk_segment *segment =
			&bench.item[0].segment[i];
		uint64_t offset = segment->address - RAM_AT;

		assert_memory_equal(ram + offset, before + offset,
				    segment->length);
		assert_int_equal(ram[offset + segment->length], 0xcc);
	}
	assert_int_equal(bench.fake.disk[2 * 512 + total], 0);
}

static void test_limits(void **state)
{
	static const uint32_t seg_max[] = { 3, 7, 64, 126, UINT32_MAX };
	static const uint32_t size_max[] = { 512, 513, 1000, 4096, UINT32_MAX };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(seg_max); i++)
		for (unsigned n = 0; n < ARRAY_SIZE(size_max); n++) {
			limited(seg_max[i], size_max[n], 128, 0);
			limited(seg_max[i], size_max[n], 8, BIT(28));
			limited(seg_max[i], size_max[n], 8, BIT(28) | BIT(29));
			limited(seg_max[i], size_max[n], 16, BIT(29));
		}
	limited(1000, 300, 128, 0);
}

/* One segment at once, which has less than a sector. */
static void test_narrow(void **state)
{
	(void)state;
	bench.fake.device.offered &= ~BIT(2);
	started();
	make(0, VIRTIO_BLK_READ, 0, 0);
	add_segment(0, 0, 512);
	add_segment(0, 1000, 100);
	add_segment(0, 2000, 412);
	assert_int_equal(submit(0), -EINVAL);
	make(0, VIRTIO_BLK_READ, 0, 0);
	add_segment(0, 0, 1024);
	add_segment(0, 2048, 512);
	did(0, 0);
	assert_int_equal(bench.fake.commands, 2);
	/* Few enough, but too long, and not to be cut at sectors. */
	setup(NULL);
	bench.fake.device.offered |= BIT(1);
	fake_blk_config(&bench.fake, 8, 4, 300);
	fake_blk_config(&bench.fake, 12, 4, 2);
	started();
	make(0, VIRTIO_BLK_READ, 0, 0);
	add_segment(0, 0, 100);
	add_segment(0, 1000, 924);
	assert_int_equal(submit(0), -EINVAL);
}

/* The next command needs more descriptors than the last one gave back: it waits
 * for those of another request. */
static void test_partial_waits(void **state)
{
	(void)state;
	bench.fake.device.offered &= ~BIT(28);
	bench.fake.device.queue[0].max = 8;
	fake_blk_config(&bench.fake, 12, 4, 4);
	started();
	data(0, VIRTIO_BLK_READ, 0, 0, 512);
	assert_int_equal(send(0), 1);
	make(1, VIRTIO_BLK_READ, 1, 0);
	add_segment(1, 0x1000, 512);
	for (unsigned i = 0; i < 3; i++)
		add_segment(1, 0x2000U + i * 0x100, 100);
	add_segment(1, 0x3000, 724);
	assert_int_equal(send(1), 2);
	fake_blk_do(&bench.fake, 1);
	assert_int_equal(virtio_blk_poll(&bench.blk, 0), 1);
	assert_int_equal(bench.done, 0);
	assert_int_equal(fake_blk_fetch(&bench.fake), 1);
	run();
	came_back(0, 0);
	came_back(1, 0);
	assert_int_equal(bench.fake.commands, 3);
}

static void test_depth(void **state)
{
	(void)state;
	bench.config.depth = 3;
	started();
	for (unsigned i = 0; i < 4; i++) {
		data(i, VIRTIO_BLK_READ, i, 0, 512);
		assert_int_equal(submit(i), i < 3 ? 0 : -EAGAIN);
	}
	virtio_blk_kick(&bench.blk, 0);
	assert_int_equal(fake_blk_fetch(&bench.fake), 3);
	fake_blk_do(&bench.fake, 1);
	assert_int_equal(virtio_blk_poll(&bench.blk, 0), 1);
	came_back(1, 0);
	assert_int_equal(submit(3), 0);
	run();
	assert_int_equal(bench.done, 4);
}

/* One that needs more commands than there are goes on as they come back, and
 * nobody comes between. */
static void test_partial(void **state)
{
	(void)state;
	bench.config.depth = 2;
	fake_blk_config(&bench.fake, 12, 4, 1);
	started();
	make(0, VIRTIO_BLK_READ, 10, 0);
	for (unsigned i = 0; i < 5; i++)
		add_segment(0, i * 4096U, 512);
	data(1, VIRTIO_BLK_READ, 0, 0, 512);
	assert_int_equal(send(0), 2);
	assert_int_equal(submit(1), -EAGAIN);
	for (unsigned i = 0; i < 3; i++) {
		fake_blk_do(&bench.fake, 0);
		assert_int_equal(virtio_blk_poll(&bench.blk, 0), 1);
		assert_int_equal(fake_blk_fetch(&bench.fake), 2);
		assert_int_equal(submit(1), -EAGAIN);
		assert_int_equal(bench.done, 0);
	}
	fake_blk_do(&bench.fake, 1);
	assert_int_equal(virtio_blk_poll(&bench.blk, 0), 1);
	assert_int_equal(submit(1), 0);
	run();
	assert_true(bench.item[0].order < bench.item[1].order);
	assert_int_equal(bench.done, 2);
}

/* ---- Order and queues ------------------------------------------------------
 */

static uint64_t random_state = 0x2545f4914f6cdd1d;

static uint32_t random_below(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 16) % below;
}

#define LANES	   16 /* of 16 sectors, one request each */
#define LANE_BYTES (16 * 512)

static uint8_t expected[FAKE_SECTORS * 512];

/* What the pieces are multiples of. */
static uint32_t grain;

/* What lies in the lane of the request is as expected. */
static void lane_done(struct item *item)
{
	unsigned lane = (unsigned)(item - bench.item);
	uint64_t at = item->request.sector * 512;

	assert_int_equal(item->status, 0);
	if (item->request.op == VIRTIO_BLK_READ)
		assert_memory_equal(ram + lane * LANE_BYTES, expected + at,
				    item->request.segment[0].length +
					    item->request.segment[1].length);
}

static void lane_begin(unsigned lane)
{
	bool is_read = random_below(2);
	uint32_t first = random_below(8), count = 2 + random_below(7);
	uint32_t cut = grain * (1 + random_below(count * 512 / grain - 1));
	uint64_t sector = lane * 16 + first;
	uint8_t *at = ram + lane * LANE_BYTES;
	int error;

	make(lane, is_read ? VIRTIO_BLK_READ : VIRTIO_BLK_WRITE, sector, 0);
	add_segment(lane, lane * LANE_BYTES, cut);
	add_segment(lane, lane * LANE_BYTES + cut, count * 512 - cut);
	bench.item[lane].done = 0;
	if (!is_read)
		for (unsigned i = 0; i < count * 512; i++)
			at[i] = (uint8_t)random_below(256);
	error = virtio_blk_submit(&bench.blk,
				  random_below(bench.blk.queue_count),
				  &bench.item[lane].request);
	if (error) {
		assert_int_equal(error, -EAGAIN);
		bench.item[lane].done = 1;
	} else if (!is_read) {
		memcpy(expected + sector * 512, at, count * 512);
	}
}

static void shuffle(uint64_t hidden, uint16_t size, uint32_t with_grain)
{
	setup(NULL);
	grain = with_grain;
	bench.config.queues = 3;
	bench.config.depth = 5;
	bench.fake.device.offered |= BIT(12);
	bench.fake.device.offered &= ~hidden;
	bench.fake.device.queue_count = 5;
	fake_blk_config(&bench.fake, 34, 2, 5);
	for (unsigned i = 0; i < 5; i++)
		bench.fake.device.queue[i].max = size;
	started();
	assert_int_equal(bench.blk.queue_count, 3);
	bench.on_done = lane_done;
	memset(expected, 0, sizeof(expected));
	for (unsigned i = 0; i < LANES; i++)
		bench.item[i].done = 1;
	for (unsigned round = 0; round < 20000; round++) {
		unsigned lane = random_below(LANES), queue = random_below(3);

		if (bench.item[lane].done)
			lane_begin(lane);
		if (random_below(2))
			virtio_blk_kick(&bench.blk, queue);
		if (fake_blk_fetch(&bench.fake) && random_below(2))
			fake_blk_do(&bench.fake,
				    random_below(bench.fake.count));
		if (random_below(2))
			assert_true(virtio_blk_poll(&bench.blk, queue) >= 0);
	}
	for (unsigned i = 0; i < 3; i++)
		virtio_blk_kick(&bench.blk, i);
	run();
	for (unsigned i = 0; i < LANES; i++)
		assert_int_equal(bench.item[i].done, 1);
	assert_memory_equal(expected, bench.fake.disk, sizeof(expected));
	assert_true(bench.fake.commands > 5000);
}

static void test_shuffled(void **state)
{
	(void)state;
	shuffle(0, 16, 1);
	shuffle(BIT(29), 16, 1);
	shuffle(BIT(28), 8, 1);
	shuffle(BIT(28) | BIT(29), 16, 1);
	/* Two segments, one: the pieces of a request are commands. */
	shuffle(BIT(28), 4, 512);
	shuffle(BIT(2), 16, 512);
}

static void test_queue_count(void **state)
{
	static const struct {
		bool has_mq;
		uint16_t said, there, asked, expected;
	} cases[] = {
		{ false, 4, 4, 4, 1 },	   { true, 4, 4, 4, 4 },
		{ true, 4, 4, 2, 2 },	   { true, 2, 4, 4, 2 },
		{ true, 4, 3, 4, 3 },	   { true, 0, 4, 4, 1 },
		{ true, 0xffff, 8, 8, 8 },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(NULL);
		if (cases[i].has_mq)
			bench.fake.device.offered |= BIT(12);
		fake_blk_config(&bench.fake, 34, 2, cases[i].said);
		bench.fake.device.queue_count = cases[i].there;
		bench.config.queues = cases[i].asked;
		started();
		assert_int_equal(bench.blk.queue_count, cases[i].expected);
		for (unsigned n = 0; n < FAKE_QUEUES; n++)
			assert_int_equal(bench.fake.device.queue[n].is_enabled,
					 n < cases[i].expected);
	}
}

/* done() submits the next one at once: poll comes back all the same. */
static void again(struct item *item)
{
	item->done = 0;
	make(0, VIRTIO_BLK_READ, 0, 0);
	add_segment(0, 0, 512);
	assert_int_equal(submit(0), 0);
	virtio_blk_kick(&bench.blk, 0);
	fake_blk_do_all(&bench.fake);
}

static void test_endless(void **state)
{
	(void)state;
	started();
	bench.on_done = again;
	data(0, VIRTIO_BLK_READ, 0, 0, 512);
	assert_int_equal(send(0), 1);
	fake_blk_do_all(&bench.fake);
	assert_true(virtio_blk_poll(&bench.blk, 0) <= 2);
	assert_false(virtio_blk_sleep(&bench.blk, 0));
	assert_true(virtio_blk_poll(&bench.blk, 0) <= 2);
}

/* A whole batch is shown with one notification. */
static void test_batch(void **state)
{
	(void)state;
	started();
	for (unsigned i = 0; i < 10; i++) {
		data(i, VIRTIO_BLK_READ, i, 0, 512);
		assert_int_equal(submit(i), 0);
	}
	assert_int_equal(fake_blk_fetch(&bench.fake), 0);
	virtio_blk_kick(&bench.blk, 0);
	virtio_blk_kick(&bench.blk, 0);
	assert_int_equal(bench.fake.device.queue[0].notifications, 1);
	run();
	assert_int_equal(bench.done, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_plain),	  TEST(test_info),
		TEST(test_features),	  TEST(test_memory),
		TEST(test_bad_config),	  TEST(test_read_write),
		TEST(test_pieces),	  TEST(test_refused),
		TEST(test_read_only),	  TEST(test_flush),
		TEST(test_no_such),	  TEST(test_discard),
		TEST(test_discard_align), TEST(test_write_zeroes),
		TEST(test_serial),	  TEST(test_limits),
		TEST(test_narrow),	  TEST(test_depth),
		TEST(test_partial),	  TEST(test_shuffled),
		TEST(test_queue_count),	  TEST(test_endless),
		TEST(test_batch),	  TEST(test_partial_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
