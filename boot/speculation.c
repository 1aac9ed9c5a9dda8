/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of the measures against speculation between domains a processor needs.
 * Pure: facts.c reads the facts, kernel/barriers.c carries the measures out.
 *
 * A processor is affected unless it says otherwise, by a capability bit, or is
 * of a model that is known not to be.
 *
 * References: SDM volume 4, "IA32_ARCH_CAPABILITIES"; Intel, "Affected
 * Processors: Guidance for Security Issues on Intel Processors"; APM volume 2,
 * "Speculation Control MSRs"; AMD, "Software Techniques for Managing
 * Speculation on AMD Processors".
 */
#include "boot/speculation.h"

#include "lib/printf.h"
#include "lib/string.h"

/* clang-format off */
/* CPUID 7, EDX */
#define EDX_MD_CLEAR	BIT(10)
#define EDX_IBRS_IBPB	BIT(26)
#define EDX_L1D_FLUSH	BIT(28)
/* CPUID 80000008, EBX */
#define AMD8_FPU_POINTERS BIT(2) /* FXSAVE and FXRSTOR always move them */
#define AMD8_IBPB	BIT(12)
/* CPUID 80000021, EAX */
#define AMD21_AUTO_IBRS	BIT(8)
/* IA32_ARCH_CAPABILITIES */
#define CAP_RDCL_NO	BIT(0)
#define CAP_IBRS_ALL	BIT(1)
#define CAP_SKIP_L1DFL	BIT(3)
#define CAP_MDS_NO	BIT(5)
#define CAP_PSCHANGE_NO	BIT(6)
#define CAP_TAA_NO	BIT(8)
#define CAP_MMIO_NO	MASK(15, 13) /* SBDR, FBSDP, PSDP */
#define CAP_FB_CLEAR	BIT(17)
#define CAP_PBRSB_NO	BIT(24)
#define CAP_RFDS_NO	BIT(27)
#define CAP_RFDS_CLEAR	BIT(28)
/* clang-format on */

/* CPUID leaves that number threads and cores */
#define LEAF1_EBX_THREADS  MASK(23, 16) /* of a package */
#define LEAF1_EDX_HTT	   BIT(28)
#define LEAF4_EAX_CORES	   MASK(31, 26) /* of a package, less one */
#define LEAFB_EAX_SHIFT	   MASK(4, 0)
#define LEAFB_ECX_TYPE	   MASK(15, 8)
#define LEAFB_TYPE_THREADS 1

/* What a processor may be affected by. */
#define BUG_BRANCH   BIT(0) /* indirect branches trained by others */
#define BUG_MELTDOWN BIT(1) /* ring 3 reads what ring 0 has mapped */
#define BUG_L1TF     BIT(2) /* not present entries read the L1 cache */
#define BUG_MDS	     BIT(3) /* loads that fault see CPU buffers */
#define BUG_TAA	     BIT(4) /* the same in an aborted transaction */
#define BUG_MMIO     BIT(5) /* stale data of MMIO in those buffers */
#define BUG_RFDS     BIT(6) /* the register file */
#define BUG_MULTIHIT BIT(7) /* two sizes of a page in the iTLB: stops */
#define BUG_INTEL    MASK(7, 0)
#define BUG_BUFFERS  (BUG_MDS | BUG_TAA | BUG_MMIO | BUG_RFDS)
/* Hyper-threads share what these leak from. */
#define BUG_THREADS  (BUG_L1TF | BUG_MDS | BUG_TAA)

#define ATOM_OUT_OF_ORDER (BUG_BRANCH | BUG_MELTDOWN | BUG_MDS)
#define ATOM_GOLDMONT	  (BUG_BRANCH | BUG_MELTDOWN | BUG_RFDS)
#define ATOM_TREMONT	  (BUG_BRANCH | BUG_MMIO | BUG_RFDS)
#define CORE_SUNNY_COVE	  (BUG_BRANCH | BUG_TAA | BUG_MMIO)
#define CORE_HYBRID	  (BUG_BRANCH | BUG_RFDS)

/* Family 6 models that are not affected by everything. */
/* clang-format off */
static const struct {
	uint8_t first, last;
	uint8_t bugs;
	const char *reason;
} intel_models[] = {
	{ 0x1c, 0x1c, 0, "Bonnell: does not speculate" },
	{ 0x26, 0x27, 0, "Bonnell, Saltwell: do not speculate" },
	{ 0x35, 0x36, 0, "Saltwell: does not speculate" },
	{ 0x37, 0x37, ATOM_OUT_OF_ORDER, "Silvermont: L1TF, multihit not" },
	{ 0x4a, 0x4a, ATOM_OUT_OF_ORDER, "Silvermont" },
	{ 0x4c, 0x4d, ATOM_OUT_OF_ORDER, "Airmont, Silvermont" },
	{ 0x57, 0x57, ATOM_OUT_OF_ORDER, "Knights Landing: Silvermont cores" },
	{ 0x5a, 0x5a, ATOM_OUT_OF_ORDER, "Silvermont" },
	{ 0x75, 0x75, ATOM_OUT_OF_ORDER, "Airmont" },
	{ 0x85, 0x85, ATOM_OUT_OF_ORDER, "Knights Mill: Silvermont cores" },
	{ 0x5c, 0x5c, ATOM_GOLDMONT, "Goldmont: L1TF, MDS, multihit not" },
	{ 0x5f, 0x5f, ATOM_GOLDMONT, "Goldmont" },
	{ 0x7a, 0x7a, ATOM_GOLDMONT, "Goldmont Plus" },
	{ 0x86, 0x86, ATOM_TREMONT, "Tremont: mended but for MMIO, RFDS" },
	{ 0x8a, 0x8a, ATOM_TREMONT, "Lakefield: Tremont and Sunny Cove" },
	{ 0x96, 0x96, ATOM_TREMONT, "Tremont" },
	{ 0x9c, 0x9c, ATOM_TREMONT, "Tremont" },
	{ 0x6a, 0x6a, CORE_SUNNY_COVE, "Ice Lake SP: mended in silicon" },
	{ 0x6c, 0x6c, CORE_SUNNY_COVE, "Ice Lake D" },
	{ 0x7d, 0x7e, CORE_SUNNY_COVE, "Ice Lake" },
	{ 0xa7, 0xa7, CORE_SUNNY_COVE, "Rocket Lake" },
	{ 0x8c, 0x8d, BUG_BRANCH, "Tiger Lake: mended in silicon" },
	{ 0x8f, 0x8f, BUG_BRANCH, "Sapphire Rapids" },
	{ 0xcf, 0xcf, BUG_BRANCH, "Emerald Rapids" },
	{ 0x97, 0x97, CORE_HYBRID, "Alder Lake: Gracemont has RFDS" },
	{ 0x9a, 0x9a, CORE_HYBRID, "Alder Lake" },
	{ 0xb7, 0xb7, CORE_HYBRID, "Raptor Lake" },
	{ 0xba, 0xba, CORE_HYBRID, "Raptor Lake" },
	{ 0xbe, 0xbf, CORE_HYBRID, "Gracemont, Raptor Lake" },
};
/* clang-format on */

static uint32_t bugs_of_model(const struct speculation_facts *f)
{
	if (f->vendor == SPECULATION_AMD)
		return BUG_BRANCH;
	for (unsigned i = 0; f->vendor == SPECULATION_INTEL && f->family == 6 &&
			     i < ARRAY_SIZE(intel_models);
	     i++)
		if (f->model >= intel_models[i].first &&
		    f->model <= intel_models[i].last)
			return intel_models[i].bugs;
	/* Which Core models have RFDS is known: none. */
	return BUG_INTEL & ~BUG_RFDS;
}

static uint32_t bugs_of(const struct speculation_facts *f)
{
	uint64_t cap = f->arch_capabilities;
	uint32_t bugs = bugs_of_model(f);

	if (cap & CAP_RDCL_NO)
		bugs &= ~(BUG_MELTDOWN | BUG_L1TF);
	if (cap & CAP_SKIP_L1DFL)
		bugs &= ~BUG_L1TF;
	if (cap & CAP_MDS_NO)
		bugs &= ~BUG_MDS;
	if (cap & CAP_TAA_NO || !f->has_rtm)
		bugs &= ~BUG_TAA;
	if ((cap & CAP_MMIO_NO) == CAP_MMIO_NO)
		bugs &= ~BUG_MMIO;
	if (cap & CAP_RFDS_NO)
		bugs &= ~BUG_RFDS;
	if (cap & CAP_PSCHANGE_NO)
		bugs &= ~BUG_MULTIHIT;
	return bugs;
}

static void decide_branches(const struct speculation_facts *f, uint32_t bugs,
			    struct speculation *s)
{
	bool has_ibpb = f->leaf7_edx & EDX_IBRS_IBPB || f->amd8_ebx & AMD8_IBPB;

	if (!(bugs & BUG_BRANCH))
		return;
	s->rsb = true;
	s->ibpb = has_ibpb;
	if (!has_ibpb)
		s->lacks |= SPECULATION_LACKS_IBPB;
	s->auto_ibrs =
		f->vendor == SPECULATION_AMD && f->amd21_eax & AMD21_AUTO_IBRS;
	s->ibrs = f->vendor != SPECULATION_AMD &&
		  f->leaf7_edx & EDX_IBRS_IBPB &&
		  f->arch_capabilities & CAP_IBRS_ALL;
	/* With these the processor keeps a guest's entries from ring 0; some
	 * use one of them nonetheless. */
	s->rsb_at_exit = !s->auto_ibrs &&
			 !(s->ibrs && f->arch_capabilities & CAP_PBRSB_NO);
}

static void decide_data(const struct speculation_facts *f, uint32_t bugs,
			struct speculation *s)
{
	bool has_verw = f->leaf7_edx & EDX_MD_CLEAR ||
			f->arch_capabilities & (CAP_FB_CLEAR | CAP_RFDS_CLEAR);

	s->page_tables = bugs & BUG_MELTDOWN || !f->has_smap;
	s->verw = bugs & BUG_BUFFERS && has_verw;
	if (bugs & BUG_BUFFERS && !has_verw)
		s->lacks |= SPECULATION_LACKS_VERW;
	/* Only guests have page tables of their own to make such entries in. */
	s->l1d_flush = f->is_vtx && bugs & BUG_L1TF;
	if (s->l1d_flush && !(f->leaf7_edx & EDX_L1D_FLUSH))
		s->lacks |= SPECULATION_LACKS_L1D_FLUSH;
	s->smt_idle = bugs & BUG_THREADS;
	s->itlb_multihit = f->is_vtx && bugs & BUG_MULTIHIT;
}

void speculation_decide(const struct speculation_facts *facts, bool is_on,
			struct speculation *speculation)
{
	uint32_t bugs = bugs_of(facts);

	memset(speculation, 0, sizeof(*speculation));
	speculation->is_on = is_on;
	/* No speculation: what FXRSTOR leaves can simply be read. */
	speculation->fpu_pointers = facts->vendor == SPECULATION_AMD &&
				    !(facts->amd8_ebx & AMD8_FPU_POINTERS);
	if (!is_on)
		return;
	decide_branches(facts, bugs, speculation);
	decide_data(facts, bugs, speculation);
	speculation->at_switch = speculation->ibpb | speculation->rsb |
				 speculation->verw | speculation->l1d_flush;
}

/* The smallest power of two that is not below n, as an exponent. */
static unsigned bits_for(uint32_t n)
{
	unsigned bits = 0;

	while (bits < 31 && 1U << bits < n)
		bits++;
	return bits;
}

unsigned speculation_thread_bits(const struct speculation_facts *f)
{
	unsigned all, cores;

	if (FIELD_GET(LEAFB_ECX_TYPE, f->leafb_ecx) == LEAFB_TYPE_THREADS)
		return FIELD_GET(LEAFB_EAX_SHIFT, f->leafb_eax);
	if (!(f->leaf1_edx & LEAF1_EDX_HTT))
		return 0;
	all = bits_for((uint32_t)FIELD_GET(LEAF1_EBX_THREADS, f->leaf1_ebx));
	cores = bits_for((uint32_t)FIELD_GET(LEAF4_EAX_CORES, f->leaf4_eax) +
			 1);
	return all > cores ? all - cores : 0;
}

struct word {
	bool is_said;
	const char *text;
};

/* Those that are said, with commas, behind what text holds up to at. */
static size_t words_add(char *text, size_t size, size_t at,
			const struct word *words, unsigned count)
{
	const char *before = "";

	for (unsigned i = 0; i < count; i++) {
		if (!words[i].is_said)
			continue;
		at += (size_t)snprintf(text + at, size - at, "%s%s", before,
				       words[i].text);
		at = MIN(at, size - 1);
		before = ", ";
	}
	return at;
}

const char *speculation_describe(const struct speculation *s, char *text,
				 size_t size)
{
	const struct word on[] = {
		{ s->page_tables, "page tables" },
		{ s->ibrs, "IBRS" },
		{ s->auto_ibrs, "automatic IBRS" },
		{ s->ibpb, "IBPB" },
		{ s->rsb, "RSB" },
		{ s->rsb_at_exit, "RSB at exits" },
		{ s->verw, "VERW" },
		{ s->l1d_flush, "L1D flush" },
		{ s->itlb_multihit, "no large executable pages" },
		{ s->smt_idle, "second threads idle" },
	};
	const struct word lacking[] = {
		{ s->lacks & SPECULATION_LACKS_IBPB, "IBPB" },
		{ s->lacks & SPECULATION_LACKS_VERW, "VERW" },
		{ s->lacks & SPECULATION_LACKS_L1D_FLUSH, "L1D flush" },
	};
	size_t at;

	if (!s->is_on)
		return "off by configuration";
	at = words_add(text, size, 0, on, ARRAY_SIZE(on));
	if (!at)
		return "nothing needed";
	if (s->lacks) {
		static const struct word but = { true, "; not there: " };

		at = words_add(text, size, at, &but, 1);
		(void)words_add(text, size, at, lacking, ARRAY_SIZE(lacking));
	}
	return text;
}
