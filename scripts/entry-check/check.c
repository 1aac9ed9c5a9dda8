/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM entry's checks on the guest-state area, one rule a row, in the order in
 * which the manual lists them.
 *
 * Left out: rules for features that Bulkhead never turns on (SMM, dual
 * monitor, performance counters, bound configuration, CET, RTIT, FRED,
 * enclaves, RTM), those that need the VMCS behind the link pointer, and the
 * event types that it never injects.
 *
 * References: SDM volume 3, "Checks on the Guest State Area" with its
 * sections, in the same order.
 */
#include "scripts/entry-check/check.h"

#include "include/x86_state.h"

/* ---- Helpers ---------------------------------------------------------------
 */

static bool is_ia32e(const struct vmx_guest *g)
{
	return g->entry_controls & ENTRY_IA32E_GUEST;
}

static bool is_v86(const struct vmx_guest *g)
{
	return g->rflags & X86_FLAG_VM;
}

static bool is_usable(const struct vmx_guest *g, unsigned seg)
{
	return !(g->seg[seg].rights & AR_UNUSABLE);
}

static unsigned type_of(const struct vmx_guest *g, unsigned seg)
{
	return FIELD_GET(X86_ATTR_TYPE, g->seg[seg].rights);
}

static unsigned dpl_of(const struct vmx_guest *g, unsigned seg)
{
	return FIELD_GET(X86_ATTR_DPL, g->seg[seg].rights);
}

static unsigned rpl_of(const struct vmx_guest *g, unsigned seg)
{
	return g->seg[seg].selector & 3;
}

static bool is_injected(const struct vmx_guest *g, unsigned type)
{
	return g->event & INTERRUPTION_VALID &&
	       FIELD_GET(INTERRUPTION_TYPE, g->event) == type;
}

static bool is_pae(const struct vmx_guest *g)
{
	return g->cr0 & X86_CR0_PG && g->cr4 & X86_CR4_PAE && !is_ia32e(g);
}

/* ---- Control registers, debug registers, MSRs ----------------------------
 */

#define RULE(name)                                                 \
	static bool name(const struct vmx_guest *g __maybe_unused, \
			 unsigned arg __maybe_unused)

RULE(cr0_fixed)
{
	uint64_t free = g->is_unrestricted ? X86_CR0_PE | X86_CR0_PG : 0;
	uint64_t ones = g->cr0_fixed0 & ~free;

	return (g->cr0 & ones) == ones && !(g->cr0 & ~g->cr0_fixed1);
}

RULE(cr0_paging)
{
	return !(g->cr0 & X86_CR0_PG) || g->cr0 & X86_CR0_PE;
}

RULE(cr4_fixed)
{
	return (g->cr4 & g->cr4_fixed0) == g->cr4_fixed0 &&
	       !(g->cr4 & ~g->cr4_fixed1);
}

#define DEBUGCTL_VALID (MASK(1, 0) | MASK(15, 6))

RULE(debugctl)
{
	return !(g->entry_controls & ENTRY_LOAD_DEBUG_CONTROLS) ||
	       !(g->debugctl & ~DEBUGCTL_VALID);
}

RULE(ia32e_paging)
{
	return !is_ia32e(g) || (g->cr0 & X86_CR0_PG && g->cr4 & X86_CR4_PAE);
}

RULE(pcide)
{
	return is_ia32e(g) || !(g->cr4 & X86_CR4_PCIDE);
}

RULE(cr3_width)
{
	return !(g->cr3 >> g->physical_bits);
}

RULE(dr7_width)
{
	return !(g->entry_controls & ENTRY_LOAD_DEBUG_CONTROLS) ||
	       !(g->dr7 >> 32);
}

RULE(sysenter)
{
	return x86_is_canonical(arg ? g->sysenter_eip : g->sysenter_esp);
}

RULE(pat)
{
	uint64_t types = g->pat;

	if (!(g->entry_controls & ENTRY_LOAD_PAT))
		return true;
	for (unsigned i = 0; i < 8; i++, types >>= 8) {
		unsigned type = types & 0xff;

		if (type == 2 || type == 3 || type > 7)
			return false;
	}
	return true;
}

#define EFER_VALID (X86_EFER_SCE | X86_EFER_LME | X86_EFER_LMA | X86_EFER_NXE)

static bool loads_efer(const struct vmx_guest *g)
{
	return g->entry_controls & ENTRY_LOAD_EFER;
}

RULE(efer_reserved)
{
	return !loads_efer(g) || !(g->efer & ~EFER_VALID);
}

RULE(efer_lma)
{
	return !loads_efer(g) || !(g->efer & X86_EFER_LMA) == !is_ia32e(g);
}

RULE(efer_lme)
{
	return !loads_efer(g) || !(g->cr0 & X86_CR0_PG) ||
	       !(g->efer & X86_EFER_LMA) == !(g->efer & X86_EFER_LME);
}

/* ---- Segment registers -----------------------------------------------------
 */

#define SELECTOR_TI	 BIT(2)
#define V86_LIMIT	 0xffff
#define V86_RIGHTS	 0xf3
#define TYPE_DATA_RW	 3 /* accessed, grows up */
#define TYPE_DOWN_RW	 7
#define TYPE_CODE	 9 /* accessed, execute-only */
#define TYPE_CODE_R	 11
#define TYPE_CONFORM	 13
#define TYPE_CONFORM_R	 15
#define TYPE_LDT	 2
#define TYPE_TSS16	 3
#define TYPE_TSS	 11
#define AR_RESERVED	 MASK(11, 8)
#define AR_RESERVED_HIGH MASK(31, 17)
#define AR_L		 BIT(13)
#define AR_DB		 BIT(14)
#define AR_G		 BIT(15)

RULE(selector_ti)
{
	return !is_usable(g, arg) || !(g->seg[arg].selector & SELECTOR_TI);
}

RULE(selector_rpl)
{
	return is_v86(g) || g->is_unrestricted ||
	       rpl_of(g, X86_SS) == rpl_of(g, X86_CS);
}

RULE(base_v86)
{
	return !is_v86(g) || g->seg[arg].base == (uint64_t)g->seg[arg].selector
							 << 4;
}

RULE(base_canonical)
{
	return (arg == VMCS_LDTR && !is_usable(g, arg)) ||
	       x86_is_canonical(g->seg[arg].base);
}

RULE(base_low)
{
	return (arg != X86_CS && !is_usable(g, arg)) ||
	       !(g->seg[arg].base >> 32);
}

RULE(limit_v86)
{
	return !is_v86(g) || g->seg[arg].limit == V86_LIMIT;
}

RULE(rights_v86)
{
	return !is_v86(g) || g->seg[arg].rights == V86_RIGHTS;
}

static bool is_code_type(unsigned type)
{
	return type == TYPE_CODE || type == TYPE_CODE_R ||
	       type == TYPE_CONFORM || type == TYPE_CONFORM_R;
}

RULE(type)
{
	unsigned type = type_of(g, arg);

	if (is_v86(g))
		return true;
	if (arg == X86_CS)
		return is_code_type(type) ||
		       (g->is_unrestricted && type == TYPE_DATA_RW);
	if (!is_usable(g, arg))
		return true;
	if (arg == X86_SS)
		return type == TYPE_DATA_RW || type == TYPE_DOWN_RW;
	return type & X86_ATTR_ACCESSED &&
	       (!(type & X86_ATTR_CODE) || type & X86_ATTR_READABLE);
}

/*
 * Of a register other than CS nothing counts while unusable, and what is left
 * of the segment registers in virtual-8086 mode has been looked at.
 */
static bool is_exempt(const struct vmx_guest *g, unsigned seg)
{
	return (seg <= X86_GS && is_v86(g)) ||
	       (seg != X86_CS && !is_usable(g, seg));
}

RULE(code_or_data)
{
	return is_exempt(g, arg) || g->seg[arg].rights & X86_ATTR_S;
}

RULE(dpl_cs)
{
	unsigned dpl = dpl_of(g, X86_CS), type = type_of(g, X86_CS);

	if (is_v86(g))
		return true;
	if (type == TYPE_DATA_RW)
		return dpl == 0;
	if (type == TYPE_CODE || type == TYPE_CODE_R)
		return dpl == dpl_of(g, X86_SS);
	return dpl <= dpl_of(g, X86_SS);
}

RULE(dpl_ss_rpl)
{
	return is_v86(g) || g->is_unrestricted ||
	       dpl_of(g, X86_SS) == rpl_of(g, X86_SS);
}

RULE(dpl_ss_zero)
{
	if (is_v86(g) ||
	    (type_of(g, X86_CS) != TYPE_DATA_RW && g->cr0 & X86_CR0_PE))
		return true;
	return dpl_of(g, X86_SS) == 0;
}

RULE(dpl_data)
{
	return is_exempt(g, arg) || g->is_unrestricted ||
	       type_of(g, arg) > TYPE_CODE_R ||
	       dpl_of(g, arg) >= rpl_of(g, arg);
}

RULE(present)
{
	return is_exempt(g, arg) || g->seg[arg].rights & X86_ATTR_P;
}

RULE(rights_reserved)
{
	return is_exempt(g, arg) || !(g->seg[arg].rights & AR_RESERVED);
}

RULE(rights_high)
{
	return is_exempt(g, arg) || !(g->seg[arg].rights & AR_RESERVED_HIGH);
}

RULE(cs_64bit)
{
	uint32_t rights = g->seg[X86_CS].rights;

	return is_v86(g) || !is_ia32e(g) || !(rights & AR_L) ||
	       !(rights & AR_DB);
}

static bool is_granular(const struct vmx_guest_segment *s)
{
	if ((s->limit & (PAGE_SIZE - 1)) != PAGE_SIZE - 1 && s->rights & AR_G)
		return false;
	return !(s->limit >> 20) || s->rights & AR_G;
}

RULE(granularity)
{
	return is_exempt(g, arg) || is_granular(&g->seg[arg]);
}

RULE(tr_type)
{
	unsigned type = type_of(g, VMCS_TR);

	return type == TYPE_TSS || (!is_ia32e(g) && type == TYPE_TSS16);
}

RULE(ldtr_type)
{
	return !is_usable(g, VMCS_LDTR) || type_of(g, VMCS_LDTR) == TYPE_LDT;
}

/* TR, LDTR: system segments that are present. */
RULE(system)
{
	return !is_usable(g, arg) || !(g->seg[arg].rights & X86_ATTR_S);
}

RULE(usable)
{
	return is_usable(g, arg);
}

/* ---- Descriptor tables, RIP, RFLAGS ----------------------------------------
 */

RULE(table_base)
{
	return x86_is_canonical(arg ? g->idtr_base : g->gdtr_base);
}

RULE(table_limit)
{
	return !((arg ? g->idtr_limit : g->gdtr_limit) >> 16);
}

static bool is_64bit(const struct vmx_guest *g)
{
	return is_ia32e(g) && g->seg[X86_CS].rights & AR_L;
}

RULE(rip_width)
{
	return is_64bit(g) || !(g->rip >> 32);
}

RULE(rip_canonical)
{
	return !is_64bit(g) || x86_is_canonical(g->rip);
}

RULE(rflags_reserved)
{
	return !(g->rflags & ~X86_FLAGS_ALL & ~X86_FLAG_ONE) &&
	       g->rflags & X86_FLAG_ONE;
}

RULE(rflags_vm)
{
	return !is_v86(g) || (!is_ia32e(g) && g->cr0 & X86_CR0_PE);
}

RULE(rflags_if)
{
	return !is_injected(g, TYPE_EXTERNAL) || g->rflags & X86_FLAG_IF;
}

/* ---- Non-register state ----------------------------------------------------
 */

#define ACTIVITY_HLT	   1
#define ACTIVITY_SHUTDOWN  2
#define ACTIVITY_LAST	   3 /* wait-for-SIPI */
#define BLOCKED_BY_ENCLAVE BIT(4)
#define PENDING_DEBUG_RTM  BIT(16)

/* Active is everywhere; the others where VMX_MISC has their bit. */
RULE(activity)
{
	return g->activity == ACTIVITY_ACTIVE ||
	       (g->activity <= ACTIVITY_LAST &&
		g->activities & BIT(g->activity - 1));
}

RULE(activity_hlt)
{
	return g->activity != ACTIVITY_HLT || dpl_of(g, X86_SS) == 0;
}

RULE(activity_shadow)
{
	return g->activity == ACTIVITY_ACTIVE ||
	       !(g->interruptibility & (BLOCKED_BY_STI | BLOCKED_BY_MOVSS));
}

/* What is injected is such that the state lets it through. */
RULE(activity_event)
{
	unsigned vector = FIELD_GET(INTERRUPTION_VECTOR, g->event);
	bool is_mc = is_injected(g, TYPE_EXCEPTION) && vector == X86_VECTOR_MC;
	bool is_db = is_injected(g, TYPE_EXCEPTION) && vector == X86_VECTOR_DB;
	bool is_nmi = is_injected(g, TYPE_NMI);

	if (g->activity == ACTIVITY_ACTIVE || !(g->event & INTERRUPTION_VALID))
		return true;
	if (g->activity == ACTIVITY_HLT)
		return is_nmi || is_mc || is_db ||
		       is_injected(g, TYPE_EXTERNAL);
	return g->activity == ACTIVITY_SHUTDOWN && (is_nmi || is_mc);
}

RULE(blocked_reserved)
{
	return !(g->interruptibility &
		 ~(BLOCKED_BY_STI | BLOCKED_BY_MOVSS | BLOCKED_BY_SMI |
		   BLOCKED_BY_NMI | BLOCKED_BY_ENCLAVE));
}

RULE(blocked_both)
{
	return (~g->interruptibility & (BLOCKED_BY_STI | BLOCKED_BY_MOVSS)) !=
	       0;
}

RULE(blocked_sti)
{
	return g->rflags & X86_FLAG_IF ||
	       !(g->interruptibility & BLOCKED_BY_STI);
}

RULE(blocked_interrupt)
{
	return !is_injected(g, TYPE_EXTERNAL) ||
	       !(g->interruptibility & (BLOCKED_BY_STI | BLOCKED_BY_MOVSS));
}

/* arg: which blocking counts. */
RULE(blocked_nmi)
{
	return !is_injected(g, TYPE_NMI) || !(g->interruptibility & arg);
}

RULE(blocked_smi)
{
	return !(g->interruptibility & BLOCKED_BY_SMI);
}

RULE(pending_reserved)
{
	return !(g->pending_debug &
		 ~(PENDING_DEBUG_BREAKPOINTS | PENDING_DEBUG_ENABLED |
		   PENDING_DEBUG_BS | PENDING_DEBUG_RTM));
}

#define DEBUGCTL_BTF BIT(1)

RULE(pending_step)
{
	bool steps = g->rflags & X86_FLAG_TF && !(g->debugctl & DEBUGCTL_BTF);

	if (!(g->interruptibility & (BLOCKED_BY_STI | BLOCKED_BY_MOVSS)) &&
	    g->activity != ACTIVITY_HLT)
		return true;
	return steps == !!(g->pending_debug & PENDING_DEBUG_BS);
}

RULE(link_pointer)
{
	return g->link_pointer == UINT64_MAX;
}

/* ---- Page-directory-pointer-table entries ----------------------------------
 */

#define PDPTE_P	       BIT(0)
#define PDPTE_RESERVED (MASK(2, 1) | MASK(8, 5))

RULE(pdpte)
{
	uint64_t entry = g->pdpte[arg];

	return !is_pae(g) || !(entry & PDPTE_P) ||
	       !(entry & PDPTE_RESERVED || entry >> g->physical_bits);
}

/* ---- The table -------------------------------------------------------------
 */

/* One rule for each of ES CS SS DS FS GS. */
#define SIX(text, rule)                                                     \
	{ "ES", text, rule, X86_ES }, { "CS", text, rule, X86_CS },         \
		{ "SS", text, rule, X86_SS }, { "DS", text, rule, X86_DS }, \
		{ "FS", text, rule, X86_FS },                               \
	{                                                                   \
		"GS", text, rule, X86_GS                                    \
	}
/* The order the manual has for access rights. */
#define SIX_RIGHTS(text, rule)                                              \
	{ "CS", text, rule, X86_CS }, { "SS", text, rule, X86_SS },         \
		{ "DS", text, rule, X86_DS }, { "ES", text, rule, X86_ES }, \
		{ "FS", text, rule, X86_FS },                               \
	{                                                                   \
		"GS", text, rule, X86_GS                                    \
	}

/* clang-format off */
const struct vmx_rule vmx_rules[] = {
	{ "CR0", "a bit differs from what VMX_CR0_FIXED0/1 fix", cr0_fixed, 0 },
	{ "CR0", "PG is set without PE", cr0_paging, 0 },
	{ "CR4", "a bit differs from what VMX_CR4_FIXED0/1 fix", cr4_fixed, 0 },
	{ "IA32_DEBUGCTL", "a reserved bit is set", debugctl, 0 },
	{ "CR0", "IA-32e mode guest needs CR0.PG and CR4.PAE", ia32e_paging, 0 },
	{ "CR4", "PCIDE is set outside IA-32e mode", pcide, 0 },
	{ "CR3", "beyond the physical-address width", cr3_width, 0 },
	{ "DR7", "bits 63:32 are not 0", dr7_width, 0 },
	{ "IA32_SYSENTER_ESP", "not canonical", sysenter, 0 },
	{ "IA32_SYSENTER_EIP", "not canonical", sysenter, 1 },
	{ "IA32_PAT", "a byte is no memory type", pat, 0 },
	{ "IA32_EFER", "a reserved bit is set", efer_reserved, 0 },
	{ "IA32_EFER", "LMA differs from the entry control 'IA-32e mode guest'",
	  efer_lma, 0 },
	{ "IA32_EFER", "LMA differs from LME while CR0.PG is set", efer_lme, 0 },

	{ "TR selector", "TI is set", selector_ti, VMCS_TR },
	{ "LDTR selector", "TI is set", selector_ti, VMCS_LDTR },
	{ "SS selector", "RPL differs from CS's", selector_rpl, 0 },
	SIX("base is not selector * 16 in virtual-8086 mode", base_v86),
	{ "TR base", "not canonical", base_canonical, VMCS_TR },
	{ "FS base", "not canonical", base_canonical, X86_FS },
	{ "GS base", "not canonical", base_canonical, X86_GS },
	{ "LDTR base", "not canonical", base_canonical, VMCS_LDTR },
	{ "CS base", "bits 63:32 are not 0", base_low, X86_CS },
	{ "SS base", "bits 63:32 are not 0", base_low, X86_SS },
	{ "DS base", "bits 63:32 are not 0", base_low, X86_DS },
	{ "ES base", "bits 63:32 are not 0", base_low, X86_ES },
	SIX("limit is not ffff in virtual-8086 mode", limit_v86),
	SIX("access rights are not f3 in virtual-8086 mode", rights_v86),
	SIX_RIGHTS("type is not allowed", type),
	SIX_RIGHTS("S is 0: a system segment", code_or_data),
	{ "CS access rights", "DPL does not go with the type and SS.DPL",
	  dpl_cs, 0 },
	{ "SS access rights", "DPL differs from the selector's RPL",
	  dpl_ss_rpl, 0 },
	{ "SS access rights", "DPL is not 0", dpl_ss_zero, 0 },
	{ "DS access rights", "DPL is below RPL", dpl_data, X86_DS },
	{ "ES access rights", "DPL is below RPL", dpl_data, X86_ES },
	{ "FS access rights", "DPL is below RPL", dpl_data, X86_FS },
	{ "GS access rights", "DPL is below RPL", dpl_data, X86_GS },
	SIX_RIGHTS("P is 0", present),
	SIX_RIGHTS("a reserved bit (11:8) is set", rights_reserved),
	{ "CS access rights", "D/B and L are both set", cs_64bit, 0 },
	SIX_RIGHTS("G does not go with the limit", granularity),
	SIX_RIGHTS("a reserved bit (31:17) is set", rights_high),
	{ "TR access rights", "type is no busy TSS of this mode", tr_type, 0 },
	{ "TR access rights", "S is 1", system, VMCS_TR },
	{ "TR access rights", "P is 0", present, VMCS_TR },
	{ "TR access rights", "a reserved bit (11:8) is set", rights_reserved,
	  VMCS_TR },
	{ "TR access rights", "G does not go with the limit",
	  granularity, VMCS_TR },
	{ "TR access rights", "unusable", usable, VMCS_TR },
	{ "TR access rights", "a reserved bit (31:17) is set", rights_high,
	  VMCS_TR },
	{ "LDTR access rights", "type is no LDT", ldtr_type, 0 },
	{ "LDTR access rights", "S is 1", system, VMCS_LDTR },
	{ "LDTR access rights", "P is 0", present, VMCS_LDTR },
	{ "LDTR access rights", "a reserved bit (11:8) is set", rights_reserved,
	  VMCS_LDTR },
	{ "LDTR access rights", "G does not go with the limit",
	  granularity, VMCS_LDTR },
	{ "LDTR access rights", "a reserved bit (31:17) is set", rights_high,
	  VMCS_LDTR },

	{ "GDTR base", "not canonical", table_base, 0 },
	{ "IDTR base", "not canonical", table_base, 1 },
	{ "GDTR limit", "bits 31:16 are not 0", table_limit, 0 },
	{ "IDTR limit", "bits 31:16 are not 0", table_limit, 1 },

	{ "RIP", "bits 63:32 are not 0 outside 64-bit mode", rip_width, 0 },
	{ "RIP", "not canonical", rip_canonical, 0 },
	{ "RFLAGS", "a reserved bit has the wrong value", rflags_reserved, 0 },
	{ "RFLAGS", "VM is set in IA-32e or real mode", rflags_vm, 0 },
	{ "RFLAGS", "IF is 0 and an interrupt is injected", rflags_if, 0 },

	{ "activity state", "not one that the processor has", activity, 0 },
	{ "activity state", "HLT with SS.DPL not 0", activity_hlt, 0 },
	{ "activity state", "not active under blocking by STI or MOV SS",
	  activity_shadow, 0 },
	{ "activity state", "lets no such event through as is injected",
	  activity_event, 0 },
	{ "interruptibility state", "a reserved bit is set", blocked_reserved,
	  0 },
	{ "interruptibility state", "blocking by STI and by MOV SS",
	  blocked_both, 0 },
	{ "interruptibility state", "blocking by STI while IF is 0",
	  blocked_sti, 0 },
	{ "interruptibility state", "an interrupt is injected where blocked",
	  blocked_interrupt, 0 },
	{ "interruptibility state", "an NMI is injected where MOV SS blocks",
	  blocked_nmi, BLOCKED_BY_MOVSS },
	{ "interruptibility state", "blocking by SMI outside SMM",
	  blocked_smi, 0 },
	{ "interruptibility state", "an NMI is injected where NMIs are blocked",
	  blocked_nmi, BLOCKED_BY_NMI },
	{ "pending debug exceptions", "a reserved bit is set",
	  pending_reserved, 0 },
	{ "pending debug exceptions", "BS does not go with RFLAGS.TF",
	  pending_step, 0 },
	{ "VMCS link pointer", "not ffffffffffffffff", link_pointer, 0 },

	{ "PDPTE0", "a reserved bit is set", pdpte, 0 },
	{ "PDPTE1", "a reserved bit is set", pdpte, 1 },
	{ "PDPTE2", "a reserved bit is set", pdpte, 2 },
	{ "PDPTE3", "a reserved bit is set", pdpte, 3 },
};
/* clang-format on */

const unsigned vmx_rule_count = ARRAY_SIZE(vmx_rules);

const struct vmx_rule *vmx_guest_check(const struct vmx_guest *guest)
{
	for (unsigned i = 0; i < vmx_rule_count; i++)
		if (!vmx_rules[i].holds(guest, vmx_rules[i].arg))
			return &vmx_rules[i];
	return NULL;
}
