/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An NE2000: a DP8390 with 16 KiB of memory and an address PROM behind 32
 * ports, on the ISA bus or, as a Realtek RTL8029AS, on PCI.
 *
 * Models: pages 0 to 2 of the DP8390 and the RTL8029AS's page 3 with its
 * EEPROM; remote DMA in bytes and words, and the command Send Packet; the
 * receive ring, its overflow, monitor mode; address filters; loopback with
 * status and FIFO; tally counters; the reset port.
 *
 * Does not model: the collisions and line errors of a real cable, so that
 * NCR, CNTR0 and CNTR1 are zero; the byte order of 68000s (BOS); writing to
 * page 2; word mode's halving of frames that loop back; the clock that HLTCLK
 * stops; full duplex.  A frame for which the ring has no room waits in the
 * backend for NE2000_PATIENCE_NS; only then is it lost, and the ring
 * overflowed.
 *
 * Work is bounded: a transmission is one frame, a reception as many as
 * net_port.h allows, a frame at most a ring of 64 KiB.
 *
 * References: ne2000_registers.h.
 */
#ifndef BULKHEAD_DEVICES_NE2000_H
#define BULKHEAD_DEVICES_NE2000_H

#include "devices/eeprom93c46.h"
#include "devices/ne2000_registers.h"
#include "devices/net_port.h"
#include "devices/pci.h"

#define NE2000_FIFO_SIZE   8
#define NE2000_PATIENCE_NS (100 * NSEC_PER_MS)

/* What a driver did that hardware would not survive or not do. */
enum ne2000_error {
	NE2000_ERROR_NONE,
	NE2000_ERROR_TX_LENGTH, /* no byte, or more than a frame has */
	NE2000_ERROR_RING,	/* registers that describe no ring */
	NE2000_ERROR_HEADER,	/* Send Packet: no packet there */
	NE2000_ERROR_REMOTE,	/* the data port without remote DMA */
	NE2000_ERRORS,
};

struct ne2000_chip {
	uint16_t tbcr, rsar, rbcr, clda;
	uint8_t cr, isr, imr, dcr, tcr, rcr, tsr, rsr;
	uint8_t pstart, pstop, bnry, curr, tpsr; /* pages */
	uint8_t missed;				 /* CNTR2 */
	uint8_t fifo_at;			 /* which byte is read next */
	uint8_t cr9346, config2, config3;
	bool is_running;	/* STA came last, not STP */
	bool is_sending_packet; /* remote DMA is by Send Packet */
	uint8_t next;		/* its next packet's page */
	uint8_t par[NET_MAC_LENGTH];
	uint8_t mar[8];
	uint8_t fifo[NE2000_FIFO_SIZE];
	uint8_t reserved[5];
	uint64_t more_ns, overflow_ns;
};

struct ne2000_state {
	struct pci_device_state pci; /* all zero on the ISA bus */
	bool is_cable_up;
	uint8_t reserved[3];
	struct eeprom93c46 eeprom;
	struct ne2000_chip chip;
	uint8_t prom[NE2000_PROM_SIZE]; /* as the EEPROM had it last */
	uint8_t ram[NE2000_RAM_SIZE];
};

struct ne2000 {
	struct device device;
	struct nic_config config;
	bool is_pci;
	struct irq_line irq; /* ISA */
	struct pci_device pci;
	struct clock_timer more, overflow;
	struct net_port port;
	struct ne2000_state state;
	uint64_t errors[NE2000_ERRORS];
};

extern const struct device_ops ne2000_isa_ops, ne2000_pci_ops;

/* Of *config pci, devfn and rom do not count.  As bus_add(). */
int __must_check ne2000_isa_init(struct ne2000 *nic,
				 const struct nic_config *config,
				 struct bus *ports, uint16_t port,
				 struct irq_line irq);
/* As pci_device_add() and pci_bar_add(). */
int __must_check ne2000_pci_init(struct ne2000 *nic,
				 const struct nic_config *config);
void ne2000_reset(struct ne2000 *nic);

#endif
