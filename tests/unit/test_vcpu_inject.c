/* SPDX-License-Identifier: BSD-2-Clause */
/* What is pending for a vCPU: when it goes in, what it wakes, what is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/fake/vm.h"

#define MASKED	   0x10000
#define LVT_EXTINT 0x700

/* The guest does the next of these at each entry, then shuts down. */
enum act {
	SHUT,  /* to the machine */
	CPUID, /* an exit that is answered */
	HLT,
	STI_HLT,
	STI, /* and so on */
	CLI,
	NMI_DONE, /* IRET */
	EOI,
	TPR_LOW,
	TPR_HIGH,
};

static const enum act *acts;

static void guest(struct vcpu *vcpu, struct exit_info *info)
{
	enum act act = acts ? *acts : SHUT;

	if (act != SHUT)
		acts++;
	switch (act) {
	case STI_HLT:
		vcpu->vendor.state->rflags |= X86_FLAG_IF;
		guest_exits(info, EXIT_HLT, 1);
		return;
	case HLT:
		guest_exits(info, EXIT_HLT, 1);
		return;
	case SHUT:
		guest_exits(info, EXIT_SHUTDOWN, 0);
		return;
	case EOI:
		guest_exits(info, EXIT_APIC_EOI, 3);
		return;
	case STI:
		vcpu->vendor.state->rflags |= X86_FLAG_IF;
		break;
	case CLI:
		vcpu->vendor.state->rflags &= ~X86_FLAG_IF;
		break;
	case NMI_DONE:
		back_of(vcpu)->is_nmi_masked = false;
		break;
	case TPR_LOW:
		vcpu->vendor.tpr = 0;
		break;
	case TPR_HIGH:
		vcpu->vendor.tpr = 0xf0;
		break;
	case CPUID:
		break;
	}
	guest_exits(info, EXIT_CPUID, 2);
}

#define GO(...) go(vcpu, (const enum act[]){ __VA_ARGS__ __VA_OPT__(, ) SHUT })

static enum gate_exit go(struct vcpu *vcpu, const enum act *what)
{
	acts = what;
	back_of(vcpu)->trace[0] = 0;
	return vcpu_go(vcpu);
}

static bool went_in(struct vcpu *vcpu, const char *trace)
{
	return !strcmp(back_of(vcpu)->trace, trace);
}

/* From another CPU's side: nothing is looked at before the next entry. */
static void post(struct vcpu *vcpu, uint8_t vector)
{
	apic_post(&vcpu->apic, vector, false);
}

static machine_fn script;

/* After the first entry, with which the state after reset goes in. */
static void machine(struct vcpu *vcpu)
{
	(void)vcpu_go(vcpu);
	script(vcpu);
}

static void simulate(machine_fn what)
{
	const char *why;

	sim_setup(1, 1);
	sim.switch_rate = 1000;
	sim.points_max = 1000000;
	fake_vms = (struct fake_vms){ .guest = guest, .machine = machine };
	script = what;
	acts = NULL;
	vm_start(vm_make(1));
	why = sim_run();
	if (why)
		fail_msg("%s", why);
	assert_int_equal(fake_vms.off, 1);
	assert_int_equal(sim.pages, 0);
	assert_int_equal(sim.stacks, 0);
	sim_teardown();
}

static void apic_on(struct vcpu *vcpu)
{
	apic_mmio_write(&vcpu->apic, APIC_REG_SVR * 16, 0x1ff);
	/* The machine hears of it before the guest goes on. */
	SIM_CHECK(vcpu_go(vcpu) == GATE_EXIT_EOI);
	SIM_CHECK(vcpu->page->eoi.vector == GATE_EOI_CHANGED);
}

/* ---- Fixed interrupts ---------------------------------------------------- */

static void fixed(struct vcpu *vcpu)
{
	apic_on(vcpu);
	post(vcpu, 0x41);
	(void)GO(STI, CPUID);
	SIM_CHECK(went_in(vcpu, "i41 "));
	/* In service: what is not above it waits for its EOI, without exits. */
	post(vcpu, 0x42);
	back_of(vcpu)->windows = 0;
	(void)GO(STI, CPUID, CPUID);
	SIM_CHECK(went_in(vcpu, ""));
	SIM_CHECK(back_of(vcpu)->windows == 0);
	(void)GO(EOI, CPUID);
	SIM_CHECK(went_in(vcpu, "i42 "));
	/* One above it does not. */
	post(vcpu, 0x51);
	(void)GO(STI, CPUID);
	SIM_CHECK(went_in(vcpu, "i51 "));
	(void)GO(EOI, EOI);
	SIM_CHECK(vcpu->apic.isr_highest == 0);
}

static void test_fixed(void **unused)
{
	(void)unused;
	simulate(fixed);
}

/* One window, for the highest; exits in between do not ask again. */
static void windows(struct vcpu *vcpu)
{
	struct back_vcpu *back = back_of(vcpu);

	apic_on(vcpu);
	post(vcpu, 0x41);
	(void)GO(CPUID, CPUID, CPUID);
	SIM_CHECK(went_in(vcpu, ""));
	SIM_CHECK(back->windows == 1 && back->window == 4);
	post(vcpu, 0x31);
	(void)GO(CPUID);
	SIM_CHECK(back->windows == 1 && back->window == 4);
	post(vcpu, 0x61);
	(void)GO(CPUID);
	SIM_CHECK(back->windows == 2 && back->window == 6);
	(void)GO(STI, CPUID, STI, CPUID, EOI, STI, CPUID, EOI, STI, CPUID, EOI);
	SIM_CHECK(went_in(vcpu, "i61 i41 i31 "));
}

static void test_windows(void **unused)
{
	(void)unused;
	simulate(windows);
}

/* The TPR is the guest's: it changes without an exit. */
static void priorities(struct vcpu *vcpu)
{
	apic_on(vcpu);
	(void)GO(STI, TPR_HIGH);
	SIM_CHECK(apic_tpr(&vcpu->apic) == 0xf0);
	post(vcpu, 0x41);
	(void)GO(CPUID, CPUID);
	SIM_CHECK(went_in(vcpu, ""));
	SIM_CHECK(back_of(vcpu)->window == 4);
	(void)GO(CPUID, TPR_LOW, CPUID);
	SIM_CHECK(went_in(vcpu, "i41 "));
	(void)GO(EOI);
	/* The machine stores CR8. */
	(void)GO(STI, TPR_HIGH);
	post(vcpu, 0x41);
	(void)GO(CPUID);
	SIM_CHECK(went_in(vcpu, ""));
	vcpu->page->state.cr8 = 3;
	vcpu->page->state.dirty = X86_GROUP_CONTROL;
	(void)GO(CPUID);
	SIM_CHECK(apic_tpr(&vcpu->apic) == 0x30);
	SIM_CHECK(went_in(vcpu, "i41 "));
}

static void test_priorities(void **unused)
{
	(void)unused;
	simulate(priorities);
}

/* ---- NMIs ---------------------------------------------------------------- */

static void nmis(struct vcpu *vcpu)
{
	vcpu_notify(vcpu, PENDING_NMI);
	(void)GO(CPUID);
	SIM_CHECK(went_in(vcpu, "n "));
	vcpu_notify(vcpu, PENDING_NMI);
	(void)GO(CPUID, CPUID);
	SIM_CHECK(went_in(vcpu, ""));
	SIM_CHECK(back_of(vcpu)->is_nmi_window);
	(void)GO(NMI_DONE, CPUID);
	SIM_CHECK(went_in(vcpu, "n "));
	/* Before an interrupt, which follows. */
	(void)GO(NMI_DONE, STI);
	apic_on(vcpu);
	post(vcpu, 0x41);
	vcpu_notify(vcpu, PENDING_NMI);
	(void)GO(STI, STI, CPUID, CPUID);
	SIM_CHECK(went_in(vcpu, "n i41 "));
	/* One that waits for the first one's end keeps no interrupt waiting. */
	(void)GO(EOI);
	vcpu_notify(vcpu, PENDING_NMI);
	post(vcpu, 0x51);
	(void)GO(STI, CPUID, EOI);
	SIM_CHECK(went_in(vcpu, "i51 "));
	(void)GO(NMI_DONE, CPUID);
	SIM_CHECK(went_in(vcpu, "n "));
}

static void nmi_arrives(struct vcpu *vcpu)
{
	vcpu->apic.ops->nmi(vcpu);
}

/* One is handled and one waits; there is room for no more. */
static void nmis_together(struct vcpu *vcpu)
{
	nmi_arrives(vcpu);
	nmi_arrives(vcpu);
	nmi_arrives(vcpu);
	(void)GO(CPUID, CPUID);
	SIM_CHECK(went_in(vcpu, "n "));
	SIM_CHECK(back_of(vcpu)->is_nmi_window);
	(void)GO(NMI_DONE, CPUID);
	SIM_CHECK(went_in(vcpu, "n "));
	/* While the second is handled two more: the last is lost. */
	nmi_arrives(vcpu);
	nmi_arrives(vcpu);
	(void)GO(CPUID, NMI_DONE, CPUID);
	SIM_CHECK(went_in(vcpu, "n "));
	(void)GO(NMI_DONE, CPUID, CPUID);
	SIM_CHECK(went_in(vcpu, ""));
	SIM_CHECK(!(vcpu->pending & PENDING_NMIS));
	/* Seen late by whoever sent it, when the first had gone in. */
	vcpu_notify(vcpu, PENDING_NMI_TWO);
	(void)GO(CPUID);
	SIM_CHECK(went_in(vcpu, "n "));
	SIM_CHECK(!(vcpu->pending & PENDING_NMIS));
	/* An interrupt shadow or another event costs none. */
	(void)GO(NMI_DONE);
	nmi_arrives(vcpu);
	nmi_arrives(vcpu);
	vcpu->page->inject.is_valid = true;
	vcpu->page->inject.vector = X86_VECTOR_UD;
	(void)GO(CPUID, CPUID);
	SIM_CHECK(went_in(vcpu, "e06 n "));
	(void)GO(NMI_DONE, CPUID);
	SIM_CHECK(went_in(vcpu, "n "));
}

static void test_nmis(void **unused)
{
	(void)unused;
	simulate(nmis);
	simulate(nmis_together);
}

/* ---- Debug exceptions ---------------------------------------------------- */

/* HLT ends with one, whoever did the HLT; a reset takes what was due. */
static void debug_ends_hlt(struct vcpu *vcpu)
{
	struct x86_state *state = &vcpu->page->state;

	state->dr6 = 0xffff0ff3;
	state->dr7 = 0x2400;
	state->rflags |= X86_FLAG_TF;
	(void)GO(HLT);
	SIM_CHECK(went_in(vcpu, "e01 "));
	SIM_CHECK(state->dr6 == 0xffff4ff0 && state->dr7 == 0x400);
	SIM_CHECK(!(vcpu->pending & PENDING_HALTED));
	state->rflags &= ~X86_FLAG_TF;
	vcpu->page->halt = true;
	vcpu->page->inject.is_valid = true;
	vcpu->page->inject.vector = X86_VECTOR_DB;
	(void)GO(CPUID);
	SIM_CHECK(went_in(vcpu, "e01 "));
	vcpu_pend(vcpu, PENDING_STEP | PENDING_INIT);
	(void)GO(CPUID);
	SIM_CHECK(went_in(vcpu, ""));
}

static void test_debug_ends_hlt(void **unused)
{
	(void)unused;
	simulate(debug_ends_hlt);
}

/* ---- The 8259 pair ------------------------------------------------------- */

/* As the machine does it, from another vCPU's thread. */
static void offer(struct vcpu *vcpu, uint32_t extint)
{
	vcpu->page->extint = extint | GATE_EXTINT_KNOWN;
	vcpu_extint_changed(vcpu);
	vcpu_notify(vcpu, PENDING_EXTINT);
}

static bool is_taken(const struct vcpu *vcpu)
{
	return vcpu->page->extint & GATE_EXTINT_TAKEN;
}

static void extint(struct vcpu *vcpu)
{
	offer(vcpu, GATE_EXTINT_LEVEL | 0x30);
	SIM_CHECK(GO(CPUID) == GATE_EXIT_SHUTDOWN);
	SIM_CHECK(vcpu->window == WINDOW_EXTINT);
	SIM_CHECK(!is_taken(vcpu));
	SIM_CHECK(GO(STI, CPUID, CPUID) == GATE_EXIT_SHUTDOWN);
	SIM_CHECK(went_in(vcpu, "i30 "));
	SIM_CHECK(is_taken(vcpu));
	/* At most once, for as long as the machine does not say more. */
	SIM_CHECK(GO(STI, CPUID, CPUID) == GATE_EXIT_SHUTDOWN);
	SIM_CHECK(went_in(vcpu, ""));
	/* The same vector again, said by its own thread. */
	vcpu->page->extint = GATE_EXTINT_KNOWN | GATE_EXTINT_LEVEL | 0x30;
	SIM_CHECK(GO(STI, CPUID, CPUID) == GATE_EXIT_SHUTDOWN);
	SIM_CHECK(went_in(vcpu, "i30 "));
	/* Withdrawn before it could be taken. */
	offer(vcpu, GATE_EXTINT_LEVEL | 0x31);
	vcpu->page->extint = 0;
	SIM_CHECK(GO(STI, CPUID, CPUID) == GATE_EXIT_SHUTDOWN);
	SIM_CHECK(went_in(vcpu, ""));
	offer(vcpu, 0);
	SIM_CHECK(!vcpu->vm->intr_level);
}

/* Another is to come after it: the machine is asked as soon as it can go in. */
static void extint_more(struct vcpu *vcpu)
{
	offer(vcpu, GATE_EXTINT_LEVEL | GATE_EXTINT_MORE | 0x30);
	SIM_CHECK(GO(STI, CPUID, CPUID) == GATE_EXIT_SHUTDOWN);
	SIM_CHECK(went_in(vcpu, "i30 "));
	SIM_CHECK(GO(STI, CPUID, CPUID) == GATE_EXIT_NONE);
	SIM_CHECK(went_in(vcpu, ""));
	vcpu->page->extint = GATE_EXTINT_KNOWN | GATE_EXTINT_LEVEL | 0x31;
	SIM_CHECK(GO(STI, CPUID, CPUID) == GATE_EXIT_SHUTDOWN);
	SIM_CHECK(went_in(vcpu, "i31 "));
}

static void test_extint(void **unused)
{
	(void)unused;
	simulate(extint);
	simulate(extint_more);
}

/* LINT0 lets it through or not; it counts anew when that changes. */
static void extint_masked(struct vcpu *vcpu)
{
	apic_on(vcpu);
	apic_mmio_write(&vcpu->apic, APIC_REG_LVT_LINT0 * 16,
			MASKED | LVT_EXTINT);
	offer(vcpu, GATE_EXTINT_LEVEL | 0x30);
	SIM_CHECK(GO(STI, CPUID) == GATE_EXIT_SHUTDOWN);
	SIM_CHECK(went_in(vcpu, ""));
	/* Halted, it does not wake for it either; an NMI does. */
	apic_mmio_write(&vcpu->apic, APIC_REG_LVT_LINT0 * 16, LVT_EXTINT);
	vcpu_priority_changed(vcpu);
	SIM_CHECK(GO(STI, CPUID) == GATE_EXIT_SHUTDOWN);
	SIM_CHECK(went_in(vcpu, "i30 "));
}

static void test_extint_masked(void **unused)
{
	(void)unused;
	simulate(extint_masked);
}

/* ---- HLT ----------------------------------------------------------------- */

static struct timer alarm;
static struct vcpu *alarm_vcpu;
static uint32_t alarm_bits;
static uint8_t alarm_vector;
static uint64_t alarm_at;

static void alarm_fn(void *ctx)
{
	(void)ctx;
	if (alarm_bits)
		vcpu_notify(alarm_vcpu, alarm_bits);
	if (alarm_vector)
		post(alarm_vcpu, alarm_vector);
}

/* In 10 us, when everything waits. */
static void alarm_set(struct vcpu *vcpu, uint32_t bits, uint8_t vector)
{
	alarm = (struct timer){ .fn = alarm_fn };
	alarm_vcpu = vcpu;
	alarm_bits = bits;
	alarm_vector = vector;
	alarm_at = sim.now + 100000;
	timer_arm(&alarm, alarm_at);
}

static void hlt(struct vcpu *vcpu)
{
	apic_on(vcpu);
	alarm_set(vcpu, 0, 0x41);
	(void)GO(STI, HLT, CPUID);
	SIM_CHECK(sim.now >= alarm_at && went_in(vcpu, "i41 "));
	/* One that is pending already: no wait. */
	post(vcpu, 0x51);
	alarm_set(vcpu, PENDING_NMI, 0);
	(void)GO(STI_HLT, CPUID);
	SIM_CHECK(sim.now < alarm_at && went_in(vcpu, "i51 "));
	timer_cancel(&alarm);
	(void)GO(EOI, EOI);
	/* With IF clear an interrupt does not end it, an NMI does. */
	post(vcpu, 0x61);
	alarm_set(vcpu, PENDING_NMI, 0);
	(void)GO(CLI, HLT, CPUID);
	SIM_CHECK(sim.now >= alarm_at && went_in(vcpu, "n "));
	/* What the machine emulated. */
	(void)GO(NMI_DONE, STI, CPUID, EOI);
	SIM_CHECK(went_in(vcpu, "i61 "));
	vcpu->vendor.state->rflags |= X86_FLAG_IF;
	vcpu->page->halt = true;
	alarm_set(vcpu, 0, 0x41);
	(void)GO(CPUID);
	SIM_CHECK(sim.now >= alarm_at && went_in(vcpu, "i41 "));
	SIM_CHECK(!vcpu->page->halt);
}

static void test_hlt(void **unused)
{
	(void)unused;
	simulate(hlt);
}

/* Another may wake the thread for nothing: the guest stays where it is. */
static void hlt_is_not_left(struct vcpu *vcpu)
{
	unsigned runs;

	apic_on(vcpu);
	(void)GO(CLI);
	runs = back_of(vcpu)->runs;
	alarm_set(vcpu, PENDING_KICK | PENDING_FLUSH, 0x41);
	acts = (const enum act[]){ HLT, SHUT };
	vcpu->vm->domain->timer.deadline_tsc = 0;
	timer_arm(&vcpu->vm->domain->timer, sim.now + 300000);
	SIM_CHECK(vcpu_go(vcpu) == GATE_EXIT_NONE);
	SIM_CHECK(back_of(vcpu)->runs == runs + 1);
	SIM_CHECK(vcpu->page->events == BIT(GATE_EVENT_TIMER_BIT));
	SIM_CHECK(back_of(vcpu)->flushes == 1);
	/* The machine has seen the event: the guest still halts. */
	alarm_set(vcpu, PENDING_NMI, 0);
	SIM_CHECK(GO(CPUID) == GATE_EXIT_SHUTDOWN);
	SIM_CHECK(sim.now >= alarm_at && went_in(vcpu, "n "));
	SIM_CHECK(vcpu->page->events == 0);
}

static void test_hlt_is_not_left(void **unused)
{
	(void)unused;
	simulate(hlt_is_not_left);
}

/* What was posted beside an event goes in behind it: nobody kicks again. */
static void posted_with_event(struct vcpu *vcpu)
{
	apic_on(vcpu);
	(void)GO(STI);
	post(vcpu, 0x41);
	vcpu_pend(vcpu, PENDING_EVENT);
	SIM_CHECK(GO(CPUID) == GATE_EXIT_NONE && went_in(vcpu, ""));
	SIM_CHECK(GO(CPUID) == GATE_EXIT_SHUTDOWN && went_in(vcpu, "i41 "));
}

static void test_posted_with_event(void **unused)
{
	(void)unused;
	simulate(posted_with_event);
}

static void apic_timer(struct vcpu *vcpu)
{
	uint64_t begin;

	apic_on(vcpu);
	apic_mmio_write(&vcpu->apic, APIC_REG_LVT_TIMER * 16, 0x50);
	apic_mmio_write(&vcpu->apic, APIC_REG_TIMER_DIVIDE * 16, 0xb);
	begin = sim.now;
	apic_mmio_write(&vcpu->apic, APIC_REG_TIMER_INITIAL * 16, 500000);
	(void)GO(STI, HLT, CPUID);
	SIM_CHECK(went_in(vcpu, "i50 "));
	SIM_CHECK(sim.now - begin >= 500000 && sim.now - begin < 600000);
	/* Also while the guest runs; its time is the host's. */
	(void)GO(EOI);
	apic_mmio_write(&vcpu->apic, APIC_REG_TIMER_INITIAL * 16, 2000);
	(void)GO(STI, CPUID, CPUID, CPUID, CPUID, CPUID, CPUID, CPUID, CPUID,
		 CPUID, CPUID, CPUID, CPUID, CPUID, CPUID, CPUID, CPUID);
	SIM_CHECK(went_in(vcpu, "i50 "));
}

static void test_apic_timer(void **unused)
{
	(void)unused;
	simulate(apic_timer);
}

/* ---- The machine's part -------------------------------------------------- */

static void by_machine(struct vcpu *vcpu)
{
	struct gate_injection *in = &vcpu->page->inject;

	*in = (struct gate_injection){ .is_valid = true,
				       .vector = 14,
				       .has_error_code = true,
				       .error_code = 5 };
	(void)GO(CPUID);
	SIM_CHECK(went_in(vcpu, "e0e:0005 ") && !in->is_valid);
	*in = (struct gate_injection){ .is_valid = true, .vector = 2 };
	(void)GO(CPUID);
	SIM_CHECK(went_in(vcpu, "") && !in->is_valid);
	*in = (struct gate_injection){ .is_valid = true, .vector = 32 };
	(void)GO(CPUID);
	SIM_CHECK(went_in(vcpu, "") && !in->is_valid);
	/* State that it marked goes in, and no more. */
	back_of(vcpu)->stored = 0;
	vcpu->page->state.dirty = X86_GROUP_TABLES | X86_GROUP_XSTATE;
	(void)GO(CPUID);
	SIM_CHECK(back_of(vcpu)->stored ==
		  (X86_GROUP_TABLES | X86_GROUP_XSTATE));
}

static void test_by_machine(void **unused)
{
	(void)unused;
	simulate(by_machine);
}

/* Level-triggered vectors are told to the IOAPIC, each once. */
static void eois(struct vcpu *vcpu)
{
	apic_on(vcpu);
	apic_post(&vcpu->apic, 0x41, true);
	apic_post(&vcpu->apic, 0x91, true);
	(void)GO(STI, CPUID);
	SIM_CHECK(went_in(vcpu, "i91 "));
	SIM_CHECK(GO(EOI, CPUID) == GATE_EXIT_EOI);
	SIM_CHECK(vcpu->page->eoi.vector == 0x91);
	(void)GO(STI, CPUID);
	SIM_CHECK(went_in(vcpu, "i41 "));
	/* Two before the machine is there. */
	apic_post(&vcpu->apic, 0xb1, true);
	(void)GO(STI, CPUID);
	apic_eoi(&vcpu->apic);
	apic_eoi(&vcpu->apic);
	SIM_CHECK(GO(CPUID) == GATE_EXIT_EOI);
	SIM_CHECK(vcpu->page->eoi.vector == 0x41);
	SIM_CHECK(GO(CPUID) == GATE_EXIT_EOI);
	SIM_CHECK(vcpu->page->eoi.vector == 0xb1);
	SIM_CHECK(GO(CPUID) == GATE_EXIT_SHUTDOWN);
}

static void test_eois(void **unused)
{
	(void)unused;
	simulate(eois);
}

/* ---- Chains -------------------------------------------------------------- */

static uint64_t other_points, chain_entries;

static void other_fn(void *arg)
{
	(void)arg;
	for (;;) {
		sim_user(1);
		other_points++;
	}
}

static enum exit_reason chain_reason;

static void chain_guest(struct vcpu *vcpu, struct exit_info *info)
{
	(void)vcpu;
	chain_entries++;
	sim_point();
	guest_exits(info, chain_reason, 2);
	info->vector = X86_VECTOR_AC;
}

static bool chain_is_over(void)
{
	return sim.now > 200 * NSEC_PER_MS;
}

static void chain_machine(struct vcpu *vcpu)
{
	(void)vcpu_go(vcpu);
	sim_fail("the chain has ended");
}

/* Exits that end each entry: host interrupts and others have their turn. */
static void chain(enum exit_reason reason)
{
	static struct sched_domain domain;
	struct thread *other;
	const char *why;

	sim_setup(1, 1);
	sim.tick = 1000;
	sim.is_done = chain_is_over;
	fake_vms = (struct fake_vms){ .guest = chain_guest,
				      .machine = chain_machine,
				      .is_endless = true };
	chain_reason = reason;
	chain_entries = other_points = 0;
	sched_domain_init(&domain, 100, 0);
	vm_start(vm_make(1));
	other = thread_create("other", other_fn, NULL, 0);
	assert_non_null(other);
	other->domain = &domain;
	thread_start(other);
	why = sim_run();
	if (why)
		fail_msg("%s", why);
	assert_in_range(fake_vms.in_a_row_max, 1, 32);
	/* Half of 200 ms, by 2 us. */
	assert_in_range(other_points, 45000, 55000);
	assert_true(chain_entries > 1000);
	sim_abandon();
}

static void test_chains(void **unused)
{
	(void)unused;
	chain(EXIT_EXCEPTION);
	chain(EXIT_CPUID);
	chain(EXIT_UNDEFINED);
	chain(EXIT_HOST_NMI);
	chain(EXIT_INTERRUPT_WINDOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_priorities),
		cmocka_unit_test(test_nmis),
		cmocka_unit_test(test_debug_ends_hlt),
		cmocka_unit_test(test_extint),
		cmocka_unit_test(test_extint_masked),
		cmocka_unit_test(test_hlt),
		cmocka_unit_test(test_hlt_is_not_left),
		cmocka_unit_test(test_posted_with_event),
		cmocka_unit_test(test_apic_timer),
		cmocka_unit_test(test_by_machine),
		cmocka_unit_test(test_eois),
		cmocka_unit_test(test_chains),
	};

	return cmocka_run_group_tests_name("vcpu_inject", tests, NULL, NULL);
}
