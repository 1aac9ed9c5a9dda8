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
	[IDE_REQUEST_ATA_VERIFY] = ata_verify_request_done,
	[IDE_REQUEST_ATA_FLUSH] = ata_flush_request_done,
	[IDE_REQUEST_ATAPI_READ] = atapi_read_request_done,
	[IDE_REQUEST_DMA] = ide_dma_request_done,
};

/* ---- Time -------------------------------------------------------------- */

static void deadline_set(struct ide_channel *channel, uint64_t timeout_ns)
{
	struct clock *clock = channel->clock;

	channel->deadline_ns = clock_now(clock) + timeout_ns;
	if (!channel->timer.is_armed ||
	    channel->timer.deadline_ns > channel->deadline_ns)
		clock_timer_arm(clock, &channel->timer, channel->deadline_ns);
}

/* It may end before this returns. */
static void request_cancel(struct ide_channel *channel)
{
	struct block_backend *medium = channel->medium;

	if (medium->cancel)
		medium->cancel(medium->ctx, &channel->request);
}

static void timer_expired(void *dev)
{
	struct ide_channel *channel = dev;

	if (channel->phase != IDE_PHASE_IN_FLIGHT) /* nobody waits */
		return;
	if (clock_now(channel->clock) < channel->deadline_ns)
		clock_timer_arm(channel->clock, &channel->timer,
				channel->deadline_ns);
	else
		request_cancel(channel);
}

void ide_request_init(struct ide_channel *channel)
{
	channel->timer.expired = timer_expired;
	channel->timer.dev = channel;
}

/* ---- From submission to end -------------------------------------------- */

/* A write that is to last, to a medium that cannot write through. */
static bool is_flush_due(const struct ide_channel *channel, int status)
{
	return status == 0 && channel->request.op == BLOCK_WRITE &&
	       !channel->request.is_fua && ata_is_durable(channel->requester);
}

static void request_count(const struct ide_channel *channel, int status)
{
	struct ide_counts *counts = &channel->requester->counts;
	uint32_t moved = status ? ide_request_moved(channel) : channel->chunk;

	counts->requests++;
	counts->errors += status != 0;
	if (channel->request.op == BLOCK_READ)
		counts->sectors_read += moved;
	else if (channel->request.op == BLOCK_WRITE)
		counts->sectors_written += moved;
}

static void request_finish(struct ide_channel *channel, int status)
{
	enum ide_phase was = channel->phase;

	request_count(channel, status);
	channel->phase = IDE_PHASE_FINISHING;
	if (was == IDE_PHASE_RESETTING) {
		/* Nobody has waited but for the end. */
	} else if (is_flush_due(channel, status)) {
		channel->request.op = BLOCK_FLUSH;
		channel->request.segment_count = 0;
		channel->phase = IDE_PHASE_READY;
	} else {
		request_runs[channel->after_request](ide_selected(channel),
						     status);
	}
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
	if (channel->phase == IDE_PHASE_IDLE && channel->transport->advanced)
		channel->transport->advanced(channel);
}

static void request_loop(struct ide_channel *channel)
{
	while (channel->phase == IDE_PHASE_READY) {
		struct block_request *request = &channel->request;
		struct block_backend *backend = ide_selected(channel)->backend;

		channel->requester = ide_selected(channel);
		channel->medium = backend;
		channel->phase = IDE_PHASE_SUBMITTING;
		request->failed_sector = BLOCK_UNKNOWN;
		request->is_fua = request->op == BLOCK_WRITE && backend &&
				  backend->has_fua &&
				  ata_is_durable(channel->requester);
		if (backend)
			backend->submit(backend->ctx, request);
		else /* the medium is gone in the middle of a command */
			request_done(channel, request, -ENODEV);
		if (channel->phase == IDE_PHASE_COMPLETED) {
			request_finish(channel, channel->completed_status);
			continue;
		}
		channel->phase = IDE_PHASE_IN_FLIGHT;
		deadline_set(channel, request->op == BLOCK_FLUSH
					      ? IDE_FLUSH_TIMEOUT_NS
					      : IDE_TIMEOUT_NS);
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

uint32_t ide_request_moved(const struct ide_channel *channel)
{
	const struct block_request *request = &channel->request;

	/* The backend's word counts for the request's own sectors. */
	if (request->failed_sector < request->sector ||
	    request->failed_sector - request->sector >= channel->chunk)
		return 0;
	return (uint32_t)(request->failed_sector - request->sector);
}

/* ---- Without the command that it was for ------------------------------- */

void ide_request_abandon(struct ide_channel *channel)
{
	if (channel->phase != IDE_PHASE_IN_FLIGHT)
		return;
	channel->phase = IDE_PHASE_RESETTING;
	request_cancel(channel);
}
