/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x87, MMX, SSE and AVX on memory that is a device; exceptions that are not
 * masked; who has what; and that no opcode of any map is unknown.  What the
 * instructions compute the native fuzzer compares.
 */
#include "tests/unit/emulate_test.h"

#include "tests/unit/emulate_host.h"

#define DEVICE	    0xa0000UL
#define DEVICE_SIZE 0x1000UL

static uint8_t device[DEVICE_SIZE + 8];
static unsigned reads, writes;

static enum emul_status device_read(void *ctx, uint64_t gpa, void *data,
				    unsigned size)
{
	(void)ctx;
	reads++;
	memcpy(data, device + gpa % DEVICE_SIZE, size);
	return EMUL_OK;
}

static enum emul_status device_write(void *ctx, uint64_t gpa, const void *data,
				     unsigned size)
{
	(void)ctx;
	writes++;
	memcpy(device + gpa % DEVICE_SIZE, data, size);
	return EMUL_OK;
}

static enum emul_status any_msr_read(void *ctx, uint32_t msr, uint64_t *value)
{
	(void)ctx;
	*value = msr;
	return EMUL_OK;
}

static enum emul_status any_msr_write(void *ctx, uint32_t msr, uint64_t value)
{
	(void)ctx;
	(void)msr;
	(void)value;
	return EMUL_OK;
}

static enum emul_status any_xcr(void *ctx, uint64_t value)
{
	(void)ctx;
	(void)value;
	return EMUL_OK;
}

static enum emul_status any_cpuid(void *ctx, uint32_t registers[4])
{
	(void)ctx;
	memset(registers, 0, 4 * sizeof(registers[0]));
	return EMUL_OK;
}

static enum emul_status any_tsc(void *ctx, uint64_t *tsc, uint32_t *aux)
{
	(void)ctx;
	*tsc = 1;
	*aux = 2;
	return EMUL_OK;
}

/* What a machine has. */
static const struct emul_ops device_ops = {
	.mmio_read = device_read,
	.mmio_write = device_write,
	.io = pc_io,
	.cr_write = pc_cr,
	.xcr_write = any_xcr,
	.msr_read = any_msr_read,
	.msr_write = any_msr_write,
	.cpuid = any_cpuid,
	.tsc = any_tsc,
};

static void with_device(void)
{
	struct x86_state *s = &pc.state;

	pc.emul.ops = &device_ops;
	pc.emul.window[0].size = DEVICE;
	pc.emul.features = host_features();
	s->cr4 |= X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | X86_CR4_OSXSAVE;
	s->xcr0 = X86_XCR0_X87 | X86_XCR0_SSE | X86_XCR0_AVX;
	pc.xstate.xstate_bv = s->xcr0;
	pc.xstate.fcw = 0x37f;
	pc.xstate.mxcsr = 0x1f80;
	memset(device, 0, sizeof(device));
	reads = writes = 0;
}

static void begin_protected(void)
{
	pc_protected(0);
	with_device();
}

static void begin_long(void)
{
	pc_long(0);
	with_device();
}

/* Memory copied eight bytes at a time by the x87, as games of its time do. */
static void test_copy_by_x87(void **state)
{
	const uint64_t value = 0x0123456789abcdef;

	(void)state;
	begin_protected();
	put(DATA, value, 8);
	pc.state.gpr[X86_RSI] = DATA;
	pc.state.gpr[X86_RDI] = DEVICE + 0x123;
	assert_int_equal(STEP(0xdf, 0x2e), EMUL_OK); /* FILD m64 [ESI] */
	assert_int_equal(STEP(0xdf, 0x3f), EMUL_OK); /* FISTP m64 [EDI] */
	assert_memory_equal(device + 0x123, &value, 8);
	assert_true(writes);
	assert_int_equal(STEP(0xdf, 0x2f), EMUL_OK); /* FILD m64 [EDI] */
	assert_int_equal(STEP(0xdf, 0x3e), EMUL_OK); /* FISTP m64 [ESI] */
	assert_true(reads);
	assert_int_equal(get(DATA, 8), value);
	assert_int_equal(pc.xstate.ftw, 0);
}

/* The guest sees where its own instruction and operand were. */
static void test_pointers(void **state)
{
	const struct x86_xstate *x = &pc.xstate;
	uint64_t rip;

	(void)state;
	begin_protected();
	pc.xstate.fcw = 0x300; /* nothing masked: all processors keep them */
	put(DATA, 1, 4);
	pc.state.gpr[X86_RBX] = DATA;
	rip = pc.state.rip;
	/* FIDIV of 0 by an integer: stack underflow. */
	assert_int_equal(STEP(0xda, 0x33), EMUL_OK);
	assert_int_equal(x->fip, rip);
	assert_int_equal(x->fdp, DATA);
	assert_int_equal(x->fop, 0x233);
	assert_true(x->fsw & BIT(7));
	assert_fault(STEP(0x9b), X86_VECTOR_MF, 0);
	assert_fault(STEP(0xd9, 0xe8), X86_VECTOR_MF, 0);
	assert_fault(STEP(0x0f, 0xfc, 0xc1), X86_VECTOR_MF, 0); /* PADDB */
	assert_int_equal(STEP(0xdb, 0xe2), EMUL_OK);		/* FNCLEX */
	assert_int_equal(STEP(0x9b), EMUL_OK);
}

/* The operand's fault comes first. */
static void test_x87_store_faults(void **state)
{
	(void)state;
	begin_long();
	pc.xstate.ftw = 0x01;
	pc.state.gpr[X86_RDI] = RAM_SIZE + 0x1000; /* not mapped */
	assert_fault(STEP(0xdf, 0x3f), X86_VECTOR_PF, 2);
	assert_int_equal(pc.xstate.ftw, 0x01); /* not popped */
}

static void xmm_put(unsigned reg, uint64_t low, uint64_t high)
{
	memcpy(pc.xstate.xmm[reg], &low, 8);
	memcpy(pc.xstate.xmm[reg] + 8, &high, 8);
}

static uint64_t xmm_get(unsigned reg, unsigned half)
{
	uint64_t value;

	memcpy(&value, pc.xstate.xmm[reg] + 8 * half, 8);
	return value;
}

#define DOUBLE_1 0x3ff0000000000000

static void test_simd_exceptions(void **state)
{
	(void)state;
	begin_long();
	xmm_put(0, DOUBLE_1, DOUBLE_1);
	xmm_put(1, 0, DOUBLE_1);
	/* DIVPD by zero: masked, then not. */
	assert_int_equal(STEP(0x66, 0x0f, 0x5e, 0xc1), EMUL_OK);
	assert_int_equal(xmm_get(0, 0), 0x7ff0000000000000);
	assert_int_equal(pc.xstate.mxcsr, 0x1f84);
	xmm_put(0, DOUBLE_1, DOUBLE_1);
	pc.xstate.mxcsr = 0x1d80;
	assert_fault(STEP(0x66, 0x0f, 0x5e, 0xc1), X86_VECTOR_XM, 0);
	assert_int_equal(xmm_get(0, 0), DOUBLE_1);
	assert_int_equal(pc.xstate.mxcsr, 0x1d84);
	pc.state.cr4 &= ~X86_CR4_OSXMMEXCPT;
	assert_fault(STEP(0x66, 0x0f, 0x5e, 0xc1), X86_VECTOR_UD, 0);
	/* A flag that was set before raises nothing. */
	xmm_put(1, DOUBLE_1, DOUBLE_1);
	assert_int_equal(STEP(0x66, 0x0f, 0x5e, 0xc1), EMUL_OK);
	/* CR0.EM, CR0.TS, CR4.OSFXSR */
	pc.state.cr0 |= X86_CR0_TS;
	assert_fault(STEP(0x66, 0x0f, 0x5e, 0xc1), X86_VECTOR_NM, 0);
	assert_fault(STEP(0xd9, 0xe8), X86_VECTOR_NM, 0);
	pc.state.cr4 &= ~X86_CR4_OSFXSR;
	assert_fault(STEP(0x66, 0x0f, 0x5e, 0xc1), X86_VECTOR_UD, 0);
	pc.state.cr0 |= X86_CR0_EM;
	assert_fault(STEP(0x0f, 0xfc, 0xc1), X86_VECTOR_UD, 0);
}

/* An underflow whose result is exact is one where it is not masked. */
static void test_exact_underflow(void **state)
{
	(void)state;
	begin_long();
	xmm_put(0, 1, 0); /* the least number */
	xmm_put(1, 1, 0);
	assert_int_equal(STEP(0x66, 0x0f, 0x58, 0xc1), EMUL_OK);
	assert_int_equal(xmm_get(0, 0), 2);
	assert_int_equal(pc.xstate.mxcsr, 0x1f82);
	pc.xstate.mxcsr = 0x1780;
	assert_fault(STEP(0x66, 0x0f, 0x58, 0xc1), X86_VECTOR_XM, 0);
	assert_int_equal(pc.xstate.mxcsr & 0x10, 0x10);
	assert_int_equal(xmm_get(0, 0), 2);
}

/* So is that of a product in the middle of DPPD, whose sum is large. */
static void test_dot_product(void **state)
{
	(void)state;
	begin_long();
	xmm_put(0, 0x0010000000000000, DOUBLE_1); /* the least normal number */
	xmm_put(1, 0x3fe0000000000000, DOUBLE_1); /* a half */
	if (!(pc.emul.features & EMUL_FEATURE_SSE41))
		return;
	/* DPPD XMM0, XMM1: both products to the low element. */
	pc.xstate.mxcsr = 0x1780;
	assert_fault(STEP(0x66, 0x0f, 0x3a, 0x41, 0xc1, 0x31), X86_VECTOR_XM,
		     0);
	assert_int_equal(pc.xstate.mxcsr, 0x1790);
	assert_int_equal(xmm_get(0, 0), 0x0010000000000000);
	assert_true(pc.state.dirty & X86_GROUP_XSTATE);
	/* A product that is not selected is none; masked it is inexact. */
	pc.xstate.mxcsr = 0x1780;
	assert_int_equal(STEP(0x66, 0x0f, 0x3a, 0x41, 0xc1, 0x20), EMUL_OK);
	assert_int_equal(pc.xstate.mxcsr, 0x1780);
	assert_int_equal(xmm_get(0, 0), 0);
	xmm_put(0, 0x0010000000000000, DOUBLE_1);
	pc.xstate.mxcsr = 0x1f80;
	assert_int_equal(STEP(0x66, 0x0f, 0x3a, 0x41, 0xc1, 0x31), EMUL_OK);
	assert_int_equal(xmm_get(0, 0), DOUBLE_1);
	assert_int_equal(pc.xstate.mxcsr & 0x20, 0x20);
}

/* FNSAVE and FRSTOR with 16-bit addresses: each item's address wraps, none may
 * lie across the end. */
static void test_image_wraps(void **state)
{
	(void)state;
	pc_real();
	with_device();
	pc.state.seg[X86_DS].base = DATA;
	pc.xstate.fcw = 0x37e;
	pc.xstate.ftw = 0xff;
	xmm_put(0, 0, 0);
	memset(pc.xstate.st, 0x5a, sizeof(pc.xstate.st));
	pc.state.gpr[X86_RBX] = 0xfffa; /* three words of the environment */
	assert_int_equal(STEP(0xdd, 0x37), EMUL_OK);
	assert_int_equal(get(DATA + 0xfffa, 2), 0x37e);
	assert_int_equal(get(DATA + 8, 8), 0x5a5a5a5a5a5a5a5a);
	assert_int_equal(pc.xstate.ftw, 0);
	assert_int_equal(STEP(0xdd, 0x27), EMUL_OK);
	assert_int_equal(pc.xstate.fcw, 0x37e);
	assert_int_equal(pc.xstate.ftw, 0xff);
	pc.state.gpr[X86_RBX] = 0xfffb;
	assert_fault(STEP(0xdd, 0x37), X86_VECTOR_GP, 0);
	/* The last register: nothing is loaded, not even an exception. */
	put(DATA + 0xffb0, 0x0340, 2);
	put(DATA + 0xffb2, 0x0001, 2);
	pc.xstate.fcw = 0x37f;
	pc.xstate.fsw = 0;
	pc.state.gpr[X86_RBX] = 0xffb0;
	assert_fault(STEP(0xdd, 0x27), X86_VECTOR_GP, 0);
	assert_int_equal(pc.xstate.fcw, 0x37f);
	assert_int_equal(pc.xstate.fsw, 0);
	assert_fault(STEP(0xdd, 0x27), X86_VECTOR_GP, 0);
	/* FSTP m80 */
	pc.xstate.ftw = 0xff;
	memset(pc.xstate.st, 0x5a, sizeof(pc.xstate.st));
	pc.state.gpr[X86_RBX] = 0xfff8;
	put(DATA, 0, 2);
	assert_int_equal(STEP(0xdb, 0x3f), EMUL_OK);
	assert_int_equal(get(DATA, 2), 0x5a5a);
	pc.state.gpr[X86_RBX] = 0xfffa;
	assert_fault(STEP(0xdb, 0x3f), X86_VECTOR_GP, 0);
}

static void test_simd_memory(void **state)
{
	(void)state;
	begin_protected();
	pc.state.gpr[X86_RBX] = DEVICE + 8;
	memset(device, 7, 64);
	xmm_put(3, 0x0101010101010101, 0x0101010101010101);
	/* PADDB XMM3, [EBX]: unaligned, and not */
	assert_fault(STEP(0x66, 0x0f, 0xfc, 0x1b), X86_VECTOR_GP, 0);
	pc.state.gpr[X86_RBX] = DEVICE;
	assert_int_equal(STEP(0x66, 0x0f, 0xfc, 0x1b), EMUL_OK);
	assert_int_equal(xmm_get(3, 1), 0x0808080808080808);
	/* MM registers, and the x87's tags and TOP */
	pc.xstate.fsw = 3 << 11;
	pc.state.gpr[X86_RBX] = DEVICE + 1;
	assert_int_equal(STEP(0x0f, 0x6f, 0x13), EMUL_OK); /* MOVQ MM2 */
	assert_int_equal(STEP(0x0f, 0xd4, 0x13), EMUL_OK); /* PADDQ MM2 */
	assert_int_equal(STEP(0x0f, 0xe7, 0x13), EMUL_OK); /* MOVNTQ */
	assert_int_equal(device[1], 14);
	assert_int_equal(pc.xstate.ftw, 0xff);
	assert_int_equal(pc.xstate.fsw, 0);
	/* CVTSI2SD XMM1, dword [EBX]; CVTTSD2SI ECX, XMM1 */
	assert_int_equal(STEP(0xf2, 0x0f, 0x2a, 0x0b), EMUL_OK);
	assert_int_equal(STEP(0xf2, 0x0f, 0x2c, 0xc9), EMUL_OK);
	assert_int_equal(pc.state.gpr[X86_RCX], 0x0e0e0e0e);
	assert_true(pc.state.dirty & X86_GROUP_XSTATE);
}

/* Elements that the mask leaves out fault on nothing. */
static void test_masked(void **state)
{
	(void)state;
	begin_long();
	if (!(pc.emul.features & EMUL_FEATURE_AVX2))
		return;
	pc.state.gpr[X86_RBX] = DEVICE + DEVICE_SIZE - 4;
	put(pte_at(DEVICE + DEVICE_SIZE), 0, 8);
	xmm_put(1, 0x80000000, 0);
	xmm_put(2, 0x1234567855555555, 0);
	/* VMASKMOVPS [RBX], XMM1, XMM2 */
	assert_int_equal(STEP(0xc4, 0xe2, 0x71, 0x2e, 0x13), EMUL_OK);
	assert_int_equal(device[DEVICE_SIZE - 4], 0x55);
	xmm_put(1, 0x8000000080000000, 0);
	assert_fault(STEP(0xc4, 0xe2, 0x71, 0x2e, 0x13), X86_VECTOR_PF, 2);
	/* VPGATHERDD XMM3, [RBX + XMM4 * 1], XMM1: the second one faults */
	xmm_put(3, 0, 0);
	xmm_put(4, 4ULL << 32, 0);
	assert_fault(STEP(0xc4, 0xe2, 0x71, 0x90, 0x1c, 0x23), X86_VECTOR_PF,
		     0);
	assert_int_equal(xmm_get(3, 0), 0x55555555);
	assert_int_equal(xmm_get(1, 0) & 0x80000000ffffffff,
			 0x8000000000000000);
}

/*
 * Where operands may lie whose elements are masked: MASKMOVQ's as a whole,
 * those of VMASKMOV one by one, without a wrap on Intel's processors.
 */
static void test_masked_limits(void **state)
{
	(void)state;
	begin_long();
	pc.state.gpr[X86_RDI] = 0x8000000000000000;
	assert_fault(STEP(0x0f, 0xf7, 0xc1), X86_VECTOR_GP, 0);
	assert_fault(STEP(0x66, 0x0f, 0xf7, 0xc1), X86_VECTOR_GP, 0);
	if (!(pc.emul.features & EMUL_FEATURE_AVX))
		return;
	xmm_put(1, 0, 0);
	pc.state.gpr[X86_RBX] = 0x8000000000000000;
	assert_int_equal(STEP(0xc4, 0xe2, 0x71, 0x2e, 0x13), EMUL_OK);
	begin_protected();
	pc.state.gpr[X86_RBX] = 0xfffc;
	pc.state.seg[X86_DS].limit = 0xffff;
	xmm_put(1, 0x80000000, 0);
	assert_int_equal(STEP(0x67, 0xc4, 0xe2, 0x71, 0x2e, 0x17), EMUL_OK);
	xmm_put(1, 0x8000000000000000, 0);
	pc.emul.features |= EMUL_FEATURE_INTEL;
	assert_fault(STEP(0x67, 0xc4, 0xe2, 0x71, 0x2e, 0x17), X86_VECTOR_GP,
		     0);
	/* On AMD's they have: DS:0 */
	pc.emul.features &= ~EMUL_FEATURE_INTEL;
	xmm_put(2, 0x1234567855555555, 0);
	assert_int_equal(STEP(0x67, 0xc4, 0xe2, 0x71, 0x2e, 0x17), EMUL_OK);
	assert_int_equal(get(0, 4), 0x12345678);
	/* VMASKMOVPS XMM3, XMM1, [BX]; and one across the end */
	assert_int_equal(STEP(0x67, 0xc4, 0xe2, 0x71, 0x2c, 0x1f), EMUL_OK);
	assert_int_equal(xmm_get(3, 0), 0x1234567800000000);
	pc.state.gpr[X86_RBX] = 0xfffa;
	assert_fault(STEP(0x67, 0xc4, 0xe2, 0x71, 0x2c, 0x1f), X86_VECTOR_GP,
		     0);
}

/* Halves are tiny, too. */
static void test_half_underflow(void **state)
{
	(void)state;
	begin_long();
	if (!(pc.emul.features & EMUL_FEATURE_F16C))
		return;
	xmm_put(0, 0x33800000, 0); /* 2^-24, the least of them */
	pc.xstate.mxcsr = 0x1780;
	/* VCVTPS2PH XMM1, XMM0, 0 */
	assert_fault(STEP(0xc4, 0xe3, 0x79, 0x1d, 0xc1, 0), X86_VECTOR_XM, 0);
	assert_int_equal(pc.xstate.mxcsr, 0x1790);
	pc.xstate.mxcsr = 0x1f80;
	assert_int_equal(STEP(0xc4, 0xe3, 0x79, 0x1d, 0xc1, 0), EMUL_OK);
	assert_int_equal(xmm_get(1, 0), 1);
	assert_int_equal(pc.xstate.mxcsr, 0x1f80);
}

static void test_features(void **state)
{
	(void)state;
	begin_long();
	pc.emul.features = EMUL_FEATURE_INTEL;
	pc.state.gpr[X86_RBX] = DATA;
	/* PSHUFB, PTEST, PCMPGTQ, AESENC, SHA1MSG1, VADDPS, INVPCID */
	assert_fault(STEP(0x66, 0x0f, 0x38, 0, 3), X86_VECTOR_UD, 0);
	assert_fault(STEP(0x66, 0x0f, 0x38, 0x17, 3), X86_VECTOR_UD, 0);
	assert_fault(STEP(0x66, 0x0f, 0x38, 0x37, 3), X86_VECTOR_UD, 0);
	assert_fault(STEP(0x66, 0x0f, 0x38, 0xdc, 3), X86_VECTOR_UD, 0);
	assert_fault(STEP(0x0f, 0x38, 0xc9, 3), X86_VECTOR_UD, 0);
	assert_fault(STEP(0xc5, 0xf0, 0x58, 3), X86_VECTOR_UD, 0);
	/* VLDMXCSR, VSTMXCSR; LDMXCSR is SSE's */
	assert_fault(STEP(0xc5, 0xf8, 0xae, 0x13), X86_VECTOR_UD, 0);
	assert_fault(STEP(0xc5, 0xf8, 0xae, 0x1b), X86_VECTOR_UD, 0);
	assert_int_equal(STEP(0x0f, 0xae, 0x1b), EMUL_OK);
	assert_fault(STEP(0x66, 0x0f, 0x38, 0x82, 3), X86_VECTOR_UD, 0);
	/* CRC32, MOVNTDQA, LDDQU, MOVDDUP, MOVSLDUP, MOVSHDUP */
	assert_fault(STEP(0xf2, 0x0f, 0x38, 0xf1, 3), X86_VECTOR_UD, 0);
	assert_fault(STEP(0x66, 0x0f, 0x38, 0x2a, 3), X86_VECTOR_UD, 0);
	assert_fault(STEP(0xf2, 0x0f, 0xf0, 3), X86_VECTOR_UD, 0);
	assert_fault(STEP(0xf2, 0x0f, 0x12, 3), X86_VECTOR_UD, 0);
	assert_fault(STEP(0xf3, 0x0f, 0x12, 3), X86_VECTOR_UD, 0);
	assert_fault(STEP(0xf3, 0x0f, 0x16, 3), X86_VECTOR_UD, 0);
	/* INCSSP, TPAUSE, UMONITOR, UMWAIT; LFENCE */
	assert_fault(STEP(0xf3, 0x0f, 0xae, 0xe8), X86_VECTOR_UD, 0);
	assert_fault(STEP(0x66, 0x0f, 0xae, 0xf0), X86_VECTOR_UD, 0);
	assert_fault(STEP(0xf3, 0x0f, 0xae, 0xf0), X86_VECTOR_UD, 0);
	assert_fault(STEP(0xf2, 0x0f, 0xae, 0xf0), X86_VECTOR_UD, 0);
	assert_int_equal(STEP(0x0f, 0xae, 0xe8), EMUL_OK);
	/* Of YMM registers VMOVNTDQA is AVX2's. */
	pc.emul.features |= EMUL_FEATURE_AVX;
	assert_int_equal(STEP(0xc4, 0xe2, 0x79, 0x2a, 3), EMUL_OK);
	assert_fault(STEP(0xc4, 0xe2, 0x7d, 0x2a, 3), X86_VECTOR_UD, 0);
	pc.emul.features = EMUL_FEATURE_INTEL;
	/* XSAVEC, XSAVES, RDPRU, VMMCALL; then, of AMD, VMCALL */
	assert_fault(STEP(0x0f, 0xc7, 0x23), X86_VECTOR_UD, 0);
	assert_fault(STEP(0x0f, 0xc7, 0x2b), X86_VECTOR_UD, 0);
	assert_fault(STEP(0x0f, 0x01, 0xfd), X86_VECTOR_UD, 0);
	assert_fault(STEP(0x0f, 0x01, 0xd9), X86_VECTOR_UD, 0);
	pc.emul.features = 0;
	assert_fault(STEP(0x0f, 0x01, 0xc1), X86_VECTOR_UD, 0);
	/* EVEX, XOP, 3DNow! */
	assert_fault(STEP(0x62, 0xf1, 0x7c, 0x48, 0x58, 0xc1), X86_VECTOR_UD,
		     0);
	assert_fault(STEP(0x8f, 0xe8, 0x78, 0xa2, 0xc1, 0x00), X86_VECTOR_UD,
		     0);
	assert_fault(STEP(0x0f, 0x0f, 0xc1, 0x9e), X86_VECTOR_UD, 0);
}

static void test_xsavec(void **state)
{
	struct x86_xstate *area = (struct x86_xstate *)(pc.ram + DATA);

	(void)state;
	begin_long();
	pc.emul.features |= EMUL_FEATURE_XSAVEC;
	pc.state.gpr[X86_RBX] = DATA;
	pc.state.gpr[X86_RAX] = 7;
	pc.xstate.xstate_bv = X86_XCR0_X87 | X86_XCR0_AVX;
	memset(area, 0x5a, sizeof(*area));
	memset(pc.xstate.ymm_high[5], 0x77, 16);
	pc.xstate.fsw = 0x3800;
	assert_int_equal(STEP(0x0f, 0xc7, 0x23), EMUL_OK);
	assert_int_equal(area->xstate_bv, 5);
	assert_int_equal(area->xcomp_bv, BIT(63) | 7);
	assert_int_equal(area->fsw, 0x3800);
	assert_int_equal(area->xmm[0][0], 0x5a); /* initial: not written */
	assert_int_equal(area->ymm_high[5][3], 0x77);
	/* XRSTOR takes it back. */
	memset(area->reserved2, 0, sizeof(area->reserved2));
	memset(pc.xstate.ymm_high, 0, sizeof(pc.xstate.ymm_high));
	pc.xstate.mxcsr = 0x1f90;
	pc.xstate.fsw = 0;
	assert_int_equal(STEP(0x0f, 0xae, 0x2b), EMUL_OK);
	assert_int_equal(pc.xstate.fsw, 0x3800);
	assert_int_equal(pc.xstate.ymm_high[5][3], 0x77);
	assert_int_equal(pc.xstate.mxcsr, 0x1f80);
	assert_int_equal(pc.xstate.xstate_bv, 5);
	area->xcomp_bv = BIT(63) | 3; /* lacks what is in XSTATE_BV */
	assert_fault(STEP(0x0f, 0xae, 0x2b), X86_VECTOR_GP, 0);
}

static int need_xstate(void *ctx, uint32_t groups)
{
	(void)ctx;
	if (groups & X86_GROUP_XSTATE)
		pc.state.xcr0 = 7;
	pc.state.valid |= groups;
	return 0;
}

/* XCR0 is what it is once the registers are there. */
static void test_xcr0_comes_late(void **state)
{
	struct emul_ops ops = device_ops;

	(void)state;
	ops.state_need = need_xstate;
	for (unsigned i = 0; i < 3; i++) {
		begin_long();
		pc.emul.ops = &ops;
		pc.emul.features |= EMUL_FEATURE_AVX;
		pc.state.xcr0 = X86_XCR0_X87;
		pc.state.valid &= ~(uint32_t)X86_GROUP_XSTATE;
		pc.state.gpr[X86_RBX] = DATA;
		pc.state.gpr[X86_RAX] = 7;
		pc.state.gpr[X86_RCX] = 0;
		switch (i) {
		case 0: /* VMOVUPS */
			assert_int_equal(STEP(0xc5, 0xfc, 0x10, 3), EMUL_OK);
			break;
		case 1: /* XSAVE */
			assert_int_equal(STEP(0x0f, 0xae, 0x23), EMUL_OK);
			assert_int_equal(get(DATA + 512, 8), 7);
			break;
		default: /* XGETBV */
			assert_int_equal(STEP(0x0f, 0x01, 0xd0), EMUL_OK);
			assert_int_equal(pc.state.gpr[X86_RAX], 7);
			break;
		}
	}
}

/* State that XRSTOR has left initial: what the area still has of old waits for
 * nobody. */
static void test_initial_state(void **state)
{
	struct x86_xstate *area = (struct x86_xstate *)(pc.ram + DATA);

	(void)state;
	begin_long();
	pc.state.gpr[X86_RBX] = DATA;
	pc.state.gpr[X86_RAX] = X86_XCR0_X87;
	pc.xstate.fcw = 0x340;
	pc.xstate.fsw = 0x8081; /* invalid operation, not masked */
	assert_fault(STEP(0x9b), X86_VECTOR_MF, 0);
	memset(area, 0, sizeof(*area));
	assert_int_equal(STEP(0x0f, 0xae, 0x2b), EMUL_OK);
	assert_int_equal(STEP(0x9b), EMUL_OK);
	assert_int_equal(STEP(0xd9, 0x3b), EMUL_OK); /* FNSTCW */
	assert_int_equal(get(DATA, 2), 0x37f);
}

/* XSAVE writes initial components as well, XSAVEOPT leaves them out. */
static void test_xsave_initial(void **state)
{
	struct x86_xstate *area = (struct x86_xstate *)(pc.ram + DATA);

	(void)state;
	for (unsigned is_opt = 0; is_opt < 2; is_opt++) {
		begin_long();
		pc.emul.features |= EMUL_FEATURE_XSAVEOPT;
		pc.state.gpr[X86_RBX] = DATA;
		pc.state.gpr[X86_RAX] = 7;
		pc.xstate.xstate_bv = 0;
		memset(area, 0x5a, sizeof(*area));
		memset(pc.xstate.xmm, 0x77, sizeof(pc.xstate.xmm));
		memset(pc.xstate.ymm_high, 0x77, sizeof(pc.xstate.ymm_high));
		area->xstate_bv = 7;
		assert_int_equal(STEP(0x0f, 0xae, is_opt ? 0x33 : 0x23),
				 EMUL_OK);
		assert_int_equal(area->xstate_bv, 0);
		assert_int_equal(area->fcw, is_opt ? 0x5a5a : 0x37f);
		assert_int_equal(area->xmm[3][3], is_opt ? 0x5a : 0);
		assert_int_equal(area->ymm_high[3][3], is_opt ? 0x5a : 0);
		assert_int_equal(pc.xstate.xstate_bv, 0);
	}
}

/* FNINIT and FLDENV move TOP, not the registers. */
static void test_top(void **state)
{
	(void)state;
	begin_protected();
	assert_int_equal(STEP(0xd9, 0xe8), EMUL_OK); /* FLD1 */
	assert_int_equal(pc.xstate.st[0][9], 0x3f);
	assert_int_equal(STEP(0xdb, 0xe3), EMUL_OK); /* FNINIT */
	assert_int_equal(pc.xstate.st[0][9], 0);
	assert_int_equal(pc.xstate.st[7][9], 0x3f);
}

/* ---- Every opcode of every map ------------------------------------------- */

/* Where all of them start from; RAM stays, for they reach the device alone. */
static struct {
	struct x86_state state;
	struct x86_xstate xstate;
} start;

static void try_bytes(unsigned seed, const uint8_t *bytes, unsigned n)
{
	uint8_t insn[16] = { 0 };

	pc.state = start.state;
	pc.xstate = start.xstate;
	for (unsigned i = 0; i < 16; i++)
		if (i != X86_RSP)
			pc.state.gpr[i] = DEVICE + 64 * ((seed + i) % 8);
	for (unsigned i = 0; i < 16; i++)
		device[64 * (seed % 8) + i] = (uint8_t)(i * 7 + seed);
	memcpy(insn, bytes, n);
	code(insn, 15);
	if (emul_step(&pc.emul) != EMUL_UNHANDLED)
		return;
	print_error("unknown:");
	for (unsigned i = 0; i < n + 4; i++)
		print_error(" %02x", insn[i]);
	print_error("\n");
	fail();
}

static const uint8_t modrms[] = { 0x03, 0x0b, 0x13, 0x1b, 0x23, 0x2b,
				  0x33, 0x3b, 0xc1, 0xca, 0xd3, 0xdc,
				  0xe5, 0xee, 0xf7, 0xf8 };

static void try_legacy(const uint8_t *escape, unsigned n)
{
	static const uint8_t prefixes[] = { 0, 0x66, 0xf3, 0xf2, 0xf0, 0x48 };

	for (unsigned op = 0; op < 256; op++)
		for (unsigned p = 0; p < sizeof(prefixes); p++)
			for (unsigned m = 0; m < sizeof(modrms); m++) {
				uint8_t bytes[8];
				unsigned at = 0;

				if (prefixes[p])
					bytes[at++] = prefixes[p];
				memcpy(bytes + at, escape, n);
				at += n;
				bytes[at++] = (uint8_t)op;
				bytes[at++] = modrms[m];
				try_bytes(m, bytes, at);
			}
}

static void try_vex(void)
{
	for (unsigned op = 0; op < 256; op++)
		for (unsigned i = 0; i < 4 * 16 * 2; i++)
			for (unsigned m = 0; m < sizeof(modrms); m += 5) {
				uint8_t last =
					(uint8_t)((i & 7) | (i & 8) << 4);
				uint8_t bytes[] = {
					0xc4,
					(uint8_t)(0xe0 | i >> 5),
					(uint8_t)(last |
						  (i & 16 ? 0x78 : 0x50)),
					(uint8_t)op,
					modrms[m],
				};

				try_bytes(m, bytes, sizeof(bytes));
			}
}

static void try_all(void (*begin)(void))
{
	begin();
	start.state = pc.state;
	start.xstate = pc.xstate;
	try_legacy((const uint8_t *)"", 0);
	try_legacy((const uint8_t *)"\x0f", 1);
	try_legacy((const uint8_t *)"\x0f\x38", 2);
	try_legacy((const uint8_t *)"\x0f\x3a", 2);
	try_vex();
	for (unsigned escape = 0xd8; escape < 0xe0; escape++)
		for (unsigned modrm = 0; modrm < 256; modrm++)
			try_bytes(modrm,
				  (const uint8_t[]){ (uint8_t)escape,
						     (uint8_t)modrm },
				  2);
}

static void begin_real(void)
{
	pc_real();
	with_device();
	/* In reach of 16-bit addresses. */
	for (unsigned i = 0; i < X86_SEG_COUNT; i++)
		if (i != X86_CS && i != X86_SS)
			pc.state.seg[i].base = DEVICE;
}

static void test_no_opcode_is_unknown(void **state)
{
	(void)state;
	try_all(begin_real);
	try_all(begin_protected);
	try_all(begin_long);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy_by_x87),
		cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_x87_store_faults),
		cmocka_unit_test(test_simd_exceptions),
		cmocka_unit_test(test_exact_underflow),
		cmocka_unit_test(test_dot_product),
		cmocka_unit_test(test_image_wraps),
		cmocka_unit_test(test_simd_memory),
		cmocka_unit_test(test_masked),
		cmocka_unit_test(test_masked_limits),
		cmocka_unit_test(test_half_underflow),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_xsavec),
		cmocka_unit_test(test_xcr0_comes_late),
		cmocka_unit_test(test_initial_state),
		cmocka_unit_test(test_xsave_initial),
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_no_opcode_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
