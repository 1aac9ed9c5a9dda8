/* SPDX-License-Identifier: BSD-2-Clause */
/* VMware's backdoor and its pointer. */
#include "tests/unit/device_test.h"

#include "devices/i8042.h"
#include "devices/vmware.h"
#include "include/x86_state.h"

#define PORT	 0x5658
#define MAGIC	 0x564d5868u
#define VERSION	 10
#define DATA	 39
#define STATUS	 40
#define COMMAND	 41
#define ON	 0x45414552u
#define OFF	 0xf5u
#define RELATIVE 0x4c455252u
#define ABSOLUTE 0x53424152u
#define ID	 0x3442554au

static struct {
	struct bench b;
	struct vmware vmware;
	uint64_t gpr[X86_GPR_COUNT];
	unsigned notices, changes;
} bench;

static uint64_t *registers(void *ctx)
{
	(void)ctx;
	return bench.gpr;
}

static void notify(void *ctx)
{
	(void)ctx;
	bench.notices++;
}

static void changed(void *ctx)
{
	(void)ctx;
	bench.changes++;
}

static int setup(void **state)
{
	static const struct vmware_ops ops = { registers, notify, changed };

	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench_init(&bench.b);
	assert_int_equal(vmware_init(&bench.vmware, &bench.b.ports, &ops, NULL),
			 0);
	return 0;
}

/* What EAX is then. */
static uint32_t call(unsigned number, uint32_t ebx)
{
	for (unsigned i = 0; i < X86_GPR_COUNT; i++)
		bench.gpr[i] = 0x1111111100000000 + i;
	bench.gpr[X86_RAX] = MAGIC;
	bench.gpr[X86_RBX] = ebx;
	/* Its upper half is nobody's. */
	bench.gpr[X86_RCX] = 0x55550000 | number;
	bench.gpr[X86_RDX] = PORT;
	return (uint32_t)bus_in(&bench.b.ports, PORT, 4);
}

static void test_nobody(void **state)
{
	static const uint8_t sizes[] = { 1, 2 };

	(void)state;
	(void)call(VERSION, 0);
	bench.gpr[X86_RAX] = MAGIC + 1;
	bench.gpr[X86_RBX] = 0;
	assert_int_equal(bus_in(&bench.b.ports, PORT, 4), 0xffffffff);
	bench.gpr[X86_RAX] = MAGIC;
	bench.gpr[X86_RCX] = VERSION;
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
		assert_int_equal(bus_in(&bench.b.ports, PORT, sizes[i]),
				 BIT(8 * sizes[i]) - 1);
	assert_int_equal(bus_in(&bench.b.ports, PORT + 1, 4), 0xffffffff);
	bus_out(&bench.b.ports, PORT, MAGIC, 4);
	assert_int_equal(bench.gpr[X86_RBX], 0);
	assert_int_equal(call(99, 7), 0xffffffff);
	assert_int_equal(bench.gpr[X86_RBX], 7);
}

static void test_version(void **state)
{
	(void)state;
	assert_int_equal(call(VERSION, 0), 6);
	assert_int_equal(bench.gpr[X86_RBX], MAGIC);
	assert_int_equal(call(STATUS, 0), 0xffff0000);
	assert_int_equal(call(DATA, 1), 0xffffffff);
	assert_false(vmware_is_on(&bench.vmware));
}

static void switch_on(uint32_t mode)
{
	assert_int_equal(call(COMMAND, ON), MAGIC);
	assert_int_equal(call(STATUS, 0), 1);
	assert_int_equal(call(DATA, 1), ID);
	assert_int_equal(call(COMMAND, mode), MAGIC);
	assert_int_equal(call(STATUS, 0), 0);
}

static void expect(uint32_t buttons, uint32_t x, uint32_t y, uint32_t wheel)
{
	assert_int_equal(call(DATA, 4), buttons);
	assert_int_equal(bench.gpr[X86_RBX], x);
	assert_int_equal(bench.gpr[X86_RCX], y);
	assert_int_equal(bench.gpr[X86_RDX], wheel);
	assert_int_equal(bench.gpr[X86_RSI], 0x1111111100000000 + X86_RSI);
}

static void at(int x, int y, uint8_t buttons)
{
	const struct vmware_report report = { .x = x,
					      .y = y,
					      .buttons = buttons };

	vmware_report(&bench.vmware, &report);
}

static void test_places(void **state)
{
	const struct vmware_report wheel = { .x = 3, .y = 4, .wheel = -1 };

	(void)state;
	switch_on(ABSOLUTE);
	assert_true(vmware_is_absolute(&bench.vmware));
	at(0, VMWARE_PLACE_MAX, I8042_BUTTON_LEFT);
	at(5, 6, I8042_BUTTON_RIGHT | I8042_BUTTON_MIDDLE);
	assert_int_equal(bench.notices, 2);
	assert_int_equal(call(STATUS, 0), 8);
	expect(0x20, 0, 0xffff, 0);
	expect(0x18, 5, 6, 0);
	/* Only where it has come to, but nothing of buttons and wheel. */
	at(1, 1, 0);
	at(2, 2, 0);
	vmware_report(&bench.vmware, &wheel);
	at(7, 7, 0);
	at(7, 8, I8042_BUTTON_LEFT);
	assert_int_equal(call(STATUS, 0), 16);
	expect(0, 2, 2, 0);
	expect(0, 3, 4, (uint32_t)-1);
	expect(0, 7, 7, 0);
	expect(0x20, 7, 8, 0);
	/* One that has begun to be read stays as it is. */
	at(1, 1, 0);
	assert_int_equal(call(DATA, 1), 0);
	at(2, 2, 0);
	assert_int_equal(call(STATUS, 0), 7);
	assert_int_equal(call(DATA, 3), 1);
	expect(0, 2, 2, 0);
}

static void test_movement(void **state)
{
	const struct vmware_report moved = { .is_relative = true,
					     .x = -3,
					     .y = 4 };

	(void)state;
	switch_on(RELATIVE);
	assert_false(vmware_is_absolute(&bench.vmware));
	vmware_report(&bench.vmware, &moved);
	vmware_report(&bench.vmware, &moved);
	assert_int_equal(call(STATUS, 0), 8);
	expect(0x10000, (uint32_t)-3, 4, 0);
	expect(0x10000, (uint32_t)-3, 4, 0);
}

/* Whether places are wanted is told when it is another than before. */
static void test_changes(void **state)
{
	(void)state;
	(void)call(STATUS, 0);
	switch_on(RELATIVE);
	assert_int_equal(bench.changes, 0);
	(void)call(COMMAND, ABSOLUTE);
	assert_int_equal(bench.changes, 1);
	(void)call(COMMAND, ABSOLUTE);
	(void)call(STATUS, 0);
	assert_int_equal(bench.changes, 1);
	(void)call(COMMAND, OFF);
	assert_int_equal(bench.changes, 2);
	switch_on(ABSOLUTE);
	assert_int_equal(bench.changes, 3);
	/* By what switches it off, too. */
	assert_int_equal(call(DATA, 7), 0xffffffff);
	assert_int_equal(bench.changes, 4);
}

/* Six registers, across the queue's end, until it is full. */
static void test_queue(void **state)
{
	(void)state;
	switch_on(ABSOLUTE);
	for (int i = 0; i <= VMWARE_QUEUE / 4; i++)
		at(i, i, i & 1 ? I8042_BUTTON_LEFT : 0);
	assert_int_equal(call(STATUS, 0), VMWARE_QUEUE);
	assert_int_equal(call(DATA, 6), 0);
	assert_int_equal(bench.gpr[X86_RSI], 0x20);
	assert_int_equal(bench.gpr[X86_RDI], 1);
	assert_int_equal(call(DATA, 2), 1);
	for (unsigned i = 2; i < VMWARE_QUEUE / 4; i++)
		expect(i & 1 ? 0x20 : 0, i, i, 0);
	assert_int_equal(call(STATUS, 0), 0);
	/* More than there is, or than there are registers: it is off. */
	at(1, 1, 0);
	assert_int_equal(call(DATA, 5), 0xffffffff);
	assert_int_equal(call(STATUS, 0), 0xffff0000);
	switch_on(ABSOLUTE);
	at(1, 1, 0);
	at(1, 1, 1);
	assert_int_equal(call(DATA, 7), 0xffffffff);
	assert_false(vmware_is_on(&bench.vmware));
	switch_on(ABSOLUTE);
	assert_int_equal(call(COMMAND, OFF), MAGIC);
	assert_false(vmware_is_absolute(&bench.vmware));
	switch_on(ABSOLUTE);
	device_reset(&bench.vmware.device);
	assert_false(vmware_is_on(&bench.vmware));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_nobody),   TEST(test_version), TEST(test_places),
		TEST(test_movement), TEST(test_queue),	 TEST(test_changes),
		TEST(test_queue),
	};

	return cmocka_run_group_tests_name("vmware", tests, NULL, NULL);
}
