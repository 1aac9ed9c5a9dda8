/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The NE2000's memory, and remote DMA between it and the data port.
 *
 * References: DP8390D data sheet: Remote DMA, Send Packet Command.
 */
#include "devices/ne2000_internal.h"

#define HEADER 4 /* of a packet in the ring */

uint8_t ne2000_memory_read(const struct ne2000 *nic, unsigned address)
{
	if (address < NE2000_PROM_SPACE)
		return nic->state.prom[address % NE2000_PROM_SIZE];
	address -= NE2000_RAM;
	return address < NE2000_RAM_SIZE ? nic->state.ram[address] : 0xff;
}

void ne2000_memory_write(struct ne2000 *nic, unsigned address, uint8_t value)
{
	if (address - NE2000_RAM < NE2000_RAM_SIZE)
		nic->state.ram[address - NE2000_RAM] = value;
}

static unsigned command(const struct ne2000 *nic)
{
	return (unsigned)FIELD_GET(NE2000_CR_RD, nic->state.chip.cr);
}

/* The packet at BNRY: its header says how long it is. */
static void packet_start(struct ne2000 *nic)
{
	struct ne2000_chip *chip = &nic->state.chip;
	unsigned at = chip->bnry * NE2000_PAGE;
	uint8_t next = ne2000_memory_read(nic, at + 1);
	unsigned length = ne2000_memory_read(nic, at + 2) |
			  ne2000_memory_read(nic, at + 3) << 8;

	chip->is_sending_packet = false;
	chip->rbcr = 0;
	if (chip->bnry == chip->curr || length < HEADER ||
	    next < chip->pstart || next >= chip->pstop) {
		ne2000_fail(nic, NE2000_ERROR_HEADER);
		return;
	}
	chip->is_sending_packet = true;
	chip->next = next;
	chip->rsar = (uint16_t)at;
	chip->rbcr = (uint16_t)length;
}

static void complete(struct ne2000 *nic)
{
	struct ne2000_chip *chip = &nic->state.chip;
	bool was_packet = chip->is_sending_packet;

	chip->is_sending_packet = false;
	if (was_packet)
		chip->bnry = chip->next;
	ne2000_raise(nic, NE2000_RDC);
	if (was_packet)
		ne2000_ring_changed(nic);
}

void ne2000_remote_start(struct ne2000 *nic)
{
	unsigned rd = command(nic);

	if (rd == NE2000_RD_SEND)
		packet_start(nic);
	else
		nic->state.chip.is_sending_packet = false;
	if (rd && rd < NE2000_RD_ABORT && !nic->state.chip.rbcr)
		complete(nic);
}

/* A ring is read as if it had no end. */
static void advance(struct ne2000_chip *chip)
{
	chip->rsar++;
	if (chip->rsar == chip->pstop * NE2000_PAGE)
		chip->rsar = (uint16_t)(chip->pstart * NE2000_PAGE);
	if (chip->rbcr)
		chip->rbcr--;
}

/* A byte, or a word of which the bus may have asked but for one half. */
static unsigned transfer(struct ne2000 *nic, unsigned value, bool is_write)
{
	struct ne2000_chip *chip = &nic->state.chip;
	unsigned bytes = chip->dcr & NE2000_DCR_WTS ? 2 : 1;
	unsigned data = 0;

	for (unsigned i = 0; i < bytes; i++) {
		if (is_write)
			ne2000_memory_write(nic, chip->rsar,
					    (uint8_t)(value >> 8 * i));
		else
			data |= (unsigned)ne2000_memory_read(nic, chip->rsar)
				<< 8 * i;
		advance(chip);
	}
	if (!chip->rbcr)
		complete(nic);
	return data;
}

static bool is_active(const struct ne2000 *nic, bool is_write)
{
	unsigned rd = command(nic);

	return nic->state.chip.rbcr &&
	       (is_write ? rd == NE2000_RD_WRITE
			 : rd == NE2000_RD_READ || rd == NE2000_RD_SEND);
}

/* In as many bytes or words as it takes; what is too much is not there. */
void ne2000_data_access(struct ne2000 *nic, struct io_access *io)
{
	unsigned step = nic->state.chip.dcr & NE2000_DCR_WTS ? 2 : 1;
	uint64_t data = 0;

	for (unsigned i = 0; i < io->size; i += step) {
		uint64_t part = step == 2 ? 0xffff : 0xff;

		if (!is_active(nic, io->is_write))
			ne2000_fail(nic, NE2000_ERROR_REMOTE);
		else
			part = transfer(nic,
					(unsigned)(io->data >> 8 * i & part),
					io->is_write);
		data |= part << 8 * i;
	}
	if (!io->is_write)
		io->data = data & MASK(8 * io->size - 1, 0);
}
