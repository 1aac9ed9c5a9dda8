/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a guest's USB controller and the disks at it: init/manifest_reader.h.
 */
#include "init/manifest_reader.h"

#include "include/errno.h"

/* clang-format off */
static const struct manifest_choice controllers[] = {
	{ "uhci", MACHINE_USB_UHCI }, { "xhci", MACHINE_USB_XHCI }, { 0 },
};

static const struct manifest_property usb_properties[] = {
	{ "controller", PROPERTY_STRING, .is_required = true,
	  .choices = controllers, FIELD(struct usb_manifest, controller) },
	{ "keyboard", PROPERTY_FLAG, .flag = MACHINE_USB_KEYBOARD,
	  FIELD(struct usb_manifest, devices) },
	{ "mouse", PROPERTY_FLAG, .flag = MACHINE_USB_MOUSE,
	  FIELD(struct usb_manifest, devices) },
	{ "tablet", PROPERTY_FLAG, .flag = MACHINE_USB_TABLET,
	  FIELD(struct usb_manifest, devices) },
	{ 0 },
};
/* clang-format on */

int manifest_read_usb(struct manifest_reader *reader, int node,
		      struct guest_manifest *guest)
{
	return manifest_read_node(reader, node, usb_properties, &guest->usb);
}

int manifest_add_usb_disk(struct manifest_reader *reader, int node,
			  struct guest_manifest *guest,
			  struct disk_manifest *disk)
{
	unsigned unit = 0;
	int error;

	if (disk->is_cdrom)
		return manifest_fail(reader, node, "bus",
				     "is \"usb\", which is for disks: a CD-ROM "
				     "drive's is \"ide\"");
	if (manifest_has(reader, node, "unit"))
		return manifest_fail(reader, node, "unit",
				     "is for IDE: USB's disks are numbered as "
				     "they come");
	for (unsigned i = 0; i < guest->disk_count; i++)
		unit += guest->disk[i].bus == MACHINE_DISK_USB;
	if (unit == MACHINE_USB_DISKS_MAX)
		return manifest_fail(reader, node, NULL,
				     "is one of more than the %d that fit at "
				     "USB",
				     MACHINE_USB_DISKS_MAX);
	error = manifest_check_boot_index(reader, node, guest,
					  disk->boot_index);
	if (error)
		return error;
	disk->unit = (uint8_t)unit;
	guest->disk[guest->disk_count++] = *disk;
	return 0;
}

int manifest_check_usb(struct manifest_reader *reader, int node,
		       const struct guest_manifest *guest)
{
	for (unsigned i = 0; i < guest->disk_count; i++)
		if (guest->disk[i].bus == MACHINE_DISK_USB &&
		    guest->usb.controller == MACHINE_USB_NONE)
			return manifest_fail(
				reader, node, guest->disk[i].name,
				"its bus \"usb\" needs a controller: give the "
				"guest a node usb0");
	return 0;
}
