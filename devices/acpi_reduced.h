/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of hardware-reduced ACPI: how a system without the PM1 blocks
 * of a PC switches itself off, resets itself and hears of its power button.
 *
 *	+0  sleep control: SLP_TYP in bits 4:2, SLP_EN in bit 5
 *	+1  sleep status: 0, for nothing ever wakes up
 *	+2  reset: writing ACPI_REDUCED_RESET
 *	+3  events since it was last read, which clears them; the line is high
 *	    as long as there are some
 *
 * The first three are those of the FADT; the last one is what a Generic Event
 * Device's method reads.  Sleep states but S5 are not modelled: SLP_EN with
 * another type does nothing.
 *
 * Reference: ACPI 6.5, "Hardware-Reduced ACPI", "Sleep Control and Status
 * Registers", "Interrupt-signaled ACPI events".
 */
#ifndef BULKHEAD_DEVICES_ACPI_REDUCED_H
#define BULKHEAD_DEVICES_ACPI_REDUCED_H

#include "devices/bus.h"
#include "include/device.h"

#define ACPI_REDUCED_PORTS	  4
#define ACPI_REDUCED_CONTROL	  0 /* offsets */
#define ACPI_REDUCED_STATUS	  1
#define ACPI_REDUCED_RESET_REG	  2
#define ACPI_REDUCED_EVENTS	  3
#define ACPI_REDUCED_RESET	  1
#define ACPI_REDUCED_S5		  5 /* SLP_TYP */
#define ACPI_REDUCED_EVENT_BUTTON BIT(0)

struct acpi_reduced_state {
	uint8_t events; /* ACPI_REDUCED_EVENT_* */
};

struct acpi_reduced_ops {
	void (*power_off)(void *ctx);
	void (*reset)(void *ctx);
};

struct acpi_reduced {
	struct device device;
	struct acpi_reduced_state state;
	struct irq_line out;
	const struct acpi_reduced_ops *ops;
	void *ctx;
};

extern const struct device_ops acpi_reduced_device_ops;

/* Takes ACPI_REDUCED_PORTS ports.  ops lives as long as the device. */
int __must_check acpi_reduced_init(struct acpi_reduced *acpi, struct bus *ports,
				   uint16_t port, struct irq_line out,
				   const struct acpi_reduced_ops *ops,
				   void *ctx);

/* The power button was pressed. */
void acpi_reduced_button(struct acpi_reduced *acpi);

#endif
