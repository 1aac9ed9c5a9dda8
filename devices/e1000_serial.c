/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the controllers reach by serial wires: their EEPROM and their PHY.  And
 * the link, which both ends of the PHY have a say in.
 *
 * References: the manual's chapter 5 (EEPROM) and 13.4.5; IEEE 802.3,
 * clause 22.
 */
#include "devices/e1000_internal.h"

#include "lib/string.h"

/* ---- EEPROM ------------------------------------------------------------- */

#define EEPROM_CHECKSUM 63
#define EEPROM_SUM	0xbaba

void e1000_eeprom_fill(struct e1000_core *nic, const uint8_t *mac)
{
	const uint8_t(*words)[3] = nic->model->eeprom;
	uint16_t *word = nic->state->eeprom.word;
	uint16_t sum = 0;
	unsigned i;

	for (i = 0; i < 3; i++)
		word[i] = (uint16_t)(mac[2 * i] | mac[2 * i + 1] << 8);
	for (i = 0; i < nic->model->eeprom_count; i++)
		word[words[i][0]] = (uint16_t)(words[i][1] << 8 | words[i][2]);
	for (i = 0; i < EEPROM_CHECKSUM; i++)
		sum = (uint16_t)(sum + word[i]);
	word[EEPROM_CHECKSUM] = (uint16_t)(EEPROM_SUM - sum);
}

void e1000_eerd_write(struct e1000_core *nic, uint32_t value)
{
	const struct e1000_model *model = nic->model;
	unsigned address = (unsigned)FIELD_GET(model->eerd_address, value);
	uint16_t word = nic->state->eeprom.word[address % EEPROM93C46_WORDS];

	if (!(value & E1000_EERD_START))
		return;
	nic->state->chip.reg.eerd =
		(uint32_t)(FIELD_PUT(E1000_EERD_DATA, word) |
			   FIELD_PUT(model->eerd_address, address) |
			   model->eerd_done);
}

#define WIRE_PINS \
	(E1000_EECD_SK | E1000_EECD_CS | E1000_EECD_DI | E1000_EECD_REQ)

uint32_t e1000_eecd_read(const struct e1000_core *nic)
{
	const struct eeprom93c46 *eeprom = &nic->state->eeprom;
	uint32_t value = eeprom->pins | E1000_EECD_PRES | E1000_EECD_FWE;

	if (eeprom->pins & E1000_EECD_REQ)
		value |= E1000_EECD_GNT;
	if (eeprom93c46_is_high(eeprom))
		value |= E1000_EECD_DO;
	return value;
}

void e1000_eecd_write(struct e1000_core *nic, uint32_t value)
{
	static const struct eeprom93c46_wires wires = {
		.select = E1000_EECD_CS,
		.clock = E1000_EECD_SK,
		.data = E1000_EECD_DI,
	};

	eeprom93c46_pins_set(&nic->state->eeprom, &wires,
			     (uint16_t)(value & WIRE_PINS));
}

/* ---- PHY ---------------------------------------------------------------- */

static const uint16_t phy_reset[E1000_PHY_REGISTERS] = {
	[E1000_PHY_CONTROL] = 0x1140,	/* full duplex, automatic, 1000 */
	[E1000_PHY_STATUS] = 0x7949,	/* all speeds; extended */
	[E1000_PHY_ID1] = 0x0141,	/* Marvell */
	[E1000_PHY_ADVERTISE] = 0x0de1, /* all modes and pauses */
	[E1000_PHY_PARTNER] = 0xcde1,
	[E1000_PHY_EXPANSION] = 0x000d,
	[E1000_PHY_NEXT_PAGE] = 0x2001,
	[E1000_PHY_GIGABIT_CONTROL] = 0x0e00,
	[E1000_PHY_GIGABIT_STATUS] = 0x7c00,
	[E1000_PHY_EXTENDED_STATUS] = 0x3000,
	[E1000_PHY_SPECIFIC_CONTROL] = 0x0360,
	[E1000_PHY_SPECIFIC_STATUS] = 0xa800, /* 1000, full duplex, known */
	[E1000_PHY_EXTENDED_CONTROL] = 0x0d60,
};

void e1000_phy_reset(struct e1000_core *nic)
{
	memcpy(nic->state->phy, phy_reset, sizeof(phy_reset));
	nic->state->phy[E1000_PHY_ID2] = nic->model->phy_id2;
	e1000_link_update(nic);
}

static bool has_carrier(const struct e1000_core *nic)
{
	return nic->state->is_cable_up &&
	       !(nic->state->phy[E1000_PHY_CONTROL] & E1000_PHY_POWER_DOWN);
}

bool e1000_is_loopback(const struct e1000_core *nic)
{
	uint64_t mode = FIELD_GET(E1000_RCTL_LBM, nic->state->chip.reg.rctl);

	return nic->model->loopbacks >> mode & 1 ||
	       nic->state->phy[E1000_PHY_CONTROL] & E1000_PHY_LOOPBACK;
}

bool e1000_is_link_up(const struct e1000_core *nic)
{
	return has_carrier(nic) && nic->state->chip.reg.ctrl & E1000_CTRL_SLU;
}

/* Its bit of the link falls until it is read. */
static uint16_t phy_status(struct e1000_core *nic)
{
	uint16_t value = nic->state->phy[E1000_PHY_STATUS];

	if (has_carrier(nic)) {
		value |= E1000_PHY_AUTO_DONE;
		if (!nic->state->has_link_dropped)
			value |= E1000_PHY_LINK;
	}
	nic->state->has_link_dropped = false;
	return value;
}

/* Pages have the same first half, which IEEE 802.3 defines; of the others'
 * second halves there is none here. */
static bool is_on_other_page(const struct e1000_core *nic, unsigned which)
{
	return nic->state->phy[E1000_PHY_PAGE] && which >= E1000_PHY_PAGED &&
	       which != E1000_PHY_PAGE;
}

static uint16_t phy_read(struct e1000_core *nic, unsigned which)
{
	uint16_t value = nic->state->phy[which];

	if (is_on_other_page(nic, which))
		return 0;
	switch (which) {
	case E1000_PHY_STATUS:
		return phy_status(nic);
	case E1000_PHY_SPECIFIC_STATUS:
		return has_carrier(nic) ? value | E1000_PHY_REAL_TIME_LINK
					: value;
	case E1000_PHY_PARTNER:
	case E1000_PHY_GIGABIT_STATUS:
		return has_carrier(nic) ? value : 0;
	}
	return value;
}

static void phy_write(struct e1000_core *nic, unsigned which, uint16_t value)
{
	uint16_t writable = nic->model->phy_writable[which];
	uint16_t *phy = &nic->state->phy[which];

	if (is_on_other_page(nic, which))
		return;

	if (which == E1000_PHY_CONTROL && value & E1000_PHY_RESET) {
		e1000_phy_reset(nic);
		return;
	}
	*phy = (uint16_t)((*phy & ~writable) | (value & writable));
	/* Negotiation takes no time. */
	if (which == E1000_PHY_CONTROL)
		*phy &= (uint16_t)~E1000_PHY_RESTART;
	e1000_link_update(nic);
}

void e1000_mdic_write(struct e1000_core *nic, uint32_t value)
{
	unsigned which = (unsigned)FIELD_GET(E1000_MDIC_REGISTER, value);
	unsigned op = (unsigned)FIELD_GET(E1000_MDIC_OP, value);
	uint32_t result = value & ~(uint32_t)(E1000_MDIC_ERROR);

	if (FIELD_GET(E1000_MDIC_PHY, value) != E1000_PHY_ADDRESS)
		result |= E1000_MDIC_ERROR;
	else if (op == E1000_MDIC_READ)
		result = (result & ~(uint32_t)E1000_MDIC_DATA) |
			 phy_read(nic, which);
	else if (op == E1000_MDIC_WRITE)
		phy_write(nic, which, (uint16_t)value);
	else
		result |= E1000_MDIC_ERROR;
	nic->state->chip.reg.mdic = result | (uint32_t)E1000_MDIC_READY;
	if (value & E1000_MDIC_INTERRUPT)
		e1000_raise(nic, E1000_CAUSE_MDAC);
}

/* ---- The link ----------------------------------------------------------- */

void e1000_link_update(struct e1000_core *nic)
{
	bool is_up = e1000_is_link_up(nic);

	if (is_up == nic->state->is_link_up)
		return;
	nic->state->is_link_up = is_up;
	nic->state->has_link_dropped |= !is_up;
	e1000_raise(nic, E1000_CAUSE_LSC);
	/* What could not be sent is lost now, or can be. */
	e1000_tx_run(nic);
}
