/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first user program of a Linux that measures its disk, /dev/sda or
 * /dev/vda, for tests/bench/disk/run: loads its drivers, reads, and ends the
 * machine through the ISA debug exit port.  It is linked to where nobody else's
 * code is, so that tests/bench/paths can count from span_begin() to span_end():
 *
 *	reads of 4 KiB, then of 64 KiB, one after the other past the page cache
 *	one of the whole disk as `dd bs=1M of=/dev/null` does it, and again past
 *	the page cache (iflag=direct)
 *
 * The disk's sectors each begin with their number: what has not been read, or
 * from elsewhere, is told.
 */
#include "tests/bench/linux/first.h"

#define SYS_PREAD64  17
#define SYS_PWRITE64 18
#define SYS_MKDIR    83
#define SYS_MOUNT    165
#define O_DIRECT     00040000
#define SECTOR	     512
#define SECTORS	     65536 /* of the disk: tests/bench/disk/run */
#define WARM	     20
#define SAMPLES	     500
#define SMALL	     4096
#define LARGE	     65536
#define BLOCK	     (1 << 20)
#define TRIES	     500 /* of 20 ms */

/* The PIIX3's IDE timing register: firmware enables the ports there. */
#define IDE_CONFIG "/sys/bus/pci/devices/0000:00:01.1/config"
#define IDETIM	   0x40

static uint8_t buffer[BLOCK] __attribute__((aligned(BLOCK)));

static void fail(const char *why)
{
	say("DISK FAIL ");
	leave(why);
}

/* Started without firmware, nobody has enabled the IDE ports. */
static void enable_ide(void)
{
	static const uint16_t idetim[2] = { 0x8000, 0x8000 };
	long fd = open_file(IDE_CONFIG, O_WRONLY);

	if (fd < 0)
		return;
	call(SYS_PWRITE64, fd, (long)idetim, sizeof(idetim), IDETIM, 0);
	call(SYS_CLOSE, fd, 0, 0, 0, 0);
}

static long open_disk(int flags)
{
	static const int64_t pause[2] = { 0, 20000000 };
	long fd;

	for (int i = 0; i < TRIES; i++) {
		fd = open_file("/dev/sda", O_RDONLY | flags);
		if (fd < 0)
			fd = open_file("/dev/vda", O_RDONLY | flags);
		if (fd >= 0)
			return fd;
		call(SYS_NANOSLEEP, (long)pause, 0, 0, 0, 0);
	}
	fail("there is no disk\n");
	return -1;
}

static void check(uint64_t sector, long size)
{
	for (long at = 0; at < size; at += SECTOR)
		if (*(uint64_t *)(buffer + at) != sector++)
			fail("a sector is not the one that was asked for\n");
}

static void read_spans(long fd, long size)
{
	uint64_t sector = 0;

	for (int i = -WARM; i < SAMPLES; i++) {
		if (i >= 0)
			span_begin();
		if (call(SYS_PREAD64, fd, (long)buffer, size,
			 (long)(sector * SECTOR), 0) != size)
			fail("a read failed\n");
		if (i >= 0)
			span_end();
		check(sector, size);
		sector = (sector + (uint64_t)size / SECTOR) % SECTORS;
	}
	series_end();
}

/* One span; what is checked would count: only the last block is. */
static void read_all(int flags)
{
	long fd = open_disk(flags), null = open_file("/dev/null", O_WRONLY);

	span_begin();
	for (long i = 0; i < SECTORS / (BLOCK / SECTOR); i++)
		if (call(SYS_READ, fd, (long)buffer, BLOCK, 0, 0) != BLOCK ||
		    call(SYS_WRITE, null, (long)buffer, BLOCK, 0, 0) != BLOCK)
			fail("a block was not read\n");
	span_end();
	series_end();
	check(SECTORS - BLOCK / SECTOR, BLOCK);
	call(SYS_CLOSE, fd, 0, 0, 0, 0);
}

void _start(void);
void _start(void)
{
	long fd;

	call(SYS_MOUNT, (long)"dev", (long)"/dev", (long)"devtmpfs", 0, 0);
	call(SYS_MKDIR, (long)"/sys", 0755, 0, 0, 0);
	call(SYS_MOUNT, (long)"sys", (long)"/sys", (long)"sysfs", 0, 0);
	enable_ide();
	load_drivers();
	fd = open_disk(O_DIRECT);
	read_spans(fd, SMALL);
	read_spans(fd, LARGE);
	call(SYS_CLOSE, fd, 0, 0, 0, 0);
	read_all(0);
	read_all(O_DIRECT);
	leave("DISK done\n");
}
