/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of machine/hyperv.c: saved and restored in the middle of anything
 * it goes on the same, a reset leads where a fresh one is, and one that
 * contradicts itself is refused.  Most of it is pages' contents, so damage goes
 * to named fields.
 */
#include "tests/unit/state_test.h"

#include "tests/unit/hyperv_test.h"

static struct world *world_of(struct rig *rig)
{
	return rig->model;
}

static void note(void *ctx, uint64_t what)
{
	rig_note(ctx, what);
}

static struct device *hyperv_build(struct rig *rig)
{
	struct world *world = world_of(rig);

	world->note = note;
	world->ctx = rig;
	world_init(world, &rig->b.clock, rig->memory);
	return &world->hv.device;
}

static const uint32_t msrs[] = {
	HV_MSR_GUEST_OS_ID, HV_MSR_HYPERCALL, HV_MSR_REF_TSC,  HV_MSR_VP_ASSIST,
	HV_MSR_SCONTROL,    HV_MSR_SIEFP,     HV_MSR_SIMP,     HV_MSR_EOM,
	HV_MSR_SINT0 + 1,   HV_MSR_SINT0 + 2, HV_MSR_CRASH_P0,
};

/* Small numbers mean more than large ones. */
static uint64_t value_of(struct rig *rig, uint32_t msr)
{
	uint64_t value = rig_random(rig);

	if (msr >= HV_MSR_STIMER0 && msr < HV_MSR_STIMER0 + 8)
		return msr & 1 ? value >> rig_random(rig) % 32
			       : value & 0x31fff;
	if (msr >= HV_MSR_SINT0 && msr <= HV_MSR_SINT0 + 15)
		return value & 0x100ff;
	return value % (WORLD_PAGES + 1) * PAGE_SIZE | (value >> 31 & 1);
}

static void hyperv_input(struct rig *rig)
{
	struct hyperv *hv = &world_of(rig)->hv;
	unsigned vp = rig_random(rig) % WORLD_VPS;
	uint32_t n = rig_random(rig) % (ARRAY_SIZE(msrs) + 8);
	uint32_t msr = n < 8 ? HV_MSR_STIMER0 + n : msrs[n - 8];
	uint64_t value = 0;

	if (rig_random(rig) % 4)
		rig_note(rig, (uint64_t)(int64_t)hyperv_msr_write(
				      hv, vp, msr, value_of(rig, msr)));
	rig_note(rig, (uint64_t)(int64_t)hyperv_msr_read(hv, vp, msr, &value));
	rig_note(rig, value);
	/* The guest takes a message out. */
	value = rig_random(rig) % WORLD_PAGES * PAGE_SIZE + 256;
	memset((uint8_t *)rig->memory + value, 0, 512);
}

static const struct subject_region no_regions[] = {
	{ .base = 0x100, .length = 1, .size = 1 },
};

static const struct subject subjects[] = {
	{ .name = "hyperv",
	  .size = sizeof(struct world),
	  .memory_size = WORLD_PAGES * PAGE_SIZE,
	  .build = hyperv_build,
	  .regions = no_regions,
	  .region_count = 1,
	  .step_shift = 8,
	  .input = hyperv_input },
};

static void test_restore(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++)
		subject_test_restore(&subjects[0], seed * 1234567);
}

static void test_reset(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++)
		subject_test_reset(&subjects[0], seed * 1234567);
}

static void test_table(void **state)
{
	struct rig *rig = rig_new(&subjects[0], 0, 1);
	char why[200];

	(void)state;
	if (state_check(rig->device->ops->state, why, sizeof(why)))
		fail_msg("%s", why);
	rig_free(rig);
}

/* ---- Fields that contradict each other ------------------------------------
 */

static void shown_but_off(void *saved)
{
	((struct hyperv_state *)saved)->tsc_page.is_shown = true;
}

static void on_without_register(void *saved)
{
	((struct hyperv_state *)saved)->vp[1].simp_page.is_on = true;
}

static void register_without_page(void *saved)
{
	((struct hyperv_state *)saved)->vp[31].assist = HV_PAGE_ENABLE;
}

static void page_elsewhere(void *saved)
{
	struct hyperv_state *s = saved;

	s->reference_tsc = 0x1000 | HV_PAGE_ENABLE;
	s->tsc_page.is_on = true;
	s->tsc_page.gpa = 0x2000;
}

static void page_beyond(void *saved)
{
	struct hyperv_state *s = saved;

	s->reference_tsc = BIT(WORLD_BITS) | HV_PAGE_ENABLE;
	s->tsc_page.is_on = true;
	s->tsc_page.gpa = BIT(WORLD_BITS);
}

static void low_vector(void *saved)
{
	((struct hyperv_state *)saved)->vp[0].sint[4] = 3;
}

static void timer_without_target(void *saved)
{
	((struct hyperv_state *)saved)->vp[2].timer[3].config =
		HV_STIMER_ENABLE;
}

static void timer_low_vector(void *saved)
{
	((struct hyperv_state *)saved)->vp[2].timer[3].config =
		HV_STIMER_ENABLE | HV_STIMER_DIRECT;
}

static void test_contradictions(void **state)
{
	static const struct contradiction rows[] = {
		{ "hyperv", shown_but_off },
		{ "hyperv", on_without_register },
		{ "hyperv", register_without_page },
		{ "hyperv", page_elsewhere },
		{ "hyperv", page_beyond },
		{ "hyperv", low_vector },
		{ "hyperv", timer_without_target },
		{ "hyperv", timer_low_vector },
	};

	(void)state;
	contradictions_test(subjects, rows, ARRAY_SIZE(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_contradictions),
	};

	return cmocka_run_group_tests_name("state_hyperv", tests, NULL, NULL);
}
