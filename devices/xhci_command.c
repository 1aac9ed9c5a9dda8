/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xHCI's commands: slots, endpoints and their contexts.
 */
#include "devices/xhci_internal.h"

#include "lib/string.h"

#define ADD_SLOT      BIT(0)
#define ADD_CONTROL   BIT(1)
#define INDEX_CONTROL 1

struct context {
	uint32_t word[XHCI_CONTEXT_WORDS];
};

/* ---- Contexts ----------------------------------------------------------- */

static struct context context_read(const struct xhci *xhci, uint64_t at)
{
	struct context context;

	guest_ram_read(xhci->config.ram, at, &context, sizeof(context));
	return context;
}

static void context_write(const struct xhci *xhci, uint64_t at,
			  const struct context *context)
{
	guest_ram_write(xhci->config.ram, at, context, sizeof(*context));
}

static uint64_t endpoint_at(const struct xhci *xhci, unsigned slot,
			    unsigned index)
{
	return xhci->state.slot[slot].context + index * XHCI_CONTEXT_SIZE;
}

/* Behind the input control context. */
static uint64_t input_at(uint64_t input, unsigned index)
{
	return input + (index + 1) * XHCI_CONTEXT_SIZE;
}

void xhci_endpoint_publish(struct xhci *xhci, unsigned slot, unsigned index)
{
	const struct xhci_endpoint *endpoint =
		&xhci->state.slot[slot].endpoint[index];
	uint64_t at = endpoint_at(xhci, slot, index);
	struct context context = context_read(xhci, at);

	context.word[0] &= (uint32_t)~XHCI_ENDPOINT_STATE;
	context.word[0] |= endpoint->state;
	context.word[2] = (uint32_t)endpoint->dequeue | endpoint->cycle;
	context.word[3] = (uint32_t)(endpoint->dequeue >> 32);
	context_write(xhci, at, &context);
}

/* As a driver knows it. */
static unsigned slot_state_of(enum xhci_slot_state state)
{
	return state < XHCI_SLOT_DEFAULT ? 0 : state - XHCI_SLOT_ENABLED;
}

static void slot_publish(struct xhci *xhci, unsigned slot)
{
	const struct xhci_slot *it = &xhci->state.slot[slot];
	struct context context = context_read(xhci, it->context);
	bool has_address = it->state >= XHCI_SLOT_ADDRESSED;

	context.word[3] = (uint32_t)(FIELD_PUT(XHCI_SLOT_STATE,
					       slot_state_of(it->state)) |
				     (has_address ? slot + 1 : 0));
	context_write(xhci, it->context, &context);
}

static void endpoint_disable(struct xhci *xhci, unsigned slot, unsigned index)
{
	struct xhci_endpoint *endpoint =
		&xhci->state.slot[slot].endpoint[index];

	memset(endpoint, 0, sizeof(*endpoint));
	xhci->state.slot[slot].pending &= ~(uint32_t)BIT(index);
	xhci_endpoint_publish(xhci, slot, index);
}

static void endpoints_disable(struct xhci *xhci, unsigned slot)
{
	for (unsigned i = INDEX_CONTROL + 1; i < XHCI_ENDPOINTS; i++)
		if (xhci->state.slot[slot].endpoint[i].state)
			endpoint_disable(xhci, slot, i);
}

/* From the driver's context, which becomes the controller's. */
static void endpoint_enable(struct xhci *xhci, unsigned slot, unsigned index,
			    struct context context)
{
	struct xhci_endpoint *endpoint =
		&xhci->state.slot[slot].endpoint[index];

	*endpoint = (struct xhci_endpoint){
		.dequeue = (context.word[2] & ~15U) | (uint64_t)context.word[3]
							      << 32,
		.cycle = context.word[2] & 1,
		.packet = (uint16_t)FIELD_GET(XHCI_ENDPOINT_PACKET,
					      context.word[1]),
		.type = (uint8_t)FIELD_GET(XHCI_ENDPOINT_TYPE, context.word[1]),
		.state = XHCI_EP_RUNNING,
	};
	context_write(xhci, endpoint_at(xhci, slot, index), &context);
	xhci_endpoint_publish(xhci, slot, index);
}

static bool endpoint_is_good(unsigned index, const struct context *context)
{
	unsigned type =
		(unsigned)FIELD_GET(XHCI_ENDPOINT_TYPE, context->word[1]);

	if (!FIELD_GET(XHCI_ENDPOINT_PACKET, context->word[1]))
		return false;
	if (index == INDEX_CONTROL)
		return type == XHCI_EP_CONTROL;
	return index & 1
		       ? type == XHCI_EP_BULK_IN || type == XHCI_EP_INTERRUPT_IN
		       : type == XHCI_EP_BULK_OUT ||
				 type == XHCI_EP_INTERRUPT_OUT;
}

/* ---- Slots -------------------------------------------------------------- */

static enum xhci_code slot_enable(struct xhci *xhci, unsigned *slot)
{
	unsigned enabled = xhci->state.config & 0xff;

	for (unsigned i = 0; i < MIN(enabled, (unsigned)XHCI_SLOTS); i++) {
		if (xhci->state.slot[i].state != XHCI_SLOT_NONE)
			continue;
		memset(&xhci->state.slot[i], 0, sizeof(xhci->state.slot[i]));
		xhci->state.slot[i].state = XHCI_SLOT_ENABLED;
		*slot = i;
		return XHCI_SUCCESS;
	}
	return XHCI_NO_SLOTS;
}

static enum xhci_code slot_disable(struct xhci *xhci, unsigned slot)
{
	struct xhci_slot *it = &xhci->state.slot[slot];

	if (it->state >= XHCI_SLOT_DEFAULT) {
		it->state = XHCI_SLOT_ENABLED;
		slot_publish(xhci, slot);
	}
	memset(it, 0, sizeof(*it));
	return XHCI_SUCCESS;
}

/* The controller itself tells the device. */
static bool address_set(struct xhci *xhci, unsigned slot)
{
	uint8_t setup[USB_SETUP_SIZE] = { 0, USB_SET_ADDRESS,
					  (uint8_t)(slot + 1) };
	struct usb_device *dev = xhci_device_of(xhci, slot);

	return dev &&
	       usb_transact(dev, USB_TOKEN_SETUP, 0, setup, sizeof(setup)) >=
		       0 &&
	       usb_transact(dev, USB_TOKEN_IN, 0, setup, 0) >= 0;
}

static bool port_is_taken(const struct xhci *xhci, unsigned slot, unsigned port)
{
	for (unsigned i = 0; i < XHCI_SLOTS; i++)
		if (i != slot && xhci->state.slot[i].port == port)
			return true;
	return false;
}

static enum xhci_code address_device(struct xhci *xhci, unsigned slot,
				     const struct xhci_trb *trb)
{
	struct xhci_slot *it = &xhci->state.slot[slot];
	uint64_t input = trb->parameter & ~15ULL;
	struct context flags = context_read(xhci, input);
	struct context from = context_read(xhci, input_at(input, 0));
	struct context control =
		context_read(xhci, input_at(input, INDEX_CONTROL));
	unsigned port = (unsigned)FIELD_GET(XHCI_SLOT_PORT, from.word[1]);
	bool is_quiet = trb->control & XHCI_TRB_BSR;

	if (it->state > (is_quiet ? XHCI_SLOT_ENABLED : XHCI_SLOT_DEFAULT))
		return XHCI_STATE_ERROR;
	if ((flags.word[1] & 3) != (ADD_SLOT | ADD_CONTROL))
		return XHCI_TRB_ERROR;
	if (!port || port > XHCI_PORTS ||
	    FIELD_GET(XHCI_SLOT_ROUTE, from.word[0]) ||
	    port_is_taken(xhci, slot, port) ||
	    !endpoint_is_good(INDEX_CONTROL, &control))
		return XHCI_PARAMETER_ERROR;
	guest_ram_read(xhci->config.ram,
		       xhci->state.contexts + 8 * ((uint64_t)slot + 1),
		       &it->context, sizeof(it->context));
	it->context &= ~63ULL;
	it->port = (uint8_t)port;
	if (!is_quiet && !address_set(xhci, slot)) {
		it->port = 0;
		return XHCI_TRANSACTION_ERROR;
	}
	it->state = is_quiet ? XHCI_SLOT_DEFAULT : XHCI_SLOT_ADDRESSED;
	context_write(xhci, it->context, &from);
	slot_publish(xhci, slot);
	endpoint_enable(xhci, slot, INDEX_CONTROL, control);
	return XHCI_SUCCESS;
}

static enum xhci_code reset_device(struct xhci *xhci, unsigned slot)
{
	struct xhci_slot *it = &xhci->state.slot[slot];

	if (it->state < XHCI_SLOT_ADDRESSED)
		return XHCI_STATE_ERROR;
	endpoints_disable(xhci, slot);
	it->state = XHCI_SLOT_DEFAULT;
	slot_publish(xhci, slot);
	return XHCI_SUCCESS;
}

/* ---- Configurations ----------------------------------------------------- */

static enum xhci_code input_check(const struct xhci *xhci, uint64_t input,
				  uint32_t add)
{
	if (add >> XHCI_ENDPOINTS)
		return XHCI_RESOURCE_ERROR;
	for (unsigned i = INDEX_CONTROL + 1; i < XHCI_ENDPOINTS; i++) {
		struct context context;

		if (!(add & BIT(i)))
			continue;
		context = context_read(xhci, input_at(input, i));
		if (!endpoint_is_good(i, &context))
			return XHCI_PARAMETER_ERROR;
	}
	return XHCI_SUCCESS;
}

static void entries_copy(struct xhci *xhci, unsigned slot, uint64_t input)
{
	uint64_t at = xhci->state.slot[slot].context;
	struct context from = context_read(xhci, input_at(input, 0));
	struct context to = context_read(xhci, at);

	to.word[0] &= (uint32_t)~XHCI_SLOT_ENTRIES;
	to.word[0] |= from.word[0] & (uint32_t)XHCI_SLOT_ENTRIES;
	context_write(xhci, at, &to);
}

static enum xhci_code configure(struct xhci *xhci, unsigned slot,
				const struct xhci_trb *trb)
{
	struct xhci_slot *it = &xhci->state.slot[slot];
	uint64_t input = trb->parameter & ~15ULL;
	struct context flags = context_read(xhci, input);
	uint32_t drop = flags.word[0], add = flags.word[1];
	enum xhci_code code;

	if (it->state < XHCI_SLOT_ADDRESSED)
		return XHCI_STATE_ERROR;
	if (trb->control & XHCI_TRB_DC) {
		endpoints_disable(xhci, slot);
		it->state = XHCI_SLOT_ADDRESSED;
		slot_publish(xhci, slot);
		return XHCI_SUCCESS;
	}
	code = input_check(xhci, input, add);
	if (code != XHCI_SUCCESS)
		return code;
	for (unsigned i = INDEX_CONTROL + 1; i < XHCI_ENDPOINTS; i++) {
		if (drop & BIT(i))
			endpoint_disable(xhci, slot, i);
		if (add & BIT(i))
			endpoint_enable(xhci, slot, i,
					context_read(xhci, input_at(input, i)));
	}
	entries_copy(xhci, slot, input);
	it->state = XHCI_SLOT_CONFIGURED;
	slot_publish(xhci, slot);
	return XHCI_SUCCESS;
}

/* Latency and target of a slot, the control endpoint's packets. */
static enum xhci_code evaluate(struct xhci *xhci, unsigned slot,
			       const struct xhci_trb *trb)
{
	struct xhci_slot *it = &xhci->state.slot[slot];
	uint64_t input = trb->parameter & ~15ULL;
	struct context flags = context_read(xhci, input);
	struct context from, to;

	if (it->state < XHCI_SLOT_DEFAULT)
		return XHCI_STATE_ERROR;
	if (flags.word[1] & ADD_SLOT) {
		from = context_read(xhci, input_at(input, 0));
		to = context_read(xhci, it->context);
		to.word[1] &= (uint32_t)~XHCI_SLOT_LATENCY;
		to.word[1] |= from.word[1] & (uint32_t)XHCI_SLOT_LATENCY;
		to.word[2] &= (uint32_t)~XHCI_SLOT_TARGET;
		to.word[2] |= from.word[2] & (uint32_t)XHCI_SLOT_TARGET;
		context_write(xhci, it->context, &to);
	}
	if (flags.word[1] & ADD_CONTROL) {
		uint64_t at = endpoint_at(xhci, slot, INDEX_CONTROL);

		from = context_read(xhci, input_at(input, INDEX_CONTROL));
		if (!endpoint_is_good(INDEX_CONTROL, &from))
			return XHCI_PARAMETER_ERROR;
		to = context_read(xhci, at);
		to.word[1] &= (uint32_t)~XHCI_ENDPOINT_PACKET;
		to.word[1] |= from.word[1] & (uint32_t)XHCI_ENDPOINT_PACKET;
		context_write(xhci, at, &to);
		it->endpoint[INDEX_CONTROL].packet =
			(uint16_t)FIELD_GET(XHCI_ENDPOINT_PACKET, from.word[1]);
	}
	return XHCI_SUCCESS;
}

/* ---- Endpoints ---------------------------------------------------------- */

static enum xhci_code endpoint_stop(struct xhci *xhci, unsigned slot,
				    unsigned index)
{
	struct xhci_endpoint *endpoint =
		&xhci->state.slot[slot].endpoint[index];

	if (endpoint->state != XHCI_EP_RUNNING)
		return XHCI_STATE_ERROR;
	xhci_transfer_stopped(xhci, slot, index);
	endpoint->state = XHCI_EP_STOPPED;
	xhci->state.slot[slot].pending &= ~(uint32_t)BIT(index);
	xhci_endpoint_publish(xhci, slot, index);
	return XHCI_SUCCESS;
}

static enum xhci_code endpoint_reset(struct xhci *xhci, unsigned slot,
				     unsigned index)
{
	struct xhci_endpoint *endpoint =
		&xhci->state.slot[slot].endpoint[index];

	if (endpoint->state != XHCI_EP_HALTED)
		return XHCI_STATE_ERROR;
	endpoint->state = XHCI_EP_STOPPED;
	xhci_endpoint_publish(xhci, slot, index);
	return XHCI_SUCCESS;
}

static enum xhci_code dequeue_set(struct xhci *xhci, unsigned slot,
				  unsigned index, const struct xhci_trb *trb)
{
	struct xhci_endpoint *endpoint =
		&xhci->state.slot[slot].endpoint[index];

	if (endpoint->state != XHCI_EP_STOPPED &&
	    endpoint->state != XHCI_EP_ERROR)
		return XHCI_STATE_ERROR;
	endpoint->dequeue = trb->parameter & ~15ULL;
	endpoint->cycle = trb->parameter & 1;
	endpoint->offset = endpoint->moved = 0;
	endpoint->state = XHCI_EP_STOPPED;
	xhci_endpoint_publish(xhci, slot, index);
	return XHCI_SUCCESS;
}

static enum xhci_code endpoint_command(struct xhci *xhci, unsigned slot,
				       const struct xhci_trb *trb)
{
	unsigned index = (unsigned)FIELD_GET(XHCI_TRB_ENDPOINT, trb->control);

	if (!index)
		return XHCI_TRB_ERROR;
	if (index >= XHCI_ENDPOINTS ||
	    xhci->state.slot[slot].endpoint[index].state == XHCI_EP_DISABLED)
		return XHCI_ENDPOINT_DISABLED;
	switch (xhci_trb_type(trb)) {
	case XHCI_STOP_ENDPOINT:
		return endpoint_stop(xhci, slot, index);
	case XHCI_RESET_ENDPOINT:
		return endpoint_reset(xhci, slot, index);
	}
	return dequeue_set(xhci, slot, index, trb);
}

/* ---- All ---------------------------------------------------------------- */

static enum xhci_code slot_command(struct xhci *xhci, unsigned slot,
				   const struct xhci_trb *trb)
{
	if (slot >= XHCI_SLOTS ||
	    xhci->state.slot[slot].state == XHCI_SLOT_NONE)
		return XHCI_SLOT_DISABLED;
	switch (xhci_trb_type(trb)) {
	case XHCI_DISABLE_SLOT:
		return slot_disable(xhci, slot);
	case XHCI_ADDRESS_DEVICE:
		return address_device(xhci, slot, trb);
	case XHCI_CONFIGURE_ENDPOINT:
		return configure(xhci, slot, trb);
	case XHCI_EVALUATE_CONTEXT:
		return evaluate(xhci, slot, trb);
	case XHCI_RESET_DEVICE:
		return reset_device(xhci, slot);
	}
	return endpoint_command(xhci, slot, trb);
}

static enum xhci_code command(struct xhci *xhci, const struct xhci_trb *trb,
			      unsigned *slot)
{
	unsigned type = xhci_trb_type(trb);

	*slot = (unsigned)FIELD_GET(XHCI_TRB_SLOT, trb->control) - 1;
	if (type == XHCI_ENABLE_SLOT)
		return slot_enable(xhci, slot);
	if (type == XHCI_NO_OP_COMMAND)
		return XHCI_SUCCESS;
	if (type < XHCI_ENABLE_SLOT || type > XHCI_RESET_DEVICE)
		return XHCI_TRB_ERROR;
	return slot_command(xhci, *slot, trb);
}

bool xhci_command_run(struct xhci *xhci)
{
	struct xhci_state *state = &xhci->state;
	struct xhci_cursor cursor = { state->command_next,
				      state->command_cycle };
	struct xhci_trb trb;
	enum xhci_code code;
	unsigned slot;
	bool is_there = xhci_ring_fetch(xhci, &cursor, &trb);

	state->command_next = cursor.at;
	state->command_cycle = cursor.cycle;
	if (!is_there)
		return false;
	code = command(xhci, &trb, &slot);
	state->command_next += XHCI_TRB_SIZE;
	xhci_event(xhci, XHCI_COMMAND_EVENT, code, cursor.at, 0,
		   (uint32_t)FIELD_PUT(XHCI_TRB_SLOT, slot + 1));
	return true;
}
