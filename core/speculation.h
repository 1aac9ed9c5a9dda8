/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this host does against speculation between domains.  Decided once, from
 * CPUID, IA32_ARCH_CAPABILITIES and the manifest's "mitigations", before the
 * first program runs; read-only from then on.  docs/speculation.md says which
 * processor needs what and what it costs.
 */
#ifndef BULKHEAD_CORE_SPECULATION_H
#define BULKHEAD_CORE_SPECULATION_H

#include "include/compiler.h"

struct speculation {
	/* Ring 3 runs on page tables without the monitor's, and the monitor on
	 * tables without ring 3's. */
	bool page_tables;
	/* At each switch between domains on a CPU: */
	bool ibpb;	/* indirect branch predictor barrier */
	bool rsb;	/* return stack buffer overwritten */
	bool verw;	/* CPU buffers overwritten by VERW */
	bool l1d_flush; /* L1 data cache flushed, on VT-x */
	/* Others, all the time: */
	bool smt_idle;	    /* the second thread of a core runs no domain */
	bool itlb_multihit; /* no executable large leaves in nested tables */
	bool fpu_pointers;  /* FXRSTOR leaves FIP, FDP, FOP: clear them first */
};

/* is_on: the manifest's mitigations = "auto".  Logs a line. */
void speculation_init(struct speculation *speculation, bool is_on);

#endif
