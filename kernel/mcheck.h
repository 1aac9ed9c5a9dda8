/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine checks: hardware errors that the processor reports by #MC.
 *
 * References: SDM volume 3, "Machine-Check Architecture"; APM volume 2,
 * "Machine Check Architecture".
 */
#ifndef BULKHEAD_KERNEL_MCHECK_H
#define BULKHEAD_KERNEL_MCHECK_H

#include "include/compiler.h"

enum mcheck_verdict {
	MCHECK_NOTHING, /* nothing of this CPU's: another one's, or stray */
	MCHECK_GOES_ON, /* an error, but what was interrupted may go on */
	MCHECK_LOST,	/* what was interrupted cannot */
};

/* The first error found; for a line of the log. */
struct mcheck_error {
	unsigned bank;
	uint64_t status;  /* MCi_STATUS */
	uint64_t address; /* MCi_ADDR, 0 if it has none */
};

/* On each CPU: reporting of all errors on, CR4.MCE set, where there is any. */
void mcheck_init_cpu(void);
/*
 * After a #MC on this CPU, also one that a guest exited for: reads and clears
 * the banks, so that the next is taken.  Writes no log: the interrupted code
 * may hold the console.
 */
enum mcheck_verdict mcheck_take(struct mcheck_error *error);

#endif
