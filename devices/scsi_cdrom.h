/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A SCSI CD-ROM drive: IDE's (devices/atapi.c) on a channel of its own, to
 * which commands are packets and data blocks of PIO.
 *
 * Does not model: what ATAPI has not, but READ (6): MODE SENSE (6) for one, for
 * which systems have another way.
 *
 * References: as atapi.c; SCSI-2, "CD-ROM devices".
 */
#ifndef BULKHEAD_DEVICES_SCSI_CDROM_H
#define BULKHEAD_DEVICES_SCSI_CDROM_H

#include "devices/ide.h"
#include "devices/scsi.h"

struct scsi_cdrom {
	struct scsi_unit unit;
	struct ide_channel channel;
	uint8_t capabilities;
};

struct scsi_cdrom_config {
	struct block_backend *backend; /* the medium */
	struct clock *clock;
	const struct guest_ram *ram; /* as channels of IDE have them */
	const struct pci_device *pci;
	uint8_t capabilities; /* byte 7 of INQUIRY's data */
};

/* state is a zeroed member of the owner's. */
void scsi_cdrom_init(struct scsi_cdrom *cdrom, struct ide_channel_state *state,
		     const struct scsi_cdrom_config *config);
/* As after power-on; the fields of the state are as their table says. */
void scsi_cdrom_reset(struct scsi_cdrom *cdrom);
/* As ide_medium_change(). */
void scsi_cdrom_medium_change(struct scsi_cdrom *cdrom,
			      struct block_backend *backend);
void scsi_cdrom_restored(struct scsi_cdrom *cdrom);
bool scsi_cdrom_is_valid(const struct scsi_cdrom *cdrom,
			 const struct ide_channel_state *state,
			 uint64_t now_ns);

#endif
