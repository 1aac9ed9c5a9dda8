/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of the 82574L's state, and which of them go together.
 */
#include "devices/e1000e_internal.h"

#define E1000_X(upper, lower, offset, writable, value) \
	STATE_VALUE(struct e1000e_registers, lower, .reset = (value)),
static const struct state_field register_fields[] = { E1000E_REGISTERS(
	E1000_X) };
#undef E1000_X

static const struct state_description register_description =
	STATE_DESCRIPTION(struct e1000e_registers, register_fields);

#define E1000_X(upper, lower, offset, count, step, writable) \
	STATE_ARRAY(struct e1000e_chip, lower),
static const struct state_field chip_fields[] = {
	STATE_STRUCT(struct e1000e_chip, reg, &register_description),
	E1000E_ARRAYS(E1000_X) STATE_VALUE(struct e1000e_chip, told),
	STATE_VALUE(struct e1000e_chip, is_rx1_broken),
	STATE_VALUE(struct e1000e_chip, is_tx1_broken),
	STATE_RESERVED(struct e1000e_chip, reserved),
	STATE_VALUE(struct e1000e_chip, vectors_ns, .reset = CLOCK_NEVER),
	STATE_ARRAY(struct e1000e_chip, sent_ns),
	STATE_VALUE(struct e1000e_chip, clock_value),
	STATE_VALUE(struct e1000e_chip, clock_from_ns),
	STATE_STRUCT(struct e1000e_chip, tx1, &e1000_tx_description),
};
#undef E1000_X

const struct state_description e1000e_chip_description =
	STATE_DESCRIPTION(struct e1000e_chip, chip_fields);

static const struct state_field fields[] = {
	STATE_STRUCT(struct e1000e_state, common, &e1000_description),
	STATE_STRUCT(struct e1000e_state, chip, &e1000e_chip_description),
	STATE_STRUCT(struct e1000e_state, msix, &pci_msix_description),
	STATE_RESERVED(struct e1000e_state, reserved),
};

const struct state_description e1000e_description =
	STATE_DESCRIPTION(struct e1000e_state, fields);

bool e1000e_state_is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct e1000e *nic = dev;
	const struct e1000e_state *state = saved;
	const struct e1000e_chip *chip = &state->chip;

	for (unsigned i = 0; i < E1000E_VECTORS; i++)
		if (chip->sent_ns[i] > now_ns)
			return false;
	return chip->clock_from_ns <= now_ns && e1000_tx_is_valid(&chip->tx1) &&
	       e1000_state_is_valid(dev, &state->common, now_ns) &&
	       pci_msix_is_valid(&nic->core.pci, &state->msix);
}
