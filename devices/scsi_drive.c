/* SPDX-License-Identifier: BSD-2-Clause */
/* A SCSI target with a disk or a CD-ROM drive.  See scsi_drive.h. */
#include "devices/scsi_drive.h"

#include "devices/ide_internal.h"
#include "lib/printf.h"
#include "lib/string.h"

#define NO_SUCH_UNIT 0x7f /* a peripheral of INQUIRY's data */

/* ---- Logical units that are not there ----------------------------------- */

static void absent_sense(uint8_t *to)
{
	to[0] = 0x70;
	to[2] = SCSI_ILLEGAL_REQUEST;
	to[7] = SCSI_SENSE_SIZE - 8;
	to[12] = SCSI_NO_UNIT;
}

unsigned scsi_absent_answer(const uint8_t *command, uint8_t *to,
			    uint8_t *status)
{
	unsigned length = 0;

	memset(to, 0, SCSI_ABSENT_SIZE);
	*status = SCSI_GOOD;
	switch (command[0]) {
	case SCSI_INQUIRY:
		to[0] = NO_SUCH_UNIT;
		to[2] = to[3] = 2;
		to[4] = SCSI_ABSENT_SIZE - 5;
		length = SCSI_ABSENT_SIZE;
		break;
	case SCSI_REQUEST_SENSE:
		absent_sense(to);
		length = SCSI_SENSE_SIZE;
		break;
	default:
		*status = SCSI_CHECK_CONDITION;
	}
	return MIN(length, (unsigned)command[4]);
}

/* ---- Life --------------------------------------------------------------- */

/* Vendor and product: a model of its own is a product, cut where it must be. */
static void name_disk(struct scsi_drive *drive, unsigned place,
		      const struct scsi_drive_config *config)
{
	(void)snprintf(drive->name, sizeof(drive->name), "%-8s%-16s",
		       "BULKHEAD", config->model ? config->model : "SCSI disk");
	if (config->serial)
		(void)snprintf(drive->serial, sizeof(drive->serial), "%s",
			       config->serial);
	else
		(void)snprintf(drive->serial, sizeof(drive->serial),
			       "B10C5C51%04X", place);
}

void scsi_drive_init(struct scsi_drive *drive, struct scsi_drive_state *state,
		     const struct scsi_drive_config *config,
		     const struct scsi_drive_wiring *wiring, unsigned place,
		     void *ctx)
{
	struct scsi_disk_config disk = {
		.backend = config->backend,
		.clock = wiring->clock,
		.name = drive->name,
		.serial = drive->serial,
		.capabilities = wiring->disk_capabilities,
	};
	struct scsi_cdrom_config cdrom = {
		.backend = config->backend,
		.clock = wiring->clock,
		.ram = wiring->ram,
		.pci = wiring->pci,
		.capabilities = wiring->cdrom_capabilities,
	};

	if (!config->backend)
		return;
	name_disk(drive, place, config);
	drive->kind = config->is_cdrom ? SCSI_DRIVE_CDROM : SCSI_DRIVE_DISK;
	if (config->is_cdrom) {
		scsi_cdrom_init(&drive->cdrom, &state->cdrom, &cdrom);
		drive->unit = &drive->cdrom.unit;
	} else {
		scsi_disk_init(&drive->disk, &state->disk, &disk);
		drive->unit = &drive->disk.unit;
	}
	drive->unit->ready = wiring->ready;
	drive->unit->ctx = ctx;
}

void scsi_drive_reset(struct scsi_drive *drive)
{
	if (drive->kind == SCSI_DRIVE_CDROM)
		scsi_cdrom_reset(&drive->cdrom);
	else if (drive->kind == SCSI_DRIVE_DISK)
		scsi_disk_forget(&drive->disk);
}

void scsi_drive_restored(struct scsi_drive *drive)
{
	if (drive->kind == SCSI_DRIVE_CDROM)
		scsi_cdrom_restored(&drive->cdrom);
	else if (drive->kind == SCSI_DRIVE_DISK)
		scsi_disk_restored(&drive->disk);
}

bool scsi_drive_is_free(const struct scsi_drive *drive)
{
	return !drive->unit || drive->unit->ops->is_free(drive->unit);
}

bool scsi_drive_is_valid(const struct scsi_drive *drive,
			 const struct scsi_drive_state *state, uint64_t now_ns)
{
	switch (drive->kind) {
	case SCSI_DRIVE_DISK:
		return scsi_disk_is_valid(&drive->disk, &state->disk);
	case SCSI_DRIVE_CDROM:
		return scsi_cdrom_is_valid(&drive->cdrom, &state->cdrom,
					   now_ns);
	default:
		return true;
	}
}

/* ---- State -------------------------------------------------------------- */

static const struct state_field fields[] = {
	STATE_STRUCT(struct scsi_drive_state, disk, &scsi_disk_description),
	STATE_STRUCT(struct scsi_drive_state, cdrom, &ide_channel_description),
};

const struct state_description scsi_drive_description =
	STATE_DESCRIPTION(struct scsi_drive_state, fields);
