/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gate's end of desk.h: the host's screen, keyboard and mouse.  The screen
 * is a display adapter whose mode can be set; else what the boot loader has
 * left, pixels or a VGA's text.
 *
 * References: drivers/bochs_display.h, drivers/vga_text.h, drivers/ps2.h.
 */
#ifndef BULKHEAD_SERVICES_SEAT_LOCAL_H
#define BULKHEAD_SERVICES_SEAT_LOCAL_H

#include "drivers/ps2.h"
#include "services/pci_gate.h"
#include "services/seat/desk.h"

struct local {
	struct desk desk;
	struct ps2 ps2;
	bool is_polling; /* the keyboard has no interrupt */
	struct gate_function function;
	struct pci_access pci;
};

void local_init(struct local *local, const struct port_ops *ports,
		struct mux *mux, struct faces *faces, struct asks *asks);
void local_run(struct local *local, uint64_t events, uint64_t now_ns);
uint64_t local_deadline(const struct local *local, uint64_t now_ns);

#endif
