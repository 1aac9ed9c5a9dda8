/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Far transfers of protected mode: JMP and CALL to code segments and through
 * 16- and 32-bit call gates, RET and IRET to the same and to an outer level,
 * the stacks they switch to and the faults on the way.
 */
#include "tests/guest/lib/shot_names.h"

enum {
	CODE_SAME = 0,
	CODE_CONFORMING,
	CODE_USER,
	CODE_LEVEL1,
	CODE_16,
	CODE_ABSENT,
	CODE_SMALL,
	CODE_EXECUTE_ONLY,
	DATA_RO,
	STACK_LEVEL1,
	STACK_USER_RO,
	STACK_USER_ABSENT,
	STACK_USER,
	STACK_LEVEL1_ABSENT,
	STACK_LEVEL1_RO,
	GATE,
	COUNT,
};

static const struct {
	uint32_t limit;
	uint8_t access;
	uint8_t flags;
} table[COUNT] = {
	[CODE_SAME] = { 0xfffff, 0x9a, DESC_G | DESC_DB },
	[CODE_CONFORMING] = { 0xfffff, 0x9e, DESC_G | DESC_DB },
	[CODE_USER] = { 0xfffff, 0xfa, DESC_G | DESC_DB },
	[CODE_LEVEL1] = { 0xfffff, 0xba, DESC_G | DESC_DB },
	[CODE_16] = { 0xffff, 0x9a, 0 },
	[CODE_ABSENT] = { 0xfffff, 0x1a, DESC_G | DESC_DB },
	[CODE_SMALL] = { 0x87ff, 0x9a, DESC_DB },
	[CODE_EXECUTE_ONLY] = { 0xfffff, 0x98, DESC_G | DESC_DB },
	[DATA_RO] = { 0xfffff, 0x90, DESC_G | DESC_DB },
	[STACK_LEVEL1] = { 0xfffff, 0xb2, DESC_G | DESC_DB },
	[STACK_USER_RO] = { 0xfffff, 0xf0, DESC_G | DESC_DB },
	[STACK_USER_ABSENT] = { 0xfffff, 0x72, DESC_G | DESC_DB },
	[STACK_USER] = { 0xfffff, 0xf2, DESC_G | DESC_DB },
	[STACK_LEVEL1_ABSENT] = { 0xfffff, 0x32, DESC_G | DESC_DB },
	[STACK_LEVEL1_RO] = { 0xfffff, 0xb0, DESC_G | DESC_DB },
};

#define JMP  0xea
#define CALL 0x9a
#define RETF 0xcb
#define IRET 0xcf

#define TARGET_AFTER (SHOT_TARGET + 2) /* behind its INT */
#define CALL_LENGTH  7

static void prepare(struct shot *s, unsigned cpl)
{
	shot_reset32(s);
	for (unsigned i = 0; i < COUNT; i++)
		shot_gdt[S(i) / 8] = descriptor(
			0, table[i].limit, table[i].access, table[i].flags);
	shot_tss.legacy.esp1 = SHOT_STACK1;
	shot_tss.legacy.ss1 = S(STACK_LEVEL1) | 1;
	if (cpl)
		shot_user(s);
}

static void far(struct shot *s, uint8_t opcode, uint16_t selector,
		uint32_t offset)
{
	SHOT32(s, opcode, LE32(offset), LE16(selector));
}

/* ---- To a code segment --------------------------------------------------- */

static const struct direct {
	const char *name;
	uint8_t cpl;
	uint16_t selector;
	uint8_t vector;
	uint16_t error;
} directs[] = {
	/* clang-format off */
	{ "same", 0, S(CODE_SAME), END, 0 },
	/* RPL may be less than CPL, not more. */
	{ "rpl3", 0, S(CODE_SAME) | 3, GP, S(CODE_SAME) },
	{ "conforming", 0, S(CODE_CONFORMING), END, 0 },
	{ "conforming-rpl3", 0, S(CODE_CONFORMING) | 3, END, 0 },
	{ "user", 0, S(CODE_USER), GP, S(CODE_USER) },
	{ "user-rpl3", 0, S(CODE_USER) | 3, GP, S(CODE_USER) },
	{ "execute-only", 0, S(CODE_EXECUTE_ONLY), END, 0 },
	{ "16-bit", 0, S(CODE_16), END, 0 },
	{ "absent", 0, S(CODE_ABSENT), NP, S(CODE_ABSENT) },
	{ "small", 0, S(CODE_SMALL), GP, 0 },
	{ "data", 0, S(DATA_RO), GP, S(DATA_RO) },
	{ "null", 0, 0, GP, 0 },
	{ "null-rpl", 0, 3, GP, 0 },
	{ "beyond", 0, 0x400, GP, 0x400 },
	{ "local", 0, 0xc, GP, 0xc },
	{ "from-user", 3, S(CODE_USER), END, 0 },
	{ "from-user-rpl3", 3, S(CODE_USER) | 3, END, 0 },
	{ "from-user-inner", 3, S(CODE_SAME), GP, S(CODE_SAME) },
	{ "from-user-conforming", 3, S(CODE_CONFORMING), END, 0 },
	{ "from-user-level1", 3, S(CODE_LEVEL1) | 1, GP, S(CODE_LEVEL1) },
	/* clang-format on */
};

static void test_direct(const struct direct *row, uint8_t opcode)
{
	const char *group = opcode == JMP ? "jmp" : "call";
	uint16_t cs;
	struct shot s;

	prepare(&s, row->cpl);
	cs = (uint16_t)s.seg[SHOT_CS];
	far(&s, opcode, row->selector, SHOT_TARGET);
	shot_expect_end(group, row->name, &s, row->vector, row->error);
	if (row->vector != END) {
		shot_expect(group, row->name, "rip", s.rip, SHOT_CODE);
		return;
	}
	shot_expect(group, row->name, "cs", s.seg[SHOT_CS],
		    (row->selector & 0xfffcu) | row->cpl);
	shot_expect(group, row->name, "eip", s.rip, TARGET_AFTER);
	if (opcode == JMP)
		return;
	shot_expect(group, row->name, "esp", s.gpr[SHOT_ESP], SHOT_STACK - 8);
	shot_expect(group, row->name, "return",
		    (uint64_t)peek32(SHOT_STACK - 4) << 32 |
			    peek32(SHOT_STACK - 8),
		    (uint64_t)cs << 32 | (SHOT_CODE + CALL_LENGTH));
}

static void test_accessed(void)
{
	struct shot s;

	prepare(&s, 0);
	far(&s, JMP, S(CODE_SAME), SHOT_TARGET);
	shot_expect("jmp", "accessed", "", shot_gdt[S(CODE_SAME) / 8] >> 40 & 1,
		    1);
	prepare(&s, 0);
	far(&s, JMP, S(CODE_USER), SHOT_TARGET);
	shot_expect("jmp", "not-accessed", "",
		    shot_gdt[S(CODE_USER) / 8] >> 40 & 1, 0);
	/* 16-bit operands push words. */
	prepare(&s, 0);
	SHOT32(&s, 0x66, CALL, LE16(SHOT_TARGET), LE16(S(CODE_SAME)));
	shot_expect_end("call", "word", &s, END, 0);
	shot_expect("call", "word", "esp", s.gpr[SHOT_ESP], SHOT_STACK - 4);
	shot_expect("call", "word", "return", peek32(SHOT_STACK - 4),
		    (uint32_t)SEL_CODE32 << 16 | (SHOT_CODE + 6));
}

/* ---- Call gates ---------------------------------------------------------- */

#define GATE32 0x8c
#define GATE16 0x84
#define USER   0x60 /* DPL 3 */
#define ABSENT 0x80 /* to be taken away */

static const struct through {
	const char *name;
	uint8_t opcode;
	uint8_t cpl;
	uint8_t rpl;
	uint8_t access;
	uint16_t selector; /* in the gate */
	uint8_t vector;
	uint16_t error;
} throughs[] = {
	/* clang-format off */
	{ "same", CALL, 0, 0, GATE32, S(CODE_SAME), END, 0 },
	{ "jmp-same", JMP, 0, 0, GATE32, S(CODE_SAME), END, 0 },
	{ "rpl3", CALL, 0, 3, GATE32, S(CODE_SAME), GP, S(GATE) },
	{ "code-rpl3", CALL, 0, 0, GATE32, S(CODE_SAME) | 3, END, 0 },
	{ "conforming", CALL, 0, 0, GATE32, S(CODE_CONFORMING), END, 0 },
	{ "absent", CALL, 0, 0, GATE32 & ~ABSENT, S(CODE_SAME), NP, S(GATE) },
	{ "code-absent", CALL, 0, 0, GATE32, S(CODE_ABSENT), NP,
	  S(CODE_ABSENT) },
	{ "code-null", CALL, 0, 0, GATE32, 0, GP, 0 },
	{ "code-beyond", CALL, 0, 0, GATE32, 0x400, GP, 0x400 },
	{ "code-data", CALL, 0, 0, GATE32, S(DATA_RO), GP, S(DATA_RO) },
	{ "code-outer", CALL, 0, 0, GATE32, S(CODE_USER), GP, S(CODE_USER) },
	{ "code-gate", CALL, 0, 0, GATE32, S(GATE), GP, S(GATE) },
	{ "interrupt-gate", CALL, 0, 0, 0x8e, S(CODE_SAME), GP, S(GATE) },
	{ "type-8", CALL, 0, 0, 0x88, S(CODE_SAME), GP, S(GATE) },
	{ "ldt", CALL, 0, 0, 0x82, S(CODE_SAME), GP, S(GATE) },
	{ "gate-dpl0", CALL, 3, 3, GATE32, S(CODE_SAME), GP, S(GATE) },
	{ "user-inner", CALL, 3, 3, GATE32 | USER, S(CODE_SAME), END, 0 },
	{ "user-level1", CALL, 3, 3, GATE32 | USER, S(CODE_LEVEL1), END, 0 },
	{ "user-same", CALL, 3, 3, GATE32 | USER, S(CODE_USER) | 3, END, 0 },
	{ "user-conforming", CALL, 3, 3, GATE32 | USER, S(CODE_CONFORMING),
	  END, 0 },
	{ "user-jmp-inner", JMP, 3, 3, GATE32 | USER, S(CODE_SAME), GP,
	  S(CODE_SAME) },
	{ "user-jmp-conforming", JMP, 3, 3, GATE32 | USER, S(CODE_CONFORMING),
	  END, 0 },
	{ "user-jmp-same", JMP, 3, 3, GATE32 | USER, S(CODE_USER), END, 0 },
	{ "16-same", CALL, 0, 0, GATE16, S(CODE_SAME), END, 0 },
	{ "16-inner", CALL, 3, 3, GATE16 | USER, S(CODE_SAME), END, 0 },
	{ "small", CALL, 0, 0, GATE32, S(CODE_SMALL), GP, 0 },
	/* clang-format on */
};

static unsigned level_of(const struct through *row)
{
	unsigned access = table[(row->selector - S(0)) / 8].access;

	return access & 4 ? row->cpl : access >> 5 & 3;
}

static void test_through(const struct through *row)
{
	struct shot s;
	unsigned level, size = row->access & 8 ? 4 : 2, items;
	uint32_t stack = SHOT_STACK;

	prepare(&s, row->cpl);
	shot_gdt[S(GATE) / 8] =
		gate(row->selector, SHOT_TARGET, row->access, 0);
	/* The offset in the instruction does not count. */
	far(&s, row->opcode, S(GATE) | row->rpl, 0xdeadbeef);
	shot_expect_end("gate", row->name, &s, row->vector, row->error);
	if (row->vector != END) {
		shot_expect("gate", row->name, "esp", s.gpr[SHOT_ESP],
			    SHOT_STACK);
		return;
	}
	level = level_of(row);
	items = row->opcode == JMP ? 0 : 2;
	if (level != row->cpl) {
		stack = level ? SHOT_STACK1 : SHOT_STACK0;
		items = 4;
	}
	shot_expect("gate", row->name, "cs", s.seg[SHOT_CS],
		    (row->selector & 0xfffcu) | level);
	shot_expect("gate", row->name, "esp", s.gpr[SHOT_ESP],
		    stack - items * size);
}

/* The frame on the inner stack, with parameters, and the way back. */
static void test_parameters(void)
{
	struct shot s;
	uint32_t at = SHOT_STACK0 - 6 * 4;

	prepare(&s, 3);
	shot_gdt[S(GATE) / 8] =
		gate(S(CODE_SAME), SHOT_TARGET, GATE32 | USER, 2);
	poke32(SHOT_STACK - 8, 0xaaaa1111);
	poke32(SHOT_STACK - 4, 0xbbbb2222);
	s.gpr[SHOT_ESP] = SHOT_STACK - 8;
	far(&s, CALL, S(GATE) | 3, 0);
	shot_expect_end("parameters", "call", &s, END, 0);
	shot_expect("parameters", "esp", "", s.gpr[SHOT_ESP], at);
	shot_expect("parameters", "eip", "", peek32(at),
		    SHOT_CODE + CALL_LENGTH);
	shot_expect("parameters", "cs", "", peek32(at + 4), SEL_USER32 | 3);
	shot_expect("parameters", "first", "", peek32(at + 8), 0xaaaa1111);
	shot_expect("parameters", "second", "", peek32(at + 12), 0xbbbb2222);
	shot_expect("parameters", "old-esp", "", peek32(at + 16),
		    SHOT_STACK - 8);
	shot_expect("parameters", "old-ss", "", peek32(at + 20) & 0xffff,
		    SEL_USER_DATA | 3);
	shot_expect("parameters", "ss", "", s.seg[SHOT_SS], SEL_DATA);

	/* Words, and RETF 4 back; at level 1, whose stack INT leaves alone. */
	prepare(&s, 3);
	shot_gdt[S(GATE) / 8] =
		gate(S(CODE_LEVEL1), SHOT_TARGET + 16, GATE16 | USER, 2);
	*(volatile uint32_t *)(uint64_t)(SHOT_TARGET + 16) = 0x0004ca66;
	poke32(SHOT_STACK - 4, 0xcccc3333);
	s.gpr[SHOT_ESP] = SHOT_STACK - 4;
	far(&s, CALL, S(GATE) | 3, 0);
	shot_expect_end("parameters", "16-returns", &s, END, 0);
	shot_expect("parameters", "16-esp", "", s.gpr[SHOT_ESP], SHOT_STACK);
	shot_expect("parameters", "16-cs", "", s.seg[SHOT_CS], SEL_USER32 | 3);
	shot_expect("parameters", "16-eip", "", s.rip,
		    SHOT_CODE + CALL_LENGTH + 2);
	at = SHOT_STACK1 - 6 * 2;
	shot_expect("parameters", "16-words", "", peek64(at),
		    0xcccc333300000000ull | (uint64_t)(SEL_USER32 | 3) << 16 |
			    (SHOT_CODE + CALL_LENGTH));
	shot_expect("parameters", "16-stack", "", peek32(at + 8),
		    (uint32_t)(SEL_USER_DATA | 3) << 16 | (SHOT_STACK - 4));
}

/* The stack of level 1, which the TSS has wrong. */
static const struct {
	const char *name;
	uint16_t ss1;
	uint8_t vector;
	uint16_t error;
} inner[] = {
	/* clang-format off */
	{ "good", S(STACK_LEVEL1) | 1, END, 0 },
	{ "null", 0, TS, 0 },
	{ "null-rpl1", 1, TS, 0 },
	{ "beyond", 0x401, TS, 0x400 },
	{ "rpl0", S(STACK_LEVEL1), TS, S(STACK_LEVEL1) },
	{ "dpl3", S(STACK_USER) | 1, TS, S(STACK_USER) },
	{ "code", S(CODE_LEVEL1) | 1, TS, S(CODE_LEVEL1) },
	{ "read-only", S(STACK_LEVEL1_RO) | 1, TS, S(STACK_LEVEL1_RO) },
	{ "absent", S(STACK_LEVEL1_ABSENT) | 1, SS, S(STACK_LEVEL1_ABSENT) },
	/* clang-format on */
};

static void test_inner(void)
{
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(inner); i++) {
		prepare(&s, 3);
		shot_gdt[S(GATE) / 8] =
			gate(S(CODE_LEVEL1), SHOT_TARGET, GATE32 | USER, 0);
		shot_tss.legacy.ss1 = inner[i].ss1;
		far(&s, CALL, S(GATE) | 3, 0);
		shot_expect_end("inner", inner[i].name, &s, inner[i].vector,
				inner[i].error);
		/* The same by an interrupt: the error code says external or
		 * not by its EXT bit, which software has clear. */
		prepare(&s, 3);
		idt32[0x90] = gate(S(CODE_LEVEL1), SHOT_TARGET, 0xee, 0);
		shot_tss.legacy.ss1 = inner[i].ss1;
		SHOT32(&s, 0xcd, 0x90);
		shot_expect_end("inner-int", inner[i].name, &s, inner[i].vector,
				inner[i].error);
	}
	/* The TSS ends before level 1's stack. */
	prepare(&s, 3);
	shot_gdt[S(GATE) / 8] =
		gate(S(CODE_LEVEL1), SHOT_TARGET, GATE32 | USER, 0);
	shot_gdt[SEL_TSS / 8] = descriptor((uint64_t)&shot_tss, 0x10, 0x89, 0);
	far(&s, CALL, S(GATE) | 3, 0);
	shot_expect_end("inner", "tss-limit", &s, TS, SEL_TSS);
}

/* ---- RETF and IRET ------------------------------------------------------- */

static const struct back {
	const char *name;
	uint8_t cpl;
	uint16_t cs;
	uint16_t ss; /* to an outer level only */
	uint8_t vector;
	uint16_t error;
} backs[] = {
	/* clang-format off */
	{ "same", 0, S(CODE_SAME), 0, END, 0 },
	{ "conforming", 0, S(CODE_CONFORMING), 0, END, 0 },
	{ "null", 0, 0, 0, GP, 0 },
	{ "beyond", 0, 0x400, 0, GP, 0x400 },
	{ "data", 0, S(DATA_RO), 0, GP, S(DATA_RO) },
	{ "absent", 0, S(CODE_ABSENT), 0, NP, S(CODE_ABSENT) },
	{ "small", 0, S(CODE_SMALL), 0, GP, 0 },
	{ "user-rpl0", 0, S(CODE_USER), 0, GP, S(CODE_USER) },
	{ "same-rpl3", 0, S(CODE_SAME) | 3, S(STACK_USER) | 3, GP,
	  S(CODE_SAME) },
	{ "gate", 0, S(GATE), 0, GP, S(GATE) },
	{ "outer", 0, S(CODE_USER) | 3, S(STACK_USER) | 3, END, 0 },
	{ "outer-conforming", 0, S(CODE_CONFORMING) | 3, S(STACK_USER) | 3,
	  END, 0 },
	{ "outer-level1", 0, S(CODE_LEVEL1) | 1, S(STACK_LEVEL1) | 1, END, 0 },
	{ "outer-ss-null", 0, S(CODE_USER) | 3, 0, GP, 0 },
	{ "outer-ss-null-rpl3", 0, S(CODE_USER) | 3, 3, GP, 0 },
	{ "outer-ss-beyond", 0, S(CODE_USER) | 3, 0x403, GP, 0x400 },
	{ "outer-ss-rpl0", 0, S(CODE_USER) | 3, S(STACK_USER), GP,
	  S(STACK_USER) },
	{ "outer-ss-dpl1", 0, S(CODE_USER) | 3, S(STACK_LEVEL1) | 3, GP,
	  S(STACK_LEVEL1) },
	{ "outer-ss-code", 0, S(CODE_USER) | 3, S(CODE_USER) | 3, GP,
	  S(CODE_USER) },
	{ "outer-ss-read-only", 0, S(CODE_USER) | 3, S(STACK_USER_RO) | 3, GP,
	  S(STACK_USER_RO) },
	{ "outer-ss-absent", 0, S(CODE_USER) | 3, S(STACK_USER_ABSENT) | 3,
	  SS, S(STACK_USER_ABSENT) },
	{ "inner", 3, S(CODE_SAME), 0, GP, S(CODE_SAME) },
	{ "user-same", 3, S(CODE_USER) | 3, 0, END, 0 },
	{ "user-rpl1", 3, S(CODE_LEVEL1) | 1, 0, GP, S(CODE_LEVEL1) },
	/* clang-format on */
};

/* RETF or IRETD; size 2 or 4. */
static void test_back(const struct back *row, uint8_t opcode, unsigned size)
{
	const char *group = opcode == RETF ? size == 4 ? "retf" : "retf16"
			    : size == 4	   ? "iret"
					   : "iret16";
	const uint32_t item[5] = { SHOT_TARGET, row->cs, X86_FLAG_ONE,
				   SHOT_STACK - 0x100, row->ss };
	uint32_t at = SHOT_STACK - 0x40, end;
	struct shot s;

	prepare(&s, row->cpl);
	/* What an outer level may keep, and what not. */
	s.seg[SHOT_ES] = SEL_USER_DATA | 3;
	s.seg[SHOT_FS] = S(CODE_CONFORMING);
	s.gpr[SHOT_ESP] = end = at;
	for (unsigned i = 0; i < 5; i++) {
		if (i == 2 && opcode == RETF)
			continue;
		if (size == 4)
			poke32(end, item[i]);
		else
			*(volatile uint16_t *)(uint64_t)end = (uint16_t)item[i];
		end += size;
	}
	if (size == 2)
		SHOT32(&s, 0x66, opcode);
	else
		SHOT32(&s, opcode);
	shot_expect_end(group, row->name, &s, row->vector, row->error);
	if (row->vector != END) {
		shot_expect(group, row->name, "esp", s.gpr[SHOT_ESP], at);
		return;
	}
	shot_expect(group, row->name, "cs", s.seg[SHOT_CS], row->cs);
	if ((row->cs & 3u) == row->cpl) {
		shot_expect(group, row->name, "esp", s.gpr[SHOT_ESP],
			    end - 2 * size);
		return;
	}
	shot_expect(group, row->name, "ss", s.seg[SHOT_SS], row->ss);
	shot_expect(group, row->name, "esp", s.gpr[SHOT_ESP],
		    SHOT_STACK - 0x100);
	shot_expect(group, row->name, "ds-dropped", s.seg[SHOT_DS], 0);
	shot_expect(group, row->name, "es-kept", s.seg[SHOT_ES],
		    SEL_USER_DATA | 3);
	shot_expect(group, row->name, "fs-kept", s.seg[SHOT_FS],
		    S(CODE_CONFORMING));
}

/* What IRET may change of the flags, by level. */
static void test_iret_flags(void)
{
	static const struct {
		const char *name;
		uint8_t cpl;
		uint32_t old, image, want;
	} row[] = {
		/* clang-format off */
		{ "level0", 0, 0, 0x3200, 0x3202 },
		{ "level0-all", 0, 0, 0x00240ed5, 0x00240ed7 },
		{ "level3-iopl", 3, 0, 0x3200, 0x0002 },
		{ "level3-if", 3, 0x3000, 0x0200, 0x3202 },
		{ "level3-vif", 3, 0, 0x00180000, 0x0002 },
		{ "level3-vm", 3, 0, 0x00020000, 0x0002 },
		{ "level3-ac-id", 3, 0, 0x00240000, 0x00240002 },
		/* clang-format on */
	};
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		uint32_t at = SHOT_STACK - 12;

		prepare(&s, row[i].cpl);
		s.flags |= row[i].old;
		s.gpr[SHOT_ESP] = at;
		poke32(at, SHOT_TARGET);
		poke32(at + 4, row[i].cpl ? S(CODE_USER) | 3 : S(CODE_SAME));
		poke32(at + 8, row[i].image);
		SHOT32(&s, IRET);
		shot_expect_end("iret-flags", row[i].name, &s, END, 0);
		shot_expect("iret-flags", row[i].name, "after", s.flags,
			    row[i].want);
	}
}

void guest_main(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(directs); i++) {
		test_direct(&directs[i], JMP);
		test_direct(&directs[i], CALL);
	}
	test_accessed();
	for (unsigned i = 0; i < ARRAY_SIZE(throughs); i++)
		test_through(&throughs[i]);
	test_parameters();
	test_inner();
	for (unsigned i = 0; i < ARRAY_SIZE(backs); i++) {
		test_back(&backs[i], RETF, 4);
		test_back(&backs[i], RETF, 2);
		test_back(&backs[i], IRET, 4);
		test_back(&backs[i], IRET, 2);
	}
	test_iret_flags();
}
