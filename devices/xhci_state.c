/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of xHCI's state.
 */
#include "devices/xhci_internal.h"

static const struct state_field endpoint_fields[] = {
	STATE_VALUE(struct xhci_endpoint, dequeue),
	STATE_VALUE(struct xhci_endpoint, offset, .max = 0x1ffff),
	STATE_VALUE(struct xhci_endpoint, moved),
	STATE_VALUE(struct xhci_endpoint, packet),
	STATE_VALUE(struct xhci_endpoint, state, .max = XHCI_EP_STATES - 1),
	STATE_VALUE(struct xhci_endpoint, type, .max = XHCI_EP_INTERRUPT_IN),
	STATE_VALUE(struct xhci_endpoint, cycle),
	STATE_RESERVED(struct xhci_endpoint, reserved),
};

static const struct state_description endpoint_description =
	STATE_DESCRIPTION(struct xhci_endpoint, endpoint_fields);

static const struct state_field slot_fields[] = {
	STATE_VALUE(struct xhci_slot, context),
	STATE_VALUE(struct xhci_slot, pending,
		    .max = MASK(XHCI_ENDPOINTS - 1, 0)),
	STATE_VALUE(struct xhci_slot, state, .max = XHCI_SLOT_STATES - 1),
	STATE_VALUE(struct xhci_slot, port, .max = XHCI_PORTS),
	STATE_RESERVED(struct xhci_slot, reserved),
	STATE_STRUCTS(struct xhci_slot, endpoint, &endpoint_description),
};

static const struct state_description slot_description =
	STATE_DESCRIPTION(struct xhci_slot, slot_fields);

static const struct state_field fields[] = {
	STATE_STRUCT(struct xhci_state, pci, &pci_device_description),
	STATE_VALUE(struct xhci_state, command, .max = XHCI_USBCMD_KEPT),
	STATE_VALUE(struct xhci_state, status),
	STATE_VALUE(struct xhci_state, notify, .max = 0xffff),
	STATE_VALUE(struct xhci_state, config, .max = 0xff),
	STATE_VALUE(struct xhci_state, iman,
		    .max = XHCI_IMAN_PENDING | XHCI_IMAN_ENABLE),
	STATE_VALUE(struct xhci_state, contexts),
	STATE_VALUE(struct xhci_state, command_next),
	STATE_VALUE(struct xhci_state, imod),
	STATE_VALUE(struct xhci_state, segments, .max = XHCI_SEGMENTS_MAX),
	STATE_VALUE(struct xhci_state, segment, .max = XHCI_SEGMENTS_MAX - 1),
	STATE_VALUE(struct xhci_state, event_left, .max = 0xffff),
	STATE_VALUE(struct xhci_state, table),
	STATE_VALUE(struct xhci_state, dequeue),
	STATE_VALUE(struct xhci_state, event),
	STATE_ARRAY(struct xhci_state, port),
	STATE_VALUE(struct xhci_state, port_events),
	STATE_VALUE(struct xhci_state, command_cycle),
	STATE_VALUE(struct xhci_state, event_cycle),
	STATE_VALUE(struct xhci_state, is_command_running),
	STATE_VALUE(struct xhci_state, is_command_pending),
	STATE_RESERVED(struct xhci_state, reserved),
	STATE_VALUE(struct xhci_state, started_ns),
	STATE_VALUE(struct xhci_state, more_ns, .reset = CLOCK_NEVER),
	STATE_STRUCTS(struct xhci_state, slot, &slot_description),
};

const struct state_description xhci_description =
	STATE_DESCRIPTION(struct xhci_state, fields);

static bool ports_are_valid(const struct xhci *xhci,
			    const struct xhci_state *state)
{
	for (unsigned i = 0; i < XHCI_PORTS; i++) {
		bool is_plugged = xhci_port_device(xhci, i);

		if (state->port[i] & ~(uint32_t)XHCI_PORT_BITS ||
		    !!(state->port[i] & XHCI_PORT_CONNECTED) != is_plugged ||
		    (state->port[i] & XHCI_PORT_ENABLED && !is_plugged) ||
		    (state->port_events & BIT(i) && !is_plugged))
			return false;
	}
	return true;
}

static bool slot_is_valid(const struct xhci_slot *slot)
{
	bool has_port = slot->state >= XHCI_SLOT_DEFAULT;

	if (has_port != !!slot->port)
		return false;
	for (unsigned i = 0; i < XHCI_ENDPOINTS; i++)
		if (slot->endpoint[i].state != XHCI_EP_DISABLED &&
		    (!has_port || !i))
			return false;
	return true;
}

bool xhci_state_is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct xhci *xhci = dev;
	const struct xhci_state *state = saved;

	for (unsigned i = 0; i < XHCI_SLOTS; i++)
		if (!slot_is_valid(&state->slot[i]))
			return false;
	return ports_are_valid(xhci, state) && state->started_ns <= now_ns &&
	       !(state->status &
		 ~(uint32_t)(XHCI_USBSTS_CLEAR | XHCI_HALTED)) &&
	       !(state->command & XHCI_RUN) ==
		       !!(state->status & XHCI_HALTED) &&
	       (!state->event_left || state->segment < state->segments) &&
	       state->pci.intx_level == xhci_level_of(state) &&
	       pci_device_is_valid(&xhci->pci, &state->pci);
}
