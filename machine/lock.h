/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's one lock, which holds all devices: vCPUs take it in the order
 * in which they come, so that one that floods a device does not keep the others
 * from theirs.
 *
 * Each taker draws a ticket; the lock serves them one by one.  Who finds it
 * taken looks a few times more, then names itself at its ticket's place and
 * sleeps (GATE_WAIT); unlocking wakes whom the next ticket's place names.  Each
 * side stores before it loads what the other has stored, in one order for all,
 * so whoever comes second sees the other.  A free lock costs no gate call.
 */
#ifndef BULKHEAD_MACHINE_LOCK_H
#define BULKHEAD_MACHINE_LOCK_H

#include "include/compiler.h"
#include "include/domain.h"

struct machine_lock {
	uint32_t next;			   /* ticket to draw; atomic */
	uint32_t serving;		   /* written by the holder; atomic */
	uint8_t sleeper[GATE_THREADS_MAX]; /* at ticket % size: thread + 1, or
					    * 0; atomic */
};

/* machine/lock.c */
void machine_lock_wait(struct machine_lock *lock, uint32_t ticket,
		       unsigned thread);
void machine_lock_wake(unsigned thread);

/* thread: the caller's, below GATE_THREADS_MAX. */
static inline void machine_lock_take(struct machine_lock *lock, unsigned thread)
{
	uint32_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_SEQ_CST);

	if (unlikely(__atomic_load_n(&lock->serving, __ATOMIC_SEQ_CST) !=
		     ticket))
		machine_lock_wait(lock, ticket, thread);
}

static inline void machine_lock_give(struct machine_lock *lock)
{
	uint32_t ticket = lock->serving + 1;
	uint8_t sleeper;

	__atomic_store_n(&lock->serving, ticket, __ATOMIC_SEQ_CST);
	sleeper = __atomic_load_n(&lock->sleeper[ticket % GATE_THREADS_MAX],
				  __ATOMIC_SEQ_CST);
	if (unlikely(sleeper))
		machine_lock_wake(sleeper - 1U);
}

#endif
