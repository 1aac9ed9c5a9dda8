/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/dma.h"

#include "include/errno.h"

int dma_cut(struct dma_region *from, uint64_t size, uint64_t align,
	    struct dma_region *piece)
{
	uint64_t gap = ALIGN_UP(from->address, align) - from->address;

	if (gap > from->size || size > from->size - gap)
		return -ENOMEM;
	*piece = (struct dma_region){
		.va = (uint8_t *)from->va + gap,
		.address = from->address + gap,
		.size = size,
	};
	from->va = (uint8_t *)piece->va + size;
	from->address = piece->address + size;
	from->size -= gap + size;
	return 0;
}
