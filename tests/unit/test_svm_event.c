/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events into the guest: EVENTINJ, windows by V_IRQ, interrupts by V_IRQ as on
 * QEMU, and events that an exit cut short.
 */
#include "tests/unit/svm_test.h"

static void inject(enum event_kind kind, uint8_t vector)
{
	struct event event = { .kind = kind, .vector = vector };

	svm_vendor.inject(&vcpu, &event);
}

static bool can(enum event_kind kind)
{
	return svm_vendor.can_inject(&vcpu, kind);
}

static void run_on(void)
{
	(void)run(guest_cpuid);
}

static void guest_iret(struct vmcb *v)
{
	v->exit_code = EXIT_CODE_IRET;
}

static void guest_vintr(struct vmcb *v)
{
	v->exit_code = EXIT_CODE_VINTR;
}

static void guest_in_shadow(struct vmcb *v)
{
	guest_cpuid(v);
	v->int_state = 1;
}

/* ---- What can go in ------------------------------------------------------ */

static void test_can_inject(void **unused)
{
	(void)unused;
	for (unsigned bits = 0; bits < 32; bits++) {
		bool has_if = bits & 1, has_shadow = bits & 2,
		     is_masked = bits & 4, is_busy = bits & 8,
		     is_sent = bits & 16;

		page.state.rflags = X86_FLAG_ONE | (has_if ? 0x200 : 0);
		vmcb->int_state = has_shadow;
		vmcb->event_inject = is_busy ? INFO_VALID : 0;
		svm->is_nmi_masked = is_masked;
		svm->is_virq_sent = is_sent;
		assert_int_equal(can(EVENT_INTERRUPT),
				 has_if && !has_shadow && !is_busy && !is_sent);
		assert_int_equal(can(EVENT_NMI),
				 !has_shadow && !is_masked && !is_busy);
		assert_int_equal(can(EVENT_NMI_SECOND), !is_masked);
		assert_int_equal(can(EVENT_EXCEPTION), !is_busy);
	}
}

/* Once each, and gone after the entry. */
static void test_inject(void **unused)
{
	static const struct {
		struct event event;
		uint64_t inject;
	} cases[] = {
		{ { EVENT_INTERRUPT, 0x20, false, 0 }, 0x80000020 },
		{ { EVENT_INTERRUPT, 0xff, false, 7 }, 0x800000ff },
		{ { EVENT_NMI, 2, false, 0 }, 0x80000202 },
		{ { EVENT_EXCEPTION, 6, false, 9 }, 0x80000306 },
		{ { EVENT_EXCEPTION, 14, true, 0xfffffffe },
		  0xfffffffe80000b0e },
		{ { EVENT_EXCEPTION, 17, true, 0 }, 0x80000b11 },
	};

	page.state.rflags |= X86_FLAG_IF;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		svm_vendor.inject(&vcpu, &cases[i].event);
		assert_false(can(EVENT_EXCEPTION));
		run_on();
		assert_int_equal(entered.event_inject, cases[i].inject);
		run_on();
		assert_int_equal(entered.event_inject, 0);
		svm_vendor.events_clear(&vcpu);
	}
	(void)unused;
}

static void test_nmi_until_iret(void **unused)
{
	(void)unused;
	run_on();
	inject(EVENT_NMI, 2);
	run_on();
	assert_int_equal(entered.intercept & WITH_IRET, WITH_IRET);
	assert_int_equal(entered.clean & 1, 0);
	assert_false(can(EVENT_NMI));
	/* Nothing but IRET can end the wait: no window. */
	svm_vendor.open_window(&vcpu, EVENT_NMI, 16);
	run_on();
	assert_int_equal(entered.int_ctl & V_IRQ, 0);
	assert_int_equal(entered.clean & 1, 1);
	assert_int_equal(run(guest_iret).reason, EXIT_EMULATE);
	assert_true(can(EVENT_NMI));
	run_on();
	assert_int_equal(entered.intercept & WITH_IRET, 0);
	assert_int_equal(entered.clean & 1, 0);
}

static void test_end_shadow(void **unused)
{
	(void)unused;
	(void)run(guest_in_shadow);
	page.state.rflags |= X86_FLAG_IF;
	assert_true(vcpu.has_shadow);
	assert_false(can(EVENT_INTERRUPT));
	svm_vendor.end_shadow(&vcpu);
	assert_true(can(EVENT_INTERRUPT));
	run_on();
	assert_int_equal(entered.int_state, 0);
}

/* ---- Windows ------------------------------------------------------------- */

static void assert_window(uint64_t int_ctl)
{
	assert_int_equal(entered.int_ctl, V_INTR_MASKING | V_IRQ | int_ctl);
	assert_int_equal(entered.intercept & WITH_VINTR, WITH_VINTR);
	/* A processor sees by itself that the TPR lets it in. */
	assert_int_equal(entered.intercept_cr,
			 svm_features.is_tcg ? CR8_WRITE : 0);
}

static void assert_no_window(void)
{
	assert_int_equal(entered.int_ctl & V_IRQ, 0);
	assert_int_equal(entered.intercept & WITH_VINTR, 0);
	assert_int_equal(entered.intercept_cr, 0);
}

static void test_window(void **unused)
{
	(void)unused;
	run_on();
	svm_vendor.open_window(&vcpu, EVENT_INTERRUPT, 5);
	run_on();
	assert_window(V_PRIORITY(5));
	assert_int_equal(entered.clean & 1, 0);
	/* Another takes its place, with nothing of it left. */
	svm_vendor.open_window(&vcpu, EVENT_INTERRUPT, 10);
	run_on();
	assert_window(V_PRIORITY(10));
	svm_vendor.open_window(&vcpu, EVENT_INTERRUPT, 16);
	run_on();
	assert_window(V_IGN_TPR);
	svm_vendor.open_window(&vcpu, EVENT_INTERRUPT, 3);
	run_on();
	assert_window(V_PRIORITY(3));
	assert_int_equal(run(guest_vintr).reason, EXIT_INTERRUPT_WINDOW);
	run_on();
	assert_no_window();
	assert_int_equal(entered.clean & 1, 0);
}

/* QEMU takes what equals the TPR's priority: it is asked for one less. */
static void test_window_on_tcg(void **unused)
{
	(void)unused;
	for (unsigned priority = 1; priority <= 16; priority++) {
		svm_vendor.open_window(&vcpu, EVENT_INTERRUPT, priority);
		run_on();
		assert_int_equal(entered.intercept & WITH_VINTR, WITH_VINTR);
		assert_int_equal(entered.int_ctl,
				 V_INTR_MASKING | V_IRQ |
					 (priority == 16
						  ? V_IGN_TPR
						  : V_PRIORITY(priority - 1)));
	}
}

/* What it was for has gone in; one opened after that is for the next. */
static void test_window_closes_by_injection(void **unused)
{
	(void)unused;
	svm_vendor.open_window(&vcpu, EVENT_INTERRUPT, 5);
	inject(EVENT_INTERRUPT, 0x50);
	run_on();
	assert_no_window();
	assert_int_equal(entered.event_inject, INFO_VALID | 0x50);
	inject(EVENT_INTERRUPT, 0x60);
	svm_vendor.open_window(&vcpu, EVENT_INTERRUPT, 5);
	run_on();
	assert_window(V_PRIORITY(5));
	assert_int_equal(entered.event_inject, INFO_VALID | 0x60);
	/* An exception is not what it waits for. */
	inject(EVENT_EXCEPTION, 6);
	run_on();
	assert_window(V_PRIORITY(5));
}

static void test_window_for_nmi(void **unused)
{
	(void)unused;
	(void)run(guest_in_shadow);
	assert_false(can(EVENT_NMI));
	svm_vendor.open_window(&vcpu, EVENT_NMI, VENDOR_PRIORITY_ABOVE_TPR);
	run_on();
	assert_window(V_IGN_TPR);
}

static void test_clear(void **unused)
{
	(void)unused;
	inject(EVENT_NMI, 2);
	svm_vendor.open_window(&vcpu, EVENT_INTERRUPT, 16);
	vmcb->int_state = 1;
	svm->is_virq_sent = true;
	svm_vendor.events_clear(&vcpu);
	page.state.rflags |= X86_FLAG_IF;
	assert_true(can(EVENT_NMI) && can(EVENT_INTERRUPT));
	run_on();
	assert_no_window();
	assert_int_equal(entered.event_inject, 0);
	assert_int_equal(entered.int_state, 0);
	assert_int_equal(entered.intercept & WITH_IRET, 0);
}

/* ---- Cut short ----------------------------------------------------------- */

static uint64_t cut;

static void guest_cut_short(struct vmcb *v)
{
	v->exit_code = 0x400;
	v->exit_int_info = cut;
}

struct cut_case {
	uint64_t info;
	bool goes_again;
};

static void test_cut_short(void **unused)
{
	static const struct cut_case cases[] = {
		{ INFO_VALID | INFO_INTR | 0x31, true },
		{ INFO_VALID | INFO_NMI | 2, true },
		{ INFO_VALID | INFO_EXCEPTION | 6, true },
		{ INFO_VALID | INFO_EXCEPTION | 14 | INFO_ERROR(0x1234567),
		  true },
		/* RIP still stands at what raises these. */
		{ INFO_VALID | INFO_SOFTWARE | 0x80, false },
		{ INFO_VALID | INFO_EXCEPTION | 3, false },
		{ INFO_VALID | INFO_EXCEPTION | 4, false },
		/* Interrupts of those numbers are something else. */
		{ INFO_VALID | INFO_INTR | 3, true },
		{ INFO_EXCEPTION | 6, false },
	};

	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct cut_case *c = &cases[i];

		cut = c->info;
		(void)run(guest_cut_short);
		assert_int_equal(can(EVENT_EXCEPTION), !c->goes_again);
		run_on();
		assert_int_equal(entered.event_inject,
				 c->goes_again ? c->info : 0);
		/* It went in this time. */
		run_on();
		assert_int_equal(entered.event_inject, 0);
	}
}

static void test_nmi_cut_short_stays_masked(void **unused)
{
	(void)unused;
	inject(EVENT_NMI, 2);
	cut = INFO_VALID | INFO_NMI | 2;
	(void)run(guest_cut_short);
	run_on();
	assert_int_equal(entered.event_inject, cut);
	assert_int_equal(entered.intercept & WITH_IRET, WITH_IRET);
	assert_false(can(EVENT_NMI));
}

/* ---- Interrupts as virtual ones ------------------------------------------ */

static int setup_tcg(void **unused)
{
	(void)setup(unused);
	svm_features.is_tcg = true;
	page.state.rflags |= X86_FLAG_IF;
	return 0;
}

/* The guest takes the vector that is pending, then exits. */
static void guest_takes(struct vmcb *v)
{
	guest_cpuid(v);
	v->int_ctl &= ~V_IRQ;
}

static void test_virq(void **unused)
{
	(void)unused;
	inject(EVENT_INTERRUPT, 0x41);
	assert_false(can(EVENT_INTERRUPT));
	run_on();
	assert_int_equal(entered.event_inject, 0);
	assert_int_equal(entered.int_ctl,
			 V_INTR_MASKING | V_IRQ | V_IGN_TPR | V_VECTOR(0x41));
	assert_int_equal(entered.intercept & WITH_VINTR, 0);
	/* A host interrupt came first: it still waits. */
	page.state.rflags |= X86_FLAG_IF;
	assert_false(can(EVENT_INTERRUPT));
	assert_true(can(EVENT_EXCEPTION));
	(void)run(guest_takes);
	assert_int_equal(entered.int_ctl & V_IRQ, V_IRQ);
	assert_true(can(EVENT_INTERRUPT));
	run_on();
	assert_no_window();
}

static void test_virq_after_window(void **unused)
{
	(void)unused;
	svm_vendor.open_window(&vcpu, EVENT_INTERRUPT, 4);
	inject(EVENT_INTERRUPT, 0x41);
	run_on();
	assert_int_equal(entered.int_ctl,
			 V_INTR_MASKING | V_IRQ | V_IGN_TPR | V_VECTOR(0x41));
	assert_int_equal(entered.intercept & WITH_VINTR, 0);
	assert_int_equal(entered.intercept_cr, 0);
}

/* There is one V_IRQ: the window waits until the interrupt is taken. */
static void test_virq_and_window(void **unused)
{
	(void)unused;
	inject(EVENT_INTERRUPT, 0x41);
	svm_vendor.open_window(&vcpu, EVENT_INTERRUPT, 6);
	run_on();
	assert_int_equal(entered.int_ctl,
			 V_INTR_MASKING | V_IRQ | V_IGN_TPR | V_VECTOR(0x41));
	(void)run(guest_takes);
	run_on();
	assert_window(V_PRIORITY(5));
	/* And once. */
	(void)run(guest_vintr);
	run_on();
	assert_no_window();
	inject(EVENT_INTERRUPT, 0x41);
	(void)run(guest_takes);
	run_on();
	assert_no_window();
}

/* QEMU ends itself at a write to CR8 with V_IRQ pending. */
static void test_virq_behind_exception(void **unused)
{
	(void)unused;
	inject(EVENT_INTERRUPT, 0x41);
	run_on();
	assert_int_equal(entered.intercept_cr, 0);
	inject(EVENT_EXCEPTION, 6);
	run_on();
	assert_int_equal(entered.intercept_cr, CR8_WRITE);
	assert_int_equal(entered.event_inject, INFO_VALID | INFO_EXCEPTION | 6);
	(void)run(guest_takes);
	run_on();
	assert_int_equal(entered.intercept_cr, 0);
}

/* It says that the virtual interrupt was an exception that it delivered. */
static void test_virq_cut_short(void **unused)
{
	(void)unused;
	inject(EVENT_INTERRUPT, 0x41);
	cut = INFO_VALID | INFO_EXCEPTION | 0x41;
	(void)run(guest_cut_short);
	assert_true(can(EVENT_EXCEPTION));
	run_on();
	assert_int_equal(entered.event_inject, 0);
	assert_int_equal(entered.int_ctl & V_IRQ, V_IRQ);
	/* Another exception is one. */
	cut = INFO_VALID | INFO_EXCEPTION | 14;
	(void)run(guest_cut_short);
	run_on();
	assert_int_equal(entered.event_inject, cut);
}

/* ---- A machine that emulates --------------------------------------------- */

static void emulate(bool is_emulated)
{
	svm_vendor.state_load(&vcpu, X86_GROUP_DEBUG);
	page.is_emulated = is_emulated;
	svm_vendor.state_store(&vcpu, X86_GROUP_DEBUG);
}

/* An entry that is none. */
static struct exit_info run_emulated(void)
{
	unsigned before = entries;
	struct exit_info info;

	svm_vendor.run(&vcpu, &info);
	assert_int_equal(entries, before);
	assert_int_equal(page.state.valid, X86_GROUP_GPR_RIP);
	return info;
}

static void test_emulated(void **unused)
{
	struct exit_info info;

	(void)unused;
	run_on();
	emulate(true);
	for (unsigned i = 0; i < 2; i++) {
		info = run_emulated();
		assert_int_equal(info.reason, EXIT_EMULATE_RUN);
		assert_true(info.emulate.count > 1);
		assert_int_equal(info.emulate.event, 0);
	}
	/* What was to be injected is the machine's to deliver, once. */
	page.state.rflags |= X86_FLAG_IF;
	inject(EVENT_INTERRUPT, 0x41);
	assert_false(can(EVENT_INTERRUPT));
	assert_int_equal(run_emulated().emulate.event, INFO_VALID | 0x41);
	assert_int_equal(run_emulated().emulate.event, 0);
	/* A window opens as soon as the guest does. */
	page.state.rflags &= ~X86_FLAG_IF;
	svm_vendor.open_window(&vcpu, EVENT_INTERRUPT, 4);
	info = run_emulated();
	assert_int_equal(info.reason, EXIT_EMULATE_RUN);
	assert_int_equal(info.emulate.count, 1);
	page.state.rflags |= X86_FLAG_IF;
	assert_int_equal(run_emulated().reason, EXIT_INTERRUPT_WINDOW);
	assert_int_equal(run_emulated().reason, EXIT_EMULATE_RUN);
	/* Nor does a shadow let one in. */
	svm_vendor.state_load(&vcpu, X86_GROUP_SEGMENTS);
	page.state.interrupt_shadow = X86_SHADOW_STI;
	svm_vendor.state_store(&vcpu, X86_GROUP_SEGMENTS);
	assert_false(can(EVENT_INTERRUPT));
	emulate(false);
	run_on();
	assert_int_equal(entered.event_inject, 0);
	assert_int_equal(entered.int_state, 1);
}

/* One that was on its way is not lost, however long IF is clear. */
static void test_emulated_virq(void **unused)
{
	(void)unused;
	page.state.rflags |= X86_FLAG_IF;
	inject(EVENT_INTERRUPT, 0x41);
	assert_true(svm->is_virq_sent);
	emulate(true);
	page.state.rflags &= ~X86_FLAG_IF;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(run_emulated().emulate.event, 0);
		assert_false(can(EVENT_INTERRUPT));
	}
	page.state.rflags |= X86_FLAG_IF;
	assert_int_equal(run_emulated().emulate.event, INFO_VALID | 0x41);
	assert_false(svm->is_virq_sent);
	assert_int_equal(run_emulated().emulate.event, 0);
	/* From now on they go in as elsewhere. */
	inject(EVENT_INTERRUPT, 0x42);
	assert_false(svm->is_virq_sent);
	assert_int_equal(run_emulated().emulate.event, INFO_VALID | 0x42);
	emulate(false);
	run_on();
	assert_int_equal(entered.int_ctl & V_IRQ, 0);
	inject(EVENT_INTERRUPT, 0x43);
	assert_true(svm->is_virq_sent);
}

int main(void)
{
#define TCG_TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_tcg, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_can_inject),
		TEST(test_inject),
		TEST(test_nmi_until_iret),
		TEST(test_end_shadow),
		TEST(test_window),
		TEST(test_window_closes_by_injection),
		TEST(test_window_for_nmi),
		TEST(test_clear),
		TEST(test_cut_short),
		TEST(test_nmi_cut_short_stays_masked),
		TCG_TEST(test_window_on_tcg),
		TCG_TEST(test_virq),
		TCG_TEST(test_virq_after_window),
		TCG_TEST(test_virq_and_window),
		TCG_TEST(test_virq_behind_exception),
		TCG_TEST(test_virq_cut_short),
		TEST(test_emulated),
		TCG_TEST(test_emulated_virq),
	};

	return cmocka_run_group_tests_name("svm_event", tests, NULL, NULL);
}
