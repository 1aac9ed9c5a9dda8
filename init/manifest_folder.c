/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads folders that are disks: init/manifest_reader.h.  The tool makes the
 * image of such a folder, and calls the boot module by guest and node:
 * "web-folder0.iso".  What is in `path` only the tool knows.
 */
#include "init/manifest_reader.h"

#include "include/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

enum folder_kind { FOLDER_NONE, FOLDER_ISO, FOLDER_FAT };

struct folder_properties {
	char path[MANIFEST_PATH_SIZE];
	uint8_t kind; /* enum folder_kind */
	uint8_t unit;
	uint8_t boot_index;
	bool is_read_only;
};

/* clang-format off */
static const struct manifest_choice kinds[] = {
	{ "iso", FOLDER_ISO }, { "fat", FOLDER_FAT }, { 0 },
};

static const struct manifest_property folder_properties[] = {
	{ "path", PROPERTY_STRING, .is_required = true,
	  FIELD(struct folder_properties, path) },
	{ "as", PROPERTY_STRING, .is_required = true, .choices = kinds,
	  FIELD(struct folder_properties, kind) },
	{ "unit", PROPERTY_CELL, .min = 0, .max = MANIFEST_IDE_UNITS - 1,
	  FIELD(struct folder_properties, unit) },
	{ "boot-index", PROPERTY_CELL, .min = 1, .max = MANIFEST_BOOT_INDEX_MAX,
	  FIELD(struct folder_properties, boot_index) },
	{ "read-only", PROPERTY_FLAG, .flag = 1,
	  FIELD(struct folder_properties, is_read_only) },
	{ 0 },
};
/* clang-format on */

int manifest_read_folder(struct manifest_reader *reader, int node,
			 struct guest_manifest *guest,
			 struct disk_manifest *disk)
{
	struct folder_properties found = { 0 };
	int error = manifest_read_node(reader, node, folder_properties, &found);

	if (error)
		return error;
	if (found.kind == FOLDER_ISO && found.is_read_only)
		return manifest_fail(reader, node, "read-only",
				     "is for disks: a CD always is");
	disk->bus = MACHINE_DISK_IDE;
	disk->is_cdrom = found.kind == FOLDER_ISO;
	disk->is_read_only = disk->is_cdrom || found.is_read_only;
	disk->unit = found.unit;
	disk->boot_index = found.boot_index;
	(void)snprintf(disk->image[0], sizeof(disk->image[0]), "%s-%s.%s",
		       guest->name, disk->name, disk->is_cdrom ? "iso" : "fat");
	return manifest_add_disk(reader, node, guest, disk);
}
