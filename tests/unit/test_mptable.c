/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MP table: sums, entry count, every entry walked, routing as described.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "firmware/buffer.h"
#include "firmware/mptable.h"

#define GPA 0xf1000

static uint8_t table[MPTABLE_SIZE];

struct walked {
	unsigned type[5];
	unsigned pci_pin[128]; /* by source irq: slot << 2 | pin */
	unsigned isa_pin[16];
};

static struct walked walk(void)
{
	struct walked w = { 0 };
	const uint8_t *config = table + 16;
	const uint8_t *at = config + 44;
	uint16_t length, count;

	memcpy(&length, config + 4, 2);
	memcpy(&count, config + 34, 2);
	for (unsigned i = 0; i < count; i++) {
		assert_in_range(at[0], 0, 4);
		w.type[at[0]]++;
		if (at[0] == 3 && at[4] == 0)
			w.pci_pin[at[5] & 127] = at[7];
		if (at[0] == 3 && at[4] == 1)
			w.isa_pin[at[5] & 15] = at[7];
		at += at[0] ? 8 : 20;
	}
	assert_ptr_equal(at, config + length);
	return w;
}

static void test_sums(void **state)
{
	struct board_description board;
	uint32_t gpa;
	int length;

	(void)state;
	assert_int_equal(board_description_pc(&board, MIB(64), 2), 0);
	length = mptable_build(table, &board, GPA);
	assert_in_range(length, 100, MPTABLE_SIZE);
	assert_memory_equal(table, "_MP_", 4);
	assert_int_equal(checksum_of(table, 16), 0);
	memcpy(&gpa, table + 4, 4);
	assert_int_equal(gpa, GPA + 16);
	assert_memory_equal(table + 16, "PCMP", 4);
	assert_int_equal(checksum_of(table + 16, (size_t)length - 16), 0);
}

static void test_routing(void **state)
{
	struct board_description board;
	struct walked w;

	(void)state;
	assert_int_equal(board_description_pc(&board, MIB(64), 2), 0);
	assert_true(mptable_build(table, &board, GPA) > 0);
	w = walk();
	assert_int_equal(w.type[0], 2);
	assert_int_equal(w.type[1], 2);
	assert_int_equal(w.type[2], 1);
	assert_int_equal(w.type[4], 2);
	/* Slot 1 INTA: PIRQA; slot 2 INTA: PIRQB; slot 3 INTB: PIRQD. */
	assert_int_equal(w.pci_pin[1 << 2], 10);
	assert_int_equal(w.pci_pin[2 << 2], 10);
	assert_int_equal(w.pci_pin[3 << 2 | 1], 11);
	assert_int_equal(w.isa_pin[0], 2);
	assert_int_equal(w.isa_pin[4], 4);
	assert_int_equal(w.isa_pin[10], 0);
}

static void test_largest(void **state)
{
	struct board_description board;

	(void)state;
	assert_int_equal(board_description_pc(&board, MIB(64), BOARD_VCPUS_MAX),
			 0);
	assert_true(mptable_build(table, &board, GPA) > 0);
	assert_int_equal(walk().type[0], BOARD_VCPUS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_routing),
		cmocka_unit_test(test_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
