/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In place of include/dma_access.h: every access of a driver to memory that it
 * shares with a device goes through functions of the test's.
 */
#ifndef BULKHEAD_TESTS_FAKE_DMA_ACCESS_H
#define BULKHEAD_TESTS_FAKE_DMA_ACCESS_H

#include <stdint.h>

/* size bytes, 1 to 8. */
uint64_t fake_dma_load(const void *at, unsigned size);
void fake_dma_store(void *at, unsigned size, uint64_t value);
void dma_fence(void);

static inline uint8_t dma_load8(const uint8_t *at)
{
	return (uint8_t)fake_dma_load(at, sizeof(*at));
}

static inline uint16_t dma_load16(const uint16_t *at)
{
	return (uint16_t)fake_dma_load(at, sizeof(*at));
}

static inline uint32_t dma_load32(const uint32_t *at)
{
	return (uint32_t)fake_dma_load(at, sizeof(*at));
}

static inline void dma_store8(uint8_t *at, uint8_t value)
{
	fake_dma_store(at, sizeof(*at), value);
}

static inline void dma_store16(uint16_t *at, uint16_t value)
{
	fake_dma_store(at, sizeof(*at), value);
}

static inline void dma_store32(uint32_t *at, uint32_t value)
{
	fake_dma_store(at, sizeof(*at), value);
}

static inline void dma_store64(uint64_t *at, uint64_t value)
{
	fake_dma_store(at, sizeof(*at), value);
}

#endif
