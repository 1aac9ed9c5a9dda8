/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control negotiation against the capability MSRs of processors, as Bochs 2.7
 * has them, and against such that lack something.
 */
#include "tests/unit/vmx_test.h"

#define BASIC	   0x00d810000000002b
#define BASIC_ICE  0x00d8100000000004
#define PIN	   0x0000007f00000016
#define PROC	   0xf7f9fffe04006172
#define PROC_ICE   0xfff9fffe04006172 /* and the monitor trap flag */
#define EXIT	   0x007fffff00036dfb
#define ENTRY	   0x0000ffff000011fb
#define EPT	   0x00000f0106114141 /* 2M pages, INVEPT, INVVPID */
#define EPT_AD	   0x00000f0106334141 /* and 1G pages, A and D bits */
#define MISC	   0x000401e0	      /* preemption timer: every TSC tick */
#define FIXED0	   0x80000021
#define FIXED1	   0xffffffff
#define CR4_FIXED0 0x2000

/* What is to be negotiated of a model's capabilities. */
#define HAS_UNRESTRICTED BIT(0)
#define HAS_INVPCID	 BIT(1)
#define HAS_PAUSE_LOOP	 BIT(2)
#define HAS_EPT_AD	 BIT(3)
#define HAS_TIMER	 BIT(4)
#define HAS_APIC_ACCESS	 BIT(5)
#define HAS_APIC_REG	 BIT(6)
#define HAS_EARLY	 (HAS_TIMER | HAS_APIC_ACCESS)
/* From Haswell on. */
#define HAS_ALL                                                         \
	(HAS_UNRESTRICTED | HAS_INVPCID | HAS_PAUSE_LOOP | HAS_EPT_AD | \
	 HAS_APIC_REG | HAS_EARLY)

struct model {
	const char *name;
	struct vmx_caps caps;
	unsigned has; /* HAS_* */
};

/* Read from each model by the monitor: `log-level = "debug"` shows them. */
/* clang-format off */
static const struct model models[] = {
	{ "corei5_lynnfield_750",
	  { BASIC, { PIN, PROC, 0x7f00000000, EXIT, ENTRY }, EPT, MISC,
	    FIXED0, FIXED1, CR4_FIXED0, 0x67ff }, HAS_EARLY },
	{ "corei5_arrandale_m520",
	  { BASIC, { PIN, PROC, 0xff00000000, EXIT, ENTRY }, EPT, MISC,
	    FIXED0, FIXED1, CR4_FIXED0, 0x67ff }, HAS_UNRESTRICTED | HAS_EARLY },
	{ "corei7_sandy_bridge_2600k",
	  { BASIC, { PIN, PROC, 0xff00000000, EXIT, ENTRY }, EPT, MISC,
	    FIXED0, FIXED1, CR4_FIXED0, 0x627ff }, HAS_UNRESTRICTED | HAS_EARLY },
	{ "corei7_ivy_bridge_3770k",
	  { BASIC, { PIN, PROC, 0x8ff00000000, EXIT, ENTRY }, EPT, MISC,
	    FIXED0, FIXED1, CR4_FIXED0, 0x1727ff }, HAS_UNRESTRICTED | HAS_EARLY },
	{ "corei7_haswell_4770",
	  { BASIC, { PIN, PROC, 0x47fff00000000, EXIT, ENTRY }, EPT_AD,
	    0x20000000 | MISC, FIXED0, FIXED1, CR4_FIXED0, 0x1727ff },
	  HAS_ALL },
	{ "broadwell_ult",
	  { BASIC, { PIN, PROC, 0x57fff00000000, EXIT, ENTRY }, EPT_AD,
	    0x20000000 | MISC, FIXED0, FIXED1, CR4_FIXED0, 0x3727ff },
	  HAS_ALL },
	{ "corei7_skylake_x",
	  { BASIC, { PIN, PROC, 0x2177fff00000000, EXIT, ENTRY }, EPT_AD,
	    0x60000000 | MISC, FIXED0, FIXED1, CR4_FIXED0, 0x3727ff },
	  HAS_ALL },
	{ "corei7_icelake_u",
	  { BASIC_ICE, { PIN, PROC_ICE, 0x2977fff00000000, EXIT, ENTRY },
	    EPT_AD, 0x60000000 | MISC, FIXED0, FIXED1, CR4_FIXED0, 0x772fff },
	  HAS_ALL },
	{ "tigerlake", /* with CET */
	  { BIT(56) | BASIC_ICE,
	    { PIN, PROC_ICE, 0x2977fff00000000, 0x107fffff00036dfb,
	      0x0010ffff000011fb }, 0x00000f0106b34141,
	    0x60000000 | MISC, FIXED0, FIXED1, CR4_FIXED0, 0xf72fff },
	  HAS_ALL },
};
#define HASWELL 4

static const struct vmx_caps penryn = {
	BASIC,
	{ 0x3f00000016, PROC, 0x4100000000, 0x3ffff00036dfb, 0x3fff000011fb },
	0, MISC, FIXED0, FIXED1, CR4_FIXED0, 0x467ff,
};
/* clang-format on */

static int negotiate(const struct vmx_caps *caps, struct vmx_controls *c)
{
	const char *why = NULL;
	int error = vmx_controls_negotiate(caps, c, &why);

	/* Whoever refuses says why. */
	assert_int_equal(error ? why != NULL : why == NULL, 1);
	return error;
}

/* What the controls say as a set of HAS_*. */
static unsigned features_of(const struct vmx_controls *c)
{
	unsigned has = 0;

	if (c->has_unrestricted)
		has |= HAS_UNRESTRICTED;
	if (c->word[WORD_PROC2] & PROC2_INVPCID)
		has |= HAS_INVPCID;
	if (c->has_pause_loop)
		has |= HAS_PAUSE_LOOP;
	if (c->has_ept_ad)
		has |= HAS_EPT_AD;
	if (c->has_timer)
		has |= HAS_TIMER;
	if (c->has_apic_accesses)
		has |= HAS_APIC_ACCESS;
	if (c->has_apic_registers)
		has |= HAS_APIC_REG;
	return has;
}

/* What the processor forces is set, and nothing that it does not allow. */
static void expect_allowed(const struct model *m, const struct vmx_controls *c)
{
	for (unsigned w = 0; w < WORD_COUNT; w++) {
		uint32_t must = (uint32_t)m->caps.word[w];
		uint32_t may = (uint32_t)(m->caps.word[w] >> 32);

		if ((c->word[w] & must) != must || c->word[w] & ~may)
			fail_msg("%s: word %u is %x", m->name, w, c->word[w]);
	}
}

static void test_models(void **unused)
{
	const uint32_t off = PROC_CR3_LOAD_EXITING | PROC_CR3_STORE_EXITING |
			     PROC_CR8_LOAD_EXITING | PROC_CR8_STORE_EXITING |
			     PROC_INVLPG_EXITING | PROC_RDTSC_EXITING |
			     PROC_INTERRUPT_WINDOW | PROC_NMI_WINDOW |
			     PROC_PAUSE_EXITING | PROC_MONITOR_TRAP;

	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(models); i++) {
		const struct model *m = &models[i];
		struct vmx_controls c;

		if (negotiate(&m->caps, &c))
			fail_msg("%s is refused", m->name);
		if (features_of(&c) != m->has)
			fail_msg("%s: features %x, not %x", m->name,
				 features_of(&c), m->has);
		assert_true(c.has_vpid && c.has_tpr_shadow && c.has_efer);
		assert_true(c.has_pat && c.has_invept_context);
		expect_allowed(m, &c);
		assert_int_equal(c.word[WORD_PROC] & off, 0);
		assert_int_equal(c.word[WORD_ENTRY] & ENTRY_IA32E_GUEST, 0);
		/* Only for VMs whose vCPUs share a CPU. */
		assert_int_equal(c.word[WORD_PROC2] & PROC2_PAUSE_LOOP, 0);
		/* Only while a guest's APIC is on. */
		assert_int_equal(c.word[WORD_PROC2] & PROC2_APIC_REGISTERS, 0);
		assert_int_equal(c.timer_shift, 0);
	}
}

static void refused(struct vmx_caps caps, const char *word)
{
	struct vmx_controls c;
	const char *why = "";

	assert_int_equal(vmx_controls_negotiate(&caps, &c, &why), -ENODEV);
	if (!strstr(why, word))
		fail_msg("'%s' does not say '%s'", why, word);
}

static void test_refusals(void **unused)
{
	struct vmx_caps caps = models[0].caps;

	(void)unused;
	refused(penryn, "EPT");
	caps.word[WORD_PROC] &= ~((uint64_t)PROC_SECONDARY << 32);
	refused(caps, "secondary");
	caps = models[0].caps;
	caps.word[WORD_PROC] |= PROC_CR3_LOAD_EXITING;
	refused(caps, "cannot turn off CR3-load");
	caps = models[0].caps;
	caps.word[WORD_PIN] &= ~((uint64_t)PIN_VIRTUAL_NMIS << 32);
	refused(caps, "virtual NMIs");
	caps = models[0].caps;
	caps.word[WORD_PROC] &= ~((uint64_t)PROC_INTERRUPT_WINDOW << 32);
	refused(caps, "interrupt-window");
	caps = models[0].caps;
	caps.ept_vpid &= ~EPT_CAP_2M;
	refused(caps, "2 MiB");
	caps.ept_vpid = models[0].caps.ept_vpid & ~EPT_CAP_INVEPT;
	refused(caps, "INVEPT");
	caps.ept_vpid = models[0].caps.ept_vpid &
			~(EPT_CAP_INVEPT_CONTEXT | EPT_CAP_INVEPT_ALL);
	refused(caps, "whole contexts");
}

/* What is only wanted is done without. */
static void test_without(void **unused)
{
	struct vmx_caps caps = models[HASWELL].caps;
	struct vmx_controls c;

	(void)unused;
	caps.word[WORD_PROC] &= ~((uint64_t)PROC_TPR_SHADOW << 32);
	assert_int_equal(negotiate(&caps, &c), 0);
	assert_false(c.has_tpr_shadow);
	/* Nor is the TPR in its page anywhere then. */
	assert_false(c.has_apic_accesses);
	assert_int_equal(c.word[WORD_PROC2] & PROC2_APIC_ACCESSES, 0);
	assert_int_equal(c.word[WORD_PROC] & (PROC_CR8_LOAD_EXITING |
					      PROC_CR8_STORE_EXITING),
			 PROC_CR8_LOAD_EXITING | PROC_CR8_STORE_EXITING);

	assert_false(c.has_apic_registers);

	caps = models[HASWELL].caps;
	caps.word[WORD_PROC2] &= ~((uint64_t)PROC2_APIC_REGISTERS << 32);
	assert_int_equal(negotiate(&caps, &c), 0);
	assert_true(c.has_apic_accesses);
	assert_false(c.has_apic_registers);

	/* EFER is switched on both ways or not at all. */
	caps = models[HASWELL].caps;
	caps.word[WORD_ENTRY] &= ~((uint64_t)ENTRY_LOAD_EFER << 32);
	assert_int_equal(negotiate(&caps, &c), 0);
	assert_false(c.has_efer);
	assert_int_equal(c.word[WORD_EXIT] & (EXIT_SAVE_EFER | EXIT_LOAD_EFER),
			 0);

	/* All contexts are flushed where one alone cannot be. */
	caps = models[HASWELL].caps;
	caps.ept_vpid &= ~EPT_CAP_INVEPT_CONTEXT;
	assert_int_equal(negotiate(&caps, &c), 0);
	assert_false(c.has_invept_context);

	/* VPIDs that cannot be flushed are not used. */
	caps = models[HASWELL].caps;
	caps.ept_vpid &= ~VPID_CAP_CONTEXT;
	assert_int_equal(negotiate(&caps, &c), 0);
	assert_false(c.has_vpid);
	assert_int_equal(c.word[WORD_PROC2] & PROC2_VPID, 0);
}

/* It is of use only if it goes on from where it was, and knows its rate. */
static void test_timer(void **unused)
{
	struct vmx_caps caps = models[HASWELL].caps;
	struct vmx_controls c;

	(void)unused;
	caps.misc = (caps.misc & ~VMX_MISC_TIMER_SHIFT) | 5;
	assert_int_equal(negotiate(&caps, &c), 0);
	assert_int_equal(c.timer_shift, 5);
	assert_int_equal(c.word[WORD_PIN] & PIN_PREEMPTION_TIMER,
			 PIN_PREEMPTION_TIMER);
	caps.word[WORD_EXIT] &= ~((uint64_t)EXIT_SAVE_TIMER << 32);
	assert_int_equal(negotiate(&caps, &c), 0);
	assert_false(c.has_timer);
	assert_int_equal(c.word[WORD_PIN] & PIN_PREEMPTION_TIMER, 0);
	caps = models[HASWELL].caps;
	caps.word[WORD_PIN] &= ~((uint64_t)PIN_PREEMPTION_TIMER << 32);
	assert_int_equal(negotiate(&caps, &c), 0);
	assert_false(c.has_timer);
	assert_int_equal(c.word[WORD_EXIT] & EXIT_SAVE_TIMER, 0);
}

/* The read-only identity page table rules accessed and dirty bits out. */
static void test_accessed_dirty(void **unused)
{
	struct vmx_caps caps = models[HASWELL].caps;
	struct vmx_controls c;

	(void)unused;
	caps.word[WORD_PROC2] &= ~((uint64_t)PROC2_UNRESTRICTED << 32);
	assert_int_equal(negotiate(&caps, &c), 0);
	assert_false(c.has_ept_ad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_without),
		cmocka_unit_test(test_timer),
		cmocka_unit_test(test_accessed_dirty),
	};

	return cmocka_run_group_tests_name("vmx_controls", tests, NULL, NULL);
}
