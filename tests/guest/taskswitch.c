/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware task switches: to 16- and 32-bit tasks by JMP, CALL, IRET, task
 * gate and interrupt; what is saved and loaded, busy bits, links, NT and TS;
 * faults before the switch and in the new task.
 *
 * Faults in a new task with no usable stack are caught by tasks of their own,
 * through task gates in the IDT; EAX of the catching task is the vector.
 */
#include "tests/guest/lib/shot_names.h"

#include "lib/string.h"

enum {
	TASK = 0,
	TASK_USER,
	TASK_LDT,
	GATE,
	GATE_USER,
	CODE_ABSENT,
	DATA_ABSENT,
	CODE_SMALL,
	CODE_CONFORMING,
	CODE_EXECUTE_ONLY,
	USER_DATA,
	CATCH, /* and three more */
	CATCH_END = CATCH + 4,
};

struct tss16 {
	uint16_t link;
	uint16_t stacks[6];
	uint16_t ip, flags;
	uint16_t gpr[8];
	uint16_t es, cs, ss, ds;
	uint16_t ldtr;
} __packed;
ASSERT_SIZE(struct tss16, 44);

#define TSS32	     0x89
#define TSS16	     0x81
#define TSS_USER     0x60
#define BUSY	     0x02
#define TASK_GATE    0x85
#define TARGET_AFTER (SHOT_TARGET + 2)
#define TASK_STACK   SHOT_STACK1
#define CATCH_STACK  SHOT_STACK2

static union {
	struct tss32 wide;
	struct tss16 narrow;
} task __aligned(256);
static struct tss32 catcher[4] __aligned(256);
static uint64_t local_table[2];
static const uint8_t catch_vector[4] = { TS, NP, SS, GP };

static void task32_fill(void)
{
	memset(&task, 0, sizeof(task));
	task.wide.cr3 = 0;
	task.wide.eip = SHOT_TARGET;
	task.wide.eflags = X86_FLAG_ONE | X86_FLAG_CF;
	for (unsigned i = 0; i < 8; i++)
		task.wide.gpr[i] = 0xa1b2c300 + i;
	task.wide.gpr[SHOT_ESP] = TASK_STACK;
	for (unsigned i = 0; i < 6; i++)
		task.wide.seg[i] = SEL_DATA;
	task.wide.seg[SHOT_CS] = SEL_CODE32;
	task.wide.io_map = sizeof(task.wide);
}

static void task16_fill(void)
{
	memset(&task, 0, sizeof(task));
	task.narrow.ip = SHOT_TARGET;
	task.narrow.flags = X86_FLAG_ONE | X86_FLAG_CF;
	for (unsigned i = 0; i < 8; i++)
		task.narrow.gpr[i] = (uint16_t)(0xc300 + i);
	task.narrow.gpr[SHOT_ESP] = TASK_STACK;
	/* Of the stack pointer's upper half nothing is known. */
	task.narrow.ss = SEL_DATA16;
	task.narrow.es = task.narrow.ds = SEL_DATA;
	task.narrow.cs = SEL_CODE32;
}

static void descriptors_fill(bool is_32)
{
	uint64_t at = (uint64_t)&task;
	unsigned type = is_32 ? TSS32 : TSS16;
	uint32_t limit = is_32 ? 103 : 43;

	shot_gdt[S(TASK) / 8] = descriptor(at, limit, type, 0);
	shot_gdt[S(TASK_USER) / 8] = descriptor(at, limit, type | TSS_USER, 0);
	shot_gdt[S(TASK_LDT) / 8] =
		descriptor((uint64_t)local_table, 15, 0x82, 0);
	shot_gdt[S(GATE) / 8] = gate(S(TASK), 0, TASK_GATE, 0);
	shot_gdt[S(GATE_USER) / 8] = gate(S(TASK), 0, TASK_GATE | TSS_USER, 0);
	shot_gdt[S(CODE_ABSENT) / 8] =
		descriptor(0, 0xfffff, 0x1a, DESC_G | DESC_DB);
	shot_gdt[S(DATA_ABSENT) / 8] =
		descriptor(0, 0xfffff, 0x12, DESC_G | DESC_DB);
	shot_gdt[S(CODE_SMALL) / 8] = descriptor(0, 0x87ff, 0x9a, DESC_DB);
	shot_gdt[S(CODE_CONFORMING) / 8] =
		descriptor(0, 0xfffff, 0x9e, DESC_G | DESC_DB);
	shot_gdt[S(CODE_EXECUTE_ONLY) / 8] =
		descriptor(0, 0xfffff, 0x98, DESC_G | DESC_DB);
	shot_gdt[S(USER_DATA) / 8] =
		descriptor(0, 0xfffff, 0xf2, DESC_G | DESC_DB);
	local_table[1] = descriptor(0, 0xfffff, 0x92, DESC_G | DESC_DB);
}

static void prepare(struct shot *s, bool is_32)
{
	shot_reset32(s);
	if (is_32)
		task32_fill();
	else
		task16_fill();
	descriptors_fill(is_32);
}

/* From now on faults switch to a task. */
static void catchers_set(void)
{
	for (unsigned i = 0; i < 4; i++) {
		catcher[i] = (struct tss32){
			.eip = SHOT_TARGET,
			.eflags = X86_FLAG_ONE,
			.io_map = sizeof(struct tss32),
		};
		catcher[i].gpr[SHOT_EAX] = catch_vector[i];
		catcher[i].gpr[SHOT_ESP] = CATCH_STACK;
		for (unsigned seg = 0; seg < 6; seg++)
			catcher[i].seg[seg] = SEL_DATA;
		catcher[i].seg[SHOT_CS] = SEL_CODE32;
		shot_gdt[S(CATCH + i) / 8] =
			descriptor((uint64_t)&catcher[i], 103, TSS32, 0);
		idt32[catch_vector[i]] =
			gate((uint16_t)S(CATCH + i), 0, TASK_GATE, 0);
	}
}

static uint8_t access_of(unsigned selector)
{
	return (uint8_t)(shot_gdt[selector / 8] >> 40);
}

enum way { JMP, CALL, GATE_JMP, GATE_CALL, INT, IRET };

static const struct {
	const char *name;
	bool is_nested; /* NT and link in the new task; the old one stays busy
			 */
	uint8_t length;
} ways[] = {
	[JMP] = { "jmp", false, 7 },
	[CALL] = { "call", true, 7 },
	[GATE_JMP] = { "gate-jmp", false, 7 },
	[GATE_CALL] = { "gate-call", true, 7 },
	[INT] = { "int", true, 2 },
	[IRET] = { "iret", false, 1 },
};

/* Whatever selector the way takes: the task or the gate. */
static void go(struct shot *s, enum way way)
{
	uint16_t selector =
		way == GATE_JMP || way == GATE_CALL ? S(GATE) : S(TASK);

	switch (way) {
	case JMP:
	case GATE_JMP:
		SHOT32(s, 0xea, LE32(0), LE16(selector));
		break;
	case CALL:
	case GATE_CALL:
		SHOT32(s, 0x9a, LE32(0), LE16(selector));
		break;
	case INT:
		idt32[0x90] = gate(S(TASK), 0, TASK_GATE, 0);
		SHOT32(s, 0xcd, 0x90);
		break;
	case IRET:
		/* The flag would make the shot's own IRETD a switch. */
		SHOT32(s, 0x9c,				    /* pushfd */
		       0x81, 0x0c, 0x24, LE32(X86_FLAG_NT), /* or [esp], NT */
		       0x9d,				    /* popfd */
		       0xcf);				    /* iretd */
		break;
	}
}

static uint32_t return_eip(enum way way)
{
	return SHOT_CODE + (way == IRET ? 9u : 0u) + ways[way].length;
}

static void check_old(const char *name, enum way way, const struct shot *s)
{
	bool is_nested = ways[way].is_nested;
	const struct tss32 *old = &shot_tss.legacy;
	bool is_good = true;

	shot_expect(name, "old-eip", "", old->eip, return_eip(way));
	shot_expect(name, "old-nt", "", old->eflags & X86_FLAG_NT, 0);
	for (unsigned i = 0; i < 8; i++)
		is_good &= old->gpr[i] ==
			   (i == SHOT_ESP ? SHOT_STACK : 0x11110000u * (i + 1));
	for (unsigned i = 0; i < 6; i++)
		is_good &= (old->seg[i] & 0xffff) ==
			   (i == SHOT_CS ? SEL_CODE32 : SEL_DATA);
	shot_expect(name, "old-registers", "", is_good, true);
	shot_expect(name, "old-busy", "", access_of(SEL_TSS),
		    is_nested ? TSS32 | BUSY : TSS32);
	shot_expect(name, "tr", "", s->tr, S(TASK));
	shot_expect(name, "ts", "", s->cr0 & X86_CR0_TS, X86_CR0_TS);
}

static void check_new(const char *name, enum way way, bool is_32,
		      const struct shot *s)
{
	bool is_good = true;
	uint64_t nt = ways[way].is_nested ? X86_FLAG_NT : 0;

	shot_expect(name, "eip", "", s->rip, TARGET_AFTER);
	shot_expect(name, "flags", "", s->flags,
		    X86_FLAG_ONE | X86_FLAG_CF | nt);
	for (unsigned i = 0; i < 8; i++) {
		uint32_t want = is_32 ? 0xa1b2c300 + i : 0xc300 + i;
		/* The upper halves are undefined behind a 16-bit switch. */
		uint32_t mask = is_32 ? ~0u : 0xffffu;

		if (i == SHOT_ESP)
			want = TASK_STACK;
		is_good &= (s->gpr[i] & mask) == want;
	}
	shot_expect(name, "registers", "", is_good, true);
	shot_expect(name, "busy", "", access_of(S(TASK)),
		    (is_32 ? TSS32 : TSS16) | BUSY);
	shot_expect(name, "link", "", task.narrow.link,
		    ways[way].is_nested ? SEL_TSS : 0);
	shot_expect(name, "fs", "", s->seg[SHOT_FS], is_32 ? SEL_DATA : 0);
}

static void test_switch(enum way way, bool is_32)
{
	char name[32] = "32-";
	struct shot s;

	if (!is_32)
		memcpy(name, "16-", 3);
	memcpy(name + 3, ways[way].name, strlen(ways[way].name) + 1);
	prepare(&s, is_32);
	if (way == IRET) {
		shot_tss.legacy.link = S(TASK);
		shot_gdt[S(TASK) / 8] |= (uint64_t)BUSY << 40;
	}
	go(&s, way);
	shot_expect_end(name, "end", &s, END, 0);
	if (s.vector != END)
		return;
	check_old(name, way, &s);
	check_new(name, way, is_32, &s);
}

/* There and back: CALL, and IRET in the task. */
static void test_nested(bool is_32)
{
	const char *name = is_32 ? "32-nested" : "16-nested";
	struct shot s;

	prepare(&s, is_32);
	*(volatile uint8_t *)(uint64_t)(SHOT_TARGET + 16) = 0xcf;
	if (is_32)
		task.wide.eip = SHOT_TARGET + 16;
	else
		task.narrow.ip = SHOT_TARGET + 16;
	s.flags |= X86_FLAG_ZF;
	go(&s, CALL);
	shot_expect_end(name, "end", &s, END, 0);
	shot_expect(name, "tr", "", s.tr, SEL_TSS);
	shot_expect(name, "eip", "", s.rip, SHOT_CODE + 7 + 2);
	shot_expect(name, "flags", "", s.flags, X86_FLAG_ONE | X86_FLAG_ZF);
	shot_expect(name, "eax", "", s.gpr[SHOT_EAX], 0x11110000);
	shot_expect(name, "edi", "", s.gpr[SHOT_EDI], 0x88880000);
	shot_expect(name, "not-busy", "", access_of(S(TASK)),
		    is_32 ? TSS32 : TSS16);
	shot_expect(name, "saved", "", is_32 ? task.wide.eip : task.narrow.ip,
		    SHOT_TARGET + 17);
	shot_expect(name, "saved-nt", "",
		    (is_32 ? task.wide.eflags : task.narrow.flags) &
			    X86_FLAG_NT,
		    0);
}

/* ---- Faults of the old task ---------------------------------------------- */

static const struct {
	const char *name;
	enum way way;
	uint8_t access; /* of the TSS */
	uint8_t limit;
	uint8_t vector;
	bool has_code; /* that names the TSS */
} faults[] = {
	/* clang-format off */
	{ "jmp-busy", JMP, TSS32 | BUSY, 103, GP, true },
	{ "call-busy", CALL, TSS32 | BUSY, 103, GP, true },
	{ "gate-busy", GATE_CALL, TSS32 | BUSY, 103, GP, true },
	{ "int-busy", INT, TSS32 | BUSY, 103, GP, true },
	{ "jmp-busy16", JMP, TSS16 | BUSY, 43, GP, true },
	{ "iret-not-busy", IRET, TSS32, 103, TS, true },
	{ "jmp-absent", JMP, TSS32 & ~0x80, 103, NP, true },
	{ "call-absent", CALL, TSS32 & ~0x80, 103, NP, true },
	{ "gate-absent", GATE_JMP, TSS32 & ~0x80, 103, NP, true },
	{ "int-absent", INT, TSS32 & ~0x80, 103, NP, true },
	{ "iret-absent", IRET, (TSS32 | BUSY) & ~0x80, 103, NP, true },
	{ "jmp-limit", JMP, TSS32, 102, TS, true },
	{ "call-limit", CALL, TSS32, 102, TS, true },
	{ "int-limit", INT, TSS32, 102, TS, true },
	{ "iret-limit", IRET, TSS32 | BUSY, 102, TS, true },
	{ "jmp-limit16", JMP, TSS16, 42, TS, true },
	{ "gate-ldt", GATE_CALL, 0x82, 103, GP, true },
	{ "iret-ldt", IRET, 0x82, 103, TS, true },
	/* clang-format on */
};

static void test_faults(void)
{
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(faults); i++) {
		prepare(&s, true);
		shot_tss.legacy.link = S(TASK);
		shot_gdt[S(TASK) / 8] = descriptor(
			(uint64_t)&task, faults[i].limit, faults[i].access, 0);
		go(&s, faults[i].way);
		shot_expect_end("fault", faults[i].name, &s, faults[i].vector,
				S(TASK));
		shot_expect("fault", faults[i].name, "tr", s.tr, SEL_TSS);
		shot_expect("fault", faults[i].name, "busy", access_of(SEL_TSS),
			    TSS32 | BUSY);
	}
}

static void test_more_faults(void)
{
	struct shot s;

	prepare(&s, true);
	shot_tss.legacy.link = 0;
	go(&s, IRET);
	shot_expect_end("fault", "iret-null", &s, TS, 0);
	prepare(&s, true);
	shot_tss.legacy.link = 0xc;
	go(&s, IRET);
	shot_expect_end("fault", "iret-local", &s, TS, 0xc);
	prepare(&s, true);
	shot_tss.legacy.link = 0x400;
	go(&s, IRET);
	shot_expect_end("fault", "iret-beyond", &s, TS, 0x400);
	prepare(&s, true);
	shot_gdt[S(GATE) / 8] = gate(0xc, 0, TASK_GATE, 0);
	go(&s, GATE_CALL);
	shot_expect_end("fault", "gate-local", &s, GP, 0xc);
	prepare(&s, true);
	shot_gdt[S(GATE) / 8] = gate(S(TASK), 0, TASK_GATE & ~0x80, 0);
	go(&s, GATE_CALL);
	shot_expect_end("fault", "gate-itself-absent", &s, NP, S(GATE));
	/* Levels: of the TSS for a jump, of the gate through one. */
	prepare(&s, true);
	shot_user(&s);
	go(&s, JMP);
	shot_expect_end("fault", "user-jmp", &s, GP, S(TASK));
	prepare(&s, true);
	shot_user(&s);
	go(&s, GATE_CALL);
	shot_expect_end("fault", "user-gate", &s, GP, S(GATE));
	prepare(&s, true);
	shot_user(&s);
	SHOT32(&s, 0xcd, 0x90);
	shot_expect_end("fault", "user-int-ends", &s, 0x90, 0);
	prepare(&s, true);
	shot_user(&s);
	idt32[0x90] = gate(S(TASK), 0, TASK_GATE, 0);
	SHOT32(&s, 0xcd, 0x90);
	shot_expect_end("fault", "user-int", &s, GP, 0x90 * 8 + 2);
	prepare(&s, true);
	shot_user(&s);
	SHOT32(&s, 0x9a, LE32(0), LE16(S(GATE_USER)));
	shot_expect_end("user", "gate", &s, END, 0);
	shot_expect("user", "gate", "tr", s.tr, S(TASK));
	shot_expect("user", "gate", "cs", s.seg[SHOT_CS], SEL_CODE32);
	prepare(&s, true);
	shot_user(&s);
	SHOT32(&s, 0xea, LE32(0), LE16(S(TASK_USER)));
	shot_expect_end("user", "jmp", &s, END, 0);
	shot_expect("user", "jmp", "tr", s.tr, S(TASK_USER));
}

/* ---- Faults of the new task ---------------------------------------------- */

#define LDT 6

static const struct {
	const char *name;
	uint8_t seg;
	uint16_t selector;
	uint8_t vector;
	uint16_t error;
} inside[] = {
	/* clang-format off */
	{ "ldt-beyond", LDT, 0x400, TS, 0x400 },
	{ "ldt-local", LDT, 0xc, TS, 0xc },
	{ "ldt-tss", LDT, SEL_TSS, TS, SEL_TSS },
	{ "ldt-data", LDT, SEL_DATA, TS, SEL_DATA },
	{ "cs-null", SHOT_CS, 0, TS, 0 },
	{ "cs-beyond", SHOT_CS, 0x400, TS, 0x400 },
	{ "cs-data", SHOT_CS, SEL_DATA, TS, SEL_DATA },
	{ "cs-absent", SHOT_CS, S(CODE_ABSENT), NP, S(CODE_ABSENT) },
	{ "cs-small", SHOT_CS, S(CODE_SMALL), GP, 0 },
	{ "ss-null", SHOT_SS, 0, TS, 0 },
	{ "ss-beyond", SHOT_SS, 0x400, TS, 0x400 },
	{ "ss-rpl3", SHOT_SS, SEL_DATA | 3, TS, SEL_DATA },
	{ "ss-dpl3", SHOT_SS, SEL_USER_DATA, TS, SEL_USER_DATA },
	{ "ss-code", SHOT_SS, SEL_CODE32, TS, SEL_CODE32 },
	{ "ss-absent", SHOT_SS, S(DATA_ABSENT), SS, S(DATA_ABSENT) },
	{ "ds-beyond", SHOT_DS, 0x400, TS, 0x400 },
	{ "ds-rpl3", SHOT_DS, SEL_DATA | 3, TS, SEL_DATA },
	{ "ds-execute-only", SHOT_DS, S(CODE_EXECUTE_ONLY), TS,
	  S(CODE_EXECUTE_ONLY) },
	{ "ds-absent", SHOT_DS, S(DATA_ABSENT), NP, S(DATA_ABSENT) },
	{ "ds-tss", SHOT_DS, SEL_TSS, TS, SEL_TSS },
	{ "gs-local", SHOT_GS, 0xc, TS, 0xc },
	/* clang-format on */
};

static void test_inside(void)
{
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(inside); i++) {
		prepare(&s, true);
		catchers_set();
		if (inside[i].seg == LDT)
			task.wide.ldtr = inside[i].selector;
		else
			task.wide.seg[inside[i].seg] = inside[i].selector;
		go(&s, CALL);
		shot_expect_end("inside", inside[i].name, &s, END, 0);
		shot_expect("inside", inside[i].name, "vector", s.gpr[SHOT_EAX],
			    inside[i].vector);
		shot_expect("inside", inside[i].name, "error",
			    peek32(s.gpr[SHOT_ESP]), inside[i].error);
		/* It was the new task that was left. */
		for (unsigned n = 0; n < 4; n++)
			if (catch_vector[n] == inside[i].vector)
				shot_expect("inside", inside[i].name, "link",
					    catcher[n].link, S(TASK));
	}
}

/* ---- Kinds of tasks ------------------------------------------------------ */

static void test_kinds(void)
{
	struct shot s;

	/* Level 3 */
	prepare(&s, true);
	for (unsigned i = 0; i < 6; i++)
		task.wide.seg[i] = SEL_USER_DATA | 3;
	task.wide.seg[SHOT_CS] = SEL_USER32 | 3;
	task.wide.esp0 = SHOT_STACK0;
	task.wide.ss0 = SEL_DATA;
	go(&s, JMP);
	shot_expect_end("kind", "user", &s, END, 0);
	shot_expect("kind", "user", "cs", s.seg[SHOT_CS], SEL_USER32 | 3);
	shot_expect("kind", "user", "esp", s.gpr[SHOT_ESP], TASK_STACK);
	/* Virtual-8086 mode */
	prepare(&s, true);
	task.wide.eflags = X86_FLAG_ONE | X86_FLAG_VM | X86_FLAG_IOPL;
	task.wide.eip = SHOT_TARGET & 15;
	task.wide.esp0 = SHOT_STACK0;
	task.wide.ss0 = SEL_DATA;
	for (unsigned i = 0; i < 6; i++)
		task.wide.seg[i] = 0x700 + i;
	task.wide.seg[SHOT_CS] = SHOT_TARGET >> 4;
	task.wide.gpr[SHOT_ESP] = 0x100;
	go(&s, JMP);
	shot_expect_end("kind", "v86", &s, END, 0);
	shot_expect("kind", "v86", "vm", s.flags & X86_FLAG_VM, X86_FLAG_VM);
	shot_expect("kind", "v86", "fs", s.seg[SHOT_FS], 0x704);
	/* With an LDT, through which DS comes */
	prepare(&s, true);
	task.wide.ldtr = S(TASK_LDT);
	task.wide.seg[SHOT_DS] = 0xc;
	go(&s, JMP);
	shot_expect_end("kind", "ldt", &s, END, 0);
	shot_expect("kind", "ldt", "ldtr", s.ldtr, S(TASK_LDT));
	shot_expect("kind", "ldt", "ds", s.seg[SHOT_DS], 0xc);
	shot_expect("kind", "ldt", "accessed", local_table[1] >> 40 & 1, 1);
	/* A conforming code segment of level 0 for level 3 */
	prepare(&s, true);
	for (unsigned i = 0; i < 6; i++)
		task.wide.seg[i] = SEL_USER_DATA | 3;
	task.wide.seg[SHOT_CS] = S(CODE_CONFORMING) | 3;
	task.wide.esp0 = SHOT_STACK0;
	task.wide.ss0 = SEL_DATA;
	go(&s, JMP);
	shot_expect_end("kind", "conforming", &s, END, 0);
	shot_expect("kind", "conforming", "cs", s.seg[SHOT_CS],
		    S(CODE_CONFORMING) | 3);
	/* The T flag: #DB before the first instruction */
	prepare(&s, true);
	task.wide.trap = 1;
	go(&s, JMP);
	shot_expect_end("kind", "trap", &s, X86_VECTOR_DB, 0);
	shot_expect("kind", "trap", "eip", s.rip, SHOT_TARGET);
}

/* An exception through a task gate pushes its error code in the new task. */
static void test_error_code(void)
{
	struct shot s;

	prepare(&s, true);
	idt32[GP] = gate(S(TASK), 0, TASK_GATE, 0);
	s.gpr[SHOT_EAX] = 0x7f8;
	SHOT32(&s, 0x8e, 0xd8); /* mov ds, ax */
	shot_expect_end("error-code", "end", &s, END, 0);
	shot_expect("error-code", "tr", "", s.tr, S(TASK));
	shot_expect("error-code", "esp", "", s.gpr[SHOT_ESP], TASK_STACK - 4);
	shot_expect("error-code", "value", "", peek32(TASK_STACK - 4), 0x7f8);
	shot_expect("error-code", "old-eip", "", shot_tss.legacy.eip,
		    SHOT_CODE);
	prepare(&s, false);
	idt32[GP] = gate(S(TASK), 0, TASK_GATE, 0);
	s.gpr[SHOT_EAX] = 0x7f8;
	SHOT32(&s, 0x8e, 0xd8);
	shot_expect_end("error-code16", "end", &s, END, 0);
	shot_expect("error-code16", "esp", "", s.gpr[SHOT_ESP] & 0xffff,
		    TASK_STACK - 2);
	shot_expect("error-code16", "value", "", peek16(TASK_STACK - 2), 0x7f8);
}

void guest_main(void)
{
	for (unsigned is_32 = 0; is_32 < 2; is_32++) {
		for (unsigned way = 0; way < ARRAY_SIZE(ways); way++)
			test_switch(way, is_32);
		test_nested(is_32);
	}
	test_faults();
	test_more_faults();
	test_inside();
	test_kinds();
	test_error_code();
}
