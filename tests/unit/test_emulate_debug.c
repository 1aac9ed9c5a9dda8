/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * #DB: TF, general detection, breakpoints of every kind, and RF in the image
 * that events push.  Expectations are the SDM's, volume 3, "Debug Registers"
 * and "Debug Exceptions", and the instructions' pages.
 */
#include "tests/unit/emulate_test.h"

#define STEPPED EMUL_EVENT_SINGLE_STEP
#define MET(n)	(EMUL_EVENT_BREAKPOINT << (n))
#define FRAME	(pc.state.gpr[X86_RSP])

/* DR7: breakpoint n enabled, of a kind and with a length as the fields have. */
#define DR7(n, kind, length)                                   \
	(BIT(2 * (n) + 1) | (uint64_t)((kind) | (length) << 2) \
				    << (16 + 4 * (n)))
#define EXECUTE 0
#define STORE	1
#define PORT	2
#define ACCESS	3
#define LEN1	0
#define LEN2	1
#define LEN8	2
#define LEN4	3

static void idt_put(unsigned vector, uint64_t value)
{
	put(IDT + 8 * vector, value, 8);
}

/* As MOV to DR7 leaves it. */
static void breakpoint(unsigned n, uint64_t at, uint64_t dr7)
{
	pc.state.dr[n] = at;
	pc.state.gpr[X86_RAX] = dr7;
	assert_int_equal(STEP(0x0f, 0x23, 0xf8), EMUL_OK); /* mov dr7, eax */
}

static void events_are(uint32_t events)
{
	assert_int_equal(pc.emul.events & (STEPPED | EMUL_EVENT_BREAKPOINTS),
			 events);
}

/* ---- TF ------------------------------------------------------------------ */

static void trap_flag(void **state)
{
	(void)state;
	pc_protected(0);
	idt_put(0x30, gate(CODE0, HANDLER, 0x8e, 0));
	idt_put(3, gate(CODE0, HANDLER, 0x8e, 0));
	idt_put(1, gate(CODE0, HANDLER, 0x8e, 0));
	pc.state.rflags |= X86_FLAG_TF;
	assert_int_equal(STEP(0x90), EMUL_OK);
	events_are(STEPPED);
	/* POPF that clears it traps, that sets it does not. */
	put(FRAME, X86_FLAG_ONE, 4);
	put(FRAME + 4, X86_FLAG_ONE | X86_FLAG_TF, 4);
	assert_int_equal(STEP(0x9d), EMUL_OK);
	events_are(STEPPED);
	assert_int_equal(STEP(0x9d), EMUL_OK);
	events_are(0);
	assert_true(pc.state.rflags & X86_FLAG_TF);
	/* Whatever enters a handler clears it before it could trap. */
	assert_int_equal(STEP(0xcd, 0x30), EMUL_OK);
	events_are(0);
	pc.state.rflags |= X86_FLAG_TF;
	assert_int_equal(STEP(0xcc), EMUL_OK);
	events_are(0);
	pc.state.rflags |= X86_FLAG_TF;
	assert_int_equal(STEP(0xf1), EMUL_OK);
	events_are(0);
	/* Not entered, it traps: INTO without OF. */
	pc.state.rflags |= X86_FLAG_TF;
	assert_int_equal(STEP(0xce), EMUL_OK);
	events_are(STEPPED);
	/* IRET that sets it. */
	pc.state.rflags &= ~X86_FLAG_TF;
	put(FRAME, CODE, 4);
	put(FRAME + 4, CODE0, 4);
	put(FRAME + 8, X86_FLAG_ONE | X86_FLAG_TF, 4);
	assert_int_equal(STEP(0xcf), EMUL_OK);
	events_are(0);
	assert_int_equal(STEP(0x90), EMUL_OK);
	events_are(STEPPED);
}

/* SYSCALL and SYSRET trap by the TF that they leave. */
static void trap_flag_of_syscall(void **state)
{
	(void)state;
	pc_long(3);
	pc.state.star = 0x0028ULL << 32 | 0x0028ULL << 48;
	pc.state.lstar = HANDLER;
	pc.state.sfmask = X86_FLAG_TF;
	pc.state.rflags |= X86_FLAG_TF;
	assert_int_equal(STEP(0x0f, 0x05), EMUL_OK);
	events_are(0);
	assert_true(pc.state.gpr[11] & X86_FLAG_TF);
	assert_int_equal(STEP(0x48, 0x0f, 0x07), EMUL_OK);
	events_are(STEPPED);
	pc.state.sfmask = 0;
	assert_int_equal(STEP(0x0f, 0x05), EMUL_OK);
	events_are(STEPPED);
	pc.state.gpr[11] = X86_FLAG_ONE;
	assert_int_equal(STEP(0x48, 0x0f, 0x07), EMUL_OK);
	events_are(0);
}

/* ---- General detection --------------------------------------------------- */

static void general_detect(void **state)
{
	(void)state;
	pc_protected(0);
	idt_put(1, gate(CODE0, HANDLER, 0x8e, 0));
	pc.state.dr6 = 0xffff0ff5;
	pc.state.dr7 = 0x400 | X86_DR7_GD;
	assert_fault(STEP(0x0f, 0x21, 0xf0), X86_VECTOR_DB, 0);
	assert_int_equal(emul_deliver_fault(&pc.emul), EMUL_OK);
	assert_int_equal(pc.state.dr6, 0xffff2ff0);
	assert_int_equal(pc.state.dr7, 0x400);
	/* A fault at the MOV, and one that pushes RF. */
	assert_int_equal(get(FRAME, 4), CODE);
	assert_true(get(FRAME + 8, 4) & X86_FLAG_RF);
	/* INT1's handler finds it off, too, and nothing in DR6. */
	pc.state.rip = CODE;
	pc.state.dr6 = 0xffff0ff0;
	pc.state.dr7 = 0x400 | X86_DR7_GD;
	assert_int_equal(STEP(0xf1), EMUL_OK);
	assert_int_equal(pc.state.dr6, 0xffff0ff0);
	assert_int_equal(pc.state.dr7, 0x400);
	/* INT 1 is no debug exception. */
	pc.state.dr7 = 0x400 | X86_DR7_GD;
	assert_int_equal(STEP(0xcd, 0x01), EMUL_OK);
	assert_int_equal(pc.state.dr7, 0x400 | X86_DR7_GD);
}

/* ---- Breakpoints --------------------------------------------------------- */

static void at_instruction(void **state)
{
	(void)state;
	pc_protected(0);
	idt_put(1, gate(CODE0, HANDLER, 0x8e, 0));
	breakpoint(1, CODE + 0x10, DR7(1, EXECUTE, LEN1));
	pc.state.rip = CODE + 0x10;
	pc.state.dr6 = 0xffff4ff1;
	assert_fault(STEP(0x40), X86_VECTOR_DB, 0);
	assert_int_equal(pc.state.gpr[X86_RAX], DR7(1, EXECUTE, LEN1));
	assert_int_equal(emul_deliver_fault(&pc.emul), EMUL_OK);
	/* Bits 3:0 are replaced, the rest stays; the image has no RF. */
	assert_int_equal(pc.state.dr6, 0xffff4ff2);
	assert_int_equal(get(FRAME, 4), CODE + 0x10);
	assert_false(get(FRAME + 8, 4) & X86_FLAG_RF);
	/* RF, for one instruction. */
	put(FRAME + 8, X86_FLAG_ONE | X86_FLAG_RF, 4);
	put(HANDLER, 0xcf, 1);
	assert_int_equal(emul_step(&pc.emul), EMUL_OK);
	assert_true(pc.state.rflags & X86_FLAG_RF);
	assert_int_equal(emul_step(&pc.emul), EMUL_OK);
	assert_int_equal(pc.state.rip, CODE + 0x11);
	assert_false(pc.state.rflags & X86_FLAG_RF);
	/* MOV SS keeps it away from the next one. */
	pc.state.rip = CODE + 0x10;
	pc.state.interrupt_shadow = X86_SHADOW_MOVSS;
	assert_int_equal(emul_step(&pc.emul), EMUL_OK);
	pc.state.rip = CODE + 0x10;
	pc.state.interrupt_shadow = X86_SHADOW_STI;
	assert_fault(emul_step(&pc.emul), X86_VECTOR_DB, 0);
	/* Before anything else of it: it is not even fetched. */
	breakpoint(1, RAM_SIZE + 0x10000, DR7(1, EXECUTE, LEN1));
	pc.state.rip = RAM_SIZE + 0x10000;
	assert_fault(emul_step(&pc.emul), X86_VECTOR_DB, 0);
	/* Where the processor has compared it already. */
	pc.state.rip = CODE + 0x30;
	breakpoint(1, CODE, DR7(1, EXECUTE, LEN1));
	pc.state.rip = CODE;
	pc.emul.breaks_at_code = false;
	assert_int_equal(STEP(0x90), EMUL_OK);
	/* Off again, it costs nothing and does nothing. */
	pc.emul.breaks_at_code = true;
	pc.state.rip = CODE + 0x20;
	breakpoint(1, CODE, 0);
	assert_false(pc.emul.may_break);
	pc.state.rip = CODE;
	assert_int_equal(STEP(0x90), EMUL_OK);
}

/* By CS's base outside 64-bit mode. */
static void at_instruction_real(void **state)
{
	(void)state;
	pc_real();
	breakpoint(3, CODE + 3, DR7(3, EXECUTE, LEN1));
	assert_int_equal(pc.state.rip, 3);
	assert_fault(STEP(0x90), X86_VECTOR_DB, 0);
	assert_int_equal(pc.emul.fault.dr6, 8);
}

static void at_data(void **state)
{
	static const struct {
		uint8_t kind, length;
		uint16_t at;
		uint8_t code[3]; /* of EBX: DATA + 0x100 */
		bool is_met;
	} rows[] = {
		{ STORE, LEN4, 0x100, { 0x89, 0x03 }, true },
		{ STORE, LEN4, 0x103, { 0x89, 0x03 }, true },  /* aligned */
		{ STORE, LEN4, 0x104, { 0x89, 0x03 }, false }, /* behind */
		{ STORE, LEN1, 0x103, { 0x89, 0x03 }, true },
		{ STORE, LEN1, 0x0ff, { 0x89, 0x03 }, false },
		{ STORE, LEN2, 0x103, { 0x89, 0x03 }, true },
		{ STORE, LEN8, 0x107, { 0x89, 0x03 }, true },
		{ STORE, LEN4, 0x100, { 0x8b, 0x03 }, false }, /* a load */
		{ ACCESS, LEN4, 0x100, { 0x8b, 0x03 }, true },
		{ ACCESS, LEN4, 0x100, { 0x89, 0x03 }, true },
		{ STORE, LEN1, 0x101, { 0xfe, 0x43, 0x01 }, true }, /* inc */
		{ STORE, LEN1, 0x101, { 0xfe, 0x43, 0x02 }, false },
		{ PORT, LEN4, 0x100, { 0x89, 0x03 }, false },
		{ EXECUTE, LEN1, 0x100, { 0x89, 0x03 }, false },
		{ ACCESS, LEN4, 0x100, { 0x8d, 0x03 }, false }, /* lea */
	};

	(void)state;
	/* Enabled for all tasks, for this one, and for none. */
	for (unsigned i = 0; i < 3 * ARRAY_SIZE(rows); i++) {
		unsigned n = i % 4, row = i / 3;
		uint64_t dr7 = DR7(n, rows[row].kind, rows[row].length);

		if (i % 3)
			dr7 ^= BIT(2 * n + 1);
		if (i % 3 == 1)
			dr7 |= BIT(2 * n);
		pc_protected(0);
		breakpoint(n, DATA + rows[row].at, dr7);
		pc.state.gpr[X86_RBX] = DATA + 0x100;
		assert_int_equal(STEP(rows[row].code[0], rows[row].code[1],
				      rows[row].code[2]),
				 EMUL_OK);
		events_are(rows[row].is_met && i % 3 < 2 ? MET(n) : 0);
	}
}

static void at_data_long(void **state)
{
	(void)state;
	pc_long(0);
	pc.state.dr[0] = DATA + 0x10;
	pc.state.dr[2] = STACK + 0x7f8;
	breakpoint(1, DATA + 0x18,
		   DR7(0, ACCESS, LEN8) | DR7(1, STORE, LEN8) |
			   DR7(2, STORE, LEN8));
	pc.state.gpr[X86_RBX] = DATA + 0x14;
	/* An access over two of them, with RSP-relative ones apart. */
	assert_int_equal(STEP(0x48, 0x89, 0x03), EMUL_OK);
	events_are(MET(0) | MET(1));
	assert_int_equal(STEP(0x48, 0x8b, 0x03), EMUL_OK);
	events_are(MET(0));
	assert_int_equal(STEP(0x53), EMUL_OK); /* push rbx */
	events_are(MET(2));
	/* One that faults meets nothing. */
	pc.state.gpr[X86_RBX] = BIT(62);
	assert_fault(STEP(0x48, 0x8b, 0x03), X86_VECTOR_GP, 0);
	/* FS has a base. */
	pc.state.seg[X86_FS].base = DATA;
	pc.state.gpr[X86_RBX] = 0x10;
	assert_int_equal(STEP(0x64, 0x48, 0x8b, 0x03), EMUL_OK);
	events_are(MET(0));
}

/* One with TF is one #DB; what MOV SS meets waits for the next instruction. */
static void at_data_with_shadow(void **state)
{
	(void)state;
	pc_protected(0);
	breakpoint(0, DATA, DR7(0, ACCESS, LEN4));
	pc.state.gpr[X86_RBX] = DATA;
	pc.state.rflags |= X86_FLAG_TF;
	assert_int_equal(STEP(0x8b, 0x03), EMUL_OK);
	events_are(STEPPED | MET(0));
	pc.state.rflags &= ~X86_FLAG_TF;
	put(DATA, DATA0, 4);
	assert_int_equal(STEP(0x8e, 0x13), EMUL_OK);
	events_are(0);
	assert_int_equal(STEP(0x90), EMUL_OK);
	events_are(MET(0));
	assert_int_equal(STEP(0x90), EMUL_OK);
	events_are(0);
	/* That the next one faults takes it away. */
	assert_int_equal(STEP(0x8e, 0x13), EMUL_OK);
	assert_fault(STEP(0x0f, 0x0b), X86_VECTOR_UD, 0);
	pc.state.interrupt_shadow = X86_SHADOW_STI;
	assert_int_equal(STEP(0x90), EMUL_OK);
	events_are(0);
}

/* Behind the iteration that meets it, with RF in the image but for the last. */
static void in_strings(void **state)
{
	struct emul_event irq = { .vector = 0x30, .type = EMUL_TYPE_EXTERNAL };

	(void)state;
	pc_protected(0);
	idt_put(0x30, gate(CODE0, HANDLER, 0x8e, 0));
	breakpoint(2, DATA + 8, DR7(2, STORE, LEN4));
	pc.state.gpr[X86_RDI] = DATA;
	pc.state.gpr[X86_RCX] = 5;
	pc.state.rip = CODE;
	assert_int_equal(STEP(0xf3, 0xab), EMUL_OK); /* rep stosd */
	events_are(MET(2));
	assert_int_equal(pc.state.gpr[X86_RCX], 2);
	assert_int_equal(pc.state.rip, CODE);
	assert_true(pc.state.rflags & X86_FLAG_RF);
	assert_int_equal(emul_step(&pc.emul), EMUL_OK);
	events_are(0);
	assert_int_equal(pc.state.gpr[X86_RCX], 0);
	assert_false(pc.state.rflags & X86_FLAG_RF);
	pc.state.gpr[X86_RDI] = DATA;
	pc.state.gpr[X86_RCX] = 3;
	pc.state.rip = CODE;
	assert_int_equal(emul_step(&pc.emul), EMUL_OK);
	events_are(MET(2));
	assert_int_equal(pc.state.rip, CODE + 2);
	assert_false(pc.state.rflags & X86_FLAG_RF);
	/* Without one an interrupt between iterations finds RF as well. */
	breakpoint(2, 0, 0);
	pc.state.gpr[X86_RSI] = DATA;
	pc.state.gpr[X86_RCX] = 5000;
	assert_int_equal(STEP(0xf3, 0xac), EMUL_OK);
	assert_true(pc.emul.events & EMUL_EVENT_REP_PARTIAL);
	assert_int_equal(emul_deliver_event(&pc.emul, &irq), EMUL_OK);
	assert_true(get(FRAME + 8, 4) & X86_FLAG_RF);
	assert_false(pc.state.rflags & X86_FLAG_RF);
}

/* A fault after some iterations has RF by itself; a trap's own instruction
 * breakpoint does not come again. */
static void strings_break_once(void **state)
{
	(void)state;
	pc_protected(0);
	pc.state.rip = CODE + 0x10;
	pc.state.dr[0] = CODE;
	breakpoint(1, DATA, DR7(0, EXECUTE, LEN1) | DR7(1, STORE, LEN1));
	pc.state.gpr[X86_RDI] = DATA;
	pc.state.gpr[X86_RCX] = 5;
	pc.state.rip = CODE;
	assert_fault(STEP(0xf3, 0xaa), X86_VECTOR_DB, 0);
	pc.state.rflags |= X86_FLAG_RF;
	assert_int_equal(emul_step(&pc.emul), EMUL_OK);
	events_are(MET(1));
	assert_int_equal(emul_step(&pc.emul), EMUL_OK);
	assert_int_equal(pc.state.gpr[X86_RCX], 0);
}

static void at_port(void **state)
{
	(void)state;
	pc_protected(0);
	breakpoint(0, 0x61, DR7(0, PORT, LEN1));
	assert_int_equal(STEP(0xe4, 0x61), EMUL_OK);
	events_are(0); /* without CR4.DE */
	pc.state.cr4 |= X86_CR4_DE;
	assert_int_equal(STEP(0xe4, 0x61), EMUL_OK);
	events_are(MET(0));
	assert_int_equal(STEP(0xe6, 0x61), EMUL_OK);
	events_are(MET(0));
	assert_int_equal(STEP(0xe5, 0x60), EMUL_OK); /* four of them */
	events_are(MET(0));
	assert_int_equal(STEP(0xe4, 0x62), EMUL_OK);
	events_are(0);
	breakpoint(0, 0x3f8, DR7(0, PORT, LEN4));
	pc.state.gpr[X86_RDX] = 0x3fb;
	assert_int_equal(STEP(0xec), EMUL_OK);
	events_are(MET(0));
	pc.state.gpr[X86_RDX] = 0x3fc;
	assert_int_equal(STEP(0xee), EMUL_OK);
	events_are(0);
	/* Strings, item by item. */
	pc.state.gpr[X86_RDX] = 0x3f8;
	pc.state.gpr[X86_RSI] = DATA;
	pc.state.gpr[X86_RCX] = 3;
	pc.port_count = 0;
	assert_int_equal(STEP(0xf3, 0x6e), EMUL_OK);
	events_are(MET(0));
	assert_int_equal(pc.port_count, 1);
	assert_int_equal(pc.state.gpr[X86_RCX], 2);
}

/* A handler's frame meets one: the trap is the handler's first instruction's.
 */
static void at_frame(void **state)
{
	struct emul_event ev = { .vector = 0x30, .type = EMUL_TYPE_EXTERNAL };

	(void)state;
	pc_protected(3);
	idt_put(0x30, gate(CODE0, HANDLER, 0x8e, 0));
	idt_put(0x31, gate(CODE0, HANDLER, 0xee, 0));
	pc.state.dr[0] = STACK0 - 4;
	pc.state.dr7 = 0x400 | DR7(0, STORE, LEN4);
	pc.emul.may_break = pc.emul.may_break_at_data = true;
	assert_int_equal(emul_deliver_event(&pc.emul, &ev), EMUL_OK);
	events_are(MET(0));
	pc_protected(3);
	idt_put(0x31, gate(CODE0, HANDLER, 0xee, 0));
	pc.state.dr[0] = STACK0 - 4;
	pc.state.dr7 = 0x400 | DR7(0, STORE, LEN4);
	pc.emul.may_break = pc.emul.may_break_at_data = true;
	pc.emul.mode_cpl = UINT8_MAX;
	assert_int_equal(STEP(0xcd, 0x31), EMUL_OK);
	events_are(MET(0));
	assert_int_equal(pc.state.rip, HANDLER);
}

/* ---- RF ------------------------------------------------------------------ */

static uint64_t image_after(unsigned vector, enum emul_event_type type,
			    uint64_t dr6, uint64_t flags)
{
	struct emul_event ev = { .vector = (uint8_t)vector,
				 .type = type,
				 .dr6 = dr6 };

	pc_protected(0);
	idt_put(vector, gate(CODE0, HANDLER, 0x8e, 0));
	pc.state.rflags |= flags;
	assert_int_equal(emul_deliver_event(&pc.emul, &ev), EMUL_OK);
	assert_false(pc.state.rflags & X86_FLAG_RF);
	return get(FRAME + 8, 4) & X86_FLAG_RF;
}

static void resume_flag(void **state)
{
	static const uint8_t faults[] = { 0,  5,  6,  7,  10, 11,
					  12, 13, 14, 16, 17, 19 };
	const enum emul_event_type exception = EMUL_TYPE_EXCEPTION;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(faults); i++)
		assert_true(image_after(faults[i], exception, 0, 0));
	/* Traps, instruction breakpoints and aborts: as it is. */
	assert_false(image_after(X86_VECTOR_DB, exception, 1, 0));
	assert_true(image_after(X86_VECTOR_DB, exception, 1, X86_FLAG_RF));
	assert_true(image_after(X86_VECTOR_DB, exception, BIT(13), 0));
	assert_false(image_after(X86_VECTOR_DF, exception, 0, 0));
	assert_false(image_after(X86_VECTOR_MC, exception, 0, 0));
	assert_false(image_after(0x30, EMUL_TYPE_EXTERNAL, 0, 0));
	assert_true(image_after(0x30, EMUL_TYPE_EXTERNAL, 0, X86_FLAG_RF));
	assert_false(image_after(2, EMUL_TYPE_NMI, 0, 0));
	/* INT n and its kind push it clear. */
	assert_false(image_after(0x30, EMUL_TYPE_SOFTWARE, 0, X86_FLAG_RF));
	assert_false(image_after(3, EMUL_TYPE_SOFT_EXCEPTION, 0, X86_FLAG_RF));
	assert_false(image_after(1, EMUL_TYPE_ICEBP, 0, X86_FLAG_RF));
}

/* Through a task gate the image is the outgoing task's. */
static void resume_flag_of_task(void **state)
{
	struct emul_event ev = { .vector = X86_VECTOR_UD,
				 .type = EMUL_TYPE_EXCEPTION };

	(void)state;
	pc_protected(0);
	idt_put(X86_VECTOR_UD, gate(TSS2SEL, 0, 0x85, 0));
	put(TSS2 + 32, HANDLER, 4);
	put(TSS2 + 36, X86_FLAG_ONE, 4);
	put(TSS2 + 76, CODE0, 4);
	for (unsigned at = 72; at <= 92; at += 4)
		if (at != 76)
			put(TSS2 + at, DATA0, 4);
	assert_int_equal(emul_deliver_event(&pc.emul, &ev), EMUL_OK);
	assert_int_equal(pc.state.rip, HANDLER);
	assert_true(get(TSS + 36, 4) & X86_FLAG_RF);
	assert_false(pc.state.rflags & X86_FLAG_RF);
}

/* A switch of tasks turns off what was on for the old one alone. */
static void task_local(void **state)
{
	(void)state;
	pc_protected(0);
	put(TSS2 + 32, HANDLER, 4);
	put(TSS2 + 76, CODE0, 4);
	for (unsigned at = 72; at <= 92; at += 4)
		if (at != 76)
			put(TSS2 + at, DATA0, 4);
	breakpoint(0, HANDLER, 1); /* L0 */
	assert_true(pc.emul.may_break);
	assert_int_equal(STEP(0xea, 0, 0, 0, 0, TSS2SEL, 0), EMUL_OK);
	assert_int_equal(pc.state.rip, HANDLER);
	assert_int_equal(STEP(0x90), EMUL_OK);
	assert_false(pc.emul.may_break);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trap_flag),
		cmocka_unit_test(trap_flag_of_syscall),
		cmocka_unit_test(general_detect),
		cmocka_unit_test(at_instruction),
		cmocka_unit_test(at_instruction_real),
		cmocka_unit_test(at_data),
		cmocka_unit_test(at_data_long),
		cmocka_unit_test(at_data_with_shadow),
		cmocka_unit_test(in_strings),
		cmocka_unit_test(strings_break_once),
		cmocka_unit_test(at_port),
		cmocka_unit_test(at_frame),
		cmocka_unit_test(resume_flag),
		cmocka_unit_test(resume_flag_of_task),
		cmocka_unit_test(task_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
