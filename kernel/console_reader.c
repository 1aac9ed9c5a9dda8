/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console in other hands: a program reads the log and has the UART.
 */
#include "kernel/console.h"

static uint32_t waiting(const struct console *console)
{
	return console->log.head - console->log.tail;
}

static char byte_at(const struct console *console, uint32_t at)
{
	return console->log_ring[(console->log.tail + at) % CONSOLE_LOG];
}

/* Of the first line, its newline included; 0: there is none. */
static uint32_t line_length(const struct console *console)
{
	for (uint32_t i = 0; i < waiting(console); i++)
		if (byte_at(console, i) == '\n')
			return i + 1;
	return 0;
}

void console_reader_set(struct console *console, void (*fn)(void *ctx),
			void *ctx)
{
	uint64_t flags = spin_lock_irqsave(&console->lock);

	/* A row that has begun is at most CONSOLE_OUT bytes. */
	if (fn)
		uart_write(&console->uart, console->text + console->sent,
			   console->length - console->sent);
	else if (console->uart.port &&
		 !uart_init(&console->uart, console->uart.port))
		uart_irq_enable(&console->uart, true);
	console->sent = console->length = 0;
	console->straight = NULL;
	console->reader = fn;
	console->reader_ctx = ctx;
	spin_unlock_irqrestore(&console->lock, flags);
}

size_t console_log_take(struct console *console, char *to, size_t size)
{
	uint64_t flags = spin_lock_irqsave(&console->lock);
	size_t taken = 0;

	for (;;) {
		uint32_t length = line_length(console);

		if (!length || taken + length > size)
			break;
		for (uint32_t i = 0; i < length; i++)
			to[taken++] = byte_at(console, i);
		console->log.tail += length;
	}
	console_log_room(console);
	spin_unlock_irqrestore(&console->lock, flags);
	return taken;
}
