/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where AMD's and Intel's processors differ and no manual says so, or only one
 * of them: each case for both.  What the native fuzzer found on each.
 */
#include "tests/unit/emulate_test.h"

#include "tests/unit/emulate_host.h"

/* In a page that is not there. */
#define NOWHERE (RAM_SIZE + 0x1000)

static bool has(uint64_t feature)
{
	return (pc.emul.features & feature) == feature;
}

static void vendor_begin(bool is_intel)
{
	struct x86_state *s = &pc.state;

	pc.emul.features = host_features() & ~EMUL_FEATURE_INTEL;
	pc.emul.features |= is_intel ? EMUL_FEATURE_INTEL : 0;
	s->cr4 |= X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | X86_CR4_OSXSAVE;
	s->xcr0 = X86_XCR0_X87 | X86_XCR0_SSE | X86_XCR0_AVX;
	pc.xstate.xstate_bv = s->xcr0;
	pc.xstate.fcw = 0x37f;
	pc.xstate.mxcsr = 0x1f80;
}

static void begin_long(bool is_intel)
{
	pc_long(0);
	vendor_begin(is_intel);
}

static void xmm_put(unsigned reg, uint64_t low, uint64_t high)
{
	memcpy(pc.xstate.xmm[reg], &low, 8);
	memcpy(pc.xstate.xmm[reg] + 8, &high, 8);
}

static uint64_t vector_get(unsigned reg, unsigned quad)
{
	const uint8_t *from =
		quad < 2 ? pc.xstate.xmm[reg] : pc.xstate.ymm_high[reg];
	uint64_t value;

	memcpy(&value, from + quad % 2 * 8, 8);
	return value;
}

/* By RETF and IRET with REX.W: 32-bit code has 32 bits of RIP.  Intel's take
 * them of 64, AMD's compare all with the limit. */
static void test_far_return_to_32_bits(void **state)
{
	static const uint8_t opcodes[] = { 0xcb, 0xcf };

	(void)state;
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(opcodes); i++) {
		bool is_intel = i & 1;
		uint8_t opcode = opcodes[i / 2];

		begin_long(is_intel);
		pc.state.gpr[X86_RSP] = STACK;
		put(STACK, 0xabcdef1200000000 | (CODE + 0x40), 8);
		put(STACK + 8, CODE0, 8);
		put(STACK + 16, X86_FLAG_ONE, 8);
		put(STACK + 24, STACK + 0x800, 8);
		put(STACK + 32, DATA0, 8);
		if (!is_intel) {
			assert_fault(STEP(0x48, opcode), X86_VECTOR_GP, 0);
			assert_int_equal(pc.state.gpr[X86_RSP], STACK);
			put(STACK, CODE + 0x40, 8);
		}
		assert_int_equal(STEP(0x48, opcode), EMUL_OK);
		assert_int_equal(pc.state.rip, CODE + 0x40);
		assert_int_equal(pc.state.seg[X86_CS].selector, CODE0);
	}
}

/* What an exception keeps from being stored: AMD's look at where it would be.
 */
static void test_x87_store(void **state)
{
	(void)state;
	for (unsigned is_intel = 0; is_intel < 2; is_intel++) {
		begin_long(is_intel);
		pc.xstate.fcw = 0x340;
		pc.state.gpr[X86_RDI] = NOWHERE;
		/* FISTP m64 of an empty register */
		if (is_intel) {
			assert_int_equal(STEP(0xdf, 0x3f), EMUL_OK);
			assert_true(pc.xstate.fsw & BIT(0));
			continue;
		}
		assert_fault(STEP(0xdf, 0x3f), X86_VECTOR_PF, 2);
		assert_int_equal(pc.xstate.fsw, 0);
		/* Where it may be it is not stored either. */
		pc.state.gpr[X86_RDI] = DATA;
		put(DATA, 0x77, 8);
		assert_int_equal(STEP(0xdf, 0x3f), EMUL_OK);
		assert_true(pc.xstate.fsw & BIT(0));
		assert_int_equal(get(DATA, 8), 0x77);
	}
}

/* VCVTPS2PH [RDI], XMM0: the exception or the operand's page first. */
static void test_half_store(void **state)
{
	(void)state;
	for (unsigned is_intel = 0; is_intel < 2; is_intel++) {
		begin_long(is_intel);
		if (!has(EMUL_FEATURE_AVX | EMUL_FEATURE_F16C))
			skip();
		xmm_put(0, 0x7f800001, 0); /* signals */
		pc.xstate.mxcsr = 0x1f00;
		pc.state.gpr[X86_RDI] = NOWHERE;
		if (is_intel)
			assert_fault(STEP(0xc4, 0xe3, 0x79, 0x1d, 0x07, 0),
				     X86_VECTOR_XM, 0);
		else
			assert_fault(STEP(0xc4, 0xe3, 0x79, 0x1d, 0x07, 0),
				     X86_VECTOR_PF, 2);
		assert_int_equal(pc.xstate.mxcsr, is_intel ? 0x1f01 : 0x1f00);
		/* Where it may be written there is nothing else to raise. */
		pc.state.gpr[X86_RDI] = DATA;
		assert_fault(STEP(0xc4, 0xe3, 0x79, 0x1d, 0x07, 0),
			     X86_VECTOR_XM, 0);
		assert_int_equal(pc.xstate.mxcsr, 0x1f01);
	}
}

/* SHA's operand in memory, aligned or not */
static void test_sha_alignment(void **state)
{
	uint64_t at_0;

	(void)state;
	for (unsigned is_intel = 0; is_intel < 2; is_intel++) {
		begin_long(is_intel);
		if (!has(EMUL_FEATURE_SHA))
			skip();
		pc.state.gpr[X86_RBX] = DATA;
		memset(pc.ram + DATA, 0x35, 32);
		xmm_put(1, 0x1122334455667788, 0x99aabbccddeeff00);
		/* SHA1NEXTE XMM1, [RBX] */
		assert_int_equal(STEP(0x0f, 0x38, 0xc8, 0x0b), EMUL_OK);
		at_0 = vector_get(1, 1);
		xmm_put(1, 0x1122334455667788, 0x99aabbccddeeff00);
		pc.state.gpr[X86_RBX] = DATA + 4;
		if (is_intel) {
			assert_fault(STEP(0x0f, 0x38, 0xc8, 0x0b),
				     X86_VECTOR_GP, 0);
		} else {
			assert_int_equal(STEP(0x0f, 0x38, 0xc8, 0x0b), EMUL_OK);
			assert_int_equal(vector_get(1, 1), at_0);
		}
		/* Of others it has to be: PADDB */
		assert_fault(STEP(0x66, 0x0f, 0xfc, 0x0b), X86_VECTOR_GP, 0);
	}
}

/* VEX.W of VPERMQ, which has to be 1, and outside 64-bit mode of VPEXTRD. */
static void test_vex_w(void **state)
{
	(void)state;
	for (unsigned is_intel = 0; is_intel < 2; is_intel++) {
		begin_long(is_intel);
		if (!has(EMUL_FEATURE_AVX2))
			skip();
		xmm_put(2, 5, 6);
		/* VPERMQ YMM1, YMM2, all of element 1 */
		assert_int_equal(STEP(0xc4, 0xe3, 0xfd, 0x00, 0xca, 0x55),
				 EMUL_OK);
		assert_int_equal(vector_get(1, 3), 6);
		xmm_put(2, 7, 8);
		if (is_intel) {
			assert_fault(STEP(0xc4, 0xe3, 0x7d, 0x00, 0xca, 0x55),
				     X86_VECTOR_UD, 0);
		} else {
			assert_int_equal(
				STEP(0xc4, 0xe3, 0x7d, 0x00, 0xca, 0x55),
				EMUL_OK);
			assert_int_equal(vector_get(1, 3), 8);
		}
		/* VPEXTRQ RCX, XMM2, 1 */
		assert_int_equal(STEP(0xc4, 0xe3, 0xf9, 0x16, 0xd1, 1),
				 EMUL_OK);
		assert_int_equal(pc.state.gpr[X86_RCX], 8);
		pc_protected(0);
		vendor_begin(is_intel);
		xmm_put(2, 9ULL << 32, 8);
		if (!is_intel) {
			assert_fault(STEP(0xc4, 0xe3, 0xf9, 0x16, 0xd1, 1),
				     X86_VECTOR_UD, 0);
			assert_fault(STEP(0xc4, 0xe3, 0xe9, 0x22, 0xd1, 1),
				     X86_VECTOR_UD, 0);
			continue;
		}
		assert_int_equal(STEP(0xc4, 0xe3, 0xf9, 0x16, 0xd1, 1),
				 EMUL_OK);
		assert_int_equal(pc.state.gpr[X86_RCX], 9);
	}
}

/* VPGATHERDD XMM3, [RBX + XMM4 * 1], XMM1, whose third element faults: of the
 * elements from there on, and above. */
static void test_gather_fault(void **state)
{
	(void)state;
	for (unsigned is_intel = 0; is_intel < 2; is_intel++) {
		begin_long(is_intel);
		if (!has(EMUL_FEATURE_AVX2))
			skip();
		put(DATA, 0x55555555, 4);
		pc.state.gpr[X86_RBX] = DATA;
		xmm_put(4, 0, NOWHERE);
		xmm_put(1, 0x0000000380000001, 0x8000000280000001);
		xmm_put(3, 0x0000000300000003, 0x0000000300000003);
		memset(pc.xstate.ymm_high, 0x11, sizeof(pc.xstate.ymm_high));
		assert_fault(STEP(0xc4, 0xe2, 0x71, 0x90, 0x1c, 0x23),
			     X86_VECTOR_PF, 0);
		assert_int_equal(vector_get(3, 0), 0x0000000355555555);
		assert_int_equal(vector_get(3, 1), 0x0000000300000003);
		assert_int_equal(vector_get(3, 2),
				 is_intel ? 0 : 0x1111111111111111);
		assert_int_equal(vector_get(1, 0), 0);
		assert_int_equal(vector_get(1, 1),
				 is_intel ? UINT64_MAX : 0x8000000280000001);
		assert_int_equal(vector_get(1, 2),
				 is_intel ? 0 : 0x1111111111111111);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_far_return_to_32_bits),
		cmocka_unit_test(test_x87_store),
		cmocka_unit_test(test_half_store),
		cmocka_unit_test(test_sha_alignment),
		cmocka_unit_test(test_vex_w),
		cmocka_unit_test(test_gather_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
