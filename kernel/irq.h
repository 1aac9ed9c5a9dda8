/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts for programs.  An ISA interrupt that has come is masked in the I/O
 * APIC until its owner unmasks it, so that it costs no more time than its owner
 * asks for; it arrives on the CPU that the owner unmasks it on.  Those behind
 * them are messages of devices, which their owners mask in the device.
 */
#ifndef BULKHEAD_KERNEL_IRQ_H
#define BULKHEAD_KERNEL_IRQ_H

#include "include/acpi.h"
#include "include/compiler.h"
#include "include/spinlock.h"
#include "kernel/ioapic.h"

#define IRQ_MSI	  ACPI_ISA_IRQ_COUNT /* the first message */
#define IRQ_COUNT (IRQ_MSI + 64)

/* With the lock held and interrupts off.  True: it may come again at once. */
typedef bool (*irq_fn)(void *ctx, unsigned irq);

struct irqs {
	struct spinlock lock; /* all of this, and the I/O APICs' pins */
	const struct ioapics *ioapics;
	const struct acpi_isa_irq *route;
	struct {
		irq_fn fn; /* NULL: nobody's */
		void *ctx;
	} owner[IRQ_COUNT];
};

void irqs_init(struct irqs *irqs, const struct ioapics *ioapics,
	       const struct acpi_isa_irq *route);

/* Masked yet.  -EINVAL, -EBUSY; 0 if it is the same owner's already. */
int __must_check irq_claim(struct irqs *irqs, unsigned irq, irq_fn fn,
			   void *ctx);
/* fn does not run any more on return. */
void irq_release(struct irqs *irqs, unsigned irq);
/* -ENODEV, -ERANGE: as ioapic_route(). */
int __must_check irq_unmask(struct irqs *irqs, unsigned isa, uint32_t apic_id);
/* The interrupt, on the CPU of apic_id. */
void irq_arrived(struct irqs *irqs, unsigned irq, uint32_t apic_id);

#endif
