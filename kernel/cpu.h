/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A physical CPU: its descriptor tables, its stacks, and what it runs.  The
 * GS base holds its address while in ring 0.
 *
 * References: SDM volume 3, "Task Management"; APM volume 2, "System
 * Resources".
 */
#ifndef BULKHEAD_CPU_H
#define BULKHEAD_CPU_H

#include "include/compiler.h"
#include "kernel/sched.h"
#include "kernel/time.h"

struct host;

/* In the order that SYSCALL and SYSRET want. */
enum gdt_selector {
	SELECTOR_KERNEL_CODE = 0x08,
	SELECTOR_KERNEL_DATA = 0x10,
	SELECTOR_USER_CODE32 = 0x18 | 3, /* SYSRET's base; an empty slot */
	SELECTOR_USER_DATA = 0x20 | 3,
	SELECTOR_USER_CODE = 0x28 | 3,
	SELECTOR_TSS = 0x30,
};
#define GDT_ENTRIES 8

/* Stacks of their own for what may hit at any instruction. */
enum trap_stack {
	TRAP_STACK_NMI = 1,
	TRAP_STACK_DF = 2,
	TRAP_STACK_MC = 3,
	TRAP_STACK_DB = 4,
};
#define TRAP_STACKS 4

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map;
} __packed;
ASSERT_SIZE(struct tss, 104);
ASSERT_OFFSET(struct tss, ist, 36);

struct cpu {
	struct cpu *self;
	uint64_t kernel_stack_top; /* of the current thread: for SYSCALL */
	uint64_t scratch[4];	   /* for entry code with no stack yet */
	/*
	 * Page-table isolation: what ring 0 and ring 3 run on, and the stack
	 * that interrupts of ring 3 begin on.  Of the current thread:
	 * user_root, and copy_root, which has ring 3's half and the monitor's.
	 */
	hpa_t monitor_root, user_root, copy_root;
	uint64_t entry_stack_top;
	struct thread *thread;
	/* Of the current thread, if it has a part in ring 3: what the gate's
	 * calls get, and their table. */
	void *gate_arg;
	const void *gate_table;
	bool is_isolated;
	/* Set by interrupts: the thread should yield when it can. */
	bool is_resched_needed;
	bool has_smap;
	bool is_online;
	bool fills_rsb;	     /* after each exit of a guest: see speculation.h */
	bool runs_no_domain; /* another thread of its core does */
	bool is_called;	     /* by cpu_call_others() of another CPU */
	uint32_t id;	     /* 0 is the CPU that booted */
	uint32_t apic_id;
	uint32_t node; /* ACPI's proximity domain */
	struct host *host;
	uint32_t mxcsr_mask;  /* MXCSR's bits that this processor has */
	uint64_t last_domain; /* that ran here: its id */

	void *fpu_owner; /* whose FPU, SSE and AVX state is loaded */
	void *vendor;	 /* the back end's */

	struct thread first_thread; /* what started this CPU, then idles */
	struct run_queue queue;
	struct timer_queue timers;
	uint64_t irq_count;

	uint64_t gdt[GDT_ENTRIES];
	struct tss tss;
	/* A frame with error code and vector, and what saves a register. */
	uint64_t entry_stack[16] __aligned(16);
} __aligned(PAGE_SIZE);
_Static_assert(sizeof(struct cpu) == PAGE_SIZE, "ring 3 sees nothing else");

static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

/*
 * Runs fn(ctx) on the other CPUs of the mask (bit n: CPU n; the caller's own
 * counts for nothing), in their interrupt handlers, and waits until all have:
 * on return they have left whatever guest they ran at the call.  Interrupts may
 * be off here, but no lock may be held that another CPU might wait for with
 * interrupts off.
 */
void cpu_call(uint64_t mask, void (*fn)(void *ctx), void *ctx);
/* On all of them. */
void cpu_call_others(void (*fn)(void *ctx), void *ctx);
/* The call interrupt's part. */
void cpu_call_serve(struct cpu *cpu);

/* Makes the CPU leave a guest or HLT soon; the calling one is interrupted as
 * soon as it has interrupts on. */
void cpu_kick(struct cpu *cpu);

/* One load, for the exit path: the scheduler wants this CPU back. */
static inline bool sched_should_yield(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->is_resched_needed, __ATOMIC_RELAXED);
}

#endif
