/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's real-time clock, read once at boot. */
#ifndef BULKHEAD_DRIVERS_CMOS_H
#define BULKHEAD_DRIVERS_CMOS_H

#include "include/compiler.h"

/* Seconds since 1970, taking the clock to be UTC; 0 if there is none. */
uint64_t cmos_read_epoch(void);

#endif
