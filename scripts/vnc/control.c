/* SPDX-License-Identifier: BSD-2-Clause */
/* See control.h. */
#include "scripts/vnc/control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "scripts/vnc/object.h"

#define VERSION	   1
#define HEAD_SIZE  8 /* of a binary frame */
#define PIXELS	   2 /* what a binary frame is */
#define TEXT_MAX   512
#define KEYS_MAX   8  /* presses and releases in a request */
#define READS_MAX  64 /* in a row */
#define MILLI_NS   (NSEC_PER_SEC / 1000)
#define HELLO_NS   (2 * NSEC_PER_SEC)
#define AGAIN_NS   NSEC_PER_SEC	       /* after a refusal */
#define SILENCE_NS (10 * NSEC_PER_SEC) /* then a picture is asked for again */
#define PICTURE_NS (NSEC_PER_SEC / 30)
#define PAUSE_NS   (20 * MILLI_NS) /* between two requests of input */
#define ANSWER_NS  (2 * NSEC_PER_SEC)

void control_init(struct control *control, int fd, const char *guest,
		  uint64_t now_ns)
{
	memset(control, 0, sizeof(*control));
	control->fd = fd;
	control->guest = guest;
	control->hello_due_ns = now_ns;
	link_init(&control->link);
}

/* ---- Saying -------------------------------------------------------------- */

/* False: there is no room now. */
static bool __printf(2, 3) say(struct control *control, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0 || n >= (int)sizeof(text) ||
	    !link_has_room(&control->link, (uint32_t)n))
		return false;
	link_begin(&control->link, LINK_JSON, (uint32_t)n);
	link_add(&control->link, text, (size_t)n);
	link_end(&control->link);
	return true;
}

static uint32_t new_id(struct control *control)
{
	control->last_id = control->last_id % UINT32_MAX + 1;
	return control->last_id;
}

static void greet(struct control *control, uint64_t now_ns)
{
	if (now_ns < control->hello_due_ns)
		return;
	control->hello_due_ns = now_ns + HELLO_NS;
	(void)say(control, "{\"id\":%u,\"verb\":\"hello\",\"version\":%d}\n",
		  new_id(control), VERSION);
}

/* ---- The screen ---------------------------------------------------------- */

/* The first request of an id brings all of the screen, others what has changed.
 */
static void watch_ask(struct control *control, uint64_t now_ns)
{
	if (control->watch == WATCH_IDLE || control->watch == WATCH_LATER) {
		control->watch_id = new_id(control);
		control->has_mode = control->wants_all = false;
		control->parts = 0;
	}
	if (!say(control,
		 "{\"id\":%u,\"verb\":\"screen\",\"guest\":\"%s\"%s}\n",
		 control->watch_id, control->guest,
		 control->wants_all ? ",\"all\":true" : ""))
		return;
	control->wants_all = false;
	control->watch = WATCH_ASKED;
	control->asked_ns = now_ns;
	control->watch_due_ns = now_ns + SILENCE_NS;
}

static void watch_run(struct control *control, bool is_looking, bool is_ready,
		      uint64_t now_ns)
{
	if (!is_looking) {
		if (control->watch == WATCH_ASKED ||
		    control->watch == WATCH_DRAWN)
			(void)say(control,
				  "{\"id\":%u,\"verb\":\"close\",\"of\":%u}\n",
				  new_id(control), control->watch_id);
		if (control->watch != WATCH_IDLE)
			(void)!picture_resize(&control->picture, 0, 0);
		control->watch = WATCH_IDLE;
		return;
	}
	if (control->watch == WATCH_DRAWN && !is_ready)
		return;
	if (control->watch == WATCH_IDLE || now_ns >= control->watch_due_ns)
		watch_ask(control, now_ns);
}

/* There is no picture, and why; it is asked for again in a while. */
static void watch_fail(struct control *control, const char *why,
		       uint64_t now_ns)
{
	control->watch = WATCH_LATER;
	control->watch_due_ns = now_ns + AGAIN_NS;
	(void)snprintf(control->trouble, sizeof(control->trouble), "%s", why);
}

static void watch_answer(struct control *control, const char *text,
			 size_t length, uint64_t now_ns)
{
	char error[CONTROL_TEXT / 2] = "no picture", hint[CONTROL_TEXT / 2];
	char why[CONTROL_TEXT];
	uint32_t parts = control->parts;

	if (object_is_true(text, length, "ok")) {
		(void)object_number(text, length, "parts", &parts);
		control->wants_all = parts != control->parts;
		control->parts = 0;
		control->watch = WATCH_DRAWN;
		control->watch_due_ns = control->asked_ns + PICTURE_NS;
		return;
	}
	(void)object_text(text, length, "error", error, sizeof(error));
	if (!object_text(text, length, "hint", hint, sizeof(hint)))
		hint[0] = '\0';
	(void)snprintf(why, sizeof(why), "%s%s%s", error, hint[0] ? ": " : "",
		       hint);
	watch_fail(control, why, now_ns);
}

static void mode_take(struct control *control, const char *text, size_t length)
{
	uint32_t width = 0, height = 0;
	char mode[16] = "", pointer[16] = "";

	(void)object_text(text, length, "mode", mode, sizeof(mode));
	/* Hosts of before say nothing, and have no other. */
	(void)object_text(text, length, "pointer", pointer, sizeof(pointer));
	control->takes_places = !strcmp(pointer, "absolute");
	if (strcmp(mode, "off") &&
	    (!object_number(text, length, "width", &width) ||
	     !object_number(text, length, "height", &height)))
		return;
	if (picture_resize(&control->picture, width, height))
		return;
	control->has_mode = true;
	(void)snprintf(control->trouble, sizeof(control->trouble), "%s",
		       width ? "" : "the screen is off");
}

static void watch_event(struct control *control, const char *text,
			size_t length, uint64_t now_ns)
{
	char event[16] = "";

	(void)object_text(text, length, "event", event, sizeof(event));
	control->watch_due_ns = now_ns + SILENCE_NS;
	control->parts++;
	if (!strcmp(event, "mode"))
		mode_take(control, text, length);
	else if (!strcmp(event, "closed") || !strcmp(event, "gone"))
		watch_fail(control, "the guest has gone", now_ns);
}

/* ---- Input --------------------------------------------------------------- */

static struct control_input *input_at(struct control *control, uint32_t at)
{
	return &control->input[at % CONTROL_INPUTS];
}

static void input_add(struct control *control,
		      const struct control_input *input)
{
	if (control->head - control->tail < CONTROL_INPUTS)
		*input_at(control, control->head++) = *input;
}

void control_key(struct control *control, unsigned code, bool is_down)
{
	struct control_input input = { .key = is_down ? (int)code
						      : -(int)code };

	input_add(control, &input);
}

/* Movements in a row are one, to the last place. */
void control_pointer(struct control *control, const struct control_input *input)
{
	struct control_input *last = input_at(control, control->head - 1);

	if (control->head == control->tail || last->key ||
	    last->buttons != input->buttons) {
		input_add(control, input);
		return;
	}
	last->dx += input->dx;
	last->dy += input->dy;
	last->wheel += input->wheel;
	if (!input->has_place)
		return;
	last->has_place = true;
	last->x = input->x;
	last->y = input->y;
}

static bool keys_say(struct control *control, uint32_t id)
{
	char keys[KEYS_MAX * 8] = "";
	uint32_t count = 0;
	int n = 0;

	while (count < KEYS_MAX && control->tail + count != control->head) {
		int key = input_at(control, control->tail + count)->key;

		if (!key)
			break;
		n += snprintf(keys + n, sizeof(keys) - (size_t)n, "%s%d",
			      count ? "," : "", key);
		count++;
	}
	if (!say(control,
		 "{\"id\":%u,\"verb\":\"keys\",\"guest\":\"%s\","
		 "\"keys\":[%s]}\n",
		 id, control->guest, keys))
		return false;
	control->tail += count;
	return true;
}

static bool pointer_say(struct control *control, uint32_t id)
{
	const struct control_input *input = input_at(control, control->tail);
	char place[40] = "";

	if (input->has_place)
		(void)snprintf(place, sizeof(place), "\"x\":%u,\"y\":%u,",
			       input->x, input->y);
	if (!say(control,
		 "{\"id\":%u,\"verb\":\"pointer\",\"guest\":\"%s\",\"dx\":%d,"
		 "\"dy\":%d,%s\"wheel\":%d,\"buttons\":%u}\n",
		 id, control->guest, input->dx, input->dy, place, input->wheel,
		 input->buttons))
		return false;
	control->tail++;
	return true;
}

static void input_run(struct control *control, uint64_t now_ns)
{
	uint32_t id;

	if (control->head == control->tail || now_ns < control->input_due_ns)
		return;
	id = new_id(control);
	if (input_at(control, control->tail)->key ? !keys_say(control, id)
						  : !pointer_say(control, id))
		return;
	control->input_id = id;
	/* Where the answer gets lost the next does not wait for ever. */
	control->input_due_ns = now_ns + ANSWER_NS;
}

/* ---- What comes ---------------------------------------------------------- */

/* Out of a JSON frame without an event: an answer. */
static void answer_take(struct control *control, uint32_t id, const char *text,
			size_t length, uint64_t now_ns)
{
	uint32_t version;

	if (!control->is_greeted) {
		if (!object_is_true(text, length, "ok") ||
		    !object_number(text, length, "version", &version))
			return;
		control->is_greeted = version == VERSION;
		control->is_over = version != VERSION;
	} else if (id == control->watch_id && control->watch == WATCH_ASKED) {
		watch_answer(control, text, length, now_ns);
	} else if (id == control->input_id) {
		control->input_id = 0;
		control->input_due_ns = now_ns + PAUSE_NS;
	}
}

static void json_take(struct control *control, const struct link_frame *frame,
		      uint64_t now_ns)
{
	const char *text = (const char *)frame->payload;
	char word[32];
	uint32_t id = 0;

	(void)object_number(text, frame->length, "id", &id);
	if (!object_text(text, frame->length, "event", word, sizeof(word))) {
		if (object_text(text, frame->length, "error", word,
				sizeof(word)) &&
		    !strcmp(word, "say hello first"))
			control->is_greeted = false;
		answer_take(control, id, text, frame->length, now_ns);
	} else if (id && id == control->watch_id &&
		   (control->watch == WATCH_ASKED ||
		    control->watch == WATCH_DRAWN)) {
		watch_event(control, text, frame->length, now_ns);
	}
}

static void binary_take(struct control *control, const struct link_frame *frame,
			uint64_t now_ns)
{
	uint32_t id;

	if (frame->length < HEAD_SIZE || frame->payload[4] != PIXELS)
		return;
	memcpy(&id, frame->payload, sizeof(id));
	if (id != control->watch_id || control->watch != WATCH_ASKED)
		return;
	control->parts++;
	if (!control->has_mode)
		return;
	control->watch_due_ns = now_ns + SILENCE_NS;
	/* What makes no sense is not drawn. */
	(void)!picture_draw(&control->picture, frame->payload + HEAD_SIZE,
			    frame->length - HEAD_SIZE);
}

static void frames_take(struct control *control, uint64_t now_ns)
{
	struct link_frame frame;

	while (link_next(&control->link, &frame, now_ns)) {
		if (frame.kind == LINK_JSON)
			json_take(control, &frame, now_ns);
		else
			binary_take(control, &frame, now_ns);
	}
}

/* Up to a whole picture's answer, or as far as there is something. */
static void receive(struct control *control, uint64_t now_ns)
{
	uint8_t bytes[LINK_RECEIVE_MAX];

	frames_take(control, now_ns);
	for (unsigned i = 0; i < READS_MAX; i++) {
		size_t room = MIN(link_wants(&control->link), sizeof(bytes));
		ssize_t n = recv(control->fd, bytes, room, MSG_DONTWAIT);

		if (n <= 0) {
			control->is_over |=
				!n || (errno != EAGAIN && errno != EINTR);
			return;
		}
		link_received(&control->link, bytes, (size_t)n);
		frames_take(control, now_ns);
	}
}

static void transmit(struct control *control)
{
	size_t length;
	const void *bytes;

	while (bytes = link_pending(&control->link, &length), length) {
		ssize_t n = send(control->fd, bytes, length,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0) {
			control->is_over |= errno != EAGAIN && errno != EINTR;
			return;
		}
		link_sent(&control->link, (size_t)n);
	}
}

void control_run(struct control *control, bool is_looking, bool is_ready,
		 uint64_t now_ns)
{
	receive(control, now_ns);
	if (!control->is_greeted) {
		/* A host that has forgotten us has forgotten the watch. */
		control->watch = WATCH_IDLE;
		greet(control, now_ns);
	} else {
		watch_run(control, is_looking, is_ready, now_ns);
		input_run(control, now_ns);
	}
	transmit(control);
}

uint64_t control_deadline(const struct control *control, bool is_ready)
{
	uint64_t due = link_deadline(&control->link);

	if (!control->is_greeted)
		return MIN(due, control->hello_due_ns);
	if (control->watch != WATCH_IDLE &&
	    (control->watch != WATCH_DRAWN || is_ready))
		due = MIN(due, control->watch_due_ns);
	if (control->head != control->tail)
		due = MIN(due, control->input_due_ns);
	return due;
}

bool control_wants_to_write(const struct control *control)
{
	size_t length;

	(void)link_pending(&control->link, &length);
	return length;
}
