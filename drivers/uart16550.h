/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 16550 UART at 115200 8N1, whose ports are reached through what the owner
 * gives: a program by calls of the gate.  Few accesses: a whole FIFO's worth
 * goes out for one look at the line status and one string write.
 *
 * The transmitter's interrupt is not used: who waits for it looks again after
 * the time that a FIFO takes, 1.4 ms.  Not locked: one thread.
 */
#ifndef BULKHEAD_DRIVERS_UART16550_H
#define BULKHEAD_DRIVERS_UART16550_H

#include "include/compiler.h"

#define UART16550_PORTS 8
#define UART16550_FIFO	16

struct port_ops {
	uint8_t (*read)(void *ctx, uint16_t port);
	void (*write)(void *ctx, uint16_t port, uint8_t value);
	/* At most UART16550_FIFO bytes to one port. */
	void (*write_string)(void *ctx, uint16_t port, const char *bytes,
			     size_t length);
};

struct uart16550 {
	const struct port_ops *ops;
	void *ctx;
	uint16_t port; /* 0: there is none */
	uint8_t room;  /* bytes the transmit FIFO surely has room for */
};

/*
 * What somebody else still sends goes out first, and what was received stays.
 * -ENODEV: nothing answers there; what is sent is then lost.
 */
int __must_check uart16550_init(struct uart16550 *uart,
				const struct port_ops *ops, void *ctx,
				uint16_t port);

/* Sends what there is room for now, one FIFO at most; how many bytes. */
size_t __must_check uart16550_send(struct uart16550 *uart, const char *text,
				   size_t length);
/* All of it is out on the wire. */
bool uart16550_is_idle(struct uart16550 *uart);
/* The next byte received, or -1. */
int uart16550_read(struct uart16550 *uart);

#endif
