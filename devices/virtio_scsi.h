/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio SCSI host, with up to VIRTIO_SCSI_TARGETS disks and CD-ROM drives
 * (devices/scsi_drive.h), each the logical unit 0 of a target.
 *
 * A request is a chain: a header with the command, data out; a response with
 * sense data, data in.  It gets one of VIRTIO_SCSI_PLACES places and goes into
 * its target's queue, of which the drive does one after the other.  While all
 * places are taken the queues wait, by turns, and nobody is kicked.
 *
 *	notified -> take -> target's queue -> drive -> respond -> return, flush
 *		      ^					  |
 *		      '-- queues that waited for a place <'
 *
 * Data goes by way of the drive's own buffers, so no backend ever has memory of
 * the guest's: what is aborted, or reset, ends at once.  A write that the
 * medium had been given by then may still be done; the drive's next command
 * waits for that.
 *
 * Data that a command has and the request has no room for is an overrun, which
 * is found out when it is met: of a write, sectors may have been written.
 *
 * Files: virtio_scsi.c has requests and the device, virtio_scsi_target.c what a
 * target does with them, virtio_scsi_control.c task management and events.
 *
 * Does not model: requests with data in both directions, protection
 * information, drives that are plugged in and out, more than a unit a target,
 * task priorities, ACA; of asynchronous notifications all but the change of a
 * medium.
 *
 * References: VIRTIO 1.2, 5.6; SCSI Architecture Model 4.
 */
#ifndef BULKHEAD_DEVICES_VIRTIO_SCSI_H
#define BULKHEAD_DEVICES_VIRTIO_SCSI_H

#include "devices/scsi_drive.h"
#include "devices/virtio.h"
#include "include/virtio_scsi.h"

#define VIRTIO_SCSI_TARGETS    8
#define VIRTIO_SCSI_PLACES     64
#define VIRTIO_SCSI_QUEUES_MAX 8 /* of requests */
/* Of a unit at a time, as the driver is told: all have places then. */
#define VIRTIO_SCSI_DEPTH      (VIRTIO_SCSI_PLACES / VIRTIO_SCSI_TARGETS)
#define VIRTIO_SCSI_SEGMENTS   64
/* Data of a request: work that is done at once has to end. */
#define VIRTIO_SCSI_DATA_MAX   MIB(4)

struct virtio_scsi_config {
	struct pci_bus *pci;
	uint8_t devfn;
	const struct guest_ram *ram;
	struct clock *clock;
	const struct device_log *log;
	bool is_transitional;
	uint16_t queues; /* of requests; 0: one */
	struct scsi_drive_config drive[VIRTIO_SCSI_TARGETS];
};

struct virtio_scsi_state {
	struct virtio_state virtio;
	uint32_t sense_size, cdb_size; /* as the driver wrote them */
	uint8_t subscribed; /* to their media's changes: targets, a bit each */
	bool is_event_missed; /* there was no buffer */
	uint8_t reserved[6];
	uint64_t more_ns; /* requests wait for it; or CLOCK_NEVER */
	struct scsi_drive_state drive[VIRTIO_SCSI_TARGETS];
};

struct virtio_scsi_request {
	struct virtio_chain chain;
	uint8_t command[SCSI_COMMAND];
	uint64_t tag;
	uint32_t header, response; /* bytes before the data, out and in */
	uint32_t moved;		   /* bytes of data */
};

struct virtio_scsi;

struct virtio_scsi_target {
	struct virtio_scsi *scsi;
	struct scsi_drive drive;
	/* Places, in the order in which they are done; the first of them is in
	 * hand if is_active. */
	uint8_t queue[VIRTIO_SCSI_PLACES];
	uint8_t count;
	bool is_active;
	bool is_running; /* on the stack */
};

struct virtio_scsi {
	struct device device;
	struct virtio_scsi_state state;
	struct virtio virtio;
	uint16_t queues;
	uint16_t turn;	   /* the queue from which on who waits is next */
	uint32_t waiting;  /* queues of requests that found no place */
	uint32_t returned; /* queues of which the driver has something to see */
	uint64_t free;	   /* places, a bit each */
	uint32_t budget;   /* requests that may begin before others' turn */
	struct clock *clock;
	struct clock_timer more;
	bool is_in_run;
	bool is_control_due; /* its queue was not emptied for want of budget */
	/* What came of the control queue waits, for requests before it to have
	 * places. */
	bool is_control_held;
	struct virtio_chain control;
	struct virtio_scsi_target target[VIRTIO_SCSI_TARGETS];
	struct virtio_scsi_request request[VIRTIO_SCSI_PLACES];
};

/* May be saved while no request is in flight. */
extern const struct device_ops virtio_scsi_ops;

/* -EINVAL: a disk without sectors, queues that there are not; -EEXIST: the
 * place on the bus is taken. */
int __must_check virtio_scsi_init(struct virtio_scsi *scsi,
				  const struct virtio_scsi_config *config);
/* As ide_medium_change(), and who has subscribed is told.  -ENODEV: that is
 * no CD-ROM drive. */
int __must_check virtio_scsi_medium_change(struct virtio_scsi *scsi,
					   unsigned target,
					   struct block_backend *backend);

#endif
