/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel threads: one per vCPU and a few of the monitor's own.  Each belongs
 * to one domain and, while it does not move, to one CPU.  A CPU runs the
 * domains that have ready threads in turn, by their weights and caps, and
 * within a domain its threads in turn: a domain's share does not depend on how
 * many threads it has. docs/scheduling.md has the theory.
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
#include "kernel/share.h"
#include "kernel/time.h"

struct cpu;
struct host;

/*
 * Those who wait have had their turns after 16 ms, while the shortest slice
 * allows that; with few domains a slice is as long as it is worth.  Who comes
 * back from sleep may be three slices behind, and others wait for as long.
 */
#define SCHED_TURN_NS	   (16 * NSEC_PER_MS)
#define SCHED_SLICE_NS	   (4 * NSEC_PER_MS)
#define SCHED_SLICE_MIN_NS NSEC_PER_MS
#define SCHED_CPUS_MAX	   64
/*
 * Who is woken and is that much behind goes first, as soon as the thread that
 * it meets has run for as long.
 */
#define SCHED_WAKE_NS	   (500 * NSEC_PER_US)

enum thread_state {
	THREAD_NEW,
	THREAD_READY,
	THREAD_RUNNING,
	THREAD_BLOCKED,
	THREAD_ENDED,
};

/* What shares are given to: embedded in a domain.  share is atomic, the queues
 * are under the CPUs' locks. */
struct sched_domain {
	uint64_t id; /* never given twice; 0: none */
	struct share share;
	struct domain_queue queue[SCHED_CPUS_MAX];
};

/*
 * Lives until the last reference is put: one is its own, from thread_create()
 * until it has ended, others come by thread_get().
 *
 * domain, cpus, name, fn, arg and the hooks do not change once it is started;
 * cpu, queue, next, state, is_wake_pending and ready_tsc are under its CPU's
 * queue lock, and cpu changes under both CPUs'; refs is atomic; the rest is its
 * own.
 */
struct thread {
	uint64_t saved_rsp;
	uint64_t stack_top; /* 0 once it has ended */
	hpa_t cr3;	    /* at first the monitor's own */
	struct cpu *cpu;
	uint64_t cpus;		     /* bit n: it may run on CPU n */
	struct sched_domain *domain; /* NULL: the monitor's own */
	struct domain_queue *queue;  /* its domain's on its CPU */
	struct thread *next;	     /* in that queue while ready */
	enum thread_state state;
	bool is_wake_pending;
	bool is_timed; /* wake-ups set ready_tsc */
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
	struct share own_share;
	uint32_t ready_count;
	struct thread *idle;
	struct thread *ended; /* to be let go once its stack is left */
	struct timer slice;
	uint64_t slice_ticks, wake_ticks; /* of the TSC */
	uint64_t slice_end_tsc; /* of a shared CPU's; the timer may be early */
	struct domain_queue *current; /* the current thread's domain's */
	uint64_t began_tsc;	      /* when the current thread came in */
	uint64_t vnow;		      /* virtual time: see kernel/share.h */
	uint64_t urgent; /* who is behind that need not wait for a slice */
	uint32_t balance_next; /* which CPU is looked at */
	bool is_expired;       /* a slice is over: balance_push() */
	bool is_hurried;       /* the current slice is to end soon */
	bool is_held;	       /* caps keep all that are ready from running */
};

#define THREAD_ANY_CPU UINT32_MAX

/* weight: 1 to GATE_WEIGHT_MAX; cap: percent of one CPU, 0: none. */
void sched_domain_init(struct sched_domain *domain, uint32_t weight,
		       uint32_t cap);

/*
 * A new thread, not yet started; set domain, cr3 and the hooks, then
 * thread_start().  cpu_id: or THREAD_ANY_CPU, the next in turn.  NULL when out
 * of memory.  When fn returns the thread ends; who wants to reach it then takes
 * a reference before it is started.
 */
struct thread *__must_check thread_create(const char *name,
					  void (*fn)(void *arg), void *arg,
					  uint32_t cpu_id);
/*
 * Before it is started: where it may run, bit n being the nth CPU that runs
 * domains.  -EINVAL if one of them is not there.
 */
int __must_check thread_pin(struct thread *thread, uint64_t cpus);
void thread_start(struct thread *thread);
void thread_get(struct thread *thread);
void thread_put(struct thread *thread);
/* Ends a thread that was never started. */
void thread_discard(struct thread *thread);
/* The calling thread becomes the monitor's own; interrupts are off. */
void thread_leave_domain(void);
__noreturn void thread_exit(void);

/* For kernel/balance.c, with the CPU's queue locked: who has it alone, perhaps
 * for long, is charged for that. */
void sched_charge_alone(struct cpu *cpu);
/*
 * With the queues of both CPUs locked: the first ready
 * thread of its domain on its CPU goes to another one.
 */
void thread_move(struct thread *thread, struct cpu *to);
/* One in no queue becomes ready there, its domain being where tag says unless
 * it is ready there already. */
void thread_arrive(struct thread *thread, struct cpu *to, uint64_t tag);

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
 * The wanted one goes next if it is ready on this CPU, of the caller's domain,
 * and that has not had too much; NULL: whichever of the domain's waits here.
 * Else as sched_yield().  The caller holds a reference.
 */
void sched_yield_to(const struct thread *wanted);
/*
 * What has waited for this CPU gets its turn: host interrupts, then other
 * threads.  For whoever does much with interrupts off, which are off before and
 * after; no lock may be held.
 */
void sched_breathe(void);
/* Interrupts are off; the calling thread is about to go back to ring 3. */
void sched_before_user(void);

/*
 * kernel/balance.c, with interrupts off.  The calling CPU has nothing to do:
 * true if it has taken a thread that waited for another; else it is one of
 * host->idle_cpus until it next chooses one.
 */
bool balance_pull(struct cpu *cpu);
/*
 * The thread, which is on no CPU and in no queue, is woken on cpu, whose queue
 * is locked: true if it went to another one that idles.  Called where nobody
 * shared the CPU until now, or others idle.
 */
bool balance_wake(struct cpu *cpu, struct thread *thread);
/*
 * Who had the calling CPU for a slice has given way: one that waits may leave
 * for another CPU.
 */
void balance_push(struct cpu *cpu);

/* Makes the caller its CPU's first thread, which idles: it may not block. */
void sched_init_cpu(struct cpu *cpu, struct thread *current);
/* The kick interrupt's part: another CPU may have queued a thread here. */
void sched_kicked(struct cpu *cpu);
/* What the first thread of a CPU does when it has nothing else. */
__noreturn void sched_idle(void);

#endif
