/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the virtio SCSI host know of each other. */
#ifndef BULKHEAD_DEVICES_VIRTIO_SCSI_INTERNAL_H
#define BULKHEAD_DEVICES_VIRTIO_SCSI_INTERNAL_H

#include "devices/virtio_scsi.h"

/* Which unit an address names. */
struct virtio_scsi_address {
	struct virtio_scsi_target *target; /* NULL: there is no such one */
	bool is_absent;			   /* the target has no such unit */
};

/* ---- virtio_scsi.c ------------------------------------------------------- */

struct virtio_scsi_address
virtio_scsi_address(struct virtio_scsi *scsi,
		    const uint8_t lun[VIRTIO_SCSI_LUN]);
/* The request has ended: SCSI's status if response is VIRTIO_SCSI_OK, with so
 * many bytes of sense data.  It is no more. */
void virtio_scsi_respond(struct virtio_scsi *scsi,
			 struct virtio_scsi_request *request, uint8_t response,
			 uint8_t status, const uint8_t *sense,
			 uint32_t sense_length);
/* What is available in all queues of requests, as far as there is room. */
void virtio_scsi_take_all(struct virtio_scsi *scsi);
/* The same of those that wait; then what the driver has to see is shown. */
void virtio_scsi_run_waiting(struct virtio_scsi *scsi);

/* ---- virtio_scsi_target.c ------------------------------------------------ */

/* Into the queue, and done if it can be. */
void virtio_scsi_target_take(struct virtio_scsi_target *target,
			     struct virtio_scsi_request *request, bool is_head);
/* Of a unit that is not there. */
void virtio_scsi_target_absent(struct virtio_scsi *scsi,
			       struct virtio_scsi_request *request);
/* Goes on with its queue, as far as it goes now. */
void virtio_scsi_target_run(struct virtio_scsi_target *target);
/* Requests in its queue that has() says yes to end with that response; how many
 * there were. */
typedef bool (*virtio_scsi_has_fn)(const struct virtio_scsi_request *request,
				   const void *ctx);
unsigned virtio_scsi_target_end(struct virtio_scsi_target *target,
				virtio_scsi_has_fn has, const void *ctx,
				uint8_t response);
bool virtio_scsi_target_find(const struct virtio_scsi_target *target,
			     virtio_scsi_has_fn has, const void *ctx);

/* ---- virtio_scsi_control.c ----------------------------------------------- */

/* What the driver has put into the control queue. */
void virtio_scsi_control_run(struct virtio_scsi *scsi);
/* Buffers for events have come. */
void virtio_scsi_events_run(struct virtio_scsi *scsi);

#endif
