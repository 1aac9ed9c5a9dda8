/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xHCI's registers, contexts and TRBs, and what its files share: xhci.c has
 * registers and ports, xhci_ring.c events and rings, xhci_command.c commands,
 * xhci_transfer.c transfers, xhci_state.c what is saved.
 */
#ifndef BULKHEAD_DEVICES_XHCI_INTERNAL_H
#define BULKHEAD_DEVICES_XHCI_INTERNAL_H

#include "devices/xhci.h"

/* clang-format off */
/* Where the groups of registers are. */
#define XHCI_OPERATIONAL	0x0040
#define XHCI_PORT_REGISTERS	0x0440
#define XHCI_RUNTIME		0x1000
#define XHCI_DOORBELLS		0x2000
#define XHCI_SIZE		0x4000
#define XHCI_CAPABILITIES	0x20 /* extended ones */

/* Operational registers. */
#define XHCI_USBCMD	0x00
#define   XHCI_RUN		BIT(0)
#define   XHCI_HCRST		BIT(1)
#define   XHCI_INTE		BIT(2)
#define   XHCI_CSS		BIT(8)
#define   XHCI_CRS		BIT(9)
#define   XHCI_USBCMD_KEPT	0xc0d
#define XHCI_USBSTS	0x04
#define   XHCI_HALTED		BIT(0)
#define   XHCI_HOST_ERROR	BIT(2)
#define   XHCI_EVENT		BIT(3)
#define   XHCI_PORT_CHANGE	BIT(4)
#define   XHCI_RESTORE_ERROR	BIT(10)
#define   XHCI_USBSTS_CLEAR	(XHCI_HOST_ERROR | XHCI_EVENT | \
				 XHCI_PORT_CHANGE | XHCI_RESTORE_ERROR)
#define XHCI_PAGESIZE	0x08
#define XHCI_DNCTRL	0x14
#define XHCI_CRCR	0x18
#define   XHCI_CRCR_CYCLE	BIT(0)
#define   XHCI_CRCR_STOP	BIT(1)
#define   XHCI_CRCR_ABORT	BIT(2)
#define   XHCI_CRCR_RUNNING	BIT(3)
#define XHCI_DCBAAP	0x30
#define XHCI_CONFIG	0x38

/* A port's four. */
#define XHCI_PORTSC	0x0
#define   XHCI_PORT_CONNECTED	BIT(0)
#define   XHCI_PORT_ENABLED	BIT(1)
#define   XHCI_PORT_RESET	BIT(4)
#define   XHCI_PORT_LINK	MASK(8, 5)
#define	    XHCI_LINK_U0	0
#define	    XHCI_LINK_U3	3
#define	    XHCI_LINK_DETECT	5
#define	    XHCI_LINK_POLLING	7
#define	    XHCI_LINK_RESUME	15
#define   XHCI_PORT_POWER	BIT(9)
#define   XHCI_PORT_SPEED	MASK(13, 10)
#define	    XHCI_SPEED_HIGH	3
#define   XHCI_PORT_LINK_WRITE	BIT(16)
#define   XHCI_PORT_CSC		BIT(17)
#define   XHCI_PORT_PRC		BIT(21)
#define   XHCI_PORT_PLC		BIT(22)
#define   XHCI_PORT_CHANGES	MASK(23, 17)
#define   XHCI_PORT_WAKES	MASK(27, 25)
#define   XHCI_PORT_BITS	(XHCI_PORT_CONNECTED | XHCI_PORT_ENABLED | \
				 XHCI_PORT_LINK | XHCI_PORT_POWER | \
				 XHCI_PORT_SPEED | XHCI_PORT_CHANGES | \
				 XHCI_PORT_WAKES)

/* Runtime registers; the interrupter's are from 20h on. */
#define XHCI_MFINDEX	0x00
#define XHCI_IMAN	0x20
#define   XHCI_IMAN_PENDING	BIT(0)
#define   XHCI_IMAN_ENABLE	BIT(1)
#define XHCI_IMOD	0x24
#define XHCI_ERSTSZ	0x28
#define XHCI_ERSTBA	0x30
#define XHCI_ERDP	0x38
#define   XHCI_ERDP_BUSY	BIT(3)
#define   XHCI_ERDP_SEGMENT	MASK(2, 0)
#define XHCI_SEGMENTS_MAX	16

/* TRBs. */
#define XHCI_TRB_SIZE	16
#define XHCI_TRB_CYCLE	BIT(0)
#define XHCI_TRB_TOGGLE	BIT(1) /* a link's */
#define XHCI_TRB_ISP	BIT(2) /* event on a short packet */
#define XHCI_TRB_CHAIN	BIT(4)
#define XHCI_TRB_IOC	BIT(5)
#define XHCI_TRB_IDT	BIT(6) /* the parameter is the data */
#define XHCI_TRB_BSR	BIT(9) /* Address Device: without SET_ADDRESS */
#define XHCI_TRB_DC	BIT(9) /* Configure Endpoint: deconfigure */
#define XHCI_TRB_TYPE	MASK(15, 10)
#define XHCI_TRB_IN	BIT(16) /* data and status stages */
#define XHCI_TRB_ENDPOINT MASK(20, 16)
#define XHCI_TRB_SLOT	MASK(31, 24)
#define XHCI_TRB_LENGTH	MASK(16, 0)
#define XHCI_EVENT_DATA	BIT(2) /* a transfer event's: the parameter is software's */
#define XHCI_EVENT_LENGTH MASK(23, 0)
#define XHCI_EVENT_CODE	MASK(31, 24)

enum xhci_trb_type {
	XHCI_NORMAL = 1, XHCI_SETUP, XHCI_DATA, XHCI_STATUS, XHCI_ISOCH,
	XHCI_LINK, XHCI_EVENT_DATA_TRB, XHCI_NO_OP,
	XHCI_ENABLE_SLOT = 9, XHCI_DISABLE_SLOT, XHCI_ADDRESS_DEVICE,
	XHCI_CONFIGURE_ENDPOINT, XHCI_EVALUATE_CONTEXT, XHCI_RESET_ENDPOINT,
	XHCI_STOP_ENDPOINT, XHCI_SET_DEQUEUE, XHCI_RESET_DEVICE,
	XHCI_NO_OP_COMMAND = 23,
	XHCI_TRANSFER_EVENT = 32, XHCI_COMMAND_EVENT, XHCI_PORT_EVENT,
};

enum xhci_code {
	XHCI_SUCCESS = 1,
	XHCI_TRANSACTION_ERROR = 4,
	XHCI_TRB_ERROR = 5,
	XHCI_STALL_ERROR = 6,
	XHCI_RESOURCE_ERROR = 7,
	XHCI_NO_SLOTS = 9,
	XHCI_SLOT_DISABLED = 11,
	XHCI_ENDPOINT_DISABLED = 12,
	XHCI_SHORT_PACKET = 13,
	XHCI_PARAMETER_ERROR = 17,
	XHCI_STATE_ERROR = 19,
	XHCI_RING_STOPPED = 24,
	XHCI_STOPPED = 26,
};

/* Contexts, in words of 32 bits. */
#define XHCI_CONTEXT_WORDS	8
#define XHCI_CONTEXT_SIZE	32
#define XHCI_SLOT_ROUTE		MASK(19, 0)  /* word 0 */
#define XHCI_SLOT_ENTRIES	MASK(31, 27) /* word 0 */
#define XHCI_SLOT_LATENCY	MASK(15, 0)  /* word 1 */
#define XHCI_SLOT_PORT		MASK(23, 16) /* word 1 */
#define XHCI_SLOT_TARGET	MASK(31, 22) /* word 2 */
#define XHCI_SLOT_ADDRESS	MASK(7, 0)   /* word 3 */
#define XHCI_SLOT_STATE		MASK(31, 27) /* word 3 */
#define XHCI_ENDPOINT_STATE	MASK(2, 0)   /* word 0 */
#define XHCI_ENDPOINT_TYPE	MASK(5, 3)   /* word 1 */
#define XHCI_ENDPOINT_PACKET	MASK(31, 16) /* word 1 */
/* clang-format on */

enum xhci_slot_state {
	XHCI_SLOT_NONE, /* not enabled */
	XHCI_SLOT_ENABLED,
	XHCI_SLOT_DEFAULT,
	XHCI_SLOT_ADDRESSED,
	XHCI_SLOT_CONFIGURED,
	XHCI_SLOT_STATES,
};

enum xhci_endpoint_state {
	XHCI_EP_DISABLED,
	XHCI_EP_RUNNING,
	XHCI_EP_HALTED,
	XHCI_EP_STOPPED,
	XHCI_EP_ERROR,
	XHCI_EP_STATES,
};

enum xhci_endpoint_type {
	XHCI_EP_BULK_OUT = 2,
	XHCI_EP_INTERRUPT_OUT = 3,
	XHCI_EP_CONTROL = 4,
	XHCI_EP_BULK_IN = 6,
	XHCI_EP_INTERRUPT_IN = 7,
};

struct xhci_trb {
	uint64_t parameter;
	uint32_t status, control;
};

/* A place in a ring. */
struct xhci_cursor {
	uint64_t at;
	bool cycle;
};

static inline unsigned xhci_trb_type(const struct xhci_trb *trb)
{
	return (unsigned)FIELD_GET(XHCI_TRB_TYPE, trb->control);
}

static inline struct usb_device *xhci_port_device(const struct xhci *xhci,
						  unsigned port)
{
	return port < XHCI_USB2 ? xhci->config.port[port] : NULL;
}

/* ---- xhci.c -------------------------------------------------------------- */

void xhci_interrupt_update(struct xhci *xhci);
/* Works on all that is pending, for a while. */
void xhci_run(struct xhci *xhci);
bool xhci_level_of(const struct xhci_state *state);

/* ---- xhci_ring.c --------------------------------------------------------- */

/* The registers say that there is another ring. */
void xhci_events_start(struct xhci *xhci);
bool xhci_events_have_room(struct xhci *xhci);
/* Has the interrupter say that there are events, if there are. */
void xhci_events_taken(struct xhci *xhci);
void xhci_event(struct xhci *xhci, enum xhci_trb_type type, enum xhci_code code,
		uint64_t parameter, uint32_t length, uint32_t control);
/* The TRB at the cursor, which moves on over links.  False: there is none. */
bool xhci_ring_fetch(const struct xhci *xhci, struct xhci_cursor *cursor,
		     struct xhci_trb *trb);

/* ---- xhci_command.c ------------------------------------------------------ */

/* False: there is none. */
bool xhci_command_run(struct xhci *xhci);
/* Tells the driver's context where the endpoint is. */
void xhci_endpoint_publish(struct xhci *xhci, unsigned slot, unsigned index);

/* ---- xhci_transfer.c ----------------------------------------------------- */

struct usb_device *xhci_device_of(const struct xhci *xhci, unsigned slot);
/* A packet or a TRB of that endpoint's.  False: there is nothing to do. */
bool xhci_transfer_step(struct xhci *xhci, unsigned slot, unsigned index);
/* What is told of the TRB that an endpoint is stopped at, if any. */
void xhci_transfer_stopped(struct xhci *xhci, unsigned slot, unsigned index);

/* ---- xhci_state.c -------------------------------------------------------- */

extern const struct state_description xhci_description;
bool xhci_state_is_valid(const void *dev, const void *saved, uint64_t now_ns);

#endif
