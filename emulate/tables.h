/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shorthand of the opcode tables.  Only the tables include this.
 */
#ifndef BULKHEAD_EMULATE_TABLES_H
#define BULKHEAD_EMULATE_TABLES_H

#include "emulate/execute.h"

extern const struct emul_row emul_table_d9_memory[8];
extern const struct emul_row emul_table_dd_memory[8];
extern const struct emul_row emul_table_db_e0[8];
extern const struct emul_row emul_table_df_e0[8];

#define M      ROW_MODRM
#define R      ROW_READ
#define W      ROW_WRITE
#define RW     (ROW_READ | ROW_WRITE)
#define L      ROW_LOCK
#define SELF   ROW_SELF
#define ATOMIC ROW_ALWAYS_LOCKED
#define NO64   ROW_NO64
#define ONLY64 ROW_ONLY64
#define D64    ROW_D64
#define BRANCH ROW_BRANCH
#define MEM    ROW_MEMORY
#define REG    ROW_REGISTER
#define CPL0   ROW_CPL0
#define PROT   ROW_PROTECTED
#define FORCE  ROW_FORCE_REG
#define AVX    ROW_AVX
#define NOLEG  ROW_NO_LEGACY
#define V0     ROW_NO_VVVV
#define L0     ROW_VEX_L0

/* An instruction. */
#define X(name, dst, src, imm, flags)                       \
	{                                                   \
		{ execute_##name }, dst, src, imm, 0, flags \
	}
/* Executed by the processor itself: simd_rows.h has the operands. */
#define SIMD	 X(simd_0f, 0, 0, 0, M | AVX)
#define SIMD_IMM X(simd_0f, 0, 0, IMM_B, M | AVX)
#define SHIFT	 X(simd_shift, 0, 0, IMM_B, M | AVX)
/* Not known. */
#define U                               \
	{                               \
		{ NULL }, 0, 0, 0, 0, 0 \
	}
/*
 * Undefined: on every processor, or because it belongs to what no guest is
 * offered (VMX, SVM, SMX, SGX, TDX).
 */
#define UD X(ud, 0, 0, 0, 0)
/* A further table: by ModRM reg, mod or rm, SIMD prefix, or mode. */
#define LEAD(table, flags)                                \
	{                                                 \
		{ .sub = row_##table }, 0, 0, 0, 0, flags \
	}
#define BY_REG(table)  LEAD(table, ROW_MODRM | ROW_BY_REG)
#define BY_MOD(table)  LEAD(table, ROW_MODRM | ROW_BY_MOD)
#define BY_RM(table)   LEAD(table, ROW_MODRM | ROW_BY_RM)
#define BY_SIMD(table) LEAD(table, ROW_MODRM | ROW_BY_SIMD)
#define BY_64(table)   LEAD(table, ROW_MODRM | ROW_BY_64)

/* Not known, but ModRM is read, so that the length is right. */
#define UM                                      \
	{                                       \
		{ NULL }, 0, 0, 0, 0, ROW_MODRM \
	}
/* A table of another file. */
#define LEAD_TO(table, flags)                                     \
	{                                                         \
		{ .sub = table }, 0, 0, 0, 0, ROW_MODRM | (flags) \
	}

#define PREFIX(kind)                                         \
	{                                                    \
		{ NULL }, 0, 0, 0, PREFIX_##kind, ROW_PREFIX \
	}
/* 40..4f: REX in 64-bit mode, else INC and DEC. */
#define REX_OR(name)                                                      \
	{                                                                 \
		{ execute_##name }, Zv, 0, 0, PREFIX_REX, ROW_PREFIX | RW \
	}
#define ESCAPE                                   \
	{                                        \
		{ NULL }, 0, 0, 0, 0, ROW_ESCAPE \
	}
/* C4 and C5: VEX, or LES and LDS. */
#define VEX(name)                                          \
	{                                                  \
		{ execute_load_far_pointer }, Gv, 0, 0, 0, \
			ROW_VEX | M | W | MEM              \
	}

#endif
