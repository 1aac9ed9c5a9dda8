/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small instructions of recent processors: RDRAND, RDSEED, RDPID, SERIALIZE,
 * MOVDIRI, MOVDIR64B, CLZERO.
 *
 * References: SDM volume 2, instruction pages; APM volume 3, "CLZERO".
 */
#include "emulate/execute.h"
#include "emulate/flags.h"

#define LINE 64U

static enum emul_status feature_check(struct emul *e, uint64_t feature)
{
	return e->features & feature ? EMUL_OK : raise_ud(e);
}

/* CF: whether there was a number; without, the register is zero. */
static enum emul_status random_store(struct emul *e, uint64_t value,
				     bool is_there)
{
	e->dst = is_there ? value : 0;
	flags_set(e, FLAGS_ARITHMETIC, is_there ? X86_FLAG_CF : 0);
	return EMUL_OK;
}

/* The guest has the feature because this processor does. */
EXECUTE(rdrand)
{
	uint64_t value;
	bool is_there;

	TRY(feature_check(e, EMUL_FEATURE_RDRAND));
	__asm__ volatile("rdrand %0" : "=r"(value), "=@ccc"(is_there));
	return random_store(e, value, is_there);
}

EXECUTE(rdseed)
{
	uint64_t value;
	bool is_there;

	TRY(feature_check(e, EMUL_FEATURE_RDSEED));
	__asm__ volatile("rdseed %0" : "=r"(value), "=@ccc"(is_there));
	return random_store(e, value, is_there);
}

/* The whole register, whatever the operand size. */
EXECUTE(rdpid)
{
	uint64_t tsc;
	uint32_t aux;

	TRY(feature_check(e, EMUL_FEATURE_RDPID));
	if (!e->ops->tsc)
		return EMUL_UNHANDLED;
	TRY(e->ops->tsc(e->ctx, &tsc, &aux));
	gpr_set(e, modrm_rm(e), aux, mode_is_64(e) ? 8 : 4);
	return EMUL_OK;
}

/* One instruction at a time is serialized anyway. */
EXECUTE(serialize)
{
	return feature_check(e, EMUL_FEATURE_SERIALIZE);
}

EXECUTE(movdiri)
{
	TRY(feature_check(e, EMUL_FEATURE_MOVDIRI));
	e->dst = e->src;
	return EMUL_OK;
}

static enum emul_status line_write(struct emul *e, unsigned seg, uint64_t at,
				   const uint8_t *line)
{
	return emul_memory_write(e, seg, at, line, LINE);
}

/* From the memory operand to ES:reg, which must be aligned. */
EXECUTE(movdir64b)
{
	uint64_t to = e->state->gpr[modrm_reg(e)] & address_mask(e), linear;
	uint8_t line[LINE];

	TRY(feature_check(e, EMUL_FEATURE_MOVDIR64B));
	linear = to + (mode_is_64(e) ? 0 : e->state->seg[X86_ES].base);
	if (linear & (LINE - 1))
		return raise_gp0(e);
	TRY(emul_memory_read(e, e->d->segment, e->offset, line, LINE));
	return line_write(e, X86_ES, to, line);
}

/* The line that rAX points into. */
EXECUTE(clzero)
{
	unsigned seg = e->d->override ? e->d->override - 1 : X86_DS;
	uint64_t at = e->state->gpr[X86_RAX] & address_mask(e);
	static const uint8_t zeros[LINE];

	TRY(feature_check(e, EMUL_FEATURE_CLZERO));
	return line_write(e, seg, at & ~(uint64_t)(LINE - 1), zeros);
}
