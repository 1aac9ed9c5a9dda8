/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A CPU made ready for programs and guests: the ways into ring 0, and what is
 * set once of x87, SSE and AVX, isolation and speculation.
 *
 * References: APM volume 2, "SYSCALL and SYSRET", "Speculation Control MSRs";
 * SDM volume 4, "IA32_SPEC_CTRL"; SDM volume 1, "Managing State Using the XSAVE
 * Feature Set".
 */
#include "boot/boot.h"

#include "include/x86.h"
#include "include/x86_msr.h"
#include "kernel/host.h"
#include "vm/gate.h"
#include "vm/xstate.h"

/* ---- Ways in ------------------------------------------------------------- */

#define EFER_SCE     BIT(0)
#define STAR_SYSRET  MASK(63, 48)
#define STAR_SYSCALL MASK(47, 32)
/* Cleared on the way in: TF IF DF IOPL NT AC. */
#define SFMASK_GATE                                                \
	(X86_FLAG_TF | X86_FLAG_IF | X86_FLAG_DF | X86_FLAG_IOPL | \
	 X86_FLAG_NT | X86_FLAG_AC | X86_FLAG_RF)

static void gate_init_cpu(void)
{
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SCE);
	msr_write(MSR_STAR,
		  FIELD_PUT(STAR_SYSCALL, SELECTOR_KERNEL_CODE) |
			  FIELD_PUT(STAR_SYSRET, SELECTOR_USER_CODE32));
	msr_write(MSR_LSTAR,
		  (uint64_t)(this_cpu()->is_isolated ? gate_syscall_isolated
						     : gate_syscall));
	msr_write(MSR_CSTAR,
		  (uint64_t)(this_cpu()->is_isolated ? gate_syscall32_isolated
						     : gate_syscall32));
	msr_write(MSR_SFMASK, SFMASK_GATE);
	/* #GP, where the processor has SYSENTER in this mode at all. */
	msr_write(MSR_SYSENTER_CS, 0);
}

/* ---- Registers of guests ------------------------------------------------- */

#define CPUID_1_ECX_XSAVE BIT(26)

static void fpu_init_cpu(void)
{
	struct x86_xstate area = { 0 };
	uint64_t cr4 = cr4_read() | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;

	if (cpuid_read(1, 0).ecx & CPUID_1_ECX_XSAVE)
		cr4 |= X86_CR4_OSXSAVE;
	cr4_write(cr4);
	__asm__ volatile("fxsave64 %0" : "+m"(area));
	this_cpu()->mxcsr_mask = xstate_mxcsr_mask(&area);
}

/* ---- Speculation --------------------------------------------------------- */

#define MSR_SPEC_CTRL  0x00000048
#define SPEC_CTRL_IBRS BIT(0)
#define EFER_AUTO_IBRS BIT(21)

static void speculation_init_cpu(struct cpu *cpu)
{
	const struct speculation *s = &cpu->host->speculation;

	cpu->fills_rsb = s->rsb_at_exit;
	if (s->ibrs)
		msr_write(MSR_SPEC_CTRL,
			  msr_read(MSR_SPEC_CTRL) | SPEC_CTRL_IBRS);
	if (s->auto_ibrs)
		msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_AUTO_IBRS);
}

static void isolation_init_cpu(struct cpu *cpu)
{
	if (!cpu->host->speculation.page_tables)
		return;
	cpu->monitor_root = cpu->host->map.table.root;
	cpu->tss.rsp[0] = cpu->entry_stack_top;
	cpu->is_isolated = true;
}

void ring3_init_cpu(struct cpu *cpu)
{
	fpu_init_cpu();
	speculation_init_cpu(cpu);
	isolation_init_cpu(cpu);
	/* Which of the ways in depends on isolation. */
	gate_init_cpu();
}
