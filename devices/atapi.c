/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ATAPI CD-ROM drive with a data disc: one track of 2048-byte sectors.
 *
 * Does not model: audio, raw sectors, sub-channels, copy protection, writing,
 * changing speed (accepted, without effect).  A change of medium is reported
 * once, as a unit attention and as a media event.
 *
 * References: ATA/ATAPI-6, "PACKET Command feature set"; MMC-3; SPC-2.
 */
#include "devices/ide_internal.h"

#include "include/errno.h"
#include "lib/string.h"

#define SECTORS_PER_BLOCK (ATAPI_SECTOR / BLOCK_SECTOR)

/* Interrupt reason, in the count register. */
#define REASON_COMMAND BIT(0)
#define REASON_TO_HOST BIT(1)

#define FEATURE_DMA BIT(0)

/* Sense keys and additional codes. */
#define SENSE_NOT_READY	      0x2
#define SENSE_MEDIUM_ERROR    0x3
#define SENSE_HARDWARE_ERROR  0x4
#define SENSE_ILLEGAL_REQUEST 0x5
#define SENSE_UNIT_ATTENTION  0x6
#define ASC_COMMUNICATION     0x08
#define ASCQ_TIMEOUT	      0x01
#define ASC_READ_ERROR	      0x11
#define ASC_INVALID_OPCODE    0x20
#define ASC_OUT_OF_RANGE      0x21
#define ASC_INVALID_FIELD     0x24
#define ASC_MEDIUM_CHANGED    0x28
#define ASC_SAVING_PARAMETERS 0x39
#define ASC_NO_MEDIUM	      0x3a
#define ASC_REMOVAL_PREVENTED 0x53

#define SENSE_CURRENT 0x70   /* an error of the command before */
#define SENSE_VALID   BIT(7) /* of the information field */

#define TRACK_LEAD_OUT 0xaa
#define TRACK_DATA     0x14 /* ADR 1, a data track */

#define PROFILE_CD_ROM	0x0008
#define PROFILE_DVD_ROM 0x0010
/* The largest CD: 90 minutes. */
#define CD_BLOCKS_MAX	(90 * 60 * 75)

#define MODE_PAGE_ERROR_RECOVERY 0x01
#define MODE_PAGE_CAPABILITIES	 0x2a
#define MODE_PAGE_ALL		 0x3f

#define EVENT_CLASS_MEDIA 4
#define EVENT_NEW_MEDIA	  2

#define SPEED_KBPS 5632 /* 32x */

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) << 16 | get16(at + 2);
}

static bool has_medium(const struct ide_drive *drive)
{
	return drive->backend && !drive->state->is_open;
}

static uint32_t block_count(const struct ide_drive *drive)
{
	if (!has_medium(drive))
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

static void end_good(struct ide_drive *drive)
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

static void end_sense(struct ide_drive *drive, uint8_t key, uint8_t asc)
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
	put32(drive->state->sense + 3, (uint32_t)block);
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
		end_good(drive);
		break;
	case -ENOSPC:
		/* Too few regions: the drive is left without an interrupt. */
		ide_command_end(drive, 0);
		break;
	case -ENODEV:
		end_sense(drive, SENSE_NOT_READY, ASC_NO_MEDIUM);
		break;
	case -ERANGE:
		end_sense(drive, SENSE_ILLEGAL_REQUEST, ASC_OUT_OF_RANGE);
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
		end_good(drive);
}

void atapi_reply_dma(struct ide_drive *drive)
{
	struct ide_channel *channel = drive->channel;
	bool is_short = ide_dma_copy(channel, channel->state->fill, true) <
			channel->state->fill;

	ide_dma_end(channel);
	atapi_transfer_end(drive, is_short ? -ENOSPC : 0);
}

/* bytes of the buffer, but no more than the packet allows for. */
static void reply(struct ide_drive *drive, uint32_t bytes, uint32_t allowed)
{
	struct ide_channel *channel = drive->channel;

	bytes = MIN(bytes, allowed);
	if (bytes == 0) {
		end_good(drive);
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

/* ---- Reading ----------------------------------------------------------- */

bool atapi_may_read(struct ide_drive *drive)
{
	if (!drive->state->is_changed)
		return true;
	drive->state->is_changed = false;
	end_sense(drive, SENSE_UNIT_ATTENTION, ASC_MEDIUM_CHANGED);
	return false;
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
	channel->state->sector += channel->chunk;
	channel->state->left -= channel->chunk;
	channel->state->position = 0;
	channel->state->fill = channel->chunk * BLOCK_SECTOR;
	reply_block(drive);
}

static void read_chunk(struct ide_drive *drive)
{
	struct ide_channel *channel = drive->channel;

	if (!atapi_may_read(drive))
		return;
	drive->state->status = IDE_STATUS_BSY;
	ide_request_buffer(drive, BLOCK_READ,
			   MIN(channel->state->left, IDE_BUFFER / BLOCK_SECTOR),
			   IDE_REQUEST_ATAPI_READ);
}

static void read_blocks(struct ide_drive *drive, uint32_t block, uint32_t count)
{
	struct ide_channel *channel = drive->channel;

	if (block >= block_count(drive) || count > block_count(drive) - block) {
		end_sense(drive, SENSE_ILLEGAL_REQUEST, ASC_OUT_OF_RANGE);
		return;
	}
	/* A command's sectors have to fit their counter. */
	if (count > UINT32_MAX / SECTORS_PER_BLOCK) {
		end_sense(drive, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	if (count == 0) {
		end_good(drive);
		return;
	}
	channel->state->sector = (uint64_t)block * SECTORS_PER_BLOCK;
	channel->state->left = count * SECTORS_PER_BLOCK;
	channel->state->is_write = false;
	channel->state->after_block = IDE_BLOCK_REPLY;
	if (channel->state->is_packet_dma) {
		drive->state->now.count = REASON_TO_HOST;
		ide_dma_wait(drive, IDE_START_SECTORS);
	} else {
		read_chunk(drive);
	}
}

static void do_read10(struct ide_drive *drive, const uint8_t *packet)
{
	read_blocks(drive, get32(packet + 2), get16(packet + 7));
}

static void do_read12(struct ide_drive *drive, const uint8_t *packet)
{
	read_blocks(drive, get32(packet + 2), get32(packet + 6));
}

/* READ CD: only what READ would give. */
static void do_read_cd(struct ide_drive *drive, const uint8_t *packet)
{
	uint32_t count = (uint32_t)packet[6] << 16 | get16(packet + 7);
	uint8_t fields = packet[9] & 0xf8;

	if (fields == 0 || count == 0)
		end_good(drive);
	else if (fields == 0x10)
		read_blocks(drive, get32(packet + 2), count);
	else
		end_sense(drive, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
}

/* ---- State of the drive ------------------------------------------------ */

static void do_nothing(struct ide_drive *drive, const uint8_t *packet)
{
	(void)packet;
	end_good(drive);
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
	reply(drive, ATAPI_SENSE, packet[4]);
}

static void do_inquiry(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer;

	if (packet[1] & 1 || packet[2]) { /* vital product data: none */
		end_sense(drive, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
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
	reply(drive, 36, packet[4]);
}

static void do_start_stop(struct ide_drive *drive, const uint8_t *packet)
{
	bool is_start = packet[4] & 1, is_load_eject = packet[4] & 2;

	if (is_load_eject && !is_start && drive->state->is_locked) {
		end_sense(drive, SENSE_ILLEGAL_REQUEST, ASC_REMOVAL_PREVENTED);
		return;
	}
	if (is_load_eject) {
		if (drive->state->is_open && is_start && drive->backend) {
			drive->state->is_changed = true;
			drive->state->has_event = true;
		}
		drive->state->is_open = !is_start;
	}
	end_good(drive);
}

static void do_prevent_allow(struct ide_drive *drive, const uint8_t *packet)
{
	drive->state->is_locked = packet[4] & 1;
	end_good(drive);
}

static void do_mechanism_status(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer;

	memset(to, 0, 8);
	to[1] = drive->state->is_open ? 0x10 : 0;
	to[5] = 1; /* one slot */
	reply(drive, 8, get16(packet + 8));
}

static void do_get_event(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer;

	if (!(packet[1] & 1)) { /* asynchronous */
		end_sense(drive, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	memset(to, 0, 8);
	to[3] = BIT(EVENT_CLASS_MEDIA); /* supported classes */
	if (!(packet[4] & BIT(EVENT_CLASS_MEDIA))) {
		put16(to, 2);
		to[2] = 0x80; /* no event of the classes asked for */
		reply(drive, 4, get16(packet + 7));
		return;
	}
	put16(to, 6);
	to[2] = EVENT_CLASS_MEDIA;
	to[4] = drive->state->has_event ? EVENT_NEW_MEDIA : 0;
	to[5] = (uint8_t)((drive->state->is_open ? BIT(0) : 0) |
			  (has_medium(drive) ? BIT(1) : 0));
	drive->state->has_event = false;
	reply(drive, 8, get16(packet + 7));
}

/* ---- The disc ---------------------------------------------------------- */

static void do_read_capacity(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer;

	(void)packet;
	put32(to, block_count(drive) - 1);
	put32(to + 4, ATAPI_SECTOR);
	reply(drive, 8, 8);
}

/* An address as block, or as minute, second, frame. */
static void address_put(uint8_t *at, uint32_t block, bool is_msf)
{
	if (!is_msf) {
		put32(at, block);
		return;
	}
	block += 2 * 75; /* the lead-in's two seconds */
	at[0] = 0;
	at[1] = (uint8_t)(block / (75 * 60));
	at[2] = (uint8_t)(block / 75 % 60);
	at[3] = (uint8_t)(block % 75);
}

static uint8_t *toc_track(uint8_t *at, uint8_t track, uint32_t block,
			  bool is_msf)
{
	at[0] = 0;
	at[1] = TRACK_DATA;
	at[2] = track;
	at[3] = 0;
	address_put(at + 4, block, is_msf);
	return at + 8;
}

static uint32_t toc_tracks(struct ide_drive *drive, uint8_t *to, uint8_t first,
			   bool is_msf)
{
	uint8_t *at = to + 4;

	if (first <= 1)
		at = toc_track(at, 1, 0, is_msf);
	at = toc_track(at, TRACK_LEAD_OUT, block_count(drive), is_msf);
	return (uint32_t)(at - to);
}

/* One entry of the raw table: points 0xa0, 0xa1, 0xa2 and the track. */
static uint8_t *toc_point(uint8_t *at, uint8_t point, uint32_t block,
			  bool is_msf)
{
	memset(at, 0, 11);
	at[0] = 1; /* session */
	at[1] = TRACK_DATA;
	at[3] = point;
	if (point == 0xa0 || point == 0xa1)
		at[8] = 1; /* first and last track */
	else
		address_put(at + 7, block, is_msf);
	return at + 11;
}

static uint32_t toc_raw(struct ide_drive *drive, uint8_t *to, bool is_msf)
{
	uint8_t *at = to + 4;

	at = toc_point(at, 0xa0, 0, is_msf);
	at = toc_point(at, 0xa1, 0, is_msf);
	at = toc_point(at, 0xa2, block_count(drive), is_msf);
	at = toc_point(at, 1, 0, is_msf);
	return (uint32_t)(at - to);
}

static void do_read_toc(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer, track = packet[6];
	uint8_t format = packet[2] & 0xf;
	bool is_msf = packet[1] & 2;
	uint32_t size;

	/* Old drivers ask in the vendor bits of the control byte. */
	if (format == 0)
		format = packet[9] >> 6;
	if (format > 2 ||
	    (format == 0 && track > 1 && track != TRACK_LEAD_OUT)) {
		end_sense(drive, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	to[2] = 1;
	to[3] = 1;
	if (format == 0) {
		size = toc_tracks(drive, to, track, is_msf);
	} else if (format == 1) {
		size = (uint32_t)(toc_track(to + 4, 1, 0, is_msf) - to);
	} else {
		size = toc_raw(drive, to, is_msf);
	}
	put16(to, size - 2);
	reply(drive, size, get16(packet + 7));
}

static void do_disc_information(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer;

	if (packet[1] & 7) {
		end_sense(drive, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	memset(to, 0, 34);
	put16(to, 32);
	to[2] = 0x0e; /* complete disc, last session complete */
	to[3] = 1;    /* first track */
	to[4] = 1;    /* sessions */
	to[5] = 1;    /* first and last track of the last session */
	to[6] = 1;
	to[7] = 0x20; /* unrestricted use */
	reply(drive, 34, get16(packet + 7));
}

/* ---- What the drive can ------------------------------------------------ */

static uint8_t *configuration_profile(uint8_t *at, uint16_t profile,
				      uint16_t current)
{
	put16(at, profile);
	at[2] = profile == current;
	at[3] = 0;
	return at + 4;
}

static uint8_t *configuration_feature(uint8_t *at, uint16_t code,
				      uint8_t version, uint8_t size)
{
	put16(at, code);
	/* Version, persistent, current. */
	at[2] = (uint8_t)(version << 2 | 3);
	at[3] = size;
	return at + 4;
}

static void do_get_configuration(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer, *at = to + 8;
	uint32_t start = get16(packet + 2);
	bool is_one = (packet[1] & 3) == 2;
	uint16_t current = 0;

	if (has_medium(drive))
		current = block_count(drive) > CD_BLOCKS_MAX ? PROFILE_DVD_ROM
							     : PROFILE_CD_ROM;
	memset(to, 0, 64);
	put16(to + 6, current);
	if (start == 0) { /* profile list */
		at = configuration_feature(at, 0, 0, 8);
		at = configuration_profile(at, PROFILE_DVD_ROM, current);
		at = configuration_profile(at, PROFILE_CD_ROM, current);
	}
	if (start == 1 || (start < 1 && !is_one)) { /* core: ATAPI */
		at = configuration_feature(at, 1, 2, 8);
		put32(at, 2);
		at[4] = 1;
		at += 8;
	}
	if (start == 3 || (start < 3 && !is_one)) { /* removable medium: tray */
		at = configuration_feature(at, 3, 0, 4);
		at[0] = 0x29; /* tray, eject, lock */
		at += 4;
	}
	put32(to, (uint32_t)(at - to) - 4);
	reply(drive, (uint32_t)(at - to), get16(packet + 7));
}

static uint8_t *mode_page_capabilities(const struct ide_drive *drive,
				       uint8_t *at)
{
	memset(at, 0, 22);
	at[0] = MODE_PAGE_CAPABILITIES;
	at[1] = 20;
	at[2] = 0x3b; /* reads CD-R, CD-RW, method 2, DVD-ROM, DVD-R */
	at[4] = 0x70; /* mode 2 forms, multi-session */
	at[6] = (uint8_t)(0x29 | (drive->state->is_locked ? 2 : 0));
	put16(at + 8, SPEED_KBPS);
	put16(at + 10, 2); /* volume levels */
	put16(at + 12, IDE_BUFFER / 1024);
	put16(at + 14, SPEED_KBPS);
	return at + 22;
}

static void do_mode_sense(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer, *at = to + 8;
	uint8_t page = packet[2] & 0x3f, control = packet[2] >> 6;

	if (control == 3) {
		end_sense(drive, SENSE_ILLEGAL_REQUEST, ASC_SAVING_PARAMETERS);
		return;
	}
	memset(to, 0, 64);
	if (page == MODE_PAGE_ERROR_RECOVERY || page == MODE_PAGE_ALL) {
		at[0] = MODE_PAGE_ERROR_RECOVERY;
		at[1] = 6;
		at[3] = 5; /* retries */
		at += 8;
	}
	if (page == MODE_PAGE_CAPABILITIES || page == MODE_PAGE_ALL)
		at = mode_page_capabilities(drive, at);
	if (at == to + 8) {
		end_sense(drive, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	put16(to, (uint32_t)(at - to) - 2);
	to[2] = has_medium(drive) ? 0x01 : 0x70; /* medium type */
	reply(drive, (uint32_t)(at - to), get16(packet + 7));
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
	{ 0x2b, NEEDS_MEDIUM, do_nothing }, /* SEEK */
	{ 0x43, NEEDS_MEDIUM, do_read_toc },
	{ 0x46, BEFORE_ATTENTION, do_get_configuration },
	{ 0x4a, BEFORE_ATTENTION, do_get_event },
	{ 0x51, NEEDS_MEDIUM, do_disc_information },
	{ 0x5a, 0, do_mode_sense },
	{ 0xa8, NEEDS_MEDIUM, do_read12 },
	{ 0xbb, 0, do_nothing }, /* SET CD SPEED */
	{ 0xbd, 0, do_mechanism_status },
	{ 0xbe, NEEDS_MEDIUM, do_read_cd },
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
		end_sense(drive, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
		return;
	}
	if (drive->state->is_changed && !(row->flags & BEFORE_ATTENTION)) {
		drive->state->is_changed = false;
		end_sense(drive, SENSE_UNIT_ATTENTION, ASC_MEDIUM_CHANGED);
		return;
	}
	if (row->flags & NEEDS_MEDIUM && block_count(drive) == 0) {
		end_sense(drive, SENSE_NOT_READY, ASC_NO_MEDIUM);
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

void atapi_command(struct ide_drive *drive, uint8_t command)
{
	switch (command) {
	case 0xa0:
		packet_begin(drive);
		return;
	case 0xa1:
		identify(drive);
		return;
	case 0xe5: /* CHECK POWER MODE: active */
		drive->state->now.count = 0xff;
		break;
	case 0x95: /* IDLE and STANDBY, old and new */
	case 0x94:
	case 0xe0:
	case 0xe1:
	case 0xe2:
	case 0xe3:
	case 0xe6:
	case 0xef: /* SET FEATURES: transfer modes and the like */
		break;
	case 0x20: /* READ SECTORS and IDENTIFY DEVICE tell who is here */
	case 0xec:
		ide_signature_set(drive);
		__attribute__((fallthrough));
	default:
		ide_command_end(drive, IDE_ERROR_ABRT);
		ide_irq_raise(drive->channel);
		return;
	}
	ide_command_end(drive, 0);
	ide_irq_raise(drive->channel);
}

/* ---- Reset and media --------------------------------------------------- */

void atapi_medium_change(struct ide_drive *drive, struct block_backend *backend)
{
	drive->backend = backend;
	drive->state->is_open = false;
	drive->state->is_changed = backend;
	drive->state->has_event = backend;
}
