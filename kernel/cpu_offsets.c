/* SPDX-License-Identifier: BSD-2-Clause */
/* Offsets that the monitor's assembly uses; see include/offsets.h. */
#include "include/offsets.h"
#include "kernel/cpu.h"
#include "kernel/trap.h"

void cpu_offsets(void);

void cpu_offsets(void)
{
	OFFSET(CPU_KERNEL_STACK_TOP, struct cpu, kernel_stack_top);
	OFFSET(CPU_SCRATCH, struct cpu, scratch);
	OFFSET(CPU_IS_ISOLATED, struct cpu, is_isolated);
	OFFSET(CPU_MONITOR_ROOT, struct cpu, monitor_root);
	OFFSET(CPU_USER_ROOT, struct cpu, user_root);
	OFFSET(CPU_ENTRY_STACK_TOP, struct cpu, entry_stack_top);
	OFFSET(CPU_FILLS_RSB, struct cpu, fills_rsb);
	OFFSET(CPU_THREAD, struct cpu, thread);
	OFFSET(CPU_GATE_ARG, struct cpu, gate_arg);
	OFFSET(CPU_GATE_TABLE, struct cpu, gate_table);
	OFFSET(CPU_IS_RESCHED_NEEDED, struct cpu, is_resched_needed);
	OFFSET(FRAME_CS, struct trap_frame, cs);
	OFFSET(FRAME_VECTOR, struct trap_frame, vector);
	CONSTANT(FRAME_SIZE, sizeof(struct trap_frame));
}
