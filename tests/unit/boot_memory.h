/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 4 GiB that the boot tables map, for unit tests of boot: zeroes until
 * written, and a fault behind the end.  Include in one file of a test program.
 */
#ifndef BULKHEAD_BOOT_MEMORY_H
#define BULKHEAD_BOOT_MEMORY_H

#include <sys/mman.h>

#include "mm/phys.h"

#define BOOT_MEMORY_SIZE GIB(4)

static uint8_t *boot_memory;

/* 0, or -1 without so much address space. */
static inline int boot_memory_init(void)
{
	boot_memory =
		mmap(NULL, BOOT_MEMORY_SIZE + PAGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (boot_memory == MAP_FAILED)
		return -1;
	return mprotect(boot_memory + BOOT_MEMORY_SIZE, PAGE_SIZE, PROT_NONE);
}

/* All zeroes again. */
static inline void boot_memory_clear(void)
{
	(void)!madvise(boot_memory, BOOT_MEMORY_SIZE, MADV_DONTNEED);
}

static inline void boot_memory_fini(void)
{
	munmap(boot_memory, BOOT_MEMORY_SIZE + PAGE_SIZE);
}

void *phys_to_virt(hpa_t hpa)
{
	return boot_memory + hpa;
}

hpa_t virt_to_phys(const void *virt)
{
	return (hpa_t)((const uint8_t *)virt - boot_memory);
}

#endif
