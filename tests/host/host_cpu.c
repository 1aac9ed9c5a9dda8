/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reset state, CPUID and MSRs of host-pc's processor.
 *
 * References: APM volume 2, "Processor Initialization State", "Appendix A MSR
 * Cross-Reference"; APM volume 3, "Obtaining Processor Information Via the
 * CPUID Instruction".
 */
#include "tests/host/host_cpu.h"

#include <string.h>

#include "include/x86_msr.h"

#define PAT_RESET   0x0007040600070406UL
#define FCW_RESET   0x40
#define MXCSR_RESET 0x1f80
#define MXCSR_MASK  0xffff

/* FPU VME DE PSE TSC MSR PAE CX8 SEP PGE CMOV PAT CLFLUSH MMX FXSR SSE SSE2 */
#define E1_EDX	 0x0789a97f
#define E1_ECX	 (BIT(0) | BIT(9) | BIT(13) | BIT(19) | BIT(20) | BIT(23))
/* Of the above what AMD shows here as well; SYSCALL, NX, long mode. */
#define EXT1_EDX ((E1_EDX & 0x0183f3ff) | BIT(11) | BIT(20) | BIT(29))
#define EXT1_ECX BIT(0) /* LAHF in 64-bit mode */
#define EXT8_EAX 0x3028 /* 48 bits of linear, 40 of physical addresses */
#define FAMILY	 0x00000f10
#define CLFLUSH	 0x00000800

void host_cpu_reset(struct host_cpu *cpu)
{
	struct x86_state *state = &cpu->state;

	memset(cpu, 0, sizeof(*cpu));
	state->valid = MASK(6, 0);
	state->rip = 0xfff0;
	state->rflags = X86_FLAG_ONE;
	state->cr0 = X86_CR0_ET | X86_CR0_CD | X86_CR0_NW;
	state->xcr0 = X86_XCR0_X87;
	for (unsigned i = 0; i < X86_SEG_COUNT; i++)
		state->seg[i] = (struct x86_segment){ .attributes = 0x93,
						      .limit = 0xffff };
	state->seg[X86_CS] = (struct x86_segment){ .selector = 0xf000,
						   .attributes = 0x9b,
						   .limit = 0xffff,
						   .base = 0xffff0000 };
	state->gdtr.limit = state->idtr.limit = 0xffff;
	state->ldtr =
		(struct x86_segment){ .attributes = 0x82, .limit = 0xffff };
	state->tr = (struct x86_segment){ .attributes = 0x8b, .limit = 0xffff };
	cpu->xstate.fcw = FCW_RESET;
	cpu->xstate.mxcsr = MXCSR_RESET;
	cpu->xstate.mxcsr_mask = MXCSR_MASK;
	cpu->xstate.xstate_bv = X86_XCR0_X87 | X86_XCR0_SSE;
	cpu->pat = PAT_RESET;
}

void host_cpu_cpuid(uint32_t r[4])
{
	uint32_t leaf = r[0];

	memset(r, 0, 4 * sizeof(*r));
	switch (leaf) {
	case 0:
	case 0x80000000:
		r[0] = leaf ? 0x80000008 : 1;
		memcpy(&r[1], "Auth", 4);
		memcpy(&r[3], "enti", 4);
		memcpy(&r[2], "cAMD", 4);
		break;
	case 1:
		r[0] = FAMILY;
		r[1] = CLFLUSH;
		r[2] = E1_ECX;
		r[3] = E1_EDX;
		break;
	case 0x80000001:
		r[0] = FAMILY;
		r[2] = EXT1_ECX;
		r[3] = EXT1_EDX;
		break;
	case 0x80000008:
		r[0] = EXT8_EAX;
		break;
	}
}

/* NULL: not one of those. */
static uint64_t *msr_find(struct host_cpu *cpu, uint32_t msr)
{
	struct x86_state *state = &cpu->state;
	struct {
		uint32_t number;
		uint64_t *value;
	} const rows[] = {
		{ MSR_PAT, &cpu->pat },
		{ MSR_SYSENTER_CS, &state->sysenter_cs },
		{ MSR_SYSENTER_ESP, &state->sysenter_esp },
		{ MSR_SYSENTER_EIP, &state->sysenter_eip },
		{ MSR_EFER, &state->efer },
		{ MSR_STAR, &state->star },
		{ MSR_LSTAR, &state->lstar },
		{ MSR_CSTAR, &state->cstar },
		{ MSR_SFMASK, &state->sfmask },
		{ MSR_FS_BASE, &state->seg[X86_FS].base },
		{ MSR_GS_BASE, &state->seg[X86_GS].base },
		{ MSR_KERNEL_GS_BASE, &state->kernel_gs_base },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].number == msr)
			return rows[i].value;
	return NULL;
}

uint64_t host_cpu_msr_read(const struct host_cpu *cpu, uint32_t msr)
{
	const uint64_t *at = msr_find((struct host_cpu *)cpu, msr);

	return at ? *at : 0;
}

void host_cpu_msr_write(struct host_cpu *cpu, uint32_t msr, uint64_t value)
{
	uint64_t *at = msr_find(cpu, msr);

	/* LMA follows LME and paging, by CR0 alone. */
	if (msr == MSR_EFER)
		value = (value & ~X86_EFER_LMA) |
			(cpu->state.efer & X86_EFER_LMA);
	if (at)
		*at = value;
}
