/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RTL8029AS's EEPROM and configuration registers: its page 3.
 *
 * References: RTL8029AS data sheet: 9346CR, CONFIG0 to CONFIG3, 9346 Contents.
 */
#include "devices/ne2000_internal.h"

#define EEPROM_MAC 1 /* first word of three; before it CONFIG2, CONFIG3 */
#define DOUBLE	   2 /* the PROM has each byte for both of a word */
#define SIGNATURE  0x57
#define SIGNED	   14 /* and 15: what says that the card is one of 16 bits */

void ne2000_eeprom_fill(struct ne2000 *nic, const uint8_t *mac)
{
	uint16_t *word = nic->state.eeprom.word;

	for (unsigned i = 0; i < NET_MAC_LENGTH / 2; i++)
		word[EEPROM_MAC + i] =
			(uint16_t)(mac[2 * i] | mac[2 * i + 1] << 8);
}

void ne2000_autoload(struct ne2000 *nic)
{
	const uint16_t *word = nic->state.eeprom.word;

	for (unsigned i = 0; i < NE2000_PROM_SIZE; i++) {
		unsigned at = i / DOUBLE;

		nic->state.prom[i] = 0;
		if (at < NET_MAC_LENGTH)
			nic->state.prom[i] =
				(uint8_t)(word[EEPROM_MAC + at / 2] >>
					  at % 2 * 8);
		else if (at >= SIGNED)
			nic->state.prom[i] = SIGNATURE;
	}
	nic->state.chip.config2 = (uint8_t)(word[0] & NE2000_CONFIG2_WRITABLE);
	nic->state.chip.config3 =
		(uint8_t)(word[0] >> 8 & NE2000_CONFIG3_WRITABLE);
}

/* Wires are connected in programming mode only. */
static void cr9346_write(struct ne2000 *nic, uint8_t value)
{
	static const struct eeprom93c46_wires wires = {
		.select = NE2000_EECS,
		.clock = NE2000_EESK,
		.data = NE2000_EEDI,
	};
	unsigned mode = (unsigned)FIELD_GET(NE2000_EEM, value);

	nic->state.chip.cr9346 = value & (uint8_t)~NE2000_EEDO;
	eeprom93c46_pins_set(&nic->state.eeprom, &wires,
			     mode == NE2000_EEM_PROGRAMMING ? value : 0);
	if (mode == NE2000_EEM_AUTOLOAD) {
		ne2000_autoload(nic);
		nic->state.chip.cr9346 = 0;
	}
}

uint8_t ne2000_page3_read(const struct ne2000 *nic, unsigned offset)
{
	const struct ne2000_chip *chip = &nic->state.chip;

	switch (offset) {
	case NE2000_CR9346:
		return eeprom93c46_is_high(&nic->state.eeprom)
			       ? chip->cr9346 | NE2000_EEDO
			       : chip->cr9346;
	case NE2000_CONFIG0:
		return 0; /* the cable is of twisted pairs */
	case NE2000_CONFIG2:
		return chip->config2;
	case NE2000_CONFIG3:
		return chip->config3;
	case NE2000_ASID0:
		return 0x29;
	case NE2000_ASID1:
		return 0x80;
	}
	return 0xff;
}

void ne2000_page3_write(struct ne2000 *nic, unsigned offset, uint8_t value)
{
	struct ne2000_chip *chip = &nic->state.chip;
	bool is_open = FIELD_GET(NE2000_EEM, chip->cr9346) == NE2000_EEM_CONFIG;
	uint8_t may = NE2000_CONFIG3_WRITABLE;

	switch (offset) {
	case NE2000_CR9346:
		cr9346_write(nic, value);
		break;
	case NE2000_CONFIG2:
		if (is_open)
			chip->config2 = value & NE2000_CONFIG2_WRITABLE;
		break;
	case NE2000_CONFIG3:
		if (!is_open)
			may &= (uint8_t)~NE2000_CONFIG3_LOCKED;
		chip->config3 =
			(uint8_t)((chip->config3 & ~may) | (value & may));
		break;
	}
}
