/* SPDX-License-Identifier: BSD-2-Clause */
/* See desk.h. */
#include "services/seat/desk.h"

#include "lib/printf.h"
#include "lib/string.h"

#define TWICE_NS NSEC_PER_SEC
#define DRAW_NS	 (30 * NSEC_PER_MS)
/* A guest's graphics that cannot be shown: how often it is asked for text. */
#define LOOK_NS	 (500 * NSEC_PER_MS)

void desk_init(struct desk *desk, struct mux *mux, struct faces *faces,
	       struct asks *asks, const struct framebuffer *fb)
{
	memset(desk, 0, sizeof(*desk));
	desk->mux = mux;
	desk->faces = faces;
	desk->asks = asks;
	desk->fb = *fb;
	desk->view = DESK_CONSOLE;
	desk->is_dirty = fb->pixels != NULL;
}

/* ---- A guest's picture --------------------------------------------------- */

static bool watch_has_room(struct face_watch *watch)
{
	(void)watch;
	return true;
}

static void line_say(struct desk *desk, uint32_t row, const char *text)
{
	screen_text(&desk->fb, 2, row, text, (uint32_t)strlen(text),
		    SCREEN_WHITE, SCREEN_BLACK);
}

/* On a screen that has text alone. */
static void graphics_say(struct desk *desk, const struct face_mode *mode)
{
	char text[80];

	(void)snprintf(text, sizeof(text),
		       "This guest shows graphics, %u x %u pixels.",
		       mode->width, mode->height);
	line_say(desk, 2, text);
	line_say(desk, 4,
		 "This screen has text alone: to be seen here they need a boot "
		 "loader that");
	line_say(desk, 5,
		 "sets a graphics mode, and a display adapter that has one.");
	line_say(desk, 6, "\"bulkhead vnc\" shows them on another machine.");
	line_say(desk, 8, "ScrollLock twice: the menu");
}

static void watch_mode(struct face_watch *watch, const struct face_mode *mode)
{
	struct desk *desk = watch->ctx;

	screen_clear(&desk->fb);
	desk->place = (struct screen_place){ 0 };
	desk->is_unseen = false;
	if (!mode->width || !mode->height)
		return;
	if (desk->fb.kind != FRAMEBUFFER_TEXT) {
		screen_place(&desk->place, &desk->fb, mode->width,
			     mode->height);
	} else if (mode->mode != DISPLAY_TEXT) {
		desk->is_unseen = true;
		graphics_say(desk, mode);
	}
}

static void watch_pixels(struct face_watch *watch,
			 const struct face_pixels *pixels)
{
	struct desk *desk = watch->ctx;

	if (desk->fb.kind != FRAMEBUFFER_TEXT)
		screen_pixels(&desk->fb, &desk->place, pixels);
}

static void watch_cells(struct face_watch *watch,
			const struct face_cells *cells)
{
	struct desk *desk = watch->ctx;

	if (desk->fb.kind == FRAMEBUFFER_TEXT)
		screen_cells(&desk->fb, cells);
}

static void watch_end(struct face_watch *watch, int error)
{
	struct desk *desk = watch->ctx;

	if (!error) { /* desk_run() asks for the next one */
		desk->look_ns = desk->is_unseen ? desk->now_ns + LOOK_NS : 0;
		return;
	}
	desk->watch = NULL;
	desk->held = (struct held){ 0 }; /* whoever had them is gone */
	desk->view = DESK_CONSOLE;
	desk->is_dirty = true;
}

static const struct face_watch_ops watch_ops = {
	.has_room = watch_has_room,
	.mode = watch_mode,
	.pixels = watch_pixels,
	.cells = watch_cells,
	.end = watch_end,
};

/* ---- What is shown ------------------------------------------------------- */

void desk_show(struct desk *desk, enum desk_view view, unsigned slot)
{
	const struct face_watch like = {
		.ops = &watch_ops,
		.ctx = desk,
		.slot = slot,
		.is_text = desk->fb.kind == FRAMEBUFFER_TEXT,
	};

	if (!desk->fb.pixels)
		return;
	faces_release(desk->faces, desk->slot, &desk->held);
	desk->is_shift = desk->is_ctrl = false;
	if (desk->watch)
		faces_unwatch(desk->faces, desk->watch);
	desk->watch = NULL;
	desk->view = view;
	desk->slot = slot;
	desk->is_dirty = view != DESK_GUEST;
	desk->is_unseen = false;
	desk->look_ns = 0;
	screen_clear(&desk->fb);
	if (view != DESK_GUEST)
		return;
	desk->watch = faces_watch(desk->faces, &like);
	if (desk->watch)
		return;
	desk->view = DESK_CONSOLE;
	desk->is_dirty = true;
}

void desk_opened(struct desk *desk, unsigned slot)
{
	/* The first guest has the screen, until the person has chosen: a guest
	 * that is started again gets no keys that are meant for init. */
	if (desk->view == DESK_CONSOLE && !desk->is_chosen)
		desk_show(desk, DESK_GUEST, slot);
}

void desk_gone(struct desk *desk, unsigned slot)
{
	if (desk->view == DESK_GUEST && desk->slot == slot)
		desk_show(desk, DESK_CONSOLE, 0);
}

/* ---- The console's text -------------------------------------------------- */

static char *line_at(struct desk *desk)
{
	return desk->text[desk->line % DESK_LINES];
}

static void line_end(struct desk *desk)
{
	desk->line++;
	desk->column = 0;
	line_at(desk)[0] = '\0';
}

static void put(struct desk *desk, char byte)
{
	char *line = line_at(desk);

	if (desk->is_escape) {
		desk->is_escape = byte < '@' || byte == '[';
	} else if (byte == '\x1b') {
		desk->is_escape = true;
	} else if (byte == '\n') {
		line_end(desk);
	} else if (byte == '\r') {
		desk->column = 0;
	} else if (byte == '\b') {
		desk->column -= desk->column != 0;
	} else if (byte >= ' ' && byte <= '~') {
		if (desk->column == DESK_COLUMNS)
			line_end(desk);
		line = line_at(desk);
		if (!line[desk->column])
			line[desk->column + 1] = '\0';
		line[desk->column++] = byte;
	}
}

void desk_heard(struct desk *desk, unsigned slot, const char *bytes,
		size_t length)
{
	if (!desk->fb.pixels ||
	    (slot != SEAT_CONTROL_SLOT && slot != MUX_SLOTS))
		return;
	/* A line of the log does not go on with what init has begun. */
	if (slot == MUX_SLOTS && desk->column)
		line_end(desk);
	for (size_t i = 0; i < length; i++)
		put(desk, bytes[i]);
	desk->is_dirty |= desk->view == DESK_CONSOLE;
}

/* ---- Keys ---------------------------------------------------------------- */

/* True: it was the second time. */
static bool is_hot(struct desk *desk, const struct input_event *event)
{
	bool is_second;

	if (event->kind != INPUT_KEY || event->code != DESK_KEY)
		return false;
	if (!event->value) {
		desk->is_hot_down = false;
		return false;
	}
	if (desk->is_hot_down)
		return false; /* it repeats */
	desk->is_hot_down = true;
	is_second = desk->hot_ns && desk->now_ns - desk->hot_ns <= TWICE_NS;
	desk->hot_ns = is_second ? 0 : desk->now_ns;
	return is_second;
}

static void event_take(struct desk *desk, const struct input_event *event)
{
	if (is_hot(desk, event)) {
		desk->is_chosen = true;
		desk_menu_open(desk);
		return;
	}
	switch (desk->view) {
	case DESK_GUEST:
		/* What it has no room for is lost, as in a keyboard. */
		if (!faces_input(desk->faces, desk->slot, event, 1))
			held_note(&desk->held, event);
		break;
	case DESK_MENU:
		if (event->kind == INPUT_KEY && event->value)
			desk_menu_key(desk, event->code);
		break;
	default:
		if (event->kind != INPUT_KEY)
			break;
		desk->is_chosen |= event->value != 0;
		desk_console_key(desk, event->code, event->value);
	}
}

void desk_input(struct desk *desk, const struct input_event *event,
		unsigned count, uint64_t now_ns)
{
	desk->now_ns = now_ns;
	for (unsigned i = 0; desk->fb.pixels && i < count; i++)
		event_take(desk, &event[i]);
}

/* ---- Events -------------------------------------------------------------- */

void desk_run(struct desk *desk, uint64_t now_ns)
{
	desk->now_ns = now_ns;
	if (desk->watch && !desk->watch->is_wanted && now_ns >= desk->look_ns)
		faces_want(desk->faces, desk->watch, false);
	if (!desk->is_dirty || now_ns < desk->draw_ns)
		return;
	desk->is_dirty = false;
	desk->draw_ns = now_ns + DRAW_NS;
	if (desk->view == DESK_MENU)
		desk_menu_draw(desk);
	else if (desk->view == DESK_CONSOLE)
		desk_console_draw(desk);
}

uint64_t desk_deadline(const struct desk *desk)
{
	uint64_t draw_ns = desk->is_dirty ? desk->draw_ns : UINT64_MAX;
	bool is_looking =
		desk->is_unseen && desk->watch && !desk->watch->is_wanted;

	return is_looking ? MIN(draw_ns, desk->look_ns) : draw_ns;
}
