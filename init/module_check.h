/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which sizes a boot module may have for what a manifest makes of it.  init and
 * the tool at build time check with the same code.
 */
#ifndef BULKHEAD_INIT_MODULE_CHECK_H
#define BULKHEAD_INIT_MODULE_CHECK_H

#include "include/compiler.h"
#include "include/machine_config.h"
#include "include/manifest.h"

/* Below 4 GiB, beside the processors' and the I/O APIC's addresses. */
#define MODULE_FIRMWARE_MAX MIB(8)
#define MODULE_FLASH_MAX    MIB(8)
#define MODULE_FLASH_UNIT   KIB(4) /* what it erases at once */
/* What a PCI device's ROM register can ask for. */
#define MODULE_VGA_BIOS_MAX MIB(16)

/* NULL, or why it cannot be, to stand behind the module's name. */
const char *module_blob_refusal(enum machine_blob_kind kind, bool is_builtin,
				uint64_t length);
const char *module_item_refusal(uint64_t length);
const char *module_disk_refusal(const struct disk_manifest *disk,
				uint64_t length);

/*
 * Whether the BIOS' power-on self-test comes before the kernel: as the manifest
 * says, else if that is a Multiboot kernel, for those may rely on a BIOS.
 */
bool guest_boots_through_bios(const struct guest_manifest *guest,
			      const void *kernel, uint64_t length);

#endif
