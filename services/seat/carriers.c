/* SPDX-License-Identifier: BSD-2-Clause */
/* See carriers.h. */
#include "services/seat/carriers.h"

#include "include/errno.h"
#include "lib/user/gate_calls.h"

#define UART_PORT      0x2f8
#define UART_IRQ       1 /* of spec.irq */
#define DEVICE	       SEAT_DEVICE_CONSOLE
#define POLL_PERIOD_NS (10 * NSEC_PER_MS)
/* What one of them sends, and receives, before others have their turn. */
#define SEND_PIECE     2048
#define RECEIVE_PIECE  256
#define RELAX_NS       (100 * NSEC_PER_US)

/* ---- A virtio console ---------------------------------------------------- */

/* While it is reset, at seat's start.  Whatever comes meanwhile waits: each
 * event is told once, and interrupts are masked until they are acknowledged. */
static void relax(void *ctx)
{
	struct carriers *carriers = container_of((struct gate_function *)ctx,
						 struct carriers, function);
	uint64_t until_ns = gate_now_ns() + RELAX_NS;

	gate_timer(until_ns);
	while (gate_now_ns() < until_ns)
		carriers->events |= gate_wait();
}

static const struct pci_ops pci_ops = { PCI_GATE_OPS, .relax = relax };

static bool virtio_begin(struct carriers *carriers)
{
	const struct gate_device *device = &gate_config()->device[DEVICE];
	const struct dma_region memory = {
		.va = gate_device_dma(DEVICE),
		.address = device->dma_address,
		.size = device->dma_size,
	};

	if (!device->is_there)
		return false;
	carriers->function.n = DEVICE;
	carriers->pci = (struct pci_access){ &pci_ops, &carriers->function,
					     device->vector_count };
	gate_device_ack(DEVICE); /* its interrupts may come from now on */
	if (!virtio_console_start(&carriers->console, &carriers->pci, &memory))
		return true;
	gate_log(GATE_LOG_WARNING, "the virtio console is not used: it %s",
		 carriers->console.why);
	return false;
}

/* INTx stays up until the device's status was read. */
static void virtio_event(struct carriers *carriers, uint64_t events)
{
	struct carrier *carrier = &carriers->carrier[CARRIER_VIRTIO];

	if (events & BIT(GATE_EVENT_DEVICE_BIT(DEVICE)) &&
	    carriers->pci.vector_count)
		(void)gate_device_ack(DEVICE);
	carriers->is_again = virtio_console_poll(&carriers->console);
	if (carriers->is_again) {
		carrier->is_full = false;
		carrier->may_have = true;
	}
	if (events & BIT(GATE_EVENT_DEVICE_BIT(DEVICE)) &&
	    !carriers->pci.vector_count)
		(void)gate_device_ack(DEVICE);
	if (!carriers->console.why)
		return;
	gate_log(GATE_LOG_ERROR, "the virtio console %s",
		 carriers->console.why);
	carrier->is_there = false;
}

/* ---- Both kinds ---------------------------------------------------------- */

static size_t send(struct carriers *carriers, enum carrier_kind kind,
		   const void *bytes, size_t length)
{
	if (kind == CARRIER_UART)
		return uart16550_send(&carriers->uart, bytes, length);
	return virtio_console_send(&carriers->console, bytes, length);
}

static size_t receive(struct carriers *carriers, enum carrier_kind kind,
		      uint8_t *bytes, size_t size)
{
	size_t n = 0;

	if (kind == CARRIER_VIRTIO)
		return virtio_console_read(&carriers->console, bytes, size);
	while (n < size) {
		int byte = uart16550_read(&carriers->uart);

		if (byte < 0)
			break;
		bytes[n++] = (uint8_t)byte;
	}
	return n;
}

static void flush(struct carriers *carriers, enum carrier_kind kind)
{
	struct carrier *carrier = &carriers->carrier[kind];
	/* A buffer of the console's for each piece: no small ones. */
	size_t left = kind == CARRIER_UART ? SEND_PIECE : LINK_SEND_BUFFER;

	carrier->is_full = false;
	while (left) {
		size_t n;
		const void *bytes = link_pending(&carrier->remote.link, &n);

		if (!n)
			return;
		n = send(carriers, kind, bytes, MIN(n, left));
		if (!n)
			break;
		link_sent(&carrier->remote.link, n);
		left -= n;
	}
	carrier->is_full = true;
	carrier->room_ns = carriers->now_ns;
	if (left && kind == CARRIER_VIRTIO)
		carrier->room_ns = UINT64_MAX;
	else if (left)
		carrier->room_ns += MUX_PERIOD_NS;
}

/* An interrupt comes for what arrives, not for what is there. */
static void fill(struct carriers *carriers, enum carrier_kind kind)
{
	struct carrier *carrier = &carriers->carrier[kind];
	uint8_t bytes[RECEIVE_PIECE];
	size_t wants = MIN(link_wants(&carrier->remote.link), sizeof(bytes));
	size_t n = receive(carriers, kind, bytes, wants);

	link_received(&carrier->remote.link, bytes, n);
	carrier->may_have = n == wants;
}

static void carrier_run(struct carriers *carriers, enum carrier_kind kind)
{
	struct carrier *carrier = &carriers->carrier[kind];

	if (!carrier->is_full || carriers->now_ns >= carrier->room_ns)
		flush(carriers, kind);
	if (carrier->may_have || carrier->is_polling)
		fill(carriers, kind);
	remote_run(&carrier->remote, carriers->now_ns);
	carrier->remote.is_again |=
		carrier->may_have && link_wants(&carrier->remote.link);
}

void carriers_run(struct carriers *carriers, uint64_t events, uint64_t now_ns)
{
	carriers->now_ns = now_ns;
	carriers->is_again = false;
	if (events & BIT(GATE_EVENT_IRQ_BIT(UART_IRQ))) {
		carriers->carrier[CARRIER_UART].may_have = true;
		gate_irq_ack(UART_IRQ);
	}
	if (carriers->carrier[CARRIER_VIRTIO].is_there)
		virtio_event(carriers, events);
	/* Until init has said what they may, nobody is told that he may
	 * nothing. */
	if (!carriers->has_rights)
		return;
	for (unsigned i = 0; i < CARRIERS; i++)
		if (carriers->carrier[i].is_there)
			carrier_run(carriers, i);
}

bool carriers_flush(struct carriers *carriers)
{
	bool has_sent = false;

	for (unsigned i = 0; i < CARRIERS; i++) {
		struct carrier *carrier = &carriers->carrier[i];
		uint32_t before = carrier->remote.link.tail;

		if (!carrier->is_there || carrier->is_full)
			continue;
		flush(carriers, i);
		has_sent |= carrier->remote.link.tail != before;
	}
	return has_sent;
}

uint64_t carriers_deadline(const struct carriers *carriers)
{
	uint64_t deadline_ns = UINT64_MAX;

	if (carriers->is_again)
		return carriers->now_ns;
	for (unsigned i = 0; i < CARRIERS; i++) {
		const struct carrier *carrier = &carriers->carrier[i];

		if (!carrier->is_there)
			continue;
		if (carrier->is_full)
			deadline_ns = MIN(deadline_ns, carrier->room_ns);
		if (carrier->is_polling)
			deadline_ns = MIN(deadline_ns,
					  carriers->now_ns + POLL_PERIOD_NS);
		deadline_ns =
			MIN(deadline_ns, remote_deadline(&carrier->remote,
							 carriers->now_ns));
	}
	return deadline_ns;
}

/* ---- Life ---------------------------------------------------------------- */

void carriers_rights(struct carriers *carriers, uint32_t rights)
{
	carriers->has_rights = true;
	for (unsigned i = 0; i < CARRIERS; i++)
		carriers->carrier[i].remote.rights = rights;
}

void carriers_init(struct carriers *carriers, const struct port_ops *ports,
		   struct mux *mux, struct faces *faces, struct asks *asks,
		   struct ports *nets)
{
	struct carrier *uart = &carriers->carrier[CARRIER_UART];

	for (unsigned i = 0; i < CARRIERS; i++)
		remote_init(&carriers->carrier[i].remote, mux, faces, asks,
			    nets);
	uart->is_there =
		!uart16550_init(&carriers->uart, ports, NULL, UART_PORT);
	uart->is_polling = uart->is_there && gate_irq_ack(UART_IRQ) < 0;
	uart->may_have = true; /* from before its interrupt could come */
	carriers->carrier[CARRIER_VIRTIO].is_there = virtio_begin(carriers);
}

void carriers_heard(struct carriers *carriers, unsigned slot, const char *bytes,
		    size_t length)
{
	for (unsigned i = 0; i < CARRIERS; i++)
		if (carriers->carrier[i].is_there)
			remote_heard(&carriers->carrier[i].remote, slot, bytes,
				     length);
}

void carriers_gone(struct carriers *carriers, unsigned slot)
{
	for (unsigned i = 0; i < CARRIERS; i++)
		remote_gone(&carriers->carrier[i].remote, slot);
}
