/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three-byte opcodes: 0F 38 and 0F 3A.
 * Each row: the function, destination, source, immediate,
 * flags; to be read against the manual's opcode map.  A row of U is an
 * encoding this emulator does not know: EMUL_UNHANDLED.
 *
 * References: SDM volume 2, appendix "Opcode Map"; APM volume 3, appendix
 * "Opcode and Operand Encodings".
 */
#include "emulate/tables.h"

/* clang-format off */
static const struct emul_row row_38_group17[8] = {
	/* /0 */ X(ud, 0, 0, 0, M),
	/* /1 */ X(blsr, By, Ey, 0, M | W | AVX | NOLEG | L0),
	/* /2 */ X(blsmsk, By, Ey, 0, M | W | AVX | NOLEG | L0),
	/* /3 */ X(blsi, By, Ey, 0, M | W | AVX | NOLEG | L0),
	/* /4 */ X(ud, 0, 0, 0, M),
	/* /5 */ X(ud, 0, 0, 0, M),
	/* /6 */ X(ud, 0, 0, 0, M),
	/* /7 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_38_f0[4] = {
	/* -- */ X(movbe, Gv, Ev, 0, M | W | MEM),
	/* 66 */ X(movbe, Gv, Ev, 0, M | W | MEM),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(crc32, Gy, Eb, 0, M | RW),
};

static const struct emul_row row_38_f1[4] = {
	/* -- */ X(movbe, Ev, Gv, 0, M | W | MEM),
	/* 66 */ X(movbe, Ev, Gv, 0, M | W | MEM),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(crc32, Gy, Ev, 0, M | RW),
};

static const struct emul_row row_38_f2[4] = {
	/* -- */ X(andn, Gy, Ey, 0, M | W | AVX | NOLEG | L0),
	/* 66 */ X(ud, 0, 0, 0, M),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_38_f3[4] = {
	/* -- */ BY_REG(38_group17),
	/* 66 */ X(ud, 0, 0, 0, M),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_38_f5[4] = {
	/* -- */ X(bzhi, Gy, Ey, 0, M | W | AVX | NOLEG | L0),
	/* 66 */ X(ud, 0, 0, 0, M),
	/* f3 */ X(pext, Gy, Ey, 0, M | W | AVX | NOLEG | L0),
	/* f2 */ X(pdep, Gy, Ey, 0, M | W | AVX | NOLEG | L0),
};

static const struct emul_row row_38_f6[4] = {
	/* -- */ X(ud, 0, 0, 0, M),
	/* 66 */ X(adcx, Gy, Ey, 0, M | RW),
	/* f3 */ X(adox, Gy, Ey, 0, M | RW),
	/* f2 */ X(mulx, Gy, Ey, 0, M | W | AVX | NOLEG | L0),
};

static const struct emul_row row_38_f7[4] = {
	/* -- */ X(bextr, Gy, Ey, 0, M | W | AVX | NOLEG | L0),
	/* 66 */ X(shlx, Gy, Ey, 0, M | W | AVX | NOLEG | L0),
	/* f3 */ X(sarx, Gy, Ey, 0, M | W | AVX | NOLEG | L0),
	/* f2 */ X(shrx, Gy, Ey, 0, M | W | AVX | NOLEG | L0),
};

static const struct emul_row row_38_2a[4] = {
	/* -- */ X(ud, 0, 0, 0, M),
	/* 66 */ X(mova_load, 0, 0, 0, M | AVX | V0 | MEM),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_38_82[4] = {
	/* -- */ X(ud, 0, 0, 0, M),
	/* 66 */ X(invpcid, 0, 0, 0, M | CPL0 | MEM),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_38_f8[4] = {
	/* -- */ U,
	/* 66 */ X(movdir64b, 0, 0, 0, M | MEM),
	/* f3 */ U,
	/* f2 */ U,
};

static const struct emul_row row_38_f9[4] = {
	/* -- */ X(movdiri, Ey, Gy, 0, M | W | MEM),
	/* 66 */ X(ud, 0, 0, 0, M),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

/* Unlisted: ModRM, and in the second map a byte, for the length's sake. */
const struct emul_row emul_unknown_0f38 = UM;
const struct emul_row emul_unknown_0f3a = { { NULL }, 0, 0, IMM_B, 0, ROW_MODRM };

const struct emul_row emul_table_0f38[256] = {
	[0x2a] = BY_SIMD(38_2a),
	[0x82] = BY_SIMD(38_82),
	[0xf0] = BY_SIMD(38_f0),
	[0xf1] = BY_SIMD(38_f1),
	[0xf2] = BY_SIMD(38_f2),
	[0xf3] = BY_SIMD(38_f3),
	[0xf5] = BY_SIMD(38_f5),
	[0xf6] = BY_SIMD(38_f6),
	[0xf7] = BY_SIMD(38_f7),
	[0xf8] = BY_SIMD(38_f8),
	[0xf9] = BY_SIMD(38_f9),
};

static const struct emul_row row_3a_f0[4] = {
	/* -- */ X(ud, 0, 0, 0, M),
	/* 66 */ X(ud, 0, 0, 0, M),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(rorx, Gy, Ey, IMM_B, M | W | AVX | NOLEG | L0 | V0),
};

const struct emul_row emul_table_0f3a[256] = {
	[0xf0] = BY_SIMD(3a_f0),
};
/* clang-format on */
