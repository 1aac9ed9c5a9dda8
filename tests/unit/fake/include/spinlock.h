/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes the place of include/spinlock.h in tests with simulated CPUs: a ticket
 * lock whose waiters let the other CPUs go on.  Who takes what while holding
 * what is told to the simulation.
 */
#ifndef BULKHEAD_SPINLOCK_H
#define BULKHEAD_SPINLOCK_H

#include "include/compiler.h"
#include "include/x86.h"

struct spinlock {
	uint16_t next;
	uint16_t serving;
};

#define SPINLOCK_INIT \
	{             \
		0, 0  \
	}

/* By whoever simulates. */
void fake_lock_wait(struct spinlock *lock);
void fake_lock_taken(struct spinlock *lock);
/* At once or not at all: whatever else is held. */
void fake_lock_tried(struct spinlock *lock);
void fake_lock_released(struct spinlock *lock);

static inline void spin_lock(struct spinlock *lock)
{
	uint16_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket)
		fake_lock_wait(lock);
	fake_lock_taken(lock);
}

static inline bool spin_trylock(struct spinlock *lock)
{
	uint16_t ticket = __atomic_load_n(&lock->serving, __ATOMIC_RELAXED);

	if (!__atomic_compare_exchange_n(&lock->next, &ticket, ticket + 1,
					 false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	fake_lock_tried(lock);
	return true;
}

static inline void spin_unlock(struct spinlock *lock)
{
	fake_lock_released(lock);
	__atomic_store_n(&lock->serving, (uint16_t)(lock->serving + 1),
			 __ATOMIC_RELEASE);
}

static inline uint64_t spin_lock_irqsave(struct spinlock *lock)
{
	uint64_t flags = irq_save();

	spin_lock(lock);
	return flags;
}

static inline void spin_unlock_irqrestore(struct spinlock *lock, uint64_t flags)
{
	spin_unlock(lock);
	irq_restore(flags);
}

#endif
