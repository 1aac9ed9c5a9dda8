/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts that a CPU sends itself: every way to name itself, priorities,
 * in-service and request bits, NMIs, x2APIC.
 */
#include "tests/guest/lib/guest.h"

#include "lib/string.h"

#define SELF	      0x44000 /* shorthand self, assert */
#define ALL	      0x84000
#define OTHERS	      0xc4000
#define ASSERT_FIXED  0x04000
#define LOGICAL	      0x00800
#define DELIVERY_NMI  0x00400
#define VECTOR_LOW    0x51
#define VECTOR_HIGH   0x71
#define MSR_APIC_BASE 0x1b
#define BASE_X2APIC   BIT(10)
#define BASE_ENABLE   BIT(11)
#define X2APIC(reg)   (0x800 + (reg) / 16)
#define X2APIC_SELF   0x83f
#define CPUID_X2APIC  BIT(21)

static volatile uint8_t order[8];
static volatile unsigned taken;

static void note(struct trap_frame *frame)
{
	order[taken++ & 7] = (uint8_t)frame->vector;
	lapic_write(LAPIC_EOI, 0);
}

static void let_in(void)
{
	sti();
	__asm__ volatile("nop; nop" ::: "memory");
	cli();
}

static void send(uint32_t high, uint32_t low)
{
	taken = 0;
	lapic_write(LAPIC_ICR_HIGH, high);
	lapic_write(LAPIC_ICR, low);
	let_in();
}

static void test_ways(void)
{
	uint32_t id = lapic_read(LAPIC_ID) & 0xff000000;

	send(0, SELF | VECTOR_LOW);
	check_equal("shorthand-self", taken, 1);
	send(0, ALL | VECTOR_LOW);
	check_equal("shorthand-all", taken, 1);
	send(0, OTHERS | VECTOR_LOW);
	check_equal("shorthand-others", taken, 0);
	send(id, ASSERT_FIXED | VECTOR_LOW);
	check_equal("physical", taken, 1);
	send(0xff000000, ASSERT_FIXED | VECTOR_LOW);
	check_equal("physical-broadcast", taken, 1);
	send(id ^ 0x05000000, ASSERT_FIXED | VECTOR_LOW);
	check_equal("physical-somebody-else", taken, 0);
	lapic_write(LAPIC_DFR, 0xffffffff);
	lapic_write(LAPIC_LDR, 0x02000000);
	send(0x02000000, ASSERT_FIXED | LOGICAL | VECTOR_LOW);
	check_equal("logical-flat", taken, 1);
	send(0x05000000, ASSERT_FIXED | LOGICAL | VECTOR_LOW);
	check_equal("logical-flat-other", taken, 0);
	lapic_write(LAPIC_DFR, 0x0fffffff);
	lapic_write(LAPIC_LDR, 0x31000000);
	send(0x31000000, ASSERT_FIXED | LOGICAL | VECTOR_LOW);
	check_equal("logical-cluster", taken, 1);
	send(0x21000000, ASSERT_FIXED | LOGICAL | VECTOR_LOW);
	check_equal("logical-cluster-other", taken, 0);
	lapic_write(LAPIC_DFR, 0xffffffff);
}

static bool bit_of(unsigned reg, unsigned vector)
{
	return lapic_read(reg + vector / 32 * 0x10) >> (vector & 31) & 1;
}

static void test_priority(void)
{
	taken = 0;
	lapic_write(LAPIC_ICR, SELF | VECTOR_LOW);
	lapic_write(LAPIC_ICR, SELF | VECTOR_HIGH);
	check("irr-both",
	      bit_of(LAPIC_IRR, VECTOR_LOW) && bit_of(LAPIC_IRR, VECTOR_HIGH));
	let_in();
	check("higher-first",
	      taken == 2 && order[0] == VECTOR_HIGH && order[1] == VECTOR_LOW);
	check("irr-clear", !bit_of(LAPIC_IRR, VECTOR_LOW));
	lapic_write(LAPIC_TPR, 0x60);
	send(0, SELF | VECTOR_LOW);
	check_equal("tpr-holds-back", taken, 0);
	send(0, SELF | VECTOR_HIGH);
	check_equal("tpr-lets-higher", taken, 1);
	lapic_write(LAPIC_TPR, 0);
	let_in();
	check_equal("tpr-lowered", taken, 2);
	/* The two views of it, and a change of another control register. */
	lapic_write(LAPIC_TPR, 0x35);
	WRITE_CR(0, READ_CR(0));
	check_equal("tpr-kept-by-mov-cr0", lapic_read(LAPIC_TPR), 0x35);
	check_equal("tpr-is-cr8", READ_CR(8), 3);
	WRITE_CR(8, 6);
	check_equal("cr8-is-tpr", lapic_read(LAPIC_TPR), 0x60);
	send(0, SELF | VECTOR_LOW);
	check_equal("cr8-holds-back", taken, 0);
	WRITE_CR(8, 0);
	let_in();
	check_equal("cr8-lowered", taken, 1);
}

static volatile bool was_in_service;
static volatile uint32_t ppr_inside;

/* While the high one is in service the low one waits. */
static void hold(struct trap_frame *frame)
{
	was_in_service = bit_of(LAPIC_ISR, VECTOR_HIGH);
	ppr_inside = lapic_read(LAPIC_PPR);
	lapic_write(LAPIC_ICR, SELF | VECTOR_LOW);
	sti();
	__asm__ volatile("nop; nop" ::: "memory");
	cli();
	note(frame);
}

static void test_nested(void)
{
	trap_hook(VECTOR_HIGH, hold);
	send(0, SELF | VECTOR_HIGH);
	trap_hook(VECTOR_HIGH, note);
	check("in-service", was_in_service);
	check_equal("ppr-in-service", ppr_inside, VECTOR_HIGH & 0xf0);
	check("low-waits-for-eoi", taken == 2 && order[0] == VECTOR_HIGH);
}

static volatile unsigned nmis;

static void count_nmi(struct trap_frame *frame)
{
	(void)frame;
	nmis++;
}

static void test_nmi(void)
{
	trap_hook(X86_VECTOR_NMI, count_nmi);
	lapic_write(LAPIC_ICR, SELF | DELIVERY_NMI);
	for (unsigned i = 0; i < 100 && !nmis; i++)
		__asm__ volatile("pause");
	check_equal("nmi-with-if-clear", nmis, 1);
}

static void x2apic_read(void *msr)
{
	(void)rdmsr((uint32_t)(uint64_t)msr);
}

static void note_x2apic(struct trap_frame *frame)
{
	order[taken++ & 7] = (uint8_t)frame->vector;
	wrmsr(X2APIC(LAPIC_EOI), 0);
}

static void test_x2apic(void)
{
	uint32_t id = lapic_read(LAPIC_ID) >> 24;

	if (!(cpuid(1, 0).ecx & CPUID_X2APIC)) {
		skip("x2apic", "CPUID does not offer it");
		return;
	}
	trap_hook(VECTOR_LOW, note_x2apic);
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | BASE_X2APIC | BASE_ENABLE);
	check_equal("x2apic-id", rdmsr(X2APIC(LAPIC_ID)), id);
	taken = 0;
	wrmsr(X2APIC_SELF, VECTOR_LOW);
	let_in();
	check_equal("x2apic-self-ipi", taken, 1);
	wrmsr(X2APIC(LAPIC_ICR),
	      (uint64_t)id << 32 | ASSERT_FIXED | VECTOR_LOW);
	let_in();
	check_equal("x2apic-icr", taken, 2);
	check_equal("x2apic-logical-id", rdmsr(X2APIC(LAPIC_LDR)),
		    (id >> 4) << 16 | BIT(id & 15));
	check_equal("x2apic-no-icr-high",
		    (uint64_t)trap_catch(x2apic_read, (void *)0x831ul),
		    X86_VECTOR_GP);
	check_equal("x2apic-no-dfr",
		    (uint64_t)trap_catch(x2apic_read, (void *)0x80eul),
		    X86_VECTOR_GP);
}

void guest_main(void)
{
	lapic_enable();
	trap_hook(VECTOR_LOW, note);
	trap_hook(VECTOR_HIGH, note);
	test_ways();
	test_priority();
	test_nested();
	test_nmi();
	test_x2apic();
}
