/* SPDX-License-Identifier: BSD-2-Clause */
/* States of the older network cards, with frames and pointers at random. */
#include "tests/unit/state_net.h"
#include "tests/unit/state_ne2000.h"

#include "devices/pcnet.h"
#include "devices/rtl8139.h"

#define BAR_IO 0xc000U

static void bars_set(struct rig *rig)
{
	struct pci_bus *pci = &((struct net_model *)rig->model)->pci;

	pci_config_write(pci, DEVFN, PCI_BAR0, 4, BAR_IO);
	pci_config_write(pci, DEVFN, PCI_BAR0 + 4, 4, BAR0);
	pci_config_write(pci, DEVFN, PCI_COMMAND, 2, 7);
}

static void put(struct rig *rig, uint32_t offset, uint64_t value, unsigned size)
{
	bus_out(&rig->b.memory, BAR0 + offset, (uint32_t)value, size);
}

/* ---- RTL8139 ------------------------------------------------------------ */

struct rtl8139_model {
	struct net_model base;
	struct rtl8139 nic;
};

static struct device *rtl8139_build(struct rig *rig)
{
	struct rtl8139_model *model = rig->model;
	const struct nic_config config = net_model_config(rig);

	net_model_init(rig);
	assert_int_equal(rtl8139_init(&model->nic, &config), 0);
	return &model->nic.device;
}

static void rtl8139_start(struct rig *rig, uint32_t random)
{
	bars_set(rig);
	put(rig, RTL8139_AT_RBSTART, random & 0xffc0, 4);
	put(rig, RTL8139_AT_CR, RTL8139_CR_TE | RTL8139_CR_RE, 1);
	put(rig, RTL8139_AT_RCR, 0xf | (random >> 8 & 0x1880), 4);
	put(rig, RTL8139_AT_IMR, RTL8139_CAUSES, 2);
	put(rig, RTL8139_AT_TCR,
	    random & BIT(30) && random & BIT(29) ? RTL8139_TCR_LBK : 0, 4);
}

static void rtl8139_input(struct rig *rig)
{
	uint32_t random = rig_random(rig);

	switch (random % 8) {
	case 0:
		rtl8139_start(rig, random);
		break;
	case 1:
		put(rig, RTL8139_AT_CAPR, random >> 8, 2);
		break;
	case 2:
	case 3:
		put(rig, RTL8139_AT_TSAD0 + (random >> 8) % 4 * 4, random >> 16,
		    4);
		put(rig, RTL8139_AT_TSD0 + (random >> 8) % 4 * 4,
		    (random >> 12) % 1900, 4);
		break;
	default:
		net_input(rig, random >> 4);
	}
}

/* What waits outside of the device is no state of its. */
static void rtl8139_drain(struct rig *rig)
{
	struct rtl8139_model *model = rig->model;

	bars_set(rig);
	put(rig, RTL8139_AT_CR, 0, 1);
	model->base.device.received(model->base.device.dev);
	model->nic.port.held = NULL;
	model->base.waiting = 0;
}

static const struct subject_region rtl8139_regions[] = {
	{ .base = BAR0, .length = 0x100, .size = 4, .is_memory = true },
	{ .base = BAR0, .length = 0x100, .size = 2, .is_memory = true },
	{ .base = BAR_IO, .length = 0x90, .size = 1 },
	{ .base = BAR_IO + 0x10, .length = 0x10, .size = 4 },
};

/* ---- PCnet -------------------------------------------------------------- */

struct pcnet_model {
	struct net_model base;
	struct pcnet nic;
};

static struct device *pcnet_build(struct rig *rig)
{
	struct pcnet_model *model = rig->model;
	const struct nic_config config = net_model_config(rig);

	net_model_init(rig);
	assert_int_equal(pcnet_init(&model->nic, &config), 0);
	return &model->nic.device;
}

/* In words or doublewords, as the card is just now. */
static void pcnet_put(struct rig *rig, unsigned index, uint64_t value,
		      bool is_bcr)
{
	const struct pcnet *nic = &((struct pcnet_model *)rig->model)->nic;
	bool is_wide = nic->state.bcr[PCNET_BCR_BSBC] & PCNET_DWIO;
	unsigned size = is_wide ? 4 : 2;

	bus_out(&rig->b.ports, BAR_IO + PCNET_APROM_SIZE + size, index, size);
	bus_out(&rig->b.ports,
		BAR_IO + PCNET_APROM_SIZE + (is_bcr ? 3 * size : 0),
		value & 0xffff, size);
}

/* A block with short rings, a style, and off it goes. */
static void pcnet_start(struct rig *rig, uint32_t random)
{
	uint8_t *block = (uint8_t *)rig->memory + 0x100;
	bool is_wide = random & 3;
	uint32_t rings[2] = { 0x1000, 0x2000 };

	bars_set(rig);
	pcnet_put(rig, 0, PCNET_STOP, false);
	pcnet_put(rig, PCNET_BCR_SWS, random & 3, true);
	memset(block, 0, 28);
	if (random & BIT(8))
		block[0] = PCNET_LOOP;
	block[1] = random & BIT(9) ? 0x80 : 0; /* PROM */
	if (is_wide) {
		block[2] = 0x20;
		block[3] = 0x20;
	} else {
		rings[0] |= 2U << 29;
		rings[1] |= 2U << 29;
	}
	memcpy(block + (is_wide ? 20 : 16), rings, sizeof(rings));
	pcnet_put(rig, 1, 0x100, false);
	pcnet_put(rig, 2, 0, false);
	pcnet_put(rig, 0, PCNET_INIT | PCNET_STRT | PCNET_IENA, false);
}

/* A descriptor that looks right, more or less, in one of the rings. */
static void pcnet_descriptor(struct rig *rig, uint32_t random)
{
	const struct pcnet *nic = &((struct pcnet_model *)rig->model)->nic;
	unsigned style = nic->state.bcr[PCNET_BCR_SWS] & 3;
	uint8_t *at = (uint8_t *)rig->memory + 0x1000 + (random & BIT(4)) * 256;
	uint32_t count = 0xf000 | (random >> 8 & 0xfff);
	uint32_t flags = random & 0x83000000;
	uint32_t words[4] = { random >> 16, flags | count, 0, 0 };

	if (style == 0) {
		words[0] |= flags;
		words[1] = count;
	} else if (style == 3) {
		words[2] = words[0];
		words[0] = 0;
	}
	memcpy(at + (random >> 5 & 3) * (style ? 16 : 8), words,
	       style ? 16 : 8);
}

static void pcnet_input(struct rig *rig)
{
	uint32_t random = rig_random(rig);

	switch (random % 16) {
	case 0:
		pcnet_start(rig, random >> 4);
		break;
	case 1:
	case 2:
		pcnet_put(rig, 0,
			  PCNET_TDMD | PCNET_IENA | (random >> 8 & 0x7f00),
			  false);
		break;
	case 3:
		bars_set(rig);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		net_input(rig, random >> 4);
		break;
	default:
		pcnet_descriptor(rig, rig_random(rig));
	}
}

static void pcnet_drain(struct rig *rig)
{
	struct pcnet_model *model = rig->model;

	bars_set(rig);
	pcnet_put(rig, 0, PCNET_STOP, false);
	model->base.device.received(model->base.device.dev);
	model->nic.port.held = NULL;
	model->base.waiting = 0;
}

static const struct subject_region pcnet_regions[] = {
	{ .base = BAR_IO, .length = 0x20, .size = 2 },
	{ .base = BAR_IO + 0x10, .length = 0x8, .size = 2 },
	{ .base = BAR0, .length = 0x20, .size = 4, .is_memory = true },
	{ .base = BAR_IO, .length = 0x20, .size = 1 },
};

/* ---- All ---------------------------------------------------------------- */

static const struct subject subjects[] = {
	{ .name = "rtl8139",
	  .size = sizeof(struct rtl8139_model),
	  .memory_size = MEMORY,
	  .build = rtl8139_build,
	  .regions = rtl8139_regions,
	  .region_count = ARRAY_SIZE(rtl8139_regions),
	  .step_shift = 12,
	  .input = rtl8139_input,
	  .drain = rtl8139_drain,
	  .copy = net_copy },
	{ .name = "pcnet",
	  .size = sizeof(struct pcnet_model),
	  .memory_size = MEMORY,
	  .build = pcnet_build,
	  .regions = pcnet_regions,
	  .region_count = ARRAY_SIZE(pcnet_regions),
	  .step_shift = 12,
	  .input = pcnet_input,
	  .drain = pcnet_drain,
	  .copy = net_copy },
	{ .name = "ne2000",
	  .size = sizeof(struct ne2000_model),
	  .memory_size = MEMORY,
	  .build = ne2000_build,
	  .refused_min = 30,
	  .regions = ne2000_regions,
	  .region_count = ARRAY_SIZE(ne2000_regions),
	  .step_shift = 12,
	  .input = ne2000_input,
	  .drain = ne2000_drain,
	  .copy = net_copy },
	{ .name = "ne2000_pci",
	  .size = sizeof(struct ne2000_model),
	  .memory_size = MEMORY,
	  .build = ne2000_pci_build,
	  .refused_min = 30,
	  .regions = ne2000_pci_regions,
	  .region_count = ARRAY_SIZE(ne2000_pci_regions),
	  .step_shift = 12,
	  .input = ne2000_input,
	  .drain = ne2000_drain,
	  .copy = net_copy },
};

static void rtl8139_line(void *saved)
{
	((struct rtl8139_state *)saved)->pci.intx_level ^= true;
}

static void rtl8139_wide(void *saved)
{
	((struct rtl8139_state *)saved)->chip.reg[RTL8139_CBR] |= 0x10000;
}

static void rtl8139_to_come(void *saved)
{
	((struct rtl8139_state *)saved)->chip.counted_from_ns = CLOCK_NEVER;
}

static void pcnet_line(void *saved)
{
	((struct pcnet_state *)saved)->pci.intx_level ^= true;
}

static void pcnet_far(void *saved)
{
	((struct pcnet_state *)saved)->chip.tx_next = 0x10000;
}

static void ne2000_line(void *saved)
{
	((struct ne2000_state *)saved)->pci.intx_level ^= true;
}

static void test_contradictions(void **unused)
{
	static const struct contradiction rows[] = {
		{ "rtl8139", rtl8139_line },	{ "rtl8139", rtl8139_wide },
		{ "rtl8139", rtl8139_to_come }, { "pcnet", pcnet_line },
		{ "pcnet", pcnet_far },		{ "ne2000_pci", ne2000_line },
	};

	(void)unused;
	contradictions_test(subjects, rows, ARRAY_SIZE(rows));
}

int main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(test_contradictions),
	};

	return subjects_run("state_nics", subjects, ARRAY_SIZE(subjects), own,
			    ARRAY_SIZE(own));
}
