/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks of memory, for programs without a C library: by the string
 * instructions, which cost one simulated instruction a unit and are the fast
 * path of every processor with ERMSB.
 */
#include "lib/string.h"

#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	void *d = to;
	size_t words = n / 8, bytes = n % 8;

	__asm__ volatile("rep movsq"
			 : "+D"(d), "+S"(from), "+c"(words)
			 :
			 : "memory");
	__asm__ volatile("rep movsb"
			 : "+D"(d), "+S"(from), "+c"(bytes)
			 :
			 : "memory");
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	uint64_t pattern = 0x0101010101010101ULL * (uint8_t)byte;
	void *d = to;
	size_t words = n / 8, bytes = n % 8;

	__asm__ volatile("rep stosq"
			 : "+D"(d), "+c"(words)
			 : "a"(pattern)
			 : "memory");
	__asm__ volatile("rep stosb"
			 : "+D"(d), "+c"(bytes)
			 : "a"(pattern)
			 : "memory");
	return to;
}
