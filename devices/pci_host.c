/* SPDX-License-Identifier: BSD-2-Clause */
/* A host bridge without registers: see pci_host.h. */
#include "devices/pci_host.h"

#include "lib/string.h"

static unsigned wire_of(uint8_t devfn, unsigned pin)
{
	return ((devfn >> 3) + pin + 3) % PCI_HOST_WIRES;
}

/* The bus tells of changes alone. */
static void intx_set(void *opaque, uint8_t devfn, unsigned pin, bool level)
{
	struct pci_host *host = opaque;
	unsigned wire = wire_of(devfn, pin);
	uint16_t *asserted = &host->asserted[wire];

	*asserted = (uint16_t)(*asserted + (level ? 1 : -1));
	host->out.set(host->out.sink, host->out.pin + wire, *asserted);
}

/* ---- State --------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_STRUCT(struct pci_host_state, pci, &pci_device_description),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct pci_host_state, fields);

static void reset_rest(void *opaque)
{
	struct pci_host *host = opaque;

	pci_device_reset(&host->pci);
}

static void restored(void *opaque)
{
	struct pci_host *host = opaque;

	pci_device_restored(&host->pci);
}

static bool is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct pci_host *host = dev;
	const struct pci_host_state *state = saved;

	(void)now_ns;
	return pci_device_is_valid(&host->pci, &state->pci);
}

const struct device_ops pci_host_ops = {
	.name = "pci_host",
	.version = 1,
	.state = &description,
	.reset = reset_rest,
	.restored = restored,
	.is_valid = is_valid,
};

int pci_host_init(struct pci_host *host, struct pci_bus *bus,
		  struct irq_line out)
{
	static const struct pci_identity identity = {
		.name = "pci_host",
		.vendor = 0x1b36,
		.device = 0x0008,
		.class = 0x0600,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
	};

	memset(host, 0, sizeof(*host));
	device_init(&host->device, &pci_host_ops, host, &host->state);
	pci_device_init(&host->pci, &identity, &host->state.pci);
	host->out = out;
	bus->intx_set = intx_set;
	bus->intx_ctx = host;
	return pci_device_add(bus, &host->pci, PCI_DEVFN(0, 0));
}
