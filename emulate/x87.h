/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What x87 and MMX instructions have in common: whether they may be executed,
 * and the registers that both have.
 *
 * References: SDM volume 1, "Programming with the x87 FPU", "The MMX State and
 * MMX Register Aliasing".
 */
#ifndef BULKHEAD_EMULATE_X87_H
#define BULKHEAD_EMULATE_X87_H

#include "emulate/internal.h"

#define FSW_TOP	       MASK(13, 11)
#define FSW_ES	       BIT(7)
#define FSW_B	       BIT(15)
#define FSW_EXCEPTIONS MASK(5, 0)

/* Instructions that do not wait for exceptions (FN...). */
enum emul_status emul_x87_begin(struct emul *e);
/* Those that do: #MF for an unmasked one that is pending. */
enum emul_status emul_x87_wait(struct emul *e);
enum emul_status emul_mmx_begin(struct emul *e);
/* To MMX's view: TOP becomes 0, every register is in use. */
void emul_mmx_enter(struct x86_xstate *x);

/*
 * Does an exception that is not masked wait?  Not where XRSTOR left the state
 * initial: the words of the area are then older.
 */
static inline bool x87_is_pending(const struct x86_xstate *x)
{
	return x->xstate_bv & X86_XCR0_X87 && x->fsw & ~x->fcw & FSW_EXCEPTIONS;
}

static inline uint64_t mmx_get(const struct emul *e, unsigned reg)
{
	return ram_load(e->xstate->st[reg & 7], 8);
}

static inline void mmx_set(struct emul *e, unsigned reg, uint64_t value)
{
	uint8_t *st = e->xstate->st[reg & 7];

	ram_store(st, value, 8);
	ram_store(st + 8, UINT16_MAX, 2);
	e->state->dirty |= X86_GROUP_XSTATE;
}

#endif
