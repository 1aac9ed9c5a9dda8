/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the log's lines wait: a ring for a program that reads them
 * (GATE_LOG_READ) and has the UART.  As long as there is none, the monitor
 * sends them itself:
 *
 *            log_start()            log_reader_set(fn)
 *   DIRECT ─────────────► PACED ───────────────────────► READER
 *     ▲                     │  ▲                            │
 *     │      log_flush()    │  └────────────────────────────┤ reader_set(NULL)
 *     └─────────────────────┴───────────────────────────────┘ log_flush()
 *
 * DIRECT, before there are timers, in a panic and at the host's end, waits for
 * the UART.  PACED sends a FIFO's worth at a time, so that nobody waits for it
 * with the lock held.  A line that the ring has no room for is counted.
 *
 * Locking: all of it is under log->lock; the run queues' and timers' locks are
 * taken inside it.
 */
#ifndef BULKHEAD_KERNEL_LOG_H
#define BULKHEAD_KERNEL_LOG_H

#include "include/compiler.h"
#include "include/spinlock.h"
#include "drivers/uart16550.h"
#include "kernel/time.h"

/*
 * Bytes; a power of two.  A domain that cannot go on takes some 3 KiB, and
 * sixteen may do so at once.
 */
#define LOG_RING 65536

enum log_way { LOG_DIRECT, LOG_PACED, LOG_READER };

struct log {
	struct spinlock lock;
	enum log_way way;
	uint32_t level; /* enum log_level */
	uint32_t lost;	/* lines */
	/* READER: told of each line, with the lock held. */
	void (*reader)(void *ctx);
	void *reader_ctx;

	uint16_t port;
	struct uart16550 uart;
	const char *extra;   /* goes out before the ring's next byte */
	bool is_row_begun;   /* a line is out in part */
	bool is_row_foreign; /* the reader has left the terminal's row somewhere
			      */
	bool is_draining;    /* the timer runs */
	uint32_t idle_ticks;
	struct timer drain;

	/* They run freely; a byte is at position % LOG_RING. */
	uint32_t head, tail;
	char ring[LOG_RING];
};

/* The processor's own ports. */
extern const struct port_ops log_ports;

void log_init(struct log *log, const struct port_ops *ports, uint16_t port);

/* From DIRECT; the timers must work. */
void log_start(struct log *log);

/* One line with its newline, which becomes CR LF on the UART. */
void log_write(struct log *log, const char *line, size_t length);

/* The log and the UART are a program's; NULL: the monitor's again. */
void log_reader_set(struct log *log, void (*fn)(void *ctx), void *ctx);
/* Whole lines for the reader, as many as fit; their bytes. */
size_t __must_check log_take(struct log *log, char *to, size_t size);

/* Everything goes out now, and what still comes goes out at once. */
void log_flush(struct log *log);
/* The same in a panic, past whoever holds the lock. */
void log_panic(struct log *log);

#endif
