/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The multiprocessor table, for systems from before ACPI.
 */
#ifndef BULKHEAD_FIRMWARE_MPTABLE_H
#define BULKHEAD_FIRMWARE_MPTABLE_H

#include "firmware/board.h"

#define MPTABLE_SIZE 4096 /* 64 CPUs and 31 slots fit */

/*
 * Floating pointer and configuration table, one after the other, to lie at
 * gpa, aligned to 16 and below 1 MiB.  Returns the length, or -ENOSPC.
 */
int __must_check mptable_build(uint8_t to[MPTABLE_SIZE],
			       const struct board_description *board,
			       uint32_t gpa);

#endif
