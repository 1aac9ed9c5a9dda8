/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single steps: RF in the image behind the iterations of REP, and HLT, which a
 * debug exception ends.
 */
#include "tests/guest/lib/rf.h"

#define DR6_BS	 BIT(14)
#define DR6_NONE 0xffff0ff0

volatile uint32_t rep_target;

static void test_rf(void)
{
	CHECK_RF("rf-step", X86_VECTOR_DB, on_trap, 1, false,
		 "pushf; orl $0x100, (%%rsp); popf", "nop");
	CHECK_RF("rf-step-cpuid", X86_VECTOR_DB, on_trap, 1, false,
		 "xor %%eax, %%eax; push %%rbx; pushf; orl $0x100, (%%rsp); "
		 "popf",
		 "cpuid; pop %%rbx");
	/* Behind an iteration, but for the last. */
	CHECK_RF("rf-step-rep", X86_VECTOR_DB, on_trap, 1, true,
		 "lea rep_target(%%rip), %%rdi; mov $2, %%ecx; "
		 "pushf; orl $0x100, (%%rsp); popf",
		 "rep stosb");
	CHECK_RF("rf-step-rep-last", X86_VECTOR_DB, on_trap, 1, false,
		 "lea rep_target(%%rip), %%rdi; mov $1, %%ecx; "
		 "pushf; orl $0x100, (%%rsp); popf",
		 "rep stosb");
	CHECK_RF("rf-step-rep-out", X86_VECTOR_DB, on_trap, 1, true,
		 "lea rep_target(%%rip), %%rsi; mov $2, %%ecx; mov $0x80, "
		 "%%edx; "
		 "pushf; orl $0x100, (%%rsp); popf",
		 "rep outsb");
}

/* ---- HLT ----------------------------------------------------------------- */

static volatile uint64_t step_rip, step_dr6;

static void on_step(struct trap_frame *frame)
{
	traps++;
	step_rip = frame->rip;
	step_dr6 = READ_DR(6);
	WRITE_DR(6, DR6_NONE);
	frame->rflags &= ~X86_FLAG_TF;
}

/* Interrupts are off: nothing but the trap ends it. */
static void test_hlt(void)
{
	uint64_t behind;

	trap_hook(X86_VECTOR_DB, on_step);
	traps = 0;
	cli();
	__asm__ volatile("lea 1f(%%rip), %0; pushf; orl $0x100, (%%rsp); popf; "
			 "hlt; 1: nop"
			 : "=&r"(behind)::"memory", "cc");
	check("hlt-step", traps == 1 && step_rip == behind &&
				  step_dr6 == (DR6_NONE | DR6_BS));
	trap_hook(X86_VECTOR_DB, NULL);
}

void guest_main(void)
{
	test_rf();
	test_hlt();
}
