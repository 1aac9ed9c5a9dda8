/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks of the monitor on itself.  Never reachable by what a guest, a
 * machine or a manifest does: those get error codes.
 *
 * VERIFY always checks, ASSERT only in debug builds (-DDEBUG).
 */
#ifndef BULKHEAD_PANIC_H
#define BULKHEAD_PANIC_H

#include "include/compiler.h"

/* Prints the message and a backtrace, stops every CPU.  kernel/trap.c. */
__noreturn void monitor_panic(const char *format, ...) __printf(1, 2);

#ifdef HOST_TEST
#define VERIFY(condition)                   \
	do {                                \
		if (unlikely(!(condition))) \
			__builtin_trap();   \
	} while (0)
#else
#define VERIFY(condition)                                             \
	do {                                                          \
		if (unlikely(!(condition)))                           \
			monitor_panic("%s:%d: " #condition, __FILE__, \
				      __LINE__);                      \
	} while (0)
#endif

#ifdef DEBUG
#define ASSERT(condition) VERIFY(condition)
#else
#define ASSERT(condition) ((void)sizeof(condition))
#endif

#endif
