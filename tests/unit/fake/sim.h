/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host with several CPUs, simulated in one thread of a test: the scheduler,
 * the timers and whatever else is linked run on them unchanged.
 *
 * One CPU runs at a time.  Which one is drawn anew at marked points: before
 * each atomic access (fake/atomic.h), around locks, where interrupts are let
 * in.  The draw comes from a seed, so a failure comes again.  Time goes on a
 * little at each point; interrupts are taken where they are let in.  When every
 * CPU waits for an interrupt, time goes on to the next timer; when there is
 * none, the run is over, and whoever is left sleeping is an error of the
 * code's: a wake-up was lost.
 *
 * Checked all the time: that locks are taken in one order by all (no cycle in
 * who was taken while whom was held), that none but the long ones is held
 * across a switch or where interrupts are let in, that what interrupt handlers
 * lock is nowhere locked with interrupts on, that queues hold what their counts
 * say.
 *
 * GS holds each CPU's address, as on a real host.
 */
#ifndef BULKHEAD_SIM_H
#define BULKHEAD_SIM_H

#include "kernel/cpu.h"
#include "kernel/host.h"

#define SIM_CPUS_MAX  4
#define SIM_HELD_MAX  8
#define SIM_LONGS_MAX 2

/* A stack that somebody runs on: a thread, a CPU's first code, the test. */
struct sim_context {
	void *sp;
	const void *bottom;
	size_t size;
	void *asan;
	/* Long locks that it holds while it does not run. */
	struct spinlock *held[SIM_LONGS_MAX];
};

struct sim_cpu {
	struct cpu cpu;
	struct sim_context idle;
	struct sim_context *context; /* what it runs */
	struct fake_x86 registers;   /* while another runs */
	uint32_t irqs;		     /* enum sim_irq, pending */
	uint64_t timer;		     /* TSC, 0: off */
	bool is_waiting;	     /* in HLT */
	bool is_in_irq;
	uint64_t irq_opens; /* times that interrupts were let in */
	unsigned held_count;
	struct spinlock *held[SIM_HELD_MAX];
};

enum sim_irq { SIM_IRQ_TIMER = 1, SIM_IRQ_KICK = 2, SIM_IRQ_CALL = 4 };

enum sim_lock {
	SIM_LOCK_OTHER,
	SIM_LOCK_LONG,	/* interrupts may be let in while it is held */
	SIM_LOCK_SPACE, /* a domain's space_lock */
	SIM_LOCK_TABLE, /* of all channels */
};

struct sim {
	struct host host;
	unsigned cpu_count;
	struct sim_cpu *cpu;
	unsigned current;
	struct cpu *gs;		 /* the same, for this_cpu() */
	struct sim_context test; /* who called sim_run() */
	bool is_running;
	uint64_t now;
	uint64_t tick; /* TSC from point to point */
	uint64_t random;
	unsigned switch_rate; /* a point in so many goes to another CPU */
	uint64_t points, points_max;
	/* CPUs that wait spend as much time on it as others on what they do,
	 * so that all are as fast as each other; how many points that took. */
	bool is_even;
	uint64_t idle_points;
	/* Ends the run early; NULL: when nothing is left to do. */
	bool (*is_done)(void);
	/* Optional: what sort of lock of vm's it is. */
	enum sim_lock (*lock_sort)(const struct spinlock *lock);
	const char *failure;
	unsigned pages, stacks; /* not given back */
	unsigned pages_left;	/* more cannot be had */
	uint64_t switches;	/* of threads */
	uint64_t barriers;	/* speculation_switch() */
};

/* Errors that were logged, and those with interrupts off. */
struct sim_log {
	unsigned errors, errors_irq_off;
};

extern struct sim sim;
extern struct sim_log logged;

/* From sim_setup() on, this_cpu() is the test's own too: CPU 0. */
void sim_setup(unsigned cpus, uint64_t seed);
/* Until nothing is left to do; NULL or what was wrong. */
const char *sim_run(void);
void sim_teardown(void);
/* The same in the middle of things: what was allocated goes with it. */
void sim_abandon(void);

uint32_t sim_random(uint32_t below);
/* On a simulated CPU: the run ends with that sentence. */
void sim_fail(const char *why);
#define SIM_CHECK(condition)                                \
	do {                                                \
		if (!(condition))                           \
			sim_fail(__FILE__ ": " #condition); \
	} while (0)
/* Ring 3 for so many points: interrupts come, and what follows from them. */
void sim_user(unsigned points);
bool sim_page_is_allocated(hpa_t hpa);
/* Timers that are armed and not a CPU's slice. */
unsigned sim_timers(void);
/* Another CPU goes on: for whoever spins. */
void sim_give_way(void);
/* Time goes on. */
void sim_spend(uint64_t tsc);

static inline struct sim_cpu *sim_this(void)
{
	return &sim.cpu[sim.current];
}

#endif
