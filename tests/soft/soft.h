/* SPDX-License-Identifier: BSD-2-Clause */
/* The back end that leaves every instruction to the machine's emulator. */
#ifndef BULKHEAD_TESTS_SOFT_H
#define BULKHEAD_TESTS_SOFT_H

#include "include/vendor.h"

/* Needs no processor support: probe and cpu_enable are absent. */
extern const struct vendor soft_vendor;

#endif
