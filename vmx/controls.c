/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which VM-execution, exit and entry controls this processor gets, and a VMCS
 * from empty page to ready: the controls and the constant part of the guest's
 * state once, the host's state each time the VMCS moves to a CPU.
 *
 * A table says which controls are needed, which are taken if they are there and
 * which must be off; the capability MSRs say what can be had.
 *
 * Not asked for, though some processors have them: virtual-interrupt delivery,
 * posted interrupts, virtualized x2APIC mode, the page-modification log, VMCS
 * shadowing.
 *
 * References: SDM volume 3, appendix A, "VMX Capability Reporting Facility";
 * "Virtual Machine Control Structures", "Checks on VMX Controls and Host-State
 * Area".
 */
#include "vmx/internal.h"

#include "include/errno.h"
#include "include/x86.h"
#include "include/x86_msr.h"
#include "mm/pages.h"
#include "mm/phys.h"

#define NO_LINK UINT64_MAX

/* Of a descriptor in the GDT. */
#define DESCRIPTOR_BASE_23_0  MASK(39, 16)
#define DESCRIPTOR_BASE_31_24 MASK(63, 56)

/* ---- Negotiation ------------------------------------------------------- */

enum need {
	NEED,	/* without it no guest runs */
	OFFER,	/* the same, but clear until it is set */
	WANT,	/* set where it may be set */
	REFUSE, /* must be clear */
};

struct control_row {
	uint8_t word;
	uint8_t need;
	uint32_t bits;
	const char *why;
};

#define LACKS "the processor's VT-x has no "
#define KEEPS "the processor's VT-x cannot turn off "

/* clang-format off */
static const struct control_row rows[] = {
	{ WORD_PIN, NEED, PIN_EXTERNAL_INTERRUPT_EXITING,
	  LACKS "external-interrupt exiting" },
	{ WORD_PIN, NEED, PIN_NMI_EXITING, LACKS "NMI exiting" },
	{ WORD_PIN, NEED, PIN_VIRTUAL_NMIS, LACKS "virtual NMIs" },
	{ WORD_PIN, WANT, PIN_PREEMPTION_TIMER, NULL },

	{ WORD_PROC, NEED, PROC_TSC_OFFSETTING, LACKS "TSC offsetting" },
	{ WORD_PROC, NEED, PROC_HLT_EXITING, LACKS "HLT exiting" },
	{ WORD_PROC, NEED, PROC_MOV_DR_EXITING, LACKS "MOV-DR exiting" },
	{ WORD_PROC, NEED, PROC_UNCONDITIONAL_IO,
	  LACKS "unconditional I/O exiting" },
	{ WORD_PROC, NEED, PROC_MSR_BITMAPS, LACKS "MSR bitmaps" },
	{ WORD_PROC, NEED, PROC_SECONDARY, LACKS "secondary controls" },
	{ WORD_PROC, NEED, PROC_RDPMC_EXITING, LACKS "RDPMC exiting" },
	{ WORD_PROC, NEED, PROC_MWAIT_EXITING, LACKS "MWAIT exiting" },
	{ WORD_PROC, NEED, PROC_MONITOR_EXITING, LACKS "MONITOR exiting" },
	{ WORD_PROC, OFFER, PROC_INTERRUPT_WINDOW,
	  LACKS "interrupt-window exiting" },
	{ WORD_PROC, OFFER, PROC_NMI_WINDOW, LACKS "NMI-window exiting" },
	{ WORD_PROC, OFFER, PROC_PAUSE_EXITING, LACKS "PAUSE exiting" },
	{ WORD_PROC, OFFER, PROC_CR8_LOAD_EXITING | PROC_CR8_STORE_EXITING,
	  LACKS "CR8 exiting" },
	{ WORD_PROC, WANT, PROC_TPR_SHADOW, NULL },
	{ WORD_PROC, REFUSE, PROC_CR3_LOAD_EXITING, KEEPS "CR3-load exiting" },
	{ WORD_PROC, REFUSE, PROC_CR3_STORE_EXITING,
	  KEEPS "CR3-store exiting" },
	{ WORD_PROC, REFUSE, PROC_INVLPG_EXITING, KEEPS "INVLPG exiting" },

	{ WORD_PROC2, NEED, PROC2_EPT, LACKS "EPT (nested paging)" },
	{ WORD_PROC2, WANT, PROC2_APIC_ACCESSES, NULL },
	{ WORD_PROC2, WANT, PROC2_APIC_REGISTERS, NULL },
	{ WORD_PROC2, WANT, PROC2_VPID, NULL },
	{ WORD_PROC2, WANT, PROC2_UNRESTRICTED, NULL },
	{ WORD_PROC2, WANT, PROC2_WBINVD_EXITING, NULL },
	{ WORD_PROC2, WANT, PROC2_PAUSE_LOOP, NULL },
	/* The guest's CPUID has it where the host's has. */
	{ WORD_PROC2, WANT, PROC2_RDTSCP, NULL }, /* and RDPID */
	{ WORD_PROC2, WANT, PROC2_INVPCID, NULL },

	{ WORD_EXIT, NEED, EXIT_HOST_64BIT, LACKS "64-bit host" },
	{ WORD_EXIT, NEED, EXIT_SAVE_DEBUG_CONTROLS,
	  LACKS "saving of debug controls" },
	{ WORD_EXIT, WANT, EXIT_SAVE_EFER | EXIT_LOAD_EFER, NULL },
	{ WORD_EXIT, WANT, EXIT_SAVE_PAT | EXIT_LOAD_PAT, NULL },
	{ WORD_EXIT, WANT, EXIT_SAVE_TIMER, NULL },

	{ WORD_ENTRY, NEED, ENTRY_LOAD_DEBUG_CONTROLS,
	  LACKS "loading of debug controls" },
	{ WORD_ENTRY, NEED, ENTRY_IA32E_GUEST, LACKS "64-bit guests" },
	{ WORD_ENTRY, WANT, ENTRY_LOAD_EFER, NULL },
	{ WORD_ENTRY, WANT, ENTRY_LOAD_PAT, NULL },
};

static const struct control_row ept_rows[] = {
	{ 0, NEED, EPT_CAP_4_LEVELS, LACKS "four-level EPT" },
	{ 0, NEED, EPT_CAP_WRITE_BACK, LACKS "write-back EPT" },
	{ 0, NEED, EPT_CAP_2M, LACKS "EPT pages of 2 MiB" },
	{ 0, NEED, EPT_CAP_INVEPT, LACKS "INVEPT" },
	/* Either will do. */
	{ 0, NEED, EPT_CAP_INVEPT_CONTEXT | EPT_CAP_INVEPT_ALL,
	  LACKS "INVEPT of whole contexts" },
};
/* clang-format on */

static uint32_t allowed1(const struct vmx_caps *caps, unsigned word)
{
	return (uint32_t)(caps->word[word] >> 32);
}

/* Bits that cannot be cleared. */
static uint32_t forced(const struct vmx_caps *caps, unsigned word)
{
	return (uint32_t)caps->word[word];
}

static int row_apply(const struct control_row *row, const struct vmx_caps *caps,
		     uint32_t *value, const char **why)
{
	bool is_missing = row->bits & ~allowed1(caps, row->word);

	if (is_missing && (row->need == NEED || row->need == OFFER)) {
		*why = row->why;
		return -ENODEV;
	}
	if (row->need == OFFER)
		return 0;
	if (row->need == REFUSE) {
		if (forced(caps, row->word) & row->bits) {
			*why = row->why;
			return -ENODEV;
		}
		*value &= ~row->bits;
		return 0;
	}
	/* All of a wanted group or nothing of it. */
	if (!is_missing)
		*value |= row->bits;
	return 0;
}

/* Entry and exit must agree, and a TPR shadow spares the CR8 exits. */
static void negotiate_pairs(struct vmx_controls *controls)
{
	uint32_t *w = controls->word;

	controls->has_efer = (w[WORD_EXIT] & EXIT_LOAD_EFER) &&
			     (w[WORD_ENTRY] & ENTRY_LOAD_EFER);
	if (!controls->has_efer) {
		w[WORD_EXIT] &= ~(EXIT_SAVE_EFER | EXIT_LOAD_EFER);
		w[WORD_ENTRY] &= ~ENTRY_LOAD_EFER;
	}
	controls->has_pat = (w[WORD_EXIT] & EXIT_LOAD_PAT) &&
			    (w[WORD_ENTRY] & ENTRY_LOAD_PAT);
	if (!controls->has_pat) {
		w[WORD_EXIT] &= ~(EXIT_SAVE_PAT | EXIT_LOAD_PAT);
		w[WORD_ENTRY] &= ~ENTRY_LOAD_PAT;
	}
	/* IA-32e mode is set and cleared with the guest's EFER.LMA. */
	w[WORD_ENTRY] &= ~ENTRY_IA32E_GUEST;
	controls->has_tpr_shadow = w[WORD_PROC] & PROC_TPR_SHADOW;
	if (controls->has_tpr_shadow)
		w[WORD_PROC] &=
			~(PROC_CR8_LOAD_EXITING | PROC_CR8_STORE_EXITING);
	else
		w[WORD_PROC] |= PROC_CR8_LOAD_EXITING | PROC_CR8_STORE_EXITING;
	if (!controls->has_tpr_shadow)
		w[WORD_PROC2] &= ~PROC2_APIC_ACCESSES;
	controls->has_apic_accesses = w[WORD_PROC2] & PROC2_APIC_ACCESSES;
	controls->has_apic_registers = controls->has_apic_accesses &&
				       w[WORD_PROC2] & PROC2_APIC_REGISTERS;
	/* On while a guest's APIC is. */
	w[WORD_PROC2] &= ~(uint32_t)PROC2_APIC_REGISTERS;
}

/* What is left of the time goes on after an exit, or there is no use for it. */
static void negotiate_timer(struct vmx_controls *controls, uint64_t misc)
{
	uint32_t *w = controls->word;

	controls->has_timer = (w[WORD_PIN] & PIN_PREEMPTION_TIMER) &&
			      (w[WORD_EXIT] & EXIT_SAVE_TIMER);
	if (!controls->has_timer) {
		w[WORD_PIN] &= ~PIN_PREEMPTION_TIMER;
		w[WORD_EXIT] &= ~EXIT_SAVE_TIMER;
	}
	controls->timer_shift = (uint8_t)FIELD_GET(VMX_MISC_TIMER_SHIFT, misc);
}

static void negotiate_ept(struct vmx_controls *controls, uint64_t caps)
{
	uint32_t *w = controls->word;

	controls->has_unrestricted = w[WORD_PROC2] & PROC2_UNRESTRICTED;
	controls->has_invept_context = caps & EPT_CAP_INVEPT_CONTEXT;
	controls->has_invvpid_context =
		(caps & VPID_CAP_INVVPID) && (caps & VPID_CAP_CONTEXT);
	/* Without a way to flush one, VPIDs are of no use. */
	if (!controls->has_invvpid_context)
		w[WORD_PROC2] &= ~PROC2_VPID;
	controls->has_vpid = w[WORD_PROC2] & PROC2_VPID;
	/* With them each walk of the guest's tables counts as a write, which
	 * the page that stands in for "unrestricted guest" does not allow. */
	controls->has_ept_ad =
		(caps & EPT_CAP_AD) && controls->has_unrestricted;
}

int vmx_controls_negotiate(const struct vmx_caps *caps,
			   struct vmx_controls *controls, const char **why)
{
	unsigned i;

	*controls = (struct vmx_controls){ 0 };
	for (i = 0; i < WORD_COUNT; i++)
		controls->word[i] = forced(caps, i);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (row_apply(&rows[i], caps, &controls->word[rows[i].word],
			      why))
			return -ENODEV;
	for (i = 0; i < ARRAY_SIZE(ept_rows); i++) {
		if (caps->ept_vpid & ept_rows[i].bits)
			continue;
		*why = ept_rows[i].why;
		return -ENODEV;
	}
	negotiate_pairs(controls);
	negotiate_ept(controls, caps->ept_vpid);
	negotiate_timer(controls, caps->misc);
	/* Only VMs whose vCPUs share a CPU turn it on. */
	controls->has_pause_loop =
		controls->word[WORD_PROC2] & PROC2_PAUSE_LOOP;
	controls->word[WORD_PROC2] &= ~PROC2_PAUSE_LOOP;
	return 0;
}

/* ---- A new VMCS -------------------------------------------------------- */

/* Exceptions that the guest could raise without end from microcode, where no
 * interrupt gets in, and the host's own. */
#define EXCEPTIONS_TRAPPED \
	(BIT(X86_VECTOR_DB) | BIT(X86_VECTOR_AC) | BIT(X86_VECTOR_MC))

static void init_msr_lists(struct vmx_vcpu *vmx)
{
	if (vmx_features.controls.has_efer)
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
	if (!vmx_features.controls.has_pause_loop) {
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

void vmx_controls_init(struct vendor_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->private;
	const struct vmx_controls *controls = &vmx_features.controls;
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
		vmcs_write(VMCS_APIC_ACCESS_ADDRESS, vcpu->vm->apic_hpa);
	vmcs_write(VMCS_LINK_POINTER, NO_LINK);
	vmcs_write(VMCS_GUEST_DEBUGCTL, 0);
	if (controls->has_pat)
		vmcs_write(VMCS_GUEST_PAT, vcpu->pat);
	vmcs_write(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmcs_write(VMCS_GUEST_PENDING_DEBUG, 0);
	vmcs_write(VMCS_TSC_OFFSET, vmx->tsc_offset);
	vmcs_write(VMCS_GUEST_RIP, vmx->rip);
	vmcs_write(VMCS_GUEST_RSP, vmx->rsp);
	init_msr_lists(vmx);
}

/* ---- The host's state -------------------------------------------------- */

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
	/* 64-bit code does not use these, which may be a machine's. */
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
void vmx_host_state_init(struct vmx_vcpu *vmx)
{
	const struct vmx_controls *controls = &vmx_features.controls;

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
