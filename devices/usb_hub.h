/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A USB hub with seven ports, of full speed, for controllers that have fewer
 * ports than the board has devices.
 *
 * Models: hub and port requests; connection, enable, suspend and reset with
 * their changes; the status change endpoint; power of all ports at once.
 *
 * Does not model: over-current, indicators, test modes; what is plugged in
 * stays.
 *
 * References: Universal Serial Bus Specification 2.0, chapter 11.
 */
#ifndef BULKHEAD_DEVICES_USB_HUB_H
#define BULKHEAD_DEVICES_USB_HUB_H

#include "devices/usb.h"

#define USB_HUB_PORTS 7

struct usb_hub_state {
	struct usb_state usb;
	uint16_t status[USB_HUB_PORTS]; /* wPortStatus */
	uint16_t change[USB_HUB_PORTS]; /* wPortChange */
	uint8_t reserved[4];
};

struct usb_hub {
	struct usb_device usb;
	struct usb_hub_state state;
	struct usb_device *port[USB_HUB_PORTS];
};

extern const struct device_ops usb_hub_ops;

void usb_hub_init(struct usb_hub *hub);
/* Before the machine runs; port: 0 to USB_HUB_PORTS - 1. */
void usb_hub_plug(struct usb_hub *hub, unsigned port, struct usb_device *dev);

#endif
