/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The privileged and special instructions the monitor uses, one function
 * each.  Not for pure code (emulate, devices, firmware, lib).
 *
 * References: SDM volume 2; APM volume 3.
 */
#ifndef BULKHEAD_X86_H
#define BULKHEAD_X86_H

#include "include/compiler.h"
#include "include/cpuid.h"

static inline struct cpuid_regs cpuid_read(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint64_t msr_read(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value),
			   "d"((uint32_t)(value >> 32))
			 : "memory");
}

/*
 * The same for MSRs that this processor may not have: -1 where it raises #GP,
 * which the trap code lets go on behind the instruction (.fixups).
 */
static inline int msr_try_read(uint32_t msr, uint64_t *value)
{
	uint32_t low = 0, high = 0;
	int error = -1;

	__asm__ volatile("1:	rdmsr\n\t"
			 "xorl %0, %0\n"
			 "2:\n\t"
			 ".pushsection .fixups, \"a\"\n\t"
			 ".quad 1b, 2b\n\t"
			 ".popsection"
			 : "+r"(error), "+a"(low), "+d"(high)
			 : "c"(msr));
	*value = (uint64_t)high << 32 | low;
	return error;
}

static inline int msr_try_write(uint32_t msr, uint64_t value)
{
	int error = -1;

	__asm__ volatile("1:	wrmsr\n\t"
			 "xorl %0, %0\n"
			 "2:\n\t"
			 ".pushsection .fixups, \"a\"\n\t"
			 ".quad 1b, 2b\n\t"
			 ".popsection"
			 : "+r"(error)
			 : "c"(msr), "a"((uint32_t)value),
			   "d"((uint32_t)(value >> 32))
			 : "memory");
	return error;
}

static inline uint64_t tsc_read(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static inline void port_write8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void port_write16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void port_write32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t port_read8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint16_t port_read16(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint32_t port_read32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

/* high:low / divisor; high must be below divisor. */
static inline uint64_t div128(uint64_t high, uint64_t low, uint64_t divisor)
{
	uint64_t quotient, rest;

	__asm__("divq %4"
		: "=a"(quotient), "=d"(rest)
		: "a"(low), "d"(high), "r"(divisor)
		: "cc");
	return quotient;
}

/* uint64_t cr0_read(void), void cr0_write(uint64_t), ... */
#define X86_DEFINE_CR(n)                                                       \
	static inline uint64_t cr##n##_read(void)                              \
	{                                                                      \
		uint64_t value;                                                \
		__asm__ volatile("mov %%cr" #n ", %0"                          \
				 : "=r"(value)                                 \
				 :                                             \
				 : "memory");                                  \
		return value;                                                  \
	}                                                                      \
	static inline void cr##n##_write(uint64_t value)                       \
	{                                                                      \
		__asm__ volatile("mov %0, %%cr" #n : : "r"(value) : "memory"); \
	}
X86_DEFINE_CR(0)
X86_DEFINE_CR(2)
X86_DEFINE_CR(3)
X86_DEFINE_CR(4)
#undef X86_DEFINE_CR

/* uint64_t dr0_read(void), void dr0_write(uint64_t), ... */
#define X86_DEFINE_DR(n)                                              \
	static inline uint64_t dr##n##_read(void)                     \
	{                                                             \
		uint64_t value;                                       \
		__asm__ volatile("mov %%dr" #n ", %0" : "=r"(value)); \
		return value;                                         \
	}                                                             \
	static inline void dr##n##_write(uint64_t value)              \
	{                                                             \
		__asm__ volatile("mov %0, %%dr" #n : : "r"(value));   \
	}
X86_DEFINE_DR(0)
X86_DEFINE_DR(1)
X86_DEFINE_DR(2)
X86_DEFINE_DR(3)
X86_DEFINE_DR(6)
#undef X86_DEFINE_DR

/* Drops the TLB entries of one page of the current address space. */
static inline void tlb_flush_page(uint64_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

static inline void irq_enable(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void irq_disable(void)
{
	__asm__ volatile("cli" : : : "memory");
}

#define RFLAGS_IF BIT(9)

static inline uint64_t rflags_read(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
	return flags;
}

/*
 * Goes on where load_rsp was saved: the words there are an address and RBP, or
 * whatever the code at that address wants.  Returns when *save_rsp is gone on
 * with.  Inline, so that registers are saved once: where the caller has them.
 */
static inline void thread_switch(uint64_t *save_rsp, uint64_t load_rsp)
{
	__asm__ volatile("push %%rbp\n\tpush $1f\n\t"
			 "mov %%rsp, (%0)\n\tmov %1, %%rsp\n\t"
			 "ret\n1:\tpop %%rbp"
			 : "+D"(save_rsp), "+S"(load_rsp)
			 :
			 : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11",
			   "r12", "r13", "r14", "r15", "memory", "cc");
}

/* Disables interrupts; the result goes to irq_restore(). */
static inline uint64_t irq_save(void)
{
	uint64_t flags = rflags_read();

	irq_disable();
	return flags;
}

static inline void irq_restore(uint64_t flags)
{
	if (flags & RFLAGS_IF)
		irq_enable();
}

/* Waits for an interrupt; none can slip in between enabling and waiting. */
static inline void cpu_wait_irq(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static inline __noreturn void cpu_halt_forever(void)
{
	for (;;)
		__asm__ volatile("cli; hlt" : : : "memory");
}

static inline uint32_t mmio_read32(const volatile void *at)
{
	return *(const volatile uint32_t *)at;
}

static inline void mmio_write32(volatile void *at, uint32_t value)
{
	*(volatile uint32_t *)at = value;
}

#endif
