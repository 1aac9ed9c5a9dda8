/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory maps: sorted, disjoint, and all RAM accounted for.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "firmware/e820.h"

static void check_order(const struct e820_entry *entry, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		assert_true(entry[i].length > 0);
		if (i)
			assert_true(entry[i].base >=
				    entry[i - 1].base + entry[i - 1].length);
	}
}

static void test_ram(void **state)
{
	struct board_description board;
	struct e820_entry entry[E820_ENTRIES_MAX];

	(void)state;
	assert_int_equal(board_description_pc(&board, MIB(512), 1), 0);
	assert_int_equal(e820_build_ram(&board, entry), 1);
	assert_int_equal(entry[0].base, 0);
	assert_int_equal(entry[0].length, MIB(512));
	assert_int_equal(entry[0].type, E820_RAM);
	assert_int_equal(board_description_pc(&board, GIB(4), 1), 0);
	assert_int_equal(e820_build_ram(&board, entry), 2);
	assert_int_equal(entry[0].length, GIB(3));
	assert_int_equal(entry[1].base, GIB(4));
	assert_int_equal(entry[1].length, GIB(1));
}

static void test_full(void **state)
{
	static const uint64_t sizes[] = { MIB(1), MIB(2),	   MIB(128),
					  GIB(3), GIB(3) + MIB(2), GIB(64) };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct board_description board;
		struct e820_entry entry[E820_ENTRIES_MAX];
		uint64_t ram = 0;
		unsigned n;

		assert_int_equal(board_description_pc(&board, sizes[i], 1), 0);
		n = e820_build(&board, entry);
		check_order(entry, n);
		for (unsigned k = 0; k < n; k++)
			ram += entry[k].type == E820_RAM ? entry[k].length : 0;
		assert_int_equal(ram, sizes[i] - MIB(1) + E820_EBDA_BASE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ram),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
