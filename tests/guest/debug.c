/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debugging within the guest: single-stepping over instructions that exit,
 * breakpoints, and debug registers that keep their values.
 */
#include "tests/guest/lib/guest.h"

#define DR6_B0		BIT(0)
#define DR6_BS		BIT(14)
#define LVT_MASKED	BIT(16)
#define CPUID_INTEL_EBX 0x756e6547 /* "Genu" */

static volatile uint64_t step_rip[8];
static volatile unsigned steps;
static volatile uint64_t step_dr6;

static void on_step(struct trap_frame *frame)
{
	step_rip[steps++ & 7] = frame->rip;
	step_dr6 = READ_DR(6);
	WRITE_DR(6, 0xffff0ff0);
	if (steps >= 2)
		frame->rflags &= ~X86_FLAG_TF;
}

/* TF on, the instruction; the first step must end right behind it. */
#define CHECK_STEP(name, prepare, instruction)                                 \
	do {                                                                   \
		uint64_t behind_;                                              \
		steps = 0;                                                     \
		__asm__ volatile(                                              \
			"lea 1f(%%rip), %%rsi; " prepare                       \
			"; pushf; orl $0x100, (%%rsp); popf; " instruction     \
			"; 1: nop; nop; nop"                                   \
			: "=&S"(behind_)::"rax", "rbx", "rcx", "rdx", "rdi",   \
			  "memory", "cc");                                     \
		if (steps == 2 && step_rip[0] == behind_ && step_dr6 & DR6_BS) \
			pass(name);                                            \
		else                                                           \
			fail(name,                                             \
			     "%u steps, the first %lld bytes off, "            \
			     "dr6 %#llx",                                      \
			     steps, (long long)(step_rip[0] - behind_),        \
			     (unsigned long long)step_dr6);                    \
	} while (0)

static void test_steps(void)
{
	trap_hook(X86_VECTOR_DB, on_step);
	CHECK_STEP("step-nop", "", "nop");
	CHECK_STEP("step-cpuid", "xor %%eax, %%eax", "cpuid");
	CHECK_STEP("step-rdmsr", "mov $0x1b, %%ecx", "rdmsr");
	CHECK_STEP("step-in", "", "in $0x80, %%al");
	CHECK_STEP("step-out", "", "out %%al, $0x80");
	CHECK_STEP("step-mmio", "", "mov 0xfee00030, %%eax");
	CHECK_STEP("step-mov-cr", "mov %%cr4, %%rax", "mov %%rax, %%cr4");
	/* A register of a device that holds a selector; no trap behind SS. */
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
	lapic_write(LAPIC_TIMER_INITIAL, SEL_DATA);
	CHECK_STEP("step-mov-ss", "mov %%ss, %%eax", "mov %%eax, %%ss; nop");
	CHECK_STEP("step-mov-ss-mmio", "mov $0xfee00380, %%edi",
		   "mov (%%rdi), %%ss; nop");
	CHECK_STEP("step-mov-ss-cpuid", "xor %%eax, %%eax; mov %%ss, %%edi",
		   "mov %%edi, %%ss; cpuid");
}

static volatile unsigned breaks;
static volatile uint64_t break_rip, break_dr6;

static void on_break(struct trap_frame *frame)
{
	breaks++;
	break_rip = frame->rip;
	break_dr6 = READ_DR(6);
	WRITE_DR(6, 0xffff0ff0);
	WRITE_DR(7, 0x400);
}

static volatile uint64_t watched;

static void test_breakpoints(void)
{
	uint64_t at;

	trap_hook(X86_VECTOR_DB, on_break);
	__asm__ volatile("lea 1f(%%rip), %0; mov %0, %%dr0;"
			 "mov $0x402, %%eax; mov %%rax, %%dr7; nop; 1: nop"
			 : "=&r"(at)::"rax");
	check("execution-breakpoint",
	      breaks == 1 && break_rip == at && break_dr6 & DR6_B0);
	breaks = 0;
	WRITE_DR(0, &watched);
	WRITE_DR(7, 0x402 | 0x9 << 16); /* write, 8 bytes by length 2 */
	watched = 1;
	check("write-watchpoint", breaks == 1 && break_dr6 & DR6_B0);
	WRITE_DR(7, 0x400);
}

/* Exits in between do not lose them. */
static void test_kept(void)
{
	WRITE_DR(0, 0x1111);
	WRITE_DR(1, 0x2222);
	WRITE_DR(2, 0x3333);
	WRITE_DR(3, 0x4444);
	for (unsigned i = 0; i < 100; i++) {
		(void)in8(0x80);
		(void)cpuid(0, 0);
	}
	check("kept", READ_DR(0) == 0x1111 && READ_DR(1) == 0x2222 &&
			      READ_DR(2) == 0x3333 && READ_DR(3) == 0x4444);
	check_equal("dr7-at-first", READ_DR(7), 0x400);
}

static volatile unsigned traps;
static volatile uint64_t trap_rip;

static void on_int1(struct trap_frame *frame)
{
	traps++;
	trap_rip = frame->rip;
	/* One that is never stepped over must not go on for ever. */
	if (traps > 1)
		frame->rip++;
}

/* INT1 is a trap: its handler returns behind it, once. */
static void test_int1(void)
{
	uint64_t behind;

	if (cpuid(0, 0).ebx != CPUID_INTEL_EBX) {
		skip("int1", "QEMU 7.2 raises #UD");
		return;
	}
	trap_hook(X86_VECTOR_DB, on_int1);
	__asm__ volatile("lea 1f(%%rip), %0; .byte 0xf1; 1:"
			 : "=&r"(behind)::"memory");
	check("int1", traps == 1 && trap_rip == behind);
}

void guest_main(void)
{
	test_kept();
	test_int1();
	test_steps();
	test_breakpoints();
}
