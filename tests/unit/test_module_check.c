/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * init/module_check.c: sizes of boot modules around every bound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "include/floppy.h"
#include "init/module_check.h"

struct row {
	uint64_t length;
	bool is_good;
};

static void expect_disks(const struct disk_manifest *disk,
			 const struct row *rows, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(!module_disk_refusal(disk, rows[i].length),
				 rows[i].is_good);
}

static void test_disks(void **state)
{
	static const struct row disks[] = {
		{ 0, false },	       { 1, false },   { 511, false },
		{ 512, true },	       { 513, false }, { 1000, false },
		{ 1536, true },	       { 2048, true }, { GIB(8), true },
		{ GIB(8) + 1, false },
	};
	static const struct row cdroms[] = {
		{ 0, false },	{ 512, false },	 { 2047, false },
		{ 2048, true }, { 2560, false }, { 4096, true },
	};
	static const struct row floppies[] = {
		{ 0, false },	      { 512, false },
		{ KIB(160), true },   { KIB(161), false },
		{ KIB(1440), true },  { KIB(1440) + 1, false },
		{ KIB(1680), true },  { KIB(2880), true },
		{ KIB(2881), false },
	};
	static const struct row of_drive[] = {
		{ KIB(160), false },
		{ KIB(720), true },
		{ KIB(1440), true },
		{ KIB(2880), false },
	};
	static const struct row flashes[] = {
		{ 0, false },	  { 512, false },
		{ KIB(4), true }, { KIB(528), true },
		{ MIB(8), true }, { MIB(8) + KIB(4), false },
	};
	static const struct row pmems[] = {
		{ 0, false },
		{ 512, false },
		{ MIB(1), false },
		{ MIB(2), true },
		{ MIB(3), false },
		{ GIB(3), true },
		{ GIB(3) + 512, false },
	};

	(void)state;
	expect_disks(&(struct disk_manifest){ .bus = MACHINE_DISK_FLOPPY },
		     floppies, ARRAY_SIZE(floppies));
	expect_disks(
		&(struct disk_manifest){ .bus = MACHINE_DISK_FLOPPY,
					 .floppy_drive = FLOPPY_DRIVE_1440K },
		of_drive, ARRAY_SIZE(of_drive));
	expect_disks(&(struct disk_manifest){ .bus = MACHINE_DISK_IDE }, disks,
		     ARRAY_SIZE(disks));
	expect_disks(&(struct disk_manifest){ .bus = MACHINE_DISK_IDE,
					      .is_cdrom = true },
		     cdroms, ARRAY_SIZE(cdroms));
	expect_disks(&(struct disk_manifest){ .bus = MACHINE_DISK_FLASH },
		     flashes, ARRAY_SIZE(flashes));
	expect_disks(&(struct disk_manifest){ .bus = MACHINE_DISK_PMEM }, pmems,
		     ARRAY_SIZE(pmems));
}

static void expect_blobs(enum machine_blob_kind kind, bool is_builtin,
			 const struct row *rows, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(
			!module_blob_refusal(kind, is_builtin, rows[i].length),
			rows[i].is_good);
}

static void test_blobs(void **state)
{
	static const struct row firmware[] = {
		{ 0, false },
		{ KIB(64) - 1, false },
		{ KIB(64), true },
		{ KIB(64) + 1, false },
		{ KIB(60), false },
		{ KIB(3568), true },
		{ MIB(2) + 1, false },
		{ MIB(8), true },
		{ MIB(8) + KIB(4), false },
	};
	static const struct row vga_bios[] = {
		{ 0, false },		{ 1, true },	   { MIB(16), true },
		{ MIB(16) + 1, false }, { GIB(3), false },
	};
	static const struct row anything[] = { { 0, false }, { 1, true } };

	(void)state;
	expect_blobs(MACHINE_BLOB_BIOS, true, firmware, ARRAY_SIZE(firmware));
	expect_blobs(MACHINE_BLOB_VGABIOS, true, vga_bios,
		     ARRAY_SIZE(vga_bios));
	expect_blobs(MACHINE_BLOB_KERNEL, true, anything, ARRAY_SIZE(anything));
	expect_blobs(MACHINE_BLOB_INITRD, true, anything, ARRAY_SIZE(anything));
	expect_blobs(MACHINE_BLOB_BIOS, false, anything, ARRAY_SIZE(anything));
}

/* A Multiboot header so far into a file of so many bytes. */
static bool goes_through(const struct guest_manifest *guest, uint32_t at,
			 uint32_t size)
{
	static const uint32_t header[] = { 0x1badb002, 3, -(0x1badb002u + 3) };
	static uint8_t file[16384];

	memset(file, 0, sizeof(file));
	memcpy(file + at, header, sizeof(header));
	return guest_boots_through_bios(guest, file, size);
}

static void test_bios(void **state)
{
	struct guest_manifest guest = { .devices = MACHINE_DEVICE_SERCON };
	uint32_t linux_file[256] = { 0x1badb002, 3, -(0x1badb002u + 3) };

	(void)state;
	assert_true(goes_through(&guest, 0, 12));
	assert_true(goes_through(&guest, 8180, 16384));
	assert_false(goes_through(&guest, 8184, 16384));
	assert_false(goes_through(&guest, 2, 16384));
	assert_false(goes_through(&guest, 0, 11));
	assert_false(guest_boots_through_bios(&guest, "x", 1));
	/* What the board's loader takes for a bzImage is one. */
	memcpy((uint8_t *)linux_file + 0x202, "HdrS", 4);
	assert_false(guest_boots_through_bios(&guest, linux_file,
					      sizeof(linux_file)));
	guest.devices = MANIFEST_BIOS_NEVER;
	assert_false(goes_through(&guest, 0, 12));
	guest.devices = MANIFEST_BIOS_ALWAYS;
	assert_true(guest_boots_through_bios(&guest, "x", 1));
	strcpy(guest.program, "p");
	assert_false(goes_through(&guest, 0, 12));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disks),
		cmocka_unit_test(test_blobs),
		cmocka_unit_test(test_bios),
	};

	return cmocka_run_group_tests_name("module_check", tests, NULL, NULL);
}
