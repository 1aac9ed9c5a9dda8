/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first sector of the primary master, by programmed I/O.
 */
#ifndef BULKHEAD_TESTS_HOSTILE_DISK_H
#define BULKHEAD_TESTS_HOSTILE_DISK_H

#include "tests/guest/lib/guest.h"

#define DISK_READ	0x20
#define DISK_WRITE	0x30
#define DISK_BUSY	BIT(7)
#define DISK_DATA_READY BIT(3)
#define DISK_ERROR	BIT(0)
#define SECTOR_WORDS	256

static inline uint8_t disk_wait(void)
{
	uint8_t status;

	do
		status = in8(0x1f7);
	while (status & DISK_BUSY);
	return status;
}

/* LBA 0; true when data can be moved. */
static inline bool disk_command(uint8_t command)
{
	disk_wait();
	out8(0x1f6, 0xe0);
	out8(0x1f2, 1);
	out8(0x1f3, 0);
	out8(0x1f4, 0);
	out8(0x1f5, 0);
	out8(0x1f7, command);
	return (disk_wait() & (DISK_DATA_READY | DISK_ERROR)) ==
	       DISK_DATA_READY;
}

static inline bool disk_read(uint16_t *sector)
{
	if (!disk_command(DISK_READ))
		return false;
	for (unsigned i = 0; i < SECTOR_WORDS; i++)
		sector[i] = in16(0x1f0);
	return true;
}

static inline bool disk_write(uint16_t word)
{
	if (!disk_command(DISK_WRITE))
		return false;
	for (unsigned i = 0; i < SECTOR_WORDS; i++)
		out16(0x1f0, word);
	return !(disk_wait() & DISK_ERROR);
}

#endif
