/* SPDX-License-Identifier: BSD-2-Clause */
/* States of the devices that sit on the ISA bus or beside it. */
#include "tests/unit/state_test.h"

#include "devices/pic.h"

/* ---- The 8259 pair ----------------------------------------------------- */

static struct device *pic_build(struct rig *rig)
{
	struct pic *pic = rig->model;

	assert_int_equal(pic_init(pic, &rig->b.ports, rig_irq(rig, 0)), 0);
	return &pic->device;
}

static void pic_input(struct rig *rig)
{
	struct pic *pic = rig->model;
	uint32_t random = rig_random(rig);

	if (random & BIT(8))
		pic_irq_set(pic, random & 15, random & BIT(4));
	else
		rig_note(rig, pic_ack(pic));
}

static const struct subject_region pic_regions[] = {
	{ .base = 0x20, .length = 2, .size = 1 },
	{ .base = 0xa0, .length = 2, .size = 1 },
	{ .base = 0x4d0, .length = 2, .size = 1 },
};

/* ---- All --------------------------------------------------------------- */

#define REGIONS(array) .regions = (array), .region_count = ARRAY_SIZE(array)

static const struct subject subjects[] = {
	{ .name = "pic",
	  .size = sizeof(struct pic),
	  .build = pic_build,
	  .input = pic_input,
	  REGIONS(pic_regions) },
};

static void test_subject(void **state)
{
	subject_test(*state);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(subjects)];
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(subjects); i++)
		tests[i] = (struct CMUnitTest){
			.name = subjects[i].name,
			.test_func = test_subject,
			.initial_state = (void *)&subjects[i],
		};
	return cmocka_run_group_tests_name("state_devices", tests, NULL, NULL);
}
