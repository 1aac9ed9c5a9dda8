/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks boot modules up.
 */
#include "include/boot.h"

#include "lib/string.h"

const struct boot_module *boot_module_find(const struct boot_modules *modules,
					   const char *name)
{
	for (unsigned i = 0; i < modules->count; i++)
		if (strcmp(modules->module[i].name, name) == 0)
			return &modules->module[i];
	return NULL;
}
