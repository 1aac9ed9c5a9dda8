/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of the host's CPUID becomes the guest's, and what is the machine's own:
 * topology, the hypervisor's leaves.  What no row mentions reads zero.
 *
 * References: APM volume 3, appendix E; SDM volume 2, "CPUID".
 */
#include "machine/cpuid_table.h"

#include "include/emulate.h"
#include "include/errno.h"
#include "include/x86_state.h"
#include "lib/string.h"
#include "machine/cpuid_quirks.h"
#include "machine/topology.h"

#define VCPUS_MAX 255U

#define ALL 0xffffffffU

/* Leaf 1 */
#define L1_EAX_FAMILY	   MASK(11, 8)
#define L1_EAX_FAMILY_MORE MASK(27, 20)
/* Its kernels know threads by TOPOEXT alone. */
#define FAMILY_ZEN	   0x17
#define L1_EBX_CLFLUSH	   MASK(15, 8)
#define L1_EBX_COUNT	   MASK(23, 16)
#define L1_ECX_XSAVE	   BIT(26)
#define L1_ECX_AVX	   BIT(28)
#define L1_ECX_NEED_AVX	   (BIT(12) | BIT(29)) /* FMA F16C */
#define L1_EDX_HTT	   BIT(28)

#define L4_EAX_TYPE    MASK(4, 0)
#define L4_EAX_LEVEL   MASK(7, 5)
#define L4_EAX_SHARING MASK(25, 14)
#define L4_EAX_CORES   MASK(31, 26)

/* Leaf 7 */
#define L7_EBX_NEED_AVX (BIT(5))	   /* AVX2 */
#define L7_ECX_NEED_AVX (BIT(9) | BIT(10)) /* VAES VPCLMULQDQ */

#define LB_TYPE_SMT  1U
#define LB_TYPE_CORE 2U
#define LB_ECX_TYPE  MASK(15, 8)

#define XSAVE_LEGACY_SIZE 576U
#define XSAVE_AVX_SIZE	  256U

/* Leaf 0x80000001 */
#define E1_ECX_TOPOEXT	  BIT(22)
#define E1_ECX_CMP_LEGACY BIT(1)
/* What the emulator does not know: SSE4A MISALIGNSSE XOP FMA4 TBM, 3DNOW. */
#define E1_ECX_UNKNOWN	  (MASK(7, 6) | BIT(11) | BIT(16) | BIT(21))
#define E1_EDX_UNKNOWN	  MASK(31, 30)

#define E8_EAX_PHYS   MASK(7, 0)
#define E8_EAX_LINEAR MASK(15, 8)
#define E8_ECX_CORES  MASK(7, 0)
#define E8_ECX_SIZE   MASK(15, 12)

#define E1E_EBX_THREADS MASK(15, 8)

#define DEFAULT_PHYS_BITS   36
#define DEFAULT_LINEAR_BITS 48

#define BASIC_LAST	0x0dU
#define BASIC_LEAST	0x0bU
#define EXTENDED_LAST	0x8000001fU
#define EXTENDED_LEAST	0x80000008U
#define HYPERVISOR_LAST 0x40000010U

struct policy_row {
	uint32_t leaf;
	uint32_t subleaf;
	struct cpuid_regs pass;
};

/* clang-format off */
/* Of features the monitor has told only what a guest can have. */
static const struct policy_row policy[] = {
	/* Vendor; the highest leaf is computed. */
	{ 0x0, 0, { 0, ALL, ALL, ALL } },
	/* Family, model, stepping; brand, CLFLUSH's size; features. */
	{ 0x1, 0, { ALL, MASK(7, 0) | L1_EBX_CLFLUSH, ALL,
		    ALL & ~L1_EDX_HTT } },
	/* Cache and TLB descriptors, caches: Intel's. */
	{ 0x2, 0, { ALL, ALL, ALL, ALL } },
	{ 0x4, 0, { MASK(13, 0), ALL, ALL, ALL } },
	{ 0x4, 1, { MASK(13, 0), ALL, ALL, ALL } },
	{ 0x4, 2, { MASK(13, 0), ALL, ALL, ALL } },
	{ 0x4, 3, { MASK(13, 0), ALL, ALL, ALL } },
	/* The APIC timer never stops. */
	{ 0x6, 0, { ALL, 0, 0, 0 } },
	{ 0x7, 0, { 0, ALL, ALL, ALL } },
	/* XSAVE's areas. */
	{ 0xd, 0, { ALL, 0, 0, 0 } },
	{ 0xd, 1, { ALL, 0, 0, 0 } },
	{ 0xd, 2, { ALL, ALL, ALL, 0 } },
	/* The highest leaf is computed; AMD repeats the vendor. */
	{ 0x80000000, 0, { 0, ALL, ALL, ALL } },
	{ 0x80000001, 0, { ALL, ALL,
			   ALL & ~(E1_ECX_CMP_LEGACY | E1_ECX_TOPOEXT |
				   E1_ECX_UNKNOWN),
			   ALL & ~E1_EDX_UNKNOWN } },
	/* Brand string. */
	{ 0x80000002, 0, { ALL, ALL, ALL, ALL } },
	{ 0x80000003, 0, { ALL, ALL, ALL, ALL } },
	{ 0x80000004, 0, { ALL, ALL, ALL, ALL } },
	/* Caches and TLBs: AMD's. */
	{ 0x80000005, 0, { ALL, ALL, ALL, ALL } },
	{ 0x80000006, 0, { ALL, ALL, ALL, ALL } },
	{ 0x80000019, 0, { ALL, ALL, 0, 0 } },
	{ 0x8000001a, 0, { ALL, 0, 0, 0 } },
	/* Caches once more, by level: AMD's with TOPOEXT. */
	{ 0x8000001d, 0, { MASK(13, 0), ALL, ALL, ALL } },
	{ 0x8000001d, 1, { MASK(13, 0), ALL, ALL, ALL } },
	{ 0x8000001d, 2, { MASK(13, 0), ALL, ALL, ALL } },
	{ 0x8000001d, 3, { MASK(13, 0), ALL, ALL, ALL } },
	/* Invariant TSC. */
	{ 0x80000007, 0, { 0, 0, 0, ALL } },
	/* Address sizes. */
	{ 0x80000008, 0, { E8_EAX_PHYS | E8_EAX_LINEAR, ALL, 0, 0 } },
};
/* clang-format on */

/* Leaves that ECX selects from, and how many of each are kept. */
static const struct {
	uint32_t leaf;
	uint8_t count;
} indexed[] = {
	{ 0x4, 5 }, /* the last ends the list */
	{ 0x7, 1 }, { 0xb, 2 }, { 0xd, 3 }, { 0x8000001d, 5 },
};

/* ---- Rows -------------------------------------------------------------- */

static struct cpuid_leaf *row_of(struct cpuid_table *table, uint32_t leaf,
				 uint32_t subleaf)
{
	return (struct cpuid_leaf *)cpuid_find(table, leaf, subleaf);
}

/* ---- Building ---------------------------------------------------------- */

static void index_leaves(struct cpuid_table *table)
{
	unsigned first = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(indexed); i++) {
		unsigned number = indexed[i].leaf % CPUID_LEAVES;
		struct cpuid_leaf *leaf = indexed[i].leaf & CPUID_EXTENDED
						  ? &table->extended[number]
						  : &table->basic[number];

		leaf->subleaf_first = (uint8_t)first;
		leaf->subleaf_count = indexed[i].count;
		first += indexed[i].count;
	}
}

static void apply_policy(struct cpuid_table *table,
			 const struct cpuid_config *config)
{
	uint32_t basic_last = config->facts(config->ctx, 0, 0).eax;
	uint32_t extended_last =
		config->facts(config->ctx, CPUID_EXTENDED, 0).eax;

	for (unsigned i = 0; i < ARRAY_SIZE(policy); i++) {
		const struct policy_row *row = &policy[i];
		struct cpuid_regs facts =
			config->facts(config->ctx, row->leaf, row->subleaf);

		facts.eax &= row->pass.eax;
		facts.ebx &= row->pass.ebx;
		facts.ecx &= row->pass.ecx;
		facts.edx &= row->pass.edx;
		row_of(table, row->leaf, row->subleaf)->regs = facts;
		row_of(table, row->leaf, row->subleaf)->patch = CPUID_PATCH_ALL;
	}

	/* Leaves with provided bits or computed ones are always there. */
	table->basic[0].regs.eax =
		MAX(MIN(basic_last, BASIC_LAST), BASIC_LEAST);
	table->extended[0].regs.eax =
		MAX(MIN(extended_last, EXTENDED_LAST), EXTENDED_LEAST);
	if (extended_last < EXTENDED_LEAST)
		table->extended[8].regs.eax =
			FIELD_PUT(E8_EAX_PHYS, DEFAULT_PHYS_BITS) |
			FIELD_PUT(E8_EAX_LINEAR, DEFAULT_LINEAR_BITS);
}

/* What makes no sense without something that is not there. */
static void strip_dependents(struct cpuid_table *table)
{
	struct cpuid_regs *l1 = &table->basic[1].regs;
	struct cpuid_regs *l7 = &row_of(table, 7, 0)->regs;
	struct cpuid_regs *ld = &row_of(table, 0xd, 0)->regs;

	if (!(ld->eax & X86_XCR0_SSE))
		l1->ecx &= ~L1_ECX_XSAVE;
	if (!(l1->ecx & L1_ECX_XSAVE) || !(ld->eax & X86_XCR0_AVX))
		l1->ecx &= ~L1_ECX_AVX;
	if (!(l1->ecx & L1_ECX_AVX)) {
		l1->ecx &= ~L1_ECX_NEED_AVX;
		l7->ebx &= ~L7_EBX_NEED_AVX;
		l7->ecx &= ~L7_ECX_NEED_AVX;
		ld->eax &= ~X86_XCR0_AVX;
	}
	if (!(l1->ecx & L1_ECX_XSAVE)) {
		for (unsigned i = 0; i < 3; i++) {
			struct cpuid_leaf *row = row_of(table, 0xd, i);

			memset(&row->regs, 0, sizeof(row->regs));
			row->patch = 0;
		}
	} else {
		ld->ecx = XSAVE_LEGACY_SIZE +
			  (ld->eax & X86_XCR0_AVX ? XSAVE_AVX_SIZE : 0);
	}
}

/* The last level is a package's, the others are a core's. */
static void set_sharing(struct cpuid_table *table, uint32_t leaf,
			unsigned cores, unsigned threads)
{
	for (unsigned i = 0; i < 4; i++) {
		uint32_t *eax = &row_of(table, leaf, i)->regs.eax;
		unsigned sharing = threads;

		if (!(*eax & L4_EAX_TYPE))
			continue;
		if (FIELD_GET(L4_EAX_LEVEL, *eax) >= 3)
			sharing *= cores;
		*eax |= FIELD_PUT(L4_EAX_SHARING, sharing - 1);
	}
}

static void set_topology_intel(struct cpuid_table *table, unsigned cores,
			       unsigned threads)
{
	unsigned core_ids = 1U << topology_bits(cores);

	/* So many ids, not so many threads. */
	set_sharing(table, 0x4, core_ids, 1U << topology_bits(threads));
	for (unsigned i = 0; i < 4; i++) {
		uint32_t *eax = &row_of(table, 0x4, i)->regs.eax;

		if (*eax & L4_EAX_TYPE)
			*eax |= FIELD_PUT(L4_EAX_CORES, MIN(core_ids, 64U) - 1);
	}
}

static void clear_caches(struct cpuid_table *table, uint32_t leaf)
{
	for (unsigned i = 0; i < 5; i++)
		memset(&row_of(table, leaf, i)->regs, 0,
		       sizeof(struct cpuid_regs));
}

static unsigned family_of(const struct cpuid_table *table)
{
	uint32_t eax = table->basic[1].regs.eax;

	return FIELD_GET(L1_EAX_FAMILY, eax) +
	       FIELD_GET(L1_EAX_FAMILY_MORE, eax);
}

static void set_topology_amd(struct cpuid_table *table, unsigned cores,
			     unsigned threads)
{
	unsigned bits = topology_bits(cores) + topology_bits(threads);
	struct cpuid_leaf *place = row_of(table, 0x8000001e, 0);

	if (cores * threads > 1)
		table->extended[1].regs.ecx |= E1_ECX_CMP_LEGACY;
	table->extended[8].regs.ecx =
		FIELD_PUT(E8_ECX_CORES, cores * threads - 1) |
		FIELD_PUT(E8_ECX_SIZE, bits);
	/* Leaf 4 is Intel's, AMD's processors have none. */
	clear_caches(table, 0x4);
	if (family_of(table) < FAMILY_ZEN) {
		clear_caches(table, 0x8000001d);
		return;
	}
	set_sharing(table, 0x8000001d, cores, threads);
	table->extended[1].regs.ecx |= E1_ECX_TOPOEXT;
	table->extended[0].regs.eax =
		MAX(table->extended[0].regs.eax, 0x8000001e);
	place->regs.eax = topology_bits(threads);
	place->regs.ebx = FIELD_PUT(E1E_EBX_THREADS, threads - 1);
	place->regs.ecx = bits;
	place->patch = CPUID_PATCH_ALL;
}

static void set_topology(struct cpuid_table *table, unsigned vcpus,
			 unsigned cores, unsigned threads)
{
	struct cpuid_regs *l1 = &table->basic[1].regs;
	struct cpuid_regs *smt = &row_of(table, 0xb, 0)->regs;
	struct cpuid_regs *core = &row_of(table, 0xb, 1)->regs;

	l1->ebx |= FIELD_PUT(L1_EBX_COUNT, cores * threads);
	if (cores * threads > 1)
		l1->edx |= L1_EDX_HTT;
	row_of(table, 0xb, 0)->patch = row_of(table, 0xb, 1)->patch =
		table->topology_end.patch = CPUID_PATCH_ALL;
	smt->eax = topology_bits(threads);
	smt->ebx = threads;
	smt->ecx = FIELD_PUT(LB_ECX_TYPE, LB_TYPE_SMT);
	core->eax = topology_bits(cores) + topology_bits(threads);
	core->ebx = cores * threads;
	core->ecx = 1 | FIELD_PUT(LB_ECX_TYPE, LB_TYPE_CORE);
	for (unsigned i = 0; i < vcpus; i++)
		table->apic_id[i] =
			(uint8_t)topology_apic_id(cores, threads, i);
	if (cpuid_is_amd(table))
		set_topology_amd(table, cores, threads);
	else
		set_topology_intel(table, cores, threads);
}

/* The signature, then TSC and APIC timer rates where others put theirs. */
static void set_hypervisor(struct cpuid_table *table,
			   const struct cpuid_config *config)
{
	static const char signature[] = CPUID_SIGNATURE;
	struct cpuid_regs *first = &table->hypervisor[0].regs;
	struct cpuid_regs *rates =
		&table->hypervisor[HYPERVISOR_LAST % CPUID_LEAVES].regs;

	first->eax = HYPERVISOR_LAST;
	memcpy(&first->ebx, signature, 4);
	memcpy(&first->ecx, signature + 4, 4);
	memcpy(&first->edx, signature + 8, 4);
	rates->eax = (uint32_t)(config->tsc_hz / 1000);
	rates->ebx = (uint32_t)(config->apic_timer_hz / 1000);
}

int cpuid_table_build(struct cpuid_table *table,
		      const struct cpuid_config *config)
{
	unsigned cores = config->cores ? config->cores : config->vcpus;
	unsigned threads = config->cores ? config->threads : 1;

	if (config->vcpus == 0 || config->vcpus > VCPUS_MAX || !threads ||
	    config->vcpus % (cores * threads) ||
	    topology_apic_id(cores, threads, config->vcpus - 1) >= VCPUS_MAX)
		return -EINVAL;
	memset(table, 0, sizeof(*table));
	index_leaves(table);
	apply_policy(table, config);
	cpuid_quirks_identity(table, &config->quirks);
	cpuid_quirks_features(table, &config->quirks);
	strip_dependents(table);
	set_topology(table, config->vcpus, cores, threads);
	set_hypervisor(table, config);
	cpuid_quirks_leaves(table, &config->quirks);
	return 0;
}

/* ---- Questions --------------------------------------------------------- */

static bool is_amds(const struct cpuid_regs *regs)
{
	static const char vendors[][12] = { "AuthenticAMD", "HygonGenuine" };
	char name[12];

	memcpy(name, &regs->ebx, 4);
	memcpy(name + 4, &regs->edx, 4);
	memcpy(name + 8, &regs->ecx, 4);
	for (unsigned i = 0; i < ARRAY_SIZE(vendors); i++)
		if (memcmp(name, vendors[i], sizeof(name)) == 0)
			return true;
	return false;
}

bool cpuid_is_amd(const struct cpuid_table *table)
{
	return is_amds(&table->basic[0].regs);
}

/* ---- The emulator's features ------------------------------------------- */

/* clang-format off */
static const struct {
	uint32_t leaf;
	uint8_t reg; /* 0 EAX, 1 EBX, 2 ECX, 3 EDX */
	uint8_t bit;
	uint64_t feature;
	uint8_t subleaf;
} emulator_features[] = {
	{ 0x80000001, 3, 27, EMUL_FEATURE_RDTSCP, 0 },
	{ 0x00000007, 1,  3, EMUL_FEATURE_BMI1, 0 },
	{ 0x00000007, 1,  8, EMUL_FEATURE_BMI2, 0 },
	{ 0x00000007, 1, 19, EMUL_FEATURE_ADX, 0 },
	{ 0x00000001, 2, 22, EMUL_FEATURE_MOVBE, 0 },
	{ 0x00000001, 2, 28, EMUL_FEATURE_AVX, 0 },
	{ 0x80000001, 2,  5, EMUL_FEATURE_LZCNT, 0 },
	{ 0x00000001, 2, 23, EMUL_FEATURE_POPCNT, 0 },
	{ 0x80000001, 3, 26, EMUL_FEATURE_1G_PAGES, 0 },
	{ 0x00000001, 2,  3, EMUL_FEATURE_MWAIT, 0 },
	{ 0x00000007, 1,  5, EMUL_FEATURE_AVX2, 0 },
	{ 0x00000007, 1,  0, EMUL_FEATURE_FSGSBASE, 0 },
	{ 0x00000001, 2, 30, EMUL_FEATURE_RDRAND, 0 },
	{ 0x00000007, 1, 18, EMUL_FEATURE_RDSEED, 0 },
	{ 0x00000007, 2, 22, EMUL_FEATURE_RDPID, 0 },
	{ 0x00000007, 3, 14, EMUL_FEATURE_SERIALIZE, 0 },
	{ 0x00000007, 2, 27, EMUL_FEATURE_MOVDIRI, 0 },
	{ 0x00000007, 2, 28, EMUL_FEATURE_MOVDIR64B, 0 },
	{ 0x80000008, 1,  0, EMUL_FEATURE_CLZERO, 0 },
	{ 0x80000001, 2,  4, EMUL_FEATURE_CR8_LOCK, 0 },
	{ 0x00000001, 2,  0, EMUL_FEATURE_SSE3, 0 },
	{ 0x00000001, 2,  9, EMUL_FEATURE_SSSE3, 0 },
	{ 0x00000001, 2, 19, EMUL_FEATURE_SSE41, 0 },
	{ 0x00000001, 2, 20, EMUL_FEATURE_SSE42, 0 },
	{ 0x00000001, 2, 25, EMUL_FEATURE_AES, 0 },
	{ 0x00000001, 2,  1, EMUL_FEATURE_PCLMUL, 0 },
	{ 0x00000001, 2, 29, EMUL_FEATURE_F16C, 0 },
	{ 0x00000001, 2, 12, EMUL_FEATURE_FMA, 0 },
	{ 0x00000007, 1, 29, EMUL_FEATURE_SHA, 0 },
	{ 0x00000007, 2,  9, EMUL_FEATURE_VAES, 0 },
	{ 0x00000007, 2, 10, EMUL_FEATURE_VPCLMUL, 0 },
	{ 0x00000007, 2,  8, EMUL_FEATURE_GFNI, 0 },
	{ 0x0000000d, 0,  0, EMUL_FEATURE_XSAVEOPT, 1 },
	{ 0x0000000d, 0,  1, EMUL_FEATURE_XSAVEC, 1 },
	{ 0x0000000d, 0,  2, EMUL_FEATURE_XGETBV1, 1 },
	{ 0x00000007, 1, 10, EMUL_FEATURE_INVPCID, 0 },
	{ 0x00000007, 1, 23, EMUL_FEATURE_CLFLUSHOPT, 0 },
	{ 0x00000007, 1, 24, EMUL_FEATURE_CLWB, 0 },
};
/* clang-format on */

/* Whatever the guest is told of its vendor, other instructions run natively. */
uint64_t cpuid_emulator_features(const struct cpuid_table *table,
				 const struct cpuid_config *config)
{
	const struct cpuid_regs host = config->facts(config->ctx, 0, 0);
	uint64_t features = is_amds(&host) ? 0 : EMUL_FEATURE_INTEL;

	for (unsigned i = 0; i < ARRAY_SIZE(emulator_features); i++) {
		const struct cpuid_regs *r =
			&cpuid_find(table, emulator_features[i].leaf,
				    emulator_features[i].subleaf)
				 ->regs;
		const uint32_t regs[] = { r->eax, r->ebx, r->ecx, r->edx };

		if (regs[emulator_features[i].reg] &
		    BIT(emulator_features[i].bit))
			features |= emulator_features[i].feature;
	}
	return features;
}
