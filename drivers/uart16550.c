/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Not modelled: the modem's lines, which are up and ignored; errors of
 * reception; UARTs without a FIFO.
 *
 * References: PC16550D data sheet.
 */
#include "drivers/uart16550.h"

#include "include/errno.h"

#define UART_DATA    0
#define UART_IER     1
#define IER_RX	     BIT(0)
#define UART_FCR     2
#define FCR_ENABLE   BIT(0) /* trigger at one byte */
#define UART_LCR     3
#define LCR_8N1	     0x03
#define LCR_DLAB     BIT(7)
#define UART_MCR     4
#define MCR_SETUP    0x0b /* DTR, RTS, OUT2: OUT2 gates the interrupt */
#define UART_LSR     5
#define LSR_DATA     BIT(0)
#define LSR_EMPTY    BIT(5)
#define LSR_IDLE     BIT(6)
#define UART_SCRATCH 7

#define DIVISOR_115200 1
/* More than two FIFOs' time, however fast a port is read. */
#define IDLE_READS_MAX 40000

static uint8_t get(const struct uart16550 *uart, unsigned offset)
{
	return uart->ops->read(uart->ctx, (uint16_t)(uart->port + offset));
}

static void set(const struct uart16550 *uart, unsigned offset, uint8_t value)
{
	uart->ops->write(uart->ctx, (uint16_t)(uart->port + offset), value);
}

int uart16550_init(struct uart16550 *uart, const struct port_ops *ops,
		   void *ctx, uint16_t port)
{
	*uart = (struct uart16550){ .ops = ops, .ctx = ctx, .port = port };
	set(uart, UART_SCRATCH, 0x5a);
	if (get(uart, UART_SCRATCH) != 0x5a) {
		uart->port = 0;
		return -ENODEV;
	}
	for (unsigned i = 0; i < IDLE_READS_MAX; i++)
		if (uart16550_is_idle(uart))
			break;
	set(uart, UART_IER, 0);
	set(uart, UART_LCR, LCR_DLAB);
	set(uart, UART_DATA, DIVISOR_115200);
	set(uart, UART_IER, 0);
	set(uart, UART_LCR, LCR_8N1);
	set(uart, UART_FCR, FCR_ENABLE);
	set(uart, UART_MCR, MCR_SETUP);
	set(uart, UART_IER, IER_RX);
	return 0;
}

size_t uart16550_send(struct uart16550 *uart, const char *text, size_t length)
{
	size_t n;

	if (!uart->port)
		return length;
	if (!uart->room && get(uart, UART_LSR) & LSR_EMPTY)
		uart->room = UART16550_FIFO;
	n = MIN(length, uart->room);
	if (n == 1)
		set(uart, UART_DATA, (uint8_t)text[0]);
	else if (n)
		uart->ops->write_string(uart->ctx, uart->port, text, n);
	uart->room -= (uint8_t)n;
	return n;
}

bool uart16550_is_idle(struct uart16550 *uart)
{
	return !uart->port || get(uart, UART_LSR) & LSR_IDLE;
}

int uart16550_read(struct uart16550 *uart)
{
	if (!uart->port || !(get(uart, UART_LSR) & LSR_DATA))
		return -1;
	return get(uart, UART_DATA);
}
