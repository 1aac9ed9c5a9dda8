/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Am79C970A's initialization block and descriptors, of 16 and of 32 bits.
 *
 * References: Am79C970A data sheet: Initialization Block, Receive and Transmit
 * Descriptors.
 */
#include "devices/pcnet_internal.h"

#define RING_EXPONENT_MAX 9
#define FLAGS_16	  0xff000000U /* there are in 16 bits */

static bool is_wide(const struct pcnet *nic)
{
	return nic->state.bcr[PCNET_BCR_SWS] & PCNET_SSIZE32;
}

static bool is_swapped(const struct pcnet *nic)
{
	return FIELD_GET(PCNET_SWSTYLE, nic->state.bcr[PCNET_BCR_SWS]) ==
	       PCNET_STYLE_PCI2;
}

/* Addresses of 24 bits have the block's upper byte. */
static uint32_t upper_byte(const struct pcnet *nic)
{
	return pcnet_csr32(&nic->state.chip, PCNET_CSR_IADR) & 0xff000000;
}

/* ---- Initialization block ----------------------------------------------- */

static void lengths_set(struct pcnet_chip *chip, unsigned rx, unsigned tx)
{
	chip->csr[PCNET_CSR_LENGTHS] = (uint16_t)(tx << 12 | rx << 8);
	rx = MIN(rx, RING_EXPONENT_MAX);
	tx = MIN(tx, RING_EXPONENT_MAX);
	chip->csr[PCNET_CSR_RCVRL] = (uint16_t)(0x10000U - (1U << rx));
	chip->csr[PCNET_CSR_XMTRL] = (uint16_t)(0x10000U - (1U << tx));
}

/* PADR and LADRF follow each other, in the block with two bytes between that
 * of 16 bits does not have. */
static void addresses_set(struct pcnet_chip *chip, const uint16_t *padr,
			  const uint16_t *ladrf)
{
	for (unsigned i = 0; i < 3; i++)
		chip->csr[PCNET_CSR_PADR + i] = padr[i];
	for (unsigned i = 0; i < 4; i++)
		chip->csr[PCNET_CSR_LADRF + i] = ladrf[i];
}

static void block_take_16(struct pcnet *nic, const uint16_t *word)
{
	struct pcnet_chip *chip = &nic->state.chip;
	uint32_t upper = upper_byte(nic);

	chip->csr[PCNET_CSR_MODE] = word[0];
	addresses_set(chip, word + 1, word + 4);
	pcnet_csr32_set(chip, PCNET_CSR_BADR,
			upper | (word[9] & 0xffU) << 16 | word[8]);
	pcnet_csr32_set(chip, PCNET_CSR_BADX,
			upper | (word[11] & 0xffU) << 16 | word[10]);
	lengths_set(chip, word[9] >> 13, word[11] >> 13);
}

static void block_take_32(struct pcnet *nic, const uint16_t *word)
{
	struct pcnet_chip *chip = &nic->state.chip;

	chip->csr[PCNET_CSR_MODE] = word[0];
	addresses_set(chip, word + 2, word + 6);
	pcnet_csr32_set(chip, PCNET_CSR_BADR,
			word[10] | (uint32_t)word[11] << 16);
	pcnet_csr32_set(chip, PCNET_CSR_BADX,
			word[12] | (uint32_t)word[13] << 16);
	lengths_set(chip, word[1] >> 4 & 15, word[1] >> 12);
}

bool pcnet_block_load(struct pcnet *nic)
{
	struct pcnet_chip *chip = &nic->state.chip;
	uint16_t word[14];
	uint32_t size = is_wide(nic) ? 28 : 24;
	gpa_t at = pcnet_csr32(chip, PCNET_CSR_IADR);

	if (!guest_ram_at(nic->config.ram, at, size))
		return false;
	guest_ram_read(nic->config.ram, at, word, size);
	if (is_wide(nic))
		block_take_32(nic, word);
	else
		block_take_16(nic, word);
	chip->rx_next = 0;
	chip->tx_next = 0;
	return true;
}

/* ---- Descriptors -------------------------------------------------------- */

static void *descriptor_at(const struct pcnet *nic, unsigned base,
			   uint32_t index)
{
	uint32_t size = is_wide(nic) ? 16 : 8;

	return guest_ram_at(nic->config.ram,
			    pcnet_csr32(&nic->state.chip, base) +
				    (gpa_t)index * size,
			    size);
}

bool pcnet_descriptor_load(struct pcnet *nic, unsigned base, uint32_t index,
			   struct pcnet_descriptor *descriptor)
{
	const void *at = descriptor_at(nic, base, index);
	uint32_t dword[3];
	uint16_t word[4];

	if (!at) {
		nic->state.chip.csr[0] &= (uint16_t) ~(PCNET_RXON | PCNET_TXON);
		pcnet_fail(nic, PCNET_ERROR_RING);
		pcnet_raise(nic, PCNET_MERR);
		return false;
	}
	if (is_wide(nic)) {
		__builtin_memcpy(dword, at, sizeof(dword));
		descriptor->address = dword[is_swapped(nic) ? 2 : 0];
		descriptor->flags = dword[1];
		descriptor->status = dword[is_swapped(nic) ? 0 : 2];
		return true;
	}
	__builtin_memcpy(word, at, sizeof(word));
	descriptor->address =
		upper_byte(nic) | (word[1] & 0xffU) << 16 | word[0];
	descriptor->flags = (word[1] & 0xff00U) << 16 | (word[2] & 0xfffU);
	descriptor->status = word[3];
	return true;
}

/* The flags last: with them it changes hands. */
void pcnet_descriptor_store(struct pcnet *nic, unsigned base, uint32_t index,
			    const struct pcnet_descriptor *descriptor)
{
	uint8_t *at = descriptor_at(nic, base, index);
	uint32_t flags = descriptor->flags | 0xf000;
	uint16_t status;

	if (!at)
		return;
	if (is_wide(nic)) {
		__builtin_memcpy(at + (is_swapped(nic) ? 0 : 8),
				 &descriptor->status, 4);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		__builtin_memcpy(at + 4, &flags, 4);
		return;
	}
	/* Of transmission the errors, of reception the length. */
	status = (uint16_t)(base == PCNET_CSR_BADX ? descriptor->status >> 16
						   : descriptor->status);
	__builtin_memcpy(at + 6, &status, 2);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	at[3] = (uint8_t)((flags & FLAGS_16) >> 24);
}
