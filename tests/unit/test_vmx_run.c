/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries and exits against a VMCS that counts: which fields each exit costs
 * until the next one, and what becomes of events.  The test plays the monitor's
 * part, and the machine's.
 */
#include "tests/unit/vmx_test.h"

/* ---- What exits cost ----------------------------------------------------- */

static enum vmx_reason reason;

static void exit_reason(void)
{
	vmcs[VMCS_EXIT_REASON] = reason;
}

static void answered(const struct exit_info *info)
{
	assert_true(info->length);
	page.state.rip += info->length;
}

static void decoded(const struct exit_info *info)
{
	(void)info;
	vmx_vendor.state_load(&vcpu, X86_GROUP_SEGMENTS | X86_GROUP_CONTROL);
	page.state.rip += 3;
}

static void operand(const struct exit_info *info)
{
	(void)info;
	vmcs[VMCS_GUEST_RIGHTS(X86_CS)] = 0xa09b;
	vmx_vendor.state_load(&vcpu, X86_GROUPS_OPERAND);
	assert_int_equal(page.state.valid & X86_GROUPS_OPERAND,
			 X86_GROUP_FETCH);
	page.state.rip += 3;
}

static void operand_32(const struct exit_info *info)
{
	(void)info;
	vmcs[VMCS_GUEST_RIGHTS(X86_CS)] = 0xc09b;
	vmx_vendor.state_load(&vcpu, X86_GROUPS_OPERAND);
	assert_int_equal(page.state.valid & X86_GROUPS_OPERAND,
			 X86_GROUPS_OPERAND);
	page.state.rip += 3;
}

static void nothing(const struct exit_info *info)
{
	(void)info;
}

static void taken(const struct exit_info *info)
{
	struct event event = { .kind = EVENT_INTERRUPT, .vector = 0x40 };

	(void)info;
	assert_true(vmx_vendor.can_inject(&vcpu, EVENT_INTERRUPT));
	vmx_vendor.inject(&vcpu, &event);
}

struct cost {
	const char *name;
	uint8_t reason;
	unsigned reads, writes;
	void (*act)(const struct exit_info *info);
};

#define APIC_WRITE FIELD_PUT(QUALIFICATION_APIC_TYPE, APIC_ACCESS_WRITE)
#define APIC_FETCH FIELD_PUT(QUALIFICATION_APIC_TYPE, 2)

/* From one exit to the next; docs/vt-x.md shows this table. */
/* clang-format off */
static const struct cost costs[] = {
	{ "CPUID",              REASON_CPUID,               6,  1, answered },
	{ "RDMSR",              REASON_RDMSR,               6,  1, answered },
	{ "WRMSR",              REASON_WRMSR,               6,  1, answered },
	{ "HLT",                REASON_HLT,                 6,  1, answered },
	{ "VMCALL",             REASON_VMCALL,              6,  1, answered },
	{ "WBINVD",             REASON_WBINVD,              6,  1, answered },
	{ "PAUSE",              REASON_PAUSE,               6,  1, answered },
	{ "I/O",                REASON_IO,                  7,  1, answered },
	{ "EPT violation",      REASON_EPT_VIOLATION,      14,  1, operand },
	{ "same, 32-bit",       REASON_EPT_VIOLATION,      37,  1, operand_32 },
	{ "CR access",          REASON_CR_ACCESS,          33,  1, decoded },
	{ "APIC EOI",           REASON_APIC_ACCESS,         8,  1, answered },
	{ "host interrupt",     REASON_EXTERNAL_INTERRUPT,  4,  0, nothing },
	{ "preemption timer",   REASON_PREEMPTION_TIMER,    4,  1, nothing },
	{ "interrupt window",   REASON_INTERRUPT_WINDOW,    5,  2, taken },
	{ "TPR threshold",      REASON_TPR_BELOW_THRESHOLD, 5,  2, taken },
};
/* clang-format on */

static void test_costs(void **unused)
{
	for (unsigned i = 0; i < ARRAY_SIZE(costs); i++) {
		const struct cost *c = &costs[i];
		struct exit_info info;

		(void)setup(unused);
		page.state.rflags = vmx_vcpu.rflags |= X86_FLAG_IF;
		vmcs[VMCS_GUEST_RFLAGS] = page.state.rflags;
		if (c->reason == REASON_INTERRUPT_WINDOW)
			vmx_vendor.open_window(&vcpu, EVENT_INTERRUPT, 4);
		(void)run_on();
		reason = c->reason;
		guest = exit_reason;
		vmcs[VMCS_EXIT_QUALIFICATION] = reason == REASON_APIC_ACCESS
							? APIC_WRITE | APIC_EOI
							: 0;
		reads = writes = 0;
		info = run();
		c->act(&info);
		/* The next entry's writes; its exit's reads are the next's. */
		guest = exit_cpuid;
		(void)run();
		reads -= 6;
		printf("| %-16s | %2u | %u |\n", c->name, reads, writes);
		if (reads != c->reads || writes != c->writes)
			fail_msg("%s: %u reads, %u writes; not %u and %u",
				 c->name, reads, writes, c->reads, c->writes);
	}
}

/* ---- Events -------------------------------------------------------------- */

static unsigned cut_type;
static bool has_error;

/* An EPT violation by the delivery of vector 0x31. */
static void exit_in_delivery(void)
{
	vmcs[VMCS_EXIT_REASON] = REASON_EPT_VIOLATION;
	vmcs[VMCS_IDT_VECTORING_INFO] =
		event_of(cut_type, 0x31) |
		(has_error ? INTERRUPTION_HAS_ERROR : 0);
	vmcs[VMCS_IDT_VECTORING_ERROR] = 0x1234;
}

/* #AC while vector 0x31 was delivered: the one left to be told again. */
static void exit_exception_in_delivery(void)
{
	exit_in_delivery();
	vmcs[VMCS_EXIT_REASON] = REASON_EXCEPTION_OR_NMI;
	vmcs[VMCS_EXIT_INTERRUPTION_INFO] =
		event_of(TYPE_EXCEPTION, X86_VECTOR_AC);
}

static void exit_in_delivery_to_apic(void)
{
	exit_in_delivery();
	vmcs[VMCS_EXIT_REASON] = REASON_APIC_ACCESS;
}

/* The device is met by the event: the machine delivers it. */
static void test_delivery_meets_device(void **unused)
{
	struct exit_info info;

	(void)unused;
	cut_type = TYPE_EXCEPTION;
	has_error = true;
	guest = exit_in_delivery;
	info = run();
	assert_int_equal(info.reason, EXIT_EMULATE_RUN);
	assert_int_equal(info.emulate.count, 0);
	assert_int_equal(info.emulate.event, event_of(TYPE_EXCEPTION, 0x31) |
						     INTERRUPTION_HAS_ERROR |
						     0x1234UL << 32);
	(void)run_on();
	assert_int_equal(injected & INTERRUPTION_VALID, 0);

	/* The machine executes INT n anew, from its instruction. */
	cut_type = TYPE_SOFTWARE;
	has_error = false;
	guest = exit_in_delivery;
	assert_int_equal(run().reason, EXIT_NESTED);
	(void)run_on();
	assert_int_equal(injected & INTERRUPTION_VALID, 0);
}

/* An NMI is not delivered yet, but its blocking had begun. */
static void test_nmi_cut_short(void **unused)
{
	(void)unused;
	cut_type = TYPE_NMI;
	has_error = false;
	vmcs[VMCS_GUEST_INTERRUPTIBILITY] = BLOCKED_BY_NMI;
	guest = exit_exception_in_delivery;
	assert_int_equal(run().reason, EXIT_EXCEPTION);
	assert_int_equal(vmcs[VMCS_GUEST_INTERRUPTIBILITY], 0);
	assert_false(vmx_vendor.can_inject(&vcpu, EVENT_NMI));
	(void)run_on();
	assert_int_equal(injected, event_of(TYPE_NMI, 0x31));
	/* The machine's delivery blocks as the processor's does. */
	vmcs[VMCS_GUEST_INTERRUPTIBILITY] = BLOCKED_BY_NMI;
	guest = exit_in_delivery;
	assert_int_equal(run().emulate.event, event_of(TYPE_NMI, 0x31));
	assert_int_equal(vmcs[VMCS_GUEST_INTERRUPTIBILITY], BLOCKED_BY_NMI);
}

static uint64_t qualification;

static void exit_nested(void)
{
	vmcs[VMCS_EXIT_REASON] = REASON_EPT_VIOLATION;
	vmcs[VMCS_EXIT_QUALIFICATION] = qualification;
}

/* IRET had unblocked NMIs when it faulted: they are blocked until it is done.*/
static void test_iret_faults(void **unused)
{
	(void)unused;
	guest = exit_nested;
	qualification = QUALIFICATION_EPT_NMI_UNBLOCK;
	assert_int_equal(run().reason, EXIT_NESTED);
	assert_int_equal(vmcs[VMCS_GUEST_INTERRUPTIBILITY], BLOCKED_BY_NMI);
	/* Where an event was on its way, even INT n, the bit says nothing. */
	(void)setup(unused);
	cut_type = TYPE_SOFTWARE;
	guest = exit_in_delivery;
	vmcs[VMCS_EXIT_QUALIFICATION] = qualification;
	assert_int_equal(run().reason, EXIT_NESTED);
	assert_int_equal(vmcs[VMCS_GUEST_INTERRUPTIBILITY], 0);
}

/* A fetch from what can be read is for core to allow; from nothing it is not.*/
static void test_fetch(void **unused)
{
	struct exit_info info;

	(void)unused;
	guest = exit_nested;
	qualification = QUALIFICATION_EPT_FETCH | QUALIFICATION_EPT_TRANSLATED;
	info = run();
	assert_int_equal(info.reason, EXIT_NESTED);
	assert_int_equal(info.nested.access, GATE_MMIO_FETCH);
	qualification |= BIT(3); /* readable */
	info = run();
	assert_int_equal(info.reason, EXIT_FETCH);
	assert_int_equal(info.nested.access, GATE_MMIO_FETCH);
	qualification &= ~QUALIFICATION_EPT_FETCH;
	assert_int_equal(run().reason, EXIT_NESTED);
}

static void exit_apic(void)
{
	vmcs[VMCS_EXIT_REASON] = REASON_APIC_ACCESS;
	vmcs[VMCS_EXIT_QUALIFICATION] = qualification;
}

/* EOI alone needs no look at the instruction, and only when it is written. */
static void test_apic_page(void **unused)
{
	struct exit_info info;

	(void)unused;
	guest = exit_apic;
	qualification = APIC_WRITE | APIC_EOI;
	vmcs[VMCS_GUEST_INTERRUPTIBILITY] = BLOCKED_BY_STI;
	info = run();
	assert_int_equal(info.reason, EXIT_APIC_EOI);
	assert_int_equal(info.length, 2);
	assert_true(vcpu.has_shadow);
	qualification = APIC_EOI;
	info = run();
	assert_int_equal(info.reason, EXIT_NESTED);
	assert_int_equal(info.nested.gpa, 0xfee000b0);
	assert_int_equal(info.nested.access, 0);
	qualification = APIC_FETCH | APIC_EOI;
	info = run();
	assert_int_equal(info.nested.access, GATE_MMIO_WALK);
	qualification = APIC_WRITE | 0x300;
	info = run();
	assert_int_equal(info.reason, EXIT_NESTED);
	assert_int_equal(info.nested.gpa, 0xfee00300);
	assert_int_equal(info.nested.access, GATE_MMIO_WRITE);
	/* An event that pushes there is the machine's to deliver. */
	cut_type = TYPE_EXTERNAL;
	guest = exit_in_delivery_to_apic;
	info = run();
	assert_int_equal(info.reason, EXIT_EMULATE_RUN);
	assert_int_equal(info.emulate.event, event_of(TYPE_EXTERNAL, 0x31));
}

static void exit_tpr(void)
{
	*vmx_vcpu.tpr = 0x37;
	exit_cpuid();
}

/* All eight bits of the TPR go both ways. */
static void test_tpr(void **unused)
{
	(void)unused;
	vcpu.tpr = 0x84;
	(void)run_on();
	assert_int_equal(*vmx_vcpu.tpr, 0x84);
	guest = exit_tpr;
	(void)run();
	assert_int_equal(vcpu.tpr, 0x37);
	/* MOV to CR8 of what is there changes nothing, else the lower half. */
	vmx_vendor.state_load(&vcpu, X86_GROUP_CONTROL);
	assert_int_equal(page.state.cr8, 3);
	vendor_cr8_set(&vcpu, 3);
	assert_int_equal(vcpu.tpr, 0x37);
	vendor_cr8_set(&vcpu, 4);
	assert_int_equal(vcpu.tpr, 0x40);
}

/* ---- The APIC's page read by the processor ------------------------------- */

/* SDM, "Secondary Processor-Based VM-Execution Controls". */
#define APIC_REGISTERS_ON 0x100

/* On and off with the APIC. */
static void test_apic_mode(void **unused)
{
	(void)unused;
	vmcs[VMCS_PROC_CONTROLS2] = PROC2_EPT;
	(void)run_on();
	assert_int_equal(vmcs[VMCS_PROC_CONTROLS2], PROC2_EPT);
	apic.is_virtual = vcpu.has_changed = true;
	(void)run_on();
	assert_int_equal(vmcs[VMCS_PROC_CONTROLS2],
			 APIC_REGISTERS_ON | PROC2_EPT);
	/* It costs nothing then. */
	reads = writes = 0;
	(void)run_on();
	assert_int_equal(reads, 6);
	assert_int_equal(writes, 0);
	apic.is_virtual = false;
	vcpu.has_changed = true;
	(void)run_on();
	assert_int_equal(vmcs[VMCS_PROC_CONTROLS2], PROC2_EPT);
}

static void exit_apic_write(void)
{
	vmcs[VMCS_EXIT_REASON] = 56;
	vmcs[VMCS_EXIT_QUALIFICATION] = qualification;
}

/* It comes after the instruction: no length to be stepped over. */
static void test_apic_write(void **unused)
{
	struct exit_info info;

	(void)unused;
	guest = exit_apic_write;
	qualification = 0x380;
	(void)run();
	reads = writes = 0;
	info = run();
	assert_int_equal(reads, 5);
	assert_int_equal(writes, 0);
	assert_int_equal(info.reason, EXIT_APIC_WRITE);
	assert_int_equal(info.apic_offset, 0x380);
	assert_int_equal(info.length, 0);
}

/* ---- Windows ------------------------------------------------------------- */

static void inject(enum event_kind kind, uint8_t vector)
{
	struct event event = { .kind = kind, .vector = vector };

	vmx_vendor.inject(&vcpu, &event);
}

/* What a window was opened for has gone in: no exit for it follows. */
static void test_windows_close(void **unused)
{
	(void)unused;
	vmx_vendor.open_window(&vcpu, EVENT_INTERRUPT, 16);
	(void)run_on();
	assert_true(vmcs[VMCS_PROC_CONTROLS] & PROC_INTERRUPT_WINDOW);
	inject(EVENT_INTERRUPT, 0x40);
	(void)run_on();
	assert_int_equal(injected, event_of(TYPE_EXTERNAL, 0x40));
	assert_false(vmcs[VMCS_PROC_CONTROLS] & PROC_INTERRUPT_WINDOW);

	vcpu.tpr = 0x50;
	vmx_vendor.open_window(&vcpu, EVENT_INTERRUPT, 5);
	(void)run_on();
	assert_int_equal(vmcs[VMCS_TPR_THRESHOLD], 5);
	assert_false(vmcs[VMCS_PROC_CONTROLS] & PROC_INTERRUPT_WINDOW);
	inject(EVENT_INTERRUPT, 0x60);
	(void)run_on();
	assert_int_equal(vmcs[VMCS_TPR_THRESHOLD], 0);

	vmx_vendor.open_window(&vcpu, EVENT_NMI, 16);
	(void)run_on();
	assert_true(vmcs[VMCS_PROC_CONTROLS] & PROC_NMI_WINDOW);
	inject(EVENT_NMI, X86_VECTOR_NMI);
	(void)run_on();
	assert_false(vmcs[VMCS_PROC_CONTROLS] & PROC_NMI_WINDOW);
	/* One opened after the injection is for the next: it stays. */
	inject(EVENT_INTERRUPT, 0x40);
	vmx_vendor.open_window(&vcpu, EVENT_INTERRUPT, 16);
	(void)run_on();
	assert_true(vmcs[VMCS_PROC_CONTROLS] & PROC_INTERRUPT_WINDOW);
}

/* The one for a higher vector takes the place of the one for a lower. */
static void test_window_moves(void **unused)
{
	(void)unused;
	vcpu.tpr = 0x50;
	vmx_vendor.open_window(&vcpu, EVENT_INTERRUPT, 4);
	vmx_vendor.open_window(&vcpu, EVENT_INTERRUPT, 6);
	(void)run_on();
	assert_int_equal(vmcs[VMCS_TPR_THRESHOLD], 0);
	assert_true(vmcs[VMCS_PROC_CONTROLS] & PROC_INTERRUPT_WINDOW);
	/* The priority went below without an exit: no entry at all. */
	vmx_vendor.open_window(&vcpu, EVENT_INTERRUPT, 4);
	vcpu.tpr = 0x30;
	entries = 0;
	assert_int_equal(run_on().reason, EXIT_INTERRUPT_WINDOW);
	assert_int_equal(entries, 0);
	assert_int_equal(vmcs[VMCS_TPR_THRESHOLD], 0);
}

/* Blocking by STI ends where the interrupt window begins. */
static void test_nmi_after_sti(void **unused)
{
	(void)unused;
	vmcs[VMCS_GUEST_INTERRUPTIBILITY] = BLOCKED_BY_STI;
	assert_false(vmx_vendor.can_inject(&vcpu, EVENT_NMI));
	vmx_vendor.open_window(&vcpu, EVENT_NMI, 16);
	(void)run_on();
	assert_int_equal(vmcs[VMCS_PROC_CONTROLS] &
				 (PROC_INTERRUPT_WINDOW | PROC_NMI_WINDOW),
			 PROC_INTERRUPT_WINDOW);
}

/* A second NMI is kept while none is handled, or about to be. */
static void test_nmi_second(void **unused)
{
	const struct event nmi = { .kind = EVENT_NMI, .vector = 2 };
	const struct event other = { .kind = EVENT_INTERRUPT, .vector = 0x30 };

	(void)unused;
	vmcs[VMCS_GUEST_INTERRUPTIBILITY] = BLOCKED_BY_STI;
	vmx_vendor.inject(&vcpu, &other);
	assert_true(vmx_vendor.can_inject(&vcpu, EVENT_NMI_SECOND));
	(void)run_on();
	vmcs[VMCS_GUEST_INTERRUPTIBILITY] = 0;
	vmx_vendor.inject(&vcpu, &nmi);
	assert_false(vmx_vendor.can_inject(&vcpu, EVENT_NMI_SECOND));
	(void)run_on();
	vmcs[VMCS_GUEST_INTERRUPTIBILITY] = BLOCKED_BY_NMI;
	assert_false(vmx_vendor.can_inject(&vcpu, EVENT_NMI_SECOND));
	vmcs[VMCS_GUEST_INTERRUPTIBILITY] = 0;
	assert_true(vmx_vendor.can_inject(&vcpu, EVENT_NMI_SECOND));
}

/* A breakpoint that MOV SS met is pending over the HLT behind it. */
static void test_hlt_and_debug(void **unused)
{
	(void)unused;
	(void)run_on();
	reason = REASON_HLT;
	guest = exit_reason;
	assert_int_equal(run().reason, EXIT_HLT);
	vmcs[VMCS_GUEST_PENDING_DEBUG] = BIT(0) | BIT(12);
	vmcs[VMCS_GUEST_INTERRUPTIBILITY] = BLOCKED_BY_MOVSS;
	assert_int_equal(run().reason, EXIT_PAUSE);
}

/* The entry checks want the trap pending that TF causes after the shadow. */
static void test_shadow_and_trap(void **unused)
{
	(void)unused;
	page.state.interrupt_shadow = X86_SHADOW_MOVSS;
	page.state.rflags |= X86_FLAG_TF;
	vmx_vendor.state_store(&vcpu, X86_GROUP_SEGMENTS);
	assert_int_equal(vmcs[VMCS_GUEST_INTERRUPTIBILITY], BLOCKED_BY_MOVSS);
	assert_int_equal(vmcs[VMCS_GUEST_PENDING_DEBUG], PENDING_DEBUG_BS);
	page.state.rflags &= ~X86_FLAG_TF;
	vmx_vendor.state_store(&vcpu, X86_GROUP_SEGMENTS);
	assert_int_equal(vmcs[VMCS_GUEST_PENDING_DEBUG], 0);
}

/* ---- The preemption timer ------------------------------------------------ */

static void exit_timer(void)
{
	vmcs[VMCS_EXIT_REASON] = REASON_PREEMPTION_TIMER;
	vmcs[VMCS_PREEMPTION_TIMER] = 0;
}

static void test_timer(void **unused)
{
	uint64_t now = tsc_read();

	(void)unused;
	vmx_features.controls.timer_shift = 5;
	deadline = now + (1ULL << 36);
	(void)run_on();
	assert_in_range(vmcs[VMCS_PREEMPTION_TIMER], (1ULL << 31) - (1 << 28),
			1ULL << 31);
	/* The same deadline: what is left is the processor's to count. */
	vmcs[VMCS_PREEMPTION_TIMER] = 77;
	(void)run_on();
	assert_int_equal(vmcs[VMCS_PREEMPTION_TIMER], 77);
	/* Run out, it is set again, and never to nothing: the guest goes on. */
	guest = exit_timer;
	assert_int_equal(run().reason, EXIT_HOST_INTERRUPT);
	deadline = now;
	(void)run_on();
	assert_in_range(vmcs[VMCS_PREEMPTION_TIMER], 1, 1024);
	/* Never is as late as can be. */
	deadline = UINT64_MAX;
	(void)run_on();
	assert_int_equal(vmcs[VMCS_PREEMPTION_TIMER], UINT32_MAX);
	vmx_features.controls.has_timer = false;
	deadline = now;
	(void)run_on();
	assert_int_equal(vmcs[VMCS_PREEMPTION_TIMER], UINT32_MAX);
}

/* ---- A new VMCS ---------------------------------------------------------- */

static void make_vmcs(void)
{
	static struct vmx_vm pages;

	vm = (struct vendor_vm){
		.private = &pages,
		.nested_root = 0x123000,
		.exits_on_pause = vm.exits_on_pause,
	};
	vmx_features.controls.word[WORD_PROC] = PROC_TPR_SHADOW;
	vmx_features.controls.word[WORD_PROC2] = PROC2_EPT | PROC2_VPID;
	memset(vmcs, 0, sizeof(vmcs));
	vmx_controls_init(&vcpu);
}

/* A VM whose vCPUs share a CPU exits from spin loops, or at each PAUSE. */
/* An error leaves nothing behind, however much there was. */
static void test_no_memory(void **unused)
{
	struct mem_account account = { .limit = 1 };
	struct pages pages;
	struct vendor_vm poor = { .pages = &pages, .account = &account };
	struct vendor_vcpu one = { .state = &page.state,
				   .vm = &poor,
				   .apic = &apic };
	void *metadata = malloc(pages_metadata_size(FAKE_PHYS_SIZE));

	(void)unused;
	fake_phys_init();
	pages_init(&pages, metadata, FAKE_PHYS_SIZE);
	pages_add(&pages, MIB(2), PAGE_2M);
	assert_int_equal(vmx_vendor.vcpu_init(&one), -ENOMEM);
	assert_null(one.private);
	assert_int_equal(account.pages, 0);
	account.limit = 2;
	assert_int_equal(vmx_vendor.vcpu_init(&one), 0);
	vmx_vendor.vcpu_fini(&one);
	assert_int_equal(account.pages, 0);
	fake_phys_fini();
	free(metadata);
}

static void test_new_pause(void **unused)
{
	(void)unused;
	make_vmcs();
	assert_false(vmcs[VMCS_PROC_CONTROLS] & PROC_PAUSE_EXITING);
	vm.exits_on_pause = true;
	make_vmcs();
	assert_true(vmcs[VMCS_PROC_CONTROLS] & PROC_PAUSE_EXITING);
	assert_false(vmcs[VMCS_PROC_CONTROLS2] & PROC2_PAUSE_LOOP);
	vmx_features.controls.has_pause_loop = true;
	make_vmcs();
	assert_false(vmcs[VMCS_PROC_CONTROLS] & PROC_PAUSE_EXITING);
	assert_true(vmcs[VMCS_PROC_CONTROLS2] & PROC2_PAUSE_LOOP);
	assert_true(vmcs[VMCS_PLE_GAP] && vmcs[VMCS_PLE_WINDOW]);
	vm.exits_on_pause = false;
	make_vmcs();
	assert_false(vmcs[VMCS_PROC_CONTROLS2] & PROC2_PAUSE_LOOP);
}

/* SDM, "Format of Extended-Page-Table Pointer". */
static void test_new_ept(void **unused)
{
	(void)unused;
	vm.exits_on_pause = false;
	make_vmcs();
	assert_int_equal(vmcs[VMCS_EPT_POINTER], 0x12301e);
	vmx_features.controls.has_ept_ad = true;
	make_vmcs();
	assert_int_equal(vmcs[VMCS_EPT_POINTER], 0x12305e);
	/* A vCPU for which no VPID was left does without. */
	assert_false(vmcs[VMCS_PROC_CONTROLS2] & PROC2_VPID);
	vmx_vcpu.vpid = 7;
	make_vmcs();
	assert_true(vmcs[VMCS_PROC_CONTROLS2] & PROC2_VPID);
	assert_int_equal(vmcs[VMCS_VIRTUAL_PROCESSOR_ID], 7);
}

/* The page that the processor reads is the one that core keeps. */
static void test_new_apic(void **unused)
{
	(void)unused;
	make_vmcs();
	assert_int_equal(vmcs[VMCS_VIRTUAL_APIC_ADDRESS],
			 virt_to_phys(apic.page));
	assert_int_equal(vmcs[VMCS_VIRTUAL_APIC_ADDRESS] % PAGE_SIZE, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_costs),	    TEST(test_delivery_meets_device),
		TEST(test_nmi_cut_short),   TEST(test_iret_faults),
		TEST(test_fetch),	    TEST(test_windows_close),
		TEST(test_window_moves),    TEST(test_nmi_after_sti),
		TEST(test_hlt_and_debug),   TEST(test_nmi_second),
		TEST(test_shadow_and_trap), TEST(test_timer),
		TEST(test_apic_page),	    TEST(test_tpr),
		TEST(test_new_pause),	    TEST(test_new_ept),
		TEST(test_apic_mode),	    TEST(test_apic_write),
		TEST(test_new_apic),	    TEST(test_no_memory),
	};

	return cmocka_run_group_tests_name("vmx_run", tests, NULL, NULL);
}
