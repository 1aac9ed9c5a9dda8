/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for the machine's lock. */
#include "machine/lock.h"

#include "lib/user/gate_calls.h"

/* About as long as a device takes for an access. */
#define LOOKS 64

void machine_lock_wait(struct machine_lock *lock, uint32_t ticket,
		       unsigned thread)
{
	uint8_t *sleeper = &lock->sleeper[ticket % GATE_THREADS_MAX];

	for (unsigned i = 0; i < LOOKS; i++) {
		if (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) == ticket)
			return;
		__builtin_ia32_pause();
	}
	__atomic_store_n(sleeper, (uint8_t)(thread + 1), __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&lock->serving, __ATOMIC_SEQ_CST) != ticket)
		gate_wait();
	__atomic_store_n(sleeper, 0, __ATOMIC_SEQ_CST);
}

void machine_lock_wake(unsigned thread)
{
	(void)gate_wake(thread);
}
