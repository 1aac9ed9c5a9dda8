/* SPDX-License-Identifier: BSD-2-Clause */
/* See program.h. */
#include "tests/unit/fake/program.h"

#include <stdlib.h>
#include <string.h>

#include "include/errno.h"
#include "kernel/trap.h"

long call(struct user_thread *user, gate_fn fn, uint64_t a, uint64_t b)
{
	long result;

	irq_disable();
	result = fn(user, a, b, 0, 0, NULL);
	SIM_CHECK(!fake_x86.is_irq_on);
	sim_user(1);
	return result;
}

/* As vm/gate.c's entry. */
long call_domain(struct user_thread *user, gate_fn fn, uint64_t a)
{
	long result;

	irq_disable();
	domain_lock(user);
	result = fn(user, a, 0, 0, 0, NULL);
	domain_unlock(user);
	sim_user(1);
	return result;
}

void program_crash(struct user_thread *user)
{
	irq_enable();
	domain_end(user->domain, GATE_END_FAULT, 0, user->id);
	user_thread_exit(user);
}

void host_begin(void)
{
	irq_disable();
	while (!spin_trylock(&vm_host()->gate_lock))
		sched_breathe();
}

void host_end(void)
{
	spin_unlock(&vm_host()->gate_lock);
	irq_enable();
}

void host_pause(unsigned turns)
{
	while (turns--) {
		sim_point();
		sched_yield();
	}
}

struct thread *host_thread(void (*fn)(void *arg), void *arg, uint32_t cpu)
{
	struct thread *thread = thread_create("host", fn, arg, cpu);

	thread_start(thread);
	return thread;
}

gate_id program_make(unsigned threads)
{
	const struct gate_domain_spec spec = {
		.name = "p",
		.quota_pages = 1024,
		.thread_count = threads,
	};
	struct domain *domain;
	gate_id id;

	if (domain_create(&spec, &domain))
		abort();
	id = domain->id;
	domain_put(domain);
	return id;
}

void program_unmake(gate_id id)
{
	struct domain *domain = domain_find(id);

	(void)domain_stop(domain);
	while (__atomic_load_n(&domain->state, __ATOMIC_SEQ_CST) ==
	       GATE_DOMAIN_RUNNING)
		sched_breathe();
	SIM_CHECK(domain_destroy(domain) == 0);
}
