/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of the RTL8139's state.
 */
#include "devices/rtl8139_internal.h"

static const struct state_field chip_fields[] = {
	STATE_ARRAY(struct rtl8139_chip, reg),
	STATE_VALUE(struct rtl8139_chip, tx_next,
		    .max = RTL8139_DESCRIPTORS - 1),
	STATE_RESERVED(struct rtl8139_chip, reserved),
	STATE_VALUE(struct rtl8139_chip, counted_from_ns),
	STATE_VALUE(struct rtl8139_chip, timer_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct rtl8139_chip, more_ns, .reset = CLOCK_NEVER),
};

static const struct state_description chip_description =
	STATE_DESCRIPTION(struct rtl8139_chip, chip_fields);

static const struct state_field fields[] = {
	STATE_STRUCT(struct rtl8139_state, pci, &pci_device_description),
	STATE_VALUE(struct rtl8139_state, is_cable_up, .flags = STATE_KEPT),
	STATE_VALUE(struct rtl8139_state, has_link_dropped),
	STATE_RESERVED(struct rtl8139_state, reserved),
	STATE_STRUCT(struct rtl8139_state, eeprom, &eeprom93c46_description),
	STATE_STRUCT(struct rtl8139_state, chip, &chip_description),
};

const struct state_description rtl8139_description =
	STATE_DESCRIPTION(struct rtl8139_state, fields);

/* What a register's bytes can hold. */
static bool registers_are_valid(const uint32_t *reg)
{
#define RTL8139_X(name, offset, width, writable, locked, reset) \
	[RTL8139_##name] = (width),
	static const uint8_t widths[RTL8139_COUNT] = { RTL8139_REGISTERS(
		RTL8139_X) };
#undef RTL8139_X

	for (unsigned i = 0; i < RTL8139_COUNT; i++)
		if ((uint64_t)reg[i] >> 8 * widths[i])
			return false;
	return true;
}

bool rtl8139_state_is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct rtl8139 *nic = dev;
	const struct rtl8139_state *state = saved;
	const uint32_t *reg = state->chip.reg;

	return registers_are_valid(reg) &&
	       state->chip.counted_from_ns <= now_ns &&
	       state->pci.intx_level ==
		       !!(reg[RTL8139_ISR] & reg[RTL8139_IMR]) &&
	       pci_device_is_valid(&nic->pci, &state->pci);
}
