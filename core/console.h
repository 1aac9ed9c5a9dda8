/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's console on its serial port: the monitor's log and the guests'
 * serial output and input.
 *
 * One guest alone owns the terminal: its bytes pass untouched.  With several,
 * each line is shown with its guest's name in front, whole lines at a time;
 * but what a guest leaves unfinished, a prompt, shows after a moment and goes
 * on from there.  Input goes to the focused guest; Ctrl-] moves the
 * focus to the next.  What a guest alone has no room for waits in the UART,
 * whose other end knows; with several, Ctrl-] must always get through.
 */
#ifndef BULKHEAD_CONSOLE_H
#define BULKHEAD_CONSOLE_H

#include "include/compiler.h"
#include "include/spinlock.h"
#include "core/time.h"
#include "drivers/uart.h"

#define CONSOLE_GUESTS_MAX 32
#define CONSOLE_LINE_MAX   160

struct console_guest {
	char name[24];
	/* Called from the input interrupt; must not write to the console.
	 * Without room the byte is lost. */
	void (*input)(void *ctx, uint8_t byte);
	bool (*has_room)(void *ctx);
	void *ctx;
	/* The part of its line not shown yet, while several guests share. */
	uint32_t line_length;
	char line[CONSOLE_LINE_MAX];
};

struct console {
	struct spinlock lock;
	struct uart uart;
	bool is_mid_line; /* the last byte out was no newline */
	/* Whose unfinished line the cursor stands in, prefix shown; or NULL. */
	struct console_guest *open_guest;
	unsigned guest_count;
	unsigned focus;
	struct console_guest *guest[CONSOLE_GUESTS_MAX];
	uint32_t log_level;
	struct timer poll;
	struct timer prompt;
};

void console_init(struct console *console, uint16_t port);

/* The monitor's own text; a newline becomes CR LF. */
void console_print(struct console *console, const char *text, size_t length);

/* The guest stays the caller's and must live on.  -ENOSPC. */
int __must_check console_add_guest(struct console *console,
				   struct console_guest *guest);
/* Its last words, if no newline ended them. */
void console_remove_guest(struct console *console, struct console_guest *guest);
void console_write(struct console *console, struct console_guest *guest,
		   const char *bytes, size_t length);

/* The UART's interrupt, a poll, or a guest that has room again. */
void console_poll_input(struct console *console);

/* Polls from now on, on this CPU, where the UART has no interrupt. */
void console_poll_start(struct console *console);

/* Lets the panic code through whoever holds the lock. */
void console_break_lock(struct console *console);

#endif
