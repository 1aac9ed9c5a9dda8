/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drives and the disks in them: where sectors are, and when they pass the head.
 * Sectors of a track lie in their order behind the index hole, each in an equal
 * part of the circle.  See fdc.h.
 *
 * References: IBM PS/2 Hardware Interface Technical Reference, "Diskette
 * Drives"; ECMA-125, "Track layout".
 */
#include "devices/fdc.h"

#include "devices/fdc_internal.h"

#define REVOLUTION_300_NS (NSEC_PER_SEC / 5)
#define REVOLUTION_360_NS (NSEC_PER_SEC / 6)

struct fdc_drive *fdc_drive(struct fdc *fdc, unsigned unit)
{
	if (unit >= FDC_DRIVES || fdc->drive[unit].type == FLOPPY_DRIVE_NONE)
		return NULL;
	return &fdc->drive[unit];
}

struct fdc_drive_state *fdc_drive_state(struct fdc *fdc, unsigned unit)
{
	return &fdc->state.drive[unit];
}

unsigned fdc_drive_cylinders(enum floppy_drive type)
{
	return type == FLOPPY_DRIVE_360K ? 40 : 80;
}

bool fdc_is_turning(struct fdc *fdc, unsigned unit)
{
	const struct fdc_drive *drive = fdc_drive(fdc, unit);

	return drive && drive->medium && fdc->state.dor & DOR_MOTOR(unit);
}

/* Without a disk nothing presses the switch. */
bool fdc_is_protected(struct fdc *fdc, unsigned unit)
{
	const struct fdc_drive *drive = fdc_drive(fdc, unit);

	return drive && (!drive->medium || drive->medium->is_read_only);
}

/* The oldest drives have no such line. */
bool fdc_is_changed(struct fdc *fdc, unsigned unit)
{
	const struct fdc_drive *drive = fdc_drive(fdc, unit);

	return drive && drive->type != FLOPPY_DRIVE_360K &&
	       fdc_drive_state(fdc, unit)->is_changed;
}

/* ---- Tracks -------------------------------------------------------------- */

/* 40 tracks under a head for 80: each second one has nothing on it. */
static unsigned steps_a_track(const struct fdc_drive *drive)
{
	return fdc_drive_cylinders(drive->type) / drive->format->cylinders;
}

/* A drive for 1.2 MB turns all disks at 360 rpm. */
static unsigned rate_of(const struct fdc_drive *drive)
{
	if (drive->type == FLOPPY_DRIVE_1200K &&
	    drive->format->drive != FLOPPY_DRIVE_1200K)
		return drive->format->kbps * 6U / 5;
	return drive->format->kbps;
}

static bool is_readable(struct fdc *fdc, const struct fdc_drive *drive,
			unsigned head)
{
	static const uint16_t kbps[] = { 500, 300, 250, 1000 };

	return fdc->state.command[0] & COMMAND_MFM &&
	       kbps[fdc->state.rate & 3] == rate_of(drive) &&
	       head < drive->format->heads;
}

bool fdc_track_find(struct fdc *fdc, unsigned unit, unsigned head,
		    uint8_t *cylinder)
{
	const struct fdc_drive *drive = fdc_drive(fdc, unit);
	unsigned at = fdc_drive_state(fdc, unit)->head_cylinder;
	unsigned steps = steps_a_track(drive);

	if (!is_readable(fdc, drive, head) || at % steps ||
	    at / steps >= drive->format->cylinders)
		return false;
	*cylinder = (uint8_t)(at / steps);
	return true;
}

uint32_t fdc_sector_of(const struct floppy_format *format, unsigned cylinder,
		       unsigned head, unsigned number)
{
	return (cylinder * format->heads + head) * format->sectors + number - 1;
}

bool fdc_is_deleted(struct fdc *fdc, unsigned unit, uint32_t sector)
{
	return fdc_drive_state(fdc, unit)->deleted[sector / 64] &
	       BIT(sector % 64);
}

void fdc_deleted_set(struct fdc *fdc, unsigned unit, uint32_t sector,
		     bool is_deleted)
{
	uint64_t *word = &fdc_drive_state(fdc, unit)->deleted[sector / 64];

	*word = is_deleted ? *word | BIT(sector % 64)
			   : *word & ~BIT(sector % 64);
}

/* ---- Turning ------------------------------------------------------------- */

uint64_t fdc_revolution_ns(struct fdc *fdc, unsigned unit)
{
	const struct fdc_drive *drive = fdc_drive(fdc, unit);

	return drive && drive->type == FLOPPY_DRIVE_1200K ? REVOLUTION_360_NS
							  : REVOLUTION_300_NS;
}

uint64_t fdc_place_ns(struct fdc *fdc, unsigned unit, unsigned n,
		      unsigned count, uint64_t from_ns)
{
	uint64_t revolution = fdc_revolution_ns(fdc, unit);
	uint64_t begins =
		from_ns - from_ns % revolution + n * revolution / count;

	return begins < from_ns ? begins + revolution : begins;
}

uint64_t fdc_place_length_ns(struct fdc *fdc, unsigned unit, unsigned count)
{
	return fdc_revolution_ns(fdc, unit) / count;
}
