/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * USB keyboard, mouse and tablet.  See usb_hid.h.
 */
#include "devices/usb_hid.h"

#include "devices/usb_hid_tables.h"
#include "include/input.h"
#include "lib/string.h"

#define ENDPOINT 1

#define GET_REPORT   0x01
#define GET_IDLE     0x02
#define GET_PROTOCOL 0x03
#define SET_REPORT   0x09
#define SET_IDLE     0x0a
#define SET_PROTOCOL 0x0b

#define REPORT_INPUT  1
#define REPORT_OUTPUT 2

#define USAGE_ROLL_OVER	     0x01
#define USAGE_MODIFIER_FIRST 0xe0
#define USAGE_MODIFIER_LAST  0xe7

#define IDLE_UNIT_NS (4 * NSEC_PER_MS)
#define STEP_MAX     127
/* More than a user moves between two polls. */
#define MOVED_MAX    0x10000

static struct usb_hid *hid_of(struct usb_device *dev)
{
	return container_of(dev, struct usb_hid, usb);
}

/* ---- Events ------------------------------------------------------------- */

static struct usb_hid_event *event_at(struct usb_hid_state *state, unsigned n)
{
	return &state->event[(state->head + n) % USB_HID_EVENTS];
}

/* NULL: nobody has asked for so long that there is no room. */
static struct usb_hid_event *event_add(struct usb_hid *hid)
{
	struct usb_hid_state *state = &hid->state;
	struct usb_hid_event *event = event_at(state, state->count);

	if (state->count == USB_HID_EVENTS)
		return NULL;
	state->count++;
	memset(event, 0, sizeof(*event));
	return event;
}

bool usb_hid_key(struct usb_hid *hid, unsigned code, bool is_down)
{
	struct usb_hid_event *event;
	uint8_t usage = code < ARRAY_SIZE(key_usages) ? key_usages[code] : 0;

	if (!usage)
		return false;
	event = event_add(hid);
	if (event) {
		event->usage = usage;
		event->is_down = is_down;
	}
	usb_ready(&hid->usb, ENDPOINT);
	return true;
}

/* The last one that waits, if its buttons are the same; else another. */
static struct usb_hid_event *pointer_event(struct usb_hid *hid, uint8_t buttons)
{
	struct usb_hid_state *state = &hid->state;
	struct usb_hid_event *last =
		state->count ? event_at(state, state->count - 1) : NULL;
	struct usb_hid_event *event = last;

	if (!last || last->buttons != buttons) {
		event = event_add(hid);
		if (!event)
			event = last;
	}
	event->buttons = buttons;
	return event;
}

static int32_t sum(int32_t a, int32_t b)
{
	b = MAX(MIN(b, MOVED_MAX), -MOVED_MAX);
	return MAX(MIN(a + b, MOVED_MAX), -MOVED_MAX);
}

void usb_hid_move(struct usb_hid *hid, int dx, int dy, int wheel,
		  uint8_t buttons)
{
	struct usb_hid_event *event = pointer_event(hid, buttons);

	event->x = sum(event->x, dx);
	event->y = sum(event->y, dy);
	event->wheel = sum(event->wheel, wheel);
	usb_ready(&hid->usb, ENDPOINT);
}

void usb_hid_place(struct usb_hid *hid, int x, int y, int wheel,
		   uint8_t buttons)
{
	struct usb_hid_event *event = pointer_event(hid, buttons);

	event->x = MAX(MIN(x, INPUT_ABSOLUTE_MAX), 0);
	event->y = MAX(MIN(y, INPUT_ABSOLUTE_MAX), 0);
	event->wheel = sum(event->wheel, wheel);
	usb_ready(&hid->usb, ENDPOINT);
}

/* ---- Reports ------------------------------------------------------------ */

static void key_apply(struct usb_hid_state *state, uint8_t usage, bool is_down)
{
	unsigned at = 0;

	if (usage >= USAGE_MODIFIER_FIRST && usage <= USAGE_MODIFIER_LAST) {
		uint8_t bit = (uint8_t)BIT(usage - USAGE_MODIFIER_FIRST);

		state->modifiers = is_down ? state->modifiers | bit
					   : state->modifiers & (uint8_t)~bit;
		return;
	}
	while (at < state->key_count && state->key[at] != usage)
		at++;
	if (is_down && at == state->key_count && at < USB_HID_KEYS)
		state->key[state->key_count++] = usage;
	if (is_down || at == state->key_count)
		return;
	state->key_count--;
	memmove(&state->key[at], &state->key[at + 1], state->key_count - at);
	state->key[state->key_count] = 0;
}

static unsigned keyboard_fill(const struct usb_hid_state *state, uint8_t *to)
{
	memset(to, 0, KEYBOARD_REPORT);
	to[0] = state->modifiers;
	if (state->key_count > KEYBOARD_REPORT - 2)
		memset(to + 2, USAGE_ROLL_OVER, KEYBOARD_REPORT - 2);
	else
		memcpy(to + 2, state->key, state->key_count);
	return KEYBOARD_REPORT;
}

static uint8_t step(int32_t moved)
{
	return (uint8_t)MAX(MIN(moved, STEP_MAX), -STEP_MAX);
}

static unsigned pointer_fill(const struct usb_hid *hid, uint8_t *to)
{
	const struct usb_hid_event *last = &hid->state.last;

	if (hid->kind == USB_HID_TABLET) {
		to[0] = last->buttons;
		to[1] = (uint8_t)last->x;
		to[2] = (uint8_t)(last->x >> 8);
		to[3] = (uint8_t)last->y;
		to[4] = (uint8_t)(last->y >> 8);
		to[5] = step(last->wheel);
		return TABLET_REPORT;
	}
	to[0] = last->buttons;
	to[1] = step(last->x);
	to[2] = step(last->y);
	if (hid->state.is_boot_protocol) {
		to[0] &= USB_HID_LEFT | USB_HID_RIGHT | USB_HID_MIDDLE;
		return MOUSE_BOOT_REPORT;
	}
	to[3] = step(last->wheel);
	return MOUSE_REPORT;
}

/* How things are; what moved, moved with the report that said so. */
static unsigned report_fill(const struct usb_hid *hid, uint8_t *to)
{
	return hid->kind == USB_HID_KEYBOARD ? keyboard_fill(&hid->state, to)
					     : pointer_fill(hid, to);
}

static void last_forget_moves(struct usb_hid *hid)
{
	struct usb_hid_event *last = &hid->state.last;

	last->wheel = 0;
	if (hid->kind == USB_HID_MOUSE)
		last->x = last->y = 0;
}

/* What one report holds of an event; true: all of it. */
static bool part_take(int32_t *part, int32_t *of)
{
	*part = (int8_t)step(*of);
	*of -= *part;
	return !*of;
}

/* The next event, or as much of it as a report holds. */
static void event_take(struct usb_hid *hid)
{
	struct usb_hid_state *state = &hid->state;
	struct usb_hid_event *event = event_at(state, 0);
	struct usb_hid_event *last = &state->last;
	bool is_all = true;

	if (hid->kind == USB_HID_KEYBOARD) {
		key_apply(state, event->usage, event->is_down);
	} else {
		last->buttons = event->buttons;
		is_all = part_take(&last->wheel, &event->wheel);
		if (hid->kind == USB_HID_MOUSE) {
			is_all &= part_take(&last->x, &event->x);
			is_all &= part_take(&last->y, &event->y);
		} else {
			last->x = event->x;
			last->y = event->y;
		}
	}
	if (!is_all)
		return;
	state->head = (state->head + 1) % USB_HID_EVENTS;
	state->count--;
}

/* ---- Idle rate ---------------------------------------------------------- */

static void idle_start(struct usb_hid *hid)
{
	struct usb_hid_state *state = &hid->state;

	state->is_due = false;
	if (state->idle && usb_is_configured(&hid->usb))
		clock_timer_arm(hid->clock, &hid->timer,
				clock_now(hid->clock) +
					state->idle * IDLE_UNIT_NS);
	else
		clock_timer_disarm(hid->clock, &hid->timer);
}

static void idle_expired(void *dev)
{
	struct usb_hid *hid = dev;

	hid->state.is_due = true;
	usb_ready(&hid->usb, ENDPOINT);
}

/* ---- What the host asks ------------------------------------------------- */

static int in(struct usb_device *dev, unsigned endpoint, uint8_t *data,
	      unsigned length)
{
	struct usb_hid *hid = hid_of(dev);
	uint8_t report[KEYBOARD_REPORT];
	unsigned size;

	if (endpoint != ENDPOINT)
		return USB_STALL;
	if (!hid->state.count && !hid->state.is_due)
		return USB_NAK;
	if (hid->state.count)
		event_take(hid);
	size = MIN(report_fill(hid, report), length);
	last_forget_moves(hid);
	memcpy(data, report, size);
	idle_start(hid);
	return (int)size;
}

static int out(struct usb_device *dev, unsigned endpoint, const uint8_t *data,
	       unsigned length)
{
	(void)dev;
	(void)endpoint;
	(void)data;
	(void)length;
	return USB_STALL;
}

static int descriptor_copy(const struct usb_hid *hid, uint16_t value,
			   uint8_t *to)
{
	static const struct {
		const uint8_t *report;
		unsigned size;
	} reports[] = {
		[USB_HID_KEYBOARD] = { keyboard_report,
				       sizeof(keyboard_report) },
		[USB_HID_MOUSE] = { mouse_report, sizeof(mouse_report) },
		[USB_HID_TABLET] = { tablet_report, sizeof(tablet_report) },
	};
	const uint8_t *all = hid->usb.model->configuration[USB_SPEED_FULL];

	switch (value >> 8) {
	case USB_DESCRIPTOR_HID: /* behind configuration and interface */
		memcpy(to, all + 18, all[18]);
		return all[18];
	case USB_DESCRIPTOR_HID_REPORT:
		memcpy(to, reports[hid->kind].report, reports[hid->kind].size);
		return (int)reports[hid->kind].size;
	}
	return USB_STALL;
}

static int report_set(struct usb_hid *hid, const struct usb_setup *setup,
		      const uint8_t *data)
{
	if (setup->value >> 8 != REPORT_OUTPUT ||
	    hid->kind != USB_HID_KEYBOARD || setup->length != 1)
		return USB_STALL;
	hid->state.leds = data[0];
	return 0;
}

static int protocol_set(struct usb_hid *hid, uint16_t value)
{
	if (hid->kind == USB_HID_TABLET || value > 1)
		return USB_STALL;
	hid->state.is_boot_protocol = !value;
	return 0;
}

static int idle_set(struct usb_hid *hid, uint16_t value)
{
	hid->state.idle = (uint8_t)(value >> 8);
	idle_start(hid);
	return 0;
}

static int control(struct usb_device *dev, const struct usb_setup *setup,
		   uint8_t *data)
{
	struct usb_hid *hid = hid_of(dev);

	if (setup->index)
		return USB_STALL;
	switch (USB_REQUEST(setup->type, setup->request)) {
	case USB_REQUEST(USB_IN(USB_KIND_STANDARD, USB_TO_INTERFACE),
			 USB_GET_DESCRIPTOR):
		return descriptor_copy(hid, setup->value, data);
	case USB_REQUEST(USB_IN(USB_KIND_CLASS, USB_TO_INTERFACE), GET_REPORT):
		return setup->value >> 8 == REPORT_INPUT
			       ? (int)report_fill(hid, data)
			       : USB_STALL;
	case USB_REQUEST(USB_IN(USB_KIND_CLASS, USB_TO_INTERFACE), GET_IDLE):
		data[0] = hid->state.idle;
		return 1;
	case USB_REQUEST(USB_IN(USB_KIND_CLASS, USB_TO_INTERFACE),
			 GET_PROTOCOL):
		data[0] = !hid->state.is_boot_protocol;
		return hid->kind == USB_HID_TABLET ? USB_STALL : 1;
	case USB_REQUEST(USB_OUT(USB_KIND_CLASS, USB_TO_INTERFACE), SET_REPORT):
		return report_set(hid, setup, data);
	case USB_REQUEST(USB_OUT(USB_KIND_CLASS, USB_TO_INTERFACE), SET_IDLE):
		return idle_set(hid, setup->value);
	case USB_REQUEST(USB_OUT(USB_KIND_CLASS, USB_TO_INTERFACE),
			 SET_PROTOCOL):
		return protocol_set(hid, setup->value);
	}
	return USB_STALL;
}

bool usb_hid_is_driven(const struct usb_hid *hid)
{
	return usb_is_configured(&hid->usb) && !hid->state.is_boot_protocol;
}

/* ---- Life --------------------------------------------------------------- */

/* Nothing is held down any more, and nothing waits. */
static void forget(struct usb_device *dev)
{
	struct usb_hid *hid = hid_of(dev);
	struct usb_hid_state *state = &hid->state;

	memset(state->event, 0, sizeof(state->event));
	memset(&state->last, 0, sizeof(state->last));
	memset(state->key, 0, sizeof(state->key));
	state->head = state->count = 0;
	state->key_count = state->modifiers = state->leds = state->idle = 0;
	state->is_boot_protocol = false;
	idle_start(hid);
}

static const struct state_field event_fields[] = {
	STATE_VALUE(struct usb_hid_event, x, .min = (uint64_t)-MOVED_MAX,
		    .max = MOVED_MAX),
	STATE_VALUE(struct usb_hid_event, y, .min = (uint64_t)-MOVED_MAX,
		    .max = MOVED_MAX),
	STATE_VALUE(struct usb_hid_event, wheel, .min = (uint64_t)-MOVED_MAX,
		    .max = MOVED_MAX),
	STATE_VALUE(struct usb_hid_event, usage),
	STATE_VALUE(struct usb_hid_event, is_down),
	STATE_VALUE(struct usb_hid_event, buttons, .max = 31),
	STATE_RESERVED(struct usb_hid_event, reserved),
};

static const struct state_description event_description =
	STATE_DESCRIPTION(struct usb_hid_event, event_fields);

static const struct state_field fields[] = {
	STATE_STRUCT(struct usb_hid_state, usb, &usb_description),
	STATE_STRUCTS(struct usb_hid_state, event, &event_description),
	STATE_STRUCT(struct usb_hid_state, last, &event_description),
	STATE_VALUE(struct usb_hid_state, idle_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct usb_hid_state, head, .max = USB_HID_EVENTS - 1),
	STATE_VALUE(struct usb_hid_state, count, .max = USB_HID_EVENTS),
	STATE_ARRAY(struct usb_hid_state, key),
	STATE_VALUE(struct usb_hid_state, key_count, .max = USB_HID_KEYS),
	STATE_VALUE(struct usb_hid_state, modifiers),
	STATE_VALUE(struct usb_hid_state, leds),
	STATE_VALUE(struct usb_hid_state, is_boot_protocol),
	STATE_VALUE(struct usb_hid_state, idle),
	STATE_VALUE(struct usb_hid_state, is_due),
	STATE_RESERVED(struct usb_hid_state, reserved),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct usb_hid_state, fields);

static bool is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct usb_hid_state *state = saved;

	(void)dev;
	(void)now_ns;
	return usb_state_is_valid(&state->usb);
}

const struct device_ops usb_hid_ops = {
	.name = "usb_hid",
	.version = 1,
	.state = &description,
	.is_valid = is_valid,
};

#define MODEL(name)                                                   \
	{                                                             \
		.device = name##_device,                              \
		.configuration = { name##_full, name##_high },        \
		.strings = hid_strings, .control = control, .in = in, \
		.out = out, .reset = forget,                          \
	}

void usb_hid_init(struct usb_hid *hid, enum usb_hid_kind kind,
		  struct clock *clock)
{
	static const struct usb_model models[] = {
		[USB_HID_KEYBOARD] = MODEL(keyboard),
		[USB_HID_MOUSE] = MODEL(mouse),
		[USB_HID_TABLET] = MODEL(tablet),
	};

	memset(hid, 0, sizeof(*hid));
	hid->kind = kind;
	hid->clock = clock;
	usb_device_init(&hid->usb, &usb_hid_ops, &models[kind], hid,
			&hid->state, &hid->state.usb);
	device_timer_init(&hid->usb.device, clock, &hid->timer, idle_expired,
			  hid, &hid->state.idle_ns);
}
