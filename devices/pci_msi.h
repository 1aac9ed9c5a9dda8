/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Message-signalled interrupts of a PCI function: the capabilities MSI (64-bit
 * address, up to 32 messages, masks if wanted) and MSI-X (table and pending
 * bits in one of the function's BARs).
 *
 * An interrupt is an event here, no level: the owner says when one happens, and
 * keeps what it is about in its own registers.  What is masked is pending, and
 * sent once when the mask goes.  A function that may not be a bus master sends
 * nothing, and what it would have sent is lost.  While either capability is
 * enabled the function drives no INTx pin; of both, MSI-X counts.
 *
 * References: PCI Local Bus Specification 3.0, chapter 6.8.
 */
#ifndef BULKHEAD_DEVICES_PCI_MSI_H
#define BULKHEAD_DEVICES_PCI_MSI_H

#include "devices/pci.h"

#define PCI_MSIX_VECTORS 32 /* a table has at most */

/* A member of the owner's state.  Its table is four words a vector. */
struct pci_msix_state {
	uint32_t address[PCI_MSIX_VECTORS];
	uint32_t upper_address[PCI_MSIX_VECTORS];
	uint32_t data[PCI_MSIX_VECTORS];
	uint32_t control[PCI_MSIX_VECTORS]; /* bit 0: masked */
	uint32_t pending;		    /* a bit a vector */
};

extern const struct state_description pci_msix_description;

/* Where the table and the pending bits are; offsets are in the BAR and aligned
 * to 8. */
struct pci_msix_place {
	uint8_t bar;
	uint8_t vectors;
	uint32_t table;
	uint32_t pending;
};

/*
 * Before pci_device_add().  As pci_capability_add(); messages is a power of
 * two up to 32.
 */
int __must_check pci_msi_add(struct pci_device *dev, unsigned offset,
			     unsigned messages, bool has_masks);
/* state is part of the owner's, and lives as long as the device. */
int __must_check pci_msix_add(struct pci_device *dev, unsigned offset,
			      const struct pci_msix_place *place,
			      struct pci_msix_state *state);
/* Accesses of 4 bytes to the BAR of the table; io->offset is from its base. */
void pci_msix_access(struct pci_device *dev, struct io_access *io);
/* Whether a saved table can be this function's. */
bool pci_msix_is_valid(const struct pci_device *dev,
		       const struct pci_msix_state *state);

/* Does software want messages, not INTx? */
bool pci_msi_is_enabled(const struct pci_device *dev);
bool pci_msix_is_enabled(const struct pci_device *dev);

/*
 * The event of that vector has happened.  Without MSI-X the vector is the
 * number of an MSI message, of those that software enabled the one with the
 * same low bits.  Nothing happens while neither is enabled.
 */
void pci_message_send(struct pci_device *dev, unsigned vector);
/* Its cause is gone: it is not pending any longer. */
void pci_message_withdraw(struct pci_device *dev, unsigned vector);

/* ---- For pci.c ---------------------------------------------------------- */

/* Bytes [offset, offset + size) of the configuration have been written. */
void pci_messages_written(struct pci_device *dev, unsigned offset,
			  unsigned size);
void pci_messages_reset(struct pci_device *dev);
/* Whether a saved configuration can be this function's. */
bool pci_messages_are_valid(const struct pci_device *dev,
			    const struct pci_device_state *state);

#endif
