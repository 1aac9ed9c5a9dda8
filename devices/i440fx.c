/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The i440FX host bridge.  See i440fx.h for what is modelled and what is not.
 *
 * References: 82441FX (PMC) data sheet (290549-001), "PAM - Programmable
 * Attribute Map Registers", "SMRAM Control Register".
 */
#include "devices/i440fx.h"

#include "lib/string.h"

/* clang-format off */
#define PAM0			0x59 /* its high nibble: 0xf0000-0xfffff */
#define PAM_COUNT		7
#define PAM_READ		BIT(0)
#define PAM_WRITE		BIT(1)
#define PAM_HALF		MASK(3, 0)
#define PAM_WRITABLE		0x33
#define SMRAM			0x72
#define   SMRAM_RESET		0x02
#define   SMRAM_WRITABLE	0x7f
#define   SMRAM_LOCK		BIT(4)
#define   SMRAM_OPEN		BIT(6)

#define SEGMENT_BASE	0xc0000
#define SEGMENT_LENGTH	0x4000
#define BIOS_BASE	0xf0000
#define BIOS_LENGTH	0x10000
/* clang-format on */

static void half_changed(struct i440fx *host, unsigned number, unsigned half,
			 uint8_t value)
{
	gpa_t base = BIOS_BASE;
	uint64_t length = BIOS_LENGTH;

	if (number > 0) {
		base = SEGMENT_BASE +
		       (2 * (number - 1) + half) * SEGMENT_LENGTH;
		length = SEGMENT_LENGTH;
	}
	host->pam_changed(host->ctx, base, length, value & PAM_READ,
			  value & PAM_WRITE);
}

static void pam_update(struct i440fx *host)
{
	unsigned i, half;

	for (i = 0; i < PAM_COUNT; i++) {
		uint8_t now = host->pci.s.config[PAM0 + i];
		uint8_t changed = now ^ host->pam[i];

		host->pam[i] = now;
		for (half = 0; half < 2; half++)
			if (changed >> (4 * half) & PAM_HALF)
				half_changed(host, i, half,
					     now >> (4 * half) & PAM_HALF);
	}
}

static void config_written(struct pci_device *dev, unsigned offset,
			   unsigned size)
{
	struct i440fx *host = container_of(dev, struct i440fx, pci);

	if (offset < PAM0 + PAM_COUNT && offset + size > PAM0)
		pam_update(host);
	/* Locked, the region can be neither opened nor unlocked. */
	if (dev->s.config[SMRAM] & SMRAM_LOCK) {
		dev->s.config[SMRAM] &= (uint8_t)~SMRAM_OPEN;
		dev->writable[SMRAM] = 0;
	} else {
		dev->writable[SMRAM] = SMRAM_WRITABLE;
	}
}

void i440fx_reset(struct i440fx *host)
{
	pci_device_reset(&host->pci);
}

int i440fx_init(struct i440fx *host, struct pci_bus *bus,
		i440fx_pam_fn pam_changed, void *ctx)
{
	static const struct pci_identity identity = {
		.name = "i440fx",
		.vendor = 0x8086,
		.device = 0x1237,
		.class = 0x0600,
		.revision = 2,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
	};
	struct pci_device *dev = &host->pci;

	memset(host, 0, sizeof(*host));
	host->pam_changed = pam_changed;
	host->ctx = ctx;
	pci_device_init(dev, &identity);
	pci_put16(dev->s.config, PCI_COMMAND,
		  PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	dev->writable[PCI_COMMAND] = PCI_COMMAND_IO; /* memory: hard-wired */
	dev->s.config[SMRAM] = SMRAM_RESET;
	dev->writable[SMRAM] = SMRAM_WRITABLE;
	memset(&dev->writable[PAM0], PAM_WRITABLE, PAM_COUNT);
	dev->config_written = config_written;
	return pci_device_add(bus, dev, PCI_DEVFN(0, 0));
}
