/* SPDX-License-Identifier: BSD-2-Clause */
/* Processors, quirks of the board and presets in a manifest. */
#include <stdio.h>

#include "tests/unit/manifest_test.h"

static void one(struct tree *t)
{
	begin(t);
	guest(t, "a");
}

static void text(struct tree *t, const char *property, const char *value)
{
	assert_int_equal(fdt_property_string(t->blob, property, value), 0);
}

static void cpu(struct tree *t)
{
	one(t);
	fdt_begin_node(t->blob, "cpu");
}

/* The node, the guest, "guests" and the root. */
static void refused(struct tree *t, unsigned open, const char *error)
{
	close_nodes(t, open);
	expect_error(t, error);
}

static void test_cpu(void **state)
{
	struct tree *t = *state;
	const struct cpu_quirks *q = &t->manifest.guest->cpu;

	cpu(t);
	text(t, "vendor", "CyrixInstead");
	text(t, "model-name", "Cyrix 6x86MX");
	fdt_property_u32(t->blob, "family", 6);
	fdt_property_u32(t->blob, "model", 0);
	fdt_property_u32(t->blob, "stepping", 0);
	fdt_property_u32(t->blob, "max-leaf", 1);
	fdt_property(t->blob, "without", "tsc\0avx\0lm", 11);
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_string_equal(q->vendor, "CyrixInstead");
	assert_string_equal(q->name, "Cyrix 6x86MX");
	assert_int_equal(q->family, 6);
	assert_true(q->has_model && q->has_stepping);
	assert_int_equal(q->leaf_max, 1);
	assert_int_equal(q->off[CPU_WORD_1_EDX], BIT(4));
	assert_int_equal(q->off[CPU_WORD_1_ECX], BIT(28));
	assert_int_equal(q->off[CPU_WORD_E1_EDX], BIT(29));
}

static void test_cpu_refused(void **state)
{
	struct tree *t = *state;

	cpu(t);
	text(t, "vendor", "Intel");
	refused(t, 4,
		"/guests/a/cpu: vendor: is \"Intel\", must have 12 "
		"characters, as \"GenuineIntel\"");
	cpu(t);
	fdt_property_u32(t->blob, "family", 5);
	fdt_property_u32(t->blob, "model", 16);
	refused(t, 4,
		"/guests/a/cpu: model: is 16, must be 0 to 15 in "
		"family 5");
	cpu(t);
	fdt_property_u32(t->blob, "max-leaf", 14);
	refused(t, 4, "/guests/a/cpu: max-leaf: is 14, must be 1 to 13");
	cpu(t);
	fdt_property_u32(t->blob, "tsc-khz", 1000);
	refused(t, 4,
		"/guests/a/cpu: tsc-khz: cannot be had: it needs the "
		"processor's TSC scaling, which the monitor does not "
		"use; without = \"tsc\" hides the TSC");
	cpu(t);
	fdt_property(t->blob, "without", "tsc\0", 5);
	refused(t, 4, "/guests/a/cpu: without: must not have an empty string");
	cpu(t);
	fdt_property(t->blob, "without", "tsc", 3);
	refused(t, 4, "/guests/a/cpu: without: must be a list of strings");
}

/* All names are listed, the first and the last. */
static void test_unknown_feature(void **state)
{
	static const char begins[] = "/guests/a/cpu: without: has \"sse5\", "
				     "known are: fpu, vme, ";
	static const char ends[] = ", clzero, xsaveerptr";
	struct tree *t = *state;

	cpu(t);
	text(t, "without", "sse5");
	close_nodes(t, 4);
	assert_int_equal(parse(t), -EINVAL);
	assert_memory_equal(t->error, begins, sizeof(begins) - 1);
	assert_string_equal(t->error + strlen(t->error) - strlen(ends), ends);
}

static void test_board(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = t->manifest.guest;

	one(t);
	text(t, "acpi", "off");
	text(t, "memory-hole", "15m");
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g->acpi_off, MACHINE_DEVICE_NO_ACPI);
	assert_int_equal(g->memory_hole, MACHINE_DEVICE_HOLE);
	one(t);
	text(t, "memory-hole", "16m");
	refused(t, 3,
		"/guests/a: memory-hole: is \"16m\", known are: none, "
		"15m");
}

static void drives(struct tree *t)
{
	fdt_begin_node(t->blob, "disk0");
	text(t, "image", "a.img");
	close_nodes(t, 1);
	fdt_begin_node(t->blob, "nic0");
	text(t, "switch", "lan");
	close_nodes(t, 1);
}

static void test_os(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = t->manifest.guest;

	one(t);
	text(t, "os", "windows-nt4");
	drives(t);
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g->cpu.leaf_max, 2);
	assert_int_equal(g->acpi_off, MACHINE_DEVICE_NO_ACPI);
	assert_int_equal(g->disk[0].bus, MACHINE_DISK_IDE);
	assert_int_equal(g->nic[0].model, MACHINE_NIC_PCNET);

	one(t);
	text(t, "os", "windows-7");
	fdt_property_u32(t->blob, "vcpus", 4);
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g->sockets, 1);
	assert_int_equal(g->cores, 4);
	assert_int_equal(g->acpi_off, 0);
}

/* What the node says itself counts. */
static void test_os_overridden(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = t->manifest.guest;

	one(t);
	text(t, "os", "windows-nt4");
	text(t, "acpi", "on");
	fdt_property_u32(t->blob, "vcpus", 2);
	fdt_begin_node(t->blob, "cpu");
	fdt_property_u32(t->blob, "max-leaf", 13);
	close_nodes(t, 1);
	fdt_begin_node(t->blob, "nic0");
	text(t, "model", "e1000");
	text(t, "switch", "lan");
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g->cpu.leaf_max, 13);
	assert_int_equal(g->acpi_off, 0);
	assert_int_equal(g->sockets, 2);
	assert_int_equal(g->nic[0].model, MACHINE_NIC_E1000);

	one(t);
	text(t, "os", "windows-xp");
	fdt_property_u32(t->blob, "vcpus", 4);
	fdt_property_u32(t->blob, "sockets", 2);
	close_nodes(t, 3);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g->sockets, 2);
	assert_int_equal(g->cores, 2);
}

static void test_os_refused(void **state)
{
	static const char begins[] = "/guests/a: os: is \"windows-12\", known "
				     "are: dos, ";
	struct tree *t = *state;

	one(t);
	text(t, "os", "windows-12");
	close_nodes(t, 3);
	assert_int_equal(parse(t), -EINVAL);
	assert_memory_equal(t->error, begins, sizeof(begins) - 1);
	/* Without a preset nothing is there by itself. */
	one(t);
	drives(t);
	refused(t, 3, "/guests/a/disk0: bus: is missing");
}

/* ---- Folders --------------------------------------------------------------
 */

static void folder(struct tree *t, const char *node, const char *as)
{
	fdt_begin_node(t->blob, node);
	text(t, "path", "some/where");
	if (as)
		text(t, "as", as);
}

static void test_folders(void **state)
{
	struct tree *t = *state;
	const struct guest_manifest *g = t->manifest.guest;

	one(t);
	folder(t, "folder0", "iso");
	close_nodes(t, 1);
	folder(t, "folder3", "fat");
	fdt_property_u32(t->blob, "unit", 3);
	fdt_property_u32(t->blob, "boot-index", 2);
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_int_equal(g->disk_count, 2);
	assert_string_equal(g->disk[0].image[0], "a-folder0.iso");
	assert_true(g->disk[0].is_cdrom && g->disk[0].is_read_only);
	assert_int_equal(g->disk[0].unit, 0);
	assert_string_equal(g->disk[1].image[0], "a-folder3.fat");
	assert_false(g->disk[1].is_cdrom || g->disk[1].is_read_only);
	assert_int_equal(g->disk[1].unit, 3);
	assert_int_equal(g->disk[1].boot_index, 2);
}

static void test_folders_refused(void **state)
{
	struct tree *t = *state;

	one(t);
	folder(t, "folder0", "ext4");
	refused(t, 4,
		"/guests/a/folder0: as: is \"ext4\", known are: iso, fat");
	one(t);
	folder(t, "folder0", NULL);
	refused(t, 4, "/guests/a/folder0: as: is missing");
	one(t);
	folder(t, "folder0", "iso");
	fdt_property(t->blob, "read-only", NULL, 0);
	refused(t, 4,
		"/guests/a/folder0: read-only: is for disks: a CD always "
		"is");
	one(t);
	folder(t, "folder0", "fat");
	fdt_property_u32(t->blob, "unit", 1);
	close_nodes(t, 1);
	folder(t, "folder1", "fat");
	fdt_property_u32(t->blob, "unit", 1);
	refused(t, 4, "/guests/a/folder1: unit: 1 is taken already");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cpu, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cpu_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_unknown_feature, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_board, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folders, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folders_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_os, setup, teardown),
		cmocka_unit_test_setup_teardown(test_os_overridden, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_os_refused, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("manifest_cpu", tests, NULL, NULL);
}
