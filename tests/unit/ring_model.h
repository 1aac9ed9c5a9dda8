/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model checker for two programs that share memory: each access that ring.c
 * makes is a step, and at each step it is decided who goes on.
 *
 * Memory is x86's (TSO): stores wait in a buffer of the actor's own, in order,
 * which its own loads look into and a fence empties; when one leaves the buffer
 * is a decision, too.  An execution is a sequence of decisions, of which number
 * 0 is always the plain one: go on, leave stores in the buffer.  explore() runs
 * all executions with at most so many others, then random_runs() any.
 *
 * An execution fails when an actor says so, and when nobody can go on before
 * both are done: a wake-up was lost.
 *
 * References: Intel SDM volume 3, "Memory Ordering".
 */
#ifndef BULKHEAD_TESTS_RING_MODEL_H
#define BULKHEAD_TESTS_RING_MODEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <ucontext.h>

#include "include/ring.h"
#include "tests/unit/fake/ring/lib/user/shared.h"

#define ACTORS 2
#define BUFFER 16
#ifndef PATH_MAX_
#define PATH_MAX_ 4096
#endif
#define STACK (64 * 1024)
#ifndef STEPS_MAX
#define STEPS_MAX 3000
#endif
/* Bytes are copied so many in a step, 1 or 4; lengths are multiples of it. */
#ifndef COPY_STEP
#define COPY_STEP 1
#endif

struct model_store {
	uint8_t *at;
	unsigned size; /* 1 or 4 */
	uint32_t value;
};

struct model_actor {
	void (*run)(unsigned self, bool is_resumed);
	ucontext_t context;
	void *asan;
	uint8_t *stack;
	unsigned kills_left; /* it may die and be started anew so often */
	bool is_resumed, is_done, is_waiting;
	bool event; /* its doorbell */
	unsigned count;
	struct model_store store[BUFFER];
};

static struct {
	struct model_actor actor[ACTORS];
	unsigned current;
	ucontext_t test;
	void *test_asan;
	const void *test_bottom;
	size_t test_size;
	const char *failure;
	unsigned steps;
	/* Planted defects. */
	bool has_no_fences, is_unordered;
	/* Decisions. */
	bool is_random;
	uint64_t random;
	unsigned budget, used;
	unsigned depth, length;
	uint16_t choice[PATH_MAX_], limit[PATH_MAX_];
	uint64_t executions;
} model;

/* ---- Decisions ---------------------------------------------------------- */

static inline uint64_t model_random(void)
{
	model.random ^= model.random << 13;
	model.random ^= model.random >> 7;
	model.random ^= model.random << 17;
	return model.random;
}

/* 0 to count - 1; all but 0 cost. */
static inline unsigned choose(unsigned count)
{
	unsigned chosen = 0;

	if (model.is_random)
		return model_random() % 4 ? 0 : model_random() % count;
	if (count < 2 || model.used == model.budget)
		return 0;
	if (model.depth == PATH_MAX_)
		abort();
	if (model.depth < model.length)
		chosen = model.choice[model.depth];
	else
		model.choice[model.length++] = 0;
	model.limit[model.depth++] = (uint16_t)count;
	model.used += chosen != 0;
	return chosen;
}

/* The next path in order; false: that was the last. */
static inline bool path_next(void)
{
	model.length = model.depth;
	while (model.length) {
		unsigned last = model.length - 1;

		if (++model.choice[last] < model.limit[last])
			return true;
		model.length--;
	}
	return false;
}

/* ---- Actors ------------------------------------------------------------- */

static inline void model_entry(void)
{
	struct model_actor *actor = &model.actor[model.current];
	bool first = !model.test_bottom;

	__sanitizer_finish_switch_fiber(NULL, first ? &model.test_bottom : NULL,
					first ? &model.test_size : NULL);
	actor->run(model.current, actor->is_resumed);
	actor->is_done = true;
	__sanitizer_start_switch_fiber(NULL, model.test_bottom,
				       model.test_size);
	setcontext(&model.test);
}

static inline void actor_begin(struct model_actor *actor)
{
	if (!actor->stack)
		actor->stack = malloc(STACK);
	__asan_unpoison_memory_region(actor->stack, STACK);
	getcontext(&actor->context);
	actor->context.uc_stack.ss_sp = actor->stack;
	actor->context.uc_stack.ss_size = STACK;
	actor->context.uc_link = NULL;
	actor->asan = NULL;
	actor->is_waiting = false;
	makecontext(&actor->context, model_entry, 0);
}

/* To the scheduler, which runs on the test's stack. */
static inline void actor_stop(void)
{
	struct model_actor *actor = &model.actor[model.current];

	__sanitizer_start_switch_fiber(&actor->asan, model.test_bottom,
				       model.test_size);
	swapcontext(&actor->context, &model.test);
	__sanitizer_finish_switch_fiber(actor->asan, NULL, NULL);
}

static inline void actor_go(unsigned number)
{
	struct model_actor *actor = &model.actor[number];

	model.current = number;
	__sanitizer_start_switch_fiber(&model.test_asan, actor->stack, STACK);
	swapcontext(&model.test, &actor->context);
	__sanitizer_finish_switch_fiber(model.test_asan, NULL, NULL);
}

static inline void model_fail(const char *why)
{
	if (!model.failure)
		model.failure = why;
	for (;;)
		actor_stop();
}

static inline void store_leave(struct model_actor *actor, unsigned index)
{
	struct model_store *store = &actor->store[index];

	memcpy(store->at, &store->value, store->size);
	memmove(store, store + 1, (--actor->count - index) * sizeof(*store));
}

static inline void buffer_empty(struct model_actor *actor)
{
	while (actor->count)
		store_leave(actor, 0);
}

/* Its successor attaches: both are told. */
static inline void actor_kill(struct model_actor *actor)
{
	buffer_empty(actor);
	actor->kills_left--;
	actor->is_resumed = true;
	model.actor[0].event = model.actor[1].event = true;
	actor_begin(actor);
}

enum act { ACT_RUN, ACT_LEAVE, ACT_KILL };

struct act_option {
	enum act act;
	unsigned actor;
};

static inline unsigned options(struct act_option *option)
{
	unsigned n = 0;

	for (unsigned act = ACT_RUN; act <= ACT_KILL; act++)
		for (unsigned i = 0; i < ACTORS; i++) {
			unsigned at = (model.current + i) % ACTORS;
			struct model_actor *actor = &model.actor[at];
			bool can_run = !actor->is_done &&
				       (!actor->is_waiting || actor->event);
			bool is_there[] = { can_run, actor->count > 0,
					    actor->kills_left &&
						    !actor->is_done };

			if (is_there[act])
				option[n++] = (struct act_option){ act, at };
		}
	return n;
}

static inline void model_schedule(void)
{
	struct act_option option[3 * ACTORS], *chosen;

	while (!model.failure) {
		unsigned count = options(option);

		if (!count || (option[0].act == ACT_KILL))
			return;
		if (model.steps++ > STEPS_MAX) {
			model.failure = "no end";
			return;
		}
		chosen = &option[choose(count)];
		if (chosen->act == ACT_RUN)
			actor_go(chosen->actor);
		else if (chosen->act == ACT_LEAVE)
			store_leave(&model.actor[chosen->actor],
				    model.is_unordered
					    ? model.actor[chosen->actor].count -
						      1
					    : 0);
		else
			actor_kill(&model.actor[chosen->actor]);
	}
}

/* ---- What actors do ----------------------------------------------------- */

static inline uint32_t model_load(const uint8_t *at, unsigned size)
{
	struct model_actor *actor = &model.actor[model.current];
	uint32_t value = 0;

	actor_stop();
	for (unsigned i = actor->count; i--;)
		if (actor->store[i].at == at)
			return actor->store[i].value;
	memcpy(&value, at, size);
	return value;
}

static inline void model_store(uint8_t *at, unsigned size, uint32_t value)
{
	struct model_actor *actor = &model.actor[model.current];

	actor_stop();
	if (actor->count == BUFFER)
		store_leave(actor, 0);
	actor->store[actor->count++] = (struct model_store){ at, size, value };
}

static inline void model_fence(void)
{
	struct model_actor *actor = &model.actor[model.current];

	do {
		actor_stop();
		if (actor->count)
			store_leave(actor, 0);
	} while (actor->count);
}

/* A call into the monitor, which sets the bit atomically. */
static inline void doorbell(unsigned to)
{
	model_fence();
	model.actor[to].event = true;
}

static inline void doorbell_wait(void)
{
	struct model_actor *actor = &model.actor[model.current];

	actor->is_waiting = true;
	actor_stop();
	actor->is_waiting = false;
	actor->event = false;
}

uint32_t shared_load(const uint32_t *word)
{
	return model_load((const uint8_t *)word, sizeof(*word));
}

void shared_store(uint32_t *word, uint32_t value)
{
	model_store((uint8_t *)word, sizeof(*word), value);
}

void shared_fence(void)
{
	if (!model.has_no_fences)
		model_fence();
}

void shared_copy_in(void *to, const uint8_t *shared, size_t n)
{
	for (size_t i = 0; i < n; i += COPY_STEP) {
		uint32_t value = model_load(shared + i, COPY_STEP);

		memcpy((uint8_t *)to + i, &value, COPY_STEP);
	}
}

void shared_copy_out(uint8_t *shared, const void *from, size_t n)
{
	for (size_t i = 0; i < n; i += COPY_STEP) {
		uint32_t value = 0;

		memcpy(&value, (const uint8_t *)from + i, COPY_STEP);
		model_store(shared + i, COPY_STEP, value);
	}
}

/* ---- Executions --------------------------------------------------------- */

static inline void execution(void (*reset)(void))
{
	model.steps = model.used = model.depth = 0;
	model.current = 0;
	model.failure = NULL;
	reset();
	for (unsigned i = 0; i < ACTORS; i++) {
		struct model_actor *actor = &model.actor[i];

		actor->is_done = actor->event = false;
		actor->count = 0;
		actor_begin(actor);
	}
	model_schedule();
	if (!model.failure)
		for (unsigned i = 0; i < ACTORS; i++)
			if (!model.actor[i].is_done)
				model.failure = "a wake-up was lost";
	model.executions++;
}

/* All with at most so many decisions that are not plain; NULL: none fails. */
static inline const char *explore(void (*reset)(void), unsigned budget)
{
	model.is_random = false;
	model.budget = budget;
	model.length = 0;
	model.executions = 0;
	do {
		execution(reset);
	} while (!model.failure && path_next());
	return model.failure;
}

static inline const char *random_runs(void (*reset)(void), unsigned count)
{
	model.is_random = true;
	model.executions = 0;
	model.random = 0x9e3779b97f4a7c15ULL;
	for (unsigned i = 0; i < count; i++) {
		execution(reset);
		if (model.failure)
			break;
	}
	return model.failure;
}

static inline int model_end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ACTORS; i++) {
		free(model.actor[i].stack);
		model.actor[i].stack = NULL;
	}
	return 0;
}

#endif
