/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zeroing of what is zero already, most of it, as a board's memory is at
 * power-on.  Nothing is written there, so that pages which a program gets when
 * it writes to them are not taken for devices that nobody uses.
 */
#ifndef BULKHEAD_DEVICES_CLEAR_H
#define BULKHEAD_DEVICES_CLEAR_H

#include "include/compiler.h"
#include "lib/string.h"

static inline void memory_clear(void *memory, size_t size)
{
	uint8_t *at = memory;
	uint64_t word[8]; /* looked at together: a fresh program's are all 0 */

	for (; size >= sizeof(word); size -= sizeof(word), at += sizeof(word)) {
		__builtin_memcpy(word, at, sizeof(word));
		if (word[0] | word[1] | word[2] | word[3] | word[4] | word[5] |
		    word[6] | word[7])
			memset(at, 0, sizeof(word));
	}
	for (; size; size--, at++)
		if (*at)
			*at = 0;
}

#endif
