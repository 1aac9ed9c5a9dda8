/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HLT ends with an interrupt, from whichever device, and execution goes on
 * behind it.
 */
#include "tests/guest/lib/guest.h"

#define VECTOR	       0x50
#define ICR_SELF       0x44000
#define TIMER_PERIODIC BIT(17)
#define DIVIDE_BY_1    0xb
#define PIT_HZ	       1193182
#define PIT_MODE2      0x34 /* channel 0, both bytes */

static void hlt_once(void)
{
	__asm__ volatile("sti; hlt; cli" ::: "memory");
}

/* So often woken, so often counted: none lost, none doubled. */
static void check_wakes(const char *name, unsigned times)
{
	irq_count = 0;
	for (unsigned i = 0; i < times; i++)
		hlt_once();
	if (irq_count >= times)
		pass(name);
	else
		fail(name, "%u interrupts in %u HLTs", irq_count, times);
}

static void test_pending(void)
{
	irq_count = 0;
	cli();
	lapic_write(LAPIC_ICR, ICR_SELF | VECTOR);
	hlt_once();
	check_equal("hlt-pending", irq_count, 1);
}

static void test_pit(void)
{
	unsigned reload = PIT_HZ / 1000;

	irq_count_pic(0);
	out8(0x43, PIT_MODE2);
	out8(0x40, (uint8_t)reload);
	out8(0x40, (uint8_t)(reload >> 8));
	pic_enable(BIT(0));
	check_wakes("hlt-pit", 20);
	pic_enable(0);
}

static void test_lapic_timer(void)
{
	irq_count_lapic(VECTOR);
	lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, VECTOR);
	irq_count = 0;
	lapic_write(LAPIC_TIMER_INITIAL, 1000000);
	hlt_once();
	check_equal("hlt-lapic-one-shot", irq_count, 1);
	lapic_write(LAPIC_LVT_TIMER, TIMER_PERIODIC | VECTOR);
	lapic_write(LAPIC_TIMER_INITIAL, 1000000);
	check_wakes("hlt-lapic-periodic", 20);
	lapic_write(LAPIC_TIMER_INITIAL, 0);
}

static volatile unsigned nmi_count;

static void nmi(struct trap_frame *frame)
{
	(void)frame;
	nmi_count++;
}

static void pit_one_shot(void)
{
	out8(0x43, 0x30); /* mode 0: one edge */
	out8(0x40, 0x00);
	out8(0x40, 0x20);
}

/* LINT0 delivers the PIT's interrupt as an NMI: HLT ends with IF = 0 too. */
static void test_nmi(void)
{
	trap_hook(X86_VECTOR_NMI, nmi);
	cli();
	/* A tick of the rate still running would hold INTR up: no edge then. */
	out8(0x43, 0x30);
	pic_enable(BIT(0));
	lapic_write(LAPIC_LVT_LINT0, 0x400);
	pit_one_shot();
	for (uint64_t start = rdtsc(); !nmi_count;)
		if (rdtsc() - start > NSEC_PER_SEC)
			break;
	check("lint0-nmi", nmi_count >= 1);
	/* Without an NMI that HLT would be the last. */
	if (!nmi_count)
		return;
	nmi_count = 0;
	pic_enable(BIT(0));
	pit_one_shot();
	__asm__ volatile("hlt" ::: "memory");
	check("hlt-nmi-with-if-clear", nmi_count >= 1);
}

void guest_main(void)
{
	lapic_enable();
	lapic_write(LAPIC_LVT_LINT0, 0x700); /* ExtINT: the PICs */
	irq_count_lapic(VECTOR);
	test_pending();
	test_pit();
	test_lapic_timer();
	test_nmi();
}
