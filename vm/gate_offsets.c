/* SPDX-License-Identifier: BSD-2-Clause */
/* What vm/gate_entry.asm needs to know; see include/offsets.h. */
#include "include/offsets.h"
#include "include/errno.h"
#include "include/gate.h"
#include "include/x86.h"
#include "kernel/sched.h"
#include "vm/gate.h"

void gate_offsets(void);
void gate_offsets(void)
{
	CONSTANT(GATE_ROW_SHIFT, GATE_ROW_SHIFT);
	CONSTANT(GATE_CALLS, GATE_CALL_COUNT);
	CONSTANT(GATE_ROWS, GATE_ROWS);
	CONSTANT(GATE_UNKNOWN, -ENOSYS);
	/* Interrupts on, and the bit that is always set. */
	CONSTANT(USER_RFLAGS, RFLAGS_IF | X86_FLAG_ONE);
}
