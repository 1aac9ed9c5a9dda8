/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 93C46: an EEPROM of 64 words behind three wires in and one out, as network
 * cards have it.
 *
 * Models: READ, also of words that follow each other, WRITE, EWEN, EWDS.
 * Does not model: ERASE, ERAL, WRAL; the time that a write takes.
 *
 * References: 93C46 data sheet.
 */
#ifndef BULKHEAD_DEVICES_EEPROM93C46_H
#define BULKHEAD_DEVICES_EEPROM93C46_H

#include "devices/state.h"

#define EEPROM93C46_WORDS 64

/*
 * What it does with the next bits that are clocked into it:
 *
 *   IDLE --1--> INSTRUCTION --8 bits--> READ | WRITE --16 bits--> DONE
 *                                | EWEN, EWDS and the like --> DONE
 *
 * from each to IDLE when it is not selected.
 */
enum eeprom93c46_stage {
	EEPROM93C46_IDLE,
	EEPROM93C46_INSTRUCTION,
	EEPROM93C46_READ,
	EEPROM93C46_WRITE,
	EEPROM93C46_DONE,
	EEPROM93C46_STAGES,
};

struct eeprom93c46 {
	uint16_t word[EEPROM93C46_WORDS];
	uint16_t pins; /* the card's register of them, as it was last written */
	uint16_t in;   /* bits of the instruction or the data so far */
	uint16_t out;  /* what is left to be read, first bit on top */
	uint8_t count; /* bits in `in` */
	uint8_t stage; /* enum eeprom93c46_stage */
	uint8_t address;
	bool is_writable; /* by EWEN */
	uint8_t reserved[6];
};

/* A reset leaves the words. */
extern const struct state_description eeprom93c46_description;

/* Which bits of the card's register drive which wire. */
struct eeprom93c46_wires {
	uint16_t select, clock, data;
};

/* The card's register is written: pins are its bits that drive wires, and
 * others that the card wants kept. */
void eeprom93c46_pins_set(struct eeprom93c46 *eeprom,
			  const struct eeprom93c46_wires *wires, uint16_t pins);
/* DO: a bit of a word, that a write is over, or a pull-up. */
bool eeprom93c46_is_high(const struct eeprom93c46 *eeprom);

#endif
