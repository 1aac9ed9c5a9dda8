/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of the Am79C970A's state.
 */
#include "devices/pcnet_internal.h"

static const struct state_field chip_fields[] = {
	STATE_ARRAY(struct pcnet_chip, csr),
	STATE_VALUE(struct pcnet_chip, rx_next),
	STATE_VALUE(struct pcnet_chip, tx_next),
	STATE_VALUE(struct pcnet_chip, rap, .max = PCNET_CSRS - 1),
	STATE_VALUE(struct pcnet_chip, has_demanded),
	STATE_RESERVED(struct pcnet_chip, reserved),
	STATE_VALUE(struct pcnet_chip, poll_ns, .reset = CLOCK_NEVER),
};

const struct state_description pcnet_chip_description =
	STATE_DESCRIPTION(struct pcnet_chip, chip_fields);

static const struct state_field fields[] = {
	STATE_STRUCT(struct pcnet_state, pci, &pci_device_description),
	STATE_VALUE(struct pcnet_state, is_cable_up, .flags = STATE_KEPT),
	STATE_RESERVED(struct pcnet_state, reserved),
	STATE_ARRAY(struct pcnet_state, aprom, .flags = STATE_KEPT),
	STATE_ARRAY(struct pcnet_state, bcr),
	STATE_STRUCT(struct pcnet_state, chip, &pcnet_chip_description),
};

const struct state_description pcnet_description =
	STATE_DESCRIPTION(struct pcnet_state, fields);

bool pcnet_state_is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct pcnet *nic = dev;
	const struct pcnet_state *state = saved;

	(void)now_ns;
	return state->chip.rx_next <
		       pcnet_ring_length(&state->chip, PCNET_CSR_RCVRL) &&
	       state->chip.tx_next <
		       pcnet_ring_length(&state->chip, PCNET_CSR_XMTRL) &&
	       state->pci.intx_level == pcnet_is_asserted(&state->chip) &&
	       pci_device_is_valid(&nic->pci, &state->pci);
}
