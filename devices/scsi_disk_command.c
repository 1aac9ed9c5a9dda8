/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands of a SCSI disk.  See scsi_disk.h.
 *
 * References: as scsi_disk.h.
 */
#include "devices/scsi_disk.h"

#include "lib/string.h"

/* clang-format off */
enum scsi_command {
	TEST_UNIT_READY		= 0x00,
	REZERO_UNIT		= 0x01,
	REQUEST_SENSE		= 0x03,
	READ_6			= 0x08,
	WRITE_6			= 0x0a,
	SEEK_6			= 0x0b,
	INQUIRY			= 0x12,
	MODE_SELECT_6		= 0x15,
	RESERVE_6		= 0x16,
	RELEASE_6		= 0x17,
	MODE_SENSE_6		= 0x1a,
	START_STOP		= 0x1b,
	SEND_DIAGNOSTIC		= 0x1d,
	PREVENT_REMOVAL		= 0x1e,
	FORMAT_CAPACITIES	= 0x23,
	READ_CAPACITY_10	= 0x25,
	READ_10			= 0x28,
	WRITE_10		= 0x2a,
	SEEK_10			= 0x2b,
	WRITE_VERIFY_10		= 0x2e,
	VERIFY_10		= 0x2f,
	SYNCHRONIZE_10		= 0x35,
	MODE_SELECT_10		= 0x55,
	MODE_SENSE_10		= 0x5a,
	READ_16			= 0x88,
	WRITE_16		= 0x8a,
	VERIFY_16		= 0x8f,
	SYNCHRONIZE_16		= 0x91,
	SERVICE_IN_16		= 0x9e,
	REPORT_LUNS		= 0xa0,
	READ_12			= 0xa8,
	WRITE_12		= 0xaa,
};
/* clang-format on */

#define FUA		 BIT(3)
#define BYTE_CHECK	 BIT(1)
#define READ_CAPACITY_16 0x10
#define SENSE_SIZE	 18
#define INQUIRY_SIZE	 36
#define PAGE_CACHING	 0x08
#define PAGE_ALL	 0x3f
#define WRITE_PROTECT	 BIT(7)
#define DPO_FUA		 BIT(4)

/* What a command will move, in one direction or none: bytes of the buffer,
 * unless state->is_media. */
struct plan {
	bool is_out;
	uint32_t length;
};

static const struct plan nothing = { false, 0 };

static uint32_t be16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t be32(const uint8_t *at)
{
	return be16(at) << 16 | be16(at + 2);
}

static uint64_t be64(const uint8_t *at)
{
	return (uint64_t)be32(at) << 32 | be32(at + 4);
}

static void put32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

void scsi_disk_fail(struct scsi_disk *disk, unsigned key, unsigned code)
{
	disk->state->status = SCSI_CHECK_CONDITION;
	disk->state->sense_key = (uint8_t)key;
	disk->state->sense_code = (uint8_t)code;
}

static struct plan refuse(struct scsi_disk *disk, unsigned code)
{
	scsi_disk_fail(disk, SCSI_ILLEGAL_REQUEST, code);
	return nothing;
}

/* So much of the buffer, of which the host wants no more than limit. */
static struct plan give(uint32_t length, uint32_t limit)
{
	return (struct plan){ false, MIN(length, limit) };
}

/* ---- What it is --------------------------------------------------------- */

static struct plan inquiry_page(struct scsi_disk *disk)
{
	static const uint8_t pages[] = { 0x00, 0x80, 0x83 };
	uint8_t *to = disk->state->buffer;
	const uint8_t *command = disk->state->command;
	uint32_t length = (uint32_t)strlen(disk->config.serial);

	to[1] = command[2];
	switch (command[2]) {
	case 0x00:
		memcpy(to + 4, pages, sizeof(pages));
		to[3] = sizeof(pages);
		break;
	case 0x80: /* serial number */
		memcpy(to + 4, disk->config.serial, length);
		to[3] = (uint8_t)length;
		break;
	case 0x83:	   /* identification: vendor, product, serial number */
		to[4] = 2; /* ASCII */
		to[5] = 1; /* by vendor */
		memcpy(to + 8, disk->config.name, SCSI_DISK_NAME);
		memcpy(to + 8 + SCSI_DISK_NAME, disk->config.serial, length);
		to[7] = (uint8_t)(SCSI_DISK_NAME + length);
		to[3] = to[7] + 4;
		break;
	default:
		return refuse(disk, SCSI_INVALID_FIELD);
	}
	return give(4U + to[3], be16(command + 3));
}

static struct plan inquiry(struct scsi_disk *disk)
{
	static const uint8_t standard[] = {
		0x00, 0x00, 0x04, 0x02, INQUIRY_SIZE - 5, 0, 0, 0,
	};
	uint8_t *to = disk->state->buffer;
	const uint8_t *command = disk->state->command;

	memset(to, 0, 256);
	if (command[1] & 1)
		return inquiry_page(disk);
	if (command[2])
		return refuse(disk, SCSI_INVALID_FIELD);
	memcpy(to, standard, sizeof(standard));
	to[7] = disk->config.capabilities;
	memcpy(to + 8, disk->config.name, SCSI_DISK_NAME);
	memcpy(to + 8 + SCSI_DISK_NAME, "1.0 ", 4);
	return give(INQUIRY_SIZE, be16(command + 3));
}

static struct plan sense(struct scsi_disk *disk)
{
	uint8_t *to = disk->state->buffer;

	memset(to, 0, SENSE_SIZE);
	to[0] = 0x70;
	to[2] = disk->state->sense_key;
	to[7] = SENSE_SIZE - 8;
	to[12] = disk->state->sense_code;
	disk->state->sense_key = disk->state->sense_code = 0;
	return give(SENSE_SIZE, disk->state->command[4]);
}

static struct plan capacity_10(struct scsi_disk *disk)
{
	uint64_t last = disk->config.backend->sector_count - 1;

	put32(disk->state->buffer, (uint32_t)MIN(last, (uint64_t)UINT32_MAX));
	put32(disk->state->buffer + 4, BLOCK_SECTOR);
	return give(8, 8);
}

static struct plan capacity_16(struct scsi_disk *disk)
{
	uint64_t last = disk->config.backend->sector_count - 1;
	uint8_t *to = disk->state->buffer;

	if ((disk->state->command[1] & 31) != READ_CAPACITY_16)
		return refuse(disk, SCSI_INVALID_FIELD);
	memset(to, 0, 32);
	put32(to, (uint32_t)(last >> 32));
	put32(to + 4, (uint32_t)last);
	put32(to + 8, BLOCK_SECTOR);
	return give(32, be32(disk->state->command + 10));
}

static struct plan format_capacities(struct scsi_disk *disk)
{
	uint8_t *to = disk->state->buffer;
	uint64_t count =
		MIN(disk->config.backend->sector_count, (uint64_t)UINT32_MAX);

	memset(to, 0, 12);
	to[3] = 8;
	put32(to + 4, (uint32_t)count);
	put32(to + 8, BLOCK_SECTOR);
	to[8] = 2; /* formatted */
	return give(12, be16(disk->state->command + 7));
}

static struct plan report_luns(struct scsi_disk *disk)
{
	memset(disk->state->buffer, 0, 16);
	disk->state->buffer[3] = 8;
	return give(16, be32(disk->state->command + 6));
}

/* ---- Mode pages --------------------------------------------------------- */

/* Of so many heads and sectors a track, which nobody but such pages is told. */
#define HEADS	     16
#define SECTORS	     63
#define ROTATION     7200 /* a minute */
#define HARD_SECTORS BIT(6)

static void format_page(const struct scsi_disk *disk, uint8_t *to)
{
	(void)disk;
	to[11] = SECTORS;
	to[12] = BLOCK_SECTOR >> 8;
	to[15] = 1; /* interleave */
	to[20] = HARD_SECTORS;
}

static void geometry_page(const struct scsi_disk *disk, uint8_t *to)
{
	uint64_t cylinders =
		MIN(disk->config.backend->sector_count / (HEADS * SECTORS),
		    (uint64_t)0xffffff);

	to[2] = (uint8_t)(cylinders >> 16);
	to[3] = (uint8_t)(cylinders >> 8);
	to[4] = (uint8_t)cylinders;
	to[5] = HEADS;
	to[20] = ROTATION >> 8;
	to[21] = ROTATION & 0xff;
}

static void caching_page(const struct scsi_disk *disk, uint8_t *to)
{
	(void)disk;
	to[2] = BIT(2); /* writes are cached */
}

static const struct {
	uint8_t code, length; /* behind its two bytes of head */
	void (*fill)(const struct scsi_disk *disk, uint8_t *to);
} mode_pages[] = {
	{ 0x03, 22, format_page },
	{ 0x04, 22, geometry_page },
	{ PAGE_CACHING, 18, caching_page },
};

/* Bytes of the pages asked for; 0: there is no such page.  What could be
 * changed is nothing. */
static unsigned mode_pages_put(const struct scsi_disk *disk, uint8_t *to)
{
	unsigned page = disk->state->command[2] & 63, length = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(mode_pages); i++) {
		if (page != mode_pages[i].code && page != PAGE_ALL)
			continue;
		to[length] = mode_pages[i].code;
		to[length + 1] = mode_pages[i].length;
		if (disk->state->command[2] >> 6 != 1)
			mode_pages[i].fill(disk, to + length);
		length += 2U + mode_pages[i].length;
	}
	return length;
}

/* The header is of 4 or 8 bytes; pages behind it. */
static struct plan mode_sense(struct scsi_disk *disk, bool is_10)
{
	const uint8_t *command = disk->state->command;
	unsigned header = is_10 ? 8 : 4, length = header;
	unsigned page = command[2] & 63;
	uint8_t *to = disk->state->buffer;

	if (command[2] >> 6 == 3) /* saved values: there are none */
		return refuse(disk, 0x39);
	memset(to, 0, 128);
	to[is_10 ? 3 : 2] =
		(uint8_t)(DPO_FUA |
			  (disk->config.backend->is_read_only ? WRITE_PROTECT
							      : 0));
	length += mode_pages_put(disk, to + header);
	if (page && length == header)
		return refuse(disk, SCSI_INVALID_FIELD);
	if (is_10)
		to[1] = (uint8_t)(length - 2);
	else
		to[0] = (uint8_t)(length - 1);
	return give(length, is_10 ? be16(command + 7) : command[4]);
}

/* Taken, without effect: nothing that it says can be changed. */
static struct plan mode_select(struct scsi_disk *disk, uint32_t length)
{
	(void)disk;
	return (struct plan){ true, length };
}

/* ---- The medium --------------------------------------------------------- */

/* By the length of the command: its group code. */
static void range_of(const uint8_t *command, uint64_t *sector, uint32_t *count)
{
	switch (command[0] >> 5) {
	case 0:
		*sector = be32(command) & 0x1fffff;
		*count = command[4] ? command[4] : 256;
		break;
	case 5:
		*sector = be32(command + 2);
		*count = be32(command + 6);
		break;
	case 4:
		*sector = be64(command + 2);
		*count = be32(command + 10);
		break;
	default:
		*sector = be32(command + 2);
		*count = be16(command + 7);
		break;
	}
}

static bool is_in_range(struct scsi_disk *disk, uint64_t sector, uint32_t count)
{
	uint64_t all = disk->config.backend->sector_count;

	return sector <= all && count <= all - sector;
}

static struct plan transfer(struct scsi_disk *disk, bool is_out)
{
	struct scsi_disk_state *state = disk->state;
	uint64_t sector;
	uint32_t count;

	range_of(state->command, &sector, &count);
	if (!is_in_range(disk, sector, count))
		return refuse(disk, SCSI_OUT_OF_RANGE);
	if (count > UINT32_MAX / BLOCK_SECTOR)
		return refuse(disk, SCSI_INVALID_FIELD);
	if (is_out && disk->config.backend->is_read_only) {
		scsi_disk_fail(disk, SCSI_DATA_PROTECT, SCSI_PROTECTED);
		return nothing;
	}
	state->is_media = count;
	state->sector = sector;
	if (is_out && state->command[0] != WRITE_6)
		state->is_flush_due = state->command[1] & FUA;
	return (struct plan){ is_out, count * BLOCK_SECTOR };
}

/* Without data: that it can be read is not tried. */
static struct plan verify(struct scsi_disk *disk)
{
	uint64_t sector;
	uint32_t count;

	range_of(disk->state->command, &sector, &count);
	if (disk->state->command[1] & BYTE_CHECK)
		return refuse(disk, SCSI_INVALID_FIELD);
	return is_in_range(disk, sector, count)
		       ? nothing
		       : refuse(disk, SCSI_OUT_OF_RANGE);
}

static struct plan synchronize(struct scsi_disk *disk)
{
	disk->state->is_flush_due = true;
	return nothing;
}

/* Stopping flushes; it never stands still. */
static struct plan start_stop(struct scsi_disk *disk)
{
	disk->state->is_flush_due = !(disk->state->command[4] & 1);
	return nothing;
}

/* ---- All ---------------------------------------------------------------- */

static struct plan about(struct scsi_disk *disk)
{
	const uint8_t *command = disk->state->command;

	switch (command[0]) {
	case TEST_UNIT_READY:
	case REZERO_UNIT:
	case SEEK_6:
	case RESERVE_6: /* there is no other initiator */
	case RELEASE_6:
	case SEND_DIAGNOSTIC:
	case SEEK_10:
	case PREVENT_REMOVAL:
		return nothing;
	case INQUIRY:
		return inquiry(disk);
	case MODE_SELECT_6:
		return mode_select(disk, command[4]);
	case MODE_SELECT_10:
		return mode_select(disk, be16(command + 7));
	case MODE_SENSE_6:
		return mode_sense(disk, false);
	case MODE_SENSE_10:
		return mode_sense(disk, true);
	case FORMAT_CAPACITIES:
		return format_capacities(disk);
	case READ_CAPACITY_10:
		return capacity_10(disk);
	case SERVICE_IN_16:
		return capacity_16(disk);
	case REPORT_LUNS:
		return report_luns(disk);
	}
	return refuse(disk, SCSI_INVALID_COMMAND);
}

static struct plan command_plan(struct scsi_disk *disk)
{
	struct scsi_disk_state *state = disk->state;

	state->status = SCSI_GOOD;
	state->is_media = state->is_flush_due = false;
	/* Of the last command, until the next one but this. */
	if (state->command[0] == REQUEST_SENSE)
		return sense(disk);
	state->sense_key = state->sense_code = 0;
	switch (state->command[0]) {
	case READ_6:
	case READ_10:
	case READ_12:
	case READ_16:
		return transfer(disk, false);
	case WRITE_6:
	case WRITE_10:
	case WRITE_12:
	case WRITE_16:
	case WRITE_VERIFY_10:
		return transfer(disk, true);
	case VERIFY_10:
	case VERIFY_16:
		return verify(disk);
	case SYNCHRONIZE_10:
	case SYNCHRONIZE_16:
		return synchronize(disk);
	case START_STOP:
		return start_stop(disk);
	}
	return about(disk);
}

void scsi_disk_command(struct scsi_disk *disk)
{
	struct scsi_disk_state *state = disk->state;
	struct plan plan = command_plan(disk);

	state->is_out = plan.is_out;
	state->left = plan.length;
	scsi_disk_buffer_set(state,
			     plan.is_out || state->is_media ? 0 : plan.length);
}
