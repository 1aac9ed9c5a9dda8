/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware breakpoints: DR0 to DR3 against what an instruction is about to do;
 * and who looks on, a debugger (struct emul_watcher), at the same places.
 *
 * While DR7 enables none, nothing of this is on an instruction's way: the
 * emulator writes DR7 itself, and only then, or with a watcher, is struct
 * emul's may_break set, which has the mode worked out at each step; with
 * may_break_at_data it has MODE_WATCH in it.  That bit sends data accesses and
 * string instructions the slow way.
 *
 * What was met is bits of emul.events at the place of EMUL_EVENT_BREAKPOINTS: a
 * trap behind the instruction, but for instruction breakpoints, which are
 * faults.
 *
 * Not modelled: bits of DR6 for breakpoints that are met but not enabled, which
 * the manual leaves open.
 *
 * References: SDM volume 3, "Debug Registers", "Debug Exception (#DB)",
 * "Masking Exceptions and Interrupts When Switching Stacks".
 */
#include "emulate/breakpoint.h"

#include "emulate/decode.h"

/* DR7's field of breakpoint n: enabled locally or globally, kind, length. */
#define DR7_ENABLES(n) (MASK(1, 0) << 2 * (n))
#define DR7_KIND(n)    (16 + 4 * (n))
#define DR7_LENGTH(n)  (18 + 4 * (n))

enum break_kind { KIND_EXECUTE, KIND_STORE, KIND_PORT, KIND_ACCESS };

/* Bytes by the length field; 8 stands between 2 and 4. */
static const uint8_t lengths[4] = { 1, 2, 8, 4 };

static bool is_on(const struct x86_state *s, unsigned n, unsigned kinds)
{
	return s->dr7 & DR7_ENABLES(n) &&
	       kinds & BIT(s->dr7 >> DR7_KIND(n) & 3);
}

/* Breakpoints of these kinds that overlap [first, first + size). */
static uint32_t meet(const struct emul *e, unsigned kinds, uint64_t first,
		     uint64_t size)
{
	const struct x86_state *s = e->state;
	uint32_t met = 0;

	for (unsigned n = 0; n < ARRAY_SIZE(s->dr); n++) {
		uint64_t length = lengths[s->dr7 >> DR7_LENGTH(n) & 3];
		/* The address is that of a whole item of the length. */
		uint64_t at = s->dr[n] & ~(length - 1);

		if (is_on(s, n, kinds) &&
		    (first - at < length || at - first < size))
			met |= (uint32_t)BIT(n);
	}
	return met;
}

void emul_watch_access(struct emul *e, uint64_t linear, unsigned size,
		       bool is_write)
{
	unsigned kinds = BIT(KIND_ACCESS);

	if (is_write)
		kinds |= BIT(KIND_STORE);
	e->events |= meet(e, kinds, linear, size) * EMUL_EVENT_BREAKPOINT;
	if (e->watcher && e->watcher->access &&
	    e->watcher->access(e->ctx, linear, size, is_write))
		e->events |= EMUL_EVENT_WATCHED;
}

uint32_t emul_port_breakpoints(const struct emul *e, uint16_t port,
			       unsigned size)
{
	if (!(e->state->cr4 & X86_CR4_DE))
		return 0;
	return meet(e, BIT(KIND_PORT), port, size);
}

void emul_watch_port(struct emul *e, uint16_t port, unsigned size)
{
	e->events |=
		emul_port_breakpoints(e, port, size) * EMUL_EVENT_BREAKPOINT;
	if (e->watcher && e->watcher->port &&
	    e->watcher->port(e->ctx, port, size))
		e->events |= EMUL_EVENT_WATCHED;
}

void emul_watch_vector(struct emul *e, unsigned vector,
		       enum emul_event_type type)
{
	if (e->watcher && e->watcher->vector(e->ctx, vector, type))
		e->events |= EMUL_EVENT_WATCHED;
}

void emul_breakpoints_changed(struct emul *e)
{
	const bool has_breakpoints = e->state->dr7 & X86_DR7_ENABLES;

	e->may_break = has_breakpoints || e->watcher;
	e->may_break_at_data =
		has_breakpoints || (e->watcher && e->watcher->access);
	e->mode_cpl = UINT8_MAX; /* MODE_WATCH comes or goes */
}

/* DR7 is looked at before the next instruction. */
void emul_watch(struct emul *e, const struct emul_watcher *watcher)
{
	e->watcher = watcher;
	e->raise_software = watcher; /* one test for both */
	e->may_break = e->may_break_at_data = true;
	e->mode_cpl = UINT8_MAX;
}

static enum emul_status ask_watcher(struct emul *e, uint64_t linear)
{
	switch (e->watcher->before(e->ctx, linear)) {
	case EMUL_WATCH_BEFORE:
		e->events |= EMUL_EVENT_WATCHED;
		return EMUL_RETRY;
	case EMUL_WATCH_AFTER:
		e->events |= EMUL_EVENT_WATCHED;
		break;
	case EMUL_WATCH_GO:
		break;
	}
	return EMUL_OK;
}

enum emul_status emul_break_begin(struct emul *e)
{
	const struct x86_state *s = e->state;
	uint64_t rip = s->rip;
	uint32_t met;

	TRY(emul_state_need(e, X86_GROUP_DEBUG));
	emul_breakpoints_changed(e);
	/* The mode has been worked out for this step, but for what this was. */
	if (!e->may_break || !(e->mode & MODE_WATCH) == e->may_break_at_data)
		emul_mode_work_out(e);
	if (!mode_is_64(e))
		rip = (uint32_t)(s->seg[X86_CS].base + rip);
	if (e->watcher)
		TRY(ask_watcher(e, rip));
	/* MOV SS keeps the next instruction's breakpoint away. */
	if (!e->may_break || !e->breaks_at_code || s->rflags & X86_FLAG_RF ||
	    s->interrupt_shadow & X86_SHADOW_MOVSS)
		return EMUL_OK;
	met = meet(e, BIT(KIND_EXECUTE), rip, 1);
	if (!met)
		return EMUL_OK;
	emul_raise(e, X86_VECTOR_DB);
	e->fault.dr6 = met;
	return EMUL_FAULT;
}

/* ---- #DB ----------------------------------------------------------------- */

void emul_debug_enter(struct emul *e, uint64_t dr6)
{
	struct x86_state *s = e->state;

	/* The other bits are the program's to clear. */
	if (dr6)
		s->dr6 = (s->dr6 & ~X86_DR6_MET) | dr6 | X86_DR6_ONES;
	s->dr7 &= ~X86_DR7_GD;
	s->dirty |= X86_GROUP_DEBUG;
}
