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

int irq_claim(struct irqs *irqs, unsigned isa, irq_fn fn, void *ctx)
{
	uint64_t flags;
	int error = 0;

	if (isa >= ACPI_ISA_IRQ_COUNT)
		return -EINVAL;
	flags = spin_lock_irqsave(&irqs->lock);
	if (irqs->owner[isa].fn) {
		error = -EBUSY;
	} else {
		irqs->owner[isa].fn = fn;
		irqs->owner[isa].ctx = ctx;
	}
	spin_unlock_irqrestore(&irqs->lock, flags);
	return error;
}

void irq_release(struct irqs *irqs, unsigned isa)
{
	uint64_t flags = spin_lock_irqsave(&irqs->lock);

	ioapic_mask(irqs->ioapics, irqs->route[isa].gsi);
	irqs->owner[isa].fn = NULL;
	spin_unlock_irqrestore(&irqs->lock, flags);
}

int irq_unmask(struct irqs *irqs, unsigned isa, uint32_t apic_id)
{
	const struct acpi_isa_irq *route = &irqs->route[isa];
	uint64_t flags = spin_lock_irqsave(&irqs->lock);
	int error = ioapic_route(irqs->ioapics, route->gsi, route->is_level,
				 route->is_active_low,
				 (uint8_t)(VECTOR_ISA + isa), apic_id);

	spin_unlock_irqrestore(&irqs->lock, flags);
	return error;
}

/* Late, of one that was released meanwhile: masked, and nobody's. */
void irq_arrived(struct irqs *irqs, unsigned isa)
{
	uint64_t flags = spin_lock_irqsave(&irqs->lock);

	ioapic_mask(irqs->ioapics, irqs->route[isa].gsi);
	if (irqs->owner[isa].fn)
		irqs->owner[isa].fn(irqs->owner[isa].ctx, isa);
	spin_unlock_irqrestore(&irqs->lock, flags);
}
