/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio SCSI hosts as both sides know them.
 *
 * References: VIRTIO 1.2, 5.6.
 */
#ifndef BULKHEAD_VIRTIO_SCSI_H
#define BULKHEAD_VIRTIO_SCSI_H

#include "include/compiler.h"

/* Queues: those of requests follow. */
#define VIRTIO_SCSI_CONTROL  0
#define VIRTIO_SCSI_EVENTS   1
#define VIRTIO_SCSI_REQUESTS 2

/* Sizes that a driver may change in the configuration, at first. */
#define VIRTIO_SCSI_SENSE_SIZE 96
#define VIRTIO_SCSI_CDB_SIZE   32

/* The configuration. */
struct virtio_scsi_layout {
	uint32_t num_queues; /* of requests */
	uint32_t seg_max;
	uint32_t max_sectors; /* of 512 bytes, of a request */
	uint32_t cmd_per_lun;
	uint32_t event_info_size;
	uint32_t sense_size, cdb_size;
	uint16_t max_channel, max_target;
	uint32_t max_lun;
};
ASSERT_SIZE(struct virtio_scsi_layout, 36);

/* Of one level: 1, the target, the unit, 14 bits of it behind how they are to
 * be read: as SCSI's flat space has it. */
#define VIRTIO_SCSI_LUN	 8
#define VIRTIO_SCSI_FLAT 0x40

/* ---- Commands ------------------------------------------------------------ */

/* Followed by cdb_size bytes of the command, then data out. */
struct virtio_scsi_header {
	uint8_t lun[VIRTIO_SCSI_LUN];
	uint8_t tag[8]; /* of 64 bits */
	uint8_t attribute;
#define VIRTIO_SCSI_HEAD 2 /* of queue */
	uint8_t priority;
	uint8_t reference;
};
ASSERT_SIZE(struct virtio_scsi_header, 19);

/* Followed by sense_size bytes of sense data, then data in. */
struct virtio_scsi_response {
	uint32_t sense_length;
	uint32_t residual; /* bytes of the data that did not move */
	uint16_t status_qualifier;
	uint8_t status;	  /* SCSI's */
	uint8_t response; /* VIRTIO_SCSI_* */
};
ASSERT_SIZE(struct virtio_scsi_response, 12);

/* clang-format off */
#define VIRTIO_SCSI_OK			0
#define VIRTIO_SCSI_OVERRUN		1
#define VIRTIO_SCSI_ABORTED		2
#define VIRTIO_SCSI_BAD_TARGET		3
#define VIRTIO_SCSI_RESET		4
#define VIRTIO_SCSI_FAILURE		9
#define VIRTIO_SCSI_SUCCEEDED		10 /* of a query: there is one */
#define VIRTIO_SCSI_REJECTED		11
#define VIRTIO_SCSI_INCORRECT_LUN	12

/* ---- Control ------------------------------------------------------------- */

#define VIRTIO_SCSI_TMF			0
#define   VIRTIO_SCSI_ABORT_TASK	0
#define   VIRTIO_SCSI_ABORT_TASK_SET	1
#define   VIRTIO_SCSI_CLEAR_TASK_SET	3
#define   VIRTIO_SCSI_NEXUS_RESET	4
#define   VIRTIO_SCSI_UNIT_RESET	5
#define   VIRTIO_SCSI_QUERY_TASK	6
#define   VIRTIO_SCSI_QUERY_TASK_SET	7
#define VIRTIO_SCSI_AN_QUERY		1
#define VIRTIO_SCSI_AN_SUBSCRIBE	2
/* clang-format on */

/* Answered by a byte, VIRTIO_SCSI_*. */
struct virtio_scsi_tmf {
	uint32_t type; /* VIRTIO_SCSI_TMF */
	uint32_t function;
	uint8_t lun[VIRTIO_SCSI_LUN];
	uint8_t tag[8];
};
ASSERT_SIZE(struct virtio_scsi_tmf, 24);

struct virtio_scsi_notification {
	uint32_t type; /* VIRTIO_SCSI_AN_* */
	uint8_t lun[VIRTIO_SCSI_LUN];
	uint32_t wanted;
};
ASSERT_SIZE(struct virtio_scsi_notification, 16);

/* Answered by those that there are, and a byte. */
#define VIRTIO_SCSI_MEDIUM_CHANGE BIT(4)
#define VIRTIO_SCSI_AN_ANSWER	  5 /* bytes */

/* ---- Events -------------------------------------------------------------- */

struct virtio_scsi_event {
	uint32_t event;
#define VIRTIO_SCSI_EVENT_NONE	       0
#define VIRTIO_SCSI_EVENT_NOTIFICATION 2
#define VIRTIO_SCSI_EVENTS_MISSED      BIT(31)
	uint8_t lun[VIRTIO_SCSI_LUN];
	uint32_t reason;
};
ASSERT_SIZE(struct virtio_scsi_event, 16);

#endif
