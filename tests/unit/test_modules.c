/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which guest may use a boot module where it lies: manifests with every pair of
 * uses, and modules that share pages and bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "init/modules.h"

#define BASE 0x400000ULL

struct fixture {
	struct manifest manifest;
	struct boot_modules modules;
	struct module_uses uses;
};

static struct fixture fixture;

const struct boot_module *boot_module_find(const struct boot_modules *modules,
					   const char *name)
{
	for (unsigned i = 0; i < modules->count; i++)
		if (strcmp(modules->module[i].name, name) == 0)
			return &modules->module[i];
	return NULL;
}

static void add_module(const char *name, hpa_t base, uint64_t length)
{
	struct boot_modules *modules = &fixture.modules;
	struct boot_module *module = &modules->module[modules->count++];

	(void)snprintf(module->name, sizeof(module->name), "%s", name);
	module->base = base;
	module->length = length;
}

static int setup(void **state)
{
	(void)state;
	memset(&fixture, 0, sizeof(fixture));
	add_module("shared.img", BASE, MIB(1));
	add_module("other.img", BASE + MIB(1), MIB(1));
	add_module("bios.bin", BASE + MIB(2), KIB(256));
	add_module("vgabios.bin", BASE + MIB(3), KIB(40));
	add_module("kernel", BASE + MIB(4), 12345);
	return 0;
}

static struct guest_manifest *add_guest(const char *kernel)
{
	struct manifest *m = &fixture.manifest;
	struct guest_manifest *guest = &m->guest[m->guest_count++];

	(void)snprintf(guest->kernel, sizeof(guest->kernel), "%s", kernel);
	return guest;
}

static void add_disk(struct guest_manifest *guest, const char *image)
{
	struct disk_manifest *disk = &guest->disk[guest->disk_count++];

	(void)snprintf(disk->image, sizeof(disk->image), "%s", image);
}

static bool needs_copy(const char *name, enum module_use use)
{
	const struct boot_module *module =
		boot_module_find(&fixture.modules, name);

	module_uses_count(&fixture.uses, &fixture.manifest, &fixture.modules);
	return module_needs_copy(&fixture.uses,
				 (unsigned)(module - fixture.modules.module),
				 use);
}

static void test_alone(void **state)
{
	(void)state;
	add_disk(add_guest("kernel"), "shared.img");
	assert_false(needs_copy("shared.img", MODULE_WRITE));
	assert_false(needs_copy("shared.img", MODULE_READ));
	assert_false(needs_copy("kernel", MODULE_MAP));
}

/* Another guest's disk, whether it reads or writes, and one's own second. */
static void test_second_disk(void **state)
{
	(void)state;
	add_disk(add_guest("kernel"), "shared.img");
	add_disk(add_guest("kernel"), "shared.img");
	add_disk(&fixture.manifest.guest[1], "other.img");
	assert_true(needs_copy("shared.img", MODULE_WRITE));
	assert_false(needs_copy("shared.img", MODULE_READ));
	assert_false(needs_copy("other.img", MODULE_WRITE));
	add_disk(&fixture.manifest.guest[1], "other.img");
	assert_true(needs_copy("other.img", MODULE_WRITE));
}

/* A later guest counts for an earlier one. */
static void test_other_kinds(void **state)
{
	struct guest_manifest *guest;

	(void)state;
	add_disk(add_guest("kernel"), "shared.img");
	add_disk(&fixture.manifest.guest[0], "kernel");
	add_disk(&fixture.manifest.guest[0], "bios.bin");
	add_disk(&fixture.manifest.guest[0], "vgabios.bin");
	assert_true(needs_copy("kernel", MODULE_WRITE));
	assert_false(needs_copy("shared.img", MODULE_WRITE));
	assert_false(needs_copy("bios.bin", MODULE_WRITE));
	assert_false(needs_copy("vgabios.bin", MODULE_WRITE));

	guest = add_guest("");
	strcpy(guest->firmware, "bios.bin");
	strcpy(guest->vga_bios, "vgabios.bin");
	assert_true(needs_copy("bios.bin", MODULE_WRITE));
	assert_true(needs_copy("vgabios.bin", MODULE_WRITE));
	assert_false(needs_copy("bios.bin", MODULE_READ));
	assert_false(needs_copy("bios.bin", MODULE_MAP));
	strcpy(guest->initrd, "shared.img");
	assert_true(needs_copy("shared.img", MODULE_WRITE));
}

/* What a loader may do to modules: pages and bytes in common. */
static void test_overlaps(void **state)
{
	hpa_t next = BASE + MIB(8);

	(void)state;
	add_module("a", next, PAGE_SIZE + 512);
	add_module("b", next + PAGE_SIZE + 512, 512); /* in a's last page */
	add_module("c", next + 3 * PAGE_SIZE, 3 * PAGE_SIZE);
	add_module("d", next + 4 * PAGE_SIZE, PAGE_SIZE); /* within c */
	add_module("e", next + 6 * PAGE_SIZE, 0);	  /* empty, after c */
	add_disk(add_guest("kernel"), "a");
	add_disk(add_guest("kernel"), "b");
	add_disk(add_guest("kernel"), "c");
	add_disk(add_guest("d"), "e");

	/* Blocks never reach over the module's end; mapped pages do. */
	assert_false(needs_copy("a", MODULE_WRITE));
	assert_false(needs_copy("b", MODULE_WRITE));
	assert_true(needs_copy("a", MODULE_MAP));
	assert_true(needs_copy("b", MODULE_MAP));
	assert_true(needs_copy("c", MODULE_WRITE));
	assert_true(needs_copy("c", MODULE_MAP));
	assert_true(needs_copy("d", MODULE_WRITE));
	assert_true(needs_copy("d", MODULE_MAP));
	assert_false(needs_copy("e", MODULE_MAP));
}

/* A module that is mentioned and missing is nobody's. */
static void test_missing(void **state)
{
	(void)state;
	add_disk(add_guest("nowhere"), "none.img");
	module_uses_count(&fixture.uses, &fixture.manifest, &fixture.modules);
	for (unsigned i = 0; i < fixture.modules.count; i++)
		assert_int_equal(fixture.uses.uses[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_alone, setup),
		cmocka_unit_test_setup(test_second_disk, setup),
		cmocka_unit_test_setup(test_other_kinds, setup),
		cmocka_unit_test_setup(test_overlaps, setup),
		cmocka_unit_test_setup(test_missing, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
