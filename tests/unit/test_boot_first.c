/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot/first.c: the first program is found and read, and each way in which it
 * may be missing is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "boot/boot.h"
#include "include/elf.h"
#include "include/gate.h"
#include "include/errno.h"
#include "lib/program.h"
#include "tests/unit/boot_log.h"
#include "tests/unit/boot_memory.h"

#define TEXT 0x400000
#define AT   MIB(8)

struct file {
	struct elf64_header header;
	struct elf64_segment segment[2];
	uint8_t text[32];
	struct elf_note note;
	char owner[12];
	uint32_t version;
};

static struct boot_modules modules;

static int setup(void **state)
{
	static const struct file file = {
		.header = {
			.ident = { { 0x7f, 'E', 'L', 'F' }, ELF_CLASS_64,
				   ELF_DATA_LITTLE, 1, { 0 } },
			.type = ELF_TYPE_EXEC,
			.machine = ELF_X86_64,
			.entry = TEXT + 8,
			.phoff = offsetof(struct file, segment),
			.phentsize = sizeof(struct elf64_segment),
			.phnum = 2,
		},
		.segment = { { ELF_PT_LOAD, ELF_PF_EXEC,
			       offsetof(struct file, text), TEXT, 0, 32, 32,
			       PAGE_SIZE },
			     { ELF_PT_NOTE, 0, offsetof(struct file, note), 0,
			       0, 28, 28, 4 } },
		.note = { 9, 4, 1 },
		.owner = "Bulkhead",
		.version = GATE_VERSION,
	};

	(void)state;
	boot_log_clear();
	memcpy(phys_to_virt(AT), &file, sizeof(file));
	memset(&modules, 0, sizeof(modules));
	modules.count = 2;
	strcpy(modules.module[0].name, "machine.elf");
	strcpy(modules.module[1].name, "init.elf");
	modules.module[1].base = AT;
	modules.module[1].length = sizeof(file);
	return 0;
}

static void test_found(void **state)
{
	const struct boot_module *file = NULL;
	struct program program;

	(void)state;
	assert_int_equal(boot_first_program(&modules, &program, &file), 0);
	assert_ptr_equal(file, &modules.module[1]);
	assert_int_equal(program.entry, TEXT + 8);
	assert_int_equal(program.part_count, 1);
	assert_int_equal(boot_log_lines, 0);
}

static void test_missing(void **state)
{
	const struct boot_module *file;
	struct program program;

	(void)state;
	strcpy(modules.module[1].name, "init.elf2");
	assert_int_equal(boot_first_program(&modules, &program, &file),
			 -ENOENT);
	assert_int_equal(boot_log_lines, 1);
	assert_non_null(strstr(boot_log_line, "init.elf"));
}

static void test_no_program(void **state)
{
	const struct boot_module *file;
	struct program program;
	uint8_t *first = phys_to_virt(AT);

	(void)state;
	*first = 'E';
	assert_int_equal(boot_first_program(&modules, &program, &file),
			 -EINVAL);
	assert_non_null(strstr(boot_log_line, "init.elf"));
	assert_non_null(strstr(boot_log_line, "is no ELF file"));
}

static void test_cut_off(void **state)
{
	const struct boot_module *file;
	struct program program;

	(void)state;
	for (uint64_t length = 0; length < sizeof(struct file); length++) {
		modules.module[1].length = length;
		boot_log_clear();
		assert_int_equal(boot_first_program(&modules, &program, &file),
				 -EINVAL);
		assert_int_equal(boot_log_lines, 1);
	}
}

static int memory_make(void **state)
{
	(void)state;
	return boot_memory_init();
}

static int memory_end(void **state)
{
	(void)state;
	boot_memory_fini();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_found, setup),
		cmocka_unit_test_setup(test_missing, setup),
		cmocka_unit_test_setup(test_no_program, setup),
		cmocka_unit_test_setup(test_cut_off, setup),
	};

	return cmocka_run_group_tests(tests, memory_make, memory_end);
}
