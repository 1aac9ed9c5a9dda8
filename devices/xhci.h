/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A USB host controller of the xHCI kind, as QEMU's users know it, 1b36:000d:
 * eight ports of USB 2.0, and four of USB 3, which stay empty.
 *
 * Models: the capability, operational, runtime and doorbell registers of
 * version 1.0; the command ring with its commands for slots and endpoints; an
 * event ring of several segments; transfer rings with links, chains, event data
 * and immediate data, short packets and errors; ports with reset, suspend and
 * resume; addresses of 64 bits; one interrupter, on INTA#.
 *
 * Does not model: devices of USB 3, streams, isochronous endpoints, hubs behind
 * the ports; interrupt moderation, whose register is kept; MSI and MSI-X, for
 * which 3000h to 3fffh of the BAR are free; saving its state to memory: a
 * driver that restores it is told that that has failed, and starts anew.
 *
 * An endpoint is worked on when its doorbell rings and when its device has
 * something to say, never else: an idle controller costs nothing.  Work is
 * bounded: after XHCI_STEPS packets and commands a timer has it go on.  Without
 * room in the event ring it waits for the driver to take events.
 *
 * References: Intel, eXtensible Host Controller Interface for USB 1.0.
 */
#ifndef BULKHEAD_DEVICES_XHCI_H
#define BULKHEAD_DEVICES_XHCI_H

#include "devices/pci.h"
#include "devices/usb.h"

#define XHCI_PORTS     12
#define XHCI_USB2      8 /* the first of them */
/* As many as the ports have devices, and as these have endpoints, which are
 * counted as in their contexts: 0 is none. */
#define XHCI_SLOTS     8
#define XHCI_ENDPOINTS 8

struct xhci_endpoint {
	uint64_t dequeue; /* the TRB that is next */
	uint32_t offset;  /* bytes of it that have moved */
	uint32_t moved;	  /* bytes since the last event data */
	uint16_t packet;
	uint8_t state; /* enum xhci_endpoint_state */
	uint8_t type;  /* enum xhci_endpoint_type */
	bool cycle;
	uint8_t reserved[3];
};

struct xhci_slot {
	uint64_t context;
	uint32_t pending; /* endpoints to look at, a bit each */
	uint8_t state;	  /* enum xhci_slot_state */
	uint8_t port;	  /* from 1; 0: none yet */
	uint8_t reserved[2];
	struct xhci_endpoint endpoint[XHCI_ENDPOINTS];
};

struct xhci_state {
	struct pci_device_state pci;
	uint32_t command, status, notify, config, iman;
	uint64_t contexts;	 /* DCBAAP */
	uint64_t command_next;	 /* of the command ring */
	uint32_t imod, segments; /* IMOD, ERSTSZ */
	uint32_t segment;	 /* that is being filled */
	uint32_t event_left;	 /* in it; 0: there is no ring */
	uint64_t table, dequeue; /* ERSTBA, ERDP */
	uint64_t event;		 /* where the next one goes */
	uint32_t port[XHCI_PORTS];
	uint16_t port_events; /* ports that have changed, a bit each */
	bool command_cycle, event_cycle;
	bool is_command_running;
	bool is_command_pending; /* its doorbell has rung */
	uint8_t reserved[2];
	uint64_t started_ns; /* MFINDEX was 0 */
	uint64_t more_ns;
	struct xhci_slot slot[XHCI_SLOTS];
};

struct xhci_config {
	struct pci_bus *pci;
	uint8_t devfn;
	struct guest_ram *ram;
	struct clock *clock;
	struct usb_device *port[XHCI_USB2]; /* NULL: nothing is plugged in */
};

struct xhci {
	struct device device;
	struct xhci_config config;
	struct pci_device pci;
	struct clock_timer more;
	struct xhci_state state;
	bool is_running; /* inside of xhci_run() */
};

extern const struct device_ops xhci_ops;

/* As pci_device_add() and pci_bar_add(). */
int __must_check xhci_init(struct xhci *xhci, const struct xhci_config *config);
void xhci_reset(struct xhci *xhci);

#endif
