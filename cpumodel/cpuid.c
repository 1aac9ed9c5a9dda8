/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which features of the processor a guest may be told of, and what follows
 * from those that it was.
 *
 * Hidden because it is not virtualized: SVM and VMX, SMX, MONITOR/MWAIT(X),
 * performance counters and branch records, machine check banks, SGX, PT, RDT,
 * IBS, OSVW, the watchdog, power and thermal management, PKU, LA57, CET,
 * AVX-512 and later register state, speculation controls.
 *
 * References: APM volume 3, appendix E; SDM volume 2, "CPUID".
 */
#include "cpumodel/cpuid.h"

#include "include/errno.h"
#include "include/x86_state.h"
#include "lib/string.h"

enum reg { EAX, EBX, ECX, EDX };

#define L1_EBX_APIC_ID	    MASK(31, 24)
#define L1_ECX_OSXSAVE	    BIT(27)
#define L1_ECX_X2APIC	    BIT(21)
#define L1_ECX_TSC_DEADLINE BIT(24)
#define L1_ECX_HYPERVISOR   BIT(31)
#define L1_EDX_APIC	    BIT(9)
#define L1_EDX_MTRR	    BIT(12)
#define L1_EDX_PAT	    BIT(16)
#define L1_EDX_HTT	    BIT(28)
#define L6_EAX_ARAT	    BIT(2)
#define L7_EBX_TSC_ADJUST   BIT(1)
#define L7_ECX_RDPID	    BIT(22)
#define E1_ECX_CMP_LEGACY   BIT(1)
#define E1_ECX_TOPOEXT	    BIT(22)
#define E1_EDX_SYSCALL	    BIT(11)
#define E1_EDX_NX	    BIT(20)
#define E1_EDX_FFXSR	    BIT(25)
#define E1_EDX_RDTSCP	    BIT(27)
#define E1_EDX_LM	    BIT(29)
#define E7_EDX_INVARIANT    BIT(8)
#define E8_EAX_PHYS	    MASK(7, 0)

#define XSAVE_LEGACY_SIZE 576U
#define XSAVE_AVX_SIZE	  256U

#define PHYS_BITS_DEFAULT 36
#define PHYS_BITS_MIN	  32
#define PHYS_BITS_MAX	  52

/* Leaves of each range that guests have; others read zero. */
#define BASIC_SHOWN                                                      \
	(BIT(0) | BIT(1) | BIT(2) | BIT(4) | BIT(6) | BIT(7) | BIT(11) | \
	 BIT(13))
#define EXTENDED_SHOWN (MASK(8, 0) | BIT(25) | BIT(26) | BIT(29) | BIT(30))

struct feature_row {
	uint32_t leaf;
	uint8_t subleaf;
	uint8_t reg;
	uint32_t pass;	   /* shown if the processor has it */
	uint32_t provided; /* shown in any case */
};

/* clang-format off */
/* Registers of which each bit promises something; others are data. */
static const struct feature_row features[] = {
	/* SSE3 PCLMUL SSSE3 FMA CX16 PCID SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE
	 * AVX F16C RDRAND */
	{ 0x1, 0, ECX, BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(17) |
		       MASK(20, 19) | BIT(22) | BIT(23) | BIT(25) | BIT(26) |
		       MASK(30, 28),
		       L1_ECX_X2APIC | L1_ECX_TSC_DEADLINE |
		       L1_ECX_HYPERVISOR },
	/* FPU VME DE PSE TSC MSR PAE MCE CX8 SEP PGE MCA CMOV PSE36 CLFSH MMX
	 * FXSR SSE SSE2 SS; not PSN DS ACPI TM PBE.  HTT follows the vCPUs. */
	{ 0x1, 0, EDX, MASK(8, 0) | BIT(11) | MASK(15, 13) | BIT(17) | BIT(19) |
		       MASK(27, 23),
		       L1_EDX_APIC | L1_EDX_MTRR | L1_EDX_PAT | L1_EDX_HTT },
	/* The APIC timer never stops. */
	{ 0x6, 0, EAX, 0, L6_EAX_ARAT },
	{ 0x6, 0, EBX, 0, 0 }, { 0x6, 0, ECX, 0, 0 },
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
	{ 0xd, 0, EDX, 0, 0 },
	{ 0xd, 1, EAX, MASK(2, 0), 0 },
	{ 0xd, 1, ECX, 0, 0 }, { 0xd, 1, EDX, 0, 0 },
	/* LAHF CR8LEGACY ABM SSE4A MISALIGNSSE 3DNOWPREFETCH XOP FMA4 TBM;
	 * CMP_LEGACY and TOPOEXT follow the vCPUs. */
	{ 0x80000001, 0, ECX, BIT(0) | MASK(8, 4) | BIT(11) | BIT(16) |
			      BIT(21), E1_ECX_CMP_LEGACY | E1_ECX_TOPOEXT },
	/* As leaf 1 EDX on AMD; SYSCALL NX MMXEXT FFXSR 1GB RDTSCP LM 3DNOW */
	{ 0x80000001, 0, EDX, MASK(9, 0) | MASK(17, 11) | BIT(20) |
			      MASK(27, 22) | MASK(31, 29), 0 },
	/* Invariant TSC: the monitor changes no P-state and idles by HLT alone,
	 * so on its host any TSC is one; its own time depends on that. */
	{ 0x80000007, 0, EAX, 0, 0 }, { 0x80000007, 0, EBX, 0, 0 },
	{ 0x80000007, 0, ECX, 0, 0 },
	{ 0x80000007, 0, EDX, 0, E7_EDX_INVARIANT },
	/* CLZERO XSAVEERPTR. */
	{ 0x80000008, 0, EBX, BIT(0) | BIT(2), 0 },
	/* FP128 MOVU FP256 */
	{ 0x8000001a, 0, EAX, MASK(2, 0), 0 },
};
/* clang-format on */

const struct cpuid_table cpuid_none;

static uint32_t *reg_of(struct cpuid_regs *regs, unsigned reg)
{
	return (uint32_t *)regs + reg;
}

/* ---- What may be shown --------------------------------------------------- */

/* All data: no leaf of it is the processor's. */
static bool is_hypervisors(uint32_t leaf)
{
	return leaf >= CPUID_HYPERVISOR && leaf < CPUID_EXTENDED;
}

static bool is_shown(uint32_t leaf, uint32_t subleaf)
{
	uint64_t shown = leaf >= CPUID_EXTENDED ? EXTENDED_SHOWN
			 : is_hypervisors(leaf) ? MASK(31, 0)
						: BASIC_SHOWN;

	/* Those of leaf 7 are features that no row knows. */
	return BIT(leaf % CPUID_LEAVES) & shown && !(leaf == 7 && subleaf);
}

/* Beyond the last leaf Intel's answer with that one's values. */
static struct cpuid_regs host_read(cpuid_fn host, uint32_t leaf,
				   uint32_t subleaf)
{
	struct cpuid_regs none = { 0 };

	if (leaf > host(leaf & CPUID_EXTENDED, 0).eax)
		return none;
	return host(leaf, subleaf);
}

static uint8_t patches_of(uint32_t leaf, uint32_t subleaf)
{
	switch (leaf) {
	case 0x1:
		return CPUID_PATCH_APIC_ID | CPUID_PATCH_APIC |
		       CPUID_PATCH_OSXSAVE;
	case 0xb:
		return CPUID_PATCH_X2APIC_ID;
	case 0xd:
		return subleaf < 2 ? CPUID_PATCH_XSAVE_SIZE : 0;
	case CPUID_EXTENDED + 1:
		return CPUID_PATCH_APIC;
	case CPUID_EXTENDED + 0x1e:
		return CPUID_PATCH_TOPOLOGY;
	default:
		return 0;
	}
}

/* Takes from what a leaf says what may not be shown. */
static void limit(cpuid_fn host, uint32_t leaf, uint32_t subleaf,
		  struct cpuid_leaf *says)
{
	struct cpuid_regs real;

	says->patch &= patches_of(leaf, subleaf);
	if (!is_shown(leaf, subleaf))
		memset(&says->regs, 0, sizeof(says->regs));
	if (!is_shown(leaf, subleaf) || is_hypervisors(leaf))
		return;
	real = host_read(host, leaf, subleaf);
	for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature_row *row = &features[i];

		if (row->leaf == leaf && row->subleaf == subleaf)
			*reg_of(&says->regs, row->reg) &=
				(*reg_of(&real, row->reg) & row->pass) |
				row->provided;
	}
}

struct cpuid_regs cpuid_facts(cpuid_fn host, uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_leaf says = { 0 };

	if (!is_hypervisors(leaf))
		says.regs = host_read(host, leaf, subleaf);
	for (unsigned i = 0; i < ARRAY_SIZE(features); i++)
		if (features[i].leaf == leaf && features[i].subleaf == subleaf)
			*reg_of(&says.regs, features[i].reg) |=
				features[i].provided;
	limit(host, leaf, subleaf, &says);
	return says.regs;
}

static unsigned phys_bits_of(const struct cpuid_regs *regs)
{
	unsigned bits = FIELD_GET(E8_EAX_PHYS, regs->eax);

	return bits >= PHYS_BITS_MIN && bits <= PHYS_BITS_MAX
		       ? bits
		       : PHYS_BITS_DEFAULT;
}

/* Subleaves are as many as the table has room for: so is the work. */
static int limit_range(cpuid_fn host, struct cpuid_table *table,
		       struct cpuid_leaf *range, uint32_t first,
		       unsigned *subleaves)
{
	for (unsigned i = 0; i < CPUID_LEAVES; i++) {
		struct cpuid_leaf *leaf = &range[i];

		*subleaves += leaf->subleaf_count;
		if (*subleaves > CPUID_SUBLEAVES ||
		    leaf->subleaf_first + leaf->subleaf_count > CPUID_SUBLEAVES)
			return -EINVAL;
		limit(host, first + i, 0, leaf);
		/* One that ignores ECX shows what is true of all. */
		if (!leaf->subleaf_count)
			limit(host, first + i, 1, leaf);
		for (unsigned j = 0; j < leaf->subleaf_count; j++)
			limit(host, first + i, j,
			      &table->subleaf[leaf->subleaf_first + j]);
	}
	return 0;
}

int cpuid_limit(cpuid_fn host, struct cpuid_table *table)
{
	struct cpuid_regs real = host_read(host, CPUID_EXTENDED + 8, 0);
	struct cpuid_regs *sizes = &table->extended[8].regs;
	unsigned bits = MIN(phys_bits_of(sizes), phys_bits_of(&real));
	unsigned subleaves = 0;

	memset(&table->zero, 0, sizeof(table->zero));
	for (unsigned i = 0; i < CPUID_LEAVES; i++)
		table->further[0][i].patch = table->further[1][i].patch = 0;
	table->topology_end.patch &=
		CPUID_PATCH_X2APIC_ID | CPUID_PATCH_SUBLEAF;
	sizes->eax = (sizes->eax & ~(uint32_t)E8_EAX_PHYS) | bits;
	if (limit_range(host, table, table->basic, CPUID_BASIC, &subleaves) ||
	    limit_range(host, table, table->extended, CPUID_EXTENDED,
			&subleaves) ||
	    limit_range(host, table, table->hypervisor, CPUID_HYPERVISOR,
			&subleaves))
		return -EINVAL;
	return 0;
}

/* ---- What depends on the vCPU -------------------------------------------- */

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
	if (leaf->patch & CPUID_PATCH_TOPOLOGY) {
		uint32_t core = regs->eax & 31, package = regs->ecx & 31;

		regs->ecx = (regs->ecx & ~0xffU) | dynamic->apic_id >> package;
		regs->ebx |= (dynamic->apic_id & ((1U << package) - 1)) >> core;
		regs->eax = dynamic->apic_id;
	}
	if (leaf->patch & CPUID_PATCH_SUBLEAF)
		regs->ecx = (regs->ecx & ~0xffU) | (dynamic->subleaf & 0xff);
}

/* ---- Questions --------------------------------------------------------- */

bool cpuid_has_tsc_aux(const struct cpuid_table *table)
{
	return table->extended[1].regs.edx & E1_EDX_RDTSCP ||
	       cpuid_find(table, 7, 0)->regs.ecx & L7_ECX_RDPID;
}

bool cpuid_host_has_tsc_aux(cpuid_fn host)
{
	return host_read(host, CPUID_EXTENDED + 1, 0).edx & E1_EDX_RDTSCP ||
	       host_read(host, 7, 0).ecx & L7_ECX_RDPID;
}

uint8_t cpuid_phys_bits(const struct cpuid_table *table)
{
	return (uint8_t)phys_bits_of(&table->extended[8].regs);
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

uint64_t cpuid_cr4_host(cpuid_fn host)
{
	uint64_t known = X86_CR4_PCE;

	for (unsigned i = 0; i < ARRAY_SIZE(cr4_rows); i++) {
		struct cpuid_regs regs = host_read(host, cr4_rows[i].leaf, 0);

		if (*reg_of(&regs, cr4_rows[i].reg) & BIT(cr4_rows[i].bit))
			known |= cr4_rows[i].cr4;
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
