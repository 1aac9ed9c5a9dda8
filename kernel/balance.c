/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that wait for a CPU go to another: to one that idles, or to one whose
 * domains have had more.  docs/scheduling.md has the rules.
 *
 * A thread moves only while it is on no CPU, where its mask allows it, and not
 * while a CPU still has its x87, SSE and AVX registers.  The monitor's own do
 * not move.  Of two queues the second is locked only if that can be had at
 * once: who misses a chance has the next.
 */
#include "kernel/host.h"

static bool may_move(const struct thread *thread, const struct cpu *from,
		     const struct cpu *to)
{
	const void *owner = __atomic_load_n(&from->fpu_owner, __ATOMIC_ACQUIRE);

	return thread->domain && thread->cpus & BIT(to->id) &&
	       (!owner || owner != thread->arg);
}

/* The virtual time of the domain that is furthest behind of those that want the
 * CPU, whose queue is locked; a turn that is not over does not count. */
static uint64_t level(struct cpu *cpu)
{
	const struct list *ring = &cpu->queue.domains;
	uint64_t least, now = time_now_tsc();

	sched_charge_alone(cpu);
	least = __atomic_load_n(&cpu->queue.current->share->vtime,
				__ATOMIC_RELAXED);
	for (const struct list *at = ring->next; at != ring; at = at->next) {
		const struct domain_queue *domain =
			list_entry(at, struct domain_queue, link);

		if ((int64_t)(domain->tag - least) < 0 &&
		    share_may_run(domain->share, now))
			least = domain->tag;
	}
	return least;
}

/*
 * Both queues are locked.  Of the domains that wait, are not held by their caps
 * and whose next thread may go, the last sends it that is two turns behind all
 * that want the other CPU; of one that idles the last.
 */
static bool send_one(struct cpu *from, struct cpu *to)
{
	bool is_idle = to->thread == to->queue.idle;
	uint64_t there = is_idle ? 0 : level(to), now = time_now_tsc();
	struct list *ring = &from->queue.domains;

	for (struct list *at = ring->prev; at != ring; at = at->prev) {
		struct domain_queue *domain =
			list_entry(at, struct domain_queue, link);
		int64_t far = (int64_t)(domain->share->credit * 2 / 3);

		if ((is_idle || (int64_t)(there - domain->tag) > far) &&
		    may_move(domain->first, from, to) &&
		    share_may_run(domain->share, now)) {
			thread_move(domain->first, to);
			return true;
		}
	}
	return false;
}

bool balance_pull(struct cpu *cpu)
{
	struct host *host = cpu->host;
	bool has_one = false;

	/* Before it looks, so that few are missed; who is goes at the end of
	 * a slice: balance_push(). */
	__atomic_fetch_or(&host->idle_cpus, BIT(cpu->id), __ATOMIC_SEQ_CST);
	for (unsigned i = 1; !has_one && i < host->cpu_count; i++) {
		struct cpu *from = host->cpu[(cpu->id + i) % host->cpu_count];

		spin_lock(&cpu->queue.lock);
		if (from->queue.ready_count &&
		    spin_trylock(&from->queue.lock)) {
			/* One that idles is about to run it, or caps hold it.
			 */
			has_one = from->thread != from->queue.idle &&
				  send_one(from, cpu);
			spin_unlock(&from->queue.lock);
		}
		spin_unlock(&cpu->queue.lock);
	}
	return has_one;
}

bool balance_wake(struct cpu *cpu, struct thread *thread)
{
	uint64_t idle = cpu->host->idle_cpus & thread->cpus & ~BIT(cpu->id);
	struct cpu *to;
	bool moves;

	sched_charge_alone(cpu);
	if (!idle || cpu->thread == cpu->queue.idle)
		return false;
	to = cpu->host->cpu[__builtin_ctzll(idle)];
	if (!may_move(thread, cpu, to) || !spin_trylock(&to->queue.lock))
		return false;
	moves = to->thread == to->queue.idle &&
		(!to->queue.ready_count || to->queue.is_held);
	if (moves)
		thread_arrive(
			thread, to,
			share_limit(thread->queue->share, cpu->queue.vnow));
	spin_unlock(&to->queue.lock);
	return moves;
}

void balance_push(struct cpu *cpu)
{
	struct run_queue *queue = &cpu->queue;
	struct host *host = cpu->host;
	struct cpu *to = host->cpu[queue->balance_next++ % host->cpu_count];

	if (to == cpu)
		to = host->cpu[queue->balance_next++ % host->cpu_count];
	queue->is_expired = false;
	spin_lock(&queue->lock);
	if (to != cpu && spin_trylock(&to->queue.lock)) {
		(void)send_one(cpu, to);
		spin_unlock(&to->queue.lock);
	}
	spin_unlock(&queue->lock);
}
