/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers on simulated CPUs: order, what the hardware is told, cancelling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/fake/sim.h"

#define TIMERS 8
#define SEEDS  40

static struct timer timer[TIMERS];
static unsigned calls[TIMERS];
static uint64_t called_at[TIMERS];
static char trace[64];

static void fn(void *ctx)
{
	unsigned n = (unsigned)(uintptr_t)ctx;
	size_t length = strlen(trace);

	SIM_CHECK(!fake_x86.is_irq_on);
	SIM_CHECK(!timer[n].cpu);
	calls[n]++;
	called_at[n] = sim.now;
	if (length < sizeof(trace) - 1)
		trace[length] = (char)('a' + n);
}

static void timers_setup(unsigned cpus, uint64_t seed)
{
	sim_setup(cpus, seed);
	memset(calls, 0, sizeof(calls));
	memset(trace, 0, sizeof(trace));
	for (unsigned i = 0; i < TIMERS; i++)
		timer[i] =
			(struct timer){ .fn = fn, .ctx = (void *)(uintptr_t)i };
}

static void run(void)
{
	const char *why = sim_run();

	if (why)
		fail_msg("%s", why);
	sim_teardown();
}

/* The CPUs have nothing but these timers to do. */
static void test_order(void **unused)
{
	static const unsigned at[] = { 50, 10, 30, 30, 70, 10, 60, 20 };

	(void)unused;
	timers_setup(1, 1);
	for (unsigned i = 0; i < TIMERS; i++)
		timer_arm(&timer[i], 1000000 + at[i] * 1000);
	assert_int_equal(sim.cpu[0].timer, 1010000);
	/* Moved, forwards and backwards; taken out. */
	timer_arm(&timer[0], 1000000);
	timer_arm(&timer[1], 1080000);
	timer_cancel(&timer[4]);
	timer_cancel(&timer[4]);
	assert_int_equal(sim.cpu[0].timer, 1000000);
	run();
	assert_string_equal(trace, "afhcdgb");
	for (unsigned i = 0; i < TIMERS; i++)
		if (i != 0 && i != 1 && i != 4)
			assert_in_range(called_at[i], 1000000 + at[i] * 1000,
					1002000 + at[i] * 1000);
}

/* Only an earlier deadline is written to the hardware. */
static void test_programs(void **unused)
{
	(void)unused;
	timers_setup(1, 1);
	timer_arm(&timer[0], 50000);
	assert_int_equal(sim.cpu[0].timer, 50000);
	sim.cpu[0].timer = 1;
	timer_arm(&timer[1], 60000);
	timer_arm(&timer[0], 70000);
	assert_int_equal(sim.cpu[0].timer, 1);
	assert_int_equal(this_cpu()->timers.programmed, 50000);
	timer_arm(&timer[0], 40000);
	assert_int_equal(sim.cpu[0].timer, 40000);
	/* The interrupt of a deadline that has moved sets the next. */
	timer_arm(&timer[0], 90000);
	sim.now = 45000;
	timer_interrupt(this_cpu());
	assert_int_equal(sim.cpu[0].timer, 60000);
	assert_int_equal(calls[0] + calls[1], 0);
	timer_arm(&timer[2], TIMER_NEVER);
	timer_cancel(&timer[2]);
	run();
	assert_string_equal(trace, "ba");
}

/* Without a TSC deadline: a count, which is never 0 and has 31 bits. */
static void test_counts(void **unused)
{
	(void)unused;
	timers_setup(1, 1);
	sim.host.lapic.has_tsc_deadline = false;
	sim.host.time.tsc_to_timer = (struct time_rate){ 1, 3 };
	timer_arm(&timer[0], sim.now + 8000);
	assert_int_equal(sim.cpu[0].timer, sim.now + 1001);
	timer_arm(&timer[1], sim.now - 500);
	assert_int_equal(sim.cpu[0].timer, sim.now + 1);
	timer_cancel(&timer[0]);
	timer_cancel(&timer[1]);
	this_cpu()->timers.programmed = TIMER_NEVER;
	timer_arm(&timer[2], sim.now + (1ULL << 40));
	assert_int_equal(sim.cpu[0].timer, sim.now + 0x7fffffff);
	timer_cancel(&timer[2]);
	sim.cpu[0].timer = 0;
	run();
}

static void again_fn(void *ctx)
{
	fn(ctx);
	if (calls[0] < 5)
		timer_arm(&timer[0], timer[0].deadline_tsc + 100000);
}

static void test_again(void **unused)
{
	(void)unused;
	timers_setup(1, 1);
	timer[0].fn = again_fn;
	timer_arm(&timer[0], 100000);
	timer_arm(&timer[1], 350000);
	run();
	assert_string_equal(trace, "aaabaa");
	assert_in_range(called_at[0], 500000, 505000);
}

/* ---- Several CPUs -------------------------------------------------------- */

static unsigned ended, ends;
static bool is_gone; /* what the function uses */
static bool is_slow_running;

static void slow_fn(void *ctx)
{
	(void)ctx;
	SIM_CHECK(!is_gone);
	__atomic_store_n(&is_slow_running, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < 20; i++) {
		sim_point();
		SIM_CHECK(!is_gone);
	}
}

static void end(void)
{
	__atomic_fetch_add(&ended, 1, __ATOMIC_RELAXED);
}

static bool is_arm_wanted;

/* On another CPU, if there is one. */
static void armer_fn(void *arg)
{
	(void)arg;
	while (__atomic_load_n(&ended, __ATOMIC_RELAXED) == 0) {
		if (__atomic_load_n(&is_arm_wanted, __ATOMIC_RELAXED)) {
			timer_arm(&timer[0], sim.now + sim_random(3000));
			__atomic_store_n(&is_arm_wanted, false,
					 __ATOMIC_RELAXED);
		}
		sched_yield();
	}
	end();
}

/* Waits until it runs, or not: at the end nobody uses what it used. */
static void canceller_fn(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 30; i++) {
		is_gone = false;
		__atomic_store_n(&is_slow_running, false, __ATOMIC_RELAXED);
		__atomic_store_n(&is_arm_wanted, true, __ATOMIC_RELAXED);
		while (__atomic_load_n(&is_arm_wanted, __ATOMIC_RELAXED))
			sched_yield();
		if (sim_random(2))
			while (!__atomic_load_n(&is_slow_running,
						__ATOMIC_RELAXED))
				sched_yield();
		else
			sim_spend(sim_random(3000));
		timer_cancel_sync(&timer[0]);
		is_gone = true;
		SIM_CHECK(!timer[0].running && !timer[0].cpu);
		sim_spend(5000);
	}
	end();
}

static void start(void (*fn_of)(void *arg), uint32_t cpu)
{
	struct thread *thread = thread_create("t", fn_of, NULL, cpu);

	assert_non_null(thread);
	thread_start(thread);
	ends++;
}

static void test_cancel_sync(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		timers_setup(1 + seed % 3, seed);
		ended = ends = 0;
		is_gone = false;
		timer[0].fn = slow_fn;
		is_arm_wanted = false;
		start(canceller_fn, 0);
		start(armer_fn, 1);
		run();
		assert_int_equal(ended, ends);
	}
}

static void churn_fn(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 60; i++) {
		struct timer *t = &timer[sim_random(3)];

		if (sim_random(3))
			timer_arm(t, sim.now + sim_random(2000));
		else
			timer_cancel(t);
		if (sim_random(4) == 0)
			sim_spend(sim_random(2000));
	}
	end();
}

static void churn_timer_fn(void *ctx)
{
	(void)ctx;
	calls[0]++;
}

/* From all CPUs at once: none is in two queues, none is lost in one. */
static void test_churn(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		timers_setup(1 + seed % 4, seed);
		ended = ends = 0;
		for (unsigned i = 0; i < 3; i++)
			timer[i].fn = churn_timer_fn;
		for (unsigned i = 0; i < 4; i++)
			start(churn_fn, i);
		run();
		assert_int_equal(ended, ends);
		assert_true(calls[0] > 0);
		/* The run ended when no CPU had any more to wait for. */
		for (unsigned i = 0; i < 3; i++) {
			assert_null(timer[i].cpu);
			assert_int_equal(timer[i].running, 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_cancel_sync),
		cmocka_unit_test(test_churn),
	};

	return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
