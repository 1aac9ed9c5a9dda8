/* SPDX-License-Identifier: BSD-2-Clause */
/* An 82574L on the bench of nic_test.h, with its messages. */
#ifndef BULKHEAD_TESTS_UNIT_E1000E_TEST_H
#define BULKHEAD_TESTS_UNIT_E1000E_TEST_H

#include "tests/unit/nic_test.h"

#include "devices/e1000e.h"

#define TX_RING	  0x1000ULL
#define TX_RING1  0x1800ULL
#define RX_RING	  0x2000ULL
#define RX_RING1  0x2800ULL
#define RING	  8U
#define BUFFERS	  0x10000ULL /* of the first ring, then of the second */
#define BUFFERS1  0x40000ULL
#define BAR_FLASH 0xe0100000ULL
#define BAR_MSIX  0xe0200000ULL
#define MSI	  0xd0U
#define MSIX	  0xa0U
#define MSIX_ON	  0x8000U
#define SENT_MAX  64
#define OTHER	  ((uint32_t)E1000E_CAUSE_OTHER)
#define LSC	  ((uint32_t)E1000_CAUSE_LSC)
#define RXQ0	  ((uint32_t)E1000E_CAUSE_RXQ0)
#define RXQ1	  ((uint32_t)E1000E_CAUSE_RXQ1)
#define TXQ0	  ((uint32_t)E1000E_CAUSE_TXQ0)
#define TXQ1	  ((uint32_t)E1000E_CAUSE_TXQ1)
#define ASSERTED  ((uint32_t)E1000E_CAUSE_ASSERTED)
#define CMD_END	  (E1000_TXD_EOP | E1000_TXD_IFCS | E1000_TXD_RS)

static struct e1000e card;

/* The data of messages; the test's vectors have 0x40 + their number. */
static uint32_t sent[SENT_MAX];
static unsigned sent_count;

static inline uint32_t reg(uint32_t offset)
{
	return (uint32_t)bus_in(&t.b.memory, BAR0 + offset, 4);
}

static inline void put(uint32_t offset, uint64_t value)
{
	bus_out(&t.b.memory, BAR0 + offset, (uint32_t)value, 4);
}

static inline void message(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	assert_int_equal(address, 0xfee00000);
	assert_true(sent_count < SENT_MAX);
	sent[sent_count++] = data;
}

static inline uint32_t get(unsigned offset, unsigned size)
{
	return pci_config_read(&t.pci, DEVFN, offset, size);
}

static inline void set(unsigned offset, unsigned size, uint32_t value)
{
	pci_config_write(&t.pci, DEVFN, offset, size, value);
}

static inline void start(void)
{
	const struct nic_config config = {
		.pci = &t.pci,
		.devfn = DEVFN,
		.ram = &t.ram,
		.clock = &t.b.clock,
		.net = &t.net,
		.log = { test_print, NULL },
	};

	nic_bench_init("e1000e");
	t.pci.message = message;
	sent_count = 0;
	assert_int_equal(e1000e_init(&card, &config), 0);
	set(PCI_BAR0, 4, BAR0);
	set(PCI_BAR0 + 4, 4, BAR_FLASH);
	set(PCI_BAR0 + 8, 4, BAR_IO);
	set(PCI_BAR0 + 12, 4, BAR_MSIX);
	set(PCI_COMMAND, 2,
	    PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static inline void buffers_put(uint64_t ring, uint64_t buffers)
{
	for (unsigned i = 0; i < RING; i++) {
		uint64_t words[2] = { buffers + i * KIB(16), 0 };

		memcpy(t.memory + ring + i * 16, words, sizeof(words));
	}
}

/* Both rings of either direction, link up. */
static inline void start_rings(void)
{
	start();
	put(E1000_CTRL, reg(E1000_CTRL) | E1000_CTRL_SLU);
	put(E1000_TDBAL, TX_RING);
	put(E1000_TDLEN, RING * 16);
	put(E1000E_TDBAL1, TX_RING1);
	put(E1000E_TDLEN1, RING * 16);
	put(E1000_TCTL, E1000_TCTL_EN | E1000_TCTL_PSP);
	buffers_put(RX_RING, BUFFERS);
	put(E1000_RDBAL, RX_RING);
	put(E1000_RDLEN, RING * 16);
	put(E1000_RDT, RING - 1);
	buffers_put(RX_RING1, BUFFERS1);
	put(E1000E_RDBAL1, RX_RING1);
	put(E1000E_RDLEN1, RING * 16);
	put(E1000E_RDT1, RING - 1);
	put(E1000_RCTL, E1000_RCTL_EN | E1000_RCTL_BAM | E1000_RCTL_SECRC);
	(void)reg(E1000_ICR);
}

/* Vectors of RXQ0, RXQ1, TXQ0, TXQ1, OTHER: 0 to 4, in this order. */
static inline void msix_start(void)
{
	for (unsigned i = 0; i < E1000E_VECTORS; i++) {
		bus_out(&t.b.memory, BAR_MSIX + 16 * i, 0xfee00000, 4);
		bus_out(&t.b.memory, BAR_MSIX + 16 * i + 8, 0x40 + i, 4);
		bus_out(&t.b.memory, BAR_MSIX + 16 * i + 12, 0, 4);
	}
	set(MSIX + 2, 2, MSIX_ON);
	put(E1000E_IVAR, 0xcba98);
}

static inline uint64_t word(uint64_t at)
{
	uint64_t value;

	memcpy(&value, t.memory + at, sizeof(value));
	return value;
}

#endif
