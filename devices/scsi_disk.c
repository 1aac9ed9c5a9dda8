/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A SCSI disk's requests to its medium, and what a transport moves.  See
 * scsi_disk.h.
 */
#include "devices/scsi_disk.h"

#include "devices/clear.h"
#include "include/errno.h"
#include "lib/string.h"

static struct scsi_disk *disk_of(struct scsi_unit *unit)
{
	return container_of(unit, struct scsi_disk, unit);
}

/* ---- Requests ----------------------------------------------------------- */

void scsi_disk_buffer_set(struct scsi_disk_state *state, uint32_t length)
{
	state->offset = 0;
	state->length = length;
	memset(state->buffer + length, 0, SCSI_DISK_BUFFER - length);
}

static void request_failed(struct scsi_disk *disk, int status)
{
	bool is_write = disk->request.op != BLOCK_READ;

	disk->state->is_flush_due = false;
	if (status == -EROFS)
		scsi_disk_fail(disk, SCSI_DATA_PROTECT, SCSI_PROTECTED);
	else
		scsi_disk_fail(disk, SCSI_MEDIUM_ERROR,
			       is_write ? SCSI_WRITE_ERROR : SCSI_READ_ERROR);
	disk->state->left = 0;
	scsi_disk_buffer_set(disk->state, 0);
}

static void request_succeeded(struct scsi_disk *disk)
{
	struct scsi_disk_state *state = disk->state;
	uint32_t length = disk->request.segment_count
				  ? disk->request.segment[0].length
				  : 0;

	switch (disk->request.op) {
	case BLOCK_READ:
		memcpy(state->buffer, disk->bounce, length);
		scsi_disk_buffer_set(state, length);
		break;
	case BLOCK_WRITE:
		scsi_disk_buffer_set(state, 0);
		break;
	case BLOCK_FLUSH:
		state->is_flush_due = false;
		break;
	default: /* it asks for nothing else */
		break;
	}
	state->sector += length / BLOCK_SECTOR;
}

static void request_done(void *dev, struct block_request *request, int status)
{
	struct scsi_disk *disk = dev;
	bool is_wanted = !disk->is_forgotten;

	disk->is_busy = disk->is_forgotten = false;
	clock_timer_disarm(disk->config.clock, &disk->timer);
	if (is_wanted && status)
		request_failed(disk, status);
	else if (is_wanted)
		request_succeeded(disk);
	if (is_wanted && disk->config.ended)
		disk->config.ended(disk->config.ctx, request->op, status);
	if (!disk->is_nested && disk->unit.ready)
		disk->unit.ready(disk->unit.ctx);
}

static void request_cancel(struct scsi_disk *disk)
{
	struct block_backend *backend = disk->config.backend;

	if (disk->is_busy && backend->cancel)
		backend->cancel(backend->ctx, &disk->request);
}

static void timer_expired(void *dev)
{
	request_cancel(dev);
}

/* length: of the bounce buffer; 0: a flush has none. */
static void submit(struct scsi_disk *disk, enum block_op op, uint32_t length)
{
	struct block_backend *backend = disk->config.backend;
	struct clock *clock = disk->config.clock;

	disk->request = (struct block_request){
		.op = op,
		.sector = disk->state->sector,
		.segment_count = length != 0,
		.segment[0] = { disk->bounce, length },
		.failed_sector = BLOCK_UNKNOWN,
		.done = request_done,
		.dev = disk,
	};
	disk->is_busy = disk->is_nested = true;
	backend->submit(backend->ctx, &disk->request);
	disk->is_nested = false;
	if (disk->is_busy)
		clock_timer_arm(clock, &disk->timer,
				clock_now(clock) + SCSI_DISK_TIMEOUT_NS);
}

void scsi_disk_fill(struct scsi_disk *disk)
{
	submit(disk, BLOCK_READ,
	       MIN(disk->state->left, (uint32_t)SCSI_DISK_BUFFER));
}

void scsi_disk_write(struct scsi_disk *disk)
{
	memcpy(disk->bounce, disk->state->buffer, disk->state->length);
	submit(disk, BLOCK_WRITE, disk->state->length);
}

void scsi_disk_flush(struct scsi_disk *disk)
{
	submit(disk, BLOCK_FLUSH, 0);
}

/* ---- The unit ----------------------------------------------------------- */

static void unit_begin(struct scsi_unit *unit, const uint8_t *command)
{
	struct scsi_disk *disk = disk_of(unit);

	memcpy(disk->state->command, command, SCSI_COMMAND);
	scsi_disk_command(disk);
}

static enum scsi_step unit_step(struct scsi_unit *unit)
{
	struct scsi_disk *disk = disk_of(unit);
	struct scsi_disk_state *state = disk->state;

	if (disk->is_busy)
		return SCSI_WAITS;
	if (state->left && !state->is_out && state->offset == state->length)
		scsi_disk_fill(disk);
	if (!disk->is_busy && !state->left && state->is_flush_due)
		scsi_disk_flush(disk);
	if (disk->is_busy)
		return SCSI_WAITS;
	if (!state->left)
		return SCSI_ENDED;
	return state->is_out ? SCSI_DATA_OUT : SCSI_DATA_IN;
}

static uint32_t unit_give(struct scsi_unit *unit, void *to, uint32_t size)
{
	struct scsi_disk_state *state = disk_of(unit)->state;
	uint32_t done = MIN(size, state->length - state->offset);

	memcpy(to, state->buffer + state->offset, done);
	state->offset += done;
	state->left -= done;
	if (state->offset == state->length)
		scsi_disk_buffer_set(state, 0);
	return done;
}

static uint32_t unit_take(struct scsi_unit *unit, const void *from,
			  uint32_t size)
{
	struct scsi_disk *disk = disk_of(unit);
	struct scsi_disk_state *state = disk->state;
	uint32_t room = SCSI_DISK_BUFFER - state->length;
	uint32_t done = MIN(size, MIN(room, state->left));

	memcpy(state->buffer + state->length, from, done);
	state->length += done;
	state->left -= done;
	if (!state->is_media)
		scsi_disk_buffer_set(state, 0);
	else if (!state->left || state->length == SCSI_DISK_BUFFER)
		scsi_disk_write(disk);
	return done;
}

static uint8_t unit_status(struct scsi_unit *unit)
{
	return disk_of(unit)->state->status;
}

static void unit_forget(struct scsi_unit *unit)
{
	scsi_disk_forget(disk_of(unit));
}

static bool unit_is_free(const struct scsi_unit *unit)
{
	return !container_of(unit, const struct scsi_disk, unit)->is_busy;
}

static const struct scsi_unit_ops unit_ops = {
	.begin = unit_begin,
	.step = unit_step,
	.give = unit_give,
	.take = unit_take,
	.status = unit_status,
	.forget = unit_forget,
	.is_free = unit_is_free,
};

/* ---- Life --------------------------------------------------------------- */

void scsi_disk_forget(struct scsi_disk *disk)
{
	struct scsi_disk_state *state = disk->state;

	state->status = SCSI_GOOD;
	state->sense_key = state->sense_code = 0;
	state->is_media = state->is_out = state->is_flush_due = false;
	state->left = 0;
	scsi_disk_buffer_set(state, 0);
	disk->is_forgotten = disk->is_busy;
	request_cancel(disk);
}

void scsi_disk_restored(struct scsi_disk *disk)
{
	disk->is_forgotten = disk->is_busy;
}

void scsi_disk_init(struct scsi_disk *disk, struct scsi_disk_state *state,
		    const struct scsi_disk_config *config)
{
	memory_clear(disk, sizeof(*disk));
	disk->unit.ops = &unit_ops;
	disk->config = *config;
	disk->state = state;
	disk->timer.expired = timer_expired;
	disk->timer.dev = disk;
}

/* ---- State -------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_ARRAY(struct scsi_disk_state, command),
	STATE_VALUE(struct scsi_disk_state, status,
		    .max = SCSI_CHECK_CONDITION),
	STATE_VALUE(struct scsi_disk_state, sense_key, .max = 15),
	STATE_VALUE(struct scsi_disk_state, sense_code),
	STATE_VALUE(struct scsi_disk_state, is_media),
	STATE_VALUE(struct scsi_disk_state, is_out),
	STATE_VALUE(struct scsi_disk_state, is_flush_due),
	STATE_RESERVED(struct scsi_disk_state, reserved),
	STATE_VALUE(struct scsi_disk_state, left),
	STATE_VALUE(struct scsi_disk_state, offset, .max = SCSI_DISK_BUFFER),
	STATE_VALUE(struct scsi_disk_state, length, .max = SCSI_DISK_BUFFER),
	STATE_RESERVED(struct scsi_disk_state, pad),
	STATE_VALUE(struct scsi_disk_state, sector),
	STATE_ARRAY(struct scsi_disk_state, buffer),
};

const struct state_description scsi_disk_description =
	STATE_DESCRIPTION(struct scsi_disk_state, fields);

/* What the medium is still asked for: what is not in the buffer yet, or what
 * is, and not on the medium. */
static bool media_is_valid(const struct scsi_disk *disk,
			   const struct scsi_disk_state *state)
{
	uint64_t all = disk->config.backend->sector_count;
	uint64_t buffered = state->length - state->offset;
	uint64_t asked =
		state->is_out ? state->left + buffered : state->left - buffered;

	return asked % BLOCK_SECTOR == 0 && state->sector <= all &&
	       asked / BLOCK_SECTOR <= all - state->sector;
}

static bool rest_is_zero(const struct scsi_disk_state *state)
{
	for (uint32_t i = state->length; i < SCSI_DISK_BUFFER; i++)
		if (state->buffer[i])
			return false;
	return true;
}

bool scsi_disk_is_valid(const struct scsi_disk *disk,
			const struct scsi_disk_state *state)
{
	uint32_t buffered = state->length - state->offset;

	if (state->offset > state->length || !rest_is_zero(state))
		return false;
	if (state->is_out &&
	    (state->offset || state->length == SCSI_DISK_BUFFER))
		return false;
	if (!state->is_out && buffered > state->left)
		return false;
	if (!state->left) /* all of it has been moved */
		return !buffered;
	if (state->is_media)
		return media_is_valid(disk, state);
	return state->is_out ? !state->length : buffered == state->left;
}
