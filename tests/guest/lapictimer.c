/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC's timer: one-shot, periodic, TSC deadline, divider, mask.
 */
#include "tests/guest/lib/guest.h"

#define VECTOR	       0x60
#define LVT_MASKED     BIT(16)
#define LVT_PERIODIC   BIT(17)
#define LVT_DEADLINE   BIT(18)
#define DIVIDE_BY_1    0xb
#define DIVIDE_BY_16   0x3
#define MSR_TSC	       0x10
#define MSR_DEADLINE   0x6e0
#define CPUID_DEADLINE BIT(24)
#define COUNT	       2000000u

static void timer_start(uint32_t lvt, uint32_t divide, uint32_t count)
{
	irq_count = 0;
	lapic_write(LAPIC_TIMER_DIVIDE, divide);
	lapic_write(LAPIC_LVT_TIMER, lvt | VECTOR);
	lapic_write(LAPIC_TIMER_INITIAL, count);
}

static void timer_stop(void)
{
	lapic_write(LAPIC_TIMER_INITIAL, 0);
}

static void spin(uint64_t ticks)
{
	uint64_t start = rdtsc();

	while (rdtsc() - start < ticks)
		__asm__ volatile("pause");
}

static void test_count(void)
{
	uint32_t first, second;

	timer_start(LVT_MASKED, DIVIDE_BY_1, 0xffffffff);
	first = lapic_read(LAPIC_TIMER_CURRENT);
	spin(100000);
	second = lapic_read(LAPIC_TIMER_CURRENT);
	check("counts-down", second < first);
	check_equal("initial-reads-back", lapic_read(LAPIC_TIMER_INITIAL),
		    0xffffffff);
	timer_stop();
	check_equal("stopped-reads-0", lapic_read(LAPIC_TIMER_CURRENT), 0);
}

/* How long a one-shot of COUNT takes, in TSC ticks; 0: it never came. */
static uint64_t one_shot_ticks(uint32_t divide)
{
	uint64_t start = rdtsc();

	timer_start(0, divide, COUNT);
	sti();
	if (!irq_wait(1))
		start = rdtsc();
	cli();
	return rdtsc() - start;
}

static void test_one_shot(void)
{
	uint64_t by_1 = one_shot_ticks(DIVIDE_BY_1);
	uint64_t by_16;

	check("one-shot", irq_count == 1);
	spin(by_1 * 2);
	sti();
	cli();
	check_equal("one-shot-once", irq_count, 1);
	by_16 = one_shot_ticks(DIVIDE_BY_16);
	if (by_16 > by_1 * 4)
		pass("divider");
	else
		fail("divider", "%llu ticks by 1, %llu by 16",
		     (unsigned long long)by_1, (unsigned long long)by_16);
}

static void test_periodic(void)
{
	timer_start(LVT_PERIODIC, DIVIDE_BY_1, COUNT);
	sti();
	check("periodic", irq_wait(10));
	cli();
	timer_stop();
}

static void test_masked(void)
{
	timer_start(LVT_MASKED, DIVIDE_BY_1, COUNT / 10);
	sti();
	spin(COUNT * 4);
	cli();
	check_equal("masked", irq_count, 0);
	check_equal("masked-runs-out", lapic_read(LAPIC_TIMER_CURRENT), 0);
}

static void deadline_now(void *deadline)
{
	wrmsr(MSR_DEADLINE, *(uint64_t *)deadline);
	__asm__ volatile("nop");
}

/* The interrupt comes before the instruction after next. */
static bool is_at_once(uint64_t deadline)
{
	uint32_t before = irq_count;
	bool is_good;

	sti();
	deadline_now(&deadline);
	is_good = irq_count == before + 1;
	cli();
	return is_good && rdmsr(MSR_DEADLINE) == 0;
}

static void test_deadline_past(void)
{
	uint32_t before = irq_count;
	uint64_t tsc = rdtsc();

	check("tsc-deadline-now", is_at_once(rdtsc()));
	check("tsc-deadline-long-past", is_at_once(1));
	/* Long ago, but not on a clock that was set back since. */
	wrmsr(MSR_TSC, 0x4000000000000000);
	check("tsc-deadline-past-after-a-jump", is_at_once(5));
	wrmsr(MSR_DEADLINE, 0x6000000000000000);
	sti();
	spin(1000000);
	check("tsc-deadline-ahead", rdmsr(MSR_DEADLINE) != 0);
	wrmsr(MSR_TSC, 0x6000000000000000);
	__asm__ volatile("nop");
	check_equal("tsc-deadline-passed-by-a-jump", rdmsr(MSR_DEADLINE), 0);
	/* The furthest there is. */
	wrmsr(MSR_DEADLINE, ~0UL);
	spin(1000000);
	cli();
	check_equal("tsc-deadline-furthest", rdmsr(MSR_DEADLINE), ~0UL);
	/* A mode that has none. */
	lapic_write(LAPIC_LVT_TIMER, LVT_PERIODIC | VECTOR);
	check_equal("tsc-deadline-other-mode", rdmsr(MSR_DEADLINE), 0);
	wrmsr(MSR_DEADLINE, 1);
	check_equal("tsc-deadline-dropped", rdmsr(MSR_DEADLINE), 0);
	lapic_write(LAPIC_LVT_TIMER, LVT_DEADLINE | VECTOR);
	sti();
	spin(1000000);
	cli();
	wrmsr(MSR_TSC, tsc);
	check_equal("tsc-deadline-each-once", irq_count, before + 4);
	irq_count = 2;
}

static void test_deadline(void)
{
	if (!(cpuid(1, 0).ecx & CPUID_DEADLINE)) {
		skip("tsc-deadline", "CPUID does not offer it");
		return;
	}
	irq_count = 0;
	lapic_write(LAPIC_LVT_TIMER, LVT_DEADLINE | VECTOR);
	__asm__ volatile("mfence" ::: "memory");
	wrmsr(MSR_DEADLINE, rdtsc() + 10000000);
	check("tsc-deadline-armed", rdmsr(MSR_DEADLINE) != 0);
	sti();
	check("tsc-deadline", irq_wait(1));
	cli();
	check_equal("tsc-deadline-once", rdmsr(MSR_DEADLINE), 0);
	/* In the past: at once. */
	wrmsr(MSR_DEADLINE, 1);
	sti();
	check("tsc-deadline-past", irq_wait(2));
	cli();
	test_deadline_past();
	wrmsr(MSR_DEADLINE, rdtsc() + 10000000);
	wrmsr(MSR_DEADLINE, 0);
	sti();
	spin(40000000);
	cli();
	check_equal("tsc-deadline-disarmed", irq_count, 2);
}

void guest_main(void)
{
	lapic_enable();
	irq_count_lapic(VECTOR);
	test_count();
	test_one_shot();
	test_periodic();
	test_masked();
	test_deadline();
}
