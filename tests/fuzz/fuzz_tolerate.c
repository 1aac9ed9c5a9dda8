/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What instructions are like that the native fuzzer treats in a way of their
 * own, and where it lets the emulator differ from the processor.
 */
#include "tests/fuzz/fuzz_native.h"

#include <string.h>

uint64_t fuzz_flags_undefined(const struct generated *g)
{
	unsigned reg = g->modrm >> 3 & 7;

	if (g->is_vex) /* BMI's */
		return X86_FLAG_AF | X86_FLAG_PF |
		       (g->map == 3 && g->opcode == 0xf7 ? X86_FLAG_SF : 0);
	if (g->map == 1) {
		switch (g->opcode) {
		case 0x27:
		case 0x2f:
			return X86_FLAG_OF;
		case 0x37:
		case 0x3f:
			return X86_FLAG_OF | X86_FLAG_SF | X86_FLAG_ZF |
			       X86_FLAG_PF;
		case 0xd4:
		case 0xd5:
			return X86_FLAG_OF | X86_FLAG_AF | X86_FLAG_CF;
		case 0x69:
		case 0x6b:
			return FLAGS_MUL;
		case 0xf6:
		case 0xf7:
			return reg >= 6 ? FLAGS_ALL : reg >= 4 ? FLAGS_MUL : 0;
		case 0xc0:
		case 0xc1:
		case 0xd2:
		case 0xd3:
			return X86_FLAG_OF |
			       (reg >= 4 ? X86_FLAG_AF | X86_FLAG_CF : 0);
		default:
			return 0;
		}
	}
	if (g->map == 2) {
		switch (g->opcode) {
		case 0xa3:
		case 0xab:
		case 0xb3:
		case 0xbb:
		case 0xba:
			return FLAGS_BIT;
		case 0xa4:
		case 0xa5:
		case 0xac:
		case 0xad:
			return FLAGS_ALL; /* count above the size */
		case 0xaf:
			return FLAGS_MUL;
		case 0xbc:
		case 0xbd:
			return FLAGS_ALL & ~X86_FLAG_ZF;
		default:
			return 0;
		}
	}
	return 0;
}

bool fuzz_is_mmx_store(const struct generated *g)
{
	static const uint8_t stores[] = { 0x7e, 0x7f, 0xe7, 0xf7 };

	return g->map == 2 && memchr(stores, g->opcode, sizeof(stores));
}

bool fuzz_is_resumed(const struct generated *g)
{
	if (g->map == 3 && g->is_vex)
		return g->opcode >= 0x90 && g->opcode <= 0x93;
	return g->map == 1 && g->opcode >= 0xa4 && g->opcode <= 0xaf;
}

bool fuzz_is_compare(const struct generated *g)
{
	return g->map == 1 &&
	       ((g->opcode & 0xfe) == 0xa6 || (g->opcode & 0xfe) == 0xae);
}

#define ENVIRONMENT16 14
#define ENVIRONMENT32 28
#define REGISTERS     80
#define REG_LOAD      4 /* FLDENV of D9, FRSTOR of DD */

/*
 * With 16-bit addresses the items of an image have addresses of their own, that
 * wrap, and one that lies across the end of the segment faults.  Processors
 * have loaded status and tags by then, the emulator has not: what it begins
 * again, behind a device or a page that was not there, must not find an
 * exception that it has loaded itself.
 */
bool fuzz_is_cut_image(const struct generated *g, const struct emul *e)
{
	unsigned size = e->d->operand_size == 2 ? ENVIRONMENT16 : ENVIRONMENT32;

	if (!g->is_x87 || (g->opcode != 0xd9 && g->opcode != 0xdd) ||
	    g->modrm >= 0xc0 || (g->modrm >> 3 & 7) != REG_LOAD)
		return false;
	if (g->opcode == 0xdd)
		size += REGISTERS;
	return e->d->address_size == 2 && e->offset + size - 1 > UINT16_MAX;
}
