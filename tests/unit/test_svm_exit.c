/* SPDX-License-Identifier: BSD-2-Clause */
/* Exit codes of AMD-V: every row, and what an exit brings with it. */
#include "tests/unit/svm_test.h"

/* By the manual's numbers; codes that stand nowhere are not asked for. */
struct row {
	uint64_t first, last;
	enum exit_reason reason;
};

/* clang-format off */
static const struct row rows[] = {
	{ 0x00, 0x1f, EXIT_CR },
	{ 0x20, 0x3f, EXIT_DR },
	{ 0x40, 0x5f, EXIT_EXCEPTION },
	{ 0x60, 0x60, EXIT_HOST_INTERRUPT },
	{ 0x61, 0x61, EXIT_HOST_NMI },
	{ 0x62, 0x63, EXIT_HOST_INTERRUPT },	/* SMI, INIT */
	{ 0x64, 0x64, EXIT_INTERRUPT_WINDOW },
	{ 0x65, 0x65, EXIT_CR },		/* CR0 but for TS, MP */
	{ 0x6f, 0x6f, EXIT_UNDEFINED },		/* RDPMC */
	{ 0x72, 0x72, EXIT_CPUID },
	{ 0x73, 0x73, EXIT_UNDEFINED },		/* RSM */
	{ 0x74, 0x74, EXIT_EMULATE },		/* IRET */
	{ 0x76, 0x76, EXIT_INVD },
	{ 0x77, 0x77, EXIT_PAUSE },
	{ 0x78, 0x78, EXIT_HLT },
	{ 0x7a, 0x7a, EXIT_UNDEFINED },		/* INVLPGA */
	{ 0x7b, 0x7b, EXIT_IO },
	{ 0x7c, 0x7c, EXIT_MSR },
	{ 0x7d, 0x7d, EXIT_EMULATE },		/* task switch */
	{ 0x7e, 0x7e, EXIT_HOST_INTERRUPT },	/* FERR */
	{ 0x7f, 0x7f, EXIT_SHUTDOWN },
	{ 0x80, 0x80, EXIT_UNDEFINED },		/* VMRUN */
	{ 0x81, 0x81, EXIT_HYPERCALL },
	{ 0x82, 0x86, EXIT_UNDEFINED },		/* VMLOAD .. SKINIT */
	{ 0x89, 0x89, EXIT_WBINVD },
	{ 0x8a, 0x8c, EXIT_UNDEFINED },		/* MONITOR, MWAIT */
	{ 0x8d, 0x8d, EXIT_XSETBV },
	{ 0x8e, 0x8e, EXIT_UNDEFINED },		/* RDPRU */
	{ 0x400, 0x400, EXIT_NESTED },
	{ 0xffffffff, 0xffffffff, EXIT_INVALID },
	{ UINT64_MAX, UINT64_MAX, EXIT_INVALID },
};
/* clang-format on */

static enum exit_reason expected(uint64_t code)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		if (code >= rows[i].first && code <= rows[i].last)
			return rows[i].reason;
	return EXIT_UNKNOWN;
}

static uint64_t code, info1, info2, next_rip, int_state;

static void guest_exits(struct vmcb *v)
{
	v->exit_code = code;
	v->exit_info1 = info1;
	v->exit_info2 = info2;
	v->next_rip = next_rip;
	v->int_state = int_state;
	v->rip = TEST_RIP;
}

static int setup_exit(void **unused)
{
	code = info1 = info2 = next_rip = int_state = 0;
	return setup(unused);
}

static void check_row(uint64_t c)
{
	struct exit_info info;

	code = c;
	info = run(guest_exits);
	if (info.reason != expected(c))
		fail_msg("exit code %lx is reason %d, not %d", c, info.reason,
			 expected(c));
	if (info.reason == EXIT_UNKNOWN || info.reason == EXIT_INVALID) {
		assert_int_equal(info.raw, (uint32_t)c);
		assert_int_equal(info.raw_info1, 0x1111);
		assert_int_equal(info.raw_info2, 0x2222);
	}
}

static void test_every_code(void **unused)
{
	static const uint64_t more[] = { 0x3ff,	     0x400,	 0x401,
					 0x402,	     0x403,	 0x7fffffff,
					 0xfffffffe, 0xffffffff, UINT64_MAX };

	(void)unused;
	info1 = 0x1111;
	info2 = 0x2222;
	for (uint64_t c = 0; c <= 0xff; c++)
		check_row(c);
	for (unsigned i = 0; i < ARRAY_SIZE(more); i++)
		check_row(more[i]);
}

static void test_vectors(void **unused)
{
	(void)unused;
	for (unsigned v = 0; v < 32; v++) {
		code = 0x40 + v;
		assert_int_equal(run(guest_exits).vector, v);
	}
}

/* What one exit leaves does not become another's length. */
static void test_length(void **unused)
{
	(void)unused;
	code = EXIT_CODE_CPUID;
	next_rip = TEST_RIP + 15;
	assert_int_equal(run(guest_exits).length, 15);
	next_rip = 0;
	assert_int_equal(run(guest_exits).length, 0);
	/* A processor without NextRIP has a field of its own use there. */
	svm_features.has_next_rip = false;
	next_rip = TEST_RIP + 2;
	assert_int_equal(run(guest_exits).length, 0);
}

struct io_case {
	uint32_t info1;
	uint16_t port;
	uint8_t size;
	bool is_in, is_string;
};

static void test_io(void **unused)
{
	/* clang-format off */
	static const struct io_case cases[] = {
		{ 0x00600010, 0x60,   1, false, false },
		{ 0x00600011, 0x60,   1, true, false },
		{ 0xffff0021, 0xffff, 2, true, false },
		{ 0x0cf80040, 0xcf8,  4, false, false },
		{ 0x01f0002d, 0x1f0,  2, true, true },
		{ 0x01f00024, 0x1f0,  2, false, true },
		{ 0x03f80f90, 0x3f8,  1, false, false },
	};
	/* clang-format on */
	struct exit_info info;

	(void)unused;
	code = 0x7b;
	next_rip = TEST_RIP + 9; /* not what counts here */
	info2 = TEST_RIP + 2;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct io_case *c = &cases[i];

		info1 = c->info1;
		info = run(guest_exits);
		assert_int_equal(info.io.port, c->port);
		assert_int_equal(info.io.access,
				 FIELD_PUT(GATE_IO_SIZE, c->size) |
					 (c->is_in ? GATE_IO_IN : 0) |
					 (c->is_string ? GATE_IO_STRING : 0));
		assert_int_equal(info.io.reserved, 0);
		assert_int_equal(info.length, 2);
	}
	/* Also without NextRIP. */
	svm_features.has_next_rip = false;
	assert_int_equal(run(guest_exits).length, 2);
}

static void test_msr_direction(void **unused)
{
	(void)unused;
	code = 0x7c;
	next_rip = TEST_RIP + 2;
	assert_false(run(guest_exits).is_write);
	info1 = 1;
	assert_true(run(guest_exits).is_write);
}

static void test_nested(void **unused)
{
	static const struct {
		uint64_t info1;
		uint32_t error;
	} cases[] = {
		{ 0x100000004, 0 },
		{ 0x100000005, 0 },
		{ 0x100000006, GATE_MMIO_WRITE },
		{ 0x100000014, GATE_MMIO_FETCH },
		{ 0x200000006, GATE_MMIO_WRITE | GATE_MMIO_WALK },
		/* Bits that mean nothing to the monitor stay behind. */
		{ 0x1ffffffec, 0 },
		{ UINT64_MAX,
		  GATE_MMIO_WRITE | GATE_MMIO_FETCH | GATE_MMIO_WALK },
	};
	struct exit_info info;

	(void)unused;
	code = 0x400;
	info2 = 0xfee00300;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		info1 = cases[i].info1;
		info = run(guest_exits);
		assert_int_equal(info.reason, EXIT_NESTED);
		assert_int_equal(info.nested.gpa, 0xfee00300);
		assert_int_equal(info.nested.access, cases[i].error);
	}
}

/* Only QEMU forgets a shadow over the interrupt that let it exit. */
static void test_interrupt_in_shadow(void **unused)
{
	(void)unused;
	code = 0x60;
	int_state = 1;
	assert_int_equal(run(guest_exits).reason, EXIT_HOST_INTERRUPT);
	assert_true(vcpu.has_shadow);
	svm_features.is_tcg = true;
	assert_int_equal(run(guest_exits).reason, EXIT_SHADOWED);
	int_state = 0;
	assert_int_equal(run(guest_exits).reason, EXIT_HOST_INTERRUPT);
	assert_false(vcpu.has_shadow);
	/* An SMI is nobody's who would let it in. */
	int_state = 1;
	code = 0x62;
	assert_int_equal(run(guest_exits).reason, EXIT_HOST_INTERRUPT);
}

int main(void)
{
#define EXIT_TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_exit, teardown)
	const struct CMUnitTest tests[] = {
		EXIT_TEST(test_every_code),
		EXIT_TEST(test_vectors),
		EXIT_TEST(test_length),
		EXIT_TEST(test_io),
		EXIT_TEST(test_msr_direction),
		EXIT_TEST(test_nested),
		EXIT_TEST(test_interrupt_in_shadow),
	};

	return cmocka_run_group_tests_name("svm_exit", tests, NULL, NULL);
}
