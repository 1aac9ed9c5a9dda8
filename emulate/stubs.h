/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that the processor executes on the guest's values: code that is
 * made with the program, for nothing in a program is both writable and
 * executable.  Operands are brought to fixed registers first, so that one piece
 * of code does for all registers and all of memory:
 *
 *	ModRM.reg	XMM1, MM1 or RCX
 *	ModRM.rm	XMM2, MM2 or RDX (what was in memory, too)
 *	VEX.vvvv	XMM3
 *	imm8[7:4]	XMM4
 *	implicit	XMM0, RAX, RDX, RCX
 *
 * x87 code keeps its registers, which are relative to the stack's top; memory
 * is at RDI.
 *
 * All SIMD exceptions must be masked in .mxcsr, so that nothing here faults;
 * x87 exceptions wait for an instruction that is not here.  The registers of
 * the caller are as it left them but for the vector, MMX and x87 registers: in
 * a machine those are the guest's, and must be loaded anew (X86_GROUP_XSTATE
 * dirty).
 */
#ifndef BULKHEAD_EMULATE_STUBS_H
#define BULKHEAD_EMULATE_STUBS_H

#include "emulate/simd_rows.h"
#include "include/x86_state.h"

/* Dense numbers of the rows. */
enum emul_simd_number {
#define S(map, pp, op, ...) SIMD_##map##_##pp##_##op,
	SIMD_ROWS(S)
#undef S
		SIMD_ROW_COUNT,
};

/* A vector register. */
struct vector {
	uint64_t q[4];
};

#define STUB_IMPLICIT 0
#define STUB_REG      1
#define STUB_RM	      2
#define STUB_VVVV     3
#define STUB_IS4      4
#define STUB_VECTORS  5

struct emul_stub {
	struct vector v[STUB_VECTORS];
	uint64_t mm[2]; /* of reg, rm */
	uint64_t rax;
	uint64_t rcx;
	uint64_t rdx;
	uint64_t flags; /* arithmetic flags */
	uint32_t mxcsr;
	uint32_t host; /* the caller's MXCSR */
	uint16_t fcw;  /* and control word */
	const void *code;
};

/* The code of a row's form (SIMD_LEGACY ...: the bit's number). */
const void *emul_stub_find(unsigned row, unsigned forms, unsigned form,
			   unsigned imm_bits, unsigned imm);

void emul_stub_sse(struct emul_stub *stub);
void emul_stub_avx(struct emul_stub *stub);
/* SSE with MMX registers, or these alone. */
void emul_stub_mmx(struct emul_stub *stub);

/* x87: the legacy region is what FXRSTOR loads and FXSAVE stores. */
#define STUB_X87_AREA 512
struct emul_stub_x87 {
	struct x86_xstate area;
	uint64_t flags; /* arithmetic flags */
	void *memory;	/* operand */
	uint32_t host;	/* the caller's MXCSR */
	uint16_t fcw;	/* and control word */
	const void *code;
};

/* With a memory operand mod is not 3, and rm does not matter. */
const void *emul_stub_x87_find(uint8_t opcode, uint8_t modrm);
void emul_stub_x87(struct emul_stub_x87 *stub);

#endif
