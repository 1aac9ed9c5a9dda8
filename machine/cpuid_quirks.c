/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Quirks of a guest's processors.
 *
 * A feature that is off takes with it what architecture or software builds on
 * it: a system that finds AVX without XSAVE does not look for an explanation.
 * The other way round nothing is switched on.  What the monitor allows of CR4
 * and EFER follows from the same table.
 *
 * References: APM volume 3, appendix E; SDM volume 1, "Processor
 * Identification and Feature Determination", volume 2, "CPUID".
 */
#include "machine/cpuid_quirks.h"

#include "lib/string.h"
#include "machine/cpuid_table.h"

#define EAX_STEPPING	MASK(3, 0)
#define EAX_MODEL	MASK(7, 4)
#define EAX_FAMILY	MASK(11, 8)
#define EAX_MODEL_MORE	MASK(19, 16)
#define EAX_FAMILY_MORE MASK(27, 20)
#define FAMILY_LAST	15U /* from here on the extended family counts */

/* What 80000001h has of leaf 1's EDX, on AMD's. */
#define E1_EDX_OF_1    (MASK(9, 0) | MASK(17, 12) | MASK(24, 23))
/* LAHF LZCNT PREFETCHW; SYSCALL NX 1GB RDTSCP LM */
#define E1_ECX_INTEL   (BIT(0) | BIT(5) | BIT(8))
#define E1_EDX_INTEL   (BIT(11) | BIT(20) | BIT(26) | BIT(27) | BIT(29))
/* Intel's have no extended leaf behind it. */
#define EXTENDED_INTEL 0x80000008U

#define XCR0_SSE BIT(1)
#define XCR0_AVX BIT(2)
#define TSC_BIT	 BIT(4)	 /* leaf 1 EDX */
#define HV_BIT	 BIT(31) /* leaf 1 ECX */
#define HV_RATES 0x10

/* ---- Who it is ----------------------------------------------------------- */

static void set_vendor(struct cpuid_table *table, const char *vendor)
{
	struct cpuid_regs *first = &table->basic[0].regs;
	struct cpuid_regs *extended = &table->extended[0].regs;

	memcpy(&first->ebx, vendor, 4);
	memcpy(&first->edx, vendor + 4, 4);
	memcpy(&first->ecx, vendor + 8, 4);
	extended->ebx = extended->ecx = extended->edx = 0;
	if (cpuid_is_amd(table)) {
		extended->ebx = first->ebx;
		extended->ecx = first->ecx;
		extended->edx = first->edx;
		return;
	}
	table->extended[1].regs.ecx &= E1_ECX_INTEL;
	table->extended[1].regs.edx &= E1_EDX_INTEL;
	extended->eax = MIN(extended->eax, EXTENDED_INTEL);
}

static uint32_t family_of(uint32_t eax)
{
	uint32_t family = FIELD_GET(EAX_FAMILY, eax);

	return family < FAMILY_LAST ? family
				    : family + FIELD_GET(EAX_FAMILY_MORE, eax);
}

static void set_signature(struct cpuid_table *table,
			  const struct cpu_quirks *quirks)
{
	uint32_t *eax = &table->basic[1].regs.eax;
	uint32_t family = quirks->family ? quirks->family : family_of(*eax);
	uint32_t model = FIELD_GET(EAX_MODEL, *eax) |
			 FIELD_GET(EAX_MODEL_MORE, *eax) << 4;
	uint32_t stepping = FIELD_GET(EAX_STEPPING, *eax);

	if (!quirks->family && !quirks->has_model && !quirks->has_stepping)
		return;
	if (quirks->has_model)
		model = quirks->model;
	if (quirks->has_stepping)
		stepping = quirks->stepping;
	/* Processors without extended models have no bits for them. */
	if (family < 6)
		model &= 0xf;
	*eax = FIELD_PUT(EAX_FAMILY, MIN(family, FAMILY_LAST)) |
	       FIELD_PUT(EAX_FAMILY_MORE,
			 family > FAMILY_LAST ? family - FAMILY_LAST : 0U) |
	       FIELD_PUT(EAX_MODEL, model & 0xf) |
	       FIELD_PUT(EAX_MODEL_MORE, model >> 4) |
	       FIELD_PUT(EAX_STEPPING, stepping);
	if (cpuid_is_amd(table))
		table->extended[1].regs.eax = *eax;
}

static void set_name(struct cpuid_table *table, const char *name)
{
	char text[CPU_NAME_LENGTH] = "";

	memcpy(text, name, strlen(name));
	for (unsigned i = 0; i < 3; i++)
		memcpy(&table->extended[2 + i].regs,
		       text + i * sizeof(struct cpuid_regs),
		       sizeof(struct cpuid_regs));
}

void cpuid_quirks_identity(struct cpuid_table *table,
			   const struct cpu_quirks *quirks)
{
	if (quirks->vendor[0])
		set_vendor(table, quirks->vendor);
	set_signature(table, quirks);
	if (quirks->name[0])
		set_name(table, quirks->name);
}

/* ---- Features ------------------------------------------------------------ */

/* clang-format off */
/* What needs what. */
static const struct {
	uint8_t needed_word, needed_bit;
	uint8_t word;
	uint32_t bits;
} needs[] = {
	/* TSC: its deadline, RDTSCP, TSC_ADJUST, RDPID's register, its rate. */
	{ CPU_WORD_1_EDX,  4, CPU_WORD_1_ECX, BIT(24) },
	{ CPU_WORD_1_EDX,  4, CPU_WORD_7_EBX, BIT(1) },
	{ CPU_WORD_1_EDX,  4, CPU_WORD_E1_EDX, BIT(27) },
	{ CPU_WORD_1_EDX,  4, CPU_WORD_E7_EDX, BIT(8) },
	/* APIC: x2APIC, the deadline, a timer that never stops. */
	{ CPU_WORD_1_EDX,  9, CPU_WORD_1_ECX, BIT(21) | BIT(24) },
	{ CPU_WORD_1_EDX,  9, CPU_WORD_6_EAX, BIT(2) },
	{ CPU_WORD_1_EDX,  7, CPU_WORD_1_EDX, BIT(14) }, /* MCE: MCA */
	{ CPU_WORD_1_EDX,  3, CPU_WORD_1_EDX, BIT(17) }, /* PSE: PSE36 */
	/* PAE: NX, long mode. */
	{ CPU_WORD_1_EDX,  6, CPU_WORD_E1_EDX, BIT(20) | BIT(29) },
	/* Long mode: 1 GiB pages, LAHF in it, PCID, CX16, FSGSBASE. */
	{ CPU_WORD_E1_EDX, 29, CPU_WORD_E1_EDX, BIT(26) },
	{ CPU_WORD_E1_EDX, 29, CPU_WORD_E1_ECX, BIT(0) },
	{ CPU_WORD_E1_EDX, 29, CPU_WORD_1_ECX, BIT(13) | BIT(17) },
	{ CPU_WORD_E1_EDX, 29, CPU_WORD_7_EBX, BIT(0) },
	{ CPU_WORD_1_EDX, 13, CPU_WORD_1_ECX, BIT(17) }, /* PGE: PCID */
	{ CPU_WORD_1_ECX, 17, CPU_WORD_7_EBX, BIT(10) }, /* PCID: INVPCID */
	/* FPU: MMX, FXSR. */
	{ CPU_WORD_1_EDX,  0, CPU_WORD_1_EDX, BIT(23) | BIT(24) },
	{ CPU_WORD_1_EDX, 23, CPU_WORD_E1_EDX, BIT(22) }, /* MMX: MMXEXT */
	/* FXSR: SSE, XSAVE, FFXSR; and so on to what SSE and AVX have become. */
	{ CPU_WORD_1_EDX, 24, CPU_WORD_1_EDX, BIT(25) },
	{ CPU_WORD_1_EDX, 24, CPU_WORD_1_ECX, BIT(26) },
	{ CPU_WORD_1_EDX, 24, CPU_WORD_E1_EDX, BIT(25) },
	{ CPU_WORD_1_EDX, 25, CPU_WORD_1_EDX, BIT(26) },
	{ CPU_WORD_1_EDX, 26, CPU_WORD_1_ECX, BIT(0) | BIT(1) | BIT(25) },
	{ CPU_WORD_1_EDX, 26, CPU_WORD_7_EBX, BIT(29) },
	{ CPU_WORD_1_EDX, 26, CPU_WORD_7_ECX, BIT(8) },
	{ CPU_WORD_1_EDX, 26, CPU_WORD_E1_EDX, BIT(29) },
	{ CPU_WORD_1_ECX,  0, CPU_WORD_1_ECX, BIT(9) },
	{ CPU_WORD_1_ECX,  9, CPU_WORD_1_ECX, BIT(19) },
	{ CPU_WORD_1_ECX, 19, CPU_WORD_1_ECX, BIT(20) },
	{ CPU_WORD_1_ECX, 20, CPU_WORD_1_ECX, BIT(28) },
	{ CPU_WORD_1_ECX, 26, CPU_WORD_1_ECX, BIT(28) },
	{ CPU_WORD_1_ECX, 26, CPU_WORD_D1_EAX, MASK(2, 0) },
	{ CPU_WORD_1_ECX, 26, CPU_WORD_E8_EBX, BIT(2) },
	{ CPU_WORD_1_ECX, 28, CPU_WORD_1_ECX, BIT(12) | BIT(29) },
	{ CPU_WORD_1_ECX, 28, CPU_WORD_7_EBX, BIT(5) },
	{ CPU_WORD_1_ECX, 28, CPU_WORD_7_ECX, BIT(9) | BIT(10) },
};
/* clang-format on */

static struct cpuid_regs *regs_of(struct cpuid_table *table, uint32_t leaf,
				  uint32_t subleaf)
{
	return &((struct cpuid_leaf *)cpuid_find(table, leaf, subleaf))->regs;
}

static uint32_t *word_of(struct cpuid_table *table, enum cpu_word word)
{
	switch (word) {
	case CPU_WORD_1_ECX:
		return &table->basic[1].regs.ecx;
	case CPU_WORD_1_EDX:
		return &table->basic[1].regs.edx;
	case CPU_WORD_6_EAX:
		return &table->basic[6].regs.eax;
	case CPU_WORD_7_EBX:
		return &regs_of(table, 7, 0)->ebx;
	case CPU_WORD_7_ECX:
		return &regs_of(table, 7, 0)->ecx;
	case CPU_WORD_7_EDX:
		return &regs_of(table, 7, 0)->edx;
	case CPU_WORD_D1_EAX:
		return &regs_of(table, 0xd, 1)->eax;
	case CPU_WORD_E1_ECX:
		return &table->extended[1].regs.ecx;
	case CPU_WORD_E1_EDX:
		return &table->extended[1].regs.edx;
	case CPU_WORD_E7_EDX:
		return &table->extended[7].regs.edx;
	default:
		return &table->extended[8].regs.ebx;
	}
}

static bool is_off(const struct cpu_quirks *quirks)
{
	for (unsigned i = 0; i < CPU_WORDS; i++)
		if (quirks->off[i])
			return true;
	return false;
}

/* Only what was taken away takes more: hosts are what they are. */
static void add_needs(uint32_t off[CPU_WORDS])
{
	bool is_more;

	/* Each round adds bits, or is the last. */
	do {
		is_more = false;
		for (unsigned i = 0; i < ARRAY_SIZE(needs); i++) {
			uint32_t *to = &off[needs[i].word];
			uint32_t more = needs[i].bits & ~*to;

			if (!(off[needs[i].needed_word] &
			      BIT(needs[i].needed_bit)))
				continue;
			*to |= more;
			is_more |= more != 0;
		}
	} while (is_more);
}

/* The state components are features, too. */
static void limit_xstate(struct cpuid_table *table, const uint32_t *off)
{
	struct cpuid_regs *xcr0 = regs_of(table, 0xd, 0);

	if (off[CPU_WORD_1_EDX] & BIT(25))
		xcr0->eax &= ~(uint32_t)(XCR0_SSE | XCR0_AVX);
	if (off[CPU_WORD_1_ECX] & BIT(28))
		xcr0->eax &= ~(uint32_t)XCR0_AVX;
}

void cpuid_quirks_features(struct cpuid_table *table,
			   const struct cpu_quirks *quirks)
{
	uint32_t off[CPU_WORDS];

	memcpy(off, quirks->off, sizeof(off));
	/* A last leaf hides what only later ones say, and what needs it. */
	if (quirks->leaf_max && quirks->leaf_max < 0xd)
		off[CPU_WORD_1_ECX] |= BIT(26);
	if (!is_off(quirks) && !quirks->leaf_max)
		return;
	add_needs(off);
	if (cpuid_is_amd(table))
		off[CPU_WORD_E1_EDX] |= off[CPU_WORD_1_EDX] & E1_EDX_OF_1;
	for (unsigned i = 0; i < CPU_WORDS; i++)
		*word_of(table, (enum cpu_word)i) &= ~off[i];
	limit_xstate(table, off);
}

/* ---- Leaves -------------------------------------------------------------- */

static void clear(struct cpuid_leaf *leaf)
{
	memset(&leaf->regs, 0, sizeof(leaf->regs));
	leaf->patch = 0;
}

static void clear_basic(struct cpuid_table *table, uint32_t number)
{
	struct cpuid_leaf *leaf = &table->basic[number];

	clear(leaf);
	for (unsigned i = 0; i < leaf->subleaf_count; i++)
		clear(&table->subleaf[leaf->subleaf_first + i]);
	if (number == 0xb)
		clear(&table->topology_end);
}

void cpuid_quirks_leaves(struct cpuid_table *table,
			 const struct cpu_quirks *quirks)
{
	struct cpuid_regs *rates = &table->hypervisor[HV_RATES].regs;
	uint32_t *last = &table->basic[0].regs.eax;

	if (quirks->leaf_max) {
		*last = MIN(*last, quirks->leaf_max);
		for (uint32_t i = *last + 1; i < CPUID_LEAVES; i++)
			clear_basic(table, i);
	}
	if (quirks->off[CPU_WORD_1_EDX] & TSC_BIT)
		rates->eax = 0;
	if (quirks->off[CPU_WORD_1_ECX] & HV_BIT)
		for (unsigned i = 0; i < CPUID_LEAVES; i++)
			clear(&table->hypervisor[i]);
}
