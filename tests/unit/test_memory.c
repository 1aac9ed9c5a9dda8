/* SPDX-License-Identifier: BSD-2-Clause */
/* The programs' own memcpy and memset: lib/memory.c, by other names here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

void *program_memcpy(void *restrict to, const void *restrict from, size_t n);
void *program_memset(void *to, int byte, size_t n);

#define memcpy program_memcpy
#define memset program_memset
#include "lib/memory.c"
#undef memcpy
#undef memset

#define LONGEST 70
#define MARGIN	16

static uint8_t from[LONGEST + 2 * MARGIN], to[LONGEST + 2 * MARGIN];

/* Nothing beside the copy, wherever either end is. */
static void test_copies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(i * 37 + 11);
	for (unsigned place = 0; place < 64; place++) {
		const uint8_t *source = from + MARGIN + place % 8;
		uint8_t *at = to + MARGIN + place / 8;

		for (size_t n = 0; n <= LONGEST - 8; n++) {
			memset(to, 0xee, sizeof(to));
			assert_ptr_equal(program_memcpy(at, source, n), at);
			assert_memory_equal(at, source, n);
			for (uint8_t *byte = to; byte < to + sizeof(to); byte++)
				if (byte < at || byte >= at + n)
					assert_int_equal(*byte, 0xee);
		}
	}
}

static void test_fills(void **state)
{
	(void)state;
	for (unsigned place = 0; place < 8; place++) {
		uint8_t *at = to + MARGIN + place;

		for (size_t n = 0; n <= LONGEST - 8; n++) {
			memset(to, 0xee, sizeof(to));
			assert_ptr_equal(program_memset(at, 0x1a5, n), at);
			for (uint8_t *byte = to; byte < to + sizeof(to); byte++)
				assert_int_equal(*byte,
						 byte < at || byte >= at + n
							 ? 0xee
							 : 0xa5);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_fills),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
