/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * USB keyboard, mouse and tablet: human interface devices.
 *
 * Models: the boot keyboard's report of eight bytes, which is its only one,
 * with LEDs; a mouse with wheel and five buttons, and its boot report; an
 * absolute pointer with the same, of 8000h places an axis; idle rates; both
 * protocols; remote wake-up.
 *
 * What happens between two polls is kept, in its order: keys and buttons each
 * have a report of their own, movement joins the last one.
 *
 * References: Device Class Definition for Human Interface Devices 1.11; HID
 * Usage Tables 1.12.
 */
#ifndef BULKHEAD_DEVICES_USB_HID_H
#define BULKHEAD_DEVICES_USB_HID_H

#include "devices/usb.h"

#define USB_HID_EVENTS 32
#define USB_HID_KEYS   16 /* that are down at once */

enum usb_hid_kind { USB_HID_KEYBOARD, USB_HID_MOUSE, USB_HID_TABLET };

/* Buttons as reports have them. */
#define USB_HID_LEFT   BIT(0)
#define USB_HID_RIGHT  BIT(1)
#define USB_HID_MIDDLE BIT(2)
#define USB_HID_SIDE   BIT(3)
#define USB_HID_EXTRA  BIT(4)

struct usb_hid_event {
	int32_t x, y;  /* moved, downwards; or a place */
	int32_t wheel; /* away from the user */
	uint8_t usage; /* of a key */
	bool is_down;  /* the key */
	uint8_t buttons;
	uint8_t reserved[1];
};

struct usb_hid_state {
	struct usb_state usb;
	struct usb_hid_event event[USB_HID_EVENTS];
	struct usb_hid_event last; /* what the last report has said */
	uint64_t idle_ns;	   /* when a report is due in any case */
	uint32_t head, count;	   /* of event[] */
	uint8_t key[USB_HID_KEYS]; /* usages, by when they went down */
	uint8_t key_count;
	uint8_t modifiers;
	uint8_t leds;
	bool is_boot_protocol;
	uint8_t idle; /* in 4 ms; 0: only what changes is reported */
	bool is_due;  /* because it is idle */
	uint8_t reserved[2];
};

struct usb_hid {
	struct usb_device usb;
	struct usb_hid_state state;
	enum usb_hid_kind kind;
	struct clock *clock;
	struct clock_timer timer;
};

extern const struct device_ops usb_hid_ops;

void usb_hid_init(struct usb_hid *hid, enum usb_hid_kind kind,
		  struct clock *clock);
/* A driver for it has configured it, and does not use the boot protocol, which
 * is a BIOS's. */
bool usb_hid_is_driven(const struct usb_hid *hid);
/* The keyboard's; code is include/input.h's.  False: no such key. */
bool usb_hid_key(struct usb_hid *hid, unsigned code, bool is_down);
/* The mouse's: to the right, downwards, away from the user. */
void usb_hid_move(struct usb_hid *hid, int dx, int dy, int wheel,
		  uint8_t buttons);
/* The tablet's: places of INPUT_ABSOLUTE_MAX. */
void usb_hid_place(struct usb_hid *hid, int x, int y, int wheel,
		   uint8_t buttons);

#endif
