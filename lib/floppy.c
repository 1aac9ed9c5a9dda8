/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sizes of floppy disks.  See include/floppy.h.
 *
 * References: IBM Personal Computer and PS/2 technical references, "Diskette
 * Drive"; Microsoft's Distribution Media Format (1680 KiB).
 */
#include "include/floppy.h"

/* clang-format off */
static const struct floppy_format formats[] = {
	{  160, 40, 1,  8, FLOPPY_DRIVE_360K,   250 },
	{  180, 40, 1,  9, FLOPPY_DRIVE_360K,   250 },
	{  320, 40, 2,  8, FLOPPY_DRIVE_360K,   250 },
	{  360, 40, 2,  9, FLOPPY_DRIVE_360K,   250 },
	{  640, 80, 2,  8, FLOPPY_DRIVE_720K,   250 },
	{  720, 80, 2,  9, FLOPPY_DRIVE_720K,   250 },
	{ 1200, 80, 2, 15, FLOPPY_DRIVE_1200K,  500 },
	{ 1440, 80, 2, 18, FLOPPY_DRIVE_1440K,  500 },
	{ 1680, 80, 2, 21, FLOPPY_DRIVE_1440K,  500 },
	{ 2880, 80, 2, 36, FLOPPY_DRIVE_2880K, 1000 },
};

/* A bit for each drive whose own disks it takes. */
static const uint8_t takes[FLOPPY_DRIVES_COUNT] = {
	[FLOPPY_DRIVE_360K] = BIT(FLOPPY_DRIVE_360K),
	[FLOPPY_DRIVE_1200K] = BIT(FLOPPY_DRIVE_360K) | BIT(FLOPPY_DRIVE_1200K),
	[FLOPPY_DRIVE_720K] = BIT(FLOPPY_DRIVE_720K),
	[FLOPPY_DRIVE_1440K] = BIT(FLOPPY_DRIVE_720K) | BIT(FLOPPY_DRIVE_1440K),
	[FLOPPY_DRIVE_2880K] = BIT(FLOPPY_DRIVE_720K) |
			       BIT(FLOPPY_DRIVE_1440K) |
			       BIT(FLOPPY_DRIVE_2880K),
};
/* clang-format on */

const struct floppy_format *floppy_format_find(uint64_t sectors)
{
	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i].kib * 2U == sectors)
			return &formats[i];
	return NULL;
}

bool floppy_drive_takes(enum floppy_drive drive,
			const struct floppy_format *format)
{
	return drive < FLOPPY_DRIVES_COUNT && takes[drive] & BIT(format->drive);
}
