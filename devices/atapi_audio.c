/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Audio of an ATAPI drive: there is none on the disc, but games want to see
 * theirs play.  What is played within the disc is silent and takes its time.
 *
 *	      play	     the end		 told once
 *	NONE -------> PLAYING -------> COMPLETED ----------> NONE
 *			|  ^
 *		  pause |  | resume
 *			v  |
 *		       PAUSED
 *
 * Play begins from anywhere; stop, reads, seeks, the tray and another medium
 * end it: NONE.
 *
 * Does not model: audio tracks, SCAN, a pickup that takes time to get there.
 *
 * References: MMC-4, "READ SUB-CHANNEL"; MMC-3, "PLAY AUDIO", "PAUSE/RESUME";
 * SFF-8020i.
 */
#include "devices/atapi_internal.h"

#include "lib/string.h"

#define SUB_CHANNEL_Q	     BIT(6)
#define SUB_CHANNEL_POSITION 1
#define SUB_CHANNEL_CATALOG  2
#define SUB_CHANNEL_ISRC     3

#define CURRENT_ADDRESS 0xffffffffU
#define PAUSE_RESUME	BIT(0)

/* ---- What plays -------------------------------------------------------- */

static uint64_t now_ns(const struct ide_drive *drive)
{
	return clock_now(drive->channel->clock);
}

static uint64_t blocks_in(uint64_t ns)
{
	return ns / NSEC_PER_SEC * ATAPI_FRAMES +
	       ns % NSEC_PER_SEC * ATAPI_FRAMES / NSEC_PER_SEC;
}

uint32_t atapi_audio_position(struct ide_drive *drive)
{
	struct ide_drive_state *state = drive->state;
	uint64_t played;

	if (state->audio != ATAPI_AUDIO_PLAYING)
		return state->audio_position;
	played = blocks_in(now_ns(drive) - state->audio_since_ns);
	if (played < state->audio_end - state->audio_position)
		return state->audio_position + (uint32_t)played;
	state->audio = ATAPI_AUDIO_COMPLETED;
	state->audio_position = state->audio_end;
	return state->audio_position;
}

void atapi_audio_stop(struct ide_drive *drive)
{
	drive->state->audio_position = atapi_audio_position(drive);
	if (drive->state->audio != ATAPI_AUDIO_COMPLETED)
		drive->state->audio = ATAPI_AUDIO_NONE;
}

void atapi_audio_forget(struct ide_drive *drive)
{
	drive->state->audio = ATAPI_AUDIO_NONE;
	drive->state->audio_position = 0;
	drive->state->audio_end = 0;
}

static void play(struct ide_drive *drive, uint32_t block, uint32_t count)
{
	struct ide_drive_state *state = drive->state;
	uint32_t blocks = atapi_block_count(drive);

	if (count && (block >= blocks || count > blocks - block)) {
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST, ASC_OUT_OF_RANGE);
		return;
	}
	if (count) {
		state->audio = ATAPI_AUDIO_PLAYING;
		state->audio_position = block;
		state->audio_end = block + count;
		state->audio_since_ns = now_ns(drive);
	}
	atapi_end_good(drive);
}

/* PLAY AUDIO, of 10 and of 12 bytes. */
void atapi_play(struct ide_drive *drive, const uint8_t *packet)
{
	uint32_t block = atapi_get32(packet + 2);

	if (block == CURRENT_ADDRESS)
		block = atapi_audio_position(drive);
	play(drive, block,
	     packet[0] == 0x45 ? atapi_get16(packet + 7)
			       : atapi_get32(packet + 6));
}

void atapi_play_msf(struct ide_drive *drive, const uint8_t *packet)
{
	static const uint8_t current[3] = { 0xff, 0xff, 0xff };
	uint32_t first, end;
	bool is_legal = true;

	if (!memcmp(packet + 3, current, sizeof(current)))
		first = atapi_audio_position(drive);
	else
		is_legal = atapi_msf_get(packet + 3, &first);
	if (is_legal && atapi_msf_get(packet + 6, &end) && first <= end)
		play(drive, first, end - first);
	else
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST,
				ASC_INVALID_FIELD);
}

/* PAUSE and RESUME: either finds it so, or nothing that plays. */
void atapi_pause(struct ide_drive *drive, const uint8_t *packet)
{
	struct ide_drive_state *state = drive->state;
	bool is_resume = packet[8] & PAUSE_RESUME;
	uint32_t position = atapi_audio_position(drive);

	if (!is_resume && state->audio == ATAPI_AUDIO_PLAYING) {
		state->audio = ATAPI_AUDIO_PAUSED;
		state->audio_position = position;
	} else if (is_resume && state->audio == ATAPI_AUDIO_PAUSED) {
		state->audio = ATAPI_AUDIO_PLAYING;
		state->audio_since_ns = now_ns(drive);
	}
	atapi_end_good(drive);
}

/* STOP PLAY/SCAN */
void atapi_stop(struct ide_drive *drive, const uint8_t *packet)
{
	(void)packet;
	atapi_audio_stop(drive);
	atapi_end_good(drive);
}

/* ---- Sub-channel ------------------------------------------------------- */

/* The data after the header; 0: a format that there is not. */
static uint32_t sub_channel_put(uint8_t *to, uint8_t format, uint32_t position,
				bool is_msf)
{
	memset(to, 0, 20);
	to[0] = format;
	switch (format) {
	case SUB_CHANNEL_POSITION:
		to[1] = ATAPI_TRACK_DATA;
		to[2] = 1; /* track and index */
		to[3] = 1;
		atapi_address_put(to + 4, position, is_msf);
		/* Relative to the track's start. */
		atapi_distance_put(to + 8, position, is_msf);
		return 12;
	case SUB_CHANNEL_CATALOG: /* not there */
		return 20;
	case SUB_CHANNEL_ISRC: /* nor this */
		to[1] = ATAPI_TRACK_DATA;
		to[2] = 1;
		return 20;
	default:
		return 0;
	}
}

void atapi_read_sub_channel(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer, format = packet[3];
	uint32_t size = 0, position = atapi_audio_position(drive);

	if (packet[2] & SUB_CHANNEL_Q) {
		size = sub_channel_put(to + 4, format, position,
				       packet[1] & ATAPI_PACKET_MSF);
		if (size == 0 ||
		    (format == SUB_CHANNEL_ISRC && packet[6] != 1)) {
			atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST,
					ASC_INVALID_FIELD);
			return;
		}
	}
	to[0] = 0;
	to[1] = drive->state->audio;
	atapi_put16(to + 2, size);
	/* That something has been played is told once. */
	if (drive->state->audio == ATAPI_AUDIO_COMPLETED)
		drive->state->audio = ATAPI_AUDIO_NONE;
	atapi_reply(drive, 4 + size, atapi_get16(packet + 7));
}
