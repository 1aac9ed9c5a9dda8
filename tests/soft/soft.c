/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The back end without a processor: every instruction of the guest runs in
 * the machine's emulator (manifest: emulate-always).  For tests that compare
 * the emulator with the processor on the same guest.
 *
 * The guest's state never leaves the gate page.  x87 and SSE arithmetic is
 * nothing the emulator knows, so operating systems do not get far; firmware,
 * boot loaders and the guest tests do.
 */
#include "tests/soft/soft.h"

#include "include/emulate.h"
#include "include/errno.h"
#include "mm/pages.h"

#define GROUPS_ALL                                                   \
	(X86_GROUP_GPR_RIP | X86_GROUP_SEGMENTS | X86_GROUP_TABLES | \
	 X86_GROUP_CONTROL | X86_GROUP_DEBUG | X86_GROUP_SYSCALL |   \
	 X86_GROUP_FETCH)

/* Instructions before the monitor looks at what is pending. */
#define COUNT	      512
#define COUNT_WAITING 1 /* while an interrupt or NMI waits to be taken */

#define WINDOW_CLOSED (-1)

struct soft_vcpu {
	struct event event;
	bool has_event;
	bool is_nmi_masked;
	bool is_nmi_window;
	int window; /* priority to wait for, or WINDOW_CLOSED */
};

static int soft_vm_init(struct vendor_vm *vm)
{
	(void)vm;
	return 0;
}

static void soft_vm_fini(struct vendor_vm *vm)
{
	(void)vm;
}

static int soft_vcpu_init(struct vendor_vcpu *vcpu)
{
	struct vendor_vm *vm = vcpu->vm;
	struct soft_vcpu *soft = pages_alloc_zeroed(vm->pages, vm->account, 0);

	if (!soft)
		return -ENOMEM;
	soft->window = WINDOW_CLOSED;
	vcpu->private = soft;
	return 0;
}

static void soft_vcpu_fini(struct vendor_vcpu *vcpu)
{
	pages_free_virt(vcpu->vm->pages, vcpu->vm->account, vcpu->private, 0);
	vcpu->private = NULL;
}

static void soft_state_load(struct vendor_vcpu *vcpu, uint32_t groups)
{
	vcpu->state->valid |= groups;
}

static void soft_state_store(struct vendor_vcpu *vcpu, uint32_t groups)
{
	if (groups & X86_GROUP_CONTROL)
		vendor_cr8_set(vcpu, vcpu->state->cr8);
	if (groups & X86_GROUP_SEGMENTS)
		vcpu->has_shadow = vcpu->state->interrupt_shadow;
	vcpu->state->dirty &= ~groups;
}

static bool soft_can_inject(struct vendor_vcpu *vcpu, enum event_kind kind)
{
	const struct soft_vcpu *soft = vcpu->private;
	const struct x86_state *state = vcpu->state;

	if (kind == EVENT_NMI_SECOND)
		return !soft->is_nmi_masked;
	if (soft->has_event)
		return false;
	if (kind == EVENT_EXCEPTION)
		return true;
	if (state->interrupt_shadow)
		return false;
	return kind == EVENT_NMI ? !soft->is_nmi_masked
				 : state->rflags & X86_FLAG_IF;
}

static void soft_inject(struct vendor_vcpu *vcpu, const struct event *event)
{
	struct soft_vcpu *soft = vcpu->private;

	soft->event = *event;
	soft->has_event = true;
	if (event->kind == EVENT_NMI)
		soft->is_nmi_masked = true;
}

static void soft_open_window(struct vendor_vcpu *vcpu, enum event_kind kind,
			     unsigned priority)
{
	struct soft_vcpu *soft = vcpu->private;

	if (kind == EVENT_NMI)
		soft->is_nmi_window = true;
	else
		soft->window = (int)priority;
}

static void soft_events_clear(struct vendor_vcpu *vcpu)
{
	struct soft_vcpu *soft = vcpu->private;

	soft->has_event = soft->is_nmi_masked = soft->is_nmi_window = false;
	soft->window = WINDOW_CLOSED;
}

static void soft_end_shadow(struct vendor_vcpu *vcpu)
{
	vcpu->state->interrupt_shadow = 0;
	vcpu->has_shadow = false;
}

static void soft_nothing(struct vendor_vcpu *vcpu)
{
	(void)vcpu;
}

/* Something waits and could go in now. */
static bool window_opens(struct vendor_vcpu *vcpu, struct soft_vcpu *soft)
{
	if (soft->is_nmi_window && soft_can_inject(vcpu, EVENT_NMI)) {
		soft->is_nmi_window = false;
		return true;
	}
	if (soft->window > vcpu->tpr >> 4 &&
	    soft_can_inject(vcpu, EVENT_INTERRUPT)) {
		soft->window = WINDOW_CLOSED;
		return true;
	}
	return false;
}

static void event_to_machine(struct soft_vcpu *soft, struct exit_info *info)
{
	static const uint8_t type[] = {
		[EVENT_INTERRUPT] = EMUL_TYPE_EXTERNAL,
		[EVENT_NMI] = EMUL_TYPE_NMI,
		[EVENT_EXCEPTION] = EMUL_TYPE_EXCEPTION,
	};

	info->emulate.event = 0;
	if (!soft->has_event)
		return;
	info->emulate.event =
		GATE_RUN_VALID | soft->event.vector |
		FIELD_PUT(GATE_RUN_TYPE, type[soft->event.kind]) |
		(soft->event.has_error_code ? GATE_RUN_HAS_ERROR : 0) |
		FIELD_PUT(GATE_RUN_ERROR, soft->event.error_code);
	soft->has_event = false;
}

static void soft_run(struct vendor_vcpu *vcpu, struct exit_info *info)
{
	struct soft_vcpu *soft = vcpu->private;
	struct x86_state *state = vcpu->state;

	state->valid = GROUPS_ALL;
	state->cr8 = vcpu->tpr >> 4;
	if (state->nmi_open) {
		state->nmi_open = 0;
		soft->is_nmi_masked = false;
	}
	vcpu->has_shadow = state->interrupt_shadow;
	info->length = 0;
	if (window_opens(vcpu, soft)) {
		info->reason = EXIT_INTERRUPT_WINDOW;
		return;
	}
	info->reason = EXIT_EMULATE_RUN;
	info->emulate.count =
		soft->is_nmi_window || soft->window != WINDOW_CLOSED
			? COUNT_WAITING
			: COUNT;
	event_to_machine(soft, info);
}

const struct vendor soft_vendor = {
	.name = "emulator",
	.nested_format = NESTED_FORMAT_NPT,
	.vm_init = soft_vm_init,
	.vm_fini = soft_vm_fini,
	.vcpu_init = soft_vcpu_init,
	.vcpu_fini = soft_vcpu_fini,
	.state_load = soft_state_load,
	.state_store = soft_state_store,
	.can_inject = soft_can_inject,
	.inject = soft_inject,
	.open_window = soft_open_window,
	.events_clear = soft_events_clear,
	.end_shadow = soft_end_shadow,
	.tlb_flush = soft_nothing,
	.switch_out = soft_nothing,
	.run = soft_run,
	.dump = soft_nothing,
};
