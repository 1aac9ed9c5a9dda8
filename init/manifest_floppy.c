/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a guest's floppy drives, and the order in which it starts from its
 * drives: init/manifest_reader.h.
 */
#include "init/manifest_reader.h"

#include "include/errno.h"
#include "include/floppy.h"
#include "lib/string.h"

/* clang-format off */
static const struct manifest_choice drives[] = {
	{ "360K", FLOPPY_DRIVE_360K }, { "1.2M", FLOPPY_DRIVE_1200K },
	{ "720K", FLOPPY_DRIVE_720K }, { "1.44M", FLOPPY_DRIVE_1440K },
	{ "2.88M", FLOPPY_DRIVE_2880K }, { 0 },
};

static const struct manifest_property floppy_properties[] = {
	{ "image", PROPERTY_FILE, FIELD(struct disk_manifest, image[0]) },
	{ "images", PROPERTY_FILES, FIELD(struct disk_manifest, image) },
	{ "drive", PROPERTY_STRING, .choices = drives,
	  FIELD(struct disk_manifest, floppy_drive) },
	{ "boot-index", PROPERTY_CELL, .min = 1, .max = MANIFEST_BOOT_INDEX_MAX,
	  FIELD(struct disk_manifest, boot_index) },
	{ "read-only", PROPERTY_FLAG, .flag = 1,
	  FIELD(struct disk_manifest, is_read_only) },
	{ 0 },
};
/* clang-format on */

int manifest_read_floppy(struct manifest_reader *reader, int node,
			 struct guest_manifest *guest,
			 struct disk_manifest *floppy)
{
	int error = manifest_read_node(reader, node, floppy_properties, floppy);

	floppy->bus = MACHINE_DISK_FLOPPY;
	floppy->unit = (uint8_t)(floppy->name[strlen("floppy")] - '0');
	if (error)
		return error;
	if (floppy->unit > 1)
		return manifest_fail(reader, node, NULL,
				     "a board has but floppy0 and floppy1");
	if (!floppy->image[0][0] && !floppy->floppy_drive)
		return manifest_fail(reader, node, "drive",
				     "is missing: give it, or an image");
	error = manifest_check_images(reader, node, floppy);
	if (!error)
		error = manifest_check_boot_index(reader, node, guest,
						  floppy->boot_index);
	if (!error)
		guest->disk[guest->disk_count++] = *floppy;
	return error;
}

/* ---- boot = "floppy, disk, cdrom" ---------------------------------------- */

static bool is_of_kind(const struct disk_manifest *disk, const char *kind,
		       size_t length)
{
	return !strncmp(disk->name, kind, length) &&
	       disk->name[length] >= '0' && disk->name[length] <= '9';
}

static bool is_kind(const char *word, size_t length)
{
	static const char *const kinds[] = { "floppy", "disk", "cdrom" };

	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strlen(kinds[i]) == length &&
		    !strncmp(word, kinds[i], length))
			return true;
	return false;
}

/* All drives of the kind, by their numbers.  False: they have been. */
static bool kind_place(struct guest_manifest *guest, const char *kind,
		       size_t length, uint8_t *index)
{
	for (char number = '0'; number <= '9'; number++)
		for (unsigned i = 0; i < guest->disk_count; i++) {
			struct disk_manifest *disk = &guest->disk[i];

			if (!is_of_kind(disk, kind, length) ||
			    disk->name[length] != number)
				continue;
			if (disk->boot_index)
				return false;
			disk->boot_index = (*index)++;
		}
	return true;
}

int manifest_read_boot(struct manifest_reader *reader, int node,
		       struct guest_manifest *guest)
{
	const char *at = guest->boot;
	uint8_t index = 1;

	if (!at[0])
		return 0;
	if (guest->kernel[0])
		return manifest_fail(reader, node, "boot",
				     "is for guests without a kernel");
	for (unsigned i = 0; i < guest->disk_count; i++)
		if (guest->disk[i].boot_index)
			return manifest_fail(reader, node, "boot",
					     "excludes boot-index: give one of "
					     "them");
	while (true) {
		size_t length = 0;

		while (at[length] && at[length] != ',')
			length++;
		if (!is_kind(at, length))
			return manifest_fail(reader, node, "boot",
					     "is \"%s\", known are: floppy, "
					     "disk, cdrom, with commas between",
					     guest->boot);
		if (!kind_place(guest, at, length, &index))
			return manifest_fail(reader, node, "boot",
					     "names a kind of drive twice");
		at += length;
		if (!*at)
			return 0;
		at++;
		while (*at == ' ')
			at++;
	}
}
