/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UHCI's schedule: queues and transfer descriptors of one frame.  See uhci.h.
 *
 *	frame list -> TD -> TD -> QH ---head---> QH ---head---> ...
 *				  |element	 |element
 *				  TD -> TD	 TD -> QH ...
 *
 * A descriptor that ends well moves its queue's element pointer on.  Next is
 * that descriptor, if it says "depth first", else the queue's head.
 */
#include "devices/uhci_internal.h"

#include "lib/string.h"

#define FRAME_VISITS  512
#define FRAME_PACKETS 128
#define LIST_ENTRIES  1024

enum td_end {
	TD_DONE,    /* the queue goes on */
	TD_STAYS,   /* it does not, for now or for good */
	TD_INVALID, /* no such packet */
};

struct walk {
	struct uhci *uhci;
	struct uhci_frame *frame;
	unsigned visits, packets;
	uint32_t link;
	uint32_t queue; /* whose element is next; 0: nobody's */
	/* Brent's: a queue that is met again with nothing moved since. */
	uint32_t mark;
	unsigned steps, steps_max;
};

/* ---- Packets ------------------------------------------------------------ */

static struct usb_device *device_find(const struct uhci *uhci, uint8_t address)
{
	for (unsigned i = 0; i < UHCI_PORTS; i++) {
		struct usb_device *dev = uhci->config.port[i], *found;
		uint16_t port = uhci->state.port[i];

		if (!dev || !(port & UHCI_PORT_ENABLED) ||
		    port & (UHCI_PORT_SUSPEND | UHCI_PORT_RESET))
			continue;
		found = usb_find(dev, address);
		if (found)
			return found;
	}
	return NULL;
}

static bool is_token(unsigned pid)
{
	return pid == USB_TOKEN_IN || pid == USB_TOKEN_OUT ||
	       pid == USB_TOKEN_SETUP;
}

/* Bytes that have moved, or what usb_transact() says. */
static int packet_run(const struct uhci *uhci, const struct uhci_td *td,
		      unsigned length)
{
	uint8_t data[UHCI_LENGTH_MAX];
	unsigned pid = FIELD_GET(UHCI_TOKEN_PID, td->token);
	unsigned endpoint = FIELD_GET(UHCI_TOKEN_ENDPOINT, td->token);
	struct usb_device *dev = device_find(
		uhci, (uint8_t)FIELD_GET(UHCI_TOKEN_ADDRESS, td->token));
	int moved;

	if (!dev)
		return USB_NOBODY;
	if (pid != USB_TOKEN_IN)
		guest_ram_read(uhci->config.ram, td->buffer, data, length);
	moved = usb_transact(dev, pid, endpoint, data, length);
	if (pid == USB_TOKEN_IN && moved > 0)
		guest_ram_write(uhci->config.ram, td->buffer, data,
				(uint64_t)moved);
	return moved;
}

/* Nobody has answered: the count goes down, at its end the queue stops.  A
 * count of 0 is without end. */
static enum td_end td_timed_out(struct walk *walk, struct uhci_td *td)
{
	unsigned left = (unsigned)FIELD_GET(UHCI_TD_ERRORS, td->control);

	td->control |= UHCI_TD_TIMEOUT;
	if (td->control & UHCI_TD_ISOCHRONOUS) {
		td->control &= (uint32_t)~UHCI_TD_ACTIVE;
		return TD_DONE;
	}
	if (!left)
		return TD_STAYS;
	td->control &= (uint32_t)~UHCI_TD_ERRORS;
	td->control |= (uint32_t)FIELD_PUT(UHCI_TD_ERRORS, left - 1);
	if (left > 1)
		return TD_STAYS;
	td->control &= (uint32_t)~UHCI_TD_ACTIVE;
	td->control |= UHCI_TD_STALLED;
	walk->frame->status |= UHCI_ERROR;
	return TD_STAYS;
}

static enum td_end td_failed(struct walk *walk, struct uhci_td *td, int error)
{
	if (error == USB_NAK && !(td->control & UHCI_TD_ISOCHRONOUS)) {
		td->control |= UHCI_TD_NAK;
		return TD_STAYS;
	}
	walk->frame->has_moved = true;
	if (error == USB_NOBODY)
		return td_timed_out(walk, td);
	td->control &= (uint32_t) ~(UHCI_TD_ACTIVE | UHCI_TD_NAK);
	if (td->control & UHCI_TD_ISOCHRONOUS)
		return TD_DONE;
	td->control |= UHCI_TD_STALLED;
	walk->frame->status |= UHCI_ERROR;
	return TD_STAYS;
}

static enum td_end td_moved(struct walk *walk, struct uhci_td *td,
			    unsigned length, unsigned moved)
{
	bool is_short = moved < length;

	walk->frame->has_moved = true;
	td->control &=
		(uint32_t) ~(UHCI_TD_ACTIVE | UHCI_TD_NAK | UHCI_TD_ACTUAL);
	td->control |= (uint32_t)FIELD_PUT(UHCI_TD_ACTUAL, moved - 1);
	if (is_short && td->control & UHCI_TD_SHORT &&
	    FIELD_GET(UHCI_TOKEN_PID, td->token) == USB_TOKEN_IN) {
		walk->frame->status |= UHCI_USBINT;
		walk->frame->causes |= UHCI_CAUSE_SHORT;
		return TD_STAYS;
	}
	return TD_DONE;
}

static enum td_end td_run(struct walk *walk, struct uhci_td *td)
{
	unsigned length =
		(unsigned)(FIELD_GET(UHCI_TOKEN_LENGTH, td->token) + 1) & 0x7ff;
	enum td_end end;
	int moved;

	if (!is_token(FIELD_GET(UHCI_TOKEN_PID, td->token)) ||
	    length > UHCI_LENGTH_MAX)
		return TD_INVALID;
	walk->packets++;
	moved = packet_run(walk->uhci, td, length);
	end = moved < 0 ? td_failed(walk, td, moved)
			: td_moved(walk, td, length, (unsigned)moved);
	return end;
}

static void complete(struct walk *walk, const struct uhci_td *td)
{
	if (!(td->control & UHCI_TD_IOC))
		return;
	walk->frame->has_moved = true;
	walk->frame->status |= UHCI_USBINT;
	walk->frame->causes |= UHCI_CAUSE_IOC;
}

/* ---- The walk ----------------------------------------------------------- */

static void read_words(const struct uhci *uhci, uint32_t gpa, void *to,
		       unsigned bytes)
{
	guest_ram_read(uhci->config.ram, gpa, to, bytes);
}

static void write_word(const struct uhci *uhci, uint32_t gpa, uint32_t value)
{
	guest_ram_write(uhci->config.ram, gpa, &value, sizeof(value));
}

/* Below a queue: goes on to the next one. */
static void leave_queue(struct walk *walk)
{
	uint32_t head;

	read_words(walk->uhci, walk->queue, &head, sizeof(head));
	walk->link = head;
	walk->queue = 0;
}

static void visit_td(struct walk *walk)
{
	struct uhci *uhci = walk->uhci;
	uint32_t at = walk->link & UHCI_LINK_ADDRESS;
	struct uhci_td td;
	enum td_end end = TD_STAYS;
	bool was_active;

	read_words(uhci, at, &td, sizeof(td));
	was_active = td.control & UHCI_TD_ACTIVE;
	if (was_active) {
		uint32_t control = td.control;

		end = td_run(walk, &td);
		if (end == TD_INVALID) {
			walk->frame->is_fatal = true;
			return;
		}
		if (td.control != control)
			write_word(uhci, at + offsetof(struct uhci_td, control),
				   td.control);
	}
	if (!(td.control & UHCI_TD_ACTIVE))
		complete(walk, &td);
	if (!walk->queue) {
		walk->link = td.link;
		return;
	}
	if (end != TD_DONE) {
		leave_queue(walk);
		return;
	}
	walk->mark = 0;
	write_word(uhci, walk->queue + offsetof(struct uhci_qh, element),
		   td.link);
	if (td.link & UHCI_LINK_DEPTH && !(td.link & UHCI_LINK_END))
		walk->link = td.link;
	else
		leave_queue(walk);
}

/* True: it was met before, with nothing moved since. */
static bool is_loop(struct walk *walk, uint32_t at)
{
	if (at == walk->mark)
		return true;
	if (!walk->mark || ++walk->steps == walk->steps_max) {
		walk->mark = at;
		walk->steps = 0;
		walk->steps_max = MAX(walk->steps_max * 2, 4U);
	}
	return false;
}

static bool visit_queue(struct walk *walk)
{
	uint32_t at = walk->link & UHCI_LINK_ADDRESS;
	struct uhci_qh qh;

	if (is_loop(walk, at))
		return false;
	read_words(walk->uhci, at, &qh, sizeof(qh));
	if (qh.element & UHCI_LINK_END) {
		walk->link = qh.head;
		walk->queue = 0;
	} else {
		walk->link = qh.element;
		walk->queue = qh.element & UHCI_LINK_QUEUE ? 0 : at;
	}
	return true;
}

struct uhci_frame uhci_frame_run(struct uhci *uhci, unsigned number)
{
	struct uhci_frame frame = { 0 };
	struct walk walk = { .uhci = uhci, .frame = &frame };

	read_words(uhci,
		   uhci->state.list +
			   number % LIST_ENTRIES * (uint32_t)sizeof(uint32_t),
		   &walk.link, sizeof(walk.link));
	while (!(walk.link & UHCI_LINK_END) && !frame.is_fatal &&
	       walk.visits++ < FRAME_VISITS && walk.packets < FRAME_PACKETS) {
		if (!(walk.link & UHCI_LINK_QUEUE))
			visit_td(&walk);
		else if (!visit_queue(&walk))
			break;
	}
	return frame;
}
