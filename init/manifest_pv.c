/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the boards do not have of what a guest's node may say, and what to say
 * instead: init/manifest_reader.h.
 */
#include "init/manifest_reader.h"

#include "lib/string.h"

struct refusal {
	const char *name, *why;
};

#define NO_FIRMWARE "the board \"pv\" has no firmware: give it a kernel"
#define NO_LEGACY   "the board \"pv\" has no such device: leave it out"

/* clang-format off */
static const struct refusal properties[] = {
	{ "firmware", NO_FIRMWARE },
	{ "vga-bios", NO_FIRMWARE },
	{ "firmware-on-serial", NO_FIRMWARE },
	{ "boot", NO_FIRMWARE },
	{ "boot-menu-wait-ms", NO_FIRMWARE },
	{ "boot-through-bios", NO_FIRMWARE },
	{ "boot-without-bios",
	  "the board \"pv\" has no BIOS: a kernel starts without one always" },
	{ "os",
	  "presets are for the board \"pc\": say here what is to be different" },
	{ "acpi",
	  "the board \"pv\" is switched off by ACPI and cannot do without" },
	{ "memory-hole", "the board \"pv\" has no ISA bus: leave it out" },
	{ "post-codes", "the board \"pv\" has no port 0x80: leave it out" },
	{ "parallel0", NO_LEGACY },
	{ "vmware-backdoor", NO_LEGACY },
	{ "test-device", NO_LEGACY },
	{ "ports", "only the board \"pc\" can have ports of the host's" },
	{ 0 },
};

/* By name, whether numbered or not. */
static const struct refusal nodes[] = {
	{ "usb", NO_LEGACY },
	{ "floppy", NO_LEGACY },
	{ "flash",
	  "the board \"pv\" has no firmware whose variables would be there" },
	{ "fw-cfg",
	  "the board \"pv\" has no fw_cfg: put it into the initrd or into "
	  "cmdline" },
	{ "fault", "faults are for devices of the board \"pc\"" },
	{ 0 },
};
/* clang-format on */

static bool is_of(const char *name, const char *kind)
{
	return !strcmp(name, kind) || manifest_is_numbered(name, kind);
}

int manifest_check_node(struct manifest_reader *reader, int node,
			const char *name, const struct guest_manifest *guest)
{
	if (guest->board != MACHINE_BOARD_PV)
		return 0;
	for (const struct refusal *it = nodes; it->name; it++)
		if (is_of(name, it->name))
			return manifest_fail(reader, node, NULL, "%s", it->why);
	return 0;
}

/* Sleep states, tables of other revisions: all but the number of processors. */
static int check_acpi(struct manifest_reader *reader, int node,
		      const struct guest_manifest *guest)
{
	if (!guest->acpi.revisions && !guest->acpi.sleep)
		return 0;
	return manifest_fail(reader, node, "acpi",
			     "the board \"pv\" has the tables of ACPI 6.0 and "
			     "does not sleep: leave out tables and sleep");
}

static int check_devices(struct manifest_reader *reader, int node,
			 const struct guest_manifest *guest)
{
	for (unsigned i = 0; i < guest->disk_count; i++) {
		const struct disk_manifest *disk = &guest->disk[i];

		if (disk->bus != MACHINE_DISK_VIRTIO &&
		    disk->bus != MACHINE_DISK_VIRTIO_SCSI &&
		    disk->bus != MACHINE_DISK_PMEM)
			return manifest_fail(reader, node, disk->name,
					     "the board \"pv\" has no such "
					     "controller: say bus = "
					     "\"virtio\" or "
					     "\"virtio-scsi\"");
		if (disk->image[1][0])
			return manifest_fail(reader, node, disk->name,
					     "images: the board \"pv\" has no "
					     "trays: give one image");
	}
	for (unsigned i = 0; i < guest->nic_count; i++) {
		if (guest->nic[i].model != MACHINE_NIC_VIRTIO)
			return manifest_fail(reader, node, "nic",
					     "the board \"pv\" has no such "
					     "card: say model = \"virtio\"");
		if (guest->nic[i].boot_index)
			return manifest_fail(reader, node, "nic",
					     "boot-index: " NO_FIRMWARE);
	}
	return 0;
}

int manifest_check_pv(struct manifest_reader *reader, int node,
		      struct guest_manifest *guest)
{
	for (const struct refusal *it = properties; it->name; it++)
		if (manifest_has(reader, node, it->name))
			return manifest_fail(reader, node, it->name, "%s",
					     it->why);
	if (!guest->kernel[0] && !guest->program[0])
		return manifest_fail(reader, node, "kernel",
				     "is missing: the board \"pv\" has no "
				     "firmware that could start anything else");
	guest->devices |= MACHINE_DEVICE_KVM;
	guest->default_bus = MACHINE_DISK_VIRTIO;
	guest->default_nic = MACHINE_NIC_VIRTIO;
	return 0;
}

int manifest_check_board(struct manifest_reader *reader, int node,
			 const struct guest_manifest *guest)
{
	int error;

	if (guest->board == MACHINE_BOARD_PV) {
		error = check_acpi(reader, node, guest);
		return error ? error : check_devices(reader, node, guest);
	}
	if (guest->devices & MACHINE_DEVICE_SERIAL0)
		return manifest_fail(reader, node, "serial0",
				     "the board \"pc\" has it always: leave it "
				     "out");
	return 0;
}
