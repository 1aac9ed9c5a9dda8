/* SPDX-License-Identifier: BSD-2-Clause */
/* Of test_state_devices.c: devices that are there if the manifest wants them.
 */
#ifndef BULKHEAD_TESTS_UNIT_STATE_WANTED_H
#define BULKHEAD_TESTS_UNIT_STATE_WANTED_H

#include "tests/unit/state_test.h"

#include "devices/parallel.h"
#include "devices/test_device.h"
#include "devices/vmware.h"
#include "include/x86_state.h"

/* ---- The test device ---------------------------------------------------- */

static struct device *test_build(struct rig *rig)
{
	struct test_device *test = rig->model;

	assert_int_equal(test_device_init(test, &rig->b.ports, &rig->b.memory,
					  rig->memory, true, rig_irq(rig, 0)),
			 0);
	return &test->device;
}

static const struct subject_region test_regions[] = {
	{ .base = 0xe0, .length = 8, .size = 1 },
	{ .base = 0xe0, .length = 12, .size = 4 },
	{ .base = 0x2000, .length = TEST_DEVICE_LINES, .size = 1 },
	{ .base = TEST_DEVICE_BASE,
	  .length = TEST_DEVICE_MEMORY,
	  .size = 8,
	  .is_memory = true },
};

/* ---- The parallel port -------------------------------------------------- */

/* A far end that has no room at times. */
struct parallel_model {
	struct parallel parallel;
	bool has_room;
};

static bool parallel_take(void *ctx, uint8_t byte)
{
	struct rig *rig = ctx;

	if (!((struct parallel_model *)rig->model)->has_room)
		return false;
	rig_note(rig, 0x70000u | byte);
	return true;
}

static struct device *parallel_build(struct rig *rig)
{
	struct parallel_model *model = rig->model;

	assert_int_equal(
		parallel_init(&model->parallel, &rig->b.ports, 0x378,
			      rig_irq(rig, 7),
			      (struct parallel_backend){ parallel_take, rig }),
		0);
	return &model->parallel.device;
}

static void parallel_input(struct rig *rig)
{
	struct parallel_model *model = rig->model;
	uint32_t random = rig_random(rig);

	if (random & 3) { /* a byte, with an interrupt or without */
		uint8_t control = random & 4 ? 0x1c : 0x0c;

		outb(&rig->b, 0x378, (uint8_t)(random >> 8));
		outb(&rig->b, 0x37a, control | 1);
		outb(&rig->b, 0x37a, control);
		return;
	}
	model->has_room = random & 4;
	if (model->has_room)
		parallel_room(&model->parallel);
}

static void parallel_copy(struct rig *to, const struct rig *from)
{
	struct parallel_model *there = to->model;
	const struct parallel_model *here = from->model;

	there->has_room = here->has_room;
}

static const struct subject_region parallel_regions[] = {
	{ .base = 0x378, .length = 4, .size = 1 },
	{ .base = 0x378, .length = 4, .size = 4 },
};

/* ---- VMware's backdoor -------------------------------------------------- */

/* Who calls has the rig's next registers, of calls that there are. */
struct vmware_model {
	struct vmware vmware;
	uint64_t gpr[X86_GPR_COUNT];
};

static uint64_t *vmware_registers(void *ctx)
{
	struct rig *rig = ctx;

	return ((struct vmware_model *)rig->model)->gpr;
}

static void vmware_notify(void *ctx)
{
	rig_note(ctx, 0x40713);
}

static struct device *vmware_build(struct rig *rig)
{
	static const struct vmware_ops ops = { vmware_registers, vmware_notify,
					       NULL };
	struct vmware_model *model = rig->model;

	assert_int_equal(vmware_init(&model->vmware, &rig->b.ports, &ops, rig),
			 0);
	return &model->vmware.device;
}

static void vmware_input(struct rig *rig)
{
	static const uint32_t commands[] = { 0xf5, 0x45414552, 0x4c455252,
					     0x53424152 };
	static const uint8_t calls[] = { 10, 39, 40, 41, 86 };
	struct vmware_model *model = rig->model;
	uint32_t random = rig_random(rig);
	const struct vmware_report report = {
		.is_relative = random & BIT(4),
		.x = (int32_t)(random >> 8 & 0xff),
		.buttons = random >> 5 & 1,
	};

	if (vmware_is_on(&model->vmware) && random & 3) {
		vmware_report(&model->vmware, &report);
		return;
	}
	model->gpr[X86_RAX] = 0x564d5868;
	model->gpr[X86_RCX] = calls[(random >> 8) % ARRAY_SIZE(calls)];
	model->gpr[X86_RBX] = model->gpr[X86_RCX] == 41
				      ? commands[random >> 16 & 3]
				      : random >> 16 & 7;
	rig_note(rig, bus_in(&rig->b.ports, 0x5658, 4));
	for (unsigned i = 0; i < X86_GPR_COUNT; i++)
		rig_note(rig, model->gpr[i]);
	memset(model->gpr, 0, sizeof(model->gpr));
}

static const struct subject_region vmware_regions[] = {
	{ .base = 0x5658, .length = 4, .size = 4 },
};

#endif
