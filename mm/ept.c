/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel's extended page tables: rights are three bits of their own, and a
 * leaf carries the memory type instead of PWT and PCD.
 *
 * An entry that may be written but not read is a misconfiguration, and
 * execute-only is not everywhere: whatever is mapped can be read, as in NPT.
 * The guest's PAT combines with this type ("ignore PAT" stays clear), so
 * write-back here lets the guest's win.  Accessed and dirty bits start clear,
 * so that they tell what the guest has touched.
 *
 * Reference: SDM volume 3, "The Extended Page Table Mechanism (EPT)".
 */
#include "mm/ept.h"

#define EPT_R	 BIT(0)
#define EPT_W	 BIT(1)
#define EPT_X	 BIT(2)
#define EPT_TYPE MASK(5, 3)
#define EPT_PS	 BIT(7)

#define EPT_TYPE_UNCACHED   0
#define EPT_TYPE_WRITE_BACK 6

static uint64_t ept_leaf(unsigned prot, enum map_type type, unsigned level)
{
	uint64_t entry = EPT_R;

	if (prot & MAP_WRITE)
		entry |= EPT_W;
	if (prot & MAP_EXEC)
		entry |= EPT_X;
	if (type == MAP_WRITE_BACK)
		entry |= FIELD_PUT(EPT_TYPE, EPT_TYPE_WRITE_BACK);
	if (level > 1)
		entry |= EPT_PS;
	return entry;
}

static unsigned ept_prot(uint64_t entry)
{
	return MAP_READ | MAP_USER | (entry & EPT_W ? MAP_WRITE : 0) |
	       (entry & EPT_X ? MAP_EXEC : 0);
}

static enum map_type ept_type(uint64_t entry, unsigned level)
{
	(void)level;
	return FIELD_GET(EPT_TYPE, entry) == EPT_TYPE_UNCACHED ? MAP_UNCACHED
							       : MAP_WRITE_BACK;
}

const struct table_format ept_format = {
	.leaf = ept_leaf,
	.prot = ept_prot,
	.type = ept_type,
	.table = EPT_R | EPT_W | EPT_X,
	.present = EPT_R | EPT_W | EPT_X,
	.large = EPT_PS,
	.marks = EPT_ACCESSED | EPT_DIRTY,
	.write_xor_execute = false,
};
