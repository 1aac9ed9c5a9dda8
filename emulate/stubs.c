/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The code of the instructions that the processor executes itself, and the way
 * into it.  See stubs.h.
 *
 * References: SDM volume 2, "Instruction Format", "Intel AVX Instruction
 * Format".
 */
#include "emulate/stubs.h"

#define STUB_SIZE     8
#define STUB_X87_SIZE 4

/* ---- Code ---------------------------------------------------------------- */

#define TEXT(x)	 #x
#define VALUE(x) TEXT(x)
#define SET(x)	 ".set stub_" #x "," VALUE(SIMD_##x) "\n"

/*
 * ModRM is CA: register 1 and register 2.  Each piece ends in RET and is of
 * STUB_SIZE bytes; with an immediate there is one for each value.
 */
__asm__(".pushsection .text.emul_stubs,\"ax\",@progbits\n"
	".balign 16\n"
	".globl emul_stub_code\n"
	"emul_stub_code:\n"
	".pushsection .rodata.emul_stub_at,\"a\",@progbits\n"
	".balign 4\n"
	".globl emul_stub_at\n"
	"emul_stub_at:\n"
	".popsection\n"
	/* Opcode, ModRM, and what follows. */
	".macro stub_end op, imm, i\n"
	"	.byte \\op, 0xca\n"
	"	.if \\imm == stub_IS4\n"
	"		.byte 0x40\n"
	"	.elseif \\imm != stub_NOIMM\n"
	"		.byte \\i\n"
	"	.endif\n"
	"	ret\n"
	"	.balign 8, 0xcc\n"
	".endm\n"
	".macro stub_count imm\n"
	"	.set stub_n, 1\n"
	"	.if \\imm < stub_NOIMM\n"
	"		.set stub_n, 1 << \\imm\n"
	"	.endif\n"
	"	.set stub_i, 0\n"
	".endm\n"
	".macro stub_legacy map, pp, op, imm, w\n"
	"	stub_count \\imm\n"
	"	.rept stub_n\n"
	"	.if \\pp == 1\n"
	"		.byte 0x66\n"
	"	.elseif \\pp == 2\n"
	"		.byte 0xf3\n"
	"	.elseif \\pp == 3\n"
	"		.byte 0xf2\n"
	"	.endif\n"
	"	.if \\w\n"
	"		.byte 0x48\n"
	"	.endif\n"
	"	.byte 0x0f\n"
	"	.if \\map == 2\n"
	"		.byte 0x38\n"
	"	.elseif \\map == 3\n"
	"		.byte 0x3a\n"
	"	.endif\n"
	"	stub_end \\op, \\imm, stub_i\n"
	"	.set stub_i, stub_i + 1\n"
	"	.endr\n"
	".endm\n"
	".macro stub_vex map, pp, op, vvvv, imm, w, l\n"
	"	stub_count \\imm\n"
	"	.rept stub_n\n"
	"	.byte 0xc4, 0xe0 | \\map\n"
	"	.byte \\w << 7 | (15 - 3 * \\vvvv) << 3 | \\l << 2 | \\pp\n"
	"	stub_end \\op, \\imm, stub_i\n"
	"	.set stub_i, stub_i + 1\n"
	"	.endr\n"
	".endm\n"
	".macro stub_row map, pp, op, forms, vvvv, imm\n"
	".Lstub\\@:\n"
	"	.pushsection .rodata.emul_stub_at,\"a\",@progbits\n"
	"	.long .Lstub\\@ - emul_stub_code\n"
	"	.popsection\n"
	"	.if \\forms & 1\n"
	"		stub_legacy \\map, \\pp, \\op, \\imm, 0\n"
	"	.endif\n"
	"	.if \\forms & 2\n"
	"		stub_legacy \\map, \\pp, \\op, \\imm, 1\n"
	"	.endif\n"
	"	.if \\forms & 4\n"
	"		stub_vex \\map, \\pp, \\op, \\vvvv, \\imm, 0, 0\n"
	"	.endif\n"
	"	.if \\forms & 8\n"
	"		stub_vex \\map, \\pp, \\op, \\vvvv, \\imm, 1, 0\n"
	"	.endif\n"
	"	.if \\forms & 16\n"
	"		stub_vex \\map, \\pp, \\op, \\vvvv, \\imm, 0, 1\n"
	"	.endif\n"
	"	.if \\forms & 32\n"
	"		stub_vex \\map, \\pp, \\op, \\vvvv, \\imm, 1, 1\n"
	"	.endif\n"
	".endm\n"
	".set stub_NO, 0\n"
	".set stub_NDS, 1\n"
	/* clang-format off */
	SET(LEGACY) SET(LEGACY_W) SET(LEGACY_L) SET(LEGACY_LW1) SET(LEGACY_V)
	SET(LEGACY_VW) SET(VEX_L) SET(VEX_LW) SET(VEX_W) SET(VEX_256)
	SET(VEX_256W1) SET(NOIMM) SET(IS4)
	".set stub_1, 1\n.set stub_2, 2\n.set stub_3, 3\n.set stub_4, 4\n"
	".set stub_5, 5\n.set stub_6, 6\n.set stub_7, 7\n.set stub_8, 8\n"
#define S(map, pp, op, forms, vvvv, imm, ...)                              \
	"stub_row " #map ", " #pp ", " #op ", stub_" #forms ", stub_" #vvvv \
	", stub_" #imm "\n"
	SIMD_ROWS(S)
#undef S
	/* clang-format on */

	/* x87: all register forms, then all memory forms at [RDI]. */
	".globl emul_stub_x87_code\n"
	"emul_stub_x87_code:\n"
	".set stub_i, 0\n"
	".rept 8 * 64\n"
	"	.byte 0xd8 + stub_i / 64, 0xc0 + stub_i % 64\n"
	"	ret\n"
	"	.byte 0xcc\n"
	"	.set stub_i, stub_i + 1\n"
	".endr\n"
	".set stub_i, 0\n"
	".rept 8 * 8\n"
	"	.byte 0xd8 + stub_i / 8, 7 + stub_i % 8 * 8\n"
	"	ret\n"
	"	.byte 0xcc\n"
	"	.set stub_i, stub_i + 1\n"
	".endr\n"
	".popsection\n");

extern const uint8_t emul_stub_code[], emul_stub_x87_code[];
extern const uint32_t emul_stub_at[SIMD_ROW_COUNT];

const void *emul_stub_find(unsigned row, unsigned forms, unsigned form,
			   unsigned imm_bits, unsigned imm)
{
	unsigned each = imm_bits < SIMD_NOIMM ? 1U << imm_bits : 1;
	unsigned before = 0;

	for (unsigned i = 0; i < form; i++)
		before += forms >> i & 1;

	if (imm_bits >= SIMD_NOIMM)
		imm = 0;
	return emul_stub_code + emul_stub_at[row] +
	       STUB_SIZE * (before * each + imm);
}

const void *emul_stub_x87_find(uint8_t opcode, uint8_t modrm)
{
	unsigned escape = opcode & 7;

	if (modrm >= 0xc0)
		return emul_stub_x87_code +
		       STUB_X87_SIZE * (escape * 64 + (modrm & 63));
	return emul_stub_x87_code +
	       STUB_X87_SIZE * (8 * 64 + escape * 8 + (modrm >> 3 & 7));
}

/* ---- The way there ------------------------------------------------------- */

/*
 * Nothing here names vector registers to the compiler: no function of a program
 * uses them, and elsewhere they are the callee's.  The caller's control words
 * are kept in the stub, for a call goes over what a leaf may have below RSP.
 */
#define AT(member) [member] "i"(offsetof(struct emul_stub, member))
#define V(n)	   [v##n] "i"(offsetof(struct emul_stub, v[n]))

#define STUB_CALL                       \
	"movq %c[rax](%[s]), %%rax\n\t" \
	"movq %c[rcx](%[s]), %%rcx\n\t" \
	"movq %c[rdx](%[s]), %%rdx\n\t" \
	"call *%c[code](%[s])\n\t"      \
	"movq %%rax, %c[rax](%[s])\n\t" \
	"movq %%rcx, %c[rcx](%[s])\n\t" \
	"movq %%rdx, %c[rdx](%[s])\n\t" \
	"pushfq\n\t"                    \
	"popq %c[flags](%[s])\n\t"

#define STUB_OPERANDS                                                        \
	AT(rax), AT(rcx), AT(rdx), AT(code), AT(flags), AT(mxcsr), AT(host), \
		AT(fcw), V(0), V(1), V(2), V(3), V(4)

__noinline void emul_stub_sse(struct emul_stub *stub)
{
	__asm__ volatile("stmxcsr %c[host](%[s])\n\t"
			 "ldmxcsr %c[mxcsr](%[s])\n\t"
			 "movups %c[v0](%[s]), %%xmm0\n\t"
			 "movups %c[v1](%[s]), %%xmm1\n\t"
			 "movups %c[v2](%[s]), %%xmm2\n\t" STUB_CALL
			 "movups %%xmm0, %c[v0](%[s])\n\t"
			 "movups %%xmm1, %c[v1](%[s])\n\t"
			 "movups %%xmm2, %c[v2](%[s])\n\t"
			 "stmxcsr %c[mxcsr](%[s])\n\t"
			 "ldmxcsr %c[host](%[s])"
			 :
			 : [s] "b"(stub), STUB_OPERANDS
			 : "rax", "rcx", "rdx", "cc", "memory");
}

__noinline void emul_stub_avx(struct emul_stub *stub)
{
	__asm__ volatile("stmxcsr %c[host](%[s])\n\t"
			 "ldmxcsr %c[mxcsr](%[s])\n\t"
			 "vmovups %c[v0](%[s]), %%ymm0\n\t"
			 "vmovups %c[v1](%[s]), %%ymm1\n\t"
			 "vmovups %c[v2](%[s]), %%ymm2\n\t"
			 "vmovups %c[v3](%[s]), %%ymm3\n\t"
			 "vmovups %c[v4](%[s]), %%ymm4\n\t" STUB_CALL
			 "vmovups %%ymm0, %c[v0](%[s])\n\t"
			 "vmovups %%ymm1, %c[v1](%[s])\n\t"
			 "vmovups %%ymm2, %c[v2](%[s])\n\t"
			 "stmxcsr %c[mxcsr](%[s])\n\t"
			 "vzeroupper\n\t"
			 "ldmxcsr %c[host](%[s])"
			 :
			 : [s] "b"(stub), STUB_OPERANDS
			 : "rax", "rcx", "rdx", "cc", "memory");
}

/* FNINIT first: an exception may wait in the registers that are left. */
__noinline void emul_stub_mmx(struct emul_stub *stub)
{
	__asm__ volatile(
		"stmxcsr %c[host](%[s])\n\t"
		"fnstcw %c[fcw](%[s])\n\t"
		"fninit\n\t"
		"ldmxcsr %c[mxcsr](%[s])\n\t"
		"movups %c[v1](%[s]), %%xmm1\n\t"
		"movups %c[v2](%[s]), %%xmm2\n\t"
		"movq %c[mm1](%[s]), %%mm1\n\t"
		"movq %c[mm2](%[s]), %%mm2\n\t" STUB_CALL
		"movups %%xmm1, %c[v1](%[s])\n\t"
		"movq %%mm1, %c[mm1](%[s])\n\t"
		"emms\n\t"
		"fldcw %c[fcw](%[s])\n\t"
		"stmxcsr %c[mxcsr](%[s])\n\t"
		"ldmxcsr %c[host](%[s])"
		:
		: [s] "b"(stub),
		  STUB_OPERANDS, [mm1] "i"(offsetof(struct emul_stub, mm[0])),
		  [mm2] "i"(offsetof(struct emul_stub, mm[1]))
		: "rax", "rcx", "rdx", "cc", "memory");
}

#define X87(member) [member] "i"(offsetof(struct emul_stub_x87, member))

/* A conditional move asks for flags. */
__noinline void emul_stub_x87(struct emul_stub_x87 *stub)
{
	__asm__ volatile("stmxcsr %c[host](%[s])\n\t"
			 "fnstcw %c[fcw](%[s])\n\t"
			 "fxrstor64 %c[area](%[s])\n\t"
			 "pushq %c[flags](%[s])\n\t"
			 "popfq\n\t"
			 "call *%c[code](%[s])\n\t"
			 "pushfq\n\t"
			 "popq %c[flags](%[s])\n\t"
			 "fxsave64 %c[area](%[s])\n\t"
			 "fninit\n\t"
			 "fldcw %c[fcw](%[s])\n\t"
			 "ldmxcsr %c[host](%[s])"
			 :
			 : [s] "b"(stub), "D"(stub->memory), X87(area),
			   X87(code), X87(flags), X87(host), X87(fcw)
			 : "rax", "cc", "memory");
}
