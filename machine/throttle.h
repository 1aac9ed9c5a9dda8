/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that is slower than its processor: it runs for a percentage of its
 * time and rests for the others, for systems and games whose loops of counted
 * instructions were made for slower ones.
 *
 * A share of THROTTLE_PERIOD_NS at a time: run for so long, then all vCPUs
 * stand for what the busiest of them owes.  Time that it idled away has been
 * rest already: a guest that waits is not made to wait more.  Nobody spins
 * meanwhile: the CPU is another domain's.  Devices stand along, as for a guest
 * whose turn is another's.
 */
#ifndef BULKHEAD_MACHINE_THROTTLE_H
#define BULKHEAD_MACHINE_THROTTLE_H

#include "include/device.h"
#include "include/domain.h"

/* So long a device waits for its interrupt at most. */
#define THROTTLE_PERIOD_NS 4000000ULL

static inline uint64_t throttle_run_ns(uint32_t percent)
{
	return THROTTLE_PERIOD_NS * percent / 100;
}

/*
 * How long to rest after elapsed_ns of which the busiest vCPU was idle for
 * idle_ns.  Other stops are no debt: at most what a whole period needs; as much
 * of what was idled away beyond all debts is kept, in *credit_ns.
 */
static inline uint64_t throttle_rest_ns(uint32_t percent, uint64_t elapsed_ns,
					uint64_t idle_ns, uint64_t *credit_ns)
{
	uint64_t most = THROTTLE_PERIOD_NS - throttle_run_ns(percent);
	uint64_t busy_ns, owed_ns, had_ns;

	idle_ns = MIN(idle_ns, elapsed_ns);
	busy_ns = MIN(elapsed_ns - idle_ns, 2 * THROTTLE_PERIOD_NS);
	owed_ns = busy_ns * (100 - percent) / percent;
	had_ns = idle_ns + *credit_ns;
	*credit_ns = had_ns > owed_ns ? MIN(had_ns - owed_ns, most) : 0;
	return owed_ns > had_ns ? MIN(owed_ns - had_ns, most) : 0;
}

struct machine_throttle {
	struct clock_timer timer;	 /* the end of the guest's turn */
	uint32_t percent;		 /* 0, 100: there is none */
	uint64_t begun_ns;		 /* the turn */
	uint64_t credit_ns;		 /* idled away, and not owed yet */
	uint64_t until_ns;		 /* the rest that follows it */
	uint64_t idle[GATE_THREADS_MAX]; /* ticks, when the turn began */
};

#endif
