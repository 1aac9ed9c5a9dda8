/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What simulators get wrong, each in a function of its own.
 */
#include "vmx/internal.h"

#include "include/x86.h"

/* ---- Bochs: host interrupts held up ------------------------------------ */
/*
 * Bochs 2.7 lets no host interrupt end a guest that was entered with IF clear
 * until the guest changes IF.  The preemption timer ends it when the CPU's next
 * timer is due.  It counts from entry to exit alone, so it is late by the time
 * spent in ring 0.  Used on every processor that has it: there it runs out
 * together with the host's timer and costs no exit of its own.
 */

#define TIMER_MAX     UINT32_MAX
/* Even a deadline that is past leaves the guest some instructions. */
#define TIMER_MIN_TSC 1024

__noinline void vmx_quirk_timer_set(struct vmx_vcpu *vmx, uint64_t deadline)
{
	uint64_t now = tsc_read(), ticks = TIMER_MIN_TSC;

	vmx->deadline = deadline;
	if (!vmx_features.controls.has_timer)
		return;
	if (deadline > now + TIMER_MIN_TSC)
		ticks = deadline - now;
	ticks = (ticks >> vmx_features.controls.timer_shift) + 1;
	vmcs_write(VMCS_PREEMPTION_TIMER, MIN(ticks, TIMER_MAX));
}
