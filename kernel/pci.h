/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's PCI functions as boot/pci.c has found them, and what the monitor
 * does to one: bus mastering, interrupts, resets.  BARs stay where firmware has
 * put them.
 *
 * References: PCI Local Bus Specification 3.0, chapter 6, "Configuration
 * Space" (commands, capabilities, MSI-X); PCI Express Base Specification 3.0,
 * 6.6.2, "Function Level Reset", 7.8 (its capability).
 */
#ifndef BULKHEAD_KERNEL_PCI_H
#define BULKHEAD_KERNEL_PCI_H

#include "include/compiler.h"
#include "include/grant.h"
#include "include/spinlock.h"

#define PCI_FUNCTIONS_MAX 64
#define PCI_CONFIG_SIZE	  256

/* clang-format off */
#define PCI_ID			0x00
#define PCI_COMMAND		0x04 /* Command, and Status above it */
#define   PCI_COMMAND_IO	BIT(0)
#define   PCI_COMMAND_MEMORY	BIT(1)
#define   PCI_COMMAND_MASTER	BIT(2)
#define   PCI_COMMAND_NO_INTX	BIT(10)
#define   PCI_STATUS_INTX	BIT(19)
#define   PCI_STATUS_CAPS	BIT(20)
#define PCI_CLASS		0x08
#define PCI_HEADER		0x0c
#define   PCI_HEADER_TYPE	MASK(22, 16)
#define   PCI_HEADER_MULTI	BIT(23)
#define PCI_BAR(n)		(0x10U + 4U * (n))
#define PCI_SUBSYSTEM		0x2c
#define PCI_CAPS		0x34
#define PCI_IRQ_LINE		0x3c /* then the pin; 0: it has none */
#define PCI_CAP_EXPRESS		0x10
#define   PCI_EXPRESS_CAPS	4
#define     PCI_EXPRESS_HAS_FLR	BIT(28)
#define   PCI_EXPRESS_CONTROL	8 /* Device Control, Device Status above it */
#define     PCI_EXPRESS_FLR	BIT(15)
#define PCI_CAP_MSIX		0x11
#define   PCI_MSIX_SIZE		MASK(26, 16) /* less one */
#define   PCI_MSIX_MASK_ALL	BIT(30)
#define   PCI_MSIX_ENABLE	BIT(31)
#define   PCI_MSIX_TABLE	4
#define   PCI_MSIX_PENDING	8
#define     PCI_MSIX_BAR	MASK(2, 0)
#define     PCI_MSIX_OFFSET	MASK(31, 3)
/* clang-format on */

struct pci_bar {
	uint32_t value; /* of its register, for who has lost it in a reset */
	hpa_t base;
	uint64_t size; /* bytes, whole pages; 0: no memory, or misplaced */
};

/* A part of a BAR. */
struct pci_range {
	uint8_t bar;
	uint64_t start, end;
};

struct pci_function {
	struct gate_pci_info info; /* but is_granted */
	struct pci_bar bar[GATE_DEVICE_BARS];
	/* A BAR is too large, or where no device can be. */
	bool is_misplaced;
	uint8_t express, msix; /* capabilities; 0: none */
	volatile uint32_t *table;
	struct pci_range monitors[2]; /* pages of the table, pending bits */
};

struct pci {
	struct spinlock lock; /* of the two ports, with interrupts off */
	unsigned count;
	struct pci_function function[PCI_FUNCTIONS_MAX];
};

/* Of any function, there or not; offset aligned to size, which is 1, 2 or 4;
 * 2 or 4 for what is written. */
uint32_t pci_read(uint16_t address, unsigned offset, unsigned size);
void pci_write(uint16_t address, unsigned offset, unsigned size,
	       uint32_t value);

/* Bits of the Command register. */
void pci_command(const struct pci_function *function, uint32_t clear,
		 uint32_t set);
/* No DMA begins, no interrupt is sent; what was on its way has arrived. */
void pci_quiesce(const struct pci_function *function);
/* Of those that have an FLR: done PCI_FLR_NS later, then pci_restore(). */
#define PCI_FLR_NS (100 * NSEC_PER_MS)
void pci_flr(const struct pci_function *function);
/* BARs and memory decoding; false: it has not come back. */
bool pci_restore(const struct pci_function *function);

#define PCI_MSI_ID_MAX 0xffU
/* MSI-X: entry n sends that vector to that CPU, masked yet; then all on. */
void pci_msix_set(const struct pci_function *function, unsigned n,
		  uint32_t apic_id, uint8_t vector);
void pci_msix_enable(const struct pci_function *function);
void pci_msix_mask(const struct pci_function *function, unsigned n,
		   bool is_masked);

/* INTx is asserted, and not disabled; then it is disabled. */
bool pci_intx_take(const struct pci_function *function);

#endif
