/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel 82574L, a Gigabit Ethernet controller for PCI Express, as a function on
 * a conventional bus.
 *
 * Models, besides what e1000_core.h says: capabilities of power management,
 * MSI, PCI Express and MSI-X with five vectors, which IVAR gives to causes;
 * EIAC, IAM, EITR; NVM by EERD and EEWR; the PHY's pages as far as drivers have
 * to; semaphores; extended receive descriptors, RSS with two queues, two queues
 * of transmission; the clock of IEEE 1588 as a counter.
 *
 * Does not model: configuration space beyond 256 bytes; PCI Express as a link;
 * header split (packets lie in the buffers of a split descriptor one after the
 * other, as those do whose headers hardware does not know); time stamps of
 * frames; arbitration between queues (they take turns); causes ACK, MNG and
 * TXD_LOW; RDTR and TIDV while MSI-X is on (EITR throttles); flash; NVM bit by
 * bit; manageability; IPv6 extension headers, which are not looked behind.
 *
 * References: e1000e_registers.h.
 */
#ifndef BULKHEAD_DEVICES_E1000E_H
#define BULKHEAD_DEVICES_E1000E_H

#include "devices/e1000_core.h"
#include "devices/e1000e_registers.h"
#include "devices/pci_msi.h"

#define E1000E_BAR_MEMORY 0
#define E1000E_BAR_FLASH  1
#define E1000E_BAR_IO	  2
#define E1000E_BAR_MSIX	  3

#define E1000_X(upper, lower, offset, writable, reset) uint32_t lower;
struct e1000e_registers {
	E1000E_REGISTERS(E1000_X)
};
#undef E1000_X

#define E1000_X(upper, lower, offset, count, step, writable) \
	uint32_t lower[count];
/* What CTRL.RST resets, besides struct e1000_chip. */
struct e1000e_chip {
	struct e1000e_registers reg;
	E1000E_ARRAYS(E1000_X)
	/* Causes in ICR and IMS of which a message has told. */
	uint32_t told;
	bool is_rx1_broken, is_tx1_broken;
	uint8_t reserved[2];
	uint64_t vectors_ns;		  /* a throttled vector's deadline */
	uint64_t sent_ns[E1000E_VECTORS]; /* when a message was last, or 0 */
	/* The clock of IEEE 1588: what it had, and when. */
	uint64_t clock_value, clock_from_ns;
	struct e1000_tx_state tx1;
};
#undef E1000_X

struct e1000e_state {
	struct e1000_state common; /* first */
	struct e1000e_chip chip;
	struct pci_msix_state msix;
	uint32_t reserved[1];
};

struct e1000e {
	struct e1000_core core; /* first */
	struct clock_timer vectors;
	struct e1000e_state state;
};

extern const struct device_ops e1000e_ops;

/* As pci_device_add() and pci_bar_add(). */
int __must_check e1000e_init(struct e1000e *nic,
			     const struct nic_config *config);
void e1000e_reset(struct e1000e *nic);

#endif
