/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segments, far transfers, ports and system instructions.  Expectations are the
 * manuals' pseudo-code.
 */
#include "tests/unit/emulate_test.h"

/* Segment loads */

static void segment_load(void **state)
{
	(void)state;
	pc_protected(0);
	pc.state.gpr[X86_RAX] = DATA0;
	gdt_put(DATA0, descriptor(0x1234, 0x10, 0x92, 0x8));
	assert_int_equal(STEP(0x8e, 0xd8), EMUL_OK);
	assert_int_equal(pc.state.seg[X86_DS].base, 0x1234);
	assert_int_equal(pc.state.seg[X86_DS].limit, 0x10fff);
	/* The accessed bit, in memory and in the register. */
	assert_int_equal(get(GDT + DATA0 + 5, 1), 0x93);
	assert_int_equal(pc.state.seg[X86_DS].attributes & 0xff, 0x93);
	assert_true(pc.state.dirty & X86_GROUP_SEGMENTS);
}

static void segment_load_faults(void **state)
{
	(void)state;
	pc_protected(3);
	pc.state.gpr[X86_RAX] = DATA0; /* more privileged */
	assert_fault(STEP(0x8e, 0xd8), X86_VECTOR_GP, DATA0);
	pc.state.gpr[X86_RAX] = 0x100; /* beyond the table */
	assert_fault(STEP(0x8e, 0xd8), X86_VECTOR_GP, 0x100);
	pc.state.gpr[X86_RAX] = 0x204; /* no LDT */
	assert_fault(STEP(0x8e, 0xd8), X86_VECTOR_GP, 0x204);
	gdt_put(DATA3, descriptor(0, FLAT, 0x72, G_DB));
	pc.state.gpr[X86_RAX] = DATA3; /* not present */
	assert_fault(STEP(0x8e, 0xd8), X86_VECTOR_NP, DATA3 & ~3);
	assert_fault(STEP(0x8e, 0xd0), X86_VECTOR_SS, DATA3 & ~3);
	pc.state.gpr[X86_RAX] = 0;
	assert_fault(STEP(0x8e, 0xd0), X86_VECTOR_GP, 0); /* SS null */
	assert_int_equal(STEP(0x8e, 0xd8), EMUL_OK);
	/* DS is null now: its use faults. */
	assert_fault(STEP(0x8a, 0x06), X86_VECTOR_GP, 0);
	assert_fault(STEP(0x8e, 0xc8), X86_VECTOR_UD, 0); /* mov cs, ax */
}

static void segment_limits(void **state)
{
	struct x86_segment *ds = &pc.state.seg[X86_DS];

	(void)state;
	pc_protected(0);
	ds->limit = 0xfff;
	pc.state.gpr[X86_RSI] = 0xffc;
	assert_int_equal(STEP(0x8b, 0x06), EMUL_OK);
	pc.state.rip = CODE;
	pc.state.gpr[X86_RSI] = 0xffd;
	assert_fault(STEP(0x8b, 0x06), X86_VECTOR_GP, 0);
	ds->attributes |= X86_ATTR_EXPAND;
	pc.state.gpr[X86_RSI] = 0xfff;
	assert_fault(STEP(0x8b, 0x06), X86_VECTOR_GP, 0);
	pc.state.gpr[X86_RSI] = 0x1000;
	assert_int_equal(STEP(0x8b, 0x06), EMUL_OK);
	pc.state.rip = CODE;
	segment_set(X86_DS, RO_DATA);
	assert_fault(STEP(0x89, 0x06), X86_VECTOR_GP, 0);
	assert_int_equal(STEP(0x8b, 0x06), EMUL_OK);
	pc.state.rip = CODE;
	/* The stack's faults are #SS. */
	pc.state.seg[X86_SS].limit = 0xff;
	assert_fault(STEP(0x50), X86_VECTOR_SS, 0);
}

static void alignment_check(void **state)
{
	(void)state;
	pc_protected(3);
	pc.state.cr0 |= X86_CR0_AM;
	pc.state.gpr[X86_RSI] = DATA + 1;
	assert_int_equal(STEP(0x8b, 0x06), EMUL_OK);
	pc.state.rip = CODE;
	pc.state.rflags |= X86_FLAG_AC;
	assert_fault(STEP(0x8b, 0x06), X86_VECTOR_AC, 0);
	assert_int_equal(STEP(0x8a, 0x06), EMUL_OK);
}

static void descriptor_queries(void **state)
{
	(void)state;
	pc_protected(3);
	pc.state.gpr[X86_RAX] = DATA3;
	assert_int_equal(STEP(0x0f, 0x02, 0xc8), EMUL_OK); /* lar ecx, eax */
	assert_int_equal(pc.state.gpr[X86_RCX], 0xcff200);
	assert_true(pc.state.rflags & X86_FLAG_ZF);
	assert_int_equal(STEP(0x0f, 0x03, 0xc8), EMUL_OK); /* lsl */
	assert_int_equal(pc.state.gpr[X86_RCX], 0xffffffff);
	assert_int_equal(STEP(0x0f, 0x00, 0xe8), EMUL_OK); /* verw */
	assert_true(pc.state.rflags & X86_FLAG_ZF);
	pc.state.gpr[X86_RAX] = DATA0;
	pc.state.gpr[X86_RCX] = 77;
	assert_int_equal(STEP(0x0f, 0x02, 0xc8), EMUL_OK);
	assert_int_equal(pc.state.gpr[X86_RCX], 77);
	assert_false(pc.state.rflags & X86_FLAG_ZF);
	pc.state.gpr[X86_RAX] = CONFORM;
	assert_int_equal(STEP(0x0f, 0x00, 0xe0), EMUL_OK); /* verr */
	assert_true(pc.state.rflags & X86_FLAG_ZF);
	assert_int_equal(STEP(0x0f, 0x00, 0xe8), EMUL_OK); /* verw of code */
	assert_false(pc.state.rflags & X86_FLAG_ZF);
}

/* Far transfers */

static void far_jump(void **state)
{
	(void)state;
	pc_protected(0);
	assert_int_equal(STEP(0xea, 0x00, 0x01, 0x00, 0x00, CODE16, 0),
			 EMUL_OK);
	assert_int_equal(pc.state.seg[X86_CS].selector, CODE16);
	assert_int_equal(pc.state.seg[X86_CS].base, CODE);
	assert_int_equal(pc.state.rip, 0x100);
	pc_protected(0);
	assert_fault(STEP(0xea, 0, 0, 0, 0, CODE3, 0), X86_VECTOR_GP,
		     CODE3 & ~3);
	assert_fault(STEP(0xea, 0, 0, 0, 0, 0, 0), X86_VECTOR_GP, 0);
	assert_fault(STEP(0xea, 0, 0, 1, 0, CODE16, 0), X86_VECTOR_GP, 0);
	pc_protected(3);
	assert_int_equal(STEP(0xea, 0, 0, 1, 0, CONFORM, 0), EMUL_OK);
	assert_int_equal(pc.state.cpl, 3);
	assert_int_equal(pc.state.seg[X86_CS].selector, CONFORM | 3);
}

static void far_call_and_return(void **state)
{
	(void)state;
	pc_protected(0);
	assert_int_equal(STEP(0x9a, 0x00, 0x00, 0x06, 0x00, CODE0, 0), EMUL_OK);
	assert_int_equal(pc.state.rip, HANDLER);
	assert_int_equal(get(STACK + 0x7fc, 4), CODE0);
	assert_int_equal(get(STACK + 0x7f8, 4), CODE + 7);
	assert_int_equal(STEP(0xca, 0x08, 0x00), EMUL_OK); /* retf 8 */
	assert_int_equal(pc.state.rip, CODE + 7);
	assert_int_equal(pc.state.gpr[X86_RSP], STACK + 0x808);
}

/* From level 3 through a call gate with two parameters, and back. */
static void call_gate(void **state)
{
	(void)state;
	pc_protected(3);
	gdt_put(GATE, gate(CODE0, HANDLER, 0xec, 2));
	put(STACK + 0x800, 0xaaaa, 4);
	put(STACK + 0x804, 0xbbbb, 4);
	assert_int_equal(STEP(0x9a, 0, 0, 0, 0, GATE, 0), EMUL_OK);
	assert_int_equal(pc.state.cpl, 0);
	assert_int_equal(pc.state.rip, HANDLER);
	assert_int_equal(pc.state.seg[X86_CS].selector, CODE0);
	assert_int_equal(pc.state.seg[X86_SS].selector, DATA0);
	assert_int_equal(pc.state.gpr[X86_RSP], STACK0 - 24);
	assert_int_equal(get(STACK0 - 4, 4), DATA3);
	assert_int_equal(get(STACK0 - 8, 4), STACK + 0x800);
	assert_int_equal(get(STACK0 - 12, 4), 0xbbbb);
	assert_int_equal(get(STACK0 - 16, 4), 0xaaaa);
	assert_int_equal(get(STACK0 - 20, 4), CODE3);
	assert_int_equal(get(STACK0 - 24, 4), CODE + 7);
	segment_set(X86_ES, DATA0);
	assert_int_equal(STEP(0xca, 0x08, 0x00), EMUL_OK);
	assert_int_equal(pc.state.cpl, 3);
	assert_int_equal(pc.state.rip, CODE + 7);
	assert_int_equal(pc.state.gpr[X86_RSP], STACK + 0x808);
	/* What level 3 may not see is gone; the rest stayed. */
	assert_int_equal(pc.state.seg[X86_ES].selector, 0);
	assert_int_equal(pc.state.seg[X86_DS].selector, DATA3);
}

static void call_gate_faults(void **state)
{
	(void)state;
	pc_protected(3);
	gdt_put(GATE, gate(CODE0, HANDLER, 0x8c, 0)); /* DPL 0 */
	assert_fault(STEP(0x9a, 0, 0, 0, 0, GATE, 0), X86_VECTOR_GP, GATE);
	gdt_put(GATE, gate(CODE0, HANDLER, 0x6c, 0)); /* absent */
	assert_fault(STEP(0x9a, 0, 0, 0, 0, GATE, 0), X86_VECTOR_NP, GATE);
	gdt_put(GATE, gate(CODE0, HANDLER, 0xec, 0));
	assert_fault(STEP(0xea, 0, 0, 0, 0, GATE, 0), X86_VECTOR_GP, CODE0);
	put(TSS + 8, 0, 4); /* no stack for level 0 */
	assert_fault(STEP(0x9a, 0, 0, 0, 0, GATE, 0), X86_VECTOR_TS, 0);
	assert_int_equal(pc.state.cpl, 3);
	assert_int_equal(pc.state.gpr[X86_RSP], STACK + 0x800);
}

/* Ports */

static void port_permission(void **state)
{
	(void)state;
	pc_protected(3);
	put(TSS + 0x66, 0x68, 2);
	put(TSS + 0x68 + 0x60 / 8, 0x02, 1); /* 61 closed */
	pc.port_value = 0x5a;
	assert_int_equal(STEP(0xe4, 0x60), EMUL_OK);
	assert_int_equal(pc.state.gpr[X86_RAX], 0x5a);
	assert_int_equal(pc.port, 0x60);
	assert_fault(STEP(0xe4, 0x61), X86_VECTOR_GP, 0);
	assert_fault(STEP(0xe5, 0x60), X86_VECTOR_GP, 0); /* 60..63 */
	pc.state.rflags |= X86_FLAG_IOPL;
	assert_int_equal(STEP(0xe4, 0x61), EMUL_OK);
	pc.state.rflags &= ~X86_FLAG_IOPL;
	put(TSS + 0x66, 0xffff, 2);
	assert_fault(STEP(0xe4, 0x60), X86_VECTOR_GP, 0);
	assert_int_equal(pc.port_count, 2);
}

/* System instructions */

static void privilege(void **state)
{
	(void)state;
	pc_protected(3);
	assert_fault(STEP(0xf4), X86_VECTOR_GP, 0);
	assert_fault(STEP(0x0f, 0x20, 0xc0), X86_VECTOR_GP, 0);
	assert_fault(STEP(0x0f, 0x06), X86_VECTOR_GP, 0);
	assert_fault(STEP(0x0f, 0x09), X86_VECTOR_GP, 0);
	assert_fault(STEP(0x0f, 0x01, 0x17), X86_VECTOR_GP, 0); /* lgdt */
	assert_fault(STEP(0x0f, 0x32), X86_VECTOR_GP, 0);
	pc_real();
	assert_fault(STEP(0x0f, 0x00, 0xc8), X86_VECTOR_UD, 0); /* str */
}

static void umip(void **state)
{
	(void)state;
	pc_protected(3);
	pc.state.gpr[X86_RDI] = DATA;
	assert_int_equal(STEP(0x0f, 0x01, 0x07), EMUL_OK); /* sgdt */
	assert_int_equal(get(DATA, 2), 0xff);
	assert_int_equal(get(DATA + 2, 4), GDT);
	pc.state.cr4 |= X86_CR4_UMIP;
	assert_fault(STEP(0x0f, 0x01, 0x07), X86_VECTOR_GP, 0);
	assert_fault(STEP(0x0f, 0x00, 0xc0), X86_VECTOR_GP, 0); /* sldt */
	assert_fault(STEP(0x0f, 0x01, 0xe0), X86_VECTOR_GP, 0); /* smsw */
}

static void control_registers(void **state)
{
	(void)state;
	pc_protected(0);
	pc.state.gpr[X86_RAX] = X86_CR0_PG; /* without PE */
	assert_fault(STEP(0x0f, 0x22, 0xc0), X86_VECTOR_GP, 0);
	pc.state.gpr[X86_RAX] = X86_CR0_PE | X86_CR0_NW;
	assert_fault(STEP(0x0f, 0x22, 0xc0), X86_VECTOR_GP, 0);
	pc.state.gpr[X86_RAX] = 1UL << 31;
	assert_fault(STEP(0x0f, 0x22, 0xe0), X86_VECTOR_GP, 0); /* cr4 */
	assert_fault(STEP(0x0f, 0x22, 0xc8), X86_VECTOR_UD, 0); /* cr1 */
	pc.state.gpr[X86_RAX] = X86_CR0_PE | X86_CR0_TS;
	assert_int_equal(STEP(0x0f, 0x22, 0xc0), EMUL_OK);
	assert_int_equal(pc.state.cr0, X86_CR0_PE | X86_CR0_TS | X86_CR0_ET);
	assert_int_equal(STEP(0x0f, 0x06), EMUL_OK);
	assert_false(pc.state.cr0 & X86_CR0_TS);
	/* LMSW cannot leave protected mode. */
	pc.state.gpr[X86_RAX] = 0;
	assert_int_equal(STEP(0x0f, 0x01, 0xf0), EMUL_OK);
	assert_true(pc.state.cr0 & X86_CR0_PE);
}

/* AMD's way to CR8 outside 64-bit mode. */
static void locked_mov_cr(void **state)
{
	struct emul_mov_cr mov;

	(void)state;
	pc_protected(0);
	pc.state.gpr[X86_RAX] = 5;
	assert_int_equal(STEP(0xf0, 0x0f, 0x22, 0xc0), EMUL_OK);
	assert_int_equal(pc.state.cr8, 5);
	pc.state.rip = CODE;
	assert_int_equal(emul_decode_mov_cr(&pc.emul, &mov), 0);
	assert_int_equal(mov.cr, 8);
	assert_int_equal(mov.length, 4);
	assert_int_equal(STEP(0xf0, 0x0f, 0x20, 0xc1), EMUL_OK);
	assert_int_equal(pc.state.gpr[X86_RCX], 5);
	assert_fault(STEP(0xf0, 0x0f, 0x22, 0xd8), X86_VECTOR_UD, 0); /* cr3 */
	assert_fault(STEP(0xf0, 0x0f, 0x21, 0xc0), X86_VECTOR_UD, 0); /* dr0 */
	pc.emul.features &= ~EMUL_FEATURE_CR8_LOCK;
	assert_fault(STEP(0xf0, 0x0f, 0x22, 0xc0), X86_VECTOR_UD, 0);
}

/* Paging on with LME: EFER.LMA; and it cannot go off in 64-bit mode. */
static void long_mode_switch(void **state)
{
	(void)state;
	pc_long(0);
	pc.state.cr0 &= ~X86_CR0_PG;
	pc.state.efer &= ~X86_EFER_LMA;
	segment_set(X86_CS, CODE0);
	pc.state.gpr[X86_RAX] = pc.state.cr0 | X86_CR0_PG;
	/* Intel's processors look at the TSS's type. */
	pc.emul.features |= EMUL_FEATURE_INTEL;
	pc.state.tr.attributes = 0x83;
	assert_fault(STEP(0x0f, 0x22, 0xc0), X86_VECTOR_GP, 0);
	pc.state.tr.attributes = 0x8b;
	assert_int_equal(STEP(0x0f, 0x22, 0xc0), EMUL_OK);
	assert_true(pc.state.efer & X86_EFER_LMA);
	assert_true(pc.flushes > 0);
	assert_int_equal(STEP(0xea, 0x00, 0x00, 0x06, 0x00, CODE64, 0),
			 EMUL_OK);
	assert_true(pc.state.seg[X86_CS].attributes & X86_ATTR_L);
	pc.state.gpr[X86_RAX] = pc.state.cr0 & ~X86_CR0_PG;
	assert_fault(STEP(0x0f, 0x22, 0xc0), X86_VECTOR_GP, 0);
}

static void ldt_and_tr(void **state)
{
	(void)state;
	pc_protected(0);
	pc.state.gpr[X86_RAX] = LDT_SEL;
	assert_int_equal(STEP(0x0f, 0x00, 0xd0), EMUL_OK); /* lldt */
	assert_int_equal(pc.state.ldtr.base, LDT);
	put(LDT + 8, descriptor(0x777, 0xff, 0x92, 0), 8);
	pc.state.gpr[X86_RAX] = 0x0c;
	assert_int_equal(STEP(0x8e, 0xc0), EMUL_OK); /* mov es, ax */
	assert_int_equal(pc.state.seg[X86_ES].base, 0x777);
	pc.state.gpr[X86_RAX] = TSS2SEL;
	assert_int_equal(STEP(0x0f, 0x00, 0xd8), EMUL_OK); /* ltr */
	assert_int_equal(get(GDT + TSS2SEL + 5, 1), 0x8b);
	assert_fault(STEP(0x0f, 0x00, 0xd8), X86_VECTOR_GP, TSS2SEL);
	pc.state.gpr[X86_RAX] = CODE0;
	assert_fault(STEP(0x0f, 0x00, 0xd0), X86_VECTOR_GP, CODE0);
}

static void syscall_and_sysret(void **state)
{
	(void)state;
	pc_long(3);
	pc.state.star = (uint64_t)0x2b << 48 | (uint64_t)CODE64 << 32;
	pc.state.lstar = HANDLER;
	pc.state.sfmask = X86_FLAG_IF;
	pc.state.rflags |= X86_FLAG_IF;
	assert_int_equal(STEP(0x0f, 0x05), EMUL_OK);
	assert_int_equal(pc.state.cpl, 0);
	assert_int_equal(pc.state.rip, HANDLER);
	assert_int_equal(pc.state.gpr[X86_RCX], CODE + 2);
	assert_true(pc.state.gpr[X86_R8 + 3] & X86_FLAG_IF);
	assert_false(pc.state.rflags & X86_FLAG_IF);
	assert_int_equal(pc.state.seg[X86_SS].selector, CODE64 + 8);
	assert_int_equal(STEP(0x48, 0x0f, 0x07), EMUL_OK);
	assert_int_equal(pc.state.cpl, 3);
	assert_int_equal(pc.state.rip, CODE + 2);
	assert_int_equal(pc.state.seg[X86_CS].selector, CODE64U);
	assert_int_equal(pc.state.seg[X86_SS].selector, DATA3U);
	assert_true(pc.state.rflags & X86_FLAG_IF);
	pc.state.efer &= ~X86_EFER_SCE;
	assert_fault(STEP(0x0f, 0x05), X86_VECTOR_UD, 0);
}

static void sysenter_and_sysexit(void **state)
{
	(void)state;
	pc_protected(3);
	pc.state.sysenter_cs = CODE0;
	pc.state.sysenter_eip = HANDLER;
	pc.state.sysenter_esp = STACK0;
	assert_int_equal(STEP(0x0f, 0x34), EMUL_OK);
	assert_int_equal(pc.state.cpl, 0);
	assert_int_equal(pc.state.rip, HANDLER);
	assert_int_equal(pc.state.gpr[X86_RSP], STACK0);
	pc.state.gpr[X86_RDX] = CODE;
	pc.state.gpr[X86_RCX] = STACK;
	assert_int_equal(STEP(0x0f, 0x35), EMUL_OK);
	assert_int_equal(pc.state.cpl, 3);
	assert_int_equal(pc.state.rip, CODE);
	assert_int_equal(pc.state.seg[X86_CS].selector, CODE3);
	assert_int_equal(pc.state.seg[X86_SS].selector, DATA3);
}

static void shadows_and_traps(void **state)
{
	(void)state;
	pc_protected(0);
	assert_int_equal(STEP(0xfb), EMUL_OK);
	assert_int_equal(pc.state.interrupt_shadow, X86_SHADOW_STI);
	assert_int_equal(STEP(0x90), EMUL_OK);
	assert_int_equal(pc.state.interrupt_shadow, 0);
	pc.state.rflags |= X86_FLAG_TF;
	assert_int_equal(STEP(0x90), EMUL_OK);
	assert_true(pc.emul.events & EMUL_EVENT_SINGLE_STEP);
	pc.state.gpr[X86_RAX] = DATA0;
	assert_int_equal(STEP(0x8e, 0xd0), EMUL_OK); /* mov ss, ax */
	assert_int_equal(pc.state.interrupt_shadow, X86_SHADOW_MOVSS);
	assert_false(pc.emul.events & EMUL_EVENT_SINGLE_STEP);
	assert_int_equal(STEP(0xf4), EMUL_OK);
	assert_true(pc.emul.events & EMUL_EVENT_HLT);
}

/* What the owner has no way out for is named. */
static void unhandled_bytes(void **state)
{
	(void)state;
	pc_protected(0);
	assert_int_equal(STEP(0x66, 0x0f, 0xa2), EMUL_UNHANDLED); /* cpuid */
	assert_int_equal(pc.emul.insn_length, 3);
	assert_memory_equal(pc.emul.insn, "\x66\x0f\xa2", 3);
	assert_int_equal(pc.state.rip, CODE);
	/* Fifteen bytes are the most. */
	assert_fault(STEP(0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
			  0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90),
		     X86_VECTOR_GP, 0);
}

/* A store over the code that was remembered is seen. */
static void self_modifying(void **state)
{
	(void)state;
	pc_protected(0);
	for (unsigned i = 0; i < 3; i++) {
		pc.state.rip = CODE;
		assert_int_equal(STEP(0x40), EMUL_OK); /* inc eax */
	}
	assert_int_equal(pc.state.gpr[X86_RAX], 3);
	pc.state.rip = CODE;
	put(CODE, 0x48, 1); /* dec eax */
	assert_int_equal(emul_step(&pc.emul), EMUL_OK);
	assert_int_equal(pc.state.gpr[X86_RAX], 2);
}

/* REP stops for interrupts, and takes up where it was. */
static void rep_in_chunks(void **state)
{
	(void)state;
	pc_protected(0);
	pc.state.gpr[X86_RCX] = 6000;
	pc.state.gpr[X86_RSI] = DATA;
	assert_int_equal(STEP(0xf3, 0xac), EMUL_OK); /* rep lodsb */
	assert_true(pc.emul.events & EMUL_EVENT_REP_PARTIAL);
	assert_int_equal(pc.state.rip, CODE);
	assert_int_equal(pc.state.gpr[X86_RCX], 6000 - 4096);
	assert_int_equal(emul_step(&pc.emul), EMUL_OK);
	assert_int_equal(pc.state.rip, CODE + 2);
	assert_int_equal(pc.state.gpr[X86_RCX], 0);
	/* A single step is one iteration. */
	pc.state.rflags |= X86_FLAG_TF;
	pc.state.rip = CODE;
	pc.state.gpr[X86_RCX] = 3;
	assert_int_equal(emul_step(&pc.emul), EMUL_OK);
	assert_int_equal(pc.state.gpr[X86_RCX], 2);
	assert_int_equal(pc.state.rip, CODE);
	assert_true(pc.emul.events & EMUL_EVENT_SINGLE_STEP);
}

static void saved_state(void **state)
{
	(void)state;
	pc_protected(0);
	pc.state.cr4 |= X86_CR4_OSFXSR;
	pc.xstate.xstate_bv = 3;
	pc.xstate.mxcsr = 0x1f80;
	pc.xstate.xmm[3][5] = 0x42;
	pc.state.gpr[X86_RDI] = DATA;
	assert_int_equal(STEP(0x0f, 0xae, 0x07), EMUL_OK); /* fxsave */
	assert_int_equal(get(DATA + 160 + 3 * 16 + 5, 1), 0x42);
	assert_int_equal(get(DATA + 24, 4), 0x1f80);
	put(DATA + 160 + 3 * 16 + 5, 0x43, 1);
	assert_int_equal(STEP(0x0f, 0xae, 0x0f), EMUL_OK); /* fxrstor */
	assert_int_equal(pc.xstate.xmm[3][5], 0x43);
	put(DATA + 24, 0x10000, 4);
	assert_fault(STEP(0x0f, 0xae, 0x0f), X86_VECTOR_GP, 0);
	pc.state.gpr[X86_RDI] = DATA + 8;
	assert_fault(STEP(0x0f, 0xae, 0x07), X86_VECTOR_GP, 0);
	pc.state.cr0 |= X86_CR0_TS;
	assert_fault(STEP(0x0f, 0xae, 0x07), X86_VECTOR_NM, 0);
}

/* The environment's shape is the mode's and the operand size's. */
static void x87_environment(void **state)
{
	(void)state;
	pc_real();
	pc.xstate.xstate_bv = X86_XCR0_X87;
	pc.xstate.fcw = 0x37f;
	pc.xstate.fip = 0xabcde;
	pc.xstate.fdp = 0x54321;
	pc.xstate.fop = 0x5d9;
	pc.state.gpr[X86_RBX] = 0x100;
	pc.state.seg[X86_DS].base = DATA;
	assert_int_equal(STEP(0xd9, 0x37), EMUL_OK); /* fnstenv [bx] */
	assert_int_equal(get(DATA + 0x106, 8), 0x50004321a5d9bcde);
	pc.xstate.fip = pc.xstate.fdp = pc.xstate.fop = 0;
	pc.state.rip = 0;
	assert_int_equal(STEP(0xd9, 0x27), EMUL_OK); /* fldenv [bx] */
	assert_int_equal(pc.xstate.fip, 0xabcde);
	assert_int_equal(pc.xstate.fdp, 0x54321);
	assert_int_equal(pc.xstate.fop, 0x5d9);
	assert_int_equal(STEP(0x66, 0xd9, 0x37), EMUL_OK);
	assert_int_equal(get(DATA + 0x10c, 8), 0x0000a5d9ffffbcde);
	pc_protected(0);
	pc.xstate.xstate_bv = X86_XCR0_X87;
	pc.xstate.fip = 0x12345678;
	pc.xstate.fop = 0x5d9;
	pc.state.gpr[X86_RDI] = DATA;
	assert_int_equal(STEP(0xd9, 0x37), EMUL_OK);
	assert_int_equal(get(DATA + 12, 8), 0x05d9000012345678);
}

/*
 * Off every boundary and not canonical: what demands alignment by itself sees
 * that first (#GP even with RBP), but not FXSAVE.
 */
static void misaligned_first(void **state)
{
	(void)state;
	pc_long(0);
	pc.state.cr4 |= X86_CR4_OSFXSR | X86_CR4_OSXSAVE;
	pc.state.xcr0 = 7;
	pc.state.gpr[X86_RAX] = 7;
	pc.state.gpr[X86_RDX] = 0;
	pc.state.gpr[X86_RBP] = BIT(63) | 4;
	assert_fault(STEP(0x48, 0x0f, 0xc7, 0x4d, 0), X86_VECTOR_GP, 0);
	assert_fault(STEP(0x0f, 0x28, 0x45, 0), X86_VECTOR_GP, 0); /* movaps */
	assert_fault(STEP(0x0f, 0xae, 0x65, 0), X86_VECTOR_GP, 0); /* xsave */
	assert_fault(STEP(0x0f, 0xae, 0x6d, 0), X86_VECTOR_GP, 0); /* xrstor */
	assert_fault(STEP(0x0f, 0xae, 0x45, 0), X86_VECTOR_SS, 0); /* fxsave */
	pc.state.gpr[X86_RBP] = BIT(63);
	assert_fault(STEP(0x48, 0x0f, 0xc7, 0x4d, 0), X86_VECTOR_SS, 0);
	assert_fault(STEP(0x0f, 0xae, 0x65, 0), X86_VECTOR_SS, 0);
}

/* What is no instruction, or belongs to what no guest is offered. */
static void undefined_bytes(void **state)
{
	(void)state;
	pc_protected(0);
	assert_fault(STEP(0x0f, 0x04), X86_VECTOR_UD, 0);
	assert_fault(STEP(0x0f, 0x24, 0xc0), X86_VECTOR_UD, 0);
	assert_fault(STEP(0x0f, 0x37), X86_VECTOR_UD, 0); /* getsec */
	assert_fault(STEP(0x0f, 0x3f), X86_VECTOR_UD, 0);
	assert_fault(STEP(0x0f, 0xb8, 0xc1), X86_VECTOR_UD, 0);
	assert_fault(STEP(0x0f, 0x01, 0xc2), X86_VECTOR_UD, 0); /* vmlaunch */
	assert_fault(STEP(0x0f, 0x01, 0xd8), X86_VECTOR_UD, 0); /* vmrun */
	assert_fault(STEP(0x0f, 0xc7, 0x30), X86_VECTOR_UD, 0); /* vmptrld */
	assert_int_equal(pc.state.rip, CODE);
}

/* Each with its feature and without. */
static void recent_instructions(void **state)
{
	(void)state;
	pc_long(0);
	pc.emul.features = 0;
	pc.state.gpr[X86_RBX] = DATA + 64;
	assert_fault(STEP(0x0f, 0xc7, 0xf0), X86_VECTOR_UD, 0); /* rdrand */
	assert_fault(STEP(0x0f, 0xc7, 0xf8), X86_VECTOR_UD, 0); /* rdseed */
	assert_fault(STEP(0xf3, 0x0f, 0xc7, 0xf8), X86_VECTOR_UD, 0);
	assert_fault(STEP(0x0f, 0x01, 0xe8), X86_VECTOR_UD, 0);
	assert_fault(STEP(0x0f, 0x01, 0xfc), X86_VECTOR_UD, 0);
	assert_fault(STEP(0x0f, 0x38, 0xf9, 0x03), X86_VECTOR_UD, 0);
	assert_fault(STEP(0x66, 0x0f, 0x38, 0xf8, 0x03), X86_VECTOR_UD, 0);
	pc.emul.features = EMUL_FEATURE_ALL;
	assert_int_equal(STEP(0x0f, 0x01, 0xe8), EMUL_OK); /* serialize */
	pc.state.gpr[X86_RCX] = 0x1122334455667788;
	/* movdiri [rbx], rcx */
	assert_int_equal(STEP(0x48, 0x0f, 0x38, 0xf9, 0x0b), EMUL_OK);
	assert_int_equal(get(DATA + 64, 8), 0x1122334455667788);
	/* movdir64b rdi, [rbx] */
	pc.state.gpr[X86_RDI] = DATA + 128;
	put(DATA + 120, 0xcc, 8);
	assert_int_equal(STEP(0x66, 0x0f, 0x38, 0xf8, 0x3b), EMUL_OK);
	assert_int_equal(get(DATA + 128, 8), 0x1122334455667788);
	assert_int_equal(get(DATA + 120, 8), 0xcc);
	pc.state.gpr[X86_RDI] = DATA + 8;
	assert_fault(STEP(0x66, 0x0f, 0x38, 0xf8, 0x3b), X86_VECTOR_GP, 0);
	/* clzero: the line around */
	pc.state.gpr[X86_RAX] = DATA + 128 + 33;
	assert_int_equal(STEP(0x0f, 0x01, 0xfc), EMUL_OK);
	assert_int_equal(get(DATA + 128, 8), 0);
	assert_int_equal(get(DATA + 120, 8), 0xcc);
}

/* A number, or none and a zero: CF tells; the other flags are clear. */
static void random_numbers(void **state)
{
	(void)state;
	if (!__builtin_cpu_supports("rdrnd"))
		skip();
	pc_long(0);
	pc.emul.features = EMUL_FEATURE_RDRAND;
	pc.state.gpr[X86_RAX] = ~0ULL;
	pc.state.rflags |= X86_FLAG_OF | X86_FLAG_ZF | X86_FLAG_SF;
	assert_int_equal(STEP(0x0f, 0xc7, 0xf0), EMUL_OK);
	assert_int_equal(pc.state.gpr[X86_RAX] >> 32, 0);
	assert_false(pc.state.rflags &
		     (X86_FLAG_OF | X86_FLAG_ZF | X86_FLAG_SF));
	if (!(pc.state.rflags & X86_FLAG_CF))
		assert_int_equal(pc.state.gpr[X86_RAX], 0);
}

/* IRET to level 3: what a program may not see is null, bases stay. */
static void segments_of_inner_level(void **state)
{
	static const struct {
		uint16_t selector, left; /* at level 0, at level 3 */
	} rows[] = {
		{ DATA0, 0 },	  { CODE0, 0 },	    { DATA3, DATA3 },
		{ CODE3, CODE3 }, { DATA0 | 3, 0 }, { CONFORM, CONFORM },
		{ 0, 0 },	  { 3, 0 },	    { RO_DATA, RO_DATA },
	};

	(void)state;
	for (unsigned i = 0; i < 4 * ARRAY_SIZE(rows); i++) {
		static const uint8_t segs[] = { X86_ES, X86_DS, X86_FS,
						X86_GS };
		unsigned seg = segs[i % 4], row = i / 4;
		struct x86_segment *s = &pc.state.seg[seg];

		pc_long(0);
		segment_set(seg, rows[row].selector);
		if (rows[row].selector < 4)
			s->attributes = (uint16_t)(i % 2 ? X86_ATTR_DPL : 0);
		s->base = 0x123456789000;
		pc.state.gpr[X86_RSP] = STACK;
		put(STACK, CODE + 0x40, 8);
		put(STACK + 8, CODE64U, 8);
		put(STACK + 16, X86_FLAG_ONE, 8);
		put(STACK + 24, STACK + 0x800, 8);
		put(STACK + 32, DATA3U, 8);
		assert_int_equal(STEP(0x48, 0xcf), EMUL_OK);
		assert_int_equal(pc.state.cpl, 3);
		assert_int_equal(s->selector, rows[row].left);
		assert_int_equal(!(s->attributes & X86_ATTR_P),
				 !rows[row].left);
		assert_int_equal(s->base, 0x123456789000);
		/* FS and GS can be used, be they null or not. */
		pc.state.gpr[X86_RBX] = DATA - s->base;
		if (seg >= X86_FS)
			assert_int_equal(
				STEP(seg == X86_FS ? 0x64 : 0x65, 0x8b, 0x03),
				EMUL_OK);
	}
}

/* The same by RETF, to 32-bit code, where null is not to be used. */
static void segments_of_inner_level_legacy(void **state)
{
	(void)state;
	pc_protected(0);
	pc.state.seg[X86_FS].base = 0x1000;
	segment_set(X86_GS, CONFORM);
	segment_set(X86_ES, DATA3);
	put(STACK + 0x800, CODE + 0x40, 4);
	put(STACK + 0x804, CODE3, 4);
	put(STACK + 0x808, STACK + 0x400, 4);
	put(STACK + 0x80c, DATA3, 4);
	assert_int_equal(STEP(0xcb), EMUL_OK);
	assert_int_equal(pc.state.seg[X86_DS].selector, 0);
	assert_int_equal(pc.state.seg[X86_FS].selector, 0);
	assert_int_equal(pc.state.seg[X86_GS].selector, CONFORM);
	assert_int_equal(pc.state.seg[X86_ES].selector, DATA3);
	pc.state.gpr[X86_RBX] = DATA;
	assert_fault(STEP(0x64, 0x8b, 0x03), X86_VECTOR_GP, 0);
	assert_fault(STEP(0x8b, 0x03), X86_VECTOR_GP, 0);
	assert_int_equal(STEP(0x26, 0x8b, 0x03), EMUL_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_of_inner_level),
		cmocka_unit_test(segments_of_inner_level_legacy),
		cmocka_unit_test(segment_load),
		cmocka_unit_test(segment_load_faults),
		cmocka_unit_test(segment_limits),
		cmocka_unit_test(alignment_check),
		cmocka_unit_test(descriptor_queries),
		cmocka_unit_test(far_jump),
		cmocka_unit_test(far_call_and_return),
		cmocka_unit_test(call_gate),
		cmocka_unit_test(call_gate_faults),
		cmocka_unit_test(port_permission),
		cmocka_unit_test(privilege),
		cmocka_unit_test(umip),
		cmocka_unit_test(control_registers),
		cmocka_unit_test(locked_mov_cr),
		cmocka_unit_test(long_mode_switch),
		cmocka_unit_test(ldt_and_tr),
		cmocka_unit_test(syscall_and_sysret),
		cmocka_unit_test(sysenter_and_sysexit),
		cmocka_unit_test(shadows_and_traps),
		cmocka_unit_test(unhandled_bytes),
		cmocka_unit_test(self_modifying),
		cmocka_unit_test(rep_in_chunks),
		cmocka_unit_test(saved_state),
		cmocka_unit_test(x87_environment),
		cmocka_unit_test(misaligned_first),
		cmocka_unit_test(undefined_bytes),
		cmocka_unit_test(recent_instructions),
		cmocka_unit_test(random_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
