/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Near jumps, calls and returns, loops.
 *
 * In 64-bit mode an operand-size prefix makes a near branch 16 bits wide on
 * AMD's processors and is ignored on Intel's; decode decides which.
 *
 * References: SDM volume 2 and APM volume 3, instruction pages.
 */
#include "emulate/execute.h"

bool emul_condition(const struct emul *e, unsigned condition)
{
	uint64_t f = e->flags;
	bool is_less = !(f & X86_FLAG_SF) != !(f & X86_FLAG_OF);
	bool is_met = false;

	switch (condition >> 1) {
	case 0:
		is_met = f & X86_FLAG_OF;
		break;
	case 1:
		is_met = f & X86_FLAG_CF;
		break;
	case 2:
		is_met = f & X86_FLAG_ZF;
		break;
	case 3:
		is_met = f & (X86_FLAG_CF | X86_FLAG_ZF);
		break;
	case 4:
		is_met = f & X86_FLAG_SF;
		break;
	case 5:
		is_met = f & X86_FLAG_PF;
		break;
	case 6:
		is_met = is_less;
		break;
	case 7:
		is_met = is_less || f & X86_FLAG_ZF;
		break;
	}
	return is_met != (condition & 1);
}

/* RIP cut to the operand size; beyond the segment it is #GP(0). */
static enum emul_status target_check(struct emul *e, uint64_t *rip)
{
	*rip &= size_mask(e->d->operand_size);
	if (mode_is_64(e)) {
		if (!is_canonical(e, *rip))
			return raise_gp0(e);
	} else if (*rip > e->state->seg[X86_CS].limit) {
		return raise_gp0(e);
	}
	return EMUL_OK;
}

enum emul_status emul_branch_near(struct emul *e, uint64_t rip)
{
	TRY(target_check(e, &rip));
	e->next_rip = rip;
	return EMUL_OK;
}

EXECUTE(jcc)
{
	if (!emul_condition(e, e->d->opcode & 15))
		return EMUL_OK;
	return emul_branch_near(e, e->next_rip + e->src);
}

EXECUTE(jmp_near)
{
	return emul_branch_near(e, e->next_rip + e->src);
}

EXECUTE(jmp_indirect)
{
	return emul_branch_near(e, e->src);
}

static enum emul_status call_to(struct emul *e, uint64_t rip)
{
	TRY(target_check(e, &rip));
	TRY(emul_push(e, e->next_rip, e->d->operand_size));
	e->next_rip = rip;
	return EMUL_OK;
}

EXECUTE(call_near)
{
	return call_to(e, e->next_rip + e->src);
}

EXECUTE(call_indirect)
{
	return call_to(e, e->src);
}

EXECUTE(ret_near)
{
	uint64_t rsp = e->state->gpr[X86_RSP], rip;
	enum emul_status status;

	TRY(emul_pop(e, &rip, e->d->operand_size));
	status = emul_branch_near(e, rip);
	if (status != EMUL_OK)
		e->state->gpr[X86_RSP] = rsp;
	else if (e->d->row->imm)
		emul_stack_add(e, e->d->immediate);
	return status;
}

static enum emul_status loop_if(struct emul *e, bool is_met)
{
	unsigned size = e->d->address_size;
	uint64_t count = (e->state->gpr[X86_RCX] - 1) & size_mask(size);

	if (is_met && count)
		TRY(emul_branch_near(e, e->next_rip + e->src));
	gpr_set(e, X86_RCX, count, size);
	return EMUL_OK;
}

EXECUTE(loop)
{
	return loop_if(e, true);
}

/*
 * LOOPE and LOOPNE.  On AMD's processors a REP prefix decides the sense, as it
 * does for CMPS; manuals do not say so.
 */
static enum emul_status loop_zero(struct emul *e, bool until_zero)
{
	bool is_zero = e->flags & X86_FLAG_ZF;

	if (e->d->rep && !(e->features & EMUL_FEATURE_INTEL))
		until_zero = e->d->rep == PREFIX_F2;
	return loop_if(e, is_zero != until_zero);
}

EXECUTE(loope)
{
	return loop_zero(e, false);
}

EXECUTE(loopne)
{
	return loop_zero(e, true);
}

EXECUTE(jcxz)
{
	if (gpr_get(e, X86_RCX, e->d->address_size))
		return EMUL_OK;
	return emul_branch_near(e, e->next_rip + e->src);
}
