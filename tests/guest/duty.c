/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that may run for a quarter of its time, as tests/run-guest's manifest
 * has it: how much of it passes while it computes, and how much it sleeps.
 */
#include "tests/guest/lib/guest.h"

#define PERCENT	     25
#define LEAF_RATES   0x40000010
#define MEASURE_MS   200
#define GAP_US	     300 /* longer than any exit, shorter than any rest */
#define PIT_HZ	     1193182
#define IRQ_HZ	     100
#define HEARD_IRQS   8
#define TIMER_VECTOR 0x20

static volatile unsigned irqs;

static void on_timer(struct trap_frame *frame)
{
	(void)frame;
	irqs++;
	out8(0x20, 0x20);
}

/* Percent of the time that passed between two reads of the clock. */
static uint64_t away(uint64_t khz)
{
	uint64_t begun = __builtin_ia32_rdtsc(), last = begun, gone = 0;
	uint64_t gap = khz * GAP_US / 1000, all = khz * MEASURE_MS;

	while (last - begun < all) {
		uint64_t now = __builtin_ia32_rdtsc();

		if (now - last > gap)
			gone += now - last;
		last = now;
	}
	return gone * 100 / (last - begun);
}

static void test_computing(uint64_t khz)
{
	uint64_t percent = away(khz);

	print("away for %lu of 100\n", percent);
	check("rests", percent > 100 - PERCENT - 15);
	check("runs", percent < 100 - PERCENT + 15);
}

/* One that waits most of its time owes nothing. */
static void test_waiting(uint64_t khz)
{
	uint64_t begun, gone = 0, gap = khz * GAP_US / 1000;
	uint16_t count = PIT_HZ / IRQ_HZ;

	trap_hook(TIMER_VECTOR, on_timer);
	out8(0x43, 0x34);
	out8(0x40, (uint8_t)count);
	out8(0x40, (uint8_t)(count >> 8));
	pic_enable(BIT(0));
	/* The first turn pays for what was before. */
	for (unsigned i = 0; i < HEARD_IRQS; i++) {
		unsigned before = irqs;

		while (irqs == before)
			__asm__ volatile("sti; hlt; cli");
		/* For less than what a turn has. */
		begun = __builtin_ia32_rdtsc();
		for (uint64_t last = begun; i && last - begun < khz / 2;) {
			uint64_t now = __builtin_ia32_rdtsc();

			if (now - last > gap)
				gone += now - last;
			last = now;
		}
	}
	pic_enable(0);
	print("away for %lu ticks of work\n", gone);
	check_equal("waiting-is-rest", gone, 0);
}

void guest_main(void)
{
	uint64_t khz = cpuid(LEAF_RATES, 0).eax;

	if (!is_bulkhead() || !khz) {
		skip("duty", "no such machine");
		return;
	}
	test_computing(khz);
	test_waiting(khz);
}
