/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/printf.c against the C library's: the same format and arguments must
 * give the same text and the same length, at every buffer size.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* Ours, beside libc's. */
int our_snprintf(char *to, size_t size, const char *format, ...);
int our_vsnprintf(char *to, size_t size, const char *format, va_list args);
#define snprintf  our_snprintf
#define vsnprintf our_vsnprintf
#include "lib/printf.c"
#undef snprintf
#undef vsnprintf

#define CHECK(...)                                                       \
	do {                                                             \
		char want[300], got[300];                                \
		int want_n = snprintf(want, sizeof(want), __VA_ARGS__);  \
		int got_n = our_snprintf(got, sizeof(got), __VA_ARGS__); \
		assert_string_equal(got, want);                          \
		assert_int_equal(got_n, want_n);                         \
	} while (0)

/* Odd flag combinations are the subject here. */
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-truncation"

static void test_integers(void **state)
{
	static const long long values[] = {
		0,	   1,	      -1,	  9,	     10,       127,
		128,	   -128,      255,	  32767,     -32768,   65535,
		INT32_MAX, INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		long long v = values[i];

		CHECK("%d %i %u %x %X %o", (int)v, (int)v, (unsigned)v,
		      (unsigned)v, (unsigned)v, (unsigned)v);
		CHECK("%lld %llu %llx %llX %llo", v, v, v, v, v);
		CHECK("%ld %lu %zx %td %ju", (long)v, (long)v, (size_t)v,
		      (ptrdiff_t)v, (uintmax_t)v);
		CHECK("%hd %hu %hhd %hhu %hhx", (int)v, (int)v, (int)v, (int)v,
		      (int)v);
		CHECK("[%12lld] [%-12lld] [%012lld] [%+lld] [% lld]", v, v, v,
		      v, v);
		CHECK("[%#llx] [%#012llx] [%#llo] [%.8llx] [%12.8llx]", v, v, v,
		      v, v);
		CHECK("[%-#12.4llX] [%+.0lld] [%.0llu] [%#.0llo]", v, v, v, v);
		CHECK("[%*lld] [%-*lld] [%.*lld] [%*.*lld]", 9, v, 9, v, 5, v,
		      -9, 4, v);
	}
}

static void test_text(void **state)
{
	static const char unterminated[3] = { 'a', 'b', 'c' };

	(void)state;
	CHECK("plain");
	CHECK("%s|%10s|%-10s|%.2s|%10.2s|%.0s", "abc", "abc", "abc", "abc",
	      "abc", "abc");
	CHECK("%c|%3c|%-3c|", 'x', 'y', 'z');
	CHECK("100%%|%5s|", "");
	CHECK("%.3s", unterminated);
	CHECK("%p", (void *)0x1234abcdUL);
	CHECK("%.*s|%*s", -1, "abc", -5, "ab");
}

static void test_null_string(void **state)
{
	const char *volatile nothing = NULL;
	char got[32];

	(void)state;
	our_snprintf(got, sizeof(got), "%s|", nothing);
	assert_string_equal(got, "(null)|");
}

static void test_truncation(void **state)
{
	for (size_t size = 0; size < 20; size++) {
		char want[24], got[24];

		(void)state;
		memset(want, '#', sizeof(want));
		memset(got, '#', sizeof(got));
		assert_int_equal(
			our_snprintf(got, size, "%s=%08x;", "key", 0xbeefU),
			snprintf(want, size, "%s=%08x;", "key", 0xbeefU));
		assert_memory_equal(got, want, sizeof(got));
	}
}

/* What libc leaves undefined must at least be harmless and visible. */
static void test_unknown(void **state)
{
	char got[32];

	(void)state;
	our_snprintf(got, sizeof(got), "a%");
	assert_string_equal(got, "a%");
	our_snprintf(got, sizeof(got), "%5k|%d", 7);
	assert_string_equal(got, "%5k|7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_null_string),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
