/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ISA interrupts for programs.  One that has come is masked in the I/O APIC
 * until its owner unmasks it, so that an interrupt costs no more time than its
 * owner asks for; it arrives on the CPU that the owner unmasks it on.
 */
#ifndef BULKHEAD_KERNEL_IRQ_H
#define BULKHEAD_KERNEL_IRQ_H

#include "include/acpi.h"
#include "include/compiler.h"
#include "include/spinlock.h"
#include "kernel/ioapic.h"

/* With the lock held and interrupts off. */
typedef void (*irq_fn)(void *ctx, unsigned isa);

struct irqs {
	struct spinlock lock; /* all of this, and the I/O APICs' pins */
	const struct ioapics *ioapics;
	const struct acpi_isa_irq *route;
	struct {
		irq_fn fn; /* NULL: nobody's */
		void *ctx;
	} owner[ACPI_ISA_IRQ_COUNT];
};

void irqs_init(struct irqs *irqs, const struct ioapics *ioapics,
	       const struct acpi_isa_irq *route);

/* Masked yet.  -EINVAL, -EBUSY. */
int __must_check irq_claim(struct irqs *irqs, unsigned isa, irq_fn fn,
			   void *ctx);
/* fn does not run any more on return. */
void irq_release(struct irqs *irqs, unsigned isa);
/* -ENODEV, -ERANGE: as ioapic_route(). */
int __must_check irq_unmask(struct irqs *irqs, unsigned isa, uint32_t apic_id);
/* The interrupt. */
void irq_arrived(struct irqs *irqs, unsigned isa);

#endif
