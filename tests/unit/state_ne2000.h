/* SPDX-License-Identifier: BSD-2-Clause */
/* Of test_state_nics.c: the NE2000, on either bus. */
#ifndef BULKHEAD_TESTS_UNIT_STATE_NE2000_H
#define BULKHEAD_TESTS_UNIT_STATE_NE2000_H

#include "tests/unit/state_net.h"

#include "devices/ne2000.h"

#define NE2000_BASE	0x300U
#define NE2000_BASE_PCI 0xc000U

struct ne2000_model {
	struct net_model base;
	struct ne2000 nic;
};

static struct device *ne2000_build(struct rig *rig)
{
	struct ne2000_model *model = rig->model;
	const struct nic_config config = net_model_config(rig);

	net_model_init(rig);
	assert_int_equal(ne2000_isa_init(&model->nic, &config, &rig->b.ports,
					 NE2000_BASE, rig_irq(rig, 0)),
			 0);
	return &model->nic.device;
}

static struct device *ne2000_pci_build(struct rig *rig)
{
	struct ne2000_model *model = rig->model;
	const struct nic_config config = net_model_config(rig);

	net_model_init(rig);
	assert_int_equal(ne2000_pci_init(&model->nic, &config), 0);
	return &model->nic.device;
}

static void ne2000_put(struct rig *rig, unsigned offset, unsigned value)
{
	const struct ne2000 *nic = &((struct ne2000_model *)rig->model)->nic;

	bus_out(&rig->b.ports,
		(nic->is_pci ? NE2000_BASE_PCI : NE2000_BASE) + offset,
		value & 0xff, 1);
}

static void ne2000_map(struct rig *rig)
{
	struct ne2000_model *model = rig->model;

	if (!model->nic.is_pci)
		return;
	pci_config_write(&model->base.pci, DEVFN, PCI_BAR0, 4, NE2000_BASE_PCI);
	pci_config_write(&model->base.pci, DEVFN, PCI_COMMAND, 2, 1);
}

/* A ring that makes sense, mostly, and off it goes. */
static void ne2000_start(struct rig *rig, uint32_t random)
{
	ne2000_map(rig);
	ne2000_put(rig, NE2000_CR, 0x21);
	ne2000_put(rig, NE2000_DCR, 0x40 | (random & 0x9));
	ne2000_put(rig, NE2000_TCR, random & BIT(4) ? random >> 8 & 7 : 0);
	ne2000_put(rig, NE2000_RCR, 0x1c | (random >> 5 & 0x20));
	ne2000_put(rig, NE2000_PSTART, 0x46 + (random >> 12 & 3));
	ne2000_put(rig, NE2000_PSTOP, 0x60 + (random >> 14 & 0x3f));
	ne2000_put(rig, NE2000_BNRY, 0x48);
	ne2000_put(rig, NE2000_IMR, 0x7f);
	ne2000_put(rig, NE2000_CR, 0x61);
	ne2000_put(rig, NE2000_CURR, 0x49 + (random >> 20 & 15));
	ne2000_put(rig, NE2000_CR, 0x22);
}

static void ne2000_remote(struct rig *rig, uint32_t random)
{
	ne2000_put(rig, NE2000_RSAR0, random);
	ne2000_put(rig, NE2000_RSAR1, random >> 8);
	ne2000_put(rig, NE2000_RBCR0, random >> 16);
	ne2000_put(rig, NE2000_RBCR1, 0);
	ne2000_put(rig, NE2000_CR, 0x02 | (random >> 21 & 0x38));
	for (unsigned i = 0; i < 32; i++)
		ne2000_put(rig, NE2000_AT_DATA, random >> i);
}

static void ne2000_input(struct rig *rig)
{
	uint32_t random = rig_random(rig);

	switch (random % 16) {
	case 0:
	case 1:
		ne2000_start(rig, random >> 4);
		break;
	case 2:
	case 3:
		ne2000_remote(rig, random >> 4);
		break;
	case 4:
	case 5:
		ne2000_put(rig, NE2000_TPSR, 0x40 + (random >> 8 & 31));
		ne2000_put(rig, NE2000_TBCR0, random >> 16);
		ne2000_put(rig, NE2000_TBCR1, random >> 24 & 7);
		ne2000_put(rig, NE2000_CR, 0x26);
		break;
	case 6:
		ne2000_put(rig, NE2000_BNRY, 0x46 + (random >> 8 & 31));
		break;
	case 7:
		ne2000_put(rig, NE2000_ISR, random >> 8);
		break;
	default:
		net_input(rig, random >> 4);
	}
}

/* What waits outside of the device is no state of its. */
static void ne2000_drain(struct rig *rig)
{
	struct ne2000_model *model = rig->model;

	ne2000_map(rig);
	ne2000_put(rig, NE2000_CR, 0x21);
	model->base.device.received(model->base.device.dev);
	model->nic.port.held = NULL;
	model->base.waiting = 0;
}

static const struct subject_region ne2000_regions[] = {
	{ .base = NE2000_BASE, .length = 0x20, .size = 1 },
	{ .base = NE2000_BASE, .length = 0x10, .size = 1 },
	{ .base = NE2000_BASE + 0x10, .length = 8, .size = 2 },
	{ .base = NE2000_BASE + 0x10, .length = 8, .size = 4 },
};

static const struct subject_region ne2000_pci_regions[] = {
	{ .base = NE2000_BASE_PCI, .length = 0x20, .size = 1 },
	{ .base = NE2000_BASE_PCI, .length = 0x10, .size = 1 },
	{ .base = NE2000_BASE_PCI + 0x10, .length = 8, .size = 2 },
	{ .base = NE2000_BASE_PCI, .length = 0x20, .size = 4 },
};

#endif
