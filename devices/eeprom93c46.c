/* SPDX-License-Identifier: BSD-2-Clause */
/* A 93C46: eeprom93c46.h. */
#include "devices/eeprom93c46.h"

#define INSTRUCTION_BITS 8 /* after the start bit: 2 of code, 6 of address */
#define CODE_READ	 2
#define CODE_WRITE	 1
#define CODE_OTHER	 0
#define OTHER_EWEN	 3 /* the upper two bits of the address */
#define OTHER_EWDS	 0

static const struct state_field fields[] = {
	STATE_ARRAY(struct eeprom93c46, word, .flags = STATE_KEPT),
	STATE_VALUE(struct eeprom93c46, pins),
	STATE_VALUE(struct eeprom93c46, in),
	STATE_VALUE(struct eeprom93c46, out),
	STATE_VALUE(struct eeprom93c46, count, .max = 16),
	STATE_VALUE(struct eeprom93c46, stage, .max = EEPROM93C46_STAGES - 1),
	STATE_VALUE(struct eeprom93c46, address, .max = EEPROM93C46_WORDS - 1),
	STATE_VALUE(struct eeprom93c46, is_writable),
	STATE_RESERVED(struct eeprom93c46, reserved),
};

const struct state_description eeprom93c46_description =
	STATE_DESCRIPTION(struct eeprom93c46, fields);

static void instruction(struct eeprom93c46 *eeprom)
{
	unsigned other = eeprom->in >> 4 & 3;

	eeprom->address = eeprom->in & (EEPROM93C46_WORDS - 1);
	eeprom->count = 0;
	eeprom->stage = EEPROM93C46_DONE;
	switch (eeprom->in >> 6) {
	case CODE_READ:
		eeprom->stage = EEPROM93C46_READ;
		eeprom->out = 0; /* the dummy bit before the word */
		eeprom->count = 16;
		break;
	case CODE_WRITE:
		eeprom->stage = EEPROM93C46_WRITE;
		break;
	case CODE_OTHER:
		if (other == OTHER_EWEN || other == OTHER_EWDS)
			eeprom->is_writable = other == OTHER_EWEN;
		break;
	}
}

/* Words follow each other while the clock runs. */
static void read_bit(struct eeprom93c46 *eeprom)
{
	if (eeprom->count < 16) {
		eeprom->out = (uint16_t)(eeprom->out << 1);
		if (++eeprom->count < 16)
			return;
		eeprom->address++;
		eeprom->address %= EEPROM93C46_WORDS;
	}
	eeprom->out = eeprom->word[eeprom->address];
	eeprom->count = 0;
}

/* The clock has risen. */
static void wire_bit(struct eeprom93c46 *eeprom, bool bit)
{
	switch (eeprom->stage) {
	case EEPROM93C46_IDLE:
		if (bit)
			eeprom->stage = EEPROM93C46_INSTRUCTION;
		eeprom->count = 0;
		eeprom->in = 0;
		break;
	case EEPROM93C46_INSTRUCTION:
		eeprom->in = (uint16_t)(eeprom->in << 1 | bit);
		if (++eeprom->count >= INSTRUCTION_BITS)
			instruction(eeprom);
		break;
	case EEPROM93C46_READ:
		read_bit(eeprom);
		break;
	case EEPROM93C46_WRITE:
		eeprom->in = (uint16_t)(eeprom->in << 1 | bit);
		if (++eeprom->count < 16)
			break;
		if (eeprom->is_writable)
			eeprom->word[eeprom->address] = eeprom->in;
		eeprom->stage = EEPROM93C46_DONE;
		break;
	}
}

void eeprom93c46_pins_set(struct eeprom93c46 *eeprom,
			  const struct eeprom93c46_wires *wires, uint16_t pins)
{
	bool is_rise = pins & wires->clock && !(eeprom->pins & wires->clock);

	eeprom->pins = pins;
	if (!(pins & wires->select)) {
		eeprom->stage = EEPROM93C46_IDLE;
		eeprom->count = 0;
	} else if (is_rise) {
		wire_bit(eeprom, pins & wires->data);
	}
}

bool eeprom93c46_is_high(const struct eeprom93c46 *eeprom)
{
	return eeprom->stage != EEPROM93C46_READ || eeprom->out & 0x8000;
}
