/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UHCI's registers, ports and frames.  See uhci.h for what is modelled and what
 * is not.
 */
#include "devices/uhci.h"

#include "devices/uhci_internal.h"
#include "include/errno.h"
#include "lib/string.h"

#define SOF_BASE    11936 /* bit times of 12 MHz in a frame, with SOFMOD 0 */
#define BIT_TIMES   12000 /* in 1 ms */
#define BAR	    4
#define PIN_INTD    4
/* After so long without anything that moved, only each so many'th frame is
 * looked at: a number without a divisor in common with those of frames after
 * which drivers' interrupt queues are due. */
#define BUSY_NS	    (100 * NSEC_PER_MS)
#define IDLE_FRAMES 7

/* ---- Interrupts --------------------------------------------------------- */

static uint16_t legsup(const struct pci_device_state *pci)
{
	return pci_get16(pci->config, UHCI_LEGSUP);
}

static bool level_of(const struct uhci_state *state)
{
	uint16_t status = state->status, enable = state->enable;
	bool is_due = status & (UHCI_HOST_ERROR | UHCI_PROCESS_ERROR);

	if (status & UHCI_USBINT)
		is_due |= (state->causes & UHCI_CAUSE_IOC &&
			   enable & UHCI_ENABLE_IOC) ||
			  (state->causes & UHCI_CAUSE_SHORT &&
			   enable & UHCI_ENABLE_SHORT);
	is_due |= status & UHCI_ERROR && enable & UHCI_ENABLE_ERROR;
	is_due |= status & UHCI_RESUME && enable & UHCI_ENABLE_RESUME;
	return is_due && legsup(&state->pci) & UHCI_LEGSUP_PIRQ;
}

static void interrupt_update(struct uhci *uhci)
{
	pci_intx_set(&uhci->pci, level_of(&uhci->state));
}

/* ---- Frames ------------------------------------------------------------- */

static uint64_t frame_length_ns(const struct uhci_state *state)
{
	return (uint64_t)(SOF_BASE + state->sof) * NSEC_PER_MS / BIT_TIMES;
}

static bool is_running(const struct uhci_state *state)
{
	return state->command & UHCI_RUN && !(state->status & UHCI_HALTED);
}

/* FRNUM is that of now. */
static void frame_catch_up(struct uhci *uhci)
{
	struct uhci_state *state = &uhci->state;
	uint64_t length = frame_length_ns(state);
	uint64_t frames;

	if (!is_running(state))
		return;
	frames = (clock_now(uhci->config.clock) - state->frame_ns) / length;
	state->frame_ns += frames * length;
	state->frame = (uint16_t)((state->frame + frames) & UHCI_FRNUM_BITS);
}

static void timer_update(struct uhci *uhci)
{
	struct uhci_state *state = &uhci->state;
	uint64_t now_ns = clock_now(uhci->config.clock);
	bool is_busy = now_ns - state->active_ns < BUSY_NS;
	uint64_t next_ns = state->frame_ns +
			   (is_busy ? 1 : IDLE_FRAMES) * frame_length_ns(state);

	if (is_running(state))
		clock_timer_arm(uhci->config.clock, &uhci->timer, next_ns);
	else
		clock_timer_disarm(uhci->config.clock, &uhci->timer);
}

/* Something is about to happen: from the next frame on all are looked at. */
static void wake(struct uhci *uhci)
{
	frame_catch_up(uhci);
	uhci->state.active_ns = clock_now(uhci->config.clock);
	timer_update(uhci);
}

static void halt(struct uhci *uhci)
{
	uhci->state.command &= (uint16_t)~UHCI_RUN;
	uhci->state.status |= UHCI_HALTED;
}

static void timer_expired(void *dev)
{
	struct uhci *uhci = dev;
	struct uhci_state *state = &uhci->state;
	struct uhci_frame frame;

	frame_catch_up(uhci);
	if (pci_is_master(&uhci->pci) && !(state->command & UHCI_EGSM)) {
		frame = uhci_frame_run(uhci, state->frame);
		uhci->frames++;
		state->status |= frame.status;
		state->causes |= frame.causes;
		if (frame.has_moved)
			state->active_ns = clock_now(uhci->config.clock);
		if (frame.is_fatal) {
			state->status |= UHCI_PROCESS_ERROR;
			halt(uhci);
		}
		interrupt_update(uhci);
	}
	timer_update(uhci);
}

/* ---- Ports -------------------------------------------------------------- */

static void port_reset(struct uhci *uhci, unsigned i)
{
	struct usb_device *dev = uhci->config.port[i];

	if (!dev)
		return;
	dev->speed = USB_SPEED_FULL;
	usb_bus_reset(dev);
}

/* As they are when the controller has been reset: not enabled. */
static void ports_reset(struct uhci *uhci)
{
	for (unsigned i = 0; i < UHCI_PORTS; i++) {
		uhci->state.port[i] = UHCI_PORT_ONE;
		if (uhci->config.port[i])
			uhci->state.port[i] |=
				UHCI_PORT_CONNECTED | UHCI_PORT_CONNECT;
		port_reset(uhci, i);
	}
}

static void port_write(struct uhci *uhci, unsigned i, uint16_t value)
{
	uint16_t *port = &uhci->state.port[i];
	uint16_t old = *port;

	*port &= (uint16_t) ~(value & UHCI_PORT_CHANGES);
	*port &= (uint16_t)~UHCI_PORT_WRITABLE;
	*port |= value & UHCI_PORT_WRITABLE;
	if (!(*port & UHCI_PORT_CONNECTED))
		*port &= (uint16_t)~UHCI_PORT_ENABLED;
	if (*port & UHCI_PORT_RESET) {
		*port &= (uint16_t) ~(UHCI_PORT_ENABLED | UHCI_PORT_SUSPEND);
		if (!(old & UHCI_PORT_RESET))
			port_reset(uhci, i);
	}
	/* The end of a resume is that of the suspend. */
	if (old & UHCI_PORT_RESUME && !(value & UHCI_PORT_RESUME))
		*port &= (uint16_t)~UHCI_PORT_SUSPEND;
	wake(uhci);
}

/* The lines of a full-speed device at rest: D+ high. */
static uint16_t port_read(const struct uhci *uhci, unsigned i)
{
	uint16_t port = uhci->state.port[i];

	if (port & UHCI_PORT_CONNECTED && !(port & UHCI_PORT_RESET))
		port |= (uint16_t)FIELD_PUT(UHCI_PORT_LINES, 1);
	return port;
}

/* What a driver waits for has come: at once, if it is asleep. */
static void port_ready(void *ctx, struct usb_device *dev, unsigned endpoint)
{
	struct uhci *uhci = ctx;
	struct uhci_state *state = &uhci->state;

	(void)endpoint;
	for (unsigned i = 0; i < UHCI_PORTS; i++) {
		bool is_suspended = state->port[i] & UHCI_PORT_SUSPEND ||
				    state->command & UHCI_EGSM;

		if (uhci->config.port[i] != dev || !is_suspended ||
		    !dev->state->is_wakeup_on)
			continue;
		if (state->port[i] & UHCI_PORT_SUSPEND)
			state->port[i] |= UHCI_PORT_RESUME;
		else
			state->command |= UHCI_FGR;
		state->status |= UHCI_RESUME;
		interrupt_update(uhci);
	}
	wake(uhci);
}

/* ---- Registers ---------------------------------------------------------- */

static void registers_reset(struct uhci *uhci)
{
	struct uhci_state *state = &uhci->state;

	state->command = state->enable = state->causes = state->frame = 0;
	state->status = UHCI_HALTED;
	state->list = 0;
	state->sof = UHCI_SOFMOD_RESET;
	ports_reset(uhci);
	clock_timer_disarm(uhci->config.clock, &uhci->timer);
	interrupt_update(uhci);
}

static void command_write(struct uhci *uhci, uint16_t value)
{
	struct uhci_state *state = &uhci->state;
	uint16_t old = state->command;

	if (value & UHCI_HCRESET) {
		registers_reset(uhci);
		return;
	}
	frame_catch_up(uhci);
	if (value & UHCI_GRESET && !(old & UHCI_GRESET))
		ports_reset(uhci);
	state->command = value & UHCI_USBCMD_BITS;
	if (!(value & UHCI_RUN))
		state->status |= UHCI_HALTED;
	if (value & UHCI_RUN && state->status & UHCI_HALTED) {
		state->status &= (uint16_t)~UHCI_HALTED;
		state->frame_ns = clock_now(uhci->config.clock);
	}
	wake(uhci);
}

static void status_write(struct uhci *uhci, uint16_t value)
{
	struct uhci_state *state = &uhci->state;

	state->status &= (uint16_t) ~(value & (UHCI_HALTED - 1));
	if (value & UHCI_USBINT)
		state->causes = 0;
}

static void word_write(struct uhci *uhci, unsigned offset, uint16_t value)
{
	struct uhci_state *state = &uhci->state;

	switch (offset) {
	case UHCI_USBCMD:
		command_write(uhci, value);
		break;
	case UHCI_USBSTS:
		status_write(uhci, value);
		break;
	case UHCI_USBINTR:
		state->enable = value & 15;
		break;
	case UHCI_FRNUM:
		if (state->status & UHCI_HALTED)
			state->frame = value & UHCI_FRNUM_BITS;
		break;
	case UHCI_FLBASEADD:
		state->list = (state->list & 0xffff0000U) | (value & 0xf000U);
		break;
	case UHCI_FLBASEADD + 2:
		state->list = (state->list & 0xffffU) | (uint32_t)value << 16;
		break;
	case UHCI_PORTSC:
	case UHCI_PORTSC + 2:
		port_write(uhci, (offset - UHCI_PORTSC) / 2, value);
		break;
	}
	interrupt_update(uhci);
}

static uint16_t word_read(struct uhci *uhci, unsigned offset)
{
	struct uhci_state *state = &uhci->state;

	switch (offset) {
	case UHCI_USBCMD:
		return state->command;
	case UHCI_USBSTS:
		return state->status;
	case UHCI_USBINTR:
		return state->enable;
	case UHCI_FRNUM:
		frame_catch_up(uhci);
		return state->frame;
	case UHCI_FLBASEADD:
		return (uint16_t)state->list;
	case UHCI_FLBASEADD + 2:
		return (uint16_t)(state->list >> 16);
	case UHCI_SOFMOD:
		return state->sof;
	case UHCI_PORTSC:
	case UHCI_PORTSC + 2:
		return port_read(uhci, (offset - UHCI_PORTSC) / 2);
	}
	/* Software counts ports until one does not have bit 7. */
	return 0;
}

static void sof_write(struct uhci *uhci, uint8_t value)
{
	frame_catch_up(uhci);
	uhci->state.sof = value & UHCI_SOFMOD_BITS;
	uhci->state.frame_ns = clock_now(uhci->config.clock);
	timer_update(uhci);
}

/* Bytes are parts of a word that is written whole: the other half as it is, but
 * where ones clear. */
static void byte_write(struct uhci *uhci, unsigned offset, uint8_t value)
{
	unsigned word = offset & ~1U, shift = 8 * (offset & 1);
	uint16_t other = word_read(uhci, word);

	if (offset == UHCI_SOFMOD) {
		sof_write(uhci, value);
		return;
	}
	if (word == UHCI_USBSTS)
		other = 0;
	else if (word >= UHCI_PORTSC)
		other &= (uint16_t)~UHCI_PORT_CHANGES;
	other &= (uint16_t)(0xff00 >> shift);
	word_write(uhci, word, (uint16_t)(other | value << shift));
}

static void access(void *dev, struct io_access *io)
{
	struct uhci *uhci = dev;
	unsigned offset = (unsigned)io->offset;

	if (io->is_write && io->size == 1) {
		byte_write(uhci, offset, (uint8_t)io->data);
	} else if (io->is_write) {
		word_write(uhci, offset, (uint16_t)io->data);
		if (offset == UHCI_SOFMOD)
			sof_write(uhci, (uint8_t)io->data);
		if (io->size == 4)
			word_write(uhci, offset + 2,
				   (uint16_t)(io->data >> 16));
	} else {
		unsigned word = offset & ~1U;

		io->data = word_read(uhci, word);
		if (io->size == 1)
			io->data = io->data >> 8 * (offset & 1) & 0xff;
		if (io->size == 4)
			io->data |= (uint64_t)word_read(uhci, word + 2) << 16;
	}
}

/* ---- State -------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_STRUCT(struct uhci_state, pci, &pci_device_description),
	STATE_VALUE(struct uhci_state, command, .max = UHCI_USBCMD_BITS),
	STATE_VALUE(struct uhci_state, status, .reset = UHCI_HALTED, .max = 63),
	STATE_VALUE(struct uhci_state, enable, .max = 15),
	STATE_VALUE(struct uhci_state, causes, .max = 3),
	STATE_ARRAY(struct uhci_state, port),
	STATE_VALUE(struct uhci_state, frame, .max = UHCI_FRNUM_BITS),
	STATE_VALUE(struct uhci_state, sof, .reset = UHCI_SOFMOD_RESET,
		    .max = UHCI_SOFMOD_BITS),
	STATE_RESERVED(struct uhci_state, reserved),
	STATE_VALUE(struct uhci_state, list),
	STATE_VALUE(struct uhci_state, frame_ns),
	STATE_VALUE(struct uhci_state, active_ns),
	STATE_VALUE(struct uhci_state, timer_ns, .reset = CLOCK_NEVER),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct uhci_state, fields);

static void reset_rest(void *dev)
{
	struct uhci *uhci = dev;

	pci_device_reset(&uhci->pci);
	registers_reset(uhci);
}

static void restored(void *dev)
{
	struct uhci *uhci = dev;

	pci_device_restored(&uhci->pci);
}

static bool ports_are_valid(const struct uhci *uhci,
			    const struct uhci_state *state)
{
	for (unsigned i = 0; i < UHCI_PORTS; i++) {
		bool is_plugged = uhci->config.port[i];

		if (state->port[i] & ~(uint64_t)UHCI_PORT_BITS ||
		    !(state->port[i] & UHCI_PORT_ONE) ||
		    !!(state->port[i] & UHCI_PORT_CONNECTED) != is_plugged)
			return false;
	}
	return true;
}

static bool is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct uhci *uhci = dev;
	const struct uhci_state *state = saved;

	return ports_are_valid(uhci, state) && state->frame_ns <= now_ns &&
	       state->active_ns <= now_ns &&
	       !(state->command & UHCI_RUN) ==
		       !!(state->status & UHCI_HALTED) &&
	       (state->timer_ns != CLOCK_NEVER) == is_running(state) &&
	       state->pci.intx_level == level_of(state) &&
	       pci_device_is_valid(&uhci->pci, &state->pci);
}

const struct device_ops uhci_ops = {
	.name = "uhci",
	.version = 1,
	.state = &description,
	.reset = reset_rest,
	.restored = restored,
	.is_valid = is_valid,
};

/* ---- Life --------------------------------------------------------------- */

static void config_written(struct pci_device *dev, unsigned offset,
			   unsigned size)
{
	struct uhci *uhci = container_of(dev, struct uhci, pci);

	if (offset < UHCI_LEGSUP + 2 && offset + size > UHCI_LEGSUP)
		interrupt_update(uhci);
	if (offset <= PCI_COMMAND && offset + size > PCI_COMMAND)
		wake(uhci);
}

void uhci_reset(struct uhci *uhci)
{
	device_reset(&uhci->device);
}

/* The traps are kept, without effect; what has trapped, never. */
static void config_init(struct pci_device *dev)
{
	dev->state->config[UHCI_SBRN] = 0x10; /* USB 1.0 */
	pci_put16(dev->state->config, UHCI_LEGSUP, UHCI_LEGSUP_PIRQ);
	pci_put16(dev->writable, UHCI_LEGSUP, 0x20bf);
	pci_put16(dev->state->config, PCI_STATUS,
		  PCI_STATUS_FAST_BACK | PCI_STATUS_MEDIUM);
}

int uhci_init(struct uhci *uhci, const struct uhci_config *config)
{
	static const struct pci_identity identity = {
		.name = "uhci",
		.vendor = 0x8086,
		.device = 0x7020,
		.class = 0x0c03,
		.revision = 1,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.interrupt_pin = PIN_INTD,
	};
	const struct pci_bar bar = {
		.kind = PCI_BAR_IO,
		.size = UHCI_SIZE,
		.region = { .name = "uhci",
			    .fn = access,
			    .dev = uhci,
			    .width_min = 1,
			    .width_max = 4 },
	};
	int error;

	memset(uhci, 0, sizeof(*uhci));
	uhci->config = *config;
	device_init(&uhci->device, &uhci_ops, uhci, &uhci->state);
	device_timer_init(&uhci->device, config->clock, &uhci->timer,
			  timer_expired, uhci, &uhci->state.timer_ns);
	for (unsigned i = 0; i < UHCI_PORTS; i++) {
		if (!config->port[i])
			continue;
		config->port[i]->ready = port_ready;
		config->port[i]->ready_ctx = uhci;
	}
	pci_device_init(&uhci->pci, &identity, &uhci->state.pci);
	uhci->pci.config_written = config_written;
	config_init(&uhci->pci);
	error = pci_bar_add(&uhci->pci, BAR, &bar);
	if (!error)
		error = pci_device_add(config->pci, &uhci->pci, config->devfn);
	if (!error)
		uhci_reset(uhci);
	return error;
}
