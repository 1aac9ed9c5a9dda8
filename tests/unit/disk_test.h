/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The core of services/disk between machines and drives of the test's own.
 *
 * Drives have a volatile cache: a write that has ended is in it, a flush makes
 * permanent what had ended when it was submitted, power_cut() loses the rest.
 * Requests end when the test says so, in the order that it says.
 *
 * Physical addresses are the host's own; a client's memory lies in pieces, in
 * an order that is not theirs.
 */
#ifndef BULKHEAD_TESTS_DISK_TEST_H
#define BULKHEAD_TESTS_DISK_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "include/errno.h"
#include "lib/user/disk_client.h"
#include "services/disk/inner.h"

#ifndef MACHINES
#define MACHINES 4
#endif
#define PIECE_SHIFT 14
#define PIECE	    (1u << PIECE_SHIFT)
#ifndef PIECES
#define PIECES 64
#endif
#define MEMORY	     ((uint64_t)PIECES * PIECE)
#define FAKE_DRIVES  2
#define FAKE_SECTORS 8192u
#define FAKE_QUEUE   64

static uint64_t random_state = 0x9e3779b97f4a7c15ULL;

static inline uint32_t random_below(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 16) % below;
}

/* ---- Drives -------------------------------------------------------------- */

struct fake_request {
	struct drive_request request;
	struct drive_segment segment[DRIVE_SEGMENTS];
	uint64_t stamp; /* writes that had ended */
};

struct fake_drive {
	struct drive_info info;
	int number;
	uint8_t platter[FAKE_SECTORS * DISK_SECTOR];
	uint8_t cache[FAKE_SECTORS * DISK_SECTOR];
	uint64_t dirty[FAKE_SECTORS]; /* when its first lost write ended */
	uint64_t stamp;
	uint64_t bad_sector; /* UINT64_MAX: none */
	bool is_flush_bad;   /* and drops the cache */
	unsigned room;	     /* that submit() has */
	unsigned count;
	struct fake_request queue[FAKE_QUEUE];
	unsigned resets, kicks, submitted, ended[8];
	int reset_status;
};

static struct fake_drive fake[FAKE_DRIVES];
static struct disk disk;

static struct {
	bool has_moving_memory; /* drives may not know where it is */
	uint8_t memory[MEMORY] __aligned(4096);
	struct disk_channel channel;
	uint64_t chunk[PIECES], pages[DISK_CHANNEL_PAGES];
	struct disk_client_link link;
	unsigned answers;
	int status[256]; /* by id; 1: none yet */
	uint64_t sector[256];
	unsigned rung; /* by the service */
} machine[MACHINES];

static uint8_t zero_page[4096] __aligned(4096);
static char last_log[256];
static unsigned log_lines, breaks;
static uint64_t now_ns;
static uint32_t starts;

/* Only what is a client's, its bounce area or the zeroes may be reached. */
static inline uint8_t *physical(hpa_t address, uint32_t length, bool is_write)
{
	uint8_t *at = (uint8_t *)(uintptr_t)address;

	for (unsigned i = 0; i < MACHINES; i++) {
		uint8_t *bounce = machine[i].channel.bounce;

		if (at >= machine[i].memory &&
		    at + length <= machine[i].memory + MEMORY)
			return at;
		if (at >= bounce && at + length <= bounce + DISK_BOUNCE_SIZE)
			return at;
	}
	assert_false(is_write);
	assert_true(at >= zero_page && at + length <= zero_page + 4096);
	return at;
}

static inline void fake_query(void *ctx, struct drive_info *info)
{
	*info = ((struct fake_drive *)ctx)->info;
}

static inline int fake_submit(void *ctx, const struct drive_request *request)
{
	struct fake_drive *drive = ctx;
	struct fake_request *slot = &drive->queue[drive->count];
	uint64_t bytes = 0;

	if (drive->count == drive->room)
		return -EAGAIN;
	assert_true(request->sector + request->sector_count <=
		    drive->info.sector_count);
	assert_true(request->segment_count <= drive->info.segments_max);
	slot->request = *request;
	slot->stamp = drive->stamp;
	for (unsigned i = 0; i < request->segment_count; i++) {
		slot->segment[i] = request->segment[i];
		physical(request->segment[i].address,
			 request->segment[i].length, request->op == DRIVE_READ);
		bytes += request->segment[i].length;
	}
	if (request->op == DRIVE_READ || request->op == DRIVE_WRITE) {
		assert_int_equal(bytes, request->sector_count * DISK_SECTOR);
		assert_true(request->sector_count > 0);
	}
	drive->count++;
	drive->submitted++;
	return 0;
}

static inline void fake_kick(void *ctx)
{
	((struct fake_drive *)ctx)->kicks++;
}

static inline int fake_reset(void *ctx)
{
	struct fake_drive *drive = ctx;

	drive->count = 0;
	drive->resets++;
	return drive->reset_status;
}

static const struct drive_ops fake_drive_ops = {
	.query = fake_query,
	.submit = fake_submit,
	.kick = fake_kick,
	.reset = fake_reset,
};

static inline void fake_persist(struct fake_drive *drive, uint64_t sector)
{
	memcpy(drive->platter + sector * DISK_SECTOR,
	       drive->cache + sector * DISK_SECTOR, DISK_SECTOR);
	drive->dirty[sector] = 0;
}

static inline void fake_flush(struct fake_drive *drive, uint64_t stamp)
{
	for (uint64_t i = 0; i < drive->info.sector_count; i++)
		if (drive->dirty[i] && drive->dirty[i] <= stamp)
			fake_persist(drive, i);
}

/* What is in the cache only is lost, sector by sector, or is not. */
static inline void fake_lose(struct fake_drive *drive, unsigned percent)
{
	for (uint64_t i = 0; i < drive->info.sector_count; i++) {
		if (!drive->dirty[i])
			continue;
		if (random_below(100) >= percent)
			fake_persist(drive, i);
		memcpy(drive->cache + i * DISK_SECTOR,
		       drive->platter + i * DISK_SECTOR, DISK_SECTOR);
		drive->dirty[i] = 0;
	}
}

/* Sectors of a request between memory and cache, up to limit of them. */
static inline void fake_move(struct fake_drive *drive,
			     const struct fake_request *slot, uint32_t limit)
{
	uint8_t *at = drive->cache + slot->request.sector * DISK_SECTOR;
	uint64_t left = (uint64_t)limit * DISK_SECTOR;
	bool is_read = slot->request.op == DRIVE_READ;

	if (!is_read)
		drive->stamp++;
	for (unsigned i = 0; !is_read && i < limit; i++) {
		uint64_t *dirty = &drive->dirty[slot->request.sector + i];

		*dirty = *dirty ? *dirty : drive->stamp;
	}
	if (slot->request.op == DRIVE_WRITE_ZEROES ||
	    slot->request.op == DRIVE_DISCARD) {
		memset(at, 0, left);
		return;
	}
	for (unsigned i = 0; i < slot->request.segment_count && left; i++) {
		uint32_t n = (uint32_t)MIN(left, slot->segment[i].length);
		uint8_t *memory =
			physical(slot->segment[i].address, n, is_read);

		memcpy(is_read ? memory : at, is_read ? at : memory, n);
		at += n;
		left -= n;
	}
}

static inline bool fake_is_bad(const struct fake_drive *drive,
			       const struct drive_request *request)
{
	return drive->bad_sector >= request->sector &&
	       drive->bad_sector - request->sector < request->sector_count;
}

static inline int fake_do(struct fake_drive *drive,
			  const struct fake_request *slot)
{
	if (slot->request.op == DRIVE_FLUSH) {
		if (drive->is_flush_bad) {
			fake_lose(drive, 100);
			return -EIO;
		}
		fake_flush(drive, slot->stamp);
		return 0;
	}
	if (fake_is_bad(drive, &slot->request))
		return -EIO;
	fake_move(drive, slot, slot->request.sector_count);
	if (slot->request.op != DRIVE_READ &&
	    (slot->request.is_fua || !drive->info.has_flush))
		for (uint32_t i = 0; i < slot->request.sector_count; i++)
			fake_persist(drive, slot->request.sector + i);
	return 0;
}

/* The request at that place in the queue ends. */
static inline void fake_end(struct fake_drive *drive, unsigned index)
{
	struct fake_request slot = drive->queue[index];
	int status = fake_do(drive, &slot);

	memmove(&drive->queue[index], &drive->queue[index + 1],
		(--drive->count - index) * sizeof(slot));
	drive->ended[slot.request.op]++;
	assert_true(disk_complete(&disk, slot.request.cookie, status));
}

static inline void power_cut(struct fake_drive *drive)
{
	/* What is in flight is done, half done or not. */
	for (unsigned i = 0; i < drive->count; i++)
		if (drive->queue[i].request.op == DRIVE_WRITE)
			fake_move(drive, &drive->queue[i],
				  random_below(
					  drive->queue[i].request.sector_count +
					  1));
	drive->count = 0;
	fake_lose(drive, 50);
}

/* ---- The service's ground ------------------------------------------------ */

static inline void fake_doorbell(void *ctx, unsigned slot)
{
	(void)ctx;
	machine[slot - 1].rung++;
}

static inline void fake_log(void *ctx, const char *text)
{
	(void)ctx;
	log_lines++;
	snprintf(last_log, sizeof(last_log), "%s", text);
}

static inline void fake_broken(void *ctx, unsigned slot, const char *why)
{
	(void)ctx;
	assert_true(slot >= 1 && slot <= MACHINES && why[0]);
	breaks++;
}

static inline uint8_t *memory_at(unsigned number, uint64_t where)
{
	if (where & DISK_WHERE_BOUNCE)
		return machine[number].channel.bounce +
		       (where & ~DISK_WHERE_BOUNCE);
	return (uint8_t *)(uintptr_t)machine[number]
		       .chunk[where >> PIECE_SHIFT] +
	       where % PIECE;
}

static inline int fake_copy_in(void *ctx, unsigned slot, uint64_t where,
			       void *bytes, uint32_t length)
{
	(void)ctx;
	for (uint32_t i = 0; i < length; i++)
		((uint8_t *)bytes)[i] = *memory_at(slot - 1, where + i);
	return 0;
}

static inline int fake_copy_out(void *ctx, unsigned slot, uint64_t where,
				const void *bytes, uint32_t length)
{
	(void)ctx;
	for (uint32_t i = 0; i < length; i++)
		*memory_at(slot - 1, where + i) = ((const uint8_t *)bytes)[i];
	return 0;
}

static const struct disk_ops fake_disk_ops = {
	.doorbell = fake_doorbell,
	.log = fake_log,
	.broken = fake_broken,
	.copy_in = fake_copy_in,
	.copy_out = fake_copy_out,
};

static long pages_out;

static inline void *fake_page_take(void *ctx)
{
	(void)ctx;
	pages_out++;
	return aligned_alloc(4096, 4096);
}

static inline void fake_page_give(void *ctx, void *page)
{
	(void)ctx;
	pages_out--;
	free(page);
}

static const struct overlay_ops fake_overlay_ops = {
	.page_take = fake_page_take,
	.page_give = fake_page_give,
};

/* ---- Machines ------------------------------------------------------------ */

static void (*on_done)(unsigned number, uint64_t id, int status);

static inline void machine_done(void *ctx, uint64_t id, int status,
				uint64_t sector)
{
	unsigned number = (unsigned)(uintptr_t)ctx;

	machine[number].answers++;
	machine[number].status[id % 256] = status;
	machine[number].sector[id % 256] = sector;
	if (on_done)
		on_done(number, id, status);
}

static inline void machine_bell(void *ctx)
{
	disk_ring(&disk, (unsigned)(uintptr_t)ctx + 1);
}

static const struct disk_client_ops machine_ops = {
	.done = machine_done,
	.doorbell = machine_bell,
};

static inline void machine_begin(unsigned number, uint64_t hello)
{
	disk_client_init(&machine[number].link, &machine[number].channel, hello,
			 &machine_ops, (void *)(uintptr_t)number);
	for (unsigned i = 0; i < 256; i++)
		machine[number].status[i] = 1;
	disk_ring(&disk, number + 1);
}

/* Pieces in an order of their own, none next to its neighbour. */
static inline void machine_memory(unsigned number)
{
	for (unsigned i = 0; i < PIECES; i++)
		machine[number].chunk[i] = (uintptr_t)machine[number].memory +
					   (uint64_t)(i * 27 % PIECES) * PIECE;
	for (unsigned i = 0; i < DISK_CHANNEL_PAGES; i++)
		machine[number].pages[i] =
			(uintptr_t)&machine[number].channel + i * PAGE_SIZE;
}

static inline void client_add(unsigned number)
{
	const struct dma_window window[WINDOWS] = {
		{ machine[number].chunk,
		  machine[number].has_moving_memory ? 0 : MEMORY, PIECE_SHIFT,
		  0 },
		{ machine[number].pages +
			  offsetof(struct disk_channel, bounce) / PAGE_SIZE,
		  DISK_BOUNCE_SIZE, PAGE_SHIFT, 0 },
	};
	char name[] = { 'm', (char)('0' + number), 0 };

	assert_int_equal(disk_client_add(&disk, number + 1, name, starts,
					 &machine[number].channel, window),
			 0);
}

/* A part of drive 0. */
static inline void unit_add(unsigned number, unsigned unit, uint64_t first,
			    uint64_t count)
{
	const struct disk_unit_spec spec = { .first = first, .count = count };

	assert_int_equal(disk_unit_add(&disk, number + 1, unit, &spec), 0);
}

/* ---- Beginning, running -------------------------------------------------- */

static inline void service_begin(void)
{
	starts++;
	memset(&disk, 0, sizeof(disk));
	disk_init(&disk, &fake_disk_ops, &fake_overlay_ops, NULL);
	for (unsigned i = 0; i < FAKE_DRIVES; i++) {
		fake[i].count = 0;
		fake[i].number =
			disk_drive_add(&disk, &fake_drive_ops, &fake[i]);
		assert_int_equal(fake[i].number, i);
	}
}

/* Sectors that it never had are zero. */
static inline void fake_clear(struct fake_drive *drive)
{
	size_t used = drive->info.sector_count;

	memset(drive->platter, 0, used * DISK_SECTOR);
	memset(drive->cache, 0, used * DISK_SECTOR);
	memset(drive->dirty, 0, used * sizeof(drive->dirty[0]));
	memset(&drive->stamp, 0,
	       sizeof(*drive) - offsetof(struct fake_drive, stamp));
}

static inline int disk_setup(void **state)
{
	(void)state;
	memset(machine, 0, sizeof(machine));
	for (unsigned i = 0; i < FAKE_DRIVES; i++)
		fake_clear(&fake[i]);
	last_log[0] = 0;
	log_lines = breaks = 0;
	now_ns = NSEC_PER_SEC;
	on_done = NULL;
	for (unsigned i = 0; i < FAKE_DRIVES; i++) {
		fake[i].info = (struct drive_info){
			.sector_count = FAKE_SECTORS,
			.block_size = 512,
			.depth = FAKE_QUEUE,
			.segments_max = 126,
			.has_flush = true,
			.has_discard = true,
			.has_write_zeroes = true,
			.zeroes = (uintptr_t)zero_page,
			.serial = "fake",
		};
		fake[i].bad_sector = UINT64_MAX;
		fake[i].room = FAKE_QUEUE;
	}
	for (unsigned i = 0; i < MACHINES; i++)
		machine_memory(i);
	service_begin();
	return 0;
}

/* One client with all of drive 0, connected. */
static inline void begin_one(unsigned number)
{
	client_add(number);
	unit_add(number, 0, 0, FAKE_SECTORS);
	assert_int_equal(disk_client_start(&disk, number + 1), 0);
	machine_begin(number, 1000 + starts);
}

/* Both sides look at what there is; nothing ends in a drive. */
static inline void step(void)
{
	for (unsigned i = 0; i < 3; i++) {
		disk_run(&disk, now_ns);
		for (unsigned n = 0; n < MACHINES; n++)
			if (machine[n].link.ops)
				disk_client_run(&machine[n].link);
	}
	disk_run(&disk, now_ns);
}

/* Until no drive has anything. */
static inline void finish(void)
{
	unsigned loops = 0;

	do {
		step();
		for (unsigned i = 0; i < FAKE_DRIVES; i++)
			while (fake[i].count) {
				fake_end(&fake[i], 0);
				assert_true(loops++ < 100000);
			}
		step();
	} while (fake[0].count || fake[1].count);
}

static inline void send(unsigned number, uint64_t id, enum disk_op op,
			uint64_t sector, uint32_t count, uint64_t where)
{
	struct disk_request request = {
		.id = id,
		.op = op,
		.sector = sector,
		.sector_count = count,
	};

	if (op == DISK_OP_READ || op == DISK_OP_WRITE) {
		request.segment_count = 1;
		request.segment[0].where = where;
		request.segment[0].length = count * DISK_SECTOR;
	}
	assert_int_equal(disk_client_submit(&machine[number].link, &request),
			 0);
}

/* Sends one, ends all; its status. */
static inline int ask(unsigned number, enum disk_op op, uint64_t sector,
		      uint32_t count, uint64_t where)
{
	static uint64_t id;

	id++;
	machine[number].status[id % 256] = 1;
	send(number, id, op, sector, count, where);
	finish();
	assert_true(machine[number].status[id % 256] != 1);
	machine[number].sector[0] = machine[number].sector[id % 256];
	return machine[number].status[id % 256];
}

static inline void memory_fill(unsigned number, uint64_t where, uint32_t length,
			       uint8_t value)
{
	for (uint32_t i = 0; i < length; i++)
		*memory_at(number, where + i) = (uint8_t)(value + i / 512);
}

static inline bool memory_is(unsigned number, uint64_t where, uint32_t length,
			     uint8_t value)
{
	for (uint32_t i = 0; i < length; i++)
		if (*memory_at(number, where + i) != (uint8_t)(value + i / 512))
			return false;
	return true;
}

#endif
