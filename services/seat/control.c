/* SPDX-License-Identifier: BSD-2-Clause */
/* See control.h. */
#include "services/seat/control.h"

#include "lib/printf.h"
#include "lib/string.h"

#define MESSAGES_MAX 16 /* at a time */

/* What init did wrong shows in the log; the name may be anything. */
static void complain(struct control *control, const char *what,
		     const struct seat_message *message)
{
	char text[128];
	int n = snprintf(text, sizeof(text),
			 "--- seat: %s: message %u, slot %u, \"%.*s\" ---\n",
			 what, message->kind, message->slot, GATE_NAME_SIZE - 1,
			 message->name);

	mux_print(control->mux, text, MIN((size_t)n, sizeof(text) - 1));
}

/* Said again, to a seat that has read what the former one had not. */
static bool is_known(const struct control *control,
		     const struct seat_message *message)
{
	const struct mux_console *console;

	if (message->slot >= MUX_SLOTS)
		return false;
	console = &control->mux->console[message->slot];
	return console->state == MUX_OPEN &&
	       !strncmp(console->name, message->name, GATE_NAME_SIZE);
}

static void message_add(struct control *control,
			const struct seat_message *message)
{
	struct seat_console *memory = NULL;

	if (is_known(control, message))
		return;
	if (message->slot != SEAT_CONTROL_SLOT && message->slot < MUX_SLOTS)
		memory = control->ops->channel(control->ctx, message->slot);
	if (!memory)
		complain(control, "no such channel", message);
	else if (mux_add(control->mux, message->slot, message->name, memory))
		complain(control, "bad name, or taken", message);
	else {
		control->mux->console[message->slot].has_serial1 =
			message->has_serial1;
		control->mux->console[message->slot].has_printer =
			message->has_printer;
		if (control->ops->opened)
			control->ops->opened(control->ctx, message->slot,
					     memory);
	}
}

/* It can be attached again. */
static void slot_free(struct control *control, unsigned slot)
{
	if (control->ops->closed)
		control->ops->closed(control->ctx, slot);
	mux_printer_end(control->mux, slot);
	control->ops->detach(control->ctx, slot);
	control->removed[slot] = true;
}

/* Also of a slot that holds none, whose channel may be attached all the same.
 */
static void message_remove(struct control *control,
			   const struct seat_message *message)
{
	unsigned slot = message->slot;

	if (slot == SEAT_CONTROL_SLOT || slot >= MUX_SLOTS) {
		complain(control, "no such console", message);
	} else if (mux_remove(control->mux, slot)) {
		slot_free(control, slot);
	}
}

static void message_flush(struct control *control,
			  const struct seat_message *message)
{
	control->flush_tag[control->flush_count++] = message->tag;
	control->is_flushed = false;
	mux_flush(control->mux);
}

/* init's answers to what clients wanted; those of a former seat's are not. */
static void message_told(struct control *control,
			 const struct seat_message *message)
{
	for (unsigned i = 0; i < SEAT_ASKS; i++) {
		struct ask *slot = &control->asks.ask[i], ask = *slot;

		if (!ask.told || !ask.is_sent || ask.tag != message->tag)
			continue;
		if (message->kind == SEAT_TOLD)
			slot->told = NULL;
		if (ask.ctx)
			ask.told(ask.ctx, ask.id, message);
	}
}

static void message_handle(struct control *control,
			   const struct seat_message *message)
{
	switch (message->kind) {
	case SEAT_ADD:
		message_add(control, message);
		break;
	case SEAT_REMOVE:
		message_remove(control, message);
		break;
	case SEAT_FLUSH:
		message_flush(control, message);
		break;
	case SEAT_FOCUS:
		if (mux_focus(control->mux, message->slot))
			complain(control, "no such console", message);
		break;
	case SEAT_BUTTON:
		if (control->ops->button)
			control->ops->button(control->ctx, message->slot);
		break;
	case SEAT_RIGHTS:
		if (control->ops->rights)
			control->ops->rights(control->ctx, message);
		break;
	case SEAT_GUEST:
	case SEAT_TOLD:
		message_told(control, message);
		break;
	default:
		complain(control, "unknown", message);
	}
}

void control_init(struct control *control, const struct control_ops *ops,
		  void *ctx, struct mux *mux, struct seat_control *memory)
{
	*control = (struct control){ .ops = ops, .ctx = ctx, .mux = mux };
	ring_init(&control->in, &memory->to_seat, memory->to_seat_data,
		  SEAT_CONTROL_SIZE, false, true);
	ring_init(&control->out, &memory->from_seat, memory->from_seat_data,
		  SEAT_CONTROL_SIZE, true, true);
	/* The first console of all: its slot and name are free. */
	(void)!mux_add(mux, SEAT_CONTROL_SLOT, "host", &memory->operator);
}

static void ring_is_broken(struct control *control)
{
	static const char text[] = "--- seat: init's ring is broken ---\n";

	if (control->is_said)
		return;
	control->is_said = control->is_again = true;
	mux_print(control->mux, text, sizeof(text) - 1);
}

void control_read(struct control *control)
{
	bool ring_bell = false;
	long n = 1;

	control->is_again = false;
	for (unsigned i = 0; i < MESSAGES_MAX && n > 0; i++) {
		struct seat_message message;

		if (control->flush_count == CONTROL_FLUSHES)
			break; /* until those are answered */
		n = ring_get(&control->in, &message, sizeof(message),
			     &ring_bell);
		if (n == (long)sizeof(message)) {
			message_handle(control, &message);
		} else if (n > 0) {
			memset(&message, 0, sizeof(message));
			complain(control, "wrong length", &message);
		}
	}
	if (control->in.is_broken)
		ring_is_broken(control);
	else if (n > 0 || !ring_sleep(&control->in))
		control->is_again = control->flush_count < CONTROL_FLUSHES;
	if (ring_bell)
		control->ops->doorbell(control->ctx, SEAT_CONTROL_SLOT);
}

/* ---- Answers ------------------------------------------------------------ */

/* False: no room yet, or nobody to tell. */
static bool say(struct control *control, const struct seat_message *message,
		bool *ring_bell)
{
	long n;

	do {
		n = ring_put(&control->out, message, sizeof(*message),
			     ring_bell);
	} while (!n && !ring_sleep(&control->out));
	if (n < 0)
		ring_is_broken(control);
	return n > 0;
}

static bool answer(struct control *control, enum seat_message_kind kind,
		   unsigned slot, uint32_t tag, bool *ring_bell)
{
	struct seat_message message = { .kind = kind, .slot = slot };

	message.tag = tag;
	return say(control, &message, ring_bell);
}

static void asks_send(struct control *control, bool *ring_bell)
{
	for (unsigned i = 0; i < SEAT_ASKS; i++) {
		struct ask *ask = &control->asks.ask[i];
		struct seat_message message;

		if (!ask->told || ask->is_sent)
			continue;
		message = (struct seat_message){ .kind = SEAT_ASK };
		message.tag = ask->tag;
		message.verb = ask->verb;
		message.slot = ask->slot;
		message.vlan = ask->vlan;
		memcpy(message.name, ask->name, sizeof(message.name));
		if (!say(control, &message, ring_bell))
			return;
		ask->is_sent = true;
	}
}

static void answer_removed(struct control *control, bool *ring_bell)
{
	for (unsigned slot = 0; slot < MUX_SLOTS; slot++)
		if (control->removed[slot]) {
			if (!answer(control, SEAT_REMOVED, slot, 0, ring_bell))
				return;
			control->removed[slot] = false;
		}
}

static void answer_flushed(struct control *control, bool *ring_bell)
{
	unsigned n = 0;

	while (n < control->flush_count &&
	       answer(control, SEAT_FLUSHED, 0, control->flush_tag[n],
		      ring_bell))
		n++;
	control->flush_count -= n;
	memmove(control->flush_tag, control->flush_tag + n,
		control->flush_count * sizeof(control->flush_tag[0]));
	/* Messages may wait for that. */
	control->is_again |= n != 0;
}

void control_answer(struct control *control)
{
	bool ring_bell = false;
	int slot;

	while ((slot = mux_gone(control->mux)) >= 0)
		slot_free(control, (unsigned)slot);
	answer_removed(control, &ring_bell);
	if (control->flush_count && !control->is_flushed)
		control->is_flushed = mux_is_flushed(control->mux);
	if (control->flush_count && control->is_flushed)
		answer_flushed(control, &ring_bell);
	asks_send(control, &ring_bell);
	if (ring_bell)
		control->ops->doorbell(control->ctx, SEAT_CONTROL_SLOT);
}
