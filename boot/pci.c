/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the host's PCI functions: what can be granted to a program, and where
 * firmware has put its registers.
 *
 * References: PCI Local Bus Specification 3.0, 6.2.5.1, "Address Maps" (how
 * large a BAR is).
 */
#include "boot/boot.h"

#include "include/log.h"
#include "kernel/host.h"
#include "kernel/pci.h"

#define BUSES	     256U
#define DEVICES	     32U
#define FUNCTIONS    8U
#define NO_VENDOR    0xffffU
#define CLASS_BRIDGE 6U
#define CAPS_MAX     48U /* as many as fit behind the header */

#define BAR_IO	    BIT(0)
#define BAR_TYPE    MASK(2, 1)
#define BAR_TYPE_64 2U
#define BAR_ADDRESS MASK(31, 4)

static uint8_t cap_find(uint16_t address, uint8_t wanted)
{
	uint32_t next = pci_read(address, PCI_CAPS, 1);

	if (!(pci_read(address, PCI_COMMAND, 4) & PCI_STATUS_CAPS))
		return 0;
	for (unsigned i = 0; i < CAPS_MAX && next >= 0x40; i++) {
		uint32_t cap;

		next &= MASK(7, 2);
		cap = pci_read(address, (unsigned)next, 2);
		if ((cap & 0xff) == wanted)
			return (uint8_t)next;
		next = cap >> 8;
	}
	return 0;
}

/* What stays of ones is the part that the device decodes. */
static uint32_t bar_size_bits(uint16_t address, unsigned n, uint32_t value)
{
	uint32_t bits;

	pci_write(address, PCI_BAR(n), 4, UINT32_MAX);
	bits = pci_read(address, PCI_BAR(n), 4);
	pci_write(address, PCI_BAR(n), 4, value);
	return bits;
}

/* True: it takes the next register, too. */
static bool bar_find(struct pci_function *function, unsigned n,
		     const struct boot_ranges *ram)
{
	uint16_t address = function->info.address;
	struct pci_bar *bar = &function->bar[n];
	uint64_t bits, base;
	bool is_64;

	if (bar->value & BAR_IO)
		return false;
	is_64 = FIELD_GET(BAR_TYPE, bar->value) == BAR_TYPE_64 &&
		n + 1 < GATE_DEVICE_BARS;
	base = bar->value & BAR_ADDRESS;
	bits = (bar_size_bits(address, n, bar->value) & BAR_ADDRESS) |
	       MASK(63, 32);
	if (is_64) {
		base |= (uint64_t)bar[1].value << 32;
		bits &= (uint64_t)bar_size_bits(address, n + 1, bar[1].value)
				<< 32 |
			MASK(31, 0);
	}
	/* Of less than a page others may share the page. */
	if (!(bits & BAR_ADDRESS) && !is_64)
		return false;
	bar->base = base;
	bar->size = ~bits + 1;
	if (!base || !IS_ALIGNED(bar->size | base, PAGE_SIZE)) {
		bar->size = 0;
	} else if (ranges_misplaced(ram, bar->base, bar->size)) {
		bar->size = 0;
		function->is_misplaced = true;
	}
	return is_64;
}

/* With decoding off: nothing answers at addresses that are only asked for. */
static void bars_find(struct pci_function *function,
		      const struct boot_ranges *ram)
{
	uint16_t address = function->info.address;
	uint32_t command = pci_read(address, PCI_COMMAND, 2);

	for (unsigned i = 0; i < GATE_DEVICE_BARS; i++)
		function->bar[i].value = pci_read(address, PCI_BAR(i), 4);
	pci_write(address, PCI_COMMAND, 2,
		  command & ~(uint32_t)(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	for (unsigned i = 0; i < GATE_DEVICE_BARS; i++)
		i += bar_find(function, i, ram);
	pci_write(address, PCI_COMMAND, 2, command);
}

/* Bytes of the BAR that hold size bytes of what the register says, in pages. */
static bool msix_range(const struct pci_function *function, unsigned offset,
		       uint64_t size, struct pci_range *range, uint64_t *at)
{
	uint32_t where =
		pci_read(function->info.address, function->msix + offset, 4);

	range->bar = (uint8_t)FIELD_GET(PCI_MSIX_BAR, where);
	*at = where & PCI_MSIX_OFFSET;
	range->start = ALIGN_DOWN(*at, PAGE_SIZE);
	range->end = ALIGN_UP(*at + size, PAGE_SIZE);
	return range->bar < GATE_DEVICE_BARS &&
	       range->end <= function->bar[range->bar].size;
}

/* One whose table is not where it says has none. */
static void msix_find(struct host *host, struct pci_function *function)
{
	uint16_t address = function->info.address;
	struct pci_range *table = &function->monitors[0];
	uint64_t at, ignored;
	unsigned count;

	function->msix = cap_find(address, PCI_CAP_MSIX);
	if (!function->msix)
		return;
	count = (unsigned)FIELD_GET(PCI_MSIX_SIZE,
				    pci_read(address, function->msix, 4)) +
		1;
	if (msix_range(function, PCI_MSIX_TABLE, count * 16, table, &at) &&
	    msix_range(function, PCI_MSIX_PENDING, DIV_ROUND_UP(count, 64) * 8,
		       &function->monitors[1], &ignored))
		function->table = map_device(
			&host->map, function->bar[table->bar].base + at,
			count * 16);
	if (function->table)
		function->info.vector_count = (uint16_t)count;
	else
		function->msix = 0;
}

static void function_find(struct host *host, uint16_t address,
			  const struct boot_ranges *ram)
{
	struct pci_function *function = &host->pci.function[host->pci.count++];
	struct gate_pci_info *info = &function->info;
	uint32_t id = pci_read(address, PCI_ID, 4);
	uint32_t class = pci_read(address, PCI_CLASS, 4);
	uint32_t subsystem = pci_read(address, PCI_SUBSYSTEM, 4);
	uint32_t irq = pci_read(address, PCI_IRQ_LINE, 2); /* and its pin */

	info->address = address;
	info->vendor = (uint16_t)id;
	info->device = (uint16_t)(id >> 16);
	info->subsystem_vendor = (uint16_t)subsystem;
	info->subsystem = (uint16_t)(subsystem >> 16);
	info->revision = (uint8_t) class;
	info->class_code = class >> 8;
	info->irq_line = irq >> 8 ? (uint8_t)irq : 0;
	bars_find(function, ram);
	msix_find(host, function);
	function->express = cap_find(address, PCI_CAP_EXPRESS);
	info->has_flr =
		function->express &&
		pci_read(address, function->express + PCI_EXPRESS_CAPS, 4) &
			PCI_EXPRESS_HAS_FLR;
}

/* True: the device has other functions. */
static bool function_look(struct host *host, uint16_t address,
			  const struct boot_ranges *ram, unsigned *left_out)
{
	uint32_t header;

	if (pci_read(address, PCI_ID, 2) == NO_VENDOR)
		return false;
	header = pci_read(address, PCI_HEADER, 4);
	/* Bridges are nobody's. */
	if (!(header & PCI_HEADER_TYPE) &&
	    pci_read(address, PCI_CLASS, 4) >> 24 != CLASS_BRIDGE) {
		if (host->pci.count < PCI_FUNCTIONS_MAX)
			function_find(host, address, ram);
		else
			++*left_out;
	}
	return header & PCI_HEADER_MULTI;
}

void pci_find(struct host *host, const struct boot_ranges *ram)
{
	unsigned left_out = 0;

	for (unsigned device = 0; device < BUSES * DEVICES; device++) {
		uint16_t address = (uint16_t)(device * FUNCTIONS);

		if (!function_look(host, address, ram, &left_out))
			continue;
		for (unsigned i = 1; i < FUNCTIONS; i++)
			(void)function_look(host, (uint16_t)(address + i), ram,
					    &left_out);
	}
	if (left_out)
		log_warn("%u PCI functions left out: at most %u are known",
			 left_out, PCI_FUNCTIONS_MAX);
}
