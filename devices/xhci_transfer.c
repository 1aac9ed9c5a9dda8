/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xHCI's transfers, packet by packet.
 *
 * A TD is a chain of TRBs; a packet may lie across several of them.  It is
 * gathered first, given to the device, and what that took or gave is then
 * committed: memory is written, the endpoint moves on, events are sent for the
 * TRBs that end.  A NAK leaves all as it was.
 */
#include "devices/xhci_internal.h"

#include "lib/string.h"

#define PACKET_MAX 1024
/* TRBs that a packet may lie in, and that a short one may leave behind. */
#define CHAIN_MAX  64
#define SKIP_MAX   1024

struct transfer {
	struct xhci *xhci;
	unsigned slot, index;
	struct xhci_endpoint *endpoint;
	struct usb_device *dev;
	bool is_in;
	uint8_t data[PACKET_MAX];
};

struct usb_device *xhci_device_of(const struct xhci *xhci, unsigned slot)
{
	unsigned port = xhci->state.slot[slot].port;

	if (!port || !(xhci->state.port[port - 1] & XHCI_PORT_ENABLED))
		return NULL;
	return xhci_port_device(xhci, port - 1);
}

static bool is_suspended(const struct xhci *xhci, unsigned slot)
{
	unsigned port = xhci->state.slot[slot].port;

	return port && FIELD_GET(XHCI_PORT_LINK, xhci->state.port[port - 1]) !=
			       XHCI_LINK_U0;
}

/* ---- Events ------------------------------------------------------------- */

static void event_send(const struct transfer *t, enum xhci_code code,
		       uint64_t parameter, uint32_t length, uint32_t flags)
{
	xhci_event(t->xhci, XHCI_TRANSFER_EVENT, code, parameter, length,
		   flags | (uint32_t)FIELD_PUT(XHCI_TRB_ENDPOINT, t->index) |
			   (uint32_t)FIELD_PUT(XHCI_TRB_SLOT, t->slot + 1));
}

static uint32_t length_of(const struct xhci_trb *trb)
{
	switch (xhci_trb_type(trb)) {
	case XHCI_NORMAL:
	case XHCI_DATA:
		return (uint32_t)FIELD_GET(XHCI_TRB_LENGTH, trb->status);
	}
	return 0;
}

/* Of the TRB at the endpoint's place: what is left of it has not moved. */
static void event_here(const struct transfer *t, const struct xhci_trb *trb,
		       enum xhci_code code)
{
	uint32_t length = length_of(trb);

	event_send(t, code, t->endpoint->dequeue,
		   length - MIN(length, t->endpoint->offset), 0);
}

static void event_data(const struct transfer *t, const struct xhci_trb *trb,
		       enum xhci_code code)
{
	if (trb->control & XHCI_TRB_IOC)
		event_send(t, code, trb->parameter, t->endpoint->moved,
			   XHCI_EVENT_DATA);
	t->endpoint->moved = 0;
}

/* ---- Places ------------------------------------------------------------- */

static struct xhci_cursor cursor_of(const struct xhci_endpoint *endpoint)
{
	return (struct xhci_cursor){ endpoint->dequeue, endpoint->cycle };
}

/* The TRB there, links left behind. */
static bool here(struct transfer *t, struct xhci_trb *trb)
{
	struct xhci_cursor cursor = cursor_of(t->endpoint);
	bool is_there = xhci_ring_fetch(t->xhci, &cursor, trb);

	t->endpoint->dequeue = cursor.at;
	t->endpoint->cycle = cursor.cycle;
	return is_there;
}

static void advance(struct transfer *t, const struct xhci_trb *trb)
{
	t->endpoint->dequeue += XHCI_TRB_SIZE;
	t->endpoint->offset = 0;
	if (!(trb->control & XHCI_TRB_CHAIN))
		t->endpoint->moved = 0;
}

static void halt(struct transfer *t, const struct xhci_trb *trb,
		 enum xhci_code code)
{
	t->endpoint->state =
		code == XHCI_TRB_ERROR ? XHCI_EP_ERROR : XHCI_EP_HALTED;
	event_here(t, trb, code);
	xhci_endpoint_publish(t->xhci, t->slot, t->index);
}

/* ---- Packets ------------------------------------------------------------ */

static void copy_from(struct transfer *t, const struct xhci_trb *trb,
		      uint32_t offset, uint8_t *to, uint32_t length)
{
	uint8_t immediate[8];

	if (!(trb->control & XHCI_TRB_IDT)) {
		guest_ram_read(t->xhci->config.ram, trb->parameter + offset, to,
			       length);
		return;
	}
	memcpy(immediate, &trb->parameter, sizeof(immediate));
	for (uint32_t i = 0; i < length; i++)
		to[i] = offset + i < sizeof(immediate) ? immediate[offset + i]
						       : 0;
}

/* The next packet's data, or its room; -1: its TD is not complete yet. */
static int gather(struct transfer *t)
{
	struct xhci_cursor cursor = cursor_of(t->endpoint);
	uint32_t offset = t->endpoint->offset, count = 0;
	uint32_t packet = MIN(t->endpoint->packet, (uint32_t)PACKET_MAX);

	for (unsigned i = 0; i < CHAIN_MAX; i++) {
		struct xhci_trb trb;
		uint32_t part;

		if (!xhci_ring_fetch(t->xhci, &cursor, &trb))
			return -1;
		part = length_of(&trb);
		part = MIN(part - MIN(part, offset), packet - count);
		if (!t->is_in)
			copy_from(t, &trb, offset, t->data + count, part);
		count += part;
		if (count == packet || !(trb.control & XHCI_TRB_CHAIN))
			break;
		cursor.at += XHCI_TRB_SIZE;
		offset = 0;
	}
	return (int)count;
}

/* The TD is over before its end. */
static void skip(struct transfer *t, struct xhci_trb *trb)
{
	for (unsigned i = 0; i < SKIP_MAX; i++) {
		bool is_last = !(trb->control & XHCI_TRB_CHAIN);

		advance(t, trb);
		if (is_last || !here(t, trb))
			return;
		if (xhci_trb_type(trb) == XHCI_EVENT_DATA_TRB)
			event_data(t, trb, XHCI_SHORT_PACKET);
	}
}

/* What has moved is in the TRBs from here on. */
static void commit(struct transfer *t, uint32_t moved, bool is_short)
{
	const uint8_t *from = t->data;
	struct xhci_trb trb;

	for (unsigned i = 0; i < CHAIN_MAX && here(t, &trb); i++) {
		uint32_t length = length_of(&trb);
		uint32_t part =
			MIN(length - MIN(length, t->endpoint->offset), moved);

		if (t->is_in && part)
			guest_ram_write(t->xhci->config.ram,
					trb.parameter + t->endpoint->offset,
					from, part);
		from += part;
		moved -= part;
		t->endpoint->offset += part;
		t->endpoint->moved += part;
		if (t->endpoint->offset < length) {
			if (!is_short)
				return;
			if (trb.control & (XHCI_TRB_IOC | XHCI_TRB_ISP))
				event_here(t, &trb, XHCI_SHORT_PACKET);
			skip(t, &trb);
			return;
		}
		if (xhci_trb_type(&trb) == XHCI_EVENT_DATA_TRB)
			event_data(t, &trb, XHCI_SUCCESS);
		else if (trb.control & XHCI_TRB_IOC)
			event_here(t, &trb, XHCI_SUCCESS);
		advance(t, &trb);
		if (!(trb.control & XHCI_TRB_CHAIN) || (!moved && !is_short))
			return;
	}
}

static bool failed(struct transfer *t, const struct xhci_trb *trb, int error)
{
	if (error == USB_NAK)
		return false;
	halt(t, trb,
	     error == USB_STALL ? XHCI_STALL_ERROR : XHCI_TRANSACTION_ERROR);
	return true;
}

static bool packet_step(struct transfer *t, const struct xhci_trb *trb)
{
	int count = gather(t), moved;

	if (count < 0)
		return false;
	moved = usb_transact(t->dev, t->is_in ? USB_TOKEN_IN : USB_TOKEN_OUT,
			     t->index / 2, t->data, (unsigned)count);
	if (moved < 0)
		return failed(t, trb, moved);
	commit(t, (uint32_t)moved, moved < count);
	return true;
}

/* ---- TRBs --------------------------------------------------------------- */

static void trb_done(struct transfer *t, const struct xhci_trb *trb)
{
	if (trb->control & XHCI_TRB_IOC)
		event_here(t, trb, XHCI_SUCCESS);
	advance(t, trb);
}

static bool stage_step(struct transfer *t, const struct xhci_trb *trb)
{
	bool is_setup = xhci_trb_type(trb) == XHCI_SETUP;
	unsigned token = is_setup		      ? USB_TOKEN_SETUP
			 : trb->control & XHCI_TRB_IN ? USB_TOKEN_IN
						      : USB_TOKEN_OUT;
	int moved;

	memcpy(t->data, &trb->parameter, USB_SETUP_SIZE);
	moved = usb_transact(t->dev, token, 0, t->data,
			     is_setup ? USB_SETUP_SIZE : 0);
	if (moved < 0)
		return failed(t, trb, moved);
	trb_done(t, trb);
	return true;
}

static bool trb_step(struct transfer *t, const struct xhci_trb *trb)
{
	bool is_control = t->endpoint->type == XHCI_EP_CONTROL;

	switch (xhci_trb_type(trb)) {
	case XHCI_SETUP:
	case XHCI_STATUS:
		if (is_control)
			return stage_step(t, trb);
		break;
	case XHCI_DATA:
		t->is_in = trb->control & XHCI_TRB_IN;
		if (is_control)
			return packet_step(t, trb);
		break;
	case XHCI_NORMAL:
		/* Behind a data stage's TRB: its direction is the request's. */
		t->is_in = is_control
				   ? t->dev->state->phase == USB_PHASE_DATA_IN
				   : t->endpoint->type >= XHCI_EP_CONTROL;
		return packet_step(t, trb);
	case XHCI_EVENT_DATA_TRB:
		event_data(t, trb, XHCI_SUCCESS);
		advance(t, trb);
		return true;
	case XHCI_NO_OP:
		trb_done(t, trb);
		return true;
	}
	halt(t, trb, XHCI_TRB_ERROR);
	return true;
}

static bool transfer_init(struct transfer *t, struct xhci *xhci, unsigned slot,
			  unsigned index)
{
	t->xhci = xhci;
	t->slot = slot;
	t->index = index;
	t->endpoint = &xhci->state.slot[slot].endpoint[index];
	t->dev = xhci_device_of(xhci, slot);
	t->is_in = false;
	return t->endpoint->state == XHCI_EP_RUNNING;
}

bool xhci_transfer_step(struct xhci *xhci, unsigned slot, unsigned index)
{
	struct transfer t;
	struct xhci_trb trb;

	if (!transfer_init(&t, xhci, slot, index) || !here(&t, &trb))
		return false;
	if (t.dev && is_suspended(xhci, slot))
		return false;
	if (!t.dev) {
		halt(&t, &trb, XHCI_TRANSACTION_ERROR);
		return true;
	}
	return trb_step(&t, &trb);
}

void xhci_transfer_stopped(struct xhci *xhci, unsigned slot, unsigned index)
{
	struct transfer t;
	struct xhci_trb trb;

	if (transfer_init(&t, xhci, slot, index) && here(&t, &trb))
		event_here(&t, &trb, XHCI_STOPPED);
}
