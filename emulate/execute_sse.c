/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moves between XMM/YMM registers and memory, and the bitwise and simple
 * integer operations that block copies and fills use, with their VEX forms.
 * Registers live in the XSAVE area; no vector instruction is executed here.
 *
 * Arithmetic, conversions and all else: execute_simd.c.
 *
 * References: SDM volume 2, instruction pages, "AVX Exception Types"; volume
 * 1, "XSAVE-Managed State".
 */
#include "emulate/execute.h"
#include "emulate/vector.h"
#include "emulate/x87.h"

/* Whether vector instructions are to be had, and their registers. */
enum emul_status emul_vector_begin(struct emul *e)
{
	const struct x86_state *s = e->state;
	uint64_t avx = X86_XCR0_SSE | X86_XCR0_AVX;

	if (e->d->is_vex) {
		/* XCR0 comes with the registers that it is about. */
		TRY(emul_state_need(e, X86_GROUP_XSTATE));
		if (!(s->cr4 & X86_CR4_OSXSAVE) || (s->xcr0 & avx) != avx ||
		    !(e->features & EMUL_FEATURE_AVX))
			return raise_ud(e);
	} else if (s->cr0 & X86_CR0_EM || !(s->cr4 & X86_CR4_OSFXSR)) {
		return raise_ud(e);
	}
	if (s->cr0 & X86_CR0_TS)
		return emul_raise(e, X86_VECTOR_NM);
	TRY(emul_state_need(e, X86_GROUP_XSTATE));
	if (!e->xstate)
		return EMUL_UNHANDLED;
	emul_components_init(e->xstate, e->d->is_vex ? avx : X86_XCR0_SSE);
	return EMUL_OK;
}

/* Integers in YMM registers are AVX2's. */
static enum emul_status avx2_check(struct emul *e)
{
	if (e->d->is_vex && e->d->vex_l && !(e->features & EMUL_FEATURE_AVX2))
		return raise_ud(e);
	return EMUL_OK;
}

/* Whole registers */

static enum emul_status move_load(struct emul *e, bool aligned)
{
	struct vector v;

	TRY(emul_vector_begin(e));
	TRY(source_get(e, &v, vector_size(e), aligned));
	register_set(e, modrm_reg(e), &v);
	return EMUL_OK;
}

static enum emul_status move_store(struct emul *e, bool aligned)
{
	struct vector v;

	TRY(emul_vector_begin(e));
	register_get(e, modrm_reg(e), &v);
	if (e->d->is_memory)
		return memory_put(e, &v, vector_size(e), aligned);
	register_set(e, modrm_rm(e), &v);
	return EMUL_OK;
}

EXECUTE(movu_load)
{
	return move_load(e, UNALIGNED);
}

EXECUTE(movu_store)
{
	return move_store(e, UNALIGNED);
}

EXECUTE(mova_load)
{
	return move_load(e, ALIGNED);
}

EXECUTE(mova_store)
{
	return move_store(e, ALIGNED);
}

/* What came after SSE2; with VEX it is AVX's. */
static enum emul_status later_begin(struct emul *e, uint64_t feature)
{
	if (!e->d->is_vex && !(e->features & feature))
		return raise_ud(e);
	return emul_vector_begin(e);
}

EXECUTE(lddqu)
{
	TRY(later_begin(e, EMUL_FEATURE_SSE3));
	return move_load(e, UNALIGNED);
}

EXECUTE(movntdqa)
{
	TRY(avx2_check(e));
	TRY(later_begin(e, EMUL_FEATURE_SSE41));
	return move_load(e, ALIGNED);
}

/* MOVSS and MOVSD: from memory the rest is cleared, between registers kept
 * (of the destination, or of VEX.vvvv). */
static enum emul_status scalar_begin(struct emul *e)
{
	TRY(emul_vector_begin(e));
	if (e->d->is_vex && e->d->is_memory && e->d->vex_vvvv)
		return raise_ud(e);
	if (e->d->vex_l)
		emul_decoded_own(e)->vex_l = 0; /* ignored */
	return EMUL_OK;
}

static enum emul_status scalar_load(struct emul *e, unsigned size)
{
	struct vector v, rest;

	TRY(scalar_begin(e));
	TRY(source_get(e, &v, size, UNALIGNED));
	if (!e->d->is_memory) {
		register_get(e, e->d->is_vex ? vex_register(e) : modrm_reg(e),
			     &rest);
		__builtin_memcpy(&rest, &v, size);
		v = rest;
	}
	v.q[2] = v.q[3] = 0;
	register_set(e, modrm_reg(e), &v);
	return EMUL_OK;
}

static enum emul_status scalar_store(struct emul *e, unsigned size)
{
	struct vector v, rest;

	TRY(scalar_begin(e));
	register_get(e, modrm_reg(e), &v);
	if (e->d->is_memory)
		return memory_put(e, &v, size, UNALIGNED);
	register_get(e, e->d->is_vex ? vex_register(e) : modrm_rm(e), &rest);
	__builtin_memcpy(&rest, &v, size);
	register_set(e, modrm_rm(e), &rest);
	return EMUL_OK;
}

EXECUTE(movss_load)
{
	return scalar_load(e, 4);
}

EXECUTE(movss_store)
{
	return scalar_store(e, 4);
}

EXECUTE(movsd_load)
{
	return scalar_load(e, 8);
}

EXECUTE(movsd_store)
{
	return scalar_store(e, 8);
}

/* Halves: 12 and 16 load, 13 and 17 store; bit 2 of the opcode is "high". */

static void half_base(struct emul *e, struct vector *v)
{
	register_get(e, e->d->is_vex ? vex_register(e) : modrm_reg(e), v);
}

EXECUTE(mov_half_load)
{
	unsigned half = e->d->opcode >> 2 & 1;
	struct vector v, from;

	TRY(emul_vector_begin(e));
	if (e->d->vex_l)
		return raise_ud(e);
	TRY(source_get(e, &from, 8, UNALIGNED));
	half_base(e, &v);
	/* Between registers: MOVHLPS and MOVLHPS cross. */
	v.q[half] = e->d->is_memory ? from.q[0] : from.q[!half];
	register_set(e, modrm_reg(e), &v);
	return EMUL_OK;
}

EXECUTE(mov_half_store)
{
	unsigned half = e->d->opcode >> 2 & 1;
	struct vector v, out = { { 0 } };

	TRY(emul_vector_begin(e));
	if (e->d->vex_l)
		return raise_ud(e);
	register_get(e, modrm_reg(e), &v);
	out.q[0] = v.q[half];
	return memory_put(e, &out, 8, UNALIGNED);
}

static uint64_t dword_twice(uint64_t pair, bool high)
{
	uint64_t half = high ? pair >> 32 : pair & UINT32_MAX;

	return half | half << 32;
}

/* MOVSLDUP (12) and MOVSHDUP (16) */
EXECUTE(mov_dword_dup)
{
	bool high = e->d->opcode >> 2 & 1;
	struct vector v;

	TRY(later_begin(e, EMUL_FEATURE_SSE3));
	TRY(source_get(e, &v, vector_size(e), SSE_ALIGNED(e)));
	for (unsigned i = 0; i < 4; i++)
		v.q[i] = dword_twice(v.q[i], high);
	register_set(e, modrm_reg(e), &v);
	return EMUL_OK;
}

EXECUTE(movddup)
{
	unsigned size = vector_size(e) == 16 ? 8 : 32;
	struct vector v;

	TRY(later_begin(e, EMUL_FEATURE_SSE3));
	TRY(source_get(e, &v, size, UNALIGNED));
	v.q[1] = v.q[0];
	v.q[3] = v.q[2];
	register_set(e, modrm_reg(e), &v);
	return EMUL_OK;
}

/* MOVD and MOVQ */

static unsigned movd_size(const struct emul *e)
{
	return e->d->rex & REX_W && mode_is_64(e) ? 8 : 4;
}

EXECUTE(movd_load)
{
	unsigned size = movd_size(e);
	struct vector v = { { 0 } };

	TRY(emul_vector_begin(e));
	if (e->d->is_memory)
		TRY(memory_get(e, &v, size, UNALIGNED));
	else
		v.q[0] = gpr_get(e, modrm_rm(e), size);
	register_set(e, modrm_reg(e), &v);
	return EMUL_OK;
}

EXECUTE(movd_store)
{
	unsigned size = movd_size(e);
	struct vector v;

	TRY(emul_vector_begin(e));
	register_get(e, modrm_reg(e), &v);
	if (e->d->is_memory)
		return memory_put(e, &v, size, UNALIGNED);
	gpr_set(e, modrm_rm(e), v.q[0], size);
	return EMUL_OK;
}

EXECUTE(movq_load)
{
	struct vector v;

	TRY(emul_vector_begin(e));
	TRY(source_get(e, &v, 8, UNALIGNED));
	v.q[1] = v.q[2] = v.q[3] = 0;
	register_set(e, modrm_reg(e), &v);
	return EMUL_OK;
}

EXECUTE(movq_store)
{
	struct vector v;

	TRY(emul_vector_begin(e));
	register_get(e, modrm_reg(e), &v);
	if (e->d->is_memory)
		return memory_put(e, &v, 8, UNALIGNED);
	v.q[1] = v.q[2] = v.q[3] = 0;
	register_set(e, modrm_rm(e), &v);
	return EMUL_OK;
}

/*
 * MASKMOVDQU, MASKMOVQ: bytes whose mask has its top bit set, to DS:rDI.  A
 * fault of any of them comes before the first is written; all of the operand
 * has to lie in its segment, and below the gap in the middle of 64-bit
 * addresses.
 */
static enum emul_status masked_bytes(struct emul *e, const uint8_t *bytes,
				     const uint8_t *mask, unsigned count)
{
	unsigned seg = e->d->override ? e->d->override - 1 : X86_DS;
	uint64_t at = e->state->gpr[X86_RDI], linear, from;
	struct emul_access a;

	TRY(emul_linear(e, seg, at & address_mask(e), count, ACCESS_WRITE,
			&linear));
	for (unsigned i = 0; i < count; i++) {
		if (!(mask[i] & BIT(7)))
			continue;
		from = (at + i) & address_mask(e);
		TRY(emul_linear(e, seg, from, 1, ACCESS_WRITE, &linear));
		TRY(emul_access_prepare(e, linear, 1, ACCESS_WRITE, &a));
	}
	for (unsigned i = 0; i < count; i++)
		if (mask[i] & BIT(7))
			TRY(emul_memory_write(e, seg,
					      (at + i) & address_mask(e),
					      &bytes[i], 1));
	return EMUL_OK;
}

EXECUTE(maskmovdqu)
{
	struct vector v, mask;

	TRY(emul_vector_begin(e));
	register_get(e, modrm_reg(e), &v);
	register_get(e, modrm_rm(e), &mask);
	return masked_bytes(e, (const uint8_t *)&v, (const uint8_t *)&mask, 16);
}

EXECUTE(maskmovq)
{
	uint64_t value, mask;
	unsigned top;

	TRY(emul_mmx_begin(e));
	top = FIELD_GET(FSW_TOP, e->xstate->fsw);
	value = mmx_get(e, modrm_reg(e) - top);
	mask = mmx_get(e, modrm_rm(e) - top);
	TRY(masked_bytes(e, (const uint8_t *)&value, (const uint8_t *)&mask,
			 8));
	emul_mmx_enter(e->xstate);
	e->state->dirty |= X86_GROUP_XSTATE;
	return EMUL_OK;
}

/* Bitwise and lane-wise operations: dst = first op second. */

typedef uint64_t (*lane_fn)(uint64_t first, uint64_t second);

static enum emul_status lanes(struct emul *e, lane_fn fn)
{
	struct vector a, b;

	/* All but AND, ANDN, OR and XOR of PS and PD are integers'. */
	if (e->d->opcode >= 0x60)
		TRY(avx2_check(e));
	TRY(emul_vector_begin(e));
	TRY(source_get(e, &b, vector_size(e), SSE_ALIGNED(e)));
	register_get(e, e->d->is_vex ? vex_register(e) : modrm_reg(e), &a);
	for (unsigned i = 0; i < 4; i++)
		a.q[i] = fn(a.q[i], b.q[i]);
	register_set(e, modrm_reg(e), &a);
	return EMUL_OK;
}

static uint64_t lane_and(uint64_t a, uint64_t b)
{
	return a & b;
}

static uint64_t lane_andn(uint64_t a, uint64_t b)
{
	return ~a & b;
}

static uint64_t lane_or(uint64_t a, uint64_t b)
{
	return a | b;
}

static uint64_t lane_xor(uint64_t a, uint64_t b)
{
	return a ^ b;
}

static uint64_t lane_addq(uint64_t a, uint64_t b)
{
	return a + b;
}

static uint64_t lane_addd(uint64_t a, uint64_t b)
{
	return (uint32_t)(a + b) | ((a >> 32) + (b >> 32)) << 32;
}

static uint64_t lane_subd(uint64_t a, uint64_t b)
{
	return (uint32_t)(a - b) | ((a >> 32) - (b >> 32)) << 32;
}

static uint64_t lane_subq(uint64_t a, uint64_t b)
{
	return a - b;
}

EXECUTE(pand)
{
	return lanes(e, lane_and);
}

EXECUTE(pandn)
{
	return lanes(e, lane_andn);
}

EXECUTE(por)
{
	return lanes(e, lane_or);
}

EXECUTE(pxor)
{
	return lanes(e, lane_xor);
}

EXECUTE(paddq)
{
	return lanes(e, lane_addq);
}

EXECUTE(paddd)
{
	return lanes(e, lane_addd);
}

EXECUTE(psubd)
{
	return lanes(e, lane_subd);
}

EXECUTE(psubq)
{
	return lanes(e, lane_subq);
}

/* VZEROUPPER and VZEROALL; without VEX the opcode is EMMS. */
EXECUTE(vzero_emms)
{
	unsigned count = mode_is_64(e) ? 16 : 8;

	if (!e->d->is_vex)
		return execute_emms(e);
	TRY(emul_vector_begin(e));
	for (unsigned i = 0; i < count; i++) {
		memset(e->xstate->ymm_high[i], 0, 16);
		if (e->d->vex_l)
			memset(e->xstate->xmm[i], 0, 16);
	}
	e->state->dirty |= X86_GROUP_XSTATE;
	return EMUL_OK;
}
