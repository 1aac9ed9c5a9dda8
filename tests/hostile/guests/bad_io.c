/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices and exits without end.
 */
#include "tests/hostile/guests/bad.h"

#define COM1	    0x3f8
#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc

static void uartflood(unsigned id)
{
	while (!over(id))
		out8(COM1, id ? 'a' + (uint8_t)id : 'y');
}

/* Lines in others' names, and sequences that move the cursor. */
static void forge(unsigned id)
{
	static const char text[] = "\r[good] FORGED\r\n\x1b[2J\x1b[H"
				   "[    1.000000] monitor panic: FORGED\n"
				   "\x08\x08\x08[good] FORGED by BS\n";

	while (!over_now(id))
		print("%s", text);
}

static void cpuids(unsigned id)
{
	while (!over(id))
		(void)cpuid((uint32_t)rdtsc(), 0);
}

/* Registers of every PCI function, the BARs and the command among them. */
static void pci(unsigned id)
{
	uint64_t state = id + 1;

	while (!over(id)) {
		uint32_t where = (uint32_t)chance(&state);

		out32(PCI_ADDRESS, 0x80000000u | (where & 0x3ffc));
		if (where & BIT(20))
			out32(PCI_DATA, (uint32_t)chance(&state));
		else
			(void)in32(PCI_DATA);
	}
}

static bool is_spared(uint16_t port)
{
	/* The end, resets, and the power management's sleep. */
	return (port & ~3) == 0xf4 || (port & ~7) == 0xcf8 || port == 0x92 ||
	       port == 0x64 || (port & ~0x3f) == 0x600;
}

/* Any port with anything. */
static void ports(unsigned id)
{
	uint64_t state = id + 1;

	while (!over(id)) {
		uint16_t port = (uint16_t)(chance(&state) & 0x7ff);

		if (is_spared(port))
			continue;
		if (chance(&state) & 1)
			out8(port, (uint8_t)chance(&state));
		else
			(void)in32(port);
	}
}

const struct bad io_attacks[] = {
	{ "uartflood", uartflood, false }, { "forge", forge, false },
	{ "cpuid", cpuids, false },	   { "pci", pci, false },
	{ "ports", ports, false },	   { 0 },
};
