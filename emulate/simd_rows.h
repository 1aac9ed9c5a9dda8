/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MMX, SSE, AVX and FMA instructions that the processor itself executes, one
 * row each: C takes the table of operands from it (simd.c), the assembler the
 * code (stubs.c).
 *
 *	S(map, pp, op, forms, vvvv, imm, set, shape, mem, flags)
 *
 * map: 1 (0F), 2 (0F38), 3 (0F3A).  pp: 0, 1 (66), 2 (F3), 3 (F2).
 * forms: which of legacy, VEX.L and W exist.  vvvv: VEX.vvvv is a source.
 * imm: how many bits of an immediate count.  set: the features that it is of.
 * shape: what reg and r/m are.  mem: bytes of an operand in memory.
 *
 * References: SDM volume 2, instruction pages; appendix "Opcode Map".
 */
#ifndef BULKHEAD_EMULATE_SIMD_ROWS_H
#define BULKHEAD_EMULATE_SIMD_ROWS_H

/* clang-format off */

/* MMX registers, and XMM or YMM registers with 66. */
#define MMX_SSE2(S, op, mem) \
	S(1, 0, op, LEGACY, NO, NOIMM, MMX, MM, mem, 0) \
	S(1, 1, op, LEGACY_L, NDS, NOIMM, SSE_INT, GE, V, WIG)
#define MMX_SHIFT(S, op) \
	S(1, 0, op, LEGACY, NO, NOIMM, MMX, MM, 8, 0) \
	S(1, 1, op, LEGACY_L, NDS, NOIMM, SSE_INT, GE, 16, WIG)
#define MMX_SSSE3(S, op, vvvv) \
	S(2, 0, op, LEGACY, NO, NOIMM, MMX_SSSE3_, MM, 8, 0) \
	S(2, 1, op, LEGACY_L, vvvv, NOIMM, SSSE3_INT, GE, V, WIG)
/* PS, PD, SS, SD */
#define FP_FOUR(S, op, vvvv, flags) \
	S(1, 0, op, LEGACY_L, vvvv, NOIMM, SSE, GE, V, WIG | flags) \
	S(1, 1, op, LEGACY_L, vvvv, NOIMM, SSE, GE, V, WIG | flags) \
	S(1, 2, op, LEGACY_V, NDS, NOIMM, SSE, GE, 4, WIG | LIG | flags) \
	S(1, 3, op, LEGACY_V, NDS, NOIMM, SSE, GE, 8, WIG | LIG | flags)
#define FMA_PACKED(S, op) \
	S(2, 1, op, VEX_LW, NDS, NOIMM, FMA, GE, V, FPX)
#define FMA_SCALAR(S, op) \
	S(2, 1, op, VEX_W, NDS, NOIMM, FMA, GE, Y, FPX | LIG)
#define SSE41_INT_(S, op) \
	S(2, 1, op, LEGACY_L, NDS, NOIMM, SSE41_INT, GE, V, WIG)
#define PMOVX(S, op, mem) \
	S(2, 1, op, LEGACY_L, NO, NOIMM, SSE41_INT, GE, mem, WIG)

#define SIMD_ROWS_0F(S) \
	S(1, 0, 0x14, LEGACY_L, NDS, NOIMM, SSE, GE, V, WIG) \
	S(1, 1, 0x14, LEGACY_L, NDS, NOIMM, SSE, GE, V, WIG) \
	S(1, 0, 0x15, LEGACY_L, NDS, NOIMM, SSE, GE, V, WIG) \
	S(1, 1, 0x15, LEGACY_L, NDS, NOIMM, SSE, GE, V, WIG) \
	S(1, 0, 0x2a, LEGACY, NO, NOIMM, SSE, XM, 8, FPX) \
	S(1, 1, 0x2a, LEGACY, NO, NOIMM, SSE, XM, 8, FPX) \
	S(1, 2, 0x2a, LEGACY_VW, NDS, NOIMM, SSE, GR, Y, FPX | LIG) \
	S(1, 3, 0x2a, LEGACY_VW, NDS, NOIMM, SSE, GR, Y, FPX | LIG) \
	S(1, 0, 0x2c, LEGACY, NO, NOIMM, SSE, MX, 8, FPX) \
	S(1, 1, 0x2c, LEGACY, NO, NOIMM, SSE, MX, V, FPX) \
	S(1, 2, 0x2c, LEGACY_VW, NO, NOIMM, SSE, RE, 4, FPX | LIG) \
	S(1, 3, 0x2c, LEGACY_VW, NO, NOIMM, SSE, RE, 8, FPX | LIG) \
	S(1, 0, 0x2d, LEGACY, NO, NOIMM, SSE, MX, 8, FPX) \
	S(1, 1, 0x2d, LEGACY, NO, NOIMM, SSE, MX, V, FPX) \
	S(1, 2, 0x2d, LEGACY_VW, NO, NOIMM, SSE, RE, 4, FPX | LIG) \
	S(1, 3, 0x2d, LEGACY_VW, NO, NOIMM, SSE, RE, 8, FPX | LIG) \
	S(1, 0, 0x2e, LEGACY_V, NO, NOIMM, SSE, FE, 4, FPX | LIG | WIG) \
	S(1, 1, 0x2e, LEGACY_V, NO, NOIMM, SSE, FE, 8, FPX | LIG | WIG) \
	S(1, 0, 0x2f, LEGACY_V, NO, NOIMM, SSE, FE, 4, FPX | LIG | WIG) \
	S(1, 1, 0x2f, LEGACY_V, NO, NOIMM, SSE, FE, 8, FPX | LIG | WIG) \
	S(1, 0, 0x50, LEGACY_L, NO, NOIMM, SSE, RE, V, WIG | REGO) \
	S(1, 1, 0x50, LEGACY_L, NO, NOIMM, SSE, RE, V, WIG | REGO) \
	FP_FOUR(S, 0x51, NO, FPX) \
	S(1, 0, 0x52, LEGACY_L, NO, NOIMM, SSE, GE, V, WIG) \
	S(1, 2, 0x52, LEGACY_V, NDS, NOIMM, SSE, GE, 4, WIG | LIG) \
	S(1, 0, 0x53, LEGACY_L, NO, NOIMM, SSE, GE, V, WIG) \
	S(1, 2, 0x53, LEGACY_V, NDS, NOIMM, SSE, GE, 4, WIG | LIG) \
	FP_FOUR(S, 0x58, NDS, FPX) \
	FP_FOUR(S, 0x59, NDS, FPX) \
	S(1, 0, 0x5a, LEGACY_L, NO, NOIMM, SSE, GE, H, FPX | WIG) \
	S(1, 1, 0x5a, LEGACY_L, NO, NOIMM, SSE, GE, V, FPX | WIG) \
	S(1, 2, 0x5a, LEGACY_V, NDS, NOIMM, SSE, GE, 4, FPX | LIG | WIG) \
	S(1, 3, 0x5a, LEGACY_V, NDS, NOIMM, SSE, GE, 8, FPX | LIG | WIG) \
	S(1, 0, 0x5b, LEGACY_L, NO, NOIMM, SSE, GE, V, FPX | WIG) \
	S(1, 1, 0x5b, LEGACY_L, NO, NOIMM, SSE, GE, V, FPX | WIG) \
	S(1, 2, 0x5b, LEGACY_L, NO, NOIMM, SSE, GE, V, FPX | WIG) \
	FP_FOUR(S, 0x5c, NDS, FPX) \
	FP_FOUR(S, 0x5d, NDS, FPX) \
	FP_FOUR(S, 0x5e, NDS, FPX) \
	FP_FOUR(S, 0x5f, NDS, FPX) \
	MMX_SSE2(S, 0x60, 4) MMX_SSE2(S, 0x61, 4) MMX_SSE2(S, 0x62, 4) \
	MMX_SSE2(S, 0x63, 8) MMX_SSE2(S, 0x64, 8) MMX_SSE2(S, 0x65, 8) \
	MMX_SSE2(S, 0x66, 8) MMX_SSE2(S, 0x67, 8) MMX_SSE2(S, 0x68, 8) \
	MMX_SSE2(S, 0x69, 8) MMX_SSE2(S, 0x6a, 8) MMX_SSE2(S, 0x6b, 8) \
	S(1, 1, 0x6c, LEGACY_L, NDS, NOIMM, SSE_INT, GE, V, WIG) \
	S(1, 1, 0x6d, LEGACY_L, NDS, NOIMM, SSE_INT, GE, V, WIG) \
	S(1, 0, 0x70, LEGACY, NO, 8, MMX, MM, 8, 0) \
	S(1, 1, 0x70, LEGACY_L, NO, 8, SSE_INT, GE, V, WIG) \
	S(1, 2, 0x70, LEGACY_L, NO, 8, SSE_INT, GE, V, WIG) \
	S(1, 3, 0x70, LEGACY_L, NO, 8, SSE_INT, GE, V, WIG) \
	MMX_SSE2(S, 0x74, 8) MMX_SSE2(S, 0x75, 8) MMX_SSE2(S, 0x76, 8) \
	S(1, 1, 0x7c, LEGACY_L, NDS, NOIMM, SSE3, GE, V, FPX | WIG) \
	S(1, 3, 0x7c, LEGACY_L, NDS, NOIMM, SSE3, GE, V, FPX | WIG) \
	S(1, 1, 0x7d, LEGACY_L, NDS, NOIMM, SSE3, GE, V, FPX | WIG) \
	S(1, 3, 0x7d, LEGACY_L, NDS, NOIMM, SSE3, GE, V, FPX | WIG) \
	S(1, 0, 0xc2, LEGACY_L, NDS, 5, SSE, GE, V, FPX | WIG) \
	S(1, 1, 0xc2, LEGACY_L, NDS, 5, SSE, GE, V, FPX | WIG) \
	S(1, 2, 0xc2, LEGACY_V, NDS, 5, SSE, GE, 4, FPX | LIG | WIG) \
	S(1, 3, 0xc2, LEGACY_V, NDS, 5, SSE, GE, 8, FPX | LIG | WIG) \
	S(1, 0, 0xc4, LEGACY, NO, 3, MMX, MR, 2, 0) \
	S(1, 1, 0xc4, LEGACY_V, NDS, 3, SSE, GR, 2, WIG) \
	S(1, 0, 0xc5, LEGACY, NO, 3, MMX, RM, 8, REGO) \
	S(1, 1, 0xc5, LEGACY_V, NO, 3, SSE, RE, V, WIG | REGO) \
	S(1, 0, 0xc6, LEGACY_L, NDS, 8, SSE, GE, V, WIG) \
	S(1, 1, 0xc6, LEGACY_L, NDS, 4, SSE, GE, V, WIG) \
	S(1, 1, 0xd0, LEGACY_L, NDS, NOIMM, SSE3, GE, V, FPX | WIG) \
	S(1, 3, 0xd0, LEGACY_L, NDS, NOIMM, SSE3, GE, V, FPX | WIG) \
	MMX_SHIFT(S, 0xd1) MMX_SHIFT(S, 0xd2) MMX_SHIFT(S, 0xd3) \
	MMX_SSE2(S, 0xd4, 8) MMX_SSE2(S, 0xd5, 8) \
	S(1, 2, 0xd6, LEGACY, NO, NOIMM, SSE, XM, 8, REGO) \
	S(1, 3, 0xd6, LEGACY, NO, NOIMM, SSE, MX, 8, REGO) \
	S(1, 0, 0xd7, LEGACY, NO, NOIMM, MMX, RM, 8, REGO) \
	S(1, 1, 0xd7, LEGACY_L, NO, NOIMM, SSE_INT, RE, V, WIG | REGO) \
	MMX_SSE2(S, 0xd8, 8) MMX_SSE2(S, 0xd9, 8) MMX_SSE2(S, 0xda, 8) \
	MMX_SSE2(S, 0xdb, 8) MMX_SSE2(S, 0xdc, 8) MMX_SSE2(S, 0xdd, 8) \
	MMX_SSE2(S, 0xde, 8) MMX_SSE2(S, 0xdf, 8) MMX_SSE2(S, 0xe0, 8) \
	MMX_SHIFT(S, 0xe1) MMX_SHIFT(S, 0xe2) \
	MMX_SSE2(S, 0xe3, 8) MMX_SSE2(S, 0xe4, 8) MMX_SSE2(S, 0xe5, 8) \
	S(1, 1, 0xe6, LEGACY_L, NO, NOIMM, SSE, GE, V, FPX | WIG) \
	S(1, 2, 0xe6, LEGACY_L, NO, NOIMM, SSE, GE, H, WIG) \
	S(1, 3, 0xe6, LEGACY_L, NO, NOIMM, SSE, GE, V, FPX | WIG) \
	MMX_SSE2(S, 0xe8, 8) MMX_SSE2(S, 0xe9, 8) MMX_SSE2(S, 0xea, 8) \
	MMX_SSE2(S, 0xeb, 8) MMX_SSE2(S, 0xec, 8) MMX_SSE2(S, 0xed, 8) \
	MMX_SSE2(S, 0xee, 8) MMX_SSE2(S, 0xef, 8) \
	MMX_SHIFT(S, 0xf1) MMX_SHIFT(S, 0xf2) MMX_SHIFT(S, 0xf3) \
	MMX_SSE2(S, 0xf4, 8) MMX_SSE2(S, 0xf5, 8) MMX_SSE2(S, 0xf6, 8) \
	MMX_SSE2(S, 0xf8, 8) MMX_SSE2(S, 0xf9, 8) MMX_SSE2(S, 0xfa, 8) \
	MMX_SSE2(S, 0xfb, 8) MMX_SSE2(S, 0xfc, 8) MMX_SSE2(S, 0xfd, 8) \
	MMX_SSE2(S, 0xfe, 8)

#define SIMD_ROWS_0F38(S) \
	MMX_SSSE3(S, 0x00, NDS) MMX_SSSE3(S, 0x01, NDS) \
	MMX_SSSE3(S, 0x02, NDS) MMX_SSSE3(S, 0x03, NDS) \
	MMX_SSSE3(S, 0x04, NDS) MMX_SSSE3(S, 0x05, NDS) \
	MMX_SSSE3(S, 0x06, NDS) MMX_SSSE3(S, 0x07, NDS) \
	MMX_SSSE3(S, 0x08, NDS) MMX_SSSE3(S, 0x09, NDS) \
	MMX_SSSE3(S, 0x0a, NDS) MMX_SSSE3(S, 0x0b, NDS) \
	MMX_SSSE3(S, 0x1c, NO) MMX_SSSE3(S, 0x1d, NO) MMX_SSSE3(S, 0x1e, NO) \
	S(2, 1, 0x0c, VEX_L, NDS, NOIMM, AVX_, GE, V, 0) \
	S(2, 1, 0x0d, VEX_L, NDS, NOIMM, AVX_, GE, V, 0) \
	S(2, 1, 0x0e, VEX_L, NO, NOIMM, AVX_, FE, V, 0) \
	S(2, 1, 0x0f, VEX_L, NO, NOIMM, AVX_, FE, V, 0) \
	S(2, 1, 0x10, LEGACY, NO, NOIMM, SSE41, GE, V, 0) \
	S(2, 1, 0x13, VEX_L, NO, NOIMM, F16C, GE, H, FPX) \
	S(2, 1, 0x14, LEGACY, NO, NOIMM, SSE41, GE, V, 0) \
	S(2, 1, 0x15, LEGACY, NO, NOIMM, SSE41, GE, V, 0) \
	S(2, 1, 0x16, VEX_256, NDS, NOIMM, AVX2_, GE, V, 0) \
	S(2, 1, 0x17, LEGACY_L, NO, NOIMM, SSE41, FE, V, WIG) \
	PMOVX(S, 0x20, H) PMOVX(S, 0x21, Q) PMOVX(S, 0x22, O) \
	PMOVX(S, 0x23, H) PMOVX(S, 0x24, Q) PMOVX(S, 0x25, H) \
	SSE41_INT_(S, 0x28) SSE41_INT_(S, 0x29) SSE41_INT_(S, 0x2b) \
	PMOVX(S, 0x30, H) PMOVX(S, 0x31, Q) PMOVX(S, 0x32, O) \
	PMOVX(S, 0x33, H) PMOVX(S, 0x34, Q) PMOVX(S, 0x35, H) \
	S(2, 1, 0x36, VEX_256, NDS, NOIMM, AVX2_, GE, V, 0) \
	S(2, 1, 0x37, LEGACY_L, NDS, NOIMM, SSE42_INT, GE, V, WIG) \
	SSE41_INT_(S, 0x38) SSE41_INT_(S, 0x39) SSE41_INT_(S, 0x3a) \
	SSE41_INT_(S, 0x3b) SSE41_INT_(S, 0x3c) SSE41_INT_(S, 0x3d) \
	SSE41_INT_(S, 0x3e) SSE41_INT_(S, 0x3f) SSE41_INT_(S, 0x40) \
	S(2, 1, 0x41, LEGACY_V, NO, NOIMM, SSE41, GE, V, WIG) \
	S(2, 1, 0x45, VEX_LW, NDS, NOIMM, AVX2_, GE, V, 0) \
	S(2, 1, 0x46, VEX_L, NDS, NOIMM, AVX2_, GE, V, 0) \
	S(2, 1, 0x47, VEX_LW, NDS, NOIMM, AVX2_, GE, V, 0) \
	FMA_PACKED(S, 0x96) FMA_PACKED(S, 0x97) FMA_PACKED(S, 0x98) \
	FMA_SCALAR(S, 0x99) FMA_PACKED(S, 0x9a) FMA_SCALAR(S, 0x9b) \
	FMA_PACKED(S, 0x9c) FMA_SCALAR(S, 0x9d) FMA_PACKED(S, 0x9e) \
	FMA_SCALAR(S, 0x9f) \
	FMA_PACKED(S, 0xa6) FMA_PACKED(S, 0xa7) FMA_PACKED(S, 0xa8) \
	FMA_SCALAR(S, 0xa9) FMA_PACKED(S, 0xaa) FMA_SCALAR(S, 0xab) \
	FMA_PACKED(S, 0xac) FMA_SCALAR(S, 0xad) FMA_PACKED(S, 0xae) \
	FMA_SCALAR(S, 0xaf) \
	FMA_PACKED(S, 0xb6) FMA_PACKED(S, 0xb7) FMA_PACKED(S, 0xb8) \
	FMA_SCALAR(S, 0xb9) FMA_PACKED(S, 0xba) FMA_SCALAR(S, 0xbb) \
	FMA_PACKED(S, 0xbc) FMA_SCALAR(S, 0xbd) FMA_PACKED(S, 0xbe) \
	FMA_SCALAR(S, 0xbf) \
	S(2, 0, 0xc8, LEGACY, NO, NOIMM, SHA, GE, V, A_ANYWHERE) \
	S(2, 0, 0xc9, LEGACY, NO, NOIMM, SHA, GE, V, A_ANYWHERE) \
	S(2, 0, 0xca, LEGACY, NO, NOIMM, SHA, GE, V, A_ANYWHERE) \
	S(2, 0, 0xcb, LEGACY, NO, NOIMM, SHA, GE, V, A_ANYWHERE) \
	S(2, 0, 0xcc, LEGACY, NO, NOIMM, SHA, GE, V, A_ANYWHERE) \
	S(2, 0, 0xcd, LEGACY, NO, NOIMM, SHA, GE, V, A_ANYWHERE) \
	S(2, 1, 0xcf, LEGACY_L, NDS, NOIMM, GFNI, GE, V, 0) \
	S(2, 1, 0xdb, LEGACY_V, NO, NOIMM, AES, GE, V, WIG) \
	S(2, 1, 0xdc, LEGACY_L, NDS, NOIMM, AES, GE, V, WIG) \
	S(2, 1, 0xdd, LEGACY_L, NDS, NOIMM, AES, GE, V, WIG) \
	S(2, 1, 0xde, LEGACY_L, NDS, NOIMM, AES, GE, V, WIG) \
	S(2, 1, 0xdf, LEGACY_L, NDS, NOIMM, AES, GE, V, WIG)

#define SIMD_ROWS_0F3A(S) \
	S(3, 1, 0x00, VEX_256W1, NO, 8, AVX2_, GE, V, A_WIG) \
	S(3, 1, 0x01, VEX_256W1, NO, 8, AVX2_, GE, V, A_WIG) \
	S(3, 1, 0x02, VEX_L, NDS, 8, AVX2_, GE, V, 0) \
	S(3, 1, 0x04, VEX_L, NO, 8, AVX_, GE, V, 0) \
	S(3, 1, 0x05, VEX_L, NO, 4, AVX_, GE, V, 0) \
	S(3, 1, 0x06, VEX_256, NDS, 8, AVX_, GE, V, 0) \
	S(3, 1, 0x08, LEGACY_L, NO, 4, SSE41, GE, V, FPX | WIG) \
	S(3, 1, 0x09, LEGACY_L, NO, 4, SSE41, GE, V, FPX | WIG) \
	S(3, 1, 0x0a, LEGACY_V, NDS, 4, SSE41, GE, 4, FPX | LIG | WIG) \
	S(3, 1, 0x0b, LEGACY_V, NDS, 4, SSE41, GE, 8, FPX | LIG | WIG) \
	S(3, 1, 0x0c, LEGACY_L, NDS, 8, SSE41, GE, V, WIG) \
	S(3, 1, 0x0d, LEGACY_L, NDS, 4, SSE41, GE, V, WIG) \
	S(3, 1, 0x0e, LEGACY_L, NDS, 8, SSE41_INT, GE, V, WIG) \
	S(3, 0, 0x0f, LEGACY, NO, 8, MMX_SSSE3_, MM, 8, 0) \
	S(3, 1, 0x0f, LEGACY_L, NDS, 8, SSSE3_INT, GE, V, WIG) \
	S(3, 1, 0x14, LEGACY_V, NO, 4, SSE41, RG, 1, WIG) \
	S(3, 1, 0x15, LEGACY_V, NO, 3, SSE41, RG, 2, WIG) \
	S(3, 1, 0x16, LEGACY_VW, NO, 2, SSE41, RG, Y, A_W64) \
	S(3, 1, 0x17, LEGACY_V, NO, 2, SSE41, RG, 4, WIG) \
	S(3, 1, 0x18, VEX_256, NDS, 1, AVX_, GE, 16, 0) \
	S(3, 1, 0x19, VEX_256, NO, 1, AVX_, EG, 16, 0) \
	S(3, 1, 0x1d, VEX_L, NO, 3, F16C, EG, H, FPX) \
	S(3, 1, 0x20, LEGACY_V, NDS, 4, SSE41, GR, 1, WIG) \
	S(3, 1, 0x21, LEGACY_V, NDS, 8, SSE41, GE, 4, WIG | INSERTPS) \
	S(3, 1, 0x22, LEGACY_VW, NDS, 2, SSE41, GR, Y, A_W64) \
	S(3, 1, 0x38, VEX_256, NDS, 1, AVX2_, GE, 16, 0) \
	S(3, 1, 0x39, VEX_256, NO, 1, AVX2_, EG, 16, 0) \
	S(3, 1, 0x40, LEGACY_L, NDS, 8, SSE41, GE, V, FPX | WIG) \
	S(3, 1, 0x41, LEGACY_V, NDS, 8, SSE41, GE, V, FPX | WIG) \
	S(3, 1, 0x42, LEGACY_L, NDS, 6, SSE41_INT, GE, V, WIG) \
	S(3, 1, 0x44, LEGACY_L, NDS, 5, PCLMUL, GE, V, WIG) \
	S(3, 1, 0x46, VEX_256, NDS, 8, AVX2_, GE, V, 0) \
	S(3, 1, 0x4a, VEX_L, NDS, IS4, AVX_, GE, V, 0) \
	S(3, 1, 0x4b, VEX_L, NDS, IS4, AVX_, GE, V, 0) \
	S(3, 1, 0x4c, VEX_L, NDS, IS4, AVX_INT, GE, V, 0) \
	S(3, 1, 0x60, LEGACY_V, NO, 7, SSE42, STRM, V, ANYWHERE | WIG) \
	S(3, 1, 0x61, LEGACY_V, NO, 7, SSE42, STRI, V, ANYWHERE | WIG) \
	S(3, 1, 0x62, LEGACY_V, NO, 7, SSE42, STRM, V, ANYWHERE | WIG) \
	S(3, 1, 0x63, LEGACY_V, NO, 7, SSE42, STRI, V, ANYWHERE | WIG) \
	S(3, 0, 0xcc, LEGACY, NO, 2, SHA, GE, V, A_ANYWHERE) \
	S(3, 1, 0xce, LEGACY_LW1, NDS, 8, GFNI, GE, V, 0) \
	S(3, 1, 0xcf, LEGACY_LW1, NDS, 8, GFNI, GE, V, 0) \
	S(3, 1, 0xdf, LEGACY_V, NO, 8, AES, GE, V, WIG)

#define SIMD_ROWS(S) SIMD_ROWS_0F(S) SIMD_ROWS_0F38(S) SIMD_ROWS_0F3A(S)
/* clang-format on */

/*
 * Forms: one bit each of legacy, legacy with REX.W, then VEX with L and W 0,
 * L 0 W 1, L 1 W 0, L 1 W 1.
 */
#define SIMD_FORM_COUNT 6
#define SIMD_LEGACY	0x01
#define SIMD_LEGACY_W	0x03
#define SIMD_LEGACY_L	0x15
#define SIMD_LEGACY_LW1 0x29
#define SIMD_LEGACY_V	0x05
#define SIMD_LEGACY_VW	0x0f
#define SIMD_VEX_L	0x14
#define SIMD_VEX_LW	0x3c
#define SIMD_VEX_W	0x0c
#define SIMD_VEX_256	0x10
#define SIMD_VEX_256W1	0x20

#define SIMD_NOIMM 9  /* no immediate */
#define SIMD_IS4   10 /* the immediate names a register */

#endif
