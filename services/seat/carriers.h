/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the control protocol is carried by (docs/control.md, "Carriers"): the
 * second serial port, and the first port of a virtio console, each with a
 * client of its own.  The gate's end of it: ports, interrupts, DMA memory.
 *
 * A UART sends a FIFO at a time, and a timer says when it has room again; a
 * virtio console's interrupt does.
 */
#ifndef BULKHEAD_SERVICES_SEAT_CARRIERS_H
#define BULKHEAD_SERVICES_SEAT_CARRIERS_H

#include "drivers/uart16550.h"
#include "drivers/virtio_console.h"
#include "services/pci_gate.h"
#include "services/seat/remote.h"

enum carrier_kind { CARRIER_UART, CARRIER_VIRTIO, CARRIERS };

struct carrier {
	bool is_there;
	bool is_polling;      /* it has no interrupt */
	bool may_have;	      /* there may be something to receive */
	bool is_full;	      /* until .room_ns, or its interrupt */
	uint64_t room_ns;     /* UINT64_MAX: an interrupt says so */
	struct remote remote; /* its client */
};

struct carriers {
	struct carrier carrier[CARRIERS];
	struct uart16550 uart;
	struct virtio_console console;
	struct gate_function function;
	struct pci_access pci;
	bool has_rights; /* init has said which */
	uint64_t events; /* that came while a device was reset: for the loop */
	/* No interrupt of the virtio console's was asked for: look again. */
	bool is_again;
	uint64_t now_ns;
};

/* Those that are there; silent until rights are given, to all the same.
 */
void carriers_init(struct carriers *carriers, const struct port_ops *ports,
		   struct mux *mux, struct faces *faces, struct asks *asks,
		   struct ports *nets);
void carriers_rights(struct carriers *carriers, uint32_t rights);

/* After any event: takes requests, a bounded number. */
void carriers_run(struct carriers *carriers, uint64_t events, uint64_t now_ns);
/* Sends what is ready.  True: something went, so that there is room again. */
bool carriers_flush(struct carriers *carriers);
/* When it is to be called again; UINT64_MAX: after the next event. */
uint64_t carriers_deadline(const struct carriers *carriers);

/* As remote_heard() and remote_gone(). */
void carriers_heard(struct carriers *carriers, unsigned slot, const char *bytes,
		    size_t length);
void carriers_gone(struct carriers *carriers, unsigned slot);

#endif
