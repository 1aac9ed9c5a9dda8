/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Expansion ROMs: an image behind the last of a function's base addresses.
 * Firmware copies or runs it from there, so the processor's accesses by
 * pointer must find it, too; but hardly any access is to one, so that the bus
 * keeps the range in which those that decode lie, and pci_rom_at() costs two
 * comparisons outside it.
 *
 * References: PCI Local Bus Specification 3.0, 6.2.5.2 and 6.3.
 */
#include "devices/pci.h"

/* Beyond the image's end the ROM reads as zeros. */
static void rom_access(void *opaque, struct io_access *io)
{
	const struct pci_device *dev = opaque;

	if (io->is_write)
		return;
	io->data = 0;
	for (unsigned i = 0; i < io->size; i++)
		if (io->offset + i < dev->rom_length)
			io->data |= (uint64_t)dev->rom[io->offset + i] << 8 * i;
}

int pci_rom_add(struct pci_device *dev, const uint8_t *image, uint32_t length)
{
	struct pci_bar bar = {
		.kind = PCI_BAR_MEMORY,
		.size = PCI_ROM_SIZE_MIN,
		.region = { .name = "pci-rom",
			    .fn = rom_access,
			    .dev = dev,
			    .width_min = 1,
			    .width_max = 8 },
	};

	while (bar.size < length)
		bar.size *= 2;
	dev->rom = image;
	dev->rom_length = length;
	return pci_bar_add(dev, PCI_ROM, &bar);
}

static bool is_shown(const struct pci_device *dev)
{
	return dev && dev->rom && dev->bar[PCI_ROM].is_mapped;
}

void pci_roms_changed(struct pci_bus *pci)
{
	pci->roms_begin = UINT64_MAX;
	pci->roms_end = 0;
	for (unsigned devfn = 0; devfn < ARRAY_SIZE(pci->device); devfn++) {
		const struct pci_device *dev = pci->device[devfn];
		uint64_t base;

		if (!is_shown(dev))
			continue;
		base = dev->bar[PCI_ROM].base;
		pci->roms_begin = MIN(pci->roms_begin, base);
		pci->roms_end = MAX(pci->roms_end, base + dev->rom_length);
	}
}

const void *pci_rom_find(const struct pci_bus *pci, uint64_t address,
			 uint64_t length)
{
	for (unsigned devfn = 0; devfn < ARRAY_SIZE(pci->device); devfn++) {
		const struct pci_device *dev = pci->device[devfn];
		uint64_t offset;

		if (!is_shown(dev) || address < dev->bar[PCI_ROM].base)
			continue;
		offset = address - dev->bar[PCI_ROM].base;
		if (offset < dev->rom_length &&
		    length <= dev->rom_length - offset)
			return dev->rom + offset;
	}
	return NULL;
}
