/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's serial port: a whole FIFO's worth goes out for one look at the
 * line status.  The transmitter's interrupt is not used: what waits for it, the
 * console, looks again after the time that a FIFO takes.
 *
 * References: PC16550D data sheet.
 */
#include "drivers/uart.h"

#include "include/errno.h"
#include "include/x86.h"

#define UART_DATA    0
#define UART_IER     1
#define IER_RX	     BIT(0)
#define UART_FCR     2
#define FCR_SETUP    0x07 /* enable, clear both; trigger at one byte */
#define UART_LCR     3
#define LCR_8N1	     0x03
#define LCR_DLAB     BIT(7)
#define UART_MCR     4
#define MCR_SETUP    0x0b /* DTR, RTS, OUT2: OUT2 gates the interrupt */
#define MCR_LOOP     0x1e /* loopback, with RTS, OUT1, OUT2 up */
#define UART_LSR     5
#define LSR_DATA     BIT(0)
#define LSR_EMPTY    BIT(5)
#define LSR_IDLE     BIT(6)
#define UART_SCRATCH 7

#define DIVISOR_115200 1
#define FIFO_SIZE      16
#define LOOP_BYTE      0xae
#define SPIN_MAX       200000

static bool uart_is_there(uint16_t port)
{
	port_write8(port + UART_SCRATCH, 0x5a);
	if (port_read8(port + UART_SCRATCH) != 0x5a)
		return false;
	port_write8(port + UART_MCR, MCR_LOOP);
	port_write8(port + UART_DATA, LOOP_BYTE);
	for (unsigned i = 0; i < SPIN_MAX; i++)
		if (port_read8(port + UART_LSR) & LSR_DATA)
			return port_read8(port + UART_DATA) == LOOP_BYTE;
	return false;
}

int uart_init(struct uart *uart, uint16_t port)
{
	uart->port = 0;
	uart->room = 0;
	port_write8(port + UART_IER, 0);
	port_write8(port + UART_LCR, LCR_DLAB);
	port_write8(port + UART_DATA, DIVISOR_115200);
	port_write8(port + UART_IER, 0);
	port_write8(port + UART_LCR, LCR_8N1);
	port_write8(port + UART_FCR, FCR_SETUP);
	if (!uart_is_there(port))
		return -ENODEV;
	port_write8(port + UART_MCR, MCR_SETUP);
	uart->port = port;
	return 0;
}

size_t uart_send(struct uart *uart, const char *text, size_t length)
{
	size_t n;

	if (!uart->port)
		return length;
	if (!uart->room && port_read8(uart->port + UART_LSR) & LSR_EMPTY)
		uart->room = FIFO_SIZE;
	n = MIN(length, uart->room);
	for (size_t i = 0; i < n; i++)
		port_write8(uart->port + UART_DATA, (uint8_t)text[i]);
	uart->room -= (uint8_t)n;
	return n;
}

void uart_write(struct uart *uart, const char *text, size_t length)
{
	for (unsigned spins = 0; length;) {
		size_t n = uart_send(uart, text, length);

		text += n;
		length -= n;
		spins = n ? 0 : spins + 1;
		if (spins == SPIN_MAX)
			uart->port = 0;
		cpu_relax();
	}
}

void uart_flush(struct uart *uart)
{
	for (unsigned i = 0; uart->port && i < SPIN_MAX; i++)
		if (port_read8(uart->port + UART_LSR) & LSR_IDLE)
			return;
}

int uart_read(struct uart *uart)
{
	if (!uart->port || !(port_read8(uart->port + UART_LSR) & LSR_DATA))
		return -1;
	return port_read8(uart->port + UART_DATA);
}

void uart_irq_enable(struct uart *uart, bool enable)
{
	if (uart->port)
		port_write8(uart->port + UART_IER, enable ? IER_RX : 0);
}
