/* SPDX-License-Identifier: BSD-2-Clause */
/* All vCPUs of a machine at a stop: machine/rendezvous.h. */
#include "machine/rendezvous.h"

#include "lib/user/gate_calls.h"

static uint32_t others(const struct rendezvous *rendezvous, unsigned thread)
{
	return (uint32_t)(BIT(rendezvous->count) - 1) & ~(uint32_t)BIT(thread);
}

static uint32_t owner_of(const struct rendezvous *rendezvous)
{
	return __atomic_load_n(&rendezvous->owner, __ATOMIC_SEQ_CST);
}

void rendezvous_begin(struct rendezvous *rendezvous, unsigned thread)
{
	uint32_t wanted = others(rendezvous, thread), stopped;

	for (;;) {
		uint32_t free = 0;

		if (__atomic_compare_exchange_n(
			    &rendezvous->owner, &free, thread + 1, false,
			    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			break;
		rendezvous_stop(rendezvous, thread);
	}
	stopped = __atomic_load_n(&rendezvous->stopped, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < rendezvous->count; i++)
		if (wanted & ~stopped & BIT(i)) {
			(void)gate_kick(i);
			/* One that a debugger holds waits elsewhere, and may
			 * have been kicked before. */
			(void)gate_wake(i);
		}
	while (wanted &
	       ~__atomic_load_n(&rendezvous->stopped, __ATOMIC_SEQ_CST))
		gate_wait();
}

void rendezvous_end(struct rendezvous *rendezvous)
{
	uint32_t stopped;

	__atomic_store_n(&rendezvous->owner, 0, __ATOMIC_SEQ_CST);
	stopped = __atomic_load_n(&rendezvous->stopped, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < rendezvous->count; i++)
		if (stopped & BIT(i))
			(void)gate_wake(i);
}

void rendezvous_call(struct rendezvous *rendezvous, unsigned other,
		     enum rendezvous_call call)
{
	rendezvous->call = call;
	__atomic_store_n(&rendezvous->called, other + 1, __ATOMIC_SEQ_CST);
	(void)gate_wake(other);
	while (__atomic_load_n(&rendezvous->called, __ATOMIC_SEQ_CST))
		gate_wait();
}

/* Only the thread that is called changes it, and only the owner calls. */
static void answer(struct rendezvous *rendezvous, unsigned thread)
{
	uint32_t owner = owner_of(rendezvous);

	if (__atomic_load_n(&rendezvous->called, __ATOMIC_SEQ_CST) !=
	    thread + 1)
		return;
	rendezvous->answer(rendezvous, thread, rendezvous->call);
	__atomic_store_n(&rendezvous->called, 0, __ATOMIC_SEQ_CST);
	(void)gate_wake(owner - 1);
}

void rendezvous_stop(struct rendezvous *rendezvous, unsigned thread)
{
	uint32_t bit = (uint32_t)BIT(thread), owner;

	if (!owner_of(rendezvous))
		return;
	do {
		__atomic_fetch_or(&rendezvous->stopped, bit, __ATOMIC_SEQ_CST);
		owner = owner_of(rendezvous);
		if (owner)
			(void)gate_wake(owner - 1);
		while (owner_of(rendezvous)) {
			answer(rendezvous, thread);
			gate_wait();
		}
		/* A new owner may have counted the bit: then stay. */
		__atomic_fetch_and(&rendezvous->stopped, ~bit,
				   __ATOMIC_SEQ_CST);
	} while (owner_of(rendezvous));
}
