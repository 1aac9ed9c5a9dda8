/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The person at the machine: the host's screen, keyboard and mouse, and whom
 * they belong to now.
 *
 * One of three things fills the screen: a guest's picture (its keys and mouse
 * are the guest's), the host's own console with the monitor's log, or the menu.
 * ScrollLock, pressed twice within a second, leads from any of them to the
 * menu; ScrollLock alone goes to the guest as it is.
 *
 *	screen.c	drawing
 *	desk.c		what is shown, keys
 *	desk_menu.c	the menu and the console's text
 *
 * Nothing is drawn but what has changed; an idle screen costs nothing.
 *
 * Pure; not locked: one thread.
 */
#ifndef BULKHEAD_SERVICES_SEAT_DESK_H
#define BULKHEAD_SERVICES_SEAT_DESK_H

#include "services/seat/asks.h"
#include "services/seat/faces.h"
#include "services/seat/mux.h"
#include "services/seat/screen.h"

#define DESK_LINES   256 /* of the console's text; powers of two */
#define DESK_COLUMNS 128
#define DESK_GUESTS  32 /* in the menu */
#define DESK_KEY     70 /* ScrollLock */

enum desk_view { DESK_CONSOLE, DESK_GUEST, DESK_MENU };

struct desk_guest {
	char name[GATE_NAME_SIZE];
	char state[16];
	uint32_t vcpus, memory_mib;
};

struct desk {
	struct mux *mux;
	struct faces *faces;
	struct asks *asks;
	struct framebuffer fb;
	uint64_t now_ns;

	enum desk_view view;
	unsigned slot; /* DESK_GUEST: whose */
	struct face_watch *watch;
	struct screen_place place;
	bool is_unseen;	  /* it shows what this screen cannot */
	uint64_t look_ns; /* its next frame is asked for, not before */
	struct held held; /* in the guest that is shown */
	bool is_chosen;	  /* by the person: no guest comes by itself */
	bool is_dirty;	  /* menu or console: to be drawn */
	uint64_t draw_ns; /* not before */

	uint64_t hot_ns; /* when the hot key was pressed last */
	bool is_hot_down;
	bool is_shift, is_ctrl; /* as typed at the console */

	uint32_t list_id;		    /* of the list that is being told */
	unsigned guest_count, guest_coming; /* of it */
	struct desk_guest guest[DESK_GUESTS];
	unsigned chosen;    /* line of the menu */
	bool is_off_wanted; /* asked for once: the next time it is done */
	char said[SEAT_TEXT_SIZE + GATE_NAME_SIZE];

	uint32_t line, column; /* where the console's text goes on */
	bool is_escape;	       /* within a control sequence */
	char text[DESK_LINES][DESK_COLUMNS + 1];
};

/* fb.pixels NULL: there is no screen, and nothing of this does anything. */
void desk_init(struct desk *desk, struct mux *mux, struct faces *faces,
	       struct asks *asks, const struct framebuffer *fb);

/* Keys and mouse, as drivers/ps2.h has them. */
void desk_input(struct desk *desk, const struct input_event *event,
		unsigned count, uint64_t now_ns);
/* As remote_heard(); slot 0 is the operator's console. */
void desk_heard(struct desk *desk, unsigned slot, const char *bytes,
		size_t length);
/* A guest's console has come; is gone. */
void desk_opened(struct desk *desk, unsigned slot);
void desk_gone(struct desk *desk, unsigned slot);

/* After any event. */
void desk_run(struct desk *desk, uint64_t now_ns);
uint64_t desk_deadline(const struct desk *desk);

/* ---- Within ------------------------------------------------------------- */

void desk_show(struct desk *desk, enum desk_view view, unsigned slot);

/* desk_menu.c */
void desk_menu_open(struct desk *desk);
void desk_menu_key(struct desk *desk, unsigned key);
void desk_menu_draw(struct desk *desk);
void desk_console_key(struct desk *desk, unsigned key, bool is_down);
void desk_console_draw(struct desk *desk);

#endif
