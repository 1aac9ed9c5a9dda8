/* SPDX-License-Identifier: BSD-2-Clause */
/* State of the 82540EM, with rings and frames at random. */
#include "tests/unit/state_e1000.h"

#include "devices/e1000.h"

struct model {
	struct net_model base;
	struct e1000 nic;
};

static struct device *build(struct rig *rig)
{
	struct model *model = rig->model;
	const struct nic_config config = net_model_config(rig);

	net_model_init(rig);
	assert_int_equal(e1000_init(&model->nic, &config), 0);
	return &model->nic.core.device;
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

int main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(test_contradictions),
	};

	return subjects_run("state_net", subjects, ARRAY_SIZE(subjects), own,
			    ARRAY_SIZE(own));
}
