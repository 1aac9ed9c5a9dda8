/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Coprocessor opcodes D8 to DF: those that move state; execute_fpu.c has the
 * others.
 *
 * References: SDM volume 2, appendix "Opcode Map", escape opcodes.
 */
#include "emulate/tables.h"

/* clang-format off */
const struct emul_row emul_table_d9_memory[8] = {
	/* /0 */ X(x87_memory, 0, 0, 0, M),
	/* /1 */ X(x87_memory, 0, 0, 0, M),
	/* /2 */ X(x87_memory, 0, 0, 0, M),
	/* /3 */ X(x87_memory, 0, 0, 0, M),
	/* /4 */ X(fldenv, 0, 0, 0, M),
	/* /5 */ X(fldcw, 0, 0, 0, M),
	/* /6 */ X(fnstenv, 0, 0, 0, M),
	/* /7 */ X(fnstcw, 0, 0, 0, M),
};

const struct emul_row emul_table_dd_memory[8] = {
	/* /0 */ X(x87_memory, 0, 0, 0, M),
	/* /1 */ X(x87_memory, 0, 0, 0, M),
	/* /2 */ X(x87_memory, 0, 0, 0, M),
	/* /3 */ X(x87_memory, 0, 0, 0, M),
	/* /4 */ X(frstor, 0, 0, 0, M),
	/* /5 */ X(x87_memory, 0, 0, 0, M),
	/* /6 */ X(fnsave, 0, 0, 0, M),
	/* /7 */ X(fnstsw, 0, 0, 0, M),
};

/* DB E0..E7, by rm */
const struct emul_row emul_table_db_e0[8] = {
	/* 0 */ X(nop, 0, 0, 0, M), /* FNENI and FNDISI of the 8087 */
	/* 1 */ X(nop, 0, 0, 0, M),
	/* 2 */ X(fnclex, 0, 0, 0, M),
	/* 3 */ X(fninit, 0, 0, 0, M),
	/* 4 */ X(nop, 0, 0, 0, M), /* FNSETPM of the 80287 */
	/* 5 */ X(ud, 0, 0, 0, M),
	/* 6 */ X(ud, 0, 0, 0, M),
	/* 7 */ X(ud, 0, 0, 0, M),
};

/* DF E0..E7, by rm */
const struct emul_row emul_table_df_e0[8] = {
	/* 0 */ X(fnstsw_ax, 0, 0, 0, M),
	/* 1 */ X(ud, 0, 0, 0, M),
	/* 2 */ X(ud, 0, 0, 0, M),
	/* 3 */ X(ud, 0, 0, 0, M),
	/* 4 */ X(ud, 0, 0, 0, M),
	/* 5 */ X(ud, 0, 0, 0, M),
	/* 6 */ X(ud, 0, 0, 0, M),
	/* 7 */ X(ud, 0, 0, 0, M),
};
/* clang-format on */
