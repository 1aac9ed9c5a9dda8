/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who wakes, on simulated CPUs, by the scheduler itself: where it goes, how
 * soon it runs, and that others are not kept waiting for it.
 */
#include "tests/unit/share_test.h"

static struct timer alarm_timer;

/* Woken where somebody is busy, with an idle CPU beside: it goes there. */
static uint64_t woken_at, wait_max;
static unsigned elsewhere;

static void nap_over(void *ctx)
{
	woken_at = sim.now;
	thread_wake(ctx);
}

static void napper_fn(void *arg)
{
	unsigned n = (unsigned)(uintptr_t)arg;

	for (;;) {
		woken_at = 0;
		timer_arm(&alarm_timer, sim.now + 3 * MS);
		while (!woken_at)
			thread_block();
		wait_max = MAX(wait_max, sim.now - woken_at);
		elsewhere += this_cpu()->id != 0;
		of[n].used++;
	}
}

static void test_woken_to_idle(void **unused)
{
	(void)unused;
	setup(2, 1, 0, 600);
	wait_max = elsewhere = 0;
	for (unsigned d = 0; d < 2; d++)
		sched_domain_init(&domain[d], 100, 0);
	add(0, spin_fn, BIT(0));
	add(1, napper_fn, 0);
	thread[1]->cpu = &sim.cpu[0].cpu;
	alarm_timer = (struct timer){ .fn = nap_over, .ctx = thread[1] };
	run();
	assert_in_range(of[1].used, 100, 200);
	assert_in_range(wait_max, 1, MS);
	assert_in_range(elsewhere, of[1].used - 2, of[1].used);
	sim_abandon();
}

/* A CPU whose own are held by their caps is as good as one without any. */
static void freed_fn(void *arg)
{
	unsigned n = (unsigned)(uintptr_t)arg;

	while (sim.now < time_begin)
		sim_user(1);
	thread[n]->cpus |= BIT(1);
	napper_fn(arg);
}

static void test_woken_to_held(void **unused)
{
	(void)unused;
	setup(2, 1, 20, 60);
	sim.tick = 500;
	wait_max = elsewhere = 0;
	for (unsigned d = 0; d < 3; d++)
		sched_domain_init(&domain[d], 100, d == 1 ? 1 : 0);
	add(0, spin_fn, BIT(0));
	add(1, spin_fn, BIT(1));
	add(2, freed_fn, BIT(0));
	alarm_timer = (struct timer){ .fn = nap_over, .ctx = thread[2] };
	run();
	assert_in_range(of[2].used, 10, 20);
	assert_in_range(elsewhere, of[2].used - 1, of[2].used);
	sim_abandon();
}

/* Runs for four slices; another one begins behind it; woken after a millisecond
 * of that one's turn, it waits for the rest. */
static void behind_fn(void *arg)
{
	thread_block();
	spin_fn(arg);
}

static void behind_wake(void *ctx)
{
	thread_wake(ctx);
}

static void ahead_fn(void *arg)
{
	static struct timer other;
	unsigned n = (unsigned)(uintptr_t)arg;

	sim_user((unsigned)(4 * SCHED_SLICE_NS / sim.tick));
	other = (struct timer){ .fn = behind_wake, .ctx = thread[!n] };
	timer_arm(&other, sim.now + MS);
	timer_arm(&alarm_timer, sim.now + 2 * MS);
	sched_yield();
	woken_at = 0;
	while (!woken_at)
		thread_block();
	wait_max = sim.now - woken_at;
	time_end = sim.now;
	spin_fn(arg);
}

/* That one was urgent when it came to the idle CPU says nothing of the next. */
static void test_hurry_ends(void **unused)
{
	(void)unused;
	setup(1, 1, 0, 600);
	wait_max = 0;
	for (unsigned d = 0; d < 2; d++)
		sched_domain_init(&domain[d], 100, 0);
	add(0, behind_fn, 0);
	add(1, ahead_fn, 0);
	alarm_timer = (struct timer){ .fn = nap_over, .ctx = thread[1] };
	run();
	assert_in_range(wait_max, SCHED_SLICE_NS - 2 * MS,
			SCHED_SLICE_NS + 2 * MS);
	sim_abandon();
}

/* Beside busy threads on all CPUs: a millisecond at most. */
static void test_woken_beside_busy(void **unused)
{
	(void)unused;
	for (unsigned cpus = 1; cpus <= 2; cpus++) {
		setup(cpus, cpus, 0, 1500);
		wait_max = elsewhere = 0;
		for (unsigned d = 0; d < 4; d++) {
			sched_domain_init(&domain[d], 100, 0);
			if (d < 3)
				add(d, spin_fn, 0);
		}
		add(3, napper_fn, 0);
		alarm_timer =
			(struct timer){ .fn = nap_over, .ctx = thread[3] };
		run();
		assert_in_range(of[3].used, 200, 500);
		assert_in_range(wait_max, 1, MS);
		sim_abandon();
	}
}

/* All but the last sleep, and wake at the same moment, for a while. */
#define CROWD 9

static uint64_t crowd_end;

static void crowd_wake(void *ctx)
{
	(void)ctx;
	crowd_end = sim.now + 300 * MS;
	for (unsigned i = 0; i < CROWD - 1; i++)
		thread_wake(thread[i]);
	timer_arm(&alarm_timer, sim.now + 600 * MS);
}

static void crowd_fn(void *arg)
{
	(void)arg;
	for (;;) {
		while (sim.now >= crowd_end)
			thread_block();
		sim_user(1);
	}
}

/* Those who come back, however many, do not have one wait for two turns. */
static void test_crowd(void **unused)
{
	(void)unused;
	setup(1, 5, 400, 2000);
	crowd_end = 0;
	for (unsigned d = 0; d < CROWD; d++) {
		sched_domain_init(&domain[d], 100, 0);
		add(d, d < CROWD - 1 ? crowd_fn : spin_fn, 0);
	}
	alarm_timer = (struct timer){ .fn = crowd_wake };
	timer_arm(&alarm_timer, sim.now + 10 * MS);
	run();
	assert_in_range(of[CROWD - 1].gap_max, 1, 45 * MS);
	sim_abandon();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_woken_to_idle),
		cmocka_unit_test(test_woken_to_held),
		cmocka_unit_test(test_hurry_ends),
		cmocka_unit_test(test_woken_beside_busy),
		cmocka_unit_test(test_crowd),
	};

	return cmocka_run_group_tests_name("wake", tests, NULL, NULL);
}
