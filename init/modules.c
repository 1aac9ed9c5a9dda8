/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts who uses which boot module; see modules.h.
 */
#include "init/modules.h"

#include "lib/string.h"

static void use(unsigned *mentions, const struct boot_modules *modules,
		const char *name)
{
	const struct boot_module *module = boot_module_find(modules, name);

	if (module)
		mentions[module - modules->module]++;
}

static void guest_uses(unsigned *mentions, const struct boot_modules *modules,
		       const struct guest_manifest *guest)
{
	use(mentions, modules, guest->firmware);
	use(mentions, modules, guest->vga_bios);
	use(mentions, modules, guest->kernel);
	use(mentions, modules, guest->initrd);
	for (unsigned i = 0; i < guest->disk_count; i++)
		use(mentions, modules, guest->disk[i].image);
}

/* Whether [base, end) of the two meet, after rounding out to a unit. */
static bool shares(const struct boot_module *a, const struct boot_module *b,
		   uint64_t unit)
{
	return a->length && b->length &&
	       ALIGN_DOWN(a->base, unit) <
		       ALIGN_UP(b->base + b->length, unit) &&
	       ALIGN_DOWN(b->base, unit) < ALIGN_UP(a->base + a->length, unit);
}

void module_uses_count(struct module_uses *uses,
		       const struct manifest *manifest,
		       const struct boot_modules *modules)
{
	unsigned mentions[BOOT_MODULES_MAX] = { 0 };

	memset(uses, 0, sizeof(*uses));
	for (unsigned i = 0; i < manifest->guest_count; i++)
		guest_uses(mentions, modules, &manifest->guest[i]);
	for (unsigned i = 0; i < modules->count; i++) {
		const struct boot_module *module = &modules->module[i];

		uses->uses[i] = mentions[i];
		uses->has_own_pages[i] = IS_ALIGNED(module->base, PAGE_SIZE);
		for (unsigned j = 0; j < modules->count; j++) {
			const struct boot_module *other = &modules->module[j];

			if (i == j)
				continue;
			if (shares(module, other, 1))
				uses->uses[i] += mentions[j];
			if (shares(module, other, PAGE_SIZE))
				uses->has_own_pages[i] = false;
		}
	}
}
