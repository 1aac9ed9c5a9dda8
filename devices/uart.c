/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 16550A.  See uart.h for what is modelled and what is not.
 *
 * References: National Semiconductor PC16550D data sheet (1995), "Registers"
 * and "FIFO Interrupt Mode Operation".
 */
#include "devices/uart.h"

#include "lib/string.h"

enum uart_register {
	UART_DATA = 0, /* RBR, THR; DLL when DLAB */
	UART_IER = 1,  /* DLM when DLAB */
	UART_IIR = 2,  /* FCR on writes */
	UART_LCR = 3,
	UART_MCR = 4,
	UART_LSR = 5,
	UART_MSR = 6,
	UART_SCR = 7,
};

/* clang-format off */
#define IER_DATA	BIT(0)
#define IER_THRE	BIT(1)
#define IER_LINE	BIT(2)
#define IER_MODEM	BIT(3)
#define IER_WRITABLE	MASK(3, 0)

#define IIR_NONE	BIT(0)
#define IIR_ID		MASK(3, 0)
#define   IIR_MODEM	0x0
#define   IIR_THRE	0x2
#define   IIR_DATA	0x4
#define   IIR_LINE	0x6
#define   IIR_TIMEOUT	0xc
#define IIR_FIFO	MASK(7, 6)

#define FCR_ENABLE		BIT(0)
#define FCR_CLEAR_RECEIVE	BIT(1)
#define FCR_TRIGGER		MASK(7, 6)
#define FCR_KEPT		(FCR_ENABLE | BIT(3) | FCR_TRIGGER)

#define LCR_LENGTH	MASK(1, 0)
#define LCR_STOP	BIT(2)
#define LCR_PARITY	BIT(3)
#define LCR_BREAK	BIT(6)
#define LCR_DLAB	BIT(7)

#define MCR_DTR		BIT(0)
#define MCR_RTS		BIT(1)
#define MCR_OUT1	BIT(2)
#define MCR_OUT2	BIT(3)
#define MCR_LOOP	BIT(4)
#define MCR_WRITABLE	MASK(4, 0)

#define LSR_DATA	BIT(0)
#define LSR_OVERRUN	BIT(1)
#define LSR_BREAK	BIT(4)
#define LSR_THRE	BIT(5)
#define LSR_TEMT	BIT(6)
#define LSR_FIFO_ERROR	BIT(7)
#define LSR_ERRORS	(LSR_OVERRUN | LSR_BREAK)

#define MSR_DELTA_CTS	BIT(0)
#define MSR_DELTA_DSR	BIT(1)
#define MSR_TRAILING_RI	BIT(2)
#define MSR_DELTA_DCD	BIT(3)
#define MSR_DELTAS	MASK(3, 0)
#define MSR_CTS		BIT(4)
#define MSR_DSR		BIT(5)
#define MSR_RI		BIT(6)
#define MSR_DCD		BIT(7)
#define MSR_LEVELS	MASK(7, 4)

#define ENTRY_BREAK	BIT(8)

#define BAUD_CLOCK_HZ	115200 /* divisor 1 */
/* clang-format on */

/* ---- Interrupts -------------------------------------------------------- */

static unsigned fifo_size(const struct uart *uart)
{
	return uart->fcr & FCR_ENABLE ? UART_FIFO : 1;
}

static unsigned trigger_level(const struct uart *uart)
{
	static const uint8_t levels[] = { 1, 4, 8, 14 };

	if (!(uart->fcr & FCR_ENABLE))
		return 1;
	return levels[FIELD_GET(FCR_TRIGGER, uart->fcr)];
}

static uint8_t interrupt_id(const struct uart *uart)
{
	if ((uart->ier & IER_LINE) && (uart->lsr & LSR_ERRORS))
		return IIR_LINE;
	if (uart->ier & IER_DATA) {
		if (uart->count >= trigger_level(uart))
			return IIR_DATA;
		if (uart->is_timeout_pending)
			return IIR_TIMEOUT;
	}
	if ((uart->ier & IER_THRE) && uart->is_thre_pending)
		return IIR_THRE;
	if ((uart->ier & IER_MODEM) && (uart->msr & MSR_DELTAS))
		return IIR_MODEM;
	return IIR_NONE;
}

static void update(struct uart *uart)
{
	bool level = interrupt_id(uart) != IIR_NONE &&
		     (uart->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

	if (level == uart->out_level)
		return;
	uart->out_level = level;
	irq_line_set(&uart->out, level);
}

/* ---- Receiver ---------------------------------------------------------- */

/* One character on the line, in nanoseconds: start, data, parity, stop. */
static uint64_t character_ns(const struct uart *uart)
{
	unsigned bits = 7 + (unsigned)FIELD_GET(LCR_LENGTH, uart->lcr) +
			!!(uart->lcr & LCR_STOP) + !!(uart->lcr & LCR_PARITY);
	unsigned divisor = uart->divisor ? uart->divisor : 1;

	return bits * divisor * (NSEC_PER_SEC / BAUD_CLOCK_HZ);
}

/* The timeout runs while there is data too little to trigger. */
static void restart_timeout(struct uart *uart)
{
	if (uart->count && (uart->fcr & FCR_ENABLE))
		clock_timer_arm(uart->clock, &uart->timeout,
				clock_now(uart->clock) +
					4 * character_ns(uart));
	else
		clock_timer_disarm(uart->clock, &uart->timeout);
}

static void timeout_expired(void *opaque)
{
	struct uart *uart = opaque;

	uart->is_timeout_pending = uart->count;
	update(uart);
}

/* A break reaches the line status register with the byte it came with. */
static void look_at_head(struct uart *uart)
{
	if (uart->count && (uart->fifo[uart->head] & ENTRY_BREAK)) {
		uart->fifo[uart->head] &= (uint16_t)~ENTRY_BREAK;
		uart->lsr |= LSR_BREAK;
	}
}

static void receive(struct uart *uart, uint16_t entry)
{
	if (uart->count == fifo_size(uart)) {
		uart->lsr |= LSR_OVERRUN;
		/* Without a FIFO the newcomer overwrites. */
		if (!(uart->fcr & FCR_ENABLE))
			uart->fifo[uart->head] = entry;
	} else {
		uart->fifo[(uart->head + uart->count) % UART_FIFO] = entry;
		uart->count++;
	}
	look_at_head(uart);
	restart_timeout(uart);
	update(uart);
}

void uart_receive(struct uart *uart, uint8_t byte)
{
	if (!(uart->mcr & MCR_LOOP))
		receive(uart, byte);
}

void uart_receive_break(struct uart *uart)
{
	if (!(uart->mcr & MCR_LOOP))
		receive(uart, ENTRY_BREAK);
}

unsigned uart_room(const struct uart *uart)
{
	return fifo_size(uart) - uart->count;
}

static uint8_t read_data(struct uart *uart)
{
	uint8_t byte = (uint8_t)uart->fifo[uart->head];

	if (!uart->count)
		return byte; /* the last one stays visible */
	uart->count--;
	if (uart->count)
		uart->head = (uart->head + 1) % UART_FIFO;
	uart->is_timeout_pending = false;
	look_at_head(uart);
	restart_timeout(uart);
	update(uart);
	if (!uart->count && uart->drained)
		uart->drained(uart->drained_ctx);
	return byte;
}

static void clear_receiver(struct uart *uart)
{
	uart->count = 0;
	uart->is_timeout_pending = false;
	restart_timeout(uart);
}

/* ---- Transmitter ------------------------------------------------------- */

static void write_data(struct uart *uart, uint8_t byte)
{
	/* Not empty for no time at all: an edge for the interrupt. */
	uart->is_thre_pending = false;
	update(uart);
	if (uart->mcr & MCR_LOOP)
		receive(uart, byte);
	else if (uart->backend.write)
		uart->backend.write(uart->backend.ctx, &byte, 1);
	uart->is_thre_pending = true;
	update(uart);
}

/* ---- Registers --------------------------------------------------------- */

static bool is_dlab(const struct uart *uart)
{
	return uart->lcr & LCR_DLAB;
}

static void write_ier(struct uart *uart, uint8_t value)
{
	uint8_t enabled = value & ~uart->ier;

	uart->ier = value & IER_WRITABLE;
	/* An empty transmitter is news to who has just begun to ask. */
	if (enabled & IER_THRE)
		uart->is_thre_pending = true;
}

static uint8_t read_iir(struct uart *uart)
{
	uint8_t id = interrupt_id(uart);

	if (id == IIR_THRE) {
		uart->is_thre_pending = false;
		update(uart);
	}
	return id | (uart->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static void write_fcr(struct uart *uart, uint8_t value)
{
	if (((value ^ uart->fcr) & FCR_ENABLE) || (value & FCR_CLEAR_RECEIVE))
		clear_receiver(uart);
	/* While disabled the other bits are not programmable. */
	uart->fcr = value & FCR_ENABLE ? value & FCR_KEPT : 0;
	if (!uart->count && uart->drained)
		uart->drained(uart->drained_ctx);
}

static void write_lcr(struct uart *uart, uint8_t value)
{
	bool began = (value & ~uart->lcr) & LCR_BREAK;

	uart->lcr = value;
	if (began && (uart->mcr & MCR_LOOP))
		receive(uart, ENTRY_BREAK);
}

static void set_modem_levels(struct uart *uart, uint8_t levels)
{
	uint8_t changed = (uart->msr ^ levels) & MSR_LEVELS;

	uart->msr = (uint8_t)((uart->msr & MSR_DELTAS) | levels);
	if (changed & MSR_CTS)
		uart->msr |= MSR_DELTA_CTS;
	if (changed & MSR_DSR)
		uart->msr |= MSR_DELTA_DSR;
	if (changed & ~levels & MSR_RI)
		uart->msr |= MSR_TRAILING_RI;
	if (changed & MSR_DCD)
		uart->msr |= MSR_DELTA_DCD;
}

static void write_mcr(struct uart *uart, uint8_t value)
{
	uint8_t levels = MSR_CTS | MSR_DSR | MSR_DCD;

	uart->mcr = value & MCR_WRITABLE;
	if (value & MCR_LOOP) {
		levels = 0;
		if (value & MCR_DTR)
			levels |= MSR_DSR;
		if (value & MCR_RTS)
			levels |= MSR_CTS;
		if (value & MCR_OUT1)
			levels |= MSR_RI;
		if (value & MCR_OUT2)
			levels |= MSR_DCD;
	}
	set_modem_levels(uart, levels);
}

static uint8_t read_lsr(struct uart *uart)
{
	uint8_t value = uart->lsr | LSR_THRE | LSR_TEMT;
	unsigned i;

	if (uart->count)
		value |= LSR_DATA;
	for (i = 0; i < uart->count; i++)
		if (uart->fifo[(uart->head + i) % UART_FIFO] & ENTRY_BREAK)
			value |= LSR_FIFO_ERROR;
	if (uart->lsr) {
		uart->lsr = 0;
		update(uart);
	}
	return value;
}

static uint8_t read_msr(struct uart *uart)
{
	uint8_t value = uart->msr;

	uart->msr &= MSR_LEVELS;
	update(uart);
	return value;
}

static uint8_t register_read(struct uart *uart, unsigned offset)
{
	switch ((enum uart_register)offset) {
	case UART_DATA:
		return is_dlab(uart) ? (uint8_t)uart->divisor : read_data(uart);
	case UART_IER:
		return is_dlab(uart) ? (uint8_t)(uart->divisor >> 8)
				     : uart->ier;
	case UART_IIR:
		return read_iir(uart);
	case UART_LCR:
		return uart->lcr;
	case UART_MCR:
		return uart->mcr;
	case UART_LSR:
		return read_lsr(uart);
	case UART_MSR:
		return read_msr(uart);
	case UART_SCR:
		return uart->scr;
	}
	return 0xff;
}

static void divisor_write(struct uart *uart, unsigned offset, uint8_t value)
{
	unsigned shift = 8 * offset;

	uart->divisor =
		(uint16_t)((uart->divisor & ~(0xff << shift)) | value << shift);
}

static void register_write(struct uart *uart, unsigned offset, uint8_t value)
{
	switch ((enum uart_register)offset) {
	case UART_DATA:
	case UART_IER:
		if (is_dlab(uart))
			divisor_write(uart, offset, value);
		else if (offset == UART_DATA)
			write_data(uart, value);
		else
			write_ier(uart, value);
		break;
	case UART_IIR:
		write_fcr(uart, value);
		break;
	case UART_LCR:
		write_lcr(uart, value);
		break;
	case UART_MCR:
		write_mcr(uart, value);
		break;
	case UART_LSR:
	case UART_MSR:
		break; /* for factory tests only */
	case UART_SCR:
		uart->scr = value;
		break;
	}
	update(uart);
}

static void register_access(void *opaque, struct io_access *io)
{
	struct uart *uart = opaque;

	if (io->is_write)
		register_write(uart, (unsigned)io->offset, (uint8_t)io->data);
	else
		io->data = register_read(uart, (unsigned)io->offset);
}

/* ---- Life -------------------------------------------------------------- */

void uart_reset(struct uart *uart)
{
	clear_receiver(uart);
	uart->head = 0;
	uart->fifo[0] = 0;
	uart->ier = 0;
	uart->fcr = 0;
	uart->lcr = 0;
	uart->mcr = 0;
	uart->lsr = 0;
	uart->msr = MSR_CTS | MSR_DSR | MSR_DCD;
	uart->divisor = 12; /* 9600 baud, as the BIOS would */
	uart->is_thre_pending = false;
	update(uart);
}

int uart_init(struct uart *uart, struct bus *ports, uint16_t port,
	      struct clock *clock, struct irq_line out,
	      struct char_backend backend)
{
	const struct io_region region = {
		.name = "uart",
		.base = port,
		.length = 8,
		.fn = register_access,
		.dev = uart,
		.width_max = 1,
	};

	memset(uart, 0, sizeof(*uart));
	uart->clock = clock;
	uart->out = out;
	uart->backend = backend;
	uart->timeout.expired = timeout_expired;
	uart->timeout.dev = uart;
	uart_reset(uart);
	return bus_add(ports, &region);
}
