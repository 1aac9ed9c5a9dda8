/* SPDX-License-Identifier: BSD-2-Clause */
/* The I/O APIC. */
#include "tests/unit/device_test.h"

#include "devices/ioapic.h"

#define MASKED	   0x10000
#define LEVEL	   0x8000
#define REMOTE_IRR 0x4000

static struct {
	struct bench b;
	struct ioapic ioapic;
	unsigned sent;
	bool nobody_accepts;
	uint64_t address;
	uint32_t data;
} bench;

static bool send(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	bench.sent++;
	bench.address = address;
	bench.data = data;
	return !bench.nobody_accepts;
}

static int setup(void **state)
{
	(void)state;
	bench_init(&bench.b);
	bench.sent = 0;
	bench.nobody_accepts = false;
	assert_int_equal(
		ioapic_init(&bench.ioapic, &bench.b.memory, send, NULL), 0);
	return 0;
}

static uint32_t get(uint8_t index)
{
	bus_out(&bench.b.memory, IOAPIC_BASE, index, 4);
	return (uint32_t)bus_in(&bench.b.memory, IOAPIC_BASE + 0x10, 4);
}

static void set(uint8_t index, uint32_t value)
{
	bus_out(&bench.b.memory, IOAPIC_BASE, index, 4);
	bus_out(&bench.b.memory, IOAPIC_BASE + 0x10, value, 4);
}

static void entry(unsigned pin, uint32_t low, uint32_t high)
{
	set((uint8_t)(0x11 + 2 * pin), high);
	set((uint8_t)(0x10 + 2 * pin), low);
}

static void test_registers(void **state)
{
	unsigned i;

	(void)state;
	assert_int_equal(get(1), 0x00170020);
	set(1, 0);
	assert_int_equal(get(1), 0x00170020);
	set(0, 0xffffffff);
	assert_int_equal(get(0), 0x0f000000);
	assert_int_equal(get(2), 0x0f000000);
	for (i = 0; i < IOAPIC_PINS; i++)
		assert_int_equal(get((uint8_t)(0x10 + 2 * i)), MASKED);
	assert_int_equal(get(0x40), 0xffffffff);
	assert_int_equal(get(0x03), 0xffffffff);
	set(0x40, 0);
	set(0xff, 0);
	entry(23, 0xffffffff, 0xffffffff);
	assert_int_equal(get(0x10 + 46), 0x0001afff);
	assert_int_equal(get(0x11 + 46), 0xff000000);
	assert_int_equal(bus_in(&bench.b.memory, IOAPIC_BASE, 1), 0x11 + 46);
	assert_int_equal(bus_in(&bench.b.memory, IOAPIC_BASE + 0x20, 4),
			 0xffffffff);
}

static void test_edge(void **state)
{
	(void)state;
	ioapic_irq_set(&bench.ioapic, 4, true);
	assert_int_equal(bench.sent, 0);
	/* An edge while masked is lost. */
	entry(4, 0x41, 0x03000000);
	assert_int_equal(bench.sent, 0);
	ioapic_irq_set(&bench.ioapic, 4, true);
	assert_int_equal(bench.sent, 0);
	ioapic_irq_set(&bench.ioapic, 4, false);
	ioapic_irq_set(&bench.ioapic, 4, true);
	assert_int_equal(bench.sent, 1);
	assert_int_equal(bench.address, 0xfee03000);
	assert_int_equal(bench.data, 0x41);
	assert_int_equal(get(0x18), 0x41);
	/* Logical, lowest priority, 0xff. */
	entry(4, 0x941, 0xff000000);
	ioapic_irq_set(&bench.ioapic, 4, false);
	ioapic_irq_set(&bench.ioapic, 4, true);
	assert_int_equal(bench.address, 0xfeeff004);
	assert_int_equal(bench.data, 0x141);
	ioapic_irq_set(&bench.ioapic, 24, true);
	assert_int_equal(bench.sent, 2);
}

/* 15 bits, of which the high ones are there only if they are wanted. */
static void test_long_ids(void **state)
{
	(void)state;
	entry(4, 0x41, 0x03fe0000);
	assert_int_equal(get(0x19), 0x03000000);
	bench.ioapic.has_long_ids = true;
	entry(4, 0x41, 0xffffffff);
	assert_int_equal(get(0x19), 0xfffe0000);
	ioapic_irq_set(&bench.ioapic, 4, true);
	assert_int_equal(bench.address, 0xfeefffe0);
	ioapic_irq_set(&bench.ioapic, 4, false);
	entry(4, 0x41, 0x03020000);
	ioapic_irq_set(&bench.ioapic, 4, true);
	assert_int_equal(bench.address, 0xfee03020);
}

static void test_level(void **state)
{
	(void)state;
	entry(10, 0x52 | LEVEL, 0);
	ioapic_irq_set(&bench.ioapic, 10, true);
	assert_int_equal(bench.sent, 1);
	assert_int_equal(bench.data, 0xc052);
	assert_int_equal(get(0x24), 0x52 | LEVEL | REMOTE_IRR);
	ioapic_irq_set(&bench.ioapic, 10, false);
	ioapic_irq_set(&bench.ioapic, 10, true);
	assert_int_equal(bench.sent, 1);
	ioapic_eoi(&bench.ioapic, 0x51);
	assert_int_equal(bench.sent, 1);
	ioapic_eoi(&bench.ioapic, 0x52);
	assert_int_equal(bench.sent, 2);
	ioapic_irq_set(&bench.ioapic, 10, false);
	ioapic_eoi(&bench.ioapic, 0x52);
	assert_int_equal(bench.sent, 2);
	assert_int_equal(get(0x24), 0x52 | LEVEL);
	/* High while masked: sent when unmasked. */
	entry(10, 0x52 | LEVEL | MASKED, 0);
	ioapic_irq_set(&bench.ioapic, 10, true);
	assert_int_equal(bench.sent, 2);
	entry(10, 0x52 | LEVEL, 0);
	assert_int_equal(bench.sent, 3);
	/* By the EOI register. */
	bus_out(&bench.b.memory, IOAPIC_BASE + 0x40, 0x52, 4);
	assert_int_equal(bench.sent, 4);
	/* Turning to edge forgets the remote IRR. */
	entry(10, 0x52 | MASKED, 0);
	assert_int_equal(get(0x24), 0x52 | MASKED);
	entry(10, 0x52 | LEVEL, 0);
	assert_int_equal(bench.sent, 5);
}

#define PENDING 0x1000

/* No local APIC accepts it: it waits, and goes out when one may. */
static void test_not_accepted(void **state)
{
	(void)state;
	bench.nobody_accepts = true;
	entry(10, 0x52 | LEVEL, 0);
	ioapic_irq_set(&bench.ioapic, 10, true);
	assert_int_equal(bench.sent, 1);
	assert_int_equal(get(0x24), 0x52 | LEVEL | PENDING);
	ioapic_retry(&bench.ioapic);
	assert_int_equal(bench.sent, 2);
	assert_int_equal(get(0x24), 0x52 | LEVEL | PENDING);
	bench.nobody_accepts = false;
	ioapic_retry(&bench.ioapic);
	assert_int_equal(bench.sent, 3);
	assert_int_equal(get(0x24), 0x52 | LEVEL | REMOTE_IRR);
	ioapic_retry(&bench.ioapic);
	assert_int_equal(bench.sent, 3);
	/* It went away before anybody accepted it. */
	ioapic_irq_set(&bench.ioapic, 10, false);
	ioapic_eoi(&bench.ioapic, 0x52);
	bench.nobody_accepts = true;
	ioapic_irq_set(&bench.ioapic, 10, true);
	ioapic_irq_set(&bench.ioapic, 10, false);
	assert_int_equal(get(0x24), 0x52 | LEVEL);
	bench.nobody_accepts = false;
	ioapic_retry(&bench.ioapic);
	assert_int_equal(bench.sent, 4);
	/* Masked it does not wait; another destination may accept it. */
	bench.nobody_accepts = true;
	ioapic_irq_set(&bench.ioapic, 10, true);
	entry(10, 0x52 | LEVEL | MASKED, 0);
	assert_int_equal(get(0x24), 0x52 | LEVEL | MASKED);
	bench.nobody_accepts = false;
	entry(10, 0x52 | LEVEL, 0x01000000);
	assert_int_equal(get(0x24), 0x52 | LEVEL | REMOTE_IRR);
}

/* NMI and its like: nobody would end a level. */
static void test_edge_whatever_the_mode(void **state)
{
	static const uint32_t modes[] = { 0x200, 0x400, 0x500, 0x700 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
		bench.sent = 0;
		ioapic_irq_set(&bench.ioapic, 10, false);
		entry(10, modes[i] | LEVEL, 0);
		ioapic_irq_set(&bench.ioapic, 10, true);
		assert_int_equal(bench.sent, 1);
		assert_int_equal(bench.data, modes[i]);
		assert_int_equal(get(0x24), modes[i] | LEVEL);
		ioapic_retry(&bench.ioapic);
		assert_int_equal(bench.sent, 1);
	}
}

static void test_reset(void **state)
{
	(void)state;
	entry(10, 0x52 | LEVEL, 0);
	ioapic_irq_set(&bench.ioapic, 10, true);
	ioapic_reset(&bench.ioapic);
	assert_int_equal(get(0x24), MASKED);
	ioapic_eoi(&bench.ioapic, 0x52);
	assert_int_equal(bench.sent, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_registers, setup),
		cmocka_unit_test_setup(test_edge, setup),
		cmocka_unit_test_setup(test_long_ids, setup),
		cmocka_unit_test_setup(test_level, setup),
		cmocka_unit_test_setup(test_not_accepted, setup),
		cmocka_unit_test_setup(test_edge_whatever_the_mode, setup),
		cmocka_unit_test_setup(test_reset, setup),
	};

	return cmocka_run_group_tests_name("ioapic", tests, NULL, NULL);
}
