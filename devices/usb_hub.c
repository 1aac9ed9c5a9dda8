/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A USB hub.  See usb_hub.h.
 */
#include "devices/usb_hub.h"

#include "lib/string.h"

#define ENDPOINT 1

/* clang-format off */
/* wPortStatus; of these the first five have changes in wPortChange. */
#define PORT_CONNECTION	BIT(0)
#define PORT_ENABLE	BIT(1)
#define PORT_SUSPEND	BIT(2)
#define PORT_RESET	BIT(4)
#define PORT_POWER	BIT(8)
#define PORT_STATUSES	(PORT_CONNECTION | PORT_ENABLE | PORT_SUSPEND | \
			 PORT_POWER)
#define PORT_CHANGES	(PORT_CONNECTION | PORT_ENABLE | PORT_SUSPEND | \
			 PORT_RESET)

/* Features; those of a change are 16 more. */
#define FEATURE_ENABLE	1
#define FEATURE_SUSPEND	2
#define FEATURE_RESET	4
#define FEATURE_POWER	8
#define FEATURE_CHANGE	16
#define FEATURE_CHANGES	5
/* clang-format on */

static struct usb_hub *hub_of(struct usb_device *dev)
{
	return container_of(dev, struct usb_hub, usb);
}

/* ---- Ports -------------------------------------------------------------- */

static void change(struct usb_hub *hub, unsigned port, unsigned bits)
{
	hub->state.change[port] |= (uint16_t)bits;
	usb_ready(&hub->usb, ENDPOINT);
}

/* As without power. */
static void ports_off(struct usb_hub *hub)
{
	memset(hub->state.status, 0, sizeof(hub->state.status));
	memset(hub->state.change, 0, sizeof(hub->state.change));
}

static void power_on(struct usb_hub *hub, unsigned port)
{
	if (hub->state.status[port] & PORT_POWER)
		return;
	hub->state.status[port] = PORT_POWER;
	if (!hub->port[port])
		return;
	hub->state.status[port] |= PORT_CONNECTION;
	change(hub, port, PORT_CONNECTION);
}

static void port_reset(struct usb_hub *hub, unsigned port)
{
	if (!hub->port[port] || !(hub->state.status[port] & PORT_POWER))
		return;
	hub->port[port]->speed = USB_SPEED_FULL;
	usb_bus_reset(hub->port[port]);
	hub->state.status[port] |= PORT_ENABLE;
	hub->state.status[port] &= (uint16_t)~PORT_SUSPEND;
	change(hub, port, PORT_RESET);
}

static int feature_set(struct usb_hub *hub, unsigned port, uint16_t feature)
{
	switch (feature) {
	case FEATURE_RESET:
		port_reset(hub, port);
		return 0;
	case FEATURE_POWER:
		power_on(hub, port);
		return 0;
	case FEATURE_SUSPEND:
		if (hub->state.status[port] & PORT_ENABLE)
			hub->state.status[port] |= PORT_SUSPEND;
		return 0;
	}
	return USB_STALL;
}

static int feature_clear(struct usb_hub *hub, unsigned port, uint16_t feature)
{
	uint16_t *status = &hub->state.status[port];

	switch (feature) {
	case FEATURE_ENABLE:
		*status &= (uint16_t) ~(PORT_ENABLE | PORT_SUSPEND);
		return 0;
	case FEATURE_SUSPEND:
		if (*status & PORT_SUSPEND) {
			*status &= (uint16_t)~PORT_SUSPEND;
			change(hub, port, PORT_SUSPEND);
		}
		return 0;
	case FEATURE_POWER:
		*status = 0;
		hub->state.change[port] = 0;
		return 0;
	}
	if (feature < FEATURE_CHANGE ||
	    feature >= FEATURE_CHANGE + FEATURE_CHANGES)
		return USB_STALL;
	hub->state.change[port] &=
		(uint16_t)~BIT((unsigned)feature - FEATURE_CHANGE);
	return 0;
}

static int port_status(const struct usb_hub *hub, unsigned port, uint8_t *to)
{
	uint16_t status = hub->state.status[port];
	uint16_t changes = hub->state.change[port];

	to[0] = (uint8_t)status;
	to[1] = (uint8_t)(status >> 8);
	to[2] = (uint8_t)changes;
	to[3] = (uint8_t)(changes >> 8);
	return 4;
}

/* ---- What the host asks ------------------------------------------------- */

static int hub_descriptor(uint8_t *to)
{
	static const uint8_t descriptor[] = {
		9,    USB_DESCRIPTOR_HUB, USB_HUB_PORTS, 0x08,
		0x00, /* power of all at once, no over-current */
		50,   /* in 2 ms: power is good */
		0,    /* the hub's own current */
		0x00, /* all can be taken out */
		0xff,
	};

	memcpy(to, descriptor, sizeof(descriptor));
	return sizeof(descriptor);
}

static int hub_status(uint8_t *to)
{
	memset(to, 0, 4);
	return 4;
}

static int control(struct usb_device *dev, const struct usb_setup *setup,
		   uint8_t *data)
{
	struct usb_hub *hub = hub_of(dev);
	unsigned port = (setup->index & 0xff) - 1U;
	bool is_port = port < USB_HUB_PORTS;

	switch (USB_REQUEST(setup->type, setup->request)) {
	case USB_REQUEST(USB_IN(USB_KIND_CLASS, USB_TO_DEVICE),
			 USB_GET_DESCRIPTOR):
		return hub_descriptor(data);
	case USB_REQUEST(USB_IN(USB_KIND_CLASS, USB_TO_DEVICE), USB_GET_STATUS):
		return hub_status(data);
	case USB_REQUEST(USB_OUT(USB_KIND_CLASS, USB_TO_DEVICE),
			 USB_CLEAR_FEATURE):
	case USB_REQUEST(USB_OUT(USB_KIND_CLASS, USB_TO_DEVICE),
			 USB_SET_FEATURE):
		return setup->value > 1 ? USB_STALL : 0;
	case USB_REQUEST(USB_IN(USB_KIND_CLASS, USB_TO_OTHER), USB_GET_STATUS):
		return is_port ? port_status(hub, port, data) : USB_STALL;
	case USB_REQUEST(USB_OUT(USB_KIND_CLASS, USB_TO_OTHER),
			 USB_SET_FEATURE):
		return is_port ? feature_set(hub, port, setup->value)
			       : USB_STALL;
	case USB_REQUEST(USB_OUT(USB_KIND_CLASS, USB_TO_OTHER),
			 USB_CLEAR_FEATURE):
		return is_port ? feature_clear(hub, port, setup->value)
			       : USB_STALL;
	}
	return USB_STALL;
}

static int in(struct usb_device *dev, unsigned endpoint, uint8_t *data,
	      unsigned length)
{
	struct usb_hub *hub = hub_of(dev);
	uint8_t changed = 0;

	if (endpoint != ENDPOINT || !length)
		return USB_STALL;
	for (unsigned i = 0; i < USB_HUB_PORTS; i++)
		if (hub->state.change[i])
			changed |= (uint8_t)BIT(i + 1);
	if (!changed)
		return USB_NAK;
	data[0] = changed;
	return 1;
}

static int out(struct usb_device *dev, unsigned endpoint, const uint8_t *data,
	       unsigned length)
{
	(void)dev;
	(void)endpoint;
	(void)data;
	(void)length;
	return USB_STALL;
}

static struct usb_device *find(struct usb_device *dev, uint8_t address)
{
	struct usb_hub *hub = hub_of(dev);

	for (unsigned i = 0; i < USB_HUB_PORTS; i++) {
		uint16_t status = hub->state.status[i];

		if (hub->port[i] && status & PORT_ENABLE &&
		    !(status & PORT_SUSPEND) &&
		    hub->port[i]->state->address == address)
			return hub->port[i];
	}
	return NULL;
}

static void forget(struct usb_device *dev)
{
	ports_off(hub_of(dev));
}

/* ---- Life --------------------------------------------------------------- */

/* One that is suspended wakes up, if it may. */
static void port_ready(void *ctx, struct usb_device *dev, unsigned endpoint)
{
	struct usb_hub *hub = ctx;
	unsigned port = 0;

	while (port < USB_HUB_PORTS && hub->port[port] != dev)
		port++;
	if (port == USB_HUB_PORTS)
		return;
	if (!(hub->state.status[port] & PORT_SUSPEND))
		usb_ready(&hub->usb, endpoint);
	else if (dev->state->is_wakeup_on)
		(void)feature_clear(hub, port, FEATURE_SUSPEND);
}

void usb_hub_plug(struct usb_hub *hub, unsigned port, struct usb_device *dev)
{
	hub->port[port] = dev;
	dev->ready = port_ready;
	dev->ready_ctx = hub;
}

static const struct state_field fields[] = {
	STATE_STRUCT(struct usb_hub_state, usb, &usb_description),
	STATE_ARRAY(struct usb_hub_state, status),
	STATE_ARRAY(struct usb_hub_state, change),
	STATE_RESERVED(struct usb_hub_state, reserved),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct usb_hub_state, fields);

static bool is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct usb_hub *hub = dev;
	const struct usb_hub_state *state = saved;

	(void)now_ns;
	for (unsigned i = 0; i < USB_HUB_PORTS; i++)
		if (state->status[i] & ~PORT_STATUSES ||
		    state->change[i] & ~PORT_CHANGES ||
		    (state->status[i] & PORT_CONNECTION && !hub->port[i]))
			return false;
	return usb_state_is_valid(&state->usb);
}

const struct device_ops usb_hub_ops = {
	.name = "usb_hub",
	.version = 1,
	.state = &description,
	.is_valid = is_valid,
};

void usb_hub_init(struct usb_hub *hub)
{
	static const uint8_t device[] = {
		18,   USB_DESCRIPTOR_DEVICE,
		0x10, 0x01, /* USB 1.1 */
		9,    0,
		0,    8,
		0x27, 0x06,
		0x05, 0x00,
		0x00, 0x01,
		1,    2,
		0,    1,
	};
	static const uint8_t configuration[] = {
		9, USB_DESCRIPTOR_CONFIGURATION, 25,   0, 1, 1, 0,   0xe0, 0,
		9, USB_DESCRIPTOR_INTERFACE,	 0,    0, 1, 9, 0,   0,	   0,
		7, USB_DESCRIPTOR_ENDPOINT,	 0x81, 3, 1, 0, 255,
	};
	static const char *const strings[] = { "Bulkhead", "USB hub", NULL };
	static const struct usb_model model = {
		.device = device,
		.configuration = { configuration, NULL },
		.strings = strings,
		.control = control,
		.in = in,
		.out = out,
		.reset = forget,
		.find = find,
	};

	memset(hub, 0, sizeof(*hub));
	usb_device_init(&hub->usb, &usb_hub_ops, &model, hub, &hub->state,
			&hub->state.usb);
}
