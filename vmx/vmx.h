/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the VT-x back end share.
 */
#ifndef BULKHEAD_VMX_VMX_H
#define BULKHEAD_VMX_VMX_H

#include "include/vendor.h"
#include "vmx/controls.h"
#include "vmx/vmcs.h"

/* What this processor offers; set once by vmx_probe(). */
struct vmx_features {
	struct vmx_controls controls;
	uint64_t cr0_fixed0, cr0_fixed1; /* of a guest in VMX operation */
	uint64_t cr4_fixed0, cr4_fixed1;
	uint32_t revision;
	uint8_t physical_bits;
	uint8_t activities; /* states other than active */
};

/* RFLAGS bits a guest may have; all others are reserved. */
#define RFLAGS_GUEST 0x003f7fd7ULL

/* CR0 bits whose real value is not the guest's to set; see vmx/state.c. */
#define CR0_HOST_OWNED (X86_CR0_NE | X86_CR0_NW | X86_CR0_CD)

/*
 * Where a processor that cannot run without paging finds a page table that
 * maps 4 GiB one to one: just below a PC's BIOS, one read-only page.
 */
#define VMX_IDENTITY_GPA 0xfffbf000ULL

/* The local APIC's page, and in it: */
#define VMX_APIC_GPA 0xfee00000ULL
#define APIC_TPR     0x80
#define APIC_EOI     0xb0

#define TPR_CLASS_SHIFT 4 /* TPR to MOV CR8's view of it */

/* What one VM has: two pages. */
struct vmx_vm {
	uint8_t msr_bitmap[PAGE_SIZE];
	uint32_t identity[PAGE_SIZE / sizeof(uint32_t)];
};
#define VMX_VM_ORDER 1
ASSERT_SIZE(struct vmx_vm, PAGE_SIZE << VMX_VM_ORDER);

/* Reasons to look before the next entry. */
#define WORK_EVENT     BIT(0) /* .event is to be injected */
#define WORK_FLUSH_EPT BIT(1)
#define WORK_FLUSH_TLB BIT(2) /* of this VPID */
#define WORK_CONTROLS  BIT(3) /* .proc_controls changed */
#define WORK_DEBUG     BIT(4) /* breakpoints are on: DR0-DR3 must be loaded */
#define WORK_EMULATE   BIT(5) /* a state that this processor cannot enter */
#define WORK_PAT       BIT(7) /* .pat changed */
#define WORK_MSRS      BIT(6) /* the guest's MSRs are not loaded */

/* Which accesses to an MSR exit. */
#define TRAP_READ  BIT(0)
#define TRAP_WRITE BIT(1)

/* One element of a VM-entry or VM-exit MSR-load area. */
struct vmx_msr_entry {
	uint32_t msr;
	uint32_t reserved;
	uint64_t value;
};
ASSERT_SIZE(struct vmx_msr_entry, 16);

/* What LGDT takes. */
struct vmx_table_pointer {
	uint16_t limit;
	uint64_t base;
} __packed;

struct vmx_vcpu {
	void *vmcs;
	hpa_t vmcs_hpa;
	uint8_t *tpr; /* in the APIC's page */
	const struct vmx_features *features;
	uint64_t work; /* WORK_* */
	uint8_t tpr_threshold;
	bool is_apic_virtual; /* as in the VMCS */
	bool is_initialized;
	uint64_t host_rsp; /* as in the VMCS */
	bool is_launched;  /* since the last VMCLEAR */
	uint16_t vpid;	   /* 0: none */
	/* The CPU whose TLB holds this vCPU's translations, or UINT32_MAX. */
	uint32_t tlb_cpu;

	/* Exits leave GDTR with a limit of 64 KiB, which ring 3 may not have.
	 */
	struct vmx_table_pointer host_gdtr;
	/* Access rights as last converted for the gate page. */
	uint32_t rights[X86_SEG_COUNT];

	/* What the VMCS holds, so that it is written only when it changes. */
	uint64_t rip, rsp, rflags;
	uint64_t tsc_offset;
	uint32_t proc_controls;
	/* The preemption timer runs out then; 0: set it anew. */
	uint64_t deadline;

	/* CR0 and CR4 as the guest sees them, where the mask is set. */
	uint64_t cr0_mask, cr0_shadow;
	uint64_t cr4_mask, cr4_shadow;
	/* Paging is off for the guest, on for the processor. */
	bool is_identity_mapped;
	uint64_t cr3; /* the guest's */

	/* Injected at the next entry, in the VMCS's format. */
	uint32_t event;
	uint32_t event_error;

	/* MSRs with no field in the VMCS.  The guest's, but for KERNEL_GS_BASE
	 * while .has_msrs. */
	bool has_msrs; /* loaded into the processor */
	bool has_syscall_msrs;
	uint64_t kernel_gs_base;
	uint64_t star, lstar, cstar, sfmask;
	uint64_t pat;			  /* without PAT controls: kept only */
	uint64_t efer;			  /* without EFER controls */
	struct vmx_msr_entry *entry_msrs; /* likewise: what entry loads, */
	struct vmx_msr_entry *exit_msrs;  /* and exit */

	/* DR0-DR3 and DR6 are the guest's in the processor; else here. */
	bool is_dr_live;
	uint64_t dr[4];
	uint64_t dr6;
	uint64_t cr2; /* the processor holds it while the guest runs */
};

/* vmx/enter.asm: 0, or the flags after a VMLAUNCH or VMRESUME that failed. */
uint64_t vmx_enter(struct x86_state *state, uint64_t is_launched,
		   uint64_t *host_rsp);
extern char vmx_exit_point[];

/* vmx/emulate.c */
/* In place of an entry: the machine is to emulate until one is possible. */
void vmx_emulate(struct vendor_vcpu *vcpu, struct exit_info *info);
/* The event whose delivery was cut short goes through the machine. */
void vmx_emulate_event(struct vmx_vcpu *vmx, struct exit_info *info);
/* Fills the page and maps it at VMX_IDENTITY_GPA. */
int __must_check vmx_identity_init(struct vendor_vm *vm, uint32_t *table);

/* vmx/vmx.c: the vCPU's VMCS becomes this CPU's current one. */
void vmx_vmcs_use(struct vendor_vcpu *vcpu);
/* Accesses by way of this page are the local APIC's. */
hpa_t vmx_apic_page(void);

/* vmx/vmcs.c */
void vmx_vmcs_clear(hpa_t vmcs);
void vmx_vmcs_load(hpa_t vmcs);
void vmx_vmcs_init_guest(struct vendor_vcpu *vcpu);
void vmx_vmcs_init_host(struct vmx_vcpu *vmx);

/* vmx/exit.c: say in neutral words why the guest stopped. */
void vmx_exit_decode(struct vendor_vcpu *vcpu, struct exit_info *info);
void vmx_entry_failed(struct vendor_vcpu *vcpu, struct exit_info *info,
		      uint64_t flags);

/* vmx/event.c */
bool vmx_can_inject(struct vendor_vcpu *vcpu, enum event_kind kind);
static inline uint64_t vmx_guest_cr0(const struct vmx_vcpu *vmx)
{
	return (vmcs_read(VMCS_GUEST_CR0) & ~vmx->cr0_mask) |
	       (vmx->cr0_shadow & vmx->cr0_mask);
}
void vmx_inject(struct vendor_vcpu *vcpu, const struct event *event);
void vmx_open_window(struct vendor_vcpu *vcpu, enum event_kind kind,
		     unsigned priority);
void vmx_window_close(struct vmx_vcpu *vmx, uint32_t window);
/* Bits of the primary processor-based controls, written at the next entry. */
void vmx_proc_controls_change(struct vmx_vcpu *vmx, uint32_t set,
			      uint32_t clear);
void vmx_cr3_exiting(struct vmx_vcpu *vmx, bool exits);
void vmx_events_clear(struct vendor_vcpu *vcpu);
void vmx_tpr_threshold_set(struct vmx_vcpu *vmx, uint8_t priority);
void vmx_shadow_set(uint64_t blocked, uint64_t rflags);
void vmx_end_shadow(struct vendor_vcpu *vcpu);
/* The exit cut an event's delivery short: it goes in again. */
void vmx_reinject(struct vmx_vcpu *vmx, uint32_t vectoring);
void vmx_event_commit(struct vmx_vcpu *vmx);
void vmx_rflags_write(uint64_t rflags);

/* vmx/state.c */
void vmx_state_load(struct vendor_vcpu *vcpu, uint32_t groups);
void vmx_state_store(struct vendor_vcpu *vcpu, uint32_t groups);
void vmx_dr_make_live(struct vmx_vcpu *vmx);
void vmx_dr_put_away(struct vmx_vcpu *vmx);
void vmx_dr6_set(struct vmx_vcpu *vmx, uint64_t bits);
/* The guest as the entry checks see it. */
struct vmx_guest;
void vmx_guest_read(struct vendor_vcpu *vcpu, struct vmx_guest *guest);
void vmx_dump(struct vendor_vcpu *vcpu);

/* vmx/msr.c */
void vmx_msrs_host_save(void);
void vmx_msrs_load(struct vmx_vcpu *vmx);
void vmx_msrs_put_away(struct vmx_vcpu *vmx);
void vmx_msr_bitmap_init(uint8_t *bitmap);
int vmx_msr_get(struct vendor_vcpu *vcpu, uint32_t msr, uint64_t *value);
int vmx_msr_set(struct vendor_vcpu *vcpu, uint32_t msr, uint64_t value);

#endif
