/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control pipe and the standard requests of all USB devices.  See usb.h.
 */
#include "devices/usb.h"

#include "lib/string.h"

#define FEATURE_ENDPOINT_HALT 0
#define FEATURE_REMOTE_WAKEUP 1

#define STATUS_SELF_POWERED  BIT(0)
#define STATUS_REMOTE_WAKEUP BIT(1)

/* Offsets in descriptors. */
#define CONFIGURATION_TOTAL	 2
#define CONFIGURATION_INTERFACES 4
#define CONFIGURATION_ATTRIBUTES 7
#define ATTRIBUTE_SELF_POWERED	 BIT(6)
#define ATTRIBUTE_WAKEUP	 BIT(5)
#define QUALIFIER_SIZE		 10
#define DEVICE_CONFIGURATIONS	 17
#define LANGUAGE_ENGLISH	 0x0409

/* ---- State -------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_VALUE(struct usb_state, address, .max = 127),
	STATE_VALUE(struct usb_state, configuration, .max = 1),
	STATE_VALUE(struct usb_state, is_wakeup_on),
	STATE_VALUE(struct usb_state, phase, .max = USB_PHASES - 1),
	STATE_VALUE(struct usb_state, halted_in),
	STATE_VALUE(struct usb_state, halted_out),
	STATE_VALUE(struct usb_state, offset, .max = USB_CONTROL_SIZE),
	STATE_VALUE(struct usb_state, length, .max = USB_CONTROL_SIZE),
	STATE_ARRAY(struct usb_state, setup),
	STATE_ARRAY(struct usb_state, data),
	STATE_RESERVED(struct usb_state, reserved),
};

const struct state_description usb_description =
	STATE_DESCRIPTION(struct usb_state, fields);

bool usb_state_is_valid(const struct usb_state *state)
{
	return state->offset <= state->length;
}

/* ---- Descriptors -------------------------------------------------------- */

static const uint8_t *configuration_of(const struct usb_device *dev,
				       enum usb_speed speed)
{
	const uint8_t *const *all = dev->model->configuration;

	return all[speed] ? all[speed] : all[USB_SPEED_FULL];
}

static int copy_string(const struct usb_device *dev, unsigned index,
		       uint8_t *to)
{
	const char *text;
	unsigned length;

	to[1] = USB_DESCRIPTOR_STRING;
	if (!index) {
		to[0] = 4;
		to[2] = LANGUAGE_ENGLISH & 0xff;
		to[3] = LANGUAGE_ENGLISH >> 8;
		return to[0];
	}
	for (unsigned i = 0; i < index; i++)
		if (!dev->model->strings[i])
			return USB_STALL;
	text = dev->model->strings[index - 1];
	length = (unsigned)MIN(strlen(text), (size_t)126);
	to[0] = (uint8_t)(2 + 2 * length);
	for (unsigned i = 0; i < length; i++) {
		to[2 + 2 * i] = (uint8_t)text[i];
		to[3 + 2 * i] = 0;
	}
	return to[0];
}

static int copy_configuration(const struct usb_device *dev,
			      enum usb_speed speed, uint8_t type, uint8_t *to)
{
	const uint8_t *from = configuration_of(dev, speed);
	unsigned length = from[CONFIGURATION_TOTAL];

	memcpy(to, from, length);
	to[1] = type;
	return (int)length;
}

/* What the device would be at its other speed; only if it has one. */
static int copy_other(const struct usb_device *dev, uint8_t type, uint8_t *to)
{
	const uint8_t *device = dev->model->device;
	enum usb_speed other =
		dev->speed == USB_SPEED_HIGH ? USB_SPEED_FULL : USB_SPEED_HIGH;

	if (!dev->model->configuration[USB_SPEED_HIGH])
		return USB_STALL;
	if (type == USB_DESCRIPTOR_OTHER_SPEED)
		return copy_configuration(dev, other, type, to);
	memcpy(to, device, QUALIFIER_SIZE - 2);
	to[0] = QUALIFIER_SIZE;
	to[1] = type;
	to[QUALIFIER_SIZE - 2] = device[DEVICE_CONFIGURATIONS];
	to[QUALIFIER_SIZE - 1] = 0;
	return QUALIFIER_SIZE;
}

static int copy_descriptor(const struct usb_device *dev, uint16_t value,
			   uint8_t *to)
{
	uint8_t type = (uint8_t)(value >> 8);

	switch (type) {
	case USB_DESCRIPTOR_DEVICE:
		memcpy(to, dev->model->device, dev->model->device[0]);
		return to[0];
	case USB_DESCRIPTOR_CONFIGURATION:
		return value & 0xff
			       ? USB_STALL
			       : copy_configuration(dev, dev->speed, type, to);
	case USB_DESCRIPTOR_STRING:
		return copy_string(dev, value & 0xff, to);
	case USB_DESCRIPTOR_QUALIFIER:
	case USB_DESCRIPTOR_OTHER_SPEED:
		return copy_other(dev, type, to);
	}
	return USB_STALL;
}

/* ---- Standard requests -------------------------------------------------- */

static int status(uint16_t value, uint8_t *to)
{
	to[0] = (uint8_t)value;
	to[1] = 0;
	return 2;
}

static int device_status(const struct usb_device *dev, uint8_t *to)
{
	const uint8_t *configuration = configuration_of(dev, dev->speed);
	uint16_t value = 0;

	if (configuration[CONFIGURATION_ATTRIBUTES] & ATTRIBUTE_SELF_POWERED)
		value |= STATUS_SELF_POWERED;
	if (dev->state->is_wakeup_on)
		value |= STATUS_REMOTE_WAKEUP;
	return status(value, to);
}

static uint16_t *halted_of(struct usb_device *dev, uint16_t index)
{
	return index & USB_TYPE_IN ? &dev->state->halted_in
				   : &dev->state->halted_out;
}

/* Of endpoint 0 none lasts: the next SETUP ends it. */
static int halt_set(struct usb_device *dev, const struct usb_setup *setup,
		    bool is_halted)
{
	unsigned endpoint = setup->index & (USB_ENDPOINTS - 1);
	uint16_t *halted = halted_of(dev, setup->index);

	if (setup->value != FEATURE_ENDPOINT_HALT)
		return USB_STALL;
	if (!endpoint)
		return 0;
	if (is_halted) {
		*halted |= (uint16_t)BIT(endpoint);
		return 0;
	}
	*halted &= (uint16_t)~BIT(endpoint);
	if (dev->model->unhalted)
		dev->model->unhalted(dev, endpoint, setup->index & USB_TYPE_IN);
	return 0;
}

static int wakeup_set(struct usb_device *dev, const struct usb_setup *setup,
		      bool is_on)
{
	const uint8_t *configuration = configuration_of(dev, dev->speed);

	if (setup->value != FEATURE_REMOTE_WAKEUP ||
	    !(configuration[CONFIGURATION_ATTRIBUTES] & ATTRIBUTE_WAKEUP))
		return USB_STALL;
	dev->state->is_wakeup_on = is_on;
	return 0;
}

static void tell_configured(struct usb_device *dev, bool was_configured)
{
	if (dev->configured && usb_is_configured(dev) != was_configured)
		dev->configured(dev->configured_ctx);
}

static int configure(struct usb_device *dev, uint16_t value)
{
	bool was_configured = usb_is_configured(dev);

	if (value > 1)
		return USB_STALL;
	dev->state->configuration = (uint8_t)value;
	dev->state->halted_in = dev->state->halted_out = 0;
	if (dev->model->reset)
		dev->model->reset(dev);
	tell_configured(dev, was_configured);
	return 0;
}

static bool has_interface(const struct usb_device *dev, uint16_t index)
{
	return dev->state->configuration &&
	       index < configuration_of(dev,
					dev->speed)[CONFIGURATION_INTERFACES];
}

static int request_in(struct usb_device *dev, const struct usb_setup *setup,
		      uint8_t *data)
{
	switch (USB_REQUEST(setup->type, setup->request)) {
	case USB_REQUEST(USB_IN(0, USB_TO_DEVICE), USB_GET_STATUS):
		return device_status(dev, data);
	case USB_REQUEST(USB_IN(0, USB_TO_INTERFACE), USB_GET_STATUS):
		return has_interface(dev, setup->index) ? status(0, data)
							: USB_STALL;
	case USB_REQUEST(USB_IN(0, USB_TO_ENDPOINT), USB_GET_STATUS):
		return status(
			*halted_of(dev, setup->index) >>
					(setup->index & (USB_ENDPOINTS - 1)) &
				1,
			data);
	case USB_REQUEST(USB_IN(0, USB_TO_DEVICE), USB_GET_DESCRIPTOR):
		return copy_descriptor(dev, setup->value, data);
	case USB_REQUEST(USB_IN(0, USB_TO_DEVICE), USB_GET_CONFIGURATION):
		data[0] = dev->state->configuration;
		return 1;
	case USB_REQUEST(USB_IN(0, USB_TO_INTERFACE), USB_GET_INTERFACE):
		data[0] = 0;
		return has_interface(dev, setup->index) ? 1 : USB_STALL;
	}
	return dev->model->control(dev, setup, data);
}

static int request_out(struct usb_device *dev, const struct usb_setup *setup,
		       uint8_t *data)
{
	switch (USB_REQUEST(setup->type, setup->request)) {
	case USB_REQUEST(USB_OUT(0, USB_TO_DEVICE), USB_SET_ADDRESS):
		/* It counts from the status stage on. */
		return setup->value > 127 ? USB_STALL : 0;
	case USB_REQUEST(USB_OUT(0, USB_TO_DEVICE), USB_SET_CONFIGURATION):
		return configure(dev, setup->value);
	case USB_REQUEST(USB_OUT(0, USB_TO_DEVICE), USB_SET_FEATURE):
		return wakeup_set(dev, setup, true);
	case USB_REQUEST(USB_OUT(0, USB_TO_DEVICE), USB_CLEAR_FEATURE):
		return wakeup_set(dev, setup, false);
	case USB_REQUEST(USB_OUT(0, USB_TO_ENDPOINT), USB_SET_FEATURE):
		return halt_set(dev, setup, true);
	case USB_REQUEST(USB_OUT(0, USB_TO_ENDPOINT), USB_CLEAR_FEATURE):
		return halt_set(dev, setup, false);
	case USB_REQUEST(USB_OUT(0, USB_TO_INTERFACE), USB_SET_INTERFACE):
		return setup->value || !has_interface(dev, setup->index)
			       ? USB_STALL
			       : 0;
	}
	return dev->model->control(dev, setup, data);
}

/* ---- The control pipe --------------------------------------------------- */

static void run_out(struct usb_device *dev, const struct usb_setup *setup)
{
	struct usb_state *state = dev->state;

	state->phase = request_out(dev, setup, state->data) < 0
			       ? USB_PHASE_STALLED
			       : USB_PHASE_STATUS_IN;
}

/* Never refused: what is wrong with it the next stage says. */
static int setup_stage(struct usb_device *dev, const uint8_t *bytes,
		       unsigned size)
{
	struct usb_state *state = dev->state;
	struct usb_setup setup;
	int length;

	state->phase = USB_PHASE_STALLED;
	state->offset = state->length = 0;
	if (size != USB_SETUP_SIZE)
		return (int)size;
	memcpy(state->setup, bytes, USB_SETUP_SIZE);
	setup = usb_setup_parse(bytes);
	if (setup.type & USB_TYPE_IN) {
		length = request_in(dev, &setup, state->data);
		if (length >= 0) {
			state->phase = USB_PHASE_DATA_IN;
			state->length =
				(uint16_t)MIN((unsigned)length, setup.length);
		}
	} else if (!setup.length) {
		run_out(dev, &setup);
	} else if (setup.length <= USB_CONTROL_SIZE) {
		state->phase = USB_PHASE_DATA_OUT;
		state->length = setup.length;
	}
	return USB_SETUP_SIZE;
}

static int status_in(struct usb_device *dev)
{
	struct usb_state *state = dev->state;
	struct usb_setup setup = usb_setup_parse(state->setup);

	if (USB_REQUEST(setup.type, setup.request) ==
	    USB_REQUEST(USB_OUT(0, USB_TO_DEVICE), USB_SET_ADDRESS))
		state->address = setup.value & 127;
	state->phase = USB_PHASE_IDLE;
	return 0;
}

static int control_in(struct usb_device *dev, uint8_t *data, unsigned length)
{
	struct usb_state *state = dev->state;
	unsigned left = (unsigned)state->length - state->offset;

	if (state->phase == USB_PHASE_STATUS_IN)
		return status_in(dev);
	if (state->phase != USB_PHASE_DATA_IN)
		return USB_STALL;
	length = MIN(length, left);
	memcpy(data, state->data + state->offset, length);
	state->offset = (uint16_t)(state->offset + length);
	return (int)length;
}

static int control_out(struct usb_device *dev, const uint8_t *data,
		       unsigned length)
{
	struct usb_state *state = dev->state;
	unsigned left = (unsigned)state->length - state->offset;

	if (state->phase == USB_PHASE_DATA_IN) { /* the host has enough */
		state->phase = USB_PHASE_IDLE;
		return 0;
	}
	if (state->phase != USB_PHASE_DATA_OUT || length > left)
		return USB_STALL;
	memcpy(state->data + state->offset, data, length);
	state->offset = (uint16_t)(state->offset + length);
	if (state->offset == state->length) {
		struct usb_setup setup = usb_setup_parse(state->setup);

		run_out(dev, &setup);
	}
	return (int)length;
}

/* ---- Transactions ------------------------------------------------------- */

static int halting(uint16_t *halted, unsigned endpoint, int result)
{
	if (result == USB_STALL)
		*halted |= (uint16_t)BIT(endpoint);
	return result;
}

int usb_transact(struct usb_device *dev, unsigned token, unsigned endpoint,
		 uint8_t *data, unsigned length)
{
	struct usb_state *state = dev->state;

	endpoint &= USB_ENDPOINTS - 1;
	if (!endpoint) {
		if (token == USB_TOKEN_SETUP)
			return setup_stage(dev, data, length);
		return token == USB_TOKEN_IN ? control_in(dev, data, length)
					     : control_out(dev, data, length);
	}
	if (!state->configuration || token == USB_TOKEN_SETUP)
		return USB_NOBODY;
	if (token == USB_TOKEN_IN) {
		if (state->halted_in & BIT(endpoint))
			return USB_STALL;
		return halting(&state->halted_in, endpoint,
			       dev->model->in(dev, endpoint, data, length));
	}
	if (state->halted_out & BIT(endpoint))
		return USB_STALL;
	return halting(&state->halted_out, endpoint,
		       dev->model->out(dev, endpoint, data, length));
}

struct usb_device *usb_find(struct usb_device *dev, uint8_t address)
{
	if (dev->state->address == address)
		return dev;
	return dev->model->find ? dev->model->find(dev, address) : NULL;
}

bool usb_is_configured(const struct usb_device *dev)
{
	return dev->state->configuration;
}

void usb_ready(struct usb_device *dev, unsigned endpoint)
{
	if (dev->ready)
		dev->ready(dev->ready_ctx, dev, endpoint);
}

/* ---- Life --------------------------------------------------------------- */

void usb_bus_reset(struct usb_device *dev)
{
	bool was_configured = usb_is_configured(dev);

	memset(dev->state, 0, sizeof(*dev->state));
	if (dev->model->reset)
		dev->model->reset(dev);
	tell_configured(dev, was_configured);
}

void usb_device_init(struct usb_device *dev, const struct device_ops *ops,
		     const struct usb_model *model, void *owner, void *state,
		     struct usb_state *usb)
{
	dev->model = model;
	dev->state = usb;
	device_init(&dev->device, ops, owner, state);
}
