/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which ports of the host's a guest may have: init/manifest_reader.h.
 *
 * A guest that reaches a device's ports has that device, and nobody checks what
 * it does there.  So it gets none by which it would have more than a device:
 * the host's own board, whatever moves memory, what a service has.  Below 100h
 * is the board's own; ISA cards, which decode ten bits, and the ports of a
 * board that look like one are from there to 3FFh; from 400h on a host has its
 * power management and its PCI devices, where its firmware wants them.
 *
 * Nor does it get those that are its own board's already: of two devices at a
 * port neither firmware nor systems expect one to be the host's.
 */
#include "init/manifest_reader.h"

#define CARDS_FIRST  0x100
#define CARDS_LAST   0x3ff
#define NE2000_PORTS 0x20
#define LPT1_FIRST   0x378
#define LPT1_LAST    0x37a

struct taken {
	uint32_t first, last;
	const char *why;
};

/* The first that is met is said: what is precise comes first. */
/* clang-format off */
static const struct taken taken[] = {
	{ 0x00, 0x0f, "the host's DMA controller, which reaches all memory" },
	{ 0x20, 0x21, "the host's interrupt controller" },
	{ 0x40, 0x43, "the host's timer" },
	{ 0x60, 0x64, "the host's keyboard controller, which can reset it" },
	{ 0x70, 0x77, "the host's clock and NMI mask" },
	{ 0x80, 0x8f, "the host's DMA controller, which reaches all memory" },
	{ 0x92, 0x92, "a reset of the host" },
	{ 0xa0, 0xa1, "the host's interrupt controller" },
	{ 0xb2, 0xb3, "the host's system management" },
	{ 0xc0, 0xdf, "the host's DMA controller, which reaches all memory" },
	{ 0x170, 0x177, "IDE of the guest's own board" },
	{ 0x1ce, 0x1cf, "the display adapter of the guest's own board" },
	{ 0x1f0, 0x1f7, "IDE of the guest's own board" },
	{ 0x2f8, 0x2ff, "the service seat's, for the control protocol" },
	{ 0x376, 0x376, "IDE of the guest's own board" },
	{ 0x3b0, 0x3df, "the display adapter of the guest's own board" },
	{ 0x3f0, 0x3f5, "a floppy controller, which has the host's DMA reach "
			"memory" },
	{ 0x3f6, 0x3f7, "IDE of the guest's own board" },
	{ 0x3f8, 0x3ff, "the service seat's, for the host's console" },
	{ 0x4d0, 0x4d1, "the host's interrupt controller" },
	{ 0xcf8, 0xcff, "the host's PCI configuration, by which each device "
			"reaches all memory" },
	{ 0, CARDS_FIRST - 1, "the host's own board" },
	{ CARDS_LAST + 1, UINT32_MAX, "where the host has power management "
				      "and PCI devices" },
};
/* clang-format on */

static bool overlaps(const uint32_t ports[2], uint32_t first, uint32_t last)
{
	return ports[0] <= last && ports[0] + ports[1] > first;
}

static int refused(struct manifest_reader *reader, int node,
		   const uint32_t ports[2], const char *why)
{
	return manifest_fail(reader, node, "ports",
			     "has 0x%x to 0x%x, which is %s: give ports of a "
			     "device of the host's from 0x%x to 0x%x that are "
			     "nobody's",
			     ports[0], ports[0] + ports[1] - 1, why,
			     CARDS_FIRST, CARDS_LAST);
}

static int check_board(struct manifest_reader *reader, int node,
		       const struct guest_manifest *guest,
		       const uint32_t ports[2])
{
	for (unsigned i = 0; i < ARRAY_SIZE(taken); i++)
		if (overlaps(ports, taken[i].first, taken[i].last))
			return refused(reader, node, ports, taken[i].why);
	if (guest->devices & MACHINE_DEVICE_PARALLEL0 &&
	    overlaps(ports, LPT1_FIRST, LPT1_LAST))
		return refused(reader, node, ports, "the guest's parallel0");
	for (unsigned i = 0; i < guest->nic_count; i++)
		if (guest->nic[i].model == MACHINE_NIC_NE2000 &&
		    overlaps(ports, guest->nic[i].port,
			     guest->nic[i].port + NE2000_PORTS - 1))
			return refused(reader, node, ports,
				       "the guest's network card");
	return 0;
}

/* Those before it, of this guest and of the others. */
static int check_users(struct manifest_reader *reader, int node,
		       const struct guest_manifest *guest, unsigned n)
{
	const struct manifest *manifest = reader->manifest;
	const uint32_t *ports = guest->ports[n];

	/* The last is the guest that is being read. */
	for (unsigned i = 0; i <= manifest->guest_count; i++) {
		const struct guest_manifest *other = &manifest->guest[i];
		unsigned count = other == guest ? n : MANIFEST_PORTS_MAX;

		for (unsigned j = 0; j < count && other->ports[j][1]; j++)
			if (overlaps(ports, other->ports[j][0],
				     other->ports[j][0] + other->ports[j][1] -
					     1))
				return manifest_fail(
					reader, node, "ports",
					"has 0x%x to 0x%x, which /guests/%s "
					"has, too: give it to one of them, "
					"once",
					ports[0], ports[0] + ports[1] - 1,
					other->name);
	}
	return 0;
}

int manifest_check_ports(struct manifest_reader *reader, int node,
			 const struct guest_manifest *guest)
{
	int error = 0;

	if (!manifest_has(reader, node, "ports"))
		return 0;
	for (unsigned i = 0; !error && i < MANIFEST_PORTS_MAX; i++) {
		const uint32_t *ports = guest->ports[i];

		if (!ports[0] && !ports[1])
			return i ? 0
				 : manifest_fail(reader, node, "ports",
						 "has no ports");
		if (!ports[1])
			return manifest_fail(reader, node, "ports",
					     "has no ports at 0x%x: each pair "
					     "is the first one and how many",
					     ports[0]);
		if (ports[0] > UINT16_MAX || ports[1] > UINT16_MAX + 1u ||
		    ports[0] + ports[1] > UINT16_MAX + 1u)
			return manifest_fail(reader, node, "ports",
					     "has %u ports from 0x%x on, past "
					     "0xffff",
					     ports[1], ports[0]);
		error = check_board(reader, node, guest, ports);
		if (!error)
			error = check_users(reader, node, guest, i);
	}
	return error;
}
