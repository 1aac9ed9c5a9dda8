/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of the monitor's functions, and backtraces.
 *
 * The monitor keeps no frame pointers: they would cost every exit.  A trace
 * therefore scans the stack for words that point behind a CALL instruction in
 * the monitor's text.  It shows all true callers and may show a stale one,
 * left over from an earlier call.
 */
#ifndef BULKHEAD_SYMBOLS_H
#define BULKHEAD_SYMBOLS_H

#include "include/compiler.h"

/* The function that holds address and the offset in it; NULL: none does. */
const char *symbol_find(uint64_t address, uint64_t *offset);

/* Prints the callers found from rsp up; stops at the stack's end. */
void symbol_backtrace(uint64_t rip, uint64_t rsp);

#endif
