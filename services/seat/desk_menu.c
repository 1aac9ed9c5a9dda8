/* SPDX-License-Identifier: BSD-2-Clause */
/* The menu at the host's screen, and its console: desk.h. */
#include "services/seat/desk.h"

#include "lib/printf.h"
#include "lib/string.h"

/* Make codes of scan set 1, as Linux's input events have them. */
enum key {
	KEY_ESCAPE = 1,
	KEY_BACKSPACE = 14,
	KEY_R = 19,
	KEY_ENTER = 28,
	KEY_LEFT_CTRL = 29,
	KEY_S = 31,
	KEY_LEFT_SHIFT = 42,
	KEY_RIGHT_SHIFT = 54,
	KEY_SPACE = 57,
	KEY_F1 = 59,
	KEY_F12 = 88,
};

#define FIRST_ROW   3 /* of the menu's lines */
#define LINES_BELOW 5 /* those of the guests */
#define WIDTH	    64

/* ---- What init says ------------------------------------------------------ */

static void listed(void *ctx, uint32_t id, const struct seat_message *message)
{
	struct desk *desk = ctx;
	struct desk_guest *guest = &desk->guest[desk->guest_coming];

	if (id != desk->list_id)
		return; /* one that was asked for before */
	desk->is_dirty |= desk->view == DESK_MENU;
	if (message->kind != SEAT_GUEST) {
		desk->guest_count = desk->guest_coming;
		return;
	}
	if (desk->guest_coming == DESK_GUESTS)
		return;
	(void)snprintf(guest->name, sizeof(guest->name), "%.31s",
		       message->name);
	(void)snprintf(guest->state, sizeof(guest->state), "%.15s",
		       message->text);
	guest->vcpus = message->vcpus;
	guest->memory_mib = message->memory_mib;
	desk->guest_coming++;
	desk->guest_count = MAX(desk->guest_count, desk->guest_coming);
}

static void list(struct desk *desk)
{
	const struct ask ask = { .told = listed,
				 .ctx = desk,
				 .id = ++desk->list_id,
				 .verb = SEAT_LIST };

	desk->guest_coming = 0;
	if (asks_add(desk->asks, &ask))
		(void)snprintf(desk->said, sizeof(desk->said),
			       "init is busy: press F5 for the list");
}

static void told(void *ctx, uint32_t id, const struct seat_message *message)
{
	struct desk *desk = ctx;

	(void)id;
	(void)snprintf(desk->said, sizeof(desk->said), "%.31s %.95s",
		       message->name,
		       message->text[0] ? message->text : "does as told");
	list(desk);
	desk->is_dirty = true;
}

static void ask_for(struct desk *desk, enum seat_verb verb, const char *name)
{
	struct ask ask = { .told = told, .ctx = desk, .verb = verb };

	memcpy(ask.name, name, MIN(strlen(name), sizeof(ask.name) - 1));
	if (asks_add(desk->asks, &ask))
		(void)snprintf(desk->said, sizeof(desk->said),
			       "init is busy: once more, later");
}

/* ---- The menu ------------------------------------------------------------ */

void desk_menu_open(struct desk *desk)
{
	desk_show(desk, DESK_MENU, desk->slot);
	desk->said[0] = '\0';
	desk->is_off_wanted = false;
	list(desk);
}

/* The operator's console may be hidden from the serial port. */
static void console_show(struct desk *desk)
{
	mux_hear_host(desk->mux);
	desk_show(desk, DESK_CONSOLE, 0);
}

/* Of all guests: not by a key that is hit once too often. */
static void off(struct desk *desk)
{
	if (desk->is_off_wanted)
		ask_for(desk, SEAT_OFF, "the host");
	else
		(void)snprintf(desk->said, sizeof(desk->said),
			       "Enter once more takes the power of all guests "
			       "and the host");
	desk->is_off_wanted = !desk->is_off_wanted;
}

static void choose(struct desk *desk)
{
	const struct desk_guest *guest = &desk->guest[desk->chosen];
	int slot;

	if (desk->chosen == desk->guest_count) {
		console_show(desk);
		return;
	}
	if (desk->chosen > desk->guest_count) {
		off(desk);
		return;
	}
	slot = mux_find(desk->mux, guest->name);
	if (slot >= 0)
		desk_show(desk, DESK_GUEST, (unsigned)slot);
	else
		ask_for(desk, SEAT_START, guest->name);
}

void desk_menu_key(struct desk *desk, unsigned key)
{
	unsigned last = desk->guest_count + 1;
	const char *name = desk->chosen < desk->guest_count
				   ? desk->guest[desk->chosen].name
				   : NULL;

	desk->is_dirty = true;
	if (key != KEY_ENTER)
		desk->is_off_wanted = false;
	switch (key) {
	case INPUT_KEY_UP:
		desk->chosen -= desk->chosen != 0;
		break;
	case INPUT_KEY_DOWN:
		desk->chosen += desk->chosen < last;
		break;
	case KEY_ENTER:
		choose(desk);
		break;
	case KEY_S:
		if (name)
			ask_for(desk, SEAT_STOP, name);
		break;
	case KEY_R:
		if (name)
			ask_for(desk, SEAT_RESTART, name);
		break;
	case KEY_ESCAPE:
		if (desk->slot && mux_is_open(desk->mux, desk->slot))
			desk_show(desk, DESK_GUEST, desk->slot);
		else
			console_show(desk);
		break;
	default:
		if (key >= KEY_F1 && key <= KEY_F12)
			list(desk);
	}
}

/* Of more lines than the screen has rows: the chosen one is shown. */
static unsigned lines_above(const struct desk *desk)
{
	unsigned room = screen_rows(&desk->fb) - FIRST_ROW;
	unsigned count = desk->guest_count + LINES_BELOW;

	if (count <= room)
		return 0;
	return MIN(desk->chosen > room / 2 ? desk->chosen - room / 2 : 0,
		   count - room);
}

static void line(struct desk *desk, unsigned number, const char *text)
{
	unsigned above = lines_above(desk);
	bool is_chosen = number == desk->chosen;
	uint32_t columns = screen_columns(&desk->fb);
	uint32_t left = columns > WIDTH ? (columns - WIDTH) / 2 : 0;

	if (number < above)
		return;
	screen_text(&desk->fb, left, FIRST_ROW + number - above, text, WIDTH,
		    is_chosen ? SCREEN_BLACK : SCREEN_WHITE,
		    is_chosen ? SCREEN_WHITE : SCREEN_BLUE);
}

void desk_menu_draw(struct desk *desk)
{
	static const char help[] =
		" Enter: show, or start   S: stop   R: restart   Esc: back";
	unsigned n = desk->guest_count;
	char text[WIDTH + 1];

	desk->chosen = MIN(desk->chosen, n + 1);
	line(desk, n + 2, "");
	for (unsigned i = 0; i < n; i++) {
		const struct desk_guest *guest = &desk->guest[i];

		(void)snprintf(text, sizeof(text),
			       " %-24.24s %-9s %2u vCPUs %7u MiB", guest->name,
			       guest->state, guest->vcpus, guest->memory_mib);
		line(desk, i, text);
	}
	line(desk, n, " The host's console and log");
	line(desk, n + 1, " Shut the host down");
	line(desk, n + 3, help);
	(void)snprintf(text, sizeof(text), " %.62s", desk->said);
	line(desk, n + 4, text);
}

/* ---- The console --------------------------------------------------------- */

void desk_console_draw(struct desk *desk)
{
	uint32_t rows = screen_rows(&desk->fb);
	uint32_t columns = screen_columns(&desk->fb);
	uint32_t shown = MIN(rows - 1, (uint32_t)DESK_LINES - 1);

	for (uint32_t row = 0; row < shown; row++) {
		uint32_t back = shown - 1 - row;
		const char *text =
			back > desk->line
				? ""
				: desk->text[(desk->line - back) % DESK_LINES];

		screen_text(&desk->fb, 0, row, text, columns, SCREEN_WHITE,
			    SCREEN_BLACK);
	}
	screen_text(&desk->fb, 0, rows - 1,
		    " Bulkhead: ScrollLock twice is the menu; help lists what "
		    "can be typed here",
		    columns, SCREEN_BLACK, SCREEN_GREY);
}

/* As on a US keyboard, from key 2 ("1") on; 0 is none. */
static char character(unsigned key, bool is_shift)
{
	static const char plain[] =
		"1234567890-=\b\tqwertyuiop[]\r\0asdfghjkl;'`"
		"\0\\zxcvbnm,./";
	static const char shifted[] =
		"!@#$%^&*()_+\b\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?";

	if (key == KEY_SPACE)
		return ' ';
	if (key < 2 || key - 2 >= sizeof(plain) - 1)
		return '\0';
	return is_shift ? shifted[key - 2] : plain[key - 2];
}

void desk_console_key(struct desk *desk, unsigned key, bool is_down)
{
	char byte;

	if (key == KEY_LEFT_SHIFT || key == KEY_RIGHT_SHIFT)
		desk->is_shift = is_down;
	if (key == KEY_LEFT_CTRL || key == INPUT_KEY_RIGHT_CTRL)
		desk->is_ctrl = is_down;
	byte = is_down ? character(key, desk->is_shift) : '\0';
	if (desk->is_ctrl)
		byte &= 0x1f;
	if (!byte)
		return;
	mux_hear_host(desk->mux);
	/* What it has no room for is lost, as in a keyboard. */
	(void)!mux_type(desk->mux, SEAT_CONTROL_SLOT, &byte, 1);
}
