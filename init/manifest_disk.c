/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a guest's disks: init/manifest_reader.h. */
#include "init/manifest_reader.h"

#include "include/errno.h"
#include "init/module_check.h"
#include "init/source.h"
#include "lib/string.h"

#define IDE_UNITS    MANIFEST_IDE_UNITS
#define AHCI_UNITS   6
#define LSI_UNITS    7
#define VIRTIO_UNITS 8
#define QUEUES_MAX   16
#define DELAY_US_MAX 1000000
#define SECTOR_4KN   4096
#define LIMIT_MAX    1000000000 /* a second */

/* clang-format off */
static const struct manifest_choice buses[] = {
	{ "ide", MACHINE_DISK_IDE }, { "ahci", MACHINE_DISK_AHCI },
	{ "lsi", MACHINE_DISK_LSI }, { "usb", MACHINE_DISK_USB },
	{ "virtio", MACHINE_DISK_VIRTIO },
	{ "virtio-scsi", MACHINE_DISK_VIRTIO_SCSI }, { 0 },
};

static const struct manifest_choice modes[] = {
	{ "copy-on-write", MANIFEST_DISK_COPY_ON_WRITE },
	{ "private", MANIFEST_DISK_PRIVATE }, { 0 },
};

static const struct manifest_choice formats[] = {
	{ "raw", MANIFEST_FORMAT_RAW }, { "qcow2", MANIFEST_FORMAT_QCOW2 },
	{ "vmdk", MANIFEST_FORMAT_VMDK }, { "vdi", MANIFEST_FORMAT_VDI }, { 0 },
};

static const struct manifest_choice overlays[] = {
	{ "memory", MANIFEST_OVERLAY_MEMORY }, { 0 },
};

static const struct manifest_property disk_properties[] = {
	{ "bus", PROPERTY_STRING, .choices = buses,
	  FIELD(struct disk_manifest, bus) },
	{ "image", PROPERTY_FILE, FIELD(struct disk_manifest, image[0]) },
	{ "images", PROPERTY_FILES, FIELD(struct disk_manifest, image) },
	{ "source", PROPERTY_SOURCE, FIELD(struct disk_manifest, source) },
	{ "format", PROPERTY_STRING, .choices = formats,
	  FIELD(struct disk_manifest, format) },
	{ "overlay", PROPERTY_STRING, .choices = overlays,
	  FIELD(struct disk_manifest, overlay) },
	{ "iops-limit", PROPERTY_CELL, .min = 1, .max = LIMIT_MAX,
	  FIELD(struct disk_manifest, iops_limit) },
	{ "iops-burst", PROPERTY_CELL, .min = 1, .max = LIMIT_MAX,
	  FIELD(struct disk_manifest, iops_burst) },
	{ "kib-limit", PROPERTY_CELL, .min = 1, .max = LIMIT_MAX,
	  FIELD(struct disk_manifest, kib_limit) },
	{ "kib-burst", PROPERTY_CELL, .min = 1, .max = LIMIT_MAX,
	  FIELD(struct disk_manifest, kib_burst) },
	{ "mode", PROPERTY_STRING, .choices = modes,
	  FIELD(struct disk_manifest, mode) },
	{ "unit", PROPERTY_CELL, .min = 0, .max = VIRTIO_UNITS - 1,
	  FIELD(struct disk_manifest, unit) },
	{ "boot-index", PROPERTY_CELL, .min = 1, .max = MANIFEST_BOOT_INDEX_MAX,
	  FIELD(struct disk_manifest, boot_index) },
	{ "read-only", PROPERTY_FLAG, .flag = 1,
	  FIELD(struct disk_manifest, is_read_only) },
	{ "delay-us", PROPERTY_CELL, .min = 1, .max = DELAY_US_MAX,
	  FIELD(struct disk_manifest, delay_us) },
	{ "geometry", PROPERTY_CELLS, FIELD(struct disk_manifest, geometry) },
	{ "sector-size", PROPERTY_CELL, .min = 512, .max = SECTOR_4KN,
	  FIELD(struct disk_manifest, sector_size) },
	{ "queues", PROPERTY_CELL, .min = 1, .max = QUEUES_MAX,
	  FIELD(struct disk_manifest, queues) },
	{ "serial", PROPERTY_STRING, FIELD(struct disk_manifest, serial) },
	{ "model", PROPERTY_STRING, FIELD(struct disk_manifest, model) },
	{ 0 },
};

static const struct manifest_property flash_properties[] = {
	{ "image", PROPERTY_FILE, FIELD(struct disk_manifest, image[0]) },
	{ "source", PROPERTY_SOURCE, FIELD(struct disk_manifest, source) },
	{ "format", PROPERTY_STRING, .choices = formats,
	  FIELD(struct disk_manifest, format) },
	{ "size-kib", PROPERTY_CELL, .min = MODULE_FLASH_UNIT / KIB(1),
	  .max = MODULE_FLASH_MAX / KIB(1),
	  FIELD(struct disk_manifest, size_kib) },
	{ "read-only", PROPERTY_FLAG, .flag = 1,
	  FIELD(struct disk_manifest, is_read_only) },
	{ 0 },
};
/* clang-format on */

static bool unit_is_taken(const struct guest_manifest *guest, unsigned bus,
			  unsigned unit)
{
	unsigned i;

	for (i = 0; i < guest->disk_count; i++)
		if (guest->disk[i].bus == bus && guest->disk[i].unit == unit)
			return true;
	return false;
}

/* Which of two were first nobody could say. */
int manifest_check_boot_index(struct manifest_reader *reader, int node,
			      const struct guest_manifest *guest,
			      uint32_t index)
{
	bool is_taken = false;

	if (!index)
		return 0;
	if (guest->kernel[0])
		return manifest_fail(reader, node, "boot-index",
				     "is for guests without a kernel");
	for (unsigned i = 0; i < guest->disk_count; i++)
		is_taken |= guest->disk[i].boot_index == index;
	for (unsigned i = 0; i < guest->nic_count; i++)
		is_taken |= guest->nic[i].boot_index == index;
	return is_taken ? manifest_fail(reader, node, "boot-index",
					"%u is taken already", index)
			: 0;
}

bool manifest_is_numbered(const char *name, const char *kind)
{
	size_t length = strlen(kind);

	return strncmp(name, kind, length) == 0 && name[length] >= '0' &&
	       name[length] <= '9' && !name[length + 1];
}

/* Other media than the first are for drives that open. */
int manifest_check_images(struct manifest_reader *reader, int node,
			  const struct disk_manifest *disk)
{
	if (!manifest_has(reader, node, "images"))
		return 0;
	if (!disk->is_cdrom && disk->bus != MACHINE_DISK_FLOPPY)
		return manifest_fail(reader, node, "images",
				     "is for CD-ROM and floppy drives");
	if (manifest_has(reader, node, "image"))
		return manifest_fail(reader, node, "images",
				     "excludes image: give one of them");
	for (unsigned i = 0; i < MANIFEST_IMAGES_MAX && disk->image[i][0]; i++)
		for (unsigned j = 0; j < i; j++)
			if (!strcmp(disk->image[i], disk->image[j]))
				return manifest_fail(reader, node, "images",
						     "has \"%s\" twice",
						     disk->image[i]);
	return 0;
}

/* What is a source's alone, and not an image's. */
static int check_image(struct manifest_reader *reader, int node,
		       const struct disk_manifest *disk)
{
	static const char *const of_sources[] = { "format",	"overlay",
						  "iops-limit", "iops-burst",
						  "kib-limit",	"kib-burst" };

	if (!disk->image[0][0])
		return manifest_fail(reader, node, "image",
				     "is missing: give one, or a source");
	for (unsigned i = 0; i < ARRAY_SIZE(of_sources); i++)
		if (manifest_has(reader, node, of_sources[i]))
			return manifest_fail(reader, node, of_sources[i],
					     "needs a source");
	return 0;
}

static int check_source(struct manifest_reader *reader, int node,
			const struct disk_manifest *disk)
{
	if (disk->image[0][0])
		return manifest_fail(reader, node, "source",
				     "excludes an image: give one of them");
	if (manifest_has(reader, node, "mode"))
		return manifest_fail(reader, node, "mode",
				     "is for images in memory");
	if (disk->source.kind != MANIFEST_SOURCE_FILE &&
	    manifest_has(reader, node, "format"))
		return manifest_fail(reader, node, "format", "is for files");
	if (disk->is_read_only && disk->overlay)
		return manifest_fail(reader, node, "overlay",
				     "is for disks that may be written");
	if (disk->iops_burst && !disk->iops_limit)
		return manifest_fail(reader, node, "iops-burst",
				     "needs iops-limit");
	if (disk->kib_burst && !disk->kib_limit)
		return manifest_fail(reader, node, "kib-burst",
				     "needs kib-limit");
	return 0;
}

/* Who writes to a source has it alone: others would see it change. */
static int check_sharing(struct manifest_reader *reader, int node,
			 const struct disk_manifest *disk)
{
	const struct manifest *manifest = reader->manifest;

	/* The last is the guest that is being read. */
	for (unsigned i = 0; i <= manifest->guest_count; i++) {
		const struct guest_manifest *guest = &manifest->guest[i];

		for (unsigned j = 0; j < guest->disk_count; j++) {
			const struct disk_manifest *other = &guest->disk[j];

			if (!source_is_same(&disk->source, &other->source))
				continue;
			if (disk_writes_source(disk) ||
			    disk_writes_source(other))
				return manifest_fail(
					reader, node, "source",
					"is that of /guests/%s/%s, too: "
					"both must be read-only or have an "
					"overlay",
					guest->name, other->name);
		}
	}
	return 0;
}

static bool has_flash(const struct guest_manifest *guest)
{
	for (unsigned i = 0; i < guest->disk_count; i++)
		if (guest->disk[i].bus == MACHINE_DISK_FLASH)
			return true;
	return false;
}

/* How large it is an image says by itself. */
static int check_size(struct manifest_reader *reader, int node,
		      const struct disk_manifest *flash)
{
	if (!disk_has_source(flash))
		return flash->size_kib ? manifest_fail(reader, node, "size-kib",
						       "needs a source")
				       : 0;
	if (!flash->size_kib)
		return manifest_fail(reader, node, "size-kib",
				     "is missing: how much of the source the "
				     "flash memory shows");
	if (flash->size_kib % (MODULE_FLASH_UNIT / KIB(1)))
		return manifest_fail(reader, node, "size-kib",
				     "is %u, must be a multiple of 4",
				     flash->size_kib);
	return 0;
}

static int check_contents(struct manifest_reader *reader, int node,
			  const struct disk_manifest *disk)
{
	int error = disk_has_source(disk) ? check_source(reader, node, disk)
					  : check_image(reader, node, disk);

	return error ? error : check_sharing(reader, node, disk);
}

static int read_flash(struct manifest_reader *reader, int node,
		      struct guest_manifest *guest, struct disk_manifest *flash)
{
	int error = manifest_read_node(reader, node, flash_properties, flash);

	flash->bus = MACHINE_DISK_FLASH;
	if (!error)
		error = check_contents(reader, node, flash);
	if (!error)
		error = check_size(reader, node, flash);
	if (error)
		return error;
	if (has_flash(guest))
		return manifest_fail(reader, node, NULL,
				     "there is flash memory already");
	guest->disk[guest->disk_count++] = *flash;
	return 0;
}

/* Of the bus: how many, and how people call it. */
static unsigned bus_units(unsigned bus, const char **name)
{
	switch (bus) {
	case MACHINE_DISK_IDE:
		*name = "IDE";
		return IDE_UNITS;
	case MACHINE_DISK_LSI:
		*name = "LSI";
		return LSI_UNITS;
	case MACHINE_DISK_VIRTIO:
		*name = "virtio";
		return VIRTIO_UNITS;
	case MACHINE_DISK_VIRTIO_SCSI:
		*name = "virtio-scsi";
		return VIRTIO_UNITS;
	default:
		*name = "AHCI";
		return AHCI_UNITS;
	}
}

/* Where it is plugged in: where the manifest says, or the first place free. */
static int take_unit(struct manifest_reader *reader, int node,
		     const struct guest_manifest *guest,
		     struct disk_manifest *disk)
{
	const char *bus;
	unsigned units = bus_units(disk->bus, &bus), unit = 0;

	while (unit < units && unit_is_taken(guest, disk->bus, unit))
		unit++;
	if (manifest_has(reader, node, "unit"))
		unit = disk->unit;
	if (unit >= units && manifest_has(reader, node, "unit"))
		return manifest_fail(reader, node, "unit",
				     "is %u, must be 0 to %u", unit, units - 1);
	if (unit >= units)
		return manifest_fail(reader, node, NULL, "%s has but %u units",
				     bus, units);
	if (unit_is_taken(guest, disk->bus, unit))
		return manifest_fail(reader, node, "unit",
				     "%u is taken already", unit);
	disk->unit = (uint8_t)unit;
	return 0;
}

/* What ATA's words have room for. */
static int check_geometry(struct manifest_reader *reader, int node,
			  const struct disk_manifest *disk)
{
	static const struct {
		const char *what;
		uint32_t max;
	} limits[] = { { "cylinders", 16383 },
		       { "heads", 16 },
		       { "sectors", 63 } };

	if (!manifest_has(reader, node, "geometry"))
		return 0;
	if (disk->is_cdrom)
		return manifest_fail(reader, node, "geometry", "is for disks");
	for (unsigned i = 0; i < ARRAY_SIZE(limits); i++)
		if (disk->geometry[i] < 1 || disk->geometry[i] > limits[i].max)
			return manifest_fail(reader, node, "geometry",
					     "has %u %s, must be 1 to %u",
					     disk->geometry[i], limits[i].what,
					     limits[i].max);
	return 0;
}

static int check_sector_size(struct manifest_reader *reader, int node,
			     const struct disk_manifest *disk)
{
	if (!disk->sector_size)
		return 0;
	if (disk->is_cdrom)
		return manifest_fail(reader, node, "sector-size",
				     "is for disks");
	if (disk->sector_size != 512 && disk->sector_size != SECTOR_4KN)
		return manifest_fail(reader, node, "sector-size",
				     "is %u, must be 512 or 4096",
				     disk->sector_size);
	if (disk->sector_size == SECTOR_4KN && disk->bus == MACHINE_DISK_IDE)
		return manifest_fail(reader, node, "sector-size",
				     "is 4096, which IDE cannot have: put the "
				     "disk on the bus \"ahci\"");
	return 0;
}

static int check_text(struct manifest_reader *reader, int node,
		      const char *property, const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return manifest_fail(reader, node, property,
					     "must be ASCII characters");
	return 0;
}

/* What the guest is told that the disk is. */
static int check_identity(struct manifest_reader *reader, int node,
			  const struct disk_manifest *disk)
{
	int error = check_geometry(reader, node, disk);

	if (!error)
		error = check_sector_size(reader, node, disk);
	if (!error)
		error = check_text(reader, node, "serial", disk->serial);
	if (!error)
		error = check_text(reader, node, "model", disk->model);
	if (!error && disk->bus != MACHINE_DISK_IDE &&
	    disk->bus != MACHINE_DISK_VIRTIO_SCSI &&
	    manifest_has(reader, node, "images"))
		error = manifest_fail(reader, node, "images",
				      "is for CD-ROM drives on the buses "
				      "\"ide\" and \"virtio-scsi\", and "
				      "floppy drives");
	return error;
}

/* What disks of SCSI have not. */
static int check_scsi(struct manifest_reader *reader, int node)
{
	static const char *const names[] = { "geometry", "sector-size" };

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (manifest_has(reader, node, names[i]))
			return manifest_fail(reader, node, names[i],
					     "is for drives on the buses "
					     "\"ide\" and \"ahci\"");
	return 0;
}

/* What its mass storage has not. */
static int check_usb(struct manifest_reader *reader, int node)
{
	static const char *const names[] = { "delay-us", "geometry",
					     "sector-size", "serial", "model" };

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (manifest_has(reader, node, names[i]))
			return manifest_fail(reader, node, names[i],
					     "is for drives on the buses "
					     "\"ide\" and \"ahci\"");
	return 0;
}

int manifest_read_disk(struct manifest_reader *reader, int node,
		       struct guest_manifest *guest)
{
	struct disk_manifest disk = { 0 };
	int error;

	error = manifest_read_name(reader, node, disk.name);
	if (error)
		return error;
	disk.is_cdrom = manifest_is_numbered(disk.name, "cdrom");
	if (guest->disk_count == MACHINE_DISKS_MAX)
		return manifest_fail(reader, node, NULL,
				     "is more than the %d that fit",
				     MACHINE_DISKS_MAX);
	if (!strcmp(disk.name, "flash0"))
		return read_flash(reader, node, guest, &disk);
	if (manifest_is_numbered(disk.name, "floppy"))
		return manifest_read_floppy(reader, node, guest, &disk);
	if (manifest_is_numbered(disk.name, "folder"))
		return manifest_read_folder(reader, node, guest, &disk);
	if (!disk.is_cdrom && !manifest_is_numbered(disk.name, "disk"))
		return manifest_fail(reader, node, NULL,
				     "no such node here: known are disk0..9, "
				     "cdrom0..9, floppy0, floppy1, flash0, "
				     "pmem0, pmem1, folder0..9, nic0..9, usb0, "
				     "fw-cfg0..9, cpu, acpi, fault");
	disk.bus = guest->default_bus;
	error = manifest_read_node(reader, node, disk_properties, &disk);
	if (error)
		return error;
	if (!disk.bus)
		return manifest_fail(reader, node, "bus", "is missing");
	disk.is_read_only |= disk.is_cdrom;
	if (disk.is_read_only && manifest_has(reader, node, "mode"))
		return manifest_fail(reader, node, "mode",
				     "is for disks that may be written");
	error = manifest_check_images(reader, node, &disk);
	if (!error)
		error = check_contents(reader, node, &disk);
	if (error)
		return error;
	if (disk.bus == MACHINE_DISK_USB) {
		error = check_usb(reader, node);
		return error ? error
			     : manifest_add_usb_disk(reader, node, guest,
						     &disk);
	}
	error = manifest_check_virtio_disk(reader, node, &disk);
	if (!error && (disk.bus == MACHINE_DISK_LSI ||
		       disk.bus == MACHINE_DISK_VIRTIO_SCSI))
		error = check_scsi(reader, node);
	if (!error)
		error = check_identity(reader, node, &disk);
	return error ? error : manifest_add_disk(reader, node, guest, &disk);
}

int manifest_add_disk(struct manifest_reader *reader, int node,
		      struct guest_manifest *guest, struct disk_manifest *disk)
{
	int error = take_unit(reader, node, guest, disk);

	if (!error)
		error = manifest_check_boot_index(reader, node, guest,
						  disk->boot_index);
	if (error)
		return error;
	guest->disk[guest->disk_count++] = *disk;
	return 0;
}
