/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMs and vCPUs of the AMD-V back end, and one entry and exit.
 *
 * Reference: APM volume 2, "Secure Virtual Machine".
 */
#include "svm/internal.h"

#include "include/errno.h"
#include "mm/pages.h"
#include "mm/phys.h"

static int svm_vm_init(struct vendor_vm *vm)
{
	uint8_t *msrpm =
		pages_alloc_zeroed(vm->pages, vm->account, MSRPM_ORDER);

	if (!msrpm)
		return -ENOMEM;
	svm_msrpm_init(msrpm);
	vm->has_1g = cpuid_read(0x80000001, 0).edx & BIT(26); /* Page1GB */
	vm->private = msrpm;
	return 0;
}

static void svm_vm_fini(struct vendor_vm *vm)
{
	pages_free_virt(vm->pages, vm->account, vm->private, MSRPM_ORDER);
	vm->private = NULL;
}

static int svm_vcpu_init(struct vendor_vcpu *vcpu)
{
	struct vendor_vm *vm = vcpu->vm;
	struct svm_vcpu *svm = pages_alloc_zeroed(vm->pages, vm->account, 0);
	struct vmcb *vmcb;

	if (!svm)
		return -ENOMEM;
	vmcb = pages_alloc_zeroed(vm->pages, vm->account, 0);
	if (!vmcb) {
		pages_free_virt(vm->pages, vm->account, svm, 0);
		return -ENOMEM;
	}
	svm->vmcb = vmcb;
	svm->vmcb_hpa = virt_to_phys(vmcb);
	svm->dirty = CLEAN_ALL;
	svm_controls_init(vmcb, vm);
	vcpu->private = svm;
	return 0;
}

static void svm_vcpu_fini(struct vendor_vcpu *vcpu)
{
	struct svm_vcpu *svm = vcpu->private;
	struct vendor_vm *vm = vcpu->vm;

	pages_free_virt(vm->pages, vm->account, svm->vmcb, 0);
	pages_free_virt(vm->pages, vm->account, svm, 0);
	vcpu->private = NULL;
}

static void svm_switch_out(struct vendor_vcpu *vcpu)
{
	struct svm_vcpu *svm = vcpu->private;

	svm->cpu = NULL;
}

/* ---- Running ----------------------------------------------------------- */

/*
 * The machine emulates: a debugger wants it, or QEMU's interpreter, whose VMRUN
 * loads DR7, but sets none of its breakpoints; a MOV to DR7 that finds one
 * enabled there which was never set ends QEMU (seen in 7.2).
 */
#define EMULATE_COUNT 64

static void svm_emulate(struct vendor_vcpu *vcpu, struct exit_info *info)
{
	struct svm_vcpu *svm = vcpu->private;
	struct vmcb *vmcb = svm->vmcb;
	bool waits = vmcb->int_ctl & INT_CTL_V_IRQ;

	vcpu->state->valid = X86_GROUP_GPR_RIP;
	if (vcpu->state->nmi_open)
		svm_nmi_done(svm);
	/* What waits is a window, or cannot be taken yet. */
	if (waits && svm_can_inject(vcpu, EVENT_INTERRUPT) &&
	    (vmcb->int_ctl & INT_CTL_V_IGN_TPR ||
	     FIELD_GET(INT_CTL_V_INTR_PRIO, vmcb->int_ctl) >= vcpu->tpr >> 4)) {
		svm_interrupt_window_close(svm);
		info->reason = EXIT_INTERRUPT_WINDOW;
		return;
	}
	info->reason = EXIT_EMULATE_RUN;
	info->emulate.count = waits ? 1 : EMULATE_COUNT;
	info->emulate.event = vmcb->event_inject;
	vmcb->event_inject = 0;
}

/* The first run since switch_out().  NULL: none, *info says what instead. */
static __noinline struct svm_cpu *cpu_enter(struct vendor_vcpu *vcpu,
					    struct exit_info *info)
{
	struct svm_vcpu *svm = vcpu->private;

	if (svm_is_emulated(vcpu)) {
		svm_quirk_virq_take(vcpu);
		svm_emulate(vcpu, info);
		return NULL;
	}
	svm->cpu = &svm_cpus[vcpu->cpu];
	svm_asid_assign(svm, svm->cpu);
	svm_quirk_cr2(svm->vmcb);
	svm_dr_load(svm);
	return svm->cpu;
}

static void svm_vcpu_run(struct vendor_vcpu *vcpu, struct exit_info *info)
{
	struct svm_vcpu *svm = vcpu->private;
	struct svm_cpu *cpu = svm->cpu;
	struct x86_state *state = vcpu->state;
	struct vmcb *vmcb = svm->vmcb;

	vmcb->rax = state->gpr[X86_RAX];
	vmcb->rsp = state->gpr[X86_RSP];
	vmcb->rip = state->rip;
	vmcb->rflags = (state->rflags & RFLAGS_GUEST) | X86_FLAG_ONE;
	vmcb->v_tpr = vcpu->tpr >> 4;
	vmcb->tsc_offset = vcpu->tsc_offset;
	if (unlikely(!cpu)) {
		cpu = cpu_enter(vcpu, info);
		if (!cpu)
			return;
	}
	if (svm_features.has_clean_bits) {
		vmcb->clean = CLEAN_ALL & ~svm->dirty;
		svm->dirty = CLEAN_TPR;
	}

	svm_enter(svm->vmcb_hpa, state, cpu->host_vmcb_hpa);

	state->gpr[X86_RAX] = vmcb->rax;
	state->gpr[X86_RSP] = vmcb->rsp;
	state->rip = vmcb->rip;
	state->rflags = vmcb->rflags;
	state->valid = X86_GROUP_GPR_RIP;
	vendor_cr8_set(vcpu, vmcb->v_tpr);
	vcpu->has_shadow = vmcb->int_state & INT_STATE_SHADOW;
	vmcb->tlb_control = TLB_KEEP;
	if (unlikely((vmcb->exit_int_info & EVENT_VALID) | svm->is_virq_sent))
		svm_event_exit(svm);
	else
		vmcb->event_inject = 0;
	svm_exit_decode(svm, info);
}

const struct vendor svm_vendor = {
	.name = "AMD-V",
	.nested_format = NESTED_FORMAT_NPT,
	.probe = svm_probe,
	.cpu_enable = svm_cpu_enable,
	.vm_init = svm_vm_init,
	.vm_fini = svm_vm_fini,
	.vcpu_init = svm_vcpu_init,
	.vcpu_fini = svm_vcpu_fini,
	.state_load = svm_state_load,
	.state_store = svm_state_store,
	.can_inject = svm_can_inject,
	.inject = svm_inject,
	.open_window = svm_open_window,
	.events_clear = svm_events_clear,
	.end_shadow = svm_end_shadow,
	.tlb_flush = svm_tlb_flush,
	.switch_out = svm_switch_out,
	.run = svm_vcpu_run,
	.dump = svm_dump,
};
