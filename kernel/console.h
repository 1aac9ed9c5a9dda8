/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's console on its serial port: the monitor's log and the guests'
 * serial output and input.
 *
 * One guest alone owns the terminal: its bytes pass untouched.  With several,
 * each row begins with its guest's name in brackets, which no guest can write
 * there or over (kernel/terminal.h); a row that goes on from the one before has
 * "+" behind the bracket instead of a space.  Whole lines at a time; but what a
 * guest leaves unfinished, a prompt, shows after a moment and goes on from
 * there.  Input goes to the focused guest; Ctrl-] moves the focus to the next.
 * What a guest alone has no room for waits in the UART, whose other end knows;
 * with several, Ctrl-] must always get through.
 *
 * Nobody waits for the UART with the lock held: output waits in rings, one for
 * the log and one in each guest, and goes out as the UART takes it, the
 * guests in turn.  Only before console_start(), in a panic and at the host's
 * end is it written at once.
 */
#ifndef BULKHEAD_CONSOLE_H
#define BULKHEAD_CONSOLE_H

#include "include/compiler.h"
#include "include/spinlock.h"
#include "lib/list.h"
#include "kernel/terminal.h"
#include "kernel/time.h"
#include "drivers/uart.h"

struct thread;

#define CONSOLE_GUESTS_MAX 32
#define CONSOLE_NAME_SIZE  24
#define CONSOLE_LOG	   16384 /* bytes; powers of two */
#define CONSOLE_RING	   2048
#define CONSOLE_NOTICES	   4
/* Kept free of the guest's bytes, for what the monitor says about it. */
#define CONSOLE_RESERVE	   512
/* What one turn takes from a guest at most, as does one of its rows. */
#define CONSOLE_LINE_MAX   160
#define CONSOLE_OUT	   384

/* Positions run freely; a byte is at position % size. */
struct console_ring {
	uint32_t head, tail;
};

/* A line of the monitor's among the guest's bytes. */
struct console_notice {
	uint32_t at, length;
};

struct console_guest {
	char name[CONSOLE_NAME_SIZE];
	/* Called from the input interrupt; must not write to the console.
	 * Without room the byte is lost. */
	void (*input)(void *ctx, uint8_t byte);
	bool (*has_room)(void *ctx);
	void *ctx;

	/* The rest is the console's, under its lock. */
	struct console_ring out;
	uint32_t newlines; /* of the guest's in the ring */
	uint64_t held_tsc; /* when it last added to what is held back */
	uint32_t notice_count;
	struct console_notice notice[CONSOLE_NOTICES];
	struct list waiters; /* for room, struct waiter */
	struct terminal terminal;
	bool is_attached;
	bool is_due;	   /* what it has shows though unfinished */
	bool is_mid_line;  /* its line has begun, maybe in an earlier row */
	bool is_continued; /* its row goes on with an earlier one's line */
	char ring[CONSOLE_RING];
};

struct console {
	struct spinlock lock;
	struct uart uart;
	uint32_t log_level;
	bool is_direct;		 /* write at once: early, panic, end */
	bool is_panic;		 /* the monitor's lines only */
	bool is_stuck;		 /* the UART takes nothing: output is dropped */
	bool is_draining;	 /* the drain timer runs */
	bool is_log_served;	 /* a guest's turn, if one has something */
	bool is_prompt_expected; /* the prompt timer runs */
	uint32_t idle_ticks;

	/* On its way to the UART, as it is to be shown. */
	uint32_t sent, length;
	char text[CONSOLE_OUT];

	bool is_mid_row;     /* the last byte was no newline */
	bool is_reset_due;   /* the terminal is no longer one guest's own */
	bool is_touched;     /* by a guest's control sequences */
	struct terminal raw; /* as the guest that is alone left it */
	/* Whose row the cursor is in; NULL: at the beginning, or in one that
	 * nothing may be added to. */
	struct console_guest *open_guest;

	/* Not NULL: a program has the UART, reads the log, and is told here
	 * that there is more; with the lock held. */
	void (*reader)(void *ctx);
	void *reader_ctx;

	/* Alone, in its own row, nothing waits: its bytes go straight out. */
	struct console_guest *straight;

	unsigned guest_count;
	unsigned focus;
	unsigned turn; /* whose it is */
	struct console_guest *guest[CONSOLE_GUESTS_MAX];

	struct timer poll;
	struct timer prompt;
	struct timer drain;

	uint32_t log_lost; /* lines */
	struct list log_waiters;
	struct console_ring log;
	char log_ring[CONSOLE_LOG];
};

void console_init(struct console *console, uint16_t port);

/* From now on output does not wait for the UART; the timers must work. */
void console_start(struct console *console);

/*
 * The monitor's own text, one line with its newline, which becomes CR LF.  What
 * it says about a guest (or NULL) comes after what that guest has written.
 */
void console_print(struct console *console, struct console_guest *guest,
		   const char *text, size_t length);

/* The guest stays the caller's and must live on.  -ENOSPC. */
int __must_check console_add_guest(struct console *console,
				   struct console_guest *guest);
/*
 * Once its last words are out; self waits for that and may hold nothing.  No
 * other thread may write for the guest any more.
 */
void console_remove_guest(struct console *console, struct console_guest *guest,
			  struct thread *self);

/* Takes what there is room for; how many bytes that was. */
size_t __must_check console_write(struct console *console,
				  struct console_guest *guest,
				  const char *bytes, size_t length);
/*
 * Self waits until there may be room; it must look again, as it may return
 * without.  It may hold nothing.
 */
void console_wait(struct console *console, struct console_guest *guest,
		  struct thread *self);

/*
 * Before many lines of the log: self waits until its ring is half empty, or
 * nothing empties it.  It may hold nothing.
 */
void console_wait_log(struct console *console, struct thread *self);

/*
 * The UART and the log are a program's from now on, which fn tells of new
 * lines; NULL: the console's again.  What guests write here meanwhile is lost.
 * A panic and the host's end write all the same.
 */
void console_reader_set(struct console *console, void (*fn)(void *ctx),
			void *ctx);
/* Whole lines of the log for the reader, as many as fit; their bytes. */
size_t __must_check console_log_take(struct console *console, char *to,
				     size_t size);
/* With the lock held: whoever waits for room in the log looks again. */
void console_log_room(struct console *console);

/* Several guests share the terminal. */
static inline bool console_is_shared(const struct console *console)
{
	return console->guest_count > 1;
}

/* The UART's interrupt, a poll, or a guest that has room again. */
void console_poll_input(struct console *console);

/* Polls from now on, on this CPU, where the UART has no interrupt. */
void console_poll_start(struct console *console);

/* Lets the panic code through whoever holds the lock. */
void console_break_lock(struct console *console);

/* Everything goes out now, and what still comes goes out at once. */
void console_flush(struct console *console);

#endif
