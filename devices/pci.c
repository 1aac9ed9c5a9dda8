/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI bus, configuration mechanism #1 and base address registers.  See
 * pci.h for what is modelled and what is not.
 *
 * A BAR decodes when the command register says so, its base makes sense and
 * nobody else has the place.  Software moves BARs one after another, so that
 * for a moment two may want one place: who comes second stays unmapped and is
 * tried again after every later change.
 *
 * References: PCI Local Bus Specification 3.0, chapter 6 and 3.2.2.3.2.
 */
#include "devices/pci.h"

#include "devices/pci_msi.h"
#include "include/errno.h"
#include "lib/string.h"

/* clang-format off */
#define CONFADD			0xcf8
#define   CONFADD_ENABLE	BIT(31)
#define   CONFADD_BUS		MASK(23, 16)
#define   CONFADD_DEVFN		MASK(15, 8)
#define   CONFADD_REG		MASK(7, 2)
#define   CONFADD_KEPT		(CONFADD_ENABLE | MASK(23, 2))
#define CONFDATA		0xcfc
#define RESET_CONTROL		0xcf9

#define BAR_IS_IO	BIT(0)
#define BAR_TYPE_64	BIT(2)
#define BAR_PREFETCH	BIT(3)
#define BAR_IO_BASE	MASK(31, 2)
#define BAR_BASE	MASK(31, 4)
#define ROM_BASE	MASK(31, 11)
#define HEADER_SIZE	0x40
/* clang-format on */

/* ---- Base address registers -------------------------------------------- */

static unsigned bar_offset(unsigned index)
{
	return index == PCI_ROM ? PCI_ROM_ADDRESS : PCI_BAR0 + 4 * index;
}

static bool bar_is_64(const struct pci_bar *bar)
{
	return bar->kind == PCI_BAR_MEMORY_64 ||
	       bar->kind == PCI_BAR_MEMORY_64_PREFETCH;
}

static bool in_window(const struct pci_bus *pci, uint64_t base, uint64_t size)
{
	unsigned i;

	for (i = 0; i < PCI_WINDOWS; i++) {
		const struct pci_window *window = &pci->window[i];

		if (base >= window->base && size <= window->length &&
		    base - window->base <= window->length - size)
			return true;
	}
	return false;
}

static bool wanted_io(const uint8_t *config, const struct pci_bar *bar,
		      uint32_t low, uint64_t *base)
{
	*base = low & BAR_IO_BASE;
	return (config[PCI_COMMAND] & PCI_COMMAND_IO) && *base &&
	       *base + bar->size < BUS_PORTS;
}

/* Where the BAR should decode with this configuration; false: nowhere. */
static bool bar_wanted(const struct pci_device *dev, const uint8_t *config,
		       unsigned index, uint64_t *base)
{
	const struct pci_bar *bar = &dev->bar[index];
	uint32_t low = pci_get32(config, bar_offset(index));

	if (bar->kind == PCI_BAR_IO)
		return wanted_io(config, bar, low, base);
	if (!(config[PCI_COMMAND] & PCI_COMMAND_MEMORY))
		return false;
	if (index == PCI_ROM) {
		*base = low & ROM_BASE;
		if (!(low & PCI_ROM_ENABLE))
			return false;
	} else {
		*base = low & BAR_BASE;
	}
	if (bar_is_64(bar))
		*base |= (uint64_t)pci_get32(config, bar_offset(index + 1))
			 << 32;
	return *base && in_window(dev->bus, *base, bar->size);
}

static void bar_unmap(struct pci_device *dev, unsigned index)
{
	struct pci_bar *bar = &dev->bar[index];
	struct bus *bus =
		bar->kind == PCI_BAR_IO ? dev->bus->ports : dev->bus->memory;

	bar->is_mapped = false;
	dev->state->mapped &= (uint8_t)~BIT(index);
	if (bar->region.fn)
		(void)bus_remove(bus, bar->base, bar->region.dev);
	if (index == PCI_ROM)
		pci_roms_changed(dev->bus);
	if (bar->mapped)
		bar->mapped(dev, index, bar->base, false);
}

/* Memory that devices map themselves is on no bus: compare them all. */
static bool place_is_taken(const struct pci_bus *pci, const struct pci_bar *bar,
			   uint64_t base)
{
	unsigned devfn, i;

	for (devfn = 0; devfn < pci->devfn_end; devfn++) {
		const struct pci_device *dev = pci->device[devfn];

		for (i = 0; dev && i <= PCI_ROM; i++) {
			const struct pci_bar *other = &dev->bar[i];

			if (other->is_mapped && other->kind != PCI_BAR_IO &&
			    base < other->base + other->size &&
			    other->base < base + bar->size)
				return true;
		}
	}
	return false;
}

static void bar_map(struct pci_device *dev, unsigned index, uint64_t base)
{
	struct pci_bar *bar = &dev->bar[index];
	bool is_io = bar->kind == PCI_BAR_IO;

	if (!is_io && place_is_taken(dev->bus, bar, base))
		return;
	if (bar->region.fn) {
		struct io_region region = bar->region;

		region.base = base;
		region.length = bar->size;
		region.is_movable = true;
		if (bus_add(is_io ? dev->bus->ports : dev->bus->memory,
			    &region))
			return;
	}
	bar->is_mapped = true;
	dev->state->mapped |= (uint8_t)BIT(index);
	bar->base = base;
	if (index == PCI_ROM)
		pci_roms_changed(dev->bus);
	if (bar->mapped)
		bar->mapped(dev, index, base, true);
}

static void bars_unmap_moved(struct pci_device *dev)
{
	unsigned i;

	for (i = 0; i <= PCI_ROM; i++) {
		uint64_t base;

		if (dev->bar[i].is_mapped &&
		    (!bar_wanted(dev, dev->state->config, i, &base) ||
		     base != dev->bar[i].base))
			bar_unmap(dev, i);
	}
}

static void bars_map_all(struct pci_bus *pci)
{
	unsigned devfn, i;

	for (devfn = 0; devfn < pci->devfn_end; devfn++) {
		struct pci_device *dev = pci->device[devfn];

		for (i = 0; dev && i <= PCI_ROM; i++) {
			struct pci_bar *bar = &dev->bar[i];
			uint64_t base;

			if (bar->kind != PCI_BAR_NONE && !bar->is_mapped &&
			    bar_wanted(dev, dev->state->config, i, &base))
				bar_map(dev, i, base);
		}
	}
}

/*
 * After a restore: those that decoded when the state was saved.  While other
 * devices still have their old places some may fail; the turn of the last
 * device gets them all.
 */
static void bars_map_saved(struct pci_bus *pci)
{
	unsigned devfn, i;

	for (devfn = 0; devfn < pci->devfn_end; devfn++) {
		struct pci_device *dev = pci->device[devfn];

		for (i = 0; dev && i <= PCI_ROM; i++) {
			uint64_t base;

			if (dev->state->mapped & BIT(i) &&
			    !dev->bar[i].is_mapped &&
			    bar_wanted(dev, dev->state->config, i, &base))
				bar_map(dev, i, base);
		}
	}
}

static bool bar_is_valid(unsigned index, const struct pci_bar *bar)
{
	uint64_t least = bar->kind == PCI_BAR_IO ? 4
			 : index == PCI_ROM	 ? PCI_ROM_SIZE_MIN
						 : 16;

	if (bar->kind == PCI_BAR_NONE || index > PCI_ROM ||
	    (bar->size & (bar->size - 1)) || bar->size < least)
		return false;
	if (bar_is_64(bar))
		return index < PCI_BARS - 1;
	if (index == PCI_ROM)
		return bar->kind == PCI_BAR_MEMORY && bar->size <= MIB(16);
	return bar->size <= (bar->kind == PCI_BAR_IO ? 256 : GIB(2));
}

int pci_bar_add(struct pci_device *dev, unsigned index,
		const struct pci_bar *bar)
{
	unsigned offset = bar_offset(index);
	uint32_t flags = 0;

	if (!bar_is_valid(index, bar))
		return -EINVAL;
	dev->bar[index] = *bar;
	dev->bar[index].is_mapped = false;
	if (bar->kind == PCI_BAR_IO)
		flags = BAR_IS_IO;
	if (bar_is_64(bar)) {
		flags = BAR_TYPE_64;
		pci_put32(dev->writable, offset + 4,
			  (uint32_t)(~(bar->size - 1) >> 32));
	}
	if (bar->kind == PCI_BAR_MEMORY_PREFETCH ||
	    bar->kind == PCI_BAR_MEMORY_64_PREFETCH)
		flags |= BAR_PREFETCH;
	pci_put32(dev->state->config, offset, flags);
	pci_put32(dev->writable, offset,
		  (uint32_t) ~(bar->size - 1) |
			  (index == PCI_ROM ? PCI_ROM_ENABLE : 0));
	return 0;
}

/* ---- INTx -------------------------------------------------------------- */

static void intx_update(struct pci_device *dev)
{
	bool is_off = pci_get16(dev->state->config, PCI_COMMAND) &
			      PCI_COMMAND_INTX_OFF ||
		      pci_msi_is_enabled(dev);
	bool level = dev->state->intx_level && !is_off;

	if (dev->state->intx_level)
		dev->state->config[PCI_STATUS] |= PCI_STATUS_INTX;
	else
		dev->state->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTX;
	if (level == dev->intx_out)
		return;
	dev->intx_out = level;
	if (dev->bus->intx_set)
		dev->bus->intx_set(dev->bus->intx_ctx, dev->devfn,
				   dev->state->config[PCI_INTERRUPT_PIN] - 1U,
				   level);
}

void pci_intx_set(struct pci_device *dev, bool level)
{
	if (dev->state->intx_level == level ||
	    !dev->state->config[PCI_INTERRUPT_PIN])
		return;
	dev->state->intx_level = level;
	intx_update(dev);
}

/* ---- Configuration space ----------------------------------------------- */

static bool touches(unsigned offset, unsigned size, unsigned first,
		    unsigned length)
{
	return offset < first + length && first < offset + size;
}

static void config_written(struct pci_device *dev, unsigned offset,
			   unsigned size)
{
	if (touches(offset, size, PCI_COMMAND, 2)) {
		intx_update(dev);
		bars_unmap_moved(dev);
		bars_map_all(dev->bus);
	} else if (touches(offset, size, PCI_BAR0, 4 * PCI_BARS) ||
		   touches(offset, size, PCI_ROM_ADDRESS, 4)) {
		bars_unmap_moved(dev);
		bars_map_all(dev->bus);
	}
	if (offset + size > HEADER_SIZE) {
		/* Enabling messages takes the INTx pin away. */
		intx_update(dev);
		pci_messages_written(dev, offset, size);
	}
	if (dev->config_written)
		dev->config_written(dev, offset, size);
}

uint32_t pci_config_read(struct pci_bus *pci, uint8_t devfn, unsigned offset,
			 unsigned size)
{
	struct pci_device *dev = pci->device[devfn];
	uint32_t value = 0;

	if (unlikely(!dev || offset + size > PCI_CONFIG_SIZE))
		return ~0U;
	if (unlikely(dev->config_wanted))
		dev->config_wanted(dev, offset, size);
	if (likely(size == 4 && !(offset & 3)))
		return *(const uint32_t *)&dev->state->config[offset];
	while (size--)
		value = value << 8 | dev->state->config[offset + size];
	return value;
}

void pci_config_write(struct pci_bus *pci, uint8_t devfn, unsigned offset,
		      unsigned size, uint32_t value)
{
	struct pci_device *dev = pci->device[devfn];
	unsigned i;

	if (!dev || offset + size > PCI_CONFIG_SIZE)
		return;
	for (i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)(value >> (8 * i));
		uint8_t *at = &dev->state->config[offset + i];
		uint8_t writable = dev->writable[offset + i];

		*at = (uint8_t)((*at & ~writable) | (byte & writable));
		*at &= (uint8_t) ~(byte & dev->clearable[offset + i]);
	}
	config_written(dev, offset, size);
}

/* ---- Mechanism #1 ------------------------------------------------------ */

static void address_access(void *opaque, struct io_access *io)
{
	struct pci_bus *pci = opaque;

	if (io->size == 4) {
		if (io->is_write)
			pci->state.address =
				(uint32_t)(io->data & CONFADD_KEPT);
		else
			io->data = pci->state.address;
	} else if (io->size == 1 && io->offset == RESET_CONTROL - CONFADD &&
		   pci->reset_control) {
		io->offset = 0;
		pci->reset_control(pci->reset_control_dev, io);
	}
}

static void data_access(void *opaque, struct io_access *io)
{
	struct pci_bus *pci = opaque;
	uint32_t address = pci->state.address;
	uint8_t devfn = (uint8_t)FIELD_GET(CONFADD_DEVFN, address);
	unsigned offset = (unsigned)((address & CONFADD_REG) | io->offset);

	if ((address & (CONFADD_ENABLE | CONFADD_BUS)) != CONFADD_ENABLE)
		return;
	if (io->is_write)
		pci_config_write(pci, devfn, offset, io->size,
				 (uint32_t)io->data);
	else
		io->data = pci_config_read(pci, devfn, offset, io->size);
}

/* ---- Devices ----------------------------------------------------------- */

void pci_device_init(struct pci_device *dev, const struct pci_identity *id,
		     struct pci_device_state *state)
{
	memset(dev, 0, sizeof(*dev));
	dev->state = state;
	dev->name = id->name;
	pci_put16(dev->state->config, PCI_VENDOR_ID, id->vendor);
	pci_put16(dev->state->config, PCI_DEVICE_ID, id->device);
	pci_put16(dev->state->config, PCI_CLASS_DEVICE, id->class);
	dev->state->config[PCI_CLASS_INTERFACE] = id->interface;
	dev->state->config[PCI_REVISION_ID] = id->revision;
	pci_put16(dev->state->config, PCI_SUBSYSTEM_VENDOR_ID,
		  id->subsystem_vendor);
	pci_put16(dev->state->config, PCI_SUBSYSTEM_ID, id->subsystem);
	dev->state->config[PCI_INTERRUPT_PIN] = id->interrupt_pin;
	/* Also without a BAR: a VGA decodes its legacy ports and memory. */
	pci_put16(dev->writable, PCI_COMMAND,
		  PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
			  PCI_COMMAND_SERR | PCI_COMMAND_INTX_OFF);
	dev->writable[PCI_INTERRUPT_LINE] = 0xff;
}

int pci_capability_add(struct pci_device *dev, uint8_t id, unsigned offset,
		       unsigned length)
{
	uint8_t *config = dev->state->config;
	unsigned i, link = PCI_CAPABILITY_LIST;

	if (offset < HEADER_SIZE || offset & 3 || length < 2 ||
	    length > PCI_CONFIG_SIZE || offset > PCI_CONFIG_SIZE - length)
		return -EINVAL;
	for (i = offset; i < offset + length; i++)
		if (config[i] || dev->writable[i])
			return -EEXIST;
	/* Each has a place of its own, so that the list ends. */
	while (config[link])
		link = config[link] + PCI_CAPABILITY_NEXT;
	config[link] = (uint8_t)offset;
	config[offset] = id;
	config[PCI_STATUS] |= PCI_STATUS_CAPABILITIES;
	return 0;
}

int pci_device_add(struct pci_bus *pci, struct pci_device *dev, uint8_t devfn)
{
	if (pci->device[devfn])
		return -EEXIST;
	memcpy(dev->initial, dev->state->config, sizeof(dev->initial));
	dev->bus = pci;
	dev->devfn = devfn;
	pci->device[devfn] = dev;
	/* Who looks at all devices at each change of a BAR is spared the rest.
	 */
	pci->devfn_end = MAX(pci->devfn_end, devfn + 1U);
	return 0;
}

void pci_device_reset(struct pci_device *dev)
{
	/* The table has the level already; the wire has to follow, by the pin
	 * that the configuration says. */
	memcpy(dev->state->config, dev->initial, sizeof(dev->state->config));
	dev->state->intx_level = false;
	intx_update(dev);
	pci_messages_reset(dev);
	bars_unmap_moved(dev);
	bars_map_all(dev->bus);
	if (dev->config_written)
		dev->config_written(dev, 0, PCI_CONFIG_SIZE);
}

void pci_device_restored(struct pci_device *dev)
{
	uint8_t mapped = dev->state->mapped;
	unsigned i;

	for (i = 0; i <= PCI_ROM; i++)
		if (dev->bar[i].is_mapped)
			bar_unmap(dev, i);
	dev->state->mapped = mapped;
	bars_map_saved(dev->bus);
	intx_update(dev);
}

/* Could the BARs that the state says are mapped all be so? */
static bool bars_are_valid(const struct pci_device *dev,
			   const struct pci_device_state *state)
{
	uint64_t base[PCI_ROM + 1];
	unsigned i, k;

	for (i = 0; i <= PCI_ROM; i++) {
		const struct pci_bar *bar = &dev->bar[i];
		bool is_io = bar->kind == PCI_BAR_IO;

		if (!(state->mapped & BIT(i)))
			continue;
		if (bar->kind == PCI_BAR_NONE ||
		    !bar_wanted(dev, state->config, i, &base[i]))
			return false;
		if (bar->region.fn &&
		    bus_has_fixed(is_io ? dev->bus->ports : dev->bus->memory,
				  base[i], bar->size))
			return false;
		for (k = 0; k < i; k++)
			if (state->mapped & BIT(k) &&
			    is_io == (dev->bar[k].kind == PCI_BAR_IO) &&
			    base[k] < base[i] + bar->size &&
			    base[i] < base[k] + dev->bar[k].size)
				return false;
	}
	return true;
}

bool pci_device_is_valid(const struct pci_device *dev,
			 const struct pci_device_state *state)
{
	unsigned i;

	/* Bits that neither software nor the device changes. */
	for (i = 0; i < HEADER_SIZE; i++)
		if (i / 2 != PCI_STATUS / 2 &&
		    (state->config[i] ^ dev->initial[i]) & ~dev->writable[i])
			return false;
	if (state->intx_level && !state->config[PCI_INTERRUPT_PIN])
		return false;
	return bars_are_valid(dev, state) &&
	       pci_messages_are_valid(dev, state) &&
	       !(state->config[PCI_STATUS] & PCI_STATUS_INTX) ==
		       !state->intx_level;
}

/* ---- State ------------------------------------------------------------- */

static const struct state_field device_fields[] = {
	STATE_ARRAY(struct pci_device_state, config),
	STATE_VALUE(struct pci_device_state, mapped, .max = MASK(PCI_ROM, 0)),
	STATE_VALUE(struct pci_device_state, intx_level),
	STATE_RESERVED(struct pci_device_state, reserved),
};

const struct state_description pci_device_description =
	STATE_DESCRIPTION(struct pci_device_state, device_fields);

static const struct state_field bus_fields[] = {
	STATE_VALUE(struct pci_bus_state, address),
};

static const struct state_description bus_description =
	STATE_DESCRIPTION(struct pci_bus_state, bus_fields);

const struct device_ops pci_bus_ops = {
	.name = "pci-bus",
	.version = 1,
	.state = &bus_description,
};

/* ---- The bus ----------------------------------------------------------- */

int pci_bus_init(struct pci_bus *pci, struct bus *ports, struct bus *memory)
{
	const struct io_region address = {
		.name = "pci-address",
		.base = CONFADD,
		.length = 4,
		.fn = address_access,
		.dev = pci,
	};
	const struct io_region data = {
		.name = "pci-data",
		.base = CONFDATA,
		.length = 4,
		.fn = data_access,
		.dev = pci,
	};
	int error;

	memset(pci, 0, sizeof(*pci));
	device_init(&pci->self, &pci_bus_ops, pci, &pci->state);
	pci->ports = ports;
	pci->memory = memory;
	error = bus_add(ports, &address);
	if (error)
		return error;
	return bus_add(ports, &data);
}

void pci_bus_reset(struct pci_bus *pci)
{
	device_reset(&pci->self);
}
