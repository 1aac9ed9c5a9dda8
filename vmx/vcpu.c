/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMs and vCPUs of the VT-x back end, and one entry and exit.
 *
 * References: SDM volume 3, "Virtual Machine Control Structures", "VM Entries",
 * "VM Exits".
 */
#include "vmx/internal.h"

#include "include/errno.h"
#include "include/log.h"
#include "kernel/host.h"
#include "mm/ept.h"
#include "mm/pages.h"
#include "mm/phys.h"
#include "mm/table.h"

/* ---- VMs --------------------------------------------------------------- */

/* Where guests' local APICs are mapped: no access ever reaches it. */
static uint8_t apic_page[PAGE_SIZE] __aligned(PAGE_SIZE);

static int vmx_vm_init(struct vendor_vm *vm)
{
	const struct vmx_controls *c = &vmx_features.controls;
	struct vmx_vm *pages =
		pages_alloc_zeroed(vm->pages, vm->account, VMX_VM_ORDER);

	if (!pages)
		return -ENOMEM;
	vm->private = pages;
	vmx_msr_bitmap_init(pages->msr_bitmap);
	vm->apic_hpa = c->has_apic_accesses ? virt_to_phys(apic_page) : 0;
	vm->has_1g = msr_read(MSR_VMX_EPT_VPID_CAP) & EPT_CAP_1G;
	return c->has_unrestricted ? 0 : vmx_identity_init(vm, pages->identity);
}

/* What the guest has used of its memory, as the processor marked it: others
 * have their turn between any two of its many leaves. */
static void log_usage(const struct vendor_vm *vm)
{
	uint64_t mapped = 0, accessed = 0, written = 0;
	struct table_leaf leaf;

	if (!vmx_features.controls.has_ept_ad ||
	    this_host()->log.level < LOG_DEBUG)
		return;
	for (gpa_t gpa = 0; gpa >> 48 == 0; gpa += leaf.size) {
		mapped += table_query(vm->nested, gpa, &leaf) ? leaf.size : 0;
		accessed += leaf.marks & EPT_ACCESSED ? leaf.size : 0;
		written += leaf.marks & EPT_DIRTY ? leaf.size : 0;
		sched_breathe();
	}
	log_dbg("EPT: %lu KiB mapped, %lu KiB accessed, %lu KiB written",
		mapped >> 10, accessed >> 10, written >> 10);
}

static void vmx_vm_fini(struct vendor_vm *vm)
{
	log_usage(vm);
	pages_free_virt(vm->pages, vm->account, vm->private, VMX_VM_ORDER);
	vm->private = NULL;
}

/* ---- vCPUs ------------------------------------------------------------- */

/* What one page holds: the vCPU's own structure and its two MSR lists. */
struct vmx_vcpu_page {
	struct vmx_vcpu vmx;
	struct vmx_msr_entry entry_msrs[1] __aligned(16);
	struct vmx_msr_entry exit_msrs[1] __aligned(16);
};
_Static_assert(sizeof(struct vmx_vcpu_page) <= PAGE_SIZE, "one page");

static int vmx_vcpu_init(struct vendor_vcpu *vcpu)
{
	struct vendor_vm *vm = vcpu->vm;
	struct vmx_vcpu_page *page =
		pages_alloc_zeroed(vm->pages, vm->account, 0);
	struct vmx_vcpu *vmx;
	void *vmcs;

	if (!page)
		return -ENOMEM;
	vmcs = vmx_region_new(vm->pages, vm->account);
	if (!vmcs) {
		pages_free_virt(vm->pages, vm->account, page, 0);
		return -ENOMEM;
	}
	vmx = &page->vmx;
	vmx->vmcs = vmcs;
	vmx->vmcs_hpa = virt_to_phys(vmcs);
	vmx->tpr = (uint8_t *)vcpu->apic->page + APIC_TPR;
	vcpu->apic->can_be_virtual = vmx_features.controls.has_apic_registers;
	vmx->entry_msrs = page->entry_msrs;
	vmx->exit_msrs = page->exit_msrs;
	vmx->vpid = vmx_vpid_alloc();
	vmx->tlb_cpu = NO_CPU;
	vmx->dr6 = X86_DR6_ONES;
	vmx->work = WORK_MSRS | WORK_VMCS;
	vcpu->private = vmx;
	return 0;
}

static void vmx_vcpu_fini(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;
	struct vendor_vm *vm = vcpu->vm;

	vmx_vpid_free(vmx->vpid);
	pages_free_virt(vm->pages, vm->account, vmx->vmcs, 0);
	pages_free_virt(vm->pages, vm->account, vmx, 0);
	vcpu->private = NULL;
}

/* What ring 3 would notice: the guest's MSRs, and a GDT without its limit. */
static void vmx_to_machine(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;

	if (!vmx->has_msrs)
		return;
	vmx_msrs_save(vmx);
	__asm__ volatile("lgdt %0" : : "m"(vmx->host_gdtr));
}

static void vmx_switch_out(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;

	vmx_dr_forget(vmx);
	if (vmx_cpus[vcpu->cpu].current != vmx)
		return;
	vmx_to_machine(vcpu);
	vmx_vmcs_release(vcpu);
}

/* ---- Running ----------------------------------------------------------- */

/* Registers of the local APIC's page are the processor's, or exit again. */
static void apic_mode_change(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;
	uint64_t proc2 = vmcs_read(VMCS_PROC_CONTROLS2);

	vmx->is_apic_virtual = vcpu->apic->is_virtual;
	vmcs_write(VMCS_PROC_CONTROLS2,
		   vmx->is_apic_virtual ? proc2 | PROC2_APIC_REGISTERS
					: proc2 & ~PROC2_APIC_REGISTERS);
}

/* What the monitor may have changed. */
static void take_changes(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;

	vcpu->has_changed = false;
	if (vmx->is_apic_virtual != vcpu->apic->is_virtual)
		apic_mode_change(vcpu);
	if (vmx->tsc_offset == vcpu->tsc_offset)
		return;
	vmx->tsc_offset = vcpu->tsc_offset;
	vmcs_write(VMCS_TSC_OFFSET, vmx->tsc_offset);
}

/* false: the guest cannot be entered, and *info says what to do instead. */
static __noinline bool prepare_entry(struct vendor_vcpu *vcpu,
				     struct exit_info *info)
{
	struct vmx_vcpu *vmx = vcpu->private;

	vmx_vmcs_use(vcpu);
	/* Entry would refuse it: the priority went below without an exit. */
	if (vmx->work & WORK_TPR &&
	    vmx->tpr_threshold > vcpu->tpr >> TPR_CLASS_SHIFT) {
		vmx_tpr_threshold_set(vmx, 0);
		info->reason = EXIT_INTERRUPT_WINDOW;
		return false;
	}
	if (vcpu->has_changed)
		take_changes(vcpu);
	if (vmx->work & WORK_EMULATE) {
		vmx_emulate(vcpu, info);
		return false;
	}
	if (vmx->work & (WORK_FLUSH_EPT | WORK_FLUSH_TLB))
		vmx_flush(vmx);
	if (vmx->work & WORK_DEBUG)
		vmx_dr_load(vmx);
	if (vmx->work & WORK_CONTROLS) {
		vmcs_write(VMCS_PROC_CONTROLS, vmx->proc_controls);
		vmx->work &= ~WORK_CONTROLS;
	}
	if (vmx->work & WORK_EVENT)
		vmx_event_commit(vmx);
	if (vmx->work & WORK_MSRS)
		vmx_msrs_load(vmx);
	return true;
}

/* RSP, RIP and RFLAGS live in the VMCS; most exits leave two of them alone. */
static inline void store_rip(struct vmx_vcpu *vmx,
			     const struct x86_state *state)
{
	uint64_t rflags = (state->rflags & RFLAGS_GUEST) | X86_FLAG_ONE;

	if (state->rip != vmx->rip)
		vmcs_write(VMCS_GUEST_RIP, state->rip);
	if (unlikely(state->gpr[X86_RSP] != vmx->rsp))
		vmcs_write(VMCS_GUEST_RSP, state->gpr[X86_RSP]);
	if (unlikely(rflags != vmx->rflags))
		vmx_rflags_write(rflags);
}

static inline void load_rip(struct vmx_vcpu *vmx, struct x86_state *state)
{
	uint64_t rip = vmcs_read(VMCS_GUEST_RIP);
	uint64_t rsp = vmcs_read(VMCS_GUEST_RSP);
	uint64_t rflags = vmcs_read(VMCS_GUEST_RFLAGS);

	state->rip = vmx->rip = rip;
	state->gpr[X86_RSP] = vmx->rsp = rsp;
	state->rflags = vmx->rflags = rflags;
	state->valid = X86_GROUP_GPR_RIP;
}

static void vmx_vcpu_run(struct vendor_vcpu *vcpu, struct exit_info *info)
{
	struct vmx_vcpu *vmx = vcpu->private;
	struct x86_state *state = vcpu->state;
	uint64_t failed;

	if (vmx->work | vcpu->has_changed) {
		/* After every trip to the machine. */
		if (vmx->work == WORK_MSRS && !vcpu->has_changed)
			vmx_msrs_load(vmx);
		else if (!prepare_entry(vcpu, info))
			return;
	}
	store_rip(vmx, state);
	*vmx->tpr = vcpu->tpr;
	if (unlikely(vmx->deadline != *vcpu->deadline))
		vmx_quirk_timer_set(vmx, *vcpu->deadline);
	failed = vmx_enter(state, vmx->is_launched, &vmx->host_rsp);
	vmx->is_launched = true;
	load_rip(vmx, state);
	vcpu->tpr = *vmx->tpr;
	if (unlikely(failed))
		vmx_entry_failed(info, failed);
	else
		vmx_exit_decode(vcpu, info);
}

const struct vendor vmx_vendor = {
	.name = "VT-x",
	.nested_format = NESTED_FORMAT_EPT,
	.probe = vmx_probe,
	.cpu_enable = vmx_cpu_enable,
	.vm_init = vmx_vm_init,
	.vm_fini = vmx_vm_fini,
	.vcpu_init = vmx_vcpu_init,
	.vcpu_fini = vmx_vcpu_fini,
	.state_load = vmx_state_load,
	.state_store = vmx_state_store,
	.can_inject = vmx_can_inject,
	.inject = vmx_inject,
	.open_window = vmx_open_window,
	.events_clear = vmx_events_clear,
	.end_shadow = vmx_end_shadow,
	.tlb_flush = vmx_tlb_flush,
	.to_machine = vmx_to_machine,
	.switch_out = vmx_switch_out,
	.run = vmx_vcpu_run,
	.dump = vmx_dump,
};
