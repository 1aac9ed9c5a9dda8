/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every guest exits for, whatever it does: a new VMCB's control area.
 *
 * Reference: APM volume 2, "Intercept Operation", "VMCB Layout".
 */
#include "svm/internal.h"

#include "mm/phys.h"

/* PAUSEs before a loop counts as waiting, where the processor counts them. */
#define PAUSE_COUNT 3000

void svm_controls_init(struct vmcb *vmcb, const struct vendor_vm *vm)
{
	vmcb->intercept_dr = INTERCEPT_DR_ALL;
	/*
	 * #AC and #DB can be raised without end from microcode, where no
	 * interrupt gets in; #MC is the host's.
	 */
	vmcb->intercept_exceptions =
		BIT(X86_VECTOR_DB) | BIT(X86_VECTOR_AC) | BIT(X86_VECTOR_MC);
	vmcb->intercept = INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_INIT |
			  INTERCEPT_RDPMC | INTERCEPT_CPUID | INTERCEPT_RSM |
			  INTERCEPT_INVD | INTERCEPT_HLT | INTERCEPT_INVLPGA |
			  INTERCEPT_IOIO | INTERCEPT_MSR | INTERCEPT_FERR |
			  INTERCEPT_SHUTDOWN;
	vmcb->intercept2 =
		INTERCEPT2_VMRUN | INTERCEPT2_VMMCALL | INTERCEPT2_VMLOAD |
		INTERCEPT2_VMSAVE | INTERCEPT2_STGI | INTERCEPT2_CLGI |
		INTERCEPT2_SKINIT | INTERCEPT2_WBINVD | INTERCEPT2_MONITOR |
		INTERCEPT2_MWAIT | INTERCEPT2_XSETBV | INTERCEPT2_RDPRU;
	if (vm->exits_on_pause) {
		vmcb->intercept |= INTERCEPT_PAUSE;
		if (svm_features.has_pause_filter)
			vmcb->pause_count = PAUSE_COUNT;
	}
	vmcb->iopm_hpa = svm_iopm_hpa;
	vmcb->msrpm_hpa = virt_to_phys(vm->private);
	vmcb->int_ctl = INT_CTL_V_INTR_MASKING;
	vmcb->nested_control = NESTED_ENABLE;
	vmcb->nested_cr3 = vm->nested_root;
	vmcb->tlb_control = TLB_FLUSH_ALL;
}
