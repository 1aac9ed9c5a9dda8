/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets a physical CPU up: its tables, and what protects the monitor.
 *
 * References: SDM volume 3, "Protected-Mode Memory Management", "Task
 * Management", "Interrupt and Exception Handling"; APM volume 2, "Segmented
 * Virtual Memory".
 */
#include "boot/boot.h"

#include "include/errno.h"
#include "include/x86.h"
#include "include/x86_msr.h"
#include "include/x86_state.h"
#include "kernel/host.h"
#include "kernel/mcheck.h"
#include "kernel/trap.h"

/* Descriptors, base 0 and limit 4 GiB where that counts at all. */
#define GDT_KERNEL_CODE 0x00af9b000000ffffULL
#define GDT_KERNEL_DATA 0x00cf93000000ffffULL
#define GDT_USER_DATA	0x00cff3000000ffffULL
#define GDT_USER_CODE	0x00affb000000ffffULL
#define GDT_TSS		0x0000890000000000ULL

#define GDT_TSS_INDEX  (SELECTOR_TSS / 8)
#define GDT_BASE_15_0  MASK(31, 16)
#define GDT_BASE_23_16 MASK(39, 32)
#define GDT_BASE_31_24 MASK(63, 56)

#define CPUID_7_EBX_SMEP BIT(7)
#define CPUID_7_EBX_SMAP BIT(20)
#define CPUID_7_ECX_UMIP BIT(2)
#define CPUID_FEATURES	 7

struct descriptor_pointer {
	uint16_t limit;
	uint64_t base;
} __packed;

static void gdt_build(struct cpu *cpu)
{
	uint64_t base = (uint64_t)&cpu->tss;

	cpu->gdt[0] = 0;
	cpu->gdt[1] = GDT_KERNEL_CODE;
	cpu->gdt[2] = GDT_KERNEL_DATA;
	/* No 32-bit code: what nobody can reach needs no defence. */
	cpu->gdt[SELECTOR_USER_CODE32 / 8] = 0;
	cpu->gdt[4] = GDT_USER_DATA;
	cpu->gdt[5] = GDT_USER_CODE;
	cpu->gdt[GDT_TSS_INDEX] = GDT_TSS | (sizeof(cpu->tss) - 1) |
				  FIELD_PUT(GDT_BASE_15_0, base) |
				  FIELD_PUT(GDT_BASE_23_16, base >> 16) |
				  FIELD_PUT(GDT_BASE_31_24, base >> 24);
	cpu->gdt[GDT_TSS_INDEX + 1] = base >> 32;
}

/* After a reset LDTR is 64 KiB at address 0, which is ring 3's to write. */
static void gdt_load(struct cpu *cpu)
{
	struct descriptor_pointer pointer = { sizeof(cpu->gdt) - 1,
					      (uint64_t)cpu->gdt };

	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "movl %2, %%ss\n\t"
			 "movl %3, %%ds\n\t"
			 "movl %3, %%es\n\t"
			 "movl %3, %%fs\n\t"
			 "movl %3, %%gs\n\t"
			 "lldt %w3\n\t"
			 "ltr %w4"
			 :
			 : "m"(pointer), "i"(SELECTOR_KERNEL_CODE),
			   "r"(SELECTOR_KERNEL_DATA), "r"(0), "r"(SELECTOR_TSS)
			 : "rax", "memory");
}

int trap_stacks_alloc(struct host *host, struct cpu *cpu)
{
	for (unsigned i = 0; i < TRAP_STACKS; i++) {
		cpu->tss.ist[i] = (uint64_t)map_stack_alloc(&host->map);
		if (!cpu->tss.ist[i])
			return -ENOMEM;
	}
	return 0;
}

/* ---- The IDT ------------------------------------------------------------- */

#define IDT_ENTRIES    256
#define ENTRY_STRIDE   16 /* of the stubs in entry.asm */
#define GATE_PRESENT   BIT(15)
#define GATE_INTERRUPT FIELD_PUT(MASK(11, 8), 0xe)
#define GATE_IST       MASK(2, 0)

struct idt_gate {
	uint16_t offset_15_0;
	uint16_t selector;
	uint16_t attributes;
	uint16_t offset_31_16;
	uint32_t offset_63_32;
	uint32_t reserved;
};
ASSERT_SIZE(struct idt_gate, 16);
ASSERT_SIZE(trap_idt, IDT_ENTRIES * sizeof(struct idt_gate));

extern const char trap_entries[];

static unsigned stack_of(unsigned vector)
{
	static const uint8_t stacks[] = {
		[X86_VECTOR_DB] = TRAP_STACK_DB,
		[X86_VECTOR_NMI] = TRAP_STACK_NMI,
		[X86_VECTOR_DF] = TRAP_STACK_DF,
		[X86_VECTOR_MC] = TRAP_STACK_MC,
	};

	return vector < ARRAY_SIZE(stacks) ? stacks[vector] : 0;
}

void trap_build_idt(void)
{
	struct idt_gate *idt = (struct idt_gate *)trap_idt;

	for (unsigned i = 0; i < IDT_ENTRIES; i++) {
		uint64_t entry = (uint64_t)trap_entries + i * ENTRY_STRIDE;

		idt[i] = (struct idt_gate){
			.offset_15_0 = (uint16_t)entry,
			.selector = SELECTOR_KERNEL_CODE,
			.attributes = GATE_PRESENT | GATE_INTERRUPT |
				      FIELD_PUT(GATE_IST, stack_of(i)),
			.offset_31_16 = (uint16_t)(entry >> 16),
			.offset_63_32 = (uint32_t)(entry >> 32),
		};
	}
}

static void idt_load(void)
{
	struct descriptor_pointer pointer = { sizeof(trap_idt) - 1,
					      (uint64_t)trap_idt };

	__asm__ volatile("lidt %0" : : "m"(pointer));
}

/* ---- All of it ----------------------------------------------------------- */

/*
 * What firmware left on for ring 3 goes.  WRGSBASE there would defeat the
 * entries that look at the GS base.
 */
#define CR4_NOT_FOR_RING_3 (X86_CR4_FSGSBASE | X86_CR4_PCE)

static void cpu_protections_enable(struct cpu *cpu)
{
	struct cpuid_regs features = cpuid_leaf(CPUID_FEATURES, 0);
	uint64_t cr4 = cr4_read() & ~CR4_NOT_FOR_RING_3;

	msr_write(MSR_EFER, msr_read(MSR_EFER) | X86_EFER_NXE);
	cr0_write((cr0_read() | X86_CR0_WP | X86_CR0_NE | X86_CR0_MP) &
		  ~(X86_CR0_EM | X86_CR0_TS | X86_CR0_CD | X86_CR0_NW));
	cr4 |= (features.ebx & CPUID_7_EBX_SMEP ? X86_CR4_SMEP : 0) |
	       (features.ebx & CPUID_7_EBX_SMAP ? X86_CR4_SMAP : 0) |
	       (features.ecx & CPUID_7_ECX_UMIP ? X86_CR4_UMIP : 0);
	cr4_write(cr4);
	cpu->has_smap = cr4 & X86_CR4_SMAP;
}

void cpu_init(struct cpu *cpu)
{
	cpu->self = cpu;
	cpu->entry_stack_top =
		(uint64_t)(cpu->entry_stack + ARRAY_SIZE(cpu->entry_stack));
	cpu->tss.io_map = sizeof(cpu->tss); /* no port for ring 3 */
	gdt_build(cpu);
	gdt_load(cpu);
	msr_write(MSR_GS_BASE, (uint64_t)cpu);
	msr_write(MSR_KERNEL_GS_BASE, 0);
	idt_load();
	cpu_protections_enable(cpu);
	mcheck_init_cpu();
}
