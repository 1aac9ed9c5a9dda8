/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals between the processors of one guest, as fast as they go.
 */
#include "tests/hostile/guests/bad.h"

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
	lapic_enable();
	sti();
	while (!over(id))
		lapic_write(LAPIC_ICR, ICR_ALL | BAD_VECTOR);
	cli();
}

/* Without a trip to the machine. */
static void x2apic(unsigned id)
{
	wrmsr(APIC_BASE, rdmsr(APIC_BASE) | BASE_X2APIC);
	while (!over(id))
		wrmsr(X2APIC_ICR, ICR_OTHERS | BAD_VECTOR);
}

static void nmi(unsigned id)
{
	uint64_t state = id + 1;

	lapic_enable();
	while (!over(id))
		send(anyone(&state), ICR_TO | ICR_NMI);
}

/*
 * The first processor keeps putting the others to sleep and waking them, and
 * gets NMIs for it.  None go to processors that may be on their way to long
 * mode: they would run wild by their own fault, and never end.
 */
static void init(unsigned id)
{
	lapic_enable();
	while (id)
		send(0, ICR_TO | ICR_NMI);
	while (!over(id)) {
		lapic_write(LAPIC_ICR, ICR_OTHERS | ICR_INIT);
		lapic_write(LAPIC_ICR, ICR_OTHERS | ICR_SIPI);
	}
}

/* All kinds at once, to processors in the middle of a device's answer. */
static void mixed(unsigned id)
{
	static const uint32_t first[] = { BAD_VECTOR, ICR_NMI };
	static const uint32_t others[] = { BAD_VECTOR, ICR_INIT, ICR_SIPI };
	uint64_t state = id + 1;

	lapic_enable();
	while (!over(id)) {
		uint32_t to = anyone(&state);
		uint64_t r = chance(&state) >> 8;

		send(to, ICR_TO | (to ? others[r % ARRAY_SIZE(others)]
				      : first[r % ARRAY_SIZE(first)]));
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
