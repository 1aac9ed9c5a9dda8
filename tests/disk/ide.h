/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver for the primary master of the board's IDE, by bus mastering and
 * interrupts, for guests that test disks.
 */
#ifndef BULKHEAD_TESTS_DISK_IDE_H
#define BULKHEAD_TESTS_DISK_IDE_H

#include "tests/guest/lib/guest.h"

#define IDE_SECTOR	 512
#define IDE_TRANSFER_MAX 256 /* sectors */

/* What the last command ended with. */
struct ide_result {
	uint8_t status, error;
	uint64_t sector; /* of the registers: where an error was */
	bool is_good;
};
extern struct ide_result ide_last;

/* Finds the disk and returns its sectors; without one the guest fails. */
uint64_t ide_init(void);
/* The drive's volatile write cache. */
bool ide_cache_off(void);
bool ide_read(uint64_t sector, void *buffer, unsigned sectors);
bool ide_write(uint64_t sector, const void *buffer, unsigned sectors);
bool ide_flush(void);

#endif
