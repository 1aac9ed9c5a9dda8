/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware task switches with 16- and 32-bit task state segments: by jump,
 * call, IRET and task gate.  Faults before the commit point leave the old
 * task, later ones (its segments) are raised in the new one, as the manual
 * says.
 *
 * Not modelled: breakpoints' local enables beyond clearing them.
 *
 * References: SDM volume 3, "Task Management".
 */
#include "emulate/segment.h"

struct tss16 {
	uint16_t link;
	uint16_t stacks[6];
	uint16_t ip;
	uint16_t flags;
	uint16_t gpr[8];
	uint16_t seg[4];
	uint16_t ldt;
} __packed;
ASSERT_SIZE(struct tss16, 44);

struct tss32 {
	uint32_t link;
	uint32_t stacks[6];
	uint32_t cr3;
	uint32_t eip;
	uint32_t eflags;
	uint32_t gpr[8];
	uint32_t seg[6];
	uint32_t ldt;
	uint16_t trap;
	uint16_t io_base;
} __packed;
ASSERT_SIZE(struct tss32, 104);

#define TSS16_LIMIT	43
#define TSS32_LIMIT	103
/* What a switch saves: instruction pointer to the last segment. */
#define TSS16_SAVE_FROM offsetof(struct tss16, ip)
#define TSS16_SAVE_SIZE (offsetof(struct tss16, ldt) - TSS16_SAVE_FROM)
#define TSS32_SAVE_FROM offsetof(struct tss32, eip)
#define TSS32_SAVE_SIZE (offsetof(struct tss32, ldt) - TSS32_SAVE_FROM)

#define TSS_TRAP BIT(0)
#define DR7_LOCAL                                                  \
	(BIT(0) | BIT(2) | BIT(4) | BIT(6) | BIT(8)) /* L0..L3, LE \
						      */

static bool tss_is_32(uint64_t raw)
{
	return desc_type(raw) & BIT(3);
}

static enum emul_status task_check(struct emul *e, uint16_t selector,
				   enum emul_task_reason reason,
				   struct emul_descriptor *desc)
{
	bool is_return = reason == EMUL_TASK_IRET;
	unsigned vector = is_return ? X86_VECTOR_TS : X86_VECTOR_GP, type;
	uint32_t code = selector_code(selector);

	if (selector & SELECTOR_TI || selector_is_null(selector))
		return emul_raise_code(e, vector, code);
	TRY(emul_descriptor_read(e, selector, vector, desc));
	type = desc_type(desc->raw);
	if (is_return)
		type ^= SYSTEM_TSS16 ^ SYSTEM_TSS16_BUSY;
	if (desc->raw & DESC_S ||
	    (type != SYSTEM_TSS16 && type != SYSTEM_TSS32))
		return emul_raise_code(e, vector, code);
	if (!(desc->raw & DESC_P))
		return emul_raise_code(e, X86_VECTOR_NP, code);
	return EMUL_OK;
}

static enum emul_status tss_read(struct emul *e, const struct x86_segment *tr,
				 bool is_32, struct tss32 *tss)
{
	struct tss16 narrow;

	if (is_32)
		return emul_system_read(e, tr->base, tss, sizeof(*tss));
	TRY(emul_system_read(e, tr->base, &narrow, sizeof(narrow)));
	memset(tss, 0, sizeof(*tss));
	tss->eip = narrow.ip;
	tss->eflags = narrow.flags;
	for (unsigned i = 0; i < 8; i++)
		tss->gpr[i] = narrow.gpr[i] | 0xffff0000U;
	for (unsigned i = 0; i < 4; i++)
		tss->seg[i] = narrow.seg[i];
	tss->ldt = narrow.ldt;
	return EMUL_OK;
}

/* Save the outgoing task; the access is prepared before it is written. */
static enum emul_status tss_save(struct emul *e, uint64_t flags)
{
	const struct x86_state *s = e->state;
	bool is_32 = s->tr.attributes & BIT(3);
	struct emul_access a;
	struct tss16 narrow;
	struct tss32 wide;

	if (is_32) {
		wide.eip = (uint32_t)s->rip;
		wide.eflags = (uint32_t)flags;
		for (unsigned i = 0; i < 8; i++)
			wide.gpr[i] = (uint32_t)s->gpr[i];
		for (unsigned i = 0; i < 6; i++)
			wide.seg[i] = s->seg[i].selector;
		TRY(emul_system_prepare(e, s->tr.base + TSS32_SAVE_FROM,
					TSS32_SAVE_SIZE, ACCESS_WRITE, &a));
		return emul_access_write(e, &a,
					 (uint8_t *)&wide + TSS32_SAVE_FROM,
					 TSS32_SAVE_SIZE);
	}
	narrow.ip = (uint16_t)s->rip;
	narrow.flags = (uint16_t)flags;
	for (unsigned i = 0; i < 8; i++)
		narrow.gpr[i] = (uint16_t)s->gpr[i];
	for (unsigned i = 0; i < 4; i++)
		narrow.seg[i] = s->seg[i].selector;
	TRY(emul_system_prepare(e, s->tr.base + TSS16_SAVE_FROM,
				TSS16_SAVE_SIZE, ACCESS_WRITE, &a));
	return emul_access_write(e, &a, (uint8_t *)&narrow + TSS16_SAVE_FROM,
				 TSS16_SAVE_SIZE);
}

static enum emul_status busy_put(struct emul *e, uint16_t selector, bool on)
{
	struct emul_descriptor desc;

	TRY(emul_descriptor_read(e, selector, X86_VECTOR_TS, &desc));
	if (on)
		desc.raw |= DESC_TSS_BUSY;
	else
		desc.raw &= ~DESC_TSS_BUSY;
	return emul_descriptor_write(e, &desc);
}

/* Registers of the new task, segments by selector alone. */
static void task_load(struct emul *e, const struct tss32 *tss, bool is_32,
		      uint64_t flags)
{
	struct x86_state *s = e->state;

	s->rip = tss->eip;
	s->rflags = (flags & X86_FLAGS_ALL) | X86_FLAG_ONE;
	for (unsigned i = 0; i < 8; i++)
		s->gpr[i] = tss->gpr[i];
	for (unsigned i = 0; i < X86_SEG_COUNT; i++)
		emul_segment_null(&s->seg[i], (uint16_t)tss->seg[i]);
	emul_segment_null(&s->ldtr, (uint16_t)tss->ldt);
	s->cr0 |= X86_CR0_TS;
	if (is_32 && e->mode & MODE_PAGING) {
		s->cr3 = tss->cr3;
		if (e->ops->flush)
			e->ops->flush(e->ctx, EMUL_FLUSH_SPACE, 0);
	}
	s->dirty |= X86_GROUP_SEGMENTS | X86_GROUP_TABLES | X86_GROUP_CONTROL;
	if (s->valid & X86_GROUP_DEBUG && s->dr7 & DR7_LOCAL) {
		s->dr7 &= ~DR7_LOCAL;
		s->dirty |= X86_GROUP_DEBUG;
	}
}

static enum emul_status task_ldt(struct emul *e)
{
	struct x86_segment *ldtr = &e->state->ldtr;
	uint16_t selector = ldtr->selector;
	uint32_t code = selector_code(selector);
	struct emul_descriptor desc;

	if (selector_is_null(selector))
		return EMUL_OK;
	if (selector & SELECTOR_TI)
		return emul_raise_code(e, X86_VECTOR_TS, code);
	TRY(emul_descriptor_read(e, selector, X86_VECTOR_TS, &desc));
	if (desc.raw & DESC_S || desc_type(desc.raw) != SYSTEM_LDT ||
	    !(desc.raw & DESC_P))
		return emul_raise_code(e, X86_VECTOR_TS, code);
	emul_segment_unpack(ldtr, selector, desc.raw);
	return EMUL_OK;
}

static enum emul_status task_code(struct emul *e)
{
	struct x86_segment *cs = &e->state->seg[X86_CS];
	uint16_t selector = cs->selector;
	uint32_t code = selector_code(selector);
	unsigned rpl = selector & SELECTOR_RPL, dpl;
	struct emul_descriptor desc;

	if (selector_is_null(selector))
		return emul_raise_code(e, X86_VECTOR_TS, 0);
	TRY(emul_descriptor_read(e, selector, X86_VECTOR_TS, &desc));
	dpl = desc_dpl(desc.raw);
	if (!desc_is_code(desc.raw) ||
	    (desc.raw & DESC_CONFORM ? dpl > rpl : dpl != rpl))
		return emul_raise_code(e, X86_VECTOR_TS, code);
	if (!(desc.raw & DESC_P))
		return emul_raise_code(e, X86_VECTOR_NP, code);
	TRY(emul_descriptor_accessed(e, &desc));
	emul_segment_unpack(cs, selector, desc.raw);
	return EMUL_OK;
}

/* The new task's segments; these faults are its own. */
static enum emul_status task_segments(struct emul *e)
{
	static const uint8_t data[4] = { X86_ES, X86_DS, X86_FS, X86_GS };
	struct x86_state *s = e->state;
	unsigned cpl;

	TRY(task_ldt(e));
	if (s->rflags & X86_FLAG_VM) {
		for (unsigned i = 0; i < X86_SEG_COUNT; i++)
			emul_segment_v86(&s->seg[i], s->seg[i].selector);
		s->cpl = 3;
		emul_mode_set(e);
		return EMUL_OK;
	}
	cpl = s->seg[X86_CS].selector & SELECTOR_RPL;
	s->cpl = (uint8_t)cpl;
	TRY(emul_stack_segment(e, s->seg[X86_SS].selector, cpl, X86_VECTOR_TS,
			       &s->seg[X86_SS]));
	TRY(task_code(e));
	for (unsigned i = 0; i < ARRAY_SIZE(data); i++)
		TRY(emul_data_segment(e, data[i], s->seg[data[i]].selector));
	emul_mode_set(e);
	return EMUL_OK;
}

static enum emul_status task_error_code(struct emul *e, bool is_32,
					uint32_t error_code)
{
	struct emul_stack st;

	emul_stack_current(e, &st);
	TRY(emul_stack_push(e, &st, error_code, is_32 ? 4 : 2));
	e->state->gpr[X86_RSP] = st.rsp;
	return EMUL_OK;
}

/* Memory of the switch: the old task out, links and busy bits. */
static enum emul_status task_out(struct emul *e, uint16_t selector,
				 enum emul_task_reason reason,
				 const struct x86_segment *tr)
{
	uint64_t flags = e->state->rflags;
	uint16_t old = e->state->tr.selector;

	if (reason == EMUL_TASK_IRET)
		flags &= ~X86_FLAG_NT;
	TRY(tss_save(e, flags));
	if (reason == EMUL_TASK_IRET || reason == EMUL_TASK_JUMP)
		TRY(busy_put(e, old, false));
	if (reason != EMUL_TASK_IRET)
		TRY(busy_put(e, selector, true));
	if (reason == EMUL_TASK_CALL || reason == EMUL_TASK_GATE)
		TRY(emul_system_write(e, tr->base, &old, 2));
	return EMUL_OK;
}

enum emul_status emul_task_switch_in(struct emul *e, uint16_t selector,
				     enum emul_task_reason reason,
				     bool has_error_code, uint32_t error_code)
{
	struct emul_descriptor desc;
	struct x86_segment tr;
	struct tss32 tss;
	uint64_t flags;
	bool is_32;

	TRY(emul_state_need(e, X86_GROUP_TABLES | X86_GROUP_DEBUG));
	TRY(task_check(e, selector, reason, &desc));
	is_32 = tss_is_32(desc.raw);
	desc.raw |= DESC_TSS_BUSY;
	emul_segment_unpack(&tr, selector, desc.raw);
	if (tr.limit < (is_32 ? TSS32_LIMIT : TSS16_LIMIT))
		return emul_raise_code(e, X86_VECTOR_TS,
				       selector_code(selector));
	TRY(tss_read(e, &tr, is_32, &tss));
	TRY(task_out(e, selector, reason, &tr));
	flags = tss.eflags;
	if (reason == EMUL_TASK_CALL || reason == EMUL_TASK_GATE)
		flags |= X86_FLAG_NT;
	/* The commit point. */
	e->is_task_switched = true;
	e->state->tr = tr;
	task_load(e, &tss, is_32, flags);
	TRY(task_segments(e));
	if (has_error_code)
		TRY(task_error_code(e, is_32, error_code));
	if (e->state->rip > e->state->seg[X86_CS].limit)
		return raise_gp0(e);
	if (is_32 && tss.trap & TSS_TRAP)
		e->events |= EMUL_EVENT_TASK_TRAP;
	return EMUL_OK;
}

/* Within a step: next_rip and flags stand for the state's. */
enum emul_status emul_task_enter(struct emul *e, uint16_t selector,
				 enum emul_task_reason reason,
				 bool has_error_code, uint32_t error_code)
{
	struct x86_state *s = e->state;
	uint64_t rip = s->rip, flags = s->rflags;
	enum emul_status status;

	s->rip = e->next_rip;
	s->rflags = e->flags;
	status = emul_task_switch_in(e, selector, reason, has_error_code,
				     error_code);
	if (!e->is_task_switched) {
		s->rip = rip;
		s->rflags = flags;
		return status;
	}
	e->next_rip = s->rip;
	e->flags = s->rflags;
	e->keep_rf = true;
	return status;
}

enum emul_status emul_task_switch(struct emul *e, uint16_t selector,
				  enum emul_task_reason reason,
				  bool has_error_code, uint32_t error_code)
{
	TRY(emul_state_need(e, X86_GROUPS_COMMON));
	emul_mode_set(e);
	e->events = 0;
	e->is_task_switched = false;
	return emul_task_switch_in(e, selector, reason, has_error_code,
				   error_code);
}
