/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic, logic, moves and flag instructions of the general registers.
 *
 * Flags that the manuals leave undefined are what the host's processor makes
 * of them.
 *
 * References: SDM volume 2 and APM volume 3, instruction pages.
 */
#include "emulate/execute.h"
#include "emulate/flags.h"

#define EXECUTE_BINARY(name, insn)                                \
	EXECUTE(name)                                             \
	{                                                         \
		uint64_t d = e->dst, s = e->src;                  \
		uint32_t ax;                                      \
                                                                  \
		ASM_BINARY(e->d->size, insn, d, s, ax);           \
		e->dst = d;                                       \
		flags_set(e, FLAGS_ARITHMETIC, flags_of_asm(ax)); \
		return EMUL_OK;                                   \
	}

EXECUTE_BINARY(add, "add")
EXECUTE_BINARY(or, "or")
EXECUTE_BINARY(and, "and")
EXECUTE_BINARY(sub, "sub")
EXECUTE_BINARY(xor, "xor")
EXECUTE_BINARY(cmp, "sub")
EXECUTE_BINARY(test, "and")

#define EXECUTE_BINARY_CARRY(name, insn)                                \
	EXECUTE(name)                                                   \
	{                                                               \
		uint64_t d = e->dst, s = e->src;                        \
		uint32_t ax;                                            \
                                                                        \
		ASM_BINARY_CARRY(e->d->size, insn, d, s, ax, e->flags); \
		e->dst = d;                                             \
		flags_set(e, FLAGS_ARITHMETIC, flags_of_asm(ax));       \
		return EMUL_OK;                                         \
	}

EXECUTE_BINARY_CARRY(adc, "adc")
EXECUTE_BINARY_CARRY(sbb, "sbb")

static void increment(struct emul *e, uint64_t by)
{
	uint64_t d = e->dst, s = by;
	uint32_t ax;

	ASM_BINARY(e->d->size, "add", d, s, ax);
	e->dst = d;
	flags_set(e, FLAGS_ARITHMETIC & ~X86_FLAG_CF, flags_of_asm(ax));
}

EXECUTE(inc)
{
	increment(e, 1);
	return EMUL_OK;
}

EXECUTE(dec)
{
	uint64_t d = e->dst, s = 1;
	uint32_t ax;

	ASM_BINARY(e->d->size, "sub", d, s, ax);
	e->dst = d;
	flags_set(e, FLAGS_ARITHMETIC & ~X86_FLAG_CF, flags_of_asm(ax));
	return EMUL_OK;
}

EXECUTE(neg)
{
	uint64_t d = 0, s = e->dst;
	uint32_t ax;

	ASM_BINARY(e->d->size, "sub", d, s, ax);
	e->dst = d;
	flags_set(e, FLAGS_ARITHMETIC, flags_of_asm(ax));
	return EMUL_OK;
}

EXECUTE(complement)
{
	e->dst = ~e->dst;
	return EMUL_OK;
}

EXECUTE(mov)
{
	e->dst = e->src;
	return EMUL_OK;
}

EXECUTE(movsx)
{
	e->dst = (uint64_t)sign_extend(e->src, e->d->src_size);
	return EMUL_OK;
}

EXECUTE(movbe)
{
	e->dst = __builtin_bswap64(e->src) >> (64 - 8 * e->d->size);
	return e->features & EMUL_FEATURE_MOVBE ? EMUL_OK : raise_ud(e);
}

/* Of 16 bits undefined; processors give zero. */
EXECUTE(bswap)
{
	if (e->d->size == 2)
		e->dst = 0;
	else
		e->dst = __builtin_bswap64(e->dst) >> (64 - 8 * e->d->size);
	return EMUL_OK;
}

EXECUTE(lea)
{
	e->dst = e->offset;
	return EMUL_OK;
}

EXECUTE(xchg)
{
	e->dst = e->src;
	gpr_set(e, X86_RAX, e->old, e->d->size);
	return EMUL_OK;
}

/* Of a register: undefined for AMD, nothing for Intel. */
EXECUTE(prefetchw)
{
	if (!e->d->is_memory && !(e->features & EMUL_FEATURE_INTEL))
		return raise_ud(e);
	return EMUL_OK;
}

/* 90 is NOP and does not clear EAX's upper half; with REX.B it is XCHG R8. */
EXECUTE(nop_xchg)
{
	uint64_t old = e->state->gpr[X86_RAX];

	/* Intel's processors take F3 for PAUSE whatever REX says. */
	if (!(e->d->rex & REX_B) ||
	    (e->d->rep == PREFIX_F3 && e->features & EMUL_FEATURE_INTEL))
		return EMUL_OK;
	gpr_set(e, X86_RAX, e->state->gpr[X86_R8], e->d->operand_size);
	gpr_set(e, X86_R8, old, e->d->operand_size);
	return EMUL_OK;
}

EXECUTE(xchg_modrm)
{
	e->dst = e->src;
	TRY(emul_dst_store(e));
	operand_register_set(e, modrm_reg(e), e->old, e->d->size);
	return EMUL_OK;
}

EXECUTE(xadd)
{
	uint64_t d = e->dst, s = e->src;
	uint32_t ax;

	ASM_BINARY(e->d->size, "add", d, s, ax);
	e->dst = d;
	flags_set(e, FLAGS_ARITHMETIC, flags_of_asm(ax));
	if (!e->d->is_memory) {
		operand_register_set(e, modrm_reg(e), e->old, e->d->size);
		return emul_dst_store(e);
	}
	TRY(emul_dst_store(e));
	operand_register_set(e, modrm_reg(e), e->old, e->d->size);
	return EMUL_OK;
}

EXECUTE(cmpxchg)
{
	uint64_t d = gpr_get(e, X86_RAX, e->d->size), s = e->dst;
	bool is_equal = d == (s & size_mask(e->d->size));
	uint32_t ax;

	ASM_BINARY(e->d->size, "sub", d, s, ax);
	flags_set(e, FLAGS_ARITHMETIC, flags_of_asm(ax));
	e->dst = is_equal ? e->src : e->old;
	/* The destination is written either way, but a register that is not
	 * exchanged keeps its upper half. */
	if (is_equal || e->d->is_memory)
		TRY(emul_dst_store(e));
	if (!is_equal)
		gpr_set(e, X86_RAX, e->old, e->d->size);
	return EMUL_OK;
}

/* CMPXCHG8B and 16B: EDX:EAX, ECX:EBX and a memory operand of two halves. */
static enum emul_status cmpxchg_pair(struct emul *e, unsigned half)
{
	uint64_t *gpr = e->state->gpr;
	uint64_t old[2] = { 0, 0 }, new[2] = { 0, 0 };
	uint8_t buffer[16];
	bool is_equal;

	TRY(emul_access_read(e, &e->access, buffer, 2 * half));
	old[0] = ram_load(buffer, half);
	old[1] = ram_load(buffer + half, half);
	is_equal = old[0] == gpr_get(e, X86_RAX, half) &&
		   old[1] == gpr_get(e, X86_RDX, half);
	new[0] = is_equal ? gpr_get(e, X86_RBX, half) : old[0];
	new[1] = is_equal ? gpr_get(e, X86_RCX, half) : old[1];
	TRY(emul_pair_store(e, half, old, new));
	if (!is_equal) {
		gpr[X86_RAX] = old[0];
		gpr[X86_RDX] = old[1];
	}
	flag_put(e, X86_FLAG_ZF, is_equal);
	return EMUL_OK;
}

EXECUTE(cmpxchg_pair)
{
	unsigned half = e->d->rex & REX_W ? 8 : 4;
	uint64_t linear;

	if (half == 8 && is_misaligned(e, 16))
		return raise_gp0(e);
	TRY(emul_linear(e, e->d->segment, e->offset, 2 * half, ACCESS_WRITE,
			&linear));
	TRY(emul_access_prepare(e, linear, 2 * half, ACCESS_WRITE, &e->access));
	return cmpxchg_pair(e, half);
}

EXECUTE(cbw)
{
	unsigned size = e->d->operand_size;

	gpr_set(e, X86_RAX,
		(uint64_t)sign_extend(e->state->gpr[X86_RAX], size / 2), size);
	return EMUL_OK;
}

EXECUTE(cwd)
{
	unsigned size = e->d->operand_size;

	gpr_set(e, X86_RDX,
		sign_extend(e->state->gpr[X86_RAX], size) < 0 ? ~0ULL : 0,
		size);
	return EMUL_OK;
}

/* Multiplication */

static void flags_of_overflow(struct emul *e, bool is_over, uint64_t low)
{
	uint64_t flags = flags_of_result(low, e->d->size);

	if (is_over)
		flags |= X86_FLAG_CF | X86_FLAG_OF;
	flags_set(e, FLAGS_ARITHMETIC & ~X86_FLAG_ZF, flags);
}

/* AX, or DX:AX and its widths. */
static void product_store(struct emul *e, uint64_t low, uint64_t high)
{
	if (e->d->size == 1) {
		gpr_set(e, X86_RAX, (high & 0xff) << 8 | (low & 0xff), 2);
		return;
	}
	gpr_set(e, X86_RAX, low, e->d->size);
	gpr_set(e, X86_RDX, high, e->d->size);
}

EXECUTE(mul)
{
	unsigned __int128 product;
	uint64_t low, high;

	product = (unsigned __int128)gpr_get(e, X86_RAX, e->d->size) *
		  (e->dst & size_mask(e->d->size));
	low = (uint64_t)product & size_mask(e->d->size);
	high = (uint64_t)(product >> (8 * e->d->size));
	product_store(e, low, high);
	flags_of_overflow(e, high != 0, low);
	return EMUL_OK;
}

static bool product_signed(struct emul *e, uint64_t a, uint64_t b,
			   uint64_t *low, uint64_t *high)
{
	__int128 product = (__int128)sign_extend(a, e->d->size) *
			   sign_extend(b, e->d->size);

	*low = (uint64_t)product & size_mask(e->d->size);
	*high = (uint64_t)(product >> (8 * e->d->size));
	return product != sign_extend(*low, e->d->size);
}

EXECUTE(imul)
{
	uint64_t low, high;
	bool is_over =
		product_signed(e, e->state->gpr[X86_RAX], e->dst, &low, &high);

	product_store(e, low, high);
	flags_of_overflow(e, is_over, low);
	return EMUL_OK;
}

EXECUTE(imul2)
{
	uint64_t high;
	bool is_over = product_signed(e, e->dst, e->src, &e->dst, &high);

	flags_of_overflow(e, is_over, e->dst);
	return EMUL_OK;
}

EXECUTE(imul3)
{
	uint64_t high;
	bool is_over = product_signed(e, e->src, (uint64_t)e->d->immediate,
				      &e->dst, &high);

	flags_of_overflow(e, is_over, e->dst);
	return EMUL_OK;
}

/* Division */

struct dividend {
	uint64_t low;
	uint64_t high;
};

static struct dividend dividend_get(const struct emul *e)
{
	struct dividend n;

	if (e->d->size == 1) {
		n.low = gpr_get(e, X86_RAX, 1);
		n.high = gpr_get(e, X86_RAX, 2) >> 8;
	} else {
		n.low = gpr_get(e, X86_RAX, e->d->size);
		n.high = gpr_get(e, X86_RDX, e->d->size);
	}
	return n;
}

/* 0 with quotient and remainder, -1 if the quotient does not fit. */
static int divide(struct dividend n, uint64_t by, unsigned size,
		  uint64_t *quotient, uint64_t *remainder)
{
	uint64_t whole;

	if (n.high >= by)
		return -1;
	if (size == 8) {
		__asm__("divq %[by]"
			: "=a"(*quotient), "=d"(*remainder)
			: "a"(n.low), "d"(n.high), [by] "r"(by)
			: "cc");
		return 0;
	}
	whole = n.high << (8 * size) | n.low;
	*quotient = whole / by;
	*remainder = whole % by;
	return 0;
}

static void quotient_store(struct emul *e, uint64_t quotient,
			   uint64_t remainder)
{
	product_store(e, quotient, remainder);
}

EXECUTE(div)
{
	uint64_t quotient, remainder;

	if (divide(dividend_get(e), e->dst & size_mask(e->d->size), e->d->size,
		   &quotient, &remainder))
		return emul_raise(e, X86_VECTOR_DE);
	quotient_store(e, quotient, remainder);
	return EMUL_OK;
}

EXECUTE(idiv)
{
	struct dividend n = dividend_get(e);
	uint64_t mask = size_mask(e->d->size), sign = mask & ~(mask >> 1);
	uint64_t by = e->dst & mask, quotient, remainder;
	bool is_minus = n.high & sign, is_by_minus = by & sign;

	if (is_minus) {
		n.low = -n.low & mask;
		n.high = (~n.high + !n.low) & mask;
	}
	if (is_by_minus)
		by = -by & mask;
	if (divide(n, by, e->d->size, &quotient, &remainder) ||
	    quotient > sign - (is_minus == is_by_minus))
		return emul_raise(e, X86_VECTOR_DE);
	if (is_minus != is_by_minus)
		quotient = -quotient;
	if (is_minus)
		remainder = -remainder;
	quotient_store(e, quotient, remainder);
	return EMUL_OK;
}

/* Decimal adjustment */

static void decimal_adjust(struct emul *e, int sign)
{
	uint64_t old_flags = e->flags;
	uint8_t al = (uint8_t)e->state->gpr[X86_RAX], old = al;
	uint64_t flags = 0;

	if ((al & 15) > 9 || old_flags & X86_FLAG_AF) {
		flags |= X86_FLAG_AF;
		if (sign < 0 && al < 6)
			flags |= X86_FLAG_CF;
		al = (uint8_t)(al + 6 * sign);
	}
	if (old > 0x99 || old_flags & X86_FLAG_CF) {
		flags |= X86_FLAG_CF;
		al = (uint8_t)(al + 0x60 * sign);
	}
	gpr_set(e, X86_RAX, al, 1);
	flags_set(e, FLAGS_ARITHMETIC, flags | flags_of_result(al, 1));
}

EXECUTE(daa)
{
	decimal_adjust(e, 1);
	return EMUL_OK;
}

EXECUTE(das)
{
	decimal_adjust(e, -1);
	return EMUL_OK;
}

static void ascii_adjust(struct emul *e, int sign)
{
	uint16_t ax = (uint16_t)e->state->gpr[X86_RAX];
	uint64_t flags = 0;

	if ((ax & 15) > 9 || e->flags & X86_FLAG_AF) {
		ax = (uint16_t)(ax + sign * 0x106);
		flags = X86_FLAG_AF | X86_FLAG_CF;
	}
	ax &= 0xff0f;
	gpr_set(e, X86_RAX, ax, 2);
	flags_set(e, FLAGS_ARITHMETIC, flags | flags_of_result(ax, 1));
}

EXECUTE(aaa)
{
	ascii_adjust(e, 1);
	return EMUL_OK;
}

EXECUTE(aas)
{
	ascii_adjust(e, -1);
	return EMUL_OK;
}

EXECUTE(aam)
{
	uint8_t al = (uint8_t)e->state->gpr[X86_RAX];
	uint8_t base = (uint8_t)e->d->immediate;

	if (!base)
		return emul_raise(e, X86_VECTOR_DE);
	gpr_set(e, X86_RAX, (uint64_t)(al / base) << 8 | al % base, 2);
	flags_set(e, FLAGS_ARITHMETIC, flags_of_result(al % base, 1));
	return EMUL_OK;
}

EXECUTE(aad)
{
	uint16_t ax = (uint16_t)e->state->gpr[X86_RAX];
	uint8_t al = (uint8_t)(ax + (ax >> 8) * (uint8_t)e->d->immediate);

	gpr_set(e, X86_RAX, al, 2);
	flags_set(e, FLAGS_ARITHMETIC, flags_of_result(al, 1));
	return EMUL_OK;
}

/* Flags */

EXECUTE(salc)
{
	gpr_set(e, X86_RAX, e->flags & X86_FLAG_CF ? 0xff : 0, 1);
	return EMUL_OK;
}

EXECUTE(sahf)
{
	flags_set(e, FLAGS_ARITHMETIC & ~X86_FLAG_OF,
		  e->state->gpr[X86_RAX] >> 8);
	return EMUL_OK;
}

EXECUTE(lahf)
{
	uint64_t keep = FLAGS_ARITHMETIC & ~X86_FLAG_OF;

	((uint8_t *)&e->state->gpr[X86_RAX])[1] =
		(uint8_t)((e->flags & keep) | X86_FLAG_ONE);
	return EMUL_OK;
}

EXECUTE(cmc)
{
	e->flags ^= X86_FLAG_CF;
	return EMUL_OK;
}

EXECUTE(clc)
{
	e->flags &= ~X86_FLAG_CF;
	return EMUL_OK;
}

EXECUTE(stc)
{
	e->flags |= X86_FLAG_CF;
	return EMUL_OK;
}

EXECUTE(cld)
{
	e->flags &= ~X86_FLAG_DF;
	return EMUL_OK;
}

EXECUTE(std)
{
	e->flags |= X86_FLAG_DF;
	return EMUL_OK;
}

EXECUTE(nop)
{
	(void)e;
	return EMUL_OK;
}

EXECUTE(ud)
{
	return raise_ud(e);
}

EXECUTE(cmov)
{
	/* Without the condition a 32-bit register is still zero-extended. */
	if (emul_condition(e, e->d->opcode & 15))
		e->dst = e->src;
	return EMUL_OK;
}

EXECUTE(setcc)
{
	e->dst = emul_condition(e, e->d->opcode & 15);
	return EMUL_OK;
}

EXECUTE(xlat)
{
	unsigned seg = e->d->override ? e->d->override - 1 : X86_DS;
	uint64_t at = e->state->gpr[X86_RBX] + (e->state->gpr[X86_RAX] & 0xff);
	uint8_t byte;

	TRY(emul_memory_read(e, seg, at & address_mask(e), &byte, 1));
	gpr_set(e, X86_RAX, byte, 1);
	return EMUL_OK;
}
