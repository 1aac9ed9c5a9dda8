/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel threads: one per vCPU and a few of the monitor's own.  Each belongs
 * to one CPU and to one domain.  A CPU runs the domains that have ready threads
 * in turn, and within a domain its threads in turn: a domain's share of a CPU
 * does not depend on how many threads it has there.
 *
 * The monitor itself is never preempted: a thread gives way in sched_yield(),
 * which it calls when sched_should_yield() says so, and the trap code calls
 * before it returns to ring 3.
 */
#ifndef BULKHEAD_SCHED_H
#define BULKHEAD_SCHED_H

#include "include/compiler.h"
#include "include/spinlock.h"
#include "lib/list.h"
#include "kernel/time.h"

struct cpu;
struct host;

/*
 * A turn of the whole ring takes 40 ms at most while the shortest slice allows
 * that; with few domains a slice is as long as it is worth.
 */
#define SCHED_TURN_NS	   (40 * NSEC_PER_MS)
#define SCHED_SLICE_NS	   (10 * NSEC_PER_MS)
#define SCHED_SLICE_MIN_NS NSEC_PER_MS
#define SCHED_CPUS_MAX	   64
/*
 * Who waits most of the time, for a device, should not wait for everybody's
 * slices, too: a domain of SCHED_WAKE_FIRST goes first when it is woken, and
 * after half a millisecond, as long as it has credit.  That grows by a quarter
 * of the time and shrinks by what the domain runs, so that nobody goes first
 * for more than a quarter of a CPU.
 */
#define SCHED_WAKE_NS	   (500 * NSEC_PER_US)
#define SCHED_CREDIT_SHIFT 2
#define SCHED_CREDIT_NS	   (5 * NSEC_PER_MS) /* at most, and below zero */

enum thread_state {
	THREAD_NEW,
	THREAD_READY,
	THREAD_RUNNING,
	THREAD_BLOCKED,
	THREAD_ENDED,
};

/* The ready threads that a domain has on one CPU. */
struct domain_queue {
	struct list link; /* in its CPU's list while it has any */
	struct list ready;
	int64_t credit;	     /* ticks of the TSC */
	uint64_t credit_tsc; /* up to when it has grown */
};

/* What is special of a wake-up of one of its threads. */
#define SCHED_WAKE_FIRST BIT(0) /* it goes first: see above */
#define SCHED_WAKE_TIMED BIT(1) /* when it was stands in thread.ready_tsc */

/* What shares are given to: embedded in a VM.  The CPUs' locks protect it. */
struct sched_domain {
	uint64_t id;   /* never given twice; 0: none */
	uint8_t wakes; /* SCHED_WAKE_* */
	struct domain_queue queue[SCHED_CPUS_MAX];
};

/*
 * Lives until the last reference is put: one is its own, from thread_create()
 * until it has ended, others come by thread_get().
 *
 * cpu, domain, name, fn, arg and the hooks do not change once it is started;
 * link, state, is_wake_pending and ready_tsc are under its CPU's queue lock;
 * refs is atomic; the rest is its own.
 */
struct thread {
	uint64_t saved_rsp;
	uint64_t stack_top; /* 0 once it has ended */
	hpa_t cr3;	    /* at first the monitor's own */
	struct cpu *cpu;
	struct sched_domain *domain; /* NULL: the monitor's own */
	struct list link;	     /* of its domain's queue while ready */
	enum thread_state state;
	bool is_wake_pending;
	uint32_t refs;
	uint64_t ready_tsc; /* when a wake-up last made it READY */
	char name[24];
	void (*fn)(void *arg);
	void *arg;
	/* Optional, with interrupts off: arg's registers leave and return. */
	void (*switch_out)(void *arg);
	void (*switch_in)(void *arg);
	/* Optional, with interrupts off: before an interrupt or exception
	 * returns to ring 3.  Need not return. */
	void (*before_user)(void *arg);
};

struct run_queue {
	struct spinlock lock;
	struct list domains;	 /* with ready threads, the next first */
	uint32_t domain_count;	 /* of those */
	struct domain_queue own; /* of the monitor's own threads */
	uint32_t ready_count;
	struct thread *idle;
	struct thread *ended; /* to be let go once its stack is left */
	struct timer slice;
	uint64_t slice_ticks, wake_ticks, credit_ticks; /* of the TSC */
	uint64_t slice_end_tsc; /* of a shared CPU's; the timer may be early */
	uint64_t began_tsc;	/* when the current thread came in */
	bool is_hurried;	/* its slice is to end soon */
};

#define THREAD_ANY_CPU UINT32_MAX

void sched_domain_init(struct sched_domain *domain);

/*
 * A new thread, not yet started; set domain, cr3 and the hooks, then
 * thread_start().  cpu_id: or THREAD_ANY_CPU, the next in turn.  NULL when out
 * of memory.  When fn returns the thread ends; who wants to reach it then takes
 * a reference before it is started.
 */
struct thread *__must_check thread_create(const char *name,
					  void (*fn)(void *arg), void *arg,
					  uint32_t cpu_id);
void thread_start(struct thread *thread);
void thread_get(struct thread *thread);
void thread_put(struct thread *thread);
/* Ends a thread that was never started. */
void thread_discard(struct thread *thread);
__noreturn void thread_exit(void);

/*
 * Waits for thread_wake(); returns at once if one came since the last block.
 * Wake-ups do not count up: callers re-check what they waited for.  May
 * return without one.
 */
void thread_block(void);
/* From any CPU, also from interrupt handlers; harmless once it has ended. */
void thread_wake(struct thread *thread);

/* Lets the next ready thread run, of another domain if one waits. */
void sched_yield(void);
/*
 * What has waited for this CPU gets its turn: host interrupts, then other
 * threads.  For whoever does much with interrupts off, which are off before and
 * after; no lock may be held.
 */
void sched_breathe(void);
/* Interrupts are off; the calling thread is about to go back to ring 3. */
void sched_before_user(void);

/* Makes the caller its CPU's first thread, which idles: it may not block. */
void sched_init_cpu(struct cpu *cpu, struct thread *current);
/* The kick interrupt's part: another CPU may have queued a thread here. */
void sched_kicked(struct cpu *cpu);
/* What the first thread of a CPU does when it has nothing else. */
__noreturn void sched_idle(void);

#endif
