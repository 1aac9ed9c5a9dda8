/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler on simulated CPUs: what a thread may count on, whatever comes
 * in between.  Each case runs from many seeds on one to four CPUs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/fake/sim.h"

#define SEEDS	    40
#define THREADS_MAX 64

static struct thread *thread[THREADS_MAX];
static unsigned ended;
static struct sched_domain domain[THREADS_MAX];

static void all_setup(unsigned cpus, uint64_t seed)
{
	sim_setup(cpus, seed);
	ended = 0;
	memset(thread, 0, sizeof(thread));
	for (unsigned i = 0; i < ARRAY_SIZE(domain); i++)
		sched_domain_init(&domain[i], 100, 0);
}

/* Threads may run on any CPU, whatever a case says, and move. */
static bool is_free;

/* Not started. */
static void make(unsigned i, void (*fn)(void *arg), struct sched_domain *d,
		 uint32_t cpu)
{
	thread[i] = thread_create("t", fn, (void *)(uintptr_t)i,
				  is_free ? THREAD_ANY_CPU : cpu);
	assert_non_null(thread[i]);
	thread[i]->domain = d;
}

static void run(void)
{
	const char *why = sim_run();

	if (why)
		fail_msg("%u CPUs, %lu switches: %s", sim.cpu_count,
			 sim.switches, why);
}

/* All have ended and everything has come back. */
static void run_to_end(unsigned threads)
{
	run();
	assert_int_equal(ended, threads);
	assert_int_equal(sim.stacks, 0);
	assert_int_equal(sim.pages, 0);
	sim_teardown();
}

static void each_seed(void (*one)(unsigned cpus))
{
	for (unsigned seed = 0; seed < 2 * SEEDS; seed++) {
		is_free = seed >= SEEDS;
		all_setup(1 + seed % 4, seed);
		one(sim.cpu_count);
	}
	is_free = false;
}

/* ---- Waking -------------------------------------------------------------- */

#define RING   6
#define ROUNDS 20

static bool token[RING];

/* Takes the token, hands it on: a wake-up that is lost stops them all. */
static void ring_fn(void *arg)
{
	unsigned self = (unsigned)(uintptr_t)arg, next = (self + 1) % RING;

	for (unsigned i = 0; i < ROUNDS; i++) {
		while (!__atomic_exchange_n(&token[self], false,
					    __ATOMIC_ACQ_REL))
			thread_block();
		__atomic_store_n(&token[next], true, __ATOMIC_RELEASE);
		thread_wake(thread[next]);
	}
	__atomic_fetch_add(&ended, 1, __ATOMIC_RELAXED);
	/* Its predecessor may still wake it. */
	while (__atomic_load_n(&ended, __ATOMIC_RELAXED) < RING)
		sched_yield();
}

static void ring(unsigned cpus)
{
	memset(token, 0, sizeof(token));
	token[0] = true;
	for (unsigned i = 0; i < RING; i++)
		make(i, ring_fn, i % 2 ? &domain[i / 2] : NULL, i % cpus);
	for (unsigned i = 0; i < RING; i++)
		thread_start(thread[i]);
	run_to_end(RING);
}

static void test_ring(void **unused)
{
	(void)unused;
	each_seed(ring);
}

#define POSTS 30

static unsigned posted, taken;
static struct timer post_timer;

static void post(void)
{
	__atomic_fetch_add(&posted, 1, __ATOMIC_SEQ_CST);
	thread_wake(thread[0]);
}

/* In the timer interrupt, of whichever CPU. */
static void post_timer_fn(void *ctx)
{
	(void)ctx;
	post();
}

static void taker_fn(void *arg)
{
	(void)arg;
	while (taken < 3 * POSTS) {
		if (taken == __atomic_load_n(&posted, __ATOMIC_SEQ_CST))
			thread_block();
		else
			taken++;
	}
	__atomic_fetch_add(&ended, 1, __ATOMIC_RELAXED);
}

static void poster_fn(void *arg)
{
	uintptr_t self = (uintptr_t)arg;

	for (unsigned i = 0; i < POSTS; i++) {
		post();
		if (sim_random(3) == 0)
			sched_yield();
		if (self == 1) {
			unsigned before =
				__atomic_load_n(&posted, __ATOMIC_RELAXED);

			timer_arm(&post_timer, time_now_tsc() + 5000);
			while (__atomic_load_n(&post_timer.cpu,
					       __ATOMIC_RELAXED) ||
			       __atomic_load_n(&post_timer.running,
					       __ATOMIC_RELAXED))
				sched_yield();
			SIM_CHECK(posted > before);
		}
	}
	__atomic_fetch_add(&ended, 1, __ATOMIC_RELAXED);
}

static void posts(unsigned cpus)
{
	posted = taken = 0;
	post_timer = (struct timer){ .fn = post_timer_fn };
	make(0, taker_fn, &domain[0], 0);
	make(1, poster_fn, &domain[1], 1 % cpus);
	make(2, poster_fn, NULL, 2 % cpus);
	thread_get(thread[0]);
	for (unsigned i = 0; i < 3; i++)
		thread_start(thread[i]);
	run();
	thread_put(thread[0]);
	assert_int_equal(taken, 3 * POSTS);
	run_to_end(3);
}

/* From other threads, other CPUs and interrupts, to one that blocks. */
static void test_posts(void **unused)
{
	(void)unused;
	each_seed(posts);
}

/* ---- Life ---------------------------------------------------------------- */

#define SHORT_LIVED 12

static unsigned alive[SHORT_LIVED];

/* Blocks now and then: it is woken without end. */
static void short_fn(void *arg)
{
	unsigned self = (unsigned)(uintptr_t)arg;

	__atomic_store_n(&alive[self], 1, __ATOMIC_RELAXED);
	for (unsigned i = sim_random(4); i; i--)
		thread_block();
	__atomic_fetch_add(&ended, 1, __ATOMIC_RELAXED);
}

/* Also those that have ended, until it lets go of them. */
static void waker_fn(void *arg)
{
	unsigned first = (unsigned)(uintptr_t)arg % 2;

	while (__atomic_load_n(&ended, __ATOMIC_RELAXED) < SHORT_LIVED)
		for (unsigned i = first; i < SHORT_LIVED; i += 2) {
			thread_wake(thread[i]);
			if (sim_random(4) == 0)
				sched_yield();
		}
	for (unsigned i = first; i < SHORT_LIVED; i += 2) {
		thread_wake(thread[i]);
		thread_put(thread[i]);
	}
	__atomic_fetch_add(&ended, 1, __ATOMIC_RELAXED);
}

static void lives(unsigned cpus)
{
	for (unsigned i = 0; i < SHORT_LIVED; i++) {
		make(i, short_fn, i % 3 ? &domain[i % 3] : NULL, i % cpus);
		thread_get(thread[i]);
	}
	make(SHORT_LIVED, waker_fn, NULL, cpus - 1);
	make(SHORT_LIVED + 1, waker_fn, &domain[5], THREAD_ANY_CPU);
	for (unsigned i = SHORT_LIVED + 2; i; i--)
		thread_start(thread[i - 1]);
	run_to_end(SHORT_LIVED + 2);
}

static void test_lives(void **unused)
{
	(void)unused;
	each_seed(lives);
}

static void never_fn(void *arg)
{
	(void)arg;
	sim_fail("it ran though nobody had started it");
}

/* A wake-up does not start a thread; what it was for is not forgotten. */
static void test_not_started(void **unused)
{
	(void)unused;
	all_setup(2, 1);
	make(0, never_fn, NULL, 0);
	make(1, never_fn, &domain[0], 1);
	thread_wake(thread[0]);
	thread_wake(thread[1]);
	run();
	thread_discard(thread[0]);
	thread_discard(thread[1]);
	run_to_end(0);
}

static void block_once_fn(void *arg)
{
	(void)arg;
	thread_block();
	ended++;
}

static void test_woken_before_start(void **unused)
{
	(void)unused;
	all_setup(1, 1);
	make(0, block_once_fn, NULL, 0);
	thread_wake(thread[0]);
	thread_start(thread[0]);
	run_to_end(1);
}

/* ---- Shares -------------------------------------------------------------- */

#define MS 1000000ULL

static uint64_t used[THREADS_MAX]; /* points in ring 3 */
static uint64_t last_seen[THREADS_MAX], gap_max[THREADS_MAX];
static uint64_t time_end;

static bool is_time_over(void)
{
	return sim.now >= time_end;
}

/* Ring 3 for ever; slot: whose time it is. */
static unsigned slot_of[THREADS_MAX];

static void spin_fn(void *arg)
{
	unsigned slot = slot_of[(uintptr_t)arg];

	last_seen[slot] = sim.now;
	for (;;) {
		sim_user(1);
		used[slot]++;
		gap_max[slot] = MAX(gap_max[slot], sim.now - last_seen[slot]);
		last_seen[slot] = sim.now;
	}
}

static void shares_setup(unsigned cpus, uint64_t ms)
{
	all_setup(cpus, 7);
	memset(used, 0, sizeof(used));
	memset(gap_max, 0, sizeof(gap_max));
	sim.tick = SCHED_SLICE_NS / 1000; /* a slice is a thousand points */
	time_end = sim.now + ms * MS;
	sim.is_done = is_time_over;
}

static void spinner(unsigned i, unsigned slot, struct sched_domain *d,
		    uint32_t cpu)
{
	slot_of[i] = slot;
	make(i, spin_fn, d, cpu);
}

static void assert_share(unsigned slot, uint64_t percent, uint64_t of)
{
	uint64_t is = used[slot] * 100 / of;

	if (is + 3 < percent || is > percent + 3)
		fail_msg("slot %u has %lu %%, not %lu", slot, is, percent);
}

/* One thread against six of another VM and one of the monitor's own. */
static void test_shares(void **unused)
{
	(void)unused;
	shares_setup(1, 1200);
	spinner(0, 0, &domain[0], 0);
	for (unsigned i = 1; i < 7; i++)
		spinner(i, 1, &domain[1], 0);
	spinner(7, 2, NULL, 0);
	for (unsigned i = 0; i < 8; i++)
		thread_start(thread[i]);
	run();
	for (unsigned i = 0; i < 3; i++)
		assert_share(i, 33, used[0] + used[1] + used[2]);
	/* Two others' slices. */
	assert_in_range(gap_max[0], SCHED_SLICE_NS * 19 / 10,
			SCHED_SLICE_NS * 21 / 10);
	assert_in_range(gap_max[2], SCHED_SLICE_NS * 19 / 10,
			SCHED_SLICE_NS * 21 / 10);
	sim_abandon();
}

/* A VM's threads among themselves. */
static void test_shares_within(void **unused)
{
	(void)unused;
	shares_setup(1, 1200);
	for (unsigned i = 0; i < 4; i++)
		spinner(i, i, &domain[0], 0);
	spinner(4, 4, &domain[1], 0);
	for (unsigned i = 0; i < 5; i++)
		thread_start(thread[i]);
	run();
	for (unsigned i = 0; i < 4; i++)
		assert_share(i, 25, used[0] + used[1] + used[2] + used[3]);
	sim_abandon();
}

/* However many wait: the turn is bounded, with slices of a millisecond at
 * least. */
static void test_turns(void **unused)
{
	static const unsigned counts[] = { 2, 4, 5, 8, 20, 40, 60 };

	(void)unused;
	for (unsigned n = 0; n < ARRAY_SIZE(counts); n++) {
		unsigned count = counts[n];
		/* Who runs is not one of those who wait. */
		uint64_t slice =
			MAX(MIN(SCHED_TURN_NS / (count - 1), SCHED_SLICE_NS),
			    SCHED_SLICE_MIN_NS);
		uint64_t turn = count * slice * 21 / 20;

		shares_setup(1, 300);
		sim.tick = 2000;
		for (unsigned i = 0; i < count; i++)
			spinner(i, i, &domain[i], 0);
		for (unsigned i = 0; i < count; i++)
			thread_start(thread[i]);
		run();
		for (unsigned i = 0; i < count; i++)
			assert_in_range(gap_max[i], 1, turn);
		/* A switch is not for nothing. */
		assert_in_range(sim.switches, 1, 310);
		sim_abandon();
	}
}

/* Nobody waits: no slices, no interrupts. */
static void test_alone(void **unused)
{
	(void)unused;
	shares_setup(1, 100);
	spinner(0, 0, &domain[0], 0);
	thread_start(thread[0]);
	run();
	assert_int_equal(sim.cpu[0].cpu.irq_count, 0);
	assert_int_equal(sim.switches, 1);
	sim_abandon();
}

static uint64_t woken_at, ran_at;

static void sleeper_fn(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&woken_at, __ATOMIC_RELAXED))
		thread_block();
	ran_at = sim.now;
	for (;;)
		sim_user(1);
}

static void wake_one_fn(void *arg)
{
	(void)arg;
	sim_user(2500); /* the slices of the start are over */
	__atomic_store_n(&woken_at, sim.now, __ATOMIC_RELAXED);
	thread_wake(thread[1]);
	for (;;)
		sim_user(1);
}

/* On a CPU that somebody had to himself, woken by another CPU. */
static void test_woken_elsewhere(void **unused)
{
	(void)unused;
	shares_setup(2, 100);
	woken_at = ran_at = 0;
	spinner(0, 0, &domain[0], 1);
	make(1, sleeper_fn, &domain[1], 1);
	make(2, wake_one_fn, &domain[2], 0);
	for (unsigned i = 0; i < 3; i++)
		thread_start(thread[2 - i]);
	run();
	assert_in_range(ran_at - woken_at, 1, 12 * MS);
	sim_abandon();
}

/* The same on its own CPU, by an interrupt. */
static void wake_sleeper(void *ctx)
{
	(void)ctx;
	woken_at = sim.now;
	thread_wake(thread[1]);
}

static void arm_fn(void *arg)
{
	static struct timer timer;

	timer = (struct timer){ .fn = wake_sleeper };
	timer_arm(&timer, sim.now + 25 * MS);
	spin_fn(arg);
}

static void test_woken_by_interrupt(void **unused)
{
	(void)unused;
	shares_setup(1, 100);
	woken_at = ran_at = 0;
	make(0, arm_fn, &domain[0], 0);
	make(1, sleeper_fn, &domain[1], 0);
	thread_start(thread[1]);
	thread_start(thread[0]);
	run();
	assert_in_range(ran_at - woken_at, 1, 12 * MS);
	sim_abandon();
}

/* ---- Woken among others that are busy -------------------------------------
 */

#define BUSY	    3
#define WAKER_EVERY (MS / 2)

static struct timer waker_timer;
static uint64_t wait_max, woken_works;

static void waker(void *ctx)
{
	(void)ctx;
	woken_at = sim.now;
	thread_wake(thread[BUSY]);
	timer_arm(&waker_timer, sim.now + WAKER_EVERY);
}

/* Waits, then works for so many points. */
static void woken_fn(void *arg)
{
	unsigned slot = slot_of[(uintptr_t)arg];

	waker_timer = (struct timer){ .fn = waker };
	timer_arm(&waker_timer, sim.now + 60 * MS);
	for (;;) {
		woken_at = 0;
		while (!woken_at)
			thread_block();
		wait_max = MAX(wait_max, sim.now - woken_at);
		for (unsigned i = 0; i < woken_works; i++) {
			sim_user(1);
			used[slot]++;
		}
	}
}

static void woken_setup(unsigned works)
{
	shares_setup(1, 1200);
	wait_max = 0;
	woken_works = works;
	for (unsigned i = 0; i < BUSY; i++)
		spinner(i, i, &domain[i], 0);
	slot_of[BUSY] = BUSY;
	make(BUSY, woken_fn, &domain[BUSY], 0);
	for (unsigned i = 0; i <= BUSY; i++)
		thread_start(thread[BUSY - i]);
	run();
}

/* Who works little does not wait for three slices, nor for one. */
static void test_woken_goes_first(void **unused)
{
	(void)unused;
	woken_setup(5); /* 50 us, in each millisecond twice at most */
	assert_in_range(wait_max, 1, MS);
	assert_in_range(used[BUSY], 1000, 12000);
	sim_abandon();
}

/* Who works much has no more than the others for it. */
static void test_woken_pays(void **unused)
{
	(void)unused;
	woken_setup(200);
	for (unsigned i = 0; i < BUSY; i++)
		assert_share(i, 25, used[0] + used[1] + used[2] + used[BUSY]);
	sim_abandon();
}

/* ---- Hooks --------------------------------------------------------------- */

static char trace[64];

static void trace_add(char what)
{
	size_t length = strlen(trace);

	if (length < sizeof(trace) - 1)
		trace[length] = what;
}

static void hook_in(void *arg)
{
	SIM_CHECK(!fake_x86.is_irq_on);
	trace_add((char)('A' + (uintptr_t)arg));
}

static void hook_out(void *arg)
{
	SIM_CHECK(!fake_x86.is_irq_on);
	trace_add((char)('a' + (uintptr_t)arg));
}

static void yield_twice_fn(void *arg)
{
	(void)arg;
	sched_yield();
	sched_yield();
	ended++;
}

/* FIFO within a domain, domains in turn; hooks for changes alone. */
static void test_order(void **unused)
{
	(void)unused;
	all_setup(1, 3);
	memset(trace, 0, sizeof(trace));
	for (unsigned i = 0; i < 3; i++) {
		make(i, yield_twice_fn, &domain[i ? 1 : 0], 0);
		thread[i]->switch_in = hook_in;
		thread[i]->switch_out = hook_out;
		thread_start(thread[i]);
	}
	run_to_end(3);
	assert_string_equal(trace, "AaBbAaCcAaBbCcBbCc");
	assert_int_equal(sim.barriers, 0);
}

/* Thread 0 wants the last, 1 one of another domain, 2 any of its own. */
static void yield_to_fn(void *arg)
{
	switch ((uintptr_t)arg) {
	case 0:
		sched_yield_to(thread[3]);
		break;
	case 1:
		sched_yield_to(thread[0]);
		break;
	case 2:
		sched_yield_to(NULL);
		break;
	default:
		sched_yield();
	}
	ended++;
}

/* Who is wanted goes before its siblings and other domains. */
static void test_yield_to(void **unused)
{
	(void)unused;
	all_setup(1, 3);
	memset(trace, 0, sizeof(trace));
	for (unsigned i = 0; i < 4; i++) {
		make(i, yield_to_fn, &domain[i == 1], 0);
		thread[i]->switch_in = hook_in;
		thread_start(thread[i]);
	}
	run_to_end(4);
	assert_string_equal(trace, "ADBCABDC");
}

/* Between any two threads, where the host wants it. */
static void test_barriers(void **unused)
{
	(void)unused;
	all_setup(2, 3);
	sim.host.speculation.at_switch = true;
	for (unsigned i = 0; i < 6; i++) {
		make(i, yield_twice_fn, i ? &domain[i % 2] : NULL, i % 2);
		thread_start(thread[i]);
	}
	run_to_end(6);
	assert_int_equal(sim.barriers, sim.switches);
}

static void test_domains_have_ids(void **unused)
{
	(void)unused;
	all_setup(1, 1);
	assert_int_not_equal(domain[0].id, 0);
	for (unsigned i = 1; i < ARRAY_SIZE(domain); i++)
		assert_int_not_equal(domain[i].id, domain[i - 1].id);
	sim_teardown();
}

/* A CPU whose sibling runs domains runs none. */
static void test_cpus_without_domains(void **unused)
{
	(void)unused;
	all_setup(4, 1);
	sim.cpu[1].cpu.runs_no_domain = sim.cpu[3].cpu.runs_no_domain = true;
	for (unsigned i = 0; i < 6; i++) {
		make(i, never_fn, &domain[0], THREAD_ANY_CPU);
		assert_ptr_equal(thread[i]->cpu, &sim.cpu[i % 2 * 2].cpu);
		thread_discard(thread[i]);
	}
	run_to_end(0);
}

static unsigned before_user_calls;

static void hook_before_user(void *arg)
{
	(void)arg;
	SIM_CHECK(!fake_x86.is_irq_on);
	/* What is to be looked at before ring 3 goes on is looked at last. */
	SIM_CHECK(!sched_should_yield(this_cpu()));
	before_user_calls++;
}

static void user_fn(void *arg)
{
	(void)arg;
	irq_disable();
	sim_user(3000);
	ended++;
}

static void test_before_user(void **unused)
{
	(void)unused;
	all_setup(1, 3);
	sim.tick = SCHED_SLICE_NS / 1000; /* three slices each */
	before_user_calls = 0;
	for (unsigned i = 0; i < 2; i++) {
		make(i, user_fn, &domain[i], 0);
		thread[i]->before_user = hook_before_user;
		thread_start(thread[i]);
	}
	run_to_end(2);
	assert_in_range(before_user_calls, 5, 7);
}

static void breathe_fn(void *arg)
{
	unsigned slot = (unsigned)(uintptr_t)arg;

	irq_disable();
	for (;;) {
		sim_point();
		used[slot]++;
		if (used[slot] % 16 == 0)
			sched_breathe();
		SIM_CHECK(!fake_x86.is_irq_on);
	}
}

/* With interrupts off but for moments: the others have their turn. */
static void test_breathe(void **unused)
{
	(void)unused;
	shares_setup(1, 400);
	make(0, breathe_fn, &domain[0], 0);
	make(1, breathe_fn, &domain[1], 0);
	thread_start(thread[0]);
	thread_start(thread[1]);
	run();
	assert_share(0, 50, used[0] + used[1]);
	sim_abandon();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_posts),
		cmocka_unit_test(test_lives),
		cmocka_unit_test(test_not_started),
		cmocka_unit_test(test_woken_before_start),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_shares_within),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_woken_elsewhere),
		cmocka_unit_test(test_woken_by_interrupt),
		cmocka_unit_test(test_woken_goes_first),
		cmocka_unit_test(test_woken_pays),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_yield_to),
		cmocka_unit_test(test_barriers),
		cmocka_unit_test(test_domains_have_ids),
		cmocka_unit_test(test_cpus_without_domains),
		cmocka_unit_test(test_before_user),
		cmocka_unit_test(test_breathe),
	};

	return cmocka_run_group_tests_name("sched", tests, NULL, NULL);
}
