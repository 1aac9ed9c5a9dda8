/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest is told, from made-up hosts: the machine's table
 * (machine/cpuid_table.c), of the monitor's facts and within its limits
 * (cpumodel/cpuid.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cpumodel/cpuid.h"
#include "include/errno.h"
#include "include/emulate.h"
#include "include/x86.h"
#include "include/x86_state.h"
#include "machine/cpuid_table.h"

struct fake {
	bool is_amd;
	uint32_t basic_last, extended_last;
	uint32_t fill; /* what every other register reads */
};

static const struct fake *fake; /* the host */

static struct cpuid_regs fake_host(uint32_t leaf, uint32_t subleaf)
{
	const char *name = fake->is_amd ? "AuthenticAMD" : "GenuineIntel";
	struct cpuid_regs regs = { fake->fill, fake->fill, fake->fill,
				   fake->fill };

	if (leaf == 0 || leaf == 0x80000000) {
		regs.eax = leaf ? fake->extended_last : fake->basic_last;
		memcpy(&regs.ebx, name, 4);
		memcpy(&regs.edx, name + 4, 4);
		memcpy(&regs.ecx, name + 8, 4);
	}
	if (leaf == (fake->is_amd ? 0x8000001d : 4)) {
		/* L1 data, L1 code, L2, L3, none. */
		static const uint32_t eax[] = { 0x121, 0x122, 0x143, 0x163 };

		regs.eax = subleaf < 4 ? eax[subleaf] : 0;
	}
	if (leaf == 0x80000008)
		regs.eax = 0x3030;
	if (leaf == 0xd && subleaf == 2)
		regs = (struct cpuid_regs){ 256, 576, 0, 0 };
	return regs;
}

static const struct fake amd = { true, 0xd, 0x8000001e, 0xffffffff };
static const struct fake intel = { false, 0x1f, 0x80000008, 0xffffffff };
static const struct fake poor = { true, 1, 0x80000004, 0 };

static struct cpuid_table table;

static struct cpuid_regs facts(void *ctx, uint32_t leaf, uint32_t subleaf)
{
	(void)ctx;
	return cpuid_facts(fake_host, leaf, subleaf);
}

/* What an honest machine says passes the monitor as it is. */
static void check_passes(const struct cpuid_table *made)
{
	const struct cpuid_leaf *before = made->basic, *after = table.basic;

	for (unsigned i = 0; i < sizeof(table) / sizeof(*before); i++)
		assert_memory_equal(&before[i].regs, &after[i].regs,
				    sizeof(before[i].regs));
}

static void build(const struct fake *host, unsigned vcpus)
{
	struct cpuid_config config = {
		.facts = facts,
		.vcpus = vcpus,
		.tsc_hz = 2500000000,
		.apic_timer_hz = 1000000000,
	};
	static struct cpuid_table made;

	fake = host;
	assert_int_equal(cpuid_table_build(&table, &config), 0);
	made = table;
	assert_int_equal(cpuid_limit(fake_host, &table), 0);
	check_passes(&made);
}

static struct cpuid_regs get_as(uint32_t leaf, uint32_t subleaf,
				uint32_t apic_id)
{
	const struct cpuid_leaf *found = cpuid_find(&table, leaf, subleaf);
	struct cpuid_regs regs = found->regs;
	struct cpuid_dynamic dynamic = {
		.apic_id = apic_id,
		.subleaf = subleaf,
		.is_apic_enabled = true,
		.cr4 = X86_CR4_OSXSAVE,
		.xcr0 = 7,
	};

	if (found->patch)
		cpuid_patch(found, &dynamic, &regs);
	return regs;
}

static struct cpuid_regs get(uint32_t leaf, uint32_t subleaf)
{
	return get_as(leaf, subleaf, 3);
}

static void test_hidden(void **state)
{
	(void)state;
	build(&amd, 4);
	/* MONITOR, VMX, SMX, EST, PDCM; SVM, SKINIT, IBS, OSVW, MWAITX ... */
	assert_int_equal(get(1, 0).ecx & (BIT(2) | BIT(3) | BIT(5) | BIT(6) |
					  BIT(7) | BIT(8) | BIT(15)),
			 0);
	assert_int_equal(get(1, 0).edx & (BIT(18) | BIT(21) | BIT(22)), 0);
	assert_int_equal(get(0x80000001, 0).ecx &
				 (BIT(2) | BIT(3) | BIT(9) | BIT(10) | BIT(12) |
				  BIT(13) | BIT(15) | BIT(23) | BIT(24) |
				  BIT(29)),
			 0);
	/* AVX-512, PT, RDT, MPX, SGX, HLE, RTM; PKU, LA57; speculation
	 * controls. */
	assert_int_equal(get(7, 0).ebx &
				 (BIT(2) | BIT(4) | BIT(11) | BIT(12) |
				  BIT(14) | BIT(15) | BIT(16) | BIT(25)),
			 0);
	assert_int_equal(get(7, 0).ecx & (BIT(3) | BIT(4) | BIT(16) | BIT(7)),
			 0);
	assert_int_equal(get(7, 0).edx & MASK(31, 26), 0);
	assert_int_equal(get(0xa, 0).eax, 0);
	assert_int_equal(get(5, 0).ecx, 0);
	assert_int_equal(get(0x8000000a, 0).eax, 0);
	assert_int_equal(get(7, 1).eax, 0);
	assert_int_equal(get(0xd, 1).eax, 7);
	assert_int_equal(get(0xd, 3).eax, 0);
}

static void test_forced(void **state)
{
	(void)state;
	build(&poor, 1);
	assert_int_equal(get(0, 0).eax, 0xb);
	assert_int_equal(get(1, 0).ecx & ~BIT(27), BIT(21) | BIT(24) | BIT(31));
	assert_int_equal(get(1, 0).edx, BIT(9) | BIT(12) | BIT(16));
	assert_int_equal(get(6, 0).eax, BIT(2));
	assert_int_equal(get(0x80000000, 0).eax, 0x80000008);
	assert_int_equal(get(0x80000008, 0).eax, 0x3024);
	assert_int_equal(get(0x80000007, 0).edx, BIT(8));
	assert_int_equal(cpuid_phys_bits(&table), 36);
	assert_true(cpuid_is_amd(&table));
}

static void test_ranges(void **state)
{
	(void)state;
	build(&amd, 1);
	assert_int_equal(get(0, 0).eax, 0xd);
	assert_int_equal(get(0x80000000, 0).eax, 0x8000001e);
	assert_int_equal(get(0x20, 0).eax, 0);
	assert_int_equal(get(0x40000020, 0).eax, 0);
	assert_int_equal(get(0x80000020, 0).eax, 0);
	assert_int_equal(get(0xffffffff, 0xffffffff).edx, 0);
	assert_int_equal(get(0x80000001, 77).eax, 0xffffffff);
	build(&intel, 1);
	assert_int_equal(get(0, 0).eax, 0xd);
	assert_int_equal(get(0x80000000, 0).eax, 0x80000008);
	assert_int_equal(get(0x8000001a, 0).eax, 0);
	assert_false(cpuid_is_amd(&table));
}

static void test_hypervisor(void **state)
{
	struct cpuid_regs regs;
	char name[13] = "";

	(void)state;
	build(&amd, 1);
	regs = get(0x40000000, 0);
	memcpy(name, &regs.ebx, 4);
	memcpy(name + 4, &regs.ecx, 4);
	memcpy(name + 8, &regs.edx, 4);
	assert_string_equal(name, "BulkheadHV  ");
	assert_int_equal(regs.eax, 0x40000010);
	assert_int_equal(get(0x40000010, 0).eax, 2500000);
	assert_int_equal(get(0x40000010, 0).ebx, 1000000);
}

static void test_topology(void **state)
{
	/* clang-format off */
	static const struct { unsigned vcpus, bits; } rows[] = {
		{ 1, 0 }, { 2, 1 }, { 3, 2 }, { 4, 2 }, { 5, 3 }, { 8, 3 },
		{ 9, 4 }, { 16, 4 }, { 17, 5 }, { 32, 5 }, { 255, 8 },
	};
	/* clang-format on */
	struct cpuid_config none = { .facts = facts };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		build(&amd, rows[i].vcpus);
		assert_int_equal(get(1, 0).ebx >> 16 & 0xff, rows[i].vcpus);
		assert_int_equal(get(1, 0).ebx >> 24, 3);
		assert_int_equal(get(0xb, 0).eax, 0);
		assert_int_equal(get(0xb, 0).ebx, 1);
		assert_int_equal(get(0xb, 0).ecx, 0x100);
		assert_int_equal(get(0xb, 1).eax, rows[i].bits);
		assert_int_equal(get(0xb, 1).ebx, rows[i].vcpus);
		assert_int_equal(get(0xb, 1).ecx, 0x201);
		assert_int_equal(get(0xb, 1).edx, 3);
		assert_int_equal(get(0x80000008, 0).ecx,
				 rows[i].bits << 12 | (rows[i].vcpus - 1));
		assert_int_equal(!!(get(0x80000001, 0).ecx & 2),
				 rows[i].vcpus > 1);
	}
	assert_int_equal(get(0xb, 2).ebx, 0);
	assert_int_equal(get(0xb, 0x105).ecx, 5);
	assert_int_equal(get(0xb, 2).edx, 3);
	assert_int_equal(cpuid_table_build(&table, &none), -EINVAL);
	none.vcpus = 256;
	assert_int_equal(cpuid_table_build(&table, &none), -EINVAL);
	build(&intel, 4);
	assert_int_equal(get(4, 0).eax, 0x121 | 3u << 26);
	assert_int_equal(get(4, 3).eax, 0x163 | 3u << 26 | 3 << 14);
	assert_int_equal(get(4, 4).eax, 0);
	assert_int_equal(get(4, 9).eax, 0);
	build(&amd, 4);
	assert_int_equal(get(4, 0).eax, 0);
}

static int build_topology(const struct fake *host, unsigned vcpus,
			  unsigned cores, unsigned threads)
{
	const struct cpuid_config config = {
		.facts = facts,
		.vcpus = vcpus,
		.cores = cores,
		.threads = threads,
	};
	int error;

	fake = host;
	error = cpuid_table_build(&table, &config);
	if (!error)
		assert_int_equal(cpuid_limit(fake_host, &table), 0);
	return error;
}

static void test_packages(void **state)
{
	/* clang-format off */
	static const struct {
		unsigned vcpus, cores, threads; /* of a package, of a core */
		unsigned core_bits, thread_bits, last_id;
	} rows[] = {
		{ 1, 1, 1, 0, 0, 0 }, { 4, 1, 1, 0, 0, 3 }, { 32, 1, 1, 0, 0, 31 },
		{ 4, 2, 1, 1, 0, 3 }, { 8, 2, 2, 1, 1, 7 }, { 6, 3, 1, 2, 0, 6 },
		{ 12, 3, 2, 2, 1, 13 }, { 27, 3, 3, 2, 2, 42 },
		{ 6, 1, 3, 0, 2, 6 }, { 10, 5, 2, 3, 1, 9 },
	};
	/* clang-format on */

	(void)state;
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		const struct fake *host = i % 2 ? &amd : &intel;
		unsigned cores = rows[i / 2].cores, n = rows[i / 2].threads;
		unsigned c = rows[i / 2].core_bits, t = rows[i / 2].thread_bits;
		unsigned last = rows[i / 2].vcpus - 1;

		assert_int_equal(build_topology(host, last + 1, cores, n), 0);
		assert_int_equal(table.apic_id[0], 0);
		assert_int_equal(table.apic_id[last], rows[i / 2].last_id);
		for (unsigned j = 1; j <= last; j++)
			assert_true(table.apic_id[j] > table.apic_id[j - 1]);
		assert_int_equal(get(1, 0).ebx >> 16 & 0xff, cores * n);
		assert_int_equal(!!(get(1, 0).edx & BIT(28)), cores * n > 1);
		assert_int_equal(get(0xb, 0).eax, t);
		assert_int_equal(get(0xb, 0).ebx, n);
		assert_int_equal(get(0xb, 1).eax, c + t);
		assert_int_equal(get(0xb, 1).ebx, cores * n);
		if (i % 2) {
			struct cpuid_regs place =
				get_as(0x8000001e, 0, rows[i / 2].last_id);

			assert_int_equal(get(0x80000008, 0).ecx,
					 (c + t) << 12 | (cores * n - 1));
			assert_int_equal(place.eax, rows[i / 2].last_id);
			assert_int_equal(place.ebx, (n - 1) << 8 | (cores - 1));
			assert_int_equal(place.ecx, last / (cores * n));
			assert_int_equal(get(0x8000001d, 0).eax >> 14, n - 1);
			assert_int_equal(get(0x8000001d, 3).eax >> 14,
					 cores * n - 1);
			assert_int_equal(get(0x8000001d, 4).eax, 0);
			continue;
		}
		/* The first level is a core's, the last a package's. */
		assert_int_equal(get(4, 0).eax, 0x121 | ((1u << c) - 1) << 26 |
							((1u << t) - 1) << 14);
		assert_int_equal(get(4, 3).eax, 0x163 | ((1u << c) - 1) << 26 |
							((1u << (c + t)) - 1)
								<< 14);
	}
	assert_int_equal(build_topology(&amd, 4, 3, 1), -EINVAL);
	assert_int_equal(build_topology(&amd, 4, 2, 0), -EINVAL);
	assert_int_equal(build_topology(&amd, 255, 51, 1), -EINVAL);
}

/*
 * Each of 32 vCPUs has an id of its own, in every place that shows one, and
 * all of them fit the width that the same leaves announce.
 */
static void test_ids_of_32(void **state)
{
	static const struct fake *const fakes[] = { &amd, &intel };
	struct cpuid_regs regs;

	(void)state;
	for (unsigned i = 0; i < 2 * 32; i++) {
		build(fakes[i / 32], 32);
		regs = get_as(1, 0, i % 32);
		assert_int_equal(regs.ebx >> 24, i % 32);
		assert_int_equal(regs.ebx >> 16 & 0xff, 32);
		assert_true(regs.edx & BIT(28)); /* HTT */
		for (unsigned level = 0; level < 3; level++)
			assert_int_equal(get_as(0xb, level, i % 32).edx,
					 i % 32);
		regs = get_as(0xb, 1, i % 32);
		assert_int_equal(i % 32 >> regs.eax, 0);
		assert_int_equal(regs.ebx, 32);
		/* No leaf 0x1f: its absence sends software to leaf 0xb. */
		assert_true(get_as(0, 0, i % 32).eax < 0x1f);
		assert_int_equal(get_as(0x1f, 1, i % 32).ebx, 0);
	}
	/* Cores of the package; who shares the first and the last cache. */
	assert_int_equal(get(4, 0).eax >> 26, 31);
	assert_int_equal(get(4, 0).eax >> 14 & 0xfff, 0);
	assert_int_equal(get(4, 3).eax >> 14 & 0xfff, 31);
	build(&amd, 32);
	assert_int_equal(get(0x80000008, 0).ecx, 5 << 12 | 31);
}

static void test_dynamic(void **state)
{
	const struct cpuid_leaf *leaf;
	struct cpuid_dynamic dynamic = { .apic_id = 0x1ff };
	struct cpuid_regs regs;

	(void)state;
	build(&amd, 2);
	leaf = cpuid_find(&table, 1, 0);
	regs = leaf->regs;
	cpuid_patch(leaf, &dynamic, &regs);
	assert_int_equal(regs.ebx >> 24, 0xff);
	assert_int_equal(regs.edx & BIT(9), 0);
	assert_int_equal(regs.ecx & BIT(27), 0);
	dynamic.is_apic_enabled = true;
	dynamic.cr4 = X86_CR4_OSXSAVE;
	regs = leaf->regs;
	cpuid_patch(leaf, &dynamic, &regs);
	assert_true(regs.edx & BIT(9));
	assert_true(regs.ecx & BIT(27));
	assert_int_equal(get(0xd, 0).eax, 7);
	assert_int_equal(get(0xd, 0).ebx, 832);
	assert_int_equal(get(0xd, 0).ecx, 832);
	assert_int_equal(get(0xd, 0).edx, 0);
	assert_int_equal(get(0xd, 2).ebx, 576);
	leaf = cpuid_find(&table, 0xd, 1);
	dynamic.xcr0 = 3;
	regs = leaf->regs;
	cpuid_patch(leaf, &dynamic, &regs);
	assert_int_equal(regs.ebx, 576);
}

static void test_dependents(void **state)
{
	struct fake no_avx = amd, no_rdtscp = amd;

	(void)state;
	no_rdtscp.fill &= ~(BIT(22) | BIT(27));
	build(&no_rdtscp, 1);
	assert_int_equal(get(0x80000001, 0).edx & BIT(27), 0);
	assert_int_equal(get(7, 0).ecx & BIT(22), 0);
	assert_false(cpuid_has_tsc_aux(&table));
	assert_false(cpuid_host_has_tsc_aux(fake_host));
	build(&amd, 1);
	assert_true(get(0x80000001, 0).edx & BIT(27));
	assert_true(cpuid_has_tsc_aux(&table));
	/* Everything but AVX (leaf 1 ECX bit 28). */
	no_avx.fill &= ~BIT(28);
	build(&no_avx, 1);
	assert_int_equal(get(1, 0).ecx & (BIT(12) | BIT(28)), 0);
	assert_int_equal(get(7, 0).ebx & BIT(5), 0);
	assert_int_equal(get(0xd, 0).ecx, 576);
	assert_int_equal(get(0xd, 0).eax, 3);
	/* And without XSAVE (bit 26). */
	no_avx.fill &= ~BIT(26);
	build(&no_avx, 1);
	assert_int_equal(get(0xd, 0).eax, 0);
	assert_int_equal(get(0xd, 0).ebx, 0);
	assert_int_equal(cpuid_cr4_valid(&table) & X86_CR4_OSXSAVE, 0);
}

static void test_questions(void **state)
{
	(void)state;
	build(&amd, 1);
	assert_int_equal(cpuid_efer_valid(&table),
			 X86_EFER_SCE | X86_EFER_LME | X86_EFER_LMA |
				 X86_EFER_NXE | X86_EFER_FFXSR);
	assert_int_equal(cpuid_cr4_valid(&table) &
				 (X86_CR4_LA57 | X86_CR4_PKE | BIT(13)),
			 0);
	assert_true(cpuid_cr4_valid(&table) & X86_CR4_SMAP);
	assert_int_equal(get(0xd, 0).eax, 7);
	assert_int_equal(cpuid_phys_bits(&table), 48);
	build(&poor, 1);
	assert_int_equal(cpuid_efer_valid(&table), 0);
}

/* ---- Tables that are not honest ----------------------------------------- */

/* All that a table can say. */
static void boast(unsigned subleaves)
{
	struct cpuid_leaf *leaf = (struct cpuid_leaf *)&table;

	memset(&table, 0xff, sizeof(table));
	for (unsigned i = 0; i < sizeof(table) / sizeof(*leaf); i++) {
		leaf[i].subleaf_first = 0;
		leaf[i].subleaf_count = (uint8_t)subleaves;
	}
}

static void share(unsigned one, unsigned other)
{
	table.basic[one].subleaf_count = table.basic[other].subleaf_count = 4;
}

/* Nothing is left that the host's facts do not show. */
static void check_limited(void)
{
	/* clang-format off */
	static const struct { uint32_t leaf; uint8_t subleaf, reg; } rows[] = {
		{ 0x1, 0, 2 }, { 0x1, 0, 3 }, { 0x5, 0, 2 }, { 0x6, 0, 0 },
		{ 0x6, 0, 2 }, { 0x7, 0, 1 }, { 0x7, 0, 2 }, { 0x7, 0, 3 },
		{ 0x7, 1, 0 }, { 0xa, 0, 0 }, { 0xd, 0, 0 }, { 0xd, 0, 3 },
		{ 0xd, 1, 0 }, { 0xd, 1, 2 }, { 0x14, 0, 1 },
		{ 0x80000001, 0, 2 }, { 0x80000001, 0, 3 },
		{ 0x80000007, 0, 3 }, { 0x80000008, 0, 1 },
		{ 0x8000000a, 0, 3 }, { 0x8000001f, 0, 0 },
	};
	/* clang-format on */

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cpuid_regs shown =
			cpuid_find(&table, rows[i].leaf, rows[i].subleaf)->regs;
		struct cpuid_regs real =
			facts(NULL, rows[i].leaf, rows[i].subleaf);
		const uint32_t *bits = &shown.eax, *may = &real.eax;

		assert_int_equal(bits[rows[i].reg] & ~may[rows[i].reg], 0);
	}
	assert_int_equal(cpuid_cr4_valid(&table) & ~cpuid_cr4_host(fake_host),
			 0);
	assert_true(cpuid_has_tsc_aux(&table) <=
		    cpuid_host_has_tsc_aux(fake_host));
	assert_int_equal(cpuid_find(&table, 0x12345678, 0)->regs.eax, 0);
}

static void test_lies(void **state)
{
	static const struct fake *const fakes[] = { &amd, &intel, &poor };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(fakes); i++) {
		fake = fakes[i];
		boast(0);
		assert_int_equal(cpuid_limit(fake_host, &table), 0);
		check_limited();
		assert_int_equal(cpuid_phys_bits(&table), 36);
		/* Subleaves that leaves share: none shows another's. */
		boast(0);
		share(0x1, 0x7);
		share(0xd, 0x4);
		assert_int_equal(cpuid_limit(fake_host, &table), 0);
		check_limited();
	}
	assert_int_equal(cpuid_efer_valid(&table), 0);
}

/* Fewer bits of addresses are the machine's to say, more are not. */
static void test_phys_bits(void **state)
{
	static const uint8_t rows[][2] = { { 40, 40 }, { 48, 48 }, { 52, 48 },
					   { 32, 32 }, { 31, 36 }, { 0, 36 },
					   { 255, 36 } };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		build(&amd, 1);
		table.extended[8].regs.eax = 0x3000U | rows[i][0];
		assert_int_equal(cpuid_limit(fake_host, &table), 0);
		assert_int_equal(get(0x80000008, 0).eax, 0x3000 | rows[i][1]);
		assert_int_equal(cpuid_phys_bits(&table), rows[i][1]);
	}
}

/* Subleaves beyond the table's end. */
static void test_bad_subleaves(void **state)
{
	static const uint8_t rows[][2] = { { 0, CPUID_SUBLEAVES + 1 },
					   { CPUID_SUBLEAVES, 1 },
					   { CPUID_SUBLEAVES - 1, 2 },
					   { 255, 1 },
					   { 1, 255 },
					   { 255, 255 } };
	struct cpuid_leaf *const leaves[] = { &table.basic[31],
					      &table.extended[0],
					      &table.hypervisor[5] };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		for (unsigned j = 0; j < ARRAY_SIZE(leaves); j++) {
			build(&amd, 1);
			leaves[j]->subleaf_first = rows[i][0];
			leaves[j]->subleaf_count = rows[i][1];
			assert_int_equal(cpuid_limit(fake_host, &table),
					 -EINVAL);
		}
	/* More than the table has room for, each alone in bounds. */
	boast(1);
	assert_int_equal(cpuid_limit(fake_host, &table), -EINVAL);
}

/* Of a range other than the first. */
static void test_subleaves(void **state)
{
	(void)state;
	build(&amd, 1);
	table.hypervisor[1].subleaf_first = CPUID_SUBLEAVES - 1;
	table.hypervisor[1].subleaf_count = 1;
	table.subleaf[CPUID_SUBLEAVES - 1].regs.eax = 0x1234;
	assert_int_equal(cpuid_limit(fake_host, &table), 0);
	assert_int_equal(get(0x40000001, 0).eax, 0x1234);
	assert_int_equal(get(0x40000001, 1).eax, 0);
	assert_int_equal(get(1, 1).eax, 0xffffffff);
}

/* What other hypervisors have at their places: data as in the first range. */
static void test_further(void **state)
{
	(void)state;
	build(&amd, 1);
	table.further[0][1].regs.eax = 0x1111;
	table.further[0][1].patch = CPUID_PATCH_ALL;
	table.further[1][31].regs.edx = 0x2222;
	assert_int_equal(cpuid_limit(fake_host, &table), 0);
	assert_int_equal(get(0x40000101, 0).eax, 0x1111);
	assert_int_equal(get(0x40000101, 7).eax, 0x1111);
	assert_int_equal(cpuid_find(&table, 0x40000101, 0)->patch, 0);
	assert_int_equal(get(0x4000021f, 0).edx, 0x2222);
	assert_int_equal(get(0x40000121, 0).eax, 0);
	assert_int_equal(get(0x40000301, 0).eax, 0);
	assert_int_equal(get(0x3fffff01, 0).eax, 0);
	assert_int_equal(get(0xc0000101, 0).eax, 0);
	assert_int_equal(get(0x40010101, 0).eax, 0);
}

static void test_emulator(void **state)
{
	const struct cpuid_config config = { .facts = facts };
	uint64_t all = (EMUL_FEATURE_CLWB << 1) - 1; /* the last */

	(void)state;
	all &= ~EMUL_FEATURE_MWAIT;
	build(&intel, 1);
	assert_int_equal(cpuid_emulator_features(&table, &config), all);
	build(&amd, 1);
	assert_int_equal(cpuid_emulator_features(&table, &config),
			 all & ~EMUL_FEATURE_INTEL);
	/* What the guest is told of the vendor changes no instruction. */
	memcpy(&table.basic[0].regs.ebx, "Genu", 4);
	assert_int_equal(cpuid_emulator_features(&table, &config),
			 all & ~EMUL_FEATURE_INTEL);
	build(&poor, 1);
	assert_int_equal(cpuid_emulator_features(&table, &config), 0);
}

static struct cpuid_regs real_facts(void *ctx, uint32_t leaf, uint32_t subleaf)
{
	(void)ctx;
	return cpuid_facts(cpuid_read, leaf, subleaf);
}

/* Whatever this machine is, the result is a subset of it and consistent. */
static void test_this_machine(void **state)
{
	struct cpuid_config config = { .facts = real_facts, .vcpus = 2 };

	(void)state;
	assert_int_equal(cpuid_table_build(&table, &config), 0);
	assert_int_equal(cpuid_limit(cpuid_read, &table), 0);
	assert_int_equal(get(0, 0).ebx, cpuid_read(0, 0).ebx);
	assert_int_equal(get(7, 0).ebx & ~BIT(1) & ~cpuid_read(7, 0).ebx, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_forced),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_hypervisor),
		cmocka_unit_test(test_topology),
		cmocka_unit_test(test_packages),
		cmocka_unit_test(test_ids_of_32),
		cmocka_unit_test(test_dynamic),
		cmocka_unit_test(test_dependents),
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_phys_bits),
		cmocka_unit_test(test_bad_subleaves),
		cmocka_unit_test(test_subleaves),
		cmocka_unit_test(test_further),
		cmocka_unit_test(test_emulator),
		cmocka_unit_test(test_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
