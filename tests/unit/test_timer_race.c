/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers under ThreadSanitizer: a thread for each CPU, all of them arming,
 * cancelling and expiring the same timers, whose contexts come and go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* The C library has one of its own. */
#define sched_yield monitor_sched_yield
#include "kernel/host.h"
#include "tests/unit/fake/gs.h"

#define CPUS   3
#define TIMERS 3
#define ROUNDS 4000
#define ALIVE  0x600d

FAKE_X86_DEFINE;

static struct host host;
static struct cpu cpus[CPUS];

/* What a timer's function uses: gone after timer_cancel_sync(). */
struct context {
	unsigned alive;
	unsigned calls;
};

static struct timer timer[TIMERS];
/* Read: to arm; write: to change what the function uses. */
static pthread_rwlock_t owner[TIMERS];
static uint64_t now;

void fake_lock_wait(struct spinlock *lock)
{
	(void)lock;
	(void)usleep(0);
}

void fake_lock_taken(struct spinlock *lock)
{
	(void)lock;
}

void fake_lock_tried(struct spinlock *lock)
{
	(void)lock;
}

void fake_lock_released(struct spinlock *lock)
{
	(void)lock;
}

void lapic_timer_deadline(uint64_t tsc)
{
	(void)tsc;
}

void lapic_timer_start(const struct lapic *lapic, uint32_t count)
{
	(void)lapic;
	(void)count;
}

uint32_t lapic_timer_left(const struct lapic *lapic)
{
	(void)lapic;
	return 0;
}

static uint64_t tsc_now(void)
{
	return __atomic_add_fetch(&now, 1, __ATOMIC_RELAXED);
}

static unsigned random_below(uint32_t *seed, unsigned below)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % below;
}

static void fn(void *ctx)
{
	struct context *context = ctx;

	if (context->alive != ALIVE)
		abort();
	__atomic_fetch_add(&context->calls, 1, __ATOMIC_RELAXED);
}

static void cpu_become(unsigned n)
{
	fake_x86 = (struct fake_x86){ .tsc_read = tsc_now };
	fake_gs_set(&cpus[n]);
}

static void context_renew(struct timer *t)
{
	struct context *context = malloc(sizeof(*context));

	context->alive = ALIVE;
	context->calls = 0;
	timer_cancel_sync(t);
	free(t->ctx);
	t->ctx = context;
}

static void step(unsigned self, uint32_t *seed)
{
	unsigned n = random_below(seed, TIMERS);
	struct timer *t = &timer[n];

	switch (random_below(seed, 8)) {
	case 0:
		(void)pthread_rwlock_wrlock(&owner[n]);
		context_renew(t);
		(void)pthread_rwlock_unlock(&owner[n]);
		break;
	case 1:
		timer_cancel(t);
		break;
	case 2:
	case 3:
	case 4:
		(void)pthread_rwlock_rdlock(&owner[n]);
		timer_arm(t, tsc_now() + random_below(seed, 20));
		(void)pthread_rwlock_unlock(&owner[n]);
		break;
	default:
		timer_interrupt(&cpus[self]);
		break;
	}
}

static void *cpu_main(void *arg)
{
	unsigned self = (unsigned)(uintptr_t)arg;
	uint32_t seed = self + 1;

	cpu_become(self);
	for (unsigned i = 0; i < ROUNDS; i++)
		step(self, &seed);
	return NULL;
}

static void run_all(void *(*main_fn)(void *arg))
{
	pthread_t thread[CPUS];

	for (unsigned i = 0; i < CPUS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, main_fn,
						(void *)(uintptr_t)i),
				 0);
	for (unsigned i = 0; i < CPUS; i++)
		(void)pthread_join(thread[i], NULL);
}

static int setup(void **unused)
{
	(void)unused;
	memset(cpus, 0, sizeof(cpus));
	host.lapic.has_tsc_deadline = true;
	for (unsigned i = 0; i < CPUS; i++) {
		cpus[i].self = &cpus[i];
		cpus[i].id = i;
		cpus[i].host = &host;
		cpus[i].timers.programmed = TIMER_NEVER;
	}
	for (unsigned i = 0; i < TIMERS; i++) {
		timer[i] = (struct timer){ .fn = fn };
		(void)pthread_rwlock_init(&owner[i], NULL);
		context_renew(&timer[i]);
	}
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < TIMERS; i++) {
		free(timer[i].ctx);
		(void)pthread_rwlock_destroy(&owner[i]);
	}
	return 0;
}

static void test_all_at_once(void **unused)
{
	(void)unused;
	run_all(cpu_main);
	cpu_become(0);
	for (unsigned i = 0; i < TIMERS; i++) {
		timer_cancel_sync(&timer[i]);
		assert_null(timer[i].cpu);
		assert_int_equal(timer[i].running, 0);
	}
	for (unsigned i = 0; i < CPUS; i++)
		assert_null(cpus[i].timers.first);
}

static unsigned armed;

/* Each takes what is armed to its own CPU, and lets it go off there. */
static void *cpu_once_main(void *arg)
{
	unsigned self = (unsigned)(uintptr_t)arg;

	cpu_become(self);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct timer *t = &timer[self % TIMERS];

		timer_arm(t, tsc_now());
		__atomic_fetch_add(&armed, 1, __ATOMIC_RELAXED);
		while (__atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE))
			timer_interrupt(&cpus[self]);
	}
	return NULL;
}

static void test_once_each(void **unused)
{
	unsigned calls = 0;

	(void)unused;
	armed = 0;
	run_all(cpu_once_main);
	for (unsigned i = 0; i < TIMERS; i++)
		calls += ((struct context *)timer[i].ctx)->calls;
	assert_int_equal(armed, CPUS * ROUNDS);
	assert_int_equal(calls, armed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_at_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_once_each, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("timer_race", tests, NULL, NULL);
}
