/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PC's parallel port, of the kind of the PS/2's, and the printer at its plug.
 *
 * The port is three registers: eight data lines, five lines that the printer
 * drives (status) and four that it listens to (control).  A byte's way:
 *
 *	software	data into register 0; nSTROBE low, by bit 0 of control
 *	printer		BUSY; it has the byte as the strobe ends
 *	printer		the far end has taken it: nACK low and high again,
 *			BUSY ends; nACK is the interrupt, if bit 4 of control
 *			wants one
 *
 *	        strobe begins          strobe ends
 *	READY ───────────────► STROBED ───────────► BUSY ─┐ no room at the
 *	  ▲                       ▲                  │ ▲──┘ far end
 *	  │ status is read        │ strobe begins    │ taken
 *	  └─────────────────────ACKNOWLEDGED◄────────┘
 *
 * From anywhere nINIT leads to READY: the printer forgets the byte it has not
 * passed on, and is busy for as long as the line is low.  While nSELECTIN is
 * high it hears no strobe, nor does it while it is busy.
 *
 * nACK is low for 5 us on a printer, for one read of the status here: software
 * that polls for it, SeaBIOS for one, must not miss it, however slow it is.
 *
 * With bit 5 of control the data lines are inputs, which nobody drives: they
 * read FFh.  Bits 0 and 1 of the status are 0: SeaBIOS hands bit 0 on as a
 * timeout.  Not modelled: IEEE 1284's negotiation and modes, to which this
 * printer, which is older, does not answer; EPP and ECP, whose registers are
 * not there; paper's end and errors.
 *
 * References: IBM, "Personal System/2 Hardware Interface Technical Reference",
 * "Parallel Port Controller"; IEEE 1284-1994, "Compatibility mode".
 */
#ifndef BULKHEAD_DEVICES_PARALLEL_H
#define BULKHEAD_DEVICES_PARALLEL_H

#include "devices/bus.h"
#include "include/device.h"

#define PARALLEL_PORTS 3

enum parallel_phase {
	PARALLEL_READY,
	PARALLEL_STROBED,
	PARALLEL_BUSY,
	PARALLEL_ACKNOWLEDGED,
	PARALLEL_PHASES,
};

struct parallel_state {
	uint8_t data;	 /* what software drives the lines to */
	uint8_t control; /* as it reads back */
	uint8_t byte;	 /* STROBED, BUSY: what the printer has */
	uint8_t phase;	 /* enum parallel_phase */
	/* An acknowledge has come since the status was read last, and an
	 * interrupt was wanted: the wire is high. */
	bool is_pending;
	uint8_t reserved[3];
};

/*
 * The printer's far end.  False: no room; the port asks again when
 * parallel_room() says so, or software looks at the status.
 */
struct parallel_backend {
	bool (*take)(void *ctx, uint8_t byte);
	void *ctx;
};

struct parallel {
	struct device device;
	struct parallel_state state;
	struct irq_line out;
	struct parallel_backend backend;
};

extern const struct device_ops parallel_ops;

/* Takes PARALLEL_PORTS ports; backend.take is there.  -EEXIST as bus_add(). */
int __must_check parallel_init(struct parallel *parallel, struct bus *ports,
			       uint16_t port, struct irq_line out,
			       struct parallel_backend backend);
/* The far end may have room again. */
void parallel_room(struct parallel *parallel);

#endif
