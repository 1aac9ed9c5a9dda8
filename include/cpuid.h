/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of what CPUID tells a guest.  Its machine makes it and hands it to
 * the monitor (GATE_CPUID_SET), which answers CPUID by a look at it, and puts
 * in what depends on the vCPU.
 *
 * References: APM volume 3, "Obtaining Processor Information Via the CPUID
 * Instruction"; SDM volume 2, "CPUID".
 */
#ifndef BULKHEAD_CPUID_H
#define BULKHEAD_CPUID_H

#include "include/compiler.h"

#define CPUID_BASIC	 0x00000000U
#define CPUID_HYPERVISOR 0x40000000U
#define CPUID_EXTENDED	 0x80000000U

#define CPUID_LEAVES	     32 /* per range */
/* Where other hypervisors' interfaces are if the first range has one already:
 * at CPUID_HYPERVISOR + n * STRIDE, n from 1. */
#define CPUID_FURTHER	     2
#define CPUID_FURTHER_STRIDE 0x100U
#define CPUID_SUBLEAVES	     24 /* of all leaves together: not more */

/*
 * What depends on the vCPU, which the monitor puts in: bits of
 * cpuid_leaf.patch. It takes away those that are not of that leaf: a machine
 * sets all, or fewer.
 */
#define CPUID_PATCH_ALL	       0xff
#define CPUID_PATCH_APIC_ID    BIT(0) /* EBX[31:24] */
#define CPUID_PATCH_X2APIC_ID  BIT(1) /* EDX */
#define CPUID_PATCH_APIC       BIT(2) /* EDX[9]: absent while disabled */
#define CPUID_PATCH_OSXSAVE    BIT(3) /* ECX[27] */
#define CPUID_PATCH_XSAVE_SIZE BIT(4) /* EBX */
#define CPUID_PATCH_SUBLEAF    BIT(5) /* ECX[7:0] as it was asked for */
/* AMD's 8000001eh: EAX and ECX[7:0] as shifts of the APIC id become that id and
 * the package; the bits between them are EBX[7:0], the core. */
#define CPUID_PATCH_TOPOLOGY   BIT(6)

struct cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

struct cpuid_leaf {
	struct cpuid_regs regs;
	uint8_t patch;
	uint8_t subleaf_first; /* index into .subleaf */
	uint8_t subleaf_count; /* 0: the leaf ignores ECX */
	uint8_t reserved;
};

struct cpuid_table {
	struct cpuid_leaf basic[CPUID_LEAVES];
	struct cpuid_leaf extended[CPUID_LEAVES];
	struct cpuid_leaf hypervisor[CPUID_LEAVES];
	struct cpuid_leaf further[CPUID_FURTHER][CPUID_LEAVES]; /* no ECX */
	struct cpuid_leaf subleaf[CPUID_SUBLEAVES];
	struct cpuid_leaf zero;		/* all other leaves */
	struct cpuid_leaf topology_end; /* leaf 0xb beyond its subleaves */
	uint8_t apic_id[256];		/* by vCPU; the first ones are used */
};

static inline const struct cpuid_leaf *
cpuid_find_subleaf(const struct cpuid_table *table,
		   const struct cpuid_leaf *found, uint32_t leaf,
		   uint32_t subleaf)
{
	if (subleaf < found->subleaf_count)
		return &table->subleaf[found->subleaf_first + subleaf];
	return leaf == 0xb ? &table->topology_end : &table->zero;
}

static inline const struct cpuid_leaf *
cpuid_find_further(const struct cpuid_table *table, uint32_t leaf)
{
	uint32_t range = (leaf - CPUID_HYPERVISOR) / CPUID_FURTHER_STRIDE - 1;

	if (range >= CPUID_FURTHER ||
	    leaf % CPUID_FURTHER_STRIDE >= CPUID_LEAVES)
		return &table->zero;
	return &table->further[range][leaf % CPUID_LEAVES];
}

/* In the three ranges that are asked for most, whatever ECX says; or NULL. */
static inline const struct cpuid_leaf *
cpuid_find_first(const struct cpuid_table *table, uint32_t leaf)
{
	uint32_t range = leaf & ~(CPUID_LEAVES - 1U);

	if (range == CPUID_BASIC)
		return &table->basic[leaf % CPUID_LEAVES];
	if (range == CPUID_HYPERVISOR)
		return &table->hypervisor[leaf % CPUID_LEAVES];
	if (range == CPUID_EXTENDED)
		return &table->extended[leaf % CPUID_LEAVES];
	return NULL;
}

/* Never NULL. */
static inline const struct cpuid_leaf *
cpuid_find(const struct cpuid_table *table, uint32_t leaf, uint32_t subleaf)
{
	const struct cpuid_leaf *found = cpuid_find_first(table, leaf);

	if (!found)
		return cpuid_find_further(table, leaf);
	if (found->subleaf_count)
		return cpuid_find_subleaf(table, found, leaf, subleaf);
	return found;
}

#endif
