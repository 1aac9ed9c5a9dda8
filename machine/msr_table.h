/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSRs that are mere data: constants, and registers that the guest may write
 * without an effect on what the processor does.  Those with processor state are
 * the monitor's (cpumodel/msr.c); a RDMSR or WRMSR of others comes here,
 * through the emulator.
 *
 * A device for each vCPU: a reset puts its registers back, INIT does not.
 */
#ifndef BULKHEAD_MACHINE_MSR_TABLE_H
#define BULKHEAD_MACHINE_MSR_TABLE_H

#include "include/device.h"

#define MTRR_VARIABLE 8 /* pairs */
#define MTRR_FIXED    11

struct cpu_msrs_state {
	uint64_t mtrr_default;
	uint64_t mtrr_variable[2 * MTRR_VARIABLE];
	uint64_t mtrr_fixed[MTRR_FIXED];
	uint64_t mcg_status;
	uint64_t hwcr;
	uint64_t de_cfg;
	uint64_t syscfg;
	uint64_t misc_enable;
};

struct cpu_msrs {
	struct device device;
	struct cpu_msrs_state state;
	bool is_amd;
	uint8_t phys_bits; /* MAXPHYADDR */
};

void cpu_msrs_init(struct cpu_msrs *msrs, bool is_amd, uint8_t phys_bits);
/* 0; -EINVAL: #GP(0); -ENOENT: not one of these. */
int __must_check cpu_msrs_read(const struct cpu_msrs *msrs, uint32_t msr,
			       uint64_t *value);
int __must_check cpu_msrs_write(struct cpu_msrs *msrs, uint32_t msr,
				uint64_t value);

#endif
