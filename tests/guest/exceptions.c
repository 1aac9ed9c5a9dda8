/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions raised by a guest reach its own IDT, with the error code that
 * belongs to them, at the right instruction.
 */
#include "tests/guest/lib/guest.h"

#define ERROR_NONE    0
#define NOT_CANONICAL 0x8000000000000000UL

static void raise_de(void *arg)
{
	(void)arg;
	__asm__ volatile("xor %%edx, %%edx; xor %%ecx, %%ecx; div %%ecx" ::
				 : "eax", "ecx", "edx");
}

static void raise_bp(void *arg)
{
	(void)arg;
	__asm__ volatile("int3");
}

static void raise_ud(void *arg)
{
	(void)arg;
	__asm__ volatile("ud2");
}

/* CR0.TS set: the first x87 instruction. */
static void raise_nm(void *arg)
{
	(void)arg;
	__asm__ volatile("fninit");
}

static void raise_gp_selector(void *arg)
{
	(void)arg;
	__asm__ volatile("mov %0, %%ds" ::"r"(0x7f8));
}

static void raise_gp_canonical(void *arg)
{
	(void)arg;
	*(volatile uint8_t *)NOT_CANONICAL = 0;
}

/* Present bit clear, otherwise a writable data segment. */
static void raise_ss(void *arg)
{
	(void)arg;
	boot_gdt[SEL_SPARE / 8] = 0x00cf13000000ffff;
	__asm__ volatile("mov %0, %%ss" ::"r"(SEL_SPARE));
}

static void raise_np(void *arg)
{
	(void)arg;
	boot_gdt[SEL_SPARE / 8] = 0x00cf13000000ffff;
	__asm__ volatile("mov %0, %%fs" ::"r"(SEL_SPARE));
}

static void raise_pf_read(void *arg)
{
	(void)*(volatile uint8_t *)arg;
}

static void raise_pf_write(void *arg)
{
	*(volatile uint8_t *)arg = 0;
}

static void raise_int(void *arg)
{
	(void)arg;
	__asm__ volatile("int $0x81");
}

static void raise_db(void *arg)
{
	(void)arg;
	__asm__ volatile("pushf; orl $0x100, (%%rsp); popf; nop" ::: "memory");
}

struct expectation {
	const char *name;
	void (*raise)(void *arg);
	int vector;
	uint64_t error;
};

static void check_trap(const struct expectation *e)
{
	int vector = trap_catch(e->raise, NULL);

	if (vector != e->vector)
		fail(e->name, "vector %d, not %d", vector, e->vector);
	else if (trap_last.error != e->error)
		fail(e->name, "error code %#llx, not %#llx",
		     (unsigned long long)trap_last.error,
		     (unsigned long long)e->error);
	else
		pass(e->name);
}

#define PAGE_HOLE 0x2000000UL

static void check_page_fault(const char *name, void (*raise)(void *),
			     uint64_t error)
{
	int vector = trap_catch(raise, (void *)(PAGE_HOLE + 5));

	if (vector != X86_VECTOR_PF || trap_last.error != error ||
	    trap_last.cr2 != PAGE_HOLE + 5)
		fail(name, "vector %d error %#llx cr2 %#llx", vector,
		     (unsigned long long)trap_last.error,
		     (unsigned long long)trap_last.cr2);
	else
		pass(name);
}

static void test_page_faults(void)
{
	uint64_t *entry = page_entry(PAGE_HOLE);

	*entry &= ~PTE_P;
	invlpg(PAGE_HOLE);
	check_page_fault("pf-read-absent", raise_pf_read, 0);
	check_page_fault("pf-write-absent", raise_pf_write, BIT(1));
	*entry = PAGE_HOLE | PTE_P;
	WRITE_CR(0, READ_CR(0) | X86_CR0_WP);
	invlpg(PAGE_HOLE);
	check_page_fault("pf-write-read-only", raise_pf_write, BIT(0) | BIT(1));
	WRITE_CR(0, READ_CR(0) & ~X86_CR0_WP);
	check_equal("write-read-only-without-wp",
		    (uint64_t)trap_catch(raise_pf_write, (void *)PAGE_HOLE),
		    (uint64_t)-1);
	*entry = PAGE_HOLE | PTE_P | PTE_W;
	invlpg(PAGE_HOLE);
}

/* A fault while a fault is delivered: the #GP's handler is not there. */
static void test_double_fault(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __packed idtr, cut;
	int vector;

	__asm__ volatile("sidt %0" : "=m"(idtr));
	/* The IDT ends before #GP's gate, but #DF's is there. */
	cut = idtr;
	cut.limit = 16 * X86_VECTOR_GP - 1;
	__asm__ volatile("lidt %0" ::"m"(cut));
	vector = trap_catch(raise_gp_canonical, NULL);
	__asm__ volatile("lidt %0" ::"m"(idtr));
	check_equal("double-fault", (uint64_t)vector, X86_VECTOR_DF);
	check_equal("double-fault-error-code", trap_last.error, 0);
}

static volatile uint64_t debug_dr6;

static void debug_hook(struct trap_frame *frame)
{
	__asm__ volatile("mov %%dr6, %0" : "=r"(*(uint64_t *)&debug_dr6));
	frame->rflags &= ~X86_FLAG_TF;
}

static void test_single_step(void)
{
	trap_hook(X86_VECTOR_DB, debug_hook);
	raise_db(NULL);
	trap_hook(X86_VECTOR_DB, NULL);
	check_equal("db-single-step-dr6", debug_dr6 & BIT(14), BIT(14));
}

void guest_main(void)
{
	static const struct expectation expectations[] = {
		{ "de", raise_de, X86_VECTOR_DE, ERROR_NONE },
		{ "bp", raise_bp, X86_VECTOR_BP, ERROR_NONE },
		{ "ud", raise_ud, X86_VECTOR_UD, ERROR_NONE },
		{ "gp-selector", raise_gp_selector, X86_VECTOR_GP, 0x7f8 },
		{ "gp-canonical", raise_gp_canonical, X86_VECTOR_GP, 0 },
		{ "ss", raise_ss, X86_VECTOR_SS, SEL_SPARE },
		{ "np", raise_np, X86_VECTOR_NP, SEL_SPARE },
		{ "int-n", raise_int, 0x81, ERROR_NONE },
	};
	static const struct expectation nm = { "nm", raise_nm, X86_VECTOR_NM,
					       ERROR_NONE };

	for (unsigned i = 0; i < ARRAY_SIZE(expectations); i++)
		check_trap(&expectations[i]);
	WRITE_CR(0, READ_CR(0) | X86_CR0_TS);
	check_trap(&nm);
	__asm__ volatile("clts");
	test_page_faults();
	test_double_fault();
	test_single_step();
}
