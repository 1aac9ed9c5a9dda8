/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tiny guests' runtime.  Reports go to COM1, or where none answers to port
 * E9h; the guest ends through the ISA debug exit port.
 */
#include "tests/guest/lib/guest.h"

#include "lib/printf.h"
#include "lib/string.h"

#define COM1	     0x3f8
#define COM1_SCRATCH (COM1 + 7)
#define COM1_LSR     (COM1 + 5)
#define LSR_THRE     BIT(5)
#define DEBUG_PORT   0xe9
#define EXIT_PORT    0xf4

#define PIC1	 0x20
#define PIC2	 0xa0
#define PIC_EOI	 0x20
#define PIC_ICW1 0x11
#define PIC_8086 0x01

struct trap_info trap_last;
volatile uint32_t irq_count;

static struct {
	bool has_com1;
	bool has_failed;
	void (*hook[256])(struct trap_frame *);
} runtime;

/* Of start.asm. */
extern char stubs[];
extern char trap_resume[];
extern volatile uint64_t trap_stack;
extern volatile uint32_t trap_vector;
void guest_start(void);
void guest_trap(struct trap_frame *frame);

/* ---- Reporting ----------------------------------------------------------- */

static void print_char(char c)
{
	if (!runtime.has_com1) {
		out8(DEBUG_PORT, (uint8_t)c);
		return;
	}
	for (unsigned i = 0; i < 100000 && !(in8(COM1_LSR) & LSR_THRE); i++)
		;
	out8(COM1, (uint8_t)c);
}

static void print_list(const char *format, va_list args)
{
	char text[256];

	(void)vsnprintf(text, sizeof(text), format, args);
	for (const char *p = text; *p; p++)
		print_char(*p);
}

void print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_list(format, args);
	va_end(args);
}

void pass(const char *name)
{
	print("PASS %s\n", name);
}

void fail(const char *name, const char *format, ...)
{
	va_list args;

	runtime.has_failed = true;
	print("FAIL %s: ", name);
	va_start(args, format);
	print_list(format, args);
	va_end(args);
	print("\n");
}

void skip(const char *name, const char *why)
{
	print("SKIP %s: %s\n", name, why);
}

void check_equal(const char *name, uint64_t got, uint64_t want)
{
	if (got == want)
		pass(name);
	else
		fail(name, "%#llx, not %#llx", (unsigned long long)got,
		     (unsigned long long)want);
}

void check(const char *name, bool is_good)
{
	if (is_good)
		pass(name);
	else
		fail(name, "it is not so");
}

bool is_bulkhead(void)
{
	struct cpuid r = cpuid(0x40000000, 0);

	/* "Bulk" */
	return cpuid(1, 0).ecx & BIT(31) && r.ebx == 0x6b6c7542;
}

/* The simulator's exit status is twice that plus 1. */
void guest_end(void)
{
	print("END\n");
	out8(EXIT_PORT, runtime.has_failed ? 1 : 0);
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* ---- Traps --------------------------------------------------------------- */

static void trap_panic(const struct trap_frame *frame)
{
	print("FAIL trap: unexpected vector %llu error %#llx rip %#llx "
	      "cr2 %#llx\n",
	      (unsigned long long)frame->vector,
	      (unsigned long long)frame->error, (unsigned long long)frame->rip,
	      (unsigned long long)READ_CR(2));
	runtime.has_failed = true;
	guest_end();
}

void guest_trap(struct trap_frame *frame)
{
	if (runtime.hook[frame->vector]) {
		runtime.hook[frame->vector](frame);
		return;
	}
	if (!trap_stack)
		trap_panic(frame);
	trap_last = (struct trap_info){ .vector = frame->vector,
					.error = frame->error,
					.rip = frame->rip,
					.cr2 = READ_CR(2),
					.count = trap_last.count + 1 };
	trap_vector = (uint32_t)frame->vector;
	frame->rip = (uint64_t)trap_resume;
	frame->rsp = trap_stack;
	frame->cs = SEL_CODE64;
	frame->ss = SEL_DATA;
	frame->rflags = X86_FLAG_ONE;
}

void trap_hook(unsigned vector, void (*hook)(struct trap_frame *))
{
	runtime.hook[vector] = hook;
}

static void count_lapic(struct trap_frame *frame)
{
	(void)frame;
	irq_count++;
	lapic_write(LAPIC_EOI, 0);
}

static void count_pic(struct trap_frame *frame)
{
	irq_count++;
	if (frame->vector >= PIC_VECTOR + 8)
		out8(PIC2, PIC_EOI);
	out8(PIC1, PIC_EOI);
}

void irq_count_lapic(unsigned vector)
{
	trap_hook(vector, count_lapic);
}

void irq_count_pic(unsigned irq)
{
	trap_hook(PIC_VECTOR + irq, count_pic);
}

/* Of the TSC: seconds on a real processor, more on a simulated one. */
#define IRQ_WAIT_TICKS 3000000000u

bool irq_wait(uint32_t count)
{
	uint64_t start = rdtsc();

	while (irq_count < count) {
		if (rdtsc() - start > IRQ_WAIT_TICKS)
			return false;
		__asm__ volatile("pause");
	}
	return true;
}

struct idt_entry {
	uint16_t offset_low;
	uint16_t selector;
	uint16_t attributes;
	uint16_t offset_mid;
	uint32_t offset_high;
	uint32_t reserved;
} __packed;
ASSERT_SIZE(struct idt_entry, 16);

#define IDT_INTERRUPT 0x8e00
#define IDT_DPL_USER  0x6000
#define STUB_SIZE     16

static struct idt_entry idt[256];

/* INT3, INTO and the vectors from 0x80 on may be raised by ring 3. */
static void idt_build(void)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t stub = (uint64_t)stubs + STUB_SIZE * i;
		bool is_user =
			i == X86_VECTOR_BP || i == X86_VECTOR_OF || i >= 0x80;

		idt[i] = (struct idt_entry){
			.offset_low = (uint16_t)stub,
			.selector = SEL_CODE64,
			.attributes = (uint16_t)(IDT_INTERRUPT |
						 (is_user ? IDT_DPL_USER : 0)),
			.offset_mid = (uint16_t)(stub >> 16),
			.offset_high = (uint32_t)(stub >> 32),
		};
	}
}

void trap_load(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __packed idtr = { sizeof(idt) - 1, (uint64_t)idt };

	__asm__ volatile("lidt %0" ::"m"(idtr));
}

void pic_enable(uint16_t irqs)
{
	out8(PIC1, PIC_ICW1);
	out8(PIC1 + 1, PIC_VECTOR);
	out8(PIC1 + 1, BIT(2));
	out8(PIC1 + 1, PIC_8086);
	out8(PIC2, PIC_ICW1);
	out8(PIC2 + 1, PIC_VECTOR + 8);
	out8(PIC2 + 1, 2);
	out8(PIC2 + 1, PIC_8086);
	if (irqs >> 8)
		irqs |= BIT(2);
	out8(PIC1 + 1, (uint8_t)~irqs);
	out8(PIC2 + 1, (uint8_t)(~irqs >> 8));
}

/* ---- The local APIC ------------------------------------------------------ */

#define MSR_APIC_BASE	 0x1b
#define APIC_BASE_X2APIC BIT(10)
#define APIC_BASE_ENABLE BIT(11)
#define SVR_ENABLE	 BIT(8)

uint32_t lapic_read(unsigned reg)
{
	return *(volatile uint32_t *)(LAPIC_BASE + reg);
}

void lapic_write(unsigned reg, uint32_t value)
{
	*(volatile uint32_t *)(LAPIC_BASE + reg) = value;
}

void lapic_enable(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE);
	lapic_write(LAPIC_SVR, SVR_ENABLE | 0xff);
	lapic_write(LAPIC_TPR, 0);
}

/* ---- Pages --------------------------------------------------------------- */

#define PAGE_POOL 16

uint64_t *page_entry(uint64_t addr)
{
	static uint64_t pool[PAGE_POOL][512] __aligned(4096);
	static unsigned used;
	uint64_t *large = &boot_pd[addr >> 21];

	if (*large & PTE_PS) {
		uint64_t *table = pool[used++ % PAGE_POOL];
		uint64_t base = *large & MASK(51, 21);

		for (unsigned i = 0; i < 512; i++)
			table[i] = (base + i * PAGE_SIZE) | PTE_P | PTE_W;
		*large = (uint64_t)table | PTE_P | PTE_W;
		WRITE_CR(3, READ_CR(3));
	}
	return (uint64_t *)(*large & PTE_ADDR) + (addr >> 12 & 511);
}

__attribute__((weak)) void guest_early(void)
{
}

void guest_start(void)
{
	out8(COM1_SCRATCH, 0x5a);
	runtime.has_com1 = in8(COM1_SCRATCH) == 0x5a;
	idt_build();
	trap_load();
	guest_early();
	pic_enable(0);
	guest_main();
	guest_end();
}
