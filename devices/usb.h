/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * USB devices as their host controllers see them: transactions go in, data, a
 * NAK or a STALL come out.
 *
 * Models: the control pipe with its stages; the standard requests of chapter 9;
 * addresses, configurations, halted endpoints, remote wake-up; full and high
 * speed.  What else a device does its model says: usb_hid.h, usb_hub.h,
 * usb_storage.h.
 *
 * Does not model: data toggles and packets that are lost, for nothing is lost;
 * isochronous endpoints; alternate settings.
 *
 * A transaction is one packet or, as a controller likes, as much of a transfer
 * as a device has or takes at once.  What moves less than was asked for is a
 * short packet and ends the transfer.
 *
 * References: Universal Serial Bus Specification 2.0, chapters 8 and 9.
 */
#ifndef BULKHEAD_DEVICES_USB_H
#define BULKHEAD_DEVICES_USB_H

#include "devices/state.h"
#include "include/device.h"
#include "include/errno.h"

/* Packet identifiers. */
#define USB_TOKEN_OUT	0xe1
#define USB_TOKEN_IN	0x69
#define USB_TOKEN_SETUP 0x2d

/* What a transaction ends with that moves nothing. */
#define USB_NAK	   (-EAGAIN) /* later */
#define USB_STALL  (-EPIPE)
#define USB_NOBODY (-ENODEV) /* no answer: the host counts an error */

#define USB_ENDPOINTS	 16
#define USB_SETUP_SIZE	 8
#define USB_CONTROL_SIZE 256 /* bytes of data that a control transfer has */

/* Descriptor types. */
#define USB_DESCRIPTOR_DEVICE	     1
#define USB_DESCRIPTOR_CONFIGURATION 2
#define USB_DESCRIPTOR_STRING	     3
#define USB_DESCRIPTOR_INTERFACE     4
#define USB_DESCRIPTOR_ENDPOINT	     5
#define USB_DESCRIPTOR_QUALIFIER     6
#define USB_DESCRIPTOR_OTHER_SPEED   7
#define USB_DESCRIPTOR_HID	     0x21
#define USB_DESCRIPTOR_HID_REPORT    0x22
#define USB_DESCRIPTOR_HUB	     0x29

/* The first byte of a request. */
#define USB_TYPE_IN	   BIT(7)
#define USB_TYPE_KIND	   MASK(6, 5)
#define USB_KIND_STANDARD  0
#define USB_KIND_CLASS	   1
#define USB_TYPE_RECIPIENT MASK(4, 0)
#define USB_TO_DEVICE	   0
#define USB_TO_INTERFACE   1
#define USB_TO_ENDPOINT	   2
#define USB_TO_OTHER	   3

enum usb_request {
	USB_GET_STATUS = 0,
	USB_CLEAR_FEATURE = 1,
	USB_SET_FEATURE = 3,
	USB_SET_ADDRESS = 5,
	USB_GET_DESCRIPTOR = 6,
	USB_GET_CONFIGURATION = 8,
	USB_SET_CONFIGURATION = 9,
	USB_GET_INTERFACE = 10,
	USB_SET_INTERFACE = 11,
};

enum usb_speed { USB_SPEED_FULL, USB_SPEED_HIGH, USB_SPEEDS };

struct usb_setup {
	uint8_t type;
	uint8_t request;
	uint16_t value, index, length;
};

/*
 * The control pipe:
 *
 *	     SETUP, IN		     all of it asked for, or OUT
 *	IDLE ---------> DATA_IN -----------------------------> IDLE
 *	     SETUP, OUT		     the last byte
 *	     ---------> DATA_OUT ----------------> STATUS_IN
 *	     SETUP without data				IN
 *	     --------------------> STATUS_IN --------------> IDLE
 *
 * What a device refuses is STALLED until the next SETUP.
 */
enum usb_phase {
	USB_PHASE_IDLE,
	USB_PHASE_DATA_IN,
	USB_PHASE_DATA_OUT,
	USB_PHASE_STATUS_IN,
	USB_PHASE_STALLED,
	USB_PHASES,
};

/* What every device remembers: a member of its state. */
struct usb_state {
	uint8_t address;
	uint8_t configuration;		/* 0 or 1 */
	bool is_wakeup_on;		/* DEVICE_REMOTE_WAKEUP */
	uint8_t phase;			/* enum usb_phase */
	uint16_t halted_in, halted_out; /* endpoints, a bit each */
	uint16_t offset, length; /* of data: what has moved, what there is */
	uint8_t setup[USB_SETUP_SIZE];
	uint8_t data[USB_CONTROL_SIZE];
	uint8_t reserved[4];
};

extern const struct state_description usb_description;

struct usb_device;

/* What all devices of a kind have in common. */
struct usb_model {
	const uint8_t *device;			  /* its descriptor */
	const uint8_t *configuration[USB_SPEEDS]; /* with all it leads to */
	const char *const *strings; /* from 1 on; NULL behind the last */
	/*
	 * A request that is not chapter 9's, or one to an interface.  data has
	 * length bytes of an OUT request, or room for USB_CONTROL_SIZE of an
	 * IN request.  How many bytes there are to go in, 0, or USB_STALL.
	 */
	int (*control)(struct usb_device *dev, const struct usb_setup *setup,
		       uint8_t *data);
	/* Of endpoints but 0, configured and not halted.  Bytes, USB_NAK or
	 * USB_STALL, which halts the endpoint. */
	int (*in)(struct usb_device *dev, unsigned endpoint, uint8_t *data,
		  unsigned length);
	int (*out)(struct usb_device *dev, unsigned endpoint,
		   const uint8_t *data, unsigned length);
	/* A bus reset, or another configuration.  Or NULL. */
	void (*reset)(struct usb_device *dev);
	/* CLEAR_FEATURE of a halt.  Or NULL. */
	void (*unhalted)(struct usb_device *dev, unsigned endpoint, bool is_in);
	/* A hub's: whom of those behind it the address is.  Or NULL. */
	struct usb_device *(*find)(struct usb_device *dev, uint8_t address);
};

struct usb_device {
	struct device device;
	const struct usb_model *model;
	struct usb_state *state;
	enum usb_speed speed; /* its port's; before it is reset */
	/* Set by the port's owner: an endpoint that had NAKed has changed its
	 * mind. */
	void (*ready)(void *ctx, struct usb_device *dev, unsigned endpoint);
	void *ready_ctx;
	/* Set by the board, if at all: usb_is_configured() is another than
	 * before, by what the guest did at its port. */
	void (*configured)(void *ctx);
	void *configured_ctx;
};

/* As device_init(); then the rest of the device may be set up. */
void usb_device_init(struct usb_device *dev, const struct device_ops *ops,
		     const struct usb_model *model, void *owner, void *state,
		     struct usb_state *usb);
/* What a port's reset does. */
void usb_bus_reset(struct usb_device *dev);
/* At least one packet's worth.  Bytes that have moved, or one of the above. */
int usb_transact(struct usb_device *dev, unsigned token, unsigned endpoint,
		 uint8_t *data, unsigned length);
/* It, or whoever is behind it; NULL: nobody has that address. */
struct usb_device *usb_find(struct usb_device *dev, uint8_t address);
bool usb_is_configured(const struct usb_device *dev);
/* Tells the port's owner. */
void usb_ready(struct usb_device *dev, unsigned endpoint);
/* What a saved state must keep to. */
bool usb_state_is_valid(const struct usb_state *state);

static inline struct usb_setup usb_setup_parse(const uint8_t *bytes)
{
	return (struct usb_setup){
		.type = bytes[0],
		.request = bytes[1],
		.value = (uint16_t)(bytes[2] | bytes[3] << 8),
		.index = (uint16_t)(bytes[4] | bytes[5] << 8),
		.length = (uint16_t)(bytes[6] | bytes[7] << 8),
	};
}

/* A request's first two bytes as one number, to switch over. */
#define USB_REQUEST(type, request) ((unsigned)(type) << 8 | (request))
#define USB_IN(kind, recipient)	   (0x80U | (kind) << 5 | (recipient))
#define USB_OUT(kind, recipient)   ((unsigned)(kind) << 5 | (recipient))

#endif
