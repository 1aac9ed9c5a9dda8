/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 82371SB (PIIX3) PCI-to-ISA bridge: the routing of the PCI interrupts
 * and the reset control register.
 *
 * The 8259 pair with its ELCR, the 8254, the RTC and the IDE and power
 * management functions are devices of their own.  Not modelled: ISA decoding
 * controls (kept as bits), DMA controllers.  Function 2, USB, is uhci.h's.
 *
 * References: 82371FB (PIIX) and 82371SB (PIIX3) data sheet (290550-002).
 */
#ifndef BULKHEAD_DEVICES_PIIX3_H
#define BULKHEAD_DEVICES_PIIX3_H

#include "devices/pci.h"

#define PIIX3_PIRQS  4
#define PIIX3_PIRQRC 0x60 /* PIRQA# in configuration space; B, C, D follow */

struct piix3_state {
	struct pci_device_state pci;
	uint8_t reset_control;
	uint8_t reserved[3];
};

struct piix3 {
	struct device device;
	struct piix3_state state;
	struct pci_device pci;
	uint16_t asserted[PIIX3_PIRQS]; /* how many pins pull each PIRQ */
	uint16_t irq_levels;		/* as the outputs are now */
	/* Outputs: pin is the ISA interrupt, several PIRQs may share one. */
	struct irq_line irq;
	void (*reset)(void *ctx);
	void *ctx;
};

extern const struct device_ops piix3_ops;

/* Becomes function 0 of slot 1 and takes over the bus's INTx and 0xcf9. */
int __must_check piix3_init(struct piix3 *bridge, struct pci_bus *bus,
			    struct irq_line irq, void (*reset)(void *ctx),
			    void *ctx);
void piix3_reset(struct piix3 *bridge);

/* The PIRQ, 0..3, that a slot's INTx pin is wired to. */
static inline unsigned piix3_pirq(uint8_t devfn, unsigned pin)
{
	return ((devfn >> 3) + pin - 1) & (PIIX3_PIRQS - 1);
}

#endif
