/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ticket lock: fair, four bytes.  The irqsave forms also keep interrupts
 * away and are the ones to use for anything an interrupt handler touches;
 * host tests run single-threaded and have no interrupts to disable.
 */
#ifndef BULKHEAD_SPINLOCK_H
#define BULKHEAD_SPINLOCK_H

#include "include/compiler.h"
#ifndef HOST_TEST
#include "include/x86.h"
#endif

struct spinlock {
	uint16_t next;
	uint16_t serving;
};

#define SPINLOCK_INIT \
	{             \
		0, 0  \
	}

static inline void spin_lock(struct spinlock *lock)
{
	uint16_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	if (likely(__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) == ticket))
		return;
	while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket)
		__builtin_ia32_pause();
}

static inline bool spin_trylock(struct spinlock *lock)
{
	uint16_t ticket = __atomic_load_n(&lock->serving, __ATOMIC_RELAXED);

	return __atomic_compare_exchange_n(&lock->next, &ticket, ticket + 1,
					   false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static inline void spin_unlock(struct spinlock *lock)
{
#ifdef HOST_TEST
	__atomic_store_n(&lock->serving, (uint16_t)(lock->serving + 1),
			 __ATOMIC_RELEASE);
#else
	/* Its holder alone writes it: one instruction, and a release on x86. */
	__asm__ volatile("incw %0" : "+m"(lock->serving) : : "cc", "memory");
#endif
}

static inline uint64_t spin_lock_irqsave(struct spinlock *lock)
{
	uint64_t flags = 0;

#ifndef HOST_TEST
	flags = irq_save();
#endif
	spin_lock(lock);
	return flags;
}

static inline void spin_unlock_irqrestore(struct spinlock *lock, uint64_t flags)
{
	spin_unlock(lock);
#ifndef HOST_TEST
	irq_restore(flags);
#else
	(void)flags;
#endif
}

#endif
