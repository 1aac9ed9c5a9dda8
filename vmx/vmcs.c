/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VMCS from empty page to ready: execution controls and the constant part of
 * the guest's state once, the host's state each time it comes to a CPU.
 *
 * Guest state proper is vmx/state.c's.
 *
 * References: SDM volume 3, "Virtual Machine Control Structures", "Checks on
 * VMX Controls and Host-State Area".
 */
#include "vmx/vmx.h"

#include "include/x86.h"
#include "include/x86_msr.h"
#include "mm/pages.h"
#include "mm/phys.h"

#define NO_LINK UINT64_MAX

/* Of a descriptor in the GDT. */
#define DESCRIPTOR_BASE_23_0  MASK(39, 16)
#define DESCRIPTOR_BASE_31_24 MASK(63, 56)

void vmx_vmcs_clear(hpa_t vmcs)
{
	__asm__ volatile("vmclear %0" : : "m"(vmcs) : "cc", "memory");
}

void vmx_vmcs_load(hpa_t vmcs)
{
	__asm__ volatile("vmptrld %0" : : "m"(vmcs) : "cc", "memory");
}

/* ---- Guest ----------------------------------------------------------------
 */

/* Exceptions that the guest could raise without end from microcode, where no
 * interrupt gets in, and the host's own. */
#define EXCEPTIONS_TRAPPED \
	(BIT(X86_VECTOR_DB) | BIT(X86_VECTOR_AC) | BIT(X86_VECTOR_MC))

static void init_msr_lists(struct vmx_vcpu *vmx)
{
	if (vmx->features->controls.has_efer)
		return;
	vmx->exit_msrs[0] = (struct vmx_msr_entry){ .msr = MSR_EFER };
	vmx->entry_msrs[0] = (struct vmx_msr_entry){ .msr = MSR_EFER };
	vmx->exit_msrs[0].value = msr_read(MSR_EFER);
	vmcs_write(VMCS_EXIT_MSR_LOAD_ADDRESS, virt_to_phys(vmx->exit_msrs));
	vmcs_write(VMCS_ENTRY_MSR_LOAD_ADDRESS, virt_to_phys(vmx->entry_msrs));
	vmcs_write(VMCS_EXIT_MSR_LOAD_COUNT, 1);
	vmcs_write(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
}

/*
 * PAUSEs no further apart are of one loop, which exits when it has run so
 * long: a lock that is soon free is not worth the exit.
 */
#define PLE_GAP_TSC    128
#define PLE_WINDOW_TSC 4096

/* Spinning exits: from a loop where the processor sees loops, else always. */
static uint32_t init_pause(struct vmx_vcpu *vmx)
{
	if (!vmx->features->controls.has_pause_loop) {
		vmx->proc_controls |= PROC_PAUSE_EXITING;
		return 0;
	}
	vmcs_write(VMCS_PLE_GAP, PLE_GAP_TSC);
	vmcs_write(VMCS_PLE_WINDOW, PLE_WINDOW_TSC);
	return PROC2_PAUSE_LOOP;
}

static uint64_t ept_pointer(const struct vmx_controls *controls, hpa_t root)
{
	return root | FIELD_PUT(EPTP_TYPE, EPTP_WRITE_BACK) |
	       FIELD_PUT(EPTP_LEVELS, 3) | (controls->has_ept_ad ? EPTP_AD : 0);
}

void vmx_vmcs_init_guest(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;
	const struct vmx_controls *controls = &vmx->features->controls;
	const uint32_t *word = controls->word;
	const struct vmx_vm *vm = vcpu->vm->private;
	uint32_t proc2 = word[WORD_PROC2];

	if (!vmx->vpid)
		proc2 &= ~(uint32_t)PROC2_VPID;
	vmx->proc_controls = word[WORD_PROC];
	if (vcpu->vm->exits_on_pause)
		proc2 |= init_pause(vmx);
	vmcs_write(VMCS_PIN_CONTROLS, word[WORD_PIN]);
	vmcs_write(VMCS_PROC_CONTROLS, vmx->proc_controls);
	vmcs_write(VMCS_PROC_CONTROLS2, proc2);
	vmcs_write(VMCS_EXIT_CONTROLS, word[WORD_EXIT]);
	vmcs_write(VMCS_ENTRY_CONTROLS, word[WORD_ENTRY]);
	vmcs_write(VMCS_EXCEPTION_BITMAP, EXCEPTIONS_TRAPPED);
	vmcs_write(VMCS_PAGE_FAULT_MASK, 0);
	vmcs_write(VMCS_PAGE_FAULT_MATCH, 0);
	vmcs_write(VMCS_CR3_TARGET_COUNT, 0);
	vmcs_write(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmcs_write(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vmcs_write(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	vmcs_write(VMCS_ENTRY_INTERRUPTION_INFO, 0);
	vmcs_write(VMCS_MSR_BITMAPS, virt_to_phys(vm->msr_bitmap));
	vmcs_write(VMCS_EPT_POINTER,
		   ept_pointer(controls, vcpu->vm->nested_root));
	if (vmx->vpid)
		vmcs_write(VMCS_VIRTUAL_PROCESSOR_ID, vmx->vpid);
	if (controls->has_tpr_shadow) {
		vmcs_write(VMCS_VIRTUAL_APIC_ADDRESS,
			   virt_to_phys(vcpu->apic->page));
		vmcs_write(VMCS_TPR_THRESHOLD, 0);
	}
	if (controls->has_apic_accesses)
		vmcs_write(VMCS_APIC_ACCESS_ADDRESS, vmx_apic_page());
	vmcs_write(VMCS_LINK_POINTER, NO_LINK);
	vmcs_write(VMCS_GUEST_DEBUGCTL, 0);
	if (controls->has_pat)
		vmcs_write(VMCS_GUEST_PAT, vmx->pat);
	vmcs_write(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmcs_write(VMCS_GUEST_PENDING_DEBUG, 0);
	vmcs_write(VMCS_TSC_OFFSET, vmx->tsc_offset);
	vmcs_write(VMCS_GUEST_RIP, vmx->rip);
	vmcs_write(VMCS_GUEST_RSP, vmx->rsp);
	init_msr_lists(vmx);
}

/* ---- Host ------------------------------------------------------------------
 */

static uint64_t tss_base(uint64_t gdt, uint16_t selector)
{
	const uint64_t *descriptor =
		(const uint64_t *)(gdt + (selector & ~7ULL));

	return FIELD_GET(DESCRIPTOR_BASE_23_0, descriptor[0]) |
	       FIELD_GET(DESCRIPTOR_BASE_31_24, descriptor[0]) << 24 |
	       descriptor[1] << 32;
}

static void init_host_tables(struct vmx_vcpu *vmx)
{
	struct vmx_table_pointer gdtr, idtr;
	uint16_t cs, ss, tr;

	__asm__ volatile("sgdt %0" : "=m"(gdtr));
	__asm__ volatile("sidt %0" : "=m"(idtr));
	__asm__ volatile("movw %%cs, %0" : "=rm"(cs));
	__asm__ volatile("movw %%ss, %0" : "=rm"(ss));
	__asm__ volatile("str %0" : "=rm"(tr));
	vmcs_write(VMCS_HOST_CS_SELECTOR, cs);
	vmcs_write(VMCS_HOST_SS_SELECTOR, ss);
	/* 64-bit code has no use for these; theirs may be a machine's. */
	vmcs_write(VMCS_HOST_DS_SELECTOR, 0);
	vmcs_write(VMCS_HOST_ES_SELECTOR, 0);
	vmcs_write(VMCS_HOST_FS_SELECTOR, 0);
	vmcs_write(VMCS_HOST_GS_SELECTOR, 0);
	vmcs_write(VMCS_HOST_TR_SELECTOR, tr);
	vmcs_write(VMCS_HOST_GDTR_BASE, gdtr.base);
	vmcs_write(VMCS_HOST_IDTR_BASE, idtr.base);
	vmcs_write(VMCS_HOST_TR_BASE, tss_base(gdtr.base, tr));
	/* The limit may be an exit's: the GDT ends with the TSS's two entries.
	 */
	gdtr.limit = (uint16_t)(tr + 2 * sizeof(uint64_t) - 1);
	vmx->host_gdtr = gdtr;
}

/* On the CPU and in the address space that the vCPU's thread runs in. */
void vmx_vmcs_init_host(struct vmx_vcpu *vmx)
{
	const struct vmx_controls *controls = &vmx->features->controls;

	init_host_tables(vmx);
	vmcs_write(VMCS_HOST_CR0, cr0_read());
	vmcs_write(VMCS_HOST_CR3, cr3_read());
	vmcs_write(VMCS_HOST_CR4, cr4_read());
	vmcs_write(VMCS_HOST_FS_BASE, msr_read(MSR_FS_BASE));
	vmcs_write(VMCS_HOST_GS_BASE, msr_read(MSR_GS_BASE));
	vmcs_write(VMCS_HOST_SYSENTER_CS, 0);
	vmcs_write(VMCS_HOST_SYSENTER_ESP, 0);
	vmcs_write(VMCS_HOST_SYSENTER_EIP, 0);
	vmcs_write(VMCS_HOST_RIP, (uint64_t)vmx_exit_point);
	if (controls->has_efer)
		vmcs_write(VMCS_HOST_EFER, msr_read(MSR_EFER));
	if (controls->has_pat)
		vmcs_write(VMCS_HOST_PAT, msr_read(MSR_PAT));
}
