/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID policy: which of the host's features a guest sees.
 *
 * A bit is shown only if the policy table passes it and the host has it, or
 * if Bulkhead provides it whatever the host has (the forced bits).  What no
 * row mentions reads zero.  Every vCPU is a core of its own in one package.
 *
 * Hidden because it is not virtualized: SVM and VMX, SMX, MONITOR/MWAIT(X),
 * performance counters and branch records, machine check banks, SGX, PT, RDT,
 * IBS, OSVW, the watchdog, power and thermal management, PKU, LA57, CET,
 * AVX-512 and later register state, speculation controls, AMD's topology
 * extension.
 *
 * References: APM volume 3, appendix E; SDM volume 2, "CPUID".
 */
#include "cpumodel/cpuid.h"

#include "include/errno.h"
#include "include/x86_state.h"
#include "lib/string.h"

#define APIC_BUS_KHZ 1000000U
#define VCPUS_MAX    255U

enum reg { EAX, EBX, ECX, EDX };

#define ALL 0xffffffffU

/* Leaf 1 */
#define L1_EBX_CLFLUSH	    MASK(15, 8)
#define L1_EBX_COUNT	    MASK(23, 16)
#define L1_EBX_APIC_ID	    MASK(31, 24)
#define L1_ECX_XSAVE	    BIT(26)
#define L1_ECX_OSXSAVE	    BIT(27)
#define L1_ECX_AVX	    BIT(28)
#define L1_ECX_NEED_AVX	    (BIT(12) | BIT(29)) /* FMA F16C */
#define L1_ECX_X2APIC	    BIT(21)
#define L1_ECX_TSC_DEADLINE BIT(24)
#define L1_ECX_HYPERVISOR   BIT(31)
#define L1_EDX_APIC	    BIT(9)
#define L1_EDX_MTRR	    BIT(12)
#define L1_EDX_PAT	    BIT(16)
#define L1_EDX_HTT	    BIT(28)

#define L4_EAX_TYPE    MASK(4, 0)
#define L4_EAX_LEVEL   MASK(7, 5)
#define L4_EAX_SHARING MASK(25, 14)
#define L4_EAX_CORES   MASK(31, 26)

#define L6_EAX_ARAT BIT(2)

/* Leaf 7 */
#define L7_EBX_TSC_ADJUST BIT(1)
#define L7_EBX_NEED_AVX	  (BIT(5))	     /* AVX2 */
#define L7_ECX_NEED_AVX	  (BIT(9) | BIT(10)) /* VAES VPCLMULQDQ */
#define L7_ECX_RDPID	  BIT(22)

#define LB_TYPE_SMT  1U
#define LB_TYPE_CORE 2U
#define LB_ECX_TYPE  MASK(15, 8)

#define XSAVE_LEGACY_SIZE 576U
#define XSAVE_AVX_SIZE	  256U

/* Leaf 0x80000001 */
#define E1_ECX_CMP_LEGACY BIT(1)
#define E1_ECX_NEED_AVX	  (BIT(11) | BIT(16)) /* XOP FMA4 */
#define E1_EDX_FFXSR	  BIT(25)
#define E1_EDX_RDTSCP	  BIT(27)
#define E1_EDX_NX	  BIT(20)
#define E1_EDX_LM	  BIT(29)
#define E1_EDX_SYSCALL	  BIT(11)

#define E8_EAX_PHYS   MASK(7, 0)
#define E8_EAX_LINEAR MASK(15, 8)
#define E8_ECX_CORES  MASK(7, 0)
#define E8_ECX_SIZE   MASK(15, 12)

#define DEFAULT_PHYS_BITS   36
#define DEFAULT_LINEAR_BITS 48

#define BASIC_LAST	0x0dU
#define BASIC_LEAST	0x0bU
#define EXTENDED_LAST	0x8000001fU
#define EXTENDED_LEAST	0x80000008U
#define HYPERVISOR_LAST 0x40000010U

struct policy_row {
	uint32_t leaf;
	uint8_t subleaf;
	uint8_t reg;
	uint32_t pass;	/* shown if the host has it */
	uint32_t force; /* shown in any case */
};

/* clang-format off */
static const struct policy_row policy[] = {
	/* Vendor; the highest leaf is computed. */
	{ 0x0, 0, EBX, ALL, 0 },
	{ 0x0, 0, ECX, ALL, 0 },
	{ 0x0, 0, EDX, ALL, 0 },

	/* Family, model, stepping. */
	{ 0x1, 0, EAX, ALL, 0 },
	{ 0x1, 0, EBX, MASK(7, 0) | L1_EBX_CLFLUSH, 0 },
	/* SSE3 PCLMUL SSSE3 FMA CX16 PCID SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE
	 * AVX F16C RDRAND */
	{ 0x1, 0, ECX, BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(17) |
		       MASK(20, 19) | BIT(22) | BIT(23) | BIT(25) | BIT(26) |
		       MASK(30, 28),
		       L1_ECX_X2APIC | L1_ECX_TSC_DEADLINE |
		       L1_ECX_HYPERVISOR },
	/* FPU VME DE PSE TSC MSR PAE MCE CX8 SEP PGE MCA CMOV PSE36 CLFSH MMX
	 * FXSR SSE SSE2 SS; not PSN DS ACPI TM PBE */
	{ 0x1, 0, EDX, MASK(8, 0) | BIT(11) | MASK(15, 13) | BIT(17) | BIT(19) |
		       MASK(27, 23), L1_EDX_APIC | L1_EDX_MTRR | L1_EDX_PAT },

	/* Cache and TLB descriptors, caches: Intel's. */
	{ 0x2, 0, EAX, ALL, 0 }, { 0x2, 0, EBX, ALL, 0 },
	{ 0x2, 0, ECX, ALL, 0 }, { 0x2, 0, EDX, ALL, 0 },
	{ 0x4, 0, EAX, MASK(13, 0), 0 }, { 0x4, 0, EBX, ALL, 0 },
	{ 0x4, 0, ECX, ALL, 0 }, { 0x4, 0, EDX, ALL, 0 },
	{ 0x4, 1, EAX, MASK(13, 0), 0 }, { 0x4, 1, EBX, ALL, 0 },
	{ 0x4, 1, ECX, ALL, 0 }, { 0x4, 1, EDX, ALL, 0 },
	{ 0x4, 2, EAX, MASK(13, 0), 0 }, { 0x4, 2, EBX, ALL, 0 },
	{ 0x4, 2, ECX, ALL, 0 }, { 0x4, 2, EDX, ALL, 0 },
	{ 0x4, 3, EAX, MASK(13, 0), 0 }, { 0x4, 3, EBX, ALL, 0 },
	{ 0x4, 3, ECX, ALL, 0 }, { 0x4, 3, EDX, ALL, 0 },

	/* The APIC timer never stops. */
	{ 0x6, 0, EAX, 0, L6_EAX_ARAT },

	/* FSGSBASE BMI1 AVX2 FDP_EXCPTN SMEP BMI2 ERMS INVPCID FCS_FDS RDSEED
	 * ADX SMAP CLFLUSHOPT CLWB SHA; not HLE and RTM, which the emulator
	 * would have to abort */
	{ 0x7, 0, EBX, BIT(0) | BIT(3) | MASK(10, 5) | BIT(13) | MASK(20, 18) |
		       MASK(24, 23) | BIT(29), L7_EBX_TSC_ADJUST },
	/* UMIP GFNI VAES VPCLMULQDQ RDPID MOVDIRI MOVDIR64B */
	{ 0x7, 0, ECX, BIT(2) | MASK(10, 8) | L7_ECX_RDPID | MASK(28, 27), 0 },
	/* FSRM MD_CLEAR SERIALIZE */
	{ 0x7, 0, EDX, BIT(4) | BIT(10) | BIT(14), 0 },

	/* x87, SSE, AVX state; XSAVEOPT XSAVEC XGETBV1, not XSAVES. */
	{ 0xd, 0, EAX, X86_XCR0_X87 | X86_XCR0_SSE | X86_XCR0_AVX, 0 },
	{ 0xd, 1, EAX, MASK(2, 0), 0 },
	{ 0xd, 2, EAX, ALL, 0 }, { 0xd, 2, EBX, ALL, 0 },
	{ 0xd, 2, ECX, ALL, 0 },

	/* The highest leaf is computed; AMD repeats the vendor. */
	{ 0x80000000, 0, EBX, ALL, 0 },
	{ 0x80000000, 0, ECX, ALL, 0 },
	{ 0x80000000, 0, EDX, ALL, 0 },

	{ 0x80000001, 0, EAX, ALL, 0 },
	{ 0x80000001, 0, EBX, ALL, 0 },
	/* LAHF CR8LEGACY ABM SSE4A MISALIGNSSE 3DNOWPREFETCH XOP FMA4 TBM */
	{ 0x80000001, 0, ECX, BIT(0) | MASK(8, 4) | BIT(11) | BIT(16) |
			      BIT(21), 0 },
	/* As leaf 1 EDX on AMD; SYSCALL NX MMXEXT FFXSR 1GB RDTSCP LM 3DNOW */
	{ 0x80000001, 0, EDX, MASK(9, 0) | MASK(17, 11) | BIT(20) |
			      MASK(27, 22) | MASK(31, 29), 0 },

	/* Brand string. */
	{ 0x80000002, 0, EAX, ALL, 0 }, { 0x80000002, 0, EBX, ALL, 0 },
	{ 0x80000002, 0, ECX, ALL, 0 }, { 0x80000002, 0, EDX, ALL, 0 },
	{ 0x80000003, 0, EAX, ALL, 0 }, { 0x80000003, 0, EBX, ALL, 0 },
	{ 0x80000003, 0, ECX, ALL, 0 }, { 0x80000003, 0, EDX, ALL, 0 },
	{ 0x80000004, 0, EAX, ALL, 0 }, { 0x80000004, 0, EBX, ALL, 0 },
	{ 0x80000004, 0, ECX, ALL, 0 }, { 0x80000004, 0, EDX, ALL, 0 },
	/* Caches and TLBs: AMD's. */
	{ 0x80000005, 0, EAX, ALL, 0 }, { 0x80000005, 0, EBX, ALL, 0 },
	{ 0x80000005, 0, ECX, ALL, 0 }, { 0x80000005, 0, EDX, ALL, 0 },
	{ 0x80000006, 0, EAX, ALL, 0 }, { 0x80000006, 0, EBX, ALL, 0 },
	{ 0x80000006, 0, ECX, ALL, 0 }, { 0x80000006, 0, EDX, ALL, 0 },
	{ 0x80000019, 0, EAX, ALL, 0 }, { 0x80000019, 0, EBX, ALL, 0 },
	/* FP128 MOVU FP256 */
	{ 0x8000001a, 0, EAX, MASK(2, 0), 0 },

	/* Invariant TSC: the monitor changes no P-state and idles by HLT alone,
	 * so on its host any TSC is one; its own time depends on that. */
	{ 0x80000007, 0, EDX, 0, BIT(8) },
	/* Address sizes; CLZERO XSAVEERPTR. */
	{ 0x80000008, 0, EAX, E8_EAX_PHYS | E8_EAX_LINEAR, 0 },
	{ 0x80000008, 0, EBX, BIT(0) | BIT(2), 0 },
};
/* clang-format on */

struct patch_row {
	uint32_t leaf;
	uint8_t subleaf;
	uint8_t patch;
};

static const struct patch_row patches[] = {
	{ 0x1, 0,
	  CPUID_PATCH_APIC_ID | CPUID_PATCH_APIC | CPUID_PATCH_OSXSAVE },
	{ 0xb, 0, CPUID_PATCH_X2APIC_ID },
	{ 0xb, 1, CPUID_PATCH_X2APIC_ID },
	{ 0xd, 0, CPUID_PATCH_XSAVE_SIZE },
	{ 0xd, 1, CPUID_PATCH_XSAVE_SIZE },
	{ 0x80000001, 0, CPUID_PATCH_APIC },
};

/* Leaves that ECX selects from, and how many of each are kept. */
static const struct {
	uint8_t leaf, count;
} indexed[] = {
	{ 0x4, 5 }, /* the last ends the list */
	{ 0x7, 1 },
	{ 0xb, 2 },
	{ 0xd, 3 },
};

/* ---- Rows -------------------------------------------------------------- */

static struct cpuid_leaf *row_of(struct cpuid_table *table, uint32_t leaf,
				 uint32_t subleaf)
{
	return (struct cpuid_leaf *)cpuid_find(table, leaf, subleaf);
}

static uint32_t *reg_of(struct cpuid_regs *regs, enum reg reg)
{
	switch (reg) {
	case EAX:
		return &regs->eax;
	case EBX:
		return &regs->ebx;
	case ECX:
		return &regs->ecx;
	default:
		return &regs->edx;
	}
}

const struct cpuid_leaf *cpuid_find_subleaf(const struct cpuid_table *table,
					    uint32_t leaf, uint32_t subleaf)
{
	const struct cpuid_leaf *found = &table->basic[leaf % CPUID_LEAVES];

	if (subleaf < found->subleaf_count)
		return &table->subleaf[found->subleaf_first + subleaf];
	return leaf == 0xb ? &table->topology_end : &table->zero;
}

void cpuid_patch(const struct cpuid_leaf *leaf,
		 const struct cpuid_dynamic *dynamic, struct cpuid_regs *regs)
{
	if (leaf->patch & CPUID_PATCH_APIC_ID)
		regs->ebx |= FIELD_PUT(L1_EBX_APIC_ID, dynamic->apic_id);
	if (leaf->patch & CPUID_PATCH_X2APIC_ID)
		regs->edx = dynamic->apic_id;
	if (leaf->patch & CPUID_PATCH_APIC && !dynamic->is_apic_enabled)
		regs->edx &= ~L1_EDX_APIC;
	if (leaf->patch & CPUID_PATCH_OSXSAVE && dynamic->cr4 & X86_CR4_OSXSAVE)
		regs->ecx |= L1_ECX_OSXSAVE;
	if (leaf->patch & CPUID_PATCH_XSAVE_SIZE)
		regs->ebx = XSAVE_LEGACY_SIZE +
			    (dynamic->xcr0 & X86_XCR0_AVX ? XSAVE_AVX_SIZE : 0);
	if (leaf->patch & CPUID_PATCH_SUBLEAF)
		regs->ecx = dynamic->subleaf & 0xff;
}

/* ---- Building ---------------------------------------------------------- */

static void index_leaves(struct cpuid_table *table)
{
	for (unsigned i = 0; i < ARRAY_SIZE(indexed); i++) {
		struct cpuid_leaf *leaf = &table->basic[indexed[i].leaf];

		leaf->subleaf_first = (uint8_t)table->subleaf_count;
		leaf->subleaf_count = indexed[i].count;
		table->subleaf_count += indexed[i].count;
	}
}

static void apply_policy(struct cpuid_table *table,
			 const struct cpuid_config *config)
{
	uint32_t basic_last = config->host(config->ctx, 0, 0).eax;
	uint32_t extended_last =
		config->host(config->ctx, CPUID_EXTENDED, 0).eax;

	for (unsigned i = 0; i < ARRAY_SIZE(policy); i++) {
		const struct policy_row *row = &policy[i];
		struct cpuid_regs host = { 0 };
		bool is_there = row->leaf >= CPUID_EXTENDED
					? row->leaf <= extended_last
					: row->leaf <= basic_last;

		/* Beyond the last leaf Intel answers with that leaf's values.*/
		if (is_there)
			host = config->host(config->ctx, row->leaf,
					    row->subleaf);
		*reg_of(&row_of(table, row->leaf, row->subleaf)->regs,
			row->reg) =
			(*reg_of(&host, row->reg) & row->pass) | row->force;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(patches); i++)
		row_of(table, patches[i].leaf, patches[i].subleaf)->patch =
			patches[i].patch;
	table->topology_end.patch = CPUID_PATCH_X2APIC_ID | CPUID_PATCH_SUBLEAF;

	/* Leaves with forced bits or computed ones are always there. */
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
static void strip_dependents(struct cpuid_table *table, bool has_tsc_aux)
{
	struct cpuid_regs *l1 = &table->basic[1].regs;
	struct cpuid_regs *l7 = &row_of(table, 7, 0)->regs;
	struct cpuid_regs *ld = &row_of(table, 0xd, 0)->regs;
	struct cpuid_regs *e1 = &table->extended[1].regs;

	if (!(ld->eax & X86_XCR0_SSE))
		l1->ecx &= ~L1_ECX_XSAVE;
	if (!(l1->ecx & L1_ECX_XSAVE) || !(ld->eax & X86_XCR0_AVX))
		l1->ecx &= ~L1_ECX_AVX;
	if (!(l1->ecx & L1_ECX_AVX)) {
		l1->ecx &= ~L1_ECX_NEED_AVX;
		l7->ebx &= ~L7_EBX_NEED_AVX;
		l7->ecx &= ~L7_ECX_NEED_AVX;
		e1->ecx &= ~E1_ECX_NEED_AVX;
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
	if (!has_tsc_aux) {
		l7->ecx &= ~L7_ECX_RDPID;
		e1->edx &= ~E1_EDX_RDTSCP;
	}
}

static unsigned id_bits(unsigned vcpus)
{
	return vcpus > 1 ? 32 - __builtin_clz(vcpus - 1) : 0;
}

static void set_topology(struct cpuid_table *table, unsigned vcpus)
{
	struct cpuid_regs *l1 = &table->basic[1].regs;
	struct cpuid_regs *smt = &row_of(table, 0xb, 0)->regs;
	struct cpuid_regs *core = &row_of(table, 0xb, 1)->regs;

	l1->ebx |= FIELD_PUT(L1_EBX_COUNT, vcpus);
	if (vcpus > 1)
		l1->edx |= L1_EDX_HTT;

	smt->ebx = 1;
	smt->ecx = FIELD_PUT(LB_ECX_TYPE, LB_TYPE_SMT);
	core->eax = id_bits(vcpus);
	core->ebx = vcpus;
	core->ecx = 1 | FIELD_PUT(LB_ECX_TYPE, LB_TYPE_CORE);

	/* The last level is shared by all, the others by none. */
	for (unsigned i = 0; i < 4; i++) {
		uint32_t *eax = &row_of(table, 0x4, i)->regs.eax;

		if (cpuid_is_amd(table) || !(*eax & L4_EAX_TYPE))
			continue;
		*eax |= FIELD_PUT(L4_EAX_CORES, MIN(vcpus, 64U) - 1);
		if (FIELD_GET(L4_EAX_LEVEL, *eax) >= 3)
			*eax |= FIELD_PUT(L4_EAX_SHARING, vcpus - 1);
	}
	if (cpuid_is_amd(table)) {
		struct cpuid_regs *e8 = &table->extended[8].regs;

		if (vcpus > 1)
			table->extended[1].regs.ecx |= E1_ECX_CMP_LEGACY;
		e8->ecx = FIELD_PUT(E8_ECX_CORES, vcpus - 1) |
			  FIELD_PUT(E8_ECX_SIZE, id_bits(vcpus));
		/* Leaf 4 is Intel's, AMD's processors have none. */
		for (unsigned i = 0; i < 5; i++)
			memset(&row_of(table, 0x4, i)->regs, 0,
			       sizeof(struct cpuid_regs));
	}
}

/* The signature, then TSC and APIC timer rates where others put theirs. */
static void set_hypervisor(struct cpuid_table *table, uint64_t tsc_hz)
{
	static const char signature[12] = "BulkheadHV  ";
	struct cpuid_regs *first = &table->hypervisor[0].regs;
	struct cpuid_regs *rates =
		&table->hypervisor[HYPERVISOR_LAST % CPUID_LEAVES].regs;

	first->eax = HYPERVISOR_LAST;
	memcpy(&first->ebx, signature, 4);
	memcpy(&first->ecx, signature + 4, 4);
	memcpy(&first->edx, signature + 8, 4);
	rates->eax = (uint32_t)(tsc_hz / 1000);
	rates->ebx = APIC_BUS_KHZ;
}

int cpuid_table_build(struct cpuid_table *table,
		      const struct cpuid_config *config)
{
	if (config->vcpus == 0 || config->vcpus > VCPUS_MAX)
		return -EINVAL;
	memset(table, 0, sizeof(*table));
	index_leaves(table);
	apply_policy(table, config);
	strip_dependents(table, config->has_tsc_aux);
	set_topology(table, config->vcpus);
	set_hypervisor(table, config->tsc_hz);
	return 0;
}

/* ---- Questions --------------------------------------------------------- */

bool cpuid_is_amd(const struct cpuid_table *table)
{
	static const char vendors[][12] = { "AuthenticAMD", "HygonGenuine" };
	const struct cpuid_regs *regs = &table->basic[0].regs;
	char name[12];

	memcpy(name, &regs->ebx, 4);
	memcpy(name + 4, &regs->edx, 4);
	memcpy(name + 8, &regs->ecx, 4);
	for (unsigned i = 0; i < ARRAY_SIZE(vendors); i++)
		if (memcmp(name, vendors[i], sizeof(name)) == 0)
			return true;
	return false;
}

bool cpuid_has_tsc_aux(const struct cpuid_table *table)
{
	return table->extended[1].regs.edx & E1_EDX_RDTSCP ||
	       cpuid_find(table, 7, 0)->regs.ecx & L7_ECX_RDPID;
}

uint8_t cpuid_phys_bits(const struct cpuid_table *table)
{
	unsigned bits = FIELD_GET(E8_EAX_PHYS, table->extended[8].regs.eax);

	return bits >= 32 && bits <= 52 ? (uint8_t)bits : DEFAULT_PHYS_BITS;
}

/* Feature bit -> CR4 bits that it brings. */
struct cr4_row {
	uint32_t leaf;
	uint8_t reg;
	uint8_t bit;
	uint64_t cr4;
};

/* clang-format off */
static const struct cr4_row cr4_rows[] = {
	{ 0x1, EDX,  1, X86_CR4_VME | X86_CR4_PVI },
	{ 0x1, EDX,  2, X86_CR4_DE },
	{ 0x1, EDX,  3, X86_CR4_PSE },
	{ 0x1, EDX,  4, X86_CR4_TSD },
	{ 0x1, EDX,  6, X86_CR4_PAE },
	{ 0x1, EDX,  7, X86_CR4_MCE },
	{ 0x1, EDX, 13, X86_CR4_PGE },
	{ 0x1, EDX, 24, X86_CR4_OSFXSR },
	{ 0x1, EDX, 25, X86_CR4_OSXMMEXCPT },
	{ 0x1, ECX, 17, X86_CR4_PCIDE },
	{ 0x1, ECX, 26, X86_CR4_OSXSAVE },
	{ 0x7, EBX,  0, X86_CR4_FSGSBASE },
	{ 0x7, EBX,  7, X86_CR4_SMEP },
	{ 0x7, EBX, 20, X86_CR4_SMAP },
	{ 0x7, ECX,  2, X86_CR4_UMIP },
	/* Not for guests yet, but processors have them. */
	{ 0x7, ECX,  3, X86_CR4_PKE },
	{ 0x7, ECX,  7, X86_CR4_CET },
	{ 0x7, ECX, 16, X86_CR4_LA57 },
};
/* clang-format on */

uint64_t cpuid_cr4_host(const struct cpuid_config *config)
{
	uint32_t last = config->host(config->ctx, 0, 0).eax;
	uint64_t known = X86_CR4_PCE;

	for (unsigned i = 0; i < ARRAY_SIZE(cr4_rows); i++) {
		const struct cr4_row *row = &cr4_rows[i];
		struct cpuid_regs regs;

		if (row->leaf > last)
			continue;
		regs = config->host(config->ctx, row->leaf, 0);
		if (*reg_of(&regs, row->reg) & BIT(row->bit))
			known |= row->cr4;
	}
	return known;
}

uint64_t cpuid_cr4_valid(const struct cpuid_table *table)
{
	/* Every processor since the Pentium MMX takes PCE. */
	uint64_t valid = X86_CR4_PCE;

	for (unsigned i = 0; i < ARRAY_SIZE(cr4_rows); i++) {
		const struct cr4_row *row = &cr4_rows[i];
		struct cpuid_regs regs = cpuid_find(table, row->leaf, 0)->regs;

		if (*reg_of(&regs, row->reg) & BIT(row->bit))
			valid |= row->cr4;
	}
	return valid;
}

uint64_t cpuid_efer_valid(const struct cpuid_table *table)
{
	uint32_t edx = table->extended[1].regs.edx;

	return (edx & E1_EDX_SYSCALL ? X86_EFER_SCE : 0) |
	       (edx & E1_EDX_LM ? X86_EFER_LME | X86_EFER_LMA : 0) |
	       (edx & E1_EDX_NX ? X86_EFER_NXE : 0) |
	       (edx & E1_EDX_FFXSR ? X86_EFER_FFXSR : 0);
}
