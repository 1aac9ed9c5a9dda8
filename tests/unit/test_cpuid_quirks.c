/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's processors that differ from the host's (machine/cpuid_quirks.c), as
 * they come out of the monitor's limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cpumodel/cpuid.h"
#include "include/x86_state.h"
#include "machine/cpuid_table.h"

static bool host_is_amd;

/* One that has everything. */
static struct cpuid_regs host(uint32_t leaf, uint32_t subleaf)
{
	const char *name = host_is_amd ? "AuthenticAMD" : "GenuineIntel";
	struct cpuid_regs regs = { ~0U, ~0U, ~0U, ~0U };

	if (leaf == 0 || leaf == 0x80000000) {
		regs.eax = leaf ? 0x8000001e : 0x1f;
		memcpy(&regs.ebx, name, 4);
		memcpy(&regs.edx, name + 4, 4);
		memcpy(&regs.ecx, name + 8, 4);
	}
	if (leaf == 1)
		regs.eax = 0x00a20f12; /* family 19h, model 21h, stepping 2 */
	if (leaf == 4 || leaf == 0x8000001d)
		regs.eax = subleaf < 4 ? 0x121 : 0;
	if (leaf == 0x80000008)
		regs.eax = 0x3030;
	return regs;
}

static struct cpuid_regs facts(void *ctx, uint32_t leaf, uint32_t subleaf)
{
	(void)ctx;
	return cpuid_facts(host, leaf, subleaf);
}

static struct cpuid_table table, plain;
static struct cpuid_config config;

static int setup(void **state)
{
	(void)state;
	host_is_amd = true;
	config = (struct cpuid_config){ .facts = facts,
					.vcpus = 2,
					.tsc_hz = 2000000000,
					.apic_timer_hz = 1000000000 };
	assert_int_equal(cpuid_table_build(&plain, &config), 0);
	assert_int_equal(cpuid_limit(host, &plain), 0);
	return 0;
}

static void build(void)
{
	assert_int_equal(cpuid_table_build(&table, &config), 0);
	assert_int_equal(cpuid_limit(host, &table), 0);
}

static struct cpuid_regs get(uint32_t leaf, uint32_t subleaf)
{
	return cpuid_find(&table, leaf, subleaf)->regs;
}

static void off(enum cpu_word word, unsigned bit)
{
	config.quirks.off[word] |= (uint32_t)BIT(bit);
}

static void test_none(void **state)
{
	(void)state;
	build();
	assert_memory_equal(&table, &plain, sizeof(table));
}

static void test_leaf_max(void **state)
{
	(void)state;
	config.quirks.leaf_max = 2;
	build();
	assert_int_equal(get(0, 0).eax, 2);
	assert_int_equal(get(0, 0).ebx, get(0x80000000, 0).ebx);
	for (uint32_t leaf = 3; leaf < 0x20; leaf++)
		for (uint32_t i = 0; i < 4; i++) {
			struct cpuid_regs none = { 0 }, got = get(leaf, i);

			assert_memory_equal(&got, &none, sizeof(got));
			assert_int_equal(cpuid_find(&table, leaf, i)->patch, 0);
		}
	/* Without leaf 0Dh nobody can use XSAVE, nor AVX; SSE stays. */
	assert_int_equal(get(1, 0).ecx & (BIT(26) | BIT(28) | BIT(12)), 0);
	assert_true(get(1, 0).edx & BIT(26));
	assert_int_equal(
		cpuid_cr4_valid(&table) & (X86_CR4_OSXSAVE | X86_CR4_SMEP), 0);
	/* All others are as they were. */
	assert_int_equal(get(0x80000001, 0).edx, plain.extended[1].regs.edx);
	config.quirks.leaf_max = 0xd;
	build();
	assert_memory_equal(&table, &plain, sizeof(table));
}

static void test_identity(void **state)
{
	static const char name[] = "Intel(R) Pentium(R) II";
	char told[48];

	(void)state;
	memcpy(config.quirks.vendor, "GenuineIntel", 13);
	memcpy(config.quirks.name, name, sizeof(name));
	config.quirks.family = 6;
	config.quirks.model = 0x15;
	config.quirks.stepping = 3;
	config.quirks.has_model = config.quirks.has_stepping = true;
	build();
	assert_int_equal(get(0, 0).ebx, 0x756e6547);
	assert_int_equal(get(0, 0).edx, 0x49656e69);
	assert_int_equal(get(0, 0).ecx, 0x6c65746e);
	assert_int_equal(get(1, 0).eax, 0x00010653);
	for (uint32_t i = 0; i < 3; i++) {
		struct cpuid_regs regs = get(0x80000002 + i, 0);

		memcpy(told + i * 16, &regs, 16);
	}
	assert_string_equal(told, name);
	/* Intel's do not repeat leaf 1 there, and have threads in leaf 4. */
	assert_int_equal(get(0x80000001, 0).edx & 0x1ff, 0);
	assert_true(get(0x80000001, 0).edx & BIT(29));
	assert_int_equal(get(0x80000000, 0).ebx, 0);
	assert_int_equal(get(0x80000000, 0).eax, 0x80000008);
	assert_false(cpuid_is_amd(&table));
}

static void test_vendor_amd(void **state)
{
	(void)state;
	host_is_amd = false;
	memcpy(config.quirks.vendor, "AuthenticAMD", 13);
	build();
	assert_true(cpuid_is_amd(&table));
	assert_int_equal(get(0x80000000, 0).ebx, get(0, 0).ebx);
	assert_int_equal(get(0x80000008, 0).ecx & 0xff, 1);
}

static void test_signature(void **state)
{
	/* clang-format off */
	static const struct {
		uint16_t family;
		int model, stepping; /* -1: the host's */
		uint32_t eax;
	} rows[] = {
		{ 5, 4, 3, 0x00000543 }, { 4, 8, -1, 0x00000482 },
		{ 5, -1, -1, 0x00000512 }, /* 21h has no room */
		{ 15, 2, 9, 0x00000f29 }, { 0x17, 0x71, 0, 0x00870f10 },
		{ 0, -1, 7, 0x00a20f17 }, { 0, 0, -1, 0x00a00f02 },
		{ 15 + 255, 255, 15, 0x0fff0fff },
	};
	/* clang-format on */

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cpu_quirks *quirks = &config.quirks;

		quirks->family = rows[i].family;
		quirks->has_model = rows[i].model >= 0;
		quirks->model = (uint8_t)rows[i].model;
		quirks->has_stepping = rows[i].stepping >= 0;
		quirks->stepping = (uint8_t)rows[i].stepping;
		build();
		assert_int_equal(get(1, 0).eax, rows[i].eax);
		assert_int_equal(get(0x80000001, 0).eax, rows[i].eax);
	}
}

static void test_tsc(void **state)
{
	(void)state;
	off(CPU_WORD_1_EDX, 4);
	build();
	assert_int_equal(get(1, 0).edx & BIT(4), 0);
	assert_int_equal(get(0x80000001, 0).edx & (BIT(4) | BIT(27)), 0);
	assert_int_equal(get(1, 0).ecx & BIT(24), 0);
	assert_int_equal(get(7, 0).ebx & BIT(1), 0);
	assert_int_equal(get(0x80000007, 0).edx & BIT(8), 0);
	assert_int_equal(get(0x40000010, 0).eax, 0);
	assert_int_equal(get(0x40000010, 0).ebx, 1000000);
	assert_true(get(1, 0).edx & BIT(0));
}

static void test_chains(void **state)
{
	(void)state;
	off(CPU_WORD_1_ECX, 28); /* AVX */
	build();
	assert_int_equal(get(1, 0).ecx & (BIT(28) | BIT(12) | BIT(29)), 0);
	assert_int_equal(get(7, 0).ebx & BIT(5), 0);
	assert_int_equal(get(0xd, 0).eax, 3);
	assert_true(get(1, 0).ecx & BIT(26));
	off(CPU_WORD_1_EDX, 24); /* FXSR: all of SSE, and so long mode */
	build();
	assert_int_equal(get(1, 0).edx & MASK(26, 24), 0);
	assert_int_equal(get(1, 0).ecx & (BIT(0) | BIT(9) | BIT(26)), 0);
	assert_int_equal(get(0x80000001, 0).edx & (BIT(24) | BIT(29)), 0);
	/* What long mode had, by the second look. */
	assert_int_equal(get(0x80000001, 0).ecx & BIT(0), 0);
	assert_int_equal(get(7, 0).ebx & (BIT(0) | BIT(10)), 0);
	assert_int_equal(get(0xd, 0).eax, 0);
	assert_int_equal(cpuid_efer_valid(&table) & X86_EFER_LME, 0);
	assert_true(get(1, 0).edx & BIT(23));
}

static void test_hypervisor(void **state)
{
	(void)state;
	off(CPU_WORD_1_ECX, 31);
	build();
	assert_int_equal(get(1, 0).ecx & BIT(31), 0);
	assert_int_equal(get(0x40000000, 0).eax, 0);
	assert_int_equal(get(0x40000000, 0).ebx, 0);
	assert_int_equal(get(0x40000010, 0).ebx, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_none, setup),
		cmocka_unit_test_setup(test_leaf_max, setup),
		cmocka_unit_test_setup(test_identity, setup),
		cmocka_unit_test_setup(test_vendor_amd, setup),
		cmocka_unit_test_setup(test_signature, setup),
		cmocka_unit_test_setup(test_tsc, setup),
		cmocka_unit_test_setup(test_chains, setup),
		cmocka_unit_test_setup(test_hypervisor, setup),
	};

	return cmocka_run_group_tests_name("cpuid_quirks", tests, NULL, NULL);
}
