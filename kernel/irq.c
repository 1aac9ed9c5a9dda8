/* SPDX-License-Identifier: BSD-2-Clause */
/* See kernel/irq.h. */
#include "kernel/irq.h"

#include "include/errno.h"
#include "kernel/trap.h"

void irqs_init(struct irqs *irqs, const struct ioapics *ioapics,
	       const struct acpi_isa_irq *route)
{
	*irqs = (struct irqs){ .ioapics = ioapics, .route = route };
}

int irq_claim(struct irqs *irqs, unsigned irq, irq_fn fn, void *ctx)
{
	uint64_t flags;
	int error = 0;

	if (irq >= IRQ_COUNT)
		return -EINVAL;
	flags = spin_lock_irqsave(&irqs->lock);
	if (!irqs->owner[irq].fn) {
		irqs->owner[irq].fn = fn;
		irqs->owner[irq].ctx = ctx;
	} else if (irqs->owner[irq].fn != fn || irqs->owner[irq].ctx != ctx) {
		error = -EBUSY;
	}
	spin_unlock_irqrestore(&irqs->lock, flags);
	return error;
}

static void mask(struct irqs *irqs, unsigned irq)
{
	if (irq < ACPI_ISA_IRQ_COUNT)
		ioapic_mask(irqs->ioapics, irqs->route[irq].gsi);
}

void irq_release(struct irqs *irqs, unsigned irq)
{
	uint64_t flags = spin_lock_irqsave(&irqs->lock);

	mask(irqs, irq);
	irqs->owner[irq].fn = NULL;
	spin_unlock_irqrestore(&irqs->lock, flags);
}

static int unmask(struct irqs *irqs, unsigned isa, uint32_t apic_id)
{
	const struct acpi_isa_irq *route = &irqs->route[isa];

	return ioapic_route(irqs->ioapics, route->gsi, route->is_level,
			    route->is_active_low, (uint8_t)(VECTOR_ISA + isa),
			    apic_id);
}

int irq_unmask(struct irqs *irqs, unsigned isa, uint32_t apic_id)
{
	uint64_t flags = spin_lock_irqsave(&irqs->lock);
	int error = unmask(irqs, isa, apic_id);

	spin_unlock_irqrestore(&irqs->lock, flags);
	return error;
}

/* Late, of one that was released meanwhile: masked, and nobody's. */
void irq_arrived(struct irqs *irqs, unsigned irq, uint32_t apic_id)
{
	uint64_t flags = spin_lock_irqsave(&irqs->lock);

	mask(irqs, irq);
	if (irqs->owner[irq].fn &&
	    irqs->owner[irq].fn(irqs->owner[irq].ctx, irq) &&
	    irq < ACPI_ISA_IRQ_COUNT)
		(void)!unmask(irqs, irq, apic_id);
	spin_unlock_irqrestore(&irqs->lock, flags);
}
