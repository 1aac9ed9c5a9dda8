/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps a mode of the guest's from QEMU that would break its host.
 *
 * #VMEXIT in QEMU 7.2 loads the host's CR0 before its CR4 and EFER.  From a
 * guest with EFER.LME set and CR4.PAE and CR0.PG clear it takes the host's
 * CR0.PG for an attempt to enter long mode without PAE, which it drops: the
 * host goes on without paging.  So a guest never runs there with that state:
 *
 *	PG clear, PAE clear	LME is hidden: clear in the VMCB
 *	PG clear		writes to CR4 exit: PAE may change
 *	any			writes that change CR0.PG exit
 *
 * all of it only while the guest's LME is set.  The machine emulates the exits
 * and stores what comes of them, which ends here again.  Nothing of this on
 * other processors.
 */
#include "svm/svm.h"

void svm_lme_hide(struct svm_vcpu *svm)
{
	struct vmcb *vmcb = svm->vmcb;
	bool has_lme, is_paging;

	if (likely(!svm->features->is_tcg))
		return;
	has_lme = vmcb->efer & X86_EFER_LME;
	is_paging = vmcb->cr0 & X86_CR0_PG;
	svm->hidden_efer = 0;
	vmcb->intercept &= ~INTERCEPT_CR0_SEL;
	if (!svm->exits_on_cr4)
		vmcb->intercept_cr &= ~INTERCEPT_CR_WRITE(4);
	svm->dirty |= CLEAN_INTERCEPTS;
	if (!has_lme)
		return;
	vmcb->intercept |= INTERCEPT_CR0_SEL;
	if (is_paging)
		return;
	vmcb->intercept_cr |= INTERCEPT_CR_WRITE(4);
	if (vmcb->cr4 & X86_CR4_PAE)
		return;
	svm->hidden_efer = X86_EFER_LME;
	vmcb->efer &= ~(X86_EFER_LME | X86_EFER_LMA);
}
