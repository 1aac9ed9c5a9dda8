/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest state in and out of the VMCB by groups, with what a machine may put
 * there; MSRs in the VMCB; debug registers; the MSR permission map.
 */
#include "tests/unit/svm_test.h"

#define GROUPS_ALL                                                   \
	(X86_GROUP_SEGMENTS | X86_GROUP_TABLES | X86_GROUP_CONTROL | \
	 X86_GROUP_DEBUG | X86_GROUP_SYSCALL)

static void store(uint32_t groups)
{
	svm_vendor.state_store(&vcpu, groups);
}

static void load(uint32_t groups)
{
	svm_vendor.state_load(&vcpu, groups);
}

static struct vmcb *run_on(void)
{
	(void)run(guest_cpuid);
	return &entered;
}

/* ---- By groups ----------------------------------------------------------- */

static struct x86_segment segment_of(unsigned n)
{
	return (struct x86_segment){
		.selector = (uint16_t)(0x1000 + n),
		.attributes = (uint16_t)(0x800 + n),
		.limit = 0x10000 + n,
		.base = 0xffff800000000000 + n,
	};
}

/* A value of its own in each field, which the guest may have. */
static void state_fill(struct x86_state *s)
{
	struct x86_segment *tables = &s->ldtr;

	for (unsigned i = 0; i < X86_SEG_COUNT; i++)
		s->seg[i] = segment_of(i);
	for (unsigned i = 0; i < 4; i++)
		tables[i] = segment_of(0x20 + i);
	s->cpl = 2;
	s->interrupt_shadow = X86_SHADOW_STI;
	s->cr0 = 0x80000011;
	s->cr2 = 0x1111222233334444;
	s->cr3 = 0x5555000;
	s->cr4 = 0x6f0;
	s->cr8 = 9;
	s->efer = 0xd01;
	for (unsigned i = 0; i < 4; i++)
		s->dr[i] = 0xd0 + i;
	s->dr6 = 0xffff0ff1;
	s->dr7 = 0x455;
	s->star = 0x51;
	s->lstar = 0x52;
	s->cstar = 0x53;
	s->sfmask = 0x54;
	s->kernel_gs_base = 0x55;
	s->sysenter_cs = 0x56;
	s->sysenter_esp = 0x57;
	s->sysenter_eip = 0x58;
}

/* Where a group lies; DEBUG's, CONTROL's and SEGMENTS' ends included. */
static const struct {
	uint32_t group;
	size_t from, to;
} areas[] = {
	{ X86_GROUP_SEGMENTS, offsetof(struct x86_state, seg),
	  offsetof(struct x86_state, ldtr) },
	{ X86_GROUP_SEGMENTS, offsetof(struct x86_state, cpl),
	  offsetof(struct x86_state, nmi_open) },
	{ X86_GROUP_TABLES, offsetof(struct x86_state, ldtr),
	  offsetof(struct x86_state, cr0) },
	{ X86_GROUP_CONTROL, offsetof(struct x86_state, cr0),
	  offsetof(struct x86_state, xcr0) },
	{ X86_GROUP_DEBUG, offsetof(struct x86_state, dr),
	  offsetof(struct x86_state, star) },
	{ X86_GROUP_SYSCALL, offsetof(struct x86_state, star),
	  offsetof(struct x86_state, pdpte) },
};

static bool area_equals(unsigned i, const struct x86_state *a,
			const struct x86_state *b)
{
	return !memcmp((const char *)a + areas[i].from,
		       (const char *)b + areas[i].from,
		       areas[i].to - areas[i].from);
}

/* Each group comes back as it went, and nothing else with it. */
static void test_groups(void **unused)
{
	struct x86_state filled, blank;

	(void)unused;
	state_fill(&page.state);
	page.state.dirty = GROUPS_ALL;
	store(GROUPS_ALL);
	assert_int_equal(page.state.dirty, 0);
	filled = page.state;
	memset(&blank, 0xee, sizeof(blank));
	for (unsigned group = 2; group <= X86_GROUP_SYSCALL; group <<= 1) {
		page.state = blank;
		page.state.valid = X86_GROUP_GPR_RIP;
		load(group);
		assert_int_equal(page.state.valid, X86_GROUP_GPR_RIP | group);
		for (unsigned i = 0; i < ARRAY_SIZE(areas); i++)
			assert_true(area_equals(
				i, &page.state,
				areas[i].group == group ? &filled : &blank));
	}
}

/* Only the groups asked for go in; the others stay the guest's. */
static void test_store_is_by_group(void **unused)
{
	struct x86_state filled;

	(void)unused;
	state_fill(&page.state);
	store(GROUPS_ALL);
	filled = page.state;
	for (unsigned group = 2; group <= X86_GROUP_SYSCALL; group <<= 1) {
		memset(&page.state, 0, sizeof(page.state));
		page.state.dirty = GROUPS_ALL;
		store(group);
		assert_int_equal(page.state.dirty, GROUPS_ALL & ~group);
		load(GROUPS_ALL & ~group);
		for (unsigned i = 0; i < ARRAY_SIZE(areas); i++)
			if (areas[i].group != group)
				assert_true(
					area_equals(i, &page.state, &filled));
		page.state = filled;
		store(group);
	}
}

static void test_fetch(void **unused)
{
	struct x86_state blank;

	(void)unused;
	state_fill(&page.state);
	store(GROUPS_ALL);
	memset(&blank, 0xee, sizeof(blank));
	page.state = blank;
	page.state.valid = 0;
	load(X86_GROUP_FETCH);
	assert_int_equal(page.state.valid, X86_GROUP_FETCH);
	assert_int_equal(page.state.seg[X86_CS].selector, 0x1001);
	assert_int_equal(page.state.cpl, 2);
	assert_int_equal(page.state.cr0, 0x80000011);
	assert_int_equal(page.state.cr3, 0x5555000);
	assert_int_equal(page.state.cr4, 0x6f0);
	assert_int_equal(page.state.efer, 0xd01);
	assert_int_equal(page.state.seg[X86_SS].base, blank.seg[X86_SS].base);
}

/* The same for an operand of 64-bit code; of other code all that it needs. */
static void test_operand(void **unused)
{
	(void)unused;
	state_fill(&page.state);
	page.state.seg[X86_CS].attributes |= X86_ATTR_L;
	page.state.interrupt_shadow = 0;
	store(GROUPS_ALL);
	memset(&page.state, 0xee, sizeof(page.state));
	page.state.valid = 0;
	load(X86_GROUPS_OPERAND);
	assert_int_equal(page.state.valid, X86_GROUP_FETCH);
	assert_int_equal(page.state.cr3, 0x5555000);
	load(X86_GROUP_SEGMENTS);
	page.state.interrupt_shadow = X86_SHADOW_STI;
	store(X86_GROUP_SEGMENTS);
	page.state.valid = 0;
	load(X86_GROUPS_OPERAND);
	assert_int_equal(page.state.valid, X86_GROUPS_OPERAND);
	assert_int_equal(page.state.interrupt_shadow, X86_SHADOW_STI);
	state_fill(&page.state);
	page.state.seg[X86_CS].attributes &= (uint16_t)~X86_ATTR_L;
	store(GROUPS_ALL);
	memset(&page.state, 0xee, sizeof(page.state));
	page.state.valid = 0;
	load(X86_GROUPS_OPERAND);
	assert_int_equal(page.state.valid, X86_GROUPS_OPERAND);
	assert_int_equal(page.state.seg[X86_SS].selector, 0x1002);
	assert_int_equal(page.state.cr3, 0x5555000);
}

/* ---- What a machine may put there ---------------------------------------- */

static void test_garbage(void **unused)
{
	const struct vmcb *v;

	(void)unused;
	memset(&page.state, 0xff, sizeof(page.state));
	store(GROUPS_ALL);
	v = run_on();
	for (unsigned i = 0; i < X86_SEG_COUNT; i++)
		assert_int_equal(v->seg[i].attributes, 0xfff);
	assert_int_equal(v->ldtr.attributes, 0xfff);
	assert_int_equal(v->tr.attributes, 0xfff);
	assert_int_equal(v->gdtr.attributes, 0xfff);
	assert_int_equal(v->idtr.attributes, 0xfff);
	assert_int_equal(v->cpl, 3);
	assert_int_equal(v->int_state, 1);
	assert_int_equal(v->cr0 >> 32, 0);
	assert_int_equal(v->cr4, vm.guest_cr4_mask);
	/* SCE, LME, LMA, NXE, FFXSR, and SVME, without which VMRUN fails. */
	assert_int_equal(v->efer, 0x5d01);
	assert_int_equal(v->dr6, 0xffffffff);
	assert_int_equal(v->dr7, 0xffffffff);
	assert_int_equal(v->rflags, 0x3f7fd7);
	assert_int_equal(v->int_ctl & 0xff, 15);
}

static void test_nothing(void **unused)
{
	const struct vmcb *v;

	(void)unused;
	vcpu.tpr = 0x37;
	memset(&page.state, 0, sizeof(page.state));
	store(GROUPS_ALL);
	v = run_on();
	assert_int_equal(v->cr0, X86_CR0_ET);
	assert_int_equal(v->cr4, 0);
	assert_int_equal(v->efer, EFER_SVME);
	assert_int_equal(v->dr6, 0xffff0ff0);
	assert_int_equal(v->dr7, 0x400);
	assert_int_equal(v->rflags, X86_FLAG_ONE);
	assert_int_equal(v->int_state, 0);
	assert_int_equal(vcpu.tpr, 0);
}

/* The guest sees neither SVME nor what is wrong with the TPR's other half. */
static void test_seen_by_guest(void **unused)
{
	(void)unused;
	store(X86_GROUP_CONTROL);
	vcpu.tpr = 0x37;
	load(X86_GROUP_CONTROL);
	assert_int_equal(page.state.efer, 0);
	assert_int_equal(page.state.cr8, 3);
	/* Stored as it was, it changes nothing. */
	store(X86_GROUP_CONTROL);
	assert_int_equal(vcpu.tpr, 0x37);
	page.state.cr8 = 4;
	store(X86_GROUP_CONTROL);
	assert_int_equal(vcpu.tpr, 0x40);
}

static void guest_nothing(struct vmcb *v)
{
	v->exit_code = EXIT_CODE_CPUID;
	v->clean = 0;
}

/* What went in is not taken for clean, nor is anything else looked at. */
static void test_clean_bits(void **unused)
{
	static const struct {
		uint32_t group;
		uint32_t changed;
	} cases[] = {
		{ X86_GROUP_SEGMENTS, 0x100 },
		{ X86_GROUP_CONTROL, 0x220 }, /* CRx, CR2 */
		{ X86_GROUP_TABLES, 0x080 },
		{ X86_GROUP_DEBUG, 0x040 },
		{ X86_GROUP_SYSCALL, 0 },
	};

	(void)unused;
	(void)run_on();
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		store(cases[i].group);
		(void)run(guest_nothing);
		/* The TPR is written at each entry. */
		assert_int_equal(entered.clean,
				 0x7ff & ~0x8 & ~cases[i].changed);
		(void)run(guest_nothing);
		assert_int_equal(entered.clean, 0x7ff & ~0x8);
	}
}

static void test_control_flushes(void **unused)
{
	(void)unused;
	(void)run_on();
	assert_int_equal(run_on()->tlb_control, TLB_KEEP);
	store(X86_GROUP_CONTROL);
	assert_int_equal(run_on()->tlb_control, TLB_FLUSH_ASID);
	assert_int_equal(run_on()->tlb_control, TLB_KEEP);
	svm_features.has_flush_asid = false;
	store(X86_GROUP_CONTROL);
	assert_int_equal(run_on()->tlb_control, TLB_FLUSH_ALL);
	store(X86_GROUP_SEGMENTS | X86_GROUP_TABLES | X86_GROUP_DEBUG |
	      X86_GROUP_SYSCALL);
	assert_int_equal(run_on()->tlb_control, TLB_KEEP);
}

/* Bochs leaves it in the register, for every vCPU that comes. */
static void test_cr2(void **unused)
{
	(void)unused;
	page.state.cr2 = 0x1234;
	store(X86_GROUP_CONTROL);
	assert_int_equal(fake_x86.cr[2], 0x1234);
	(void)run_on();
	svm_vendor.switch_out(&vcpu);
	fake_x86.cr[2] = 0xbad;
	(void)run_on();
	assert_int_equal(fake_x86.cr[2], 0x1234);
}

/* ---- MSRs ---------------------------------------------------------------- */

/* PAT goes in with the control registers, and is told apart from them. */
static void test_pat(void **unused)
{
	(void)unused;
	vcpu.pat = 0x0007040600070406;
	store(X86_GROUP_CONTROL);
	assert_int_equal(run_on()->pat, 0x0007040600070406);
	assert_int_equal(entered.clean & 0x10, 0);
	store(X86_GROUP_CONTROL);
	assert_int_equal(run_on()->clean & 0x10, 0x10);
	vcpu.pat = 0x0606060606060606;
	store(X86_GROUP_CONTROL);
	assert_int_equal(run_on()->pat, 0x0606060606060606);
	assert_int_equal(entered.clean & 0x10, 0);
}

/* Two bits each; a bit that is clear lets the guest at the host's MSR. */
static unsigned msrpm_bits(const uint8_t *map, uint32_t msr)
{
	uint32_t index = msr & 0x1fff;
	unsigned range = msr < 0x2000 ? 0 : msr < 0xc0010000 ? 1 : 2;

	return map[range * 0x800 + index / 4] >> (index % 4 * 2) & 3;
}

static bool is_open(uint32_t msr)
{
	static const uint32_t open[] = { 0x174,	     0x175,	 0x176,
					 0xc0000081, 0xc0000082, 0xc0000083,
					 0xc0000084, 0xc0000100, 0xc0000101,
					 0xc0000102 };

	for (unsigned i = 0; i < ARRAY_SIZE(open); i++)
		if (open[i] == msr)
			return true;
	return false;
}

static void test_msrpm(void **unused)
{
	static const uint32_t first[] = { 0, 0xc0000000, 0xc0010000 };
	const uint8_t *map = phys_to_virt(run_on()->msrpm_hpa);

	(void)unused;
	for (unsigned r = 0; r < 3; r++)
		for (uint32_t i = 0; i < 0x2000; i++)
			assert_int_equal(msrpm_bits(map, first[r] + i),
					 is_open(first[r] + i) ? 0 : 3);
	for (unsigned i = 0x1800; i < 0x2000; i++)
		assert_int_equal(map[i], 0xff);
}

/* ---- Long mode that is not on yet, on QEMU ------------------------------- */

struct lme_case {
	uint64_t cr0, cr4, efer; /* the guest's */
	uint64_t in_vmcb;	 /* EFER */
	uint32_t cr4_exits, cr0_exits;
};

#define PG	   0x80000001
#define CR4_WRITE  0x100000
#define CR0_CHANGE 0x20

/* clang-format off */
static const struct lme_case lme_cases[] = {
	{ 0x1, 0x00, 0x000, 0x1000, 0, 0 },
	{ PG,  0x00, 0x801, 0x1801, 0, 0 },
	{ 0x1, 0x00, 0x100, 0x1000, CR4_WRITE, CR0_CHANGE },
	{ 0x1, 0x00, 0xd01, 0x1801, CR4_WRITE, CR0_CHANGE },
	{ 0x1, 0x20, 0x100, 0x1100, CR4_WRITE, CR0_CHANGE },
	{ PG,  0x20, 0x500, 0x1500, 0, CR0_CHANGE },
	{ PG,  0x00, 0x100, 0x1100, 0, CR0_CHANGE },
	{ 0x1, 0x20, 0x000, 0x1000, 0, 0 },
};
/* clang-format on */

static void check_lme(const struct lme_case *c, uint64_t seen)
{
	assert_int_equal(entered.efer, c->in_vmcb);
	assert_int_equal(entered.intercept_cr & CR4_WRITE, c->cr4_exits);
	assert_int_equal(entered.intercept & CR0_CHANGE, c->cr0_exits);
	assert_int_equal(entered.clean & 1, 0);
	load(X86_GROUP_CONTROL);
	assert_int_equal(page.state.efer, seen);
}

static void test_lme(void **unused)
{
	(void)unused;
	svm_features.is_tcg = true;
	(void)run_on();
	for (unsigned i = 0; i < ARRAY_SIZE(lme_cases); i++) {
		const struct lme_case *c = &lme_cases[i];
		/* LMA is not to be had without paging. */
		uint64_t seen = c->efer & (c->in_vmcb | X86_EFER_LME);

		page.state.cr0 = c->cr0;
		page.state.cr4 = c->cr4;
		page.state.efer = c->efer;
		store(X86_GROUP_CONTROL);
		(void)run_on();
		check_lme(c, seen);
	}
}

static void test_lme_elsewhere(void **unused)
{
	(void)unused;
	page.state.cr0 = 1;
	page.state.efer = 0x100;
	store(X86_GROUP_CONTROL);
	assert_int_equal(run_on()->efer, 0x1100);
	assert_int_equal(entered.intercept_cr, 0);
	assert_int_equal(entered.intercept & CR0_CHANGE, 0);
}

/* ---- Debug registers ----------------------------------------------------- */

static void guest_dr(struct vmcb *v)
{
	v->exit_code = 0x27;
}

/* All accesses exit; the processor has them while one is enabled. */
static void test_dr_with_breakpoints(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < 4; i++) {
		fake_x86.dr[i] = 0xbad;
		page.state.dr[i] = 0x40 + i;
	}
	page.state.dr7 = 0x400;
	store(X86_GROUP_DEBUG);
	assert_int_equal(run_on()->intercept_dr, 0xffffffff);
	assert_int_equal(run(guest_dr).reason, EXIT_DR);
	assert_int_equal(fake_x86.dr[0], 0xbad);
	page.state.dr7 = 0x408;
	store(X86_GROUP_DEBUG);
	assert_int_equal(run_on()->intercept_dr, 0xffffffff);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(fake_x86.dr[i], 0x40 + i);
	assert_int_equal(entered.dr7, 0x408);
	load(X86_GROUP_DEBUG);
	assert_int_equal(page.state.dr[3], 0x43);
	/* And again after another vCPU's turn. */
	svm_vendor.switch_out(&vcpu);
	memset(fake_x86.dr, 0xbb, sizeof(fake_x86.dr));
	(void)run_on();
	assert_int_equal(fake_x86.dr[2], 0x42);
	page.state.dr7 = 0x400;
	store(X86_GROUP_DEBUG);
	svm_vendor.switch_out(&vcpu);
	memset(fake_x86.dr, 0xbb, sizeof(fake_x86.dr));
	(void)run_on();
	assert_int_equal(fake_x86.dr[2] & 0xff, 0xbb);
}

static void guest_db(struct vmcb *v)
{
	v->exit_code = 0x41;
}

/* #DB's handler finds general detection off. */
static void test_db_clears_gd(void **unused)
{
	(void)unused;
	page.state.dr7 = 0x2408;
	store(X86_GROUP_DEBUG);
	assert_int_equal(run(guest_db).vector, X86_VECTOR_DB);
	load(X86_GROUP_DEBUG);
	assert_int_equal(page.state.dr7, 0x408);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_groups),	  TEST(test_store_is_by_group),
		TEST(test_fetch),	  TEST(test_garbage),
		TEST(test_nothing),	  TEST(test_seen_by_guest),
		TEST(test_clean_bits),	  TEST(test_control_flushes),
		TEST(test_cr2),		  TEST(test_pat),
		TEST(test_msrpm),	  TEST(test_lme),
		TEST(test_lme_elsewhere), TEST(test_dr_with_breakpoints),
		TEST(test_db_clears_gd),  TEST(test_operand),
	};

	return cmocka_run_group_tests_name("svm_state", tests, NULL, NULL);
}
