/* SPDX-License-Identifier: BSD-2-Clause */
/* A partition on a world of the test's own: RAM, interrupts, time. */
#ifndef BULKHEAD_TESTS_UNIT_HYPERV_TEST_H
#define BULKHEAD_TESTS_UNIT_HYPERV_TEST_H

#include "machine/hyperv.h"

#define WORLD_PAGES 16
#define WORLD_HZ    1000000000ULL /* a tick is a nanosecond */
#define WORLD_VPS   3
#define WORLD_BITS  40

/* Of RAM: the first pages of the address space, none beyond. */
struct world {
	struct hyperv hv;
	struct clock *clock;
	uint8_t *ram;
	unsigned taken[WORLD_VPS][256];
	unsigned flushes, yields, resets, lines;
	char line[256]; /* the last of the log */
	/* Told of each interrupt; or NULL. */
	void (*note)(void *ctx, uint64_t what);
	void *ctx;
};

static inline uint8_t *world_page(void *ctx, gpa_t gpa)
{
	struct world *world = ctx;

	return gpa < WORLD_PAGES * PAGE_SIZE ? world->ram + gpa : NULL;
}

static inline void world_interrupt(void *ctx, unsigned vp, uint8_t vector)
{
	struct world *world = ctx;

	assert_in_range(vp, 0, WORLD_VPS - 1);
	assert_in_range(vector, 16, 255);
	world->taken[vp][vector]++;
	if (world->note)
		world->note(world->ctx, (uint64_t)vp << 8 | vector);
}

static inline void world_flush(void *ctx)
{
	((struct world *)ctx)->flushes++;
}

static inline void world_yield(void *ctx)
{
	((struct world *)ctx)->yields++;
}

static inline void world_reset(void *ctx)
{
	((struct world *)ctx)->resets++;
}

static inline uint64_t world_tsc(void *ctx)
{
	return clock_now(((struct world *)ctx)->clock);
}

static inline uint64_t world_runtime(void *ctx, unsigned vp)
{
	(void)ctx;
	return 100 + vp;
}

static inline void world_log(void *ctx, const char *text)
{
	struct world *world = ctx;

	world->lines++;
	assert_true(strlen(text) < sizeof(world->line));
	strcpy(world->line, text);
}

/* world, but for .note and .ctx, is zero. */
static inline void world_init(struct world *world, struct clock *clock,
			      uint8_t *ram)
{
	static const struct hyperv_ops ops = {
		.page = world_page,
		.interrupt = world_interrupt,
		.flush = world_flush,
		.yield = world_yield,
		.reset = world_reset,
		.tsc = world_tsc,
		.runtime = world_runtime,
		.log = world_log,
	};
	const struct hyperv_config config = {
		.ops = &ops,
		.ctx = world,
		.clock = clock,
		.vps = WORLD_VPS,
		.is_amd = true,
		.phys_bits = WORLD_BITS,
		.tsc_hz = WORLD_HZ,
		.apic_hz = 200000000,
	};

	world->clock = clock;
	world->ram = ram;
	hyperv_init(&world->hv, &config);
}

#endif
