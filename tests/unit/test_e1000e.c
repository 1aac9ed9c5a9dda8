/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 82574L: what it has besides the 82540EM.  Capabilities, NVM, PHY pages,
 * semaphores, its clock, interrupts by messages, queues, extended descriptors,
 * RSS.
 */
#include "tests/unit/nic_test.h"

#include "devices/e1000e.h"
#include "include/errno.h"

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

static uint32_t reg(uint32_t offset)
{
	return (uint32_t)bus_in(&t.b.memory, BAR0 + offset, 4);
}

static void put(uint32_t offset, uint64_t value)
{
	bus_out(&t.b.memory, BAR0 + offset, (uint32_t)value, 4);
}

static void message(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	assert_int_equal(address, 0xfee00000);
	assert_true(sent_count < SENT_MAX);
	sent[sent_count++] = data;
}

static uint32_t get(unsigned offset, unsigned size)
{
	return pci_config_read(&t.pci, DEVFN, offset, size);
}

static void set(unsigned offset, unsigned size, uint32_t value)
{
	pci_config_write(&t.pci, DEVFN, offset, size, value);
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

static void buffers_put(uint64_t ring, uint64_t buffers)
{
	for (unsigned i = 0; i < RING; i++) {
		uint64_t words[2] = { buffers + i * KIB(16), 0 };

		memcpy(t.memory + ring + i * 16, words, sizeof(words));
	}
}

/* Both rings of either direction, link up. */
static void start_rings(void)
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
static void msix_start(void)
{
	for (unsigned i = 0; i < E1000E_VECTORS; i++) {
		bus_out(&t.b.memory, BAR_MSIX + 16 * i, 0xfee00000, 4);
		bus_out(&t.b.memory, BAR_MSIX + 16 * i + 8, 0x40 + i, 4);
		bus_out(&t.b.memory, BAR_MSIX + 16 * i + 12, 0, 4);
	}
	set(MSIX + 2, 2, MSIX_ON);
	put(E1000E_IVAR, 0xcba98);
}

static uint64_t word(uint64_t at)
{
	uint64_t value;

	memcpy(&value, t.memory + at, sizeof(value));
	return value;
}

/* ---- PCI ---------------------------------------------------------------- */

static void test_pci(void **state)
{
	static const uint32_t bars[] = { 0xfffe0000, 0xfffe0000, 0xffffffe1,
					 0xffffc000, 0,		 0 };
	/* IDs, each with the place of the next. */
	static const struct {
		unsigned at, value;
	} list[] = { { 0xc8, 0xd001 },
		     { 0xd0, 0xe005 },
		     { 0xe0, 0xa010 },
		     { 0xa0, 0x0011 } };

	(void)state;
	start();
	assert_int_equal(get(0, 4), 0x10d38086);
	assert_int_equal(get(PCI_CLASS_DEVICE, 2), 0x0200);
	assert_int_equal(get(PCI_SUBSYSTEM_VENDOR_ID, 4), 0x00008086);
	assert_int_equal(get(PCI_INTERRUPT_PIN, 1), 1);
	for (unsigned i = 0; i < ARRAY_SIZE(bars); i++) {
		set(PCI_BAR0 + 4 * i, 4, ~0U);
		assert_int_equal(get(PCI_BAR0 + 4 * i, 4), bars[i]);
	}
	assert_true(get(PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES);
	assert_int_equal(get(PCI_CAPABILITY_LIST, 1), list[0].at);
	for (unsigned i = 0; i < ARRAY_SIZE(list); i++)
		assert_int_equal(get(list[i].at, 2), list[i].value);
	assert_int_equal(get(MSI + 2, 2), 0x80); /* one, 64 bits, no masks */
	assert_int_equal(get(MSIX + 2, 2), 4);	 /* five */
	assert_int_equal(get(MSIX + 4, 4), 3);	 /* in BAR 3 */
	assert_int_equal(get(MSIX + 8, 4), 0x2003);
	assert_int_equal(get(0xe2, 2), 1);    /* version 1, endpoint */
	assert_int_equal(get(0xf2, 2), 0x11); /* one lane, 2.5 GT/s */
	/* Power states are kept; PME_Status is not set, and cannot be. */
	set(0xcc, 2, 0xffff);
	assert_int_equal(get(0xcc, 2), 0x0103);
}

static void test_flash(void **state)
{
	(void)state;
	start();
	assert_int_equal(bus_in(&t.b.memory, BAR_FLASH + 0x1fff8, 8), ~0ULL);
	bus_out(&t.b.memory, BAR_FLASH, 0, 4);
	assert_int_equal(bus_in(&t.b.memory, BAR_FLASH, 2), 0xffff);
}

/* ---- Registers ---------------------------------------------------------- */

static const uint32_t reset_values[][2] = {
	{ E1000_CTRL, 0x201 },	    { E1000_STATUS, 0x80381 },
	{ E1000_EECD, 0x300 },	    { E1000_PBA, 0x140014 },
	{ E1000E_IVAR, 0 },	    { E1000E_EEMNGCTL, 0xc0000 },
	{ E1000E_TARC0, 0x403 },    { E1000E_TARC1, 0x403 },
	{ E1000E_FWSM, 0 },	    { E1000E_RFCTL, 0 },
	{ E1000E_PSRCTL, 0x40402 }, { E1000E_EXTCNF_CTRL, 0 },
	{ E1000E_TDT1, 0 },	    { E1000E_MRQC, 0 },
	{ E1000_RA, 0x12005452 },   { E1000_RA + 4, 0x80005634 },
};

static void test_reset(void **state)
{
	(void)state;
	start();
	for (unsigned i = 0; i < ARRAY_SIZE(reset_values); i++)
		assert_int_equal(reg(reset_values[i][0]), reset_values[i][1]);
	for (uint32_t offset = 0; offset < 0xc000; offset += 4)
		if (offset != E1000_CTRL && offset != E1000_EECD)
			put(offset, ~0U);
	put(E1000_CTRL, E1000_CTRL_RST);
	for (unsigned i = 0; i < ARRAY_SIZE(reset_values); i++)
		if (reg(reset_values[i][0]) != reset_values[i][1])
			fail_msg("%x: %x", reset_values[i][0],
				 reg(reset_values[i][0]));
	assert_int_equal(reg(E1000E_RETA + 31 * 4), 0);
	assert_int_equal(card.state.chip.told, 0);
}

static void test_masks(void **state)
{
	static const uint32_t values[][3] = {
		/* register, written, read */
		{ E1000E_EIAC, ~0U, 0x01f00000 },
		{ E1000E_IAM, ~0U, ~0U },
		{ E1000E_IVAR, ~0U, 0x800fffff },
		{ E1000E_EITR + 16, ~0U, 0xffff },
		{ E1000E_EITR + 20, ~0U, 0 }, /* there are five */
		{ E1000E_RETA + 124, ~0U, ~0U },
		{ E1000E_RSSRK + 36, 0x12345678, 0x12345678 },
		{ E1000E_RSSRK + 40, 1, 0 },
		{ E1000E_RDBAL1, ~0U, 0xfffffff0 },
		{ E1000E_RDLEN1, ~0U, 0xfff80 },
		{ E1000E_TDH1, ~0U, 0xffff },
		{ E1000E_EXTCNF_CTRL, ~0U, 0x20 },
		{ E1000E_FWSM, ~0U, 0 },
		{ E1000E_FACTPS, 0, 0x20000001 },
		{ E1000_RXCSUM, ~0U, 0x3fff },
		{ E1000_CTRL_EXT, ~0U, 0xb9df8fff },
		{ E1000_PBA, 0x20, 0x80020 }, /* of 40 KiB */
		{ E1000_WUFC, ~0U, 0xf80ff },
		{ 0xb6fc, ~0U, 0 },
		{ 0x1fffc, ~0U, 0 },
	};

	(void)state;
	start();
	for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
		put(values[i][0], values[i][1]);
		if (reg(values[i][0]) != values[i][2])
			fail_msg("%x: %x, not %x", values[i][0],
				 reg(values[i][0]), values[i][2]);
	}
}

static uint16_t nvm(unsigned address)
{
	put(E1000_EERD, address << 2 | 1);
	assert_true(reg(E1000_EERD) & E1000E_EERD_DONE);
	return (uint16_t)(reg(E1000_EERD) >> 16);
}

static void test_nvm(void **state)
{
	uint16_t sum = 0;

	(void)state;
	start();
	assert_int_equal(nvm(0), 0x5452);
	assert_int_equal(nvm(2), 0x5634);
	assert_int_equal(nvm(13), 0x10d3);
	/* Nothing manages the card. */
	assert_int_equal(nvm(15) & 0x6000, 0);
	for (unsigned i = 0; i < 64; i++)
		sum = (uint16_t)(sum + nvm(i));
	assert_int_equal(sum, 0xbaba);
	put(E1000E_EEWR, 0xbeef0000U | 40 << 2 | 1);
	assert_true(reg(E1000E_EEWR) & E1000E_EERD_DONE);
	assert_int_equal(nvm(40), 0xbeef);
	put(E1000E_EEWR, 0x12340000U | 41 << 2); /* not started */
	assert_int_equal(nvm(41), 0);
	put(E1000E_EEWR, 0x12340000U | (64 + 41) << 2 | 1); /* no such word */
	assert_int_equal(nvm(41), 0);
	put(E1000_EECD, E1000_EECD_REQ);
	assert_int_equal(reg(E1000_EECD), 0x3c0);
	e1000e_reset(&card);
	assert_int_equal(card.state.common.eeprom.word[40], 0xbeef);
}

static uint16_t phy(unsigned which)
{
	put(E1000_MDIC, 2U << 26 | 1 << 21 | which << 16);
	assert_false(reg(E1000_MDIC) & E1000_MDIC_ERROR);
	return (uint16_t)reg(E1000_MDIC);
}

static void phy_put(unsigned which, uint16_t value)
{
	put(E1000_MDIC, 1U << 26 | 1 << 21 | which << 16 | value);
}

static void test_phy(void **state)
{
	(void)state;
	start();
	assert_int_equal(phy(2), 0x0141);
	assert_int_equal(phy(3), 0x0cb1);
	phy_put(16, 0x1234);
	phy_put(22, 2);
	assert_int_equal(phy(22), 2);
	assert_int_equal(phy(16), 0); /* another page's */
	phy_put(16, 0xffff);
	assert_int_equal(phy(3), 0x0cb1); /* of all pages */
	phy_put(22, 0);
	assert_int_equal(phy(16), 0x1234);
	phy_put(0, 0x8000);
	assert_int_equal(phy(16), 0x0360);
}

static void test_semaphores(void **state)
{
	(void)state;
	start();
	assert_int_equal(reg(E1000E_SWSM), 0);
	assert_int_equal(reg(E1000E_SWSM), 1); /* whoever reads 0 has it */
	put(E1000E_SWSM, 2);
	assert_int_equal(reg(E1000E_SWSM), 2);
	put(E1000E_EXTCNF_CTRL, 0x20);
	assert_int_equal(reg(E1000E_EXTCNF_CTRL), 0x20);
	put(E1000_CTRL, E1000_CTRL_RST);
	assert_int_equal(reg(E1000E_EXTCNF_CTRL), 0);
}

static void test_master_off(void **state)
{
	(void)state;
	start_rings();
	put(E1000_CTRL, reg(E1000_CTRL) | E1000E_CTRL_MASTER_OFF);
	assert_false(reg(E1000_STATUS) & E1000_STATUS_MASTER);
	memcpy(t.memory + TX_RING + 8, &(uint64_t){ 60 | CMD_END }, 8);
	put(E1000_TDT, 1);
	assert_int_equal(t.sent_count, 0);
	put(E1000_CTRL, reg(E1000_CTRL) & ~(uint32_t)E1000E_CTRL_MASTER_OFF);
	assert_true(reg(E1000_STATUS) & E1000_STATUS_MASTER);
	put(E1000_TDT, 1);
	assert_int_equal(t.sent_count, 1);
}

static void test_clock(void **state)
{
	(void)state;
	start();
	bench_step(&t.b, 1000);
	assert_int_equal(reg(E1000E_SYSTIML), 0); /* it does not run yet */
	put(E1000E_TIMINCA, 2 << 24 | 10);
	bench_step(&t.b, 79);
	assert_int_equal(reg(E1000E_SYSTIML), 0);
	bench_step(&t.b, 1);
	assert_int_equal(reg(E1000E_SYSTIML), 10);
	put(E1000E_SYSTIMH, 5);
	put(E1000E_SYSTIML, ~0U);
	bench_step(&t.b, 80);
	assert_int_equal(reg(E1000E_SYSTIML), 9);
	assert_int_equal(reg(E1000E_SYSTIMH), 6);
	/* Even at the greatest speed a long time is but a number. */
	put(E1000E_TIMINCA, 0x1ffffff);
	bench_step(&t.b, 3600 * NSEC_PER_SEC);
	assert_int_equal(reg(E1000E_SYSTIML),
			 (uint32_t)(9 + 90000000000 * 0xffffff));
}

/* ---- Interrupts --------------------------------------------------------- */

static void test_intx(void **state)
{
	(void)state;
	start();
	put(E1000_IMS, LSC);
	put(E1000_ICS, LSC);
	assert_true(line());
	assert_int_equal(reg(E1000_ICR), ASSERTED | OTHER | LSC);
	assert_false(line());
	put(E1000_ICS, ~0U);
	put(E1000_IMC, ~0U);
	assert_int_equal(reg(E1000_ICR), E1000E_CAUSES);
	assert_int_equal(reg(E1000_ICR), 0);
	assert_int_equal(sent_count, 0);
}

static void test_msi(void **state)
{
	(void)state;
	start();
	set(MSI + 4, 4, 0xfee00000);
	set(MSI + 12, 2, 0x55);
	put(E1000_IMS, LSC | E1000_CAUSE_RXT0);
	put(E1000_ICS, LSC);
	assert_true(line());
	set(MSI + 2, 2, 1);
	/* What interrupts by INTx does so by a message from now on. */
	assert_false(line());
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent[0], 0x55);
	put(E1000_ICS, E1000_CAUSE_RXT0); /* another cause */
	assert_int_equal(sent_count, 2);
	put(E1000_IMS, E1000_CAUSE_RXT0); /* none */
	assert_int_equal(sent_count, 2);
	(void)reg(E1000_ICR);
	put(E1000_ITR, 100); /* 25.6 us */
	put(E1000_ICS, LSC);
	assert_int_equal(sent_count, 2);
	bench_step(&t.b, 25599);
	assert_int_equal(sent_count, 2);
	bench_step(&t.b, 1);
	assert_int_equal(sent_count, 3);
	/* Taken back in time it is none. */
	put(E1000_ICS, LSC);
	(void)reg(E1000_ICR);
	bench_step(&t.b, 100000);
	assert_int_equal(sent_count, 3);
	/* Without MSI, and a cause that waits, INTx is up. */
	put(E1000_ITR, 0);
	put(E1000_ICS, LSC);
	set(MSI + 2, 2, 0);
	assert_true(line());
}

static void test_vectors(void **state)
{
	(void)state;
	start();
	msix_start();
	put(E1000_IMS, E1000E_CAUSES);
	for (unsigned i = 0; i < E1000E_VECTORS; i++) {
		put(E1000_ICS, RXQ0 << i);
		assert_int_equal(sent_count, i + 1);
		assert_int_equal(sent[i], 0x40 + i);
	}
	/* What is told of is not told again, but when ICS says so. */
	put(E1000_IMS, E1000E_CAUSES);
	assert_int_equal(sent_count, 5);
	put(E1000_ICS, RXQ1);
	assert_int_equal(sent_count, 6);
	assert_int_equal(sent[5], 0x41);
	(void)reg(E1000_ICR);
	/* Others are one; a cause without a vector is none. */
	put(E1000_ICS, LSC);
	assert_int_equal(sent[6], 0x44);
	assert_int_equal(reg(E1000_ICR), ASSERTED | OTHER | LSC);
	put(E1000E_IVAR, 0x80090);
	put(E1000_ICS, RXQ0 | TXQ1);
	assert_int_equal(sent_count, 7);
	put(E1000_ICS, RXQ1);
	assert_int_equal(sent_count, 8);
	assert_int_equal(sent[7], 0x41);
	/* There are no vectors 5 to 7. */
	(void)reg(E1000_ICR);
	put(E1000E_IVAR, 0xfffff);
	put(E1000_ICS, RXQ0 | RXQ1 | TXQ0 | TXQ1 | OTHER);
	assert_int_equal(sent_count, 8);
	assert_false(line());
}

static void test_icr(void **state)
{
	(void)state;
	start();
	msix_start();
	put(E1000_IMS, RXQ0);
	/* Others may have to see what interrupts nobody yet. */
	put(E1000_ICS, LSC);
	assert_int_equal(reg(E1000_ICR), OTHER | LSC);
	assert_int_equal(reg(E1000_ICR), OTHER | LSC);
	put(E1000_ICR, OTHER); /* and so are those */
	assert_int_equal(reg(E1000_ICR), 0);
	put(E1000_ICS, RXQ0 | LSC);
	assert_int_equal(reg(E1000_ICR), ASSERTED | RXQ0 | OTHER | LSC);
	assert_int_equal(reg(E1000_ICR), 0);
	/* Whoever looks masks, if he wants. */
	put(E1000E_IAM, RXQ0);
	put(E1000_CTRL_EXT, E1000E_CTRL_EXT_IAME);
	assert_int_equal(reg(E1000_IMS), RXQ0);
	put(E1000_ICS, RXQ0);
	(void)reg(E1000_ICR);
	assert_int_equal(reg(E1000_IMS), 0);
	put(E1000_IMS, RXQ0 | TXQ0);
	put(E1000_ICS, TXQ0);
	put(E1000_ICR, TXQ0);
	assert_int_equal(reg(E1000_IMS), TXQ0);
}

static void test_automatic(void **state)
{
	(void)state;
	start();
	msix_start();
	put(E1000E_EIAC, RXQ0);
	put(E1000_IMS, RXQ0 | TXQ0);
	put(E1000_ICS, RXQ0 | TXQ0);
	assert_int_equal(sent_count, 2);
	put(E1000_IMC, ~0U);
	assert_int_equal(reg(E1000_ICR), TXQ0); /* RXQ0 is gone by itself */
	put(E1000_IMS, RXQ0 | TXQ0);
	put(E1000_ICS, RXQ0); /* and can come again */
	put(E1000_ICS, RXQ0);
	assert_int_equal(sent_count, 4);
	assert_int_equal(reg(E1000_IMS), RXQ0 | TXQ0);
	/* The message masks its own cause, and no other. */
	put(E1000E_IAM, RXQ0 | TXQ0);
	put(E1000_CTRL_EXT, E1000E_CTRL_EXT_EIAME);
	put(E1000_ICS, RXQ0);
	assert_int_equal(reg(E1000_IMS), TXQ0);
	put(E1000_ICS, RXQ0);
	assert_int_equal(sent_count, 5);
	put(E1000_IMS, RXQ0); /* what came meanwhile is told now */
	assert_int_equal(sent_count, 6);
}

static void test_throttle(void **state)
{
	(void)state;
	start();
	msix_start();
	put(E1000E_EITR, 100);
	put(E1000E_EITR + 4, 200);
	put(E1000E_EIAC, RXQ0 | RXQ1);
	put(E1000_IMS, RXQ0 | RXQ1 | TXQ0);
	put(E1000_ICS, RXQ0 | RXQ1);
	assert_int_equal(sent_count, 2);
	put(E1000_ICS, RXQ0 | RXQ1 | TXQ0);
	assert_int_equal(sent_count, 3);
	assert_int_equal(sent[2], 0x42); /* others need not wait */
	bench_step(&t.b, 25600);
	assert_int_equal(sent_count, 4);
	assert_int_equal(sent[3], 0x40);
	bench_step(&t.b, 25599);
	assert_int_equal(sent_count, 4);
	bench_step(&t.b, 1);
	assert_int_equal(sent_count, 5);
	assert_int_equal(sent[4], 0x41);
	assert_false(card.vectors.is_armed);
	put(E1000_ICS, RXQ1);
	put(E1000_CTRL, E1000_CTRL_RST);
	bench_step(&t.b, 1000000);
	assert_int_equal(sent_count, 5);
}

static void test_pending(void **state)
{
	(void)state;
	start();
	msix_start();
	put(E1000_IMS, RXQ0 | RXQ1);
	bus_out(&t.b.memory, BAR_MSIX + 12, 1, 4);
	bus_out(&t.b.memory, BAR_MSIX + 16 + 12, 1, 4);
	put(E1000_ICS, RXQ0 | RXQ1);
	assert_int_equal(sent_count, 0);
	assert_int_equal(bus_in(&t.b.memory, BAR_MSIX + 0x2000, 4), 3);
	put(E1000E_PBACLR, 1);
	assert_int_equal(bus_in(&t.b.memory, BAR_MSIX + 0x2000, 4), 2);
	bus_out(&t.b.memory, BAR_MSIX + 12, 0, 4);
	bus_out(&t.b.memory, BAR_MSIX + 16 + 12, 0, 4);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent[0], 0x41);
}

/* ---- Transmission ------------------------------------------------------- */

static void test_tx_queues(void **state)
{
	uint64_t descriptor[2] = { BUFFERS, 60 | CMD_END };

	(void)state;
	start_rings();
	msix_start();
	put(E1000_IMS, TXQ0 | TXQ1);
	put(E1000_TIDV, 1000); /* means nothing to messages */
	descriptor[1] |= E1000_TXD_IDE;
	t.memory[BUFFERS + 20] = 7;
	memcpy(t.memory + TX_RING1, descriptor, 16);
	put(E1000E_TDT1, 1);
	assert_int_equal(t.sent_count, 1);
	assert_int_equal(t.sent[0].data[20], 7);
	assert_int_equal(reg(E1000E_TDH1), 1);
	assert_int_equal(reg(E1000_TDH), 0);
	assert_true(t.memory[TX_RING1 + 12] & 1);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent[0], 0x43);
	memcpy(t.memory + TX_RING, descriptor, 16);
	put(E1000_TDT, 1);
	assert_int_equal(t.sent_count, 2);
	assert_int_equal(sent[1], 0x42);
	/* A packet begun in one ring waits there for its end. */
	descriptor[1] = 30 | E1000_TXD_IFCS;
	memcpy(t.memory + TX_RING1 + 16, descriptor, 16);
	put(E1000E_TDT1, 2);
	descriptor[1] = 61 | CMD_END;
	memcpy(t.memory + TX_RING + 16, descriptor, 16);
	put(E1000_TDT, 2);
	assert_int_equal(t.sent[2].length, 61);
	descriptor[1] = 40 | CMD_END;
	memcpy(t.memory + TX_RING1 + 32, descriptor, 16);
	put(E1000E_TDT1, 3);
	assert_int_equal(t.sent[3].length, 70);
	assert_int_equal(t.sent_count, 4);
}

static void test_tx_broken(void **state)
{
	uint64_t descriptor[2] = { BUFFERS, 60 | CMD_END };

	(void)state;
	start_rings();
	put(E1000E_TDT1, RING);
	assert_int_equal(card.core.errors[E1000_ERROR_TX_RING], 1);
	/* The other one goes on. */
	memcpy(t.memory + TX_RING, descriptor, 16);
	put(E1000_TDT, 1);
	assert_int_equal(t.sent_count, 1);
	assert_int_equal(card.core.errors[E1000_ERROR_TX_RING], 1);
	memcpy(t.memory + TX_RING1, descriptor, 16);
	put(E1000E_TDT1, 1);
	assert_int_equal(t.sent_count, 2);
}

/* ---- Reception ---------------------------------------------------------- */

static void test_extended(void **state)
{
	uint8_t frame[200];
	uint32_t length;

	(void)state;
	start_rings();
	put(E1000E_RFCTL, E1000E_RFCTL_EXSTEN);
	put(E1000_RXCSUM, E1000_RXCSUM_IPOFL);
	put(E1000_CTRL, reg(E1000_CTRL) | E1000_CTRL_VME);
	length = frame_make(frame, own_mac, 6, 80);
	memmove(frame + 16, frame + 12, length - 12);
	be16_put(frame + 12, 0x8100);
	be16_put(frame + 14, 0x6005);
	arrive(frame, length + 4);
	assert_int_equal(word(RX_RING), 0);
	/* Length and tag; DD, EOP, VP, IPCS, and that IP's sum is wrong. */
	assert_int_equal(word(RX_RING + 8), 0x6005000000000000 |
						    (uint64_t)length << 32 |
						    0x4000004b);
	assert_memory_equal(t.memory + BUFFERS, frame, 12);
	assert_memory_equal(t.memory + BUFFERS + 12, frame + 16, length - 12);
	/* The packet's sum is where the hash would be. */
	put(E1000_RXCSUM, 14);
	arrive(frame, length + 4);
	assert_int_not_equal(word(RX_RING + 16) >> 48, 0);
	assert_int_equal(word(RX_RING + 16) << 16, 0);
}

/* A frame in several buffers of a descriptor, and in several of those. */
static void test_split(void **state)
{
	uint8_t frame[8000];
	uint64_t base = BUFFERS, words[4] = { base, base + 0x2000,
					      base + 0x4000, base + 0x6000 };

	(void)state;
	start_rings();
	put(E1000_RDH, 0);
	put(E1000_RDT, 0);
	for (unsigned i = 0; i < RING / 2; i++)
		memcpy(t.memory + RX_RING + i * 32, words, 32);
	put(E1000E_RFCTL, E1000E_RFCTL_EXSTEN);
	/* 256 bytes, 1, 2 and 0 KiB. */
	put(E1000E_PSRCTL, 2 | 1 << 8 | 2 << 16);
	put(E1000_RCTL, reg(E1000_RCTL) | E1000_RCTL_LPE | 1 << 10);
	put(E1000_RDT, 6); /* of units of 16 bytes, as the head */
	for (unsigned i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 13 + i / 256);
	memcpy(frame, own_mac, 6);
	arrive(frame, 3328 + 300);
	assert_int_equal(reg(E1000_RDH), 4);
	assert_int_equal(word(RX_RING + 8), 256ULL << 32 | 1);
	assert_int_equal(word(RX_RING + 16), 1024ULL << 16 | 2048ULL << 32);
	assert_int_equal(word(RX_RING + 32 + 8) & 0xffff00000003,
			 256ULL << 32 | 3);
	assert_int_equal(word(RX_RING + 32 + 16), 44ULL << 16);
	assert_int_equal(word(RX_RING + 32 + 24), 0);
	/* The second descriptor had the same buffers. */
	assert_memory_equal(t.memory + base, frame + 3328, 256);
	assert_memory_equal(t.memory + base + 0x2000, frame + 3584, 44);
	assert_memory_equal(t.memory + base + 0x2000 + 44, frame + 300, 980);
	assert_memory_equal(t.memory + base + 0x4000, frame + 1280, 2048);
	/* Three are free of which two are needed, then one: the frame waits. */
	put(E1000_RDT, 2);
	arrive(frame, 3328 + 300);
	assert_int_equal(reg(E1000_RDH), 0);
	arrive(frame, 3328 + 300);
	assert_int_equal(reg(E1000_RDH), 0);
	put(E1000_RDT, 6);
	assert_int_equal(reg(E1000_RDH), 4);
	assert_int_equal(card.core.errors[E1000_ERROR_RX_RING], 0);
	/* From an odd place the last one is half outside, and still the last.
	 */
	put(E1000_RDH, 7);
	put(E1000_RDT, 4);
	arrive(frame, 100);
	assert_int_equal(reg(E1000_RDH), 0);
}

/* Sizes of nothing end in some size, and a flexible one counts. */
static void test_sizes(void **state)
{
	uint8_t frame[3000] = { 0 };

	(void)state;
	start_rings();
	memcpy(frame, own_mac, 6);
	put(E1000_RCTL, reg(E1000_RCTL) | E1000_RCTL_LPE | 1 << 27);
	arrive(frame, 2500);
	assert_int_equal(reg(E1000_RDH), 3);
	assert_int_equal(word(RX_RING + 8) & 0xffff, 1024);
	put(E1000E_RFCTL, E1000E_RFCTL_EXSTEN);
	put(E1000E_PSRCTL, 0);
	put(E1000_RCTL, reg(E1000_RCTL) | 1 << 10);
	put(E1000_RDH, 0);
	put(E1000_RDT, 6);
	arrive(frame, 2500);
	assert_int_equal(reg(E1000_RDH), 4);
	assert_int_equal(card.core.errors[E1000_ERROR_RX_RING], 0);
}

/* ---- RSS ---------------------------------------------------------------- */

/* The key and packets by which Microsoft has such hashes verified. */
static const uint8_t rss_key[40] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
	0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
	0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
	0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

#define FIELDS_ALL 0x001f0000U

static void rss_start(uint32_t fields)
{
	start_rings();
	for (unsigned i = 0; i < 10; i++) {
		uint32_t value;

		memcpy(&value, rss_key + 4 * i, 4);
		put(E1000E_RSSRK + 4 * i, value);
	}
	put(E1000E_MRQC, fields | E1000E_MRQC_RSS);
	put(E1000E_RFCTL, E1000E_RFCTL_EXSTEN);
	put(E1000_RXCSUM, E1000_RXCSUM_PCSD);
}

static uint32_t ipv4_make(uint8_t *frame, uint32_t source, uint32_t target,
			  uint16_t source_port, uint16_t target_port)
{
	uint32_t length = frame_make(frame, own_mac, 6, 40);

	be16_put(frame + 26, source >> 16);
	be16_put(frame + 28, source);
	be16_put(frame + 30, target >> 16);
	be16_put(frame + 32, target);
	be16_put(frame + 34, source_port);
	be16_put(frame + 36, target_port);
	return length;
}

static void test_hash_ipv4(void **state)
{
	static const struct {
		uint32_t source, target;
		uint16_t source_port, target_port;
		uint32_t hash, hash_tcp;
	} rows[] = {
		{ 0x420995bb, 0xa18e6450, 2794, 1766, 0x323e8fc2, 0x51ccc178 },
		{ 0xc75c6f02, 0x41458c53, 14230, 4739, 0xd718262a, 0xc626b0ea },
		{ 0x1813c65f, 0x0c16cfb8, 12898, 38024, 0xd2d0a5de,
		  0x5c2b394a },
	};
	uint8_t frame[100];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t length =
			ipv4_make(frame, rows[i].source, rows[i].target,
				  rows[i].source_port, rows[i].target_port);

		rss_start(FIELDS_ALL);
		arrive(frame, length);
		assert_int_equal(word(RX_RING),
				 (uint64_t)rows[i].hash_tcp << 32 | 1);
		rss_start((uint32_t)E1000E_MRQC_IPV4);
		arrive(frame, length);
		assert_int_equal(word(RX_RING),
				 (uint64_t)rows[i].hash << 32 | 2);
		/* Of a fragment the ports may be elsewhere. */
		rss_start(FIELDS_ALL);
		frame[20] = 0x20;
		arrive(frame, length);
		assert_int_equal(word(RX_RING),
				 (uint64_t)rows[i].hash << 32 | 2);
	}
	rss_start((uint32_t)E1000E_MRQC_IPV6);
	arrive(frame, 94);
	assert_int_equal(word(RX_RING), 0);
}

static void test_hash_ipv6(void **state)
{
	static const uint8_t source[16] = { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00,
					    0x1f, 0xff, 0,    0,    0,	  0,
					    0,	  0,	0,    7 };
	static const uint8_t target[16] = { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00,
					    0,	  3,	0,    0,    0,	  0,
					    0,	  0,	0,    1 };
	uint8_t frame[100] = { 0 };

	(void)state;
	memcpy(frame, own_mac, 6);
	be16_put(frame + 12, 0x86dd);
	frame[14] = 0x60;
	frame[20] = 6;
	memcpy(frame + 22, source, 16);
	memcpy(frame + 38, target, 16);
	be16_put(frame + 54, 2794);
	be16_put(frame + 56, 1766);
	rss_start(FIELDS_ALL);
	arrive(frame, 100);
	assert_int_equal(word(RX_RING), 0x40207d3d00000003);
	rss_start((uint32_t)E1000E_MRQC_IPV6);
	arrive(frame, 100);
	assert_int_equal(word(RX_RING), 0x2cc18cd500000005);
	rss_start((uint32_t)E1000E_MRQC_IPV6_EX);
	arrive(frame, 100);
	assert_int_equal(word(RX_RING), 0x2cc18cd500000004);
	/* What ends before its addresses has no hash. */
	rss_start(FIELDS_ALL);
	frame[12] = 0x88;
	arrive(frame, 100);
	assert_int_equal(word(RX_RING), 0);
}

/* The second queue, its ring and its vector, by RETA. */
static void test_queues(void **state)
{
	uint8_t frame[100];
	uint32_t length = ipv4_make(frame, 0x420995bb, 0xa18e6450, 2794, 1766);

	(void)state;
	rss_start(FIELDS_ALL);
	msix_start();
	put(E1000_IMS, RXQ0 | RXQ1);
	/* Of 78h: 51CCC178h % 128. */
	put(E1000E_RETA + 0x78, 0x7f);
	arrive(frame, length);
	assert_int_equal(reg(E1000_RDH), 1);
	assert_int_equal(sent[0], 0x40);
	put(E1000E_RETA + 0x78, 0x80);
	arrive(frame, length);
	assert_int_equal(reg(E1000_RDH), 1);
	assert_int_equal(reg(E1000E_RDH1), 1);
	assert_int_equal(word(RX_RING1), 0x51ccc17800000101);
	assert_memory_equal(t.memory + BUFFERS1, frame, length);
	assert_int_equal(sent_count, 2);
	assert_int_equal(sent[1], 0x41);
	/* A full ring has the frame wait, and room lets it go on. */
	put(E1000E_RDT1, 1);
	arrive(frame, length);
	assert_int_equal(reg(E1000E_RDH1), 1);
	put(E1000E_RDT1, 4);
	assert_int_equal(reg(E1000E_RDH1), 2);
	/* A broken one is not tried until it is written. */
	put(E1000E_RDH1, RING);
	arrive(frame, length);
	arrive(frame, length);
	assert_int_equal(card.core.errors[E1000_ERROR_RX_RING], 1);
	put(E1000E_RDH1, 2);
	put(E1000E_RDT1, 6);
	assert_int_equal(reg(E1000E_RDH1), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pci),
		cmocka_unit_test(test_flash),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_nvm),
		cmocka_unit_test(test_phy),
		cmocka_unit_test(test_semaphores),
		cmocka_unit_test(test_master_off),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_intx),
		cmocka_unit_test(test_msi),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_icr),
		cmocka_unit_test(test_automatic),
		cmocka_unit_test(test_throttle),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_tx_queues),
		cmocka_unit_test(test_tx_broken),
		cmocka_unit_test(test_extended),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_hash_ipv4),
		cmocka_unit_test(test_hash_ipv6),
		cmocka_unit_test(test_queues),
	};

	return cmocka_run_group_tests_name("e1000e", tests, NULL, NULL);
}
