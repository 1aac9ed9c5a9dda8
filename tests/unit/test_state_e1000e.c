/* SPDX-License-Identifier: BSD-2-Clause */
/* State of the 82574L, with queues, frames and messages at random. */
#include "tests/unit/state_e1000.h"

#include "devices/e1000e.h"

#define RING1	 0x3000U
#define RX_RING1 0x4000U
#define BAR_MSIX 0xe0100000U

struct model {
	struct net_model base;
	struct e1000e nic;
};

static void message(void *ctx, uint64_t address, uint32_t data)
{
	rig_note(ctx, address ^ (uint64_t)data << 32);
}

static struct device *build(struct rig *rig)
{
	struct model *model = rig->model;
	const struct nic_config config = net_model_config(rig);

	net_model_init(rig);
	model->base.pci.message = message;
	model->base.pci.message_ctx = rig;
	assert_int_equal(e1000e_init(&model->nic, &config), 0);
	return &model->nic.core.device;
}

static void all_bars_set(struct rig *rig)
{
	struct pci_bus *pci = &((struct net_model *)rig->model)->pci;

	pci_config_write(pci, DEVFN, PCI_BAR0 + 4, 4, BAR0 + 0x80000);
	pci_config_write(pci, DEVFN, PCI_BAR0 + 12, 4, BAR_MSIX);
	bars_set(rig);
}

/* Of both queues; descriptors, hashes and messages as the number says. */
static void start(struct rig *rig, uint32_t random)
{
	rings_set(rig);
	put(rig, E1000_IMS, E1000E_CAUSES);
	put(rig, E1000E_TDBAL1, RING1);
	put(rig, E1000E_TDLEN1, RING_END);
	put(rig, E1000E_RDBAL1, RX_RING1);
	put(rig, E1000E_RDLEN1, RING_END);
	put(rig, E1000E_TDH1, 0);
	put(rig, E1000E_TDT1, 0);
	put(rig, E1000E_RFCTL, random & 1 ? E1000E_RFCTL_EXSTEN : 0);
	if (random & 2)
		put(rig, E1000_RCTL,
		    E1000_RCTL_EN | E1000_RCTL_UPE | E1000_RCTL_LPE |
			    FIELD_PUT(E1000E_RCTL_DTYP, E1000E_RCTL_SPLIT));
	if (random & 4)
		put(rig, E1000_RXCSUM, E1000_RXCSUM_PCSD | 0x700);
	put(rig, E1000E_MRQC, 0x001f0001);
	for (unsigned i = 0; i < 32; i++)
		put(rig, E1000E_RETA + 4 * i, 0x00800080);
	for (unsigned i = 0; i < 10; i++)
		put(rig, E1000E_RSSRK + 4 * i, random * (i + 1));
	put(rig, E1000E_IVAR, random & 8 ? 0xcba98 : random);
	put(rig, E1000E_EITR + 4 * (random >> 4 & 3), random >> 8 & 0xfff);
	pci_config_write(&((struct net_model *)rig->model)->pci, DEVFN, 0xa2, 2,
			 random & BIT(29) ? 0x8000 : 0);
	pci_config_write(&((struct net_model *)rig->model)->pci, DEVFN, 0xd2, 2,
			 random & BIT(30) ? 1 : 0);
}

static void input(struct rig *rig)
{
	uint32_t random = rig_random(rig);

	switch (random % 16) {
	case 2:
		all_bars_set(rig);
		start(rig, random >> 4 ^ rig_random(rig));
		break;
	case 5:
		put(rig, E1000_TDT, random >> 8 & 7);
		break;
	case 6:
		put(rig, E1000E_TDT1, random >> 8 & 7);
		break;
	case 7:
		put(rig, random & 256 ? E1000_RDT : E1000E_RDT1,
		    random >> 9 & 7);
		break;
	case 9:
		all_bars_set(rig);
		break;
	case 10:
		put(rig, E1000_ICS, random >> 4);
		break;
	case 0:
	case 1:
	case 3:
	case 4:
	case 8:
		net_input(rig, random >> 4);
		break;
	default:
		descriptor_put(rig, random & BIT(31) ? RING : RING1);
	}
}

static void drain(struct rig *rig)
{
	struct model *model = rig->model;

	all_bars_set(rig);
	put(rig, E1000_RCTL, 0);
	model->base.device.received(model->base.device.dev);
	model->nic.core.port.held = NULL;
	model->base.waiting = 0;
}

static const struct subject_region regions[] = {
	{ .base = BAR0, .length = 0x100, .size = 4, .is_memory = true },
	{ .base = BAR0 + 0x100, .length = 4, .size = 4, .is_memory = true },
	{ .base = BAR0 + 0x400, .length = 4, .size = 4, .is_memory = true },
	{ .base = BAR0 + 0x2800,
	  .length = 0x130,
	  .size = 4,
	  .is_memory = true },
	{ .base = BAR0 + 0x3800,
	  .length = 0x150,
	  .size = 4,
	  .is_memory = true },
	{ .base = BAR0 + 0x5b00,
	  .length = 0x1a8,
	  .size = 4,
	  .is_memory = true },
	{ .base = BAR0 + 0xb600, .length = 12, .size = 4, .is_memory = true },
	{ .base = BAR0, .length = 0xb700, .size = 4, .is_memory = true },
	{ .base = BAR_MSIX, .length = 0x50, .size = 4, .is_memory = true },
	{ .base = BAR_MSIX + 0x2000,
	  .length = 8,
	  .size = 4,
	  .is_memory = true },
	{ .base = 0xc000, .length = 8, .size = 4 },
};

static const struct subject subjects[] = {
	{ .name = "e1000e",
	  .size = sizeof(struct model),
	  .memory_size = MEMORY,
	  .build = build,
	  .regions = regions,
	  .region_count = ARRAY_SIZE(regions),
	  .step_shift = 12,
	  .input = input,
	  .drain = drain,
	  .copy = net_copy },
};

static void second_too_short(void *saved)
{
	((struct e1000e_state *)saved)->chip.tx1.stage = E1000_TX_SEND;
}

static void message_to_come(void *saved)
{
	((struct e1000e_state *)saved)->chip.sent_ns[4] = CLOCK_NEVER;
}

static void clock_to_come(void *saved)
{
	((struct e1000e_state *)saved)->chip.clock_from_ns = CLOCK_NEVER;
}

static void vector_beyond(void *saved)
{
	((struct e1000e_state *)saved)->msix.pending = 1U << E1000E_VECTORS;
}

static void test_contradictions(void **unused)
{
	static const struct contradiction rows[] = {
		{ "e1000e", frame_too_short },
		{ "e1000e", second_too_short },
		{ "e1000e", line_without_interrupt },
		{ "e1000e", message_to_come },
		{ "e1000e", clock_to_come },
		{ "e1000e", vector_beyond },
	};

	(void)unused;
	contradictions_test(subjects, rows, ARRAY_SIZE(rows));
}

int main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(test_contradictions),
	};

	return subjects_run("state_e1000e", subjects, ARRAY_SIZE(subjects), own,
			    ARRAY_SIZE(own));
}
