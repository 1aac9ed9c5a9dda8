/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A channel's block request, from its submission to what follows it.  The
 * phases are drawn above enum ide_phase.
 */
#include "devices/ide.h"

#include "devices/ide_internal.h"
#include "include/errno.h"

static void (*const request_runs[IDE_REQUEST_COUNT])(struct ide_drive *drive,
						     int status) = {
	[IDE_REQUEST_ATA_READ] = ata_read_request_done,
	[IDE_REQUEST_ATA_WRITE] = ata_write_request_done,
	[IDE_REQUEST_ATA_FLUSH] = ata_flush_request_done,
	[IDE_REQUEST_ATAPI_READ] = atapi_read_request_done,
	[IDE_REQUEST_DMA] = ide_dma_request_done,
};

static void request_finish(struct ide_channel *channel, int status)
{
	enum ide_phase was = channel->phase;

	channel->phase = IDE_PHASE_FINISHING;
	if (was == IDE_PHASE_DEFERRED)
		ide_command_run(channel, channel->state->command);
	else if (was != IDE_PHASE_ABANDONED)
		request_runs[channel->after_request](ide_selected(channel),
						     status);
	if (channel->phase == IDE_PHASE_FINISHING)
		channel->phase = IDE_PHASE_IDLE;
}

static void request_loop(struct ide_channel *channel);

static void request_done(void *dev, struct block_request *request, int status)
{
	struct ide_channel *channel = dev;

	(void)request;
	if (channel->phase == IDE_PHASE_SUBMITTING) {
		channel->phase = IDE_PHASE_COMPLETED;
		channel->completed_status = status;
		return;
	}
	request_finish(channel, status);
	request_loop(channel);
}

static void request_loop(struct ide_channel *channel)
{
	while (channel->phase == IDE_PHASE_READY) {
		struct block_backend *backend = ide_selected(channel)->backend;

		channel->phase = IDE_PHASE_SUBMITTING;
		if (backend)
			backend->submit(backend->ctx, &channel->request);
		else /* the medium is gone in the middle of a command */
			request_done(channel, &channel->request, -EIO);
		if (channel->phase == IDE_PHASE_COMPLETED)
			request_finish(channel, channel->completed_status);
		else
			channel->phase = IDE_PHASE_IN_FLIGHT;
	}
}

void ide_request_submit(struct ide_drive *drive, enum ide_after_request after)
{
	struct ide_channel *channel = drive->channel;
	bool is_nested = channel->phase == IDE_PHASE_FINISHING;

	channel->request.done = request_done;
	channel->request.dev = channel;
	channel->after_request = after;
	channel->phase = IDE_PHASE_READY;
	if (!is_nested)
		request_loop(channel);
}

void ide_request_buffer(struct ide_drive *drive, enum block_op op,
			uint32_t sectors, enum ide_after_request after)
{
	struct ide_channel *channel = drive->channel;
	struct block_request *request = &channel->request;

	channel->chunk = sectors;
	request->op = op;
	request->sector = channel->state->sector;
	request->segment_count = sectors ? 1 : 0;
	request->segment[0].host = channel->state->buffer;
	request->segment[0].length = sectors * BLOCK_SECTOR;
	ide_request_submit(drive, after);
}

void ide_request_abandon(struct ide_channel *channel)
{
	if (channel->phase != IDE_PHASE_IDLE)
		channel->phase = IDE_PHASE_ABANDONED;
}
