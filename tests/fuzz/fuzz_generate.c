/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions that the native fuzzer tries.
 */
#include "tests/fuzz/fuzz_native.h"

#include <string.h>

uint64_t fuzz_next(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random * 0x2545f4914f6cdd1dULL;
}

bool fuzz_one_in(uint64_t *random, unsigned n)
{
	return (fuzz_next(random) >> 40) % n == 0;
}

/*
 * AMD's SSE4A, shown to no guest: EXTRQ and INSERTQ where others have VMREAD
 * and VMWRITE, MOVNTSS and MOVNTSD.
 */
static bool is_sse4a(const struct generated *g)
{
	return g->map == 2 && !g->is_vex &&
	       ((g->opcode & 0xfe) == 0x78 || (g->opcode == 0x2b && g->rep));
}

/* Opcodes that would leave the sandbox or that are not compared. */
static bool is_excluded(const struct generated *g)
{
	static const uint8_t one[] = {
		0x06, 0x07, 0x0e, 0x0f, 0x16, 0x17, 0x1e, 0x1f, 0x26, 0x2e,
		0x36, 0x3e, 0x62, 0x64, 0x65, 0x66, 0x67, 0x6c, 0x6d, 0x6e,
		0x6f, 0x8e, 0x9a, 0x9b, 0x9c, 0x9d, 0xc4, 0xc5, 0xca, 0xcb,
		0xcc, 0xcd, 0xce, 0xcf, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd,
		0xde, 0xdf, 0xe4, 0xe5, 0xe6, 0xe7, 0xea, 0xec, 0xed, 0xee,
		0xef, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xfa, 0xfb,
	};
	static const uint8_t two[] = {
		0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x08,
		0x09, 0x20, 0x21, 0x22, 0x23, 0x30, 0x31, 0x32,
		0x33, 0x34, 0x35, 0x37, 0x38, 0x3a, 0xa0, 0xa1,
		0xa2, 0xa8, 0xa9, 0xaa, 0xae, 0xb2, 0xb4, 0xb5,
	};
	unsigned reg = g->modrm >> 3 & 7;

	if (g->map == 1 && memchr(one, g->opcode, sizeof(one)))
		return true;
	if (g->map == 1 && g->width == CODE64 && (g->opcode & 0xf0) == 0x40)
		return true;
	if (g->map == 1 && g->opcode == 0xff && (reg == 3 || reg == 5))
		return true;
	/* Transactional memory, where it exists, in C6 and C7. */
	if (g->map == 1 && (g->opcode & 0xfe) == 0xc6 && reg == 7)
		return true;
	/* AMD's XOP encodings. */
	if (g->map == 1 && g->opcode == 0x8f && reg)
		return true;
	if (g->map == 2 && g->opcode == 0xc7 && reg != 1)
		return true;
	if (is_sse4a(g))
		return true;
	return g->map == 2 && memchr(two, g->opcode, sizeof(two));
}

static void put(struct generated *g, uint8_t byte)
{
	g->bytes[g->length++] = byte;
}

static void generate_prefixes(uint64_t *b, struct generated *g)
{
	if (fuzz_one_in(b, 4))
		put(g, 0x66);
	if (fuzz_one_in(b, 10))
		put(g, 0x67);
	g->rep = fuzz_one_in(b, 6);
	if (g->rep)
		put(g, 0xf2 | (fuzz_next(b) >> 50 & 1));
	if (fuzz_one_in(b, 12))
		put(g, 0xf0);
	if (fuzz_one_in(b, 16))
		put(g, "\x26\x2e\x36\x3e"[fuzz_next(b) >> 50 & 3]);
	if (g->width == CODE64 && fuzz_one_in(b, 2))
		put(g, 0x40 | (fuzz_next(b) >> 50 & 15));
}

/* BMI, and AVX's moves and bitwise operations. */
static void generate_vex(uint64_t *b, struct generated *g)
{
	static const uint8_t two[] = { 0x10, 0x11, 0x12, 0x13, 0x16, 0x17,
				       0x28, 0x29, 0x2b, 0x54, 0x55, 0x56,
				       0x57, 0x6e, 0x6f, 0x7e, 0x7f, 0xd4,
				       0xd6, 0xdb, 0xdf, 0xe7, 0xeb, 0xef,
				       0xf0, 0xfa, 0xfb, 0xfe, 0x77 };
	static const uint8_t three[] = { 0xf2, 0xf3, 0xf5, 0xf6, 0xf7 };
	uint8_t first = (uint8_t)(fuzz_next(b) >> 40) & 0xe0;
	uint8_t last = (uint8_t)(fuzz_next(b) >> 40);

	g->length = 0;
	g->is_vex = true;
	g->map = 2 + (fuzz_next(b) >> 40) % 3;
	if (g->width != CODE64)
		first |= 0xc0;
	if (fuzz_one_in(b, 2)) /* many of these want no second source */
		last |= 0x78;
	if (g->map == 2)
		g->opcode = two[(fuzz_next(b) >> 40) % sizeof(two)];
	else if (g->map == 3)
		g->opcode = three[(fuzz_next(b) >> 40) % sizeof(three)];
	else
		g->opcode = 0xf0;
	put(g, 0xc4);
	put(g, first | (uint8_t)(g->map - 1));
	put(g, last);
	put(g, g->opcode);
	g->modrm = (uint8_t)(fuzz_next(b) >> 40);
	put(g, g->modrm);
}

static void generate_legacy(uint64_t *b, struct generated *g)
{
	static const uint8_t three[] = { 0xf0, 0xf1, 0xf6, 0xf0, 0xf1, 0x2a };

	do {
		g->length = 0;
		generate_prefixes(b, g);
		g->map = fuzz_one_in(b, 12) ? 3 : fuzz_one_in(b, 3) ? 2 : 1;
		g->opcode = (uint8_t)(fuzz_next(b) >> 40);
		if (g->map == 3)
			g->opcode = three[(fuzz_next(b) >> 40) % sizeof(three)];
		if (g->map > 1)
			put(g, 0x0f);
		if (g->map > 2)
			put(g, 0x38);
		put(g, g->opcode);
		g->modrm = (uint8_t)(fuzz_next(b) >> 40);
		put(g, g->modrm);
	} while (is_excluded(g));
}

/*
 * Loads of DS, ES, FS and GS, far transfers and questions about selectors, all
 * of the LDT.
 * Not SS: its single step would trap an instruction late.
 */
static void generate_segment(uint64_t *b, struct generated *g)
{
	static const uint8_t one[] = { 0x8e, 0xc4, 0xc5, 0x07, 0x1f, 0xea,
				       0x9a, 0xca, 0xcb, 0xcf, 0xff, 0xff };
	static const uint8_t two[] = { 0x00, 0x02, 0x03, 0xb4, 0xb5,
				       0xa1, 0xa9, 0x02, 0x03 };
	uint8_t modrm;

	g->length = 0;
	g->is_segment = true;
	if (fuzz_one_in(b, 4))
		put(g, 0x66);
	if (g->width == CODE64 && fuzz_one_in(b, 3))
		put(g, 0x40 | (fuzz_next(b) >> 50 & 15));
	g->map = 1 + (fuzz_next(b) >> 50 & 1);
	g->opcode = g->map == 1 ? one[(fuzz_next(b) >> 40) % sizeof(one)]
				: two[(fuzz_next(b) >> 40) % sizeof(two)];
	if (g->map == 1 && g->width == CODE64 && g->opcode < 0xc8 &&
	    g->opcode != 0x8e)
		g->opcode = 0xcb;
	modrm = (uint8_t)(fuzz_next(b) >> 40);
	if (g->opcode == 0x8e)
		modrm = (modrm & 0xc7) |
			(uint8_t)("\x00\x18\x20\x28"[fuzz_next(b) >> 50 & 3]);
	if (g->map == 1 && (g->opcode == 0xc4 || g->opcode == 0xc5))
		modrm &= 0x7f; /* no VEX */
	if (g->map == 2 && g->opcode == 0)
		modrm = (modrm & 0xcf) | 0x20; /* VERR, VERW */
	if (g->map == 1 && g->opcode == 0xff)  /* far, in memory */
		modrm = (modrm & 0x87) | (fuzz_next(b) >> 50 & 1 ? 0x18 : 0x28);
	g->modrm = modrm;
	if (g->map == 2)
		put(g, 0x0f);
	put(g, g->opcode);
	if (g->map == 2 || g->opcode == 0x8e || g->opcode == 0xff ||
	    g->opcode == 0xc4 || g->opcode == 0xc5)
		put(g, modrm);
	for (unsigned i = 0; i < 5; i++) {
		put(g, (uint8_t)(fuzz_next(b) >> 40 & 0x7b) | 4);
		put(g, 0);
	}
}

/*
 * What this processor may have and no guest is shown: AVX-512's mask registers,
 * VNNI, IFMA, AMX, Key Locker and the like.
 */
static bool is_hidden(const struct generated *g)
{
	uint8_t op = g->opcode;

	if (is_sse4a(g))
		return true;
	if (g->map == 2)
		return g->is_vex && ((op >= 0x41 && op <= 0x4b) ||
				     (op >= 0x90 && op <= 0x99));
	if (g->map == 4)
		return g->is_vex && op >= 0x30 && op <= 0x33;
	if (op == 0xd8 || (op >= 0xf0 && !g->is_vex))
		return true;
	if (!g->is_vex)
		return op >= 0xdc && op <= 0xdf && g->rep;
	return (op >= 0x48 && op <= 0x57) || (op >= 0x5c && op <= 0x77) ||
	       (op >= 0xb0 && op <= 0xb5) || (op >= 0xd0 && op <= 0xda) ||
	       op >= 0xe0;
}

static const uint8_t pp_bytes[4] = { 0, 0x66, 0xf3, 0xf2 };

static void vector_legacy(uint64_t *b, struct generated *g, unsigned pp)
{
	if (pp)
		put(g, pp_bytes[pp]);
	if (g->width == CODE64 && fuzz_one_in(b, 2))
		put(g, 0x40 | (fuzz_next(b) >> 50 & 15));
	put(g, 0x0f);
	if (g->map == 3)
		put(g, 0x38);
	if (g->map == 4)
		put(g, 0x3a);
}

static void vector_vex(uint64_t *b, struct generated *g, unsigned pp)
{
	uint8_t first = (uint8_t)(fuzz_next(b) >> 40) & 0xe0;
	uint8_t last = (uint8_t)(fuzz_next(b) >> 40) & 0xfc;

	g->is_vex = true;
	if (g->width != CODE64)
		first |= 0xc0;
	if (fuzz_one_in(b, 2)) /* many of these want no second source */
		last |= 0x78;
	if (fuzz_one_in(b, 2))
		last &= 0x7f;
	put(g, 0xc4);
	put(g, first | (uint8_t)(g->map - 1));
	put(g, last | (uint8_t)pp);
}

/* MMX, SSE and AVX of every map. */
static void generate_vector(uint64_t *b, struct generated *g)
{
	unsigned pp;

	do {
		g->length = 0;
		g->is_vex = false;
		g->map = 2 + (fuzz_next(b) >> 40) % 3;
		pp = (fuzz_next(b) >> 40) & 3;
		if (g->map > 2 && fuzz_one_in(b, 2))
			pp = 1;
		g->rep = pp >= 2;
		g->opcode = (uint8_t)(fuzz_next(b) >> 40);
		if (g->map == 2)
			while (g->opcode < 0x10 || g->opcode == 0x77 ||
			       (g->opcode >= 0x18 && g->opcode < 0x28) ||
			       (g->opcode >= 0x30 && g->opcode < 0x50) ||
			       (g->opcode >= 0x80 && g->opcode < 0xd0 &&
				!strchr("\xc2\xc4\xc5\xc6", g->opcode)))
				g->opcode = (uint8_t)(fuzz_next(b) >> 40);
		if (fuzz_one_in(b, 2))
			vector_vex(b, g, pp);
		else
			vector_legacy(b, g, pp);
	} while (is_hidden(g));
	g->is_vector = true;
	put(g, g->opcode);
	g->modrm = (uint8_t)(fuzz_next(b) >> 40);
	put(g, g->modrm);
}

static void generate_x87(uint64_t *b, struct generated *g)
{
	g->length = 0;
	g->map = 1;
	g->is_x87 = true;
	if (fuzz_one_in(b, 8))
		put(g, 0x66);
	g->opcode = fuzz_one_in(b, 20) ? 0x9b : 0xd8 | (fuzz_next(b) >> 40 & 7);
	put(g, g->opcode);
	g->modrm = (uint8_t)(fuzz_next(b) >> 40);
	if (fuzz_one_in(b, 3))
		g->modrm |= 0xc0;
	if (g->opcode != 0x9b)
		put(g, g->modrm);
}

void fuzz_generate(uint64_t *b, struct generated *g)
{
	if (fuzz_one_in(b, 2))
		generate_vector(b, g);
	else if (fuzz_one_in(b, 4))
		generate_x87(b, g);
	else if (fuzz_one_in(b, 10))
		generate_segment(b, g);
	else if (fuzz_one_in(b, 6))
		generate_vex(b, g);
	else
		generate_legacy(b, g);
	/* SIB, displacement, immediate: small as often as not. */
	for (unsigned i = 0; i < 10; i++)
		put(g, fuzz_one_in(b, 2) ? (uint8_t)(fuzz_next(b) >> 40) : 0);
}
