/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What RDMSR and WRMSR do in a guest, where processor state or time is behind
 * the register: one table says where each one's value lives and what may be
 * written.  Registers that are mere data are the machine's
 * (machine/msr_table.c).
 *
 * References: SDM volume 4; APM volume 2, "MSR Cross-Reference".
 */
#ifndef BULKHEAD_CPUMODEL_MSR_H
#define BULKHEAD_CPUMODEL_MSR_H

#include "cpumodel/apic.h"
#include "include/compiler.h"
#include "include/x86_state.h"

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
};

struct msr_file {
	struct apic *apic;
	const uint64_t *efer_valid; /* bits CPUID tells of */
	const struct msr_ops *ops;
	void *ctx;
	uint64_t tsc_adjust; /* no processor state is behind it */
};

/* efer_valid and ops stay the caller's and must live as long. */
void msr_init(struct msr_file *file, struct apic *apic,
	      const uint64_t *efer_valid, const struct msr_ops *ops, void *ctx);
/* Power-on values; INIT leaves all of them alone. */
void msr_reset(struct msr_file *file);

/* 0; -EINVAL: #GP(0); -ENOENT: not one of these. */
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
