/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to usb_storage.c, the transport, and usb_storage_scsi.c, the
 * commands.
 */
#ifndef BULKHEAD_DEVICES_USB_STORAGE_INTERNAL_H
#define BULKHEAD_DEVICES_USB_STORAGE_INTERNAL_H

#include "devices/usb_storage.h"

#define USB_STORAGE_PASSED	0
#define USB_STORAGE_FAILED	1
#define USB_STORAGE_PHASE_ERROR 2

/* What a command will move, in one direction or none. */
struct usb_storage_plan {
	bool is_out;
	uint32_t length; /* bytes; of the buffer, unless state.is_media */
};

/* Looks at state.command.  The status, and sense data, are in the state. */
struct usb_storage_plan usb_storage_command(struct usb_storage *disk);
/* The command ends with that sense. */
void usb_storage_fail(struct usb_storage *disk, unsigned key, unsigned code);

/* Sense keys, and additional sense codes with their qualifiers. */
#define SCSI_NONE	     0
#define SCSI_MEDIUM_ERROR    3
#define SCSI_ILLEGAL_REQUEST 5
#define SCSI_DATA_PROTECT    7
#define SCSI_WRITE_ERROR     0x0c
#define SCSI_READ_ERROR	     0x11
#define SCSI_INVALID_COMMAND 0x20
#define SCSI_OUT_OF_RANGE    0x21
#define SCSI_INVALID_FIELD   0x24
#define SCSI_NO_UNIT	     0x25
#define SCSI_PROTECTED	     0x27

#endif
