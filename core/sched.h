/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel threads: one per vCPU and a few of the monitor's own.  Each belongs
 * to one CPU, whose queue runs round robin.  The monitor itself is never
 * preempted: a thread gives way in sched_yield(), which it calls when
 * sched_should_yield() says so, and the trap code calls before it returns to
 * ring 3.
 */
#ifndef BULKHEAD_SCHED_H
#define BULKHEAD_SCHED_H

#include "include/compiler.h"
#include "include/spinlock.h"
#include "lib/list.h"
#include "core/time.h"

struct cpu;
struct host;

#define SCHED_SLICE_NS (10 * NSEC_PER_MS)

enum thread_state {
	THREAD_NEW,
	THREAD_READY,
	THREAD_RUNNING,
	THREAD_BLOCKED,
	THREAD_ENDED,
};

struct thread {
	uint64_t saved_rsp;
	uint64_t stack_top;
	hpa_t cr3; /* at first the monitor's own */
	struct cpu *cpu;
	struct list link; /* of its CPU's queue while ready */
	enum thread_state state;
	bool is_wake_pending;
	char name[24];
	void (*fn)(void *arg);
	void *arg;
	/* Optional, with interrupts off: arg's registers leave and return. */
	void (*switch_out)(void *arg);
	void (*switch_in)(void *arg);
};

struct run_queue {
	struct spinlock lock;
	struct list ready;
	uint32_t ready_count;
	struct thread *idle;
	struct thread *ended; /* to be freed once its stack is left */
	struct timer slice;
};

#define THREAD_ANY_CPU UINT32_MAX

/*
 * A new thread, not yet started; set cr3 and the hooks, then thread_start().
 * cpu_id: or THREAD_ANY_CPU, the next in turn.  NULL when out of memory.  When
 * fn returns the thread ends and frees itself.
 */
struct thread *__must_check thread_create(const char *name,
					  void (*fn)(void *arg), void *arg,
					  uint32_t cpu_id);
void thread_start(struct thread *thread);
/* Frees a thread that was never started. */
void thread_discard(struct thread *thread);
__noreturn void thread_exit(void);

/*
 * Waits for thread_wake(); returns at once if one came since the last block.
 * Wake-ups do not count up: callers re-check what they waited for.  May
 * return without one.
 */
void thread_block(void);
/* From any CPU, also from interrupt handlers. */
void thread_wake(struct thread *thread);

/* Lets the next ready thread run. */
void sched_yield(void);

/* Makes the caller its CPU's first thread, which idles: it may not block. */
void sched_init_cpu(struct cpu *cpu, struct thread *current);
/* The kick interrupt's part: another CPU may have queued a thread here. */
void sched_kicked(struct cpu *cpu);
/* What the first thread of a CPU does when it has nothing else. */
__noreturn void sched_idle(void);

#endif
