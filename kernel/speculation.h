/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this host does against speculation between domains.  Decided once, from
 * CPUID, IA32_ARCH_CAPABILITIES and the manifest's "mitigations", before the
 * first program runs; read-only from then on.  docs/speculation.md says which
 * processor needs what and what it costs.
 */
#ifndef BULKHEAD_KERNEL_SPECULATION_H
#define BULKHEAD_KERNEL_SPECULATION_H

#include "include/compiler.h"

struct host;
struct cpu;
struct sched_domain;

/* What a processor may offer, and the host does without where it does not. */
#define SPECULATION_LACKS_IBPB	    BIT(0)
#define SPECULATION_LACKS_VERW	    BIT(1) /* it does not clear buffers */
#define SPECULATION_LACKS_L1D_FLUSH BIT(2) /* reads do it instead */

struct speculation {
	bool is_on; /* by the manifest */
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

enum speculation_vendor {
	SPECULATION_OTHER, /* believed to be affected like Intel's */
	SPECULATION_INTEL,
	SPECULATION_AMD, /* and Hygon */
};

/* What CPUID and the capability MSR say. */
struct speculation_facts {
	enum speculation_vendor vendor;
	uint32_t family, model;
	uint32_t leaf7_edx;
	uint32_t amd8_ebx;	    /* 80000008 */
	uint32_t amd21_eax;	    /* 80000021 */
	uint64_t arch_capabilities; /* 0 where there is no such MSR */
	bool has_smap;
	bool has_rtm;
	bool is_vtx; /* and not AMD-V */
	/* Where the APIC ID says which thread of its core a CPU is: leaf 0B,
	 * subleaf 0, or leaves 1 and 4. */
	uint32_t leafb_eax, leafb_ecx;
	uint32_t leaf1_ebx, leaf1_edx;
	uint32_t leaf4_eax;
};

/* is_on: the manifest's mitigations = "auto". */
void speculation_decide(const struct speculation_facts *facts, bool is_on,
			struct speculation *speculation);
/* How many low bits of an APIC ID number the threads of one core. */
unsigned speculation_thread_bits(const struct speculation_facts *facts);
/* What of it is on, as words; returns text, or a constant. */
const char *speculation_describe(const struct speculation *speculation,
				 char *text, size_t size);

/*
 * kernel/barriers.c: reads the facts, decides, logs a line, and marks the CPUs
 * that run no domain.  All CPUs are up and no domain is there yet.
 */
void speculation_init(struct host *host, bool is_on, bool is_vtx);
/* On each CPU: what is set once. */
void speculation_init_cpu(struct cpu *cpu);
/* The CPU is about to run a thread of another domain than before. */
void speculation_switch(struct cpu *cpu, const struct sched_domain *domain);

#endif
