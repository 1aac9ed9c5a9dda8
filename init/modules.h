/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who uses which boot module.  A guest may write a module where the boot loader
 * put it only if nobody else has any use for its bytes, for no guest may see
 * another's writes; and a machine may have a module's pages mapped only if
 * nothing else lies in them.  Else the guest gets a copy of its own.
 */
#ifndef BULKHEAD_INIT_MODULES_H
#define BULKHEAD_INIT_MODULES_H

#include "include/boot.h"
#include "include/manifest.h"

enum module_use {
	MODULE_READ,  /* by GATE_BLOCK: a disk that is read-only, a CD-ROM */
	MODULE_WRITE, /* by GATE_BLOCK */
	MODULE_MAP,   /* its pages in the machine's address space */
};

struct module_uses {
	/* Mentions in the whole manifest, of each module and of all that
	 * share bytes with it. */
	unsigned uses[BOOT_MODULES_MAX];
	/* Whole pages, in which no other module has a byte. */
	bool has_own_pages[BOOT_MODULES_MAX];
};

/* Before the first VM is made. */
void module_uses_count(struct module_uses *uses,
		       const struct manifest *manifest,
		       const struct boot_modules *modules);

static inline bool module_needs_copy(const struct module_uses *uses,
				     unsigned index, enum module_use use)
{
	switch (use) {
	case MODULE_WRITE:
		return uses->uses[index] > 1;
	case MODULE_MAP:
		return !uses->has_own_pages[index];
	default:
		return false;
	}
}

#endif
