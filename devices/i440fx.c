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
#define PAM_COUNT		I440FX_PAMS
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
		uint8_t now = host->pci.state->config[PAM0 + i];
		uint8_t changed = now ^ host->pam[i];

		host->pam[i] = now;
		for (half = 0; half < 2; half++)
			if (changed >> (4 * half) & PAM_HALF)
				half_changed(host, i, half,
					     now >> (4 * half) & PAM_HALF);
	}
}

/* Locked, the region can be neither opened nor unlocked. */
static void smram_update(struct pci_device *dev)
{
	if (dev->state->config[SMRAM] & SMRAM_LOCK) {
		dev->state->config[SMRAM] &= (uint8_t)~SMRAM_OPEN;
		dev->writable[SMRAM] = 0;
	} else {
		dev->writable[SMRAM] = SMRAM_WRITABLE;
	}
}

static void config_written(struct pci_device *dev, unsigned offset,
			   unsigned size)
{
	struct i440fx *host = container_of(dev, struct i440fx, pci);

	if (offset < PAM0 + PAM_COUNT && offset + size > PAM0)
		pam_update(host);
	smram_update(dev);
}

/* ---- State ------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_STRUCT(struct i440fx_state, pci, &pci_device_description),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct i440fx_state, fields);

static void reset_rest(void *opaque)
{
	struct i440fx *host = opaque;

	pci_device_reset(&host->pci);
}

static void restored(void *opaque)
{
	struct i440fx *host = opaque;

	pci_device_restored(&host->pci);
	pam_update(host);
	smram_update(&host->pci);
}

static bool is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct i440fx *host = dev;
	const struct i440fx_state *state = saved;
	uint8_t smram = state->pci.config[SMRAM];

	(void)now_ns;
	return pci_device_is_valid(&host->pci, &state->pci) &&
	       !(smram & SMRAM_LOCK && smram & SMRAM_OPEN);
}

const struct device_ops i440fx_ops = {
	.name = "i440fx",
	.version = 1,
	.state = &description,
	.reset = reset_rest,
	.restored = restored,
	.is_valid = is_valid,
};

/* ---- Life -------------------------------------------------------------- */

void i440fx_reset(struct i440fx *host)
{
	device_reset(&host->device);
}

void i440fx_pam_set(struct i440fx *host, const uint8_t pam[I440FX_PAMS])
{
	memcpy(&host->state.pci.config[PAM0], pam, I440FX_PAMS);
	pam_update(host);
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
	device_init(&host->device, &i440fx_ops, host, &host->state);
	pci_device_init(dev, &identity, &host->state.pci);
	pci_put16(dev->state->config, PCI_COMMAND,
		  PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	dev->writable[PCI_COMMAND] = PCI_COMMAND_IO; /* memory: hard-wired */
	dev->state->config[SMRAM] = SMRAM_RESET;
	dev->writable[SMRAM] = SMRAM_WRITABLE;
	memset(&dev->writable[PAM0], PAM_WRITABLE, PAM_COUNT);
	dev->config_written = config_written;
	return pci_device_add(bus, dev, PCI_DEVFN(0, 0));
}
