/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exit codes of AMD-V as struct exit_info.
 *
 * Reference: APM volume 2, "SVM Intercept Exit Codes".
 */
#include "svm/internal.h"

/* Or'ed to a reason: decode_more() has something to add. */
#define MORE 0x80

/* clang-format off */
/* EXIT_UNKNOWN (0) where nothing stands. */
static const uint8_t exit_table[] = {
	[VMEXIT_CR_READ(0) ... VMEXIT_CR_READ(15)]   = EXIT_CR,
	[VMEXIT_CR_WRITE(0) ... VMEXIT_CR_WRITE(15)] = EXIT_CR,
	[VMEXIT_DR_READ(0) ... VMEXIT_DR_READ(15)]   = EXIT_DR,
	[VMEXIT_DR_WRITE(0) ... VMEXIT_DR_WRITE(15)] = EXIT_DR,
	[VMEXIT_EXCEPTION(0) ... VMEXIT_EXCEPTION(31)] = EXIT_EXCEPTION | MORE,
	[VMEXIT_INTR]     = EXIT_HOST_INTERRUPT | MORE,
	[VMEXIT_NMI]      = EXIT_HOST_NMI,
	[VMEXIT_SMI]      = EXIT_HOST_INTERRUPT,
	[VMEXIT_INIT]     = EXIT_HOST_INTERRUPT,
	[VMEXIT_VINTR]    = EXIT_INTERRUPT_WINDOW | MORE,
	[VMEXIT_CR0_SEL]  = EXIT_CR,
	[VMEXIT_RDPMC]    = EXIT_UNDEFINED,
	[VMEXIT_CPUID]    = EXIT_CPUID,
	[VMEXIT_RSM]      = EXIT_UNDEFINED,
	[VMEXIT_IRET]     = EXIT_EMULATE | MORE,
	[VMEXIT_INVD]     = EXIT_INVD,
	[VMEXIT_PAUSE]    = EXIT_PAUSE,
	[VMEXIT_HLT]      = EXIT_HLT,
	[VMEXIT_INVLPGA]  = EXIT_UNDEFINED,
	[VMEXIT_IOIO]     = EXIT_IO | MORE,
	[VMEXIT_MSR]      = EXIT_MSR | MORE,
	[VMEXIT_TASK]     = EXIT_EMULATE,
	[VMEXIT_FERR]     = EXIT_HOST_INTERRUPT,
	[VMEXIT_SHUTDOWN] = EXIT_SHUTDOWN,
	[VMEXIT_VMRUN]    = EXIT_UNDEFINED,
	[VMEXIT_VMMCALL]  = EXIT_HYPERCALL,
	[VMEXIT_VMLOAD]   = EXIT_UNDEFINED,
	[VMEXIT_VMSAVE]   = EXIT_UNDEFINED,
	[VMEXIT_STGI]     = EXIT_UNDEFINED,
	[VMEXIT_CLGI]     = EXIT_UNDEFINED,
	[VMEXIT_SKINIT]   = EXIT_UNDEFINED,
	[VMEXIT_WBINVD]   = EXIT_WBINVD,
	[VMEXIT_MONITOR]  = EXIT_UNDEFINED,
	[VMEXIT_MWAIT]    = EXIT_UNDEFINED,
	[VMEXIT_MWAIT_ARMED] = EXIT_UNDEFINED,
	[VMEXIT_XSETBV]   = EXIT_XSETBV,
	[VMEXIT_RDPRU]    = EXIT_UNDEFINED,
};
/* clang-format on */

static void decode_io(const struct vmcb *vmcb, struct exit_info *info)
{
	uint32_t io = (uint32_t)vmcb->exit_info1 & IOIO_ACCESS;

	__builtin_memcpy(&info->io, &io, sizeof(io));
	/* The one exit for which every processor gives the next RIP. */
	info->length = vmcb->exit_info2 - vmcb->rip;
}

static void decode_nested(const struct vmcb *vmcb, struct exit_info *info)
{
	uint64_t error = vmcb->exit_info1;

	info->reason = EXIT_NESTED;
	info->nested.gpa = vmcb->exit_info2;
	/* The low bits are those of GATE_MMIO_*, by design. */
	info->nested.access = error & (GATE_MMIO_WRITE | GATE_MMIO_FETCH);
	if (error & NPF_WALK)
		info->nested.access |= GATE_MMIO_WALK;
}

static void decode_exception(struct svm_vcpu *svm, struct exit_info *info)
{
	info->vector = (svm->vmcb->exit_code - VMEXIT_EXCEPTION(0)) & 31;
	if (info->vector != X86_VECTOR_DB)
		return;
	/* As the handler finds it. */
	svm->vmcb->dr7 &= ~X86_DR7_GD;
	svm->dirty |= CLEAN_DR;
}

static void decode_more(struct svm_vcpu *svm, uint32_t code,
			struct exit_info *info)
{
	switch (info->reason) {
	case EXIT_HOST_INTERRUPT:
		if (svm->vmcb->int_state & INT_STATE_SHADOW)
			svm_quirk_shadow(info);
		break;
	case EXIT_IO:
		decode_io(svm->vmcb, info);
		break;
	case EXIT_MSR:
		info->is_write = svm->vmcb->exit_info1;
		break;
	case EXIT_INTERRUPT_WINDOW:
		svm_interrupt_window_close(svm);
		break;
	case EXIT_EXCEPTION:
		decode_exception(svm, info);
		break;
	default:
		/* The machine emulates IRET, so that the NMI's end is exact. */
		if (code == VMEXIT_IRET)
			svm_nmi_done(svm);
		break;
	}
}

/* Out of the way of the others, which need no stack then. */
static __noinline void decode_unknown(const struct svm_vcpu *svm,
				      struct exit_info *info)
{
	const struct vmcb *vmcb = svm->vmcb;
	uint32_t code = vmcb->exit_code;

	info->reason =
		code == VMEXIT_INVALID ? svm_quirk_invalid(svm) : EXIT_UNKNOWN;
	info->raw = code;
	info->raw_info1 = vmcb->exit_info1;
	info->raw_info2 = vmcb->exit_info2;
}

void svm_exit_decode(struct svm_vcpu *svm, struct exit_info *info)
{
	struct vmcb *vmcb = svm->vmcb;
	uint32_t code = vmcb->exit_code;
	uint8_t row;

	if (code == VMEXIT_NPF) {
		decode_nested(vmcb, info);
		return;
	}
	row = code < ARRAY_SIZE(exit_table) ? exit_table[code] : EXIT_UNKNOWN;
	if (unlikely(row == EXIT_UNKNOWN)) {
		decode_unknown(svm, info);
		return;
	}
	info->reason = row & ~MORE;
	info->length = 0;
	if (svm_features.has_next_rip && vmcb->next_rip)
		info->length = vmcb->next_rip - vmcb->rip;
	if (row & MORE)
		decode_more(svm, code, info);
}
