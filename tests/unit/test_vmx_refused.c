/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries that the processor refuses: without "unrestricted guest" the machine
 * emulates, elsewhere the VM ends with a dump.
 */
#include "tests/unit/vmx_test.h"

#include "scripts/entry-check/check.h"

static void store_control(uint64_t cr0)
{
	page.state.cr0 = cr0;
	vmx_vendor.state_store(&vcpu, X86_GROUP_CONTROL);
}

static int setup_restricted(void **unused)
{
	(void)setup(unused);
	vmx_features.controls.has_unrestricted = false;
	vm = (struct vendor_vm){ 0 };
	return 0;
}

/* No entry is tried without PE; with it the processor says what it takes. */
static void test_real_mode(void **unused)
{
	struct exit_info info;

	(void)unused;
	store_control(X86_CR0_ET);
	info = run_on();
	assert_int_equal(info.reason, EXIT_EMULATE_RUN);
	assert_in_range(info.emulate.count, 2, UINT32_MAX);
	assert_int_equal(entries, 0);
	store_control(X86_CR0_ET | X86_CR0_PE);
	assert_int_equal(run_on().reason, EXIT_CPUID);
	assert_int_equal(entries, 1);
}

/* Refused: one instruction is emulated, and no entry tried again until the
 * state has changed. */
static void test_refused(void **unused)
{
	struct exit_info info;

	(void)unused;
	for (unsigned launched = 0; launched < 2; launched++) {
		(void)setup_restricted(unused);
		store_control(X86_CR0_ET | X86_CR0_PE);
		if (launched)
			(void)run_on();
		entries = 0;
		next_refusal = REFUSED_STATE;
		info = run_on();
		assert_int_equal(entries, 1);
		assert_int_equal(info.reason, EXIT_EMULATE_RUN);
		assert_int_equal(info.emulate.count, 1);
		assert_int_equal(info.emulate.event, 0);
		assert_int_equal(run_on().reason, EXIT_EMULATE_RUN);
		assert_int_equal(entries, 1);
		vmx_vendor.state_store(&vcpu, X86_GROUP_SEGMENTS);
		assert_int_equal(run_on().reason, EXIT_CPUID);
		assert_int_equal(entries, 2);
		assert_int_equal(run_on().reason, EXIT_CPUID);
		assert_string_equal(logged, "");
	}
}

/* The event that was to go in goes to the machine, once. */
static void test_refused_event(void **unused)
{
	struct event event = { .kind = EVENT_INTERRUPT, .vector = 0x40 };
	struct exit_info info;

	(void)unused;
	store_control(X86_CR0_ET | X86_CR0_PE);
	vmx_vendor.inject(&vcpu, &event);
	next_refusal = REFUSED_STATE;
	info = run_on();
	assert_int_equal(injected, event_of(TYPE_EXTERNAL, 0x40));
	assert_int_equal(info.reason, EXIT_EMULATE_RUN);
	assert_int_equal(info.emulate.event, event_of(TYPE_EXTERNAL, 0x40));
	vmx_vendor.state_store(&vcpu, X86_GROUP_SEGMENTS);
	assert_int_equal(run_on().reason, EXIT_CPUID);
	assert_int_equal(injected & INTERRUPTION_VALID, 0);
}

/* No emulation helps where it is the monitor's own list of MSRs. */
static void test_refused_msrs(void **unused)
{
	(void)unused;
	store_control(X86_CR0_ET | X86_CR0_PE);
	next_refusal = REFUSED_MSRS;
	assert_int_equal(run_on().reason, EXIT_INVALID);
}

/* ---- What a refused entry leaves ----------------------------------------- */

/* Where every state of a guest can be entered, a refusal is an error. */
static void test_invalid(void **unused)
{
	struct exit_info info;

	(void)unused;
	next_refusal = REFUSED_STATE;
	info = run_on();
	assert_int_equal(info.reason, EXIT_INVALID);
	assert_int_equal(info.raw, REFUSED_STATE);
}

/* The dump has all that `bulkhead explain-entry` needs, where it looks. */
static void test_dump(void **unused)
{
	static struct dump dump;
	struct vmx_guest seen;
	bool is_whole = false;

	(void)unused;
	for (unsigned i = 0; i < FIELDS; i++)
		vmcs[i] = i;
	vmcs[VMCS_GUEST_EFER] = 0x123456789abcdef0;
	vmx_features.caps = (struct vmx_caps){
		.misc = 0x1c0,
		.cr0_fixed0 = 1,
		.cr0_fixed1 = 2,
		.cr4_fixed0 = 3,
		.cr4_fixed1 = 4,
	};
	vmx_vendor.dump(&vcpu);
	for (char *line = strtok(logged, "\n"); line; line = strtok(NULL, "\n"))
		is_whole |= dump_line(&dump, line);
	assert_true(is_whole);
	assert_int_equal(dump_guest(&dump, &seen), 0);
	assert_int_equal(seen.cr0, VMCS_GUEST_CR0);
	assert_int_equal(seen.efer, 0x123456789abcdef0);
	assert_int_equal(seen.pdpte[3], VMCS_GUEST_PDPTE(3));
	assert_int_equal(seen.seg[VMCS_TR].rights, VMCS_GUEST_RIGHTS(VMCS_TR));
	assert_int_equal(seen.seg[X86_ES].selector, VMCS_GUEST_SELECTOR(0));
	assert_int_equal(seen.activities, 7);
	assert_int_equal(seen.cr4_fixed1, 4);
	assert_in_range(seen.physical_bits, 32, 52);
	assert_int_equal(dump.field[VMCS_EXIT_REASON], VMCS_EXIT_REASON);
	/* An empty one is seen to lack something. */
	memset(&dump, 0, sizeof(dump));
	assert_int_not_equal(dump_guest(&dump, &seen), 0);
}

#define RESTRICTED(name) cmocka_unit_test_setup(name, setup_restricted)

/* ---- A machine that emulates --------------------------------------------- */

static void emulate(bool is_emulated)
{
	vmx_vendor.state_load(&vcpu, X86_GROUP_DEBUG);
	page.is_emulated = is_emulated;
	vmx_vendor.state_store(&vcpu, X86_GROUP_DEBUG);
}

/* An entry that is none. */
static struct exit_info run_emulated(void)
{
	unsigned before = entries;
	struct exit_info info = run();

	assert_int_equal(entries, before);
	return info;
}

/* Whatever the mode is, with all that goes in. */
static void check_emulated(bool has_unrestricted)
{
	const struct event event = { .kind = EVENT_INTERRUPT, .vector = 0x41 };
	struct exit_info info;

	vmx_features.controls.has_unrestricted = has_unrestricted;
	(void)run_on();
	emulate(true);
	info = run_emulated();
	assert_int_equal(info.reason, EXIT_EMULATE_RUN);
	assert_true(info.emulate.count > 1);
	assert_int_equal(info.emulate.event, 0);
	page.state.rflags |= X86_FLAG_IF;
	vmx_vendor.inject(&vcpu, &event);
	assert_int_equal(run_emulated().emulate.event,
			 INTERRUPTION_VALID | 0x41);
	assert_int_equal(run_emulated().emulate.event, 0);
	/* Nothing that the guest does ends it. */
	vmx_vendor.state_store(&vcpu, X86_GROUP_CONTROL | X86_GROUP_SEGMENTS);
	assert_int_equal(run_emulated().reason, EXIT_EMULATE_RUN);
	emulate(false);
	(void)run_on();
	assert_int_equal(injected & INTERRUPTION_VALID, 0);
}

static void test_emulated(void **unused)
{
	(void)unused;
	page.state.cr0 = X86_CR0_PE;
	check_emulated(true);
}

static void test_emulated_restricted(void **unused)
{
	(void)unused;
	page.state.cr0 = X86_CR0_PE;
	check_emulated(false);
	/* Real mode goes on so. */
	page.state.cr0 = 0;
	vmx_vendor.state_store(&vcpu, X86_GROUP_CONTROL);
	emulate(true);
	emulate(false);
	assert_int_equal(run_emulated().reason, EXIT_EMULATE_RUN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RESTRICTED(test_real_mode),
		RESTRICTED(test_refused),
		RESTRICTED(test_refused_event),
		RESTRICTED(test_refused_msrs),
		TEST(test_invalid),
		TEST(test_dump),
		TEST(test_emulated),
		RESTRICTED(test_emulated_restricted),
	};

	return cmocka_run_group_tests_name("vmx_refused", tests, NULL, NULL);
}
