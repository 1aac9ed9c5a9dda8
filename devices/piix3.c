/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PIIX3 ISA bridge.  See piix3.h for what is modelled and what is not.
 *
 * References: 82371FB (PIIX) and 82371SB (PIIX3) data sheet (290550-002),
 * "PIRQ Route Control Registers", "Reset Control Register".
 */
#include "devices/piix3.h"

#include "lib/string.h"

#define PIRQRC_DISABLED BIT(7)
#define PIRQRC_IRQ	MASK(3, 0)
#define PIRQRC_WRITABLE (PIRQRC_DISABLED | PIRQRC_IRQ)
/* IRQ 3-7, 9-12, 14, 15; other values are reserved. */
#define PIRQRC_ALLOWED	0xdef8

#define RESET_HARD BIT(1)
#define RESET_CPU  BIT(2)

/* ---- Interrupts -------------------------------------------------------- */

/* The levels that PIRQs and routes make of the sixteen interrupts. */
static uint16_t wanted_levels(const struct piix3 *bridge)
{
	uint16_t levels = 0;
	unsigned i;

	for (i = 0; i < PIIX3_PIRQS; i++) {
		uint8_t route = bridge->pci.state->config[PIIX3_PIRQRC + i];

		if (bridge->asserted[i] && !(route & PIRQRC_DISABLED))
			levels |= (uint16_t)BIT(route & PIRQRC_IRQ);
	}
	return levels & PIRQRC_ALLOWED;
}

static void update(struct piix3 *bridge)
{
	uint16_t levels = wanted_levels(bridge);
	uint16_t changed = levels ^ bridge->irq_levels;

	bridge->irq_levels = levels;
	while (changed) {
		unsigned irq = (unsigned)__builtin_ctz(changed);

		changed &= (uint16_t)(changed - 1);
		bridge->irq.set(bridge->irq.sink, irq, levels & BIT(irq));
	}
}

static void intx_set(void *opaque, uint8_t devfn, unsigned pin, bool level)
{
	struct piix3 *bridge = opaque;
	uint16_t *asserted = &bridge->asserted[piix3_pirq(devfn, pin)];

	*asserted = (uint16_t)(*asserted + (level ? 1 : -1));
	update(bridge);
}

static void config_written(struct pci_device *dev, unsigned offset,
			   unsigned size)
{
	struct piix3 *bridge = container_of(dev, struct piix3, pci);

	if (offset < PIIX3_PIRQRC + PIIX3_PIRQS && offset + size > PIIX3_PIRQRC)
		update(bridge);
}

/* ---- Reset control ----------------------------------------------------- */

static void reset_access(void *opaque, struct io_access *io)
{
	struct piix3 *bridge = opaque;
	bool rose;

	if (!io->is_write) {
		io->data = bridge->state.reset_control;
		return;
	}
	rose = (io->data & RESET_CPU) &&
	       !(bridge->state.reset_control & RESET_CPU);
	bridge->state.reset_control = io->data & (RESET_HARD | RESET_CPU);
	if (rose && bridge->reset)
		bridge->reset(bridge->ctx);
}

/* ---- State ------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_STRUCT(struct piix3_state, pci, &pci_device_description),
	STATE_VALUE(struct piix3_state, reset_control),
	STATE_RESERVED(struct piix3_state, reserved),
};

static const struct state_description description =
	STATE_DESCRIPTION(struct piix3_state, fields);

static void reset_rest(void *opaque)
{
	struct piix3 *bridge = opaque;

	pci_device_reset(&bridge->pci);
}

/* The functions tell of their pins themselves, each when it is restored. */
static void restored(void *opaque)
{
	struct piix3 *bridge = opaque;

	pci_device_restored(&bridge->pci);
	update(bridge);
}

static bool is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct piix3 *bridge = dev;
	const struct piix3_state *state = saved;

	(void)now_ns;
	return pci_device_is_valid(&bridge->pci, &state->pci);
}

const struct device_ops piix3_ops = {
	.name = "piix3",
	.version = 1,
	.state = &description,
	.reset = reset_rest,
	.restored = restored,
	.is_valid = is_valid,
};

/* ---- Life -------------------------------------------------------------- */

void piix3_reset(struct piix3 *bridge)
{
	device_reset(&bridge->device);
}

/* Registers that software finds in their documented reset state. */
static void set_isa_defaults(struct pci_device *dev)
{
	static const uint8_t values[][2] = {
		{ 0x4c, 0x4d }, /* I/O recovery */
		{ 0x4e, 0x03 }, /* X-Bus chip selects: RTC, keyboard */
		{ 0x69, 0x02 }, /* top of memory */
		{ 0x70, 0x80 }, /* motherboard IRQ: none */
		{ 0x76, 0x0c }, /* motherboard DMA */
		{ 0x77, 0x0c }, { 0x78, 0x02 }, /* programmable chip select */
		{ 0xa0, 0x08 },			/* SMI control */
		{ 0xa8, 0x0f },			/* fast-off timer */
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		dev->state->config[values[i][0]] = values[i][1];
		dev->writable[values[i][0]] = 0xff;
	}
	dev->writable[0x4f] = 0xff;
	dev->writable[0x82] = 0xff;
}

int piix3_init(struct piix3 *bridge, struct pci_bus *bus, struct irq_line irq,
	       void (*reset)(void *ctx), void *ctx)
{
	static const struct pci_identity identity = {
		.name = "piix3",
		.vendor = 0x8086,
		.device = 0x7000,
		.class = 0x0601,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
	};
	struct pci_device *dev = &bridge->pci;

	memset(bridge, 0, sizeof(*bridge));
	bridge->irq = irq;
	bridge->reset = reset;
	bridge->ctx = ctx;
	device_init(&bridge->device, &piix3_ops, bridge, &bridge->state);
	pci_device_init(dev, &identity, &bridge->state.pci);
	pci_put16(dev->state->config, PCI_COMMAND,
		  PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	dev->writable[PCI_COMMAND] = PCI_COMMAND_SPECIAL;
	pci_put16(dev->state->config, PCI_STATUS, PCI_STATUS_MEDIUM);
	dev->state->config[PCI_HEADER_TYPE] = PCI_HEADER_MULTIPLE;
	memset(&dev->state->config[PIIX3_PIRQRC], PIRQRC_DISABLED, PIIX3_PIRQS);
	memset(&dev->writable[PIIX3_PIRQRC], PIRQRC_WRITABLE, PIIX3_PIRQS);
	set_isa_defaults(dev);
	dev->config_written = config_written;
	bus->intx_set = intx_set;
	bus->intx_ctx = bridge;
	bus->reset_control = reset_access;
	bus->reset_control_dev = bridge;
	return pci_device_add(bus, dev, PCI_DEVFN(1, 0));
}
