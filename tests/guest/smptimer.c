/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time on several vCPUs: the timers of all local APICs at once, in every mode,
 * each for its own vCPU; and one TSC, which never goes backwards from one vCPU
 * to another, and is the same on all to the tick.
 */
#include "tests/guest/lib/smp.h"

#define VECTOR_FIRST	 0x60 /* and one for each vCPU */
#define TICKS		 10
#define DIVIDE_BY_1	 0xb
#define LVT_PERIODIC	 BIT(17)
#define LVT_DEADLINE	 BIT(18)
#define LVT_MASKED	 BIT(16)
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_TSC_ADJUST	 0x3b
#define CPUID_TSCDL	 BIT(24)
#define CPUID_TSC_ADJUST BIT(1)
#define PERIOD_NS	 1000000
#define DEADLINE_TICKS	 300000
#define HANDOVERS	 200
#define MEETINGS	 20000
#define TRADES		 12
#define JUMP		 1000000000000ull

static unsigned count;
static volatile uint64_t early;

static unsigned vector_of(unsigned id)
{
	return VECTOR_FIRST + id;
}

static void forget(void)
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < SMP_MAX; j++)
			smp_cpus[i].taken[vector_of(j)] = 0;
}

/* Timer interrupts of one vCPU that another has taken. */
static unsigned strayed(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < count; j++)
			if (i != j)
				n += smp_cpus[i].taken[vector_of(j)];
	return n;
}

static unsigned with_at_least(uint32_t ticks)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		n += smp_cpus[i].taken[vector_of(i)] >= ticks;
	return n;
}

/* ---- Periodic, one-shot, deadline ----------------------------------------
 */

static void timer_begin(unsigned id, uint32_t lvt)
{
	smp_apic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
	smp_apic_write(LAPIC_LVT_TIMER, lvt | vector_of(id));
}

static void timer_end(unsigned id)
{
	smp_apic_write(LAPIC_TIMER_INITIAL, 0);
	smp_apic_write(LAPIC_LVT_TIMER, LVT_MASKED | vector_of(id));
	smp_let_in();
}

/* Each at its own pace, none in step with another. */
static void periodic(unsigned id)
{
	timer_begin(id, LVT_PERIODIC);
	smp_apic_write(LAPIC_TIMER_INITIAL, PERIOD_NS + 77777 * id);
	smp_wait_count(&smp_this()->taken[vector_of(id)], TICKS);
	timer_end(id);
}

/* The same while all of them keep their CPUs busy. */
static void periodic_busy(unsigned id)
{
	volatile uint32_t *taken = &smp_this()->taken[vector_of(id)];

	timer_begin(id, LVT_PERIODIC);
	smp_apic_write(LAPIC_TIMER_INITIAL, PERIOD_NS + 77777 * id);
	sti();
	while (*taken < TICKS)
		__asm__ volatile("pause");
	cli();
	timer_end(id);
}

static void one_shot(unsigned id)
{
	timer_begin(id, 0);
	for (uint32_t i = 1; i <= TICKS; i++) {
		smp_apic_write(LAPIC_TIMER_INITIAL, 50000 + 10000 * id);
		smp_wait_count(&smp_this()->taken[vector_of(id)], i);
	}
	timer_end(id);
}

static void deadline(unsigned id)
{
	timer_begin(id, LVT_DEADLINE);
	for (uint32_t i = 1; i <= TICKS; i++) {
		uint64_t when = rdtsc() + DEADLINE_TICKS + 1000 * id;

		wrmsr(MSR_TSC_DEADLINE, when);
		smp_wait_count(&smp_this()->taken[vector_of(id)], i);
		if (rdtsc() < when)
			early = when - rdtsc();
	}
	timer_end(id);
}

static void test_timer(const char *name, void (*fn)(unsigned id), bool is_exact)
{
	unsigned exact = 0;

	forget();
	smp_run(fn);
	if (with_at_least(TICKS) != count || strayed()) {
		fail(name, "%u of %u vCPUs had all ticks, %u strayed",
		     with_at_least(TICKS), count, strayed());
		return;
	}
	for (unsigned i = 0; i < count; i++)
		exact += smp_cpus[i].taken[vector_of(i)] == TICKS;
	check(name, !is_exact || exact == count);
}

/* ---- The TSC ------------------------------------------------------------- */

static volatile uint64_t last_tsc;
static volatile uint32_t token, backwards, lock;

/* From hand to hand, each halting until it is its turn. */
static void hand_over(unsigned id)
{
	for (uint32_t i = 0; i < HANDOVERS; i++) {
		uint64_t now;

		smp_wait_count(&token, i * count + id);
		now = rdtsc();
		backwards += now < last_tsc;
		last_tsc = now;
		token++;
		smp_wake((id + 1) % count);
	}
}

/* Whoever gets the lock looks: close together where there are several CPUs. */
static void meet(unsigned id)
{
	(void)id;
	for (uint32_t i = 0; i < MEETINGS; i++) {
		uint64_t now;

		while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
			__asm__ volatile("pause");
		now = rdtsc();
		backwards += now < last_tsc;
		last_tsc = now;
		__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
	}
}

static void test_tsc(void)
{
	last_tsc = 0;
	backwards = token = 0;
	smp_run(hand_over);
	check_equal("tsc-handed-over", backwards, 0);
	check_equal("all-had-it", token, count * HANDOVERS);
	smp_run(meet);
	check_equal("tsc-at-once", backwards, 0);
}

/*
 * There and back between vCPU 0 and another, which do the same: where the
 * simulator counts instructions, both ways take as many ticks, and what one way
 * seems to take more is twice the difference of the two TSCs.
 */
static unsigned partner;
static volatile uint64_t left, ticks_taken[2][TRADES];

static void trade(unsigned id)
{
	unsigned side = id != 0;

	if (id != 0 && id != partner)
		return;
	for (uint32_t i = 0; i < TRADES; i++) {
		smp_wait_count(&token, 2 * i + side);
		ticks_taken[side][i] = rdtsc() - left;
		token++;
		left = rdtsc();
		smp_wake(partner - id);
	}
}

/* What most of a way's trades took, or 0: none took what most did. */
static uint64_t usual(const volatile uint64_t *taken)
{
	for (unsigned i = 0; i < TRADES; i++) {
		unsigned same = 0;

		for (unsigned j = 0; j < TRADES; j++)
			same += taken[i] == taken[j];
		if (same > TRADES / 2)
			return taken[i];
	}
	return 0;
}

static void test_equal(void)
{
	unsigned different = 0, exact = 0;

	for (partner = 1; partner < count; partner++) {
		uint64_t there, back;

		token = 0;
		smp_run(trade);
		there = usual(ticks_taken[1]);
		back = usual(ticks_taken[0]);
		if (!there || !back)
			continue;
		exact++;
		if (there != back && different++ == 0)
			print("vCPU %u: %llu ticks there, %llu back\n", partner,
			      (unsigned long long)there,
			      (unsigned long long)back);
	}
	if (exact)
		check_equal("tsc-equal", different, 0);
	else
		skip("tsc-equal", "no two trades take the same time here");
}

static volatile uint64_t tsc_of[SMP_MAX];

/* It is the last vCPU's alone that jumps. */
static void jump(unsigned id)
{
	if (id == count - 1)
		wrmsr(MSR_TSC_ADJUST, JUMP);
	smp_barrier();
	tsc_of[id] = rdtsc();
	smp_barrier();
	if (id == count - 1)
		wrmsr(MSR_TSC_ADJUST, 0);
}

static void test_adjust(void)
{
	if (!(cpuid(7, 0).ebx & CPUID_TSC_ADJUST)) {
		skip("tsc-adjust", "CPUID does not offer it");
		return;
	}
	smp_run(jump);
	check("tsc-adjust-own", tsc_of[count - 1] - tsc_of[0] > JUMP / 2 &&
					tsc_of[count - 1] > tsc_of[0]);
}

void guest_main(void)
{
	smp_start();
	count = smp_cpu_count();
	for (unsigned i = 0; i < count; i++)
		smp_count(vector_of(i));
	test_timer("periodic", periodic, false);
	test_timer("periodic-busy", periodic_busy, false);
	test_timer("one-shot", one_shot, true);
	if (cpuid(1, 0).ecx & CPUID_TSCDL) {
		test_timer("tsc-deadline", deadline, true);
		check_equal("not-early", early, 0);
	} else {
		skip("tsc-deadline", "CPUID does not offer it");
	}
	test_tsc();
	if (count > 1) {
		test_equal();
		test_adjust();
	}
}
