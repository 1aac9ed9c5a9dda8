/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of many vectors between vCPUs, from many seeds on one to four
 * simulated CPUs: whatever comes when, also while another one goes in, none
 * goes in above one of its class or a higher one, none is lost, and the
 * registers that show what is in service show just that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "include/x86_msr.h"
#include "tests/unit/fake/vm.h"

#define SEEDS  120
#define VCPUS  3
#define ROUNDS 40
#define LEVEL  0x61
#define SELF   0x71
#define DEPTH  16

#define MSR_X2APIC(reg) (MSR_X2APIC_FIRST + (reg))

static const uint8_t vectors[] = { 0x31, 0x41, 0x42, 0x51, LEVEL, 0x91, 0xef };

static struct vm *the_vm;

/* What a guest knows of itself. */
static struct {
	uint8_t service[DEPTH];
	unsigned depth;
	bool is_on;	/* its APIC accepts interrupts */
	bool has_asked; /* for a register that was this */
	uint32_t answer;
} of[VCPUS];
/* Sent, and not seen since. */
static uint8_t wanted[VCPUS][256];
static bool is_over;
static unsigned delivered, nested;

static void interrupt_delivered(struct vcpu *vcpu, const struct event *event)
{
	unsigned id = vcpu->id, depth = of[id].depth;

	SIM_CHECK(event->kind == EVENT_INTERRUPT && depth < DEPTH);
	SIM_CHECK(!depth ||
		  event->vector >> 4 > of[id].service[depth - 1] >> 4);
	of[id].service[of[id].depth++] = event->vector;
	__atomic_store_n(&wanted[id][event->vector], 0, __ATOMIC_SEQ_CST);
	delivered++;
	nested += depth > 0;
}

static void msr_exit(struct vcpu *vcpu, struct exit_info *info, uint32_t msr,
		     bool is_write, uint32_t value)
{
	uint64_t *gpr = vcpu->vendor.state->gpr;

	gpr[X86_RCX] = msr;
	gpr[X86_RAX] = value;
	gpr[X86_RDX] = 0;
	guest_exits(info, EXIT_MSR, 2);
	info->is_write = is_write;
}

static void ask(struct vcpu *vcpu, struct exit_info *info)
{
	unsigned id = vcpu->id;
	uint32_t word = sim_random(8);

	of[id].has_asked = true;
	of[id].answer = 0;
	for (unsigned i = 0; i < of[id].depth; i++)
		if (of[id].service[i] / 32 == word)
			of[id].answer |= 1U << of[id].service[i] % 32;
	msr_exit(vcpu, info, MSR_X2APIC(APIC_REG_ISR) + word, false, 0);
}

static void check_answer(struct vcpu *vcpu)
{
	unsigned id = vcpu->id;

	if (!of[id].has_asked)
		return;
	of[id].has_asked = false;
	SIM_CHECK(vcpu->vendor.state->gpr[X86_RAX] == of[id].answer);
}

static void random_guest(struct vcpu *vcpu, struct exit_info *info)
{
	unsigned id = vcpu->id;

	check_answer(vcpu);
	for (;;) {
		if (sim_random(2))
			vcpu->vendor.state->rflags ^= X86_FLAG_IF;
		if (of[id].depth && !sim_random(3)) {
			of[id].depth--;
			msr_exit(vcpu, info, MSR_X2APIC(APIC_REG_EOI), true, 0);
			return;
		}
		switch (sim_random(8)) {
		case 0:
			guest_exits(info, EXIT_CPUID, 2);
			return;
		case 1:
			guest_exits(info, EXIT_SHUTDOWN, 0);
			return;
		case 2:
			/* Only who has nothing in service is sure to wake. */
			if (of[id].depth || !id)
				break;
			vcpu->vendor.state->rflags |= X86_FLAG_IF;
			guest_exits(info, EXIT_HLT, 1);
			return;
		case 3:
			ask(vcpu, info);
			return;
		case 4:
			if (is_over)
				break;
			wanted[id][SELF] = 1;
			msr_exit(vcpu, info, MSR_X2APIC(APIC_REG_SELF_IPI),
				 true, SELF);
			return;
		default:
			if (guest_spend(info, 1 + sim_random(6)))
				return;
		}
	}
}

static void x2apic_on(struct vcpu *vcpu)
{
	SIM_CHECK(!apic_msr_write(&vcpu->apic, MSR_APIC_BASE,
				  vcpu->apic.base | APIC_BASE_ENABLE |
					  APIC_BASE_X2APIC));
	SIM_CHECK(
		!apic_msr_write(&vcpu->apic, MSR_X2APIC(APIC_REG_SVR), 0x1ff));
	of[vcpu->id].is_on = true;
}

static void send(struct vcpu *vcpu)
{
	unsigned to = sim_random(VCPUS);
	uint8_t vector = vectors[sim_random(ARRAY_SIZE(vectors))];

	(void)vcpu;
	if (!of[to].is_on)
		return;
	__atomic_store_n(&wanted[to][vector], 1, __ATOMIC_SEQ_CST);
	apic_post(&the_vm->vcpu[to]->apic, vector, vector == LEVEL);
}

static bool is_all_seen(void)
{
	for (unsigned i = 0; i < VCPUS; i++)
		for (unsigned vector = 0; vector < 256; vector++)
			if (__atomic_load_n(&wanted[i][vector],
					    __ATOMIC_SEQ_CST))
				return false;
	return true;
}

static void random_machine(struct vcpu *vcpu)
{
	gate_vm(vcpu, x2apic_on);
	for (unsigned i = 0; i < ROUNDS || vcpu->id; i++) {
		(void)vcpu_go(vcpu);
		if (!is_over)
			gate_vm(vcpu, send);
	}
	for (is_over = true; !is_all_seen(); sim_user(1)) {
		(void)vcpu_go(vcpu);
		irq_disable();
		sched_yield();
	}
}

static void run(unsigned seed)
{
	const char *why;

	sim_setup(1 + seed % 4, seed + 1);
	fake_vms = (struct fake_vms){ .guest = random_guest,
				      .machine = random_machine,
				      .delivered = interrupt_delivered };
	memset(of, 0, sizeof(of));
	memset(wanted, 0, sizeof(wanted));
	is_over = false;
	the_vm = vm_make(VCPUS);
	for (unsigned i = 0; i < VCPUS; i++)
		the_vm->vcpu[i]->pending &= ~(uint32_t)PENDING_WAIT_SIPI;
	vm_start(the_vm);
	why = sim_run();
	if (why)
		fail_msg("seed %u, %u CPUs: %s", seed, sim.cpu_count, why);
	assert_int_equal(fake_vms.off, 1);
	sim_teardown();
}

static void test_random(void **unused)
{
	(void)unused;
	delivered = nested = 0;
	for (unsigned seed = 0; seed < SEEDS; seed++)
		run(seed);
	assert_true(delivered > SEEDS * ROUNDS);
	assert_true(nested > SEEDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("vcpu_vectors", tests, NULL, NULL);
}
