/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Far jumps, calls and returns through code segments, call gates, task gates
 * and task state segments.  Nothing of the state changes before the last
 * check has passed; pushes that a later fault makes void lie below the stack
 * pointer.
 *
 * References: SDM volume 2, "CALL", "JMP", "RET"; volume 3, "Protection".
 */
#include "emulate/execute.h"
#include "emulate/segment.h"

/* A direct transfer's rules for its code segment, by the target's privilege. */
static enum emul_status code_check(struct emul *e, uint16_t selector,
				   const struct emul_descriptor *desc)
{
	unsigned dpl = desc_dpl(desc->raw), cpl = cpl_get(e);
	bool is_allowed;

	if (desc->raw & DESC_CONFORM)
		is_allowed = dpl <= cpl;
	else
		is_allowed = dpl == cpl && (selector & SELECTOR_RPL) <= cpl;
	if (!is_allowed)
		return emul_raise_code(e, X86_VECTOR_GP,
				       selector_code(selector));
	if (!(desc->raw & DESC_P))
		return emul_raise_code(e, X86_VECTOR_NP,
				       selector_code(selector));
	return EMUL_OK;
}

static enum emul_status push_return(struct emul *e, struct emul_stack *st,
				    unsigned size)
{
	TRY(emul_stack_push(e, st, e->state->seg[X86_CS].selector, size));
	return emul_stack_push(e, st, e->next_rip, size);
}

static enum emul_status far_real(struct emul *e, uint16_t selector,
				 uint64_t rip, bool is_call)
{
	struct emul_stack st;

	if (rip > e->state->seg[X86_CS].limit)
		return raise_gp0(e);
	if (is_call) {
		emul_stack_current(e, &st);
		TRY(push_return(e, &st, e->d->operand_size));
		e->state->gpr[X86_RSP] = st.rsp;
	}
	emul_code_real(e, selector);
	e->next_rip = rip;
	return EMUL_OK;
}

static enum emul_status far_code(struct emul *e, uint16_t selector,
				 struct emul_descriptor *desc, uint64_t rip,
				 bool is_call)
{
	struct emul_stack st;

	TRY(code_check(e, selector, desc));
	emul_stack_current(e, &st);
	if (is_call)
		TRY(push_return(e, &st, e->d->operand_size));
	TRY(emul_code_load(e, selector, desc, cpl_get(e), rip));
	if (is_call)
		e->state->gpr[X86_RSP] = st.rsp;
	return EMUL_OK;
}

struct gate {
	unsigned size; /* of what it pushes */
	unsigned count;
	uint64_t rip;
	uint16_t selector;
	struct emul_descriptor code;
};

#define GATE_PARAMETERS 31

/* Copy the caller's parameters and return address to the inner stack. */
static enum emul_status gate_frame(struct emul *e, const struct gate *g,
				   struct emul_stack *st)
{
	const struct x86_state *s = e->state;
	uint64_t mask = emul_stack_mask(e), value[GATE_PARAMETERS];

	for (unsigned i = 0; i < g->count; i++) {
		value[i] = 0;
		TRY(emul_memory_read(e, X86_SS,
				     (s->gpr[X86_RSP] + i * g->size) & mask,
				     &value[i], g->size));
	}
	TRY(emul_stack_push(e, st, s->seg[X86_SS].selector, g->size));
	TRY(emul_stack_push(e, st, s->gpr[X86_RSP], g->size));
	for (unsigned i = g->count; i; i--)
		TRY(emul_stack_push(e, st, value[i - 1], g->size));
	return push_return(e, st, g->size);
}

static enum emul_status gate_call_inner(struct emul *e, struct gate *g,
					unsigned cpl)
{
	struct emul_stack st;

	if (g->size == 8)
		TRY(emul_stack_inner64(e, cpl, 0, &st));
	else
		TRY(emul_stack_inner(e, cpl, &st));
	TRY(gate_frame(e, g, &st));
	TRY(emul_code_load(e, g->selector, &g->code, cpl, g->rip));
	emul_stack_commit(e, &st);
	return EMUL_OK;
}

static enum emul_status gate_read(struct emul *e, uint16_t selector,
				  struct emul_descriptor *desc, struct gate *g)
{
	uint32_t code;

	TRY(emul_descriptor_high(e, selector, X86_VECTOR_GP, desc));
	g->selector = (uint16_t)FIELD_GET(GATE_SELECTOR, desc->raw);
	g->count = FIELD_GET(GATE_COUNT, desc->raw);
	g->rip = FIELD_GET(GATE_OFFSET_LOW, desc->raw);
	g->size = 2;
	if (desc_type(desc->raw) == SYSTEM_CALL_GATE32) {
		g->rip |= FIELD_GET(GATE_OFFSET_HIGH, desc->raw) << 16;
		g->size = 4;
	}
	if (e->mode & MODE_LONG) {
		g->rip |= desc->high << 32;
		g->size = 8;
		g->count = 0;
	}
	code = selector_code(g->selector);
	if (selector_is_null(g->selector))
		return raise_gp0(e);
	TRY(emul_descriptor_read(e, g->selector, X86_VECTOR_GP, &g->code));
	if (!desc_is_code(g->code.raw) || desc_dpl(g->code.raw) > cpl_get(e))
		return emul_raise_code(e, X86_VECTOR_GP, code);
	if (e->mode & MODE_LONG &&
	    (!(g->code.raw & DESC_L) || g->code.raw & DESC_DB))
		return emul_raise_code(e, X86_VECTOR_GP, code);
	if (!(g->code.raw & DESC_P))
		return emul_raise_code(e, X86_VECTOR_NP, code);
	return EMUL_OK;
}

static enum emul_status far_gate(struct emul *e, uint16_t selector,
				 struct emul_descriptor *desc, bool is_call)
{
	struct emul_stack st;
	struct gate g;
	unsigned dpl;

	TRY(gate_read(e, selector, desc, &g));
	dpl = desc_dpl(g.code.raw);
	if (!(g.code.raw & DESC_CONFORM) && dpl < cpl_get(e)) {
		if (!is_call) /* a jump does not change the level */
			return emul_raise_code(e, X86_VECTOR_GP,
					       selector_code(g.selector));
		return gate_call_inner(e, &g, dpl);
	}
	emul_stack_current(e, &st);
	if (g.size == 8)
		emul_stack_width(&st, true);
	if (is_call)
		TRY(push_return(e, &st, g.size));
	TRY(emul_code_load(e, g.selector, &g.code, cpl_get(e), g.rip));
	if (is_call)
		e->state->gpr[X86_RSP] = st.rsp;
	return EMUL_OK;
}

static enum emul_status far_system(struct emul *e, uint16_t selector,
				   struct emul_descriptor *desc, bool is_call)
{
	uint32_t code = selector_code(selector);
	unsigned dpl = desc_dpl(desc->raw), type = desc_type(desc->raw);
	bool is_long = e->mode & MODE_LONG;

	if (dpl < cpl_get(e) || dpl < (selector & SELECTOR_RPL))
		return emul_raise_code(e, X86_VECTOR_GP, code);
	if (type != SYSTEM_CALL_GATE32 &&
	    (is_long ||
	     (type != SYSTEM_CALL_GATE16 && type != SYSTEM_TASK_GATE &&
	      type != SYSTEM_TSS16 && type != SYSTEM_TSS32)))
		return emul_raise_code(e, X86_VECTOR_GP, code);
	if (!(desc->raw & DESC_P))
		return emul_raise_code(e, X86_VECTOR_NP, code);
	if (type == SYSTEM_TASK_GATE)
		selector = (uint16_t)FIELD_GET(GATE_SELECTOR, desc->raw);
	if (type != SYSTEM_CALL_GATE16 && type != SYSTEM_CALL_GATE32)
		return emul_task_enter(
			e, selector, is_call ? EMUL_TASK_CALL : EMUL_TASK_JUMP,
			false, 0);
	return far_gate(e, selector, desc, is_call);
}

static enum emul_status far_transfer(struct emul *e, uint16_t selector,
				     uint64_t rip, bool is_call)
{
	struct emul_descriptor desc;

	rip &= size_mask(e->d->operand_size);
	if (!mode_is_protected(e))
		return far_real(e, selector, rip, is_call);
	if (selector_is_null(selector))
		return raise_gp0(e);
	TRY(emul_descriptor_read(e, selector, X86_VECTOR_GP, &desc));
	if (desc_is_code(desc.raw))
		return far_code(e, selector, &desc, rip, is_call);
	if (desc.raw & DESC_S)
		return emul_raise_code(e, X86_VECTOR_GP,
				       selector_code(selector));
	return far_system(e, selector, &desc, is_call);
}

EXECUTE(call_far)
{
	return far_transfer(e, (uint16_t)e->d->immediate2,
			    (uint64_t)e->d->immediate, true);
}

EXECUTE(jmp_far)
{
	return far_transfer(e, (uint16_t)e->d->immediate2,
			    (uint64_t)e->d->immediate, false);
}

/*
 * offset:selector in memory, two accesses: the second wraps at the address
 * size.
 */
static enum emul_status far_pointer(struct emul *e, uint16_t *selector,
				    uint64_t *offset, unsigned size)
{
	uint64_t at = e->offset;

	*offset = 0;
	TRY(emul_memory_read(e, e->d->segment, at, offset, size));
	at = (at + size) & address_mask(e);
	return emul_memory_read(e, e->d->segment, at, selector, 2);
}

/* With REX.W AMD's processors read an offset of 32 bits, but push 64. */
static unsigned pointer_size(const struct emul *e)
{
	if (e->d->operand_size == 8 && !(e->features & EMUL_FEATURE_INTEL))
		return 4;
	return e->d->operand_size;
}

static enum emul_status far_indirect(struct emul *e, bool is_call)
{
	uint16_t selector;
	uint64_t rip;

	TRY(far_pointer(e, &selector, &rip, pointer_size(e)));
	return far_transfer(e, selector, rip, is_call);
}

EXECUTE(call_far_indirect)
{
	return far_indirect(e, true);
}

EXECUTE(jmp_far_indirect)
{
	return far_indirect(e, false);
}

/* LES LDS LSS LFS LGS: the opcode's low bits name the segment but for two. */
EXECUTE(load_far_pointer)
{
	unsigned seg = e->d->opcode & 7;
	uint16_t selector;
	uint64_t offset;

	if (e->d->opcode == 0xc4)
		seg = X86_ES;
	else if (e->d->opcode == 0xc5)
		seg = X86_DS;
	TRY(far_pointer(e, &selector, &offset, pointer_size(e)));
	TRY(emul_segment_load(e, seg, selector));
	e->dst = offset;
	return EMUL_OK;
}

/* Returns */

/* Item n of the current stack, in the operand size, RSP unchanged. */
static enum emul_status stack_item(struct emul *e, unsigned n, uint64_t skip,
				   uint64_t *value)
{
	unsigned size = e->d->operand_size;
	uint64_t at = e->state->gpr[X86_RSP] + n * size + skip;

	*value = 0;
	return emul_memory_read(e, X86_SS, at & emul_stack_mask(e), value,
				size);
}

static enum emul_status return_real(struct emul *e, uint64_t rip,
				    uint16_t selector, unsigned items)
{
	if (rip > e->state->seg[X86_CS].limit)
		return raise_gp0(e);
	emul_stack_add(e, items * e->d->operand_size);
	emul_code_real(e, selector);
	e->next_rip = rip;
	return EMUL_OK;
}

static enum emul_status return_code(struct emul *e, uint16_t selector,
				    struct emul_descriptor *desc)
{
	uint32_t code = selector_code(selector);
	unsigned rpl = selector & SELECTOR_RPL, dpl;

	if (selector_is_null(selector))
		return raise_gp0(e);
	TRY(emul_descriptor_read(e, selector, X86_VECTOR_GP, desc));
	dpl = desc_dpl(desc->raw);
	if (!desc_is_code(desc->raw) || rpl < cpl_get(e) ||
	    (desc->raw & DESC_CONFORM ? dpl > rpl : dpl != rpl))
		return emul_raise_code(e, X86_VECTOR_GP, code);
	if (!(desc->raw & DESC_P))
		return emul_raise_code(e, X86_VECTOR_NP, code);
	return EMUL_OK;
}

/* The stack a return goes back to; null is 64-bit mode's privilege. */
static enum emul_status return_stack(struct emul *e, uint16_t selector,
				     unsigned rpl, bool to_64,
				     struct x86_segment *ss)
{
	if (selector_is_null(selector)) {
		if (!to_64 || rpl == 3 || (selector & SELECTOR_RPL) != rpl)
			return raise_gp0(e);
		emul_segment_null(ss, selector);
		ss->attributes = (uint16_t)FIELD_PUT(X86_ATTR_DPL, rpl);
		return EMUL_OK;
	}
	return emul_stack_segment(e, selector, rpl, X86_VECTOR_GP, ss);
}

/* AMD's processors look at the target's limit before the new stack. */
static enum emul_status return_target(struct emul *e, uint16_t selector,
				      const struct emul_descriptor *desc,
				      uint64_t rip, bool to_64)
{
	struct x86_segment cs;

	if (e->features & EMUL_FEATURE_INTEL)
		return EMUL_OK;
	emul_segment_unpack(&cs, selector, desc->raw);
	if (to_64 ? !is_canonical(e, rip) : (uint32_t)rip > cs.limit)
		return raise_gp0(e);
	return EMUL_OK;
}

/*
 * Return with a new stack.  first: the stack's item that holds RSP, skip:
 * bytes of parameters to release on either side.
 */
static enum emul_status return_outer(struct emul *e, uint16_t selector,
				     struct emul_descriptor *desc, uint64_t rip,
				     unsigned first, uint64_t skip)
{
	bool to_64 = e->mode & MODE_LONG && desc->raw & DESC_L;
	unsigned rpl = selector & SELECTOR_RPL, old = cpl_get(e);
	uint64_t rsp, ss;
	struct emul_stack st;

	TRY(stack_item(e, first, skip, &rsp));
	TRY(stack_item(e, first + 1, skip, &ss));
	TRY(return_target(e, selector, desc, rip, to_64));
	TRY(return_stack(e, (uint16_t)ss, rpl, to_64, &st.ss));
	TRY(emul_code_load(e, selector, desc, rpl, rip));
	emul_stack_width(&st, to_64);
	st.rsp = e->state->gpr[X86_RSP];
	if (st.mask == UINT16_MAX)
		st.rsp = (st.rsp & ~st.mask) | ((rsp + skip) & st.mask);
	else
		st.rsp = (rsp + skip) & st.mask;
	emul_stack_commit(e, &st);
	if (rpl > old)
		emul_segments_drop(e);
	return EMUL_OK;
}

EXECUTE(ret_far)
{
	uint64_t skip = e->d->row->imm ? (uint16_t)e->d->immediate : 0;
	struct emul_descriptor desc;
	uint64_t rip, cs;

	TRY(stack_item(e, 0, 0, &rip));
	TRY(stack_item(e, 1, 0, &cs));
	if (!mode_is_protected(e)) {
		TRY(return_real(e, rip, (uint16_t)cs, 2));
		emul_stack_add(e, (int64_t)skip);
		return EMUL_OK;
	}
	TRY(return_code(e, (uint16_t)cs, &desc));
	if ((cs & SELECTOR_RPL) > cpl_get(e))
		return return_outer(e, (uint16_t)cs, &desc, rip, 2, skip);
	TRY(emul_code_load(e, (uint16_t)cs, &desc, cpl_get(e), rip));
	emul_stack_add(e, (int64_t)(2 * e->d->operand_size + skip));
	return EMUL_OK;
}

/* IRET */

#define FLAGS_IRET32 (X86_FLAG_RF | X86_FLAG_AC | X86_FLAG_ID)

static void iret_flags(struct emul *e, uint64_t image, uint64_t writable)
{
	if (e->d->operand_size > 2)
		writable |= FLAGS_IRET32;
	e->flags = (e->flags & ~writable) | (image & writable);
	/* RF is cleared behind an instruction, but for this one. */
	e->keep_rf = e->d->operand_size > 2 && image & X86_FLAG_RF;
}

static enum emul_status iret_v86_vme(struct emul *e, uint64_t image)
{
	uint64_t writable = emul_flags_writable(e, 2) & ~X86_FLAG_IF;

	if (!(e->state->cr4 & X86_CR4_VME) || e->d->operand_size != 2 ||
	    image & X86_FLAG_TF ||
	    (image & X86_FLAG_IF && e->flags & X86_FLAG_VIP))
		return raise_gp0(e);
	iret_flags(e, image, writable);
	e->flags &= ~X86_FLAG_VIF;
	if (image & X86_FLAG_IF)
		e->flags |= X86_FLAG_VIF;
	return EMUL_OK;
}

static enum emul_status iret_real(struct emul *e)
{
	uint64_t rip, cs, image, flags = e->flags;
	enum emul_status status;

	TRY(stack_item(e, 0, 0, &rip));
	TRY(stack_item(e, 1, 0, &cs));
	TRY(stack_item(e, 2, 0, &image));
	if (e->mode & MODE_V86 &&
	    FIELD_GET(X86_FLAG_IOPL, e->state->rflags) < 3)
		TRY(iret_v86_vme(e, image));
	else
		iret_flags(e, image,
			   emul_flags_writable(e, e->d->operand_size));
	status = return_real(e, rip, (uint16_t)cs, 3);
	if (status != EMUL_OK)
		e->flags = flags;
	return status;
}

static enum emul_status iret_task(struct emul *e)
{
	uint16_t link;

	if (e->mode & MODE_LONG)
		return raise_gp0(e);
	TRY(emul_state_need(e, X86_GROUP_TABLES));
	TRY(emul_system_read(e, e->state->tr.base, &link, 2));
	return emul_task_enter(e, link, EMUL_TASK_IRET, false, 0);
}

/* To virtual-8086 mode: nine items. */
static enum emul_status iret_to_v86(struct emul *e, uint64_t rip, uint16_t cs,
				    uint64_t image)
{
	static const uint8_t order[] = { X86_SS, X86_ES, X86_DS, X86_FS,
					 X86_GS };
	struct x86_state *s = e->state;
	uint64_t rsp, selector[ARRAY_SIZE(order)];

	TRY(stack_item(e, 3, 0, &rsp));
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
		TRY(stack_item(e, 4 + i, 0, &selector[i]));
	if ((rip & UINT32_MAX) > UINT16_MAX)
		return raise_gp0(e);
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
		emul_segment_v86(&s->seg[order[i]], (uint16_t)selector[i]);
	emul_segment_v86(&s->seg[X86_CS], cs);
	s->gpr[X86_RSP] = rsp;
	s->cpl = 3;
	s->dirty |= X86_GROUP_SEGMENTS;
	e->next_rip = (uint16_t)rip;
	e->flags = (image & X86_FLAGS_ALL) | X86_FLAG_ONE;
	e->keep_rf = image & X86_FLAG_RF;
	return EMUL_OK;
}

static enum emul_status iret_protected(struct emul *e)
{
	unsigned size = e->d->operand_size, old_cpl = cpl_get(e);
	uint64_t rip, cs, image, writable;
	struct emul_descriptor desc;

	TRY(stack_item(e, 0, 0, &rip));
	TRY(stack_item(e, 1, 0, &cs));
	TRY(stack_item(e, 2, 0, &image));
	if (image & X86_FLAG_VM && !old_cpl && size == 4 &&
	    !(e->mode & MODE_LONG))
		return iret_to_v86(e, rip, (uint16_t)cs, image);
	writable = emul_flags_writable(e, size);
	if (!old_cpl && size > 2)
		writable |= X86_FLAG_VIF | X86_FLAG_VIP;
	TRY(return_code(e, (uint16_t)cs, &desc));
	if ((cs & SELECTOR_RPL) > old_cpl || mode_is_64(e)) {
		TRY(return_outer(e, (uint16_t)cs, &desc, rip, 3, 0));
	} else {
		TRY(emul_code_load(e, (uint16_t)cs, &desc, old_cpl, rip));
		emul_stack_add(e, 3 * size);
	}
	iret_flags(e, image, writable);
	return EMUL_OK;
}

EXECUTE(iret)
{
	if (!mode_is_protected(e))
		TRY(iret_real(e));
	else if (e->flags & X86_FLAG_NT)
		TRY(iret_task(e));
	else
		TRY(iret_protected(e));
	e->events |= EMUL_EVENT_NMI_UNMASK;
	return EMUL_OK;
}
