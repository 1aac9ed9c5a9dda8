/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an ATAPI drive can: features and mode pages.
 *
 * Nothing can be changed: MODE SELECT takes pages that there are, and what they
 * say has no effect.  Changeable values, of which there are none, are refused,
 * as SPC-3 has it.
 *
 * References: MMC-4, "GET CONFIGURATION", "Mode parameters"; SPC-3.
 */
#include "devices/atapi_internal.h"

#include "lib/string.h"

#define PROFILE_CD_ROM	0x0008
#define PROFILE_DVD_ROM 0x0010
/* The largest CD: 90 minutes. */
#define CD_BLOCKS_MAX	(90 * 60 * 75)

#define MODE_PAGE_ERROR_RECOVERY 0x01
#define MODE_PAGE_CAPABILITIES	 0x2a
#define MODE_PAGE_CD		 0x0d
#define MODE_PAGE_AUDIO		 0x0e
#define MODE_PAGE_ALL		 0x3f
#define MODE_HEADER		 8
#define MODE_CHANGEABLE		 1
#define MODE_SAVED		 3
#define MODE_SELECT_SAVE	 BIT(0)

#define SPEED_KBPS 5632 /* 32x */

/* ---- Features ---------------------------------------------------------- */

static uint8_t *configuration_profile(uint8_t *at, uint16_t profile,
				      uint16_t current)
{
	atapi_put16(at, profile);
	at[2] = profile == current;
	at[3] = 0;
	return at + 4;
}

static uint8_t *configuration_feature(uint8_t *at, uint16_t code,
				      uint8_t version, uint8_t size)
{
	atapi_put16(at, code);
	/* Version, persistent, current. */
	at[2] = (uint8_t)(version << 2 | 3);
	at[3] = size;
	return at + 4;
}

void atapi_get_configuration(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer, *at = to + 8;
	uint32_t start = atapi_get16(packet + 2);
	bool is_one = (packet[1] & 3) == 2;
	uint16_t current = 0;

	if (atapi_has_medium(drive))
		current = atapi_block_count(drive) > CD_BLOCKS_MAX
				  ? PROFILE_DVD_ROM
				  : PROFILE_CD_ROM;
	memset(to, 0, 64);
	atapi_put16(to + 6, current);
	if (start == 0) { /* profile list */
		at = configuration_feature(at, 0, 0, 8);
		at = configuration_profile(at, PROFILE_DVD_ROM, current);
		at = configuration_profile(at, PROFILE_CD_ROM, current);
	}
	if (start == 1 || (start < 1 && !is_one)) { /* core: ATAPI */
		at = configuration_feature(at, 1, 2, 8);
		atapi_put32(at, 2);
		at[4] = 1;
		at += 8;
	}
	if (start == 3 || (start < 3 && !is_one)) { /* removable medium: tray */
		at = configuration_feature(at, 3, 0, 4);
		at[0] = 0x29; /* tray, eject, lock */
		at += 4;
	}
	atapi_put32(to, (uint32_t)(at - to) - 4);
	atapi_reply(drive, (uint32_t)(at - to), atapi_get16(packet + 7));
}

/* ---- Mode pages -------------------------------------------------------- */

static void page_error_recovery(const struct ide_drive *drive, uint8_t *at)
{
	(void)drive;
	at[3] = 5; /* retries */
}

static void page_cd(const struct ide_drive *drive, uint8_t *at)
{
	(void)drive;
	atapi_put16(at + 4, 60); /* seconds a minute */
	atapi_put16(at + 6, 75); /* frames a second */
}

static void page_audio(const struct ide_drive *drive, uint8_t *at)
{
	(void)drive;
	at[2] = 4; /* immediate */
	at[8] = 1; /* left and right, loud */
	at[9] = 0xff;
	at[10] = 2;
	at[11] = 0xff;
}

static void page_capabilities(const struct ide_drive *drive, uint8_t *at)
{
	at[2] = 0x3b; /* reads CD-R, CD-RW, method 2, DVD-ROM, DVD-R */
	at[4] = 0x70; /* mode 2 forms, multi-session */
	at[6] = (uint8_t)(0x29 | (drive->state->is_locked ? 2 : 0));
	atapi_put16(at + 8, SPEED_KBPS);
	atapi_put16(at + 10, 2); /* volume levels */
	atapi_put16(at + 12, IDE_BUFFER / 1024);
	atapi_put16(at + 14, SPEED_KBPS);
}

static const struct mode_page {
	uint8_t code, length; /* of what follows these two bytes */
	void (*put)(const struct ide_drive *drive, uint8_t *at);
} pages[] = {
	{ MODE_PAGE_ERROR_RECOVERY, 6, page_error_recovery },
	{ MODE_PAGE_CD, 6, page_cd },
	{ MODE_PAGE_AUDIO, 14, page_audio },
	{ MODE_PAGE_CAPABILITIES, 20, page_capabilities },
};

void atapi_mode_sense(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer, *at = to + MODE_HEADER;
	uint8_t code = packet[2] & 0x3f, control = packet[2] >> 6;

	if (control == MODE_SAVED) {
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST,
				ASC_SAVING_PARAMETERS);
		return;
	}
	memset(to, 0, 128);
	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
		if (code != pages[i].code && code != MODE_PAGE_ALL)
			continue;
		at[0] = pages[i].code;
		at[1] = pages[i].length;
		pages[i].put(drive, at);
		at += 2 + pages[i].length;
	}
	if (at == to + MODE_HEADER || control == MODE_CHANGEABLE) {
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST,
				ASC_INVALID_FIELD);
		return;
	}
	atapi_put16(to, (uint32_t)(at - to) - 2);
	to[2] = atapi_has_medium(drive) ? 0x01 : 0x70; /* medium type */
	atapi_reply(drive, (uint32_t)(at - to), atapi_get16(packet + 7));
}

void atapi_mode_select(struct ide_drive *drive, const uint8_t *packet)
{
	uint32_t length = atapi_get16(packet + 7);

	if (packet[1] & MODE_SELECT_SAVE)
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST,
				ASC_INVALID_FIELD);
	else if (length == 0)
		atapi_end_good(drive);
	else
		atapi_parameters_take(drive, length);
}

static bool is_page(uint8_t code, uint8_t length)
{
	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++)
		if (pages[i].code == code)
			return pages[i].length == length;
	return false;
}

/* What is wrong with the parameters: an additional sense code, or 0. */
static uint8_t parameters_check(const uint8_t *bytes, uint32_t length)
{
	uint32_t at = MODE_HEADER;

	if (length < MODE_HEADER)
		return ASC_PARAMETER_LENGTH;
	if (atapi_get16(bytes + 6)) /* block descriptors: there are none */
		return ASC_INVALID_PARAMETER;
	while (at < length) {
		if (length - at < 2)
			return ASC_PARAMETER_LENGTH;
		if (!is_page(bytes[at] & 0x3f, bytes[at + 1]))
			return ASC_INVALID_PARAMETER;
		if (bytes[at + 1] > length - at - 2)
			return ASC_PARAMETER_LENGTH;
		at += 2U + bytes[at + 1];
	}
	return 0;
}

void atapi_mode_select_run(struct ide_drive *drive, uint32_t length)
{
	uint8_t wrong = parameters_check(drive->channel->state->buffer, length);

	if (wrong)
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST, wrong);
	else
		atapi_end_good(drive);
}
