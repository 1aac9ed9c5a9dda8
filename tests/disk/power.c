/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes records to the first IDE disk for ever, and prints what the disk says
 * is permanent: tests/disk/power cuts the host's power and looks what is there.
 *
 * Record n, counted from 1, is 8 sectors at the slot of 8 sectors that
 * record_slot() chooses, the first slot left out; each sector is a `struct
 * record`.  After some writes comes FLUSH CACHE EXT, or none where the write
 * cache is off, and then "ack n" and a record in the first slot that says the
 * same.
 *
 * Options: seed=N; records=N, then it ends; cache=0 turns the disk's write
 * cache off.
 */
#include "tests/disk/ide.h"

#include "lib/string.h"
#include "tests/hostile/guests/hostile.h"

#define SLOT_SECTORS 8
#define BATCH_MAX    8 /* writes between two flushes */

struct record {
	char magic[8];
	uint64_t number;
	uint32_t slot;
	uint32_t index; /* of the sector in the record */
	uint8_t rest[IDE_SECTOR - 32];
	uint64_t sum; /* FNV-1a of what is before */
};
ASSERT_SIZE(struct record, IDE_SECTOR);

static struct record buffer[SLOT_SECTORS] __aligned(4096);

static uint64_t hash(const void *data, size_t length, uint64_t value)
{
	for (const uint8_t *at = data; length--; at++)
		value = (value ^ *at) * 0x100000001b3ULL;
	return value;
}

#define FNV_BASIS 0xcbf29ce484222325ULL

static uint64_t record_slot(uint64_t seed, uint64_t number, uint64_t slots)
{
	uint64_t value = hash(&seed, sizeof(seed), FNV_BASIS);

	return 1 + (hash(&number, sizeof(number), value) >> 16) % (slots - 1);
}

static void record_fill(uint64_t number, uint64_t slot)
{
	for (unsigned i = 0; i < SLOT_SECTORS; i++) {
		struct record *r = &buffer[i];

		memcpy(r->magic, "bulkhead", sizeof(r->magic));
		r->number = number;
		r->slot = (uint32_t)slot;
		r->index = i;
		memset(r->rest, (int)(number * 7 + i), sizeof(r->rest));
		r->sum = hash(r, offsetof(struct record, sum), FNV_BASIS);
	}
}

/* ---- The test ------------------------------------------------------------ */

static void must(bool is_good, const char *what)
{
	if (is_good)
		return;
	fail("disk", "%s: status %#x, error %#x", what, ide_last.status,
	     ide_last.error);
	guest_end();
}

static void write_record(uint64_t number, uint64_t slot)
{
	record_fill(number, slot);
	must(ide_write(slot * SLOT_SECTORS, buffer, SLOT_SECTORS), "write");
}

void guest_main(void)
{
	uint64_t seed = command_option("seed", 1);
	uint64_t last = command_option("records", UINT64_MAX);
	bool has_cache = command_option("cache", 1);
	uint64_t slots = ide_init() / SLOT_SECTORS, unflushed = 0;

	if (!has_cache)
		must(ide_cache_off(), "write cache off");
	for (uint64_t n = 1; n <= last; n++) {
		uint64_t slot = record_slot(seed, n, slots);

		write_record(n, slot);
		if (has_cache && ++unflushed < 1 + slot % BATCH_MAX)
			continue;
		if (has_cache)
			must(ide_flush(), "flush");
		unflushed = 0;
		print("ack %llu\n", (unsigned long long)n);
		write_record(n, 0);
	}
	pass("records");
}
