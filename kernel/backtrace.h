/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backtraces of the monitor, as addresses: `bulkhead symbolize` knows what is
 * there.
 *
 * The monitor keeps no frame pointers: they would cost every exit.  A trace
 * therefore scans the stack for words that point behind a CALL instruction in
 * the monitor's text.  It shows all true callers and may show a stale one,
 * left over from an earlier call.
 */
#ifndef BULKHEAD_BACKTRACE_H
#define BULKHEAD_BACKTRACE_H

#include "include/compiler.h"

/* Prints rip and the callers found from rsp up; stops at the stack's end. */
void backtrace_print(uint64_t rip, uint64_t rsp);

#endif
