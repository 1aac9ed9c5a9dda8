/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The headers by which Multiboot kernels say what they are, and a Linux bzImage
 * that it is none.
 *
 * References: "Multiboot Specification" 0.6.96 and "Multiboot2 Specification"
 * 2.0, "OS image format"; "The
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

#define MULTIBOOT2_HEADER_SEARCH 32768u
#define MULTIBOOT2_HEADER_MAGIC	 0xe85250d6u
#define MULTIBOOT2_HEADER_SIZE	 16u /* without tags */

/* The same of Multiboot 2 for the i386: magic, architecture, length, checksum.
 */
static inline int multiboot2_header_find(const void *file, uint64_t length)
{
	uint64_t end = MIN(length, MULTIBOOT2_HEADER_SEARCH);

	for (uint64_t at = 0; at + MULTIBOOT2_HEADER_SIZE <= end; at += 8)
		if (multiboot_word(file, at) == MULTIBOOT2_HEADER_MAGIC &&
		    !multiboot_word(file, at + 4) &&
		    !(uint32_t)(MULTIBOOT2_HEADER_MAGIC +
				multiboot_word(file, at + 8) +
				multiboot_word(file, at + 12)))
			return (int)at;
	return -1;
}

/* What a board's loader takes it for: Multiboot 1's. */
static inline bool kernel_is_multiboot(const void *file, uint64_t length)
{
	if (length >= LINUX_MAGIC_OFFSET + 4 &&
	    multiboot_word(file, LINUX_MAGIC_OFFSET) == LINUX_MAGIC)
		return false;
	return multiboot_header_find(file, length) >= 0;
}

#endif
