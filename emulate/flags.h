/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic flags by letting the host's own ALU work them out.  LAHF and
 * SETO are used rather than PUSHF: they need no stack, so the code is safe
 * with and without a red zone.
 */
#ifndef BULKHEAD_EMULATE_FLAGS_H
#define BULKHEAD_EMULATE_FLAGS_H

#include "emulate/internal.h"

#define FLAGS_ARITHMETIC                                                       \
	(X86_FLAG_CF | X86_FLAG_PF | X86_FLAG_AF | X86_FLAG_ZF | X86_FLAG_SF | \
	 X86_FLAG_OF)

/* To follow an instruction in an asm; the result is in %eax. */
#define ASM_FLAGS "\n\tlahf\n\tseto %%al"

/* The RFLAGS image of what ASM_FLAGS left. */
static inline uint64_t flags_of_asm(uint32_t ax)
{
	return ((ax >> 8) & (FLAGS_ARITHMETIC & ~X86_FLAG_OF)) |
	       (uint64_t)(ax & 1) << 11;
}

static inline void flags_set(struct emul *e, uint64_t mask, uint64_t flags)
{
	e->flags = (e->flags & ~mask) | (flags & mask);
}

static inline void flag_put(struct emul *e, uint64_t flag, bool on)
{
	e->flags = on ? e->flags | flag : e->flags & ~flag;
}

/* SF, ZF and PF of a result, CF, OF and AF clear: AND, OR, AAM ... */
static inline uint64_t flags_of_result(uint64_t value, unsigned size)
{
	uint64_t flags = 0;

	value &= size_mask(size);
	if (!value)
		flags |= X86_FLAG_ZF;
	if (value >> (8 * size - 1))
		flags |= X86_FLAG_SF;
	if (!__builtin_parity((unsigned)value & 0xff))
		flags |= X86_FLAG_PF;
	return flags;
}

/* One instruction on dst and src in each size, with and without a carry in. */
#define ASM_BINARY(size, insn, d, s, ax)                    \
	switch (__builtin_expect(size, 4)) {                \
	case 1:                                             \
		__asm__(insn "b %b[src], %b[dst]" ASM_FLAGS \
			: [dst] "+&q"(d), "=&a"(ax)         \
			: [src] "q"(s)                      \
			: "cc");                            \
		break;                                      \
	case 2:                                             \
		__asm__(insn "w %w[src], %w[dst]" ASM_FLAGS \
			: [dst] "+&r"(d), "=&a"(ax)         \
			: [src] "r"(s)                      \
			: "cc");                            \
		break;                                      \
	case 4:                                             \
		__asm__(insn "l %k[src], %k[dst]" ASM_FLAGS \
			: [dst] "+&r"(d), "=&a"(ax)         \
			: [src] "r"(s)                      \
			: "cc");                            \
		break;                                      \
	default:                                            \
		__asm__(insn "q %q[src], %q[dst]" ASM_FLAGS \
			: [dst] "+&r"(d), "=&a"(ax)         \
			: [src] "r"(s)                      \
			: "cc");                            \
		break;                                      \
	}

#define ASM_BINARY_CARRY(size, insn, d, s, ax, in)     \
	switch (__builtin_expect(size, 4)) {           \
	case 1:                                        \
		__asm__("btl $0, %k[cf]\n\t" insn      \
			"b %b[src], %b[dst]" ASM_FLAGS \
			: [dst] "+&q"(d), "=&a"(ax)    \
			: [src] "q"(s), [cf] "r"(in)   \
			: "cc");                       \
		break;                                 \
	case 2:                                        \
		__asm__("btl $0, %k[cf]\n\t" insn      \
			"w %w[src], %w[dst]" ASM_FLAGS \
			: [dst] "+&r"(d), "=&a"(ax)    \
			: [src] "r"(s), [cf] "r"(in)   \
			: "cc");                       \
		break;                                 \
	case 4:                                        \
		__asm__("btl $0, %k[cf]\n\t" insn      \
			"l %k[src], %k[dst]" ASM_FLAGS \
			: [dst] "+&r"(d), "=&a"(ax)    \
			: [src] "r"(s), [cf] "r"(in)   \
			: "cc");                       \
		break;                                 \
	default:                                       \
		__asm__("btl $0, %k[cf]\n\t" insn      \
			"q %q[src], %q[dst]" ASM_FLAGS \
			: [dst] "+&r"(d), "=&a"(ax)    \
			: [src] "r"(s), [cf] "r"(in)   \
			: "cc");                       \
		break;                                 \
	}

/* A shift or rotate by CL, carry in. */
#define ASM_SHIFT(size, insn, d, count, ax, in)                               \
	switch (__builtin_expect(size, 4)) {                                  \
	case 1:                                                               \
		__asm__("btl $0, %k[cf]\n\t" insn "b %%cl, %b[dst]" ASM_FLAGS \
			: [dst] "+&q"(d), "=&a"(ax)                           \
			: "c"(count), [cf] "r"(in)                            \
			: "cc");                                              \
		break;                                                        \
	case 2:                                                               \
		__asm__("btl $0, %k[cf]\n\t" insn "w %%cl, %w[dst]" ASM_FLAGS \
			: [dst] "+&r"(d), "=&a"(ax)                           \
			: "c"(count), [cf] "r"(in)                            \
			: "cc");                                              \
		break;                                                        \
	case 4:                                                               \
		__asm__("btl $0, %k[cf]\n\t" insn "l %%cl, %k[dst]" ASM_FLAGS \
			: [dst] "+&r"(d), "=&a"(ax)                           \
			: "c"(count), [cf] "r"(in)                            \
			: "cc");                                              \
		break;                                                        \
	default:                                                              \
		__asm__("btl $0, %k[cf]\n\t" insn "q %%cl, %q[dst]" ASM_FLAGS \
			: [dst] "+&r"(d), "=&a"(ax)                           \
			: "c"(count), [cf] "r"(in)                            \
			: "cc");                                              \
		break;                                                        \
	}

/* SHLD and SHRD: 16, 32 and 64 bits only. */
#define ASM_DOUBLE_SHIFT(size, insn, d, s, count, ax)             \
	switch (__builtin_expect(size, 4)) {                      \
	case 2:                                                   \
		__asm__(insn "w %%cl, %w[src], %w[dst]" ASM_FLAGS \
			: [dst] "+&r"(d), "=&a"(ax)               \
			: [src] "r"(s), "c"(count)                \
			: "cc");                                  \
		break;                                            \
	case 4:                                                   \
		__asm__(insn "l %%cl, %k[src], %k[dst]" ASM_FLAGS \
			: [dst] "+&r"(d), "=&a"(ax)               \
			: [src] "r"(s), "c"(count)                \
			: "cc");                                  \
		break;                                            \
	default:                                                  \
		__asm__(insn "q %%cl, %q[src], %q[dst]" ASM_FLAGS \
			: [dst] "+&r"(d), "=&a"(ax)               \
			: [src] "r"(s), "c"(count)                \
			: "cc");                                  \
		break;                                            \
	}

#endif
