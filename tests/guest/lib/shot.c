/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shots: tables and defaults; the way in and out is assembly.
 */
#include "tests/guest/lib/shot.h"

#include "lib/string.h"

uint64_t shot_gdt[128] __aligned(16);
uint64_t shot_idt[256][2] __aligned(16);
struct shot_tss shot_tss __aligned(256);

/* Of shot.asm. */
extern struct shot shot_now;
extern char shot_stubs[], shot_ist_top[];
void shot_go32(void);
void shot_go64(void);

#define STUB_SIZE	 16
#define BOOT_GDT_ENTRIES 17
#define CR0_DEFAULT	 0x33 /* NE ET MP PE */
#define ACCESS_TSS32	 0x89
#define ACCESS_GATE	 0x8e
#define ACCESS_GATE_USER 0xee
#define END_IST		 1
#define SEL_AFTER	 0x90 /* a TSS to leave with */

uint64_t descriptor(uint64_t base, uint32_t limit, unsigned access,
		    unsigned flags)
{
	return (limit & 0xffff) | (base & 0xffffff) << 16 |
	       (uint64_t)access << 40 | (uint64_t)(limit >> 16 & 15) << 48 |
	       (uint64_t)flags << 52 | (base >> 24 & 0xff) << 56;
}

uint64_t gate(uint16_t selector, uint32_t offset, unsigned access,
	      unsigned count)
{
	return (offset & 0xffff) | (uint64_t)selector << 16 |
	       (uint64_t)count << 32 | (uint64_t)access << 40 |
	       (uint64_t)(offset >> 16) << 48;
}

static void registers_reset(struct shot *s)
{
	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < 8; i++)
		s->gpr[i] = 0x11110000u * (i + 1);
	s->gpr[SHOT_ESP] = SHOT_STACK;
	s->rip = SHOT_CODE;
	s->flags = X86_FLAG_ONE;
	s->cr0 = CR0_DEFAULT;
	for (unsigned i = 0; i < 6; i++)
		s->seg[i] = SEL_DATA;
	s->tr = SEL_TSS;
}

static void tables_reset(void)
{
	memset(shot_gdt, 0, sizeof(shot_gdt));
	memcpy(shot_gdt, boot_gdt, BOOT_GDT_ENTRIES * 8);
	memset(&shot_tss, 0, sizeof(shot_tss));
	memset((void *)SHOT_DATA, 0, SHOT_STACK2 - SHOT_DATA);
	shot_gdt[SEL_TSS / 8] = descriptor(
		(uint64_t)&shot_tss, sizeof(shot_tss) - 1, ACCESS_TSS32, 0);
	shot_gdt[SEL_TSS / 8 + 1] = 0;
	shot_gdt[SEL_AFTER / 8] = shot_gdt[SEL_TSS / 8];
}

void shot_reset32(struct shot *s)
{
	registers_reset(s);
	tables_reset();
	s->seg[SHOT_CS] = SEL_CODE32;
	shot_tss.legacy.esp0 = SHOT_STACK0;
	shot_tss.legacy.ss0 = SEL_DATA;
	shot_tss.legacy.io_map = sizeof(struct tss32);
	/* The bitmap forbids everything, and ends as it should. */
	memset(shot_tss.io_map, 0xff, sizeof(shot_tss.io_map));
	modes_init();
}

/* Level 3 may use the shot's pages and no others. */
static void pages_reset(void)
{
	boot_pml4[0] |= PTE_U;
	boot_pdpt[0] |= PTE_U;
	for (uint64_t at = SHOT_CODE; at <= SHOT_STACK2; at += PAGE_SIZE)
		*page_entry(at) = at | PTE_P | PTE_W | PTE_U;
	boot_pd[0] |= PTE_U;
	WRITE_CR(3, READ_CR(3));
}

void shot_reset64(struct shot *s)
{
	pages_reset();
	registers_reset(s);
	tables_reset();
	s->seg[SHOT_CS] = SEL_CODE64;
	s->cr0 = READ_CR(0);
	s->cr4 = READ_CR(4);
	shot_tss.wide.rsp[0] = SHOT_STACK0;
	shot_tss.wide.rsp[1] = SHOT_STACK1;
	shot_tss.wide.rsp[2] = SHOT_STACK2;
	shot_tss.wide.ist[END_IST - 1] = (uint64_t)shot_ist_top;
	shot_tss.wide.io_map = sizeof(struct tss64);
	memset(shot_tss.io_map, 0xff, sizeof(shot_tss.io_map));
	/* A stack of its own: a shot's may be no good. */
	for (unsigned i = 0; i < 256; i++) {
		uint64_t stub = (uint64_t)shot_stubs + STUB_SIZE * i;

		shot_idt[i][0] = gate(
			SEL_CODE64, (uint32_t)stub,
			i >= 0x80 ? ACCESS_GATE_USER : ACCESS_GATE, END_IST);
		shot_idt[i][1] = stub >> 32;
	}
}

void shot_user(struct shot *s)
{
	bool is_64 = s->seg[SHOT_CS] == SEL_CODE64;

	for (unsigned i = 0; i < 6; i++)
		s->seg[i] = SEL_USER_DATA | RPL_USER;
	s->seg[SHOT_CS] = (is_64 ? SEL_USER64 : SEL_USER32) | RPL_USER;
}

static void code_put(const void *code, unsigned length)
{
	static const uint8_t end[] = { SHOT_INT };

	memcpy((void *)(uint64_t)SHOT_CODE, code, length);
	memcpy((void *)(uint64_t)SHOT_TARGET, end, sizeof(end));
}

void shot_run32(struct shot *s, const void *code, unsigned length)
{
	code_put(code, length);
	shot_now = *s;
	mode32_run(shot_go32, (uint32_t)s->cr3, (uint32_t)s->cr4,
		   (uint32_t)s->efer);
	*s = shot_now;
}

void shot_run64(struct shot *s, const void *code, unsigned length)
{
	uint64_t cr0 = READ_CR(0), cr4 = READ_CR(4);

	code_put(code, length);
	shot_now = *s;
	shot_go64();
	*s = shot_now;
	WRITE_CR(0, cr0);
	WRITE_CR(4, cr4);
}

static void name_add(char *to, size_t size, const char *part)
{
	size_t length = strlen(to);

	for (; *part && length + 1 < size; part++)
		to[length++] = *part;
	to[length] = 0;
}

void shot_expect(const char *group, const char *name, const char *what,
		 uint64_t got, uint64_t want)
{
	char full[80] = "";

	name_add(full, sizeof(full), group);
	if (*name) {
		name_add(full, sizeof(full), "-");
		name_add(full, sizeof(full), name);
	}
	if (*what) {
		name_add(full, sizeof(full), "-");
		name_add(full, sizeof(full), what);
	}
	check_equal(full, got, want);
}

void shot_expect_end(const char *group, const char *name, const struct shot *s,
		     uint64_t vector, uint64_t error)
{
	/* As one number, for one line. */
	shot_expect(group, name, "", s->vector << 32 | s->error,
		    vector << 32 | error);
}

bool is_intel(void)
{
	/* "Genu" */
	return cpuid(0, 0).ebx == 0x756e6547;
}
