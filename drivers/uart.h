/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 16550 UART of the host, at 115200 8N1.
 */
#ifndef BULKHEAD_DRIVERS_UART_H
#define BULKHEAD_DRIVERS_UART_H

#include "include/compiler.h"

struct uart {
	uint16_t port; /* 0: there is none */
	uint8_t room;  /* bytes the transmit FIFO surely has room for */
};

/* -ENODEV: nothing answers there; what is written is then lost. */
int __must_check uart_init(struct uart *uart, uint16_t port);

/* Sends what there is room for now, one FIFO at most; how many bytes. */
size_t __must_check uart_send(struct uart *uart, const char *text,
			      size_t length);

/* Waits for room.  A port whose transmitter never gets ready is given up. */
void uart_write(struct uart *uart, const char *text, size_t length);

/* Waits until all of it is out on the wire. */
void uart_flush(struct uart *uart);

/* The next byte received, or -1. */
int uart_read(struct uart *uart);

/* Interrupts on reception, or none. */
void uart_irq_enable(struct uart *uart, bool enable);

#endif
