/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's USB: a controller, what is plugged in where, and which events of
 * the user its devices take.
 *
 * Disks have the first ports, so that firmware that knows no hubs finds them.
 * Where a controller has too few ports its last one has a hub with the rest.
 *
 * A keyboard or mouse is a driver's once it is configured and has been left in
 * its report protocol.  In the boot protocol it is a BIOS's, which has the PS/2
 * devices as well, and software that it starts may know nothing else: then
 * these have the events, unless nobody reads what is in them.
 */
#include "machine/pc_parts.h"

#include "include/errno.h"
#include "lib/printf.h"

#define UHCI_DEVFN PCI_DEVFN(1, 2)
#define XHCI_DEVFN PCI_DEVFN(6, 0)

#define DEVICES_AT_USB (MACHINE_USB_DISKS_MAX + 3)

/* ---- What is there ------------------------------------------------------ */

static bool has(const struct pc *pc, uint32_t device)
{
	return pc->usb.controller && pc->config->usb_devices & device;
}

static int disks_init(struct pc *pc, const struct board_config *config)
{
	struct pc_usb *usb = &pc->usb;

	for (unsigned i = 0; i < pc->config->disk_count; i++) {
		const struct machine_disk_config *disk = &pc->config->disk[i];

		if (disk->bus != MACHINE_DISK_USB)
			continue;
		if (usb->disk_count == MACHINE_USB_DISKS_MAX ||
		    disk->unit != usb->disk_count ||
		    pc->config->usb == MACHINE_USB_NONE)
			return -EINVAL;
		usb_storage_init(&usb->disk[usb->disk_count], config->disks[i],
				 config->clock, usb->disk_count + 1);
		usb->disk_count++;
	}
	return 0;
}

/* In the order of their ports; how many there are. */
static unsigned plugs(struct pc *pc, struct clock *clock,
		      struct usb_device *to[DEVICES_AT_USB])
{
	struct pc_usb *usb = &pc->usb;
	const struct {
		uint32_t device;
		enum usb_hid_kind kind;
		struct usb_hid *hid;
	} hids[] = {
		{ MACHINE_USB_KEYBOARD, USB_HID_KEYBOARD, &usb->keyboard },
		{ MACHINE_USB_MOUSE, USB_HID_MOUSE, &usb->mouse },
		{ MACHINE_USB_TABLET, USB_HID_TABLET, &usb->tablet },
	};
	unsigned count = 0;

	for (unsigned i = 0; i < usb->disk_count; i++)
		to[count++] = &usb->disk[i].usb;
	for (unsigned i = 0; i < ARRAY_SIZE(hids); i++) {
		if (!(pc->config->usb_devices & hids[i].device))
			continue;
		usb_hid_init(hids[i].hid, hids[i].kind, clock);
		to[count++] = &hids[i].hid->usb;
	}
	usb->tablet.usb.configured = pc_pointer_changed;
	usb->tablet.usb.configured_ctx = pc;
	return count;
}

/* ports of the controller's; the last one has a hub, if they are too few. */
static void plug(struct pc *pc, struct usb_device **port, unsigned ports,
		 struct usb_device **dev, unsigned count)
{
	struct pc_usb *usb = &pc->usb;
	unsigned direct = count > ports ? ports - 1 : count;

	for (unsigned i = 0; i < direct; i++)
		port[i] = dev[i];
	if (direct == count)
		return;
	usb->has_hub = true;
	usb_hub_init(&usb->hub);
	port[ports - 1] = &usb->hub.usb;
	for (unsigned i = direct; i < count; i++)
		usb_hub_plug(&usb->hub, i - direct, dev[i]);
}

static int uhci_build(struct pc *pc, struct clock *clock,
		      struct usb_device **dev, unsigned count)
{
	struct uhci_config config = {
		.pci = &pc->pci,
		.devfn = UHCI_DEVFN,
		.ram = &pc->ram,
		.clock = clock,
	};

	plug(pc, config.port, UHCI_PORTS, dev, count);
	pc->usb.controller = &pc->usb.uhci.device;
	return uhci_init(&pc->usb.uhci, &config);
}

static int xhci_build(struct pc *pc, struct clock *clock,
		      struct usb_device **dev, unsigned count)
{
	struct xhci_config config = {
		.pci = &pc->pci,
		.devfn = XHCI_DEVFN,
		.ram = &pc->ram,
		.clock = clock,
	};

	plug(pc, config.port, XHCI_USB2, dev, count);
	pc->usb.controller = &pc->usb.xhci.device;
	return xhci_init(&pc->usb.xhci, &config);
}

int pc_usb_init(struct pc *pc, const struct board_config *config)
{
	struct usb_device *dev[DEVICES_AT_USB];
	int error = disks_init(pc, config);

	if (error)
		return error;
	switch (pc->config->usb) {
	case MACHINE_USB_NONE:
		return 0;
	case MACHINE_USB_UHCI:
		return uhci_build(pc, config->clock, dev,
				  plugs(pc, config->clock, dev));
	case MACHINE_USB_XHCI:
		return xhci_build(pc, config->clock, dev,
				  plugs(pc, config->clock, dev));
	}
	return -EINVAL;
}

int pc_usb_devices_add(struct pc *pc)
{
	struct pc_usb *usb = &pc->usb;
	struct device *const devices[] = {
		usb->controller,
		usb->has_hub ? &usb->hub.usb.device : NULL,
		has(pc, MACHINE_USB_KEYBOARD) ? &usb->keyboard.usb.device
					      : NULL,
		has(pc, MACHINE_USB_MOUSE) ? &usb->mouse.usb.device : NULL,
		has(pc, MACHINE_USB_TABLET) ? &usb->tablet.usb.device : NULL,
	};
	int error = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(devices) && !error; i++)
		if (devices[i])
			error = device_list_add(&pc->devices, devices[i]);
	for (unsigned i = 0; i < usb->disk_count && !error; i++)
		error = device_list_add(&pc->devices, &usb->disk[i].usb.device);
	return error;
}

/* The controller, as Open Firmware calls it. */
static const char *controller_name(const struct pc *pc)
{
	_Static_assert(UHCI_DEVFN == 0x0a && XHCI_DEVFN == 0x30, "as below");
	return pc->config->usb == MACHINE_USB_UHCI ? "usb@1,2" : "usb@6";
}

/* Ports count from 1. */
size_t pc_usb_path(const struct pc *pc, char *to, size_t size, unsigned unit)
{
	const struct usb_hub *hub = &pc->usb.hub;
	const struct usb_device *dev = &pc->usb.disk[unit].usb;
	char at[24] = "";
	unsigned port = unit;

	for (unsigned i = 0; pc->usb.has_hub && i < USB_HUB_PORTS; i++) {
		if (hub->port[i] != dev)
			continue;
		(void)snprintf(at, sizeof(at), "/hub@%x", UHCI_PORTS);
		port = i;
	}
	return (size_t)snprintf(to, size,
				"/pci@i0cf8/%s%s/storage@%x/channel@0/disk@0,0",
				controller_name(pc), at, port + 1);
}

/* ---- The user's events -------------------------------------------------- */

/* As this file's head says. */
static bool takes(const struct pc *pc, uint32_t device,
		  const struct usb_hid *hid)
{
	if (!has(pc, device) || !usb_is_configured(&hid->usb))
		return false;
	return usb_hid_is_driven(hid) || i8042_unread(&pc->i8042);
}

bool pc_usb_key(struct pc *pc, const struct input_event *event)
{
	struct pc_usb *usb = &pc->usb;
	uint64_t *keys, bit;

	if (event->code >= 8 * sizeof(usb->keys))
		return false;
	keys = &usb->keys[event->code / 64];
	bit = BIT(event->code % 64);
	if (event->value == 2) /* a USB host repeats by itself */
		return *keys & bit;
	if (event->value ? !takes(pc, MACHINE_USB_KEYBOARD, &usb->keyboard)
			 : !(*keys & bit))
		return false;
	*keys = event->value ? *keys | bit : *keys & ~bit;
	return usb_hid_key(&usb->keyboard, event->code, event->value);
}

bool pc_usb_has_tablet(const struct pc *pc)
{
	return has(pc, MACHINE_USB_TABLET) &&
	       usb_is_configured(&pc->usb.tablet.usb);
}

/* Buttons have the same bits. */
bool pc_usb_move(struct pc *pc)
{
	struct pc_pointer *pointer = &pc->pointer;
	bool is_mouse_driven = takes(pc, MACHINE_USB_MOUSE, &pc->usb.mouse);

	if (pc_usb_has_tablet(pc) &&
	    (pointer->is_placed ||
	     (!is_mouse_driven && !pointer->dx && !pointer->dy))) {
		usb_hid_place(&pc->usb.tablet, pointer->x, pointer->y,
			      -pointer->dz, pointer->buttons);
		return true;
	}
	if (!is_mouse_driven)
		return false;
	usb_hid_move(&pc->usb.mouse, pointer->dx, -pointer->dy, -pointer->dz,
		     pointer->buttons);
	return true;
}
