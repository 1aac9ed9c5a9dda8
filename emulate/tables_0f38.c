/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three-byte opcodes: 0F 38 and 0F 3A.
 * Each row: the function, destination, source, immediate,
 * flags; to be read against the manual's opcode map.  simd_rows.h has
 * those that the processor executes itself.
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
	/* 66 */ X(movntdqa, 0, 0, 0, M | AVX | V0 | MEM),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_38_82[4] = {
	/* -- */ X(ud, 0, 0, 0, M),
	/* 66 */ X(invpcid, 0, 0, 0, M | MEM),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_38_f8[4] = {
	/* -- */ X(ud, 0, 0, 0, M),
	/* 66 */ X(movdir64b, 0, 0, 0, M | MEM),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

static const struct emul_row row_38_f9[4] = {
	/* -- */ X(movdiri, Ey, Gy, 0, M | W | MEM),
	/* 66 */ X(ud, 0, 0, 0, M),
	/* f3 */ X(ud, 0, 0, 0, M),
	/* f2 */ X(ud, 0, 0, 0, M),
};

/* With 66 and VEX only. */
#define AVX_ROWS(name, execute, more)                                \
	static const struct emul_row row_38_##name[4] = {            \
		X(ud, 0, 0, 0, M),                                   \
		X(execute, 0, 0, 0, M | AVX | NOLEG | (more)),       \
		X(ud, 0, 0, 0, M),                                   \
		X(ud, 0, 0, 0, M),                                   \
	}
AVX_ROWS(broadcast, vbroadcast, V0);
AVX_ROWS(mask_load, vmaskmov_load, MEM);
AVX_ROWS(mask_store, vmaskmov_store, MEM);
AVX_ROWS(gather, vgather, MEM);

/* Unlisted: simd_rows.h says whether it exists. */
const struct emul_row emul_unknown_0f38 = X(simd_0f38, 0, 0, 0, M | AVX);
const struct emul_row emul_unknown_0f3a = X(simd_0f3a, 0, 0, IMM_B, M | AVX);

const struct emul_row emul_table_0f38[256] = {
	[0x18] = BY_SIMD(38_broadcast),
	[0x19] = BY_SIMD(38_broadcast),
	[0x1a] = BY_SIMD(38_broadcast),
	[0x2a] = BY_SIMD(38_2a),
	[0x2c] = BY_SIMD(38_mask_load),
	[0x2d] = BY_SIMD(38_mask_load),
	[0x2e] = BY_SIMD(38_mask_store),
	[0x2f] = BY_SIMD(38_mask_store),
	[0x58] = BY_SIMD(38_broadcast),
	[0x59] = BY_SIMD(38_broadcast),
	[0x5a] = BY_SIMD(38_broadcast),
	[0x78] = BY_SIMD(38_broadcast),
	[0x79] = BY_SIMD(38_broadcast),
	[0x82] = BY_SIMD(38_82),
	[0x8c] = BY_SIMD(38_mask_load),
	[0x8e] = BY_SIMD(38_mask_store),
	[0x90] = BY_SIMD(38_gather),
	[0x91] = BY_SIMD(38_gather),
	[0x92] = BY_SIMD(38_gather),
	[0x93] = BY_SIMD(38_gather),
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
