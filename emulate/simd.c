/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vector instructions' rows as data, and how they are found.
 */
#include "emulate/simd.h"

#include "include/emulate.h"

enum simd_set_number {
	SET_MMX,
	SET_MMX_SSSE3_,
	SET_SSE,
	SET_SSE_INT,
	SET_SSE3,
	SET_SSSE3_INT,
	SET_SSE41,
	SET_SSE41_INT,
	SET_SSE42,
	SET_SSE42_INT,
	SET_AES,
	SET_PCLMUL,
	SET_SHA,
	SET_GFNI,
	SET_F16C,
	SET_FMA,
	SET_AVX_,
	SET_AVX_INT,
	SET_AVX2_,
};

#define F(name) EMUL_FEATURE_##name

/* clang-format off */
const struct simd_set emul_simd_sets[] = {
	[SET_MMX]	 = { 0, 0, 0 },
	[SET_MMX_SSSE3_] = { F(SSSE3), 0, 0 },
	[SET_SSE]	 = { 0, 0, 0 },
	[SET_SSE_INT]	 = { 0, 0, F(AVX2) },
	[SET_SSE3]	 = { F(SSE3), 0, 0 },
	[SET_SSSE3_INT]	 = { F(SSSE3), 0, F(AVX2) },
	[SET_SSE41]	 = { F(SSE41), 0, 0 },
	[SET_SSE41_INT]	 = { F(SSE41), 0, F(AVX2) },
	[SET_SSE42]	 = { F(SSE42), 0, 0 },
	[SET_SSE42_INT]	 = { F(SSE42), 0, F(AVX2) },
	[SET_AES]	 = { F(AES), F(AES), F(VAES) },
	[SET_PCLMUL]	 = { F(PCLMUL), F(PCLMUL), F(VPCLMUL) },
	[SET_SHA]	 = { F(SHA), 0, 0 },
	[SET_GFNI]	 = { F(GFNI), F(GFNI), F(GFNI) },
	[SET_F16C]	 = { 0, F(F16C), F(F16C) },
	[SET_FMA]	 = { 0, F(FMA), F(FMA) },
	[SET_AVX_]	 = { 0, 0, 0 },
	[SET_AVX_INT]	 = { 0, 0, F(AVX2) },
	[SET_AVX2_]	 = { 0, F(AVX2), F(AVX2) },
};

#define VVVV_NO	 0
#define VVVV_NDS SIMD_NDS
/* Flags are written without their prefix. */
#define WIG	 SIMD_WIG
#define LIG	 SIMD_LIG
#define FPX	 SIMD_FPX
#define REGO	 SIMD_REGO
#define ANYWHERE SIMD_ANYWHERE
#define INSERTPS SIMD_INSERTPS
#define A_ANYWHERE SIMD_A_ANYWHERE
#define A_WIG	 SIMD_A_WIG
#define A_W64	 SIMD_A_W64

enum { SIMD_BITS_NOIMM = SIMD_NOIMM, SIMD_BITS_IS4 = SIMD_IS4,
       SIMD_BITS_1 = 1, SIMD_BITS_2, SIMD_BITS_3, SIMD_BITS_4, SIMD_BITS_5,
       SIMD_BITS_6, SIMD_BITS_7, SIMD_BITS_8 };

const struct simd_row emul_simd_rows[SIMD_ROW_COUNT] = {
#define S(map, pp, op, forms, vvvv, imm, set, shape, mem, flags)        \
	[SIMD_##map##_##pp##_##op] = { SIMD_##forms, SIMD_BITS_##imm,   \
				       SET_##set, SIMD_##shape, SIMD_##mem, \
				       VVVV_##vvvv | (flags) },
	SIMD_ROWS(S)
#undef S
};

static const uint16_t numbers[3][4][256] = {
#define S(map, pp, op, ...) \
	[(map) - 1][pp][op] = SIMD_##map##_##pp##_##op + 1,
	SIMD_ROWS(S)
#undef S
};
/* clang-format on */

int emul_simd_find(unsigned map, unsigned pp, unsigned opcode)
{
	return numbers[map - 1][pp][opcode] - 1;
}
