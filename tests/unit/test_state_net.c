/* SPDX-License-Identifier: BSD-2-Clause */
/* States of network devices, with rings and frames at random. */
#include "tests/unit/state_net.h"

#include "devices/e1000.h"

#define RING	 0x1000U
#define RX_RING	 0x2000U
#define RING_END 0x80U

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

/* A descriptor that looks right, more or less, somewhere in the ring. */
static void descriptor_put(struct rig *rig)
{
	uint32_t random = rig_random(rig);
	uint64_t words[2] = { random & 0xffff, rig_random(rig) % 3000 };
	uint8_t *ring = (uint8_t *)rig->memory + RING;

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
		descriptor_put(rig);
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

static void test_contradictions(void **unused)
{
	static const struct contradiction rows[] = {
		{ "e1000", segment_without_header },
		{ "e1000", frame_beyond_segment },
		{ "e1000", frame_too_short },
		{ "e1000", line_without_interrupt },
		{ "e1000", interrupt_to_come },
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
