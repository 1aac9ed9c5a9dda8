/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every opcode of every map on memory that is a device, at level 3 and by
 * single step, and random ones: whatever they do, the guest goes on.
 */
#include "tests/guest/lib/shot.h"

#include "lib/string.h"

#define DEVICE	  0xa0000u /* VGA's */
#define CR4_VALUE (X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT)
#define RANDOM	  2000
#define TSS_BUSY  BIT(41)
#define SEL_AFTER 0x90 /* shot.c's, to leave with */

static struct shot first;
static unsigned executed, refused;

static void vectors_enable(void)
{
	uint32_t ecx = cpuid(1, 0).ecx;

	WRITE_CR(0, READ_CR(0) & ~(uint64_t)(X86_CR0_EM | X86_CR0_TS));
	WRITE_CR(4, READ_CR(4) | CR4_VALUE);
	if (!(ecx & BIT(26)))
		return;
	WRITE_CR(4, READ_CR(4) | X86_CR4_OSXSAVE);
	__asm__ volatile("xsetbv" ::"c"(0), "a"(ecx & BIT(28) ? 7 : 3), "d"(0));
}

static void prepare(void)
{
	vectors_enable();
	shot_reset64(&first);
	for (uint64_t at = DEVICE; at < DEVICE + 0x10000; at += PAGE_SIZE)
		*page_entry(at) = at | PTE_P | PTE_W | PTE_U;
	WRITE_CR(3, READ_CR(3));
	shot_user(&first);
	for (unsigned i = 0; i < 8; i++)
		if (i != SHOT_ESP)
			first.gpr[i] = DEVICE + 0x100;
	first.gpr[SHOT_ECX] = 1;
	first.flags |= X86_FLAG_TF; /* one instruction, wherever it leads */
}

static void try(const uint8_t *bytes, unsigned length)
{
	uint8_t code[16] = { 0 };
	struct shot s = first;

	memcpy(code, bytes, length);
	shot_gdt[SEL_TSS / 8] &= ~TSS_BUSY;
	shot_gdt[SEL_AFTER / 8] &= ~TSS_BUSY;
	__asm__ volatile("fninit");
	shot_run64(&s, code, sizeof(code));
	executed += s.vector == X86_VECTOR_DB;
	refused += s.vector == X86_VECTOR_UD;
}

static void group_begin(void)
{
	executed = refused = 0;
}

/* It ended, and most were more than undefined. */
static void group_end(const char *name, unsigned least)
{
	print("%s: %u executed, %u undefined\n", name, executed, refused);
	check(name, executed >= least);
}

/* Opcodes of 0F without a memory form: MOVMSKPS, shifts, MASKMOVQ and so on. */
static bool is_register_only(uint8_t opcode)
{
	return memchr("\x50\x71\x72\x73\xc5\xd7\xf7", opcode, 7);
}

static uint8_t modrm_of(bool is_0f, uint8_t opcode, unsigned reg)
{
	return (uint8_t)((is_0f && is_register_only(opcode) ? 0xc3 : 3) |
			 (reg & 7) << 3);
}

static void test_legacy(const char *name, const uint8_t *escape,
			unsigned length, unsigned regs, unsigned least)
{
	static const uint8_t prefixes[] = { 0, 0x66, 0xf3, 0xf2, 0x48 };

	group_begin();
	for (unsigned op = 0; op < 256; op++)
		for (unsigned p = 0; p < sizeof(prefixes); p++)
			for (unsigned reg = 0; reg < (p ? 1 : regs); reg++) {
				uint8_t bytes[8];
				unsigned at = 0, field = reg;

				if (regs == 1 || p)
					field = op + p;
				if (prefixes[p])
					bytes[at++] = prefixes[p];
				memcpy(bytes + at, escape, length);
				at += length;
				bytes[at++] = (uint8_t)op;
				bytes[at++] = modrm_of(length == 1, (uint8_t)op,
						       field);
				try(bytes, at);
			}
	group_end(name, least);
}

static void test_vex(void)
{
	bool has_avx = cpuid(1, 0).ecx & BIT(28);
	unsigned was_refused;

	group_begin();
	for (unsigned i = 0; i < 3 * 256 * 8; i++) {
		uint8_t bytes[] = {
			0xc4,
			(uint8_t)(0xe1 + i / (256 * 8)),
			(uint8_t)(0x78 | (i & 7) | (i & 8) << 4),
			(uint8_t)(i / 8),
			modrm_of(i < 256 * 8, (uint8_t)(i / 8), i / 8),
		};

		was_refused = refused;
		try(bytes, sizeof(bytes));
		if (was_refused == refused)
			continue;
		/* Perhaps it wants a second source. */
		bytes[2] &= 0xbf;
		try(bytes, sizeof(bytes));
	}
	if (has_avx)
		group_end("vex", 400);
	else
		skip("vex", "no AVX");
}

/* All but D9 /1, DB /4, DB /6 and DD /5 exist; DF /1 and its like by SSE3. */
static void test_x87(void)
{
	group_begin();
	for (unsigned op = 0; op < 64; op++)
		try((const uint8_t[]){ (uint8_t)(0xd8 + op / 8),
				       (uint8_t)(3 | (op & 7) << 3) },
		    2);
	group_end("x87-memory", 57);
	group_begin();
	for (unsigned op = 0; op < 8 * 64; op++)
		try((const uint8_t[]){ (uint8_t)(0xd8 + op / 64),
				       (uint8_t)(0xc0 + op % 64) },
		    2);
	group_end("x87-registers", 300);
}

static uint64_t next(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random * 0x2545f4914f6cdd1dULL >> 16;
}

static void test_random(void)
{
	static const uint8_t starts[][3] = {
		{ 0x0f },
		{ 0x66, 0x0f },
		{ 0xf3, 0x0f },
		{ 0xf2, 0x0f },
		{ 0x0f, 0x38 },
		{ 0x66, 0x0f, 0x38 },
		{ 0x66, 0x0f, 0x3a },
		{ 0 },
		{ 0x66 },
		{ 0x48 },
		{ 0xc4, 0xe1 },
		{ 0xc4, 0xe2 },
		{ 0xc4, 0xe3 },
		{ 0xc5 },
	};
	uint64_t random = 88172645463325252;

	group_begin();
	for (unsigned i = 0; i < RANDOM; i++) {
		const uint8_t *start =
			starts[next(&random) % ARRAY_SIZE(starts)];
		uint8_t bytes[15];
		unsigned at = 0;

		while (at < 3 && start[at])
			at++;
		memcpy(bytes, start, at);
		for (; at < sizeof(bytes); at++)
			bytes[at] = (uint8_t)next(&random);
		try(bytes, sizeof(bytes));
	}
	group_end("random", RANDOM / 10);
}

void guest_main(void)
{
	prepare();
	test_legacy("one-byte", NULL, 0, 8, 1500);
	test_legacy("0f", (const uint8_t *)"\x0f", 1, 8, 800);
	test_legacy("0f38", (const uint8_t *)"\x0f\x38", 2, 1, 1);
	test_legacy("0f3a", (const uint8_t *)"\x0f\x3a", 2, 1, 1);
	test_vex();
	test_x87();
	test_random();
}
