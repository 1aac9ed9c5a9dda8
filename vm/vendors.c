/* SPDX-License-Identifier: BSD-2-Clause */
/* The back ends of this image.  A test image links a list of its own. */
#include "include/vendor.h"

const struct vendor *const vendors[] = { &svm_vendor, &vmx_vendor, NULL };

const struct vendor *const vendor_emulator = NULL;
