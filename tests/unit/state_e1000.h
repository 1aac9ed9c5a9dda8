/* SPDX-License-Identifier: BSD-2-Clause */
/* What tests of the states of Intel's network cards share: rings of which
 * descriptors look right, more or less. */
#ifndef BULKHEAD_TESTS_UNIT_STATE_E1000_H
#define BULKHEAD_TESTS_UNIT_STATE_E1000_H

#include "tests/unit/state_net.h"

#include "devices/e1000_core.h"

#define RING	 0x1000U
#define RX_RING	 0x2000U
#define RING_END 0x80U

static inline void put(struct rig *rig, uint32_t offset, uint64_t value)
{
	bus_out(&rig->b.memory, BAR0 + offset, (uint32_t)value, 4);
}

static inline void rings_set(struct rig *rig)
{
	put(rig, E1000_CTRL, 0x201 | E1000_CTRL_SLU | E1000_CTRL_VME);
	put(rig, E1000_TDBAL, RING);
	put(rig, E1000_TDLEN, RING_END);
	put(rig, E1000_RDBAL, RX_RING);
	put(rig, E1000_RDLEN, RING_END);
	put(rig, E1000_TDH, 0);
	put(rig, E1000_TDT, 0);
	put(rig, E1000_TCTL, E1000_TCTL_EN | E1000_TCTL_PSP);
	put(rig, E1000_RCTL,
	    E1000_RCTL_EN | E1000_RCTL_UPE | E1000_RCTL_MPE | E1000_RCTL_LPE |
		    E1000_RCTL_BAM);
	put(rig, E1000_RXCSUM, 0x700);
	put(rig, E1000_IMS, E1000_CAUSES);
}

static inline void bars_set(struct rig *rig)
{
	struct pci_bus *pci = &((struct net_model *)rig->model)->pci;

	pci_config_write(pci, DEVFN, PCI_BAR0, 4, BAR0);
	pci_config_write(pci, DEVFN, PCI_BAR0 + 8, 4, 0xc000);
	pci_config_write(pci, DEVFN, PCI_COMMAND, 2, 7);
}

/* A descriptor that looks right, more or less, somewhere in a ring. */
static inline void descriptor_put(struct rig *rig, uint32_t base)
{
	uint32_t random = rig_random(rig);
	uint64_t words[2] = { random & 0xffff, rig_random(rig) % 3000 };
	uint8_t *ring = (uint8_t *)rig->memory + base;

	words[1] |= (uint64_t)(rig_random(rig) & 0xff) << 24;
	words[1] |= (uint64_t)(rig_random(rig) & 0xff03) << 40;
	if (random & BIT(16))
		words[1] |= E1000_TXD_DEXT |
			    FIELD_PUT(E1000_TXD_TYPE, random >> 17 & 1);
	if (random & BIT(20)) /* contexts, with headers where they may be */
		words[0] = 0x0000320000001814 | (uint64_t)(random >> 24) << 32;
	memcpy(ring + (random >> 21) % 8 * 16, words, sizeof(words));
}

/* Either chip's state begins with what they have in common. */
static inline void frame_too_short(void *saved)
{
	((struct e1000_state *)saved)->chip.tx.stage = E1000_TX_SEND;
}

static inline void line_without_interrupt(void *saved)
{
	((struct e1000_state *)saved)->chip.is_asserted ^= true;
}

#endif
