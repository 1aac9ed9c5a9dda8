/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two NMIs for a vCPU that does not run just now are two: one is handled, one
 * waits behind it.  So are two that two vCPUs send it at the same time.
 */
#include "tests/guest/lib/smp.h"

#define ROUNDS 20
#define SPINS  1000000

static unsigned count;
static volatile uint32_t turn, wrong;

static void two_each(unsigned id)
{
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		if (id) {
			while (turn != round)
				__asm__ volatile("pause");
		} else {
			for (unsigned to = 1; to < count; to++) {
				smp_send(to, ICR_NMI);
				smp_send(to, ICR_NMI);
			}
			turn = round;
		}
		smp_barrier();
	}
}

/* To each in turn, from the two behind it. */
static void one_of_two(unsigned id)
{
	for (uint32_t round = 0; round < ROUNDS * count; round++) {
		unsigned to = round % count;
		volatile uint32_t *taken = &smp_cpus[to].taken[X86_VECTOR_NMI];
		uint32_t before = *taken;

		smp_barrier();
		__atomic_add_fetch(&turn, 1, __ATOMIC_SEQ_CST);
		while (turn < (round + 1) * count)
			__asm__ volatile("pause");
		if ((id + count - to) % count - 1 < 2)
			smp_send(to, ICR_NMI);
		/* They may be on their way still. */
		for (unsigned i = 0; i < SPINS; i++) {
			if (*taken == before + 2)
				break;
			__asm__ volatile("pause");
		}
		if (*taken != before + 2)
			__atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
		smp_barrier();
	}
}

void guest_main(void)
{
	uint64_t good = 1;

	smp_start();
	count = smp_cpu_count();
	smp_count_nmis();
	smp_run(two_each);
	for (unsigned i = 1; i < count; i++)
		good += smp_cpus[i].taken[X86_VECTOR_NMI] == 2 * ROUNDS;
	check_equal("two-nmis", good, count);
	if (count < 3) {
		skip("two-senders", "there are two vCPUs");
		return;
	}
	turn = 0;
	smp_run(one_of_two);
	check_equal("two-senders", wrong, 0);
}
