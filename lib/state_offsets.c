/* SPDX-License-Identifier: BSD-2-Clause */
/* struct x86_state for assembly; see include/offsets.h. */
#include "include/offsets.h"
#include "include/x86_state.h"

void state_offsets(void);
void state_offsets(void)
{
	OFFSET(STATE_RAX, struct x86_state, gpr[X86_RAX]);
	OFFSET(STATE_RCX, struct x86_state, gpr[X86_RCX]);
	OFFSET(STATE_RDX, struct x86_state, gpr[X86_RDX]);
	OFFSET(STATE_RBX, struct x86_state, gpr[X86_RBX]);
	OFFSET(STATE_RBP, struct x86_state, gpr[X86_RBP]);
	OFFSET(STATE_RSI, struct x86_state, gpr[X86_RSI]);
	OFFSET(STATE_RDI, struct x86_state, gpr[X86_RDI]);
	OFFSET(STATE_R8, struct x86_state, gpr[X86_R8]);
	OFFSET(STATE_R9, struct x86_state, gpr[X86_R8 + 1]);
	OFFSET(STATE_R10, struct x86_state, gpr[X86_R8 + 2]);
	OFFSET(STATE_R11, struct x86_state, gpr[X86_R8 + 3]);
	OFFSET(STATE_R12, struct x86_state, gpr[X86_R8 + 4]);
	OFFSET(STATE_R13, struct x86_state, gpr[X86_R8 + 5]);
	OFFSET(STATE_R14, struct x86_state, gpr[X86_R8 + 6]);
	OFFSET(STATE_R15, struct x86_state, gpr[X86_R15]);
}
