/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instruction from bytes to write-back: decode, load operands, execute,
 * store, and only then move RIP and RFLAGS.  docs/emulator.md follows an
 * instruction on this way.
 *
 * Not modelled: performance counters.
 *
 * References: SDM volumes 1 to 3; APM volumes 1 to 3.
 */
#include "emulate/breakpoint.h"
#include "emulate/decode.h"
#include "emulate/execute.h"
#include "emulate/operand.h"

const uint64_t emul_size_masks[9] = {
	[1] = UINT8_MAX,
	[2] = UINT16_MAX,
	[4] = UINT32_MAX,
	[8] = UINT64_MAX,
};

#define PHYSICAL_BITS_DEFAULT 48

void emul_init(struct emul *e, struct x86_state *state,
	       const struct emul_ops *ops, void *ctx)
{
	memset(e, 0, sizeof(*e));
	e->state = state;
	e->ops = ops;
	e->ctx = ctx;
	e->features = EMUL_FEATURE_ALL;
	e->physical_bits = PHYSICAL_BITS_DEFAULT;
	e->d = &e->own;
	e->breaks_at_code = true;
	emul_forget(e);
}

enum emul_status emul_raise(struct emul *e, unsigned vector)
{
	e->fault = (struct emul_fault){ .vector = (uint8_t)vector };
	return EMUL_FAULT;
}

/* The EXT bit of selector error codes: not caused by the program itself. */
#define ERROR_EXT BIT(0)

enum emul_status emul_raise_code(struct emul *e, unsigned vector,
				 uint32_t error_code)
{
	if (e->is_external && vector >= X86_VECTOR_TS &&
	    vector <= X86_VECTOR_GP)
		error_code |= ERROR_EXT;
	e->fault = (struct emul_fault){
		.vector = (uint8_t)vector,
		.has_error_code = true,
		.error_code = error_code,
	};
	return EMUL_FAULT;
}

void emul_forget(struct emul *e)
{
	memset(e->cached, 0, sizeof(e->cached));
	memset(e->walked, 0, sizeof(e->walked));
	/* No walk's, for that slot is of data. */
	for (unsigned i = 0; i < EMUL_CACHED; i++)
		e->cached[i].walked = e->walked;
	emul_mode_work_out(e);
}

/* A lost race leaves nothing behind but the flags that were worked out. */
#define LOCK_TRIES 1000

static enum emul_status execute_again(struct emul *e)
{
	enum emul_status status = EMUL_AGAIN;

	for (unsigned i = 0; i < LOCK_TRIES && status == EMUL_AGAIN; i++) {
		e->flags = e->state->rflags;
		TRY(emul_operands_load(e));
		status = e->d->row->execute(e);
		if (status == EMUL_OK && e->d->store)
			status = emul_dst_store(e);
	}
	return status == EMUL_AGAIN ? EMUL_RETRY : status;
}

/* What is due after an instruction with TF, RF or a shadow. */
static void retire_rare(struct emul *e)
{
	struct x86_state *s = e->state;

	e->events |= e->breaks_held;
	e->breaks_held = 0;
	if (e->shadow == X86_SHADOW_MOVSS) {
		e->breaks_held = e->events & EMUL_EVENT_BREAKPOINTS;
		e->events &= ~(uint32_t)EMUL_EVENT_BREAKPOINTS;
	}
	if (s->interrupt_shadow != e->shadow) {
		s->interrupt_shadow = e->shadow;
		s->dirty |= X86_GROUP_SEGMENTS;
	}
	/* The trap waits for MOV SS's shadow to pass. */
	if (s->rflags & X86_FLAG_TF && e->shadow != X86_SHADOW_MOVSS &&
	    !e->is_task_switched)
		e->events |= EMUL_EVENT_SINGLE_STEP;
	if (!e->keep_rf)
		e->flags &= ~X86_FLAG_RF;
}

static inline void retire(struct emul *e)
{
	struct x86_state *s = e->state;

	if (unlikely(s->interrupt_shadow | e->rare |
		     (s->rflags & (X86_FLAG_TF | X86_FLAG_RF))))
		retire_rare(e);
	s->rip = e->next_rip;
	s->rflags = e->flags;
}

/* Bytes that are all at hand, into the cache. */
static __noinline enum emul_status decode_whole(struct emul *e,
						struct emul_cached *cached,
						uint64_t low, uint64_t high)
{
	struct decoder c;
	unsigned length;

	cached->mode = 0;
	decode_reset(e, &cached->decoded);
	fetch_whole(e, low, high);
	TRY(decode_body(e, &c));
	length = e->d->length;
	cached->mask[0] = length >= 8 ? UINT64_MAX : BIT(8 * length) - 1;
	cached->mask[1] = length > 8 ? BIT(8 * (length - 8)) - 1 : 0;
	cached->bytes[0] = low & cached->mask[0];
	cached->bytes[1] = high & cached->mask[1];
	cached->mode = e->cache_mode;
	return EMUL_OK;
}

static inline bool cache_holds(const struct emul *e,
			       const struct emul_cached *c, uint64_t low,
			       uint64_t high)
{
	return (low & c->mask[0]) == c->bytes[0] &&
	       (high & c->mask[1]) == c->bytes[1] && c->mode == e->cache_mode;
}

/* Code outside the first window, or at the end of a page or segment. */
static __noinline enum emul_status decode_elsewhere(struct emul *e,
						    struct emul_cached *cached)
{
	const ram64_t *host;
	struct decoder c;
	uint64_t low, high;

	if (!fetch_find(e, &host, true)) {
		decode_reset(e, &e->own);
		return decode_body(e, &c);
	}
	low = ((const volatile ram64_t *)host)[0];
	high = ((const volatile ram64_t *)host)[1];
	if (!cache_holds(e, cached, low, high))
		return decode_whole(e, cached, low, high);
	e->d = &cached->decoded;
	return EMUL_OK;
}

/* CS's base and limit may be unknown in 64-bit mode, where they do not count.
 */
static __always_inline bool may_fetch_again(const struct emul *e)
{
	if (likely(e->mode & MODE_64))
		return !e->user_access;
	return e->mode & MODE_PAGING && rip_is_linear(e->state);
}

static __always_inline bool
fetch_quick(struct emul *e, const struct emul_cached *c, const ram64_t **host)
{
	if (!may_fetch_again(e))
		return fetch_find(e, host, false);
	*host = fetch_again(e->state, c);
	if (likely(*host))
		return true;
	if (!fetch_find(e, host, false))
		return false;
	fetch_remember(e, *host);
	return true;
}

/*
 * From the cache if the bytes are still those; RIP chooses.  is_exit: a guest
 * is likely to come here again, before many others.  Whatever slot that is,
 * what it holds is compared.
 */
static __always_inline enum emul_status step_decode(struct emul *e,
						    const bool is_exit)
{
	uint64_t rip = e->state->rip;
	struct emul_cached *c =
		&e->cached[is_exit ? cached_slot(rip) : rip % EMUL_CACHED];
	const ram64_t *host;
	uint64_t low, high;

	/* One address, worked out once: GCC would do it thrice. */
	__asm__("" : "+r"(c));
	if (likely(is_exit ? fetch_quick(e, c, &host)
			   : fetch_find(e, &host, false))) {
		low = ((const volatile ram64_t *)host)[0];
		high = ((const volatile ram64_t *)host)[1];
		if (likely(cache_holds(e, c, low, high)))
			e->d = &c->decoded;
		else
			TRY(decode_whole(e, c, low, high));
	} else {
		TRY(decode_elsewhere(e, c));
	}
	decode_finish(e);
	if (unlikely(e->d->is_checked))
		return emul_decode_check(e, e->d->row);
	return EMUL_OK;
}

/* The bytes, for the report: from the cache they have not been copied. */
static void step_name_bytes(struct emul *e)
{
	e->insn_length = 0;
	if (emul_decode_parse(e) == EMUL_OK)
		e->insn_length = e->d->length;
	else
		e->insn_length = e->available;
}

/* A mode that is not that of the step before. */
static __noinline enum emul_status step_begin(struct emul *e)
{
	emul_mode_work_out(e);
	return unlikely(e->may_break) ? emul_break_begin(e) : EMUL_OK;
}

enum emul_status emul_step(struct emul *e)
{
	struct x86_state *s = e->state;
	enum emul_status status;

	if (unlikely((s->valid & X86_GROUPS_COMMON) != X86_GROUPS_COMMON))
		TRY(emul_state_need(e, X86_GROUPS_COMMON));
	e->per_step = 0;
	if (unlikely(!mode_is_known(e)))
		TRY(step_begin(e));
	e->flags = s->rflags;
	status = step_decode(e, false);
	if (unlikely(status != EMUL_OK))
		goto out;
	status = operands_load(e);
	if (unlikely(status != EMUL_OK))
		goto out;
	status = e->d->row->execute(e);
	if (likely(status == EMUL_OK) && e->d->store) {
		if (e->d->store == STORE_REGISTER)
			s->gpr[e->d->dst_register] =
				e->dst & size_mask(e->d->size);
		else if (e->d->store != STORE_MEMORY)
			status = emul_dst_store(e);
		else if (likely(e->access.host))
			ram_store(e->access.host, e->dst, e->d->size);
		else
			status = emul_store_device(e);
	}
	if (unlikely(status == EMUL_AGAIN))
		status = execute_again(e);
	if (likely(status == EMUL_OK)) {
		retire(e);
		return EMUL_OK;
	}
out:
	e->breaks_held = 0;
	if (status == EMUL_UNHANDLED)
		step_name_bytes(e);
	return status;
}

/* ---- Devices ------------------------------------------------------------ */

#define PAGE_OFFSET (PAGE_SIZE - 1)

/*
 * Whether the memory operand is what led to gpa.  A MOV has but one, so that
 * its place in the page tells: what processors check of tables and alignment
 * comes before they find that nothing is mapped there.  Segments' limits and
 * rights, too, but not on simulators, where nobody else looks at them.
 */
static inline bool is_operand_at(const struct emul *e, uint64_t gpa,
				 unsigned size)
{
	const struct x86_state *s = e->state;
	uint64_t linear = e->offset;

	if (e->d->row->execute != execute_mov)
		return false;
	if (unlikely(!mode_is_64(e) || e->d->segment >= X86_FS)) {
		const struct x86_segment *seg = &s->seg[e->d->segment];

		if (!(s->valid & X86_GROUP_SEGMENTS) ||
		    (!mode_is_64(e) &&
		     !emul_segment_is_plain(seg, linear + size - 1)))
			return false;
		linear += seg->base;
	}
	return !((linear ^ gpa) & PAGE_OFFSET) &&
	       (gpa & PAGE_OFFSET) + size <= PAGE_SIZE;
}

static inline enum emul_status device_load(struct emul *e, uint64_t gpa)
{
	const struct emul_decoded *d = e->d;

	e->dst = 0;
	TRY(e->ops->mmio_read(e->ctx, gpa, &e->dst, d->src_size));
	if (unlikely(d->store != STORE_REGISTER))
		return emul_dst_store(e);
	e->state->gpr[d->dst_register] = e->dst & size_mask(d->size);
	return EMUL_OK;
}

static inline enum emul_status device_store(struct emul *e, uint64_t gpa)
{
	const struct emul_decoded *d = e->d;

	e->src = d->src_place == PLACE_REGISTER ? e->state->gpr[d->src_register]
						: (uint64_t)d->immediate;
	return e->ops->mmio_write(e->ctx, gpa, &e->src, d->size);
}

/* EMUL_AGAIN: it is not so plain. */
static inline enum emul_status device_mov(struct emul *e, uint64_t gpa,
					  bool is_write)
{
	const struct emul_decoded *d = e->d;

	if (!is_write && d->src_place == PLACE_MEMORY &&
	    is_operand_at(e, gpa, d->src_size))
		return device_load(e, gpa);
	if (is_write && d->dst_place == PLACE_MEMORY &&
	    (d->src_place == PLACE_REGISTER ||
	     d->src_place == PLACE_IMMEDIATE) &&
	    is_operand_at(e, gpa, d->size))
		return device_store(e, gpa);
	return EMUL_AGAIN;
}

enum emul_status emul_step_device(struct emul *e, uint64_t gpa, bool is_write)
{
	struct x86_state *s = e->state;
	enum emul_status status;

	if (unlikely(!(s->valid & X86_GROUP_FETCH)))
		return emul_step(e);
	/* A mode that is known has neither breakpoints nor alignment checks. */
	if (unlikely(!mode_is_known(e))) {
		emul_mode_work_out(e);
		if (e->mode & (MODE_ALIGN | MODE_WATCH) || e->may_break)
			return emul_step(e);
	}
	if (unlikely((s->valid & X86_GROUP_SEGMENTS && s->interrupt_shadow) ||
		     s->rflags & (X86_FLAG_TF | X86_FLAG_RF)))
		return emul_step(e);
	e->per_step = 0;
	if (unlikely(step_decode(e, true) != EMUL_OK))
		return emul_step(e);
	status = device_mov(e, gpa, is_write);
	if (unlikely(status == EMUL_AGAIN))
		return emul_step(e);
	if (likely(status == EMUL_OK))
		s->rip = e->next_rip;
	return status;
}
