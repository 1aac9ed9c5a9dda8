/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RTL8139's EEPROM, its PHY, and the link.
 *
 * References: RTL8139C data sheet: 93C46 (64*16 EEPROM) Contents, 93C46 Command
 * Register, Basic Mode Control and Status Registers, CS Configuration Register.
 */
#include "devices/rtl8139_internal.h"

/* ---- EEPROM ------------------------------------------------------------- */

#define EEPROM_MAC 7 /* first word of three */

void rtl8139_eeprom_fill(struct rtl8139 *nic, const uint8_t *mac)
{
	static const uint16_t identity[] = {
		0x8129, /* what follows is valid */
		0x10ec, /* vendor, device; then the subsystem's */
		0x8139, 0x10ec, 0x8139, 0x4020, /* MXLAT, MNGNT */
	};
	uint16_t *word = nic->state.eeprom.word;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(identity); i++)
		word[i] = identity[i];
	for (i = 0; i < 3; i++)
		word[EEPROM_MAC + i] =
			(uint16_t)(mac[2 * i] | mac[2 * i + 1] << 8);
}

void rtl8139_autoload(struct rtl8139 *nic)
{
	const uint16_t *mac = nic->state.eeprom.word + EEPROM_MAC;
	uint32_t *reg = nic->state.chip.reg;

	reg[RTL8139_IDR0] = mac[0] | (uint32_t)mac[1] << 16;
	reg[RTL8139_IDR4] = mac[2];
}

/* Wires are connected in programming mode only. */
void rtl8139_cr9346_written(struct rtl8139 *nic)
{
	static const struct eeprom93c46_wires wires = {
		.select = RTL8139_EECS,
		.clock = RTL8139_EESK,
		.data = RTL8139_EEDI,
	};
	uint32_t *cr = &nic->state.chip.reg[RTL8139_CR9346];
	uint32_t mode = (uint32_t)FIELD_GET(RTL8139_EEM, *cr);
	bool is_connected = mode == RTL8139_EEM_PROGRAMMING;

	eeprom93c46_pins_set(&nic->state.eeprom, &wires,
			     (uint16_t)(is_connected ? *cr : 0));
	if (mode == RTL8139_EEM_AUTOLOAD) {
		rtl8139_autoload(nic);
		*cr = 0;
	}
}

uint32_t rtl8139_cr9346_read(const struct rtl8139 *nic)
{
	uint32_t cr = nic->state.chip.reg[RTL8139_CR9346];

	if (eeprom93c46_is_high(&nic->state.eeprom))
		cr |= RTL8139_EEDO;
	return cr;
}

/* ---- PHY ---------------------------------------------------------------- */

/* Negotiation takes no time. */
void rtl8139_bmcr_written(struct rtl8139 *nic, uint32_t value)
{
	nic->state.chip.reg[RTL8139_BMCR] &= ~(uint32_t)RTL8139_BMCR_RESTART;
	if (value & RTL8139_BMCR_RESET)
		rtl8139_registers_reset(nic, RTL8139_BMCR, RTL8139_ANER);
}

uint32_t rtl8139_bmsr_read(struct rtl8139 *nic)
{
	uint32_t value = nic->state.chip.reg[RTL8139_BMSR];

	if (nic->state.is_cable_up) {
		value |= RTL8139_BMSR_DONE;
		if (!nic->state.has_link_dropped)
			value |= RTL8139_BMSR_LINK;
	}
	nic->state.has_link_dropped = false;
	return value;
}

uint32_t rtl8139_cscr_read(struct rtl8139 *nic)
{
	uint32_t *cscr = &nic->state.chip.reg[RTL8139_CSCR];
	uint32_t value = *cscr;

	*cscr &= ~(uint32_t)RTL8139_CSCR_LINK_CHANGED;
	return nic->state.is_cable_up ? value | RTL8139_CSCR_LINK_OK : value;
}

/* ---- The link ----------------------------------------------------------- */

void rtl8139_link_set(struct rtl8139 *nic, bool is_up)
{
	uint32_t *reg = nic->state.chip.reg;

	if (is_up == nic->state.is_cable_up)
		return;
	nic->state.is_cable_up = is_up;
	if (!is_up) {
		nic->state.has_link_dropped = true;
		reg[RTL8139_DIS] = MIN(reg[RTL8139_DIS] + 1, 0xffffU);
	}
	reg[RTL8139_CSCR] |= RTL8139_CSCR_LINK_CHANGED;
	rtl8139_raise(nic, RTL8139_PUN);
	/* What could not be sent is lost now. */
	rtl8139_tx_run(nic);
}
