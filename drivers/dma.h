/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that a device reads and writes, with the addresses that it uses.  A
 * driver is given one region and cuts its rings and tables from it.
 */
#ifndef BULKHEAD_DRIVERS_DMA_H
#define BULKHEAD_DRIVERS_DMA_H

#include "include/compiler.h"

/* Contiguous for both sides; va and address are the same within a page. */
struct dma_region {
	void *va;
	uint64_t address; /* the device's */
	uint64_t size;
};

/*
 * Cuts size bytes, aligned to align, a power of two, PAGE_SIZE at most, from
 * the front of *from.  -ENOMEM: there are not as many, and *from is as it was.
 */
int __must_check dma_cut(struct dma_region *from, uint64_t size, uint64_t align,
			 struct dma_region *piece);

#endif
