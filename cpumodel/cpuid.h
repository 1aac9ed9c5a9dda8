/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CPUID tells a guest.  A table is built once per VM from the host's
 * CPUID and a policy; an exit fetches a row of it.  A few bits depend on the
 * vCPU's state and are patched into the copy the vCPU gets.
 *
 * A vCPU's CPUID exit:
 *
 *	leaf = cpuid_find(&vm->cpuid, eax, ecx);
 *	regs = leaf->regs;
 *	if (leaf->patch) {
 *		fill a struct cpuid_dynamic; .cr4 and .xcr0 only if
 *		leaf->patch & CPUID_PATCH_CONTROL
 *		cpuid_patch(leaf, &dynamic, &regs);
 *	}
 *
 * References: APM volume 3, "Obtaining Processor Information Via the CPUID
 * Instruction"; SDM volume 2, "CPUID".
 */
#ifndef BULKHEAD_CPUMODEL_CPUID_H
#define BULKHEAD_CPUMODEL_CPUID_H

#include "include/compiler.h"
#include "include/x86.h"

#define CPUID_BASIC	 0x00000000U
#define CPUID_HYPERVISOR 0x40000000U
#define CPUID_EXTENDED	 0x80000000U

#define CPUID_LEAVES	32 /* directly indexed, per range */
#define CPUID_SUBLEAVES 16 /* of all leaves together */

/* What depends on the vCPU: enum of bits in struct cpuid_leaf's patch. */
#define CPUID_PATCH_APIC_ID    BIT(0) /* EBX[31:24] */
#define CPUID_PATCH_X2APIC_ID  BIT(1) /* EDX */
#define CPUID_PATCH_APIC       BIT(2) /* EDX[9]: absent while disabled */
#define CPUID_PATCH_OSXSAVE    BIT(3) /* ECX[27] */
#define CPUID_PATCH_XSAVE_SIZE BIT(4) /* EBX */
#define CPUID_PATCH_SUBLEAF    BIT(5) /* ECX[7:0] as it was asked for */
/* These need CR4 and XCR0. */
#define CPUID_PATCH_CONTROL    (CPUID_PATCH_OSXSAVE | CPUID_PATCH_XSAVE_SIZE)

struct cpuid_leaf {
	struct cpuid_regs regs;
	uint8_t patch;
	uint8_t subleaf_first; /* index into .subleaf */
	uint8_t subleaf_count; /* 0: the leaf ignores ECX */
};

struct cpuid_table {
	struct cpuid_leaf basic[CPUID_LEAVES];
	struct cpuid_leaf extended[CPUID_LEAVES];
	struct cpuid_leaf hypervisor[CPUID_LEAVES];
	struct cpuid_leaf subleaf[CPUID_SUBLEAVES];
	struct cpuid_leaf zero;
	struct cpuid_leaf topology_end; /* leaf 0xb beyond its levels */
	unsigned subleaf_count;
};

struct cpuid_config {
	/* The host's CPUID; the table is what of it the policy lets through. */
	struct cpuid_regs (*host)(void *ctx, uint32_t leaf, uint32_t subleaf);
	void *ctx;
	unsigned vcpus;
	uint64_t tsc_hz;
	/* The back end switches TSC_AUX: RDTSCP and RDPID may be shown. */
	bool has_tsc_aux;
};

struct cpuid_dynamic {
	uint32_t apic_id;
	uint32_t subleaf; /* ECX of the CPUID instruction */
	bool is_apic_enabled;
	uint64_t cr4;
	uint64_t xcr0;
};

/* -EINVAL: no vCPU, or more than APIC ids allow for. */
int __must_check cpuid_table_build(struct cpuid_table *table,
				   const struct cpuid_config *config);

const struct cpuid_leaf *cpuid_find_subleaf(const struct cpuid_table *table,
					    uint32_t leaf, uint32_t subleaf);

/* Never NULL. */
static inline const struct cpuid_leaf *
cpuid_find(const struct cpuid_table *table, uint32_t leaf, uint32_t subleaf)
{
	const struct cpuid_leaf *found;

	switch (leaf & ~(CPUID_LEAVES - 1U)) {
	case CPUID_BASIC:
		found = &table->basic[leaf % CPUID_LEAVES];
		break;
	case CPUID_EXTENDED:
		found = &table->extended[leaf % CPUID_LEAVES];
		break;
	case CPUID_HYPERVISOR:
		found = &table->hypervisor[leaf % CPUID_LEAVES];
		break;
	default:
		return &table->zero;
	}
	if (unlikely(found->subleaf_count))
		return cpuid_find_subleaf(table, leaf, subleaf);
	return found;
}

/* Completes regs, a copy of leaf->regs. */
void cpuid_patch(const struct cpuid_leaf *leaf,
		 const struct cpuid_dynamic *dynamic, struct cpuid_regs *regs);

/* What the guest may set, by what it was told: other bits raise #GP. */
uint64_t cpuid_cr4_valid(const struct cpuid_table *table);
/* The same for the processor itself. */
uint64_t cpuid_cr4_host(const struct cpuid_config *config);
uint64_t cpuid_efer_valid(const struct cpuid_table *table);
uint8_t cpuid_phys_bits(const struct cpuid_table *table);
bool cpuid_is_amd(const struct cpuid_table *table);
bool cpuid_has_tsc_aux(const struct cpuid_table *table);

#endif
