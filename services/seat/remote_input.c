/* SPDX-License-Identifier: BSD-2-Clause */
/* A client's keys and pointer: docs/control.md, "keys". */
#include "services/seat/remote.h"

#include "include/errno.h"

static int input(struct remote *remote, unsigned slot,
		 const struct input_event *event, unsigned count)
{
	int error = faces_input(remote->faces, slot, event, count);

	for (unsigned i = 0; !error && i < count; i++)
		held_note(&remote->held[slot], &event[i]);
	return error;
}

static void unread_told(void *ctx, uint32_t id,
			const struct face_record *record, int error)
{
	if (!error)
		error = ((const struct face_answer *)record)->error;
	if (error < 0)
		remote_answer(ctx, id, error, "the machine");
	else
		remote_say(ctx, "{\"id\":%u,\"ok\":true,\"unread\":%u}", id,
			   (unsigned)error);
}

/* What there is of former ones. */
static int unread_ask(struct remote *remote, uint32_t id, unsigned slot)
{
	struct face_ask ask = {
		.answer = unread_told,
		.ctx = remote,
		.id = id,
	};

	return faces_ask(remote->faces, slot, FACE_UNREAD, 0, &ask);
}

void remote_keys(struct remote *remote, const struct request *request,
		 unsigned slot)
{
	struct input_event event[FACE_EVENTS_MAX];
	int error;

	for (unsigned i = 0; i < request->key_count; i++) {
		int32_t key = request->key[i], code = key < 0 ? -key : key;

		if (!key || code >= HELD_KEYS) {
			remote_refuse(remote, request->id, "bad request",
				      "keys", "there is no such key");
			return;
		}
		event[i] = (struct input_event){
			.kind = INPUT_KEY,
			.code = (uint16_t)code,
			.value = key > 0,
		};
	}
	error = request->key_count
			? input(remote, slot, event, request->key_count)
			: unread_ask(remote, request->id, slot);
	if (error || request->key_count)
		remote_answer(remote, request->id, error, request->guest);
}

static const uint16_t button_codes[] = { INPUT_BUTTON_LEFT, INPUT_BUTTON_RIGHT,
					 INPUT_BUTTON_MIDDLE, INPUT_BUTTON_SIDE,
					 INPUT_BUTTON_EXTRA };

/* Where it is to be, if the client says so; how many events. */
static unsigned place(const struct request *request, struct input_event *event)
{
	const uint32_t places[] = {
		[INPUT_X] = request->x, [INPUT_Y] = request->y
	};
	unsigned count = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++)
		if (request->has & (i == INPUT_X ? REQUEST_X : REQUEST_Y))
			event[count++] = (struct input_event){
				.kind = INPUT_ABSOLUTE,
				.code = (uint16_t)i,
				.value = (int32_t)MIN(places[i],
						      INPUT_ABSOLUTE_MAX),
			};
	return count;
}

void remote_pointer(struct remote *remote, const struct request *request,
		    unsigned slot)
{
	const int32_t moves[INPUT_AXES] = { request->dx, request->dy,
					    request->wheel };
	struct input_event event[2 + INPUT_AXES + ARRAY_SIZE(button_codes) + 1];
	uint8_t before = remote->buttons[slot], buttons = before;
	unsigned count = 0;
	int error;

	if (request->has & REQUEST_BUTTONS)
		buttons = request->buttons & MASK(4, 0);
	for (unsigned i = 0; i < INPUT_AXES; i++)
		if (moves[i])
			event[count++] =
				(struct input_event){ INPUT_RELATIVE,
						      (uint16_t)i, moves[i] };
	/* Behind the movement, whose stead a guest that can has it take. */
	count += place(request, &event[count]);
	for (unsigned i = 0; i < ARRAY_SIZE(button_codes); i++)
		if ((buttons ^ before) & BIT(i))
			event[count++] =
				(struct input_event){ INPUT_KEY,
						      button_codes[i],
						      (buttons & BIT(i)) != 0 };
	event[count++] = (struct input_event){ .kind = INPUT_SYNC };
	error = input(remote, slot, event, count);
	if (!error)
		remote->buttons[slot] = buttons;
	remote_answer(remote, request->id, error, request->guest);
}
