/* SPDX-License-Identifier: BSD-2-Clause */
/* What each exit becomes: an answer, or something for the machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "include/emulate.h"
#include "include/errno.h"
#include "tests/unit/fake/vm.h"

#define RIP 0x7c00

static struct exit_info next_info; /* the guest's next exit */
static bool is_next;
static struct vcpu *the_vcpu;

/* The exit that the test wants, once; then one that goes to the machine. */
static void guest(struct vcpu *vcpu, struct exit_info *info)
{
	(void)vcpu;
	if (is_next)
		*info = next_info;
	else
		guest_exits(info, EXIT_SHUTDOWN, 0);
	is_next = false;
}

static struct x86_state *state(void)
{
	return the_vcpu->vendor.state;
}

/* Runs the guest to that exit, and from it to the machine. */
static enum gate_exit to(enum exit_reason reason, uint8_t length)
{
	next_info.reason = reason;
	next_info.length = length;
	is_next = true;
	state()->rip = RIP;
	back_of(the_vcpu)->trace[0] = 0;
	return vcpu_go(the_vcpu);
}

/* It was answered: the guest went on, to where it was done. */
static bool was_answered(enum gate_exit exit, uint64_t rip, const char *trace)
{
	return exit == GATE_EXIT_SHUTDOWN && state()->rip == rip &&
	       !strcmp(back_of(the_vcpu)->trace, trace);
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
	struct vm *vm;

	sim_setup(1, 1);
	sim.switch_rate = 1000;
	fake_vms = (struct fake_vms){ .guest = guest, .machine = machine };
	script = what;
	memset(&next_info, 0, sizeof(next_info));
	is_next = false;
	vm = vm_make(1);
	the_vcpu = vm->vcpu[0];
	vm_start(vm);
	why = sim_run();
	if (why)
		fail_msg("%s", why);
	assert_int_equal(fake_vms.off, 1);
	assert_int_equal(sim.pages, 0);
	assert_int_equal(sim.stacks, 0);
	sim_teardown();
}

/* ---- Answered ------------------------------------------------------------ */

/* RIP goes on by the length; without one the machine is asked to. */
static void check_skip(enum exit_reason reason, enum emul_expect expect)
{
	SIM_CHECK(was_answered(to(reason, 3), RIP + 3, ""));
	SIM_CHECK(to(reason, 0) == GATE_EXIT_LENGTH);
	SIM_CHECK(the_vcpu->page->length.expect == expect);
	SIM_CHECK(state()->rip == RIP);
	SIM_CHECK(state()->valid & X86_GROUP_FETCH);
}

static void skips(struct vcpu *vcpu)
{
	(void)vcpu;
	check_skip(EXIT_CPUID, EMUL_EXPECT_CPUID);
	check_skip(EXIT_HYPERCALL, EMUL_EXPECT_VMMCALL);
	SIM_CHECK(state()->gpr[X86_RAX] == (uint64_t)-1000);
	check_skip(EXIT_WBINVD, EMUL_EXPECT_WBINVD);
	check_skip(EXIT_INVD, EMUL_EXPECT_INVD);
	check_skip(EXIT_PAUSE, EMUL_EXPECT_PAUSE);
	state()->gpr[X86_RCX] = 0x1b;
	check_skip(EXIT_MSR, EMUL_EXPECT_RDMSR);
	SIM_CHECK(state()->gpr[X86_RAX] == 0xfee00900);
	SIM_CHECK(state()->gpr[X86_RDX] == 0);
	next_info.is_write = true;
	check_skip(EXIT_MSR, EMUL_EXPECT_WRMSR);
	next_info.is_write = false;
}

static void test_skips(void **unused)
{
	(void)unused;
	simulate(skips);
}

static void cpuid(struct vcpu *vcpu)
{
	uint64_t *gpr = state()->gpr;

	(void)vcpu;
	gpr[X86_RAX] = 0xffffffff00000000;
	gpr[X86_RCX] = UINT64_MAX;
	(void)to(EXIT_CPUID, 2);
	SIM_CHECK(gpr[X86_RBX] == 0x68747541 && gpr[X86_RCX] == 0x444d4163);
	SIM_CHECK(gpr[X86_RDX] == 0x69746e65 && gpr[X86_RAX] <= UINT32_MAX);
	/* OSXSAVE follows CR4. */
	state()->cr4 = X86_CR4_OSXSAVE;
	gpr[X86_RAX] = 1;
	(void)to(EXIT_CPUID, 2);
	SIM_CHECK(gpr[X86_RCX] & BIT(27));
	state()->cr4 = 0;
	gpr[X86_RAX] = 1;
	(void)to(EXIT_CPUID, 2);
	SIM_CHECK(!(gpr[X86_RCX] & BIT(27)));
}

static void test_cpuid(void **unused)
{
	(void)unused;
	simulate(cpuid);
}

/* PAT is kept here, and goes to the back end with the control registers. */
static void pat(struct vcpu *vcpu)
{
	uint64_t *gpr = state()->gpr;

	gpr[X86_RCX] = 0x277;
	(void)to(EXIT_MSR, 2);
	SIM_CHECK(gpr[X86_RDX] == 0x00070406 && gpr[X86_RAX] == 0x00070406);
	back_of(vcpu)->stored = 0;
	gpr[X86_RDX] = 0x00070106;
	next_info.is_write = true;
	SIM_CHECK(was_answered(to(EXIT_MSR, 2), RIP + 2, ""));
	next_info.is_write = false;
	SIM_CHECK(vcpu->vendor.pat == 0x0007010600070406);
	SIM_CHECK(back_of(vcpu)->stored & X86_GROUP_CONTROL);
	gpr[X86_RDX] = 0;
	(void)to(EXIT_MSR, 2);
	SIM_CHECK(gpr[X86_RDX] == 0x00070106);
}

static void test_pat(void **unused)
{
	(void)unused;
	simulate(pat);
}

static void refusals(struct vcpu *vcpu)
{
	uint64_t *gpr = state()->gpr;

	(void)vcpu;
	gpr[X86_RCX] = 0x80f; /* the APIC is not in x2APIC mode */
	gpr[X86_RAX] = gpr[X86_RDX] = 0x55;
	SIM_CHECK(was_answered(to(EXIT_MSR, 2), RIP, "e0d:0000 "));
	SIM_CHECK(gpr[X86_RAX] == 0x55 && gpr[X86_RDX] == 0x55);
	next_info.is_write = true;
	SIM_CHECK(was_answered(to(EXIT_MSR, 2), RIP, "e0d:0000 "));
	next_info.is_write = false;
	SIM_CHECK(was_answered(to(EXIT_UNDEFINED, 3), RIP, "e06 "));
}

static void test_refusals(void **unused)
{
	(void)unused;
	simulate(refusals);
}

static void exceptions(struct vcpu *vcpu)
{
	(void)vcpu;
	next_info.vector = X86_VECTOR_DB;
	SIM_CHECK(was_answered(to(EXIT_EXCEPTION, 0), RIP, "e01 "));
	/* RF of the image: only faults set it, and #DB has said itself. */
	SIM_CHECK(!(state()->rflags & X86_FLAG_RF));
	next_info.vector = X86_VECTOR_AC;
	SIM_CHECK(was_answered(to(EXIT_EXCEPTION, 0), RIP, "e11:0000 "));
	SIM_CHECK(state()->rflags & X86_FLAG_RF);
	state()->rflags &= ~X86_FLAG_RF;
	SIM_CHECK(was_answered(to(EXIT_UNDEFINED, 3), RIP, "e06 "));
	SIM_CHECK(state()->rflags & X86_FLAG_RF);
	state()->rflags &= ~X86_FLAG_RF;
	/* Nothing of this CPU's, or nothing that the guest has lost by. */
	next_info.vector = X86_VECTOR_MC;
	SIM_CHECK(was_answered(to(EXIT_EXCEPTION, 0), RIP, ""));
	fake_vms.mcheck = MCHECK_GOES_ON;
	SIM_CHECK(was_answered(to(EXIT_EXCEPTION, 0), RIP, ""));
}

static void test_exceptions(void **unused)
{
	(void)unused;
	simulate(exceptions);
}

/* Exits that only let the guest go on. */
static void nothings(struct vcpu *vcpu)
{
	static const enum exit_reason reasons[] = { EXIT_HOST_INTERRUPT,
						    EXIT_HOST_NMI,
						    EXIT_INTERRUPT_WINDOW,
						    EXIT_NMI_WINDOW };

	(void)vcpu;
	for (unsigned i = 0; i < ARRAY_SIZE(reasons); i++)
		SIM_CHECK(was_answered(to(reasons[i], 0), RIP, ""));
}

static void test_nothings(void **unused)
{
	(void)unused;
	simulate(nothings);
}

/* ---- For the machine ----------------------------------------------------- */

/* MSRs that are not the monitor's, whether there are such or not. */
static void msrs(struct vcpu *vcpu)
{
	static const uint32_t rows[] = { 0x12345, 0xfe, 0x2ff, 0xc0010015 };
	uint64_t *gpr = state()->gpr;

	(void)vcpu;
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		next_info.is_write = i % 2;
		gpr[X86_RCX] = rows[i / 2];
		gpr[X86_RAX] = gpr[X86_RDX] = 0x55;
		SIM_CHECK(to(EXIT_MSR, 2) == GATE_EXIT_EMULATE);
		SIM_CHECK(state()->rip == RIP);
		SIM_CHECK(gpr[X86_RAX] == 0x55 && gpr[X86_RDX] == 0x55);
		SIM_CHECK((state()->valid & X86_GROUPS_COMMON) ==
			  X86_GROUPS_COMMON);
		SIM_CHECK(!back_of(the_vcpu)->trace[0]);
	}
}

static void test_msrs(void **unused)
{
	(void)unused;
	simulate(msrs);
}

static void io(struct vcpu *vcpu)
{
	struct gate_page *page = vcpu->page;

	next_info.io.port = 0x3f8;
	next_info.io.access = FIELD_PUT(GATE_IO_SIZE, 2) | GATE_IO_IN;
	SIM_CHECK(to(EXIT_IO, 1) == GATE_EXIT_IO);
	SIM_CHECK(page->io.port == 0x3f8);
	SIM_CHECK(page->io.access == next_info.io.access);
	SIM_CHECK(state()->rip == RIP + 1);
	next_info.io.access = FIELD_PUT(GATE_IO_SIZE, 2) | GATE_IO_STRING;
	SIM_CHECK(to(EXIT_IO, 2) == GATE_EXIT_IO_STRING);
	SIM_CHECK(!(page->io.access & GATE_IO_IN));
	SIM_CHECK(state()->rip == RIP);
	SIM_CHECK((state()->valid & X86_GROUPS_COMMON) == X86_GROUPS_COMMON);
}

static void test_io(void **unused)
{
	(void)unused;
	simulate(io);
}

static enum gate_exit out8(uint16_t port, uint8_t value)
{
	next_info.io.port = port;
	next_info.io.access = FIELD_PUT(GATE_IO_SIZE, 1);
	state()->gpr[X86_RAX] = 0xff00 | value;
	return to(EXIT_IO, 2);
}

/* Writes that are only counted, and when they are not. */
static void posts(struct vcpu *vcpu)
{
	struct gate_page *page = vcpu->page;

	page->post[0] = (struct gate_post){ 0x20, 0x20, true, 0 };
	page->post[1] = (struct gate_post){ 0x20, 0x61, true, 7 };
	SIM_CHECK(was_answered(out8(0x20, 0x61), RIP + 2, ""));
	SIM_CHECK(page->post[1].count == 8 && !page->post[0].count);
	SIM_CHECK(out8(0x20, 0x60) == GATE_EXIT_IO);
	SIM_CHECK(out8(0xa0, 0x61) == GATE_EXIT_IO);
	next_info.io.access = FIELD_PUT(GATE_IO_SIZE, 1) | GATE_IO_IN;
	SIM_CHECK(to(EXIT_IO, 2) == GATE_EXIT_IO);
	/* Before an interrupt that is offered has been taken. */
	page->extint = GATE_EXTINT_LEVEL;
	SIM_CHECK(out8(0x20, 0x61) == GATE_EXIT_IO);
	page->extint = GATE_EXTINT_LEVEL | GATE_EXTINT_TAKEN;
	SIM_CHECK(was_answered(out8(0x20, 0x61), RIP + 2, ""));
	SIM_CHECK(page->post[1].count == 9);
	page->post[1].enabled = false;
	SIM_CHECK(out8(0x20, 0x61) == GATE_EXIT_IO);
	SIM_CHECK(page->post[1].count == 9);
}

static void test_posts(void **unused)
{
	(void)unused;
	simulate(posts);
}

static void check_decode(enum exit_reason reason, enum gate_exit exit)
{
	SIM_CHECK(to(reason, 0) == exit);
	SIM_CHECK(state()->rip == RIP);
	SIM_CHECK((state()->valid & X86_GROUPS_COMMON) == X86_GROUPS_COMMON);
}

static uint32_t value_after(gpa_t gpa, uint32_t error)
{
	next_info.nested.apic_value = 0xdead;
	next_info.nested.gpa = gpa;
	next_info.nested.access = error;
	check_decode(EXIT_NESTED, GATE_EXIT_MMIO);
	return the_vcpu->page->mmio.apic_value;
}

/* A register goes with the exit if it was read, and looked at only then. */
static void check_apic_values(struct vcpu *vcpu)
{
	vcpu->apic.tpr = 0x50;
	SIM_CHECK(value_after(0xfee00080, 0) == 0x50);
	SIM_CHECK(value_after(0xfee00082, 0) == 0x50);
	SIM_CHECK(value_after(0xfee00080, GATE_MMIO_WRITE) == 0xdead);
	SIM_CHECK(value_after(0xfee00080, GATE_MMIO_FETCH) == 0xdead);
	SIM_CHECK(value_after(0xfee00080, GATE_MMIO_WALK) == 0xdead);
	SIM_CHECK(value_after(0xfee01080, 0) == 0xdead);
	SIM_CHECK(value_after(0xfedff080, 0) == 0xdead);
	vcpu->apic.tpr = 0;
}

static void decodes(struct vcpu *vcpu)
{
	struct gate_page *page = vcpu->page;

	check_decode(EXIT_CR, GATE_EXIT_EMULATE);
	check_decode(EXIT_DR, GATE_EXIT_EMULATE);
	check_decode(EXIT_XSETBV, GATE_EXIT_EMULATE);
	check_decode(EXIT_EMULATE, GATE_EXIT_EMULATE);
	check_decode(EXIT_SHADOWED, GATE_EXIT_SHADOWED);
	next_info.nested.gpa = 0xfee00300;
	next_info.nested.access = GATE_MMIO_WRITE;
	check_decode(EXIT_NESTED, GATE_EXIT_MMIO);
	SIM_CHECK(page->mmio.gpa == 0xfee00300 &&
		  page->mmio.access == GATE_MMIO_WRITE);
	next_info.nested.access = GATE_MMIO_FETCH;
	check_decode(EXIT_NESTED, GATE_EXIT_MMIO);
	SIM_CHECK(page->mmio.access == GATE_MMIO_FETCH);
	check_apic_values(vcpu);
	check_decode(EXIT_FETCH, GATE_EXIT_MMIO);
	next_info.emulate.count = 5;
	next_info.emulate.event = 0x7780000b0e;
	check_decode(EXIT_EMULATE_RUN, GATE_EXIT_EMULATE_RUN);
	SIM_CHECK(page->run.count == 5 && page->run.event == 0x7780000b0e);
	SIM_CHECK(to(EXIT_SHUTDOWN, 0) == GATE_EXIT_SHUTDOWN);
}

static void test_decodes(void **unused)
{
	(void)unused;
	simulate(decodes);
}

/* ---- What the instruction's end brings ----------------------------------- */

/* #DB after what was single-stepped, with DR6.BS; not in place of a fault. */
static void steps(struct vcpu *vcpu)
{
	state()->rflags |= X86_FLAG_TF;
	state()->dr6 = 0xffff0ff0;
	SIM_CHECK(was_answered(to(EXIT_CPUID, 2), RIP + 2, "e01 "));
	SIM_CHECK(state()->dr6 == 0xffff4ff0);
	SIM_CHECK(back_of(vcpu)->stored & X86_GROUP_DEBUG);
	state()->rflags |= X86_FLAG_TF;
	state()->gpr[X86_RCX] = 0x80f;
	SIM_CHECK(was_answered(to(EXIT_MSR, 2), RIP, "e0d:0000 "));
	state()->rflags |= X86_FLAG_TF;
	SIM_CHECK(to(EXIT_IO, 1) == GATE_EXIT_IO);
	state()->rflags &= ~X86_FLAG_TF;
	SIM_CHECK(was_answered(to(EXIT_CPUID, 2), RIP + 2, "e01 "));
	SIM_CHECK(was_answered(to(EXIT_CPUID, 2), RIP + 2, ""));
}

static void test_steps(void **unused)
{
	(void)unused;
	simulate(steps);
}

/* An interrupt that waits for the shadow's end goes in with it. */
static void shadows(struct vcpu *vcpu)
{
	irq_disable();
	apic_mmio_write(&vcpu->apic, APIC_REG_SVR * 16, 0x1ff);
	/* The machine hears of it before the guest goes on. */
	SIM_CHECK(vcpu_go(vcpu) == GATE_EXIT_EOI);
	apic_accept(&vcpu->apic, 0x41, false);
	state()->rflags |= X86_FLAG_IF;
	back_of(vcpu)->has_shadow = true;
	SIM_CHECK(was_answered(to(EXIT_CPUID, 2), RIP + 2, "i41 "));
	SIM_CHECK(!back_of(vcpu)->has_shadow);
}

static void test_shadows(void **unused)
{
	(void)unused;
	simulate(shadows);
}

/* ---- The end ------------------------------------------------------------- */

static enum exit_reason last_reason;
static uint8_t last_vector;

static void ends(struct vcpu *vcpu)
{
	(void)vcpu;
	next_info.vector = last_vector;
	fake_vms.mcheck = MCHECK_LOST;
	(void)to(last_reason, 0);
	sim_fail("the VM goes on");
}

static void test_ends(void **unused)
{
	static const struct {
		enum exit_reason reason;
		uint8_t vector;
	} cases[] = {
		{ EXIT_UNKNOWN, 0 },
		{ EXIT_INVALID, 0 },
		{ EXIT_EXCEPTION, X86_VECTOR_MC },
		{ EXIT_EXCEPTION, X86_VECTOR_PF },
	};

	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		last_reason = cases[i].reason;
		last_vector = cases[i].vector;
		simulate(ends);
		/* What the back end says of it takes its time. */
		assert_int_equal(logged.errors,
				 1 + (last_vector == X86_VECTOR_MC));
		assert_int_equal(logged.errors_irq_off,
				 last_vector == X86_VECTOR_MC);
	}
}

static void counts(struct vcpu *vcpu)
{
	(void)to(EXIT_CPUID, 2);
	(void)to(EXIT_CPUID, 2);
	SIM_CHECK(vcpu->exits[EXIT_CPUID] == 2);
	SIM_CHECK(vcpu->exits[EXIT_SHUTDOWN] == 3);
}

static void test_counts(void **unused)
{
	(void)unused;
	simulate(counts);
}

/* A reason that a back end can give has a handler. */
static void test_handlers(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < EXIT_REASON_COUNT; i++)
		assert_non_null(exit_handlers[i]);
}

/* ---- The CPUID table ----------------------------------------------------- */

static void second_table(struct vcpu *vcpu)
{
	static const struct cpuid_table other = {
		.basic[1].regs.ecx = UINT32_MAX,
	};
	const struct cpuid_table *first = vcpu->cpuid;

	SIM_CHECK(vm_set_cpuid(vcpu->vm, (uint64_t)&other) == -EEXIST);
	SIM_CHECK(vcpu->cpuid == first && vcpu->vm->cpuid == first);
}

static void test_second_table(void **unused)
{
	(void)unused;
	simulate(second_table);
}

static void no_table(struct vcpu *vcpu)
{
	vcpu_pend(vcpu, PENDING_NO_CPUID);
	(void)to(EXIT_CPUID, 2);
	sim_fail("the guest runs");
}

/* Nothing of the guest has run when its machine is told. */
static void test_no_table(void **unused)
{
	(void)unused;
	simulate(no_table);
	assert_int_equal(logged.errors, 2);
	assert_int_equal(logged.errors_irq_off, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_skips),
		cmocka_unit_test(test_cpuid),
		cmocka_unit_test(test_pat),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_msrs),
		cmocka_unit_test(test_second_table),
		cmocka_unit_test(test_no_table),
		cmocka_unit_test(test_exceptions),
		cmocka_unit_test(test_nothings),
		cmocka_unit_test(test_io),
		cmocka_unit_test(test_posts),
		cmocka_unit_test(test_decodes),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_shadows),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_handlers),
	};

	return cmocka_run_group_tests_name("vcpu_exits", tests, NULL, NULL);
}
