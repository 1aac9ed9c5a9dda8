/* SPDX-License-Identifier: BSD-2-Clause */
/* See pci.h. */
#include "tests/unit/fake/pci.h"

#include <string.h>

#include "kernel/host.h"
#include "kernel/trap.h"
#include "tests/unit/fake/sim.h"

#define VENDOR 0x1af4

struct fake_pci fake_pci[PCI_FUNCTIONS_MAX];

static struct fake_pci *of(const struct pci_function *function)
{
	return &fake_pci[function - sim.host.pci.function];
}

struct pci_function *fake_pci_add(uint16_t address, unsigned vectors,
				  uint8_t line, bool has_flr)
{
	unsigned i = sim.host.pci.count++;
	struct pci_function *function = &sim.host.pci.function[i];

	memset(&fake_pci[i], 0, sizeof(fake_pci[i]));
	memset(function, 0, sizeof(*function));
	function->info.address = address;
	function->info.vendor = VENDOR;
	function->info.vector_count = (uint16_t)vectors;
	function->info.irq_line = line;
	function->info.has_flr = has_flr;
	function->msix = vectors ? 0x40 : 0;
	return function;
}

uint32_t pci_read(uint16_t address, unsigned offset, unsigned size)
{
	struct pci *pci = &sim.host.pci;

	SIM_CHECK(offset + size <= PCI_CONFIG_SIZE);
	sim_point();
	for (unsigned i = 0; i < pci->count; i++)
		if (pci->function[i].info.address == address)
			return offset == PCI_COMMAND ? fake_pci[i].command
						     : VENDOR;
	return UINT32_MAX;
}

void pci_command(const struct pci_function *function, uint32_t clear,
		 uint32_t set)
{
	struct fake_pci *fake = of(function);

	sim_point();
	SIM_CHECK(time_now_tsc() >= fake->reset_end_tsc);
	fake->command = (fake->command & ~clear) | set;
}

void pci_quiesce(const struct pci_function *function)
{
	pci_command(function, PCI_COMMAND_MASTER, PCI_COMMAND_NO_INTX);
	of(function)->is_msix_on = false;
}

void pci_flr(const struct pci_function *function)
{
	struct fake_pci *fake = of(function);

	SIM_CHECK(!(fake->command & PCI_COMMAND_MASTER));
	fake->resets++;
	fake->reset_end_tsc = time_now_tsc() + time_ns_to_tsc(PCI_FLR_NS);
	fake->command = 0;
}

bool pci_restore(const struct pci_function *function)
{
	pci_command(function, PCI_COMMAND_MASTER,
		    PCI_COMMAND_MEMORY | PCI_COMMAND_NO_INTX);
	return !of(function)->is_lost;
}

void pci_msix_set(const struct pci_function *function, unsigned n,
		  uint32_t apic_id, uint8_t vector)
{
	struct fake_pci *fake = of(function);

	(void)apic_id;
	SIM_CHECK(n < GATE_DEVICE_VECTORS && !fake->is_msix_on);
	fake->is_masked[n] = true;
	fake->has_come[n] = false;
	fake->vector[n] = vector;
}

void pci_msix_enable(const struct pci_function *function)
{
	of(function)->is_msix_on = true;
}

/* Unmasked: what came meanwhile is sent by the test's next fake_pci_send(). */
void pci_msix_mask(const struct pci_function *function, unsigned n,
		   bool is_masked)
{
	sim_point();
	of(function)->is_masked[n] = is_masked;
}

bool pci_intx_take(const struct pci_function *function)
{
	struct fake_pci *fake = of(function);

	if (!fake->is_asserted || fake->command & PCI_COMMAND_NO_INTX)
		return false;
	fake->command |= PCI_COMMAND_NO_INTX;
	return true;
}

static void send_message(struct fake_pci *fake, unsigned vector)
{
	if (!fake->is_msix_on || !(fake->command & PCI_COMMAND_MASTER))
		return;
	if (fake->is_masked[vector]) {
		fake->has_come[vector] = true;
		return;
	}
	fake->has_come[vector] = false;
	irq_arrived(&sim.host.irqs, fake->vector[vector] - VECTOR_ISA, 0);
}

void fake_pci_send(unsigned function, unsigned vector)
{
	struct fake_pci *fake = &fake_pci[function];
	const struct pci_function *real = &sim.host.pci.function[function];

	if (real->msix) {
		send_message(fake, vector);
		return;
	}
	fake->is_asserted = true;
	if (!(fake->command & PCI_COMMAND_NO_INTX))
		irq_arrived(&sim.host.irqs, real->info.irq_line, 0);
}
