/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that never end, or that end the machine: exceptions that raise
 * themselves, endless loops, triple faults, resets.
 *
 * References: CVE-2015-5307 (#AC), CVE-2015-8104 (#DB).
 */
#include "tests/hostile/guests/bad.h"

#include "include/x86_state.h"
#include "tests/guest/lib/modes.h"

#define RESTARTS   4
#define RESET_PORT 0xcf9
#define RESET_FULL 0x06
#define KEYBOARD   0x64
#define PULSE_A20  0xfe

/* bad_code.asm */
void acloop_code(void);
void lme_code(void);
extern char ac_handler[], db_handler[];
extern uint64_t idt32[256];

/* ---- Exceptions in the delivery of themselves --------------------------- */

/* #AC whose handler, in ring 3 on a misaligned stack, cannot be entered. */
static void acloop(unsigned id)
{
	uint64_t handler = (uint64_t)ac_handler;

	(void)id;
	modes_init();
	idt32[X86_VECTOR_AC] = (handler & 0xffff) |
			       (uint64_t)(SEL_USER32 | RPL_USER) << 16 |
			       0xee00ull << 32 | (handler >> 16) << 48;
	mode32_run(acloop_code, 0, 0, 0);
}

static uint64_t db_stack[512] __aligned(64);

struct tss64 {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint8_t reserved2[12];
} __packed;
ASSERT_SIZE(struct tss64, 104);

static struct tss64 db_tss;

#define TSS_AVAILABLE 0x89ull
#define GATE_IST1     (1ull << 32)
#define DR7_WATCH     (0x400 | 2 | 1 << 16 | 2 << 18) /* DR0: write, 8 bytes */

static void db_prepare(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __packed idtr;
	uint64_t base = (uint64_t)&db_tss, at = (uint64_t)db_handler;
	uint64_t *gate;

	db_tss.ist[0] = (uint64_t)&db_stack[512];
	boot_gdt[SEL_SPARE / 8] =
		(sizeof(db_tss) - 1) | (base & 0xffffff) << 16 |
		TSS_AVAILABLE << 40 | (base >> 24 & 0xff) << 56;
	boot_gdt[SEL_SPARE / 8 + 1] = base >> 32;
	__asm__ volatile("ltr %w0" ::"r"(SEL_SPARE));
	__asm__ volatile("sidt %0" : "=m"(idtr));
	gate = (uint64_t *)(idtr.base + X86_VECTOR_DB * 16);
	gate[0] = (at & 0xffff) | SEL_CODE64 << 16 | GATE_IST1 |
		  0x8e00ull << 32 | (at >> 16 & 0xffff) << 48;
	gate[1] = at >> 32;
}

/* A data breakpoint on the stack that #DB is delivered on. */
static void dbloop(unsigned id)
{
	uint64_t watch = (uint64_t)&db_stack[511];

	/* One TSS: the first to come has it. */
	if (id > 1)
		return;
	db_prepare();
	__asm__ volatile("mov %0, %%dr0" ::"r"(watch));
	__asm__ volatile("mov %0, %%dr7" ::"r"((uint64_t)DR7_WATCH));
	*(volatile uint64_t *)watch = 1;
}

/* EFER.LME with PAE and PG clear, then exits. */
static void lme(unsigned id)
{
	(void)id;
	modes_init();
	while (!over(0))
		mode32_run(lme_code, 0, 0, 0);
}

/* ---- Endless ------------------------------------------------------------ */

static void spin(unsigned id)
{
	while (!over(id))
		;
}

/* HLT that nothing ends. */
static void dead(unsigned id)
{
	(void)id;
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* Page faults in the nested tables, one after the other. */
static void touch(unsigned id)
{
	uint64_t at = 0x80000000ull + id * PAGE_SIZE;

	while (!over(id)) {
		(void)*(volatile uint32_t *)at;
		at += PAGE_SIZE;
		if (at >= 0xfe000000ull)
			at = 0x80000000ull;
	}
}

/* ---- The end, again and again -------------------------------------------- */

static void triple_fault(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __packed none = { 0, 0 };

	__asm__ volatile("lidt %0; ud2" : : "m"(none));
}

static bool ends_here(unsigned id)
{
	static uint32_t count;

	if (id == 0) {
		count = restarts();
		print("restart %u\n", count);
	}
	return count >= RESTARTS;
}

/* The last processor to come triple-faults, or the only one. */
static void triple(unsigned id)
{
	static volatile uint32_t counted;

	if (id == 0) {
		if (ends_here(id))
			return;
		counted = 1;
	}
	while (!counted)
		__asm__ volatile("pause");
	if (ends_here(id ? id : 1) && id)
		return;
	triple_fault();
}

/* The keyboard's and the chipset's reset from every processor. */
static void reboot(unsigned id)
{
	static volatile uint32_t counted;

	if (id == 0) {
		if (ends_here(id))
			return;
		counted = 1;
	}
	while (!counted)
		__asm__ volatile("pause");
	for (;;) {
		out8(KEYBOARD, PULSE_A20);
		out8(RESET_PORT, RESET_FULL);
	}
}

const struct bad loop_attacks[] = {
	{ "acloop", acloop, true },
	{ "dbloop", dbloop, true },
	{ "lme", lme, true },
	{ "spin", spin, false },
	{ "dead", dead, true },
	{ "touch", touch, false },
	{ "triple", triple, false },
	{ "reboot", reboot, false },
	{ 0 },
};
