/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks of memory, for programs without a C library: by the string
 * instructions, which cost one simulated instruction a unit and are the fast
 * path of every processor with ERMSB.
 */
#include "lib/string.h"

#include <stdint.h>

/* What is left behind the words is copied as the end of eight bytes that lie
 * over them: a second string instruction would take longer than most copies. */
void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	void *d = to;
	size_t words = n / 8;
	uint64_t last;

	if (n < sizeof(last)) {
		__asm__ volatile("rep movsb"
				 : "+D"(d), "+S"(from), "+c"(n)
				 :
				 : "memory");
		return to;
	}
	__builtin_memcpy(&last, (const uint8_t *)from + n - 8, sizeof(last));
	__asm__ volatile("rep movsq"
			 : "+D"(d), "+S"(from), "+c"(words)
			 :
			 : "memory");
	__builtin_memcpy((uint8_t *)to + n - 8, &last, sizeof(last));
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	size_t words = n / 8;

	__asm__ volatile("rep stosq; mov %3, %%rcx; rep stosb"
			 : "+D"(to), "+&c"(words)
			 : "a"(~0ULL / 255 * (uint8_t)byte), "r"(n % 8)
			 : "memory");
	return (uint8_t *)to - n;
}
