/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The format of Intel's extended page tables, for mm/table.h.
 */
#ifndef BULKHEAD_EPT_H
#define BULKHEAD_EPT_H

#include "mm/table.h"

/* What the processor marks if the EPT pointer asks for it; else ignored. */
#define EPT_ACCESSED BIT(8)
#define EPT_DIRTY    BIT(9)

extern const struct table_format ept_format;

#endif
