/* SPDX-License-Identifier: BSD-2-Clause */
/* The test device: ports, lines and memory. */
#include "tests/unit/device_test.h"

#include "devices/test_device.h"
#include "include/errno.h"

static struct {
	struct bench b;
	struct test_device test;
	uint8_t memory[TEST_DEVICE_MEMORY];
} bench;

static void build(bool has_bytes)
{
	memset(&bench, 0, sizeof(bench));
	bench_init(&bench.b);
	assert_int_equal(test_device_init(&bench.test, &bench.b.ports,
					  &bench.b.memory, bench.memory,
					  has_bytes, bench_irq(&bench.b, 0)),
			 0);
}

static int setup(void **state)
{
	(void)state;
	build(true);
	return 0;
}

static uint32_t get(uint16_t port, unsigned size)
{
	return (uint32_t)bus_in(&bench.b.ports, port, size);
}

static void put(uint16_t port, uint32_t value, unsigned size)
{
	bus_out(&bench.b.ports, port, value, size);
}

static void test_widths(void **state)
{
	(void)state;
	assert_int_equal(get(0xe0, 4), 0);
	put(0xe0, 0x12345678, 4);
	assert_int_equal(get(0xe0, 4), 0x12345678);
	assert_int_equal(get(0xe0, 1), 0x78);
	assert_int_equal(get(0xe1, 1), 0x56);
	assert_int_equal(get(0xe3, 1), 0x12);
	assert_int_equal(get(0xe0, 2), 0x5678);
	assert_int_equal(get(0xe1, 2), 0x3456);
	assert_int_equal(get(0xe2, 2), 0x1234);
	put(0xe1, 0xabcd, 2);
	assert_int_equal(get(0xe0, 4), 0x12abcd78);
	put(0xe3, 0xff, 1);
	assert_int_equal(get(0xe0, 4), 0xffabcd78);
	/* Its last byte, and what follows. */
	assert_int_equal(get(0xe3, 2), 0x00ff);
	put(0xe4, 0x1000, 4);
	assert_int_equal(get(0xe4, 4), 0);
	assert_int_equal(get(0xe0, 4), 0xffabcd78);
}

static void test_bytes(void **state)
{
	(void)state;
	put(0xe0, 0x12345678, 4);
	assert_int_equal(get(0xe8, 4), 0x12345678);
	assert_int_equal(get(0xea, 1), 0x34);
	put(0xe9, 0xaabb, 2);
	assert_int_equal(get(0xe0, 4), 0x12aabb78);
	build(false);
	put(0xe0, 0x12345678, 4);
	put(0xe8, 0, 4);
	assert_int_equal(get(0xe8, 4), 0xffffffff);
	assert_int_equal(get(0xe0, 4), 0x12345678);
}

static void test_lines(void **state)
{
	(void)state;
	for (uint16_t line = 0; line < TEST_DEVICE_LINES; line++) {
		put(0x2000 + line, 1, 1);
		assert_int_equal(bench.b.level, BIT(line));
		assert_int_equal(get(0x2000 + line, 1), 0);
		put(0x2000 + line, 0, 1);
		assert_int_equal(bench.b.level, 0);
	}
	/* No line, and a value that is no level. */
	put(0x2000 + TEST_DEVICE_LINES, 1, 1);
	assert_int_equal(bench.b.level, 0);
	put(0x2004, 0x80, 1);
	put(0x2005, 1, 1);
	assert_int_equal(bench.b.level, 0x30);
	device_reset(&bench.test.device);
	assert_int_equal(bench.b.level, 0);
}

static void test_memory(void **state)
{
	struct bus *bus = &bench.b.memory;
	const uint64_t base = 0xff000000, last = base + 0xffff;

	(void)state;
	bus_out(bus, base + 3, 0x1122334455667788, 8);
	assert_int_equal(bus_in(bus, base + 3, 8), 0x1122334455667788);
	assert_int_equal(bus_in(bus, base + 3, 1), 0x88);
	assert_int_equal(bus_in(bus, base + 4, 2), 0x6677);
	assert_int_equal(bus_in(bus, base + 7, 4), 0x11223344);
	assert_int_equal(bus_in(bus, base + 11, 1), 0);
	bus_out(bus, last, 0x5a, 1);
	assert_int_equal(bus_in(bus, last, 1), 0x5a);
	bus_out(bus, last, 0xa5a5, 2);
	assert_int_equal(bus_in(bus, last, 2), 0xffa5);
	assert_int_equal(bench.memory[0xffff], 0xa5);
	assert_int_equal(bus_in(bus, base - 1, 1), 0xff);
	/* A reset is no power-off. */
	device_reset(&bench.test.device);
	assert_int_equal(bus_in(bus, last, 1), 0xa5);
}

static void test_taken(void **state)
{
	struct test_device second;

	(void)state;
	assert_int_equal(test_device_init(&second, &bench.b.ports,
					  &bench.b.memory, bench.memory, true,
					  bench_irq(&bench.b, 0)),
			 -EEXIST);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_widths), TEST(test_bytes), TEST(test_lines),
		TEST(test_memory), TEST(test_taken),
	};

	return cmocka_run_group_tests_name("test_device", tests, NULL, NULL);
}
