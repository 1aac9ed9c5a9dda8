/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XMM and YMM registers, which live in the XSAVE area, and vectors in memory,
 * for those who execute vector instructions.
 *
 * References: SDM volume 2, "AVX Exception Types"; volume 1, "XSAVE-Managed
 * State".
 */
#ifndef BULKHEAD_EMULATE_VECTOR_H
#define BULKHEAD_EMULATE_VECTOR_H

#include "emulate/memory.h"
#include "emulate/stubs.h"

/* How a memory operand is to be aligned. */
#define UNALIGNED      0
#define ALIGNED	       1
/* SSE's operands other than of MOVU*: aligned; AVX's are not. */
#define SSE_ALIGNED(e) ((e)->d->is_vex ? UNALIGNED : ALIGNED)

/* Whether vector instructions are to be had, and their registers. */
enum emul_status emul_vector_begin(struct emul *e);

static inline unsigned vector_size(const struct emul *e)
{
	return e->d->is_vex && e->d->vex_l ? 32 : 16;
}

static inline void register_get(const struct emul *e, unsigned reg,
				struct vector *v)
{
	__builtin_memcpy(&v->q[0], e->xstate->xmm[reg], 16);
	if (e->d->is_vex)
		__builtin_memcpy(&v->q[2], e->xstate->ymm_high[reg], 16);
	else
		v->q[2] = v->q[3] = 0;
}

/* VEX clears what is above the result, SSE leaves it. */
static inline void register_set(struct emul *e, unsigned reg, struct vector *v)
{
	__builtin_memcpy(e->xstate->xmm[reg], &v->q[0], 16);
	if (e->d->is_vex) {
		if (vector_size(e) == 16)
			v->q[2] = v->q[3] = 0;
		__builtin_memcpy(e->xstate->ymm_high[reg], &v->q[2], 16);
	}
	e->state->dirty |= X86_GROUP_XSTATE;
}

static inline enum emul_status memory_prepare(struct emul *e, unsigned size,
					      uint32_t access, bool aligned)
{
	uint64_t linear;

	if (aligned && is_misaligned(e, size))
		return raise_gp0(e);
	TRY(linear_of(e, e->d->segment, e->offset, size, access, &linear));
	return access_prepare(e, linear, size, access | e->user_access,
			      &e->access);
}

static inline enum emul_status memory_get(struct emul *e, struct vector *v,
					  unsigned size, bool aligned)
{
	TRY(memory_prepare(e, size, ACCESS_READ, aligned));
	v->q[2] = v->q[3] = 0;
	if (likely(e->access.host && size == 16)) {
		__builtin_memcpy(v, e->access.host, 16);
		return EMUL_OK;
	}
	v->q[0] = v->q[1] = 0;
	return emul_access_read(e, &e->access, v, size);
}

static inline enum emul_status
memory_put(struct emul *e, const struct vector *v, unsigned size, bool aligned)
{
	TRY(memory_prepare(e, size, ACCESS_WRITE, aligned));
	if (likely(e->access.host && size == 16)) {
		__builtin_memcpy(e->access.host, v, 16);
		return EMUL_OK;
	}
	return emul_access_write(e, &e->access, v, size);
}

/* The r/m operand as a source; from memory only size bytes. */
static inline enum emul_status source_get(struct emul *e, struct vector *v,
					  unsigned size, bool aligned)
{
	if (e->d->is_memory)
		return memory_get(e, v, size, aligned);
	register_get(e, modrm_rm(e), v);
	return EMUL_OK;
}

#endif
