/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is on an ATAPI drive's disc: one session, one track of data in mode 1.
 *
 * References: MMC-4, "READ TOC/PMA/ATIP", "READ CD"; SFF-8020i.
 */
#include "devices/atapi_internal.h"

#include "lib/string.h"

#define TRACK_LEAD_OUT 0xaa
#define TRACK_DATA     ATAPI_TRACK_DATA

#define FRAMES	       ATAPI_FRAMES
#define LEAD_IN_FRAMES (2 * FRAMES)
/* The highest: 255 minutes, 59 seconds, 74 frames. */
#define MSF_MAX	       (256 * 60 * FRAMES - 1)

#define DATA_MODE_1   1
#define SECTOR_ANY    0
#define SECTOR_MODE_1 2
#define FIELDS_ALL    0xf8 /* but those of errors */
#define FIELDS_ERROR  0x06

/* ---- Addresses --------------------------------------------------------- */

static void frame_put(uint8_t msf[3], uint64_t frame)
{
	uint32_t low = (uint32_t)MIN(frame, MSF_MAX);

	msf[0] = (uint8_t)(low / (60 * FRAMES));
	msf[1] = (uint8_t)(low / FRAMES % 60);
	msf[2] = (uint8_t)(low % FRAMES);
}

void atapi_msf_put(uint8_t msf[3], uint32_t block)
{
	frame_put(msf, (uint64_t)block + LEAD_IN_FRAMES);
}

void atapi_address_put(uint8_t *at, uint32_t block, bool is_msf)
{
	if (!is_msf) {
		atapi_put32(at, block);
		return;
	}
	at[0] = 0;
	atapi_msf_put(at + 1, block);
}

void atapi_distance_put(uint8_t *at, uint32_t blocks, bool is_msf)
{
	if (!is_msf) {
		atapi_put32(at, blocks);
		return;
	}
	at[0] = 0;
	frame_put(at + 1, blocks);
}

bool atapi_msf_get(const uint8_t *at, uint32_t *block)
{
	uint32_t frame = (at[0] * 60U + at[1]) * FRAMES + at[2];

	if (at[1] >= 60 || at[2] >= FRAMES || frame < LEAD_IN_FRAMES)
		return false;
	*block = frame - LEAD_IN_FRAMES;
	return true;
}

/* ---- Table of contents ------------------------------------------------- */

static uint8_t *toc_track(uint8_t *at, uint8_t track, uint32_t block,
			  bool is_msf)
{
	at[0] = 0;
	at[1] = TRACK_DATA;
	at[2] = track;
	at[3] = 0;
	atapi_address_put(at + 4, block, is_msf);
	return at + 8;
}

static uint32_t toc_tracks(struct ide_drive *drive, uint8_t *to, uint8_t first,
			   bool is_msf)
{
	uint8_t *at = to + 4;

	if (first <= 1)
		at = toc_track(at, 1, 0, is_msf);
	at = toc_track(at, TRACK_LEAD_OUT, atapi_block_count(drive), is_msf);
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
		atapi_address_put(at + 7, block, is_msf);
	return at + 11;
}

static uint32_t toc_raw(struct ide_drive *drive, uint8_t *to, bool is_msf)
{
	uint8_t *at = to + 4;

	at = toc_point(at, 0xa0, 0, is_msf);
	at = toc_point(at, 0xa1, 0, is_msf);
	at = toc_point(at, 0xa2, atapi_block_count(drive), is_msf);
	at = toc_point(at, 1, 0, is_msf);
	return (uint32_t)(at - to);
}

void atapi_read_toc(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer, track = packet[6];
	uint8_t format = packet[2] & 0xf;
	bool is_msf = packet[1] & ATAPI_PACKET_MSF;
	uint32_t size;

	/* Old drivers ask in the vendor bits of the control byte. */
	if (format == 0)
		format = packet[9] >> 6;
	if (format > 2 ||
	    (format == 0 && track > 1 && track != TRACK_LEAD_OUT)) {
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST,
				ASC_INVALID_FIELD);
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
	atapi_put16(to, size - 2);
	atapi_reply(drive, size, atapi_get16(packet + 7));
}

void atapi_disc_information(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer;

	if (packet[1] & 7) {
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST,
				ASC_INVALID_FIELD);
		return;
	}
	memset(to, 0, 34);
	atapi_put16(to, 32);
	to[2] = 0x0e; /* complete disc, last session complete */
	to[3] = 1;    /* first track */
	to[4] = 1;    /* sessions */
	to[5] = 1;    /* first and last track of the last session */
	to[6] = 1;
	to[7] = 0x20; /* unrestricted use */
	atapi_reply(drive, 34, atapi_get16(packet + 7));
}

/* ---- Header ------------------------------------------------------------ */

void atapi_read_header(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer;
	uint32_t block = atapi_get32(packet + 2);

	if (block >= atapi_block_count(drive)) {
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST, ASC_OUT_OF_RANGE);
		return;
	}
	memset(to, 0, 8);
	to[0] = DATA_MODE_1;
	atapi_address_put(to + 4, block, packet[1] & ATAPI_PACKET_MSF);
	atapi_reply(drive, 8, atapi_get16(packet + 7));
}

/* ---- READ CD ----------------------------------------------------------- */

static void read_fields(struct ide_drive *drive, const uint8_t *packet,
			uint32_t block, uint32_t count)
{
	uint8_t type = packet[1] >> 2 & 7, fields = packet[9] & FIELDS_ALL;

	if (type != SECTOR_ANY && type != SECTOR_MODE_1)
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST,
				ASC_ILLEGAL_TRACK);
	/* No bits of errors and no sub-channel with it. */
	else if (packet[10] & 7 || packet[9] & FIELDS_ERROR ||
		 !atapi_raw_is_legal(fields))
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST,
				ASC_INVALID_FIELD);
	else if (atapi_raw_size(fields) == 0 || count == 0)
		atapi_end_good(drive);
	else
		atapi_read_blocks(
			drive, block, count,
			atapi_raw_size(fields) == ATAPI_SECTOR ? 0 : fields);
}

void atapi_read_cd(struct ide_drive *drive, const uint8_t *packet)
{
	read_fields(drive, packet, atapi_get32(packet + 2),
		    (uint32_t)packet[6] << 16 | atapi_get16(packet + 7));
}

void atapi_read_cd_msf(struct ide_drive *drive, const uint8_t *packet)
{
	uint32_t first, end;

	if (atapi_msf_get(packet + 3, &first) &&
	    atapi_msf_get(packet + 6, &end) && first <= end)
		read_fields(drive, packet, first, end - first);
	else
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST,
				ASC_INVALID_FIELD);
}
