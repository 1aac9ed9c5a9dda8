/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this processor cannot run is left to the machine's emulator: task
 * switches, which VT-x has none of, and without "unrestricted guest" real mode
 * and the states on the way out of it; and all of a guest whose machine says
 * so.
 *
 * Which of these the processor can enter it says itself: from PE set on each
 * entry is tried; one that is refused runs nothing of the guest and changes no
 * guest state, so that the machine emulates from there, and the next change of
 * state is tried again.  Protected mode without paging runs natively, on a page
 * table that maps each address to itself.
 *
 * References: SDM volume 3, "Treatment of Task Switches", "Unrestricted
 * Guests".
 */
#include "vmx/internal.h"

#include "mm/phys.h"
#include "mm/table.h"

/* Instructions before the monitor checks what is pending. */
#define REAL_MODE_COUNT 256
#define WAITING_COUNT	8 /* while an interrupt waits for IF */
/* In protected mode the state may be one to enter after any of them. */
#define PROTECTED_COUNT 1

static void event_to_machine(struct vmx_vcpu *vmx, struct exit_info *info)
{
	info->emulate.event = 0;
	if (!(vmx->work & WORK_EVENT))
		return;
	info->emulate.event = vmx->event | (uint64_t)vmx->event_error << 32;
	if (FIELD_GET(INTERRUPTION_TYPE, vmx->event) == TYPE_NMI)
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, BLOCKED_BY_NMI);
	vmx->work &= ~WORK_EVENT;
}

/* A window exits by itself only where the processor runs the guest. */
static bool window_opened(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;
	uint32_t open =
		vmx->proc_controls & (PROC_INTERRUPT_WINDOW | PROC_NMI_WINDOW);

	if (open & PROC_INTERRUPT_WINDOW &&
	    !vmx_can_inject(vcpu, EVENT_INTERRUPT))
		open &= ~(uint32_t)PROC_INTERRUPT_WINDOW;
	if (open & PROC_NMI_WINDOW && !vmx_can_inject(vcpu, EVENT_NMI))
		open &= ~(uint32_t)PROC_NMI_WINDOW;
	if (open)
		vmx_proc_controls_change(vmx, 0, open);
	if (vmx->tpr_threshold > vcpu->tpr >> TPR_CLASS_SHIFT) {
		vmx_tpr_threshold_set(vmx, 0);
		return true;
	}
	return open;
}

/* By the machine, whatever the guest's state is: a debugger. */
static bool is_wanted(const struct vendor_vcpu *vcpu)
{
	return container_of(vcpu->state, struct gate_page, state)->is_emulated;
}

void vmx_emulate(struct vendor_vcpu *vcpu, struct exit_info *info)
{
	struct vmx_vcpu *vmx = vcpu->private;
	bool is_waiting;

	info->length = 0;
	info->raw = 0;
	if (window_opened(vcpu)) {
		info->reason = EXIT_INTERRUPT_WINDOW;
		return;
	}
	is_waiting =
		vmx->tpr_threshold ||
		vmx->proc_controls & (PROC_INTERRUPT_WINDOW | PROC_NMI_WINDOW);
	info->reason = EXIT_EMULATE_RUN;
	if (vmx->cr0_shadow & X86_CR0_PE && !is_wanted(vcpu))
		info->emulate.count = PROTECTED_COUNT;
	else
		info->emulate.count =
			is_waiting ? WAITING_COUNT : REAL_MODE_COUNT;
	event_to_machine(vmx, info);
}

/*
 * The VMCS still holds the event that was to be injected, and its launch state
 * is not known, since a VMLAUNCH may have been refused.
 */
__noinline void vmx_emulate_refused(struct vendor_vcpu *vcpu,
				    struct exit_info *info)
{
	struct vmx_vcpu *vmx = vcpu->private;

	if (vmcs_read(VMCS_ENTRY_INTERRUPTION_INFO) & INTERRUPTION_VALID) {
		vmcs_write(VMCS_ENTRY_INTERRUPTION_INFO, 0);
		vmx->work |= WORK_EVENT;
	}
	vmcs_clear(vmx->vmcs_hpa);
	vmcs_load(vmx->vmcs_hpa);
	vmx->is_launched = false;
	vmx->work |= WORK_EMULATE;
	vmx_emulate(vcpu, info);
}

void vmx_emulate_choose(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;
	bool is_able = vmx_features.controls.has_unrestricted ||
		       vmx->cr0_shadow & X86_CR0_PE;

	if (is_able && !is_wanted(vcpu))
		vmx->work &= ~WORK_EMULATE;
	else
		vmx->work |= WORK_EMULATE;
}

void vmx_emulate_event(struct vmx_vcpu *vmx, struct exit_info *info)
{
	info->reason = EXIT_EMULATE_RUN;
	info->emulate.count = 0;
	event_to_machine(vmx, info);
}

/* ---- The identity page table ------------------------------------------- */

#define PDE_FLAGS                                                             \
	(BIT(0) | BIT(1) | BIT(2) /* P RW US */ | BIT(5) | BIT(6) /* A D */ | \
	 BIT(7) /* PS: 4 MiB */)
#define PDE_ENTRIES 1024
#define PDE_SHIFT   22

int vmx_identity_init(struct vendor_vm *vm, uint32_t *table)
{
	for (uint32_t i = 0; i < PDE_ENTRIES; i++)
		table[i] = i << PDE_SHIFT | (uint32_t)PDE_FLAGS;
	return table_map(vm->nested, VMX_IDENTITY_GPA, virt_to_phys(table),
			 PAGE_SIZE, MAP_READ, MAP_WRITE_BACK);
}
