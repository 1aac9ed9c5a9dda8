/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpumodel/msr.c: where MSRs with processor state live, what may be written,
 * what raises #GP.  Those that are mere data: test_msr_table.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cpumodel/msr.h"
#include "include/errno.h"
#include "include/x86_msr.h"

static struct msr_file file;
static struct apic apic;
static uint8_t apic_page[PAGE_SIZE] __aligned(PAGE_SIZE);
static struct x86_state cpu;
static uint64_t tsc, pat;
static unsigned state_calls;

static struct x86_state *get_state(void *ctx, uint32_t groups)
{
	(void)ctx;
	state_calls++;
	cpu.valid |= groups;
	return &cpu;
}

static int vendor_get(void *ctx, uint32_t msr, uint64_t *value)
{
	(void)ctx;
	if (msr != MSR_PAT)
		return -EINVAL;
	*value = pat;
	return 0;
}

static int vendor_set(void *ctx, uint32_t msr, uint64_t value)
{
	(void)ctx;
	if (msr != MSR_PAT)
		return -EINVAL;
	pat = value;
	return 0;
}

static uint64_t tsc_get(void *ctx)
{
	(void)ctx;
	return tsc;
}

static void tsc_set(void *ctx, uint64_t value)
{
	(void)ctx;
	tsc = value;
}

static const struct msr_ops ops = {
	.state = get_state,
	.vendor_get = vendor_get,
	.vendor_set = vendor_set,
	.tsc_get = tsc_get,
	.tsc_set = tsc_set,
};

static void nothing(void *ctx)
{
	(void)ctx;
}

static const struct apic_ops apic_ops = {
	.changed = nothing,
	.timer_disarm = nothing,
};

#define EFER_ALL                                                     \
	(X86_EFER_SCE | X86_EFER_LME | X86_EFER_LMA | X86_EFER_NXE | \
	 X86_EFER_FFXSR)

static const uint64_t efer_valid = EFER_ALL;

static void begin(void)
{
	memset(&cpu, 0, sizeof(cpu));
	tsc = 1000;
	pat = 0x0007040600070406;
	apic.shared.page = (uint32_t *)apic_page;
	apic_init(&apic, 0, true, 48, &apic_ops, NULL);
	msr_init(&file, &apic, &efer_valid, &ops, NULL);
}

static uint64_t get(uint32_t msr)
{
	uint64_t value = 0xdead;

	assert_int_equal(msr_file_read(&file, msr, &value), 0);
	return value;
}

static int set(uint32_t msr, uint64_t value)
{
	return msr_file_write(&file, msr, value);
}

static void test_values(void **state)
{
	/* clang-format off */
	static const struct { uint32_t msr; uint64_t value; } rows[] = {
		{ MSR_APIC_BASE, 0xfee00900 }, { 0x10, 1000 }, { 0x3b, 0 },
		{ 0x1d9, 0 }, { 0x277, 0x0007040600070406 },
	};
	/* clang-format on */

	(void)state;
	begin();
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(get(rows[i].msr), rows[i].value);
}

/* The machine's, or nobody's. */
static void test_unknown(void **state)
{
	/* clang-format off */
	static const uint32_t absent[] = {
		0, 2, 0x1f, 0x48, 0x49, 0x8b, 0xfe, 0x10a, 0x17b, 0x1a0, 0x1f0,
		0x200, 0x24f, 0x2ff, 0x345, 0x400, 0x480, 0x6e1, 0xda0,
		0x40000000, 0xc0000084 + 1, 0xc0000104, 0xc0010010, 0xc0010015,
		0xc0010117, 0xc0011029, 0xffffffff,
	};
	/* clang-format on */
	uint64_t value;

	(void)state;
	begin();
	for (unsigned i = 0; i < ARRAY_SIZE(absent); i++) {
		assert_int_equal(msr_file_read(&file, absent[i], &value),
				 -ENOENT);
		assert_int_equal(set(absent[i], 0), -ENOENT);
	}
}

static void test_state_registers(void **state)
{
	/* clang-format off */
	static const struct {
		uint32_t msr;
		uint64_t *at;
		uint32_t group;
		bool is_canonical, is_32;
	} rows[] = {
		{ MSR_STAR, &cpu.star, X86_GROUP_SYSCALL, false, false },
		{ MSR_LSTAR, &cpu.lstar, X86_GROUP_SYSCALL, true, false },
		{ MSR_CSTAR, &cpu.cstar, X86_GROUP_SYSCALL, true, false },
		{ MSR_SFMASK, &cpu.sfmask, X86_GROUP_SYSCALL, false, true },
		{ MSR_KERNEL_GS_BASE, &cpu.kernel_gs_base, X86_GROUP_SYSCALL,
		  true, false },
		{ MSR_FS_BASE, &cpu.seg[X86_FS].base, X86_GROUP_SEGMENTS,
		  true, false },
		{ MSR_GS_BASE, &cpu.seg[X86_GS].base, X86_GROUP_SEGMENTS,
		  true, false },
		{ MSR_SYSENTER_CS, &cpu.sysenter_cs, X86_GROUP_SYSCALL,
		  false, true },
		{ MSR_SYSENTER_ESP, &cpu.sysenter_esp, X86_GROUP_SYSCALL,
		  true, false },
		{ MSR_SYSENTER_EIP, &cpu.sysenter_eip, X86_GROUP_SYSCALL,
		  true, false },
	};
	/* clang-format on */

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		begin();
		assert_int_equal(set(rows[i].msr, 0x7fff1234), 0);
		assert_int_equal(*rows[i].at, 0x7fff1234);
		assert_int_equal(cpu.dirty, rows[i].group);
		*rows[i].at = 0x4321;
		assert_int_equal(get(rows[i].msr), 0x4321);
		assert_int_equal(set(rows[i].msr, 0x800000000000),
				 rows[i].is_canonical || rows[i].is_32 ? -EINVAL
								       : 0);
		assert_int_equal(set(rows[i].msr, 0xffff800000000000),
				 rows[i].is_32 ? -EINVAL : 0);
	}
}

static void test_efer(void **state)
{
	/* clang-format off */
	static const struct {
		uint64_t cr0, old, value, result;
		bool ok;
	} rows[] = {
		{ 0, 0, 0x101, 0x101, true },
		{ 0, 0, 0x501, 0x101, true }, /* LMA is not software's */
		{ X86_CR0_PG, 0x500, 0xd01, 0xd01, true },
		{ X86_CR0_PG, 0x500, 0x101, 0x501, true },
		{ X86_CR0_PG, 0x500, 0x401, 0, false }, /* LME under PG */
		{ X86_CR0_PG, 0x000, 0x100, 0, false },
		{ 0, 0, 0x1000, 0, false }, /* SVME */
		{ 0, 0, 0x2, 0, false },
		{ 0, 0, BIT(63), 0, false },
	};
	/* clang-format on */
	uint64_t result;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		begin();
		cpu.cr0 = rows[i].cr0;
		cpu.efer = rows[i].old;
		assert_int_equal(set(MSR_EFER, rows[i].value),
				 rows[i].ok ? 0 : -EINVAL);
		assert_int_equal(get(MSR_EFER),
				 rows[i].ok ? rows[i].result : rows[i].old);
		assert_int_equal(cpu.dirty, rows[i].ok ? X86_GROUP_CONTROL : 0);
	}
	/* A guest without NX. */
	assert_int_equal(
		msr_efer_check(X86_EFER_SCE, 0, 0, X86_EFER_NXE, &result),
		-EINVAL);
}

static void test_pat(void **state)
{
	(void)state;
	begin();
	assert_int_equal(set(MSR_PAT, 0x0706050407060100), 0);
	assert_int_equal(get(MSR_PAT), 0x0706050407060100);
	assert_int_equal(set(MSR_PAT, 0x02), -EINVAL);
	assert_int_equal(set(MSR_PAT, 0x0300000000000000), -EINVAL);
	assert_int_equal(set(MSR_PAT, 0x08), -EINVAL);
}

static void test_debugctl(void **state)
{
	(void)state;
	begin();
	assert_int_equal(set(0x1d9, 3), 0);
	assert_int_equal(get(0x1d9), 0);
	assert_int_equal(set(0x1d9, BIT(16)), -EINVAL);
}

static void test_tsc(void **state)
{
	(void)state;
	begin();
	assert_int_equal(set(MSR_TSC, 5000), 0);
	assert_int_equal(tsc, 5000);
	assert_int_equal(get(0x3b), 4000);
	assert_int_equal(set(0x3b, 0), 0);
	assert_int_equal(tsc, 1000);
	assert_int_equal(set(0x3b, (uint64_t)-500), 0);
	assert_int_equal(tsc, 500);
	assert_int_equal(get(0x3b), -500);
	msr_reset(&file);
	assert_int_equal(get(0x3b), 0);
}

static void test_apic_registers(void **state)
{
	uint64_t value;

	(void)state;
	begin();
	assert_int_equal(msr_file_read(&file, 0x802, &value), -EINVAL);
	assert_int_equal(set(MSR_APIC_BASE, 0xfee00d00), 0);
	assert_int_equal(get(0x803), 0x50014);
	assert_int_equal(set(0x803, 0), -EINVAL);
	assert_int_equal(set(0x80f, 0x1ff), 0);
	assert_int_equal(set(0x83f, 0x40), 0);
	assert_int_equal(apic_pending_vector(&apic), 0x40);
	assert_int_equal(get(MSR_TSC_DEADLINE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_state_registers),
		cmocka_unit_test(test_efer),
		cmocka_unit_test(test_pat),
		cmocka_unit_test(test_debugctl),
		cmocka_unit_test(test_tsc),
		cmocka_unit_test(test_apic_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
