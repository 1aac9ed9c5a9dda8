/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 16550A serial port.
 *
 * Modelled: FIFOs and trigger levels, all interrupt sources with their
 * priorities (line status, data, character timeout, transmitter empty, modem
 * status), loopback, break, scratch and divisor registers.  Not modelled: the
 * gate of the interrupt by OUT2, which a PC has and QEMU does not: systems that
 * grew up there never set it, and who does sees no difference; the line's speed
 * on output, which is instant (the transmitter is always empty); parity and
 * framing errors.
 *
 * With its FIFO and the transmitter's interrupt on, that the transmitter is
 * empty is said once of bytes that are written in a row: when they are as many
 * as the FIFO holds, before another register is touched, or after the time of a
 * character.  The bytes themselves are passed on at once.
 *
 * References: National Semiconductor PC16550D data sheet (1995).
 */
#ifndef BULKHEAD_DEVICES_UART_H
#define BULKHEAD_DEVICES_UART_H

#include "devices/bus.h"
#include "include/char.h"
#include "include/device.h"

#define UART_FIFO 16

struct uart_state {
	uint64_t timeout_ns; /* deadline; CLOCK_NEVER: none */
	uint64_t empty_ns;   /* when it is said; CLOCK_NEVER: it has been */
	uint16_t fifo[UART_FIFO]; /* a byte, and above it a break's mark */
	uint16_t divisor;
	uint8_t head; /* oldest entry */
	uint8_t count;
	uint8_t ier;
	uint8_t fcr; /* as kept: enable and trigger */
	uint8_t lcr;
	uint8_t mcr;
	uint8_t lsr; /* the error bits; the others are computed */
	uint8_t msr;
	uint8_t scr;
	bool is_thre_pending;
	bool is_timeout_pending;
	bool out_level;
	uint8_t row; /* bytes written of which it is to be said */
	uint8_t reserved[1];
};

struct uart {
	struct device device;
	struct uart_state state;
	struct irq_line out;
	struct clock *clock;
	struct clock_timer timeout, empty;
	struct char_backend backend;
	/* Optional, set by the board after uart_init(): there is room again. */
	void (*drained)(void *ctx);
	void *drained_ctx;
};

extern const struct device_ops uart_ops;

/* Takes eight ports. */
int __must_check uart_init(struct uart *uart, struct bus *ports, uint16_t port,
			   struct clock *clock, struct irq_line out,
			   struct char_backend backend);
void uart_reset(struct uart *uart);

/* How many bytes uart_receive() would take without an overrun. */
unsigned uart_room(const struct uart *uart);
/* A byte from the line; one too many is lost and reported as overrun. */
void uart_receive(struct uart *uart, uint8_t byte);
/* A break from the line. */
void uart_receive_break(struct uart *uart);

#endif
