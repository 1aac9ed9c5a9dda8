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

/* Perhaps armed for a slice that ended long before it was over. */
static void slice_expired(void *ctx)
{
	struct cpu *cpu = ctx;
	struct run_queue *queue = &cpu->queue;

	if (time_now_tsc() < queue->slice_end_tsc)
		timer_arm(&queue->slice, queue->slice_end_tsc);
	else
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
	queue->slice_ticks =
		time_scale(cpu->host->time.ns_to_tsc, SCHED_SLICE_NS);
	queue->wake_ticks =
		time_scale(cpu->host->time.ns_to_tsc, SCHED_WAKE_NS);
	queue->credit_ticks =
		time_scale(cpu->host->time.ns_to_tsc, SCHED_CREDIT_NS);
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

/*
 * Slices only run while somebody waits for the CPU.  A timer that comes too
 * early is left as it is: most slices end by themselves, and it costs less to
 * look once when it has come than to set it each time.
 */
static void slice_set(struct run_queue *queue, uint64_t end)
{
	queue->slice_end_tsc = end;
	if (!queue->slice.cpu || queue->slice.deadline_tsc > end)
		timer_arm(&queue->slice, end);
}

static void slice_begin(struct cpu *cpu)
{
	struct run_queue *queue = &cpu->queue;
	uint32_t waiting = queue->domain_count;
	uint64_t ticks = queue->slice_ticks;

	if (!waiting)
		return;
	if (waiting > SCHED_TURN_NS / SCHED_SLICE_NS)
		ticks = time_ns_to_tsc(
			MAX(SCHED_TURN_NS / waiting, SCHED_SLICE_MIN_NS));
	slice_set(queue, time_now_tsc() + ticks);
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

static bool is_prompt(const struct thread *thread)
{
	return thread->domain && thread->domain->wakes & SCHED_WAKE_FIRST;
}

/* Who may go first pays for its turn. */
static void turn_change(struct cpu *cpu, const struct thread *from,
			const struct thread *to)
{
	struct run_queue *queue = &cpu->queue;

	queue->is_hurried = false;
	if (unlikely(is_prompt(from)))
		from->domain->queue[cpu->id].credit -=
			(int64_t)(time_now_tsc() - queue->began_tsc);
	if (unlikely(is_prompt(to)))
		queue->began_tsc = time_now_tsc();
}

/* Queue locked, interrupts off, the current thread's new state set. */
static void switch_away(struct cpu *cpu)
{
	struct thread *from = cpu->thread;
	struct thread *to = queue_next(&cpu->queue);

	cpu->is_resched_needed = false;
	turn_change(cpu, from, to);
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

/* Who had the CPU alone so far now shares it, or not for so long. */
static void slice_begin_shared(struct cpu *cpu)
{
	struct run_queue *queue = &cpu->queue;
	uint64_t soon;

	if (cpu->thread == queue->idle)
		return;
	if (!queue->slice.cpu)
		slice_begin(cpu);
	if (likely(!queue->is_hurried))
		return;
	queue->is_hurried = false;
	soon = time_now_tsc() + queue->wake_ticks;
	if (queue->slice_end_tsc > soon)
		slice_set(queue, soon);
}

static void credit_grow(const struct run_queue *queue,
			struct domain_queue *domain)
{
	int64_t max = (int64_t)queue->credit_ticks;
	uint64_t now = time_now_tsc();
	uint64_t grown = (now - domain->credit_tsc) >> SCHED_CREDIT_SHIFT;

	domain->credit_tsc = now;
	domain->credit = MAX(domain->credit, -max) +
			 (int64_t)MIN(grown, (uint64_t)max * 2);
}

/* Woken, while another domain has the CPU: it goes first if it can pay. */
static void hurry(struct cpu *cpu, struct domain_queue *domain)
{
	struct run_queue *queue = &cpu->queue;

	if (is_prompt(cpu->thread) &&
	    domain == domain_queue_of(cpu, cpu->thread))
		return;
	if (domain->credit <= 0)
		credit_grow(queue, domain);
	if (domain->credit <= 0)
		return;
	list_remove(&domain->link);
	list_insert(queue->domains.next, &domain->link);
	queue->is_hurried = true;
}

static __noinline void wake_specially(struct cpu *cpu, struct thread *thread,
				      bool is_idle)
{
	if (thread->domain->wakes & SCHED_WAKE_TIMED)
		thread->ready_tsc = time_now_tsc();
	if (thread->domain->wakes & SCHED_WAKE_FIRST && !is_idle)
		hurry(cpu, &thread->domain->queue[cpu->id]);
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
		if (unlikely(thread->domain && thread->domain->wakes))
			wake_specially(cpu, thread, is_idle);
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
