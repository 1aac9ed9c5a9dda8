/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of vm/vendors.c: the same, and the one that only emulates. */
#include "tests/soft/soft.h"

const struct vendor *const vendors[] = { &svm_vendor, &vmx_vendor, NULL };

const struct vendor *const vendor_emulator = &soft_vendor;
