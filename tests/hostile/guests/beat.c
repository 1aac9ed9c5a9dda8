/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The good guest: prints a heartbeat and the longest time that it was away from
 * its processor, in microseconds of host time.
 *
 * A beat has two halves.  In the first it computes, and a gap is what passes
 * between two readings of the TSC.  In the second it sleeps, and is late by
 * what passes between the APIC timer's deadline and the instruction after HLT.
 * The time that printing takes counts as a gap, too: the console is shared.
 *
 * Options: beats=N, of beat-ms=N each; bar=1 moves the display's memory at
 * every beat, so that the machine needs a page table of the monitor.
 */
#include "tests/hostile/guests/hostile.h"

#define VECTOR	    0x50
#define SLEEP_US    1000
#define WORK	    2000 /* instructions between two looks at the clock */
#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define PCI_ENABLE  0x80000000u
#define PCI_CLASS   0x08
#define PCI_BAR0    0x10
#define CLASS_VIDEO 0x03
#define PCI_SLOTS   32
#define BAR_FIRST   0xa0000000u
#define BAR_STEP    0x01000000u
#define BAR_PLACES  16

struct beat {
	uint64_t last; /* TSC */
	uint64_t gap, late;
};

static void longest(uint64_t *worst, uint64_t ticks)
{
	if (ticks > *worst)
		*worst = ticks;
}

static void look(struct beat *beat)
{
	uint64_t now = rdtsc();

	longest(&beat->gap, now - beat->last);
	beat->last = now;
}

/* Reading the clock is slow on a simulator that counts instructions. */
static void compute(struct beat *beat, uint64_t us)
{
	uint64_t end = rdtsc() + us * tsc_per_us();

	while (beat->last < end) {
		for (unsigned i = 0; i < WORK; i++)
			__asm__ volatile("");
		look(beat);
	}
}

static void sleep(struct beat *beat, uint64_t us, uint64_t rate)
{
	uint64_t end = now_us() + us;

	while (now_us() < end) {
		uint32_t count = irq_count;
		uint64_t due = rdtsc() + SLEEP_US * tsc_per_us();

		lapic_write(LAPIC_LVT_TIMER, VECTOR);
		lapic_write(LAPIC_TIMER_INITIAL, (uint32_t)(SLEEP_US * rate));
		while (irq_count == count)
			__asm__ volatile("sti; hlt; cli" ::: "memory");
		if (rdtsc() > due)
			longest(&beat->late, rdtsc() - due);
	}
	beat->last = rdtsc();
}

static uint32_t pci_address(unsigned slot, unsigned reg)
{
	return PCI_ENABLE | slot << 11 | reg;
}

/* Shows the display's memory elsewhere and writes there. */
static bool bar_move(unsigned place)
{
	uint32_t base = BAR_FIRST + place % BAR_PLACES * BAR_STEP;
	volatile uint32_t *memory = (volatile uint32_t *)(uint64_t)base;

	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		out32(PCI_ADDRESS, pci_address(slot, PCI_CLASS));
		if (in32(PCI_DATA) >> 24 != CLASS_VIDEO)
			continue;
		out32(PCI_ADDRESS, pci_address(slot, PCI_BAR0));
		out32(PCI_DATA, base);
		out32(PCI_ADDRESS, pci_address(slot, 4));
		out32(PCI_DATA, 3); /* I/O and memory */
		*memory = place;
		return *memory == place;
	}
	return false;
}

void guest_main(void)
{
	uint64_t beats = command_option("beats", 20);
	uint64_t half = command_option("beat-ms", 20) * 1000 / 2;
	bool moves = command_option("bar", 0);
	uint64_t rate, worst_gap = 0, worst_late = 0;

	rate = lapic_timer_begin(VECTOR);
	for (unsigned i = 1; i <= beats; i++) {
		struct beat beat = { .last = rdtsc() };

		compute(&beat, half);
		if (moves && !bar_move(i))
			fail("bar", "the display's memory is not at place %u",
			     i);
		look(&beat);
		print("beat %u: gap %llu us, late %llu us\n", i,
		      (unsigned long long)worst_gap,
		      (unsigned long long)worst_late);
		look(&beat);
		sleep(&beat, half, rate);
		longest(&worst_gap, beat.gap / tsc_per_us());
		longest(&worst_late, beat.late / tsc_per_us());
	}
	print("longest: gap %llu us, late %llu us\n",
	      (unsigned long long)worst_gap, (unsigned long long)worst_late);
	pass("beat");
}
