/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this host does against speculation between domains.  Decided once, by
 * boot/, from CPUID, IA32_ARCH_CAPABILITIES and the option "mitigations=off";
 * read-only from then on.  docs/speculation.md says which
 * processor needs what and what it costs.
 */
#ifndef BULKHEAD_KERNEL_SPECULATION_H
#define BULKHEAD_KERNEL_SPECULATION_H

#include "include/compiler.h"

struct cpu;
struct sched_domain;

/* What a processor may offer, and the host does without where it does not. */
#define SPECULATION_LACKS_IBPB	    BIT(0)
#define SPECULATION_LACKS_VERW	    BIT(1) /* it does not clear buffers */
#define SPECULATION_LACKS_L1D_FLUSH BIT(2) /* reads do it instead */

struct speculation {
	bool is_on; /* not "mitigations=off" */
	/* Ring 3 runs on page tables without the monitor's, and the monitor on
	 * tables without ring 3's. */
	bool page_tables;
	/* At each switch between domains on a CPU: */
	bool at_switch; /* any of these */
	bool ibpb;	/* indirect branch predictor barrier */
	bool rsb;	/* return stack buffer overwritten */
	bool verw;	/* CPU buffers overwritten by VERW */
	bool l1d_flush; /* L1 data cache flushed, on VT-x */
	/* Others, all the time: */
	bool rsb_at_exit;   /* the guest's return predictions go at each exit */
	bool ibrs;	    /* enhanced IBRS, on since boot */
	bool auto_ibrs;	    /* AMD's automatic IBRS, on since boot */
	bool smt_idle;	    /* the second thread of a core runs no domain */
	bool itlb_multihit; /* no executable large leaves in nested tables */
	bool fpu_pointers;  /* FXRSTOR leaves FIP, FDP, FOP: clear them first */
	uint32_t lacks;	    /* SPECULATION_LACKS_*: needed and not there */
};

/* kernel/barriers.c.  The CPU is about to run a thread of another domain than
 * before. */
void speculation_switch(struct cpu *cpu, const struct sched_domain *domain);

#endif
