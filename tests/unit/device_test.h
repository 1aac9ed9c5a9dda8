/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every device's test needs: buses, a clock to step, recorded lines.
 */
#ifndef BULKHEAD_TESTS_UNIT_DEVICE_TEST_H
#define BULKHEAD_TESTS_UNIT_DEVICE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "devices/bus.h"
#include "include/device.h"

/* A bench: one per test. */
struct bench {
	struct bus ports;
	struct bus memory;
	uint8_t index[BUS_PORTS];
	struct clock clock;
	uint64_t now_ns;
	uint64_t announced_ns;
	uint32_t level; /* of the lines, one bit a pin */
	unsigned rises[32];
};

static inline uint64_t bench_now(void *ctx)
{
	return ((struct bench *)ctx)->now_ns;
}

static inline void bench_deadline(void *ctx, uint64_t deadline_ns)
{
	((struct bench *)ctx)->announced_ns = deadline_ns;
}

static inline void bench_line(void *sink, unsigned pin, bool level)
{
	struct bench *bench = sink;

	if (level && !(bench->level & BIT(pin)))
		bench->rises[pin]++;
	bench->level = (uint32_t)(level ? bench->level | BIT(pin)
					: bench->level & ~BIT(pin));
}

static inline struct irq_line bench_irq(struct bench *bench, unsigned pin)
{
	return (struct irq_line){ bench_line, bench, pin };
}

static inline void bench_init(struct bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	bus_init_ports(&bench->ports, bench->index);
	bus_init_memory(&bench->memory);
	bench->clock.now_ns = bench_now;
	bench->clock.deadline_changed = bench_deadline;
	bench->clock.ctx = bench;
	clock_init(&bench->clock);
}

/* Time goes by, stopping where timers expire. */
static inline void bench_step(struct bench *bench, uint64_t ns)
{
	uint64_t end = bench->now_ns + ns;

	while (bench->clock.first && bench->clock.first->deadline_ns <= end) {
		if (bench->clock.first->deadline_ns > bench->now_ns)
			bench->now_ns = bench->clock.first->deadline_ns;
		clock_run(&bench->clock);
	}
	bench->now_ns = end;
}

static inline uint64_t bus_in(struct bus *bus, uint64_t address, unsigned size)
{
	struct io_access io = { .offset = address, .size = (uint8_t)size };

	bus_access(bus, &io);
	return io.data;
}

static inline void bus_out(struct bus *bus, uint64_t address, uint64_t data,
			   unsigned size)
{
	struct io_access io = { .offset = address,
				.size = (uint8_t)size,
				.data = data,
				.is_write = true };

	bus_access(bus, &io);
}

static inline uint8_t inb(struct bench *bench, uint16_t port)
{
	return (uint8_t)bus_in(&bench->ports, port, 1);
}

static inline void outb(struct bench *bench, uint16_t port, uint8_t value)
{
	bus_out(&bench->ports, port, value, 1);
}

#endif
