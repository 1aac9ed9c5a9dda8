/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long mode's gates and far transfers: interrupts through 64-bit gates and
 * interrupt stacks, 64-bit call gates, RET and IRET with and without SS, far
 * transfers between 64-bit and compatibility mode; system descriptors of 16
 * bytes, and what LAR and LSL say about them.
 */
#include "tests/guest/lib/shot_names.h"

#include "lib/string.h"

enum {
	CODE64 = 0,
	CODE_BOTH, /* L and D */
	CODE64_ABSENT,
	CODE64_LEVEL1,
	CODE64_CONFORMING,
	DATA_LEVEL1,
	GATE = 8, /* two places each from here on */
	LDT = 10,
	TSS = 12,
	TSS_BUSY = 14,
	TSS16 = 16,
	TASK_GATE = 18,
	CALL_GATE16 = 20,
	INTERRUPT_GATE = 22,
	LDT_BAD = 24,  /* the upper half has a type */
	LDT_HIGH = 26, /* not canonical */
	TSS_BAD = 28,
};

#define NOT_CANONICAL 0x800000000000ull
/* In the last of the four double words: nothing else may be there. */
#define HIGH_TYPE     BIT(40)
#define HIGH_S	      BIT(44)
#define IST2_STACK    (SHOT_STACK1 - 8) /* to be aligned */
#define INT_VECTOR    0x90

static uint64_t local_table[2];

static void system_set(unsigned place, uint64_t base, unsigned access,
		       uint64_t high)
{
	shot_gdt[S(place) / 8] = descriptor(base, 103, access, 0);
	shot_gdt[S(place) / 8 + 1] = high;
}

static void prepare(struct shot *s, unsigned cpl)
{
	shot_reset64(s);
	shot_gdt[S(CODE64) / 8] = descriptor(0, 0, 0x9a, DESC_L);
	shot_gdt[S(CODE_BOTH) / 8] = descriptor(0, 0, 0x9a, DESC_L | DESC_DB);
	shot_gdt[S(CODE64_ABSENT) / 8] = descriptor(0, 0, 0x1a, DESC_L);
	shot_gdt[S(CODE64_LEVEL1) / 8] = descriptor(0, 0, 0xba, DESC_L);
	shot_gdt[S(CODE64_CONFORMING) / 8] = descriptor(0, 0, 0x9e, DESC_L);
	shot_gdt[S(DATA_LEVEL1) / 8] =
		descriptor(0, 0xfffff, 0xb2, DESC_G | DESC_DB);
	system_set(LDT, (uint64_t)local_table, 0x82, 0);
	system_set(TSS, (uint64_t)&shot_tss, 0x89, 0);
	system_set(TSS_BUSY, (uint64_t)&shot_tss, 0x8b, 0);
	system_set(TSS16, (uint64_t)&shot_tss, 0x81, 0);
	system_set(TASK_GATE, 0, 0x85, 0);
	system_set(CALL_GATE16, 0, 0x84, 0);
	system_set(INTERRUPT_GATE, 0, 0x8e, 0);
	system_set(LDT_BAD, (uint64_t)local_table, 0x82, HIGH_TYPE);
	system_set(LDT_HIGH, (uint64_t)local_table, 0x82, NOT_CANONICAL >> 32);
	system_set(TSS_BAD, (uint64_t)&shot_tss, 0x89, HIGH_TYPE);
	shot_tss.wide.ist[1] = IST2_STACK;
	if (cpl)
		shot_user(s);
}

/* ---- Interrupts ---------------------------------------------------------- */

static const struct interrupt {
	const char *name;
	uint8_t cpl;
	uint8_t access;
	uint8_t ist;
	uint16_t selector;
	uint8_t vector;
	uint16_t error;
	uint32_t stack; /* the frame's end */
} interrupts[] = {
#define CODE_IDT (INT_VECTOR * 8 + 2)
	/* clang-format off */
	{ "same", 0, 0x8e, 0, S(CODE64), END, 0, SHOT_STACK },
	{ "trap-gate", 0, 0x8f, 0, S(CODE64), END, 0, SHOT_STACK },
	{ "inner", 3, 0xee, 0, S(CODE64), END, 0, SHOT_STACK0 },
	{ "inner-level1", 3, 0xee, 0, S(CODE64_LEVEL1), END, 0, SHOT_STACK1 },
	{ "conforming", 3, 0xee, 0, S(CODE64_CONFORMING), END, 0, SHOT_STACK },
	{ "ist", 0, 0x8e, 2, S(CODE64), END, 0, IST2_STACK & ~15u },
	{ "ist-inner", 3, 0xee, 2, S(CODE64), END, 0, IST2_STACK & ~15u },
	{ "dpl", 3, 0x8e, 0, S(CODE64), GP, CODE_IDT, 0 },
	{ "gate-absent", 0, 0x0e, 0, S(CODE64), NP, CODE_IDT, 0 },
	{ "gate16", 0, 0x86, 0, S(CODE64), GP, CODE_IDT, 0 },
	{ "task-gate", 0, 0x85, 0, S(CODE64), GP, CODE_IDT, 0 },
	{ "call-gate", 0, 0x8c, 0, S(CODE64), GP, CODE_IDT, 0 },
	{ "code-null", 0, 0x8e, 0, 0, GP, 0, 0 },
	{ "code-beyond", 0, 0x8e, 0, 0x400, GP, 0x400, 0 },
	{ "code-data", 0, 0x8e, 0, SEL_DATA, GP, SEL_DATA, 0 },
	{ "code-32", 0, 0x8e, 0, SEL_CODE32, GP, SEL_CODE32, 0 },
	{ "code-both", 0, 0x8e, 0, S(CODE_BOTH), GP, S(CODE_BOTH), 0 },
	{ "code-absent", 0, 0x8e, 0, S(CODE64_ABSENT), NP, S(CODE64_ABSENT),
	  0 },
	{ "code-outer", 0, 0x8e, 0, SEL_USER64, GP, SEL_USER64, 0 },
	/* clang-format on */
};

static void check_frame(const char *group, const char *name,
			const struct shot *s, uint32_t stack, uint64_t rip,
			unsigned cpl)
{
	uint64_t at = stack - 40;

	shot_expect(group, name, "rsp", s->gpr[SHOT_ESP], at);
	shot_expect(group, name, "frame-rip", peek64(at), rip);
	shot_expect(group, name, "frame-cs", peek64(at + 8),
		    cpl ? SEL_USER64 | 3 : SEL_CODE64);
	shot_expect(group, name, "frame-rsp", peek64(at + 24), SHOT_STACK);
	shot_expect(group, name, "frame-ss", peek64(at + 32),
		    cpl ? SEL_USER_DATA | 3 : SEL_DATA);
}

static void test_interrupt(const struct interrupt *row)
{
	unsigned level = (unsigned)(shot_gdt[row->selector / 8] >> 45 & 3);
	struct shot s;

	prepare(&s, row->cpl);
	level = (unsigned)(shot_gdt[row->selector / 8] >> 45 & 3);
	if (shot_gdt[row->selector / 8] & BIT(42))
		level = row->cpl;
	shot_idt[INT_VECTOR][0] =
		gate(row->selector, SHOT_TARGET, row->access, row->ist);
	shot_idt[INT_VECTOR][1] = 0;
	SHOT64(&s, 0xcd, INT_VECTOR);
	shot_expect_end("int", row->name, &s, row->vector, row->error);
	if (row->vector != END)
		return;
	check_frame("int", row->name, &s, row->stack, SHOT_CODE + 2, row->cpl);
	shot_expect("int", row->name, "cs", s.seg[SHOT_CS],
		    row->selector | level);
	/* SS is null after a change of level only. */
	shot_expect("int", row->name, "ss", s.seg[SHOT_SS],
		    level != row->cpl ? level
		    : row->cpl	      ? SEL_USER_DATA | 3
				      : SEL_DATA);
}

static void test_interrupt_stacks(void)
{
	struct shot s;

	prepare(&s, 3);
	shot_idt[INT_VECTOR][0] = gate(S(CODE64_LEVEL1), SHOT_TARGET, 0xee, 0);
	shot_tss.wide.rsp[1] = NOT_CANONICAL;
	SHOT64(&s, 0xcd, INT_VECTOR);
	shot_expect_end("stack", "not-canonical", &s, SS, 0);
	prepare(&s, 0);
	shot_idt[INT_VECTOR][0] = gate(S(CODE64), SHOT_TARGET, 0x8e, 2);
	shot_tss.wide.ist[1] = NOT_CANONICAL;
	SHOT64(&s, 0xcd, INT_VECTOR);
	shot_expect_end("stack", "ist-not-canonical", &s, SS, 0);
	/* From compatibility mode */
	prepare(&s, 0);
	s.seg[SHOT_CS] = SEL_USER32 | 3;
	s.seg[SHOT_SS] = SEL_USER_DATA | 3;
	shot_idt[INT_VECTOR][0] = gate(S(CODE64), SHOT_TARGET, 0xee, 0);
	SHOT64(&s, 0xcd, INT_VECTOR);
	shot_expect_end("stack", "compatibility", &s, END, 0);
	shot_expect("stack", "compatibility", "frame", peek64(SHOT_STACK0 - 32),
		    SEL_USER32 | 3);
	/* The handler's address is no address. */
	prepare(&s, 0);
	shot_idt[INT_VECTOR][0] = gate(S(CODE64), SHOT_TARGET, 0x8e, 0);
	shot_idt[INT_VECTOR][1] = NOT_CANONICAL >> 32;
	SHOT64(&s, 0xcd, INT_VECTOR);
	shot_expect_end("stack", "rip-not-canonical", &s, GP, 0);
}

/* ---- Call gates ---------------------------------------------------------- */

static const struct through {
	const char *name;
	uint8_t cpl;
	bool is_jump;
	uint8_t access;
	uint16_t selector;
	uint64_t high;
	uint8_t vector;
	uint16_t error;
} throughs[] = {
	/* clang-format off */
	{ "same", 0, false, 0x8c, S(CODE64), 0, END, 0 },
	{ "jmp", 0, true, 0x8c, S(CODE64), 0, END, 0 },
	{ "inner", 3, false, 0xec, S(CODE64), 0, END, 0 },
	{ "inner-level1", 3, false, 0xec, S(CODE64_LEVEL1), 0, END, 0 },
	{ "jmp-inner", 3, true, 0xec, S(CODE64), 0, GP, S(CODE64) },
	{ "dpl", 3, false, 0x8c, S(CODE64), 0, GP, S(GATE) },
	{ "high-type", 0, false, 0x8c, S(CODE64), HIGH_TYPE, GP,
	  S(GATE) },
	{ "high-s", 0, false, 0x8c, S(CODE64), HIGH_S, GP, S(GATE) },
	{ "absent", 0, false, 0x0c, S(CODE64), 0, NP, S(GATE) },
	{ "type-16", 0, false, 0x84, S(CODE64), 0, GP, S(GATE) },
	{ "type-task", 0, false, 0x85, S(CODE64), 0, GP, S(GATE) },
	{ "type-tss", 0, false, 0x89, S(CODE64), 0, GP, S(GATE) },
	{ "code-32", 0, false, 0x8c, SEL_CODE32, 0, GP, SEL_CODE32 },
	{ "code-both", 0, false, 0x8c, S(CODE_BOTH), 0, GP, S(CODE_BOTH) },
	{ "code-absent", 0, false, 0x8c, S(CODE64_ABSENT), 0, NP,
	  S(CODE64_ABSENT) },
	{ "code-null", 0, false, 0x8c, 0, 0, GP, 0 },
	{ "rip-not-canonical", 0, false, 0x8c, S(CODE64), NOT_CANONICAL >> 32,
	  GP, 0 },
	/* clang-format on */
};

static void test_through(const struct through *row)
{
	unsigned level, items = row->is_jump ? 0 : 2;
	uint32_t stack = SHOT_STACK;
	struct shot s;

	prepare(&s, row->cpl);
	level = (unsigned)(shot_gdt[row->selector / 8] >> 45 & 3);
	shot_gdt[S(GATE) / 8] =
		gate(row->selector, SHOT_TARGET, row->access, 0);
	shot_gdt[S(GATE) / 8 + 1] = row->high;
	poke32(SHOT_DATA, 0xdeadbeef);
	poke32(SHOT_DATA + 4, S(GATE) | row->cpl);
	s.gpr[SHOT_EBX] = SHOT_DATA;
	SHOT64(&s, 0xff, row->is_jump ? 0x2b : 0x1b);
	shot_expect_end("gate", row->name, &s, row->vector, row->error);
	if (row->vector != END)
		return;
	if (level != row->cpl) {
		stack = level ? SHOT_STACK1 : SHOT_STACK0;
		items = 4;
		shot_expect("gate", row->name, "old-rsp", peek64(stack - 16),
			    SHOT_STACK);
		shot_expect("gate", row->name, "ss", s.seg[SHOT_SS], level);
	}
	shot_expect("gate", row->name, "rsp", s.gpr[SHOT_ESP],
		    stack - 8 * items);
	shot_expect("gate", row->name, "cs", s.seg[SHOT_CS],
		    row->selector | level);
	if (items)
		shot_expect("gate", row->name, "return",
			    peek64(stack - 8 * items), SHOT_CODE + 2);
}

/* ---- Direct far transfers, in and out of compatibility mode ---------------
 */

static const struct {
	const char *name;
	uint16_t from;
	uint16_t to;
	uint8_t vector;
	uint16_t error;
} directs[] = {
	/* clang-format off */
	{ "64-to-64", SEL_CODE64, S(CODE64), END, 0 },
	{ "64-to-32", SEL_CODE64, SEL_CODE32, END, 0 },
	{ "32-to-64", SEL_CODE32, S(CODE64), END, 0 },
	{ "to-both", SEL_CODE64, S(CODE_BOTH), GP, S(CODE_BOTH) },
	{ "to-absent", SEL_CODE64, S(CODE64_ABSENT), NP, S(CODE64_ABSENT) },
	{ "to-tss", SEL_CODE64, S(TSS), GP, S(TSS) },
	{ "to-task-gate", SEL_CODE32, S(TASK_GATE), GP, S(TASK_GATE) },
	{ "to-null", SEL_CODE64, 0, GP, 0 },
	/* clang-format on */
};

static void test_directs(void)
{
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(directs); i++) {
		prepare(&s, 0);
		s.seg[SHOT_CS] = directs[i].from;
		poke32(SHOT_DATA, SHOT_TARGET);
		poke32(SHOT_DATA + 4, directs[i].to);
		s.gpr[SHOT_EBX] = SHOT_DATA;
		SHOT64(&s, 0xff, 0x2b); /* jmp far [rbx] */
		shot_expect_end("far", directs[i].name, &s, directs[i].vector,
				directs[i].error);
		if (directs[i].vector == END)
			shot_expect("far", directs[i].name, "cs",
				    s.seg[SHOT_CS], directs[i].to);
	}
}

/* ---- IRETQ and RETFQ ----------------------------------------------------- */

static const struct back {
	const char *name;
	uint16_t cs;
	uint16_t ss;
	uint64_t rip;
	uint8_t vector;
	uint16_t error;
} backs[] = {
	/* clang-format off */
	{ "same", S(CODE64), SEL_DATA, SHOT_TARGET, END, 0 },
	{ "same-ss-null", S(CODE64), 0, SHOT_TARGET, END, 0 },
	{ "outer", SEL_USER64 | 3, SEL_USER_DATA | 3, SHOT_TARGET, END, 0 },
	{ "outer-32", SEL_USER32 | 3, SEL_USER_DATA | 3, SHOT_TARGET, END, 0 },
	{ "level1-ss-null", S(CODE64_LEVEL1) | 1, 1, SHOT_TARGET, END, 0 },
	{ "level1-ss-rpl0", S(CODE64_LEVEL1) | 1, 0, SHOT_TARGET, GP, 0 },
	{ "outer-ss-null", SEL_USER64 | 3, 3, SHOT_TARGET, GP, 0 },
	{ "outer-32-ss-null", SEL_USER32 | 3, 3, SHOT_TARGET, GP, 0 },
	{ "outer-ss-level0", SEL_USER64 | 3, SEL_DATA, SHOT_TARGET, GP,
	  SEL_DATA },
	{ "rip", S(CODE64), SEL_DATA, NOT_CANONICAL, GP, 0 },
	{ "outer-rip", SEL_USER64 | 3, SEL_USER_DATA | 3, NOT_CANONICAL, GP,
	  0 },
	{ "both", S(CODE_BOTH), SEL_DATA, SHOT_TARGET, GP, S(CODE_BOTH) },
	{ "absent", S(CODE64_ABSENT), SEL_DATA, SHOT_TARGET, NP,
	  S(CODE64_ABSENT) },
	{ "null", 0, SEL_DATA, SHOT_TARGET, GP, 0 },
	/* clang-format on */
};

static void test_back(const struct back *row, bool is_iret)
{
	const char *group = is_iret ? "iretq" : "retfq";
	uint64_t at = SHOT_STACK - 0x80;
	struct shot s;

	/* RETF has no SS to take at the same level. */
	if (!is_iret && !(row->cs & 3) && !row->ss)
		return;
	prepare(&s, 0);
	s.gpr[SHOT_ESP] = at;
	poke64(at, row->rip);
	poke64(at + 8, row->cs);
	if (is_iret) {
		poke64(at + 16, X86_FLAG_ONE);
		at += 8;
	}
	poke64(at + 16, SHOT_STACK - 0x200);
	poke64(at + 24, row->ss);
	SHOT64(&s, 0x48, is_iret ? 0xcf : 0xcb);
	shot_expect_end(group, row->name, &s, row->vector, row->error);
	if (row->vector != END)
		return;
	shot_expect(group, row->name, "cs", s.seg[SHOT_CS], row->cs);
	shot_expect(group, row->name, "ss", s.seg[SHOT_SS], row->ss);
	shot_expect(group, row->name, "rsp", s.gpr[SHOT_ESP],
		    is_iret || row->cs & 3 ? SHOT_STACK - 0x200 : at + 16);
}

static void test_nested_task(void)
{
	struct shot s;

	/* IRET with NT is no task switch here. */
	prepare(&s, 0);
	SHOT64(&s, 0x9c,			    /* pushfq */
	       0x81, 0x0c, 0x24, LE32(X86_FLAG_NT), /* or dword [rsp], NT */
	       0x9d,				    /* popfq */
	       0x48, 0xcf);
	shot_expect_end("iretq", "nt", &s, GP, 0);
}

/* ---- Descriptors of 16 bytes --------------------------------------------- */

static const struct {
	const char *name;
	uint8_t modrm; /* of 0F 00: LLDT, LTR */
	uint16_t selector;
	uint8_t vector;
	uint16_t error;
} loads[] = {
	/* clang-format off */
	{ "lldt", 0xd0, S(LDT), END, 0 },
	{ "lldt-null", 0xd0, 3, END, 0 },
	{ "lldt-high-type", 0xd0, S(LDT_BAD), GP, S(LDT_BAD) },
	{ "lldt-not-canonical", 0xd0, S(LDT_HIGH), GP, S(LDT_HIGH) },
	{ "lldt-last", 0xd0, 0x3f8, GP, 0x3f8 },
	{ "ltr", 0xd8, S(TSS), END, 0 },
	{ "ltr-busy", 0xd8, S(TSS_BUSY), GP, S(TSS_BUSY) },
	{ "ltr-16", 0xd8, S(TSS16), GP, S(TSS16) },
	{ "ltr-high-type", 0xd8, S(TSS_BAD), GP, S(TSS_BAD) },
	/* clang-format on */
};

static const struct {
	const char *name;
	uint16_t place;
	bool has_lar, has_lsl;
} looks[] = {
	/* clang-format off */
	{ "code64", CODE64, true, true },
	{ "gate", GATE, true, false },
	{ "ldt", LDT, true, true },
	{ "tss", TSS, true, true },
	{ "tss-busy", TSS_BUSY, true, true },
	{ "tss16", TSS16, false, false },
	{ "task-gate", TASK_GATE, false, false },
	{ "call-gate16", CALL_GATE16, false, false },
	{ "interrupt-gate", INTERRUPT_GATE, false, false },
	/* clang-format on */
};

static void test_descriptors(void)
{
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(loads); i++) {
		prepare(&s, 0);
		shot_gdt[127] = descriptor(0, 103, 0x82, 0);
		s.gpr[SHOT_EAX] = loads[i].selector;
		SHOT64(&s, 0x0f, 0x00, loads[i].modrm);
		shot_expect_end("load", loads[i].name, &s, loads[i].vector,
				loads[i].error);
		if (loads[i].vector == END)
			shot_expect("load", loads[i].name, "register",
				    loads[i].modrm == 0xd0 ? s.ldtr : s.tr,
				    loads[i].selector);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(looks); i++) {
		prepare(&s, 0);
		shot_gdt[S(GATE) / 8] = gate(S(CODE64), SHOT_TARGET, 0x8c, 0);
		s.gpr[SHOT_EAX] = S(looks[i].place);
		SHOT64(&s, 0x0f, 0x02, 0xc8, /* lar ecx, ax */
		       0x0f, 0x94, 0xc3,     /* setz bl */
		       0x0f, 0x03, 0xd0,     /* lsl edx, ax */
		       0x0f, 0x94, 0xc7);    /* setz bh */
		shot_expect("look", looks[i].name, "lar", s.gpr[SHOT_EBX] & 1,
			    looks[i].has_lar);
		shot_expect("look", looks[i].name, "lsl",
			    s.gpr[SHOT_EBX] >> 8 & 1, looks[i].has_lsl);
	}
}

/* ---- Segments and addresses ---------------------------------------------- */

static void test_null_ss(void)
{
	struct shot s;

	prepare(&s, 0);
	s.gpr[SHOT_EAX] = 0;
	SHOT64(&s, 0x8e, 0xd0, 0x50, 0x58); /* mov ss, eax; push, pop rax */
	shot_expect_end("ss", "null", &s, END, 0);
	prepare(&s, 0);
	s.gpr[SHOT_EAX] = 3;
	SHOT64(&s, 0x8e, 0xd0);
	shot_expect_end("ss", "null-rpl3", &s, GP, 0);
	prepare(&s, 3);
	s.gpr[SHOT_EAX] = 3;
	SHOT64(&s, 0x8e, 0xd0);
	shot_expect_end("ss", "null-level3", &s, GP, 0);
}

static const struct {
	const char *name;
	uint8_t code[4];
	uint8_t vector;
} addresses[] = {
	/* clang-format off */
	{ "rax", { 0x48, 0x8b, 0x18, 0x90 }, GP }, /* mov rbx, [rax] */
	{ "rbp", { 0x48, 0x8b, 0x5d, 0x00 }, SS }, /* mov rbx, [rbp] */
	{ "push", { 0x48, 0x89, 0xc4, 0x50 }, SS }, /* mov rsp, rax; push */
	{ "pop", { 0x48, 0x89, 0xc4, 0x58 }, SS },
	{ "lgdt", { 0x0f, 0x01, 0x10, 0x90 }, GP },
	{ "swapgs-level0", { 0x0f, 0x01, 0xf8, 0x90 }, END },
	{ "sysenter", { 0x0f, 0x34, 0x90, 0x90 }, GP },
	/* clang-format on */
};

static void test_addresses(void)
{
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++) {
		const uint8_t *code = addresses[i].code;
		unsigned vector = addresses[i].vector;

		/* AMD's processors have it outside long mode only. */
		if (code[1] == 0x34 && !is_intel())
			vector = UD;
		prepare(&s, 0);
		s.gpr[SHOT_EAX] = s.gpr[SHOT_EBP] = NOT_CANONICAL + 0x1000;
		SHOT64(&s, code[0], code[1], code[2], code[3]);
		shot_expect_end("address", addresses[i].name, &s, vector, 0);
	}
	__asm__ volatile("swapgs");
	prepare(&s, 3);
	SHOT64(&s, 0x0f, 0x01, 0xf8);
	shot_expect_end("address", "swapgs-level3", &s, GP, 0);
}

/* What 64-bit mode has taken away. */
static void test_gone(void)
{
	static const uint8_t gone[] = {
		0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37,
		0x3f, 0x60, 0x61, 0x82, 0x9a, 0xce, 0xd4, 0xd5, 0xd6, 0xea,
	};
	unsigned count = 0;
	struct shot s;

	for (unsigned i = 0; i < sizeof(gone); i++) {
		prepare(&s, 0);
		SHOT64(&s, gone[i], 0xc0);
		count += s.vector == UD && s.rip == SHOT_CODE;
	}
	shot_expect("gone", "", "", count, sizeof(gone));
}

void guest_main(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(interrupts); i++)
		test_interrupt(&interrupts[i]);
	test_interrupt_stacks();
	for (unsigned i = 0; i < ARRAY_SIZE(throughs); i++)
		test_through(&throughs[i]);
	test_directs();
	for (unsigned i = 0; i < ARRAY_SIZE(backs); i++) {
		test_back(&backs[i], true);
		test_back(&backs[i], false);
	}
	test_nested_task();
	test_descriptors();
	test_null_ss();
	test_addresses();
	test_gone();
}
