/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shifts, rotates, bit tests and scans, BMI1, BMI2, ADX and CRC32.
 *
 * References: SDM volume 2 and APM volume 3, instruction pages.
 */
#include "emulate/execute.h"
#include "emulate/flags.h"

static unsigned shift_count(const struct emul *e)
{
	return e->src & (e->d->size == 8 ? 63 : 31);
}

/* A count of zero leaves every flag; it still writes the destination. */
#define EXECUTE_SHIFT(name, insn, mask)                              \
	EXECUTE(name)                                                \
	{                                                            \
		unsigned count = shift_count(e);                     \
		uint64_t d = e->dst;                                 \
		uint32_t ax;                                         \
                                                                     \
		if (!count)                                          \
			return EMUL_OK;                              \
		ASM_SHIFT(e->d->size, insn, d, count, ax, e->flags); \
		e->dst = d;                                          \
		flags_set(e, mask, flags_of_asm(ax));                \
		return EMUL_OK;                                      \
	}

#define FLAGS_ROTATE (X86_FLAG_CF | X86_FLAG_OF)

EXECUTE_SHIFT(rol, "rol", FLAGS_ROTATE)
EXECUTE_SHIFT(ror, "ror", FLAGS_ROTATE)
EXECUTE_SHIFT(rcl, "rcl", FLAGS_ROTATE)
EXECUTE_SHIFT(rcr, "rcr", FLAGS_ROTATE)
EXECUTE_SHIFT(shl, "shl", FLAGS_ARITHMETIC)
EXECUTE_SHIFT(shr, "shr", FLAGS_ARITHMETIC)
EXECUTE_SHIFT(sar, "sar", FLAGS_ARITHMETIC)

/* The count is the immediate, or CL in the row without one. */
#define EXECUTE_DOUBLE_SHIFT(name, insn)                                     \
	EXECUTE(name)                                                        \
	{                                                                    \
		uint64_t d = e->dst, s = e->src;                             \
		unsigned count = e->d->row->imm                              \
					 ? (unsigned)e->d->immediate         \
					 : (unsigned)e->state->gpr[X86_RCX]; \
		uint32_t ax;                                                 \
                                                                             \
		count &= e->d->size == 8 ? 63 : 31;                          \
		if (!count)                                                  \
			return EMUL_OK;                                      \
		ASM_DOUBLE_SHIFT(e->d->size, insn, d, s, count, ax);         \
		e->dst = d;                                                  \
		flags_set(e, FLAGS_ARITHMETIC, flags_of_asm(ax));            \
		return EMUL_OK;                                              \
	}

EXECUTE_DOUBLE_SHIFT(shld, "shld")
EXECUTE_DOUBLE_SHIFT(shrd, "shrd")

/* Bit tests */

enum bit_action {
	BIT_TEST,
	BIT_SET,
	BIT_RESET,
	BIT_COMPLEMENT,
};

static void bit_change(struct emul *e, enum bit_action action)
{
	unsigned number = e->src & (8 * e->d->size - 1);
	uint64_t bit = BIT(number);

	flag_put(e, X86_FLAG_CF, e->dst & bit);
	if (action == BIT_SET)
		e->dst |= bit;
	else if (action == BIT_RESET)
		e->dst &= ~bit;
	else if (action == BIT_COMPLEMENT)
		e->dst ^= bit;
}

/* In memory a bit number in a register reaches beyond the operand. */
static enum emul_status bit_in_memory(struct emul *e, enum bit_action action)
{
	uint64_t offset = e->offset;
	int64_t number = sign_extend(e->src, e->d->size);
	int64_t step = number >> (e->d->size == 8   ? 6
				  : e->d->size == 4 ? 5
						    : 4);
	enum emul_status status;

	e->offset = (offset + (uint64_t)step * e->d->size) & address_mask(e);
	status = emul_dst_prepare(e, action ? ACCESS_WRITE : ACCESS_READ);
	if (status == EMUL_OK) {
		bit_change(e, action);
		if (action)
			status = emul_dst_store(e);
	}
	e->offset = offset; /* a lost race comes back here */
	return status;
}

static enum emul_status bit_execute(struct emul *e, enum bit_action action)
{
	if (e->d->is_memory && !e->d->row->imm)
		return bit_in_memory(e, action);
	bit_change(e, action);
	return action ? emul_dst_store(e) : EMUL_OK;
}

EXECUTE(bt)
{
	return bit_execute(e, BIT_TEST);
}

EXECUTE(bts)
{
	return bit_execute(e, BIT_SET);
}

EXECUTE(btr)
{
	return bit_execute(e, BIT_RESET);
}

EXECUTE(btc)
{
	return bit_execute(e, BIT_COMPLEMENT);
}

/* Scans and counts */

/*
 * A zero source leaves the destination, as processors do, and of a 32-bit one
 * not even the upper half is cleared.
 */
static void scan_flags(struct emul *e, uint64_t source)
{
	uint64_t flags = source ? 0 : X86_FLAG_ZF;

	flags_set(e, X86_FLAG_ZF, flags);
}

EXECUTE(bsf)
{
	uint64_t source = e->src & size_mask(e->d->size);

	scan_flags(e, source);
	if (source)
		e->dst = (unsigned)__builtin_ctzll(source);
	else
		emul_decoded_own(e)->store = STORE_NONE;
	return EMUL_OK;
}

EXECUTE(bsr)
{
	uint64_t source = e->src & size_mask(e->d->size);

	scan_flags(e, source);
	if (source)
		e->dst = 63 - (unsigned)__builtin_clzll(source);
	else
		emul_decoded_own(e)->store = STORE_NONE;
	return EMUL_OK;
}

static void count_flags(struct emul *e)
{
	flag_put(e, X86_FLAG_CF, e->dst == 8 * e->d->size);
	flag_put(e, X86_FLAG_ZF, e->dst == 0);
}

EXECUTE(tzcnt)
{
	uint64_t source = e->src & size_mask(e->d->size);

	if (!(e->features & EMUL_FEATURE_BMI1))
		return execute_bsf(e);
	e->dst = source ? (unsigned)__builtin_ctzll(source) : 8 * e->d->size;
	count_flags(e);
	return EMUL_OK;
}

EXECUTE(lzcnt)
{
	uint64_t source = e->src & size_mask(e->d->size);

	if (!(e->features & EMUL_FEATURE_LZCNT))
		return execute_bsr(e);
	e->dst = 8 * e->d->size;
	if (source)
		e->dst -= 64 - (unsigned)__builtin_clzll(source);
	count_flags(e);
	return EMUL_OK;
}

static unsigned bits_count(uint64_t value)
{
	unsigned n = 0;

	for (; value; value &= value - 1)
		n++;
	return n;
}

EXECUTE(popcnt)
{
	if (!(e->features & EMUL_FEATURE_POPCNT))
		return raise_ud(e);
	e->dst = bits_count(e->src & size_mask(e->d->size));
	flags_set(e, FLAGS_ARITHMETIC, e->dst ? 0 : X86_FLAG_ZF);
	return EMUL_OK;
}

#define CRC32C_REFLECTED 0x82f63b78U

EXECUTE(crc32)
{
	uint32_t crc = (uint32_t)e->dst;

	if (!(e->features & EMUL_FEATURE_SSE42))
		return raise_ud(e);
	for (unsigned i = 0; i < e->d->src_size; i++) {
		crc ^= (uint8_t)(e->src >> (8 * i));
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32C_REFLECTED : 0);
	}
	e->dst = crc;
	return EMUL_OK;
}

/* ADX */

static enum emul_status add_carry(struct emul *e, uint64_t flag)
{
	uint64_t mask = size_mask(e->d->size), carry = !!(e->flags & flag);
	uint64_t a = e->dst & mask, b = e->src & mask;
	uint64_t sum = (a + b) & mask;
	bool is_over = sum < a;

	if (!(e->features & EMUL_FEATURE_ADX))
		return raise_ud(e);
	e->dst = (sum + carry) & mask;
	is_over |= e->dst < sum;
	flag_put(e, flag, is_over);
	return EMUL_OK;
}

EXECUTE(adcx)
{
	return add_carry(e, X86_FLAG_CF);
}

EXECUTE(adox)
{
	return add_carry(e, X86_FLAG_OF);
}

/* BMI: in the operand order of the rows; vvvv is the other source. */

static uint64_t vvvv_get(const struct emul *e)
{
	return gpr_get(e, vex_register(e), e->d->size);
}

static enum emul_status bmi_result(struct emul *e, uint64_t feature,
				   uint64_t value, bool carry)
{
	if (!(e->features & feature))
		return raise_ud(e);
	e->dst = value & size_mask(e->d->size);
	flags_set(e, FLAGS_ARITHMETIC & ~(X86_FLAG_AF | X86_FLAG_PF),
		  flags_of_result(value, e->d->size));
	flag_put(e, X86_FLAG_CF, carry);
	return EMUL_OK;
}

EXECUTE(andn)
{
	return bmi_result(e, EMUL_FEATURE_BMI1, ~vvvv_get(e) & e->src, false);
}

EXECUTE(blsr)
{
	return bmi_result(e, EMUL_FEATURE_BMI1, (e->src - 1) & e->src, !e->src);
}

EXECUTE(blsmsk)
{
	return bmi_result(e, EMUL_FEATURE_BMI1, (e->src - 1) ^ e->src, !e->src);
}

EXECUTE(blsi)
{
	return bmi_result(e, EMUL_FEATURE_BMI1, -e->src & e->src, e->src);
}

EXECUTE(bextr)
{
	unsigned start = vvvv_get(e) & 0xff, n = vvvv_get(e) >> 8 & 0xff;
	uint64_t value = start < 64 ? e->src >> start : 0;

	if (n < 64)
		value &= BIT(n) - 1;
	TRY(bmi_result(e, EMUL_FEATURE_BMI1, value, false));
	return EMUL_OK;
}

EXECUTE(bzhi)
{
	unsigned n = vvvv_get(e) & 0xff, width = 8 * e->d->size;
	uint64_t value = e->src;

	if (n < width)
		value &= BIT(n) - 1;
	return bmi_result(e, EMUL_FEATURE_BMI2, value, n >= width);
}

/* The remaining BMI2 instructions change no flag. */
static enum emul_status bmi2_plain(struct emul *e, uint64_t value)
{
	e->dst = value;
	return e->features & EMUL_FEATURE_BMI2 ? EMUL_OK : raise_ud(e);
}

static unsigned bmi2_count(const struct emul *e)
{
	return vvvv_get(e) & (e->d->size == 8 ? 63 : 31);
}

EXECUTE(shlx)
{
	return bmi2_plain(e, e->src << bmi2_count(e));
}

EXECUTE(shrx)
{
	return bmi2_plain(e, e->src >> bmi2_count(e));
}

EXECUTE(sarx)
{
	return bmi2_plain(e, (uint64_t)(sign_extend(e->src, e->d->size) >>
					bmi2_count(e)));
}

EXECUTE(rorx)
{
	unsigned width = 8 * e->d->size;
	unsigned n = (unsigned)e->d->immediate & (width - 1);
	uint64_t value = e->src;

	if (n)
		value = value >> n | value << (width - n);
	return bmi2_plain(e, value);
}

EXECUTE(pdep)
{
	uint64_t from = vvvv_get(e), mask = e->src, value = 0;

	for (; mask; mask &= mask - 1, from >>= 1)
		if (from & 1)
			value |= mask & -mask;
	return bmi2_plain(e, value);
}

EXECUTE(pext)
{
	uint64_t from = vvvv_get(e), mask = e->src, value = 0, bit = 1;

	for (; mask; mask &= mask - 1, bit <<= 1)
		if (from & mask & -mask)
			value |= bit;
	return bmi2_plain(e, value);
}

/* vvvv takes the low half, then the destination the high one. */
EXECUTE(mulx)
{
	unsigned __int128 product;

	if (!(e->features & EMUL_FEATURE_BMI2))
		return raise_ud(e);
	product = (unsigned __int128)gpr_get(e, X86_RDX, e->d->size) *
		  (e->src & size_mask(e->d->size));
	gpr_set(e, vex_register(e), (uint64_t)product, e->d->size);
	e->dst = (uint64_t)(product >> (8 * e->d->size));
	return EMUL_OK;
}
