/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One shot of code: a few bytes run with chosen registers, at a chosen level
 * and in a chosen mode, until an exception or interrupt ends them; then what
 * the registers are.  The code is bytes of the test; INT 81h ends it well.
 *
 * All of it lies below 64 KiB, where code, data and stacks of every mode can
 * reach it.
 */
#ifndef BULKHEAD_TESTS_SHOT_H
#define BULKHEAD_TESTS_SHOT_H

#include "tests/guest/lib/modes.h"
#include "tests/guest/lib/tss.h"

#define SHOT_CODE   0x8000u /* copied to here; SHOT_TARGET: only INT 81h */
#define SHOT_TARGET 0x8800u
#define SHOT_DATA   0x9000u /* two pages */
#define SHOT_STACK  0xc000u /* the tops of a page each: the code's own ... */
#define SHOT_STACK0 0xd000u /* ... and those of the inner levels in the TSS */
#define SHOT_STACK1 0xe000u
#define SHOT_STACK2 0xf000u
#define SHOT_END    0x81 /* the vector */
#define SHOT_INT    0xcd, SHOT_END

enum shot_gpr {
	SHOT_EAX,
	SHOT_ECX,
	SHOT_EDX,
	SHOT_EBX,
	SHOT_ESP,
	SHOT_EBP,
	SHOT_ESI,
	SHOT_EDI,
};

enum shot_seg { SHOT_ES, SHOT_CS, SHOT_SS, SHOT_DS, SHOT_FS, SHOT_GS };

/* shot.asm knows the offsets. */
struct shot {
	/* Before and after */
	uint64_t gpr[8];
	uint64_t r11;
	uint64_t rip;
	uint64_t flags;
	uint64_t seg[6];
	uint64_t tr, ldtr;
	uint64_t cr0;
	/* Before: CR4, and where not long mode CR3 and EFER */
	uint64_t cr4, cr3, efer;
	/* After */
	uint64_t vector, error;
	uint64_t cr2;
	uint64_t frame; /* where the last trap's frame was: its RIP */
};
ASSERT_SIZE(struct shot, 8 * 27);

/* The GDT of shots: boot_gdt's, a TSS, then the test's from SEL_SHOT on. */
extern uint64_t shot_gdt[128];
#define SEL_SHOT(n) (0x100u + 8 * (n))
/* The TSS that a shot starts with, and its I/O bitmap. */
struct shot_tss {
	union {
		struct tss32 legacy;
		struct tss64 wide;
	};
	uint8_t io_map[256];
};
extern struct shot_tss shot_tss;
/* The IDT of 64-bit shots, and that of the others. */
extern uint64_t shot_idt[256][2];
extern uint64_t idt32[256];

/*
 * GDT, TSS, IDTs and s as they are by default: 32-bit code of level 0 without
 * paging, or 64-bit code.
 */
void shot_reset32(struct shot *s);
void shot_reset64(struct shot *s);
/* From here at level 3. */
void shot_user(struct shot *s);
void shot_run32(struct shot *s, const void *code, unsigned length);
void shot_run64(struct shot *s, const void *code, unsigned length);
#define SHOT32(s, ...)                                            \
	shot_run32(s, (const uint8_t[]){ __VA_ARGS__, SHOT_INT }, \
		   sizeof((const uint8_t[]){ __VA_ARGS__, SHOT_INT }))
#define SHOT64(s, ...)                                            \
	shot_run64(s, (const uint8_t[]){ __VA_ARGS__, SHOT_INT }, \
		   sizeof((const uint8_t[]){ __VA_ARGS__, SHOT_INT }))

/* A result: pass or fail with the name made of a group's and the row's. */
void shot_expect(const char *group, const char *name, const char *what,
		 uint64_t got, uint64_t want);
/* The vector, and its error code if it has one. */
void shot_expect_end(const char *group, const char *name, const struct shot *s,
		     uint64_t vector, uint64_t error);

/* Descriptors.  access: the byte with P, DPL and type; flags: G, DB, L, AVL. */
#define DESC_G	0x8
#define DESC_DB 0x4
#define DESC_L	0x2
uint64_t descriptor(uint64_t base, uint32_t limit, unsigned access,
		    unsigned flags);
uint64_t gate(uint16_t selector, uint32_t offset, unsigned access,
	      unsigned count);
/* bytes of a word or a double word, for code */
#define LE16(v) (uint8_t)(v), (uint8_t)((v) >> 8)
#define LE32(v) LE16(v), LE16((v) >> 16)

/* Guest memory by its address, low ones too, which GCC takes for NULL. */
static inline volatile void *at_address(uint64_t at)
{
	__asm__("" : "+r"(at));
	return (volatile void *)at;
}

static inline uint32_t peek32(uint64_t at)
{
	return *(volatile uint32_t *)at_address(at);
}

static inline uint16_t peek16(uint64_t at)
{
	return *(volatile uint16_t *)at_address(at);
}

static inline uint64_t peek64(uint64_t at)
{
	return *(volatile uint64_t *)at_address(at);
}

static inline void poke32(uint64_t at, uint32_t value)
{
	*(volatile uint32_t *)at_address(at) = value;
}

static inline void poke64(uint64_t at, uint64_t value)
{
	*(volatile uint64_t *)at_address(at) = value;
}

/* CPUID's vendor decides where the manuals do. */
bool is_intel(void);

#endif
