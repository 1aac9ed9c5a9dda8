/* SPDX-License-Identifier: BSD-2-Clause */
/* A keyboard controller with a keyboard and a mouse, and who talks to it. */
#ifndef BULKHEAD_TESTS_UNIT_I8042_TEST_H
#define BULKHEAD_TESTS_UNIT_I8042_TEST_H

#include "tests/unit/device_test.h"

#include "devices/i8042.h"

#define OBF   0x01
#define MOUSE 0x20

static struct {
	struct bench b;
	struct i8042 kbc;
	unsigned resets;
} bench;

static inline void reset(void *ctx)
{
	(void)ctx;
	bench.resets++;
}

static inline int setup(void **state)
{
	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench_init(&bench.b);
	assert_int_equal(i8042_init(&bench.kbc, &bench.b.ports, &bench.b.clock,
				    bench_irq(&bench.b, 1),
				    bench_irq(&bench.b, 12), reset, NULL),
			 0);
	return 0;
}

static inline uint8_t status(void)
{
	return inb(&bench.b, 0x64);
}

/* The next byte, or -1 if none comes within a while. */
static inline int next(void)
{
	if (!(status() & OBF))
		bench_step(&bench.b, NSEC_PER_MS);
	return status() & OBF ? inb(&bench.b, 0x60) : -1;
}

static inline void command(uint8_t byte)
{
	outb(&bench.b, 0x64, byte);
}

static inline void data(uint8_t byte)
{
	outb(&bench.b, 0x60, byte);
}

static inline void to_mouse(uint8_t byte)
{
	command(0xd4);
	data(byte);
}

static inline void assert_bytes(const char *hex)
{
	unsigned byte;
	int used;

	while (sscanf(hex, " %x%n", &byte, &used) == 1) {
		assert_int_equal(next(), byte);
		hex += used;
	}
	assert_int_equal(next(), -1);
}

static inline void mode(uint8_t value)
{
	command(0x60);
	data(value);
}

static inline void key(unsigned code)
{
	i8042_key(&bench.kbc, code, true);
	i8042_key(&bench.kbc, code, false);
}

#endif
