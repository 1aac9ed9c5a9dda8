/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of the vector instructions that the processor executes itself: what
 * their operands are and who has them.
 */
#ifndef BULKHEAD_EMULATE_SIMD_H
#define BULKHEAD_EMULATE_SIMD_H

#include "emulate/stubs.h"

/* ModRM reg and rm: V a vector, M an MMX, R a general register. */
enum simd_shape {
	SIMD_GE,   /* reg = rm, or reg = reg op rm */
	SIMD_EG,   /* rm = reg */
	SIMD_FE,   /* flags alone, of reg and rm */
	SIMD_GR,   /* vector reg, general rm */
	SIMD_RE,   /* general reg = vector rm */
	SIMD_RG,   /* general rm = vector reg */
	SIMD_MM,   /* both MMX */
	SIMD_MX,   /* MMX reg = vector rm */
	SIMD_XM,   /* vector reg = MMX rm */
	SIMD_MR,   /* MMX reg, general rm */
	SIMD_RM,   /* general reg = MMX rm */
	SIMD_STRI, /* PCMPxSTRI: ECX and flags */
	SIMD_STRM, /* PCMPxSTRM: XMM0 and flags */
};

/* Bytes of an operand in memory, or what they follow from. */
enum simd_memory {
	SIMD_1 = 1,
	SIMD_2 = 2,
	SIMD_4 = 4,
	SIMD_8 = 8,
	SIMD_16 = 16,
	SIMD_V, /* the vector's size */
	SIMD_H, /* half of it, a quarter, an eighth */
	SIMD_Q,
	SIMD_O,
	SIMD_Y, /* 4, or 8 with W */
};

#define SIMD_WIG	BIT(0) /* W is ignored in VEX */
#define SIMD_LIG	BIT(1) /* L is ignored */
#define SIMD_FPX	BIT(2) /* raises SIMD floating-point exceptions */
#define SIMD_REGO	BIT(3) /* no memory form */
#define SIMD_ANYWHERE	BIT(4) /* legacy form takes unaligned memory */
#define SIMD_INSERTPS	BIT(5) /* COUNT_S is of registers only */
#define SIMD_NDS	BIT(6) /* VEX.vvvv is a source */
/* AMD's processors alone: */
#define SIMD_A_ANYWHERE BIT(7) /* legacy form takes unaligned memory */
#define SIMD_A_WIG	BIT(8) /* W is ignored in VEX */
#define SIMD_A_W64	BIT(9) /* VEX.W 1 exists in 64-bit mode alone */

struct simd_row {
	uint8_t forms;
	uint8_t imm_bits;
	uint8_t set; /* enum simd_set */
	uint8_t shape;
	uint8_t mem;
	uint16_t flags;
};

/* The row's number, or -1. */
int emul_simd_find(unsigned map, unsigned pp, unsigned opcode);
extern const struct simd_row emul_simd_rows[SIMD_ROW_COUNT];

struct simd_set {
	uint64_t legacy; /* EMUL_FEATURE_*; 0: all have it */
	uint64_t vex;	 /* AVX besides */
	uint64_t vex_256;
};

extern const struct simd_set emul_simd_sets[];

#endif
