/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PCI function as its driver reaches it, through what the driver's owner
 * gives: a service by what it was granted, a test by a model.
 */
#ifndef BULKHEAD_DRIVERS_PCI_ACCESS_H
#define BULKHEAD_DRIVERS_PCI_ACCESS_H

#include "include/compiler.h"

#define PCI_BARS 6

/* Of memory, mapped uncached; BARs of ports are not mapped.  Nor are the pages
 * of one that hold the MSI-X table or its pending bits, if there are vectors:
 * an access there is a fault. */
struct pci_bar {
	void *va;
	uint64_t size;
};

struct pci_ops {
	/* Offset below 256, aligned to size, which is 1, 2 or 4. */
	uint32_t (*config_read)(void *ctx, unsigned offset, unsigned size);
	/* May be refused: what counts is what is read back. */
	void (*config_write)(void *ctx, unsigned offset, unsigned size,
			     uint32_t value);
	/* The same answer each time.  -ENODEV: no memory there. */
	int (*bar_map)(void *ctx, unsigned bar, struct pci_bar *mapped);
	/* Registers in a BAR that was mapped: aligned to size, 1, 2 or 4. */
	uint32_t (*mmio_read)(void *ctx, const void *at, unsigned size);
	void (*mmio_write)(void *ctx, void *at, unsigned size, uint32_t value);
	/* Since any time, never backwards. */
	uint64_t (*now_ns)(void *ctx);
	/* Lets others have the processor for a moment: the driver is waiting.
	 */
	void (*relax)(void *ctx);
};

struct pci_access {
	const struct pci_ops *ops;
	void *ctx;
	/*
	 * MSI-X: how many vectors, numbered from 0, have been set up and
	 * enabled by who granted the device.  0: it has INTx.
	 */
	uint16_t vector_count;
};

#endif
