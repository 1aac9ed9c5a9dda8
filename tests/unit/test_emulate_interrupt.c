/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Delivery of events: gates of every width, virtual-8086 mode, task switches.
 * Expectations are the manuals' pseudo-code.
 */
#include "tests/unit/emulate_test.h"

/* Interrupts */

static void idt_put(unsigned vector, uint64_t value)
{
	put(IDT + 8 * vector, value, 8);
}

static void interrupt_and_iret(void **state)
{
	(void)state;
	pc_protected(3);
	pc.state.rflags |= X86_FLAG_IF | X86_FLAG_TF;
	idt_put(0x80, gate(CODE0, HANDLER, 0xee, 0));
	assert_int_equal(STEP(0xcd, 0x80), EMUL_OK);
	assert_int_equal(pc.state.cpl, 0);
	assert_int_equal(pc.state.rip, HANDLER);
	assert_false(pc.state.rflags & (X86_FLAG_IF | X86_FLAG_TF));
	assert_int_equal(pc.state.gpr[X86_RSP], STACK0 - 20);
	assert_int_equal(get(STACK0 - 4, 4), DATA3);
	assert_int_equal(get(STACK0 - 12, 4),
			 X86_FLAG_IF | X86_FLAG_TF | X86_FLAG_ONE);
	assert_int_equal(get(STACK0 - 20, 4), CODE + 2);
	assert_int_equal(STEP(0xcf), EMUL_OK);
	assert_int_equal(pc.state.cpl, 3);
	assert_int_equal(pc.state.rip, CODE + 2);
	assert_int_equal(pc.state.gpr[X86_RSP], STACK + 0x800);
	assert_true(pc.state.rflags & X86_FLAG_IF);
	assert_true(pc.emul.events & EMUL_EVENT_NMI_UNMASK);
}

static void interrupt_faults(void **state)
{
	(void)state;
	pc_protected(3);
	idt_put(0x30, gate(CODE0, HANDLER, 0x8e, 0));
	assert_fault(STEP(0xcd, 0x30), X86_VECTOR_GP, 0x30 * 8 + 2);
	idt_put(0x30, gate(CODE0, HANDLER, 0x6e, 0));
	assert_fault(STEP(0xcd, 0x30), X86_VECTOR_NP, 0x30 * 8 + 2);
	pc.state.idtr.limit = 0x7f;
	assert_fault(STEP(0xcd, 0x30), X86_VECTOR_GP, 0x30 * 8 + 2);
	assert_int_equal(pc.state.rip, CODE);
}

/* A page fault in level 3: error code, CR2, RF in the image. */
static void exception_delivery(void **state)
{
	struct emul_event ev = { .vector = X86_VECTOR_PF,
				 .type = EMUL_TYPE_EXCEPTION,
				 .has_error_code = true,
				 .error_code = 6,
				 .cr2 = 0x123 };

	(void)state;
	pc_protected(3);
	idt_put(X86_VECTOR_PF, gate(CODE0, HANDLER, 0x8f, 0));
	assert_int_equal(emul_deliver_event(&pc.emul, &ev), EMUL_OK);
	assert_int_equal(pc.state.cr2, 0x123);
	assert_int_equal(get(STACK0 - 24, 4), 6);
	assert_int_equal(get(STACK0 - 20, 4), CODE);
	assert_true(get(STACK0 - 12, 4) & X86_FLAG_RF);
	assert_int_equal(pc.state.rip, HANDLER);
}

static void double_and_triple_fault(void **state)
{
	(void)state;
	pc_protected(0);
	idt_put(X86_VECTOR_DF, gate(CODE0, HANDLER, 0x8e, 0));
	/* #GP has no gate: #GP while delivering #GP is #DF. */
	pc.state.gpr[X86_RAX] = 0x100;
	assert_int_equal(STEP(0x8e, 0xd8), EMUL_FAULT);
	assert_int_equal(emul_deliver_fault(&pc.emul), EMUL_OK);
	assert_int_equal(pc.state.rip, HANDLER);
	assert_int_equal(get(pc.state.gpr[X86_RSP], 4), 0);
	pc.state.rip = CODE;
	idt_put(X86_VECTOR_DF, 0);
	assert_int_equal(STEP(0x8e, 0xd8), EMUL_FAULT);
	assert_int_equal(emul_deliver_fault(&pc.emul), EMUL_OK);
	assert_true(pc.emul.events & EMUL_EVENT_SHUTDOWN);
}

/* An exception that was injected combines with what its delivery raises. */
static void injected_double_fault(void **state)
{
	struct emul_event ev = { .vector = X86_VECTOR_DE,
				 .type = EMUL_TYPE_EXCEPTION };

	(void)state;
	pc_protected(0);
	idt_put(X86_VECTOR_DF, gate(CODE0, HANDLER, 0x8e, 0));
	assert_int_equal(emul_deliver_event(&pc.emul, &ev), EMUL_FAULT);
	assert_int_equal(pc.emul.fault.vector, X86_VECTOR_GP);
	assert_int_equal(emul_deliver_fault(&pc.emul), EMUL_OK);
	assert_int_equal(pc.state.rip, HANDLER);
	/* #BP does not. */
	pc.state.rip = CODE;
	ev.vector = X86_VECTOR_BP;
	idt_put(X86_VECTOR_GP, gate(CODE0, HANDLER + 16, 0x8e, 0));
	assert_int_equal(emul_deliver_event(&pc.emul, &ev), EMUL_FAULT);
	assert_int_equal(emul_deliver_fault(&pc.emul), EMUL_OK);
	assert_int_equal(pc.state.rip, HANDLER + 16);
}

static void idt64_put(unsigned vector, unsigned ist)
{
	put(IDT + 16 * vector, gate(CODE64, HANDLER, 0xee, (uint8_t)ist), 8);
	put(IDT + 16 * vector + 8, 0, 8);
}

static void interrupt_long(void **state)
{
	uint64_t rsp;

	(void)state;
	pc_long(3);
	pc.state.gpr[X86_RSP] = STACK + 0x7f9;
	put(TSS + 4, STACK0, 8); /* RSP0 */
	idt64_put(0x80, 0);
	assert_int_equal(STEP(0xcd, 0x80), EMUL_OK);
	rsp = pc.state.gpr[X86_RSP];
	assert_int_equal(pc.state.cpl, 0);
	assert_int_equal(pc.state.seg[X86_SS].selector, 0);
	assert_int_equal(rsp, STACK0 - 40);
}

static void interrupt_long_ist(void **state)
{
	(void)state;
	pc_long(3);
	put(TSS + 4, STACK0, 8);
	put(TSS + 0x24, STACK0 + 0x808, 8);
	idt64_put(0x81, 1);
	pc.state.gpr[X86_RSP] = STACK + 0x7f9;
	assert_int_equal(STEP(0xcd, 0x81), EMUL_OK);
	assert_int_equal(pc.state.gpr[X86_RSP], STACK0 + 0x800 - 40);
	assert_int_equal(get(STACK0 + 0x800 - 40, 8), CODE + 2);
	assert_int_equal(get(STACK0 + 0x800 - 32, 8), CODE64U);
	assert_int_equal(get(STACK0 + 0x800 - 16, 8), STACK + 0x7f9);
	assert_int_equal(get(STACK0 + 0x800 - 8, 8), DATA3);
	assert_int_equal(STEP(0x48, 0xcf), EMUL_OK);
	assert_int_equal(pc.state.cpl, 3);
	assert_int_equal(pc.state.rip, CODE + 2);
	assert_int_equal(pc.state.gpr[X86_RSP], STACK + 0x7f9);
	assert_int_equal(pc.state.seg[X86_CS].selector, CODE64U);
}

static void interrupt_real(void **state)
{
	(void)state;
	pc_real();
	pc.state.rflags |= X86_FLAG_IF;
	put(0x21 * 4, 0x60000050, 4);
	assert_int_equal(STEP(0xcd, 0x21), EMUL_OK);
	assert_int_equal(pc.state.seg[X86_CS].selector, 0x6000);
	assert_int_equal(pc.state.rip, 0x50);
	assert_false(pc.state.rflags & X86_FLAG_IF);
	assert_int_equal(get(STACK + 0x7fa, 2), 2);
	assert_int_equal(STEP(0xcf), EMUL_OK);
	assert_int_equal(pc.state.rip, 2);
	assert_true(pc.state.rflags & X86_FLAG_IF);
}

/* Virtual-8086 mode */

static void v86_begin(unsigned iopl)
{
	pc_protected(3);
	pc.state.rflags |= X86_FLAG_VM | iopl << 12 | X86_FLAG_IF;
	for (unsigned i = 0; i < X86_SEG_COUNT; i++)
		pc.state.seg[i] = (struct x86_segment){
			.selector = (uint16_t)(i + 1),
			.attributes = 0xf3,
			.limit = 0xffff,
			.base = (i + 1) << 4,
		};
	pc.state.seg[X86_CS] =
		(struct x86_segment){ CODE >> 4, 0xf3, 0xffff, CODE };
	pc.state.seg[X86_SS] =
		(struct x86_segment){ STACK >> 4, 0xf3, 0xffff, STACK };
	pc.state.rip = 0x10;
	pc.state.gpr[X86_RSP] = 0x800;
}

static void v86_interrupt_and_back(void **state)
{
	(void)state;
	v86_begin(3);
	idt_put(0x21, gate(CODE0, HANDLER, 0xee, 0));
	assert_int_equal(STEP(0xcd, 0x21), EMUL_OK);
	assert_int_equal(pc.state.cpl, 0);
	assert_false(pc.state.rflags & X86_FLAG_VM);
	assert_int_equal(pc.state.seg[X86_DS].selector, 0);
	assert_int_equal(pc.state.gpr[X86_RSP], STACK0 - 36);
	assert_int_equal(get(STACK0 - 4, 4), X86_GS + 1);
	assert_int_equal(get(STACK0 - 16, 4), X86_ES + 1);
	assert_int_equal(get(STACK0 - 20, 4), STACK >> 4);
	assert_true(get(STACK0 - 28, 4) & X86_FLAG_VM);
	assert_int_equal(STEP(0xcf), EMUL_OK);
	assert_true(pc.state.rflags & X86_FLAG_VM);
	assert_int_equal(pc.state.cpl, 3);
	assert_int_equal(pc.state.rip, 0x12);
	assert_int_equal(pc.state.seg[X86_ES].base, (X86_ES + 1) << 4);
	assert_int_equal(pc.state.gpr[X86_RSP], 0x800);
}

static void v86_iopl(void **state)
{
	(void)state;
	v86_begin(0);
	assert_fault(STEP(0xcd, 0x21), X86_VECTOR_GP, 0);
	assert_fault(STEP(0x9c), X86_VECTOR_GP, 0);
	assert_fault(STEP(0xfa), X86_VECTOR_GP, 0);
	v86_begin(3);
	assert_int_equal(STEP(0xfa), EMUL_OK);
	assert_false(pc.state.rflags & X86_FLAG_IF);
}

static void vme(void **state)
{
	(void)state;
	v86_begin(0);
	pc.state.cr4 |= X86_CR4_VME;
	pc.state.rflags |= X86_FLAG_VIF;
	assert_int_equal(STEP(0xfa), EMUL_OK); /* cli */
	assert_false(pc.state.rflags & X86_FLAG_VIF);
	assert_true(pc.state.rflags & X86_FLAG_IF);
	assert_int_equal(STEP(0x9c), EMUL_OK); /* pushf: IF is VIF, IOPL 3 */
	assert_int_equal(get(STACK + 0x7fe, 2) & 0x3200, 0x3000);
	pc.state.rflags |= X86_FLAG_VIP;
	assert_fault(STEP(0xfb), X86_VECTOR_GP, 0); /* sti with VIP */
	pc.state.rflags &= ~X86_FLAG_VIP;
	assert_int_equal(STEP(0xfb), EMUL_OK);
	assert_true(pc.state.rflags & X86_FLAG_VIF);
	/* INT 21h redirected through the vector table at 0. */
	put(TSS + 0x66, 0x100, 2);
	put(0x21 * 4, 0x60000050, 4);
	assert_int_equal(STEP(0xcd, 0x21), EMUL_OK);
	assert_int_equal(pc.state.seg[X86_CS].selector, 0x6000);
	assert_int_equal(pc.state.rip, 0x50);
	assert_true(pc.state.rflags & X86_FLAG_VM);
	assert_false(pc.state.rflags & X86_FLAG_VIF);
}

static void pvi(void **state)
{
	(void)state;
	pc_protected(3);
	assert_fault(STEP(0xfb), X86_VECTOR_GP, 0);
	pc.state.cr4 |= X86_CR4_PVI;
	assert_int_equal(STEP(0xfb), EMUL_OK);
	assert_true(pc.state.rflags & X86_FLAG_VIF);
	assert_false(pc.state.rflags & X86_FLAG_IF);
}

/* Task switches */

#define TASK_EIP    0x20
#define TASK_EFLAGS 0x24
#define TASK_GPR    0x28
#define TASK_SEG    0x48
#define TASK_LDT    0x60
#define TASK_TRAP   0x64

static void task_put(void)
{
	static const uint8_t selectors[6] = { DATA0, CODE0, DATA0,
					      DATA0, DATA0, DATA0 };

	put(TSS2 + TASK_EIP, HANDLER, 4);
	put(TSS2 + TASK_EFLAGS, X86_FLAG_ONE, 4);
	for (unsigned i = 0; i < 8; i++)
		put(TSS2 + TASK_GPR + 4 * i, 0x1000 + i, 4);
	put(TSS2 + TASK_GPR + 16, STACK + 0x400, 4);
	for (unsigned i = 0; i < 6; i++)
		put(TSS2 + TASK_SEG + 4 * i, selectors[i], 4);
}

static void task_jump(void **state)
{
	(void)state;
	pc_protected(0);
	task_put();
	pc.state.gpr[X86_RBX] = 0x5555;
	assert_int_equal(STEP(0xea, 0, 0, 0, 0, TSS2SEL, 0), EMUL_OK);
	assert_int_equal(pc.state.rip, HANDLER);
	assert_int_equal(pc.state.gpr[X86_RDI], 0x1007);
	assert_int_equal(pc.state.tr.selector, TSS2SEL);
	assert_true(pc.state.cr0 & X86_CR0_TS);
	assert_int_equal(get(TSS + TASK_EIP, 4), CODE + 7);
	assert_int_equal(get(TSS + TASK_GPR + 12, 4), 0x5555);
	/* Busy bits: the old task is free, the new one busy. */
	assert_int_equal(get(GDT + TSS_SEL + 5, 1), 0x89);
	assert_int_equal(get(GDT + TSS2SEL + 5, 1), 0x8b);
	assert_false(pc.state.rflags & X86_FLAG_NT);
}

static void task_call_and_iret(void **state)
{
	(void)state;
	pc_protected(0);
	task_put();
	assert_int_equal(STEP(0x9a, 0, 0, 0, 0, TSS2SEL, 0), EMUL_OK);
	assert_true(pc.state.rflags & X86_FLAG_NT);
	assert_int_equal(get(TSS2, 2), TSS_SEL);
	assert_int_equal(get(GDT + TSS_SEL + 5, 1), 0x8b);
	assert_int_equal(STEP(0xcf), EMUL_OK);
	assert_int_equal(pc.state.tr.selector, TSS_SEL);
	assert_int_equal(pc.state.rip, CODE + 7);
	assert_int_equal(get(GDT + TSS2SEL + 5, 1), 0x89);
	assert_false(get(TSS2 + TASK_EFLAGS, 4) & X86_FLAG_NT);
}

static void task_gate_interrupt(void **state)
{
	struct emul_event ev = { .vector = X86_VECTOR_DF,
				 .type = EMUL_TYPE_EXCEPTION,
				 .has_error_code = true,
				 .error_code = 0x77 };

	(void)state;
	pc_protected(3);
	task_put();
	put(TSS2 + TASK_TRAP, 1, 2);
	idt_put(X86_VECTOR_DF, gate(TSS2SEL, 0, 0x85, 0));
	assert_int_equal(emul_deliver_event(&pc.emul, &ev), EMUL_OK);
	assert_int_equal(pc.state.cpl, 0);
	assert_int_equal(pc.state.rip, HANDLER);
	assert_int_equal(pc.state.gpr[X86_RSP], STACK + 0x3fc);
	assert_int_equal(get(STACK + 0x3fc, 4), 0x77);
	assert_true(pc.emul.events & EMUL_EVENT_TASK_TRAP);
}

static void task_faults(void **state)
{
	(void)state;
	pc_protected(0);
	task_put();
	gdt_put(TSS2SEL, descriptor(TSS2, 0x67, 0x8b, 0)); /* busy */
	assert_fault(STEP(0x9a, 0, 0, 0, 0, TSS2SEL, 0), X86_VECTOR_GP,
		     TSS2SEL);
	gdt_put(TSS2SEL, descriptor(TSS2, 0x66, 0x89, 0)); /* short */
	assert_fault(STEP(0x9a, 0, 0, 0, 0, TSS2SEL, 0), X86_VECTOR_TS,
		     TSS2SEL);
	assert_int_equal(pc.state.tr.selector, TSS_SEL);
	assert_int_equal(pc.state.rip, CODE);
	/* A bad segment is the new task's fault. */
	gdt_put(TSS2SEL, descriptor(TSS2, 0x67, 0x89, 0));
	put(TSS2 + TASK_SEG, DATA0 | 0x100, 4);
	assert_fault(STEP(0x9a, 0, 0, 0, 0, TSS2SEL, 0), X86_VECTOR_TS,
		     DATA0 | 0x100);
	assert_int_equal(pc.state.tr.selector, TSS2SEL);
	assert_int_equal(pc.state.rip, HANDLER);
	/* IRET to a task that is not busy. */
	pc_protected(0);
	pc.state.rflags |= X86_FLAG_NT;
	put(TSS, TSS2SEL, 2);
	assert_fault(STEP(0xcf), X86_VECTOR_TS, TSS2SEL);
}

static void task_16(void **state)
{
	(void)state;
	pc_protected(0);
	gdt_put(TSS2SEL, descriptor(TSS2, 0x2b, 0x81, 0));
	put(TSS2 + 0x0e, 0x100, 2);
	put(TSS2 + 0x10, 2, 2);
	for (unsigned i = 0; i < 8; i++)
		put(TSS2 + 0x12 + 2 * i, 0x10 + i, 2);
	put(TSS2 + 0x22, DATA0, 2);
	put(TSS2 + 0x24, CODE16, 2);
	put(TSS2 + 0x26, DATA16, 2);
	put(TSS2 + 0x28, DATA0, 2);
	assert_int_equal(STEP(0x9a, 0, 0, 0, 0, TSS2SEL, 0), EMUL_OK);
	assert_int_equal(pc.state.rip, 0x100);
	assert_int_equal(pc.state.seg[X86_CS].selector, CODE16);
	assert_int_equal(pc.state.gpr[X86_RDI] & 0xffff, 0x17);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interrupt_and_iret),
		cmocka_unit_test(interrupt_faults),
		cmocka_unit_test(exception_delivery),
		cmocka_unit_test(double_and_triple_fault),
		cmocka_unit_test(injected_double_fault),
		cmocka_unit_test(interrupt_long),
		cmocka_unit_test(interrupt_long_ist),
		cmocka_unit_test(interrupt_real),
		cmocka_unit_test(v86_interrupt_and_back),
		cmocka_unit_test(v86_iopl),
		cmocka_unit_test(vme),
		cmocka_unit_test(pvi),
		cmocka_unit_test(task_jump),
		cmocka_unit_test(task_call_and_iret),
		cmocka_unit_test(task_gate_interrupt),
		cmocka_unit_test(task_faults),
		cmocka_unit_test(task_16),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
