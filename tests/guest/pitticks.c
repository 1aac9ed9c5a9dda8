/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a tick of the PIT through the 8259s costs a guest that computes, for
 * scripts/bench: from its last instruction before to its first behind the
 * handler, which ends the interrupt and is some 60 instructions of it.  A line
 * as exitbench prints it; times are ticks of the TSC.
 */
#include "tests/guest/lib/guest.h"

#define PIT_CH0		  0x40
#define PIT_COMMAND	  0x43
#define COMMAND_CH0_MODE2 0x34
#define PIT_1000_HZ	  1193
#define WARM		  8
#define SAMPLES		  64

static uint64_t sample[SAMPLES];

/* Around the ticks that are measured: tests/bench/paths counts in between. */
__noinline void ticks_begin(void);
__noinline void ticks_end(void);

void ticks_begin(void)
{
	__asm__ volatile("" : : : "memory");
}

void ticks_end(void)
{
	__asm__ volatile("" : : : "memory");
}

/* How long a turn of the loop takes without a tick: the usual. */
static void measure(void)
{
	uint64_t usual = UINT64_MAX, last = rdtsc(), now;
	uint32_t seen = irq_count;

	for (unsigned i = 0; i < WARM + SAMPLES;) {
		now = rdtsc();
		if (irq_count == seen) {
			usual = MIN(usual, now - last);
		} else {
			seen = irq_count;
			if (i >= WARM)
				sample[i - WARM] = now - last - usual;
			i++;
			if (i == WARM)
				ticks_begin();
			now = rdtsc();
		}
		last = now;
	}
	ticks_end();
}

static void sort(void)
{
	for (unsigned i = 1; i < SAMPLES; i++) {
		uint64_t value = sample[i];
		unsigned j = i;

		for (; j && sample[j - 1] > value; j--)
			sample[j] = sample[j - 1];
		sample[j] = value;
	}
}

void guest_main(void)
{
	irq_count_pic(0);
	out8(PIT_COMMAND, COMMAND_CH0_MODE2);
	out8(PIT_CH0, PIT_1000_HZ & 0xff);
	out8(PIT_CH0, PIT_1000_HZ >> 8);
	pic_enable(BIT(0));
	sti();
	if (!irq_wait(1)) {
		fail("ticks", "none comes");
		return;
	}
	measure();
	cli();
	sort();
	print("EB pit.tick min=%llu p50=%llu max=%llu n=%u\n",
	      (unsigned long long)sample[0],
	      (unsigned long long)sample[SAMPLES / 2],
	      (unsigned long long)sample[SAMPLES - 1], SAMPLES);
	pass("measured");
}
