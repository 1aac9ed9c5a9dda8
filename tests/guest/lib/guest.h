/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tiny guests share: reporting, traps, port and register access.
 * Each guest is one file with a guest_main(); it runs in long mode, ring 0,
 * interrupts off, PICs masked, the lower 4 GiB mapped one to one.
 */
#ifndef BULKHEAD_TESTS_GUEST_H
#define BULKHEAD_TESTS_GUEST_H

#include "include/compiler.h"
#include "include/x86_state.h"

/* ---- Reporting ----------------------------------------------------------- */

/* One subject each; the lines the test runner counts. */
void pass(const char *name);
void fail(const char *name, const char *format, ...) __printf(2, 3);
void skip(const char *name, const char *why);
/* pass() or fail() with the two values. */
void check_equal(const char *name, uint64_t got, uint64_t want);
void check(const char *name, bool is_good);
void print(const char *format, ...) __printf(1, 2);
__noreturn void guest_end(void);
/* CPUID says that this is Bulkhead, so its own policy can be expected. */
bool is_bulkhead(void);

/* The test itself. */
void guest_main(void);
/* Optional, before it: when the PICs are as they were found. */
void guest_early(void);
/* Where the loader's information is. */
extern uint32_t boot_magic, boot_info;

/* ---- Traps --------------------------------------------------------------- */

struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* What trap_catch() caught last. */
struct trap_info {
	uint64_t vector, error, rip, cr2;
	uint64_t count; /* since the start */
};
extern struct trap_info trap_last;

/*
 * Calls fn(arg) and returns the vector of the exception that ended it, or -1.
 * Not nested.
 */
int trap_catch(void (*fn)(void *), void *arg);
/* hook(frame) instead, for that vector; NULL: as before. */
void trap_hook(unsigned vector, void (*hook)(struct trap_frame *));
/* Into this CPU's IDTR: the handlers of all this. */
void trap_load(void);
/* From now on count that vector, then EOI to the local APIC, or to the PIC. */
void irq_count_lapic(unsigned vector);
void irq_count_pic(unsigned irq);
/* What the two count. */
extern volatile uint32_t irq_count;
/* Waits until irq_count has reached so many; false after a long time. */
bool irq_wait(uint32_t count);

#define PIC_VECTOR 0x20 /* of IRQ 0 */
/* Both PICs set up, all masked but these IRQs. */
void pic_enable(uint16_t irqs);

/* ---- The local APIC in xAPIC mode -----------------------------------------
 */

#define LAPIC_BASE	    0xfee00000UL
#define LAPIC_ID	    0x020
#define LAPIC_VERSION	    0x030
#define LAPIC_TPR	    0x080
#define LAPIC_PPR	    0x0a0
#define LAPIC_EOI	    0x0b0
#define LAPIC_LDR	    0x0d0
#define LAPIC_DFR	    0x0e0
#define LAPIC_SVR	    0x0f0
#define LAPIC_ISR	    0x100
#define LAPIC_IRR	    0x200
#define LAPIC_ESR	    0x280
#define LAPIC_ICR	    0x300
#define LAPIC_ICR_HIGH	    0x310
#define LAPIC_LVT_TIMER	    0x320
#define LAPIC_LVT_LINT0	    0x350
#define LAPIC_LVT_LINT1	    0x360
#define LAPIC_TIMER_INITIAL 0x380
#define LAPIC_TIMER_CURRENT 0x390
#define LAPIC_TIMER_DIVIDE  0x3e0

uint32_t lapic_read(unsigned reg);
void lapic_write(unsigned reg, uint32_t value);
/* xAPIC mode, software-enabled, spurious vector 0xff, TPR 0. */
void lapic_enable(void);

/* ---- Selectors, as in selectors.inc ----------------------------------------
 */

#define SEL_CODE64    0x08
#define SEL_DATA      0x10
#define SEL_CODE32    0x18
#define SEL_CODE16    0x20
#define SEL_DATA16    0x28
#define SEL_USER32    0x30
#define SEL_USER_DATA 0x38
#define SEL_USER64    0x40
#define SEL_TSS	      0x48
#define SEL_SPARE     0x58
#define RPL_USER      3

extern uint64_t boot_gdt[];
extern uint64_t boot_pml4[512], boot_pdpt[512], boot_pd[4 * 512];

#define PTE_P	 BIT(0)
#define PTE_W	 BIT(1)
#define PTE_U	 BIT(2)
#define PTE_A	 BIT(5)
#define PTE_D	 BIT(6)
#define PTE_PS	 BIT(7)
#define PTE_NX	 BIT(63)
#define PTE_ADDR MASK(51, 12)

/* A 4 KiB entry for addr, below 4 GiB; its 2 MiB page is split at first. */
uint64_t *page_entry(uint64_t addr);

/* ---- Instructions ----------------------------------------------------------
 */

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

#define PIT_CONTROL 0x43
#define PIT_MODE_0  0x30 /* channel 0, both bytes */

/* A PC's 8254 ticks from power-on on, 18 times a second, also when nobody wants
 * it; until it waits for its count. */
static inline void pit_stop(void)
{
	out8(PIT_CONTROL, PIT_MODE_0);
}

static inline void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint16_t in16(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t a, d;

	__asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(msr));
	return a | (uint64_t)d << 32;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value),
			 "d"((uint32_t)(value >> 32))
			 : "memory");
}

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint64_t rdtsc(void)
{
	uint32_t a, d;

	__asm__ volatile("lfence; rdtsc" : "=a"(a), "=d"(d)::"memory");
	return a | (uint64_t)d << 32;
}

#define READ_CR(n)                                                            \
	({                                                                    \
		uint64_t cr_;                                                 \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(cr_)::"memory"); \
		cr_;                                                          \
	})
/* clang-format off */
#define WRITE_CR(n, value) \
	__asm__ volatile("mov %0, %%cr" #n ::"r"((uint64_t)(value)) : "memory")
/* clang-format on */

#define READ_DR(n)                                                  \
	({                                                          \
		uint64_t dr_;                                       \
		__asm__ volatile("mov %%dr" #n ", %0" : "=r"(dr_)); \
		dr_;                                                \
	})
/* clang-format off */
#define WRITE_DR(n, value) \
	__asm__ volatile("mov %0, %%dr" #n ::"r"((uint64_t)(value)) : "memory")
/* clang-format on */

static inline uint64_t read_flags(void)
{
	uint64_t flags;

	__asm__ volatile("pushf; pop %0" : "=r"(flags)::"memory");
	return flags;
}

static inline void sti(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline void cli(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline void invlpg(uint64_t address)
{
	__asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
}

#endif
