/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A USB disk: mass storage, Bulk-Only Transport, transparent SCSI commands.
 *
 * Models: command and status wrappers with tags and residue; the thirteen cases
 * of hosts and devices that do not agree, by STALLs; reset recovery.  The
 * commands are devices/scsi_disk.h's; while its buffer is filled or emptied the
 * endpoints NAK.
 *
 * Does not model: several logical units.
 *
 * References: Universal Serial Bus Mass Storage Class, Bulk-Only Transport 1.0.
 */
#ifndef BULKHEAD_DEVICES_USB_STORAGE_H
#define BULKHEAD_DEVICES_USB_STORAGE_H

#include "devices/scsi_disk.h"
#include "devices/usb.h"

/*
 *	      a CBW		 all moved	  a CSW
 *	COMMAND -----> DATA_IN/OUT ---------> STATUS ---> COMMAND
 *
 * While a request is in flight all of them NAK.  An invalid CBW is BROKEN: both
 *endpoints stall until a reset.
 */
enum usb_storage_phase {
	USB_STORAGE_COMMAND_PHASE,
	USB_STORAGE_DATA_IN,
	USB_STORAGE_DATA_OUT,
	USB_STORAGE_STATUS,
	USB_STORAGE_BROKEN,
	USB_STORAGE_PHASES,
};

struct usb_storage_state {
	struct usb_state usb;
	uint8_t phase;	 /* enum usb_storage_phase */
	bool is_refused; /* the rest of the data ends in a STALL */
	bool has_phase_error;
	uint8_t reserved[1];
	uint32_t tag;
	uint32_t residue;
	uint32_t host_left; /* of what the host wants to move */
	uint8_t reserved2[8];
	struct scsi_disk_state
		disk; /* .left: of what the device has or takes */
};

struct usb_storage {
	struct usb_device usb;
	struct usb_storage_state state;
	struct scsi_disk disk;
	char serial[16];
	const char *strings[4];
	struct usb_model model;
};

extern const struct device_ops usb_storage_ops;

/* number makes its serial number: the board's first disk is 1. */
void usb_storage_init(struct usb_storage *disk, struct block_backend *backend,
		      struct clock *clock, unsigned number);

#endif
