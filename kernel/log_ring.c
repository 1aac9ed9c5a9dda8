/* SPDX-License-Identifier: BSD-2-Clause */
/* See kernel/log.h. */
#include "kernel/log.h"

#include "include/log.h"
#include "lib/printf.h"
#include "lib/string.h"

/* 16 characters of ten bits at 115,200 baud: 1.39 ms. */
#define DRAIN_PERIOD_NS (1400 * NSEC_PER_US)
/* So many periods without a byte gone: 1 s. */
#define STUCK_TICKS	(NSEC_PER_SEC / DRAIN_PERIOD_NS)
#define SPIN_MAX	200000

/* ECMA-48's CAN and ST end any sequence; then a new row. */
#define ROW_BEGIN "\x18\x1b\\\r\n"

static void drain_expired(void *ctx);

void log_init(struct log *log, const struct port_ops *ports, uint16_t port)
{
	memset(log, 0, sizeof(*log));
	log->level = LOG_INFO;
	log->extra = "";
	log->port = port;
	log->drain.fn = drain_expired;
	log->drain.ctx = log;
	/* Without a port everything still works, unseen. */
	(void)!uart16550_init(&log->uart, ports, NULL, port);
}

/* ---- The ring ------------------------------------------------------------ */

static uint32_t used(const struct log *log)
{
	return log->head - log->tail;
}

static char byte_at(const struct log *log, uint32_t at)
{
	return log->ring[(log->tail + at) % LOG_RING];
}

static void push(struct log *log, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		log->ring[log->head++ % LOG_RING] = text[i];
}

static void line_push(struct log *log, const char *line, size_t length)
{
	uint32_t room = LOG_RING - used(log);
	char lost[64];
	int n;

	if (log->lost && room >= length + sizeof(lost)) {
		n = snprintf(lost, sizeof(lost),
			     "--- %u lines of the log were lost ---\n",
			     log->lost);
		push(log, lost, (size_t)n);
		log->lost = 0;
	}
	if (room < length)
		log->lost++;
	else
		push(log, line, length);
}

/* Of the first line, its newline included; 0: there is none. */
static uint32_t line_length(const struct log *log)
{
	for (uint32_t i = 0; i < used(log); i++)
		if (byte_at(log, i) == '\n')
			return i + 1;
	return 0;
}

/* ---- Going out ----------------------------------------------------------- */

static bool is_waiting(const struct log *log)
{
	return used(log) || *log->extra;
}

/* What stands before the ring's next byte, or in its place. */
static void extra_find(struct log *log)
{
	if (*log->extra)
		return;
	if (log->is_row_foreign) {
		log->is_row_foreign = false;
		log->extra = ROW_BEGIN;
	} else if (byte_at(log, 0) == '\n') {
		log->tail++;
		log->extra = "\r\n";
	}
}

/* One byte, if the UART has room for it. */
static bool byte_send(struct log *log)
{
	char byte;

	extra_find(log);
	byte = *log->extra ? *log->extra : byte_at(log, 0);
	if (!uart16550_send(&log->uart, &byte, 1))
		return false;
	log->is_row_begun = byte != '\n';
	if (*log->extra)
		log->extra++;
	else
		log->tail++;
	return true;
}

/* Waits for room.  A UART that never has any is given up. */
static void byte_send_now(struct log *log)
{
	for (unsigned spins = 0; !byte_send(log); spins++) {
		if (spins == SPIN_MAX)
			log->uart.port = 0;
		cpu_relax();
	}
}

static void pump(struct log *log)
{
	unsigned left = UART16550_FIFO;

	while (left && is_waiting(log) && byte_send(log))
		left--;
	if (left != UART16550_FIFO)
		log->idle_ticks = 0;
	if (!is_waiting(log))
		return;
	if (log->idle_ticks >= STUCK_TICKS) {
		log->tail = log->head;
		log->extra = "";
		return;
	}
	log->is_draining = true;
	timer_arm(&log->drain,
		  time_now_tsc() + time_ns_to_tsc(DRAIN_PERIOD_NS));
}

static void drain_expired(void *ctx)
{
	struct log *log = ctx;
	uint64_t flags = spin_lock_irqsave(&log->lock);

	log->is_draining = false;
	log->idle_ticks++;
	if (log->way == LOG_PACED)
		pump(log);
	spin_unlock_irqrestore(&log->lock, flags);
}

void log_write(struct log *log, const char *line, size_t length)
{
	uint64_t flags = spin_lock_irqsave(&log->lock);

	line_push(log, line, length);
	if (log->way == LOG_READER)
		log->reader(log->reader_ctx);
	else if (log->way == LOG_PACED && !log->is_draining)
		pump(log);
	while (log->way == LOG_DIRECT && is_waiting(log))
		byte_send_now(log);
	spin_unlock_irqrestore(&log->lock, flags);
}

/* ---- Who has the UART ---------------------------------------------------- */

void log_start(struct log *log)
{
	uint64_t flags = spin_lock_irqsave(&log->lock);

	log->way = LOG_PACED;
	spin_unlock_irqrestore(&log->lock, flags);
}

/* Whatever the reader has done to it. */
static void uart_take_back(struct log *log)
{
	if (log->way != LOG_READER)
		return;
	(void)!uart16550_init(&log->uart, log->uart.ops, NULL, log->port);
	log->is_row_foreign = true;
}

void log_reader_set(struct log *log, void (*fn)(void *ctx), void *ctx)
{
	uint64_t flags = spin_lock_irqsave(&log->lock);

	uart_take_back(log);
	/* A line that has begun. */
	while (fn && (log->is_row_begun || *log->extra) && is_waiting(log))
		byte_send_now(log);
	log->way = fn ? LOG_READER : LOG_PACED;
	log->reader = fn;
	log->reader_ctx = ctx;
	if (!fn && !log->is_draining)
		pump(log);
	spin_unlock_irqrestore(&log->lock, flags);
}

size_t log_take(struct log *log, char *to, size_t size)
{
	uint64_t flags = spin_lock_irqsave(&log->lock);
	size_t taken = 0;

	for (;;) {
		uint32_t length = line_length(log);

		if (!length || taken + length > size)
			break;
		for (uint32_t i = 0; i < length; i++)
			to[taken++] = byte_at(log, i);
		log->tail += length;
	}
	spin_unlock_irqrestore(&log->lock, flags);
	return taken;
}

static void out(struct log *log)
{
	uart_take_back(log);
	log->way = LOG_DIRECT;
	while (is_waiting(log))
		byte_send_now(log);
	for (unsigned i = 0; i < SPIN_MAX && !uart16550_is_idle(&log->uart);
	     i++)
		cpu_relax();
}

void log_flush(struct log *log)
{
	uint64_t flags = spin_lock_irqsave(&log->lock);

	out(log);
	spin_unlock_irqrestore(&log->lock, flags);
}

/* Whatever another CPU was in the middle of, the positions stay in bounds. */
void log_panic(struct log *log)
{
	log->lock = (struct spinlock)SPINLOCK_INIT;
	log->level = LOG_DEBUG;
	if (used(log) > LOG_RING)
		log->tail = log->head;
	out(log);
}
