/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's local APICs.  x2APIC mode is used when firmware left it on or
 * when the processor offers it; otherwise the registers are memory-mapped.
 *
 * Not used: performance, thermal and error entries, logical destinations,
 * focus and lowest priority delivery.
 *
 * References: SDM volume 3, "Advanced Programmable Interrupt Controller";
 * APM volume 2, same chapter.
 */
#include "kernel/lapic.h"

#include "include/x86.h"
#include "include/x86_msr.h"
#include "kernel/trap.h"

/* clang-format off */
#define LAPIC_ID		0x020
#define   LAPIC_ID_XAPIC	MASK(31, 24)
#define LAPIC_TPR		0x080
#define LAPIC_EOI		0x0b0
#define LAPIC_LDR		0x0d0
#define LAPIC_SVR		0x0f0
#define   SVR_ENABLE		BIT(8)
#define LAPIC_ESR		0x280
#define LAPIC_ICR		0x300
#define   ICR_PENDING		BIT(12)
#define   ICR_ASSERT		BIT(14)
#define   ICR_DESTINATION_XAPIC	MASK(31, 24)
#define LAPIC_ICR_HIGH		0x310
#define LAPIC_LVT_TIMER		0x320
#define   LVT_MASKED		BIT(16)
#define   LVT_TSC_DEADLINE	BIT(18)
#define LAPIC_LVT_LINT0		0x350
#define LAPIC_LVT_LINT1		0x360
#define LAPIC_LVT_ERROR		0x370
#define LAPIC_TIMER_INITIAL	0x380
#define LAPIC_TIMER_CURRENT	0x390
#define LAPIC_TIMER_DIVIDE	0x3e0
#define   DIVIDE_BY_1		0x0b

#define CPUID_1_ECX_X2APIC	 BIT(21)
#define CPUID_1_ECX_TSC_DEADLINE BIT(24)
/* clang-format on */

static uint32_t register_read(const struct lapic *lapic, unsigned offset)
{
	if (lapic->registers)
		return mmio_read32(lapic->registers + offset);
	return (uint32_t)msr_read(MSR_X2APIC_FIRST + offset / 16);
}

static void register_write(const struct lapic *lapic, unsigned offset,
			   uint32_t value)
{
	if (lapic->registers)
		mmio_write32(lapic->registers + offset, value);
	else
		msr_write(MSR_X2APIC_FIRST + offset / 16, value);
}

void lapic_init(struct lapic *lapic, void *registers)
{
	uint32_t features = cpuid_read(1, 0).ecx;

	lapic->registers = registers;
	if (features & CPUID_1_ECX_X2APIC)
		lapic->registers = NULL;
	lapic->has_tsc_deadline = features & CPUID_1_ECX_TSC_DEADLINE;
}

void lapic_init_cpu(const struct lapic *lapic)
{
	uint64_t base = msr_read(MSR_APIC_BASE) | APIC_BASE_ENABLE;
	uint32_t timer = VECTOR_TIMER;

	msr_write(MSR_APIC_BASE, base);
	if (!lapic->registers)
		msr_write(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
	if (lapic->has_tsc_deadline)
		timer |= LVT_TSC_DEADLINE;
	register_write(lapic, LAPIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
	register_write(lapic, LAPIC_TPR, 0);
	register_write(lapic, LAPIC_LVT_LINT0, LVT_MASKED);
	register_write(lapic, LAPIC_LVT_LINT1, LVT_MASKED);
	register_write(lapic, LAPIC_LVT_ERROR, LVT_MASKED);
	register_write(lapic, LAPIC_ESR, 0);
	register_write(lapic, LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
	register_write(lapic, LAPIC_TIMER_INITIAL, 0);
	register_write(lapic, LAPIC_LVT_TIMER, timer);
	/* The mode must have changed before a deadline is written. */
	__asm__ volatile("mfence" : : : "memory");
}

uint32_t lapic_id(const struct lapic *lapic)
{
	uint32_t id = register_read(lapic, LAPIC_ID);

	return lapic->registers ? (uint32_t)FIELD_GET(LAPIC_ID_XAPIC, id) : id;
}

void lapic_eoi(const struct lapic *lapic)
{
	register_write(lapic, LAPIC_EOI, 0);
}

void lapic_send(const struct lapic *lapic, uint32_t apic_id, uint32_t command)
{
	uint64_t flags;

	command |= ICR_ASSERT;
	if (!lapic->registers) {
		/* This WRMSR may overtake the stores that the IPI is about. */
		__asm__ volatile("mfence; lfence" : : : "memory");
		msr_write(MSR_X2APIC_FIRST + LAPIC_ICR / 16,
			  (uint64_t)apic_id << 32 | command);
		return;
	}
	/* Two writes that an interrupt handler must not come between. */
	flags = irq_save();
	while (register_read(lapic, LAPIC_ICR) & ICR_PENDING)
		cpu_relax();
	register_write(lapic, LAPIC_ICR_HIGH,
		       (uint32_t)FIELD_PUT(ICR_DESTINATION_XAPIC, apic_id));
	register_write(lapic, LAPIC_ICR, command);
	irq_restore(flags);
}

void lapic_timer_start(const struct lapic *lapic, uint32_t count)
{
	register_write(lapic, LAPIC_TIMER_INITIAL, count);
}

uint32_t lapic_timer_left(const struct lapic *lapic)
{
	return register_read(lapic, LAPIC_TIMER_CURRENT);
}

void lapic_timer_deadline(uint64_t tsc)
{
	msr_write(MSR_TSC_DEADLINE, tsc);
}
