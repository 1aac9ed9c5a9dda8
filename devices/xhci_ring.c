/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xHCI's event ring, and how the other rings are read.
 */
#include "devices/xhci_internal.h"

#define LINKS_MAX 4
/* What a packet may add at once. */
#define ROOM	  8

/* ---- Events ------------------------------------------------------------- */

struct segment {
	uint64_t base;
	uint32_t size; /* TRBs */
	uint32_t reserved;
};

static struct segment segment_read(const struct xhci *xhci, uint32_t index)
{
	struct segment segment;

	guest_ram_read(xhci->config.ram,
		       xhci->state.table + index * sizeof(segment), &segment,
		       sizeof(segment));
	segment.base &= ~63ULL;
	segment.size &= 0xffff;
	return segment;
}

static void segment_enter(struct xhci *xhci, uint32_t index)
{
	struct segment segment = segment_read(xhci, index);

	xhci->state.segment = index;
	xhci->state.event = segment.base;
	xhci->state.event_left = segment.size;
}

void xhci_events_start(struct xhci *xhci)
{
	xhci->state.event_cycle = true;
	xhci->state.event_left = 0;
	if (xhci->state.segments)
		segment_enter(xhci, 0);
}

/* The dequeue pointer is not among the next places. */
bool xhci_events_have_room(struct xhci *xhci)
{
	const struct xhci_state *state = &xhci->state;
	uint64_t at = state->event, dequeue = state->dequeue & ~15ULL;
	uint32_t left = state->event_left, segment = state->segment;

	if (!left)
		return false;
	for (unsigned i = 0; i < ROOM; i++) {
		at += XHCI_TRB_SIZE;
		if (!--left) {
			struct segment next;

			segment = (segment + 1) % state->segments;
			next = segment_read(xhci, segment);
			at = next.base;
			left = next.size;
			if (!left)
				return false;
		}
		if (at == dequeue)
			return false;
	}
	return true;
}

static void interrupter_raise(struct xhci *xhci)
{
	xhci->state.dequeue |= XHCI_ERDP_BUSY;
	xhci->state.iman |= XHCI_IMAN_PENDING;
	xhci->state.status |= XHCI_EVENT;
	xhci_interrupt_update(xhci);
}

void xhci_events_taken(struct xhci *xhci)
{
	if (xhci->state.event_left &&
	    (xhci->state.dequeue & ~15ULL) != xhci->state.event)
		interrupter_raise(xhci);
}

void xhci_event(struct xhci *xhci, enum xhci_trb_type type, enum xhci_code code,
		uint64_t parameter, uint32_t length, uint32_t control)
{
	struct xhci_state *state = &xhci->state;
	struct xhci_trb trb = {
		.parameter = parameter,
		.status = (uint32_t)(FIELD_PUT(XHCI_EVENT_CODE, code) |
				     FIELD_PUT(XHCI_EVENT_LENGTH, length)),
		.control = control | (uint32_t)FIELD_PUT(XHCI_TRB_TYPE, type) |
			   (state->event_cycle ? XHCI_TRB_CYCLE : 0),
	};

	if (!state->event_left)
		return;
	guest_ram_write(xhci->config.ram, state->event, &trb, sizeof(trb));
	state->event += XHCI_TRB_SIZE;
	if (!--state->event_left) {
		uint32_t next = (state->segment + 1) % state->segments;

		state->event_cycle ^= !next;
		segment_enter(xhci, next);
	}
	interrupter_raise(xhci);
}

/* ---- Other rings -------------------------------------------------------- */

bool xhci_ring_fetch(const struct xhci *xhci, struct xhci_cursor *cursor,
		     struct xhci_trb *trb)
{
	for (unsigned links = 0; links <= LINKS_MAX; links++) {
		guest_ram_read(xhci->config.ram, cursor->at, trb, sizeof(*trb));
		if (!(trb->control & XHCI_TRB_CYCLE) == cursor->cycle)
			return false;
		if (xhci_trb_type(trb) != XHCI_LINK)
			return true;
		cursor->at = trb->parameter & ~15ULL;
		cursor->cycle ^= !!(trb->control & XHCI_TRB_TOGGLE);
	}
	return false; /* links to links, without end */
}
