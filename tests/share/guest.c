/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of a CPU a guest has beside others, for tests/share/test_share.py:
 * it counts turns of a loop, which exits for nothing.  The fewest ticks of the
 * TSC that some turns ever took are what they take without anybody else, so
 * that turns are time.
 *
 * Options: wakes=N sleeps for a millisecond so often, and says how late it was
 * each time; else all vCPUs are busy from the start until end-ms, and count
 * from from-ms to to-ms, of the guest's own time, and also how often they were
 * taken from what they did, be it for an interrupt of the host's alone.
 * talks=N: they say something after each N looks at the clock.
 */
#include "tests/guest/lib/smp.h"
#include "tests/hostile/guests/hostile.h"

#define TURNS	 2000 /* between two looks at the clock */
#define VECTOR	 0x50
#define SLEEP_US 1000
#define LATE_US	 1000
/* Wakes that do not count: a guest's start costs more than its share, and it
 * waits for that. */
#define SETTLE	 20
#define PARTS	 100000 /* of one CPU */
#define GAP	 300 /* ticks more than a look takes, far less than an exit */
#define US_A_MS	 1000

static struct {
	uint64_t from, to, end; /* of the TSC */
} span;

/* Each vCPU's own. */
static struct {
	uint64_t looks, gaps, fewest;
} counted[SMP_MAX];

static void busy(unsigned id)
{
	uint64_t before, now = rdtsc(), looks = 0, gaps = 0;
	uint64_t fewest = UINT64_MAX, talks = command_option("talks", 0);

	/* As who computes has them: Bochs lets no interrupt of the host's end a
	 * guest that has them off. */
	sti();
	do {
		before = now;
		for (unsigned i = 0; i < TURNS; i++)
			__asm__ volatile("");
		now = rdtsc();
		if (now - before < fewest)
			fewest = now - before;
		if (before < span.from || now >= span.to)
			continue;
		if (talks && looks % talks == 0)
			print("still busy\n");
		looks++;
		gaps += now - before > fewest + GAP;
	} while (now < span.end);
	cli();
	counted[id].looks = looks;
	counted[id].gaps = gaps;
	counted[id].fewest = fewest;
}

static uint64_t at_ms(const char *option)
{
	return command_option(option, 0) * US_A_MS * tsc_per_us();
}

static void measure_busy(void)
{
	uint64_t ticks = 0, gaps = 0;

	pit_stop();
	span.from = at_ms("from-ms");
	span.to = at_ms("to-ms");
	span.end = at_ms("end-ms");
	if (smp_cpu_count() > 1) {
		smp_start();
		smp_run(busy);
	} else {
		busy(0);
	}
	for (unsigned i = 0; i < smp_cpu_count(); i++) {
		ticks += counted[i].looks * counted[i].fewest;
		gaps += counted[i].gaps;
	}
	print("has %llu of %u, interrupted %llu times\n",
	      (unsigned long long)(ticks * PARTS / (span.to - span.from)),
	      PARTS, (unsigned long long)gaps);
}

/* By the APIC's timer, from which the guest begins to wait. */
static void measure_wakes(uint64_t wakes)
{
	uint64_t rate = lapic_timer_begin(VECTOR);
	uint64_t worst = 0, late_ones = 0;

	lapic_write(LAPIC_LVT_TIMER, VECTOR);
	for (uint64_t i = 0; i < SETTLE + wakes; i++) {
		uint32_t count = irq_count;
		uint64_t due = rdtsc() + SLEEP_US * tsc_per_us(), now;

		lapic_write(LAPIC_TIMER_INITIAL, (uint32_t)(SLEEP_US * rate));
		while (irq_count == count)
			__asm__ volatile("sti; hlt; cli" ::: "memory");
		now = rdtsc();
		if (i < SETTLE || now <= due)
			continue;
		worst = MAX(worst, now - due);
		late_ones += now - due > LATE_US * tsc_per_us();
	}
	print("of %llu wakes %llu late, worst %llu us\n",
	      (unsigned long long)wakes, (unsigned long long)late_ones,
	      (unsigned long long)(worst / tsc_per_us()));
}

void guest_main(void)
{
	uint64_t wakes = command_option("wakes", 0);

	if (wakes)
		measure_wakes(wakes);
	else
		measure_busy();
	pass("share");
}
