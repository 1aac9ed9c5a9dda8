/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a manifest, a flattened device tree, by a schema: every node has a
 * table of the properties it may have, with type and bounds.  What the tables
 * do not list is refused, so that a misspelt property is an error and not a
 * surprise.  The first error wins and names node, property and reason.
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
#include "init/manifest_reader.h"
#include "init/source.h"
#include "lib/printf.h"
#include "lib/string.h"

#define COMPATIBLE     "bulkhead,host-v1"
#define MEMORY_MIB_MIN 2
#define MEMORY_MIB_MAX 1048576
#define MENU_MS_MAX    65535 /* firmware reads 16 bits */
#define CELL_SIZE      4

/* clang-format off */
static const struct manifest_choice log_levels[] = {
	{ "error", LOG_ERROR }, { "warning", LOG_WARNING },
	{ "info", LOG_INFO }, { "debug", LOG_DEBUG }, { 0 },
};

static const struct manifest_choice ends[] = {
	{ "power-off", MANIFEST_END_POWER_OFF },
	{ "isa-debug-exit", MANIFEST_END_ISA_DEBUG },
	{ "bochs", MANIFEST_END_BOCHS }, { 0 },
};

static const struct manifest_choice mitigations[] = {
	{ "auto", false }, { "off", true }, { 0 },
};

/* "pc" is the latest; what those with a number are never changes. */
static const struct manifest_choice boards[] = {
	{ "pc", MACHINE_BOARD_PC }, { "pc-1", MACHINE_BOARD_PC }, { 0 },
};

static const struct manifest_choice acpis[] = {
	{ "on", 0 }, { "off", MACHINE_DEVICE_NO_ACPI }, { 0 },
};

static const struct manifest_choice holes[] = {
	{ "none", 0 }, { "15m", MACHINE_DEVICE_HOLE }, { 0 },
};

static const struct manifest_choice restarts[] = {
	{ "never", MANIFEST_RESTART_NEVER },
	{ "on-crash", MANIFEST_RESTART_ON_CRASH },
	{ "always", MANIFEST_RESTART_ALWAYS }, { 0 },
};

static const struct manifest_property root_properties[] = {
	{ "compatible", PROPERTY_STRING, .is_required = true },
	{ "log-level", PROPERTY_STRING, .choices = log_levels,
	  FIELD(struct manifest, log_level) },
	{ "end", PROPERTY_STRING, .choices = ends,
	  FIELD(struct manifest, end) },
	{ "mitigations", PROPERTY_STRING, .choices = mitigations,
	  FIELD(struct manifest, is_mitigations_off) },
	{ 0 },
};

static const struct manifest_choice rights[] = {
	{ "watch", SEAT_RIGHT_WATCH }, { "type", SEAT_RIGHT_TYPE },
	{ "steer", SEAT_RIGHT_STEER }, { "debug", SEAT_RIGHT_DEBUG }, { 0 },
};

static const struct manifest_property control_properties[] = {
	{ "rights", PROPERTY_WORDS, .is_required = true, .choices = rights,
	  FIELD(struct manifest, control_rights) },
	{ 0 },
};

static const struct manifest_property guests_properties[] = { { 0 } };

static const struct manifest_property guest_properties[] = {
	{ "board", PROPERTY_STRING, .is_required = true, .choices = boards,
	  .why = "docs/qemu-options.md", FIELD(struct guest_manifest, board) },
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
	{ "serial1", PROPERTY_FLAG, .flag = MACHINE_DEVICE_SERIAL1,
	  FIELD(struct guest_manifest, devices) },
	{ "parallel0", PROPERTY_FLAG, .flag = MACHINE_DEVICE_PARALLEL0,
	  FIELD(struct guest_manifest, devices) },
	{ "vmware-backdoor", PROPERTY_FLAG, .flag = MACHINE_DEVICE_VMWARE,
	  FIELD(struct guest_manifest, devices) },
	{ "hyperv", PROPERTY_FLAG, .flag = MACHINE_DEVICE_HYPERV,
	  FIELD(struct guest_manifest, devices) },
	{ "kvm", PROPERTY_FLAG, .flag = MACHINE_DEVICE_KVM,
	  FIELD(struct guest_manifest, devices) },
	{ "test-device", PROPERTY_FLAG, .flag = MACHINE_DEVICE_TEST,
	  FIELD(struct guest_manifest, devices) },
	{ "debug-console", PROPERTY_FLAG, .flag = MACHINE_DEVICE_DEBUG_CONSOLE,
	  FIELD(struct guest_manifest, devices) },
	{ "no-reboot", PROPERTY_FLAG, .flag = MACHINE_DEVICE_NO_REBOOT,
	  FIELD(struct guest_manifest, devices) },
	{ "start-paused", PROPERTY_FLAG, .flag = MACHINE_DEVICE_PAUSED,
	  FIELD(struct guest_manifest, devices) },
	{ "firmware-on-serial", PROPERTY_FLAG, .flag = MACHINE_DEVICE_SERCON,
	  FIELD(struct guest_manifest, devices) },
	{ "boot", PROPERTY_STRING, FIELD(struct guest_manifest, boot) },
	{ "boot-menu-wait-ms", PROPERTY_CELL, .min = 1, .max = MENU_MS_MAX,
	  FIELD(struct guest_manifest, boot_menu_ms) },
	{ "boot-through-bios", PROPERTY_FLAG, .flag = MANIFEST_BIOS_ALWAYS,
	  FIELD(struct guest_manifest, devices) },
	{ "boot-without-bios", PROPERTY_FLAG, .flag = MANIFEST_BIOS_NEVER,
	  FIELD(struct guest_manifest, devices) },
	{ "duty-percent", PROPERTY_CELL, .min = 1, .max = 100,
	  FIELD(struct guest_manifest, duty_percent) },
	{ "os", PROPERTY_STRING, FIELD(struct guest_manifest, os) },
	{ "ports", PROPERTY_PAIRS, FIELD(struct guest_manifest, ports) },
	{ "acpi", PROPERTY_STRING, .choices = acpis,
	  FIELD(struct guest_manifest, acpi_off) },
	{ "memory-hole", PROPERTY_STRING, .choices = holes,
	  FIELD(struct guest_manifest, memory_hole) },
	{ "emulate-always", PROPERTY_FLAG, .flag = MANIFEST_EMULATE,
	  FIELD(struct guest_manifest, devices) },
	{ 0 },
};

/* clang-format on */

/* "/guests/web: memory-mib: is 1, must be 2 to 1048576" */
int manifest_fail(struct manifest_reader *reader, int node,
		  const char *property, const char *format, ...)
{
	char path[96] = "?";
	va_list args;
	int used;

	(void)fdt_get_path(reader->blob, node, path, sizeof(path));
	used = snprintf(reader->error, reader->error_size, "%s: %s%s", path,
			property ? property : "", property ? ": " : "");
	if (used < 0 || (size_t)used >= reader->error_size)
		return -EINVAL;
	va_start(args, format);
	(void)vsnprintf(reader->error + used, reader->error_size - (size_t)used,
			format, args);
	va_end(args);
	return -EINVAL;
}

/* The destination's width follows the member's. */
static void store(void *object, const struct manifest_property *property,
		  uint32_t value)
{
	void *to = (char *)object + property->offset;

	memcpy(to, &value, MIN(property->size, sizeof(value)));
}

static int find_choice(struct manifest_reader *reader, int node,
		       const struct manifest_property *property,
		       const char *text, uint32_t *value)
{
	const struct manifest_choice *choice;
	char known[96] = "";
	size_t used = 0;

	for (choice = property->choices; choice->text; choice++) {
		if (strcmp(choice->text, text) == 0) {
			*value = choice->value;
			return 0;
		}
		if (used < sizeof(known))
			used += (size_t)snprintf(
				known + used, sizeof(known) - used, "%s%s",
				used ? ", " : "", choice->text);
	}
	return manifest_fail(reader, node, property->name,
			     "is \"%s\", known are: %s%s%s", text, known,
			     property->why ? "; see " : "",
			     property->why ? property->why : "");
}

static int read_string(struct manifest_reader *reader, int node,
		       const struct manifest_property *property,
		       const char *value, int length, void *object)
{
	uint32_t choice = 0;
	int error;

	if (length < 1 ||
	    memchr(value, '\0', (size_t)length) != value + length - 1)
		return manifest_fail(reader, node, property->name,
				     "must be one string");
	if (property->choices) {
		error = find_choice(reader, node, property, value, &choice);
		if (!error)
			store(object, property, choice);
		return error;
	}
	if (!property->size)
		return 0;
	if (length == 1)
		return manifest_fail(reader, node, property->name,
				     "must not be empty");
	if ((size_t)length > property->size)
		return manifest_fail(reader, node, property->name,
				     "has %d characters, at most %u fit",
				     length - 1, (unsigned)property->size - 1);
	memcpy((char *)object + property->offset, value, (size_t)length);
	return 0;
}

/*
 * Boot loaders cut folders off a module's name, end it at a space, and put
 * backslashes before what a shell would quote.
 */
static bool is_file_name(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f ||
		    strchr("/\\\"'", *text))
			return false;
	return true;
}

static int read_file(struct manifest_reader *reader, int node,
		     const struct manifest_property *property,
		     const char *value, int length, void *object)
{
	int error = read_string(reader, node, property, value, length, object);

	if (!error && !is_file_name(value))
		return manifest_fail(
			reader, node, property->name,
			"must be a file's name, without folders, spaces, "
			"quotes and backslashes");
	return error;
}

/* The array is empty so far: what is not written ends it. */
static int read_files(struct manifest_reader *reader, int node,
		      const struct manifest_property *property,
		      const char *value, int length, void *object)
{
	struct manifest_property one = { .name = property->name,
					 .offset = property->offset,
					 .size = MANIFEST_FILE_SIZE };
	size_t left = property->size / MANIFEST_FILE_SIZE;
	int error = 0;

	if (length < 1 || value[length - 1] != '\0')
		return manifest_fail(reader, node, property->name,
				     "must be a list of strings");
	for (int at = 0; !error && at < length; left--) {
		int size = (int)strlen(value + at) + 1;

		if (!left)
			return manifest_fail(reader, node, property->name,
					     "has more than %u files",
					     (unsigned)(property->size /
							MANIFEST_FILE_SIZE));
		error = read_file(reader, node, &one, value + at, size, object);
		one.offset += one.size;
		at += size;
	}
	return error;
}

static int read_source(struct manifest_reader *reader, int node,
		       const struct manifest_property *property,
		       const char *value, int length, void *object)
{
	const struct manifest_property whole = { .name = property->name,
						 .size = MANIFEST_SOURCE_SIZE };
	char text[MANIFEST_SOURCE_SIZE];
	const char *why;
	int error = read_string(reader, node, &whole, value, length, text);

	if (error)
		return error;
	why = source_parse((void *)((char *)object + property->offset), text);
	return why ? manifest_fail(reader, node, property->name, "%s", why) : 0;
}

static int read_cell(struct manifest_reader *reader, int node,
		     const struct manifest_property *property,
		     const void *value, int length, void *object)
{
	fdt32_t cell;
	uint32_t number;

	if (length != CELL_SIZE)
		return manifest_fail(reader, node, property->name,
				     "must be one number, as in <1>");
	memcpy(&cell, value, sizeof(cell));
	number = fdt32_to_cpu(cell);
	if (number < property->min || number > property->max)
		return manifest_fail(reader, node, property->name,
				     "is %u, must be %u to %u", number,
				     property->min, property->max);
	store(object, property, number);
	return 0;
}

static int read_cells(struct manifest_reader *reader, int node,
		      const struct manifest_property *property,
		      const void *value, int length, void *object)
{
	uint32_t *to = (void *)((char *)object + property->offset);
	const fdt32_t *cells = value;

	if ((size_t)length != property->size)
		return manifest_fail(reader, node, property->name,
				     "must be %u numbers",
				     (unsigned)(property->size / CELL_SIZE));
	for (size_t i = 0; i < property->size / CELL_SIZE; i++)
		to[i] = fdt32_ld(&cells[i]);
	return 0;
}

static int read_pairs(struct manifest_reader *reader, int node,
		      const struct manifest_property *property,
		      const void *value, int length, void *object)
{
	const size_t pair = 2 * (size_t)CELL_SIZE;
	uint32_t *to = (void *)((char *)object + property->offset);
	const fdt32_t *cells = value;

	if (!length || (size_t)length % pair)
		return manifest_fail(reader, node, property->name,
				     "must be pairs of numbers");
	if ((size_t)length > property->size)
		return manifest_fail(reader, node, property->name,
				     "has %u pairs, at most %u fit",
				     (unsigned)((size_t)length / pair),
				     (unsigned)(property->size / pair));
	for (size_t i = 0; i < (size_t)length / CELL_SIZE; i++)
		to[i] = fdt32_ld(&cells[i]);
	return 0;
}

static int read_flag(struct manifest_reader *reader, int node,
		     const struct manifest_property *property, int length,
		     void *object)
{
	uint32_t word = 0;

	if (length)
		return manifest_fail(reader, node, property->name,
				     "is a flag and takes no value");
	memcpy(&word, (char *)object + property->offset, property->size);
	store(object, property, word | property->flag);
	return 0;
}

/* None at all is a list, too. */
static int read_words(struct manifest_reader *reader, int node,
		      const struct manifest_property *property,
		      const char *value, int length, void *object)
{
	uint32_t word = 0, bit = 0;
	int at = 0, error;

	if (length && value[length - 1] != '\0')
		return manifest_fail(reader, node, property->name,
				     "must be a list of strings");
	while (at < length) {
		error = find_choice(reader, node, property, value + at, &bit);
		if (error)
			return error;
		word |= bit;
		at += (int)strlen(value + at) + 1;
	}
	store(object, property, word);
	return 0;
}

static int read_texts(struct manifest_reader *reader, int node,
		      const struct manifest_property *property,
		      const char *value, int length, void *object)
{
	if (length < 1 || value[length - 1] != '\0')
		return manifest_fail(reader, node, property->name,
				     "must be a list of strings");
	for (int at = 0; at < length; at += (int)strlen(value + at) + 1)
		if (!value[at])
			return manifest_fail(reader, node, property->name,
					     "must not have an empty string");
	if ((size_t)length >= property->size)
		return manifest_fail(reader, node, property->name,
				     "has %d characters, at most %u fit",
				     length, (unsigned)property->size - 1);
	memcpy((char *)object + property->offset, value, (size_t)length);
	return 0;
}

static int read_property(struct manifest_reader *reader, int node,
			 const struct manifest_property *property,
			 const void *value, int length, void *object)
{
	switch (property->type) {
	case PROPERTY_STRING:
		return read_string(reader, node, property, value, length,
				   object);
	case PROPERTY_CELL:
		return read_cell(reader, node, property, value, length, object);
	case PROPERTY_CELLS:
		return read_cells(reader, node, property, value, length,
				  object);
	case PROPERTY_PAIRS:
		return read_pairs(reader, node, property, value, length,
				  object);
	case PROPERTY_FILE:
		return read_file(reader, node, property, value, length, object);
	case PROPERTY_FILES:
		return read_files(reader, node, property, value, length,
				  object);
	case PROPERTY_SOURCE:
		return read_source(reader, node, property, value, length,
				   object);
	case PROPERTY_TEXTS:
		return read_texts(reader, node, property, value, length,
				  object);
	case PROPERTY_WORDS:
		return read_words(reader, node, property, value, length,
				  object);
	case PROPERTY_FLAG:
		return read_flag(reader, node, property, length, object);
	}
	return -EINVAL;
}

static const struct manifest_property *
property_find(const struct manifest_property *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

/* Reads all properties of a node, and finds the missing and the unknown. */
int manifest_read_node(struct manifest_reader *reader, int node,
		       const struct manifest_property *table, void *object)
{
	const struct manifest_property *property;
	const char *name;
	const void *value;
	int at, length, error;

	fdt_for_each_property_offset(at, reader->blob, node)
	{
		value = fdt_getprop_by_offset(reader->blob, at, &name, &length);
		if (!value)
			return manifest_fail(reader, node, NULL,
					     "cannot be read");
		property = property_find(table, name);
		if (!property)
			return manifest_fail(reader, node, name,
					     "no such property here");
		error = read_property(reader, node, property, value, length,
				      object);
		if (error)
			return error;
	}
	for (property = table; property->name; property++)
		if (property->is_required &&
		    !fdt_getprop(reader->blob, node, property->name, NULL))
			return manifest_fail(reader, node, property->name,
					     "is missing");
	return 0;
}

bool manifest_has(const struct manifest_reader *reader, int node,
		  const char *property)
{
	return fdt_getprop(reader->blob, node, property, NULL);
}

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
int manifest_read_name(struct manifest_reader *reader, int node, char *to)
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

void manifest_firmware_default(struct guest_manifest *guest)
{
	if (!guest->firmware[0])
		memcpy(guest->firmware, MANIFEST_FIRMWARE,
		       sizeof(MANIFEST_FIRMWARE));
	if (!guest->vga_bios[0])
		memcpy(guest->vga_bios, MANIFEST_VGA_BIOS,
		       sizeof(MANIFEST_VGA_BIOS));
}

static int check_bios(struct manifest_reader *reader, int node,
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
static int check_guest(struct manifest_reader *reader, int node,
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
static int read_topology(struct manifest_reader *reader, int node,
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

static int read_leaf(struct manifest_reader *reader, int node,
		     struct guest_manifest *guest,
		     int (*read)(struct manifest_reader *reader, int node,
				 struct guest_manifest *guest))
{
	int child = fdt_first_subnode(reader->blob, node);

	if (child >= 0)
		return manifest_fail(reader, child, NULL, "no such node here");
	return read(reader, node, guest);
}

static int read_child(struct manifest_reader *reader, int node,
		      struct guest_manifest *guest)
{
	const char *name = fdt_get_name(reader->blob, node, NULL);

	if (name && !strcmp(name, "cpu"))
		return manifest_read_cpu(reader, node, guest);
	if (name && !strcmp(name, "acpi"))
		return read_leaf(reader, node, guest, manifest_read_acpi);
	if (name && manifest_is_numbered(name, "nic"))
		return manifest_read_nic(reader, node, guest);
	if (name && !strcmp(name, "usb0"))
		return manifest_read_usb(reader, node, guest);
	return name && manifest_is_numbered(name, "fw-cfg")
		       ? manifest_read_item(reader, node, guest)
		       : manifest_read_disk(reader, node, guest);
}

static bool is_fault(const struct manifest_reader *reader, int node)
{
	const char *name = fdt_get_name(reader->blob, node, NULL);

	return name && !strcmp(name, "fault");
}

static int read_guest(struct manifest_reader *reader, int node)
{
	struct manifest *manifest = reader->manifest;
	struct guest_manifest *guest;
	int error, child, fault = -1;

	if (manifest->guest_count == MANIFEST_GUESTS_MAX)
		return manifest_fail(reader, node, NULL, "more than %d guests",
				     MANIFEST_GUESTS_MAX);
	guest = &manifest->guest[manifest->guest_count];
	error = manifest_read_name(reader, node, guest->name);
	if (!error && name_is_taken(manifest, guest->name))
		error = manifest_fail(reader, node, NULL,
				      "its name is taken already");
	if (!error)
		error = manifest_read_node(reader, node, guest_properties,
					   guest);
	if (!error)
		error = manifest_apply_os(reader, node, guest);
	if (!error)
		error = read_topology(reader, node, guest);
	if (!error)
		error = check_guest(reader, node, guest);
	if (error)
		return error;
	fdt_for_each_subnode (child, reader->blob, node) {
		if (is_fault(reader, child))
			fault = child;
		else
			error = read_child(reader, child, guest);
		if (error)
			return error;
	}
	error = manifest_check_usb(reader, node, guest);
	if (!error)
		error = manifest_check_ports(reader, node, guest);
	if (!error)
		error = manifest_read_boot(reader, node, guest);
	if (!error && fault >= 0)
		error = read_leaf(reader, fault, guest, manifest_read_fault);
	manifest->guest_count += !error;
	return error;
}

static int read_control(struct manifest_reader *reader, int node)
{
	int child = fdt_first_subnode(reader->blob, node);

	if (child >= 0)
		return manifest_fail(reader, child, NULL, "no such node here");
	return manifest_read_node(reader, node, control_properties,
				  reader->manifest);
}

static int read_root(struct manifest_reader *reader)
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
	struct manifest_reader reader = { blob, manifest, error, error_size };
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
