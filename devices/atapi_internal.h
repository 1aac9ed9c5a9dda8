/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between atapi.c (packets, data, tray) and what answers them: atapi_disc.c
 * (table of contents), atapi_audio.c (playing, sub-channel), atapi_raw.c (whole
 * sectors), atapi_mode.c (what the drive can).
 */
#ifndef BULKHEAD_DEVICES_ATAPI_INTERNAL_H
#define BULKHEAD_DEVICES_ATAPI_INTERNAL_H

#include "devices/ide_internal.h"

#define SECTORS_PER_BLOCK (ATAPI_SECTOR / BLOCK_SECTOR)

/* Sense keys and additional codes. */
#define SENSE_NOT_READY	      0x2
#define SENSE_MEDIUM_ERROR    0x3
#define SENSE_HARDWARE_ERROR  0x4
#define SENSE_ILLEGAL_REQUEST 0x5
#define SENSE_UNIT_ATTENTION  0x6
#define ASC_COMMUNICATION     0x08
#define ASCQ_TIMEOUT	      0x01
#define ASC_READ_ERROR	      0x11
#define ASC_PARAMETER_LENGTH  0x1a
#define ASC_INVALID_OPCODE    0x20
#define ASC_OUT_OF_RANGE      0x21
#define ASC_INVALID_FIELD     0x24
#define ASC_INVALID_PARAMETER 0x26
#define ASC_MEDIUM_CHANGED    0x28
#define ASC_SAVING_PARAMETERS 0x39
#define ASC_NO_MEDIUM	      0x3a
#define ASC_REMOVAL_PREVENTED 0x53
#define ASC_ILLEGAL_TRACK     0x64 /* mode for this track */

#define SENSE_CURRENT 0x70   /* an error of the command before */
#define SENSE_VALID   BIT(7) /* of the information field */

static inline void atapi_put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void atapi_put32(uint8_t *at, uint32_t value)
{
	atapi_put16(at, value >> 16);
	atapi_put16(at + 2, value);
}

static inline uint32_t atapi_get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t atapi_get32(const uint8_t *at)
{
	return atapi_get16(at) << 16 | atapi_get16(at + 2);
}

/* ---- atapi.c ----------------------------------------------------------- */

bool atapi_has_medium(const struct ide_drive *drive);
uint32_t atapi_block_count(const struct ide_drive *drive);
/* The packet has been done, or came to a sense key and an additional code. */
void atapi_end_good(struct ide_drive *drive);
void atapi_end_sense(struct ide_drive *drive, uint8_t key, uint8_t asc);
/* Bytes of the buffer, but no more than the packet allows for. */
void atapi_reply(struct ide_drive *drive, uint32_t bytes, uint32_t allowed);
/* So many bytes come into the buffer, then atapi_mode_select_run(). */
void atapi_parameters_take(struct ide_drive *drive, uint32_t bytes);
/* READ CD's fields of each; 0: user data. */
void atapi_read_blocks(struct ide_drive *drive, uint32_t block, uint32_t count,
		       uint8_t fields);

/* ---- atapi_disc.c ------------------------------------------------------ */

#define ATAPI_FRAMES	 75   /* a second: blocks of a disc that plays */
#define ATAPI_TRACK_DATA 0x14 /* ADR 1, a data track */
/* The address bit of a packet: minutes, seconds, frames are wanted. */
#define ATAPI_PACKET_MSF BIT(1)

/* A block's minute, second and frame; of those beyond 255:59:74 that. */
void atapi_msf_put(uint8_t msf[3], uint32_t block);
/* False: of no block. */
bool atapi_msf_get(const uint8_t *at, uint32_t *block);
/* As block, or as minute, second, frame, which end before a DVD does. */
void atapi_address_put(uint8_t *at, uint32_t block, bool is_msf);
/* The same of a number of blocks. */
void atapi_distance_put(uint8_t *at, uint32_t blocks, bool is_msf);

/* ---- atapi_audio.c ----------------------------------------------------- */

/* Where playing is, or was left; status and position are brought up to now. */
uint32_t atapi_audio_position(struct ide_drive *drive);
/* The pickup is wanted elsewhere, or the disc does not turn any more. */
void atapi_audio_stop(struct ide_drive *drive);
/* A disc that nothing of has been played of. */
void atapi_audio_forget(struct ide_drive *drive);

/* ---- atapi_raw.c ------------------------------------------------------- */

/* Fields that follow one another. */
bool atapi_raw_is_legal(uint8_t fields);
/* Bytes of a block's fields. */
uint32_t atapi_raw_size(uint8_t fields);
/*
 * Makes fields of count blocks of user data in the buffer; returns their bytes,
 * for which there has to be room.
 */
uint32_t atapi_raw_make(uint8_t *buffer, uint8_t fields, uint32_t block,
			uint32_t count);

/* ---- Packets ----------------------------------------------------------- */

void atapi_read_toc(struct ide_drive *drive, const uint8_t *packet);
void atapi_disc_information(struct ide_drive *drive, const uint8_t *packet);
void atapi_read_header(struct ide_drive *drive, const uint8_t *packet);
void atapi_read_sub_channel(struct ide_drive *drive, const uint8_t *packet);
void atapi_play(struct ide_drive *drive, const uint8_t *packet);
void atapi_play_msf(struct ide_drive *drive, const uint8_t *packet);
void atapi_pause(struct ide_drive *drive, const uint8_t *packet);
void atapi_stop(struct ide_drive *drive, const uint8_t *packet);
void atapi_read_cd(struct ide_drive *drive, const uint8_t *packet);
void atapi_read_cd_msf(struct ide_drive *drive, const uint8_t *packet);

void atapi_get_configuration(struct ide_drive *drive, const uint8_t *packet);
void atapi_mode_sense(struct ide_drive *drive, const uint8_t *packet);
void atapi_mode_select(struct ide_drive *drive, const uint8_t *packet);
/* On the parameters that atapi_mode_select() asked for. */
void atapi_mode_select_run(struct ide_drive *drive, uint32_t length);

#endif
