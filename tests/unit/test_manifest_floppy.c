/* SPDX-License-Identifier: BSD-2-Clause */
/* The manifest reader: floppy drives, and the order of drives by kind. */
#include "tests/unit/manifest_test.h"

#include "include/floppy.h"

static void floppy(struct tree *t, const char *name, const char *image,
		   const char *drive)
{
	fdt_begin_node(t->blob, name);
	if (image)
		fdt_property_string(t->blob, "image", image);
	if (drive)
		fdt_property_string(t->blob, "drive", drive);
	close_nodes(t, 1);
}

static void test_drives(void **state)
{
	struct tree *t = *state;
	const struct disk_manifest *d = t->manifest.guest[0].disk;

	begin(t);
	guest(t, "a");
	floppy(t, "floppy1", NULL, "2.88M");
	fdt_begin_node(t->blob, "floppy0");
	fdt_property(t->blob, "images", "a.img\0b.img", 12);
	fdt_property(t->blob, "read-only", NULL, 0);
	fdt_property_u32(t->blob, "boot-index", 3);
	close_nodes(t, 4);
	assert_int_equal(parse(t), 0);
	assert_int_equal(t->manifest.guest[0].disk_count, 2);
	assert_int_equal(d[0].bus, MACHINE_DISK_FLOPPY);
	assert_int_equal(d[0].unit, 1);
	assert_int_equal(d[0].floppy_drive, FLOPPY_DRIVE_2880K);
	assert_string_equal(d[0].image[0], "");
	assert_int_equal(d[1].unit, 0);
	assert_int_equal(d[1].floppy_drive, FLOPPY_DRIVE_NONE);
	assert_string_equal(d[1].image[1], "b.img");
	assert_true(d[1].is_read_only);
	assert_int_equal(d[1].boot_index, 3);
}

static void test_bad_drives(void **state)
{
	static const struct {
		const char *name, *image, *drive, *why;
	} rows[] = {
		{ "floppy0", NULL, NULL,
		  "/guests/a/floppy0: drive: is missing: give it, or an "
		  "image" },
		{ "floppy2", "a.img", NULL,
		  "/guests/a/floppy2: a board has but floppy0 and floppy1" },
		{ "floppy0", "a.img", "8\"",
		  "/guests/a/floppy0: drive: is \"8\"\", known are: 360K, "
		  "1.2M, 720K, 1.44M, 2.88M" },
		{ "floppy0", "a/b.img", NULL,
		  "/guests/a/floppy0: image: must be a file's name, without "
		  "folders, spaces, quotes and backslashes" },
	};
	struct tree *t = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		begin(t);
		guest(t, "a");
		floppy(t, rows[i].name, rows[i].image, rows[i].drive);
		close_nodes(t, 3);
		expect_error(t, rows[i].why);
	}
	begin(t);
	guest(t, "a");
	fdt_begin_node(t->blob, "floppy0");
	fdt_property_string(t->blob, "source", "file:a.img");
	close_nodes(t, 4);
	expect_error(t, "/guests/a/floppy0: source: no such property here");
}

/* ---- boot ---------------------------------------------------------------- */

static void drive(struct tree *t, const char *name, uint32_t boot_index)
{
	fdt_begin_node(t->blob, name);
	fdt_property_string(t->blob, "bus", "ide");
	fdt_property_string(t->blob, "image", "a.img");
	if (boot_index)
		fdt_property_u32(t->blob, "boot-index", boot_index);
	close_nodes(t, 1);
}

static void order(struct tree *t, const char *boot, uint32_t boot_index)
{
	begin(t);
	guest(t, "a");
	fdt_property_string(t->blob, "boot", boot);
	drive(t, "disk1", 0);
	drive(t, "cdrom0", boot_index);
	floppy(t, "floppy0", "f.img", NULL);
	drive(t, "disk0", 0);
	close_nodes(t, 3);
}

static void test_order(void **state)
{
	static const struct {
		const char *boot;
		uint8_t disk1, cdrom0, floppy0, disk0;
	} rows[] = {
		{ "floppy, disk, cdrom", 3, 4, 1, 2 },
		{ "cdrom,floppy", 0, 1, 2, 0 },
		{ "disk", 2, 0, 0, 1 },
		{ "cdrom,  disk,floppy", 3, 1, 4, 2 },
	};
	struct tree *t = *state;
	const struct disk_manifest *d = t->manifest.guest[0].disk;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		order(t, rows[i].boot, 0);
		assert_int_equal(parse(t), 0);
		assert_int_equal(d[0].boot_index, rows[i].disk1);
		assert_int_equal(d[1].boot_index, rows[i].cdrom0);
		assert_int_equal(d[2].boot_index, rows[i].floppy0);
		assert_int_equal(d[3].boot_index, rows[i].disk0);
	}
}

static void test_bad_order(void **state)
{
	static const struct {
		const char *boot, *why;
	} rows[] = {
		{ "floppy; disk",
		  "/guests/a: boot: is \"floppy; disk\", known are: floppy, "
		  "disk, cdrom, with commas between" },
		{ "disk,",
		  "/guests/a: boot: is \"disk,\", known are: floppy, disk, "
		  "cdrom, with commas between" },
		{ "disk, floppy, disk",
		  "/guests/a: boot: names a kind of drive twice" },
	};
	struct tree *t = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		order(t, rows[i].boot, 0);
		expect_error(t, rows[i].why);
	}
	order(t, "disk", 1);
	expect_error(t, "/guests/a: boot: excludes boot-index: give one of "
			"them");
	begin(t);
	guest(t, "a");
	fdt_property_string(t->blob, "boot", "disk");
	fdt_property_string(t->blob, "kernel", "vmlinux");
	close_nodes(t, 3);
	expect_error(t, "/guests/a: boot: is for guests without a kernel");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_drives),
		TEST(test_bad_drives),
		TEST(test_order),
		TEST(test_bad_order),
	};

	return cmocka_run_group_tests_name("manifest_floppy", tests, NULL,
					   NULL);
}
