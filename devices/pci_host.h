/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PCI host bridge without registers of its own: function 0.0, a header, and
 * the wires that INTx pins lead to.
 *
 * Pin p (0 is INTA) of slot s is on wire (s + p + 3) mod 4, as on a PC, so that
 * neighbours do not share one.  A wire is high while any pin on it is.
 *
 * References: PCI Local Bus Specification 3.0, 2.2.6; the PCI ID repository
 * (1b36:0008).
 */
#ifndef BULKHEAD_DEVICES_PCI_HOST_H
#define BULKHEAD_DEVICES_PCI_HOST_H

#include "devices/pci.h"

#define PCI_HOST_WIRES 4

struct pci_host_state {
	struct pci_device_state pci;
};

struct pci_host {
	struct device device;
	struct pci_host_state state;
	struct pci_device pci;
	struct irq_line out;		   /* pin + wire */
	uint16_t asserted[PCI_HOST_WIRES]; /* how many pins are */
};

extern const struct device_ops pci_host_ops;

/* Becomes bus->intx_set.  out: the first of PCI_HOST_WIRES pins. */
int __must_check pci_host_init(struct pci_host *host, struct pci_bus *bus,
			       struct irq_line out);

#endif
