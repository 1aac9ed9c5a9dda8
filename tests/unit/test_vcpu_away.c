/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What paravirtual guests count on, from many seeds on one to four simulated
 * CPUs: a vCPU that loses its CPU is told of as away, and no instruction of its
 * guest runs before its machine has seen what others asked for meanwhile; a
 * kick ends one HLT, this one or the next; what a vCPU waited for a CPU is
 * counted.
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

#define SEEDS  60
#define VCPUS  3
#define ROUNDS 60
#define FIRST  64 /* offset of vCPU 0's byte; others' follow */
#define AWAY   1
#define ASKED  2

static struct vm *the_vm;
static uint8_t memory[FIRST + VCPUS];
static unsigned asked[VCPUS], seen[VCPUS], times_away;
static uint64_t all_waited, started;
static unsigned kicks, passed;
static bool is_halted;

static void setup(unsigned seed, unsigned vcpus, guest_fn guest,
		  machine_fn machine)
{
	sim_setup(1 + seed % 4, seed + 1);
	fake_vms = (struct fake_vms){ .guest = guest,
				      .machine = machine,
				      .window = memory,
				      .window_size = sizeof(memory) };
	memset(memory, 0, sizeof(memory));
	memset(asked, 0, sizeof(asked));
	memset(seen, 0, sizeof(seen));
	kicks = passed = 0;
	is_halted = false;
	the_vm = vm_make(vcpus);
	for (unsigned i = 0; i < vcpus; i++)
		the_vm->vcpu[i]->pending &= ~(uint32_t)PENDING_WAIT_SIPI;
	started = sim.now;
	vm_start(the_vm);
}

static void run_all(unsigned seed)
{
	const char *why = sim_run();

	if (why)
		fail_msg("seed %u, %u CPUs: %s", seed, sim.cpu_count, why);
	assert_int_equal(fake_vms.off, 1);
	sim_teardown();
}

static void kick(struct vcpu *vcpu)
{
	irq_disable();
	vcpu_notify(vcpu, PENDING_UNHALT);
	sim_user(1);
}

/* ---- Away -----------------------------------------------------------------
 */

static uint8_t *byte_of(unsigned id)
{
	return &memory[FIRST + id];
}

static void away_guest(struct vcpu *vcpu, struct exit_info *info)
{
	SIM_CHECK(!__atomic_load_n(byte_of(vcpu->id), __ATOMIC_SEQ_CST));
	SIM_CHECK(asked[vcpu->id] == seen[vcpu->id]);
	if (guest_spend(info, 1 + sim_random(8)))
		return;
	/* The first never waits: it is to come to the end. */
	if (vcpu->id && sim_random(3) == 0)
		guest_exits(info, EXIT_HLT, 1);
	else
		guest_exits(info, sim_random(3) ? EXIT_PAUSE : EXIT_SHUTDOWN,
			    2);
}

/* As machine/kvm_steal.c. */
static void arrive(struct vcpu *vcpu)
{
	unsigned id = vcpu->id;
	uint8_t was = __atomic_exchange_n(byte_of(id), 0, __ATOMIC_SEQ_CST);

	SIM_CHECK(was == 0 || was == AWAY || was == (AWAY | ASKED));
	SIM_CHECK(!was || !vcpu->page->away_offset);
	times_away += was != 0;
	seen[id] += was > AWAY;
	sim_user(sim_random(4));
	__atomic_store_n(&vcpu->page->away_offset, FIRST + id,
			 __ATOMIC_SEQ_CST);
}

static void ask(unsigned id)
{
	uint8_t was = AWAY;

	asked[id] += __atomic_compare_exchange_n(
		byte_of(id), &was, AWAY | ASKED, false, __ATOMIC_SEQ_CST,
		__ATOMIC_SEQ_CST);
}

static void away_machine(struct vcpu *vcpu)
{
	uint64_t waited = 0;

	SIM_CHECK(vcpu->page->waited_ticks <= sim.now - started);
	for (unsigned i = 0; i < ROUNDS || vcpu->id; i++) {
		if (vcpu_go(vcpu) == GATE_EXIT_NONE)
			arrive(vcpu);
		SIM_CHECK(vcpu->page->waited_ticks >= waited);
		all_waited += vcpu->page->waited_ticks - waited;
		waited = vcpu->page->waited_ticks;
		ask(sim_random(VCPUS));
		if (vcpu->id == 0)
			kick(the_vm->vcpu[1 + sim_random(VCPUS - 1)]);
	}
}

static void test_away(void **unused)
{
	unsigned all_asked = 0;

	(void)unused;
	times_away = 0;
	all_waited = 0;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		setup(seed, VCPUS, away_guest, away_machine);
		for (unsigned i = 0; i < VCPUS; i++)
			the_vm->vcpu[i]->page->away_offset = FIRST + i;
		run_all(seed);
		for (unsigned i = 0; i < VCPUS; i++)
			all_asked += asked[i];
	}
	assert_true(times_away > SEEDS);
	assert_true(all_asked > SEEDS);
	assert_true(all_waited > SEEDS);
}

/* Alone on its CPU, whose HLT a sibling on another one ends: what it waits for
 * that is not waiting for a CPU. */
static void rest_guest(struct vcpu *vcpu, struct exit_info *info)
{
	if (guest_spend(info, 1 + sim_random(8)))
		return;
	if (vcpu->id)
		guest_exits(info, EXIT_SHUTDOWN, 0);
	else
		guest_exits(info, sim_random(2) ? EXIT_HLT : EXIT_SHUTDOWN, 1);
}

static void rest_machine(struct vcpu *vcpu)
{
	struct vcpu *first = the_vm->vcpu[0];
	uint64_t before = vcpu->page->waited_ticks;

	for (unsigned i = 0; i < ROUNDS || vcpu->id; i++) {
		(void)vcpu_go(vcpu);
		if (vcpu->id) {
			sim_user(200);
			kick(first);
		}
	}
	SIM_CHECK(first->page->idle_ticks > 0);
	SIM_CHECK((vcpu->page->waited_ticks - before) * 4 <
		  first->page->idle_ticks);
}

static void test_rest(void **unused)
{
	(void)unused;
	for (unsigned seed = 3; seed < SEEDS; seed += 4) {
		setup(seed, 2, rest_guest, rest_machine);
		run_all(seed);
	}
}

/* Places that are none: nothing is written, and nobody told. */
static void lies_machine(struct vcpu *vcpu)
{
	static const uint64_t lies[] = { 1ULL << 40, UINT64_MAX,
					 UINT64_MAX - GATE_WINDOW_VA,
					 FIRST + VCPUS };

	for (unsigned i = 0; i < 4 * ARRAY_SIZE(lies); i++) {
		vcpu->page->away_offset = lies[i % ARRAY_SIZE(lies)];
		irq_disable();
		sched_yield();
		sim_user(1);
		SIM_CHECK(vcpu_go(vcpu) == GATE_EXIT_SHUTDOWN);
	}
}

static void lies_guest(struct vcpu *vcpu, struct exit_info *info)
{
	(void)vcpu;
	guest_exits(info, EXIT_SHUTDOWN, 0);
}

static void test_lies(void **unused)
{
	(void)unused;
	setup(0, 2, lies_guest, lies_machine);
	run_all(0);
	for (unsigned i = 0; i < sizeof(memory); i++)
		assert_int_equal(memory[i], 0);
}

/* ---- Kicks ----------------------------------------------------------------
 */

/* Halts for ever, interrupts off: only a kick gets it on, one time each. */
static void kicked_guest(struct vcpu *vcpu, struct exit_info *info)
{
	if (vcpu->id) {
		guest_exits(info, EXIT_SHUTDOWN, 0);
		return;
	}
	passed += is_halted;
	SIM_CHECK(passed <= kicks);
	is_halted = passed < ROUNDS;
	if (!is_halted)
		guest_exits(info, EXIT_SHUTDOWN, 0);
	else if (!guest_spend(info, sim_random(12)))
		guest_exits(info, EXIT_HLT, 1);
	else
		is_halted = false;
}

static void kicking_machine(struct vcpu *vcpu)
{
	if (vcpu->id == 0) {
		SIM_CHECK(vcpu_go(vcpu) == GATE_EXIT_SHUTDOWN);
		SIM_CHECK(passed == ROUNDS);
		return;
	}
	while (kicks < ROUNDS) {
		kicks++;
		kick(the_vm->vcpu[0]);
		while (passed < kicks) {
			irq_disable();
			sched_yield();
			sim_user(1 + sim_random(4));
		}
	}
	for (;;)
		(void)vcpu_go(vcpu);
}

static void test_kicks(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		setup(seed, 2, kicked_guest, kicking_machine);
		run_all(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_away),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_kicks),
	};

	return cmocka_run_group_tests_name("vcpu_away", tests, NULL, NULL);
}
