/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an ATAPI drive can: features and mode pages.
 *
 * MODE SELECT keeps what can be changed, until a reset, and refuses a page that
 * would change something else, as SPC-3 has it.  Nothing can be saved.
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
#define MODE_PAGE_CODE		 0x3f
#define MODE_CURRENT		 0
#define MODE_CHANGEABLE		 1
#define MODE_DEFAULT		 2
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

/*
 * What can be changed, of the bytes behind a page's length; it is kept, and of
 * no more effect than on a drive that never fails to read, has no motor and is
 * silent: TB, RC, PER, DTE, DCR and retries; the multiplier of the inactivity
 * timer; SOTC, channels and volumes.
 */
#define ERROR_RECOVERY_LENGTH 6
#define CD_LENGTH	      6
#define AUDIO_LENGTH	      14

static const uint8_t error_recovery_mask[ERROR_RECOVERY_LENGTH] = { 0x37,
								    0xff };
static const uint8_t cd_mask[CD_LENGTH] = { 0, 0x0f };
static const uint8_t audio_mask[AUDIO_LENGTH] = {
	0x02, 0, 0, 0, 0, 0, 0x0f, 0xff, 0x0f, 0xff, 0x0f, 0xff, 0x0f, 0xff,
};

_Static_assert(ERROR_RECOVERY_LENGTH + CD_LENGTH + AUDIO_LENGTH == ATAPI_MODES,
	       "the drive's state has room for the pages");

static const struct mode_page {
	uint8_t code, length; /* of what follows these two bytes */
	uint8_t mode;	      /* where it is in the drive's state */
	const uint8_t *mask;  /* NULL: nothing can be changed */
	void (*put)(const struct ide_drive *drive, uint8_t *at);
} pages[] = {
	{ MODE_PAGE_ERROR_RECOVERY, ERROR_RECOVERY_LENGTH, 0,
	  error_recovery_mask, page_error_recovery },
	{ MODE_PAGE_CD, CD_LENGTH, ERROR_RECOVERY_LENGTH, cd_mask, page_cd },
	{ MODE_PAGE_AUDIO, AUDIO_LENGTH, ERROR_RECOVERY_LENGTH + CD_LENGTH,
	  audio_mask, page_audio },
	{ MODE_PAGE_CAPABILITIES, 20, 0, NULL, page_capabilities },
};

/* control: current values, what can be changed, or defaults. */
static void page_put(const struct ide_drive *drive,
		     const struct mode_page *page, uint8_t control, uint8_t *at)
{
	memset(at, 0, 2U + page->length);
	at[0] = page->code;
	at[1] = page->length;
	if (control != MODE_CHANGEABLE)
		page->put(drive, at);
	for (unsigned i = 0; page->mask && i < page->length; i++) {
		uint8_t mask = page->mask[i];

		if (control == MODE_CHANGEABLE)
			at[2 + i] = mask;
		else if (control == MODE_CURRENT)
			at[2 + i] ^= drive->state->mode[page->mode + i] & mask;
	}
}

/* Of a page that has been checked. */
static void page_take(struct ide_drive *drive, const struct mode_page *page,
		      const uint8_t *from)
{
	uint8_t defaults[2 + UINT8_MAX];

	page_put(drive, page, MODE_DEFAULT, defaults);
	for (unsigned i = 0; page->mask && i < page->length; i++)
		drive->state->mode[page->mode + i] =
			(from[2 + i] ^ defaults[2 + i]) & page->mask[i];
}

void atapi_mode_sense(struct ide_drive *drive, const uint8_t *packet)
{
	uint8_t *to = drive->channel->state->buffer, *at = to + MODE_HEADER;
	uint8_t code = packet[2] & MODE_PAGE_CODE, control = packet[2] >> 6;

	if (control == MODE_SAVED) {
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST,
				ASC_SAVING_PARAMETERS);
		return;
	}
	memset(to, 0, MODE_HEADER);
	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
		if (code != pages[i].code && code != MODE_PAGE_ALL)
			continue;
		page_put(drive, &pages[i], control, at);
		at += 2 + pages[i].length;
	}
	if (at == to + MODE_HEADER) {
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

static const struct mode_page *page_find(uint8_t code)
{
	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++)
		if (pages[i].code == code)
			return &pages[i];
	return NULL;
}

/* Whether it leaves what cannot be changed as it is. */
static bool page_is_legal(const struct ide_drive *drive,
			  const struct mode_page *page, const uint8_t *from)
{
	uint8_t current[2 + UINT8_MAX];

	page_put(drive, page, MODE_CURRENT, current);
	for (unsigned i = 0; i < page->length; i++) {
		uint8_t mask = page->mask ? page->mask[i] : 0;

		if ((from[2 + i] ^ current[2 + i]) & ~mask)
			return false;
	}
	return true;
}

/* What is wrong with the parameters: an additional sense code, or 0. */
static uint8_t parameters_check(const struct ide_drive *drive,
				const uint8_t *bytes, uint32_t length)
{
	const struct mode_page *page;
	uint32_t at = MODE_HEADER;

	if (length < MODE_HEADER)
		return ASC_PARAMETER_LENGTH;
	if (atapi_get16(bytes + 6)) /* block descriptors: there are none */
		return ASC_INVALID_PARAMETER;
	while (at < length) {
		if (length - at < 2)
			return ASC_PARAMETER_LENGTH;
		page = page_find(bytes[at] & MODE_PAGE_CODE);
		if (!page || page->length != bytes[at + 1])
			return ASC_INVALID_PARAMETER;
		if (page->length > length - at - 2)
			return ASC_PARAMETER_LENGTH;
		if (!page_is_legal(drive, page, bytes + at))
			return ASC_INVALID_PARAMETER;
		at += 2U + page->length;
	}
	return 0;
}

/* All pages, or none if one is wrong. */
void atapi_mode_select_run(struct ide_drive *drive, uint32_t length)
{
	const uint8_t *bytes = drive->channel->state->buffer;
	uint8_t wrong = parameters_check(drive, bytes, length);

	if (wrong) {
		atapi_end_sense(drive, SENSE_ILLEGAL_REQUEST, wrong);
		return;
	}
	for (uint32_t at = MODE_HEADER; at < length; at += 2U + bytes[at + 1])
		page_take(drive, page_find(bytes[at] & MODE_PAGE_CODE),
			  bytes + at);
	atapi_end_good(drive);
}
