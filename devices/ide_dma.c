/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bus master half of the IDE function: registers, the table of physical
 * regions, and transfers between regions and media.
 *
 * Regions of whole sectors in RAM are handed to the backend as they are; a
 * request with others goes through the channel's buffer.
 *
 * Stopping in mid-transfer: sectors of a request in flight still move, then the
 * drive waits for the bus master.  What is started again begins with its new
 * table and the sectors that are left.
 *
 * Does not model: target aborts.
 *
 * References: Programming Interface for Bus Master IDE Controller 1.0.
 */
#include "devices/ide.h"

#include "devices/ide_internal.h"
#include "include/errno.h"

/* Bus master registers of one channel. */
#define MASTER_COMMAND	 0
#define MASTER_START	 BIT(0)
#define MASTER_TO_MEMORY BIT(3)
#define MASTER_STATUS	 2
#define MASTER_ERROR	 BIT(1)		   /* of memory: never set here */
#define MASTER_CAPABLE	 (BIT(5) | BIT(6)) /* software's notes */
#define MASTER_TABLE	 4

/* Physical region descriptors. */
#define PRD_SIZE       8
#define PRD_TABLE_SIZE 65536
#define PRD_ADDRESS    MASK(31, 1)
#define PRD_COUNT      MASK(15, 1)
#define PRD_COUNT_MAX  65536
#define PRD_LAST       BIT(31)

/* Bytes of one request: a command may ask for more. */
#define REQUEST_MAX GIB(1)

/* ---- Bus master: regions ----------------------------------------------- */

bool ide_prd_next(const struct ide_channel *channel,
		  struct ide_prd_cursor *cursor)
{
	uint8_t prd[PRD_SIZE];
	uint32_t count;

	if (cursor->is_last || cursor->entries == 0)
		return false;
	guest_ram_read(channel->ram, cursor->table, prd, sizeof(prd));
	cursor->table += PRD_SIZE;
	cursor->entries--;
	cursor->address = pci_get32(prd, 0) & PRD_ADDRESS;
	count = pci_get32(prd, 4) & PRD_COUNT;
	cursor->left = count ? count : PRD_COUNT_MAX;
	cursor->taken += cursor->left;
	cursor->is_last = pci_get32(prd, 4) & PRD_LAST;
	return true;
}

/* False: the table is at its end. */
static bool cursor_next(const struct ide_channel *channel,
			struct ide_prd_cursor *cursor)
{
	return cursor->left || channel->transport->region_next(channel, cursor);
}

uint32_t ide_dma_copy_at(struct ide_channel *channel, uint32_t from,
			 uint32_t bytes, bool to_guest)
{
	struct ide_prd_cursor *cursor = &channel->state->cursor;
	uint8_t *buffer = channel->state->buffer + from;
	uint32_t at = 0;

	while (at < bytes && cursor_next(channel, cursor)) {
		uint32_t piece = MIN(bytes - at, cursor->left);

		if (to_guest)
			guest_ram_write(channel->ram, cursor->address,
					buffer + at, piece);
		else
			guest_ram_read(channel->ram, cursor->address,
				       buffer + at, piece);
		cursor->address += piece;
		cursor->left -= piece;
		at += piece;
	}
	return at;
}

uint32_t ide_dma_copy(struct ide_channel *channel, uint32_t bytes,
		      bool to_guest)
{
	return ide_dma_copy_at(channel, 0, bytes, to_guest);
}

/*
 * Regions that are RAM and whole sectors need no copy: they become the
 * request's segments.  Returns the bytes they make, 0 if the first is of
 * another sort.
 */
static uint32_t dma_segments(struct ide_channel *channel, uint32_t bytes)
{
	struct block_request *request = &channel->request;
	uint32_t at = 0;

	request->segment_count = 0;
	while (at < bytes && request->segment_count < BLOCK_SEGMENTS) {
		struct ide_prd_cursor next = channel->state->cursor;
		struct block_segment *segment =
			&request->segment[request->segment_count];

		if (!cursor_next(channel, &next))
			break;
		segment->length = MIN(bytes - at, next.left);
		segment->host = guest_ram_at(channel->ram, next.address,
					     segment->length);
		if (!segment->host || segment->length % BLOCK_SECTOR)
			break;
		next.address += segment->length;
		next.left -= segment->length;
		channel->state->cursor = next;
		request->segment_count++;
		at += segment->length;
	}
	return at;
}

/* ---- Bus master: transfers --------------------------------------------- */

void ide_dma_end(struct ide_channel *channel)
{
	/* Regions left over: the bus master remains active. */
	if (channel->state->cursor.left == 0 &&
	    (channel->state->cursor.is_last ||
	     channel->state->cursor.entries == 0))
		channel->state->master_status &= ~IDE_MASTER_ACTIVE;
}

bool ide_dma_is_running(const struct ide_channel *channel)
{
	return channel->state->master_status & IDE_MASTER_ACTIVE &&
	       pci_is_master(channel->pci);
}

static void sectors_run(struct ide_drive *drive);

/*
 * The sectors before the one that failed have been transferred.  The bus master
 * did nothing wrong: it waits for more, active as long as it is not stopped.
 */
static void request_failed(struct ide_drive *drive, int status)
{
	struct ide_channel *channel = drive->channel;
	uint32_t moved = ide_request_moved(channel);

	if (channel->is_bounced && !channel->state->is_write &&
	    ide_dma_is_running(channel))
		(void)ide_dma_copy(channel, moved * BLOCK_SECTOR, true);
	channel->state->sector += moved;
	channel->state->left -= moved;
	ide_transfer_end(drive, status);
}

void ide_dma_request_done(struct ide_drive *drive, int status)
{
	struct ide_channel *channel = drive->channel;
	uint32_t bytes = channel->chunk * BLOCK_SECTOR;

	if (status) {
		request_failed(drive, status);
		return;
	}
	if (channel->is_bounced && !channel->state->is_write) {
		if (!ide_dma_is_running(channel)) {
			/* Stopped meanwhile: they are read again. */
			sectors_run(drive);
			return;
		}
		if (ide_dma_copy(channel, bytes, true) < bytes) {
			channel->state->master_status &= ~IDE_MASTER_ACTIVE;
			ide_transfer_end(drive, -ENOSPC);
			return;
		}
	}
	channel->state->sector += channel->chunk;
	channel->state->left -= channel->chunk;
	sectors_run(drive);
}

static void sectors_run(struct ide_drive *drive)
{
	struct ide_channel *channel = drive->channel;
	uint32_t left = drive->kind == IDE_DISK ? ata_sectors_left(drive)
						: channel->state->left;
	uint64_t total = MIN((uint64_t)left * BLOCK_SECTOR, REQUEST_MAX);
	uint32_t bytes;

	if (channel->state->left == 0) {
		ide_dma_end(channel);
		ide_transfer_end(drive, 0);
		return;
	}
	if (left == 0) { /* the rest is beyond the disk's end */
		ide_transfer_end(drive, -ERANGE);
		return;
	}
	if (!ide_dma_is_running(channel)) {
		ide_dma_wait(drive, IDE_START_SECTORS);
		return;
	}
	if (drive->kind == IDE_CDROM && !atapi_may_read(drive))
		return;
	bytes = dma_segments(channel, (uint32_t)total);
	channel->is_bounced = bytes == 0;
	if (channel->is_bounced) {
		bytes = (uint32_t)MIN(total, IDE_BUFFER);
		if (channel->state->is_write)
			bytes = ide_dma_copy(channel, bytes, false);
		bytes = ALIGN_DOWN(bytes, BLOCK_SECTOR);
		channel->request.segment_count = 1;
		channel->request.segment[0].host = channel->state->buffer;
		channel->request.segment[0].length = bytes;
	}
	if (bytes == 0) {
		channel->state->master_status &= ~IDE_MASTER_ACTIVE;
		ide_transfer_end(drive, -ENOSPC);
		return;
	}
	channel->chunk = bytes / BLOCK_SECTOR;
	channel->request.op =
		channel->state->is_write ? BLOCK_WRITE : BLOCK_READ;
	channel->request.sector = channel->state->sector;
	ide_request_submit(drive, IDE_REQUEST_DMA);
}

/* ---- Bus master: start ------------------------------------------------- */

static void (*const start_runs[IDE_START_COUNT])(struct ide_drive *drive) = {
	[IDE_START_SECTORS] = sectors_run,
	[IDE_START_REPLY] = atapi_reply_dma,
	[IDE_START_PARAMETERS] = atapi_parameters_dma,
	[IDE_START_FIELDS] = atapi_fields_dma,
};

void ide_dma_kick(struct ide_channel *channel)
{
	if (channel->state->transfer != IDE_DMA_PENDING ||
	    !ide_dma_is_running(channel))
		return;
	channel->state->transfer = IDE_IDLE;
	ide_selected(channel)->state->status = IDE_STATUS_BSY;
	start_runs[channel->state->after_start](ide_selected(channel));
}

void ide_dma_wait(struct ide_drive *drive, enum ide_after_start after)
{
	struct ide_channel *channel = drive->channel;

	drive->state->status =
		IDE_STATUS_DRDY | IDE_STATUS_DSC | IDE_STATUS_DRQ;
	channel->state->transfer = IDE_DMA_PENDING;
	channel->state->after_start = after;
	ide_dma_kick(channel);
}

/* ---- Bus master: registers --------------------------------------------- */

static void master_command_write(struct ide_channel *channel, uint8_t value)
{
	bool was_started = channel->state->master_command & MASTER_START;

	channel->state->master_command =
		value & (MASTER_START | MASTER_TO_MEMORY);
	if (!(value & MASTER_START)) {
		/* What is in flight goes on; only its end is not awaited. */
		channel->state->master_status &= ~IDE_MASTER_ACTIVE;
		return;
	}
	if (was_started)
		return;
	channel->state->master_status |= IDE_MASTER_ACTIVE;
	channel->state->cursor = (struct ide_prd_cursor){
		.table = channel->state->master_table,
		.entries = (PRD_TABLE_SIZE -
			    channel->state->master_table % PRD_TABLE_SIZE) /
			   PRD_SIZE,
	};
	ide_dma_kick(channel);
}

static void master_byte_write(struct ide_channel *channel, unsigned offset,
			      uint8_t value)
{
	uint8_t *status = &channel->state->master_status;
	unsigned shift = 8 * (offset - MASTER_TABLE);

	switch (offset) {
	case MASTER_COMMAND:
		master_command_write(channel, value);
		break;
	case MASTER_STATUS:
		*status &= ~(value & (MASTER_ERROR | IDE_MASTER_INTERRUPT));
		*status =
			(*status & ~MASTER_CAPABLE) | (value & MASTER_CAPABLE);
		break;
	case MASTER_TABLE ... MASTER_TABLE + 3:
		channel->state->master_table &= ~(0xffU << shift);
		channel->state->master_table |= (uint32_t)value << shift;
		channel->state->master_table &= ~3U;
		break;
	}
}

static uint8_t master_byte_read(const struct ide_channel *channel,
				unsigned offset)
{
	switch (offset) {
	case MASTER_COMMAND:
		return channel->state->master_command;
	case MASTER_STATUS:
		return channel->state->master_status;
	case MASTER_TABLE ... MASTER_TABLE + 3:
		return (uint8_t)(channel->state->master_table >>
				 8 * (offset - MASTER_TABLE));
	default:
		return 0;
	}
}

void ide_master_access(void *dev, struct io_access *io)
{
	struct ide *ide = dev;
	uint64_t data = 0;

	for (unsigned i = 0; i < io->size; i++) {
		unsigned offset = (unsigned)io->offset + i;
		struct ide_channel *channel =
			&ide->channel[offset / IDE_MASTER_SIZE % IDE_CHANNELS];

		if (io->is_write)
			master_byte_write(channel, offset % IDE_MASTER_SIZE,
					  (uint8_t)(io->data >> 8 * i));
		else
			data |= (uint64_t)master_byte_read(
					channel, offset % IDE_MASTER_SIZE)
				<< 8 * i;
	}
	if (!io->is_write)
		io->data = data;
}
