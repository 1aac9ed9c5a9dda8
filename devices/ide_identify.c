/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What IDENTIFY DEVICE and IDENTIFY PACKET DEVICE say, and the transfer modes
 * of SET FEATURES that they say it of.
 *
 * References: ATA/ATAPI-6, "IDENTIFY DEVICE", "IDENTIFY PACKET DEVICE";
 * ATA/ATAPI-7 for the FUA commands.
 */
#include "devices/ide_internal.h"

#include "lib/string.h"

/* IDENTIFY DEVICE */
#define ID_FIRMWARE	   "1.0"
#define ID48_DWORD_IO	   1
#define ID49_DMA	   BIT(8)
#define ID49_LBA	   BIT(9)
#define ID49_IORDY	   MASK(11, 10)
#define ID53_VALID	   7
#define ID59_VALID	   BIT(8)
#define ID63_MWDMA	   7
#define ID64_PIO_3_4	   3
#define ID75_QUEUE_DEPTH   31	  /* less one */
#define ID76_SATA	   0x0106 /* 1.5 and 3 Gb/s, native queuing */
#define ID80_ATA_4_TO_6	   0x70
#define ID80_ATA_4_TO_8	   0x1f0
#define ID82_POWER	   BIT(3)
#define ID82_WRITE_CACHE   BIT(5)
#define ID82_READ_AHEAD	   BIT(6)
#define ID82_NOP	   BIT(14)
#define ID83_LBA48	   BIT(10)
#define ID84_FUA	   BIT(6)
#define ID84_LOGS	   BIT(5)
#define ID83_FLUSH	   BIT(12)
#define ID83_FLUSH_EXT	   BIT(13)
#define ID_WORD_VALID	   BIT(14)
#define ID106_LONG_SECTORS BIT(12)
#define ID88_UDMA	   MASK(5, 0)
#define ID93_MASTER	   0x600b
#define ID93_SLAVE	   0x6b00
#define ID_SIGNATURE	   0xa5
#define ID_ACTIVE_MODE	   8 /* shift of the selected transfer mode */

static void word_set(uint8_t *block, unsigned word, uint16_t value)
{
	block[2 * word] = (uint8_t)value;
	block[2 * word + 1] = (uint8_t)(value >> 8);
}

/* Padded with spaces, the bytes of each word swapped. */
static void string_set(uint8_t *block, unsigned word, unsigned bytes,
		       const char *text)
{
	for (unsigned i = 0; i < bytes; i++)
		block[2 * word + (i ^ 1)] = *text ? (uint8_t)*text++ : ' ';
}

/* ---- IDENTIFY DEVICE --------------------------------------------------- */

static void identify_geometry(const struct ide_drive *drive, uint8_t *id)
{
	uint32_t now = (uint32_t)drive->state->now_cylinders *
		       drive->state->now_heads * drive->state->now_sectors;
	uint64_t count = drive->sector_count >> drive->sector_shift;
	uint32_t lba28 = (uint32_t)MIN(count, IDE_LBA28_LIMIT - 1);

	word_set(id, 1, drive->cylinders);
	word_set(id, 3, drive->heads);
	word_set(id, 6, drive->sectors);
	word_set(id, 54, drive->state->now_cylinders);
	word_set(id, 55, drive->state->now_heads);
	word_set(id, 56, drive->state->now_sectors);
	word_set(id, 57, (uint16_t)now);
	word_set(id, 58, (uint16_t)(now >> 16));
	word_set(id, 60, (uint16_t)lba28);
	word_set(id, 61, (uint16_t)(lba28 >> 16));
	for (unsigned i = 0; i < 4; i++)
		word_set(id, 100 + i, (uint16_t)(count >> 16 * i));
	if (!drive->sector_shift)
		return;
	/* Logical sectors of more than 512 bytes, and of how many words. */
	word_set(id, 106, ID_WORD_VALID | ID106_LONG_SECTORS);
	word_set(id, 117, (uint16_t)(BLOCK_SECTOR / 2 << drive->sector_shift));
}

/* The mode words: bits of the modes that there are, and of the selected one. */
static void identify_modes(const struct ide_drive *drive, uint8_t *id)
{
	uint8_t mode = FIELD_GET(IDE_MODE_NUMBER, drive->state->transfer_mode);
	uint16_t selected = (uint16_t)(1 << (ID_ACTIVE_MODE + mode));
	uint8_t kind = FIELD_GET(IDE_MODE_KIND, drive->state->transfer_mode);

	word_set(id, 63, ID63_MWDMA | (kind == IDE_MODE_MWDMA ? selected : 0));
	word_set(id, 88, ID88_UDMA | (kind == IDE_MODE_UDMA ? selected : 0));
}

/* What is otherwise on a serial link. */
static void identify_serial(uint8_t *id)
{
	word_set(id, 75, ID75_QUEUE_DEPTH);
	word_set(id, 76, ID76_SATA);
	word_set(id, 80, ID80_ATA_4_TO_8);
	word_set(id, 84, ID_WORD_VALID | ID84_FUA | ID84_LOGS);
	word_set(id, 87, ID_WORD_VALID | ID84_FUA | ID84_LOGS);
	word_set(id, 93, 0);
	word_set(id, 222, 0x101f); /* serial: up to SATA 2.6 */
}

static void identify_features(const struct ide_drive *drive, uint8_t *id)
{
	bool is_slave = drive != &drive->channel->drive[0];

	word_set(id, 47, 0x8000 | IDE_MULTIPLE);
	word_set(id, 48, ID48_DWORD_IO);
	word_set(id, 49, ID49_DMA | ID49_LBA | ID49_IORDY);
	word_set(id, 50, ID_WORD_VALID);
	word_set(id, 51, 2 << 8);
	word_set(id, 53, ID53_VALID);
	if (drive->state->multiple)
		word_set(id, 59, ID59_VALID | drive->state->multiple);
	identify_modes(drive, id);
	word_set(id, 64, ID64_PIO_3_4);
	for (unsigned i = 65; i <= 68; i++)
		word_set(id, i, 120); /* cycle times, ns */
	word_set(id, 80, ID80_ATA_4_TO_6);
	word_set(id, 82,
		 ID82_POWER | ID82_WRITE_CACHE | ID82_READ_AHEAD | ID82_NOP);
	word_set(id, 83,
		 ID_WORD_VALID | ID83_FLUSH_EXT | ID83_FLUSH | ID83_LBA48);
	word_set(id, 84, ID_WORD_VALID | ID84_FUA);
	word_set(
		id, 85,
		ID82_POWER | ID82_NOP |
			(drive->state->is_write_cached ? ID82_WRITE_CACHE : 0) |
			(drive->state->is_read_ahead ? ID82_READ_AHEAD : 0));
	word_set(id, 86, ID83_FLUSH_EXT | ID83_FLUSH | ID83_LBA48);
	word_set(id, 87, ID_WORD_VALID | ID84_FUA);
	/* Reset result with an 80-conductor cable. */
	word_set(id, 93, is_slave ? ID93_SLAVE : ID93_MASTER);
	if (drive->channel->transport->is_serial)
		identify_serial(id);
}

void ide_identify_disk(const struct ide_drive *drive, uint8_t *id)
{
	uint8_t sum = ID_SIGNATURE;

	memset(id, 0, IDE_IDENTIFY_SIZE);
	word_set(id, 0, 0x0040); /* fixed disk */
	word_set(id, 20, 3);
	word_set(id, 21, IDE_BUFFER / BLOCK_SECTOR);
	string_set(id, 10, 20, drive->serial);
	string_set(id, 23, 8, ID_FIRMWARE);
	string_set(id, 27, 40, drive->model);
	identify_geometry(drive, id);
	identify_features(drive, id);
	id[510] = ID_SIGNATURE;
	for (unsigned i = 0; i < 510; i++)
		sum += id[i];
	id[511] = (uint8_t)-sum;
}

/* ---- IDENTIFY PACKET DEVICE -------------------------------------------- */

void ide_identify_cdrom(const struct ide_drive *drive, uint8_t *id)
{
	memset(id, 0, IDE_IDENTIFY_SIZE);
	/* ATAPI, CD-ROM, removable, DRQ within 50 us, 12-byte packets. */
	word_set(id, 0, 0x85c0);
	string_set(id, 10, 20, drive->serial);
	string_set(id, 23, 8, "1.0");
	string_set(id, 27, 40, drive->model);
	word_set(id, 49, 0x0f00); /* DMA, LBA, IORDY */
	word_set(id, 53, 7);
	identify_modes(drive, id);
	word_set(id, 64, 3);
	for (unsigned i = 65; i <= 68; i++)
		word_set(id, i, 120);
	word_set(id, 80, 0x0070); /* ATA/ATAPI-4 to 6 */
	word_set(id, 82, 0x4218); /* NOP, reset, PACKET, power */
	word_set(id, 83, 0x4000);
	word_set(id, 84, 0x4000);
	word_set(id, 85, 0x4218);
	word_set(id, 87, 0x4000);
	if (drive->channel->transport->is_serial)
		word_set(id, 76, 0x0006); /* 1.5 and 3 Gb/s */
}

/* ---- Transfer modes ----------------------------------------------------- */

bool ide_transfer_mode_set(struct ide_drive *drive, uint8_t mode)
{
	unsigned number = FIELD_GET(IDE_MODE_NUMBER, mode);

	switch (FIELD_GET(IDE_MODE_KIND, mode)) {
	case IDE_MODE_PIO_DEFAULT:
		return number <= 1;
	case IDE_MODE_PIO:
		return number <= 4;
	case IDE_MODE_MWDMA:
		if (number > 2)
			return false;
		break;
	case IDE_MODE_UDMA:
		if (number > 5)
			return false;
		break;
	default:
		return false;
	}
	drive->state->transfer_mode = mode;
	return true;
}
