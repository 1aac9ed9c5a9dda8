/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot/modules.c: wherever a loader put the modules, each ends with its bytes
 * in whole pages of its own, zeroes behind them, and nobody else's touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/boot.h"
#include "include/errno.h"
#include "tests/unit/boot_memory.h"

#define RAM_END	 MIB(32)
#define FREE	 MIB(16)
#define FREE_END MIB(20)
#define ROUNDS	 200
#define JUNK	 0xee

static struct boot_ranges ram, free_ram;
static struct boot_modules modules;

static uint8_t byte_of(unsigned module, uint64_t at)
{
	return (uint8_t)(module * 37 + at * 11 + 1);
}

static int setup(void **state)
{
	(void)state;
	boot_memory_clear();
	memset(&modules, 0, sizeof(modules));
	ram = (struct boot_ranges){ 1, { { 0, RAM_END } } };
	free_ram = (struct boot_ranges){ 1, { { FREE, FREE_END - FREE } } };
	return 0;
}

static struct boot_module *add(hpa_t base, uint64_t length)
{
	unsigned n = modules.count++;
	struct boot_module *module = &modules.module[n];
	uint8_t *bytes = phys_to_virt(base);

	module->base = base;
	module->length = length;
	for (uint64_t i = 0; i < length; i++)
		bytes[i] = byte_of(n, i);
	return module;
}

static int place(const struct boot_module **failed)
{
	return modules_place(&ram, &free_ram, &modules, failed);
}

static void assert_whole(unsigned n)
{
	const struct boot_module *module = &modules.module[n];
	const uint8_t *bytes = phys_to_virt(module->base);
	uint64_t size = ALIGN_UP(module->length, PAGE_SIZE);

	assert_true(IS_ALIGNED(module->base, PAGE_SIZE));
	assert_true(module->base + size <= RAM_END);
	for (uint64_t i = 0; i < size; i++)
		assert_int_equal(bytes[i],
				 i < module->length ? byte_of(n, i) : 0);
	for (unsigned i = 0; i < n; i++) {
		const struct boot_module *other = &modules.module[i];

		assert_true(!module->length || !other->length ||
			    other->base >= module->base + size ||
			    module->base >=
				    other->base +
					    ALIGN_UP(other->length, PAGE_SIZE));
	}
}

static void assert_placed(void)
{
	const struct boot_module *failed = &modules.module[0];

	assert_int_equal(place(&failed), 0);
	assert_null(failed);
	for (unsigned i = 0; i < modules.count; i++)
		assert_whole(i);
}

static void test_aligned_stays(void **state)
{
	uint8_t *behind = phys_to_virt(MIB(4) + 5000);

	(void)state;
	add(MIB(4), 5000);
	add(MIB(4) + 0x2000, PAGE_SIZE);
	*behind = JUNK;
	assert_placed();
	assert_int_equal(modules.module[0].base, MIB(4));
	assert_int_equal(modules.module[1].base, MIB(4) + 0x2000);
	assert_int_equal(free_ram.range[0].length, FREE_END - FREE);
}

static void test_unaligned_moves(void **state)
{
	(void)state;
	add(MIB(4) + 16, PAGE_SIZE);
	assert_placed();
	assert_int_equal(modules.module[0].base, FREE);
	assert_int_equal(free_ram.range[0].base, FREE + PAGE_SIZE);
}

/* The first goes, and by that the second is alone. */
static void test_shared_page(void **state)
{
	(void)state;
	add(MIB(4) + 0x800, 0x900);
	add(MIB(4) + 0x2000, 0x900);
	add(MIB(4) + 0x2900, 0x10);
	add(MIB(4) + 0x5000, 0x10);
	assert_placed();
	assert_true(modules.module[1].base >= FREE);
	assert_int_equal(modules.module[3].base, MIB(4) + 0x5000);
}

static void test_same_twice(void **state)
{
	(void)state;
	add(MIB(4), 3 * PAGE_SIZE);
	modules.module[1] = modules.module[0];
	modules.count = 2;
	assert_int_equal(place(&(const struct boot_module *){ NULL }), 0);
	assert_int_not_equal(modules.module[0].base, modules.module[1].base);
	assert_memory_equal(phys_to_virt(modules.module[0].base),
			    phys_to_virt(modules.module[1].base),
			    3 * PAGE_SIZE);
}

/* The loader's map has only a part of the last page. */
static void test_not_ram(void **state)
{
	(void)state;
	ram = (struct boot_ranges){
		2, { { 0, MIB(8) + 0x1800 }, { MIB(12), MIB(20) } }
	};
	add(MIB(8), 0x1400);
	add(MIB(9), 0x1000);
	assert_placed();
	assert_int_equal(modules.module[0].base, FREE);
	assert_int_equal(modules.module[1].base, FREE + 0x2000);
}

static void test_two_ranges(void **state)
{
	(void)state;
	ram = (struct boot_ranges){ 2, { { MIB(8), MIB(24) }, { 0, MIB(8) } } };
	add(MIB(8) - PAGE_SIZE, 2 * PAGE_SIZE);
	assert_placed();
	assert_int_equal(modules.module[0].base, MIB(8) - PAGE_SIZE);
}

static void test_empty(void **state)
{
	(void)state;
	add(MIB(4), PAGE_SIZE);
	add(MIB(4) + 16, 0);
	assert_placed();
	assert_int_equal(modules.module[0].base, MIB(4));
	assert_int_equal(free_ram.range[0].base, FREE);
}

static void test_no_memory(void **state)
{
	const struct boot_module *failed = NULL;

	(void)state;
	add(MIB(4) + 16, PAGE_SIZE);
	add(MIB(6) + 16, FREE_END - FREE);
	assert_int_equal(place(&failed), -ENOMEM);
	assert_ptr_equal(failed, &modules.module[1]);
	assert_whole(0);
}

/* Modules of any sizes one behind the other, as loaders without alignment. */
static void test_random(void **state)
{
	srand(1);
	for (unsigned round = 0; round < ROUNDS; round++) {
		hpa_t at = MIB(4);

		setup(state);
		for (unsigned i = 0; i < 8; i++) {
			uint64_t length = (uint64_t)rand() % 9000;

			add(at, length);
			at += length + (rand() % 2 ? 0 : (hpa_t)rand() % 5000);
			if (rand() % 3 == 0)
				at = ALIGN_UP(at, PAGE_SIZE);
		}
		assert_placed();
	}
}

static void test_take(void **state)
{
	(void)state;
	free_ram = (struct boot_ranges){ 3,
					 { { MIB(1) + 1, 2 * PAGE_SIZE - 1 },
					   { BOOT_REACH - PAGE_SIZE, MIB(1) },
					   { MIB(2), 0x2fff } } };
	assert_int_equal(ranges_take(&free_ram, 2 * PAGE_SIZE), MIB(2));
	assert_int_equal(ranges_take(&free_ram, 1), MIB(1) + PAGE_SIZE);
	assert_int_equal(ranges_take(&free_ram, PAGE_SIZE),
			 BOOT_REACH - PAGE_SIZE);
	assert_int_equal(ranges_take(&free_ram, 1), 0);
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
		cmocka_unit_test_setup(test_aligned_stays, setup),
		cmocka_unit_test_setup(test_unaligned_moves, setup),
		cmocka_unit_test_setup(test_shared_page, setup),
		cmocka_unit_test_setup(test_same_twice, setup),
		cmocka_unit_test_setup(test_not_ram, setup),
		cmocka_unit_test_setup(test_two_ranges, setup),
		cmocka_unit_test_setup(test_empty, setup),
		cmocka_unit_test_setup(test_no_memory, setup),
		cmocka_unit_test_setup(test_random, setup),
		cmocka_unit_test_setup(test_take, setup),
	};

	return cmocka_run_group_tests(tests, memory_make, memory_end);
}
