/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words of memory that a device reads and writes at any time: each access is
 * one of these, done once.  The device is coherent and little-endian, as the
 * processor is.
 *
 * x86 keeps stores in order among themselves, and loads; what these add for
 * those two is only that the compiler does, too.  A load that must come after
 * an earlier store needs dma_fence().  Registers are mapped uncached: a store
 * to one is never done before the stores to memory that precede it.
 *
 * tests/unit/fake/virtio has its own in their place, where a device of the
 * test's acts between any two.
 */
#ifndef BULKHEAD_DMA_ACCESS_H
#define BULKHEAD_DMA_ACCESS_H

#include "include/compiler.h"

/* Before all accesses that follow. */
static inline uint8_t dma_load8(const uint8_t *at)
{
	return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

static inline uint16_t dma_load16(const uint16_t *at)
{
	return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

static inline uint32_t dma_load32(const uint32_t *at)
{
	return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

static inline uint64_t dma_load64(const uint64_t *at)
{
	return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

/* After all accesses that came before. */
static inline void dma_store8(uint8_t *at, uint8_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELEASE);
}

static inline void dma_store16(uint16_t *at, uint16_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELEASE);
}

static inline void dma_store32(uint32_t *at, uint32_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELEASE);
}

static inline void dma_store64(uint64_t *at, uint64_t value)
{
	__atomic_store_n(at, value, __ATOMIC_RELEASE);
}

/* What was stored before is seen by the device before what follows is loaded.*/
static inline void dma_fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif
