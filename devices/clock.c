/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers of one VM on its one time base: a list sorted by deadline.  A PC has
 * less than a dozen, so a walk is as cheap as any tree.  See
 * include/device.h.
 */
#include "include/device.h"

void clock_init(struct clock *clock)
{
	clock->first = NULL;
	clock->announced_ns = UINT64_MAX;
	clock->is_running = false;
}

static void announce(struct clock *clock)
{
	uint64_t deadline =
		clock->first ? clock->first->deadline_ns : UINT64_MAX;

	if (clock->is_running || deadline == clock->announced_ns)
		return;
	clock->announced_ns = deadline;
	if (clock->deadline_changed)
		clock->deadline_changed(clock->ctx, deadline);
}

static void deadline_set(struct clock_timer *timer, uint64_t deadline_ns)
{
	timer->deadline_ns = deadline_ns;
	timer->is_armed = deadline_ns != CLOCK_NEVER;
	if (timer->saved_ns)
		*timer->saved_ns = deadline_ns;
}

static void unlink_timer(struct clock *clock, struct clock_timer *timer)
{
	struct clock_timer **link = &clock->first;

	while (*link != timer)
		link = &(*link)->next;
	*link = timer->next;
	deadline_set(timer, CLOCK_NEVER);
}

void clock_timer_arm(struct clock *clock, struct clock_timer *timer,
		     uint64_t deadline_ns)
{
	struct clock_timer **link = &clock->first;

	if (deadline_ns == CLOCK_NEVER) {
		clock_timer_disarm(clock, timer);
		return;
	}
	if (timer->is_armed) {
		if (timer->deadline_ns == deadline_ns)
			return;
		unlink_timer(clock, timer);
	}
	while (*link && (*link)->deadline_ns <= deadline_ns)
		link = &(*link)->next;
	deadline_set(timer, deadline_ns);
	timer->next = *link;
	*link = timer;
	announce(clock);
}

void clock_timer_disarm(struct clock *clock, struct clock_timer *timer)
{
	if (!timer->is_armed)
		return;
	unlink_timer(clock, timer);
	announce(clock);
}

void clock_run(struct clock *clock)
{
	uint64_t now = clock_now(clock);

	/*
	 * The one-shot behind the last announcement is spent, even if it went
	 * off early; one that is not is only armed once more.
	 */
	clock->announced_ns = UINT64_MAX;
	clock->is_running = true;
	while (clock->first && clock->first->deadline_ns <= now) {
		struct clock_timer *timer = clock->first;

		clock->first = timer->next;
		deadline_set(timer, CLOCK_NEVER);
		timer->expired(timer->dev);
	}
	clock->is_running = false;
	announce(clock);
}
