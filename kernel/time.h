/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time: the TSC, its rate, and one-shot timers per CPU on the local APIC's.
 */
#ifndef BULKHEAD_TIME_H
#define BULKHEAD_TIME_H

#include "include/compiler.h"
#include "include/spinlock.h"
#include "include/x86.h"

struct cpu;

#define TIMER_NEVER UINT64_MAX

/*
 * Expired: fn is called with interrupts off and no lock held on the CPU that
 * armed the timer, not armed any more; it may arm itself again.
 *
 * Any CPU may arm and cancel a timer at any time, several at once: lock
 * serializes them.  Order: timer.lock, then the queue's.
 */
struct timer {
	struct spinlock lock;
	uint32_t running; /* calls of fn under way, atomic */
	uint64_t deadline_tsc;
	void (*fn)(void *ctx);
	void *ctx;
	/* Under the lock of the queue that it is on: */
	struct timer *next;
	struct cpu *cpu; /* whose queue that is, NULL: not armed */
};

struct timer_queue {
	struct spinlock lock;
	struct timer *first; /* sorted by deadline */
	uint64_t programmed; /* deadline the hardware has, or TIMER_NEVER */
};

/* Rates as mul and shift: ns = tsc * mul >> shift. */
struct time_rate {
	uint64_t mul;
	uint32_t shift;
};

struct time_base {
	uint64_t tsc_hz;
	uint64_t timer_hz; /* local APIC's count, 0: TSC deadline mode */
	uint64_t boot_tsc;
	struct time_rate tsc_to_ns;
	struct time_rate ns_to_tsc;
	struct time_rate tsc_to_timer;
};

static inline uint64_t time_scale(struct time_rate rate, uint64_t value)
{
	return (uint64_t)(((unsigned __int128)value * rate.mul) >> rate.shift);
}

/* TSC of this host; the CPUs' are taken to be in step. */
static inline uint64_t time_now_tsc(void)
{
	return tsc_read();
}
/* A duration. */
uint64_t time_ns_to_tsc(uint64_t ns);
/* Since boot. */
uint64_t time_now_ns(void);
uint64_t time_tsc_hz(void);
void time_delay_ns(uint64_t ns);

/* On this CPU; an armed timer (of any CPU) is moved. */
void timer_arm(struct timer *timer, uint64_t deadline_tsc);
/*
 * After it, fn is not called until the timer is armed again; it may be running
 * on another CPU.  Harmless if not armed.
 */
void timer_cancel(struct timer *timer);
/*
 * The same, and fn is not running either: what it uses may be freed, if nobody
 * arms the timer again.  Not from fn itself, nor with a lock held that fn
 * takes.
 */
void timer_cancel_sync(struct timer *timer);

/* Armed at this moment, on all CPUs. */
unsigned timers_armed(void);

/* The timer interrupt. */
void timer_interrupt(struct cpu *cpu);
void time_init_cpu(struct cpu *cpu);

#endif
