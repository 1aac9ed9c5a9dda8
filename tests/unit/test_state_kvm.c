/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of machine/kvm.c: saved and restored in the middle of anything it
 * goes on the same, a reset leads where a fresh one is, and what no guest could
 * have made of it is refused.
 */
#include "tests/unit/state_test.h"

#include "tests/unit/kvm_test.h"

static struct world *world_of(struct rig *rig)
{
	return rig->model;
}

static void note(void *ctx, uint64_t what)
{
	rig_note(ctx, what);
}

static struct device *kvm_build(struct rig *rig)
{
	struct world *world = world_of(rig);

	world->note = note;
	world->ctx = rig;
	world_init(world, rig->memory, 1ULL << 31);
	return &world->kvm.device;
}

static const uint32_t msrs[] = {
	KVM_MSR_WALL_CLOCK,
	KVM_MSR_SYSTEM_TIME,
	KVM_MSR_STEAL_TIME,
	KVM_MSR_POLL_CONTROL,
};

static uint64_t value_of(struct rig *rig, uint32_t msr)
{
	uint64_t value = rig_random(rig);

	if (msr == KVM_MSR_POLL_CONTROL)
		return value % 3;
	return value % ((WORLD_PAGES + 1) * PAGE_SIZE) & ~62ULL;
}

static void kvm_input(struct rig *rig)
{
	struct world *world = world_of(rig);
	unsigned vcpu = rig_random(rig) % WORLD_VCPUS;
	uint32_t msr = msrs[rig_random(rig) % ARRAY_SIZE(msrs)];
	uint64_t value = 0;

	if (rig_random(rig) % 2) {
		kvm_arrive(&world->kvm, vcpu);
		return;
	}
	if (rig_random(rig) % 4)
		rig_note(rig,
			 (uint64_t)(int64_t)kvm_msr_write(
				 &world->kvm, vcpu, msr, value_of(rig, msr)));
	rig_note(rig, (uint64_t)(int64_t)kvm_msr_read(&world->kvm, vcpu, msr,
						      &value));
	rig_note(rig, value);
}

static const struct subject_region no_regions[] = {
	{ .base = 0x100, .length = 1, .size = 1 },
};

static const struct subject subjects[] = {
	{ .name = "kvm",
	  .size = sizeof(struct world),
	  .memory_size = WORLD_PAGES * PAGE_SIZE,
	  .build = kvm_build,
	  .regions = no_regions,
	  .region_count = 1,
	  .step_shift = 8,
	  .input = kvm_input },
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

/* What a restore begins anew: the count, and watching; a byte that said that
 * the vCPU was away says so no longer. */
static void test_restored(void **state)
{
	static uint8_t ram[WORLD_PAGES * PAGE_SIZE] __aligned(64);
	static struct world world;
	struct kvm_steal_page *page = (void *)ram;

	(void)state;
	world_init(&world, ram, 1ULL << 31);
	world.kvm.state.vcpu[1].steal_time = KVM_MSR_ENABLE;
	page->ns = 1000;
	page->away = KVM_AWAY | KVM_AWAY_FLUSH;
	world.waited[1] = 77;
	world.kvm.device.ops->restored(&world.kvm);
	assert_ptr_equal(world.watched[1], &page->away);
	assert_null(world.watched[0]);
	assert_int_equal(page->away, 0);
	world.waited[1] = 79;
	kvm_arrive(&world.kvm, 1);
	assert_int_equal(page->ns, 1002);
}

static void poll_reserved(void *saved)
{
	((struct kvm_state *)saved)->vcpu[31].poll_control = 2;
}

static void steal_reserved(void *saved)
{
	((struct kvm_state *)saved)->vcpu[0].steal_time = 0x20;
}

static void test_contradictions(void **state)
{
	static const struct contradiction rows[] = {
		{ "kvm", poll_reserved },
		{ "kvm", steal_reserved },
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
		cmocka_unit_test(test_restored),
		cmocka_unit_test(test_contradictions),
	};

	return cmocka_run_group_tests_name("state_kvm", tests, NULL, NULL);
}
