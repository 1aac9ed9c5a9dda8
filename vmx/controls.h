/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which VM-execution, exit and entry controls this processor gets: pure
 * decisions on the values of its capability MSRs, testable on the host.
 */
#ifndef BULKHEAD_VMX_CONTROLS_H
#define BULKHEAD_VMX_CONTROLS_H

#include "include/compiler.h"

enum vmx_word {
	WORD_PIN,
	WORD_PROC,
	WORD_PROC2,
	WORD_EXIT,
	WORD_ENTRY,
	WORD_COUNT,
};

/* The capability MSRs, true ones where the processor has them. */
struct vmx_caps {
	uint64_t basic;
	uint64_t word[WORD_COUNT]; /* allowed-1 above, allowed-0 below */
	uint64_t ept_vpid;
	uint64_t misc;
	uint64_t cr0_fixed0, cr0_fixed1;
	uint64_t cr4_fixed0, cr4_fixed1;
};

/* What came of it. */
struct vmx_controls {
	uint32_t word[WORD_COUNT];
	bool has_unrestricted;
	bool has_vpid;
	bool has_tpr_shadow;
	bool has_apic_accesses;	 /* to the TPR by its page do not exit */
	bool has_apic_registers; /* nor reads of others; their writes do after
				  */
	bool has_efer; /* EFER is switched by entry and exit controls */
	bool has_pat;
	bool has_invept_context;
	bool has_invvpid_context;
	bool has_ept_ad; /* the processor marks what is used and written */
	bool has_pause_loop;
	bool has_timer;	     /* counts down while the guest runs: */
	uint8_t timer_shift; /* once in so many TSC ticks, a power of 2 */
};

/* -ENODEV and a sentence in *why where guests cannot be run. */
int __must_check vmx_controls_negotiate(const struct vmx_caps *caps,
					struct vmx_controls *controls,
					const char **why);

#endif
