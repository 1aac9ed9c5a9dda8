/* SPDX-License-Identifier: BSD-2-Clause */
/* State of virtio's network card, with frames, commands and rings at random. */
#include "tests/unit/state_net.h"
#include "tests/unit/state_virtio.h"

#include "devices/virtio_net.h"

#define PAIRS	 2
#define QUEUES	 (2 * PAIRS + 1)
/* CSUM to MAC, GUEST_TSO, HOST_TSO4 and on, without MQ or with it. */
#define FEATURES 0x00ff99ab

struct model {
	struct net_model base;
	struct virtio_net nic;
};

static struct device *build(struct rig *rig)
{
	struct model *model = rig->model;
	struct virtio_net_config config = { .pairs = PAIRS,
					    .mtu = 1500,
					    .is_transitional = true };

	net_model_init(rig);
	config.nic = net_model_config(rig);
	assert_int_equal(virtio_net_init(&model->nic, &config), 0);
	return &model->nic.device;
}

static struct sv_driver driver_of(struct rig *rig)
{
	struct net_model *model = rig->model;

	return (struct sv_driver){ &model->pci, DEVFN, QUEUES, FEATURES, 0, 0 };
}

/* A packet that looks right, more or less, with its header. */
static void packet_put(struct rig *rig, uint32_t random)
{
	uint8_t bytes[0x200];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(random >> i % 25);
	memset(bytes, 0, 12);
	if (random & 3) {
		bytes[0] = 1;
		bytes[1] = (uint8_t)((random & 1) | (random & BIT(9) ? 4 : 0));
		bytes[4] = (uint8_t)(random >> 16 | 1);
		bytes[6] = 34;
		bytes[8] = 16;
	}
	bytes[12 + 12] = 8;
	bytes[12 + 13] = 0;
	bytes[12 + 14] = 0x45;
	bytes[12 + 34 + 12] = 0x50;
	sv_put(rig, SV_DATA, bytes, sizeof(bytes));
	sv_chain(rig, random & BIT(8) ? 1 : 3, SV_DATA,
		 random & BIT(10) ? sizeof(bytes) : 12 + (random >> 20 & 0xff),
		 0);
}

/* A command and its answer, as one table. */
static void command_put(struct rig *rig, uint32_t random)
{
	const struct virtq_desc table[] = {
		{ SV_DATA, 3 + (random >> 20 & 31), VIRTQ_NEXT, 1 },
		{ SV_DATA + 0x100, 1, VIRTQ_WRITE, 0 },
	};
	const uint8_t command[] = {
		random % 6, random >> 4 & 3, random >> 8 & 3, 0, 0, 0
	};

	sv_put(rig, SV_DATA, command, sizeof(command));
	sv_put(rig, SV_TABLE, table, sizeof(table));
	sv_chain(rig, random & BIT(30) ? 2 : 4, SV_TABLE, sizeof(table),
		 VIRTQ_INDIRECT);
}

static void input(struct rig *rig)
{
	const struct sv_driver driver = driver_of(rig);
	uint32_t random = rig_random(rig);

	switch (random % 16) {
	case 0:
		sv_start(rig, &driver);
		break;
	case 1:
		sv_plug(rig, &driver);
		break;
	case 2:
	case 3:
		sv_chains_make(rig, &driver);
		break;
	case 4:
	case 5:
	case 6:
		packet_put(rig, rig_random(rig));
		break;
	case 7:
		command_put(rig, rig_random(rig));
		break;
	case 8:
	case 9:
	case 10:
		sv_chain(rig, random & 16 ? 0 : 2, SV_DATA + 0x1000,
			 random >> 8 & 0xfff, VIRTQ_WRITE);
		break;
	default:
		net_input(rig, random >> 4);
	}
}

/* What waits outside of the device is no state of its, and what was sent is
 * shown. */
static void drain(struct rig *rig)
{
	struct model *model = rig->model;

	sv_set(rig, VIRTIO_COMMON_STATUS, 1, 0);
	model->nic.unflushed = 0;
	model->nic.port.held = NULL;
	model->base.waiting = 0;
}

static const struct subject_region regions[] = { SV_REGIONS };

static const struct subject subjects[] = {
	{ .name = "virtio_net",
	  .size = sizeof(struct model),
	  .memory_size = MEMORY,
	  .build = build,
	  .regions = regions,
	  .region_count = ARRAY_SIZE(regions),
	  .step_shift = 14,
	  .input = input,
	  .drain = drain,
	  .copy = net_copy },
};

static void table_over(void *saved)
{
	((struct virtio_net_state *)saved)->filter.own_count = 60;
	((struct virtio_net_state *)saved)->filter.group_count = 5;
}

static void pairs_over(void *saved)
{
	((struct virtio_net_state *)saved)->pairs = PAIRS + 1;
}

static void test_contradictions(void **unused)
{
	static const struct contradiction rows[] = {
		{ "virtio_net", table_over },
		{ "virtio_net", pairs_over },
	};

	(void)unused;
	contradictions_test(subjects, rows, ARRAY_SIZE(rows));
}

int main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(test_contradictions),
	};

	return subjects_run("state_virtio_net", subjects, ARRAY_SIZE(subjects),
			    own, ARRAY_SIZE(own));
}
