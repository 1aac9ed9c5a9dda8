/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In boot/programs.c's place, and linked among what start-up frees: tests of
 * what is there only then.  The rest is selftest.c's.
 */
#include "boot/boot.h"
#include "include/log.h"
#include "include/x86.h"
#include "include/x86_state.h"
#include "kernel/host.h"

/* Firmware may leave on what lets ring 3 defeat the entries. */
void programs_init(struct host *host)
{
	const uint64_t for_ring_3 = X86_CR4_FSGSBASE | X86_CR4_PCE;
	uint64_t flags = irq_save();

	(void)host;
	cr4_write(cr4_read() | for_ring_3);
	cpu_init(this_cpu());
	log_info("%s nothing of CR4's is left to ring 3",
		 cr4_read() & for_ring_3 ? "FAIL" : "PASS");
	irq_restore(flags);
}
