/* SPDX-License-Identifier: BSD-2-Clause */
/* The 82540EM: registers, EEPROM, PHY, link, interrupts, statistics. */
#include "tests/unit/e1000_test.h"

#include "include/errno.h"

/* ---- Registers ---------------------------------------------------------- */

static void test_reset(void **state)
{
	static const uint32_t values[][2] = {
		{ E1000_CTRL, 0x201 },
		{ E1000_VET, 0x8100 },
		{ E1000_ICR, 0 },
		{ E1000_IMS, 0 },
		{ E1000_RCTL, 0 },
		{ E1000_TCTL, 0 },
		{ E1000_LEDCTL, 0x7068302 },
		{ E1000_PBA, 0x100030 },
		{ E1000_TDH, 0 },
		{ E1000_RA, 0x12005452 },
		{ E1000_RA + 4, 0x80005634 },
		{ E1000_RA + 8, 0 },
		{ E1000_STATUS, 0x381 },
	};

	(void)state;
	start();
	for (unsigned i = 0; i < ARRAY_SIZE(values); i++)
		assert_int_equal(reg(values[i][0]), values[i][1]);
	put(E1000_RCTL, ~0U);
	put(E1000_TDBAL, ~0U);
	put(E1000_RA, 1);
	put(E1000_CTRL, (uint32_t)E1000_CTRL_RST);
	for (unsigned i = 0; i < ARRAY_SIZE(values); i++)
		assert_int_equal(reg(values[i][0]), values[i][1]);
	assert_int_equal(reg(E1000_TDBAL), 0);
	/* PCI is not reset with it. */
	assert_true(bus_is_claimed(&t.b.memory, BAR0));
}

static void test_masks(void **state)
{
	static const uint32_t rows[][3] = {
		/* register, written, read */
		{ E1000_RDBAL, ~0U, 0xfffffff0 },
		{ E1000_RDBAH, ~0U, ~0U },
		{ E1000_RDLEN, ~0U, 0x000fff80 },
		{ E1000_TDH, ~0U, 0xffff },
		{ E1000_STATUS, ~0U, 0x381 },
		{ E1000_VET, ~0U, 0xffff },
		{ E1000_PBA, 0x20, 0x200020 },
		{ E1000_MTA, ~0U, ~0U },
		{ E1000_MTA + 127 * 4, ~0U, ~0U },
		{ E1000_VFTA + 127 * 4, 5, 5 },
		{ E1000_RA + 31 * 4, 7, 7 },
		{ E1000_WUFC, ~0U, 0xf80ff },
		{ E1000_IP4AT + 8, 0x01020304, 0x01020304 },
		{ E1000_IP4AT + 4, 0x01020304, 0 },
		{ E1000_FFMT + 127 * 8, ~0U, 15 },
		{ E1000_FFVT + 127 * 8, ~0U, ~0U },
		{ 0x0004, ~0U, 0 },
		{ 0x9ffc, ~0U, 0 },
		{ 0x10000, ~0U, 0 }, /* packet buffer */
		{ 0x1fffc, ~0U, 0 },
	};

	(void)state;
	start();
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		put(rows[i][0], rows[i][1]);
		if (reg(rows[i][0]) != rows[i][2])
			fail_msg("%x: %x, not %x", rows[i][0], reg(rows[i][0]),
				 rows[i][2]);
	}
	/* Only doublewords. */
	assert_int_equal(bus_in(&t.b.memory, BAR0 + E1000_VET, 1), 0xff);
	assert_int_equal(bus_in(&t.b.memory, BAR0 + E1000_VET, 2), 0xffff);
}

static void test_io(void **state)
{
	(void)state;
	start();
	bus_out(&t.b.ports, BAR_IO, E1000_VET, 4);
	assert_int_equal(bus_in(&t.b.ports, BAR_IO, 4), E1000_VET);
	assert_int_equal(bus_in(&t.b.ports, BAR_IO + 4, 4), 0x8100);
	bus_out(&t.b.ports, BAR_IO + 4, 0x88a8, 4);
	assert_int_equal(reg(E1000_VET), 0x88a8);
	bus_out(&t.b.ports, BAR_IO, E1000_VET + 1, 4); /* not a register's */
	assert_int_equal(bus_in(&t.b.ports, BAR_IO + 4, 4), 0);
	bus_out(&t.b.ports, BAR_IO, ~0U, 4);
	assert_int_equal(bus_in(&t.b.ports, BAR_IO, 4), 0x1ffff);
	assert_int_equal(bus_in(&t.b.ports, BAR_IO + 8, 4), 0);
}

static void test_pci(void **state)
{
	(void)state;
	start();
	assert_int_equal(pci_config_read(&t.pci, DEVFN, 0, 4), 0x100e8086);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, PCI_CLASS_DEVICE, 2),
			 0x0200);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, PCI_INTERRUPT_PIN, 1),
			 1);
	pci_config_write(&t.pci, DEVFN, PCI_BAR0, 4, ~0U);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, PCI_BAR0, 4),
			 0xfffe0000);
	pci_config_write(&t.pci, DEVFN, PCI_BAR0 + 4, 4, ~0U);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, PCI_BAR0 + 4, 4), 0);
	/* No ROM where none was given. */
	pci_config_write(&t.pci, DEVFN, PCI_ROM_ADDRESS, 4, ~0U);
	assert_int_equal(pci_config_read(&t.pci, DEVFN, PCI_ROM_ADDRESS, 4), 0);
}

static void test_rom(void **state)
{
	static uint8_t rom[3000];
	struct nic_config config;

	(void)state;
	start();
	config = card.core.config;
	for (unsigned i = 0; i < sizeof(rom); i++)
		rom[i] = (uint8_t)(i % 251 + 1);
	config.rom = rom;
	config.rom_length = sizeof(rom);
	config.devfn = PCI_DEVFN(4, 0);
	assert_int_equal(e1000_init(&card, &config), 0);
	pci_config_write(&t.pci, config.devfn, PCI_ROM_ADDRESS, 4, ~0U);
	assert_int_equal(
		pci_config_read(&t.pci, config.devfn, PCI_ROM_ADDRESS, 4),
		0xfffff001);
	pci_config_write(&t.pci, config.devfn, PCI_ROM_ADDRESS, 4, 0xe2000001);
	pci_config_write(&t.pci, config.devfn, PCI_COMMAND, 2,
			 PCI_COMMAND_MEMORY);
	assert_int_equal(bus_in(&t.b.memory, 0xe2000000, 1), 1);
	assert_int_equal(bus_in(&t.b.memory, 0xe2000000 + 2992, 8),
			 *(uint64_t *)(rom + 2992));
	assert_int_equal(bus_in(&t.b.memory, 0xe2000000 + 2999, 1), rom[2999]);
	assert_int_equal(bus_in(&t.b.memory, 0xe2000000 + 3000, 1), 0);
}

/* ---- EEPROM ------------------------------------------------------------- */

static uint16_t eerd(unsigned address)
{
	uint32_t value;

	put(E1000_EERD, address << 8 | 1);
	value = reg(E1000_EERD);
	assert_true(value & E1000_EERD_DONE);
	assert_int_equal(value >> 8 & 0xff, address);
	return (uint16_t)(value >> 16);
}

static void test_eeprom(void **state)
{
	uint16_t sum = 0;

	(void)state;
	start();
	assert_int_equal(eerd(0), 0x5452);
	assert_int_equal(eerd(1), 0x1200);
	assert_int_equal(eerd(2), 0x5634);
	assert_int_equal(eerd(13), 0x100e);
	for (unsigned i = 0; i < EEPROM93C46_WORDS; i++)
		sum = (uint16_t)(sum + eerd(i));
	assert_int_equal(sum, 0xbaba);
	put(E1000_EERD, 5 << 8); /* without START nothing happens */
	assert_int_equal(reg(E1000_EERD) >> 8 & 0xff, 63);
}

static void wire_out(uint32_t bits, unsigned count)
{
	while (count--) {
		uint32_t pins = (uint32_t)(E1000_EECD_CS | E1000_EECD_REQ);

		if (bits >> count & 1)
			pins |= (uint32_t)E1000_EECD_DI;
		put(E1000_EECD, pins);
		put(E1000_EECD, pins | (uint32_t)E1000_EECD_SK);
		put(E1000_EECD, pins);
	}
}

static uint16_t wire_in(void)
{
	uint32_t pins = (uint32_t)(E1000_EECD_CS | E1000_EECD_REQ);
	uint16_t word = 0;

	for (unsigned i = 0; i < 16; i++) {
		put(E1000_EECD, pins | (uint32_t)E1000_EECD_SK);
		word = (uint16_t)(word << 1 |
				  !!(reg(E1000_EECD) & E1000_EECD_DO));
		put(E1000_EECD, pins);
	}
	return word;
}

static void wire_deselect(void)
{
	put(E1000_EECD, (uint32_t)E1000_EECD_REQ);
	put(E1000_EECD, (uint32_t)(E1000_EECD_REQ | E1000_EECD_SK));
	put(E1000_EECD, (uint32_t)E1000_EECD_REQ);
}

static void test_microwire(void **state)
{
	(void)state;
	start();
	put(E1000_EECD, (uint32_t)E1000_EECD_REQ);
	assert_true(reg(E1000_EECD) & E1000_EECD_GNT);
	assert_true(reg(E1000_EECD) & E1000_EECD_PRES);
	put(E1000_EECD, 0);
	assert_false(reg(E1000_EECD) & E1000_EECD_GNT);
	wire_out(6 << 6 | 0, 9);
	assert_false(reg(E1000_EECD) & E1000_EECD_DO); /* the dummy bit */
	assert_int_equal(wire_in(), 0x5452);
	assert_int_equal(wire_in(), 0x1200); /* the next one follows */
	wire_deselect();
	wire_out(6 << 6 | 13, 9);
	assert_int_equal(wire_in(), 0x100e);
	wire_deselect();
	/* Written only when enabled. */
	wire_out(5 << 6 | 40, 9);
	wire_out(0xbeef, 16);
	wire_deselect();
	assert_int_equal(eerd(40), 0);
	wire_out(4 << 6 | 0x30, 9);
	wire_deselect();
	wire_out(5 << 6 | 40, 9);
	wire_out(0xbeef, 16);
	assert_true(reg(E1000_EECD) & E1000_EECD_DO); /* it is done */
	wire_deselect();
	assert_int_equal(eerd(40), 0xbeef);
	wire_out(4 << 6, 9);
	wire_deselect();
	wire_out(5 << 6 | 40, 9);
	wire_out(1, 16);
	wire_deselect();
	e1000_reset(&card);
	assert_int_equal(card.state.eeprom.word[40], 0xbeef);
}

/* ---- PHY and link ------------------------------------------------------- */

static uint32_t mdic(uint32_t op, uint32_t phy, uint32_t which, uint32_t data)
{
	put(E1000_MDIC, op << 26 | phy << 21 | which << 16 | data);
	assert_true(reg(E1000_MDIC) & E1000_MDIC_READY);
	return reg(E1000_MDIC);
}

static uint16_t phy(unsigned which)
{
	uint32_t value = mdic(E1000_MDIC_READ, 1, which, 0);

	assert_false(value & E1000_MDIC_ERROR);
	return (uint16_t)value;
}

static void test_phy(void **state)
{
	(void)state;
	start();
	assert_int_equal(phy(E1000_PHY_ID1), 0x0141);
	assert_int_equal(phy(E1000_PHY_ID2), 0x0c20);
	assert_int_equal(phy(E1000_PHY_CONTROL), 0x1140);
	assert_int_equal(phy(E1000_PHY_STATUS), 0x796d);
	assert_true(phy(E1000_PHY_SPECIFIC_STATUS) & BIT(10));
	assert_int_equal(phy(E1000_PHY_SPECIFIC_STATUS) >> 14, 2);
	mdic(E1000_MDIC_WRITE, 1, E1000_PHY_ADVERTISE, 0x01e1);
	assert_int_equal(phy(E1000_PHY_ADVERTISE), 0x01e1);
	mdic(E1000_MDIC_WRITE, 1, E1000_PHY_ID1, 0);
	assert_int_equal(phy(E1000_PHY_ID1), 0x0141);
	/* Restarting negotiation ends at once. */
	mdic(E1000_MDIC_WRITE, 1, E1000_PHY_CONTROL, 0x1340);
	assert_int_equal(phy(E1000_PHY_CONTROL), 0x1140);
	mdic(E1000_MDIC_WRITE, 1, E1000_PHY_CONTROL, 0x8000);
	assert_int_equal(phy(E1000_PHY_ADVERTISE), 0x0de1);
	/* There is one PHY, and two commands. */
	assert_true(mdic(E1000_MDIC_READ, 2, 0, 0) & E1000_MDIC_ERROR);
	assert_true(mdic(0, 1, 0, 0) & E1000_MDIC_ERROR);
	assert_true(mdic(3, 1, 0, 0) & E1000_MDIC_ERROR);
}

static void test_mdic_interrupt(void **state)
{
	(void)state;
	start();
	put(E1000_IMS, (uint32_t)E1000_CAUSE_MDAC);
	mdic(E1000_MDIC_READ, 1, 0, 0);
	assert_false(line());
	put(E1000_MDIC, (uint32_t)E1000_MDIC_INTERRUPT | 2U << 26 | 1 << 21);
	assert_true(line());
	assert_int_equal(reg(E1000_ICR), E1000_CAUSE_MDAC);
}

static void test_link(void **state)
{
	(void)state;
	start();
	/* It takes the driver's SLU, a cable and a PHY with power. */
	assert_false(reg(E1000_STATUS) & E1000_STATUS_LU);
	put(E1000_IMS, (uint32_t)E1000_CAUSE_LSC);
	put(E1000_CTRL, 0x201 | (uint32_t)E1000_CTRL_SLU);
	assert_true(reg(E1000_STATUS) & E1000_STATUS_LU);
	assert_true(line());
	assert_int_equal(reg(E1000_ICR), E1000_CAUSE_LSC);
	assert_false(line());
	t.device.link_changed(t.device.dev, false);
	assert_true(line());
	assert_int_equal(reg(E1000_ICR), E1000_CAUSE_LSC);
	assert_false(reg(E1000_STATUS) & E1000_STATUS_LU);
	assert_int_equal(phy(E1000_PHY_STATUS), 0x7949);
	assert_int_equal(phy(E1000_PHY_PARTNER), 0);
	t.device.link_changed(t.device.dev, false);
	assert_int_equal(reg(E1000_ICR), 0);
	t.device.link_changed(t.device.dev, true);
	assert_int_equal(reg(E1000_ICR), E1000_CAUSE_LSC);
	/* Until it is read twice it says that it was away. */
	t.device.link_changed(t.device.dev, false);
	t.device.link_changed(t.device.dev, true);
	assert_false(phy(E1000_PHY_STATUS) & E1000_PHY_LINK);
	assert_true(phy(E1000_PHY_STATUS) & E1000_PHY_LINK);
	mdic(E1000_MDIC_WRITE, 1, E1000_PHY_CONTROL, 0x1940);
	assert_false(reg(E1000_STATUS) & E1000_STATUS_LU);
}

/* ---- Interrupts --------------------------------------------------------- */

static void test_causes(void **state)
{
	(void)state;
	start();
	put(E1000_ICS, 0x10);
	assert_false(line());
	put(E1000_IMS, 0x90);
	assert_true(line());
	assert_int_equal(reg(E1000_IMS), 0x90);
	put(E1000_IMC, 0x10);
	assert_false(line());
	assert_int_equal(reg(E1000_IMS), 0x80);
	put(E1000_ICS, 0x80);
	assert_true(line());
	put(E1000_ICR, 0x80); /* cleared by 1 */
	assert_false(line());
	assert_int_equal(reg(E1000_ICR), 0x10);
	assert_int_equal(reg(E1000_ICR), 0);
	assert_int_equal(reg(E1000_ICS), 0);
	assert_int_equal(reg(E1000_IMC), 0);
	put(E1000_ICS, ~0U);
	assert_int_equal(reg(E1000_ICR), E1000_CAUSES);
}

static void test_throttle(void **state)
{
	(void)state;
	start();
	put(E1000_ITR, 100); /* 25.6 us */
	put(E1000_IMS, 0x80);
	put(E1000_ICS, 0x80);
	assert_true(line()); /* the first one at once */
	assert_int_equal(reg(E1000_ICR), 0x80);
	put(E1000_ICS, 0x80);
	assert_false(line());
	bench_step(&t.b, 25599);
	assert_false(line());
	bench_step(&t.b, 1);
	assert_true(line());
	assert_int_equal(t.b.rises[LINE], 2);
	/* A cause that is taken back in time is none. */
	(void)reg(E1000_ICR);
	put(E1000_ICS, 0x80);
	put(E1000_IMC, 0x80);
	bench_step(&t.b, 100000);
	assert_int_equal(t.b.rises[LINE], 2);
	put(E1000_IMS, 0x80);
	assert_int_equal(t.b.rises[LINE], 3);
}

/* ---- Statistics --------------------------------------------------------- */

static void test_statistics(void **state)
{
	uint32_t *counters;

	(void)state;
	start();
	counters = card.state.chip.statistic;
	counters[E1000_TPT] = 5;
	counters[E1000_TOTL] = 7;
	counters[E1000_TOTL + 1] = 9;
	put(E1000_STATISTICS + 4 * E1000_TPT, 1); /* read-only */
	assert_int_equal(statistic(E1000_TPT), 5);
	assert_int_equal(statistic(E1000_TPT), 0);
	/* The lower half stands until the upper one was read. */
	assert_int_equal(statistic(E1000_TOTL), 7);
	assert_int_equal(statistic(E1000_TOTL), 7);
	assert_int_equal(statistic(E1000_TOTL + 1), 9);
	assert_int_equal(statistic(E1000_TOTL), 0);
	assert_int_equal(statistic(E1000_TOTL + 1), 0);
}

/* They stop at their ends: a frame more changes nothing. */
static void test_statistics_end(void **state)
{
	uint8_t frame[64] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	(void)state;
	start_rings();
	card.state.chip.statistic[E1000_TPR] = ~0U;
	card.state.chip.statistic[E1000_TORL] = ~0U - 3;
	card.state.chip.statistic[E1000_TORL + 1] = ~0U;
	arrive(frame, 60);
	assert_int_equal(statistic(E1000_TPR), ~0U);
	assert_int_equal(statistic(E1000_TORL), ~0U);
	assert_int_equal(statistic(E1000_TORL + 1), ~0U);
	assert_int_equal(statistic(E1000_GPRC), 1);
	assert_int_equal(statistic(E1000_BPRC), 1);
	assert_int_equal(statistic(E1000_PRC64), 1);
	assert_int_equal(statistic(E1000_GORCL), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_io),
		cmocka_unit_test(test_pci),
		cmocka_unit_test(test_rom),
		cmocka_unit_test(test_eeprom),
		cmocka_unit_test(test_microwire),
		cmocka_unit_test(test_phy),
		cmocka_unit_test(test_mdic_interrupt),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_throttle),
		cmocka_unit_test(test_statistics),
		cmocka_unit_test(test_statistics_end),
	};

	return cmocka_run_group_tests_name("e1000", tests, NULL, NULL);
}
