/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One vCPU rewrites the instruction that another is at, between its exit
 * and the look at its bytes: CPUID turns into NOPs and back.
 */
#include "tests/guest/lib/smp.h"

#define ROUNDS 20000

#define NOPS_2 0x9090
#define CPUID  0xa20f

static uint8_t code[16] __aligned(16) = { 0x0f, 0xa2, 0xc3 };
static volatile bool is_over;
static volatile uint32_t rounds;

static void run_code(void)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint32_t a = 0, b, c = 0, d;

		__asm__ volatile("call *%4"
				 : "+a"(a), "=b"(b), "+c"(c), "=d"(d)
				 : "r"(code)
				 : "memory");
		rounds++;
	}
	is_over = true;
}

static void rewrite(void)
{
	for (uint16_t now = CPUID; !is_over; now ^= CPUID ^ NOPS_2)
		__atomic_store_n((uint16_t *)code, now, __ATOMIC_RELAXED);
}

static void both(unsigned id)
{
	if (id == 0)
		run_code();
	else if (id == 1)
		rewrite();
}

void guest_main(void)
{
	smp_start();
	if (smp_cpu_count() < 2) {
		skip("rewritten", "one vCPU");
		return;
	}
	smp_run(both);
	check_equal("rewritten", rounds, ROUNDS);
}
