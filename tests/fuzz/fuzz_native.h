/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the native fuzzer puts code, data and its LDT, and what it generates.
 */
#ifndef BULKHEAD_FUZZ_NATIVE_H
#define BULKHEAD_FUZZ_NATIVE_H

#include "include/emulate.h"
#include "include/x86_state.h"

#define REGION	    0x10000000UL
#define REGION_SIZE 0x10000UL
#define CODE	    0x8000UL
#define FLAGS_SEEN                                                             \
	(X86_FLAG_CF | X86_FLAG_PF | X86_FLAG_AF | X86_FLAG_ZF | X86_FLAG_SF | \
	 X86_FLAG_OF | X86_FLAG_DF)
#define FLAGS_MUL (X86_FLAG_PF | X86_FLAG_AF | X86_FLAG_ZF | X86_FLAG_SF)
#define FLAGS_BIT (X86_FLAG_PF | X86_FLAG_AF | X86_FLAG_SF | X86_FLAG_OF)
#define FLAGS_ALL (FLAGS_SEEN & ~X86_FLAG_DF)

enum width {
	CODE16,
	CODE32,
	CODE64,
};

#define LDT_CODE	0
#define LDT_DATA	1
#define LDT_SELECTOR(n) ((n) << 3 | 7)
#define LDT_COUNT	10
/* Where the emulator finds the LDT's copy. */
#define LDT_LINEAR	0x20000000UL
#define USER_CS32	0x23
#define USER_DS		0x2b
#define USER_CS64	0x33

struct generated {
	uint8_t bytes[24];
	unsigned length;
	unsigned map; /* 1, 2 (0F), 3 (0F38), 4 (0F3A) */
	bool is_vex;
	bool is_segment; /* selectors in registers and memory */
	bool is_vector;
	bool is_x87;
	bool rep; /* F2 or F3 */
	uint8_t opcode;
	uint8_t modrm;
	enum width width;
};

uint64_t fuzz_next(uint64_t *random);
bool fuzz_one_in(uint64_t *random, unsigned n);
void fuzz_generate(uint64_t *random, struct generated *g);

/* A string instruction or a gather: may begin again where it is. */
bool fuzz_is_resumed(const struct generated *g);
/* CMPS or SCAS */
bool fuzz_is_compare(const struct generated *g);
/* Flags that the manual leaves undefined. */
uint64_t fuzz_flags_undefined(const struct generated *g);
bool fuzz_is_mmx_store(const struct generated *g);
/* FLDENV or FRSTOR across the end of 16-bit addresses */
bool fuzz_is_cut_image(const struct generated *g, const struct emul *e);

#endif
