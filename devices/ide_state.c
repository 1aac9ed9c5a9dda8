/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of the IDE function's state, and which of them go together.
 */
#include "devices/ide_internal.h"

#define TABLE_ENTRIES_MAX 65535	 /* AHCI's; the bus master's has 8192 */
#define REGION_MAX	  MIB(4) /* AHCI's; the bus master's has 64 KiB */

static const struct state_field taskfile_fields[] = {
	STATE_VALUE(struct ide_taskfile, feature),
	STATE_VALUE(struct ide_taskfile, count),
	STATE_VALUE(struct ide_taskfile, lba_low),
	STATE_VALUE(struct ide_taskfile, lba_mid),
	STATE_VALUE(struct ide_taskfile, lba_high),
};

static const struct state_description taskfile_description =
	STATE_DESCRIPTION(struct ide_taskfile, taskfile_fields);

static const struct state_field drive_fields[] = {
	STATE_VALUE(struct ide_drive_state, status),
	STATE_VALUE(struct ide_drive_state, error, .reset = IDE_DIAGNOSTIC_OK),
	STATE_VALUE(struct ide_drive_state, device),
	STATE_STRUCT(struct ide_drive_state, now, &taskfile_description),
	STATE_STRUCT(struct ide_drive_state, before, &taskfile_description),
	STATE_VALUE(struct ide_drive_state, multiple, .reset = IDE_MULTIPLE,
		    .max = IDE_MULTIPLE),
	STATE_VALUE(struct ide_drive_state, now_cylinders),
	STATE_VALUE(struct ide_drive_state, now_heads, .reset = IDE_HEADS,
		    .min = 1, .max = IDE_HEADS),
	STATE_VALUE(struct ide_drive_state, now_sectors, .reset = IDE_SECTORS,
		    .min = 1, .max = IDE_SECTORS),
	STATE_VALUE(struct ide_drive_state, transfer_mode,
		    .reset = IDE_MODE_UDMA_5),
	STATE_VALUE(struct ide_drive_state, power, .reset = IDE_POWER_ACTIVE),
	STATE_VALUE(struct ide_drive_state, is_write_cached, .reset = true),
	STATE_VALUE(struct ide_drive_state, is_read_ahead, .reset = true),
	STATE_VALUE(struct ide_drive_state, keeps_settings),
	STATE_VALUE(struct ide_drive_state, is_interrupting),
	STATE_ARRAY(struct ide_drive_state, sense),
	STATE_VALUE(struct ide_drive_state, fields),
	STATE_VALUE(struct ide_drive_state, is_locked),
	/* The tray and the medium know no reset. */
	STATE_VALUE(struct ide_drive_state, is_open, .flags = STATE_KEPT),
	STATE_VALUE(struct ide_drive_state, is_changed, .flags = STATE_KEPT),
	STATE_VALUE(struct ide_drive_state, has_event, .flags = STATE_KEPT),
	STATE_ARRAY(struct ide_drive_state, mode),
	STATE_VALUE(struct ide_drive_state, audio, .reset = ATAPI_AUDIO_NONE,
		    .min = ATAPI_AUDIO_PLAYING, .max = ATAPI_AUDIO_NONE),
	STATE_RESERVED(struct ide_drive_state, reserved),
	STATE_VALUE(struct ide_drive_state, audio_position),
	STATE_VALUE(struct ide_drive_state, audio_end),
	STATE_VALUE(struct ide_drive_state, audio_since_ns),
};

const struct state_description ide_drive_description =
	STATE_DESCRIPTION(struct ide_drive_state, drive_fields);

static const struct state_field cursor_fields[] = {
	STATE_VALUE(struct ide_prd_cursor, table),
	STATE_VALUE(struct ide_prd_cursor, address),
	STATE_VALUE(struct ide_prd_cursor, entries, .max = TABLE_ENTRIES_MAX),
	STATE_VALUE(struct ide_prd_cursor, left, .max = REGION_MAX),
	STATE_VALUE(struct ide_prd_cursor, taken),
	STATE_VALUE(struct ide_prd_cursor, is_last),
	STATE_RESERVED(struct ide_prd_cursor, reserved),
};

static const struct state_description cursor_description =
	STATE_DESCRIPTION(struct ide_prd_cursor, cursor_fields);

static const struct state_field channel_fields[] = {
	STATE_VALUE(struct ide_channel_state, sector),
	STATE_VALUE(struct ide_channel_state, left),
	STATE_VALUE(struct ide_channel_state, block, .max = IDE_BUFFER),
	STATE_VALUE(struct ide_channel_state, command),
	STATE_VALUE(struct ide_channel_state, is_write),
	STATE_VALUE(struct ide_channel_state, is_packet_dma),
	STATE_VALUE(struct ide_channel_state, selected, .max = IDE_DRIVES - 1),
	STATE_VALUE(struct ide_channel_state, control),
	STATE_VALUE(struct ide_channel_state, intrq),
	STATE_VALUE(struct ide_channel_state, master_command),
	STATE_VALUE(struct ide_channel_state, master_status),
	STATE_VALUE(struct ide_channel_state, master_table),
	STATE_VALUE(struct ide_channel_state, after_start,
		    .max = IDE_START_COUNT - 1),
	STATE_STRUCT(struct ide_channel_state, cursor, &cursor_description),
	STATE_VALUE(struct ide_channel_state, transfer, .max = IDE_DMA_PENDING),
	STATE_VALUE(struct ide_channel_state, after_block,
		    .max = IDE_BLOCK_COUNT - 1),
	STATE_VALUE(struct ide_channel_state, position, .max = IDE_BUFFER),
	STATE_VALUE(struct ide_channel_state, end, .max = IDE_BUFFER),
	STATE_VALUE(struct ide_channel_state, fill, .max = IDE_BUFFER),
	STATE_RESERVED(struct ide_channel_state, reserved),
	STATE_STRUCTS(struct ide_channel_state, drive, &ide_drive_description),
	STATE_ARRAY(struct ide_channel_state, buffer),
};

const struct state_description ide_channel_description =
	STATE_DESCRIPTION(struct ide_channel_state, channel_fields);

static const struct state_field fields[] = {
	STATE_STRUCTS(struct ide_state, channel, &ide_channel_description),
	STATE_STRUCT(struct ide_state, pci, &pci_device_description),
	STATE_RESERVED(struct ide_state, reserved),
};

const struct state_description ide_description =
	STATE_DESCRIPTION(struct ide_state, fields);

/* Which continuations a drive of a kind can have, a bit each. */
static const uint8_t blocks_of[] = {
	[IDE_NONE] = 0,
	[IDE_DISK] = BIT(IDE_BLOCK_ATA_READ) | BIT(IDE_BLOCK_ATA_WRITE),
	[IDE_CDROM] = BIT(IDE_BLOCK_END) | BIT(IDE_BLOCK_PACKET) |
		      BIT(IDE_BLOCK_REPLY) | BIT(IDE_BLOCK_PARAMETERS),
};

static const uint8_t starts_of[] = {
	[IDE_NONE] = 0,
	[IDE_DISK] = BIT(IDE_START_SECTORS),
	[IDE_CDROM] = BIT(IDE_START_SECTORS) | BIT(IDE_START_REPLY) |
		      BIT(IDE_START_PARAMETERS) | BIT(IDE_START_FIELDS),
};

bool ide_channel_is_valid(const struct ide_channel *channel,
			  const struct ide_channel_state *state)
{
	enum ide_kind kind = channel->drive[state->selected].kind;

	/* Else a restore would change it, or make an edge of it. */
	if (state->intrq != ide_irq_level(channel, state))
		return false;
	switch (state->transfer) {
	case IDE_PIO_IN:
	case IDE_PIO_OUT:
		/* A block without bytes would never end. */
		return state->position < state->end &&
		       state->end <= state->fill &&
		       (state->block || state->after_block == IDE_BLOCK_END) &&
		       blocks_of[kind] & BIT(state->after_block);
	case IDE_DMA_PENDING:
		return starts_of[kind] & BIT(state->after_start);
	default:
		return true;
	}
}

/* What plays has an end, and began. */
bool ide_drive_is_valid(const struct ide_drive_state *state, uint64_t now_ns)
{
	return state->audio_position <= state->audio_end &&
	       state->audio_since_ns <= now_ns;
}

bool ide_state_is_valid(const void *dev, const void *saved, uint64_t now_ns)
{
	const struct ide *ide = dev;
	const struct ide_state *state = saved;

	for (unsigned i = 0; i < IDE_CHANNELS; i++) {
		const struct ide_channel_state *channel = &state->channel[i];

		if (!ide_channel_is_valid(&ide->channel[i], channel))
			return false;
		for (unsigned j = 0; j < IDE_DRIVES; j++)
			if (!ide_drive_is_valid(&channel->drive[j], now_ns))
				return false;
	}
	return pci_device_is_valid(&ide->pci, &state->pci);
}
