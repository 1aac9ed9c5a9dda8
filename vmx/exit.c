/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exit reasons of VT-x as struct exit_info.  Only those VMCS fields are read
 * that a reason needs: the table says which.
 *
 * References: SDM volume 3, "VM Exits", "Basic VM-Exit Information",
 * appendix C "VMX Basic Exit Reasons".
 */
#include "vmx/internal.h"

#include "include/log.h"
#include "include/x86.h"

#define LENGTH	      BIT(0) /* the instruction's, from the VMCS */
#define QUALIFICATION BIT(1) /* of an I/O instruction, which has both */
#define VECTORING     BIT(2) /* may happen while an event is delivered */
#define DEBUG	      BIT(3) /* of HLT: whether a debug exception waits */

struct exit_row {
	uint8_t reason; /* enum exit_reason */
	uint8_t needs;
};

/* clang-format off */
/* EXIT_UNKNOWN (0) where nothing stands. */
static const struct exit_row exit_table[REASON_COUNT] = {
	[REASON_EXCEPTION_OR_NMI]   = { EXIT_EXCEPTION, VECTORING },
	[REASON_EXTERNAL_INTERRUPT] = { EXIT_HOST_INTERRUPT, 0 },
	[REASON_TRIPLE_FAULT]       = { EXIT_SHUTDOWN, 0 },
	[REASON_INIT]               = { EXIT_HOST_INTERRUPT, 0 },
	[REASON_IO_SMI]             = { EXIT_HOST_INTERRUPT, 0 },
	[REASON_OTHER_SMI]          = { EXIT_HOST_INTERRUPT, 0 },
	[REASON_INTERRUPT_WINDOW]   = { EXIT_INTERRUPT_WINDOW, 0 },
	[REASON_TPR_BELOW_THRESHOLD] = { EXIT_INTERRUPT_WINDOW, 0 },
	[REASON_NMI_WINDOW]         = { EXIT_NMI_WINDOW, 0 },
	[REASON_TASK_SWITCH]        = { EXIT_EMULATE, VECTORING },
	[REASON_CPUID]              = { EXIT_CPUID, LENGTH },
	[REASON_GETSEC]             = { EXIT_UNDEFINED, 0 },
	[REASON_HLT]                = { EXIT_HLT, LENGTH | DEBUG },
	[REASON_INVD]               = { EXIT_INVD, LENGTH },
	[REASON_RDPMC]              = { EXIT_UNDEFINED, 0 },
	[REASON_RSM]                = { EXIT_UNDEFINED, 0 },
	[REASON_VMCALL]             = { EXIT_HYPERCALL, LENGTH },
	[REASON_VMCLEAR ... REASON_VMXON] = { EXIT_UNDEFINED, 0 },
	[REASON_CR_ACCESS]          = { EXIT_CR, 0 },
	[REASON_MOV_DR]             = { EXIT_DR, 0 },
	[REASON_IO]                 = { EXIT_IO, LENGTH | QUALIFICATION },
	[REASON_RDMSR]              = { EXIT_MSR, LENGTH },
	[REASON_WRMSR]              = { EXIT_MSR, LENGTH },
	[REASON_ENTRY_GUEST_STATE]  = { EXIT_INVALID, 0 },
	[REASON_ENTRY_MSR_LOAD]     = { EXIT_INVALID, 0 },
	[REASON_MWAIT]              = { EXIT_UNDEFINED, 0 },
	[REASON_MONITOR]            = { EXIT_UNDEFINED, 0 },
	[REASON_PAUSE]              = { EXIT_PAUSE, LENGTH },
	[REASON_APIC_ACCESS]        = { EXIT_NESTED, VECTORING },
	[REASON_APIC_WRITE]         = { EXIT_APIC_WRITE, 0 },
	[REASON_EPT_VIOLATION]      = { EXIT_NESTED, VECTORING },
	[REASON_EPT_MISCONFIGURATION] = { EXIT_UNKNOWN, VECTORING },
	[REASON_INVEPT]             = { EXIT_UNDEFINED, 0 },
	[REASON_RDTSCP]             = { EXIT_UNDEFINED, 0 },
	[REASON_PREEMPTION_TIMER]   = { EXIT_HOST_INTERRUPT, 0 },
	[REASON_INVVPID]            = { EXIT_UNDEFINED, 0 },
	[REASON_WBINVD]             = { EXIT_WBINVD, LENGTH },
	[REASON_XSETBV]             = { EXIT_XSETBV, LENGTH },
	[REASON_VMFUNC]             = { EXIT_UNDEFINED, 0 },
	[REASON_ENCLS]              = { EXIT_UNDEFINED, 0 },
};
/* clang-format on */

static void decode_io(uint64_t qualification, struct exit_info *info)
{
	uint64_t size = FIELD_GET(QUALIFICATION_IO_SIZE, qualification) + 1;

	info->io.access = (uint8_t)FIELD_PUT(GATE_IO_SIZE, size);
	if (qualification & QUALIFICATION_IO_IN)
		info->io.access |= GATE_IO_IN;
	if (qualification & QUALIFICATION_IO_STRING)
		info->io.access |= GATE_IO_STRING;
	info->io.port = FIELD_GET(QUALIFICATION_IO_PORT, qualification);
}

/* IRET had unblocked NMIs when it failed, and will be executed again. */
static void nmi_block_again(void)
{
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
		   vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) | BLOCKED_BY_NMI);
}

static inline void decode_length(struct vendor_vcpu *vcpu,
				 struct exit_info *info)
{
	info->length = vmcs_read(VMCS_EXIT_INSN_LENGTH);
	vcpu->has_shadow = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) &
			   (BLOCKED_BY_STI | BLOCKED_BY_MOVSS);
}

/*
 * The value written to EOI does not matter, and a MOV is assumed: that is
 * answered without decoding.  The TPR does not exit; all else is emulated.
 */
static void decode_apic(struct vendor_vcpu *vcpu, struct exit_info *info)
{
	struct vmx_vcpu *vmx = vcpu->private;
	uint64_t qualification = vmcs_read(VMCS_EXIT_QUALIFICATION);
	uint64_t offset = FIELD_GET(QUALIFICATION_APIC_OFFSET, qualification);
	uint64_t type = FIELD_GET(QUALIFICATION_APIC_TYPE, qualification);
	bool is_write = type == APIC_ACCESS_WRITE;

	info->raw_info1 = qualification;
	if (is_write && offset == APIC_EOI) {
		info->reason = EXIT_APIC_EOI;
		decode_length(vcpu, info);
		return;
	}
	info->nested.gpa = VMX_APIC_GPA + offset;
	info->nested.access = is_write			 ? GATE_MMIO_WRITE
			      : type == APIC_ACCESS_READ ? 0
							 : GATE_MMIO_WALK;
	if (vmx->work & WORK_EVENT)
		vmx_emulate_event(vmx, info);
}

static void decode_nested(struct vmx_vcpu *vmx, uint64_t qualification,
			  bool is_delivery, struct exit_info *info)
{
	uint32_t access = 0;

	if (qualification & QUALIFICATION_EPT_WRITE)
		access |= GATE_MMIO_WRITE;
	if (unlikely(qualification & QUALIFICATION_EPT_FETCH)) {
		if (qualification & QUALIFICATION_EPT_RIGHTS)
			info->reason = EXIT_FETCH;
		access |= GATE_MMIO_FETCH;
	}
	if (!(qualification & QUALIFICATION_EPT_TRANSLATED))
		access |= GATE_MMIO_WALK;
	info->raw_info1 = qualification;
	info->nested.gpa = vmcs_read(VMCS_GUEST_PHYSICAL_ADDRESS);
	info->nested.access = access;
	if (likely(!is_delivery)) {
		if (unlikely(qualification & QUALIFICATION_EPT_NMI_UNBLOCK))
			nmi_block_again();
		return;
	}
	if (info->reason == EXIT_FETCH)
		return;
	/* It is the event that met a device, not the instruction at RIP. */
	if (vmx->work & WORK_EVENT)
		vmx_emulate_event(vmx, info);
}

static void decode_exception(struct vendor_vcpu *vcpu, bool is_delivery,
			     struct exit_info *info)
{
	struct vmx_vcpu *vmx = vcpu->private;
	uint64_t what = vmcs_read(VMCS_EXIT_INTERRUPTION_INFO);
	unsigned type = FIELD_GET(INTERRUPTION_TYPE, what);

	info->raw_info1 = what;
	if (type == TYPE_NMI) {
		info->reason = EXIT_HOST_NMI;
		/* NMIs stay blocked until an IRET: take it as one. */
		__asm__ volatile("int %0" : : "i"(X86_VECTOR_NMI) : "memory");
		return;
	}
	info->vector = FIELD_GET(INTERRUPTION_VECTOR, what);
	if (what & INTERRUPTION_NMI_UNBLOCK && !is_delivery &&
	    info->vector != X86_VECTOR_DF)
		nmi_block_again();
	if (info->vector != X86_VECTOR_DB)
		return;
	/* INT1 is a trap: what goes in again must return behind it. */
	if (type == TYPE_PRIVILEGED)
		vcpu->state->rip += vmcs_read(VMCS_EXIT_INSN_LENGTH);
	else
		vmx_dr6_set(vmx, vmcs_read(VMCS_EXIT_QUALIFICATION) &
					 QUALIFICATION_DB_BITS);
	/* As the handler finds it: #DB exits before it has cleared GD. */
	vmcs_write(VMCS_GUEST_DR7, vmcs_read(VMCS_GUEST_DR7) & ~X86_DR7_GD);
}

static __noinline void decode_window(struct vmx_vcpu *vmx, uint32_t basic)
{
	if (basic == REASON_NMI_WINDOW)
		vmx_proc_controls_change(vmx, 0, PROC_NMI_WINDOW);
	else if (basic == REASON_INTERRUPT_WINDOW)
		vmx_proc_controls_change(vmx, 0, PROC_INTERRUPT_WINDOW);
	else
		vmx_tpr_threshold_set(vmx, 0);
}

/* Exits that no instruction with a length caused, and those that failed. */
static __noinline void decode_rest(struct vendor_vcpu *vcpu,
				   struct exit_info *info, uint32_t basic,
				   unsigned needs)
{
	struct vmx_vcpu *vmx = vcpu->private;
	uint64_t vectoring =
		needs & VECTORING ? vmcs_read(VMCS_IDT_VECTORING_INFO) : 0;
	bool is_delivery = vectoring & INTERRUPTION_VALID;

	if (unlikely(is_delivery))
		vmx_reinject(vmx, vectoring);
	switch (basic) {
	case REASON_EPT_VIOLATION:
		decode_nested(vmx, vmcs_read(VMCS_EXIT_QUALIFICATION),
			      is_delivery, info);
		break;
	case REASON_APIC_ACCESS:
		decode_apic(vcpu, info);
		break;
	case REASON_APIC_WRITE:
		info->apic_offset =
			FIELD_GET(QUALIFICATION_APIC_OFFSET,
				  vmcs_read(VMCS_EXIT_QUALIFICATION));
		break;
	case REASON_EXCEPTION_OR_NMI:
		decode_exception(vcpu, is_delivery, info);
		break;
	case REASON_TPR_BELOW_THRESHOLD:
	case REASON_INTERRUPT_WINDOW:
	case REASON_NMI_WINDOW:
		decode_window(vmx, basic);
		break;
	case REASON_PREEMPTION_TIMER:
		vmx->deadline = 0;
		break;
	case REASON_TASK_SWITCH:
		if (vmx->work & WORK_EVENT)
			vmx_emulate_event(vmx, info);
		break;
	case REASON_EPT_MISCONFIGURATION:
		info->raw_info1 = vmcs_read(VMCS_GUEST_PHYSICAL_ADDRESS);
		break;
	case REASON_ENTRY_GUEST_STATE:
		info->raw_info1 = vmcs_read(VMCS_EXIT_QUALIFICATION);
		if (!vmx_features.controls.has_unrestricted)
			vmx_emulate_refused(vcpu, info);
		break;
	case REASON_ENTRY_MSR_LOAD:
		info->raw_info1 = vmcs_read(VMCS_EXIT_QUALIFICATION);
		break;
	default:
		break;
	}
}

/* First what the monitor answers by itself: the shortest way. */
void vmx_exit_decode(struct vendor_vcpu *vcpu, struct exit_info *info)
{
	uint64_t reason = vmcs_read(VMCS_EXIT_REASON);
	uint32_t basic = FIELD_GET(EXIT_REASON_BASIC, reason);
	struct exit_row row = { EXIT_UNKNOWN, 0 };

	if (likely(basic < ARRAY_SIZE(exit_table)))
		row = exit_table[basic];
	info->reason = row.reason;
	if (unlikely(!(row.needs & LENGTH))) {
		info->length = 0;
		info->raw = reason;
		decode_rest(vcpu, info, basic, row.needs);
		return;
	}
	decode_length(vcpu, info);
	info->is_write = basic == REASON_WRMSR;
	if (row.needs & QUALIFICATION)
		decode_io(vmcs_read(VMCS_EXIT_QUALIFICATION), info);
	/* Met by MOV SS just before, which ends HLT at once. */
	else if (row.needs & DEBUG &&
		 (vcpu->has_shadow || vcpu->state->rflags & X86_FLAG_TF) &&
		 vmcs_read(VMCS_GUEST_PENDING_DEBUG))
		info->reason = EXIT_PAUSE;
}

/* ---- Entries that failed, reports -------------------------------------- */

/* VMLAUNCH or VMRESUME itself failed. */
__noinline void vmx_entry_failed(struct exit_info *info, uint64_t flags)
{
	info->reason = EXIT_INVALID;
	info->raw = flags;
	info->raw_info1 = vmcs_read(VMCS_INSTRUCTION_ERROR);
	log_err("VM entry failed: %s, VM-instruction error %lu",
		flags & X86_FLAG_CF ? "no current VMCS" : "VMfailValid",
		info->raw_info1);
}

/* The first of four fields each: control, exit, guest. */
static const uint16_t dump_rows[] = {
	0x4000, 0x4008, 0x4010, 0x4018, 0x6000, 0x4400, 0x4408, 0x6400,
	0x0800, 0x0808, 0x2800, 0x280a, 0x4800, 0x4808, 0x4810, 0x4818,
	0x4820, 0x6800, 0x6808, 0x6810, 0x6818, 0x6820,
};

/*
 * By the encodings of the fields, 0 for those that this processor has not:
 * `scripts/bulkhead explain-entry` names them and says which rule the state
 * breaks.
 */
void vmx_dump(struct vendor_vcpu *vcpu)
{
	const struct vmx_caps *caps = &vmx_features.caps;

	vmx_vmcs_use(vcpu);
	for (unsigned i = 0; i < ARRAY_SIZE(dump_rows); i++) {
		unsigned f = dump_rows[i];

		log_err("VMCS: %x=%lx %x=%lx %x=%lx %x=%lx", f, vmcs_probe(f),
			f + 2, vmcs_probe(f + 2), f + 4, vmcs_probe(f + 4),
			f + 6, vmcs_probe(f + 6));
	}
	log_err("VMCS: misc=%lx cr0_fixed0=%lx cr0_fixed1=%lx cr4_fixed0=%lx "
		"cr4_fixed1=%lx address_sizes=%x",
		caps->misc, caps->cr0_fixed0, caps->cr0_fixed1,
		caps->cr4_fixed0, caps->cr4_fixed1,
		cpuid_read(CPUID_ADDRESS_SIZES, 0).eax);
}
