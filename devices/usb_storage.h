/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A USB disk: mass storage, Bulk-Only Transport, transparent SCSI commands.
 *
 * Models: command and status wrappers with tags and residue; the thirteen cases
 * of hosts and devices that do not agree, by STALLs; reset recovery; the
 * commands of a disk that systems use, by six, ten, twelve and sixteen bytes;
 * sense data; write protection.
 *
 * Does not model: several logical units; media that are taken out; a write
 * cache of its own: the backend's is flushed by SYNCHRONIZE CACHE and FUA.
 *
 * Data goes by way of a buffer of USB_STORAGE_BUFFER bytes; while it is filled
 * or emptied the endpoints NAK.  A request that takes longer than
 * USB_STORAGE_TIMEOUT_NS is taken back and ends as a medium's error.
 *
 * References: Universal Serial Bus Mass Storage Class, Bulk-Only Transport 1.0;
 * SCSI Primary Commands 2, SCSI Block Commands.
 */
#ifndef BULKHEAD_DEVICES_USB_STORAGE_H
#define BULKHEAD_DEVICES_USB_STORAGE_H

#include "devices/usb.h"
#include "include/block.h"

#define USB_STORAGE_BUFFER     KIB(16)
#define USB_STORAGE_TIMEOUT_NS (20 * NSEC_PER_SEC)
#define USB_STORAGE_COMMAND    16

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
	uint8_t phase;	/* enum usb_storage_phase */
	uint8_t status; /* bCSWStatus */
	uint8_t sense_key, sense_code;
	bool is_media;	   /* the data are the medium's, from sector on */
	bool is_refused;   /* the rest of the data ends in a STALL */
	bool is_flush_due; /* before the status */
	uint8_t reserved[1];
	uint8_t command[USB_STORAGE_COMMAND];
	uint32_t tag;
	uint32_t residue;
	uint32_t host_left;	 /* of what the host wants to move */
	uint32_t device_left;	 /* of what the device has or takes */
	uint32_t offset, length; /* in the buffer: moved, there */
	uint64_t sector;	 /* of the medium's next bytes */
	uint8_t buffer[USB_STORAGE_BUFFER];
};

struct usb_storage {
	struct usb_device usb;
	struct usb_storage_state state;
	struct block_backend *backend;
	struct clock *clock;
	char serial[16];
	const char *strings[4];
	struct usb_model model;
	/* A request is no state: there is none when one is saved. */
	bool is_busy;
	bool is_forgotten; /* nobody waits for its end any more */
	bool is_nested;	   /* inside of submit() */
	struct clock_timer timer;
	struct block_request request;
	uint8_t bounce[USB_STORAGE_BUFFER]; /* the request's */
};

extern const struct device_ops usb_storage_ops;

/* number makes its serial number: the board's first disk is 1. */
void usb_storage_init(struct usb_storage *disk, struct block_backend *backend,
		      struct clock *clock, unsigned number);

#endif
