/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System instructions of 32-bit code: who may use them, UMIP, descriptor-table
 * registers, control and debug registers, IOPL, the I/O permission bitmap,
 * alignment checks, SYSENTER and SYSCALL outside long mode.
 */
#include "tests/guest/lib/shot_names.h"

#include "lib/string.h"

#define ACCESS_TSS32 0x89
#define PORT_NONE    0x1e0u /* reads all ones */
#define CR4_UMIP     BIT(11)
#define CR0_AM	     BIT(18)

#define MSR_SYSENTER_CS	 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_STAR	 0xc0000081
#define EFER_SCE	 BIT(0)

static void run(struct shot *s, const uint8_t *code, unsigned length)
{
	static const uint8_t end[] = { SHOT_INT };
	uint8_t whole[32];

	memcpy(whole, code, length);
	memcpy(whole + length, end, sizeof(end));
	shot_run32(s, whole, length + sizeof(end));
}

/* ---- Privilege ----------------------------------------------------------- */

#define CODE(...)                                          \
	(uint8_t)sizeof((const uint8_t[]){ __VA_ARGS__ }), \
	{                                                  \
		__VA_ARGS__                                \
	}

/* At level 3 and in virtual-8086 mode. */
static const struct privileged {
	const char *name;
	uint8_t length;
	uint8_t code[8];
	uint8_t user;
	uint8_t v86;
} privileged[] = {
	/* clang-format off */
	{ "hlt", CODE(0xf4), GP, GP },
	{ "clts", CODE(0x0f, 0x06), GP, GP },
	{ "invd", CODE(0x0f, 0x08), GP, GP },
	{ "wbinvd", CODE(0x0f, 0x09), GP, GP },
	{ "mov-from-cr0", CODE(0x0f, 0x20, 0xc0), GP, GP },
	{ "mov-to-cr0", CODE(0x0f, 0x22, 0xc0), GP, GP },
	{ "mov-from-cr3", CODE(0x0f, 0x20, 0xd8), GP, GP },
	{ "mov-from-dr7", CODE(0x0f, 0x21, 0xf8), GP, GP },
	{ "mov-to-dr0", CODE(0x0f, 0x23, 0xc0), GP, GP },
	{ "rdmsr", CODE(0x0f, 0x32), GP, GP },
	{ "wrmsr", CODE(0x0f, 0x30), GP, GP },
	{ "lgdt", CODE(0x0f, 0x01, 0x16, 0, 0x90), GP, GP },
	{ "lidt", CODE(0x0f, 0x01, 0x1e, 0, 0x90), GP, GP },
	{ "lmsw", CODE(0x0f, 0x01, 0xf0), GP, GP },
	{ "invlpg", CODE(0x0f, 0x01, 0x3e, 0, 0x90), GP, GP },
	{ "lldt", CODE(0x0f, 0x00, 0xd0), GP, UD },
	{ "ltr", CODE(0x0f, 0x00, 0xd8), GP, UD },
	{ "sldt", CODE(0x0f, 0x00, 0xc0), END, UD },
	{ "str", CODE(0x0f, 0x00, 0xc8), END, UD },
	{ "verr", CODE(0x0f, 0x00, 0xe0), END, UD },
	{ "verw", CODE(0x0f, 0x00, 0xe8), END, UD },
	{ "lar", CODE(0x0f, 0x02, 0xc0), END, UD },
	{ "lsl", CODE(0x0f, 0x03, 0xc0), END, UD },
	{ "arpl", CODE(0x63, 0xc0), END, UD },
	{ "smsw", CODE(0x0f, 0x01, 0xe0), END, END },
	{ "sysexit", CODE(0x0f, 0x35), GP, GP },
	{ "cli", CODE(0xfa), GP, GP },
	{ "sti", CODE(0xfb), GP, GP },
	{ "in", CODE(0xe4, 0x80), GP, GP },
	{ "out", CODE(0xe6, 0x80), GP, GP },
	{ "insb", CODE(0x6c), GP, GP },
	{ "outsd", CODE(0x66, 0x6f), GP, GP },
	{ "pushf", CODE(0x9c), END, GP },
	{ "popf", CODE(0x9d), END, GP },
	{ "iret", CODE(0xcf), 0, GP },
	{ "int", CODE(0xcd, 0x90), 0x90, GP },
	{ "int3", CODE(0xcc), GP, GP },
	{ "rdtsc", CODE(0x0f, 0x31), END, END },
	{ "cpuid", CODE(0x0f, 0xa2), END, END },
	/* clang-format on */
};

/* Code of virtual-8086 mode lies at SHOT_CODE, its data at SHOT_DATA. */
static void v86_prepare(struct shot *s, unsigned iopl)
{
	shot_reset32(s);
	s->flags |= X86_FLAG_VM | FIELD_PUT(X86_FLAG_IOPL, iopl);
	for (unsigned i = 0; i < 6; i++)
		s->seg[i] = SHOT_DATA >> 4;
	s->seg[SHOT_CS] = SHOT_CODE >> 4;
	s->rip = 0;
	s->gpr[SHOT_ESP] = 0x800;
	memset((void *)(uint64_t)SHOT_DATA, 0, 0x1000);
}

static void test_privileged(void)
{
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(privileged); i++) {
		const struct privileged *row = &privileged[i];

		if (row->user) {
			shot_reset32(&s);
			shot_user(&s);
			s.gpr[SHOT_EAX] = s.gpr[SHOT_ECX] = 0;
			s.gpr[SHOT_ESP] -= 16;
			poke32(SHOT_STACK - 16, X86_FLAG_ONE);
			s.gpr[SHOT_ESI] = s.gpr[SHOT_EDI] = SHOT_DATA;
			run(&s, row->code, row->length);
			/* Gates of the processor's own vectors: DPL 0. */
			shot_expect_end("user", row->name, &s, row->user,
					row->code[0] == 0xcc ? 3 * 8 + 2 : 0);
		}
		v86_prepare(&s, 0);
		s.gpr[SHOT_EAX] = s.gpr[SHOT_ECX] = 0;
		s.gpr[SHOT_ESI] = s.gpr[SHOT_EDI] = 0;
		/* INT 81h is IOPL's, too: INT 3 ends it. */
		idt32[3] = gate(SEL_CODE32,
				(uint32_t)(idt32[3] & 0xffff) |
					(uint32_t)(idt32[3] >> 48) << 16,
				0xee, 0);
		memcpy((void *)(uint64_t)SHOT_DATA, "", 1);
		{
			uint8_t code[16];

			memcpy(code, row->code, row->length);
			code[row->length] = 0xcc;
			shot_run32(&s, code, row->length + 1u);
		}
		if (row->code[0] == 0xcc || row->v86 == END)
			shot_expect_end("v86", row->name, &s, 3, 0);
		else
			shot_expect_end("v86", row->name, &s, row->v86, 0);
	}
}

/* ---- UMIP ---------------------------------------------------------------- */

static const struct {
	const char *name;
	uint8_t length;
	uint8_t code[8];
} hidden[] = {
	/* clang-format off */
	{ "sgdt", CODE(0x0f, 0x01, 0x05, LE32(SHOT_DATA)) },
	{ "sidt", CODE(0x0f, 0x01, 0x0d, LE32(SHOT_DATA)) },
	{ "sldt", CODE(0x0f, 0x00, 0x05, LE32(SHOT_DATA)) },
	{ "str", CODE(0x0f, 0x00, 0x0d, LE32(SHOT_DATA)) },
	{ "smsw", CODE(0x0f, 0x01, 0x25, LE32(SHOT_DATA)) },
	/* clang-format on */
};

static void test_umip(void)
{
	bool is_there = cpuid(7, 0).ecx & BIT(2);
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(hidden); i++) {
		shot_reset32(&s);
		shot_user(&s);
		run(&s, hidden[i].code, hidden[i].length);
		shot_expect_end("no-umip", hidden[i].name, &s, END, 0);
		if (!is_there)
			continue;
		shot_reset32(&s);
		shot_user(&s);
		s.cr4 = CR4_UMIP;
		run(&s, hidden[i].code, hidden[i].length);
		shot_expect_end("umip", hidden[i].name, &s, GP, 0);
		shot_reset32(&s);
		s.cr4 = CR4_UMIP;
		run(&s, hidden[i].code, hidden[i].length);
		shot_expect_end("umip-level0", hidden[i].name, &s, END, 0);
	}
	if (!is_there)
		skip("umip", "CPUID does not offer it");
}

/* ---- Table registers ----------------------------------------------------- */

static void test_tables(void)
{
	struct shot s;

	shot_reset32(&s);
	poke32(SHOT_DATA + 16, 0x56781234);
	poke32(SHOT_DATA + 20, 0x9abc);
	SHOT32(&s, 0x0f, 0x01, 0x05, LE32(SHOT_DATA),  /* sgdt */
	       0x0f, 0x01, 0x15, LE32(SHOT_DATA + 16), /* lgdt */
	       0x0f, 0x01, 0x05, LE32(SHOT_DATA + 32), /* sgdt */
	       0x0f, 0x01, 0x15, LE32(SHOT_DATA));     /* lgdt */
	shot_expect_end("gdt", "end", &s, END, 0);
	shot_expect("gdt", "limit", "", peek16(SHOT_DATA), 128 * 8 - 1);
	shot_expect("gdt", "base", "", peek32(SHOT_DATA + 2),
		    (uint32_t)(uint64_t)shot_gdt);
	shot_expect("gdt", "loaded", "", peek64(SHOT_DATA + 32),
		    0x9abc56781234);
	/* With 16-bit operands LGDT and LIDT take 24 bits of the base. */
	shot_reset32(&s);
	poke32(SHOT_DATA + 16, 0x56781234);
	poke32(SHOT_DATA + 20, 0x9abc);
	SHOT32(&s, 0x0f, 0x01, 0x0d, LE32(SHOT_DATA),	     /* sidt */
	       0x66, 0x0f, 0x01, 0x1d, LE32(SHOT_DATA + 16), /* o16 lidt */
	       0x0f, 0x01, 0x0d, LE32(SHOT_DATA + 32),	     /* sidt */
	       0x0f, 0x01, 0x1d, LE32(SHOT_DATA));	     /* lidt */
	shot_expect_end("idt", "end", &s, END, 0);
	shot_expect("idt", "loaded", "", peek64(SHOT_DATA + 32),
		    0x00bc56781234);
	/* The register forms do not exist; MOD 3 is other instructions. */
	shot_reset32(&s);
	s.gpr[SHOT_EAX] = 0xffffffff;
	SHOT32(&s, 0x0f, 0x00, 0xc8); /* str eax */
	shot_expect("str", "register", "", s.gpr[SHOT_EAX], SEL_TSS);
	shot_reset32(&s);
	poke32(SHOT_DATA, 0xffffffff);
	SHOT32(&s, 0x0f, 0x00, 0x0d, LE32(SHOT_DATA)); /* str [] */
	shot_expect("str", "memory", "", peek32(SHOT_DATA),
		    0xffff0000 | SEL_TSS);
	shot_reset32(&s);
	SHOT32(&s, 0x0f, 0x01, 0xe0); /* smsw eax */
	shot_expect("smsw", "register", "", s.gpr[SHOT_EAX] & 0xffff, 0x33);
	shot_reset32(&s);
	poke32(SHOT_DATA, 0xffffffff);
	SHOT32(&s, 0x0f, 0x01, 0x25, LE32(SHOT_DATA)); /* smsw [] */
	shot_expect("smsw", "memory", "", peek32(SHOT_DATA), 0xffff0033);
}

/* ---- Control and debug registers ----------------------------------------- */

static void test_control(void)
{
	static const struct {
		const char *name;
		uint8_t reg; /* ModRM of MOV to it from EAX */
		uint32_t value;
		uint8_t vector;
	} row[] = {
		/* clang-format off */
		{ "cr0-nw-without-cd", 0xc0, 0x20000033, GP },
		{ "cr1", 0xc8, 0, UD },
		{ "cr5", 0xe8, 0, UD },
		{ "cr7", 0xf8, 0, UD },
		{ "cr2", 0xd0, 0x12345678, END },
		{ "cr3", 0xd8, 0x00007000, END },
		/* MOD is ignored: registers always. */
		{ "cr2-mod-0", 0x10, 0x12345678, END },
		/* clang-format on */
	};
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		shot_reset32(&s);
		s.gpr[SHOT_EAX] = row[i].value;
		SHOT32(&s, 0x0f, 0x22, row[i].reg);
		shot_expect_end("control", row[i].name, &s, row[i].vector, 0);
		if ((row[i].reg & 0x38) == 0x10)
			shot_expect("control", row[i].name, "value", s.cr2,
				    row[i].value);
	}
	/* LMSW sets PE, MP, EM and TS, and clears all but PE. */
	shot_reset32(&s);
	s.gpr[SHOT_EAX] = 0xfffc;
	SHOT32(&s, 0x0f, 0x01, 0xf0, /* lmsw ax */
	       0x0f, 0x20, 0xc3);    /* mov ebx, cr0 */
	shot_expect("lmsw", "sets", "", s.gpr[SHOT_EBX], 0x3d);
	shot_reset32(&s);
	s.gpr[SHOT_EAX] = 0;
	SHOT32(&s, 0x0f, 0x01, 0xf0, 0x0f, 0x20, 0xc3);
	shot_expect("lmsw", "keeps-pe", "", s.gpr[SHOT_EBX], 0x31);
	shot_reset32(&s);
	s.gpr[SHOT_EAX] = 8;
	SHOT32(&s, 0x0f, 0x01, 0xf0, /* TS on */
	       0x0f, 0x06,	     /* clts */
	       0x0f, 0x20, 0xc3);
	shot_expect("clts", "", "", s.gpr[SHOT_EBX], 0x31);
	shot_reset32(&s);
	s.gpr[SHOT_EAX] = 0xa;
	SHOT32(&s, 0x0f, 0x01, 0xf0, 0x9b); /* TS, MP; fwait */
	shot_expect_end("fwait", "ts-mp", &s, X86_VECTOR_NM, 0);
	/* CR4.TSD */
	shot_reset32(&s);
	shot_user(&s);
	s.cr4 = X86_CR4_TSD;
	SHOT32(&s, 0x0f, 0x31);
	shot_expect_end("tsd", "level3", &s, GP, 0);
	shot_reset32(&s);
	s.cr4 = X86_CR4_TSD;
	SHOT32(&s, 0x0f, 0x31);
	shot_expect_end("tsd", "level0", &s, END, 0);
	/* DR4 is DR6 unless CR4.DE is set. */
	shot_reset32(&s);
	SHOT32(&s, 0x0f, 0x21, 0xe0); /* mov eax, dr4 */
	shot_expect_end("dr4", "", &s, END, 0);
	shot_reset32(&s);
	s.cr4 = X86_CR4_DE;
	SHOT32(&s, 0x0f, 0x21, 0xe0);
	shot_expect_end("dr4", "de", &s, UD, 0);
}

/* AMD's way to CR8 outside 64-bit mode: MOV CR0 with LOCK. */
static void test_cr8(void)
{
	struct shot s;

	if (!(cpuid(0x80000001, 0).ecx & BIT(4))) {
		skip("cr8-by-lock", "CPUID does not offer it");
		return;
	}
	shot_reset32(&s);
	s.gpr[SHOT_EAX] = 5;
	SHOT32(&s, 0xf0, 0x0f, 0x22, 0xc0, /* lock mov cr0, eax */
	       0xf0, 0x0f, 0x20, 0xc3,	   /* lock mov ebx, cr0 */
	       0x31, 0xc0, 0xf0, 0x0f, 0x22, 0xc0);
	shot_expect_end("cr8-by-lock", "end", &s, END, 0);
	shot_expect("cr8-by-lock", "value", "", s.gpr[SHOT_EBX], 5);
	shot_reset32(&s);
	shot_user(&s);
	SHOT32(&s, 0xf0, 0x0f, 0x20, 0xc3);
	shot_expect_end("cr8-by-lock", "level3", &s, GP, 0);
}

/* ---- IOPL and the I/O bitmap --------------------------------------------- */

static void test_iopl(void)
{
	struct shot s;

	shot_reset32(&s);
	shot_user(&s);
	s.flags |= X86_FLAG_IOPL;
	SHOT32(&s, 0xfb, 0x9c, 0x5b, 0xfa); /* sti; pushfd; pop ebx; cli */
	shot_expect_end("iopl3", "sti", &s, END, 0);
	shot_expect("iopl3", "sti", "if", s.gpr[SHOT_EBX] & X86_FLAG_IF,
		    X86_FLAG_IF);
	shot_expect("iopl3", "cli", "if", s.flags & X86_FLAG_IF, 0);
	/* POPF leaves what the level may not change, without a fault. */
	shot_reset32(&s);
	shot_user(&s);
	SHOT32(&s, 0x68, LE32(0x3ed7), 0x9d); /* push; popfd */
	shot_expect_end("iopl0", "popf", &s, END, 0);
	shot_expect("iopl0", "popf", "flags", s.flags, 0xcd7);
	shot_reset32(&s);
	shot_user(&s);
	s.flags |= X86_FLAG_IOPL;
	SHOT32(&s, 0x68, LE32(0x0ed7), 0x9d);
	shot_expect("iopl3", "popf", "flags", s.flags, 0x3ed7);
	shot_reset32(&s);
	SHOT32(&s, 0x68, LE32(0x3cd7), 0x9d);
	shot_expect("level0", "popf", "flags", s.flags, 0x3cd7);
	/* POPF of 16 bits leaves the upper half; VM, RF, VIF, VIP stay. */
	shot_reset32(&s);
	SHOT32(&s, 0x68, LE32(0x003f0002), 0x9d);
	shot_expect("level0", "popf-upper", "flags", s.flags, 0x00240002);
}

#define PORT_BYTE (PORT_NONE / 8)

static const struct port {
	const char *name;
	uint8_t length;
	uint8_t code[8];
	uint16_t bits;	/* of the bitmap from PORT_NONE on; all others set */
	uint16_t limit; /* of the TSS; 0: all of it */
	uint8_t vector;
} ports[] = {
	/* clang-format off */
	{ "in8", CODE(0xec), 0xfffe, 0, END },
	{ "in8-not", CODE(0xec), 0x0001, 0, GP },
	{ "in16", CODE(0x66, 0xed), 0xfffc, 0, END },
	{ "in16-second", CODE(0x66, 0xed), 0xfffe, 0, GP },
	{ "in32", CODE(0xed), 0xfff0, 0, END },
	{ "in32-last", CODE(0xed), 0xfff8, 0, GP },
	{ "out32", CODE(0xef), 0xfff0, 0, END },
	{ "insb", CODE(0x6c), 0xfffe, 0, END },
	{ "insb-not", CODE(0x6c), 0xffff, 0, GP },
	{ "rep-outsw", CODE(0x66, 0xf3, 0x6f), 0xfffc, 0, END },
	{ "rep-outsw-not", CODE(0x66, 0xf3, 0x6f), 0xfffd, 0, GP },
	/* Two bytes are read, both within the limit. */
	{ "limit", CODE(0xec), 0xfffe, 104 + PORT_BYTE + 1, END },
	{ "limit-second", CODE(0xec), 0xfffe, 104 + PORT_BYTE, GP },
	{ "limit-none", CODE(0xec), 0xfffe, 104, GP },
	/* clang-format on */
};

static void test_ports(void)
{
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
		const struct port *row = &ports[i];

		for (unsigned is_v86 = 0; is_v86 < 2; is_v86++) {
			/* IOPL is of no matter to virtual-8086 mode. */
			if (is_v86) {
				v86_prepare(&s, 3);
				s.gpr[SHOT_ESI] = s.gpr[SHOT_EDI] = 0x10;
			} else {
				shot_reset32(&s);
				shot_user(&s);
				s.gpr[SHOT_ESI] = s.gpr[SHOT_EDI] = SHOT_DATA;
			}
			s.gpr[SHOT_EDX] = PORT_NONE;
			s.gpr[SHOT_ECX] = 2;
			shot_tss.io_map[PORT_BYTE] = (uint8_t)row->bits;
			shot_tss.io_map[PORT_BYTE + 1] =
				(uint8_t)(row->bits >> 8);
			if (row->limit)
				shot_gdt[SEL_TSS / 8] =
					descriptor((uint64_t)&shot_tss,
						   row->limit, ACCESS_TSS32, 0);
			/* Of 16-bit code 66h means the other size. */
			if (is_v86 && row->code[0] == 0x66) {
				run(&s, row->code + 1, row->length - 1u);
			} else if (is_v86 && (row->code[0] == 0xed ||
					      row->code[0] == 0xef)) {
				const uint8_t wide[] = { 0x66, row->code[0] };

				run(&s, wide, sizeof(wide));
			} else {
				run(&s, row->code, row->length);
			}
			shot_expect_end(is_v86 ? "v86-port" : "port", row->name,
					&s, row->vector, 0);
		}
	}
	shot_reset32(&s);
	shot_user(&s);
	s.flags |= X86_FLAG_IOPL;
	s.gpr[SHOT_EDX] = PORT_NONE;
	SHOT32(&s, 0xec);
	shot_expect_end("port", "iopl3", &s, END, 0);
	/* A 16-bit TSS has no bitmap. */
	shot_reset32(&s);
	shot_user(&s);
	memset(shot_tss.io_map, 0, sizeof(shot_tss.io_map));
	shot_gdt[SEL_TSS / 8] =
		descriptor((uint64_t)&shot_tss, sizeof(shot_tss) - 1, 0x81, 0);
	/* Its level 0 stack is where the other kind has ESP0's halves. */
	shot_tss.legacy.link = (uint32_t)SHOT_STACK0 << 16;
	shot_tss.legacy.esp0 = SEL_DATA16;
	s.gpr[SHOT_EDX] = PORT_NONE;
	SHOT32(&s, 0xec);
	shot_expect_end("port", "tss16", &s, GP, 0);
}

/* ---- Alignment ----------------------------------------------------------- */

static const struct align {
	const char *name;
	uint8_t length;
	uint8_t code[8];
	uint8_t offset; /* of EBX from SHOT_DATA */
	bool is_aligned;
} aligns[] = {
	/* clang-format off */
	{ "byte", CODE(0x8a, 0x03), 1, true },
	{ "word", CODE(0x66, 0x8b, 0x03), 2, true },
	{ "word-odd", CODE(0x66, 0x8b, 0x03), 1, false },
	{ "dword", CODE(0x8b, 0x03), 4, true },
	{ "dword-2", CODE(0x8b, 0x03), 2, false },
	{ "dword-write", CODE(0x89, 0x03), 1, false },
	{ "rmw", CODE(0x01, 0x03), 3, false },
	{ "push", CODE(0xff, 0x33), 2, false },
	{ "movs", CODE(0xa5), 2, false },
	{ "sgdt-word", CODE(0x0f, 0x01, 0x03), 2, true },
	/* clang-format on */
};

static void test_alignment(void)
{
	struct shot s;

	for (unsigned i = 0; i < ARRAY_SIZE(aligns); i++) {
		const struct align *row = &aligns[i];
		unsigned vector = row->is_aligned ? END : AC;

		for (unsigned level = 0; level <= 3; level += 3) {
			shot_reset32(&s);
			if (level)
				shot_user(&s);
			s.cr0 |= CR0_AM;
			s.flags |= X86_FLAG_AC;
			s.gpr[SHOT_EBX] = SHOT_DATA + row->offset;
			s.gpr[SHOT_ESI] = SHOT_DATA + row->offset;
			s.gpr[SHOT_EDI] = SHOT_DATA;
			run(&s, row->code, row->length);
			shot_expect_end(level ? "align" : "align-level0",
					row->name, &s, level ? vector : END, 0);
		}
	}
	shot_reset32(&s);
	shot_user(&s);
	s.flags |= X86_FLAG_AC;
	SHOT32(&s, 0x8b, 0x05, LE32(SHOT_DATA + 1));
	shot_expect_end("align", "without-am", &s, END, 0);
}

/* ---- SYSENTER, SYSCALL --------------------------------------------------- */

static void test_sysenter(void)
{
	struct shot s;

	if (!(cpuid(1, 0).edx & BIT(11))) {
		skip("sysenter", "CPUID does not offer it");
		return;
	}
	wrmsr(MSR_SYSENTER_CS, 0);
	shot_reset32(&s);
	shot_user(&s);
	SHOT32(&s, 0x0f, 0x34);
	shot_expect_end("sysenter", "cs-null", &s, GP, 0);
	/* SEL_CODE32, then whatever descriptors follow are not looked at. */
	wrmsr(MSR_SYSENTER_CS, SEL_CODE32 | 3);
	wrmsr(MSR_SYSENTER_ESP, SHOT_STACK1);
	wrmsr(MSR_SYSENTER_EIP, SHOT_TARGET);
	shot_reset32(&s);
	shot_user(&s);
	s.flags |= X86_FLAG_CF | X86_FLAG_IF;
	SHOT32(&s, 0x0f, 0x34);
	shot_expect_end("sysenter", "end", &s, END, 0);
	shot_expect("sysenter", "cs", "", s.seg[SHOT_CS], SEL_CODE32);
	shot_expect("sysenter", "ss", "", s.seg[SHOT_SS], SEL_CODE32 + 8);
	shot_expect("sysenter", "eip", "", s.rip, SHOT_TARGET + 2);
	shot_expect("sysenter", "esp", "", s.gpr[SHOT_ESP], SHOT_STACK1);
	shot_expect("sysenter", "flags", "", s.flags,
		    X86_FLAG_ONE | X86_FLAG_CF);
	/* And out again: CS is SYSENTER_CS + 16. */
	wrmsr(MSR_SYSENTER_CS, SEL_CODE16);
	shot_reset32(&s);
	s.gpr[SHOT_EDX] = SHOT_TARGET;
	s.gpr[SHOT_ECX] = SHOT_STACK1;
	SHOT32(&s, 0x0f, 0x35);
	shot_expect_end("sysexit", "end", &s, END, 0);
	shot_expect("sysexit", "cs", "", s.seg[SHOT_CS], SEL_USER32 | 3);
	shot_expect("sysexit", "ss", "", s.seg[SHOT_SS], SEL_USER_DATA | 3);
	shot_expect("sysexit", "esp", "", s.gpr[SHOT_ESP], SHOT_STACK1);
	wrmsr(MSR_SYSENTER_CS, 0);
	shot_reset32(&s);
	SHOT32(&s, 0x0f, 0x35);
	shot_expect_end("sysexit", "cs-null", &s, GP, 0);
}

static void test_syscall(void)
{
	struct shot s;

	shot_reset32(&s);
	shot_user(&s);
	SHOT32(&s, 0x0f, 0x05);
	shot_expect_end("syscall", "off", &s, UD, 0);
	shot_reset32(&s);
	shot_user(&s);
	s.efer = EFER_SCE;
	wrmsr(MSR_STAR, SHOT_TARGET | (uint64_t)SEL_CODE32 << 32 |
				(uint64_t)(SEL_USER32 | 3) << 48);
	SHOT32(&s, 0x0f, 0x05);
	if (is_intel()) {
		/* Intel's processors have it in 64-bit mode only. */
		shot_expect_end("syscall", "legacy", &s, UD, 0);
		return;
	}
	shot_expect_end("syscall", "end", &s, END, 0);
	shot_expect("syscall", "cs", "", s.seg[SHOT_CS], SEL_CODE32);
	shot_expect("syscall", "ss", "", s.seg[SHOT_SS], SEL_CODE32 + 8);
	shot_expect("syscall", "ecx", "", s.gpr[SHOT_ECX], SHOT_CODE + 2);
	shot_reset32(&s);
	s.efer = EFER_SCE;
	s.gpr[SHOT_ECX] = SHOT_TARGET;
	SHOT32(&s, 0x0f, 0x07); /* sysret */
	shot_expect_end("sysret", "end", &s, END, 0);
	shot_expect("sysret", "cs", "", s.seg[SHOT_CS], SEL_USER32 | 3);
	shot_expect("sysret", "ss", "", s.seg[SHOT_SS], SEL_USER_DATA | 3);
	shot_expect("sysret", "if", "", s.flags & X86_FLAG_IF, X86_FLAG_IF);
	shot_reset32(&s);
	shot_user(&s);
	s.efer = EFER_SCE;
	SHOT32(&s, 0x0f, 0x07);
	shot_expect_end("sysret", "user", &s, GP, 0);
}

void guest_main(void)
{
	test_privileged();
	test_umip();
	test_tables();
	test_control();
	test_cr8();
	test_iopl();
	test_ports();
	test_alignment();
	test_sysenter();
	test_syscall();
}
