/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does one thing with the first IDE disk and prints what came of it; the
 * command line names it:
 *
 *	scan from=N count=N
 *		reads sectors one by one: of those that fail "bad SECTOR:
 *		status, error, at SECTOR", and a sum of the others
 *	put from=N count=N value=N
 *		fills sectors with a byte, and flushes
 *	get from=N
 *		the first byte of a sector, and of the last of the disk
 *	move from=N sectors=N count=N write=N
 *		so many transfers, at places that go round 4 MiB; count=0:
 *		for ever
 *	idle
 *		nothing, for ever, and without a disk
 */
/*
 * Does one thing with the first IDE disk and prints what came of it; the
 *command line names it:
 *
 * scan from=N count=N	   reads sectors one by one: "bad SECTOR: status, error,
 *at SECTOR" of those that fail, a sum of the others put from=N count=N value=N
 *fills sectors with a byte, and flushes get from=N		   the first
 *byte of a sector, and of the last of the disk move from=N sectors=N count=N
 *write=N  so many transfers, at places that go round 4 MiB; count=0: for ever
 * idle			   nothing, for ever, and without a disk
 */
#include "tests/disk/ide.h"

#include "lib/string.h"
#include "tests/hostile/guests/hostile.h"

#define ROUND	    (MIB(4) / IDE_SECTOR)
#define SHOWN_EVERY 64
#define FNV_PRIME   0x100000001b3ULL
#define FNV_BASIS   0xcbf29ce484222325ULL

typedef unsigned long long ull;

static uint8_t buffer[IDE_TRANSFER_MAX * IDE_SECTOR] __aligned(4096);

static void show(const char *what, uint64_t sector, bool is_good)
{
	if (is_good)
		print("%s %llu: good\n", what, (ull)sector);
	else
		print("%s %llu: status %#x, error %#x, at %llu\n", what,
		      (ull)sector, ide_last.status, ide_last.error,
		      (ull)ide_last.sector);
}

static void scan(uint64_t from, uint64_t count)
{
	uint64_t sum = FNV_BASIS;

	for (uint64_t sector = from; sector < from + count; sector++) {
		if (!ide_read(sector, buffer, 1)) {
			show("bad", sector, false);
			continue;
		}
		for (unsigned i = 0; i < IDE_SECTOR; i++)
			sum = (sum ^ buffer[i]) * FNV_PRIME;
	}
	print("sum %016llx\n", (ull)sum);
}

static void put(uint64_t from, uint64_t count)
{
	memset(buffer, (int)command_option("value", 0), sizeof(buffer));
	for (uint64_t done = 0; done < count;) {
		unsigned sectors =
			(unsigned)MIN(count - done, (uint64_t)IDE_TRANSFER_MAX);

		show("put", from + done,
		     ide_write(from + done, buffer, sectors));
		done += sectors;
	}
	show("flush", from, ide_flush());
}

static void get(uint64_t sector)
{
	bool is_good = ide_read(sector, buffer, 1);

	show("get", sector, is_good);
	if (is_good)
		print("byte %u\n", buffer[0]);
}

static void move(uint64_t from, uint64_t count, unsigned sectors)
{
	bool is_write = command_option("write", 0);

	for (uint64_t n = 1; !count || n <= count; n++) {
		uint64_t at = from + n * sectors % (ROUND - sectors);
		bool is_good = is_write ? ide_write(at, buffer, sectors)
					: ide_read(at, buffer, sectors);

		if (!is_good)
			show("bad", at, false);
		if (n % SHOWN_EVERY == 0)
			print("moved %llu\n", (ull)n);
	}
}

static void idle(void)
{
	print("idle\n");
	for (;;)
		__asm__ volatile("sti; hlt");
}

void guest_main(void)
{
	uint64_t sectors, from = command_option("from", 0);
	uint64_t count = command_option("count", 1);
	char what[16];

	command_word(what, sizeof(what));
	if (!strcmp(what, "idle"))
		idle();
	sectors = ide_init();
	print("disk %llu\n", (ull)sectors);
	if (!strcmp(what, "scan"))
		scan(from, count);
	if (!strcmp(what, "put"))
		put(from, count);
	if (!strcmp(what, "get")) {
		get(from);
		get(sectors - 1);
	}
	if (!strcmp(what, "move"))
		move(from, count,
		     (unsigned)MIN(command_option("sectors", 8),
				   (uint64_t)IDE_TRANSFER_MAX));
	print("done\n");
}
