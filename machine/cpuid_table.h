/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processor as CPUID tells the guest of it: made from what the monitor says
 * of the host's (GATE_CPUID_FACTS), which shows no feature that guests cannot
 * have.
 */
#ifndef BULKHEAD_MACHINE_CPUID_TABLE_H
#define BULKHEAD_MACHINE_CPUID_TABLE_H

#include "include/cpu_quirks.h"
#include "include/cpuid.h"

/* Who made the machine, where no other interface is shown in its place. */
#define CPUID_SIGNATURE "BulkheadHV  "

struct cpuid_config {
	struct cpuid_regs (*facts)(void *ctx, uint32_t leaf, uint32_t subleaf);
	void *ctx;
	unsigned vcpus;
	/* Of each package; 0: one package that has all as cores. */
	unsigned cores, threads;
	uint64_t tsc_hz;
	uint64_t apic_timer_hz;
	struct cpu_quirks quirks;
};

/* -EINVAL: no vCPU, or more than APIC ids allow for, or no whole packages. */
int __must_check cpuid_table_build(struct cpuid_table *table,
				   const struct cpuid_config *config);
bool cpuid_is_amd(const struct cpuid_table *table);
/* EMUL_FEATURE_* for what the table tells of, on the host of the facts. */
uint64_t cpuid_emulator_features(const struct cpuid_table *table,
				 const struct cpuid_config *config);

#endif
