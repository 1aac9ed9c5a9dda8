/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler: per CPU a ring of domains that have ready threads, each domain
 * with a FIFO of those.  Turns go round the ring, a slice of 4 ms at most
 * while others wait; who is ahead in virtual time, or has used up what its cap
 * allows, is passed over (kernel/share.c).
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
 * Threads that wait may go to another CPU: kernel/balance.c.
 *
 * Not here: priorities.
 */
#include "kernel/sched.h"

#include "include/domain.h"
#include "include/errno.h"
#include "kernel/host.h"
#include "include/log.h"
#include "include/panic.h"
#include "include/x86.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/map.h"

#define SWITCH_FRAME_WORDS 2 /* return address, alignment */

void thread_entry(void);
__noreturn void thread_first(void);

/* Perhaps armed for a slice that ended long before it was over. */
static void slice_expired(void *ctx)
{
	struct cpu *cpu = ctx;
	struct run_queue *queue = &cpu->queue;

	if (time_now_tsc() < queue->slice_end_tsc) {
		timer_arm(&queue->slice, queue->slice_end_tsc);
		return;
	}
	queue->is_held = false;
	queue->is_expired = queue->domain_count;
	cpu->is_resched_needed = true;
}

static void domain_queue_init(struct domain_queue *domain, struct share *share)
{
	list_init(&domain->link);
	domain->first = NULL;
	domain->share = share;
}

void sched_init_cpu(struct cpu *cpu, struct thread *current)
{
	struct run_queue *queue = &cpu->queue;

	list_init(&queue->domains);
	domain_queue_init(&queue->own, &queue->own_share);
	queue->slice.fn = slice_expired;
	queue->slice.ctx = cpu;
	queue->slice_ticks =
		time_scale(cpu->host->time.ns_to_tsc, SCHED_SLICE_NS);
	queue->wake_ticks =
		time_scale(cpu->host->time.ns_to_tsc, SCHED_WAKE_NS);
	share_init(&queue->own_share, GATE_WEIGHT_DEFAULT, 0,
		   queue->slice_ticks);
	(void)snprintf(current->name, sizeof(current->name), "cpu%u", cpu->id);
	current->state = THREAD_RUNNING;
	current->cpu = cpu;
	current->cr3 = cpu->host->map.table.root;
	queue->idle = current;
	queue->current = &queue->own;
	cpu->thread = current;
}

_Static_assert(SCHED_CPUS_MAX >= HOST_CPUS_MAX, "a queue for each CPU");

void sched_domain_init(struct sched_domain *domain, uint32_t weight,
		       uint32_t cap)
{
	domain->id = __atomic_add_fetch(&this_host()->domains_made, 1,
					__ATOMIC_RELAXED);
	share_init(&domain->share, weight, cap, time_ns_to_tsc(SCHED_SLICE_NS));
	for (unsigned i = 0; i < SCHED_CPUS_MAX; i++)
		domain_queue_init(&domain->queue[i], &domain->share);
}

/* The next in turn of those where it may run. */
static void cpu_choose(struct host *host, struct thread *thread)
{
	uint32_t id;

	do {
		id = __atomic_fetch_add(&host->next_cpu, 1, __ATOMIC_RELAXED) %
		     host->cpu_count;
	} while (!(thread->cpus & BIT(id)));
	thread->cpu = host->cpu[id];
}

static uint64_t cpus_of_domains(const struct host *host)
{
	uint64_t cpus = 0;

	for (unsigned i = 0; i < host->cpu_count; i++)
		if (!host->cpu[i]->runs_no_domain)
			cpus |= BIT(i);
	return cpus;
}

int thread_pin(struct thread *thread, uint64_t cpus)
{
	struct host *host = this_host();
	uint64_t all = cpus_of_domains(host), left = cpus;

	thread->cpus = 0;
	for (; all && left; all &= all - 1, left >>= 1)
		if (left & 1)
			thread->cpus |= all & -all;
	if (left || !cpus)
		return -EINVAL;
	cpu_choose(host, thread);
	return 0;
}

/* What thread_switch() is to pop when it first comes here. */
static void thread_stack_prepare(struct thread *thread)
{
	uint64_t *sp = (uint64_t *)thread->stack_top - SWITCH_FRAME_WORDS;

	memset(sp, 0, SWITCH_FRAME_WORDS * sizeof(*sp));
	sp[0] = (uint64_t)thread_entry;
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
	thread->fn = fn;
	thread->arg = arg;
	thread->cpus = cpu_id == THREAD_ANY_CPU ? cpus_of_domains(host)
						: BIT(cpu_id % host->cpu_count);
	cpu_choose(host, thread);
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
static __noinline void thread_leave(struct thread *thread)
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

static struct domain_queue *domain_queue_of(struct cpu *cpu,
					    const struct thread *thread)
{
	return thread->domain ? &thread->domain->queue[cpu->id]
			      : &cpu->queue.own;
}

/* Shorter the more wait, so that all have their turn in time. */
static uint64_t slice_length(const struct run_queue *queue)
{
	uint32_t waiting = queue->domain_count;

	if (likely(waiting <= SCHED_TURN_NS / SCHED_SLICE_NS))
		return queue->slice_ticks;
	return time_ns_to_tsc(MAX(SCHED_TURN_NS / waiting, SCHED_SLICE_MIN_NS));
}

/* The current thread's, which shares the CPU or has a cap. */
static __noinline void slice_begin_limited(struct cpu *cpu)
{
	struct run_queue *queue = &cpu->queue;
	uint64_t ticks = queue->current->share->quantum;

	if (queue->domain_count)
		ticks = MIN(ticks ? ticks : UINT64_MAX, slice_length(queue));
	if (cpu->thread != queue->idle)
		slice_set(queue, queue->began_tsc + ticks);
}

static inline void slice_begin(struct cpu *cpu)
{
	if (cpu->queue.domain_count || cpu->queue.current->share->quantum)
		slice_begin_limited(cpu);
}

/* The domain whose turn it is; NULL: caps keep all of them from running. */
static struct domain_queue *domain_next(struct run_queue *queue)
{
	struct domain_queue *domain;
	uint64_t until, vmin;

	domain = list_entry(queue->domains.next, struct domain_queue, link);
	vmin = domain->tag;
	if (domain->link.next != &queue->domains || domain->share->cap_rate)
		domain = share_pick(&queue->domains, queue->began_tsc, &vmin,
				    &until);
	if (unlikely(!domain)) {
		queue->is_held = true;
		slice_set(queue, until);
		return NULL;
	}
	if ((int64_t)(vmin - queue->vnow) > 0)
		queue->vnow = vmin;
	return domain;
}

/* Its first thread; the domain goes to the end of the ring. */
static struct thread *queue_next(struct run_queue *queue)
{
	struct domain_queue *domain = NULL;
	struct thread *next;

	queue->is_hurried = false;
	if (!list_is_empty(&queue->domains))
		domain = domain_next(queue);
	if (!domain) {
		queue->current = &queue->own;
		return queue->idle;
	}
	queue->current = domain;
	queue->urgent = domain->tag - queue->wake_ticks;
	next = domain->first;
	domain->first = next->next;
	queue->ready_count--;
	list_unlink(&domain->link);
	if (domain->first)
		list_insert(&queue->domains, &domain->link);
	else
		queue->domain_count--;
	return next;
}

/* Of a domain that is too far ahead, or has a cap. */
static __noinline void turn_end_limited(struct run_queue *queue, uint64_t now)
{
	struct domain_queue *domain = queue->current;

	domain->tag = share_limit(domain->share, queue->vnow);
	if (domain->share->cap_rate)
		share_charge_cap(domain->share, queue->began_tsc, now);
	queue->began_tsc = now;
}

/* The turn of the current thread, which does not idle, is over: what it ran is
 * charged. */
static inline void turn_end(struct run_queue *queue)
{
	struct domain_queue *domain = queue->current;
	struct share *share = domain->share;
	uint64_t now = time_now_tsc();

	domain->tag = share_charge(share, queue->began_tsc, now);
	if (unlikely((int64_t)(domain->tag - queue->vnow - share->reach) > 0) ||
	    unlikely(share->cap_rate))
		turn_end_limited(queue, now);
	else
		queue->began_tsc = now;
}

/* On the stack of the thread that just came in; the queue is locked. */
static void switch_finish(struct cpu *cpu)
{
	slice_begin(cpu);
	spin_unlock(&cpu->queue.lock);
	/* This CPU alone knows of it. */
	if (unlikely(cpu->queue.ended)) {
		thread_leave(cpu->queue.ended);
		cpu->queue.ended = NULL;
	}
	if (cpu->thread->switch_in)
		cpu->thread->switch_in(cpu->thread->arg);
}

/* Queue locked, interrupts off, the current thread's turn_end() done and its
 * new state set. */
static __always_inline void switch_away(struct cpu *cpu)
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

void thread_leave_domain(void)
{
	struct thread *self = this_cpu()->thread;

	self->domain = NULL;
	self->queue = &self->cpu->queue.own;
}

void thread_exit(void)
{
	struct cpu *cpu;

	irq_disable();
	cpu = this_cpu();
	VERIFY(cpu->thread != cpu->queue.idle);
	spin_lock(&cpu->queue.lock);
	turn_end(&cpu->queue);
	cpu->thread->state = THREAD_ENDED;
	cpu->queue.ended = cpu->thread;
	switch_away(cpu);
	monitor_panic("an ended thread ran again");
}

/* True: the first of its domain here. */
static inline bool ready_locked(struct cpu *cpu, struct thread *thread)
{
	struct domain_queue *domain = thread->queue;
	struct thread *last = domain->last;

	thread->state = THREAD_READY;
	thread->next = NULL;
	domain->last = thread;
	cpu->queue.ready_count++;
	if (domain->first) {
		last->next = thread;
		return false;
	}
	domain->first = thread;
	list_insert(&cpu->queue.domains, &domain->link);
	cpu->queue.domain_count++;
	return true;
}

/* Who had the CPU alone so far now shares it, or not for so long. */
static void slice_begin_shared(struct cpu *cpu)
{
	struct run_queue *queue = &cpu->queue;
	uint64_t soon;

	if (cpu->thread == queue->idle)
		return;
	if (!queue->slice.cpu)
		slice_set(queue, time_now_tsc() + slice_length(queue));
	if (likely(!queue->is_hurried))
		return;
	queue->is_hurried = false;
	soon = queue->began_tsc + queue->wake_ticks;
	if (soon <= time_now_tsc())
		cpu->is_resched_needed = true;
	else if (queue->slice_end_tsc > soon)
		slice_set(queue, soon);
}

/*
 * Of a domain that is behind the one that runs, or too far ahead of it: the
 * first goes first, if it is also behind those that wait.
 */
static __noinline void woken_apart(struct run_queue *queue,
				   struct domain_queue *domain)
{
	struct domain_queue *first;

	domain->tag = share_limit(domain->share, queue->vnow);
	first = list_entry(queue->domains.next, struct domain_queue, link);
	if ((int64_t)(domain->tag - queue->urgent) >= 0 ||
	    (int64_t)(domain->tag - first->tag) > 0)
		return;
	list_remove(&domain->link);
	list_insert(queue->domains.next, &domain->link);
	queue->is_hurried = true;
}

/* A thread of the domain was woken, the first that is ready here. */
static inline void woken(struct run_queue *queue, struct domain_queue *domain)
{
	struct share *share = domain->share;

	domain->tag = __atomic_load_n(&share->vtime, __ATOMIC_RELAXED);
	if (unlikely(domain->tag - queue->urgent > share->reach))
		woken_apart(queue, domain);
}

/* A ready thread came to cpu: have it seen. */
static inline void queue_notify(struct cpu *cpu)
{
	struct run_queue *queue = &cpu->queue;

	if (cpu->thread == queue->idle) {
		queue->is_held = false;
		__atomic_store_n(&cpu->is_resched_needed, true,
				 __ATOMIC_SEQ_CST);
	} else if (cpu == this_cpu()) {
		if (queue->is_hurried || !queue->slice.cpu)
			slice_begin_shared(cpu);
		return;
	}
	if (cpu != this_cpu())
		cpu_kick(cpu);
}

void sched_kicked(struct cpu *cpu)
{
	spin_lock(&cpu->queue.lock);
	slice_begin_shared(cpu);
	spin_unlock(&cpu->queue.lock);
}

/* With a cap it has slices; the CPU is where it is. */
void sched_charge_alone(struct cpu *cpu)
{
	struct run_queue *queue = &cpu->queue;
	struct domain_queue *domain = queue->current;
	uint64_t now = time_now_tsc();

	if (queue->slice.cpu || cpu->thread == queue->idle ||
	    domain->share->cap_rate)
		return;
	domain->tag = share_charge(domain->share, queue->began_tsc, now);
	queue->began_tsc = now;
	if ((int64_t)(domain->tag - queue->vnow) > 0)
		queue->vnow = domain->tag;
	queue->urgent = domain->tag - queue->wake_ticks;
}

void thread_arrive(struct thread *thread, struct cpu *to, uint64_t tag)
{
	struct run_queue *queue = &to->queue;

	sched_charge_alone(to);
	thread->queue = domain_queue_of(to, thread);
	__atomic_store_n(&thread->cpu, to, __ATOMIC_SEQ_CST);
	if (ready_locked(to, thread)) {
		thread->queue->tag = tag;
		/* The CPUs' virtual times differ: here it is that one's now,
		 * and who is far ahead of it is so no more. */
		if ((int64_t)(tag - queue->vnow) < 0)
			queue->vnow = tag;
		queue->is_hurried |= (int64_t)(tag - queue->urgent) < 0;
	}
	queue_notify(to);
}

void thread_move(struct thread *thread, struct cpu *to)
{
	struct run_queue *queue = &thread->cpu->queue;
	struct domain_queue *domain = thread->queue;

	domain->first = thread->next;
	queue->ready_count--;
	if (!domain->first) {
		list_unlink(&domain->link);
		queue->domain_count--;
	}
	thread_arrive(thread, to, domain->tag);
}

/* Locks the queue of the CPU that it is on, which does not change meanwhile. */
static inline struct cpu *thread_lock(const struct thread *thread)
{
	struct cpu *cpu;

	for (;;) {
		cpu = __atomic_load_n(&thread->cpu, __ATOMIC_RELAXED);
		spin_lock(&cpu->queue.lock);
		if (likely(cpu == thread->cpu))
			return cpu;
		spin_unlock(&cpu->queue.lock);
	}
}

/* Makes it ready if it is in that state, else leaves word that it was woken. */
static __always_inline void thread_ready(struct thread *thread,
					 enum thread_state from)
{
	uint64_t flags = irq_save();
	struct cpu *cpu = thread_lock(thread);

	if (thread->state == from) {
		if (thread->is_timed)
			thread->ready_tsc = time_now_tsc();
		if ((likely(cpu->queue.slice.cpu) &&
		     likely(!cpu->host->idle_cpus)) ||
		    !balance_wake(cpu, thread)) {
			if (ready_locked(cpu, thread))
				woken(&cpu->queue, thread->queue);
			queue_notify(cpu);
		}
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
	thread->queue = domain_queue_of(thread->cpu, thread);
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
		turn_end(&cpu->queue);
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
	if (cpu->thread != cpu->queue.idle) {
		turn_end(&cpu->queue);
		(void)ready_locked(cpu, cpu->thread);
	} else {
		__atomic_fetch_and(&cpu->host->idle_cpus, ~BIT(cpu->id),
				   __ATOMIC_RELAXED);
		cpu->queue.began_tsc = time_now_tsc();
	}
	switch_away(cpu);
	/* Of those that wait now, also of who gave way, nothing is in use. */
	if (unlikely(this_cpu()->queue.is_expired))
		balance_push(this_cpu());
	irq_restore(flags);
}

/* The ready thread, if it waits in that domain here, becomes its first. */
static bool thread_first_of(struct domain_queue *domain,
			    const struct thread *wanted)
{
	struct thread *at = domain->first, *before = NULL;

	for (; at && at != wanted; at = at->next)
		before = at;
	if (at && before) {
		before->next = at->next;
		if (domain->last == at)
			domain->last = before;
		at->next = domain->first;
		domain->first = at;
	}
	return at;
}

void sched_yield_to(const struct thread *wanted)
{
	uint64_t flags = irq_save();
	struct run_queue *queue = &this_cpu()->queue;
	struct domain_queue *domain = queue->current;

	spin_lock(&queue->lock);
	if (domain->first && !queue->is_hurried &&
	    thread_first_of(domain, wanted ? wanted : domain->first)) {
		list_remove(&domain->link);
		list_insert(queue->domains.next, &domain->link);
	}
	spin_unlock(&queue->lock);
	irq_restore(flags);
	sched_yield();
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
		if (cpu->queue.ready_count && !cpu->queue.is_held)
			sched_yield();
		else if (!balance_pull(cpu))
			cpu_wait_irq();
	}
}
