/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two-byte opcodes: 0F and their groups.
 * Each row: the function, destination, source, immediate,
 * flags; to be read against the manual's opcode map.  A row of UD is
 * an encoding that no guest is offered.
 *
 * References: SDM volume 2, appendix "Opcode Map"; APM volume 3, appendix
 * "Opcode and Operand Encodings".
 */
#include "emulate/tables.h"

/* clang-format off */
static const struct emul_row row_fsbase_r[4] = {
	/* -- */ X(ud, 0, 0, 0, M),
	/* 66 */ X(ud, 0, 0, 0, M),
	/* f3 */ X(rdfsbase, Ey, 0, 0, M | W | ONLY64),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_fsbase_w[4] = {
	/* -- */ X(ud, 0, 0, 0, M),
	/* 66 */ X(ud, 0, 0, 0, M),
	/* f3 */ X(wrfsbase, 0, Ey, 0, M | ONLY64),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_10[4] = {
	/* -- */ X(movu_load, 0, 0, 0, M | AVX | V0),
	/* 66 */ X(movu_load, 0, 0, 0, M | AVX | V0),
	/* f3 */ X(movss_load, 0, 0, 0, M | AVX),
	/* f2 */ X(movsd_load, 0, 0, 0, M | AVX),
};

static const struct emul_row row_0f_11[4] = {
	/* -- */ X(movu_store, 0, 0, 0, M | AVX | V0),
	/* 66 */ X(movu_store, 0, 0, 0, M | AVX | V0),
	/* f3 */ X(movss_store, 0, 0, 0, M | AVX),
	/* f2 */ X(movsd_store, 0, 0, 0, M | AVX),
};

static const struct emul_row row_0f_12[4] = {
	/* -- */ X(mov_half_load, 0, 0, 0, M | AVX),
	/* 66 */ X(mov_half_load, 0, 0, 0, M | AVX | MEM),
	/* f3 */ X(mov_dword_dup, 0, 0, 0, M | AVX | V0),
	/* f2 */ X(movddup, 0, 0, 0, M | AVX | V0),
};

static const struct emul_row row_0f_13[4] = {
	/* -- */ X(mov_half_store, 0, 0, 0, M | AVX | V0 | MEM),
	/* 66 */ X(mov_half_store, 0, 0, 0, M | AVX | V0 | MEM),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_16[4] = {
	/* -- */ X(mov_half_load, 0, 0, 0, M | AVX),
	/* 66 */ X(mov_half_load, 0, 0, 0, M | AVX | MEM),
	/* f3 */ X(mov_dword_dup, 0, 0, 0, M | AVX | V0),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_17[4] = {
	/* -- */ X(mov_half_store, 0, 0, 0, M | AVX | V0 | MEM),
	/* 66 */ X(mov_half_store, 0, 0, 0, M | AVX | V0 | MEM),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_28[4] = {
	/* -- */ X(mova_load, 0, 0, 0, M | AVX | V0),
	/* 66 */ X(mova_load, 0, 0, 0, M | AVX | V0),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_29[4] = {
	/* -- */ X(mova_store, 0, 0, 0, M | AVX | V0),
	/* 66 */ X(mova_store, 0, 0, 0, M | AVX | V0),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_2b[4] = {
	/* -- */ X(mova_store, 0, 0, 0, M | AVX | V0 | MEM),
	/* 66 */ X(mova_store, 0, 0, 0, M | AVX | V0 | MEM),
	/* f3 */ UD,
	/* f2 */ UD,
};

static const struct emul_row row_0f_54[4] = {
	/* -- */ X(pand, 0, 0, 0, M | AVX),
	/* 66 */ X(pand, 0, 0, 0, M | AVX),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_55[4] = {
	/* -- */ X(pandn, 0, 0, 0, M | AVX),
	/* 66 */ X(pandn, 0, 0, 0, M | AVX),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_56[4] = {
	/* -- */ X(por, 0, 0, 0, M | AVX),
	/* 66 */ X(por, 0, 0, 0, M | AVX),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_57[4] = {
	/* -- */ X(pxor, 0, 0, 0, M | AVX),
	/* 66 */ X(pxor, 0, 0, 0, M | AVX),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_6e[4] = {
	/* -- */ X(mmx_movd_load, 0, 0, 0, M),
	/* 66 */ X(movd_load, 0, 0, 0, M | AVX | V0 | L0),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_7e[4] = {
	/* -- */ X(mmx_movd_store, 0, 0, 0, M),
	/* 66 */ X(movd_store, 0, 0, 0, M | AVX | V0 | L0),
	/* f3 */ X(movq_load, 0, 0, 0, M | AVX | V0 | L0),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_d6[4] = {
	/* -- */ X(ud, 0, 0, 0, M),
	/* 66 */ X(movq_store, 0, 0, 0, M | AVX | V0 | L0),
	/* f3 */ SIMD,
	/* f2 */ SIMD,
};

static const struct emul_row row_0f_6f[4] = {
	/* -- */ X(mmx_movq_load, 0, 0, 0, M),
	/* 66 */ X(mova_load, 0, 0, 0, M | AVX | V0),
	/* f3 */ X(movu_load, 0, 0, 0, M | AVX | V0),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_7f[4] = {
	/* -- */ X(mmx_movq_store, 0, 0, 0, M),
	/* 66 */ X(mova_store, 0, 0, 0, M | AVX | V0),
	/* f3 */ X(movu_store, 0, 0, 0, M | AVX | V0),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_d4[4] = {
	/* -- */ SIMD,
	/* 66 */ X(paddq, 0, 0, 0, M | AVX),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_db[4] = {
	/* -- */ SIMD,
	/* 66 */ X(pand, 0, 0, 0, M | AVX),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_df[4] = {
	/* -- */ SIMD,
	/* 66 */ X(pandn, 0, 0, 0, M | AVX),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_eb[4] = {
	/* -- */ SIMD,
	/* 66 */ X(por, 0, 0, 0, M | AVX),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_ef[4] = {
	/* -- */ SIMD,
	/* 66 */ X(pxor, 0, 0, 0, M | AVX),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_fe[4] = {
	/* -- */ SIMD,
	/* 66 */ X(paddd, 0, 0, 0, M | AVX),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_fa[4] = {
	/* -- */ SIMD,
	/* 66 */ X(psubd, 0, 0, 0, M | AVX),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_fb[4] = {
	/* -- */ SIMD,
	/* 66 */ X(psubq, 0, 0, 0, M | AVX),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_e7[4] = {
	/* -- */ X(mmx_movq_store, 0, 0, 0, M | MEM),
	/* 66 */ X(mova_store, 0, 0, 0, M | AVX | V0 | MEM),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_f0[4] = {
	/* -- */ X(ud, 0, 0, 0, M),
	/* 66 */ X(ud, 0, 0, 0, M),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(lddqu, 0, 0, 0, M | AVX | V0 | MEM),
};

static const struct emul_row row_0f_f7[4] = {
	/* -- */ X(maskmovq, 0, 0, 0, M | REG),
	/* 66 */ X(maskmovdqu, 0, 0, 0, M | AVX | V0 | REG | L0),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_b8[4] = {
	/* -- */ X(ud, 0, 0, 0, M),
	/* 66 */ X(ud, 0, 0, 0, M),
	/* f3 */ X(popcnt, Gv, Ev, 0, M | W),
	/* f2 */ X(ud, 0, 0, 0, M),
};

/* VZEROUPPER, VZEROALL; without VEX, EMMS */
static const struct emul_row row_0f_77[4] = {
	/* -- */ X(vzero_emms, 0, 0, 0, AVX | V0),
	/* 66 */ X(ud, 0, 0, 0, AVX),
	/* f3 */ X(ud, 0, 0, 0, AVX),
	/* f2 */ X(ud, 0, 0, 0, AVX),
};

/* MOVNTI */
static const struct emul_row row_0f_c3[4] = {
	/* -- */ X(mov, Ey, Gy, 0, M | W | MEM),
	/* 66 */ X(ud, 0, 0, 0, M),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_0f_bc[4] = {
	/* -- */ X(bsf, Gv, Ev, 0, M | RW),
	/* 66 */ X(bsf, Gv, Ev, 0, M | RW),
	/* f3 */ X(tzcnt, Gv, Ev, 0, M | RW),
	/* f2 */ X(bsf, Gv, Ev, 0, M | RW),
};

static const struct emul_row row_0f_bd[4] = {
	/* -- */ X(bsr, Gv, Ev, 0, M | RW),
	/* 66 */ X(bsr, Gv, Ev, 0, M | RW),
	/* f3 */ X(lzcnt, Gv, Ev, 0, M | RW),
	/* f2 */ X(bsr, Gv, Ev, 0, M | RW),
};

static const struct emul_row row_group6[8] = {
	/* /0 */ X(sldt, Ex, 0, 0, M | W | PROT),
	/* /1 */ X(str, Ex, 0, 0, M | W | PROT),
	/* /2 */ X(lldt, 0, Ew, 0, M | PROT | CPL0),
	/* /3 */ X(ltr, 0, Ew, 0, M | PROT | CPL0),
	/* /4 */ X(verr, 0, Ew, 0, M | PROT),
	/* /5 */ X(verw, 0, Ew, 0, M | PROT),
	/* /6 */ X(ud, 0, 0, 0, M),
	/* /7 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_group7_0r[8] = {
	/* /0 */ UD,
	/* /1 */ X(hypercall, 0, 0, 0, M),
	/* /2 */ UD,
	/* /3 */ UD,
	/* /4 */ UD,
	/* /5 */ UD,
	/* /6 */ UD,
	/* /7 */ UD,
};

static const struct emul_row row_group7_1r[8] = {
	/* /0 */ X(monitor, 0, 0, 0, M),
	/* /1 */ X(mwait, 0, 0, 0, M),
	/* /2 */ X(clac, 0, 0, 0, M),
	/* /3 */ X(stac, 0, 0, 0, M),
	/* /4 */ UD,
	/* /5 */ UD,
	/* /6 */ UD,
	/* /7 */ UD,
};

static const struct emul_row row_group7_2r[8] = {
	/* /0 */ X(xgetbv, 0, 0, 0, M),
	/* /1 */ X(xsetbv, 0, 0, 0, M | CPL0),
	/* /2 */ UD,
	/* /3 */ UD,
	/* /4 */ UD,
	/* /5 */ UD,
	/* /6 */ UD,
	/* /7 */ UD,
};

static const struct emul_row row_group7_3r[8] = {
	/* /0 */ UD,
	/* /1 */ X(hypercall, 0, 0, 0, M),
	/* /2 */ UD,
	/* /3 */ UD,
	/* /4 */ UD,
	/* /5 */ UD,
	/* /6 */ UD,
	/* /7 */ UD,
};

static const struct emul_row row_group7_5r[8] = {
	/* /0 */ X(serialize, 0, 0, 0, M),
	/* /1 */ UD,
	/* /2 */ UD,
	/* /3 */ UD,
	/* /4 */ UD,
	/* /5 */ UD,
	/* /6 */ X(rdpkru, 0, 0, 0, M),
	/* /7 */ X(wrpkru, 0, 0, 0, M),
};

static const struct emul_row row_group7_7r[8] = {
	/* /0 */ X(swapgs, 0, 0, 0, M | ONLY64),
	/* /1 */ X(rdtscp, 0, 0, 0, M),
	/* /2 */ UD,
	/* /3 */ UD,
	/* /4 */ X(clzero, 0, 0, 0, M),
	/* /5 */ UD,
	/* /6 */ UD,
	/* /7 */ UD,
};

static const struct emul_row row_group8[8] = {
	/* /0 */ X(ud, 0, 0, 0, M),
	/* /1 */ X(ud, 0, 0, 0, M),
	/* /2 */ X(ud, 0, 0, 0, M),
	/* /3 */ X(ud, 0, 0, 0, M),
	/* /4 */ X(bt, Ev, Ii, IMM_B, M | R),
	/* /5 */ X(bts, Ev, Ii, IMM_B, M | R | SELF | L),
	/* /6 */ X(btr, Ev, Ii, IMM_B, M | R | SELF | L),
	/* /7 */ X(btc, Ev, Ii, IMM_B, M | R | SELF | L),
};

static const struct emul_row row_group9_7r[4] = {
	/* -- */ X(rdseed, Ev, 0, 0, M | W),
	/* 66 */ X(rdseed, Ev, 0, 0, M | W),
	/* f3 */ X(rdpid, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_group9_6r[4] = {
	/* -- */ X(rdrand, Ev, 0, 0, M | W),
	/* 66 */ X(rdrand, Ev, 0, 0, M | W),
	/* f3 */ UD,
	/* f2 */ X(ud, 0, 0, 0, M),
};

/* In memory: VMPTRLD, VMPTRST and their kin. */
static const struct emul_row row_group9_6[2] = {
	UD,
	BY_SIMD(group9_6r),
};

static const struct emul_row row_group9_7[2] = {
	UD,
	BY_SIMD(group9_7r),
};

static const struct emul_row row_group9[8] = {
	/* /0 */ X(ud, 0, 0, 0, M),
	/* /1 */ X(cmpxchg_pair, Ey, 0, 0, M | MEM | L),
	/* /2 */ UD,
	/* /3 */ UD, /* XRSTORS, XSAVES: CPUID shows neither */
	/* /4 */ X(xsavec, 0, 0, 0, M | MEM),
	/* /5 */ UD,
	/* /6 */ BY_MOD(group9_6),
	/* /7 */ BY_MOD(group9_7),
};

/* XSAVEOPT, CLWB */
static const struct emul_row row_0f_ae_6[4] = {
	/* -- */ X(xsave, 0, 0, 0, M),
	/* 66 */ X(clflush, 0, 0, 0, M),
	/* f3 */ UD,
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_group15_m[8] = {
	/* /0 */ X(fxsave, 0, 0, 0, M),
	/* /1 */ X(fxrstor, 0, 0, 0, M),
	/* /2 */ X(ldmxcsr, 0, 0, 0, M | AVX | V0 | L0),
	/* /3 */ X(stmxcsr, 0, 0, 0, M | AVX | V0 | L0),
	/* /4 */ X(xsave, 0, 0, 0, M),
	/* /5 */ X(xrstor, 0, 0, 0, M),
	/* /6 */ BY_SIMD(0f_ae_6),
	/* /7 */ X(clflush, 0, 0, 0, M),
};

/* With a prefix they are CET's and user wait's. */
static const struct emul_row row_fence[4] = {
	/* -- */ X(nop, 0, 0, 0, M),
	/* 66 */ X(ud, 0, 0, 0, M),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_group15_r[8] = {
	/* /0 */ BY_SIMD(fsbase_r),
	/* /1 */ BY_SIMD(fsbase_r),
	/* /2 */ BY_SIMD(fsbase_w),
	/* /3 */ BY_SIMD(fsbase_w),
	/* /4 */ UD,
	/* /5 */ BY_SIMD(fence),
	/* /6 */ BY_SIMD(fence),
	/* /7 */ BY_SIMD(fence),
};

static const struct emul_row row_group7_0[2] = {
	X(sgdt, 0, 0, 0, M),
	BY_RM(group7_0r),
};

static const struct emul_row row_group7_1[2] = {
	X(sidt, 0, 0, 0, M),
	BY_RM(group7_1r),
};

static const struct emul_row row_group7_2[2] = {
	X(lgdt, 0, 0, 0, M | CPL0),
	BY_RM(group7_2r),
};

static const struct emul_row row_group7_3[2] = {
	X(lidt, 0, 0, 0, M | CPL0),
	BY_RM(group7_3r),
};

static const struct emul_row row_group7_5[2] = {
	UD,
	BY_RM(group7_5r),
};

static const struct emul_row row_group7_7[2] = {
	X(invlpg, 0, 0, 0, M | CPL0),
	BY_RM(group7_7r),
};

static const struct emul_row row_group15[2] = {
	BY_REG(group15_m),
	BY_REG(group15_r),
};

static const struct emul_row row_group7[8] = {
	/* /0 */ BY_MOD(group7_0),
	/* /1 */ BY_MOD(group7_1),
	/* /2 */ BY_MOD(group7_2),
	/* /3 */ BY_MOD(group7_3),
	/* /4 */ X(smsw, Ex, 0, 0, M | W),
	/* /5 */ BY_MOD(group7_5),
	/* /6 */ X(lmsw, 0, Ew, 0, M | CPL0),
	/* /7 */ BY_MOD(group7_7),
};

const struct emul_row emul_table_0f[256] = {
	/* 00 */ BY_REG(group6),
	/* 01 */ BY_REG(group7),
	/* 02 */ X(lar, Gv, Ew, 0, M | W | PROT),
	/* 03 */ X(lsl, Gv, Ew, 0, M | W | PROT),
	/* 04 */ UD,
	/* 05 */ X(syscall, 0, 0, 0, 0),
	/* 06 */ X(clts, 0, 0, 0, CPL0),
	/* 07 */ X(sysret, 0, 0, 0, 0),
	/* 08 */ X(wbinvd, 0, 0, 0, CPL0),
	/* 09 */ X(wbinvd, 0, 0, 0, CPL0),
	/* 0a */ UD,
	/* 0b */ X(ud, 0, 0, 0, 0),
	/* 0c */ UD,
	/* 0d */ X(prefetchw, 0, 0, 0, M),
	/* 0e */ UD,
	/* 0f */ UD,
	/* 10 */ BY_SIMD(0f_10),
	/* 11 */ BY_SIMD(0f_11),
	/* 12 */ BY_SIMD(0f_12),
	/* 13 */ BY_SIMD(0f_13),
	/* 14 */ SIMD,
	/* 15 */ SIMD,
	/* 16 */ BY_SIMD(0f_16),
	/* 17 */ BY_SIMD(0f_17),
	/* 18 */ X(nop, 0, 0, 0, M),
	/* 19 */ X(nop, 0, 0, 0, M),
	/* 1a */ X(nop, 0, 0, 0, M),
	/* 1b */ X(nop, 0, 0, 0, M),
	/* 1c */ X(nop, 0, 0, 0, M),
	/* 1d */ X(nop, 0, 0, 0, M),
	/* 1e */ X(nop, 0, 0, 0, M),
	/* 1f */ X(nop, 0, 0, 0, M),
	/* 20 */ X(mov_from_cr, 0, 0, 0, M | CPL0 | FORCE | L),
	/* 21 */ X(mov_from_dr, 0, 0, 0, M | CPL0 | FORCE),
	/* 22 */ X(mov_to_cr, 0, 0, 0, M | CPL0 | FORCE | L),
	/* 23 */ X(mov_to_dr, 0, 0, 0, M | CPL0 | FORCE),
	/* 24 */ UD,
	/* 25 */ UD,
	/* 26 */ UD,
	/* 27 */ UD,
	/* 28 */ BY_SIMD(0f_28),
	/* 29 */ BY_SIMD(0f_29),
	/* 2a */ SIMD,
	/* 2b */ BY_SIMD(0f_2b),
	/* 2c */ SIMD,
	/* 2d */ SIMD,
	/* 2e */ SIMD,
	/* 2f */ SIMD,
	/* 30 */ X(wrmsr, 0, 0, 0, CPL0),
	/* 31 */ X(rdtsc, 0, 0, 0, 0),
	/* 32 */ X(rdmsr, 0, 0, 0, CPL0),
	/* 33 */ X(rdpmc, 0, 0, 0, 0),
	/* 34 */ X(sysenter, 0, 0, 0, 0),
	/* 35 */ X(sysexit, 0, 0, 0, 0),
	/* 36 */ UD,
	/* 37 */ UD,
	/* 38 */ ESCAPE,
	/* 39 */ UD,
	/* 3a */ ESCAPE,
	/* 3b */ UD,
	/* 3c */ UD,
	/* 3d */ UD,
	/* 3e */ UD,
	/* 3f */ UD,
	/* 40 */ X(cmov, Gv, Ev, 0, M | R | W),
	/* 41 */ X(cmov, Gv, Ev, 0, M | R | W),
	/* 42 */ X(cmov, Gv, Ev, 0, M | R | W),
	/* 43 */ X(cmov, Gv, Ev, 0, M | R | W),
	/* 44 */ X(cmov, Gv, Ev, 0, M | R | W),
	/* 45 */ X(cmov, Gv, Ev, 0, M | R | W),
	/* 46 */ X(cmov, Gv, Ev, 0, M | R | W),
	/* 47 */ X(cmov, Gv, Ev, 0, M | R | W),
	/* 48 */ X(cmov, Gv, Ev, 0, M | R | W),
	/* 49 */ X(cmov, Gv, Ev, 0, M | R | W),
	/* 4a */ X(cmov, Gv, Ev, 0, M | R | W),
	/* 4b */ X(cmov, Gv, Ev, 0, M | R | W),
	/* 4c */ X(cmov, Gv, Ev, 0, M | R | W),
	/* 4d */ X(cmov, Gv, Ev, 0, M | R | W),
	/* 4e */ X(cmov, Gv, Ev, 0, M | R | W),
	/* 4f */ X(cmov, Gv, Ev, 0, M | R | W),
	/* 50 */ SIMD,
	/* 51 */ SIMD,
	/* 52 */ SIMD,
	/* 53 */ SIMD,
	/* 54 */ BY_SIMD(0f_54),
	/* 55 */ BY_SIMD(0f_55),
	/* 56 */ BY_SIMD(0f_56),
	/* 57 */ BY_SIMD(0f_57),
	/* 58 */ SIMD,
	/* 59 */ SIMD,
	/* 5a */ SIMD,
	/* 5b */ SIMD,
	/* 5c */ SIMD,
	/* 5d */ SIMD,
	/* 5e */ SIMD,
	/* 5f */ SIMD,
	/* 60 */ SIMD,
	/* 61 */ SIMD,
	/* 62 */ SIMD,
	/* 63 */ SIMD,
	/* 64 */ SIMD,
	/* 65 */ SIMD,
	/* 66 */ SIMD,
	/* 67 */ SIMD,
	/* 68 */ SIMD,
	/* 69 */ SIMD,
	/* 6a */ SIMD,
	/* 6b */ SIMD,
	/* 6c */ SIMD,
	/* 6d */ SIMD,
	/* 6e */ BY_SIMD(0f_6e),
	/* 6f */ BY_SIMD(0f_6f),
	/* 70 */ SIMD_IMM,
	/* 71 */ SHIFT,
	/* 72 */ SHIFT,
	/* 73 */ SHIFT,
	/* 74 */ SIMD,
	/* 75 */ SIMD,
	/* 76 */ SIMD,
	/* 77 */ LEAD(0f_77, ROW_BY_SIMD),
	/* 78 */ UD,
	/* 79 */ UD,
	/* 7a */ UD,
	/* 7b */ UD,
	/* 7c */ SIMD,
	/* 7d */ SIMD,
	/* 7e */ BY_SIMD(0f_7e),
	/* 7f */ BY_SIMD(0f_7f),
	/* 80 */ X(jcc, 0, Ii, IMM_Z, BRANCH),
	/* 81 */ X(jcc, 0, Ii, IMM_Z, BRANCH),
	/* 82 */ X(jcc, 0, Ii, IMM_Z, BRANCH),
	/* 83 */ X(jcc, 0, Ii, IMM_Z, BRANCH),
	/* 84 */ X(jcc, 0, Ii, IMM_Z, BRANCH),
	/* 85 */ X(jcc, 0, Ii, IMM_Z, BRANCH),
	/* 86 */ X(jcc, 0, Ii, IMM_Z, BRANCH),
	/* 87 */ X(jcc, 0, Ii, IMM_Z, BRANCH),
	/* 88 */ X(jcc, 0, Ii, IMM_Z, BRANCH),
	/* 89 */ X(jcc, 0, Ii, IMM_Z, BRANCH),
	/* 8a */ X(jcc, 0, Ii, IMM_Z, BRANCH),
	/* 8b */ X(jcc, 0, Ii, IMM_Z, BRANCH),
	/* 8c */ X(jcc, 0, Ii, IMM_Z, BRANCH),
	/* 8d */ X(jcc, 0, Ii, IMM_Z, BRANCH),
	/* 8e */ X(jcc, 0, Ii, IMM_Z, BRANCH),
	/* 8f */ X(jcc, 0, Ii, IMM_Z, BRANCH),
	/* 90 */ X(setcc, Eb, 0, 0, M | W),
	/* 91 */ X(setcc, Eb, 0, 0, M | W),
	/* 92 */ X(setcc, Eb, 0, 0, M | W),
	/* 93 */ X(setcc, Eb, 0, 0, M | W),
	/* 94 */ X(setcc, Eb, 0, 0, M | W),
	/* 95 */ X(setcc, Eb, 0, 0, M | W),
	/* 96 */ X(setcc, Eb, 0, 0, M | W),
	/* 97 */ X(setcc, Eb, 0, 0, M | W),
	/* 98 */ X(setcc, Eb, 0, 0, M | W),
	/* 99 */ X(setcc, Eb, 0, 0, M | W),
	/* 9a */ X(setcc, Eb, 0, 0, M | W),
	/* 9b */ X(setcc, Eb, 0, 0, M | W),
	/* 9c */ X(setcc, Eb, 0, 0, M | W),
	/* 9d */ X(setcc, Eb, 0, 0, M | W),
	/* 9e */ X(setcc, Eb, 0, 0, M | W),
	/* 9f */ X(setcc, Eb, 0, 0, M | W),
	/* a0 */ X(push_segment, 0, 0, 0, D64),
	/* a1 */ X(pop_segment, 0, 0, 0, D64),
	/* a2 */ X(cpuid, 0, 0, 0, 0),
	/* a3 */ X(bt, Ev, Gv, 0, M),
	/* a4 */ X(shld, Ev, Gv, IMM_B, M | RW),
	/* a5 */ X(shld, Ev, Gv, 0, M | RW),
	/* a6 */ UD,
	/* a7 */ UD,
	/* a8 */ X(push_segment, 0, 0, 0, D64),
	/* a9 */ X(pop_segment, 0, 0, 0, D64),
	/* aa */ UD,
	/* ab */ X(bts, Ev, Gv, 0, M | L),
	/* ac */ X(shrd, Ev, Gv, IMM_B, M | RW),
	/* ad */ X(shrd, Ev, Gv, 0, M | RW),
	/* ae */ BY_MOD(group15),
	/* af */ X(imul2, Gv, Ev, 0, M | RW),
	/* b0 */ X(cmpxchg, Eb, Gb, 0, M | R | SELF | L),
	/* b1 */ X(cmpxchg, Ev, Gv, 0, M | R | SELF | L),
	/* b2 */ X(load_far_pointer, Gv, 0, 0, M | W | MEM),
	/* b3 */ X(btr, Ev, Gv, 0, M | L),
	/* b4 */ X(load_far_pointer, Gv, 0, 0, M | W | MEM),
	/* b5 */ X(load_far_pointer, Gv, 0, 0, M | W | MEM),
	/* b6 */ X(mov, Gv, Eb, 0, M | W),
	/* b7 */ X(mov, Gv, Ew, 0, M | W),
	/* b8 */ BY_SIMD(0f_b8),
	/* b9 */ X(ud, 0, 0, 0, M),
	/* ba */ BY_REG(group8),
	/* bb */ X(btc, Ev, Gv, 0, M | L),
	/* bc */ BY_SIMD(0f_bc),
	/* bd */ BY_SIMD(0f_bd),
	/* be */ X(movsx, Gv, Eb, 0, M | W),
	/* bf */ X(movsx, Gv, Ew, 0, M | W),
	/* c0 */ X(xadd, Eb, Gb, 0, M | R | SELF | L),
	/* c1 */ X(xadd, Ev, Gv, 0, M | R | SELF | L),
	/* c2 */ SIMD_IMM,
	/* c3 */ BY_SIMD(0f_c3),
	/* c4 */ SIMD_IMM,
	/* c5 */ SIMD_IMM,
	/* c6 */ SIMD_IMM,
	/* c7 */ BY_REG(group9),
	/* c8 */ X(bswap, Zv, 0, 0, RW),
	/* c9 */ X(bswap, Zv, 0, 0, RW),
	/* ca */ X(bswap, Zv, 0, 0, RW),
	/* cb */ X(bswap, Zv, 0, 0, RW),
	/* cc */ X(bswap, Zv, 0, 0, RW),
	/* cd */ X(bswap, Zv, 0, 0, RW),
	/* ce */ X(bswap, Zv, 0, 0, RW),
	/* cf */ X(bswap, Zv, 0, 0, RW),
	/* d0 */ SIMD,
	/* d1 */ SIMD,
	/* d2 */ SIMD,
	/* d3 */ SIMD,
	/* d4 */ BY_SIMD(0f_d4),
	/* d5 */ SIMD,
	/* d6 */ BY_SIMD(0f_d6),
	/* d7 */ SIMD,
	/* d8 */ SIMD,
	/* d9 */ SIMD,
	/* da */ SIMD,
	/* db */ BY_SIMD(0f_db),
	/* dc */ SIMD,
	/* dd */ SIMD,
	/* de */ SIMD,
	/* df */ BY_SIMD(0f_df),
	/* e0 */ SIMD,
	/* e1 */ SIMD,
	/* e2 */ SIMD,
	/* e3 */ SIMD,
	/* e4 */ SIMD,
	/* e5 */ SIMD,
	/* e6 */ SIMD,
	/* e7 */ BY_SIMD(0f_e7),
	/* e8 */ SIMD,
	/* e9 */ SIMD,
	/* ea */ SIMD,
	/* eb */ BY_SIMD(0f_eb),
	/* ec */ SIMD,
	/* ed */ SIMD,
	/* ee */ SIMD,
	/* ef */ BY_SIMD(0f_ef),
	/* f0 */ BY_SIMD(0f_f0),
	/* f1 */ SIMD,
	/* f2 */ SIMD,
	/* f3 */ SIMD,
	/* f4 */ SIMD,
	/* f5 */ SIMD,
	/* f6 */ SIMD,
	/* f7 */ BY_SIMD(0f_f7),
	/* f8 */ SIMD,
	/* f9 */ SIMD,
	/* fa */ BY_SIMD(0f_fa),
	/* fb */ BY_SIMD(0f_fb),
	/* fc */ SIMD,
	/* fd */ SIMD,
	/* fe */ BY_SIMD(0f_fe),
	/* ff */ X(ud, 0, 0, 0, M),
};
/* clang-format on */
