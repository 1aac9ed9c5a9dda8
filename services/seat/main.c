/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service `seat`: the host's serial ports and who uses them.  This file is
 * the gate's end of it: ports, doorbells, the loop of events.
 *
 *	mux.c		the multiplexed console: turns, UART, input
 *	sources.c	rings of consoles, the monitor's log
 *	rows.c		what is shown
 *	terminal.c	what of it may reach a terminal
 *	control.c	init's messages
 *	faces.c		screens and keys of machines
 *	ports.c		networks of clients
 *	remote.c	the control protocol, and more: remote.h
 *	carriers.c	what it is carried by
 *	sockets.c	guests that speak it
 *	desk.c, local.c	the person at the machine
 *
 * Rights and resources: GATE_RIGHT_LOG; port[0] and irq[0] are the console's
 * UART, port[1], irq[1] and device[0], if it is there, the control protocol's;
 * slot 0 init's channel, those from SEAT_PORT_SLOT on ports of networks, the
 * others consoles.
 */
#include "drivers/uart16550.h"
#include "include/errno.h"
#include "include/seat.h"
#include "lib/user/gate_calls.h"
#include "lib/user/vsock_ways.h"
#include "services/seat/carriers.h"
#include "services/seat/control.h"
#include "services/seat/local.h"
#include "services/seat/mux.h"
#include "services/seat/sockets.h"

#define UART_PORT      0x3f8
#define UART_IRQ       0 /* of spec.irq */
#define POLL_PERIOD_NS (10 * NSEC_PER_MS)
/* What goes out to a client before others have their turn. */
#define REMOTE_PIECE   2048

struct seat {
	struct uart16550 uart;
	struct mux mux;
	struct control control;
	bool is_polling; /* the UART has no interrupt */
	uint64_t poll_ns;
	uint64_t timer_ns; /* what the monitor was told */

	struct faces faces;
	struct ports ports;
	struct carriers carriers;
	struct vsock_ways ways;
	struct sockets sockets;
	struct local local;
};

/* The program's only instance; each program has its own data. */
static struct seat seat;

void program_main(unsigned thread);

/* ---- Ports -------------------------------------------------------------- */

static uint8_t port_read(void *ctx, uint16_t port)
{
	(void)ctx;
	return (uint8_t)gate_port_read(port, 1);
}

static void port_write(void *ctx, uint16_t port, uint8_t value)
{
	(void)ctx;
	gate_port_write(port, 1, value);
}

static void port_write_string(void *ctx, uint16_t port, const char *bytes,
			      size_t length)
{
	(void)ctx;
	gate_port_write_string(port, bytes, length);
}

static const struct port_ops port_ops = {
	.read = port_read,
	.write = port_write,
	.write_string = port_write_string,
};

/* ---- What the mux and control stand on ---------------------------------- */

static size_t send(void *ctx, const char *bytes, size_t length)
{
	return uart16550_send(&((struct seat *)ctx)->uart, bytes, length);
}

static int receive(void *ctx)
{
	return uart16550_read(&((struct seat *)ctx)->uart);
}

static bool is_idle(void *ctx)
{
	return uart16550_is_idle(&((struct seat *)ctx)->uart);
}

static long log_read(void *ctx, char *text, size_t size)
{
	(void)ctx;
	return gate_log_read(text, size);
}

static void doorbell(void *ctx, unsigned slot)
{
	(void)ctx;
	gate_doorbell(slot); /* -EPIPE: it has ended; init will say so */
}

static struct seat_console *channel(void *ctx, unsigned slot)
{
	(void)ctx;
	if (gate_channel_state(slot) <= GATE_CHANNEL_NONE)
		return NULL;
	return gate_channel(slot);
}

static void detach(void *ctx, unsigned slot)
{
	(void)ctx;
	gate_channel_detach(slot);
}

static void heard(void *ctx, unsigned slot, const char *bytes, size_t length)
{
	struct seat *owner = ctx;

	carriers_heard(&owner->carriers, slot, bytes, length);
	sockets_heard(&owner->sockets, slot, bytes, length);
	desk_heard(&owner->local.desk, slot, bytes, length);
}

static void opened(void *ctx, unsigned slot, struct seat_console *memory)
{
	struct seat *owner = ctx;

	faces_open(&owner->faces, slot, memory);
	desk_opened(&owner->local.desk, slot);
}

static void closed(void *ctx, unsigned slot)
{
	struct seat *owner = ctx;

	carriers_gone(&owner->carriers, slot);
	sockets_gone(&owner->sockets, slot);
	desk_gone(&owner->local.desk, slot);
	faces_close(&owner->faces, slot);
}

static const struct mux_ops mux_ops = {
	.uart_send = send,
	.uart_read = receive,
	.uart_is_idle = is_idle,
	.log_read = log_read,
	.doorbell = doorbell,
	.heard = heard,
};

static void rights(void *ctx, const struct seat_message *message)
{
	struct seat *owner = ctx;

	if (message->slot < SEAT_SOCKET_SLOT)
		carriers_rights(&owner->carriers, message->rights);
	else
		sockets_rights(&owner->sockets, message);
}

static void button(void *ctx, unsigned slot)
{
	faces_button(&((struct seat *)ctx)->faces, slot);
}

static const struct control_ops control_ops = {
	.channel = channel,
	.detach = detach,
	.doorbell = doorbell,
	.opened = opened,
	.closed = closed,
	.button = button,
	.rights = rights,
};

static struct switch_channel *port_channel(void *ctx, unsigned slot)
{
	(void)ctx;
	if (gate_channel_state(slot) <= GATE_CHANNEL_NONE)
		return NULL;
	return gate_channel(slot);
}

static uint64_t host_time_ns(void *ctx)
{
	(void)ctx;
	return gate_host_ns();
}

static const struct ports_ops ports_ops = {
	.channel = port_channel,
	.detach = detach,
	.doorbell = doorbell,
	.time_ns = host_time_ns,
};

/* ---- Sockets ------------------------------------------------------------- */

static void denied(void *ctx, const char *text)
{
	(void)ctx;
	gate_log(GATE_LOG_WARNING, "%s", text);
}

static const struct sockets_ops sockets_ops = { .denied = denied };

/* Those that init has attached, from the first slot on. */
static void sockets_begin(void)
{
	vsock_ways_init(&seat.ways, SEAT_SOCKET_SLOT, VSOCK_CID_HOST);
	sockets_init(&seat.sockets, &sockets_ops, &seat, &seat.ways.backend);
	for (unsigned n = 0;
	     n < SEAT_SOCKETS &&
	     gate_channel_state(SEAT_SOCKET_SLOT + n) > GATE_CHANNEL_NONE;
	     n++) {
		vsock_ways_add(&seat.ways, 0, 1);
		sockets_add(&seat.sockets, (void *)SEAT_SOCKET_VA(n), &seat.mux,
			    &seat.faces, &seat.control.asks, &seat.ports);
	}
}

static void sockets_events(uint64_t events)
{
	for (unsigned n = 0; n < seat.sockets.count; n++)
		if (events & BIT(GATE_EVENT_CHANNEL_BIT(SEAT_SOCKET_SLOT + n)))
			vsock_ways_event(&seat.ways, n);
}

/* ---- Events ------------------------------------------------------------- */

static void timer_set(uint64_t deadline_ns)
{
	if (seat.timer_ns == deadline_ns)
		return;
	seat.timer_ns = deadline_ns;
	gate_timer(deadline_ns);
}

static uint64_t deadline(void)
{
	uint64_t deadline_ns = mux_deadline(&seat.mux);

	if (seat.control.is_again)
		return seat.mux.now_ns;
	if (seat.is_polling)
		deadline_ns = MIN(deadline_ns, seat.poll_ns);
	if (seat.faces.is_again)
		return seat.mux.now_ns;
	deadline_ns =
		MIN(deadline_ns, local_deadline(&seat.local, seat.mux.now_ns));
	deadline_ns = MIN(deadline_ns, sockets_deadline(&seat.sockets));
	return MIN(deadline_ns, carriers_deadline(&seat.carriers));
}

/*
 * The receiver's interrupt comes by an edge, which is lost while it is masked:
 * unmask first, then read until nothing is there.
 */
static void uart_check(uint64_t events, uint64_t now_ns)
{
	if (events & BIT(GATE_EVENT_IRQ_BIT(UART_IRQ)))
		gate_irq_ack(UART_IRQ);
	else if (!seat.is_polling || now_ns < seat.poll_ns)
		return;
	if (seat.is_polling)
		seat.poll_ns = now_ns + POLL_PERIOD_NS;
	mux_input(&seat.mux, now_ns);
}

static void events_handle(uint64_t events)
{
	uint64_t channels = events >> GATE_EVENT_CHANNEL_BIT(0);
	uint64_t now_ns = gate_now_ns();

	if (events & BIT(GATE_EVENT_TIMER_BIT))
		seat.timer_ns = UINT64_MAX;
	if (events & BIT(GATE_EVENT_LOG_BIT))
		mux_log(&seat.mux);
	if (channels & BIT(SEAT_CONTROL_SLOT) || seat.control.is_again)
		control_read(&seat.control);
	for (; channels; channels &= channels - 1)
		for (unsigned slot = (unsigned)__builtin_ctzll(channels);
		     slot < GATE_CHANNELS_MAX; slot += GATE_CHANNEL_EVENTS) {
			mux_ring(&seat.mux, slot);
			faces_ring(&seat.faces, slot);
		}
	carriers_run(&seat.carriers, events, now_ns);
	sockets_events(events);
	sockets_run(&seat.sockets, now_ns);
	local_run(&seat.local, events, now_ns);
	faces_run(&seat.faces);
	uart_check(events, now_ns);
	mux_run(&seat.mux, now_ns);
	ports_run(&seat.ports);
	control_answer(&seat.control);
	/* Pictures may have waited for room. */
	seat.faces.is_again |= carriers_flush(&seat.carriers);
	seat.faces.is_again |= sockets_flush(&seat.sockets);
	timer_set(deadline());
}

void program_main(unsigned thread)
{
	char nothing;

	(void)thread;
	/* The monitor leaves the UART alone from here on. */
	(void)gate_log_read(&nothing, 0);
	seat.timer_ns = UINT64_MAX;
	/* Without a UART all works, unseen. */
	(void)!uart16550_init(&seat.uart, &port_ops, NULL, UART_PORT);
	seat.is_polling = gate_irq_ack(UART_IRQ) < 0;
	mux_init(&seat.mux, &mux_ops, &seat);
	faces_init(&seat.faces, doorbell, &seat);
	ports_init(&seat.ports, &ports_ops, &seat, &seat.control.asks);
	carriers_init(&seat.carriers, &port_ops, &seat.mux, &seat.faces,
		      &seat.control.asks, &seat.ports);
	sockets_begin();
	local_init(&seat.local, &port_ops, &seat.mux, &seat.faces,
		   &seat.control.asks);
	control_init(&seat.control, &control_ops, &seat, &seat.mux,
		     gate_channel(SEAT_CONTROL_SLOT));
	control_read(&seat.control);
	mux_input(&seat.mux, gate_now_ns());
	sockets_events(UINT64_MAX);
	events_handle(seat.carriers.events);
	for (;;)
		events_handle(gate_wait());
}
