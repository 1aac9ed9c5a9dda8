/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has a CPU alone, on simulated CPUs: the scheduler does not interrupt it,
 * whatever the others do.
 */
#include "tests/unit/share_test.h"

#define SEEDS	12
#define THREADS 10
#define POINT	10000 /* 10 us: a slice is a thousand of them */
#define ALONE	0     /* its thread, its domain and its CPU */

static struct timer timer[THREADS];

static void all_setup(unsigned cpus, uint64_t seed, uint64_t ms)
{
	setup(cpus, seed, 0, ms);
	sim.tick = POINT;
	sim.is_even = true;
	for (unsigned i = 0; i < THREADS; i++)
		sched_domain_init(&domain[i], 100, 0);
}

static void wake_it(void *ctx)
{
	thread_wake(ctx);
}

/* Works a little, and sleeps a little, each for up to some milliseconds. */
static void sleep_fn(void *arg)
{
	unsigned self = (unsigned)(uintptr_t)arg;

	timer[self] = (struct timer){ .fn = wake_it, .ctx = thread[self] };
	for (;;) {
		sim_user(1 + sim_random(300));
		timer_arm(&timer[self], sim.now + 1 + sim_random(5 * MS));
		thread_block();
	}
}

/*
 * Beside it others share the other CPUs, sleep and are woken, of its own domain
 * as well: it runs from beginning to end.
 */
static void test_pinned(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		unsigned cpus = 2 + seed % 3;
		uint64_t others = MASK(cpus - 1, 1);
		const struct sim_cpu *alone;

		all_setup(cpus, seed, 300);
		alone = &sim.cpu[ALONE];
		add(ALONE, spin_fn, BIT(ALONE));
		for (unsigned i = 1; i < THREADS; i++)
			add(i < 3 ? ALONE : i, i % 2 ? spin_fn : sleep_fn,
			    others);
		run();
		assert_ptr_equal(alone->cpu.thread, thread[ALONE]);
		assert_int_equal(alone->cpu.irq_count, 0);
		assert_int_equal(alone->timer, 0);
		/* There was something to interrupt it for. */
		assert_in_range(sim.cpu[1].cpu.irq_count, 10, UINT32_MAX);
		sim_abandon();
	}
}

static uint64_t left_at, interrupts_then;

/* Some slices, then no more. */
static void leave_fn(void *arg)
{
	(void)arg;
	sim_user(1400);
	left_at = sim.now;
	interrupts_then = this_cpu()->irq_count;
}

/* The timer of the last slice goes off, and once more if that slice was begun
 * after the timer had been set. */
static void test_company_has_left(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		all_setup(2, seed, 400);
		left_at = 0;
		add(ALONE, spin_fn, BIT(ALONE));
		add(1, leave_fn, BIT(ALONE));
		add(2, spin_fn, BIT(1));
		run();
		assert_in_range(left_at, 1, time_end - 150 * MS);
		assert_in_range(interrupts_then, 4, 20);
		assert_in_range(sim.cpu[ALONE].cpu.irq_count - interrupts_then,
				0, 2);
		assert_int_equal(sim.cpu[ALONE].timer, 0);
		sim_abandon();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pinned),
		cmocka_unit_test(test_company_has_left),
	};

	return cmocka_run_group_tests_name("alone", tests, NULL, NULL);
}
