/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI interrupt routing table, $PIR, for systems that know no ACPI.
 */
#ifndef BULKHEAD_FIRMWARE_PIRQ_H
#define BULKHEAD_FIRMWARE_PIRQ_H

#include "firmware/board.h"

#define PIRQ_TABLE_SIZE 544 /* 32 slots fit */

/* Returns the length, or -ENOSPC.  To lie at a multiple of 16 from F0000h. */
int __must_check pirq_table_build(uint8_t to[PIRQ_TABLE_SIZE],
				  const struct board_description *board);

#endif
