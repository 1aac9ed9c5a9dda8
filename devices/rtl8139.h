/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Realtek RTL8139C, a Fast Ethernet controller for PCI, with its PHY.
 *
 * Models: all registers by I/O and by memory; the four transmit descriptors;
 * the receive buffer of all sizes, with and without WRAP, with the FCS; address
 * filters; loopback; the timer; the EEPROM, bit by bit and by auto-load; the
 * PHY's registers; link changes.
 *
 * Does not model: the C+ mode with descriptor rings; early interrupts and
 * thresholds; power management, wake-up, CardBus; flow control, collisions and
 * 10 Mbit/s; Boot ROM below 9346CR.  A frame for which there is no room waits
 * in the backend: RXOVW and MPC tell only of those that loop back.  Longer
 * frames than 1518 bytes, without FCS, are not received.
 *
 * Work is bounded: a transmission is four descriptors at most, a reception as
 * many frames as net_port.h allows.
 *
 * References: rtl8139_registers.h.
 */
#ifndef BULKHEAD_DEVICES_RTL8139_H
#define BULKHEAD_DEVICES_RTL8139_H

#include "devices/eeprom93c46.h"
#include "devices/net_port.h"
#include "devices/pci.h"
#include "devices/rtl8139_registers.h"

/* What a driver did that hardware would not survive or not do. */
enum rtl8139_error {
	RTL8139_ERROR_NONE,
	RTL8139_ERROR_TX_LENGTH,  /* no byte, or more than 1792 */
	RTL8139_ERROR_TX_ADDRESS, /* a frame that is not in memory */
	RTL8139_ERRORS,
};

/* What CR.RST resets, but for the registers that it keeps. */
struct rtl8139_chip {
	uint32_t reg[RTL8139_COUNT]; /* by enum rtl8139_register */
	uint8_t tx_next;	     /* descriptor */
	uint8_t reserved[3];
	uint64_t counted_from_ns; /* when TCTR was 0 */
	uint64_t timer_ns, more_ns;
};

struct rtl8139_state {
	struct pci_device_state pci;
	bool is_cable_up;
	bool has_link_dropped; /* since BMSR was read */
	uint8_t reserved[2];
	struct eeprom93c46 eeprom;
	struct rtl8139_chip chip;
};

struct rtl8139 {
	struct device device;
	struct nic_config config;
	struct pci_device pci;
	struct clock_timer timer, more;
	struct net_port port;
	struct rtl8139_state state;
	uint64_t errors[RTL8139_ERRORS];
};

extern const struct device_ops rtl8139_ops;

/* As pci_device_add() and pci_bar_add(). */
int __must_check rtl8139_init(struct rtl8139 *nic,
			      const struct nic_config *config);
void rtl8139_reset(struct rtl8139 *nic);

#endif
