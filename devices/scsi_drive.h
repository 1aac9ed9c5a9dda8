/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A SCSI target with one logical unit, 0, which is a disk (devices/scsi_disk.h)
 * or a CD-ROM drive (devices/scsi_cdrom.h), whatever bus it is on; and what is
 * answered for units that are not there.
 *
 * References: SCSI-2 (X3.131-1994), 7.5.3, 8.2.5.
 */
#ifndef BULKHEAD_DEVICES_SCSI_DRIVE_H
#define BULKHEAD_DEVICES_SCSI_DRIVE_H

#include "devices/scsi_cdrom.h"
#include "devices/scsi_disk.h"

#define SCSI_SENSE_SIZE	 18
/* Bytes of what a unit answers that is not there. */
#define SCSI_ABSENT_SIZE 36

enum scsi_drive_kind { SCSI_DRIVE_NONE, SCSI_DRIVE_DISK, SCSI_DRIVE_CDROM };

struct scsi_drive_config {
	struct block_backend *backend; /* NULL: there is none */
	bool is_cdrom;
	const char *serial; /* of a disk; NULL: one made from its place */
	const char *model;  /* of a disk; NULL: Bulkhead's */
};

/* What the controller gives to all of its drives. */
struct scsi_drive_wiring {
	struct clock *clock;
	const struct guest_ram *ram;
	const struct pci_device *pci;
	uint8_t disk_capabilities, cdrom_capabilities; /* INQUIRY, byte 7 */
	void (*ready)(void *ctx);		       /* as struct scsi_unit */
};

struct scsi_drive_state {
	struct scsi_disk_state disk;
	struct ide_channel_state cdrom;
};

extern const struct state_description scsi_drive_description;

struct scsi_drive {
	enum scsi_drive_kind kind;
	struct scsi_unit *unit; /* one of these */
	struct scsi_disk disk;
	struct scsi_cdrom cdrom;
	char serial[SCSI_DISK_SERIAL + 1];
	char name[SCSI_DISK_NAME + 1];
};

/* drive is zeroed; state is a zeroed member of the owner's.  place: within the
 * machine; ctx: of wiring->ready(). */
void scsi_drive_init(struct scsi_drive *drive, struct scsi_drive_state *state,
		     const struct scsi_drive_config *config,
		     const struct scsi_drive_wiring *wiring, unsigned place,
		     void *ctx);
/* As after power-on. */
void scsi_drive_reset(struct scsi_drive *drive);
/* A state has been loaded. */
void scsi_drive_restored(struct scsi_drive *drive);
bool scsi_drive_is_valid(const struct scsi_drive *drive,
			 const struct scsi_drive_state *state, uint64_t now_ns);
/* No request is in flight. */
bool scsi_drive_is_free(const struct scsi_drive *drive);

/*
 * What a logical unit answers that is not there: SCSI_ABSENT_SIZE bytes at to,
 * of which the initiator gets as many as are returned; and the status.
 */
unsigned scsi_absent_answer(const uint8_t *command, uint8_t *to,
			    uint8_t *status);

#endif
