/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The length of an instruction that the processor reported but did not
 * measure, and the operands of a control register access.  The exit handlers
 * live on this: the common case is one walk of the page tables and one
 * compare of four bytes; prefixes and ModRM forms go through the decoder.
 *
 * Not modelled: bytes that changed since the processor fetched them (the
 * answer is then -1 or the new instruction's length).
 */
#include "emulate/decode.h"

/* Bytes from the opcode on, little-endian, under a mask. */
struct pattern {
	uint32_t value;
	uint32_t mask;
	uint8_t length; /* without prefixes; 0: the decoder finds it */
	bool is_memory; /* a register form is another instruction */
};

/* clang-format off */
#define ONE(a)	     { (a), 0xff, 1, false }
#define TWO(a, b)    { (a) | (b) << 8, 0xffff, 2, false }
#define THREE(a, b, c) { (a) | (b) << 8 | (c) << 16, 0xffffff, 3, false }
/* ModRM reg chooses. */
#define REGISTER(a, b, reg, memory) \
	{ (a) | (b) << 8 | (reg) << 19, 0x38ffff, 0, memory }

static const struct pattern patterns[EMUL_EXPECT_COUNT] = {
	[EMUL_EXPECT_CPUID]	= TWO(0x0f, 0xa2),
	[EMUL_EXPECT_RDMSR]	= TWO(0x0f, 0x32),
	[EMUL_EXPECT_WRMSR]	= TWO(0x0f, 0x30),
	[EMUL_EXPECT_VMMCALL]	= THREE(0x0f, 0x01, 0xd9),
	[EMUL_EXPECT_VMCALL]	= THREE(0x0f, 0x01, 0xc1),
	[EMUL_EXPECT_WBINVD]	= TWO(0x0f, 0x09),
	[EMUL_EXPECT_INVD]	= TWO(0x0f, 0x08),
	[EMUL_EXPECT_HLT]	= ONE(0xf4),
	[EMUL_EXPECT_PAUSE]	= TWO(0xf3, 0x90),
	[EMUL_EXPECT_RDTSC]	= TWO(0x0f, 0x31),
	[EMUL_EXPECT_RDTSCP]	= THREE(0x0f, 0x01, 0xf9),
	[EMUL_EXPECT_RDPMC]	= TWO(0x0f, 0x33),
	[EMUL_EXPECT_INVLPG]	= REGISTER(0x0f, 0x01, 7, true),
	[EMUL_EXPECT_MONITOR]	= THREE(0x0f, 0x01, 0xc8),
	[EMUL_EXPECT_MWAIT]	= THREE(0x0f, 0x01, 0xc9),
	[EMUL_EXPECT_IRET]	= ONE(0xcf),
	[EMUL_EXPECT_INT_N]	= { 0xcd, 0xff, 2, false },
	[EMUL_EXPECT_INT3]	= ONE(0xcc),
	[EMUL_EXPECT_INTO]	= ONE(0xce),
	[EMUL_EXPECT_ICEBP]	= ONE(0xf1),
	/* 20 and 22, 21 and 23: ModRM is always a register. */
	[EMUL_EXPECT_MOV_CR]	= { 0x200f, 0xfdff, 3, false },
	[EMUL_EXPECT_MOV_DR]	= { 0x210f, 0xfdff, 3, false },
	[EMUL_EXPECT_CLTS]	= TWO(0x0f, 0x06),
	[EMUL_EXPECT_LMSW]	= REGISTER(0x0f, 0x01, 6, false),
	[EMUL_EXPECT_SMSW]	= REGISTER(0x0f, 0x01, 4, false),
	/* 0F 00 and 0F 01, /0 to /3. */
	[EMUL_EXPECT_DESCRIPTOR] = { 0x000f, 0x20feff, 0, false },
	[EMUL_EXPECT_PUSHF]	= ONE(0x9c),
	[EMUL_EXPECT_POPF]	= ONE(0x9d),
	[EMUL_EXPECT_RSM]	= TWO(0x0f, 0xaa),
	[EMUL_EXPECT_INVLPGA]	= THREE(0x0f, 0x01, 0xdf),
	[EMUL_EXPECT_INVPCID]	= { 0x82380f, 0xffffff, 0, true },
	/* 0F 01 D8..DF but for VMMCALL, which the processor does not mix up. */
	[EMUL_EXPECT_VMX_SVM]	= { 0xd8010f, 0xf8ffff, 3, false },
};
/* clang-format on */

/* PAUSE is NOP with a prefix, so the decoder has taken its first byte. */
static bool bytes_match(const struct emul *e, enum emul_expect what,
			const struct pattern *p)
{
	const struct emul_decoded *d = e->d;
	uint32_t bytes = (uint32_t)ram_load(e->insn + d->prefix_length, 4);

	if (what == EMUL_EXPECT_PAUSE)
		return d->rep == PREFIX_F3 && (bytes & 0xff) == 0x90;
	if (what == EMUL_EXPECT_DESCRIPTOR && !d->is_memory &&
	    bytes & 0xff00) /* 0F 01 with a register is not of the family */
		return false;
	return (bytes & p->mask) == p->value && (!p->is_memory || d->is_memory);
}

static __noinline int length_by_decoder(struct emul *e, enum emul_expect what)
{
	const struct pattern *p = &patterns[what];

	if (emul_state_need(e, X86_GROUPS_COMMON) != EMUL_OK)
		return -1;
	emul_mode_set(e);
	if (emul_decode_parse(e) != EMUL_OK || !bytes_match(e, what, p))
		return -1;
	return p->length && what != EMUL_EXPECT_PAUSE
		       ? e->d->prefix_length + p->length
		       : e->d->length;
}

#define PAGE_OFFSET (PAGE_SIZE - 1)

/* Of what X86_GROUP_FETCH has; false: beyond CS's limit. */
static inline bool rip_linear(const struct x86_state *s, unsigned size,
			      uint64_t *linear)
{
	const struct x86_segment *cs = &s->seg[X86_CS];

	*linear = s->rip;
	if (likely(s->efer & X86_EFER_LMA && cs->attributes & X86_ATTR_L))
		return true;
	*linear = (uint32_t)(cs->base + s->rip);
	return (uint32_t)s->rip + (uint64_t)size - 1 <= cs->limit;
}

/* What fetch_again() asks for. */
static inline bool may_fetch_again(const struct x86_state *s)
{
	return s->valid & X86_GROUP_FETCH && s->cr0 & X86_CR0_PG &&
	       rip_is_linear(s);
}

/* Four bytes at RIP, if all are in a page of RAM. */
static inline bool bytes_find(struct emul *e, uint32_t *bytes)
{
	const struct x86_state *s = e->state;
	const struct emul_window *w = &e->window[0];
	uint64_t linear, gpa, at;
	const void *host;

	if (!(s->valid & X86_GROUP_FETCH) ||
	    !rip_linear(s, sizeof(*bytes), &linear) ||
	    (linear & PAGE_OFFSET) > PAGE_SIZE - sizeof(*bytes))
		return false;
	gpa = linear;
	if (s->cr0 & X86_CR0_PG &&
	    !walk_fast(e, linear,
		       EMUL_ACCESS_FETCH | (s->cpl == 3 ? EMUL_ACCESS_USER : 0),
		       &gpa))
		return false;
	at = gpa - w->start;
	if (likely(at < w->size))
		host = w->host + at;
	else if (!(host = emul_ram_slow(e, gpa, sizeof(*bytes), false)))
		return false;
	if (may_fetch_again(s) && at < w->size && linear == s->rip &&
	    (linear & PAGE_OFFSET) <= PAGE_SIZE - FETCH_WHOLE)
		fetch_remember(e, host);
	*bytes = (uint32_t)ram_load(host, sizeof(*bytes));
	return true;
}

static __noinline int length_find(struct emul *e, enum emul_expect what)
{
	const struct pattern *p = &patterns[what];
	uint32_t bytes;

	if (p->length && likely(bytes_find(e, &bytes)) &&
	    likely((bytes & p->mask) == p->value))
		return p->length;
	return length_by_decoder(e, what);
}

int emul_insn_length(struct emul *e, enum emul_expect what)
{
	const struct x86_state *s = e->state;
	const struct pattern *p = &patterns[what];
	const void *host;

	if ((unsigned)what >= EMUL_EXPECT_COUNT)
		return -1;
	if (likely(may_fetch_again(s))) {
		host = fetch_again(s, &e->cached[cached_slot(s->rip)]);
		if (likely(host && p->length &&
			   (ram_load(host, sizeof(p->mask)) & p->mask) ==
				   p->value))
			return p->length;
	}
	return length_find(e, what);
}

unsigned emul_expect_length(enum emul_expect what)
{
	return (unsigned)what < EMUL_EXPECT_COUNT ? patterns[what].length : 0;
}

/* Control register accesses */

#define OPCODE_MOV_FROM_CR 0x200f
#define OPCODE_MOV_TO_CR   0x220f
#define OPCODE_CLTS	   0x060f
#define OPCODE_GROUP7	   0x010f
#define GROUP7_LMSW	   6

static int mov_cr_other(struct emul *e, unsigned opcode,
			struct emul_mov_cr *mov)
{
	uint64_t low = X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS;
	uint64_t cr0 = e->state->cr0;

	mov->cr = 0;
	mov->is_write = true;
	if (opcode == OPCODE_CLTS) {
		mov->gpr = 0;
		mov->value = cr0 & ~X86_CR0_TS;
		return 0;
	}
	if (opcode != OPCODE_GROUP7 || modrm_reg_field(e) != GROUP7_LMSW ||
	    e->d->is_memory)
		return -1;
	mov->gpr = (uint8_t)modrm_rm(e);
	mov->value = e->state->gpr[mov->gpr] & low;
	mov->value |= cr0 & (~low | X86_CR0_PE);
	return 0;
}

int emul_decode_mov_cr(struct emul *e, struct emul_mov_cr *mov)
{
	unsigned opcode;

	if (emul_state_need(e, X86_GROUPS_COMMON) != EMUL_OK)
		return -1;
	emul_mode_set(e);
	if (emul_decode_parse(e) != EMUL_OK)
		return -1;
	opcode = (unsigned)ram_load(e->insn + e->d->prefix_length, 2);
	mov->length = e->d->length;
	if (opcode != OPCODE_MOV_FROM_CR && opcode != OPCODE_MOV_TO_CR)
		return mov_cr_other(e, opcode, mov);
	mov->cr = (uint8_t)cr_number(e);
	mov->gpr = (uint8_t)modrm_rm(e);
	mov->is_write = opcode == OPCODE_MOV_TO_CR;
	mov->value = gpr_get(e, mov->gpr, mode_is_64(e) ? 8 : 4);
	return 0;
}
