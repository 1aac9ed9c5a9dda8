/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sample of recorded instructions that the project carries, under the
 * sanitizers.  `make test-vectors` runs whole collections.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/vectors/xst.h"

static void run_set(const char *set)
{
	struct xst_score score = { 0 };
	const struct dirent *entry;
	char path[512];
	DIR *dir;

	snprintf(path, sizeof(path), "tests/vectors/sample/%s", set);
	dir = opendir(path);
	if (!dir)
		skip();
	while ((entry = readdir(dir))) {
		if (!strstr(entry->d_name, ".xst.gz"))
			continue;
		snprintf(path, sizeof(path), "tests/vectors/sample/%s/%s", set,
			 entry->d_name);
		assert_int_equal(xst_run_file(path, 3, &score), 0);
	}
	closedir(dir);
	assert_true(score.cases > 1000);
	assert_int_equal(score.passed, score.cases);
}

static void sample_rm16x(void **state)
{
	(void)state;
	run_set("rm16x");
}

static void sample_pm32(void **state)
{
	(void)state;
	run_set("pm32");
}

static void sample_lm64(void **state)
{
	(void)state;
	run_set("lm64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sample_rm16x),
		cmocka_unit_test(sample_pm32),
		cmocka_unit_test(sample_lm64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
