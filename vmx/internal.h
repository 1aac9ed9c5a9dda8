/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the VT-x back end share.
 *
 * A vCPU's structure and VMCS belong to its thread; nothing here takes a lock.
 */
#ifndef BULKHEAD_VMX_INTERNAL_H
#define BULKHEAD_VMX_INTERNAL_H

#include "include/vendor.h"
#include "vmx/hardware.h"

enum vmx_word {
	WORD_PIN,
	WORD_PROC,
	WORD_PROC2,
	WORD_EXIT,
	WORD_ENTRY,
	WORD_COUNT,
};

/* The capability MSRs, true ones where the processor has them. */
struct vmx_caps {
	uint64_t basic;
	uint64_t word[WORD_COUNT]; /* allowed-1 above, allowed-0 below */
	uint64_t ept_vpid;
	uint64_t misc;
	uint64_t cr0_fixed0, cr0_fixed1;
	uint64_t cr4_fixed0, cr4_fixed1;
};

/* What was negotiated. */
struct vmx_controls {
	uint32_t word[WORD_COUNT];
	bool has_unrestricted;
	bool has_vpid;
	bool has_tpr_shadow;
	bool has_apic_accesses;	 /* to the TPR by its page do not exit */
	bool has_apic_registers; /* nor reads; writes do when done */
	bool has_efer; /* EFER is switched by entry and exit controls */
	bool has_pat;
	bool has_invept_context;
	bool has_invvpid_context;
	bool has_ept_ad; /* the processor marks what is used and written */
	bool has_pause_loop;
	bool has_timer;	     /* counts down while the guest runs: */
	uint8_t timer_shift; /* once in so many TSC ticks, a power of 2 */
};

/* Written by vmx_probe() before any guest runs. */
struct vmx_features {
	struct vmx_caps caps;
	struct vmx_controls controls;
};
extern struct vmx_features vmx_features;

/* Per CPU, and its own: whose VMCS is current. */
struct vmx_cpu {
	struct vmx_vcpu *current;
};
extern struct vmx_cpu vmx_cpus[VENDOR_MAX_CPUS];
#define NO_CPU UINT32_MAX

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

/* What is to be done before the next entry. */
#define WORK_EVENT     BIT(0) /* .event is to be injected */
#define WORK_FLUSH_EPT BIT(1)
#define WORK_FLUSH_TLB BIT(2) /* of this VPID */
#define WORK_CONTROLS  BIT(3) /* .proc_controls changed */
#define WORK_DEBUG     BIT(4) /* breakpoints are on: DR0-DR3 must be loaded */
#define WORK_EMULATE   BIT(5) /* a state that this processor cannot enter */
#define WORK_MSRS      BIT(6) /* the guest's MSRs are not loaded */
#define WORK_VMCS      BIT(7) /* the VMCS is not its CPU's current one */
#define WORK_TPR       BIT(8) /* a window waits for .tpr_threshold */

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
	uint8_t *tpr;  /* in the APIC's page */
	uint64_t work; /* WORK_* */
	uint8_t tpr_threshold;
	bool is_apic_virtual; /* as in the VMCS */
	bool is_initialized;
	uint64_t host_rsp; /* as in the VMCS */
	bool is_launched;  /* since the last VMCLEAR */
	uint16_t vpid;	   /* 0: none */
	/* The CPU whose TLB holds this vCPU's translations, or NO_CPU. */
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
	uint64_t efer;			  /* without EFER controls */
	struct vmx_msr_entry *entry_msrs; /* likewise: what entry loads, */
	struct vmx_msr_entry *exit_msrs;  /* and exit */

	/* The guest's; vmx/state.c says when the processor has DR0-DR3. */
	bool has_breakpoints; /* DR7 enables one of them */
	uint64_t dr[4];
	uint64_t dr6;
	uint64_t cr2; /* the processor holds it while the guest runs */
};

/* vmx/enter.asm: 0, or the flags after a VMLAUNCH or VMRESUME that failed. */
uint64_t vmx_enter(struct x86_state *state, uint64_t is_launched,
		   uint64_t *host_rsp);
extern char vmx_exit_point[];

/* vmx/cpu.c */
int vmx_probe(const char **why);
int vmx_cpu_enable(unsigned cpu, struct pages *pages,
		   struct mem_account *account);
/* A VMXON region or a VMCS: a page that begins with the revision, or NULL. */
void *vmx_region_new(struct pages *pages, struct mem_account *account);
/* The vCPU's VMCS becomes its CPU's current one, or none is any more. */
void vmx_vmcs_move(struct vendor_vcpu *vcpu);
void vmx_vmcs_release(struct vendor_vcpu *vcpu);
static inline void vmx_vmcs_use(struct vendor_vcpu *vcpu)
{
	if (unlikely(vmx_cpus[vcpu->cpu].current != vcpu->private))
		vmx_vmcs_move(vcpu);
}
uint16_t vmx_vpid_alloc(void); /* 0: none is left */
void vmx_vpid_free(uint16_t vpid);
void vmx_tlb_flush(struct vendor_vcpu *vcpu);
void vmx_flush(struct vmx_vcpu *vmx); /* as .work says */

/* vmx/controls.c */
/* -ENODEV and a sentence in *why where guests cannot be run. */
int __must_check vmx_controls_negotiate(const struct vmx_caps *caps,
					struct vmx_controls *controls,
					const char **why);
/* Into the current VMCS. */
void vmx_controls_init(struct vendor_vcpu *vcpu);
void vmx_host_state_init(struct vmx_vcpu *vmx);

/* vmx/realmode.c */
/* In place of an entry: the machine is to emulate until one is possible. */
void vmx_emulate(struct vendor_vcpu *vcpu, struct exit_info *info);
/* The same after the processor has refused an entry. */
void vmx_emulate_refused(struct vendor_vcpu *vcpu, struct exit_info *info);
/* Before the next entry, after the guest's state has changed. */
void vmx_emulate_choose(struct vendor_vcpu *vcpu);
/* The event whose delivery was cut short goes through the machine. */
void vmx_emulate_event(struct vmx_vcpu *vmx, struct exit_info *info);
/* Fills the page and maps it at VMX_IDENTITY_GPA. */
int __must_check vmx_identity_init(struct vendor_vm *vm, uint32_t *table);

/* vmx/quirks.c: each says there which simulator needs it and why. */
void vmx_quirk_timer_set(struct vmx_vcpu *vmx, uint64_t deadline);

/* vmx/exit.c: fills *info from the VMCS. */
void vmx_exit_decode(struct vendor_vcpu *vcpu, struct exit_info *info);
/* flags: RFLAGS after the VMLAUNCH or VMRESUME that failed. */
void vmx_entry_failed(struct exit_info *info, uint64_t flags);
void vmx_dump(struct vendor_vcpu *vcpu);

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
void vmx_dr_load(struct vmx_vcpu *vmx);
/* The processor's DR0-DR3 are others'. */
static inline void vmx_dr_forget(struct vmx_vcpu *vmx)
{
	if (vmx->has_breakpoints)
		vmx->work |= WORK_DEBUG;
	else
		vmx->work &= ~WORK_DEBUG;
}
void vmx_dr6_set(struct vmx_vcpu *vmx, uint64_t bits);

/* vmx/msr.c */
void vmx_msrs_host_save(void);
void vmx_msrs_load(struct vmx_vcpu *vmx);
void vmx_msrs_save(struct vmx_vcpu *vmx);
void vmx_msr_bitmap_init(uint8_t *bitmap);

#endif
