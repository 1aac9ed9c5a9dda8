/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of the NE2000's state.
 */
#include "devices/ne2000_internal.h"

static const struct state_field chip_fields[] = {
	STATE_VALUE(struct ne2000_chip, tbcr),
	STATE_VALUE(struct ne2000_chip, rsar),
	STATE_VALUE(struct ne2000_chip, rbcr),
	STATE_VALUE(struct ne2000_chip, clda),
	STATE_VALUE(struct ne2000_chip, cr),
	STATE_VALUE(struct ne2000_chip, isr),
	STATE_VALUE(struct ne2000_chip, imr, .max = NE2000_CAUSES),
	STATE_VALUE(struct ne2000_chip, dcr, .max = 0x7f),
	STATE_VALUE(struct ne2000_chip, tcr, .max = 0x1f),
	STATE_VALUE(struct ne2000_chip, rcr, .max = 0x3f),
	STATE_VALUE(struct ne2000_chip, tsr),
	STATE_VALUE(struct ne2000_chip, rsr),
	STATE_VALUE(struct ne2000_chip, pstart),
	STATE_VALUE(struct ne2000_chip, pstop),
	STATE_VALUE(struct ne2000_chip, bnry),
	STATE_VALUE(struct ne2000_chip, curr),
	STATE_VALUE(struct ne2000_chip, tpsr),
	STATE_VALUE(struct ne2000_chip, missed),
	STATE_VALUE(struct ne2000_chip, fifo_at, .max = NE2000_FIFO_SIZE - 1),
	STATE_VALUE(struct ne2000_chip, cr9346),
	STATE_VALUE(struct ne2000_chip, config2),
	STATE_VALUE(struct ne2000_chip, config3),
	STATE_VALUE(struct ne2000_chip, is_running),
	STATE_VALUE(struct ne2000_chip, is_sending_packet),
	STATE_VALUE(struct ne2000_chip, next),
	STATE_ARRAY(struct ne2000_chip, par),
	STATE_ARRAY(struct ne2000_chip, mar),
	STATE_ARRAY(struct ne2000_chip, fifo),
	STATE_RESERVED(struct ne2000_chip, reserved),
	STATE_VALUE(struct ne2000_chip, more_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct ne2000_chip, overflow_ns, .reset = CLOCK_NEVER),
};

static const struct state_description chip_description =
	STATE_DESCRIPTION(struct ne2000_chip, chip_fields);

static const struct state_field fields[] = {
	STATE_STRUCT(struct ne2000_state, pci, &pci_device_description),
	STATE_VALUE(struct ne2000_state, is_cable_up, .flags = STATE_KEPT),
	STATE_RESERVED(struct ne2000_state, reserved),
	STATE_STRUCT(struct ne2000_state, eeprom, &eeprom93c46_description),
	STATE_STRUCT(struct ne2000_state, chip, &chip_description),
	STATE_ARRAY(struct ne2000_state, prom),
	STATE_ARRAY(struct ne2000_state, ram, .flags = STATE_KEPT),
};

const struct state_description ne2000_description =
	STATE_DESCRIPTION(struct ne2000_state, fields);

bool ne2000_state_is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct ne2000 *nic = dev;
	const struct ne2000_state *state = saved;
	const struct ne2000_chip *chip = &state->chip;

	(void)now_ns;
	return !nic->is_pci ||
	       (state->pci.intx_level == !!(chip->isr & chip->imr) &&
		pci_device_is_valid(&nic->pci, &state->pci));
}
