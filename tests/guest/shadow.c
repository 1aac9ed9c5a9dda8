/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt shadow: with an interrupt pending, STI lets exactly one more
 * instruction run, whether that one exits to the hypervisor or not.
 */
#include "tests/guest/lib/guest.h"

#define VECTOR	    0x50
#define ICR_SELF    0x44000 /* fixed, self, assert */
#define TAKEN_NEVER 0

static volatile uint64_t taken_rip;

static void record(struct trap_frame *frame)
{
	if (taken_rip == TAKEN_NEVER)
		taken_rip = frame->rip;
	lapic_write(LAPIC_EOI, 0);
}

static void pend(void)
{
	taken_rip = TAKEN_NEVER;
	cli();
	lapic_write(LAPIC_ICR, ICR_SELF | VECTOR);
}

/* STI, one instruction, and the address behind that. */
#define SHADOWED(prepare, instruction)                                         \
	({                                                                     \
		uint64_t behind_;                                              \
		pend();                                                        \
		__asm__ volatile("lea 1f(%%rip), %%rsi; " prepare              \
				 "; sti; " instruction "; 1: nop; nop; cli"    \
				 : "=&S"(behind_)::"rax", "rbx", "rcx", "rdx", \
				   "memory");                                  \
		behind_;                                                       \
	})

static void check_taken(const char *name, uint64_t behind)
{
	if (taken_rip == behind)
		pass(name);
	else if (taken_rip == TAKEN_NEVER)
		fail(name, "no interrupt");
	else
		fail(name, "taken %lld bytes off",
		     (long long)(taken_rip - behind));
}

/* Without a shadow: POPF lets it in at once. */
static void test_popf(void)
{
	uint64_t behind;

	pend();
	__asm__ volatile("lea 1f(%%rip), %0; pushf; orl $0x200, (%%rsp); popf;"
			 "1: nop; nop; cli"
			 : "=&r"(behind)::"memory");
	check_taken("popf-has-none", behind);
}

static void test_twice(void)
{
	uint64_t behind;

	/* IF is set already: the second STI opens no new shadow. */
	pend();
	__asm__ volatile("lea 1f(%%rip), %0; sti; sti; 1: nop; nop; cli"
			 : "=&r"(behind)::"memory");
	check_taken("sti-sti", behind);
}

void guest_main(void)
{
	trap_hook(VECTOR, record);
	lapic_enable();
	check_taken("sti-nop", SHADOWED("", "nop"));
	check_taken("sti-cpuid", SHADOWED("xor %%eax, %%eax", "cpuid"));
	check_taken("sti-in", SHADOWED("", "in $0x80, %%al"));
	check_taken("sti-out", SHADOWED("", "out %%al, $0x80"));
	check_taken("sti-mmio", SHADOWED("", "mov 0xfee00030, %%eax"));
	check_taken("sti-hlt", SHADOWED("", "hlt"));
	check_taken("sti-rdmsr", SHADOWED("mov $0x1b, %%ecx", "rdmsr"));
	test_popf();
	test_twice();
}
