/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks boot modules by their size; see module_check.h.
 *
 * Not checked: what is in them.  Kernels are for the board's loader, programs
 * for lib/program.c.  Of a kernel only its kind is looked at.
 *
 * Pure code: init, the tool's checker and the unit tests share it.
 */
#include "init/module_check.h"

#include "include/multiboot_header.h"

#include "include/floppy.h"

#define DISK_SECTOR  512
#define CDROM_SECTOR 2048
#define PMEM_UNIT    MIB(2)

static const char *firmware_refusal(uint64_t length)
{
	if (!IS_ALIGNED(length, KIB(4)))
		return "is no multiple of 4 KiB";
	if (length < KIB(64))
		return "is less than the 64 KiB below 1 MiB";
	if (length > MODULE_FIRMWARE_MAX)
		return "is more than the 8 MiB that the ROM holds";
	return NULL;
}

const char *module_blob_refusal(enum machine_blob_kind kind, bool is_builtin,
				uint64_t length)
{
	if (!length)
		return "is empty";
	/* What another machine makes of it is its own business. */
	if (!is_builtin)
		return NULL;
	if (kind == MACHINE_BLOB_BIOS)
		return firmware_refusal(length);
	if ((kind == MACHINE_BLOB_VGABIOS || kind >= MACHINE_BLOB_NIC_ROM) &&
	    length > MODULE_VGA_BIOS_MAX)
		return "is more than the 16 MiB of an option ROM";
	return NULL;
}

/* fw_cfg tells a length of 32 bits. */
const char *module_item_refusal(uint64_t length)
{
	if (!length)
		return "is empty";
	return length > UINT32_MAX ? "is more than the 4 GiB of an item" : NULL;
}

static const char *flash_refusal(uint64_t length)
{
	if (!IS_ALIGNED(length, MODULE_FLASH_UNIT))
		return "is no multiple of 4 KiB, the blocks of flash memory";
	if (length > MODULE_FLASH_MAX)
		return "is more than the 8 MiB of flash memory";
	return NULL;
}

static const char *floppy_refusal(enum floppy_drive drive, uint64_t length)
{
	const struct floppy_format *format =
		length % DISK_SECTOR ? NULL
				     : floppy_format_find(length / DISK_SECTOR);

	if (!format)
		return "is no floppy disk of 160, 180, 320, 360, 640, 720, "
		       "1200, 1440, 1680 or 2880 KiB";
	return drive == FLOPPY_DRIVE_NONE || floppy_drive_takes(drive, format)
		       ? NULL
		       : "does not fit into that drive";
}

const char *module_disk_refusal(const struct disk_manifest *disk,
				uint64_t length)
{
	if (!length)
		return "is empty";
	if (disk->bus == MACHINE_DISK_FLASH)
		return flash_refusal(length);
	if (disk->bus == MACHINE_DISK_FLOPPY)
		return floppy_refusal(disk->floppy_drive, length);
	if (disk->bus == MACHINE_DISK_PMEM && length % PMEM_UNIT)
		return "is no multiple of 2 MiB, by which guests map "
		       "persistent memory: make it longer, as by truncate "
		       "--size=%2M";
	if (disk->is_cdrom && length % CDROM_SECTOR)
		return "is no multiple of 2048 bytes, the sectors of a CD-ROM";
	if (length % DISK_SECTOR)
		return "is no multiple of 512 bytes, the sectors of a disk";
	return NULL;
}

bool guest_boots_through_bios(const struct guest_manifest *guest,
			      const void *kernel, uint64_t length)
{
	if (guest->program[0] || guest->board == MACHINE_BOARD_PV ||
	    guest->devices & MANIFEST_BIOS_NEVER)
		return false;
	return guest->devices & MANIFEST_BIOS_ALWAYS ||
	       kernel_is_multiboot(kernel, length);
}
