/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI functions on simulated CPUs: kernel/pci.h on a model of what vm/device.c
 * does to them.  The run fails where a function is not treated as it must be.
 */
#ifndef BULKHEAD_FAKE_PCI_H
#define BULKHEAD_FAKE_PCI_H

#include "kernel/pci.h"

/* The largest table. */
#define FAKE_PCI_VECTORS 2048

struct fake_pci {
	uint32_t command;
	bool is_msix_on;
	bool is_masked[FAKE_PCI_VECTORS];
	uint8_t vector[GATE_DEVICE_VECTORS];
	bool has_come[GATE_DEVICE_VECTORS]; /* while it was masked */
	bool is_asserted;		    /* INTx */
	unsigned resets;
	uint64_t reset_end_tsc; /* until then it is left alone */
	bool is_lost;		/* it does not come back from a reset */
};

extern struct fake_pci fake_pci[PCI_FUNCTIONS_MAX];

/* Adds a function to the host: with MSI-X if it has vectors, else with INTx. */
struct pci_function *fake_pci_add(uint16_t address, unsigned vectors,
				  uint8_t line, bool has_flr);

/* The device does so now, if it can: on the simulated CPU that runs. */
void fake_pci_send(unsigned function, unsigned vector);

#endif
