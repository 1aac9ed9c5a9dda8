/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data accesses, as the hot paths inline them: the plain case here, all
 * others in memory.c.
 */
#ifndef BULKHEAD_EMULATE_MEMORY_H
#define BULKHEAD_EMULATE_MEMORY_H

#include "emulate/walk.h"

/* Anything but an aligned access within a plain writable data segment. */
enum emul_status emul_linear_other(struct emul *e, unsigned seg,
				   uint64_t offset, unsigned size,
				   uint32_t access, uint64_t *linear);
/* An access over two pages. */
enum emul_status emul_access_prepare_two(struct emul *e, uint64_t linear,
					 unsigned size, uint32_t access,
					 struct emul_access *a);

/* Writable data that reaches to last. */
static __always_inline bool emul_segment_is_plain(const struct x86_segment *s,
						  uint64_t last)
{
	const uint64_t plain = X86_ATTR_P | X86_ATTR_WRITABLE;

	return (s->attributes & (plain | X86_ATTR_CODE | X86_ATTR_EXPAND)) ==
		       plain &&
	       last <= s->limit;
}

static __always_inline enum emul_status
linear_of(struct emul *e, unsigned seg, uint64_t offset, unsigned size,
	  uint32_t access, uint64_t *linear)
{
	const struct x86_segment *s = &e->state->seg[seg];

	if (e->mode & MODE_64) {
		if (seg >= X86_FS)
			offset += s->base;
		/* Either half, and no end near its top. */
		if (likely(offset + BIT(47) < BIT(48) - PAGE_SIZE &&
			   offset < -PAGE_SIZE &&
			   !(e->mode & (MODE_ALIGN | MODE_WATCH)))) {
			*linear = offset;
			return EMUL_OK;
		}
		if (seg >= X86_FS)
			offset -= s->base;
	} else if (likely(emul_segment_is_plain(s, offset + size - 1) &&
			  !(e->mode & (MODE_ALIGN | MODE_WATCH)))) {
		*linear = (uint32_t)(s->base + offset);
		return EMUL_OK;
	}
	return emul_linear_other(e, seg, offset, size, access, linear);
}

/* access with EMUL_ACCESS_USER as it is to be. */
static __always_inline enum emul_status
access_prepare(struct emul *e, uint64_t linear, unsigned size, uint32_t access,
	       struct emul_access *a)
{
	uint64_t gpa = linear;

	if (unlikely((linear & (PAGE_SIZE - 1)) + size > PAGE_SIZE))
		return emul_access_prepare_two(e, linear, size, access, a);
	if (e->mode & MODE_PAGING && !walk_fast(e, linear, access, &gpa))
		TRY(emul_walk_slow(e, linear, access, &gpa));
	a->host = emul_ram(e, gpa, size, access & ACCESS_WRITE);
	if (unlikely(!a->host)) {
		a->gpa[0] = gpa;
		a->length[0] = size;
		a->length[1] = 0;
	}
	return EMUL_OK;
}

#endif
