/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small PC without devices for the emulator's tests: 1 MiB of RAM, tables
 * at fixed places, and a state for each mode to start from.
 */
#ifndef BULKHEAD_TESTS_EMULATE_TEST_H
#define BULKHEAD_TESTS_EMULATE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "include/emulate.h"

#define RAM_SIZE 0x100000UL
#define CODE	 0x10000UL
#define GDT	 0x20000UL
#define LDT	 0x21000UL
#define IDT	 0x22000UL
#define TSS	 0x23000UL
#define TSS2	 0x24000UL
#define STACK	 0x30000UL
#define STACK0	 0x31000UL /* of level 0, in the TSS */
#define DATA	 0x40000UL
#define TABLES	 0x50000UL
#define HANDLER	 0x60000UL

/* Selectors */
#define CODE0	0x08
#define DATA0	0x10
#define CODE3	0x1b
#define DATA3	0x23
#define CODE64	0x28
#define CODE64U 0x3b /* 0x38, behind DATA3U as SYSRET wants them */
#define DATA3U	0x33
#define TSS_SEL 0x40
#define TSS2SEL 0x50
#define GATE	0x60
#define LDT_SEL 0x70
#define RO_DATA 0x80
#define CONFORM 0x88
#define CODE16	0x90
#define DATA16	0x98

struct pc {
	uint8_t ram[RAM_SIZE] __aligned(4096);
	struct x86_state state;
	struct x86_xstate xstate;
	struct emul emul;
	unsigned flushes;
	uint16_t port;
	uint32_t port_value;
	unsigned port_count;
};

static struct pc pc;

static enum emul_status pc_cr(void *ctx, unsigned cr, uint64_t value)
{
	(void)ctx;
	(void)cr;
	(void)value;
	return EMUL_OK;
}

static enum emul_status pc_io(void *ctx, uint16_t port, unsigned size,
			      bool is_write, uint32_t *data)
{
	(void)ctx;
	(void)size;
	pc.port = port;
	pc.port_count++;
	if (is_write)
		pc.port_value = *data;
	else
		*data = pc.port_value;
	return EMUL_OK;
}

static void pc_flush(void *ctx, enum emul_flush what, uint64_t linear)
{
	(void)ctx;
	(void)what;
	(void)linear;
	pc.flushes++;
}

static const struct emul_ops pc_ops = {
	.cr_write = pc_cr,
	.io = pc_io,
	.flush = pc_flush,
};

static inline void put(uint64_t at, uint64_t value, unsigned size)
{
	memcpy(pc.ram + at, &value, size);
}

static inline uint64_t get(uint64_t at, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, pc.ram + at, size);
	return value;
}

/* A descriptor; access: type, S, DPL, P; flags: AVL, L, DB, G. */
static inline uint64_t descriptor(uint32_t base, uint32_t limit, uint8_t access,
				  uint8_t flags)
{
	return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 |
	       (uint64_t)access << 40 | (uint64_t)(limit >> 16 & 15) << 48 |
	       (uint64_t)flags << 52 | (uint64_t)(base >> 24) << 56;
}

static inline uint64_t gate(uint16_t selector, uint32_t offset, uint8_t access,
			    uint8_t count)
{
	return (offset & 0xffff) | (uint64_t)selector << 16 |
	       (uint64_t)count << 32 | (uint64_t)access << 40 |
	       (uint64_t)(offset >> 16) << 48;
}

static inline void gdt_put(uint16_t selector, uint64_t value)
{
	put(GDT + (selector & ~7U), value, 8);
}

#define FLAT 0xfffff
#define G_DB 0xc
#define G_L  0xa

static inline void pc_tables(void)
{
	gdt_put(CODE0, descriptor(0, FLAT, 0x9a, G_DB));
	gdt_put(DATA0, descriptor(0, FLAT, 0x92, G_DB));
	gdt_put(CODE3, descriptor(0, FLAT, 0xfa, G_DB));
	gdt_put(DATA3, descriptor(0, FLAT, 0xf2, G_DB));
	gdt_put(CODE64, descriptor(0, FLAT, 0x9a, G_L));
	gdt_put(CODE64U, descriptor(0, FLAT, 0xfa, G_L));
	gdt_put(DATA3U, descriptor(0, FLAT, 0xf2, G_DB));
	gdt_put(TSS_SEL, descriptor(TSS, 0x2000, 0x8b, 0));
	gdt_put(TSS2SEL, descriptor(TSS2, 0x67, 0x89, 0));
	gdt_put(LDT_SEL, descriptor(LDT, 0xff, 0x82, 0));
	gdt_put(RO_DATA, descriptor(0, FLAT, 0xf0, G_DB));
	gdt_put(CONFORM, descriptor(0, FLAT, 0x9e, G_DB));
	gdt_put(CODE16, descriptor(CODE, 0xffff, 0x9a, 0));
	gdt_put(DATA16, descriptor(STACK, 0xffff, 0x92, 0));
	put(TSS + 4, STACK0, 4);
	put(TSS + 8, DATA0, 4);
}

static inline void segment_set(unsigned seg, uint16_t selector)
{
	uint64_t raw = get(GDT + (selector & ~7U), 8);

	pc.state.seg[seg] = (struct x86_segment){
		.selector = selector,
		.attributes = (uint16_t)((raw >> 40 & 0xff) |
					 (raw >> 44 & 0xf00) | 1),
		.limit = 0xffffffff,
	};
}

/* 32-bit protected mode, flat, at level cpl. */
static inline void pc_protected(unsigned cpl)
{
	struct x86_state *s = &pc.state;

	memset(&pc, 0, sizeof(pc));
	emul_init(&pc.emul, s, &pc_ops, NULL);
	pc.emul.xstate = &pc.xstate;
	pc.emul.window[0] =
		(struct emul_window){ .size = RAM_SIZE, .host = pc.ram };
	pc_tables();
	s->valid = ~0U;
	s->cr0 = X86_CR0_PE | X86_CR0_ET;
	s->rflags = X86_FLAG_ONE;
	s->cpl = (uint8_t)cpl;
	s->rip = CODE;
	s->gpr[X86_RSP] = STACK + 0x800;
	segment_set(X86_CS, cpl ? CODE3 : CODE0);
	for (unsigned i = 0; i < X86_SEG_COUNT; i++)
		if (i != X86_CS)
			segment_set(i, cpl ? DATA3 : DATA0);
	s->gdtr = (struct x86_segment){ .base = GDT, .limit = 0xff };
	s->idtr = (struct x86_segment){ .base = IDT, .limit = 0xfff };
	s->tr = (struct x86_segment){ TSS_SEL, 0x8b, 0x2000, TSS };
}

static inline void pc_real(void)
{
	struct x86_state *s = &pc.state;

	pc_protected(0);
	s->cr0 = X86_CR0_ET;
	for (unsigned i = 0; i < X86_SEG_COUNT; i++)
		s->seg[i] = (struct x86_segment){ .attributes = 0x93,
						  .limit = 0xffff };
	s->seg[X86_CS].selector = CODE >> 4;
	s->seg[X86_CS].base = CODE;
	s->seg[X86_SS].selector = STACK >> 4;
	s->seg[X86_SS].base = STACK;
	s->rip = 0;
	s->gpr[X86_RSP] = 0x800;
	s->idtr = (struct x86_segment){ .base = 0, .limit = 0x3ff };
}

#define PTE_RWU 7UL

/* 64-bit mode, RAM mapped one to one by 4 KiB pages that user mode may use. */
static inline void pc_long(unsigned cpl)
{
	struct x86_state *s = &pc.state;

	pc_protected(cpl);
	put(TABLES, (TABLES + 0x1000) | PTE_RWU, 8);
	put(TABLES + 0x1000, (TABLES + 0x2000) | PTE_RWU, 8);
	put(TABLES + 0x2000, (TABLES + 0x3000) | PTE_RWU, 8);
	for (unsigned i = 0; i < RAM_SIZE >> 12; i++)
		put(TABLES + 0x3000 + 8 * i, (uint64_t)i << 12 | PTE_RWU, 8);
	s->cr0 |= X86_CR0_PG | X86_CR0_WP;
	s->cr3 = TABLES;
	s->cr4 = X86_CR4_PAE | X86_CR4_OSFXSR;
	s->efer = X86_EFER_LME | X86_EFER_LMA | X86_EFER_NXE | X86_EFER_SCE;
	segment_set(X86_CS, cpl ? CODE64U : CODE64);
}

static inline uint64_t pte_at(uint64_t linear)
{
	return TABLES + 0x3000 + (linear >> 12) * 8;
}

static inline void code(const void *bytes, size_t n)
{
	uint64_t at = pc.state.rip + pc.state.seg[X86_CS].base;

	memset(pc.ram + at, 0x90, 16);
	memcpy(pc.ram + at, bytes, n);
}

/* Run one instruction given as bytes. */
#define STEP(...)                                             \
	({                                                    \
		const uint8_t step_bytes[] = { __VA_ARGS__ }; \
		code(step_bytes, sizeof(step_bytes));         \
		emul_step(&pc.emul);                          \
	})

#define assert_fault(status, v, code)                                     \
	do {                                                              \
		assert_int_equal(status, EMUL_FAULT);                     \
		assert_int_equal(pc.emul.fault.vector, v);                \
		if (pc.emul.fault.has_error_code)                         \
			assert_int_equal(pc.emul.fault.error_code, code); \
	} while (0)

#endif
