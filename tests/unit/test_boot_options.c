/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot/options.c: the words of the command line, and what is none of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "boot/boot.h"
#include "tests/unit/boot_log.h"

/* clang-format off */
static const struct {
	const char *loader, *command;
	bool is_off;
	enum log_level level;
	unsigned unknown;
	const char *last;
} rows[] = {
	{ "GRUB 2.06", "", false, LOG_INFO, 0, "" },
	{ "GRUB 2.06", "   ", false, LOG_INFO, 0, "" },
	{ "GRUB 2.06", "mitigations=off", true, LOG_INFO, 0, "" },
	{ "GRUB 2.06", " log-level=debug  mitigations=off ", true, LOG_DEBUG,
	  0, "" },
	{ "GRUB 2.06", "log-level=error", false, LOG_ERROR, 0, "" },
	{ "GRUB 2.06", "log-level=warning", false, LOG_WARNING, 0, "" },
	{ "GRUB 2.06", "log-level=debug log-level=info", false, LOG_INFO, 0,
	  "" },
	{ "GRUB 2.06", "log-level= log-level=infox", false, LOG_INFO, 2,
	  "log-level=infox" },
	{ "GRUB 2.06", "mitigations=on quiet", false, LOG_INFO, 2, "quiet" },
	{ "GRUB 2.06", "bad mitigations=off", true, LOG_INFO, 1, "bad" },
	{ "GRUB 2.06", "mitigations=offmitigations=offmitigations=offmitigations"
	  "=offmitigations=off", false, LOG_INFO, 1, "mitigations=off" },
	{ "", "mitigations=off", true, LOG_INFO, 0, "" },
	/* The first word is the image's file name. */
	{ "qemu", "", false, LOG_INFO, 0, "" },
	{ "qemu", "build/bulkhead32.elf", false, LOG_INFO, 0, "" },
	{ "qemu", "build/bulkhead32.elf ", false, LOG_INFO, 0, "" },
	{ "qemu", "bulkhead32.elf mitigations=off", true, LOG_INFO, 0, "" },
	{ "qemu", "mitigations=off log-level=debug", false, LOG_DEBUG, 0, "" },
};
/* clang-format on */

static void test_rows(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct boot_options options;
		struct boot_info boot = { 0 };

		memset(&options, 0xff, sizeof(options));
		strcpy(boot.loader, rows[i].loader);
		strcpy(boot.command, rows[i].command);
		boot_log_clear();
		options_parse(&boot, &options);
		print_message("\"%s\"\n", rows[i].command);
		assert_int_equal(options.is_mitigations_off, rows[i].is_off);
		assert_int_equal(options.log_level, rows[i].level);
		assert_int_equal(boot_log_lines, rows[i].unknown);
		assert_non_null(strstr(boot_log_line, rows[i].last));
	}
}

static void test_boot_cpu(void **state)
{
	struct boot_info boot = { .loader = "GRUB 2.06" };
	struct boot_options options;

	(void)state;
	options_parse(&boot, &options);
	assert_false(options.is_boot_cpu_idle);
	strcpy(boot.command, "boot-cpu=idle");
	options_parse(&boot, &options);
	assert_true(options.is_boot_cpu_idle);
}

/* No end but the buffer's. */
static void test_full(void **state)
{
	struct boot_options options;
	struct boot_info boot = { .loader = "GRUB 2.06" };

	(void)state;
	for (unsigned i = 0; i + 1 < sizeof(boot.command); i++)
		boot.command[i] = i % 2 ? ' ' : 'x';
	boot_log_clear();
	options_parse(&boot, &options);
	assert_int_equal(boot_log_lines, sizeof(boot.command) / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_boot_cpu),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
