/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one emulated instruction costs, in host instructions counted by
 * callgrind: decode from memory, execute, write back.  The rows are those by
 * which other emulators were measured (flat 32-bit code, paging off); further
 * rows measure what the exit handlers call, in 64-bit code under 4-level
 * paging with 2 MiB pages, and in 32-bit code without paging, under two-level
 * paging and under PAE.
 *
 * Under callgrind each row is one dump, named after the row; report.py reads
 * them.  With an argument it names the rows instead.
 */
#include "include/emulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

#define RAM_SIZE     (4UL << 20)
#define ROUNDS	     1000
#define CODE	     0x1000UL
#define STACK	     0x8000
#define SOURCE	     0x20000
#define TARGET	     0x30000
#define TABLES	     0x100000
#define TABLE_PAE    (TABLES + 0x10000)
#define TABLE_NARROW (TABLES + 0x11000)
#define KERNEL	     0xffff800000000000UL
#define MMIO	     0x80000000UL

enum kind {
	STEP,	/* emul_step */
	EMPTY,	/* the loop alone, which the report subtracts */
	LENGTH, /* emul_insn_length */
};

enum mode {
	FLAT, /* 32-bit code, no paging */
	LONG,
	NARROW, /* 32-bit code, two levels, pages of 4 KiB */
	PAE,	/* 32-bit code, pages of 2 MiB */
};

struct row {
	const char *name;
	uint8_t bytes[12];
	uint8_t length;
	enum kind kind;
	enum mode mode;
	uint32_t rcx;
	uint64_t rdi;
	enum emul_expect expect;
};

/* clang-format off */
static const struct row rows[] = {
	{ "empty", { 0 }, 0, .kind = EMPTY },
	{ "mov_st32", { 0x89, 0x07 }, 2, .kind = STEP },
	{ "mov_ld32", { 0x8b, 0x06 }, 2, .kind = STEP },
	{ "mov_ld_sib", { 0x8b, 0x44, 0x8e, 0x10 }, 4, .rcx = 4 },
	{ "mov_st_imm", { 0xc7, 0x07, 0x78, 0x56, 0x34, 0x12 }, 6, .kind = STEP },
	{ "or_m_imm8", { 0x83, 0x0f, 0x01 }, 3, .kind = STEP },
	{ "and_m_r", { 0x21, 0x07 }, 2, .kind = STEP },
	{ "test_m_imm", { 0xf7, 0x06, 1, 0, 0, 0 }, 6, .kind = STEP },
	{ "movzx_m8", { 0x0f, 0xb6, 0x06 }, 3, .kind = STEP },
	{ "xchg_m_r", { 0x87, 0x07 }, 2, .kind = STEP },
	{ "lock_cmpxchg", { 0xf0, 0x0f, 0xb1, 0x0f }, 4, .kind = STEP },
	{ "bts_m_imm", { 0x0f, 0xba, 0x2f, 0x03 }, 4, .kind = STEP },
	{ "movs_one", { 0xa5 }, 1, .kind = STEP },
	{ "rep_movsb64", { 0xf3, 0xa4 }, 2, .rcx = 64 },
	{ "rep_movsd16", { 0xf3, 0xa5 }, 2, .rcx = 16 },
	{ "rep_stosd16", { 0xf3, 0xab }, 2, .rcx = 16 },
	{ "push_r", { 0x50 }, 1, .kind = STEP },
	{ "add_r_r", { 0x01, 0xd8 }, 2, .kind = STEP },
	{ "movups_ld", { 0x0f, 0x10, 0x06 }, 3, .kind = STEP },
	{ "movdqa_st", { 0x66, 0x0f, 0x7f, 0x07 }, 4, .kind = STEP },
	{ "mov_st32_mmio", { 0x89, 0x07 }, 2, .mode = LONG, .rdi = KERNEL + MMIO },
	{ "mov_ld32_mmio", { 0x8b, 0x07 }, 2, .mode = LONG, .rdi = KERNEL + MMIO },
	{ "mov_st64", { 0x48, 0x89, 0x07 }, 3, .mode = LONG },
	{ "length_cpuid", { 0x0f, 0xa2 }, 2, .kind = LENGTH, .mode = LONG,
	  .expect = EMUL_EXPECT_CPUID },
	{ "length_vmcall", { 0x0f, 0x01, 0xd9 }, 3, .kind = LENGTH, .mode = LONG,
	  .expect = EMUL_EXPECT_VMMCALL },
	{ "mov_ld32_narrow", { 0x8b, 0x07 }, 2, .mode = NARROW, .rdi = MMIO },
	{ "mov_ld32_pae", { 0x8b, 0x07 }, 2, .mode = PAE, .rdi = MMIO },
	{ "length_flat", { 0x0f, 0xa2 }, 2, .kind = LENGTH, .mode = FLAT,
	  .expect = EMUL_EXPECT_CPUID },
	{ "length_narrow", { 0x0f, 0xa2 }, 2, .kind = LENGTH, .mode = NARROW,
	  .expect = EMUL_EXPECT_CPUID },
	{ "length_pae", { 0x0f, 0xa2 }, 2, .kind = LENGTH, .mode = PAE,
	  .expect = EMUL_EXPECT_CPUID },
	{ "length_invlpg", { 0x0f, 0x01, 0x3f }, 3, .kind = LENGTH, .mode = LONG,
	  .expect = EMUL_EXPECT_INVLPG },
};
/* clang-format on */

struct bench {
	struct x86_state state;
	struct x86_xstate xstate;
	struct emul emul;
	uint8_t *ram;
};

static enum emul_status mmio_read(void *ctx, uint64_t gpa, void *data,
				  unsigned size)
{
	(void)ctx;
	(void)gpa;
	(void)size;
	*(uint32_t *)data = UINT32_MAX;
	return EMUL_OK;
}

static enum emul_status mmio_write(void *ctx, uint64_t gpa, const void *data,
				   unsigned size)
{
	(void)ctx;
	(void)gpa;
	(void)data;
	(void)size;
	return EMUL_OK;
}

static const struct emul_ops ops = {
	.mmio_read = mmio_read,
	.mmio_write = mmio_write,
};

#define PTE_TABLE 0x63
#define PTE_LARGE 0xe3
#define PDPTE	  0x01

/* 4 GiB of 2 MiB pages, one to one. */
static void tables_make(struct bench *b)
{
	uint64_t *table = (uint64_t *)(b->ram + TABLES);

	table[0] = table[256] = (TABLES + 0x1000) | PTE_TABLE;
	for (unsigned i = 0; i < 4; i++)
		table[512 + i] = (TABLES + 0x2000 + i * 0x1000UL) | PTE_TABLE;
	for (unsigned i = 0; i < 2048; i++)
		table[1024 + i] = ((uint64_t)i << 21) | PTE_LARGE;
	table = (uint64_t *)(b->ram + TABLE_PAE);
	for (unsigned i = 0; i < 4; i++)
		table[i] = (TABLES + 0x2000 + i * 0x1000UL) | PDPTE;
}

/* 4 MiB of RAM, and of devices, one to one. */
static void tables_make_narrow(struct bench *b)
{
	uint32_t *table = (uint32_t *)(b->ram + TABLE_NARROW);

	table[0] = (TABLE_NARROW + 0x1000) | PTE_TABLE;
	table[MMIO >> 22] = (TABLE_NARROW + 0x2000) | PTE_TABLE;
	for (unsigned i = 0; i < 1024; i++) {
		table[1024 + i] = i << 12 | PTE_TABLE;
		table[2048 + i] = ((uint32_t)MMIO + (i << 12)) | PTE_TABLE;
	}
}

#define ATTR_FLAT                                                          \
	(X86_ATTR_P | X86_ATTR_S | X86_ATTR_WRITABLE | X86_ATTR_ACCESSED | \
	 X86_ATTR_DB | X86_ATTR_G)

static void state_set(struct bench *b, const struct row *row)
{
	struct x86_state *s = &b->state;

	memset(s, 0, sizeof(*s));
	s->valid = ~0U;
	s->rip = CODE;
	s->rflags = X86_FLAG_ONE;
	s->gpr[X86_RCX] = row->rcx;
	s->gpr[X86_RSP] = STACK;
	s->gpr[X86_RSI] = SOURCE;
	s->gpr[X86_RDI] = row->rdi ? row->rdi : TARGET;
	for (unsigned i = 0; i < X86_SEG_COUNT; i++) {
		s->seg[i].attributes = ATTR_FLAT;
		s->seg[i].limit = UINT32_MAX;
	}
	s->seg[X86_CS].attributes |= X86_ATTR_CODE;
	s->cr0 = X86_CR0_PE;
	s->cr4 = X86_CR4_OSFXSR;
	b->xstate.xstate_bv = X86_XCR0_SSE | X86_XCR0_X87;
	if (row->mode == FLAT)
		return;
	s->cr0 |= X86_CR0_PG;
	s->cr3 = row->mode == LONG  ? TABLES
		 : row->mode == PAE ? TABLE_PAE
				    : TABLE_NARROW;
	if (row->mode != NARROW)
		s->cr4 |= X86_CR4_PAE;
	if (row->mode != LONG)
		return;
	s->seg[X86_CS].attributes ^= X86_ATTR_DB | X86_ATTR_L;
	s->efer = X86_EFER_LME | X86_EFER_LMA;
}

static int run_once(struct bench *b, const struct row *row)
{
	if (row->kind == LENGTH)
		return emul_insn_length(&b->emul, row->expect) != row->length;
	b->state.rip = CODE;
	b->state.gpr[X86_RCX] = row->rcx;
	b->state.gpr[X86_RSP] = STACK;
	b->state.gpr[X86_RSI] = SOURCE;
	b->state.gpr[X86_RDI] = row->rdi ? row->rdi : TARGET;
	if (row->kind == EMPTY)
		return 0;
	return emul_step(&b->emul) != EMUL_OK ||
	       b->state.rip != CODE + row->length;
}

static int run_row(struct bench *b, const struct row *row)
{
	int bad = 0;

	memset(b->ram + CODE, 0x90, 64);
	memcpy(b->ram + CODE, row->bytes, row->length);
	state_set(b, row);
	for (unsigned i = 0; i < 10; i++)
		bad |= run_once(b, row);
	CALLGRIND_ZERO_STATS;
	for (unsigned i = 0; i < ROUNDS; i++)
		bad |= run_once(b, row);
	CALLGRIND_DUMP_STATS_AT(row->name);
	if (bad)
		fprintf(stderr, "%s failed\n", row->name);
	return bad;
}

int main(void)
{
	static struct bench b;
	int bad = 0;

	b.ram = aligned_alloc(4096, RAM_SIZE);
	if (!b.ram)
		return 1;
	memset(b.ram, 0, RAM_SIZE);
	tables_make(&b);
	tables_make_narrow(&b);
	emul_init(&b.emul, &b.state, &ops, &b);
	b.emul.xstate = &b.xstate;
	b.emul.window[0] =
		(struct emul_window){ .size = RAM_SIZE, .host = b.ram };
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		bad |= run_row(&b, &rows[i]);
	return bad;
}
