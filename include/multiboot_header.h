/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header by which a Multiboot 1 kernel says what it is, and a Linux bzImage
 * that it is none.
 *
 * References: "Multiboot Specification" 0.6.96, "OS image format"; "The
 * Linux/x86 Boot Protocol", "The Real-Mode Kernel Header".
 */
#ifndef BULKHEAD_MULTIBOOT_HEADER_H
#define BULKHEAD_MULTIBOOT_HEADER_H

#include "include/compiler.h"
#include "lib/string.h"

#define MULTIBOOT_HEADER_SEARCH 8192u
#define MULTIBOOT_HEADER_MAGIC	0x1badb002u
#define MULTIBOOT_HEADER_SIZE	12u /* without addresses */

#define LINUX_MAGIC_OFFSET 0x202u
#define LINUX_MAGIC	   0x53726448u /* "HdrS" */

static inline uint32_t multiboot_word(const void *file, uint64_t at)
{
	uint32_t value;

	memcpy(&value, (const uint8_t *)file + at, sizeof(value));
	return value;
}

/* Where the header lies in the file; -1: there is none. */
static inline int multiboot_header_find(const void *file, uint64_t length)
{
	uint64_t end = MIN(length, MULTIBOOT_HEADER_SEARCH);

	for (uint64_t at = 0; at + MULTIBOOT_HEADER_SIZE <= end; at += 4)
		if (multiboot_word(file, at) == MULTIBOOT_HEADER_MAGIC &&
		    !(uint32_t)(MULTIBOOT_HEADER_MAGIC +
				multiboot_word(file, at + 4) +
				multiboot_word(file, at + 8)))
			return (int)at;
	return -1;
}

/* What a board's loader takes it for. */
static inline bool kernel_is_multiboot(const void *file, uint64_t length)
{
	if (length >= LINUX_MAGIC_OFFSET + 4 &&
	    multiboot_word(file, LINUX_MAGIC_OFFSET) == LINUX_MAGIC)
		return false;
	return multiboot_header_find(file, length) >= 0;
}

#endif
