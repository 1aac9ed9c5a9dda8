/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of shares and of waking have in common: domains of threads on
 * simulated CPUs, and what each of them got.
 */
#ifndef BULKHEAD_TESTS_UNIT_SHARE_TEST_H
#define BULKHEAD_TESTS_UNIT_SHARE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/fake/sim.h"

#define MS	    1000000ULL
#define DOMAINS_MAX 12
#define THREADS_MAX 32

/* What a run is made of, and what came out. */
static struct sched_domain domain[DOMAINS_MAX];
static struct thread *thread[THREADS_MAX];
static struct {
	unsigned domain;
	uint64_t used; /* points in ring 3, of the time that counts */
	uint64_t last, gap_max;
	const struct cpu *on;
} of[THREADS_MAX];
static unsigned threads, moved;
static uint64_t time_begin, time_end;

static inline bool is_time_over(void)
{
	return sim.now >= time_end;
}

/* The first warm_ms do not count. */
static inline void setup(unsigned cpus, uint64_t seed, uint64_t warm_ms,
			 uint64_t ms)
{
	sim_setup(cpus, seed);
	memset(of, 0, sizeof(of));
	threads = moved = 0;
	sim.tick = SCHED_SLICE_NS / 2500;
	/* Each CPU has its turn at each second point. */
	sim.switch_rate = 2;
	time_begin = sim.now + warm_ms * MS;
	time_end = time_begin + ms * MS;
	sim.is_done = is_time_over;
	sim.points_max = UINT64_MAX;
}

static inline void spin_fn(void *arg)
{
	unsigned n = (unsigned)(uintptr_t)arg;

	of[n].last = MAX(sim.now, time_begin);
	for (;;) {
		sim_user(1);
		if (sim.now < time_begin)
			continue;
		of[n].used++;
		moved += of[n].on && of[n].on != this_cpu();
		of[n].on = this_cpu();
		of[n].gap_max = MAX(of[n].gap_max, sim.now - of[n].last);
		of[n].last = sim.now;
	}
}

/* A thread of the domain, on those CPUs; 0: on any. */
static inline void add(unsigned d, void (*fn)(void *arg), uint64_t cpus)
{
	struct thread *t = thread_create("t", fn, (void *)(uintptr_t)threads,
					 THREAD_ANY_CPU);

	assert_non_null(t);
	if (cpus)
		assert_int_equal(thread_pin(t, cpus), 0);
	t->domain = &domain[d];
	of[threads].domain = d;
	thread[threads++] = t;
}

static inline void run(void)
{
	const char *why;

	for (unsigned i = 0; i < threads; i++)
		thread_start(thread[i]);
	why = sim_run();
	if (why)
		fail_msg("%s", why);
}

static inline uint64_t used_by(unsigned d)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < threads; i++)
		if (of[i].domain == d)
			sum += of[i].used;
	return sum;
}

static inline uint64_t used_by_all(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < threads; i++)
		sum += of[i].used;
	return sum;
}

#endif
