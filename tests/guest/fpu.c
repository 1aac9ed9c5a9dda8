/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floating point and vector state is the guest's own: exits of every kind in
 * between leave it alone.
 */
#include "tests/guest/lib/guest.h"

#define CPUID_XSAVE BIT(26)
#define CPUID_AVX   BIT(28)

#define DEVICE 0xd0000000UL /* nobody's: reads ones */

static void make_exits(void)
{
	for (unsigned i = 0; i < 200; i++) {
		(void)cpuid(0, 0);
		(void)in8(0x80);
		(void)in8(0x21);
		(void)*(volatile uint32_t *)DEVICE;
		out8(0x80, (uint8_t)i);
	}
}

static void test_sse(void)
{
	static uint64_t in[2] = { 0x1122334455667788, 0x99aabbccddeeff00 };
	static uint64_t out[2], out15[2];
	uint32_t mxcsr = 0x3f80, mxcsr_after = 0;

	__asm__ volatile(
		"ldmxcsr %0; movups %1, %%xmm0; movups %1, %%xmm15" ::"m"(
			mxcsr),
		"m"(in));
	make_exits();
	__asm__ volatile("movups %%xmm0, %0; movups %%xmm15, %1; stmxcsr %2"
			 : "=m"(out), "=m"(out15), "=m"(mxcsr_after));
	check("xmm", out[0] == in[0] && out[1] == in[1]);
	check("xmm15", out15[0] == in[0] && out15[1] == in[1]);
	check_equal("mxcsr", mxcsr_after, mxcsr);
}

static void test_x87(void)
{
	uint64_t pi = 0, again = 0;
	uint16_t control = 0x27f, control_after = 0;

	__asm__ volatile("fninit; fldcw %0; fldpi; fld %%st(0); fstpl %1"
			 : "+m"(control), "=m"(pi));
	make_exits();
	__asm__ volatile("fstpl %0; fnstcw %1"
			 : "=m"(again), "=m"(control_after));
	check_equal("x87", again, pi);
	check_equal("x87-control", control_after, control);
}

static void test_avx(void)
{
	static uint64_t in[4] = { 1, 2, 0x3333333333333333, 4 }, out[4];

	if (~cpuid(1, 0).ecx & (CPUID_XSAVE | CPUID_AVX)) {
		skip("ymm", "no AVX");
		return;
	}
	WRITE_CR(4, READ_CR(4) | X86_CR4_OSXSAVE);
	__asm__ volatile("xsetbv" ::"c"(0), "a"(7), "d"(0));
	/* Emulated straight after: it has to know of XCR0. */
	__asm__ volatile("vmovdqu (%1), %%ymm7; vmovdqu %%ymm7, %0"
			 : "=m"(out)
			 : "r"(DEVICE));
	check("ymm-device", out[0] == UINT64_MAX && out[3] == UINT64_MAX);
	__asm__ volatile("vmovdqu %0, %%ymm7" ::"m"(in));
	make_exits();
	__asm__ volatile("vmovdqu %%ymm7, %0" : "=m"(out));
	check("ymm", out[2] == in[2] && out[3] == in[3]);
}

/*
 * Loads, stores, arithmetic and conversions of memory that is a device, as
 * games that copy to the screen by the x87, MMX or SSE do.
 */
static void test_device(void)
{
	static uint64_t in = 41, out;
	static double fraction;
	uint32_t low = 0, integer = 0;

	__asm__ volatile("fninit; fildq %1; fistpq (%0)" ::"r"(DEVICE),
			 "m"(in));
	__asm__ volatile("fildq (%1); fildq %2; faddp; fistpq %0"
			 : "=m"(out)
			 : "r"(DEVICE), "m"(in));
	check_equal("device-fild-fistp", out, 40);
	__asm__ volatile("fild (%1); fimul (%1); fstpl %0"
			 : "=m"(fraction)
			 : "r"(DEVICE));
	__asm__ volatile("cvttsd2si %1, %0" : "=r"(integer) : "m"(fraction));
	check_equal("device-fimul", integer, 1);
	__asm__ volatile("movq (%1), %%mm1; paddd %2, %%mm1; movd %%mm1, %0;"
			 "movntq %%mm1, (%1); emms"
			 : "=r"(low)
			 : "r"(DEVICE), "m"(in));
	check_equal("device-mmx", low, 40);
	__asm__ volatile("cvtsi2sdl (%1), %%xmm1; cvttsd2si %%xmm1, %0"
			 : "=r"(integer)
			 : "r"(DEVICE));
	check_equal("device-cvtsi2sd", integer, UINT32_MAX);
	__asm__ volatile("pxor %%xmm2, %%xmm2; psubd (%1), %%xmm2;"
			 "movd %%xmm2, %0; movntdq %%xmm2, (%1)"
			 : "=r"(low)
			 : "r"(DEVICE));
	check_equal("device-sse", low, 1);
}

/* CR0.TS is the guest's: its own #NM, not one of the hypervisor's. */
static void test_task_switched(void)
{
	WRITE_CR(0, READ_CR(0) & ~X86_CR0_TS);
	make_exits();
	__asm__ volatile("fnop");
	check_equal("ts-stays-clear", READ_CR(0) & X86_CR0_TS, 0);
}

void guest_main(void)
{
	test_sse();
	test_x87();
	test_avx();
	test_device();
	test_task_switched();
}
