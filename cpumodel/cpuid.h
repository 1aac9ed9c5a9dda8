/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest's CPUID may say.  The table is the machine's (include/cpuid.h);
 * a feature is shown only if this processor has it and it is virtualized, or if
 * the monitor provides it whatever the processor has.
 *
 * A vCPU's CPUID exit:
 *
 *	leaf = cpuid_find(table, eax, ecx);
 *	regs = leaf->regs;
 *	if (leaf->patch) {
 *		fill a struct cpuid_dynamic; .cr4 and .xcr0 only if
 *		leaf->patch & CPUID_PATCH_CONTROL
 *		cpuid_patch(leaf, &dynamic, &regs);
 *	}
 */
#ifndef BULKHEAD_CPUMODEL_CPUID_H
#define BULKHEAD_CPUMODEL_CPUID_H

#include "include/compiler.h"
#include "include/cpuid.h"

/* These need CR4 and XCR0. */
#define CPUID_PATCH_CONTROL (CPUID_PATCH_OSXSAVE | CPUID_PATCH_XSAVE_SIZE)

/* The CPUID instruction of the processor underneath. */
typedef struct cpuid_regs (*cpuid_fn)(uint32_t leaf, uint32_t subleaf);

struct cpuid_dynamic {
	uint32_t apic_id;
	uint32_t subleaf; /* ECX of the CPUID instruction */
	bool is_apic_enabled;
	uint64_t cr4;
	uint64_t xcr0;
};

/* Of a VM that has none yet: all zeroes. */
extern const struct cpuid_table cpuid_none;

/*
 * What a machine is told of the processor: a leaf as a guest may see it, zeroes
 * where there is nothing for guests.
 */
struct cpuid_regs cpuid_facts(cpuid_fn host, uint32_t leaf, uint32_t subleaf);
/*
 * Takes from a machine's table what may not be shown.  -EINVAL: subleaves that
 * the table has no room for.
 */
int __must_check cpuid_limit(cpuid_fn host, struct cpuid_table *table);

/* Completes regs, a copy of leaf->regs. */
void cpuid_patch(const struct cpuid_leaf *leaf,
		 const struct cpuid_dynamic *dynamic, struct cpuid_regs *regs);

/* What the guest may set, by what it was told: other bits raise #GP. */
uint64_t cpuid_cr4_valid(const struct cpuid_table *table);
/* The same for the processor itself. */
uint64_t cpuid_cr4_host(cpuid_fn host);
uint64_t cpuid_efer_valid(const struct cpuid_table *table);
uint8_t cpuid_phys_bits(const struct cpuid_table *table);
bool cpuid_has_tsc_aux(const struct cpuid_table *table);
/* The processor has the register, whatever is shown. */
bool cpuid_host_has_tsc_aux(cpuid_fn host);

#endif
