/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory maps from the board description.
 *
 * Reference: ACPI 6.5, "System Address Map Interfaces".
 */
#include "firmware/e820.h"

static unsigned e820_add(struct e820_entry *entry, unsigned count,
			 uint64_t base, uint64_t end, enum e820_type type)
{
	if (base >= end)
		return count;
	entry[count] = (struct e820_entry){ .base = base,
					    .length = end - base,
					    .type = type };
	return count + 1;
}

/* From base to the end of what lies below 4 GiB, and what lies above. */
static unsigned e820_add_ram(const struct board_description *board,
			     struct e820_entry *entry, unsigned n,
			     uint64_t base)
{
	n = e820_add(entry, n, base, board_extended_end(board), E820_RAM);
	if (board->has_hole)
		n = e820_add(entry, n, BOARD_HOLE_END, board->ram_low,
			     E820_RAM);
	return e820_add(entry, n, GIB(4), GIB(4) + board->ram_high, E820_RAM);
}

unsigned e820_build_ram(const struct board_description *board,
			struct e820_entry entry[E820_ENTRIES_MAX])
{
	return e820_add_ram(board, entry, 0, 0);
}

unsigned e820_build(const struct board_description *board,
		    struct e820_entry entry[E820_ENTRIES_MAX])
{
	unsigned n;

	n = e820_add(entry, 0, 0, E820_EBDA_BASE, E820_RAM);
	n = e820_add(entry, n, E820_EBDA_BASE, E820_EBDA_END, E820_RESERVED);
	n = e820_add(entry, n, E820_BIOS_BASE, E820_BIOS_END, E820_RESERVED);
	return e820_add_ram(board, entry, n, MIB(1));
}
