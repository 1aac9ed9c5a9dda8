/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a domain may have of the CPUs, and whose turn it is: weights and caps.
 * Pure arithmetic on what is passed, without a clock, a CPU or a lock of its
 * own; docs/scheduling.md has the theory.
 *
 * Units: ticks of the TSC.  Virtual time goes as fast as the TSC for a domain
 * of the default weight that runs on one CPU, half as fast with twice the
 * weight.
 */
#ifndef BULKHEAD_SHARE_H
#define BULKHEAD_SHARE_H

#include "include/compiler.h"
#include "lib/list.h"

/* Of a domain, on all CPUs.  vtime and paid_tsc are atomic. */
struct share {
	uint64_t vtime;	   /* virtual time that it has had */
	uint64_t paid_tsc; /* with a cap: from then on it may run again */
	/* How far it may be ahead in virtual time when its turn comes, and at
	 * all; and behind when it comes back. */
	uint64_t slack, reach, credit;
	uint64_t quantum;  /* with a cap: its longest turn; else 0 */
	uint64_t per_tick; /* virtual time for a tick, times 2^17 */
	uint64_t cap_rate; /* ticks that a tick has to be paid with, times 2^20
			    */
};

struct thread;

/* A domain on one CPU: in that CPU's ring while threads of it are ready. */
struct domain_queue {
	struct list link;
	struct thread *first, *last; /* ready, by thread.next; first is NULL or
				      * there is a last */
	struct share *share;
	uint64_t tag; /* its virtual time as of when it came, or last ran */
};

/*
 * weight: 1 to GATE_WEIGHT_MAX; cap: percent of one CPU, 0: none; slice: the
 * longest turn.
 */
void share_init(struct share *share, uint32_t weight, uint32_t cap,
		uint64_t slice);

#define SHARE_VTIME_SHIFT 17

/* With a cap: it has run from began to now. */
void share_charge_cap(struct share *share, uint64_t began, uint64_t now);
/*
 * Where a domain stands on a CPU whose virtual time is vnow: at most its credit
 * behind, and at most its reach ahead; a new one there.  What is more is
 * forgotten.
 */
uint64_t share_limit(struct share *share, uint64_t vnow);

/*
 * It has run from began to now, but for its cap.  Its virtual time.  Now may be
 * some ticks before began, which another CPU may have read off its own clock.
 */
static inline uint64_t share_charge(struct share *share, uint64_t began,
				    uint64_t now)
{
	__int128 price =
		(__int128)(int64_t)(now - began) * (int64_t)share->per_tick;

	return __atomic_add_fetch(&share->vtime,
				  (uint64_t)(price >> SHARE_VTIME_SHIFT),
				  __ATOMIC_RELAXED);
}

/* Its cap, if it has one, allows it. */
static inline bool share_may_run(const struct share *share, uint64_t now)
{
	return !share->cap_rate ||
	       __atomic_load_n(&share->paid_tsc, __ATOMIC_RELAXED) <= now;
}

/* As share_pick(), when the first is not at once the right one. */
struct domain_queue *share_pick_any(const struct list *ring, uint64_t now,
				    uint64_t *vmin, uint64_t *until);

/*
 * Of a ring of domain queues, not empty, the first that may run and is not more
 * than its slack ahead of the one that is furthest behind, whose tag goes to
 * *vmin.
 * NULL: none may run before *until.
 */
static inline struct domain_queue *share_pick(const struct list *ring,
					      uint64_t now, uint64_t *vmin,
					      uint64_t *until)
{
	struct domain_queue *first, *domain;
	uint64_t least;

	first = list_entry(ring->next, struct domain_queue, link);
	least = first->tag;
	for (struct list *at = first->link.next; at != ring; at = at->next) {
		domain = list_entry(at, struct domain_queue, link);
		if ((int64_t)(domain->tag - least) < 0)
			least = domain->tag;
	}
	if (unlikely(first->share->cap_rate) ||
	    first->tag - least > first->share->slack)
		return share_pick_any(ring, now, vmin, until);
	*vmin = least;
	return first;
}

#endif
