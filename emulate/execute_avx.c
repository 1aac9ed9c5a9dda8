/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AVX and AVX2 instructions whose memory is not one piece: broadcasts, masked
 * moves, gathers.  Elements that a mask leaves out are not accessed.
 *
 * References: SDM volume 2, instruction pages; "VEX.vvvv and vector SIB (VSIB)
 * addressing".
 */
#include "emulate/execute.h"
#include "emulate/vector.h"

static bool avx_is_legal(const struct emul *e, uint64_t feature)
{
	return e->d->is_vex && (e->features & feature) == feature;
}

/* ---- Broadcasts ---------------------------------------------------------- */

#define BROADCAST_AVX 0x20 /* 18 to 1A are AVX's, of memory */
#define BROADCAST_128 16
#define BROADCAST_SSE 0x18

static unsigned broadcast_size(unsigned opcode)
{
	switch (opcode) {
	case 0x78: /* VPBROADCASTB */
		return 1;
	case 0x79: /* VPBROADCASTW */
		return 2;
	case 0x18: /* VBROADCASTSS, VPBROADCASTD */
	case 0x58:
		return 4;
	case 0x19: /* VBROADCASTSD, VPBROADCASTQ */
	case 0x59:
		return 8;
	default: /* VBROADCASTF128, VBROADCASTI128 */
		return BROADCAST_128;
	}
}

EXECUTE(vbroadcast)
{
	unsigned opcode = e->d->opcode, size = broadcast_size(opcode);
	bool is_avx2 = opcode >= BROADCAST_AVX || !e->d->is_memory;
	struct vector v;
	uint8_t *bytes = (uint8_t *)&v;

	if (!avx_is_legal(e, is_avx2 ? EMUL_FEATURE_AVX2 : EMUL_FEATURE_AVX) ||
	    e->d->rex & REX_W ||
	    (!e->d->vex_l && (opcode == 0x19 || size == BROADCAST_128)) ||
	    (!e->d->is_memory && size == BROADCAST_128))
		return raise_ud(e);
	TRY(emul_vector_begin(e));
	TRY(source_get(e, &v, size, UNALIGNED));
	for (unsigned i = size; i < sizeof(v); i++)
		bytes[i] = bytes[i - size];
	register_set(e, modrm_reg(e), &v);
	return EMUL_OK;
}

/* ---- Masked moves -------------------------------------------------------- */

/* Bytes of an element of VMASKMOVPS, VMASKMOVPD, VPMASKMOV. */
static unsigned masked_size(const struct emul *e)
{
	if (e->d->opcode >= 0x80)
		return e->d->rex & REX_W ? 8 : 4;
	return e->d->opcode & 1 ? 8 : 4;
}

static enum emul_status masked_begin(struct emul *e, struct vector *mask)
{
	bool is_avx2 = e->d->opcode >= 0x80;

	if (!avx_is_legal(e, is_avx2 ? EMUL_FEATURE_AVX2 : EMUL_FEATURE_AVX) ||
	    (!is_avx2 && e->d->rex & REX_W))
		return raise_ud(e);
	TRY(emul_vector_begin(e));
	register_get(e, vex_register(e), mask);
	return EMUL_OK;
}

/* The element's sign bit. */
static bool is_selected(const struct vector *mask, unsigned at, unsigned size)
{
	return ((const uint8_t *)mask)[at + size - 1] & BIT(7);
}

/* Elements have addresses of their own, that wrap, on AMD's processors only. */
static uint64_t offset_at(const struct emul *e, unsigned at)
{
	if (e->features & EMUL_FEATURE_INTEL)
		return e->offset + at;
	return (e->offset + at) & address_mask(e);
}

EXECUTE(vmaskmov_load)
{
	struct vector mask, v = { { 0 } };
	unsigned size = masked_size(e);

	TRY(masked_begin(e, &mask));
	for (unsigned at = 0; at < vector_size(e); at += size)
		if (is_selected(&mask, at, size))
			TRY(emul_memory_read(e, e->d->segment, offset_at(e, at),
					     (uint8_t *)&v + at, size));
	register_set(e, modrm_reg(e), &v);
	return EMUL_OK;
}

EXECUTE(vmaskmov_store)
{
	unsigned size = masked_size(e);
	struct emul_access access;
	struct vector mask, v;
	uint64_t linear;

	TRY(masked_begin(e, &mask));
	register_get(e, modrm_reg(e), &v);
	for (unsigned at = 0; at < vector_size(e); at += size) {
		if (!is_selected(&mask, at, size))
			continue;
		TRY(emul_linear(e, e->d->segment, offset_at(e, at), size,
				ACCESS_WRITE, &linear));
		TRY(emul_access_prepare(e, linear, size, ACCESS_WRITE,
					&access));
	}
	for (unsigned at = 0; at < vector_size(e); at += size)
		if (is_selected(&mask, at, size))
			TRY(emul_memory_write(e, e->d->segment,
					      offset_at(e, at),
					      (uint8_t *)&v + at, size));
	return EMUL_OK;
}

/* ---- Gathers ------------------------------------------------------------- */

#define MODRM_SIB 4

struct gather {
	unsigned size;	/* of an element */
	unsigned index; /* bytes of an index */
	unsigned count;
	unsigned index_register;
	struct vector indices, mask, v;
};

static bool gather_decode(const struct emul *e, struct gather *g)
{
	const struct emul_decoded *d = e->d;
	unsigned mask = vex_register(e);

	if (!avx_is_legal(e, EMUL_FEATURE_AVX2) || d->address_size == 2 ||
	    (d->modrm & 7) != MODRM_SIB)
		return false;
	g->size = d->rex & REX_W ? 8 : 4;
	g->index = d->opcode & 1 ? 8 : 4;
	g->count = vector_size(e) / (g->size > g->index ? g->size : g->index);
	/* A general register 4 would be no index; a vector is. */
	g->index_register = d->index == EMUL_NO_INDEX ? 4 : d->index;
	return g->index_register != mask && g->index_register != modrm_reg(e) &&
	       mask != modrm_reg(e);
}

static uint64_t gather_offset(const struct emul *e, const struct gather *g,
			      unsigned i)
{
	const uint8_t *from = (const uint8_t *)&g->indices + i * g->index;
	int64_t index = sign_extend(ram_load(from, g->index), g->index);
	uint64_t at = (uint64_t)(int64_t)e->d->displacement;

	if (e->d->has_base)
		at += e->state->gpr[e->d->base];
	return (at + ((uint64_t)index << e->d->scale)) & address_mask(e);
}

/* The mask's elements become all ones or zeros, as a fault shows: those, too,
 * behind as many as there are indices. */
static void mask_expand(const struct emul *e, struct gather *g)
{
	unsigned bytes = vector_size(e);
	uint8_t *mask = (uint8_t *)&g->mask;

	for (unsigned i = 0; i < bytes; i += g->size)
		memset(mask + i, mask[i + g->size - 1] & BIT(7) ? UINT8_MAX : 0,
		       g->size);
	memset(mask + bytes, 0, sizeof(g->mask) - bytes);
}

/* The destination of narrow elements is an XMM register, too. */
static void gather_store(struct emul *e, struct gather *g)
{
	unsigned bytes = g->count * g->size;

	memset((uint8_t *)&g->v + bytes, 0, sizeof(g->v) - bytes);
	register_set(e, modrm_reg(e), &g->v);
}

/* Of the vectors all bytes, those above the operands, too. */
static void register_keep(struct emul *e, unsigned reg, const struct vector *v)
{
	__builtin_memcpy(e->xstate->xmm[reg], &v->q[0], 16);
	__builtin_memcpy(e->xstate->ymm_high[reg], &v->q[2], 16);
	e->state->dirty |= X86_GROUP_XSTATE;
}

/*
 * What was loaded before an element faults stays.  On AMD's processors the
 * elements from there on, of mask and destination, are what they were.
 */
static void gather_fault(struct emul *e, struct gather *g, bool is_loaded)
{
	if (e->features & EMUL_FEATURE_INTEL) {
		if (is_loaded)
			gather_store(e, g);
		register_set(e, vex_register(e), &g->mask);
		return;
	}
	register_keep(e, modrm_reg(e), &g->v);
	register_keep(e, vex_register(e), &g->mask);
}

static enum emul_status gather_elements(struct emul *e, struct gather *g)
{
	enum emul_status status;
	bool is_loaded = false;

	for (unsigned i = 0; i < g->count; i++) {
		unsigned at = i * g->size;

		if (is_selected(&g->mask, at, g->size)) {
			status = emul_memory_read(
				e, e->d->segment, gather_offset(e, g, i),
				(uint8_t *)&g->v + at, g->size);
			if (status != EMUL_OK) {
				gather_fault(e, g, is_loaded);
				return status;
			}
			is_loaded = true;
		}
		memset((uint8_t *)&g->mask + at, 0, g->size);
	}
	return EMUL_OK;
}

EXECUTE(vgather)
{
	struct gather g;

	if (!gather_decode(e, &g))
		return raise_ud(e);
	TRY(emul_vector_begin(e));
	register_get(e, g.index_register, &g.indices);
	register_get(e, vex_register(e), &g.mask);
	register_get(e, modrm_reg(e), &g.v);
	if (e->features & EMUL_FEATURE_INTEL)
		mask_expand(e, &g);
	TRY(gather_elements(e, &g));
	memset(&g.mask, 0, sizeof(g.mask));
	gather_store(e, &g);
	register_set(e, vex_register(e), &g.mask);
	return EMUL_OK;
}
