/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes to its disk, whose image others use as well, and reads back what it
 * wrote.
 */
#include "tests/hostile/guests/disk.h"

#define WORD 0xbeef

void guest_main(void)
{
	uint16_t sector[SECTOR_WORDS];

	if (!disk_write(WORD) || !disk_read(sector)) {
		fail("idew", "its disk cannot be written and read");
		return;
	}
	for (unsigned i = 0; i < SECTOR_WORDS; i++) {
		if (sector[i] == WORD)
			continue;
		fail("idew", "word %u is %x", i, sector[i]);
		return;
	}
	pass("idew");
}
