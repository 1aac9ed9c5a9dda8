/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events into the guest: what can go in now, what goes in next, and exits as
 * soon as the guest opens up.
 *
 * References: SDM volume 3, "Event Injection", "Information for VM Exits That
 * Occur During Event Delivery", "Interrupt-Window Exiting and
 * Virtual-Interrupt Delivery".
 */
#include "vmx/internal.h"

/* Exceptions that push an error code in protected mode. */
#define EXCEPTIONS_WITH_ERROR                                           \
	(BIT(X86_VECTOR_DF) | BIT(X86_VECTOR_TS) | BIT(X86_VECTOR_NP) | \
	 BIT(X86_VECTOR_SS) | BIT(X86_VECTOR_GP) | BIT(X86_VECTOR_PF) | \
	 BIT(X86_VECTOR_AC))

static bool is_nmi_handled(struct vendor_vcpu *vcpu)
{
	const struct vmx_vcpu *vmx = vcpu->private;

	if (vmx->work & WORK_EVENT &&
	    FIELD_GET(INTERRUPTION_TYPE, vmx->event) == TYPE_NMI)
		return true;
	vmx_vmcs_use(vcpu);
	return vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKED_BY_NMI;
}

bool vmx_can_inject(struct vendor_vcpu *vcpu, enum event_kind kind)
{
	struct vmx_vcpu *vmx = vcpu->private;
	uint64_t blocked;

	if (kind == EVENT_NMI_SECOND)
		return !is_nmi_handled(vcpu);
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

static void interrupt_window_close(struct vmx_vcpu *vmx)
{
	vmx_proc_controls_change(vmx, 0, PROC_INTERRUPT_WINDOW);
	if (vmx->tpr_threshold)
		vmx_tpr_threshold_set(vmx, 0);
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
	/* What a window was for, unless it is opened once more. */
	if (event->kind == EVENT_NMI)
		vmx_proc_controls_change(vmx, 0, PROC_NMI_WINDOW);
	if (event->kind == EVENT_INTERRUPT)
		interrupt_window_close(vmx);
}

/*
 * INT n, INT3, INTO and INT1 need not go in again, for RIP still stands at the
 * instruction; so no injection ever needs an instruction length.  A cut-short
 * NMI blocks others until it is delivered.
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
	if (priority)
		vmx->work |= WORK_TPR;
	else
		vmx->work &= ~WORK_TPR;
	if (vmx->proc_controls & PROC_TPR_SHADOW)
		vmcs_write(VMCS_TPR_THRESHOLD, priority);
}

/*
 * An interrupt that the task priority holds back waits for CR8 first, which
 * exits by itself where there is no TPR shadow.  An NMI window may open under
 * blocking by STI, where an NMI may not be injected, but the interrupt window
 * ends with it.
 */
void vmx_open_window(struct vendor_vcpu *vcpu, enum event_kind kind,
		     unsigned priority)
{
	struct vmx_vcpu *vmx = vcpu->private;

	vmx_vmcs_use(vcpu);
	if (kind == EVENT_NMI) {
		bool is_sti =
			vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKED_BY_STI;

		vmx_proc_controls_change(
			vmx, is_sti ? PROC_INTERRUPT_WINDOW : PROC_NMI_WINDOW,
			0);
		return;
	}
	if (priority <= vcpu->tpr >> TPR_CLASS_SHIFT) {
		vmx_proc_controls_change(vmx, 0, PROC_INTERRUPT_WINDOW);
		vmx_tpr_threshold_set(vmx, (uint8_t)priority);
		return;
	}
	vmx_proc_controls_change(vmx, PROC_INTERRUPT_WINDOW, 0);
	if (vmx->tpr_threshold)
		vmx_tpr_threshold_set(vmx, 0);
}

void vmx_events_clear(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;

	vmx->work &= ~WORK_EVENT;
	/* While the vCPU is made, perhaps not on its thread: all is clear. */
	if (!vmx->is_initialized)
		return;
	vmx_vmcs_use(vcpu);
	vmx_proc_controls_change(vmx, 0,
				 PROC_INTERRUPT_WINDOW | PROC_NMI_WINDOW);
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

/* While it lasts, the trap that TF wants after it is pending. */
void vmx_shadow_set(uint64_t blocked, uint64_t rflags)
{
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, blocked);
	if (blocked & (BLOCKED_BY_STI | BLOCKED_BY_MOVSS))
		vmcs_write(VMCS_GUEST_PENDING_DEBUG,
			   rflags & X86_FLAG_TF ? PENDING_DEBUG_BS : 0);
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
