/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine/msr_table.c: MSRs that are mere data. What they read, what may be
 * written, what raises #GP; that a reset, a save and a restore have them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "devices/state.h"
#include "include/errno.h"
#include "machine/msr_table.h"

static struct cpu_msrs msrs;

static void begin(bool is_amd)
{
	memset(&msrs, 0xee, sizeof(msrs));
	cpu_msrs_init(&msrs, is_amd, is_amd ? 48 : 39);
}

static uint64_t get(uint32_t msr)
{
	uint64_t value = 0xdead;

	assert_int_equal(cpu_msrs_read(&msrs, msr, &value), 0);
	return value;
}

static int set(uint32_t msr, uint64_t value)
{
	return cpu_msrs_write(&msrs, msr, value);
}

static void check_absent(uint32_t msr)
{
	uint64_t value;

	assert_int_equal(cpu_msrs_read(&msrs, msr, &value), -ENOENT);
	assert_int_equal(set(msr, 0), -ENOENT);
}

static void test_values(void **state)
{
	/* clang-format off */
	static const struct { uint32_t msr; uint64_t value; } rows[] = {
		{ 0, 0 }, { 1, 0 }, { 0x8b, 0 }, { 0xfe, 0x508 }, { 0x179, 0 },
		{ 0x17a, 0 }, { 0x2ff, 0 }, { 0x200, 0 }, { 0x20f, 0 },
		{ 0x250, 0 }, { 0x258, 0 }, { 0x259, 0 }, { 0x268, 0 },
		{ 0x26f, 0 }, { 0xc0010000, 0 }, { 0xc0010007, 0 },
		{ 0xc0010010, 0 }, { 0xc0010015, 1 << 24 }, { 0xc001001a, 0 },
		{ 0xc001001d, 0 }, { 0xc0010055, 0 }, { 0xc0010114, 0x18 },
		{ 0xc0010131, 0 }, { 0xc0011029, 0 },
	};
	/* clang-format on */

	(void)state;
	begin(true);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(get(rows[i].msr), rows[i].value);
}

static void test_absent(void **state)
{
	/* clang-format off */
	static const uint32_t absent[] = {
		2, 0x10, 0x1b, 0x1f, 0x3b, 0x48, 0x49, 0x10a, 0x174, 0x17b,
		0xc1, 0x186, 0x1d9, 0x1f0, 0x210, 0x24f, 0x251, 0x25a, 0x26e + 2,
		0x277, 0x345, 0x400, 0x480, 0x6e0, 0x6e1, 0x802, 0xda0,
		0x40000000, 0xc0000080, 0xc0000084, 0xc0000104, 0xc0010008,
		0xc0010117, 0xc0011030, 0xffffffff,
	};
	/* clang-format on */

	(void)state;
	begin(true);
	for (unsigned i = 0; i < ARRAY_SIZE(absent); i++)
		check_absent(absent[i]);
}

static void test_vendors(void **state)
{
	(void)state;
	begin(false);
	assert_int_equal(get(0x8b), 0);
	assert_int_equal(set(0x8b, 0), 0);
	assert_int_equal(get(0x3a), 1);
	assert_int_equal(set(0x3a, 5), -EINVAL);
	assert_int_equal(get(0x1a0), 0x1801);
	assert_int_equal(set(0x1a0, 0x1800), 0);
	assert_int_equal(get(0x1a0), 0x1800);
	check_absent(0xc0010015);
	begin(true);
	check_absent(0x3a);
	check_absent(0xc1);
	check_absent(0x606);
}

/* Any bit that some model has is kept; BTS and PEBS stay unavailable. */
static void test_misc_enable(void **state)
{
	(void)state;
	for (unsigned is_amd = 0; is_amd < 2; is_amd++) {
		begin(is_amd);
		assert_int_equal(set(0x1a0, 0x400c51889), 0);
		assert_int_equal(get(0x1a0), 0x400c51889);
		assert_int_equal(set(0x1a0, BIT(22)), 0);
		assert_int_equal(get(0x1a0), BIT(22) | 0x1800);
		assert_int_equal(set(0x1a0, BIT(34)), 0);
		assert_int_equal(get(0x1a0), BIT(34) | 0x1800);
		for (unsigned bit = 40; bit < 64; bit++)
			assert_int_equal(set(0x1a0, BIT(bit)), -EINVAL);
		assert_int_equal(set(0x1a0, BIT(17)), -EINVAL);
		assert_int_equal(get(0x1a0), BIT(34) | 0x1800);
	}
}

/* Whatever it is: kernels without an IDT write it. */
static void test_microcode(void **state)
{
	(void)state;
	for (unsigned is_amd = 0; is_amd < 2; is_amd++) {
		begin(is_amd);
		assert_int_equal(set(0x8b, 0), 0);
		assert_int_equal(set(0x8b, UINT64_MAX), 0);
		assert_int_equal(get(0x8b), 0);
	}
}

/* Those that exist, after a reset and with other values in them. */
static unsigned write_back(uint32_t first, uint32_t count)
{
	unsigned found = 0;

	for (uint32_t msr = first; msr != first + count; msr++) {
		uint64_t value, again;

		if (cpu_msrs_read(&msrs, msr, &value) == -ENOENT)
			continue;
		found++;
		if (cpu_msrs_write(&msrs, msr, value))
			fail_msg("MSR %x: %lx is refused", msr, value);
		assert_int_equal(cpu_msrs_read(&msrs, msr, &again), 0);
		assert_int_equal(value, again);
	}
	return found;
}

static unsigned write_back_all(void)
{
	return write_back(0, 0x2000) + write_back(0xc0000000, 0x2000) +
	       write_back(0xc0010000, 0x2000);
}

static void test_write_back(void **state)
{
	(void)state;
	begin(false);
	assert_int_equal(write_back_all(), 57);
	assert_int_equal(set(0x1a0, 0x400c51889), 0);
	assert_int_equal(set(0x26f, 0x0606060606060606), 0);
	assert_int_equal(write_back_all(), 57);
	begin(true);
	assert_int_equal(write_back_all(), 83);
	assert_int_equal(set(0xc0010010, BIT(19)), 0);
	assert_int_equal(set(0x26f, 0x1e1e1e1e1e1e1e1e), 0);
	assert_int_equal(write_back_all(), 83);
	assert_int_equal(set(0xc0010010, 0), 0);
	assert_int_equal(write_back_all(), 83);
	/* A constant takes no other value. */
	assert_int_equal(set(0xfe, 0x508), 0);
	assert_int_equal(set(0xfe, 0x509), -EINVAL);
}

/* RdMem and WrMem: reserved until SYSCFG shows them. */
static void test_mtrr_fixed_amd(void **state)
{
	(void)state;
	begin(true);
	assert_int_equal(set(0x250, 0x1e), -EINVAL);
	assert_int_equal(set(0xc0010010, BIT(19)), 0);
	assert_int_equal(set(0x250, 0x1e), 0);
	assert_int_equal(get(0x250), 0x1e);
	assert_int_equal(set(0x250, 0x1f), -EINVAL);
	assert_int_equal(set(0x250, 0x26), -EINVAL);
	assert_int_equal(set(0xc0010010, 0), 0);
	assert_int_equal(get(0x250), 0x06);
	begin(false);
	assert_int_equal(set(0x250, 0x1e), -EINVAL);
}

static void test_mtrr(void **state)
{
	(void)state;
	begin(true);
	assert_int_equal(set(0x2ff, 0xc06), 0);
	assert_int_equal(get(0x2ff), 0xc06);
	assert_int_equal(set(0x2ff, 0x1c06), -EINVAL);
	assert_int_equal(set(0x2ff, 0x7), -EINVAL);
	assert_int_equal(set(0x200, 0xc0000000), 0);
	assert_int_equal(set(0x201, 0xffffc0000800), 0);
	assert_int_equal(get(0x200), 0xc0000000);
	assert_int_equal(get(0x201), 0xffffc0000800);
	assert_int_equal(set(0x201, BIT(48)), -EINVAL);
	assert_int_equal(set(0x200, 0x102), -EINVAL);
	assert_int_equal(set(0x20e, 6), 0);
	assert_int_equal(get(0x20e), 6);
	assert_int_equal(set(0x26f, 0x0606060606060606), 0);
	assert_int_equal(set(0x250, 0x0505050505050505), 0);
	assert_int_equal(get(0x26f), 0x0606060606060606);
	assert_int_equal(set(0x268, 0x0700000000000000), -EINVAL);
	assert_int_equal(set(0xfe, 0), -EINVAL);
	begin(false);
	assert_int_equal(set(0x201, BIT(38)), 0);
	assert_int_equal(set(0x201, BIT(39)), -EINVAL);
}

/* Each fixed range has a register of its own. */
static void test_mtrr_fixed(void **state)
{
	static const uint32_t fixed[] = { 0x250, 0x258, 0x259, 0x268,
					  0x269, 0x26a, 0x26b, 0x26c,
					  0x26d, 0x26e, 0x26f };

	/* UC WC WT WP WB: no two registers get the same. */
	static const uint8_t types[] = { 0, 1, 4, 5, 6 };

	(void)state;
	begin(true);
	for (unsigned i = 0; i < ARRAY_SIZE(fixed); i++)
		assert_int_equal(
			set(fixed[i], types[i % 5] << 8 | types[i / 5]), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(fixed); i++) {
		assert_int_equal(get(fixed[i]),
				 types[i % 5] << 8 | types[i / 5]);
		assert_int_equal(msrs.state.mtrr_fixed[i], get(fixed[i]));
	}
}

static void test_amd_registers(void **state)
{
	(void)state;
	begin(true);
	assert_int_equal(set(0xc0011029, 2), 0);
	assert_int_equal(get(0xc0011029), 2);
	assert_int_equal(set(0xc0011029, 6), -EINVAL);
	assert_int_equal(set(0xc0010015, BIT(24) | BIT(18)), 0);
	assert_int_equal(get(0xc0010015), BIT(24) | BIT(18));
	assert_int_equal(set(0xc0010015, BIT(25)), -EINVAL);
	assert_int_equal(set(0xc0010010, BIT(19)), 0);
	assert_int_equal(get(0xc0010010), BIT(19));
	/* Locked. */
	assert_int_equal(set(0xc0010114, 0), 0);
	assert_int_equal(get(0xc0010114), 0x18);
	assert_int_equal(set(0xc0010114, BIT(5)), -EINVAL);
	assert_int_equal(set(0xc0010004, 0xabcd), 0);
	assert_int_equal(get(0xc0010004), 0);
	assert_int_equal(set(0x17a, 4), -EINVAL);
	assert_int_equal(set(0x17a, 0), 0);
	device_reset(&msrs.device);
	assert_int_equal(get(0xc0011029), 0);
	assert_int_equal(get(0xc0010010), 0);
	assert_int_equal(get(0xc0010015), BIT(24));
}

static void test_table(void **state)
{
	char why[160] = "";

	(void)state;
	begin(true);
	if (state_check(msrs.device.ops->state, why, sizeof(why)))
		fail_msg("%s", why);
}

/* Every word of the state is written, saved and found again. */
static void test_save(void **state)
{
	static uint8_t image[4096];
	struct cpu_msrs_state was;
	uint64_t scratch[sizeof(was) / 8];
	char why[160];
	size_t length;

	(void)state;
	begin(true);
	assert_int_equal(set(0x2ff, 0xc06), 0);
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(set(0x200 + i, (i + 1) << 12), 0);
	assert_int_equal(set(0xc0010010, BIT(19)), 0);
	assert_int_equal(set(0x250, 0x1d05050505050505), 0);
	assert_int_equal(set(0x26f, 0x0606060606060606), 0);
	assert_int_equal(set(0xc0010015, BIT(18)), 0);
	assert_int_equal(set(0xc0011029, 2), 0);
	assert_int_equal(set(0x1a0, BIT(22)), 0);
	was = msrs.state;
	assert_int_equal(
		device_save(&msrs.device, image, sizeof(image), &length), 0);
	device_reset(&msrs.device);
	assert_memory_not_equal(&was, &msrs.state, sizeof(was));
	assert_int_equal(device_load(&msrs.device, image, length, scratch, why,
				     sizeof(why)),
			 0);
	assert_memory_equal(&was, &msrs.state, sizeof(was));
}

/* What a guest could not have written is not loaded. */
static void test_bad_image(void **state)
{
	static uint8_t image[4096];
	struct cpu_msrs_state was;
	uint64_t scratch[sizeof(was) / 8];
	char why[160];
	size_t length;

	(void)state;
	begin(true);
	was = msrs.state;
	for (unsigned i = 0; i < sizeof(was) / 8; i++) {
		uint64_t *word = (uint64_t *)&msrs.state + i;

		*word = BIT(63) | BIT(22) | 7;
		assert_int_equal(device_save(&msrs.device, image, sizeof(image),
					     &length),
				 0);
		msrs.state = was;
		assert_int_equal(device_load(&msrs.device, image, length,
					     scratch, why, sizeof(why)),
				 -EINVAL);
		assert_memory_equal(&was, &msrs.state, sizeof(was));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_vendors),
		cmocka_unit_test(test_misc_enable),
		cmocka_unit_test(test_microcode),
		cmocka_unit_test(test_write_back),
		cmocka_unit_test(test_mtrr_fixed_amd),
		cmocka_unit_test(test_mtrr),
		cmocka_unit_test(test_mtrr_fixed),
		cmocka_unit_test(test_amd_registers),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_save),
		cmocka_unit_test(test_bad_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
