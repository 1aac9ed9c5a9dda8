/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler: per CPU a ring of domains that have ready threads, each domain
 * with a FIFO of those.  Turns go round the ring, a slice of 10 ms at most
 * while others wait: whoever is ready runs after one slice of each other
 * domain, be there one thread behind it or sixteen.
 *
 *            start, wake            picked
 *   NEW ──────────────────► READY ────────► RUNNING ──► ENDED
 *              BLOCKED ───────►▲  ◄──────────  │  exit
 *                 ▲                 yield      │
 *                 └──────── block ─────────────┘
 *
 * A CPU's queue is locked across the switch; the thread that comes in unlocks
 * it, so no other CPU sees a half-switched one.  A thread that has ended gives
 * its stack back when it has been left; its struct stays while somebody holds a
 * reference, who may go on waking it to no effect.
 *
 * Not here: weights, moving threads between CPUs, priorities.
 */
#include "kernel/sched.h"

#include "kernel/host.h"
#include "include/log.h"
#include "include/panic.h"
#include "include/x86.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/map.h"

#define SWITCH_FRAME_WORDS 8 /* six registers, return address, alignment */

void thread_switch(uint64_t *save_rsp, uint64_t load_rsp);
void thread_entry(void);
__noreturn void thread_first(void);

static void slice_expired(void *ctx)
{
	struct cpu *cpu = ctx;

	cpu->is_resched_needed = true;
}

void sched_init_cpu(struct cpu *cpu, struct thread *current)
{
	struct run_queue *queue = &cpu->queue;

	list_init(&queue->domains);
	list_init(&queue->own.link);
	list_init(&queue->own.ready);
	queue->slice.fn = slice_expired;
	queue->slice.ctx = cpu;
	(void)snprintf(current->name, sizeof(current->name), "cpu%u", cpu->id);
	list_init(&current->link);
	current->state = THREAD_RUNNING;
	current->cpu = cpu;
	current->cr3 = cpu->host->map.table.root;
	queue->idle = current;
	cpu->thread = current;
}

_Static_assert(SCHED_CPUS_MAX >= HOST_CPUS_MAX, "a queue for each CPU");

void sched_domain_init(struct sched_domain *domain)
{
	domain->id = __atomic_add_fetch(&this_host()->domains_made, 1,
					__ATOMIC_RELAXED);
	for (unsigned i = 0; i < SCHED_CPUS_MAX; i++) {
		list_init(&domain->queue[i].link);
		list_init(&domain->queue[i].ready);
	}
}

static struct cpu *cpu_choose(struct host *host, uint32_t cpu_id)
{
	struct cpu *cpu;

	if (cpu_id != THREAD_ANY_CPU)
		return host->cpu[cpu_id % host->cpu_count];
	do {
		cpu_id = __atomic_fetch_add(&host->next_cpu, 1,
					    __ATOMIC_RELAXED);
		cpu = host->cpu[cpu_id % host->cpu_count];
	} while (cpu->runs_no_domain);
	return cpu;
}

/* What thread_switch() is to pop when it first comes here. */
static void thread_stack_prepare(struct thread *thread)
{
	uint64_t *sp = (uint64_t *)thread->stack_top - SWITCH_FRAME_WORDS;

	memset(sp, 0, SWITCH_FRAME_WORDS * sizeof(*sp));
	sp[6] = (uint64_t)thread_entry;
	thread->saved_rsp = (uint64_t)sp;
}

struct thread *thread_create(const char *name, void (*fn)(void *arg), void *arg,
			     uint32_t cpu_id)
{
	struct host *host = this_host();
	struct thread *thread =
		pages_alloc_zeroed(&host->pages, &host->map.account, 0);

	_Static_assert(sizeof(*thread) <= PAGE_SIZE, "a thread is a page");
	if (!thread)
		return NULL;
	thread->stack_top = (uint64_t)map_stack_alloc(&host->map);
	if (!thread->stack_top) {
		pages_free_virt(&host->pages, &host->map.account, thread, 0);
		return NULL;
	}
	(void)snprintf(thread->name, sizeof(thread->name), "%s", name);
	list_init(&thread->link);
	thread->fn = fn;
	thread->arg = arg;
	thread->cpu = cpu_choose(host, cpu_id);
	thread->cr3 = host->map.table.root;
	thread->refs = 1;
	__atomic_fetch_add(&host->threads, 1, __ATOMIC_RELAXED);
	thread_stack_prepare(thread);
	return thread;
}

void thread_get(struct thread *thread)
{
	VERIFY(__atomic_fetch_add(&thread->refs, 1, __ATOMIC_RELAXED));
}

void thread_put(struct thread *thread)
{
	struct host *host = this_host();

	if (__atomic_sub_fetch(&thread->refs, 1, __ATOMIC_ACQ_REL))
		return;
	pages_free_virt(&host->pages, &host->map.account, thread, 0);
	__atomic_fetch_sub(&host->threads, 1, __ATOMIC_RELAXED);
}

/* Nothing runs on its stack. */
static void thread_leave(struct thread *thread)
{
	map_stack_free(&this_host()->map, (void *)thread->stack_top);
	thread->stack_top = 0;
	thread_put(thread);
}

void thread_discard(struct thread *thread)
{
	VERIFY(thread->state == THREAD_NEW);
	thread->state = THREAD_ENDED;
	thread_leave(thread);
}

/* Slices only run while somebody waits for the CPU. */
static void slice_begin(struct cpu *cpu)
{
	uint32_t waiting = cpu->queue.domain_count;
	uint64_t ns = SCHED_SLICE_NS;

	if (!waiting)
		return;
	if (waiting > SCHED_TURN_NS / SCHED_SLICE_NS)
		ns = MAX(SCHED_TURN_NS / waiting, SCHED_SLICE_MIN_NS);
	timer_arm(&cpu->queue.slice, time_now_tsc() + time_ns_to_tsc(ns));
}

static struct domain_queue *domain_queue_of(struct cpu *cpu,
					    const struct thread *thread)
{
	return thread->domain ? &thread->domain->queue[cpu->id]
			      : &cpu->queue.own;
}

/* The first thread of the first domain, which goes to the end of the ring. */
static struct thread *queue_next(struct run_queue *queue)
{
	struct domain_queue *domain;
	struct thread *next;

	if (list_is_empty(&queue->domains))
		return queue->idle;
	domain = list_entry(queue->domains.next, struct domain_queue, link);
	next = list_entry(domain->ready.next, struct thread, link);
	list_remove(&next->link);
	queue->ready_count--;
	list_remove(&domain->link);
	if (list_is_empty(&domain->ready))
		queue->domain_count--;
	else
		list_insert(&queue->domains, &domain->link);
	return next;
}

/* On the stack of the thread that just came in; the queue is locked. */
static void switch_finish(struct cpu *cpu)
{
	struct thread *ended = cpu->queue.ended;
	struct thread *self = cpu->thread;

	cpu->queue.ended = NULL;
	slice_begin(cpu);
	spin_unlock(&cpu->queue.lock);
	if (ended)
		thread_leave(ended);
	if (self->switch_in)
		self->switch_in(self->arg);
}

/* Queue locked, interrupts off, the current thread's new state set. */
static void switch_away(struct cpu *cpu)
{
	struct thread *from = cpu->thread;
	struct thread *to = queue_next(&cpu->queue);

	cpu->is_resched_needed = false;
	if (from == to) {
		to->state = THREAD_RUNNING;
		slice_begin(cpu);
		spin_unlock(&cpu->queue.lock);
		return;
	}
	if (from->switch_out)
		from->switch_out(from->arg);
	to->state = THREAD_RUNNING;
	/* Before to looks at what it is wanted for: see vcpu_notify(). */
	__atomic_store_n(&cpu->thread, to, __ATOMIC_SEQ_CST);
	cpu->kernel_stack_top = to->stack_top;
	if (!cpu->is_isolated)
		cpu->tss.rsp[0] = to->stack_top;
	if (to->cr3 != from->cr3)
		cr3_write(to->cr3);
	if (cpu->host->speculation.at_switch)
		speculation_switch(cpu, to->domain);
	thread_switch(&from->saved_rsp, to->saved_rsp);
	switch_finish(this_cpu());
}

void thread_first(void)
{
	struct thread *self;

	switch_finish(this_cpu());
	irq_enable();
	self = this_cpu()->thread;
	self->fn(self->arg);
	thread_exit();
}

void thread_exit(void)
{
	struct cpu *cpu;

	irq_disable();
	cpu = this_cpu();
	VERIFY(cpu->thread != cpu->queue.idle);
	spin_lock(&cpu->queue.lock);
	cpu->thread->state = THREAD_ENDED;
	cpu->queue.ended = cpu->thread;
	switch_away(cpu);
	monitor_panic("an ended thread ran again");
}

static void ready_locked(struct cpu *cpu, struct thread *thread)
{
	struct domain_queue *domain = domain_queue_of(cpu, thread);

	thread->state = THREAD_READY;
	if (list_is_empty(&domain->ready)) {
		list_insert(&cpu->queue.domains, &domain->link);
		cpu->queue.domain_count++;
	}
	list_insert(&domain->ready, &thread->link);
	cpu->queue.ready_count++;
}

/* Who had the CPU alone so far now shares it. */
static void slice_begin_shared(struct cpu *cpu)
{
	if (cpu->thread != cpu->queue.idle && !cpu->queue.slice.cpu)
		slice_begin(cpu);
}

/* A ready thread came to cpu: have it seen. */
static void queue_notify(struct cpu *cpu, bool is_idle)
{
	if (is_idle)
		__atomic_store_n(&cpu->is_resched_needed, true,
				 __ATOMIC_SEQ_CST);
	if (cpu != this_cpu())
		cpu_kick(cpu);
	else
		slice_begin_shared(cpu);
}

void sched_kicked(struct cpu *cpu)
{
	spin_lock(&cpu->queue.lock);
	slice_begin_shared(cpu);
	spin_unlock(&cpu->queue.lock);
}

/* Makes it ready if it is in that state, else leaves word that it was woken. */
static void thread_ready(struct thread *thread, enum thread_state from)
{
	struct cpu *cpu = thread->cpu;
	uint64_t flags = spin_lock_irqsave(&cpu->queue.lock);
	bool is_idle = cpu->thread == cpu->queue.idle;

	if (thread->state == from) {
		ready_locked(cpu, thread);
		queue_notify(cpu, is_idle);
	} else {
		thread->is_wake_pending = true;
	}
	spin_unlock_irqrestore(&cpu->queue.lock, flags);
}

/* One that is not started yet stays so: only who made it knows when. */
void thread_wake(struct thread *thread)
{
	thread_ready(thread, THREAD_BLOCKED);
}

void thread_start(struct thread *thread)
{
	VERIFY(thread->state == THREAD_NEW);
	thread_ready(thread, THREAD_NEW);
}

void thread_block(void)
{
	uint64_t flags = irq_save();
	struct cpu *cpu = this_cpu();
	struct thread *self = cpu->thread;

	spin_lock(&cpu->queue.lock);
	if (self->is_wake_pending) {
		self->is_wake_pending = false;
		spin_unlock(&cpu->queue.lock);
	} else {
		VERIFY(self != cpu->queue.idle);
		self->state = THREAD_BLOCKED;
		switch_away(cpu);
	}
	irq_restore(flags);
}

void sched_yield(void)
{
	uint64_t flags = irq_save();
	struct cpu *cpu = this_cpu();

	spin_lock(&cpu->queue.lock);
	if (cpu->thread != cpu->queue.idle)
		ready_locked(cpu, cpu->thread);
	switch_away(cpu);
	irq_restore(flags);
}

void sched_breathe(void)
{
	irq_enable();
	__asm__ volatile("nop"); /* STI's shadow */
	irq_disable();
	if (sched_should_yield(this_cpu()))
		sched_yield();
}

void sched_before_user(void)
{
	struct thread *self = this_cpu()->thread;

	while (sched_should_yield(this_cpu()))
		sched_yield();
	if (self->before_user)
		self->before_user(self->arg);
}

void sched_idle(void)
{
	struct cpu *cpu = this_cpu();

	for (;;) {
		irq_disable();
		if (cpu->queue.ready_count)
			sched_yield();
		else
			cpu_wait_irq();
	}
}
