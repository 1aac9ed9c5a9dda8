/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * $PIR: its sum, its router, and links as the board wires the slots.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "firmware/buffer.h"
#include "firmware/pirq.h"

static void test_table(void **state)
{
	struct board_description board;
	uint8_t table[PIRQ_TABLE_SIZE];
	const uint8_t *slot = table + 32;
	int length;

	(void)state;
	assert_int_equal(board_description_pc(&board, MIB(64), 1), 0);
	length = pirq_table_build(table, &board);
	assert_int_equal(length, 32 + 31 * 16);
	assert_memory_equal(table, "$PIR", 4);
	assert_int_equal(table[6] | table[7] << 8, length);
	assert_int_equal(checksum_of(table, (size_t)length), 0);
	assert_int_equal(table[9], 1 << 3);
	/* Slot 1: INTA to INTD are links 60h to 63h. */
	assert_int_equal(slot[1], 1 << 3);
	assert_int_equal(slot[2], 0x60);
	assert_int_equal(slot[5], 0x61);
	/* Slot 4's INTA is PIRQD, its INTB PIRQA. */
	slot += 3 * 16;
	assert_int_equal(slot[2], 0x63);
	assert_int_equal(slot[5], 0x60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
