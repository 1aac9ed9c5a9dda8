/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What RDMSR and WRMSR do in a guest: one table of ranges says where each
 * register's value lives and what may be written.  Registers without a row
 * raise #GP.
 *
 * References: SDM volume 4; APM volume 2, "MSR Cross-Reference"; the Processor
 * Programming Reference for family 17h.
 */
#ifndef BULKHEAD_CPUMODEL_MSR_H
#define BULKHEAD_CPUMODEL_MSR_H

#include "cpumodel/apic.h"
#include "include/compiler.h"
#include "include/x86_state.h"

/* Variable-range MTRRs offered. */
#define MSR_MTRR_VARIABLE 8
#define MSR_MTRR_FIXED	  11

/* Values kept here, because no processor state is behind them. */
enum msr_slot {
	MSR_SLOT_MTRR_DEFAULT,
	MSR_SLOT_MTRR_VARIABLE,
	MSR_SLOT_MTRR_FIXED = MSR_SLOT_MTRR_VARIABLE + 2 * MSR_MTRR_VARIABLE,
	MSR_SLOT_TSC_ADJUST = MSR_SLOT_MTRR_FIXED + MSR_MTRR_FIXED,
	MSR_SLOT_MCG_STATUS,
	MSR_SLOT_HWCR,
	MSR_SLOT_DE_CFG,
	MSR_SLOT_SYSCFG,
	MSR_SLOT_MISC_ENABLE,
	MSR_SLOT_COUNT,
};

/*
 * Where the values live that are not kept here.  All are called on the vCPU's
 * own thread.
 */
struct msr_ops {
	/* The vCPU's state with these groups valid; what is changed there is
	 * marked dirty. */
	struct x86_state *(*state)(void *ctx, uint32_t groups);
	/* Registers that the back end switches: PAT, TSC_AUX.  0 or -EINVAL. */
	int (*vendor_get)(void *ctx, uint32_t msr, uint64_t *value);
	int (*vendor_set)(void *ctx, uint32_t msr, uint64_t value);
	uint64_t (*tsc_get)(void *ctx);
	void (*tsc_set)(void *ctx, uint64_t tsc);
	/* Optional: a register without a row; at most MSR_LOG_LIMIT times. */
	void (*unknown)(void *ctx, uint32_t msr, bool is_write, uint64_t value);
};

#define MSR_LOG_LIMIT 64

/* The same for all vCPUs of a VM. */
struct msr_config {
	bool is_amd;
	uint8_t phys_bits;
	uint64_t efer_valid;  /* bits CPUID tells of */
	uint64_t patch_level; /* microcode revision */
};

struct msr_file {
	struct apic *apic;
	const struct msr_config *config;
	const struct msr_ops *ops;
	void *ctx;
	unsigned unknown_count;
	uint64_t slot[MSR_SLOT_COUNT];
};

/* config and ops stay the caller's and must live as long. */
void msr_init(struct msr_file *file, struct apic *apic,
	      const struct msr_config *config, const struct msr_ops *ops,
	      void *ctx);
/* Power-on values; INIT leaves all of them alone. */
void msr_reset(struct msr_file *file);

/* 0, or -EINVAL: #GP(0). */
int __must_check msr_file_read(struct msr_file *file, uint32_t msr,
			       uint64_t *value);
int __must_check msr_file_write(struct msr_file *file, uint32_t msr,
				uint64_t value);

/*
 * The EFER a write of value leaves: -EINVAL for reserved bits or for changing
 * LME while paging; LMA stays as it is.
 */
int __must_check msr_efer_check(uint64_t valid, uint64_t cr0, uint64_t old,
				uint64_t value, uint64_t *result);

#endif
