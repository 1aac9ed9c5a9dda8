/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of the AHCI controller's state.
 */
#include "devices/ahci_internal.h"

static const struct state_field port_fields[] = {
	STATE_VALUE(struct ahci_port_state, clb),
	STATE_VALUE(struct ahci_port_state, clbu),
	STATE_VALUE(struct ahci_port_state, fb),
	STATE_VALUE(struct ahci_port_state, fbu),
	STATE_VALUE(struct ahci_port_state, is),
	STATE_VALUE(struct ahci_port_state, ie),
	STATE_VALUE(struct ahci_port_state, cmd),
	STATE_VALUE(struct ahci_port_state, tfd, .reset = AHCI_TFD_NONE),
	STATE_VALUE(struct ahci_port_state, sig, .reset = UINT32_MAX),
	STATE_VALUE(struct ahci_port_state, sctl),
	STATE_VALUE(struct ahci_port_state, serr),
	STATE_VALUE(struct ahci_port_state, sact),
	STATE_VALUE(struct ahci_port_state, ci),
	STATE_VALUE(struct ahci_port_state, activity, .max = AHCI_ABANDONED),
	STATE_VALUE(struct ahci_port_state, header),
	STATE_VALUE(struct ahci_port_state, table),
	STATE_VALUE(struct ahci_port_state, more_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct ahci_port_state, slot, .max = AHCI_SLOTS - 1),
	STATE_VALUE(struct ahci_port_state, tag, .max = AHCI_SLOTS - 1),
	STATE_VALUE(struct ahci_port_state, has_read),
	STATE_VALUE(struct ahci_port_state, is_halted),
	STATE_VALUE(struct ahci_port_state, is_signature_due),
	STATE_VALUE(struct ahci_port_state, is_soft_reset),
	STATE_ARRAY(struct ahci_port_state, error_log),
	STATE_RESERVED(struct ahci_port_state, reserved),
	STATE_STRUCT(struct ahci_port_state, channel, &ide_channel_description),
};

static const struct state_description port_description =
	STATE_DESCRIPTION(struct ahci_port_state, port_fields);

static const struct state_field fields[] = {
	STATE_STRUCTS(struct ahci_state, port, &port_description),
	STATE_VALUE(struct ahci_state, ghc),
	STATE_VALUE(struct ahci_state, is),
	STATE_VALUE(struct ahci_state, index),
	STATE_STRUCT(struct ahci_state, pci, &pci_device_description),
};

const struct state_description ahci_description =
	STATE_DESCRIPTION(struct ahci_state, fields);

static bool port_is_valid(const struct ahci_port *port,
			  const struct ahci_port_state *state, uint64_t now_ns)
{
	bool is_busy = state->activity == AHCI_COMMAND ||
		       state->activity == AHCI_QUEUED;

	/* The other drive of a channel is never there. */
	return state->channel.selected == 0 &&
	       (!is_busy || port->channel.drive[0].kind != IDE_NONE) &&
	       ide_channel_is_valid(&port->channel, &state->channel) &&
	       ide_drive_is_valid(&state->channel.drive[0], now_ns) &&
	       ide_drive_is_valid(&state->channel.drive[1], now_ns);
}

bool ahci_state_is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct ahci *ahci = dev;
	const struct ahci_state *state = saved;

	for (unsigned i = 0; i < AHCI_PORTS; i++)
		if (!port_is_valid(&ahci->port[i], &state->port[i], now_ns))
			return false;
	return state->pci.intx_level == ahci_irq_level(state) &&
	       pci_device_is_valid(&ahci->pci, &state->pci);
}
