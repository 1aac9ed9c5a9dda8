/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes the place of include/x86.h in host tests of code that uses privileged
 * instructions: a test's .mk puts tests/unit/fake before the project's root
 * (UNIT_FAKES).  Each thread of the test is a processor, whose registers are
 * in fake_x86; a test defines it with FAKE_X86_DEFINE once.
 */
#ifndef BULKHEAD_X86_H
#define BULKHEAD_X86_H

#include "include/compiler.h"
#include "include/cpuid.h"

#define FAKE_MSRS 8

struct fake_x86 {
	uint64_t cr[5], dr[8];
	uint64_t tsc;
	bool is_irq_on;
	struct {
		uint32_t msr;
		uint64_t value;
	} msr[FAKE_MSRS];
	/* Optional: */
	struct cpuid_regs (*cpuid)(uint32_t leaf, uint32_t subleaf);
	uint64_t (*tsc_read)(void);
	void (*irq_opened)(void); /* what was pending comes in */
	void (*relax)(void);	  /* another CPU gets on with it */
	void (*wait_irq)(void);	  /* STI, HLT */
	void (*cr3_written)(uint64_t cr3);
	uint32_t (*port_read)(uint16_t port, unsigned size);
	void (*port_written)(uint16_t port, unsigned size, uint32_t value);
};

extern _Thread_local struct fake_x86 fake_x86;

#define FAKE_X86_DEFINE _Thread_local struct fake_x86 fake_x86

static inline struct cpuid_regs cpuid_read(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_regs none = { 0 };

	return fake_x86.cpuid ? fake_x86.cpuid(leaf, subleaf) : none;
}

static inline uint64_t *fake_msr(uint32_t msr)
{
	unsigned i = 0;

	while (fake_x86.msr[i].msr && fake_x86.msr[i].msr != msr)
		if (++i == FAKE_MSRS)
			__builtin_trap();
	fake_x86.msr[i].msr = msr;
	return &fake_x86.msr[i].value;
}

static inline uint64_t msr_read(uint32_t msr)
{
	return *fake_msr(msr);
}

static inline void msr_write(uint32_t msr, uint64_t value)
{
	*fake_msr(msr) = value;
}

static inline uint64_t tsc_read(void)
{
	return fake_x86.tsc_read ? fake_x86.tsc_read() : fake_x86.tsc;
}

/* Without hooks no port is anybody's. */
#define FAKE_DEFINE_PORT(bits)                                          \
	static inline void port_write##bits(uint16_t port,              \
					    uint##bits##_t value)       \
	{                                                               \
		if (fake_x86.port_written)                              \
			fake_x86.port_written(port, (bits) / 8, value); \
	}                                                               \
	static inline uint##bits##_t port_read##bits(uint16_t port)     \
	{                                                               \
		return (uint##bits##_t)(                                \
			fake_x86.port_read                              \
				? fake_x86.port_read(port, (bits) / 8)  \
				: UINT32_MAX);                          \
	}
FAKE_DEFINE_PORT(8)
FAKE_DEFINE_PORT(16)
FAKE_DEFINE_PORT(32)
#undef FAKE_DEFINE_PORT

static inline uint64_t div128(uint64_t high, uint64_t low, uint64_t divisor)
{
	return (uint64_t)(((unsigned __int128)high << 64 | low) / divisor);
}

#define FAKE_DEFINE_CR(n)                                \
	static inline uint64_t cr##n##_read(void)        \
	{                                                \
		return fake_x86.cr[n];                   \
	}                                                \
	static inline void cr##n##_write(uint64_t value) \
	{                                                \
		fake_x86.cr[n] = value;                  \
		if ((n) == 3 && fake_x86.cr3_written)    \
			fake_x86.cr3_written(value);     \
	}
FAKE_DEFINE_CR(0)
FAKE_DEFINE_CR(2)
FAKE_DEFINE_CR(3)
FAKE_DEFINE_CR(4)
#undef FAKE_DEFINE_CR

#define FAKE_DEFINE_DR(n)                                \
	static inline uint64_t dr##n##_read(void)        \
	{                                                \
		return fake_x86.dr[n];                   \
	}                                                \
	static inline void dr##n##_write(uint64_t value) \
	{                                                \
		fake_x86.dr[n] = value;                  \
	}
FAKE_DEFINE_DR(0)
FAKE_DEFINE_DR(1)
FAKE_DEFINE_DR(2)
FAKE_DEFINE_DR(3)
FAKE_DEFINE_DR(6)
#undef FAKE_DEFINE_DR

#define RFLAGS_IF BIT(9)

static inline void irq_enable(void)
{
	fake_x86.is_irq_on = true;
	if (fake_x86.irq_opened)
		fake_x86.irq_opened();
}

static inline void irq_disable(void)
{
	fake_x86.is_irq_on = false;
}

static inline uint64_t rflags_read(void)
{
	return fake_x86.is_irq_on ? RFLAGS_IF : 0;
}

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

static inline void cpu_relax(void)
{
	if (fake_x86.relax)
		fake_x86.relax();
}

static inline void cpu_wait_irq(void)
{
	if (fake_x86.wait_irq)
		fake_x86.wait_irq();
	else
		irq_enable();
}

/* Of tests that switch threads: tests/unit/fake/sim.c. */
void thread_switch(uint64_t *save_rsp, uint64_t load_rsp);

#endif
