/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The format of Intel's extended page tables, for mm/table.h.
 */
#ifndef BULKHEAD_EPT_H
#define BULKHEAD_EPT_H

#include "mm/table.h"

extern const struct table_format ept_format;

#endif
