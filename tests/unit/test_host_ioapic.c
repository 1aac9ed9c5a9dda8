/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel/ioapic.c on a model of one of a pin: a pin that is masked follows its
 * line on.  As an edge's it would keep what came before the line fell, and send
 * that when it is unmasked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "include/errno.h"
#include "kernel/ioapic.h"

#define WINDOW	   (0x10 / 4)
#define WORDS	   (WINDOW + 1)
#define GSI	   20
#define VECTOR	   0x4b
#define APIC_ID	   3
#define ACTIVE_LOW BIT(13)
#define LEVEL	   BIT(15)
#define MASKED	   BIT(16)

static uint32_t registers[WORDS];
static struct ioapics ioapics;

static int setup(void **state)
{
	(void)state;
	memset(registers, 0, sizeof(registers));
	ioapics = (struct ioapics){
		.count = 1,
		.ioapic = { { .registers = (uint8_t *)registers,
			      .gsi_base = GSI,
			      .pin_count = 1 } },
	};
	return 0;
}

static void test_routed(void **state)
{
	(void)state;
	assert_int_equal(
		ioapic_route(&ioapics, GSI, true, true, VECTOR, APIC_ID), 0);
	assert_int_equal(registers[WINDOW], VECTOR | LEVEL | ACTIVE_LOW);
	assert_int_equal(
		ioapic_route(&ioapics, GSI, false, false, VECTOR, APIC_ID), 0);
	assert_int_equal(registers[WINDOW], VECTOR);
	assert_int_equal(
		ioapic_route(&ioapics, GSI, false, false, VECTOR, 0x100),
		-ERANGE);
	assert_int_equal(
		ioapic_route(&ioapics, GSI + 1, false, false, VECTOR, 0),
		-ENODEV);
}

static void test_masked(void **state)
{
	(void)state;
	assert_int_equal(
		ioapic_route(&ioapics, GSI, true, true, VECTOR, APIC_ID), 0);
	ioapic_mask(&ioapics, GSI);
	assert_int_equal(registers[WINDOW],
			 VECTOR | LEVEL | ACTIVE_LOW | MASKED);
	ioapic_mask(&ioapics, GSI + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_routed, setup),
		cmocka_unit_test_setup(test_masked, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
