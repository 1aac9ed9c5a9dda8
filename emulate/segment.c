/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor tables, loading segment registers with all checks, and stacks of
 * inner privilege levels.
 *
 * Not modelled: shadow stacks.  MOV and POP of a null selector clear the base,
 * as on Intel's processors and those of AMD's with NullSelectClearsBase.
 *
 * References: SDM volume 3, "Protection", "Segment Registers"; volume 2,
 * "MOV"; APM volume 2, "Segmented Virtual Memory".
 */
#include "emulate/segment.h"

#include "emulate/breakpoint.h"

enum emul_status emul_descriptor_read(struct emul *e, uint16_t selector,
				      unsigned vector,
				      struct emul_descriptor *desc)
{
	const struct x86_state *s = e->state;
	uint64_t base = s->gdtr.base;
	uint32_t limit = s->gdtr.limit;
	unsigned index = selector & SELECTOR_INDEX;

	TRY(emul_state_need(e, X86_GROUP_TABLES));
	base = s->gdtr.base;
	limit = s->gdtr.limit;
	if (selector & SELECTOR_TI) {
		base = s->ldtr.base;
		limit = s->ldtr.limit;
		if (!(s->ldtr.attributes & X86_ATTR_P))
			return emul_raise_code(e, vector,
					       selector_code(selector));
	}
	if (index + 7 > limit)
		return emul_raise_code(e, vector, selector_code(selector));
	desc->linear = base + index;
	desc->high = 0;
	return emul_system_read(e, desc->linear, &desc->raw, 8);
}

enum emul_status emul_descriptor_high(struct emul *e, uint16_t selector,
				      unsigned vector,
				      struct emul_descriptor *desc)
{
	const struct x86_state *s = e->state;
	uint32_t limit = selector & SELECTOR_TI ? s->ldtr.limit : s->gdtr.limit;

	if (!(e->mode & MODE_LONG))
		return EMUL_OK;
	if ((selector & SELECTOR_INDEX) + 15U > limit)
		return emul_raise_code(e, vector, selector_code(selector));
	TRY(emul_system_read(e, desc->linear + 8, &desc->high, 8));
	/* Type and S bit of the upper half must be zero. */
	if (desc->high & (DESC_TYPE | DESC_S))
		return emul_raise_code(e, vector, selector_code(selector));
	return EMUL_OK;
}

enum emul_status emul_descriptor_write(struct emul *e,
				       const struct emul_descriptor *desc)
{
	uint8_t byte = (uint8_t)(desc->raw >> 40);

	return emul_system_write(e, desc->linear + 5, &byte, 1);
}

enum emul_status emul_descriptor_accessed(struct emul *e,
					  struct emul_descriptor *desc)
{
	if (desc->raw & DESC_ACCESSED)
		return EMUL_OK;
	desc->raw |= DESC_ACCESSED;
	return emul_descriptor_write(e, desc);
}

#define DESC_LIMIT_LOW	MASK(15, 0)
#define DESC_LIMIT_HIGH MASK(51, 48)
#define DESC_BASE_LOW	MASK(39, 16)
#define DESC_BASE_HIGH	MASK(63, 56)
#define DESC_ATTR_LOW	MASK(47, 40)
#define DESC_ATTR_HIGH	MASK(55, 52)

void emul_segment_unpack(struct x86_segment *seg, uint16_t selector,
			 uint64_t raw)
{
	uint32_t limit = (uint32_t)(FIELD_GET(DESC_LIMIT_LOW, raw) |
				    FIELD_GET(DESC_LIMIT_HIGH, raw) << 16);

	if (raw & DESC_G)
		limit = limit << 12 | 0xfff;
	seg->selector = selector;
	seg->limit = limit;
	seg->base = FIELD_GET(DESC_BASE_LOW, raw) |
		    FIELD_GET(DESC_BASE_HIGH, raw) << 24;
	seg->attributes = (uint16_t)(FIELD_GET(DESC_ATTR_LOW, raw) |
				     FIELD_GET(DESC_ATTR_HIGH, raw) << 8);
}

void emul_segment_null(struct x86_segment *seg, uint16_t selector)
{
	*seg = (struct x86_segment){ .selector = selector };
}

#define ATTR_V86                                                      \
	(X86_ATTR_P | X86_ATTR_DPL | X86_ATTR_S | X86_ATTR_WRITABLE | \
	 X86_ATTR_ACCESSED)

void emul_segment_v86(struct x86_segment *seg, uint16_t selector)
{
	seg->selector = selector;
	seg->base = (uint32_t)selector << 4;
	seg->limit = UINT16_MAX;
	seg->attributes = ATTR_V86;
}

/* Real mode keeps limit and attributes: "unreal" mode lives on it. */
static void segment_real(struct emul *e, struct x86_segment *seg,
			 uint16_t selector)
{
	if (e->mode & MODE_V86) {
		emul_segment_v86(seg, selector);
		return;
	}
	seg->selector = selector;
	seg->base = (uint32_t)selector << 4;
}

void emul_code_real(struct emul *e, uint16_t selector)
{
	segment_real(e, &e->state->seg[X86_CS], selector);
	e->state->dirty |= X86_GROUP_SEGMENTS;
}

static enum emul_status segment_load_null(struct emul *e, unsigned seg,
					  uint16_t selector)
{
	struct x86_segment *to = &e->state->seg[seg];
	unsigned cpl = cpl_get(e);

	if (seg != X86_SS) {
		emul_segment_null(to, selector);
		return EMUL_OK;
	}
	if (!mode_is_64(e) || cpl == 3 || (selector & SELECTOR_RPL) != cpl)
		return raise_gp0(e);
	emul_segment_null(to, selector);
	to->attributes = (uint16_t)FIELD_PUT(X86_ATTR_DPL, cpl);
	return EMUL_OK;
}

enum emul_status emul_stack_segment(struct emul *e, uint16_t selector,
				    unsigned cpl, unsigned vector,
				    struct x86_segment *ss)
{
	uint32_t code = selector_code(selector);
	struct emul_descriptor desc;

	if (selector_is_null(selector))
		return emul_raise_code(e, vector, 0);
	TRY(emul_descriptor_read(e, selector, vector, &desc));
	if ((selector & SELECTOR_RPL) != cpl || desc_dpl(desc.raw) != cpl ||
	    !(desc.raw & DESC_S) || desc.raw & DESC_CODE ||
	    !(desc.raw & DESC_WRITABLE))
		return emul_raise_code(e, vector, code);
	if (!(desc.raw & DESC_P))
		return emul_raise_code(e, X86_VECTOR_SS, code);
	TRY(emul_descriptor_accessed(e, &desc));
	emul_segment_unpack(ss, selector, desc.raw);
	return EMUL_OK;
}

static enum emul_status data_load(struct emul *e, unsigned seg,
				  uint16_t selector, unsigned vector)
{
	uint32_t code = selector_code(selector);
	unsigned rpl = selector & SELECTOR_RPL, dpl;
	struct emul_descriptor desc;

	TRY(emul_descriptor_read(e, selector, vector, &desc));
	dpl = desc_dpl(desc.raw);
	if (!(desc.raw & DESC_S) ||
	    (desc_is_code(desc.raw) && !(desc.raw & DESC_READABLE)))
		return emul_raise_code(e, vector, code);
	if (!(desc_is_code(desc.raw) && desc.raw & DESC_CONFORM) &&
	    (rpl > dpl || cpl_get(e) > dpl))
		return emul_raise_code(e, vector, code);
	if (!(desc.raw & DESC_P))
		return emul_raise_code(e, X86_VECTOR_NP, code);
	TRY(emul_descriptor_accessed(e, &desc));
	emul_segment_unpack(&e->state->seg[seg], selector, desc.raw);
	return EMUL_OK;
}

enum emul_status emul_data_segment(struct emul *e, unsigned seg,
				   uint16_t selector)
{
	if (selector_is_null(selector))
		return EMUL_OK;
	return data_load(e, seg, selector, X86_VECTOR_TS);
}

enum emul_status emul_segment_load(struct emul *e, unsigned seg,
				   uint16_t selector)
{
	struct x86_state *s = e->state;

	s->dirty |= X86_GROUP_SEGMENTS;
	if (!mode_is_protected(e)) {
		segment_real(e, &s->seg[seg], selector);
		return EMUL_OK;
	}
	if (selector_is_null(selector))
		return segment_load_null(e, seg, selector);
	if (seg == X86_SS)
		return emul_stack_segment(e, selector, cpl_get(e),
					  X86_VECTOR_GP, &s->seg[seg]);
	return data_load(e, seg, selector, X86_VECTOR_GP);
}

enum emul_status emul_code_load(struct emul *e, uint16_t selector,
				struct emul_descriptor *desc, unsigned cpl,
				uint64_t rip)
{
	struct x86_segment cs;

	emul_segment_unpack(&cs, (selector & ~SELECTOR_RPL) | cpl, desc->raw);
	if (e->mode & MODE_LONG && cs.attributes & X86_ATTR_L) {
		if (cs.attributes & X86_ATTR_DB)
			return emul_raise_code(e, X86_VECTOR_GP,
					       selector_code(selector));
		if (!is_canonical(e, rip))
			return raise_gp0(e);
	} else {
		/* Of 64 bits Intel's processors look at 32. */
		if (e->features & EMUL_FEATURE_INTEL)
			rip = (uint32_t)rip;
		if (rip > cs.limit)
			return raise_gp0(e);
	}
	TRY(emul_descriptor_accessed(e, desc));
	cs.attributes |= X86_ATTR_ACCESSED;
	e->state->seg[X86_CS] = cs;
	e->state->cpl = (uint8_t)cpl;
	e->state->dirty |= X86_GROUP_SEGMENTS;
	e->next_rip = rip;
	return EMUL_OK;
}

/* Stacks */

void emul_stack_width(struct emul_stack *st, bool is_64)
{
	st->is_64 = is_64;
	if (is_64)
		st->mask = UINT64_MAX;
	else if (st->ss.attributes & X86_ATTR_DB)
		st->mask = UINT32_MAX;
	else
		st->mask = UINT16_MAX;
}

void emul_stack_current(struct emul *e, struct emul_stack *st)
{
	st->ss = e->state->seg[X86_SS];
	st->rsp = e->state->gpr[X86_RSP];
	st->access = e->user_access;
	st->error_code = 0;
	emul_stack_width(st, mode_is_64(e));
}

static bool stack_allows(const struct emul_stack *st, uint64_t first,
			 uint64_t last, bool is_protected)
{
	if (is_protected && st->ss.attributes & X86_ATTR_EXPAND)
		return first > st->ss.limit &&
		       last <= (st->ss.attributes & X86_ATTR_DB ? UINT32_MAX
								: UINT16_MAX);
	return last <= st->ss.limit;
}

enum emul_status emul_stack_push(struct emul *e, struct emul_stack *st,
				 uint64_t value, unsigned size)
{
	uint64_t at = (st->rsp - size) & st->mask, linear = at;
	struct emul_access a;
	uint32_t user = e->user_access;
	enum emul_status status;

	if (st->is_64) {
		if (!is_canonical(e, at) || !is_canonical(e, at + size - 1))
			return emul_raise_code(e, X86_VECTOR_SS,
					       st->error_code);
	} else {
		if (!stack_allows(st, at, at + size - 1, mode_is_protected(e)))
			return emul_raise_code(e, X86_VECTOR_SS,
					       st->error_code);
		linear = (uint32_t)(st->ss.base + at);
	}
	e->user_access = st->access;
	status = emul_access_prepare(e, linear, size, ACCESS_WRITE, &a);
	e->user_access = user;
	if (status == EMUL_OK)
		status = emul_access_write(e, &a, &value, size);
	if (status == EMUL_OK && unlikely(e->mode & MODE_WATCH))
		emul_watch_access(e, linear, size, true);
	if (status == EMUL_OK)
		st->rsp = (st->rsp & ~st->mask) | at;
	return status;
}

void emul_stack_commit(struct emul *e, const struct emul_stack *st)
{
	e->state->seg[X86_SS] = st->ss;
	e->state->gpr[X86_RSP] = st->rsp;
	e->state->dirty |= X86_GROUP_SEGMENTS;
}

#define TSS32_STACKS 4
#define TSS16_STACKS 2
#define TSS64_STACKS 4
#define TSS64_IST    0x24

enum emul_status emul_stack_inner(struct emul *e, unsigned cpl,
				  struct emul_stack *st)
{
	const struct x86_segment *tr = &e->state->tr;
	uint32_t at, sp = 0, code = selector_code(tr->selector);
	bool is_32;
	uint16_t selector;

	TRY(emul_state_need(e, X86_GROUP_TABLES));
	code = selector_code(tr->selector);
	is_32 = tr->attributes & BIT(3);
	at = is_32 ? TSS32_STACKS + 8 * cpl : TSS16_STACKS + 4 * cpl;
	if (at + (is_32 ? 5 : 3) > tr->limit)
		return emul_raise_code(e, X86_VECTOR_TS, code);
	TRY(emul_system_read(e, tr->base + at, &sp, is_32 ? 4 : 2));
	TRY(emul_system_read(e, tr->base + at + (is_32 ? 4 : 2), &selector, 2));
	TRY(emul_stack_segment(e, selector, cpl, X86_VECTOR_TS, &st->ss));
	st->rsp = sp;
	st->access = cpl == 3 ? EMUL_ACCESS_USER : 0;
	st->error_code = selector_code(selector);
	emul_stack_width(st, false);
	return EMUL_OK;
}

enum emul_status emul_stack_inner64(struct emul *e, unsigned cpl, unsigned ist,
				    struct emul_stack *st)
{
	const struct x86_segment *tr = &e->state->tr;
	uint32_t at = ist ? TSS64_IST + 8 * (ist - 1) : TSS64_STACKS + 8 * cpl;

	TRY(emul_state_need(e, X86_GROUP_TABLES));
	if (at + 7 > tr->limit)
		return emul_raise_code(e, X86_VECTOR_TS,
				       selector_code(tr->selector));
	TRY(emul_system_read(e, tr->base + at, &st->rsp, 8));
	if (!is_canonical(e, st->rsp))
		return emul_raise_code(e, X86_VECTOR_SS, 0);
	emul_segment_null(&st->ss, (uint16_t)cpl);
	st->ss.attributes = (uint16_t)FIELD_PUT(X86_ATTR_DPL, cpl);
	st->access = cpl == 3 ? EMUL_ACCESS_USER : 0;
	st->error_code = 0;
	emul_stack_width(st, true);
	return EMUL_OK;
}

/*
 * Data and non-conforming code of an inner level, and what is null already.
 * A null segment has no DPL to look at.  The hidden base stays, as FS's and
 * GS's must in 64-bit mode, where they are no segment's.
 */
static bool segment_survives(const struct x86_segment *seg, unsigned cpl)
{
	const uint16_t conforming = X86_ATTR_CODE | X86_ATTR_CONFORM;

	if (selector_is_null(seg->selector) || !(seg->attributes & X86_ATTR_P))
		return false;
	return (seg->attributes & conforming) == conforming ||
	       FIELD_GET(X86_ATTR_DPL, seg->attributes) >= cpl;
}

void emul_segments_drop(struct emul *e)
{
	static const uint8_t data[4] = { X86_ES, X86_DS, X86_FS, X86_GS };
	unsigned cpl = cpl_get(e);

	for (unsigned i = 0; i < ARRAY_SIZE(data); i++) {
		struct x86_segment *seg = &e->state->seg[data[i]];

		if (segment_survives(seg, cpl))
			continue;
		seg->selector = 0;
		seg->attributes = 0;
	}
	e->state->dirty |= X86_GROUP_SEGMENTS;
}
