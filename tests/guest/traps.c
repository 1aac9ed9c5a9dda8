/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What events leave and what they end: RF in the image that is pushed, HLT
 * under a single step, NMIs behind an NMI, and FS and GS bases of a program
 * that one interrupts.
 */
#include "tests/guest/lib/rf.h"
#include "tests/guest/lib/tss.h"

#define ICR_NMI_SELF 0x44400
#define LVT_MASKED   BIT(16)
#define MSR_FS_BASE  0xc0000100
#define MSR_GS_BASE  0xc0000101
#define BASE	     0x123456789000UL

/* ---- RF ------------------------------------------------------------------ */

/* Behind the instruction, which is as long as r15 says. */
static void on_fault(struct trap_frame *frame)
{
	traps++;
	image = frame->rflags;
	frame->rip += frame->r15;
	frame->rflags &= ~X86_FLAG_RF;
}

static void test_rf(void)
{
	CHECK_RF("rf-ud", X86_VECTOR_UD, on_fault, 2, true, "nop", "ud2");
	CHECK_RF("rf-ud-monitor", X86_VECTOR_UD, on_fault, 3, true, "nop",
		 ".byte 0x0f, 0x01, 0xdd"); /* clgi, or undefined */
	/* An MSR that is nobody's; one that is not there in xAPIC mode. */
	CHECK_RF("rf-gp-machine", X86_VECTOR_GP, on_fault, 2, true,
		 "mov $0x12345, %%ecx", "rdmsr");
	CHECK_RF("rf-gp-monitor", X86_VECTOR_GP, on_fault, 2, true,
		 "mov $0x80f, %%ecx", "rdmsr");
	CHECK_RF("rf-gp-dr", X86_VECTOR_GP, on_fault, 3, true,
		 "mov $0xffffffff80000000, %%rax", "mov %%rax, %%dr7");
	/* A selector beyond the table, in a device's register. */
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
	lapic_write(LAPIC_TIMER_INITIAL, 0x7ff0);
	CHECK_RF("rf-gp-mmio", X86_VECTOR_GP, on_fault, 2, true,
		 "mov $0xfee00380, %%edi", "mov (%%rdi), %%es");
	lapic_write(LAPIC_TIMER_INITIAL, 0);
	CHECK_RF("rf-int3", X86_VECTOR_BP, on_trap, 1, false, "nop", "int3");
	CHECK_RF("rf-int", 0x90, on_trap, 2, false, "nop", "int $0x90");
}

/* ---- NMIs ---------------------------------------------------------------- */

static volatile unsigned nmis, nested;

/* Two come while the first is handled: one of them is kept. */
static void on_nmi(struct trap_frame *frame)
{
	static volatile unsigned depth;

	(void)frame;
	if (depth++)
		nested++;
	if (!nmis++) {
		lapic_write(LAPIC_ICR, ICR_NMI_SELF);
		lapic_write(LAPIC_ICR, ICR_NMI_SELF);
	}
	depth--;
}

static void nmi_self(void)
{
	lapic_write(LAPIC_ICR, ICR_NMI_SELF);
	for (unsigned i = 0; i < 100; i++)
		(void)in8(0x80);
}

static void test_nmis(void)
{
	trap_hook(X86_VECTOR_NMI, on_nmi);
	nmis = 0;
	nmi_self();
	check_equal("nmi-behind-nmi", nmis, 2);
	check_equal("nmi-not-nested", nested, 0);
	nmi_self();
	check_equal("nmi-again", nmis, 3);
}

/* ---- Bases --------------------------------------------------------------- */

static struct tss64 tss;
static uint8_t kernel_stack[4096] __aligned(16);
static uint8_t user_stack[4096] __aligned(4096);
static struct trap_frame interrupted;
static volatile uint16_t user_ds, user_fs;

/* The IRET behind an NMI goes to level 3, as if it had interrupted that. */
static void on_nmi_of_user(struct trap_frame *frame)
{
	extern char user_code[];

	interrupted = *frame;
	frame->cs = SEL_USER64 | RPL_USER;
	frame->ss = SEL_USER_DATA | RPL_USER;
	frame->rip = (uint64_t)user_code;
	frame->rsp = (uint64_t)user_stack + sizeof(user_stack);
}

static void on_user_end(struct trap_frame *frame)
{
	user_ds = (uint16_t)frame->rax;
	user_fs = (uint16_t)frame->rcx;
	*frame = interrupted;
}

__asm__(".pushsection .text; .balign 4096; .globl user_code; user_code: "
	"mov %ds, %eax; mov %fs, %ecx; cli; .balign 4096; .popsection");

static void user_begin(void)
{
	extern char user_code[];
	uint64_t at = (uint64_t)&tss;

	tss.rsp[0] = (uint64_t)kernel_stack + sizeof(kernel_stack);
	boot_gdt[SEL_TSS / 8] = (sizeof(tss) - 1) | (at & 0xffffff) << 16 |
				0x89ULL << 40 | (at >> 24 & 0xff) << 56;
	boot_gdt[SEL_TSS / 8 + 1] = at >> 32;
	__asm__ volatile("ltr %0" ::"r"((uint16_t)SEL_TSS));
	boot_pml4[0] |= PTE_U;
	boot_pdpt[0] |= PTE_U;
	*page_entry((uint64_t)user_code) |= PTE_U;
	*page_entry((uint64_t)user_stack) |= PTE_U;
	boot_pd[(uint64_t)user_code >> 21] |= PTE_U;
	boot_pd[(uint64_t)user_stack >> 21] |= PTE_U;
	WRITE_CR(3, READ_CR(3));
}

static void test_bases(void)
{
	user_begin();
	trap_hook(X86_VECTOR_NMI, on_nmi_of_user);
	trap_hook(X86_VECTOR_GP, on_user_end);
	__asm__ volatile("mov %0, %%fs; mov %0, %%gs; mov %1, %%ds" ::"r"(0),
			 "r"(SEL_DATA));
	wrmsr(MSR_FS_BASE, BASE);
	wrmsr(MSR_GS_BASE, BASE + 8);
	nmi_self();
	check_equal("user-ds", user_ds, 0);
	check_equal("user-fs", user_fs, 0);
	check_equal("user-fs-base", rdmsr(MSR_FS_BASE), BASE);
	check_equal("user-gs-base", rdmsr(MSR_GS_BASE), BASE + 8);
	__asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; "
			 "mov %0, %%gs" ::"r"(SEL_DATA));
}

void guest_main(void)
{
	lapic_enable();
	test_rf();
	test_nmis();
	test_bases();
}
