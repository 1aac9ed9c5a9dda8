/* SPDX-License-Identifier: BSD-2-Clause */
/* An 82540EM on the bench of nic_test.h. */
#ifndef BULKHEAD_TESTS_UNIT_E1000_TEST_H
#define BULKHEAD_TESTS_UNIT_E1000_TEST_H

#include "tests/unit/nic_test.h"

#include "devices/e1000.h"

#define TX_RING 0x1000ULL
#define RX_RING 0x2000ULL
#define RING	8U /* descriptors: the least there can be */
#define BUFFERS 0x10000ULL

static struct e1000 card;

/* ---- The device --------------------------------------------------------- */

static inline uint32_t reg(uint32_t offset)
{
	return (uint32_t)bus_in(&t.b.memory, BAR0 + offset, 4);
}

static inline void put(uint32_t offset, uint32_t value)
{
	bus_out(&t.b.memory, BAR0 + offset, value, 4);
}

static inline uint32_t statistic(enum e1000_statistic which)
{
	return reg(E1000_STATISTICS + 4 * (uint32_t)which);
}

static void start(void)
{
	const struct nic_config config = {
		.pci = &t.pci,
		.devfn = DEVFN,
		.ram = &t.ram,
		.clock = &t.b.clock,
		.net = &t.net,
		.log = { test_print, NULL },
	};

	nic_bench_init("e1000");
	assert_int_equal(e1000_init(&card, &config), 0);
	pci_config_write(&t.pci, DEVFN, PCI_BAR0, 4, BAR0);
	pci_config_write(&t.pci, DEVFN, PCI_BAR0 + 8, 4, BAR_IO);
	pci_config_write(&t.pci, DEVFN, PCI_COMMAND, 2,
			 PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
				 PCI_COMMAND_MASTER);
}

/* Rings, both directions on, link up; RDT as far as it goes. */
static inline void start_rings(void)
{
	start();
	put(E1000_CTRL, (uint32_t)(reg(E1000_CTRL) | E1000_CTRL_SLU));
	put(E1000_TDBAL, TX_RING);
	put(E1000_TDLEN, RING * E1000_DESCRIPTOR_SIZE);
	put(E1000_TCTL, (uint32_t)(E1000_TCTL_EN | E1000_TCTL_PSP));
	for (unsigned i = 0; i < RING; i++) {
		uint64_t buffer = BUFFERS + i * KIB(16);

		memcpy(t.memory + RX_RING + i * E1000_DESCRIPTOR_SIZE, &buffer,
		       8);
	}
	put(E1000_RDBAL, RX_RING);
	put(E1000_RDLEN, RING * E1000_DESCRIPTOR_SIZE);
	put(E1000_RDT, RING - 1);
	put(E1000_RCTL,
	    (uint32_t)(E1000_RCTL_EN | E1000_RCTL_BAM | E1000_RCTL_SECRC));
	(void)reg(E1000_ICR);
}

/* ---- Checksums, the slow way -------------------------------------------- */

static inline uint16_t sum_slow(const uint8_t *bytes, size_t length,
				uint32_t sum)
{
	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static inline uint16_t be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t be32(const uint8_t *at)
{
	return (uint32_t)be16(at) << 16 | be16(at + 2);
}

/* ---- Frames ------------------------------------------------------------- */

/* Of TCP and UDP: of addresses, protocol and length. */
static inline uint16_t sum_pseudo(const uint8_t *frame, uint32_t length)
{
	return sum_slow(frame + 26, 8, frame[23] + length);
}

static inline void assert_sums(const uint8_t *frame, uint32_t length)
{
	assert_int_equal(sum_slow(frame + 14, 20, 0), 0xffff);
	assert_int_equal(sum_slow(frame + 34, length - 34,
				  sum_pseudo(frame, length - 34)),
			 0xffff);
}

#endif
