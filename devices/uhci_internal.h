/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UHCI's registers and descriptors.  Private to uhci.c and uhci_schedule.c.
 */
#ifndef BULKHEAD_DEVICES_UHCI_INTERNAL_H
#define BULKHEAD_DEVICES_UHCI_INTERNAL_H

#include "devices/uhci.h"

/* clang-format off */
#define UHCI_USBCMD	0x00
#define   UHCI_RUN		BIT(0)
#define   UHCI_HCRESET		BIT(1)
#define   UHCI_GRESET		BIT(2)
#define   UHCI_EGSM		BIT(3) /* global suspend */
#define   UHCI_FGR		BIT(4) /* global resume */
#define   UHCI_USBCMD_BITS	0xff
#define UHCI_USBSTS	0x02
#define   UHCI_USBINT		BIT(0)
#define   UHCI_ERROR		BIT(1)
#define   UHCI_RESUME		BIT(2)
#define   UHCI_HOST_ERROR	BIT(3)
#define   UHCI_PROCESS_ERROR	BIT(4)
#define   UHCI_HALTED		BIT(5)
#define UHCI_USBINTR	0x04
#define   UHCI_ENABLE_ERROR	BIT(0)
#define   UHCI_ENABLE_RESUME	BIT(1)
#define   UHCI_ENABLE_IOC	BIT(2)
#define   UHCI_ENABLE_SHORT	BIT(3)
#define UHCI_FRNUM	0x06
#define   UHCI_FRNUM_BITS	0x7ff
#define UHCI_FLBASEADD	0x08
#define UHCI_SOFMOD	0x0c
#define   UHCI_SOFMOD_BITS	0x7f
#define   UHCI_SOFMOD_RESET	0x40
#define UHCI_PORTSC	0x10
#define   UHCI_PORT_CONNECTED	BIT(0)
#define   UHCI_PORT_CONNECT	BIT(1) /* it has changed */
#define   UHCI_PORT_ENABLED	BIT(2)
#define   UHCI_PORT_ENABLE	BIT(3) /* it has changed */
#define   UHCI_PORT_LINES	MASK(5, 4)
#define   UHCI_PORT_RESUME	BIT(6)
#define   UHCI_PORT_ONE		BIT(7)
#define   UHCI_PORT_LOW_SPEED	BIT(8)
#define   UHCI_PORT_RESET	BIT(9)
#define   UHCI_PORT_SUSPEND	BIT(12)
#define   UHCI_PORT_WRITABLE	(UHCI_PORT_ENABLED | UHCI_PORT_RESUME | \
				 UHCI_PORT_RESET | UHCI_PORT_SUSPEND)
#define   UHCI_PORT_CHANGES	(UHCI_PORT_CONNECT | UHCI_PORT_ENABLE)
#define   UHCI_PORT_BITS	(UHCI_PORT_WRITABLE | UHCI_PORT_CHANGES | \
				 UHCI_PORT_CONNECTED | UHCI_PORT_ONE)
#define UHCI_SIZE	0x20

/* Configuration space. */
#define UHCI_SBRN	0x60
#define UHCI_LEGSUP	0xc0
#define   UHCI_LEGSUP_PIRQ	BIT(13)

#define UHCI_CAUSE_IOC		BIT(0)
#define UHCI_CAUSE_SHORT	BIT(1)

/* Pointers in the schedule. */
#define UHCI_LINK_END		BIT(0)
#define UHCI_LINK_QUEUE		BIT(1)
#define UHCI_LINK_DEPTH		BIT(2)
#define UHCI_LINK_ADDRESS	(~15U)

/* A transfer descriptor's second and third word. */
#define UHCI_TD_ACTUAL		MASK(10, 0)
#define UHCI_TD_TIMEOUT		BIT(18)
#define UHCI_TD_NAK		BIT(19)
#define UHCI_TD_BABBLE		BIT(20)
#define UHCI_TD_BUFFER		BIT(21)
#define UHCI_TD_STALLED		BIT(22)
#define UHCI_TD_ACTIVE		BIT(23)
#define UHCI_TD_IOC		BIT(24)
#define UHCI_TD_ISOCHRONOUS	BIT(25)
#define UHCI_TD_ERRORS		MASK(28, 27) /* that are left */
#define UHCI_TD_SHORT		BIT(29) /* is a reason to stop */
#define UHCI_TOKEN_PID		MASK(7, 0)
#define UHCI_TOKEN_ADDRESS	MASK(14, 8)
#define UHCI_TOKEN_ENDPOINT	MASK(18, 15)
#define UHCI_TOKEN_LENGTH	MASK(31, 21) /* less one */
#define UHCI_LENGTH_MAX		1280
/* clang-format on */

struct uhci_td {
	uint32_t link, control, token, buffer;
};

struct uhci_qh {
	uint32_t head, element;
};

/* What a frame has come to. */
struct uhci_frame {
	uint16_t status; /* bits to set in USBSTS */
	uint16_t causes;
	bool has_moved;
	bool is_fatal; /* the schedule makes no sense: HCHalted */
};

/* Looks at one frame's entry of the list. */
struct uhci_frame uhci_frame_run(struct uhci *uhci, unsigned number);

#endif
