/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PIIX3's USB host controller: UHCI with two ports.
 *
 * Models: all registers; frames of the length that SOF modify says; queues and
 * transfer descriptors, depth and breadth first, short packets, errors and
 * their counts, interrupts on completion, also those of descriptors that are
 * not active; port resets, suspend, resume from either side; global suspend;
 * the legacy support register, whose bit for the interrupt counts.
 *
 * Does not model: isochronous transfers beyond what a device answers; bandwidth
 * and the place of a packet in its frame; traps of ports 60h and 64h, as there
 * is no system management mode; software debug.
 *
 * Work is bounded: a frame ends with FRAME_VISITS descriptors and queues,
 * FRAME_PACKETS packets, or a turn around a loop in which nothing has moved.
 * When for some time all was NAKed only every IDLE_FRAMES-th frame is looked
 * at, until a device has something or a register is written: what a driver adds
 * to its schedule meanwhile waits for so long.
 *
 * References: Intel, Universal Host Controller Interface Design Guide 1.1;
 * 82371SB (PIIX3) data sheet (290550-002), "USB Host Controller Registers".
 */
#ifndef BULKHEAD_DEVICES_UHCI_H
#define BULKHEAD_DEVICES_UHCI_H

#include "devices/pci.h"
#include "devices/usb.h"

#define UHCI_PORTS 2

struct uhci_state {
	struct pci_device_state pci;
	uint16_t command, status, enable;
	uint16_t causes; /* of USBINT: UHCI_CAUSE_* */
	uint16_t port[UHCI_PORTS];
	uint16_t frame; /* FRNUM, as of frame_ns */
	uint8_t sof;
	uint8_t reserved[1];
	uint32_t list;	    /* FLBASEADD */
	uint64_t frame_ns;  /* when that frame began */
	uint64_t active_ns; /* when something last moved */
	uint64_t timer_ns;
};

struct uhci_config {
	struct pci_bus *pci;
	uint8_t devfn;
	struct guest_ram *ram;
	struct clock *clock;
	struct usb_device *port[UHCI_PORTS]; /* NULL: nothing is plugged in */
};

struct uhci {
	struct device device;
	struct uhci_config config;
	struct pci_device pci;
	struct clock_timer timer;
	struct uhci_state state;
	uint64_t frames; /* that were looked at */
};

extern const struct device_ops uhci_ops;

/* As pci_device_add() and pci_bar_add(). */
int __must_check uhci_init(struct uhci *uhci, const struct uhci_config *config);
void uhci_reset(struct uhci *uhci);

#endif
