/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * services/disk/virtio_drive.c between the core of `disk`, with one client, and
 * a device that does what it should, or lies, breaks, or says nothing.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#define IMAGE_BLOCKS 256u

#include "lib/user/disk_client.h"
#include "services/disk/virtio_drive.h"
#include "tests/unit/fake/virtio/blk.h"
#include "tests/unit/gpt_image.h"

#define DMA_AT	 0x7654000ULL
#define RAM_AT	 0x1200000000ULL
#define RAM_SIZE KIB(256)
#define DMA_SIZE (DISK_DMA_PAGES * PAGE_SIZE)
#define MASTER	 4 /* of the command register */

static uint8_t dma[DMA_SIZE] __aligned(4096);
static uint8_t ram[RAM_SIZE];
static struct image image;
static struct disk disk;
static struct virtio_drive drive;
static struct partition_table table;
static struct disk_channel channel __aligned(4096);

static struct {
	struct fake_blk fake;
	struct virtio_drive_config config;
	bool is_mute;	     /* answers nothing */
	unsigned mute_after; /* commands; 0: as is_mute has it */
	unsigned runaways;
	jmp_buf end;
	char log[4096];
	struct disk_client_link link;
	uint64_t chunk[1], pages[DISK_CHANNEL_PAGES];
	uint64_t id;
	unsigned answers;
	int status[256]; /* by id; 1: none yet */
} bench;

static struct fake_virtio *device(void)
{
	return &bench.fake.device;
}

/* ---- The service's ground ------------------------------------------------ */

static void doorbell(void *ctx, unsigned slot)
{
	(void)ctx;
	(void)slot;
}

static void say(void *ctx, const char *text)
{
	size_t length = strlen(bench.log);

	(void)ctx;
	snprintf(bench.log + length, sizeof(bench.log) - length, "%s\n", text);
}

static void broken(void *ctx, unsigned slot, const char *why)
{
	(void)ctx;
	(void)slot;
	fail_msg("%s", why);
}

static const struct disk_ops disk_ops = {
	.doorbell = doorbell,
	.log = say,
	.broken = broken,
};

static void interrupts(void)
{
	uint32_t vectors = device()->interrupts;

	device()->interrupts = 0;
	if (device()->access.vector_count)
		virtio_drive_interrupt(&drive, vectors);
	else if (device()->isr)
		virtio_drive_interrupt(&drive, BIT(0));
}

static void device_work(void)
{
	if (bench.mute_after && bench.fake.commands >= bench.mute_after)
		bench.is_mute = true;
	if (!bench.is_mute)
		fake_blk_do_all(&bench.fake);
}

static void wait(void *ctx, uint64_t deadline_ns)
{
	(void)ctx;
	device_work();
	if (!device()->interrupts && !device()->isr)
		device()->now_ns = MAX(device()->now_ns, deadline_ns);
	interrupts();
}

static void runaway(void *ctx)
{
	(void)ctx;
	bench.runaways++;
	longjmp(bench.end, 1);
}

static const struct virtio_drive_ops drive_ops = {
	.wait = wait,
	.runaway = runaway,
};

static int teardown(void **state)
{
	(void)state;
	fake_blk_fini(&bench.fake);
	return 0;
}

static int setup(void **state)
{
	struct gpt_layout layout;

	teardown(state);
	memset(&bench, 0, sizeof(bench));
	memset(&disk, 0, sizeof(disk));
	memset(&drive, 0, sizeof(drive));
	memset(&channel, 0, sizeof(channel));
	memset(dma, 0xee, sizeof(dma));
	memset(ram, 0xaa, sizeof(ram));
	bench.fake.device.memory = (struct fake_memory){
		.count = 3,
		.region = { { dma, DMA_AT, sizeof(dma) },
			    { ram, RAM_AT, sizeof(ram) },
			    { (uint8_t *)&channel, (uintptr_t)&channel,
			      sizeof(channel) } },
	};
	fake_blk_init(&bench.fake);
	bench.fake.serial = "ABC-123";
	image_init(&image, 512);
	layout = gpt_layout(&image);
	gpt_make(&image, &layout);
	memcpy(bench.fake.disk, image.bytes, FAKE_SECTORS * 512);
	bench.config = (struct virtio_drive_config){
		.ops = &drive_ops,
		.address = 0x0020,
		.memory = { dma, DMA_AT, sizeof(dma) },
	};
	disk_init(&disk, &disk_ops, NULL, NULL);
	return 0;
}

static int start(void)
{
	bench.config.pci = device()->access;
	return virtio_drive_start(&drive, &bench.config, &disk, &table);
}

static bool is_logged(const char *text)
{
	bool is = strstr(bench.log, text);

	if (!is)
		print_message("no \"%s\" in:\n%s", text, bench.log);
	return is;
}

static bool is_master(void)
{
	return device()->pci_config[4] & MASTER;
}

/* ---- A client ------------------------------------------------------------ */

static void answered(void *ctx, uint64_t id, int status, uint64_t sector)
{
	(void)ctx;
	(void)sector;
	assert_int_equal(bench.status[id % 256], 1);
	bench.answers++;
	bench.status[id % 256] = status;
}

static void client_bell(void *ctx)
{
	(void)ctx;
	disk_ring(&disk, 1);
}

static const struct disk_client_ops client_ops = { answered, client_bell,
						   NULL };

static void client_begin(void)
{
	const struct disk_unit_spec spec = { .count = FAKE_SECTORS };
	const struct dma_window window[WINDOWS] = {
		{ bench.chunk, RAM_SIZE, 21, 0 },
		{ bench.pages +
			  offsetof(struct disk_channel, bounce) / PAGE_SIZE,
		  DISK_BOUNCE_SIZE, PAGE_SHIFT, 0 },
	};

	bench.chunk[0] = RAM_AT;
	for (unsigned i = 0; i < DISK_CHANNEL_PAGES; i++)
		bench.pages[i] = (uintptr_t)&channel + i * PAGE_SIZE;
	assert_int_equal(disk_client_add(&disk, 1, "m", 1, &channel, window),
			 0);
	assert_int_equal(disk_unit_add(&disk, 1, 0, &spec), 0);
	assert_int_equal(disk_client_start(&disk, 1), 0);
	disk_client_init(&bench.link, &channel, 1, &client_ops, NULL);
}

static void started(void)
{
	assert_int_equal(start(), 0);
	client_begin();
}

static void turn(void)
{
	for (unsigned i = 0; i < 3; i++) {
		disk_run(&disk, device()->now_ns);
		disk_client_run(&bench.link);
	}
	disk_run(&disk, device()->now_ns);
}

/* Until all is answered; time passes when nothing else happens. */
static void finish(void)
{
	for (unsigned i = 0; i < 10000; i++) {
		turn();
		if (!bench.link.count)
			return;
		device_work();
		if (!device()->interrupts && !device()->isr && !drive.ready)
			device()->now_ns = MIN(device()->now_ns + NSEC_PER_SEC,
					       disk_deadline(&disk));
		interrupts();
		(void)virtio_drive_poll(&drive);
	}
	fail_msg("no end; log:\n%s", bench.log);
}

static uint64_t send(enum disk_op op, uint64_t sector, uint32_t count,
		     uint64_t where)
{
	struct disk_request request = {
		.id = ++bench.id,
		.op = op,
		.sector = sector,
		.sector_count = count,
	};

	if (op == DISK_OP_READ || op == DISK_OP_WRITE) {
		request.segment_count = 1;
		request.segment[0].where = where;
		request.segment[0].length = count * 512;
	}
	bench.status[bench.id % 256] = 1;
	assert_int_equal(disk_client_submit(&bench.link, &request), 0);
	return bench.id;
}

static int ask(enum disk_op op, uint64_t sector, uint32_t count, uint64_t where)
{
	uint64_t id = send(op, sector, count, where);

	finish();
	assert_int_not_equal(bench.status[id % 256], 1);
	return bench.status[id % 256];
}

/* Its serial number answers for it: all works from end to end. */
static void works(void)
{
	memset(ram, 0x5a, 4096);
	assert_int_equal(ask(DISK_OP_WRITE, 100, 8, 0), 0);
	assert_int_equal(ask(DISK_OP_READ, 100, 8, 8192), 0);
	assert_memory_equal(ram, ram + 8192, 4096);
	assert_memory_equal(bench.fake.disk + 100 * 512, ram, 4096);
	assert_int_equal(ask(DISK_OP_FLUSH, 0, 0, 0), 0);
}

/* ---- Starting ------------------------------------------------------------ */

static void test_start(void **state)
{
	const struct drive_info *info = &disk.drive[0].info;

	(void)state;
	fake_blk_config(&bench.fake, 36, 4, 1000);
	fake_blk_config(&bench.fake, 40, 4, 1);
	fake_blk_config(&bench.fake, 48, 4, 100);
	fake_blk_config(&bench.fake, 52, 4, 1);
	device()->offered |= BIT(13) | BIT(14);
	assert_int_equal(start(), 0);
	assert_string_equal(info->serial, "ABC-123");
	assert_int_equal(info->sector_count, FAKE_SECTORS);
	assert_int_equal(info->block_size, 512);
	assert_int_equal(info->depth, DISK_DEPTH);
	assert_int_equal(info->segments_max, VIRTIO_BLK_SEGMENTS);
	assert_int_equal(info->clear_max, 100);
	assert_true(info->has_flush && info->has_discard &&
		    info->has_write_zeroes && !info->has_fua);
	assert_int_equal(table.kind, TABLE_GPT);
	assert_string_equal(table.partition[0].label, "root");
	assert_true(is_logged("drive \"ABC-123\", 00:04.0: 128 KiB, 1 queue of "
			      "16, 64 segments, flush, discard, write zeroes"));
	for (unsigned i = 0; i < PAGE_SIZE; i++)
		assert_int_equal(dma[info->zeroes - DMA_AT + i], 0);
	client_begin();
	works();
	assert_int_equal(ask(DISK_OP_WRITE_ZEROES, 100, 8, 0), 0);
	assert_int_equal(ask(DISK_OP_READ, 100, 8, 0), 0);
	assert_int_equal(ram[0], 0);
	assert_int_equal(ask(DISK_OP_DISCARD, 0, FAKE_SECTORS, 0), 0);
	assert_int_equal(bench.fake.disk[512], 0xdd);
	assert_int_equal(bench.fake.flushes, 1);
}

/* What init grants is enough, and not twice as much as is. */
static void test_memory(void **state)
{
	uint64_t needed = 2 * PAGE_SIZE +
			  virtio_blk_dma_size(VIRTIO_DRIVE_QUEUES, DISK_DEPTH);

	(void)state;
	print_message("%llu of %u bytes\n", (unsigned long long)needed,
		      (unsigned)DMA_SIZE);
	assert_in_range(needed, DMA_SIZE / 2 + 1, DMA_SIZE);
	bench.config.memory.size = PAGE_SIZE;
	assert_true(start() < 0);
	assert_true(is_logged("00:04.0 was given too little memory"));
	assert_false(is_master());
}

static void test_queues(void **state)
{
	unsigned notified = 0;

	(void)state;
	device()->access.vector_count = 4;
	device()->queue_count = 8;
	device()->offered |= BIT(12);
	fake_blk_config(&bench.fake, 34, 2, 8);
	started();
	assert_true(is_logged("3 queues of 16"));
	works();
	for (unsigned i = 0; i < 30; i++)
		send(i % 2 ? DISK_OP_READ : DISK_OP_WRITE, i * 4, 4, i * 2048);
	finish();
	for (unsigned i = 0; i < 8; i++)
		notified += device()->queue[i].notifications > 1;
	assert_int_equal(notified, 3);
	assert_int_equal(bench.answers, 33);
}

static void test_fragments(void **state)
{
	struct disk_request request = { .id = 99,
					.op = DISK_OP_WRITE,
					.sector_count = 32,
					.segment_count = 64 };

	(void)state;
	/* A device that takes two pieces of 1 KiB at once. */
	fake_blk_config(&bench.fake, 12, 4, 2);
	fake_blk_config(&bench.fake, 8, 4, 1024);
	device()->offered |= BIT(1);
	started();
	for (unsigned i = 0; i < 64; i++) {
		request.segment[i].where = i * 1024;
		request.segment[i].length = 256;
		memset(ram + i * 1024, (int)i, 256);
	}
	bench.status[99] = 1;
	assert_int_equal(disk_client_submit(&bench.link, &request), 0);
	finish();
	assert_int_equal(bench.status[99], 0);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(bench.fake.disk[i * 256 + 255], i);
	assert_int_equal(ask(DISK_OP_READ, 0, 200, 0), 0);
	assert_memory_equal(ram, bench.fake.disk, 200 * 512);
}

static void test_legacy(void **state)
{
	(void)state;
	memcpy(&device()->pci_config[2], "\x01\x10", 2);
	device()->pci_config[0x34] = FAKE_CAP_MSIX;
	assert_int_equal(start(), -ENODEV);
	assert_true(is_logged("00:04.0 is a legacy virtio device"));
	assert_true(is_logged("left alone"));
	assert_int_equal(drive.state, VIRTIO_DRIVE_NONE);
	assert_false(is_master());
	assert_null(disk.drive[0].ops);
}

static void test_blocks(void **state)
{
	(void)state;
	device()->offered |= BIT(6);
	fake_blk_config(&bench.fake, 20, 4, 8192);
	assert_true(start() < 0);
	assert_true(is_logged("blocks of more than 4 KiB"));
	setup(state);
	device()->offered |= BIT(6);
	fake_blk_config(&bench.fake, 20, 4, 4096);
	fake_blk_config(&bench.fake, 0, 8, FAKE_SECTORS - 3);
	assert_int_equal(start(), 0);
	assert_int_equal(disk.drive[0].info.sector_count, FAKE_SECTORS - 8);
}

/* A write cache that is off is turned on: there is a flush. */
static void test_cache(void **state)
{
	(void)state;
	device()->offered |= BIT(11);
	assert_int_equal(start(), 0);
	assert_int_equal(device()->config[32], 1);
}

/* Nothing at all, nothing after its serial number, nothing after a block. */
static void test_mute_at_start(void **state)
{
	for (unsigned after = 1; after < 6; after++) {
		uint64_t begun_ns;

		setup(state);
		bench.mute_after = after - 1;
		bench.is_mute = after == 1;
		begun_ns = device()->now_ns;
		assert_int_equal(start(), after == 1 ? -EIO : 0);
		assert_true(device()->now_ns - begun_ns <
			    VIRTIO_DRIVE_START_NS + 100 * NSEC_PER_MS);
		assert_true(is_logged("does not answer"));
		assert_int_equal(is_master(), after != 1);
		assert_false(drive.sync.is_busy);
		if (after == 1)
			continue;
		assert_non_null(table.reason);
		bench.is_mute = false;
		bench.mute_after = 0;
		client_begin();
		works();
	}
}

static void test_no_serial(void **state)
{
	(void)state;
	bench.fake.serial = "";
	assert_int_equal(start(), 0);
	assert_string_equal(disk.drive[0].info.serial, "");
	assert_string_equal(table.partition[0].label, "root");
}

/* ---- Devices that break -------------------------------------------------- */

/* It says that it has given back what it never had. */
static void lie(void)
{
	struct fake_ring *ring = &device()->queue[0].ring;

	*fake_ring_used_index(ring) = (uint16_t)(ring->used_index + 5);
	device()->isr |= 1;
}

static void test_breaks(void **state)
{
	(void)state;
	started();
	works();
	memset(ram, 7, sizeof(ram));
	for (unsigned i = 0; i < 20; i++)
		send(DISK_OP_WRITE, i * 8, 8, 0);
	turn();
	assert_in_range(fake_blk_fetch(&bench.fake), 8, DISK_DEPTH);
	fake_blk_do(&bench.fake, 3);
	interrupts();
	(void)virtio_drive_poll(&drive);
	lie();
	interrupts();
	(void)virtio_drive_poll(&drive);
	assert_int_equal(fake_blk_fetch(&bench.fake), 0);
	finish();
	assert_int_equal(bench.answers, 23);
	for (unsigned i = 1; i <= 23; i++)
		assert_int_equal(bench.status[i], 0);
	for (unsigned i = 0; i < 20 * 8; i++)
		assert_int_equal(bench.fake.disk[i * 512], 7);
	assert_true(is_logged("\"ABC-123\", 00:04.0, "));
	works();
}

/* It asks to be reset, and again each time that it was. */
static void test_breaks_for_ever(void **state)
{
	uint64_t id;

	(void)state;
	started();
	works();
	id = send(DISK_OP_READ, 0, 8, 0);
	turn();
	for (unsigned i = 0; drive.state != VIRTIO_DRIVE_DEAD; i++) {
		assert_true(i < 100);
		device()->status |= 0x40;
		fake_virtio_config_changed(device());
		interrupts();
		turn();
	}
	assert_int_equal(bench.status[id], -EIO);
	assert_true(is_logged("breaks over and over"));
	assert_false(is_master());
	assert_int_equal(ask(DISK_OP_READ, 0, 8, 0), -EIO);
	assert_int_equal(ask(DISK_OP_FLUSH, 0, 0, 0), -EIO);
	interrupts();
	assert_false(virtio_drive_poll(&drive));
}

/* It offered the command, and has none: zeroes are written, for good. */
static void test_no_zeroes(void **state)
{
	uint64_t id;

	(void)state;
	fake_blk_config(&bench.fake, 48, 4, 100);
	fake_blk_config(&bench.fake, 52, 4, 1);
	device()->offered |= BIT(14);
	started();
	memset(bench.fake.disk, 0xee, FAKE_SECTORS * 512);
	id = send(DISK_OP_WRITE_ZEROES, 3, 130, 0);
	turn();
	assert_int_equal(fake_blk_fetch(&bench.fake), 1);
	fake_blk_finish(&bench.fake, 0, 2, FAKE_LENGTH);
	finish();
	assert_int_equal(bench.status[id], 0);
	assert_int_equal(bench.fake.disk[3 * 512 - 1], 0xee);
	for (unsigned i = 3 * 512; i < 133 * 512; i++)
		assert_int_equal(bench.fake.disk[i], 0);
	assert_int_equal(bench.fake.disk[133 * 512], 0xee);
	assert_false(disk.drive[0].info.has_write_zeroes);
}

static void test_errors(void **state)
{
	static const struct {
		enum disk_op op;
		uint8_t status;
		int answer;
	} row[] = {
		{ DISK_OP_READ, 1, -EIO },    { DISK_OP_WRITE, 2, -EIO },
		{ DISK_OP_FLUSH, 1, -EIO },   { DISK_OP_DISCARD, 2, 0 },
		{ DISK_OP_DISCARD, 1, -EIO }, { DISK_OP_WRITE_ZEROES, 1, -EIO },
		{ DISK_OP_READ, 77, -EIO },
	};

	fake_blk_config(&bench.fake, 36, 4, 1000);
	fake_blk_config(&bench.fake, 40, 4, 1);
	fake_blk_config(&bench.fake, 48, 4, 100);
	fake_blk_config(&bench.fake, 52, 4, 1);
	device()->offered |= BIT(13) | BIT(14);
	(void)state;
	started();
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		bool is_flush = row[i].op == DISK_OP_FLUSH;
		uint64_t id = send(row[i].op, 0, !is_flush, 0);

		turn();
		assert_int_equal(fake_blk_fetch(&bench.fake), 1);
		fake_blk_finish(&bench.fake, 0, row[i].status, FAKE_LENGTH);
		finish();
		assert_int_equal(bench.status[id], row[i].answer);
	}
	/* What failed is told; then it works. */
	while (ask(DISK_OP_FLUSH, 0, 0, 0))
		assert_true(bench.answers < 20);
	works();
	assert_int_equal(device()->reset_count, 1);
}

/* ---- Devices that say nothing -------------------------------------------- */

static void test_stuck(void **state)
{
	uint64_t id, begun_ns;

	(void)state;
	started();
	works();
	bench.is_mute = true;
	id = send(DISK_OP_WRITE, 0, 8, 0);
	begun_ns = device()->now_ns;
	finish();
	assert_int_equal(bench.status[id], -EIO);
	/* To give back what it has, and to begin again. */
	assert_int_equal(device()->reset_count, 1 + 2 * (DISK_RETRIES + 1));
	/* Before an IDE drive's timeout of 20 seconds. */
	assert_in_range(device()->now_ns - begun_ns, 14 * NSEC_PER_SEC,
			17 * NSEC_PER_SEC);
	bench.is_mute = false;
	works();
	/* Once more, and it wakes up after the first reset. */
	bench.is_mute = true;
	id = send(DISK_OP_READ, 100, 8, 0);
	for (unsigned i = 0; i < 6; i++) {
		turn();
		device()->now_ns += NSEC_PER_SEC;
	}
	bench.is_mute = false;
	finish();
	assert_int_equal(bench.status[id], 0);
	assert_int_equal(drive.state, VIRTIO_DRIVE_WORKS);
}

/* It does not even come out of a reset: it is kept from memory, and only then
 * is the client's memory its own again. */
static void test_no_reset(void **state)
{
	(void)state;
	started();
	bench.is_mute = true;
	device()->reset_reads = UINT32_MAX;
	for (unsigned i = 0; i < 20; i++)
		send(DISK_OP_READ, i * 8, 8, 0);
	finish();
	assert_int_equal(bench.answers, 20);
	assert_int_equal(bench.status[20], -EIO);
	assert_true(device()->relaxed > 100);
	assert_true(is_logged("is dead: it does not come out of reset"));
	assert_false(is_master());
	assert_int_equal(bench.runaways, 0);
	assert_int_equal(ask(DISK_OP_WRITE, 0, 8, 0), -EIO);
}

/* Nor can it be kept from memory: the program ends, with all unanswered. */
static void test_runaway(void **state)
{
	(void)state;
	started();
	bench.is_mute = true;
	device()->reset_reads = UINT32_MAX;
	device()->is_command_fixed = true;
	send(DISK_OP_READ, 0, 8, 0);
	if (!setjmp(bench.end))
		finish();
	assert_int_equal(bench.runaways, 1);
	assert_int_equal(bench.answers, 0);
	assert_true(is_logged("stays a bus master"));
	/* One that had nothing of a client's yet is left alone. */
	setup(state);
	device()->is_command_fixed = true;
	device()->pci_config[4] = 2 | MASTER;
	device()->reset_reads = UINT32_MAX;
	assert_true(start() < 0);
	assert_int_equal(bench.runaways, 0);
}

/* ---- Devices that change ------------------------------------------------- */

static void test_another(void **state)
{
	(void)state;
	started();
	device()->offered |= BIT(5);
	lie();
	turn();
	interrupts();
	(void)virtio_drive_poll(&drive);
	assert_int_equal(drive.state, VIRTIO_DRIVE_DEAD);
	assert_true(is_logged("came back from a reset as another"));
	assert_int_equal(ask(DISK_OP_READ, 0, 8, 0), -EIO);
	/* Without its flush, which the core counts on. */
	setup(state);
	started();
	device()->offered &= ~BIT(9);
	lie();
	interrupts();
	(void)virtio_drive_poll(&drive);
	assert_int_equal(drive.state, VIRTIO_DRIVE_DEAD);
	assert_int_equal(ask(DISK_OP_FLUSH, 0, 0, 0), -EIO);
}

static void test_resized(void **state)
{
	(void)state;
	started();
	fake_blk_config(&bench.fake, 0, 8, 64);
	fake_virtio_config_changed(device());
	interrupts();
	assert_int_equal(disk.drive[0].info.sector_count, 64);
	assert_true(is_logged("has 32 KiB now"));
	assert_int_equal(ask(DISK_OP_READ, 56, 8, 0), 0);
	assert_int_equal(ask(DISK_OP_READ, 60, 8, 0), -ERANGE);
	fake_blk_config(&bench.fake, 0, 8, FAKE_SECTORS);
	lie();
	interrupts();
	(void)virtio_drive_poll(&drive);
	assert_int_equal(disk.drive[0].info.sector_count, FAKE_SECTORS);
	works();
}

/* Anything at any time; then it is a good one again, unless it is dead. */
static void act(unsigned what)
{
	struct fake_ring *ring = &device()->queue[0].ring;
	unsigned waiting = fake_blk_fetch(&bench.fake);

	switch (what) {
	case 0:
		lie();
		break;
	case 1:
		if (ring->size)
			fake_virtio_push(device(), 0, (uint32_t)rand() % 300,
					 (uint32_t)rand() % 10000);
		break;
	case 2:
		device()->status |= rand() % 4 ? 0 : 0x40;
		fake_virtio_config_changed(device());
		break;
	case 3:
		device()->now_ns += 3 * NSEC_PER_SEC;
		break;
	case 4:
		device()->isr |= 3;
		break;
	default:
		if (waiting && rand() % 2)
			fake_blk_do(&bench.fake, (unsigned)rand() % waiting);
		else if (waiting)
			fake_blk_finish(&bench.fake, (unsigned)rand() % waiting,
					(uint8_t)(rand() % 4), 513);
	}
}

static void test_random(void **state)
{
	unsigned dead = 0;

	for (unsigned seed = 1; seed <= 200; seed++) {
		setup(state);
		srand(seed);
		started();
		for (unsigned i = 0; i < 200; i++) {
			if (bench.link.count < 25 && rand() % 2)
				send(rand() % 2 ? DISK_OP_READ : DISK_OP_WRITE,
				     (uint64_t)rand() % 200, 8, 0);
			turn();
			act((unsigned)rand() % 40);
			interrupts();
			(void)virtio_drive_poll(&drive);
		}
		finish();
		assert_int_equal(bench.answers, bench.id);
		dead += drive.state == VIRTIO_DRIVE_DEAD;
		while (drive.state == VIRTIO_DRIVE_WORKS &&
		       ask(DISK_OP_FLUSH, 0, 0, 0))
			assert_true(bench.answers < bench.id + 10);
		if (drive.state == VIRTIO_DRIVE_WORKS)
			works();
	}
	print_message("%u of 200 devices died of it\n", dead);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_start),	    TEST(test_memory),
		TEST(test_queues),	    TEST(test_fragments),
		TEST(test_legacy),	    TEST(test_blocks),
		TEST(test_cache),	    TEST(test_mute_at_start),
		TEST(test_no_serial),	    TEST(test_breaks),
		TEST(test_breaks_for_ever), TEST(test_no_zeroes),
		TEST(test_errors),	    TEST(test_stuck),
		TEST(test_no_reset),	    TEST(test_runaway),
		TEST(test_another),	    TEST(test_resized),
		TEST(test_random),
	};

	return cmocka_run_group_tests_name("virtio drive", tests, NULL, NULL);
}
