/* SPDX-License-Identifier: BSD-2-Clause */
/* See remote.h. */
#include "services/seat/remote.h"

#include "include/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

#define FRAMES_MAX 16 /* of the client's, at a time */
#define HEAD_SIZE  8  /* of a binary frame */
/* What a request calls the debug ports. */
#define PORT_402   0x402
#define PORT_E9	   0xe9

void remote_init(struct remote *remote, struct mux *mux, struct faces *faces,
		 struct asks *asks, struct ports *ports)
{
	link_init(&remote->link);
	remote->mux = mux;
	remote->faces = faces;
	remote->asks = asks;
	remote->ports = ports;
	remote->rights = 0;
	remote->is_greeted = remote->has_begun = false;
	remote->is_again = remote->is_waiting = false;
	remote->counts = 0;
	memset(remote->buttons, 0, sizeof(remote->buttons));
	memset(remote->held, 0, sizeof(remote->held));
	remote->typed.at = remote->typed.length = 0;
	remote->dump.id = 0;
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

bool remote_has_room(const struct remote *remote, uint32_t queue)
{
	return link_queued(&remote->link) <= queue;
}

/* ---- Verbs --------------------------------------------------------------- */

struct verb {
	const char *name;
	uint32_t right; /* enum seat_right, or 0 */
	uint32_t keys;	/* that have to be there */
	/* slot: of the guest, if it has one; it has the machine's channel. */
	void (*run)(struct remote *remote, const struct request *request,
		    const struct verb *verb, unsigned slot);
	bool needs_slot;
	uint32_t what; /* enum seat_verb, enum face_command_kind */
};

static void forget(struct remote *remote)
{
	for (unsigned slot = 0; slot < MUX_SLOTS; slot++)
		faces_release(remote->faces, slot, &remote->held[slot]);
	memset(remote->buttons, 0, sizeof(remote->buttons));
	faces_forget(remote->faces, remote);
	remote->counts = 0;
	asks_forget(remote->asks, remote);
	ports_forget(remote->ports, remote);
	remote->dump.id = 0;
	remote->typed.at = remote->typed.length = 0;
	for (unsigned i = 0; i < REMOTE_TAPS; i++)
		remote_tap_end(remote, &remote->tap[i]);
}

void remote_end(struct remote *remote)
{
	forget(remote);
	link_clear(&remote->link);
	remote->is_greeted = remote->has_begun = false;
	remote->is_again = remote->is_waiting = false;
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

/* init knows that it runs, its machine that it is held. */
static bool is_paused(const struct remote *remote, const char *name,
		      const char *state)
{
	int slot = mux_find(remote->mux, name);

	return slot >= 0 && !strcmp(state, "running") &&
	       remote->faces->face[slot].is_paused;
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
			   id, name,
			   is_paused(remote, name, text) ? "paused" : text,
			   message->vcpus, message->memory_mib,
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

static void unit_ask(struct remote *remote, const struct request *request,
		     const struct verb *verb, unsigned slot, uint32_t unit,
		     face_answer_fn answer)
{
	struct face_ask ask = {
		.answer = answer,
		.ctx = remote,
		.id = request->id,
	};
	int error;

	if (verb->what == FACE_INSERT)
		memcpy(ask.medium, request->medium, sizeof(ask.medium));
	error = faces_ask(remote->faces, slot, verb->what, unit, &ask);
	if (error)
		remote_answer(remote, request->id, error, request->guest);
}

static void command_ask(struct remote *remote, const struct request *request,
			const struct verb *verb, unsigned slot,
			face_answer_fn answer)
{
	unit_ask(remote, request, verb, slot, request->unit, answer);
}

static void do_command(struct remote *remote, const struct request *request,
		       const struct verb *verb, unsigned slot)
{
	command_ask(remote, request, verb, slot, commanded);
}

static void medium_changed(void *ctx, uint32_t id,
			   const struct face_record *record, int error)
{
	if (!error)
		error = ((const struct face_answer *)record)->error;
	if (error == -ENODEV)
		remote_refuse(ctx, id, "refused", "unit",
			      "the guest has no drive there that opens");
	else if (error == -ERANGE)
		remote_refuse(ctx, id, "refused", "medium",
			      "the manifest gives that drive no such image");
	else
		remote_answer(ctx, id, error, "the machine");
}

static void do_medium(struct remote *remote, const struct request *request,
		      const struct verb *verb, unsigned slot)
{
	command_ask(remote, request, verb, slot, medium_changed);
}

static void balloon_set(void *ctx, uint32_t id,
			const struct face_record *record, int error)
{
	if (!error)
		error = ((const struct face_answer *)record)->error;
	if (error == -ENODEV)
		remote_refuse(ctx, id, "refused", "guest",
			      "the manifest gives it no balloon");
	else if (error == -ERANGE)
		remote_refuse(ctx, id, "refused", "unit",
			      "is not less than the guest's memory, in MiB");
	else
		remote_answer(ctx, id, error, "the machine");
}

static void do_balloon(struct remote *remote, const struct request *request,
		       const struct verb *verb, unsigned slot)
{
	command_ask(remote, request, verb, slot, balloon_set);
}

static void terminal_set(void *ctx, uint32_t id,
			 const struct face_record *record, int error)
{
	if (!error && ((const struct face_answer *)record)->error == -ENODEV)
		remote_refuse(ctx, id, "refused", "guest",
			      "the manifest gives it no virtio-console");
	else
		commanded(ctx, id, record, error);
}

static void do_terminal(struct remote *remote, const struct request *request,
			const struct verb *verb, unsigned slot)
{
	bool is_wide = request->columns && request->columns <= UINT16_MAX;

	if (!is_wide || !request->rows || request->rows > UINT16_MAX)
		remote_refuse(remote, request->id, "bad request",
			      is_wide ? "rows" : "columns", "it is 1 to 65535");
	else
		unit_ask(remote, request, verb, slot,
			 FACE_TERMINAL_SIZE(request->columns, request->rows),
			 terminal_set);
}

static void cable_changed(void *ctx, uint32_t id,
			  const struct face_record *record, int error)
{
	if (!error && ((const struct face_answer *)record)->error == -ENODEV)
		remote_refuse(ctx, id, "refused", "unit",
			      "the guest has no network card of that number");
	else
		commanded(ctx, id, record, error);
}

static void do_cable(struct remote *remote, const struct request *request,
		     const struct verb *verb, unsigned slot)
{
	command_ask(remote, request, verb, slot, cable_changed);
}

static void do_statistics(struct remote *remote, const struct request *request,
			  const struct verb *verb, unsigned slot)
{
	int error = remote_statistics(remote, request);

	(void)verb;
	(void)slot;
	if (error)
		remote_answer(remote, request->id, error, request->guest);
}

static void do_keys(struct remote *remote, const struct request *request,
		    const struct verb *verb, unsigned slot)
{
	(void)verb;
	remote_keys(remote, request, slot);
}

static void do_pointer(struct remote *remote, const struct request *request,
		       const struct verb *verb, unsigned slot)
{
	(void)verb;
	remote_pointer(remote, request, slot);
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
	uint32_t port = request->has & REQUEST_PORT ? request->port : 0;

	(void)verb;
	if (port > 1) {
		remote_refuse(remote, request->id, "bad request", "port",
			      "it is 0 or 1");
		return;
	}
	if (port && !remote->mux->console[slot].has_serial1) {
		remote_refuse(remote, request->id, "refused", "port",
			      "the guest has no serial1 in its manifest");
		return;
	}
	if (port)
		slot = MUX_SERIAL1_OF(slot);
	remote_answer(remote, request->id,
		      remote_tap_begin(remote, request->id, slot, slot),
		      request->guest);
}

static void do_debug_console(struct remote *remote,
			     const struct request *request,
			     const struct verb *verb, unsigned slot)
{
	bool is_one = request->has & REQUEST_PORT;
	bool is_e9 = is_one && request->port == PORT_E9;

	(void)verb;
	if (is_one && !is_e9 && request->port != PORT_402) {
		remote_refuse(remote, request->id, "bad request", "port",
			      "it is 1026 or 233");
		return;
	}
	remote_answer(
		remote, request->id,
		remote_tap_begin(remote, request->id,
				 is_e9 ? MUX_E9_OF(slot) : MUX_DEBUG_OF(slot),
				 is_one && !is_e9 ? MUX_DEBUG_OF(slot)
						  : MUX_E9_OF(slot)),
		request->guest);
}

static void do_printer(struct remote *remote, const struct request *request,
		       const struct verb *verb, unsigned slot)
{
	int error = remote_printer_begin(remote, request->id, slot);

	(void)verb;
	if (error == -ENODEV)
		remote_refuse(remote, request->id, "refused", request->guest,
			      "the guest has no parallel0 in its manifest");
	else if (error == -EEXIST)
		remote_refuse(remote, request->id, "refused", request->guest,
			      "somebody else takes what it prints");
	else
		remote_answer(remote, request->id, error, request->guest);
}

static void do_log(struct remote *remote, const struct request *request,
		   const struct verb *verb, unsigned slot)
{
	(void)verb;
	(void)slot;
	remote_answer(
		remote, request->id,
		remote_tap_begin(remote, request->id, MUX_SLOTS, MUX_SLOTS),
		"the log");
}

static void debugged(void *ctx, uint32_t id, const void *bytes, size_t length)
{
	struct remote *remote = ctx;

	if (!length) {
		remote_say(remote, "{\"id\":%u,\"event\":\"gone\"}", id);
		return;
	}
	remote_binary(remote, id, REMOTE_GDB, (uint32_t)length);
	link_add(&remote->link, bytes, length);
	link_end(&remote->link);
}

static bool debug_has_room(void *ctx)
{
	return remote_has_room(ctx, REMOTE_PICTURE_QUEUE);
}

static const struct face_debug_ops debug_ops = {
	.has_room = debug_has_room,
	.bytes = debugged,
};

static void do_debug(struct remote *remote, const struct request *request,
		     const struct verb *verb, unsigned slot)
{
	(void)verb;
	remote_answer(remote, request->id,
		      faces_debug(remote->faces, slot, &debug_ops, remote,
				  request->id),
		      request->guest);
}

static void do_dump(struct remote *remote, const struct request *request,
		    const struct verb *verb, unsigned slot)
{
	(void)verb;
	remote_dump(remote, request, slot);
}

static void do_network(struct remote *remote, const struct request *request,
		       const struct verb *verb, unsigned slot)
{
	(void)slot;
	remote_network(remote, request, verb->what);
}

static void do_close(struct remote *remote, const struct request *request,
		     const struct verb *verb, unsigned slot)
{
	struct face_watch *watch =
		faces_watch_find(remote->faces, remote, request->of);
	struct remote_tap *tap =
		request->of ? remote_tap_find(remote, request->of) : NULL;
	int debugged_slot =
		faces_debug_find(remote->faces, remote, request->of);

	(void)verb;
	(void)slot;
	if (watch)
		faces_unwatch(remote->faces, watch);
	if (tap)
		remote_tap_end(remote, tap);
	if (debugged_slot >= 0)
		faces_debug_close(remote->faces, (unsigned)debugged_slot);
	remote_dump_close(remote, request->of);
	remote_network_close(remote, request->of);
	done(remote, request->id);
}

/* clang-format off */
static const struct verb verbs[] = {
	{ "hello",   0,            REQUEST_VERSION, do_hello, false, 0 },
	{ "list",    SEAT_RIGHT_WATCH, 0,             do_ask, false, SEAT_LIST },
	{ "start",   SEAT_RIGHT_STEER, REQUEST_GUEST, do_ask, false, SEAT_START },
	{ "stop",    SEAT_RIGHT_STEER, REQUEST_GUEST, do_ask, false, SEAT_STOP },
	{ "restart", SEAT_RIGHT_STEER, REQUEST_GUEST, do_ask, false, SEAT_RESTART },
	{ "off",     SEAT_RIGHT_STEER, 0,             do_ask, false, SEAT_OFF },
	{ "shutdown", SEAT_RIGHT_STEER, 0,            do_ask, false, SEAT_SHUTDOWN },
	{ "pause",   SEAT_RIGHT_STEER, REQUEST_GUEST, do_command, true, FACE_PAUSE },
	{ "resume",  SEAT_RIGHT_STEER, REQUEST_GUEST, do_command, true, FACE_RESUME },
	{ "reset",   SEAT_RIGHT_STEER, REQUEST_GUEST, do_command, true, FACE_RESET },
	{ "power",   SEAT_RIGHT_STEER, REQUEST_GUEST, do_command, true, FACE_POWER_BUTTON },
	{ "nmi",     SEAT_RIGHT_STEER, REQUEST_GUEST, do_command, true, FACE_NMI },
	{ "eject",   SEAT_RIGHT_STEER, REQUEST_GUEST | REQUEST_UNIT, do_medium, true, FACE_EJECT },
	{ "insert",  SEAT_RIGHT_STEER, REQUEST_GUEST | REQUEST_UNIT, do_medium, true, FACE_INSERT },
	{ "unplug",  SEAT_RIGHT_STEER, REQUEST_GUEST | REQUEST_UNIT, do_cable, true, FACE_UNPLUG },
	{ "plug",    SEAT_RIGHT_STEER, REQUEST_GUEST | REQUEST_UNIT, do_cable, true, FACE_PLUG },
	{ "balloon", SEAT_RIGHT_STEER, REQUEST_GUEST | REQUEST_UNIT, do_balloon, true, FACE_BALLOON },
	{ "terminal", SEAT_RIGHT_TYPE, REQUEST_GUEST | REQUEST_COLUMNS | REQUEST_ROWS, do_terminal, true, FACE_TERMINAL },
	{ "keys",    SEAT_RIGHT_TYPE,  REQUEST_GUEST | REQUEST_KEYS, do_keys, true, 0 },
	{ "pointer", SEAT_RIGHT_TYPE,  REQUEST_GUEST, do_pointer, true, 0 },
	{ "screen",  SEAT_RIGHT_WATCH, REQUEST_GUEST, do_screen, true, 0 },
	{ "serial",  SEAT_RIGHT_WATCH, REQUEST_GUEST, do_serial, true, 0 },
	{ "debug-console", SEAT_RIGHT_WATCH, REQUEST_GUEST, do_debug_console, true, 0 },
	{ "printer", SEAT_RIGHT_WATCH, REQUEST_GUEST, do_printer, true, 0 },
	{ "log",     SEAT_RIGHT_WATCH, 0,             do_log, false, 0 },
	{ "statistics", SEAT_RIGHT_WATCH, REQUEST_GUEST, do_statistics, true, 0 },
	{ "debug",   SEAT_RIGHT_DEBUG, REQUEST_GUEST, do_debug, true, 0 },
	{ "dump",    SEAT_RIGHT_DEBUG, REQUEST_GUEST, do_dump, true, 0 },
	{ "join",    SEAT_RIGHT_TYPE,  0,             do_network, false, SEAT_JOIN },
	{ "capture", SEAT_RIGHT_WATCH, 0,             do_network, false, SEAT_CAPTURE },
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
	if (missing & REQUEST_COLUMNS)
		return "columns";
	if (missing & REQUEST_ROWS)
		return "rows";
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
			      "the manifest gives this client no such right");
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

/* How many it took; negative: there is nobody to take them. */
static long typed_pass_on(struct remote *remote, bool **is_stuck)
{
	struct remote_typed *typed = &remote->typed;
	const uint8_t *bytes = typed->bytes + typed->at;
	uint32_t length = typed->length - typed->at;
	struct remote_tap *tap;
	int slot;

	*is_stuck = NULL;
	if (typed->what == REMOTE_NETWORK)
		return remote_network_send(remote, typed->id, bytes, length,
					   is_stuck);
	if (typed->what == REMOTE_GDB) {
		slot = faces_debug_find(remote->faces, remote, typed->id);
		return slot < 0
			       ? slot
			       : faces_debug_send(remote->faces, (unsigned)slot,
						  bytes, length);
	}
	tap = remote_tap_find(remote, typed->id);
	if (!tap || tap->slot >= MUX_PRINTER_OF(0) ||
	    (tap->slot >= MUX_SLOTS && tap->slot < MUX_SERIAL1_OF(0)))
		return -ENOENT;
	*is_stuck = &tap->is_stuck;
	return mux_type(remote->mux, tap->slot, bytes, length);
}

/* True: nothing is left of what the client has typed. */
static bool typed_run(struct remote *remote, uint64_t now_ns)
{
	struct remote_typed *typed = &remote->typed;
	bool *is_stuck;
	long n;

	if (typed->at == typed->length)
		return true;
	n = typed_pass_on(remote, &is_stuck);
	if (n < 0) {
		typed->at = typed->length;
		return true;
	}
	typed->at += (uint32_t)n;
	if (is_stuck && n)
		*is_stuck = false;
	if (typed->at == typed->length)
		return true;
	if (now_ns < typed->deadline_ns && !(is_stuck && *is_stuck))
		return false;
	if (is_stuck)
		*is_stuck = true;
	remote_say(remote, "{\"id\":%u,\"event\":\"untaken\",\"bytes\":%u}",
		   typed->id, typed->length - typed->at);
	typed->at = typed->length;
	return true;
}

static void binary_take(struct remote *remote, const struct link_frame *frame,
			uint64_t now_ns)
{
	struct remote_typed *typed = &remote->typed;
	uint8_t what;

	if (frame->length <= HEAD_SIZE)
		return;
	what = frame->payload[4];
	if (what == REMOTE_CORE) {
		uint32_t id;

		memcpy(&id, frame->payload, sizeof(id));
		remote_dump_taken(remote, id, frame->payload + HEAD_SIZE,
				  frame->length - HEAD_SIZE);
		return;
	}
	if (what != REMOTE_GDB &&
	    !((what == REMOTE_SERIAL || what == REMOTE_NETWORK) &&
	      remote->rights & SEAT_RIGHT_TYPE))
		return;
	memcpy(&typed->id, frame->payload, sizeof(typed->id));
	if (!typed->id)
		return;
	typed->what = what;
	typed->at = 0;
	typed->length = frame->length - HEAD_SIZE;
	typed->deadline_ns = now_ns + (what == REMOTE_NETWORK ? REMOTE_SEND_NS
							      : REMOTE_TYPE_NS);
	memcpy(typed->bytes, frame->payload + HEAD_SIZE, typed->length);
}

/* ---- The conversation ---------------------------------------------------- */

static bool frame_take(struct remote *remote, uint64_t now_ns)
{
	struct link_frame frame;

	if (!remote_has_room(remote, REMOTE_REQUEST_QUEUE)) {
		remote->is_waiting = true;
		return false;
	}
	if (!typed_run(remote, now_ns) ||
	    !link_next(&remote->link, &frame, now_ns))
		return false;
	if (frame.kind == LINK_JSON)
		json_take(remote, &frame);
	else if (remote->is_greeted)
		binary_take(remote, &frame, now_ns);
	return true;
}

void remote_run(struct remote *remote, uint64_t now_ns)
{
	unsigned frames = 0;

	remote->is_again = remote->is_waiting = false;
	if (!remote->has_begun) {
		remote->has_begun = true;
		remote_say(remote, "{\"event\":\"begin\",\"version\":%u}",
			   REMOTE_VERSION);
	}
	while (frames < FRAMES_MAX && frame_take(remote, now_ns))
		frames++;
	remote->is_again = frames == FRAMES_MAX;
	remote_dump_run(remote, now_ns);
	remote_network_run(remote);
	remote_taps_run(remote, now_ns);
}

/* What the client owes it, whether it reads or not. */
static uint64_t dump_deadline(const struct remote *remote)
{
	return remote->dump.id && remote->dump.deadline_ns
		       ? remote->dump.deadline_ns
		       : UINT64_MAX;
}

uint64_t remote_deadline(const struct remote *remote, uint64_t now_ns)
{
	const struct remote_typed *typed = &remote->typed;
	uint64_t frame_ns = typed->at != typed->length
				    ? typed->deadline_ns
				    : link_deadline(&remote->link);

	if (remote->is_again ||
	    (remote->is_waiting && remote_has_room(remote, REMOTE_TAP_QUEUE)))
		return now_ns;
	if (!remote_has_room(remote, REMOTE_REQUEST_QUEUE))
		frame_ns = UINT64_MAX; /* until something is sent */
	frame_ns = MIN(frame_ns, dump_deadline(remote));
	return MIN(frame_ns, remote_taps_deadline(remote));
}
