/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MMX, SSE, AVX, FMA and their kin, executed by the processor itself: operands
 * are fetched into a struct emul_stub, a stub of the same opcode runs, and the
 * result goes where the instruction says.
 *
 * The stub runs with all exceptions masked and flags clear.  If one that the
 * guest has not masked is raised nothing is stored, but for MXCSR's flags.
 *
 * Not modelled: AMD's misaligned SSE mode (MXCSR.MM).
 *
 * References: SDM volume 1, "SIMD Floating-Point Exceptions"; volume 2,
 * instruction pages, "AVX Exception Types".
 */
#include "emulate/execute.h"
#include "emulate/flags.h"
#include "emulate/simd.h"
#include "emulate/vector.h"
#include "emulate/x87.h"

#define MXCSR_FLAGS  MASK(5, 0)
#define MXCSR_BEFORE MASK(2, 0) /* IE DE ZE: found before the operation */
#define MXCSR_MASKS  MASK(12, 7)
#define MXCSR_UE     BIT(4)
#define MXCSR_UM     BIT(11)
#define MXCSR_FTZ    BIT(15)

#define OPCODE_CVTPS2PH 0x1d

struct simd {
	const struct simd_row *row;
	unsigned number;
	unsigned form;
	unsigned vector;  /* bytes: 8, 16, 32 */
	unsigned memory;  /* bytes of an operand in memory */
	unsigned general; /* bytes of a general register */
	struct emul_stub stub;
};

/* ---- Which instruction --------------------------------------------------- */

static unsigned simd_prefix(const struct emul *e)
{
	if (e->d->rep)
		return e->d->rep == PREFIX_F3 ? 2 : 3;
	return e->d->has_opsize;
}

/* The row's flags that say where AMD's processors differ: manuals do not. */
static unsigned flags_of_amd(const struct emul *e, const struct simd_row *row)
{
	return e->features & EMUL_FEATURE_INTEL ? 0 : row->flags;
}

/* W counts for general registers in 64-bit mode only. */
static bool simd_w(const struct emul *e, const struct simd_row *row)
{
	if (flags_of_amd(e, row) & SIMD_A_WIG)
		return true; /* the one that exists */
	if (!(e->d->rex & REX_W))
		return false;
	if (e->d->is_vex && row->flags & SIMD_WIG)
		return false;
	if (!e->d->is_vex || row->shape == SIMD_GR || row->shape == SIMD_RE ||
	    row->shape == SIMD_RG)
		return mode_is_64(e) && row->forms & BIT(1);
	return true;
}

static bool features_suffice(const struct emul *e, const struct simd_row *row,
			     bool is_256)
{
	const struct simd_set *set = &emul_simd_sets[row->set];
	uint64_t want = !e->d->is_vex ? set->legacy
			: is_256      ? set->vex_256
				      : set->vex;

	return (e->features & want) == want;
}

static bool simd_choose(struct emul *e, unsigned map, struct simd *s)
{
	int number = emul_simd_find(map, simd_prefix(e), e->d->opcode);
	const struct simd_row *row;
	bool w, l;

	if (number < 0)
		return false;
	row = &emul_simd_rows[number];
	w = simd_w(e, row);
	l = e->d->is_vex && e->d->vex_l && !(row->flags & SIMD_LIG);
	s->row = row;
	s->number = (unsigned)number;
	s->form = e->d->is_vex ? 2U + 2U * l + w : w;
	if (!(row->forms >> s->form & 1) || !features_suffice(e, row, l))
		return false;
	if (e->d->is_vex && e->d->vex_vvvv && !(row->flags & SIMD_NDS))
		return false;
	if (e->d->is_memory && row->flags & SIMD_REGO)
		return false;
	if (e->d->is_vex && e->d->rex & REX_W && !mode_is_64(e) &&
	    flags_of_amd(e, row) & SIMD_A_W64)
		return false;
	s->vector = row->shape == SIMD_MM ? 8 : l ? 32 : 16;
	s->general = w ? 8 : 4;
	switch (row->mem) {
	case SIMD_V:
		s->memory = s->vector;
		break;
	case SIMD_H:
	case SIMD_Q:
	case SIMD_O:
		s->memory = s->vector >> (row->mem - SIMD_V);
		break;
	case SIMD_Y:
		s->memory = s->general;
		break;
	default:
		s->memory = row->mem;
		break;
	}
	return true;
}

static bool uses_mmx(const struct simd_row *row)
{
	return row->shape >= SIMD_MM && row->shape <= SIMD_RM;
}

static bool uses_xmm(const struct simd_row *row)
{
	return row->shape < SIMD_MM || row->shape == SIMD_MX ||
	       row->shape == SIMD_XM || row->shape > SIMD_RM;
}

/* ---- Operands ------------------------------------------------------------ */

static bool is_aligned_form(const struct emul *e, const struct simd *s)
{
	return !e->d->is_vex && s->memory == 16 && s->row->mem != SIMD_Y &&
	       !(s->row->flags & SIMD_ANYWHERE) &&
	       !(flags_of_amd(e, s->row) & SIMD_A_ANYWHERE);
}

/* The r/m operand, where it is read. */
static enum emul_status source_fetch(struct emul *e, struct simd *s)
{
	struct emul_stub *stub = &s->stub;
	struct vector v = { { 0 } };
	bool is_mmx = s->row->shape == SIMD_MM || s->row->shape == SIMD_XM ||
		      s->row->shape == SIMD_RM;

	if (s->row->shape == SIMD_EG || s->row->shape == SIMD_RG)
		return EMUL_OK; /* the destination */
	if (e->d->is_memory) {
		TRY(memory_get(e, &v, s->memory, is_aligned_form(e, s)));
		stub->v[STUB_RM] = v;
		stub->mm[1] = v.q[0];
		stub->rdx = v.q[0];
		return EMUL_OK;
	}
	if (s->row->shape == SIMD_GR || s->row->shape == SIMD_MR)
		stub->rdx = e->state->gpr[modrm_rm(e)];
	else if (!is_mmx)
		register_get(e, modrm_rm(e), &stub->v[STUB_RM]);
	return EMUL_OK;
}

/* XMM16 and up are none; outside 64-bit mode neither is XMM8. */
static unsigned is4_register(const struct emul *e)
{
	return (uint8_t)e->d->immediate >> 4 & (mode_is_64(e) ? 15 : 7);
}

static void vectors_fetch(struct emul *e, struct simd *s)
{
	struct emul_stub *stub = &s->stub;

	register_get(e, 0, &stub->v[STUB_IMPLICIT]);
	if (s->row->shape != SIMD_RE)
		register_get(e, modrm_reg(e), &stub->v[STUB_REG]);
	if (e->d->is_vex)
		register_get(e, vex_register(e), &stub->v[STUB_VVVV]);
	if (s->row->imm_bits == SIMD_IS4)
		register_get(e, is4_register(e), &stub->v[STUB_IS4]);
}

/* PCMPESTRx: explicit lengths, saturated, so that 64-bit ones fit. */
static uint64_t length_of(const struct emul *e, unsigned gpr)
{
	int64_t length = (int64_t)e->state->gpr[gpr];

	if (!(e->d->rex & REX_W) || !mode_is_64(e))
		length = (int32_t)length;
	if (length > 16 || length < -16)
		length = 16;
	return (uint64_t)length;
}

static void general_fetch(struct emul *e, struct simd *s)
{
	if (s->row->shape < SIMD_STRI)
		return;
	s->stub.rax = length_of(e, X86_RAX);
	s->stub.rdx = length_of(e, X86_RDX);
}

static unsigned immediate_of(const struct emul *e, const struct simd *s)
{
	unsigned imm = (uint8_t)e->d->immediate, bits = s->row->imm_bits;

	if (s->row->flags & SIMD_INSERTPS && e->d->is_memory)
		imm &= 0x3f;
	if (e->d->opcode == 0x44 && bits == 5)
		imm &= 0x11; /* PCLMULQDQ: which halves */
	if (e->d->opcode == 0xc2 && !e->d->is_vex)
		imm &= 7; /* CMPPS: eight predicates without VEX */
	return bits < 8 ? imm & ((1U << bits) - 1) : imm;
}

/* ---- Results ------------------------------------------------------------- */

static enum emul_status vector_store(struct emul *e, struct simd *s)
{
	if (e->d->is_memory)
		return emul_memory_write(e, e->d->segment, e->offset,
					 &s->stub.v[STUB_RM], s->memory);
	register_set(e, modrm_rm(e), &s->stub.v[STUB_RM]);
	return EMUL_OK;
}

/* AMD's processors look at it before they raise a SIMD exception. */
static enum emul_status destination_check(struct emul *e, const struct simd *s)
{
	if (!e->d->is_memory || e->features & EMUL_FEATURE_INTEL)
		return EMUL_OK;
	return memory_prepare(e, s->memory, ACCESS_WRITE, UNALIGNED);
}

static enum emul_status general_store(struct emul *e, struct simd *s)
{
	if (e->d->is_memory)
		return emul_memory_write(e, e->d->segment, e->offset,
					 &s->stub.rdx, s->memory);
	gpr_set(e, modrm_rm(e), s->stub.rdx, s->general);
	return EMUL_OK;
}

static enum emul_status simd_store(struct emul *e, struct simd *s)
{
	struct emul_stub *stub = &s->stub;

	switch (s->row->shape) {
	case SIMD_GE:
	case SIMD_GR:
	case SIMD_XM:
		register_set(e, modrm_reg(e), &stub->v[STUB_REG]);
		break;
	case SIMD_EG:
		return vector_store(e, s);
	case SIMD_RG:
		return general_store(e, s);
	case SIMD_RE:
	case SIMD_RM:
		gpr_set(e, modrm_reg(e), stub->rcx, s->general);
		break;
	case SIMD_MM:
	case SIMD_MX:
	case SIMD_MR:
		mmx_set(e, modrm_reg(e), stub->mm[0]);
		break;
	case SIMD_STRI:
		gpr_set(e, X86_RCX, stub->rcx, 4);
		flags_set(e, FLAGS_ARITHMETIC, stub->flags);
		break;
	case SIMD_STRM:
		register_set(e, 0, &stub->v[STUB_IMPLICIT]);
		flags_set(e, FLAGS_ARITHMETIC, stub->flags);
		break;
	default: /* SIMD_FE */
		flags_set(e, FLAGS_ARITHMETIC, stub->flags);
		break;
	}
	return EMUL_OK;
}

/* ---- Exceptions ---------------------------------------------------------- */

/*
 * Tiny results that are exact raise UE only where it is not masked: the stub's
 * run did not show it.
 */
static bool has_denormal(const struct vector *v, unsigned bytes, unsigned step)
{
	const uint8_t *p = (const uint8_t *)v;
	uint64_t exponent = step == 8	? MASK(62, 52)
			    : step == 4 ? MASK(30, 23)
					: MASK(14, 10);
	uint64_t fraction = (exponent & -exponent) - 1;

	for (unsigned i = 0; i < bytes; i += step) {
		uint64_t value = ram_load(p + i, step);

		if (!(value & exponent) && value & fraction)
			return true;
	}
	return false;
}

/* Does the operation round, so that its result can be tiny? */
static bool rounds(const struct emul *e, unsigned map)
{
	switch (e->d->opcode) {
	case 0x58: /* ADD MUL CVT SUB DIV HADD HSUB ADDSUB */
	case 0x59:
	case 0x5a:
	case 0x5c:
	case 0x5e:
	case 0x7c:
	case 0x7d:
	case 0xd0:
		return map == 1;
	default: /* FMA */
		return map == 2 && e->d->opcode >= 0x96;
	}
}

static bool result_is_double(const struct emul *e, unsigned map)
{
	unsigned prefix = simd_prefix(e);

	if (map == 2)
		return e->d->rex & REX_W;
	if (e->d->opcode == 0x5a)
		return prefix == 0 || prefix == 2;
	if (e->d->opcode == 0x7c || e->d->opcode == 0x7d ||
	    e->d->opcode == 0xd0)
		return prefix == 1; /* PD with 66, PS with F2 */
	return prefix & 1;
}

static uint32_t tiny_raised(const struct emul *e, const struct simd *s,
			    unsigned map)
{
	const struct vector *result = &s->stub.v[STUB_REG];
	unsigned step = result_is_double(e, map) ? 8 : 4;
	unsigned bytes = s->vector;

	if (e->xstate->mxcsr & MXCSR_UM)
		return 0;
	if (map == 3 && e->d->opcode == OPCODE_CVTPS2PH) {
		result = &s->stub.v[STUB_RM];
		step = 2;
		bytes /= 2;
	} else if (!rounds(e, map)) {
		return 0;
	}
	if (s->row->flags & SIMD_LIG)
		bytes = step;
	return has_denormal(result, bytes, step) ? MXCSR_UE : 0;
}

static enum emul_status exceptions_take(struct emul *e, uint32_t raised)
{
	uint32_t *mxcsr = &e->xstate->mxcsr;
	uint32_t unmasked = raised & ~FIELD_GET(MXCSR_MASKS, *mxcsr);

	/* Nothing has been worked out: no rounding, no overflow. */
	if (unmasked & MXCSR_BEFORE)
		raised &= MXCSR_BEFORE;
	if (raised & ~*mxcsr) {
		*mxcsr |= raised;
		e->state->dirty |= X86_GROUP_XSTATE;
	}
	if (!unmasked)
		return EMUL_OK;
	return emul_raise(e, e->state->cr4 & X86_CR4_OSXMMEXCPT
				     ? X86_VECTOR_XM
				     : X86_VECTOR_UD);
}

/* Flush-to-zero counts only while underflow is masked. */
static uint32_t mxcsr_for_run(uint32_t mxcsr)
{
	if (!(mxcsr & MXCSR_UM))
		mxcsr &= ~MXCSR_FTZ;
	return (mxcsr & ~MXCSR_FLAGS) | MXCSR_MASKS;
}

/* ---- DPPS and DPPD ------------------------------------------------------- */

#define OPCODE_MUL  0x59
#define OPCODE_HADD 0x7c
#define OPCODE_DPPS 0x40 /* DPPD is the next */

static bool is_dot_product(const struct emul *e, unsigned map)
{
	return map == 3 && (e->d->opcode & ~1U) == OPCODE_DPPS;
}

/* The result becomes both sources of the next step. */
static enum emul_status dot_step(struct emul *e, const struct simd *s,
				 struct emul_stub *stub, unsigned opcode)
{
	bool is_double = e->d->opcode & 1;
	unsigned pp = opcode == OPCODE_MUL || is_double ? is_double : 3;
	int number = emul_simd_find(1, pp, opcode);
	uint32_t raised;

	stub->mxcsr = mxcsr_for_run(e->xstate->mxcsr);
	stub->code =
		emul_stub_find((unsigned)number, emul_simd_rows[number].forms,
			       s->form & ~1U, SIMD_NOIMM, 0);
	if (e->d->is_vex)
		emul_stub_avx(stub);
	else
		emul_stub_sse(stub);
	raised = stub->mxcsr & MXCSR_FLAGS;
	if (!(e->xstate->mxcsr & MXCSR_UM) &&
	    has_denormal(&stub->v[STUB_REG], s->vector, is_double ? 8 : 4))
		raised |= MXCSR_UE;
	stub->v[STUB_RM] = stub->v[STUB_VVVV] = stub->v[STUB_REG];
	return exceptions_take(e, raised);
}

/*
 * A multiplication of the elements that the immediate selects, then sums of
 * neighbours: each raises before the next begins.  The operands of s are those
 * from before.
 */
static enum emul_status dot_exceptions(struct emul *e, const struct simd *s)
{
	bool is_double = e->d->opcode & 1;
	unsigned size = is_double ? 8 : 4, imm = (uint8_t)e->d->immediate >> 4;
	struct emul_stub stub = s->stub;

	if (!e->d->is_vex)
		stub.v[STUB_VVVV] = stub.v[STUB_REG];
	for (unsigned at = 0; at < s->vector; at += size) {
		if (imm >> at % 16 / size & 1)
			continue;
		memset((uint8_t *)&stub.v[STUB_VVVV] + at, 0, size);
		memset((uint8_t *)&stub.v[STUB_RM] + at, 0, size);
	}
	stub.v[STUB_REG] = stub.v[STUB_VVVV];
	TRY(dot_step(e, s, &stub, OPCODE_MUL));
	TRY(dot_step(e, s, &stub, OPCODE_HADD));
	return is_double ? EMUL_OK : dot_step(e, s, &stub, OPCODE_HADD);
}

/* ---- One instruction ----------------------------------------------------- */

static void simd_run(struct emul *e, struct simd *s)
{
	const struct simd_row *row = s->row;

	s->stub.mxcsr = mxcsr_for_run(e->xstate->mxcsr);
	s->stub.code = emul_stub_find(s->number, row->forms, s->form,
				      row->imm_bits, immediate_of(e, s));
	/* The processor's registers are not the guest's from here on. */
	e->state->dirty |= X86_GROUP_XSTATE;
	if (uses_mmx(row))
		emul_stub_mmx(&s->stub);
	else if (e->d->is_vex)
		emul_stub_avx(&s->stub);
	else
		emul_stub_sse(&s->stub);
}

/* The x87's registers become MMX's once nothing can fail any more. */
static void mmx_fetch(struct emul *e, struct simd *s)
{
	unsigned top = FIELD_GET(FSW_TOP, e->xstate->fsw);
	unsigned shape = s->row->shape;

	s->stub.mm[0] = mmx_get(e, modrm_reg(e) - top);
	if (!e->d->is_memory && shape != SIMD_MX && shape != SIMD_MR)
		s->stub.mm[1] = mmx_get(e, modrm_rm(e) - top);
}

static enum emul_status simd(struct emul *e, unsigned map)
{
	struct simd s;
	bool is_mmx;

	if (!simd_choose(e, map, &s))
		return raise_ud(e);
	/* CVTPI2PS and CVTPI2PD of memory leave the x87 alone. */
	is_mmx = uses_mmx(s.row) &&
		 !(s.row->shape == SIMD_XM && e->d->is_memory);
	if (uses_xmm(s.row))
		TRY(emul_vector_begin(e));
	if (is_mmx)
		TRY(emul_mmx_begin(e));
	memset(&s.stub, 0, sizeof(s.stub));
	TRY(source_fetch(e, &s));
	vectors_fetch(e, &s);
	general_fetch(e, &s);
	if (is_mmx)
		mmx_fetch(e, &s);
	if (is_dot_product(e, map))
		TRY(dot_exceptions(e, &s));
	simd_run(e, &s);
	/* A SIMD exception comes after the change to MMX. */
	if (is_mmx)
		emul_mmx_enter(e->xstate);
	if (s.row->shape == SIMD_EG)
		TRY(destination_check(e, &s));
	if (s.row->flags & SIMD_FPX)
		TRY(exceptions_take(e, (s.stub.mxcsr & MXCSR_FLAGS) |
					       tiny_raised(e, &s, map)));
	return simd_store(e, &s);
}

EXECUTE(simd_0f)
{
	return simd(e, 1);
}

EXECUTE(simd_0f38)
{
	return simd(e, 2);
}

EXECUTE(simd_0f3a)
{
	return simd(e, 3);
}

/* ---- Shifts by an immediate ---------------------------------------------- */

#define GROUP_WORDS	  0x71
#define GROUP_QUADS	  0x73
#define SHIFT_RIGHT	  2
#define SHIFT_RIGHT_BYTES 3
#define SHIFT_SIGNED	  4
#define SHIFT_LEFT	  6
#define SHIFT_LEFT_BYTES  7

/* PSLLDQ and PSRLDQ, in each half of a YMM register. */
static void bytes_shift(struct vector *v, unsigned count, bool is_left)
{
	uint8_t from[32], *to = (uint8_t *)v;

	memcpy(from, v, sizeof(from));
	for (unsigned i = 0; i < 32; i++) {
		unsigned at = i % 16;
		unsigned source = is_left ? at - count : at + count;

		to[i] = source < 16 ? from[(i & 16) + source] : 0;
	}
}

/* The opcode that shifts by a register's count, or 0. */
static unsigned shift_by_register(unsigned group, unsigned how)
{
	if (how == SHIFT_SIGNED && group != GROUP_QUADS)
		return 0xe1 + group - GROUP_WORDS;
	if (how == SHIFT_RIGHT)
		return 0xd1 + group - GROUP_WORDS;
	if (how == SHIFT_LEFT)
		return 0xf1 + group - GROUP_WORDS;
	return 0;
}

static enum emul_status shift_vector(struct emul *e, struct simd *s,
				     unsigned how)
{
	unsigned to = e->d->is_vex ? vex_register(e) : modrm_rm(e);
	unsigned count = (uint8_t)e->d->immediate;

	TRY(emul_vector_begin(e));
	register_get(e, modrm_rm(e), &s->stub.v[STUB_REG]);
	s->stub.v[STUB_VVVV] = s->stub.v[STUB_REG];
	s->stub.v[STUB_RM].q[0] = count;
	if (how == SHIFT_LEFT_BYTES || how == SHIFT_RIGHT_BYTES)
		bytes_shift(&s->stub.v[STUB_REG], count,
			    how == SHIFT_LEFT_BYTES);
	else
		simd_run(e, s);
	register_set(e, to, &s->stub.v[STUB_REG]);
	return EMUL_OK;
}

static enum emul_status shift_mmx(struct emul *e, struct simd *s)
{
	unsigned top;

	TRY(emul_mmx_begin(e));
	top = FIELD_GET(FSW_TOP, e->xstate->fsw);
	s->stub.mm[0] = mmx_get(e, modrm_rm(e) - top);
	s->stub.mm[1] = (uint8_t)e->d->immediate;
	simd_run(e, s);
	emul_mmx_enter(e->xstate);
	mmx_set(e, modrm_rm(e), s->stub.mm[0]);
	return EMUL_OK;
}

EXECUTE(simd_shift)
{
	unsigned how = modrm_reg_field(e), prefix = simd_prefix(e);
	unsigned opcode = shift_by_register(e->d->opcode, how);
	bool by_bytes = e->d->opcode == GROUP_QUADS && prefix == 1 &&
			(how == SHIFT_LEFT_BYTES || how == SHIFT_RIGHT_BYTES);
	struct simd s;
	int number;

	/* A row of the same operands stands in for a shift by bytes. */
	number = emul_simd_find(1, prefix, by_bytes ? 0xd1 : opcode);
	if (e->d->is_memory || number < 0)
		return raise_ud(e);
	memset(&s.stub, 0, sizeof(s.stub));
	s.number = (unsigned)number;
	s.row = &emul_simd_rows[number];
	s.form = e->d->is_vex ? 2U + 2U * e->d->vex_l : 0;
	if (!(s.row->forms >> s.form & 1) ||
	    !features_suffice(e, s.row, e->d->vex_l))
		return raise_ud(e);
	if (s.row->shape == SIMD_MM)
		return shift_mmx(e, &s);
	return shift_vector(e, &s, how);
}
