/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: who may write what to the serial port, and who gets its input.
 *
 * The lock is held while bytes go out: that keeps lines whole, at the price
 * that a CPU may wait for another's FIFO.  A guest that is alone takes the
 * short way.
 */
#include "core/console.h"

#include "include/errno.h"
#include "include/log.h"
#include "lib/string.h"

#define FOCUS_KEY	0x1d /* Ctrl-] */
#define POLL_PERIOD_NS	(10 * NSEC_PER_MS)
#define PROMPT_DELAY_NS (50 * NSEC_PER_MS)

static void prompt_show(void *ctx);

void console_init(struct console *console, uint16_t port)
{
	memset(console, 0, sizeof(*console));
	console->log_level = LOG_INFO;
	console->prompt.fn = prompt_show;
	console->prompt.ctx = console;
	/* Without a port everything still works, unseen. */
	if (uart_init(&console->uart, port))
		console->uart.port = 0;
}

static void put(struct console *console, const char *text, size_t length)
{
	if (!length)
		return;
	uart_write(&console->uart, text, length);
	console->is_mid_line = text[length - 1] != '\n';
}

static void put_text(struct console *console, const char *text, size_t length)
{
	const char *end;

	while (length) {
		end = memchr(text, '\n', length);
		if (!end) {
			put(console, text, length);
			return;
		}
		put(console, text, (size_t)(end - text));
		put(console, "\r\n", 2);
		length -= (size_t)(end + 1 - text);
		text = end + 1;
	}
}

/* Leaves the line that the cursor is in. */
static void line_end(struct console *console)
{
	if (console->is_mid_line)
		put(console, "\r\n", 2);
	console->open_guest = NULL;
}

void console_print(struct console *console, const char *text, size_t length)
{
	uint64_t flags = spin_lock_irqsave(&console->lock);

	line_end(console);
	put_text(console, text, length);
	spin_unlock_irqrestore(&console->lock, flags);
}

int console_add_guest(struct console *console, struct console_guest *guest)
{
	uint64_t flags = spin_lock_irqsave(&console->lock);
	int error = -ENOSPC;

	if (console->guest_count < CONSOLE_GUESTS_MAX) {
		guest->line_length = 0;
		console->guest[console->guest_count++] = guest;
		error = 0;
	}
	spin_unlock_irqrestore(&console->lock, flags);
	return error;
}

/* Shows what is held back of the guest's line, on a line of its name. */
static void guest_show(struct console *console, struct console_guest *guest)
{
	if (console->open_guest != guest) {
		line_end(console);
		put(console, "[", 1);
		put(console, guest->name, strlen(guest->name));
		put(console, "] ", 2);
		console->open_guest = guest;
	}
	put_text(console, guest->line, guest->line_length);
	guest->line_length = 0;
}

void console_remove_guest(struct console *console, struct console_guest *guest)
{
	uint64_t flags = spin_lock_irqsave(&console->lock);
	unsigned i = 0;

	if (guest->line_length)
		guest_show(console, guest);
	if (console->open_guest == guest)
		line_end(console);
	while (i < console->guest_count && console->guest[i] != guest)
		i++;
	if (i < console->guest_count) {
		console->guest_count--;
		memmove(&console->guest[i], &console->guest[i + 1],
			(console->guest_count - i) * sizeof(guest));
		if (console->focus > i ||
		    console->focus >= console->guest_count)
			console->focus =
				console->focus ? console->focus - 1 : 0;
	}
	/* Who is left alone writes straight through from now on. */
	if (console->guest_count == 1 && console->guest[0]->line_length)
		guest_show(console, console->guest[0]);
	spin_unlock_irqrestore(&console->lock, flags);
}

static void guest_add(struct console *console, struct console_guest *guest,
		      char byte)
{
	/* CRs matter within a prompt that is being edited, else to nobody. */
	if (byte == '\r' && console->open_guest != guest)
		return;
	guest->line[guest->line_length++] = byte;
	if (byte == '\n' || guest->line_length == CONSOLE_LINE_MAX ||
	    console->open_guest == guest)
		guest_show(console, guest);
	if (byte == '\n')
		console->open_guest = NULL;
}

/* Shown soon unless its newline comes. */
static void prompt_expect(struct console *console, struct console_guest *guest)
{
	if (guest->line_length && !console->prompt.cpu)
		timer_arm(&console->prompt,
			  time_now_tsc() + time_ns_to_tsc(PROMPT_DELAY_NS));
}

static void guest_add_all(struct console *console, struct console_guest *guest,
			  const char *bytes, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		guest_add(console, guest, bytes[i]);
	prompt_expect(console, guest);
}

void console_write(struct console *console, struct console_guest *guest,
		   const char *bytes, size_t length)
{
	uint64_t flags = spin_lock_irqsave(&console->lock);

	if (likely(console->guest_count <= 1))
		put(console, bytes, length);
	else
		guest_add_all(console, guest, bytes, length);
	spin_unlock_irqrestore(&console->lock, flags);
}

/* Unfinished lines come out; the focused guest's last, where input echoes. */
static void prompt_show(void *ctx)
{
	struct console *console = ctx;
	uint64_t flags = spin_lock_irqsave(&console->lock);
	unsigned i, at;

	for (i = 1; i <= console->guest_count; i++) {
		at = (console->focus + i) % console->guest_count;
		if (console->guest[at]->line_length)
			guest_show(console, console->guest[at]);
	}
	spin_unlock_irqrestore(&console->lock, flags);
}

static void focus_next(struct console *console)
{
	struct console_guest *guest;

	console->focus = (console->focus + 1) % console->guest_count;
	guest = console->guest[console->focus];
	line_end(console);
	put_text(console, "--- input goes to ", 18);
	put_text(console, guest->name, strlen(guest->name));
	put_text(console, " ---\n", 5);
	if (guest->line_length)
		guest_show(console, guest);
}

/* With the lock held, so that the guest cannot be removed meanwhile. */
static void input_deliver(struct console *console, uint8_t byte)
{
	struct console_guest *guest = console->guest[console->focus];

	if (byte == FOCUS_KEY && console->guest_count > 1)
		focus_next(console);
	else
		guest->input(guest->ctx, byte);
}

/* The next byte that has somewhere to go, or -1. */
static int input_next(struct console *console)
{
	const struct console_guest *only = console->guest[0];

	if (console->guest_count == 1 && !only->has_room(only->ctx))
		return -1;
	return uart_read(&console->uart);
}

void console_poll_input(struct console *console)
{
	for (;;) {
		uint64_t flags = spin_lock_irqsave(&console->lock);
		int byte = input_next(console);

		if (byte >= 0 && console->guest_count)
			input_deliver(console, (uint8_t)byte);
		spin_unlock_irqrestore(&console->lock, flags);
		if (byte < 0)
			return;
	}
}

static void poll_expired(void *ctx)
{
	struct console *console = ctx;

	console_poll_input(console);
	console_poll_start(console);
}

void console_poll_start(struct console *console)
{
	console->poll.fn = poll_expired;
	console->poll.ctx = console;
	timer_arm(&console->poll,
		  time_now_tsc() + time_ns_to_tsc(POLL_PERIOD_NS));
}

void console_break_lock(struct console *console)
{
	console->lock = (struct spinlock)SPINLOCK_INIT;
	console->log_level = LOG_DEBUG;
}
