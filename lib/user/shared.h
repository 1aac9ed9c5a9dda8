/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that another program writes at any time: each access is one of these,
 * done once, and what came from there stays what it was when it was read.  The
 * checker of tests/unit/test_ring.c puts its own in their place.
 */
#ifndef BULKHEAD_LIB_USER_SHARED_H
#define BULKHEAD_LIB_USER_SHARED_H

#include "include/compiler.h"
#include "lib/string.h"

/* Before all accesses that follow. */
static inline uint32_t shared_load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* After all accesses that came before. */
static inline void shared_store(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* What was stored before is seen by the peer before what follows is loaded. */
static inline void shared_fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* The clobber keeps the compiler from reading shared bytes a second time. */
static inline void shared_copy_in(void *to, const uint8_t *shared, size_t n)
{
	__builtin_memcpy(to, shared, n);
	__asm__ volatile("" ::: "memory");
}

static inline void shared_copy_out(uint8_t *shared, const void *from, size_t n)
{
	__builtin_memcpy(shared, from, n);
	__asm__ volatile("" ::: "memory");
}

#endif
