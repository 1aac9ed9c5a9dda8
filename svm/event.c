/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events into the guest: what can go in now, what goes in next, and exits as
 * soon as the guest opens up.  Where quirks.c sends interrupts as virtual ones
 * (V_IRQ), is_virq_sent says that one is on its way.
 *
 * References: APM volume 2, "Event Injection", "Virtual Interrupts", "Interrupt
 * Shadows".
 */
#include "svm/internal.h"

bool svm_can_inject(struct vendor_vcpu *vcpu, enum event_kind kind)
{
	const struct svm_vcpu *svm = vcpu->private;
	const struct vmcb *vmcb = svm->vmcb;

	if (kind == EVENT_NMI_SECOND)
		return !svm->is_nmi_masked;
	if (vmcb->event_inject & EVENT_VALID)
		return false;
	switch (kind) {
	case EVENT_INTERRUPT:
		return (vcpu->state->rflags & X86_FLAG_IF) &&
		       !(vmcb->int_state & INT_STATE_SHADOW) &&
		       !svm->is_virq_sent;
	case EVENT_NMI:
		return !svm->is_nmi_masked &&
		       !(vmcb->int_state & INT_STATE_SHADOW);
	default:
		break;
	}
	return true;
}

/* ---- Virtual interrupts ------------------------------------------------ */

/*
 * A virtual interrupt that is never delivered: its intercept fires as soon as
 * it could be.
 */
void svm_interrupt_window_open(struct svm_vcpu *svm, unsigned priority)
{
	svm_virq_raise(svm, priority, 0);
	svm->vmcb->intercept |= INTERCEPT_VINTR;
	svm->dirty |= CLEAN_INTERCEPTS;
	svm_quirk_cr8(svm);
}

/*
 * NMIs wait for IRET, whose intercept stands already, or for the end of a
 * shadow, which the same trick shows well enough.
 */
void svm_open_window(struct vendor_vcpu *vcpu, enum event_kind kind,
		     unsigned priority)
{
	struct svm_vcpu *svm = vcpu->private;

	if (kind == EVENT_NMI && svm->is_nmi_masked)
		return;
	if (unlikely(svm->is_virq_sent)) {
		svm->is_window_deferred = true;
		svm->deferred_priority = (uint8_t)priority;
		return;
	}
	svm_interrupt_window_open(svm, priority);
}

/* ---- Injection --------------------------------------------------------- */

void svm_inject(struct vendor_vcpu *vcpu, const struct event *event)
{
	static const uint8_t type[] = {
		[EVENT_INTERRUPT] = EVENT_TYPE_INTR,
		[EVENT_NMI] = EVENT_TYPE_NMI,
		[EVENT_EXCEPTION] = EVENT_TYPE_EXCEPTION,
	};
	struct svm_vcpu *svm = vcpu->private;
	uint64_t inject = EVENT_VALID | FIELD_PUT(EVENT_VECTOR, event->vector) |
			  FIELD_PUT(EVENT_TYPE, type[event->kind]);

	if (event->kind == EVENT_INTERRUPT) {
		/* What the window was for, unless it is opened once more. */
		if (svm->vmcb->int_ctl & INT_CTL_V_IRQ)
			svm_interrupt_window_close(svm);
		if (svm_features.is_tcg && !svm_is_emulated(vcpu)) {
			svm_quirk_virq_send(svm, event->vector);
			return;
		}
	}
	if (event->has_error_code)
		inject |= EVENT_HAS_ERROR |
			  FIELD_PUT(EVENT_ERROR, event->error_code);
	svm->vmcb->event_inject = inject;
	if (event->kind == EVENT_NMI) {
		svm->is_nmi_masked = true;
		vcpu->state->nmi_open = 0;
		svm->vmcb->intercept |= INTERCEPT_IRET;
		svm->dirty |= CLEAN_INTERCEPTS;
	}
	if (unlikely(svm->is_virq_sent))
		svm_quirk_cr8(svm); /* the event's handler may write it */
}

void svm_end_shadow(struct vendor_vcpu *vcpu)
{
	struct svm_vcpu *svm = vcpu->private;

	svm->vmcb->int_state = 0;
}

void svm_events_clear(struct vendor_vcpu *vcpu)
{
	struct svm_vcpu *svm = vcpu->private;

	svm->vmcb->event_inject = 0;
	svm->vmcb->int_state = 0;
	svm->is_nmi_masked = false;
	svm->is_virq_sent = false;
	svm->vmcb->intercept &= ~INTERCEPT_IRET;
	svm_interrupt_window_close(svm);
}

/* ---- After an exit ----------------------------------------------------- */

/*
 * An event whose delivery the exit cut short goes in again; INT n and its
 * kind need not, for RIP still stands at the instruction.
 */
void svm_event_reinject(struct vmcb *vmcb)
{
	uint64_t info = vmcb->exit_int_info;
	unsigned type = FIELD_GET(EVENT_TYPE, info);
	unsigned vector = FIELD_GET(EVENT_VECTOR, info);
	bool is_software =
		type == EVENT_TYPE_SOFTWARE ||
		(type == EVENT_TYPE_EXCEPTION &&
		 (vector == X86_VECTOR_BP || vector == X86_VECTOR_OF));

	vmcb->event_inject = is_software ? 0 : info;
}

void svm_event_exit(struct svm_vcpu *svm)
{
	if (svm->is_virq_sent)
		svm_quirk_virq_exit(svm);
	else
		svm_event_reinject(svm->vmcb);
}
