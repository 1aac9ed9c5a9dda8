/* SPDX-License-Identifier: BSD-2-Clause */
/* A SCSI CD-ROM drive.  See scsi_cdrom.h. */
#include "devices/scsi_cdrom.h"

#include "devices/clear.h"
#include "devices/ide_internal.h"
#include "lib/string.h"

#define COMMAND_PACKET	0xa0
#define BYTE_LIMIT	0xfffe
#define INQUIRY_VERSION 2 /* SCSI-2, and its format of the data */

static struct scsi_cdrom *cdrom_of(struct scsi_unit *unit)
{
	return container_of(unit, struct scsi_cdrom, unit);
}

/* ---- The channel's transport -------------------------------------------- */

/* There is no DMA here. */
static bool region_next(const struct ide_channel *channel,
			struct ide_prd_cursor *cursor)
{
	(void)channel;
	(void)cursor;
	return false;
}

static void advanced(struct ide_channel *channel)
{
	struct scsi_cdrom *cdrom =
		container_of(channel, struct scsi_cdrom, channel);

	if (cdrom->unit.ready)
		cdrom->unit.ready(cdrom->unit.ctx);
}

static const struct ide_transport transport = {
	.region_next = region_next,
	.advanced = advanced,
};

/* ---- The unit ----------------------------------------------------------- */

static void packet_make(uint8_t *packet, const uint8_t *command)
{
	memset(packet, 0, ATAPI_PACKET);
	if (command[0] != SCSI_READ_6) {
		memcpy(packet, command, ATAPI_PACKET);
		return;
	}
	packet[0] = SCSI_READ_10;
	packet[3] = command[1] & 0x1f;
	packet[4] = command[2];
	packet[5] = command[3];
	packet[7] = command[4] == 0;
	packet[8] = command[4];
}

/* ATAPI's answer is its own as to versions and the bus. */
static void inquiry_mend(struct scsi_cdrom *cdrom)
{
	struct ide_channel_state *channel = cdrom->channel.state;

	if (channel->transfer != IDE_PIO_IN)
		return;
	channel->buffer[2] = channel->buffer[3] = INQUIRY_VERSION;
	channel->buffer[7] = cdrom->capabilities;
}

static void unit_begin(struct scsi_unit *unit, const uint8_t *command)
{
	struct scsi_cdrom *cdrom = cdrom_of(unit);
	struct ide_channel *channel = &cdrom->channel;
	struct ide_drive_state *drive = channel->drive[0].state;

	ide_irq_clear(channel);
	drive->error = 0;
	drive->now = (struct ide_taskfile){ .lba_mid = BYTE_LIMIT & 0xff,
					    .lba_high = BYTE_LIMIT >> 8 };
	channel->state->left = 0;
	ide_command_run(channel, COMMAND_PACKET);
	packet_make(channel->state->buffer, command);
	channel->state->position = channel->state->end;
	ide_block_end(channel);
	if (command[0] == SCSI_INQUIRY)
		inquiry_mend(cdrom);
}

static bool unit_is_free(const struct scsi_unit *unit)
{
	return container_of(unit, const struct scsi_cdrom, unit)
		       ->channel.phase == IDE_PHASE_IDLE;
}

static enum scsi_step unit_step(struct scsi_unit *unit)
{
	if (!unit_is_free(unit))
		return SCSI_WAITS;
	switch (cdrom_of(unit)->channel.state->transfer) {
	case IDE_PIO_IN:
		return SCSI_DATA_IN;
	case IDE_PIO_OUT:
		return SCSI_DATA_OUT;
	default:
		return SCSI_ENDED;
	}
}

static uint32_t moved(struct ide_channel *channel, uint32_t bytes)
{
	channel->state->position += bytes;
	if (channel->state->position == channel->state->end)
		ide_block_end(channel);
	return bytes;
}

static uint32_t unit_give(struct scsi_unit *unit, void *to, uint32_t size)
{
	struct ide_channel *channel = &cdrom_of(unit)->channel;
	struct ide_channel_state *state = channel->state;
	uint32_t bytes = MIN(size, state->end - state->position);

	memcpy(to, state->buffer + state->position, bytes);
	return moved(channel, bytes);
}

static uint32_t unit_take(struct scsi_unit *unit, const void *from,
			  uint32_t size)
{
	struct ide_channel *channel = &cdrom_of(unit)->channel;
	struct ide_channel_state *state = channel->state;
	uint32_t bytes = MIN(size, state->end - state->position);

	memcpy(state->buffer + state->position, from, bytes);
	return moved(channel, bytes);
}

static uint8_t unit_status(struct scsi_unit *unit)
{
	return cdrom_of(unit)->channel.drive[0].state->status & IDE_STATUS_ERR
		       ? SCSI_CHECK_CONDITION
		       : SCSI_GOOD;
}

static void unit_forget(struct scsi_unit *unit)
{
	struct ide_channel *channel = &cdrom_of(unit)->channel;

	channel->drive[0].state->status = IDE_STATUS_DRDY | IDE_STATUS_DSC;
	channel->drive[0].state->error = 0;
	ide_channel_abort(channel);
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

void scsi_cdrom_reset(struct scsi_cdrom *cdrom)
{
	unit_forget(&cdrom->unit);
	ide_irq_clear(&cdrom->channel);
	ide_drive_reset(&cdrom->channel.drive[0]);
}

void scsi_cdrom_medium_change(struct scsi_cdrom *cdrom,
			      struct block_backend *backend)
{
	atapi_medium_change(&cdrom->channel.drive[0], backend);
}

void scsi_cdrom_restored(struct scsi_cdrom *cdrom)
{
	ide_request_abandon(&cdrom->channel);
}

bool scsi_cdrom_is_valid(const struct scsi_cdrom *cdrom,
			 const struct ide_channel_state *state, uint64_t now_ns)
{
	return state->selected == 0 && state->transfer != IDE_DMA_PENDING &&
	       ide_channel_is_valid(&cdrom->channel, state) &&
	       ide_drive_is_valid(&state->drive[0], now_ns) &&
	       ide_drive_is_valid(&state->drive[1], now_ns);
}

void scsi_cdrom_init(struct scsi_cdrom *cdrom, struct ide_channel_state *state,
		     const struct scsi_cdrom_config *config)
{
	const struct ide_drive_config none = { .kind = IDE_NONE };
	const struct ide_drive_config drive = { .kind = IDE_CDROM,
						.backend = config->backend };

	memory_clear(cdrom, sizeof(*cdrom));
	cdrom->unit.ops = &unit_ops;
	cdrom->capabilities = config->capabilities;
	cdrom->channel.state = state;
	cdrom->channel.transport = &transport;
	cdrom->channel.ram = config->ram;
	cdrom->channel.clock = config->clock;
	cdrom->channel.pci = config->pci;
	ide_request_init(&cdrom->channel);
	ide_drive_init(&cdrom->channel.drive[0], &cdrom->channel, 0, &drive);
	ide_drive_init(&cdrom->channel.drive[1], &cdrom->channel, 1, &none);
}
