/* SPDX-License-Identifier: BSD-2-Clause */
/* See kernel/pci.h. */
#include "kernel/pci.h"

#include "include/x86.h"
#include "kernel/host.h"

/* Configuration mechanism #1. */
#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define CONFIG_ENABLE  BIT(31)

/* An MSI-X table's entry, in words. */
#define ENTRY_WORDS   4
#define ENTRY_ADDRESS 0
#define ENTRY_UPPER   1
#define ENTRY_DATA    2
#define ENTRY_CONTROL 3
#define ENTRY_MASKED  BIT(0)
#define MSI_ADDRESS   0xfee00000U
#define MSI_ID_SHIFT  12

/* Lock held; what is written next goes there, too. */
static uint32_t config_read(uint16_t address, unsigned offset, unsigned size)
{
	port_write32(CONFIG_ADDRESS, (uint32_t)(CONFIG_ENABLE | address << 8 |
						(offset & MASK(7, 2))));
	return (port_read32(CONFIG_DATA) >> offset % 4 * 8) &
	       UINT32_MAX >> (4 - size) * 8;
}

uint32_t pci_read(uint16_t address, unsigned offset, unsigned size)
{
	struct spinlock *lock = &this_host()->pci.lock;
	uint64_t flags = spin_lock_irqsave(lock);
	uint32_t value = config_read(address, offset, size);

	spin_unlock_irqrestore(lock, flags);
	return value;
}

/* At once: another CPU may change other bits of it. */
static void change(uint16_t address, unsigned offset, unsigned size,
		   uint32_t clear, uint32_t set)
{
	struct spinlock *lock = &this_host()->pci.lock;
	uint64_t flags = spin_lock_irqsave(lock);
	uint32_t value = (config_read(address, offset, size) & ~clear) | set;

	if (size == 2)
		port_write16((uint16_t)(CONFIG_DATA + offset % 4),
			     (uint16_t)value);
	else
		port_write32(CONFIG_DATA, value);
	spin_unlock_irqrestore(lock, flags);
}

void pci_write(uint16_t address, unsigned offset, unsigned size, uint32_t value)
{
	change(address, offset, size, UINT32_MAX, value);
}

/* 16 bits: a write of Status would clear what it reports. */
void pci_command(const struct pci_function *function, uint32_t clear,
		 uint32_t set)
{
	change(function->info.address, PCI_COMMAND, 2, clear, set);
}

static void msix_control(const struct pci_function *function, uint32_t clear,
			 uint32_t set)
{
	change(function->info.address, function->msix, 4, clear, set);
}

void pci_quiesce(const struct pci_function *function)
{
	pci_command(function, PCI_COMMAND_MASTER, PCI_COMMAND_NO_INTX);
	if (function->msix)
		msix_control(function, PCI_MSIX_ENABLE, PCI_MSIX_MASK_ALL);
	/* An answer does not overtake the writes that it follows. */
	(void)pci_read(function->info.address, PCI_ID, 4);
}

void pci_flr(const struct pci_function *function)
{
	change(function->info.address, function->express + PCI_EXPRESS_CONTROL,
	       2, 0, PCI_EXPRESS_FLR);
}

bool pci_restore(const struct pci_function *function)
{
	uint16_t address = function->info.address;

	if (pci_read(address, PCI_ID, 2) != function->info.vendor)
		return false;
	for (unsigned i = 0; i < GATE_DEVICE_BARS; i++)
		if (pci_read(address, PCI_BAR(i), 4) != function->bar[i].value)
			pci_write(address, PCI_BAR(i), 4,
				  function->bar[i].value);
	pci_command(function, PCI_COMMAND_MASTER,
		    PCI_COMMAND_MEMORY | PCI_COMMAND_NO_INTX);
	return true;
}

void pci_msix_mask(const struct pci_function *function, unsigned n,
		   bool is_masked)
{
	volatile uint32_t *control =
		&function->table[n * ENTRY_WORDS + ENTRY_CONTROL];

	*control = is_masked ? ENTRY_MASKED : 0;
	(void)*control; /* it has arrived */
}

void pci_msix_set(const struct pci_function *function, unsigned n,
		  uint32_t apic_id, uint8_t vector)
{
	volatile uint32_t *entry = &function->table[n * ENTRY_WORDS];

	pci_msix_mask(function, n, true);
	entry[ENTRY_ADDRESS] = MSI_ADDRESS | apic_id << MSI_ID_SHIFT;
	entry[ENTRY_UPPER] = 0;
	entry[ENTRY_DATA] = vector;
}

void pci_msix_enable(const struct pci_function *function)
{
	msix_control(function, PCI_MSIX_MASK_ALL, PCI_MSIX_ENABLE);
}

bool pci_intx_take(const struct pci_function *function)
{
	uint32_t state = pci_read(function->info.address, PCI_COMMAND, 4);

	if (!(state & PCI_STATUS_INTX) || state & PCI_COMMAND_NO_INTX)
		return false;
	pci_command(function, 0, PCI_COMMAND_NO_INTX);
	return true;
}
