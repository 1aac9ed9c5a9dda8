/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the Am79C970A share.
 */
#ifndef BULKHEAD_DEVICES_PCNET_INTERNAL_H
#define BULKHEAD_DEVICES_PCNET_INTERNAL_H

#include "devices/pcnet.h"

extern const struct state_description pcnet_description;
extern const struct state_description pcnet_chip_description;
bool pcnet_state_is_valid(const void *dev, const void *saved, uint64_t now_ns);

/* Counts it, and says so. */
void pcnet_fail(struct pcnet *nic, enum pcnet_error error);
/* Sets bits of CSR0. */
void pcnet_raise(struct pcnet *nic, uint64_t causes);
/* What the interrupt's line ought to be. */
bool pcnet_is_asserted(const struct pcnet_chip *chip);
void pcnet_interrupt_update(struct pcnet *nic);

static inline uint32_t pcnet_csr32(const struct pcnet_chip *chip,
				   unsigned index)
{
	return chip->csr[index] | (uint32_t)chip->csr[index + 1] << 16;
}

static inline void pcnet_csr32_set(struct pcnet_chip *chip, unsigned index,
				   uint32_t value)
{
	chip->csr[index] = (uint16_t)value;
	chip->csr[index + 1] = (uint16_t)(value >> 16);
}

/* A ring's descriptors: index is PCNET_CSR_RCVRL or _XMTRL. */
static inline uint32_t pcnet_ring_length(const struct pcnet_chip *chip,
					 unsigned index)
{
	return 0x10000U - chip->csr[index];
}

/* ---- pcnet_ring.c: initialization block and descriptors ---------------- */

struct pcnet_descriptor {
	uint32_t address; /* of the buffer */
	uint32_t flags;	  /* PCNET_D_*, with BCNT */
	uint32_t status;  /* third word; of reception: bytes */
};

static inline uint32_t
pcnet_descriptor_length(const struct pcnet_descriptor *descriptor)
{
	return 4096 - (uint32_t)(descriptor->flags & PCNET_D_BCNT);
}

/* CSR0.INIT: CSRs of the block's fields.  False: it is not in memory. */
bool pcnet_block_load(struct pcnet *nic);
/* The ring's base is in CSRs `base`.  False: it is not in memory, and the card
 * has stopped. */
bool pcnet_descriptor_load(struct pcnet *nic, unsigned base, uint32_t index,
			   struct pcnet_descriptor *descriptor);
/* Flags and status; it may be the driver's from then on. */
void pcnet_descriptor_store(struct pcnet *nic, unsigned base, uint32_t index,
			    const struct pcnet_descriptor *descriptor);

/* ---- pcnet_frames.c ---------------------------------------------------- */

/* What there is to be done, as far as a call may. */
void pcnet_run(struct pcnet *nic);

#endif
