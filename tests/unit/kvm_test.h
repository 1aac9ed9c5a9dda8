/* SPDX-License-Identifier: BSD-2-Clause */
/* KVM's interface on a world of the test's own: RAM, vCPUs, time. */
#ifndef BULKHEAD_TESTS_UNIT_KVM_TEST_H
#define BULKHEAD_TESTS_UNIT_KVM_TEST_H

#include "machine/kvm.h"

#define WORLD_PAGES 4
#define WORLD_VCPUS 3
#define WORLD_EPOCH 1700000000

/* Of RAM: the first pages of the address space, none beyond. */
struct world {
	struct kvm kvm;
	uint8_t *ram;
	uint8_t *watched[WORLD_VCPUS]; /* NULL: not */
	uint64_t waited[WORLD_VCPUS];
	uint64_t tsc_base;
	bool is_rough; /* the base */
	unsigned unhalted[WORLD_VCPUS], yields[WORLD_VCPUS], flushes;
	unsigned messages[WORLD_VCPUS];
	uint32_t message; /* the last */
	bool is_deaf;	  /* local APICs accept nothing */
	/* Told of each watch; or NULL. */
	void (*note)(void *ctx, uint64_t what);
	void *ctx;
};

static inline uint8_t *world_page(void *ctx, gpa_t gpa)
{
	struct world *world = ctx;

	assert_int_equal(gpa % PAGE_SIZE, 0);
	return gpa < WORLD_PAGES * PAGE_SIZE ? world->ram + gpa : NULL;
}

static inline void world_watch(void *ctx, unsigned vcpu, uint8_t *away)
{
	struct world *world = ctx;

	assert_in_range(vcpu, 0, WORLD_VCPUS - 1);
	world->watched[vcpu] = away;
	if (world->note)
		world->note(world->ctx,
			    away ? (uint64_t)(away - world->ram) : vcpu);
}

/* What the monitor does. */
static inline void world_leave(struct world *world, unsigned vcpu)
{
	if (world->watched[vcpu])
		*world->watched[vcpu] = KVM_AWAY;
	world->watched[vcpu] = NULL;
}

static inline uint64_t world_waited(void *ctx, unsigned vcpu)
{
	return ((struct world *)ctx)->waited[vcpu];
}

static inline bool world_tsc_base(void *ctx, uint64_t *base)
{
	const struct world *world = ctx;

	*base = world->tsc_base;
	return !world->is_rough;
}

static inline bool world_message(void *ctx, unsigned vcpu, uint32_t data)
{
	struct world *world = ctx;

	assert_in_range(vcpu, 0, WORLD_VCPUS - 1);
	world->messages[vcpu]++;
	world->message = data;
	return !world->is_deaf;
}

static inline void world_unhalt(void *ctx, unsigned vcpu)
{
	assert_in_range(vcpu, 0, WORLD_VCPUS - 1);
	((struct world *)ctx)->unhalted[vcpu]++;
}

static inline void world_yield_to(void *ctx, unsigned vcpu)
{
	assert_in_range(vcpu, 0, WORLD_VCPUS - 1);
	((struct world *)ctx)->yields[vcpu]++;
}

static inline void world_flush(void *ctx)
{
	((struct world *)ctx)->flushes++;
}

/* world, but for .note and .ctx, is zero.  APIC IDs: 1, 4, 70. */
static inline void world_init(struct world *world, uint8_t *ram,
			      uint64_t tsc_mult)
{
	static const uint8_t apic_id[WORLD_VCPUS] = { 1, 4, 70 };
	static const struct kvm_ops ops = {
		.page = world_page,
		.watch = world_watch,
		.waited = world_waited,
		.tsc_base = world_tsc_base,
		.message = world_message,
		.unhalt = world_unhalt,
		.yield_to = world_yield_to,
		.flush = world_flush,
	};
	const struct kvm_config config = {
		.ops = &ops,
		.ctx = world,
		.vcpus = WORLD_VCPUS,
		.apic_id = apic_id,
		.tsc_mult = tsc_mult,
		.epoch_s = WORLD_EPOCH,
	};

	world->ram = ram;
	kvm_init(&world->kvm, &config);
}

#endif
