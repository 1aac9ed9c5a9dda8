/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ATAPI CD-ROM drive with a data disc: one track of 2048-byte sectors.
 *
 * Does not model: audio that is heard, sub-channels with data, copy protection,
 * writing, changing speed (accepted, without effect).  A change of medium is
 * reported once, as a unit attention and as a media event.
 *
 * References: ATA/ATAPI-6, "PACKET Command feature set"; MMC-4; SPC-3.
 */
#include "devices/atapi_internal.h"

#include "include/errno.h"
#include "lib/string.h"

/* Interrupt reason, in the count register. */
#define REASON_COMMAND BIT(0)
#define REASON_TO_HOST BIT(1)

#define FEATURE_DMA BIT(0)

#define MECHANISM_OPEN	  0x10
#define MECHANISM_PLAYING 0x20

#define EVENT_CLASS_MEDIA 4
#define EVENT_NEW_MEDIA	  2

bool atapi_has_medium(const struct ide_drive *drive)
{
	return drive->backend && !drive->state->is_open;
}

uint32_t atapi_block_count(const struct ide_drive *drive)
{
	if (!atapi_has_medium(drive))
		return 0;
	return (uint32_t)MIN(drive->backend->sector_count / SECTORS_PER_BLOCK,
			     UINT32_MAX);
}

/* ---- Ends -------------------------------------------------------------- */

static void sense_set(struct ide_drive *drive, uint8_t key, uint8_t asc)
{
	memset(drive->state->sense, 0, sizeof(drive->state->sense));
	drive->state->sense[0] = SENSE_CURRENT;
	drive->state->sense[2] = key;
	drive->state->sense[7] = ATAPI_SENSE - 8;
	drive->state->sense[12] = asc;
}

void atapi_end_good(struct ide_drive *drive)
{
	ide_command_end(drive, 0);
	drive->state->now.count = REASON_COMMAND | REASON_TO_HOST;
	ide_irq_raise(drive->channel);
}

static void end_check(struct ide_drive *drive)
{
	uint8_t key = drive->state->sense[2];

	ide_command_end(drive, (uint8_t)(key << 4 | IDE_ERROR_ABRT));
	drive->state->now.count = REASON_COMMAND | REASON_TO_HOST;
	ide_irq_raise(drive->channel);
}

void atapi_end_sense(struct ide_drive *drive, uint8_t key, uint8_t asc)
{
	sense_set(drive, key, asc);
	end_check(drive);
}

/* The information field is the block that cannot be read. */
static void end_read_error(struct ide_drive *drive)
{
	uint64_t block = drive->channel->state->sector / SECTORS_PER_BLOCK;

	sense_set(drive, SENSE_MEDIUM_ERROR, ASC_READ_ERROR);
	drive->state->sense[0] |= SENSE_VALID;
	atapi_put32(drive->state->sense + 3, (uint32_t)block);
	end_check(drive);
}

static void end_timeout(struct ide_drive *drive)
{
	sense_set(drive, SENSE_HARDWARE_ERROR, ASC_COMMUNICATION);
	drive->state->sense[13] = ASCQ_TIMEOUT;
	end_check(drive);
}

void atapi_transfer_end(struct ide_drive *drive, int status)
{
	switch (status) {
	case 0:
		atapi_end_good(drive);
		break;
	case -ENOSPC:
		/* Too few regions: the drive is left without an interrupt. */
		ide_command_end(drive, 0);
		break;
	case -ENODEV:
		atapi_end_sense(drive, SENSE_NOT_READY, ASC_NO_MEDIUM);
		break;
	case -ERANGE:
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST, ASC_OUT_OF_RANGE);
		break;
	case IDE_TIMED_OUT:
		end_timeout(drive);
		break;
	default:
		end_read_error(drive);
	}
}

/* ---- Data to the host -------------------------------------------------- */

static uint32_t byte_limit(const struct ide_drive *drive)
{
	uint32_t limit = drive->state->now.lba_mid | drive->state->now.lba_high
							     << 8;

	/* 0 is said to mean all; a block has to be even. */
	return limit == 0 || limit == 0xffff ? 0xfffe : MAX(limit & ~1U, 2U);
}

static void read_chunk(struct ide_drive *drive);

/* The next block of what is in the buffer. */
static void reply_block(struct ide_drive *drive)
{
	struct ide_channel *channel = drive->channel;
	uint32_t bytes = MIN(channel->state->block,
			     channel->state->fill - channel->state->position);

	drive->state->now.count = REASON_TO_HOST;
	drive->state->now.lba_mid = (uint8_t)bytes;
	drive->state->now.lba_high = (uint8_t)(bytes >> 8);
	ide_pio_start(drive, IDE_PIO_IN, bytes, true);
}

void atapi_reply_block_done(struct ide_drive *drive)
{
	struct ide_channel *channel = drive->channel;

	if (channel->state->position < channel->state->fill)
		reply_block(drive);
	else if (channel->state->left)
		read_chunk(drive);
	else
		atapi_end_good(drive);
}

void atapi_reply_dma(struct ide_drive *drive)
{
	struct ide_channel *channel = drive->channel;
	bool is_short = ide_dma_copy(channel, channel->state->fill, true) <
			channel->state->fill;

	ide_dma_end(channel);
	atapi_transfer_end(drive, is_short ? -ENOSPC : 0);
}

void atapi_reply(struct ide_drive *drive, uint32_t bytes, uint32_t allowed)
{
	struct ide_channel *channel = drive->channel;

	bytes = MIN(bytes, allowed);
	if (bytes == 0) {
		atapi_end_good(drive);
		return;
	}
	channel->state->left = 0;
	channel->state->position = 0;
	channel->state->fill = bytes;
	channel->state->after_block = IDE_BLOCK_REPLY;
	drive->state->now.count = REASON_TO_HOST;
	if (channel->state->is_packet_dma)
		ide_dma_wait(drive, IDE_START_REPLY);
	else
		reply_block(drive);
}

/* ---- Data from the host ------------------------------------------------ */

static void parameter_block(struct ide_drive *drive)
{
	struct ide_channel *channel = drive->channel;
	uint32_t bytes = MIN(channel->state->block,
			     channel->state->fill - channel->state->position);

	drive->state->now.count = 0; /* data, to the drive */
	drive->state->now.lba_mid = (uint8_t)bytes;
	drive->state->now.lba_high = (uint8_t)(bytes >> 8);
	ide_pio_start(drive, IDE_PIO_OUT, bytes, true);
}

void atapi_parameter_block_done(struct ide_drive *drive)
{
	struct ide_channel *channel = drive->channel;

	if (channel->state->position < channel->state->fill)
		parameter_block(drive);
	else
		atapi_mode_select_run(drive, channel->state->fill);
}

void atapi_parameters_dma(struct ide_drive *drive)
{
	struct ide_channel *channel = drive->channel;
	uint32_t bytes = channel->state->fill;
	bool is_short = ide_dma_copy(channel, bytes, false) < bytes;

	ide_dma_end(channel);
	if (is_short)
		atapi_transfer_end(drive, -ENOSPC);
	else
		atapi_mode_select_run(drive, bytes);
}

void atapi_parameters_take(struct ide_drive *drive, uint32_t bytes)
{
	struct ide_channel *channel = drive->channel;

	channel->state->left = 0;
	channel->state->position = 0;
	channel->state->fill = bytes;
	channel->state->after_block = IDE_BLOCK_PARAMETERS;
	drive->state->now.count = 0;
	if (channel->state->is_packet_dma)
		ide_dma_wait(drive, IDE_START_PARAMETERS);
	else
		parameter_block(drive);
}

/* ---- Reading ----------------------------------------------------------- */

bool atapi_may_read(struct ide_drive *drive)
{
	if (!drive->state->is_changed)
		return true;
	drive->state->is_changed = false;
	atapi_end_sense(drive, SENSE_UNIT_ATTENTION, ASC_MEDIUM_CHANGED);
	return false;
}

static void sectors_done(struct ide_channel *channel)
{
	channel->state->sector += channel->chunk;
	channel->state->left -= channel->chunk;
}

/* READ CD by DMA: what is in the buffer, then the rest. */
static void fields_to_guest(struct ide_drive *drive)
{
	struct ide_channel *channel = drive->channel;
	uint32_t bytes = channel->state->fill;

	if (!ide_dma_is_running(channel)) {
		/* Stopped meanwhile: they are read again. */
		ide_dma_wait(drive, IDE_START_FIELDS);
		return;
	}
	if (ide_dma_copy(channel, bytes, true) < bytes) {
		channel->state->master_status &= ~IDE_MASTER_ACTIVE;
		atapi_transfer_end(drive, -ENOSPC);
		return;
	}
	sectors_done(channel);
	if (channel->state->left) {
		read_chunk(drive);
		return;
	}
	ide_dma_end(channel);
	atapi_end_good(drive);
}

/* What has been read before the block that failed goes to the guest first. */
void atapi_read_request_done(struct ide_drive *drive, int status)
{
	struct ide_channel *channel = drive->channel;

	if (status) {
		channel->chunk = ALIGN_DOWN(ide_request_moved(channel),
					    SECTORS_PER_BLOCK);
		if (channel->chunk == 0) {
			atapi_transfer_end(drive, status);
			return;
		}
	}
	channel->state->position = 0;
	channel->state->fill = channel->chunk * BLOCK_SECTOR;
	if (drive->state->fields)
		channel->state->fill = atapi_raw_make(
			channel->state->buffer, drive->state->fields,
			(uint32_t)(channel->state->sector / SECTORS_PER_BLOCK),
			channel->chunk / SECTORS_PER_BLOCK);
	if (channel->state->is_packet_dma) {
		fields_to_guest(drive);
		return;
	}
	sectors_done(channel);
	reply_block(drive);
}

static void read_chunk(struct ide_drive *drive)
{
	struct ide_channel *channel = drive->channel;
	uint32_t size = drive->state->fields
				? atapi_raw_size(drive->state->fields)
				: ATAPI_SECTOR;
	uint32_t blocks = IDE_BUFFER / MAX(size, ATAPI_SECTOR);

	if (!atapi_may_read(drive))
		return;
	drive->state->status = IDE_STATUS_BSY;
	ide_request_buffer(
		drive, BLOCK_READ,
		MIN(channel->state->left, blocks * SECTORS_PER_BLOCK),
		IDE_REQUEST_ATAPI_READ);
}

void atapi_fields_dma(struct ide_drive *drive)
{
	read_chunk(drive);
}

void atapi_read_blocks(struct ide_drive *drive, uint32_t block, uint32_t count,
		       uint8_t fields)
{
	struct ide_channel *channel = drive->channel;

	if (block >= atapi_block_count(drive) ||
	    count > atapi_block_count(drive) - block) {
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST, ASC_OUT_OF_RANGE);
		return;
	}
	/* A command's sectors have to fit their counter. */
	if (count > UINT32_MAX / SECTORS_PER_BLOCK) {
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST,
				ASC_INVALID_FIELD);
		return;
	}
	if (count == 0) {
		atapi_end_good(drive);
		return;
	}
	atapi_audio_stop(drive);
	channel->state->sector = (uint64_t)block * SECTORS_PER_BLOCK;
	channel->state->left = count * SECTORS_PER_BLOCK;
	channel->state->is_write = false;
	drive->state->fields = fields;
	channel->state->after_block = IDE_BLOCK_REPLY;
	if (channel->state->is_packet_dma) {
		drive->state->now.count = REASON_TO_HOST;
		ide_dma_wait(drive,
			     fields ? IDE_START_FIELDS : IDE_START_SECTORS);
	} else {
		read_chunk(drive);
	}
}

static void do_read10(struct ide_drive *drive, const uint8_t *packet)
{
	atapi_read_blocks(drive, atapi_get32(packet + 2),
			  atapi_get16(packet + 7), 0);
}

static void do_read12(struct ide_drive *drive, const uint8_t *packet)
{
	atapi_read_blocks(drive, atapi_get32(packet + 2),
			  atapi_get32(packet + 6), 0);
}

static void do_seek(struct ide_drive *drive, const uint8_t *packet)
{
	if (atapi_get32(packet + 2) >= atapi_block_count(drive)) {
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST, ASC_OUT_OF_RANGE);
		return;
	}
	atapi_audio_stop(drive);
	atapi_end_good(drive);
}

/* ---- State of the drive ------------------------------------------------ */

static void do_nothing(struct ide_drive *drive, const uint8_t *packet)
{
	(void)packet;
	atapi_end_good(drive);
}

static void do_request_sense(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer;

	if (drive->state->sense[0] == 0 && drive->state->is_changed) {
		sense_set(drive, SENSE_UNIT_ATTENTION, ASC_MEDIUM_CHANGED);
		drive->state->is_changed = false;
	}
	memcpy(to, drive->state->sense, ATAPI_SENSE);
	to[0] |= SENSE_CURRENT; /* SENSE_VALID is the error's */
	to[7] = ATAPI_SENSE - 8;
	memset(drive->state->sense, 0, sizeof(drive->state->sense));
	atapi_reply(drive, ATAPI_SENSE, packet[4]);
}

static void do_inquiry(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer;

	if (packet[1] & 1 || packet[2]) { /* vital product data: none */
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST,
				ASC_INVALID_FIELD);
		return;
	}
	memset(to, 0, 36);
	to[0] = 0x05; /* CD-ROM */
	to[1] = 0x80; /* removable */
	to[3] = 0x21; /* ATAPI, response format 1 */
	to[4] = 36 - 5;
	memcpy(to + 8, "BULKHEAD", 8);
	memcpy(to + 16, "CD-ROM          ", 16);
	memcpy(to + 32, "1.0 ", 4);
	atapi_reply(drive, 36, packet[4]);
}

static void do_start_stop(struct ide_drive *drive, const uint8_t *packet)
{
	bool is_start = packet[4] & 1, is_load_eject = packet[4] & 2;

	if (is_load_eject && !is_start && drive->state->is_locked) {
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST,
				ASC_REMOVAL_PREVENTED);
		return;
	}
	if (!is_start)
		atapi_audio_stop(drive);
	if (is_load_eject) {
		if (!is_start || drive->state->is_open)
			atapi_audio_forget(drive);
		if (drive->state->is_open && is_start && drive->backend) {
			drive->state->is_changed = true;
			drive->state->has_event = true;
		}
		drive->state->is_open = !is_start;
	}
	atapi_end_good(drive);
}

static void do_prevent_allow(struct ide_drive *drive, const uint8_t *packet)
{
	drive->state->is_locked = packet[4] & 1;
	atapi_end_good(drive);
}

static void do_mechanism_status(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer;
	uint32_t position = atapi_audio_position(drive);

	memset(to, 0, 8);
	to[1] = (uint8_t)((drive->state->is_open ? MECHANISM_OPEN : 0) |
			  (drive->state->audio == ATAPI_AUDIO_PLAYING
				   ? MECHANISM_PLAYING
				   : 0));
	to[2] = (uint8_t)(position >> 16);
	atapi_put16(to + 3, position);
	to[5] = 1; /* one slot */
	atapi_reply(drive, 8, atapi_get16(packet + 8));
}

static void do_get_event(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer;

	if (!(packet[1] & 1)) { /* asynchronous */
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST,
				ASC_INVALID_FIELD);
		return;
	}
	memset(to, 0, 8);
	to[3] = BIT(EVENT_CLASS_MEDIA); /* supported classes */
	if (!(packet[4] & BIT(EVENT_CLASS_MEDIA))) {
		atapi_put16(to, 2);
		to[2] = 0x80; /* no event of the classes asked for */
		atapi_reply(drive, 4, atapi_get16(packet + 7));
		return;
	}
	atapi_put16(to, 6);
	to[2] = EVENT_CLASS_MEDIA;
	to[4] = drive->state->has_event ? EVENT_NEW_MEDIA : 0;
	to[5] = (uint8_t)((drive->state->is_open ? BIT(0) : 0) |
			  (atapi_has_medium(drive) ? BIT(1) : 0));
	drive->state->has_event = false;
	atapi_reply(drive, 8, atapi_get16(packet + 7));
}

/* ---- The disc ---------------------------------------------------------- */

static void do_read_capacity(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer;

	(void)packet;
	atapi_put32(to, atapi_block_count(drive) - 1);
	atapi_put32(to + 4, ATAPI_SECTOR);
	atapi_reply(drive, 8, 8);
}

/* ---- Packets ----------------------------------------------------------- */

#define NEEDS_MEDIUM	 BIT(0)
#define BEFORE_ATTENTION BIT(1) /* done with a unit attention pending */

struct packet_row {
	uint8_t opcode;
	uint8_t flags;
	void (*run)(struct ide_drive *drive, const uint8_t *packet);
};

/* clang-format off */
static const struct packet_row rows[] = {
	{ 0x00, NEEDS_MEDIUM, do_nothing }, /* TEST UNIT READY */
	{ 0x03, BEFORE_ATTENTION, do_request_sense },
	{ 0x12, BEFORE_ATTENTION, do_inquiry },
	{ 0x1b, 0, do_start_stop },
	{ 0x1e, 0, do_prevent_allow },
	{ 0x25, NEEDS_MEDIUM, do_read_capacity },
	{ 0x28, NEEDS_MEDIUM, do_read10 },
	{ 0x2b, NEEDS_MEDIUM, do_seek },
	{ 0x42, NEEDS_MEDIUM, atapi_read_sub_channel },
	{ 0x43, NEEDS_MEDIUM, atapi_read_toc },
	{ 0x44, NEEDS_MEDIUM, atapi_read_header },
	{ 0x45, NEEDS_MEDIUM, atapi_play },
	{ 0x46, BEFORE_ATTENTION, atapi_get_configuration },
	{ 0x47, NEEDS_MEDIUM, atapi_play_msf },
	{ 0x4a, BEFORE_ATTENTION, do_get_event },
	{ 0x4b, NEEDS_MEDIUM, atapi_pause },
	{ 0x4e, NEEDS_MEDIUM, atapi_stop },
	{ 0x51, NEEDS_MEDIUM, atapi_disc_information },
	{ 0x55, 0, atapi_mode_select },
	{ 0x5a, 0, atapi_mode_sense },
	{ 0xa5, NEEDS_MEDIUM, atapi_play }, /* of 12 bytes */
	{ 0xa8, NEEDS_MEDIUM, do_read12 },
	{ 0xb9, NEEDS_MEDIUM, atapi_read_cd_msf },
	{ 0xbb, 0, do_nothing }, /* SET CD SPEED */
	{ 0xbd, 0, do_mechanism_status },
	{ 0xbe, NEEDS_MEDIUM, atapi_read_cd },
};
/* clang-format on */

static const struct packet_row *row_find(uint8_t opcode)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].opcode == opcode)
			return &rows[i];
	return NULL;
}

void atapi_packet_run(struct ide_drive *drive)
{
	uint8_t packet[ATAPI_PACKET];
	const struct packet_row *row;

	/* Replies are made where the packet lies. */
	memcpy(packet, drive->channel->state->buffer, sizeof(packet));
	row = row_find(packet[0]);
	if (!row) {
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST,
				ASC_INVALID_OPCODE);
		return;
	}
	if (drive->state->is_changed && !(row->flags & BEFORE_ATTENTION)) {
		drive->state->is_changed = false;
		atapi_end_sense(drive, SENSE_UNIT_ATTENTION,
				ASC_MEDIUM_CHANGED);
		return;
	}
	if (row->flags & NEEDS_MEDIUM && atapi_block_count(drive) == 0) {
		atapi_end_sense(drive, SENSE_NOT_READY, ASC_NO_MEDIUM);
		return;
	}
	if (packet[0] != 0x03)
		memset(drive->state->sense, 0, sizeof(drive->state->sense));
	row->run(drive, packet);
}

static void packet_begin(struct ide_drive *drive)
{
	struct ide_channel *channel = drive->channel;

	channel->state->is_packet_dma = drive->state->now.feature & FEATURE_DMA;
	channel->state->block = byte_limit(drive);
	channel->state->position = 0;
	channel->state->fill = ATAPI_PACKET;
	channel->state->after_block = IDE_BLOCK_PACKET;
	drive->state->now.count = REASON_COMMAND;
	/* IDENTIFY says that DRQ for the packet comes without interrupt. */
	ide_pio_start(drive, IDE_PIO_OUT, ATAPI_PACKET, false);
}

/* ---- ATA commands ------------------------------------------------------ */

static void identify(struct ide_drive *drive)
{
	struct ide_channel *channel = drive->channel;

	ide_identify_cdrom(drive, channel->state->buffer);
	channel->state->position = 0;
	channel->state->fill = IDE_IDENTIFY_SIZE;
	channel->state->after_block = IDE_BLOCK_END;
	ide_pio_start(drive, IDE_PIO_IN, IDE_IDENTIFY_SIZE, true);
}

static bool feature_set(struct ide_drive *drive)
{
	switch (drive->state->now.feature) {
	case 0x03:
		return ide_transfer_mode_set(drive, drive->state->now.count);
	case 0x66: /* settings are kept, or not, over a software reset */
	case 0xcc:
		drive->state->keeps_settings =
			drive->state->now.feature == 0x66;
		return true;
	default:
		return false;
	}
}

/* False: aborted. */
static bool command_do(struct ide_drive *drive, uint8_t command)
{
	switch (command) {
	case 0x98: /* CHECK POWER MODE, old and new */
	case 0xe5:
		drive->state->now.count = drive->state->power;
		return true;
	case 0x94: /* STANDBY, SLEEP */
	case 0x96:
	case 0x99:
	case 0xe0:
	case 0xe2:
	case 0xe6:
		drive->state->power = IDE_POWER_STANDBY;
		return true;
	case 0x95: /* IDLE */
	case 0x97:
	case 0xe1:
	case 0xe3:
		drive->state->power = IDE_POWER_ACTIVE;
		return true;
	case 0xef:
		return feature_set(drive);
	case 0x20: /* READ SECTORS and IDENTIFY DEVICE tell who is here */
	case 0xec:
		ide_signature_set(drive);
		return false;
	default:
		return false;
	}
}

void atapi_command(struct ide_drive *drive, uint8_t command)
{
	switch (command) {
	case 0xa0:
		drive->state->power = IDE_POWER_ACTIVE;
		packet_begin(drive);
		break;
	case 0xa1:
		identify(drive);
		break;
	default:
		ide_command_end(
			drive, command_do(drive, command) ? 0 : IDE_ERROR_ABRT);
		ide_irq_raise(drive->channel);
	}
}

/* ---- Reset and media --------------------------------------------------- */

void atapi_medium_change(struct ide_drive *drive, struct block_backend *backend)
{
	drive->backend = backend;
	atapi_audio_forget(drive);
	drive->state->is_open = false;
	drive->state->is_changed = backend;
	drive->state->has_event = backend;
}
