/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segment limits and types at the time of an access: plain, expand-down, read
 * only, execute only, null segments; stacks and code segments that end; stacks
 * of inner levels that are too small.
 */
#include "tests/guest/lib/shot_names.h"

enum {
	SMALL = 0, /* 0 to FFFh */
	BIG,	   /* 4 KiB units: 0 to 1FFFh */
	DOWN,	   /* 1000h to 4 GiB */
	DOWN16,	   /* 1000h to FFFFh */
	READ_ONLY,
	EXECUTE_ONLY,
	CODE,
	STACK_LEVEL1, /* 0 to 0FFFh */
	CODE_LEVEL1,
	STACK16,
	COUNT,
};

/* All have their base at SHOT_DATA - 1000h, so that 1000h is SHOT_DATA. */
static const struct {
	uint32_t limit;
	uint8_t access;
	uint8_t flags;
} table[COUNT] = {
	[SMALL] = { 0x1fff, 0x92, DESC_DB },
	[BIG] = { 0x1, 0x92, DESC_G | DESC_DB },
	[DOWN] = { 0xfff, 0x96, DESC_DB },
	[DOWN16] = { 0xfff, 0x96, 0 },
	[READ_ONLY] = { 0xffff, 0x90, DESC_DB },
	[EXECUTE_ONLY] = { 0xffff, 0x98, DESC_DB },
	[CODE] = { 0xffff, 0x9a, DESC_DB },
	[STACK_LEVEL1] = { 0xfff, 0xb2, DESC_DB },
	[CODE_LEVEL1] = { 0xfffff, 0xba, DESC_G | DESC_DB },
	[STACK16] = { 0x1fff, 0x92, 0 },
};

#define BASE (SHOT_DATA - 0x1000)

static void prepare(struct shot *s)
{
	shot_reset32(s);
	for (unsigned i = 0; i < COUNT; i++)
		shot_gdt[S(i) / 8] =
			descriptor(i == CODE_LEVEL1 ? 0 : BASE, table[i].limit,
				   table[i].access, table[i].flags);
}

static const struct access {
	const char *name;
	uint16_t selector;
	uint8_t opcode; /* with [fs:ebx]: 8A, 8B read, 88, 89 write */
	uint32_t offset;
	uint8_t vector;
} accesses[] = {
	/* clang-format off */
	{ "byte-last", S(SMALL), 0x8a, 0x1fff, END },
	{ "byte-beyond", S(SMALL), 0x8a, 0x2000, GP },
	{ "dword-last", S(SMALL), 0x8b, 0x1ffc, END },
	{ "dword-over", S(SMALL), 0x8b, 0x1ffd, GP },
	{ "dword-wraps", S(SMALL), 0x8b, 0xfffffffe, GP },
	{ "write-over", S(SMALL), 0x89, 0x1ffe, GP },
	{ "big-last", S(BIG), 0x8b, 0x1ffc, END },
	{ "big-over", S(BIG), 0x8b, 0x1ffd, GP },
	{ "down-first", S(DOWN), 0x8b, 0x1000, END },
	{ "down-below", S(DOWN), 0x8a, 0xfff, GP },
	{ "down-straddles", S(DOWN), 0x8b, 0xffe, GP },
	{ "down-write", S(DOWN), 0x89, 0x1000, END },
	{ "down16", S(DOWN16), 0x8b, 0x1000, END },
	{ "down16-beyond", S(DOWN16), 0x8a, 0x10000, GP },
	{ "down16-over", S(DOWN16), 0x8b, 0xfffd, GP },
	{ "read-only", S(READ_ONLY), 0x8b, 0x1000, END },
	{ "read-only-write", S(READ_ONLY), 0x89, 0x1000, GP },
	{ "code", S(CODE), 0x8b, 0x1000, END },
	{ "code-write", S(CODE), 0x89, 0x1000, GP },
	{ "null", 0, 0x8a, 0x1000, GP },
	{ "null-write", 3, 0x88, 0x1000, GP },
	/* clang-format on */
};

static void test_accesses(void)
{
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(accesses); i++) {
		prepare(&s);
		s.seg[SHOT_FS] = accesses[i].selector;
		s.gpr[SHOT_EBX] = accesses[i].offset;
		SHOT32(&s, 0x64, accesses[i].opcode, 0x03);
		shot_expect_end("data", accesses[i].name, &s,
				accesses[i].vector, 0);
	}
	/* Whoever runs in an execute-only segment cannot read it. */
	prepare(&s);
	shot_gdt[S(EXECUTE_ONLY) / 8] =
		descriptor(0, 0xfffff, 0x98, DESC_G | DESC_DB);
	s.seg[SHOT_CS] = S(EXECUTE_ONLY);
	SHOT32(&s, 0x2e, 0x8b, 0x05, LE32(SHOT_DATA));
	shot_expect_end("data", "execute-only", &s, GP, 0);
}

static void test_code_limit(void)
{
	struct shot s;

	/* The last byte is that of a NOP; then the fetch faults. */
	prepare(&s);
	shot_gdt[S(CODE) / 8] = descriptor(0, SHOT_CODE, 0x9a, DESC_DB);
	s.seg[SHOT_CS] = S(CODE);
	SHOT32(&s, 0x90);
	shot_expect_end("code", "end", &s, GP, 0);
	shot_expect("code", "end", "eip", s.rip, SHOT_CODE + 1);
	/* An instruction over the end faults as a whole. */
	prepare(&s);
	shot_gdt[S(CODE) / 8] = descriptor(0, SHOT_CODE + 1, 0x9a, DESC_DB);
	s.seg[SHOT_CS] = S(CODE);
	SHOT32(&s, 0xb8, LE32(0));
	shot_expect_end("code", "straddles", &s, GP, 0);
	shot_expect("code", "straddles", "eax", s.gpr[SHOT_EAX], 0x11110000);
	/* A branch out of it faults where it is. */
	prepare(&s);
	shot_gdt[S(CODE) / 8] = descriptor(0, SHOT_CODE + 32, 0x9a, DESC_DB);
	s.seg[SHOT_CS] = S(CODE);
	SHOT32(&s, 0xe9, LE32(0x100));
	shot_expect_end("code", "jmp", &s, GP, 0);
	shot_expect("code", "jmp", "eip", s.rip, SHOT_CODE);
	prepare(&s);
	shot_gdt[S(CODE) / 8] = descriptor(0, SHOT_CODE + 32, 0x9a, DESC_DB);
	s.seg[SHOT_CS] = S(CODE);
	SHOT32(&s, 0xe8, LE32(0x100));
	shot_expect_end("code", "call", &s, GP, 0);
	shot_expect("code", "call", "esp", s.gpr[SHOT_ESP], SHOT_STACK);
}

/* At level 3, whose handler has another stack. */
static void test_stacks(void)
{
	static const struct {
		const char *name;
		uint8_t code[2];
		uint16_t place;
		uint32_t esp;
		uint8_t vector;
	} row[] = {
		/* clang-format off */
		{ "push", { 0x50, 0x90 }, SMALL, 0x2000, END },
		{ "push-over", { 0x50, 0x90 }, SMALL, 0x2002, SS },
		{ "push-wraps", { 0x50, 0x90 }, SMALL, 2, SS },
		{ "pop-over", { 0x58, 0x90 }, SMALL, 0x1ffd, SS },
		{ "pop", { 0x58, 0x90 }, SMALL, 0x1ffc, END },
		{ "pusha", { 0x60, 0x90 }, SMALL, 0x10, SS },
		{ "down-push", { 0x50, 0x90 }, DOWN, 0x1004, END },
		{ "down-push-below", { 0x50, 0x90 }, DOWN, 0x1003, SS },
		/* SP is 16 bits wide. */
		{ "16-push", { 0x50, 0x90 }, STACK16, 0xabcd1004, END },
		{ "16-push-over", { 0x50, 0x90 }, STACK16, 0, SS },
		{ "ebp", { 0x8a, 0x45 }, SMALL, 0x2000, SS },
		/* clang-format on */
	};
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		prepare(&s);
		shot_user(&s);
		shot_gdt[S(row[i].place) / 8] |= 0x60ull << 40; /* DPL 3 */
		s.seg[SHOT_SS] = S(row[i].place) | 3;
		s.gpr[SHOT_ESP] = s.gpr[SHOT_EBP] = row[i].esp;
		if (row[i].code[0] == 0x8a)
			SHOT32(&s, 0x8a, 0x45, 0x00); /* mov al, [ebp] */
		else
			SHOT32(&s, row[i].code[0], row[i].code[1]);
		shot_expect_end("stack", row[i].name, &s, row[i].vector, 0);
		/* IRET has left the upper half to a 16-bit stack. */
		if (row[i].vector == SS)
			shot_expect("stack", row[i].name, "esp",
				    s.gpr[SHOT_ESP] & 0xffff, row[i].esp);
	}
}

/* Level 1's stack is too small for what a gate pushes. */
static void test_inner(void)
{
	struct shot s;

	prepare(&s);
	shot_user(&s);
	shot_tss.legacy.esp1 = 12;
	shot_tss.legacy.ss1 = S(STACK_LEVEL1) | 1;
	idt32[0x90] = gate(S(CODE_LEVEL1), SHOT_TARGET, 0xee, 0);
	SHOT32(&s, 0xcd, 0x90);
	shot_expect_end("inner", "int", &s, SS, S(STACK_LEVEL1));
	shot_expect("inner", "int", "cs", s.seg[SHOT_CS], SEL_USER32 | 3);
	prepare(&s);
	shot_user(&s);
	shot_tss.legacy.esp1 = 12;
	shot_tss.legacy.ss1 = S(STACK_LEVEL1) | 1;
	shot_gdt[S(COUNT) / 8] = gate(S(CODE_LEVEL1), SHOT_TARGET, 0xec, 0);
	SHOT32(&s, 0x9a, LE32(0), LE16(S(COUNT) | 3));
	shot_expect_end("inner", "call", &s, SS, S(STACK_LEVEL1));
	prepare(&s);
	shot_user(&s);
	shot_tss.legacy.esp1 = 0x1000;
	shot_tss.legacy.ss1 = S(STACK_LEVEL1) | 1;
	idt32[0x90] = gate(S(CODE_LEVEL1), SHOT_TARGET, 0xee, 0);
	SHOT32(&s, 0xcd, 0x90);
	shot_expect_end("inner", "fits", &s, END, 0);
	shot_expect("inner", "fits", "esp", s.gpr[SHOT_ESP], 0x1000 - 20);
}

void guest_main(void)
{
	test_accesses();
	test_code_limit();
	test_stacks();
	test_inner();
}
