/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is made zero, and what of it is not written to: devices/clear.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "devices/clear.h"

#define PAGE	4096U
#define MARGIN	16U
#define LONGEST 300U

/* All of it and nothing beside it, wherever it is and whatever is in it. */
static void test_all_is_zero(void **state)
{
	uint8_t memory[LONGEST + 2 * MARGIN];

	(void)state;
	for (unsigned at = MARGIN; at < MARGIN + 9; at++)
		for (unsigned length = 0; length < LONGEST - 9; length++)
			for (unsigned step = 1; step < 130; step += 64) {
				memset(memory, 0, sizeof(memory));
				for (unsigned i = 0; i < length; i += step)
					memory[at + i] = 0xa5;
				memory[at - 1] = memory[at + length] = 0x5a;
				memory_clear(memory + at, length);
				for (unsigned i = 0; i < length; i++)
					assert_int_equal(memory[at + i], 0);
				assert_int_equal(memory[at - 1], 0x5a);
				assert_int_equal(memory[at + length], 0x5a);
			}
}

/* A page of zeros could be one that may only be read. */
static void test_zeros_are_not_written(void **state)
{
	uint8_t *pages = mmap(NULL, (size_t)3 * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(pages, MAP_FAILED);
	pages[PAGE - 1] = pages[2 * PAGE] = 1;
	assert_int_equal(mprotect(pages + PAGE, PAGE, PROT_READ), 0);
	memory_clear(pages, (size_t)3 * PAGE);
	assert_int_equal(pages[PAGE - 1] | pages[2 * PAGE], 0);
	assert_int_equal(munmap(pages, (size_t)3 * PAGE), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_zero),
		cmocka_unit_test(test_zeros_are_not_written),
	};

	return cmocka_run_group_tests_name("clear", tests, NULL, NULL);
}
