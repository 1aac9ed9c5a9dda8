/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What consoles write, on its way to the client: remote.h.
 *
 * Serial ports, debug ports and the log are heard, once, and kept as far as
 * there is room.  A printer is read, by as much as the client has room for:
 * what a guest prints waits in its ring, and then the guest does.
 */
#include "services/seat/remote.h"

#include "include/errno.h"

#define TAP_PIECE	512
/* Pieces of what is printed, at a time. */
#define PRINTER_TURN	4
/* A guest prints byte by byte: no bell, and no frame, for each of them. */
#define PRINTER_WAIT_NS (2 * NSEC_PER_MS)

struct remote_tap *remote_tap_find(struct remote *remote, uint32_t id)
{
	for (unsigned i = 0; i < REMOTE_TAPS; i++)
		if (remote->tap[i].id == id)
			return &remote->tap[i];
	return NULL;
}

void remote_heard(struct remote *remote, unsigned slot, const char *bytes,
		  size_t length)
{
	for (unsigned i = 0; i < REMOTE_TAPS; i++) {
		struct remote_tap *tap = &remote->tap[i];
		size_t n;

		if (!tap->id || (tap->slot != slot && tap->also != slot))
			continue;
		n = MIN(length, REMOTE_TAP - (tap->head - tap->tail));
		for (size_t k = 0; k < n; k++)
			tap->bytes[tap->head++ % REMOTE_TAP] = bytes[k];
		tap->lost += (uint32_t)(length - n);
		remote->is_again = true;
	}
}

static bool has_any(const struct remote_tap *tap)
{
	return tap->id && (tap->head != tap->tail || tap->lost);
}

static void tap_send(struct remote *remote, struct remote_tap *tap)
{
	uint32_t at = tap->tail % REMOTE_TAP;
	uint32_t n =
		MIN(MIN(tap->head - tap->tail, TAP_PIECE), REMOTE_TAP - at);

	if (n) {
		remote_binary(remote, tap->id, REMOTE_SERIAL, n);
		link_add(&remote->link, tap->bytes + at, n);
		link_end(&remote->link);
		tap->tail += n;
		remote->is_again = true;
	} else {
		remote_say(remote,
			   "{\"id\":%u,\"event\":\"lost\",\"bytes\":%u}",
			   tap->id, tap->lost);
		tap->lost = 0;
	}
}

static bool is_printer(const struct remote_tap *tap)
{
	return tap->id && tap->slot >= MUX_PRINTER_OF(0);
}

/* How much there was. */
static size_t print_piece(struct remote *remote, struct remote_tap *tap)
{
	uint8_t bytes[TAP_PIECE];
	size_t n = mux_printer_read(remote->mux, tap->slot - MUX_PRINTER_OF(0),
				    bytes, sizeof(bytes));

	if (!n)
		return 0;
	remote_binary(remote, tap->id, REMOTE_SERIAL, (uint32_t)n);
	link_add(&remote->link, bytes, n);
	link_end(&remote->link);
	return n;
}

/* What comes next is looked for a moment later, before a bell is asked for. */
static void print_run(struct remote *remote, struct remote_tap *tap,
		      uint64_t now_ns)
{
	size_t n = TAP_PIECE;

	if (now_ns < tap->poll_ns)
		return;
	tap->poll_ns = 0;
	for (unsigned i = 0; i < PRINTER_TURN && n == TAP_PIECE; i++) {
		if (!remote_has_room(remote, REMOTE_TAP_QUEUE)) {
			remote->is_waiting = true;
			return;
		}
		n = print_piece(remote, tap);
	}
	if (n)
		tap->poll_ns = now_ns + PRINTER_WAIT_NS;
}

void remote_taps_run(struct remote *remote, uint64_t now_ns)
{
	for (unsigned i = 0; i < REMOTE_TAPS; i++) {
		struct remote_tap *tap = &remote->tap[i];

		if (is_printer(tap))
			print_run(remote, tap, now_ns);
		if (!has_any(tap))
			continue;
		if (remote_has_room(remote, REMOTE_TAP_QUEUE))
			tap_send(remote, tap);
		else
			remote->is_waiting = true;
	}
}

uint64_t remote_taps_deadline(const struct remote *remote)
{
	uint64_t deadline_ns = UINT64_MAX;

	for (unsigned i = 0; i < REMOTE_TAPS; i++) {
		const struct remote_tap *tap = &remote->tap[i];

		if (is_printer(tap) && tap->poll_ns)
			deadline_ns = MIN(deadline_ns, tap->poll_ns);
	}
	return deadline_ns;
}

void remote_tap_end(struct remote *remote, struct remote_tap *tap)
{
	if (is_printer(tap))
		mux_printer_close(remote->mux, tap->slot - MUX_PRINTER_OF(0),
				  remote);
	tap->id = 0;
}

static bool is_of(const struct remote_tap *tap, unsigned slot)
{
	return tap->id &&
	       (tap->slot == slot || tap->slot == MUX_DEBUG_OF(slot) ||
		tap->slot == MUX_E9_OF(slot) ||
		tap->slot == MUX_SERIAL1_OF(slot) ||
		tap->slot == MUX_PRINTER_OF(slot));
}

void remote_gone(struct remote *remote, unsigned slot)
{
	if (slot < MUX_SLOTS) {
		remote->buttons[slot] = 0;
		remote->held[slot] = (struct held){ 0 };
	}
	for (unsigned i = 0; i < REMOTE_TAPS; i++) {
		struct remote_tap *tap = &remote->tap[i];
		unsigned pieces = SEAT_PRINTER_SIZE / TAP_PIECE;

		if (!is_of(tap, slot))
			continue;
		while (is_printer(tap) && pieces-- && print_piece(remote, tap))
			;
		while (has_any(tap))
			tap_send(remote, tap);
		remote_say(remote, "{\"id\":%u,\"event\":\"gone\"}", tap->id);
		remote_tap_end(remote, tap);
	}
}

int remote_tap_begin(struct remote *remote, uint32_t id, unsigned slot,
		     unsigned also)
{
	struct remote_tap *tap = remote_tap_find(remote, id);

	if (!tap)
		tap = remote_tap_find(remote, 0);
	if (!tap)
		return -EBUSY;
	remote_tap_end(remote, tap);
	tap->id = id;
	tap->slot = slot;
	tap->also = also;
	tap->is_stuck = false;
	tap->head = tap->tail = tap->lost = 0;
	tap->poll_ns = 0;
	return 0;
}

int remote_printer_begin(struct remote *remote, uint32_t id, unsigned slot)
{
	struct remote_tap *same = remote_tap_find(remote, id);
	int error;

	if (same)
		remote_tap_end(remote, same);
	/* For the host all clients of a broker are one: by id they are not. */
	for (unsigned i = 0; i < REMOTE_TAPS; i++)
		if (is_printer(&remote->tap[i]) &&
		    remote->tap[i].slot == MUX_PRINTER_OF(slot))
			return -EEXIST;
	error = mux_printer_open(remote->mux, slot, remote);
	if (error)
		return error;
	error = remote_tap_begin(remote, id, MUX_PRINTER_OF(slot),
				 MUX_PRINTER_OF(slot));
	if (error)
		mux_printer_close(remote->mux, slot, remote);
	return error;
}
