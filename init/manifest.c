/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a manifest, a flattened device tree, by a schema: every node has a
 * table of the properties it may have, with type and bounds, by which
 * manifest_values.c reads it.
 *
 * Pure code: init, the tool's checker and the unit tests share it.
 *
 * References: Devicetree Specification 0.4; docs/manifest.md.
 */
#include "include/manifest.h"

#include <libfdt.h>

#include "include/errno.h"
#include "include/log.h"
#include "include/seat.h"
#include "init/manifest_values.h"
#include "init/source.h"
#include "lib/printf.h"
#include "lib/string.h"

#define COMPATIBLE     "bulkhead,host-v1"
#define IDE_UNITS      4
#define MEMORY_MIB_MIN 2
#define MEMORY_MIB_MAX 1048576
#define LIMIT_MAX      1000000000 /* a second */

/* clang-format off */
static const struct choice log_levels[] = {
	{ "error", LOG_ERROR }, { "warning", LOG_WARNING },
	{ "info", LOG_INFO }, { "debug", LOG_DEBUG }, { 0 },
};

static const struct choice ends[] = {
	{ "power-off", MANIFEST_END_POWER_OFF },
	{ "isa-debug-exit", MANIFEST_END_ISA_DEBUG },
	{ "bochs", MANIFEST_END_BOCHS }, { 0 },
};

static const struct choice mitigations[] = {
	{ "auto", false }, { "off", true }, { 0 },
};

static const struct choice boards[] = {
	{ "pc", MACHINE_BOARD_PC },
	{ 0 },
};

static const struct choice restarts[] = {
	{ "never", MANIFEST_RESTART_NEVER },
	{ "on-crash", MANIFEST_RESTART_ON_CRASH },
	{ "always", MANIFEST_RESTART_ALWAYS }, { 0 },
};

static const struct choice buses[] = {
	{ "ide", MACHINE_DISK_IDE }, { 0 },
};

static const struct choice modes[] = {
	{ "copy-on-write", MANIFEST_DISK_COPY_ON_WRITE },
	{ "private", MANIFEST_DISK_PRIVATE }, { 0 },
};

static const struct choice formats[] = {
	{ "raw", MANIFEST_FORMAT_RAW }, { "qcow2", MANIFEST_FORMAT_QCOW2 },
	{ "vmdk", MANIFEST_FORMAT_VMDK }, { "vdi", MANIFEST_FORMAT_VDI }, { 0 },
};

static const struct choice overlays[] = {
	{ "memory", MANIFEST_OVERLAY_MEMORY }, { 0 },
};

static const struct property root_properties[] = {
	{ "compatible", PROPERTY_STRING, .is_required = true },
	{ "log-level", PROPERTY_STRING, .choices = log_levels,
	  FIELD(struct manifest, log_level) },
	{ "end", PROPERTY_STRING, .choices = ends,
	  FIELD(struct manifest, end) },
	{ "mitigations", PROPERTY_STRING, .choices = mitigations,
	  FIELD(struct manifest, is_mitigations_off) },
	{ 0 },
};

static const struct choice rights[] = {
	{ "watch", SEAT_RIGHT_WATCH }, { "type", SEAT_RIGHT_TYPE },
	{ "steer", SEAT_RIGHT_STEER }, { "debug", SEAT_RIGHT_DEBUG }, { 0 },
};

static const struct property control_properties[] = {
	{ "rights", PROPERTY_WORDS, .is_required = true, .choices = rights,
	  FIELD(struct manifest, control_rights) },
	{ 0 },
};

static const struct property guests_properties[] = { { 0 } };

static const struct property guest_properties[] = {
	{ "board", PROPERTY_STRING, .is_required = true, .choices = boards,
	  FIELD(struct guest_manifest, board) },
	{ "memory-mib", PROPERTY_CELL, .is_required = true,
	  .min = MEMORY_MIB_MIN, .max = MEMORY_MIB_MAX,
	  FIELD(struct guest_manifest, memory_mib) },
	{ "vcpus", PROPERTY_CELL, .min = 1, .max = GATE_MAX_VCPUS,
	  FIELD(struct guest_manifest, vcpus) },
	{ "sockets", PROPERTY_CELL, .min = 1, .max = GATE_MAX_VCPUS,
	  FIELD(struct guest_manifest, sockets) },
	{ "cores", PROPERTY_CELL, .min = 1, .max = GATE_MAX_VCPUS,
	  FIELD(struct guest_manifest, cores) },
	{ "threads", PROPERTY_CELL, .min = 1, .max = GATE_MAX_VCPUS,
	  FIELD(struct guest_manifest, threads) },
	{ "restart", PROPERTY_STRING, .choices = restarts,
	  FIELD(struct guest_manifest, restart) },
	{ "program", PROPERTY_FILE, FIELD(struct guest_manifest, program) },
	{ "firmware", PROPERTY_FILE, FIELD(struct guest_manifest, firmware) },
	{ "vga-bios", PROPERTY_FILE, FIELD(struct guest_manifest, vga_bios) },
	{ "kernel", PROPERTY_FILE, FIELD(struct guest_manifest, kernel) },
	{ "initrd", PROPERTY_FILE, FIELD(struct guest_manifest, initrd) },
	{ "cmdline", PROPERTY_STRING, FIELD(struct guest_manifest, cmdline) },
	{ "isa-debug-exit", PROPERTY_FLAG, .flag = MACHINE_DEVICE_DEBUG_EXIT,
	  FIELD(struct guest_manifest, devices) },
	{ "post-codes", PROPERTY_FLAG, .flag = MACHINE_DEVICE_POST_CODES,
	  FIELD(struct guest_manifest, devices) },
	{ "debug-console", PROPERTY_FLAG, .flag = MACHINE_DEVICE_DEBUG_CONSOLE,
	  FIELD(struct guest_manifest, devices) },
	{ "firmware-on-serial", PROPERTY_FLAG, .flag = MACHINE_DEVICE_SERCON,
	  FIELD(struct guest_manifest, devices) },
	{ "boot-through-bios", PROPERTY_FLAG, .flag = MANIFEST_BIOS_ALWAYS,
	  FIELD(struct guest_manifest, devices) },
	{ "boot-without-bios", PROPERTY_FLAG, .flag = MANIFEST_BIOS_NEVER,
	  FIELD(struct guest_manifest, devices) },
	{ "emulate-always", PROPERTY_FLAG, .flag = MANIFEST_EMULATE,
	  FIELD(struct guest_manifest, devices) },
	{ 0 },
};

static const struct property disk_properties[] = {
	{ "bus", PROPERTY_STRING, .is_required = true, .choices = buses,
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
	{ "unit", PROPERTY_CELL, .min = 0, .max = IDE_UNITS - 1,
	  FIELD(struct disk_manifest, unit) },
	{ "read-only", PROPERTY_FLAG, .flag = 1,
	  FIELD(struct disk_manifest, is_read_only) },
	{ 0 },
};
/* clang-format on */

/* "[NAME] " must not look like a time, or like a vCPU of another's: "[web.1] ".
 */
static bool name_is_plain(const char *name)
{
	for (const char *at = name; *at; at++) {
		bool is_letter = (*at >= 'a' && *at <= 'z') ||
				 (*at >= 'A' && *at <= 'Z');

		if (!is_letter && (at == name || ((*at < '0' || *at > '9') &&
						  *at != '-' && *at != '_')))
			return false;
	}
	return *name;
}

/* The node's name goes into names in logs and on the console. */
static int read_name(struct reader *reader, int node, char *to)
{
	const char *name = fdt_get_name(reader->blob, node, NULL);

	if (!name || strlen(name) >= MANIFEST_NAME_SIZE)
		return manifest_fail(reader, node, NULL,
				     "its name has more than %d characters",
				     MANIFEST_NAME_SIZE - 1);
	if (!name_is_plain(name))
		return manifest_fail(
			reader, node, NULL,
			"its name must be a letter, then letters, digits, "
			"- and _");
	memcpy(to, name, strlen(name) + 1);
	return 0;
}

static bool unit_is_taken(const struct guest_manifest *guest, unsigned unit)
{
	unsigned i;

	for (i = 0; i < guest->disk_count; i++)
		if (guest->disk[i].unit == unit)
			return true;
	return false;
}

/* disk0 to disk3, cdrom0 to cdrom3. */
static bool name_is_numbered(const char *name, const char *kind)
{
	size_t length = strlen(kind);

	return strncmp(name, kind, length) == 0 && name[length] >= '0' &&
	       name[length] <= '9' && !name[length + 1];
}

/* Other media than the first are for drives that open. */
static int check_images(struct reader *reader, int node,
			const struct disk_manifest *disk)
{
	if (!fdt_getprop(reader->blob, node, "images", NULL))
		return 0;
	if (!disk->is_cdrom)
		return manifest_fail(reader, node, "images",
				     "is for CD-ROM drives");
	if (fdt_getprop(reader->blob, node, "image", NULL))
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
static int check_image(struct reader *reader, int node,
		       const struct disk_manifest *disk)
{
	static const char *const of_sources[] = { "format",	"overlay",
						  "iops-limit", "iops-burst",
						  "kib-limit",	"kib-burst" };

	if (!disk->image[0][0])
		return manifest_fail(reader, node, "image",
				     "is missing: give one, or a source");
	for (unsigned i = 0; i < ARRAY_SIZE(of_sources); i++)
		if (fdt_getprop(reader->blob, node, of_sources[i], NULL))
			return manifest_fail(reader, node, of_sources[i],
					     "needs a source");
	return 0;
}

static int check_source(struct reader *reader, int node,
			const struct disk_manifest *disk)
{
	if (disk->image[0][0])
		return manifest_fail(reader, node, "source",
				     "excludes an image: give one of them");
	if (fdt_getprop(reader->blob, node, "mode", NULL))
		return manifest_fail(reader, node, "mode",
				     "is for images in memory");
	if (disk->source.kind != MANIFEST_SOURCE_FILE &&
	    fdt_getprop(reader->blob, node, "format", NULL))
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
static int check_sharing(struct reader *reader, int node,
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

static int read_disk(struct reader *reader, int node,
		     struct guest_manifest *guest)
{
	struct disk_manifest disk = { 0 };
	unsigned unit = 0;
	int error;

	error = read_name(reader, node, disk.name);
	if (error)
		return error;
	disk.is_cdrom = name_is_numbered(disk.name, "cdrom");
	if (!disk.is_cdrom && !name_is_numbered(disk.name, "disk"))
		return manifest_fail(
			reader, node, NULL,
			"no such node here: known are disk0..9, cdrom0..9");
	error = manifest_read_node(reader, node, disk_properties, &disk);
	if (error)
		return error;
	disk.is_read_only |= disk.is_cdrom;
	if (disk.is_read_only && fdt_getprop(reader->blob, node, "mode", NULL))
		return manifest_fail(reader, node, "mode",
				     "is for disks that may be written");
	error = check_images(reader, node, &disk);
	if (!error)
		error = disk_has_source(&disk)
				? check_source(reader, node, &disk)
				: check_image(reader, node, &disk);
	if (!error)
		error = check_sharing(reader, node, &disk);
	if (error)
		return error;
	while (unit < IDE_UNITS && unit_is_taken(guest, unit))
		unit++;
	if (fdt_getprop(reader->blob, node, "unit", NULL))
		unit = disk.unit;
	if (unit == IDE_UNITS)
		return manifest_fail(reader, node, NULL, "IDE has but %d units",
				     IDE_UNITS);
	if (unit_is_taken(guest, unit))
		return manifest_fail(reader, node, "unit",
				     "%u is taken already", unit);
	disk.unit = (uint8_t)unit;
	guest->disk[guest->disk_count++] = disk;
	return 0;
}

void manifest_firmware_default(struct guest_manifest *guest)
{
	if (!guest->firmware[0])
		memcpy(guest->firmware, MANIFEST_FIRMWARE,
		       sizeof(MANIFEST_FIRMWARE));
	if (!guest->vga_bios[0])
		memcpy(guest->vga_bios, MANIFEST_VGA_BIOS,
		       sizeof(MANIFEST_VGA_BIOS));
}

static int check_bios(struct reader *reader, int node,
		      const struct guest_manifest *guest)
{
	bool is_through = guest->devices & MANIFEST_BIOS_ALWAYS;
	bool is_without = guest->devices & MANIFEST_BIOS_NEVER;

	if ((is_through || is_without) &&
	    (!guest->kernel[0] || guest->program[0]))
		return manifest_fail(
			reader, node,
			is_through ? "boot-through-bios" : "boot-without-bios",
			"is for a kernel that the board's machine starts");
	if (is_through && is_without)
		return manifest_fail(
			reader, node, "boot-without-bios",
			"excludes boot-through-bios: give one of them");
	if (guest->kernel[0] && guest->firmware[0] && !is_through)
		return manifest_fail(reader, node, "firmware",
				     "excludes a kernel: give one of them");
	return 0;
}

/* What makes sense only together, or never together. */
static int check_guest(struct reader *reader, int node,
		       struct guest_manifest *guest)
{
	int error;

	if (guest->memory_mib % 2)
		return manifest_fail(
			reader, node, "memory-mib",
			"is %u, must be even: memory comes in 2 MiB",
			guest->memory_mib);
	if (guest->initrd[0] && !guest->kernel[0])
		return manifest_fail(reader, node, "initrd", "needs a kernel");
	if (guest->cmdline[0] && !guest->kernel[0] && !guest->program[0])
		return manifest_fail(reader, node, "cmdline",
				     "needs a kernel or a program");
	error = check_bios(reader, node, guest);
	if (error || guest->program[0])
		return error;
	if (!guest->kernel[0] || guest->devices & MANIFEST_BIOS_ALWAYS)
		manifest_firmware_default(guest);
	return 0;
}

static bool name_is_taken(const struct manifest *manifest, const char *name)
{
	for (unsigned i = 0; i < manifest->guest_count; i++)
		if (!strcmp(manifest->guest[i].name, name))
			return true;
	return false;
}

/*
 * What is not given: threads is 1, cores are 1 if nothing says otherwise, and
 * the packages are as many as the vCPUs need.
 */
static int read_topology(struct reader *reader, int node,
			 struct guest_manifest *guest)
{
	uint32_t product;

	guest->threads = MAX(guest->threads, 1U);
	if (!guest->cores)
		guest->cores = guest->sockets && guest->vcpus
				       ? MAX(guest->vcpus / guest->sockets /
						     guest->threads,
					     1U)
				       : 1;
	product = guest->cores * guest->threads;
	if (!guest->sockets)
		guest->sockets =
			guest->vcpus ? MAX(guest->vcpus / product, 1U) : 1;
	product *= guest->sockets;
	if (!guest->vcpus)
		guest->vcpus = product;
	if (product > GATE_MAX_VCPUS)
		return manifest_fail(
			reader, node, "sockets",
			"sockets * cores * threads is %u, at most %u can be",
			product, GATE_MAX_VCPUS);
	if (product != guest->vcpus)
		return manifest_fail(reader, node, "vcpus",
				     "is %u, but sockets * cores * threads is "
				     "%u * %u * %u",
				     guest->vcpus, guest->sockets, guest->cores,
				     guest->threads);
	return 0;
}

static int read_guest(struct reader *reader, int node)
{
	struct manifest *manifest = reader->manifest;
	struct guest_manifest *guest;
	int error, child;

	if (manifest->guest_count == MANIFEST_GUESTS_MAX)
		return manifest_fail(reader, node, NULL, "more than %d guests",
				     MANIFEST_GUESTS_MAX);
	guest = &manifest->guest[manifest->guest_count];
	error = read_name(reader, node, guest->name);
	if (!error && name_is_taken(manifest, guest->name))
		error = manifest_fail(reader, node, NULL,
				      "its name is taken already");
	if (!error)
		error = manifest_read_node(reader, node, guest_properties,
					   guest);
	if (!error)
		error = read_topology(reader, node, guest);
	if (!error)
		error = check_guest(reader, node, guest);
	if (error)
		return error;
	fdt_for_each_subnode (child, reader->blob, node) {
		error = read_disk(reader, child, guest);
		if (error)
			return error;
	}
	manifest->guest_count++;
	return 0;
}

static int read_control(struct reader *reader, int node)
{
	int child = fdt_first_subnode(reader->blob, node);

	if (child >= 0)
		return manifest_fail(reader, child, NULL, "no such node here");
	return manifest_read_node(reader, node, control_properties,
				  reader->manifest);
}

static int read_root(struct reader *reader)
{
	const void *blob = reader->blob;
	int node, error, guests = -1;

	error = manifest_read_node(reader, 0, root_properties,
				   reader->manifest);
	if (error)
		return error;
	if (strcmp(fdt_getprop(blob, 0, "compatible", NULL), COMPATIBLE))
		return manifest_fail(reader, 0, "compatible", "must be \"%s\"",
				     COMPATIBLE);
	fdt_for_each_subnode (node, blob, 0) {
		const char *name = fdt_get_name(blob, node, NULL);

		if (!strcmp(name, "guests"))
			guests = node;
		else if (strcmp(name, "control"))
			return manifest_fail(reader, node, NULL,
					     "no such node here");
		else if (read_control(reader, node))
			return -EINVAL;
	}
	if (guests < 0)
		return manifest_fail(reader, 0, NULL, "has no node \"guests\"");
	error = manifest_read_node(reader, guests, guests_properties, NULL);
	if (error)
		return error;
	fdt_for_each_subnode (node, blob, guests) {
		error = read_guest(reader, node);
		if (error)
			return error;
	}
	if (!reader->manifest->guest_count)
		return manifest_fail(reader, guests, NULL, "has no guest");
	return 0;
}

int manifest_parse(struct manifest *manifest, const void *blob, uint64_t length,
		   char *error, uint64_t error_size)
{
	struct reader reader = { blob, manifest, error, error_size };
	int status;

	memset(manifest, 0, sizeof(*manifest));
	manifest->log_level = LOG_INFO;
	manifest->control_rights = SEAT_RIGHTS_ALL;
	error[0] = '\0';
	status = fdt_check_full(blob, length);
	if (status) {
		(void)snprintf(error, error_size, "no device tree: %s",
			       fdt_strerror(status));
		return -EINVAL;
	}
	return read_root(&reader);
}
