/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 32-bit IDT for modes.asm.
 */
#include "tests/guest/lib/modes.h"

#define GATE_INTERRUPT 0x8e00ull
#define GATE_DPL_USER  0x6000ull
#define STUB_SIZE      16

extern uint64_t idt32[256];
extern char stubs32[];

void modes_init(void)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t stub = (uint64_t)stubs32 + STUB_SIZE * i;
		uint64_t type =
			GATE_INTERRUPT | (i >= 0x80 ? GATE_DPL_USER : 0);

		idt32[i] = (stub & 0xffff) | SEL_CODE32 << 16 | type << 32 |
			   (stub >> 16) << 48;
	}
}
