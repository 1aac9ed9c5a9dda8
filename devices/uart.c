/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 16550A.  See uart.h for what is modelled and what is not.
 *
 * References: National Semiconductor PC16550D data sheet (1995), "Registers"
 * and "FIFO Interrupt Mode Operation".
 */
#include "devices/uart.h"

#include "devices/state.h"
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
	return uart->state.fcr & FCR_ENABLE ? UART_FIFO : 1;
}

static unsigned trigger_level(const struct uart *uart)
{
	static const uint8_t levels[] = { 1, 4, 8, 14 };

	if (!(uart->state.fcr & FCR_ENABLE))
		return 1;
	return levels[FIELD_GET(FCR_TRIGGER, uart->state.fcr)];
}

static uint8_t interrupt_id(const struct uart *uart)
{
	if ((uart->state.ier & IER_LINE) && (uart->state.lsr & LSR_ERRORS))
		return IIR_LINE;
	if (uart->state.ier & IER_DATA) {
		if (uart->state.count >= trigger_level(uart))
			return IIR_DATA;
		if (uart->state.is_timeout_pending)
			return IIR_TIMEOUT;
	}
	if ((uart->state.ier & IER_THRE) && uart->state.is_thre_pending)
		return IIR_THRE;
	if ((uart->state.ier & IER_MODEM) && (uart->state.msr & MSR_DELTAS))
		return IIR_MODEM;
	return IIR_NONE;
}

static void update(struct uart *uart)
{
	bool level = interrupt_id(uart) != IIR_NONE;

	if (level == uart->state.out_level)
		return;
	uart->state.out_level = level;
	irq_line_set(&uart->out, level);
}

/* ---- Receiver ---------------------------------------------------------- */

/* One character on the line, in nanoseconds: start, data, parity, stop. */
static uint64_t character_ns(const struct uart *uart)
{
	unsigned bits = 7 + (unsigned)FIELD_GET(LCR_LENGTH, uart->state.lcr) +
			!!(uart->state.lcr & LCR_STOP) +
			!!(uart->state.lcr & LCR_PARITY);
	unsigned divisor = uart->state.divisor ? uart->state.divisor : 1;

	return bits * divisor * (NSEC_PER_SEC / BAUD_CLOCK_HZ);
}

/* The timeout runs while there is data too little to trigger. */
static void restart_timeout(struct uart *uart)
{
	if (uart->state.count && (uart->state.fcr & FCR_ENABLE))
		clock_timer_arm(uart->clock, &uart->timeout,
				clock_now(uart->clock) +
					4 * character_ns(uart));
	else
		clock_timer_disarm(uart->clock, &uart->timeout);
}

static void timeout_expired(void *opaque)
{
	struct uart *uart = opaque;

	uart->state.is_timeout_pending = uart->state.count;
	update(uart);
}

/* A break reaches the line status register with the byte it came with. */
static void look_at_head(struct uart *uart)
{
	if (uart->state.count &&
	    (uart->state.fifo[uart->state.head] & ENTRY_BREAK)) {
		uart->state.fifo[uart->state.head] &= (uint16_t)~ENTRY_BREAK;
		uart->state.lsr |= LSR_BREAK;
	}
}

static void receive(struct uart *uart, uint16_t entry)
{
	if (uart->state.count == fifo_size(uart)) {
		uart->state.lsr |= LSR_OVERRUN;
		/* Without a FIFO the newcomer overwrites. */
		if (!(uart->state.fcr & FCR_ENABLE))
			uart->state.fifo[uart->state.head] = entry;
	} else {
		uart->state.fifo[(uart->state.head + uart->state.count) %
				 UART_FIFO] = entry;
		uart->state.count++;
	}
	look_at_head(uart);
	restart_timeout(uart);
	update(uart);
}

void uart_receive(struct uart *uart, uint8_t byte)
{
	if (!(uart->state.mcr & MCR_LOOP))
		receive(uart, byte);
}

void uart_receive_break(struct uart *uart)
{
	if (!(uart->state.mcr & MCR_LOOP))
		receive(uart, ENTRY_BREAK);
}

unsigned uart_room(const struct uart *uart)
{
	return fifo_size(uart) - uart->state.count;
}

static uint8_t read_data(struct uart *uart)
{
	uint8_t byte = (uint8_t)uart->state.fifo[uart->state.head];

	if (!uart->state.count)
		return byte; /* the last one stays visible */
	uart->state.count--;
	if (uart->state.count)
		uart->state.head = (uart->state.head + 1) % UART_FIFO;
	uart->state.is_timeout_pending = false;
	look_at_head(uart);
	restart_timeout(uart);
	update(uart);
	if (!uart->state.count && uart->drained)
		uart->drained(uart->drained_ctx);
	return byte;
}

static void clear_receiver(struct uart *uart)
{
	uart->state.count = 0;
	uart->state.is_timeout_pending = false;
	restart_timeout(uart);
}

/* ---- Transmitter ------------------------------------------------------- */

static void say_empty(struct uart *uart)
{
	uart->state.row = 0;
	clock_timer_disarm(uart->clock, &uart->empty);
	uart->state.is_thre_pending = true;
	update(uart);
}

static void empty_expired(void *opaque)
{
	say_empty(opaque);
}

/* More may follow that one interrupt is enough for. */
static bool is_row_open(struct uart *uart, uint32_t count)
{
	if (!(uart->state.fcr & FCR_ENABLE) || !(uart->state.ier & IER_THRE) ||
	    (uart->state.mcr & MCR_LOOP) ||
	    count >= UART_FIFO - (unsigned)uart->state.row)
		return false;
	uart->state.row = (uint8_t)(uart->state.row + count);
	if (!uart->empty.is_armed)
		clock_timer_arm(uart->clock, &uart->empty,
				clock_now(uart->clock) + character_ns(uart));
	return true;
}

static void write_data(struct uart *uart, const uint8_t *bytes, uint32_t count)
{
	/* Not empty for no time at all: an edge for the interrupt. */
	uart->state.is_thre_pending = false;
	update(uart);
	if (uart->state.mcr & MCR_LOOP)
		for (uint32_t i = 0; i < count; i++)
			receive(uart, bytes[i]);
	else if (uart->backend.write)
		uart->backend.write(uart->backend.ctx, bytes, count);
	if (!is_row_open(uart, count))
		say_empty(uart);
}

/* ---- Registers --------------------------------------------------------- */

static bool is_dlab(const struct uart *uart)
{
	return uart->state.lcr & LCR_DLAB;
}

static void write_ier(struct uart *uart, uint8_t value)
{
	uint8_t enabled = value & ~uart->state.ier;

	uart->state.ier = value & IER_WRITABLE;
	/* An empty transmitter is news to who has just begun to ask. */
	if (enabled & IER_THRE)
		uart->state.is_thre_pending = true;
}

static uint8_t read_iir(struct uart *uart)
{
	uint8_t id = interrupt_id(uart);

	if (id == IIR_THRE) {
		uart->state.is_thre_pending = false;
		update(uart);
	}
	return id | (uart->state.fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static void write_fcr(struct uart *uart, uint8_t value)
{
	/* Without the enable bit the other bits do nothing. */
	if (((value ^ uart->state.fcr) & FCR_ENABLE) ||
	    (value & (FCR_ENABLE | FCR_CLEAR_RECEIVE)) ==
		    (FCR_ENABLE | FCR_CLEAR_RECEIVE))
		clear_receiver(uart);
	uart->state.fcr = value & FCR_ENABLE ? value & FCR_KEPT : 0;
	if (!uart->state.count && uart->drained)
		uart->drained(uart->drained_ctx);
}

static void write_lcr(struct uart *uart, uint8_t value)
{
	bool began = (value & ~uart->state.lcr) & LCR_BREAK;

	uart->state.lcr = value;
	if (began && (uart->state.mcr & MCR_LOOP))
		receive(uart, ENTRY_BREAK);
}

static void set_modem_levels(struct uart *uart, uint8_t levels)
{
	uint8_t changed = (uart->state.msr ^ levels) & MSR_LEVELS;

	uart->state.msr = (uint8_t)((uart->state.msr & MSR_DELTAS) | levels);
	if (changed & MSR_CTS)
		uart->state.msr |= MSR_DELTA_CTS;
	if (changed & MSR_DSR)
		uart->state.msr |= MSR_DELTA_DSR;
	if (changed & ~levels & MSR_RI)
		uart->state.msr |= MSR_TRAILING_RI;
	if (changed & MSR_DCD)
		uart->state.msr |= MSR_DELTA_DCD;
}

static void write_mcr(struct uart *uart, uint8_t value)
{
	uint8_t levels = MSR_CTS | MSR_DSR | MSR_DCD;

	uart->state.mcr = value & MCR_WRITABLE;
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
	uint8_t value = uart->state.lsr | LSR_THRE | LSR_TEMT;
	unsigned i;

	if (uart->state.count)
		value |= LSR_DATA;
	for (i = 0; i < uart->state.count; i++)
		if (uart->state.fifo[(uart->state.head + i) % UART_FIFO] &
		    ENTRY_BREAK)
			value |= LSR_FIFO_ERROR;
	if (uart->state.lsr) {
		uart->state.lsr = 0;
		update(uart);
	}
	return value;
}

static uint8_t read_msr(struct uart *uart)
{
	uint8_t value = uart->state.msr;

	uart->state.msr &= MSR_LEVELS;
	update(uart);
	return value;
}

static uint8_t register_read(struct uart *uart, unsigned offset)
{
	switch ((enum uart_register)offset) {
	case UART_DATA:
		return is_dlab(uart) ? (uint8_t)uart->state.divisor
				     : read_data(uart);
	case UART_IER:
		return is_dlab(uart) ? (uint8_t)(uart->state.divisor >> 8)
				     : uart->state.ier;
	case UART_IIR:
		return read_iir(uart);
	case UART_LCR:
		return uart->state.lcr;
	case UART_MCR:
		return uart->state.mcr;
	case UART_LSR:
		return read_lsr(uart);
	case UART_MSR:
		return read_msr(uart);
	case UART_SCR:
		return uart->state.scr;
	}
	return 0xff;
}

static void divisor_write(struct uart *uart, unsigned offset, uint8_t value)
{
	unsigned shift = 8 * offset;

	uart->state.divisor =
		(uint16_t)((uart->state.divisor & ~(0xff << shift)) |
			   value << shift);
}

static void register_write(struct uart *uart, unsigned offset, uint8_t value)
{
	switch ((enum uart_register)offset) {
	case UART_DATA:
	case UART_IER:
		if (is_dlab(uart))
			divisor_write(uart, offset, value);
		else if (offset == UART_DATA)
			write_data(uart, &value, 1);
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
		uart->state.scr = value;
		break;
	}
	update(uart);
}

static void register_access(void *opaque, struct io_access *io)
{
	struct uart *uart = opaque;

	if (uart->state.row &&
	    !(io->is_write && io->offset == UART_DATA && !is_dlab(uart)))
		say_empty(uart);
	if (io->is_write)
		register_write(uart, (unsigned)io->offset, (uint8_t)io->data);
	else
		io->data = register_read(uart, (unsigned)io->offset);
}

/* OUTSB: as one byte after the other, with one edge for all. */
static uint32_t register_bulk(void *opaque, struct io_access *io, void *buf,
			      uint32_t count)
{
	struct uart *uart = opaque;

	if (!io->is_write || io->offset != UART_DATA || is_dlab(uart))
		return 0;
	write_data(uart, buf, count);
	return count;
}

/* ---- State ------------------------------------------------------------- */

#define DIVISOR_9600 12 /* as the BIOS would leave it */

static const struct state_field fields[] = {
	STATE_VALUE(struct uart_state, timeout_ns, .reset = CLOCK_NEVER),
	STATE_VALUE(struct uart_state, empty_ns, .reset = CLOCK_NEVER),
	STATE_ARRAY(struct uart_state, fifo),
	STATE_VALUE(struct uart_state, divisor, .reset = DIVISOR_9600),
	STATE_VALUE(struct uart_state, head, .max = UART_FIFO - 1),
	STATE_VALUE(struct uart_state, count, .max = UART_FIFO),
	STATE_VALUE(struct uart_state, ier),
	STATE_VALUE(struct uart_state, fcr),
	STATE_VALUE(struct uart_state, lcr),
	STATE_VALUE(struct uart_state, mcr),
	STATE_VALUE(struct uart_state, lsr),
	STATE_VALUE(struct uart_state, msr,
		    .reset = MSR_CTS | MSR_DSR | MSR_DCD),
	STATE_VALUE(struct uart_state, scr, .flags = STATE_KEPT),
	STATE_VALUE(struct uart_state, is_thre_pending),
	STATE_VALUE(struct uart_state, is_timeout_pending),
	STATE_VALUE(struct uart_state, out_level),
	STATE_VALUE(struct uart_state, row, .max = UART_FIFO - 1),
	STATE_RESERVED(struct uart_state, reserved),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct uart_state, fields);

static void tell_out(void *opaque)
{
	struct uart *uart = opaque;

	irq_line_set(&uart->out, uart->state.out_level);
}

/* More than the FIFO holds would be room for less than nothing; a row that no
 * timer ends would have no interrupt. */
static bool is_valid(const void *dev, const void *opaque, uint64_t now_ns)
{
	const struct uart_state *state = opaque;

	(void)dev;
	(void)now_ns;
	return (state->count <= 1 || (state->fcr & FCR_ENABLE)) &&
	       !state->row == (state->empty_ns == CLOCK_NEVER);
}

const struct device_ops uart_ops = {
	.name = "uart",
	.version = 2,
	.state = &description,
	.reset = tell_out,
	.restored = tell_out,
	.is_valid = is_valid,
};

/* ---- Life -------------------------------------------------------------- */

void uart_reset(struct uart *uart)
{
	device_reset(&uart->device);
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
		.bulk = register_bulk,
		.dev = uart,
		.width_max = 1,
	};

	memset(uart, 0, sizeof(*uart));
	uart->clock = clock;
	uart->out = out;
	uart->backend = backend;
	device_init(&uart->device, &uart_ops, uart, &uart->state);
	device_timer_init(&uart->device, clock, &uart->timeout, timeout_expired,
			  uart, &uart->state.timeout_ns);
	device_timer_init(&uart->device, clock, &uart->empty, empty_expired,
			  uart, &uart->state.empty_ns);
	return bus_add(ports, &region);
}
