/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which sizes a boot module may have for what a manifest makes of it.  init and
 * the tool at build time check with the same code.
 */
#ifndef BULKHEAD_INIT_MODULE_CHECK_H
#define BULKHEAD_INIT_MODULE_CHECK_H

#include "include/compiler.h"
#include "include/machine_config.h"

/* The board's ROM, which firmware has to fit. */
#define MODULE_FIRMWARE_MAX MIB(2)
/* What a PCI device's ROM register can ask for. */
#define MODULE_VGA_BIOS_MAX MIB(16)

/* NULL, or why it cannot be, to stand behind the module's name. */
const char *module_blob_refusal(enum machine_blob_kind kind, bool is_builtin,
				uint64_t length);
const char *module_disk_refusal(bool is_cdrom, uint64_t length);

#endif
