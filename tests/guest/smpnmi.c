/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two NMIs for a vCPU that does not run just now are two: one is handled, one
 * waits behind it.
 */
#include "tests/guest/lib/smp.h"

#define ROUNDS 20

static unsigned count;
static volatile uint32_t turn;

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
}
