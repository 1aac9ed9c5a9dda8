/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD Am79C970A (PCnet-PCI II), an Ethernet controller for PCI that grew out of
 * the LANCE.
 *
 * Models: word and doubleword I/O, by ports and by memory; APROM; CSRs and
 * BCRs; initialization blocks and descriptors of 16 and of 32 bits; chained
 * buffers; address filters; loopback; the link's LED.
 *
 * Does not model: EEPROM, GPSI and AUI; collisions; look-ahead and magic
 * packets; burst settings, which are kept.  A frame for which there is no
 * descriptor waits in the backend: MISS tells only of those that loop back.
 * The card polls its transmit ring until the driver has demanded once (TDMD),
 * and its receive ring while a frame waits.  Frames longer than 1518 bytes,
 * without FCS, are neither sent nor received.
 *
 * Work is bounded: a call into the device moves so many descriptors, and the
 * rest waits for a timer.  Rings outside of memory stop it, with MERR.
 *
 * References: pcnet_registers.h.
 */
#ifndef BULKHEAD_DEVICES_PCNET_H
#define BULKHEAD_DEVICES_PCNET_H

#include "devices/net_port.h"
#include "devices/pci.h"
#include "devices/pcnet_registers.h"

/* What a driver did that hardware would not survive or not do. */
enum pcnet_error {
	PCNET_ERROR_NONE,
	PCNET_ERROR_BLOCK,     /* an initialization block outside of memory */
	PCNET_ERROR_RING,      /* a descriptor outside of memory */
	PCNET_ERROR_TX_LENGTH, /* a frame too long to be sent */
	PCNET_ERROR_TX_CHAIN,  /* a frame whose end is not there */
	PCNET_ERROR_TX_START,  /* a frame without a beginning */
	PCNET_ERROR_RX_LENGTH, /* a frame longer than all buffers */
	PCNET_ERRORS,
};

struct pcnet_chip {
	uint16_t csr[PCNET_CSRS];
	uint32_t rx_next, tx_next; /* descriptors; within the rings */
	uint16_t rap;
	bool has_demanded; /* TDMD, since STRT */
	uint8_t reserved[5];
	uint64_t poll_ns;
};

struct pcnet_state {
	struct pci_device_state pci;
	bool is_cable_up;
	uint8_t reserved[3];
	uint8_t aprom[PCNET_APROM_SIZE];
	uint16_t bcr[PCNET_BCRS];
	struct pcnet_chip chip;
};

struct pcnet {
	struct device device;
	struct nic_config config;
	struct pci_device pci;
	struct clock_timer poll;
	struct net_port port;
	struct pcnet_state state;
	uint64_t errors[PCNET_ERRORS];
};

extern const struct device_ops pcnet_ops;

/* As pci_device_add() and pci_bar_add(). */
int __must_check pcnet_init(struct pcnet *nic, const struct nic_config *config);
void pcnet_reset(struct pcnet *nic);

#endif
