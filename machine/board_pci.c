/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI functions as firmware leaves them, for a kernel that is started without
 * any: see board_parts.h.
 *
 * Reference: PCI Local Bus Specification 3.0, 6.2.5.1.
 */
#include "machine/board_parts.h"

/* Where the next BARs go: ports upwards, memory downwards. */
struct bar_space {
	uint32_t port;
	uint32_t memory_end;
};

#define BAR_IO		BIT(0)
#define BAR_64		BIT(2)
#define BAR_IO_BASE	MASK(31, 2)
#define BAR_MEMORY_BASE MASK(31, 4)
#define BAR_ROM_BASE	MASK(31, 11)
#define FIRST_PORT	0xc000

/* An address for the BAR, if it is one; true: it takes the next, too. */
static bool bar_assign(struct pci_bus *pci, uint8_t devfn, unsigned offset,
		       struct bar_space *space)
{
	uint32_t bits, size, mask = BAR_MEMORY_BASE;

	pci_config_write(pci, devfn, offset, 4,
			 offset == PCI_ROM_ADDRESS ? BAR_ROM_BASE : UINT32_MAX);
	bits = pci_config_read(pci, devfn, offset, 4);
	if (offset == PCI_ROM_ADDRESS)
		mask = BAR_ROM_BASE;
	else if (bits & BAR_IO)
		mask = BAR_IO_BASE;
	if (!(bits & mask))
		return false;
	size = -(bits & mask);
	if (mask == BAR_IO_BASE) {
		size &= UINT16_MAX;
		space->port = ALIGN_UP(space->port, size);
		pci_config_write(pci, devfn, offset, 4, space->port);
		space->port += size;
		return false;
	}
	space->memory_end = ALIGN_DOWN(space->memory_end - size, size);
	pci_config_write(pci, devfn, offset, 4, space->memory_end);
	return offset != PCI_ROM_ADDRESS && bits & BAR_64;
}

#define CLASS_IDE	 0x0101
#define INTERFACE_MASTER BIT(7)

static bool is_bus_master_ide(struct pci_bus *pci, uint8_t devfn)
{
	return pci_config_read(pci, devfn, PCI_CLASS_DEVICE, 2) == CLASS_IDE &&
	       pci_config_read(pci, devfn, PCI_CLASS_INTERFACE, 1) &
		       INTERFACE_MASTER;
}

static void function_set_up(struct pci_bus *pci,
			    const struct board_description *board,
			    uint8_t devfn, struct bar_space *space)
{
	unsigned pin = pci_config_read(pci, devfn, PCI_INTERRUPT_PIN, 1);
	uint32_t command = pci_config_read(pci, devfn, PCI_COMMAND, 2) |
			   PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
	unsigned offset;

	for (offset = PCI_BAR0; offset < PCI_BAR0 + 4 * PCI_BARS; offset += 4) {
		if (bar_assign(pci, devfn, offset, space))
			offset += 4; /* 64 bits */
	}
	/* A ROM has its place, and stays off. */
	(void)bar_assign(pci, devfn, PCI_ROM_ADDRESS, space);
	if (is_bus_master_ide(pci, devfn))
		command |= PCI_COMMAND_MASTER;
	pci_config_write(pci, devfn, PCI_COMMAND, 2, command);
	if (pin)
		pci_config_write(
			pci, devfn, PCI_INTERRUPT_LINE, 1,
			board->pirq_irq[board_pirq_of(devfn >> 3, pin - 1)]);
}

void board_functions_set_up(struct pci_bus *pci,
			    const struct board_description *board)
{
	struct bar_space space = { .port = FIRST_PORT,
				   .memory_end = board->pci_hole_end };
	unsigned devfn;

	for (devfn = 0; devfn < PCI_DEVFN(BOARD_PCI_SLOTS_MAX, 0); devfn++)
		if ((uint16_t)pci_config_read(pci, (uint8_t)devfn,
					      PCI_VENDOR_ID, 2) != UINT16_MAX)
			function_set_up(pci, board, (uint8_t)devfn, &space);
}
