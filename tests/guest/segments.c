/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segment registers of protected mode: which descriptors may be loaded at
 * which level, with what fault, the accessed bit, null selectors, the LDT;
 * and what LAR, LSL, VERR, VERW and ARPL say about descriptors.
 */
#include "tests/guest/lib/shot_names.h"

/* Places in the GDT. */
enum {
	DATA = 0,
	DATA_RO,
	DATA_ABSENT,
	DATA_USER,
	DATA_LEVEL1,
	CODE_EXECUTE_ONLY,
	CODE,
	CODE_CONFORMING,
	CODE_CONFORMING_EXECUTE_ONLY,
	CODE_USER,
	CODE_ABSENT,
	TSS16,
	LDT,
	TSS16_BUSY,
	CALL_GATE16,
	TASK_GATE,
	INTERRUPT_GATE16,
	TSS,
	TSS_BUSY,
	CALL_GATE,
	INTERRUPT_GATE,
	TRAP_GATE,
	SYSTEM_0,
	SYSTEM_8,
	SMALL,
	LDT_USER,
	COUNT,
};

static const struct {
	uint32_t limit;
	uint8_t access;
	uint8_t flags;
} table[COUNT] = {
	[DATA] = { 0xfffff, 0x92, DESC_G | DESC_DB },
	[DATA_RO] = { 0xfffff, 0x90, DESC_G | DESC_DB },
	[DATA_ABSENT] = { 0xfffff, 0x12, DESC_G | DESC_DB },
	[DATA_USER] = { 0xfffff, 0xf2, DESC_G | DESC_DB },
	[DATA_LEVEL1] = { 0xfffff, 0xb2, DESC_G | DESC_DB },
	[CODE_EXECUTE_ONLY] = { 0xfffff, 0x98, DESC_G | DESC_DB },
	[CODE] = { 0xfffff, 0x9a, DESC_G | DESC_DB },
	[CODE_CONFORMING] = { 0xfffff, 0x9e, DESC_G | DESC_DB },
	[CODE_CONFORMING_EXECUTE_ONLY] = { 0xfffff, 0x9c, DESC_G | DESC_DB },
	[CODE_USER] = { 0xfffff, 0xfa, DESC_G | DESC_DB },
	[CODE_ABSENT] = { 0xfffff, 0x1a, DESC_G | DESC_DB },
	[TSS16] = { 43, 0x81, 0 },
	[LDT] = { 63, 0x82, 0 },
	[TSS16_BUSY] = { 43, 0x83, 0 },
	[CALL_GATE16] = { 0, 0x84, 0 },
	[TASK_GATE] = { 0, 0x85, 0 },
	[INTERRUPT_GATE16] = { 0, 0x86, 0 },
	[TSS] = { 103, 0x89, 0 },
	[TSS_BUSY] = { 103, 0x8b, 0 },
	[CALL_GATE] = { 0, 0x8c, 0 },
	[INTERRUPT_GATE] = { 0, 0x8e, 0 },
	[TRAP_GATE] = { 0, 0x8f, 0 },
	[SYSTEM_0] = { 0, 0x80, 0 },
	[SYSTEM_8] = { 0, 0x88, 0 },
	[SMALL] = { 0x12345, 0xf2, 0 },
	[LDT_USER] = { 63, 0xe2, 0 },
};

static uint64_t local_table[8] __aligned(16);

static void prepare(struct shot *s)
{
	shot_reset32(s);
	for (unsigned i = 0; i < COUNT; i++)
		shot_gdt[SEL_SHOT(i) / 8] = descriptor(
			i == LDT || i == LDT_USER ? (uint64_t)local_table : 0,
			table[i].limit, table[i].access, table[i].flags);
	for (unsigned i = 0; i < 8; i++)
		local_table[i] = 0;
	local_table[1] = descriptor(0, 0xfffff, 0xf2, DESC_G | DESC_DB);
}

static uint64_t accessed(unsigned selector)
{
	return shot_gdt[selector / 8] >> 40 & 1;
}

/* error: 1 means the selector without its RPL. */
static const struct load {
	const char *name;
	uint8_t seg;
	uint8_t cpl;
	uint16_t selector;
	uint8_t vector;
	uint8_t error;
} loads[] = {
	/* clang-format off */
	{ "ds-data", SHOT_DS, 0, S(DATA), END, 0 },
	{ "ds-data-rpl3", SHOT_DS, 0, S(DATA) | 3, GP, 1 },
	{ "ds-read-only", SHOT_DS, 0, S(DATA_RO), END, 0 },
	{ "ds-absent", SHOT_DS, 0, S(DATA_ABSENT), NP, 1 },
	{ "ds-user", SHOT_DS, 0, S(DATA_USER), END, 0 },
	{ "ds-user-rpl3", SHOT_DS, 0, S(DATA_USER) | 3, END, 0 },
	{ "ds-execute-only", SHOT_DS, 0, S(CODE_EXECUTE_ONLY), GP, 1 },
	{ "ds-code", SHOT_DS, 0, S(CODE), END, 0 },
	{ "ds-code-rpl3", SHOT_DS, 0, S(CODE) | 3, GP, 1 },
	{ "ds-conforming-rpl3", SHOT_DS, 0, S(CODE_CONFORMING) | 3, END, 0 },
	{ "ds-conforming-execute-only", SHOT_DS, 0,
	  S(CODE_CONFORMING_EXECUTE_ONLY), GP, 1 },
	{ "ds-code-absent", SHOT_DS, 0, S(CODE_ABSENT), NP, 1 },
	{ "ds-tss", SHOT_DS, 0, S(TSS), GP, 1 },
	{ "ds-ldt", SHOT_DS, 0, S(LDT), GP, 1 },
	{ "ds-call-gate", SHOT_DS, 0, S(CALL_GATE), GP, 1 },
	{ "ds-system-0", SHOT_DS, 0, S(SYSTEM_0), GP, 1 },
	{ "ds-beyond", SHOT_DS, 0, 0x400, GP, 1 },
	{ "ds-null", SHOT_DS, 0, 0, END, 0 },
	{ "ds-null-rpl3", SHOT_DS, 0, 3, END, 0 },
	{ "es-data", SHOT_ES, 0, S(DATA), END, 0 },
	{ "fs-data", SHOT_FS, 0, S(DATA), END, 0 },
	{ "gs-data", SHOT_GS, 0, S(DATA), END, 0 },
	{ "es-absent", SHOT_ES, 0, S(DATA_ABSENT), NP, 1 },
	{ "gs-null", SHOT_GS, 0, 2, END, 0 },
	{ "ss-data", SHOT_SS, 0, S(DATA), END, 0 },
	{ "ss-data-rpl3", SHOT_SS, 0, S(DATA) | 3, GP, 1 },
	{ "ss-user", SHOT_SS, 0, S(DATA_USER), GP, 1 },
	{ "ss-user-rpl3", SHOT_SS, 0, S(DATA_USER) | 3, GP, 1 },
	{ "ss-read-only", SHOT_SS, 0, S(DATA_RO), GP, 1 },
	{ "ss-absent", SHOT_SS, 0, S(DATA_ABSENT), SS, 1 },
	{ "ss-code", SHOT_SS, 0, S(CODE), GP, 1 },
	{ "ss-conforming", SHOT_SS, 0, S(CODE_CONFORMING), GP, 1 },
	{ "ss-tss", SHOT_SS, 0, S(TSS), GP, 1 },
	{ "ss-null", SHOT_SS, 0, 0, GP, 0 },
	{ "ss-null-rpl3", SHOT_SS, 0, 3, GP, 0 },
	{ "ss-beyond", SHOT_SS, 0, 0x7f8, GP, 1 },
	{ "user-ds-data", SHOT_DS, 3, S(DATA), GP, 1 },
	{ "user-ds-data-rpl3", SHOT_DS, 3, S(DATA) | 3, GP, 1 },
	{ "user-ds-user", SHOT_DS, 3, S(DATA_USER), END, 0 },
	{ "user-ds-user-rpl3", SHOT_DS, 3, S(DATA_USER) | 3, END, 0 },
	{ "user-ds-level1", SHOT_DS, 3, S(DATA_LEVEL1) | 1, GP, 1 },
	{ "user-ds-code", SHOT_DS, 3, S(CODE) | 3, GP, 1 },
	{ "user-ds-conforming", SHOT_DS, 3, S(CODE_CONFORMING) | 3, END, 0 },
	{ "user-ds-code-user", SHOT_DS, 3, S(CODE_USER) | 3, END, 0 },
	{ "user-ds-null", SHOT_DS, 3, 0, END, 0 },
	{ "user-ss-user-rpl3", SHOT_SS, 3, S(DATA_USER) | 3, END, 0 },
	{ "user-ss-user-rpl0", SHOT_SS, 3, S(DATA_USER), GP, 1 },
	{ "user-ss-level1", SHOT_SS, 3, S(DATA_LEVEL1) | 1, GP, 1 },
	{ "user-ss-null", SHOT_SS, 3, 0, GP, 0 },
	{ "user-ss-absent", SHOT_SS, 3, S(DATA_ABSENT) | 3, GP, 1 },
	/* clang-format on */
};

static void test_load(const struct load *row)
{
	uint64_t old_accessed;
	bool is_good = row->vector == END;
	struct shot s;

	prepare(&s);
	if (row->cpl)
		shot_user(&s);
	s.gpr[SHOT_EAX] = row->selector;
	old_accessed = accessed(row->selector);
	/* mov seg, ax */
	SHOT32(&s, 0x8e, (uint8_t)(0xc0 | row->seg << 3));
	shot_expect_end("load", row->name, &s, row->vector,
			row->error ? row->selector & 0xfffcu : 0);
	if (row->selector >= S(0) && row->selector < S(COUNT) &&
	    (shot_gdt[row->selector / 8] & BIT(44)))
		shot_expect("load", row->name, "accessed",
			    accessed(row->selector),
			    is_good ? 1 : old_accessed);
	if (is_good)
		shot_expect("load", row->name, "selector", s.seg[row->seg],
			    row->selector);
}

/* LAR, LSL, VERR, VERW: bits of what is visible at level 0 and 3. */
#define LAR  BIT(0)
#define LSL  BIT(1)
#define VERR BIT(2)
#define VERW BIT(3)

static const struct look {
	const char *name;
	uint16_t place;
	uint8_t level0;
	uint8_t level3;
	uint32_t limit;
} looks[] = {
	/* clang-format off */
	{ "data", DATA, LAR | LSL | VERR | VERW, 0, 0xffffffff },
	{ "read-only", DATA_RO, LAR | LSL | VERR, 0, 0xffffffff },
	{ "absent", DATA_ABSENT, LAR | LSL | VERR | VERW, 0, 0xffffffff },
	{ "user", DATA_USER, LAR | LSL | VERR | VERW, LAR | LSL | VERR | VERW,
	  0xffffffff },
	{ "small", SMALL, LAR | LSL | VERR | VERW, LAR | LSL | VERR | VERW,
	  0x12345 },
	{ "execute-only", CODE_EXECUTE_ONLY, LAR | LSL, 0, 0xffffffff },
	{ "code", CODE, LAR | LSL | VERR, 0, 0xffffffff },
	{ "conforming", CODE_CONFORMING, LAR | LSL | VERR, LAR | LSL | VERR,
	  0xffffffff },
	{ "code-user", CODE_USER, LAR | LSL | VERR, LAR | LSL | VERR,
	  0xffffffff },
	{ "tss16", TSS16, LAR | LSL, 0, 43 },
	{ "ldt", LDT, LAR | LSL, 0, 63 },
	{ "ldt-user", LDT_USER, LAR | LSL, LAR | LSL, 63 },
	{ "tss16-busy", TSS16_BUSY, LAR | LSL, 0, 43 },
	{ "call-gate16", CALL_GATE16, LAR, 0, 0 },
	{ "task-gate", TASK_GATE, LAR, 0, 0 },
	{ "interrupt-gate16", INTERRUPT_GATE16, 0, 0, 0 },
	{ "tss", TSS, LAR | LSL, 0, 103 },
	{ "tss-busy", TSS_BUSY, LAR | LSL, 0, 103 },
	{ "call-gate", CALL_GATE, LAR, 0, 0 },
	{ "interrupt-gate", INTERRUPT_GATE, 0, 0, 0 },
	{ "trap-gate", TRAP_GATE, 0, 0, 0 },
	{ "system-0", SYSTEM_0, 0, 0, 0 },
	{ "system-8", SYSTEM_8, 0, 0, 0 },
	/* clang-format on */
};

static unsigned look(uint16_t selector, unsigned cpl, uint32_t *lar,
		     uint32_t *lsl)
{
	struct shot s;

	prepare(&s);
	if (cpl)
		shot_user(&s);
	s.gpr[SHOT_EAX] = selector;
	s.gpr[SHOT_EBX] = 0;
	s.gpr[SHOT_ECX] = s.gpr[SHOT_EDX] = 0xabcdef;
	SHOT32(&s, 0x0f, 0x02, 0xc8, /* lar ecx, ax */
	       0x0f, 0x94, 0xc3,     /* setz bl */
	       0x0f, 0x03, 0xd0,     /* lsl edx, ax */
	       0x0f, 0x94, 0xc7,     /* setz bh */
	       0x0f, 0x00, 0xe0,     /* verr ax */
	       0x9c, 0x5e,	     /* pushfd; pop esi */
	       0x0f, 0x00, 0xe8,     /* verw ax */
	       0x9c, 0x5f);	     /* pushfd; pop edi */
	if (s.vector != END)
		return 0xff;
	*lar = (uint32_t)s.gpr[SHOT_ECX];
	*lsl = (uint32_t)s.gpr[SHOT_EDX];
	return (s.gpr[SHOT_EBX] & 1 ? LAR : 0) |
	       (s.gpr[SHOT_EBX] & 0x100 ? LSL : 0) |
	       (s.gpr[SHOT_ESI] & X86_FLAG_ZF ? VERR : 0) |
	       (s.gpr[SHOT_EDI] & X86_FLAG_ZF ? VERW : 0);
}

static void test_look(const struct look *row)
{
	uint32_t lar, lsl;
	unsigned seen = look(S(row->place), 0, &lar, &lsl);

	shot_expect("look", row->name, "level0", seen, row->level0);
	/* Bits 51:48 of the descriptor are undefined in LAR's result. */
	if (row->level0 & LAR)
		shot_expect("look", row->name, "lar", lar & 0xf0ff00,
			    shot_gdt[S(row->place) / 8] >> 32 & 0xf0ff00);
	else
		shot_expect("look", row->name, "lar", lar, 0xabcdef);
	shot_expect("look", row->name, "lsl", lsl,
		    row->level0 & LSL ? row->limit : 0xabcdef);
	seen = look(S(row->place) | RPL_USER, 3, &lar, &lsl);
	shot_expect("look", row->name, "level3", seen, row->level3);
}

static void test_look_beyond(void)
{
	uint32_t lar, lsl;

	shot_expect("look", "null", "", look(0, 0, &lar, &lsl), 0);
	shot_expect("look", "null-rpl3", "", look(3, 0, &lar, &lsl), 0);
	shot_expect("look", "beyond", "", look(0x400, 0, &lar, &lsl), 0);
	/* No LDT. */
	shot_expect("look", "local", "", look(0xc, 0, &lar, &lsl), 0);
	shot_expect("look", "rpl3", "", look(S(DATA) | RPL_USER, 0, &lar, &lsl),
		    0);
	shot_expect("look", "conforming-rpl3", "",
		    look(S(CODE_CONFORMING) | RPL_USER, 0, &lar, &lsl),
		    LAR | LSL | VERR);
}

static void test_ldt(void)
{
	struct shot s;

	prepare(&s);
	s.ldtr = S(LDT);
	s.gpr[SHOT_EAX] = 0xc;	/* entry 1 */
	SHOT32(&s, 0x8e, 0xc0); /* mov es, ax */
	shot_expect_end("ldt", "load", &s, END, 0);
	shot_expect("ldt", "load", "selector", s.seg[SHOT_ES], 0xc);
	shot_expect("ldt", "load", "accessed", local_table[1] >> 40 & 1, 1);
	prepare(&s);
	s.ldtr = S(LDT);
	s.gpr[SHOT_EAX] = 0x44;
	SHOT32(&s, 0x8e, 0xc0);
	shot_expect_end("ldt", "beyond", &s, GP, 0x44);
	/* Entry 0 of the LDT is no null selector. */
	prepare(&s);
	s.ldtr = S(LDT);
	s.gpr[SHOT_EAX] = 0x4;
	SHOT32(&s, 0x8e, 0xc0);
	shot_expect_end("ldt", "entry0", &s, GP, 0x4);
	prepare(&s);
	s.gpr[SHOT_EAX] = 0xc;
	SHOT32(&s, 0x8e, 0xc0);
	shot_expect_end("ldt", "none", &s, GP, 0xc);
}

/* LLDT and LTR: the descriptors they take. */
static const struct {
	const char *name;
	uint8_t reg; /* of ModRM: 2 LLDT, 3 LTR */
	uint16_t selector;
	uint8_t vector;
	uint8_t error;
} system_loads[] = {
	/* clang-format off */
	{ "lldt", 2, S(LDT), END, 0 },
	{ "lldt-null", 2, 0, END, 0 },
	{ "lldt-data", 2, S(DATA), GP, 1 },
	{ "lldt-tss", 2, S(TSS), GP, 1 },
	{ "lldt-local", 2, 0xc, GP, 1 },
	{ "lldt-beyond", 2, 0x400, GP, 1 },
	{ "ltr", 3, S(TSS), END, 0 },
	{ "ltr-16", 3, S(TSS16), END, 0 },
	{ "ltr-busy", 3, S(TSS_BUSY), GP, 1 },
	{ "ltr-16-busy", 3, S(TSS16_BUSY), GP, 1 },
	{ "ltr-null", 3, 0, GP, 0 },
	{ "ltr-ldt", 3, S(LDT), GP, 1 },
	{ "ltr-code", 3, S(CODE), GP, 1 },
	{ "ltr-local", 3, 0xc, GP, 1 },
	{ "ltr-beyond", 3, 0x400, GP, 1 },
	/* clang-format on */
};

static void test_system_loads(void)
{
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(system_loads); i++) {
		uint16_t selector = system_loads[i].selector;

		prepare(&s);
		s.gpr[SHOT_EAX] = selector;
		SHOT32(&s, 0x0f, 0x00,
		       (uint8_t)(0xc0 | system_loads[i].reg << 3));
		shot_expect_end("system", system_loads[i].name, &s,
				system_loads[i].vector,
				system_loads[i].error ? selector : 0);
		if (system_loads[i].vector == END)
			shot_expect("system", system_loads[i].name, "register",
				    system_loads[i].reg == 2 ? s.ldtr : s.tr,
				    selector);
	}
	prepare(&s);
	s.gpr[SHOT_EAX] = S(TSS);
	SHOT32(&s, 0x0f, 0x00, 0xd8);
	shot_expect("system", "ltr", "busy", shot_gdt[S(TSS) / 8] >> 40 & 0xff,
		    0x8b);
	prepare(&s);
	shot_gdt[S(TSS) / 8] &= ~BIT(47);
	s.gpr[SHOT_EAX] = S(TSS);
	SHOT32(&s, 0x0f, 0x00, 0xd8);
	shot_expect_end("system", "ltr-absent", &s, NP, S(TSS));
	prepare(&s);
	shot_gdt[S(LDT) / 8] &= ~BIT(47);
	s.gpr[SHOT_EAX] = S(LDT);
	SHOT32(&s, 0x0f, 0x00, 0xd0);
	shot_expect_end("system", "lldt-absent", &s, NP, S(LDT));
	prepare(&s);
	shot_user(&s);
	s.gpr[SHOT_EAX] = S(LDT_USER);
	SHOT32(&s, 0x0f, 0x00, 0xd0);
	shot_expect_end("system", "lldt-user", &s, GP, 0);
}

static void test_arpl(void)
{
	struct shot s;

	prepare(&s);
	s.gpr[SHOT_EAX] = 0x12340008;
	s.gpr[SHOT_ECX] = 0x3;
	SHOT32(&s, 0x63, 0xc8); /* arpl ax, cx */
	shot_expect("arpl", "raises", "", s.gpr[SHOT_EAX], 0x1234000b);
	shot_expect("arpl", "raises", "zf", s.flags & X86_FLAG_ZF, X86_FLAG_ZF);
	prepare(&s);
	s.flags |= X86_FLAG_ZF;
	s.gpr[SHOT_EAX] = 0x1234000a;
	s.gpr[SHOT_ECX] = 0x1;
	SHOT32(&s, 0x63, 0xc8);
	shot_expect("arpl", "leaves", "", s.gpr[SHOT_EAX], 0x1234000a);
	shot_expect("arpl", "leaves", "zf", s.flags & X86_FLAG_ZF, 0);
}

/* What loads besides MOV: POP, LDS and the like; a fault leaves ESP. */
static void test_other_loads(void)
{
	struct shot s;

	prepare(&s);
	poke32(SHOT_STACK - 4, S(DATA));
	s.gpr[SHOT_ESP] = SHOT_STACK - 4;
	SHOT32(&s, 0x0f, 0xa1); /* pop fs */
	shot_expect_end("pop", "fs", &s, END, 0);
	shot_expect("pop", "fs", "esp", s.gpr[SHOT_ESP], SHOT_STACK);
	shot_expect("pop", "fs", "accessed", accessed(S(DATA)), 1);
	prepare(&s);
	poke32(SHOT_STACK - 4, S(DATA_ABSENT));
	s.gpr[SHOT_ESP] = SHOT_STACK - 4;
	SHOT32(&s, 0x0f, 0xa1);
	shot_expect_end("pop", "absent", &s, NP, S(DATA_ABSENT));
	shot_expect("pop", "absent", "esp", s.gpr[SHOT_ESP], SHOT_STACK - 4);
	prepare(&s);
	poke32(SHOT_DATA, 0x5678);
	poke32(SHOT_DATA + 4, S(DATA));
	SHOT32(&s, 0x0f, 0xb5, 0x05, LE32(SHOT_DATA)); /* lgs eax, [] */
	shot_expect_end("lgs", "", &s, END, 0);
	shot_expect("lgs", "", "eax", s.gpr[SHOT_EAX], 0x5678);
	shot_expect("lgs", "", "selector", s.seg[SHOT_GS], S(DATA));
	prepare(&s);
	poke32(SHOT_DATA, 0x5678);
	poke32(SHOT_DATA + 4, S(TSS));
	SHOT32(&s, 0x0f, 0xb5, 0x05, LE32(SHOT_DATA));
	shot_expect_end("lgs", "tss", &s, GP, S(TSS));
	shot_expect("lgs", "tss", "eax", s.gpr[SHOT_EAX], 0x11110000);
	/* CS cannot be loaded so. */
	prepare(&s);
	s.gpr[SHOT_EAX] = S(CODE);
	SHOT32(&s, 0x8e, 0xc8);
	shot_expect_end("load", "cs", &s, X86_VECTOR_UD, 0);
	prepare(&s);
	SHOT32(&s, 0x8e, 0xf0);
	shot_expect_end("load", "segment-6", &s, X86_VECTOR_UD, 0);
}

void guest_main(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(loads); i++)
		test_load(&loads[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(looks); i++)
		test_look(&looks[i]);
	test_look_beyond();
	test_ldt();
	test_system_loads();
	test_arpl();
	test_other_loads();
}
