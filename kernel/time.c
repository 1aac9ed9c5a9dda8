/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time: conversions and the timer queues.
 *
 * boot/calibrate.c finds the rates.  All CPUs' TSCs are taken to be in step, as
 * on every machine with an invariant TSC and on the simulators.
 *
 * Queues are sorted lists: a CPU has a handful of timers.  The hardware is
 * only reprogrammed for an earlier deadline; a later one is put in when the
 * old one goes off, so arming and disarming the same timer over and over
 * costs no register access.
 *
 * References: SDM volume 3, "Time-Stamp Counter", "APIC Timer".
 */
#include "kernel/time.h"

#include "kernel/host.h"

#define TIMER_COUNT_MAX 0x7fffffff

void time_init_cpu(struct cpu *cpu)
{
	cpu->timers.first = NULL;
	cpu->timers.programmed = TIMER_NEVER;
}

uint64_t time_ns_to_tsc(uint64_t ns)
{
	return time_scale(this_host()->time.ns_to_tsc, ns);
}

uint64_t time_now_ns(void)
{
	const struct time_base *base = &this_host()->time;

	return time_scale(base->tsc_to_ns, tsc_read() - base->boot_tsc);
}

uint64_t time_tsc_hz(void)
{
	return this_host()->time.tsc_hz;
}

void time_delay_ns(uint64_t ns)
{
	uint64_t end = tsc_read() + time_ns_to_tsc(ns);

	while ((int64_t)(end - tsc_read()) > 0)
		cpu_relax();
}

/* Has the hardware interrupt this CPU at the deadline, or soon if it is past.
 */
static void timer_program(struct cpu *cpu, uint64_t deadline)
{
	const struct host *host = cpu->host;
	uint64_t now, count;

	cpu->timers.programmed = deadline;
	if (host->lapic.has_tsc_deadline) {
		lapic_timer_deadline(deadline);
		return;
	}
	now = tsc_read();
	count = deadline > now
			? time_scale(host->time.tsc_to_timer, deadline - now) +
				  1
			: 1;
	lapic_timer_start(&host->lapic, (uint32_t)MIN(count, TIMER_COUNT_MAX));
}

static void queue_insert(struct timer_queue *queue, struct timer *timer)
{
	struct timer **at = &queue->first;

	while (*at && (*at)->deadline_tsc <= timer->deadline_tsc)
		at = &(*at)->next;
	timer->next = *at;
	*at = timer;
}

static void queue_remove(struct timer_queue *queue, struct timer *timer)
{
	struct timer **at = &queue->first;

	while (*at && *at != timer)
		at = &(*at)->next;
	if (*at)
		*at = timer->next;
}

/* Off whatever queue it is on; timer->lock held: nobody puts it on another. */
static void timer_unlink(struct timer *timer)
{
	struct cpu *cpu = __atomic_load_n(&timer->cpu, __ATOMIC_ACQUIRE);

	if (!cpu)
		return;
	spin_lock(&cpu->timers.lock);
	/* Unless it has expired meanwhile. */
	if (timer->cpu == cpu) {
		queue_remove(&cpu->timers, timer);
		timer->cpu = NULL;
	}
	spin_unlock(&cpu->timers.lock);
}

void timer_cancel(struct timer *timer)
{
	uint64_t flags = spin_lock_irqsave(&timer->lock);

	timer_unlink(timer);
	spin_unlock_irqrestore(&timer->lock, flags);
}

void timer_cancel_sync(struct timer *timer)
{
	timer_cancel(timer);
	while (__atomic_load_n(&timer->running, __ATOMIC_ACQUIRE))
		cpu_relax();
}

void timer_arm(struct timer *timer, uint64_t deadline_tsc)
{
	uint64_t flags = spin_lock_irqsave(&timer->lock);
	struct cpu *cpu = this_cpu();

	timer_unlink(timer);
	spin_lock(&cpu->timers.lock);
	timer->deadline_tsc = deadline_tsc;
	timer->cpu = cpu;
	queue_insert(&cpu->timers, timer);
	if (cpu->timers.first->deadline_tsc < cpu->timers.programmed)
		timer_program(cpu, cpu->timers.first->deadline_tsc);
	spin_unlock(&cpu->timers.lock);
	spin_unlock_irqrestore(&timer->lock, flags);
}

unsigned timers_armed(void)
{
	const struct host *host = this_host();
	unsigned count = 0;

	for (unsigned i = 0; i < host->cpu_count; i++) {
		struct timer_queue *queue = &host->cpu[i]->timers;
		uint64_t flags = spin_lock_irqsave(&queue->lock);

		for (struct timer *at = queue->first; at; at = at->next)
			count++;
		spin_unlock_irqrestore(&queue->lock, flags);
	}
	return count;
}

/* The queue is locked, but not while the function runs. */
static void timer_expire(struct timer_queue *queue, struct timer *timer)
{
	queue->first = timer->next;
	__atomic_fetch_add(&timer->running, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&timer->cpu, NULL, __ATOMIC_RELEASE);
	spin_unlock(&queue->lock);
	timer->fn(timer->ctx);
	/* The last that is done with it: timer_cancel_sync() waits for it. */
	__atomic_fetch_sub(&timer->running, 1, __ATOMIC_RELEASE);
	spin_lock(&queue->lock);
}

void timer_interrupt(struct cpu *cpu)
{
	struct timer_queue *queue = &cpu->timers;
	struct timer *timer;

	spin_lock(&queue->lock);
	queue->programmed = TIMER_NEVER;
	while ((timer = queue->first) && timer->deadline_tsc <= tsc_read())
		timer_expire(queue, timer);
	if (timer && timer->deadline_tsc < queue->programmed)
		timer_program(cpu, timer->deadline_tsc);
	spin_unlock(&queue->lock);
}
