/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the 82574L has besides the 82540EM: capabilities, NVM, PHY pages,
 * semaphores, its clock, interrupts by messages.
 */
#include "tests/unit/e1000e_test.h"

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
	};

	return cmocka_run_group_tests_name("e1000e", tests, NULL, NULL);
}
