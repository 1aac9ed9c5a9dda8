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
#include "init/policy.h"
#include "init/source.h"
#include "lib/printf.h"
#include "lib/string.h"

#define COMPATIBLE     "bulkhead,host-v1"
#define MEMORY_MIB_MIN 2
/* Of the 512 GiB that the monitor keeps account of in a page of 2 MiB, 1 GiB is
 * for video memory and ROMs. */
#define MEMORY_MIB_MAX 523264
#define MENU_MS_MAX    65535 /* firmware reads 16 bits */
#define ORDER_MS_MAX   3600000
#define SHUTDOWN_MS    30000 /* unless the manifest says */

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
	{ "pc", MACHINE_BOARD_PC }, { "pc-1", MACHINE_BOARD_PC },
	{ "pv", MACHINE_BOARD_PV }, { 0 },
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
	{ "overcommit-percent", PROPERTY_CELL, .min = 100, .max = 1000,
	  FIELD(struct manifest, overcommit_percent) },
	{ "mitigations", PROPERTY_STRING, .choices = mitigations,
	  FIELD(struct manifest, is_mitigations_off) },
	{ 0 },
};

const struct manifest_choice manifest_rights[] = {
	{ "watch", SEAT_RIGHT_WATCH }, { "type", SEAT_RIGHT_TYPE },
	{ "steer", SEAT_RIGHT_STEER }, { "debug", SEAT_RIGHT_DEBUG }, { 0 },
};

static const struct manifest_property control_properties[] = {
	{ "rights", PROPERTY_WORDS, .is_required = true, .choices = manifest_rights,
	  FIELD(struct manifest, control_rights) },
	{ 0 },
};

static const struct manifest_choice autostarts[] = {
	{ "yes", false }, { "no", true }, { 0 },
};

static const struct manifest_choice populates[] = {
	{ "start", false }, { "lazy", true }, { 0 },
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
	{ "count", PROPERTY_CELL, .min = 1, .max = MANIFEST_GUESTS_MAX,
	  FIELD(struct guest_manifest, count) },
	{ "autostart", PROPERTY_STRING, .choices = autostarts,
	  FIELD(struct guest_manifest, is_manual) },
	{ "start-after", PROPERTY_TEXTS,
	  FIELD(struct guest_manifest, start_after) },
	{ "start-delay-ms", PROPERTY_CELL, .min = 1, .max = ORDER_MS_MAX,
	  FIELD(struct guest_manifest, start_delay_ms) },
	{ "shutdown-ms", PROPERTY_CELL, .min = 0, .max = ORDER_MS_MAX,
	  FIELD(struct guest_manifest, shutdown_ms) },
	{ "label", PROPERTY_NAME, FIELD(struct guest_manifest, label) },
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
	{ "serial0", PROPERTY_FLAG, .flag = MACHINE_DEVICE_SERIAL0,
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
	{ "rng", PROPERTY_FLAG, .flag = MACHINE_DEVICE_RNG,
	  FIELD(struct guest_manifest, devices) },
	{ "balloon", PROPERTY_FLAG, .flag = MACHINE_DEVICE_BALLOON,
	  FIELD(struct guest_manifest, devices) },
	{ "populate", PROPERTY_STRING, .choices = populates,
	  FIELD(struct guest_manifest, is_lazy) },
	{ "virtio-console", PROPERTY_FLAG,
	  .flag = MACHINE_DEVICE_VIRTIO_CONSOLE,
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
	{ "weight", PROPERTY_CELL, .min = 1, .max = GATE_WEIGHT_MAX,
	  FIELD(struct guest_manifest, weight) },
	{ "cap-percent", PROPERTY_CELL, .min = 1,
	  .max = 100 * GATE_THREADS_MAX,
	  FIELD(struct guest_manifest, cap_percent) },
	{ "cpus", PROPERTY_NUMBERS, FIELD(struct guest_manifest, cpu_list) },
	{ "vcpu-cpus", PROPERTY_NUMBERS,
	  FIELD(struct guest_manifest, vcpu_cpu_list) },
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
	if (guest->board == MACHINE_BOARD_PV)
		return manifest_check_pv(reader, node, guest);
	error = check_bios(reader, node, guest);
	if (error || guest->program[0])
		return error;
	if (!guest->kernel[0] || guest->devices & MANIFEST_BIOS_ALWAYS)
		manifest_firmware_default(guest);
	return 0;
}

/* The host's is, for consoles and sockets. */
bool manifest_name_is_taken(const struct manifest *manifest, const char *name)
{
	if (!strcmp(name, POLICY_HOST))
		return true;
	for (unsigned i = 0; i < manifest->guest_count; i++)
		if (!strcmp(manifest->guest[i].name, name))
			return true;
	return false;
}

static int read_leaf(struct manifest_reader *reader, int node,
		     struct guest_manifest *guest,
		     int (*read)(struct manifest_reader *reader, int node,
				 struct guest_manifest *guest))
{
	int error = manifest_check_leaf(reader, node);

	return error ? error : read(reader, node, guest);
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
	if (name && manifest_is_numbered(name, "pmem"))
		return read_leaf(reader, node, guest, manifest_read_pmem);
	if (name && !strcmp(name, "vsock0"))
		return read_leaf(reader, node, guest, manifest_read_vsock);
	return name && manifest_is_numbered(name, "fw-cfg")
		       ? manifest_read_item(reader, node, guest)
		       : manifest_read_disk(reader, node, guest);
}

/* "fault" is put off until the disks are there. */
static int read_or_defer(struct manifest_reader *reader, int node,
			 struct guest_manifest *guest, int *fault)
{
	const char *name = fdt_get_name(reader->blob, node, NULL);

	if (!name || manifest_check_node(reader, node, name, guest))
		return -EINVAL;
	if (strcmp(name, "fault"))
		return read_child(reader, node, guest);
	*fault = node;
	return 0;
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
	memset(guest, 0, sizeof(*guest));
	guest->shutdown_ms = SHUTDOWN_MS;
	error = manifest_read_name(reader, node, guest->name);
	if (!error && manifest_name_is_taken(manifest, guest->name))
		error = manifest_fail(
			reader, node, NULL, "its name is %s already: rename it",
			strcmp(guest->name, POLICY_HOST) ? "taken"
							 : "the host's");
	if (!error)
		error = manifest_read_node(reader, node, guest_properties,
					   guest);
	if (!error)
		error = check_guest(reader, node, guest);
	if (!error)
		error = manifest_apply_os(reader, node, guest);
	if (!error)
		error = manifest_read_topology(reader, node, guest);
	if (!error)
		error = manifest_check_sched(reader, node, guest);
	if (error)
		return error;
	fdt_for_each_subnode (child, reader->blob, node) {
		error = read_or_defer(reader, child, guest, &fault);
		if (error)
			return error;
	}
	error = manifest_check_board(reader, node, guest);
	if (!error)
		error = manifest_check_usb(reader, node, guest);
	if (!error)
		error = manifest_check_ports(reader, node, guest);
	if (!error)
		error = manifest_read_boot(reader, node, guest);
	if (!error && fault >= 0)
		error = read_leaf(reader, fault, guest, manifest_read_fault);
	return error ? error : manifest_copy_guest(reader, node);
}

static int read_control(struct manifest_reader *reader, int node)
{
	int error = manifest_check_leaf(reader, node);

	return error ? error
		     : manifest_read_node(reader, node, control_properties,
					  reader->manifest);
}

static int read_root(struct manifest_reader *reader)
{
	const void *blob = reader->blob;
	int node, error, guests = -1, policy = -1;

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
		else if (!strcmp(name, "policy"))
			policy = node;
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
	error = manifest_each_child(reader, guests, read_guest);
	if (error)
		return error;
	if (!reader->manifest->guest_count)
		return manifest_fail(reader, guests, NULL, "has no guest");
	error = manifest_check_host(reader, guests);
	if (!error && policy >= 0)
		error = manifest_read_policy(reader, policy);
	return error;
}

int manifest_parse(struct manifest *manifest, const void *blob, uint64_t length,
		   char *error, uint64_t error_size)
{
	struct manifest_reader reader = { blob, manifest, error, error_size };
	int status;

	/* Each guest when its node is read: they are most of it. */
	memset(manifest, 0, offsetof(struct manifest, guest));
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
