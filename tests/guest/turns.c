/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spinning with PAUSE: it ends, and where two vCPUs share one CPU, each waits
 * for the other in such a loop without using up its time.
 */
#include "tests/guest/lib/smp.h"

#include "lib/string.h"

#define AP_PAGE	       0x8000
#define AP_DESTINATION (1u << 24)
#define DIVIDE_BY_1    0xb
#define LVT_MASKED     BIT(16)
#define TIMER_HZ       1000000000ULL

#define PAUSES	 20000
#define ROUNDS	 50
#define SPINS	 100000000 /* then the other vCPU is given up */
/* A slice is 10 ms: with one for each turn it would be a second. */
#define LIMIT_NS (TIMER_HZ / 4)

extern const uint8_t ap_code[], ap_code_end[];
void ap_main(void);

static volatile uint32_t turn; /* odd: the other vCPU's */

static void pause(void)
{
	__asm__ volatile("pause" ::: "memory");
}

static bool wait_for_turn(uint32_t number)
{
	/* Nothing that exits, or the processor takes it for no spin loop. */
	for (uint32_t i = 0; turn != number; i++) {
		if (i == SPINS)
			return false;
		pause();
	}
	return true;
}

/* turns_code.asm comes here in long mode, on a stack of its own. */
void ap_main(void)
{
	for (uint32_t number = 1; number < 2 * ROUNDS; number += 2) {
		while (turn != number)
			pause();
		turn = number + 1;
	}
}

static void start_other(void)
{
	memcpy((void *)(uintptr_t)AP_PAGE, ap_code,
	       (size_t)(ap_code_end - ap_code));
	lapic_write(LAPIC_ICR_HIGH, AP_DESTINATION);
	lapic_write(LAPIC_ICR, ICR_INIT);
	lapic_write(LAPIC_ICR, ICR_SIPI | AP_PAGE >> PAGE_SHIFT);
}

/* The timer counts nanoseconds down from here. */
static void clock_start(void)
{
	lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
	lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);
}

static void test_turns(void)
{
	uint32_t ns;

	if (smp_cpu_count() < 2) {
		skip("vcpus-take-turns", "one vCPU");
		return;
	}
	clock_start();
	start_other();
	turn = 1;
	if (!wait_for_turn(2)) {
		fail("vcpus-take-turns", "the other vCPU does not start");
		return;
	}
	clock_start();
	for (uint32_t number = 3; number < 2 * ROUNDS; number += 2) {
		turn = number;
		if (!wait_for_turn(number + 1))
			break;
	}
	ns = UINT32_MAX - lapic_read(LAPIC_TIMER_CURRENT);
	print("%u turns took %u us\n", turn, ns / 1000);
	if (turn == 2 * ROUNDS && ns < LIMIT_NS)
		pass("vcpus-take-turns");
	else
		fail("vcpus-take-turns", "%u turns, %u us", turn, ns / 1000);
}

void guest_main(void)
{
	lapic_enable();
	for (unsigned i = 0; i < PAUSES; i++)
		pause();
	pass("pause-goes-on");
	test_turns();
}
