/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD's nested page tables: the format, to be given to table_init().
 */
#ifndef BULKHEAD_NPT_H
#define BULKHEAD_NPT_H

#include "mm/table.h"

extern const struct table_format npt_format;

#endif
