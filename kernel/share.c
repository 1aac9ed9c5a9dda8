/* SPDX-License-Identifier: BSD-2-Clause */
/* See kernel/share.h. */
#include "kernel/share.h"

#include "include/domain.h"

#define CAP_SHIFT  20
/* In turns of its own; behind also in those of the default weight.  Who is no
 * more than SLACK ahead waits for no more than one turn of each that comes
 * back: that is CREDIT, or less. */
#define SLACK	   3
#define CREDIT	   3
#define REACH	   8
/* Quanta of a cap that may be caught up with. */
#define CAP_BURST  3
/* A cap's quantum: what it allows of five slices, a quarter of one at least. */
#define CAP_SLICES 5
#define CAP_PARTS  4

void share_init(struct share *share, uint32_t weight, uint32_t cap,
		uint64_t slice)
{
	uint64_t turn;

	*share = (struct share){
		.per_tick =
			((uint64_t)GATE_WEIGHT_DEFAULT << SHARE_VTIME_SHIFT) /
			weight,
	};
	turn = (slice * share->per_tick) >> SHARE_VTIME_SHIFT;
	share->slack = SLACK * turn;
	share->reach = REACH * MAX(turn, slice);
	share->credit = CREDIT * MIN(turn, slice);
	if (!cap)
		return;
	share->cap_rate = (100ULL << CAP_SHIFT) / cap;
	share->quantum = MIN(
		MAX(CAP_SLICES * slice * cap / 100, slice / CAP_PARTS), slice);
}

/*
 * Several CPUs may charge at once: what one of them then forgets is its turn.
 * What may be caught up with is counted from the turn's beginning: a long one,
 * as beside many CPUs, would be forgiven what it was late for otherwise.
 */
void share_charge_cap(struct share *share, uint64_t began, uint64_t now)
{
	uint64_t paid = __atomic_load_n(&share->paid_tsc, __ATOMIC_RELAXED);
	uint64_t price = (uint64_t)(((__int128)(int64_t)(now - began) *
				     share->cap_rate) >>
				    CAP_SHIFT);
	uint64_t burst =
		(CAP_BURST * share->quantum * share->cap_rate) >> CAP_SHIFT;
	uint64_t from;

	do {
		from = began > burst ? MAX(paid, began - burst) : paid;
	} while (!__atomic_compare_exchange_n(
		&share->paid_tsc, &paid, from + price, false, __ATOMIC_RELAXED,
		__ATOMIC_RELAXED));
}

uint64_t share_limit(struct share *share, uint64_t vnow)
{
	uint64_t vtime = 0;
	int64_t ahead, moved = 0;

	/* It has slept for nobody yet. */
	if (__atomic_compare_exchange_n(&share->vtime, &vtime, vnow, false,
					__ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return vnow;
	ahead = (int64_t)(vtime - vnow);
	if (ahead > (int64_t)share->reach)
		moved = (int64_t)share->reach - ahead;
	else if (ahead < -(int64_t)share->credit)
		moved = -(int64_t)share->credit - ahead;
	/* What another CPU has charged meanwhile stays. */
	if (moved)
		__atomic_fetch_add(&share->vtime, (uint64_t)moved,
				   __ATOMIC_RELAXED);
	return vtime + (uint64_t)moved;
}

static bool may_run(const struct domain_queue *domain, uint64_t now,
		    uint64_t *until)
{
	if (likely(share_may_run(domain->share, now)))
		return true;
	*until = MIN(*until, domain->share->paid_tsc);
	return false;
}

struct domain_queue *share_pick_any(const struct list *ring, uint64_t now,
				    uint64_t *vmin, uint64_t *until)
{
	struct domain_queue *domain, *behind = NULL;

	*until = UINT64_MAX;
	for (struct list *at = ring->next; at != ring; at = at->next) {
		domain = list_entry(at, struct domain_queue, link);
		if ((!behind || (int64_t)(domain->tag - behind->tag) < 0) &&
		    may_run(domain, now, until))
			behind = domain;
	}
	if (!behind)
		return NULL;
	*vmin = behind->tag;
	for (struct list *at = ring->next; at != ring; at = at->next) {
		int64_t ahead;

		domain = list_entry(at, struct domain_queue, link);
		ahead = (int64_t)(domain->tag - behind->tag);
		if (ahead <= (int64_t)domain->share->slack &&
		    may_run(domain, now, until))
			return domain;
		/* It does not wait for longer than that. */
		if (ahead > (int64_t)domain->share->reach)
			domain->tag = behind->tag + domain->share->reach;
	}
	return behind;
}
