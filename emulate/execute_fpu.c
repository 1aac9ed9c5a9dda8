/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x87 arithmetic, comparisons, loads and stores, executed by the processor
 * itself with the guest's control word: an exception that is not masked sets
 * ES, as it should, and waits for the guest's next x87 instruction, for the
 * stub has none behind its own.
 *
 * Pointers become the guest's where the processor has stored the stub's; what
 * it leaves alone stays.
 *
 * Not modelled: FERR# (with CR0.NE clear there is #MF, too); the selectors that
 * older processors keep beside the pointers.
 *
 * References: SDM volume 1, "Programming with the x87 FPU"; volume 2, appendix
 * "Opcode Map", escape opcodes.
 */
#include "emulate/execute.h"
#include "emulate/flags.h"
#include "emulate/stubs.h"
#include "emulate/x87.h"

#define OPERAND_MAX 16

#define STORE	 BIT(7) /* writes memory */
#define SSE3	 BIT(6) /* FISTTP */
#define SIZE(of) ((of)&MASK(5, 0))

/* Bytes by escape opcode and reg; 0: undefined, or not executed here. */
static const uint8_t memory_forms[8][8] = {
	/* d8 */ { 4, 4, 4, 4, 4, 4, 4, 4 },
	/* d9 */ { 4, 0, STORE | 4, STORE | 4, 0, 0, 0, 0 },
	/* da */ { 4, 4, 4, 4, 4, 4, 4, 4 },
	/* db */
	{ 4, STORE | SSE3 | 4, STORE | 4, STORE | 4, 0, 10, 0, STORE | 10 },
	/* dc */ { 8, 8, 8, 8, 8, 8, 8, 8 },
	/* dd */
	{ 8, STORE | SSE3 | 8, STORE | 8, STORE | 8, 0, 0, 0, 0 },
	/* de */ { 2, 2, 2, 2, 2, 2, 2, 2 },
	/* df */
	{ 2, STORE | SSE3 | 2, STORE | 2, STORE | 2, 10, 8, STORE | 10,
	  STORE | 8 },
};

/* Register forms that exist: by escape opcode and reg, a bit each rm. */
static const uint8_t register_forms[8][8] = {
	/* d8 */ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	/* d9 */ { 0xff, 0xff, 0x01, 0xff, 0x33, 0x7f, 0xff, 0xff },
	/* da */ { 0xff, 0xff, 0xff, 0xff, 0x00, 0x02, 0x00, 0x00 },
	/* db */ { 0xff, 0xff, 0xff, 0xff, 0x00, 0xff, 0xff, 0x00 },
	/* dc */ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	/* dd */ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00 },
	/* de */ { 0xff, 0xff, 0xff, 0x02, 0xff, 0xff, 0xff, 0xff },
	/* df */ { 0xff, 0xff, 0xff, 0xff, 0x00, 0xff, 0xff, 0x00 },
};

EXECUTE(fwait)
{
	if ((e->state->cr0 & (X86_CR0_MP | X86_CR0_TS)) ==
	    (X86_CR0_MP | X86_CR0_TS))
		return emul_raise(e, X86_VECTOR_NM);
	TRY(emul_state_need(e, X86_GROUP_XSTATE));
	if (e->xstate && x87_is_pending(e->xstate))
		return emul_raise(e, X86_VECTOR_MF);
	return EMUL_OK;
}

/* In protected mode the pointers are offsets, elsewhere linear addresses. */
static uint64_t pointer_of(const struct emul *e, unsigned seg, uint64_t offset)
{
	if (mode_is_protected(e))
		return offset;
	return (uint32_t)(e->state->seg[seg].base + offset);
}

static void pointers_take(struct emul *e, const struct emul_stub_x87 *stub)
{
	const struct x86_xstate *from = &stub->area;
	struct x86_xstate *x = e->xstate;
	uint16_t fop = (uint16_t)((e->d->opcode & 7) << 8 | e->d->modrm);

	if (from->fip == (uintptr_t)stub->code) {
		x->fip = pointer_of(e, X86_CS, e->state->rip);
		if (from->fop)
			x->fop = fop;
	}
	if (e->d->is_memory && from->fdp == (uintptr_t)stub->memory)
		x->fdp = pointer_of(e, e->d->segment, e->offset);
}

static void stub_load(struct emul *e, struct emul_stub_x87 *stub)
{
	struct x86_xstate *x = &stub->area;

	memcpy(x, e->xstate, STUB_X87_AREA);
	x->fip = x->fdp = x->fop = 0;
	stub->flags = (e->flags & FLAGS_ARITHMETIC) | X86_FLAG_ONE;
}

/* All of the x87's state but for the pointers. */
static void stub_commit(struct emul *e, struct emul_stub_x87 *stub)
{
	const struct x86_xstate *from = &stub->area;
	struct x86_xstate *x = e->xstate;

	x->fcw = from->fcw;
	x->fsw = from->fsw;
	x->ftw = from->ftw;
	memcpy(x->st, from->st, sizeof(x->st));
	pointers_take(e, stub);
	e->state->dirty |= X86_GROUP_XSTATE;
}

/*
 * Whether an operand was stored: with an exception that is not masked it may
 * not be.  Bytes that differ from two fills were.
 */
static bool run_store(struct emul *e, struct emul_stub_x87 *stub,
		      uint8_t *operand, unsigned size)
{
	const struct x86_xstate *after = &stub->area;
	uint8_t first[OPERAND_MAX];

	memset(operand, 0, OPERAND_MAX);
	emul_stub_x87(stub);
	if (!(after->fsw & FSW_ES))
		return true;
	memcpy(first, operand, size);
	memset(operand, UINT8_MAX, OPERAND_MAX);
	stub_load(e, stub);
	emul_stub_x87(stub);
	return !memcmp(first, operand, size);
}

EXECUTE(x87_memory)
{
	uint8_t form = memory_forms[e->d->opcode & 7][modrm_reg_field(e)];
	uint8_t operand[OPERAND_MAX] = { 0 };
	struct emul_stub_x87 stub;
	unsigned size = SIZE(form);

	if (!form || (form & SSE3 && !(e->features & EMUL_FEATURE_SSE3)))
		return raise_ud(e);
	TRY(emul_x87_wait(e));
	if (!(form & STORE))
		TRY(emul_pieces_access(e, e->offset, operand, size, 8, false));
	stub_load(e, &stub);
	stub.code = emul_stub_x87_find(e->d->opcode,
				       (uint8_t)(modrm_reg_field(e) << 3));
	stub.memory = operand;
	/* The processor's registers are not the guest's from here on. */
	e->state->dirty |= X86_GROUP_XSTATE;
	/* Memory that is not written Intel's do not look at either. */
	if (!(form & STORE))
		emul_stub_x87(&stub);
	else if (run_store(e, &stub, operand, size))
		TRY(emul_pieces_access(e, e->offset, operand, size, 8, true));
	else if (!(e->features & EMUL_FEATURE_INTEL))
		TRY(emul_pieces_check(e, e->offset, size, 8));
	stub_commit(e, &stub);
	return EMUL_OK;
}

EXECUTE(x87_register)
{
	uint8_t forms = register_forms[e->d->opcode & 7][modrm_reg_field(e)];
	struct emul_stub_x87 stub;

	if (!(forms >> (e->d->modrm & 7) & 1))
		return raise_ud(e);
	TRY(emul_x87_wait(e));
	stub_load(e, &stub);
	stub.code = emul_stub_x87_find(e->d->opcode, e->d->modrm);
	stub.memory = NULL;
	e->state->dirty |= X86_GROUP_XSTATE;
	emul_stub_x87(&stub);
	stub_commit(e, &stub);
	flags_set(e, FLAGS_ARITHMETIC, stub.flags);
	return EMUL_OK;
}
