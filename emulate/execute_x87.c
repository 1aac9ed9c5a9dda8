/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MMX moves, and the instructions that move x87, SSE and AVX state to and from
 * memory: control and status words, environments, FNSAVE, FXSAVE, XSAVE and
 * their counterparts.  They work on the XSAVE area that holds the guest's
 * state.
 *
 * Not modelled: XSAVES, which CPUID shows to no guest.
 *
 * References: SDM volume 1, "Programming with the x87 FPU", "Managing State
 * Using the XSAVE Feature Set"; volume 2, instruction pages.
 */
#include "emulate/execute.h"
#include "emulate/vector.h"
#include "emulate/x87.h"

#define FCW_INIT     0x037f
#define FCW_ONE	     BIT(6)
#define FCW_VALID    (MASK(5, 0) | MASK(12, 8))
#define MXCSR_INIT   0x1f80
#define MXCSR_VALID  MASK(15, 0)
#define FSW_CLEARED  (BIT(15) | MASK(7, 0)) /* B, ES, SF, exceptions */
#define TAG_EMPTY    3
#define TAG_SPECIAL  2
#define TAG_ZERO     1
#define EXPONENT     MASK(14, 0)
#define EXPLICIT_ONE BIT(63)

/* ST(i) are counted from TOP: the registers stay where they are. */
static void top_set(struct x86_xstate *x, unsigned top)
{
	unsigned by = (FIELD_GET(FSW_TOP, x->fsw) - top) & 7;
	uint8_t st[8][16];

	x->fsw = (uint16_t)((x->fsw & ~FSW_TOP) | FIELD_PUT(FSW_TOP, top));
	if (!by)
		return;
	memcpy(st, x->st, sizeof(st));
	for (unsigned i = 0; i < 8; i++)
		memcpy(x->st[(i + by) & 7], st[i], sizeof(st[i]));
}

static void x87_reset(struct x86_xstate *x)
{
	top_set(x, 0);
	x->fcw = FCW_INIT;
	x->fsw = 0;
	x->ftw = 0;
	x->fop = 0;
	x->fip = 0;
	x->fdp = 0;
}

void emul_components_init(struct x86_xstate *x, uint64_t components)
{
	components &= ~x->xstate_bv;
	if (components & X86_XCR0_X87) {
		x87_reset(x);
		memset(x->st, 0, sizeof(x->st));
	}
	if (components & X86_XCR0_SSE)
		memset(x->xmm, 0, sizeof(x->xmm));
	if (components & X86_XCR0_AVX)
		memset(x->ymm_high, 0, sizeof(x->ymm_high));
	x->xstate_bv |= components;
}

static enum emul_status xstate_get(struct emul *e)
{
	TRY(emul_state_need(e, X86_GROUP_XSTATE));
	return e->xstate ? EMUL_OK : EMUL_UNHANDLED;
}

enum emul_status emul_x87_begin(struct emul *e)
{
	if (e->state->cr0 & (X86_CR0_EM | X86_CR0_TS))
		return emul_raise(e, X86_VECTOR_NM);
	TRY(xstate_get(e));
	emul_components_init(e->xstate, X86_XCR0_X87);
	return EMUL_OK;
}

enum emul_status emul_x87_wait(struct emul *e)
{
	TRY(emul_x87_begin(e));
	if (x87_is_pending(e->xstate))
		return emul_raise(e, X86_VECTOR_MF);
	return EMUL_OK;
}

static void x87_summarize(struct x86_xstate *x)
{
	x->fsw &= (uint16_t) ~(FSW_ES | FSW_B);
	if (x87_is_pending(x))
		x->fsw |= FSW_ES | FSW_B;
}

static enum emul_status x87_changed(struct emul *e)
{
	e->state->dirty |= X86_GROUP_XSTATE;
	return EMUL_OK;
}

static enum emul_status memory_write(struct emul *e, const void *data,
				     unsigned size)
{
	return emul_memory_write(e, e->d->segment, e->offset, data, size);
}

static enum emul_status memory_read(struct emul *e, void *data, unsigned size)
{
	return emul_memory_read(e, e->d->segment, e->offset, data, size);
}

/* Control and status words */

EXECUTE(fldcw)
{
	uint16_t fcw;

	TRY(emul_x87_wait(e));
	TRY(memory_read(e, &fcw, 2));
	e->xstate->fcw = (fcw & FCW_VALID) | FCW_ONE;
	x87_summarize(e->xstate);
	return x87_changed(e);
}

EXECUTE(fnstcw)
{
	TRY(emul_x87_begin(e));
	return memory_write(e, &e->xstate->fcw, 2);
}

EXECUTE(fnstsw)
{
	TRY(emul_x87_begin(e));
	return memory_write(e, &e->xstate->fsw, 2);
}

EXECUTE(fnstsw_ax)
{
	TRY(emul_x87_begin(e));
	gpr_set(e, X86_RAX, e->xstate->fsw, 2);
	return EMUL_OK;
}

EXECUTE(fninit)
{
	TRY(emul_x87_begin(e));
	x87_reset(e->xstate);
	return x87_changed(e);
}

EXECUTE(fnclex)
{
	TRY(emul_x87_begin(e));
	e->xstate->fsw &= (uint16_t)~FSW_CLEARED;
	return x87_changed(e);
}

/* Environments: the full tag word is worked out from the registers. */

static unsigned tag_of(const struct x86_xstate *x, unsigned physical)
{
	unsigned top = FIELD_GET(FSW_TOP, x->fsw);
	const uint8_t *st = x->st[(physical - top) & 7];
	uint64_t mantissa = ram_load(st, 8), exponent;

	exponent = ram_load(st + 8, 2) & EXPONENT;
	if (!(x->ftw >> physical & 1))
		return TAG_EMPTY;
	if (!exponent && !mantissa)
		return TAG_ZERO;
	if (!exponent || exponent == EXPONENT || !(mantissa & EXPLICIT_ONE))
		return TAG_SPECIAL;
	return 0;
}

static uint16_t tags_full(const struct x86_xstate *x)
{
	unsigned tags = 0;

	for (unsigned i = 0; i < 8; i++)
		tags |= tag_of(x, i) << (2 * i);
	return (uint16_t)tags;
}

static uint8_t tags_abridged(unsigned tags)
{
	unsigned full = 0;

	for (unsigned i = 0; i < 8; i++)
		if ((tags >> (2 * i) & 3) != TAG_EMPTY)
			full |= 1U << i;
	return (uint8_t)full;
}

#define ENVIRONMENT16 14
#define ENVIRONMENT32 28
#define REGISTERS     80

static unsigned environment_size(const struct emul *e)
{
	return e->d->operand_size == 2 ? ENVIRONMENT16 : ENVIRONMENT32;
}

/*
 * Seven words or double words.  Protected mode has offsets and selectors, the
 * latter zero, as of processors with FCS and FDS deprecated; real and
 * virtual-8086 mode have linear addresses, in two pieces, and the opcode.
 */
#define FOP_MASK       MASK(10, 0)
#define FIELD_RESERVED 0xffff0000ULL

static void environment_make(const struct emul *e, uint8_t *to)
{
	const struct x86_xstate *x = e->xstate;
	unsigned step = e->d->operand_size == 2 ? 2 : 4;
	uint64_t field[7] = {
		x->fcw, x->fsw, tags_full(x), x->fip, 0, x->fdp, 0
	};

	if (!mode_is_protected(e)) {
		/* From bit 16 on, in the upper bits of the next item. */
		field[3] &= UINT16_MAX;
		field[4] =
			(x->fip >> 16 & UINT16_MAX) << 12 | (x->fop & FOP_MASK);
		field[5] &= UINT16_MAX;
		field[6] = (x->fdp >> 16 & UINT16_MAX) << 12;
	} else if (step == 4) {
		field[4] = (uint64_t)(x->fop & FOP_MASK) << 16;
		field[6] = FIELD_RESERVED;
	}
	for (unsigned i = 0; i < 7; i++) {
		if (step == 4 &&
		    (i < 3 || (!mode_is_protected(e) && (i == 3 || i == 5))))
			field[i] |= FIELD_RESERVED;
		ram_store(to + i * step, field[i], step);
	}
}

static void environment_take(struct emul *e, const uint8_t *from)
{
	struct x86_xstate *x = e->xstate;
	unsigned step = e->d->operand_size == 2 ? 2 : 4;
	uint64_t field[7];

	for (unsigned i = 0; i < 7; i++)
		field[i] = ram_load(from + i * step, step);
	x->fcw = ((uint16_t)field[0] & FCW_VALID) | FCW_ONE;
	top_set(x, FIELD_GET(FSW_TOP, field[1]));
	x->fsw = (uint16_t)field[1];
	x->ftw = tags_abridged((unsigned)field[2]);
	x->fip = field[3];
	x->fdp = field[5];
	x->fop = 0;
	if (!mode_is_protected(e)) {
		x->fip = (field[3] & UINT16_MAX) | (field[4] >> 12) << 16;
		x->fdp = (field[5] & UINT16_MAX) | (field[6] >> 12) << 16;
		x->fop = (uint16_t)(field[4] & FOP_MASK);
	} else if (step == 4) {
		x->fop = (uint16_t)(field[4] >> 16 & FOP_MASK);
	}
	x87_summarize(x);
}

/* An environment, and the registers behind it if there are any. */
static enum emul_status image_access(struct emul *e, uint8_t *bytes,
				     unsigned size, bool is_write)
{
	unsigned environment = environment_size(e);

	if (e->offset + size - 1 <= address_mask(e))
		return emul_pieces_access(e, e->offset, bytes, size, size,
					  is_write);
	TRY(emul_pieces_access(e, e->offset, bytes, environment,
			       environment / 7, is_write));
	for (unsigned i = environment; i < size; i += 10)
		TRY(emul_pieces_access(e, e->offset + i, bytes + i, 10, 8,
				       is_write));
	return EMUL_OK;
}

EXECUTE(fnstenv)
{
	uint8_t bytes[ENVIRONMENT32];

	TRY(emul_x87_begin(e));
	environment_make(e, bytes);
	TRY(image_access(e, bytes, environment_size(e), true));
	e->xstate->fcw |= FSW_EXCEPTIONS; /* all masked */
	x87_summarize(e->xstate);
	return x87_changed(e);
}

EXECUTE(fldenv)
{
	uint8_t bytes[ENVIRONMENT32];

	TRY(emul_x87_wait(e));
	TRY(image_access(e, bytes, environment_size(e), false));
	environment_take(e, bytes);
	return x87_changed(e);
}

EXECUTE(fnsave)
{
	uint8_t bytes[ENVIRONMENT32 + REGISTERS];
	unsigned size = environment_size(e);

	TRY(emul_x87_begin(e));
	environment_make(e, bytes);
	for (unsigned i = 0; i < 8; i++)
		memcpy(bytes + size + 10 * i, e->xstate->st[i], 10);
	TRY(image_access(e, bytes, size + REGISTERS, true));
	x87_reset(e->xstate);
	return x87_changed(e);
}

/* All of it is read before any is taken: the instruction may begin again, and
 * must not find an exception that it has loaded itself. */
EXECUTE(frstor)
{
	uint8_t bytes[ENVIRONMENT32 + REGISTERS];
	unsigned size = environment_size(e);

	TRY(emul_x87_wait(e));
	TRY(image_access(e, bytes, size + REGISTERS, false));
	environment_take(e, bytes);
	for (unsigned i = 0; i < 8; i++) {
		memset(e->xstate->st[i], 0, sizeof(e->xstate->st[i]));
		memcpy(e->xstate->st[i], bytes + size + 10 * i, 10);
	}
	return x87_changed(e);
}

/*
 * MMX: the registers are the low 64 bits of the x87's physical ones.  Every
 * instruction makes TOP zero and, but for EMMS, all of them full.
 */

void emul_mmx_enter(struct x86_xstate *x)
{
	top_set(x, 0);
	x->ftw = UINT8_MAX;
}

enum emul_status emul_mmx_begin(struct emul *e)
{
	if (e->state->cr0 & X86_CR0_EM)
		return raise_ud(e);
	return emul_x87_wait(e);
}

/* MOVD and MOVQ from memory or a general register */
EXECUTE(mmx_movd_load)
{
	unsigned size = e->d->rex & REX_W && mode_is_64(e) ? 8 : 4;
	uint64_t value = 0;

	TRY(emul_mmx_begin(e));
	if (e->d->is_memory)
		TRY(memory_read(e, &value, size));
	else
		value = gpr_get(e, modrm_rm(e), size);
	emul_mmx_enter(e->xstate);
	mmx_set(e, modrm_reg(e), value);
	return EMUL_OK;
}

EXECUTE(mmx_movd_store)
{
	unsigned size = e->d->rex & REX_W && mode_is_64(e) ? 8 : 4, top;
	uint64_t value;

	TRY(emul_mmx_begin(e));
	top = FIELD_GET(FSW_TOP, e->xstate->fsw);
	value = mmx_get(e, modrm_reg(e) - top);
	if (e->d->is_memory)
		TRY(memory_write(e, &value, size));
	else
		gpr_set(e, modrm_rm(e), value, size);
	emul_mmx_enter(e->xstate);
	return x87_changed(e);
}

EXECUTE(mmx_movq_load)
{
	uint64_t value = 0;

	TRY(emul_mmx_begin(e));
	if (e->d->is_memory)
		TRY(memory_read(e, &value, 8));
	emul_mmx_enter(e->xstate);
	if (!e->d->is_memory)
		value = mmx_get(e, modrm_rm(e));
	mmx_set(e, modrm_reg(e), value);
	return EMUL_OK;
}

/* MOVQ to memory or another register, MOVNTQ */
EXECUTE(mmx_movq_store)
{
	unsigned top;
	uint64_t value;

	TRY(emul_mmx_begin(e));
	top = FIELD_GET(FSW_TOP, e->xstate->fsw);
	value = mmx_get(e, modrm_reg(e) - top);
	if (e->d->is_memory)
		TRY(memory_write(e, &value, 8));
	emul_mmx_enter(e->xstate);
	if (!e->d->is_memory)
		mmx_set(e, modrm_rm(e), value);
	return x87_changed(e);
}

EXECUTE(emms)
{
	TRY(emul_mmx_begin(e));
	emul_mmx_enter(e->xstate);
	e->xstate->ftw = 0;
	return x87_changed(e);
}

/* MXCSR */

/* Bits that this processor has: a load of others would fault here, too. */
static uint32_t mxcsr_mask(const struct emul *e)
{
	uint32_t mask = e->xstate->mxcsr_mask;

	return mask ? mask & MXCSR_VALID : MXCSR_VALID;
}

EXECUTE(ldmxcsr)
{
	uint32_t value;

	TRY(emul_vector_begin(e));
	TRY(memory_read(e, &value, 4));
	if (value & ~mxcsr_mask(e))
		return raise_gp0(e);
	e->xstate->mxcsr = value;
	return x87_changed(e);
}

EXECUTE(stmxcsr)
{
	TRY(emul_vector_begin(e));
	return memory_write(e, &e->xstate->mxcsr, 4);
}

/* FXSAVE: the legacy region as it is. */

#define LEGACY_SIZE 512
#define LEGACY_X87  offsetof(struct x86_xstate, xmm)
#define MXCSR_AT    offsetof(struct x86_xstate, mxcsr)
#define HEADER_AT   offsetof(struct x86_xstate, xstate_bv)
#define HEADER_SIZE 64

static enum emul_status area_prepare(struct emul *e, unsigned size,
				     unsigned align, uint32_t access)
{
	uint64_t linear;

	TRY(emul_linear(e, e->d->segment, e->offset, size, access, &linear));
	if (linear & (align - 1))
		return raise_gp0(e);
	return emul_access_prepare(e, linear, size, access, &e->access);
}

/* Outside 64-bit mode XMM8 to 15 are not there. */
static unsigned legacy_used(const struct emul *e)
{
	return LEGACY_X87 + (mode_is_64(e) ? 16 : 8) * 16;
}

static enum emul_status fx_begin(struct emul *e)
{
	if (e->state->cr0 & (X86_CR0_EM | X86_CR0_TS))
		return emul_raise(e, X86_VECTOR_NM);
	TRY(xstate_get(e));
	emul_components_init(e->xstate, X86_XCR0_X87 | X86_XCR0_SSE);
	return EMUL_OK;
}

EXECUTE(fxsave)
{
	uint8_t area[LEGACY_SIZE];

	TRY(fx_begin(e));
	TRY(area_prepare(e, LEGACY_SIZE, 16, ACCESS_WRITE));
	TRY(emul_access_read(e, &e->access, area, LEGACY_SIZE));
	memcpy(area, e->xstate, legacy_used(e));
	ram_store(area + MXCSR_AT + 4, mxcsr_mask(e), 4);
	return emul_access_write(e, &e->access, area, LEGACY_SIZE);
}

EXECUTE(fxrstor)
{
	uint8_t area[LEGACY_SIZE];
	uint32_t known;

	TRY(fx_begin(e));
	known = e->xstate->mxcsr_mask;
	TRY(area_prepare(e, LEGACY_SIZE, 16, ACCESS_READ));
	TRY(emul_access_read(e, &e->access, area, LEGACY_SIZE));
	if (ram_load(area + MXCSR_AT, 4) & ~mxcsr_mask(e))
		return raise_gp0(e);
	memcpy(e->xstate, area, legacy_used(e));
	e->xstate->mxcsr_mask = known;
	e->xstate->fcw = (e->xstate->fcw & FCW_VALID) | FCW_ONE;
	x87_summarize(e->xstate);
	return x87_changed(e);
}

/* XSAVE, the standard form */

#define AVX_AT	 offsetof(struct x86_xstate, ymm_high)
#define AVX_SIZE 256

#define XSAVE_ALIGN 64

static enum emul_status xsave_begin(struct emul *e, uint64_t *mask)
{
	const struct x86_state *s = e->state;
	uint64_t known = X86_XCR0_X87 | X86_XCR0_SSE | X86_XCR0_AVX;

	if (!(s->cr4 & X86_CR4_OSXSAVE) || e->d->has_opsize || e->d->rep)
		return raise_ud(e);
	if (s->cr0 & X86_CR0_TS)
		return emul_raise(e, X86_VECTOR_NM);
	TRY(xstate_get(e)); /* XCR0 as well */
	*mask = (gpr_get(e, X86_RAX, 4) | gpr_get(e, X86_RDX, 4) << 32) &
		s->xcr0;
	if (*mask & ~known)
		return raise_ud(e); /* the monitor lets no more be set */
	return EMUL_OK;
}

static unsigned xsave_size(uint64_t mask)
{
	return mask & X86_XCR0_AVX ? AVX_AT + AVX_SIZE
				   : HEADER_AT + HEADER_SIZE;
}

/* Copy the components of mask from one area to another. */
static void components_copy(const struct emul *e, uint8_t *to,
			    const uint8_t *from, uint64_t mask)
{
	if (mask & X86_XCR0_X87) {
		memcpy(to, from, MXCSR_AT);
		memcpy(to + MXCSR_AT + 8, from + MXCSR_AT + 8,
		       LEGACY_X87 - MXCSR_AT - 8);
	}
	if (mask & (X86_XCR0_SSE | X86_XCR0_AVX))
		memcpy(to + MXCSR_AT, from + MXCSR_AT, 4);
	if (mask & X86_XCR0_SSE)
		memcpy(to + LEGACY_X87, from + LEGACY_X87,
		       legacy_used(e) - LEGACY_X87);
	if (mask & X86_XCR0_AVX)
		memcpy(to + AVX_AT, from + AVX_AT,
		       mode_is_64(e) ? AVX_SIZE : AVX_SIZE / 2);
}

#define REG_XSAVEOPT 6

EXECUTE(xsave)
{
	bool is_opt = modrm_reg_field(e) == REG_XSAVEOPT;
	uint8_t area[sizeof(struct x86_xstate)];
	struct x86_xstate *x;
	uint64_t mask, in_use;
	unsigned size;

	if (is_opt && !(e->features & EMUL_FEATURE_XSAVEOPT))
		return raise_ud(e);
	TRY(xsave_begin(e, &mask));
	/* Unlike FXSAVE's, before segment and address. */
	if (is_misaligned(e, XSAVE_ALIGN))
		return raise_gp0(e);
	x = e->xstate;
	size = xsave_size(mask);
	TRY(area_prepare(e, size, XSAVE_ALIGN, ACCESS_WRITE));
	TRY(emul_access_read(e, &e->access, area, size));
	in_use = x->xstate_bv & mask;
	/* XSAVE writes what is initial, too; XSTATE_BV tells. */
	if (!is_opt)
		emul_components_init(x, mask);
	components_copy(e, area, (const uint8_t *)x, is_opt ? in_use : mask);
	x->xstate_bv = (x->xstate_bv & ~mask) | in_use;
	if (mask & (X86_XCR0_SSE | X86_XCR0_AVX)) {
		ram_store(area + MXCSR_AT, x->mxcsr, 4);
		ram_store(area + MXCSR_AT + 4, mxcsr_mask(e), 4);
	}
	ram_store(area + HEADER_AT,
		  (ram_load(area + HEADER_AT, 8) & ~mask) | in_use, 8);
	return emul_access_write(e, &e->access, area, size);
}

/*
 * XSAVEC: the compacted form, in which AVX state happens to be where the
 * standard form has it.  What is in its initial state is not written.
 */
#define XCOMP_AT      (HEADER_AT + 8)
#define XCOMP_COMPACT BIT(63)

EXECUTE(xsavec)
{
	uint8_t area[sizeof(struct x86_xstate)];
	const struct x86_xstate *x;
	uint64_t mask, in_use;
	unsigned size;

	if (!(e->features & EMUL_FEATURE_XSAVEC))
		return raise_ud(e);
	TRY(xsave_begin(e, &mask));
	if (is_misaligned(e, XSAVE_ALIGN))
		return raise_gp0(e);
	x = e->xstate;
	in_use = x->xstate_bv & mask;
	if (mask & X86_XCR0_SSE && x->mxcsr != MXCSR_INIT) {
		emul_components_init(e->xstate, X86_XCR0_SSE);
		in_use |= X86_XCR0_SSE;
	}
	size = xsave_size(mask);
	TRY(area_prepare(e, size, XSAVE_ALIGN, ACCESS_WRITE));
	TRY(emul_access_read(e, &e->access, area, size));
	components_copy(e, area, (const uint8_t *)x, in_use & ~X86_XCR0_AVX);
	if (in_use & X86_XCR0_AVX)
		memcpy(area + AVX_AT, (const uint8_t *)x + AVX_AT,
		       mode_is_64(e) ? AVX_SIZE : AVX_SIZE / 2);
	if (in_use & X86_XCR0_SSE)
		ram_store(area + MXCSR_AT + 4, mxcsr_mask(e), 4);
	ram_store(area + HEADER_AT, in_use, 8);
	ram_store(area + XCOMP_AT, mask | XCOMP_COMPACT, 8);
	return emul_access_write(e, &e->access, area, size);
}

static bool header_is_good(const struct emul *e, const uint8_t *area)
{
	uint64_t may = e->state->xcr0, xcomp = ram_load(area + XCOMP_AT, 8);

	if (xcomp & XCOMP_COMPACT && e->features & EMUL_FEATURE_XSAVEC) {
		if (xcomp & ~(may | XCOMP_COMPACT))
			return false;
		may = xcomp;
	} else if (xcomp) {
		return false;
	}
	for (unsigned i = 16; i < HEADER_SIZE; i += 8)
		if (ram_load(area + HEADER_AT + i, 8) &&
		    (i < 24 || xcomp & XCOMP_COMPACT))
			return false;
	return !(ram_load(area + HEADER_AT, 8) & ~may);
}

/* The standard form has it for SSE and AVX, the compacted one for SSE alone. */
static uint32_t mxcsr_of_area(const struct emul *e, const uint8_t *area,
			      uint64_t mask, uint64_t present)
{
	if (ram_load(area + XCOMP_AT, 8) & XCOMP_COMPACT) {
		if (!(mask & X86_XCR0_SSE))
			return e->xstate->mxcsr;
		if (!(present & X86_XCR0_SSE))
			return MXCSR_INIT;
	} else if (!(mask & (X86_XCR0_SSE | X86_XCR0_AVX))) {
		return e->xstate->mxcsr;
	}
	return (uint32_t)ram_load(area + MXCSR_AT, 4);
}

EXECUTE(xrstor)
{
	uint8_t area[sizeof(struct x86_xstate)];
	struct x86_xstate *x;
	uint64_t mask, present;
	uint32_t mxcsr;
	unsigned size;

	TRY(xsave_begin(e, &mask));
	/* Unlike FXSAVE's, before segment and address. */
	if (is_misaligned(e, XSAVE_ALIGN))
		return raise_gp0(e);
	x = e->xstate;
	size = xsave_size(mask);
	TRY(area_prepare(e, size, XSAVE_ALIGN, ACCESS_READ));
	TRY(emul_access_read(e, &e->access, area, size));
	if (!header_is_good(e, area))
		return raise_gp0(e);
	present = ram_load(area + HEADER_AT, 8) & mask;
	mxcsr = mxcsr_of_area(e, area, mask, present);
	if (mxcsr & ~mxcsr_mask(e))
		return raise_gp0(e);
	components_copy(e, (uint8_t *)x, area, present);
	x->mxcsr = mxcsr;
	/* What is not present is initial; 0 in the mask says so. */
	x->xstate_bv = (x->xstate_bv & ~mask) | present;
	return x87_changed(e);
}
