/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interrupt is delivered once and with IF set, whatever interrupts the host
 * while its handler runs without an exit; none is lost between STI and HLT; and
 * one of the TPR's own class waits while the guest goes on.
 */
#include "tests/guest/lib/guest.h"

#define VECTOR	    0x50
#define ICR_SELF    0x44000 /* fixed, self, assert */
#define DIVIDE_BY_1 0xb
#define PIT_HZ	    1193182u
#define PIT_MODE0   0x30 /* channel 0, both bytes */
#define PIT_MODE2   0x34
#define ROUNDS	    100
#define SPINS	    5000

static volatile unsigned depth, taken, nested, uninvited;

static void on_interrupt(struct trap_frame *frame)
{
	nested += depth++ != 0;
	uninvited += !(frame->rflags & X86_FLAG_IF);
	taken++;
	for (volatile unsigned i = 0; i < SPINS; i++)
		;
	depth--;
	lapic_write(LAPIC_EOI, 0);
}

static void pit_load(uint8_t mode, unsigned count)
{
	out8(0x43, mode);
	out8(0x40, (uint8_t)count);
	out8(0x40, (uint8_t)(count >> 8));
}

/* The 8254 keeps the host busy: its own interrupt stays masked. */
static void test_once(void)
{
	pic_enable(0);
	pit_load(PIT_MODE2, PIT_HZ / 4000);
	trap_hook(VECTOR, on_interrupt);
	sti();
	for (unsigned i = 0; i < ROUNDS; i++)
		lapic_write(LAPIC_ICR, ICR_SELF | VECTOR);
	cli();
	pit_load(PIT_MODE0, 0);
	check_equal("delivered-once", taken, ROUNDS);
	check_equal("not-nested", nested, 0);
	check_equal("only-with-if", uninvited, 0);
}

/* One that is requested while IF is clear waits until it is set. */
static void test_held(void)
{
	unsigned early = 0;

	taken = uninvited = 0;
	pit_load(PIT_MODE2, PIT_HZ / 4000);
	for (unsigned i = 0; i < ROUNDS; i++) {
		cli();
		lapic_write(LAPIC_ICR, ICR_SELF | VECTOR);
		for (volatile unsigned j = 0; j < SPINS; j++)
			;
		early += taken != i;
		sti();
		__asm__ volatile("nop; nop");
	}
	cli();
	pit_load(PIT_MODE0, 0);
	check_equal("held-with-if-clear", early, 0);
	check_equal("held-taken-with-if", uninvited, 0);
	check_equal("held-delivered-once", taken, ROUNDS);
}

/* Taken above the TPR's class alone: as 64-bit Windows holds its own back. */
static void test_tpr_class(void)
{
	unsigned early = 0;

	trap_hook(VECTOR, on_interrupt);
	for (unsigned tpr = VECTOR; tpr < VECTOR + 16; tpr++) {
		taken = 0;
		lapic_write(LAPIC_TPR, tpr);
		sti();
		lapic_write(LAPIC_ICR, ICR_SELF | VECTOR);
		for (volatile unsigned j = 0; j < SPINS; j++)
			;
		early += taken;
		WRITE_CR(8, VECTOR / 16 - 1);
		__asm__ volatile("nop; nop");
		cli();
		early += taken != 1;
	}
	WRITE_CR(8, 0);
	check_equal("tpr-class-holds-back", early, 0);
}

static volatile bool is_fired;

static void on_timer(struct trap_frame *frame)
{
	(void)frame;
	is_fired = true;
	lapic_write(LAPIC_EOI, 0);
}

/*
 * As idle loops do it: with IF clear, look whether there is anything to do, and
 * if not STI; HLT.  An interrupt that came between the two would leave HLT to
 * wait for the 8254, later.
 */
static unsigned late;

static void idle_once(uint32_t delay)
{
	is_fired = false;
	irq_count = 0;
	cli();
	pit_load(PIT_MODE0, PIT_HZ / 200);
	lapic_write(LAPIC_TIMER_INITIAL, delay);
	if (!is_fired)
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	late += irq_count != 0;
}

static void test_idle(void)
{
	irq_count_pic(0);
	pic_enable(BIT(0));
	trap_hook(VECTOR, on_timer);
	lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, VECTOR);
	for (uint32_t delay = 1; delay < 2500; delay++)
		idle_once(delay);
	pic_enable(0);
	check_equal("none-lost-before-hlt", late, 0);
}

void guest_main(void)
{
	lapic_enable();
	test_once();
	test_held();
	test_tpr_class();
	test_idle();
}
