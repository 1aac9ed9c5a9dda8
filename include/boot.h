/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the boot loader handed over, after boot/ checked and copied it.
 */
#ifndef BULKHEAD_BOOT_H
#define BULKHEAD_BOOT_H

#include "include/compiler.h"

#define BOOT_MODULES_MAX     32
#define BOOT_MODULE_NAME_MAX 64
#define BOOT_COMMAND_MAX     256

/* A file in memory, kept out of the page allocator. */
struct boot_module {
	/* Last word of its command line, without folders. */
	char name[BOOT_MODULE_NAME_MAX];
	hpa_t base; /* page-aligned, unless the loader did not */
	uint64_t length;
};

struct boot_modules {
	unsigned count;
	struct boot_module module[BOOT_MODULES_MAX];
};

struct manifest;

/* NULL if there is none of that name. */
const struct boot_module *boot_module_find(const struct boot_modules *modules,
					   const char *name);

/*
 * Makes the guests of the manifest and starts them, from the first thread of
 * the CPU that booted, with all others up.  Implemented in vm/vm.c.
 */
void host_start(const struct manifest *manifest,
		const struct boot_modules *modules);

#endif
