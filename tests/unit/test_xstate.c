/* SPDX-License-Identifier: BSD-2-Clause */
/* What a machine puts into its guest's XSAVE area never makes XRSTOR fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "vm/xstate.h"

#define DAZ BIT(6)
#define MM  BIT(17) /* AMD's misaligned exception mask */

/* A processor without DAZ stores no mask at all. */
static void test_mask(void **state)
{
	struct x86_xstate area = { 0 };

	(void)state;
	assert_int_equal(xstate_mxcsr_mask(&area), 0xffbf);
	area.mxcsr_mask = 0xffff;
	assert_int_equal(xstate_mxcsr_mask(&area), 0xffff);
	area.mxcsr_mask = 0x2ffff;
	assert_int_equal(xstate_mxcsr_mask(&area), 0x2ffff);
}

static void test_sanitize(void **state)
{
	static const uint32_t masks[] = { 0xffbf, 0xffff, 0x2ffff };
	static const uint64_t xcr0[] = { 0, X86_XCR0_X87 | X86_XCR0_SSE,
					 MASK(2, 0) };
	struct x86_xstate area, zero = { 0 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(masks); i++) {
		memset(&area, 0xff, sizeof(area));
		xstate_sanitize(&area, xcr0[i], masks[i]);
		assert_int_equal(area.mxcsr, masks[i]);
		/* Without XSAVE the two are always there. */
		assert_int_equal(area.xstate_bv,
				 xcr0[i] | X86_XCR0_X87 | X86_XCR0_SSE);
		assert_int_equal(area.xcomp_bv, 0);
		assert_memory_equal(area.reserved2, zero.reserved2,
				    sizeof(zero.reserved2));
		/* The registers are the guest's affair. */
		assert_int_equal(area.xmm[15][15], 0xff);
		assert_int_equal(area.fcw, 0xffff);
	}
	area.xstate_bv = 0;
	xstate_sanitize(&area, 0, 0xffff);
	assert_int_equal(area.xstate_bv, X86_XCR0_X87 | X86_XCR0_SSE);
	xstate_sanitize(&area, MASK(2, 0), 0xffff);
	area.xstate_bv = X86_XCR0_SSE;
	xstate_sanitize(&area, MASK(2, 0), 0xffff);
	assert_int_equal(area.xstate_bv, X86_XCR0_SSE);
	area.mxcsr = DAZ | MM | 0x1f80;
	xstate_sanitize(&area, 0, 0xffbf);
	assert_int_equal(area.mxcsr, 0x1f80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_sanitize),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
