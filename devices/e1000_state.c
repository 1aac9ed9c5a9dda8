/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of the controllers' state, and which of them go together.
 */
#include "devices/e1000_internal.h"

#define E1000_X(upper, lower, offset, writable, value) \
	STATE_VALUE(struct e1000_registers, lower, .reset = (value)),
static const struct state_field register_fields[] = { E1000_REGISTERS(
	E1000_X) };
#undef E1000_X

static const struct state_description register_description =
	STATE_DESCRIPTION(struct e1000_registers, register_fields);

static const struct state_field sum_fields[] = {
	STATE_VALUE(struct e1000_sum, start),
	STATE_VALUE(struct e1000_sum, offset),
	STATE_VALUE(struct e1000_sum, end),
};

static const struct state_description sum_description =
	STATE_DESCRIPTION(struct e1000_sum, sum_fields);

static const struct state_field context_fields[] = {
	STATE_STRUCT(struct e1000_context, ip, &sum_description),
	STATE_STRUCT(struct e1000_context, transport, &sum_description),
	STATE_VALUE(struct e1000_context, payload_length),
	STATE_VALUE(struct e1000_context, mss),
	STATE_VALUE(struct e1000_context, header_length),
	STATE_VALUE(struct e1000_context, is_tcp),
	STATE_VALUE(struct e1000_context, is_ipv4),
	STATE_RESERVED(struct e1000_context, reserved),
};

static const struct state_description context_description =
	STATE_DESCRIPTION(struct e1000_context, context_fields);

static const struct state_field tx_fields[] = {
	STATE_STRUCT(struct e1000_tx_state, checksum, &context_description),
	STATE_STRUCT(struct e1000_tx_state, segmentation, &context_description),
	STATE_VALUE(struct e1000_tx_state, address),
	STATE_VALUE(struct e1000_tx_state, descriptor),
	STATE_VALUE(struct e1000_tx_state, left, .max = 0xfffff),
	STATE_VALUE(struct e1000_tx_state, stage, .max = E1000_TX_STAGES - 1),
	STATE_VALUE(struct e1000_tx_state, is_open),
	STATE_VALUE(struct e1000_tx_state, is_segmented),
	STATE_VALUE(struct e1000_tx_state, is_dropped),
	STATE_VALUE(struct e1000_tx_state, has_ip_sum),
	STATE_VALUE(struct e1000_tx_state, has_sum),
	STATE_VALUE(struct e1000_tx_state, is_legacy_sum),
	STATE_VALUE(struct e1000_tx_state, is_last),
	STATE_VALUE(struct e1000_tx_state, segments),
	STATE_RESERVED(struct e1000_tx_state, reserved),
	STATE_VALUE(struct e1000_tx_state, sent),
	STATE_VALUE(struct e1000_tx_state, length, .max = NET_FRAME_MAX),
	STATE_STRUCT(struct e1000_tx_state, legacy, &sum_description),
	STATE_ARRAY(struct e1000_tx_state, header),
	STATE_ARRAY(struct e1000_tx_state, buffer),
};

const struct state_description e1000_tx_description =
	STATE_DESCRIPTION(struct e1000_tx_state, tx_fields);

#define E1000_X(upper, lower, offset, count, step, writable) \
	STATE_ARRAY(struct e1000_chip, lower),
static const struct state_field chip_fields[] = {
	STATE_STRUCT(struct e1000_chip, reg, &register_description),
	E1000_ARRAYS(E1000_X) STATE_ARRAY(struct e1000_chip, statistic),
	STATE_VALUE(struct e1000_chip, io_address),
	STATE_VALUE(struct e1000_chip, is_asserted),
	STATE_VALUE(struct e1000_chip, is_rx_broken),
	STATE_VALUE(struct e1000_chip, is_tx_broken),
	STATE_VALUE(struct e1000_chip, has_missed),
	STATE_RESERVED(struct e1000_chip, reserved),
	STATE_VALUE(struct e1000_chip, throttle_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct e1000_chip, rx_delay_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct e1000_chip, tx_delay_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct e1000_chip, more_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct e1000_chip, rx_limit_ns),
	STATE_VALUE(struct e1000_chip, tx_limit_ns),
	STATE_STRUCT(struct e1000_chip, tx, &e1000_tx_description),
};
#undef E1000_X

const struct state_description e1000_chip_description =
	STATE_DESCRIPTION(struct e1000_chip, chip_fields);

static const struct state_field fields[] = {
	STATE_STRUCT(struct e1000_state, pci, &pci_device_description),
	STATE_VALUE(struct e1000_state, is_cable_up, .flags = STATE_KEPT),
	STATE_VALUE(struct e1000_state, is_link_up),
	STATE_VALUE(struct e1000_state, has_link_dropped),
	STATE_RESERVED(struct e1000_state, reserved),
	STATE_STRUCT(struct e1000_state, chip, &e1000_chip_description),
	STATE_STRUCT(struct e1000_state, eeprom, &eeprom93c46_description),
	STATE_ARRAY(struct e1000_state, phy),
	STATE_VALUE(struct e1000_state, asserted_ns),
};

const struct state_description e1000_description =
	STATE_DESCRIPTION(struct e1000_state, fields);

/* What waits to be sent is a frame; a segment has its room in the buffer. */
bool e1000_tx_is_valid(const struct e1000_tx_state *tx)
{
	uint32_t room = NET_FRAME_MAX;

	if (tx->is_segmented) {
		if (!tx->is_open || !tx->segmentation.mss ||
		    !tx->segmentation.header_length)
			return false;
		room = tx->segmentation.header_length + tx->segmentation.mss;
	}
	if (room > NET_FRAME_MAX)
		return false;
	if (tx->stage == E1000_TX_SEND)
		return tx->length >= NET_FRAME_MIN &&
		       tx->length <= MAX(room, NET_FRAME_MIN);
	return tx->length <= room;
}

bool e1000_state_is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct e1000_core *nic = dev;
	const struct e1000_state *state = saved;

	return state->asserted_ns <= now_ns &&
	       e1000_tx_is_valid(&state->chip.tx) &&
	       state->pci.intx_level == state->chip.is_asserted &&
	       pci_device_is_valid(&nic->pci, &state->pci);
}
