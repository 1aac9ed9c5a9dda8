/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD's nested page tables have the format of the host's own: every access is
 * a user access, so each entry carries U/S.  A present entry can be read; the
 * A and D bits are set from the start, which spares the processor the writes
 * until the dirty log wants them.
 *
 * Guest PAT and this type combine; write-back here lets the guest's win.
 *
 * References: APM volume 2, "Nested Paging", "Page-Translation-Table Entry
 * Fields".
 */
#include "mm/npt.h"

#define NPT_P	BIT(0)
#define NPT_RW	BIT(1)
#define NPT_US	BIT(2)
#define NPT_PWT BIT(3)
#define NPT_PCD BIT(4)
#define NPT_A	BIT(5)
#define NPT_D	BIT(6)
#define NPT_PS	BIT(7)
#define NPT_NX	BIT(63)

static uint64_t npt_leaf(unsigned prot, enum map_type type, unsigned level)
{
	uint64_t entry = NPT_P | NPT_US | NPT_A | NPT_D;

	if (prot & MAP_WRITE)
		entry |= NPT_RW;
	if (!(prot & MAP_EXEC))
		entry |= NPT_NX;
	if (type == MAP_UNCACHED)
		entry |= NPT_PCD | NPT_PWT;
	if (level > 1)
		entry |= NPT_PS;
	return entry;
}

static unsigned npt_prot(uint64_t entry)
{
	return MAP_READ | MAP_USER | (entry & NPT_RW ? MAP_WRITE : 0) |
	       (entry & NPT_NX ? 0 : MAP_EXEC);
}

static enum map_type npt_type(uint64_t entry, unsigned level)
{
	(void)level;
	return entry & NPT_PCD ? MAP_UNCACHED : MAP_WRITE_BACK;
}

const struct table_format npt_format = {
	.leaf = npt_leaf,
	.prot = npt_prot,
	.type = npt_type,
	.table = NPT_P | NPT_RW | NPT_US | NPT_A,
	.present = NPT_P,
	.large = NPT_PS,
	.write_xor_execute = false,
};
