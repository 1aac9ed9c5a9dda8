/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entry checks: good states of every mode pass, and each rule is broken
 * once by the least change that breaks it, which must be named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "include/x86_state.h"
#include "scripts/entry-check/check.h"

#define FLAT_CODE   0xc09b
#define FLAT_DATA   0xc093
#define CODE64	    0xa09b
#define REAL_CODE   0x009b
#define REAL_DATA   0x0093
#define TSS32	    0x008b
#define UNUSABLE    0x10000
#define PAT	    0x0007040600070406ULL
#define RFLAGS	    2
#define CR0_VMX	    (X86_CR0_NE | X86_CR0_ET)
#define CR4_VMXE_ON BIT(13)

static void set_segments(struct vmx_guest *g, uint32_t code, uint32_t data,
			 uint32_t limit)
{
	for (unsigned i = 0; i <= X86_GS; i++)
		g->seg[i] = (struct vmx_guest_segment){
			.limit = limit,
			.rights = i == X86_CS ? code : data,
		};
	g->seg[VMCS_LDTR].rights = UNUSABLE;
	g->seg[VMCS_TR] =
		(struct vmx_guest_segment){ .limit = 0x67, .rights = TSS32 };
}

static struct vmx_guest good(void)
{
	struct vmx_guest g = {
		.cr0 = CR0_VMX | X86_CR0_PE | X86_CR0_PG,
		.cr4 = CR4_VMXE_ON,
		.pat = PAT,
		.dr7 = 0x400,
		.rflags = RFLAGS,
		.link_pointer = UINT64_MAX,
		.entry_controls = ENTRY_LOAD_DEBUG_CONTROLS | ENTRY_LOAD_PAT |
				  ENTRY_LOAD_EFER,
		.physical_bits = 39,
		.activities = 7,
		.cr0_fixed0 = X86_CR0_PE | X86_CR0_NE | X86_CR0_PG,
		.cr0_fixed1 = 0xffffffff,
		.cr4_fixed0 = CR4_VMXE_ON,
		.cr4_fixed1 = 0x1727ff,
	};

	set_segments(&g, FLAT_CODE, FLAT_DATA, 0xffffffff);
	return g;
}

static struct vmx_guest good_long(void)
{
	struct vmx_guest g = good();

	g.entry_controls |= ENTRY_IA32E_GUEST;
	g.cr4 |= X86_CR4_PAE;
	g.efer = X86_EFER_LME | X86_EFER_LMA;
	g.seg[X86_CS].rights = CODE64;
	g.rip = 0xffff800000001000;
	return g;
}

static struct vmx_guest good_v86(void)
{
	struct vmx_guest g = good();

	g.rflags |= X86_FLAG_VM;
	for (unsigned i = 0; i <= X86_GS; i++)
		g.seg[i] = (struct vmx_guest_segment){
			.selector = 0x1000,
			.base = 0x10000,
			.limit = 0xffff,
			.rights = 0xf3,
		};
	return g;
}

static struct vmx_guest good_real(void)
{
	struct vmx_guest g = good();

	g.is_unrestricted = true;
	g.cr0 = CR0_VMX;
	set_segments(&g, REAL_CODE, REAL_DATA, 0xffff);
	return g;
}

static void expect_rule(const struct vmx_guest *g, const char *field,
			const char *text)
{
	const struct vmx_rule *rule = vmx_guest_check(g);

	if (!rule)
		fail_msg("%s: %s: not seen", field, text);
	else if (strcmp(rule->field, field) || !strstr(rule->text, text))
		fail_msg("%s: %s: seen as %s: %s", field, text, rule->field,
			 rule->text);
}

static void test_good_states(void **state)
{
	struct vmx_guest (*const makers[])(void) = { good, good_long, good_v86,
						     good_real };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(makers); i++) {
		struct vmx_guest g = makers[i]();
		const struct vmx_rule *rule = vmx_guest_check(&g);

		if (rule)
			fail_msg("state %u: %s: %s", i, rule->field,
				 rule->text);
	}
}

/* Real mode is a good state only for an unrestricted guest. */
static void test_restricted(void **state)
{
	struct vmx_guest g = good_real();

	(void)state;
	g.is_unrestricted = false;
	expect_rule(&g, "CR0", "FIXED");
	g = good();
	g.seg[X86_SS].selector = 1;
	expect_rule(&g, "SS selector", "RPL");
	g.seg[X86_CS].selector = 1;
	expect_rule(&g, "SS access rights", "selector's RPL");
	g = good();
	g.seg[X86_DS].selector = 3;
	expect_rule(&g, "DS access rights", "below RPL");
	g.is_unrestricted = true;
	assert_null(vmx_guest_check(&g));
}

/* One change to a 32-bit protected-mode state, of up to 8 bytes. */
struct change {
	const char *field, *text;
	size_t offset;
	uint64_t value;
	uint8_t size;
};

#define SET(field, text, member, value)                                 \
	{                                                               \
		field, text, offsetof(struct vmx_guest, member), value, \
			sizeof(((struct vmx_guest *)0)->member)         \
	}

static void check_changes(struct vmx_guest (*make)(void),
			  const struct change *changes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct vmx_guest g = make();

		memcpy((char *)&g + changes[i].offset, &changes[i].value,
		       changes[i].size);
		expect_rule(&g, changes[i].field, changes[i].text);
	}
}

/* clang-format off */
static void test_registers(void **state)
{
	static const struct change changes[] = {
		SET("CR0", "FIXED", cr0, X86_CR0_PE | X86_CR0_PG),
		SET("CR4", "FIXED", cr4, 0),
		SET("CR4", "FIXED", cr4, CR4_VMXE_ON | BIT(22)),
		SET("IA32_DEBUGCTL", "reserved", debugctl, BIT(2)),
		SET("CR3", "width", cr3, BIT(39)),
		SET("DR7", "63:32", dr7, BIT(32)),
		SET("IA32_SYSENTER_ESP", "canonical", sysenter_esp, BIT(47)),
		SET("IA32_SYSENTER_EIP", "canonical", sysenter_eip, BIT(63)),
		SET("IA32_PAT", "memory type", pat, 2),
		SET("IA32_PAT", "memory type", pat, BIT(59)),
		SET("IA32_EFER", "reserved", efer, BIT(1)),
		SET("IA32_EFER", "entry control", efer,
		    X86_EFER_LMA | X86_EFER_LME),
		SET("IA32_EFER", "LME", efer, X86_EFER_LME),
		SET("GDTR base", "canonical", gdtr_base, BIT(63)),
		SET("IDTR base", "canonical", idtr_base, BIT(63)),
		SET("GDTR limit", "31:16", gdtr_limit, 0x10000),
		SET("IDTR limit", "31:16", idtr_limit, 0xffffffff),
	};

	(void)state;
	check_changes(good, changes, ARRAY_SIZE(changes));
}

static void test_segments(void **state)
{
	static const struct change changes[] = {
		SET("TR selector", "TI", seg[VMCS_TR].selector, 4),
		SET("TR base", "canonical", seg[VMCS_TR].base, BIT(50)),
		SET("FS base", "canonical", seg[X86_FS].base, BIT(50)),
		SET("CS base", "63:32", seg[X86_CS].base, BIT(32)),
		SET("DS base", "63:32", seg[X86_DS].base, BIT(32)),
		SET("CS", "type", seg[X86_CS].rights, 0xc09a),
		SET("CS", "type", seg[X86_CS].rights, FLAT_DATA),
		SET("SS", "type", seg[X86_SS].rights, 0xc091),
		SET("DS", "type", seg[X86_DS].rights, 0xc092),
		SET("DS", "type", seg[X86_DS].rights, 0xc099),
		SET("CS", "S is 0", seg[X86_CS].rights, 0xc08b),
		SET("ES", "S is 0", seg[X86_ES].rights, 0xc083),
		SET("CS access rights", "DPL", seg[X86_CS].rights, 0xc0fb),
		SET("GS", "P is 0", seg[X86_GS].rights, 0xc013),
		SET("GS", "(11:8)", seg[X86_GS].rights, 0xc193),
		SET("GS", "(31:17)", seg[X86_GS].rights, 0xc093 | BIT(20)),
		SET("CS", "(11:8)", seg[X86_CS].rights, 0xc89b | BIT(31)),
		/* The manual has G before bits 31:17. */
		SET("ES", "G does", seg[X86_ES].rights, 0x4093 | BIT(31)),
		SET("TR access rights", "(11:8)", seg[VMCS_TR].rights, 0x18b),
		SET("TR access rights", "(31:17)", seg[VMCS_TR].rights,
		    TSS32 | BIT(17)),
		SET("LDTR access rights", "(11:8)", seg[VMCS_LDTR].rights,
		    0x882),
		SET("LDTR access rights", "(31:17)", seg[VMCS_LDTR].rights,
		    0x82 | BIT(31)),
		SET("LDTR access rights", "G does", seg[VMCS_LDTR].rights,
		    0x8082),
		SET("FS", "G does", seg[X86_FS].rights, 0x4093),
		SET("FS", "G does", seg[X86_FS].limit, 0xfffff000),
		SET("TR access rights", "busy", seg[VMCS_TR].rights, 0x89),
		SET("TR access rights", "S is 1", seg[VMCS_TR].rights, 0x9b),
		SET("TR access rights", "P is 0", seg[VMCS_TR].rights, 0x0b),
		SET("TR access rights", "G does", seg[VMCS_TR].rights, 0x808b),
		SET("TR access rights", "unusable", seg[VMCS_TR].rights,
		    TSS32 | UNUSABLE),
		SET("LDTR access rights", "LDT", seg[VMCS_LDTR].rights, 0x83),
		SET("LDTR access rights", "P is 0", seg[VMCS_LDTR].rights, 2),
	};

	(void)state;
	check_changes(good, changes, ARRAY_SIZE(changes));
}

static void test_state(void **state)
{
	static const struct change changes[] = {
		SET("RIP", "63:32", rip, BIT(32)),
		SET("RFLAGS", "reserved", rflags, 0),
		SET("RFLAGS", "reserved", rflags, RFLAGS | BIT(15)),
		SET("RFLAGS", "injected", event, INTERRUPTION_VALID | 0x20),
		SET("activity state", "not one", activity, 4),
		SET("interruptibility state", "reserved", interruptibility,
		    BIT(5)),
		SET("interruptibility state", "MOV SS", interruptibility, 3),
		SET("interruptibility state", "IF is 0", interruptibility, 1),
		SET("interruptibility state", "SMI", interruptibility, 4),
		SET("pending debug exceptions", "reserved", pending_debug,
		    BIT(5)),
		SET("VMCS link pointer", "not", link_pointer, 0),
	};

	(void)state;
	check_changes(good, changes, ARRAY_SIZE(changes));
}

static void test_long(void **state)
{
	static const struct change changes[] = {
		SET("CR0", "FIXED", cr0, CR0_VMX | X86_CR0_PE),
		SET("CR0", "IA-32e", cr4, CR4_VMXE_ON),
		SET("IA32_EFER", "entry control", efer, X86_EFER_LME),
		SET("IA32_EFER", "LME", efer, X86_EFER_LMA),
		SET("CS access rights", "D/B", seg[X86_CS].rights, 0xe09b),
		SET("TR access rights", "busy", seg[VMCS_TR].rights, 0x83),
		SET("RFLAGS", "VM", rflags, RFLAGS | X86_FLAG_VM),
		SET("RIP", "canonical", rip, BIT(63)),
		SET("RIP", "63:32", seg[X86_CS].rights, FLAT_CODE),
	};

	(void)state;
	/* With VM set the segments are wrong first: look past them. */
	check_changes(good_long, changes, 6);
	check_changes(good_long, changes + 7, 2);
}

static void test_v86(void **state)
{
	static const struct change changes[] = {
		SET("ES", "selector * 16", seg[X86_ES].base, 0x10010),
		SET("GS", "selector * 16", seg[X86_GS].base, 0),
		SET("SS", "ffff", seg[X86_SS].limit, 0xffffffff),
		SET("CS", "f3", seg[X86_CS].rights, 0x9b),
	};

	(void)state;
	check_changes(good_v86, changes, ARRAY_SIZE(changes));
}

static void test_real(void **state)
{
	static const struct change changes[] = {
		SET("CR0", "without PE", cr0, CR0_VMX | X86_CR0_PG),
		SET("SS access rights", "not 0", seg[X86_SS].rights, 0xf3),
		SET("RFLAGS", "VM", rflags, RFLAGS),
	};

	(void)state;
	/* Only CS's DPL goes with SS's, which is looked at first. */
	check_changes(good_real, changes, 1);
	{
		struct vmx_guest g = good_real();

		g.seg[X86_SS].rights = 0xf3;
		g.seg[X86_CS].rights = 0xfb;
		expect_rule(&g, "SS access rights", "not 0");
		/* A data segment in CS, and one of 4 GiB: both are fine. */
		g = good_real();
		g.seg[X86_CS].rights = REAL_DATA;
		g.seg[X86_DS].limit = 0xffffffff;
		g.seg[X86_DS].rights = 0x8093;
		assert_null(vmx_guest_check(&g));
	}
}
/* clang-format on */

static void test_pdptes(void **state)
{
	struct vmx_guest g = good();

	(void)state;
	g.pdpte[2] = 0x1001 | BIT(6);
	assert_null(vmx_guest_check(&g));
	g.cr4 |= X86_CR4_PAE;
	expect_rule(&g, "PDPTE2", "reserved");
	g.pdpte[2] &= ~1ULL; /* not present: nothing else counts */
	assert_null(vmx_guest_check(&g));
	g.pdpte[3] = BIT(40) | 1;
	expect_rule(&g, "PDPTE3", "reserved");
}

static void test_shadows(void **state)
{
	struct vmx_guest g = good();

	(void)state;
	g.rflags |= X86_FLAG_IF;
	g.interruptibility = BLOCKED_BY_STI;
	assert_null(vmx_guest_check(&g));
	g.event = INTERRUPTION_VALID | 0x20;
	expect_rule(&g, "interruptibility state", "where blocked");
	g.event = 0;
	g.rflags |= X86_FLAG_TF;
	expect_rule(&g, "pending debug exceptions", "TF");
	g.pending_debug = PENDING_DEBUG_BS;
	assert_null(vmx_guest_check(&g));
	g.activity = 1;
	expect_rule(&g, "activity state", "not active");
	g = good();
	g.interruptibility = BLOCKED_BY_NMI;
	assert_null(vmx_guest_check(&g));
	g.event = (uint32_t)(INTERRUPTION_VALID |
			     FIELD_PUT(INTERRUPTION_TYPE, TYPE_NMI) | 2);
	expect_rule(&g, "interruptibility state", "NMIs are blocked");
	/* Blocking by SMI stands between the two in the manual. */
	g.interruptibility |= BLOCKED_BY_SMI;
	expect_rule(&g, "interruptibility state", "SMI");
	g.interruptibility |= BLOCKED_BY_MOVSS;
	expect_rule(&g, "interruptibility state", "MOV SS");
}

static uint32_t event_of(unsigned type, unsigned vector)
{
	return (uint32_t)(INTERRUPTION_VALID |
			  FIELD_PUT(INTERRUPTION_TYPE, type) | vector);
}

/* States other than active: where there are such, and what they let through. */
static void test_activity(void **state)
{
	const struct {
		uint32_t activity, event;
		bool is_good;
	} rows[] = {
		{ 1, 0, true },
		{ 1, event_of(TYPE_EXTERNAL, 0x20), true },
		{ 1, event_of(TYPE_NMI, 2), true },
		{ 1, event_of(TYPE_EXCEPTION, X86_VECTOR_DB), true },
		{ 1, event_of(TYPE_EXCEPTION, X86_VECTOR_MC), true },
		{ 1, event_of(TYPE_EXCEPTION, X86_VECTOR_UD), false },
		{ 1, event_of(TYPE_SOFTWARE, 0x80), false },
		{ 2, 0, true },
		{ 2, event_of(TYPE_NMI, 2), true },
		{ 2, event_of(TYPE_EXCEPTION, X86_VECTOR_MC), true },
		{ 2, event_of(TYPE_EXCEPTION, X86_VECTOR_DB), false },
		{ 2, event_of(TYPE_EXTERNAL, 0x20), false },
		{ 3, 0, true },
		{ 3, event_of(TYPE_NMI, 2), false },
	};
	struct vmx_guest g = good();

	(void)state;
	g.rflags |= X86_FLAG_IF;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		g.activity = rows[i].activity;
		g.event = rows[i].event;
		if (!rows[i].is_good)
			expect_rule(&g, "activity state", "such event");
		else if (vmx_guest_check(&g))
			fail_msg("row %u: %s", i, vmx_guest_check(&g)->text);
	}
	g.event = 0;
	for (unsigned i = 1; i <= 3; i++) {
		g.activity = i;
		g.activities = (uint8_t) ~(1u << (i - 1)) & 7;
		expect_rule(&g, "activity state", "not one");
	}
	g.activity = 1;
	g.activities = 7;
	g.seg[X86_SS] = g.seg[X86_DS];
	g.seg[X86_SS].selector = g.seg[X86_CS].selector = 3;
	g.seg[X86_SS].rights |= 3 << 5;
	g.seg[X86_CS].rights |= 3 << 5;
	expect_rule(&g, "activity state", "SS.DPL");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_states),
		cmocka_unit_test(test_restricted),
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_v86),
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_pdptes),
		cmocka_unit_test(test_shadows),
		cmocka_unit_test(test_activity),
	};

	return cmocka_run_group_tests_name("vmx_check", tests, NULL, NULL);
}
