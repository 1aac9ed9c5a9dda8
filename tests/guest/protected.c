/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 32-bit protected mode without paging: segments with a base, exceptions,
 * ring 3 and back, virtual-8086 mode, hardware task switches.
 */
#include "tests/guest/lib/modes.h"

#include "lib/string.h"

/* Of protected_code.asm. */
void protected_segments(void);
void protected_exceptions(void);
void protected_ring3(void);
void protected_v86(void);
void protected_tasks(void);
extern volatile uint32_t results[32];
extern char task_code[], task_stack[];

#define SEL_DATA_BASED SEL_SPARE
#define SEL_TASK       (SEL_SPARE + 8)
#define BASE	       0x200000

struct tss32 {
	uint32_t link;
	uint32_t esp0, ss0, esp1, ss1, esp2, ss2;
	uint32_t cr3, eip, eflags;
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs, ldtr;
	uint16_t trap, io_map;
} __packed;
ASSERT_SIZE(struct tss32, 104);

static struct tss32 tss, task;
static uint8_t stack0[4096] __aligned(16);

static uint64_t tss_descriptor(const struct tss32 *at)
{
	uint64_t base = (uint64_t)at;

	return (sizeof(*at) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
	       base >> 24 << 56;
}

static void tables_fill(void)
{
	tss.esp0 = (uint32_t)(uint64_t)(stack0 + sizeof(stack0));
	tss.ss0 = SEL_DATA;
	tss.io_map = sizeof(tss);
	task = tss;
	task.eip = (uint32_t)(uint64_t)task_code;
	task.eflags = X86_FLAG_ONE;
	task.esp = (uint32_t)(uint64_t)task_stack;
	task.ebx = 0xb0b0b0b0;
	task.cs = SEL_CODE32;
	task.es = task.ss = task.ds = task.fs = task.gs = SEL_DATA;
	boot_gdt[SEL_TSS / 8] = tss_descriptor(&tss);
	boot_gdt[SEL_TASK / 8] = tss_descriptor(&task);
	boot_gdt[SEL_DATA_BASED / 8] = 0x00cf93000000ffff | (uint64_t)BASE
								    << 16;
}

static void test_exceptions(void)
{
	mode32_run(protected_exceptions, 0, 0, 0);
	check_equal("ud", results[0], X86_VECTOR_UD);
	check_equal("gp", results[1], X86_VECTOR_GP);
	check_equal("gp-error-code", results[2], 0x7f8);
	check_equal("de", results[3], X86_VECTOR_DE);
	check_equal("of-by-into", results[4], X86_VECTOR_OF);
	check_equal("br-by-bound", results[5], X86_VECTOR_BR);
}

static void test_ring3(void)
{
	mode32_run(protected_ring3, 0, 0, 0);
	check_equal("ring3-int", results[0], 0x80);
	check_equal("ring3-cs", results[1], SEL_USER32 | RPL_USER);
	check_equal("ring3-ss", results[2], SEL_USER_DATA | RPL_USER);
	check_equal("ring3-cli", results[3], X86_VECTOR_GP);
	check_equal("ring3-in", results[4], X86_VECTOR_GP);
	check_equal("ring3-hlt", results[5], X86_VECTOR_GP);
}

static void test_v86(void)
{
	/* mov ax, 0x1234; mov [0x10], ax; hlt: the last is not allowed. */
	static const uint8_t code[] = {
		0xb8, 0x34, 0x12, 0xa3, 0x10, 0x00, 0xf4
	};

	memcpy((void *)MODE16_CODE, code, sizeof(code));
	*(volatile uint16_t *)0x9010 = 0;
	mode32_run(protected_v86, 0, 0, 0);
	check_equal("v86-ends-in-gp", results[0], X86_VECTOR_GP);
	check_equal("v86-flag", results[1] & X86_FLAG_VM, X86_FLAG_VM);
	check_equal("v86-ip", results[2], 6);
	check_equal("v86-write", *(volatile uint16_t *)0x9010, 0x1234);
}

static void test_tasks(void)
{
	mode32_run(protected_tasks, 0, 0, 0);
	check_equal("task-ran", results[0], 0xb0b0b0b0);
	check_equal("task-nt", results[1] & X86_FLAG_NT, X86_FLAG_NT);
	check_equal("task-returned", results[2], 0xc0de);
	check_equal("task-link", task.link & 0xffff, SEL_TSS);
	check_equal("task-ts", results[3] & X86_CR0_TS, X86_CR0_TS);
}

void guest_main(void)
{
	modes_init();
	tables_fill();
	mode32_run(protected_segments, 0, 0, 0);
	check_equal("segment-base", *(volatile uint32_t *)(BASE + 0x10),
		    0xfeedface);
	check_equal("segment-base-read", results[0], 0xfeedface);
	check_equal("cpuid-in-32-bit", results[1], cpuid(0, 0).ebx);
	check_equal("mmio-in-32-bit", results[2], lapic_read(LAPIC_VERSION));
	check_equal("port-in-32-bit", results[3], 0xffff);
	test_exceptions();
	test_ring3();
	test_v86();
	test_tasks();
}
