/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMs with several vCPUs on several simulated CPUs, from many seeds: IPIs, INIT
 * and SIPI, resets, stops.  Nothing is lost, nothing comes twice, nobody runs
 * when he may not, and when the VM has ended nothing of it is left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/fake/vm.h"

#define SEEDS	  200
#define VCPUS	  3
#define ICR_INIT  0x4500
#define ICR_SIPI  0x4600
#define ICR_FIXED 0x4000

static struct vm *the_vm;

static void apic_on(struct vcpu *vcpu)
{
	apic_mmio_write(&vcpu->apic, APIC_REG_SVR * 16, 0x1ff);
	/* The machine hears of it before the guest goes on. */
	SIM_CHECK(vcpu_go(vcpu) == GATE_EXIT_EOI);
	SIM_CHECK(vcpu->page->eoi.vector == GATE_EOI_CHANGED);
}

/* GATE_APIC_WRITE. */
static void ipi(struct vcpu *vcpu, unsigned to, uint32_t icr)
{
	irq_disable();
	apic_mmio_write(&vcpu->apic, APIC_REG_ICR_HIGH * 16, to << 24);
	apic_mmio_write(&vcpu->apic, APIC_REG_ICR * 16, icr);
	vcpu_priority_changed(vcpu);
	sim_user(1);
}

static void run_all(unsigned seed)
{
	const char *why = sim_run();

	if (why)
		fail_msg("seed %u, %u CPUs: %s", seed, sim.cpu_count, why);
	assert_int_equal(fake_vms.off, 1);
	assert_int_equal(sim.pages, 0);
	assert_int_equal(sim.stacks, 0);
	sim_teardown();
}

/* The VM is made; its vCPUs but the first run from their SIPI on. */
static void setup(unsigned seed, unsigned vcpus, guest_fn guest,
		  machine_fn machine)
{
	sim_setup(1 + seed % 4, seed + 1);
	fake_vms = (struct fake_vms){ .guest = guest, .machine = machine };
	the_vm = vm_make(vcpus);
}

static void all_from_start(void)
{
	for (unsigned i = 0; i < the_vm->vcpu_count; i++)
		the_vm->vcpu[i]->pending &= ~(uint32_t)PENDING_WAIT_SIPI;
}

/* ---- IPIs ---------------------------------------------------------------- */

#define IPIS 25

static unsigned sent[VCPUS], seen[VCPUS][VCPUS]; /* [to][from] */
static bool has_eoi_due[VCPUS];
static bool is_machine_due[VCPUS];

static void ipi_delivered(struct vcpu *vcpu, const struct event *event)
{
	SIM_CHECK(event->kind == EVENT_INTERRUPT);
	SIM_CHECK(event->vector >= 0x41 && event->vector < 0x41 + VCPUS);
	SIM_CHECK(!has_eoi_due[vcpu->id]);
	seen[vcpu->id][event->vector - 0x41]++;
	has_eoi_due[vcpu->id] = true;
}

/* Halts whenever there is nothing: only an interrupt gets it on. */
static void ipi_guest(struct vcpu *vcpu, struct exit_info *info)
{
	unsigned id = vcpu->id;

	if (has_eoi_due[id]) {
		has_eoi_due[id] = false;
		vcpu->vendor.state->rflags |= X86_FLAG_IF;
		is_machine_due[id] = true;
		guest_exits(info, EXIT_APIC_EOI, 3);
		return;
	}
	if (!is_machine_due[id]) {
		vcpu->vendor.state->rflags |= X86_FLAG_IF;
		guest_exits(info, EXIT_HLT, 1);
		return;
	}
	is_machine_due[id] = false;
	guest_exits(info, EXIT_SHUTDOWN, 0);
}

/* To the next one, as soon as the last one has been taken; 0 begins. */
static void ipi_machine(struct vcpu *vcpu)
{
	unsigned id = vcpu->id, to = (id + 1) % VCPUS;

	apic_on(vcpu);
	if (id == 0) {
		sim_user(40 + sim_random(40));
		sent[0]++;
		ipi(vcpu, to, ICR_FIXED | (0x41 + id));
	}
	while (sent[id] < IPIS) {
		SIM_CHECK(vcpu_go(vcpu) == GATE_EXIT_SHUTDOWN);
		SIM_CHECK(seen[to][id] == sent[id] || to == 0);
		sent[id]++;
		ipi(vcpu, to, ICR_FIXED | (0x41 + id));
	}
	/* The last one comes round to 0. */
	if (id == 0)
		(void)vcpu_go(vcpu);
	else
		for (;;)
			(void)vcpu_go(vcpu);
}

static void test_ipis(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		memset(sent, 0, sizeof(sent));
		memset(seen, 0, sizeof(seen));
		memset(has_eoi_due, 0, sizeof(has_eoi_due));
		memset(is_machine_due, 0, sizeof(is_machine_due));
		setup(seed, VCPUS, ipi_guest, ipi_machine);
		fake_vms.delivered = ipi_delivered;
		for (unsigned i = 0; i < VCPUS; i++)
			apic_on(the_vm->vcpu[i]);
		all_from_start();
		vm_start(the_vm);
		run_all(seed);
		for (unsigned i = 0; i < VCPUS; i++)
			assert_int_equal(seen[(i + 1) % VCPUS][i], IPIS);
	}
}

/* ---- The 8259 pair's offers ---------------------------------------------- */

#define OFFERS 60

static bool is_halted;
static unsigned offers_taken;

static void offer_delivered(struct vcpu *vcpu, const struct event *event)
{
	SIM_CHECK(vcpu->id == 0 && event->vector == 0x30);
	is_halted = false;
	offers_taken++;
}

/* It halts for ever; only what goes in gets it on. */
static void offer_guest(struct vcpu *vcpu, struct exit_info *info)
{
	SIM_CHECK(!is_halted);
	is_halted = true;
	vcpu->vendor.state->rflags |= X86_FLAG_IF;
	guest_exits(info, EXIT_HLT, 1);
}

/* As machine/extint.c: another thread than vCPU 0's changes what it says. */
static void offer_say(struct vcpu *first, uint32_t extint)
{
	irq_disable();
	__atomic_store_n(&first->page->extint, extint, __ATOMIC_SEQ_CST);
	sim_user(sim_random(3));
	vcpu_extint_changed(first);
	vcpu_notify(first, PENDING_EXTINT);
	sim_user(1);
}

static void offer_machine(struct vcpu *vcpu)
{
	struct vcpu *first = the_vm->vcpu[0];

	if (vcpu->id == 0)
		for (;;)
			(void)vcpu_go(vcpu);
	for (unsigned i = 0; i < OFFERS; i++) {
		offer_say(first, GATE_EXTINT_KNOWN | GATE_EXTINT_LEVEL | 0x30);
		/* Wakes it while nothing is said, or halfway. */
		if (sim_random(2))
			vcpu_notify(first, PENDING_KICK);
		sim_user(sim_random(20));
		(void)__atomic_exchange_n(&first->page->extint, 0,
					  __ATOMIC_SEQ_CST);
		sim_user(sim_random(20));
		offer_say(first, GATE_EXTINT_KNOWN);
		vcpu_notify(first, PENDING_KICK);
	}
}

static void test_offers(void **unused)
{
	unsigned taken = 0;

	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		is_halted = false;
		offers_taken = 0;
		setup(seed, 2, offer_guest, offer_machine);
		fake_vms.delivered = offer_delivered;
		all_from_start();
		vm_start(the_vm);
		run_all(seed);
		taken += offers_taken;
	}
	assert_true(taken > SEEDS);
}

/* ---- INIT and SIPI ------------------------------------------------------- */

#define STARTS 12

static unsigned started, wanted;

static void start_guest(struct vcpu *vcpu, struct exit_info *info)
{
	const struct x86_state *state = vcpu->vendor.state;

	if (vcpu->id == 0) {
		guest_exits(info, EXIT_SHUTDOWN, 0);
		return;
	}
	/* At the SIPI's page or, having told of it, in HLT with IF clear. */
	SIM_CHECK(state->rip == 0);
	SIM_CHECK(state->seg[X86_CS].base == (uint64_t)(wanted & 0xff) << 12);
	SIM_CHECK(state->seg[X86_CS].selector == (wanted & 0xff) << 8);
	SIM_CHECK(state->rflags == X86_FLAG_ONE);
	SIM_CHECK(state->cr0 == 0x60000010);
	SIM_CHECK(started + 1 == wanted);
	started = wanted;
	guest_exits(info, EXIT_HLT, 1);
}

static void start_machine(struct vcpu *vcpu)
{
	if (vcpu->id != 0) {
		(void)vcpu_go(vcpu);
		sim_fail("it has left its HLT");
	}
	for (unsigned i = 0; i < STARTS; i++) {
		if (i)
			ipi(vcpu, 1, ICR_INIT);
		sim_user(sim_random(50));
		wanted = i + 1;
		ipi(vcpu, 1, ICR_SIPI | wanted);
		/* The second one, which is sent in any case, does nothing. */
		if (sim_random(2))
			ipi(vcpu, 1, ICR_SIPI | wanted);
		while (__atomic_load_n(&started, __ATOMIC_RELAXED) != wanted)
			sim_user(1);
		if (sim_random(2))
			ipi(vcpu, 1, ICR_SIPI | 0x66);
		(void)vcpu_go(vcpu);
	}
}

static void test_starts(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		started = wanted = 0;
		setup(seed, 2, start_guest, start_machine);
		apic_on(the_vm->vcpu[0]);
		vm_start(the_vm);
		run_all(seed);
		assert_int_equal(started, STARTS);
	}
}

/* ---- Resets -------------------------------------------------------------- */

#define RESETS 8

static unsigned epoch;		 /* vm_reset()s that are over */
static bool is_quiet;		 /* nobody sends while one goes on */
static unsigned epoch_of[VCPUS]; /* that the vCPU's machine knows of */
static unsigned told[VCPUS];

/* No guest code of before a reset runs when the reset is over. */
static void reset_guest(struct vcpu *vcpu, struct exit_info *info)
{
	unsigned before = __atomic_load_n(&epoch, __ATOMIC_RELAXED);

	SIM_CHECK(epoch_of[vcpu->id] == before);
	(void)guest_spend(info, 1 + sim_random(20));
	if (sim_random(4) == 0)
		guest_exits(info, EXIT_SHUTDOWN, 0);
	else if (vcpu->id != 0 && sim_random(4) == 0)
		guest_exits(info, EXIT_HLT, 1);
	else
		guest_exits(info, EXIT_CPUID, 2);
}

static void reset_now(struct vcpu *vcpu)
{
	bool is_seen = sim_random(4);

	__atomic_store_n(&is_quiet, is_seen, __ATOMIC_RELAXED);
	vm_reset(vcpu->vm, vcpu);
	__atomic_fetch_add(&epoch, 1, __ATOMIC_RELAXED);
	epoch_of[vcpu->id] = epoch;
	/* Nothing of before is left, whoever sent it. */
	for (unsigned i = 0; is_seen && i < vcpu->vm->vcpu_count; i++)
		SIM_CHECK(!(the_vm->vcpu[i]->pending &
			    (PENDING_NMI | PENDING_INIT | PENDING_SIPI)));
	__atomic_store_n(&is_quiet, false, __ATOMIC_RELAXED);
}

static void reset_machine(struct vcpu *vcpu)
{
	unsigned id = vcpu->id;

	while (__atomic_load_n(&epoch, __ATOMIC_RELAXED) < RESETS) {
		if (vcpu_go(vcpu) == GATE_EXIT_RESET) {
			told[id]++;
			SIM_CHECK(vcpu->vendor.state->rip == 0xfff0);
			/* It is not waited for here that all have been told. */
			epoch_of[id] =
				__atomic_load_n(&epoch, __ATOMIC_RELAXED);
		}
		if (id == 0 && sim_random(3) == 0)
			gate_vm(vcpu, reset_now);
		else if (sim_random(2) && !is_quiet)
			vcpu_notify(the_vm->vcpu[sim_random(VCPUS)],
				    PENDING_NMI);
	}
}

static void test_resets(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		epoch = 0;
		memset(epoch_of, 0, sizeof(epoch_of));
		memset(told, 0, sizeof(told));
		is_quiet = false;
		setup(seed, VCPUS, reset_guest, reset_machine);
		all_from_start();
		vm_start(the_vm);
		run_all(seed);
	}
}

/* ---- Stops --------------------------------------------------------------- */

static void busy_guest(struct vcpu *vcpu, struct exit_info *info)
{
	if (guest_spend(info, 1 + sim_random(8)))
		return;
	/* The first never waits: it is to come to the end. */
	switch (sim_random(6) + (vcpu->id == 0)) {
	case 0:
		vcpu->vendor.state->rflags ^= X86_FLAG_IF;
		guest_exits(info, EXIT_HLT, 1);
		break;
	case 1:
		guest_exits(info, EXIT_PAUSE, 2);
		break;
	case 2:
		guest_exits(info, EXIT_CPUID, 2);
		break;
	default:
		guest_exits(info, EXIT_SHUTDOWN, 0);
		break;
	}
}

static void timer_far(struct vcpu *vcpu)
{
	timer_arm(&vcpu->vm->domain->timer, sim.now + sim_random(30000));
}

static void timer_off(struct vcpu *vcpu)
{
	timer_cancel(&vcpu->vm->domain->timer);
}

static void flush_all(struct vcpu *vcpu)
{
	vm_flush(vcpu->vm);
}

static void act_randomly(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	switch (sim_random(9)) {
	case 0:
		gate_vm(vcpu, timer_far);
		break;
	case 1:
		gate_vm(vcpu, timer_off);
		break;
	case 2:
		gate_vm(vcpu, flush_all);
		break;
	case 3:
		irq_disable();
		apic_mmio_write(&vcpu->apic, APIC_REG_TIMER_INITIAL * 16,
				1 + sim_random(30000));
		sim_user(1);
		break;
	case 4:
		ipi(vcpu, sim_random(vm->vcpu_count),
		    ICR_FIXED | (0x41 + sim_random(8)));
		break;
	case 5:
		ipi(vcpu, sim_random(vm->vcpu_count),
		    sim_random(2) ? ICR_INIT : ICR_SIPI);
		break;
	case 6:
		sim_user(sim_random(200));
		break;
	default:
		(void)vcpu_go(vcpu);
		break;
	}
}

/* One of the first VM ends it; others may do whatever they like meanwhile. */
static void power_off(struct vcpu *vcpu)
{
	domain_end(vcpu->vm->domain, GATE_END_EXIT, 0, vcpu->id);
}

static void stop_machine(struct vcpu *vcpu)
{
	unsigned id = vcpu->id;

	/* As apic_on(), but that a sibling's INIT may come in between. */
	apic_mmio_write(&vcpu->apic, APIC_REG_SVR * 16, 0x1ff);
	(void)vcpu_go(vcpu);
	apic_mmio_write(&vcpu->apic, APIC_REG_LVT_TIMER * 16, 0x20041);
	if (id == 1)
		for (;;) { /* ring 3 without end: it agrees to nothing */
			sim_user(1);
			/* GATE_YIELD: its way back does not look. */
			if (sim_random(2)) {
				irq_disable();
				sched_yield();
			}
		}
	for (unsigned i = 0; i < 20 + sim_random(40); i++)
		act_randomly(vcpu);
	gate_vm(vcpu, power_off);
	sim_fail("a VM that was powered off goes on");
}

static void test_stops(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < 2 * SEEDS; seed++) {
		struct vm *first;

		setup(seed, 1 + seed % 5, busy_guest, stop_machine);
		all_from_start();
		first = the_vm;
		/* And one beside it. */
		the_vm = vm_make(2);
		all_from_start();
		vm_start(first);
		vm_start(the_vm);
		run_all(seed);
		assert_int_equal(fake_vms.alive, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipis),   cmocka_unit_test(test_offers),
		cmocka_unit_test(test_starts), cmocka_unit_test(test_resets),
		cmocka_unit_test(test_stops),
	};

	return cmocka_run_group_tests_name("vcpu_smp", tests, NULL, NULL);
}
