/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All of the RAM below the hole for PCI, a word of each 2 MiB: it is there, and
 * each keeps its own value.
 */
#include "tests/guest/lib/guest.h"

#define RAM_FIRST MIB(4)
#define RAM_LIMIT GIB(3)
#define SALT	  0x5555

static volatile uint64_t *word(uint64_t at)
{
	return (volatile uint64_t *)(at + PAGE_2M - 8);
}

void guest_main(void)
{
	uint64_t end = RAM_FIRST, bad = 0;

	for (; end < RAM_LIMIT; end += PAGE_2M) {
		*word(end) = end ^ SALT;
		if (*word(end) != (end ^ SALT))
			break;
	}
	for (uint64_t at = RAM_FIRST; at < end; at += PAGE_2M)
		if (*word(at) != (at ^ SALT))
			bad = at;
	print("RAM ends at %lu MiB\n", end >> 20);
	check("ram-is-there", end >= MIB(64));
	check_equal("ram-keeps-all", bad, 0);
}
