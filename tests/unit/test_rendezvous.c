/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's lock and its rendezvous with real threads, under
 * ThreadSanitizer: each thread is a vCPU that runs its guest until it is
 * kicked or has had enough, then uses the devices, then comes to its stop.  The
 * gate's calls sleep as the monitor's do: a wake that comes first is kept.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/user/gate_calls.h"
#include "machine/lock.h"
#include "machine/rendezvous.h"

#define THREADS_MAX GATE_THREADS_MAX

struct vcpu {
	pthread_t pthread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned id;
	uint32_t seed;
	bool is_woken, is_kicked; /* under mutex */
	bool is_at_stop;	  /* plain: ThreadSanitizer checks the order */
	unsigned work;		  /* plain, likewise */
	unsigned begun, found;	  /* rendezvous, and how they found things */
	unsigned answers;	  /* plain: its thread's, then the owner's */
};

static struct {
	unsigned count, rounds;
	struct vcpu vcpu[THREADS_MAX];
	struct machine_lock lock;
	struct rendezvous rendezvous;
	unsigned device; /* plain, under the lock */
	unsigned resets; /* plain, in a rendezvous */
	uint32_t sleeps, done, left;
} bench;

static _Thread_local struct vcpu *self;

/* ---- The gate ------------------------------------------------------------ */

uint64_t gate_wait(void)
{
	__atomic_fetch_add(&bench.sleeps, 1, __ATOMIC_RELAXED);
	pthread_mutex_lock(&self->mutex);
	while (!self->is_woken)
		pthread_cond_wait(&self->changed, &self->mutex);
	self->is_woken = false;
	pthread_mutex_unlock(&self->mutex);
	return 0;
}

static long tell(unsigned thread, bool is_kick)
{
	struct vcpu *vcpu = &bench.vcpu[thread];

	if (thread >= bench.count)
		abort();
	pthread_mutex_lock(&vcpu->mutex);
	vcpu->is_woken = true;
	vcpu->is_kicked |= is_kick;
	pthread_cond_signal(&vcpu->changed);
	pthread_mutex_unlock(&vcpu->mutex);
	return 0;
}

long gate_wake(unsigned thread)
{
	return tell(thread, false);
}

long gate_kick(unsigned vcpu)
{
	return tell(vcpu, true);
}

/* GATE_RESUME of a guest in HLT, but for a timer of its own. */
static void guest_run(struct vcpu *vcpu, bool is_idle)
{
	pthread_mutex_lock(&vcpu->mutex);
	while (is_idle && !vcpu->is_kicked)
		pthread_cond_wait(&vcpu->changed, &vcpu->mutex);
	vcpu->is_kicked = false;
	pthread_mutex_unlock(&vcpu->mutex);
}

/* ---- A vCPU's thread ----------------------------------------------------- */

static uint32_t random_next(struct vcpu *vcpu)
{
	vcpu->seed ^= vcpu->seed << 13;
	vcpu->seed ^= vcpu->seed >> 17;
	vcpu->seed ^= vcpu->seed << 5;
	return vcpu->seed;
}

static void use_device(struct vcpu *vcpu)
{
	machine_lock_take(&bench.lock, vcpu->id);
	bench.device++;
	machine_lock_give(&bench.lock);
	vcpu->work++;
}

/* Everybody else is at a stop, which plain accesses may look at. */
static void check_all_stopped(struct vcpu *vcpu)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < bench.count; i++) {
		struct vcpu *other = &bench.vcpu[i];

		if (other != vcpu && !other->is_at_stop)
			abort();
		sum += other->work;
	}
	if (sum != bench.device || bench.lock.next != bench.lock.serving)
		abort();
}

static void reset(struct vcpu *vcpu)
{
	rendezvous_begin(&bench.rendezvous, vcpu->id);
	vcpu->begun++;
	check_all_stopped(vcpu);
	if (rendezvous_take_wishes(&bench.rendezvous))
		bench.resets++;
	else
		vcpu->found++;
	rendezvous_end(&bench.rendezvous);
}

static void stop(struct vcpu *vcpu)
{
	vcpu->is_at_stop = true;
	rendezvous_stop(&bench.rendezvous, vcpu->id);
	if (rendezvous_is_wanted(&bench.rendezvous))
		reset(vcpu);
	vcpu->is_at_stop = false;
}

static void kick_all(void)
{
	for (unsigned i = 0; i < bench.count; i++)
		gate_kick(i);
}

/*
 * One that has no more to do goes on coming to its stop when it is kicked.  It
 * ends when all have had enough and have left stop(), for until then another
 * may begin, for a wish that it has seen.
 */
static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;

	self = vcpu;
	for (unsigned i = 0; i < bench.rounds; i++) {
		guest_run(vcpu, false);
		use_device(vcpu);
		if (random_next(vcpu) % 4 == 0)
			rendezvous_wish(&bench.rendezvous, RENDEZVOUS_RESET);
		stop(vcpu);
	}
	__atomic_fetch_add(&bench.done, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&bench.done, __ATOMIC_SEQ_CST) < bench.count) {
		guest_run(vcpu, true);
		stop(vcpu);
	}
	kick_all();
	__atomic_fetch_add(&bench.left, 1, __ATOMIC_SEQ_CST);
	vcpu->is_at_stop = true;
	while (__atomic_load_n(&bench.left, __ATOMIC_SEQ_CST) < bench.count) {
		guest_run(vcpu, true);
		rendezvous_stop(&bench.rendezvous, vcpu->id);
	}
	kick_all();
	return NULL;
}

static void run(unsigned count, unsigned rounds)
{
	unsigned resets = 0;

	__builtin_memset(&bench, 0, sizeof(bench));
	bench.count = bench.rendezvous.count = count;
	bench.rounds = rounds;
	for (unsigned i = 0; i < count; i++) {
		struct vcpu *vcpu = &bench.vcpu[i];

		pthread_mutex_init(&vcpu->mutex, NULL);
		pthread_cond_init(&vcpu->changed, NULL);
		vcpu->id = i;
		vcpu->seed = 12345 + i * 977;
	}
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(pthread_create(&bench.vcpu[i].pthread, NULL,
						vcpu_thread, &bench.vcpu[i]),
				 0);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(pthread_join(bench.vcpu[i].pthread, NULL), 0);
	for (unsigned i = 0; i < count; i++)
		resets += bench.vcpu[i].begun - bench.vcpu[i].found;
	assert_int_equal(bench.device, count * rounds);
	assert_int_equal(bench.lock.next, count * rounds);
	assert_int_equal(bench.rendezvous.owner, 0);
	assert_int_equal(bench.rendezvous.stopped, 0);
	assert_true(bench.resets > 0);
	assert_int_equal(bench.resets, resets);
}

static void test_one(void **state)
{
	(void)state;
	run(1, 1000);
	assert_int_equal(bench.sleeps, 0);
}

static void test_two(void **state)
{
	(void)state;
	run(2, 2000);
}

static void test_many(void **state)
{
	(void)state;
	run(7, 500);
	run(THREADS_MAX, 100);
	assert_true(bench.sleeps > 0);
}

/* ---- Two that begin at once ---------------------------------------------- */

/* On the thread that is called, whatever it waits for. */
static void answer(struct rendezvous *rendezvous, unsigned thread,
		   enum rendezvous_call call)
{
	if (rendezvous != &bench.rendezvous || thread != self->id ||
	    call != RENDEZVOUS_CALL_STATE)
		abort();
	self->answers++;
}

static void call_other(void)
{
	struct vcpu *other = &bench.vcpu[!self->id];
	unsigned before = other->answers;

	rendezvous_call(&bench.rendezvous, other->id, RENDEZVOUS_CALL_STATE);
	if (other->answers++ != before + 1)
		abort();
}

static void *beginner(void *arg)
{
	self = arg;
	for (unsigned i = 0; i < bench.rounds; i++) {
		self->is_at_stop = true;
		rendezvous_begin(&bench.rendezvous, self->id);
		check_all_stopped(self);
		call_other();
		bench.resets++;
		rendezvous_end(&bench.rendezvous);
		/* The other still wants its own. */
		rendezvous_stop(&bench.rendezvous, self->id);
		self->is_at_stop = false;
	}
	self->is_at_stop = true;
	__atomic_fetch_add(&bench.done, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&bench.done, __ATOMIC_SEQ_CST) < 2) {
		guest_run(self, true);
		rendezvous_stop(&bench.rendezvous, self->id);
	}
	gate_kick(!self->id);
	return NULL;
}

static void test_both_begin(void **state)
{
	(void)state;
	__builtin_memset(&bench, 0, sizeof(bench));
	bench.count = bench.rendezvous.count = 2;
	bench.rounds = 3000;
	bench.rendezvous.answer = answer;
	for (unsigned i = 0; i < 2; i++) {
		pthread_mutex_init(&bench.vcpu[i].mutex, NULL);
		pthread_cond_init(&bench.vcpu[i].changed, NULL);
		bench.vcpu[i].id = i;
	}
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&bench.vcpu[i].pthread, NULL,
						beginner, &bench.vcpu[i]),
				 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_join(bench.vcpu[i].pthread, NULL), 0);
	assert_int_equal(bench.resets, 2 * bench.rounds);
	assert_int_equal(bench.rendezvous.stopped, 0);
	assert_int_equal(bench.vcpu[0].answers + bench.vcpu[1].answers,
			 4 * bench.rounds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_both_begin),
	};

	return cmocka_run_group_tests_name("rendezvous", tests, NULL, NULL);
}
