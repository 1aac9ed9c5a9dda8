/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel 82540EM, a Gigabit Ethernet controller for PCI, with its copper PHY.
 *
 * Models what e1000_core.h says, its EEPROM bit by bit, too.  Does not model
 * the second set of addresses of the 82542's registers.  An interrupt comes as
 * INTx: there is no message-signalled interrupt.
 *
 * References: e1000_registers.h.
 */
#ifndef BULKHEAD_DEVICES_E1000_H
#define BULKHEAD_DEVICES_E1000_H

#include "devices/e1000_core.h"

struct e1000 {
	struct e1000_core core;
	struct e1000_state state;
};

extern const struct device_ops e1000_ops;

/* As pci_device_add() and pci_bar_add(). */
int __must_check e1000_init(struct e1000 *nic, const struct nic_config *config);
void e1000_reset(struct e1000 *nic);

#endif
