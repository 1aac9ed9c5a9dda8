/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries: what goes into a new VMCB, registers, ASIDs, TLB control, clean
 * bits, a vCPU that moves between CPUs.
 */
#include "tests/unit/svm_test.h"

static const struct vmcb *run_on(void)
{
	(void)run(guest_cpuid);
	return &entered;
}

/* ---- A new VMCB ---------------------------------------------------------- */

/* What no guest may do without an exit: APM, "Intercepts". */
static void test_intercepts(void **unused)
{
	const struct vmcb *v = run_on();

	(void)unused;
	/* INTR NMI INIT, RDPMC, CPUID RSM, INVD, HLT, INVLPGA IOIO MSR,
	 * FERR SHUTDOWN. */
	assert_int_equal(v->intercept, 0xdd4c800b);
	/* VMRUN .. SKINIT, WBINVD MONITOR MWAIT, XSETBV RDPRU. */
	assert_int_equal(v->intercept2, 0x6e7f);
	assert_int_equal(v->intercept_dr, 0xffffffff);
	assert_int_equal(v->intercept_exceptions, 0x60002);
	assert_int_equal(v->intercept_cr, 0);
	assert_int_equal(v->nested_control, 1);
	assert_int_equal(v->nested_cr3, TEST_ROOT);
	assert_int_equal(v->iopm_hpa, svm_iopm_hpa);
	assert_int_equal(v->msrpm_hpa, virt_to_phys(vm.private));
	assert_int_equal(v->int_ctl, V_INTR_MASKING);
}

static const struct vmcb *run_new(void)
{
	svm_vendor.vcpu_fini(&vcpu);
	test_vcpu_init(&vcpu, &page.state);
	svm = vcpu.private;
	vmcb = svm->vmcb;
	svm_vendor.state_store(&vcpu, X86_GROUP_CONTROL);
	return run_on();
}

static void test_cr4_is_looked_at(void **unused)
{
	(void)unused;
	vm.host_cr4_mask = vm.guest_cr4_mask | 0x100000;
	assert_int_equal(run_new()->intercept_cr, 0x100000);
	/* Nor is it left to the guest when the mode is no more looked at. */
	svm_features.is_tcg = true;
	svm_vendor.state_store(&vcpu, X86_GROUP_CONTROL);
	assert_int_equal(run_on()->intercept_cr, 0x100000);
	vm.host_cr4_mask = vm.guest_cr4_mask & ~0x10;
	assert_int_equal(run_new()->intercept_cr, 0);
}

static void guest_invalid(struct vmcb *v)
{
	v->exit_code = UINT32_MAX; /* QEMU's has 32 bits */
	v->cr3 = 0x7000;
}

/* Reserved bits of CR3 and CR4; but what VMRUN refuses has the host's CR3. */
static void test_invalid_is_looked_at(void **unused)
{
	(void)unused;
	(void)run_new();
	assert_int_equal(run(guest_invalid).reason, EXIT_INVALID);
	svm_features.is_tcg = true;
	assert_int_equal(run(guest_invalid).reason, EXIT_CR);
	fake_x86.cr[3] = 0x7000;
	assert_int_equal(run(guest_invalid).reason, EXIT_INVALID);
	fake_x86.cr[3] = 0;
}

static void test_pause(void **unused)
{
	(void)unused;
	assert_int_equal(run_new()->intercept & 0x800000, 0);
	vm.exits_on_pause = true;
	assert_int_equal(run_new()->intercept & 0x800000, 0x800000);
	assert_int_equal(entered.pause_count, 0);
	svm_features.has_pause_filter = true;
	assert_in_range(run_new()->pause_count, 1, UINT16_MAX);
	vm.exits_on_pause = false;
	assert_int_equal(run_new()->intercept & 0x800000, 0);
}

/* An error leaves nothing behind. */
static void test_no_memory(void **unused)
{
	struct vendor_vm poor;
	hpa_t last = 0;

	(void)setup_host(unused);
	poor = vm;
	for (hpa_t hpa; (hpa = pages_alloc(&pages, NULL, 0)); last = hpa)
		;
	assert_int_equal(svm_vendor.vm_init(&poor), -ENOMEM);
	vcpu = (struct vendor_vcpu){ .state = &page.state, .vm = &vm };
	assert_int_equal(svm_vendor.vcpu_init(&vcpu), -ENOMEM);
	assert_null(vcpu.private);
	/* Enough for one of the two that it takes. */
	pages_free(&pages, NULL, last, 0);
	assert_int_equal(svm_vendor.vcpu_init(&vcpu), -ENOMEM);
	assert_null(vcpu.private);
	assert_int_equal(pages.free, 1);
}

/* ---- Registers ----------------------------------------------------------- */

static void guest_changes(struct vmcb *v)
{
	guest_cpuid(v);
	v->rax = 0xa;
	v->rsp = 0xb;
	v->rip = 0xc;
	v->rflags = 0x246;
}

static void test_registers(void **unused)
{
	(void)unused;
	page.state.gpr[X86_RAX] = 0x1111;
	page.state.gpr[X86_RSP] = 0x2222;
	page.state.rip = 0x3333;
	page.state.rflags = 0x3;
	page.state.valid = 0x7f;
	vcpu.tsc_offset = 0x4444;
	(void)run(guest_changes);
	assert_int_equal(entered.rax, 0x1111);
	assert_int_equal(entered.rsp, 0x2222);
	assert_int_equal(entered.rip, 0x3333);
	assert_int_equal(entered.rflags, 0x3);
	assert_int_equal(entered.tsc_offset, 0x4444);
	assert_int_equal(entered_host, svm_cpus[0].host_vmcb_hpa);
	assert_int_equal(page.state.gpr[X86_RAX], 0xa);
	assert_int_equal(page.state.gpr[X86_RSP], 0xb);
	assert_int_equal(page.state.rip, 0xc);
	assert_int_equal(page.state.rflags, 0x246);
	/* All else is stale. */
	assert_int_equal(page.state.valid, X86_GROUP_GPR_RIP);
}

static void guest_sets_cr8(struct vmcb *v)
{
	guest_cpuid(v);
	v->int_ctl = (v->int_ctl & ~0xffULL) | 5;
}

static void test_tpr(void **unused)
{
	(void)unused;
	vcpu.tpr = 0x84;
	assert_int_equal(run_on()->int_ctl & 0xff, 8);
	assert_int_equal(vcpu.tpr, 0x84);
	(void)run(guest_sets_cr8);
	assert_int_equal(vcpu.tpr, 0x50);
	assert_int_equal(run_on()->int_ctl & 0xff, 5);
}

/* ---- Translations -------------------------------------------------------- */

#define VCPUS 10

static struct vendor_vcpu many[VCPUS];
static struct gate_page many_pages[VCPUS];

static void run_one(unsigned i, uint32_t cpu)
{
	struct exit_info info = { 0 };

	many[i].cpu = cpu;
	guest = guest_cpuid;
	svm_vendor.run(&many[i], &info);
	svm_vendor.switch_out(&many[i]);
}

static int setup_many(void **unused)
{
	(void)setup(unused);
	for (unsigned i = 0; i < VCPUS; i++)
		test_vcpu_init(&many[i], &many_pages[i].state);
	return 0;
}

static int teardown_many(void **unused)
{
	for (unsigned i = 0; i < VCPUS; i++)
		svm_vendor.vcpu_fini(&many[i]);
	return teardown(unused);
}

/* 8 ASIDs, 0 is the host's: the eighth guest begins a new generation. */
static void test_asids(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < 7; i++) {
		run_one(i, 0);
		assert_int_equal(entered.asid, i + 1);
	}
	/* Who comes back finds its translations. */
	run_one(0, 0);
	assert_int_equal(entered.asid, 1);
	assert_int_equal(entered.tlb_control, TLB_KEEP);
	/* A control area that has not changed is not looked at again. */
	assert_int_equal(entered.clean & 0x4, 0x4);
	run_one(7, 0);
	assert_int_equal(entered.asid, 1);
	assert_int_equal(entered.tlb_control, TLB_FLUSH_ALL);
	/* The first one's is gone, though its number has come round. */
	run_one(0, 0);
	assert_int_equal(entered.asid, 2);
	assert_int_equal(entered.clean, 0);
	run_one(7, 0);
	assert_int_equal(entered.asid, 1);
	assert_int_equal(entered.tlb_control, TLB_KEEP);
}

/* Never two at a time with one number and translations of the other's. */
static void test_asids_are_exclusive(void **unused)
{
	unsigned owner[2][8];
	uint32_t random = 1;

	(void)unused;
	memset(owner, 0xff, sizeof(owner));
	for (unsigned n = 0; n < 20000; n++) {
		unsigned i, cpu;

		random = random * 1103515245 + 12345;
		i = random >> 16 & 0xff;
		i %= VCPUS;
		cpu = random >> 28 & 1;
		run_one(i, cpu);
		assert_in_range(entered.asid, 1, 7);
		if (entered.tlb_control == TLB_FLUSH_ALL)
			memset(owner[cpu], 0xff, sizeof(owner[cpu]));
		if (owner[cpu][entered.asid] != i &&
		    entered.tlb_control != TLB_FLUSH_ASID)
			assert_int_equal(owner[cpu][entered.asid], UINT32_MAX);
		owner[cpu][entered.asid] = i;
		/* Nor with a VMCB that another CPU has in its cache. */
		if (many[i].tsc_offset != cpu + 1)
			assert_int_equal(entered.clean, 0);
		many[i].tsc_offset = cpu + 1;
	}
}

/* What it left behind on a CPU is not believed when it has been elsewhere. */
static void test_moves(void **unused)
{
	(void)unused;
	run_one(0, 0);
	run_one(1, 1);
	run_one(0, 1);
	assert_int_equal(entered.asid, 2);
	assert_int_equal(entered_host, svm_cpus[1].host_vmcb_hpa);
	assert_int_equal(entered.clean, 0);
	run_one(0, 0);
	assert_int_equal(entered.asid, 2);
	assert_int_equal(entered.clean, 0);
}

static void test_flush(void **unused)
{
	(void)unused;
	/* Nobody's before: whatever stands there goes. */
	assert_int_equal(run_on()->tlb_control, TLB_FLUSH_ALL);
	assert_int_equal(run_on()->tlb_control, TLB_KEEP);
	svm_vendor.tlb_flush(&vcpu);
	assert_int_equal(run_on()->tlb_control, TLB_FLUSH_ASID);
	assert_int_equal(run_on()->tlb_control, TLB_KEEP);
	svm_features.has_flush_asid = false;
	svm_vendor.tlb_flush(&vcpu);
	assert_int_equal(run_on()->tlb_control, TLB_FLUSH_ALL);
	assert_int_equal(run_on()->tlb_control, TLB_KEEP);
}

/* ---- Clean bits ---------------------------------------------------------- */

static void test_clean(void **unused)
{
	(void)unused;
	assert_int_equal(run_on()->clean, 0);
	assert_int_equal(run_on()->clean, 0x7f7);
}

static void test_no_clean_bits(void **unused)
{
	(void)unused;
	svm_features.has_clean_bits = false;
	assert_int_equal(run_new()->clean, 0);
	assert_int_equal(run_on()->clean, 0);
}

int main(void)
{
#define MANY_TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_many, teardown_many)
	const struct CMUnitTest tests[] = {
		TEST(test_intercepts),
		TEST(test_cr4_is_looked_at),
		TEST(test_invalid_is_looked_at),
		TEST(test_pause),
		cmocka_unit_test_setup_teardown(test_no_memory, NULL,
						teardown_host),
		TEST(test_registers),
		TEST(test_tpr),
		MANY_TEST(test_asids),
		MANY_TEST(test_asids_are_exclusive),
		MANY_TEST(test_moves),
		TEST(test_flush),
		TEST(test_clean),
		TEST(test_no_clean_bits),
	};

	return cmocka_run_group_tests_name("svm_run", tests, NULL, NULL);
}
