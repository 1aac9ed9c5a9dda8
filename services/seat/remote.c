/* SPDX-License-Identifier: BSD-2-Clause */
/* See remote.h. */
#include "services/seat/remote.h"

#include "include/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

#define FRAMES_MAX   16 /* of the client's, at a time */
#define TAP_PIECE    512
#define TAP_MIN_ROOM (2 * (LINK_HEAD + LINK_TAIL + REMOTE_TEXT))
#define HEAD_SIZE    8 /* of a binary frame */
#define TEXT_ROOM    (2 * (LINK_HEAD + LINK_TAIL + REMOTE_TEXT))

void remote_init(struct remote *remote, struct mux *mux, struct faces *faces,
		 struct asks *asks, uint32_t rights)
{
	link_init(&remote->link);
	remote->mux = mux;
	remote->faces = faces;
	remote->asks = asks;
	remote->rights = rights;
	remote->is_greeted = remote->has_begun = remote->is_again = false;
	remote->buttons = 0;
	for (unsigned i = 0; i < REMOTE_TAPS; i++)
		remote->tap[i].id = 0;
}

/* ---- Saying -------------------------------------------------------------- */

void remote_say(struct remote *remote, const char *format, ...)
{
	char text[REMOTE_TEXT];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text) - 1, format, args);
	va_end(args);
	if (n < 0 || n > (int)sizeof(text) - 2 ||
	    !link_has_room(&remote->link, (uint32_t)n + 1))
		return; /* no format is so long, and there is room */
	text[n++] = '\n';
	link_begin(&remote->link, LINK_JSON, (uint32_t)n);
	link_add(&remote->link, text, (size_t)n);
	link_end(&remote->link);
}

/* As a string's inside: what would need an escape is shown as '?'. */
static void plain(char *to, size_t size, const char *from)
{
	size_t i = 0;

	for (; i < size - 1 && from[i]; i++)
		to[i] = from[i] < ' ' || from[i] > '~' || from[i] == '"' ||
					from[i] == '\\'
				? '?'
				: from[i];
	to[i] = '\0';
}

void remote_refuse(struct remote *remote, uint32_t id, const char *error,
		   const char *what, const char *hint)
{
	char shown_what[64], shown_hint[128];

	plain(shown_what, sizeof(shown_what), what);
	plain(shown_hint, sizeof(shown_hint), hint);
	remote_say(remote,
		   "{\"id\":%u,\"ok\":false,\"error\":\"%s\",\"what\":\"%s\","
		   "\"hint\":\"%s\"}",
		   id, error, shown_what, shown_hint);
}

static void done(struct remote *remote, uint32_t id)
{
	remote_say(remote, "{\"id\":%u,\"ok\":true}", id);
}

void remote_answer(struct remote *remote, uint32_t id, int error,
		   const char *what)
{
	char hint[32];

	switch (error) {
	case 0:
		done(remote, id);
		break;
	case -EPIPE:
	case -ENOENT:
		remote_refuse(remote, id, "not running", what,
			      "no guest of this name runs: list shows them");
		break;
	case -EBUSY:
		remote_refuse(remote, id, "busy", what,
			      "too much is being asked at once: later");
		break;
	case -ENOSYS:
		remote_refuse(remote, id, "refused", what,
			      "the machine has nothing that could do it");
		break;
	default:
		(void)snprintf(hint, sizeof(hint), "error %d", error);
		remote_refuse(remote, id, "refused", what, hint);
	}
}

void remote_binary(struct remote *remote, uint32_t id, uint8_t what,
		   uint32_t length)
{
	uint8_t head[HEAD_SIZE] = { 0 };

	memcpy(head, &id, sizeof(id));
	head[4] = what;
	link_begin(&remote->link, LINK_BINARY, HEAD_SIZE + length);
	link_add(&remote->link, head, sizeof(head));
}

/* ---- Serial ports and the log -------------------------------------------- */

static struct remote_tap *tap_find(struct remote *remote, uint32_t id)
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
		size_t room = REMOTE_TAP - (tap->head - tap->tail);
		size_t n = MIN(length, room);

		if (!tap->id || tap->slot != slot)
			continue;
		for (size_t k = 0; k < n; k++)
			tap->bytes[tap->head++ % REMOTE_TAP] = bytes[k];
		tap->lost += (uint32_t)(length - n);
		remote->is_again = true;
	}
}

static bool tap_send(struct remote *remote, struct remote_tap *tap)
{
	uint32_t at = tap->tail % REMOTE_TAP;
	uint32_t n =
		MIN(MIN(tap->head - tap->tail, TAP_PIECE), REMOTE_TAP - at);

	if (!n && !tap->lost)
		return true;
	if (!link_has_room(&remote->link, TAP_PIECE + TAP_MIN_ROOM))
		return false;
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
	return true;
}

void remote_gone(struct remote *remote, unsigned slot)
{
	for (unsigned i = 0; i < REMOTE_TAPS; i++) {
		struct remote_tap *tap = &remote->tap[i];

		if (!tap->id || tap->slot != slot)
			continue;
		/* What is left of it, as far as there is room. */
		while (tap->head != tap->tail && tap_send(remote, tap))
			;
		remote_say(remote, "{\"id\":%u,\"event\":\"gone\"}", tap->id);
		tap->id = 0;
	}
}

static int tap_begin(struct remote *remote, uint32_t id, unsigned slot)
{
	struct remote_tap *tap = tap_find(remote, id);

	if (!tap)
		tap = tap_find(remote, 0);
	if (!tap)
		return -EBUSY;
	tap->id = id;
	tap->slot = slot;
	tap->head = tap->tail = tap->lost = 0;
	return 0;
}

/* ---- Verbs --------------------------------------------------------------- */

enum verb_needs { NEEDS_GUEST = BIT(0), NEEDS_SLOT = BIT(1) };

struct verb {
	const char *name;
	uint32_t right; /* enum remote_right, or 0 */
	uint32_t keys;	/* that have to be there */
	/* slot: of the guest, if it has one; it has the machine's channel. */
	void (*run)(struct remote *remote, const struct request *request,
		    const struct verb *verb, unsigned slot);
	bool needs_slot;
	uint32_t what; /* enum seat_verb, enum face_command_kind */
};

static void forget(struct remote *remote)
{
	faces_forget(remote->faces, remote);
	asks_forget(remote->asks, remote);
	for (unsigned i = 0; i < REMOTE_TAPS; i++)
		remote->tap[i].id = 0;
}

static void do_hello(struct remote *remote, const struct request *request,
		     const struct verb *verb, unsigned slot)
{
	static const char *const names[] = { "\"watch\"", "\"type\"",
					     "\"steer\"", "\"debug\"" };
	char rights[64] = "";
	size_t length = 0;

	(void)verb;
	(void)slot;
	forget(remote);
	remote->is_greeted = true;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (remote->rights & BIT(i))
			length += (size_t)snprintf(
				rights + length, sizeof(rights) - length,
				"%s%s", length ? "," : "", names[i]);
	remote_say(remote,
		   "{\"id\":%u,\"ok\":true,\"version\":%u,"
		   "\"host\":\"bulkhead\",\"rights\":[%s]}",
		   request->id, REMOTE_VERSION, rights);
}

static void told(void *ctx, uint32_t id, const struct seat_message *message)
{
	struct remote *remote = ctx;
	char name[GATE_NAME_SIZE], text[SEAT_TEXT_SIZE];

	plain(name, sizeof(name), message->name);
	plain(text, sizeof(text), message->text);
	if (message->kind == SEAT_GUEST)
		remote_say(remote,
			   "{\"id\":%u,\"event\":\"guest\",\"guest\":\"%s\","
			   "\"state\":\"%s\",\"vcpus\":%u,\"memory\":%u,"
			   "\"starts\":%u}",
			   id, name, text, message->vcpus, message->memory_mib,
			   message->starts);
	else if (text[0])
		remote_refuse(remote, id, "refused", name, text);
	else
		done(remote, id);
}

static void do_ask(struct remote *remote, const struct request *request,
		   const struct verb *verb, unsigned slot)
{
	struct ask ask = {
		.told = told,
		.ctx = remote,
		.id = request->id,
		.verb = verb->what,
	};
	int error;

	(void)slot;
	memcpy(ask.name, request->guest, sizeof(ask.name));
	error = asks_add(remote->asks, &ask);
	if (error)
		remote_answer(remote, request->id, error, request->verb);
}

static void commanded(void *ctx, uint32_t id, const struct face_record *record,
		      int error)
{
	if (!error)
		error = ((const struct face_answer *)record)->error;
	remote_answer(ctx, id, error, "the machine");
}

static void do_command(struct remote *remote, const struct request *request,
		       const struct verb *verb, unsigned slot)
{
	struct face_ask ask = {
		.answer = commanded,
		.ctx = remote,
		.id = request->id,
	};
	int error =
		faces_ask(remote->faces, slot, verb->what, request->unit, &ask);

	if (error)
		remote_answer(remote, request->id, error, request->guest);
}

static void statistics(void *ctx, uint32_t id, const struct face_record *record,
		       int error)
{
	const struct face_statistics *numbers = (const void *)record;
	char exits[FACE_EXITS * 12] = "";
	unsigned count = FACE_EXITS;
	size_t length = 0;

	if (error) {
		remote_answer(ctx, id, error, "the machine");
		return;
	}
	while (count && !numbers->exits[count - 1])
		count--;
	for (unsigned i = 0; i < count && length < sizeof(exits) - 24; i++)
		length += (size_t)snprintf(exits + length,
					   sizeof(exits) - length, "%s%lu",
					   i ? "," : "", numbers->exits[i]);
	remote_say(ctx,
		   "{\"id\":%u,\"ok\":true,\"paused\":%s,\"vcpus\":%u,"
		   "\"inputs\":%u,\"frames\":%lu,\"pixels\":%lu,"
		   "\"exits\":[%s]}",
		   id, numbers->is_paused ? "true" : "false", numbers->vcpus,
		   numbers->keys, numbers->frames, numbers->pixels, exits);
}

static void do_statistics(struct remote *remote, const struct request *request,
			  const struct verb *verb, unsigned slot)
{
	struct face_ask ask = {
		.answer = statistics,
		.ctx = remote,
		.id = request->id,
	};
	int error = faces_ask(remote->faces, slot, 0, 0, &ask);

	(void)verb;
	if (error)
		remote_answer(remote, request->id, error, request->guest);
}

static void do_keys(struct remote *remote, const struct request *request,
		    const struct verb *verb, unsigned slot)
{
	struct input_event event[FACE_EVENTS_MAX];

	(void)verb;
	for (unsigned i = 0; i < request->key_count; i++) {
		int32_t key = request->key[i];

		event[i] = (struct input_event){
			.kind = INPUT_KEY,
			.code = (uint16_t)(key < 0 ? -(int64_t)key : key),
			.value = key > 0,
		};
	}
	remote_answer(
		remote, request->id,
		faces_input(remote->faces, slot, event, request->key_count),
		request->guest);
}

static void do_pointer(struct remote *remote, const struct request *request,
		       const struct verb *verb, unsigned slot)
{
	static const uint16_t codes[] = { INPUT_BUTTON_LEFT, INPUT_BUTTON_RIGHT,
					  INPUT_BUTTON_MIDDLE,
					  INPUT_BUTTON_SIDE,
					  INPUT_BUTTON_EXTRA };
	const int32_t moves[INPUT_AXES] = { request->dx, request->dy,
					    request->wheel };
	struct input_event event[INPUT_AXES + ARRAY_SIZE(codes) + 1];
	unsigned count = 0;
	uint32_t buttons = request->has & REQUEST_BUTTONS ? request->buttons
							  : remote->buttons;

	(void)verb;
	for (unsigned i = 0; i < INPUT_AXES; i++)
		if (moves[i])
			event[count++] =
				(struct input_event){ INPUT_RELATIVE,
						      (uint16_t)i, moves[i] };
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++)
		if ((buttons ^ remote->buttons) & BIT(i))
			event[count++] =
				(struct input_event){ INPUT_KEY, codes[i],
						      (buttons & BIT(i)) != 0 };
	event[count++] = (struct input_event){ .kind = INPUT_SYNC };
	remote->buttons = buttons;
	remote_answer(remote, request->id,
		      faces_input(remote->faces, slot, event, count),
		      request->guest);
}

static void do_screen(struct remote *remote, const struct request *request,
		      const struct verb *verb, unsigned slot)
{
	int error = remote_screen(remote, request, slot);

	(void)verb;
	if (error)
		remote_answer(remote, request->id, error, request->guest);
}

static void do_serial(struct remote *remote, const struct request *request,
		      const struct verb *verb, unsigned slot)
{
	(void)verb;
	remote_answer(remote, request->id, tap_begin(remote, request->id, slot),
		      request->guest);
}

static void do_log(struct remote *remote, const struct request *request,
		   const struct verb *verb, unsigned slot)
{
	(void)verb;
	(void)slot;
	remote_answer(remote, request->id,
		      tap_begin(remote, request->id, MUX_SLOTS), "the log");
}

static void debugged(void *ctx, uint32_t id, const void *bytes, size_t length)
{
	struct remote *remote = ctx;

	if (!length) {
		remote_say(remote, "{\"id\":%u,\"event\":\"gone\"}", id);
		return;
	}
	/* GDB asks again for what is lost. */
	if (!link_has_room(&remote->link, HEAD_SIZE + (uint32_t)length))
		return;
	remote_binary(remote, id, REMOTE_GDB, (uint32_t)length);
	link_add(&remote->link, bytes, length);
	link_end(&remote->link);
}

static void do_debug(struct remote *remote, const struct request *request,
		     const struct verb *verb, unsigned slot)
{
	(void)verb;
	remote_answer(
		remote, request->id,
		faces_debug(remote->faces, slot, debugged, remote, request->id),
		request->guest);
}

static void do_close(struct remote *remote, const struct request *request,
		     const struct verb *verb, unsigned slot)
{
	struct face_watch *watch =
		faces_watch_find(remote->faces, remote, request->of);
	struct remote_tap *tap =
		request->of ? tap_find(remote, request->of) : NULL;

	(void)verb;
	(void)slot;
	if (watch)
		faces_unwatch(remote->faces, watch);
	if (tap)
		tap->id = 0;
	for (unsigned i = 0; i < FACES_SLOTS; i++)
		if (remote->faces->face[i].debug_ctx == remote &&
		    remote->faces->face[i].debug_id == request->of)
			faces_debug_close(remote->faces, i);
	done(remote, request->id);
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "hello",   0,            REQUEST_VERSION, do_hello, false, 0 },
	{ "list",    REMOTE_WATCH, 0,             do_ask, false, SEAT_LIST },
	{ "start",   REMOTE_STEER, REQUEST_GUEST, do_ask, false, SEAT_START },
	{ "stop",    REMOTE_STEER, REQUEST_GUEST, do_ask, false, SEAT_STOP },
	{ "restart", REMOTE_STEER, REQUEST_GUEST, do_ask, false, SEAT_RESTART },
	{ "off",     REMOTE_STEER, 0,             do_ask, false, SEAT_OFF },
	{ "pause",   REMOTE_STEER, REQUEST_GUEST, do_command, true, FACE_PAUSE },
	{ "resume",  REMOTE_STEER, REQUEST_GUEST, do_command, true, FACE_RESUME },
	{ "reset",   REMOTE_STEER, REQUEST_GUEST, do_command, true, FACE_RESET },
	{ "power",   REMOTE_STEER, REQUEST_GUEST, do_command, true, FACE_POWER_BUTTON },
	{ "nmi",     REMOTE_STEER, REQUEST_GUEST, do_command, true, FACE_NMI },
	{ "eject",   REMOTE_STEER, REQUEST_GUEST | REQUEST_UNIT, do_command, true, FACE_EJECT },
	{ "insert",  REMOTE_STEER, REQUEST_GUEST | REQUEST_UNIT, do_command, true, FACE_INSERT },
	{ "keys",    REMOTE_TYPE,  REQUEST_GUEST | REQUEST_KEYS, do_keys, true, 0 },
	{ "pointer", REMOTE_TYPE,  REQUEST_GUEST, do_pointer, true, 0 },
	{ "screen",  REMOTE_WATCH, REQUEST_GUEST, do_screen, true, 0 },
	{ "serial",  REMOTE_WATCH, REQUEST_GUEST, do_serial, true, 0 },
	{ "log",     REMOTE_WATCH, 0,             do_log, false, 0 },
	{ "statistics", REMOTE_WATCH, REQUEST_GUEST, do_statistics, true, 0 },
	{ "debug",   REMOTE_DEBUG, REQUEST_GUEST, do_debug, true, 0 },
	{ "close",   0,            REQUEST_OF,    do_close, false, 0 },
};
/* clang-format on */

static const char *key_name(uint32_t missing)
{
	if (missing & REQUEST_GUEST)
		return "guest";
	if (missing & REQUEST_KEYS)
		return "keys";
	if (missing & REQUEST_UNIT)
		return "unit";
	return missing & REQUEST_OF ? "of" : "version";
}

static void verb_run(struct remote *remote, const struct verb *verb,
		     const struct request *request)
{
	uint32_t missing = verb->keys & ~request->has;
	int slot = 0;

	if (!remote->is_greeted && verb->run != do_hello) {
		remote_refuse(remote, request->id, "say hello first",
			      verb->name, "");
		return;
	}
	if (verb->right && !(remote->rights & verb->right)) {
		remote_refuse(remote, request->id, "not allowed", verb->name,
			      "the manifest gives this port no such right");
		return;
	}
	if (missing) {
		remote_refuse(remote, request->id, "bad request",
			      key_name(missing), "the verb needs this key");
		return;
	}
	if (verb->needs_slot) {
		slot = mux_find(remote->mux, request->guest);
		if (slot < 0) {
			remote_answer(remote, request->id, slot,
				      request->guest);
			return;
		}
	}
	verb->run(remote, request, verb, (unsigned)slot);
}

static void json_take(struct remote *remote, const struct link_frame *frame)
{
	struct request request;
	const char *what;

	if (request_parse(&request, (const char *)frame->payload, frame->length,
			  &what)) {
		remote_refuse(remote, request.id, "bad request", what, "");
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i].name, request.verb)) {
			verb_run(remote, &verbs[i], &request);
			return;
		}
	remote_refuse(remote, request.id, "unknown verb", request.verb, "");
}

/* ---- Binary frames ------------------------------------------------------- */

static void binary_take(struct remote *remote, const struct link_frame *frame)
{
	const uint8_t *bytes = frame->payload + HEAD_SIZE;
	uint32_t id, length = frame->length - HEAD_SIZE;
	struct remote_tap *tap;

	if (frame->length <= HEAD_SIZE)
		return;
	memcpy(&id, frame->payload, sizeof(id));
	tap = id ? tap_find(remote, id) : NULL;
	if (frame->payload[4] == REMOTE_SERIAL && tap &&
	    tap->slot != MUX_SLOTS && remote->rights & REMOTE_TYPE)
		mux_type(remote->mux, tap->slot, bytes, length);
	for (unsigned i = 0; i < FACES_SLOTS; i++) {
		const struct face *face = &remote->faces->face[i];

		if (frame->payload[4] == REMOTE_GDB && face->debug &&
		    face->debug_ctx == remote && face->debug_id == id)
			/* GDB asks again for what finds no room. */
			(void)!faces_debug_send(remote->faces, i, bytes,
						length);
	}
}

/* ---- The conversation ---------------------------------------------------- */

void remote_run(struct remote *remote, uint64_t now_ns)
{
	struct link_frame frame;

	remote->is_again = false;
	if (!remote->has_begun) {
		remote->has_begun = true;
		remote_say(remote, "{\"event\":\"begin\",\"version\":%u}",
			   REMOTE_VERSION);
	}
	for (unsigned i = 0;; i++) {
		if (!link_has_room(&remote->link, TEXT_ROOM))
			break;
		if (!link_next(&remote->link, &frame, now_ns))
			break;
		if (frame.kind == LINK_JSON)
			json_take(remote, &frame);
		else if (remote->is_greeted)
			binary_take(remote, &frame);
		if (i == FRAMES_MAX) {
			remote->is_again = true;
			break;
		}
	}
	for (unsigned i = 0; i < REMOTE_TAPS; i++)
		if (remote->tap[i].id)
			(void)tap_send(remote, &remote->tap[i]);
}
