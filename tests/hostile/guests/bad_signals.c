/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals between the processors of one guest, as fast as they go.
 */
#include "tests/hostile/guests/bad.h"

#define VECTOR	    0x51
#define ICR_OTHERS  0xc4000
#define ICR_ALL	    0x84000
#define ICR_TO	    0x04000
#define ICR_NMI	    0x00400
#define ICR_INIT    0x00500
#define ICR_SIPI    0x00608 /* where processors_start() put the trampoline */
#define X2APIC_ICR  0x830
#define X2APIC_EOI  0x80b
#define APIC_BASE   0x1b
#define BASE_X2APIC 0xc00

static void take(struct trap_frame *frame)
{
	(void)frame;
	lapic_write(LAPIC_EOI, 0);
}

static void take_nmi(struct trap_frame *frame)
{
	(void)frame;
}

static void send(uint32_t to, uint32_t command)
{
	lapic_write(LAPIC_ICR_HIGH, to << 24);
	lapic_write(LAPIC_ICR, command);
}

static uint32_t anyone(uint64_t *state)
{
	return (uint32_t)chance(state) & 0xf;
}

/* Everybody to everybody. */
static void ipi(unsigned id)
{
	trap_hook(VECTOR, take);
	lapic_enable();
	sti();
	while (!over(id))
		lapic_write(LAPIC_ICR, ICR_ALL | VECTOR);
	cli();
}

/* Without a trip to the machine. */
static void x2apic(unsigned id)
{
	wrmsr(APIC_BASE, rdmsr(APIC_BASE) | BASE_X2APIC);
	while (!over(id))
		wrmsr(X2APIC_ICR, ICR_OTHERS | VECTOR);
}

static void nmi(unsigned id)
{
	uint64_t state = id + 1;

	trap_hook(X86_VECTOR_NMI, take_nmi);
	lapic_enable();
	while (!over(id))
		send(anyone(&state), ICR_TO | ICR_NMI);
	trap_hook(X86_VECTOR_NMI, take_nmi);
}

/* The first processor keeps putting the others to sleep and waking them. */
static void init(unsigned id)
{
	trap_hook(X86_VECTOR_NMI, take_nmi);
	if (id) {
		lapic_enable();
		for (;;)
			send(0, ICR_TO | ICR_NMI);
	}
	while (!over(id)) {
		lapic_write(LAPIC_ICR, ICR_OTHERS | ICR_INIT);
		lapic_write(LAPIC_ICR, ICR_OTHERS | ICR_SIPI);
		lapic_write(LAPIC_ICR, ICR_OTHERS | ICR_NMI);
	}
}

/* All kinds at once, to processors in the middle of a device's answer. */
static void mixed(unsigned id)
{
	static const uint32_t kinds[] = { VECTOR, ICR_NMI, ICR_INIT, ICR_SIPI };
	uint64_t state = id + 1;

	trap_hook(VECTOR, take);
	trap_hook(X86_VECTOR_NMI, take_nmi);
	lapic_enable();
	while (!over(id)) {
		uint32_t to = anyone(&state);
		uint32_t kind = kinds[chance(&state) % ARRAY_SIZE(kinds)];

		/* INIT would end the first processor's clock, too. */
		if (to == 0 && kind != ICR_NMI)
			kind = VECTOR;
		send(to, ICR_TO | kind);
		(void)in8(0x80);
		sti();
		(void)in8(0x61);
		cli();
	}
}

const struct bad signal_attacks[] = {
	{ "ipi", ipi, false },	   { "x2apic", x2apic, false },
	{ "nmi", nmi, false },	   { "init", init, false },
	{ "mixed", mixed, false }, { 0 },
};
