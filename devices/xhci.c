/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xHCI's registers and ports, and when its work is done.  See xhci.h for what
 * is modelled and what is not.
 */
#include "devices/xhci.h"

#include "devices/xhci_internal.h"
#include "include/errno.h"
#include "lib/string.h"

#define STEPS	      256 /* packets and commands at once */
#define MORE_NS	      (50 * NSEC_PER_US)
#define MICROFRAME_NS (125 * NSEC_PER_US)

/* ---- Interrupts --------------------------------------------------------- */

bool xhci_level_of(const struct xhci_state *state)
{
	return state->iman & XHCI_IMAN_PENDING &&
	       state->iman & XHCI_IMAN_ENABLE && state->command & XHCI_INTE;
}

void xhci_interrupt_update(struct xhci *xhci)
{
	pci_intx_set(&xhci->pci, xhci_level_of(&xhci->state));
}

/* ---- Work --------------------------------------------------------------- */

/* False: there are none that the driver has not been told of. */
static bool port_event_send(struct xhci *xhci)
{
	uint16_t *ports = &xhci->state.port_events;
	unsigned port;

	if (!*ports)
		return false;
	port = (unsigned)__builtin_ctz(*ports);
	*ports &= (uint16_t)(*ports - 1);
	xhci->state.status |= XHCI_PORT_CHANGE;
	xhci_event(xhci, XHCI_PORT_EVENT, XHCI_SUCCESS,
		   ((uint64_t)port + 1) << 24, 0, 0);
	return true;
}

static bool command_step(struct xhci *xhci)
{
	struct xhci_state *state = &xhci->state;

	if (!state->is_command_pending || !state->is_command_running)
		return false;
	state->is_command_pending = xhci_command_run(xhci);
	return true;
}

/* Of all endpoints that are pending a step each, so that none waits for the
 * others' end; how many there were. */
static unsigned endpoints_step(struct xhci *xhci)
{
	unsigned steps = 0;

	for (unsigned slot = 0; slot < XHCI_SLOTS; slot++) {
		uint32_t pending = xhci->state.slot[slot].pending;

		for (; pending; pending &= pending - 1) {
			unsigned index = (unsigned)__builtin_ctz(pending);

			if (!xhci_events_have_room(xhci))
				return steps;
			/* What the device says meanwhile counts. */
			xhci->state.slot[slot].pending &= ~(uint32_t)BIT(index);
			if (xhci_transfer_step(xhci, slot, index))
				xhci->state.slot[slot].pending |=
					(uint32_t)BIT(index);
			steps++;
		}
	}
	return steps;
}

static bool is_halted(const struct xhci *xhci)
{
	return xhci->state.status & XHCI_HALTED || !pci_is_master(&xhci->pci);
}

static bool has_work(const struct xhci *xhci)
{
	const struct xhci_state *state = &xhci->state;
	uint32_t pending = state->port_events;

	for (unsigned i = 0; i < XHCI_SLOTS; i++)
		pending |= state->slot[i].pending;
	return pending ||
	       (state->is_command_pending && state->is_command_running);
}

void xhci_run(struct xhci *xhci)
{
	unsigned steps = 0;
	bool has_room = true;

	if (xhci->is_running || is_halted(xhci))
		return;
	xhci->is_running = true;
	while (steps < STEPS && has_work(xhci)) {
		has_room = xhci_events_have_room(xhci);
		if (!has_room)
			break;
		steps++;
		if (port_event_send(xhci) || command_step(xhci))
			continue;
		steps += endpoints_step(xhci);
	}
	xhci->is_running = false;
	if (has_room && has_work(xhci))
		clock_timer_arm(xhci->config.clock, &xhci->more,
				clock_now(xhci->config.clock) + MORE_NS);
}

static void more_expired(void *dev)
{
	xhci_run(dev);
}

/* ---- Ports -------------------------------------------------------------- */

static void link_set(uint32_t *port, unsigned link)
{
	*port &= (uint32_t)~XHCI_PORT_LINK;
	*port |= (uint32_t)FIELD_PUT(XHCI_PORT_LINK, link);
}

static void port_change(struct xhci *xhci, unsigned i, uint32_t change)
{
	uint32_t *port = &xhci->state.port[i];

	if (!(*port & change))
		xhci->state.port_events |= (uint16_t)BIT(i);
	*port |= change;
}

static void port_reset(struct xhci *xhci, unsigned i)
{
	struct usb_device *dev = xhci_port_device(xhci, i);
	uint32_t *port = &xhci->state.port[i];

	if (!dev)
		return;
	dev->speed = USB_SPEED_HIGH;
	usb_bus_reset(dev);
	*port |= XHCI_PORT_ENABLED;
	link_set(port, XHCI_LINK_U0);
	port_change(xhci, i, XHCI_PORT_PRC);
}

static void port_disable(struct xhci *xhci, unsigned i)
{
	xhci->state.port[i] &= (uint32_t)~XHCI_PORT_ENABLED;
	link_set(&xhci->state.port[i], XHCI_LINK_POLLING);
}

static void ports_init(struct xhci *xhci)
{
	for (unsigned i = 0; i < XHCI_PORTS; i++) {
		uint32_t *port = &xhci->state.port[i];

		*port = XHCI_PORT_POWER;
		link_set(port, XHCI_LINK_DETECT);
		if (!xhci_port_device(xhci, i))
			continue;
		xhci->config.port[i]->speed = USB_SPEED_HIGH;
		usb_bus_reset(xhci->config.port[i]);
		*port |= XHCI_PORT_CONNECTED |
			 (uint32_t)FIELD_PUT(XHCI_PORT_SPEED, XHCI_SPEED_HIGH);
		link_set(port, XHCI_LINK_POLLING);
		port_change(xhci, i, XHCI_PORT_CSC);
	}
}

/* Both directions of an endpoint, or all: which one it is a doorbell tells as
 * well. */
static void port_kick(struct xhci *xhci, unsigned port, uint32_t endpoints)
{
	for (unsigned i = 0; i < XHCI_SLOTS; i++) {
		struct xhci_slot *slot = &xhci->state.slot[i];

		for (unsigned k = 1; k < XHCI_ENDPOINTS; k++)
			if (slot->port == port + 1 && endpoints & BIT(k) &&
			    slot->endpoint[k].state == XHCI_EP_RUNNING)
				slot->pending |= (uint32_t)BIT(k);
	}
}

/* What has been waited for meanwhile goes on. */
static void port_resumed(struct xhci *xhci, unsigned i)
{
	link_set(&xhci->state.port[i], XHCI_LINK_U0);
	port_change(xhci, i, XHCI_PORT_PLC);
	port_kick(xhci, i, UINT32_MAX);
}

static void link_write(struct xhci *xhci, unsigned i, unsigned link)
{
	uint32_t *port = &xhci->state.port[i];
	unsigned now = (unsigned)FIELD_GET(XHCI_PORT_LINK, *port);

	if (!(*port & XHCI_PORT_ENABLED))
		return;
	if (link == XHCI_LINK_U3 && now == XHCI_LINK_U0)
		link_set(port, XHCI_LINK_U3);
	else if (link == XHCI_LINK_RESUME && now == XHCI_LINK_U3)
		link_set(port, XHCI_LINK_RESUME);
	else if (link == XHCI_LINK_U0 && now != XHCI_LINK_U0)
		port_resumed(xhci, i);
}

static void port_write(struct xhci *xhci, unsigned i, uint32_t value)
{
	uint32_t *port = &xhci->state.port[i];

	*port &= ~(value & (uint32_t)XHCI_PORT_CHANGES);
	*port &= (uint32_t)~XHCI_PORT_WAKES;
	*port |= value & (uint32_t)XHCI_PORT_WAKES;
	if (value & XHCI_PORT_ENABLED && *port & XHCI_PORT_ENABLED)
		port_disable(xhci, i);
	if (value & XHCI_PORT_LINK_WRITE)
		link_write(xhci, i, (unsigned)FIELD_GET(XHCI_PORT_LINK, value));
	if (value & XHCI_PORT_RESET)
		port_reset(xhci, i);
	xhci_run(xhci);
}

static void port_ready(void *ctx, struct usb_device *dev, unsigned endpoint)
{
	struct xhci *xhci = ctx;
	struct xhci_state *state = &xhci->state;
	unsigned port = 0;

	while (port < XHCI_USB2 && xhci->config.port[port] != dev)
		port++;
	if (port == XHCI_USB2)
		return;
	if (FIELD_GET(XHCI_PORT_LINK, state->port[port]) == XHCI_LINK_U3) {
		if (!dev->state->is_wakeup_on)
			return;
		link_set(&state->port[port], XHCI_LINK_RESUME);
		port_change(xhci, port, XHCI_PORT_PLC);
	}
	port_kick(xhci, port, 3U << 2 * endpoint);
	xhci_run(xhci);
}

/* ---- Registers ---------------------------------------------------------- */

static void registers_reset(struct xhci *xhci)
{
	struct xhci_state *state = &xhci->state;
	struct pci_device_state pci = state->pci;

	clock_timer_disarm(xhci->config.clock, &xhci->more);
	memset(state, 0, sizeof(*state));
	state->pci = pci;
	state->more_ns = CLOCK_NEVER;
	state->status = XHCI_HALTED;
	state->imod = 4000;
	state->started_ns = clock_now(xhci->config.clock);
	ports_init(xhci);
	xhci_interrupt_update(xhci);
}

static uint32_t capability_read(unsigned offset)
{
	static const uint32_t words[XHCI_OPERATIONAL / 4] = {
		[0x00 / 4] = 0x0100 << 16 | XHCI_OPERATIONAL,
		[0x04 / 4] = (uint32_t)XHCI_PORTS << 24 | 1 << 8 | XHCI_SLOTS,
		[0x08 / 4] = 0x0000004f, /* 16 segments, threshold 7 frames */
		[0x10 / 4] = (XHCI_CAPABILITIES / 4) << 16 | 1, /* AC64 */
		[0x14 / 4] = XHCI_DOORBELLS,
		[0x18 / 4] = XHCI_RUNTIME,
		/* USB 2.0 at the first ports, USB 3.0 at the others. */
		[XHCI_CAPABILITIES / 4] = 0x02000402,
		[XHCI_CAPABILITIES / 4 + 1] = 0x20425355, /* "USB " */
		[XHCI_CAPABILITIES / 4 + 2] = XHCI_USB2 << 8 | 1,
		[XHCI_CAPABILITIES / 4 + 4] = 0x03000002,
		[XHCI_CAPABILITIES / 4 + 5] = 0x20425355,
		[XHCI_CAPABILITIES / 4 + 6] =
			(XHCI_PORTS - XHCI_USB2) << 8 | (XHCI_USB2 + 1),
	};

	return words[offset / 4];
}

static void command_write(struct xhci *xhci, uint32_t value)
{
	struct xhci_state *state = &xhci->state;

	if (value & XHCI_HCRST) {
		registers_reset(xhci);
		return;
	}
	if (value & XHCI_CRS)
		state->status |= XHCI_RESTORE_ERROR;
	state->command = value & XHCI_USBCMD_KEPT;
	if (!(value & XHCI_RUN)) {
		state->status |= XHCI_HALTED;
		state->is_command_running = false;
	} else if (state->status & XHCI_HALTED) {
		state->status &= (uint32_t)~XHCI_HALTED;
		state->started_ns = clock_now(xhci->config.clock);
	}
	xhci_interrupt_update(xhci);
	xhci_run(xhci);
}

static void half_write(uint64_t *to, bool is_high, uint32_t value)
{
	*to = is_high ? (*to & UINT32_MAX) | (uint64_t)value << 32
		      : (*to & ~(uint64_t)UINT32_MAX) | value;
}

static void crcr_write(struct xhci *xhci, bool is_high, uint32_t value)
{
	struct xhci_state *state = &xhci->state;

	if (!is_high && value & (XHCI_CRCR_STOP | XHCI_CRCR_ABORT) &&
	    state->is_command_running) {
		state->is_command_running = false;
		xhci_event(xhci, XHCI_COMMAND_EVENT, XHCI_RING_STOPPED,
			   state->command_next, 0, 0);
		return;
	}
	if (state->is_command_running)
		return;
	half_write(&state->command_next, is_high,
		   is_high ? value : value & ~63U);
	if (!is_high)
		state->command_cycle = value & XHCI_CRCR_CYCLE;
}

static uint32_t operational_read(const struct xhci *xhci, unsigned offset)
{
	const struct xhci_state *state = &xhci->state;

	switch (offset) {
	case XHCI_USBCMD:
		return state->command;
	case XHCI_USBSTS:
		return state->status;
	case XHCI_PAGESIZE:
		return 1; /* 4 KiB */
	case XHCI_DNCTRL:
		return state->notify;
	case XHCI_CRCR:
		return state->is_command_running ? XHCI_CRCR_RUNNING : 0;
	case XHCI_DCBAAP:
		return (uint32_t)state->contexts;
	case XHCI_DCBAAP + 4:
		return (uint32_t)(state->contexts >> 32);
	case XHCI_CONFIG:
		return state->config;
	}
	return 0;
}

static void operational_write(struct xhci *xhci, unsigned offset,
			      uint32_t value)
{
	struct xhci_state *state = &xhci->state;

	switch (offset) {
	case XHCI_USBCMD:
		command_write(xhci, value);
		break;
	case XHCI_USBSTS:
		state->status &= ~(value & (uint32_t)XHCI_USBSTS_CLEAR);
		break;
	case XHCI_DNCTRL:
		state->notify = value & 0xffff;
		break;
	case XHCI_CRCR:
	case XHCI_CRCR + 4:
		crcr_write(xhci, offset != XHCI_CRCR, value);
		break;
	case XHCI_DCBAAP:
	case XHCI_DCBAAP + 4:
		half_write(&state->contexts, offset != XHCI_DCBAAP,
			   offset == XHCI_DCBAAP ? value & ~63U : value);
		break;
	case XHCI_CONFIG:
		state->config = value & 0xff;
		break;
	}
}

static uint32_t runtime_read(const struct xhci *xhci, unsigned offset)
{
	const struct xhci_state *state = &xhci->state;
	uint64_t ns = clock_now(xhci->config.clock) - state->started_ns;

	switch (offset) {
	case XHCI_MFINDEX:
		return state->status & XHCI_HALTED
			       ? 0
			       : (uint32_t)(ns / MICROFRAME_NS) & 0x3fff;
	case XHCI_IMAN:
		return state->iman;
	case XHCI_IMOD:
		return state->imod;
	case XHCI_ERSTSZ:
		return state->segments;
	case XHCI_ERSTBA:
		return (uint32_t)state->table;
	case XHCI_ERSTBA + 4:
		return (uint32_t)(state->table >> 32);
	case XHCI_ERDP:
		return (uint32_t)state->dequeue;
	case XHCI_ERDP + 4:
		return (uint32_t)(state->dequeue >> 32);
	}
	return 0;
}

/* The busy bit is cleared by 1. */
static void erdp_write(struct xhci *xhci, uint32_t value)
{
	struct xhci_state *state = &xhci->state;
	uint32_t busy = (uint32_t)state->dequeue & XHCI_ERDP_BUSY & ~value;

	half_write(&state->dequeue, false,
		   (value & ~(uint32_t)XHCI_ERDP_BUSY) | busy);
	if (value & XHCI_ERDP_BUSY)
		xhci_events_taken(xhci);
	xhci_run(xhci);
}

static void iman_write(struct xhci *xhci, uint32_t value)
{
	uint32_t *iman = &xhci->state.iman;

	*iman &= ~(value & (uint32_t)XHCI_IMAN_PENDING);
	*iman &= (uint32_t)~XHCI_IMAN_ENABLE;
	*iman |= value & (uint32_t)XHCI_IMAN_ENABLE;
	xhci_interrupt_update(xhci);
}

static void runtime_write(struct xhci *xhci, unsigned offset, uint32_t value)
{
	struct xhci_state *state = &xhci->state;

	switch (offset) {
	case XHCI_IMAN:
		iman_write(xhci, value);
		break;
	case XHCI_IMOD:
		state->imod = value;
		break;
	case XHCI_ERSTSZ:
		state->segments = MIN(value & 0xffff, XHCI_SEGMENTS_MAX);
		if (state->segment >= state->segments)
			state->event_left = 0;
		break;
	case XHCI_ERSTBA:
		half_write(&state->table, false, value & ~63U);
		xhci_events_start(xhci);
		break;
	case XHCI_ERSTBA + 4:
		half_write(&state->table, true, value);
		xhci_events_start(xhci);
		break;
	case XHCI_ERDP:
		erdp_write(xhci, value);
		break;
	case XHCI_ERDP + 4:
		half_write(&state->dequeue, true, value);
		break;
	}
}

static void doorbell_write(struct xhci *xhci, unsigned number, uint32_t value)
{
	struct xhci_state *state = &xhci->state;
	unsigned index = value & 0xff;
	struct xhci_endpoint *endpoint;

	if (state->status & XHCI_HALTED || number > XHCI_SLOTS ||
	    index >= XHCI_ENDPOINTS)
		return;
	if (!number) {
		state->is_command_running = state->is_command_pending = true;
		xhci_run(xhci);
		return;
	}
	endpoint = &state->slot[number - 1].endpoint[index];
	if (endpoint->state == XHCI_EP_STOPPED)
		endpoint->state = XHCI_EP_RUNNING;
	if (endpoint->state != XHCI_EP_RUNNING)
		return;
	xhci_endpoint_publish(xhci, number - 1, index);
	state->slot[number - 1].pending |= (uint32_t)BIT(index);
	xhci_run(xhci);
}

static uint32_t word_read(const struct xhci *xhci, unsigned offset)
{
	unsigned port = (offset - XHCI_PORT_REGISTERS) / 16;

	if (offset < XHCI_OPERATIONAL)
		return capability_read(offset);
	if (offset < XHCI_PORT_REGISTERS)
		return operational_read(xhci, offset - XHCI_OPERATIONAL);
	if (port < XHCI_PORTS)
		return offset % 16 == XHCI_PORTSC ? xhci->state.port[port] : 0;
	if (offset >= XHCI_RUNTIME && offset < XHCI_DOORBELLS)
		return runtime_read(xhci, offset - XHCI_RUNTIME);
	return 0;
}

static void word_write(struct xhci *xhci, unsigned offset, uint32_t value)
{
	unsigned port = (offset - XHCI_PORT_REGISTERS) / 16;

	if (offset < XHCI_OPERATIONAL)
		return;
	if (offset < XHCI_PORT_REGISTERS)
		operational_write(xhci, offset - XHCI_OPERATIONAL, value);
	else if (port < XHCI_PORTS) {
		if (offset % 16 == XHCI_PORTSC)
			port_write(xhci, port, value);
	} else if (offset >= XHCI_RUNTIME && offset < XHCI_DOORBELLS)
		runtime_write(xhci, offset - XHCI_RUNTIME, value);
	else if (offset >= XHCI_DOORBELLS)
		doorbell_write(xhci, (offset - XHCI_DOORBELLS) / 4, value);
}

/* Parts of registers can be read, but not written. */
static void access(void *dev, struct io_access *io)
{
	struct xhci *xhci = dev;
	unsigned offset = (unsigned)io->offset;

	if (!io->is_write)
		io->data = word_read(xhci, offset & ~3U) >> 8 * (offset & 3) &
			   MASK(8U * io->size - 1, 0);
	else if (io->size == 4 && !(offset & 3))
		word_write(xhci, offset, (uint32_t)io->data);
}

/* ---- Life --------------------------------------------------------------- */

static void reset_rest(void *dev)
{
	struct xhci *xhci = dev;

	pci_device_reset(&xhci->pci);
	registers_reset(xhci);
}

static void restored(void *dev)
{
	struct xhci *xhci = dev;

	pci_device_restored(&xhci->pci);
}

const struct device_ops xhci_ops = {
	.name = "xhci",
	.version = 1,
	.state = &xhci_description,
	.reset = reset_rest,
	.restored = restored,
	.is_valid = xhci_state_is_valid,
};

/* A driver may have switched bus mastering on after the controller. */
static void config_written(struct pci_device *dev, unsigned offset,
			   unsigned size)
{
	if (offset <= PCI_COMMAND && offset + size > PCI_COMMAND)
		xhci_run(container_of(dev, struct xhci, pci));
}

void xhci_reset(struct xhci *xhci)
{
	device_reset(&xhci->device);
}

int xhci_init(struct xhci *xhci, const struct xhci_config *config)
{
	static const struct pci_identity identity = {
		.name = "xhci",
		.vendor = 0x1b36,
		.device = 0x000d,
		.class = 0x0c03,
		.interface = 0x30,
		.revision = 1,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.interrupt_pin = 1,
	};
	const struct pci_bar bar = {
		.kind = PCI_BAR_MEMORY_64,
		.size = XHCI_SIZE,
		.region = { .name = "xhci",
			    .fn = access,
			    .dev = xhci,
			    .width_min = 1,
			    .width_max = 4 },
	};
	int error;

	memset(xhci, 0, sizeof(*xhci));
	xhci->config = *config;
	device_init(&xhci->device, &xhci_ops, xhci, &xhci->state);
	device_timer_init(&xhci->device, config->clock, &xhci->more,
			  more_expired, xhci, &xhci->state.more_ns);
	for (unsigned i = 0; i < XHCI_USB2; i++) {
		if (!config->port[i])
			continue;
		config->port[i]->ready = port_ready;
		config->port[i]->ready_ctx = xhci;
	}
	pci_device_init(&xhci->pci, &identity, &xhci->state.pci);
	xhci->pci.config_written = config_written;
	xhci->state.pci.config[0x60] = 0x20; /* SBRN: USB 2.0 */
	xhci->state.pci.config[0x61] = 0x20; /* FLADJ */
	error = pci_bar_add(&xhci->pci, 0, &bar);
	if (!error)
		error = pci_device_add(config->pci, &xhci->pci, config->devfn);
	if (!error)
		xhci_reset(xhci);
	return error;
}
