/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An instruction that is emulated, for its operand is a device's, leaves the
 * registers of x87 and SSE that it does not name as they were: with and without
 * XSAVE, in whatever state the processor keeps them.
 */
#include "tests/guest/lib/guest.h"

#include "lib/string.h"

#define ROUNDS 3

struct image {
	uint8_t bytes[512];
} __aligned(16);

#define FX_MXCSR 24
#define FX_ST	 32
#define FX_XMM	 160
#define FX_END	 (FX_XMM + 16 * 16)

static void pattern(struct image *image)
{
	__asm__ volatile("fninit; fxsave64 %0" : "=m"(*image));
	for (unsigned i = FX_XMM; i < FX_END; i++)
		image->bytes[i] = (uint8_t)(i * 7 + 1);
	/* Masked, rounding up; a full stack of numbers. */
	image->bytes[FX_MXCSR + 1] = 0x5f;
	image->bytes[4] = 0xff;
	for (unsigned i = 0; i < 8; i++) {
		memset(&image->bytes[FX_ST + 16 * i], 0, 16);
		image->bytes[FX_ST + 16 * i + 7] = (uint8_t)(0x80 + i);
		image->bytes[FX_ST + 16 * i + 8] = 0xff;
		image->bytes[FX_ST + 16 * i + 9] = 0x3f;
	}
}

static bool is_kept(const struct image *want, const struct image *got)
{
	return !memcmp(&want->bytes[FX_ST], &got->bytes[FX_ST], 128) &&
	       !memcmp(&want->bytes[FX_MXCSR], &got->bytes[FX_MXCSR], 4) &&
	       /* XMM3 was loaded. */
	       !memcmp(&want->bytes[FX_XMM], &got->bytes[FX_XMM], 48) &&
	       !memcmp(&want->bytes[FX_XMM + 64], &got->bytes[FX_XMM + 64],
		       12 * 16) &&
	       want->bytes[4] == got->bytes[4] &&
	       want->bytes[0] == got->bytes[0];
}

/* The second time the area is what the first left. */
static void test_kept(void)
{
	static struct image want, got;
	bool is_good = true;

	pattern(&want);
	for (unsigned i = 0; i < ROUNDS; i++) {
		__asm__ volatile("fxrstor64 %1; movups (%2), %%xmm3; "
				 "fxsave64 %0"
				 : "=m"(got)
				 : "m"(want), "r"(LAPIC_BASE + LAPIC_TPR)
				 : "memory");
		is_good = is_good && is_kept(&want, &got);
	}
	check("kept", is_good);
}

/* As after FNINIT and with zeroes everywhere, which processors may not save. */
static void test_initial(void)
{
	static struct image want, got;

	pattern(&want);
	memset(&want.bytes[FX_ST], 0, FX_END - FX_ST);
	want.bytes[FX_MXCSR + 1] = 0x1f;
	want.bytes[4] = 0;
	__asm__ volatile("fxrstor64 %1; movups (%2), %%xmm3; fxsave64 %0"
			 : "=m"(got)
			 : "m"(want), "r"(LAPIC_BASE + LAPIC_TPR)
			 : "memory");
	check("initial", is_kept(&want, &got));
}

void guest_main(void)
{
	lapic_enable();
	test_kept();
	test_initial();
}
