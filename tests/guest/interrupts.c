/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts and exceptions outside long mode: through 16- and 32-bit gates to
 * the same and to an inner level, out of virtual-8086 mode, faults on the way
 * and what they become; virtual-8086 mode extensions and PVI.
 */
#include "tests/guest/lib/shot_names.h"

#include "lib/string.h"

enum {
	CODE = 0,
	CODE_CONFORMING,
	CODE_LEVEL1,
	CODE_ABSENT,
	CODE_SMALL,
};

#define DE X86_VECTOR_DE
#define BP X86_VECTOR_BP
#define OF X86_VECTOR_OF

#define INT_VECTOR 0x90
#define CODE_IDT   (INT_VECTOR * 8 + 2)
#define ERROR_EXT  1u

#define INT32  0x8e
#define TRAP32 0x8f
#define INT16  0x86
#define TRAP16 0x87
#define USER   0x60

#define V86_SP 0x800

static void prepare(struct shot *s, unsigned cpl)
{
	shot_reset32(s);
	shot_gdt[S(CODE) / 8] = descriptor(0, 0xfffff, 0x9a, DESC_G | DESC_DB);
	shot_gdt[S(CODE_CONFORMING) / 8] =
		descriptor(0, 0xfffff, 0x9e, DESC_G | DESC_DB);
	shot_gdt[S(CODE_LEVEL1) / 8] =
		descriptor(0, 0xfffff, 0xba, DESC_G | DESC_DB);
	shot_gdt[S(CODE_ABSENT) / 8] =
		descriptor(0, 0xfffff, 0x1a, DESC_G | DESC_DB);
	shot_gdt[S(CODE_SMALL) / 8] = descriptor(0, 0x87ff, 0x9a, DESC_DB);
	if (cpl)
		shot_user(s);
}

static const struct row {
	const char *name;
	uint8_t cpl;
	uint8_t access;
	uint16_t selector;
	uint8_t vector;
	uint16_t error;
} rows[] = {
	/* clang-format off */
	{ "int32", 0, INT32, S(CODE), END, 0 },
	{ "trap32", 0, TRAP32, S(CODE), END, 0 },
	{ "int16", 0, INT16, S(CODE), END, 0 },
	{ "trap16", 0, TRAP16, S(CODE), END, 0 },
	{ "user-int32", 3, INT32 | USER, S(CODE), END, 0 },
	{ "user-trap32", 3, TRAP32 | USER, S(CODE), END, 0 },
	{ "user-int16", 3, INT16 | USER, S(CODE), END, 0 },
	{ "user-conforming", 3, INT32 | USER, S(CODE_CONFORMING), END, 0 },
	{ "user-dpl", 3, INT32, S(CODE), GP, CODE_IDT },
	{ "rpl3", 0, INT32, S(CODE) | 3, END, 0 },
	{ "absent", 0, INT32 & ~0x80, S(CODE), NP, CODE_IDT },
	{ "call-gate", 0, 0x8c, S(CODE), GP, CODE_IDT },
	{ "tss", 0, 0x89, S(CODE), GP, CODE_IDT },
	{ "type-0", 0, 0x80, S(CODE), GP, CODE_IDT },
	{ "data", 0, 0x92, S(CODE), GP, CODE_IDT },
	{ "code-null", 0, INT32, 0, GP, 0 },
	{ "code-beyond", 0, INT32, 0x400, GP, 0x400 },
	{ "code-data", 0, INT32, SEL_DATA, GP, SEL_DATA },
	{ "code-absent", 0, INT32, S(CODE_ABSENT), NP, S(CODE_ABSENT) },
	{ "code-outer", 0, INT32, S(CODE_LEVEL1), GP, S(CODE_LEVEL1) },
	{ "code-small", 0, INT32, S(CODE_SMALL), GP, 0 },
	/* clang-format on */
};

static void test_row(const struct row *row)
{
	unsigned size = row->access & 8 ? 4 : 2;
	bool is_inner = row->cpl && row->selector == S(CODE);
	uint32_t stack = is_inner ? SHOT_STACK0 : SHOT_STACK;
	uint32_t items = is_inner ? 5 : 3, at = stack - items * size;
	struct shot s;

	prepare(&s, row->cpl);
	s.flags |= X86_FLAG_IF | X86_FLAG_CF;
	idt32[INT_VECTOR] = gate(row->selector, SHOT_TARGET, row->access, 0);
	SHOT32(&s, 0xcd, INT_VECTOR);
	shot_expect_end("int", row->name, &s, row->vector, row->error);
	if (row->vector != END) {
		shot_expect("int", row->name, "rip", s.rip, SHOT_CODE);
		return;
	}
	shot_expect("int", row->name, "esp", s.gpr[SHOT_ESP], at);
	shot_expect("int", row->name, "eip",
		    size == 4 ? peek32(at) : peek16(at), SHOT_CODE + 2);
	shot_expect("int", row->name, "cs", peek16(at + size),
		    row->cpl ? SEL_USER32 | 3 : SEL_CODE32);
	shot_expect("int", row->name, "flags", peek16(at + 2 * size),
		    X86_FLAG_ONE | X86_FLAG_IF | X86_FLAG_CF);
	shot_expect("int", row->name, "if", s.flags & X86_FLAG_IF,
		    row->access & 1 ? X86_FLAG_IF : 0);
	shot_expect("int", row->name, "new-cs", s.seg[SHOT_CS],
		    (row->selector & 0xfffcu) | (is_inner ? 0u : row->cpl));
	if (is_inner)
		shot_expect("int", row->name, "ss", peek16(at + 4 * size),
			    SEL_USER_DATA | 3);
}

/* ---- Exceptions whose gate is no good ------------------------------------ */

static const struct {
	const char *name;
	uint8_t code[4];
	uint8_t bad; /* vector with an absent gate */
	uint8_t vector;
	uint16_t error;
} bad[] = {
	/* clang-format off */
	/* Benign, then contributory: one after the other. */
	{ "ud", { 0x0f, 0x0b, 0x90, 0x90 }, UD, NP, UD * 8 + 2 + ERROR_EXT },
	{ "int", { 0xcd, UD, 0x90, 0x90 }, UD, NP, UD * 8 + 2 },
	{ "int3", { 0xcc, 0x90, 0x90, 0x90 }, BP, NP, BP * 8 + 2 },
	{ "into", { 0x70, 0x00, 0xce, 0x90 }, OF, NP, OF * 8 + 2 },
	/* Two contributory ones */
	{ "de", { 0x31, 0xc9, 0xf7, 0xf1 }, DE, DF, 0 },
	{ "gp", { 0x8e, 0xd9, 0x90, 0x90 }, GP, DF, 0 },
	/* clang-format on */
};

static void test_bad_gates(void)
{
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		const uint8_t *code = bad[i].code;

		prepare(&s, 0);
		s.flags |= X86_FLAG_OF;
		s.gpr[SHOT_ECX] = 0x7f8;
		s.gpr[SHOT_EDX] = 0;
		idt32[bad[i].bad] = 0x00000e0000000000;
		SHOT32(&s, code[0], code[1], code[2], code[3]);
		shot_expect_end("bad", bad[i].name, &s, bad[i].vector,
				bad[i].error);
	}
	/* INT3 at level 3 looks at the gate's DPL, #BP's trap does not exist.
	 */
	prepare(&s, 3);
	SHOT32(&s, 0xcc);
	shot_expect_end("dpl", "int3", &s, GP, BP * 8 + 2);
	prepare(&s, 3);
	s.flags |= X86_FLAG_OF;
	SHOT32(&s, 0xce);
	shot_expect_end("dpl", "into", &s, GP, OF * 8 + 2);
	prepare(&s, 3);
	SHOT32(&s, 0x0f, 0x0b);
	shot_expect_end("dpl", "ud2", &s, UD, 0);
}

/* ---- Virtual-8086 mode --------------------------------------------------- */

static void prepare_v86(struct shot *s, unsigned iopl)
{
	prepare(s, 0);
	s->flags |= X86_FLAG_VM | FIELD_PUT(X86_FLAG_IOPL, iopl);
	s->seg[SHOT_ES] = 0x901;
	s->seg[SHOT_DS] = 0x902;
	s->seg[SHOT_FS] = 0x903;
	s->seg[SHOT_GS] = 0x904;
	s->seg[SHOT_SS] = SHOT_DATA >> 4;
	s->seg[SHOT_CS] = SHOT_CODE >> 4;
	s->rip = 0;
	s->gpr[SHOT_ESP] = V86_SP;
}

static void test_v86_gate(void)
{
	uint32_t at = SHOT_STACK0 - 9 * 4;
	struct shot s;

	prepare_v86(&s, 3);
	idt32[INT_VECTOR] = gate(S(CODE), SHOT_TARGET, INT32 | USER, 0);
	SHOT32(&s, 0xcd, INT_VECTOR);
	shot_expect_end("v86", "int32", &s, END, 0);
	shot_expect("v86", "esp", "", s.gpr[SHOT_ESP], at);
	shot_expect("v86", "eip", "", peek32(at), 2);
	shot_expect("v86", "cs", "", peek16(at + 4), SHOT_CODE >> 4);
	shot_expect("v86", "flags", "", peek32(at + 8),
		    X86_FLAG_VM | X86_FLAG_IOPL | X86_FLAG_ONE);
	shot_expect("v86", "old-esp", "", peek32(at + 12), V86_SP);
	shot_expect("v86", "ss", "", peek16(at + 16), SHOT_DATA >> 4);
	shot_expect("v86", "es", "", peek16(at + 20), 0x901);
	shot_expect("v86", "ds", "", peek16(at + 24), 0x902);
	shot_expect("v86", "fs", "", peek16(at + 28), 0x903);
	shot_expect("v86", "gs", "", peek16(at + 32), 0x904);
	shot_expect("v86", "new-fs", "", s.seg[SHOT_FS], 0);
	shot_expect("v86", "new-vm", "", s.flags & X86_FLAG_VM, 0);
	/* 16-bit gate: nine words */
	prepare_v86(&s, 3);
	idt32[INT_VECTOR] = gate(S(CODE), SHOT_TARGET, INT16 | USER, 0);
	SHOT32(&s, 0xcd, INT_VECTOR);
	shot_expect_end("v86", "int16", &s, END, 0);
	shot_expect("v86", "int16", "esp", s.gpr[SHOT_ESP],
		    SHOT_STACK0 - 9 * 2);
	shot_expect("v86", "int16", "gs", peek16(SHOT_STACK0 - 2), 0x904);
	/* Handlers must be of level 0. */
	prepare_v86(&s, 3);
	idt32[INT_VECTOR] =
		gate(S(CODE_CONFORMING), SHOT_TARGET, INT32 | USER, 0);
	SHOT32(&s, 0xcd, INT_VECTOR);
	shot_expect_end("v86", "conforming", &s, GP, S(CODE_CONFORMING));
	prepare_v86(&s, 3);
	shot_tss.legacy.esp1 = SHOT_STACK1;
	shot_tss.legacy.ss1 = SEL_DATA | 1;
	idt32[INT_VECTOR] = gate(S(CODE_LEVEL1), SHOT_TARGET, INT32 | USER, 0);
	SHOT32(&s, 0xcd, INT_VECTOR);
	shot_expect_end("v86", "level1", &s, GP, S(CODE_LEVEL1));
	prepare_v86(&s, 0);
	SHOT32(&s, 0xcd, INT_VECTOR);
	shot_expect_end("v86", "iopl0", &s, GP, 0);
	/* PUSHF and IRET at IOPL 3: VM stays out, IOPL stays. */
	prepare_v86(&s, 3);
	SHOT32(&s, 0x9c, 0x5b); /* pushf; pop bx */
	shot_expect("v86", "pushf", "", s.gpr[SHOT_EBX] & 0xffff,
		    X86_FLAG_IOPL | X86_FLAG_ONE);
	prepare_v86(&s, 3);
	SHOT32(&s, 0x68, LE16(0x0ed5), 0x9d); /* push; popf */
	shot_expect("v86", "popf", "", s.flags,
		    X86_FLAG_VM | X86_FLAG_IOPL | 0x0ed7);
}

/* ---- Virtual-8086 mode extensions ---------------------------------------- */

#define VIF X86_FLAG_VIF
#define VIP X86_FLAG_VIP
#define IF  X86_FLAG_IF

/* In virtual-8086 mode with IOPL 0; HLT, which raises #GP, is the end. */
static const struct {
	const char *name;
	uint8_t code[5];
	uint8_t ip;	/* of the fault */
	uint32_t flags; /* before */
	uint32_t want;	/* VIF, VIP after */
	uint16_t bx;
} vme[] = {
	/* clang-format off */
	{ "cli", { 0xfa, 0xf4 }, 1, VIF, 0, 0 },
	{ "sti", { 0xfb, 0xf4 }, 1, 0, VIF, 0 },
	{ "sti-vip", { 0xfb, 0xf4 }, 0, VIP, VIP, 0 },
	{ "cli-vip", { 0xfa, 0xf4 }, 1, VIP, VIP, 0 },
	{ "pushf", { 0x9c, 0x5b, 0xf4 }, 2, 0, 0, 0x3002 },
	{ "pushf-vif", { 0x9c, 0x5b, 0xf4 }, 2, VIF, VIF, 0x3202 },
	{ "pushfd", { 0x66, 0x9c, 0xf4 }, 0, 0, 0, 0 },
	{ "popf-on", { 0x68, 0x02, 0x02, 0x9d, 0xf4 }, 4, 0, VIF, 0 },
	{ "popf-off", { 0x68, 0x02, 0x00, 0x9d, 0xf4 }, 4, VIF, 0, 0 },
	{ "popf-tf", { 0x68, 0x02, 0x01, 0x9d, 0xf4 }, 3, 0, 0, 0 },
	{ "popf-vip", { 0x68, 0x02, 0x02, 0x9d, 0xf4 }, 3, VIP, VIP, 0 },
	{ "popfd", { 0x66, 0x9d, 0xf4 }, 0, 0, 0, 0 },
	{ "int-not-redirected", { 0xcd, 0x91, 0xf4 }, 0, 0, 0, 0 },
	/* clang-format on */
};

#define REDIRECTION_SIZE 32

static void prepare_vme(struct shot *s)
{
	prepare_v86(s, 0);
	s->cr4 |= X86_CR4_VME;
	s->gpr[SHOT_EBX] = 0;
	/* Before the I/O bitmap: only INT 90h goes to the 8086 program. */
	shot_tss.legacy.io_map = sizeof(struct tss32) + REDIRECTION_SIZE;
	shot_tss.io_map[INT_VECTOR / 8] = 0xfe;
	poke32(INT_VECTOR * 4, (SHOT_TARGET >> 4) << 16);
}

static void test_vme(void)
{
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(vme); i++) {
		const uint8_t *code = vme[i].code;

		prepare_vme(&s);
		s.flags |= vme[i].flags;
		SHOT32(&s, code[0], code[1], code[2], code[3], code[4]);
		shot_expect_end("vme", vme[i].name, &s, GP, 0);
		shot_expect("vme", vme[i].name, "ip", s.rip, vme[i].ip);
		shot_expect("vme", vme[i].name, "flags",
			    s.flags & (VIF | VIP | IF), vme[i].want);
		shot_expect("vme", vme[i].name, "bx", s.gpr[SHOT_EBX],
			    vme[i].bx);
	}
	/* Through the 8086 program's own table; INT 81h there is a #GP. */
	prepare_vme(&s);
	s.flags |= VIF;
	SHOT32(&s, 0xcd, INT_VECTOR);
	shot_expect_end("vme", "int", &s, GP, 0);
	shot_expect("vme", "int", "cs", s.seg[SHOT_CS], SHOT_TARGET >> 4);
	shot_expect("vme", "int", "ip", s.rip, 0);
	shot_expect("vme", "int", "flags", s.flags & (VIF | IF), 0);
	shot_expect("vme", "int", "frame",
		    peek64(SHOT_DATA + V86_SP - 6) & 0xffffffffffff,
		    0x320200000000ull | (SHOT_CODE >> 4) << 16 | 2);
	/* IRET with IF in the image sets VIF. */
	prepare_vme(&s);
	s.gpr[SHOT_ESP] = V86_SP - 6;
	poke32(SHOT_DATA + V86_SP - 6, (SHOT_TARGET >> 4) << 16);
	poke32(SHOT_DATA + V86_SP - 2, 0x0202);
	SHOT32(&s, 0xcf);
	shot_expect_end("vme", "iret", &s, GP, 0);
	shot_expect("vme", "iret", "cs", s.seg[SHOT_CS], SHOT_TARGET >> 4);
	shot_expect("vme", "iret", "flags", s.flags & (VIF | IF), VIF);
	/* At IOPL 3 the redirected one takes IF itself. */
	prepare_vme(&s);
	s.flags |= X86_FLAG_IOPL;
	SHOT32(&s, 0xcd, INT_VECTOR);
	shot_expect_end("vme", "iopl3", &s, END, 0);
	shot_expect("vme", "iopl3", "cs", s.seg[SHOT_CS], SHOT_TARGET >> 4);
}

static void test_pvi(void)
{
	static const struct {
		const char *name;
		uint8_t code;
		uint32_t flags;
		uint8_t vector;
		uint32_t want;
	} row[] = {
		/* clang-format off */
		{ "cli", 0xfa, VIF, END, 0 },
		{ "sti", 0xfb, 0, END, VIF },
		{ "sti-vip", 0xfb, VIP, GP, VIP },
		/* clang-format on */
	};
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		prepare(&s, 3);
		s.cr4 |= X86_CR4_PVI;
		s.flags |= row[i].flags;
		SHOT32(&s, row[i].code);
		shot_expect_end("pvi", row[i].name, &s, row[i].vector, 0);
		shot_expect("pvi", row[i].name, "flags",
			    s.flags & (VIF | VIP | IF), row[i].want);
	}
	/* PUSHF and POPF know nothing of it. */
	prepare(&s, 3);
	s.cr4 |= X86_CR4_PVI;
	s.flags |= VIF;
	SHOT32(&s, 0x68, LE32(X86_FLAG_ONE), 0x9d, 0x9c, 0x5b);
	shot_expect("pvi", "pushf", "", s.gpr[SHOT_EBX], VIF | X86_FLAG_ONE);
}

void guest_main(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		test_row(&rows[i]);
	test_bad_gates();
	test_v86_gate();
	if (!(cpuid(1, 0).edx & BIT(1))) {
		skip("vme", "CPUID does not offer it");
		return;
	}
	test_vme();
	test_pvi();
}
