/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives every boot module whole pages of its own, so that they can be mapped
 * into programs without showing anything else.
 *
 * Runs on the boot tables, which map all that modules lie in.
 */
#include "boot/boot.h"

#include "include/errno.h"
#include "lib/string.h"
#include "mm/phys.h"

static hpa_t pages_start(const struct boot_module *module)
{
	return ALIGN_DOWN(module->base, PAGE_SIZE);
}

static hpa_t pages_end(const struct boot_module *module)
{
	return ALIGN_UP(module->base + module->length, PAGE_SIZE);
}

/* Whether some page of a module has a part of another. */
static bool is_shared(const struct boot_modules *modules,
		      const struct boot_module *module)
{
	for (unsigned i = 0; i < modules->count; i++) {
		const struct boot_module *other = &modules->module[i];

		if (other != module && other->length &&
		    pages_start(other) < pages_end(module) &&
		    pages_start(module) < pages_end(other))
			return true;
	}
	return false;
}

/* Whether the physmap will have all pages of a module. */
static bool is_ram(const struct boot_ranges *ram,
		   const struct boot_module *module)
{
	uint64_t found = 0;

	for (unsigned i = 0; i < ram->count; i++) {
		const struct boot_range *range = &ram->range[i];
		hpa_t from = MAX(ALIGN_UP(range->base, PAGE_SIZE),
				 pages_start(module));
		hpa_t to =
			MIN(ALIGN_DOWN(range->base + range->length, PAGE_SIZE),
			    pages_end(module));

		found += to > from ? to - from : 0;
	}
	return found == pages_end(module) - pages_start(module);
}

static int module_move(struct boot_ranges *free, struct boot_module *module)
{
	hpa_t to = ranges_take(free, module->length);

	if (!to)
		return -ENOMEM;
	memcpy(phys_to_virt(to), phys_to_virt(module->base), module->length);
	module->base = to;
	return 0;
}

int modules_place(const struct boot_ranges *ram, struct boot_ranges *free,
		  struct boot_modules *modules,
		  const struct boot_module **failed)
{
	for (unsigned i = 0; i < modules->count; i++) {
		struct boot_module *module = &modules->module[i];
		hpa_t end;

		if (!module->length) {
			module->base = pages_start(module);
			continue;
		}
		*failed = module;
		if ((!IS_ALIGNED(module->base, PAGE_SIZE) ||
		     is_shared(modules, module) || !is_ram(ram, module)) &&
		    module_move(free, module))
			return -ENOMEM;
		end = module->base + module->length;
		memset(phys_to_virt(end), 0, pages_end(module) - end);
	}
	*failed = NULL;
	return 0;
}
