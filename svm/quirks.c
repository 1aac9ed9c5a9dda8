/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What simulators get wrong, each in a function of its own.
 *
 * Those of QEMU's interpreter were seen in 7.2; tests/guest/irqonce.c shows
 * the ones about events.  CPUID tells it from others: see svm_quirk_is_tcg().
 */
#include "svm/internal.h"

#include "include/x86.h"

/* clang-format off */
#define CPUID_TCG_EBX		0x54474354 /* "TCGTCGTCGTCG" */
#define CPUID_TCG_ECX		0x43544743
#define CPUID_TCG_EDX		0x47435447
/* clang-format on */

bool svm_quirk_is_tcg(void)
{
	struct cpuid_regs r = cpuid_read(CPUID_HYPERVISOR, 0);

	return r.ebx == CPUID_TCG_EBX && r.ecx == CPUID_TCG_ECX &&
	       r.edx == CPUID_TCG_EDX;
}

/* ---- QEMU: EFER.LME without paging ------------------------------------- */
/*
 * #VMEXIT loads the host's CR0 before its CR4 and EFER.  From a guest with
 * EFER.LME set and CR4.PAE and CR0.PG clear it takes the host's CR0.PG for an
 * attempt to enter long mode without PAE, which it drops: the host goes on
 * without paging.  So a guest never runs there with that state:
 *
 *	PG clear, PAE clear	LME is hidden: clear in the VMCB
 *	PG clear		writes to CR4 exit: PAE may change
 *	any			writes that change CR0.PG exit
 *
 * all of it only while the guest's LME is set.  The machine emulates the exits
 * and stores the new state, which calls this again.
 */
void svm_quirk_lme(struct svm_vcpu *svm)
{
	struct vmcb *vmcb = svm->vmcb;
	bool has_lme, is_paging;

	if (likely(!svm_features.is_tcg))
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

/* ---- QEMU: reserved bits ----------------------------------------------- */
/*
 * MOV to CR4, and MOV to CR3 in long mode, with a reserved bit set is an exit
 * as INVALID there, not #GP.  The machine emulates what it was, so that others
 * need not exit, unless VMRUN itself had refused the guest: then the VMCB has
 * the host's CR3.
 */
enum exit_reason svm_quirk_invalid(const struct svm_vcpu *svm)
{
	if (svm_features.is_tcg && svm->vmcb->cr3 != cr3_read())
		return EXIT_CR;
	return EXIT_INVALID;
}

/* ---- QEMU: events ------------------------------------------------------ */
/*
 * VMRUN ignores INTERRUPT_SHADOW: an exit between STI and HLT loses the
 * shadow.  The machine emulates the shadowed instruction, and lets host
 * interrupts in as soon as it runs.
 */
void svm_quirk_shadow(struct exit_info *info)
{
	if (svm_features.is_tcg)
		info->reason = EXIT_SHADOWED;
}

/* QEMU ends itself when CR8 is written with V_IRQ pending: the writes exit. */
void svm_quirk_cr8(struct svm_vcpu *svm)
{
	if (!svm_features.is_tcg)
		return;
	svm->vmcb->intercept_cr |= INTERCEPT_CR_WRITE(8);
	svm->dirty |= CLEAN_INTERCEPTS;
}

/*
 * A virtual interrupt is taken if its priority is the TPR's, too, and not only
 * if it is above: a window for a vector in the TPR's own class would open at
 * once, again and again.
 */
unsigned svm_quirk_virq_priority(unsigned priority)
{
	return svm_features.is_tcg && priority ? priority - 1 : priority;
}

/*
 * VMRUN leaves the vector of an interrupt that it injected (EVENTINJ) behind
 * as a pending exception.  Where its main loop next stops for a timer before
 * the guest has exited, the vector is delivered once more, with IF clear or
 * not.  So interrupts go in as virtual ones (V_IRQ), which it takes at the
 * first instruction boundary and forgets: nothing but a host interrupt can
 * precede them.
 */
void svm_quirk_virq_send(struct svm_vcpu *svm, uint8_t vector)
{
	svm_virq_raise(svm, VENDOR_PRIORITY_ABOVE_TPR, vector);
	svm->is_virq_sent = true;
	svm->is_window_deferred = false;
}

/* Cut short in its delivery it still waits, and QEMU calls it an exception. */
static bool is_virq(const struct vmcb *vmcb, uint64_t info)
{
	return FIELD_GET(EVENT_TYPE, info) == EVENT_TYPE_EXCEPTION &&
	       FIELD_GET(EVENT_VECTOR, info) ==
		       FIELD_GET(INT_CTL_V_INTR_VECTOR, vmcb->int_ctl);
}

static void virq_done(struct svm_vcpu *svm)
{
	svm->is_virq_sent = false;
	svm_interrupt_window_close(svm);
	if (svm->is_window_deferred)
		svm_interrupt_window_open(svm, svm->deferred_priority);
	svm->is_window_deferred = false;
}

void svm_quirk_virq_exit(struct svm_vcpu *svm)
{
	struct vmcb *vmcb = svm->vmcb;
	uint64_t info = vmcb->exit_int_info;
	bool waits = vmcb->int_ctl & INT_CTL_V_IRQ;

	if (info & EVENT_VALID && !(waits && is_virq(vmcb, info)))
		svm_event_reinject(vmcb);
	else
		vmcb->event_inject = 0;
	if (!waits)
		virq_done(svm);
}

void svm_quirk_virq_take(struct vendor_vcpu *vcpu)
{
	struct svm_vcpu *svm = vcpu->private;
	struct vmcb *vmcb = svm->vmcb;

	if (!svm->is_virq_sent || vmcb->event_inject & EVENT_VALID ||
	    vmcb->int_state & INT_STATE_SHADOW ||
	    !(vcpu->state->rflags & X86_FLAG_IF))
		return;
	vmcb->event_inject =
		EVENT_VALID | FIELD_GET(INT_CTL_V_INTR_VECTOR, vmcb->int_ctl);
	virq_done(svm);
}

/* ---- Bochs ------------------------------------------------------------- */

/* Bochs 2.7 does not load CR2 from the VMCB. */
void svm_quirk_cr2(const struct vmcb *vmcb)
{
	cr2_write(vmcb->cr2);
}
