/* SPDX-License-Identifier: BSD-2-Clause */
/* States of network devices, with rings and frames at random. */
#include "tests/unit/state_net.h"

#include "devices/e1000.h"
#include "devices/e1000e.h"

#define RING	 0x1000U
#define RX_RING	 0x2000U
#define RING1	 0x3000U
#define RX_RING1 0x4000U
#define RING_END 0x80U
#define BAR_MSIX 0xe0100000U

struct model {
	struct net_model base;
	struct e1000 nic;
};

static void put(struct rig *rig, uint32_t offset, uint64_t value)
{
	bus_out(&rig->b.memory, BAR0 + offset, (uint32_t)value, 4);
}

static void rings_set(struct rig *rig)
{
	put(rig, E1000_CTRL, 0x201 | E1000_CTRL_SLU | E1000_CTRL_VME);
	put(rig, E1000_TDBAL, RING);
	put(rig, E1000_TDLEN, RING_END);
	put(rig, E1000_RDBAL, RX_RING);
	put(rig, E1000_RDLEN, RING_END);
	put(rig, E1000_TDH, 0);
	put(rig, E1000_TDT, 0);
	put(rig, E1000_TCTL, E1000_TCTL_EN | E1000_TCTL_PSP);
	put(rig, E1000_RCTL,
	    E1000_RCTL_EN | E1000_RCTL_UPE | E1000_RCTL_MPE | E1000_RCTL_LPE |
		    E1000_RCTL_BAM);
	put(rig, E1000_RXCSUM, 0x700);
	put(rig, E1000_IMS, E1000_CAUSES);
}

static void bars_set(struct rig *rig)
{
	struct pci_bus *pci = &((struct net_model *)rig->model)->pci;

	pci_config_write(pci, DEVFN, PCI_BAR0, 4, BAR0);
	pci_config_write(pci, DEVFN, PCI_BAR0 + 8, 4, 0xc000);
	pci_config_write(pci, DEVFN, PCI_COMMAND, 2, 7);
}

static struct device *build(struct rig *rig)
{
	struct model *model = rig->model;
	const struct nic_config config = {
		.pci = &model->base.pci,
		.devfn = DEVFN,
		.ram = &model->base.ram,
		.clock = &rig->b.clock,
		.net = &model->base.net,
	};

	net_model_init(rig);
	assert_int_equal(e1000_init(&model->nic, &config), 0);
	return &model->nic.core.device;
}

/* A descriptor that looks right, more or less, somewhere in a ring. */
static void descriptor_put(struct rig *rig, uint32_t base)
{
	uint32_t random = rig_random(rig);
	uint64_t words[2] = { random & 0xffff, rig_random(rig) % 3000 };
	uint8_t *ring = (uint8_t *)rig->memory + base;

	words[1] |= (uint64_t)(rig_random(rig) & 0xff) << 24;
	words[1] |= (uint64_t)(rig_random(rig) & 0xff03) << 40;
	if (random & BIT(16))
		words[1] |= E1000_TXD_DEXT |
			    FIELD_PUT(E1000_TXD_TYPE, random >> 17 & 1);
	if (random & BIT(20)) /* contexts, with headers where they may be */
		words[0] = 0x0000320000001814 | (uint64_t)(random >> 24) << 32;
	memcpy(ring + (random >> 21) % 8 * 16, words, sizeof(words));
}

static void input(struct rig *rig)
{
	uint32_t random = rig_random(rig);

	switch (random % 16) {
	case 2:
		bars_set(rig);
		rings_set(rig);
		break;
	case 5:
	case 6:
		put(rig, E1000_TDT, random >> 8 & 7);
		break;
	case 7:
		put(rig, E1000_RDT, random >> 8 & 7);
		break;
	case 9:
		bars_set(rig);
		break;
	case 0:
	case 1:
	case 3:
	case 4:
	case 8:
		net_input(rig, random >> 4);
		break;
	default:
		descriptor_put(rig, RING);
	}
}

/* What waits outside of the device is no state of its. */
static void drain(struct rig *rig)
{
	struct model *model = rig->model;

	bars_set(rig);
	put(rig, E1000_RCTL, 0);
	model->base.device.received(model->base.device.dev);
	model->nic.core.port.held = NULL;
	model->base.waiting = 0;
}

static const struct subject_region regions[] = {
	{ .base = BAR0, .length = 0x100, .size = 4, .is_memory = true },
	{ .base = BAR0 + 0x100, .length = 4, .size = 4, .is_memory = true },
	{ .base = BAR0 + 0x400, .length = 4, .size = 4, .is_memory = true },
	{ .base = BAR0 + 0x2800, .length = 0x30, .size = 4, .is_memory = true },
	{ .base = BAR0 + 0x3800, .length = 0x30, .size = 4, .is_memory = true },
	{ .base = BAR0, .length = 0xa000, .size = 4, .is_memory = true },
	{ .base = 0xc000, .length = 8, .size = 4 },
};

/* ---- The 82574L --------------------------------------------------------- */

struct e1000e_model {
	struct net_model base;
	struct e1000e nic;
};

static void e1000e_message(void *ctx, uint64_t address, uint32_t data)
{
	rig_note(ctx, address ^ (uint64_t)data << 32);
}

static struct device *e1000e_build(struct rig *rig)
{
	struct e1000e_model *model = rig->model;
	const struct nic_config config = {
		.pci = &model->base.pci,
		.devfn = DEVFN,
		.ram = &model->base.ram,
		.clock = &rig->b.clock,
		.net = &model->base.net,
	};

	net_model_init(rig);
	model->base.pci.message = e1000e_message;
	model->base.pci.message_ctx = rig;
	assert_int_equal(e1000e_init(&model->nic, &config), 0);
	return &model->nic.core.device;
}

static void e1000e_bars_set(struct rig *rig)
{
	struct pci_bus *pci = &((struct net_model *)rig->model)->pci;

	pci_config_write(pci, DEVFN, PCI_BAR0 + 4, 4, BAR0 + 0x80000);
	pci_config_write(pci, DEVFN, PCI_BAR0 + 12, 4, BAR_MSIX);
	bars_set(rig);
}

/* Of both queues; descriptors, hashes and messages as the number says. */
static void e1000e_start(struct rig *rig, uint32_t random)
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

static void e1000e_input(struct rig *rig)
{
	uint32_t random = rig_random(rig);

	switch (random % 16) {
	case 2:
		e1000e_bars_set(rig);
		e1000e_start(rig, random >> 4 ^ rig_random(rig));
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
		e1000e_bars_set(rig);
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

static void e1000e_drain(struct rig *rig)
{
	struct e1000e_model *model = rig->model;

	e1000e_bars_set(rig);
	put(rig, E1000_RCTL, 0);
	model->base.device.received(model->base.device.dev);
	model->nic.core.port.held = NULL;
	model->base.waiting = 0;
}

static const struct subject_region e1000e_regions[] = {
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
	{ .name = "e1000",
	  .size = sizeof(struct model),
	  .memory_size = MEMORY,
	  .build = build,
	  .regions = regions,
	  .region_count = ARRAY_SIZE(regions),
	  .step_shift = 12,
	  .input = input,
	  .drain = drain,
	  .copy = net_copy },
	{ .name = "e1000e",
	  .size = sizeof(struct e1000e_model),
	  .memory_size = MEMORY,
	  .build = e1000e_build,
	  .regions = e1000e_regions,
	  .region_count = ARRAY_SIZE(e1000e_regions),
	  .step_shift = 12,
	  .input = e1000e_input,
	  .drain = e1000e_drain,
	  .copy = net_copy },
};

static void segment_without_header(void *saved)
{
	struct e1000_tx_state *tx = &((struct e1000_state *)saved)->chip.tx;

	tx->is_open = true;
	tx->is_segmented = true;
	tx->segmentation.mss = 1;
}

static void frame_beyond_segment(void *saved)
{
	struct e1000_tx_state *tx = &((struct e1000_state *)saved)->chip.tx;

	segment_without_header(saved);
	tx->segmentation.header_length = 1;
	tx->stage = E1000_TX_DATA;
	tx->length = 3;
}

static void frame_too_short(void *saved)
{
	((struct e1000_state *)saved)->chip.tx.stage = E1000_TX_SEND;
}

static void line_without_interrupt(void *saved)
{
	((struct e1000_state *)saved)->chip.is_asserted ^= true;
}

static void interrupt_to_come(void *saved)
{
	((struct e1000_state *)saved)->asserted_ns = CLOCK_NEVER;
}

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
		{ "e1000", segment_without_header },
		{ "e1000", frame_beyond_segment },
		{ "e1000", frame_too_short },
		{ "e1000", line_without_interrupt },
		{ "e1000", interrupt_to_come },
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

static void test_subject(void **state)
{
	subject_test(*state);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(subjects) + 1] = {
		[ARRAY_SIZE(subjects)] = cmocka_unit_test(test_contradictions),
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(subjects); i++)
		tests[i] = (struct CMUnitTest){
			.name = subjects[i].name,
			.test_func = test_subject,
			.initial_state = (void *)&subjects[i],
		};
	return cmocka_run_group_tests_name("state_net", tests, NULL, NULL);
}
