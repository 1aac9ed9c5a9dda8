/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drivers/pci_access.h by the gate's calls: functions that were granted to this
 * program (include/grant.h).  ctx is a struct gate_function; how its owner
 * waits is the owner's, so its relax() completes the struct pci_ops.
 */
#ifndef BULKHEAD_LIB_USER_PCI_GATE_H
#define BULKHEAD_LIB_USER_PCI_GATE_H

#include "drivers/pci_access.h"
#include "include/grant.h"

struct gate_function {
	unsigned n; /* of gate_config.device */
};

uint32_t pci_gate_config_read(void *ctx, unsigned offset, unsigned size);
void pci_gate_config_write(void *ctx, unsigned offset, unsigned size,
			   uint32_t value);
int pci_gate_bar_map(void *ctx, unsigned bar, struct pci_bar *mapped);
uint32_t pci_gate_mmio_read(void *ctx, const void *at, unsigned size);
void pci_gate_mmio_write(void *ctx, void *at, unsigned size, uint32_t value);
uint64_t pci_gate_now_ns(void *ctx);

#define PCI_GATE_OPS                                                        \
	.config_read = pci_gate_config_read,                                \
	.config_write = pci_gate_config_write, .bar_map = pci_gate_bar_map, \
	.mmio_read = pci_gate_mmio_read, .mmio_write = pci_gate_mmio_write, \
	.now_ns = pci_gate_now_ns

#endif
