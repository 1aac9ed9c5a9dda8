/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port of AHCI: command slots, the tables of regions, FISes to the guest.
 *
 * Queued commands (FPDMA) are run as the READ and WRITE DMA of 48 bits that
 * they are but for their tag, one by one: their slot is free as soon as they
 * begin.  After an error no slot has a turn until software has cleared ST.
 *
 * Does not model: the D2H FIS that takes a queued command, and DMA setup and
 * activate FISes, which nobody waits for; the I bit of regions; port
 * multipliers; asynchronous notification.
 *
 * References: AHCI 1.3.1, chapters 4 to 6; Serial ATA 2.6, "Frame Information
 * Structures"; ATA8-ACS, "NCQ Command Error log".
 */
#include "devices/ahci_internal.h"

#include "lib/string.h"

/* Command header. */
#define HEADER_SIZE    32
#define HEADER_LENGTH  MASK(4, 0) /* of the FIS, in dwords */
#define HEADER_REGIONS MASK(31, 16)
#define HEADER_MOVED   4 /* bytes, written back */
#define HEADER_TABLE   8

/* Command table. */
#define TABLE_PACKET  0x40
#define TABLE_REGIONS 0x80
#define TABLE_ALIGN   128U
#define REGION_SIZE   16
#define REGION_COUNT  MASK(21, 0) /* bytes less one, odd */

/* FISes: types, and where they go in the receive area. */
#define FIS_H2D	      0x27
#define FIS_D2H	      0x34
#define FIS_BITS      0xa1
#define FIS_PIO	      0x5f
#define FIS_AT_PIO    0x20
#define FIS_AT_D2H    0x40
#define FIS_AT_BITS   0x58
#define FIS_SIZE      20
#define FIS_BITS_SIZE 8
#define FIS_COMMAND   BIT(7) /* of byte 1, H2D: else the control register */
#define FIS_IRQ	      BIT(6) /* of byte 1, to the host */
#define FIS_TO_HOST   BIT(5) /* of byte 1, PIO setup */
#define FIS_SRST      BIT(2) /* of byte 15 */

#define COMMAND_READ_LOG    0x2f
#define COMMAND_FPDMA_READ  0x60
#define COMMAND_FPDMA_WRITE 0x61
#define COMMAND_READ_DMA    0x25
#define COMMAND_WRITE_DMA   0x35
#define COMMAND_WRITE_FUA   0x3d
#define FPDMA_FUA	    BIT(7) /* of the device register */
#define LOG_DIRECTORY	    0x00
#define LOG_NCQ_ERROR	    0x10
#define LOG_NOT_QUEUED	    BIT(7)

/* What a port moves before the others of the VM have a turn. */
#define SECTORS_A_RUN 8192
#define MORE_NS	      1000

static uint64_t wide(uint32_t low, uint32_t high)
{
	return low | (uint64_t)high << 32;
}

/* ---- Regions ----------------------------------------------------------- */

static bool region_next(const struct ide_channel *channel,
			struct ide_prd_cursor *cursor)
{
	uint8_t region[REGION_SIZE];

	if (cursor->entries == 0)
		return false;
	guest_ram_read(channel->ram, cursor->table, region, sizeof(region));
	cursor->table += REGION_SIZE;
	cursor->entries--;
	cursor->address =
		wide(pci_get32(region, 0) & ~1U, pci_get32(region, 4));
	cursor->left = (pci_get32(region, 12) & REGION_COUNT & ~1U) + 2;
	cursor->taken += cursor->left;
	return true;
}

static void advanced(struct ide_channel *channel)
{
	ahci_port_run(container_of(channel, struct ahci_port, channel));
}

const struct ide_transport ahci_transport = {
	.region_next = region_next,
	.advanced = advanced,
	.is_serial = true,
};

/* ---- FISes to the guest ------------------------------------------------- */

static void fis_post(struct ahci_port *port, unsigned at, const uint8_t *fis,
		     unsigned size)
{
	const struct ahci_port_state *state = port->state;

	if (state->cmd & AHCI_CMD_FRE && pci_is_master(&port->ahci->pci))
		guest_ram_write(port->ahci->ram,
				wide(state->fb, state->fbu) + at, fis, size);
}

/* The registers, where D2H, PIO setup and the log of errors have them. */
static void registers_put(struct ahci_port *port, uint8_t *fis)
{
	const struct ide_drive_state *drive = ahci_drive(port)->state;

	fis[2] = drive->status;
	fis[3] = drive->error;
	fis[4] = drive->now.lba_low;
	fis[5] = drive->now.lba_mid;
	fis[6] = drive->now.lba_high;
	fis[7] = drive->device;
	fis[8] = drive->before.lba_low;
	fis[9] = drive->before.lba_mid;
	fis[10] = drive->before.lba_high;
	fis[12] = drive->now.count;
	fis[13] = drive->before.count;
}

static void tfd_update(struct ahci_port *port)
{
	const struct ide_drive_state *drive = ahci_drive(port)->state;

	port->state->tfd = drive->status | (uint32_t)drive->error << 8;
}

static void d2h_post(struct ahci_port *port, bool has_irq)
{
	uint8_t fis[FIS_SIZE] = { FIS_D2H, has_irq ? FIS_IRQ : 0 };

	registers_put(port, fis);
	fis_post(port, FIS_AT_D2H, fis, sizeof(fis));
	if (has_irq)
		port->state->is |= AHCI_IS_DHRS;
	tfd_update(port);
}

static void bits_post(struct ahci_port *port, uint32_t done)
{
	const struct ide_drive_state *drive = ahci_drive(port)->state;
	uint8_t fis[FIS_BITS_SIZE] = { FIS_BITS, FIS_IRQ, drive->status & 0x77,
				       drive->error };

	pci_put32(fis, 4, done);
	fis_post(port, FIS_AT_BITS, fis, sizeof(fis));
	port->state->is |= AHCI_IS_SDBS;
	tfd_update(port);
}

static void signature_post(struct ahci_port *port)
{
	const struct ide_taskfile *now = &ahci_drive(port)->state->now;

	port->state->is_signature_due = false;
	port->state->sig = now->count | (uint32_t)now->lba_low << 8 |
			   (uint32_t)now->lba_mid << 16 |
			   (uint32_t)now->lba_high << 24;
	d2h_post(port, false);
}

/* ---- Blocks ------------------------------------------------------------- */

static void packet_take(struct ahci_port *port)
{
	struct ide_channel_state *channel = port->channel.state;

	guest_ram_read(port->ahci->ram, port->state->table + TABLE_PACKET,
		       channel->buffer + channel->position,
		       channel->end - channel->position);
	channel->position = channel->end;
	ide_block_end(&port->channel);
}

/*
 * A block that DRQ has announced.  One that the guest has no room for is lost;
 * one that it does not have ends the command.
 */
static void block_move(struct ahci_port *port)
{
	struct ide_channel_state *channel = port->channel.state;
	struct ide_drive *drive = ahci_drive(port);
	bool is_read = channel->transfer == IDE_PIO_IN;
	uint32_t bytes = channel->end - channel->position;
	uint8_t fis[FIS_SIZE] = { FIS_PIO,
				  is_read ? FIS_TO_HOST | FIS_IRQ : 0 };
	bool is_short = ide_dma_copy_at(&port->channel, channel->position,
					bytes, is_read) < bytes;

	registers_put(port, fis);
	pci_put16(fis, 16, (uint16_t)bytes);
	channel->position = channel->end;
	if (is_short)
		port->state->is |= AHCI_IS_OFS;
	if (is_short && !is_read)
		ide_command_end(drive, IDE_ERROR_ABRT);
	else
		ide_block_end(&port->channel);
	fis[15] = drive->state->status & IDE_STATUS_DRQ ? IDE_STATUS_BSY
							: drive->state->status;
	fis_post(port, FIS_AT_PIO, fis, sizeof(fis));
	if (is_read)
		port->state->is |= AHCI_IS_PSS;
	port->state->has_read = is_read;
}

/* ---- Commands ----------------------------------------------------------- */

static uint32_t slot_bit(unsigned slot)
{
	return (uint32_t)1 << slot;
}

static void error_note(struct ahci_port *port)
{
	struct ahci_port_state *state = port->state;

	memset(state->error_log, 0, sizeof(state->error_log));
	if (state->activity == AHCI_QUEUED)
		state->error_log[0] = state->tag;
	else
		state->error_log[0] = LOG_NOT_QUEUED;
	registers_put(port, state->error_log);
}

static void queued_finish(struct ahci_port *port, bool has_failed)
{
	struct ahci_port_state *state = port->state;

	if (has_failed) {
		bits_post(port, 0);
		return;
	}
	state->sact &= ~slot_bit(state->tag);
	bits_post(port, slot_bit(state->tag));
}

static void command_finish(struct ahci_port *port, bool has_failed)
{
	struct ahci_port_state *state = port->state;
	const struct ide_prd_cursor *cursor = &state->channel.cursor;
	uint8_t moved[4];

	pci_put32(moved, 0, cursor->taken - cursor->left);
	guest_ram_write(port->ahci->ram, state->header + HEADER_MOVED, moved,
			sizeof(moved));
	/* What a disk sends by PIO ends with the last block's FIS. */
	if (ahci_drive(port)->kind == IDE_DISK && state->has_read &&
	    !has_failed)
		tfd_update(port);
	else
		d2h_post(port, true);
	if (!has_failed)
		state->ci &= ~slot_bit(state->slot);
}

static void finish(struct ahci_port *port)
{
	struct ahci_port_state *state = port->state;
	struct ide_channel_state *channel = &state->channel;
	bool has_failed = ahci_drive(port)->state->status & IDE_STATUS_ERR;

	/* The drive is left with data that the table has no room for. */
	if (!has_failed && channel->left &&
	    ahci_drive(port)->kind == IDE_DISK && !state->has_read)
		state->is |= AHCI_IS_OFS;
	if (has_failed)
		error_note(port);
	if (state->activity == AHCI_QUEUED)
		queued_finish(port, has_failed);
	else
		command_finish(port, has_failed);
	state->activity = AHCI_IDLE;
	if (has_failed) {
		state->is |= AHCI_IS_TFES;
		state->is_halted = true;
	}
}

/* READ LOG EXT: the directory, and what a queued command failed of. */
static bool log_read(struct ahci_port *port)
{
	struct ide_channel_state *channel = &port->state->channel;
	struct ide_drive *drive = ahci_drive(port);
	uint8_t *page = channel->buffer, sum = 0;

	if (drive->state->now.count != 1 || drive->state->before.count ||
	    drive->state->now.lba_mid || drive->state->before.lba_mid)
		return false;
	memset(page, 0, BLOCK_SECTOR);
	if (drive->state->now.lba_low == LOG_DIRECTORY) {
		page[0] = 1; /* version */
		page[2 * LOG_NCQ_ERROR] = 1;
	} else if (drive->state->now.lba_low == LOG_NCQ_ERROR) {
		memcpy(page, port->state->error_log, AHCI_ERROR_LOG);
		for (unsigned i = 0; i < BLOCK_SECTOR - 1; i++)
			sum += page[i];
		page[BLOCK_SECTOR - 1] = (uint8_t)-sum;
	} else {
		return false;
	}
	channel->command = COMMAND_READ_LOG;
	channel->left = 0;
	channel->position = 0;
	channel->fill = channel->block = BLOCK_SECTOR;
	channel->after_block = IDE_BLOCK_ATA_READ;
	ide_pio_start(drive, IDE_PIO_IN, BLOCK_SECTOR, false);
	return true;
}

/* The command that it is but for its tag. */
static uint8_t queued_begin(struct ahci_port *port, uint8_t command)
{
	struct ahci_port_state *state = port->state;
	struct ide_drive_state *drive = ahci_drive(port)->state;
	bool is_fua = drive->device & FPDMA_FUA;

	state->activity = AHCI_QUEUED;
	state->tag = drive->now.count >> 3;
	state->ci &= ~slot_bit(state->slot);
	drive->now.count = drive->now.feature;
	drive->before.count = drive->before.feature;
	drive->device |= IDE_DEVICE_LBA;
	if (command == COMMAND_FPDMA_READ)
		return COMMAND_READ_DMA;
	return is_fua ? COMMAND_WRITE_FUA : COMMAND_WRITE_DMA;
}

static void registers_take(struct ide_drive_state *drive, const uint8_t *fis)
{
	bool is_fpdma =
		fis[2] == COMMAND_FPDMA_READ || fis[2] == COMMAND_FPDMA_WRITE;

	drive->now = (struct ide_taskfile){ fis[3], fis[12], fis[4], fis[5],
					    fis[6] };
	drive->before = (struct ide_taskfile){ fis[11], fis[13], fis[8], fis[9],
					       fis[10] };
	drive->device = is_fpdma ? fis[7]
				 : (fis[7] | IDE_DEVICE_FIXED) &
					   (uint8_t)~IDE_DEVICE_SLAVE;
	drive->error = 0;
}

static void command_begin(struct ahci_port *port, const uint8_t *fis)
{
	struct ahci_port_state *state = port->state;
	struct ide_drive *drive = ahci_drive(port);
	uint8_t command = fis[2];

	ide_irq_clear(&port->channel);
	registers_take(drive->state, fis);
	state->activity = AHCI_COMMAND;
	state->has_read = false;
	state->channel.left = 0;
	state->channel.master_status |= IDE_MASTER_ACTIVE;
	if (drive->kind == IDE_DISK && command == COMMAND_READ_LOG) {
		state->tfd |= IDE_STATUS_BSY;
		if (!log_read(port))
			ide_command_end(drive, IDE_ERROR_ABRT);
		return;
	}
	if (drive->kind == IDE_DISK &&
	    (command == COMMAND_FPDMA_READ || command == COMMAND_FPDMA_WRITE))
		command = queued_begin(port, command);
	else
		state->tfd |= IDE_STATUS_BSY;
	ide_command_run(&port->channel, command);
}

/* The device control register: a reset in two steps. */
static void control_take(struct ahci_port *port, uint8_t control)
{
	struct ahci_port_state *state = port->state;

	state->ci &= ~slot_bit(state->slot);
	if (control & FIS_SRST) {
		state->is_soft_reset = true;
	} else if (state->is_soft_reset) {
		state->is_soft_reset = false;
		ide_irq_clear(&port->channel);
		ide_drive_reset(ahci_drive(port));
		state->is_signature_due = true;
	}
}

static void slot_begin(struct ahci_port *port, unsigned slot)
{
	struct ahci_port_state *state = port->state;
	const struct guest_ram *ram = port->ahci->ram;
	uint8_t header[HEADER_SIZE / 2], fis[FIS_SIZE];
	uint32_t flags;

	state->slot = (uint8_t)slot;
	state->cmd = (state->cmd & ~(uint32_t)AHCI_CMD_CCS) |
		     FIELD_PUT(AHCI_CMD_CCS, slot);
	state->header = wide(state->clb, state->clbu) + slot * HEADER_SIZE;
	guest_ram_read(ram, state->header, header, sizeof(header));
	flags = pci_get32(header, 0);
	state->table =
		wide(pci_get32(header, HEADER_TABLE) & ~(TABLE_ALIGN - 1),
		     pci_get32(header, HEADER_TABLE + 4));
	guest_ram_read(ram, state->table, fis, sizeof(fis));
	state->channel.cursor = (struct ide_prd_cursor){
		.table = state->table + TABLE_REGIONS,
		.entries = (uint32_t)FIELD_GET(HEADER_REGIONS, flags),
	};
	if (fis[0] != FIS_H2D || FIELD_GET(HEADER_LENGTH, flags) < 2) {
		state->is |= AHCI_IS_IFS;
		state->is_halted = true;
	} else if (fis[1] & FIS_COMMAND) {
		command_begin(port, fis);
	} else {
		control_take(port, fis[15]);
	}
}

/* ---- Turns --------------------------------------------------------------- */

static uint64_t sectors_moved(struct ahci_port *port)
{
	const struct ide_counts *counts = &ahci_drive(port)->counts;

	return counts->sectors_read + counts->sectors_written;
}

static bool may_begin(const struct ahci_port *port)
{
	const struct ahci_port_state *state = port->state;

	return state->cmd & AHCI_CMD_ST && !state->is_halted && state->ci &&
	       !(state->tfd & AHCI_TFD_BUSY) && !(state->sctl & AHCI_DET) &&
	       port->channel.drive[0].kind != IDE_NONE &&
	       pci_is_master(&port->ahci->pci);
}

/* The first behind the last that had a turn. */
static bool slot_next(struct ahci_port *port)
{
	unsigned slot = port->state->slot;

	if (!may_begin(port))
		return false;
	if (sectors_moved(port) - port->moved >= SECTORS_A_RUN) {
		clock_timer_arm(port->channel.clock, &port->more,
				clock_now(port->channel.clock) + MORE_NS);
		return false;
	}
	do
		slot = (slot + 1) % AHCI_SLOTS;
	while (!(port->state->ci & slot_bit(slot)));
	slot_begin(port, slot);
	return true;
}

/* False: it waits for something. */
static bool command_step(struct ahci_port *port)
{
	struct ide_channel_state *channel = &port->state->channel;

	switch (channel->transfer) {
	case IDE_PIO_IN:
	case IDE_PIO_OUT:
		if (!pci_is_master(&port->ahci->pci))
			return false;
		if (channel->after_block == IDE_BLOCK_PACKET)
			packet_take(port);
		else
			block_move(port);
		return true;
	case IDE_DMA_PENDING:
		ide_dma_kick(&port->channel);
		return channel->transfer != IDE_DMA_PENDING;
	default:
		finish(port);
		return true;
	}
}

static bool step(struct ahci_port *port)
{
	struct ahci_port_state *state = port->state;

	if (port->channel.phase != IDE_PHASE_IDLE)
		return false;
	switch (state->activity) {
	case AHCI_COMMAND:
	case AHCI_QUEUED:
		return command_step(port);
	case AHCI_ABANDONED:
		state->activity = AHCI_IDLE;
		if (!state->is_signature_due)
			tfd_update(port);
		return true;
	}
	if (state->is_signature_due && state->cmd & AHCI_CMD_FRE &&
	    !(state->sctl & AHCI_DET)) {
		signature_post(port);
		return true;
	}
	return slot_next(port);
}

void ahci_port_run(struct ahci_port *port)
{
	if (port->is_in_run)
		return;
	port->is_in_run = true;
	port->moved = sectors_moved(port);
	while (step(port))
		;
	port->is_in_run = false;
	ahci_irq_update(port->ahci);
}

void ahci_port_abort(struct ahci_port *port)
{
	struct ide_drive *drive = ahci_drive(port);

	if (port->state->activity == AHCI_IDLE)
		return;
	port->state->activity = AHCI_ABANDONED;
	drive->state->status = IDE_STATUS_DRDY | IDE_STATUS_DSC;
	drive->state->error = 0;
	ide_channel_abort(&port->channel);
}
