/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host-physical memory as the monitor reaches it: through the physmap, a
 * window at a fixed address onto all RAM that the monitor may touch, and
 * through the kernel image's own mapping.  Guest RAM is in neither: it is
 * taken out of the physmap before a guest gets it (mm/map.h).
 *
 * Host tests bring their own phys_to_virt() and virt_to_phys().
 */
#ifndef BULKHEAD_PHYS_H
#define BULKHEAD_PHYS_H

#include "include/compiler.h"

#define PHYSMAP_BASE 0xffff800000000000ULL
#define PHYSMAP_SIZE GIB(512)
#define VMAP_BASE    0xffffc00000000000ULL
#define VMAP_SIZE    GIB(512)
#define KERNEL_BASE  0xffffffff80000000ULL

#ifdef HOST_TEST
void *phys_to_virt(hpa_t hpa);
hpa_t virt_to_phys(const void *virt);
#else
static inline void *phys_to_virt(hpa_t hpa)
{
	return (void *)(PHYSMAP_BASE + hpa);
}

/* Of the physmap or of the kernel image; not of vmap addresses. */
static inline hpa_t virt_to_phys(const void *virt)
{
	uint64_t va = (uint64_t)virt;

	return va >= KERNEL_BASE ? va - KERNEL_BASE : va - PHYSMAP_BASE;
}
#endif

#endif
