/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/virtio_blk*.c on a device that fails, lies, goes silent, changes or
 * is reset: each request comes back once, with what is known of it, and after a
 * reset the device works again.
 */
#include "tests/unit/virtio_blk_test.h"

static void read_one(unsigned i)
{
	data(i, VIRTIO_BLK_READ, i, i * 512, 512);
	assert_int_equal(submit(i), 0);
	virtio_blk_kick(&bench.blk, 0);
	(void)fake_blk_fetch(&bench.fake);
}

/* It is broken, says why, and takes nothing more, until it is reset. */
static void broke(const char *why, unsigned in_flight)
{
	unsigned before = bench.done;

	assert_int_equal(virtio_blk_poll(&bench.blk, 0), -EPROTO);
	assert_non_null(strstr(virtio_blk_why(&bench.blk), why));
	assert_int_equal(virtio_blk_poll(&bench.blk, 0), -EPIPE);
	assert_true(virtio_blk_sleep(&bench.blk, 0));
	data(99, VIRTIO_BLK_READ, 0, 0, 512);
	assert_int_equal(submit(99), -EPIPE);
	virtio_blk_kick(&bench.blk, 0);
	assert_int_equal(virtio_blk_start(&bench.blk), in_flight ? -EBUSY : 0);
	assert_int_equal(bench.done, before);
	assert_int_equal(virtio_blk_reset(&bench.blk), 0);
	assert_int_equal(bench.done, before + in_flight);
	assert_int_equal(virtio_blk_start(&bench.blk), 0);
	did(99, 0);
}

/* ---- Statuses --------------------------------------------------------------
 */

static void test_statuses(void **state)
{
	static const struct {
		uint8_t status;
		int error;
		unsigned bad;
	} cases[] = {
		{ 0, 0, 0 },	   { 1, -EIO, 0 },    { 2, -ENOSYS, 0 },
		{ 3, -EIO, 1 },	   { 4, -EIO, 1 },    { 0x80, -EIO, 1 },
		{ 0xfe, -EIO, 1 }, { 0xff, -EIO, 1 }, /* never written */
	};

	(void)state;
	started();
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t bad = bench.blk.bad_statuses;

		read_one(i);
		fake_blk_finish(&bench.fake, 0, cases[i].status, FAKE_LENGTH);
		assert_int_equal(virtio_blk_poll(&bench.blk, 0), 1);
		came_back(i, cases[i].error);
		assert_int_equal(bench.blk.bad_statuses - bad, cases[i].bad);
		if (cases[i].error)
			assert_int_equal(bench.item[i].request.error_sector, i);
	}
	did(1, 0);
}

/* Good, but not all of it was read: no one knows what is in memory. */
static void test_short_read(void **state)
{
	static const uint32_t lengths[] = { 0, 1, 511 };

	(void)state;
	started();
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		read_one(i);
		fake_blk_finish(&bench.fake, 0, 0, lengths[i]);
		assert_int_equal(virtio_blk_poll(&bench.blk, 0), 1);
		came_back(i, -EIO);
	}
	assert_int_equal(bench.blk.short_reads, 3);
	read_one(3);
	fake_blk_finish(&bench.fake, 0, 0, 512);
	assert_int_equal(virtio_blk_poll(&bench.blk, 0), 1);
	came_back(3, 0);
	/* Of others only the status counts. */
	data(4, VIRTIO_BLK_WRITE, 0, 0, 512);
	assert_int_equal(send(4), 1);
	fake_blk_finish(&bench.fake, 0, 0, 0);
	assert_int_equal(virtio_blk_poll(&bench.blk, 0), 1);
	came_back(4, 0);
}

/* A failed serial is none. */
static void test_serial_failed(void **state)
{
	(void)state;
	started();
	make(0, VIRTIO_BLK_GET_SERIAL, 0, 0);
	assert_int_equal(send(0), 1);
	fake_blk_finish(&bench.fake, 0, 2, 1);
	assert_int_equal(virtio_blk_poll(&bench.blk, 0), 1);
	came_back(0, -ENOSYS);
	assert_string_equal(bench.blk.serial, "");
	/* Good, and nothing was written. */
	make(1, VIRTIO_BLK_GET_SERIAL, 0, 0);
	assert_int_equal(send(1), 1);
	fake_blk_finish(&bench.fake, 0, 0, 1);
	assert_int_equal(virtio_blk_poll(&bench.blk, 0), 1);
	came_back(1, 0);
	assert_string_equal(bench.blk.serial, "");
}

/* One command of several fails: it comes back when none is in flight, no more
 * are made, and the lowest that failed is told. */
static void test_part_fails(void **state)
{
	(void)state;
	bench.config.depth = 3;
	fake_blk_config(&bench.fake, 12, 4, 1);
	started();
	make(0, VIRTIO_BLK_WRITE, 10, 0);
	for (unsigned i = 0; i < 8; i++)
		add_segment(0, i * 4096U, 512);
	assert_int_equal(send(0), 3);
	fake_blk_finish(&bench.fake, 2, 1, FAKE_LENGTH);
	assert_int_equal(virtio_blk_poll(&bench.blk, 0), 1);
	assert_int_equal(fake_blk_fetch(&bench.fake), 2);
	assert_int_equal(bench.done, 0);
	fake_blk_finish(&bench.fake, 1, 2, FAKE_LENGTH);
	assert_int_equal(virtio_blk_poll(&bench.blk, 0), 1);
	/* There is room for others again. */
	read_one(1);
	assert_int_equal(bench.fake.count, 2);
	fake_blk_do(&bench.fake, 0);
	assert_int_equal(virtio_blk_poll(&bench.blk, 0), 1);
	came_back(0, -EIO);
	assert_int_equal(bench.item[0].request.error_sector, 11);
	run();
	came_back(1, 0);
	assert_int_equal(bench.fake.commands, 4);
}

/* ---- A used ring that makes no sense ---------------------------------------
 */

static struct fake_ring *ring(void)
{
	return &bench.fake.device.queue[0].ring;
}

static void test_index_jumps(void **state)
{
	(void)state;
	started();
	read_one(0);
	read_one(1);
	*fake_ring_used_index(ring()) = 3;
	broke("used index", 2);
	came_back(0, -EPIPE);
	came_back(1, -EPIPE);
	assert_true(bench.item[0].order < bench.item[1].order);
}

/* With nothing in flight: found out, not taken for more work for ever. */
static void test_index_idle(void **state)
{
	(void)state;
	started();
	*fake_ring_used_index(ring()) = 1;
	assert_false(virtio_blk_sleep(&bench.blk, 0));
	broke("used index", 0);
}

static void test_ids(void **state)
{
	(void)state;
	started();
	read_one(0);
	(void)fake_ring_push(ring(), 128, 1);
	broke("out of range", 1);
	read_one(1);
	(void)fake_ring_push(ring(), 55, 1);
	broke("not in flight", 1);
	read_one(2);
	read_one(3);
	(void)fake_ring_push(ring(), bench.fake.waiting[0].chain.head, 512);
	(void)fake_ring_push(ring(), bench.fake.waiting[0].chain.head, 512);
	assert_int_equal(virtio_blk_poll(&bench.blk, 0), -EPROTO);
	/* The first of the two was as good as any. */
	assert_int_equal(bench.item[2].done, 1);
	assert_int_equal(bench.item[3].done, 0);
	assert_int_equal(virtio_blk_reset(&bench.blk), 0);
	came_back(2, -EIO);
	came_back(3, -EPIPE);
}

static void test_length(void **state)
{
	(void)state;
	started();
	read_one(0);
	(void)fake_ring_push(ring(), bench.fake.waiting[0].chain.head, 514);
	broke("length", 1);
}

/* ---- Silence and reset ------------------------------------------------------
 */

static void test_stuck(void **state)
{
	uint64_t begun;

	(void)state;
	started();
	assert_int_equal(virtio_blk_oldest_ns(&bench.blk), UINT64_MAX);
	read_one(0);
	begun = bench.item[0].request.begun_ns;
	read_one(1);
	bench.fake.device.now_ns += 30 * NSEC_PER_SEC;
	read_one(2);
	assert_int_equal(virtio_blk_oldest_ns(&bench.blk), begun);
	fake_blk_do(&bench.fake, 1);
	assert_int_equal(virtio_blk_poll(&bench.blk, 0), 1);
	assert_int_equal(virtio_blk_oldest_ns(&bench.blk), begun);
	fake_blk_do(&bench.fake, 0);
	assert_int_equal(virtio_blk_poll(&bench.blk, 0), 1);
	assert_true(virtio_blk_oldest_ns(&bench.blk) >
		    begun + 30 * NSEC_PER_SEC);
}

/* All come back once, those of which some commands were never made too. */
static void test_reset(void **state)
{
	(void)state;
	bench.config.depth = 4;
	fake_blk_config(&bench.fake, 12, 4, 1);
	started();
	read_one(0);
	make(1, VIRTIO_BLK_FLUSH, 0, 0);
	assert_int_equal(submit(1), 0);
	make(2, VIRTIO_BLK_WRITE, 10, 0);
	for (unsigned i = 0; i < 9; i++)
		add_segment(2, i * 4096U, 512);
	assert_int_equal(submit(2), 0);
	virtio_blk_kick(&bench.blk, 0);
	assert_int_equal(fake_blk_fetch(&bench.fake), 4);
	/* Done, and never seen. */
	fake_blk_do(&bench.fake, 0);
	assert_int_equal(virtio_blk_reset(&bench.blk), 0);
	for (unsigned i = 0; i < 3; i++) {
		came_back(i, -EPIPE);
		assert_int_equal(bench.item[i].order, i);
	}
	assert_int_equal(virtio_blk_reset(&bench.blk), 0);
	assert_int_equal(bench.done, 3);
	assert_int_equal(virtio_blk_start(&bench.blk), 0);
	/* Again, as they are. */
	for (unsigned i = 0; i < 3; i++) {
		did(i, 0);
	}
}

static void refuse_again(struct item *item)
{
	assert_int_equal(virtio_blk_submit(&bench.blk, 0, &item->request),
			 -EPIPE);
}

static void test_reset_submits(void **state)
{
	(void)state;
	started();
	for (unsigned i = 0; i < 5; i++)
		read_one(i);
	bench.on_done = refuse_again;
	assert_int_equal(virtio_blk_reset(&bench.blk), 0);
	assert_int_equal(bench.done, 5);
	/* The same when others have stopped it. */
	assert_int_equal(virtio_blk_start(&bench.blk), 0);
	read_one(0);
	virtio_blk_return_all(&bench.blk);
	assert_int_equal(bench.done, 6);
	assert_int_equal(virtio_blk_oldest_ns(&bench.blk), UINT64_MAX);
}

/* A device that does not stop may still write: what it has stays, until others
 * have stopped it. */
static void test_reset_fails(void **state)
{
	(void)state;
	started();
	read_one(0);
	bench.fake.device.reset_reads = UINT32_MAX;
	bench.fake.device.step_ns = NSEC_PER_MS;
	assert_int_equal(virtio_blk_reset(&bench.blk), -EIO);
	assert_non_null(strstr(virtio_blk_why(&bench.blk), "reset"));
	assert_int_equal(bench.done, 0);
	assert_int_equal(virtio_blk_start(&bench.blk), -EBUSY);
	virtio_blk_return_all(&bench.blk);
	came_back(0, -EPIPE);
	assert_int_equal(virtio_blk_start(&bench.blk), -EIO);
	bench.fake.device.reset_reads = 3;
	assert_int_equal(virtio_blk_start(&bench.blk), 0);
	did(0, 0);
}

/* ---- Interrupts
 * -------------------------------------------------------------- */

static uint32_t interrupt(uint16_t vector)
{
	uint32_t queues = 0;

	assert_int_equal(virtio_blk_interrupt(&bench.blk, vector, &queues), 0);
	return queues;
}

static void test_intx(void **state)
{
	(void)state;
	started();
	assert_int_equal(interrupt(0), 0);
	read_one(0);
	fake_blk_do(&bench.fake, 0);
	assert_int_equal(bench.fake.device.isr, 1);
	assert_int_equal(interrupt(0), 1);
	assert_int_equal(bench.fake.device.isr, 0);
	assert_int_equal(virtio_blk_poll(&bench.blk, 0), 1);
	assert_true(virtio_blk_sleep(&bench.blk, 0));
	assert_int_equal(virtio_blk_reset(&bench.blk), 0);
	assert_int_equal(interrupt(0), 0);
}

static void msix(uint16_t vectors, const uint16_t *expected)
{
	setup(NULL);
	bench.config.queues = 4;
	bench.fake.device.offered |= BIT(12);
	fake_blk_config(&bench.fake, 34, 2, 4);
	bench.fake.device.queue_count = 4;
	bench.fake.device.access.vector_count = vectors;
	started();
	assert_int_equal(bench.fake.device.config_vector, 0);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(bench.blk.queue[i].vector, expected[i]);
		assert_int_equal(bench.fake.device.queue[i].vector,
				 expected[i]);
		data(i, VIRTIO_BLK_READ, i, 0, 512);
		assert_int_equal(virtio_blk_submit(&bench.blk, i,
						   &bench.item[i].request),
				 0);
		virtio_blk_kick(&bench.blk, i);
		fake_blk_do_all(&bench.fake);
		assert_true(bench.fake.device.interrupts & 1U << expected[i]);
		assert_true(interrupt(expected[i]) & 1U << i);
		assert_int_equal(virtio_blk_poll(&bench.blk, i), 1);
		came_back(i, 0);
	}
	/* The ISR is not read then. */
	assert_int_equal(bench.fake.device.isr, 0);
	fake_virtio_config_changed(&bench.fake.device);
	fake_blk_config(&bench.fake, 0, 8, 77);
	assert_int_equal(interrupt(0), vectors == 1 ? 15 : 0);
	assert_int_equal(bench.blk.info.sectors, 77);
	assert_int_equal(bench.resized, 1);
}

static void test_msix(void **state)
{
	(void)state;
	msix(1, (const uint16_t[]){ 0, 0, 0, 0 });
	msix(2, (const uint16_t[]){ 1, 1, 1, 1 });
	msix(3, (const uint16_t[]){ 1, 2, 1, 2 });
	msix(5, (const uint16_t[]){ 1, 2, 3, 4 });
	msix(9, (const uint16_t[]){ 1, 2, 3, 4 });
	setup(NULL);
	bench.fake.device.access.vector_count = 2;
	bench.fake.device.is_vector_averse = true;
	assert_int_equal(start(), -EPROTO);
	assert_non_null(strstr(virtio_blk_why(&bench.blk), "vectors"));
}

/* ---- Its configuration
 * ------------------------------------------------------- */

static void test_resized(void **state)
{
	(void)state;
	started();
	fake_blk_config(&bench.fake, 0, 8, 100);
	fake_virtio_config_changed(&bench.fake.device);
	assert_int_equal(interrupt(0), 0);
	assert_int_equal(bench.resized, 1);
	data(0, VIRTIO_BLK_READ, 100, 0, 512);
	assert_int_equal(submit(0), -ERANGE);
	fake_virtio_config_changed(&bench.fake.device);
	assert_int_equal(interrupt(0), 0);
	assert_int_equal(bench.resized, 1);
}

/* Both halves of the capacity are of one time. */
static void change(struct fake_virtio *device)
{
	uint32_t *half = (uint32_t *)device->config;

	half[0] += 0x11;
	half[1] += 0x11;
}

static void config_broke(int error, const char *why)
{
	uint32_t queues;

	assert_int_equal(virtio_blk_interrupt(&bench.blk, 0, &queues), error);
	assert_non_null(strstr(virtio_blk_why(&bench.blk), why));
	data(9, VIRTIO_BLK_READ, 0, 0, 512);
	assert_int_equal(submit(9), -EPIPE);
}

static void test_torn(void **state)
{
	(void)state;
	fake_blk_config(&bench.fake, 0, 8, 0x100000001);
	bench.fake.device.config_changing = change;
	started();
	bench.fake.device.config_changes = 9;
	fake_virtio_config_changed(&bench.fake.device);
	assert_int_equal(interrupt(0), 0);
	assert_int_equal(bench.blk.info.sectors,
			 0x100000001 + 9 * 0x1100000011);
	bench.fake.device.config_changes = UINT32_MAX;
	fake_virtio_config_changed(&bench.fake.device);
	config_broke(-EPROTO, "faster");
	assert_int_equal(virtio_blk_reset(&bench.blk), 0);
	assert_int_equal(virtio_blk_start(&bench.blk), -EPROTO);
}

static void test_needs_reset(void **state)
{
	(void)state;
	started();
	read_one(0);
	bench.fake.device.status |= 0x40;
	fake_virtio_config_changed(&bench.fake.device);
	config_broke(-EPROTO, "reset");
	assert_int_equal(bench.item[0].done, 0);
	assert_int_equal(virtio_blk_reset(&bench.blk), 0);
	came_back(0, -EPIPE);
	assert_int_equal(virtio_blk_start(&bench.blk), 0);
	did(9, 0);
}

static void test_grows_too_large(void **state)
{
	(void)state;
	started();
	fake_blk_config(&bench.fake, 0, 8, UINT64_MAX);
	fake_virtio_config_changed(&bench.fake.device);
	config_broke(-EPROTO, "large");
}

static void refused(int error, const char *why)
{
	assert_int_equal(start(), error);
	assert_non_null(strstr(virtio_blk_why(&bench.blk), why));
	data(0, VIRTIO_BLK_READ, 0, 0, 512);
	assert_int_equal(submit(0), -EPIPE);
}

static void test_not_a_disk(void **state)
{
	(void)state;
	bench.fake.device.pci_config[2] = 0x41;
	refused(-ENODEV, "another kind");
	setup(NULL);
	bench.fake.device.offered &= ~VIRTIO_F_VERSION_1;
	refused(-ENODEV, "legacy");
	assert_true(bench.fake.device.status & 0x80);
	setup(NULL);
	bench.fake.device.pci_config[6] = 0;
	refused(-ENODEV, "legacy");
	setup(NULL);
	bench.fake.device.is_feature_averse = true;
	refused(-ENODEV, "features");
	setup(NULL);
	bench.fake.device.is_dying = true;
	refused(-EPROTO, "start");
	setup(NULL);
	bench.fake.device.reset_reads = UINT32_MAX;
	bench.fake.device.step_ns = NSEC_PER_MS;
	refused(-EIO, "reset");
}

static void test_impossible(void **state)
{
	static const uint16_t sizes[] = { 0, 1, 2 };

	(void)state;
	fake_blk_config(&bench.fake, 0, 8, 1ULL << 54);
	refused(-EPROTO, "large");
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		setup(NULL);
		bench.fake.device.queue[0].max = sizes[i];
		refused(-EPROTO, "short");
	}
	setup(NULL);
	bench.fake.device.queue[0].max = 48;
	refused(-EPROTO, "power of two");
	setup(NULL);
	bench.fake.device.queue_count = 0;
	refused(-EPROTO, "short");
	setup(NULL);
	bench.fake.device.offered |= BIT(1);
	refused(-EPROTO, "no whole sector"); /* a segment has 0 bytes */
	fake_blk_config(&bench.fake, 8, 4, 100);
	fake_blk_config(&bench.fake, 12, 4, 5);
	refused(-EPROTO, "no whole sector");
	fake_blk_config(&bench.fake, 12, 4, 6);
	started();
}

/* Hints that are wrong are none. */
static void test_hints(void **state)
{
	static const struct {
		uint32_t block, exp, io;
	} cases[] = {
		{ 0, 0, 0 },
		{ 511, 0, 0 },
		{ 1000, 1, 0 },
		{ 256, 0, 0 },
		{ 0x80000000, 0, 0 },
		{ 512, 200, 1 },
		{ 512, 16, 1 },
		{ 4096, 17, UINT32_MAX },
		{ UINT32_MAX, 255, UINT32_MAX },
		{ 4096, 0, UINT32_MAX },
		{ 4096, 1, 1 },
	};
	const struct virtio_blk_info *info = &bench.blk.info;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(NULL);
		bench.fake.device.offered |= BIT(6) | BIT(10);
		fake_blk_config(&bench.fake, 20, 4, cases[i].block);
		fake_blk_config(&bench.fake, 24, 1, cases[i].exp);
		fake_blk_config(&bench.fake, 28, 4, cases[i].io);
		started();
		assert_true(info->block_size == 512 ||
			    info->block_size == 4096);
		assert_true(info->physical_block_size >= info->block_size &&
			    info->physical_block_size <= MIB(1));
		if (info->io_best)
			assert_int_equal(info->io_best / info->block_size,
					 cases[i].io);
		data(0, VIRTIO_BLK_READ, 0, 0, 512);
		did(0, 0);
	}
}

/* Registers that end early: what would be behind reads as nothing. */
static void test_short_config(void **state)
{
	(void)state;
	bench.fake.device.offered |=
		BIT(6) | BIT(10) | BIT(11) | BIT(12) | BIT(13) | BIT(14);
	memset(bench.fake.device.config + 8, 0xff, FAKE_CONFIG_MAX - 8);
	for (uint32_t length = 4; length < FAKE_CONFIG_MAX; length++) {
		fake_virtio_cap(&bench.fake.device, 4, FAKE_BAR, FAKE_CONFIG,
				length);
		started();
		assert_int_equal(bench.blk.info.sectors, FAKE_SECTORS);
		assert_int_equal(bench.blk.info.can_discard, length >= 44);
	}
}

/* ---- The write cache
 * ---------------------------------------------------------- */

static void stubborn(struct fake_virtio *device, unsigned offset)
{
	device->config[offset] = 1;
}

static void test_write_cache(void **state)
{
	(void)state;
	started();
	assert_int_equal(virtio_blk_set_write_cache(&bench.blk, false),
			 -ENOSYS);
	bench.fake.device.offered |= BIT(11);
	fake_blk_config(&bench.fake, 32, 1, 1);
	started();
	assert_true(bench.blk.info.has_write_cache);
	assert_int_equal(virtio_blk_set_write_cache(&bench.blk, false), 0);
	assert_int_equal(bench.fake.device.config[32], 0);
	assert_false(bench.blk.info.has_write_cache);
	assert_int_equal(virtio_blk_set_write_cache(&bench.blk, true), 0);
	assert_true(bench.blk.info.has_write_cache);
	bench.fake.device.config_written = stubborn;
	assert_int_equal(virtio_blk_set_write_cache(&bench.blk, false), -EIO);
	assert_true(bench.blk.info.has_write_cache);
	assert_int_equal(virtio_blk_reset(&bench.blk), 0);
	assert_int_equal(virtio_blk_set_write_cache(&bench.blk, true), -EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_statuses),	  TEST(test_short_read),
		TEST(test_serial_failed), TEST(test_part_fails),
		TEST(test_index_jumps),	  TEST(test_index_idle),
		TEST(test_ids),		  TEST(test_length),
		TEST(test_stuck),	  TEST(test_reset),
		TEST(test_reset_submits), TEST(test_reset_fails),
		TEST(test_intx),	  TEST(test_msix),
		TEST(test_resized),	  TEST(test_torn),
		TEST(test_needs_reset),	  TEST(test_grows_too_large),
		TEST(test_not_a_disk),	  TEST(test_impossible),
		TEST(test_hints),	  TEST(test_short_config),
		TEST(test_write_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
