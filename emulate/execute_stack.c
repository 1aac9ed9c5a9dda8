/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PUSH, POP and their families, ENTER, LEAVE, PUSHF and POPF with the rules
 * of IOPL, VME and PVI.
 *
 * References: SDM volume 2, "PUSH", "POPF", "ENTER"; volume 3, "Virtual-8086
 * Mode Extensions".
 */
#include "emulate/execute.h"
#include "emulate/memory.h"

/* Stack pointer width: 64, or by SS.B. */
uint64_t emul_stack_mask(const struct emul *e)
{
	if (mode_is_64(e))
		return UINT64_MAX;
	if (e->state->seg[X86_SS].attributes & X86_ATTR_DB)
		return UINT32_MAX;
	return UINT16_MAX;
}

static void stack_set(struct emul *e, uint64_t value)
{
	uint64_t mask = emul_stack_mask(e);
	uint64_t *rsp = &e->state->gpr[X86_RSP];

	if (mask == UINT16_MAX)
		*rsp = (*rsp & ~mask) | (value & mask);
	else
		*rsp = value & mask;
}

void emul_stack_add(struct emul *e, int64_t bytes)
{
	stack_set(e, e->state->gpr[X86_RSP] + (uint64_t)bytes);
}

enum emul_status emul_push(struct emul *e, uint64_t value, unsigned size)
{
	uint64_t at = e->state->gpr[X86_RSP] - size, linear;
	struct emul_access a;

	TRY(linear_of(e, X86_SS, at & emul_stack_mask(e), size, ACCESS_WRITE,
		      &linear));
	TRY(access_prepare(e, linear, size, ACCESS_WRITE | e->user_access, &a));
	if (likely(a.host))
		ram_store(a.host, value, size);
	else
		TRY(emul_access_write(e, &a, &value, size));
	stack_set(e, at);
	return EMUL_OK;
}

static enum emul_status stack_read(struct emul *e, uint64_t at, uint64_t *value,
				   unsigned size)
{
	*value = 0;
	return emul_memory_read(e, X86_SS, at & emul_stack_mask(e), value,
				size);
}

enum emul_status emul_pop(struct emul *e, uint64_t *value, unsigned size)
{
	uint64_t at = e->state->gpr[X86_RSP];

	TRY(stack_read(e, at, value, size));
	stack_set(e, at + size);
	return EMUL_OK;
}

EXECUTE(push)
{
	return emul_push(e, e->src, e->d->operand_size);
}

EXECUTE(pop)
{
	return emul_pop(e, &e->dst, e->d->size);
}

/* An address by RSP counts from RSP as it is after the pop. */
EXECUTE(pop_modrm)
{
	uint64_t rsp = e->state->gpr[X86_RSP], value, offset = e->offset;
	enum emul_status status;

	TRY(emul_pop(e, &value, e->d->size));
	if (!e->d->is_memory) {
		e->dst = value;
		return emul_dst_store(e);
	}
	if (e->d->has_base && e->d->base == X86_RSP && e->d->address_size > 2)
		e->offset = (offset + e->d->size) & address_mask(e);
	status = emul_memory_write(e, e->d->segment, e->offset, &value,
				   e->d->size);
	if (status != EMUL_OK)
		e->state->gpr[X86_RSP] = rsp;
	return status;
}

/* A 32-bit push of a segment register writes 16 bits only. */
EXECUTE(push_segment)
{
	unsigned seg = e->d->opcode >> 3 & 7, size = e->d->operand_size;
	uint64_t selector = e->state->seg[seg].selector;
	uint64_t at = e->state->gpr[X86_RSP] - size;

	if (size != 4)
		return emul_push(e, selector, size);
	TRY(emul_memory_write(e, X86_SS, at & emul_stack_mask(e), &selector,
			      2));
	stack_set(e, at);
	return EMUL_OK;
}

EXECUTE(pop_segment)
{
	unsigned seg = e->d->opcode >> 3 & 7;
	uint64_t rsp = e->state->gpr[X86_RSP], selector;

	TRY(stack_read(e, rsp, &selector, 2));
	TRY(emul_segment_load(e, seg, (uint16_t)selector));
	/* With the width that SS had before. */
	e->state->gpr[X86_RSP] = rsp;
	if (seg == X86_SS)
		e->shadow = X86_SHADOW_MOVSS;
	emul_stack_add(e, e->d->operand_size);
	return EMUL_OK;
}

EXECUTE(pusha)
{
	unsigned size = e->d->operand_size;
	uint64_t rsp = e->state->gpr[X86_RSP];
	enum emul_status status = EMUL_OK;

	for (unsigned reg = X86_RAX; reg <= X86_RDI; reg++) {
		uint64_t value = e->state->gpr[reg];

		if (reg == X86_RSP)
			value = rsp;
		status = emul_push(e, value, size);
		if (status != EMUL_OK) {
			e->state->gpr[X86_RSP] = rsp;
			return status;
		}
	}
	return EMUL_OK;
}

EXECUTE(popa)
{
	unsigned size = e->d->operand_size;
	uint64_t rsp = e->state->gpr[X86_RSP], value[8];

	for (unsigned i = 0; i < 8; i++)
		TRY(stack_read(e, rsp + i * size, &value[i], size));
	for (unsigned i = 0; i < 8; i++)
		if (X86_RDI - i != X86_RSP)
			gpr_set(e, X86_RDI - i, value[i], size);
	stack_set(e, rsp + 8 * size);
	return EMUL_OK;
}

#define ENTER_LEVEL_MASK 31

/* The frame pointers of the enclosing levels, then this frame's. */
static enum emul_status enter_levels(struct emul *e, unsigned level,
				     uint64_t frame)
{
	unsigned size = e->d->operand_size;
	uint64_t rbp = e->state->gpr[X86_RBP], value;

	for (unsigned i = 1; i < level; i++) {
		rbp -= size;
		TRY(stack_read(e, rbp, &value, size));
		TRY(emul_push(e, value, size));
	}
	return emul_push(e, frame, size);
}

EXECUTE(enter)
{
	unsigned size = e->d->operand_size;
	unsigned level = e->d->immediate2 & ENTER_LEVEL_MASK;
	uint64_t rsp = e->state->gpr[X86_RSP], frame, final;
	struct emul_access a;
	enum emul_status status;
	uint64_t linear;

	status = emul_push(e, e->state->gpr[X86_RBP], size);
	frame = e->state->gpr[X86_RSP];
	if (status == EMUL_OK && level)
		status = enter_levels(e, level, frame);
	emul_stack_add(e, -e->d->immediate);
	final = e->state->gpr[X86_RSP];
	/* The new top of stack must be writable, though nothing is. */
	if (status == EMUL_OK)
		status = emul_linear(e, X86_SS, final & emul_stack_mask(e),
				     size, ACCESS_WRITE, &linear);
	if (status == EMUL_OK)
		status = emul_access_prepare(e, linear, size, ACCESS_WRITE, &a);
	if (status != EMUL_OK) {
		e->state->gpr[X86_RSP] = rsp;
		return status;
	}
	gpr_set(e, X86_RBP, frame, size);
	return EMUL_OK;
}

EXECUTE(leave)
{
	uint64_t rbp = e->state->gpr[X86_RBP], value;
	unsigned size = e->d->operand_size;

	TRY(stack_read(e, rbp, &value, size));
	stack_set(e, rbp + size);
	gpr_set(e, X86_RBP, value, size);
	return EMUL_OK;
}

/* PUSHF, POPF */

static unsigned iopl_get(const struct emul *e)
{
	return FIELD_GET(X86_FLAG_IOPL, e->state->rflags);
}

static bool is_vme_virtual(const struct emul *e)
{
	return e->mode & MODE_V86 && iopl_get(e) < 3;
}

EXECUTE(pushf)
{
	uint64_t image = e->flags & ~(X86_FLAG_VM | X86_FLAG_RF);

	if (is_vme_virtual(e)) {
		if (!(e->state->cr4 & X86_CR4_VME) || e->d->operand_size != 2)
			return raise_gp0(e);
		/* The guest's own IF, and an IOPL of 3. */
		image |= X86_FLAG_IOPL;
		image &= ~X86_FLAG_IF;
		if (e->flags & X86_FLAG_VIF)
			image |= X86_FLAG_IF;
	}
	return emul_push(e, image, e->d->operand_size);
}

#define FLAGS_POPF                                                             \
	(X86_FLAG_CF | X86_FLAG_PF | X86_FLAG_AF | X86_FLAG_ZF | X86_FLAG_SF | \
	 X86_FLAG_TF | X86_FLAG_DF | X86_FLAG_OF | X86_FLAG_NT)

/* The bits POPF may change here; IRET's within a level are the same. */
uint64_t emul_flags_writable(const struct emul *e, unsigned size)
{
	uint64_t mask = FLAGS_POPF;
	unsigned cpl = e->mode & MODE_V86 ? 3 : cpl_get(e);

	if (size > 2)
		mask |= X86_FLAG_AC | X86_FLAG_ID;
	if (cpl == 0)
		mask |= X86_FLAG_IOPL;
	if (cpl <= iopl_get(e))
		mask |= X86_FLAG_IF;
	return mask;
}

static enum emul_status popf_vme(struct emul *e)
{
	uint64_t rsp = e->state->gpr[X86_RSP], image;

	if (!(e->state->cr4 & X86_CR4_VME) || e->d->operand_size != 2)
		return raise_gp0(e);
	TRY(emul_pop(e, &image, 2));
	if (image & X86_FLAG_TF ||
	    (image & X86_FLAG_IF && e->flags & X86_FLAG_VIP)) {
		e->state->gpr[X86_RSP] = rsp;
		return raise_gp0(e);
	}
	e->flags = (e->flags & ~(FLAGS_POPF | X86_FLAG_VIF)) |
		   (image & FLAGS_POPF);
	if (image & X86_FLAG_IF)
		e->flags |= X86_FLAG_VIF;
	return EMUL_OK;
}

EXECUTE(popf)
{
	unsigned size = e->d->operand_size;
	uint64_t mask, image;

	if (is_vme_virtual(e))
		return popf_vme(e);
	TRY(emul_pop(e, &image, size));
	mask = emul_flags_writable(e, size);
	e->flags = (e->flags & ~mask) | (image & mask);
	return EMUL_OK;
}

/* CLI and STI, with the virtual interrupt flag of VME and PVI. */

static bool is_flag_virtual(const struct emul *e)
{
	if (e->mode & MODE_V86)
		return e->state->cr4 & X86_CR4_VME;
	return mode_is_protected(e) && cpl_get(e) == 3 &&
	       e->state->cr4 & X86_CR4_PVI;
}

static bool is_flag_allowed(const struct emul *e)
{
	if (e->mode & MODE_V86)
		return iopl_get(e) == 3;
	return !mode_is_protected(e) || cpl_get(e) <= iopl_get(e);
}

EXECUTE(cli)
{
	if (is_flag_allowed(e))
		e->flags &= ~X86_FLAG_IF;
	else if (is_flag_virtual(e))
		e->flags &= ~X86_FLAG_VIF;
	else
		return raise_gp0(e);
	return EMUL_OK;
}

EXECUTE(sti)
{
	if (is_flag_allowed(e)) {
		if (!(e->flags & X86_FLAG_IF))
			e->shadow = X86_SHADOW_STI;
		e->flags |= X86_FLAG_IF;
	} else if (is_flag_virtual(e) && !(e->flags & X86_FLAG_VIP)) {
		e->flags |= X86_FLAG_VIF;
	} else {
		return raise_gp0(e);
	}
	return EMUL_OK;
}
