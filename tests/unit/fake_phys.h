/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host-physical memory for unit tests of mm: a piece of the heap, so that ASan
 * sees every access outside it.  Include in one file of a test program.
 */
#ifndef BULKHEAD_FAKE_PHYS_H
#define BULKHEAD_FAKE_PHYS_H

#include <stdlib.h>
#include <string.h>

#include "mm/phys.h"

#define FAKE_PHYS_SIZE MIB(16)

static uint8_t *fake_phys;

static inline void fake_phys_init(void)
{
	fake_phys = aligned_alloc(PAGE_SIZE, FAKE_PHYS_SIZE);
}

static inline void fake_phys_fini(void)
{
	free(fake_phys);
	fake_phys = NULL;
}

void *phys_to_virt(hpa_t hpa)
{
	return fake_phys + hpa;
}

hpa_t virt_to_phys(const void *virt)
{
	return (hpa_t)((const uint8_t *)virt - fake_phys);
}

#endif
