/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lengths of instructions that exits report without one.
 */
#include "tests/unit/emulate_test.h"

struct length_row {
	enum emul_expect what;
	uint8_t bytes[10];
	int length;
};

/* clang-format off */
static const struct length_row rows64[] = {
	{ EMUL_EXPECT_CPUID, { 0x0f, 0xa2 }, 2 },
	{ EMUL_EXPECT_CPUID, { 0x66, 0xf3, 0x2e, 0x48, 0x0f, 0xa2 }, 6 },
	{ EMUL_EXPECT_CPUID, { 0x0f, 0x32 }, -1 },
	{ EMUL_EXPECT_RDMSR, { 0x0f, 0x32 }, 2 },
	{ EMUL_EXPECT_WRMSR, { 0x48, 0x0f, 0x30 }, 3 },
	{ EMUL_EXPECT_VMMCALL, { 0x0f, 0x01, 0xd9 }, 3 },
	{ EMUL_EXPECT_VMMCALL, { 0x0f, 0x01, 0xc1 }, -1 },
	{ EMUL_EXPECT_VMCALL, { 0x0f, 0x01, 0xc1 }, 3 },
	{ EMUL_EXPECT_WBINVD, { 0x0f, 0x09 }, 2 },
	{ EMUL_EXPECT_WBINVD, { 0xf3, 0x0f, 0x09 }, 3 },
	{ EMUL_EXPECT_INVD, { 0x0f, 0x08 }, 2 },
	{ EMUL_EXPECT_HLT, { 0xf4 }, 1 },
	{ EMUL_EXPECT_HLT, { 0x66, 0xf4 }, 2 },
	{ EMUL_EXPECT_HLT, { 0x90 }, -1 },
	{ EMUL_EXPECT_PAUSE, { 0xf3, 0x90 }, 2 },
	{ EMUL_EXPECT_PAUSE, { 0x66, 0xf3, 0x90 }, 3 },
	{ EMUL_EXPECT_PAUSE, { 0x90 }, -1 },
	{ EMUL_EXPECT_RDTSC, { 0x0f, 0x31 }, 2 },
	{ EMUL_EXPECT_RDTSCP, { 0x0f, 0x01, 0xf9 }, 3 },
	{ EMUL_EXPECT_RDPMC, { 0x0f, 0x33 }, 2 },
	{ EMUL_EXPECT_INVLPG, { 0x0f, 0x01, 0x38 }, 3 },
	{ EMUL_EXPECT_INVLPG, { 0x0f, 0x01, 0x7c, 0x24, 0x08 }, 5 },
	{ EMUL_EXPECT_INVLPG, { 0x41, 0x0f, 0x01, 0xbf, 1, 2, 3, 4 }, 8 },
	{ EMUL_EXPECT_INVLPG, { 0x0f, 0x01, 0xf8 }, -1 }, /* SWAPGS */
	{ EMUL_EXPECT_MONITOR, { 0x0f, 0x01, 0xc8 }, 3 },
	{ EMUL_EXPECT_MWAIT, { 0x0f, 0x01, 0xc9 }, 3 },
	{ EMUL_EXPECT_IRET, { 0x48, 0xcf }, 2 },
	{ EMUL_EXPECT_INT_N, { 0xcd, 0x80 }, 2 },
	{ EMUL_EXPECT_INT3, { 0xcc }, 1 },
	{ EMUL_EXPECT_ICEBP, { 0xf1 }, 1 },
	{ EMUL_EXPECT_MOV_CR, { 0x0f, 0x22, 0xe0 }, 3 },
	{ EMUL_EXPECT_MOV_CR, { 0x44, 0x0f, 0x20, 0xc0 }, 4 },
	{ EMUL_EXPECT_MOV_DR, { 0x0f, 0x23, 0xf8 }, 3 },
	{ EMUL_EXPECT_MOV_DR, { 0x0f, 0x22, 0xf8 }, -1 },
	{ EMUL_EXPECT_CLTS, { 0x0f, 0x06 }, 2 },
	{ EMUL_EXPECT_LMSW, { 0x0f, 0x01, 0xf0 }, 3 },
	{ EMUL_EXPECT_LMSW, { 0x0f, 0x01, 0x75, 0x04 }, 4 },
	{ EMUL_EXPECT_SMSW, { 0x0f, 0x01, 0xe0 }, 3 },
	{ EMUL_EXPECT_DESCRIPTOR, { 0x0f, 0x01, 0x10 }, 3 },
	{ EMUL_EXPECT_DESCRIPTOR, { 0x0f, 0x00, 0xd8 }, 3 },
	{ EMUL_EXPECT_DESCRIPTOR, { 0x0f, 0x01, 0xd9 }, -1 },
	{ EMUL_EXPECT_DESCRIPTOR, { 0x0f, 0x00, 0xe0 }, -1 },
	{ EMUL_EXPECT_PUSHF, { 0x9c }, 1 },
	{ EMUL_EXPECT_POPF, { 0x66, 0x9d }, 2 },
	{ EMUL_EXPECT_RSM, { 0x0f, 0xaa }, 2 },
	{ EMUL_EXPECT_INVLPGA, { 0x0f, 0x01, 0xdf }, 3 },
	{ EMUL_EXPECT_INVPCID, { 0x66, 0x0f, 0x38, 0x82, 0x08 }, 5 },
	{ EMUL_EXPECT_VMX_SVM, { 0x0f, 0x01, 0xd8 }, 3 },
	{ EMUL_EXPECT_VMX_SVM, { 0x0f, 0x01, 0xde }, 3 },
};
/* clang-format on */

static void check(const struct length_row *row)
{
	code(row->bytes, sizeof(row->bytes));
	for (unsigned i = 0; i < 2; i++)
		if (emul_insn_length(&pc.emul, row->what) != row->length)
			fail_msg("%02x %02x %02x as %u: %d, not %d",
				 row->bytes[0], row->bytes[1], row->bytes[2],
				 row->what,
				 emul_insn_length(&pc.emul, row->what),
				 row->length);
}

static void lengths_long(void **state)
{
	(void)state;
	pc_long(0);
	for (unsigned i = 0; i < ARRAY_SIZE(rows64); i++)
		check(&rows64[i]);
}

static void lengths_protected(void **state)
{
	(void)state;
	pc_protected(3);
	for (unsigned i = 0; i < ARRAY_SIZE(rows64); i++)
		if ((rows64[i].bytes[0] & 0xf0) != 0x40 &&
		    (rows64[i].bytes[3] & 0xf0) != 0x40)
			check(&rows64[i]);
}

static void lengths_real(void **state)
{
	const struct length_row invlpg = {
		EMUL_EXPECT_INVLPG, { 0x67, 0x0f, 0x01, 0x3d, 1, 2, 3, 4 }, 8
	};

	(void)state;
	pc_real();
	check(&rows64[0]);
	check(&invlpg);
}

/* The bytes lie on two pages. */
static void length_over_pages(void **state)
{
	(void)state;
	pc_long(0);
	pc.state.rip = CODE + 0xffe;
	code("\x0f\x01\xd9", 3);
	assert_int_equal(emul_insn_length(&pc.emul, EMUL_EXPECT_VMMCALL), 3);
	pc.state.rip = CODE + 0xfff;
	code("\x0f\xa2", 2);
	assert_int_equal(emul_insn_length(&pc.emul, EMUL_EXPECT_CPUID), 2);
	put(pte_at(CODE + 0x1000), 0, 8);
	assert_int_equal(emul_insn_length(&pc.emul, EMUL_EXPECT_CPUID), -1);
}

/* What was remembered of a walk does not survive the tables' change. */
static void length_after_remap(void **state)
{
	(void)state;
	pc_long(0);
	code("\x0f\xa2", 2);
	memcpy(pc.ram + DATA, "\x0f\x32\x90\x90", 4);
	assert_int_equal(emul_insn_length(&pc.emul, EMUL_EXPECT_CPUID), 2);
	put(pte_at(CODE), DATA | PTE_RWU | 0x20, 8);
	assert_int_equal(emul_insn_length(&pc.emul, EMUL_EXPECT_CPUID), -1);
	assert_int_equal(emul_insn_length(&pc.emul, EMUL_EXPECT_RDMSR), 2);
}

/* What is left when the bytes are no more those that were fetched. */
static void length_usual(void **state)
{
	(void)state;
	assert_int_equal(emul_expect_length(EMUL_EXPECT_CPUID), 2);
	assert_int_equal(emul_expect_length(EMUL_EXPECT_VMMCALL), 3);
	assert_int_equal(emul_expect_length(EMUL_EXPECT_INVLPG), 0);
	assert_int_equal(emul_expect_length(EMUL_EXPECT_COUNT), 0);
}

static void mov_cr_operands(void **state)
{
	struct emul_mov_cr mov;

	(void)state;
	pc_long(0);
	pc.state.gpr[X86_R8 + 1] = 0x1234;
	code("\x41\x0f\x22\xe1", 4); /* mov cr4, r9 */
	assert_int_equal(emul_decode_mov_cr(&pc.emul, &mov), 0);
	assert_int_equal(mov.cr, 4);
	assert_int_equal(mov.gpr, 9);
	assert_true(mov.is_write);
	assert_int_equal(mov.length, 4);
	assert_int_equal(mov.value, 0x1234);
	code("\x0f\x20\xdb", 3); /* mov rbx, cr3 */
	assert_int_equal(emul_decode_mov_cr(&pc.emul, &mov), 0);
	assert_int_equal(mov.cr, 3);
	assert_int_equal(mov.gpr, X86_RBX);
	assert_false(mov.is_write);
	pc.state.cr0 |= X86_CR0_TS;
	code("\x0f\x06", 2); /* clts */
	assert_int_equal(emul_decode_mov_cr(&pc.emul, &mov), 0);
	assert_int_equal(mov.value, pc.state.cr0 & ~X86_CR0_TS);
	code("\x0f\xa2", 2);
	assert_int_equal(emul_decode_mov_cr(&pc.emul, &mov), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_long),
		cmocka_unit_test(lengths_protected),
		cmocka_unit_test(lengths_real),
		cmocka_unit_test(length_over_pages),
		cmocka_unit_test(length_after_remap),
		cmocka_unit_test(length_usual),
		cmocka_unit_test(mov_cr_operands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
