/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operands, as emul_step() inlines them: from a row's kinds and widths to
 * values in emul.src and emul.dst, and the result back to where it belongs.
 */
#ifndef BULKHEAD_EMULATE_OPERAND_H
#define BULKHEAD_EMULATE_OPERAND_H

#include "emulate/memory.h"

/* The rarer kinds of source. */
enum emul_status emul_src_other(struct emul *e);
/* A load that is not of plain RAM of one page. */
enum emul_status emul_load_other(struct emul *e, unsigned size,
				 uint64_t *value);
/* A store that is not to plain RAM of one page. */
enum emul_status emul_store_device(struct emul *e);
/* The same, or locked. */
enum emul_status emul_store_other(struct emul *e);

static __always_inline enum emul_status
memory_prepare(struct emul *e, unsigned size, uint32_t access)
{
	uint64_t linear;

	TRY(linear_of(e, e->d->segment, e->offset, size, access, &linear));
	return access_prepare(e, linear, size, access | e->user_access,
			      &e->access);
}

static __always_inline enum emul_status
memory_load(struct emul *e, unsigned size, uint64_t *value)
{
	if (likely(e->access.host)) {
		*value = ram_load(e->access.host, size);
		return EMUL_OK;
	}
	*value = 0;
	return emul_load_other(e, size, value);
}

static __always_inline enum emul_status src_load(struct emul *e)
{
	const struct emul_decoded *d = e->d;

	if (likely(d->src_place == PLACE_REGISTER)) {
		e->src = gpr_get(e, d->src_register, d->src_size);
		return EMUL_OK;
	}
	if (d->src_place == PLACE_IMMEDIATE) {
		e->src = (uint64_t)d->immediate;
		return EMUL_OK;
	}
	if (unlikely(d->src_place == PLACE_OTHER))
		return emul_src_other(e);
	TRY(memory_prepare(e, d->src_size, ACCESS_READ));
	return memory_load(e, d->src_size, &e->src);
}

static __always_inline enum emul_status dst_load(struct emul *e)
{
	const struct emul_decoded *d = e->d;

	if (d->dst_place == PLACE_REGISTER) {
		e->dst = gpr_get(e, d->dst_register, d->size);
	} else if (likely(d->dst_place == PLACE_MEMORY)) {
		if (!(d->dst_access & DST_PREPARE))
			return EMUL_OK;
		TRY(memory_prepare(e, d->size, d->dst_access & DST_WRITE));
		if (!(d->dst_access & DST_LOAD))
			return EMUL_OK;
		TRY(memory_load(e, d->size, &e->dst));
	} else {
		e->dst = *gpr_byte(e, d->dst_register);
	}
	e->old = e->dst;
	return EMUL_OK;
}

static __always_inline enum emul_status operands_load(struct emul *e)
{
	if (e->d->src_place)
		TRY(src_load(e));
	if (e->d->dst_place)
		TRY(dst_load(e));
	return EMUL_OK;
}

static __always_inline enum emul_status memory_store(struct emul *e)
{
	if (unlikely(!e->access.host || e->d->is_locked))
		return emul_store_other(e);
	ram_store(e->access.host, e->dst, e->d->size);
	return EMUL_OK;
}

static __always_inline enum emul_status dst_store(struct emul *e)
{
	const struct emul_decoded *d = e->d;

	if (d->dst_place == PLACE_MEMORY)
		return memory_store(e);
	if (d->dst_place == PLACE_REGISTER)
		gpr_set(e, d->dst_register, e->dst, d->size);
	else
		*gpr_byte(e, d->dst_register) = (uint8_t)e->dst;
	return EMUL_OK;
}

#endif
