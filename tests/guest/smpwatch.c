/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watchpoints of several vCPUs at once: each is told of its own accesses to
 * what it watches, and of no other's.
 */
#include "tests/guest/lib/smp.h"

#define ROUNDS	  20
#define DR6_NONE  0xffff0ff0
#define DR7_NONE  0x400
#define DR7_WATCH (DR7_NONE | BIT(1) | 0x9 << 16) /* DR0: 8 bytes, writes */

static unsigned count;
static volatile uint64_t watched[SMP_MAX];
static volatile uint32_t hits[SMP_MAX];

static void on_debug(struct trap_frame *frame)
{
	(void)frame;
	hits[smp_id()]++;
}

/* Each watches a word of its own; all write to all. */
static void watchpoints(unsigned id)
{
	WRITE_DR(6, DR6_NONE);
	WRITE_DR(0, &watched[id]);
	WRITE_DR(7, DR7_WATCH);
	for (unsigned i = 0; i < ROUNDS; i++) {
		smp_barrier();
		for (unsigned j = 0; j < count; j++)
			watched[j] = i;
	}
	WRITE_DR(7, DR7_NONE);
}

void guest_main(void)
{
	uint64_t good = 0;

	smp_start();
	count = smp_cpu_count();
	trap_hook(X86_VECTOR_DB, on_debug);
	smp_run(watchpoints);
	for (unsigned i = 0; i < count; i++)
		good += hits[i] == ROUNDS;
	check_equal("watchpoints", good, count);
}
