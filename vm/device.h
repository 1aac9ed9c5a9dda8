/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI functions granted to domains: include/grant.h has what that means.
 *
 * Locking: who has a device, and what of its interrupts has come, under
 * host->irqs.lock, which interrupts take.  A grant and its end otherwise belong
 * to who makes the domain (the host's gate_lock), then to its last thread.
 */
#ifndef BULKHEAD_VM_DEVICE_H
#define BULKHEAD_VM_DEVICE_H

#include "include/acpi.h"
#include "include/grant.h"
#include "kernel/pci.h"

struct domain;

/* Of all domains at a time: each has its own vectors of the processor's. */
#define DEVICES_GRANTED_MAX 16

/* Interrupts of a line in a row that no device of a program's has sent: it is
 * masked then, until one of those programs acknowledges. */
#define DEVICE_STRAYS_MAX 16

struct device {
	const struct pci_function *function;
	struct domain *domain; /* NULL: nobody's */
	unsigned n;	       /* the domain's number for it */
	unsigned granted;      /* which of DEVICES_GRANTED_MAX */
	uint32_t pending;      /* vectors that came, masked since */
	/* DMA memory, kept for whoever has the device next; 0: none yet. */
	hpa_t dma;
	unsigned dma_order;
	uint64_t flr_tsc; /* a reset has been begun, to end then; 0: none */
};

struct device_table {
	struct device device[PCI_FUNCTIONS_MAX]; /* as host->pci.function */
	struct device *granted[DEVICES_GRANTED_MAX];
	unsigned strays[ACPI_ISA_IRQ_COUNT]; /* irqs.lock */
};

/* As GATE_DEVICE_GRANT.  Interrupts are off, and let in. */
int __must_check device_grant(struct domain *domain,
			      const struct gate_device_grant *grant);
/* All that it has, its threads gone.  Interrupts may be on. */
void devices_release(struct domain *domain);

#endif
