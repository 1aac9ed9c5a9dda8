/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Delivery of interrupts and exceptions: through the interrupt vector table
 * of real mode, through 16- and 32-bit gates with and without a change of
 * level, out of virtual-8086 mode with and without its extensions, through
 * task gates, and through 64-bit gates with interrupt stacks.
 *
 * Not modelled: FRED, shadow stacks.
 *
 * References: SDM volume 3, "Interrupt and Exception Handling", "8086
 * Emulation"; volume 2, "INT n/INTO/INT3/INT1".
 */
#include "emulate/breakpoint.h"
#include "emulate/segment.h"

/* Error codes that name an IDT entry. */
#define ERROR_IDT BIT(1)

#define FLAGS_CLEARED (X86_FLAG_TF | X86_FLAG_NT | X86_FLAG_RF | X86_FLAG_VM)

static bool event_is_software(const struct emul_event *ev)
{
	return ev->type == EMUL_TYPE_SOFTWARE ||
	       ev->type == EMUL_TYPE_SOFT_EXCEPTION;
}

static enum emul_status idt_fault(struct emul *e, unsigned fault,
				  const struct emul_event *ev)
{
	return emul_raise_code(e, fault, ev->vector * 8U | ERROR_IDT);
}

/* Through a table of far pointers, in 16 bits. */
static enum emul_status deliver_vector(struct emul *e, uint64_t table,
				       unsigned vector, uint64_t image)
{
	struct emul_stack st;
	uint32_t entry;

	TRY(emul_system_read(e, table + vector * 4, &entry, 4));
	emul_stack_current(e, &st);
	TRY(emul_stack_push(e, &st, image, 2));
	TRY(emul_stack_push(e, &st, e->state->seg[X86_CS].selector, 2));
	TRY(emul_stack_push(e, &st, e->next_rip, 2));
	if ((entry & 0xffff) > e->state->seg[X86_CS].limit)
		return raise_gp0(e);
	e->state->gpr[X86_RSP] = st.rsp;
	emul_code_real(e, (uint16_t)(entry >> 16));
	e->next_rip = (uint16_t)entry;
	return EMUL_OK;
}

static enum emul_status deliver_real(struct emul *e,
				     const struct emul_event *ev)
{
	const struct x86_segment *idtr = &e->state->idtr;

	TRY(emul_state_need(e, X86_GROUP_TABLES));
	if (ev->vector * 4U + 3 > idtr->limit)
		return idt_fault(e, X86_VECTOR_GP, ev);
	TRY(deliver_vector(e, idtr->base, ev->vector, e->flags));
	e->flags &= ~(X86_FLAG_IF | X86_FLAG_TF | X86_FLAG_AC | X86_FLAG_RF);
	return EMUL_OK;
}

/* Virtual-8086 mode extensions: INT n straight to the 8086 program. */

#define TSS_IO_BASE	  0x66
#define REDIRECTION_BYTES 32

static enum emul_status vme_redirects(struct emul *e, unsigned vector,
				      bool *is_redirected)
{
	const struct x86_segment *tr = &e->state->tr;
	uint16_t base;
	uint8_t byte;

	TRY(emul_state_need(e, X86_GROUP_TABLES));
	*is_redirected = false;
	if (tr->limit < TSS_IO_BASE + 1)
		return raise_gp0(e);
	TRY(emul_system_read(e, tr->base + TSS_IO_BASE, &base, 2));
	if (base < REDIRECTION_BYTES || base > tr->limit)
		return raise_gp0(e);
	TRY(emul_system_read(
		e, tr->base + base - REDIRECTION_BYTES + vector / 8, &byte, 1));
	*is_redirected = !(byte >> (vector & 7) & 1);
	return EMUL_OK;
}

static enum emul_status deliver_vme(struct emul *e, unsigned vector)
{
	bool is_virtual = FIELD_GET(X86_FLAG_IOPL, e->flags) < 3;
	uint64_t image = e->flags;

	if (is_virtual) {
		image = (image | X86_FLAG_IOPL) & ~X86_FLAG_IF;
		if (e->flags & X86_FLAG_VIF)
			image |= X86_FLAG_IF;
	}
	TRY(deliver_vector(e, 0, vector, image));
	e->flags &= ~(is_virtual ? X86_FLAG_VIF : X86_FLAG_IF);
	e->flags &= ~(X86_FLAG_TF | X86_FLAG_NT);
	return EMUL_OK;
}

/* Gates */

struct gate {
	unsigned type;
	unsigned ist;
	unsigned size; /* of what it pushes */
	uint16_t selector;
	uint64_t rip;
	struct emul_descriptor code;
};

static enum emul_status gate_check(struct emul *e, const struct emul_event *ev,
				   uint64_t raw)
{
	unsigned type = desc_type(raw);
	bool is_good;

	switch (type) {
	case SYSTEM_INTERRUPT_GATE32:
	case SYSTEM_TRAP_GATE32:
		is_good = true;
		break;
	case SYSTEM_INTERRUPT_GATE16:
	case SYSTEM_TRAP_GATE16:
	case SYSTEM_TASK_GATE:
		is_good = !(e->mode & MODE_LONG);
		break;
	default:
		is_good = false;
		break;
	}
	if (!is_good || raw & DESC_S)
		return idt_fault(e, X86_VECTOR_GP, ev);
	if (event_is_software(ev) && desc_dpl(raw) < cpl_get(e))
		return idt_fault(e, X86_VECTOR_GP, ev);
	if (!(raw & DESC_P))
		return idt_fault(e, X86_VECTOR_NP, ev);
	return EMUL_OK;
}

static enum emul_status gate_read(struct emul *e, const struct emul_event *ev,
				  struct gate *g)
{
	const struct x86_segment *idtr = &e->state->idtr;
	unsigned size = e->mode & MODE_LONG ? 16 : 8;
	uint64_t raw, high = 0;

	TRY(emul_state_need(e, X86_GROUP_TABLES));
	if (ev->vector * size + size - 1 > idtr->limit)
		return idt_fault(e, X86_VECTOR_GP, ev);
	TRY(emul_system_read(e, idtr->base + ev->vector * size, &raw, 8));
	if (size == 16)
		TRY(emul_system_read(e, idtr->base + ev->vector * size + 8,
				     &high, 8));
	TRY(gate_check(e, ev, raw));
	g->type = desc_type(raw);
	g->selector = (uint16_t)FIELD_GET(GATE_SELECTOR, raw);
	g->rip = FIELD_GET(GATE_OFFSET_LOW, raw);
	g->ist = FIELD_GET(GATE_IST, raw);
	g->size = 2;
	if (g->type & BIT(3)) {
		g->rip |= FIELD_GET(GATE_OFFSET_HIGH, raw) << 16;
		g->size = 4;
	}
	if (size == 16) {
		g->rip |= high << 32;
		g->size = 8;
	}
	return EMUL_OK;
}

/* The handler's code segment; *cpl: the level it runs at. */
static enum emul_status gate_code(struct emul *e, struct gate *g, unsigned *cpl)
{
	uint32_t code = selector_code(g->selector);
	unsigned dpl;

	if (selector_is_null(g->selector))
		return raise_gp0(e);
	TRY(emul_descriptor_read(e, g->selector, X86_VECTOR_GP, &g->code));
	dpl = desc_dpl(g->code.raw);
	*cpl = cpl_get(e);
	if (!desc_is_code(g->code.raw) || dpl > *cpl)
		return emul_raise_code(e, X86_VECTOR_GP, code);
	if (g->size == 8 && (!(g->code.raw & DESC_L) || g->code.raw & DESC_DB))
		return emul_raise_code(e, X86_VECTOR_GP, code);
	if (!(g->code.raw & DESC_P))
		return emul_raise_code(e, X86_VECTOR_NP, code);
	if (!(g->code.raw & DESC_CONFORM))
		*cpl = dpl;
	if (e->mode & MODE_V86 && *cpl)
		return emul_raise_code(e, X86_VECTOR_GP, code);
	return EMUL_OK;
}

static enum emul_status gate_stack(struct emul *e, const struct gate *g,
				   unsigned cpl, struct emul_stack *st)
{
	if (g->size == 8) {
		if (g->ist || cpl != cpl_get(e)) {
			TRY(emul_stack_inner64(e, cpl, g->ist, st));
			if (cpl == cpl_get(e))
				st->ss = e->state->seg[X86_SS];
		} else {
			emul_stack_current(e, st);
			emul_stack_width(st, true);
		}
		st->rsp &= ~15ULL;
		return EMUL_OK;
	}
	if (cpl != cpl_get(e))
		return emul_stack_inner(e, cpl, st);
	emul_stack_current(e, st);
	return EMUL_OK;
}

/*
 * A fault's image has RF set: the instruction shall not break again.  Of #DB
 * only that of DR7.GD is a fault other than an instruction breakpoint.  Between
 * the iterations of REP flags has RF.
 */
static uint64_t event_flags(const struct emul *e, const struct emul_event *ev)
{
	if (event_is_software(ev) || ev->type == EMUL_TYPE_ICEBP)
		return e->flags & ~X86_FLAG_RF;
	if (ev->type != EMUL_TYPE_EXCEPTION || ev->vector == X86_VECTOR_DF ||
	    ev->vector == X86_VECTOR_MC)
		return e->flags;
	if (ev->vector == X86_VECTOR_DB && !(ev->dr6 & X86_DR6_BD))
		return e->flags;
	return e->flags | X86_FLAG_RF;
}

static enum emul_status gate_push(struct emul *e, const struct emul_event *ev,
				  const struct gate *g, unsigned cpl,
				  struct emul_stack *st)
{
	static const uint8_t v86[4] = { X86_GS, X86_FS, X86_DS, X86_ES };
	const struct x86_state *s = e->state;

	if (e->mode & MODE_V86)
		for (unsigned i = 0; i < ARRAY_SIZE(v86); i++)
			TRY(emul_stack_push(e, st, s->seg[v86[i]].selector,
					    g->size));
	if (g->size == 8 || cpl != cpl_get(e)) {
		TRY(emul_stack_push(e, st, s->seg[X86_SS].selector, g->size));
		TRY(emul_stack_push(e, st, s->gpr[X86_RSP], g->size));
	}
	TRY(emul_stack_push(e, st, e->flags, g->size));
	TRY(emul_stack_push(e, st, s->seg[X86_CS].selector, g->size));
	TRY(emul_stack_push(e, st, e->next_rip, g->size));
	if (ev->has_error_code)
		TRY(emul_stack_push(e, st, ev->error_code, g->size));
	return EMUL_OK;
}

static void v86_leave(struct emul *e)
{
	static const uint8_t data[4] = { X86_GS, X86_FS, X86_DS, X86_ES };

	for (unsigned i = 0; i < ARRAY_SIZE(data); i++)
		emul_segment_null(&e->state->seg[data[i]], 0);
}

static enum emul_status
deliver_gate(struct emul *e, const struct emul_event *ev, struct gate *g)
{
	struct emul_stack st;
	unsigned cpl = 0;

	TRY(gate_code(e, g, &cpl));
	TRY(gate_stack(e, g, cpl, &st));
	TRY(gate_push(e, ev, g, cpl, &st));
	TRY(emul_code_load(e, g->selector, &g->code, cpl, g->rip));
	emul_stack_commit(e, &st);
	if (e->mode & MODE_V86)
		v86_leave(e);
	e->flags &= ~FLAGS_CLEARED;
	if (g->type == SYSTEM_INTERRUPT_GATE32 ||
	    g->type == SYSTEM_INTERRUPT_GATE16)
		e->flags &= ~X86_FLAG_IF;
	return EMUL_OK;
}

/* next_rip and flags are what to save, and then where to go on. */
static enum emul_status deliver(struct emul *e, const struct emul_event *ev)
{
	bool is_redirected = false;
	struct gate g;

	e->flags = event_flags(e, ev);
	if (ev->vector == X86_VECTOR_DB && ev->type != EMUL_TYPE_SOFTWARE) {
		TRY(emul_state_need(e, X86_GROUP_DEBUG));
		emul_debug_enter(e, ev->dr6);
	}
	if (!(e->mode & (MODE_PROTECTED | MODE_V86)))
		return deliver_real(e, ev);
	if (e->mode & MODE_V86 && ev->type == EMUL_TYPE_SOFTWARE) {
		if (e->state->cr4 & X86_CR4_VME)
			TRY(vme_redirects(e, ev->vector, &is_redirected));
		if (is_redirected)
			return deliver_vme(e, ev->vector);
		if (FIELD_GET(X86_FLAG_IOPL, e->flags) < 3)
			return raise_gp0(e);
	}
	TRY(gate_read(e, ev, &g));
	if (g.type == SYSTEM_TASK_GATE)
		return emul_task_enter(e, g.selector, EMUL_TASK_GATE,
				       ev->has_error_code, ev->error_code);
	return deliver_gate(e, ev, &g);
}

enum emul_status emul_software_interrupt(struct emul *e, unsigned vector,
					 enum emul_event_type type)
{
	struct emul_event ev = { .vector = (uint8_t)vector, .type = type };

	if (unlikely(e->raise_software)) {
		if (!e->watcher) {
			e->fault = (struct emul_fault){ .vector = ev.vector,
							.is_trap = true };
			return EMUL_FAULT;
		}
		emul_watch_vector(e, vector, type);
	}
	TRY(deliver(e, &ev));
	/* They clear TF before it could trap. */
	trap_flag_follow(e);
	return EMUL_OK;
}

enum emul_status emul_deliver_event(struct emul *e, const struct emul_event *ev)
{
	struct x86_state *s = e->state;
	enum emul_status status;

	TRY(emul_state_need(e, X86_GROUPS_COMMON));
	emul_mode_set(e);
	e->flags = s->rflags;
	e->next_rip = s->rip;
	if (event_is_software(ev) || ev->type == EMUL_TYPE_ICEBP)
		e->next_rip += ev->insn_length;
	e->events = 0;
	e->keep_rf = false;
	e->is_task_switched = false;
	if (unlikely(e->may_break)) {
		TRY(emul_state_need(e, X86_GROUP_DEBUG));
		emul_watch_vector(e, ev->vector, ev->type);
	}
	e->is_external = !event_is_software(ev);
	if (ev->type == EMUL_TYPE_EXCEPTION && ev->vector == X86_VECTOR_PF) {
		s->cr2 = ev->cr2;
		s->dirty |= X86_GROUP_CONTROL;
	}
	status = deliver(e, ev);
	e->is_external = false;
	if (status == EMUL_OK) {
		s->rip = e->next_rip;
		s->rflags = e->flags;
		s->interrupt_shadow = 0;
		s->dirty |= X86_GROUP_SEGMENTS;
	} else if (status == EMUL_FAULT && ev->type == EMUL_TYPE_EXCEPTION) {
		e->fault.is_nested = true;
		e->fault.during = ev->vector;
	}
	return status;
}

/* Contributory exceptions, as the manual's table of double faults. */
static bool is_contributory(unsigned vector)
{
	return vector == X86_VECTOR_DE ||
	       (vector >= X86_VECTOR_TS && vector <= X86_VECTOR_GP);
}

static bool makes_double(unsigned first, unsigned second)
{
	if (first == X86_VECTOR_PF)
		return second == X86_VECTOR_PF || is_contributory(second);
	return is_contributory(first) && is_contributory(second);
}

enum emul_status emul_deliver_fault(struct emul *e)
{
	const struct emul_fault *fault = &e->fault;
	enum emul_status status;

	do {
		struct emul_event ev = {
			.vector = fault->vector,
			.type = EMUL_TYPE_EXCEPTION,
			.has_error_code = fault->has_error_code,
			.error_code = fault->error_code,
			.cr2 = fault->cr2,
			.dr6 = fault->dr6,
		};

		if (fault->is_nested && fault->during == X86_VECTOR_DF) {
			e->events = EMUL_EVENT_SHUTDOWN;
			return EMUL_OK;
		}
		if (fault->is_nested &&
		    makes_double(fault->during, fault->vector)) {
			ev.vector = X86_VECTOR_DF;
			ev.has_error_code = true;
			ev.error_code = 0;
		}
		/* Real mode pushes no error codes; deliver knows. */
		status = emul_deliver_event(e, &ev);
	} while (status == EMUL_FAULT);
	return status;
}
