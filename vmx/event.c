/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events into the guest: what can go in now, what goes in next, and exits as
 * soon as the guest opens up.
 *
 * References: SDM volume 3, "Event Injection", "Information for VM Exits That
 * Occur During Event Delivery", "Interrupt-Window Exiting and
 * Virtual-Interrupt Delivery".
 */
#include "vmx/vmx.h"

/* Exceptions that push an error code in protected mode. */
#define EXCEPTIONS_WITH_ERROR                                           \
	(BIT(X86_VECTOR_DF) | BIT(X86_VECTOR_TS) | BIT(X86_VECTOR_NP) | \
	 BIT(X86_VECTOR_SS) | BIT(X86_VECTOR_GP) | BIT(X86_VECTOR_PF) | \
	 BIT(X86_VECTOR_AC))

bool vmx_can_inject(struct vendor_vcpu *vcpu, enum event_kind kind)
{
	struct vmx_vcpu *vmx = vcpu->private;
	uint64_t blocked;

	if (vmx->work & WORK_EVENT)
		return false;
	if (kind == EVENT_EXCEPTION)
		return true;
	if (kind == EVENT_INTERRUPT && !(vcpu->state->rflags & X86_FLAG_IF))
		return false;
	vmx_vmcs_use(vcpu);
	blocked = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
	if (kind == EVENT_NMI)
		return !blocked;
	return !(blocked & (BLOCKED_BY_STI | BLOCKED_BY_MOVSS));
}

/* The processor wants an error code exactly where the manual has one. */
static uint32_t error_flag(const struct vmx_vcpu *vmx,
			   const struct event *event)
{
	if (event->kind != EVENT_EXCEPTION || event->vector >= 32 ||
	    !(EXCEPTIONS_WITH_ERROR & BIT(event->vector)))
		return 0;
	return vmx_guest_cr0(vmx) & X86_CR0_PE ? INTERRUPTION_HAS_ERROR : 0;
}

void vmx_inject(struct vendor_vcpu *vcpu, const struct event *event)
{
	static const uint8_t type[] = {
		[EVENT_INTERRUPT] = TYPE_EXTERNAL,
		[EVENT_NMI] = TYPE_NMI,
		[EVENT_EXCEPTION] = TYPE_EXCEPTION,
	};
	struct vmx_vcpu *vmx = vcpu->private;

	vmx_vmcs_use(vcpu);
	vmx->event =
		(uint32_t)(INTERRUPTION_VALID |
			   FIELD_PUT(INTERRUPTION_VECTOR, event->vector) |
			   FIELD_PUT(INTERRUPTION_TYPE, type[event->kind])) |
		error_flag(vmx, event);
	vmx->event_error = event->has_error_code ? event->error_code : 0;
	vmx->work |= WORK_EVENT;
}

/*
 * INT n and its kind need not go in again, for RIP still stands at the
 * instruction.  A cut-short NMI blocks others until it is delivered.
 */
void vmx_reinject(struct vmx_vcpu *vmx, uint32_t vectoring)
{
	unsigned type = FIELD_GET(INTERRUPTION_TYPE, vectoring);

	if (type >= TYPE_SOFTWARE)
		return;
	vmx->event = vectoring & (INTERRUPTION_VALID | INTERRUPTION_HAS_ERROR |
				  INTERRUPTION_VECTOR | INTERRUPTION_TYPE);
	if (vectoring & INTERRUPTION_HAS_ERROR)
		vmx->event_error = vmcs_read(VMCS_IDT_VECTORING_ERROR);
	if (type == TYPE_NMI)
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
			   vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) &
				   ~BLOCKED_BY_NMI);
	vmx->work |= WORK_EVENT;
}

void vmx_event_commit(struct vmx_vcpu *vmx)
{
	/* An exception may come in a shadow, but TF's rules bind then. */
	if (vmx->event & INTERRUPTION_HAS_ERROR)
		vmcs_write(VMCS_ENTRY_ERROR_CODE, vmx->event_error);
	vmcs_write(VMCS_ENTRY_INTERRUPTION_INFO, vmx->event);
	vmx->work &= ~WORK_EVENT;
}

void vmx_proc_controls_change(struct vmx_vcpu *vmx, uint32_t set,
			      uint32_t clear)
{
	uint32_t controls = (vmx->proc_controls & ~clear) | set;

	if (controls == vmx->proc_controls)
		return;
	vmx->proc_controls = controls;
	vmx->work |= WORK_CONTROLS;
}

void vmx_cr3_exiting(struct vmx_vcpu *vmx, bool exits)
{
	uint32_t both = PROC_CR3_LOAD_EXITING | PROC_CR3_STORE_EXITING;

	vmx_proc_controls_change(vmx, exits ? both : 0, exits ? 0 : both);
}

void vmx_tpr_threshold_set(struct vmx_vcpu *vmx, uint8_t priority)
{
	vmx->tpr_threshold = priority;
	if (vmx->proc_controls & PROC_TPR_SHADOW)
		vmcs_write(VMCS_TPR_THRESHOLD, priority);
}

/*
 * An interrupt that the task priority holds back waits for CR8 first, which
 * exits by itself where there is no TPR shadow.
 */
void vmx_open_window(struct vendor_vcpu *vcpu, enum event_kind kind,
		     unsigned priority)
{
	if (kind == EVENT_INTERRUPT && priority <= vcpu->cr8) {
		vmx_vmcs_use(vcpu);
		vmx_tpr_threshold_set(vcpu->private, (uint8_t)priority);
		return;
	}
	vmx_proc_controls_change(
		vcpu->private,
		kind == EVENT_NMI ? PROC_NMI_WINDOW : PROC_INTERRUPT_WINDOW, 0);
}

void vmx_window_close(struct vmx_vcpu *vmx, uint32_t window)
{
	vmx_proc_controls_change(vmx, 0, window);
}

void vmx_events_clear(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;

	vmx->work &= ~WORK_EVENT;
	/* While the vCPU is made, perhaps not on its thread: all is clear. */
	if (!vmx->is_initialized)
		return;
	vmx_vmcs_use(vcpu);
	vmx_window_close(vmx, PROC_INTERRUPT_WINDOW | PROC_NMI_WINDOW);
	vmx_tpr_threshold_set(vmx, 0);
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmcs_write(VMCS_GUEST_PENDING_DEBUG, 0);
}

/* STI's shadow ends with IF: the processor insists. */
__noinline void vmx_rflags_write(uint64_t rflags)
{
	uint64_t blocked;

	vmcs_write(VMCS_GUEST_RFLAGS, rflags);
	if (rflags & X86_FLAG_IF)
		return;
	blocked = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
	if (blocked & BLOCKED_BY_STI)
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
			   blocked & ~BLOCKED_BY_STI);
}

void vmx_end_shadow(struct vendor_vcpu *vcpu)
{
	const uint64_t shadow = BLOCKED_BY_STI | BLOCKED_BY_MOVSS;
	uint64_t blocked;

	vmx_vmcs_use(vcpu);
	blocked = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
	if (unlikely(blocked & shadow))
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, blocked & ~shadow);
	/* What the guest steps over would have ended in a trap. */
	if (unlikely(vcpu->state->rflags & X86_FLAG_TF))
		vmcs_write(VMCS_GUEST_PENDING_DEBUG, PENDING_DEBUG_BS);
}
