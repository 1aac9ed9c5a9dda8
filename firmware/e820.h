/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory map, in the form that BIOS function E820h made customary.
 */
#ifndef BULKHEAD_FIRMWARE_E820_H
#define BULKHEAD_FIRMWARE_E820_H

#include "firmware/board.h"

#define E820_FILE	 "etc/e820"
#define E820_ENTRIES_MAX 8

enum e820_type { E820_RAM = 1, E820_RESERVED = 2 };

struct e820_entry {
	uint64_t base;
	uint64_t length;
	uint32_t type;
} __packed;
ASSERT_SIZE(struct e820_entry, 20);

/* The part of low memory that firmware keeps for itself: EBDA, BIOS area. */
#define E820_EBDA_BASE 0x9fc00u
#define E820_EBDA_END  0xa0000u
#define E820_BIOS_BASE 0xe0000u
#define E820_BIOS_END  0x100000u

/*
 * RAM alone, for firmware to carve up.  Returns the number of entries.
 */
unsigned e820_build_ram(const struct board_description *board,
			struct e820_entry entry[E820_ENTRIES_MAX]);

/* What an operating system is told if there is no firmware to tell it. */
unsigned e820_build(const struct board_description *board,
		    struct e820_entry entry[E820_ENTRIES_MAX]);

#endif
