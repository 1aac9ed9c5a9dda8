/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Weights, caps and pins on simulated CPUs, by the scheduler itself: single
 * cases, and random mixes whose shares are computed by another way,
 * water-filling.
 */
#include "tests/unit/share_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "include/errno.h"

#define MIXES	 12
/* Threads move that often at most: one in so many milliseconds for each CPU. */
#define MOVES_MS 20

/* Thousandths of all that was used. */
static void assert_share(unsigned d, double wanted)
{
	double is = (double)used_by(d) / (double)used_by_all();

	if (fabs(is - wanted) > 0.02 * wanted + 0.002)
		fail_msg("domain %u: %.4f, not %.4f", d, is, wanted);
}

/* ---- Weights --------------------------------------------------------------
 */

static void test_weights(void **unused)
{
	static const uint32_t weights[][2] = {
		{ 200, 100 }, { 100, 100 },  { 1, 3 },
		{ 10, 100 },  { 1000, 100 }, { 10000, 5000 },
	};

	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(weights); i++) {
		double sum = weights[i][0] + weights[i][1];

		setup(1, i + 1, 200, 4000);
		for (unsigned d = 0; d < 2; d++) {
			sched_domain_init(&domain[d], weights[i][d], 0);
			add(d, spin_fn, 0);
		}
		run();
		assert_share(0, weights[i][0] / sum);
		assert_share(1, weights[i][1] / sum);
		sim_abandon();
	}
}

/* However many threads each has, and whichever CPUs they are on. */
static void test_unequal_counts(void **unused)
{
	static const unsigned counts[][3] = {
		{ 1, 1, 4 }, { 1, 4, 1 }, { 2, 2, 4 },
		{ 2, 4, 2 }, { 2, 2, 6 }, { 4, 4, 8 },
	};

	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
		unsigned cpus = counts[i][0];

		setup(cpus, i + 1, 200, 3000);
		sched_domain_init(&domain[0], 200, 0);
		sched_domain_init(&domain[1], 100, 0);
		for (unsigned d = 0; d < 2; d++)
			for (unsigned n = 0; n < counts[i][1 + d]; n++)
				add(d, spin_fn, BIT(n % cpus));
		run();
		assert_share(0, 2.0 / 3);
		assert_share(1, 1.0 / 3);
		sim_abandon();
	}
}

/* A domain's own threads share alike on a CPU. */
static void test_within(void **unused)
{
	(void)unused;
	setup(1, 1, 200, 3000);
	sched_domain_init(&domain[0], 300, 0);
	sched_domain_init(&domain[1], 100, 0);
	for (unsigned n = 0; n < 3; n++)
		add(0, spin_fn, 0);
	add(1, spin_fn, 0);
	run();
	for (unsigned i = 0; i < 4; i++)
		assert_in_range(of[i].used * 100 / used_by_all(), 24, 26);
	sim_abandon();
}

/* Who slept has not saved up for it: the other is not kept away for long. */
static uint64_t sleeps_until;
static struct timer alarm_timer;

static void alarm_fn(void *ctx)
{
	thread_wake(ctx);
}

static void late_fn(void *arg)
{
	unsigned n = (unsigned)(uintptr_t)arg;

	alarm_timer = (struct timer){ .fn = alarm_fn, .ctx = thread[n] };
	timer_arm(&alarm_timer, sleeps_until);
	while (sim.now < sleeps_until)
		thread_block();
	spin_fn(arg);
}

static void test_sleep_is_not_saved(void **unused)
{
	(void)unused;
	setup(1, 1, 1000, 600);
	sleeps_until = time_begin;
	for (unsigned d = 0; d < 2; d++)
		sched_domain_init(&domain[d], 100, 0);
	add(0, spin_fn, 0);
	add(1, late_fn, 0);
	run();
	assert_in_range(of[0].gap_max, 1, 45 * MS);
	assert_share(0, 0.49);
	sim_abandon();
}

/* As one that waits for a lock which a sibling has. */
static void beg_fn(void *arg)
{
	unsigned n = (unsigned)(uintptr_t)arg;

	for (unsigned turn = 0;; turn++) {
		sim_user(1);
		of[n].used += sim.now >= time_begin;
		if (turn % 16 == 0)
			sched_yield_to(turn % 32 ? thread[!n] : NULL);
	}
}

/* Who gives its CPU to siblings, again and again, takes nothing from others. */
static void test_yield_to(void **unused)
{
	(void)unused;
	setup(1, 5, 200, 2000);
	sched_domain_init(&domain[0], 100, 0);
	sched_domain_init(&domain[1], 100, 0);
	for (unsigned i = 0; i < 2; i++)
		add(0, beg_fn, 0);
	add(1, spin_fn, 0);
	run();
	/* And pays for the switches. */
	assert_true((double)used_by(1) > 0.49 * (double)used_by_all());
	assert_true(of[0].used > used_by_all() / 10);
	assert_true(of[1].used > used_by_all() / 10);
	assert_in_range(of[2].gap_max, 1, 45 * MS);
	sim_abandon();
}

/* ---- Caps -----------------------------------------------------------------
 */

/* Percent of one CPU over the time that counts. */
static void assert_cap(unsigned d, double cap)
{
	double is = 100.0 * sim.cpu_count * (double)used_by(d) /
		    (double)used_by_all();

	if (fabs(is - cap) > 0.02 * cap)
		fail_msg("domain %u: %.2f %%, not %.2f", d, is, cap);
}

/* Beside one that takes what is left, on as many CPUs as there are. */
/* One that begins has no sleep behind it, however long the others have run. */
static void test_new(void **unused)
{
	struct share share;

	(void)unused;
	share_init(&share, 100, 0, 10000);
	assert_int_equal(share_limit(&share, 5000000), 5000000);
	/* And later what anybody may have. */
	assert_int_equal(share_limit(&share, 9000000), 9000000 - share.credit);
}

/* Another CPU, whose clock is some ticks ahead, has charged it last. */
static void test_clocks_differ(void **unused)
{
	struct share share;

	(void)unused;
	for (unsigned weight = 50; weight <= 200; weight *= 2) {
		share_init(&share, weight, 50, 10000);
		(void)share_limit(&share, 5000000);
		assert_in_range(share_charge(&share, 1000100, 1000000), 4999800,
				5000000);
		share_charge_cap(&share, 1000000, 1000400);
		share_charge_cap(&share, 1000500, 1000400);
		assert_in_range(share.paid_tsc, 900000, 1000800);
	}
}

static void test_caps(void **unused)
{
	static const unsigned caps[][2] = {
		{ 1, 2 },
		{ 1, 5 },
		{ 1, 10 },
		{ 1, 33 },
		{ 1, 48 },
		{ 2, 25 },
		{ 2, 100 },
		{ 4, 150 },
		/* Again with other seeds: long turns among many CPUs. */
		{ 4, 150 },
		{ 4, 150 },
		{ 4, 150 },
		{ 3, 120 },
	};

	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(caps); i++) {
		unsigned cpus = caps[i][0];

		setup(cpus, i + 1, 200, 2000);
		/* What the scheduler takes is the domain's, too. */
		sim.tick = 500;
		sched_domain_init(&domain[0], 100, caps[i][1]);
		sched_domain_init(&domain[1], 100, 0);
		for (unsigned n = 0; n < cpus; n++)
			for (unsigned d = 0; d < 2; d++)
				add(d, spin_fn, BIT(n));
		run();
		assert_cap(0, caps[i][1]);
		sim_abandon();
	}
}

static uint64_t points_of(unsigned cap)
{
	setup(1, 1, 200, 2000);
	sim.tick = SCHED_SLICE_NS / 20000;
	sched_domain_init(&domain[0], 100, cap);
	add(0, spin_fn, 0);
	run();
	sim_abandon();
	return of[0].used;
}

/* Nobody else wants the CPU: it rests all the same. */
static void test_cap_alone(void **unused)
{
	static const unsigned caps[] = { 5, 20, 50, 90 };
	uint64_t all = points_of(0);

	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(caps); i++) {
		double is = 100.0 * (double)points_of(caps[i]) / (double)all;

		if (fabs(is - caps[i]) > 0.02 * caps[i])
			fail_msg("%.2f %%, not %u", is, caps[i]);
	}
}

/* A cap is no share: who is held does not keep the others from theirs. */
static void test_cap_and_weights(void **unused)
{
	(void)unused;
	setup(1, 1, 200, 4000);
	sched_domain_init(&domain[0], 10000, 20);
	sched_domain_init(&domain[1], 300, 0);
	sched_domain_init(&domain[2], 100, 0);
	for (unsigned d = 0; d < 3; d++)
		add(d, spin_fn, 0);
	run();
	assert_share(0, 0.2);
	assert_share(1, 0.6);
	assert_share(2, 0.2);
	sim_abandon();
}

/* ---- Pins -----------------------------------------------------------------
 */

static void pinned_fn(void *arg)
{
	unsigned n = (unsigned)(uintptr_t)arg;
	uint64_t cpus = thread[n]->cpus;

	for (;;) {
		sim_user(1);
		SIM_CHECK(cpus & BIT(this_cpu()->id));
		of[n].used++;
	}
}

static void test_pins(void **unused)
{
	(void)unused;
	setup(4, 1, 0, 300);
	sched_domain_init(&domain[0], 100, 0);
	for (unsigned i = 0; i < 12; i++)
		add(0, pinned_fn, 1 + i);
	run();
	for (unsigned i = 0; i < 12; i++)
		assert_true(of[i].used);
	sim_abandon();
}

/* By number of those that run domains; none that is not there. */
static void test_pin_numbers(void **unused)
{
	struct thread *t;

	(void)unused;
	sim_setup(4, 1);
	sim.cpu[0].cpu.runs_no_domain = sim.cpu[2].cpu.runs_no_domain = true;
	t = thread_create("t", spin_fn, NULL, THREAD_ANY_CPU);
	assert_int_equal(t->cpus, BIT(1) | BIT(3));
	assert_int_equal(thread_pin(t, BIT(0)), 0);
	assert_int_equal(t->cpus, BIT(1));
	assert_ptr_equal(t->cpu, &sim.cpu[1].cpu);
	assert_int_equal(thread_pin(t, BIT(1)), 0);
	assert_int_equal(t->cpus, BIT(3));
	assert_int_equal(thread_pin(t, BIT(0) | BIT(1)), 0);
	assert_int_equal(t->cpus, BIT(1) | BIT(3));
	assert_int_equal(thread_pin(t, BIT(2)), -EINVAL);
	assert_int_equal(thread_pin(t, BIT(63) | BIT(0)), -EINVAL);
	assert_int_equal(thread_pin(t, 0), -EINVAL);
	thread_discard(t);
	sim_teardown();
}

/* ---- Moving ---------------------------------------------------------------
 */

struct mix {
	unsigned cpus, domains;
	unsigned weight[DOMAINS_MAX], count[DOMAINS_MAX], cap[DOMAINS_MAX];
};

/*
 * CPUs that each is to have: by weight, but no more than its threads or its cap
 * can use; what is left over goes to the others by weight.
 */
static void mix_fill(const struct mix *mix, double *cpus)
{
	bool is_full[DOMAINS_MAX] = { false };
	double most[DOMAINS_MAX];

	for (unsigned d = 0; d < mix->domains; d++) {
		most[d] = MIN(mix->count[d], mix->cpus);
		if (mix->cap[d])
			most[d] = fmin(most[d], mix->cap[d] / 100.0);
	}
	for (unsigned round = 0; round <= mix->domains; round++) {
		double weights = 0, left = mix->cpus;

		for (unsigned d = 0; d < mix->domains; d++) {
			weights += is_full[d] ? 0 : mix->weight[d];
			left -= is_full[d] ? most[d] : 0;
		}
		for (unsigned d = 0; d < mix->domains; d++)
			cpus[d] = is_full[d] ? most[d]
					     : left * mix->weight[d] / weights;
		for (unsigned d = 0; d < mix->domains; d++)
			is_full[d] |= cpus[d] > most[d];
	}
	for (unsigned d = 0; d < mix->domains; d++)
		cpus[d] = fmin(cpus[d], most[d]);
}

/* Busy threads, all from the start. */
static void mix_run(const struct mix *mix, uint64_t seed, uint64_t ms)
{
	uint64_t tick = SCHED_SLICE_NS / 2500;

	setup(mix->cpus, seed, 600, ms);
	sim.is_even = true;
	for (unsigned d = 0; d < mix->domains; d++) {
		sched_domain_init(&domain[d], mix->weight[d], mix->cap[d]);
		/* What the scheduler takes of a cap is to be little. */
		if (mix->cap[d])
			tick = SCHED_SLICE_NS / 5000;
		for (unsigned n = 0; n < mix->count[d]; n++)
			add(d, spin_fn, 0);
	}
	sim.tick = tick / mix->cpus;
	run();
}

/* What it has, in CPUs, of all time that was not idle. */
static double mix_has(const struct mix *mix, unsigned d)
{
	double busy = 1 - (double)sim.idle_points / (double)sim.points;

	return mix->cpus * busy * (double)used_by(d) / (double)used_by_all();
}

/* A thread's turns, of a slice, would come so often if they were spread evenly:
 * three times as long is the most. */
static uint64_t mix_gap(const struct mix *mix, const double *wanted, unsigned i)
{
	unsigned d = of[i].domain;

	return 100 * MS +
	       (uint64_t)(3 * SCHED_SLICE_NS * mix->count[d] / wanted[d]);
}

/* Within that part, and of the CPUs' time that is wanted 2 % idle at most. */
static void mix_check(const char *name, const struct mix *mix, double part)
{
	double wanted[DOMAINS_MAX], sum = 0, busy;

	mix_fill(mix, wanted);
	for (unsigned d = 0; d < mix->domains; d++) {
		double is = mix_has(mix, d);

		sum += wanted[d];
		if (fabs(is - wanted[d]) > part * wanted[d] + 0.004)
			fail_msg("mix %s, %u CPUs, domain %u of %u (weight %u, "
				 "%u threads, cap %u): %.3f, not %.3f",
				 name, mix->cpus, d, mix->domains,
				 mix->weight[d], mix->count[d], mix->cap[d], is,
				 wanted[d]);
	}
	busy = mix->cpus * (1 - (double)sim.idle_points / (double)sim.points);
	if (busy < 0.98 * sum)
		fail_msg("mix %s: of %.3f CPUs %.3f are used", name, sum, busy);
	for (unsigned i = 0; i < threads; i++)
		if (!of[i].used || of[i].gap_max > mix_gap(mix, wanted, i))
			fail_msg("mix %s: thread %u waits for %lu ms", name, i,
				 (unsigned long)(of[i].gap_max / MS));
	if (moved > (time_end - time_begin) / MS * mix->cpus / MOVES_MS)
		fail_msg("mix %s: %u moves", name, moved);
}

static void test_known(void **unused)
{
	static const struct {
		const char *name;
		struct mix mix;
	} known[] = {
		{ "three on two",
		  { 2, 3, { 100, 100, 100 }, { 1, 1, 1 }, { 0 } } },
		{ "2:1, two each", { 2, 2, { 200, 100 }, { 2, 2 }, { 0 } } },
		{ "2:1, two and three",
		  { 2, 2, { 200, 100 }, { 2, 3 }, { 0 } } },
		{ "2:1, two and six", { 2, 2, { 200, 100 }, { 2, 6 }, { 0 } } },
		{ "one too heavy",
		  { 2, 3, { 200, 100, 100 }, { 1, 1, 1 }, { 0 } } },
		{ "one far too heavy",
		  { 2, 3, { 1000, 100, 10 }, { 1, 2, 3 }, { 0 } } },
		{ "one and three", { 2, 2, { 100, 100 }, { 1, 3 }, { 0 } } },
		{ "eight of one", { 2, 1, { 100 }, { 8 }, { 0 } } },
		{ "five on four",
		  { 4,
		    5,
		    { 100, 100, 100, 100, 100 },
		    { 1, 1, 1, 1, 1 },
		    { 0 } } },
		{ "held by a cap",
		  { 2, 3, { 10000, 100, 100 }, { 1, 1, 1 }, { 20 } } },
		{ "very light",
		  { 2, 3, { 1000, 1000, 1000 }, { 1, 1, 1 }, { 0 } } },
	};

	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
		mix_run(&known[i].mix, i + 1, 4000);
		mix_check(known[i].name, &known[i].mix, 0.02);
		sim_abandon();
	}
}

static void mix_draw(struct mix *mix, unsigned seed)
{
	static const unsigned weights[] = { 50, 100, 200, 300, 400 };

	srand(seed);
	mix->cpus = 1 + (unsigned)rand() % 4;
	mix->domains = 2 + (unsigned)rand() % 5;
	for (unsigned d = 0; d < mix->domains; d++) {
		mix->weight[d] = weights[(unsigned)rand() % 5];
		mix->count[d] = 1 + (unsigned)rand() % 4;
		mix->cap[d] = rand() % 4 ? 0 : 20 + (unsigned)rand() % 80;
	}
}

/* MIX=n runs that one alone. */
static void test_mixes(void **unused)
{
	const char *only = getenv("MIX");
	char name[16];

	(void)unused;
	for (unsigned n = 0; n < MIXES; n++) {
		unsigned seed = only ? (unsigned)atoi(only) : n;
		struct mix mix = { 0 };

		(void)snprintf(name, sizeof(name), "%u", seed);
		mix_draw(&mix, seed);
		mix_run(&mix, seed + 1, 5000);
		/* Of more CPUs some that want just what a thread can have do
		 * not get all of it. */
		mix_check(name, &mix, mix.cpus > 2 ? 0.08 : 0.02);
		sim_abandon();
		if (only)
			break;
	}
}

/* Registers that a CPU still has keep their thread there. */
static void test_registers_stay(void **unused)
{
	(void)unused;
	setup(2, 1, 0, 200);
	sched_domain_init(&domain[0], 100, 0);
	for (unsigned n = 0; n < 4; n++)
		add(0, spin_fn, 0);
	for (unsigned n = 0; n < 4; n++)
		thread[n]->cpu = &sim.cpu[0].cpu;
	sim.cpu[0].cpu.fpu_owner = thread[2]->arg;
	run();
	assert_ptr_equal(thread[2]->cpu, &sim.cpu[0].cpu);
	assert_true(of[2].used);
	assert_true(thread[1]->cpu != thread[2]->cpu ||
		    thread[3]->cpu != thread[2]->cpu ||
		    thread[0]->cpu != thread[2]->cpu);
	sim_abandon();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_unequal_counts),
		cmocka_unit_test(test_within),
		cmocka_unit_test(test_sleep_is_not_saved),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_yield_to),
		cmocka_unit_test(test_cap_alone),
		cmocka_unit_test(test_cap_and_weights),
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_clocks_differ),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_pin_numbers),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_registers_stay),
		cmocka_unit_test(test_mixes),
	};

	return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
